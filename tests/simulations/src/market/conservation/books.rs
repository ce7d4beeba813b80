//! A second set of books: what each act moves, from what was agreed alone. It never asks the chain, but to be compared.

use crate::market::chain::{AccountId, Balances, RevenueSplit, Simulated, TREASURY};
use frame_support::traits::fungible::Inspect;
use highway_primitives::{market::Deal, Balance, ModelId, RoyaltyLine};
use pallet_revenue_split::{Books as ChainBooks, Debts, StoragePay, MAX_DEBTS_AT_ONCE};
use std::collections::{BTreeMap, VecDeque};

/// How far the chain is from the books, in planck.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Differences {
	/// In what there is of all coins.
	pub issuance: Balance,
	/// In what the pot holds, and in each of the sums that it owes.
	pub pot: Balance,
	/// In what accounts have, may claim, and have waiting.
	pub payees: Balance,
}

/// Who has what.
pub struct Books {
	/// Coins of all accounts that take part.
	coins: BTreeMap<AccountId, Balance>,
	/// What they may claim.
	earnings: BTreeMap<AccountId, Balance>,
	/// What waits for a proof of storage.
	waiting: BTreeMap<(AccountId, ModelId), Balance>,
	/// Prices of open jobs.
	obligations: Balance,
	/// Bonds of payers.
	bonds: Balance,
	/// What is there for audits.
	audit_pot: Balance,
	/// What is owed for audits, oldest first.
	debts: VecDeque<(AccountId, Balance)>,
	/// All coins that there are.
	issuance: Balance,
	/// What was minted for work.
	pub minted: Balance,
	/// What the audit pot lacked when somebody judged.
	pub owed: Balance,
	/// What was lost by a miss.
	pub forfeited: Balance,
}

fn coins_of(account: &AccountId) -> Balance {
	<Balances as Inspect<AccountId>>::total_balance(account)
}

impl Books {
	/// What these accounts have now. Nothing is earned or owed yet.
	pub fn of(accounts: impl Iterator<Item = AccountId>) -> Self {
		Self {
			coins: accounts.map(|account| (account, coins_of(&account))).collect(),
			earnings: BTreeMap::new(),
			waiting: BTreeMap::new(),
			obligations: 0,
			bonds: 0,
			audit_pot: 0,
			debts: VecDeque::new(),
			issuance: Balances::total_issuance(),
			minted: 0,
			owed: 0,
			forfeited: 0,
		}
	}

	/// The price goes from the payer to the pot.
	pub fn submit(&mut self, payer: AccountId, price: Balance) {
		self.take(payer, price);
		self.obligations += price;
	}

	/// Everybody gets its line of a job of `model`. `executor`: who did it, if it is still there; `storer`: whose node stores.
	pub fn settle(
		&mut self,
		model: ModelId,
		payer: AccountId,
		deal: &Deal<AccountId>,
		royalties: &[RoyaltyLine<AccountId>],
		executor: Option<AccountId>,
		storer: Option<AccountId>,
		audited: bool,
	) {
		self.obligations -= deal.price;
		let mut left = deal.price - deal.premium;
		match audited {
			true => self.fill_audit_pot(deal.premium),
			false => self.give(payer, deal.premium),
		}
		for royalty in royalties.iter().filter(|_| deal.royalties) {
			let amount = royalty.per_unit * Balance::from(deal.units);
			self.earn(royalty.payee, amount);
			left -= amount;
		}
		self.earn(executor.unwrap_or(TREASURY), deal.compute);
		left -= deal.compute;
		for (payee, amount) in [&deal.curator, &deal.weaver].into_iter().flatten() {
			self.earn(*payee, *amount);
			left -= amount;
		}
		if let (Some(storer), Some((_, amount))) = (storer, deal.storage) {
			*self.waiting.entry((storer, model)).or_default() += amount;
			left -= amount;
		}
		let burned = self.burn_half(left);
		if let Some(executor) = executor {
			let subsidy = burned / 2;
			self.issuance += subsidy;
			self.minted += subsidy;
			self.earn(executor, subsidy);
		}
	}

	/// The payer has all of the price back.
	pub fn refund(&mut self, payer: AccountId, price: Balance) {
		self.obligations -= price;
		self.give(payer, price);
	}

	/// A fifth of the compute line is shared by the reporters, the payer has the rest. `None`: one that is gone.
	pub fn fail(&mut self, payer: AccountId, deal: &Deal<AccountId>, reporters: &[Option<AccountId>]) {
		let part = (deal.compute / 5)
			.checked_div(reporters.len() as Balance)
			.unwrap_or_default();
		for reporter in reporters {
			self.earn(reporter.unwrap_or(TREASURY), part);
		}
		let back = deal.price - part * reporters.len() as Balance;
		self.obligations -= deal.price;
		self.give(payer, back);
	}

	/// The audit pot pays the judge, behind those who judged before, or owes it.
	pub fn pay_judge(&mut self, judge: AccountId, amount: Balance) {
		self.work_off_debts();
		let mut owed = amount;
		if self.debts.is_empty() {
			let paid = amount.min(self.audit_pot);
			self.audit_pot -= paid;
			self.earn(judge, paid);
			owed -= paid;
		}
		if owed > 0 {
			self.debts.push_back((judge, owed));
			self.owed += owed;
		}
	}

