//! What the machine is told and what it wants done, and the words of both.

use crate::{
	engine::{EngineError, ModelKey},
	error::BlobError,
};
use bytes::Bytes;
use codec::{Decode, Encode};
use highway_primitives::{
	model::VersionSpec, node::Contact, AttestItem, BlobRef, BlockNumber, FailureClass, JobId, NodeId, WorkId, WorkTag,
};
use highway_runtime_api::types::{WorkItem, WorkList};
use sp_core::H256;
use std::time::Duration;

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
}

/// Work that is done and in the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
	/// Which work.
	pub key: WorkKey,
	/// Its output, in the blob store.
	pub output: BlobRef,
	/// The commitment to work, node, output and the secret salt.
	pub commitment: H256,
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

/// Why a model version was not loaded.
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
}

impl Submission {
	/// Its name in logs and metrics.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Attest(_) => "attest",
			Self::Failure(_) => "report_failure",
			Self::Heartbeat(..) => "heartbeat",
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
	/// Work that the journal knows to be done; comes once, before the first block.
	JournalRestored(Vec<Finished>),
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
	InputReady(WorkKey),
	/// An input is not to be had.
	InputFailed(WorkKey, BlobError),
	/// A run was not started: the engine unloaded the model to make room for another.
	NotLoaded(RunId),
	/// A run is over.
	RunDone {
		/// Which.
		run: RunId,
		/// How long it took.
		elapsed: Duration,
		/// What came of each job.
		results: Vec<(WorkKey, Result<Bytes, JobFault>)>,
	},
	/// Outputs are stored and in the journal.
	Recorded(Vec<Finished>),
	/// Outputs could not be stored or journalled: nothing of them counts.
	RecordFailed,
	/// The pool took it, which proves nothing.
	Submitted(Submission),
	/// The pool did not take it.
	SubmitFailed(Submission),
	/// Whether the engine works.
	EngineHealth(bool),
}

/// What the machine wants done. Each but [`Action::StopFetch`], [`Action::DropJob`], [`Action::DropModel`],
/// [`Action::ReleaseModel`] and [`Action::Forget`] is answered by exactly one event, unless it is a fetch that is broken
/// off.
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
	/// Fetch an input.
	FetchInput {
		/// Whose.
		key: WorkKey,
		/// The input.
		input: BlobRef,
		/// Who may have it.
		providers: Vec<Contact>,
	},
	/// Run jobs of one model together. There is never more than one run: the engine has one device.
	Run {
		/// Number of the run.
		run: RunId,
		/// The model version.
		model: ModelKey,
		/// The jobs and their inputs.
		jobs: Vec<(WorkKey, BlobRef)>,
		/// What one of them may take.
		time_limit: Duration,
	},
	/// Store outputs, draw salts, and write both to the journal.
	Record(Vec<(WorkKey, Bytes)>),
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
	/// Break the fetch of a job's input off: the job failed meanwhile.
	StopFetch(WorkKey),
	/// A job is no longer this node's: break off what is done for it alone.
	DropJob {
		/// The job, as this node's work.
		key: WorkKey,
		/// How far it had come.
		outcome: Outcome,
	},
	/// Strike work from the journal: its job is gone for good.
	Forget(Vec<WorkKey>),
}
