//! Proofs that one 1 KiB chunk belongs to a blob: the chunk and the chaining values beside its way to the BLAKE3 root.
//!
//! BLAKE3 hashes chunks of 1024 bytes and joins them in a binary tree: the left half of `n` chunks is the largest power of
//! two below `n`. The shape follows from the blob's size alone, so a proof needs neither flags nor lengths (BLAKE3
//! specification, section 2.1). Pure.

use crate::{worker::ChunkProof, BlobRef, MaxBlobSize};
use alloc::{vec, vec::Vec};
use blake3::{
	hazmat::{merge_subtrees_non_root, merge_subtrees_root, ChainingValue, HasherExt, Mode},
	Hasher,
};
use frame_support::traits::Get;
use sp_core::H256;

/// Bytes of a chunk; the blob's last one may be shorter.
pub const CHUNK: u64 = 1024;

/// Chunks of a blob of `size` bytes: at least one.
pub fn chunks(size: u64) -> u64 {
	size.div_ceil(CHUNK).max(1)
}

/// Length of the chunk `index` of a blob of `size` bytes; `None` if there is no such chunk.
fn length(size: u64, index: u64) -> Option<u64> {
	let start = index.checked_mul(CHUNK)?;
	let rest = size.checked_sub(start).filter(|rest| *rest > 0)?;
	Some(rest.min(CHUNK))
}

/// On which side of each join the chunk `index` of `count` lies, from the root down: `true` is left.
pub(crate) fn way(mut index: u64, mut count: u64) -> Vec<bool> {
	let mut way = Vec::new();
	while count > 1 {
		// The largest power of two below `count`.
		let left = count.div_ceil(2).checked_next_power_of_two().unwrap_or(u64::MAX);
		let is_left = index < left;
		way.push(is_left);
		match is_left {
			true => count = left,
			false => {
				index = index.saturating_sub(left);
				count = count.saturating_sub(left);
			}
		}
	}
	way
}

/// The BLAKE3 hash of the blob of `size` bytes whose chunk `index` is `bytes`, where `siblings` are the chaining values of the
/// subtrees beside the way to the root, the chunk's own sibling first. `None` if no blob of this size has such a chunk or such
/// a way.
pub fn root(size: u64, index: u64, bytes: &[u8], siblings: &[ChainingValue]) -> Option<H256> {
	let (expected, start) = (length(size, index)?, index.checked_mul(CHUNK)?);
	if u64::try_from(bytes.len()) != Ok(expected) {
		return None;
	}
	let way = way(index, chunks(size));
	if way.len() != siblings.len() {
		return None;
	}
	let join = |value: &ChainingValue, sibling: &ChainingValue, is_left: bool| match is_left {
		true => (*value, *sibling),
		false => (*sibling, *value),
	};
	// The last join makes the root, and a blob of one chunk is its own root.
	let Some(((top_side, inner_sides), (top, inner))) = way.split_first().zip(siblings.split_last()) else {
		return Some(H256(*blake3::hash(bytes).as_bytes()));
	};
	let mut hasher = Hasher::new();
	hasher.set_input_offset(start);
	let mut value = hasher.update(bytes).finalize_non_root();
	for (sibling, is_left) in inner.iter().zip(inner_sides.iter().rev()) {
		let (left, right) = join(&value, sibling, *is_left);
		value = merge_subtrees_non_root(&left, &right, Mode::Hash);
	}
	let (left, right) = join(&value, top, *top_side);
	Some(H256(*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes()))
}

/// Whether `bytes` are chunk `index` of the blob of `size` bytes with this BLAKE3 hash, by these siblings: see [`root`].
///
/// Inner chunks do not prove the size, which only shapes the tree: a size that is not the blob's has chunks that nobody
/// can prove.
pub fn verify(hash: &H256, size: u64, index: u64, bytes: &[u8], siblings: &[ChainingValue]) -> bool {
	root(size, index, bytes, siblings).as_ref() == Some(hash)
}

/// A blob of the largest size, as far as the way of its chunk `index` to the root goes, and the proof of that chunk: there is
/// no longer one. For tests and benchmarks.
pub fn largest(index: u64) -> Option<(BlobRef, ChunkProof)> {
	let size: u64 = MaxBlobSize::get();
	let bytes = vec![1; usize::try_from(CHUNK).ok()?];
	let siblings = vec![[2; 32]; way(index, chunks(size)).len()];
	let hash = root(size, index, &bytes, &siblings)?;
	let proof = ChunkProof {
		bytes: bytes.try_into().ok()?,
		siblings: siblings.try_into().ok()?,
	};
	Some((BlobRef { hash, size }, proof))
}

