//! The book of asks: what is asked when, and who has a place.

use crate::{
	pallet::{Asks, Config, Error, Event, HoldReason, Pallet},
	types::{Ask, AskRole, MaxStoredAsks, MAX_ASKS},
};
use alloc::vec::Vec;
use frame_support::{defensive, ensure, BoundedVec};
use highway_primitives::{
	traits::{Models, Nodes},
	Balance, EpochIndex, ModelId, NodeId,
};
use sp_runtime::{traits::Get, DispatchResult};

type AskBook<T> = BoundedVec<Ask<<T as frame_system::Config>::AccountId>, MaxStoredAsks>;

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
		forget_ended::<T>(&mut book, epoch);
		let has_place = book.iter().any(|ask| ask.node == node && ask.upcoming().is_some());
		let displaced = if has_place || places_taken::<T>(&book) < MAX_ASKS as usize {
			None
		} else {
			// Places are for those who serve: a node that does not yet, or not any more, takes none from another.
			ensure!(T::Nodes::eligible(node, model), Error::<T>::NotEligible);
			Some(Self::displace(&mut book, model, price, epoch).ok_or(Error::<T>::AsksFull)?)
		};
		let deposit = T::AskDeposit::get();
		if !has_place {
			Self::hold_deposit(HoldReason::Ask, operator, deposit)?;
		}
		if !book.iter().any(|ask| ask.node == node) {
			book.try_push(Ask::none(node)).map_err(|_| Error::<T>::AsksFull)?;
		}
		if let Some(ask) = book.iter_mut().find(|ask| ask.node == node) {
			ask.change(epoch, Some(price));
			if !has_place {
				ask.deposit = Some((operator.clone(), deposit));
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
		Self::end(ask, epoch);
		forget_ended::<T>(&mut book, epoch);
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

	/// Removes the asks of nodes that are gone or do not host the model, and those that have ended; all of them if the
	/// model is gone. Returns how many. A node that cannot take jobs for a while keeps its ask until somebody who can
	/// wants its place: else anybody could end what its next heartbeat brings back.
	pub(crate) fn prune_asks(model: ModelId, role: AskRole) -> u32 {
		let epoch = Self::current_epoch();
		let mut book = Asks::<T>::get(model, role);
		let before = book.len();
		forget_ended::<T>(&mut book, epoch);
		let exists = T::Models::exists(model);
		book.retain(|ask| {
			let stays = exists && Self::is_hosting(ask.node, model);
			if !stays {
				Self::release_ask_deposit(ask.deposit.as_ref());
			}
			stays
		});
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

	/// Takes its place from a node that is gone or does not host the model, else from one that cannot take jobs now, else
	/// from the one that asks most, if that is more than `price`; of several the latest comer. Its ask still holds in
	/// `epoch`: a displacement must not move a price in the middle of it either.
	fn displace(book: &mut AskBook<T>, model: ModelId, price: Balance, epoch: EpochIndex) -> Option<NodeId> {
		let placed = |serves: fn(NodeId, ModelId) -> bool| {
			book.iter()
				.position(|ask| ask.upcoming().is_some() && !serves(ask.node, model))
		};
		let idle = placed(Self::is_hosting).or_else(|| placed(T::Nodes::eligible));
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
		forget_ended::<T>(book, epoch);
		Some(node)
	}

	/// Ends an ask with `epoch` and gives its deposit back: what is left of it is gone when the book is next touched.
	fn end(ask: &mut Ask<T::AccountId>, epoch: EpochIndex) {
		ask.change(epoch, None);
		Self::release_ask_deposit(ask.deposit.take().as_ref());
	}

	fn release_ask_deposit(deposit: Option<&(T::AccountId, Balance)>) {
		if let Some((operator, amount)) = deposit {
			if Self::release_deposit(HoldReason::Ask, operator, *amount).is_err() {
				defensive!("a deposit that is held can be released");
			}
		}
	}

	fn store_book(model: ModelId, role: AskRole, book: AskBook<T>) {
		if book.is_empty() {
			Asks::<T>::remove(model, role);
		} else {
			Asks::<T>::insert(model, role, book);
		}
	}
}

/// How many asks hold from the next epoch on.
fn places_taken<T: Config>(book: &AskBook<T>) -> usize {
	book.iter().filter(|ask| ask.upcoming().is_some()).count()
}

/// Drops the asks that hold neither in `epoch` nor later.
fn forget_ended<T: Config>(book: &mut AskBook<T>, epoch: EpochIndex) {
	book.retain(|ask| ask.effective(epoch).is_some() || ask.upcoming().is_some());
}
