//! The only file that moves money: payer → pot → earnings → payee, or back to the payer; slash → pot → earnings or burned.

use crate::{
	pallet::{Asks, Bonds, Clearings, Config, Earnings, Error, Event, HoldReason, Obligations, Pallet, TotalEarnings},
	types::{AskRole, MAX_ASKS},
};
use alloc::vec::Vec;
use frame_support::{
	defensive,
	traits::{
		fungible::{Inspect, Mutate, MutateHold},
		tokens::{Fortitude, Precision, Preservation},
		DefensiveSaturating,
	},
};
use highway_math::split;
use highway_primitives::{
	market::{BillLine, BillLines, Deal, Role},
	traits::Market,
	Balance, JobId, ModelId, NodeId,
};
use sp_runtime::{
	traits::{AccountIdConversion, Get},
	ArithmeticError, DispatchError, DispatchResult, Perbill, TokenError,
};

impl<T: Config> Pallet<T> {
	/// The account that holds every open job's price, all earnings not claimed yet, and what pays for audits.
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

	/// [`crate::Call::claim`].
	pub(crate) fn do_claim(account: &T::AccountId) -> DispatchResult {
		let amount = Earnings::<T>::get(account);
		if amount == 0 {
			return Err(Error::<T>::NothingToClaim.into());
		}
		T::Currency::transfer(&Self::pot_account(), account, amount, Preservation::Preserve).map_err(|error| {
			if error == TokenError::BelowMinimum.into() {
				Error::<T>::ClaimBelowExistentialDeposit.into()
			} else {
				error
			}
		})?;
		Earnings::<T>::remove(account);
		TotalEarnings::<T>::mutate(|total| *total = total.defensive_saturating_sub(amount));
		Self::deposit_event(Event::Claimed {
			account: account.clone(),
			amount,
		});
		Ok(())
	}

	/// Holds the deposit of a curator's fee or of an ask.
	pub(crate) fn hold_deposit(reason: HoldReason, who: &T::AccountId, deposit: Balance) -> DispatchResult {
		T::Currency::hold(&reason.into(), who, deposit)
	}

	/// Gives a held deposit back; what was slashed of it meanwhile is gone.
	pub(crate) fn release_deposit(reason: HoldReason, who: &T::AccountId, deposit: Balance) -> DispatchResult {
		T::Currency::release(&reason.into(), who, deposit, Precision::BestEffort).map(|_| ())
	}

	fn credit(account: &T::AccountId, amount: Balance) {
		if amount > 0 {
			Earnings::<T>::mutate(account, |earned| *earned = earned.defensive_saturating_add(amount));
			TotalEarnings::<T>::mutate(|total| *total = total.defensive_saturating_add(amount));
		}
	}

	/// Turns money of the pot into earnings, with its event.
	pub(crate) fn earn(job: JobId, role: Role, payee: &T::AccountId, amount: Balance) {
		Self::credit(payee, amount);
		Self::deposit_event(Event::Paid {
			job,
			role,
			payee: payee.clone(),
			amount,
		});
	}

	/// Pays the lines out of the deal's money in the pot: one event each. Returns their sum.
	fn pay(job: JobId, lines: &BillLines<T::AccountId>) -> Balance {
		let mut paid: Balance = 0;
		for BillLine { role, payee, amount } in lines {
			let (role, amount) = (*role, *amount);
			paid = paid.defensive_saturating_add(amount);
			match (payee, role) {
				(Some(payee), _) => Self::earn(job, role, payee, amount),
				(None, Role::Auditor) => Self::fill_audit_pot(job, amount),
				(None, _) => Self::burn(job, amount),
			}
		}
		paid
	}

