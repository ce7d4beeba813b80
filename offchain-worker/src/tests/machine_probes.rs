use super::{tests::*, *};
use crate::{fixtures::*, probe};
use highway_primitives::{
	probe::{ProbeTask, PROVE_BLOCKS, WIDTH},
	BlobRef, ProbeSeed,
};
use std::ops::Range;

const ROUND: u32 = 4;
const SEED: ProbeSeed = [5; 32];

/// The last block in which an answer counts.
const UNTIL: BlockNumber = 20;

fn compute(rows: u32, seed: ProbeSeed) -> Option<ProbeTask> {
	Some(ProbeTask::Compute {
		round: ROUND,
		seed,
		rows,
		until: UNTIL,
	})
}

fn prove(chunk: u64) -> Option<ProbeTask> {
	Some(ProbeTask::Prove {
		round: ROUND,
		output: BlobRef::of(b"rows"),
		chunk,
		until: UNTIL + PROVE_BLOCKS,
	})
}

fn rows(count: u32) -> Bytes {
	vec![7u8; count as usize * WIDTH].into()
}

fn batches(actions: &[Action]) -> Vec<(RunId, Range<u32>)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::RunProbe { run, rows, .. } => Some((*run, rows.clone())),
			_ => None,
		})
		.collect()
}

/// How many rows are to be stored.
fn stored(actions: &[Action]) -> Vec<usize> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::StoreProbe { seed: SEED, rows } => Some(rows.len() / WIDTH),
			_ => None,
		})
		.collect()
}

fn answers(actions: &[Action]) -> Vec<BlobRef> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitProbeAnswer {
				node: NODE,
				round: ROUND,
				seed: SEED,
				output,
			} => Some(*output),
			_ => None,
		})
		.collect()
}

fn proofs(actions: &[Action]) -> Vec<u64> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitProbeProof {
				node: NODE,
				round: ROUND,
				chunk,
				..
			} => Some(*chunk),
			_ => None,
		})
		.collect()
}

/// Whether the round ended with a proof.
fn ended(actions: &[Action]) -> Vec<bool> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::EndProbe { round: ROUND, proved } => Some(*proved),
			_ => None,
		})
		.collect()
}

fn said(step: ProbeStep) -> Event {
	Event::Submitted(Submission::Probe(ROUND, step))
}

impl Rig {
	/// Block 10 of a round for so many rows, whose first batch is run 0.
	fn probed(rows: u32) -> Self {
		let mut rig = Self::new();
		rig.probe = compute(rows, SEED);
		assert_eq!(batches(&rig.block(10, vec![])), [(0, 0..rows.min(64))]);
		rig
	}

	/// A round whose answer of 64 rows is in the blob store, and said.
	fn answered() -> Self {
		let mut rig = Self::probed(64);
		rig.batch(0, 64, 100);
		let output = BlobRef::of(&rows(64));
		assert_eq!(answers(&rig.store(Ok(output))), [output]);
		rig.machine.handle(said(ProbeStep::Answer));
		rig
	}

	fn batch(&mut self, run: RunId, count: u32, millis: u64) -> Vec<Action> {
		let result = Ok((rows(count), Duration::from_millis(millis)));
		self.machine.handle(Event::ProbeRun { run, result })
	}

	fn no_batch(&mut self, run: RunId, fault: EngineError) -> Vec<Action> {
		let result = Err(LoadFault::Engine(fault));
		self.machine.handle(Event::ProbeRun { run, result })
	}

	fn store(&mut self, result: Result<BlobRef, BlobError>) -> Vec<Action> {
		self.machine.handle(Event::ProbeStored { seed: SEED, result })
	}
}

