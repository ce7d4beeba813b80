//! The file of `--bids`, read as a node reads it that starts.

use highway_node::worker::bids::{read, BidsError, Limits};
use highway_offchain_worker::bids::{Bid, Bids, ModelName, Scope, Terms, DEFAULT_STEP, DEFAULT_TARGET};
use highway_primitives::{AskRole, AIC};
use sp_keyring::Sr25519Keyring;
use sp_runtime::Perbill;
use std::fs;

const LIMITS: Limits = Limits {
	most: 1_000 * AIC,
	development: true,
};

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// What a node reads whose file says this.
fn read_text(text: &str, limits: Limits) -> Result<Bids, BidsError> {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("bids.toml");
	fs::write(&path, text).unwrap();
	read(&path, limits)
}

fn bids(text: &str) -> Vec<Bid> {
	read_text(text, LIMITS)
		.unwrap_or_else(|error| panic!("{text}: {error}"))
		.iter()
		.cloned()
		.collect()
}

/// The line that is complained about, and the complaint.
fn fault(text: &str) -> (usize, String) {
	match read_text(text, LIMITS) {
		Err(BidsError::Wrong { line, what, .. }) => (line, what),
		other => panic!("{text}: {other:?}"),
	}
}

/// One bid with these lines in it, the first of which is line 2.
fn entry(lines: &str) -> String {
	format!("[[bid]]\n{lines}\n")
}

/// Alice's model.
fn hers() -> Scope {
	Scope::Named(ModelName {
		owner: Sr25519Keyring::Alice.to_account_id(),
		name: "magika".into(),
	})
}

#[test]
fn bids_should_be_read_with_defaults() {
	let text = format!(
		"[[bid]]\nmodel = \"*\"\nrole = \"compute\"\nfloor = \"0.25\"\n\n\
		 [[bid]]\nmodel = \"{ALICE}/magika\"\nrole = \"compute\"\nfloor = \"1 AIC\"\nceiling = \"2.5 AIC\"\n\
		 target = 1\nstep = 0.1\n\n\
		 [[bid]]\nmodel = 3\nrole = \"storage\"\nfloor = \"0.000000000001\"\n"
	);
	let expected = [
		Bid {
			scope: Scope::All,
			role: AskRole::Compute,
			terms: Terms {
				floor: AIC / 4,
				ceiling: 1_000 * AIC,
				target: DEFAULT_TARGET,
				step: DEFAULT_STEP,
			},
		},
		Bid {
			scope: hers(),
			role: AskRole::Compute,
			terms: Terms {
				floor: AIC,
				ceiling: 5 * AIC / 2,
				target: Perbill::one(),
				step: Perbill::from_percent(10),
			},
		},
		Bid {
			scope: Scope::Model(3),
			role: AskRole::Storage,
			terms: Terms {
				floor: 1,
				ceiling: 1,
				target: DEFAULT_TARGET,
				step: DEFAULT_STEP,
			},
		},
	];
	assert_eq!(bids(&text), expected);
	assert_eq!(bids("bid = []"), []);
}

#[test]
fn models_should_be_known_in_every_form() {
	let hex = format!("\"0x{}/magika\"", hex::encode(Sr25519Keyring::Alice.to_account_id()));
	for (model, scope) in [
		("\"*\"", Scope::All),
		("7", Scope::Model(7)),
		("\"7\"", Scope::Model(7)),
		("\"//Alice/magika\"", hers()),
		(hex.as_str(), hers()),
	] {
		let text = entry(&format!("model = {model}\nrole = \"compute\"\nfloor = \"1\""));
		assert_eq!(bids(&text)[0].scope, scope, "{model}");
	}
	for model in ["\"magika\"", "\"\"", "\"//Alice/\"", "-1", "4294967296", "1.5", "true"] {
		let (line, what) = fault(&entry(&format!("role = \"compute\"\nmodel = {model}\nfloor = \"1\"")));
		assert!(line == 3 && what.contains("OWNER/NAME"), "{model}: {line}: {what}");
	}
	let (line, what) = fault(&entry("model = \"alice/magika\"\nrole = \"compute\"\nfloor = \"1\""));
	assert!(line == 2 && what.contains("'alice' is no address"), "{line}: {what}");
}

