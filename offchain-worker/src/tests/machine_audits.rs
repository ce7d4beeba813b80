use super::{tests::*, *};
use crate::fixtures::*;
use highway_primitives::{
	audit::{AuditTask, Claims, SketchSeed},
	BlobRef, Vote,
};

const FRESH: SketchSeed = [9; 32];

/// The own result of job 1, under so many seeds.
fn own_result(seeds: usize) -> RunOutput {
	RunOutput {
		file: output(1),
		sketches: (0..seeds).map(|seed| sketch(100 + seed as i64)).collect(),
	}
}

fn auditor() -> BallotKey {
	ballot_key(1, auditor_seed(1))
}

fn juror() -> BallotKey {
	ballot_key(1, FRESH)
}

fn cast(vote: Vote, sketch: Sketch) -> Ballot {
	Ballot {
		vote,
		auditor_right: true,
		sketch,
	}
}

fn sealed(key: BallotKey, ballot: Ballot) -> SealedBallot {
	SealedBallot {
		key,
		ballot,
		salt: [3; 32],
	}
}

fn abstained(key: BallotKey) -> Action {
	Action::RecordBallot {
		key,
		ballot: cast(Vote::Abstain, Sketch::default()),
	}
}

fn ballots(actions: &[Action]) -> Vec<Vote> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::RecordBallot { ballot, .. } => Some(ballot.vote),
			_ => None,
		})
		.collect()
}

impl Rig {
	/// Block 10 with the audit of job 1, whose phase ends at `until`; everything loaded, and run 0 started.
	fn judging(task: AuditTask, until: BlockNumber) -> Self {
		let mut rig = Self::new();
		rig.audits = vec![audit(1, task, &output(1), until)];
		let actions = rig.block(10, vec![]);
		assert_eq!((model_fetches(&actions), input_fetches(&actions)), (vec![1], vec![1]));
		rig.load(1);
		let key = rig.key();
		assert_eq!(
			runs(&rig.machine.handle(Event::InputReady(Task::Audit(key)))),
			[(0, vec![1])]
		);
		rig
	}

	/// The same with the own result there.
	fn judged(task: AuditTask, until: BlockNumber) -> Self {
		let mut rig = Self::judging(task, until);
		let seeds = if rig.key() == auditor() { 1 } else { 2 };
		let actions = rig.audit_done(0, Ok(own_result(seeds)));
		assert_eq!(
			actions,
			[Action::FetchOutput {
				key: rig.key(),
				output: BlobRef::of(&output(1)),
				executor: contact(EXECUTOR),
			}]
		);
		rig
	}

	fn key(&self) -> BallotKey {
		match self.audits[0].task {
			AuditTask::Judge { seed, .. } => ballot_key(1, seed),
			_ => panic!("not a judge's task"),
		}
	}

	fn audit_done(&mut self, run: RunId, result: Result<RunOutput, JobFault>) -> Vec<Action> {
		let task = Task::Audit(self.key());
		self.done(run, vec![(task, result)])
	}

	fn audit_fails(&mut self, run: RunId, error: EngineError) -> Vec<Action> {
		self.audit_done(run, Err(JobFault::Engine(error)))
	}

	fn found(&mut self, finding: Finding) -> Vec<Action> {
		let key = self.key();
		let actions = self.machine.handle(Event::OutputReady(key));
		assert!(matches!(&actions[..], [Action::Compare { .. }]), "{actions:?}");
		self.machine.handle(Event::Compared(key, Ok(finding)))
	}
}

