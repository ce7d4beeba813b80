//! The book of asks: what is asked when, and who has a place.

use crate::{
	pallet::{Asks, Clearings, Config, EpochLength, Event, Markets, Pallet},
	types::{Ask, AskBook, AskRole, MAX_ASKS},
};
use alloc::vec::Vec;
use frame_support::{defensive, traits::Get};
use highway_math::audit;
use highway_primitives::{
	market::MarketPhase,
	traits::{Models, Nodes},
	Balance, EpochIndex, ModelId, NodeId,
};
use sp_runtime::Perbill;

/// What became of those who have a place and let it down.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lapses {
	/// How many winners were looked at.
	pub looked_at: u32,
	/// How many of them lost their ask, if only in this epoch.
	pub ended: u32,
}

impl<T: Config> Pallet<T> {
	/// The node asks `price` from the next epoch on, with `bond` behind it, which was reserved for its commitment. If all
	/// places are taken and none is to be had, the bond goes back.
	pub(crate) fn place_ask(node: NodeId, model: ModelId, role: AskRole, price: Balance, bond: Balance) {
		let epoch = Self::current_epoch();
		let from = epoch.saturating_add(1);
		let mut book = Asks::<T>::get(model, role);
		forget_ended(&mut book, epoch);
		let standing = book.iter().find(|ask| ask.node == node).and_then(Ask::upcoming);
		let mut displaced = None;
		if standing.is_none() && places_taken(&book) >= MAX_ASKS as usize {
			displaced = Self::displace(&mut book, node, model, price, epoch);
			if displaced.is_none() {
				T::Nodes::release(node, bond);
				return Self::deposit_event(Event::AskOutbid {
					model,
					role,
					node,
					price,
				});
			}
		}
		let index = match book.iter().position(|ask| ask.node == node) {
			Some(index) => index,
			None => match book.try_push(Ask::none(node)) {
				Ok(()) => book.len().saturating_sub(1),
				Err(_) => {
					// 64 hold now, and of those that hold from the next epoch on one has just lost its place.
					defensive!("there is room for two epochs");
					return T::Nodes::release(node, bond);
				}
			},
		};
		if let Some(ask) = book.get_mut(index) {
			ask.change(epoch, Some(price));
			let former = core::mem::replace(&mut ask.bond, bond);
			Self::release_bond(node, former);
		}
		Self::store_book(model, role, book);

		if let Some(node) = displaced {
			Self::deposit_event(Event::AskDisplaced {
				model,
				role,
				node,
				from,
			});
		}
		Self::deposit_event(Event::AskRevealed {
			model,
			role,
			node,
			price,
			from,
		});
	}

	/// The highest price at which the node's own bond, of which `bond` is reserved for this ask, covers what is reserved for a job
	/// of one unit; `None` if it may not even ask for nothing, and not commit. Storage reserves nothing.
	///
	/// Who has a place has its bond in use, as it should be: all of it counts, for an ask that rises. Who has none needs as
	/// much free, at the market's reserve, too: that is what its place may pay, however little it asks. But not if all of its
	/// bond but this ask's is less: a reserve that somebody made dear would else keep out whoever could end it.
	pub(crate) fn highest_secured(node: NodeId, model: ModelId, role: AskRole, bond: Balance) -> Option<Balance> {
		if role == AskRole::Storage {
			return Some(Balance::MAX);
		}
		let factor = T::SecurityFactor::get();
		if let Some(standing) = Self::standing(node, model, role) {
			return Some(audit::secured_by(T::Nodes::own_bond(node), factor).max(standing));
		}
		let free = T::Nodes::free_bond(node);
		(free >= Self::room_of_first_ask(node, model, bond)).then(|| audit::secured_by(free, factor))
	}

	/// What must be free of the own bond of a node that has no place in compute, beside the `bond` of its commitment: see
	/// [`Self::highest_secured`].
	pub(crate) fn room_of_first_ask(node: NodeId, model: ModelId, bond: Balance) -> Balance {
		let reserve = Markets::<T>::get(model).compute_reserve.unwrap_or_default();
		let market = audit::security(reserve, T::SecurityFactor::get());
		match T::Nodes::own_bond(node).saturating_sub(bond) < market {
			true => 0,
			false => market,
		}
	}

	/// What the node asks from the next epoch on, if it says nothing.
	pub(crate) fn standing(node: NodeId, model: ModelId, role: AskRole) -> Option<Balance> {
		let book = Asks::<T>::get(model, role);
		book.iter().find(|ask| ask.node == node).and_then(Ask::upcoming)
	}

