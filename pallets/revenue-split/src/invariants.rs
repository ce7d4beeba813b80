//! What must hold after every block.

use crate::{
	pallet::{
		Asks, Books, Clearings, CommitmentPlaces, CommitmentQueues, Commitments, Config, Curators, Debts, Earnings,
		HoldReason, LastCleared, Markets, Pallet, StoragePay, StoredAt, StoredCount, StoredModels, Summaries,
		SummarisedEpochs,
	},
	types::{Ask, AskRole, CommitmentQueue, MAX_ASKS},
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{
	ensure,
	traits::{fungible::InspectHold, Get},
};
use highway_primitives::{traits::Nodes, Balance, ModelId, NodeId};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant. Reads all of the pallet's storage: for tests and try-runtime only.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_pot()?;
		Self::check_earnings()?;
		Self::check_storage_pay()?;
		Self::check_debts()?;
		Self::check_clearings()?;
		Self::check_markets()?;
		Self::check_summaries()?;
		Self::check_stored_models()?;
		Self::check_asks()?;
		Self::check_commitments()?;
		Self::check_bonds()?;
		Self::check_curators()
	}

	/// What is reserved of each node's own bond for its asks and commitments. Reads all of them: for tests and try-runtime
	/// only.
	pub fn ask_bonds() -> BTreeMap<NodeId, Balance> {
		let mut bonds = BTreeMap::<NodeId, Balance>::new();
		let asks = Asks::<T>::iter_values().flatten().map(|ask| (ask.node, ask.bond));
		let commitments = Commitments::<T>::iter_values().map(|commitment| (commitment.node, commitment.bond));
		for (node, bond) in asks.chain(commitments).filter(|(_, bond)| *bond > 0) {
			let sum = bonds.entry(node).or_default();
			*sum = sum.saturating_add(bond);
		}
		bonds
	}

	/// The pot holds its existential deposit, all earnings, the prices of all open jobs, what is there for audits, all bonds
	/// of payers, and pay for storage that waits. It may hold more: anybody can send coins to an account, and that must not
	/// raise an alarm. Of its own doing the surplus is always 0.
	fn check_pot() -> Result<(), TryRuntimeError> {
		ensure!(Self::pot_surplus().is_some(), "the pot holds less than it owes");
		Ok(())
	}

	/// The total is the sum of the earnings and the treasury's part, and none of them is an empty entry, or the treasury's.
	fn check_earnings() -> Result<(), TryRuntimeError> {
		let books = Books::<T>::get();
		let mut total = books.treasury;
		for (account, earned) in Earnings::<T>::iter() {
			ensure!(earned > 0, "an entry of earnings is empty");
			ensure!(account != T::Treasury::get(), "the treasury has an entry of earnings");
			total = total.checked_add(earned).ok_or("earnings are beyond all money")?;
		}
		ensure!(total == books.earnings, "the total of earnings is not their sum");
		Ok(())
	}

	/// The total is the sum of what waits, none of it is an empty entry or was earned in a block to come.
	fn check_storage_pay() -> Result<(), TryRuntimeError> {
		let mut total: Balance = 0;
		for (_, _, pending) in StoragePay::<T>::iter() {
			ensure!(pending.amount > 0, "an entry of pay for storage is empty");
			ensure!(pending.since <= Self::now(), "pay waits since a block to come");
			total = total
				.checked_add(pending.amount)
				.ok_or("pay for storage is beyond all money")?;
		}
		ensure!(
			total == Books::<T>::get().storage_pay,
			"the total of pay for storage is not its sum"
		);
		Ok(())
	}

	/// Every debt between the first and the next one is there and owes something, and there are no others.
	fn check_debts() -> Result<(), TryRuntimeError> {
		let books = Books::<T>::get();
		let (first, next) = (books.first_debt, books.next_debt);
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

	/// Reserves lie between their bounds, of compute one is there exactly when a job came, and of storage none before, nor whom a
	/// job was given to; no epoch that is known is to come.
	fn check_markets() -> Result<(), TryRuntimeError> {
		let now = Self::current_epoch();
		let bounds = T::MinReserve::get()..=T::MaxAsk::get();
		for state in Markets::<T>::iter_values() {
			let mut reserves = AskRole::ALL.iter().filter_map(|role| state.reserve(*role));
			ensure!(
				reserves.all(|reserve| bounds.contains(&reserve)),
				"a reserve lies outside its bounds"
			);
			let had_jobs = state.demand.jobs > 0;
			ensure!(
				state.compute_reserve.is_some() == had_jobs,
				"a reserve counts though nobody bought anything, or none though somebody did"
			);
			ensure!(
				state.storage_reserve.is_none() || had_jobs,
				"a reserve of storage counts though nobody bought anything"
			);
			ensure!(
				state.last_drawn.is_none() || had_jobs,
				"a job was given to somebody though none came"
			);
			let latest = state.latest.map(|latest| latest.epoch);
			let known = [latest, state.starved, Some(state.demand.epoch)];
			ensure!(
				known.into_iter().flatten().all(|epoch| epoch <= now),
				"a market knows an epoch to come"
			);
		}
		Ok(())
	}

	/// The summaries of a model are those of its noted epochs, in order, and there are no others.
	fn check_summaries() -> Result<(), TryRuntimeError> {
		let mut noted: usize = 0;
		for (model, epochs) in SummarisedEpochs::<T>::iter() {
			ensure!(
				epochs.is_sorted_by(|one, next| one < next),
				"summaries are out of order"
			);
			ensure!(
				epochs.iter().all(|epoch| Summaries::<T>::contains_key(model, epoch)),
				"a summary is missing"
			);
			noted = noted.saturating_add(epochs.len());
		}
		ensure!(
			noted == Summaries::<T>::iter_keys().count(),
			"a summary is kept that is not noted"
		);
		Ok(())
	}

	/// The list of stored models has no holes, each place is noted with its model, and each model has winners.
	fn check_stored_models() -> Result<(), TryRuntimeError> {
		let count = StoredCount::<T>::get();
		for index in 0..count {
			let stored = StoredModels::<T>::get(index).ok_or("the list of stored models has a hole")?;
			ensure!(
				StoredAt::<T>::get(stored.model) == Some(index),
				"a stored model is not where it is noted"
			);
			ensure!(
				!stored.winners.is_empty() && unique(&stored.winners),
				"a stored model has no winners, or one of them twice"
			);
		}
		let entries = [
			StoredModels::<T>::iter_keys().count(),
			StoredAt::<T>::iter_keys().count(),
		];
		ensure!(
			entries == [count as usize; 2],
			"the list of stored models is longer than noted"
		);
		Ok(())
	}

	/// A node asks once per model and role, no more asks hold in this epoch or the next than there are places, no book
	/// is stored empty, no change lies more than one epoch ahead, and there is a bond for none but those that have a place.
	fn check_asks() -> Result<(), TryRuntimeError> {
		let now = Self::current_epoch();
		for (_, _, book) in Asks::<T>::iter() {
			ensure!(!book.is_empty(), "an empty book of asks is stored");
			let nodes: BTreeSet<NodeId> = book.iter().map(|ask| ask.node).collect();
			ensure!(nodes.len() == book.len(), "a node asks twice");
			let holding = |price: &dyn Fn(&Ask) -> Option<Balance>| book.iter().filter_map(price).count();
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
				// One that has a place may have paid with its bond for another that it let down.
				ensure!(
					ask.bond == 0 || ask.upcoming().is_some(),
					"a bond is reserved for an ask that has no place"
				);
				ensure!(
					ask.upcoming().is_none_or(|price| price <= T::MaxAsk::get()),
					"an ask is above the highest one"
				);
			}
		}
		Ok(())
	}

	/// Every commitment lies in its model's queue, in the order of epochs, at the place that is noted for its node, for no
	/// epoch behind the next one, with a bond; the queue counts them, and begins with one or with a hole behind which there
	/// is one.
	fn check_commitments() -> Result<(), TryRuntimeError> {
		let next_epoch = Self::current_epoch().saturating_add(1);
		let mut queues = BTreeMap::<ModelId, CommitmentQueue>::new();
		let mut in_order = BTreeMap::new();
		let mut count: usize = 0;
		for (model, place, commitment) in Commitments::<T>::iter() {
			let queue = CommitmentQueues::<T>::get(model);
			ensure!(
				(queue.first..queue.next).contains(&place),
				"a commitment lies outside the queue"
			);
			ensure!(commitment.epoch <= next_epoch, "a commitment is for a later epoch");
			ensure!(commitment.bond > 0, "a commitment has no bond");
			ensure!(
				CommitmentPlaces::<T>::get(commitment.node, (model, commitment.role)) == Some(place),
				"a commitment is not where it is noted"
			);
			let counted = queues.entry(model).or_default().count_mut(commitment.role);
			*counted = counted.saturating_add(1);
			in_order.insert((model, place), commitment.epoch);
			count = count.saturating_add(1);
		}
		ensure!(
			count == CommitmentPlaces::<T>::iter_keys().count(),
			"a commitment is noted that is not there"
		);
		for (model, queue) in CommitmentQueues::<T>::iter() {
			let counted = queues.remove(&model).unwrap_or_default();
			ensure!(
				(counted.compute, counted.storage) == (queue.compute, queue.storage),
				"a queue does not count its commitments"
			);
			ensure!(queue.compute > 0 || queue.storage > 0, "an empty queue is stored");
			ensure!(
				in_order
					.range((model, 0)..=(model, u64::MAX))
					.map(|(_, epoch)| epoch)
					.is_sorted(),
				"a newer commitment lies before an older one"
			);
		}
		ensure!(queues.is_empty(), "a commitment lies in no queue");
		Ok(())
	}

	/// Whoever has a bond behind an ask or a commitment is still there: a node goes only when nothing of it is reserved.
	fn check_bonds() -> Result<(), TryRuntimeError> {
		for node in Self::ask_bonds().into_keys() {
			ensure!(T::Nodes::operator(node).is_some(), "a bond is of a node that is gone");
		}
		Ok(())
	}

	/// A stored profile has a name that can be shown and a fee within its bound, and its deposit is held.
	fn check_curators() -> Result<(), TryRuntimeError> {
		for (curator, record) in Curators::<T>::iter() {
			ensure!(
				!record.profile.name.is_empty() && record.profile.has_plain_text(),
				"a curator has no name, or one that cannot be shown"
			);
			ensure!(
				record.fee <= T::MaxCuratorFee::get(),
				"a curator's fee is above the highest one"
			);
			let held = T::Currency::balance_on_hold(&HoldReason::Curator.into(), &curator);
			ensure!(held >= record.deposit, "a curator's deposit is not held");
		}
		Ok(())
	}
}

fn unique(nodes: &[NodeId]) -> bool {
	nodes.iter().collect::<BTreeSet<_>>().len() == nodes.len()
}
