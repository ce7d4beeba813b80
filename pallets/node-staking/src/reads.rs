//! What others ask about nodes, and what jobs take from them and give back.

use crate::{
	bond_tree::Tree,
	pallet::{
		Config, CurrentSession, Error, NextNodeId, NodeOf, NodeOfWorker, Nodes, Pallet, Pools, Slashes, Standings,
	},
	pool_types::PoolRecord,
	types::{NodeRecordOf, SlashTotals, Standing},
	MAX_PAGE,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	defensive,
	dispatch::DispatchResult,
	ensure,
	traits::{Defensive, Get},
};
use highway_math::audit::JUDGE_TRIES;
use highway_primitives::{
	audit::{DrawnJudge, SketchSeed},
	node::Contact,
	traits, Balance, BlockNumber, DeviceClass, ModelId, NodeId, WorkerId,
};
use sp_runtime::Perbill;

/// Ids looked at for one page. Nodes that left make holes; a longer hole ends the page, and the next goes on in it.
pub(crate) const MAX_LOOKED_AT: u32 = 4096;

/// Separates the draws of judges from other hashes.
const JUDGE_DOMAIN: &[u8; 15] = b"highway/judge/1";

impl<T: Config> Pallet<T> {
	/// The node, as its operator describes it and as it does.
	pub fn node(id: NodeId) -> Option<(NodeRecordOf<T>, Standing)> {
		Some((Nodes::<T>::get(id)?, Standings::<T>::get(id)?))
	}

	/// The node with this worker key.
	pub fn node_of_worker(worker: &WorkerId) -> Option<NodeId> {
		NodeOfWorker::<T>::get(worker)
	}

	/// How to reach the node.
	pub fn contact(id: NodeId) -> Option<Contact> {
		let record = Nodes::<T>::get(id)?;
		Some(Contact {
			node: id,
			peer_id: record.peer_id.into_inner(),
			addresses: record
				.addresses
				.into_iter()
				.map(|address| address.into_inner())
				.collect(),
		})
	}

	/// Whether the node may take jobs now, as far as bond, chill, liveness, health and that it sells slots say. Free slots,
	/// hosted models and free bond depend on the job.
	pub fn is_eligible(id: NodeId) -> bool {
		Self::node(id).is_some_and(|(record, standing)| Self::may_work(&record, &standing))
	}

	/// Whether the node was silent for so long that only its operator can bring it back.
	pub fn is_jailed(id: NodeId) -> bool {
		let session = CurrentSession::<T>::get();
		Standings::<T>::get(id).is_some_and(|standing| standing.is_jailed(session))
	}

	/// Whether a heartbeat of this session is missing and would be accepted.
	pub fn heartbeat_due(id: NodeId) -> bool {
		let session = CurrentSession::<T>::get();
		Self::node(id).is_some_and(|(record, standing)| {
			standing.last_heartbeat != Some(session) && !standing.is_jailed(session) && record.bond >= T::MinBond::get()
		})
	}

	/// What others have put behind the node, and what it earned for them and for its operator. Default if there is nothing.
	pub fn pool(id: NodeId) -> PoolRecord {
		Pools::<T>::get(id)
	}

	/// The share of its delegators' rewards that the node's operator takes now.
	pub fn commission(id: NodeId) -> Perbill {
		Pools::<T>::get(id).commission.at(CurrentSession::<T>::get())
	}

	/// What was taken for the node's faults so far.
	pub fn slashed(id: NodeId) -> SlashTotals {
		Slashes::<T>::get(id)
	}

	/// The current session.
	pub fn current_session() -> u32 {
		CurrentSession::<T>::get()
	}

