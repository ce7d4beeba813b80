use super::{tests::*, *};
use crate::{
	bids::{Bid, Bids, ModelName, Scope, Terms},
	fixtures::*,
};
use highway_primitives::{AskObstacle, AskRole, Balance, EpochIndex, MarketPhase, ModelId};
use highway_runtime_api::types::AskTask;
use sp_core::H256;
use sp_runtime::Perbill;

#[path = "machine_bidding/timing.rs"]
mod timing;

/// The epoch that is bid for first. Its phases are blocks 10 to 20 and 21 to 30; each later epoch comes 21 blocks later.
const EPOCH: EpochIndex = 8;

const TERMS: Terms = Terms {
	floor: 100,
	ceiling: 200,
	target: Perbill::from_percent(70),
	step: Perbill::from_percent(5),
};

fn bid(scope: Scope, role: AskRole) -> Bid {
	Bid {
		scope,
		role,
		terms: TERMS,
	}
}

fn config(bids: Vec<Bid>) -> MachineConfig {
	MachineConfig {
		bids: Some(Bids::new(bids)),
		..MachineConfig::default()
	}
}

fn ask_key(epoch: EpochIndex) -> AskKey {
	AskKey {
		node: NODE,
		epoch,
		model: 1,
		role: AskRole::Compute,
	}
}

/// What the journal holds of an ask for compute of model 1.
fn ask(epoch: EpochIndex, price: Option<Balance>) -> SealedAsk {
	SealedAsk {
		key: ask_key(epoch),
		price,
		salt: [epoch as u8; 32],
	}
}

fn name() -> ModelName {
	ModelName {
		owner: [1; 32].into(),
		name: "magika".into(),
	}
}

/// What is to be written to the journal.
fn sealing(actions: &[Action]) -> Vec<(AskKey, Option<Balance>)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SealAsks(asks) => Some(asks.clone()),
			_ => None,
		})
		.flatten()
		.collect()
}

/// The prices of [`sealing`].
fn prices(actions: &[Action]) -> Vec<Option<Balance>> {
	sealing(actions).into_iter().map(|(_, price)| price).collect()
}

fn commitments(actions: &[Action]) -> Vec<H256> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitAskCommitments { node: NODE, items, .. } => Some(items.clone()),
			_ => None,
		})
		.flatten()
		.map(|item| item.hash)
		.collect()
}

fn reveals(actions: &[Action]) -> Vec<(ModelId, Option<Balance>, [u8; 32])> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::SubmitAskReveals { node: NODE, items, .. } => Some(items.clone()),
			_ => None,
		})
		.flatten()
		.map(|item| (item.model, item.price, item.salt))
		.collect()
}

fn counted(actions: &[Action]) -> Vec<(EpochIndex, BidOutcome)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::CountBid { key, outcome, .. } => Some((key.epoch, *outcome)),
			_ => None,
		})
		.collect()
}

/// What keeps asks from being committed to, as far as the operator is told.
fn obstacles(actions: &[Action]) -> Vec<(AskKey, AskObstacle)> {
	actions
		.iter()
		.filter_map(|action| match action {
			Action::TellObstacle { key, obstacle } => Some((*key, *obstacle)),
			_ => None,
		})
		.collect()
}

fn said(epoch: EpochIndex, step: AskStep) -> Event {
	Event::Submitted(Submission::Asks(NODE, epoch, step))
}

impl Rig {
	/// A node with this list of bids.
	fn with_bids(bids: Vec<Bid>) -> Self {
		Self::with(config(bids))
	}

	/// A node that asks 100 for compute of every model.
	fn bidder() -> Self {
		Self::with_bids(vec![bid(Scope::All, AskRole::Compute)])
	}

	/// A node whose ask of 100 for the first epoch is in the journal and on its way, at block 10.
	fn committing() -> Self {
		let mut rig = Self::bidder();
		rig.market(EPOCH, MarketPhase::Commit);
		let actions = rig.block(10, vec![]);
		assert_eq!(sealing(&actions), [(ask_key(EPOCH), Some(100))]);
		assert_eq!(commitments(&rig.seal(&actions)), [ask(EPOCH, Some(100)).commitment()]);
		rig
	}

