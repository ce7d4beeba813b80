//! ONNX Runtime without a chain: bare, and as the sandbox's example program measures it.

use crate::{
	figures::{figure, Figure, Goal},
	inputs::Input,
};
use anyhow::{bail, ensure, Context, Result};
use highway_offchain_worker::tensors::{self, Tensor};
use highway_primitives::model::{DType, VersionSpec};
use highway_test_support::binaries;
use highway_wallet::recipes::Recipe;
use ort::{session::Session, value::Tensor as OrtTensor};
use serde_json::Value;
use std::{
	env,
	process::Stdio,
	time::{Duration, Instant},
};

/// How long the example may take.
const SANDBOX_LIMIT: Duration = Duration::from_secs(90);

/// Runs the example `engine_throughput` of the offchain worker.
pub async fn sandbox() -> Result<Vec<Figure>> {
	let own = env::current_exe()?;
	let program = own
		.parent()
		.context("a program lies in a folder")?
		.join("examples/engine_throughput");
	ensure!(program.is_file(), "{} is missing: run scripts/build", program.display());
	let run = tokio::process::Command::new(&program)
		.env("ORT_DYLIB_PATH", binaries::onnxruntime()?)
		.env("ORT_DISABLE_TELEMETRY", "1")
		.stdin(Stdio::null())
		.stderr(Stdio::inherit())
		.kill_on_drop(true)
		.output();
	let output = tokio::time::timeout(SANDBOX_LIMIT, run)
		.await
		.with_context(|| format!("{} did not end within {SANDBOX_LIMIT:?}", program.display()))??;
	ensure!(
		output.status.success(),
		"{} ended with {}",
		program.display(),
		output.status
	);
	let said: Value = serde_json::from_slice(&output.stdout).context("engine_throughput prints JSON")?;
	let number = |name: &str| {
		said[name]
			.as_f64()
			.with_context(|| format!("engine_throughput tells {name}: {said}"))
	};
	let memory = number("child_rss_mib")? - number("model_mib")?;
	Ok(vec![
		figure(
			"sandbox_throughput_ratio",
			number("ratio")?,
			"of in-process throughput",
			Goal::AtLeast(0.97),
		),
		figure(
			"sandbox_memory",
			memory,
			"MiB above the model's size",
			Goal::AtMost(250.0),
		),
	])
}

/// Magika in this process, on one core, as fast as ONNX Runtime runs it for anybody.
pub struct Bare {
	session: Session,
}

impl Bare {
	/// Loads the model.
	pub fn load() -> Result<Self> {
		let model = std::fs::read(binaries::model("magika/model.onnx")?)?;
		let environment = ort::init_from(binaries::onnxruntime()?)?
			.with_telemetry(false)
			.build()?;
		let build = || -> ort::Result<Session> {
			Session::builder(&environment)?
				.with_intra_threads(1)?
				.commit_from_memory(&model)
		};
		Ok(Self { session: build()? })
	}

	/// Runs all inputs, one after another, and returns how many it did in a second. Error if a label is wrong.
	pub fn rate(&mut self, inputs: &[Input], recipe: &dyn Recipe, spec: &VersionSpec) -> Result<f64> {
		let mut outputs = Vec::with_capacity(inputs.len());
		let start = Instant::now();
		for input in inputs {
			outputs.push(self.run(&input.bytes)?);
		}
		let elapsed = start.elapsed();
		for (input, output) in inputs.iter().zip(outputs) {
			let label = recipe.answer(&output, spec)?.label;
			ensure!(
				label == input.label,
				"bare ONNX Runtime says that a {} file is {label}",
				input.label
			);
		}
		Ok(inputs.len() as f64 / elapsed.as_secs_f64())
	}

	fn run(&mut self, input: &[u8]) -> Result<Vec<u8>> {
		let parsed = tensors::parse(input)?;
		let [tensor] = parsed.as_slice() else {
			bail!("Magika takes one tensor")
		};
		let numbers: Vec<i32> = tensor
			.data
			.as_chunks()
			.0
			.iter()
			.map(|bytes| i32::from_le_bytes(*bytes))
			.collect();
		let value = OrtTensor::from_array((tensor.shape.clone(), numbers))?;
		let outputs = self.session.run(ort::inputs![tensor.name.as_str() => value])?;
		let (name, value) = outputs.iter().next().context("Magika gives one tensor")?;
		let (shape, numbers) = value.try_extract_tensor::<f32>()?;
		let shape = shape
			.iter()
			.map(|dimension| usize::try_from(*dimension))
			.collect::<Result<Vec<_>, _>>()?;
		let data = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
		Ok(tensors::serialize(&[Tensor::new(name, DType::F32, shape, data)?]))
	}
}
