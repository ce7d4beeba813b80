//! What is stored of rounds, answers and nodes.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use highway_primitives::{
	probe::{rows_of, ANSWER_BLOCKS, PROVE_BLOCKS},
	traits::Allowed,
	BlobRef, BlockNumber, DeviceClass, ProbeSeed, ProbeTerms,
};
use scale_info::TypeInfo;

/// Misses in a row after which nothing counts any more.
pub const MISSES: u8 = 2;

/// A round: the same seed for all nodes that it hits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct RoundRecord {
	/// Counted from 1.
	#[codec(compact)]
	pub index: u32,
	/// Its seed.
	pub seed: ProbeSeed,
	/// The block that opened it.
	#[codec(compact)]
	pub opened: BlockNumber,
}

impl RoundRecord {
	/// The last block in which an answer counts.
	pub fn answers_until(&self) -> BlockNumber {
		self.opened.saturating_add(ANSWER_BLOCKS)
	}

	/// The last block in which a proof counts.
	pub fn proofs_until(&self) -> BlockNumber {
		self.answers_until().saturating_add(PROVE_BLOCKS)
	}

	/// Whether nothing counts any more.
	pub fn is_over(&self, now: BlockNumber) -> bool {
		now > self.proofs_until()
	}
}

/// What a node said in a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Answer {
	/// The round.
	#[codec(compact)]
	pub round: u32,
	/// Final rows one after another: at least one, whole ones only.
	pub output: BlobRef,
	/// The block in which it was said.
	#[codec(compact)]
	pub at: BlockNumber,
}

impl Answer {
	/// Rows of the output.
	pub fn rows(&self) -> u32 {
		rows_of(&self.output).unwrap_or_default()
	}
}

/// What is known of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Measurement {
	/// Rows that count for it. `None`: no round came to an end for it yet.
	pub rows: Option<u32>,
	/// The last round that counted for it or was opened before it was first heard: no earlier one hits it.
	#[codec(compact)]
	pub round: u32,
	/// Whether its last proof was a lie.
	pub refuted: bool,
	/// Rounds in a row that it missed; [`MISSES`] at most.
	pub missed: u8,
}

impl Measurement {
	/// A node that was just heard for the first time, after so many rounds.
	pub fn new(rounds: u32) -> Self {
		Self {
			rows: None,
			round: rounds,
			refuted: false,
			missed: 0,
		}
	}

	/// After a proof of so many rows. A better result counts at once. A worse one moves half of the way, as the device may
	/// have been busy with paid jobs; so does the first one after a lie, so that claiming what one did not compute and
	/// hoping for the draw gains less than honest work.
	pub fn proved(self, round: u32, rows: u32) -> Self {
		let rows = match self.rows {
			Some(before) if self.refuted || rows < before => before.midpoint(rows),
			_ => rows,
		};
		Self {
			rows: Some(rows),
			..Self::new(round)
		}
	}

	/// After a lie.
	pub fn refuted(self, round: u32) -> Self {
		Self {
			rows: Some(0),
			refuted: true,
			..Self::new(round)
		}
	}

	/// After a round that it missed: half is left, and nothing after two in a row. A lie stays one.
	pub fn missed(self, round: u32, terms: &ProbeTerms) -> Self {
		let missed = self.missed.saturating_add(1).min(MISSES);
		let before = self.rows.unwrap_or_else(|| terms.rows(terms.unmeasured_slots));
		let rows = if missed < MISSES { before / 2 } else { 0 };
		Self {
			rows: Some(rows),
			round,
			refuted: self.refuted,
			missed,
		}
	}

	/// What a node of this class may sell.
	pub fn allowed(&self, terms: &ProbeTerms, device: DeviceClass) -> Allowed {
		match self.rows {
			None => Allowed {
				slots: terms.unmeasured_slots,
				able: true,
			},
			Some(rows) => Allowed {
				slots: terms.slots(rows),
				able: !self.refuted && rows >= terms.floor(device),
			},
		}
	}
}