#[test]
fn job_should_be_run_then_looked_at_then_voted_on_and_revealed_when_all_goes_well() {
	let mut rig = Rig::judged(judge(1), 40);
	let actions = rig.machine.handle(Event::OutputReady(auditor()));
	let compare = Action::Compare {
		key: auditor(),
		spec: Box::new(spec(1)),
		inputs: 1,
		ours: output(1),
		theirs: BlobRef::of(&output(1)),
	};
	assert_eq!(actions, [compare]);
	let ballot = cast(Vote::Yes, sketch(100));
	let record = Action::RecordBallot { key: auditor(), ballot };
	assert_eq!(
		rig.machine.handle(Event::Compared(auditor(), Ok(Finding::Right))),
		[record]
	);
	let sealed = sealed(auditor(), ballot);
	let commit = Action::SubmitCommitment {
		node: NODE,
		job: 1,
		seed: auditor_seed(1),
		commitment: sealed.commitment(),
	};
	assert_eq!(
		rig.machine.handle(Event::BallotRecorded(sealed)),
		std::slice::from_ref(&commit)
	);
	rig.machine
		.handle(Event::Submitted(Submission::Audit(1, AuditStep::Commit)));
	for (block, again) in [(11, false), (12, false), (13, true)] {
		assert_eq!(rig.block(block, vec![]).contains(&commit), again, "block {block}");
	}
	assert_eq!(
		rig.machine
			.handle(Event::SubmitFailed(Submission::Audit(1, AuditStep::Commit))),
		[]
	);
	assert!(rig.block(14, vec![]).contains(&commit), "the pool did not take it");

	rig.audits[0].task = AuditTask::Reveal { seed: auditor_seed(1) };
	let reveal = Action::SubmitReveal {
		node: NODE,
		job: 1,
		ballot,
		salt: [3; 32],
	};
	assert!(rig.block(15, vec![]).contains(&reveal));
	rig.audits.clear();
	rig.block(16, vec![]);
	assert_eq!(rig.machine.stats().audits, 0);
}

#[test]
fn auditor_should_ask_for_one_sketch_and_juror_for_two() {
	for (task, expected) in [
		(judge(1), vec![auditor_seed(1)]),
		(
			judge_as_juror(FRESH, claims(100, Vote::No)),
			vec![auditor_seed(1), FRESH],
		),
	] {
		let mut rig = Rig::new();
		rig.audits = vec![audit(1, task, &output(1), 40)];
		rig.block(10, vec![]);
		rig.load(1);
		let task = Task::Audit(rig.key());
		let actions = rig.machine.handle(Event::InputReady(task));
		let Some(Action::Run { items, .. }) = actions.first() else {
			panic!("{actions:?}")
		};
		assert_eq!((items[0].task, &items[0].seeds), (task, &expected));
		// An engine that gives fewer has not done what was asked.
		let short = RunOutput {
			sketches: own_result(expected.len() - 1).sketches,
			..own_result(1)
		};
		assert_eq!(runs(&rig.audit_done(0, Ok(short))), [(1, vec![1])]);
	}
}

fn claims(executor: i64, vote: Vote) -> Claims {
	Claims {
		executor: sketch(executor),
		vote,
		auditor: sketch(100),
	}
}

#[test]
fn juror_should_judge_executor_and_auditor_when_its_result_is_there() {
	for (claims, finding, vote, auditor_right) in [
		(claims(105, Vote::No), Finding::Right, Vote::Yes, false),
		(claims(0, Vote::Yes), Finding::Right, Vote::No, true),
		(claims(100, Vote::Yes), Finding::Wrong, Vote::No, false),
	] {
		let mut rig = Rig::judged(judge_as_juror(FRESH, claims), 40);
		let ballot = Ballot {
			vote,
			auditor_right,
			sketch: sketch(101),
		};
		assert_eq!(rig.found(finding), [Action::RecordBallot { key: juror(), ballot }]);
	}
}

#[test]
fn output_of_another_length_should_be_wrong_without_a_look() {
	let mut rig = Rig::judging(judge(1), 40);
	let longer = RunOutput {
		file: Bytes::from_static(b"much longer than what was attested"),
		..own_result(1)
	};
	let ballot = cast(Vote::No, sketch(100));
	assert_eq!(
		rig.audit_done(0, Ok(longer)),
		[Action::RecordBallot { key: auditor(), ballot }]
	);
}

