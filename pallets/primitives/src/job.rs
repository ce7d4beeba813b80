//! What a job is, as far as more than one pallet or program needs to know it.

use crate::BlobRef;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::ops::Range;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// Id of a job. Never reused on one fork; on another fork it may stand for another job: see [`WorkId`].
pub type JobId = u64;

/// What is to be done: H(job, digest of the version's specification, input, number of inputs). Names the same work on every fork.
pub type WorkId = H256;

/// The first bytes of a [`WorkId`]: keeps a message about the work from counting for other work with the same job id.
/// Whoever seeks two inputs with one tag finds them, and has gained nothing: a commitment binds to the whole [`WorkId`].
pub type WorkTag = [u8; 8];

/// The [`WorkId`] of a job that runs the version with this [`VersionSpec::digest`](crate::model::VersionSpec::digest).
pub fn work_id(job: JobId, spec: H256, input: &BlobRef, inputs: u16) -> WorkId {
	H256(sp_io::hashing::blake2_256(&(job, spec, input, inputs).encode()))
}

/// The [`WorkTag`] of `work`.
pub fn work_tag(work: &WorkId) -> WorkTag {
	let mut tag = WorkTag::default();
	tag.iter_mut().zip(work.as_bytes()).for_each(|(tag, byte)| *tag = *byte);
	tag
}

/// The fewest jobs of a quorum: with fewer there is nothing to compare.
pub const MIN_QUORUM: u8 = 2;

/// The most jobs of a quorum: three nodes may be wrong in it. It bounds what a submission and a reassignment weigh.
pub const MAX_QUORUM: u8 = 7;

/// How many nodes run an input, each as a job of its own.
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
	/// One.
	#[default]
	Spot,
	/// So many of different operators, [`MIN_QUORUM`] to [`MAX_QUORUM`].
	Quorum(u8),
}

impl Tier {
	/// How many jobs it files. `None` if there is no quorum of that size.
	pub fn jobs(self) -> Option<u8> {
		match self {
			Self::Spot => Some(1),
			Self::Quorum(size) => (MIN_QUORUM..=MAX_QUORUM).contains(&size).then_some(size),
		}
	}
}

/// The quorum that a job is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Quorum {
	/// The first of its jobs: the one that carries the lines of the price which are there once.
	#[codec(compact)]
	pub first: JobId,
	/// How many jobs it has, with consecutive ids.
	pub size: u8,
}

impl Quorum {
	/// The ids of its jobs.
	pub fn jobs(self) -> Range<JobId> {
		self.first..self.first.saturating_add(self.size.into())
	}

	/// The ids of the others in the quorum of `job`.
	pub fn siblings(self, job: JobId) -> impl Iterator<Item = JobId> {
		self.jobs().filter(move |sibling| *sibling != job)
	}
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

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn tiers_should_file_one_job_or_two_to_seven() {
		assert_eq!(Tier::Spot.jobs(), Some(1));
		for size in 0..=u8::MAX {
			assert_eq!(Tier::Quorum(size).jobs(), (2..=7).contains(&size).then_some(size));
		}
	}

	#[test]
	fn spot_should_keep_its_byte_and_a_quorum_should_take_two() {
		assert_eq!(Tier::Spot.encode(), [0]);
		assert_eq!(Tier::Quorum(3).encode(), [1, 3]);
		assert!(Tier::decode(&mut [2].as_slice()).is_err());
	}

	#[test]
	fn siblings_should_be_all_jobs_of_the_quorum_but_one() {
		let quorum = Quorum { first: 5, size: 3 };
		assert_eq!(quorum.jobs(), 5..8);
		assert_eq!(quorum.siblings(6).collect::<Vec<_>>(), [5, 7]);
		let last = Quorum {
			first: JobId::MAX,
			size: 7,
		};
		assert_eq!(last.jobs().count(), 0);
	}
}