	/// A node that asks 100 for storage of model 1, which it hosts and whose file it fetched at block 9.
	fn storing() -> Self {
		let mut rig = Self::with_bids(vec![bid(Scope::Model(1), AskRole::Storage)]);
		rig.hosted = vec![hosted(1)];
		rig.block(9, vec![]);
		rig.load(1);
		rig
	}

	/// The auction for storage of model 1, in its first epoch, with this standing ask.
	fn storage_market(&mut self, standing: Option<Balance>) {
		let task = self.market(EPOCH, MarketPhase::Commit);
		(task.role, task.standing) = (AskRole::Storage, standing);
	}

	/// The auction for compute of model 1. While asks are revealed, the blocks in which they were committed to are final.
	fn market(&mut self, epoch: EpochIndex, phase: MarketPhase) -> &mut AskTask {
		let later = 21 * (epoch - EPOCH);
		let (from, until) = match phase {
			MarketPhase::Commit => (10 + later, 20 + later),
			MarketPhase::Reveal => (21 + later, 30 + later),
		};
		if phase == MarketPhase::Reveal {
			self.finalized = from - 1;
		}
		let task = ask_task(1, epoch, phase, until);
		self.asks = vec![AskTask { from, ..task }];
		&mut self.asks[0]
	}

	/// Writes to the journal what `actions` want written.
	fn seal(&mut self, actions: &[Action]) -> Vec<Action> {
		let sealed = sealing(actions)
			.into_iter()
			.map(|(key, price)| SealedAsk {
				key,
				price,
				salt: [key.epoch as u8; 32],
			})
			.collect();
		self.machine.handle(Event::AsksSealed(Some(sealed)))
	}

	/// Lets an epoch pass in which so many jobs of models 1 and 2 take slots of ten, from `block` on.
	fn busy_epoch(&mut self, epoch: EpochIndex, block: BlockNumber, jobs: (u64, u64)) {
		self.slots = 10;
		self.market(epoch, MarketPhase::Reveal).standing = Some(140);
		let first = (0..jobs.0).map(|job| item(job, 1, 1_000));
		let second = (0..jobs.1).map(|job| item(100 + job, 2, 1_000));
		let items: Vec<WorkItem> = first.chain(second).collect();
		for number in block..block + 5 {
			self.block(number, items.clone());
		}
	}

	/// What is asked in the place of 140 after [`Rig::busy_epoch`].
	fn next_price(&mut self, epoch: EpochIndex, block: BlockNumber) -> Vec<Option<Balance>> {
		self.market(epoch, MarketPhase::Commit).standing = Some(140);
		prices(&self.block(block, vec![]))
	}
}

#[test]
fn ask_should_be_journalled_then_committed_to_then_revealed() {
	let mut rig = Rig::bidder();
	rig.market(EPOCH, MarketPhase::Commit);
	let actions = rig.block(10, vec![]);
	assert_eq!(sealing(&actions), [(ask_key(EPOCH), Some(100))]);
	assert!(commitments(&actions).is_empty(), "said before it is in the journal");
	let sealed = ask(EPOCH, Some(100));
	assert_eq!(commitments(&rig.seal(&actions)), [sealed.commitment()]);
	rig.machine.handle(said(EPOCH, AskStep::Commit));

	rig.market(EPOCH, MarketPhase::Commit).committed = Some(sealed.commitment());
	let actions = rig.block(13, vec![]);
	assert_eq!(counted(&actions), [(EPOCH, BidOutcome::Committed)]);
	assert!(commitments(&actions).is_empty() && reveals(&actions).is_empty());

	rig.market(EPOCH, MarketPhase::Reveal).committed = Some(sealed.commitment());
	assert_eq!(reveals(&rig.block(21, vec![])), [(1, Some(100), sealed.salt)]);
	rig.machine.handle(said(EPOCH, AskStep::Reveal));
	rig.market(EPOCH, MarketPhase::Reveal).standing = Some(100);
	let actions = rig.block(24, vec![]);
	assert!(reveals(&actions).is_empty());
	assert!(counted(&actions).is_empty(), "others may take its place yet");

	rig.market(EPOCH + 1, MarketPhase::Commit).standing = Some(100);
	let actions = rig.block(31, vec![]);
	assert_eq!(counted(&actions), [(EPOCH, BidOutcome::Revealed)]);
	assert!(sealing(&actions).is_empty(), "nothing to change");
	assert!(counted(&rig.block(32, vec![])).is_empty(), "counted once");
}

