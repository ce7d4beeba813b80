//! What the engine and its child process say to one another over their socket pair: one frame each way in turn.
//!
//! A frame is a tag (1 byte), the length of its body (4 bytes, little-endian) and the body. The child trusts the
//! engine; the engine trusts nothing: it bounds the length, and the body of an answer is parsed like a stranger's.

use serde::{Deserialize, Serialize};
use std::{
	io::{self, Read, Write},
	path::PathBuf,
};

/// Bytes before the body.
pub(super) const HEADER: usize = 5;

/// The longest body that either side accepts.
pub(super) const MAX_BODY: usize = crate::tensors::MAX_FILE;

/// The longest message text of a child.
pub(super) const MAX_TEXT: usize = 4096;

/// What a frame's body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Tag {
	/// Engine: [`Setup`] as JSON. Child: [`Tag::Done`] or [`Tag::Failed`].
	Setup = 1,
	/// Engine: load the model of this size (8 bytes, little-endian). Child: [`Tag::Done`] or [`Tag::Failed`].
	Load = 2,
	/// Engine: run on these inputs, a safetensors file. Child: the outputs likewise as [`Tag::Done`], or
	/// [`Tag::Failed`].
	Run = 3,
	/// Engine: try to get out. Child: the attempts as JSON in [`Tag::Done`].
	SelfTest = 4,
	/// Child: it worked.
	Done = 5,
	/// Child: it did not; the body says why.
	Failed = 6,
}

impl Tag {
	pub(super) fn of(byte: u8) -> Option<Self> {
		Some(match byte {
			1 => Self::Setup,
			2 => Self::Load,
			3 => Self::Run,
			4 => Self::SelfTest,
			5 => Self::Done,
			6 => Self::Failed,
			_ => return None,
		})
	}
}

/// The first frame that a child gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setup {
	/// The ONNX Runtime library.
	pub onnxruntime: PathBuf,
	/// The CUDA device, or the CPU.
	pub cuda: Option<u32>,
	/// Threads of one run.
	pub threads: u16,
	/// Whether to go on if the sandbox cannot be set up.
	pub insecure: bool,
	/// Names of the outputs to return.
	pub outputs: Vec<String>,
}

/// Header of a frame.
pub(super) fn header(tag: Tag, length: usize) -> io::Result<[u8; HEADER]> {
	let length = u32::try_from(length).ok().filter(|length| *length as usize <= MAX_BODY);
	let [a, b, c, d] = length
		.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the message is larger than 256 MiB"))?
		.to_le_bytes();
	Ok([tag as u8, a, b, c, d])
}

/// Tag and body length of a header.
pub(super) fn parse_header(header: [u8; HEADER]) -> io::Result<(Tag, usize)> {
	let [tag, a, b, c, d] = header;
	let length = u32::from_le_bytes([a, b, c, d]) as usize;
	let tag = Tag::of(tag).filter(|_| length <= MAX_BODY);
	tag.map(|tag| (tag, length))
		.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a frame"))
}

/// Writes a frame; the child's side, which waits as long as it takes.
pub(super) fn write_frame(to: &mut impl Write, tag: Tag, body: &[u8]) -> io::Result<()> {
	to.write_all(&header(tag, body.len())?)?;
	to.write_all(body)
}

/// Reads a frame; the child's side. `None`: the engine hung up.
pub(super) fn read_frame(from: &mut impl Read) -> io::Result<Option<(Tag, Vec<u8>)>> {
	let mut head = [0; HEADER];
	if let Err(error) = from.read_exact(&mut head) {
		return if error.kind() == io::ErrorKind::UnexpectedEof {
			Ok(None)
		} else {
			Err(error)
		};
	}
	let (tag, length) = parse_header(head)?;
	let mut body = vec![0; length];
	from.read_exact(&mut body)?;
	Ok(Some((tag, body)))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn frames_should_round_trip_when_written_and_read() {
		let mut wire = Vec::new();
		write_frame(&mut wire, Tag::Run, b"body").unwrap();
		write_frame(&mut wire, Tag::Done, b"").unwrap();
		let mut wire = wire.as_slice();
		assert_eq!(read_frame(&mut wire).unwrap(), Some((Tag::Run, b"body".to_vec())));
		assert_eq!(read_frame(&mut wire).unwrap(), Some((Tag::Done, vec![])));
		assert_eq!(read_frame(&mut wire).unwrap(), None);
	}

	#[test]
	fn parse_header_should_refuse_when_the_length_or_the_tag_is_wrong() {
		assert!(parse_header([5, 255, 255, 255, 255]).is_err());
		assert!(parse_header([0, 1, 0, 0, 0]).is_err());
		assert!(header(Tag::Run, MAX_BODY + 1).is_err());
	}
}
