//! Inputs and models that come, are missing or go.

use super::*;

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
	assert!(actions.contains(&Action::DropModel(model_key(1))));
	assert!(!actions.contains(&Action::ReleaseModel(spec(3).artifact)));
	assert!(!actions.contains(&Action::DropModel(model_key(3))));
}

#[test]
fn model_should_be_dropped_when_it_went_while_it_was_being_loaded() {
	let mut rig = Rig::new();
	rig.hosted = vec![hosted(1)];
	rig.block(10, vec![]);
	rig.machine.handle(Event::ModelFetched(model_key(1)));
	rig.hosted.clear();
	rig.block(11, vec![]);
	assert_eq!(
		rig.machine.handle(Event::ModelReady(model_key(1))),
		[Action::DropModel(model_key(1))]
	);
	// It may come back before the answer: then it stays.
	rig.hosted = vec![hosted(1)];
	rig.block(12, vec![]);
	rig.machine.handle(Event::ModelFetched(model_key(1)));
	rig.hosted.clear();
	rig.block(13, vec![]);
	rig.hosted = vec![hosted(1)];
	rig.block(14, vec![]);
	assert_eq!(rig.machine.handle(Event::ModelReady(model_key(1))), []);
}

#[test]
fn too_large_model_should_be_refused_alone_when_it_is_to_be_fetched() {
	let mut rig = Rig::new();
	rig.block(10, vec![item(1, 1, 50), item(2, 2, 50)]);
	let too_large = BlobError::TooLarge { size: 2, most: 1 };
	let actions = rig.machine.handle(Event::ModelFetchFailed(model_key(1), too_large));
	assert_eq!(failures(&actions), [(1, FailureClass::ModelRefused)]);
	assert!(rig.machine.is_healthy());
	assert!(model_fetches(&rig.block(11, vec![item(2, 2, 50)])).is_empty());
}

#[test]
fn node_should_stay_healthy_and_wait_when_a_model_finds_no_room() {
	let mut rig = Rig::new();
	rig.block(10, vec![item(1, 1, 50)]);
	rig.input(1);
	let no_room = || BlobError::NoRoom("pinned".into());
	rig.machine.handle(Event::ModelFetchFailed(model_key(1), no_room()));
	assert!(rig.machine.is_healthy());
	for block in 11..40 {
		assert!(
			model_fetches(&rig.block(block, vec![item(1, 1, 50)])).is_empty(),
			"{block}"
		);
	}
	assert_eq!(model_fetches(&rig.block(40, vec![item(1, 1, 50)])), [1]);
	rig.machine.handle(Event::ModelFetchFailed(model_key(1), no_room()));
	let actions = rig.block(48, vec![item(1, 1, 50)]);
	assert_eq!(
		failures(&actions),
		[],
		"the blob is not missing: there is no room for it here"
	);
	rig.block(49, vec![item(2, 1, 90)]);
	rig.machine.handle(Event::InputFailed(Task::Job(key(2, 1)), no_room()));
	assert!(!rig.machine.is_healthy(), "without room for inputs no job can be done");
}

#[test]
fn input_should_not_be_reported_missing_when_nobody_looked_for_it_yet() {
	let mut rig = Rig::with(MachineConfig {
		max_input_fetches: 1,
		..MachineConfig::default()
	});
	let list = || vec![item(1, 1, 16), item(2, 1, 16)];
	assert_eq!(input_fetches(&rig.block(10, list())), [1]);
	assert_eq!(failures(&rig.block(13, list())), [(1, FailureClass::InputMissing)]);
}
