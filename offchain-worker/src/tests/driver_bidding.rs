use super::{tests::Node, *};
use crate::{
	bids::{Bid, Bids, ModelName, Scope, Terms, DEFAULT_STEP, DEFAULT_TARGET},
	fixtures::*,
	machine::SealedAsk,
};
use highway_primitives::{AskCommitment, AskObstacle, AskReveal, AskRole, Balance, EpochIndex, MarketPhase, AIC};

const EPOCH: EpochIndex = 8;

/// Longer than any test takes.
const UNTIL: u32 = 10_000;

fn bid(scope: Scope, role: AskRole) -> Bid {
	Bid {
		scope,
		role,
		terms: Terms {
			floor: AIC / 4,
			ceiling: AIC,
			target: DEFAULT_TARGET,
			step: DEFAULT_STEP,
		},
	}
}

impl Node {
	/// A node with these bids, on a chain where compute of model 1 is bid for.
	fn bidder(bids: Vec<Bid>) -> Self {
		let mut node = Self::new();
		node.machine.bids = Some(Bids::new(bids));
		node.market(MarketPhase::Commit);
		node
	}

	fn computing() -> Self {
		Self::bidder(vec![bid(Scope::All, AskRole::Compute)])
	}

	/// The phase of the auction from the next block on, which else stays as it is.
	fn market(&self, phase: MarketPhase) {
		let mut chain = self.chain.0.lock();
		let from = chain.number + 1;
		match chain.asks.first_mut() {
			Some(task) => (task.phase, task.from) = (phase, from),
			None => chain.asks.push(ask_task(1, EPOCH, phase, UNTIL)),
		}
	}

	fn standing(&self) -> Option<Balance> {
		self.chain.0.lock().asks[0].standing
	}

	fn is_committed(&self) -> bool {
		self.chain.0.lock().asks[0].committed.is_some()
	}

	/// Everything that was committed to.
	fn ask_commitments(&self) -> Vec<AskCommitment> {
		let said = self.chain.0.lock().said.clone();
		said.into_iter()
			.filter_map(|said| match said {
				WorkerAction::CommitAsks { node: NODE, items, .. } => Some(items.to_vec()),
				_ => None,
			})
			.flatten()
			.collect()
	}

	fn ask_reveals(&self) -> Vec<AskReveal> {
		let said = self.chain.0.lock().said.clone();
		said.into_iter()
			.filter_map(|said| match said {
				WorkerAction::RevealAsks { node: NODE, items, .. } => Some(items.to_vec()),
				_ => None,
			})
			.flatten()
			.collect()
	}

	/// What the journal of a worker that does not run holds.
	fn journalled(&self) -> Vec<SealedAsk> {
		let journal = Journal::open(&self.config().journal, self.config().genesis).unwrap();
		journal.asks().cloned().collect()
	}
}

#[tokio::test]
async fn ask_should_stand_when_it_was_committed_to_and_revealed() {
	let mut node = Node::computing();
	node.start();
	node.until("committed", Node::is_committed).await;
	node.blocks(2).await;
	assert_eq!(node.standing(), None);
	node.market(MarketPhase::Reveal);
	node.until("revealed", |node| node.standing() == Some(AIC / 4)).await;
	node.blocks(2).await;
	{
		let mut chain = node.chain.0.lock();
		chain.asks[0].epoch += 1;
		(chain.asks[0].phase, chain.asks[0].won) = (MarketPhase::Commit, true);
	}
	let counted = "highway_bids_total{outcome=\"revealed\"} 1";
	node.until(counted, |node| node.metrics().contains(counted)).await;
	node.blocks(3).await;
	assert_eq!(
		(node.ask_commitments().len(), node.ask_reveals().len()),
		(1, 1),
		"each said once"
	);
	let metrics = node.metrics();
	for line in [
		"highway_bids_total{outcome=\"committed\"} 1",
		"highway_bids_total{outcome=\"revealed\"} 1",
		"highway_ask_aic{model=\"1\",role=\"compute\"} 0.25",
		"highway_ask_won{model=\"1\",role=\"compute\"} 1",
		"highway_submissions_total{action=\"commit_asks\",result=\"ok\"} 1",
		"highway_submissions_total{action=\"reveal_asks\",result=\"ok\"} 1",
	] {
		assert!(metrics.contains(line), "{line} is not in\n{metrics}");
	}
	{
		let mut chain = node.chain.0.lock();
		chain.asks.clear();
		chain.hosted.clear();
	}
	node.blocks(2).await;
	assert!(!node.metrics().contains("highway_ask_aic{"));
	node.stop().await;
}

#[tokio::test]
async fn ask_that_does_not_stand_should_be_counted_as_one_without_a_place() {
	let mut node = Node::computing();
	node.start();
	node.until("committed", Node::is_committed).await;
	node.market(MarketPhase::Reveal);
	node.until("revealed", |node| node.standing().is_some()).await;
	// A heartbeat is due from here on: once it is there, the worker has seen that the commitment is gone.
	node.chain.0.lock().heartbeat_due = true;
	node.until("heard", |node| !node.chain.0.lock().heartbeats.is_empty())
		.await;
	{
		// Too little of the bond was free for it.
		let mut chain = node.chain.0.lock();
		chain.asks[0].epoch += 1;
		(chain.asks[0].phase, chain.asks[0].standing) = (MarketPhase::Commit, None);
	}
	let counted = "highway_bids_total{outcome=\"no_place\"} 1";
	node.until(counted, |node| node.metrics().contains(counted)).await;
	let metrics = node.metrics();
	assert!(
		!metrics.contains("highway_bids_total{outcome=\"revealed\"}"),
		"{metrics}"
	);
	node.stop().await;
}

