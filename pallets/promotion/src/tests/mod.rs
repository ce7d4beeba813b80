//! One file per theme; what they share is here.

mod bids;
mod clearings;
mod random;

use crate::{
	mock::*,
	pallet::{Bids, Event, Featured, HoldReason},
	MAX_BIDS,
};
use frame_support::traits::fungible::{Inspect, InspectHold};
use highway_primitives::{Balance, ModelId};
use sp_runtime::DispatchResult;

/// A bid at `MIN_BID` plus so much.
pub(crate) fn bid(bidder: AccountId, model: ModelId, above: Balance) -> DispatchResult {
	Promotion::bid(RuntimeOrigin::signed(bidder), model, MIN_BID + above)
}

/// Every place in the book is taken, by bids for models 0 to 63, each at one more than the one before.
pub(crate) fn fill() {
	for index in 0..MAX_BIDS {
		bid(AccountId::from(index) % BIDDERS, index, index.into()).unwrap();
	}
}

pub(crate) fn held(bidder: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::Bid.into(), &bidder)
}

pub(crate) fn has(account: AccountId) -> Balance {
	Balances::total_balance(&account)
}

/// Begins the next epoch.
pub(crate) fn next_epoch() {
	go_to((System::block_number() / EPOCH + 1) * EPOCH);
}

/// The models that have a place, in order, and what each place cost.
pub(crate) fn featured() -> Option<(Vec<ModelId>, Balance)> {
	let placement = Featured::<Test>::get()?;
	let models = placement.winners.iter().map(|bid| bid.model).collect();
	Some((models, placement.price))
}

/// The models that are bid for, in the order of the bids.
pub(crate) fn book() -> Vec<ModelId> {
	Bids::<Test>::get().iter().map(|bid| bid.model).collect()
}

pub(crate) fn events() -> Vec<Event<Test>> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Promotion(event) => Some(event),
			_ => None,
		})
		.collect()
}