#[test]
fn rows_should_be_computed_in_batches_of_a_quarter_of_a_second() {
	let mut rig = Rig::probed(1_000);
	assert_eq!(
		batches(&rig.batch(0, 64, 50)),
		[(1, 64..320)],
		"at most four times as many"
	);
	assert_eq!(batches(&rig.batch(1, 256, 1_000)), [(2, 320..384)]);
	assert_eq!(batches(&rig.batch(2, 64, 0)), [(3, 384..640)]);
	assert_eq!(batches(&rig.batch(3, 256, 1)), [(4, 640..1_000)], "no more than count");
	let actions = rig.batch(4, 360, 1);
	assert_eq!((batches(&actions), stored(&actions)), (vec![], vec![1_000]));
	assert!(actions.contains(&Action::DropModel(probe::key())));
	assert!(stored(&rig.block(11, vec![])).is_empty(), "it is on its way");
}

#[test]
fn batches_should_never_have_more_rows_than_fit_into_memory() {
	let mut rig = Rig::probed(u32::MAX);
	let (mut run, mut done) = (0, 64);
	for _ in 0..12 {
		let (next, rows) = batches(&rig.batch(run, done, 0)).remove(0);
		(run, done) = (next, rows.len() as u32);
	}
	assert_eq!(done, 1 << 16);
}

#[test]
fn jobs_should_go_first_between_batches_and_a_batch_between_runs_of_jobs() {
	let mut rig = Rig::probed(1_000);
	rig.block(10, vec![item(1, 1, 30), item(2, 1, 30)]);
	rig.load(1);
	assert_eq!(runs(&rig.input(1)), [], "the device is busy");
	assert_eq!(runs(&rig.batch(0, 64, 250)), [(1, vec![1])]);
	assert_eq!(runs(&rig.input(2)), []);
	let actions = rig.done(1, vec![(Task::Job(key(1, 1)), Ok(result(1)))]);
	assert_eq!((runs(&actions), batches(&actions)), (vec![], vec![(2, 64..128)]));
	let actions = rig.batch(2, 64, 250);
	assert_eq!((runs(&actions), batches(&actions)), (vec![(3, vec![2])], vec![]));
}

#[test]
fn jobs_should_go_on_when_there_is_nothing_to_probe() {
	let mut rig = Rig::new();
	rig.block(10, vec![item(1, 1, 30), item(2, 1, 30)]);
	rig.load(1);
	assert_eq!(runs(&rig.input(1)), [(0, vec![1])]);
	rig.input(2);
	assert_eq!(
		runs(&rig.done(0, vec![(Task::Job(key(1, 1)), Ok(result(1)))])),
		[(1, vec![2])]
	);
}

#[test]
fn what_is_done_should_be_answered_four_blocks_before_the_end() {
	let mut rig = Rig::probed(1_000);
	rig.batch(0, 64, 250);
	assert!(stored(&rig.block(16, vec![])).is_empty(), "a batch runs");
	let actions = rig.batch(1, 64, 250);
	assert_eq!((batches(&actions), stored(&actions)), (vec![], vec![128]));
}

#[test]
fn nothing_should_be_answered_when_no_row_is_done() {
	let mut rig = Rig::probed(1_000);
	rig.no_batch(0, EngineError::TimedOut);
	let actions = rig.block(16, vec![]);
	assert_eq!((batches(&actions), stored(&actions)), (vec![], vec![]));
	rig.probe = None;
	let actions = rig.block(21, vec![]);
	assert_eq!(ended(&actions), [false]);
	assert!(actions.contains(&Action::DropModel(probe::key())));
}

#[test]
fn fewer_rows_should_be_tried_in_the_next_block_when_a_batch_fails() {
	let mut rig = Rig::probed(1_000);
	assert_eq!(batches(&rig.no_batch(0, EngineError::TimedOut)), []);
	assert_eq!(batches(&rig.block(11, vec![])), [(1, 0..16)]);
	rig.no_batch(1, EngineError::RunFailed("too much memory".into()));
	rig.block(12, vec![]);
	rig.no_batch(2, EngineError::ModelRefused("why ever".into()));
	assert_eq!(batches(&rig.block(13, vec![])), [(3, 0..1)]);
	assert_eq!(batches(&rig.batch(3, 1, 0)), [(4, 1..5)]);
}