#[test]
fn operator_should_be_told_when_a_revealed_ask_does_not_stand() {
	// It got no place, or what stood before stands on.
	for standing in [None, Some(90)] {
		let mut rig = Rig::committing();
		rig.market(EPOCH, MarketPhase::Reveal).committed = Some(ask(EPOCH, Some(100)).commitment());
		assert_eq!(reveals(&rig.block(21, vec![])).len(), 1);
		rig.machine.handle(said(EPOCH, AskStep::Reveal));
		// As the chain does it: what has nothing to reveal is not named.
		rig.asks.clear();
		assert!(counted(&rig.block(22, vec![])).is_empty());
		rig.market(EPOCH + 1, MarketPhase::Commit).standing = standing;
		let actions = rig.block(31, vec![]);
		assert_eq!(counted(&actions), [(EPOCH, BidOutcome::NoPlace)]);
		assert_eq!(prices(&actions), [Some(100)], "it asks again");
		assert!(counted(&rig.block(32, vec![])).is_empty(), "told once");
	}
}

#[test]
fn ask_should_rise_when_the_node_was_busier_than_it_wants_to_be() {
	let mut rig = Rig::bidder();
	rig.busy_epoch(EPOCH, 21, (8, 0));
	assert_eq!(rig.next_price(EPOCH + 1, 31), [Some(147)]);
}

#[test]
fn ask_should_fall_when_the_node_was_less_busy_than_it_wants_to_be() {
	let mut rig = Rig::bidder();
	rig.busy_epoch(EPOCH, 21, (6, 0));
	assert_eq!(rig.next_price(EPOCH + 1, 31), [Some(133)]);
}

#[test]
fn ask_should_stay_when_the_node_was_as_busy_as_it_wants_to_be() {
	let mut rig = Rig::bidder();
	rig.busy_epoch(EPOCH, 21, (7, 0));
	assert!(rig.next_price(EPOCH + 1, 31).is_empty());
}

#[test]
fn slots_that_other_models_take_should_not_count_as_free() {
	let mut rig = Rig::bidder();
	rig.busy_epoch(EPOCH, 21, (5, 4));
	assert_eq!(rig.next_price(EPOCH + 1, 31), [Some(147)], "five of six");
}

#[test]
fn ask_should_stay_when_too_little_of_the_epoch_was_seen() {
	let mut rig = Rig::bidder();
	rig.busy_epoch(EPOCH, 21, (9, 0));
	// An epoch later that says nothing any more.
	assert!(rig.next_price(EPOCH + 2, 52).is_empty());
	let mut rig = Rig::bidder();
	rig.slots = 10;
	for number in 21..25 {
		rig.market(EPOCH, MarketPhase::Reveal).standing = Some(140);
		rig.block(number, vec![]);
		rig.block(number, vec![]);
	}
	assert!(rig.next_price(EPOCH + 1, 31).is_empty(), "four blocks, each twice");
}

#[test]
fn ask_for_storage_should_stay_whatever_the_load() {
	let mut rig = Rig::storing();
	rig.slots = 10;
	for (epoch, block) in [(EPOCH, 10), (EPOCH + 1, 31)] {
		rig.market(epoch, MarketPhase::Commit).role = AskRole::Storage;
		rig.asks[0].standing = Some(100);
		let jobs: Vec<WorkItem> = (0..10).map(|job| item(job, 1, 1_000)).collect();
		for number in block..block + 8 {
			assert!(sealing(&rig.block(number, jobs.clone())).is_empty());
		}
	}
}

