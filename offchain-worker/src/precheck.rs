//! Looks at an ONNX file before ONNX Runtime does, and refuses what no honest model needs.
//!
//! The check reads the file's protobuf without building anything from it: time is linear in the file's size times the
//! depth of its subgraphs, memory is a handful of small tables, and recursion is bounded. What it refuses:
//! external data anywhere (a path, or an address in memory), local functions (their nesting multiplies), operators
//! of domains that are not allow-listed, random operators, operators that read other files, `.ort` files, subgraphs
//! deeper than [`Limits::max_depth`], constants that hold less data than their shape claims, and literal shapes
//! that would make a small file a large tensor.
//!
//! It is not a proof of anything: time and memory of the child process are limited as well.

mod graph;
pub(crate) mod wire;

use highway_primitives::model::{DType, MaxTensors, TensorSpec};
use sp_core::{bounded::BoundedVec, Get};

/// Bounds of what a model may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
	/// Bytes of the file. Protobuf's own limit for one message is 2 GiB.
	pub max_bytes: u64,
	/// Nodes in all graphs together, and as many constants.
	pub max_nodes: u64,
	/// Depth of subgraphs below the main graph.
	pub max_depth: u32,
	/// Elements of any tensor whose shape the file states.
	pub max_elements: u64,
	/// Elements that one operator makes out of a literal shape, such as `ConstantOfShape`.
	pub max_generated_elements: u64,
}

impl Default for Limits {
	fn default() -> Self {
		Self {
			max_bytes: 2 << 30,
			max_nodes: 200_000,
			max_depth: 4,
			max_elements: 1 << 30,
			// A causal mask of 8192 tokens.
			max_generated_elements: 1 << 26,
		}
	}
}

/// Why a model is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
	/// The file ends in the middle of a field.
	#[error("the file is truncated")]
	Truncated,
	/// The file is not ONNX's protobuf.
	#[error("not an ONNX file: {0}")]
	Malformed(&'static str),
	/// An `.ort` file.
	#[error("an .ort file is not accepted: register the ONNX file that it was made from")]
	OrtFormat,
	/// Data outside the file.
	#[error("tensor `{0}` has its data outside the file: save the model with all weights inside")]
	ExternalData(String),
	/// A function defined in the file.
	#[error("the model defines functions: inline them before registration")]
	LocalFunctions,
	/// A training graph.
	#[error("the model carries training information: export it for inference")]
	TrainingInfo,
	/// An operator of an unknown domain.
	#[error("operator `{operator}` of domain `{domain}` is not allowed")]
	UnknownDomain {
		/// The operator.
		operator: String,
		/// Its domain.
		domain: String,
	},
	/// An operator that gives another result each time, or reads files.
	#[error("operator `{0}` is not allowed")]
	ForbiddenOperator(String),
	/// Subgraphs within subgraphs.
	#[error("subgraphs are nested more than {0} deep")]
	TooDeep(u32),
	/// A limit is exceeded.
	#[error("{what} is {got}, at most {max} is allowed")]
	TooLarge {
		/// What is too large.
		what: &'static str,
		/// How large it is.
		got: u64,
		/// How large it may be.
		max: u64,
	},
	/// Shape and data of a constant contradict each other.
	#[error("constant `{0}` does not hold as much data as its shape claims")]
	ShapeMismatch(String),
	/// A shape that no tensor has.
	#[error("`{0}` has an impossible shape")]
	AbsurdShape(String),
	/// The model takes or gives something that a job cannot carry.
	#[error("`{name}` cannot cross the network: {reason}")]
	UnsupportedSignature {
		/// The input or output.
		name: String,
		/// Why.
		reason: &'static str,
	},
	/// The registered trace is not there.
	#[error("the file has no output `{0}` to be the trace")]
	NoTrace(String),
	/// The registered trace cannot be sketched.
	#[error("output `{0}` cannot be the trace: it is not a tensor of 32-bit or 64-bit floats")]
	TraceNotFloat(String),
}

