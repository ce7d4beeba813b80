//! What others read of jobs, and what this pallet offers to other pallets.

use crate::{Assignments, Config, JobRecordOf, Jobs, NextDue, Pallet};
use alloc::vec::Vec;
use highway_primitives::{audit::AuditSubject, traits, BlobRef, BlockNumber, FailureClass, JobId, NodeId, WorkTag};
use sp_core::H256;
use sp_runtime::{DispatchResult, SaturatedConversion};

/// The most assignments that one read looks at: more than any node has slots for.
const MAX_READ: usize = 4_096;

impl<T: Config> Pallet<T> {
	/// A job, while its record is kept.
	pub fn job(id: JobId) -> Option<JobRecordOf<T>> {
		Jobs::<T>::get(id)
	}

	/// Jobs that wait for `node`, oldest first, at most `limit`. For calls from outside: it reads up to 4096 keys.
	pub fn assigned_to(node: NodeId, limit: u32) -> Vec<JobId> {
		let mut jobs: Vec<JobId> = Assignments::<T>::iter_key_prefix(node).take(MAX_READ).collect();
		jobs.sort_unstable();
		jobs.truncate(limit.saturated_into());
		jobs
	}

	/// How many blocks the due queue is behind: the current one and those before it whose part is not done. 0 while it keeps
	/// up.
	pub fn overdue() -> BlockNumber {
		// Nothing is ever due at block 0, at which the cursor stands at first.
		let first = NextDue::<T>::get().max(1);
		Self::now().saturating_add(1).saturating_sub(first)
	}

	/// The current block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}

impl<T: Config> traits::Jobs<T::AccountId> for Pallet<T> {
	fn is_assigned(job: JobId, work: WorkTag, node: NodeId) -> bool {
		Self::assigned_record(job, work, node).is_ok()
	}

	fn attested(job: JobId, work: WorkTag, node: NodeId, output: BlobRef, commitment: H256) -> DispatchResult {
		Self::do_attested(job, work, node, output, commitment)
	}

	fn failure_reported(job: JobId, work: WorkTag, node: NodeId, class: FailureClass) -> DispatchResult {
		Self::do_failure_reported(job, work, node, class)
	}

	fn audit_subject(job: JobId) -> Option<AuditSubject<T::AccountId>> {
		Self::subject(job, &Jobs::<T>::get(job)?)
	}

	fn audit_until(job: JobId, until: BlockNumber) {
		Self::do_audit_until(job, until);
	}
}
