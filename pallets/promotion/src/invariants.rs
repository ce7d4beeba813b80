//! What must hold after every block. Always compiled: unit tests check it after every test, `try-runtime` on a live state.

use crate::{
	pallet::{Bids, Cleared, Config, Featured, HoldReason, Pallet},
	types::Bid,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::fungible::InspectHold};
use highway_primitives::{traits::MarketClock, Balance};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of this pallet; the first one that is broken is the error.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_bids()?;
		Self::check_places()
	}

	/// A model is bid for once, every bid offers something, and what is held from an account is the sum of its bids.
	fn check_bids() -> Result<(), TryRuntimeError> {
		let bids = Bids::<T>::get();
		ensure!(one_per_model(&bids), "a model is bid for twice");
		let mut offered = BTreeMap::<T::AccountId, Balance>::new();
		for bid in bids {
			ensure!(bid.price > 0, "a bid offers nothing");
			let sum = offered.entry(bid.bidder).or_default();
			*sum = sum.checked_add(bid.price).ok_or("bids are beyond all money")?;
		}
		for (bidder, sum) in offered {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Bid.into(), &bidder) == sum,
				"what is held from a bidder is not what it bids"
			);
		}
		Ok(())
	}

	/// Places are given away for no epoch to come. Each model has one at most, highest bids first, and nobody paid more than
	/// it had offered.
	fn check_places() -> Result<(), TryRuntimeError> {
		let cleared = Cleared::<T>::get();
		ensure!(
			cleared <= T::Clock::epoch().0,
			"places of an epoch to come are given away"
		);
		let Some(placement) = Featured::<T>::get() else {
			return Ok(());
		};
		ensure!(placement.epoch == cleared, "places of an epoch that is over are left");
		ensure!(!placement.winners.is_empty(), "places are kept that nobody has");
		ensure!(one_per_model(&placement.winners), "a model has two places");
		ensure!(
			placement
				.winners
				.iter()
				.is_sorted_by(|left, right| left.price >= right.price),
			"a lower bid has a better place"
		);
		ensure!(
			placement.winners.iter().all(|bid| bid.price >= placement.price),
			"a place cost more than was offered for it"
		);
		Ok(())
	}
}

fn one_per_model<AccountId>(bids: &[Bid<AccountId>]) -> bool {
	bids.iter().map(|bid| bid.model).collect::<BTreeSet<_>>().len() == bids.len()
}
