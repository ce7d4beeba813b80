//! The reference model of capacity probes as an ONNX file, its rows as tensors, and runs of it.
//!
//! The chain computes the model with integers, see [`highway_primitives::probe`]; a node runs it like any other model, on
//! the device that it sells. Every value is an integer that a 32-bit float holds exactly, also in TF32, and every factor a
//! power of two, so that neither the order of a sum nor what ONNX Runtime fuses changes a bit.
//!
//! ```text
//!        ┌────────────────────────── 256 times ──────────────────────────┐
//!  x ─► MatMul weights ─► · 1/64 ─► Floor ─► t − 256 · Floor(t · 1/256) ─► y
//! ```

use crate::{
	engine::{Engine, EngineError, LoadRequest, ModelKey, RunInput, TimeLimit},
	machine::LoadFault,
	ports::{BlobStore, Keep},
	precheck::wire::{put_bytes, put_number},
	tensors::{parse, serialize, Tensor},
};
use bytes::Bytes;
use highway_primitives::{
	model::{DType, ModelId, TensorSpec, Unit, VerificationPolicy, VersionSpec},
	probe::{first_row, matrix, ProbeSeed, STEPS, WIDTH},
	BlobRef, NodeId,
};
use std::{
	ops::Range,
	sync::LazyLock,
	time::{Duration, Instant},
};
use tokio::task::{spawn_blocking, JoinError};

/// What a batch of rows may take. It is made for a quarter of a second; a device may take longer for the first one.
const RUN_LIMIT: Duration = Duration::from_secs(5);

/// ONNX's number of the element type of 32-bit floats.
const FLOAT: u64 = 1;

static FILE: LazyLock<Bytes> = LazyLock::new(|| onnx().into());

static SPEC: LazyLock<VersionSpec> = LazyLock::new(|| {
	let rows = |name: &str| TensorSpec {
		name: name.as_bytes().to_vec().try_into().expect("1 byte fits; qed"),
		dtype: DType::F32,
		shape: vec![None, Some(WIDTH as u32)]
			.try_into()
			.expect("2 dimensions fit; qed"),
	};
	VersionSpec {
		artifact: BlobRef::of(&FILE),
		licence: Default::default(),
		inputs: vec![rows("x")].try_into().expect("1 tensor fits; qed"),
		outputs: vec![rows("y")].try_into().expect("1 tensor fits; qed"),
		unit: Unit::Request,
		unit_time_ms: 1,
		policy: VerificationPolicy::Exact,
		trace: None,
		detection: Default::default(),
		shares_runs: false,
		recipe: None,
	}
});

/// The ONNX file: opset 13, `y`, f32[N, 64], of `x`, f32[N, 64].
pub fn file() -> Bytes {
	FILE.clone()
}

/// How the file is loaded.
pub fn spec() -> VersionSpec {
	SPEC.clone()
}

/// A key that no registered version has: versions count from 1.
pub fn key() -> ModelKey {
	ModelKey::of(ModelId::MAX, 0, &SPEC)
}

/// How these rows of a node's probe begin, as an input of the model.
pub fn input(seed: &ProbeSeed, node: NodeId, rows: Range<u32>) -> Bytes {
	let count = rows.len();
	let mut data = Vec::with_capacity(count * WIDTH * size_of::<f32>());
	for row in rows {
		for value in first_row(seed, node, row) {
			data.extend_from_slice(&f32::from(value).to_le_bytes());
		}
	}
	let tensor = Tensor::new("x", DType::F32, vec![count, WIDTH], data).expect("as many bytes as the shape says; qed");
	serialize(&[tensor]).into()
}

/// The rows of an output of the model for `count` rows, one after another, a byte for each value. `None`: that is no
/// output of the model.
pub fn final_rows(output: &[u8], count: usize) -> Option<Vec<u8>> {
	let tensors = parse(output).ok()?;
	let tensor = tensors.first().filter(|tensor| tensor.dtype == DType::F32)?;
	if tensor.shape != [count, WIDTH] {
		return None;
	}
	let byte = |float: &[u8; 4]| {
		let float = f32::from_le_bytes(*float);
		// Saturates: what is no byte becomes another number.
		let byte = float as u8;
		(f32::from(byte) == float).then_some(byte)
	};
	tensor.data.as_chunks::<4>().0.iter().map(byte).collect()
}

/// Computes rows of a node's probe: the final ones, one after another, and how long they took. The model goes the way of
/// all others, through the blob store into a process of its own.
pub async fn compute(
	blobs: &dyn BlobStore,
	engine: &dyn Engine,
	node: NodeId,
	seed: ProbeSeed,
	rows: Range<u32>,
) -> Result<(Bytes, Duration), LoadFault> {
	let model = key();
	if !engine.is_loaded(&model) {
		let artifact = blobs.put(file(), Keep::Cache).await.map_err(LoadFault::Blob)?;
		let request = LoadRequest {
			model,
			artifact,
			file: blobs.open(artifact.hash).await.map_err(LoadFault::Blob)?,
			spec: spec(),
		};
		engine.load(request).await.map_err(LoadFault::Engine)?;
	}
	let (start, count) = (Instant::now(), rows.len());
	let stopped = |error: JoinError| LoadFault::Engine(EngineError::Unavailable(error.to_string()));
	let file = spawn_blocking(move || input(&seed, node, rows))
		.await
		.map_err(stopped)?;
	let input = RunInput {
		file,
		seeds: Vec::new(),
	};
	let output = engine
		.run(&model, vec![input], TimeLimit::alike(RUN_LIMIT, 1))
		.await
		.pop();
	let output = output.unwrap_or(Err(EngineError::NotRun)).map_err(LoadFault::Engine)?;
	let done = spawn_blocking(move || final_rows(&output.file, count))
		.await
		.map_err(stopped)?
		.ok_or_else(|| LoadFault::Engine(EngineError::RunFailed("that is no output of the model".into())))?;
	Ok((done.into(), start.elapsed()))
}

