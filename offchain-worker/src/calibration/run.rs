//! Runs a model in every way in which honest nodes may run it.

use super::{Case, Observation, Runs, Seen, Setting, Sharing, WIDTHS};
use crate::{
	engine::{
		batchable, Engine, EngineConfig, EngineError, LoadRequest, ModelKey, Optimization, OrtEngine, Provider,
		RunInput, RunOutput, TimeLimit, MAX_SEEDS,
	},
	tensors::{parse, serialize, Tensor},
};
use bytes::Bytes;
use highway_primitives::{
	audit::SketchSeed,
	model::{VerificationPolicy, VersionSpec},
	DeviceClass,
};
use sp_runtime::Perbill;
use std::{fs::File, io, path::PathBuf, sync::Arc, time::Duration};

/// Seeds of the sketches: as many as an engine makes at once. Any will do.
pub(super) const SEEDS: [SketchSeed; MAX_SEEDS] = [[0x11; 32], [0x22; 32], [0x33; 32], [0x44; 32]];

/// How long one input may take: calibration is no race.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// Where models run.
#[derive(Clone, Debug)]
pub struct Machine {
	/// The ONNX Runtime library.
	pub onnxruntime: PathBuf,
	/// The program that is the engine's child when it is called with `inference-worker`.
	pub worker_binary: PathBuf,
	/// Memory that a child may take on top of the model's own size, in MiB.
	pub memory_mib: u32,
	/// Whether to go on where the machine offers no sandbox.
	pub insecure: bool,
}

/// A file to run, with the specification of its version. `spec.artifact` names the file's bytes.
#[derive(Debug)]
pub struct Subject {
	/// Its specification, trace included.
	pub spec: VersionSpec,
	/// The ONNX file, open for reading.
	pub file: File,
	/// Whether an operator is known to let one row of a batch change another: see
	/// [`ModelSignature`](crate::precheck::ModelSignature).
	pub mixes_rows: bool,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
	/// The engine does not start, or refuses the model.
	#[error("with {setting}: {source}")]
	Engine {
		/// The setting.
		setting: Setting,
		/// Why.
		source: EngineError,
	},
	/// An input does not run.
	#[error("input {index}, with {setting}: {source}")]
	Input {
		/// Its place among the inputs, from 0.
		index: usize,
		/// The setting.
		setting: Setting,
		/// Why.
		source: EngineError,
	},
	/// The model's file cannot be opened once more.
	#[error("the model's file: {0}")]
	File(#[from] io::Error),
}

/// The settings that this machine has: every level of optimisation with one, two and four threads, on the CPU and, where
/// there is one, the first CUDA device, where threads make no difference. The first one is the node's own default.
pub fn settings(cuda: bool) -> Vec<Setting> {
	let levels = [
		Optimization::All,
		Optimization::Extended,
		Optimization::Basic,
		Optimization::None,
	];
	let on = |provider, threads: &'static [u16]| {
		levels.into_iter().flat_map(move |optimization| {
			threads.iter().map(move |threads| Setting {
				provider,
				optimization,
				threads: *threads,
			})
		})
	};
	let mut settings: Vec<Setting> = on(Provider::Cpu, &[1, 2, 4]).collect();
	if cuda {
		settings.extend(on(Provider::Cuda(0), &[1]));
	}
	settings
}

/// Runs `inputs`, safetensors files that fit the model, in every setting and width; and `copy`, a file of the same model
/// with rounded weights, in the first setting. `progress` is told each setting before its runs; one whose device turns
/// out not to work is left out.
pub async fn observe(
	machine: &Machine,
	settings: &[Setting],
	model: &Subject,
	copy: Option<&Subject>,
	inputs: Vec<Vec<u8>>,
	mut progress: impl FnMut(&Setting),
) -> Result<Runs, CalibrationError> {
	let inputs: Vec<Bytes> = inputs.into_iter().map(Bytes::from).collect();
	let mut runs = Runs {
		settings: Vec::new(),
		cases: vec![Case::default(); inputs.len()],
		sharing: Sharing::Measured,
		copy: None,
	};
	let classes = match classes(model, &inputs) {
		Ok(classes) => classes,
		Err(why) => {
			runs.sharing = Sharing::Impossible(why.into());
			Vec::new()
		}
	};
	for setting in settings {
		progress(setting);
		let Some(session) = Session::open(machine, *setting, model).await? else {
			continue;
		};
		let index = runs.settings.len();
		for (input, seen) in session.each_alone(&inputs).await?.into_iter().enumerate() {
			note(&mut runs.cases[input], index, None, seen);
		}
		if runs.sharing == Sharing::Measured {
			match session.all_shared(&inputs, &classes).await {
				Ok(shared) => {
					for (input, width, seen) in shared {
						note(&mut runs.cases[input], index, Some(width), seen);
					}
				}
				Err(why) => runs.sharing = Sharing::Impossible(format!("with {setting}: {why}")),
			}
		}
		if let (0, Some(copy)) = (index, copy) {
			if let Some(session) = Session::open(machine, *setting, copy).await? {
				runs.copy = Some(session.each_alone(&inputs).await?);
			}
		}
		runs.settings.push(*setting);
	}
	Ok(runs)
}

