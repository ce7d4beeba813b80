//! What must hold after every block. Always compiled, so that every test checks it.

use crate::{
	pallet::{Config, CurrentSession, HoldReason, NextNodeId, NodeOf, NodeOfWorker, Nodes, Pallet, Standings},
	MAX_SLOTS,
};
use alloc::collections::BTreeSet;
use frame_election_provider_support::SortedListProvider;
use frame_support::{ensure, traits::fungible::hold::Inspect};
use highway_math::reliability::ONE;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant; the first one that is broken is the error.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_money()?;
		Self::check_indices()?;
		Self::check_list()?;
		Self::check_records()?;
		Self::check_standings()
	}

	/// What is held of an operator is its bond and what is unbonding, to the last unit; and no more is reserved for jobs
	/// than is bonded.
	fn check_money() -> Result<(), TryRuntimeError> {
		for (id, record) in Nodes::<T>::iter() {
			let held = T::Currency::balance_on_hold(&HoldReason::Bond.into(), &record.operator);
			ensure!(
				Some(held) == record.bond.checked_add(record.unbonding_total()),
				"what is held is not bond and unbonding"
			);
			let standing = Standings::<T>::get(id).ok_or("a node has no standing")?;
			ensure!(standing.reserved <= record.bond, "more is reserved than is bonded");
		}
		Ok(())
	}

	/// Nodes, standings, operators and worker keys name each other, one to one, and no id was given that is still to come.
	fn check_indices() -> Result<(), TryRuntimeError> {
		let mut nodes = 0usize;
		for (id, record) in Nodes::<T>::iter() {
			nodes = nodes.saturating_add(1);
			ensure!(id < NextNodeId::<T>::get(), "a node has an id that was not given");
			ensure!(
				NodeOf::<T>::get(&record.operator) == Some(id),
				"an operator does not name its node"
			);
			ensure!(
				NodeOfWorker::<T>::get(&record.worker) == Some(id),
				"a worker key does not name its node"
			);
		}
		ensure!(Standings::<T>::iter_keys().count() == nodes, "a standing has no node");
		ensure!(NodeOf::<T>::iter_keys().count() == nodes, "an operator has no node");
		ensure!(
			NodeOfWorker::<T>::iter_keys().count() == nodes,
			"a worker key has no node"
		);
		Ok(())
	}

	/// Exactly the operators with a bond that are not chilled are in the list, by their bond.
	fn check_list() -> Result<(), TryRuntimeError> {
		let mut listed = 0u32;
		for (_, record) in Nodes::<T>::iter() {
			ensure!(
				T::VoterList::contains(&record.operator) == record.is_listed(),
				"the list disagrees with bond and chill"
			);
			if record.is_listed() {
				listed = listed.saturating_add(1);
				let score = T::VoterList::get_score(&record.operator).map_err(|_| "a listed operator has no score")?;
				ensure!(score == record.bond, "a score is not the bond");
			}
		}
		ensure!(T::VoterList::count() == listed, "the list has operators without a node");
		Ok(())
	}

	/// Unbonding chunks are not empty and leave in order; a model is hosted once.
	fn check_records() -> Result<(), TryRuntimeError> {
		for (_, record) in Nodes::<T>::iter() {
			ensure!(
				record.unbonding.iter().all(|chunk| chunk.amount > 0),
				"an unbonding chunk is empty"
			);
			let sessions = record.unbonding.iter().map(|chunk| chunk.session);
			ensure!(
				sessions
					.clone()
					.zip(sessions.skip(1))
					.all(|(earlier, later)| earlier < later),
				"unbonding chunks are out of order"
			);
			let distinct = record.hosted.iter().collect::<BTreeSet<_>>();
			ensure!(distinct.len() == record.hosted.len(), "a model is hosted twice");
		}
		Ok(())
	}

	/// Nothing is heard from the future; slots and the jobs in them are bounded, and so are the counts of outcomes.
	fn check_standings() -> Result<(), TryRuntimeError> {
		let session = CurrentSession::<T>::get();
		for (_, standing) in Standings::<T>::iter() {
			ensure!(
				standing.last_heartbeat.is_none_or(|heard| heard <= session),
				"a heartbeat is from the future"
			);
			ensure!(standing.live_since <= session, "a node is live since the future");
			ensure!(standing.slots <= MAX_SLOTS, "a node has more slots than allowed");
			ensure!(
				standing.assigned <= MAX_SLOTS.into(),
				"a node has more jobs than a node may have slots"
			);
			let most = ONE.saturating_mul(50);
			ensure!(
				standing.reliability.good <= most && standing.reliability.bad <= most,
				"outcomes count more than they can"
			);
		}
		Ok(())
	}
}
