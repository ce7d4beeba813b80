//! The cheapest cheat that computes something: the same model with its weights rounded.
//!
//! Floats become multiples of 1/127 of the greatest value of their channel, as an int8 copy has them; weights that are
//! 8-bit integers already keep their upper four bits. The file stays an ONNX file of the same size, so that nothing else
//! changes: operators, shapes, trace.

use crate::precheck::{
	wire::{fields, put_bytes, Value},
	Refusal,
};
use half::{bf16, f16};

/// Smaller constants are shapes, scales and masks; no copy is cheaper for rounding them.
const MIN_WEIGHTS: usize = 256;

/// Steps of an 8-bit weight on either side of zero.
const STEPS: f64 = 127.0;

/// The file with rounded weights, for a file that has passed the pre-check. `None`: it has no weights.
pub fn rounded_copy(model: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
	let mut rounded = 0;
	let file = message(model, &mut |number, value| match number {
		7 => graph(value, &mut rounded).map(Some),
		_ => Ok(None),
	})?;
	Ok((rounded > 0).then_some(file))
}

/// The message with the fields for which `change` has something else. Subgraphs are not nested deeper than the pre-check
/// allows.
fn message(
	bytes: &[u8],
	change: &mut dyn FnMut(u32, &[u8]) -> Result<Option<Vec<u8>>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
	let mut written = Vec::with_capacity(bytes.len());
	for field in fields(bytes) {
		let field = field?;
		let changed = match field.value {
			Value::Bytes(value) => change(field.number, value)?,
			_ => None,
		};
		match changed {
			Some(value) => put_bytes(&mut written, field.number, &value),
			None => written.extend_from_slice(field.raw),
		}
	}
	Ok(written)
}

fn graph(bytes: &[u8], rounded: &mut u32) -> Result<Vec<u8>, Refusal> {
	message(bytes, &mut |number, value| match number {
		1 => message(value, &mut |number, value| match number {
			5 => attribute(value, rounded).map(Some),
			_ => Ok(None),
		})
		.map(Some),
		5 => tensor(value, rounded),
		_ => Ok(None),
	})
}

fn attribute(bytes: &[u8], rounded: &mut u32) -> Result<Vec<u8>, Refusal> {
	message(bytes, &mut |number, value| match number {
		5 => tensor(value, rounded),
		6 | 11 => graph(value, rounded).map(Some),
		_ => Ok(None),
	})
}

/// A rounded weight; `None` for another constant.
fn tensor(bytes: &[u8], rounded: &mut u32) -> Result<Option<Vec<u8>>, Refusal> {
	let (mut dims, mut kind) = (Vec::new(), 0);
	for field in fields(bytes) {
		let field = field?;
		match field.number {
			1 => field.numbers(|dim| {
				dims.push(usize::try_from(dim).unwrap_or(0));
				Ok(())
			})?,
			2 => kind = field.varint()?,
			_ => {}
		}
	}
	let elements = dims
		.iter()
		.try_fold(1usize, |all, dim| all.checked_mul(*dim))
		.unwrap_or(0);
	if elements < MIN_WEIGHTS || dims.iter().filter(|dim| **dim > 1).count() < 2 {
		return Ok(None);
	}
	let mut changed = false;
	let file = message(bytes, &mut |number, value| {
		// Raw data, or packed 32-bit floats or doubles: the same bytes.
		let holds_data = number == 9 || (number == 4 && kind == 1) || (number == 10 && kind == 11);
		let data = if holds_data { round(kind, &dims, value) } else { None };
		changed |= data.is_some();
		Ok(data)
	})?;
	*rounded += u32::from(changed);
	Ok(changed.then_some(file))
}

/// The data of a weight with ONNX's type number `kind`, rounded.
fn round(kind: u64, dims: &[usize], data: &[u8]) -> Option<Vec<u8>> {
	macro_rules! floats {
		($kind:ty, $from:path, $to:path) => {{
			let (chunks, rest) = data.as_chunks::<{ size_of::<$kind>() }>();
			let mut values: Vec<f64> = chunks
				.iter()
				.map(|bytes| $from(<$kind>::from_le_bytes(*bytes)))
				.collect();
			if !rest.is_empty() || values.len() != dims.iter().product::<usize>() {
				return None;
			}
			round_floats(dims, &mut values);
			values.iter().flat_map(|value| $to(*value).to_le_bytes()).collect()
		}};
	}
	Some(match kind {
		1 => floats!(f32, f64::from, narrow),
		11 => floats!(f64, std::convert::identity, std::convert::identity),
		10 => floats!(f16, f64::from, f16::from_f64),
		16 => floats!(bf16, f64::from, bf16::from_f64),
		2 => data
			.iter()
			.map(|byte| (byte.saturating_add(8) / 16).min(15) * 16)
			.collect(),
		3 => data
			.iter()
			.map(|byte| ((i16::from(*byte as i8) + 8).div_euclid(16).min(7) * 16) as i8 as u8)
			.collect(),
		_ => return None,
	})
}

fn narrow(value: f64) -> f32 {
	value as f32
}

