//! The transactions of worker keys, and what becomes of them.

pub use highway_mocks::{accept, apply, assert_refused, validate};

use super::*;
use crate::Call;
use frame_support::BoundedVec;
use highway_primitives::{
	audit::{ballot_commitment, SketchSeed},
	batch::sketch_root,
	chunk_proof,
	worker::{self, ChunkProof, MaxAttestations, WorkerPair},
	AttestItem, Ballot, BlobRef, FailureClass, JobId, NodeId, Opening, Sketch, WorkerAction, WorkerSignature,
};
use sp_core::Pair;

pub fn key(node: u8) -> WorkerPair {
	WorkerPair::from_seed(&[node + 1; 32])
}

/// The salt of all commitments of a node.
pub fn salt(node: NodeId) -> [u8; 32] {
	[node as u8 + 50; 32]
}

pub fn item(job: JobId) -> AttestItem {
	AttestItem {
		job,
		work: work(job),
		output: BlobRef {
			hash: H256::from_low_u64_be(job),
			size: 64,
		},
		commitment: H256::repeat_byte(3),
	}
}

pub fn items(jobs: impl IntoIterator<Item = JobId>) -> BoundedVec<AttestItem, MaxAttestations> {
	jobs.into_iter().map(item).collect::<Vec<_>>().try_into().unwrap()
}

pub fn genesis() -> H256 {
	System::block_hash(0)
}

pub fn sign(key: &WorkerPair, action: &WorkerAction) -> WorkerSignature {
	key.sign(&worker::payload(genesis(), action))
}

/// The general transaction that carries these attestations, signed by `key`.
pub fn attest(key: &WorkerPair, node: NodeId, items: BoundedVec<AttestItem, MaxAttestations>) -> UncheckedExtrinsic {
	let signature = sign(
		key,
		&WorkerAction::Attest {
			node,
			items: items.clone(),
		},
	);
	general(Call::attest { node, items, signature })
}

/// The node attests the job's output with this sketch behind it.
pub fn attest_with(node: NodeId, job: JobId, sketch: Sketch) -> UncheckedExtrinsic {
	attest_batch(node, job, &[sketch])
}

/// The same with a sketch of each of its inputs.
pub fn attest_batch(node: NodeId, job: JobId, sketches: &[Sketch]) -> UncheckedExtrinsic {
	let output = output(job);
	let commitment = worker::commitment(&work_id(job), node, &output, &sketch_root(sketches), &salt(node));
	let work = work(job);
	let item = AttestItem {
		job,
		work,
		output,
		commitment,
	};
	attest(&key(node as u8), node, vec![item].try_into().unwrap())
}

/// The general transaction that carries this report, signed by `key`.
pub fn report(key: &WorkerPair, node: NodeId, job: JobId, class: FailureClass) -> UncheckedExtrinsic {
	let work = work(job);
	let signature = sign(key, &WorkerAction::ReportFailure { node, job, work, class });
	general(Call::report_failure {
		node,
		job,
		work,
		class,
		signature,
	})
}

pub fn open(node: NodeId, job: JobId, sketch: Sketch) -> UncheckedExtrinsic {
	open_by(&key(node as u8), node, job, sketch, salt(node))
}

pub fn open_by(key: &WorkerPair, node: NodeId, job: JobId, sketch: Sketch, salt: [u8; 32]) -> UncheckedExtrinsic {
	let opening = Opening::of(&[sketch], 0).expect("there is one");
	open_with(key, node, job, opening, salt)
}

/// The node opens input `index` of these, which it has committed to.
pub fn open_input(node: NodeId, job: JobId, sketches: &[Sketch], index: u16) -> UncheckedExtrinsic {
	let opening = Opening::of(sketches, index).expect("there is such an input");
	open_with(&key(node as u8), node, job, opening, salt(node))
}

pub fn open_with(key: &WorkerPair, node: NodeId, job: JobId, opening: Opening, salt: [u8; 32]) -> UncheckedExtrinsic {
	let action = WorkerAction::OpenCommitment {
		node,
		job,
		opening: opening.clone(),
		salt,
	};
	let signature = sign(key, &action);
	general(Call::open_commitment {
		node,
		job,
		opening,
		salt,
		signature,
	})
}

/// Seed of the node's seat; any seed if it has none.
pub fn seed(node: NodeId, job: JobId) -> SketchSeed {
	let record = ProofOfWorkDone::audit(job);
	let seat = record.and_then(|record| record.seats.into_iter().find(|seat| seat.node == node));
	seat.map_or([0; 32], |seat| seat.seed)
}

pub fn commit(node: NodeId, job: JobId, ballot: Ballot) -> UncheckedExtrinsic {
	let seed = seed(node, job);
	let commitment = ballot_commitment(&work_id(job), node, &seed, &ballot, &salt(node));
	commit_by(&key(node as u8), node, job, seed, commitment)
}

pub fn commit_by(key: &WorkerPair, node: NodeId, job: JobId, seed: SketchSeed, commitment: H256) -> UncheckedExtrinsic {
	let action = WorkerAction::CommitBallot {
		node,
		job,
		seed,
		commitment,
	};
	let signature = sign(key, &action);
	general(Call::commit_ballot {
		node,
		job,
		seed,
		commitment,
		signature,
	})
}

pub fn reveal(node: NodeId, job: JobId, ballot: Ballot) -> UncheckedExtrinsic {
	reveal_by(&key(node as u8), node, job, ballot, salt(node))
}

pub fn reveal_by(key: &WorkerPair, node: NodeId, job: JobId, ballot: Ballot, salt: [u8; 32]) -> UncheckedExtrinsic {
	let action = WorkerAction::RevealBallot {
		node,
		job,
		ballot,
		salt,
	};
	let signature = sign(key, &action);
	general(Call::reveal_ballot {
		node,
		job,
		ballot,
		salt,
		signature,
	})
}

/// The proof of this chunk of the job's output, by the node.
pub fn prove(node: NodeId, job: JobId, chunk: u64) -> UncheckedExtrinsic {
	let proof = chunk_proof::prove(&blob(job), chunk).unwrap();
	prove_by(&key(node as u8), node, job, proof)
}

pub fn prove_by(key: &WorkerPair, node: NodeId, job: JobId, proof: ChunkProof) -> UncheckedExtrinsic {
	let action = WorkerAction::ProveChunk {
		node,
		job,
		proof: proof.clone(),
	};
	let signature = sign(key, &action);
	general(Call::prove_chunk {
		node,
		job,
		proof,
		signature,
	})
}

pub fn general(call: Call<Test>) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call.into(), (frame_system::AuthorizeCall::new(),))
}