/// The output that carries a model's trace. It is never delivered, so its name may be long and its rank unstated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceOutput {
	/// Element type: `F32` or `F64`.
	pub dtype: DType,
	/// Dimensions, as far as the file states them.
	pub shape: Option<Vec<Option<u32>>>,
}

/// What a model takes and gives, as its file says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelSignature {
	/// Inputs in the order of the graph, without those that have a value in the file.
	pub inputs: Vec<TensorSpec>,
	/// Outputs in the order of the graph, without the trace.
	pub outputs: Vec<TensorSpec>,
	/// The trace that was asked for.
	pub trace: Option<TraceOutput>,
	/// Whether an operator is known to let one row of a batch change another, as dynamic quantisation does.
	pub mixes_rows: bool,
	/// Nodes in all graphs together, and as many constants.
	pub nodes: u64,
}

impl ModelSignature {
	/// Inputs in the form of a version's specification.
	pub fn bounded_inputs(&self) -> Option<BoundedVec<TensorSpec, MaxTensors>> {
		self.inputs.clone().try_into().ok()
	}

	/// Outputs in the form of a version's specification.
	pub fn bounded_outputs(&self) -> Option<BoundedVec<TensorSpec, MaxTensors>> {
		self.outputs.clone().try_into().ok()
	}

	/// Whether a version registered with these tensors is this model: its inputs are the model's, in any order, its
	/// outputs some of the model's, and every dimension that the file states is the same.
	pub fn admits(&self, inputs: &[TensorSpec], outputs: &[TensorSpec]) -> Result<(), String> {
		let fits = |registered: &TensorSpec, side: &str, ours: &[TensorSpec]| {
			let name = String::from_utf8_lossy(&registered.name);
			let real = ours
				.iter()
				.find(|tensor| tensor.name == registered.name)
				.ok_or_else(|| format!("the file has no {side} `{name}`"))?;
			if real.dtype != registered.dtype {
				return Err(format!(
					"{side} `{name}` is {:?}, not {:?}",
					real.dtype, registered.dtype
				));
			}
			let same_shape = real.shape.len() == registered.shape.len()
				&& real
					.shape
					.iter()
					.zip(&registered.shape)
					.all(|(real, registered)| real.is_none() || real == registered);
			if same_shape {
				Ok(())
			} else {
				Err(format!("{side} `{name}` has another shape than registered"))
			}
		};
		if inputs.len() != self.inputs.len() {
			return Err(format!(
				"the file takes {} inputs, {} are registered",
				self.inputs.len(),
				inputs.len()
			));
		}
		inputs
			.iter()
			.try_for_each(|tensor| fits(tensor, "input", &self.inputs))?;
		outputs
			.iter()
			.try_for_each(|tensor| fits(tensor, "output", &self.outputs))
	}
}

/// Checks an ONNX file against `limits` and returns what it takes and gives.
pub fn check(model: &[u8], limits: &Limits) -> Result<ModelSignature, Refusal> {
	check_traced(model, limits, None)
}

/// [`check`] for a file one of whose outputs is the trace.
pub fn check_traced(model: &[u8], limits: &Limits, trace: Option<&str>) -> Result<ModelSignature, Refusal> {
	let size = model.len() as u64;
	if size > limits.max_bytes {
		return Err(Refusal::TooLarge {
			what: "the file's size",
			got: size,
			max: limits.max_bytes,
		});
	}
	if model.get(4..8) == Some(b"ORTM") {
		return Err(Refusal::OrtFormat);
	}
	let signature = graph::model(model, limits, trace.map(str::as_bytes))?;
	let most = <MaxTensors as Get<u32>>::get();
	for tensors in [&signature.inputs, &signature.outputs] {
		if tensors.len() > most as usize {
			return Err(Refusal::TooLarge {
				what: graph::TENSORS,
				got: tensors.len() as u64,
				max: most.into(),
			});
		}
	}
	if signature.outputs.is_empty() {
		return Err(Refusal::Malformed("the graph has no outputs"));
	}
	Ok(signature)
}

/// What an ONNX file takes and gives, checked with the default [`Limits`].
pub fn signature(model: &[u8]) -> Result<ModelSignature, Refusal> {
	check(model, &Limits::default())
}
