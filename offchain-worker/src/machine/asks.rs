//! What a node asks, as the journal keeps it, and what is said of it.

use codec::{Decode, Encode};
use highway_primitives::{market::ask_commitment, AskObstacle, AskRole, Balance, EpochIndex, ModelId, NodeId};
use highway_runtime_api::types::AskTask;
use sp_core::H256;

/// What identifies an ask: for one epoch, a node asks once for a model in a role.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct AskKey {
	/// Who asks: commitments bind to it.
	pub node: NodeId,
	/// The epoch from which on the ask holds.
	pub epoch: EpochIndex,
	/// For which model.
	pub model: ModelId,
	/// For what.
	pub role: AskRole,
}

impl AskKey {
	/// The key of what `node` asks if it answers `task`.
	pub fn of(node: NodeId, task: &AskTask) -> Self {
		Self {
			node,
			epoch: task.epoch,
			model: task.model,
			role: task.role,
		}
	}
}

/// An ask that is in the journal: no other one is ever committed to in its place.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SealedAsk {
	/// Which.
	pub key: AskKey,
	/// What is asked; `None`: nothing any more.
	pub price: Option<Balance>,
	/// The commitment's salt: secret until the ask is revealed.
	pub salt: [u8; 32],
}

impl SealedAsk {
	/// What is committed to.
	pub fn commitment(&self) -> H256 {
		let AskKey {
			node,
			epoch,
			model,
			role,
		} = self.key;
		ask_commitment(node, epoch, model, role, self.price, &self.salt)
	}
}

/// What is said of the asks of an epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AskStep {
	/// Commitments.
	Commit,
	/// What was committed to.
	Reveal,
}

impl AskStep {
	/// Its name in logs and metrics.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Commit => "commit_asks",
			Self::Reveal => "reveal_asks",
		}
	}
}

/// What became of an ask.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BidOutcome {
	/// It is not committed to yet: the node cannot take jobs.
	NotEligible,
	/// It is not committed to yet: too little of the node's own bond is free.
	NoBond,
	/// The chain holds its commitment.
	Committed,
	/// It was revealed, and stands as its epoch begins.
	Revealed,
	/// It was revealed, and does not stand as its epoch begins: it got no place, or lost it again. Its bond is free.
	NoPlace,
	/// Its epoch began before it was revealed: its bond is lost.
	Missed,
	/// The chain holds a commitment of this node that the journal does not know.
	Elsewhere,
}

impl BidOutcome {
	/// Its name in metrics.
	pub fn name(&self) -> &'static str {
		match self {
			Self::NotEligible => "not_eligible",
			Self::NoBond => "no_bond",
			Self::Committed => "committed",
			Self::Revealed => "revealed",
			Self::NoPlace => "no_place",
			Self::Missed => "missed",
			Self::Elsewhere => "elsewhere",
		}
	}
}

impl From<AskObstacle> for BidOutcome {
	fn from(obstacle: AskObstacle) -> Self {
		match obstacle {
			AskObstacle::NotEligible => Self::NotEligible,
			AskObstacle::NoBond { .. } => Self::NoBond,
		}
	}
}
