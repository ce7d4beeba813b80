//! What the machine is told and what it wants done, and the words of both.

use super::{
	asks::{AskKey, AskStep, BidOutcome, SealedAsk},
	storage_proofs::{ChallengeKey, ChallengeOutcome},
};
use crate::{
	bids::ModelName,
	engine::{EngineError, ModelKey, RunOutput, TimeLimit},
	error::BlobError,
	judge::Finding,
};
use bytes::Bytes;
use codec::{Decode, Encode};
use highway_primitives::{
	audit::{ballot_commitment, SketchSeed},
	model::VersionSpec,
	node::Contact,
	AskCommitment, AskObstacle, AskReveal, AttestItem, Balance, Ballot, BlobHash, BlobRef, BlockNumber, EpochIndex,
	FailureClass, JobId, ModelId, NodeId, Opening, ProbeSeed, Sketch, WorkId, WorkTag,
};
use highway_runtime_api::types::{AuditItem, WorkItem, WorkList};
use sp_core::H256;
use std::{
	collections::{BTreeMap, BTreeSet},
	ops::{Range, RangeInclusive},
	time::Duration,
};

/// What identifies a piece of work. On another fork the same job id may stand for something else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct WorkKey {
	/// The job.
	pub job: JobId,
	/// The node that it is assigned to: commitments bind to it.
	pub node: NodeId,
	/// What the job stands for.
	pub work: WorkId,
}

impl WorkKey {
	/// The key of `item` as work of `node`.
	pub fn of(node: NodeId, item: &WorkItem) -> Self {
		Self {
			job: item.job,
			node,
			work: item.work,
		}
	}

	/// The key of the job that `node` audits, or did.
	pub fn of_audit(node: NodeId, item: &AuditItem) -> Self {
		Self {
			job: item.job,
			node,
			work: item.work,
		}
	}
}

/// What identifies a vote: about one input and under one seed a node votes once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct BallotKey {
	/// The job that is judged, and the node that judges.
	pub work: WorkKey,
	/// Seed of the ballot's sketch.
	pub seed: SketchSeed,
	/// The input that is judged. Another fork may draw another one under the same seed: its ballot would be untrue there.
	pub index: u16,
}

impl BallotKey {
	/// The keys of all ballots about this work under this seed.
	pub fn under(work: WorkKey, seed: SketchSeed) -> RangeInclusive<Self> {
		let key = |index| Self { work, seed, index };
		key(0)..=key(u16::MAX)
	}
}

/// What an input is run for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Task {
	/// To do the job.
	Job(WorkKey),
	/// To judge another node's result.
	Audit(BallotKey),
}

impl Task {
	/// The job.
	pub fn job(&self) -> JobId {
		match self {
			Self::Job(key) => key.job,
			Self::Audit(key) => key.work.job,
		}
	}
}

/// A transfer that can be broken off.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transfer {
	/// An input.
	Input(Task),
	/// The output that another node attested.
	Output(BallotKey),
	/// The artefact of which a chunk is to be shown.
	Artefact(ChallengeKey),
}

/// Work that is done and in the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
	/// Which work.
	pub key: WorkKey,
	/// Its output, in the blob store.
	pub output: BlobRef,
	/// The sketches of its runs, in the order of its inputs.
	pub sketches: Vec<Sketch>,
	/// The commitment's salt: secret until an audit asks for it.
	pub salt: [u8; 32],
	/// The commitment to work, node, output, sketches and salt.
	pub commitment: H256,
}

impl Finished {
	/// What opens the sketch of the run of input `index`. `None` if there is no such input.
	pub fn opening(&self, index: u16) -> Option<Opening> {
		Opening::of(&self.sketches, index)
	}
}

/// A ballot that is in the journal: no other one is ever given in its place.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SealedBallot {
	/// Where it was cast.
	pub key: BallotKey,
	/// The ballot.
	pub ballot: Ballot,
	/// The commitment's salt: secret until the ballot is revealed.
	pub salt: [u8; 32],
}

