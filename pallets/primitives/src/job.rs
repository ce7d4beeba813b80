//! What a job is, as far as more than one pallet or program needs to know it.

use crate::BlobRef;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// Id of a job. Never reused on one fork; on another fork it may stand for another job: see [`WorkId`].
pub type JobId = u64;

/// What is to be done: H(job, digest of the version's specification, input). Names the same work on every fork.
pub type WorkId = H256;

/// The first bytes of a [`WorkId`]: keeps a message about the work from counting for other work with the same job id.
/// Whoever seeks two inputs with one tag finds them, and has gained nothing: a commitment binds to the whole [`WorkId`].
pub type WorkTag = [u8; 8];

/// The [`WorkId`] of a job that runs the version with this [`VersionSpec::digest`](crate::model::VersionSpec::digest).
pub fn work_id(job: JobId, spec: H256, input: &BlobRef) -> WorkId {
	H256(sp_io::hashing::blake2_256(&(job, spec, input).encode()))
}

/// The [`WorkTag`] of `work`.
pub fn work_tag(work: &WorkId) -> WorkTag {
	let mut tag = WorkTag::default();
	tag.iter_mut().zip(work.as_bytes()).for_each(|(tag, byte)| *tag = *byte);
	tag
}

/// How many nodes run a job.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum Tier {
	/// One executor.
	#[default]
	Spot,
}

/// Why a node cannot do a job. Two nodes with the same class end the job as `Failed`.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum FailureClass {
	/// No peer has the input.
	InputMissing,
	/// No peer has the model's artefact.
	ModelMissing,
	/// The input is not a safetensors file that fits the model's signature.
	InputInvalid,
	/// The pre-check or ONNX Runtime refuses the model.
	ModelRefused,
	/// The run exceeded its memory or its time, or ONNX Runtime failed on it.
	RunFailed,
}

/// Where a job stands.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum JobPhase {
	/// A node has it to do.
	Assigned,
	/// The output is there; the pay waits for the window's end.
	Attested,
	/// Others look whether the output is right; the pay waits for them.
	Auditing,
	/// Everybody is paid.
	Settled,
	/// Nobody did it: the payer has its money back.
	Refunded,
	/// Two nodes found it impossible: reporters got a part, the payer the rest.
	Failed,
	/// An audit found the output wrong: the payer has its money back, the executor was slashed.
	Rejected,
	/// An audit came to no end that would slash or pay: the payer has its money back.
	Void,
}
