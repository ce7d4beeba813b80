//! Stand-ins for the pallets behind the traits: worker keys and assignments set by hand.

use super::AccountId;
use frame_support::{ensure, pallet_prelude::*, storage_alias};
use highway_primitives::{traits, Balance, BlobRef, FailureClass, JobId, ModelId, NodeId, WorkTag, WorkerId};
use sp_runtime::Perbill;

#[storage_alias]
pub type Workers = StorageMap<Mock, Twox64Concat, NodeId, WorkerId>;
#[storage_alias]
pub type Assigned = StorageMap<Mock, Twox64Concat, JobId, NodeId>;
#[storage_alias]
pub type Done = StorageMap<Mock, Twox64Concat, JobId, (NodeId, BlobRef)>;
#[storage_alias]
pub type Reported = StorageMap<Mock, Twox64Concat, JobId, (NodeId, FailureClass)>;

frame_support::parameter_types! {
	/// How often somebody asked for a job's state.
	pub static LookUps: u32 = 0;
}

/// What a job stands for here.
pub fn work(job: JobId) -> WorkTag {
	job.to_be_bytes()
}

pub struct Jobs;
impl traits::Jobs for Jobs {
	fn is_assigned(job: JobId, tag: WorkTag, node: NodeId) -> bool {
		LookUps::mutate(|count| *count += 1);
		Assigned::get(job) == Some(node) && work(job) == tag
	}
	fn attested(job: JobId, tag: WorkTag, node: NodeId, output: BlobRef) -> DispatchResult {
		ensure!(Self::is_assigned(job, tag, node), "not assigned");
		Assigned::remove(job);
		assert!(!Done::contains_key(job), "a job is attested once");
		Done::insert(job, (node, output));
		Ok(())
	}
	fn failure_reported(job: JobId, tag: WorkTag, node: NodeId, class: FailureClass) -> DispatchResult {
		ensure!(Self::is_assigned(job, tag, node), "not assigned");
		Assigned::remove(job);
		Reported::insert(job, (node, class));
		Ok(())
	}
}

/// Worker keys by node; nothing else is asked of it.
pub struct Nodes;
impl traits::Nodes<AccountId> for Nodes {
	fn operator(_: NodeId) -> Option<AccountId> {
		None
	}
	fn node_of(_: &AccountId) -> Option<NodeId> {
		None
	}
	fn worker(node: NodeId) -> Option<WorkerId> {
		Workers::get(node)
	}
	fn hosts(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn eligible(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn draw_weight(_: NodeId, _: ModelId, _: Balance) -> u64 {
		0
	}
	fn reserve(_: NodeId, _: Balance) -> DispatchResult {
		Ok(())
	}
	fn free_slot(_: NodeId) {}
	fn release(_: NodeId, _: Balance) {}
	fn note_outcome(_: NodeId, _: bool, _: Perbill) {}
}

#[cfg(feature = "runtime-benchmarks")]
pub struct Setup;
#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup for Setup {
	fn assigned(worker: WorkerId, jobs: u32, _: u32) -> (NodeId, Vec<(JobId, WorkTag)>) {
		Workers::insert(0, worker);
		let jobs = (0..u64::from(jobs)).map(|job| (job, work(job)));
		jobs.clone().for_each(|(job, _)| Assigned::insert(job, 0));
		(0, jobs.collect())
	}
}
