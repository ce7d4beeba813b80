//! Nodes as the simulations set them up: they host every model or none, and can take jobs or not.

use super::{AccountId, Balances, RevenueSplit, System, MAX_ASK};
use codec::{Decode, Encode};
use frame_support::{
	parameter_types,
	traits::{fungible::Mutate, tokens::Preservation},
	Twox64Concat,
};
use highway_primitives::{
	audit::{DrawnJudge, SketchSeed},
	traits::{MarketClock, Nodes},
	Balance, BlockNumber, DeviceClass, EpochIndex, ModelId, NodeId, WorkerId,
};
use sp_runtime::{DispatchError, DispatchResult, Perbill};

/// A node.
#[derive(Clone, Copy, Encode, Decode)]
pub struct SimulatedNode {
	/// Whether it can take jobs.
	able: bool,
	/// Whether it hosts the models.
	hosting: bool,
	/// The latest epoch in which that changed, and what it was when that epoch began.
	at_start: (EpochIndex, bool),
	/// The first block of that epoch from which on it could not, if it could when the epoch began.
	lapsed: Option<BlockNumber>,
	/// The latest two epochs in which that changed while their asks were opened, and what it was when that began.
	pledges: [(EpochIndex, bool); 2],
	/// What of its own bond is not reserved. It lies on the operator's account, which does nothing else with it.
	free: Balance,
	/// What is reserved of it.
	reserved: Balance,
	/// How many jobs it takes at once.
	slots: u32,
	/// Jobs that it has.
	assigned: u32,
}

impl SimulatedNode {
	/// What each node bonds: enough to secure a job at any price.
	pub const BOND: Balance = 100 * MAX_ASK;

	/// How many jobs each takes at once, if nothing else is said.
	const SLOTS: u32 = 64;

	fn free_slots(&self) -> u32 {
		self.slots.saturating_sub(self.assigned)
	}

	/// Whether it could take jobs when `epoch`, the present one, began.
	fn was_able(&self, epoch: EpochIndex) -> bool {
		match self.at_start.0 == epoch {
			true => self.at_start.1,
			false => self.able,
		}
	}

	/// Whether it could when the asks for `epoch` began to be opened; `None` if that has not changed since.
	fn pledge(&self, epoch: EpochIndex) -> Option<bool> {
		let noted = self.pledges.iter().find(|(of, _)| *of == epoch);
		noted.map(|(_, able)| *able)
	}

	/// Whether its ask counts in `epoch`, the present one: it could take jobs when the asks began to be opened.
	fn counts(&self, epoch: EpochIndex) -> bool {
		// If nothing has changed between the two blocks, the later one says it, too.
		let pledge = self.pledge(epoch).filter(|_| Pledges::get());
		pledge.unwrap_or_else(|| self.was_able(epoch))
	}

	/// Whether its ask counts in `epoch`, the present one, only because it could take jobs when the asks began to be opened.
	fn is_bound(&self, epoch: EpochIndex) -> bool {
		Pledges::get() && !self.was_able(epoch) && self.pledge(epoch).unwrap_or_default()
	}
}

/// All nodes. In storage: what is rolled back there is rolled back here, too.
#[frame_support::storage_alias]
type Joined = StorageMap<Simulation, Twox64Concat, NodeId, SimulatedNode>;

parameter_types! {
	/// Whether eligibility is as of a block before the first touch, as it is built, or as of the block of that.
	static LooksAtStart: bool = true;
	/// Whether it is as of the block in which asks began to be opened, as it is built, or as of the epoch's first one.
	static Pledges: bool = true;
}

/// Says as of which block nodes are eligible: one before the first touch, or that of it, which was rejected.
pub fn look_at_start(at_start: bool) {
	LooksAtStart::set(at_start);
}

/// Says whether nodes are eligible as they were when asks began to be opened. As of the epoch's first block was rejected.
pub fn bind_by_pledges(bind: bool) {
	Pledges::set(bind);
}

/// Whose the node is.
pub fn operator_of(node: NodeId) -> AccountId {
	1_000 + AccountId::from(node)
}

/// A node joins, able to take jobs.
pub fn join(node: NodeId) {
	let joined = SimulatedNode {
		able: true,
		hosting: true,
		at_start: (0, true),
		lapsed: None,
		pledges: [(0, false); 2],
		free: SimulatedNode::BOND,
		reserved: 0,
		slots: SimulatedNode::SLOTS,
		assigned: 0,
	};
	Joined::insert(node, joined);
}