impl SealedBallot {
	/// What is committed to.
	pub fn commitment(&self) -> H256 {
		let BallotKey { work, seed, .. } = &self.key;
		ballot_commitment(&work.work, work.node, seed, &self.ballot, &self.salt)
	}
}

/// What is said in an audit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AuditStep {
	/// The opening of an attestation's commitment.
	Open,
	/// A ballot's commitment.
	Commit,
	/// A ballot.
	Reveal,
	/// A chunk of an output that somebody misses.
	Prove,
}

impl AuditStep {
	/// Its name in logs and metrics.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Open => "open_commitment",
			Self::Commit => "commit_ballot",
			Self::Reveal => "reveal_ballot",
			Self::Prove => "prove_chunk",
		}
	}
}

/// What is said in a round of probes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ProbeStep {
	/// That rows are computed, and which.
	Answer,
	/// A chunk of them.
	Prove,
}

impl ProbeStep {
	/// Its name in logs and metrics.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Answer => "answer_probe",
			Self::Prove => "prove_probe",
		}
	}
}

/// Number of a run, to tell a late answer from the one that is waited for.
pub type RunId = u64;

/// Why an input gave no output.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JobFault {
	/// The input is not in the blob store any more.
	#[error("the input is not in the blob store any more")]
	InputLost,
	/// The engine says why.
	#[error(transparent)]
	Engine(EngineError),
}

/// Why a model version was not loaded, or rows of a probe not computed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LoadFault {
	/// The artefact could not be opened.
	#[error(transparent)]
	Blob(BlobError),
	/// The engine says why.
	#[error(transparent)]
	Engine(EngineError),
}

/// Something that the worker key was asked to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Submission {
	/// Attestations of these jobs.
	Attest(Vec<JobId>),
	/// The failure of this job.
	Failure(JobId),
	/// The heartbeat of this node in this session.
	Heartbeat(NodeId, u32),
	/// A step of the audit of this job.
	Audit(JobId, AuditStep),
	/// A step in this round of probes.
	Probe(u32, ProbeStep),
	/// A step about what this node asks in this epoch.
	Asks(NodeId, EpochIndex, AskStep),
	/// The chunk that a challenge asks for.
	Storage(ChallengeKey),
}

impl Submission {
	/// Its name in logs and metrics.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Attest(_) => "attest",
			Self::Failure(_) => "report_failure",
			Self::Heartbeat(..) => "heartbeat",
			Self::Audit(_, step) => step.name(),
			Self::Probe(_, step) => step.name(),
			Self::Asks(_, _, step) => step.name(),
			Self::Storage(_) => "prove_storage",
		}
	}
}

/// What became of a job that left the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
	/// Its attestation had been sent.
	Attested,
	/// Its failure had been reported.
	Failed,
	/// Neither: it went to another node, or never was on this fork.
	Abandoned,
}