#[test]
fn storage_should_be_asked_for_only_when_the_file_is_here() {
	let mut rig = Rig::with_bids(AskRole::ALL.map(|role| bid(Scope::Model(1), role)).to_vec());
	rig.hosted = vec![hosted(1)];
	rig.market(EPOCH, MarketPhase::Commit);
	let storage = AskTask {
		role: AskRole::Storage,
		..rig.asks[0].clone()
	};
	rig.asks.push(storage);
	let actions = rig.block(10, vec![]);
	assert_eq!(sealing(&actions), [(ask_key(EPOCH), Some(100))]);
	rig.seal(&actions);
	let fetched = rig.machine.handle(Event::ModelFetched(model_key(1)));
	let key = AskKey {
		role: AskRole::Storage,
		..ask_key(EPOCH)
	};
	assert_eq!(sealing(&fetched), [(key, Some(100))]);
}

#[test]
fn storage_should_not_be_asked_for_before_the_file_of_the_coming_version_is_here() {
	let mut rig = Rig::storing();
	let coming = HostedModel {
		version: 2,
		spec: spec(2),
		..hosted(1)
	};
	let key = ModelKey::of(1, 2, &coming.spec);
	rig.hosted.push(coming);
	rig.storage_market(None);
	assert!(prices(&rig.block(10, vec![])).is_empty());
	assert_eq!(prices(&rig.machine.handle(Event::ModelFetched(key))), [Some(100)]);
}

#[test]
fn storage_should_be_withdrawn_at_the_end_of_the_phase_when_the_file_does_not_come() {
	let mut rig = Rig::with_bids(vec![bid(Scope::Model(1), AskRole::Storage)]);
	rig.hosted = vec![hosted(1)];
	rig.storage_market(Some(140));
	for block in 10..16 {
		assert!(prices(&rig.block(block, vec![])).is_empty(), "it may still come");
		let missing = Event::ModelFetchFailed(model_key(1), BlobError::Missing);
		assert!(prices(&rig.machine.handle(missing)).is_empty());
	}
	let actions = rig.block(16, vec![]);
	assert_eq!(prices(&actions), [None]);
	// It comes in the last moment.
	rig.machine.handle(Event::ModelFetched(model_key(1)));
	assert!(commitments(&rig.seal(&actions)).is_empty());
	// It did not.
	let mut rig = Rig::with_bids(vec![bid(Scope::Model(1), AskRole::Storage)]);
	rig.hosted = vec![hosted(1)];
	rig.storage_market(Some(140));
	let actions = rig.block(16, vec![]);
	assert_eq!(commitments(&rig.seal(&actions)).len(), 1);
}

#[test]
fn storage_should_be_withdrawn_when_the_file_is_lost_or_is_too_large_for_the_store() {
	let withdrawn = |rig: &mut Rig| {
		rig.storage_market(Some(140));
		prices(&rig.block(16, vec![])) == [None]
	};
	assert!(!withdrawn(&mut Rig::storing()));

	let mut rig = Rig::storing();
	rig.challenges = vec![storage_task(1, 0, 9, 39)];
	rig.block(10, vec![]);
	let key = ChallengeKey::of(NODE, &rig.challenges[0]);
	rig.machine.handle(Event::ChunkFailed(key, BlobError::Missing));
	assert!(withdrawn(&mut rig));
	rig.machine.handle(Event::ArtefactReady(key));
	assert!(rig.machine.stored_models().contains(&1));

	let mut rig = Rig::with_bids(vec![bid(Scope::All, AskRole::Storage)]);
	rig.hosted = vec![hosted(1)];
	rig.block(10, vec![]);
	let too_large = BlobError::TooLarge { size: 2, most: 1 };
	rig.machine.handle(Event::ModelFetchFailed(model_key(1), too_large));
	assert!(withdrawn(&mut rig));
}

#[test]
fn ask_should_be_brought_within_the_bounds_without_a_measured_load() {
	for (standing, next) in [(50, 100), (300, 200)] {
		let mut rig = Rig::bidder();
		rig.market(EPOCH, MarketPhase::Commit).standing = Some(standing);
		assert_eq!(prices(&rig.block(10, vec![])), [Some(next)]);
	}
}

