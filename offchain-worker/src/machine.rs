//! Decides what to do: a pure state machine. An event goes in, actions come out; it does no input or output, knows no
//! clock but the block number, and never waits.
//!
//! ```text
//!             ┌─ no peer has it ─┐
//!             ▼                  │
//! listed ─► Waiting ─fetch─► Fetching ─► Ready ─batch─► Running ─► Recording ─journal─► Done ─► attest, again
//!             │                  │         │               │                                  after 3 blocks
//!             └──────────────────┴─────────┴───────────────┴─► Failed ─► report, again after 3 blocks
//! ```
//!
//! What audits want of the node stands beside it: see `audits.rs`. Both share the models, the transfers of inputs and the
//! one device; whatever is due first goes first. A probe, see `probes.rs`, has the device in between, for a quarter of a
//! second at a time. What it asks for all that is in `bidding.rs`, which needs
//! to know of the rest how busy it is, and what it stores.
//!
//! Every block brings the whole [`WorkList`], and the machine reconciles itself with it: what the list does not name is
//! dropped, what it names is brought on. So a missed event, a restart or a reorg needs no rule of its own. What the
//! machine knows beyond the list are outputs: a job whose output is in the journal is never run again.

mod asks;
mod audits;
mod bidding;
mod load;
mod messages;
mod probes;
mod reconcile;
mod runs;
mod schedule;
mod storage_proofs;

pub use asks::{AskKey, AskStep, BidOutcome, SealedAsk};
pub use bidding::AskFigures;
pub use messages::{
	Action, AuditStep, BallotKey, Event, Finished, JobFault, LoadFault, Outcome, ProbeStep, RunId, RunItem,
	SealedBallot, Submission, Task, Transfer, WorkKey,
};
pub use storage_proofs::{ChallengeKey, ChallengeOutcome};

use crate::{
	bids::Bids,
	engine::{EngineError, ModelKey, RunOutput},
	error::BlobError,
	judge::{self, Finding, OwnSketches},
};
use audits::{Audit, Unsealed};
use bidding::Bidding;
use bytes::Bytes;
use highway_primitives::{
	model::VersionSpec, node::Contact, Ballot, BlockNumber, DeviceClass, FailureClass, JobId, NodeId, Sketch,
};
use highway_runtime_api::types::{AuditItem, HostedModel, WorkItem, WorkList};
use probes::Probe;
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};
use storage_proofs::Challenge;

/// Limits and intervals, times in blocks.
#[derive(Clone, Debug)]
pub struct MachineConfig {
	/// The most jobs that the node takes at the same time, queued ones included. With a slow model it takes fewer.
	pub slots: u16,
	/// What inference runs on; `None`: it is not compared with what is registered.
	pub device: Option<DeviceClass>,
	/// The most jobs in one run. One of many inputs has a run of its own.
	pub max_batch: usize,
	/// The most bytes of inputs in one run of more than one job: they are in memory together.
	pub max_batch_bytes: u64,
	/// The most inputs fetched at the same time.
	pub max_input_fetches: usize,
	/// The most artefacts fetched at the same time: each wants the whole line.
	pub max_model_fetches: usize,
	/// The most failure reports on their way to the pool at the same time.
	pub max_failure_reports: usize,
	/// After how many blocks without effect something is said again.
	pub resend_after: BlockNumber,
	/// How many blocks before the deadline a blob that is not here counts as missing. The report has to reach another
	/// author, and nodes pass transactions on every 2.9 s only: with two blocks left it can come too late.
	pub give_up_before: BlockNumber,
	/// How many blocks before the end of a phase an own result must be there, if it is to be compared in time.
	pub audit_margin: BlockNumber,
	/// The most words in audits on their way to the pool at the same time.
	pub max_audit_submissions: usize,
	/// Own outputs that wait to be compared hold at most so many bytes of memory before no more audits are run.
	pub max_held_bytes: u64,
	/// How many blocks below the finalized one a job must be gone from the list before the chain is asked whether it has
	/// ended. An attested job is not in the list; it can be audited until its window and its audit are over.
	pub forget_after: BlockNumber,
	/// The most jobs in one such question.
	pub max_questions: usize,
	/// How long a refused model is not tried again.
	pub refused_for: BlockNumber,
	/// How often a healthy engine is asked how it is.
	pub health_every: BlockNumber,
	/// How long after trouble with its disk a node says that it is not healthy.
	pub storage_trouble_for: BlockNumber,
	/// What the node asks for what it sells; `None`: it leaves that to its operator's account.
	pub bids: Option<Bids>,
}

