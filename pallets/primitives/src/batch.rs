//! Jobs of many inputs: how their files are put together, and how one of them is audited for all.
//!
//! ```text
//! bundle = count (4, little endian) · length of each file (8, little endian) · the files, one after another
//! ```
//!
//! Inputs are one bundle and outputs another, in the same order: one blob each, whose BLAKE3 hash is the root of a tree over
//! all of them. What a node commits to at its attestation is the root of a second tree, over the sketches of all runs. An
//! audit draws one input: the executor opens its sketch alone, with the way to the root, and whoever judges runs it alone. So
//! what a wrong answer costs grows with the share of inputs that are answered wrongly just as what it saves, and the rate of
//! audits that makes single jobs honest makes these honest too. Pure.

use crate::{audit::Sketch, chunk_proof::way};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::ops::Range;
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::traits::BlakeTwo256;

/// The fewest inputs of a job of many.
pub const MIN_INPUTS: u16 = 2;

/// The most inputs of one job. It bounds the way of a sketch to its root and what a node keeps until the job is settled.
pub const MAX_INPUTS: u16 = 256;

/// The most hashes between a sketch and its root: log₂ of [`MAX_INPUTS`].
pub type MaxSketchDepth = ConstU32<8>;

const COUNT_LEN: usize = 4;
const LENGTH_LEN: usize = 8;

/// Why bytes are not a bundle of so many files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BundleError {
	/// It has no whole table of lengths.
	TableTruncated,
	/// It has another number of files than the job.
	OtherCount {
		/// What it says that it has.
		found: u32,
	},
	/// The files are not what the table says, to the last byte.
	OtherLength,
}

impl core::fmt::Display for BundleError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		match self {
			Self::TableTruncated => f.write_str("the bundle ends within the lengths of its files"),
			Self::OtherCount { found } => write!(f, "the bundle has {found} files, not as many as the job has inputs"),
			Self::OtherLength => f.write_str("the bundle is not as long as its files together"),
		}
	}
}

/// Puts files together. `None` if they are more than can be counted.
pub fn bundle<File: AsRef<[u8]>>(files: &[File]) -> Option<Vec<u8>> {
	let mut bytes = u32::try_from(files.len()).ok()?.to_le_bytes().to_vec();
	for file in files {
		bytes.extend(u64::try_from(file.as_ref().len()).ok()?.to_le_bytes());
	}
	for file in files {
		bytes.extend_from_slice(file.as_ref());
	}
	Some(bytes)
}

/// Where the `count` files of a bundle lie. Nothing else may be in it, so there is one bundle of the same files and no other.
pub fn files(bytes: &[u8], count: u16) -> Result<Vec<Range<usize>>, BundleError> {
	let (head, rest) = bytes
		.split_first_chunk::<COUNT_LEN>()
		.ok_or(BundleError::TableTruncated)?;
	let found = u32::from_le_bytes(*head);
	if found != u32::from(count) {
		return Err(BundleError::OtherCount { found });
	}
	let table_len = usize::from(count).saturating_mul(LENGTH_LEN);
	let table = rest.get(..table_len).ok_or(BundleError::TableTruncated)?;
	let mut start = COUNT_LEN.saturating_add(table_len);
	let mut files = Vec::with_capacity(usize::from(count));
	for length in table.chunks_exact(LENGTH_LEN) {
		let length = length.try_into().map(u64::from_le_bytes).map(usize::try_from);
		let Ok(Ok(length)) = length else {
			return Err(BundleError::OtherLength);
		};
		let end = start.checked_add(length).ok_or(BundleError::OtherLength)?;
		files.push(start..end);
		start = end;
	}
	match start == bytes.len() {
		true => Ok(files),
		false => Err(BundleError::OtherLength),
	}
}

/// One of a job's sketches, and what shows that its node committed to it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Opening {
	/// Sketch of the run of the input that is audited, under the work's own seed.
	pub sketch: Sketch,
	/// Root of the sketches of all inputs: with one input the hash of its sketch.
	pub root: H256,
	/// The hashes beside the way from the sketch to the root, its own sibling first. None with one input.
	pub path: BoundedVec<H256, MaxSketchDepth>,
}

impl Opening {
	/// Opens the sketch of input `index`. `None` if there is no such input, or there are too many.
	pub fn of(sketches: &[Sketch], index: u16) -> Option<Self> {
		let sketch = *sketches.get(usize::from(index))?;
		let leaves = sketches.iter().map(Encode::encode).collect::<Vec<_>>();
		let proof = binary_merkle_tree::merkle_proof::<BlakeTwo256, _, _>(leaves, index.into());
		Some(Self {
			sketch,
			root: proof.root,
			path: proof.proof.try_into().ok()?,
		})
	}

