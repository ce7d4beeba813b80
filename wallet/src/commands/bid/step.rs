//! What comes next for a bid: from what is kept of it and what the chain knows, and nothing else.

use super::file::Bid;
use highway_primitives::{market::MarketPhase, Balance, BlockNumber, EpochIndex};
use highway_runtime_api::types::{AskInfo, AskTask, MarketInfo};
use sp_core::H256;

/// What the chain knows of the node's asks for the bid's model and role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
	/// The epoch that is bid for now.
	pub epoch: EpochIndex,
	/// What may be said about it.
	pub phase: MarketPhase,
	/// The last block of the phase.
	pub until: BlockNumber,
	/// What is committed to and not revealed.
	pub committed: Option<H256>,
	/// What is asked in that epoch unless something else is revealed.
	pub standing: Option<Balance>,
	/// The best block, if nothing is to be revealed before the next one: see [`AskTask::is_time_to_reveal`].
	pub hold: Option<BlockNumber>,
}

impl Seen {
	/// What the node's worker is told, and what its node knows of the chain: its best block, and the last final one.
	pub fn from_task(task: &AskTask, best: BlockNumber, finalized: BlockNumber) -> Self {
		Self {
			epoch: task.epoch,
			phase: task.phase,
			until: task.until,
			committed: task.committed,
			standing: task.standing,
			hold: (!task.is_time_to_reveal(best, finalized)).then_some(best),
		}
	}

	/// Where the node's worker is told nothing of its asks: in the reveal phase, because nothing is left to be revealed; at any
	/// time, because the node does not host the model any more. Then the bid is taken for committed to, and the chain has the
	/// last word: what it would refuse is not sent, so that nobody learns anything by it.
	pub fn from_market(market: &MarketInfo, bid: &Bid, hosts: bool) -> Self {
		Self {
			epoch: market.epoch.saturating_add(1),
			phase: market.phase,
			until: market.phase_until,
			committed: (!hosts && !bid.revealed).then(|| bid.hash()),
			standing: public_ask(market, bid).map(|ask| ask.price),
			hold: None,
		}
	}
}

/// The latest ask of the bid's node for its model and role.
fn public_ask<'a>(market: &'a MarketInfo, bid: &Bid) -> Option<&'a AskInfo> {
	let role = market.roles.iter().find(|role| role.role == bid.role)?;
	role.asks
		.iter()
		.filter(|ask| ask.node == bid.node)
		.max_by_key(|ask| ask.from)
}

/// Whether a revealed bid has a place: all may be taken by nodes that ask no more.
pub fn has_place(market: &MarketInfo, bid: &Bid) -> bool {
	bid.price.is_none() || public_ask(market, bid).map(|ask| ask.price) == bid.price
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
	/// Nothing before the block behind this one.
	Wait(BlockNumber),
	/// The same, but it is about time for its reveal: others could still commit after a look at it.
	Hold(BlockNumber),
	/// Its reveal.
	Reveal,
	/// Nothing: it is revealed.
	Revealed,
	/// Nothing: the chain has no such commitment, and takes none any more.
	Missing,
	/// Nothing: its epoch has begun.
	Late,
}

