//! A tree of sums over own bonds: counts who could work, and draws a node in proportion to its bond, whatever the number
//! of nodes.
//!
//! A node's leaf is its own bond, or 0 while the bond is below the least one or the node is chilled. Items of level 0 hold
//! the leaves of [`ARITY`] nodes with neighbouring ids; an item of each higher level holds the sums of [`ARITY`] items of
//! the level below; one item is the root. The tree grows by a level when an id no longer fits: an update and a draw touch
//! ⌈log₁₆ n⌉ items, n being the number of ids given so far.

use crate::pallet::{BondTree, BondTreeShape, Config};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use highway_primitives::{Balance, NodeId};
use scale_info::TypeInfo;

/// Sums in one item.
pub const ARITY: usize = 16;

/// Bits of an id that pick one of [`ARITY`] sums.
const BITS: u32 = 4;

/// Bits of an id that pick one of [`ARITY`] sums, set.
const SLOT: NodeId = 15;

/// What one item holds.
pub type Sums = [Balance; ARITY];

/// What is known of the tree without looking at an item.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Shape {
	/// Levels: enough for the largest id that ever had a leaf, at most 8.
	pub levels: u8,
	/// Leaves that are not 0.
	#[codec(compact)]
	pub active: u32,
}

/// The tree of a runtime. Reads and writes [`BondTree`] and [`BondTreeShape`], and nothing else does.
pub(crate) struct Tree<T>(PhantomData<T>);

impl<T: Config> Tree<T> {
	/// Sets the node's leaf.
	pub fn set(node: NodeId, bond: Balance) {
		let mut shape = BondTreeShape::<T>::get();
		let before = shape;
		if bond > 0 {
			Self::grow(&mut shape, node);
		} else if !fits(node, shape.levels) {
			return;
		}
		let mut sum = bond;
		for level in 0..shape.levels {
			let (index, slot) = position(node, level);
			let mut item = BondTree::<T>::get((level, index));
			let Some(held) = item.get_mut(slot) else { break };
			let was = core::mem::replace(held, sum);
			if was == sum {
				break;
			}
			if level == 0 {
				shape.active = match (was, sum) {
					(0, _) => shape.active.saturating_add(1),
					(_, 0) => shape.active.saturating_sub(1),
					_ => shape.active,
				};
			}
			sum = total(&item);
			if sum == 0 {
				BondTree::<T>::remove((level, index));
			} else {
				BondTree::<T>::insert((level, index), item);
			}
		}
		if shape != before {
			BondTreeShape::<T>::put(shape);
		}
	}

	/// Adds levels until the id fits. The old root becomes the first item of the level below the new one.
	fn grow(shape: &mut Shape, node: NodeId) {
		while !fits(node, shape.levels) {
			if let Some(root) = shape.levels.checked_sub(1) {
				let sum = total(&BondTree::<T>::get((root, 0)));
				if sum > 0 {
					let mut item = Sums::default();
					if let Some(first) = item.first_mut() {
						*first = sum;
					}
					BondTree::<T>::insert((shape.levels, 0), item);
				}
			}
			shape.levels = shape.levels.saturating_add(1);
		}
	}

	/// The node's leaf.
	pub fn leaf(node: NodeId) -> Balance {
		if !fits(node, BondTreeShape::<T>::get().levels) {
			return 0;
		}
		let (index, slot) = position(node, 0);
		BondTree::<T>::get((0, index)).get(slot).copied().unwrap_or(0)
	}

	/// Nodes with a leaf that is not 0.
	pub fn active() -> u32 {
		BondTreeShape::<T>::get().active
	}

	/// The node that owns the unit of bond with number `ticket` modulo the sum of all leaves, and its leaf. Those
	/// `excluded`, each named once and with its leaf, own none. `None` if nobody else has a bond.
	///
	/// The modulo's bias is below 2⁻⁵⁰: all bonds together are far below 2⁷⁸ units.
	pub fn draw(ticket: u128, excluded: &[(NodeId, Balance)]) -> Option<(NodeId, Balance)> {
		let levels = BondTreeShape::<T>::get().levels;
		let mut level = levels.checked_sub(1)?;
		let mut item = BondTree::<T>::get((level, 0));
		let gone = excluded
			.iter()
			.fold(0, |sum: Balance, (_, bond)| sum.saturating_add(*bond));
		let mut ticket = ticket.checked_rem(total(&item).saturating_sub(gone))?;
		let mut index: NodeId = 0;
		loop {
			let (child, leaf) = descend(&item, index, level, &mut ticket, excluded)?;
			let Some(below) = level.checked_sub(1) else {
				return Some((child, leaf));
			};
			(level, index) = (below, child);
			item = BondTree::<T>::get((level, index));
		}
	}
}

/// The child of an item in which the ticket falls, and what of its sum is not excluded. The ticket is counted from that
/// child's first unit on then.
fn descend(
	item: &Sums,
	index: NodeId,
	level: u8,
	ticket: &mut u128,
	excluded: &[(NodeId, Balance)],
) -> Option<(NodeId, Balance)> {
	let first = index.saturating_mul(ARITY as NodeId);
	for (child, sum) in (first..=first.saturating_add(SLOT)).zip(item) {
		let gone = excluded
			.iter()
			.filter(|(node, _)| ancestor(*node, level) == child)
			.fold(0, |sum: Balance, (_, bond)| sum.saturating_add(*bond));
		let sum = sum.saturating_sub(gone);
		match ticket.checked_sub(sum) {
			Some(rest) => *ticket = rest,
			None => return Some((child, sum)),
		}
	}
	None
}

/// Index of the item or, on level 0, of the leaf, whose sum an item of `level` holds for this node.
fn ancestor(node: NodeId, level: u8) -> NodeId {
	let bits = BITS.saturating_mul(level.into());
	node.checked_shr(bits).unwrap_or(0)
}

/// Index of the node's item on this level, and the place of its sum therein.
pub(crate) fn position(node: NodeId, level: u8) -> (NodeId, usize) {
	let child = ancestor(node, level);
	(ancestor(child, 1), (child & SLOT) as usize)
}

/// Whether a tree of so many levels has a leaf for this id.
pub(crate) fn fits(node: NodeId, levels: u8) -> bool {
	levels > 0 && ancestor(node, levels) == 0
}

/// Sum of an item. Bonds are coins: together they never exceed the issuance.
pub(crate) fn total(item: &Sums) -> Balance {
	item.iter().fold(0, |sum: Balance, part| sum.saturating_add(*part))
}
