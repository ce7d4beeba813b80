//! Capacity probes: the reference model that a round asks of many nodes at once, and the terms of the rounds.
//!
//! The model is made of integers that float32 holds exactly, so that every machine, provider and compiler gets the same
//! bytes. A row is 64 values 0..=255. A step makes s_j = Σ_i row_i · M_ij, then y_j = ⌊s_j / 64⌋ mod 256; |s| stays below
//! 2²⁴. Without the division and its floor, a product over Z/256, all steps would be one product by M²⁵⁶. Pure.

use crate::{Balance, BlobRef, BlockNumber, DeviceClass, NodeId};
use alloc::boxed::Box;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Values of a row.
pub const WIDTH: usize = 64;

/// Bytes of a row in a probe's output: a value is a byte.
pub const ROW_BYTES: u64 = WIDTH as u64;

/// Steps from a row's beginning to its end: 2²⁰ multiplications and additions.
pub const STEPS: usize = 256;

/// Blocks from a round's opening in which an answer counts.
pub const ANSWER_BLOCKS: BlockNumber = 10;

/// Blocks behind those in which a proof counts.
pub const PROVE_BLOCKS: BlockNumber = 16;

/// Rows of the drawn chunk that the chain computes itself; fewer if the chunk has fewer.
pub const CHECKED_ROWS: usize = 2;

/// Seed of a round.
pub type ProbeSeed = [u8; 32];

/// One row: the model's state.
pub type Row = [u8; WIDTH];

/// The model's weights: what row `i` holds is the part of input `i` in each output. Between −127 and 127.
pub type Matrix = [[i8; WIDTH]; WIDTH];

/// Separates the beginnings of rows from other hashes.
const ROW_DOMAIN: &[u8; 15] = b"highway/probe/1";

/// Separates the weights from other hashes.
const MATRIX_DOMAIN: &[u8; 16] = b"highway/matrix/1";

/// Hashes of 32 bytes that make the weights.
const MATRIX_HASHES: u32 = (WIDTH * WIDTH / 32) as u32;

/// The model's weights: byte `b` of the hashes H(domain, 0), H(domain, 1), … makes (b mod 255) − 127, row by row.
pub fn matrix() -> Box<Matrix> {
	let mut matrix = Box::new([[0; WIDTH]; WIDTH]);
	let mut places = matrix.iter_mut().flatten();
	for index in 0..MATRIX_HASHES {
		let bytes = sp_io::hashing::blake2_256(&(MATRIX_DOMAIN, index).encode());
		for (place, byte) in places.by_ref().take(bytes.len()).zip(bytes) {
			*place = i16::from(byte).rem_euclid(255).saturating_sub(127) as i8;
		}
	}
	matrix
}

/// How row `row` of the node's probe begins: H(domain, seed, node, row, 0) and H(domain, seed, node, row, 1), one behind
/// the other. No two nodes, rounds or rows have the same.
pub fn first_row(seed: &ProbeSeed, node: NodeId, row: u32) -> Row {
	let half = |which: u8| sp_io::hashing::blake2_256(&(ROW_DOMAIN, seed, node, row, which).encode());
	let mut first = [0; WIDTH];
	first
		.iter_mut()
		.zip(half(0).into_iter().chain(half(1)))
		.for_each(|(to, from)| *to = from);
	first
}

/// How a row that begins so ends: [`STEPS`] steps.
pub fn run(matrix: &Matrix, mut row: Row) -> Row {
	for _ in 0..STEPS {
		row = step(matrix, &row);
	}
	row
}

fn step(matrix: &Matrix, row: &Row) -> Row {
	let mut sums = [0i32; WIDTH];
	for (value, weights) in row.iter().zip(matrix) {
		let value = i32::from(*value);
		for (sum, weight) in sums.iter_mut().zip(weights) {
			// Never wraps: |sum| ≤ 64 · 255 · 127.
			*sum = sum.wrapping_add(value.wrapping_mul(i32::from(*weight)));
		}
	}
	sums.map(|sum| sum.div_euclid(64).rem_euclid(256) as u8)
}

/// Rows of a probe's output of this size; `None` if it is not made of whole rows.
pub fn rows_of(output: &BlobRef) -> Option<u32> {
	let whole = output.size.checked_rem(ROW_BYTES) == Some(0);
	let rows = output.size.checked_div(ROW_BYTES)?;
	u32::try_from(rows).ok().filter(|rows| whole && *rows > 0)
}

/// The most device classes with a floor.
pub type MaxFloors = ConstU32<8>;

/// How rounds come, and what comes of them.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
pub struct ProbeTerms {
	/// A round hits one in so many nodes, at least 1.
	pub share: u32,
	/// The least blocks between two openings, at least a session.
	pub spacing: BlockNumber,
	/// After these, each block opens a round with a probability of one in so many, at least 1.
	pub interval: u32,
	/// Rows that back one slot, at least 1.
	pub rows_per_slot: u32,
	/// Slots that a node may sell before a round came to an end for it.
	pub unmeasured_slots: u16,
	/// What the treasury pays for a slot that was proved.
	pub reward: Balance,
	/// The least rows of a node that says that it is of this class.
	pub floors: BoundedVec<(DeviceClass, u32), MaxFloors>,
}

impl ProbeTerms {
	/// The least rows of a node of this class.
	pub fn floor(&self, device: DeviceClass) -> u32 {
		let floors = self.floors.iter().filter(|(class, _)| *class == device);
		floors.map(|(_, rows)| *rows).max().unwrap_or_default()
	}

	/// The rows that back so many slots.
	pub fn rows(&self, slots: u16) -> u32 {
		self.rows_per_slot.saturating_mul(slots.into())
	}

