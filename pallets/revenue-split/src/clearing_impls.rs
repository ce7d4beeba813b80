//! The record of a model's epoch: made on the first touch, kept while a job refers to it.

use crate::{
	pallet::{Clearings, Config, EpochLength, Error, Event, LastCleared, Pallet},
	price_discovery,
	pricing::STORAGE_UNIT,
	types::{AskRole, Clearing, Winners},
};
use frame_support::{
	defensive,
	traits::{DefensiveSaturating, DefensiveTruncateFrom},
	BoundedVec,
};
use highway_primitives::{traits::Models, Balance, BlockNumber, EpochIndex, ModelId};
use sp_runtime::{traits::SaturatedConversion, DispatchError};

impl<T: Config> Pallet<T> {
	/// The market epoch of this block.
	pub fn current_epoch() -> EpochIndex {
		let block: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
		block.checked_div(EpochLength::<T>::get()).unwrap_or_default()
	}

	/// The last block of `epoch`.
	pub fn last_block_of(epoch: EpochIndex) -> BlockNumber {
		epoch
			.saturating_add(1)
			.saturating_mul(EpochLength::<T>::get())
			.saturating_sub(1)
	}

	/// The record of this epoch, or what it would be if this were its first touch, and whether it is stored.
	/// Changes nothing. Error if nobody serves the model.
	pub(crate) fn clearing_now(
		model: ModelId,
		epoch: EpochIndex,
	) -> Result<(Clearing<T::AccountId>, bool), DispatchError> {
		match Clearings::<T>::get(model, epoch) {
			Some(clearing) => Ok((clearing, true)),
			None => Ok((Self::clear(model, epoch)?, false)),
		}
	}

	/// Finds prices and winners of both roles and takes down who earns royalties.
	fn clear(model: ModelId, epoch: EpochIndex) -> Result<Clearing<T::AccountId>, DispatchError> {
		let last = LastCleared::<T>::get(model)
			.and_then(|last| Clearings::<T>::get(model, last))
			.map(|record| record.compute_price);
		let compute = price_discovery::discover(&Self::eligible_asks(model, AskRole::Compute, epoch), last)
			.filter(|cleared| !cleared.winners.is_empty())
			.ok_or(Error::<T>::NobodyServes)?;
		let mut offers = Self::eligible_asks(model, AskRole::Storage, epoch);
		let reserve = Self::storage_reserve(model, compute.price)?;
		offers.retain(|(_, ask)| *ask <= reserve);
		let (storage_price, storage) = match price_discovery::discover(&offers, None) {
			Some(cleared) => (cleared.price, Winners::defensive_truncate_from(cleared.winners)),
			None => Default::default(),
		};
		Ok(Clearing {
			compute_price: compute.price,
			executors: Winners::defensive_truncate_from(compute.winners),
			storage_price,
			storage,
			royalties: BoundedVec::defensive_truncate_from(T::Models::royalties(model)),
			jobs: 0,
		})
	}

	/// The most that keeping a MiB of input may cost: as much as running the model on it, which is one unit, or the units
	/// of a MiB. A job needs no storage provider, so the role stays empty rather than that one node prices the model out.
	fn storage_reserve(model: ModelId, compute_price: Balance) -> Result<Balance, DispatchError> {
		let units = T::Models::service(model)?.unit.count(STORAGE_UNIT);
		Ok(compute_price.saturating_mul(units.into()))
	}

	/// Counts one more job on the record and stores it. On its first touch the former record goes, if no job refers to
	/// it any more.
	pub(crate) fn refer_to(
		model: ModelId,
		epoch: EpochIndex,
		mut clearing: Clearing<T::AccountId>,
		stored: bool,
	) -> Result<(), DispatchError> {
		clearing.jobs = clearing.jobs.checked_add(1).ok_or(Error::<T>::TooManyJobs)?;
		if !stored {
			Self::drop_last_unreferenced(model);
			LastCleared::<T>::insert(model, epoch);
			Self::deposit_event(Event::Cleared {
				model,
				epoch,
				compute_price: clearing.compute_price,
				executors: clearing.executors.len() as u32,
				storage_price: (!clearing.storage.is_empty()).then_some(clearing.storage_price),
			});
		}
		Clearings::<T>::insert(model, epoch, clearing);
		Ok(())
	}

	/// Takes back one [`Self::refer_to`]. A record of this epoch stays for the jobs to come, even without any.
	pub(crate) fn let_go(model: ModelId, epoch: EpochIndex) {
		let Some(mut clearing) = Clearings::<T>::get(model, epoch) else {
			defensive!("a job is closed whose clearing record is gone");
			return;
		};
		clearing.jobs = clearing.jobs.defensive_saturating_sub(1);
		if clearing.jobs > 0 || epoch >= Self::current_epoch() {
			Clearings::<T>::insert(model, epoch, clearing);
			return;
		}
		Clearings::<T>::remove(model, epoch);
		if LastCleared::<T>::get(model) == Some(epoch) {
			LastCleared::<T>::remove(model);
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
