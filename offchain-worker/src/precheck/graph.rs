//! Walks models, graphs, nodes, tensors and types. Field numbers are those of `onnx.proto`.

use super::{
	wire::{fields, Field, Value},
	Limits, ModelSignature, Refusal, TraceOutput,
};
use highway_primitives::model::{DType, MaxTensors, TensorSpec};
use sp_core::Get;
use std::collections::{HashMap, HashSet};

/// Domains whose operators are part of ONNX Runtime itself.
const DOMAINS: [&[u8]; 4] = [b"", b"ai.onnx", b"ai.onnx.ml", b"com.microsoft"];

/// Operators with another result each time, whatever their attributes, or in training, for which they are there;
/// `EPContext`, which loads a file that it names.
const FORBIDDEN: [&[u8]; 12] = [
	b"RandomNormal",
	b"RandomNormalLike",
	b"RandomUniform",
	b"RandomUniformLike",
	b"Multinomial",
	b"Bernoulli",
	b"Sampling",
	b"BiasDropout",
	b"BitmaskDropout",
	b"BitmaskBiasDropout",
	b"EPContext",
	b"PyOp",
];

/// Operators that quantise with the extremes of the whole batch.
const ROW_MIXING: [&[u8]; 3] = [
	b"DynamicQuantizeLinear",
	b"DynamicQuantizeMatMul",
	b"DynamicQuantizeLSTM",
];

/// Types within types, such as a sequence of optional tensors.
const MAX_TYPE_DEPTH: u32 = 4;

/// Literals longer than this are no shape.
const MAX_LITERAL: u64 = 64;

/// What there may be [`MaxTensors`] of on either side of a model.
pub(super) const TENSORS: &str = "the number of inputs or outputs";

type Literals<'a> = HashMap<&'a [u8], Vec<i64>>;

fn text(bytes: &[u8]) -> String {
	let mut name = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]).into_owned();
	name.retain(|c| !c.is_control());
	name
}

/// Two values of a field that has one would be merged or overridden by protobuf: no exporter writes that.
fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), Refusal> {
	match slot.replace(value) {
		Some(_) => Err(Refusal::Malformed("a field occurs twice")),
		None => Ok(()),
	}
}

fn at_most(what: &'static str, got: u64, max: u64) -> Result<(), Refusal> {
	if got > max {
		return Err(Refusal::TooLarge { what, got, max });
	}
	Ok(())
}

struct Walk<'l> {
	limits: &'l Limits,
	nodes: u64,
	constants: u64,
	mixes_rows: bool,
}

/// The value of the input at `index` of a node, if it is a literal.
fn literal<'s>(inputs: &[&[u8]], index: usize, scopes: &'s [Literals<'_>]) -> Option<&'s Vec<i64>> {
	let name = inputs.get(index)?;
	scopes.iter().rev().find_map(|scope| scope.get::<[u8]>(name))
}

/// Whether a `Dropout` may drop something: its third input, `training_mode`, is there and is not the literal `false`.
fn may_train(inputs: &[&[u8]], scopes: &[Literals<'_>]) -> bool {
	let given = inputs.get(2).is_some_and(|name| !name.is_empty());
	given && literal(inputs, 2, scopes).is_none_or(|flag| flag != &[0])
}

/// Notes a literal. Two values of one name: which one the runtime takes is not for us to guess.
fn note<'a>(literals: &mut Literals<'a>, name: &'a [u8], value: Vec<i64>) -> Result<(), Refusal> {
	match literals.insert(name, value.clone()) {
		Some(before) if before != value => Err(Refusal::Malformed("a constant has two values")),
		_ => Ok(()),
	}
}

/// What later checks need of a constant.
struct Constant<'a> {
	name: &'a [u8],
	literal: Option<Vec<i64>>,
}

pub(super) fn model(bytes: &[u8], limits: &Limits, trace: Option<&[u8]>) -> Result<ModelSignature, Refusal> {
	let (mut graph, mut opset, mut ir_version) = (None, false, None);
	for field in fields(bytes) {
		let field = field?;
		match field.number {
			1 => once(&mut ir_version, field.varint()?)?,
			7 => once(&mut graph, field.bytes()?)?,
			8 => {
				field.bytes()?;
				opset = true;
			}
			20 => return Err(Refusal::TrainingInfo),
			25 => return Err(Refusal::LocalFunctions),
			_ => {}
		}
	}
	let graph = graph.ok_or(Refusal::Malformed("there is no graph"))?;
	if !opset || ir_version.is_none() {
		return Err(Refusal::Malformed(
			"no version of the format or of the operators is stated",
		));
	}
	let mut walk = Walk {
		limits,
		nodes: 0,
		constants: 0,
		mixes_rows: false,
	};
	walk.graph(graph, &mut Vec::new(), 0)?;
	let (inputs, outputs, trace) = walk.signature(graph, trace)?;
	Ok(ModelSignature {
		inputs,
		outputs,
		trace,
		mixes_rows: walk.mixes_rows,
		nodes: walk.nodes,
	})
}

