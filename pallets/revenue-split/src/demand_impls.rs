//! What a model's market learns from the jobs that come: demand, and where the reserves begin and go.

use crate::{
	pallet::{Config, Markets, Pallet},
	types::{AskRole, Clearing, EpochPlaces, MarketState, RolePlaces, MAX_ASKS},
};
use frame_support::traits::Get;
use highway_math::{auction, demand};
use highway_primitives::{market::Deal, Balance, EpochIndex, ModelId};

impl<T: Config> Pallet<T> {
	/// Counts a job that was opened in `epoch`: as demand, and as what makes the prices of a first clearing reserves, and the epoch
	/// one that moves them.
	pub(crate) fn note_job(
		model: ModelId,
		epoch: EpochIndex,
		clearing: &Clearing<T::AccountId>,
		deal: &Deal<T::AccountId>,
	) {
		Markets::<T>::mutate(model, |state| {
			state.demand.note(epoch);
			if state.latest.is_none_or(|latest| latest.epoch != epoch) {
				state.latest = Some(places_of(epoch, clearing));
			}
			Self::begin_reserve(state, AskRole::Compute, clearing.compute_price);
			if deal.storage.is_some() {
				Self::begin_reserve(state, AskRole::Storage, clearing.storage_price);
			}
		});
	}

	/// The price of a first clearing becomes the reserve of the role once somebody has bought at it: whoever asks anything,
	/// alone, and sells nothing must leave nothing behind.
	///
	/// The price, not what the dearest winner asks, which could ask more for nothing, up to the price.
	fn begin_reserve(state: &mut MarketState, role: AskRole, price: Balance) {
		let reserve = state.reserve_mut(role);
		*reserve = reserve.or(Some(price.min(T::MaxAsk::get()).max(T::MinReserve::get())));
	}

	/// How many places both roles have in `epoch`.
	pub(crate) fn places(state: &MarketState, epoch: EpochIndex) -> u32 {
		let ema = state.demand.at(epoch);
		demand::places(ema, T::JobsPerWinner::get(), T::MinWinners::get(), MAX_ASKS)
	}

	/// Moves the reserve of a role by how much its winners had to do in `past`, the last epoch with jobs. A fall stops at what
	/// the dearest of them asked then: by what is asked now, whoever asks would move its own price.
	pub(crate) fn move_reserve(state: &mut MarketState, role: AskRole, past: &EpochPlaces) {
		let RolePlaces { winners, dearest } = past.of(role);
		// Where nobody won, nobody was busy or idle.
		let Some(reserve) = state.reserve(role).filter(|_| winners > 0) else {
			return;
		};
		// The demand that its places were made for. With its own jobs, winners would look busy whenever demand rises, and as
		// if there were too few of them, though no place is empty.
		let ema = state.demand.at(past.epoch);
		let utilisation = demand::utilisation(ema, winners, T::JobsPerWinner::get());
		let (min, max) = (T::MinReserve::get(), T::MaxAsk::get());
		let moved = auction::next_reserve(reserve, utilisation, Some(dearest), min, max);
		*state.reserve_mut(role) = Some(moved);
	}

	/// The reserve after all asks were found to be above it.
	pub(crate) fn starved_reserve(reserve: Balance) -> Balance {
		auction::starved_reserve(reserve, T::MaxAsk::get())
	}
}

/// An epoch that has moved nothing yet.
fn places_of<AccountId>(epoch: EpochIndex, clearing: &Clearing<AccountId>) -> EpochPlaces {
	EpochPlaces {
		epoch,
		compute: RolePlaces {
			winners: clearing.executors.len() as u32,
			dearest: clearing.dearest_executor,
		},
		storage: RolePlaces {
			winners: clearing.storage.len() as u32,
			dearest: clearing.dearest_storage,
		},
		weighed: false,
	}
}
