//! The part of the pot that pays those who judge: premiums and lost bonds come in, their pay goes out. What it lacks is a
//! debt, paid in the order in which the debts arose. No coin moves here: everything lies in the pot's account.

use crate::{
	pallet::{Books, Config, Debts, Event, Pallet},
	types::{Debt, MAX_DEBTS_AT_ONCE},
};
use frame_support::{defensive, traits::DefensiveSaturating};
use highway_primitives::{Balance, JobId, Role};

impl<T: Config> Pallet<T> {
	/// Puts `amount` of the pot's money, which belongs to nobody any more, aside for audits, and pays debts of it. Returns how
	/// many.
	pub(crate) fn fill_audit_pot(job: JobId, amount: Balance) -> u32 {
		if amount == 0 {
			return 0;
		}
		Books::<T>::mutate(|books| books.audit_pot = books.audit_pot.defensive_saturating_add(amount));
		Self::deposit_event(Event::AuditPotFilled { job, amount });
		Self::work_off_debts()
	}

	/// Pays for judging a job, behind all older debts. Returns how many of these were paid.
	pub(crate) fn pay_from_audit_pot(job: JobId, payee: &T::AccountId, amount: Balance) -> u32 {
		let debts = Self::work_off_debts();
		let paid = match Books::<T>::get().has_debts() {
			true => 0,
			false => Self::pay_part(job, payee, amount),
		};
		let owed = amount.saturating_sub(paid);
		if owed > 0 {
			Self::note_debt(Debt {
				job,
				payee: payee.clone(),
				amount: owed,
			});
		}
		debts
	}

	/// Pays the oldest debts, as many as fit into one step and as far as the audit pot lasts. Returns how many, the last one in
	/// part maybe.
	fn work_off_debts() -> u32 {
		for paid_before in 0..MAX_DEBTS_AT_ONCE {
			let books = Books::<T>::get();
			if !books.has_debts() || books.audit_pot == 0 {
				return paid_before;
			}
			let first = books.first_debt;
			let Some(mut debt) = Debts::<T>::get(first) else {
				defensive!("no debt between the first and the next one is missing");
				return paid_before;
			};
			let paid = Self::pay_part(debt.job, &debt.payee, debt.amount);
			debt.amount = debt.amount.saturating_sub(paid);
			if debt.amount > 0 {
				Debts::<T>::insert(first, debt);
				return paid_before.saturating_add(1);
			}
			Debts::<T>::remove(first);
			Books::<T>::mutate(|books| books.first_debt = first.saturating_add(1));
		}
		MAX_DEBTS_AT_ONCE
	}

	/// Turns up to `amount` of the audit pot into earnings. Returns how much.
	fn pay_part(job: JobId, payee: &T::AccountId, amount: Balance) -> Balance {
		let mut books = Books::<T>::get();
		let amount = amount.min(books.audit_pot);
		if amount > 0 {
			books.audit_pot = books.audit_pot.saturating_sub(amount);
			Books::<T>::put(books);
			Self::earn(job, Role::Auditor, payee, amount);
		}
		amount
	}

	fn note_debt(debt: Debt<T::AccountId>) {
		let mut books = Books::<T>::get();
		let index = books.next_debt;
		let event = Event::AuditDebt {
			job: debt.job,
			payee: debt.payee.clone(),
			amount: debt.amount,
		};
		Debts::<T>::insert(index, debt);
		books.next_debt = index.saturating_add(1);
		Books::<T>::put(books);
		Self::deposit_event(event);
	}
}
