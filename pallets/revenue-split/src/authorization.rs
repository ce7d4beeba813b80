//! Who may say what without paying: checked in the pool and, by the same code, in the block.

use crate::pallet::{Config, Pallet};
use alloc::vec;
use codec::Encode;
use frame_support::{
	pallet_prelude::{
		InvalidTransaction, TransactionPriority, TransactionValidityError, TransactionValidityWithRefund,
		ValidTransaction,
	},
	weights::Weight,
	BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use highway_primitives::{
	market::{AskCommitment, AskReveal, MarketPhase, MaxAskItems},
	traits::Nodes,
	worker, EpochIndex, NodeId, WorkerAction, WorkerId, WorkerSignature,
};

/// Blocks for which a pool keeps such a transaction. Longer than the phases of a short epoch: one that the phase overtakes is
/// thrown out as stale before.
const LONGEVITY: u64 = 64;

/// Above everything that pays a fee, and below attestations, whose blocks count more. It cannot be flooded itself, because
/// a node has one such transaction in the pool, and each that gets into a block does something that can be done once.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;

/// Sets these tags apart from other pallets' tags.
const TAG: &[u8; 12] = b"highway/asks";

/// Why a transaction of a worker key is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
	/// `Custom(1)`: no node has the id.
	UnknownNode,
	/// `Custom(2)`: a batch of nothing.
	NoItems,
	/// `Future`: for an epoch after the next one, or a reveal while nodes still commit.
	TooEarly,
	/// `Stale`: for an epoch that began, or a commitment while nodes reveal; or nothing in it can be done: it was committed or
	/// revealed before, or on another fork, is not hosted, or the node has not the bond. A replay ends here.
	NothingOpen,
	/// `BadProof`: the signature is not by the node's worker key, or not for this call on this chain.
	BadSignature,
}

impl From<Refusal> for TransactionValidityError {
	fn from(refusal: Refusal) -> Self {
		match refusal {
			Refusal::TooEarly => InvalidTransaction::Future.into(),
			Refusal::NothingOpen => InvalidTransaction::Stale.into(),
			Refusal::BadSignature => InvalidTransaction::BadProof.into(),
			Refusal::UnknownNode => InvalidTransaction::Custom(1).into(),
			Refusal::NoItems => InvalidTransaction::Custom(2).into(),
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Cheap checks first; the signature before what looks at each item.
	pub(crate) fn authorize_commit(
		node: NodeId,
		epoch: EpochIndex,
		items: &BoundedVec<AskCommitment, MaxAskItems>,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = Self::check_said_now(node, epoch, items.is_empty(), MarketPhase::Commit)?;
		let action = WorkerAction::CommitAsks {
			node,
			epoch,
			items: items.clone(),
		};
		Self::check_signature(&worker, action, signature)?;
		let open = items.iter().any(|item| Self::may_commit(node, item.model, item.role));
		Self::valid(node, epoch, MarketPhase::Commit, open)
	}

	pub(crate) fn authorize_reveal(
		node: NodeId,
		epoch: EpochIndex,
		items: &BoundedVec<AskReveal, MaxAskItems>,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = Self::check_said_now(node, epoch, items.is_empty(), MarketPhase::Reveal)?;
		let action = WorkerAction::RevealAsks {
			node,
			epoch,
			items: items.clone(),
		};
		Self::check_signature(&worker, action, signature)?;
		let open = items.iter().any(|item| Self::opened_by(node, item).is_ok());
		Self::valid(node, epoch, MarketPhase::Reveal, open)
	}

	/// Whether this phase of the present epoch is for `said` about `epoch`. Returns the key that has to sign it.
	fn check_said_now(node: NodeId, epoch: EpochIndex, is_empty: bool, said: MarketPhase) -> Result<WorkerId, Refusal> {
		if is_empty {
			return Err(Refusal::NoItems);
		}
		let next = Self::current_epoch().saturating_add(1);
		let phase = Self::phase().0;
		if epoch > next || (epoch == next && said == MarketPhase::Reveal && phase == MarketPhase::Commit) {
			return Err(Refusal::TooEarly);
		}
		if epoch < next || said != phase {
			return Err(Refusal::NothingOpen);
		}
		T::Nodes::worker(node).ok_or(Refusal::UnknownNode)
	}

	fn check_signature(worker: &WorkerId, action: WorkerAction, signature: &WorkerSignature) -> Result<(), Refusal> {
		// Block 0's hash, which the system pallet keeps for ever.
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::default());
		match worker::verify(worker, genesis, &action, signature) {
			true => Ok(()),
			false => Err(Refusal::BadSignature),
		}
	}

	/// One tag per node, epoch and phase: while one such transaction waits, nothing but one said in a later block takes its
	/// place.
	fn valid(node: NodeId, epoch: EpochIndex, phase: MarketPhase, open: bool) -> TransactionValidityWithRefund {
		if !open {
			return Err(Refusal::NothingOpen.into());
		}
		let valid = ValidTransaction {
			priority: PRIORITY.saturating_add(Self::now().into()),
			requires: vec![],
			provides: vec![(TAG, node, epoch, phase).encode()],
			longevity: LONGEVITY,
			propagate: true,
		};
		Ok((valid, Weight::zero()))
	}
}
