//! Real general extrinsics, run as a pool and as a block run them.

use super::*;
use crate::Call;
use frame_support::{
	dispatch::{GetDispatchInfo, PostDispatchInfo},
	pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError},
};
use highway_primitives::{
	chunk_proof,
	worker::{self, ChunkProof, WorkerPair},
	BlobRef, ProbeSeed, ProbeTask, WorkerAction, WorkerSignature,
};
use sp_runtime::{
	traits::{Applyable, Checkable},
	ApplyExtrinsicResultWithInfo,
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

/// What a pool does with it.
pub fn validate(transaction: &UncheckedExtrinsic) -> TransactionValidity {
	let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
	let checked = transaction
		.clone()
		.check(&frame_system::ChainContext::<Test>::default())?;
	checked.validate::<Test>(TransactionSource::External, &info, len)
}

/// What a block does with it, whether or not a pool saw it before.
pub fn apply(transaction: &UncheckedExtrinsic) -> ApplyExtrinsicResultWithInfo<PostDispatchInfo> {
	let (info, len) = (transaction.get_dispatch_info(), transaction.encoded_size());
	let checked = transaction
		.clone()
		.check(&frame_system::ChainContext::<Test>::default())?;
	checked.apply::<Test>(&info, len)
}

/// The pool takes it, and the block does it.
#[track_caller]
pub fn accept(transaction: &UncheckedExtrinsic) {
	validate(transaction).unwrap();
	apply(transaction).unwrap().unwrap();
}

/// Refused by the pool and, put directly into a block by its author, by the block; nothing changed.
#[track_caller]
pub fn assert_refused(transaction: &UncheckedExtrinsic, reason: InvalidTransaction) {
	let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
	let error = TransactionValidityError::Invalid(reason);
	assert_eq!(validate(transaction).unwrap_err(), error);
	assert_eq!(apply(transaction).unwrap_err(), error);
	assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), before);
}
