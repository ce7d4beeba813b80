//! The only file that moves money: bidder ⇄ hold, hold → fire and treasury.

use crate::{
	pallet::{Config, HoldReason, Pallet},
	types::Bid,
};
use frame_support::{
	defensive,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use highway_math::split;
use highway_primitives::Balance;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Holds what a bid offers, and leaves the existential deposit.
	pub(crate) fn hold_bid(bidder: &T::AccountId, price: Balance) -> DispatchResult {
		T::Currency::hold(&HoldReason::Bid.into(), bidder, price)
	}

	/// Gives a bid back that is not paid.
	pub(crate) fn release_bid(bid: &Bid<T::AccountId>) {
		if !Self::release(&bid.bidder, bid.price) {
			defensive!("a bid is more than an account needs to receive it");
		}
	}

	/// Takes `price`, at most what it offers, of a bid that won: half is burned, the treasury has the rest. What it offered
	/// more is given back. Returns what was burned.
	pub(crate) fn charge(bid: &Bid<T::AccountId>, price: Balance) -> Balance {
		let price = price.min(bid.price);
		let (mut burned, kept) = split::burn_half(price);
		let paid = T::Currency::transfer_on_hold(
			&HoldReason::Bid.into(),
			&bid.bidder,
			&T::Treasury::get(),
			kept,
			Precision::Exact,
			Restriction::Free,
			Fortitude::Force,
		);
		if paid.is_err() {
			defensive!("half of the least bid is enough to make the treasury's account");
			burned = price;
		}
		burned = Self::burn(&bid.bidder, burned);
		let change = bid.price.saturating_sub(price);
		// Less than an account needs to live cannot be given to one that has nothing free: it must not be held for ever.
		if change > 0 && !Self::release(&bid.bidder, change) {
			burned = burned.saturating_add(Self::burn(&bid.bidder, change));
		}
		burned
	}

	/// Returns whether it could be given back.
	fn release(bidder: &T::AccountId, amount: Balance) -> bool {
		T::Currency::release(&HoldReason::Bid.into(), bidder, amount, Precision::BestEffort).is_ok()
	}

	/// Returns what was burned.
	fn burn(bidder: &T::AccountId, amount: Balance) -> Balance {
		let burned = T::Currency::burn_held(
			&HoldReason::Bid.into(),
			bidder,
			amount,
			Precision::Exact,
			Fortitude::Force,
		);
		burned.unwrap_or_else(|_| {
			defensive!("what a bid offers is held");
			0
		})
	}
}
