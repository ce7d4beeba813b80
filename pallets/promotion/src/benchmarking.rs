//! Benchmarks of the call and of the hook, each at its worst.

use crate::{
	pallet::{Bids, Call, Cleared, Config, Featured, HoldReason, Pallet},
	types::{Bid, MAX_BIDS, MAX_PLACES},
};
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{InspectHold, Mutate},
	Get, Hooks,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use highway_primitives::{traits::MarketClock, Balance, EpochIndex, ModelId};
use sp_runtime::traits::Zero;

/// A runtime that prepares the benchmarks.
pub trait BenchmarkSetup: Config {
	/// Registers a model that takes jobs.
	fn model() -> ModelId;
}

/// What the `index`th bidder offers: the first one most.
fn price<T: Config>(index: u32) -> Balance {
	T::MinBid::get().saturating_add(MAX_BIDS.saturating_sub(index).into())
}

fn funded<T: Config>(index: u32) -> T::AccountId {
	let bidder = account("bidder", index, 0);
	T::Currency::set_balance(&bidder, T::MinBid::get().saturating_mul(1_000));
	bidder
}

/// So many bids, each of another account.
fn fill<T: Config>(bids: u32) -> Result<(), BenchmarkError> {
	for index in 0..bids {
		let bidder = funded::<T>(index);
		let price = price::<T>(index);
		Pallet::<T>::hold_bid(&bidder, price)?;
		let bid = Bid {
			// Of models that nobody registers: the book does not ask.
			model: ModelId::MAX.saturating_sub(index),
			bidder,
			price,
		};
		Bids::<T>::try_mutate(|bids| bids.try_push(bid))
			.map_err(|_| BenchmarkError::Stop("there is room for as many bids"))?;
	}
	Ok(())
}

/// The epoch whose first block would come next.
fn next_epoch<T: Config>() -> EpochIndex {
	T::Clock::epoch().0.saturating_add(1)
}

#[benchmarks(where T: BenchmarkSetup)]
mod benchmarks {
	use super::*;

	/// All bids are taken; the caller outbids the lowest.
	#[benchmark]
	fn bid() -> Result<(), BenchmarkError> {
		let model = T::model();
		fill::<T>(MAX_BIDS)?;
		let bidder = funded::<T>(MAX_BIDS);
		let price = price::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(bidder.clone()), model, price);

		assert_eq!(T::Currency::balance_on_hold(&HoldReason::Bid.into(), &bidder), price);
		Ok(())
	}

	#[benchmark]
	fn clear(b: Linear<0, 64>) -> Result<(), BenchmarkError> {
		fill::<T>(b)?;
		let epoch = next_epoch::<T>();
		#[block]
		{
			Pallet::<T>::clear(epoch);
		}
		let places = Featured::<T>::get().map_or(0, |placement| placement.winners.len() as u32);
		assert_eq!(places, b.min(MAX_PLACES));
		Ok(())
	}

	/// A block that is not the first one of an epoch.
	#[benchmark]
	fn no_clearing() -> Result<(), BenchmarkError> {
		fill::<T>(1)?;
		Cleared::<T>::put(T::Clock::epoch().0);
		#[block]
		{
			Pallet::<T>::on_initialize(BlockNumberFor::<T>::zero());
		}
		assert_eq!(Bids::<T>::decode_len(), Some(1));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder.build(), crate::mock::Test);
}
