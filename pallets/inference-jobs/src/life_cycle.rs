//! The changes of a job's state: each leaves one entry in the due queue, and an assignment only where a node has work.

use crate::{
	draw::Drawn, types::JobState, Assignments, AttestationWindow, Config, Due, Error, Event, JobRecordOf, Jobs, Pallet,
	Retention, WeightInfo,
};
use frame_support::{defensive, ensure, storage::with_storage_layer, traits::Get, weights::Weight};
use highway_math::{audit::DRAW_DELAY, reliability};
use highway_primitives::{
	market::BillLines,
	traits::{Attestations as _, Market, Nodes},
	work_tag, Balance, BlobRef, BlockNumber, FailureClass, JobId, NodeId, WorkTag,
};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult, Perbill};

/// What goes with a job's record at most, beside what each job leaves: the audit.
pub(crate) const MAX_GONE_WITH_A_JOB: u32 = 1;

impl<T: Config> Pallet<T> {
	/// Ends the present phase of a due job. Returns what that weighed.
	pub(crate) fn advance(job: JobId, record: JobRecordOf<T>) -> Weight {
		match record.state {
			JobState::Assigned { node, .. } => Self::time_out(job, record, node),
			JobState::Attested { .. } | JobState::Auditing { .. } => Self::judge(job, record),
			JobState::Settled { .. }
			| JobState::Rejected { .. }
			| JobState::Void { .. }
			| JobState::Refunded { .. }
			| JobState::Failed { .. } => Self::prune(job, record),
		}
	}

	/// The node did the job: its slot is free again, its security stays until the job is over.
	pub(crate) fn do_attested(
		job: JobId,
		work: WorkTag,
		node: NodeId,
		output: BlobRef,
		commitment: H256,
	) -> DispatchResult {
		let record = Self::assigned_record(job, work, node)?;
		T::Nodes::free_slot(node);
		let at = Self::now();
		let deadline = record.deadline().unwrap_or(at);
		// The audit is drawn by blocks after the deadline: whoever attests early must not choose them.
		let drawn_at = deadline.saturating_add(DRAW_DELAY);
		let settle_at = at.saturating_add(AttestationWindow::<T>::get().max(1)).max(drawn_at);
		Self::enter(
			job,
			record,
			JobState::Attested {
				node,
				output,
				commitment,
				at,
				deadline,
				settle_at,
			},
		);
		Ok(())
	}

	/// The node cannot do the job: the second one with the same reason ends it, else another node tries.
	pub(crate) fn do_failure_reported(job: JobId, work: WorkTag, node: NodeId, class: FailureClass) -> DispatchResult {
		let mut record = Self::assigned_record(job, work, node)?;
		let weight = Self::job_weight(&record);
		Self::take_away(&mut record, node, half(weight));
		let same = record
			.failures
			.iter()
			.find(|(_, other)| *other == class)
			.map(|(reporter, _)| *reporter);
		if record.failures.try_push((node, class)).is_err() {
			defensive!("no job has more reports than executors");
		}
		match same {
			Some(first) => Self::fail(job, record, class, [first, node]),
			None => {
				Self::reassign_or_refund(job, record);
			}
		}
		Ok(())
	}

	/// The record of a job that stands for `work` and waits for `node`, within its time.
	pub(crate) fn assigned_record(job: JobId, work: WorkTag, node: NodeId) -> Result<JobRecordOf<T>, DispatchError> {
		let record = Jobs::<T>::get(job).ok_or(Error::<T>::UnknownJob)?;
		ensure!(work_tag(&record.work) == work, Error::<T>::OtherWork);
		match record.state {
			JobState::Assigned {
				node: assigned,
				deadline,
			} if assigned == node => {
				// Independent of how far the due queue is: a node's time does not depend on other jobs.
				ensure!(Self::now() <= deadline, Error::<T>::DeadlinePassed);
				Ok(record)
			}
			_ => Err(Error::<T>::NotAssigned.into()),
		}
	}

	/// Returns what it weighed.
	fn time_out(job: JobId, mut record: JobRecordOf<T>, node: NodeId) -> Weight {
		let weight = Self::job_weight(&record);
		Self::take_away(&mut record, node, weight);
		Self::deposit_event(Event::JobTimedOut { job, node });
		Self::fine(job, &record, node);
		let looked_at = Self::reassign_or_refund(job, record);
		T::WeightInfo::tick_time_out(looked_at)
	}

	/// Takes an undone job from a node, which loses `weight` of its reliability.
	fn take_away(record: &mut JobRecordOf<T>, node: NodeId, weight: Perbill) {
		T::Nodes::note_outcome(node, false, weight);
		T::Nodes::free_slot(node);
		T::Nodes::release(node, record.security);
		if record.tried.try_push(node).is_err() {
			defensive!("no job has more executors than it may have");
		}
	}

