//! ONNX Runtime as it is: no sandbox, no node, no chain.

use anyhow::{anyhow, bail, Context, Result};
use highway_offchain_worker::tensors::Tensor;
use highway_primitives::model::DType;
use highway_test_support::binaries;
use ort::{
	environment::Environment,
	session::{builder::GraphOptimizationLevel, Session, SessionInputValue},
	value::Tensor as OrtTensor,
};
use std::sync::OnceLock;

/// A model in this process.
pub struct BareModel(Session);

fn environment() -> Result<&'static Environment> {
	static ENVIRONMENT: OnceLock<Result<Environment, String>> = OnceLock::new();
	let start = || -> Result<Environment> {
		Ok(ort::init_from(binaries::onnxruntime()?)?
			.with_telemetry(false)
			.build()?)
	};
	ENVIRONMENT
		.get_or_init(|| start().map_err(|error| format!("{error:#}")))
		.as_ref()
		.map_err(|error| anyhow!("ONNX Runtime does not start: {error}"))
}

impl BareModel {
	/// Loads an ONNX file.
	pub fn load(model: &[u8]) -> Result<Self> {
		let environment = environment()?;
		let build = || -> ort::Result<Session> {
			Session::builder(environment)?
				.with_optimization_level(GraphOptimizationLevel::All)?
				.with_intra_threads(1)?
				.with_deterministic_compute(true)?
				.commit_from_memory(model)
		};
		Ok(Self(build()?))
	}

	/// Runs it on `inputs` and returns its outputs of 32-bit floats, sorted by name, with their values.
	pub fn run(&mut self, inputs: &[Tensor]) -> Result<Vec<(String, Vec<f32>)>> {
		let mut values: Vec<(String, SessionInputValue<'static>)> = Vec::new();
		for tensor in inputs {
			let (name, shape) = (tensor.name.clone(), tensor.shape.clone());
			let data = &tensor.data;
			let value: SessionInputValue<'static> = match tensor.dtype {
				DType::I32 => {
					let numbers: Vec<i32> = data
						.as_chunks()
						.0
						.iter()
						.map(|bytes| i32::from_le_bytes(*bytes))
						.collect();
					OrtTensor::from_array((shape, numbers))?.into()
				}
				DType::I64 => {
					let numbers: Vec<i64> = data
						.as_chunks()
						.0
						.iter()
						.map(|bytes| i64::from_le_bytes(*bytes))
						.collect();
					OrtTensor::from_array((shape, numbers))?.into()
				}
				DType::F32 => {
					let numbers: Vec<f32> = data
						.as_chunks()
						.0
						.iter()
						.map(|bytes| f32::from_le_bytes(*bytes))
						.collect();
					OrtTensor::from_array((shape, numbers))?.into()
				}
				other => bail!("no test has inputs of type {other:?}"),
			};
			values.push((name, value));
		}
		let results = self.0.run(values)?;
		let mut outputs = Vec::new();
		for (name, value) in results.iter() {
			let (_, numbers) = value
				.try_extract_tensor::<f32>()
				.with_context(|| format!("output {name}"))?;
			outputs.push((name.to_string(), numbers.to_vec()));
		}
		outputs.sort_by(|a, b| a.0.cmp(&b.0));
		Ok(outputs)
	}
}

/// The tensor with its rows repeated `times` times.
pub fn repeated(tensor: &Tensor, times: usize) -> Result<Tensor> {
	let mut shape = tensor.shape.clone();
	*shape.first_mut().context("a scalar has no rows")? *= times;
	Ok(Tensor::new(
		tensor.name.clone(),
		tensor.dtype,
		shape,
		tensor.data.repeat(times),
	)?)
}

/// Whether both have the same bits.
pub fn same_bits(a: &[f32], b: &[f32]) -> bool {
	a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// The greatest difference between two lists of the same length.
pub fn greatest_difference(a: &[f32], b: &[f32]) -> Result<f32> {
	anyhow::ensure!(a.len() == b.len(), "{} values instead of {}", a.len(), b.len());
	Ok(a.iter()
		.zip(b)
		.map(|(a, b)| if a.to_bits() == b.to_bits() { 0.0 } else { (a - b).abs() })
		.fold(0.0, f32::max))
}
