//! ONNX Runtime in the sandboxed child against ONNX Runtime in the same process, without a chain: what the engine's example
//! program measures.

use crate::{
	figures::{Figure, Goal, Summary},
	record::Record,
};
use anyhow::{ensure, Context, Result};
use highway_test_support::binaries;
use serde_json::Value;
use std::{env, process::Stdio, time::Duration};

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("sandbox_throughput_ratio", "of in-process, two rows and a sketch")
		.goal(Goal::AtLeast(0.97))
		.key("sandbox_over_in_process"),
	Figure::new("sketch_throughput_ratio", "of a run without a sketch"),
	Figure::new("sandbox_memory", "MiB above the model, at most")
		.by(Summary::Quantile(1.0))
		.goal(Goal::AtMost(250.0))
		.key("child_memory_over_model_mib"),
];

/// Rounds of the example in each of ours.
const ROUNDS: &str = "2";

/// How long the example may take.
const LIMIT: Duration = Duration::from_secs(90);

/// Runs the example `engine_throughput` of the offchain worker.
pub async fn round(record: &mut Record) -> Result<()> {
	eprintln!("the sandbox, against ONNX Runtime in the same process …");
	let own = env::current_exe()?;
	let program = own
		.parent()
		.context("a program lies in a folder")?
		.join("examples/engine_throughput");
	ensure!(program.is_file(), "{} is missing: run scripts/build", program.display());
	let run = tokio::process::Command::new(&program)
		.arg(ROUNDS)
		.env("ORT_DYLIB_PATH", binaries::onnxruntime()?)
		.env("ORT_DISABLE_TELEMETRY", "1")
		.stdin(Stdio::null())
		.stderr(Stdio::inherit())
		.kill_on_drop(true)
		.output();
	let output = tokio::time::timeout(LIMIT, run)
		.await
		.with_context(|| format!("{} did not end within {LIMIT:?}", program.display()))??;
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
	record.note("sandbox_throughput_ratio", number("ratio")?)?;
	record.note("sketch_throughput_ratio", number("sketch_ratio")?)?;
	record.note("sandbox_memory", number("child_peak_mib")? - number("model_mib")?)
}
