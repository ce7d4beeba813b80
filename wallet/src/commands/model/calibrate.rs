//! `highway model calibrate` and `highway model confirm-calibration`

use super::{
	artifact::{Artifact, TraceChoice, DEFAULT_DETECTION},
	read, recipe,
	show::{self, millionths},
};
use crate::{
	amount::percent,
	blobs::BlobOwner,
	client::{calls, Client},
	commands::{ensure_possible, fetch, submit},
	context::Context,
	error::CommandError,
	output::table,
	recipes::{self, Prepared},
};
use clap::Args;
use highway_offchain_worker::{
	calibration::{
		held_out, observe, propose, quantise, report, settings, CalibrationError, Cheat, Difference, Machine, Nearest,
		Report, Runs, Sharing, Subject, Tally,
	},
	precheck::{self, Limits},
	tensors,
};
use highway_primitives::{
	model::{Unit, VerificationPolicy, VersionSpec, MIN_DETECTION},
	BlobRef,
};
use highway_runtime_api::types::ModelInfo;
use serde_json::{json, Value};
use sp_core::crypto::AccountId32;
use std::{
	env, fs,
	io::{self, Write},
	path::{Path, PathBuf},
};

/// Shown below the help of `calibrate`.
pub const EXAMPLE: &str = "\
Examples:
  highway model calibrate model.onnx --inputs samples
  highway model calibrate model.onnx --inputs photos --recipe magika --recipe-config config.min.json
  highway model calibrate //Alice/magika --inputs photos --json

The model runs in a sandboxed process, as on a node. Take inputs like those of real jobs, at least some dozens: what no input
shows is not measured. It needs ONNX Runtime, which scripts/setup fetches.";

/// What to measure with.
#[derive(Args, Debug)]
pub struct MeasureArgs {
	/// Folder of inputs: safetensors files, or plain files where the model has a recipe.
	#[arg(long, value_name = "DIR")]
	pub inputs: PathBuf,
	/// The most inputs that are taken, in the order of their names.
	#[arg(long, value_name = "N", default_value_t = 64)]
	pub most: usize,
	/// The ONNX Runtime library; by default the one that scripts/setup fetched.
	#[arg(long, value_name = "FILE", env = "ORT_DYLIB_PATH")]
	pub onnxruntime: Option<PathBuf>,
	/// Memory that a run may take on top of the model's own size, in MiB.
	#[arg(long, value_name = "MIB", default_value_t = 4096)]
	pub inference_memory: u32,
	/// Goes on where the machine offers no sandbox. Only for models that you trust.
	#[arg(long)]
	pub insecure_inference: bool,
}

/// A calibration.
#[derive(Args, Debug)]
pub struct CalibrateArgs {
	/// An ONNX file; or a registered model: its id, OWNER/NAME, or the name of one of your own.
	pub model: String,
	/// What to measure with.
	#[command(flatten)]
	pub measure: MeasureArgs,
	/// The trace of an ONNX file, as at `model add`.
	#[arg(long, value_name = "auto|none|NAME", default_value = "auto")]
	pub trace: TraceChoice,
	/// How plain files become inputs of an ONNX file; known: magika.
	#[arg(long, requires = "recipe_config")]
	pub recipe: Option<String>,
	/// The recipe's own file.
	#[arg(long, value_name = "FILE", requires = "recipe")]
	pub recipe_config: Option<PathBuf>,
}

/// A confirmation.
#[derive(Args, Debug)]
pub struct ConfirmArgs {
	/// A registered model: its id or OWNER/NAME.
	pub model: String,
	/// What to measure with.
	#[command(flatten)]
	pub measure: MeasureArgs,
}

/// A model to measure.
struct Source {
	spec: VersionSpec,
	onnx: Vec<u8>,
	mixes_rows: bool,
	recipe: Option<Box<dyn recipes::Recipe>>,
}

/// An input with the name of its file.
type Named = (String, Vec<u8>);

/// What was measured.
struct Measured {
	runs: Runs,
	inputs: usize,
}

