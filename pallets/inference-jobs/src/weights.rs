//! Weights of `pallet-inference-jobs`.
//!
//! ESTIMATES, counted by hand from the storage accesses of this pallet and of those behind its traits; they stand until
//! `scripts/weights` replaces this file with measured ones.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and of the steps of the due queue.
pub trait WeightInfo {
	/// `submit_job` with a draw among `e` executors; the first touch of a market epoch included.
	fn submit_job(e: u32) -> Weight;
	/// `poke` at a timeout with reassignment.
	fn poke() -> Weight;
	/// Reading and writing the cursor.
	fn tick_base() -> Weight;
	/// Finding the next entry of the due queue and reading its job.
	fn tick_look() -> Weight;
	/// A timeout with a fine and reassignment among 64 executors.
	fn tick_time_out() -> Weight;
	/// A settlement with two contradicted reporters and as many debts of the audit pot as one premium works off.
	fn tick_settle() -> Weight;
	/// Moving the end of a phase.
	fn tick_wait() -> Weight;
	/// Removing a record.
	fn tick_prune() -> Weight;
}

/// Weights of the questions that this pallet asks through [`Attestations`](highway_primitives::traits::Attestations).
pub trait AuditWeights {
	/// `window_over` that lets the job wait or upholds it: the draw alone.
	fn window_over() -> Weight;
	/// `window_over` that opens an audit.
	fn audit_opened() -> Weight;
	/// `audit_due` at its worst.
	fn audit_due() -> Weight;
}

/// Weights for a Substrate node with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn submit_job(e: u32) -> Weight {
		let e = u64::from(e);
		// Own: r NextJobId; w NextJobId Jobs Due Assignments. Models: r 2 w 1. Market: clearing, cursor, payer, pot;
		// r 16 w 10. Nodes: r 3 w 2 for the reservation, r 4 per executor in the clearing and in the draw.
		Weight::from_parts(180_000_000, 20_000)
			.saturating_add(Weight::from_parts(6_000_000, 2_800).saturating_mul(e))
			.saturating_add(T::DbWeight::get().reads(24))
			.saturating_add(T::DbWeight::get().reads(4u64.saturating_mul(e)))
			.saturating_add(T::DbWeight::get().writes(17))
	}

	fn poke() -> Weight {
		// A signed call's own read of the record, then the heaviest step.
		Self::tick_look().saturating_add(Self::tick_time_out())
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

	fn tick_time_out() -> Weight {
		// Own: r AverageReward; w Jobs, Due twice, Assignments twice. Nodes: outcome, slot, security of both; r 6 w 6.
		// Market: r 1 for the executors, r 4 for each of 64 in the draw; a refund r 3 w 3. Models: r 1 w 1. A fine: see below.
		Weight::from_parts(510_000_000, 212_000)
			.saturating_add(T::DbWeight::get().reads(280))
			.saturating_add(T::DbWeight::get().writes(23))
	}

	fn tick_settle() -> Weight {
		// Own: r AverageReward Retention Jobs; w Jobs, Due twice, AverageReward. Market: r 15 w 14, a line and an event per
		// payee; for each of four debts r 2 w 2. Nodes: r 3 w 3. Models: r 1 w 1. For each of two fines: bond, hold, account
		// and pot, issuance, earnings of the treasury and what the pot owes; r 12 w 8.
		Weight::from_parts(320_000_000, 52_000)
			.saturating_add(T::DbWeight::get().reads(54))
			.saturating_add(T::DbWeight::get().writes(46))
	}

	fn tick_wait() -> Weight {
		// Own: r Jobs; w Jobs, Due twice.
		Weight::from_parts(15_000_000, 4_200)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(3))
	}

	fn tick_prune() -> Weight {
		// Own: w Jobs Due. Market: r 1 w 2. Attestations: w 1.
		Weight::from_parts(30_000_000, 6_000)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(5))
	}
}

/// For tests: the same counts with constant costs.
impl WeightInfo for () {
	fn submit_job(e: u32) -> Weight {
		Weight::from_parts(800_000_000, 20_000)
			.saturating_add(Weight::from_parts(40_000_000, 2_800).saturating_mul(u64::from(e)))
	}

	fn poke() -> Weight {
		Self::tick_look().saturating_add(Self::tick_time_out())
	}

	fn tick_base() -> Weight {
		Weight::from_parts(60_000_000, 1_500)
	}

	fn tick_look() -> Weight {
		Weight::from_parts(25_000_000, 4_200)
	}

	fn tick_time_out() -> Weight {
		Weight::from_parts(3_300_000_000, 212_000)
	}

	fn tick_settle() -> Weight {
		Weight::from_parts(1_300_000_000, 52_000)
	}

	fn tick_wait() -> Weight {
		Weight::from_parts(200_000_000, 4_200)
	}

	fn tick_prune() -> Weight {
		Weight::from_parts(290_000_000, 6_000)
	}
}

/// For tests: an audit is heavier than a settlement.
impl AuditWeights for () {
	fn window_over() -> Weight {
		Weight::from_parts(100_000_000, 10_000)
	}

	fn audit_opened() -> Weight {
		Weight::from_parts(2_500_000_000, 60_000)
	}

	fn audit_due() -> Weight {
		Weight::from_parts(5_000_000_000, 90_000)
	}
}
