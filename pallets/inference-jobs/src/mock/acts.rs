//! What the tests do and look at.

use super::{InferenceJobs, RuntimeCall, RuntimeOrigin, System, Test, MODEL, PAYER, POKER};
use crate::{Event, JobRecordOf, Jobs, NextJobId};
use highway_primitives::{
	traits::Jobs as _, work_tag, Balance, BlobRef, FailureClass, JobId, NodeId, Quorum, Tier, WorkTag,
};
use sp_core::H256;
use sp_runtime::{traits::Dispatchable, DispatchError, DispatchResult};

pub fn input() -> BlobRef {
	BlobRef {
		hash: H256::repeat_byte(1),
		size: 1_000,
	}
}

pub fn output() -> BlobRef {
	BlobRef {
		hash: H256::repeat_byte(2),
		size: 2_000,
	}
}

/// What an executor commits itself to beside its output.
pub fn commitment() -> H256 {
	H256::repeat_byte(3)
}

/// Submits through the dispatchable, in a storage layer as in a block.
pub fn try_submit(max_price: Balance) -> Result<JobId, DispatchError> {
	try_submit_tier(Tier::Spot, max_price)
}

/// The same of any tier; returns the first job.
pub fn try_submit_tier(tier: Tier, max_price: Balance) -> Result<JobId, DispatchError> {
	let call = crate::Call::submit_job {
		model: MODEL,
		input: input(),
		tier,
		max_price,
		gateway: None,
		curator: None,
	};
	let job = NextJobId::<Test>::get();
	let done = RuntimeCall::from(call).dispatch(RuntimeOrigin::signed(PAYER));
	done.map(|_| job).map_err(|error| error.error)
}

/// The same of a job of so many inputs, whose bundle has this size.
pub fn try_submit_batch(size: u64, inputs: u16) -> Result<JobId, DispatchError> {
	let call = crate::Call::submit_batch {
		model: MODEL,
		input: BlobRef { size, ..input() },
		inputs,
		max_price: Balance::MAX,
		gateway: None,
		curator: None,
	};
	let job = NextJobId::<Test>::get();
	let done = RuntimeCall::from(call).dispatch(RuntimeOrigin::signed(PAYER));
	done.map(|_| job).map_err(|error| error.error)
}

pub fn submit() -> JobId {
	try_submit(Balance::MAX).unwrap()
}

/// Submits a quorum and returns its jobs.
pub fn submit_quorum(size: u8) -> Vec<JobId> {
	let first = try_submit_tier(Tier::Quorum(size), Balance::MAX).unwrap();
	Quorum { first, size }.jobs().collect()
}

pub fn poke(job: JobId) -> DispatchResult {
	let done = InferenceJobs::poke(RuntimeOrigin::signed(POKER), job);
	done.map(|_| ()).map_err(|error| error.error)
}

pub fn attest(job: JobId) -> DispatchResult {
	InferenceJobs::attested(job, work(job), executor(job), output(), commitment())
}

pub fn report(job: JobId, class: FailureClass) -> DispatchResult {
	InferenceJobs::failure_reported(job, work(job), executor(job), class)
}

pub fn record(job: JobId) -> JobRecordOf<Test> {
	Jobs::<Test>::get(job).unwrap()
}

/// The tag of what the job stands for; any tag if there is no such job.
pub fn work(job: JobId) -> WorkTag {
	Jobs::<Test>::get(job).map_or_else(WorkTag::default, |record| work_tag(&record.work))
}

pub fn executor(job: JobId) -> NodeId {
	record(job).executor().unwrap()
}

/// This pallet's events since the last call.
pub fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}