impl Default for MachineConfig {
	fn default() -> Self {
		Self {
			slots: 64,
			device: None,
			max_batch: 32,
			max_batch_bytes: 256 << 20,
			max_input_fetches: 16,
			max_model_fetches: 2,
			max_failure_reports: 16,
			resend_after: 3,
			give_up_before: 3,
			audit_margin: 4,
			max_audit_submissions: 16,
			max_held_bytes: 512 << 20,
			forget_after: 300,
			max_questions: 128,
			refused_for: 1800,
			health_every: 15,
			storage_trouble_for: 30,
			bids: None,
		}
	}
}

/// Figures for the metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
	/// Jobs in the list.
	pub assigned: usize,
	/// Of them, those that wait for a run, inputs included.
	pub queued: usize,
	/// Of the queued ones, those whose input is on its way.
	pub fetching: usize,
	/// Of the listed ones, those that run.
	pub running: usize,
	/// Of them, those whose output is not in the journal yet.
	pub recording: usize,
	/// Of them, those that are done or have failed, which the chain does not know yet.
	pub unheard: usize,
	/// Audits that want something of the node.
	pub audits: usize,
	/// Model versions that are loaded, as far as the machine knows.
	pub loaded_models: usize,
	/// Bytes of their artefacts.
	pub loaded_bytes: u64,
	/// Model versions that are refused.
	pub refused_models: usize,
}

#[derive(Debug)]
struct Job {
	item: WorkItem,
	key: WorkKey,
	model: ModelKey,
	state: JobState,
	/// Runs that failed and may be repeated.
	failed_runs: u8,
	/// Whether the input is not here because of this node's own disk.
	local_fault: bool,
}

// Few of them are in memory at a time: not worth a box.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Debug)]
enum JobState {
	/// The input is wanted, not before this block.
	Waiting(BlockNumber),
	Fetching,
	Ready,
	Running,
	Recording,
	Done(Finished, Saying),
	Failed(FailureClass, Saying),
}

/// Where something that is said stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Saying {
	/// When to say it next; `None`: it is on its way to the pool.
	at: Option<BlockNumber>,
	/// Whether the pool took it once.
	said: bool,
}

impl Saying {
	const NOW: Self = Self {
		at: Some(0),
		said: false,
	};

	fn is_due(&self, block: BlockNumber) -> bool {
		self.at.is_some_and(|at| at <= block)
	}
}

