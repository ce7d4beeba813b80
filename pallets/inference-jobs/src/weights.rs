//! Weights of `pallet-inference-jobs`.
//!
//! ESTIMATES, counted by hand from the storage accesses of this pallet and of those behind its traits; they stand until
//! `scripts/weights` replaces this file with measured ones.

use crate::MAX_DRAWN;
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and of the steps of the due queue.
pub trait WeightInfo {
	/// `submit_job` for which the market looks at `n` nodes: all that ask, on the first touch of its epoch. With a draw that
	/// finds somebody in its first sample.
	fn submit_job(n: u32) -> Weight;
	/// `submit_batch` of as many inputs as there may be, for which the market looks at `n` nodes: as `submit_job`.
	fn submit_batch(n: u32) -> Weight;
	/// Looking at `d` nodes that cannot take a job.
	fn look_further(d: u32) -> Weight;
	/// `poke` at a timeout with reassignment.
	fn poke() -> Weight;
	/// Reading and writing the cursor.
	fn tick_base() -> Weight;
	/// Finding the next entry of the due queue and reading its job.
	fn tick_look() -> Weight;
	/// A timeout with a fine and reassignment that looks at `e` executors, of a job of the largest quorum; with a refund if `e`
	/// is 0.
	fn tick_time_out(e: u32) -> Weight;
	/// A settlement with two contradicted reporters and as many debts of the audit pot as one premium works off.
	fn tick_settle() -> Weight;
	/// Moving the end of a phase.
	fn tick_wait() -> Weight;
	/// Removing a record.
	fn tick_prune() -> Weight;
}

