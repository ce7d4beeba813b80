//! What the engine and its child process say to one another over their socket pair: one frame each way in turn.
//!
//! A frame is a tag (1 byte), the length of its body (4 bytes, little-endian) and the body. The child trusts the
//! engine; the engine trusts nothing: it bounds the length, and the body of an answer is parsed like a stranger's.

use super::{batch, EngineError, Optimization};
use crate::tensors::Tensor;
use codec::{Decode, DecodeAll, Encode};
use highway_primitives::{audit::SketchSeed, model::VersionSpec, Sketch};
use serde::{Deserialize, Serialize};
use std::{
	io::{self, Read, Write},
	path::PathBuf,
};

/// Bytes before the body.
pub(super) const HEADER: usize = 5;

/// The longest head of a run's frame: 64 parts with four sketches of less than 150 bytes each.
pub(super) const MAX_HEAD: usize = 64 * 1024;

/// The longest body that either side accepts.
pub const MAX_BODY: usize = 4 + MAX_HEAD + crate::tensors::MAX_FILE;

/// The longest body that is written with its header in one piece, and what readers buffer.
pub(super) const SMALL: usize = 64 * 1024;

/// The longest message text of a child.
pub const MAX_TEXT: usize = 4096;

/// Memory that a body is given at a time.
const STEP: usize = 1 << 20;

/// What a frame's body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Tag {
	/// Engine: [`Setup`] as JSON. Child: [`Tag::Done`] or [`Tag::Failed`].
	Setup = 1,
	/// Engine: load the model of this size (8 bytes, little-endian). Child: [`Tag::Done`] or [`Tag::Failed`].
	Load = 2,
	/// Engine: run; the body is a [`RunHead`] and the inputs, a safetensors file. Child: an [`AnswerHead`] and the
	/// outputs likewise as [`Tag::Done`], or [`Tag::Failed`].
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
	/// How far the graph is rewritten.
	pub optimization: Optimization,
	/// Whether to go on if the sandbox cannot be set up.
	pub insecure: bool,
	/// Names of the outputs to return.
	pub outputs: Vec<String>,
	/// Name of the output that is sketched and not returned.
	pub trace: Option<String>,
}

/// Whose rows a run has, and which sketches of them are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct RunHead {
	/// Rows of the run, padding included. `None`: its tensors have no first axis in common.
	pub rows: Option<u64>,
	/// The inputs that share the run, in the order of their rows.
	pub parts: Vec<Part>,
}

/// One input within a run.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Part {
	/// Its rows.
	pub rows: u64,
	/// Seeds of the sketches.
	pub seeds: Vec<SketchSeed>,
}

/// For each part a sketch for each seed.
pub type AnswerHead = Vec<Vec<Sketch>>;

/// What a child sent is no answer. It says why.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Nonsense(pub String);

/// A head with its length in front, as it stands before a file.
pub fn framed(head: &impl Encode) -> Vec<u8> {
	let head = head.encode();
	let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes();
	[length.as_slice(), &head].concat()
}

