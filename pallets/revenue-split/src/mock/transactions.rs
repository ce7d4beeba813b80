//! The transactions of worker keys, and what becomes of them.

pub use highway_mocks::{accept, apply, assert_refused, validate};

use super::*;
use crate::Call;
use highway_primitives::{
	market::{AskCommitment, AskReveal},
	worker::{self, WorkerPair},
	EpochIndex, WorkerAction, WorkerSignature,
};
use sp_core::Pair;

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
