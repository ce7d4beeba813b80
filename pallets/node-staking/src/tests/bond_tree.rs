//! The tree against a plain map of bonds.

use super::*;
use crate::bond_tree::{total, Shape, Tree};
use proptest::prelude::*;
use std::collections::BTreeMap;

type BondTreeOf = Tree<Test>;

fn shape() -> Shape {
	BondTreeShape::<Test>::get()
}

/// The tree alone: bonds in it are nobody's, so the pallet's invariants do not hold after.
fn with_tree(test: impl FnOnce()) {
	ExtBuilder::default().build().execute_with(test)
}

/// The node that owns the unit of number `ticket`, looked for one by one.
fn naive_draw(bonds: &BTreeMap<NodeId, Balance>, ticket: u128, excluded: &[NodeId]) -> Option<(NodeId, Balance)> {
	let open = || bonds.iter().filter(|(node, _)| !excluded.contains(node));
	let mut ticket = ticket.checked_rem(open().map(|(_, bond)| bond).sum())?;
	for (node, bond) in open() {
		match ticket.checked_sub(*bond) {
			Some(rest) => ticket = rest,
			None => return Some((*node, *bond)),
		}
	}
	None
}

fn with_leaves(bonds: &BTreeMap<NodeId, Balance>, excluded: &[NodeId]) -> Vec<(NodeId, Balance)> {
	excluded
		.iter()
		.map(|node| (*node, bonds.get(node).copied().unwrap_or(0)))
		.collect()
}

#[test]
fn empty_tree_should_draw_nobody() {
	with_tree(|| {
		assert_eq!(BondTreeOf::draw(0, &[]), None);
		assert_eq!((BondTreeOf::leaf(0), BondTreeOf::leaf(u32::MAX)), (0, 0));
		BondTreeOf::set(7, 0);
		assert_eq!(shape(), Shape::default());
		BondTreeOf::set(7, 5);
		BondTreeOf::set(7, 0);
		assert_eq!(BondTreeOf::draw(0, &[]), None);
		assert_eq!(BondTree::<Test>::iter().count(), 0, "nothing is kept of who left");
	});
}

#[test]
fn tree_should_grow_with_the_ids_and_hold_the_largest() {
	with_tree(|| {
		let mut ids = vec![0];
		for level in 1..=7u32 {
			ids.extend([16u32.pow(level) - 1, 16u32.pow(level)]);
		}
		ids.push(u32::MAX);
		for (count, id) in ids.iter().enumerate() {
			BondTreeOf::set(*id, 1 << 100);
			let needed = (1..=8).find(|level| u64::from(*id) < 16u64.pow(*level)).unwrap();
			assert_eq!(
				shape(),
				Shape {
					levels: needed as u8,
					active: count as u32 + 1
				}
			);
			let root = BondTree::<Test>::get((shape().levels - 1, 0));
			assert_eq!(total(&root), (count as u128 + 1) << 100);
		}
		for (count, id) in ids.iter().enumerate() {
			assert_eq!(BondTreeOf::leaf(*id), 1 << 100);
			assert_eq!(BondTreeOf::draw((count as u128) << 100, &[]).unwrap().0, *id);
		}
	});
}

#[test]
fn every_unit_of_bond_should_be_drawn_once() {
	with_tree(|| {
		let bonds = BTreeMap::from([(0, 3), (15, 1), (16, 5), (255, 2), (256, 7), (70_000, 4)]);
		bonds.iter().for_each(|(node, bond)| BondTreeOf::set(*node, *bond));
		for excluded in [vec![], vec![16], vec![0, 256, 9], vec![70_000, 15]] {
			let mut drawn = BTreeMap::<NodeId, Balance>::new();
			let open = bonds.iter().filter(|(node, _)| !excluded.contains(*node));
			let open = open.map(|(node, bond)| (*node, *bond)).collect::<BTreeMap<_, _>>();
			for ticket in 0..open.values().sum() {
				let (node, bond) = BondTreeOf::draw(ticket, &with_leaves(&bonds, &excluded)).unwrap();
				assert_eq!(bond, bonds[&node]);
				*drawn.entry(node).or_default() += 1;
			}
			assert_eq!(drawn, open);
		}
		let all = bonds.keys().copied().collect::<Vec<_>>();
		assert_eq!(BondTreeOf::draw(1, &with_leaves(&bonds, &all)), None);
	});
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() })]

	#[test]
	fn tree_should_say_what_a_plain_map_says(
		sets in prop::collection::vec(
			(
				prop_oneof![4 => 0u32..40, 2 => 0u32..5_000, 1 => any::<u32>()],
				prop_oneof![2 => Just(0u128), 4 => 1u128..1_000, 1 => 0u128..1 << 90],
			),
			1..60,
		),
		tickets in prop::collection::vec(any::<u128>(), 8),
		excluded in prop::collection::btree_set(0usize..60, 0..8),
	) {
		with_tree(|| {
			let mut bonds = BTreeMap::new();
			for (node, bond) in &sets {
				BondTreeOf::set(*node, *bond);
				match bond {
					0 => bonds.remove(node),
					bond => bonds.insert(*node, *bond),
				};
				assert_eq!(BondTreeOf::leaf(*node), *bond);
				assert_eq!(BondTreeOf::active() as usize, bonds.len());
			}
			let excluded = excluded.iter().filter_map(|index| sets.get(*index)).map(|(node, _)| *node);
			let excluded = excluded.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>();
			for ticket in tickets {
				assert_eq!(BondTreeOf::draw(ticket, &[]), naive_draw(&bonds, ticket, &[]));
				assert_eq!(
					BondTreeOf::draw(ticket, &with_leaves(&bonds, &excluded)),
					naive_draw(&bonds, ticket, &excluded),
				);
			}
			// No more items than the leaves need, and each of them stands for something.
			let levels = usize::from(shape().levels);
			assert!(BondTree::<Test>::iter().count() <= bonds.len() * levels);
			assert!(BondTree::<Test>::iter().all(|(_, item)| total(&item) > 0));
			for node in bonds.keys() {
				BondTreeOf::set(*node, 0);
			}
			assert_eq!((BondTree::<Test>::iter().count(), BondTreeOf::active()), (0, 0));
		});
	}
}