/// Runs `model calibrate`.
pub async fn calibrate(context: &Context, args: CalibrateArgs) -> Result<(), CommandError> {
	let path = Path::new(&args.model);
	let source = if path.is_file() {
		from_file(path, &args)?
	} else {
		let mut client = context.connect().await?;
		let model = context.model(&client, &args.model).await?;
		from_chain(context, &mut client, &model).await?
	};
	let measured = measure(context, &source, &args.measure).await?;
	let spec = propose(&source.spec, &measured.runs).map_err(|unfit| {
		context
			.output
			.remark(differences(&report(&source.spec, &measured.runs), &measured.runs));
		CommandError::Calibration(unfit.to_string())
	})?;
	let report = report(&spec, &measured.runs);
	let tally = held_out(&spec, &measured.runs).map_err(|unfit| {
		context.output.remark(differences(&report, &measured.runs));
		CommandError::Calibration(format!("half of the inputs alone gives no terms: {unfit}"))
	})?;
	context.output.result(to_json(&spec, &report, tally, &measured), || {
		to_text(&spec, &report, tally, &measured)
	});
	Ok(())
}

/// Runs `model confirm-calibration`.
pub async fn confirm(context: &Context, args: ConfirmArgs) -> Result<(), CommandError> {
	let mut client = context.connect().await?;
	let signer = context.signer(&client)?;
	let model = context.model(&client, &args.model).await?;
	let call = [calls::confirm_calibration(model.id, model.version)];
	// Whether the chain would take it is known before the minutes that it takes to measure.
	ensure_possible(&client, &signer, &call, 0).await?;
	let source = from_chain(context, &mut client, &model).await?;
	let measured = measure(context, &source, &args.measure).await?;
	let report = report(&source.spec, &measured.runs);
	if !report.confirms(&source.spec) {
		context.output.remark(differences(&report, &measured.runs));
		return Err(CommandError::Calibration(format!(
			"the terms of model {} version {} do not hold on this machine: {}; nothing was sent",
			model.id,
			model.version,
			objections(&source.spec, &report).join("; ")
		)));
	}
	let included = submit(context, &client, &signer, &call, 0).await?;
	// The terms were found with other runs.
	let tally = Some(report.tally);
	let mut json = to_json(&source.spec, &report, tally, &measured);
	json["model"] = json!(model.id);
	json["version"] = json!(model.version);
	json["block"] = json!(included.block);
	context.output.result(json, || {
		format!(
			"{}\nthe calibration of model {} version {} is confirmed",
			to_text(&source.spec, &report, tally, &measured),
			model.id,
			model.version
		)
	});
	Ok(())
}

fn from_file(path: &Path, args: &CalibrateArgs) -> Result<Source, CommandError> {
	let artifact = Artifact::new(path, read(path)?, &args.trace)?;
	let (inputs, outputs) = artifact.tensors()?;
	let config = args.recipe_config.as_deref().map(read).transpose()?;
	let named = match (&args.recipe, &config) {
		(Some(name), Some(config)) => Some(recipe(name.clone().into_bytes(), config)?),
		_ => None,
	};
	Ok(Source {
		spec: VersionSpec {
			artifact: BlobRef::of(&artifact.bytes),
			licence: Default::default(),
			inputs,
			outputs,
			unit: Unit::Request,
			unit_time_ms: 1,
			policy: VerificationPolicy::Exact,
			trace: artifact.registered_trace(None)?,
			detection: DEFAULT_DETECTION,
			shares_runs: false,
			recipe: named,
		},
		mixes_rows: artifact.signature.mixes_rows,
		onnx: artifact.bytes,
		recipe: match (&args.recipe, &config) {
			(Some(name), Some(config)) => Some(recipes::load(name.as_bytes(), config)?),
			_ => None,
		},
	})
}