/// What the machine is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
	/// What the journal knows; comes once, before the first block.
	JournalRestored {
		/// Work that is done, older results of the same work first.
		done: Vec<Finished>,
		/// Of its outputs, those that are not in the blob store any more.
		lost: BTreeSet<BlobHash>,
		/// Ballots that were cast.
		ballots: Vec<SealedBallot>,
	},
	/// The asks that the journal knows; comes once, before the first block.
	AsksRestored(Vec<SealedAsk>),
	/// A new best block, and what is to be done by its state.
	Block {
		/// Its number.
		number: BlockNumber,
		/// The last finalized block.
		finalized: BlockNumber,
		/// The work; `None` if no node has the worker key.
		work: Option<WorkList>,
	},
	/// The node is syncing: its state says nothing about now.
	Syncing,
	/// An artefact is in the blob store.
	ModelFetched(ModelKey),
	/// An artefact is not to be had.
	ModelFetchFailed(ModelKey, BlobError),
	/// A model version is loaded.
	ModelReady(ModelKey),
	/// A model version could not be loaded.
	ModelFailed(ModelKey, LoadFault),
	/// An input is in the blob store.
	InputReady(Task),
	/// An input is not to be had.
	InputFailed(Task, BlobError),
	/// The output to be judged is in the blob store.
	OutputReady(BallotKey),
	/// The output to be judged is not to be had.
	OutputFailed(BallotKey, BlobError),
	/// The output to be judged was compared with the own one, or could not be read.
	Compared(BallotKey, Result<Finding, BlobError>),
	/// A run was not started: the engine unloaded the model to make room for another.
	NotLoaded(RunId),
	/// A run is over.
	RunDone {
		/// Which.
		run: RunId,
		/// How long it took.
		elapsed: Duration,
		/// What came of each task.
		results: Vec<(Task, Result<RunOutput, JobFault>)>,
	},
	/// A batch of a probe is over.
	ProbeRun {
		/// Number of its run.
		run: RunId,
		/// Its final rows, one after another, and how long they took.
		result: Result<(Bytes, Duration), LoadFault>,
	},
	/// The rows of a probe are in the blob store, or could not be stored.
	ProbeStored {
		/// Seed of its round.
		seed: ProbeSeed,
		/// Where they are.
		result: Result<BlobRef, BlobError>,
	},
	/// The chunk that a challenge asks for could not be read.
	ChunkFailed(ChallengeKey, BlobError),
	/// The artefact that a challenge asks for is in the blob store.
	ArtefactReady(ChallengeKey),
	/// The artefact that a challenge asks for is not to be had.
	ArtefactFailed(ChallengeKey, BlobError),
	/// Outputs are stored and in the journal.
	Recorded(Vec<Finished>),
	/// Outputs could not be stored or journalled: nothing of them counts.
	RecordFailed,
	/// A ballot is in the journal.
	BallotRecorded(SealedBallot),
	/// A ballot could not be journalled: it does not count.
	BallotRecordFailed(BallotKey),
	/// Which models have the names that were asked for, as far as any has; `None`: the state could not be read.
	ModelsNamed(Option<BTreeMap<ModelName, ModelId>>),
	/// Asks are in the journal; `None`: they could not be journalled, and none of them counts.
	AsksSealed(Option<Vec<SealedAsk>>),
	/// Which of the jobs that were asked for are still open; `None`: the state could not be read.
	OpenJobs(Option<BTreeSet<JobId>>),
	/// The pool took it, which proves nothing.
	Submitted(Submission),
	/// The pool did not take it.
	SubmitFailed(Submission),
	/// Whether the engine works.
	EngineHealth(bool),
}

/// What a run does for one task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunItem {
	/// What it is run for.
	pub task: Task,
	/// The input, or the bundle of all inputs.
	pub input: BlobRef,
	/// How many inputs there are: more than one, and they are a bundle.
	pub inputs: u16,
	/// The one of them that is run; `None`: all, whose outputs are a bundle again.
	pub index: Option<u16>,
	/// Seeds of the sketches that are wanted.
	pub seeds: Vec<SketchSeed>,
}

