//! Runs models: the trait [`Engine`] and its ONNX Runtime implementation [`OrtEngine`].
//!
//! A model is hostile until proved otherwise, and cannot be proved otherwise. So each loaded model version gets a
//! process of its own, which has no keys, no network and no files, and whose answers are checked like a stranger's.
//!
//! ```text
//! OrtEngine ──► one thread per model ──socket pair──► child process: Landlock, seccomp, then the model
//!   LRU, queue     plan batches, time and memory         ONNX Runtime, sketches of the trace
//!                  limits, check and split answers
//! ```
//!
//! The trace, an internal tensor that may be a thousand times the output, never leaves the child: the sketches that the
//! caller asks for are summed up beside it.

use crate::tensors::TensorError;
use async_trait::async_trait;
use bytes::Bytes;
use highway_primitives::{
	audit::SketchSeed,
	model::{TensorSpec, VersionSpec},
	BlobRef, DeviceClass, FailureClass, ModelId, ModelVersion, Sketch,
};
use serde::{Deserialize, Serialize};
use sp_core::H256;
use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

mod batch;
mod child;
mod child_metrics;
mod ort;
mod process;
pub mod protocol;
mod sandbox;

pub use self::ort::OrtEngine;
pub use child::worker_main;
pub use child_metrics::ChildMetrics;
pub use sandbox::Attempt;

/// The extra memory that a child may take, in MiB, unless told otherwise.
pub const DEFAULT_MEMORY_MIB: u32 = 250;

/// The most rows that one run takes when jobs share it.
pub const MAX_BATCH_ROWS: usize = 64;

/// How many times its registered time one input may take. Together inputs get no more than was registered for all of them:
/// one may be slow where others make up for it.
pub const TIME_MARGIN: u32 = 4;

/// The most sketches of one input: under the work's seed and a juror's, and as many again for whoever compares.
pub const MAX_SEEDS: usize = 4;

/// What inference shall run on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Provider {
	/// The first CUDA device if there is a usable one, else the CPU.
	#[default]
	Auto,
	/// The CPU.
	Cpu,
	/// The CUDA device with this index.
	Cuda(u32),
}

/// The text is not one of `auto`, `cpu`, `cuda` and `cuda:N`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not an execution provider: use `auto`, `cpu` or `cuda:N`")]
pub struct UnknownProvider(String);

impl FromStr for Provider {
	type Err = UnknownProvider;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		match text {
			"auto" => Ok(Self::Auto),
			"cpu" => Ok(Self::Cpu),
			"cuda" => Ok(Self::Cuda(0)),
			_ => text
				.strip_prefix("cuda:")
				.and_then(|index| index.parse().ok())
				.map(Self::Cuda)
				.ok_or_else(|| UnknownProvider(text.into())),
		}
	}
}

impl fmt::Display for Provider {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Auto => f.write_str("auto"),
			Self::Cpu => f.write_str("cpu"),
			Self::Cuda(index) => write!(f, "cuda:{index}"),
		}
	}
}

/// How far ONNX Runtime rewrites a graph before it runs it. Honest nodes may differ in it; calibration runs all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Optimization {
	/// Not at all.
	None,
	/// What does not change the mathematics, such as constant folding.
	Basic,
	/// Fusions as well.
	Extended,
	/// Memory layouts as well.
	#[default]
	All,
}

/// The text is not one of `none`, `basic`, `extended` and `all`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a level of optimization: use `none`, `basic`, `extended` or `all`")]
pub struct UnknownOptimization(String);

impl FromStr for Optimization {
	type Err = UnknownOptimization;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		match text {
			"none" => Ok(Self::None),
			"basic" => Ok(Self::Basic),
			"extended" => Ok(Self::Extended),
			"all" => Ok(Self::All),
			_ => Err(UnknownOptimization(text.into())),
		}
	}
}