#[test]
fn ask_should_be_withdrawn_when_nothing_is_bid_for_it_any_more() {
	let mut rig = Rig::with_bids(vec![
		bid(Scope::Model(2), AskRole::Compute),
		bid(Scope::Model(1), AskRole::Storage),
	]);
	rig.market(EPOCH, MarketPhase::Commit).standing = Some(140);
	let actions = rig.block(10, vec![]);
	assert_eq!(prices(&actions), [None]);
	let hash = ask(EPOCH, None).commitment();
	assert_eq!(commitments(&rig.seal(&actions)), [hash]);
	let task = rig.market(EPOCH, MarketPhase::Reveal);
	(task.standing, task.committed) = (Some(140), Some(hash));
	assert_eq!(reveals(&rig.block(21, vec![])), [(1, None, [EPOCH as u8; 32])]);
}

#[test]
fn operators_own_asks_should_be_left_alone_when_there_are_no_bids() {
	let mut rig = Rig::new();
	rig.market(EPOCH, MarketPhase::Commit).standing = Some(140);
	assert!(sealing(&rig.block(10, vec![])).is_empty());
}

#[test]
fn nothing_should_be_said_when_the_next_block_is_in_another_phase() {
	let mut rig = Rig::bidder();
	rig.market(EPOCH, MarketPhase::Commit);
	assert!(sealing(&rig.block(20, vec![])).is_empty());

	let mut rig = Rig::committing();
	rig.machine.handle(said(EPOCH, AskStep::Commit));
	assert!(commitments(&rig.block(20, vec![])).is_empty());
	rig.market(EPOCH, MarketPhase::Reveal).committed = Some(ask(EPOCH, Some(100)).commitment());
	assert!(reveals(&rig.block(30, vec![])).is_empty());
}

#[test]
fn nothing_should_be_revealed_that_the_chain_does_not_hold() {
	let mut rig = Rig::committing();
	rig.machine.handle(said(EPOCH, AskStep::Commit));
	rig.market(EPOCH, MarketPhase::Reveal);
	assert!(reveals(&rig.block(21, vec![])).is_empty());
	// Somebody else made another one for it.
	rig.market(EPOCH, MarketPhase::Reveal).committed = Some(H256::repeat_byte(1));
	let actions = rig.block(22, vec![]);
	assert!(reveals(&actions).is_empty());
	assert_eq!(counted(&actions), [(EPOCH, BidOutcome::Elsewhere)]);
	assert!(counted(&rig.block(23, vec![])).is_empty(), "told once");
}

#[test]
fn nothing_should_be_planned_when_the_operator_committed_by_his_account() {
	let mut rig = Rig::bidder();
	rig.market(EPOCH, MarketPhase::Commit).committed = Some(H256::repeat_byte(1));
	let actions = rig.block(10, vec![]);
	assert!(sealing(&actions).is_empty());
	assert_eq!(counted(&actions), [(EPOCH, BidOutcome::Elsewhere)]);
}

#[test]
fn same_commitment_should_be_said_again_when_a_reorg_loses_it() {
	let mut rig = Rig::committing();
	rig.machine.handle(said(EPOCH, AskStep::Commit));
	let hash = ask(EPOCH, Some(100)).commitment();
	rig.market(EPOCH, MarketPhase::Commit).committed = Some(hash);
	assert!(commitments(&rig.block(13, vec![])).is_empty());
	rig.market(EPOCH, MarketPhase::Commit);
	let actions = rig.block(14, vec![]);
	assert!(sealing(&actions).is_empty(), "it is in the journal");
	assert_eq!(commitments(&actions), [hash]);
}

#[test]
fn word_on_its_way_should_not_be_said_again_when_a_reorg_leads_back_to_its_epoch() {
	let mut rig = Rig::committing();
	rig.market(EPOCH + 1, MarketPhase::Commit).standing = Some(100);
	rig.block(31, vec![]);
	rig.market(EPOCH, MarketPhase::Commit);
	assert!(commitments(&rig.block(12, vec![])).is_empty(), "it is on its way");
	rig.machine.handle(said(EPOCH, AskStep::Commit));
	assert_eq!(commitments(&rig.block(15, vec![])).len(), 1);
}

