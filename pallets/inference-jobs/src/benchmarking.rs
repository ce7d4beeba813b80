//! Benchmarks of the calls and of the steps of the due queue.

use super::*;
use crate::{
	life_cycle::MAX_GONE_WITH_A_JOB,
	pallet::{MAX_DRAWN, MAX_LOOKED_AT},
	types::{Attestation, JobState},
};
use frame_benchmarking::v2::*;
use frame_support::weights::WeightMeter;
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use highway_primitives::{
	job::MAX_QUORUM,
	market::MAX_DEBTS_AT_ONCE,
	model::MAX_LINEAGE,
	traits::{Jobs as _, Market as _},
	work_tag, Balance, BlobRef, BlockNumber, FailureClass, JobId, ModelId, NodeId, Quorum, Tier, Verdict, MAX_INPUTS,
};
use sp_core::H256;
use sp_runtime::SaturatedConversion;

/// What the dearest submission names.
pub struct Dearest<AccountId> {
	/// A model whose former prices nobody needs any more.
	pub model: ModelId,
	/// Somebody who can afford a job.
	pub payer: AccountId,
	/// A node.
	pub gateway: Option<NodeId>,
	/// Somebody with a posted fee.
	pub curator: Option<AccountId>,
}

/// A runtime that fills the other pallets for benchmarks.
pub trait BenchmarkSetup: Config {
	/// A model with so many ancestors, each of another maker, that `executors` able nodes run, each with room for a job, and as
	/// many others offer storage for, whose epoch nobody has touched yet: there is demand for all of them, so that all of them
	/// win.
	fn market(executors: u32, ancestors: u32) -> Dearest<Self::AccountId>;
	/// Who signs the call that is measured, and can afford a job: its account is paid for with the fee, as that of every signer.
	fn signer() -> Self::AccountId;
	/// Takes all slots of all nodes.
	fn exhaust();
	/// Leaves of an attested job what its attestation and an audit leave that is over.
	fn audited(job: JobId);
}

fn input() -> BlobRef {
	BlobRef {
		hash: H256::repeat_byte(1),
		size: 4_096,
	}
}

/// Submits a job.
fn submit_to<T: Config>(market: &Dearest<T::AccountId>) -> Result<JobId, BenchmarkError> {
	let job = NextJobId::<T>::get();
	Pallet::<T>::submit_job(
		RawOrigin::Signed(market.payer.clone()).into(),
		market.model,
		input(),
		Tier::Spot,
		Balance::MAX,
		market.gateway,
		market.curator.clone(),
	)
	.map_err(|error| error.error)?;
	Ok(job)
}

/// Submits a job served by `executors` nodes, of a model with as many ancestors as there may be.
fn submit<T: BenchmarkSetup>(executors: u32) -> Result<JobId, BenchmarkError> {
	submit_to::<T>(&T::market(executors, MAX_LINEAGE))
}

/// As if the job were the first of the largest quorum: its reassignment reads all siblings.
fn in_quorum<T: Config>(job: JobId) -> Result<(), BenchmarkError> {
	let quorum = Quorum {
		first: job,
		size: MAX_QUORUM,
	};
	let mut record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
	record.quorum = Some(quorum);
	quorum.jobs().for_each(|member| Jobs::<T>::insert(member, &record));
	Ok(())
}

fn is_refunded<T: Config>(job: JobId) -> bool {
	Jobs::<T>::get(job).is_some_and(|record| matches!(record.state, JobState::Refunded { .. }))
}

/// Lets the node that has the job say that it cannot.
fn report<T: Config>(job: JobId, class: FailureClass) -> Result<(), BenchmarkError> {
	let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
	let node = record
		.executor()
		.ok_or(BenchmarkError::Stop("the job has an executor"))?;
	Ok(Pallet::<T>::failure_reported(job, work_tag(&record.work), node, class)?)
}