	/// An ask that the node's own bond did not secure when it was committed to is not taken: the bond of the commitment goes back,
	/// and what the node asked before stands.
	pub(crate) fn refuse_ask(node: NodeId, model: ModelId, role: AskRole, price: Balance, bond: Balance) {
		T::Nodes::release(node, bond);
		Self::deposit_event(Event::AskUnsecured {
			model,
			role,
			node,
			price,
		});
	}

	/// The node's ask, if it has one, ends with this epoch. Its bond and that of the commitment go back.
	pub(crate) fn withdraw_ask(node: NodeId, model: ModelId, role: AskRole, bond: Balance) {
		T::Nodes::release(node, bond);
		let epoch = Self::current_epoch();
		let mut book = Asks::<T>::get(model, role);
		if let Some(ask) = book.iter_mut().find(|ask| ask.node == node && ask.upcoming().is_some()) {
			Self::end(ask, epoch);
			forget_ended(&mut book, epoch);
			Self::store_book(model, role, book);
		}
		Self::deposit_event(Event::AskWithdrawn {
			model,
			role,
			node,
			from: epoch.saturating_add(1),
		});
	}

	/// The asks that hold in this epoch, `epoch`, of nodes that could serve when they began to be opened.
	pub(crate) fn eligible_asks(model: ModelId, role: AskRole, epoch: EpochIndex) -> Vec<(NodeId, Balance)> {
		Asks::<T>::get(model, role)
			.iter()
			.filter_map(|ask| Some((ask.node, ask.effective(epoch)?)))
			.filter(|(node, _)| T::Nodes::eligible_at_start(*node, model))
			.collect()
	}

	/// Ends the asks of nodes that are gone or do not host the model with this epoch, and forgets those that have ended; all
	/// of them at once if the model is gone. Returns how many. A node that cannot take jobs for a while keeps its ask, unless it
	/// has a place in this epoch ([`Self::end_lapsed`]), until somebody who can wants its place: else anybody could end what its
	/// next heartbeat brings back. So does one that is pledged for the next epoch: it would take its ask out after a look at others.
	pub(crate) fn prune_asks(model: ModelId, role: AskRole) -> u32 {
		let epoch = Self::current_epoch();
		let mut book = Asks::<T>::get(model, role);
		let before = book.len();
		forget_ended(&mut book, epoch);
		let mut pruned = before.saturating_sub(book.len());
		let exists = T::Models::exists(model);
		for ask in book.iter_mut().filter(|ask| ask.upcoming().is_some()) {
			if !(exists && Self::keeps_its_ask(ask.node, model)) {
				// What held when the epoch began holds until it ends: whoever prunes picks no price.
				Self::end(ask, epoch);
				pruned = pruned.saturating_add(1);
			}
		}
		if exists {
			forget_ended(&mut book, epoch);
		} else {
			pruned = before;
			book = AskBook::new();
		}
		if pruned > 0 {
			Self::store_book(model, role, book);
		}
		pruned as u32
	}

	/// Ends the asks of those who won compute in this epoch and have stopped being able to serve since it began. They lose
	/// what their place would have earned in what was left of the epoch then, by what one was paid lately
	/// ([`Self::ask_bond`]): as much as the fines for the jobs that they would have got. What is not free comes out of the
	/// bond behind the ask, too. So do those whose asks were displaced, withdrawn or pruned meanwhile: such an ask holds
	/// until the epoch is over. And so do those who could not even when it began, and had pledged to: all of it. The ask of
	/// one that is pledged for the next epoch, too, stays in that one. Storage answers to challenges instead.
	pub(crate) fn end_lapsed(model: ModelId) -> Lapses {
		let epoch = Self::current_epoch();
		let mut lapses = Lapses::default();
		let Some(record) = Clearings::<T>::get(model, epoch).filter(|_| T::Models::exists(model)) else {
			return lapses;
		};
		let length = EpochLength::<T>::get();
		let place = Self::ask_bond(model, AskRole::Compute);
		let mut book = Asks::<T>::get(model, AskRole::Compute);
		for ask in book.iter_mut() {
			if !(ask.effective(epoch).is_some() && record.executors.contains(&ask.node)) {
				continue;
			}
			lapses.looked_at = lapses.looked_at.saturating_add(1);
			if let Some(since) = T::Nodes::lapsed(ask.node, model) {
				let served = since.saturating_sub(Self::first_block_of(epoch));
				let left = Perbill::from_rational(length.saturating_sub(served), length);
				// Price and winners are known, so nothing needs it in this epoch any more; and without it nobody pays twice.
				let next = ask.upcoming().filter(|_| T::Nodes::pledged(ask.node, model));
				if next.is_none() {
					Self::release_bond(ask.node, core::mem::take(&mut ask.bond));
				}
				let due = left.mul_ceil(place);
				let bond = Self::forfeit(ask.node, model, AskRole::Compute, epoch, due, ask.bond);
				*ask = Ask {
					next: next.map(|price| (epoch.saturating_add(1), Some(price))),
					bond,
					..Ask::none(ask.node)
				};
				lapses.ended = lapses.ended.saturating_add(1);
			}
		}
		if lapses.ended > 0 {
			forget_ended(&mut book, epoch);
			Self::store_book(model, AskRole::Compute, book);
		}
		lapses
	}

