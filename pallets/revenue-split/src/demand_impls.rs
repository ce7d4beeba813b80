//! What a model's market learns from the jobs that come: demand, what a place earns, and where the reserves go.

use crate::{
	pallet::{Config, Markets, Pallet},
	types::{AskRole, Clearing, MarketState, RoleTurnover, Turnover, MAX_ASKS},
};
use frame_support::traits::Get;
use highway_math::{auction, demand};
use highway_primitives::{market::Deal, Balance, EpochIndex, ModelId};

/// Saturating: what a stranger pays for must not wrap, and the most is far above any use.
fn add(units: &mut u64, more: u64) {
	*units = units.saturating_add(more);
}

impl<T: Config> Pallet<T> {
	/// Counts a job that was opened in `epoch`: as demand, and into what the places of both roles earn in it. `stored` are
	/// the MiB of its input.
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
			if deal.storage.is_some() {
				add(&mut turnover.storage.units, stored);
			}
			state.latest = Some(turnover);
		});
	}

	/// How many places both roles have in `epoch`.
	pub(crate) fn places(state: &MarketState, epoch: EpochIndex) -> u32 {
		let ema = state.demand.at(epoch);
		demand::places(ema, T::JobsPerWinner::get(), T::MinWinners::get(), MAX_ASKS)
	}

	/// Moves the reserves by how much the winners of the last epoch with jobs had to do. Once for each such epoch; epochs
	/// without jobs move nothing.
	pub(crate) fn move_reserves(state: &mut MarketState, epoch: EpochIndex) {
		let Some(mut latest) = state.latest.filter(|latest| latest.epoch < epoch && !latest.weighed) else {
			return;
		};
		latest.weighed = true;
		state.latest = Some(latest);
		// With the jobs of that epoch itself, and without what faded since.
		let ema = state.demand.at(latest.epoch.saturating_add(1));
		for role in AskRole::ALL {
			let winners = latest.of(role).winners;
			let reserve = state.reserve_mut(role);
			// Where nobody won, nobody was busy or idle.
			if let Some(old) = reserve.filter(|_| winners > 0) {
				let utilisation = demand::utilisation(ema, winners, T::JobsPerWinner::get());
				*reserve = Some(auction::next_reserve(
					old,
					utilisation,
					T::MinReserve::get(),
					T::MaxAsk::get(),
				));
			}
		}
	}

	/// The reserve after all asks were found to be above it.
	pub(crate) fn starved_reserve(reserve: Balance) -> Balance {
		auction::starved_reserve(reserve, T::MaxAsk::get())
	}
}

/// An epoch of which no job is counted yet.
fn turnover_of<AccountId>(epoch: EpochIndex, clearing: &Clearing<AccountId>) -> Turnover {
	let places = |price: Balance, winners: usize| RoleTurnover {
		price,
		units: 0,
		winners: winners as u32,
	};
	Turnover {
		epoch,
		compute: places(clearing.compute_price, clearing.executors.len()),
		storage: places(clearing.storage_price, clearing.storage.len()),
		weighed: false,
	}
}
