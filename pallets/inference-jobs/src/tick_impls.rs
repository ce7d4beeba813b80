//! The due queue.

use crate::{AuditWeights, Config, Due, JobRecordOf, JobState, Jobs, NextDue, Pallet, WeightInfo};
use frame_support::{
	defensive,
	weights::{Weight, WeightMeter},
};
use highway_primitives::BlockNumber;

impl<T: Config> Pallet<T> {
	/// Advances the jobs that are due at `now`, as many as `meter` has room for; the cursor stays where it stopped.
	pub(crate) fn take_due(now: BlockNumber, meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::tick_base()).is_err() {
			return;
		}
		let first = NextDue::<T>::get();
		let mut cursor = first;
		while cursor <= now && Self::take_due_at(cursor, meter) {
			cursor = match cursor.checked_add(1) {
				Some(next) => next,
				None => break,
			};
		}
		if cursor != first {
			NextDue::<T>::put(cursor);
		}
	}

	/// Advances the jobs that are due at `block`; whether none is left.
	fn take_due_at(block: BlockNumber, meter: &mut WeightMeter) -> bool {
		// One iterator that moves on over what it removes: a fresh look at the first key would step over all that was
		// removed in this block before, again and again. No step adds to `block`: every new due block lies ahead.
		let mut jobs = Due::<T>::iter_key_prefix(block);
		loop {
			if meter.try_consume(T::WeightInfo::tick_look()).is_err() {
				return false;
			}
			let Some(job) = jobs.next() else { return true };
			let Some(record) = Jobs::<T>::get(job) else {
				defensive!("every entry of the due queue has a job");
				Due::<T>::remove(block, job);
				continue;
			};
			// Room for the worst, charged as it was: most windows end without an audit.
			if !meter.can_consume(Self::step_weight(&record)) {
				return false;
			}
			meter.consume(Self::advance(job, record));
		}
	}

	/// The most that ending the present phase of a job weighs.
	fn step_weight(record: &JobRecordOf<T>) -> Weight {
		match record.state {
			JobState::Assigned { .. } => T::WeightInfo::tick_time_out(),
			JobState::Attested { .. } => Self::heaviest_window_over(),
			JobState::Auditing { .. } => Self::heaviest_audit_due(),
			JobState::Settled { .. }
			| JobState::Rejected { .. }
			| JobState::Void { .. }
			| JobState::Refunded { .. }
			| JobState::Failed { .. } => T::WeightInfo::tick_prune(),
		}
	}

	fn heaviest_window_over() -> Weight {
		T::AuditWeights::window_over()
			.max(T::AuditWeights::audit_opened())
			.saturating_add(Self::heaviest_verdict())
	}

	fn heaviest_audit_due() -> Weight {
		T::AuditWeights::audit_due().saturating_add(Self::heaviest_verdict())
	}

	fn heaviest_verdict() -> Weight {
		T::WeightInfo::tick_settle().max(T::WeightInfo::tick_wait())
	}

	/// What `poke` weighs at its worst.
	pub(crate) fn heaviest_poke() -> Weight {
		T::WeightInfo::tick_look().saturating_add(Self::heaviest_step())
	}

	fn heaviest_step() -> Weight {
		T::WeightInfo::tick_time_out()
			.max(Self::heaviest_window_over())
			.max(Self::heaviest_audit_due())
			.max(T::WeightInfo::tick_prune())
	}

	/// What a block's share must have room for, so that each block gets at least one step further.
	pub(crate) fn least_tick_weight() -> Weight {
		T::WeightInfo::tick_base()
			.saturating_add(T::WeightInfo::tick_look())
			.saturating_add(Self::heaviest_step())
	}
}