	/// Returns how many nodes it looked at.
	fn reassign_or_refund(job: JobId, record: JobRecordOf<T>) -> u32 {
		let Drawn { node, looked_at } = Self::next_executor(job, &record);
		let Some(node) = node else {
			Self::refund(job, record);
			return looked_at;
		};
		let deadline = Self::now().saturating_add(record.allowance);
		Self::enter(job, record, JobState::Assigned { node, deadline });
		Self::deposit_event(Event::JobReassigned { job, node, deadline });
		looked_at
	}

	/// Draws and reserves another node, if the job may have one.
	fn next_executor(job: JobId, record: &JobRecordOf<T>) -> Drawn {
		if record.tried.is_full() {
			return Drawn::default();
		}
		let executors = T::Market::executors(record.model, &record.deal);
		let excluded = Self::excluded(job, record);
		let round = record.tried.len();
		let (model, security) = (record.model, record.security);
		let last = T::Market::last_drawn(model);
		let drawn = Self::draw_executor(job, round, model, security, &excluded, &executors, last);
		// A refusal must leave no half of a reservation: no call stands around this one that would undo it.
		let reserve = |node: &NodeId| with_storage_layer(|| T::Nodes::reserve(*node, security)).is_ok();
		Drawn {
			node: drawn.node.filter(reserve),
			..drawn
		}
	}

	/// Takes the job's compute price from a node that kept its payer waiting: half is burned, half is the treasury's.
	pub(crate) fn fine(job: JobId, record: &JobRecordOf<T>, node: NodeId) {
		let amount = T::Nodes::fine(node, record.deal.compute, &T::Market::slash_account());
		if amount > 0 {
			T::Market::split_slash(job, amount, &[]);
			Self::deposit_event(Event::NodeFined { job, node, amount });
		}
	}

	fn refund(job: JobId, record: JobRecordOf<T>) {
		T::Market::refund(job, &record.payer, &record.deal);
		let (payer, amount) = (record.payer.clone(), record.deal.price);
		let state = JobState::Refunded {
			prune_at: Self::prune_at(),
		};
		Self::end(job, record, Default::default(), state);
		Self::deposit_event(Event::JobRefunded { job, payer, amount });
	}

	fn fail(job: JobId, record: JobRecordOf<T>, class: FailureClass, reporters: [NodeId; 2]) {
		let bill = T::Market::fail(job, &record.payer, &record.deal, &reporters);
		let state = JobState::Failed {
			class,
			reporters,
			prune_at: Self::prune_at(),
		};
		Self::end(job, record, bill, state);
		Self::deposit_event(Event::JobFailed { job, class, reporters });
	}

	/// Keeps the record, with what was paid, for those who ask.
	pub(crate) fn end(job: JobId, mut record: JobRecordOf<T>, bill: BillLines<T::AccountId>, state: JobState) {
		T::Market::close(record.model, &record.deal);
		record.bill = bill;
		Self::enter(job, record, state);
	}

	/// Returns what it weighed.
	fn prune(job: JobId, record: JobRecordOf<T>) -> Weight {
		let audited = T::Attestations::forget(job);
		Due::<T>::remove(record.due(), job);
		Jobs::<T>::remove(job);
		Self::deposit_event(Event::JobPruned { job });
		T::WeightInfo::tick_prune(audited.into())
	}

	/// Moves a stored job to `state`.
	pub(crate) fn enter(job: JobId, mut record: JobRecordOf<T>, state: JobState) {
		Due::<T>::remove(record.due(), job);
		if let Some(node) = record.assignee() {
			Assignments::<T>::remove(node, job);
		}
		record.state = state;
		Self::file(job, &record);
	}

	/// Stores a job and its entries.
	pub(crate) fn file(job: JobId, record: &JobRecordOf<T>) {
		Due::<T>::insert(record.due(), job, ());
		if let Some(node) = record.assignee() {
			Assignments::<T>::insert(node, job, ());
		}
		Jobs::<T>::insert(job, record);
	}

	pub(crate) fn prune_at() -> BlockNumber {
		Self::now().saturating_add(Retention::<T>::get().max(1))
	}

	/// How much the job counts for a node's reliability: dust jobs move nobody's.
	pub(crate) fn job_weight(record: &JobRecordOf<T>) -> Perbill {
		reliability::weight(record.deal.compute, T::Market::average_compute())
	}

	/// Security that stands behind a job with this compute line. At least one unit, also behind a job that costs nothing:
	/// a node of whose bond something is reserved cannot leave before its job is over.
	pub fn security(compute: Balance) -> Balance {
		highway_math::audit::security(compute, T::SecurityFactor::get()).max(1)
	}
}

pub(crate) fn half(weight: Perbill) -> Perbill {
	Perbill::from_parts(weight.deconstruct() / 2)
}
