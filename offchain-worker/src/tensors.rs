//! Inputs and outputs as safetensors files: named tensors, no code.
//!
//! Reading accepts any well-formed file within bounds. Writing knows one form only, the *canonical* one that is
//! hashed: tensors sorted by name, header and data in that order, no metadata, the header padded with spaces to a
//! multiple of eight bytes.

use highway_primitives::model::{DType, TensorSpec};
use safetensors::{Dtype, SafeTensors};

/// The most tensors of one file.
pub const MAX_TENSORS: usize = 16;

/// The longest header that is read, in bytes: 16 tensors of 64-byte names and 8 dimensions need less than 8 KiB.
pub const MAX_HEADER: u64 = 64 * 1024;

/// The largest file that is read, in bytes.
pub const MAX_FILE: usize = 256 << 20;

/// The most dimensions of a tensor.
pub const MAX_RANK: usize = 8;

/// Why tensors are refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TensorError {
	/// The bytes are not a safetensors file.
	#[error("not a safetensors file: {0}")]
	Malformed(String),
	/// A bound of this module is exceeded.
	#[error("{what} is {got}, at most {max} are allowed")]
	TooLarge {
		/// What is too large.
		what: &'static str,
		/// How large it is.
		got: u64,
		/// How large it may be.
		max: u64,
	},
	/// The element type is not one that a model's signature can name.
	#[error("tensor `{0}` has an element type that no model takes")]
	UnsupportedType(String),
	/// A tensor that the signature names is missing.
	#[error("tensor `{0}` is missing")]
	Missing(String),
	/// A tensor that the signature does not name.
	#[error("tensor `{0}` is not part of the model's signature")]
	Unexpected(String),
	/// A tensor has another element type than the signature says.
	#[error("tensor `{name}` has type {got:?} instead of {want:?}")]
	WrongType {
		/// Its name.
		name: String,
		/// Its element type.
		got: DType,
		/// What the signature says.
		want: DType,
	},
	/// A tensor has a shape that the signature does not allow.
	#[error("tensor `{name}` has shape {got:?}, which does not fit {want}")]
	WrongShape {
		/// Its name.
		name: String,
		/// Its shape.
		got: Vec<usize>,
		/// What the signature says; `?` is a dynamic dimension.
		want: String,
	},
}

/// One named tensor. `data` is row-major and little-endian.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
	/// Name in the ONNX graph.
	pub name: String,
	/// Element type.
	pub dtype: DType,
	/// Dimensions; empty for a scalar.
	pub shape: Vec<usize>,
	/// The elements' bytes.
	pub data: Vec<u8>,
}

/// Bytes of one element.
pub fn element_size(dtype: DType) -> usize {
	match dtype {
		DType::Bool | DType::U8 | DType::I8 => 1,
		DType::I16 | DType::U16 | DType::F16 | DType::BF16 => 2,
		DType::I32 | DType::U32 | DType::F32 => 4,
		DType::F64 | DType::I64 | DType::U64 => 8,
	}
}

/// The value of a 16-bit float of IEEE 754.
pub(crate) fn half(bits: u16) -> f64 {
	let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
	let exponent = i32::from(bits >> 10 & 0x1f);
	let fraction = f64::from(bits & 0x3ff) / 1024.0;
	sign * match exponent {
		0 => fraction * 2f64.powi(-14),
		0x1f if fraction == 0.0 => f64::INFINITY,
		0x1f => f64::NAN,
		exponent => (1.0 + fraction) * 2f64.powi(exponent - 15),
	}
}

/// The value of a bfloat16, the upper half of a 32-bit float.
pub(crate) fn bfloat(bits: u16) -> f64 {
	f32::from_bits(u32::from(bits) << 16).into()
}

impl Tensor {
	/// The tensor, if `data` has as many bytes as type and shape ask for.
	pub fn new(name: impl Into<String>, dtype: DType, shape: Vec<usize>, data: Vec<u8>) -> Result<Self, TensorError> {
		let name = name.into();
		let bytes = shape
			.iter()
			.try_fold(element_size(dtype), |bytes, dim| bytes.checked_mul(*dim));
		if bytes != Some(data.len()) {
			return Err(TensorError::Malformed(format!(
				"tensor `{name}` of shape {shape:?} and type {dtype:?} does not have {} bytes",
				data.len()
			)));
		}
		Ok(Self {
			name,
			dtype,
			shape,
			data,
		})
	}

	/// Length of the first axis; a scalar has one row.
	pub fn rows(&self) -> usize {
		self.shape.first().copied().unwrap_or(1)
	}
}

