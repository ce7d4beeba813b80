//! Who may say what: checked in the pool and, by the same code, in the block.

use crate::{Config, Pallet};
use alloc::vec;
use codec::Encode;
use frame_support::{
	pallet_prelude::{
		InvalidTransaction, TransactionPriority, TransactionValidityError, TransactionValidityWithRefund,
		ValidTransaction,
	},
	traits::Get,
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use highway_primitives::{
	chunk_proof,
	traits::Nodes,
	worker::{self, ChunkProof},
	BlockNumber, ModelId, NodeId, WorkerAction, WorkerSignature,
};

/// Above everything that pays a fee, and below attestations, whose blocks count more. It cannot be flooded itself, because
/// there is one answer to a challenge, and four challenges are drawn in a block.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;

/// Sets these tags apart from other pallets' tags.
const TAG: &[u8; 15] = b"highway/storage";

/// Why a transaction of a worker key is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
	/// `Custom(1)`: no node has the id.
	UnknownNode,
	/// `Stale`: nothing is asked of the node for this model, or what is asked was drawn in another block; or it is over.
	/// A replay ends here.
	NothingOpen,
	/// `Custom(2)`: the chunk is not the one that was drawn, or not of the artefact of the draw.
	WrongChunk,
	/// `BadProof`: the signature is not by the node's worker key, or not for this call on this chain.
	BadSignature,
}

impl From<Refusal> for TransactionValidityError {
	fn from(refusal: Refusal) -> Self {
		match refusal {
			Refusal::NothingOpen => InvalidTransaction::Stale.into(),
			Refusal::BadSignature => InvalidTransaction::BadProof.into(),
			Refusal::UnknownNode => InvalidTransaction::Custom(1).into(),
			Refusal::WrongChunk => InvalidTransaction::Custom(2).into(),
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Cheap checks first, the signature last: junk pays nothing.
	pub(crate) fn authorize_proof(
		node: NodeId,
		model: ModelId,
		drawn_at: BlockNumber,
		proof: &ChunkProof,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = T::Nodes::worker(node).ok_or(Refusal::UnknownNode)?;
		let challenge = Self::open_challenge(node, model, drawn_at).ok_or(Refusal::NothingOpen)?;
		let artefact = challenge.artefact;
		let is_right = chunk_proof::verify(
			&artefact.hash,
			artefact.size,
			challenge.chunk,
			&proof.bytes,
			&proof.siblings,
		);
		if !is_right {
			return Err(Refusal::WrongChunk.into());
		}
		let action = WorkerAction::ProveStorage {
			node,
			model,
			drawn_at,
			proof: proof.clone(),
		};
		// Block 0's hash, which the system pallet keeps for ever.
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::default());
		if !worker::verify(&worker, genesis, &action, signature) {
			return Err(Refusal::BadSignature.into());
		}
		Ok((Self::valid(node, model, drawn_at), Weight::zero()))
	}

	/// One tag per challenge: while one answer waits, nothing but the same said in a later block takes its place, and once it
	/// is in a block, there is nothing left to say.
	fn valid(node: NodeId, model: ModelId, drawn_at: BlockNumber) -> ValidTransaction {
		ValidTransaction {
			priority: PRIORITY.saturating_add(Self::now().into()),
			requires: vec![],
			provides: vec![(TAG, node, model, drawn_at).encode()],
			// No answer counts for longer.
			longevity: T::Window::get().into(),
			propagate: true,
		}
	}
}
