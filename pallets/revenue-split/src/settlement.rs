//! The only file that moves money: payer → pot → earnings → payee, or back to the payer; slash → pot → earnings or burned.

use crate::{
	clearing_impls::Found,
	pallet::{Books, Clearings, Config, Curators, Earnings, Error, Event, HoldReason, Markets, Pallet},
	pricing::STORAGE_TRIES,
	types::MAX_ASKS,
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
use highway_math::{reliability, split, subsidy};
use highway_primitives::{
	market::{BillLine, BillLines, Deal, Order, Role, Settlement},
	traits::{Market, Nodes},
	Balance, JobId, ModelId, NodeId,
};
use sp_runtime::{
	traits::{AccountIdConversion, Get},
	ArithmeticError, DispatchError, DispatchResult, TokenError,
};

/// What paying a bill came to.
#[derive(Default)]
struct Paid {
	/// The sum of its lines.
	sum: Balance,
	/// What of it was burned.
	burned: Balance,
	/// Debts of the audit pot that the premium paid.
	debts: u32,
}

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
		let amount = Self::claimable(account);
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
		Books::<T>::mutate(|books| {
			books.earnings = books.earnings.defensive_saturating_sub(amount);
			match *account == T::Treasury::get() {
				true => books.treasury = 0,
				false => Earnings::<T>::remove(account),
			}
		});
		Self::deposit_event(Event::Claimed {
			account: account.clone(),
			amount,
		});
		Ok(())
	}

	/// Holds the deposit of a curator's profile.
	pub(crate) fn hold_deposit(who: &T::AccountId, deposit: Balance) -> DispatchResult {
		T::Currency::hold(&HoldReason::Curator.into(), who, deposit)
	}

	/// Gives a held deposit back; what was slashed of it meanwhile is gone.
	pub(crate) fn release_deposit(who: &T::AccountId, deposit: Balance) -> DispatchResult {
		T::Currency::release(&HoldReason::Curator.into(), who, deposit, Precision::BestEffort).map(|_| ())
	}

	/// Turns money of the pot into earnings.
	pub(crate) fn credit(account: &T::AccountId, amount: Balance) {
		if amount == 0 {
			return;
		}
		let add = |earned: &mut Balance| *earned = earned.defensive_saturating_add(amount);
		Books::<T>::mutate(|books| {
			add(&mut books.earnings);
			match *account == T::Treasury::get() {
				true => add(&mut books.treasury),
				false => Earnings::<T>::mutate(account, add),
			}
		});
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

	/// Pays the lines out of the deal's money in the pot: one event each. The line of a storage provider, named by `stored`,
	/// waits for its proof.
	fn pay(job: JobId, lines: &BillLines<T::AccountId>, stored: Option<(ModelId, T::AccountId)>) -> Paid {
		let mut paid = Paid::default();
		for BillLine { role, payee, amount } in lines {
			let (role, amount) = (*role, *amount);
			paid.sum = paid.sum.defensive_saturating_add(amount);
			match (payee, role, &stored) {
				(Some(payee), Role::Storage, Some((model, provider))) if payee == provider => {
					Self::hold_storage_pay(job, *model, payee, amount);
				}
				(Some(payee), _, _) => Self::earn(job, role, payee, amount),
				(None, Role::Auditor, _) => paid.debts = paid.debts.saturating_add(Self::fill_audit_pot(job, amount)),
				(None, _, _) => paid.burned = paid.burned.defensive_saturating_add(Self::burn(job, amount)),
			}
		}
		paid
	}

	/// Burns money of the pot, with the job's event. Returns how much.
	fn burn(job: JobId, amount: Balance) -> Balance {
		let amount = Self::burn_coins(amount);
		if amount > 0 {
			Self::deposit_event(Event::Burned { job, amount });
		}
		amount
	}

	/// Burns `amount` of the pot. Returns it; 0 if that cannot be, and then the treasury has it.
	fn burn_coins(amount: Balance) -> Balance {
		let burned = T::Currency::burn_from(
			&Self::pot_account(),
			amount,
			Preservation::Preserve,
			Precision::Exact,
			Fortitude::Force,
		);
		if burned.is_ok() {
			return amount;
		}
		defensive!("the pot holds less than it owes");
		Self::credit(&T::Treasury::get(), amount);
		0
	}

	/// Divides money of the pot that somebody lost: half is burned, half the treasury's. Returns what was burned.
	pub(crate) fn take_fine(amount: Balance) -> Balance {
		let (burned, kept) = split::burn_half(amount);
		Self::credit(&T::Treasury::get(), kept);
		match burned {
			0 => 0,
			burned => Self::burn_coins(burned),
		}
	}

	/// Mints the subsidy of a job that burned `burned`, as earnings of who did it. Nothing if the node is gone: nobody else
	/// worked.
	fn subsidise(job: JobId, burned: Balance, executor: NodeId) {
		let amount = subsidy::of(burned, T::WorkSubsidy::get());
		if amount == 0 {
			return;
		}
		let Some(payee) = T::Nodes::operator(executor) else {
			return;
		};
		if T::Currency::mint_into(&Self::pot_account(), amount).is_err() {
			defensive!("what was just burned leaves room in the issuance");
			return;
		}
		Self::credit(&payee, amount);
		Self::deposit_event(Event::Subsidised { job, payee, amount });
	}

	/// Who earns the job's line for storage once it is proved. `None` if there is none or its node is gone.
	fn storage_provider(model: ModelId, deal: &Deal<T::AccountId>) -> Option<(ModelId, T::AccountId)> {
		let (node, _) = deal.storage.as_ref()?;
		Some((model, T::Nodes::operator(*node)?))
	}

	/// Counts a settled job for the curator that it named.
	fn note_curated(deal: &Deal<T::AccountId>) {
		let Some((curator, fee)) = &deal.curator else {
			return;
		};
		Curators::<T>::mutate_extant(curator, |record| {
			record.jobs = record.jobs.saturating_add(1);
			record.earned = record.earned.saturating_add(*fee);
		});
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
	pub(crate) fn received(amount: Balance) -> Balance {
		let received = Self::pot_surplus().unwrap_or_default().min(amount);
		if received < amount {
			defensive!("a slash is split that was not moved into the pot");
		}
		received
	}

	fn discharge(deal: &Deal<T::AccountId>) {
		Books::<T>::mutate(|books| books.obligations = books.obligations.defensive_saturating_sub(deal.price));
	}
}

impl<T: Config> Market<T::AccountId> for Pallet<T> {
	fn open(_job: JobId, order: &Order<T::AccountId>) -> Result<Deal<T::AccountId>, DispatchError> {
		let model = order.model;
		let epoch = Self::current_epoch();
		let (clearing, fresh) = match Self::find_clearing(model, epoch)? {
			Found::Stored(clearing) => (clearing, None),
			Found::New(clearing, state) => (clearing, Some(state)),
			Found::Starved(_) => return Err(Error::<T>::NobodyServes.into()),
		};
		let deal = Self::agree(order, epoch, &clearing)?;
		let clearing = clearing.with_one_more_job().ok_or(Error::<T>::TooManyJobs)?;
		if let Some(state) = fresh {
			Self::first_touch(model, epoch, &clearing, state);
		}
		Self::note_job(model, epoch, &clearing, &deal);
		Clearings::<T>::insert(model, epoch, clearing);
		Ok(deal)
	}

	fn open_sibling(model: ModelId, first: &Deal<T::AccountId>) -> Result<Deal<T::AccountId>, DispatchError> {
		let Some(clearing) = Clearings::<T>::get(model, first.epoch) else {
			defensive!("a quorum's first job is opened before the others");
			return Err(Error::<T>::NobodyServes.into());
		};
		let deal = Self::sibling_of(first)?;
		let clearing = clearing.with_one_more_job().ok_or(Error::<T>::TooManyJobs)?;
		Self::note_job(model, first.epoch, &clearing, &deal);
		Clearings::<T>::insert(model, first.epoch, clearing);
		Ok(deal)
	}

	fn executors(model: ModelId, deal: &Deal<T::AccountId>) -> Vec<NodeId> {
		Clearings::<T>::get(model, deal.epoch)
			.map(|clearing| clearing.executors.into_inner())
			.unwrap_or_default()
	}

	fn last_drawn(model: ModelId) -> Option<NodeId> {
		Markets::<T>::get(model).last_drawn
	}

	fn note_drawn(model: ModelId, node: NodeId) {
		Markets::<T>::mutate(model, |state| state.last_drawn = Some(node));
	}

	fn looks_at(model: ModelId) -> u32 {
		match Clearings::<T>::get(model, Self::current_epoch()) {
			Some(record) => record.storage.len().min(STORAGE_TRIES) as u32,
			// Of asks that are stored, no more than this hold now.
			None => Self::asks_stored(model).min(MAX_ASKS.saturating_mul(2)),
		}
	}

	fn escrow(payer: &T::AccountId, deal: &Deal<T::AccountId>) -> DispatchResult {
		let mut books = Books::<T>::get();
		books.obligations = books
			.obligations
			.checked_add(deal.price)
			.ok_or(ArithmeticError::Overflow)?;
		// What keeps the payer alive leaves no dust: nobody else writes the books meanwhile.
		T::Currency::transfer(payer, &Self::pot_account(), deal.price, Preservation::Preserve)?;
		Books::<T>::put(books);
		Ok(())
	}

	fn settle(
		job: JobId,
		model: ModelId,
		payer: &T::AccountId,
		deal: &Deal<T::AccountId>,
		executor: NodeId,
		audited: bool,
	) -> Settlement<T::AccountId> {
		if !Clearings::<T>::contains_key(model, deal.epoch) {
			defensive!("a job is settled after its clearing record was let go: its royalties go to the protocol");
		}
		Self::discharge(deal);
		let mut bill = Self::bill(model, deal, executor);
		if !audited {
			bill.retain(|line| line.role != Role::Auditor);
		}
		let Paid { sum, burned, debts } = Self::pay(job, &bill, Self::storage_provider(model, deal));
		Self::give_back(job, payer, deal.price.defensive_saturating_sub(sum));
		Self::subsidise(job, burned, executor);
		Self::note_curated(deal);
		Self::note_settled(model, deal, &bill);
		Books::<T>::mutate(|books| {
			books.average_compute = reliability::moving_average(books.average_compute, deal.compute);
		});
		Settlement { bill, debts }
	}

	fn average_compute() -> Balance {
		Books::<T>::get().average_compute
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
		let paid = Self::pay(job, &lines, None);
		Self::give_back(job, payer, deal.price.defensive_saturating_sub(paid.sum));
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

	fn pay_judge(job: JobId, payee: &T::AccountId, amount: Balance) -> u32 {
		Self::pay_from_audit_pot(job, payee, amount)
	}

	fn escrow_bond(job: JobId, payer: &T::AccountId, bond: Balance) -> DispatchResult {
		let mut books = Books::<T>::get();
		books.bonds = books.bonds.checked_add(bond).ok_or(ArithmeticError::Overflow)?;
		// As above.
		T::Currency::transfer(payer, &Self::pot_account(), bond, Preservation::Preserve)?;
		Books::<T>::put(books);
		Self::deposit_event(Event::BondTaken {
			job,
			payer: payer.clone(),
			amount: bond,
		});
		Ok(())
	}

	fn end_bond(job: JobId, payer: &T::AccountId, bond: Balance, right: bool) -> u32 {
		let mut books = Books::<T>::get();
		if books.bonds < bond {
			defensive!("a bond ends that was not taken");
		}
		let bond = bond.min(books.bonds);
		books.bonds = books.bonds.saturating_sub(bond);
		Books::<T>::put(books);
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
		0
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
