//! The record of a model's epoch: made on the first touch, kept until the jobs that refer to it are over.
//!
//! Who wins and at what price does not depend on who touches first, and when: asks hold for whole epochs, eligibility is as of
//! the block in which the epoch's asks began to be opened, and ties are as of its first one. Royalties and who gets them are as of
//! the touch.

use crate::{
	call_weights,
	commit_impls::ENDED_BY_CLEAR,
	pallet::{Asks, Clearings, Config, EpochSeed, Error, Event, LastCleared, Markets, Pallet},
	pricing::STORAGE_UNIT,
	types::{AskRole, Clearing, EpochPlaces, MarketState, Winners},
	weights::WeightInfo,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	defensive, ensure,
	traits::{DefensiveSaturating, DefensiveTruncateFrom},
	weights::Weight,
	BoundedVec,
};
use highway_math::auction;
use highway_primitives::{traits::Models, Balance, EpochIndex, ModelId, NodeId};
use sp_runtime::DispatchError;

/// What one role's auction comes to.
#[derive(Default)]
struct Outcome {
	/// What all winners are paid per unit.
	price: Balance,
	/// Who wins, cheapest ask first.
	winners: Winners,
	/// What the last of them asks.
	dearest: Balance,
}

/// What is found of a model's epoch.
pub(crate) enum Found<AccountId> {
	/// It was touched before.
	Stored(Clearing<AccountId>),
	/// What it comes to on its first touch, and what the market remembers of that.
	New(Clearing<AccountId>, MarketState),
	/// Everybody asks more than the reserve, which will be higher in the next epoch if this is stored.
	Starved(MarketState),
}

impl<T: Config> Pallet<T> {
	/// The record of this epoch, or what it would be if this were its first touch. Changes nothing. Error if nobody asks who
	/// could serve, or if the epoch was found to be starved before.
	pub(crate) fn find_clearing(model: ModelId, epoch: EpochIndex) -> Result<Found<T::AccountId>, DispatchError> {
		if let Some(clearing) = Clearings::<T>::get(model, epoch) {
			return Ok(Found::Stored(clearing));
		}
		let mut state = Markets::<T>::get(model);
		ensure!(state.starved != Some(epoch), Error::<T>::NobodyServes);
		let storage_bound = Self::storage_units(model)?;
		let asks = Self::eligible_asks(model, AskRole::Compute, epoch);
		ensure!(!asks.is_empty(), Error::<T>::NobodyServes);
		let past = state.weigh_last_before(epoch);
		let Some(compute) = Self::auction(&mut state, AskRole::Compute, epoch, past, &asks, None) else {
			// Nobody stores what nobody runs: the reserve of storage stays where it is.
			state.starved = Some(epoch);
			return Ok(Found::Starved(state));
		};
		// No role of a job may cost more to keep than to run.
		let bound = compute.price.saturating_mul(storage_bound);
		let offers = Self::eligible_asks(model, AskRole::Storage, epoch);
		let storage =
			Self::auction(&mut state, AskRole::Storage, epoch, past, &offers, Some(bound)).unwrap_or_default();
		let clearing = Clearing {
			compute_price: compute.price,
			executors: compute.winners,
			storage_price: storage.price,
			storage: storage.winners,
			dearest_executor: compute.dearest,
			dearest_storage: storage.dearest,
			royalties: BoundedVec::defensive_truncate_from(T::Models::royalties(model)),
			jobs: 0,
		};
		Ok(Found::New(clearing, state))
	}

	/// The record of this epoch without storing it. Error if nobody serves the model.
	pub(crate) fn clearing_now(model: ModelId, epoch: EpochIndex) -> Result<Clearing<T::AccountId>, DispatchError> {
		match Self::find_clearing(model, epoch)? {
			Found::Stored(clearing) | Found::New(clearing, _) => Ok(clearing),
			Found::Starved(_) => Err(Error::<T>::NobodyServes.into()),
		}
	}

