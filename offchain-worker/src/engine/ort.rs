//! [`OrtEngine`]: loaded models, the queue of the device, and the choice of the execution provider.

use super::{
	process::{probe, resident, Artifact, Launch, ModelProcess},
	protocol::Setup,
	sandbox::Attempt,
	Engine, EngineConfig, EngineError, LoadRequest, ModelKey, Provider, RunInput, RunOutput, TimeLimit,
};
use crate::precheck;
use async_trait::async_trait;
use highway_primitives::{BlobRef, DeviceClass};
use parking_lot::Mutex;
use std::{
	collections::HashMap,
	fs::File,
	future::Future,
	os::unix::fs::FileExt,
	path::Path,
	sync::Arc,
	time::{Duration, Instant},
};

/// How long a working run proves that inference works.
const HEALTHY_FOR: Duration = Duration::from_secs(60);

struct Loaded {
	process: Arc<ModelProcess>,
	bytes: u64,
	used: u64,
}

#[derive(Default)]
struct Models {
	loaded: HashMap<ModelKey, Loaded>,
	/// Counts uses, so that the least recent one is known.
	clock: u64,
}

/// Runs models with ONNX Runtime in sandboxed child processes.
pub struct OrtEngine {
	config: EngineConfig,
	cuda: Option<u32>,
	models: Mutex<Models>,
	/// One load at a time: two would exceed the limit of loaded bytes together.
	loading: tokio::sync::Mutex<()>,
	/// One queue per device.
	queue: tokio::sync::Semaphore,
	proved: Mutex<Instant>,
}

impl OrtEngine {
	/// Starts a child process to see that ONNX Runtime loads, that the sandbox holds, and what there is to run on.
	pub async fn start(config: EngineConfig) -> Result<Self, EngineError> {
		if config.insecure {
			log::warn!(target: "highway", "models may run without a sandbox: for development only");
		}
		if !config.onnxruntime.is_file() {
			return Err(EngineError::Unavailable(format!(
				"there is no ONNX Runtime at {}: run the set-up script, or name the library",
				config.onnxruntime.display()
			)));
		}
		let wanted = match config.provider {
			Provider::Cpu => None,
			Provider::Cuda(index) => Some(index),
			Provider::Auto => Path::new("/dev/nvidia0").exists().then_some(0),
		};
		let cuda = choose(wanted, |cuda| {
			probe_in_background(launch(&config, cuda, Vec::new(), None))
		})
		.await?;
		log::info!(target: "highway", "inference runs on {}", cuda.map_or(Provider::Cpu, Provider::Cuda));
		Ok(Self {
			config,
			cuda,
			models: Mutex::default(),
			loading: tokio::sync::Mutex::default(),
			queue: tokio::sync::Semaphore::new(1),
			proved: Mutex::new(Instant::now()),
		})
	}

	/// Lets a child without a model try to leave its sandbox, and returns what it tried.
	pub async fn self_test(&self) -> Result<Vec<Attempt>, EngineError> {
		probe_in_background(launch(&self.config, self.cuda, Vec::new(), None)).await
	}

	/// Process id of a loaded model's child.
	pub fn child_pid(&self, model: &ModelKey) -> Option<u32> {
		self.models.lock().loaded.get(model)?.process.pid()
	}

	/// Bytes of memory that a loaded model's child has now.
	pub fn child_resident(&self, model: &ModelKey) -> Option<u64> {
		resident(self.child_pid(model)?)
	}

	/// Bytes that the loaded models count: see [`EngineConfig::max_loaded_bytes`].
	pub fn loaded_bytes(&self) -> u64 {
		self.models.lock().loaded.values().map(|model| model.bytes).sum()
	}

	/// What a model with a file of `size` bytes counts.
	fn weight(&self, size: u64) -> u64 {
		size.saturating_add(u64::from(self.config.memory_mib) << 20)
	}

	/// Unloads the least recently used models until one more with `bytes` fits.
	fn make_room(&self, bytes: u64) {
		let mut models = self.models.lock();
		while models.loaded.len() >= self.config.max_loaded_models
			|| models.loaded.values().map(|model| model.bytes).sum::<u64>() + bytes > self.config.max_loaded_bytes
		{
			let oldest = models
				.loaded
				.iter()
				.min_by_key(|(_, model)| model.used)
				.map(|(key, _)| *key);
			let Some(key) = oldest else { break };
			models.loaded.remove(&key);
			log::debug!(target: "highway", "{key} is unloaded");
		}
	}
}