/// Adds what was seen; outputs that were seen before are shared with that.
fn note(case: &mut Case, setting: usize, width: Option<usize>, mut seen: Seen) {
	let before = case.observations.iter().map(|before| &before.seen.outputs);
	if let Some(same) = before.into_iter().find(|before| **before == seen.outputs) {
		seen.outputs = same.clone();
	}
	case.observations.push(Observation { setting, width, seen });
}

/// Inputs whose rows can stand in one run.
#[derive(Debug)]
struct Class {
	/// Their places among the inputs.
	members: Vec<usize>,
	/// Rows of each.
	rows: usize,
	/// Their tensors.
	tensors: Vec<Vec<Tensor>>,
}

/// Inputs by shape, as far as there are at least two with the same one. Error if runs cannot be shared, or if that cannot
/// be measured.
fn classes(model: &Subject, inputs: &[Bytes]) -> Result<Vec<Class>, &'static str> {
	if !batchable(&model.spec) {
		return Err("its tensors do not all have a dynamic first axis");
	}
	if model.mixes_rows {
		return Err("one of its operators lets rows change one another");
	}
	let mut classes: Vec<Class> = Vec::new();
	for (index, file) in inputs.iter().enumerate() {
		// The engine says what is wrong with an input.
		let Ok(tensors) = parse(file) else { continue };
		let rows = tensors.first().map_or(0, Tensor::rows);
		if rows == 0 || tensors.iter().any(|tensor| tensor.rows() != rows) {
			continue;
		}
		let place = classes.iter_mut().find(|class| {
			class.tensors.first().is_some_and(|first| {
				first.len() == tensors.len()
					&& first
						.iter()
						.zip(&tensors)
						.all(|(a, b)| a.name == b.name && a.shape == b.shape)
			})
		});
		match place {
			Some(class) => {
				class.members.push(index);
				class.tensors.push(tensors);
			}
			None => classes.push(Class {
				members: vec![index],
				rows,
				tensors: vec![tensors],
			}),
		}
	}
	classes.retain(|class| class.members.len() > 1 && class.rows * 2 <= WIDTHS[WIDTHS.len() - 1]);
	if classes.is_empty() {
		return Err("no two inputs have the same shape, so it was not measured");
	}
	Ok(classes)
}

/// A loaded model in one setting.
struct Session {
	engine: OrtEngine,
	key: ModelKey,
	setting: Setting,
}

impl Session {
	/// `None` if the setting's device does not work here.
	async fn open(machine: &Machine, setting: Setting, model: &Subject) -> Result<Option<Self>, CalibrationError> {
		let failed = |source| CalibrationError::Engine { setting, source };
		let config = EngineConfig {
			provider: setting.provider,
			threads: setting.threads,
			optimization: setting.optimization,
			memory_mib: machine.memory_mib,
			insecure: machine.insecure,
			max_loaded_bytes: u64::MAX,
			..EngineConfig::new(machine.onnxruntime.clone(), machine.worker_binary.clone())
		};
		let engine = OrtEngine::start(config).await.map_err(failed)?;
		if matches!(setting.provider, Provider::Cuda(_)) && engine.device() != DeviceClass::Cuda {
			return Ok(None);
		}
		let spec = without_limits(&model.spec);
		let key = ModelKey::of(0, 0, &spec);
		let request = LoadRequest {
			model: key,
			artifact: spec.artifact,
			file: model.file.try_clone()?,
			spec,
		};
		engine.load(request).await.map_err(failed)?;
		Ok(Some(Self { engine, key, setting }))
	}

	async fn run(&self, inputs: Vec<RunInput>) -> Vec<Result<RunOutput, EngineError>> {
		let limit = TimeLimit::alike(TIME_LIMIT, inputs.len());
		self.engine.run(&self.key, inputs, limit).await
	}

