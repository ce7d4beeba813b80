use super::{tests::Node, *};
use crate::fixtures::*;
use highway_primitives::{BlockNumber, ModelId};

/// The block that drew what is asked.
const DRAWN: BlockNumber = 3;

impl Node {
	/// Asks for the first chunk of the model's file.
	fn ask(&self, model: ModelId, until: BlockNumber) {
		self.chain.0.lock().challenges = vec![storage_task(model, 0, DRAWN, until)];
	}

	/// The chunks that were shown, as often as they were sent.
	fn shown(&self, model: ModelId) -> Vec<Vec<u8>> {
		let said = self.chain.0.lock().said.clone();
		said.into_iter()
			.filter_map(|said| match said {
				WorkerAction::ProveStorage {
					node: NODE,
					model: of,
					drawn_at: DRAWN,
					proof,
				} if of == model => Some(proof.bytes.into_inner()),
				_ => None,
			})
			.collect()
	}

	fn is_asked(&self) -> bool {
		!self.chain.0.lock().challenges.is_empty()
	}

	fn is_pinned(&self, model: ModelId) -> bool {
		self.blobs.pinned.lock().contains(&spec(model).artifact.hash)
	}
}

#[tokio::test]
async fn chunk_of_a_hosted_model_should_be_shown_when_the_chain_asks_for_it() {
	let mut node = Node::new();
	node.ask(1, 1_000);
	node.start();
	node.until("shown", |node| !node.is_asked()).await;
	node.blocks(3).await;
	assert!(node.shown(1).iter().all(|chunk| *chunk == artifact_bytes(1)));
	assert!(node.is_pinned(1), "it still hosts the model");
	let metrics = node.metrics();
	for line in [
		"highway_storage_challenges_total{outcome=\"answered\"} 1",
		"highway_submissions_total{action=\"prove_storage\",result=\"ok\"}",
		"highway_healthy 1",
	] {
		assert!(metrics.contains(line), "{line} is not in\n{metrics}");
	}
	node.stop().await;
}

#[tokio::test]
async fn chunk_should_be_shown_again_until_it_is_in_a_block_restarts_included() {
	let mut node = Node::new();
	node.chain.0.lock().lossy = true;
	node.ask(1, 1_000);
	node.start();
	node.until("sent twice", |node| node.shown(1).len() >= 2).await;
	node.kill().await;
	node.chain.0.lock().lossy = false;
	assert!(node.is_asked());
	node.start();
	node.until("shown", |node| !node.is_asked()).await;
	assert!(node.shown(1).len() >= 3);
	node.stop().await;
}

#[tokio::test]
async fn artefact_of_an_old_version_should_be_fetched_shown_and_let_go_of() {
	let mut node = Node::new();
	// Model 2 stands for a version that is in no list any more and was evicted.
	node.blobs.publish(artifact_bytes(2));
	node.ask(2, 1_000);
	node.start();
	node.until("shown", |node| !node.is_asked()).await;
	assert_eq!(node.shown(2)[0], artifact_bytes(2));
	node.until("let go of", |node| !node.is_pinned(2)).await;
	assert!(node
		.metrics()
		.contains("highway_blobs_fetched_total{kind=\"artefact\",result=\"ok\"} 1"));
	node.stop().await;
}

#[tokio::test]
async fn artefact_should_be_pinned_while_it_is_asked_for() {
	let mut node = Node::new();
	node.chain.0.lock().lossy = true;
	node.blobs.publish(artifact_bytes(2));
	node.ask(2, 1_000);
	node.start();
	node.until("sent", |node| !node.shown(2).is_empty()).await;
	assert!(node.is_pinned(2));
	node.chain.0.lock().challenges.clear();
	node.until("let go of", |node| !node.is_pinned(2)).await;
	node.stop().await;
}

#[tokio::test]
async fn worker_should_go_on_and_count_a_miss_when_nobody_has_the_artefact() {
	let mut node = Node::new();
	node.ask(2, 20);
	node.chain.assign(1, 1, 1_000);
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	node.blocks(25).await;
	assert_eq!(node.shown(2), Vec::<Vec<u8>>::new());
	let metrics = node.metrics();
	for line in [
		"highway_storage_challenges_total{outcome=\"missed\"} 1",
		"highway_healthy 1",
	] {
		assert!(metrics.contains(line), "{line} is not in\n{metrics}");
	}
	node.stop().await;
}

#[tokio::test]
async fn too_large_artefact_should_not_be_fetched() {
	let mut node = Node::new();
	let mut task = storage_task(2, 0, DRAWN, 1_000);
	task.artefact.size = node.config().max_artifact + 1;
	node.blobs.publish(artifact_bytes(2));
	node.chain.0.lock().challenges = vec![task];
	node.start();
	node.blocks(10).await;
	assert!(!node.blobs.has(spec(2).artifact.hash));
	node.stop().await;
}

/// After a restart nothing is pinned: what waits for its turn to be fetched, and is here, must not make room for what comes.
#[tokio::test]
async fn every_hosted_artefact_should_be_pinned_at_once() {
	let mut node = Node::new();
	let models = [1, 2, 3, 4];
	node.chain.0.lock().hosted = models.map(hosted).into();
	node.blobs
		.stuck
		.lock()
		.extend(models.map(|model| spec(model).artifact.hash));
	node.start();
	node.until("two are being fetched", |node| *node.blobs.transfers.lock() == 2)
		.await;
	assert!(models.iter().all(|model| node.is_pinned(*model)));
	node.chain.0.lock().hosted.clear();
	node.until("let go of", |node| node.blobs.pinned.lock().is_empty())
		.await;
	node.stop().await;
}
