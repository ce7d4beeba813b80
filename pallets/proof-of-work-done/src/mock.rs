//! A runtime with this pallet, `AuthorizeCall` as its transaction extension, and jobs that are assigned by hand.

use crate as pallet_proof_of_work_done;
use crate::{Event, Pallet};
use codec::Encode;
use frame_support::{derive_impl, dispatch::GetDispatchInfo, ensure, pallet_prelude::*, storage_alias};
use highway_primitives::{
	traits,
	worker::{self, MaxAttestations, WorkerPair},
	AttestItem, Balance, BlobRef, FailureClass, JobId, ModelId, NodeId, WorkerAction, WorkerId, WorkerSignature,
};
use sp_core::{Pair, H256};
use sp_runtime::{
	testing::UintAuthorityId,
	traits::{Applyable, BlakeTwo256, Checkable},
	ApplyExtrinsicResultWithInfo, BuildStorage, Perbill,
};

pub type AccountId = u64;
pub type Header = sp_runtime::generic::Header<u64, BlakeTwo256>;
pub type Block = sp_runtime::generic::Block<Header, UncheckedExtrinsic>;
pub type TxExtension = (frame_system::AuthorizeCall<Test>,);
pub type UncheckedExtrinsic =
	sp_runtime::generic::UncheckedExtrinsic<AccountId, RuntimeCall, UintAuthorityId, TxExtension>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;
	#[runtime::pallet_index(1)]
	pub type ProofOfWorkDone = pallet_proof_of_work_done::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

impl crate::Config for Test {
	type Nodes = Nodes;
	type Jobs = Jobs;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkSetup = Setup;
}

#[storage_alias]
pub type Workers = StorageMap<Mock, Twox64Concat, NodeId, WorkerId>;
#[storage_alias]
pub type Assigned = StorageMap<Mock, Twox64Concat, JobId, NodeId>;
#[storage_alias]
pub type Done = StorageMap<Mock, Twox64Concat, JobId, (NodeId, BlobRef)>;
#[storage_alias]
pub type Reported = StorageMap<Mock, Twox64Concat, JobId, (NodeId, FailureClass)>;

pub struct Jobs;
impl traits::Jobs for Jobs {
	fn is_assigned(job: JobId, node: NodeId) -> bool {
		Assigned::get(job) == Some(node)
	}
	fn attested(job: JobId, node: NodeId, output: BlobRef) -> DispatchResult {
		ensure!(Self::is_assigned(job, node), "not assigned");
		Assigned::remove(job);
		assert!(!Done::contains_key(job), "a job is attested once");
		Done::insert(job, (node, output));
		Ok(())
	}
	fn failure_reported(job: JobId, node: NodeId, class: FailureClass) -> DispatchResult {
		ensure!(Self::is_assigned(job, node), "not assigned");
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
	fn assigned(worker: WorkerId, jobs: u32) -> (NodeId, Vec<JobId>) {
		Workers::insert(0, worker);
		let jobs: Vec<JobId> = (0..u64::from(jobs)).collect();
		jobs.iter().for_each(|job| Assigned::insert(job, 0));
		(0, jobs)
	}
}

/// Nodes 0 and 1; jobs 0..300 wait for node 0, jobs 1000..1010 for node 1.
pub fn execute(test: impl FnOnce()) {
	let genesis = RuntimeGenesisConfig::default().build_storage().unwrap();
	sp_io::TestExternalities::from(genesis).execute_with(|| {
		System::set_block_number(1);
		Workers::insert(0, key(0).public());
		Workers::insert(1, key(1).public());
		(0..300).for_each(|job| Assigned::insert(job, 0));
		(1_000..1_010).for_each(|job| Assigned::insert(job, 1));
		test();
		Pallet::<Test>::do_try_state().unwrap();
	});
}

pub fn key(node: u8) -> WorkerPair {
	WorkerPair::from_seed(&[node + 1; 32])
}

pub fn item(job: JobId) -> AttestItem {
	AttestItem {
		job,
		output: BlobRef {
			hash: H256::from_low_u64_be(job),
			size: 64,
		},
		commitment: H256::repeat_byte(3),
	}
}

pub fn items(jobs: impl IntoIterator<Item = JobId>) -> BoundedVec<AttestItem, MaxAttestations> {
	jobs.into_iter().map(item).collect::<Vec<_>>().try_into().unwrap()
}

pub fn genesis() -> H256 {
	System::block_hash(0)
}

pub fn sign(key: &WorkerPair, action: &WorkerAction) -> WorkerSignature {
	key.sign(&worker::payload(genesis(), action))
}

/// The general transaction that carries these attestations, signed by `key`.
pub fn attest(key: &WorkerPair, node: NodeId, items: BoundedVec<AttestItem, MaxAttestations>) -> UncheckedExtrinsic {
	let signature = sign(
		key,
		&WorkerAction::Attest {
			node,
			items: items.clone(),
		},
	);
	general(crate::Call::attest { node, items, signature })
}

/// The general transaction that carries this report, signed by `key`.
pub fn report(key: &WorkerPair, node: NodeId, job: JobId, class: FailureClass) -> UncheckedExtrinsic {
	let signature = sign(key, &WorkerAction::ReportFailure { node, job, class });
	general(crate::Call::report_failure {
		node,
		job,
		class,
		signature,
	})
}

pub fn general(call: crate::Call<Test>) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call.into(), (frame_system::AuthorizeCall::new(),))
}

/// What a pool does with it.
pub fn validate(transaction: &UncheckedExtrinsic) -> TransactionValidity {
	let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
	let checked = transaction
		.clone()
		.check(&frame_system::ChainContext::<Test>::default())?;
	checked.validate::<Test>(TransactionSource::External, &info, len)
}

/// What a block does with it, whether or not a pool saw it before.
pub fn apply(transaction: &UncheckedExtrinsic) -> ApplyExtrinsicResultWithInfo<PostDispatchInfoOf> {
	let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
	let checked = transaction
		.clone()
		.check(&frame_system::ChainContext::<Test>::default())?;
	checked.apply::<Test>(&info, len)
}

pub type PostDispatchInfoOf = frame_support::dispatch::PostDispatchInfo;

pub fn events() -> Vec<Event<Test>> {
	System::read_events_for_pallet::<Event<Test>>()
}
