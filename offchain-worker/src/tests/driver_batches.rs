use super::{
	tests::{fakes::*, Node},
	*,
};
use crate::{engine::MAX_BATCH_ROWS, fixtures::*};
use highway_primitives::{
	audit::{work_seed, AuditTask},
	batch::{files, sketch_root},
	worker::commitment,
	BlockNumber, FailureClass, JobId, Vote,
};
use highway_runtime_api::types::WorkItem;

/// The job of all these tests.
const JOB: JobId = 200;

/// Its inputs.
fn inputs(count: u16) -> Vec<Vec<u8>> {
	(0..count).map(|index| format!("input {index}").into_bytes()).collect()
}

/// What they give.
fn outputs(count: u16) -> Vec<Vec<u8>> {
	inputs(count).iter().map(|input| answer_to(input)).collect()
}

fn job(count: u16) -> WorkItem {
	batch_item(JOB, &inputs(count), 1000)
}

impl Node {
	/// A node that hosts model 1, and a network that has the job's bundle.
	fn with_batch(count: u16) -> Self {
		let node = Self::new();
		node.blobs.publish(bundle(&inputs(count)));
		node
	}

	fn assign_item(&self, item: WorkItem) {
		self.chain.0.lock().jobs.insert(item.job, item);
	}

	/// An audit of a job, about this output.
	fn audit_item(&self, item: WorkItem, task: AuditTask, output: &[u8], until: BlockNumber) {
		let audit = audit_of(item, task, output, until);
		self.chain.0.lock().audits.insert(audit.job, audit);
	}

	/// Lets the node judge one of the job's inputs, commit and reveal.
	async fn vote_on(&self, count: u16, index: u16, output: &[u8]) -> Ballot {
		let is_heard = |node: &Self| node.chain.0.lock().audits.is_empty();
		let task = judge_input(&job(count), index);
		self.audit_item(job(count), task, output, 100_000);
		self.until("committed", is_heard).await;
		let seed = work_seed(&job(count).work);
		self.audit_item(job(count), AuditTask::Reveal { seed }, output, 100_000);
		self.until("revealed", is_heard).await;
		let said = self.chain.0.lock().said.clone();
		let ballot = said.iter().rev().find_map(|said| match said {
			WorkerAction::RevealBallot { ballot, .. } => Some(*ballot),
			_ => None,
		});
		ballot.unwrap()
	}

	/// The inputs of every run.
	fn run_files(&self) -> Vec<Vec<Bytes>> {
		self.engine.runs.lock().clone()
	}
}

#[tokio::test]
async fn batch_should_be_attested_with_the_bundle_of_outputs_and_each_sketch_open() {
	let mut node = Node::with_batch(3);
	node.assign_item(job(3));
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	assert_eq!(node.run_files(), [inputs(3)], "one run");
	let item = node.chain.0.lock().attested[&JOB].clone();
	let expected = bundle(&outputs(3));
	assert_eq!(item.output, BlobRef::of(&expected));
	assert_eq!(node.blobs.here.lock()[&item.output.hash], expected);

	// The salt, and all sketches, outlive the worker.
	node.kill().await;
	node.start();
	node.audit_item(job(3), AuditTask::Open { index: 2 }, &expected, 1000);
	node.until("opened", |node| node.chain.0.lock().audits.is_empty()).await;
	let said = node.chain.0.lock().said.clone();
	let Some(WorkerAction::OpenCommitment { opening, salt, .. }) = said.first() else {
		panic!("{said:?}")
	};
	let work = job(3).work;
	let sketches: Vec<Sketch> = inputs(3)
		.iter()
		.map(|input| sketch_of(input, &work_seed(&work)))
		.collect();
	assert!(opening.is_of(2, 3));
	assert_eq!((opening.sketch, opening.root), (sketches[2], sketch_root(&sketches)));
	assert_eq!(
		commitment(&work, NODE, &item.output, &opening.root, salt),
		item.commitment
	);
	node.stop().await;
}

#[tokio::test]
async fn batch_should_be_run_in_pieces_and_put_together_when_it_is_larger_than_a_shared_run() {
	let count = MAX_BATCH_ROWS as u16 + 5;
	let mut node = Node::with_batch(count);
	node.assign_item(job(count));
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	let lengths: Vec<usize> = node.run_files().iter().map(Vec::len).collect();
	assert_eq!(lengths, [MAX_BATCH_ROWS, 5]);
	let output = node.chain.0.lock().attested[&JOB].output;
	assert_eq!(output, BlobRef::of(&bundle(&outputs(count))));
	node.stop().await;
}