#[test]
fn nothing_should_be_computed_while_the_engine_is_down() {
	let mut rig = Rig::probed(1_000);
	rig.no_batch(0, EngineError::Unavailable("no library".into()));
	let actions = rig.block(11, vec![]);
	assert!(actions.contains(&Action::CheckEngine));
	assert_eq!(batches(&actions), []);
	assert_eq!(batches(&rig.machine.handle(Event::EngineHealth(true))), [(1, 0..16)]);
}

#[test]
fn rows_should_be_stored_again_when_the_disk_was_full() {
	let mut rig = Rig::probed(64);
	assert_eq!(stored(&rig.batch(0, 64, 100)), [64]);
	assert!(stored(&rig.store(Err(BlobError::Storage("full".into())))).is_empty());
	assert!(!rig.machine.is_healthy());
	assert_eq!(stored(&rig.block(11, vec![])), [64]);
}

#[test]
fn answer_should_be_said_again_while_the_list_asks_for_it() {
	let mut rig = Rig::answered();
	let output = BlobRef::of(&rows(64));
	assert_eq!(answers(&rig.block(12, vec![])), []);
	assert_eq!(answers(&rig.block(13, vec![])), [output]);
	rig.machine.handle(said(ProbeStep::Answer));
	// It is in a block, and then that block is gone.
	rig.probe = None;
	assert_eq!(rig.block(16, vec![]), [Action::CheckEngine]);
	rig.probe = compute(64, SEED);
	let actions = rig.block(17, vec![]);
	assert_eq!((batches(&actions), answers(&actions)), (vec![], vec![output]));
}

#[test]
fn round_should_be_missed_when_nobody_asks_for_the_proof() {
	let mut rig = Rig::answered();
	rig.probe = None;
	assert!(ended(&rig.block(UNTIL + PROVE_BLOCKS, vec![])).is_empty());
	assert_eq!(ended(&rig.block(UNTIL + PROVE_BLOCKS + 1, vec![])), [false]);
}

#[test]
fn chunk_should_be_proved_until_the_list_asks_no_more() {
	let mut rig = Rig::answered();
	rig.probe = prove(9);
	let actions = rig.block(13, vec![]);
	assert_eq!((proofs(&actions), ended(&actions)), (vec![9], vec![]));
	rig.machine
		.handle(Event::SubmitFailed(Submission::Probe(ROUND, ProbeStep::Prove)));
	assert_eq!(proofs(&rig.block(14, vec![])), [9]);
	rig.machine.handle(said(ProbeStep::Prove));
	assert!(proofs(&rig.block(16, vec![])).is_empty());
	assert_eq!(proofs(&rig.block(17, vec![])), [9]);
	rig.probe = None;
	assert_eq!(ended(&rig.block(18, vec![])), [true]);
	assert!(ended(&rig.block(19, vec![])).is_empty());
}

#[test]
fn chunk_should_be_proved_when_the_worker_was_started_after_the_answer() {
	let mut rig = Rig::new();
	rig.probe = prove(2);
	assert_eq!(proofs(&rig.block(10, vec![])), [2]);
	// A reorg draws another one.
	rig.probe = prove(3);
	let actions = rig.block(11, vec![]);
	assert_eq!((proofs(&actions), ended(&actions)), (vec![3], vec![]));
}

#[test]
fn rows_should_be_computed_anew_when_a_reorg_gives_the_round_another_seed() {
	let mut rig = Rig::probed(128);
	rig.probe = compute(128, [6; 32]);
	let actions = rig.block(11, vec![]);
	assert_eq!(
		(batches(&actions), ended(&actions)),
		(vec![], vec![]),
		"the old batch still runs"
	);
	assert_eq!(batches(&rig.batch(0, 64, 250)), [(1, 0..64)]);
	assert_eq!(batches(&rig.batch(1, 64, 250)), [(2, 64..128)]);
}