#[test]
fn reveal_should_be_said_again_when_a_reorg_loses_it() {
	let mut rig = Rig::committing();
	let hash = ask(EPOCH, Some(100)).commitment();
	rig.market(EPOCH, MarketPhase::Reveal).committed = Some(hash);
	assert_eq!(reveals(&rig.block(21, vec![])).len(), 1);
	rig.machine.handle(said(EPOCH, AskStep::Reveal));
	rig.market(EPOCH, MarketPhase::Reveal).standing = Some(100);
	rig.block(22, vec![]);
	rig.market(EPOCH, MarketPhase::Reveal).committed = Some(hash);
	let actions = rig.block(24, vec![]);
	assert_eq!(reveals(&actions).len(), 1);
	assert!(counted(&actions).is_empty(), "its commitment was counted");
	rig.machine.handle(said(EPOCH, AskStep::Reveal));
	rig.market(EPOCH, MarketPhase::Reveal).standing = Some(100);
	rig.block(25, vec![]);
	rig.market(EPOCH + 1, MarketPhase::Commit).standing = Some(100);
	assert_eq!(counted(&rig.block(31, vec![])), [(EPOCH, BidOutcome::Revealed)]);
}

#[test]
fn ask_should_be_revealed_when_the_worker_was_started_after_its_commitment() {
	for bids in [
		Some(Bids::new(vec![bid(Scope::All, AskRole::Compute)])),
		Some(Bids::default()),
		None,
	] {
		let mut rig = Rig::with(MachineConfig {
			bids,
			..MachineConfig::default()
		});
		let sealed = ask(EPOCH, Some(170));
		rig.machine.handle(Event::AsksRestored(vec![sealed.clone()]));
		rig.market(EPOCH, MarketPhase::Reveal).committed = Some(sealed.commitment());
		assert_eq!(reveals(&rig.block(21, vec![])), [(1, Some(170), sealed.salt)]);
	}
}

#[test]
fn planned_ask_should_be_committed_to_after_a_restart_only_if_it_is_still_wanted() {
	let restarted = |bids: Vec<Bid>, price| {
		let mut rig = Rig::with_bids(bids);
		rig.machine.handle(Event::AsksRestored(vec![ask(EPOCH, price)]));
		rig.market(EPOCH, MarketPhase::Commit).standing = Some(150);
		let actions = rig.block(10, vec![]);
		assert!(sealing(&actions).is_empty(), "a second ask for one epoch");
		commitments(&actions).len()
	};
	let compute = || vec![bid(Scope::All, AskRole::Compute)];
	assert_eq!(restarted(compute(), Some(170)), 1);
	assert_eq!(restarted(compute(), Some(99)), 0, "the floor was raised");
	assert_eq!(restarted(compute(), None), 0, "it is bid for again");
	assert_eq!(restarted(vec![], Some(170)), 0, "it is not bid for any more");
	assert_eq!(restarted(vec![], None), 1);
}

#[test]
fn words_should_be_said_again_with_growing_pauses_while_they_have_no_effect() {
	let mut rig = Rig::committing();
	rig.market(EPOCH, MarketPhase::Commit).until = 1_000;
	let mut blocks = vec![];
	rig.machine.handle(said(EPOCH, AskStep::Commit));
	for block in 11..60 {
		if !commitments(&rig.block(block, vec![])).is_empty() {
			blocks.push(block);
			rig.machine.handle(said(EPOCH, AskStep::Commit));
		}
	}
	assert_eq!(blocks, [13, 19, 31, 43, 55]);
}

#[test]
fn words_that_the_pool_refuses_should_be_tried_again_soon() {
	let mut rig = Rig::committing();
	rig.market(EPOCH, MarketPhase::Commit).until = 1_000;
	let refused = || Event::SubmitFailed(Submission::Asks(NODE, EPOCH, AskStep::Commit));
	let mut blocks = vec![];
	rig.machine.handle(refused());
	for block in 11..24 {
		if !commitments(&rig.block(block, vec![])).is_empty() {
			blocks.push(block);
			rig.machine.handle(refused());
		}
	}
	assert_eq!(blocks, [11, 13, 17, 21]);
}

#[test]
fn nothing_should_be_said_until_the_journal_can_be_written() {
	let mut rig = Rig::bidder();
	rig.market(EPOCH, MarketPhase::Commit);
	assert_eq!(prices(&rig.block(10, vec![])), [Some(100)]);
	assert!(sealing(&rig.block(11, vec![])).is_empty(), "it is being written");
	assert_eq!(rig.machine.handle(Event::AsksSealed(None)), []);
	let actions = rig.block(12, vec![]);
	assert!(commitments(&actions).is_empty());
	assert_eq!(commitments(&rig.seal(&actions)).len(), 1);
}

