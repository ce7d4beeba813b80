//! Jobs of many inputs, and audits of one of them.

use super::*;
use highway_primitives::{
	audit::{work_seed, AuditTask},
	model::Unit,
	Vote,
};

/// Job 1, with three inputs.
fn job(deadline: BlockNumber) -> WorkItem {
	of_many(item(1, 1, deadline), 3)
}

fn work_key() -> WorkKey {
	WorkKey::of(NODE, &job(0))
}

fn task() -> Task {
	Task::Job(work_key())
}

/// What all runs of it give.
fn all_done() -> RunOutput {
	RunOutput {
		file: output(1),
		sketches: (1..=3).map(sketch).collect(),
	}
}

/// Block 10 with that job, everything loaded, and run 0 started.
fn running() -> Rig {
	let mut rig = Rig::new();
	rig.block(10, vec![job(30)]);
	rig.load(1);
	assert_eq!(runs(&rig.machine.handle(Event::InputReady(task()))), [(0, vec![1])]);
	rig
}

/// What an audit of the job wants of the node, about one of the inputs.
fn audited(index: u16) -> AuditItem {
	audit_of(job(0), judge_input(&job(0), index), b"a bundle of outputs", 40)
}

/// Where the node votes about it.
fn vote(index: u16) -> BallotKey {
	BallotKey {
		work: work_key(),
		seed: work_seed(&job(0).work),
		index,
	}
}

/// The own run of one input.
fn own() -> RunOutput {
	RunOutput {
		file: output(1),
		sketches: vec![sketch(7)],
	}
}

fn items(actions: &[Action]) -> Vec<RunItem> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::Run { items, .. } => Some(items.clone()),
			_ => None,
		})
		.flatten()
		.collect()
}

fn revealed(actions: &[Action]) -> Vec<Ballot> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitReveal { ballot, .. } => Some(*ballot),
			_ => None,
		})
		.collect()
}

impl Rig {
	/// Lets the node judge an input in a run, vote Yes with this sketch, and seal that.
	fn vote_on(&mut self, index: u16, run: RunId, sketch: Sketch) -> Vec<Action> {
		let task = Task::Audit(vote(index));
		assert_eq!(runs(&self.machine.handle(Event::InputReady(task))), [(run, vec![1])]);
		let own = RunOutput {
			sketches: vec![sketch],
			..own()
		};
		self.done(run, vec![(task, Ok(own))]);
		self.machine.handle(Event::OutputReady(vote(index)));
		let found = Event::Compared(vote(index), Ok(Finding::Right));
		let actions = self.machine.handle(found);
		let Some(Action::RecordBallot { key, ballot }) = actions.first().cloned() else {
			panic!("{actions:?}")
		};
		assert_eq!((key, ballot.vote), (vote(index), Vote::Yes));
		let salt = [index as u8; 32];
		self.machine
			.handle(Event::BallotRecorded(SealedBallot { key, ballot, salt }))
	}
}

#[test]
fn job_should_have_a_run_of_its_own_and_be_recorded_with_all_sketches() {
	let mut rig = Rig::new();
	let other = of_many(item(3, 1, 32), 2);
	rig.block(10, vec![job(30), item(2, 1, 31), other.clone()]);
	rig.load(1);
	let all = RunItem {
		task: task(),
		input: job(0).input,
		inputs: 3,
		index: None,
		seeds: vec![work_seed(&job(0).work)],
	};
	assert_eq!(items(&rig.machine.handle(Event::InputReady(task()))), [all]);
	rig.input(2);
	rig.machine
		.handle(Event::InputReady(Task::Job(WorkKey::of(NODE, &other))));

	let RunOutput { file, sketches } = all_done();
	let actions = rig.done(0, vec![(task(), Ok(all_done()))]);
	assert!(
		actions.contains(&Action::Record(vec![(work_key(), file, sketches.clone())])),
		"{actions:?}"
	);
	assert_eq!(runs(&actions), [(1, vec![2])]);
	assert_eq!(runs(&rig.done(1, vec![ok(2)])), [(2, vec![3])]);

	let finished = Finished {
		key: work_key(),
		sketches,
		..finished(1)
	};
	assert_eq!(attested(&rig.machine.handle(Event::Recorded(vec![finished]))), [[1]]);
}