	/// Ids of nodes from `from` on, in order: at most `limit` and at most [`MAX_PAGE`]; and the id from which to go on,
	/// `None` at the end.
	pub fn ids_from(from: NodeId, limit: u32) -> (Vec<NodeId>, Option<NodeId>) {
		let last = NextNodeId::<T>::get();
		let end = last.min(from.saturating_add(MAX_LOOKED_AT));
		let limit = limit.min(MAX_PAGE) as usize;
		let ids: Vec<NodeId> = (from..end)
			.filter(|id| Nodes::<T>::contains_key(id))
			.take(limit)
			.collect();
		// A full page ends at its last id, another one where nobody looked yet.
		let next = match ids.len() == limit {
			true => ids.last().map_or(from, |id| id.saturating_add(1)),
			false => end,
		};
		(ids, (next < last).then_some(next))
	}

	fn may_work(record: &NodeRecordOf<T>, standing: &Standing) -> bool {
		record.is_active() && standing.is_able(CurrentSession::<T>::get())
	}

	/// Reserves `security` of a bond that has so much free.
	fn reserve_bond(record: &NodeRecordOf<T>, standing: &mut Standing, security: Balance) -> DispatchResult {
		let reserved = standing
			.reserved
			.checked_add(security)
			.ok_or(Error::<T>::BondReserved)?;
		ensure!(reserved <= record.bond, Error::<T>::BondReserved);
		standing.reserved = reserved;
		Ok(())
	}

	fn with_standing(id: NodeId, change: impl FnOnce(&mut Standing)) {
		Standings::<T>::mutate(id, |standing| match standing {
			Some(standing) => change(standing),
			None => {
				defensive!("a job outlived its node");
			}
		})
	}
}

impl<T: Config> traits::Nodes<T::AccountId> for Pallet<T> {
	fn operator(node: NodeId) -> Option<T::AccountId> {
		Some(Nodes::<T>::get(node)?.operator)
	}

	fn node_of(operator: &T::AccountId) -> Option<NodeId> {
		NodeOf::<T>::get(operator)
	}

	fn worker(node: NodeId) -> Option<WorkerId> {
		Some(Nodes::<T>::get(node)?.worker)
	}

	fn hosts(node: NodeId, model: ModelId) -> bool {
		Nodes::<T>::get(node).is_some_and(|record| record.hosted.contains(&model))
	}

	fn eligible(node: NodeId, model: ModelId) -> bool {
		Self::node(node)
			.is_some_and(|(record, standing)| Self::may_work(&record, &standing) && record.hosted.contains(&model))
	}

	/// Reads one to three items, and four that are the same for every node.
	fn eligible_at_start(node: NodeId, model: ModelId) -> bool {
		Self::was_eligible(node, model)
	}

	/// Reads one to three items, and four that are the same for every node.
	fn pledged(node: NodeId, model: ModelId) -> bool {
		Self::is_pledged(node, model)
	}

	/// Reads one to three items, and four that are the same for every node.
	fn lapsed(node: NodeId, model: ModelId) -> Option<BlockNumber> {
		Self::first_lapse(node, model)
	}

	fn own_bond(node: NodeId) -> Balance {
		Nodes::<T>::get(node).map_or(0, |record| record.bond)
	}

	fn free_bond(node: NodeId) -> Balance {
		Self::node(node).map_or(0, |(record, standing)| record.bond.saturating_sub(standing.reserved))
	}

	/// Reliability in parts per million, at least 1, times free slots.
	fn draw_weight(node: NodeId, model: ModelId, security: Balance) -> u64 {
		let Some((record, standing)) = Self::node(node) else {
			return 0;
		};
		let able = Self::may_work(&record, &standing)
			&& record.hosted.contains(&model)
			&& record.bond.saturating_sub(standing.reserved) >= security;
		if !able {
			return 0;
		}
		// A newcomer or an unlucky node must not be drawn never: it could not recover.
		let reliability = u64::from(standing.reliability.score().deconstruct() / 1_000).max(1);
		reliability.saturating_mul(standing.free_slots().into())
	}

