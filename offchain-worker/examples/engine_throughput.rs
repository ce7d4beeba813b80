//! Measures what the sandbox costs, and what the sketch does: Magika with its trace in a child process, one sketch per run,
//! against the same in this process, and against the bare model without trace and sketch; in alternating rounds, with the
//! same inputs and the same width: two rows, since the engine doubles a lone one. Then what memory the child took at most, once it has run as many rows as it may. Prints one line of
//! JSON.
//!
//! ```text
//! cargo run --profile testnet --example engine_throughput [rounds]
//! ```

use anyhow::{ensure, Context};
use bytes::Bytes;
use highway_offchain_worker::{
	engine::{
		worker_main, Engine, EngineConfig, LoadRequest, ModelKey, OrtEngine, Provider, RunInput, TimeLimit,
		MAX_BATCH_ROWS,
	},
	precheck,
	sketch::sketch,
	tensors::{serialize, Tensor},
	trace,
};
use highway_primitives::{
	model::{DType, Trace, VerificationPolicy, VersionSpec},
	BlobRef, Unit,
};
use std::{
	io::Write,
	path::PathBuf,
	process::ExitCode,
	time::{Duration, Instant},
};

/// Runs in one round, one row each.
const RUNS: usize = 200;

fn main() -> ExitCode {
	if std::env::args().nth(1).as_deref() == Some("inference-worker") {
		return worker_main();
	}
	match measure() {
		Ok(line) => {
			println!("{line}");
			ExitCode::SUCCESS
		}
		Err(error) => {
			eprintln!("{error:#}");
			ExitCode::FAILURE
		}
	}
}

fn cache() -> anyhow::Result<PathBuf> {
	let folder = match std::env::var_os("XDG_CACHE_HOME") {
		Some(folder) => PathBuf::from(folder),
		None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
	};
	Ok(folder.join("ai-highway"))
}