	/// Whether the sketch is that of input `index` of `inputs`.
	pub fn is_of(&self, index: u16, inputs: u16) -> bool {
		// Another length would lead to what is no sketch of this input: the tree is made by whoever opens it.
		if self.path.len() != way(index.into(), inputs.into()).len() {
			return false;
		}
		let (path, leaf) = (self.path.iter().copied(), self.sketch.encode());
		binary_merkle_tree::verify_proof::<BlakeTwo256, _, _>(&self.root, path, inputs.into(), index.into(), &leaf)
	}
}

/// Root of the sketches of all inputs of a job.
pub fn sketch_root(sketches: &[Sketch]) -> H256 {
	binary_merkle_tree::merkle_root::<BlakeTwo256, _>(sketches.iter().map(Encode::encode))
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn sketch(number: i64) -> Sketch {
		let mut sketch = Sketch::default();
		sketch.sums[0] = number;
		sketch
	}

	fn sketches(count: u16) -> Vec<Sketch> {
		(0..i64::from(count)).map(sketch).collect()
	}

	#[test]
	fn a_sketch_should_open_when_it_is_one_of_the_committed_ones_and_for_no_other_input() {
		for count in [1, 2, 3, 5, 8, 255, MAX_INPUTS] {
			let all = sketches(count);
			for index in 0..count {
				let opening = Opening::of(&all, index).unwrap();
				assert_eq!(opening.root, sketch_root(&all));
				assert!(opening.is_of(index, count), "{index} of {count}");
				assert!(!opening.is_of((index + 1) % count, count) || count == 1);
				let other = Opening {
					sketch: sketch(-1),
					..opening
				};
				assert!(!other.is_of(index, count));
			}
			assert_eq!(Opening::of(&all, count), None);
		}
	}

	#[test]
	fn a_sketch_should_not_open_when_there_are_more_than_a_job_may_have() {
		assert_eq!(Opening::of(&sketches(MAX_INPUTS + 1), 0), None);
		assert_eq!(
			MAX_INPUTS.ilog2(),
			<MaxSketchDepth as frame_support::traits::Get<u32>>::get()
		);
	}

	/// A tree that its node has grown by one level has two sketches for one input, unless the length of the way is fixed.
	#[test]
	fn a_sketch_should_not_open_when_the_way_is_longer_or_shorter_than_to_that_input() {
		let (lower, upper) = (sketches(2), sketch(9));
		let inner = sketch_root(&lower);
		let leaf = H256(sp_io::hashing::blake2_256(&upper.encode()));
		let root = H256(sp_io::hashing::blake2_256(&(inner, leaf).encode()));
		let of = |sketch, path: &[H256]| Opening {
			sketch,
			root,
			path: path.to_vec().try_into().unwrap(),
		};
		let below = Opening::of(&lower, 0).unwrap().path[0];
		assert!(!of(lower[0], &[below, leaf]).is_of(0, 2));
		assert!(!of(upper, &[inner]).is_of(2, 4));
		assert!(of(upper, &[inner]).is_of(1, 2), "as two inputs the tree would be right");
	}

	#[test]
	fn one_sketch_should_be_under_its_own_hash() {
		let opening = Opening::of(&[sketch(3)], 0).unwrap();
		assert_eq!(opening.root, H256(sp_io::hashing::blake2_256(&sketch(3).encode())));
		assert!(opening.path.is_empty());
	}

	#[test]
	fn a_bundle_should_be_refused_when_it_is_not_exactly_of_so_many_files() {
		let bytes = bundle(&[&b"one"[..], b"", b"three"]).unwrap();
		assert_eq!(files(&bytes, 2), Err(BundleError::OtherCount { found: 3 }));
		assert_eq!(files(&[], 3), Err(BundleError::TableTruncated));
		assert_eq!(files(&bytes[..20], 3), Err(BundleError::TableTruncated));
		assert_eq!(files(&bytes[..bytes.len() - 1], 3), Err(BundleError::OtherLength));
		assert_eq!(files(&[&bytes[..], b"!"].concat(), 3), Err(BundleError::OtherLength));
		let mut endless = bytes;
		endless[4..12].fill(0xff);
		assert_eq!(files(&endless, 3), Err(BundleError::OtherLength));
	}

	proptest! {
		#[test]
		fn files_should_come_back_when_they_were_bundled(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 1..9)) {
			let bytes = bundle(&parts).unwrap();
			let found = files(&bytes, parts.len() as u16).unwrap();
			let back: Vec<Vec<u8>> = found.into_iter().map(|range| bytes[range].to_vec()).collect();
			prop_assert_eq!(back, parts);
		}

		#[test]
		fn nothing_should_be_read_beyond_the_end_when_bytes_are_anything(bytes in prop::collection::vec(any::<u8>(), 0..80), count in 0u16..6) {
			for range in files(&bytes, count).unwrap_or_default() {
				prop_assert!(bytes.get(range).is_some());
			}
		}
	}
}