/// Weights for a Substrate node with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn submit_job(n: u32) -> Weight {
		let n = u64::from(n);
		// Own: r NextJobId LastDraws; w NextJobId LastDraws Jobs Due Assignments. Randomness: r 2. Models: r 2 w 1, four
		// ancestors r 4. Market: epoch, seed of ties, demand, both books and both reserves, the new record, the former one and
		// which one that is, the model's place among those stored, how many these are and the last of them, the summarised
		// epochs and two summaries, r 12 w 12; curator r 1; obligations, payer, pot, r 3 w 3. Nodes: gateway r 1, who stores r 1,
		// session and that of the epoch's start r 2, four winners r 8, the executor w 1; of each that asks its record, its
		// standing and what it was at the epoch's start, r 3. Attestations: r 1.
		Weight::from_parts(200_000_000, 46_000)
			.saturating_add(Weight::from_parts(9_000_000, 5_600).saturating_mul(n))
			.saturating_add(T::DbWeight::get().reads(39))
			.saturating_add(T::DbWeight::get().reads(3u64.saturating_mul(n)))
			.saturating_add(T::DbWeight::get().writes(22))
	}

	fn submit_batch(n: u32) -> Weight {
		let n = u64::from(n);
		// As `submit_job`: inputs are a number, nothing is read, written or hashed for each.
		Weight::from_parts(200_000_000, 46_000)
			.saturating_add(Weight::from_parts(9_000_000, 5_600).saturating_mul(n))
			.saturating_add(T::DbWeight::get().reads(39))
			.saturating_add(T::DbWeight::get().reads(3u64.saturating_mul(n)))
			.saturating_add(T::DbWeight::get().writes(22))
	}

	fn look_further(d: u32) -> Weight {
		let d = u64::from(d);
		// Of each node its record and its standing, r 2; for every fourth one a hash.
		Weight::from_parts(6_000_000, 2_800)
			.saturating_mul(d)
			.saturating_add(T::DbWeight::get().reads(2u64.saturating_mul(d)))
	}

	fn poke() -> Weight {
		// A signed call's own read of the record, then the heaviest step.
		Self::tick_look().saturating_add(Self::tick_time_out(MAX_DRAWN))
	}

	fn tick_base() -> Weight {
		// r NextDue, w NextDue.
		Weight::from_parts(3_000_000, 1_500)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}

	fn tick_look() -> Weight {
		// r next key of Due, r Jobs.
		Weight::from_parts(9_000_000, 4_200).saturating_add(T::DbWeight::get().reads(2))
	}

	fn tick_time_out(e: u32) -> Weight {
		let e = u64::from(e);
		// Own: r AverageReward Retention LastDraws; w Jobs, Due twice, Assignments twice. Nodes: session r 1, both nodes' standing
		// r 1 w 2; record and standing of each executor, r 2. Market: r 1 for the executors; a refund r 3 w 3. Models: r 1 w 1.
		// Six siblings in a quorum: r 6. A fine: see below.
		Weight::from_parts(150_000_000, 63_000)
			.saturating_add(Weight::from_parts(6_000_000, 2_800).saturating_mul(e))
			.saturating_add(T::DbWeight::get().reads(31))
			.saturating_add(T::DbWeight::get().reads(2u64.saturating_mul(e)))
			.saturating_add(T::DbWeight::get().writes(20))
	}

	fn tick_settle() -> Weight {
		// Own: r AverageReward Retention Jobs; w Jobs, Due twice, AverageReward. Market: the record, obligations, pot, issuance,
		// r 4 w 3; total and earnings of maker, four parents, executor, curator, weaver and treasury, r 10 w 10; pay that waits
		// for a proof and its total, the curator's record and the epoch's summary, r 4 w 4; the audit pot and what it owes, r 3
		// w 2; for each of four debts r 2 w 2. Nodes: two operators r 2, the executor's standing r 1 w 1. Models: r 1 w 1. For
		// each of two fines: bond, hold, account and pot, issuance, earnings of the treasury, what the pot owes, and what the
		// node was at the epoch's start; r 15 w 9.
		Weight::from_parts(340_000_000, 66_000)
			.saturating_add(T::DbWeight::get().reads(66))
			.saturating_add(T::DbWeight::get().writes(51))
	}

	fn tick_wait() -> Weight {
		// Own: r Jobs; w Jobs, Due twice.
		Weight::from_parts(15_000_000, 4_200)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(3))
	}

	fn tick_prune() -> Weight {
		// Own: r LastDraws; w Jobs Due LastDraws. Market: r 3 w 2. Attestations: w 1.
		Weight::from_parts(32_000_000, 8_600)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(6))
	}
}

/// For tests: the same counts with constant costs.
impl WeightInfo for () {
	fn submit_job(n: u32) -> Weight {
		Weight::from_parts(890_000_000, 21_000)
			.saturating_add(Weight::from_parts(40_000_000, 2_800).saturating_mul(u64::from(n)))
	}

	fn submit_batch(n: u32) -> Weight {
		Weight::from_parts(890_000_000, 21_000)
			.saturating_add(Weight::from_parts(40_000_000, 2_800).saturating_mul(u64::from(n)))
	}

	fn look_further(d: u32) -> Weight {
		Weight::from_parts(40_000_000, 2_800).saturating_mul(u64::from(d))
	}

	fn poke() -> Weight {
		Self::tick_look().saturating_add(Self::tick_time_out(MAX_DRAWN))
	}

	fn tick_base() -> Weight {
		Weight::from_parts(60_000_000, 1_500)
	}

	fn tick_look() -> Weight {
		Weight::from_parts(25_000_000, 4_200)
	}

	fn tick_time_out(e: u32) -> Weight {
		Weight::from_parts(1_360_000_000, 60_000)
			.saturating_add(Weight::from_parts(40_000_000, 2_800).saturating_mul(u64::from(e)))
	}

	fn tick_settle() -> Weight {
		Weight::from_parts(1_330_000_000, 52_000)
	}

	fn tick_wait() -> Weight {
		Weight::from_parts(200_000_000, 4_200)
	}

	fn tick_prune() -> Weight {
		Weight::from_parts(290_000_000, 6_000)
	}
}