/// Writes the file. Field numbers are those of `onnx.proto`.
fn onnx() -> Vec<u8> {
	let mut graph = Vec::new();
	let mut node = |operator: &str, inputs: [&str; 2], output: &str| {
		let mut node = Vec::new();
		for input in inputs.iter().filter(|input| !input.is_empty()) {
			put_bytes(&mut node, 1, input.as_bytes());
		}
		put_bytes(&mut node, 2, output.as_bytes());
		put_bytes(&mut node, 4, operator.as_bytes());
		put_bytes(&mut graph, 1, &node);
	};
	let mut before = String::from("x");
	for step in 1..=STEPS {
		let names = ["sums", "shares", "whole", "parts", "turns", "full"].map(|part| format!("{part}{step}"));
		let [sums, shares, whole, parts, turns, full] = names.each_ref().map(String::as_str);
		let after = if step == STEPS { "y".into() } else { format!("y{step}") };
		node("MatMul", [before.as_str(), "weights"], sums);
		node("Mul", [sums, "1/64"], shares);
		node("Floor", [shares, ""], whole);
		node("Mul", [whole, "1/256"], parts);
		node("Floor", [parts, ""], turns);
		node("Mul", [turns, "256"], full);
		node("Sub", [whole, full], after.as_str());
		before = after;
	}
	put_bytes(&mut graph, 2, b"probe");
	let weights: Vec<f32> = matrix().iter().flatten().map(|weight| f32::from(*weight)).collect();
	put_bytes(&mut graph, 5, &constant("weights", &[WIDTH, WIDTH], &weights));
	for (name, value) in [("1/64", 1.0 / 64.0), ("1/256", 1.0 / 256.0), ("256", 256.0)] {
		put_bytes(&mut graph, 5, &constant(name, &[], &[value]));
	}
	put_bytes(&mut graph, 11, &rows("x"));
	put_bytes(&mut graph, 12, &rows("y"));

	let mut opset = Vec::new();
	put_bytes(&mut opset, 1, b"");
	put_number(&mut opset, 2, 13);
	let mut model = Vec::new();
	put_number(&mut model, 1, 8);
	put_bytes(&mut model, 7, &graph);
	put_bytes(&mut model, 8, &opset);
	model
}

/// A constant of 32-bit floats.
fn constant(name: &str, shape: &[usize], values: &[f32]) -> Vec<u8> {
	let mut tensor = Vec::new();
	shape.iter().for_each(|size| put_number(&mut tensor, 1, *size as u64));
	put_number(&mut tensor, 2, FLOAT);
	put_bytes(&mut tensor, 8, name.as_bytes());
	let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	put_bytes(&mut tensor, 9, &data);
	tensor
}

/// An input or output of any number of rows.
fn rows(name: &str) -> Vec<u8> {
	let (mut width, mut shape, mut tensor) = (Vec::new(), Vec::new(), Vec::new());
	put_number(&mut width, 1, WIDTH as u64);
	// Without a value: dynamic.
	put_bytes(&mut shape, 1, &[]);
	put_bytes(&mut shape, 1, &width);
	put_number(&mut tensor, 1, FLOAT);
	put_bytes(&mut tensor, 2, &shape);
	let (mut kind, mut value) = (Vec::new(), Vec::new());
	put_bytes(&mut kind, 1, &tensor);
	put_bytes(&mut value, 1, name.as_bytes());
	put_bytes(&mut value, 2, &kind);
	value
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::precheck;

	#[test]
	fn file_should_pass_the_check_and_have_the_signature_that_it_is_loaded_with() {
		let signature = precheck::signature(&file()).unwrap();
		assert_eq!(signature.admits(&spec().inputs, &spec().outputs), Ok(()));
		assert!(!signature.mixes_rows);
		assert_eq!(signature.nodes, 7 * STEPS as u64);
		assert!(file().len() < 200_000, "{} bytes", file().len());
	}

	#[test]
	fn input_should_begin_as_the_chain_says() {
		let (seed, node) = ([3; 32], 7);
		let tensors = parse(&input(&seed, node, 5..8)).unwrap();
		assert_eq!(tensors[0].shape, [3, WIDTH]);
		let expected: Vec<u8> = (5..8).flat_map(|row| first_row(&seed, node, row)).collect();
		assert_eq!(final_rows(&input(&seed, node, 5..8), 3), Some(expected));
	}

	#[test]
	fn output_should_be_refused_when_it_is_not_made_of_so_many_rows_of_bytes() {
		let output = |rows: usize, value: f32| {
			let data = (0..rows * WIDTH).flat_map(|_| value.to_le_bytes()).collect();
			serialize(&[Tensor::new("y", DType::F32, vec![rows, WIDTH], data).unwrap()])
		};
		assert_eq!(final_rows(&output(2, 255.0), 2), Some(vec![255; 2 * WIDTH]));
		assert_eq!(final_rows(&output(2, 255.0), 3), None);
		for value in [256.0, -1.0, 0.5, f32::NAN, f32::INFINITY] {
			assert_eq!(final_rows(&output(1, value), 1), None, "{value}");
		}
		assert_eq!(final_rows(b"junk", 1), None);
	}
}
