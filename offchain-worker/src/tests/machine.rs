use super::*;
use crate::fixtures::*;
use highway_primitives::{work_tag, BlobRef, ModelId};
use sp_core::H256;

/// A machine, and what it wants done next.
pub(super) struct Rig {
	pub machine: Machine,
	number: BlockNumber,
	hosted: Vec<HostedModel>,
	pub audits: Vec<AuditItem>,
	heartbeat_due: bool,
	session: u32,
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
			hosted: vec![],
			audits: vec![],
			heartbeat_due: false,
			session: 1,
		};
		assert_eq!(rig.block(1, vec![]), [Action::CheckEngine]);
		assert_eq!(rig.machine.handle(Event::EngineHealth(true)), []);
		rig
	}

	pub fn block(&mut self, number: BlockNumber, jobs: Vec<WorkItem>) -> Vec<Action> {
		self.block_finalized(number, 0, jobs)
	}

	pub fn block_finalized(&mut self, number: BlockNumber, finalized: BlockNumber, jobs: Vec<WorkItem>) -> Vec<Action> {
		self.number = number;
		let list = WorkList {
			hosted: self.hosted.clone(),
			heartbeat_due: self.heartbeat_due,
			session: self.session,
			audits: self.audits.clone(),
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
		self.machine.handle(Event::RunDone {
			run,
			elapsed: Duration::from_millis(10),
			results,
		})
	}

	fn fail(&mut self, run: RunId, job: JobId, error: EngineError) -> Vec<Action> {
		self.done(run, vec![(Task::Job(key(job, 1)), Err(JobFault::Engine(error)))])
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
		sketch: sketch(job as i64),
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

/// The action that records it.
fn record(job: JobId) -> Action {
	Action::Record(vec![(key(job, 1), output(job), sketch(job as i64))])
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

#[test]
fn job_should_be_fetched_run_recorded_and_attested_when_all_goes_well() {
	let mut rig = Rig::new();
	let actions = rig.block(10, vec![item(1, 1, 20)]);
	assert_eq!((model_fetches(&actions), input_fetches(&actions)), (vec![1], vec![1]));
	rig.load(1);
	assert_eq!(runs(&rig.input(1)), [(0, vec![1])]);
	assert_eq!(rig.done(0, vec![ok(1)]), [record(1)]);
	assert_eq!(attested(&rig.machine.handle(Event::Recorded(vec![finished(1)]))), [[1]]);
	rig.machine.handle(Event::Submitted(Submission::Attest(vec![1])));
	let dropped = Action::DropJob {
		key: key(1, 1),
		outcome: Outcome::Attested,
	};
	assert!(rig.block(12, vec![]).contains(&dropped));
}

#[test]
fn nothing_should_be_done_when_no_node_has_the_key() {
	let mut rig = Rig::running(20);
	let actions = rig.machine.handle(Event::Block {
		number: 11,
		finalized: 0,
		work: None,
	});
	let dropped = Action::DropJob {
		key: key(1, 1),
		outcome: Outcome::Abandoned,
	};
	assert_eq!(actions, [dropped, Action::ReleaseModel(spec(1).artifact)]);
}

#[test]
fn job_should_not_run_again_when_it_vanishes_and_comes_back_in_the_middle_of_its_run() {
	let mut rig = Rig::running(30);
	rig.block(11, vec![]);
	let actions = rig.block(12, vec![item(1, 1, 30)]);
	assert_eq!((runs(&actions), input_fetches(&actions)), (vec![], vec![]));
	rig.done(0, vec![ok(1)]);
	assert_eq!(attested(&rig.machine.handle(Event::Recorded(vec![finished(1)]))), [[1]]);
}

#[test]
fn job_should_be_attested_without_a_run_when_a_reorg_brings_it_back() {
	let mut rig = Rig::running(30);
	rig.done(0, vec![ok(1)]);
	rig.machine.handle(Event::Recorded(vec![finished(1)]));
	rig.machine.handle(Event::Submitted(Submission::Attest(vec![1])));
	rig.block(12, vec![]);
	let actions = rig.block(13, vec![item(1, 1, 30)]);
	assert_eq!(
		(attested(&actions), runs(&actions), input_fetches(&actions)),
		(vec![vec![1]], vec![], vec![])
	);
}

#[test]
fn job_should_be_run_when_another_fork_has_another_job_of_the_same_id() {
	let mut rig = Rig::running(30);
	rig.done(0, vec![ok(1)]);
	rig.machine.handle(Event::Recorded(vec![finished(1)]));
	rig.machine.handle(Event::Submitted(Submission::Attest(vec![1])));
	let other = item_of(1, 1, spec(1), b"another input", 30);
	let actions = rig.block(11, vec![other.clone()]);
	assert_eq!((attested(&actions), input_fetches(&actions)), (vec![], vec![1]));
	let key = WorkKey::of(NODE, &other);
	assert_eq!(
		runs(&rig.machine.handle(Event::InputReady(Task::Job(key)))),
		[(1, vec![1])]
	);
	rig.done(1, vec![(Task::Job(key), Ok(result(1)))]);
	let finished = Finished { key, ..finished(1) };
	let actions = rig.machine.handle(Event::Recorded(vec![finished]));
	let Some(Action::SubmitAttest { items, .. }) = actions.first() else {
		panic!("{actions:?}")
	};
	assert_eq!(items[0].work, work_tag(&other.work), "it says which of the two it did");
	assert_ne!(items[0].work, work_tag(&item(1, 1, 30).work));
}

#[test]
fn model_should_be_loaded_anew_when_another_fork_gives_its_ids_to_another_version() {
	let mut rig = Rig::running(30);
	rig.done(0, vec![ok(1)]);
	// The same model id and version, another file.
	let other = item_of(2, 1, spec(9), b"input", 30);
	let actions = rig.block(11, vec![other.clone()]);
	let model = ModelKey::of(1, 1, &other.spec);
	assert!(
		actions
			.iter()
			.any(|action| matches!(action, Action::FetchModel { model: fetched, .. } if *fetched == model)),
		"{actions:?}"
	);
	let key = WorkKey::of(NODE, &other);
	assert_eq!(runs(&rig.machine.handle(Event::InputReady(Task::Job(key)))), []);
	rig.machine.handle(Event::ModelFetched(model));
	let actions = rig.machine.handle(Event::ModelReady(model));
	let Some(Action::Run { model: run, .. }) = actions.first() else {
		panic!("{actions:?}")
	};
	assert_eq!(*run, model);
}

#[test]
fn job_should_be_attested_when_the_journal_knows_its_output_at_the_start() {
	let mut machine = Machine::new(MachineConfig::default());
	assert_eq!(machine.handle(restored([1])), []);
	let list = work(vec![item(1, 1, 30), item(2, 1, 30)]);
	let actions = machine.handle(Event::Block {
		number: 5,
		finalized: 0,
		work: Some(list),
	});
	assert_eq!((attested(&actions), input_fetches(&actions)), (vec![vec![1]], vec![2]));
}

#[test]
fn job_should_be_run_again_when_its_output_is_lost() {
	let mut machine = Machine::new(MachineConfig::default());
	machine.handle(Event::JournalRestored {
		done: vec![finished(1)],
		lost: [finished(1).output.hash].into(),
		ballots: vec![],
	});
	let actions = machine.handle(Event::Block {
		number: 5,
		finalized: 0,
		work: Some(work(vec![item(1, 1, 30)])),
	});
	assert_eq!((attested(&actions), input_fetches(&actions)), (vec![], vec![1]));
}

#[test]
fn run_should_be_asked_for_a_sketch_under_the_works_seed() {
	let mut rig = Rig::new();
	rig.block(10, vec![item(1, 1, 20)]);
	rig.load(1);
	let actions = rig.input(1);
	let Some(Action::Run { items, .. }) = actions.first() else {
		panic!("{actions:?}")
	};
	assert_eq!(items[0].seeds, [auditor_seed(1)]);
	// An engine that gives none has not done what was asked.
	let without = RunOutput {
		sketches: vec![],
		..result(1)
	};
	assert_eq!(
		runs(&rig.done(0, vec![(Task::Job(key(1, 1)), Ok(without))])),
		[(1, vec![1])]
	);
}

#[test]
fn ready_jobs_should_share_a_run_when_they_are_of_one_model() {
	let mut rig = Rig::with(MachineConfig {
		max_batch: 3,
		..MachineConfig::default()
	});
	rig.block(10, (1..=5).map(|job| item(job, 1, 40 - job as u32)).collect());
	for job in 1..=5 {
		rig.input(job);
	}
	assert_eq!(runs(&rig.load(1)), [(0, vec![5, 4, 3])], "the earliest deadline first");
	let next = rig.done(0, vec![ok(5), ok(4), ok(3)]);
	assert_eq!(runs(&next), [(1, vec![2, 1])]);
}

#[test]
fn big_inputs_should_not_share_a_run_when_they_exceed_the_batch_bytes() {
	let size = item(1, 1, 40).input.size;
	let mut rig = Rig::with(MachineConfig {
		max_batch_bytes: size * 2,
		..MachineConfig::default()
	});
	rig.block(10, (1..=3).map(|job| item(job, 1, 40)).collect());
	(1..=3).for_each(|job| drop(rig.input(job)));
	assert_eq!(runs(&rig.load(1)), [(0, vec![1, 2])]);
}

#[test]
fn second_run_should_wait_when_one_runs() {
	let mut rig = Rig::running(30);
	rig.block(11, vec![item(1, 1, 30), item(2, 1, 30)]);
	assert_eq!(runs(&rig.input(2)), []);
	assert_eq!(runs(&rig.done(0, vec![ok(1)])), [(1, vec![2])]);
}

#[test]
fn run_should_not_start_when_the_deadline_cannot_be_made() {
	// (block at which the input comes, deadline, micros of an earlier run, starts)
	for (block, deadline, micros, starts) in [
		(10, 11, None, true),
		(10, 10, None, false),
		(10, 9, None, false),
		(10, 12, Some(1_000_000), true),
		(10, 12, Some(4_000_000), false),
		(10, 13, Some(4_000_000), true),
	] {
		let mut rig = Rig::new();
		rig.hosted = vec![hosted(1)];
		rig.block(2, vec![]);
		rig.load(1);
		rig.machine.models.get_mut(&model_key(1)).unwrap().micros_per_unit = micros;
		rig.block(3, vec![item(1, 1, deadline)]);
		rig.machine.block = block;
		assert_eq!(!runs(&rig.input(1)).is_empty(), starts, "{block} {deadline} {micros:?}");
	}
}

#[test]
fn batch_should_be_cut_when_more_jobs_would_miss_the_first_deadline() {
	let mut rig = Rig::new();
	rig.hosted = vec![hosted(1)];
	rig.block(2, vec![]);
	rig.load(1);
	rig.machine.models.get_mut(&model_key(1)).unwrap().micros_per_unit = Some(2_000_000);
	rig.machine.engine.healthy = Some(false);
	rig.machine.engine.ask_at = 10;
	rig.block(3, vec![item(1, 1, 7), item(2, 1, 10), item(3, 1, 10), item(4, 1, 10)]);
	(1..=4).for_each(|job| drop(rig.input(job)));
	assert_eq!(
		runs(&rig.machine.handle(Event::EngineHealth(true))),
		[(0, vec![1, 2, 3])]
	);
}

#[test]
fn attestations_should_go_together_when_one_is_on_its_way() {
	let mut rig = Rig::running(30);
	rig.block(11, (1..=3).map(|job| item(job, 1, 30)).collect());
	rig.done(0, vec![ok(1)]);
	assert_eq!(attested(&rig.machine.handle(Event::Recorded(vec![finished(1)]))), [[1]]);
	rig.input(2);
	rig.done(1, vec![ok(2)]);
	assert_eq!(
		attested(&rig.machine.handle(Event::Recorded(vec![finished(2)]))),
		Vec::<Vec<JobId>>::new()
	);
	rig.input(3);
	rig.done(2, vec![ok(3)]);
	rig.machine.handle(Event::Recorded(vec![finished(3)]));
	let actions = rig.machine.handle(Event::Submitted(Submission::Attest(vec![1])));
	assert_eq!(attested(&actions), [[2, 3]]);
}

#[test]
fn attestations_should_be_split_when_there_are_more_than_256() {
	let mut machine = Machine::new(MachineConfig::default());
	machine.handle(restored(1..=300));
	let list = work((1..=300).map(|job| item(job, 1, 99)).collect());
	let first = attested(&machine.handle(Event::Block {
		number: 5,
		finalized: 0,
		work: Some(list),
	}));
	assert_eq!(first.iter().map(Vec::len).collect::<Vec<_>>(), [256]);
	let second = attested(&machine.handle(Event::Submitted(Submission::Attest(first[0].clone()))));
	assert_eq!(second.iter().map(Vec::len).collect::<Vec<_>>(), [44]);
}

#[test]
fn attestation_should_be_sent_again_when_it_had_no_effect_for_three_blocks() {
	let mut rig = Rig::running(30);
	rig.done(0, vec![ok(1)]);
	rig.machine.handle(Event::Recorded(vec![finished(1)]));
	rig.machine.handle(Event::Submitted(Submission::Attest(vec![1])));
	for (block, again) in [(11, false), (12, false), (13, true)] {
		let actions = rig.block(block, vec![item(1, 1, 30)]);
		assert_eq!(!attested(&actions).is_empty(), again, "block {block}");
	}
}

#[test]
fn attestation_should_wait_for_the_next_block_when_the_pool_refuses_it() {
	let mut rig = Rig::running(30);
	rig.done(0, vec![ok(1)]);
	rig.machine.handle(Event::Recorded(vec![finished(1)]));
	let actions = rig.machine.handle(Event::SubmitFailed(Submission::Attest(vec![1])));
	assert_eq!(attested(&actions), Vec::<Vec<JobId>>::new());
	assert_eq!(attested(&rig.block(11, vec![item(1, 1, 30)])), [[1]]);
}

#[test]
fn attestation_should_wait_when_the_output_cannot_be_saved() {
	let mut rig = Rig::running(30);
	rig.done(0, vec![ok(1)]);
	assert_eq!(rig.machine.handle(Event::RecordFailed), []);
	assert!(!rig.machine.is_healthy());
	let actions = rig.block(11, vec![item(1, 1, 30), item(2, 1, 30)]);
	assert!(actions.contains(&record(1)));
	assert_eq!(runs(&rig.input(2)), [], "no new run while outputs cannot be saved");
	let actions = rig.machine.handle(Event::Recorded(vec![finished(1)]));
	assert_eq!(
		(attested(&actions), runs(&actions)),
		(vec![vec![1]], vec![(1, vec![2])])
	);
}

#[test]
fn missing_input_should_be_tried_again_until_the_deadline_is_near() {
	let mut rig = Rig::new();
	rig.block(10, vec![item(1, 1, 16)]);
	for block in 11..13 {
		assert_eq!(
			rig.machine
				.handle(Event::InputFailed(Task::Job(key(1, 1)), BlobError::Missing)),
			[]
		);
		let actions = rig.block(block, vec![item(1, 1, 16)]);
		assert_eq!(
			(input_fetches(&actions), failures(&actions)),
			(vec![1], vec![]),
			"block {block}"
		);
	}
	let actions = rig.block(13, vec![item(1, 1, 16)]);
	assert_eq!(failures(&actions), [(1, FailureClass::InputMissing)]);
}

#[test]
fn missing_input_should_not_be_reported_when_the_own_disk_is_the_reason() {
	let mut rig = Rig::new();
	rig.block(10, vec![item(1, 1, 15)]);
	rig.machine.handle(Event::InputFailed(
		Task::Job(key(1, 1)),
		BlobError::Storage("full".into()),
	));
	assert!(!rig.machine.is_healthy());
	assert_eq!(failures(&rig.block(14, vec![item(1, 1, 15)])), []);
}

#[test]
fn missing_model_should_be_reported_when_the_deadline_is_near() {
	let mut rig = Rig::new();
	rig.block(10, vec![item(1, 1, 16)]);
	rig.input(1);
	rig.machine
		.handle(Event::ModelFetchFailed(model_key(1), BlobError::Missing));
	let actions = rig.block(11, vec![item(1, 1, 16)]);
	assert_eq!((model_fetches(&actions), failures(&actions)), (vec![1], vec![]));
	assert_eq!(
		failures(&rig.block(13, vec![item(1, 1, 16)])),
		[(1, FailureClass::ModelMissing)]
	);
}

#[test]
fn refused_model_should_fail_its_jobs_at_once_and_not_be_tried_every_block() {
	let mut rig = Rig::new();
	rig.hosted = vec![hosted(1)];
	rig.block(10, vec![item(1, 1, 50)]);
	rig.machine.handle(Event::ModelFetched(model_key(1)));
	let refused = LoadFault::Engine(EngineError::ModelRefused("external data".into()));
	let actions = rig.machine.handle(Event::ModelFailed(model_key(1), refused));
	assert_eq!(failures(&actions), [(1, FailureClass::ModelRefused)]);
	for block in 11..20 {
		assert!(model_fetches(&rig.block(block, vec![item(1, 1, 50)])).is_empty());
	}
	assert_eq!(
		failures(&rig.block(20, vec![item(2, 1, 50)])),
		[(2, FailureClass::ModelRefused)]
	);
	rig.block(21, vec![]);
	assert_eq!(
		model_fetches(&rig.block(10 + 1800, vec![])),
		[1],
		"another try after an hour"
	);
}

#[test]
fn job_should_fail_when_the_engine_says_so_often_enough() {
	let failed = || EngineError::RunFailed("x".into());
	for (error, class, tries) in [
		(failed(), FailureClass::RunFailed, 2),
		(EngineError::TimedOut, FailureClass::RunFailed, 2),
		(EngineError::ChildDied("signal 11".into()), FailureClass::RunFailed, 2),
		(EngineError::InputInvalid("x".into()), FailureClass::InputInvalid, 1),
		(EngineError::ModelRefused("x".into()), FailureClass::ModelRefused, 1),
	] {
		let mut rig = Rig::running(30);
		for run in 0..tries - 1 {
			let actions = rig.fail(run, 1, error.clone());
			assert_eq!(
				(runs(&actions), failures(&actions)),
				(vec![(run + 1, vec![1])], vec![]),
				"{error}"
			);
		}
		let actions = rig.fail(tries - 1, 1, error.clone());
		assert_eq!(
			(failures(&actions), runs(&actions)),
			(vec![(1, class)], vec![]),
			"{error}"
		);
	}
}

#[test]
fn failed_job_should_run_alone_when_it_is_tried_again() {
	let mut rig = Rig::new();
	rig.block(10, vec![item(1, 1, 30), item(2, 1, 30), item(3, 1, 30)]);
	rig.load(1);
	rig.input(1);
	rig.input(2);
	rig.input(3);
	assert_eq!(runs(&rig.fail(0, 1, EngineError::TimedOut)), [(1, vec![1])]);
	assert_eq!(runs(&rig.done(1, vec![ok(1)])), [(2, vec![2, 3])]);
}

#[test]
fn job_should_be_tried_again_when_a_run_leaves_out_its_result() {
	let mut rig = Rig::running(30);
	assert_eq!(runs(&rig.done(0, vec![])), [(1, vec![1])]);
	assert_eq!(failures(&rig.done(1, vec![])), [(1, FailureClass::RunFailed)]);
}

#[test]
fn late_answer_should_change_nothing_when_it_is_of_another_run() {
	let mut rig = Rig::running(30);
	assert_eq!(rig.done(5, vec![ok(1)]), []);
	assert_eq!(rig.machine.handle(Event::NotLoaded(5)), []);
	assert_eq!(rig.machine.stats().running, 1);
}

#[test]
fn input_should_be_fetched_again_when_the_store_lost_it() {
	let mut rig = Rig::running(30);
	assert_eq!(rig.done(0, vec![(Task::Job(key(1, 1)), Err(JobFault::InputLost))]), []);
	assert_eq!(input_fetches(&rig.block(11, vec![item(1, 1, 30)])), [1]);
}

#[test]
fn model_should_be_loaded_again_when_the_engine_unloaded_it() {
	let mut rig = Rig::running(30);
	let actions = rig.machine.handle(Event::NotLoaded(0));
	assert!(
		matches!(
			&actions[..],
			[Action::LoadModel {
				model: ModelKey { model: 1, .. },
				..
			}]
		),
		"{actions:?}"
	);
	assert_eq!(
		runs(&rig.machine.handle(Event::ModelReady(model_key(1)))),
		[(1, vec![1])]
	);
}

#[test]
fn engine_should_be_asked_with_growing_pauses_when_it_is_not_available() {
	let mut rig = Rig::running(500);
	let actions = rig.fail(0, 1, EngineError::Unavailable("no library".into()));
	assert_eq!(actions, []);
	assert!(!rig.machine.is_healthy());
	let mut asked = Vec::new();
	for block in 11..160 {
		if rig.block(block, vec![item(1, 1, 500)]).contains(&Action::CheckEngine) {
			asked.push(block);
			rig.machine.handle(Event::EngineHealth(false));
		}
	}
	assert_eq!(asked, [11, 13, 17, 25, 41, 73, 137]);
	let next = asked[6] + 64;
	assert_eq!(rig.block(next, vec![item(1, 1, 500)]), [Action::CheckEngine]);
	assert_eq!(runs(&rig.machine.handle(Event::EngineHealth(true))), [(1, vec![1])]);
}

#[test]
fn heartbeat_should_be_sent_once_and_again_after_three_blocks_when_it_is_due() {
	let mut rig = Rig::new();
	rig.heartbeat_due = true;
	assert_eq!(heartbeats(&rig.block(2, vec![])), [(1, true)]);
	assert_eq!(heartbeats(&rig.block(3, vec![])), []);
	rig.machine.handle(Event::Submitted(Submission::Heartbeat(NODE, 1)));
	for (block, again) in [(4, false), (5, false), (6, true)] {
		assert_eq!(
			!heartbeats(&rig.block(block, vec![])).is_empty(),
			again,
			"block {block}"
		);
	}
	rig.session = 2;
	assert_eq!(heartbeats(&rig.block(7, vec![])), [(2, true)]);
}

#[test]
fn heartbeat_should_wait_for_the_engines_word_and_tell_it() {
	let mut machine = Machine::new(MachineConfig::default());
	let list = WorkList {
		heartbeat_due: true,
		..work(vec![])
	};
	let actions = machine.handle(Event::Block {
		number: 1,
		finalized: 0,
		work: Some(list),
	});
	assert_eq!(actions, [Action::CheckEngine]);
	assert_eq!(heartbeats(&machine.handle(Event::EngineHealth(false))), [(1, false)]);
}

#[test]
fn nothing_should_start_when_the_node_is_syncing() {
	let mut rig = Rig::new();
	rig.block(10, vec![item(1, 1, 30)]);
	rig.load(1);
	assert_eq!(rig.machine.handle(Event::Syncing), []);
	assert_eq!(rig.input(1), []);
	assert_eq!(runs(&rig.block(11, vec![item(1, 1, 30)])), [(0, vec![1])]);
}

#[test]
fn outputs_should_be_saved_when_the_node_falls_behind_in_the_middle_of_a_run() {
	let mut rig = Rig::running(30);
	rig.machine.handle(Event::Syncing);
	assert!(matches!(rig.done(0, vec![ok(1)])[..], [Action::Record(_)]));
	assert_eq!(rig.machine.handle(Event::Recorded(vec![finished(1)])), []);
	assert_eq!(attested(&rig.block(15, vec![item(1, 1, 30)])), [[1]]);
}

#[test]
fn hosted_models_should_be_fetched_and_loaded_once_when_no_job_wants_them() {
	let mut rig = Rig::new();
	rig.hosted = vec![hosted(1), hosted(2), hosted(3)];
	let actions = rig.block(10, vec![item(1, 3, 30)]);
	assert_eq!(
		model_fetches(&actions),
		[3, 1],
		"the one with a job first, two at a time"
	);
	let actions = rig.machine.handle(Event::ModelFetched(model_key(1)));
	assert!(matches!(
		&actions[..],
		[
			Action::FetchModel {
				model: ModelKey { model: 2, .. },
				..
			},
			Action::LoadModel {
				model: ModelKey { model: 1, .. },
				..
			}
		]
	));
	assert_eq!(rig.machine.handle(Event::ModelReady(model_key(1))), []);
	assert_eq!(rig.machine.stats().loaded_models, 1);
	rig.hosted.clear();
	let actions = rig.block(11, vec![item(1, 3, 30)]);
	assert!(actions.contains(&Action::ReleaseModel(spec(1).artifact)));
	assert!(!actions.contains(&Action::ReleaseModel(spec(3).artifact)));
}

#[test]
fn output_should_be_forgotten_when_its_job_is_gone_for_good() {
	let mut rig = Rig::running(30);
	rig.done(0, vec![ok(1)]);
	rig.machine.handle(Event::Recorded(vec![finished(1)]));
	let asks = |actions: &[Action]| actions.contains(&Action::AskJobs(vec![1]));
	assert!(
		!asks(&rig.block_finalized(400, 399, vec![item(1, 1, 30)])),
		"still there"
	);
	assert!(!asks(&rig.block_finalized(401, 399, vec![])));
	assert!(!asks(&rig.block_finalized(702, 700, vec![])));
	assert!(asks(&rig.block_finalized(703, 701, vec![])));
	assert!(!asks(&rig.block_finalized(704, 702, vec![])), "it was asked");
	// It waits for its audit: the question comes again as long after.
	let open = |jobs: &[JobId]| Event::OpenJobs(Some(jobs.iter().copied().collect()));
	assert_eq!(rig.machine.handle(open(&[1])), []);
	assert!(!asks(&rig.block_finalized(1005, 1003, vec![])));
	assert!(asks(&rig.block_finalized(1006, 1004, vec![])));
	assert_eq!(rig.machine.handle(Event::OpenJobs(None)), []);
	assert!(
		asks(&rig.block_finalized(1007, 1005, vec![])),
		"the state could not be read"
	);
	assert_eq!(rig.machine.handle(open(&[])), [Action::Forget(vec![key(1, 1)])]);
	assert!(!asks(&rig.block_finalized(2000, 1998, vec![])));
}

#[test]
fn failure_should_be_reported_again_when_it_had_no_effect() {
	let mut rig = Rig::running(30);
	rig.fail(0, 1, EngineError::InputInvalid("x".into()));
	rig.machine.handle(Event::Submitted(Submission::Failure(1)));
	assert_eq!(failures(&rig.block(12, vec![item(1, 1, 30)])), []);
	assert_eq!(
		failures(&rig.block(13, vec![item(1, 1, 30)])),
		[(1, FailureClass::InputInvalid)]
	);
	rig.machine.handle(Event::Submitted(Submission::Failure(1)));
	let dropped = Action::DropJob {
		key: key(1, 1),
		outcome: Outcome::Failed,
	};
	assert!(rig.block(14, vec![]).contains(&dropped));
}