	fn burn(job: JobId, amount: Balance) {
		let burned = T::Currency::burn_from(
			&Self::pot_account(),
			amount,
			Preservation::Preserve,
			Precision::Exact,
			Fortitude::Force,
		);
		if burned.is_ok() {
			Self::deposit_event(Event::Burned { job, amount });
		} else {
			defensive!("the pot holds less than it owes");
			Self::credit(&T::Treasury::get(), amount);
		}
	}

	/// Returns money of the pot to a payer, with its event.
	fn give_back(job: JobId, payer: &T::AccountId, amount: Balance) {
		if amount > 0 {
			let claimable = Self::return_coins(payer, amount);
			Self::deposit_event(Event::Refunded {
				job,
				payer: payer.clone(),
				amount,
				claimable,
			});
		}
	}

	/// Moves money of the pot to an account; what it cannot receive becomes earnings. Returns whether it did.
	fn return_coins(account: &T::AccountId, amount: Balance) -> bool {
		let claimable = T::Currency::transfer(&Self::pot_account(), account, amount, Preservation::Preserve).is_err();
		if claimable {
			Self::credit(account, amount);
		}
		claimable
	}

	/// What of `amount` really came into the pot: nobody's money pays for a slash that was not taken.
	fn received(amount: Balance) -> Balance {
		let received = Self::pot_surplus().unwrap_or_default().min(amount);
		if received < amount {
			defensive!("a slash is split that was not moved into the pot");
		}
		received
	}

	fn discharge(deal: &Deal<T::AccountId>) {
		Obligations::<T>::mutate(|owed| *owed = owed.defensive_saturating_sub(deal.price));
	}
}

impl<T: Config> Market<T::AccountId> for Pallet<T> {
	fn open(
		_job: JobId,
		model: ModelId,
		units: u32,
		input_size: u64,
		detection: Perbill,
		curator: Option<&T::AccountId>,
		seed: [u8; 32],
	) -> Result<Deal<T::AccountId>, DispatchError> {
		let epoch = Self::current_epoch();
		let (clearing, stored) = Self::clearing_now(model, epoch)?;
		let deal = Self::agree(model, epoch, &clearing, units, input_size, detection, curator, &seed)?;
		Self::refer_to(model, epoch, clearing, stored)?;
		Ok(deal)
	}

	fn open_sibling(model: ModelId, first: &Deal<T::AccountId>) -> Result<Deal<T::AccountId>, DispatchError> {
		let Some(clearing) = Clearings::<T>::get(model, first.epoch) else {
			defensive!("a quorum's first job is opened before the others");
			return Err(Error::<T>::NobodyServes.into());
		};
		let deal = Self::sibling_of(first)?;
		Self::refer_to(model, first.epoch, clearing, true)?;
		Ok(deal)
	}

	fn executors(model: ModelId, deal: &Deal<T::AccountId>) -> Vec<NodeId> {
		Clearings::<T>::get(model, deal.epoch)
			.map(|clearing| clearing.executors.into_inner())
			.unwrap_or_default()
	}

	fn looked_at(model: ModelId, deal: &Deal<T::AccountId>) -> u32 {
		let Some(record) = Clearings::<T>::get(model, deal.epoch) else {
			return 0;
		};
		let looked_at = if record.jobs <= 1 {
			AskRole::ALL
				.iter()
				.filter_map(|role| Asks::<T>::decode_len(model, role))
				.fold(0, usize::saturating_add)
		} else {
			record.executors.len().saturating_add(record.storage.len())
		};
		// Of asks that are stored, no more than this hold now.
		(looked_at as u32).min(MAX_ASKS.saturating_mul(2))
	}

	fn escrow(payer: &T::AccountId, deal: &Deal<T::AccountId>) -> DispatchResult {
		let owed = Obligations::<T>::get()
			.checked_add(deal.price)
			.ok_or(ArithmeticError::Overflow)?;
		T::Currency::transfer(payer, &Self::pot_account(), deal.price, Preservation::Preserve)?;
		Obligations::<T>::put(owed);
		Ok(())
	}