#[test]
fn node_should_abstain_when_its_input_is_nowhere() {
	let mut rig = Rig::new();
	rig.audits = vec![audit(1, judge(1), &output(1), 16)];
	rig.block(10, vec![]);
	for block in 11..13 {
		let missing = Event::InputFailed(Task::Audit(auditor()), BlobError::Missing);
		assert_eq!(rig.machine.handle(missing), []);
		let actions = rig.block(block, vec![]);
		assert_eq!(
			(input_fetches(&actions), ballots(&actions)),
			(vec![1], vec![]),
			"block {block}"
		);
	}
	let actions = rig.block(13, vec![]);
	assert!(actions.contains(&Action::StopFetch(Transfer::Input(Task::Audit(auditor())))));
	assert!(actions.contains(&abstained(auditor())));
	assert_eq!(ballots(&rig.block(14, vec![])), [], "once");
}

#[test]
fn node_should_abstain_near_the_end_when_its_engine_or_its_model_is_not_there() {
	let mut rig = Rig::judging(judge(1), 16);
	assert_eq!(rig.audit_fails(0, EngineError::Unavailable("no library".into())), []);
	for block in 11..13 {
		assert_eq!(ballots(&rig.block(block, vec![])), [], "block {block}");
	}
	assert_eq!(ballots(&rig.block(13, vec![])), [Vote::Abstain]);

	let mut rig = Rig::new();
	rig.audits = vec![audit(1, judge(1), &output(1), 16)];
	rig.block(10, vec![]);
	rig.machine.handle(Event::InputReady(Task::Audit(auditor())));
	rig.machine
		.handle(Event::ModelFetchFailed(model_key(1), BlobError::Missing));
	assert_eq!(ballots(&rig.block(13, vec![])), [Vote::Abstain]);

	// A run that is not over by then comes too late, and its result changes nothing.
	let mut rig = Rig::judging(judge(1), 16);
	assert_eq!(ballots(&rig.block(13, vec![])), [Vote::Abstain]);
	assert_eq!(rig.audit_done(0, Ok(own_result(1))), []);
}

#[test]
fn node_should_abstain_at_once_when_it_cannot_run_the_job_at_all() {
	let mut rig = Rig::judging(judge(1), 40);
	assert_eq!(runs(&rig.audit_fails(0, EngineError::TimedOut)), [(1, vec![1])]);
	let others_took_the_time = rig.audit_fails(1, EngineError::NotRun);
	assert_eq!(
		runs(&others_took_the_time),
		[(2, vec![1])],
		"nothing is held against it"
	);
	assert_eq!(
		rig.audit_fails(2, EngineError::RunFailed("x".into())),
		[abstained(auditor())]
	);

	let mut rig = Rig::judging(judge(1), 40);
	assert_eq!(
		rig.audit_fails(0, EngineError::ModelRefused("x".into())),
		[abstained(auditor())]
	);
}

#[test]
fn job_should_be_wrong_when_its_input_does_not_fit_the_model() {
	let mut rig = Rig::judging(judge(1), 40);
	let ballot = cast(Vote::No, Sketch::default());
	assert_eq!(
		rig.audit_fails(0, EngineError::InputInvalid("x".into())),
		[Action::RecordBallot { key: auditor(), ballot }]
	);
}

#[test]
fn output_should_be_missing_when_nobody_serves_it_until_the_end() {
	let mut rig = Rig::judged(judge(1), 20);
	let missing = || Event::OutputFailed(auditor(), BlobError::Missing);
	assert_eq!(rig.machine.handle(missing()), []);
	for block in 11..17 {
		let actions = rig.block(block, vec![]);
		let fetches = |action: &&Action| matches!(action, Action::FetchOutput { .. });
		assert_eq!(actions.iter().filter(fetches).count(), 1, "block {block}: {actions:?}");
		rig.machine.handle(missing());
	}
	let ballot = cast(Vote::Missing, sketch(100));
	assert!(rig
		.block(17, vec![])
		.contains(&Action::RecordBallot { key: auditor(), ballot }));
}

