//! The transactions of worker keys, and what becomes of them.

pub use highway_mocks::{accept, apply, assert_refused, validate};

use super::*;
use crate::{Call, Challenge};
use highway_primitives::{
	chunk_proof,
	worker::{self, ChunkProof, WorkerPair},
	BlobRef, ModelId, NodeId, WorkerAction, WorkerSignature,
};
use sp_core::Pair;

pub fn general(call: Call<Test>) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call.into(), (frame_system::AuthorizeCall::new(),))
}

pub fn sign(key: &WorkerPair, action: &WorkerAction) -> WorkerSignature {
	key.sign(&worker::payload(System::block_hash(0), action))
}

pub fn action(node: NodeId, model: ModelId, drawn_at: BlockNumber, proof: ChunkProof) -> WorkerAction {
	WorkerAction::ProveStorage {
		node,
		model,
		drawn_at,
		proof,
	}
}

/// The general transaction that carries this proof, signed by `key`.
pub fn prove_by(
	key: &WorkerPair,
	node: NodeId,
	model: ModelId,
	drawn_at: BlockNumber,
	proof: ChunkProof,
) -> UncheckedExtrinsic {
	let signature = sign(key, &action(node, model, drawn_at, proof.clone()));
	general(Call::prove {
		node,
		model,
		drawn_at,
		proof,
		signature,
	})
}

/// The chunk of a blob and its way to the root.
pub fn proof_of(blob: &[u8], chunk: u64) -> ChunkProof {
	chunk_proof::prove(blob, chunk).unwrap()
}

/// No chunk at all.
pub fn no_proof() -> ChunkProof {
	ChunkProof {
		bytes: Default::default(),
		siblings: Default::default(),
	}
}

/// What an honest node shows: the chunk of whichever version the challenge asks for.
pub fn right_proof(model: ModelId, asked: &Challenge) -> ChunkProof {
	let blob = (1..20)
		.map(|version| file(model, version))
		.find(|blob| BlobRef::of(blob) == asked.artefact)
		.unwrap();
	proof_of(&blob, asked.chunk)
}

/// The node's answer to what it is asked now.
pub fn prove(node: NodeId, model: ModelId) -> UncheckedExtrinsic {
	let asked = challenge(node, model);
	prove_by(&key(node), node, model, asked.drawn_at, right_proof(model, &asked))
}