/// Head and file of a run's frame. `None`: the head is too long, or not one.
pub fn split_head<T: Decode>(body: &[u8]) -> Option<(T, &[u8])> {
	let (length, rest) = body.split_first_chunk::<4>()?;
	let length = u32::from_le_bytes(*length) as usize;
	let (head, file) = rest.split_at_checked(length).filter(|_| length <= MAX_HEAD)?;
	Some((T::decode_all(&mut &*head).ok()?, file))
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

/// Header and body of a frame in one piece, if it is small: every write wakes whoever reads.
pub(super) fn small_frame(header: &[u8; HEADER], parts: &[&[u8]]) -> Option<Vec<u8>> {
	let length: usize = parts.iter().map(|part| part.len()).sum();
	(length <= SMALL).then(|| [&[header.as_slice()][..], parts].concat().concat())
}

/// Writes a frame whose body is `parts` in turn; the child's side, which waits as long as it takes.
pub fn write_frame(to: &mut impl Write, tag: Tag, parts: &[&[u8]]) -> io::Result<()> {
	let header = header(tag, parts.iter().map(|part| part.len()).sum())?;
	if let Some(frame) = small_frame(&header, parts) {
		return to.write_all(&frame);
	}
	to.write_all(&header)?;
	parts.iter().try_for_each(|part| to.write_all(part))
}

/// Reads a frame; the child's side. `None`: the engine hung up.
pub fn read_frame(from: &mut impl Read) -> io::Result<Option<(Tag, Vec<u8>)>> {
	let mut head = [0; HEADER];
	if let Err(error) = from.read_exact(&mut head) {
		return if error.kind() == io::ErrorKind::UnexpectedEof {
			Ok(None)
		} else {
			Err(error)
		};
	}
	let (tag, length) = parse_header(head)?;
	let body = read_body(length, |bytes| from.read_exact(bytes))?;
	Ok(Some((tag, body)))
}

/// Reads a body. Memory is taken as the bytes arrive, not as the header promises.
fn read_body<E>(length: usize, mut receive: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Vec<u8>, E> {
	let mut body = Vec::new();
	while body.len() < length {
		let start = body.len();
		body.resize(length.min(start + STEP), 0);
		receive(&mut body[start..])?;
	}
	Ok(body)
}

/// Reads the answer to a request; the engine's side. `receive` fills what it is given, or fails. The inner error is the
/// child's own word that it failed.
pub fn read_answer<E: From<Nonsense>>(
	mut receive: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Result<Vec<u8>, String>, E> {
	let nonsense = |why: &str| Nonsense(why.into());
	let mut head = [0; HEADER];
	receive(&mut head)?;
	let (tag, length) = parse_header(head).map_err(|error| Nonsense(error.to_string()))?;
	match tag {
		Tag::Done => read_body(length, receive).map(Ok),
		Tag::Failed if length > MAX_TEXT => Err(nonsense("its error message is too long").into()),
		Tag::Failed => read_body(length, receive).map(|words| Err(printable(&words))),
		_ => Err(nonsense("it answered with a request").into()),
	}
}

/// Sketches and outputs of a run's answer: as many sketches as `head` asked for, and exactly the outputs that are
/// registered.
pub fn read_run(answer: &[u8], head: &RunHead, spec: &VersionSpec) -> Result<(AnswerHead, Vec<Tensor>), EngineError> {
	let failed = |why: &str| EngineError::RunFailed(why.into());
	let (sketches, file): (AnswerHead, _) = split_head(answer).ok_or_else(|| failed("the answer has no sketches"))?;
	let complete = sketches.len() == head.parts.len()
		&& sketches
			.iter()
			.zip(&head.parts)
			.all(|(sketches, part)| sketches.len() == part.seeds.len());
	if !complete {
		return Err(failed("the answer does not have the sketches that were asked for"));
	}
	Ok((sketches, batch::read_outputs(file, spec)?))
}

/// A child's words without anything that a terminal would obey.
pub(super) fn printable(bytes: &[u8]) -> String {
	let text = String::from_utf8_lossy(bytes);
	text.trim()
		.chars()
		.map(|c| if c.is_control() { ' ' } else { c })
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn frames_should_round_trip_when_written_and_read() {
		let mut wire = Vec::new();
		write_frame(&mut wire, Tag::Run, &[b"bo", b"dy"]).unwrap();
		write_frame(&mut wire, Tag::Done, &[]).unwrap();
		let mut wire = wire.as_slice();
		assert_eq!(read_frame(&mut wire).unwrap(), Some((Tag::Run, b"body".to_vec())));
		assert_eq!(read_frame(&mut wire).unwrap(), Some((Tag::Done, vec![])));
		assert_eq!(read_frame(&mut wire).unwrap(), None);
	}

	#[test]
	fn frames_should_be_the_same_bytes_when_written_in_pieces() {
		let parts: [&[u8]; 2] = [&[1; SMALL], b"2"];
		for parts in [&parts[..1], &parts[..]] {
			let mut wire = Vec::new();
			write_frame(&mut wire, Tag::Run, parts).unwrap();
			assert_eq!(
				read_frame(&mut wire.as_slice()).unwrap(),
				Some((Tag::Run, parts.concat()))
			);
		}
	}

	#[test]
	fn heads_should_round_trip_and_the_file_stay_as_it_is() {
		let head = RunHead {
			rows: Some(3),
			parts: vec![Part {
				rows: 2,
				seeds: vec![[1; 32], [2; 32]],
			}],
		};
		let body = [framed(&head).as_slice(), b"file"].concat();
		assert_eq!(split_head::<RunHead>(&body), Some((head, b"file".as_slice())));
	}

	#[test]
	fn split_head_should_refuse_when_the_length_lies() {
		assert_eq!(split_head::<AnswerHead>(b""), None);
		assert_eq!(split_head::<AnswerHead>(&[1, 0, 0, 0]), None);
		assert_eq!(
			split_head::<AnswerHead>(&[2, 0, 0, 0, 0, 0]),
			None,
			"a byte behind the list"
		);
		let long = [(MAX_HEAD as u32 + 1).to_le_bytes().as_slice(), &vec![0; MAX_HEAD + 1]].concat();
		assert_eq!(split_head::<AnswerHead>(&long), None);
		let most = framed(&vec![
			vec![
				Sketch {
					nans: u64::MAX,
					infinities: u64::MAX,
					..Sketch::default()
				};
				4
			];
			64
		]);
		assert!(most.len() <= MAX_HEAD);
	}

	#[test]
	fn read_answer_should_take_answers_alone() {
		let read = |mut wire: &[u8]| {
			read_answer(|to: &mut [u8]| -> Result<(), Nonsense> {
				let (head, tail) = wire
					.split_at_checked(to.len())
					.ok_or_else(|| Nonsense("the end".into()))?;
				to.copy_from_slice(head);
				wire = tail;
				Ok(())
			})
		};
		let nonsense = |why: &str| Err(Nonsense(why.into()));
		assert_eq!(read(&[5, 2, 0, 0, 0, 1, 2]), Ok(Ok(vec![1, 2])));
		assert_eq!(read(b"\x06\x03\0\0\0a\x07b"), Ok(Err("a b".into())));
		assert_eq!(read(&[5, 2, 0, 0, 0, 1]), nonsense("the end"));
		assert_eq!(read(&[6, 1, 16, 0, 0]), nonsense("its error message is too long"));
		assert_eq!(read(&[3, 0, 0, 0, 0]), nonsense("it answered with a request"));
		assert_eq!(read(&[7, 0, 0, 0, 0]), nonsense("not a frame"));
	}

	#[test]
	fn parse_header_should_refuse_when_the_length_or_the_tag_is_wrong() {
		assert!(parse_header([5, 255, 255, 255, 255]).is_err());
		assert!(parse_header([0, 1, 0, 0, 0]).is_err());
		assert!(header(Tag::Run, MAX_BODY + 1).is_err());
	}
}
