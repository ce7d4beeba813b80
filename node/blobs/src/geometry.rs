//! How a blob is cut into chunk groups, and slices of it that prove themselves.

use bao_tree::{
	io::{
		outboard::PreOrderOutboard,
		sync::{encode_ranges_validated, Outboard},
		EncodeError,
	},
	iter::{BaoChunk, ResponseIterRef},
	BaoTree, BlockSize, ChunkNum, ChunkRanges,
};
use highway_primitives::BlobRef;
use std::{fs::File, io, ops::Range};

/// Bytes of one chunk group: what is verified, sent and resumed as a whole.
pub const GROUP_SIZE: u64 = 1 << 20;

/// BLAKE3 chunks (1 KiB) of one group.
const GROUP_CHUNKS: u64 = GROUP_SIZE / 1024;

/// [`GROUP_SIZE`] as `bao-tree` says it: 2¹⁰ chunks.
pub(crate) const BLOCK: BlockSize = BlockSize::from_chunk_log(10);

/// Chunk groups of a blob of `size` bytes: at least one.
pub fn groups(size: u64) -> u32 {
	u32::try_from(size.div_ceil(GROUP_SIZE).max(1)).unwrap_or(u32::MAX)
}

/// Bytes of the hash tree that is kept beside a blob of `size` bytes: none if it is one group.
pub fn outboard_size(size: u64) -> u64 {
	if size <= GROUP_SIZE {
		0
	} else {
		tree(size).outboard_size()
	}
}

/// The bytes that group `group` of a blob of `size` bytes covers.
pub fn group_bytes(size: u64, group: u32) -> Range<u64> {
	let start = u64::from(group).saturating_mul(GROUP_SIZE).min(size);
	start..start.saturating_add(GROUP_SIZE).min(size)
}

pub(crate) fn tree(size: u64) -> BaoTree {
	BaoTree::new(size, BLOCK)
}

pub(crate) fn root(blob: &BlobRef) -> blake3::Hash {
	blake3::Hash::from(blob.hash.0)
}

/// The chunks of `count` groups from `first`.
pub(crate) fn chunk_ranges(first: u32, count: u32) -> ChunkRanges {
	let start = u64::from(first) * GROUP_CHUNKS;
	let end = start + u64::from(count) * GROUP_CHUNKS;
	ChunkRanges::from(ChunkNum(start)..ChunkNum(end))
}

/// The groups of a blob of `size` bytes that lie completely within `chunks`.
pub(crate) fn groups_within(size: u64, chunks: &Range<ChunkNum>) -> Range<u32> {
	let all = groups(size);
	let first = chunks.start.0.div_ceil(GROUP_CHUNKS);
	let end = if chunks.end.0 >= size.div_ceil(1024) {
		u64::from(all)
	} else {
		chunks.end.0 / GROUP_CHUNKS
	};
	let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).min(all);
	narrow(first)..narrow(end)
}

/// A slice cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SliceError {
	/// The bytes on disk are not the blob's.
	#[error("bytes do not match the hash")]
	Corrupt,
	/// The disk failed.
	#[error(transparent)]
	Io(io::Error),
}

impl From<EncodeError> for SliceError {
	fn from(error: EncodeError) -> Self {
		match error {
			EncodeError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => Self::Io(error),
			_ => Self::Corrupt,
		}
	}
}

/// Encodes `count` groups from `first` with their proof, verifying them on the way. `outboard` is the hash tree's file,
/// `None` for a blob of one group.
pub(crate) fn encode(
	data: &File,
	outboard: Option<File>,
	blob: &BlobRef,
	first: u32,
	count: u32,
) -> Result<Vec<u8>, SliceError> {
	let ranges = chunk_ranges(first, count);
	let mut encoded = Vec::with_capacity((u64::from(count) * GROUP_SIZE).min(blob.size) as usize + 4096);
	match outboard {
		Some(file) => encode_with(
			data,
			PreOrderOutboard {
				root: root(blob),
				tree: tree(blob.size),
				data: file,
			},
			&ranges,
			&mut encoded,
		),
		None => {
			let empty = PreOrderOutboard {
				root: root(blob),
				tree: tree(blob.size),
				data: Vec::<u8>::new(),
			};
			encode_with(data, empty, &ranges, &mut encoded)
		}
	}?;
	Ok(encoded)
}

fn encode_with(data: &File, outboard: impl Outboard, ranges: &ChunkRanges, to: &mut Vec<u8>) -> Result<(), SliceError> {
	Ok(encode_ranges_validated(data, outboard, ranges, to)?)
}

/// The bytes of an encoded slice without the proof. The slice must be verified already.
pub(crate) fn strip_proof(encoded: &[u8], size: u64, first: u32, count: u32) -> Vec<u8> {
	let ranges = chunk_ranges(first, count);
	let ranges = bao_tree::io::sync::truncate_ranges(&ranges, size);
	let mut bytes = Vec::with_capacity(encoded.len());
	let mut rest = encoded;
	for item in ResponseIterRef::new(tree(size), ranges) {
		let (length, leaf) = match item {
			BaoChunk::Parent { .. } => (64, false),
			BaoChunk::Leaf { size, .. } => (size, true),
		};
		let (head, tail) = rest.split_at(length.min(rest.len()));
		if leaf {
			bytes.extend_from_slice(head);
		}
		rest = tail;
	}
	bytes
}