/// What the machine wants done. Each but [`Action::StopFetch`], [`Action::DropJob`], [`Action::DropModel`],
/// [`Action::ReleaseModel`], [`Action::Unanswerable`], [`Action::EndProbe`], [`Action::KeepArtefact`], [`Action::EndChallenge`],
/// [`Action::CountBid`], [`Action::TellObstacle`], [`Action::ForgetAsks`] and [`Action::Forget`] is answered by exactly one
/// event, unless it is a fetch that is broken off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
	/// Ask the engine how it is.
	CheckEngine,
	/// Fetch and pin an artefact.
	FetchModel {
		/// The model version.
		model: ModelKey,
		/// Its file.
		artifact: BlobRef,
		/// Who may have it.
		providers: Vec<Contact>,
	},
	/// Load a model version whose artefact is here.
	LoadModel {
		/// The model version.
		model: ModelKey,
		/// Its specification.
		spec: Box<VersionSpec>,
	},
	/// A model version is not needed any more: break its fetch off, and end its process.
	DropModel(ModelKey),
	/// Unpin an artefact.
	ReleaseModel(BlobRef),
	/// Pin an artefact of which a chunk is to be shown.
	KeepArtefact(BlobRef),
	/// Fetch an artefact of which a chunk is to be shown, and which is not here.
	FetchArtefact {
		/// Which challenge asks for it.
		key: ChallengeKey,
		/// The file.
		artefact: BlobRef,
		/// Who may have it.
		providers: Vec<Contact>,
	},
	/// Show the chunk that a challenge asks for.
	SubmitStorageProof {
		/// The challenge.
		key: ChallengeKey,
		/// The file.
		artefact: BlobRef,
	},
	/// A challenge asks no more of this node.
	EndChallenge {
		/// The challenge.
		key: ChallengeKey,
		/// What became of it.
		outcome: ChallengeOutcome,
	},
	/// Fetch an input.
	FetchInput {
		/// What for.
		task: Task,
		/// The input.
		input: BlobRef,
		/// Who may have it.
		providers: Vec<Contact>,
	},
	/// Run inputs of one model together. There is never more than one run: the engine has one device.
	Run {
		/// Number of the run.
		run: RunId,
		/// The model version.
		model: ModelKey,
		/// The inputs, task by task. A job of many is the only item.
		items: Vec<RunItem>,
		/// What they may take.
		time_limit: TimeLimit,
	},
	/// Compute rows of a probe. A run as well: the device does nothing else meanwhile.
	RunProbe {
		/// Number of the run.
		run: RunId,
		/// The node.
		node: NodeId,
		/// Seed of the round.
		seed: ProbeSeed,
		/// Which rows.
		rows: Range<u32>,
	},
	/// Store the rows of a probe until its round is over.
	StoreProbe {
		/// Seed of its round.
		seed: ProbeSeed,
		/// The final rows, one after another.
		rows: Bytes,
	},
	/// Store outputs, draw salts, and write both to the journal with the runs' sketches.
	Record(Vec<(WorkKey, Bytes, Vec<Sketch>)>),
	/// Fetch the output that another node attested. Never before the own result is there.
	FetchOutput {
		/// Whose ballot needs it.
		key: BallotKey,
		/// The output.
		output: BlobRef,
		/// Who has it.
		executor: Contact,
	},
	/// Compare it with the own one.
	Compare {
		/// Whose ballot it decides.
		key: BallotKey,
		/// The version's specification.
		spec: Box<VersionSpec>,
		/// How many inputs the job has.
		inputs: u16,
		/// The own output of the one that is judged, a safetensors file.
		ours: Bytes,
		/// The other one, in the blob store: a file, or the bundle of the outputs of all inputs.
		theirs: BlobRef,
	},
	/// Draw a salt and write the ballot to the journal, unless one of this key is there already.
	RecordBallot {
		/// Where it is cast.
		key: BallotKey,
		/// The ballot.
		ballot: Ballot,
	},
	/// Open an attestation's commitment.
	SubmitOpening {
		/// The node.
		node: NodeId,
		/// The job.
		job: JobId,
		/// The sketch of its run of the input that is audited.
		opening: Opening,
		/// The commitment's salt.
		salt: [u8; 32],
	},
	/// Commit to a ballot.
	SubmitCommitment {
		/// The node.
		node: NodeId,
		/// The job.
		job: JobId,
		/// Seed of the ballot's sketch.
		seed: SketchSeed,
		/// The commitment.
		commitment: H256,
	},
	/// Reveal a ballot.
	SubmitReveal {
		/// The node.
		node: NodeId,
		/// The job.
		job: JobId,
		/// The ballot.
		ballot: Ballot,
		/// The commitment's salt.
		salt: [u8; 32],
	},
	/// Show a chunk of an output.
	SubmitProof {
		/// The node.
		node: NodeId,
		/// The job.
		job: JobId,
		/// The output.
		output: BlobRef,
		/// Index of the chunk.
		chunk: u64,
	},
	/// Say which rows of a probe are computed.
	SubmitProbeAnswer {
		/// The node.
		node: NodeId,
		/// The round.
		round: u32,
		/// Its seed.
		seed: ProbeSeed,
		/// The rows.
		output: BlobRef,
	},
	/// Show a chunk of the rows of a probe.
	SubmitProbeProof {
		/// The node.
		node: NodeId,
		/// The round.
		round: u32,
		/// The rows.
		output: BlobRef,
		/// Index of the chunk.
		chunk: u64,
	},
	/// A round of probes asks no more of this node.
	EndProbe {
		/// The round.
		round: u32,
		/// Whether the proof had been sent.
		proved: bool,
	},
	/// Ask the best block's state which models have these names.
	NameModels(Vec<ModelName>),
	/// Draw a salt for each of these asks and write them to the journal, unless one of the same key is there already.
	SealAsks(Vec<(AskKey, Option<Balance>)>),
	/// Commit to what the node asks.
	SubmitAskCommitments {
		/// The node.
		node: NodeId,
		/// The epoch that it is for.
		epoch: EpochIndex,
		/// The commitments, at most 64.
		items: Vec<AskCommitment>,
	},
	/// Reveal what was committed to.
	SubmitAskReveals {
		/// The node.
		node: NodeId,
		/// The epoch that it is for.
		epoch: EpochIndex,
		/// The asks, at most 64.
		items: Vec<AskReveal>,
	},
	/// An ask has come so far.
	CountBid {
		/// Which.
		key: AskKey,
		/// What is asked; `None`: nothing any more, or it is not known.
		price: Option<Balance>,
		/// How far.
		outcome: BidOutcome,
	},
	/// An ask that is wanted is not committed to yet, for this reason. Said once for each kind of reason.
	TellObstacle {
		/// Which.
		key: AskKey,
		/// Why.
		obstacle: AskObstacle,
	},
	/// Strike asks from the journal: their epoch has begun for good.
	ForgetAsks(Vec<AskKey>),
	/// An audit asks for something that the journal does not hold: an operator has to know.
	Unanswerable {
		/// Of which work.
		key: WorkKey,
		/// What it asks for.
		step: AuditStep,
	},
	/// Ask the finalized state which of these jobs may still be worked on or audited.
	AskJobs(Vec<JobId>),
	/// Say that jobs are done.
	SubmitAttest {
		/// The node.
		node: NodeId,
		/// The jobs, at most 256.
		items: Vec<AttestItem>,
		/// Whether they were sent before: all of them or none.
		again: bool,
	},
	/// Say that a job cannot be done.
	SubmitFailure {
		/// The node.
		node: NodeId,
		/// The job.
		job: JobId,
		/// What the job stands for.
		work: WorkTag,
		/// Why.
		class: FailureClass,
	},
	/// Say that the node is there.
	SubmitHeartbeat {
		/// The node.
		node: NodeId,
		/// The session.
		session: u32,
		/// Whether it is able to work.
		healthy: bool,
		/// Jobs that it takes at the same time.
		slots: u16,
	},
	/// Break a transfer off: nobody needs it any more.
	StopFetch(Transfer),
	/// A job is no longer this node's: break off what is done for it alone.
	DropJob {
		/// The job, as this node's work.
		key: WorkKey,
		/// How far it had come.
		outcome: Outcome,
	},
	/// Strike work and its ballots from the journal: its job is gone for good.
	Forget(Vec<WorkKey>),
}
