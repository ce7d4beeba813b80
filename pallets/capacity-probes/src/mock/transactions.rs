//! The transactions of worker keys, and what becomes of them.

pub use highway_mocks::{accept, apply, assert_refused, validate};

use super::*;
use crate::Call;
use highway_primitives::{
	chunk_proof,
	worker::{self, ChunkProof, WorkerPair},
	BlobRef, ProbeSeed, ProbeTask, WorkerAction, WorkerSignature,
};

pub fn general(call: Call<Test>) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call.into(), (frame_system::AuthorizeCall::new(),))
}

pub fn sign(key: &WorkerPair, action: &WorkerAction) -> WorkerSignature {
	key.sign(&worker::payload(System::block_hash(0), action))
}

/// The general transaction that carries this answer, signed by `key`.
pub fn answer_by(key: &WorkerPair, node: NodeId, round: u32, seed: ProbeSeed, output: BlobRef) -> UncheckedExtrinsic {
	let action = WorkerAction::AnswerProbe {
		node,
		round,
		seed,
		output,
	};
	let signature = sign(key, &action);
	general(Call::answer {
		node,
		round,
		seed,
		output,
		signature,
	})
}

/// The node's answer to the present round.
pub fn answer(node: NodeId, blob: &[u8]) -> UncheckedExtrinsic {
	let current = round();
	answer_by(&key(node), node, current.index, current.seed, BlobRef::of(blob))
}

/// The general transaction that carries this proof, signed by `key`.
pub fn prove_by(key: &WorkerPair, node: NodeId, round: u32, proof: ChunkProof) -> UncheckedExtrinsic {
	let action = WorkerAction::ProveProbe {
		node,
		round,
		proof: proof.clone(),
	};
	let signature = sign(key, &action);
	general(Call::prove {
		node,
		round,
		proof,
		signature,
	})
}

/// The chunk that the node has to prove.
pub fn drawn(node: NodeId) -> u64 {
	match task(node) {
		Some(ProbeTask::Prove { chunk, .. }) => chunk,
		other => panic!("node {node} has nothing to prove: {other:?}"),
	}
}

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

/// The node's proof, in the present round, of the chunk that is asked for.
pub fn prove(node: NodeId, blob: &[u8]) -> UncheckedExtrinsic {
	prove_by(&key(node), node, round().index, proof_of(blob, drawn(node)))
}