fn from_file_type(dtype: Dtype) -> Option<DType> {
	Some(match dtype {
		Dtype::BOOL => DType::Bool,
		Dtype::U8 => DType::U8,
		Dtype::I8 => DType::I8,
		Dtype::I16 => DType::I16,
		Dtype::U16 => DType::U16,
		Dtype::F16 => DType::F16,
		Dtype::BF16 => DType::BF16,
		Dtype::I32 => DType::I32,
		Dtype::U32 => DType::U32,
		Dtype::F32 => DType::F32,
		Dtype::F64 => DType::F64,
		Dtype::I64 => DType::I64,
		Dtype::U64 => DType::U64,
		_ => return None,
	})
}

fn type_name(dtype: DType) -> &'static str {
	match dtype {
		DType::Bool => "BOOL",
		DType::U8 => "U8",
		DType::I8 => "I8",
		DType::I16 => "I16",
		DType::U16 => "U16",
		DType::F16 => "F16",
		DType::BF16 => "BF16",
		DType::I32 => "I32",
		DType::U32 => "U32",
		DType::F32 => "F32",
		DType::F64 => "F64",
		DType::I64 => "I64",
		DType::U64 => "U64",
	}
}

fn bounded(what: &'static str, got: u64, max: u64) -> Result<(), TensorError> {
	if got > max {
		return Err(TensorError::TooLarge { what, got, max });
	}
	Ok(())
}

/// The tensors of a safetensors file, sorted by name.
pub fn parse(file: &[u8]) -> Result<Vec<Tensor>, TensorError> {
	bounded("the file's size", file.len() as u64, MAX_FILE as u64)?;
	let header = file
		.first_chunk::<8>()
		.map(|length| u64::from_le_bytes(*length))
		.ok_or_else(|| TensorError::Malformed("shorter than its own header".into()))?;
	bounded("the header's length", header, MAX_HEADER)?;
	let parsed = SafeTensors::deserialize(file).map_err(|error| TensorError::Malformed(error.to_string()))?;
	bounded("the number of tensors", parsed.len() as u64, MAX_TENSORS as u64)?;
	let mut tensors = Vec::with_capacity(parsed.len());
	for (name, view) in parsed.iter() {
		bounded("the number of dimensions", view.shape().len() as u64, MAX_RANK as u64)?;
		let dtype = from_file_type(view.dtype()).ok_or_else(|| TensorError::UnsupportedType(name.into()))?;
		tensors.push(Tensor::new(name, dtype, view.shape().to_vec(), view.data().to_vec())?);
	}
	tensors.sort_by(|a, b| a.name.cmp(&b.name));
	Ok(tensors)
}

/// The canonical safetensors file of `tensors`, whatever their order.
pub fn serialize(tensors: &[Tensor]) -> Vec<u8> {
	let mut sorted: Vec<&Tensor> = tensors.iter().collect();
	sorted.sort_by(|a, b| a.name.cmp(&b.name));
	let mut header = String::from("{");
	let mut offset = 0usize;
	for (index, tensor) in sorted.iter().enumerate() {
		let end = offset + tensor.data.len();
		if index > 0 {
			header.push(',');
		}
		header.push_str(&serde_json::Value::from(tensor.name.as_str()).to_string());
		let dims: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
		header.push_str(&format!(
			":{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{offset},{end}]}}",
			type_name(tensor.dtype),
			dims.join(",")
		));
		offset = end;
	}
	header.push('}');
	while header.len() % 8 != 0 {
		header.push(' ');
	}
	let mut file = Vec::with_capacity(8 + header.len() + offset);
	file.extend_from_slice(&(header.len() as u64).to_le_bytes());
	file.extend_from_slice(header.as_bytes());
	for tensor in sorted {
		file.extend_from_slice(&tensor.data);
	}
	file
}

/// Whether the inputs `tensors` are exactly those of `spec`, in any order, with the types and shapes that it allows. A
/// dynamic dimension is at least 1.
pub fn check_against(tensors: &[Tensor], spec: &[TensorSpec]) -> Result<(), TensorError> {
	check(tensors, spec, 1)
}

/// The same for outputs, whose dynamic dimensions may be 0: a detector that finds nothing says so.
pub fn check_outputs(tensors: &[Tensor], spec: &[TensorSpec]) -> Result<(), TensorError> {
	check(tensors, spec, 0)
}

