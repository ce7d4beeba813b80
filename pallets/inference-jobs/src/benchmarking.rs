//! Benchmarks of the calls and of the steps of the due queue.

use super::*;
use crate::{
	pallet::{MAX_DRAWN, MAX_LOOKED_AT},
	JobState,
};
use frame_benchmarking::v2::*;
use frame_support::weights::WeightMeter;
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use highway_primitives::{traits::Jobs as _, work_tag, Balance, BlobRef, BlockNumber, JobId, ModelId, NodeId, Tier};
use sp_core::H256;
use sp_runtime::SaturatedConversion;

/// What the dearest submission names.
pub struct Dearest<AccountId> {
	/// A model with as many ancestors as may be, whose former prices nobody needs any more.
	pub model: ModelId,
	/// Somebody who can afford a job.
	pub payer: AccountId,
	/// A node.
	pub gateway: Option<NodeId>,
	/// Somebody with a posted fee.
	pub curator: Option<AccountId>,
}

/// Fills the other pallets for benchmarks.
pub trait BenchmarkSetup<AccountId> {
	/// A model that `executors` able nodes run, each with room for a job, and as many others offer storage for.
	fn market(executors: u32) -> Dearest<AccountId>;
}

fn input() -> BlobRef {
	BlobRef {
		hash: H256::repeat_byte(1),
		size: 4_096,
	}
}

/// Submits a job served by `executors` nodes.
fn submit<T: Config>(executors: u32) -> Result<JobId, BenchmarkError> {
	let market = T::BenchmarkSetup::market(executors);
	let job = NextJobId::<T>::get();
	Pallet::<T>::submit_job(
		RawOrigin::Signed(market.payer).into(),
		market.model,
		input(),
		Tier::Spot,
		Balance::MAX,
		market.gateway,
		market.curator,
	)
	.map_err(|error| error.error)?;
	Ok(job)
}

/// Lets the node that has the job do it.
fn attest<T: Config>(job: JobId) -> Result<(), BenchmarkError> {
	let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
	let node = record
		.executor()
		.ok_or(BenchmarkError::Stop("the job has an executor"))?;
	Ok(Pallet::<T>::attested(job, work_tag(&record.work), node, input())?)
}

/// Goes to the block at which the job's phase ends. Returns the block.
fn go_to_due<T: Config>(job: JobId) -> Result<BlockNumber, BenchmarkError> {
	let due = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?.due();
	frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::saturated_from(due));
	NextDue::<T>::put(due);
	Ok(due)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn submit_job(n: Linear<2, MAX_LOOKED_AT>) {
		let market = T::BenchmarkSetup::market(n / 2);
		#[extrinsic_call]
		_(
			RawOrigin::Signed(market.payer),
			market.model,
			input(),
			Tier::Spot,
			Balance::MAX,
			market.gateway,
			market.curator,
		);
		assert_eq!(NextJobId::<T>::get(), 1);
	}

	#[benchmark]
	fn poke() -> Result<(), BenchmarkError> {
		let job = submit::<T>(MAX_DRAWN)?;
		go_to_due::<T>(job)?;
		let caller: T::AccountId = whitelisted_caller();
		#[extrinsic_call]
		_(RawOrigin::Signed(caller), job);
		assert_eq!(Jobs::<T>::get(job).map(|record| record.tried.len()), Some(1));
		Ok(())
	}

	#[benchmark]
	fn tick_base() {
		NextDue::<T>::put(9);
		let mut meter = WeightMeter::with_limit(T::WeightInfo::tick_base());
		#[block]
		{
			Pallet::<T>::take_due(10, &mut meter);
		}
	}

	#[benchmark]
	fn tick_look() -> Result<(), BenchmarkError> {
		let job = submit::<T>(1)?;
		let due = go_to_due::<T>(job)?;
		#[block]
		{
			let found = Due::<T>::iter_key_prefix(due).next();
			assert!(found.and_then(Jobs::<T>::get).is_some());
		}
		Ok(())
	}

	#[benchmark]
	fn tick_time_out(e: Linear<1, MAX_DRAWN>) -> Result<(), BenchmarkError> {
		let job = submit::<T>(e)?;
		go_to_due::<T>(job)?;
		let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
		#[block]
		{
			Pallet::<T>::advance(job, record);
		}
		assert_eq!(Jobs::<T>::get(job).map(|record| record.tried.len()), Some(1));
		Ok(())
	}

	#[benchmark]
	fn tick_settle() -> Result<(), BenchmarkError> {
		let job = submit::<T>(MAX_DRAWN)?;
		attest::<T>(job)?;
		go_to_due::<T>(job)?;
		let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
		#[block]
		{
			Pallet::<T>::advance(job, record);
		}
		assert!(matches!(
			Jobs::<T>::get(job).map(|record| record.state),
			Some(JobState::Settled { .. })
		));
		Ok(())
	}

	#[benchmark]
	fn tick_prune() -> Result<(), BenchmarkError> {
		let job = submit::<T>(1)?;
		attest::<T>(job)?;
		go_to_due::<T>(job)?;
		Pallet::<T>::do_poke(job)?;
		go_to_due::<T>(job)?;
		let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
		#[block]
		{
			Pallet::<T>::advance(job, record);
		}
		assert!(Jobs::<T>::get(job).is_none());
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, mock::ExtBuilder(0).build(), mock::Test);
}