/// Whether the node can take jobs from now on.
pub fn set_able(node: NodeId, able: bool) {
	let epoch = RevenueSplit::current_epoch();
	let opening = RevenueSplit::opening();
	Joined::mutate(node, |node| {
		if let Some(node) = node {
			let [_, latest] = node.pledges;
			if let Some((coming, _)) = opening.filter(|(coming, _)| latest.0 < *coming) {
				node.pledges = [latest, (coming, node.able)];
			}
			if node.at_start.0 < epoch {
				node.at_start = (epoch, node.able);
				node.lapsed = None;
			}
			if node.at_start.1 && !able {
				node.lapsed.get_or_insert(System::block_number());
			}
			node.able = able;
		}
	});
}

/// Whether the node hosts the models from now on: without them it can take no jobs.
pub fn set_hosting(node: NodeId, hosting: bool) {
	set_able(node, hosting);
	Joined::mutate(node, |node| {
		if let Some(node) = node {
			node.hosting = hosting;
		}
	});
}

/// The node takes so many jobs at once from now on.
pub fn set_slots(node: NodeId, slots: u32) {
	Joined::mutate(node, |node| {
		if let Some(node) = node {
			node.slots = slots;
		}
	});
}

/// What is left of the node's own bond.
pub fn bond_of(node: NodeId) -> Balance {
	Joined::get(node).map_or(0, |node| node.free + node.reserved)
}

/// Node staking, as far as the market asks it.
pub struct Crowd;

impl Nodes<AccountId> for Crowd {
	fn operator(node: NodeId) -> Option<AccountId> {
		Joined::contains_key(node).then(|| operator_of(node))
	}

	fn node_of(operator: &AccountId) -> Option<NodeId> {
		let node = NodeId::try_from(operator.checked_sub(operator_of(0))?).ok()?;
		Joined::contains_key(node).then_some(node)
	}

	fn worker(_: NodeId) -> Option<WorkerId> {
		None
	}

	fn hosts(node: NodeId, _: ModelId) -> bool {
		Joined::get(node).is_some_and(|node| node.hosting)
	}

	fn eligible(node: NodeId, _: ModelId) -> bool {
		Joined::get(node).is_some_and(|node| node.able)
	}

	fn eligible_at_start(node: NodeId, _: ModelId) -> bool {
		let epoch = RevenueSplit::current_epoch();
		Joined::get(node).is_some_and(|node| match LooksAtStart::get() {
			true => node.counts(epoch),
			false => node.able,
		})
	}

	fn pledged(node: NodeId, _: ModelId) -> bool {
		let opening = RevenueSplit::opening().filter(|_| Pledges::get());
		let node = Joined::get(node);
		opening
			.zip(node)
			.is_some_and(|((coming, _), node)| node.pledge(coming).unwrap_or(node.able))
	}

	fn lapsed(node: NodeId, _: ModelId) -> Option<BlockNumber> {
		let node = Joined::get(node)?;
		let (epoch, first) = RevenueSplit::epoch();
		match node.is_bound(epoch) {
			true => Some(first),
			false => node.lapsed.filter(|_| node.at_start.0 == epoch),
		}
	}

	fn own_bond(node: NodeId) -> Balance {
		bond_of(node)
	}

	fn free_bond(node: NodeId) -> Balance {
		Joined::get(node).map_or(0, |node| node.free)
	}

	/// All are equally reliable.
	fn draw_weight(node: NodeId, model: ModelId, security: Balance) -> u64 {
		let able = |joined: &SimulatedNode| Self::eligible(node, model) && joined.free >= security;
		Joined::get(node)
			.filter(able)
			.map_or(0, |joined| joined.free_slots().into())
	}

	fn reserve(node: NodeId, security: Balance) -> DispatchResult {
		if Joined::get(node).is_none_or(|joined| joined.free_slots() == 0) {
			return Err(DispatchError::Other("no slot is free"));
		}
		Self::secure(node, security)?;
		Joined::mutate(node, |node| {
			if let Some(node) = node {
				node.assigned += 1;
			}
		});
		Ok(())
	}

	fn free_slot(node: NodeId) {
		Joined::mutate(node, |node| {
			if let Some(node) = node {
				node.assigned -= 1;
			}
		});
	}

	fn secure(node: NodeId, security: Balance) -> DispatchResult {
		let mut joined = Joined::get(node).ok_or(DispatchError::Other("no such node"))?;
		let free = joined.free.checked_sub(security);
		joined.free = free.ok_or(DispatchError::Other("the bond is reserved"))?;
		joined.reserved += security;
		Joined::insert(node, joined);
		Ok(())
	}

