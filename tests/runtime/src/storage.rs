//! What nodes show of the files that they are paid for storing.

use crate::{worker_transaction, Chain};
use highway_primitives::{chunk_proof, ModelId, NodeId, WorkerAction};
use highway_runtime::{pallet_storage_proofs::Challenge, NodeStaking, Runtime, StorageProofs, UncheckedExtrinsic};
use pallet_revenue_split::StoragePay;
use sp_keyring::Sr25519Keyring;

/// Blocks after which a test does not wait any longer for a challenge. One comes in about ten.
const PATIENCE: u32 = 500;

impl Chain {
	/// What nodes show in the next block, as their workers are asked in the last one.
	pub(crate) fn words_on_storage(&self) -> Vec<UncheckedExtrinsic> {
		let mut words = Vec::new();
		for node in NodeStaking::ids_from(0, u32::MAX).0 {
			if self.silent.contains(&node) || self.forgetful.contains(&node) {
				continue;
			}
			for (model, challenge) in StorageProofs::tasks_of(node) {
				let proof = self.storage_proof(node, model, &challenge);
				words.extend(proof.map(|proof| worker_transaction(self.worker(node), proof)));
			}
		}
		words
	}

	/// The node's answer to a challenge. `None` if nobody here has the file.
	pub fn storage_proof(&self, node: NodeId, model: ModelId, challenge: &Challenge) -> Option<WorkerAction> {
		let file = self.files.get(&challenge.artefact.hash)?;
		Some(WorkerAction::ProveStorage {
			node,
			model,
			drawn_at: challenge.drawn_at,
			proof: chunk_proof::prove(file, challenge.chunk).expect("only chunks are drawn that there are"),
		})
	}

	/// Makes blocks until the node is asked to show the model, and returns what.
	pub fn until_challenged(&mut self, node: NodeId, model: ModelId) -> Challenge {
		self.close();
		for _ in 0..PATIENCE {
			let mut tasks = StorageProofs::tasks_of(node).into_iter();
			if let Some((_, challenge)) = tasks.find(|(of, _)| *of == model) {
				return challenge;
			}
			self.blocks(1);
		}
		panic!("node {node} is not challenged to show model {model}");
	}

	/// Makes blocks until nothing of what the operator earned by storing the model waits any more: it has shown the model, or
	/// has not.
	pub fn until_storage_is_settled(&mut self, operator: Sr25519Keyring, model: ModelId) {
		self.close();
		for _ in 0..PATIENCE {
			if !StoragePay::<Runtime>::contains_key(operator.to_account_id(), model) {
				return;
			}
			self.blocks(1);
		}
		panic!("{operator:?} is not challenged to show model {model}");
	}
}
