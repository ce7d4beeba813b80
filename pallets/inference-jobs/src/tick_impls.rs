//! The due queue.

use crate::{Config, Due, JobRecordOf, JobState, Jobs, MaxExecutors, NextDue, Pallet, WeightInfo, MAX_DRAWN};
use frame_support::{
	defensive,
	traits::Get,
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
			if meter.try_consume(Self::step_weight(&record)).is_err() {
				return false;
			}
			Self::advance(job, record);
		}
	}

	fn step_weight(record: &JobRecordOf<T>) -> Weight {
		match record.state {
			// With this one, as many nodes have had it as may: there is nobody to draw.
			JobState::Assigned { .. } if (record.tried.len() as u32).saturating_add(1) >= MaxExecutors::get() => {
				T::WeightInfo::tick_time_out(0)
			}
			JobState::Assigned { .. } => T::WeightInfo::tick_time_out(record.executors),
			JobState::Attested { .. } => T::WeightInfo::tick_settle(),
			JobState::Settled { .. } | JobState::Refunded { .. } | JobState::Failed { .. } => {
				T::WeightInfo::tick_prune()
			}
		}
	}

	/// What a submission weighs that looked at so many nodes and drew from so many executors.
	///
	/// What it leaves to the due queue is not done in its block, but its payer pays for it: it stands in the second
	/// dimension, which a chain of its own has no other use for, and which the runtime's fee adds to the first.
	pub(crate) fn submit_weight(looked_at: u32, executors: u32) -> Weight {
		let later = Self::later_weight(executors);
		T::WeightInfo::submit_job(looked_at).saturating_add(Weight::from_parts(0, later.ref_time()))
	}

	/// The most that a job costs the due queue: timeouts with another draw after each, its end, and its removal.
	pub(crate) fn later_weight(executors: u32) -> Weight {
		let look = T::WeightInfo::tick_look();
		let nodes: u32 = MaxExecutors::get();
		let draws = executors.min(nodes.saturating_sub(1));
		let end = T::WeightInfo::tick_settle().max(T::WeightInfo::tick_time_out(0));
		look.saturating_add(T::WeightInfo::tick_time_out(executors))
			.saturating_mul(draws.into())
			.saturating_add(look.saturating_add(end))
			.saturating_add(look.saturating_add(T::WeightInfo::tick_prune()))
	}

	/// What a block's share must have room for, so that each block gets at least one step further.
	pub(crate) fn least_tick_weight() -> Weight {
		let step = T::WeightInfo::tick_time_out(MAX_DRAWN)
			.max(T::WeightInfo::tick_settle())
			.max(T::WeightInfo::tick_prune());
		T::WeightInfo::tick_base()
			.saturating_add(T::WeightInfo::tick_look())
			.saturating_add(step)
	}
}
