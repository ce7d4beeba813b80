//! Who may say what: checked in the pool and, by the same code, in the block.

use crate::{
	rounds::{Challenge, Duty},
	Config, Pallet,
};
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
	probe::rows_of,
	traits::Nodes,
	worker::{self, ChunkProof},
	BlobRef, MaxBlobSize, NodeId, ProbeSeed, WorkerAction, WorkerId, WorkerSignature,
};

/// Blocks for which a pool keeps such a transaction. No round asks for longer.
const LONGEVITY: u64 = 16;

/// Above everything that pays a fee, and below attestations, whose blocks count more. It cannot be flooded itself, because
/// a node has one answer and one proof to give in a round.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;

/// Sets these tags apart from other pallets' tags.
const TAG: &[u8; 14] = b"highway/probes";

/// Why a transaction of a worker key is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
	/// `Custom(1)`: no node has the id.
	UnknownNode,
	/// `Custom(2)`: the output is not made of whole rows, has none, or more than the node is asked for.
	WrongSize,
	/// `Stale`: the round wants nothing of this kind from the node now: another round or, on this fork, another seed; the
	/// node is not hit, has said it before, is late; or the blocks that draw its chunk are not over. A replay ends here.
	NothingOpen,
	/// `Custom(3)`: the chunk is not the one that was drawn, or not of the output that the node answered with.
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
			Refusal::WrongSize => InvalidTransaction::Custom(2).into(),
			Refusal::WrongChunk => InvalidTransaction::Custom(3).into(),
		}
	}
}

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
		let worker = T::Nodes::worker(node).ok_or(Refusal::UnknownNode)?;
		Self::may_answer(node, round, seed, output)?;
		let (seed, output) = (*seed, *output);
		let action = WorkerAction::AnswerProbe {
			node,
			round,
			seed,
			output,
		};
		Self::check_signature(&worker, action, signature)?;
		Ok((Self::valid(node, round, Say::Answer), Weight::zero()))
	}

	pub(crate) fn authorize_proof(
		node: NodeId,
		round: u32,
		proof: &ChunkProof,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = T::Nodes::worker(node).ok_or(Refusal::UnknownNode)?;
		let Challenge { answer, chunk, .. } = Self::due_proof(node, round)?.1;
		let BlobRef { hash, size } = answer.output;
		if !chunk_proof::verify(&hash, size, chunk, &proof.bytes, &proof.siblings) {
			return Err(Refusal::WrongChunk.into());
		}
		let proof = proof.clone();
		let action = WorkerAction::ProveProbe { node, round, proof };
		Self::check_signature(&worker, action, signature)?;
		Ok((Self::valid(node, round, Say::Prove), Weight::zero()))
	}

	/// Whether the round waits for this answer.
	pub(crate) fn may_answer(node: NodeId, round: u32, seed: &ProbeSeed, output: &BlobRef) -> Result<(), Refusal> {
		let (current, duty) = Self::duty(node, Self::now()).ok_or(Refusal::NothingOpen)?;
		let Duty::Answer { most } = duty else {
			return Err(Refusal::NothingOpen);
		};
		if (current.index, &current.seed) != (round, seed) {
			return Err(Refusal::NothingOpen);
		}
		let largest: u64 = MaxBlobSize::get();
		let possible = output.size <= largest && rows_of(output).is_some_and(|rows| rows <= most);
		possible.then_some(()).ok_or(Refusal::WrongSize)
	}

	/// What the node has to prove now, with the round's seed.
	pub(crate) fn due_proof(node: NodeId, round: u32) -> Result<(ProbeSeed, Challenge), Refusal> {
		match Self::duty(node, Self::now()) {
			Some((current, Duty::Prove(challenge))) if current.index == round => Ok((current.seed, challenge)),
			_ => Err(Refusal::NothingOpen),
		}
	}

	fn check_signature(worker: &WorkerId, action: WorkerAction, signature: &WorkerSignature) -> Result<(), Refusal> {
		// Block 0's hash, which the system pallet keeps for ever.
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::default());
		match worker::verify(worker, genesis, &action, signature) {
			true => Ok(()),
			false => Err(Refusal::BadSignature),
		}
	}

	/// One tag per node, round and thing to say: while one such transaction waits, nothing but the same said in a later
	/// block takes its place, and once it is in a block, there is nothing of this kind left to say.
	fn valid(node: NodeId, round: u32, say: Say) -> ValidTransaction {
		ValidTransaction {
			priority: PRIORITY.saturating_add(Self::now().into()),
			requires: vec![],
			provides: vec![(TAG, node, round, say).encode()],
			longevity: LONGEVITY,
			propagate: true,
		}
	}
}