async fn from_chain(
	context: &Context,
	client: &mut Client,
	model: &ModelInfo<AccountId32>,
) -> Result<Source, CommandError> {
	let owner = BlobOwner::Model(model.id);
	let bar = context.output.bytes_bar("model");
	let fetched = fetch(client, &model.spec.artifact, owner, &bar).await;
	bar.finish_and_clear();
	let onnx = fetched?;
	let trace = model
		.spec
		.trace
		.as_ref()
		.map(|trace| String::from_utf8_lossy(&trace.tensor).into_owned());
	let signature =
		precheck::check_traced(&onnx, &Limits::default(), trace.as_deref()).map_err(|source| CommandError::Model {
			path: format!("model {}", model.id).into(),
			source,
		})?;
	let recipe = match &model.spec.recipe {
		Some(recipe) => {
			let bar = context.output.bytes_bar("recipe");
			let fetched = fetch(client, &recipe.config, owner, &bar).await;
			bar.finish_and_clear();
			Some(recipes::load(&recipe.name, &fetched?)?)
		}
		None => None,
	};
	Ok(Source {
		spec: model.spec.clone(),
		onnx,
		mixes_rows: signature.mixes_rows,
		recipe,
	})
}

/// The inputs of the folder, each once.
fn inputs(source: &Source, args: &MeasureArgs) -> Result<Vec<Named>, CommandError> {
	let failed = |source: io::Error| CommandError::File {
		path: args.inputs.clone(),
		source,
	};
	let mut paths = Vec::new();
	for entry in fs::read_dir(&args.inputs).map_err(failed)? {
		let path = entry.map_err(failed)?.path();
		if path.is_file() {
			paths.push(path);
		}
	}
	paths.sort();
	let mut inputs: Vec<Named> = Vec::new();
	for path in paths {
		if inputs.len() == args.most {
			break;
		}
		let name = path.display().to_string();
		let file = match &source.recipe {
			_ if path.extension().is_some_and(|extension| extension == "safetensors") => read(&path)?,
			Some(recipe) => match recipe.prepare(&path, &source.spec)? {
				Prepared::Input(input) => input,
				// Answered without the model.
				Prepared::Answer(_) => continue,
			},
			None => {
				return Err(CommandError::Usage(format!(
					"{name} is no safetensors file, and the model has no recipe that makes one of it"
				)))
			}
		};
		tensors::parse(&file)
			.and_then(|tensors| tensors::check_against(&tensors, &source.spec.inputs))
			.map_err(|source| CommandError::Tensors {
				what: name.clone(),
				source,
			})?;
		if inputs.iter().all(|(_, other)| *other != file) {
			inputs.push((name, file));
		}
	}
	if inputs.len() < 2 {
		return Err(CommandError::Usage(format!(
			"{} holds {} different inputs: at least two are needed, better some dozens",
			args.inputs.display(),
			inputs.len()
		)));
	}
	Ok(inputs)
}

/// The file in a place that only this process knows.
fn subject(source: &Source, onnx: &[u8]) -> Result<Subject, CommandError> {
	let stored = || -> io::Result<fs::File> {
		let mut file = tempfile::tempfile()?;
		file.write_all(onnx)?;
		Ok(file)
	};
	Ok(Subject {
		spec: VersionSpec {
			artifact: BlobRef::of(onnx),
			..source.spec.clone()
		},
		file: stored().map_err(|source| CommandError::File {
			path: env::temp_dir(),
			source,
		})?,
		mixes_rows: source.mixes_rows,
	})
}

