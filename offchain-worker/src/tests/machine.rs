use super::*;
use crate::{engine::TimeLimit, fixtures::*};
use highway_primitives::{BlobRef, ModelId, ProbeTask};
use highway_runtime_api::types::{AskTask, StorageTask};
use sp_core::H256;

#[path = "machine/batches.rs"]
mod batches;
#[path = "machine/blobs.rs"]
mod blobs;
#[path = "machine/life_cycle.rs"]
mod life_cycle;
#[path = "machine/running.rs"]
mod running;
#[path = "machine/words.rs"]
mod words;

/// A machine, and what it wants done next.
pub(super) struct Rig {
	pub machine: Machine,
	number: BlockNumber,
	/// The last final block, where a test does not say.
	pub finalized: BlockNumber,
	pub hosted: Vec<HostedModel>,
	pub audits: Vec<AuditItem>,
	pub probe: Option<ProbeTask>,
	pub asks: Vec<AskTask>,
	pub challenges: Vec<StorageTask>,
	pub slots: u16,
	heartbeat_due: bool,
	session: u32,
	device: DeviceClass,
}

impl Rig {
	/// A rig whose engine is healthy.
	pub fn new() -> Self {
		Self::with(MachineConfig::default())
	}

	pub fn with(config: MachineConfig) -> Self {
		let mut rig = Self {
			machine: Machine::new(config),
			number: 0,
			finalized: 0,
			hosted: vec![],
			audits: vec![],
			probe: None,
			asks: vec![],
			challenges: vec![],
			slots: 0,
			heartbeat_due: false,
			session: 1,
			device: DeviceClass::CpuX86,
		};
		assert_eq!(rig.block(1, vec![]), [Action::CheckEngine]);
		assert_eq!(rig.machine.handle(Event::EngineHealth(true)), []);
		rig
	}

	pub fn block(&mut self, number: BlockNumber, jobs: Vec<WorkItem>) -> Vec<Action> {
		self.block_finalized(number, self.finalized, jobs)
	}

	pub fn block_finalized(&mut self, number: BlockNumber, finalized: BlockNumber, jobs: Vec<WorkItem>) -> Vec<Action> {
		self.number = number;
		let list = WorkList {
			hosted: self.hosted.clone(),
			heartbeat_due: self.heartbeat_due,
			session: self.session,
			device: self.device,
			audits: self.audits.clone(),
			probe: self.probe,
			asks: self.asks.clone(),
			challenges: self.challenges.clone(),
			slots: self.slots,
			..work(jobs)
		};
		self.machine.handle(Event::Block {
			number,
			finalized,
			work: Some(list),
		})
	}

	/// Brings a model from nothing to loaded, for the jobs listed.
	pub fn load(&mut self, model: ModelId) -> Vec<Action> {
		let actions = self.machine.handle(Event::ModelFetched(model_key(model)));
		assert!(matches!(actions[0], Action::LoadModel { .. }), "{actions:?}");
		self.machine.handle(Event::ModelReady(model_key(model)))
	}

	pub fn input(&mut self, job: JobId) -> Vec<Action> {
		self.machine.handle(Event::InputReady(Task::Job(key(job, 1))))
	}

	pub fn done(&mut self, run: RunId, results: Vec<(Task, Result<RunOutput, JobFault>)>) -> Vec<Action> {
		self.done_in(10, run, results)
	}

	pub fn done_in(
		&mut self,
		millis: u64,
		run: RunId,
		results: Vec<(Task, Result<RunOutput, JobFault>)>,
	) -> Vec<Action> {
		self.machine.handle(Event::RunDone {
			run,
			elapsed: Duration::from_millis(millis),
			results,
		})
	}

	fn fail(&mut self, run: RunId, job: JobId, error: EngineError) -> Vec<Action> {
		self.done(run, vec![failed(job, error)])
	}

	/// Blocks 10 with job 1 of model 1, everything loaded, and run 0 started.
	fn running(deadline: BlockNumber) -> Self {
		let mut rig = Self::new();
		rig.block(10, vec![item(1, 1, deadline)]);
		rig.load(1);
		assert_eq!(runs(&rig.input(1)), [(0, vec![1])]);
		rig
	}
}

pub(super) fn output(job: JobId) -> Bytes {
	Bytes::from(format!("output of {job}"))
}

pub(super) fn finished(job: JobId) -> Finished {
	let commitment = H256::from_low_u64_be(job);
	Finished {
		key: key(job, 1),
		output: BlobRef::of(&output(job)),
		sketches: vec![sketch(job as i64)],
		salt: [job as u8; 32],
		commitment,
	}
}

fn restored(jobs: impl IntoIterator<Item = JobId>) -> Event {
	Event::JournalRestored {
		done: jobs.into_iter().map(finished).collect(),
		lost: BTreeSet::new(),
		ballots: vec![],
	}
}

/// The result of a job's run.
pub(super) fn result(job: JobId) -> RunOutput {
	RunOutput {
		file: output(job),
		sketches: vec![sketch(job as i64)],
	}
}

fn ok(job: JobId) -> (Task, Result<RunOutput, JobFault>) {
	(Task::Job(key(job, 1)), Ok(result(job)))
}

fn failed(job: JobId, error: EngineError) -> (Task, Result<RunOutput, JobFault>) {
	(Task::Job(key(job, 1)), Err(JobFault::Engine(error)))
}

/// The action that records it.
fn record(job: JobId) -> Action {
	Action::Record(vec![(key(job, 1), output(job), vec![sketch(job as i64)])])
}

fn slots(actions: &[Action]) -> Vec<u16> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitHeartbeat { slots, .. } => Some(*slots),
			_ => None,
		})
		.collect()
}

fn time_limits(actions: &[Action]) -> Vec<TimeLimit> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::Run { time_limit, .. } => Some(*time_limit),
			_ => None,
		})
		.collect()
}

pub(super) fn runs(actions: &[Action]) -> Vec<(RunId, Vec<JobId>)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::Run { run, items, .. } => Some((*run, items.iter().map(|item| item.task.job()).collect())),
			_ => None,
		})
		.collect()
}

pub(super) fn attested(actions: &[Action]) -> Vec<Vec<JobId>> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitAttest { items, .. } => Some(items.iter().map(|item| item.job).collect()),
			_ => None,
		})
		.collect()
}

fn failures(actions: &[Action]) -> Vec<(JobId, FailureClass)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitFailure { job, class, .. } => Some((*job, *class)),
			_ => None,
		})
		.collect()
}

fn heartbeats(actions: &[Action]) -> Vec<(u32, bool)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitHeartbeat { session, healthy, .. } => Some((*session, *healthy)),
			_ => None,
		})
		.collect()
}

pub(super) fn model_fetches(actions: &[Action]) -> Vec<ModelId> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::FetchModel { model, .. } => Some(model.model),
			_ => None,
		})
		.collect()
}

pub(super) fn input_fetches(actions: &[Action]) -> Vec<JobId> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::FetchInput { task, .. } => Some(task.job()),
			_ => None,
		})
		.collect()
}
