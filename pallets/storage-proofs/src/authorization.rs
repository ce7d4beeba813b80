//! Who may say what: checked in the pool and, by the same code, in the block.

use crate::{Config, Pallet};
use alloc::vec;
use codec::Encode;
use frame_support::{
	pallet_prelude::{InvalidTransaction, TransactionValidityWithRefund},
	traits::Get,
};
use highway_primitives::{
	authorization::{check_signature, let_in, PRIORITY, UNKNOWN_NODE},
	chunk_proof,
	traits::Nodes,
	worker::ChunkProof,
	BlockNumber, ModelId, NodeId, WorkerAction, WorkerSignature,
};

/// The chunk is not the one that was drawn, or not of the artefact of the draw.
pub const WRONG_CHUNK: InvalidTransaction = InvalidTransaction::Custom(2);

/// Nothing is asked of the node for this model, or what is asked was drawn in another block; or it is over. A replay ends
/// here.
const NOTHING_OPEN: InvalidTransaction = InvalidTransaction::Stale;

/// Sets these tags apart from other pallets' tags.
const TAG: &[u8; 15] = b"highway/storage";

impl<T: Config> Pallet<T> {
	/// Cheap checks first, the signature last: junk pays nothing.
	pub(crate) fn authorize_proof(
		node: NodeId,
		model: ModelId,
		drawn_at: BlockNumber,
		proof: &ChunkProof,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = T::Nodes::worker(node).ok_or(UNKNOWN_NODE)?;
		let challenge = Self::open_challenge(node, model, drawn_at).ok_or(NOTHING_OPEN)?;
		let artefact = challenge.artefact;
		let is_right = chunk_proof::verify(
			&artefact.hash,
			artefact.size,
			challenge.chunk,
			&proof.bytes,
			&proof.siblings,
		);
		if !is_right {
			return Err(WRONG_CHUNK.into());
		}
		let action = WorkerAction::ProveStorage {
			node,
			model,
			drawn_at,
			proof: proof.clone(),
		};
		check_signature::<T>(&worker, &action, signature)?;
		Self::let_in(node, model, drawn_at)
	}

	/// One tag per challenge: while one answer waits, nothing but the same said in a later block takes its place, and once it
	/// is in a block, there is nothing left to say. Four challenges are drawn in a block. Attestations stand above it: their
	/// blocks count more.
	fn let_in(node: NodeId, model: ModelId, drawn_at: BlockNumber) -> TransactionValidityWithRefund {
		let priority = PRIORITY.saturating_add(Self::now().into());
		// No answer counts for longer.
		let longevity = T::Window::get().into();
		let_in(priority, vec![(TAG, node, model, drawn_at).encode()], longevity)
	}
}
