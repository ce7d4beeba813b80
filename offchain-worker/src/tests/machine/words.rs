//! What is said, when, and how often.

use super::*;

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
fn slots_should_be_what_the_slowest_hosted_model_lets_finish_in_time() {
	let mut rig = Rig::with(MachineConfig {
		slots: 256,
		..MachineConfig::default()
	});
	rig.heartbeat_due = true;
	assert_eq!(slots(&rig.block(10, vec![])), [256], "no model");
	let mut slow = hosted(2);
	slow.spec.unit_time_ms = 2_000;
	rig.hosted = vec![hosted(1), slow.clone()];
	rig.session = 2;
	assert_eq!(slots(&rig.block(11, vec![])), [4], "8 s for jobs of 2 s each");

	let slow = ModelKey::of(2, 1, &slow.spec);
	rig.machine.models.get_mut(&slow).unwrap().micros_per_unit = Some(50_000);
	rig.session = 3;
	assert_eq!(
		slots(&rig.block(12, vec![])),
		[80],
		"the other one did not run yet: 8 s for 0.1 s each"
	);
	rig.machine.models.get_mut(&model_key(1)).unwrap().micros_per_unit = Some(1_000);
	rig.session = 4;
	assert_eq!(slots(&rig.block(13, vec![])), [160]);
	rig.machine.models.get_mut(&slow).unwrap().micros_per_unit = Some(60_000_000);
	rig.session = 5;
	assert_eq!(slots(&rig.block(14, vec![])), [4], "it hosts it, so it tries");
	rig.machine.refuse(slow);
	rig.session = 6;
	assert_eq!(slots(&rig.block(15, vec![])), [256], "a refused model takes no time");
}

#[test]
fn heartbeat_should_say_unhealthy_while_another_device_is_registered() {
	let mut rig = Rig::with(MachineConfig {
		device: Some(DeviceClass::CpuX86),
		..MachineConfig::default()
	});
	rig.heartbeat_due = true;
	rig.device = DeviceClass::Cuda;
	assert_eq!(heartbeats(&rig.block(10, vec![])), [(1, false)]);
	rig.device = DeviceClass::CpuX86;
	rig.session = 2;
	assert_eq!(heartbeats(&rig.block(11, vec![])), [(2, true)]);
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

#[test]
fn attestations_that_were_sent_before_should_not_go_with_new_ones() {
	let mut rig = Rig::running(30);
	rig.block(11, vec![item(1, 1, 30), item(2, 1, 30)]);
	rig.done(0, vec![ok(1)]);
	rig.machine.handle(Event::Recorded(vec![finished(1)]));
	rig.machine.handle(Event::Submitted(Submission::Attest(vec![1])));
	rig.block(13, vec![item(1, 1, 30), item(2, 1, 30)]);
	rig.input(2);
	rig.done(1, vec![ok(2)]);
	assert_eq!(attested(&rig.machine.handle(Event::Recorded(vec![finished(2)]))), [[2]]);
	// The first one is due again while the second is on its way.
	rig.block(14, vec![item(1, 1, 30), item(2, 1, 30)]);
	let actions = rig.machine.handle(Event::Submitted(Submission::Attest(vec![2])));
	assert_eq!(attested(&actions), [[1]]);
}
