use super::{tests::*, *};
use crate::fixtures::*;
use highway_primitives::{BlobHash, ModelId};
use highway_runtime_api::types::StorageTask;

/// The block that drew what is asked.
const DRAWN: BlockNumber = 9;
const UNTIL: BlockNumber = 39;

fn task(model: ModelId, chunk: u64) -> StorageTask {
	storage_task(model, chunk, DRAWN, UNTIL)
}

fn key_of(task: &StorageTask) -> ChallengeKey {
	ChallengeKey::of(NODE, task)
}

fn hash(model: ModelId) -> BlobHash {
	spec(model).artifact.hash
}

fn said(task: &StorageTask) -> Event {
	Event::Submitted(Submission::Storage(key_of(task)))
}

/// Model and chunk of what is to be shown.
fn shown(actions: &[Action]) -> Vec<(ModelId, u64)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitStorageProof { key, artefact } => {
				assert_eq!((key.node, key.artefact), (NODE, artefact.hash));
				Some((key.model, key.chunk))
			}
			_ => None,
		})
		.collect()
}

fn kept(actions: &[Action]) -> Vec<BlobHash> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::KeepArtefact(artefact) => Some(artefact.hash),
			_ => None,
		})
		.collect()
}

fn released(actions: &[Action]) -> Vec<BlobHash> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::ReleaseModel(artefact) => Some(artefact.hash),
			_ => None,
		})
		.collect()
}

/// Of which model which file is to be fetched, and from how many providers.
fn fetched(actions: &[Action]) -> Vec<(ModelId, BlobHash, usize)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::FetchArtefact {
				key,
				artefact,
				providers,
			} => Some((key.model, artefact.hash, providers.len())),
			_ => None,
		})
		.collect()
}

fn ended(actions: &[Action]) -> Vec<(ModelId, ChallengeOutcome)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::EndChallenge { key, outcome } => Some((key.model, *outcome)),
			_ => None,
		})
		.collect()
}

impl Rig {
	/// Block 10, which asks for this.
	fn asked(tasks: &[StorageTask]) -> Self {
		let mut rig = Self::new();
		rig.challenges = tasks.to_vec();
		let actions = rig.block(10, vec![]);
		let hashes: Vec<BlobHash> = tasks.iter().map(|task| task.artefact.hash).collect();
		assert_eq!(kept(&actions), hashes);
		rig
	}
}

#[test]
fn chunk_should_be_shown_until_the_list_asks_no_more() {
	let mut rig = Rig::new();
	rig.challenges = vec![task(1, 7)];
	let actions = rig.block(10, vec![]);
	assert_eq!((kept(&actions), shown(&actions)), (vec![hash(1)], vec![(1, 7)]));
	assert_eq!(shown(&rig.block(11, vec![])), [], "it is on its way");
	rig.machine
		.handle(Event::SubmitFailed(Submission::Storage(key_of(&task(1, 7)))));
	assert_eq!(shown(&rig.block(12, vec![])), [(1, 7)]);
	rig.machine.handle(said(&task(1, 7)));
	assert_eq!(shown(&rig.block(14, vec![])), []);
	let actions = rig.block(15, vec![]);
	assert_eq!((kept(&actions), shown(&actions)), (vec![], vec![(1, 7)]));
	rig.machine.handle(said(&task(1, 7)));
	rig.challenges.clear();
	let actions = rig.block(16, vec![]);
	assert_eq!(ended(&actions), [(1, ChallengeOutcome::Answered)]);
	assert_eq!(released(&actions), [hash(1)]);
	assert_eq!(ended(&rig.block(17, vec![])), []);
}

#[test]
fn challenge_should_be_missed_when_its_time_is_over() {
	for was_said in [false, true] {
		let mut rig = Rig::asked(&[task(1, 7)]);
		if was_said {
			rig.machine.handle(said(&task(1, 7)));
		}
		assert_eq!(ended(&rig.block(UNTIL - 1, vec![])), []);
		// What is sent in the last block is too late, so it does not ask any more.
		rig.challenges.clear();
		assert_eq!(ended(&rig.block(UNTIL, vec![])), [(1, ChallengeOutcome::Missed)]);
	}
}

