//! What is not said yet: a commitment that the chain would refuse, and a reveal before the commitments are final.

use super::*;

fn no_bond(missing: Balance) -> Option<AskObstacle> {
	Some(AskObstacle::NoBond { missing })
}

impl Rig {
	/// A node whose commitment of the first epoch the chain holds as it becomes time to reveal; the last block for commitments
	/// is not final.
	fn waiting() -> Self {
		let mut rig = Self::committing();
		rig.machine.handle(said(EPOCH, AskStep::Commit));
		rig.market(EPOCH, MarketPhase::Reveal).committed = Some(ask(EPOCH, Some(100)).commitment());
		rig.finalized = 19;
		rig
	}
}

#[test]
fn reveal_should_wait_until_the_last_block_for_commitments_is_final() {
	let mut rig = Rig::waiting();
	for block in 20..=23 {
		assert!(reveals(&rig.block(block, vec![])).is_empty(), "{block}");
	}
	// The same block, with news about finality.
	rig.finalized = 20;
	assert_eq!(
		reveals(&rig.block(23, vec![])),
		[(1, Some(100), ask(EPOCH, Some(100)).salt)]
	);
}

#[test]
fn reveal_should_be_said_at_once_when_the_commitments_are_final_already() {
	let mut rig = Rig::waiting();
	rig.finalized = 20;
	assert_eq!(reveals(&rig.block(20, vec![])).len(), 1);
}

#[test]
fn reveal_should_not_wait_for_finality_when_half_of_the_phase_is_over() {
	let mut rig = Rig::waiting();
	for block in 20..=24 {
		assert!(reveals(&rig.block(block, vec![])).is_empty(), "{block}");
	}
	assert_eq!(reveals(&rig.block(25, vec![])).len(), 1);
	// Nor does a worker that starts then.
	let mut rig = Rig::waiting();
	assert_eq!(reveals(&rig.block(27, vec![])).len(), 1);
}

#[test]
fn reveal_should_not_wait_for_finality_when_three_blocks_of_a_short_phase_are_left() {
	let mut rig = Rig::waiting();
	// As on a development chain.
	rig.asks[0].from = 27;
	rig.finalized = 24;
	assert!(reveals(&rig.block(26, vec![])).is_empty());
	assert_eq!(reveals(&rig.block(27, vec![])).len(), 1);
	rig.machine.handle(said(EPOCH, AskStep::Reveal));
	assert_eq!(
		reveals(&rig.block(28, vec![])).len(),
		1,
		"there is time to say it again"
	);
}

#[test]
fn ask_should_wait_without_a_word_while_the_chain_would_not_take_it() {
	let mut rig = Rig::bidder();
	rig.market(EPOCH, MarketPhase::Commit).obstacle = no_bond(5);
	let actions = rig.block(10, vec![]);
	assert_eq!(prices(&actions), [Some(100)]);
	let actions = rig.seal(&actions);
	assert!(commitments(&actions).is_empty());
	let told = AskObstacle::NoBond { missing: 5 };
	assert_eq!(obstacles(&actions), [(ask_key(EPOCH), told)]);
	for block in 11..15u32 {
		rig.asks[0].obstacle = no_bond(block.into());
		let actions = rig.block(block, vec![]);
		assert!(commitments(&actions).is_empty(), "{block}");
		assert!(obstacles(&actions).is_empty(), "told once");
	}
	rig.asks[0].obstacle = Some(AskObstacle::NotEligible);
	let other = (ask_key(EPOCH), AskObstacle::NotEligible);
	assert_eq!(obstacles(&rig.block(15, vec![])), [other], "another reason");

	rig.asks[0].obstacle = None;
	assert_eq!(
		commitments(&rig.block(16, vec![])),
		[ask(EPOCH, Some(100)).commitment()]
	);
}

#[test]
fn operator_should_be_told_in_every_epoch_in_which_an_ask_waits() {
	let mut rig = Rig::bidder();
	for (epoch, block) in [(EPOCH, 10), (EPOCH + 1, 31)] {
		rig.market(epoch, MarketPhase::Commit).obstacle = no_bond(5);
		let actions = rig.block(block, vec![]);
		assert_eq!(obstacles(&rig.seal(&actions)).len(), 1);
		assert!(obstacles(&rig.block(block + 1, vec![])).is_empty());
	}
}

#[test]
fn operator_should_not_be_told_of_asks_that_are_not_to_change() {
	for standing in [Some(140), None] {
		// What stands is within the bounds, or nothing is bid.
		let mut rig = match standing {
			Some(_) => Rig::bidder(),
			None => Rig::with_bids(vec![]),
		};
		let task = rig.market(EPOCH, MarketPhase::Commit);
		(task.standing, task.obstacle) = (standing, no_bond(5));
		assert!(obstacles(&rig.block(10, vec![])).is_empty());
	}
	// It was wanted before the worker was started with other bids.
	let mut rig = Rig::with_bids(vec![]);
	rig.machine.handle(Event::AsksRestored(vec![ask(EPOCH, Some(100))]));
	rig.market(EPOCH, MarketPhase::Commit).obstacle = no_bond(5);
	assert!(obstacles(&rig.block(10, vec![])).is_empty());
}

#[test]
fn withdrawal_should_wait_and_be_told_like_any_other_ask() {
	let mut rig = Rig::with_bids(vec![]);
	let task = rig.market(EPOCH, MarketPhase::Commit);
	(task.standing, task.obstacle) = (Some(140), no_bond(5));
	let actions = rig.block(10, vec![]);
	assert_eq!(prices(&actions), [None]);
	let actions = rig.seal(&actions);
	assert!(commitments(&actions).is_empty());
	assert_eq!(obstacles(&actions).len(), 1);
}

#[test]
fn other_asks_should_not_wait_for_one_that_the_chain_would_not_take() {
	let mut rig = Rig::bidder();
	rig.asks = [1, 2]
		.map(|model| ask_task(model, EPOCH, MarketPhase::Commit, 1_000))
		.to_vec();
	rig.asks[1].obstacle = no_bond(5);
	let actions = rig.block(10, vec![]);
	let actions = rig.seal(&actions);
	let first = commitments(&actions);
	assert_eq!((first.len(), obstacles(&actions).len()), (1, 1));
	rig.machine.handle(said(EPOCH, AskStep::Commit));
	rig.asks[0].committed = Some(first[0]);
	assert!(commitments(&rig.block(11, vec![])).is_empty());
	// Sooner than what was said before would be said again.
	rig.asks[1].obstacle = None;
	let second = commitments(&rig.block(12, vec![]));
	assert!(second.len() == 1 && second != first);
}

#[test]
fn ask_that_can_be_said_should_wait_for_the_word_on_its_way() {
	let mut rig = Rig::bidder();
	rig.asks = [1, 2]
		.map(|model| ask_task(model, EPOCH, MarketPhase::Commit, 1_000))
		.to_vec();
	rig.asks[1].obstacle = no_bond(5);
	let actions = rig.block(10, vec![]);
	assert_eq!(commitments(&rig.seal(&actions)).len(), 1);
	rig.asks[1].obstacle = None;
	assert!(commitments(&rig.block(11, vec![])).is_empty(), "one word at a time");
	rig.machine.handle(said(EPOCH, AskStep::Commit));
	assert_eq!(commitments(&rig.block(14, vec![])).len(), 2);
}