#[test]
fn juror_should_judge_by_the_sketches_when_nobody_serves_the_output_until_the_end() {
	for (claims, vote, auditor_right) in [
		(claims(105, Vote::Missing), Vote::Yes, true),
		(claims(0, Vote::Missing), Vote::No, true),
		(claims(100, Vote::No), Vote::Yes, true),
		(
			Claims {
				auditor: sketch(0),
				..claims(100, Vote::Missing)
			},
			Vote::Yes,
			false,
		),
	] {
		let mut rig = Rig::judged(judge_as_juror(FRESH, claims), 16);
		rig.machine.handle(Event::OutputFailed(juror(), BlobError::Missing));
		let ballot = Ballot {
			vote,
			auditor_right,
			sketch: sketch(101),
		};
		assert!(rig
			.block(13, vec![])
			.contains(&Action::RecordBallot { key: juror(), ballot }));
	}
}

#[test]
fn juror_should_abstain_when_it_could_not_run() {
	let mut rig = Rig::judging(judge_as_juror(FRESH, claims(100, Vote::Missing)), 16);
	assert!(rig.block(13, vec![]).contains(&abstained(juror())));
}

#[test]
fn node_should_abstain_when_its_own_disk_keeps_the_output_away() {
	let mut rig = Rig::judged(judge(1), 16);
	let full = BlobError::Storage("full".into());
	rig.machine.handle(Event::OutputFailed(auditor(), full.clone()));
	assert!(!rig.machine.is_healthy());
	assert_eq!(ballots(&rig.block(13, vec![])), [Vote::Abstain]);

	let mut rig = Rig::judged(judge(1), 16);
	rig.machine.handle(Event::OutputReady(auditor()));
	rig.machine.handle(Event::Compared(auditor(), Err(full)));
	assert_eq!(ballots(&rig.block(13, vec![])), [Vote::Abstain]);
}

#[test]
fn output_should_be_fetched_again_when_the_store_lost_it() {
	let mut rig = Rig::judged(judge(1), 40);
	rig.machine.handle(Event::OutputReady(auditor()));
	assert_eq!(
		rig.machine.handle(Event::Compared(auditor(), Err(BlobError::Missing))),
		[]
	);
	let actions = rig.block(11, vec![]);
	assert!(
		actions
			.iter()
			.any(|action| matches!(action, Action::FetchOutput { .. })),
		"{actions:?}"
	);
	assert_eq!(ballots(&rig.found(Finding::Right)), [Vote::Yes]);
}

#[test]
fn comparison_should_get_one_block_more_when_the_end_is_near() {
	let mut rig = Rig::judged(judge(1), 16);
	rig.machine.handle(Event::OutputReady(auditor()));
	assert_eq!(ballots(&rig.block(13, vec![])), []);
	assert_eq!(ballots(&rig.block(14, vec![])), [Vote::Abstain]);
	assert_eq!(rig.machine.handle(Event::Compared(auditor(), Ok(Finding::Right))), []);
}

#[test]
fn ballot_should_stay_the_same_when_the_worker_restarts() {
	let before = sealed(auditor(), cast(Vote::No, sketch(5)));
	let restored = || Event::JournalRestored {
		done: vec![],
		lost: BTreeSet::new(),
		ballots: vec![before.clone()],
	};
	let list = |task| WorkList {
		audits: vec![audit(1, task, &output(1), 40)],
		..work(vec![])
	};
	let block = |task| Event::Block {
		number: 5,
		finalized: 0,
		work: Some(list(task)),
	};
	let mut machine = Machine::new(MachineConfig::default());
	machine.handle(restored());
	let actions = machine.handle(block(judge(1)));
	assert_eq!(
		(input_fetches(&actions), model_fetches(&actions)),
		(vec![], vec![]),
		"no second run"
	);
	let commitment = before.commitment();
	assert!(actions.contains(&Action::SubmitCommitment {
		node: NODE,
		job: 1,
		seed: auditor_seed(1),
		commitment
	}));

	let mut machine = Machine::new(MachineConfig::default());
	machine.handle(restored());
	let actions = machine.handle(block(AuditTask::Reveal { seed: auditor_seed(1) }));
	assert!(actions.contains(&Action::SubmitReveal {
		node: NODE,
		job: 1,
		ballot: before.ballot,
		salt: [3; 32]
	}));
	// Another seed is another seat.
	let mut machine = Machine::new(MachineConfig::default());
	machine.handle(restored());
	let actions = machine.handle(block(judge_as_juror(FRESH, claims(100, Vote::No))));
	assert_eq!(input_fetches(&actions), [1]);
}

