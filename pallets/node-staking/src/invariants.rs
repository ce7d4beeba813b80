//! What must hold after every block. Always compiled, so that every test checks it.

use crate::{
	bond_tree::{fits, position, total, Sums},
	pallet::{
		BondTree, BondTreeShape, Config, CurrentSession, Delegations, FirstSession, FormerGenerations, HoldReason,
		NextNodeId, NodeOf, NodeOfWorker, Nodes, OpeningSessions, Pallet, Pledges, Pools, Slashes, Standings,
	},
	pool_types::PoolRecord,
	types::Pledge,
	MAX_COMMISSION_RISE, MAX_SLOTS,
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use frame_election_provider_support::SortedListProvider;
use frame_support::{ensure, traits::fungible::InspectHold};
use highway_math::{
	pool::{Pool, MAX_POINTS_PER_UNIT},
	reliability::ONE,
};
use highway_primitives::{traits::MarketClock, Balance, EpochIndex, NodeId};
use sp_runtime::{traits::Saturating, TryRuntimeError};

/// What the delegations with one node say of its pool.
#[derive(Default)]
struct Claims {
	active: u128,
	unbonding: u128,
	earned: Balance,
	unclaimed: Balance,
}

impl<T: Config> Pallet<T> {
	/// Checks every invariant; the first one that is broken is the error. Reads all of the pallet's storage: for tests and
	/// try-runtime only.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_bonds()?;
		Self::check_pot()?;
		Self::check_indices()?;
		Self::check_list()?;
		Self::check_tree()?;
		Self::check_records()?;
		Self::check_standings()?;
		Self::check_pledges()?;
		Self::check_sessions()?;
		Self::check_pools()?;
		Self::check_delegations()
	}

	/// What is held of an operator is its bond and what is unbonding, to the last unit; no more is reserved for jobs than
	/// is bonded; and as long as a job lacks security all of the bond is reserved.
	fn check_bonds() -> Result<(), TryRuntimeError> {
		for (id, record) in Nodes::<T>::iter() {
			let held = T::Currency::balance_on_hold(&HoldReason::Bond.into(), &record.operator);
			ensure!(
				Some(held) == record.bond.checked_add(record.unbonding_total()),
				"what is held is not bond and unbonding"
			);
			let standing = Standings::<T>::get(id).ok_or("a node has no standing")?;
			ensure!(standing.reserved <= record.bond, "more is reserved than is bonded");
			ensure!(
				standing.unsecured == 0 || standing.reserved == record.bond,
				"a job lacks security that is there"
			);
		}
		Ok(())
	}

	/// The pot holds its existential deposit, all delegated stake and all rewards. It may hold more: anybody can send coins
	/// to an account, and that must not raise an alarm. Of its own doing the surplus is always 0.
	fn check_pot() -> Result<(), TryRuntimeError> {
		ensure!(Self::pot_surplus().is_some(), "the pot holds less than it owes");
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
		ensure!(
			Slashes::<T>::iter_keys().all(Nodes::<T>::contains_key),
			"slashes are kept of a node that is gone"
		);
		Ok(())
	}

	/// Exactly the operators with a bond that are not chilled are in the list, by their bond and what is delegated.
	fn check_list() -> Result<(), TryRuntimeError> {
		let mut listed = 0u32;
		for (id, record) in Nodes::<T>::iter() {
			ensure!(
				T::VoterList::contains(&record.operator) == record.is_listed(),
				"the list disagrees with bond and chill"
			);
			if record.is_listed() {
				listed = listed.saturating_add(1);
				let score = T::VoterList::get_score(&record.operator).map_err(|_| "a listed operator has no score")?;
				ensure!(score == Self::total_stake(id, &record), "a score is not the stake");
			}
		}
		ensure!(T::VoterList::count() == listed, "the list has operators without a node");
		Ok(())
	}

	/// The tree of bonds is what all bonds that count would make, item by item, and knows how many they are.
	fn check_tree() -> Result<(), TryRuntimeError> {
		let shape = BondTreeShape::<T>::get();
		let mut items = BTreeMap::<(u8, NodeId), Sums>::new();
		let mut active = 0u32;
		for (id, record) in Nodes::<T>::iter().filter(|(_, record)| record.leaf() > 0) {
			ensure!(fits(id, shape.levels), "the tree has no place for a node");
			active = active.saturating_add(1);
			for level in 0..shape.levels {
				let (index, slot) = position(id, level);
				let sum = items.entry((level, index)).or_default().get_mut(slot);
				let sum = sum.ok_or("an item of the tree has too few places")?;
				*sum = sum.saturating_add(record.leaf());
			}
		}
		ensure!(active == shape.active, "the tree miscounts those with a bond");
		ensure!(
			BondTree::<T>::iter_keys().count() == items.len(),
			"the tree has items that stand for nothing"
		);
		for (key, item) in items {
			ensure!(
				BondTree::<T>::get(key) == item && total(&item) > 0,
				"a sum in the tree is wrong"
			);
		}
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
			ensure!(
				standing.slots <= standing.declared && standing.declared <= MAX_SLOTS,
				"a node has more slots than declared or than a node may have"
			);
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

	/// Pledges are of nodes that are there, one for an epoch and none for a later one than whose asks are being opened; no model
	/// is named twice. Only what is pledged can lapse, once, and in no epoch that is to come.
	fn check_pledges() -> Result<(), TryRuntimeError> {
		let (epoch, _) = T::Clock::epoch();
		let last = Self::last_opened();
		for (id, pledges) in Pledges::<T>::iter() {
			ensure!(Nodes::<T>::contains_key(id), "a pledge is kept of a node that is gone");
			let epochs = pledges.iter().map(|pledge| pledge.epoch).collect::<BTreeSet<_>>();
			ensure!(
				!pledges.is_empty() && epochs.len() == pledges.len(),
				"pledges are kept for nothing, or two for an epoch"
			);
			for pledge in &pledges {
				ensure!(
					pledge.epoch <= last,
					"a pledge is kept for an epoch whose asks nobody opens"
				);
				ensure!(
					pledge.epoch <= epoch || pledge.lapsed.is_empty(),
					"a node has lapsed in an epoch that is to come"
				);
				Self::check_models(pledge)?;
			}
		}
		Ok(())
	}

	fn check_models(pledge: &Pledge<T>) -> Result<(), TryRuntimeError> {
		let models = pledge.models.iter().collect::<BTreeSet<_>>();
		ensure!(
			models.len() == pledge.models.len(),
			"a node has pledged itself for a model twice"
		);
		let lapsed = pledge.lapsed.iter().map(|(model, _)| model).collect::<BTreeSet<_>>();
		ensure!(
			lapsed.len() == pledge.lapsed.len() && lapsed.is_subset(&models),
			"a node let a model down twice, or one for which it was not eligible"
		);
		Ok(())
	}

	/// The sessions in which an epoch began, and in which asks for one began to be opened, are none that is to come, and one for
	/// an epoch.
	fn check_sessions() -> Result<(), TryRuntimeError> {
		let (epoch, _) = T::Clock::epoch();
		let present = CurrentSession::<T>::get();
		if let Some((of, session)) = FirstSession::<T>::get() {
			ensure!(
				of <= epoch && session <= present,
				"an epoch began in a session that is to come"
			);
		}
		let last = Self::last_opened();
		let sessions = OpeningSessions::<T>::get();
		let epochs = sessions.iter().map(|(of, _)| *of).collect::<BTreeSet<_>>();
		ensure!(
			epochs.len() == sessions.len() && sessions.iter().all(|(of, session)| *of <= last && *session <= present),
			"asks began to be opened twice, or in a session that is to come"
		);
		Ok(())
	}

	/// The last epoch for which asks were opened.
	fn last_opened() -> EpochIndex {
		let (epoch, _) = T::Clock::epoch();
		T::Clock::opening().map_or(epoch, |(coming, _)| coming)
	}

	/// A pool stays with its node, or as long as somebody has something in it; its points have their worth; and a commission
	/// rises no faster than it may.
	fn check_pools() -> Result<(), TryRuntimeError> {
		for (id, pool) in Pools::<T>::iter() {
			ensure!(
				Nodes::<T>::contains_key(id) || !pool.is_empty(),
				"a pool in which nobody has anything outlived its node"
			);
			ensure!(
				has_worth(&pool.active) && has_worth(&pool.unbonding),
				"points of a pool are worth too much or too little"
			);
			if let Some((share, _)) = pool.commission.announced {
				let rise = share.saturating_sub(pool.commission.share);
				ensure!(rise <= MAX_COMMISSION_RISE, "a commission rises too much at once");
			}
			let former = FormerGenerations::<T>::iter_prefix(id).collect::<Vec<_>>();
			ensure!(
				former
					.iter()
					.all(|(generation, former)| former.points > 0 && *generation < pool.active.generation),
				"a former generation is empty or not over"
			);
			let points = former
				.iter()
				.fold(0, |sum: u128, (_, former)| sum.saturating_add(former.points));
			ensure!(points == pool.former_points, "former points are miscounted");
		}
		Ok(())
	}

	/// The points of a pool are those of its delegations; no more is earned than was shared; and what is written down as
	/// claimable is the sum of what delegations say. No delegation is kept for nothing.
	fn check_delegations() -> Result<(), TryRuntimeError> {
		let mut claims = BTreeMap::<NodeId, Claims>::new();
		let mut former = BTreeMap::<(NodeId, u32), u128>::new();
		for (_, id, delegation) in Delegations::<T>::iter() {
			ensure!(!delegation.is_empty(), "a delegation is empty");
			let pool = Pools::<T>::get(id);
			let claims = claims.entry(id).or_default();
			let points = pool.active.points_of(&delegation.part);
			claims.active = claims.active.saturating_add(points);
			if points == 0 && delegation.part.points > 0 {
				let points = former.entry((id, delegation.part.generation)).or_default();
				*points = points.saturating_add(delegation.part.points);
			}
			claims.earned = claims.earned.saturating_add(Self::earned(id, &pool, &delegation));
			claims.unclaimed = claims.unclaimed.saturating_add(delegation.unclaimed);
			let mut last = None;
			for leaving in &delegation.unbonding {
				ensure!(leaving.part.points > 0, "a part on its way out has no points");
				ensure!(last < Some(leaving.session), "parts on their way out are out of order");
				last = Some(leaving.session);
				let points = pool.unbonding.points_of(&leaving.part);
				claims.unbonding = claims.unbonding.saturating_add(points);
			}
		}
		for (id, pool) in Pools::<T>::iter() {
			Self::check_claims(&pool, claims.remove(&id).unwrap_or_default())?;
		}
		// Parts on their way out that a slash made worthless may outlive the pool until their owners clear them away.
		ensure!(
			claims
				.values()
				.all(|claims| claims.active == 0 && claims.unclaimed == 0),
			"a delegation has something in a pool that is not there"
		);
		ensure!(
			FormerGenerations::<T>::iter().count() == former.len()
				&& former
					.into_iter()
					.all(|((id, generation), points)| FormerGenerations::<T>::get(id, generation)
						.is_some_and(|former| former.points == points)),
			"a former generation is not that of its delegations"
		);
		Ok(())
	}

	fn check_claims(pool: &PoolRecord, claims: Claims) -> Result<(), TryRuntimeError> {
		ensure!(
			claims.active == pool.active.points && claims.unbonding == pool.unbonding.points,
			"a pool's points are not those of its delegations"
		);
		ensure!(claims.earned <= pool.unsettled, "more was earned than was shared");
		ensure!(
			claims.unclaimed == pool.unclaimed,
			"what can be claimed is not what delegations say"
		);
		Ok(())
	}
}

fn has_worth(pool: &Pool) -> bool {
	pool.stake <= pool.points && pool.points <= pool.stake.saturating_mul(MAX_POINTS_PER_UNIT)
}
