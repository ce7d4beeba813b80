//! What is said in an audit: sketches of a run's inside, ballots, and how an audit ends.

use crate::{market::MAX_DEBTS_AT_ONCE, BlobRef, BlockNumber, JobId, ModelId, ModelVersion, NodeId, WorkId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use highway_math::audit::{DRAW_WALK, JUDGE_TRIES};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Signed sums in one sketch.
pub const SKETCH_SUMS: usize = 16;

/// Seed of a sketch's signs.
pub type SketchSeed = [u8; 32];

/// Separates the seeds of sketches from other hashes.
const SEED_DOMAIN: &[u8; 16] = b"highway/sketch/1";

/// Sixteen signed sums Σ±x over all values of a run's trace: the same number on every machine that computed the same
/// values, and close where the values are close.
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
pub struct Sketch {
	/// The sums over the finite values, in units of 10⁻⁶, rounded to nearest; what does not fit saturates.
	pub sums: [i64; SKETCH_SUMS],
	/// Values that are not a number.
	#[codec(compact)]
	pub nans: u64,
	/// Values that are infinite.
	#[codec(compact)]
	pub infinities: u64,
}

impl Sketch {
	/// Whether two honest runs may have made the two: the counts are equal and no sum differs by more than
	/// `tolerance` (10⁻⁶).
	pub fn agrees_with(&self, other: &Self, tolerance: u64) -> bool {
		self.nans == other.nans
			&& self.infinities == other.infinities
			&& self
				.sums
				.iter()
				.zip(&other.sums)
				.all(|(a, b)| a.abs_diff(*b) <= tolerance)
	}
}

/// The seed under which everybody sketches this work: executor, auditor and jurors.
pub fn work_seed(work: &WorkId) -> SketchSeed {
	sp_io::hashing::blake2_256(&(SEED_DOMAIN, work).encode())
}

/// What a node says of another one's result.
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
pub enum Vote {
	/// The output is what the model gives, within the version's policy.
	Yes,
	/// It is not.
	No,
	/// Auditor: it has run the job, and nobody serves the executor's output: the sketches are compared instead. Jurors
	/// judge by the sketches themselves, and say this only where these say nothing ([`AuditTerms::compares_sketches`]).
	Missing,
	/// The node could not run the job: no input, or trouble of its own.
	Abstain,
}

/// What an auditor or a juror commits to and opens later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Ballot {
	/// Of the executor: its output and, for jurors, its opened sketch; the sketch alone if nobody serves the output.
	pub vote: Vote,
	/// Jurors: of the auditor, whether its sketch is right and, with a [`Vote::Yes`] or a [`Vote::No`], its vote.
	/// Auditors: `true`.
	pub auditor_right: bool,
	/// Sketch of the voter's own run under the seed of its seat, with [`Vote::Missing`] too. All zero with
	/// [`Vote::Abstain`]: there was no run.
	pub sketch: Sketch,
}

/// Separates commitments to ballots from other hashes.
const BALLOT_DOMAIN: &[u8; 16] = b"highway/ballot/1";

/// H(work, node, seed, ballot, salt): binds a voter to its ballot before it sees another one.
pub fn ballot_commitment(
	work: &WorkId,
	node: NodeId,
	seed: &SketchSeed,
	ballot: &Ballot,
	salt: &[u8; 32],
) -> sp_core::H256 {
	sp_core::H256(sp_io::hashing::blake2_256(
		&(BALLOT_DOMAIN, work, node, seed, ballot, salt).encode(),
	))
}

/// Why a job is audited.
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
pub enum AuditReason {
	/// It was drawn.
	Drawn,
	/// Its payer asked for it.
	Forced,
	/// Another job of the node was rejected, or its security was touched, while this one was not settled.
	Suspected,
	/// The blocks that would have drawn it are forgotten.
	DrawLost,
}

/// How an audit ended.
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
pub enum Verdict {
	/// The work was found right: it is paid.
	Upheld,
	/// No auditor did it: the work is paid, the premium goes back.
	Unaudited,
	/// The work was found wrong, or its executor was silent: the payer gets everything back, the executor is slashed.
	Rejected,
	/// Nobody knows for sure: the payer gets everything back, nobody is slashed for the result.
	Void,
}

/// What an audit needs to know of a job. Fixed once it is attested.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct AuditSubject<AccountId> {
	/// The job.
	pub job: JobId,
	/// What it stands for.
	pub work: WorkId,
	/// Who pays.
	pub payer: AccountId,
	/// Its model.
	pub model: ModelId,
	/// The model's version.
	pub version: ModelVersion,
	/// Who did it.
	pub executor: NodeId,
	/// The output that it attested.
	pub output: BlobRef,
	/// What it committed itself to with that: the sketches of its own runs.
	pub commitment: sp_core::H256,
	/// How many inputs it has: more than one, and the output is a [bundle](crate::batch).
	pub inputs: u16,
	/// The compute line: what an audit pays.
	pub reward: crate::Balance,
	/// Reserved of the executor's own bond, and of each auditor's and juror's.
	pub security: crate::Balance,
	/// Probability of an audit, fixed at submission.
	pub rate: sp_runtime::Perbill,
	/// Blocks that a node has for running it.
	pub allowance: BlockNumber,
	/// The last block of the executor's time: the fixed block behind which the audit is drawn.
	pub deadline: BlockNumber,
	/// Block of the attestation.
	pub attested_at: BlockNumber,
}