#[test]
fn ballot_should_not_be_cast_again_when_the_audit_vanishes_and_comes_back() {
	let mut rig = Rig::judged(judge(1), 40);
	rig.found(Finding::Right);
	let listed = std::mem::take(&mut rig.audits);
	rig.block(11, vec![]);
	rig.audits = listed.clone();
	assert_eq!(rig.block(12, vec![]), [], "it is on its way to the journal");
	let before = sealed(auditor(), cast(Vote::Yes, sketch(100)));
	let actions = rig.machine.handle(Event::BallotRecorded(before));
	assert!(matches!(actions[..], [Action::SubmitCommitment { .. }]));
	rig.audits.clear();
	rig.block(13, vec![]);
	rig.audits = listed;
	let actions = rig.block(14, vec![]);
	assert!(matches!(actions[..], [Action::SubmitCommitment { .. }]), "{actions:?}");
}

#[test]
fn run_should_be_waited_for_when_the_audit_vanishes_and_comes_back_in_the_middle_of_it() {
	let mut rig = Rig::judging(judge(1), 40);
	let listed = std::mem::take(&mut rig.audits);
	rig.block(11, vec![]);
	rig.audits = listed;
	let actions = rig.block(12, vec![]);
	assert_eq!((runs(&actions), input_fetches(&actions)), (vec![], vec![]));
	assert!(matches!(
		rig.audit_done(0, Ok(own_result(1)))[..],
		[Action::FetchOutput { .. }]
	));
}

#[test]
fn ballot_should_be_written_again_when_the_disk_was_full() {
	let mut rig = Rig::judged(judge(1), 40);
	rig.found(Finding::Right);
	assert_eq!(rig.machine.handle(Event::BallotRecordFailed(auditor())), []);
	assert_eq!(ballots(&rig.block(11, vec![])), [Vote::Yes]);
	// Whatever the journal then says is what counts.
	let other = sealed(auditor(), cast(Vote::Abstain, Sketch::default()));
	let commit = rig.machine.handle(Event::BallotRecorded(other.clone()));
	let commitment = other.commitment();
	assert!(matches!(commit[..], [Action::SubmitCommitment { commitment: said, .. }] if said == commitment));
}

#[test]
fn commitment_should_be_opened_with_what_was_attested_when_an_audit_asks() {
	let other = Finished {
		output: BlobRef::of(b"another result"),
		sketches: vec![sketch(55)],
		..finished(1)
	};
	for attested in [finished(1), other.clone()] {
		let mut rig = Rig::new();
		rig.machine.handle(Event::JournalRestored {
			done: vec![finished(1), other.clone()],
			lost: [finished(1).output.hash, other.output.hash].into(),
			ballots: vec![],
		});
		rig.audits = vec![AuditItem {
			output: attested.output,
			..audit(1, AuditTask::Open { index: 0 }, b"", 40)
		}];
		let open = Action::SubmitOpening {
			node: NODE,
			job: 1,
			opening: attested.opening(0).unwrap(),
			salt: [1; 32],
		};
		assert_eq!(rig.block(10, vec![]), std::slice::from_ref(&open));
		rig.machine
			.handle(Event::Submitted(Submission::Audit(1, AuditStep::Open)));
		assert_eq!(rig.block(12, vec![]), []);
		assert_eq!(rig.block(13, vec![]), [open]);
	}
}

