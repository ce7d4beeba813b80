//! What a job is, as far as more than one pallet or program needs to know it.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Id of a job. Never reused.
pub type JobId = u64;

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
	/// Everybody is paid.
	Settled,
	/// Nobody did it: the payer has its money back.
	Refunded,
	/// Two nodes found it impossible: reporters got a part, the payer the rest.
	Failed,
}
