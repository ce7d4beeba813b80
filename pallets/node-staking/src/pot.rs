//! The only file that moves money between accounts: delegators ⇄ stake pot, bonds → pot or market, pot → treasury or fire.

use crate::pallet::{Config, HoldReason, Pallet};
use frame_support::{
	defensive,
	dispatch::DispatchResult,
	traits::{
		fungible::{Inspect, Mutate, MutateHold},
		tokens::{Fortitude, Precision, Preservation, Restriction},
		Defensive, Get,
	},
};
use highway_primitives::Balance;
use sp_runtime::traits::AccountIdConversion;

impl<T: Config> Pallet<T> {
	/// The account that holds all delegated stake and all rewards that wait to be claimed.
	pub fn pot_account() -> T::AccountId {
		T::PalletId::get().into_account_truncating()
	}

	/// Puts the existential deposit into the pot, so that the last payment out of it never kills it.
	pub(crate) fn endow_pot() {
		let pot = Self::pot_account();
		let missing = T::Currency::minimum_balance().saturating_sub(T::Currency::balance(&pot));
		if missing > 0 && T::Currency::mint_into(&pot, missing).is_err() {
			defensive!("the issuance has no room for the pot's existential deposit");
		}
	}

	/// Takes `amount` of somebody's free balance into the pot, and leaves the existential deposit: who could not pay a fee
	/// could not leave again.
	pub(crate) fn pay_in(from: &T::AccountId, amount: Balance) -> DispatchResult {
		T::Currency::transfer(from, &Self::pot_account(), amount, Preservation::Preserve).map(|_| ())
	}

	/// Pays `amount` out of the pot. Error if the account is gone and the amount too small to bring it back.
	pub(crate) fn pay_out(to: &T::AccountId, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		T::Currency::transfer(&Self::pot_account(), to, amount, Preservation::Preserve).map(|_| ())
	}

	/// Mints `amount` into the pot; whether that was possible.
	pub(crate) fn mint_into_pot(amount: Balance) -> bool {
		T::Currency::mint_into(&Self::pot_account(), amount)
			.defensive_proof("the issuance has room for all rewards")
			.is_ok()
	}

	/// Moves up to `amount` of what is held for the operator's bond to `to`, as free balance. Returns what was moved: it is
	/// less only if `to` cannot be paid at all.
	pub(crate) fn take_held(operator: &T::AccountId, to: &T::AccountId, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		T::Currency::transfer_on_hold(
			&HoldReason::Bond.into(),
			operator,
			to,
			amount,
			Precision::BestEffort,
			Restriction::Free,
			Fortitude::Force,
		)
		.defensive_proof("a slash goes to an account that exists")
		.unwrap_or(0)
	}

	/// Burns one half of `amount`, which lies in the pot and is nobody's any more, and gives the other to the treasury. The
	/// odd unit burns.
	pub(crate) fn split_penalty(amount: Balance) {
		let half = amount / 2;
		// A treasury that never was and cannot be made of so little gets nothing: the coins must not stay where nobody
		// owns them.
		let paid = match Self::pay_out(&T::Treasury::get(), half) {
			Ok(()) => half,
			Err(_) => 0,
		};
		Self::burn(amount.saturating_sub(paid));
	}

	/// Burns `amount` of the pot.
	pub(crate) fn burn(amount: Balance) {
		if amount == 0 {
			return;
		}
		let burned = T::Currency::burn_from(
			&Self::pot_account(),
			amount,
			Preservation::Preserve,
			Precision::Exact,
			Fortitude::Polite,
		);
		if burned.is_err() {
			defensive!("the pot holds what it burns");
		}
	}

	/// What the pot holds beyond its existential deposit and what it owes; `None` if it holds less.
	pub fn pot_surplus() -> Option<Balance> {
		let owed = crate::pallet::Pools::<T>::iter_values().try_fold(T::Currency::minimum_balance(), |sum, pool| {
			sum.checked_add(pool.owed()?)
		})?;
		T::Currency::total_balance(&Self::pot_account()).checked_sub(owed)
	}
}