/// How to run models on this machine.
#[derive(Clone, Debug)]
pub struct EngineConfig {
	/// What to run on.
	pub provider: Provider,
	/// The ONNX Runtime library, such as `libonnxruntime.so.1.31.1`.
	pub onnxruntime: PathBuf,
	/// The program that is executed with the argument `inference-worker` and then calls [`worker_main`]: usually
	/// the node itself.
	pub worker_binary: PathBuf,
	/// Threads of one run.
	pub threads: u16,
	/// How far graphs are rewritten.
	pub optimization: Optimization,
	/// Memory that a child may take on top of the model's own size, in MiB; see [`DEFAULT_MEMORY_MIB`].
	pub memory_mib: u32,
	/// Go on without a sandbox where the machine does not offer one. For development only.
	pub insecure: bool,
	/// The most bytes that loaded models may count at the same time: each its file, and the memory that its child may take
	/// on top.
	pub max_loaded_bytes: u64,
	/// The most models that are loaded at the same time.
	pub max_loaded_models: usize,
	/// What counts the child processes.
	pub metrics: ChildMetrics,
}

impl EngineConfig {
	/// The defaults: automatic provider, one thread, 250 MiB on top of the model, 4 GiB of loaded models, 32 of them: as
	/// many as a node may host; nothing is counted.
	pub fn new(onnxruntime: PathBuf, worker_binary: PathBuf) -> Self {
		Self {
			provider: Provider::Auto,
			onnxruntime,
			worker_binary,
			threads: 1,
			optimization: Optimization::All,
			memory_mib: DEFAULT_MEMORY_MIB,
			insecure: false,
			max_loaded_bytes: 4 << 30,
			max_loaded_models: 32,
			metrics: ChildMetrics::default(),
		}
	}
}

/// A version of a model. Its ids alone do not name it: on another fork they may stand for another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ModelKey {
	/// The model.
	pub model: ModelId,
	/// Its version.
	pub version: ModelVersion,
	/// [`VersionSpec::digest`].
	pub spec: H256,
}

impl ModelKey {
	/// The key of the version with this specification.
	pub fn of(model: ModelId, version: ModelVersion, spec: &VersionSpec) -> Self {
		Self {
			model,
			version,
			spec: spec.digest(),
		}
	}
}

impl fmt::Display for ModelKey {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "model {} version {}", self.model, self.version)
	}
}

/// A model version to load.
#[derive(Debug)]
pub struct LoadRequest {
	/// Which.
	pub model: ModelKey,
	/// What the chain knows of the ONNX file.
	pub artifact: BlobRef,
	/// The ONNX file, opened for reading. Its bytes are checked against `artifact`.
	pub file: std::fs::File,
	/// The version's signature as registered.
	pub spec: VersionSpec,
}

/// Why a model was not loaded, or an input not run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EngineError {
	/// The pre-check or ONNX Runtime refuses the model, or it is not what was registered.
	#[error("the model is refused: {0}")]
	ModelRefused(String),
	/// The input is not a safetensors file that fits the model's signature.
	#[error("the input does not fit the model: {0}")]
	InputInvalid(String),
	/// The run took too much memory, or ONNX Runtime failed on it.
	#[error("the run failed: {0}")]
	RunFailed(String),
	/// The run took longer than allowed.
	#[error("the run took longer than allowed and was stopped")]
	TimedOut,
	/// The run's time was over before it came to this input. Nothing is said about the input.
	#[error("it was not run: others took the time")]
	NotRun,
	/// The child process ended by itself. Another try may succeed.
	#[error("the inference process died: {0}")]
	ChildDied(String),
	/// This machine cannot do it now; nothing is said about the model or the input.
	#[error("inference is not available: {0}")]
	Unavailable(String),
}

impl EngineError {
	/// What to report on chain. `None`: it is this node's own trouble and must not be reported as the job's.
	pub fn failure_class(&self) -> Option<FailureClass> {
		match self {
			Self::ModelRefused(_) => Some(FailureClass::ModelRefused),
			Self::InputInvalid(_) => Some(FailureClass::InputInvalid),
			Self::RunFailed(_) | Self::TimedOut => Some(FailureClass::RunFailed),
			Self::NotRun | Self::ChildDied(_) | Self::Unavailable(_) => None,
		}
	}
}

impl From<TensorError> for EngineError {
	fn from(error: TensorError) -> Self {
		Self::InputInvalid(error.to_string())
	}
}

