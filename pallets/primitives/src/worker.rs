//! What a node's worker key signs: the actions that reach the chain without fee, nonce or balance.
//!
//! The signature covers [`payload`]: a domain, the chain's genesis hash and the whole action. The pallets check it
//! in the pool and in the block, through `#[pallet::authorize]`.

use crate::{
	audit::SketchSeed,
	market::{AskCommitment, AskReveal, MaxAskItems},
	Ballot, BlobRef, BlockNumber, EpochIndex, FailureClass, JobId, ModelId, NodeId, Opening, ProbeSeed, WorkId,
	WorkTag,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_application_crypto::RuntimeAppPublic;
use sp_core::{crypto::KeyTypeId, H256};

/// Key type of worker keys in a node's keystore.
pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"work");

mod app {
	use sp_application_crypto::{app_crypto, sr25519};
	app_crypto!(sr25519, super::KEY_TYPE);
}

/// Public worker key of a node.
pub type WorkerId = app::Public;

/// Signature by a worker key.
pub type WorkerSignature = app::Signature;

/// Worker key pair. For tests and for development keys only: a node signs through its keystore.
#[cfg(feature = "std")]
pub type WorkerPair = app::Pair;

/// Separates these signatures from everything else that an sr25519 key may sign.
pub const DOMAIN: &[u8; 16] = b"highway/worker/1";

/// The most attestations in one extrinsic.
pub type MaxAttestations = ConstU32<256>;

/// One job done.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct AttestItem {
	/// The job.
	#[codec(compact)]
	pub job: JobId,
	/// Which work the job stands for, as the node saw it.
	pub work: WorkTag,
	/// The canonical output, a safetensors file; of a job of many inputs the bundle of all outputs.
	pub output: BlobRef,
	/// [`commitment`] to the node, the work, the output, the runs' sketches and a secret salt, opened in an audit.
	pub commitment: H256,
}

/// The most hashes between a 1 KiB chunk of the largest blob and its root.
pub type MaxProofDepth = ConstU32<24>;

/// One chunk of a blob and the hashes that lead from it to the blob's BLAKE3 root.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct ChunkProof {
	/// The chunk: 1024 bytes, fewer only at the blob's end.
	pub bytes: BoundedVec<u8, ConstU32<1024>>,
	/// Chaining values of the sibling subtrees, the chunk's own sibling first.
	pub siblings: BoundedVec<[u8; 32], MaxProofDepth>,
}

