//! Inputs and outputs: safetensors files.

use crate::{memory::within, seed, Target};
use highway_offchain_worker::tensors::{
	check_against, check_outputs, element_size, parse, serialize, Tensor, MAX_HEADER, MAX_RANK, MAX_TENSORS,
};
use highway_primitives::model::{DType, TensorSpec};

/// The target.
pub const TARGET: Target = Target {
	name: "tensors",
	check: read,
	seeds,
	rounds: 20_000,
};

/// What the longest header makes while it is read: numbers of two bytes stand in values of 32, in lists that double.
const HEADER_MEMORY: usize = 256 * MAX_HEADER as usize;

fn read(file: &[u8]) -> bool {
	let parsed = within(HEADER_MEMORY + 4 * file.len(), || parse(file));
	let Ok(tensors) = parsed else { return false };
	holds_together(&tensors);
	true
}

/// What must hold of tensors that were read.
pub(crate) fn holds_together(tensors: &[Tensor]) {
	assert!(tensors.len() <= MAX_TENSORS);
	assert!(tensors.windows(2).all(|pair| pair[0].name < pair[1].name));
	for tensor in tensors {
		assert!(tensor.shape.len() <= MAX_RANK);
		let elements = tensor.shape.iter().product::<usize>();
		assert_eq!(tensor.data.len(), elements * element_size(tensor.dtype));
	}
	// The canonical file says the same, and there is one of it.
	let canonical = serialize(tensors);
	assert_eq!(parse(&canonical).as_deref(), Ok(tensors));
	let specs: Option<Vec<TensorSpec>> = tensors.iter().map(spec_of).collect();
	if let Some(specs) = specs {
		assert_eq!(check_against(tensors, &specs), Ok(()));
		assert_eq!(check_outputs(tensors, &specs), Ok(()));
	}
}

/// A signature that the tensor fits. `None`: its name or an axis is longer than any model's.
fn spec_of(tensor: &Tensor) -> Option<TensorSpec> {
	let shape: Option<Vec<_>> = tensor
		.shape
		.iter()
		.map(|axis| u32::try_from(*axis).ok().map(Some))
		.collect();
	Some(TensorSpec {
		name: tensor.name.as_bytes().to_vec().try_into().ok()?,
		dtype: tensor.dtype,
		shape: shape?.try_into().ok()?,
	})
}

/// A tensor that counts up.
pub(crate) fn counting(name: &str, dtype: DType, shape: &[usize]) -> Tensor {
	let bytes = shape.iter().product::<usize>() * element_size(dtype);
	let data = (0..bytes).map(|at| at as u8).collect();
	Tensor::new(name, dtype, shape.to_vec(), data).expect("as many bytes as the shape has")
}

fn seeds() -> Vec<(String, Vec<u8>)> {
	let every = [
		("bool", DType::Bool),
		("u8", DType::U8),
		("i8", DType::I8),
		("i16", DType::I16),
		("u16", DType::U16),
		("f16", DType::F16),
		("bf16", DType::BF16),
		("i32", DType::I32),
		("u32", DType::U32),
		("f32", DType::F32),
		("f64", DType::F64),
		("i64", DType::I64),
		("u64", DType::U64),
	]
	.map(|(name, dtype)| counting(name, dtype, &[1]));
	let deep = counting("a \"deep\" name \u{e4}\n", DType::U8, &[1, 1, 2, 1, 1, 2, 1, 1]);
	let two = [
		counting("bytes", DType::I32, &[2, 3]),
		counting("scalar", DType::I64, &[]),
	];
	let foreign =
		|header: &str, data: &[u8]| [(header.len() as u64).to_le_bytes().as_slice(), header.as_bytes(), data].concat();
	vec![
		seed("two", serialize(&two)),
		seed("none", serialize(&[])),
		seed("no-rows", serialize(&[counting("boxes", DType::F32, &[0, 4])])),
		seed("every-type", serialize(&every)),
		seed("deep", serialize(&[deep])),
		seed(
			"with-metadata",
			foreign(
				r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#,
				&[1, 2, 3],
			),
		),
		seed(
			"refused-hole",
			foreign(r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, &[1, 2]),
		),
		seed(
			"refused-type",
			foreign(r#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, &[1]),
		),
		seed("refused-length", u64::MAX.to_le_bytes()),
		seed("refused-sum", foreign(&beyond_counting(), &[])),
	]
}

/// Eight tensors of as many bytes as can be counted in bits: together they end eight bytes before the last number, and with
/// what stands in front of them behind it.
fn beyond_counting() -> String {
	let size = u64::MAX >> 3;
	let tensor = |index: u64| {
		let (start, end) = (index * size, (index + 1) * size);
		format!("\"{index}\":{{\"dtype\":\"U8\",\"shape\":[{size}],\"data_offsets\":[{start},{end}]}}")
	};
	format!("{{{}}}", (0..8).map(tensor).collect::<Vec<_>>().join(","))
}