impl Walk<'_> {
	fn graph<'a>(&mut self, bytes: &'a [u8], scopes: &mut Vec<Literals<'a>>, depth: u32) -> Result<(), Refusal> {
		if depth > self.limits.max_depth {
			return Err(Refusal::TooDeep(self.limits.max_depth));
		}
		let mut literals = Literals::new();
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				1 => {
					self.nodes += 1;
					at_most("the number of nodes", self.nodes, self.limits.max_nodes)?;
					if let Some((name, literal)) = self.constant_node(field.bytes()?)? {
						note(&mut literals, name, literal)?;
					}
				}
				5 => {
					self.constants += 1;
					at_most("the number of constants", self.constants, self.limits.max_nodes)?;
					let constant = self.tensor(field.bytes()?)?;
					if let Some(literal) = constant.literal {
						note(&mut literals, constant.name, literal)?;
					}
				}
				11..=13 => {
					self.value_info(field.bytes()?)?;
				}
				15 => self.sparse(field.bytes()?)?,
				_ => {}
			}
		}
		scopes.push(literals);
		for field in fields(bytes) {
			let field = field?;
			if field.number == 1 {
				self.node(field.bytes()?, scopes, depth)?;
			}
		}
		scopes.pop();
		Ok(())
	}

	/// Output name and value of a `Constant` node with a small value of integers or booleans.
	fn constant_node<'a>(&self, bytes: &'a [u8]) -> Result<Option<(&'a [u8], Vec<i64>)>, Refusal> {
		let (mut output, mut constant, mut literal) = (None, false, None);
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				2 => output = Some(field.bytes()?),
				4 => constant = field.bytes()? == b"Constant",
				_ => {}
			}
		}
		if !constant {
			return Ok(None);
		}
		for field in fields(bytes) {
			let field = field?;
			if field.number != 5 {
				continue;
			}
			let mut ints = Vec::new();
			for field in fields(field.bytes()?) {
				let field = field?;
				match field.number {
					5 => literal = self.tensor(field.bytes()?)?.literal,
					3 | 8 => field.numbers(|value| {
						if (ints.len() as u64) <= MAX_LITERAL {
							ints.push(value);
						}
						Ok(())
					})?,
					_ => {}
				}
			}
			if !ints.is_empty() && ints.len() as u64 <= MAX_LITERAL {
				literal = Some(ints);
			}
		}
		Ok(output.zip(literal))
	}

	fn node<'a>(&mut self, bytes: &'a [u8], scopes: &mut Vec<Literals<'a>>, depth: u32) -> Result<(), Refusal> {
		let (mut inputs, mut operator, mut domain) = (Vec::new(), None, None);
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				// The fourth is the last that a shape can stand in.
				1 if inputs.len() < 4 => inputs.push(field.bytes()?),
				4 => once(&mut operator, field.bytes()?)?,
				5 => self.attribute(field.bytes()?, scopes, depth)?,
				7 => once(&mut domain, field.bytes()?)?,
				_ => {}
			}
		}
		let operator = operator.ok_or(Refusal::Malformed("a node has no operator"))?;
		let domain = domain.unwrap_or_default();
		if !DOMAINS.contains(&domain) {
			return Err(Refusal::UnknownDomain {
				operator: text(operator),
				domain: text(domain),
			});
		}
		if FORBIDDEN.contains(&operator) {
			return Err(Refusal::ForbiddenOperator(text(operator)));
		}
		if operator == b"Dropout" && may_train(&inputs, scopes) {
			return Err(Refusal::ForbiddenOperator("Dropout in training mode".into()));
		}
		self.mixes_rows |= ROW_MIXING.contains(&operator);
		self.generated(operator, &inputs, scopes)
	}

	/// Bounds what an operator makes out of literals.
	fn generated(&self, operator: &[u8], inputs: &[&[u8]], scopes: &[Literals<'_>]) -> Result<(), Refusal> {
		let literal = |index: usize| literal(inputs, index, scopes);
		let product = |index: usize| {
			literal(index).map(|dims| {
				dims.iter()
					.fold(1u64, |all, dim| all.saturating_mul(dim.unsigned_abs()))
			})
		};
		let total = match operator {
			b"ConstantOfShape" => product(0),
			b"Expand" | b"Tile" | b"OneHot" => product(1),
			b"Resize" => product(3),
			b"Pad" => literal(1).map(|pads| {
				pads.iter()
					.fold(0u64, |all, pad| all.saturating_add(pad.unsigned_abs()))
			}),
			b"Range" => match (literal(0), literal(1), literal(2)) {
				(Some(start), Some(limit), Some(delta)) => {
					let first = |list: &Vec<i64>| list.first().copied().unwrap_or(0);
					Some(first(limit).abs_diff(first(start)) / first(delta).unsigned_abs().max(1))
				}
				_ => None,
			},
			_ => None,
		};
		at_most(
			"the size of a tensor made from a literal shape",
			total.unwrap_or(0),
			self.limits.max_generated_elements,
		)
	}

	fn attribute<'a>(&mut self, bytes: &'a [u8], scopes: &mut Vec<Literals<'a>>, depth: u32) -> Result<(), Refusal> {
		let (mut tensor, mut graph) = (None, None);
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				5 => once(&mut tensor, field.bytes()?)?,
				6 => once(&mut graph, field.bytes()?)?,
				10 => {
					self.tensor(field.bytes()?)?;
				}
				11 => self.graph(field.bytes()?, scopes, depth + 1)?,
				14 | 15 => {
					self.type_proto(field.bytes()?, b"attribute", 0)?;
				}
				22 | 23 => self.sparse(field.bytes()?)?,
				_ => {}
			}
		}
		if let Some(tensor) = tensor {
			self.tensor(tensor)?;
		}
		match graph {
			Some(graph) => self.graph(graph, scopes, depth + 1),
			None => Ok(()),
		}
	}

	fn tensor<'a>(&self, bytes: &'a [u8]) -> Result<Constant<'a>, Refusal> {
		let (mut name, mut dtype, mut raw, mut location) = (None, None, None, None);
		let (mut elements, mut rank, mut negative, mut external, mut segment) = (1u64, 0u32, false, false, false);
		// Numbers held in typed fields, and the first of them if they are integers.
		let (mut count, mut ints) = (0u64, Vec::new());
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				1 => field.numbers(|dim| {
					rank += 1;
					negative |= dim < 0;
					elements = elements.saturating_mul(dim.unsigned_abs());
					Ok(())
				})?,
				2 => once(&mut dtype, field.varint()?)?,
				3 => segment = true,
				4 => count += fixed(&field, 4)?,
				10 => count += fixed(&field, 8)?,
				5 | 7 | 11 => field.numbers(|value| {
					count += 1;
					if count <= MAX_LITERAL {
						ints.push(value);
					}
					Ok(())
				})?,
				6 => count += 1,
				8 => once(&mut name, field.bytes()?)?,
				9 => once(&mut raw, field.bytes()?)?,
				13 => external = true,
				14 => once(&mut location, field.varint()?)?,
				_ => {}
			}
		}
		let name = name.unwrap_or_default();
		if external || location.is_some_and(|location| location != 0) {
			return Err(Refusal::ExternalData(text(name)));
		}
		if negative || rank > 64 || segment {
			return Err(Refusal::AbsurdShape(text(name)));
		}
		self.elements("the number of a constant's elements", elements)?;
		let dtype = dtype.unwrap_or(0);
		let bits = element_bits(dtype).ok_or(Refusal::Malformed("a constant has an unknown element type"))?;
		let holds = match (raw, bits) {
			(Some(_), 0) => false,
			(Some(raw), bits) => {
				elements
					.checked_mul(bits)
					.is_some_and(|bits| bits.div_ceil(8) == raw.len() as u64)
					&& count == 0
			}
			// A typed field holds one element per number; several if they are smaller than a byte.
			(None, 2 | 4) => elements <= count.saturating_mul(8 / bits),
			(None, _) => elements <= count,
		};
		if !holds {
			return Err(Refusal::ShapeMismatch(text(name)));
		}
		let literal = (elements <= MAX_LITERAL && matches!(dtype, 6 | 7 | 9)).then(|| match raw {
			Some(raw) if dtype == 9 => raw.iter().map(|byte| i64::from(*byte)).collect(),
			Some(raw) if dtype == 7 => raw
				.as_chunks::<8>()
				.0
				.iter()
				.map(|bytes| i64::from_le_bytes(*bytes))
				.collect(),
			Some(raw) => raw
				.as_chunks::<4>()
				.0
				.iter()
				.map(|bytes| i64::from(i32::from_le_bytes(*bytes)))
				.collect(),
			None => ints,
		});
		Ok(Constant { name, literal })
	}

	/// A sparse tensor: its parts, and the dense tensor that the runtime makes of it.
	fn sparse(&self, bytes: &[u8]) -> Result<(), Refusal> {
		let mut elements = 1u64;
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				1 | 2 => {
					self.tensor(field.bytes()?)?;
				}
				3 => field.numbers(|dim| {
					elements = elements.saturating_mul(u64::try_from(dim).unwrap_or(u64::MAX));
					Ok(())
				})?,
				_ => {}
			}
		}
		at_most(
			"the number of a sparse tensor's elements",
			elements,
			self.limits.max_generated_elements,
		)
	}

	fn elements(&self, what: &'static str, got: u64) -> Result<(), Refusal> {
		at_most(what, got, self.limits.max_elements)
	}

	/// Name of a value, and its element type and shape if it is a tensor with a shape.
	fn value_info<'a>(&self, bytes: &'a [u8]) -> Result<(&'a [u8], Option<TensorType>), Refusal> {
		let (mut name, mut kind) = (None, None);
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				1 => once(&mut name, field.bytes()?)?,
				2 => once(&mut kind, field.bytes()?)?,
				_ => {}
			}
		}
		let name = name.unwrap_or_default();
		let tensor = kind.map(|kind| self.type_proto(kind, name, 0)).transpose()?.flatten();
		Ok((name, tensor))
	}

	fn type_proto(&self, bytes: &[u8], name: &[u8], depth: u32) -> Result<Option<TensorType>, Refusal> {
		if depth > MAX_TYPE_DEPTH {
			return Err(Refusal::Malformed("types are nested too deep"));
		}
		let mut tensor = None;
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				1 => once(&mut tensor, self.tensor_type(field.bytes()?, name)?)?,
				8 => {
					self.tensor_type(field.bytes()?, name)?;
				}
				// Sequence and optional hold one type in field 1, a map its values' in field 2.
				number @ (4 | 5 | 9) => {
					for field in fields(field.bytes()?) {
						let field = field?;
						if field.number == if number == 5 { 2 } else { 1 } {
							self.type_proto(field.bytes()?, name, depth + 1)?;
						}
					}
				}
				7 => return Err(Refusal::Malformed("an opaque type")),
				_ => {}
			}
		}
		Ok(tensor)
	}

	fn tensor_type(&self, bytes: &[u8], name: &[u8]) -> Result<TensorType, Refusal> {
		let (mut dtype, mut shape) = (None, None);
		for field in fields(bytes) {
			let field = field?;
			match field.number {
				1 => once(&mut dtype, field.varint()?)?,
				2 => once(&mut shape, field.bytes()?)?,
				_ => {}
			}
		}
		let mut dims = Vec::new();
		let mut elements = 1u64;
		for field in fields(shape.unwrap_or_default()) {
			let field = field?;
			if field.number != 1 {
				continue;
			}
			let mut value = None;
			for field in fields(field.bytes()?) {
				let field = field?;
				if field.number == 1 {
					once(&mut value, field.varint()? as i64)?;
				}
			}
			// Some exporters write −1 for a dynamic dimension.
			let dim = match value.filter(|dim| *dim != -1) {
				None => None,
				Some(dim) => Some(u32::try_from(dim).map_err(|_| Refusal::AbsurdShape(text(name)))?),
			};
			elements = elements.saturating_mul(dim.unwrap_or(1).into());
			if dims.len() >= 64 {
				return Err(Refusal::AbsurdShape(text(name)));
			}
			dims.push(dim);
		}
		self.elements("the number of a tensor's elements", elements)?;
		Ok(TensorType {
			dtype: dtype.unwrap_or(0),
			shape: shape.map(|_| dims),
		})
	}

	fn signature(
		&self,
		graph: &[u8],
		trace: Option<&[u8]>,
	) -> Result<(Vec<TensorSpec>, Vec<TensorSpec>, Option<TraceOutput>), Refusal> {
		let (mut inputs, mut outputs, mut initialised) = (Vec::new(), Vec::new(), HashSet::new());
		let mut traced = None;
		for field in fields(graph) {
			let field = field?;
			match field.number {
				5 => {
					initialised.insert(self.tensor(field.bytes()?)?.name);
				}
				11 => inputs.push(self.value_info(field.bytes()?)?),
				12 => match self.value_info(field.bytes()?)? {
					(name, tensor) if trace == Some(name) => once(&mut traced, trace_output(name, tensor)?)?,
					output => outputs.push(output),
				},
				_ => {}
			}
			// Two bytes of the file make one of them, which has 48 in memory: no more are kept than a model may have.
			let most = u64::from(<MaxTensors as Get<u32>>::get());
			at_most(TENSORS, outputs.len() as u64, most)?;
			at_most(TENSORS, inputs.len() as u64, most.saturating_add(self.constants))?;
		}
		if let (Some(trace), None) = (trace, &traced) {
			return Err(Refusal::NoTrace(text(trace)));
		}
		// Old files list their constants among the inputs.
		inputs.retain(|(name, _)| !initialised.contains(name));
		let specs =
			|list: Vec<(&[u8], Option<TensorType>)>| list.into_iter().map(tensor_spec).collect::<Result<Vec<_>, _>>();
		Ok((specs(inputs)?, specs(outputs)?, traced))
	}
}

