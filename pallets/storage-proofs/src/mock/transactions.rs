//! Real general extrinsics, run as a pool and as a block run them.

use super::*;
use crate::{Call, Challenge};
use frame_support::{
	dispatch::{GetDispatchInfo, PostDispatchInfo},
	pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError},
};
use highway_primitives::{
	chunk_proof,
	worker::{self, ChunkProof, WorkerPair},
	BlobRef, ModelId, NodeId, WorkerAction, WorkerSignature,
};
use sp_core::Pair;
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