#[test]
fn another_draw_of_the_same_block_should_be_another_challenge() {
	let mut rig = Rig::asked(&[task(1, 7)]);
	rig.challenges = vec![task(1, 3)];
	let actions = rig.block(11, vec![]);
	assert_eq!(ended(&actions), [(1, ChallengeOutcome::Gone)]);
	// The first read still goes on, which must not keep the second one from the disk.
	assert_eq!(shown(&actions), [(1, 3)]);
	rig.machine.handle(said(&task(1, 7)));
	rig.challenges.clear();
	assert_eq!(
		ended(&rig.block(12, vec![])),
		[(1, ChallengeOutcome::Gone)],
		"that word was not about it"
	);
}

#[test]
fn artefact_should_stay_pinned_while_it_is_asked_for_although_the_model_is_not_hosted_any_more() {
	let mut rig = Rig::new();
	rig.hosted = vec![hosted(1)];
	rig.block(10, vec![]);
	rig.machine.handle(Event::ModelFetched(model_key(1)));
	rig.challenges = vec![task(1, 7)];
	rig.block(11, vec![]);
	rig.machine.handle(said(&task(1, 7)));
	rig.hosted.clear();
	let actions = rig.block(12, vec![]);
	assert!(actions.contains(&Action::DropModel(model_key(1))));
	assert_eq!(released(&actions), []);
	assert_eq!(shown(&rig.block(14, vec![])), [(1, 7)]);
	rig.challenges.clear();
	assert_eq!(released(&rig.block(15, vec![])), [hash(1)]);
}

#[test]
fn artefact_should_stay_pinned_for_its_model_when_nothing_is_asked_any_more() {
	let mut rig = Rig::new();
	rig.hosted = vec![hosted(1)];
	rig.challenges = vec![task(1, 7)];
	rig.block(10, vec![]);
	rig.challenges.clear();
	let actions = rig.block(11, vec![]);
	assert_eq!((ended(&actions).len(), released(&actions)), (1, vec![]));
	// Both go at once: it is let go of once.
	rig.challenges = vec![task(1, 7)];
	rig.block(12, vec![]);
	rig.challenges.clear();
	rig.hosted.clear();
	assert_eq!(released(&rig.block(13, vec![])), [hash(1)]);
}

#[test]
fn artefact_should_be_fetched_when_the_store_does_not_have_it() {
	let mut rig = Rig::new();
	rig.hosted = vec![hosted(1)];
	// Model 1 is hosted, model 2 is not.
	rig.challenges = vec![task(1, 0), task(2, 0)];
	assert_eq!(shown(&rig.block(10, vec![])), [(1, 0), (2, 0)]);
	let lost = |task: &StorageTask| Event::ChunkFailed(key_of(task), BlobError::Missing);
	assert_eq!(fetched(&rig.machine.handle(lost(&task(1, 0)))), [(1, hash(1), 1)]);
	assert_eq!(fetched(&rig.machine.handle(lost(&task(2, 0)))), [(2, hash(2), 0)]);
	assert_eq!(shown(&rig.block(11, vec![])), []);
	let failed = Event::ArtefactFailed(key_of(&task(2, 0)), BlobError::Missing);
	assert_eq!(fetched(&rig.machine.handle(failed)), []);
	assert_eq!(fetched(&rig.block(12, vec![])), [(2, hash(2), 0)]);
	let actions = rig.machine.handle(Event::ArtefactReady(key_of(&task(1, 0))));
	assert_eq!((shown(&actions), fetched(&actions)), (vec![(1, 0)], vec![]));
}