#[test]
fn development_keys_should_be_refused_when_the_chain_is_not_for_development() {
	let elsewhere = Limits {
		development: false,
		..LIMITS
	};
	let text = |owner: &str| {
		entry(&format!(
			"model = \"{owner}/magika\"\nrole = \"compute\"\nfloor = \"1\""
		))
	};
	assert_eq!(bids(&text("//Alice"))[0].scope, hers());
	let error = read_text(&text("//Alice"), elsewhere).unwrap_err();
	assert!(
		matches!(&error, BidsError::Wrong { line: 2, what, .. } if what.contains("address")),
		"{error}"
	);
	let taken = read_text(&text(ALICE), elsewhere).unwrap();
	assert_eq!(taken.iter().next().map(|bid| &bid.scope), Some(&hers()));
}

#[test]
fn amounts_should_be_refused_unless_they_are_exact() {
	let text = |floor: &str| entry(&format!("model = 1\nrole = \"compute\"\nfloor = {floor}"));
	for floor in [
		"1",
		"0.25",
		"\"\"",
		"\"-1\"",
		"\"1e3\"",
		"\"1.\"",
		"\".\"",
		"\"1,5\"",
		"\"0.0000000000001\"",
		"\"AIC\"",
		"[]",
	] {
		let (line, what) = fault(&text(floor));
		assert!(line == 4 && what.contains("in quotes"), "{floor}: {line}: {what}");
	}
	for floor in ["\"1000.000000000001\"", "\"340282366920938463463374607431768211456\""] {
		let (line, what) = fault(&text(floor));
		assert!(
			line == 4 && what.contains("1000 AIC: lower it"),
			"{floor}: {line}: {what}"
		);
	}
	for (floor, amount) in [("\"1000\"", 1_000 * AIC), ("\" 0.5AIC \"", AIC / 2), ("\"0\"", 0)] {
		assert_eq!(bids(&text(floor))[0].terms.floor, amount, "{floor}");
	}
}

#[test]
fn faults_should_name_their_line_and_what_to_do() {
	let compute = "model = 1\nrole = \"compute\"\nfloor = \"1\"";
	let storage = "model = 1\nrole = \"storage\"\nfloor = \"1\"";
	for (text, line, what) in [
		(String::new(), 1, "add one"),
		("# nothing\n".into(), 1, "add one"),
		(
			entry(&format!("{compute}\nceiling = \"0.9\"")),
			5,
			"`ceiling` is below `floor`",
		),
		(entry(&format!("{compute}\ntarget = 70")), 5, "`target` is a share"),
		(entry(&format!("{compute}\ntarget = nan")), 5, "`target` is a share"),
		(entry(&format!("{compute}\nstep = -0.1")), 5, "`step` is a share"),
		(entry(&format!("{compute}\nstep = \"5%\"")), 5, "expected f64"),
		(
			entry(&format!("{compute}\ncieling = \"2\"")),
			5,
			"unknown field `cieling`",
		),
		(entry(&format!("{storage}\nceiling = \"2\"")), 5, "the ask is the floor"),
		(entry(&format!("{storage}\ntarget = 0.7")), 5, "the ask is the floor"),
		(entry(&format!("{storage}\nstep = 0.7")), 5, "the ask is the floor"),
		(
			entry("model = 1\nfloor = \"1\"\nrole = \"maker\""),
			4,
			"\"compute\" or \"storage\"",
		),
		(entry("model = 1\nrole = \"compute\""), 1, "missing field `floor`"),
		(entry("model = 1\nrole = compute"), 3, "README"),
		(
			format!("{}{}", entry(compute), entry(compute)),
			6,
			"line 2 has a bid for compute",
		),
		("[[bids]]\n".into(), 1, "unknown field `bids`"),
	] {
		let (found, said) = fault(&text);
		assert!(found == line && said.contains(what), "{text}\nline {found}: {said}");
	}
	assert_eq!(bids(&format!("{}{}", entry(compute), entry(storage))).len(), 2);
}

#[test]
fn example_in_the_readme_should_be_understood() {
	let (_, rest) = include_str!("../../README.md").split_once("```toml\n").unwrap();
	let (example, _) = rest.split_once("```").unwrap();
	let scopes: Vec<Scope> = bids(example).into_iter().map(|bid| bid.scope).collect();
	assert_eq!(scopes, [Scope::All, hers(), Scope::Model(3)]);
}

#[test]
fn file_should_be_named_when_it_cannot_be_read_or_understood() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("bids.toml");
	let error = read(&path, LIMITS).unwrap_err().to_string();
	assert!(error.contains("bids.toml cannot be read"), "{error}");
	fs::write(&path, "[[bid]]\nmodel = []\n").unwrap();
	let error = read(&path, LIMITS).unwrap_err().to_string();
	assert!(error.contains("bids.toml, line"), "{error}");
	fs::write(&path, "bid = []\n").unwrap();
	assert_eq!(read(&path, LIMITS).unwrap(), Bids::default());
}