async fn measure(context: &Context, source: &Source, args: &MeasureArgs) -> Result<Measured, CommandError> {
	let (names, inputs): (Vec<String>, Vec<Vec<u8>>) = inputs(source, args)?.into_iter().unzip();
	let count = inputs.len();
	let onnxruntime = args.onnxruntime.clone().or_else(default_onnxruntime).ok_or_else(|| {
		CommandError::Usage(
			"ONNX Runtime's library is missing: run scripts/setup, or name it with --onnxruntime".into(),
		)
	})?;
	let machine = Machine {
		onnxruntime,
		worker_binary: env::current_exe()
			.map_err(|error| CommandError::Calibration(format!("this program's own file is not known: {error}")))?,
		memory_mib: args.inference_memory,
		insecure: args.insecure_inference,
	};
	let model = subject(source, &source.onnx)?;
	let rounded = quantise::rounded_copy(&source.onnx)
		.map_err(|error| CommandError::Calibration(format!("no copy of the model can be made: {error}")))?;
	let copy = rounded.as_deref().map(|onnx| subject(source, onnx)).transpose()?;
	let settings = settings(Path::new("/dev/nvidia0").exists());
	let spinner = context.output.spinner("measuring");
	let runs = observe(&machine, &settings, &model, copy.as_ref(), inputs, |setting| {
		spinner.set_message(format!("measuring {count} inputs with {setting}"));
	})
	.await;
	spinner.finish_and_clear();
	let runs = runs.map_err(|error| {
		let name = match &error {
			CalibrationError::Input { index, .. } => names.get(*index),
			_ => None,
		};
		CommandError::Calibration(match name {
			Some(name) => format!("{name}: {error}"),
			None => error.to_string(),
		})
	})?;
	Ok(Measured { runs, inputs: count })
}

/// Where `scripts/setup` puts the library.
fn default_onnxruntime() -> Option<PathBuf> {
	let cache = env::var_os("HIGHWAY_CACHE")
		.map(PathBuf::from)
		.or_else(|| Some(dirs::cache_dir()?.join("ai-highway")))?;
	Some(cache.join("onnxruntime/libonnxruntime.so")).filter(|path| path.is_file())
}

/// The options of `model add` and `model update` that register these terms.
fn options(spec: &VersionSpec) -> String {
	let mut options = format!("--policy {}", show::policy(&spec.policy));
	match &spec.trace {
		Some(trace) => options.push_str(&format!(" --trace-tolerance {}", millionths(trace.tolerance))),
		None => options.push_str(" --trace none"),
	}
	options.push_str(&format!(
		" --detection {} --share-runs={}",
		percent(spec.detection),
		spec.shares_runs
	));
	options
}

/// Why terms do not hold here.
fn objections(spec: &VersionSpec, report: &Report) -> Vec<String> {
	let mut objections = Vec::new();
	if report.tally.accusations > 0 {
		objections.push(format!(
			"{} of {} comparisons of honest runs end in an accusation",
			report.tally.accusations, report.tally.comparisons
		));
	}
	if spec.shares_runs && !report.sharing_holds {
		objections.push("rows of shared runs change one another".into());
	}
	if report.detection < spec.detection {
		objections.push(format!(
			"audits see {} of cheats, {} are promised",
			percent(report.detection),
			percent(spec.detection)
		));
	}
	objections
}

/// With two digits.
fn number(number: f64) -> String {
	match number {
		0.0 => "0".into(),
		number => format!("{number:.1e}"),
	}
}

/// Of a sketch's sums, which are counted in millionths.
fn sums(number: u64) -> f64 {
	number as f64 / 1e6
}

/// The columns of one line of differences.
fn columns(difference: &Difference) -> [String; 4] {
	[
		match (difference.form, difference.integers) {
			(true, _) => "other shape".into(),
			(_, true) => format!("{}, integers differ", number(difference.absolute)),
			_ => number(difference.absolute),
		},
		number(difference.relative),
		match difference.rows {
			0 => "-".into(),
			rows => format!("{} of {rows}", rows.saturating_sub(difference.turned)),
		},
		match difference.counts {
			true => "not finite".into(),
			false => number(sums(difference.sketch)),
		},
	]
}

/// The table of differences from the first line's runs.
fn differences(report: &Report, runs: &Runs) -> String {
	let honest = report.rows.iter().map(|row| {
		let setting = runs
			.settings
			.get(row.setting)
			.map_or_else(String::new, ToString::to_string);
		// A lone row is doubled where the model's tensors have rows; else it runs as it is.
		let width = row.width.map_or_else(|| "alone".into(), |width| width.to_string());
		let [absolute, relative, kept, sketch] = columns(&row.difference);
		[setting, width, absolute, relative, kept, sketch]
	});
	let copy = report.copy.as_ref().map(|difference| {
		let [absolute, relative, kept, sketch] = columns(difference);
		["int8 copy".into(), "alone".into(), absolute, relative, kept, sketch]
	});
	table(
		[
			"setting",
			"rows",
			"absolute",
			"relative from 1",
			"arg-max kept",
			"sketch",
		],
		honest.chain(copy),
	)
}

