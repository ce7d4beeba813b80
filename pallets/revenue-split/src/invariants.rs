//! What must hold after every block.

use crate::{
	pallet::{
		Asks, Clearings, Config, CuratorFees, Debts, Earnings, FirstDebt, HoldReason, LastCleared, NextDebt, Pallet,
		TotalEarnings,
	},
	types::{Ask, MAX_ASKS},
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::fungible::InspectHold};
use highway_primitives::{Balance, NodeId};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant. Reads all of the pallet's storage: for tests and try-runtime only.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_pot()?;
		Self::check_earnings()?;
		Self::check_debts()?;
		Self::check_clearings()?;
		Self::check_asks()?;
		Self::check_curator_fees()
	}

	/// The pot holds its existential deposit, all earnings, the prices of all open jobs, what is there for audits, and all
	/// bonds. It may hold more: anybody can send coins to an account, and that must not raise an alarm. Of its own doing
	/// the surplus is always 0.
	fn check_pot() -> Result<(), TryRuntimeError> {
		ensure!(Self::pot_surplus().is_some(), "the pot holds less than it owes");
		Ok(())
	}

	/// The total is the sum of the earnings, and none of them is an empty entry.
	fn check_earnings() -> Result<(), TryRuntimeError> {
		let mut total: Balance = 0;
		for (_, earned) in Earnings::<T>::iter() {
			ensure!(earned > 0, "an entry of earnings is empty");
			total = total.checked_add(earned).ok_or("earnings are beyond all money")?;
		}
		ensure!(
			total == TotalEarnings::<T>::get(),
			"the total of earnings is not their sum"
		);
		Ok(())
	}

	/// Every debt between the first and the next one is there and owes something, and there are no others.
	fn check_debts() -> Result<(), TryRuntimeError> {
		let (first, next) = (FirstDebt::<T>::get(), NextDebt::<T>::get());
		ensure!(first <= next, "the first debt lies behind the last one");
		let mut count: u64 = 0;
		for (index, debt) in Debts::<T>::iter() {
			ensure!((first..next).contains(&index), "a debt lies outside the queue");
			ensure!(debt.amount > 0, "a debt is empty");
			count = count.saturating_add(1);
		}
		ensure!(count == next.saturating_sub(first), "a debt is missing in the queue");
		Ok(())
	}

	/// A clearing record has executors, names nobody twice in a role, is of no epoch to come, and is the model's latest
	/// unless a job refers to it. A latest record that is noted is there.
	fn check_clearings() -> Result<(), TryRuntimeError> {
		let now = Self::current_epoch();
		for (model, epoch, clearing) in Clearings::<T>::iter() {
			ensure!(!clearing.executors.is_empty(), "a clearing record has no executors");
			ensure!(unique(&clearing.executors), "an executor won twice");
			ensure!(unique(&clearing.storage), "a storage provider won twice");
			ensure!(epoch <= now, "a clearing record is of an epoch to come");
			let latest = LastCleared::<T>::get(model) == Some(epoch);
			ensure!(
				clearing.jobs > 0 || latest,
				"a clearing record is kept that no job refers to"
			);
		}
		for (model, epoch) in LastCleared::<T>::iter() {
			ensure!(
				Clearings::<T>::contains_key(model, epoch),
				"a model's latest clearing record is missing"
			);
		}
		Ok(())
	}

	/// A node asks once per model and role, no more asks hold in this epoch or the next than there are places, no book
	/// is stored empty, no change lies more than one epoch ahead, and what is held for asks is the sum of their deposits.
	fn check_asks() -> Result<(), TryRuntimeError> {
		let now = Self::current_epoch();
		let mut deposits = BTreeMap::<T::AccountId, Balance>::new();
		for (_, _, book) in Asks::<T>::iter() {
			ensure!(!book.is_empty(), "an empty book of asks is stored");
			let nodes: BTreeSet<NodeId> = book.iter().map(|ask| ask.node).collect();
			ensure!(nodes.len() == book.len(), "a node asks twice");
			let holding = |price: &dyn Fn(&Ask<T::AccountId>) -> Option<Balance>| book.iter().filter_map(price).count();
			ensure!(
				holding(&|ask| ask.effective(now)) <= MAX_ASKS as usize,
				"too many asks hold now"
			);
			ensure!(
				holding(&Ask::upcoming) <= MAX_ASKS as usize,
				"too many asks hold from the next epoch on"
			);
			for ask in &book {
				let from = ask.next.map_or(0, |(from, _)| from);
				ensure!(
					from <= now.saturating_add(1),
					"an ask changes later than in the next epoch"
				);
				ensure!(
					ask.deposit.is_some() == ask.upcoming().is_some(),
					"a deposit is held exactly for an ask that has a place"
				);
				if let Some((operator, deposit)) = &ask.deposit {
					let sum = deposits.entry(operator.clone()).or_default();
					*sum = sum.saturating_add(*deposit);
				}
			}
		}
		for (operator, sum) in deposits {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Ask.into(), &operator) == sum,
				"an operator's deposits for asks are not what is held"
			);
		}
		Ok(())
	}

	/// A stored fee is a fee, and its deposit is held.
	fn check_curator_fees() -> Result<(), TryRuntimeError> {
		for (curator, posted) in CuratorFees::<T>::iter() {
			ensure!(posted.fee > 0, "a curator's fee of zero is stored");
			let held = T::Currency::balance_on_hold(&HoldReason::CuratorFee.into(), &curator);
			ensure!(held >= posted.deposit, "a curator's deposit is not held");
		}
		Ok(())
	}
}

fn unique(nodes: &[NodeId]) -> bool {
	nodes.iter().collect::<BTreeSet<_>>().len() == nodes.len()
}
