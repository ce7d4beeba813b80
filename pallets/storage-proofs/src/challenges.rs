//! What the beginning of a block brings: challenges end that nobody answered, and others are drawn.

use crate::{draw, Artefacts, Asked, Challenge, Challenges, Config, Due, Event, Pallet, StoodStill, WeightInfo, DRAWS};
use frame_support::{
	traits::{Get, Randomness},
	weights::Weight,
};
use highway_primitives::{
	chunk_proof,
	traits::{Nodes, StorageMarket},
	BlockNumber, ModelId, NodeId,
};

impl<T: Config> Pallet<T> {
	/// Called in `on_initialize`; returns what it took.
	pub(crate) fn begin_block(now: BlockNumber) -> Weight {
		let stands_still = T::ClocksStandStill::get();
		if stands_still {
			StoodStill::<T>::put(now);
		}
		let ended = Self::end_challenges(now);
		let forgotten = Self::forget(now);
		let drawn = match stands_still {
			true => 0,
			false => Self::draw_challenges(now),
		};
		Self::weight_of(ended, forgotten, drawn)
	}

	/// What a block takes in which so many challenges end, so many memories are forgotten, and so many draws hit a model.
	pub(crate) fn weight_of(ended: u32, forgotten: u32, drawn: u32) -> Weight {
		let parts = [
			(T::WeightInfo::miss(), ended),
			(T::WeightInfo::forget(), forgotten),
			(T::WeightInfo::challenge(), drawn),
		];
		// Who claims, and is asked.
		let asked = T::DbWeight::get().reads_writes(1, 1);
		parts
			.into_iter()
			.fold(T::WeightInfo::idle().saturating_add(asked), |sum, (weight, count)| {
				sum.saturating_add(weight.saturating_mul(count.into()))
			})
	}

	/// Ends the challenges whose last block is over. Returns how many there were.
	pub(crate) fn end_challenges(now: BlockNumber) -> u32 {
		let until = now.saturating_sub(1);
		let mut ended = 0u32;
		for (node, model) in Due::<T>::take(until) {
			// What was answered is gone, and the next one to the same node and model is due later.
			if let Some(challenge) = Challenges::<T>::get(node, model).filter(|challenge| challenge.until == until) {
				Challenges::<T>::remove(node, model);
				Self::end_unanswered(node, model, challenge);
				ended = ended.saturating_add(1);
			}
		}
		ended
	}

	fn end_unanswered(node: NodeId, model: ModelId, challenge: Challenge) {
		if Self::is_excused(node, model, &challenge) {
			return Self::deposit_event(Event::Lapsed { node, model });
		}
		let forfeited = T::Market::forfeit_storage_pay(node, model);
		let fined = Self::count_miss(node, model, &challenge);
		Self::deposit_event(Event::Missed {
			node,
			model,
			forfeited,
			fined,
		});
	}

	/// Whether nobody is to blame for the silence: the node is gone, and so is its key; the model is, and with it the duty to
	/// keep it; or finality lagged since the draw, so that the answer may have been given on the other side of a fork.
	fn is_excused(node: NodeId, model: ModelId, challenge: &Challenge) -> bool {
		let stood_still = || StoodStill::<T>::get().is_some_and(|last| last >= challenge.drawn_at);
		T::Nodes::operator(node).is_none() || T::Artefacts::artefact(model).is_none() || stood_still()
	}

	/// Draws the challenges of this block. Returns how many draws hit a model: the others cost a hash.
	fn draw_challenges(now: BlockNumber) -> u32 {
		let (models, asked) = (T::Market::stored_models(), Asked::<T>::get());
		if models == 0 && asked.is_empty() {
			return 0;
		}
		let Some(randomness) = T::Randomness::random(draw::DOMAIN).0 else {
			return 0;
		};
		let seed = draw::seed(&randomness, now);
		// Few models share the list with blanks, so that each is drawn once in an interval and not all the time.
		let places = models.max(T::Interval::get().saturating_mul(DRAWS));
		if !asked.is_empty() {
			Asked::<T>::kill();
		}
		// They take the first draws, so that a block has no more than its draws.
		let mut taken = 0u32;
		for (node, model) in asked {
			Self::challenge_node(now, &seed, taken, node, model);
			taken = taken.saturating_add(1);
		}
		let mut hits = taken;
		for turn in taken..DRAWS {
			if let Some(place) = draw::place(&seed, turn, places).filter(|place| *place < models) {
				hits = hits.saturating_add(1);
				Self::challenge(now, &seed, turn, place);
			}
		}
		hits
	}

	/// Challenges one of those who store the model at this place of the list. `None`: the one that was drawn is challenged
	/// already, or has nothing to show. No other is sought in its place.
	pub(crate) fn challenge(now: BlockNumber, seed: &[u8; 32], turn: u32, place: u32) -> Option<()> {
		let (model, winners) = T::Market::stored_model(place)?;
		let node = *winners.get(draw::winner(seed, turn, winners.len())?)?;
		// The record may be an old one: who stopped hosting since is asked when it claims its pay.
		match T::Nodes::hosts(node, model) {
			true => Self::challenge_node(now, seed, turn, node, model),
			false => None,
		}
	}

	/// Challenges this node. `None`: it is challenged already, or has nothing to show.
	fn challenge_node(now: BlockNumber, seed: &[u8; 32], turn: u32, node: NodeId, model: ModelId) -> Option<()> {
		if Challenges::<T>::contains_key(node, model) {
			return None;
		}
		// Nobody can show a chunk of nothing.
		let artefact = T::Artefacts::artefact(model).filter(|artefact| artefact.size > 0)?;
		let chunk = draw::chunk(seed, turn, chunk_proof::chunks(artefact.size))?;
		let until = now.saturating_add(T::Window::get());
		Due::<T>::try_append(until, (node, model)).ok()?;
		Challenges::<T>::insert(
			node,
			model,
			Challenge {
				artefact,
				chunk,
				drawn_at: now,
				until,
				able: T::Nodes::eligible(node, model),
			},
		);
		Self::deposit_event(Event::Challenged {
			node,
			model,
			chunk,
			until,
		});
		Some(())
	}
}