/// Rounds channel by channel: the columns of a matrix, the filters of anything with more dimensions. A good copy is the
/// harder one to see.
fn round_floats(dims: &[usize], values: &mut [f64]) {
	let channel = |index: usize| match dims {
		[_, columns] => index % columns,
		_ => index / (values_of(dims) / dims[0].max(1)).max(1),
	};
	let channels = match dims {
		[_, columns] => *columns,
		_ => dims[0],
	};
	let mut most = vec![0f64; channels];
	for (index, value) in values.iter().enumerate() {
		if value.is_finite() {
			let most = &mut most[channel(index)];
			*most = most.max(value.abs());
		}
	}
	for (index, value) in values.iter_mut().enumerate() {
		let step = most[channel(index)] / STEPS;
		if value.is_finite() && step > 0.0 {
			*value = (*value / step).round() * step;
		}
	}
}

fn values_of(dims: &[usize]) -> usize {
	dims.iter().product()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::precheck::wire::put_number;

	fn field(number: u32, value: &[u8]) -> Vec<u8> {
		let mut bytes = Vec::new();
		put_bytes(&mut bytes, number, value);
		bytes
	}

	fn number(number: u32, value: u64) -> Vec<u8> {
		let mut bytes = Vec::new();
		put_number(&mut bytes, number, value);
		bytes
	}

	fn constant(dims: &[u64], kind: u64, data: &[u8]) -> Vec<u8> {
		let dims: Vec<u8> = dims.iter().flat_map(|dim| number(1, *dim)).collect();
		[dims, number(2, kind), field(8, b"w"), field(9, data)].concat()
	}

	fn weights() -> Vec<f32> {
		(0..512).map(|i| ((i * 37 % 101) as f32 - 50.0) / 33.0).collect()
	}

	fn bytes_of(values: &[f32]) -> Vec<u8> {
		values.iter().flat_map(|value| value.to_le_bytes()).collect()
	}

	/// The floats at the end of a file that ends with raw data.
	fn last_floats(file: &[u8], count: usize) -> Vec<f32> {
		let (chunks, _) = file[file.len() - 4 * count..].as_chunks::<4>();
		chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
	}

	#[test]
	fn weights_should_be_multiples_of_their_columns_step_when_rounded() {
		let before = weights();
		let model = field(7, &field(5, &constant(&[32, 16], 1, &bytes_of(&before))));
		let copy = rounded_copy(&model).unwrap().unwrap();
		assert_eq!(copy.len(), model.len());
		let after = last_floats(&copy, 512);
		assert_ne!(before, after);
		for column in 0..16 {
			let of = |values: &[f32]| -> Vec<f64> {
				values
					.iter()
					.skip(column)
					.step_by(16)
					.map(|value| f64::from(*value))
					.collect()
			};
			let (before, after) = (of(&before), of(&after));
			let step = before.iter().fold(0f64, |most, value| most.max(value.abs())) / 127.0;
			for (before, after) in before.iter().zip(&after) {
				assert!((before - after).abs() <= step / 2.0 + 1e-6);
				let steps = after / step;
				assert!((steps - steps.round()).abs() < 1e-3, "{steps}");
			}
		}
	}

	#[test]
	fn filters_should_have_steps_of_their_own_when_rounded() {
		let mut values = vec![0.0; 512];
		for (index, value) in values.iter_mut().enumerate() {
			*value = (index % 100) as f64 * if index < 256 { 1.0 } else { 1000.0 };
		}
		let before = values.clone();
		round_floats(&[2, 4, 64], &mut values);
		for (index, (before, after)) in before.iter().zip(&values).enumerate() {
			let step = 99.0 / 127.0 * if index < 256 { 1.0 } else { 1000.0 };
			assert!((before - after).abs() <= step / 2.0 + 1e-9);
		}
	}

	#[test]
	fn weights_within_branches_and_constant_nodes_should_be_rounded() {
		let weight = constant(&[32, 16], 1, &bytes_of(&weights()));
		let branch = field(5, &[field(1, b"then_branch"), field(6, &field(5, &weight))].concat());
		let value = field(5, &[field(1, b"value"), field(5, &weight)].concat());
		for node in [branch, value] {
			let model = field(7, &field(1, &node));
			let copy = rounded_copy(&model).unwrap().unwrap();
			assert_eq!(copy.len(), model.len());
			assert_ne!(last_floats(&copy, 512), weights());
		}
	}

	#[test]
	fn eight_bit_weights_should_keep_their_upper_bits() {
		let data: Vec<u8> = (0..=255).collect();
		for kind in [2, 3] {
			let model = field(7, &field(5, &constant(&[16, 16], kind, &data)));
			let copy = rounded_copy(&model).unwrap().unwrap();
			for (before, after) in data.iter().zip(&copy[copy.len() - 256..]) {
				assert_eq!(after % 16, 0);
				let away = match kind {
					2 => (i16::from(*before) - i16::from(*after)).abs(),
					_ => (i16::from(*before as i8) - i16::from(*after as i8)).abs(),
				};
				assert!(away <= 15, "{before} became {after}");
			}
		}
	}

	#[test]
	fn there_should_be_no_copy_when_there_are_no_weights() {
		let floats = bytes_of(&weights());
		for other in [
			constant(&[512], 1, &floats),
			// A scale of each row.
			constant(&[512, 1], 1, &floats),
			constant(&[2, 2], 1, &floats[..16]),
			constant(&[16, 16], 7, &[1; 2048]),
		] {
			assert_eq!(rounded_copy(&field(7, &field(5, &other))), Ok(None));
		}
		assert!(rounded_copy(&[0xff]).is_err());
	}
}
