//! The protobuf wire format: a reader that never allocates, never recurses and never trusts a length, and the three
//! functions that write what is written here.

use super::Refusal;

/// One field of a message.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
	pub number: u32,
	pub value: Value<'a>,
	/// The whole field, with its number.
	pub raw: &'a [u8],
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
	Varint(u64),
	Fixed64,
	Fixed32,
	Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
	/// The bytes of a string, a message or a packed list.
	pub fn bytes(&self) -> Result<&'a [u8], Refusal> {
		match self.value {
			Value::Bytes(bytes) => Ok(bytes),
			_ => Err(Refusal::Malformed("a field has another wire type than ONNX says")),
		}
	}

	/// A number.
	pub fn varint(&self) -> Result<u64, Refusal> {
		match self.value {
			Value::Varint(value) => Ok(value),
			_ => Err(Refusal::Malformed("a field has another wire type than ONNX says")),
		}
	}

	/// Calls `each` with every number of a repeated field, packed or not.
	pub fn numbers(&self, mut each: impl FnMut(i64) -> Result<(), Refusal>) -> Result<(), Refusal> {
		match self.value {
			Value::Varint(value) => each(value as i64),
			Value::Bytes(mut bytes) => {
				while !bytes.is_empty() {
					each(varint(&mut bytes)? as i64)?;
				}
				Ok(())
			}
			_ => Err(Refusal::Malformed("a field has another wire type than ONNX says")),
		}
	}
}

/// The fields of a message, in the order of the file.
pub(crate) struct Fields<'a>(&'a [u8]);

/// Reads `message`.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
	Fields(message)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Refusal> {
	let mut value = 0u64;
	for (index, byte) in bytes.iter().take(10).enumerate() {
		value |= u64::from(byte & 0x7f) << (7 * index).min(63);
		if byte & 0x80 == 0 {
			*bytes = &bytes[index + 1..];
			return Ok(value);
		}
	}
	Err(if bytes.len() < 10 {
		Refusal::Truncated
	} else {
		Refusal::Malformed("a number is longer than ten bytes")
	})
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], Refusal> {
	let length = usize::try_from(length).map_err(|_| Refusal::Truncated)?;
	let (head, tail) = bytes.split_at_checked(length).ok_or(Refusal::Truncated)?;
	*bytes = tail;
	Ok(head)
}

fn next<'a>(bytes: &mut &'a [u8]) -> Result<Field<'a>, Refusal> {
	let start = *bytes;
	let key = varint(bytes)?;
	let number = u32::try_from(key >> 3).map_err(|_| Refusal::Malformed("a field number is out of range"))?;
	if number == 0 || number >= 1 << 29 {
		return Err(Refusal::Malformed("a field number is out of range"));
	}
	let value = match key & 7 {
		0 => Value::Varint(varint(bytes)?),
		1 => take(bytes, 8).map(|_| Value::Fixed64)?,
		2 => {
			let length = varint(bytes)?;
			Value::Bytes(take(bytes, length)?)
		}
		5 => take(bytes, 4).map(|_| Value::Fixed32)?,
		_ => return Err(Refusal::Malformed("a field has a wire type that ONNX does not use")),
	};
	let raw = &start[..start.len() - bytes.len()];
	Ok(Field { number, value, raw })
}

impl<'a> Iterator for Fields<'a> {
	type Item = Result<Field<'a>, Refusal>;

	fn next(&mut self) -> Option<Self::Item> {
		if self.0.is_empty() {
			return None;
		}
		let field = next(&mut self.0);
		if field.is_err() {
			self.0 = &[];
		}
		Some(field)
	}
}

/// Appends a number in seven bits per byte.
pub(crate) fn put_varint(to: &mut Vec<u8>, mut value: u64) {
	while value >= 0x80 {
		to.push(value as u8 | 0x80);
		value >>= 7;
	}
	to.push(value as u8);
}

/// Appends a field that holds a number.
pub(crate) fn put_number(to: &mut Vec<u8>, field: u32, value: u64) {
	put_varint(to, u64::from(field) << 3);
	put_varint(to, value);
}

/// Appends a field that holds a string, bytes or a message.
pub(crate) fn put_bytes(to: &mut Vec<u8>, field: u32, value: &[u8]) {
	put_varint(to, u64::from(field) << 3 | 2);
	put_varint(to, value.len() as u64);
	to.extend_from_slice(value);
}
