//! Real general extrinsics, run as a pool and as a block run them.

use super::*;
use crate::Call;
use frame_support::{
	dispatch::{GetDispatchInfo, PostDispatchInfo},
	pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError},
};
use highway_primitives::{
	market::{AskCommitment, AskReveal},
	worker::{self, WorkerPair},
	EpochIndex, WorkerAction, WorkerSignature,
};
use sp_core::Pair;
use sp_runtime::{
	traits::{Applyable, Checkable},
	ApplyExtrinsicResultWithInfo,
};

pub fn general(call: Call<Test>) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call.into(), (frame_system::AuthorizeCall::new(),))
}

pub fn sign(key: &WorkerPair, action: &WorkerAction) -> WorkerSignature {
	key.sign(&worker::payload(System::block_hash(0), action))
}

/// The general transaction that commits to these for `epoch`, signed by `key`.
pub fn commits_by(key: &WorkerPair, node: NodeId, epoch: EpochIndex, items: Vec<AskCommitment>) -> UncheckedExtrinsic {
	let items = frame_support::BoundedVec::try_from(items).unwrap();
	let action = WorkerAction::CommitAsks {
		node,
		epoch,
		items: items.clone(),
	};
	let signature = sign(key, &action);
	general(Call::commit_asks {
		node,
		epoch,
		items,
		signature,
	})
}

/// The same that reveals these.
pub fn reveals_by(key: &WorkerPair, node: NodeId, epoch: EpochIndex, items: Vec<AskReveal>) -> UncheckedExtrinsic {
	let items = frame_support::BoundedVec::try_from(items).unwrap();
	let action = WorkerAction::RevealAsks {
		node,
		epoch,
		items: items.clone(),
	};
	let signature = sign(key, &action);
	general(Call::reveal_asks {
		node,
		epoch,
		items,
		signature,
	})
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

/// The pool takes it without changing anything, and the block does it.
#[track_caller]
pub fn accept(transaction: &UncheckedExtrinsic) -> PostDispatchInfo {
	let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
	validate(transaction).unwrap();
	assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), before);
	apply(transaction).unwrap().unwrap()
}

/// Refused by the pool and, put directly into a block by its author, by the block; nothing changed.
#[track_caller]
pub fn assert_refused(transaction: &UncheckedExtrinsic, reason: InvalidTransaction) {
	let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
	let error = TransactionValidityError::Invalid(reason);
	assert_eq!(validate(transaction).unwrap_err(), error);
	assert_eq!(apply(transaction).unwrap_err(), error);
	assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), before);
}
