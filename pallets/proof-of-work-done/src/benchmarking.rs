//! Benchmarks of the calls and of their authorization.

use super::*;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{pallet_prelude::TransactionSource, traits::Authorize, BoundedVec};
use frame_system::RawOrigin;
use highway_primitives::{
	worker::{self, MaxAttestations},
	AttestItem, BlobRef, FailureClass, JobId, NodeId, WorkTag, WorkerAction, WorkerId, WorkerSignature,
};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::H256;

/// Fills the other pallets for benchmarks.
pub trait BenchmarkSetup {
	/// A node with this worker key that has `jobs` jobs to do, of a model with 64 executors, of which `reporters` said
	/// before that they could not.
	fn assigned(worker: WorkerId, jobs: u32, reporters: u32) -> (NodeId, Vec<(JobId, WorkTag)>);
}

/// A worker key in the benchmark's keystore.
fn worker_key() -> WorkerId {
	WorkerId::generate_pair(None)
}

fn sign<T: Config>(key: &WorkerId, action: &WorkerAction) -> Result<WorkerSignature, BenchmarkError> {
	let genesis = frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::default());
	key.sign(&worker::payload(genesis, action))
		.ok_or(BenchmarkError::Stop("the keystore has the key"))
}

fn batch(jobs: &[(JobId, WorkTag)]) -> BoundedVec<AttestItem, MaxAttestations> {
	let item = |(job, work): &(JobId, WorkTag)| AttestItem {
		job: *job,
		work: *work,
		output: BlobRef {
			hash: H256::repeat_byte(2),
			size: 4_096,
		},
		commitment: H256::repeat_byte(3),
	};
	BoundedVec::truncate_from(jobs.iter().map(item).collect())
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn attest(n: Linear<1, 256>) -> Result<(), BenchmarkError> {
		let key = worker_key();
		let (node, jobs) = T::BenchmarkSetup::assigned(key.clone(), n, 2);
		let items = batch(&jobs);
		let signature = sign::<T>(
			&key,
			&WorkerAction::Attest {
				node,
				items: items.clone(),
			},
		)?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, items, signature);
		assert!(jobs.iter().all(|(job, _)| Commitments::<T>::contains_key(job)));
		Ok(())
	}

	#[benchmark]
	fn authorize_attest(n: Linear<1, 256>) -> Result<(), BenchmarkError> {
		let key = worker_key();
		let (node, jobs) = T::BenchmarkSetup::assigned(key.clone(), n, 2);
		let items = batch(&jobs);
		let signature = sign::<T>(
			&key,
			&WorkerAction::Attest {
				node,
				items: items.clone(),
			},
		)?;
		let call = Call::<T>::attest { node, items, signature };
		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorization")??;
		}
		Ok(())
	}

	#[benchmark]
	fn report_failure() -> Result<(), BenchmarkError> {
		let key = worker_key();
		let (node, jobs) = T::BenchmarkSetup::assigned(key.clone(), 1, 0);
		let (job, work) = jobs
			.first()
			.copied()
			.ok_or(BenchmarkError::Stop("the node has a job"))?;
		let class = FailureClass::RunFailed;
		let signature = sign::<T>(&key, &WorkerAction::ReportFailure { node, job, work, class })?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, node, job, work, class, signature);
		Ok(())
	}

	#[benchmark]
	fn authorize_report_failure() -> Result<(), BenchmarkError> {
		let key = worker_key();
		let (node, jobs) = T::BenchmarkSetup::assigned(key.clone(), 1, 0);
		let (job, work) = jobs
			.first()
			.copied()
			.ok_or(BenchmarkError::Stop("the node has a job"))?;
		let class = FailureClass::RunFailed;
		let signature = sign::<T>(&key, &WorkerAction::ReportFailure { node, job, work, class })?;
		let call = Call::<T>::report_failure {
			node,
			job,
			work,
			class,
			signature,
		};
		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorization")??;
		}
		Ok(())
	}
}