#[derive(Debug)]
struct Model {
	spec: VersionSpec,
	providers: Vec<Contact>,
	hosted: bool,
	state: ModelState,
	/// Loads in a row that failed for reasons that may pass.
	failed_loads: u8,
	/// Whether it was loaded once: what the engine then unloads is loaded again only for a job.
	was_loaded: bool,
	/// Moving average of what a unit takes here.
	micros_per_unit: Option<u64>,
	/// Until this block its jobs do not run, because too many of them failed slowly.
	rests_until: BlockNumber,
	/// What is left of its debt in rest, less than a block.
	debt_micros: u64,
	/// Whether the artefact is not here because of this node's own disk.
	local_fault: bool,
	/// Whether the artefact was in the blob store when that was looked for last.
	here: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ModelState {
	/// Wanted, not before this block.
	Absent(BlockNumber),
	Fetching,
	/// May be loaded, not before this block.
	OnDisk(BlockNumber),
	Loading,
	Loaded,
	/// Until this block.
	Refused(BlockNumber),
}

#[derive(Debug)]
struct Run {
	id: RunId,
	model: ModelKey,
	/// None in a batch of a probe.
	tasks: Vec<Task>,
	units: u64,
	/// Whether it is of one job of many inputs, which shares it with nobody.
	many: bool,
}

#[derive(Debug)]
struct Known {
	/// Newest last. More than one only if an output was lost and another run gave another one: audits ask for the one
	/// that was attested.
	done: Vec<Finished>,
	/// Whether the newest output is in the blob store.
	here: bool,
	/// The first block at which its job was not in the list; `None` while it is.
	gone_since: Option<BlockNumber>,
}

#[derive(Debug)]
struct Cast {
	sealed: SealedBallot,
	/// Like [`Known::gone_since`].
	gone_since: Option<BlockNumber>,
}

#[derive(Debug, Default)]
struct EngineState {
	/// `None`: never asked.
	healthy: Option<bool>,
	/// Failures in a row; the pause doubles with each.
	failures: u32,
	asking: bool,
	ask_at: BlockNumber,
}

#[derive(Debug)]
struct Heartbeat {
	node: NodeId,
	session: u32,
	saying: Saying,
}

/// The state machine. See the module's description.
#[derive(Debug)]
pub struct Machine {
	config: MachineConfig,
	/// Whether the last block's list may be acted on.
	active: bool,
	block: BlockNumber,
	node: Option<NodeId>,
	/// The session whose heartbeat is due.
	heartbeat_due: Option<u32>,
	heartbeat: Option<Heartbeat>,
	jobs: BTreeMap<JobId, Job>,
	models: BTreeMap<ModelKey, Model>,
	/// What is done and in the journal.
	known: BTreeMap<WorkKey, Known>,
	/// Outputs and sketches that are not in the journal yet.
	unrecorded: BTreeMap<WorkKey, (Bytes, Vec<Sketch>)>,
	recording: bool,
	record_failed: bool,
	record_at: BlockNumber,
	running: Option<Run>,
	next_run: RunId,
	/// What the present round of probes asks of the node, or asked.
	probe: Option<Probe>,
	/// What the node has to show of what it stores.
	challenges: BTreeMap<ChallengeKey, Challenge>,
	/// Whether the last run was one of jobs and audits: a batch of a probe, if there is one, has the next turn.
	probes_turn: bool,
	attesting: bool,
	reporting: BTreeSet<JobId>,
	audits: BTreeMap<JobId, Audit>,
	/// Ballots that are in the journal.
	ballots: BTreeMap<BallotKey, Cast>,
	/// Ballots that are not.
	unsealed: BTreeMap<BallotKey, Unsealed>,
	/// The jobs that the chain was asked for.
	asked: Option<BTreeSet<JobId>>,
	engine: EngineState,
	/// Until which block the disk counts as troubled.
	storage_trouble_until: BlockNumber,
	/// Whether another device is registered than inference runs on.
	other_device: bool,
	/// What the market knows of the node, and is to know.
	bidding: Bidding,
}

/// Failed tries of one run, or of one load, after which the job, or the model, is given up.
const MAX_FAILURES: u8 = 2;

impl Machine {
	/// A machine that knows nothing yet.
	pub fn new(config: MachineConfig) -> Self {
		Self {
			config,
			active: false,
			block: 0,
			node: None,
			heartbeat_due: None,
			heartbeat: None,
			jobs: BTreeMap::new(),
			models: BTreeMap::new(),
			known: BTreeMap::new(),
			unrecorded: BTreeMap::new(),
			recording: false,
			record_failed: false,
			record_at: 0,
			running: None,
			next_run: 0,
			probe: None,
			challenges: BTreeMap::new(),
			probes_turn: false,
			attesting: false,
			reporting: BTreeSet::new(),
			audits: BTreeMap::new(),
			ballots: BTreeMap::new(),
			unsealed: BTreeMap::new(),
			asked: None,
			engine: EngineState::default(),
			storage_trouble_until: 0,
			other_device: false,
			bidding: Bidding::default(),
		}
	}

	/// Takes in what happened and says what to do now.
	pub fn handle(&mut self, event: Event) -> Vec<Action> {
		let mut actions = Vec::new();
		match event {
			Event::JournalRestored { done, lost, ballots } => self.restore(done, &lost, ballots),
			Event::AsksRestored(asks) => self.restore_asks(asks),
			Event::Block {
				number,
				finalized,
				work,
			} => self.reconcile(number, finalized, work, &mut actions),
			Event::Syncing => self.active = false,
			Event::ModelFetched(model) => self.model_fetched(model),
			Event::ModelFetchFailed(model, error) => self.model_fetch_failed(model, error),
			Event::ModelReady(model) => self.model_ready(model, &mut actions),
			Event::ModelFailed(model, fault) => self.model_failed(model, fault),
			Event::InputReady(task) => self.input_arrived(task, Ok(())),
			Event::InputFailed(task, error) => self.input_arrived(task, Err(error)),
			Event::OutputReady(key) => self.output_arrived(key, Ok(())),
			Event::OutputFailed(key, error) => self.output_arrived(key, Err(error)),
			Event::Compared(key, finding) => self.compared(key, finding, &mut actions),
			Event::NotLoaded(run) => self.not_loaded(run),
			Event::RunDone { run, elapsed, results } => self.run_done(run, elapsed, results, &mut actions),
			Event::ProbeRun { run, result } => self.probe_run(run, result),
			Event::ProbeStored { seed, result } => self.probe_stored(seed, result),
			Event::ChunkFailed(key, error) => self.chunk_failed(key, &error),
			Event::ArtefactReady(key) => self.artefact_arrived(key, Ok(())),
			Event::ArtefactFailed(key, error) => self.artefact_arrived(key, Err(error)),
			Event::Recorded(finished) => self.recorded(finished),
			Event::RecordFailed => self.record_failed(),
			Event::BallotRecorded(sealed) => self.sealed(sealed),
			Event::BallotRecordFailed(key) => self.not_sealed(key),
			Event::ModelsNamed(names) => self.models_named(names),
			Event::AsksSealed(asks) => self.asks_sealed(asks),
			Event::OpenJobs(open) => self.jobs_answered(open, &mut actions),
			Event::Submitted(submission) => self.said(submission, true),
			Event::SubmitFailed(submission) => self.said(submission, false),
			Event::EngineHealth(healthy) => self.engine_health(healthy),
		}
		self.advance(&mut actions);
		actions
	}

