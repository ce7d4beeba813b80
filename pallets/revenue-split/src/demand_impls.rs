//! What a model's market learns from the jobs that come: demand, what a place earns, where the reserves begin and go.

use crate::{
	pallet::{Config, Markets, Pallet},
	types::{AskRole, Clearing, MarketState, RoleTurnover, Turnover, Winners, MAX_ASKS},
};
use frame_support::traits::Get;
use highway_math::{auction, demand};
use highway_primitives::{market::Deal, Balance, EpochIndex, ModelId};

/// Saturating: what a stranger pays for must not wrap, and the most is far above any use.
fn add(units: &mut u64, more: u64) {
	*units = units.saturating_add(more);
}

impl<T: Config> Pallet<T> {
	/// Counts a job that was opened in `epoch`: as demand, into what the places of both roles earn in it, and as what makes
	/// the prices of a first clearing reserves. `stored` are the MiB of its input.
	pub(crate) fn note_job(
		model: ModelId,
		epoch: EpochIndex,
		clearing: &Clearing<T::AccountId>,
		deal: &Deal<T::AccountId>,
		stored: u64,
	) {
		Markets::<T>::mutate(model, |state| {
			state.demand.note(epoch);
			let mut turnover = match state.latest.take() {
				Some(latest) if latest.epoch == epoch => latest,
				former => {
					state.former = former;
					turnover_of(epoch, clearing)
				}
			};
			add(&mut turnover.compute.units, deal.units.into());
			Self::begin_reserve(state, AskRole::Compute, clearing.compute_price);
			if deal.storage.is_some() {
				add(&mut turnover.storage.units, stored);
				Self::begin_reserve(state, AskRole::Storage, clearing.storage_price);
			}
			state.latest = Some(turnover);
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
	pub(crate) fn move_reserve(state: &mut MarketState, role: AskRole, past: &Turnover) {
		let RoleTurnover { winners, dearest, .. } = past.of(role);
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

/// An epoch of which no job is counted yet.
fn turnover_of<AccountId>(epoch: EpochIndex, clearing: &Clearing<AccountId>) -> Turnover {
	let places = |price: Balance, winners: &Winners, dearest: Balance| RoleTurnover {
		price,
		units: 0,
		winners: winners.len() as u32,
		dearest,
	};
	Turnover {
		epoch,
		compute: places(clearing.compute_price, &clearing.executors, clearing.dearest_executor),
		storage: places(clearing.storage_price, &clearing.storage, clearing.dearest_storage),
		weighed: false,
	}
}