fn launch(config: &EngineConfig, cuda: Option<u32>, outputs: Vec<String>, trace: Option<String>) -> Launch {
	Launch {
		binary: config.worker_binary.clone(),
		setup: Setup {
			onnxruntime: config.onnxruntime.clone(),
			cuda,
			threads: config.threads,
			optimization: config.optimization,
			insecure: config.insecure,
			outputs,
			trace,
		},
		extra_memory: u64::from(config.memory_mib) << 20,
		metrics: config.metrics.clone(),
	}
}

/// The CUDA device that is wanted, if it computes and its sandbox holds; else the CPU, whose sandbox must hold.
async fn choose<Probed>(wanted: Option<u32>, probe: impl Fn(Option<u32>) -> Probed) -> Result<Option<u32>, EngineError>
where
	Probed: Future<Output = Result<Vec<Attempt>, EngineError>>,
{
	if let Some(index) = wanted {
		match probe(wanted).await.and_then(all_denied) {
			Ok(()) => return Ok(wanted),
			Err(error) => log::error!(
				target: "highway",
				"CUDA device {index} cannot be used, inference runs and is advertised on the CPU instead: {error}"
			),
		}
	}
	probe(None).await.and_then(all_denied).map(|()| None)
}

async fn probe_in_background(launch: Launch) -> Result<Vec<Attempt>, EngineError> {
	let result = tokio::task::spawn_blocking(move || probe(&launch)).await;
	result.map_err(|error| EngineError::Unavailable(error.to_string()))?
}

fn all_denied(attempts: Vec<Attempt>) -> Result<(), EngineError> {
	let open: Vec<_> = attempts
		.into_iter()
		.filter(|attempt| !attempt.denied)
		.map(|attempt| attempt.what)
		.collect();
	if open.is_empty() {
		return Ok(());
	}
	Err(EngineError::Unavailable(format!(
		"the sandbox does not hold on this machine, a model could: {}; update the kernel to 5.13 or later with Landlock",
		open.join(", ")
	)))
}

/// Reads the file, checks that it is the registered one, and looks at it before ONNX Runtime does.
fn examine(file: &File, artifact: BlobRef, trace: Option<&str>) -> Result<precheck::ModelSignature, EngineError> {
	let local = |error: std::io::Error| EngineError::Unavailable(format!("the model's file: {error}"));
	if file.metadata().map_err(local)?.len() != artifact.size {
		return Err(EngineError::Unavailable(
			"the model's file is not as long as the registered one".into(),
		));
	}
	let limits = precheck::Limits::default();
	if artifact.size > limits.max_bytes {
		return Err(EngineError::ModelRefused(format!(
			"it is larger than {} bytes",
			limits.max_bytes
		)));
	}
	let size = usize::try_from(artifact.size).map_err(|_| EngineError::Unavailable("the model is too large".into()))?;
	let mut bytes = vec![0; size];
	file.read_exact_at(&mut bytes, 0).map_err(local)?;
	if BlobRef::of(&bytes) != artifact {
		return Err(EngineError::Unavailable(
			"the model's file is not the registered one: fetch it again".into(),
		));
	}
	precheck::check_traced(&bytes, &limits, trace).map_err(|refusal| EngineError::ModelRefused(refusal.to_string()))
}

#[async_trait]
impl Engine for OrtEngine {
	async fn load(&self, request: LoadRequest) -> Result<(), EngineError> {
		let _one_at_a_time = self.loading.lock().await;
		if self.is_loaded(&request.model) {
			return Ok(());
		}
		let LoadRequest {
			model: key,
			artifact,
			file,
			spec,
		} = request;
		let bytes = self.weight(artifact.size);
		if bytes > self.config.max_loaded_bytes {
			return Err(EngineError::ModelRefused(format!(
				"with the memory for its process it takes {bytes} bytes, this node loads at most {}",
				self.config.max_loaded_bytes
			)));
		}
		let trace = match &spec.trace {
			None => None,
			Some(trace) => Some(
				String::from_utf8(trace.tensor.to_vec())
					.map_err(|_| EngineError::ModelRefused("the trace's name is not text".into()))?,
			),
		};
		let named = trace.clone();
		let examined = tokio::task::spawn_blocking(move || {
			examine(&file, artifact, named.as_deref()).map(|signature| (signature, file))
		});
		let (signature, file) = examined.await.map_err(|error| match error.is_panic() {
			// Whatever the file did to it, it is no reason to stop with other models.
			true => EngineError::ModelRefused("its check panicked: please report it".into()),
			false => EngineError::Unavailable(error.to_string()),
		})??;
		signature
			.admits(&spec.inputs, &spec.outputs)
			.map_err(EngineError::ModelRefused)?;
		let names = spec
			.outputs
			.iter()
			.map(|output| String::from_utf8_lossy(&output.name).into_owned())
			.collect();
		self.make_room(bytes);
		let launch = Arc::new(launch(&self.config, self.cuda, names, trace));
		let model = Artifact {
			file,
			size: artifact.size,
			spec,
			mixes_rows: signature.mixes_rows,
		};
		let process = ModelProcess::start(launch, model, format!("infer-{}-{}", key.model, key.version)).await?;
		let mut models = self.models.lock();
		models.clock += 1;
		let used = models.clock;
		models.loaded.insert(
			key,
			Loaded {
				process: Arc::new(process),
				bytes,
				used,
			},
		);
		Ok(())
	}