	async fn each_alone(&self, inputs: &[Bytes]) -> Result<Vec<Seen>, CalibrationError> {
		let mut all = Vec::with_capacity(inputs.len());
		for (index, file) in inputs.iter().enumerate() {
			let setting = self.setting;
			let failed = |source| CalibrationError::Input { index, setting, source };
			let seen = first(self.run(vec![sketched(file)]).await).and_then(seen);
			all.push(seen.map_err(failed)?);
		}
		Ok(all)
	}

	/// Every input of every class in runs of every width that its rows allow. Error if runs are not really shared.
	async fn all_shared(&self, inputs: &[Bytes], classes: &[Class]) -> Result<Vec<(usize, usize, Seen)>, String> {
		let mut all = Vec::new();
		let mut is_first = true;
		for class in classes {
			for width in WIDTHS {
				let size = width / class.rows;
				if size < 2 {
					continue;
				}
				let count = class.members.len();
				for start in (0..count).step_by(size) {
					let places: Vec<usize> = (0..size).map(|place| (start + place) % count).collect();
					let files = || -> Vec<RunInput> {
						places
							.iter()
							.map(|place| sketched(&inputs[class.members[*place]]))
							.collect()
					};
					if std::mem::take(&mut is_first) {
						// An engine's first shared run is for its own comparison; its result is not given out.
						self.run(files()).await;
					}
					let together = self.joined(class, &places).await?;
					let shared = self.run(files()).await;
					for (place, (outputs, shared)) in together.into_iter().zip(shared).enumerate() {
						let seen = shared.and_then(seen).map_err(|error| error.to_string())?;
						if *seen.outputs != outputs {
							return Err(
								"rows change one another by so much that the engine runs them one by one".into(),
							);
						}
						// The same input may stand in it twice.
						if start + place < count {
							all.push((class.members[places[place]], width, seen));
						}
					}
				}
			}
		}
		Ok(all)
	}

	/// The outputs of one run of these members of a class as one input, divided by hand.
	async fn joined(&self, class: &Class, places: &[usize]) -> Result<Vec<Vec<Tensor>>, String> {
		let members: Vec<&Vec<Tensor>> = places.iter().map(|place| &class.tensors[*place]).collect();
		let rows = class.rows * places.len();
		let file = serialize(&join(&members, rows));
		let input = RunInput {
			file: file.into(),
			seeds: Vec::new(),
		};
		let output = first(self.run(vec![input]).await).map_err(|error| format!("a run of {rows} rows: {error}"))?;
		let outputs = parse(&output.file).map_err(|error| error.to_string())?;
		split(&outputs, places.len(), rows).ok_or_else(|| "the rows of an output are not those of the inputs".into())
	}
}

/// The specification under which an engine gives out everything: what runs may differ by is what is to be found.
fn without_limits(spec: &VersionSpec) -> VersionSpec {
	let mut spec = VersionSpec {
		policy: VerificationPolicy::Tolerance {
			atol: u32::MAX,
			rtol: u32::MAX,
			outliers: Perbill::one(),
		},
		shares_runs: true,
		..spec.clone()
	};
	if let Some(trace) = &mut spec.trace {
		trace.tolerance = u64::MAX;
	}
	spec
}

fn sketched(file: &Bytes) -> RunInput {
	RunInput {
		file: file.clone(),
		seeds: SEEDS.to_vec(),
	}
}

fn first(results: Vec<Result<RunOutput, EngineError>>) -> Result<RunOutput, EngineError> {
	results.into_iter().next().unwrap_or(Err(EngineError::NotRun))
}

fn seen(output: RunOutput) -> Result<Seen, EngineError> {
	Ok(Seen {
		outputs: Arc::new(parse(&output.file).map_err(|error| EngineError::RunFailed(error.to_string()))?),
		sketches: output.sketches,
	})
}

/// One input of `rows` rows out of several that have the same shape.
fn join(members: &[&Vec<Tensor>], rows: usize) -> Vec<Tensor> {
	let Some((first, others)) = members.split_first() else {
		return Vec::new();
	};
	let mut joined: Vec<Tensor> = first.to_vec();
	for (index, tensor) in joined.iter_mut().enumerate() {
		for other in others {
			tensor.data.extend_from_slice(&other[index].data);
		}
		if let Some(axis) = tensor.shape.first_mut() {
			*axis = rows;
		}
	}
	joined
}

