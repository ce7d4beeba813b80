//! What all money of a random market comes to, by its deals and how its jobs ended, and the bonds that follow from it. Asks the
//! pallet for no sum and no bill.

use super::*;
use crate::pallet::{Books, Clearings, StoragePay};
use frame_support::assert_ok;
use std::collections::BTreeMap;

/// The places of one role in one epoch.
struct Places {
	count: Balance,
	/// By jobs that were settled.
	paid: Balance,
}

/// Who has what, and who will have it.
#[derive(Default)]
pub(super) struct Ledger {
	issuance: Balance,
	/// What lies on the accounts of all who pay or are paid; of operators, the bonds of their nodes.
	coins: BTreeMap<AccountId, Balance>,
	/// What they may claim.
	earned: BTreeMap<AccountId, Balance>,
	/// What they may when it is proved that they store the model.
	stored: BTreeMap<AccountId, Balance>,
	/// The prices of open jobs.
	escrow: Balance,
	audit_pot: Balance,
	/// Of all epochs that were cleared.
	places: BTreeMap<(AskRole, EpochIndex), Places>,
}

impl Ledger {
	/// Nothing is ordered, earned or lost yet, and nobody else will be paid.
	pub(super) fn of(accounts: impl Iterator<Item = AccountId>) -> Self {
		Self {
			issuance: Balances::total_issuance(),
			coins: accounts
				.map(|account| (account, Balances::free_balance(account)))
				.collect(),
			..Default::default()
		}
	}

	/// The price of the job is paid.
	pub(super) fn opened(&mut self, deal: &Deal<AccountId>) {
		*self.coins_of(PAYER) -= deal.price;
		self.escrow += deal.price;
	}

	/// All lines are paid, but the premium of a job that nobody was asked to audit.
	pub(super) fn settled(&mut self, deal: &Deal<AccountId>, executor: NodeId, audited: bool) {
		let executor = operator_of(executor);
		let mut lines = deal.compute;
		self.earn(executor, deal.compute);
		self.note_paid(AskRole::Compute, deal.epoch, deal.compute);
		for royalty in TestRoyalties::get() {
			let amount = royalty.per_unit * Balance::from(deal.units);
			lines += amount;
			self.earn(royalty.payee, amount);
		}
		if let Some((node, amount)) = deal.storage {
			lines += amount;
			add(&mut self.stored, operator_of(node), amount);
			self.note_paid(AskRole::Storage, deal.epoch, amount);
		}
		// Of 5 % on top, half is burned, and half of that minted again.
		let fee = lines.div_ceil(20);
		let burned = fee / 2;
		let minted = burned / 2;
		self.earn(TREASURY, fee - burned);
		self.earn(executor, minted);
		self.issuance -= burned - minted;
		assert_eq!(deal.price, lines + fee + deal.premium);
		let back = if audited { 0 } else { deal.premium };
		self.audit_pot += deal.premium - back;
		self.end(deal, back);
	}

	/// The payer has everything back.
	pub(super) fn refunded(&mut self, deal: &Deal<AccountId>) {
		self.end(deal, deal.price);
	}

	/// A fifth of the compute line is shared by the reporters, the payer has the rest back.
	pub(super) fn failed(&mut self, deal: &Deal<AccountId>, reporters: &[NodeId]) {
		let count = reporters.len() as Balance;
		let part = (deal.compute / 5).checked_div(count).unwrap_or(0);
		for node in reporters {
			self.earn(operator_of(*node), part);
		}
		self.end(deal, deal.price - part * count);
	}

	/// What no payer does: an epoch is cleared, a bond is reserved, or lost.
	pub(super) fn note(&mut self, event: &Event<Test>) {
		match *event {
			Event::Cleared { epoch, .. } => {
				let record = Clearings::<Test>::get(MODEL, epoch).unwrap();
				for (role, winners) in [(AskRole::Compute, record.executors), (AskRole::Storage, record.storage)] {
					let count = winners.len() as Balance;
					self.places.insert((role, epoch), Places { count, paid: 0 });
				}
			}
			Event::AskCommitted { role, bond, .. } => assert_eq!(bond, self.bond(role)),
			Event::AskForfeited {
				node, amount, burned, ..
			} => {
				assert_eq!(burned, amount / 2);
				*self.coins_of(operator_of(node)) -= amount;
				self.earn(TREASURY, amount - burned);
				self.issuance -= burned;
			}
			_ => (),
		}
	}

	/// Every coin is where it should be.
	pub(super) fn check(&self) {
		assert_eq!(Balances::total_issuance(), self.issuance);
		for (account, coins) in &self.coins {
			assert_eq!(Balances::free_balance(account), *coins, "of {account}");
		}
		let earned: BTreeMap<_, _> = Split::earnings().into_iter().collect();
		assert_eq!(earned, self.earned);
		let stored: BTreeMap<_, _> = StoragePay::<Test>::iter()
			.map(|(account, _, pending)| (account, pending.amount))
			.collect();
		assert_eq!(stored, self.stored);
		let books = Books::<Test>::get();
		assert_eq!(
			(books.obligations, books.audit_pot, books.bonds),
			(self.escrow, self.audit_pot, 0)
		);
		let due: Balance = self.earned.values().chain(self.stored.values()).sum();
		assert_eq!(pot_balance(), ED + due + self.escrow + self.audit_pot);
	}

	/// Everybody claims what it may: nothing stays behind but what there is for audits.
	pub(super) fn pay_out(mut self) {
		for (operator, amount) in core::mem::take(&mut self.stored) {
			assert_ok!(Split::claim_storage_pay(RuntimeOrigin::signed(operator), MODEL));
			self.earn(operator, amount);
		}
		for (account, amount) in core::mem::take(&mut self.earned) {
			assert_ok!(Split::claim(RuntimeOrigin::signed(account)));
			*self.coins_of(account) += amount;
		}
		self.check();
		assert_eq!(pot_balance(), ED + self.audit_pot);
	}

	/// What is reserved for a commitment now: the better of what a place was paid in the two latest epochs that are over and
	/// were cleared.
	fn bond(&self, role: AskRole) -> Balance {
		let over = self.places.range((role, 0)..(role, Split::current_epoch()));
		over.rev()
			.take(2)
			.map(|(_, places)| places.paid.div_ceil(places.count.max(1)))
			.fold(BOND, Balance::max)
	}

	fn coins_of(&mut self, account: AccountId) -> &mut Balance {
		self.coins.get_mut(&account).unwrap()
	}

	fn earn(&mut self, account: AccountId, amount: Balance) {
		add(&mut self.earned, account, amount);
	}

	fn note_paid(&mut self, role: AskRole, epoch: EpochIndex, amount: Balance) {
		self.places.get_mut(&(role, epoch)).unwrap().paid += amount;
	}

	/// The job is over, and so much of its price is the payer's again.
	fn end(&mut self, deal: &Deal<AccountId>, back: Balance) {
		self.escrow -= deal.price;
		*self.coins_of(PAYER) += back;
	}
}

/// What is nothing leaves no entry.
fn add(due: &mut BTreeMap<AccountId, Balance>, account: AccountId, amount: Balance) {
	if amount > 0 {
		*due.entry(account).or_default() += amount;
	}
}
