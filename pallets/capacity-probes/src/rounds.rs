//! Rounds: when one opens, whom it hits, and what it wants of a node.

use crate::{
	draw, Answer, Answers, Config, Event, Measurement, Measurements, Pallet, Round, RoundRecord, Rounds, Terms,
};
use alloc::vec::Vec;
use highway_primitives::{
	chunk_proof,
	traits::{BlockSeeds, Nodes},
	BlockNumber, NodeId, ProbeTerms,
};

/// Blocks before the opening that make a round's seed. An author knows its own VRFs before others do: all three blocks
/// must be its own for it to know the seed, too.
const SEED_BLOCKS: BlockNumber = 3;

/// What a round wants of a node in a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Duty {
	/// An answer with no more rows than these.
	Answer { most: u32 },
	/// A proof of this answer.
	Prove(Challenge),
}

/// What an answer must prove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Challenge {
	/// The answer.
	pub answer: Answer,
	/// The chunk to show.
	pub chunk: u64,
	/// Draws the rows of it that are computed.
	pub seed: [u8; 32],
}

impl<T: Config> Pallet<T> {
	/// Opens a round, if one may open and the parent block draws that it does. Called in `on_initialize`.
	pub(crate) fn open_round(now: BlockNumber) -> Option<()> {
		let terms = Terms::<T>::get()?;
		let rested =
			Round::<T>::get().is_none_or(|last| last.is_over(now) && now >= last.opened.saturating_add(terms.spacing));
		if !rested || !draw::opens(&Self::seed_before(now, 1)?, terms.interval) {
			return None;
		}
		let blocks: Option<Vec<_>> = (1..=SEED_BLOCKS).map(|back| Self::seed_before(now, back)).collect();
		let seed = draw::round_seed(&blocks?, now);
		let index = Rounds::<T>::get().checked_add(1)?;
		Rounds::<T>::put(index);
		Round::<T>::put(RoundRecord {
			index,
			seed,
			opened: now,
		});
		Self::deposit_event(Event::RoundOpened { round: index, seed });
		Some(())
	}

	fn seed_before(now: BlockNumber, back: BlockNumber) -> Option<[u8; 32]> {
		T::Seeds::seed(now.checked_sub(back)?)
	}

	/// Whether the round asks the node: it was heard before the opening, and is hit. Not after the round has counted for it.
	pub(crate) fn asks(terms: &ProbeTerms, round: &RoundRecord, node: NodeId, known: &Measurement) -> bool {
		known.round < round.index && draw::hits(&round.seed, node, terms.share)
	}

	/// What the round wants of the node in block `now`.
	pub(crate) fn duty(node: NodeId, now: BlockNumber) -> Option<(RoundRecord, Duty)> {
		let terms = Terms::<T>::get()?;
		let round = Round::<T>::get().filter(|round| !round.is_over(now))?;
		let known = Measurements::<T>::get(node)?;
		if !Self::asks(&terms, &round, node, &known) {
			return None;
		}
		let duty = match Answers::<T>::get(node).filter(|answer| answer.round == round.index) {
			Some(answer) => Duty::Prove(Self::challenge(&round, node, answer)?),
			None => {
				let declared = T::Nodes::declared_slots(node);
				// Whoever declares little can still show that it is of its class.
				let floor = T::Nodes::device(node).map_or(0, |device| terms.floor(device));
				let most = terms.rows(declared).max(floor);
				(declared > 0 && now <= round.answers_until()).then_some(Duty::Answer { most })?
			}
		};
		Some((round, duty))
	}

	/// What the two blocks behind the answer's draw, once they are over: nobody knew it when the answer was given.
	fn challenge(round: &RoundRecord, node: NodeId, answer: Answer) -> Option<Challenge> {
		let behind = |blocks| T::Seeds::seed(answer.at.saturating_add(blocks));
		let seed = draw::challenge(&round.seed, node, [behind(1)?, behind(2)?]);
		Some(Challenge {
			answer,
			chunk: draw::chunk(&seed, chunk_proof::chunks(answer.output.size)),
			seed,
		})
	}
}