	/// Whether the node is registered and says that it hosts the model.
	pub(crate) fn is_hosting(node: NodeId, model: ModelId) -> bool {
		T::Nodes::operator(node).is_some() && T::Nodes::hosts(node, model)
	}

	/// Whether a node keeps its ask: it hosts the model, or its ask counts in the next epoch all the same.
	fn keeps_its_ask(node: NodeId, model: ModelId) -> bool {
		Self::is_hosting(node, model) || T::Nodes::pledged(node, model)
	}

	/// Whether a node's ask counts in the next epoch. Before asks are opened: whether it would, if they were now.
	fn serves(node: NodeId, model: ModelId) -> bool {
		match Self::phase().0 {
			MarketPhase::Commit => T::Nodes::eligible(node, model),
			MarketPhase::Reveal => T::Nodes::pledged(node, model),
		}
	}

	/// The node's ask, if it has one, ends with this epoch, and its bond is lost.
	pub(crate) fn forfeit_ask(node: NodeId, model: ModelId, role: AskRole) {
		let epoch = Self::current_epoch();
		let mut book = Asks::<T>::get(model, role);
		let Some(ask) = book.iter_mut().find(|ask| ask.node == node && ask.upcoming().is_some()) else {
			return;
		};
		let bond = ask.bond;
		Self::end(ask, epoch);
		Self::forfeit(node, model, role, epoch, bond, 0);
		forget_ended(&mut book, epoch);
		Self::store_book(model, role, book);
	}

	/// Takes its place from a node that is gone or does not host the model, else from one whose ask does not count in the next
	/// epoch, else from the one that asks most, if that is more than `price`; of several the latest comer. `None` if there is no
	/// such one, or if the ask of the one that `wants` the place does not count itself: places are for those who serve. Who is
	/// pledged counts, and nobody else, whatever it has done since: else one could have its own ask displaced, or displace another
	/// after a look.
	///
	/// Its ask still holds in `epoch`: a displacement must not move a price in the middle of it.
	fn displace(
		book: &mut AskBook,
		wants: NodeId,
		model: ModelId,
		price: Balance,
		epoch: EpochIndex,
	) -> Option<NodeId> {
		if !Self::serves(wants, model) {
			return None;
		}
		let placed = |serves: fn(NodeId, ModelId) -> bool| {
			book.iter()
				.position(|ask| ask.upcoming().is_some() && !serves(ask.node, model))
		};
		let idle = placed(Self::keeps_its_ask).or_else(|| placed(Self::serves));
		let worst = || {
			book.iter()
				.enumerate()
				.filter_map(|(index, ask)| Some((ask.upcoming()?, index)))
				.max()
				.filter(|(worst, _)| *worst > price)
				.map(|(_, index)| index)
		};
		let index = idle.or_else(worst)?;
		let ask = book.get_mut(index)?;
		Self::end(ask, epoch);
		let node = ask.node;
		// One that held in no epoch yet leaves nothing behind.
		forget_ended(book, epoch);
		Some(node)
	}

	/// Ends an ask with `epoch` and gives its bond back: what is left of it is gone when the book is next touched.
	fn end(ask: &mut Ask, epoch: EpochIndex) {
		ask.change(epoch, None);
		Self::release_bond(ask.node, core::mem::take(&mut ask.bond));
	}

	/// Gives a bond back, if there is one.
	fn release_bond(node: NodeId, bond: Balance) {
		if bond > 0 {
			T::Nodes::release(node, bond);
		}
	}

	fn store_book(model: ModelId, role: AskRole, book: AskBook) {
		if book.is_empty() {
			Asks::<T>::remove(model, role);
		} else {
			Asks::<T>::insert(model, role, book);
		}
	}
}

/// How many asks hold from the next epoch on.
fn places_taken(book: &AskBook) -> usize {
	book.iter().filter(|ask| ask.upcoming().is_some()).count()
}

/// Drops the asks that hold neither in `epoch` nor later.
fn forget_ended(book: &mut AskBook, epoch: EpochIndex) {
	book.retain(|ask| ask.effective(epoch).is_some() || ask.upcoming().is_some());
}
