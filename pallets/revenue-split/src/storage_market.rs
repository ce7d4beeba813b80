//! What storing a model brings: who is to have which model, and pay that waits until it is proved.

use crate::{
	pallet::{Asks, Books, Config, Error, Event, Pallet, StoragePay, StoredAt, StoredCount, StoredModels},
	types::{AskRole, PendingPay, StoredModel, Winners},
};
use alloc::vec::Vec;
use frame_support::{
	defensive, ensure,
	traits::{DefensiveSaturating, Get},
};
use highway_primitives::{
	traits::{Nodes, StorageChallenges, StorageMarket},
	Balance, BlockNumber, JobId, ModelId, NodeId,
};
use sp_runtime::DispatchResult;

/// The most pay that waits of one account that is told at once.
const MAX_LISTED: usize = 256;

impl<T: Config> Pallet<T> {
	/// The model's storage winners are these from now on. A model without any leaves the list, and the last one of it takes
	/// its place.
	pub(crate) fn note_stored(model: ModelId, winners: &Winners) {
		if winners.is_empty() {
			return Self::forget_stored(model);
		}
		let count = StoredCount::<T>::get();
		let index = StoredAt::<T>::get(model).unwrap_or(count);
		if index == count {
			StoredAt::<T>::insert(model, index);
			StoredCount::<T>::put(count.defensive_saturating_add(1));
		}
		let winners = winners.clone();
		StoredModels::<T>::insert(index, StoredModel { model, winners });
	}

	/// Nobody stores the model.
	pub(crate) fn forget_stored(model: ModelId) {
		let Some(index) = StoredAt::<T>::take(model) else {
			return;
		};
		let last = StoredCount::<T>::get().defensive_saturating_sub(1);
		StoredCount::<T>::put(last);
		let Some(moved) = StoredModels::<T>::take(last) else {
			defensive!("the list of stored models has no holes");
			return;
		};
		if index != last {
			StoredAt::<T>::insert(moved.model, index);
			StoredModels::<T>::insert(index, moved);
		}
	}

	/// A job's line for storage: of the operator once the node has proved that it has the model.
	pub(crate) fn hold_storage_pay(job: JobId, model: ModelId, payee: &T::AccountId, amount: Balance) {
		let now = Self::now();
		StoragePay::<T>::mutate(payee, model, |pending| {
			let former = pending.unwrap_or(PendingPay { amount: 0, since: now });
			*pending = Some(PendingPay {
				amount: former.amount.defensive_saturating_add(amount),
				..former
			});
		});
		Books::<T>::mutate(|books| books.storage_pay = books.storage_pay.defensive_saturating_add(amount));
		Self::deposit_event(Event::StoragePayHeld {
			job,
			model,
			payee: payee.clone(),
			amount,
		});
	}

	/// [`crate::Call::claim_storage_pay`].
	pub(crate) fn do_claim_storage_pay(account: &T::AccountId, model: ModelId) -> DispatchResult {
		let pending = StoragePay::<T>::get(account, model).ok_or(Error::<T>::NothingToClaim)?;
		ensure!(
			Self::now() >= Self::claimable_from(&pending),
			Error::<T>::StoragePayHeld
		);
		// A node that is gone can show nothing: else whoever leaves would be paid without a file.
		let node = T::Nodes::node_of(account).ok_or(Error::<T>::NotAnOperator)?;
		ensure!(!T::StorageChallenges::challenged(node, model), Error::<T>::Challenged);
		let shows = T::StorageChallenges::ask(node, model)?;
		if !shows {
			Self::pay_for_storage(account, model);
		}
		Ok(())
	}

	/// What waits for a proof of the account, of at most 256 models: how much, and from which block on it can be claimed
	/// without one.
	pub fn pending_storage_pay(account: &T::AccountId) -> Vec<(ModelId, Balance, BlockNumber)> {
		StoragePay::<T>::iter_prefix(account)
			.take(MAX_LISTED)
			.map(|(model, pending)| (model, pending.amount, Self::claimable_from(&pending)))
			.collect()
	}

	fn claimable_from(pending: &PendingPay) -> BlockNumber {
		pending.since.saturating_add(T::StorageHold::get())
	}

	/// What waits becomes earnings. Returns how much it was.
	fn pay_for_storage(account: &T::AccountId, model: ModelId) -> Balance {
		let amount = Self::take_storage_pay(account, model);
		if amount > 0 {
			Self::credit(account, amount);
			Self::deposit_event(Event::StoragePaid {
				model,
				payee: account.clone(),
				amount,
			});
		}
		amount
	}

	/// Takes what waits off the books. What becomes of it is the caller's.
	fn take_storage_pay(account: &T::AccountId, model: ModelId) -> Balance {
		let Some(PendingPay { amount, .. }) = StoragePay::<T>::take(account, model) else {
			return 0;
		};
		Books::<T>::mutate(|books| books.storage_pay = books.storage_pay.defensive_saturating_sub(amount));
		amount
	}
}

impl<T: Config> StorageMarket for Pallet<T> {
	fn stored_models() -> u32 {
		StoredCount::<T>::get()
	}

	/// Of the winners only those that still ask: whoever has left or withdrawn is paid for nothing that is to come.
	fn stored_model(index: u32) -> Option<(ModelId, Vec<NodeId>)> {
		let StoredModel { model, winners } = StoredModels::<T>::get(index)?;
		let epoch = Self::current_epoch();
		let book = Asks::<T>::get(model, AskRole::Storage);
		let asking = |node: &NodeId| {
			book.iter()
				.any(|ask| ask.node == *node && ask.effective(epoch).is_some())
		};
		Some((model, winners.into_iter().filter(asking).collect()))
	}

	fn release_storage_pay(node: NodeId, model: ModelId) -> Balance {
		T::Nodes::operator(node).map_or(0, |operator| Self::pay_for_storage(&operator, model))
	}

	fn forfeit_storage_pay(node: NodeId, model: ModelId) -> Balance {
		let amount = T::Nodes::operator(node).map_or(0, |operator| Self::take_storage_pay(&operator, model));
		if amount > 0 {
			let burned = Self::take_fine(amount);
			Self::deposit_event(Event::StoragePayForfeited {
				model,
				node,
				amount,
				burned,
			});
		}
		amount
	}

	fn forfeit_storage_ask(node: NodeId, model: ModelId) {
		Self::forfeit_ask(node, model, AskRole::Storage);
	}

	fn take_storage_fine(node: NodeId, amount: Balance) {
		let amount = Self::received(amount);
		if amount > 0 {
			let burned = Self::take_fine(amount);
			Self::deposit_event(Event::StorageFined { node, amount, burned });
		}
	}
}
