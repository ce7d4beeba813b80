//! What is checked after every test is able to fail.

use super::*;
use frame_support::{
	traits::{
		fungible::{Mutate, MutateHold},
		ConstU32,
	},
	BoundedVec,
};

/// Node 0 with a bond, an open job, delegations, rewards, parts on their way out and a former generation.
fn busy() {
	let node = live(1, 1_000, 4);
	live(7, 500, 4);
	delegate(2, node, 500);
	author(1, 1);
	pass_sessions(1);
	report(&[1], percent(100), 1);
	assert_ok!(NodeStaking::bond_extra(signed(1), 1_000));
	assert_ok!(NodeStaking::resume(signed(1)));
	delegate(3, node, 500);
	delegate(4, node, 500);
	author(1, 1);
	pass_sessions(1);
	assert_ok!(NodeStaking::undelegate(signed(4), node, 100));
	beat(node, 4);
	assert_ok!(NodeStaking::reserve(node, 300));
}

fn change_pool(change: impl FnOnce(&mut PoolRecord)) {
	Pools::<Test>::mutate(0, change);
}

fn change_node(change: impl FnOnce(&mut NodeRecord<Test>)) {
	Nodes::<Test>::mutate(0, |record| change(record.as_mut().unwrap()));
}

fn change_standing(change: impl FnOnce(&mut Standing)) {
	Standings::<Test>::mutate(0, |standing| change(standing.as_mut().unwrap()));
}

/// What is kept of when asks for these epochs began to be opened: what a node was eligible for, and what of it has lapsed since.
fn pledges(of: &[(u32, &[u32], &[u32])]) -> BoundedVec<Pledge<Test>, ConstU32<MAX_PLEDGES>> {
	let pledge = |(epoch, models, lapsed): &(u32, &[u32], &[u32])| {
		let lapsed = lapsed.iter().map(|model| (*model, 0u32)).collect::<Vec<_>>();
		Pledge::<Test> {
			lapsed: lapsed.try_into().unwrap(),
			..Pledge::new(*epoch, models)
		}
	};
	of.iter().map(pledge).collect::<Vec<_>>().try_into().unwrap()
}