#[test]
fn job_should_be_run_again_when_it_has_another_number_of_sketches_than_inputs() {
	for sketches in [vec![], vec![sketch(1)], vec![sketch(1); 4]] {
		let mut rig = running();
		let other = RunOutput { sketches, ..all_done() };
		let actions = rig.done(0, vec![(task(), Ok(other))]);
		assert_eq!(runs(&actions), [(1, vec![1])]);
	}
}

#[test]
fn job_should_fail_when_its_inputs_take_more_time_than_it_has_twice() {
	let mut rig = running();
	let not_run = || vec![(task(), Err(JobFault::Engine(EngineError::NotRun)))];
	assert_eq!(runs(&rig.done(0, not_run())), [(1, vec![1])]);
	assert_eq!(failures(&rig.done(1, not_run())), [(1, FailureClass::RunFailed)]);
}

#[test]
fn job_should_fail_as_a_whole_when_one_input_does_not_fit() {
	let mut rig = running();
	let fault = Err(JobFault::Engine(EngineError::InputInvalid("x".into())));
	assert_eq!(
		failures(&rig.done(0, vec![(task(), fault)])),
		[(1, FailureClass::InputInvalid)]
	);
}

#[test]
fn time_limit_should_be_that_of_one_job_and_for_each_input_what_it_may_be_at_most() {
	// (unit, milliseconds of one, inputs, units, deadline, limits of each input and of all)
	for (unit, unit_time_ms, inputs, units, deadline, each, all) in [
		(Unit::Request, 100, 3, 3, 90, 400, 1_200),
		(Unit::InputKib, 100, 3, 12, 90, 4_800, 4_800),
		(Unit::Request, 1, 256, 256, 90, 250, 16_000),
		(Unit::Request, 2_000, 100, 100, 15, 8_000, 10_000),
	] {
		let spec = VersionSpec {
			unit,
			unit_time_ms,
			..spec(1)
		};
		let mut job = of_many(item_of(1, 1, spec, b"inputs", deadline), inputs);
		job.units = units;
		let (model, task) = (ModelKey::of(1, 1, &job.spec), Task::Job(WorkKey::of(NODE, &job)));
		let mut rig = Rig::new();
		rig.block(10, vec![job]);
		rig.machine.handle(Event::ModelFetched(model));
		rig.machine.handle(Event::ModelReady(model));
		let actions = rig.machine.handle(Event::InputReady(task));
		let limit = TimeLimit {
			each: Duration::from_millis(each),
			all: Duration::from_millis(all),
		};
		assert_eq!(time_limits(&actions), [limit], "{unit:?} {unit_time_ms} {inputs}");
	}
}

#[test]
fn judge_should_run_the_drawn_input_alone_beside_others_and_compare_it() {
	let mut rig = Rig::new();
	rig.audits = vec![audited(2)];
	rig.block(10, vec![item(2, 1, 30)]);
	rig.machine.handle(Event::InputReady(Task::Audit(vote(2))));
	rig.input(2);
	let drawn = RunItem {
		task: Task::Audit(vote(2)),
		input: job(0).input,
		inputs: 3,
		index: Some(2),
		seeds: vec![work_seed(&job(0).work)],
	};
	let actions = rig.load(1);
	assert_eq!(runs(&actions), [(0, vec![2, 1])]);
	assert_eq!(items(&actions)[1], drawn);
	rig.done(0, vec![ok(2), (drawn.task, Ok(own()))]);
	assert_eq!(
		rig.machine.models[&model_key(1)].micros_per_unit,
		Some(5_000),
		"10 ms for one unit of each"
	);
	let compare = Action::Compare {
		key: vote(2),
		spec: Box::new(spec(1)),
		inputs: 3,
		ours: output(1),
		theirs: BlobRef::of(b"a bundle of outputs"),
	};
	assert_eq!(rig.machine.handle(Event::OutputReady(vote(2))), [compare]);
}

