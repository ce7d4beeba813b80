//! ONNX Runtime as it is: no sandbox, no node, no chain. What the network answers is held against this.

use crate::binaries;
use anyhow::{anyhow, bail, ensure, Context, Result};
use highway_offchain_worker::{
	precheck,
	tensors::{self, Tensor},
};
use highway_primitives::{
	model::{DType, Unit, VerificationPolicy, VersionSpec, MIN_DETECTION},
	BlobRef,
};
use highway_wallet::recipes::{self, Answer, Prepared, Recipe};
use ort::{
	environment::Environment,
	session::{builder::GraphOptimizationLevel, Session, SessionInputValue},
	value::Tensor as OrtTensor,
};
use std::{fs, path::Path, sync::OnceLock};

/// How far a number may lie from bare ONNX Runtime's: jobs share a run, and its width moves the last digits. In one run of
/// `scripts/bench` 3 of 4746 outputs moved by more than 1e-4, the most by 3.4e-4.
pub const TOLERANCE: f32 = 1e-3;

/// A model in this process, on one thread.
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

	/// Runs it on `inputs` and returns its outputs, of 32-bit floats, sorted by name.
	pub fn run(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
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
				DType::F32 => OrtTensor::from_array((shape, self::values(tensor)))?.into(),
				other => bail!("no test has inputs of type {other:?}"),
			};
			values.push((name, value));
		}
		let results = self.0.run(values)?;
		let mut outputs = Vec::new();
		for (name, value) in results.iter() {
			let (shape, numbers) = value
				.try_extract_tensor::<f32>()
				.with_context(|| format!("output {name}"))?;
			let shape = shape
				.iter()
				.map(|dimension| usize::try_from(*dimension))
				.collect::<Result<Vec<_>, _>>()?;
			let data = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
			outputs.push(Tensor::new(name, DType::F32, shape, data)?);
		}
		outputs.sort_by(|a, b| a.name.cmp(&b.name));
		Ok(outputs)
	}
}

/// Magika, with what its recipe does before and after a run. Nothing of it comes from a chain.
pub struct BareMagika {
	model: BareModel,
	recipe: Box<dyn Recipe>,
	spec: VersionSpec,
}

impl BareMagika {
	/// Loads the files that `scripts/setup` fetched.
	pub fn load() -> Result<Self> {
		let file = fs::read(binaries::model("magika/model.onnx")?)?;
		let config = fs::read(binaries::model("magika/config.min.json")?)?;
		let signature = precheck::signature(&file)?;
		let spec = VersionSpec {
			artifact: BlobRef::of(&file),
			licence: Default::default(),
			inputs: signature.bounded_inputs().context("its inputs are few")?,
			outputs: signature.bounded_outputs().context("its outputs are few")?,
			unit: Unit::Request,
			unit_time_ms: 0,
			policy: VerificationPolicy::Exact,
			trace: None,
			detection: MIN_DETECTION,
			shares_runs: false,
			recipe: None,
		};
		Ok(Self {
			model: BareModel::load(&file)?,
			recipe: recipes::load(b"magika", &config)?,
			spec,
		})
	}

	/// The input for a file, as a wallet makes it: a safetensors file.
	pub fn input(&self, file: &Path) -> Result<Vec<u8>> {
		match self.recipe.prepare(file, &self.spec)? {
			Prepared::Input(bytes) => Ok(bytes),
			Prepared::Answer(answer) => bail!("{} needs no model: {answer:?}", file.display()),
		}
	}

	/// Runs one input; the output is a safetensors file.
	pub fn run(&mut self, input: &[u8]) -> Result<Vec<u8>> {
		Ok(tensors::serialize(&self.model.run(&tensors::parse(input)?)?))
	}

	/// What an output says.
	pub fn answer(&self, output: &[u8]) -> Result<Answer> {
		Ok(self.recipe.answer(output, &self.spec)?)
	}
}

/// The values of a tensor of 32-bit floats.
pub fn values(tensor: &Tensor) -> Vec<f32> {
	tensor
		.data
		.as_chunks::<4>()
		.0
		.iter()
		.map(|bytes| f32::from_le_bytes(*bytes))
		.collect()
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
	ensure!(a.len() == b.len(), "{} values instead of {}", a.len(), b.len());
	Ok(a.iter()
		.zip(b)
		.map(|(a, b)| if a.to_bits() == b.to_bits() { 0.0 } else { (a - b).abs() })
		.fold(0.0, f32::max))
}
