//! Keeps the list of candidates, the tree of bonds and what nodes have pledged in step with the records: every change of a bond
//! or a chill goes through here.

use crate::{
	bond_tree::Tree,
	pallet::{Config, CurrentSession, Nodes, Pallet, Pools, Standings},
	pledges::Ability,
	types::NodeRecordOf,
};
use frame_election_provider_support::SortedListProvider;
use frame_support::traits::{Defensive, Get};
use highway_primitives::{Balance, NodeId};

/// What list and tree know of a record that is about to change.
pub(crate) struct Footing {
	bonded: bool,
	listed: bool,
	active: bool,
	leaf: Balance,
}

impl<T: Config> Pallet<T> {
	/// Taken before a change, for [`Self::put_node`].
	pub(crate) fn footing(record: &NodeRecordOf<T>) -> Footing {
		Footing {
			bonded: record.bond > 0,
			listed: record.is_listed(),
			active: record.is_active(),
			leaf: record.leaf(),
		}
	}

	/// Writes a changed record, and into list and tree what it says now.
	pub(crate) fn put_node(node: NodeId, mut record: NodeRecordOf<T>, before: Footing) {
		if before.bonded && record.bond == 0 {
			record.exposed_until = CurrentSession::<T>::get().saturating_add(T::BondingSessions::get());
		}
		let operator = &record.operator;
		if record.is_listed() {
			let stake = Self::total_stake(node, &record);
			let _ = match before.listed {
				true => T::VoterList::on_update(operator, stake),
				false => T::VoterList::on_insert(operator.clone(), stake),
			}
			.defensive();
		} else if before.listed {
			let _ = T::VoterList::on_remove(operator).defensive();
		}
		if record.leaf() != before.leaf {
			Tree::<T>::set(node, record.leaf());
		}
		if record.is_active() != before.active {
			// A node that registers has none yet, and hosts nothing.
			let standing = Standings::<T>::get(node).unwrap_or_default();
			let now = Ability::of::<T>(&record, &standing);
			let active = before.active;
			Self::keep_pledges(node, Ability { active, ..now }, now);
		}
		Nodes::<T>::insert(node, record);
	}

	/// Writes into the list that others have `delegated` so much now.
	pub(crate) fn rescore(record: &NodeRecordOf<T>, delegated: Balance) {
		if record.is_listed() {
			let stake = record.bond.saturating_add(delegated);
			let _ = T::VoterList::on_update(&record.operator, stake).defensive();
		}
	}

	/// What elects a node: its operator's bond and what others delegated to it.
	pub(crate) fn total_stake(node: NodeId, record: &NodeRecordOf<T>) -> Balance {
		record.bond.saturating_add(Pools::<T>::get(node).active.stake)
	}
}
