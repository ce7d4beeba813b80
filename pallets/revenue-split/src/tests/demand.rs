//! What stands behind an ask follows what a place earns.

use super::*;
use crate::pallet::Markets;
use frame_support::assert_ok;

const COMPUTE: AskRole = AskRole::Compute;
const STORAGE: AskRole = AskRole::Storage;

fn bonds() -> (Balance, Balance) {
	(Split::ask_bond(MODEL, COMPUTE), Split::ask_bond(MODEL, STORAGE))
}

#[test]
fn a_bond_should_be_what_a_place_earned_in_the_last_epoch_with_jobs() {
	ExtBuilder.build_and_execute(|| {
		assert_eq!(bonds(), (BOND, BOND));
		market_with_all_roles();
		open(1, 1_000, 0);
		open(2, 7, 200 * MIB);
		// The epoch is not over: what somebody orders in it does not move what others have to reserve in it.
		assert_eq!(bonds(), (BOND, BOND));
		go_to_epoch(2);
		// 10 · 1007 / 2 places, and 3 · 201 / 1.
		assert_eq!(bonds(), (5_035, 603));
		host(9, MODEL);
		assert_ok!(commit(9, COMPUTE, Some(4)));
		assert_eq!(TestNodes::get(9).unwrap().reserved, 5_035);
		// Epochs without jobs change nothing, and an epoch with jobs only when it is over.
		go_to_epoch(7);
		assert_eq!(bonds(), (5_035, 603));
		open(3, 1, 0);
		assert_eq!(bonds(), (5_035, 603));
		go_to_epoch(8);
		assert_eq!(bonds(), (BOND, BOND));
	});
}

#[test]
fn a_bond_should_be_lost_as_it_was_when_it_was_reserved() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		open(1, 1_000, 0);
		go_to_epoch(2);
		host(9, MODEL);
		assert_ok!(commit(9, COMPUTE, Some(4)));
		open(2, 1, 0);
		go_to_epoch(3);
		assert_eq!(bonds().0, BOND);
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		assert_eq!(TestNodes::get(9).unwrap().bond, NODE_BOND - 5_000);
	});
}

#[test]
fn siblings_should_count_as_jobs_and_as_units() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let first = open(1, 100, 2 * MIB);
		assert_ok!(Split::open_sibling(MODEL, &first));
		assert_ok!(Split::open_sibling(MODEL, &first));
		let state = Markets::<Test>::get(MODEL);
		let latest = state.latest.unwrap();
		assert_eq!(state.demand.jobs, 3);
		assert_eq!((latest.compute.units, latest.storage.units), (300, 2));
		assert_eq!((latest.compute.winners, latest.storage.winners), (2, 1));
	});
}

#[test]
fn a_bond_beyond_all_money_should_refuse_the_commitment_and_nothing_else() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, MAX_ASK);
		go_to_epoch(1);
		for job in 0..4 {
			open(job, u32::MAX, u64::MAX);
		}
		go_to_epoch(2);
		assert!(bonds().0 > NODE_BOND);
		assert!(commit(1, COMPUTE, Some(1)).is_err());
		assert_eq!(bonds().1, BOND);
		assert_ok!(commit(1, STORAGE, Some(1)));
	});
}
