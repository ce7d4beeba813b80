//! The calls that neither move money nor touch the book of asks.

use crate::{
	pallet::{Asks, Config, CuratorFees, Error, Event, HoldReason, Pallet},
	types::{AskRole, CuratorFee},
};
use frame_support::ensure;
use highway_primitives::{Balance, ModelId};
use sp_runtime::{traits::Get, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// [`crate::Call::post_curator_fee`].
	pub(crate) fn do_post_curator_fee(curator: &T::AccountId, fee: Balance) -> DispatchResult {
		ensure!(fee <= T::MaxCuratorFee::get(), Error::<T>::FeeAboveMax);
		let former = CuratorFees::<T>::get(curator);
		match (former, fee) {
			(None, 0) => return Err(Error::<T>::NoFee.into()),
			(Some(former), 0) => {
				Self::release_deposit(HoldReason::CuratorFee, curator, former.deposit)?;
				CuratorFees::<T>::remove(curator);
			}
			(Some(former), fee) => CuratorFees::<T>::insert(curator, CuratorFee { fee, ..former }),
			(None, fee) => {
				let deposit = T::CuratorDeposit::get();
				Self::hold_deposit(HoldReason::CuratorFee, curator, deposit)?;
				CuratorFees::<T>::insert(curator, CuratorFee { fee, deposit });
			}
		}
		Self::deposit_event(Event::CuratorFeePosted {
			curator: curator.clone(),
			fee,
		});
		Ok(())
	}

	/// [`crate::Call::prune`]. Returns how many asks were looked at.
	pub(crate) fn do_prune(model: ModelId) -> Result<u32, DispatchError> {
		let stored = |role: &AskRole| Asks::<T>::decode_len(model, role).unwrap_or_default() as u32;
		let looked_at = AskRole::ALL.iter().map(stored).fold(0, u32::saturating_add);
		let asks = AskRole::ALL
			.iter()
			.fold(0u32, |sum, role| sum.saturating_add(Self::prune_asks(model, *role)));
		let record = Self::drop_last_unreferenced(model);
		ensure!(asks > 0 || record, Error::<T>::NothingToPrune);
		Self::deposit_event(Event::Pruned { model, asks });
		Ok(looked_at)
	}
}