#[test]
fn operator_should_be_told_once_when_the_journal_does_not_hold_what_is_asked_for() {
	for (task, step) in [
		(AuditTask::Open { index: 0 }, AuditStep::Open),
		(AuditTask::Reveal { seed: FRESH }, AuditStep::Reveal),
	] {
		let mut rig = Rig::new();
		rig.audits = vec![audit(1, task, &output(1), 40)];
		assert_eq!(rig.block(10, vec![]), [Action::Unanswerable { key: key(1, 1), step }]);
		assert_eq!(rig.block(11, vec![]), []);
	}
}

#[test]
fn chunk_should_be_shown_when_somebody_misses_the_output() {
	let mut rig = Rig::new();
	rig.audits = vec![audit(1, AuditTask::ProveChunk { chunk: 4 }, &output(1), 40)];
	let prove = Action::SubmitProof {
		node: NODE,
		job: 1,
		output: BlobRef::of(&output(1)),
		chunk: 4,
	};
	assert_eq!(rig.block(10, vec![]), std::slice::from_ref(&prove));
	rig.machine
		.handle(Event::SubmitFailed(Submission::Audit(1, AuditStep::Prove)));
	assert_eq!(rig.block(11, vec![]), [prove]);
	rig.audits[0].task = AuditTask::ProveChunk { chunk: 5 };
	assert!(matches!(
		rig.block(12, vec![])[..],
		[Action::SubmitProof { chunk: 5, .. }]
	));
}

#[test]
fn transfers_should_be_broken_off_when_the_audit_goes() {
	let mut rig = Rig::new();
	rig.audits = vec![audit(1, judge(1), &output(1), 40)];
	rig.block(10, vec![]);
	rig.audits.clear();
	let input = Action::StopFetch(Transfer::Input(Task::Audit(auditor())));
	assert!(rig.block(11, vec![]).contains(&input));

	let mut rig = Rig::judged(judge(1), 40);
	rig.audits.clear();
	let stopped = rig.block(11, vec![]);
	assert!(stopped.contains(&Action::StopFetch(Transfer::Output(auditor()))));
	assert!(
		stopped.contains(&Action::ReleaseModel(spec(1).artifact)),
		"nobody needs the model any more"
	);
}

#[test]
fn model_should_be_asked_of_the_executor_when_the_node_does_not_host_it() {
	let mut rig = Rig::new();
	rig.audits = vec![audit(1, judge(1), &output(1), 40)];
	let actions = rig.block(10, vec![]);
	let providers = actions.iter().find_map(|action| match action {
		Action::FetchModel { providers, .. } => Some(providers.clone()),
		_ => None,
	});
	assert_eq!(providers, Some(vec![contact(1), contact(EXECUTOR)]));
}

#[test]
fn what_is_due_first_should_run_first_when_jobs_and_audits_wait() {
	// (deadline of the job, end of the audit's phase, what runs first)
	for (deadline, until, first) in [(30, 33, 1), (30, 35, 2), (28, 33, 2)] {
		let mut rig = Rig::with(MachineConfig {
			max_batch: 1,
			..MachineConfig::default()
		});
		rig.audits = vec![audit(1, judge(1), &output(1), until)];
		rig.block(10, vec![item(2, 1, deadline)]);
		rig.machine.handle(Event::InputReady(Task::Audit(auditor())));
		rig.input(2);
		assert_eq!(runs(&rig.load(1)), [(0, vec![first])], "{deadline} {until}");
	}
}

#[test]
fn job_and_audit_of_one_model_should_share_a_run() {
	let mut rig = Rig::new();
	rig.audits = vec![audit(1, judge(1), &output(1), 40)];
	rig.block(10, vec![item(2, 1, 30)]);
	rig.machine.handle(Event::InputReady(Task::Audit(auditor())));
	rig.input(2);
	assert_eq!(runs(&rig.load(1)), [(0, vec![2, 1])]);
	let results = vec![
		(Task::Job(key(2, 1)), Ok(result(2))),
		(Task::Audit(auditor()), Ok(own_result(1))),
	];
	let actions = rig.done(0, results);
	assert!(
		matches!(actions[..], [Action::Record(_), Action::FetchOutput { .. }]),
		"{actions:?}"
	);
}

