//! A model that jobs are of, and what it takes without a network.

use anyhow::{ensure, Context, Result};
use highway_offchain_worker::tensors;
use highway_test_support::{bare, cores};
use std::time::{Duration, Instant};

/// Runs that warm ONNX Runtime up before it is timed.
const WARM_UP: usize = 20;

/// Runs that are timed.
const TIMED: usize = 100;

/// One input.
#[derive(Clone, Debug)]
pub struct Input {
	/// A safetensors file.
	pub bytes: Vec<u8>,
	/// What the model should say of it, if somebody knows.
	pub label: Option<&'static str>,
}

/// The model, in this process, on one thread of bare ONNX Runtime.
pub trait Subject {
	/// Its name.
	fn name(&self) -> &'static str;

	/// Arguments of `model add`.
	fn arguments(&self) -> Result<Vec<String>>;

	/// The next input; none is like another one.
	fn next_input(&mut self) -> Result<Input>;

	/// Runs an input. The output is a safetensors file.
	fn run(&mut self, input: &[u8]) -> Result<Vec<u8>>;

	/// What an output says, in a word, if the model says words.
	fn label(&self, output: &[u8]) -> Result<Option<String>>;
}

/// Error if the output says something else than the input is.
pub fn check_label(subject: &dyn Subject, input: &Input, output: &[u8]) -> Result<()> {
	let (found, wanted) = (subject.label(output)?, input.label);
	ensure!(
		found.as_deref() == wanted,
		"it says that a file of type {wanted:?} is {found:?}"
	);
	Ok(())
}

/// Error if the output differs from that of bare ONNX Runtime by more than widths of a run do, or says something else.
pub fn check(subject: &dyn Subject, input: &Input, output: &[u8], reference: &[u8]) -> Result<()> {
	check_label(subject, input, output)?;
	let (ours, theirs) = (tensors::parse(output)?, tensors::parse(reference)?);
	let ours = ours.first().context("it has an output")?;
	let theirs = theirs.first().context("the model has an output")?;
	let difference = bare::greatest_difference(&bare::values(ours), &bare::values(theirs))?;
	ensure!(
		difference <= bare::TOLERANCE,
		"it differs by {difference} from bare ONNX Runtime"
	);
	Ok(())
}

/// Runs inputs one after another, on the core that the network's inference has. Returns the outputs, and how long it took.
pub fn references(subject: &mut dyn Subject, inputs: &[&Input]) -> Result<(Vec<Vec<u8>>, Duration)> {
	let run = || {
		let started = Instant::now();
		let outputs: Result<Vec<_>> = inputs.iter().map(|input| subject.run(&input.bytes)).collect();
		anyhow::Ok((outputs?, started.elapsed()))
	};
	cores::on_the_first(run)?
}

/// Runs in a second, on that core. Error if the model says something wrong of a file.
pub fn bare_rate(subject: &mut dyn Subject) -> Result<f64> {
	let inputs = (0..TIMED).map(|_| subject.next_input()).collect::<Result<Vec<_>>>()?;
	let inputs: Vec<&Input> = inputs.iter().collect();
	references(subject, &inputs[..WARM_UP])?;
	let (outputs, took) = references(subject, &inputs)?;
	for (input, output) in inputs.iter().zip(&outputs) {
		check_label(subject, input, output).context("bare ONNX Runtime")?;
	}
	Ok(inputs.len() as f64 / took.as_secs_f64())
}
