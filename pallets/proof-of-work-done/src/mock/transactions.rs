//! Real general extrinsics, run as a pool and as a block run them.

use super::{work, System, Test, UncheckedExtrinsic};
use crate::{Call, Event};
use codec::Encode;
use frame_support::{
	dispatch::{GetDispatchInfo, PostDispatchInfo},
	pallet_prelude::*,
};
use highway_primitives::{
	worker::{self, MaxAttestations, WorkerPair},
	AttestItem, BlobRef, FailureClass, JobId, NodeId, WorkerAction, WorkerSignature,
};
use sp_core::{Pair, H256};
use sp_runtime::{
	traits::{Applyable, Checkable},
	ApplyExtrinsicResultWithInfo,
};

pub fn key(node: u8) -> WorkerPair {
	WorkerPair::from_seed(&[node + 1; 32])
}

pub fn item(job: JobId) -> AttestItem {
	AttestItem {
		job,
		work: work(job),
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
	general(Call::attest { node, items, signature })
}

/// The general transaction that carries this report, signed by `key`.
pub fn report(key: &WorkerPair, node: NodeId, job: JobId, class: FailureClass) -> UncheckedExtrinsic {
	let work = work(job);
	let signature = sign(key, &WorkerAction::ReportFailure { node, job, work, class });
	general(Call::report_failure {
		node,
		job,
		work,
		class,
		signature,
	})
}

pub fn general(call: Call<Test>) -> UncheckedExtrinsic {
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
pub fn apply(transaction: &UncheckedExtrinsic) -> ApplyExtrinsicResultWithInfo<PostDispatchInfo> {
	let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
	let checked = transaction
		.clone()
		.check(&frame_system::ChainContext::<Test>::default())?;
	checked.apply::<Test>(&info, len)
}

pub fn events() -> Vec<Event<Test>> {
	System::read_events_for_pallet::<Event<Test>>()
}
