//! The due queue.

use crate::{
	life_cycle::MAX_GONE_WITH_A_JOB, types::Looks, AuditWeights, Config, Due, JobRecordOf, JobState, Jobs,
	MaxExecutors, NextDue, Pallet, WeightInfo, MAX_DRAWN, MAX_LOOKED_AT, SAMPLE,
};
use frame_support::{
	defensive,
	traits::Get,
	weights::{Weight, WeightMeter},
};
use highway_math::audit;
use highway_primitives::{
	audit::AuditWork,
	market::MAX_DEBTS_AT_ONCE,
	model::{MAX_LINEAGE, MIN_DETECTION},
	BlockNumber, Tier,
};

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
			// Room for the worst, charged as it was: most windows end without an audit, most audits without a jury, and most
			// draws with their first sample.
			if !meter.can_consume(Self::step_weight(&record)) {
				return false;
			}
			meter.consume(Self::advance(job, record));
		}
	}

	/// The most that ending the present phase of a job weighs.
	fn step_weight(record: &JobRecordOf<T>) -> Weight {
		let failures = record.failures.len() as u32;
		match record.state {
			JobState::Assigned { .. } => Self::heaviest_time_out(record),
			JobState::Attested { .. } => Self::heaviest_window_over(failures),
			JobState::Auditing { .. } => Self::heaviest_audit_due(failures),
			JobState::Settled { .. }
			| JobState::Rejected { .. }
			| JobState::Void { .. }
			| JobState::Refunded { .. }
			| JobState::Failed { .. } => T::WeightInfo::tick_prune(MAX_GONE_WITH_A_JOB),
		}
	}

	/// The most that the timeout of an assigned job weighs.
	fn heaviest_time_out(record: &JobRecordOf<T>) -> Weight {
		let nodes = (record.tried.len() as u32).saturating_add(1);
		match nodes >= MaxExecutors::get() {
			// With this one, as many nodes have had it as may: there is nobody to draw.
			true => T::WeightInfo::tick_time_out(0),
			false => T::WeightInfo::tick_time_out(record.executors),
		}
	}

	fn heaviest_window_over(failures: u32) -> Weight {
		T::AuditWeights::window_over(audit::DRAW_WALK)
			.max(Self::heaviest_opening())
			.saturating_add(Self::heaviest_verdict(failures))
	}

	fn heaviest_audit_due(failures: u32) -> Weight {
		Self::heaviest_work().saturating_add(Self::heaviest_verdict(failures))
	}

	/// The most that it weighs to open an audit.
	fn heaviest_opening() -> Weight {
		T::AuditWeights::audit_opened(audit::DRAW_WALK, audit::JUDGE_TRIES.into())
	}

	/// The most that the end of an audit's phase weighs, before what it does to the job.
	fn heaviest_work() -> Weight {
		let works = AuditWork::MOST.into_iter().map(T::AuditWeights::audit_due);
		works.fold(Weight::zero(), |most, work| most.max(work))
	}

	/// Nodes that reported a failure of a job that is done then pay for it: a fine is most of what it can weigh.
	fn heaviest_verdict(failures: u32) -> Weight {
		Self::heaviest_settlement(failures).max(T::WeightInfo::tick_wait())
	}

	/// The most that a settlement weighs which contradicts so many reports.
	fn heaviest_settlement(failures: u32) -> Weight {
		Self::settlement_weight(MAX_LINEAGE, 1, MAX_DEBTS_AT_ONCE, failures)
	}

	/// What a settlement weighs that pays the maker, the executor, a storage provider and the treasury; and beside them so many
	/// ancestors, a curator or none, and debts of the audit pot; and that contradicts so many reports.
	pub(crate) fn settlement_weight(ancestors: u32, curators: u32, debts: u32, failures: u32) -> Weight {
		let fines = match failures {
			0 => Weight::zero(),
			nodes => T::WeightInfo::tick_contradict(nodes),
		};
		T::WeightInfo::tick_settle(ancestors, curators, debts).saturating_add(fines)
	}

	/// What a submission weighs at its worst: it clears the market, and of all who won only the last ones that it looks at
	/// are able.
	pub(crate) fn heaviest_submission(tier: Tier) -> Weight {
		Self::submit_weight(tier, Self::most_looks(tier.jobs().unwrap_or(1)))
	}

	/// The same of a job of many inputs.
	pub(crate) fn heaviest_batch() -> Weight {
		Self::batch_weight(Self::most_looks(1))
	}

	/// The most that a submission of so many jobs looks at.
	fn most_looks(jobs: u8) -> Looks {
		Looks {
			market: MAX_LOOKED_AT,
			further: MAX_DRAWN.saturating_sub(SAMPLE).saturating_mul(jobs.into()),
			executors: MAX_DRAWN,
		}
	}

	/// What a submission weighs that looked at so much. The market is cleared once, whatever the number of jobs.
	pub(crate) fn submit_weight(tier: Tier, looks: Looks) -> Weight {
		// A quorum of an impossible size is refused before anything is looked at.
		let jobs = u64::from(tier.jobs().unwrap_or(1));
		let siblings = T::WeightInfo::submit_later().saturating_mul(jobs.saturating_sub(1));
		let one = match looks.market {
			0 => T::WeightInfo::submit_later(),
			nodes => T::WeightInfo::submit_job(nodes),
		};
		one.saturating_add(siblings).saturating_add(Self::besides(jobs, looks))
	}

	/// The same of a job of many inputs: the chain does nothing for each of them.
	pub(crate) fn batch_weight(looks: Looks) -> Weight {
		let one = match looks.market {
			0 => T::WeightInfo::submit_later(),
			nodes => T::WeightInfo::submit_batch(nodes),
		};
		one.saturating_add(Self::besides(1, looks))
	}

	/// What a submission of so many jobs weighs beside its calls: draws beyond their first samples, and what it leaves to the
	/// due queue. That is not done in its block, but its payer pays for it: it stands in the second dimension, which a chain of
	/// its own has no other use for, and which the runtime's fee adds to the first.
	fn besides(jobs: u64, looks: Looks) -> Weight {
		let later = Self::later_weight(looks.executors).ref_time().saturating_mul(jobs);
		// One sample is a part of every submission.
		let further = match looks.further {
			0 => Weight::zero(),
			nodes => T::WeightInfo::look_further(nodes),
		};
		further.saturating_add(Weight::from_parts(0, later))
	}

	/// The most that a job costs the due queue: timeouts with another draw after each, its end, and its removal. Of an
	/// audit, the share that falls to each job. Of a draw, the first sample: if nobody in it is able, what it looks at besides
	/// is the queue's.
	pub(crate) fn later_weight(executors: u32) -> Weight {
		let look = T::WeightInfo::tick_look();
		let nodes: u32 = MaxExecutors::get();
		let draws = executors.min(nodes.saturating_sub(1));
		let sample = executors.min(SAMPLE);
		let settled = T::AuditWeights::window_over(audit::DRAW_WALK).saturating_add(Self::heaviest_settlement(draws));
		let end = settled.max(T::WeightInfo::tick_time_out(0));
		look.saturating_add(T::WeightInfo::tick_time_out(sample))
			.saturating_mul(draws.into())
			.saturating_add(look.saturating_add(end))
			.saturating_add(look.saturating_add(T::WeightInfo::tick_prune(MAX_GONE_WITH_A_JOB)))
			.saturating_add(Self::audit_share())
	}

	/// What an audit adds to a job's steps, times the largest probability of one. Payers pay for three steps at their worst,
	/// whatever the queue is charged for them. An audit in which everybody speaks and agrees takes three, and is charged a small
	/// part of that; one that goes through all its auditors and ends with a jury takes more, and is charged no more than that,
	/// unless it has to wait for the blocks that draw the jury.
	pub(crate) fn audit_share() -> Weight {
		let step = T::WeightInfo::tick_look()
			.saturating_add(Self::heaviest_work())
			.saturating_add(T::WeightInfo::tick_wait());
		let added = Self::heaviest_opening().saturating_add(step.saturating_mul(3));
		let rate = audit::rate(1, audit::security(1, T::SecurityFactor::get()), MIN_DETECTION);
		Weight::from_parts(rate.mul_ceil(added.ref_time()), rate.mul_ceil(added.proof_size()))
	}

	/// What `poke` weighs at its worst.
	pub(crate) fn heaviest_poke() -> Weight {
		T::WeightInfo::tick_look().saturating_add(Self::heaviest_step())
	}

	fn heaviest_step() -> Weight {
		// With another one of the same kind the job would be over.
		let failures = <MaxExecutors as Get<u32>>::get().saturating_sub(1);
		T::WeightInfo::tick_time_out(MAX_DRAWN)
			.max(Self::heaviest_window_over(failures))
			.max(Self::heaviest_audit_due(failures))
			.max(T::WeightInfo::tick_prune(MAX_GONE_WITH_A_JOB))
	}

	/// What a block's share must have room for, so that each block gets at least one step further.
	pub(crate) fn least_tick_weight() -> Weight {
		T::WeightInfo::tick_base()
			.saturating_add(T::WeightInfo::tick_look())
			.saturating_add(Self::heaviest_step())
	}
}
