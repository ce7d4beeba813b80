//! What the runtime APIs read. Nothing here changes anything.

use crate::{
	pallet::{Asks, AuditPot, Bonds, Clearings, Config, Earnings, LastCleared, Obligations, Pallet, TotalEarnings},
	types::{AskRole, Clearing, QuoteParts},
};
use alloc::vec::Vec;
use frame_support::traits::fungible::Inspect;
use highway_primitives::{Balance, ModelId, NodeId};
use sp_runtime::{DispatchError, Perbill};

impl<T: Config> Pallet<T> {
	/// What [`highway_primitives::traits::Market::open`] would agree on in this block, for a version with this
	/// `detection`. Error if it would fail.
	pub fn quote(
		model: ModelId,
		input_size: u64,
		units: u32,
		detection: Perbill,
		curator: Option<&T::AccountId>,
	) -> Result<QuoteParts<T::AccountId>, DispatchError> {
		let epoch = Self::current_epoch();
		let (clearing, _) = Self::clearing_now(model, epoch)?;
		// The price is the same whoever is drawn.
		let deal = Self::agree(model, epoch, &clearing, units, input_size, detection, curator, &[0; 32])?;
		Ok(QuoteParts {
			epoch,
			valid_until: Self::last_block_of(epoch),
			lines: Self::lines(model, &deal, &clearing.royalties, None, None).into_inner(),
			price: deal.price,
			audit_rate: deal.audit_rate,
			executors: clearing.executors.into_inner(),
		})
	}

	/// Who is likely to have the model's blobs: storage providers first, then executors, each once, of the latest epoch
	/// with a job; at most twice [`crate::types::MAX_ASKS`].
	pub fn providers(model: ModelId) -> Vec<NodeId> {
		let clearing = LastCleared::<T>::get(model).and_then(|epoch| Clearings::<T>::get(model, epoch));
		let Some(Clearing { executors, storage, .. }) = clearing else {
			return Vec::new();
		};
		let also = executors
			.into_iter()
			.filter(|node| !storage.contains(node))
			.collect::<Vec<_>>();
		storage.into_iter().chain(also).collect()
	}

	/// What the node asks in this epoch; if nothing, from the next on.
	pub fn ask_of(node: NodeId, model: ModelId, role: AskRole) -> Option<Balance> {
		let epoch = Self::current_epoch();
		Asks::<T>::get(model, role)
			.iter()
			.find(|ask| ask.node == node)
			.and_then(|ask| ask.effective(epoch).or_else(|| ask.upcoming()))
	}

	/// What the account may claim.
	pub fn claimable(account: &T::AccountId) -> Balance {
		Earnings::<T>::get(account)
	}

	/// What the pot owes: its own existential deposit, all earnings, the prices of all open jobs, what is there for
	/// audits, and the bonds of those who asked for one. `None` if that is beyond all money.
	pub fn pot_owes() -> Option<Balance> {
		T::Currency::minimum_balance()
			.checked_add(TotalEarnings::<T>::get())?
			.checked_add(Obligations::<T>::get())?
			.checked_add(AuditPot::<T>::get())?
			.checked_add(Bonds::<T>::get())
	}

	/// What the pot holds beyond what it owes: coins that somebody sent to it uninvited, else 0. `None` if it holds
	/// less than it owes, which must never be.
	pub fn pot_surplus() -> Option<Balance> {
		T::Currency::balance(&Self::pot_account()).checked_sub(Self::pot_owes()?)
	}
}
