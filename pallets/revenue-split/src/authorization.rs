//! Who may say what without paying: checked in the pool and, by the same code, in the block.

use crate::pallet::{Config, Pallet};
use alloc::vec;
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{InvalidTransaction, TransactionValidityWithRefund},
	BoundedVec,
};
use highway_primitives::{
	authorization::{check_signature, let_in, PRIORITY, UNKNOWN_NODE},
	market::{AskCommitment, AskReveal, MarketPhase, MaxAskItems},
	traits::Nodes,
	EpochIndex, NodeId, WorkerAction, WorkerId, WorkerSignature,
};

/// A batch of nothing.
pub const NO_ITEMS: InvalidTransaction = InvalidTransaction::Custom(2);

/// For an epoch after the next one, or a reveal while nodes still commit.
const TOO_EARLY: InvalidTransaction = InvalidTransaction::Future;

/// For an epoch that began, or a commitment while nodes reveal; or nothing in it can be done: it was committed or revealed
/// before, or on another fork, is not hosted, or the node has not the bond. A replay ends here.
const NOTHING_OPEN: InvalidTransaction = InvalidTransaction::Stale;

/// Blocks for which a pool keeps such a transaction. Longer than the phases of a short epoch: one that the phase overtakes is
/// thrown out as stale before.
const LONGEVITY: u64 = 64;

/// Sets these tags apart from other pallets' tags.
const TAG: &[u8; 12] = b"highway/asks";

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
		check_signature::<T>(&worker, &action, signature)?;
		let open = items.iter().any(|item| Self::may_commit(node, item.model, item.role));
		Self::let_in(node, epoch, MarketPhase::Commit, open)
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
		check_signature::<T>(&worker, &action, signature)?;
		let open = items.iter().any(|item| Self::opened_by(node, item).is_ok());
		Self::let_in(node, epoch, MarketPhase::Reveal, open)
	}

	/// Whether this phase of the present epoch is for `said` about `epoch`. Returns the key that has to sign it.
	fn check_said_now(
		node: NodeId,
		epoch: EpochIndex,
		is_empty: bool,
		said: MarketPhase,
	) -> Result<WorkerId, InvalidTransaction> {
		if is_empty {
			return Err(NO_ITEMS);
		}
		let next = Self::current_epoch().saturating_add(1);
		let phase = Self::phase().0;
		if epoch > next || (epoch == next && said == MarketPhase::Reveal && phase == MarketPhase::Commit) {
			return Err(TOO_EARLY);
		}
		if epoch < next || said != phase {
			return Err(NOTHING_OPEN);
		}
		T::Nodes::worker(node).ok_or(UNKNOWN_NODE)
	}

	/// One tag per node, epoch and phase: while one such transaction waits, nothing but one said in a later block takes its
	/// place, and each that gets into a block does something that can be done once. Attestations stand above it: their blocks
	/// count more.
	fn let_in(node: NodeId, epoch: EpochIndex, phase: MarketPhase, open: bool) -> TransactionValidityWithRefund {
		ensure!(open, NOTHING_OPEN);
		let priority = PRIORITY.saturating_add(Self::now().into());
		let_in(priority, vec![(TAG, node, epoch, phase).encode()], LONGEVITY)
	}
}