	/// What the treasury pays for so many rows.
	pub fn pay(&self, rows: u32) -> Balance {
		let whole = self.reward.saturating_mul(rows.into());
		whole.checked_div(self.rows_per_slot.into()).unwrap_or_default()
	}

	/// The slots that so many rows back.
	pub fn slots(&self, rows: u32) -> u16 {
		let slots = rows.checked_div(self.rows_per_slot).unwrap_or_default();
		u16::try_from(slots).unwrap_or(u16::MAX)
	}
}

/// What a round wants of a node now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum ProbeTask {
	/// Compute rows from the first one on, as many as there is time for, and say where the output is.
	Compute {
		/// The round.
		round: u32,
		/// Its seed.
		seed: ProbeSeed,
		/// No more rows count: what backs the slots that the node declared or, if that is more, the floor of its class.
		rows: u32,
		/// The last block in which an answer counts.
		until: BlockNumber,
	},
	/// Show a 1 KiB chunk of the output.
	Prove {
		/// The round.
		round: u32,
		/// The output that the node answered with.
		output: BlobRef,
		/// Index of the chunk.
		chunk: u64,
		/// The last block in which the proof counts.
		until: BlockNumber,
	},
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn weights_should_be_as_fixed() {
		let matrix = matrix();
		let bytes = sp_io::hashing::blake2_256(&(MATRIX_DOMAIN, 0u32).encode());
		for (weight, byte) in matrix[0].iter().zip(bytes) {
			assert_eq!(i16::from(*weight), i16::from(byte) % 255 - 127);
		}
		let second = sp_io::hashing::blake2_256(&(MATRIX_DOMAIN, 127u32).encode());
		assert_eq!(i16::from(matrix[63][63]), i16::from(second[31]) % 255 - 127);
		let flat: Vec<i8> = matrix.iter().flatten().copied().collect();
		assert!(flat.iter().all(|weight| *weight >= -127));
		let mut distinct = flat.clone();
		distinct.sort_unstable();
		distinct.dedup();
		assert!(distinct.len() > 250, "weights look drawn");
	}

	/// The sentence of the definition, in other words than the code's.
	#[test]
	fn a_step_should_be_as_defined_and_exact_in_float32() {
		let matrix = matrix();
		for row in [[255; WIDTH], [0; WIDTH], first_row(&[7; 32], 1, 2)] {
			let expected: Vec<u8> = (0..WIDTH)
				.map(|j| {
					let sum: f32 = (0..WIDTH).map(|i| f32::from(row[i]) * f32::from(matrix[i][j])).sum();
					let floor = (f64::from(sum) / 64.0).floor();
					(floor - 256.0 * (floor / 256.0).floor()) as u8
				})
				.collect();
			assert_eq!(step(&matrix, &row).to_vec(), expected);
		}
	}

	#[test]
	fn rows_should_differ_between_rounds_nodes_and_places() {
		let first = first_row(&[1; 32], 1, 1);
		assert_ne!(first, first_row(&[2; 32], 1, 1));
		assert_ne!(first, first_row(&[1; 32], 2, 1));
		assert_ne!(first, first_row(&[1; 32], 1, 2));
		assert_ne!(first[..32], first[32..]);
	}

	/// A model that forgets its input, or soon runs in a circle, would be cheap to answer for.
	#[test]
	fn steps_should_neither_collapse_nor_return() {
		let matrix = matrix();
		let mut seen = alloc::collections::BTreeSet::new();
		for start in 0..8 {
			let mut row = first_row(&[3; 32], 0, start);
			for _ in 0..STEPS {
				row = step(&matrix, &row);
				assert!(seen.insert(row), "a state came again");
			}
			let mut values = row.to_vec();
			values.sort_unstable();
			values.dedup();
			assert!(values.len() > 32, "a row still looks drawn at its end");
		}
	}

	/// Changes in one value reach all others: no row can be computed in part.
	#[test]
	fn one_changed_value_should_change_everything() {
		let matrix = matrix();
		let row = first_row(&[4; 32], 0, 0);
		let mut other = row;
		other[17] ^= 1;
		let (row, other) = (run(&matrix, row), run(&matrix, other));
		let same = row.iter().zip(&other).filter(|(one, other)| one == other).count();
		assert!(same < 8, "{same} of 64 values stayed");
	}

	#[test]
	fn only_whole_rows_should_count() {
		let rows = |size| {
			rows_of(&BlobRef {
				hash: Default::default(),
				size,
			})
		};
		assert_eq!(rows(64), Some(1));
		assert_eq!(rows(64 * 1_000), Some(1_000));
		for size in [0, 1, 63, 65, 64 * 1_000 + 1, u64::MAX, u64::MAX - 63] {
			assert_eq!(rows(size), None, "{size}");
		}
	}

	#[test]
	fn slots_should_be_those_that_rows_back() {
		let terms = ProbeTerms {
			share: 1,
			spacing: 30,
			interval: 1,
			rows_per_slot: 100,
			unmeasured_slots: 2,
			reward: 7,
			floors: alloc::vec![(DeviceClass::Cuda, 5_000)].try_into().unwrap(),
		};
		assert_eq!(
			(terms.slots(0), terms.slots(99), terms.slots(100), terms.slots(250)),
			(0, 0, 1, 2)
		);
		assert_eq!(terms.slots(u32::MAX), u16::MAX);
		assert_eq!((terms.rows(0), terms.rows(3)), (0, 300));
		assert_eq!((terms.pay(0), terms.pay(100), terms.pay(250)), (0, 7, 17));
		assert_eq!(
			(terms.floor(DeviceClass::Cuda), terms.floor(DeviceClass::CpuX86)),
			(5_000, 0)
		);
	}
}
