//! The book of asks: what is asked when, and who has a place.

use crate::{
	pallet::{Asks, Config, Error, Event, Pallet},
	types::{Ask, AskRole, MaxStoredAsks, MAX_ASKS},
};
use alloc::vec::Vec;
use frame_support::{ensure, BoundedVec};
use highway_primitives::{
	traits::{Models, Nodes},
	Balance, EpochIndex, ModelId, NodeId,
};
use sp_runtime::{traits::Get, DispatchResult};

type AskBook = BoundedVec<Ask, MaxStoredAsks>;

impl<T: Config> Pallet<T> {
	/// [`crate::Call::post_ask`].
	pub(crate) fn do_post_ask(
		operator: &T::AccountId,
		model: ModelId,
		role: AskRole,
		price: Balance,
	) -> DispatchResult {
		ensure!(price <= T::MaxAsk::get(), Error::<T>::AskAboveMax);
		let node = T::Nodes::node_of(operator).ok_or(Error::<T>::NotAnOperator)?;
		ensure!(T::Models::exists(model), Error::<T>::UnknownModel);
		ensure!(T::Nodes::hosts(node, model), Error::<T>::NotHosting);

		let epoch = Self::current_epoch();
		let from = epoch.saturating_add(1);
		let mut book = Asks::<T>::get(model, role);
		forget_ended(&mut book, epoch);
		let has_place = book.iter().any(|ask| ask.node == node && ask.upcoming().is_some());
		let displaced = if has_place || places_taken(&book) < MAX_ASKS as usize {
			None
		} else {
			Some(Self::displace(&mut book, model, price, epoch).ok_or(Error::<T>::AsksFull)?)
		};
		match book.iter_mut().find(|ask| ask.node == node) {
			Some(ask) => ask.change(epoch, Some(price)),
			None => {
				let mut ask = Ask::none(node);
				ask.change(epoch, Some(price));
				book.try_push(ask).map_err(|_| Error::<T>::AsksFull)?;
			}
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
		Self::deposit_event(Event::AskPosted {
			model,
			role,
			node,
			price,
			from,
		});
		Ok(())
	}

	/// [`crate::Call::withdraw_ask`].
	pub(crate) fn do_withdraw_ask(operator: &T::AccountId, model: ModelId, role: AskRole) -> DispatchResult {
		let node = T::Nodes::node_of(operator).ok_or(Error::<T>::NotAnOperator)?;
		let epoch = Self::current_epoch();
		let mut book = Asks::<T>::get(model, role);
		let ask = book
			.iter_mut()
			.find(|ask| ask.node == node && ask.upcoming().is_some())
			.ok_or(Error::<T>::NoAsk)?;
		ask.change(epoch, None);
		forget_ended(&mut book, epoch);
		Self::store_book(model, role, book);
		Self::deposit_event(Event::AskWithdrawn {
			model,
			role,
			node,
			from: epoch.saturating_add(1),
		});
		Ok(())
	}

	/// The asks that hold in `epoch` of nodes that can serve now.
	pub(crate) fn eligible_asks(model: ModelId, role: AskRole, epoch: EpochIndex) -> Vec<(NodeId, Balance)> {
		Asks::<T>::get(model, role)
			.iter()
			.filter_map(|ask| Some((ask.node, ask.effective(epoch)?)))
			.filter(|(node, _)| Self::is_hosting(*node, model) && T::Nodes::eligible(*node, model))
			.collect()
	}

	/// Removes the asks of nodes that are gone or do not host the model, and those that have ended. Returns how many.
	pub(crate) fn prune_asks(model: ModelId, role: AskRole) -> u32 {
		let epoch = Self::current_epoch();
		let mut book = Asks::<T>::get(model, role);
		let before = book.len();
		forget_ended(&mut book, epoch);
		book.retain(|ask| Self::is_hosting(ask.node, model));
		let removed = before.saturating_sub(book.len());
		if removed > 0 {
			Self::store_book(model, role, book);
		}
		removed as u32
	}

	/// Whether the node is registered and says that it hosts the model.
	pub(crate) fn is_hosting(node: NodeId, model: ModelId) -> bool {
		T::Nodes::operator(node).is_some() && T::Nodes::hosts(node, model)
	}

	/// Takes its place from a node that cannot serve any more, else from the one that asks most, if that is more than
	/// `price`; of several the latest comer. Its ask still holds in `epoch`: a displacement must not move a price in the
	/// middle of it either.
	fn displace(book: &mut AskBook, model: ModelId, price: Balance, epoch: EpochIndex) -> Option<NodeId> {
		let gone = book
			.iter()
			.position(|ask| ask.upcoming().is_some() && !Self::is_hosting(ask.node, model));
		let worst = || {
			book.iter()
				.enumerate()
				.filter_map(|(index, ask)| Some((ask.upcoming()?, index)))
				.max()
				.filter(|(worst, _)| *worst > price)
				.map(|(_, index)| index)
		};
		let index = gone.or_else(worst)?;
		let ask = book.get_mut(index)?;
		ask.change(epoch, None);
		let node = ask.node;
		// One that held in no epoch yet leaves nothing behind.
		forget_ended(book, epoch);
		Some(node)
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