/// What breaks something, and what is said of it.
type Fault = (fn(), &'static str);

const FAULTS: [Fault; 34] = [
	(
		|| {
			Balances::burn_from(
				&NodeStaking::pot_account(),
				1,
				frame_support::traits::tokens::Preservation::Preserve,
				frame_support::traits::tokens::Precision::Exact,
				frame_support::traits::tokens::Fortitude::Polite,
			)
			.unwrap();
		},
		"the pot holds less than it owes",
	),
	(
		|| Balances::hold(&HoldReason::Bond.into(), &1, 1).unwrap(),
		"what is held is not bond and unbonding",
	),
	(
		|| change_standing(|standing| standing.reserved = 1_001),
		"more is reserved than is bonded",
	),
	(
		|| change_standing(|standing| standing.unsecured = 1),
		"a job lacks security that is there",
	),
	(|| NextNodeId::<Test>::put(0), "a node has an id that was not given"),
	(
		|| Slashes::<Test>::insert(9, SlashTotals::default()),
		"slashes are kept of a node that is gone",
	),
	(
		|| change_pool(|pool| pool.active.stake += 1),
		"the pot holds less than it owes",
	),
	(
		|| {
			change_pool(|pool| {
				pool.active.stake -= 1;
				pool.operator_rewards += 1;
			})
		},
		"a score is not the stake",
	),
	(
		|| crate::bond_tree::Tree::<Test>::set(0, 999),
		"a sum in the tree is wrong",
	),
	(
		|| crate::bond_tree::Tree::<Test>::set(5, 1),
		"the tree miscounts those with a bond",
	),
	(
		|| BondTree::<Test>::insert((0, 77), [1; 16]),
		"the tree has items that stand for nothing",
	),
	(
		|| BondTreeShape::<Test>::mutate(|shape| shape.levels = 0),
		"the tree has no place for a node",
	),
	(
		|| change_node(|record| record.hosted = vec![1, 1].try_into().unwrap()),
		"a model is hosted twice",
	),
	(
		|| change_standing(|standing| standing.live_since = 99),
		"a node is live since the future",
	),
	(
		|| change_pool(|pool| pool.unbonding.points = 1),
		"points of a pool are worth too much or too little",
	),
	(
		|| change_pool(|pool| pool.commission.announced = Some((percent(16), 9))),
		"a commission rises too much at once",
	),
	(
		|| change_pool(|pool| pool.former_points += 1),
		"former points are miscounted",
	),
	(
		|| {
			FormerGenerations::<Test>::insert(
				0,
				1,
				FormerGeneration {
					per_point: 0,
					points: 0,
				},
			)
		},
		"a former generation is empty or not over",
	),
	(
		|| Pools::<Test>::insert(9, PoolRecord::default()),
		"a pool in which nobody has anything outlived its node",
	),
	(
		|| Delegations::<Test>::insert(5, 0, DelegationOf::<Test>::default()),
		"a delegation is empty",
	),
	(
		|| change_pool(|pool| pool.active.points += 1),
		"a pool's points are not those of its delegations",
	),
	(
		|| {
			change_pool(|pool| {
				pool.operator_rewards += 1;
				pool.unclaimed -= 1;
			})
		},
		"what can be claimed is not what delegations say",
	),
	(
		|| {
			change_pool(|pool| {
				pool.operator_rewards += pool.unsettled - 300;
				pool.unsettled = 300;
			})
		},
		"more was earned than was shared",
	),
	(
		|| {
			Delegations::<Test>::mutate(2, 0, |delegation| {
				delegation.as_mut().unwrap().part.points -= 1;
			})
		},
		"a former generation is not that of its delegations",
	),
	(
		|| FirstSession::<Test>::put((0, 99)),
		"an epoch began in a session that is to come",
	),
	(
		|| Pledges::<Test>::insert(9, pledges(&[(0, &[1], &[])])),
		"a pledge is kept of a node that is gone",
	),
	(
		|| Pledges::<Test>::insert(0, pledges(&[(0, &[1], &[]), (0, &[2], &[])])),
		"pledges are kept for nothing, or two for an epoch",
	),
	(
		|| Pledges::<Test>::insert(0, pledges(&[])),
		"pledges are kept for nothing, or two for an epoch",
	),
	(
		|| Pledges::<Test>::insert(0, pledges(&[(1, &[1], &[])])),
		"a pledge is kept for an epoch whose asks nobody opens",
	),
	(
		|| Pledges::<Test>::insert(0, pledges(&[(0, &[1, 1], &[])])),
		"a node has pledged itself for a model twice",
	),
	(
		|| Pledges::<Test>::insert(0, pledges(&[(0, &[1], &[2])])),
		"a node let a model down twice, or one for which it was not eligible",
	),
	(
		|| Pledges::<Test>::insert(0, pledges(&[(0, &[1, 2], &[1, 1])])),
		"a node let a model down twice, or one for which it was not eligible",
	),
	(
		|| {
			System::set_block_number(7);
			Pledges::<Test>::insert(0, pledges(&[(1, &[1], &[1])]));
		},
		"a node has lapsed in an epoch that is to come",
	),
	(
		|| OpeningSessions::<Test>::put(BoundedVec::truncate_from(vec![(0u32, 99u32)])),
		"asks began to be opened twice, or in a session that is to come",
	),
];

#[test]
fn every_invariant_should_be_seen_when_it_is_broken() {
	for (fault, said) in FAULTS {
		ExtBuilder::default().build().execute_with(|| {
			busy();
			assert_ok!(NodeStaking::do_try_state());
			fault();
			assert_eq!(NodeStaking::do_try_state(), Err(said.into()));
		});
	}
}

#[test]
fn integrity_test_should_accept_the_mock() {
	<NodeStaking as Hooks<u32>>::integrity_test();
}

#[test]
#[should_panic(expected = "a bond must outlast the audits of its time")]
fn integrity_test_should_panic_when_an_audit_outlasts_a_bond() {
	// 4 sessions of 300 blocks.
	LongestAudit::set(1_200);
	<NodeStaking as Hooks<u32>>::integrity_test();
}
