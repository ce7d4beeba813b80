//! Who may say what: checked in the pool and, by the same code, in the block.

use crate::{
	rounds::{Challenge, Duty},
	Config, Pallet,
};
use alloc::vec;
use codec::Encode;
use frame_support::{
	pallet_prelude::{InvalidTransaction, TransactionValidityWithRefund},
	traits::Get,
};
use highway_primitives::{
	authorization::{check_signature, let_in, PRIORITY, UNKNOWN_NODE},
	chunk_proof,
	probe::rows_of,
	traits::Nodes,
	worker::ChunkProof,
	BlobRef, MaxBlobSize, NodeId, ProbeSeed, WorkerAction, WorkerSignature,
};

/// The output is not made of whole rows, has none, or more than the node is asked for.
pub const WRONG_SIZE: InvalidTransaction = InvalidTransaction::Custom(2);

/// The chunk is not the one that was drawn, or not of the output that the node answered with.
pub const WRONG_CHUNK: InvalidTransaction = InvalidTransaction::Custom(3);

/// The round wants nothing of this kind from the node now: another round or, on this fork, another seed; the node is not hit,
/// has said it before, is late; or the blocks that draw its chunk are not over. A replay ends here.
const NOTHING_OPEN: InvalidTransaction = InvalidTransaction::Stale;

/// Blocks for which a pool keeps such a transaction. No round asks for longer.
const LONGEVITY: u64 = 16;

/// Sets these tags apart from other pallets' tags.
const TAG: &[u8; 14] = b"highway/probes";

/// What a transaction does: each has a tag of its own.
#[derive(Clone, Copy, Encode)]
enum Say {
	Answer,
	Prove,
}

impl<T: Config> Pallet<T> {
	/// Cheap checks first, the signature last: junk pays nothing.
	pub(crate) fn authorize_answer(
		node: NodeId,
		round: u32,
		seed: &ProbeSeed,
		output: &BlobRef,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = T::Nodes::worker(node).ok_or(UNKNOWN_NODE)?;
		Self::may_answer(node, round, seed, output)?;
		let (seed, output) = (*seed, *output);
		let action = WorkerAction::AnswerProbe {
			node,
			round,
			seed,
			output,
		};
		check_signature::<T>(&worker, &action, signature)?;
		Self::let_in(node, round, Say::Answer)
	}

	pub(crate) fn authorize_proof(
		node: NodeId,
		round: u32,
		proof: &ChunkProof,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = T::Nodes::worker(node).ok_or(UNKNOWN_NODE)?;
		let Challenge { answer, chunk, .. } = Self::due_proof(node, round)?.1;
		let BlobRef { hash, size } = answer.output;
		if !chunk_proof::verify(&hash, size, chunk, &proof.bytes, &proof.siblings) {
			return Err(WRONG_CHUNK.into());
		}
		let proof = proof.clone();
		let action = WorkerAction::ProveProbe { node, round, proof };
		check_signature::<T>(&worker, &action, signature)?;
		Self::let_in(node, round, Say::Prove)
	}

	/// Whether the round waits for this answer.
	pub(crate) fn may_answer(
		node: NodeId,
		round: u32,
		seed: &ProbeSeed,
		output: &BlobRef,
	) -> Result<(), InvalidTransaction> {
		let (current, duty) = Self::duty(node, Self::now()).ok_or(NOTHING_OPEN)?;
		let Duty::Answer { most } = duty else {
			return Err(NOTHING_OPEN);
		};
		if (current.index, &current.seed) != (round, seed) {
			return Err(NOTHING_OPEN);
		}
		let largest: u64 = MaxBlobSize::get();
		let possible = output.size <= largest && rows_of(output).is_some_and(|rows| rows <= most);
		possible.then_some(()).ok_or(WRONG_SIZE)
	}

	/// What the node has to prove now, with the round's seed.
	pub(crate) fn due_proof(node: NodeId, round: u32) -> Result<(ProbeSeed, Challenge), InvalidTransaction> {
		match Self::duty(node, Self::now()) {
			Some((current, Duty::Prove(challenge))) if current.index == round => Ok((current.seed, challenge)),
			_ => Err(NOTHING_OPEN),
		}
	}

	/// One tag per node, round and thing to say: while one such transaction waits, nothing but the same said in a later
	/// block takes its place, and once it is in a block, there is nothing of this kind left to say. Attestations stand above
	/// it: their blocks count more.
	fn let_in(node: NodeId, round: u32, say: Say) -> TransactionValidityWithRefund {
		let priority = PRIORITY.saturating_add(Self::now().into());
		let_in(priority, vec![(TAG, node, round, say).encode()], LONGEVITY)
	}
}