struct TensorType {
	dtype: u64,
	shape: Option<Vec<Option<u32>>>,
}

fn trace_output(name: &[u8], tensor: Option<TensorType>) -> Result<TraceOutput, Refusal> {
	let not_float = || Refusal::TraceNotFloat(text(name));
	let tensor = tensor.ok_or_else(not_float)?;
	let dtype = match tensor.dtype {
		1 => DType::F32,
		11 => DType::F64,
		_ => return Err(not_float()),
	};
	Ok(TraceOutput {
		dtype,
		shape: tensor.shape,
	})
}

fn tensor_spec((name, tensor): (&[u8], Option<TensorType>)) -> Result<TensorSpec, Refusal> {
	let unsupported = |reason| Refusal::UnsupportedSignature {
		name: text(name),
		reason,
	};
	let tensor = tensor.ok_or_else(|| unsupported("it is not a tensor"))?;
	let dtype = match tensor.dtype {
		1 => DType::F32,
		2 => DType::U8,
		3 => DType::I8,
		4 => DType::U16,
		5 => DType::I16,
		6 => DType::I32,
		7 => DType::I64,
		9 => DType::Bool,
		10 => DType::F16,
		11 => DType::F64,
		12 => DType::U32,
		13 => DType::U64,
		16 => DType::BF16,
		8 => return Err(unsupported("tensors of strings are not supported")),
		_ => return Err(unsupported("its element type has no place in the safetensors format")),
	};
	let shape = tensor
		.shape
		.ok_or_else(|| unsupported("its number of dimensions is not stated"))?;
	if std::str::from_utf8(name).is_err() || name.is_empty() {
		return Err(unsupported("its name is not text"));
	}
	Ok(TensorSpec {
		name: name
			.to_vec()
			.try_into()
			.map_err(|_| unsupported("its name is longer than 64 bytes"))?,
		dtype,
		shape: shape
			.try_into()
			.map_err(|_| unsupported("it has more than 8 dimensions"))?,
	})
}

/// How many numbers of `size` bytes a field holds, packed or not.
fn fixed(field: &Field<'_>, size: u64) -> Result<u64, Refusal> {
	match field.value {
		Value::Fixed32 if size == 4 => Ok(1),
		Value::Fixed64 if size == 8 => Ok(1),
		Value::Bytes(bytes) if (bytes.len() as u64).is_multiple_of(size) => Ok(bytes.len() as u64 / size),
		_ => Err(Refusal::Malformed("a list of numbers has an impossible length")),
	}
}

/// Bits of one element; 0 for a string, which has no fixed size.
fn element_bits(dtype: u64) -> Option<u64> {
	Some(match dtype {
		8 => 0,
		25 | 26 => 2,
		21..=23 => 4,
		2 | 3 | 9 | 17..=20 | 24 => 8,
		4 | 5 | 10 | 16 => 16,
		1 | 6 | 12 => 32,
		7 | 11 | 13 | 14 => 64,
		15 => 128,
		_ => return None,
	})
}