/// The outputs of a run of `rows` rows, in `parts` parts. `None` if they do not have as many.
fn split(outputs: &[Tensor], parts: usize, rows: usize) -> Option<Vec<Vec<Tensor>>> {
	let divisible = |tensor: &Tensor| !tensor.shape.is_empty() && tensor.rows() == rows;
	if parts == 0 || !outputs.iter().all(divisible) {
		return None;
	}
	let part = |index: usize| -> Option<Vec<Tensor>> {
		let of = |tensor: &Tensor| {
			let size = tensor.data.len() / parts;
			let mut shape = tensor.shape.clone();
			*shape.first_mut()? = rows / parts;
			Some(Tensor {
				name: tensor.name.clone(),
				dtype: tensor.dtype,
				shape,
				data: tensor.data.get(index * size..(index + 1) * size)?.to_vec(),
			})
		};
		outputs.iter().map(of).collect()
	};
	(0..parts).map(part).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::{
		model::{DType, MaxTensors, TensorSpec, Unit},
		BlobRef,
	};
	use sp_runtime::BoundedVec;

	fn tensor(shape: &[usize], fill: u8) -> Tensor {
		Tensor::new("x", DType::U8, shape.to_vec(), vec![fill; shape.iter().product()]).unwrap()
	}

	fn subject(first_axis: Option<u32>, mixes_rows: bool) -> Subject {
		let tensor = TensorSpec {
			name: b"x".to_vec().try_into().unwrap(),
			dtype: DType::U8,
			shape: vec![first_axis, None].try_into().unwrap(),
		};
		let tensors = || -> BoundedVec<TensorSpec, MaxTensors> { vec![tensor.clone()].try_into().unwrap() };
		Subject {
			spec: VersionSpec {
				artifact: BlobRef::of(b"model"),
				licence: Default::default(),
				inputs: tensors(),
				outputs: tensors(),
				unit: Unit::Request,
				unit_time_ms: 1,
				policy: VerificationPolicy::Exact,
				trace: None,
				detection: Perbill::one(),
				shares_runs: false,
				recipe: None,
			},
			file: tempfile::tempfile().unwrap(),
			mixes_rows,
		}
	}

	#[test]
	fn settings_should_start_with_the_nodes_default_and_differ() {
		let settings = settings(true);
		let default = EngineConfig::new(PathBuf::new(), PathBuf::new());
		assert_eq!(
			(settings[0].optimization, settings[0].threads),
			(default.optimization, default.threads)
		);
		assert_eq!(settings.len(), 16);
		for (index, setting) in settings.iter().enumerate() {
			assert!(!settings[..index].contains(setting), "{setting}");
		}
	}

	#[test]
	fn split_should_give_back_what_was_joined() {
		let (a, b) = (vec![tensor(&[2, 3], 1)], vec![tensor(&[2, 3], 2)]);
		let joined = join(&[&a, &b], 4);
		assert_eq!(joined[0].shape, [4, 3]);
		assert_eq!(split(&joined, 2, 4), Some(vec![a, b]));
		assert_eq!(split(&joined, 2, 6), None);
		assert_eq!(split(&[tensor(&[], 0)], 2, 1), None);
	}

	#[test]
	fn classes_should_hold_inputs_of_one_shape_when_runs_can_be_shared() {
		let inputs: Vec<Bytes> = [(1, 4), (1, 5), (1, 4), (2, 4)]
			.iter()
			.map(|(rows, width)| serialize(&[tensor(&[*rows, *width], 0)]).into())
			.collect();
		let found = classes(&subject(None, false), &inputs).unwrap();
		let members: Vec<&[usize]> = found.iter().map(|class| class.members.as_slice()).collect();
		assert_eq!(members, [&[0, 2]]);
		assert!(classes(&subject(None, false), &inputs[..2]).is_err());
		assert!(classes(&subject(Some(1), false), &inputs).is_err());
		assert!(classes(&subject(None, true), &inputs).is_err());
	}

	#[test]
	fn equal_outputs_should_be_kept_once() {
		let mut case = Case::default();
		for fill in [1, 1, 2] {
			let seen = Seen {
				outputs: Arc::new(vec![tensor(&[1, 1], fill)]),
				sketches: Vec::new(),
			};
			note(&mut case, 0, None, seen);
		}
		let outputs: Vec<_> = case.observations.iter().map(|seen| &seen.seen.outputs).collect();
		assert!(Arc::ptr_eq(outputs[0], outputs[1]) && !Arc::ptr_eq(outputs[0], outputs[2]));
	}
}
