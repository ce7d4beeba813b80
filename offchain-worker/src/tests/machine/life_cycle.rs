//! How a job goes on, over forks and restarts.

use super::*;
use highway_primitives::work_tag;

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
	let model = [Action::DropModel(model_key(1)), Action::ReleaseModel(spec(1).artifact)];
	assert_eq!(actions, [&[dropped][..], &model].concat());
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
