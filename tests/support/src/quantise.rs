//! The copy of a model that a cheat would serve: its weights rounded to int8, so that a run costs less, and plausible.
//!
//! The weights of `MatMul`, `Gemm` and convolutions in the file's main graph are rounded to 255 steps between their
//! greatest amount and its negative, and written back as 32-bit floats: the same graph and the same names, what an int8
//! kernel would compute but for its own rounding. Everything else keeps its bytes.

use crate::hostile_models::Message;
use anyhow::{bail, ensure, Context, Result};
use std::collections::BTreeSet;

/// Operators whose weights are rounded.
const LAYERS: &[&[u8]] = &[b"MatMul", b"Gemm", b"Conv", b"ConvTranspose"];

/// ONNX's number of 32-bit floats.
const FLOAT: u64 = 1;

/// Steps on either side of zero.
const STEPS: f32 = 127.0;

/// One field of a protobuf message.
struct Field<'a> {
	number: u64,
	value: Value<'a>,
	/// The whole field, with its number.
	raw: &'a [u8],
}

/// What a field holds.
#[derive(Clone, Copy)]
enum Value<'a> {
	Number(u64),
	Bytes(&'a [u8]),
	/// 32 or 64 bits, which no field that matters here has.
	Fixed,
}

/// The model with its weights rounded. Error if it is no ONNX file, or has no such weights.
pub fn int8(model: &[u8]) -> Result<Vec<u8>> {
	let mut changed = 0;
	let mut copy = Message::new();
	for field in fields(model)? {
		copy = match (field.number, field.value) {
			// `ModelProto.graph`
			(7, Value::Bytes(graph)) => copy.bytes(7, round_graph(graph, &mut changed)?),
			_ => copy.raw(field.raw),
		};
	}
	ensure!(changed > 0, "the model has no weights of 32-bit floats to round");
	Ok(copy.finish())
}

fn round_graph(graph: &[u8], changed: &mut usize) -> Result<Vec<u8>> {
	let all = fields(graph)?;
	let mut weights = BTreeSet::new();
	for field in &all {
		// `GraphProto.node`
		if let (1, Value::Bytes(node)) = (field.number, field.value) {
			weights.extend(weights_of(node)?);
		}
	}
	let mut copy = Message::new();
	for field in all {
		copy = match (field.number, field.value) {
			// `GraphProto.initializer`
			(5, Value::Bytes(tensor)) => copy.bytes(5, round_tensor(tensor, &weights, changed)?),
			_ => copy.raw(field.raw),
		};
	}
	Ok(copy.finish())
}

/// What may be weights of a node: what it multiplies, but no bias.
fn weights_of(node: &[u8]) -> Result<Vec<&[u8]>> {
	let (mut inputs, mut operator): (Vec<&[u8]>, &[u8]) = (Vec::new(), b"");
	for field in fields(node)? {
		match (field.number, field.value) {
			(1, Value::Bytes(input)) => inputs.push(input),
			(4, Value::Bytes(name)) => operator = name,
			_ => {}
		}
	}
	inputs.truncate(if LAYERS.contains(&operator) { 2 } else { 0 });
	Ok(inputs)
}

fn round_tensor(tensor: &[u8], weights: &BTreeSet<&[u8]>, changed: &mut usize) -> Result<Vec<u8>> {
	let all = fields(tensor)?;
	let is_weight = all
		.iter()
		.any(|field| matches!((field.number, field.value), (8, Value::Bytes(name)) if weights.contains(name)));
	let is_float = all
		.iter()
		.any(|field| matches!((field.number, field.value), (2, Value::Number(FLOAT))));
	if !is_weight || !is_float {
		return Ok(tensor.to_vec());
	}
	let mut copy = Message::new();
	for field in all {
		copy = match (field.number, field.value) {
			// `float_data`, packed, and `raw_data`: both little-endian.
			(number @ (4 | 9), Value::Bytes(values)) => {
				*changed += 1;
				copy.bytes(number, rounded(values))
			}
			_ => copy.raw(field.raw),
		};
	}
	Ok(copy.finish())
}

fn rounded(values: &[u8]) -> Vec<u8> {
	let (values, _) = values.as_chunks::<4>();
	let numbers = || values.iter().map(|bytes| f32::from_le_bytes(*bytes));
	let step = numbers().fold(0.0, |greatest: f32, number| greatest.max(number.abs())) / STEPS;
	if step == 0.0 {
		return values.concat();
	}
	numbers()
		.flat_map(|number| ((number / step).round() * step).to_le_bytes())
		.collect()
}

fn fields(mut message: &[u8]) -> Result<Vec<Field<'_>>> {
	let mut fields = Vec::new();
	while !message.is_empty() {
		let start = message;
		let key = varint(&mut message)?;
		let value = match key & 7 {
			0 => Value::Number(varint(&mut message)?),
			1 => take(&mut message, 8).map(|_| Value::Fixed)?,
			2 => {
				let length = varint(&mut message)?;
				Value::Bytes(take(&mut message, length)?)
			}
			5 => take(&mut message, 4).map(|_| Value::Fixed)?,
			other => bail!("no field has wire type {other}"),
		};
		let raw = &start[..start.len() - message.len()];
		fields.push(Field {
			number: key >> 3,
			value,
			raw,
		});
	}
	Ok(fields)
}

fn varint(bytes: &mut &[u8]) -> Result<u64> {
	let mut value = 0;
	for shift in (0..64).step_by(7) {
		let (byte, rest) = bytes.split_first().context("the file ends within a number")?;
		*bytes = rest;
		value |= u64::from(byte & 0x7f) << shift;
		if byte & 0x80 == 0 {
			return Ok(value);
		}
	}
	bail!("a number is longer than ten bytes")
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8]> {
	let (head, tail) = usize::try_from(length)
		.ok()
		.and_then(|length| bytes.split_at_checked(length))
		.context("the file ends within a field")?;
	*bytes = tail;
	Ok(head)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::hostile_models;
	use highway_offchain_worker::precheck;

	#[test]
	fn int8_should_change_the_weights_and_nothing_else() {
		let model = hostile_models::layered();
		let copy = int8(&model).unwrap();
		assert_ne!(copy, model);
		assert_eq!(copy.len(), model.len());
		assert_eq!(
			precheck::signature(&copy).unwrap(),
			precheck::signature(&model).unwrap()
		);
	}

	#[test]
	fn rounded_should_stay_within_half_a_step() {
		let numbers = [1.0f32, -0.3, 0.004, 0.0, -0.999];
		let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
		let copy = rounded(&bytes);
		for (number, bytes) in numbers.iter().zip(copy.as_chunks::<4>().0) {
			assert!((number - f32::from_le_bytes(*bytes)).abs() <= 0.5 / STEPS + f32::EPSILON);
		}
		assert_eq!(rounded(&[0; 8]), [0; 8]);
	}

	#[test]
	fn int8_should_refuse_what_has_no_weights() {
		assert!(int8(&hostile_models::identity()).is_err());
		assert!(int8(b"this is not a model").is_err());
	}
}