#[tokio::test]
async fn ask_should_be_revealed_with_the_journals_salt_when_the_worker_is_killed_after_its_commitment() {
	let mut node = Node::computing();
	node.start();
	node.until("committed", Node::is_committed).await;
	node.kill().await;
	let sealed = node.journalled();
	assert_eq!(sealed.len(), 1);
	node.market(MarketPhase::Reveal);
	// The operator has given up his bids meanwhile.
	node.machine.bids = None;
	node.start();
	node.until("revealed", |node| node.standing() == Some(AIC / 4)).await;
	assert_eq!(node.ask_reveals()[0].salt, sealed[0].salt);
	assert_eq!(node.ask_commitments()[0].hash, sealed[0].commitment());
	node.stop().await;
}

#[tokio::test]
async fn each_epoch_should_have_one_commitment_when_the_worker_is_killed_again_and_again() {
	let mut node = Node::computing();
	node.chain.0.lock().lossy = true;
	for round in 0..20 {
		node.start();
		for _ in 0..round % 4 {
			node.chain.advance(&node.worker.as_ref().unwrap().0);
			tokio::time::sleep(Duration::from_micros(300 * round)).await;
		}
		node.kill().await;
	}
	node.chain.0.lock().lossy = false;
	node.start();
	node.until("committed", Node::is_committed).await;
	node.market(MarketPhase::Reveal);
	node.until("revealed", |node| node.standing().is_some()).await;
	let commitments = node.ask_commitments();
	assert!(commitments.iter().all(|item| *item == commitments[0]));
	node.stop().await;
}

#[tokio::test]
async fn nothing_should_be_said_of_models_whose_names_are_not_known() {
	let name = ModelName {
		owner: [1; 32].into(),
		name: "magika".into(),
	};
	let mut node = Node::bidder(vec![bid(Scope::Named(name.clone()), AskRole::Compute)]);
	node.start();
	node.blocks(5).await;
	assert!(node.ask_commitments().is_empty());
	{
		let mut chain = node.chain.0.lock();
		chain.names.insert(name, 1);
		chain.asks[0].epoch += 1;
	}
	node.until("committed", Node::is_committed).await;
	node.stop().await;
}

#[tokio::test]
async fn ask_of_an_epoch_that_passed_should_leave_the_journal() {
	let mut node = Node::computing();
	node.start();
	node.until("committed", Node::is_committed).await;
	node.market(MarketPhase::Reveal);
	node.until("revealed", |node| node.standing().is_some()).await;
	{
		let mut chain = node.chain.0.lock();
		chain.asks[0].epoch += 1;
		chain.asks[0].phase = MarketPhase::Commit;
	}
	node.blocks(6).await;
	node.stop().await;
	assert_eq!(node.journalled(), []);
	assert_eq!(node.ask_commitments().len(), 1, "nothing was to change");
}

#[tokio::test]
async fn operators_commitment_should_be_left_alone() {
	let mut node = Node::computing();
	node.chain.0.lock().asks[0].committed = Some(H256::repeat_byte(1));
	node.start();
	node.blocks(3).await;
	node.market(MarketPhase::Reveal);
	node.blocks(3).await;
	assert!(node.ask_commitments().is_empty() && node.ask_reveals().is_empty());
	assert!(node.metrics().contains("highway_bids_total{outcome=\"elsewhere\"} 1"));
	node.stop().await;
}

#[tokio::test]
async fn ask_should_not_be_revealed_before_the_last_block_for_commitments_is_final() {
	let mut node = Node::computing();
	node.start();
	node.until("committed", Node::is_committed).await;
	node.market(MarketPhase::Reveal);
	// Finality is two blocks behind: the last block for commitments is final with the second one for reveals.
	node.blocks(1).await;
	tokio::time::sleep(Duration::from_millis(30)).await;
	assert!(node.ask_reveals().is_empty());
	node.until("revealed", |node| node.standing() == Some(AIC / 4)).await;
	node.stop().await;
}

#[tokio::test]
async fn ask_that_the_chain_would_not_take_should_be_counted_and_not_said() {
	let mut node = Node::computing();
	node.chain.0.lock().asks[0].obstacle = Some(AskObstacle::NoBond { missing: AIC });
	node.start();
	let counted = "highway_bids_total{outcome=\"no_bond\"} 1";
	node.until(counted, |node| node.metrics().contains(counted)).await;
	node.blocks(5).await;
	assert!(node.ask_commitments().is_empty());
	let metrics = node.metrics();
	assert!(
		metrics.contains(counted) && !metrics.contains("commit_asks"),
		"{metrics}"
	);
	node.chain.0.lock().asks[0].obstacle = None;
	node.until("committed", Node::is_committed).await;
	node.stop().await;
}