/// Attested work, with its record.
fn attested<T: Config>(job: JobId) -> Result<(JobRecordOf<T>, Attestation), BenchmarkError> {
	let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
	let done = record
		.attestation()
		.ok_or(BenchmarkError::Stop("the job is attested"))?;
	Ok((record, done))
}

/// The most nodes that find a job impossible which another one does then: two that say the same would end it.
const MAX_CONTRADICTED: u32 = 2;

/// Lets the node that has the job do it.
fn attest<T: Config>(job: JobId) -> Result<(), BenchmarkError> {
	let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
	let node = record
		.executor()
		.ok_or(BenchmarkError::Stop("the job has an executor"))?;
	Ok(Pallet::<T>::attested(
		job,
		work_tag(&record.work),
		node,
		input(),
		H256::zero(),
	)?)
}

/// Goes to the block at which the job's phase ends. Returns the block.
fn go_to_due<T: Config>(job: JobId) -> Result<BlockNumber, BenchmarkError> {
	let due = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?.due();
	frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::saturated_from(due));
	NextDue::<T>::put(due);
	Ok(due)
}

#[benchmarks(where T: BenchmarkSetup)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn submit_job(n: Linear<2, MAX_LOOKED_AT>) {
		let market = T::market(n / 2, MAX_LINEAGE);
		let signer = T::signer();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(signer),
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
	fn submit_batch(n: Linear<2, MAX_LOOKED_AT>) {
		let market = T::market(n / 2, MAX_LINEAGE);
		let signer = T::signer();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(signer),
			market.model,
			input(),
			MAX_INPUTS,
			Balance::MAX,
			market.gateway,
			market.curator,
		);
		assert_eq!(Jobs::<T>::get(0).map(|record| record.inputs), Some(MAX_INPUTS));
	}

	// A job after its epoch's first: the market is cleared. One of many inputs differs from it by a number.
	#[benchmark]
	fn submit_later() -> Result<(), BenchmarkError> {
		let market = T::market(MAX_DRAWN, MAX_LINEAGE);
		let first = submit_to::<T>(&market)?;
		let signer = T::signer();
		#[extrinsic_call]
		submit_job(
			RawOrigin::Signed(signer),
			market.model,
			input(),
			Tier::Spot,
			Balance::MAX,
			market.gateway,
			market.curator,
		);
		assert_eq!(NextJobId::<T>::get(), first.saturating_add(2));
		Ok(())
	}

	// Nobody has enough of its bond free, so that all are looked at.
	#[benchmark]
	fn look_further(d: Linear<1, MAX_DRAWN>) -> Result<(), BenchmarkError> {
		let job = submit::<T>(d)?;
		let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
		let executors = T::Market::executors(record.model, &record.deal);
		let more_than_anybody_has = Balance::MAX.saturating_sub(Balance::MAX / 4);
		let drawn;
		#[block]
		{
			drawn = Pallet::<T>::draw_executor(job, 0, record.model, more_than_anybody_has, &[], &executors, None);
		}
		assert_eq!((drawn.node, drawn.looked_at), (None, d));
		Ok(())
	}

	// As `tick_time_out`.
	#[benchmark]
	fn poke() -> Result<(), BenchmarkError> {
		let job = submit::<T>(MAX_DRAWN)?;
		in_quorum::<T>(job)?;
		T::exhaust();
		go_to_due::<T>(job)?;
		let caller: T::AccountId = whitelisted_caller();
		#[extrinsic_call]
		_(RawOrigin::Signed(caller), job);
		assert!(is_refunded::<T>(job));
		Ok(())
	}

	// Goes by one block in which nothing is due, so that the cursor is written.
	#[benchmark]
	fn tick_base() {
		NextDue::<T>::put(9);
		let limit = T::WeightInfo::tick_base().saturating_add(T::WeightInfo::tick_look());
		let mut meter = WeightMeter::with_limit(limit);
		#[block]
		{
			Pallet::<T>::take_due(10, &mut meter);
		}
		assert_eq!(NextDue::<T>::get(), 10);
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

	// Nobody has a free slot, so that all other executors are looked at, and the payer is refunded: that is more than another
	// assignment.
	#[benchmark]
	fn tick_time_out(e: Linear<0, { MAX_DRAWN - 1 }>) -> Result<(), BenchmarkError> {
		let job = submit::<T>(e + 1)?;
		in_quorum::<T>(job)?;
		T::exhaust();
		go_to_due::<T>(job)?;
		let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
		#[block]
		{
			Pallet::<T>::advance(job, record);
		}
		assert!(is_refunded::<T>(job));
		Ok(())
	}

	/// The model has so many ancestors, the payer named a curator or none, and so many audits of other jobs are owed for. Without
	/// the question before it, which is weighed by whoever answers.
	#[benchmark]
	fn tick_settle(
		p: Linear<0, MAX_LINEAGE>,
		c: Linear<0, 1>,
		d: Linear<0, MAX_DEBTS_AT_ONCE>,
	) -> Result<(), BenchmarkError> {
		let mut market = T::market(MAX_DRAWN, p);
		market.curator = market.curator.filter(|_| c > 0);
		let job = submit_to::<T>(&market)?;
		attest::<T>(job)?;
		go_to_due::<T>(job)?;
		for judge in 0..d {
			T::Market::pay_judge(job, &account("judge", judge, 0), 1);
		}
		let (record, done) = attested::<T>(job)?;
		#[block]
		{
			Pallet::<T>::conclude(job, record, done, Verdict::Upheld);
		}
		assert!(matches!(
			Jobs::<T>::get(job).map(|record| record.state),
			Some(JobState::Settled { .. })
		));
		Ok(())
	}

	/// So many nodes said that what is settled could not be done, and pay for it: what that adds to the settlement.
	#[benchmark]
	fn tick_contradict(f: Linear<1, MAX_CONTRADICTED>) -> Result<(), BenchmarkError> {
		let job = submit::<T>(MAX_DRAWN)?;
		for class in [FailureClass::InputMissing, FailureClass::RunFailed]
			.into_iter()
			.take(f as usize)
		{
			report::<T>(job, class)?;
		}
		attest::<T>(job)?;
		go_to_due::<T>(job)?;
		let (record, _) = attested::<T>(job)?;
		assert_eq!(record.failures.len(), f as usize);
		let weight = Pallet::<T>::job_weight(&record);
		#[block]
		{
			Pallet::<T>::contradict(job, &record, weight);
		}
		Ok(())
	}

	#[benchmark]
	fn tick_wait() -> Result<(), BenchmarkError> {
		let job = submit::<T>(1)?;
		attest::<T>(job)?;
		let due = go_to_due::<T>(job)?;
		let (record, done) = attested::<T>(job)?;
		Pallet::<T>::enter(job, record, done.auditing(due.saturating_add(9)));
		#[block]
		{
			Pallet::<T>::audit_until(job, due.saturating_add(1));
		}
		assert_eq!(Jobs::<T>::get(job).map(|record| record.due()), due.checked_add(1));
		Ok(())
	}

	/// With the record goes the audit, if there was one.
	#[benchmark]
	fn tick_prune(g: Linear<0, MAX_GONE_WITH_A_JOB>) -> Result<(), BenchmarkError> {
		let market = T::market(1, MAX_LINEAGE);
		let job = submit_to::<T>(&market)?;
		attest::<T>(job)?;
		go_to_due::<T>(job)?;
		let (record, done) = attested::<T>(job)?;
		Pallet::<T>::conclude(job, record, done, Verdict::Upheld);
		if g > 0 {
			T::audited(job);
		}
		go_to_due::<T>(job)?;
		let record = Jobs::<T>::get(job).ok_or(BenchmarkError::Stop("the job exists"))?;
		let weighed;
		#[block]
		{
			weighed = Pallet::<T>::advance(job, record);
		}
		assert!(Jobs::<T>::get(job).is_none());
		assert_eq!(weighed, T::WeightInfo::tick_prune(g));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, mock::ExtBuilder(0).build(), mock::Test);
}