/// How near a cheat comes to honest runs, if it could be tried.
fn nearest(report: &Report, cheat: Cheat) -> Option<&Nearest> {
	report.nearest.iter().find(|nearest| nearest.cheat == cheat)
}

/// `tally` is of terms that were found with other runs; `None`: there are too few inputs for that.
fn to_text(spec: &VersionSpec, report: &Report, tally: Option<Tally>, measured: &Measured) -> String {
	let powers = table(
		["cheat", "audits", "seen", "least absolute", "least sketch"],
		report.powers.iter().map(|power| {
			let nearest = nearest(report, power.cheat);
			let outputs = nearest.map_or("-".into(), |nearest| number(nearest.outputs));
			let sketch = nearest.map_or("-".into(), |nearest| number(sums(nearest.sketch)));
			[
				power.cheat.to_string(),
				power.audits.to_string(),
				match power.audits {
					0 => "not tried".into(),
					audits => format!("{:.1}%", power.seen as f64 * 100.0 / audits as f64),
				},
				outputs,
				sketch,
			]
		}),
	);
	let compared = match tally {
		Some(tally) => format!(
			"{} comparisons of honest runs under terms that were found with others, {} accusations",
			tally.comparisons, tally.accusations
		),
		None => "too few to try terms on any that they were not found with".into(),
	};
	let sharing = match (&measured.runs.sharing, spec.shares_runs) {
		(Sharing::Impossible(why), _) => format!("no: {why}"),
		(_, true) => "yes: rows do not change one another".into(),
		_ => "no: rows change one another by more than audits can allow".into(),
	};
	let mut refused = if report.detection < MIN_DETECTION {
		format!(
			"\nThe chain refuses it: audits see {} of cheats, at least {} are asked for.",
			percent(report.detection),
			percent(MIN_DETECTION)
		)
	} else {
		String::new()
	};
	if tally.is_some_and(|tally| tally.accusations > 0) {
		refused.push_str("\nDo not register it: honest nodes would be accused. More inputs may give better terms.");
	}
	format!(
		"{}\nhonest runs lie at most {} apart, their sketches {}\n\n{powers}\n{} inputs; {compared}\n\
		runs may be shared: {sharing}\ndetection d = {} (two thirds of the least share seen)\n\n{}{refused}",
		differences(report, &measured.runs),
		number(report.honest.of_outputs()),
		number(sums(report.honest.sketch)),
		measured.inputs,
		percent(report.detection),
		options(spec)
	)
}