fn check(tensors: &[Tensor], spec: &[TensorSpec], least: usize) -> Result<(), TensorError> {
	for tensor in tensors {
		if !spec
			.iter()
			.any(|wanted| wanted.name.as_slice() == tensor.name.as_bytes())
		{
			return Err(TensorError::Unexpected(tensor.name.clone()));
		}
	}
	for wanted in spec {
		let name = String::from_utf8_lossy(&wanted.name);
		let tensor = tensors
			.iter()
			.find(|tensor| tensor.name == name)
			.ok_or_else(|| TensorError::Missing(name.to_string()))?;
		if tensor.dtype != wanted.dtype {
			return Err(TensorError::WrongType {
				name: name.to_string(),
				got: tensor.dtype,
				want: wanted.dtype,
			});
		}
		let fits = tensor.shape.len() == wanted.shape.len()
			&& tensor
				.shape
				.iter()
				.zip(&wanted.shape)
				.all(|(got, want)| want.map_or(*got >= least, |want| want as usize == *got));
		if !fits {
			let dims: Vec<String> = wanted
				.shape
				.iter()
				.map(|dim| dim.map_or("?".into(), |dim| dim.to_string()))
				.collect();
			return Err(TensorError::WrongShape {
				name: name.to_string(),
				got: tensor.shape.clone(),
				want: format!("[{}]", dims.join(", ")),
			});
		}
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn spec(name: &str, dtype: DType, shape: &[Option<u32>]) -> TensorSpec {
		TensorSpec {
			name: name.as_bytes().to_vec().try_into().unwrap(),
			dtype,
			shape: shape.to_vec().try_into().unwrap(),
		}
	}

	fn two() -> Vec<Tensor> {
		vec![
			Tensor::new("b", DType::F32, vec![2], vec![1; 8]).unwrap(),
			Tensor::new("a", DType::I64, vec![], vec![2; 8]).unwrap(),
		]
	}

	#[test]
	fn serialize_should_be_independent_of_order_when_tensors_are_equal() {
		let mut reversed = two();
		reversed.reverse();
		let file = serialize(&two());
		assert_eq!(file, serialize(&reversed));
		assert_eq!(parse(&file).unwrap(), reversed);
		let header = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
		let text = std::str::from_utf8(&file[8..8 + header]).unwrap();
		assert_eq!(
			text.trim_end(),
			r#"{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#
		);
	}

	#[test]
	fn parse_should_refuse_when_bounds_are_exceeded() {
		assert!(matches!(parse(b"1234"), Err(TensorError::Malformed(_))));
		assert!(matches!(
			parse(&u64::MAX.to_le_bytes()),
			Err(TensorError::TooLarge { .. })
		));
		let many: Vec<_> = (0..17)
			.map(|i| Tensor::new(format!("t{i}"), DType::U8, vec![1], vec![0]).unwrap())
			.collect();
		assert!(matches!(parse(&serialize(&many)), Err(TensorError::TooLarge { .. })));
		let mut cut = serialize(&two());
		cut.pop();
		assert!(matches!(parse(&cut), Err(TensorError::Malformed(_))));
	}

	#[test]
	fn check_against_should_name_the_fault_when_tensors_do_not_fit() {
		let wanted = [spec("a", DType::I64, &[]), spec("b", DType::F32, &[None])];
		assert_eq!(check_against(&two(), &wanted), Ok(()));
		assert_eq!(
			check_against(&two()[..1], &wanted),
			Err(TensorError::Missing("a".into()))
		);
		assert_eq!(
			check_against(&two(), &wanted[..1]),
			Err(TensorError::Unexpected("b".into()))
		);
		let other_type = [spec("a", DType::I32, &[]), wanted[1].clone()];
		assert!(matches!(
			check_against(&two(), &other_type),
			Err(TensorError::WrongType { .. })
		));
		let other_shape = [wanted[0].clone(), spec("b", DType::F32, &[Some(3)])];
		assert!(matches!(
			check_against(&two(), &other_shape),
			Err(TensorError::WrongShape { .. })
		));
		let empty = [Tensor::new("b", DType::F32, vec![0], vec![]).unwrap()];
		assert!(matches!(
			check_against(&empty, &wanted[1..]),
			Err(TensorError::WrongShape { .. })
		));
		assert_eq!(check_outputs(&empty, &wanted[1..]), Ok(()));
		assert!(matches!(
			check_outputs(&empty, &other_shape[1..]),
			Err(TensorError::WrongShape { .. })
		));
	}

	proptest! {
		#[test]
		fn parse_should_never_panic_when_bytes_are_arbitrary(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
			let _ = parse(&bytes);
		}

		#[test]
		fn parse_should_never_panic_when_a_file_is_mutated(at in 0usize..130, value: u8) {
			let mut file = serialize(&two());
			let at = at % file.len();
			file[at] = value;
			if let Ok(tensors) = parse(&file) {
				prop_assert_eq!(parse(&serialize(&tensors)).unwrap(), tensors);
			}
		}
	}
}
