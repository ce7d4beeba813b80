//! What nodes ask for their work: their workers commit to it in the first two thirds of a market epoch, and reveal it in the
//! last one. It holds from the next epoch on.

use crate::{worker_transaction, Chain};
use highway_primitives::{
	market::ask_commitment, AskCommitment, AskReveal, AskRole, Balance, EpochIndex, MarketPhase, ModelId, NodeId,
	WorkerAction,
};
use highway_runtime::{RevenueSplit, Runtime};
use pallet_revenue_split::CommitmentPlaces;
use sp_keyring::Sr25519Keyring;
use std::collections::BTreeMap;

/// Salt of every commitment to an ask. On a real network it is secret until the ask is revealed.
pub const ASK_SALT: [u8; 32] = [11; 32];

/// What a node asks: for which model, in which role, and how much; without a price, nothing any more.
pub type Ask = (ModelId, AskRole, Option<Balance>);

/// `node` commits to what it will ask from `epoch` on.
pub fn commit_asks(node: NodeId, epoch: EpochIndex, asks: &[Ask]) -> WorkerAction {
	let items = asks.iter().map(|(model, role, price)| AskCommitment {
		model: *model,
		role: *role,
		hash: ask_commitment(node, epoch, *model, *role, *price, &ASK_SALT),
	});
	WorkerAction::CommitAsks {
		node,
		epoch,
		items: items.collect::<Vec<_>>().try_into().expect("at most 64 asks"),
	}
}

/// `node` reveals what it will ask from `epoch` on.
pub fn reveal_asks(node: NodeId, epoch: EpochIndex, asks: &[Ask], salt: [u8; 32]) -> WorkerAction {
	let items = asks.iter().map(|(model, role, price)| AskReveal {
		model: *model,
		role: *role,
		price: *price,
		salt,
	});
	WorkerAction::RevealAsks {
		node,
		epoch,
		items: items.collect::<Vec<_>>().try_into().expect("at most 64 asks"),
	}
}

impl Chain {
	/// Makes blocks until the first block of the next market epoch is closed.
	pub fn next_market_epoch(&mut self) {
		self.close();
		self.run_to(RevenueSplit::last_block_of(RevenueSplit::current_epoch()) + 1);
	}

	/// Makes blocks until one is open in which nodes may say this of the next epoch's asks.
	pub fn open_in(&mut self, phase: MarketPhase) {
		self.open();
		while RevenueSplit::phase().0 != phase {
			self.close();
			self.open();
		}
	}

	/// The epoch that asks are said for in the open block, or in the last one.
	pub fn coming_epoch(&self) -> EpochIndex {
		RevenueSplit::current_epoch() + 1
	}

	/// Lets nodes ask: commits, and reveals when it is time to. Panics if one of the asks is not taken. A block is open
	/// then, in the last third of the epoch.
	pub fn ask(&mut self, asks: &[(Sr25519Keyring, Ask)]) {
		let mut said = BTreeMap::<NodeId, Vec<Ask>>::new();
		for (operator, ask) in asks {
			said.entry(self.node_of(*operator)).or_default().push(*ask);
		}
		let waits =
			|node: &NodeId, (model, role, _): &Ask| CommitmentPlaces::<Runtime>::contains_key(node, (*model, *role));
		self.open_in(MarketPhase::Commit);
		let epoch = self.coming_epoch();
		for (node, asks) in &said {
			self.say(*node, commit_asks(*node, epoch, asks));
			assert!(
				asks.iter().all(|ask| waits(node, ask)),
				"node {node} commits to {asks:?}"
			);
		}
		self.open_in(MarketPhase::Reveal);
		for (node, asks) in &said {
			self.say(*node, reveal_asks(*node, epoch, asks, ASK_SALT));
			assert!(!asks.iter().any(|ask| waits(node, ask)), "node {node} asks {asks:?}");
		}
	}

	/// Puts what a node's worker says into a block. Panics if it is not valid.
	pub fn say(&mut self, node: NodeId, action: WorkerAction) {
		let transaction = worker_transaction(self.worker(node), action.clone());
		let outcome = self.apply(transaction);
		assert_eq!(outcome, Ok(Ok(())), "node {node} says {action:?}");
	}
}
