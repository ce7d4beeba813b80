//! Giving the places of an epoch away.

use crate::{
	pallet::{Bids, Cleared, Config, Event, Featured, Pallet},
	types::{Bid, Placement, MAX_PLACES},
};
use alloc::vec::Vec;
use frame_support::{
	traits::{DefensiveTruncateFrom, Get},
	BoundedVec,
};
use highway_math::promotion;
use highway_primitives::EpochIndex;

impl<T: Config> Pallet<T> {
	/// Gives the places of `epoch` to the highest bids, each at the first losing one, and gives the other bids back. Called
	/// once per epoch, in the first of its blocks that is made. Returns how many bids there were.
	///
	/// Models are not looked at again: whoever could make its own bid void would shut others out for nothing.
	pub(crate) fn clear(epoch: EpochIndex) -> u32 {
		let bids = Bids::<T>::take();
		Cleared::<T>::put(epoch);
		let offers: Vec<_> = bids.iter().enumerate().map(|(index, bid)| (index, bid.price)).collect();
		let (price, places) = promotion::clear(&offers, MAX_PLACES, T::MinBid::get());

		let winners: Vec<Bid<T::AccountId>> = places.iter().filter_map(|index| bids.get(*index).cloned()).collect();
		for bid in &winners {
			let burned = Self::charge(bid, price);
			Self::deposit_event(Event::Promoted {
				epoch,
				model: bid.model,
				bidder: bid.bidder.clone(),
				price,
				burned,
			});
		}
		let count = bids.len() as u32;
		let lost = bids
			.into_iter()
			.enumerate()
			.filter(|(index, _)| !places.contains(index));
		for (_, bid) in lost {
			Self::release_bid(&bid);
			let Bid { model, bidder, price } = bid;
			Self::deposit_event(Event::BidLost {
				epoch,
				model,
				bidder,
				price,
			});
		}

		if winners.is_empty() {
			Featured::<T>::kill();
		} else {
			Featured::<T>::put(Placement {
				epoch,
				price,
				winners: BoundedVec::defensive_truncate_from(winners),
			});
		}
		count
	}
}
