//! ONNX Runtime without a chain: bare, and as the sandbox's example program measures it.

use crate::{
	figures::{figure, Figure, Goal},
	inputs::Input,
};
use anyhow::{ensure, Context, Result};
use highway_test_support::{bare::BareMagika, binaries};
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
	let memory = number("child_peak_mib")? - number("model_mib")?;
	Ok(vec![
		figure(
			"sandbox_throughput_ratio",
			number("ratio")?,
			"of in-process, two rows and a sketch a run",
			Goal::AtLeast(0.97),
		),
		figure(
			"sketch_throughput_ratio",
			number("sketch_ratio")?,
			"of a run without a sketch, both in-process",
			Goal::None,
		),
		figure(
			"sandbox_memory",
			memory,
			"MiB above the model, at most",
			Goal::AtMost(250.0),
		),
	])
}

/// Runs that warm ONNX Runtime up before it is timed.
const WARM_UP: usize = 50;

/// Runs `inputs` on bare ONNX Runtime, one after another, on one core. Returns how many it did in a second, and the
/// outputs. Error if a label is wrong.
pub fn bare(magika: &mut BareMagika, inputs: &[&Input]) -> Result<(f64, Vec<Vec<u8>>)> {
	for input in inputs.iter().take(WARM_UP) {
		magika.run(&input.bytes)?;
	}
	let mut outputs = Vec::with_capacity(inputs.len());
	let start = Instant::now();
	for input in inputs {
		outputs.push(magika.run(&input.bytes)?);
	}
	let elapsed = start.elapsed();
	for (input, output) in inputs.iter().zip(&outputs) {
		let label = magika.answer(output)?.label;
		ensure!(
			label == input.label,
			"bare ONNX Runtime says that a {} file is {label}",
			input.label
		);
	}
	Ok((inputs.len() as f64 / elapsed.as_secs_f64(), outputs))
}