	fn settle(
		job: JobId,
		model: ModelId,
		payer: &T::AccountId,
		deal: &Deal<T::AccountId>,
		executor: NodeId,
		audited: bool,
	) -> BillLines<T::AccountId> {
		if !Clearings::<T>::contains_key(model, deal.epoch) {
			defensive!("a job is settled after its clearing record was let go: its royalties go to the protocol");
		}
		Self::discharge(deal);
		let mut lines = Self::bill(model, deal, executor);
		if !audited {
			lines.retain(|line| line.role != Role::Auditor);
		}
		let paid = Self::pay(job, &lines);
		Self::give_back(job, payer, deal.price.defensive_saturating_sub(paid));
		lines
	}

	fn refund(job: JobId, payer: &T::AccountId, deal: &Deal<T::AccountId>) {
		Self::discharge(deal);
		Self::give_back(job, payer, deal.price);
	}

	fn fail(
		job: JobId,
		payer: &T::AccountId,
		deal: &Deal<T::AccountId>,
		reporters: &[NodeId],
	) -> BillLines<T::AccountId> {
		Self::discharge(deal);
		let lines = Self::failure_bill(deal, reporters);
		let paid = Self::pay(job, &lines);
		Self::give_back(job, payer, deal.price.defensive_saturating_sub(paid));
		lines
	}

	fn slash_account() -> T::AccountId {
		Self::pot_account()
	}

	fn split_slash(job: JobId, amount: Balance, shares: &[(T::AccountId, Balance)]) {
		let (burned, mut left) = split::burn_half(Self::received(amount));
		if burned > 0 {
			Self::burn(job, burned);
		}
		for (payee, share) in shares {
			let share = left.min(*share);
			if share > 0 {
				Self::earn(job, Role::Auditor, payee, share);
				left = left.saturating_sub(share);
			}
		}
		if left > 0 {
			Self::earn(job, Role::Protocol, &T::Treasury::get(), left);
		}
	}

	fn pay_judge(job: JobId, payee: &T::AccountId, amount: Balance) {
		Self::pay_from_audit_pot(job, payee, amount);
	}

	fn escrow_bond(job: JobId, payer: &T::AccountId, bond: Balance) -> DispatchResult {
		let bonds = Bonds::<T>::get().checked_add(bond).ok_or(ArithmeticError::Overflow)?;
		T::Currency::transfer(payer, &Self::pot_account(), bond, Preservation::Preserve)?;
		Bonds::<T>::put(bonds);
		Self::deposit_event(Event::BondTaken {
			job,
			payer: payer.clone(),
			amount: bond,
		});
		Ok(())
	}

	fn end_bond(job: JobId, payer: &T::AccountId, bond: Balance, right: bool) {
		let bonds = Bonds::<T>::get();
		if bonds < bond {
			defensive!("a bond ends that was not taken");
		}
		let bond = bond.min(bonds);
		Bonds::<T>::put(bonds.saturating_sub(bond));
		if !right {
			return Self::fill_audit_pot(job, bond);
		}
		if bond > 0 {
			let claimable = Self::return_coins(payer, bond);
			Self::deposit_event(Event::BondReturned {
				job,
				payer: payer.clone(),
				amount: bond,
				claimable,
			});
		}
	}

	fn close(model: ModelId, deal: &Deal<T::AccountId>) {
		Self::let_go(model, deal.epoch);
	}

	fn bill(model: ModelId, deal: &Deal<T::AccountId>, executor: NodeId) -> BillLines<T::AccountId> {
		let royalties = Clearings::<T>::get(model, deal.epoch)
			.map(|clearing| clearing.royalties)
			.unwrap_or_default();
		let storage = deal.storage.as_ref().map(|(node, _)| Self::operator_or_treasury(*node));
		Self::lines(
			model,
			deal,
			&royalties,
			Some(Self::operator_or_treasury(executor)),
			storage,
		)
	}
}