/// One input to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunInput {
	/// The input, a safetensors file.
	pub file: Bytes,
	/// Seeds of the sketches that are wanted of this input's run, at most [`MAX_SEEDS`].
	pub seeds: Vec<SketchSeed>,
}

/// What came of an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunOutput {
	/// The outputs that the version names, a canonical safetensors file.
	pub file: Bytes,
	/// For each seed a sketch of the version's trace, or of its outputs if it has none: over this input's own rows,
	/// or over the whole tensor if its first axis is not that of the inputs, in which case no run is shared.
	pub sketches: Vec<Sketch>,
}

/// What a run may take in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeLimit {
	/// One input by itself.
	pub each: Duration,
	/// All of them, twice if they were tried in one run that failed.
	pub all: Duration,
}

impl TimeLimit {
	/// For inputs of which each may take `each`: together they get no more than was registered for all of them.
	pub fn alike(each: Duration, inputs: usize) -> Self {
		let count = u32::try_from(inputs).unwrap_or(u32::MAX);
		Self {
			each,
			all: each.max(each.saturating_mul(count) / TIME_MARGIN),
		}
	}
}

/// Something that runs models.
#[async_trait]
pub trait Engine: Send + Sync {
	/// Makes a model version ready. Does nothing if it is. Unloads the least recently used ones if the limits of what is
	/// loaded ask for it.
	async fn load(&self, request: LoadRequest) -> Result<(), EngineError>;

	/// Ends a model version's process, once it has done what it was asked for. Does nothing if it has none.
	fn unload(&self, model: &ModelKey);

	/// Whether [`Engine::run`] would find the model version.
	fn is_loaded(&self, model: &ModelKey) -> bool;

	/// Runs each of `inputs` and returns in the same order what became of them. Inputs share a run where the version's
	/// calibration and signature allow it; a bad one does not spoil the others. When the time of all is over, or an input
	/// had to be stopped with its process, the others come back as [`EngineError::NotRun`].
	async fn run(
		&self,
		model: &ModelKey,
		inputs: Vec<RunInput>,
		time_limit: TimeLimit,
	) -> Vec<Result<RunOutput, EngineError>>;

	/// What inference really runs on.
	fn device(&self) -> DeviceClass;

	/// Whether inference works at this moment.
	async fn health(&self) -> bool;
}

/// Whether the rows of several inputs may form one run: every input and every output has a dynamic first axis.
pub fn batchable(spec: &VersionSpec) -> bool {
	let dynamic = |tensor: &TensorSpec| matches!(tensor.shape.first(), Some(None));
	!spec.inputs.is_empty() && spec.inputs.iter().all(dynamic) && spec.outputs.iter().all(dynamic)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn provider_should_round_trip_when_printed() {
		for text in ["auto", "cpu", "cuda:0", "cuda:3"] {
			assert_eq!(text.parse::<Provider>().unwrap().to_string(), text);
		}
		assert_eq!("cuda".parse::<Provider>().unwrap(), Provider::Cuda(0));
		for text in ["", "gpu", "cuda:", "cuda:x", "cuda:-1"] {
			assert!(text.parse::<Provider>().is_err(), "{text}");
		}
	}

	#[test]
	fn time_of_all_should_be_what_was_registered_for_them_and_never_less_than_that_of_one() {
		let second = Duration::from_secs(1);
		for (inputs, all) in [(0, 1000), (1, 1000), (4, 1000), (5, 1250), (256, 64_000)] {
			let limit = TimeLimit::alike(second, inputs);
			assert_eq!(
				(limit.each, limit.all),
				(second, Duration::from_millis(all)),
				"{inputs} inputs"
			);
		}
	}

	#[test]
	fn failure_class_should_be_none_when_the_trouble_is_the_nodes_own() {
		assert_eq!(EngineError::Unavailable(String::new()).failure_class(), None);
		assert_eq!(EngineError::ChildDied(String::new()).failure_class(), None);
		assert_eq!(EngineError::NotRun.failure_class(), None);
		assert_eq!(EngineError::TimedOut.failure_class(), Some(FailureClass::RunFailed));
	}
}