/// What comes next for `bid`. `None`: the model is gone.
pub fn step(bid: &Bid, seen: Option<&Seen>) -> Step {
	let Some(seen) = seen else { return Step::Missing };
	if seen.epoch > bid.epoch {
		return match bid.revealed || seen.standing == bid.price {
			true => Step::Revealed,
			false => Step::Late,
		};
	}
	// The node may be behind.
	if seen.epoch < bid.epoch || seen.phase == MarketPhase::Commit {
		return Step::Wait(seen.until);
	}
	if seen.committed == Some(bid.hash()) {
		// Also where it was revealed before, in a block that another one has replaced.
		return seen.hold.map_or(Step::Reveal, Step::Hold);
	}
	match bid.revealed || (seen.committed.is_none() && seen.standing == bid.price) {
		true => Step::Revealed,
		false => Step::Missing,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::client::ChainIdentity;
	use highway_primitives::market::AskRole;
	use highway_runtime_api::types::RoleMarket;
	use sp_core::crypto::AccountId32;

	fn bid() -> Bid {
		Bid {
			chain: ChainIdentity {
				genesis: [1; 32],
				first: None,
			},
			operator: AccountId32::new([3; 32]),
			node: 4,
			model: 5,
			role: AskRole::Compute,
			epoch: 8,
			price: Some(100),
			salt: [6; 32],
			revealed: false,
		}
	}

	fn seen(epoch: EpochIndex, phase: MarketPhase, committed: Option<H256>, standing: Option<Balance>) -> Seen {
		Seen {
			epoch,
			phase,
			until: 77,
			committed,
			standing,
			hold: None,
		}
	}

	#[test]
	fn bids_should_be_revealed_in_the_reveal_phase_of_their_epoch_and_not_before() {
		let ours = Some(bid().hash());
		let at = |epoch, phase| step(&bid(), Some(&seen(epoch, phase, ours, Some(90))));
		assert_eq!(at(8, MarketPhase::Commit), Step::Wait(77));
		assert_eq!(at(8, MarketPhase::Reveal), Step::Reveal);
		assert_eq!(at(7, MarketPhase::Reveal), Step::Wait(77));
		assert_eq!(at(9, MarketPhase::Reveal), Step::Late);
	}

	/// What the worker is told in a reveal phase of blocks 61 to 80.
	fn task(phase: MarketPhase) -> AskTask {
		AskTask {
			model: 5,
			role: AskRole::Compute,
			epoch: 8,
			phase,
			from: 61,
			until: 80,
			standing: None,
			committed: Some(bid().hash()),
			obstacle: None,
			price: None,
			won: false,
		}
	}

	#[test]
	fn bids_should_not_be_revealed_before_the_last_block_for_commitments_is_final() {
		let told = task(MarketPhase::Reveal);
		let after = |best, finalized| step(&bid(), Some(&Seen::from_task(&told, best, finalized)));
		assert_eq!(after(60, 58), Step::Hold(60));
		assert_eq!(after(63, 59), Step::Hold(63));
		assert_eq!(after(63, 60), Step::Reveal);
		// Finality may stall, and the bond shall not be lost for that.
		assert_eq!(after(69, 59), Step::Hold(69));
		assert_eq!(after(70, 59), Step::Reveal);
		let committing = Seen::from_task(&task(MarketPhase::Commit), 50, 49);
		assert_eq!(step(&bid(), Some(&committing)), Step::Wait(80));
	}

	#[test]
	fn bids_should_be_revealed_again_when_the_first_reveal_got_lost() {
		let revealed = Bid {
			revealed: true,
			..bid()
		};
		let lost = seen(8, MarketPhase::Reveal, Some(bid().hash()), None);
		assert_eq!(step(&revealed, Some(&lost)), Step::Reveal);
		let there = seen(8, MarketPhase::Reveal, None, Some(100));
		assert_eq!(step(&revealed, Some(&there)), Step::Revealed);
		// Displaced, or changed since.
		for standing in [None, Some(90)] {
			let later = seen(12, MarketPhase::Commit, None, standing);
			assert_eq!(step(&revealed, Some(&later)), Step::Revealed);
		}
	}

	#[test]
	fn bids_should_be_known_as_revealed_when_they_stand_even_if_nobody_noted_it() {
		for phase in [MarketPhase::Commit, MarketPhase::Reveal] {
			assert_eq!(step(&bid(), Some(&seen(9, phase, None, Some(100)))), Step::Revealed);
		}
		let now = seen(8, MarketPhase::Reveal, None, Some(100));
		assert_eq!(step(&bid(), Some(&now)), Step::Revealed);
		let withdrawal = Bid { price: None, ..bid() };
		let gone = seen(8, MarketPhase::Reveal, None, None);
		assert_eq!(step(&withdrawal, Some(&gone)), Step::Revealed);
	}

	#[test]
	fn bids_should_be_missing_when_the_chain_has_another_commitment_or_none() {
		let other = seen(8, MarketPhase::Reveal, Some(H256::zero()), Some(100));
		assert_eq!(step(&bid(), Some(&other)), Step::Missing);
		let none = seen(8, MarketPhase::Reveal, None, Some(90));
		assert_eq!(step(&bid(), Some(&none)), Step::Missing);
		assert_eq!(step(&bid(), None), Step::Missing);
		// Until the phase is over it may still come into a block.
		let not_yet = seen(8, MarketPhase::Commit, None, Some(90));
		assert_eq!(step(&bid(), Some(&not_yet)), Step::Wait(77));
	}

	/// In the reveal phase of epoch 7, with what the node asks for compute, and from when on.
	fn market(asks: &[(Balance, EpochIndex)]) -> MarketInfo {
		let ask = |(price, from): &(Balance, EpochIndex)| AskInfo {
			node: 4,
			price: *price,
			from: *from,
			won: false,
		};
		let cheaper = AskInfo {
			node: 9,
			price: 1,
			from: 99,
			won: true,
		};
		MarketInfo {
			model: 5,
			epoch: 7,
			phase: MarketPhase::Reveal,
			phase_until: 77,
			epoch_until: 77,
			demand: 0,
			roles: vec![RoleMarket {
				role: AskRole::Compute,
				reserve: None,
				price: None,
				places: 3,
				utilisation: 0,
				winners: Vec::new(),
				asks: asks.iter().map(ask).chain([cheaper]).collect(),
				commitments: 0,
			}],
			history: Vec::new(),
		}
	}

	fn step_by(market: &MarketInfo, bid: &Bid, hosts: bool) -> Step {
		step(bid, Some(&Seen::from_market(market, bid, hosts)))
	}

	#[test]
	fn bids_should_be_found_among_the_public_asks_when_nothing_is_left_to_be_revealed() {
		let both = market(&[(90, 2), (100, 8)]);
		assert_eq!(step_by(&both, &bid(), true), Step::Revealed);
		assert_eq!(step_by(&market(&[(90, 2)]), &bid(), true), Step::Missing);
		assert_eq!(step_by(&market(&[]), &bid(), true), Step::Missing);
	}

	#[test]
	fn bids_should_be_tried_when_the_node_does_not_host_the_model_any_more() {
		assert_eq!(step_by(&market(&[]), &bid(), false), Step::Reveal);
		let revealed = Bid {
			revealed: true,
			..bid()
		};
		assert_eq!(step_by(&market(&[]), &revealed, false), Step::Revealed);
	}

	#[test]
	fn revealed_bids_should_have_a_place_only_where_they_are_public() {
		assert!(has_place(&market(&[(90, 2), (100, 8)]), &bid()));
		// What was asked before stays.
		assert!(!has_place(&market(&[(90, 2)]), &bid()));
		assert!(!has_place(&market(&[]), &bid()));
		assert!(has_place(&market(&[(90, 2)]), &Bid { price: None, ..bid() }));
		let storage = Bid {
			role: AskRole::Storage,
			..bid()
		};
		assert!(!has_place(&market(&[(100, 8)]), &storage));
	}
}