	/// Figures for the metrics.
	pub fn stats(&self) -> Stats {
		let mut stats = Stats {
			assigned: self.jobs.len(),
			audits: self.audits.len(),
			..Stats::default()
		};
		for job in self.jobs.values() {
			match job.state {
				JobState::Waiting(_) | JobState::Ready => stats.queued += 1,
				JobState::Fetching => {
					stats.queued += 1;
					stats.fetching += 1;
				}
				JobState::Running => stats.running += 1,
				JobState::Recording => stats.recording += 1,
				JobState::Done(..) | JobState::Failed(..) => stats.unheard += 1,
			}
		}
		for model in self.models.values() {
			match model.state {
				ModelState::Loaded => {
					stats.loaded_models += 1;
					stats.loaded_bytes = stats.loaded_bytes.saturating_add(model.spec.artifact.size);
				}
				ModelState::Refused(_) => stats.refused_models += 1,
				_ => {}
			}
		}
		stats
	}

	/// Whether the node could do a job now, as far as it knows, and on the device that it is chosen for.
	pub fn is_healthy(&self) -> bool {
		self.engine.healthy == Some(true)
			&& !self.record_failed
			&& !self.other_device
			&& self.block >= self.storage_trouble_until
	}

	fn model_fetched(&mut self, model: ModelKey) {
		if let Some(model) = self
			.models
			.get_mut(&model)
			.filter(|model| model.state == ModelState::Fetching)
		{
			model.state = ModelState::OnDisk(0);
			(model.local_fault, model.here) = (false, true);
		}
	}

	fn model_fetch_failed(&mut self, key: ModelKey, error: BlobError) {
		// One artefact that finds no room is no trouble with the disk, and soon finds none again.
		let no_room = matches!(error, BlobError::NoRoom(_));
		let pause = if no_room { self.config.storage_trouble_for } else { 1 };
		let next = self.block.saturating_add(pause);
		if let Some(model) = self
			.models
			.get_mut(&key)
			.filter(|model| model.state == ModelState::Fetching)
		{
			model.state = ModelState::Absent(next);
			(model.local_fault, model.here) = (error.is_local(), false);
			if matches!(error, BlobError::TooLarge { .. }) {
				self.refuse(key);
			}
		}
		if !no_room {
			self.note_blob_error(&error);
		}
	}

	fn model_ready(&mut self, key: ModelKey, actions: &mut Vec<Action>) {
		self.engine.failures = 0;
		match self.models.get_mut(&key) {
			Some(model) if model.state == ModelState::Loading => {
				model.state = ModelState::Loaded;
				model.failed_loads = 0;
				model.was_loaded = true;
			}
			Some(_) => {}
			// It went while it was being loaded.
			None => actions.push(Action::DropModel(key)),
		}
	}

	fn model_failed(&mut self, key: ModelKey, fault: LoadFault) {
		let next_block = self.block.saturating_add(1);
		let Some(model) = self
			.models
			.get_mut(&key)
			.filter(|model| model.state == ModelState::Loading)
		else {
			return;
		};
		match fault {
			LoadFault::Blob(error) => {
				model.state = match error {
					BlobError::Missing => {
						model.here = false;
						ModelState::Absent(next_block)
					}
					_ => ModelState::OnDisk(next_block),
				};
				self.note_blob_error(&error);
			}
			LoadFault::Engine(EngineError::ModelRefused(_)) => self.refuse(key),
			LoadFault::Engine(EngineError::Unavailable(_)) => {
				model.state = ModelState::OnDisk(0);
				self.engine_down();
			}
			LoadFault::Engine(_) => {
				model.failed_loads = model.failed_loads.saturating_add(1);
				model.state = ModelState::OnDisk(next_block);
				if model.failed_loads >= MAX_FAILURES {
					self.refuse(key);
				}
			}
		}
	}