	fn is_loaded(&self, model: &ModelKey) -> bool {
		self.models.lock().loaded.contains_key(model)
	}

	fn unload(&self, model: &ModelKey) {
		self.models.lock().loaded.remove(model);
	}

	async fn run(
		&self,
		model: &ModelKey,
		inputs: Vec<RunInput>,
		time_limit: TimeLimit,
	) -> Vec<Result<RunOutput, EngineError>> {
		let process = {
			let mut models = self.models.lock();
			models.clock += 1;
			let now = models.clock;
			models.loaded.get_mut(model).map(|loaded| {
				loaded.used = now;
				loaded.process.clone()
			})
		};
		let count = inputs.len();
		let unavailable = |why: &str| vec![Err(EngineError::Unavailable(why.into())); count];
		let Some(process) = process else {
			return unavailable("the model is not loaded");
		};
		let Ok(_turn) = self.queue.acquire().await else {
			return unavailable("the engine is closed");
		};
		let Some(results) = process.run(inputs, time_limit).await else {
			// A panic of ours, over one model: it is loaded anew, and the others go on.
			self.unload(model);
			return vec![Err(EngineError::ChildDied("its thread ended".into())); count];
		};
		if results.iter().any(Result::is_ok) {
			*self.proved.lock() = Instant::now();
		}
		results
	}

	fn device(&self) -> DeviceClass {
		match self.cuda {
			Some(_) => DeviceClass::Cuda,
			None if cfg!(target_arch = "aarch64") => DeviceClass::CpuArm,
			None => DeviceClass::CpuX86,
		}
	}

	async fn health(&self) -> bool {
		if self.proved.lock().elapsed() < HEALTHY_FOR {
			return true;
		}
		let attempts = probe_in_background(launch(&self.config, self.cuda, Vec::new(), None)).await;
		match attempts.and_then(all_denied) {
			Ok(()) => {
				*self.proved.lock() = Instant::now();
				true
			}
			Err(error) => {
				log::error!(target: "highway", "inference does not work: {error}");
				false
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn attempt(denied: bool) -> Result<Vec<Attempt>, EngineError> {
		let what = "read /etc/passwd".to_string();
		Ok(vec![Attempt { what, denied }])
	}

	fn broken() -> Result<Vec<Attempt>, EngineError> {
		Err(EngineError::Unavailable("no driver".into()))
	}

	#[tokio::test]
	async fn cpu_should_run_where_cuda_does_not_compute_or_its_sandbox_leaks() {
		let chosen = |wanted, cuda: fn() -> Result<Vec<Attempt>, EngineError>| {
			choose(wanted, move |device| async move {
				device.map_or_else(|| attempt(true), |_| cuda())
			})
		};
		assert_eq!(chosen(Some(1), || attempt(true)).await.unwrap(), Some(1));
		assert_eq!(chosen(Some(1), || attempt(false)).await.unwrap(), None);
		assert_eq!(chosen(Some(1), broken).await.unwrap(), None);
		assert_eq!(chosen(None, || attempt(true)).await.unwrap(), None);
	}

	#[tokio::test]
	async fn start_should_be_refused_when_the_sandbox_of_the_cpu_leaks() {
		for wanted in [None, Some(0)] {
			let error = choose(wanted, |_| async { attempt(false) }).await.unwrap_err();
			assert!(error.to_string().contains("read /etc/passwd"), "{error}");
		}
		assert!(choose(None, |_| async { broken() }).await.is_err());
	}
}