/// The proof of chunk `index` of `blob`; `None` if it has no such chunk. For tests and benchmarks: a node makes its proofs
/// without reading the whole blob.
pub fn prove(blob: &[u8], index: u64) -> Option<ChunkProof> {
	/// The chaining value of a subtree that begins at byte `start` of the blob.
	fn subtree(bytes: &[u8], start: u64) -> ChainingValue {
		let mut hasher = Hasher::new();
		hasher.set_input_offset(start);
		hasher.update(bytes).finalize_non_root()
	}

	let size = u64::try_from(blob.len()).ok()?;
	let (mut rest, mut start, mut siblings) = (blob, 0u64, Vec::new());
	for is_left in way(index, chunks(size)) {
		let left = blake3::hazmat::left_subtree_len(u64::try_from(rest.len()).ok()?);
		let (first, second) = rest.split_at_checked(usize::try_from(left).ok()?)?;
		let middle = start.saturating_add(left);
		siblings.push(match is_left {
			true => subtree(second, middle),
			false => subtree(first, start),
		});
		(rest, start) = match is_left {
			true => (first, start),
			false => (second, middle),
		};
	}
	siblings.reverse();
	length(size, index)?;
	Some(ChunkProof {
		bytes: rest.to_vec().try_into().ok()?,
		siblings: siblings.try_into().ok()?,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn blob(size: usize) -> Vec<u8> {
		(0..size)
			.map(|at| (at as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3])
			.collect()
	}

	fn root(blob: &[u8]) -> H256 {
		H256(*blake3::hash(blob).as_bytes())
	}

	#[test]
	fn every_chunk_should_be_proved_at_every_size() {
		for size in [
			1,
			2,
			1023,
			1024,
			1025,
			2048,
			2049,
			3072,
			4096,
			5000,
			17 * 1024,
			31 * 1024 + 7,
		] {
			let blob = blob(size);
			for index in 0..chunks(size as u64) {
				let proof = prove(&blob, index).unwrap();
				assert!(
					verify(&root(&blob), size as u64, index, &proof.bytes, &proof.siblings),
					"{size} {index}"
				);
			}
			assert_eq!(prove(&blob, chunks(size as u64)), None);
		}
	}

	#[test]
	fn proof_should_fail_for_another_place_size_or_length() {
		let blob = blob(5_000);
		let proof = prove(&blob, 2).unwrap();
		let check =
			|size, index, bytes: &[u8], siblings: &[ChainingValue]| verify(&root(&blob), size, index, bytes, siblings);
		assert!(check(5_000, 2, &proof.bytes, &proof.siblings));
		for index in [0, 1, 3, 4, 5, u64::MAX] {
			assert!(!check(5_000, index, &proof.bytes, &proof.siblings));
		}
		for size in [0, 2 * 1024, 2_500, 9_000, u64::MAX] {
			assert!(!check(size, 2, &proof.bytes, &proof.siblings));
		}
		assert!(!check(5_000, 2, &proof.bytes[1..], &proof.siblings));
		assert!(!check(5_000, 2, &[], &proof.siblings));
		assert!(!check(5_000, 2, &proof.bytes, &proof.siblings[1..]));
		assert!(!check(5_000, 2, &proof.bytes, &[]));
		let longer = [&proof.siblings[..], &[[0; 32]]].concat();
		assert!(!check(5_000, 2, &proof.bytes, &longer));
	}

	#[test]
	fn the_largest_blob_should_have_each_of_its_chunks_when_it_is_made_for_it() {
		let last = chunks(MaxBlobSize::get()) - 1;
		for index in [0, 1, 12_345, last] {
			let (blob, proof) = largest(index).unwrap();
			assert_eq!(proof.siblings.len(), 23);
			let check = |index| verify(&blob.hash, blob.size, index, &proof.bytes, &proof.siblings);
			assert!(check(index) && !check(index ^ 1));
		}
		assert_eq!(largest(last + 1), None);
	}

	/// An inner node must not pass for a chunk: its 64 bytes hash to the same value only with other flags.
	#[test]
	fn inner_nodes_should_not_pass_for_chunks() {
		let blob = blob(2_048);
		let (left, right) = (
			prove(&blob, 1).unwrap().siblings[0],
			prove(&blob, 0).unwrap().siblings[0],
		);
		let node = [left, right].concat();
		assert!(!verify(&root(&blob), 64, 0, &node, &[]));
	}

	proptest! {
		#[test]
		fn any_change_should_be_seen(size in 1usize..40_000, index in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
			let blob = blob(size);
			let index = index.index(chunks(size as u64) as usize) as u64;
			let proof = prove(&blob, index).unwrap();
			let root = root(&blob);
			prop_assert!(verify(&root, size as u64, index, &proof.bytes, &proof.siblings));
			let mut bytes = proof.bytes.to_vec();
			let place = at.index(bytes.len());
			bytes[place] ^= 1 << bit;
			prop_assert!(!verify(&root, size as u64, index, &bytes, &proof.siblings));
			if !proof.siblings.is_empty() {
				let mut siblings = proof.siblings.to_vec();
				let place = at.index(siblings.len());
				siblings[place][usize::from(bit)] ^= 1;
				prop_assert!(!verify(&root, size as u64, index, &proof.bytes, &siblings));
			}
		}

		#[test]
		fn junk_should_never_panic(size in any::<u64>(), index in any::<u64>(), bytes in prop::collection::vec(any::<u8>(), 0..1100), siblings in prop::collection::vec(any::<[u8; 32]>(), 0..30)) {
			prop_assert!(!verify(&H256::zero(), size, index, &bytes, &siblings));
			prop_assert!(!verify(&H256::zero(), size, index % chunks(size), &bytes, &siblings));
		}
	}
}
