//! Proofs that a chunk of 1 KiB belongs to a blob: what a node shows on chain when somebody misses its output, and of the
//! models that it is paid for storing, again and again.
//!
//! BLAKE3 hashes a blob as a binary tree of chunks. The proof of one chunk is its bytes and, for every parent on the way
//! to the root, the chaining value of the other child. The kept hash tree has those of groups of 1 MiB and of what is above
//! them; those within the chunk's group are hashed from the file. So a proof reads a group, however large the blob is, and
//! is checked against the root before it leaves.

use crate::geometry::GROUP_SIZE;
use blake3::{
	hazmat::{left_subtree_len, merge_subtrees_non_root, merge_subtrees_root, ChainingValue, HasherExt, Mode},
	Hasher,
};
use highway_primitives::{worker::ChunkProof, BlobRef};
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes of a chunk; the blob's last one may be shorter.
pub const CHUNK_SIZE: u64 = 1024;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofError {
	/// The blob has no such chunk.
	#[error("there is no such chunk")]
	OutOfRange,
	/// The bytes on disk are not the blob's.
	#[error("bytes do not match the hash")]
	Corrupt,
	/// The disk failed.
	#[error(transparent)]
	Io(#[from] io::Error),
}

/// The proof of chunk `index` of `blob`, whose bytes `file` holds. `tree` is its kept hash tree, `None` for a blob of one
/// group.
pub(crate) fn prove<F: Read + Seek>(
	file: &mut F,
	mut tree: Option<F>,
	blob: &BlobRef,
	index: u64,
) -> Result<ChunkProof, ProofError> {
	let at = index
		.checked_mul(CHUNK_SIZE)
		.filter(|at| *at < blob.size)
		.ok_or(ProofError::OutOfRange)?;
	// The subtree that holds the chunk, from the root down, and on which side of it each sibling lies.
	let (mut start, mut length) = (0, blob.size);
	// Where the kept tree has the values of its children: parents come before what is below them, and of a subtree of so many
	// groups there is one pair less.
	let mut pair = 0;
	let mut siblings = Vec::new();
	while length > CHUNK_SIZE {
		let left = left_subtree_len(length);
		let right = length - left;
		let kept = match &mut tree {
			Some(tree) if length > GROUP_SIZE => Some(kept_pair(tree, pair)?),
			_ => None,
		};
		if at < start + left {
			let sibling = match kept {
				Some([_, value]) => value,
				None => subtree(file, start + left, right)?,
			};
			siblings.push((sibling, Side::Right));
			length = left;
			pair += 1;
		} else {
			let sibling = match kept {
				Some([value, _]) => value,
				None => subtree(file, start, left)?,
			};
			siblings.push((sibling, Side::Left));
			start += left;
			length = right;
			pair += left / GROUP_SIZE;
		}
	}
	siblings.reverse();
	file.seek(SeekFrom::Start(start))?;
	let mut bytes = Vec::with_capacity(CHUNK_SIZE as usize);
	file.take(length).read_to_end(&mut bytes)?;
	if !leads_to(&blob.hash.0, start, &bytes, &siblings) {
		return Err(ProofError::Corrupt);
	}
	let siblings: Vec<ChainingValue> = siblings.into_iter().map(|(value, _)| value).collect();
	// A chunk has at most 1024 bytes, and the largest blob that the chain knows 2²³ chunks.
	Ok(ChunkProof {
		bytes: bytes.try_into().map_err(|_| ProofError::Corrupt)?,
		siblings: siblings.try_into().map_err(|_| ProofError::OutOfRange)?,
	})
}

/// On which side a sibling lies.
#[derive(Clone, Copy)]
enum Side {
	Left,
	Right,
}

/// The `number`th pair of values in a kept hash tree.
fn kept_pair(tree: &mut (impl Read + Seek), number: u64) -> Result<[ChainingValue; 2], ProofError> {
	let mut values = [ChainingValue::default(); 2];
	let size = size_of_val(&values) as u64;
	tree.seek(SeekFrom::Start(number.saturating_mul(size)))?;
	for value in &mut values {
		tree.read_exact(value).map_err(|error| match error.kind() {
			io::ErrorKind::UnexpectedEof => ProofError::Corrupt,
			_ => error.into(),
		})?;
	}
	Ok(values)
}

fn subtree(file: &mut (impl Read + Seek), start: u64, length: u64) -> Result<ChainingValue, io::Error> {
	file.seek(SeekFrom::Start(start))?;
	let mut hasher = Hasher::new();
	hasher.set_input_offset(start);
	hasher.update_reader(file.take(length))?;
	Ok(hasher.finalize_non_root())
}

fn leads_to(root: &[u8; 32], start: u64, chunk: &[u8], siblings: &[(ChainingValue, Side)]) -> bool {
	let Some(((top, side), inner)) = siblings.split_last() else {
		return blake3::hash(chunk).as_bytes() == root;
	};
	let pair = |value: ChainingValue, sibling: ChainingValue, side: Side| match side {
		Side::Left => (sibling, value),
		Side::Right => (value, sibling),
	};
	let mut hasher = Hasher::new();
	hasher.set_input_offset(start);
	let chunk = hasher.update(chunk).finalize_non_root();
	let below = inner.iter().fold(chunk, |value, (sibling, side)| {
		let (left, right) = pair(value, *sibling, *side);
		merge_subtrees_non_root(&left, &right, Mode::Hash)
	});
	let (left, right) = pair(below, *top, *side);
	merge_subtrees_root(&left, &right, Mode::Hash).as_bytes() == root
}