	/// What a role comes to, whose reserve moves before by what came of the `past` epoch, if that has not moved it yet: the
	/// reserve is known before anybody asks. Asks above `bound` do not count at all. `None` if nobody wins; if that is because
	/// all who ask are above the reserve, it rises.
	fn auction(
		state: &mut MarketState,
		role: AskRole,
		epoch: EpochIndex,
		past: Option<EpochPlaces>,
		asks: &[(NodeId, Balance)],
		bound: Option<Balance>,
	) -> Option<Outcome> {
		let bound = bound.unwrap_or(Balance::MAX);
		let asks: Vec<_> = asks.iter().copied().filter(|(_, ask)| *ask <= bound).collect();
		let places = Self::places(state, epoch);
		if let Some(past) = past {
			Self::move_reserve(state, role, &past);
		}
		let reserve = state.reserve(role);
		let most = reserve.map(|reserve| reserve.min(bound));
		let seed = EpochSeed::<T>::get();
		let tie = |node: NodeId| sp_io::hashing::blake2_256(&(seed, role, node).encode());
		let Some(cleared) = auction::clear(&asks, places, most, tie) else {
			if !asks.is_empty() {
				*state.reserve_mut(role) = reserve.map(Self::starved_reserve);
			}
			return None;
		};
		let dearest = auction::dearest_winner(&asks, places, most.unwrap_or(Balance::MAX));
		Some(Outcome {
			price: cleared.price,
			winners: Winners::defensive_truncate_from(cleared.winners),
			dearest: dearest.unwrap_or_default(),
		})
	}

	/// How many units of compute the most that a MiB of storage may cost is worth: one, or those of a MiB of input. A job
	/// needs no storage provider, so the role stays empty rather than that one node prices the model out.
	fn storage_units(model: ModelId) -> Result<Balance, DispatchError> {
		Ok(T::Models::service(model)?.unit.count(STORAGE_UNIT, 1).into())
	}

	/// [`crate::Call::clear`]. Returns what it weighed.
	pub(crate) fn do_clear(model: ModelId) -> Result<Weight, DispatchError> {
		let epoch = Self::current_epoch();
		let looked_at = Self::asks_stored(model);
		match Self::find_clearing(model, epoch)? {
			Found::Stored(_) => return Err(Error::<T>::AlreadyCleared.into()),
			Found::New(clearing, state) => {
				Self::first_touch(model, epoch, &clearing, state);
				Clearings::<T>::insert(model, epoch, clearing);
			}
			Found::Starved(state) => {
				let reserve = state.compute_reserve.unwrap_or_default();
				Markets::<T>::insert(model, state);
				Self::deposit_event(Event::Starved { model, epoch, reserve });
			}
		}
		let ended = Self::end_broken(model, ENDED_BY_CLEAR, ENDED_BY_CLEAR);
		Ok(T::WeightInfo::clear(looked_at).saturating_add(call_weights::ended::<T>(ended)))
	}

	/// How many asks are stored of a model.
	pub(crate) fn asks_stored(model: ModelId) -> u32 {
		AskRole::ALL
			.iter()
			.filter_map(|role| Asks::<T>::decode_len(model, role))
			.fold(0u32, |sum, asks| sum.saturating_add(asks as u32))
	}

	/// What the first touch of an epoch leaves behind beside the record itself, which the caller stores. The former record
	/// goes, if no job refers to it any more.
	pub(crate) fn first_touch(
		model: ModelId,
		epoch: EpochIndex,
		clearing: &Clearing<T::AccountId>,
		state: MarketState,
	) {
		Markets::<T>::insert(model, state);
		Self::drop_last_unreferenced(model);
		LastCleared::<T>::insert(model, epoch);
		Self::note_stored(model, &clearing.storage);
		Self::begin_summary(model, epoch, clearing);
		Self::deposit_event(Event::Cleared {
			model,
			epoch,
			compute_price: clearing.compute_price,
			executors: clearing.executors.len() as u32,
			storage_price: clearing.price_of_storage(),
		});
	}

	/// One job less refers to the record. A model's latest record stays, even without any: for the jobs to come in its epoch, and
	/// for whoever asks who won.
	pub(crate) fn let_go(model: ModelId, epoch: EpochIndex) {
		let Some(mut clearing) = Clearings::<T>::get(model, epoch) else {
			defensive!("a job is closed whose clearing record is gone");
			return;
		};
		clearing.jobs = clearing.jobs.defensive_saturating_sub(1);
		match clearing.jobs > 0 || LastCleared::<T>::get(model) == Some(epoch) {
			true => Clearings::<T>::insert(model, epoch, clearing),
			false => Clearings::<T>::remove(model, epoch),
		}
	}

	/// Drops the model's latest record, if it is of a past epoch and no job refers to it. Returns whether it was.
	pub(crate) fn drop_last_unreferenced(model: ModelId) -> bool {
		let Some(last) = LastCleared::<T>::get(model) else {
			return false;
		};
		let unused = Clearings::<T>::get(model, last).is_none_or(|clearing| clearing.jobs == 0);
		if !unused || last >= Self::current_epoch() {
			return false;
		}
		Clearings::<T>::remove(model, last);
		LastCleared::<T>::remove(model);
		true
	}
}