/// Everything that a worker key may say.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum WorkerAction {
	/// `proof-of-work-done::attest`
	Attest {
		/// The node that did the jobs.
		#[codec(compact)]
		node: NodeId,
		/// The jobs.
		items: BoundedVec<AttestItem, MaxAttestations>,
	},
	/// `proof-of-work-done::report_failure`
	ReportFailure {
		/// The node that tried.
		#[codec(compact)]
		node: NodeId,
		/// The job.
		#[codec(compact)]
		job: JobId,
		/// Which work the job stands for, as the node saw it.
		work: WorkTag,
		/// Why it cannot be done.
		class: FailureClass,
	},
	/// `proof-of-work-done::open_commitment`: the executor opens what it committed to at its attestation.
	OpenCommitment {
		/// The node that did the job.
		#[codec(compact)]
		node: NodeId,
		/// The job.
		#[codec(compact)]
		job: JobId,
		/// Sketch of its run of the input that is audited.
		opening: Opening,
		/// The commitment's salt.
		salt: [u8; 32],
	},
	/// `proof-of-work-done::commit_ballot`: an auditor or a juror has judged.
	CommitBallot {
		/// The node that judges.
		#[codec(compact)]
		node: NodeId,
		/// The job.
		#[codec(compact)]
		job: JobId,
		/// Seed of the seat. On another fork the id may stand for other work, and a jury has another seed: what was
		/// committed under one seed could never be opened under another.
		seed: SketchSeed,
		/// [`ballot_commitment`](crate::audit::ballot_commitment).
		commitment: H256,
	},
	/// `proof-of-work-done::reveal_ballot`
	RevealBallot {
		/// The node that judged.
		#[codec(compact)]
		node: NodeId,
		/// The job.
		#[codec(compact)]
		job: JobId,
		/// What it committed to.
		ballot: Ballot,
		/// The commitment's salt.
		salt: [u8; 32],
	},
	/// `proof-of-work-done::prove_chunk`: the executor shows that it has the output that somebody misses.
	ProveChunk {
		/// The node that did the job.
		#[codec(compact)]
		node: NodeId,
		/// The job.
		#[codec(compact)]
		job: JobId,
		/// The chunk and its way to the root.
		proof: ChunkProof,
	},
	/// `node-staking::heartbeat`
	Heartbeat {
		/// The node.
		#[codec(compact)]
		node: NodeId,
		/// The session it is for: a replay in another session is refused.
		#[codec(compact)]
		session: u32,
		/// Whether the inference engine is able to work.
		healthy: bool,
		/// Jobs that the node takes at the same time, queued ones included.
		#[codec(compact)]
		slots: u16,
	},
	/// `capacity-probes::answer`: the node has computed rows of the reference model.
	AnswerProbe {
		/// The node.
		#[codec(compact)]
		node: NodeId,
		/// The round.
		#[codec(compact)]
		round: u32,
		/// Seed of the round. On another fork the round has another one: rows that were computed under one seed are wrong
		/// under another.
		seed: ProbeSeed,
		/// The final rows one after another.
		output: BlobRef,
	},
	/// `capacity-probes::prove`: the node shows the drawn chunk of what it answered.
	ProveProbe {
		/// The node.
		#[codec(compact)]
		node: NodeId,
		/// The round.
		#[codec(compact)]
		round: u32,
		/// The chunk and its way to the root.
		proof: ChunkProof,
	},
	/// `revenue-split::commit_asks`
	CommitAsks {
		/// The node.
		#[codec(compact)]
		node: NodeId,
		/// The epoch that the asks are for: the one after the epoch in which this counts. A replay in another is refused.
		#[codec(compact)]
		epoch: EpochIndex,
		/// The commitments.
		items: BoundedVec<AskCommitment, MaxAskItems>,
	},
	/// `revenue-split::reveal_asks`
	RevealAsks {
		/// The node.
		#[codec(compact)]
		node: NodeId,
		/// The epoch that the asks are for.
		#[codec(compact)]
		epoch: EpochIndex,
		/// What was committed to.
		items: BoundedVec<AskReveal, MaxAskItems>,
	},
	/// `storage-proofs::prove`: the node shows the drawn chunk of a model that it is paid for storing.
	ProveStorage {
		/// The node.
		#[codec(compact)]
		node: NodeId,
		/// The model.
		#[codec(compact)]
		model: ModelId,
		/// The block of the draw. On another fork the draw may have been another.
		#[codec(compact)]
		drawn_at: BlockNumber,
		/// The chunk and its way to the root.
		proof: ChunkProof,
	},
}

/// The 32 bytes that a worker key signs for `action` on the chain with this genesis hash.
pub fn payload(genesis: H256, action: &WorkerAction) -> [u8; 32] {
	sp_io::hashing::blake2_256(&(DOMAIN, genesis, action).encode())
}

/// Whether `signature` is `worker`'s for `action`.
pub fn verify(worker: &WorkerId, genesis: H256, action: &WorkerAction, signature: &WorkerSignature) -> bool {
	worker.verify(&payload(genesis, action), signature)
}

/// Separates the proof of owning a worker key from the actions that the key signs.
pub const REGISTRATION_DOMAIN: &[u8; 16] = b"highway/signup/1";

/// The 32 bytes that a worker key signs to become the key of `operator`'s node on the chain with this genesis hash.
/// `operator` is the encoded account, so that nobody else can register with the same signature.
pub fn registration_payload(genesis: H256, operator: &[u8]) -> [u8; 32] {
	sp_io::hashing::blake2_256(&(REGISTRATION_DOMAIN, genesis, operator).encode())
}

/// H(work, node, output, root of the sketches, salt): binds a node to the inside of its own runs before anybody may ask for it.
pub fn commitment(work: &WorkId, node: NodeId, output: &BlobRef, sketches: &H256, salt: &[u8; 32]) -> H256 {
	H256(sp_io::hashing::blake2_256(
		&(work, node, output, sketches, salt).encode(),
	))
}