#[test]
fn no_more_audits_should_run_when_own_outputs_fill_the_memory() {
	let mut rig = Rig::with(MachineConfig {
		max_held_bytes: 1,
		..MachineConfig::default()
	});
	rig.audits = vec![audit(1, judge(1), &output(1), 40)];
	rig.block(10, vec![]);
	rig.load(1);
	rig.machine.handle(Event::InputReady(Task::Audit(auditor())));
	rig.audit_done(0, Ok(own_result(1)));
	rig.audits.push(audit(2, judge(2), &output(2), 40));
	rig.block(11, vec![]);
	let second = Event::InputReady(Task::Audit(ballot_key(2, auditor_seed(2))));
	assert_eq!(runs(&rig.machine.handle(second)), []);
	assert_eq!(runs(&rig.found(Finding::Right)), [(1, vec![2])]);
}

#[test]
fn words_should_wait_when_too_many_are_on_their_way() {
	let mut rig = Rig::with(MachineConfig {
		max_audit_submissions: 2,
		..MachineConfig::default()
	});
	let prove = |job| audit(job, AuditTask::ProveChunk { chunk: 0 }, &output(job), 50 - job as u32);
	rig.audits = (1..=3).map(prove).collect();
	let said = |actions: &[Action]| -> Vec<JobId> {
		actions
			.iter()
			.filter_map(|action| match action {
				Action::SubmitProof { job, .. } => Some(*job),
				_ => None,
			})
			.collect()
	};
	assert_eq!(said(&rig.block(10, vec![])), [3, 2], "the most urgent first");
	let next = rig
		.machine
		.handle(Event::Submitted(Submission::Audit(3, AuditStep::Prove)));
	assert_eq!(said(&next), [1]);
}

#[test]
fn everything_should_be_kept_until_the_chain_says_that_the_job_has_ended() {
	let mut rig = Rig::new();
	rig.machine.handle(Event::JournalRestored {
		done: vec![finished(1), finished(2)],
		lost: BTreeSet::new(),
		ballots: vec![sealed(ballot_key(3, FRESH), cast(Vote::Yes, sketch(1)))],
	});
	rig.block_finalized(10, 8, vec![]);
	assert_eq!(rig.block_finalized(311, 309, vec![]), [Action::CheckEngine]);
	let asked = rig.block_finalized(312, 310, vec![]);
	assert!(asked.contains(&Action::AskJobs(vec![1, 2, 3])), "{asked:?}");
	// An audit asks for job 1 before the answer is there.
	rig.audits = vec![audit(1, AuditTask::Open { index: 0 }, &output(1), 400)];
	assert!(matches!(
		rig.block_finalized(313, 311, vec![])[..],
		[Action::SubmitOpening { .. }]
	));
	let open = Event::OpenJobs(Some([2].into()));
	assert_eq!(rig.machine.handle(open), [Action::Forget(vec![key(3, 1)])]);
	rig.audits = vec![audit(3, AuditTask::Reveal { seed: FRESH }, &output(3), 400)];
	assert!(matches!(
		rig.block_finalized(314, 312, vec![])[..],
		[Action::Unanswerable { .. }]
	));
}

#[test]
fn questions_should_be_few_when_much_has_gone() {
	let mut rig = Rig::with(MachineConfig {
		max_questions: 2,
		..MachineConfig::default()
	});
	rig.machine.handle(Event::JournalRestored {
		done: (1..=5).map(finished).collect(),
		lost: BTreeSet::new(),
		ballots: vec![],
	});
	rig.block_finalized(10, 8, vec![]);
	for (block, expected) in (400..).zip([vec![1, 2], vec![3, 4], vec![5]]) {
		let actions = rig.block_finalized(block, block - 2, vec![]);
		assert!(actions.contains(&Action::AskJobs(expected.clone())), "{actions:?}");
		let forgotten = expected.into_iter().map(|job| key(job, 1)).collect();
		assert_eq!(
			rig.machine.handle(Event::OpenJobs(Some(BTreeSet::new()))),
			[Action::Forget(forgotten)]
		);
	}
}