	fn refuse(&mut self, key: ModelKey) {
		let until = self.block.saturating_add(self.config.refused_for);
		if let Some(model) = self.models.get_mut(&key) {
			model.state = ModelState::Refused(until);
			model.failed_loads = 0;
		}
	}

	fn recorded(&mut self, finished: Vec<Finished>) {
		self.recording = false;
		self.record_failed = false;
		for finished in finished {
			let key = finished.key;
			self.unrecorded.remove(&key);
			let mut gone_since = Some(self.block);
			if let Some(job) = self.jobs.get_mut(&key.job).filter(|job| job.key == key) {
				gone_since = None;
				job.state = JobState::Done(finished.clone(), Saying::NOW);
			}
			let known = self.known.entry(key).or_insert(Known {
				done: Vec::new(),
				here: true,
				gone_since,
			});
			known.done.retain(|other| other.output != finished.output);
			known.done.push(finished);
			(known.here, known.gone_since) = (true, gone_since);
		}
	}

	fn record_failed(&mut self) {
		self.recording = false;
		self.record_failed = true;
		self.record_at = self.block.saturating_add(1);
	}

	fn said(&mut self, submission: Submission, ok: bool) {
		let pause = if ok { self.config.resend_after } else { 1 };
		let at = Some(self.block.saturating_add(pause));
		let note = |saying: &mut Saying| {
			// What is not on its way is a newcomer of the same id: the answer is not about it.
			if saying.at.is_none() {
				*saying = Saying {
					at,
					said: saying.said || ok,
				};
			}
		};
		match submission {
			Submission::Attest(jobs) => {
				self.attesting = false;
				for job in jobs {
					if let Some(Job {
						state: JobState::Done(_, saying),
						..
					}) = self.jobs.get_mut(&job)
					{
						note(saying);
					}
				}
			}
			Submission::Failure(job) => {
				self.reporting.remove(&job);
				if let Some(Job {
					state: JobState::Failed(_, saying),
					..
				}) = self.jobs.get_mut(&job)
				{
					note(saying);
				}
			}
			Submission::Heartbeat(node, session) => {
				if let Some(heartbeat) = &mut self.heartbeat {
					if (heartbeat.node, heartbeat.session) == (node, session) {
						note(&mut heartbeat.saying);
					}
				}
			}
			Submission::Audit(job, step) => {
				if let Some(saying) = self.audits.get_mut(&job).and_then(|audit| audit.saying(step)) {
					note(saying);
				}
			}
			Submission::Probe(round, step) => {
				if let Some(saying) = self.probe.as_mut().and_then(|probe| probe.saying(round, step)) {
					note(saying);
				}
			}
			Submission::Storage(key) => {
				if let Some(challenge) = self.challenges.get_mut(&key) {
					note(&mut challenge.saying);
				}
			}
			Submission::Asks(node, epoch, step) => self.asks_said(node, epoch, step, ok),
		}
	}

	fn engine_health(&mut self, healthy: bool) {
		self.engine.asking = false;
		if healthy {
			self.engine.healthy = Some(true);
			self.engine.ask_at = self.block.saturating_add(self.config.health_every);
		} else {
			self.engine_down();
		}
	}

	fn engine_down(&mut self) {
		// The jobs of one batch report the same trouble: it counts once.
		if self.engine.healthy == Some(false) && self.block < self.engine.ask_at {
			return;
		}
		let pause = 1 << self.engine.failures.min(6);
		self.engine.healthy = Some(false);
		self.engine.failures = self.engine.failures.saturating_add(1);
		self.engine.ask_at = self.block.saturating_add(pause);
	}

	fn note_blob_error(&mut self, error: &BlobError) {
		if error.is_local() {
			self.storage_trouble_until = self.block.saturating_add(self.config.storage_trouble_for);
		}
	}
}

#[cfg(test)]
#[path = "tests/machine.rs"]
mod tests;

#[cfg(test)]
#[path = "tests/machine_audits.rs"]
mod audit_tests;

#[cfg(test)]
#[path = "tests/machine_probes.rs"]
mod probe_tests;

#[cfg(test)]
#[path = "tests/machine_property.rs"]
mod property_tests;

#[cfg(test)]
#[path = "tests/machine_bidding.rs"]
mod bidding_tests;

#[cfg(test)]
#[path = "tests/machine_bidding_property.rs"]
mod bidding_property_tests;

#[cfg(test)]
#[path = "tests/machine_storage_proofs.rs"]
mod storage_tests;
