use super::{artifact::DEFAULT_TRACE_TOLERANCE, *};
use crate::args::{Cli, Command};
use clap::Parser;
use highway_offchain_worker::precheck::ModelSignature;
use highway_primitives::{model::Trace, AIC};

#[test]
fn policy_should_read_back_when_written() {
	for text in ["exact", "tolerance:0.001:0.0001:0.5%", "tolerance:0:0.000000001:0%"] {
		assert_eq!(show::policy(&parse_policy(text).unwrap()), text);
	}
	assert_eq!(
		parse_policy("tolerance:0.001:0.001"),
		parse_policy("tolerance:0.001:0.001:0%")
	);
}

#[test]
fn policy_should_be_refused_when_it_is_too_loose_or_no_policy() {
	for text in [
		"tolerance",
		"tolerance:1",
		"tolerance:5:0",
		"tolerance:0:0:2%",
		"close",
		"exact:1",
		"tolerance:-1:0",
	] {
		assert!(parse_policy(text).is_err(), "{text}");
	}
}

fn spec() -> VersionSpec {
	VersionSpec {
		artifact: BlobRef::of(b"onnx"),
		licence: licence("MIT".into()).unwrap(),
		inputs: Default::default(),
		outputs: Default::default(),
		unit: Unit::Request,
		unit_time_ms: 200,
		policy: VerificationPolicy::Exact,
		trace: Some(Trace {
			tensor: b"inside".to_vec().try_into().unwrap(),
			tolerance: 3,
		}),
		detection: Perbill::from_percent(66),
		shares_runs: true,
		recipe: Some(Recipe {
			name: b"magika".to_vec().try_into().unwrap(),
			config: BlobRef::of(b"labels"),
		}),
	}
}

/// The new version that these words make of [`spec`].
fn changed(words: &str, config: Option<&[u8]>) -> Result<VersionSpec, CommandError> {
	let words = ["highway", "model", "update", "m"]
		.into_iter()
		.chain(words.split_whitespace());
	let Command::Model(ModelCommand::Update(args)) = Cli::parse_from(words).command else {
		panic!("another command")
	};
	assert!(!args.version.is_empty());
	args.version.change(&spec(), None, config)
}

#[test]
fn new_versions_should_differ_in_what_was_named_and_in_nothing_else() {
	let words = "--licence Apache-2.0 --unit-time-ms 5 --policy tolerance:0:0.001 --recipe none";
	let expected = VersionSpec {
		licence: licence("Apache-2.0".into()).unwrap(),
		unit_time_ms: 5,
		policy: parse_policy("tolerance:0:0.001").unwrap(),
		recipe: None,
		..spec()
	};
	assert_eq!(changed(words, None).unwrap(), expected);
	let cheaper = VersionSpec {
		unit_time_ms: 5,
		..spec()
	};
	assert_eq!(changed("--unit-time-ms 5", None).unwrap(), cheaper);
}

#[test]
fn new_versions_should_keep_their_audits_when_there_is_no_new_file() {
	let expected = VersionSpec {
		trace: spec().trace.map(|trace| Trace {
			tolerance: 250_000,
			..trace
		}),
		detection: Perbill::from_percent(55),
		shares_runs: false,
		..spec()
	};
	let words = "--trace-tolerance 0.25 --detection 55% --share-runs=false";
	assert_eq!(changed(words, None).unwrap(), expected);
	assert_eq!(changed("--share-runs", None).unwrap(), spec());
	assert_eq!(
		changed("--trace none", None).unwrap(),
		VersionSpec { trace: None, ..spec() }
	);
	assert!(changed("--trace auto", None).is_err(), "its file is missing");
	assert!(changed("--trace none --trace-tolerance 1", None).is_err());
}

#[test]
fn new_files_should_take_what_spares_honest_nodes_unless_told_otherwise() {
	let artifact = Artifact {
		bytes: b"new".to_vec(),
		trace: Some("deep".into()),
		signature: ModelSignature {
			inputs: Vec::new(),
			outputs: Vec::new(),
			trace: None,
			mixes_rows: false,
			nodes: 1,
		},
	};
	let with = |audit: AuditArgs| {
		let changes = NewVersionArgs {
			audit,
			file: Some("new.onnx".into()),
			unit_time_ms: None,
			policy: None,
			licence: None,
			recipe: None,
			recipe_config: None,
		};
		let spec = changes.change(&spec(), Some(&artifact), None).unwrap();
		(spec.trace.unwrap().tolerance, spec.detection, spec.shares_runs)
	};
	assert_eq!(
		with(AuditArgs::default()),
		(DEFAULT_TRACE_TOLERANCE, DEFAULT_DETECTION, false)
	);
	let calibrated = AuditArgs {
		trace: None,
		trace_tolerance: Some(5),
		detection: Some(Perbill::from_percent(60)),
		share_runs: Some(true),
	};
	assert_eq!(with(calibrated), (5, Perbill::from_percent(60), true));
}

#[test]
fn audit_options_should_be_refused_when_the_chain_would() {
	assert_eq!(parse_trace_tolerance("0.000001"), Ok(1));
	assert!(parse_trace_tolerance("0").is_err() && parse_trace_tolerance("0.0000001").is_err());
	assert_eq!(parse_detection("50%"), Ok(MIN_DETECTION));
	assert!(parse_detection("49.9%").is_err());
}

#[test]
fn new_versions_should_keep_their_recipe_with_other_labels() {
	let labels = br#"{"beg_size":8,"mid_size":0,"end_size":8,"use_inputs_at_offsets":false,
		"medium_confidence_threshold":0.5,"min_file_size_for_dl":8,"padding_token":256,"block_size":4096,
		"target_labels_space":["pdf","png"],"thresholds":{},"overwrite_map":{},"version_major":3}"#;
	let recipe = changed("--recipe-config labels.json", Some(labels))
		.unwrap()
		.recipe
		.unwrap();
	assert_eq!(
		(recipe.name.as_slice(), recipe.config),
		(&b"magika"[..], BlobRef::of(labels))
	);
	assert!(
		changed("--recipe-config labels.json", Some(b"{}")).is_err(),
		"it is no such file"
	);
	assert!(changed("--recipe magika", None).is_err(), "its file is missing");
}

#[test]
fn terms_should_hold_share_and_floor() {
	let terms = |share, floor| {
		Terms(Some(DerivativeTerms {
			share: Perbill::from_percent(share),
			floor,
		}))
	};
	assert_eq!(parse_terms("20%"), Ok(terms(20, 0)));
	assert_eq!(parse_terms("20%:0.5"), Ok(terms(20, AIC / 2)));
	assert_eq!(parse_terms("none"), Ok(Terms(None)));
	assert!(parse_terms("120%").is_err());
}