#[tokio::test]
async fn batch_should_be_an_invalid_input_when_one_of_its_files_or_the_bundle_is() {
	let mut node = Node::with_batch(3);
	let invalid = EngineError::InputInvalid("no".into());
	node.engine.faults.lock().insert(inputs(3)[1].clone().into(), invalid);
	node.assign_item(job(3));
	// As many files as it has, but not as many as the job says.
	node.blobs.publish(bundle(&inputs(4)));
	let said_to_be_five = of_many(item_of(JOB + 1, 1, spec(1), &bundle(&inputs(4)), 1000), 5);
	node.assign_item(said_to_be_five);
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("all ended", |node| node.chain.0.lock().jobs.is_empty())
		.await;
	let failed: Vec<_> = node.chain.0.lock().failed.clone().into_iter().collect();
	assert_eq!(
		failed,
		[(JOB, FailureClass::InputInvalid), (JOB + 1, FailureClass::InputInvalid)]
	);
	assert_eq!(node.attested(), 1, "a job beside them");
	node.stop().await;
}

#[tokio::test]
async fn rest_of_a_batch_should_not_be_run_when_a_piece_of_it_failed() {
	let count = MAX_BATCH_ROWS as u16 * 2;
	let mut node = Node::with_batch(count);
	node.engine
		.faults
		.lock()
		.insert(inputs(count)[3].clone().into(), EngineError::TimedOut);
	node.assign_item(job(count));
	node.start();
	node.until("reported", |node| {
		node.chain.0.lock().failed.get(&JOB) == Some(&FailureClass::RunFailed)
	})
	.await;
	let lengths: Vec<usize> = node.run_files().iter().map(Vec::len).collect();
	assert_eq!(lengths, [MAX_BATCH_ROWS; 2], "tried twice");
	node.stop().await;
}

#[tokio::test]
async fn judge_should_run_one_input_only_and_find_its_output_in_the_bundle() {
	let mut wrong = outputs(3);
	*wrong[1].last_mut().unwrap() ^= 1;
	// What is wrong elsewhere is not this audit's.
	for (index, outputs) in [(0, outputs(3)), (1, outputs(3)), (2, wrong)] {
		let mut node = Node::with_batch(3);
		node.blobs.publish(bundle(&outputs));
		node.start();
		let ballot = node.vote_on(3, index, &bundle(&outputs)).await;
		assert_eq!((ballot.vote, ballot.auditor_right), (Vote::Yes, true), "input {index}");
		let own = &inputs(3)[usize::from(index)];
		assert_eq!(ballot.sketch, sketch_of(own, &work_seed(&job(3).work)));
		assert_eq!(node.run_files(), [[own.clone()]]);
		node.stop().await;
	}
}

#[tokio::test]
async fn judge_should_vote_no_when_the_drawn_output_is_wrong_or_there_is_no_bundle() {
	let mut wrong = outputs(3);
	*wrong[1].last_mut().unwrap() ^= 1;
	let swapped: Vec<Vec<u8>> = outputs(3).into_iter().rev().collect();
	let whole = bundle(&outputs(3));
	for (index, output) in [
		(1, bundle(&wrong)),
		(0, bundle(&swapped)),
		// Of other numbers of files, without its end, with something behind it, no bundle at all, and too short for one.
		(1, bundle(&outputs(2))),
		(1, bundle(&outputs(4))),
		(1, whole[..whole.len() - 1].to_vec()),
		(1, [&whole[..], b"!"].concat()),
		(1, vec![0; 1000]),
		(1, b"short".to_vec()),
	] {
		let mut node = Node::with_batch(3);
		node.blobs.publish(output.clone());
		node.start();
		let ballot = node.vote_on(3, index, &output).await;
		assert_eq!((ballot.vote, ballot.auditor_right), (Vote::No, true), "{output:?}");
		node.stop().await;
	}
}

#[tokio::test]
async fn judge_should_vote_no_when_the_input_is_no_bundle_of_so_many_files() {
	let mut node = Node::new();
	let input = bundle(&inputs(2));
	node.blobs.publish(input.clone());
	let item = of_many(item_of(JOB, 1, spec(1), &input, 1000), 3);
	let (task, seed) = (judge_input(&item, 2), work_seed(&item.work));
	node.audit_item(item.clone(), task, b"whatever was attested", 1000);
	node.start();
	node.until("committed", |node| node.chain.0.lock().audits.is_empty())
		.await;
	node.audit_item(item, AuditTask::Reveal { seed }, b"whatever was attested", 1000);
	node.until("revealed", |node| node.chain.0.lock().audits.is_empty())
		.await;
	assert!(node.metrics().contains("highway_audits_total{verdict=\"no\"} 1"));
	assert_eq!(
		node.run_files(),
		Vec::<Vec<Bytes>>::new(),
		"nobody needs a run for that"
	);
	node.stop().await;
}

#[tokio::test]
async fn chunk_should_be_of_the_whole_bundle_when_somebody_misses_it() {
	let mut node = Node::with_batch(3);
	node.assign_item(job(3));
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	let output = bundle(&outputs(3));
	node.audit_item(job(3), AuditTask::ProveChunk { chunk: 0 }, &output, 1000);
	node.until("shown", |node| node.chain.0.lock().audits.is_empty()).await;
	let said = node.chain.0.lock().said.clone();
	let Some(WorkerAction::ProveChunk { proof, .. }) = said.first() else {
		panic!("{said:?}")
	};
	assert_eq!(files(&proof.bytes, 3).unwrap().len(), 3, "it is all in one chunk");
	node.stop().await;
}