	/// Errors: unknown node, not eligible, no free slot, not enough free bond. Nothing changed then.
	fn reserve(node: NodeId, security: Balance) -> DispatchResult {
		let (record, mut standing) = Self::node(node).ok_or(Error::<T>::UnknownNode)?;
		ensure!(Self::may_work(&record, &standing), Error::<T>::NotEligible);
		ensure!(standing.free_slots() > 0, Error::<T>::NoFreeSlot);
		Self::reserve_bond(&record, &mut standing, security)?;
		standing.assigned = standing.assigned.saturating_add(1);
		Standings::<T>::insert(node, standing);
		Ok(())
	}

	fn free_slot(node: NodeId) {
		Self::with_standing(node, |standing| {
			standing.assigned = standing
				.assigned
				.checked_sub(1)
				.defensive_proof("a slot is freed once")
				.unwrap_or_default();
		})
	}

	/// Errors: unknown node, not eligible, not enough free bond. Nothing changed then.
	fn secure(node: NodeId, security: Balance) -> DispatchResult {
		let (record, mut standing) = Self::node(node).ok_or(Error::<T>::UnknownNode)?;
		ensure!(Self::may_work(&record, &standing), Error::<T>::NotEligible);
		Self::reserve_bond(&record, &mut standing, security)?;
		Standings::<T>::insert(node, standing);
		Ok(())
	}

	fn release(node: NodeId, security: Balance) {
		Self::with_standing(node, |standing| {
			if standing.let_go(security) > 0 {
				defensive!("only what was reserved is released");
			}
		})
	}

	fn slash(node: NodeId, amount: Balance, to: &T::AccountId) -> Balance {
		Self::do_slash(node, amount, to)
	}

	/// What is unbonding goes first, then the bond.
	fn fine(node: NodeId, amount: Balance, to: &T::AccountId) -> Balance {
		Self::do_fine(node, amount, to)
	}

	fn device(node: NodeId) -> Option<DeviceClass> {
		Some(Nodes::<T>::get(node)?.device)
	}

	fn declared_slots(node: NodeId) -> u16 {
		Standings::<T>::get(node).map_or(0, |standing| standing.declared)
	}

	/// Nodes of `parties` and those already found unable are left out of the next try, so that no draw is wasted on them.
	fn draw_judge(
		seed: &SketchSeed,
		security: Balance,
		parties: &[T::AccountId],
		class: Option<DeviceClass>,
	) -> DrawnJudge {
		let mut excluded = Vec::<(NodeId, Balance)>::new();
		for node in parties.iter().filter_map(NodeOf::<T>::get) {
			if excluded.iter().all(|(known, _)| *known != node) {
				excluded.push((node, Tree::<T>::leaf(node)));
			}
		}
		let mut tried: u32 = 0;
		for attempt in 0..JUDGE_TRIES {
			let hash = sp_io::hashing::blake2_128(&(JUDGE_DOMAIN, seed, attempt).encode());
			let Some((node, leaf)) = Tree::<T>::draw(u128::from_le_bytes(hash), &excluded) else {
				break;
			};
			tried = tried.saturating_add(1);
			let able = Self::node(node).is_some_and(|(record, standing)| {
				Self::may_work(&record, &standing)
					&& record.bond.saturating_sub(standing.reserved) >= security
					&& class.is_none_or(|class| record.device == class)
			});
			if able {
				return DrawnJudge {
					node: Some(node),
					tried,
				};
			}
			excluded.push((node, leaf));
		}
		DrawnJudge { node: None, tried }
	}

	fn active_operators() -> u32 {
		Tree::<T>::active()
	}

	fn note_outcome(node: NodeId, success: bool, weight: Perbill) {
		// A node may be gone when the last word on its job is spoken: then there is nothing left to judge.
		Standings::<T>::mutate(node, |standing| {
			if let Some(standing) = standing {
				standing.reliability.note(success, weight)
			}
		})
	}
}