#[test]
fn output_should_be_wrong_without_a_look_when_no_bundle_with_the_own_one_is_so_long() {
	let own_len = output(1).len() as u64;
	for (size, looks) in [
		(own_len - 1, false),
		(own_len, true),
		(256 << 20, true),
		((256 << 20) + 1, false),
	] {
		let mut rig = Rig::new();
		rig.audits = vec![audited(1)];
		rig.audits[0].output.size = size;
		rig.block(10, vec![]);
		rig.load(1);
		rig.machine.handle(Event::InputReady(Task::Audit(vote(1))));
		let actions = rig.done(0, vec![(Task::Audit(vote(1)), Ok(own()))]);
		match &actions[..] {
			[Action::FetchOutput { .. }] => assert!(looks, "{size}"),
			[Action::RecordBallot { ballot, .. }] => assert!(!looks && ballot.vote == Vote::No, "{size}"),
			_ => panic!("{actions:?}"),
		}
	}
}

#[test]
fn sketch_of_the_drawn_input_should_be_opened_and_an_operator_told_when_there_is_none() {
	let finished = Finished {
		key: work_key(),
		sketches: all_done().sketches,
		..finished(1)
	};
	let mut rig = Rig::new();
	rig.machine.handle(Event::JournalRestored {
		done: vec![finished.clone()],
		lost: BTreeSet::new(),
		ballots: vec![],
	});
	for index in 0..3 {
		rig.audits = vec![audit_of(job(0), AuditTask::Open { index }, &output(1), 40)];
		let actions = rig.block(10 + u32::from(index), vec![]);
		let [Action::SubmitOpening { opening, salt, .. }] = &actions[..] else {
			panic!("{actions:?}")
		};
		assert!(opening.is_of(index, 3));
		assert_eq!((opening.sketch, *salt), (sketch(i64::from(index) + 1), finished.salt));
	}
	rig.audits = vec![audit_of(job(0), AuditTask::Open { index: 3 }, &output(1), 40)];
	let unanswerable = Action::Unanswerable {
		key: work_key(),
		step: AuditStep::Open,
	};
	assert_eq!(rig.block(13, vec![]), [unanswerable]);
}

#[test]
fn input_should_be_judged_anew_when_another_fork_draws_another_one() {
	let mut rig = Rig::new();
	rig.hosted = vec![hosted(1)];
	rig.audits = vec![audited(0)];
	rig.block(10, vec![]);
	rig.load(1);
	let commits = |actions: &[Action]| matches!(actions, [Action::SubmitCommitment { .. }]);
	assert!(commits(&rig.vote_on(0, 0, sketch(7))));
	// The auditor's seed is the work's on every fork.
	rig.audits = vec![audited(2)];
	let actions = rig.block(11, vec![]);
	assert_eq!(input_fetches(&actions), [1], "{actions:?}");
	assert!(commits(&rig.vote_on(2, 1, sketch(9))));
	rig.audits = vec![audited(0)];
	assert!(commits(&rig.block(12, vec![])), "no second ballot about the first one");

	// Which of the two is committed to on this fork is not in the list: each is said in turn.
	rig.audits[0].task = AuditTask::Reveal { seed: vote(0).seed };
	let sketches = |actions: &[Action]| -> Vec<Sketch> {
		let ballots = revealed(actions);
		ballots.iter().map(|ballot| ballot.sketch).collect()
	};
	assert_eq!(sketches(&rig.block(13, vec![])), [sketch(7)]);
	let reveal = || Submission::Audit(1, AuditStep::Reveal);
	rig.machine.handle(Event::SubmitFailed(reveal()));
	assert_eq!(sketches(&rig.block(14, vec![])), [sketch(9)]);
	rig.machine.handle(Event::Submitted(reveal()));
	assert_eq!(sketches(&rig.block(15, vec![])), []);
}
