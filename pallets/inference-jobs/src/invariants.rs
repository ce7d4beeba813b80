//! What must hold between two blocks. Always compiled: unit tests check it after every test, `try-runtime` on a live state.

use crate::{Assignments, Config, Due, JobRecordOf, Jobs, NextDue, NextJobId, Pallet};
use highway_math::audit::DRAW_DELAY;
use highway_primitives::{traits::Models, JobId, JobPhase, Tier, MAX_INPUTS};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of this pallet.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut jobs = 0usize;
		let mut assigned = 0usize;
		for (job, record) in Jobs::<T>::iter() {
			jobs = jobs.saturating_add(1);
			if record.phase() == JobPhase::Assigned {
				assigned = assigned.saturating_add(1);
			}
			Self::check_ids(job)?;
			Self::check_inputs(&record)?;
			Self::check_queue(job, &record)?;
			Self::check_assignment(job, &record)?;
			Self::check_tried(&record)?;
			Self::check_attestation(&record)?;
			Self::check_quorum(job, &record)?;
		}
		// With the checks per job: no entry without its job, no job with two entries.
		if Due::<T>::iter_keys().count() != jobs {
			return Err("the due queue must have exactly one entry per job".into());
		}
		if Assignments::<T>::iter_keys().count() != assigned {
			return Err("there must be exactly one assignment per assigned job".into());
		}
		Ok(())
	}

	/// Ids are given out in order.
	fn check_ids(job: JobId) -> Result<(), TryRuntimeError> {
		match job < NextJobId::<T>::get() {
			true => Ok(()),
			false => Err("a job has an id that was not given out yet".into()),
		}
	}

	/// A job has inputs, but no more than one job may, and costs and lasts what its model counts for them; a job of a quorum has
	/// one. What a model counts in never changes.
	fn check_inputs(record: &JobRecordOf<T>) -> Result<(), TryRuntimeError> {
		if !(1..=MAX_INPUTS).contains(&record.inputs) {
			return Err("a job has no input, or too many".into());
		}
		if record.quorum.is_some() && record.inputs != 1 {
			return Err("a job of a quorum has many inputs".into());
		}
		// A model that is deprecated, or gone, says nothing more of it.
		let Ok(service) = T::Models::service(record.model) else {
			return Ok(());
		};
		match record.deal.units == service.unit.count(record.input.size, record.inputs) {
			true => Ok(()),
			false => Err("a job has other units than its model counts for its inputs".into()),
		}
	}

	/// A job stands in the queue at the block at which its phase ends, where the cursor has yet to come.
	fn check_queue(job: JobId, record: &JobRecordOf<T>) -> Result<(), TryRuntimeError> {
		if !Due::<T>::contains_key(record.due(), job) {
			return Err("a job must stand in the due queue at the end of its phase".into());
		}
		if record.due() < NextDue::<T>::get() {
			return Err("the due queue's cursor passed a job".into());
		}
		Ok(())
	}

	/// A job is among a node's assignments exactly while it waits for that node.
	fn check_assignment(job: JobId, record: &JobRecordOf<T>) -> Result<(), TryRuntimeError> {
		match record.assignee() {
			Some(node) if !Assignments::<T>::contains_key(node, job) => {
				Err("an assigned job must be among its node's assignments".into())
			}
			_ => Ok(()),
		}
	}

	/// Work counts only within its node's time, and waits until the blocks that draw its audit are there.
	fn check_attestation(record: &JobRecordOf<T>) -> Result<(), TryRuntimeError> {
		let Some(attestation) = record.attestation() else {
			return Ok(());
		};
		if attestation.at > attestation.deadline {
			return Err("work was attested after its deadline".into());
		}
		match record.due() >= attestation.deadline.saturating_add(DRAW_DELAY) {
			true => Ok(()),
			false => Err("the audit of a job would be drawn by blocks that are not there".into()),
		}
	}

	/// A job is of the quorum that it says. What is there once is paid with the first alone. All of them are of one submission,
	/// and no node has or did two of them.
	fn check_quorum(job: JobId, record: &JobRecordOf<T>) -> Result<(), TryRuntimeError> {
		let is_first = record.quorum.is_none_or(|quorum| quorum.first == job);
		if record.deal.royalties != is_first {
			return Err("royalties are paid with the first job of a quorum, and only there".into());
		}
		let Some(quorum) = record.quorum else {
			return Ok(());
		};
		let jobs = quorum.jobs();
		let is_possible = Tier::Quorum(quorum.size).jobs().is_some() && jobs.end <= NextJobId::<T>::get();
		if !is_possible || !jobs.contains(&job) {
			return Err("a job is of a quorum that there is not".into());
		}
		let once = [
			record.deal.storage.is_some(),
			record.deal.curator.is_some(),
			record.deal.weaver.is_some(),
		];
		if !is_first && once.contains(&true) {
			return Err("storage, curator or weaver are paid twice for a quorum".into());
		}
		for sibling in quorum.siblings(job).filter_map(Jobs::<T>::get) {
			let ours = (
				&record.quorum,
				&record.payer,
				record.model,
				record.version,
				record.input,
			);
			let theirs = (
				&sibling.quorum,
				&sibling.payer,
				sibling.model,
				sibling.version,
				sibling.input,
			);
			if ours != theirs || record.submitted_at != sibling.submitted_at || record.deal.epoch != sibling.deal.epoch
			{
				return Err("the jobs of a quorum are not of one submission".into());
			}
			if record.executor().is_some() && record.executor() == sibling.executor() {
				return Err("a node has or did two jobs of a quorum".into());
			}
		}
		Ok(())
	}

	/// No node gets a job twice, and only nodes that had it say why it failed.
	fn check_tried(record: &JobRecordOf<T>) -> Result<(), TryRuntimeError> {
		let mut seen = record.tried.iter().enumerate();
		if seen.any(|(at, node)| {
			record
				.tried
				.iter()
				.skip(at.saturating_add(1))
				.any(|other| other == node)
		}) {
			return Err("a node had the same job twice".into());
		}
		if record.executor().is_some_and(|node| record.tried.contains(&node)) {
			return Err("a job is with a node that had it before".into());
		}
		if record.failures.iter().any(|(node, _)| !record.tried.contains(node)) {
			return Err("a node that did not have the job reported on it".into());
		}
		Ok(())
	}
}
