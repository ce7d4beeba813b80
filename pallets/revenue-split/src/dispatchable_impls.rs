//! The calls that neither move money nor touch the book of asks, and the one that clears away.

use crate::{
	call_weights,
	commit_impls::ENDED_BY_PRUNE,
	pallet::{Config, Curators, Error, Event, Markets, Pallet, SummarisedEpochs},
	types::{AskRole, CuratorProfile, CuratorRecord},
};
use frame_support::{ensure, weights::Weight};
use highway_primitives::{traits::Models, Balance, ModelId};
use sp_runtime::{traits::Get, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// [`crate::Call::set_curator`].
	pub(crate) fn do_set_curator(curator: &T::AccountId, fee: Balance, profile: CuratorProfile) -> DispatchResult {
		ensure!(fee <= T::MaxCuratorFee::get(), Error::<T>::FeeAboveMax);
		ensure!(profile.has_plain_text(), Error::<T>::BadText);
		let former = Curators::<T>::get(curator);
		if profile.name.is_empty() {
			ensure!(fee == 0, Error::<T>::NoName);
			let former = former.ok_or(Error::<T>::NotACurator)?;
			Self::release_deposit(curator, former.deposit)?;
			Curators::<T>::remove(curator);
			Self::deposit_event(Event::CuratorRemoved {
				curator: curator.clone(),
			});
			return Ok(());
		}
		let record = match former {
			Some(former) => CuratorRecord { fee, profile, ..former },
			None => {
				let deposit = T::CuratorDeposit::get();
				Self::hold_deposit(curator, deposit)?;
				CuratorRecord {
					fee,
					deposit,
					profile,
					..Default::default()
				}
			}
		};
		Curators::<T>::insert(curator, record);
		Self::deposit_event(Event::CuratorSet {
			curator: curator.clone(),
			fee,
		});
		Ok(())
	}

	/// [`crate::Call::prune`]. Returns what it weighed.
	pub(crate) fn do_prune(model: ModelId) -> Result<Weight, DispatchError> {
		let looked_at = Self::asks_stored(model);
		let lapses = Self::end_lapsed(model);
		let asks = AskRole::ALL.iter().fold(lapses.ended, |sum, role| {
			sum.saturating_add(Self::prune_asks(model, *role))
		});
		let commitments = Self::end_broken(model, ENDED_BY_PRUNE, ENDED_BY_PRUNE);
		let record = Self::drop_last_unreferenced(model);
		let market = !T::Models::exists(model) && Self::forget_market(model);
		ensure!(
			asks > 0 || commitments > 0 || record || market,
			Error::<T>::NothingToPrune
		);
		Self::deposit_event(Event::Pruned {
			model,
			asks,
			commitments,
		});
		Ok(call_weights::pruned::<T>(looked_at)
			.saturating_add(call_weights::winners::<T>(lapses.looked_at))
			.saturating_add(call_weights::place_pay::<T>(lapses.looked_at))
			.saturating_add(call_weights::ended::<T>(commitments))
			.saturating_add(call_weights::lapsed::<T>(lapses.ended)))
	}

	/// What is remembered of the market of a model that is gone. Returns whether there was something.
	fn forget_market(model: ModelId) -> bool {
		let known = Markets::<T>::contains_key(model) || SummarisedEpochs::<T>::contains_key(model);
		Markets::<T>::remove(model);
		Self::forget_summaries(model);
		Self::forget_stored(model);
		known
	}
}