	fn release(node: NodeId, security: Balance) {
		Joined::mutate(node, |node| {
			if let Some(node) = node {
				let released = security.min(node.reserved);
				node.reserved -= released;
				node.free += released;
			}
		});
	}

	fn slash(_: NodeId, _: Balance, _: &AccountId) -> Balance {
		0
	}

	fn fine(node: NodeId, amount: Balance, to: &AccountId) -> Balance {
		let Some(mut joined) = Joined::get(node) else {
			return 0;
		};
		let taken = amount.min(joined.free);
		if taken > 0 {
			joined.free -= taken;
			Balances::transfer(&operator_of(node), to, taken, Preservation::Preserve)
				.expect("the bond lies on the operator's account");
			Joined::insert(node, joined);
		}
		taken
	}

	fn device(_: NodeId) -> Option<DeviceClass> {
		None
	}

	fn declared_slots(_: NodeId) -> u16 {
		0
	}

	fn draw_judge(_: &SketchSeed, _: Balance, _: &[AccountId], _: Option<DeviceClass>) -> DrawnJudge {
		DrawnJudge::default()
	}

	fn active_operators() -> u32 {
		0
	}

	fn note_outcome(_: NodeId, _: bool, _: Perbill) {}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::market::chain::{Chain, MODEL};

	#[test]
	fn a_node_should_weigh_what_it_can_take() {
		Chain::run(|chain| {
			chain.join(1);
			set_slots(0, 2);
			assert_eq!(Crowd::draw_weight(0, MODEL, SimulatedNode::BOND), 2);
			Crowd::reserve(0, 5).unwrap();
			assert_eq!(Crowd::draw_weight(0, MODEL, 5), 1);
			assert_eq!(Crowd::draw_weight(0, MODEL, SimulatedNode::BOND), 0);
			Crowd::reserve(0, 5).unwrap();
			assert_eq!(Crowd::draw_weight(0, MODEL, 5), 0);
			Crowd::free_slot(0);
			Crowd::release(0, 5);
			assert_eq!(Crowd::draw_weight(0, MODEL, 5), 1);
			set_able(0, false);
			assert_eq!(Crowd::draw_weight(0, MODEL, 5), 0);
		});
	}

	#[test]
	fn a_node_should_be_eligible_as_it_was_when_the_epoch_began() {
		Chain::run(|chain| {
			chain.join(1);
			set_able(0, false);
			assert!(Crowd::eligible_at_start(0, MODEL) && !Crowd::eligible(0, MODEL));
			chain.next_epoch();
			set_able(0, true);
			set_able(0, false);
			set_able(0, true);
			assert!(!Crowd::eligible_at_start(0, MODEL) && Crowd::eligible(0, MODEL));
			look_at_start(false);
			assert!(Crowd::eligible_at_start(0, MODEL));
		});
	}

	#[test]
	fn a_node_should_be_bound_by_what_it_was_when_asks_began_to_be_opened() {
		Chain::run(|chain| {
			chain.join(2);
			assert!(!Crowd::pledged(0, MODEL));
			chain.go_to_reveals();
			set_able(0, false);
			assert!(Crowd::pledged(0, MODEL) && !Crowd::eligible(0, MODEL));
			chain.next_epoch();
			assert!(Crowd::eligible_at_start(0, MODEL) && !Crowd::pledged(0, MODEL));
			let first = RevenueSplit::first_block_of(chain.epoch());
			assert_eq!(Crowd::lapsed(0, MODEL), Some(first));
			set_able(0, true);
			// While the asks for the next one are opened, too.
			chain.go_to_reveals();
			set_able(0, false);
			assert!(Crowd::eligible_at_start(0, MODEL) && Crowd::pledged(0, MODEL));
			assert_eq!(Crowd::lapsed(0, MODEL), Some(first));
			// Who comes then counts an epoch later.
			chain.next_epoch();
			chain.go_to_reveals();
			assert!(!Crowd::pledged(0, MODEL));
			set_able(0, true);
			chain.next_epoch();
			assert!(!Crowd::eligible_at_start(0, MODEL) && Crowd::eligible(0, MODEL));
			assert_eq!(Crowd::lapsed(0, MODEL), None);
			bind_by_pledges(false);
			assert!(Crowd::eligible_at_start(0, MODEL) && !Crowd::pledged(0, MODEL));
			assert_eq!(Crowd::lapsed(1, MODEL), None);
		});
	}
}
