//! Bids, and which of them stand.

use crate::{
	pallet::{Bids, Config, Error, Event, Pallet},
	types::Bid,
};
use core::cmp::Reverse;
use frame_support::{ensure, traits::Get, BoundedVec};
use highway_primitives::{
	traits::{MarketClock, Models},
	Balance, ModelId,
};
use sp_runtime::{DispatchError, DispatchResult};

type Book<T> = BoundedVec<Bid<<T as frame_system::Config>::AccountId>, crate::types::MaxBids>;

impl<T: Config> Pallet<T> {
	/// [`crate::Call::bid`].
	pub(crate) fn do_bid(bidder: &T::AccountId, model: ModelId, price: Balance) -> DispatchResult {
		ensure!(price >= T::MinBid::get(), Error::<T>::BidBelowMin);
		// Whoever features a model that nobody can use has made a mistake.
		T::Models::service(model)?;
		let mut book = Bids::<T>::get();
		let outbid = Self::make_room(&mut book, model, price)?;

		// Given back before the new one is held: who raises its own bid needs no more than the difference.
		if let Some(bid) = &outbid {
			Self::release_bid(bid);
		}
		Self::hold_bid(bidder, price)?;
		let bid = Bid {
			model,
			bidder: bidder.clone(),
			price,
		};
		book.try_push(bid).map_err(|_| Error::<T>::BidsFull)?;
		Bids::<T>::put(book);

		if let Some(Bid { model, bidder, price }) = outbid {
			Self::deposit_event(Event::Outbid { model, bidder, price });
		}
		Self::deposit_event(Event::BidPlaced {
			model,
			bidder: bidder.clone(),
			price,
			epoch: T::Clock::epoch().0.saturating_add(1),
		});
		Ok(())
	}

	/// Takes the bid out that one of `price` for `model` replaces: the model's, or the lowest of a full book, of equals the
	/// latest. Error if that one is as high.
	fn make_room(
		book: &mut Book<T>,
		model: ModelId,
		price: Balance,
	) -> Result<Option<Bid<T::AccountId>>, DispatchError> {
		if let Some(index) = book.iter().position(|bid| bid.model == model) {
			let lower = book.get(index).is_some_and(|bid| bid.price < price);
			ensure!(lower, Error::<T>::ModelHasHigherBid);
			return Ok(Some(book.remove(index)));
		}
		if !book.is_full() {
			return Ok(None);
		}
		let (index, lowest) = book
			.iter()
			.map(|bid| bid.price)
			.enumerate()
			.min_by_key(|(index, price)| (*price, Reverse(*index)))
			.ok_or(Error::<T>::BidsFull)?;
		ensure!(lowest < price, Error::<T>::BidsFull);
		Ok(Some(book.remove(index)))
	}
}