	/// What somebody lost is halved; what is not burned goes to the shares, as far as it lasts, and to the treasury.
	pub fn slash(&mut self, from: AccountId, amount: Balance, shares: &[(AccountId, Balance)]) {
		self.take(from, amount);
		let burned = amount / 2;
		self.issuance -= burned;
		let mut left = amount - burned;
		for (payee, share) in shares {
			let share = left.min(*share);
			self.earn(*payee, share);
			left -= share;
		}
		self.earn(TREASURY, left);
	}

	/// The bond of a payer goes into the pot.
	pub fn bond(&mut self, payer: AccountId, bond: Balance) {
		self.take(payer, bond);
		self.bonds += bond;
	}

	/// It goes back, or to those who judge.
	pub fn end_bond(&mut self, payer: AccountId, bond: Balance, right: bool) {
		self.bonds -= bond;
		match right {
			true => self.give(payer, bond),
			false => self.fill_audit_pot(bond),
		}
	}

	/// What waits is proved.
	pub fn prove(&mut self, storer: AccountId, model: ModelId) {
		let amount = self.waiting.remove(&(storer, model)).unwrap_or_default();
		self.earn(storer, amount);
	}

	/// What waits is lost.
	pub fn forfeit(&mut self, storer: AccountId, model: ModelId) {
		let amount = self.waiting.remove(&(storer, model)).unwrap_or_default();
		self.burn_half(amount);
		self.forfeited += amount;
	}

	/// What the account earned becomes coins.
	pub fn claim(&mut self, account: AccountId) {
		let amount = self.earnings.remove(&account).unwrap_or_default();
		self.give(account, amount);
	}

	/// What waits for a proof, and of which model.
	pub fn waiting(&self) -> Vec<(AccountId, ModelId)> {
		self.waiting.keys().copied().collect()
	}

	/// Who may claim something.
	pub fn payees(&self) -> Vec<AccountId> {
		let earned = self.earnings.iter().filter(|(_, amount)| **amount > 0);
		earned.map(|(account, _)| *account).collect()
	}

	/// What the pot would hold beyond its existential deposit and what is there for audits.
	pub fn left_in_pot() -> Balance {
		let held = coins_of(&RevenueSplit::pot_account());
		held.abs_diff(<Balances as Inspect<AccountId>>::minimum_balance() + ChainBooks::<Simulated>::get().audit_pot)
	}

	/// How far the chain is from all this.
	pub fn compare(&self) -> Differences {
		let earnings: Balance = self.earnings.values().sum();
		let waiting: Balance = self.waiting.values().sum();
		let held = <Balances as Inspect<AccountId>>::minimum_balance()
			+ earnings
			+ waiting + self.obligations
			+ self.bonds
			+ self.audit_pot;
		let theirs = ChainBooks::<Simulated>::get();
		let debts = theirs.first_debt..theirs.next_debt;
		let debts: Balance = debts.filter_map(Debts::<Simulated>::get).map(|debt| debt.amount).sum();
		let sums = [
			(held, coins_of(&RevenueSplit::pot_account())),
			(earnings, theirs.earnings),
			(waiting, theirs.storage_pay),
			(self.obligations, theirs.obligations),
			(self.bonds, theirs.bonds),
			(self.audit_pot, theirs.audit_pot),
			(self.debts.iter().map(|(_, amount)| amount).sum(), debts),
		];
		let accounts = self.coins.iter().map(|(account, coins)| {
			let earned = self.earnings.get(account).copied().unwrap_or_default();
			let earned = earned.abs_diff(RevenueSplit::claimable(account));
			earned + coins.abs_diff(coins_of(account))
		});
		let pay = self.waiting.iter().map(|((account, model), amount)| {
			let pending = StoragePay::<Simulated>::get(account, model);
			amount.abs_diff(pending.map_or(0, |pending| pending.amount))
		});
		Differences {
			issuance: self.issuance.abs_diff(Balances::total_issuance()),
			pot: sums.iter().map(|(ours, theirs)| ours.abs_diff(*theirs)).sum(),
			payees: accounts.chain(pay).sum(),
		}
	}

	fn take(&mut self, from: AccountId, amount: Balance) {
		*self.coins.entry(from).or_default() -= amount;
	}

	fn give(&mut self, to: AccountId, amount: Balance) {
		*self.coins.entry(to).or_default() += amount;
	}

	fn earn(&mut self, payee: AccountId, amount: Balance) {
		*self.earnings.entry(payee).or_default() += amount;
	}

	/// Half is burned, the rest is the treasury's. Returns what was burned.
	fn burn_half(&mut self, amount: Balance) -> Balance {
		let burned = amount / 2;
		self.issuance -= burned;
		self.earn(TREASURY, amount - burned);
		burned
	}

	fn fill_audit_pot(&mut self, amount: Balance) {
		self.audit_pot += amount;
		// Nothing comes in: nobody looks at the debts.
		if amount > 0 {
			self.work_off_debts();
		}
	}

	fn work_off_debts(&mut self) {
		for _ in 0..MAX_DEBTS_AT_ONCE {
			let Some((judge, owed)) = self.debts.pop_front() else {
				return;
			};
			let paid = owed.min(self.audit_pot);
			self.audit_pot -= paid;
			self.earn(judge, paid);
			if paid < owed {
				return self.debts.push_front((judge, owed - paid));
			}
		}
	}
}
