//! What the calls do, once authorized.

use crate::{Commitments, Config, Event, Pallet, WeightInfo};
use frame_support::{traits::Get, weights::Weight, BoundedVec};
use highway_primitives::{traits::Jobs, worker::MaxAttestations, AttestItem, FailureClass, JobId, NodeId, WorkTag};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Attests what is open in the batch and skips the rest. Returns what it weighed.
	pub(crate) fn do_attest(node: NodeId, items: BoundedVec<AttestItem, MaxAttestations>) -> Weight {
		let mut done = 0u32;
		let mut skipped = 0u64;
		for item in items {
			// Asked again for each: a job may stand in the batch twice.
			if Self::is_open(node, &item) && T::Jobs::attested(item.job, item.work, node, item.output).is_ok() {
				Commitments::<T>::insert(item.job, item.commitment);
				Self::deposit_event(Event::Attested {
					job: item.job,
					node,
					output: item.output,
				});
				done = done.saturating_add(1);
			} else {
				skipped = skipped.saturating_add(1);
			}
		}
		T::WeightInfo::attest(done).saturating_add(T::DbWeight::get().reads(skipped))
	}

	/// Takes the job from the node, which says why it cannot do it.
	pub(crate) fn do_report_failure(node: NodeId, job: JobId, work: WorkTag, class: FailureClass) -> DispatchResult {
		T::Jobs::failure_reported(job, work, node, class)?;
		Self::deposit_event(Event::FailureReported { job, node, class });
		Ok(())
	}
}