/// `tally` as in [`to_text`].
fn to_json(spec: &VersionSpec, report: &Report, tally: Option<Tally>, measured: &Measured) -> Value {
	let line = |difference: &Difference| {
		json!({
			"absolute": difference.absolute,
			"relativeFromOne": difference.relative,
			"rows": difference.rows,
			"argMaxTurned": difference.turned,
			"integersDiffer": difference.integers,
			"sketch": millionths(difference.sketch),
		})
	};
	let rows: Vec<Value> = report
		.rows
		.iter()
		.map(|row| {
			json!({
				"setting": measured.runs.settings.get(row.setting).map(ToString::to_string),
				"sharedRows": row.width,
				"difference": line(&row.difference),
			})
		})
		.collect();
	let powers: Vec<Value> = report
		.powers
		.iter()
		.map(|power| {
			let nearest = nearest(report, power.cheat);
			json!({
				"cheat": power.cheat.to_string(),
				"audits": power.audits,
				"seen": power.seen,
				"leastAbsolute": nearest.map(|nearest| nearest.outputs),
				"leastSketch": nearest.map(|nearest| millionths(nearest.sketch)),
			})
		})
		.collect();
	json!({
		"inputs": measured.inputs,
		"differences": rows,
		"honest": line(&report.honest),
		"int8Copy": report.copy.as_ref().map(line),
		"comparisons": tally.map(|tally| tally.comparisons),
		"accusations": tally.map(|tally| tally.accusations),
		"cheats": powers,
		"detection": percent(report.detection),
		"accepted": report.detection >= MIN_DETECTION,
		"policy": show::policy(&spec.policy),
		"trace": show::trace(spec),
		"sharesRuns": spec.shares_runs,
		"whyNotShared": match &measured.runs.sharing {
			Sharing::Impossible(why) => Some(why),
			Sharing::Measured => None,
		},
		"options": options(spec),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_offchain_worker::tensors::{serialize, Tensor};
	use highway_primitives::model::{DType, TensorSpec, Trace};
	use sp_runtime::Perbill;

	fn source() -> Source {
		let tensor = TensorSpec {
			name: b"x".to_vec().try_into().unwrap(),
			dtype: DType::U8,
			shape: vec![None].try_into().unwrap(),
		};
		Source {
			spec: VersionSpec {
				artifact: BlobRef::of(b"onnx"),
				licence: Default::default(),
				inputs: vec![tensor.clone()].try_into().unwrap(),
				outputs: vec![tensor].try_into().unwrap(),
				unit: Unit::Request,
				unit_time_ms: 1,
				policy: VerificationPolicy::Tolerance {
					atol: 50_000,
					rtol: 1_000,
					outliers: Perbill::zero(),
				},
				trace: Some(Trace {
					tensor: b"inside".to_vec().try_into().unwrap(),
					tolerance: 5_000,
				}),
				detection: Perbill::from_rational(2u32, 3),
				shares_runs: true,
				recipe: None,
			},
			onnx: Vec::new(),
			mixes_rows: false,
			recipe: None,
		}
	}

	fn input(fill: u8) -> Vec<u8> {
		serialize(&[Tensor::new("x", DType::U8, vec![1], vec![fill]).unwrap()])
	}

	fn found(files: &[(&str, Vec<u8>)], most: usize) -> Result<Vec<String>, CommandError> {
		let folder = tempfile::tempdir().unwrap();
		for (name, bytes) in files {
			fs::write(folder.path().join(name), bytes).unwrap();
		}
		let args = MeasureArgs {
			inputs: folder.path().into(),
			most,
			onnxruntime: None,
			inference_memory: 1,
			insecure_inference: false,
		};
		let names = inputs(&source(), &args)?.into_iter().map(|(name, _)| name);
		Ok(names.map(|name| name.rsplit('/').next().unwrap().to_owned()).collect())
	}

	#[test]
	fn inputs_should_be_taken_once_and_in_order() {
		let files = [
			("c.safetensors", input(3)),
			("a.safetensors", input(1)),
			("b.safetensors", input(1)),
			("d.safetensors", input(4)),
		];
		assert_eq!(
			found(&files, 9).unwrap(),
			["a.safetensors", "c.safetensors", "d.safetensors"]
		);
		assert_eq!(found(&files, 2).unwrap(), ["a.safetensors", "c.safetensors"]);
	}

	#[test]
	fn inputs_should_be_refused_when_they_do_not_fit_or_are_too_few() {
		let one = ("a.safetensors", input(1));
		assert!(matches!(
			found(std::slice::from_ref(&one), 9),
			Err(CommandError::Usage(_))
		));
		let plain = ("b.png", vec![1]);
		assert!(matches!(found(&[one.clone(), plain], 9), Err(CommandError::Usage(_))));
		let junk = ("b.safetensors", vec![1]);
		assert!(matches!(found(&[one, junk], 9), Err(CommandError::Tensors { .. })));
	}

	#[test]
	fn options_should_register_what_was_found() {
		assert_eq!(
			options(&source().spec),
			"--policy tolerance:0.00005:0.000001:0% --trace-tolerance 0.005 --detection 66.6666666% --share-runs=true"
		);
		let mut untraced = source().spec;
		untraced.trace = None;
		assert!(options(&untraced).contains("--trace none"));
	}
}