#[test]
fn fetch_should_be_broken_off_when_nothing_is_asked_any_more() {
	let mut rig = Rig::asked(&[task(1, 7)]);
	let key = key_of(&task(1, 7));
	rig.machine.handle(Event::ChunkFailed(key, BlobError::Missing));
	rig.challenges.clear();
	let actions = rig.block(11, vec![]);
	assert!(actions.contains(&Action::StopFetch(Transfer::Artefact(key))));
	assert_eq!(released(&actions), [hash(1)]);
	// Its answer may have been on the way.
	assert_eq!(rig.machine.handle(Event::ArtefactReady(key)), []);
}

#[test]
fn files_should_be_read_two_at_a_time_and_fetched_so_what_is_due_first_goes_first() {
	let tasks: Vec<StorageTask> = [(1, 60), (2, 40), (3, 50), (4, 30)]
		.map(|(model, until)| storage_task(model, 0, DRAWN, until))
		.into();
	let mut rig = Rig::new();
	rig.challenges = tasks.clone();
	assert_eq!(shown(&rig.block(10, vec![])), [(4, 0), (2, 0)]);
	assert_eq!(shown(&rig.machine.handle(said(&tasks[3]))), [(3, 0)]);
	assert_eq!(shown(&rig.machine.handle(said(&tasks[1]))), [(1, 0)]);

	let mut rig = Rig::new();
	rig.challenges = tasks.clone();
	rig.block(10, vec![]);
	let lost = |task: &StorageTask| Event::ChunkFailed(key_of(task), BlobError::Missing);
	let mut fetches = Vec::new();
	for at in [3, 1, 2, 0] {
		fetches.extend(fetched(&rig.machine.handle(lost(&tasks[at]))));
	}
	assert_eq!(fetches.iter().map(|(model, ..)| *model).collect::<Vec<_>>(), [4, 2]);
	let actions = rig.machine.handle(Event::ArtefactReady(key_of(&tasks[3])));
	assert_eq!(
		fetched(&actions).iter().map(|(model, ..)| *model).collect::<Vec<_>>(),
		[3]
	);
}

#[test]
fn chunk_that_cannot_be_read_should_be_tried_in_the_next_block_and_hold_nothing_against_the_node() {
	let mut rig = Rig::asked(&[task(1, 7)]);
	let key = key_of(&task(1, 7));
	let actions = rig
		.machine
		.handle(Event::ChunkFailed(key, BlobError::Storage("no such chunk".into())));
	assert_eq!((shown(&actions), fetched(&actions)), (vec![], vec![]));
	assert!(rig.machine.is_healthy(), "a maker may have registered a wrong size");
	assert_eq!(shown(&rig.block(11, vec![])), [(1, 7)]);
}

#[test]
fn node_should_not_be_healthy_when_its_disk_does_not_take_the_artefact() {
	for (error, healthy) in [
		(BlobError::Storage("read-only".into()), false),
		(BlobError::NoRoom("pinned".into()), true),
		(BlobError::Missing, true),
	] {
		let mut rig = Rig::asked(&[task(1, 7)]);
		let key = key_of(&task(1, 7));
		rig.machine.handle(Event::ChunkFailed(key, BlobError::Missing));
		rig.machine.handle(Event::ArtefactFailed(key, error.clone()));
		assert_eq!(rig.machine.is_healthy(), healthy, "{error}");
	}
}

#[test]
fn challenges_should_end_when_no_node_has_the_worker_key() {
	let mut rig = Rig::asked(&[task(1, 7), task(2, 7)]);
	let actions = rig.machine.handle(Event::Block {
		number: 11,
		finalized: 0,
		work: None,
	});
	assert_eq!(ended(&actions).len(), 2);
	assert_eq!(released(&actions), [hash(1), hash(2)]);
}

#[test]
fn nothing_should_be_shown_while_the_node_is_syncing() {
	let mut rig = Rig::asked(&[task(1, 7)]);
	let key = key_of(&task(1, 7));
	rig.machine.handle(Event::ChunkFailed(key, BlobError::Missing));
	rig.machine.handle(Event::Syncing);
	assert_eq!(rig.machine.handle(Event::ArtefactReady(key)), []);
	assert_eq!(shown(&rig.block(12, vec![])), [(1, 7)]);
}