#[test]
fn nothing_should_be_said_while_the_node_is_syncing() {
	let mut rig = Rig::bidder();
	rig.market(EPOCH, MarketPhase::Commit);
	let actions = rig.block(10, vec![]);
	rig.machine.handle(Event::Syncing);
	assert_eq!(rig.seal(&actions), []);
	assert_eq!(commitments(&rig.block(11, vec![])).len(), 1);
}

#[test]
fn more_asks_than_fit_should_go_out_one_word_after_the_other() {
	let mut rig = Rig::bidder();
	rig.asks = (1..=40)
		.map(|model| ask_task(model, EPOCH, MarketPhase::Commit, 100))
		.collect();
	let actions = rig.block(10, vec![]);
	assert_eq!(sealing(&actions).len(), 40);
	let first = commitments(&rig.seal(&actions));
	assert_eq!(first.len(), 24);
	assert!(commitments(&rig.block(11, vec![])).is_empty(), "one word at a time");
	rig.machine.handle(said(EPOCH, AskStep::Commit));
	let second = commitments(&rig.block(14, vec![]));
	assert_eq!(second.len(), 24);
	let all: BTreeSet<H256> = first.into_iter().chain(second).collect();
	assert_eq!(all.len(), 40, "what was not said goes first");
}

#[test]
fn named_models_should_be_looked_up_in_every_epoch_before_anything_is_said() {
	let mut rig = Rig::with_bids(vec![bid(Scope::Named(name()), AskRole::Compute)]);
	let asked = |actions: &[Action]| actions.contains(&Action::NameModels(vec![name()]));
	rig.market(EPOCH, MarketPhase::Commit);
	let actions = rig.block(10, vec![]);
	assert!(asked(&actions) && sealing(&actions).is_empty());
	assert_eq!(rig.machine.handle(Event::ModelsNamed(None)), []);
	assert!(asked(&rig.block(11, vec![])), "the state could not be read");
	assert!(!asked(&rig.block(12, vec![])), "it is on its way");
	let names = BTreeMap::from([(name(), 1)]);
	let actions = rig.machine.handle(Event::ModelsNamed(Some(names)));
	assert_eq!(prices(&actions), [Some(100)]);
	rig.seal(&actions);

	rig.market(EPOCH + 1, MarketPhase::Commit).standing = Some(100);
	let actions = rig.block(31, vec![]);
	assert!(asked(&actions) && sealing(&actions).is_empty());
	let actions = rig.machine.handle(Event::ModelsNamed(Some(BTreeMap::new())));
	assert_eq!(prices(&actions), [None], "nobody has the name any more");
}

#[test]
fn ask_should_be_forgotten_when_its_epoch_has_begun_for_good() {
	let mut rig = Rig::committing();
	let forgotten = |actions: &[Action]| actions.contains(&Action::ForgetAsks(vec![ask_key(EPOCH)]));
	rig.market(EPOCH, MarketPhase::Reveal);
	assert!(!forgotten(&rig.block_finalized(30, 30, vec![])));
	rig.market(EPOCH + 1, MarketPhase::Commit).standing = Some(100);
	assert!(!forgotten(&rig.block_finalized(31, 30, vec![])));
	// A reorg leads back.
	rig.market(EPOCH, MarketPhase::Reveal);
	rig.block_finalized(30, 30, vec![]);
	rig.market(EPOCH + 1, MarketPhase::Commit).standing = Some(100);
	assert!(!forgotten(&rig.block_finalized(32, 31, vec![])));
	assert!(forgotten(&rig.block_finalized(33, 32, vec![])));
	assert!(!forgotten(&rig.block_finalized(34, 33, vec![])));
}

#[test]
fn operator_should_be_told_when_an_ask_was_not_revealed_in_time() {
	let mut rig = Rig::committing();
	rig.market(EPOCH, MarketPhase::Reveal).committed = Some(ask(EPOCH, Some(100)).commitment());
	rig.block(30, vec![]);
	rig.market(EPOCH + 1, MarketPhase::Commit);
	assert_eq!(counted(&rig.block(31, vec![])), [(EPOCH, BidOutcome::Missed)]);
	assert!(counted(&rig.block(32, vec![])).is_empty());
}

