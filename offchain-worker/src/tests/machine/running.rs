//! What runs, together with what, and what becomes of it.

use super::*;

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
fn jobs_that_were_not_run_should_be_ready_again_and_nothing_be_held_against_them() {
	let mut rig = Rig::new();
	rig.block(10, (1..=3).map(|job| item(job, 1, 30)).collect());
	rig.load(1);
	rig.input(1);
	rig.input(2);
	rig.input(3);
	assert_eq!(runs(&rig.done(0, vec![ok(1)])), [(1, vec![2, 3])]);
	for run in 1..5 {
		let results = vec![failed(2, EngineError::NotRun), failed(3, EngineError::NotRun)];
		assert_eq!(runs(&rig.done_in(3_000, run, results)), [(run + 1, vec![2, 3])]);
	}
	let measured = |rig: &Rig| rig.machine.models[&model_key(1)].micros_per_unit;
	assert_eq!(measured(&rig), Some(10_000), "a run of nothing measures nothing");
	// What came to an end counts with its own units.
	rig.done_in(50, 5, vec![ok(2), failed(3, EngineError::NotRun)]);
	assert_eq!(measured(&rig), Some(10_000 / 4 * 3 + 50_000 / 4));
}

#[test]
fn model_should_rest_four_times_as_long_as_its_failed_runs_took() {
	let mut rig = Rig::new();
	let jobs = || vec![item(1, 1, 90), item(2, 1, 91), item(3, 2, 92)];
	rig.block(10, jobs());
	rig.load(1);
	rig.machine.handle(Event::ModelFetched(model_key(2)));
	rig.machine.handle(Event::ModelReady(model_key(2)));
	assert_eq!(runs(&rig.input(1)), [(0, vec![1])]);
	rig.input(2);
	rig.machine.handle(Event::InputReady(Task::Job(key(3, 2))));
	// 1.3 s lost are 5.2 s of rest: two blocks, and something for the next time.
	let actions = rig.done_in(1_300, 0, vec![failed(1, EngineError::TimedOut)]);
	assert_eq!(runs(&actions), [(1, vec![3])], "the other model's turn");
	rig.machine.handle(Event::RunDone {
		run: 1,
		elapsed: Duration::ZERO,
		results: vec![(Task::Job(key(3, 2)), Ok(result(3)))],
	});
	assert_eq!(runs(&rig.block(11, jobs())), []);
	assert_eq!(runs(&rig.block(12, jobs())), [(2, vec![1])]);
	let actions = rig.done_in(200, 2, vec![failed(1, EngineError::TimedOut)]);
	assert_eq!(failures(&actions), [(1, FailureClass::RunFailed)]);
	assert_eq!(runs(&actions), [], "1.2 s and 0.8 s are a block");
	assert_eq!(runs(&rig.block(13, jobs())), [(3, vec![2])]);
}

#[test]
fn model_should_not_rest_when_its_runs_fail_quickly_or_only_some_inputs_are_bad() {
	let mut rig = Rig::new();
	rig.block(10, (1..=20).map(|job| item(job, 1, 30)).collect());
	rig.load(1);
	(1..=20).for_each(|job| drop(rig.input(job)));
	rig.done(0, vec![ok(1)]);
	let mut results: Vec<_> = (2..20).map(ok).collect();
	results.push(failed(20, EngineError::RunFailed("x".into())));
	assert_eq!(runs(&rig.done_in(2_000, 1, results)), [(2, vec![20])]);
	let actions = rig.done_in(1, 2, vec![failed(20, EngineError::RunFailed("x".into()))]);
	assert_eq!(failures(&actions), [(20, FailureClass::RunFailed)]);
	assert_eq!(rig.machine.models[&model_key(1)].rests_until, 10);
}

#[test]
fn time_limit_should_follow_the_registered_time_within_the_deadline() {
	// (milliseconds of a unit, deadline, limit)
	for (unit_time_ms, deadline, limit) in [
		(1, 90, 250),
		(100, 90, 400),
		(2_000, 90, 8_000),
		(2_000, 12, 4_000),
		(60_000, 11, 2_000),
	] {
		let mut slow = spec(1);
		slow.unit_time_ms = unit_time_ms;
		let job = item_of(1, 1, slow, b"input", deadline);
		let (model, key) = (ModelKey::of(1, 1, &job.spec), WorkKey::of(NODE, &job));
		let mut rig = Rig::new();
		rig.block(10, vec![job]);
		rig.machine.handle(Event::ModelFetched(model));
		rig.machine.handle(Event::ModelReady(model));
		let actions = rig.machine.handle(Event::InputReady(Task::Job(key)));
		assert_eq!(
			time_limits(&actions),
			[TimeLimit::alike(Duration::from_millis(limit), 1)],
			"{unit_time_ms} {deadline}"
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