/// What becomes of an attested job whose present phase is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
	/// Nothing before this block.
	Wait(BlockNumber),
	/// It is in audit; its phase ends at this block.
	Audit(BlockNumber),
	/// It ends so. Slashes and pay of those who judged are done.
	End(Verdict),
}

impl Step {
	/// The answer that took so much.
	pub fn after(self, work: AuditWork) -> AuditDue {
		AuditDue { step: self, work }
	}
}

/// What becomes of attested work whose window is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowOver {
	/// What becomes of it.
	pub step: Step,
	/// At how many blocks its draw looked; at most [`DRAW_WALK`].
	pub looked_at: u32,
	/// How many nodes were tried as its auditor; at most [`JUDGE_TRIES`], and none where there is no audit.
	pub tried: u32,
}

/// What becomes of a job whose audit's phase is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuditDue {
	/// What becomes of it.
	pub step: Step,
	/// What that took.
	pub work: AuditWork,
}

/// What the end of an audit's phase took: whoever asks for it is charged for that, and not for the most that it may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuditWork {
	/// Nothing but the audit's own record: it goes on, in another phase or in the same, or ended before.
	PassedOn,
	/// The jury is not drawn yet.
	Undrawn {
		/// At how many blocks the draw looked; at most [`DRAW_WALK`].
		looked_at: u32,
	},
	/// Executor and auditor agreed.
	Agreed {
		/// How many debts of the audit pot were paid, for the auditor's pay and out of a lost bond; at most twice
		/// [`MAX_DEBTS_AT_ONCE`].
		debts: u32,
	},
	/// The auditor gave up its seat, or lost it with its security.
	Replaced {
		/// How many nodes were tried as the next one; at most [`JUDGE_TRIES`], and none after the last auditor.
		tried: u32,
	},
	/// A jury was drawn, and seated if it is complete. At its worst: few audits come so far.
	Seated,
	/// A jury has judged, or the executor was silent, which convicts it. At its worst, as well.
	Judged,
}

impl AuditWork {
	/// Of each kind the most: none weighs more than the heaviest of these.
	pub const MOST: [Self; 6] = [
		Self::PassedOn,
		Self::Undrawn { looked_at: DRAW_WALK },
		Self::Agreed {
			debts: 2 * MAX_DEBTS_AT_ONCE,
		},
		Self::Replaced {
			tried: JUDGE_TRIES as u32,
		},
		Self::Seated,
		Self::Judged,
	];
}

/// What came of the draw of an auditor or a juror.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DrawnJudge {
	/// The node; `None` if none of those that were tried can judge.
	pub node: Option<NodeId>,
	/// How many nodes were tried; at most [`JUDGE_TRIES`].
	pub tried: u32,
}

/// What a version says about its own audits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditTerms<AccountId> {
	/// Who owns the model.
	pub owner: AccountId,
	/// How far two honest sketches may lie apart (10⁻⁶). `u64::MAX` where nothing calibrates it: outputs that a policy
	/// compares with a tolerance, and no trace.
	pub tolerance: u64,
}

impl<AccountId> AuditTerms<AccountId> {
	/// Whether sketches tell honest runs from others. Where they do not, the outputs decide alone.
	pub fn compares_sketches(&self) -> bool {
		self.tolerance < u64::MAX
	}
}

/// The seat of a voter: what tells auditor and juror apart in the eyes of a node.
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
pub enum Seat {
	/// Judges alone, first.
	Auditor,
	/// One of three, if executor and auditor do not agree.
	Juror,
}

/// What executor and auditor said under the work's own seed: jurors judge both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Claims {
	/// The executor's opened sketch.
	pub executor: Sketch,
	/// The auditor's vote.
	pub vote: Vote,
	/// The auditor's sketch.
	pub auditor: Sketch,
}

/// What a node has to do in an audit.
// Few of them are in memory at a time: not worth a box.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum AuditTask {
	/// Executor: open the commitment of the attestation.
	Open {
		/// The input whose sketch is opened, counted from 0.
		index: u16,
	},
	/// Run the job, judge, and commit to a ballot with a sketch under `seed`.
	Judge {
		/// In which seat.
		seat: Seat,
		/// The input that is run and judged, counted from 0.
		index: u16,
		/// Seed of the ballot's sketch: [`work_seed`] for the auditor, a fresh one for jurors.
		seed: SketchSeed,
		/// For jurors: what they judge beside the output.
		claims: Option<Claims>,
	},
	/// Open the ballot that was committed under this seed.
	Reveal {
		/// Seed of the ballot's sketch.
		seed: SketchSeed,
	},
	/// Executor: show this 1 KiB chunk of the output, which somebody misses.
	ProveChunk {
		/// Index of the chunk.
		chunk: u64,
	},
}