#[test]
fn reveal_in_the_last_block_of_an_epoch_should_count_when_the_ask_stands() {
	for (standing, outcome) in [(Some(100), BidOutcome::Revealed), (None, BidOutcome::Missed)] {
		let mut rig = Rig::committing();
		rig.market(EPOCH, MarketPhase::Reveal).committed = Some(ask(EPOCH, Some(100)).commitment());
		assert_eq!(reveals(&rig.block(29, vec![])).len(), 1);
		// What counts in block 31 is of the next epoch.
		rig.market(EPOCH + 1, MarketPhase::Commit).standing = standing;
		assert_eq!(counted(&rig.block(30, vec![])), [(EPOCH, outcome)]);
	}
}

#[test]
fn late_answers_about_another_epoch_should_change_nothing() {
	let mut rig = Rig::committing();
	rig.market(EPOCH + 1, MarketPhase::Commit);
	let actions = rig.block(31, vec![]);
	assert_eq!(commitments(&rig.seal(&actions)).len(), 1);
	rig.machine.handle(said(EPOCH, AskStep::Commit));
	assert!(
		commitments(&rig.block(40, vec![])).is_empty(),
		"the one of this epoch is on its way"
	);
}

#[test]
fn standing_asks_should_be_shown() {
	let mut rig = Rig::bidder();
	rig.hosted = vec![hosted(1)];
	let task = rig.market(EPOCH, MarketPhase::Commit);
	(task.standing, task.won) = (Some(140), true);
	rig.block(10, vec![]);
	let expected = AskFigures {
		model: 1,
		role: AskRole::Compute,
		price: Some(140),
		won: true,
	};
	assert_eq!(rig.machine.asks(), std::slice::from_ref(&expected));
	rig.asks.clear();
	rig.block(21, vec![]);
	assert_eq!(rig.machine.asks(), [expected], "there is nothing to reveal");
	rig.hosted.clear();
	rig.block(22, vec![]);
	assert!(rig.machine.asks().is_empty());
}

/// As the chain does it: what has nothing to reveal is not named.
#[test]
fn list_without_asks_should_say_that_all_is_revealed() {
	let mut rig = Rig::committing();
	rig.market(EPOCH, MarketPhase::Reveal).committed = Some(ask(EPOCH, Some(100)).commitment());
	assert_eq!(reveals(&rig.block(21, vec![])).len(), 1);
	rig.machine.handle(said(EPOCH, AskStep::Reveal));
	rig.asks.clear();
	assert!(reveals(&rig.block(24, vec![])).is_empty());
	rig.market(EPOCH + 1, MarketPhase::Commit).standing = Some(100);
	assert_eq!(counted(&rig.block(31, vec![])), [(EPOCH, BidOutcome::Revealed)]);
}

#[test]
fn load_should_be_measured_while_the_list_has_no_asks() {
	let mut rig = Rig::bidder();
	rig.slots = 10;
	rig.market(EPOCH, MarketPhase::Commit).standing = Some(140);
	rig.block(19, vec![]);
	rig.asks.clear();
	let jobs: Vec<WorkItem> = (0..10).map(|job| item(job, 1, 1_000)).collect();
	for block in 21..30 {
		rig.block(block, jobs.clone());
	}
	assert_eq!(rig.next_price(EPOCH + 1, 31), [Some(147)], "nine of ten blocks");
}

#[test]
fn operator_should_be_told_when_a_model_was_dropped_before_its_ask_was_revealed() {
	let mut rig = Rig::committing();
	rig.market(EPOCH, MarketPhase::Commit).committed = Some(ask(EPOCH, Some(100)).commitment());
	rig.block(11, vec![]);
	rig.asks[0].model = 2;
	rig.asks[0].committed = None;
	rig.block(12, vec![]);
	rig.market(EPOCH + 1, MarketPhase::Commit).model = 2;
	assert_eq!(counted(&rig.block(31, vec![])), [(EPOCH, BidOutcome::Missed)]);
}
