use super::{tests::Node, *};
use crate::{fixtures::*, probe};
use highway_primitives::{
	probe::{first_row, matrix, run as integers, ProbeTask, WIDTH},
	BlockNumber, ProbeSeed,
};
use std::time::UNIX_EPOCH;
use tokio::sync::Notify;

const ROUND: u32 = 3;
const SEED: ProbeSeed = [5; 32];
/// Few: the integer code is slow without optimisation.
const ROWS: u32 = 4;

fn compute(until: BlockNumber) -> ProbeTask {
	ProbeTask::Compute {
		round: ROUND,
		seed: SEED,
		rows: ROWS,
		until,
	}
}

/// The rows of [`compute`].
fn right() -> Vec<u8> {
	let matrix = matrix();
	(0..ROWS)
		.flat_map(|row| integers(&matrix, first_row(&SEED, NODE, row)))
		.collect()
}

impl Node {
	/// The output that is answered, of the first word.
	fn answer(&self) -> Option<BlobRef> {
		self.chain.0.lock().said.iter().find_map(|said| match said {
			WorkerAction::AnswerProbe {
				node: NODE,
				round: ROUND,
				seed: SEED,
				output,
			} => Some(*output),
			_ => None,
		})
	}

	/// The chunk that is shown, of the first word.
	fn chunk(&self) -> Option<Vec<u8>> {
		self.chain.0.lock().said.iter().find_map(|said| match said {
			WorkerAction::ProveProbe {
				node: NODE,
				round: ROUND,
				proof,
			} => Some(proof.bytes.to_vec()),
			_ => None,
		})
	}
}

#[tokio::test]
async fn probe_should_be_answered_and_proved_with_the_rows_of_the_integer_code() {
	let mut node = Node::new();
	node.chain.0.lock().probe = Some(compute(1_000));
	node.start();
	node.until("proved", |node| node.chunk().is_some()).await;
	let output = node.answer().unwrap();
	assert_eq!(output, BlobRef::of(&right()));
	assert_eq!(output.size, u64::from(ROWS) * WIDTH as u64);
	assert_eq!(node.chunk(), Some(right()), "the blob is shorter than a chunk");
	let keep = Keep::Until(UNIX_EPOCH + Duration::from_secs(1_000_000) + KEEP_PROBE);
	assert_eq!(node.blobs.kept.lock()[&output.hash], keep);

	node.blocks(3).await;
	assert!(
		!node.engine.loaded.lock().contains(&probe::key()),
		"its process has ended"
	);
	let metrics = node.metrics();
	for line in [
		"highway_probes_total{outcome=\"answered\"} 1",
		"highway_probes_total{outcome=\"proved\"} 1",
		"highway_probe_rows 4",
		"highway_submissions_total{action=\"answer_probe\",result=\"ok\"} 1",
	] {
		assert!(metrics.contains(line), "{line} is not in\n{metrics}");
	}
	node.stop().await;
}

#[tokio::test]
async fn jobs_should_be_done_beside_a_probe() {
	let mut node = Node::new();
	node.chain.0.lock().probe = Some(compute(1_000));
	(1..=8).for_each(|job| node.chain.assign(job, 1, 1_000));
	node.start();
	node.until("all attested", |node| node.attested() == 8).await;
	node.until("proved", |node| node.chunk().is_some()).await;
	assert_eq!(node.answer(), Some(BlobRef::of(&right())));
	node.stop().await;
}

#[tokio::test]
async fn probe_should_be_computed_anew_when_the_worker_is_killed_in_the_middle_of_it() {
	let mut node = Node::new();
	*node.engine.gate.lock() = Some(Arc::new(Notify::new()));
	node.chain.0.lock().probe = Some(compute(1_000));
	node.start();
	node.until("running", |node| node.runs() == 1).await;
	node.kill().await;
	*node.engine.gate.lock() = None;
	node.start();
	node.until("answered", |node| node.answer().is_some()).await;
	assert_eq!(node.answer(), Some(BlobRef::of(&right())));
	node.stop().await;
}

#[tokio::test]
async fn answer_should_be_proved_when_the_worker_is_killed_after_it() {
	let mut node = Node::new();
	node.chain.0.lock().lossy = true;
	node.chain.0.lock().probe = Some(compute(1_000));
	node.start();
	node.until("answered", |node| node.answer().is_some()).await;
	node.kill().await;
	let output = node.answer().unwrap();
	{
		let mut chain = node.chain.0.lock();
		chain.lossy = false;
		chain.probe = Some(ProbeTask::Prove {
			round: ROUND,
			output,
			chunk: 0,
			until: 1_000,
		});
	}
	node.start();
	node.until("proved", |node| node.chunk().is_some()).await;
	assert_eq!((node.chunk(), node.runs()), (Some(right()), 1), "not computed again");
	node.stop().await;
}

#[tokio::test]
async fn probe_should_be_answered_when_the_disk_has_room_again() {
	let mut node = Node::new();
	node.chain.0.lock().probe = Some(compute(1_000));
	*node.blobs.disk_full.lock() = true;
	node.start();
	node.blocks(5).await;
	assert_eq!(node.answer(), None);
	*node.blobs.disk_full.lock() = false;
	node.until("answered", |node| node.answer().is_some()).await;
	node.stop().await;
}

#[tokio::test]
async fn worker_should_go_on_when_the_probe_cannot_be_run() {
	let mut node = Node::new();
	node.engine.refuses.lock().insert(probe::key().model);
	node.chain.0.lock().probe = Some(compute(30));
	node.chain.assign(1, 1, 1_000);
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	node.blocks(30).await;
	node.chain.0.lock().probe = None;
	node.blocks(2).await;
	assert_eq!(node.answer(), None);
	assert!(node.metrics().contains("highway_probes_total{outcome=\"missed\"} 1"));
	node.stop().await;
}