fn measure() -> anyhow::Result<serde_json::Value> {
	let rounds: usize = std::env::args().nth(1).map_or(Ok(5), |rounds| rounds.parse())?;
	ensure!(rounds > 0, "at least one round is needed");
	let models = std::env::var_os("HIGHWAY_MODELS_DIR")
		.map_or_else(|| Ok(cache()?.join("models")), |dir| anyhow::Ok(dir.into()))?;
	let library: PathBuf = std::env::var_os("ORT_DYLIB_PATH").map_or_else(
		|| Ok(cache()?.join("onnxruntime/libonnxruntime.so")),
		|path| anyhow::Ok(path.into()),
	)?;
	let path = models.join("magika/model.onnx");
	let bytes = std::fs::read(&path).with_context(|| format!("{}: run scripts/setup first", path.display()))?;

	let environment = ort::init_from(&library)?.with_telemetry(false).build()?;
	let mut bare = bare_session(&environment, &bytes).map_err(|error| anyhow::anyhow!("{error}"))?;

	let signature = precheck::signature(&bytes)?;
	let traced = trace::add(&bytes, &precheck::Limits::default())?.context("no trace was found")?;
	let artifact = BlobRef::of(&traced.file);
	let mut inside = bare_session(&environment, &traced.file).map_err(|error| anyhow::anyhow!("{error}"))?;
	let name = traced.tensor.clone();
	let tensor = traced.tensor.into_bytes();
	let spec = VersionSpec {
		artifact,
		licence: Default::default(),
		inputs: signature.bounded_inputs().context("too many inputs")?,
		outputs: signature.bounded_outputs().context("too many outputs")?,
		unit: Unit::Request,
		unit_time_ms: 1000,
		// A batch is used only if outputs and sketches are ten times as near as this.
		policy: VerificationPolicy::Tolerance {
			atol: 1_000_000,
			rtol: 1_000_000,
			outliers: Default::default(),
		},
		trace: Some(Trace {
			tensor: tensor
				.try_into()
				.map_err(|_| anyhow::anyhow!("the trace's name is too long"))?,
			tolerance: 100_000,
		}),
		detection: Default::default(),
		shares_runs: true,
		recipe: None,
	};
	let mut config = EngineConfig::new(library, std::env::current_exe()?);
	config.provider = Provider::Cpu;
	let runtime = tokio::runtime::Runtime::new()?;
	let engine = runtime.block_on(OrtEngine::start(config))?;
	let mut file = tempfile::tempfile()?;
	file.write_all(&traced.file)?;
	let model = ModelKey::of(0, 1, &spec);
	runtime.block_on(engine.load(LoadRequest {
		model,
		artifact,
		file,
		spec,
	}))?;

	let row: Vec<i32> = (0..2048).map(|index| index * 7 % 257).collect();
	let data = row.iter().flat_map(|value| value.to_le_bytes()).collect();
	let input = RunInput {
		file: Bytes::from(serialize(&[Tensor::new("bytes", DType::I32, vec![1, 2048], data)?])),
		seeds: vec![[1; 32]],
	};
	let (mut bare_time, mut in_process, mut sandboxed) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
	for round in 0..=rounds {
		let started = Instant::now();
		for _ in 0..RUNS {
			// The engine doubles a lone row, so the bare run has two as well.
			let tensor = ort::value::Tensor::from_array((vec![2usize, 2048], row.repeat(2)))?;
			let outputs = bare.run(ort::inputs!["bytes" => tensor])?;
			std::hint::black_box(outputs[0].try_extract_tensor::<f32>()?);
		}
		let without_sketch = started.elapsed();
		let started = Instant::now();
		for _ in 0..RUNS {
			let tensor = ort::value::Tensor::from_array((vec![2usize, 2048], row.repeat(2)))?;
			let outputs = inside.run(ort::inputs!["bytes" => tensor])?;
			let (_, trace) = outputs[name.as_str()].try_extract_tensor::<f32>()?;
			std::hint::black_box(sketch(&input.seeds[0], &trace[..trace.len() / 2]));
		}
		let with_sketch = started.elapsed();
		let started = Instant::now();
		runtime.block_on(async {
			for _ in 0..RUNS {
				engine
					.run(
						&model,
						vec![input.clone()],
						TimeLimit::alike(Duration::from_secs(10), 1),
					)
					.await
					.remove(0)?;
			}
			anyhow::Ok(())
		})?;
		// The first round warms all of them up.
		if round > 0 {
			bare_time += without_sketch;
			in_process += with_sketch;
			sandboxed += started.elapsed();
		}
	}
	// The first time the engine compares the batch with its members run alone, from then on it trusts batches.
	for _ in 0..2 {
		let batch = vec![input.clone(); MAX_BATCH_ROWS];
		let limit = TimeLimit::alike(Duration::from_secs(60), batch.len());
		let results = runtime.block_on(engine.run(&model, batch, limit));
		results.into_iter().collect::<Result<Vec<_>, _>>()?;
	}
	let child = engine.child_pid(&model).context("the model is loaded")?;
	let runs = (rounds * RUNS) as f64;
	let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
	Ok(serde_json::json!({
		"model": "magika",
		"in_process_per_s": runs / in_process.as_secs_f64(),
		"sandboxed_per_s": runs / sandboxed.as_secs_f64(),
		"ratio": in_process.as_secs_f64() / sandboxed.as_secs_f64(),
		"sketch_ratio": bare_time.as_secs_f64() / in_process.as_secs_f64(),
		"child_peak_mib": mib(peak(child)?),
		"model_mib": mib(artifact.size),
	}))
}

/// The most resident bytes that a process ever had.
fn peak(pid: u32) -> anyhow::Result<u64> {
	let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
	let kib = line
		.and_then(|line| line.split_whitespace().next())
		.context("VmHWM is there")?;
	Ok(kib.parse::<u64>()? << 10)
}

fn bare_session(environment: &ort::environment::Environment, bytes: &[u8]) -> ort::Result<ort::session::Session> {
	ort::session::Session::builder(environment)?
		.with_intra_threads(1)?
		.with_intra_op_spinning(false)?
		.with_deterministic_compute(true)?
		.commit_from_memory(bytes)
}
