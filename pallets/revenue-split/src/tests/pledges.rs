//! Who could serve when asks began to be opened is in the price of the next epoch, and pays for its place if it is not there. Nobody
//! else is.

use super::*;
use crate::{pallet::Clearings, Error, MAX_ASKS};
use frame_support::{assert_noop, assert_ok};

const COMPUTE: AskRole = AskRole::Compute;
const STORAGE: AskRole = AskRole::Storage;

/// How a node stops being able to serve, and how it comes back.
type Act = (fn(NodeId), fn(NodeId));

const ACTS: [Act; 2] = [
	(unhost, |node| {
		host(node, MODEL);
	}),
	(fall_silent, |node| with_node(node, |node| node.able = true)),
];

/// Nodes 1, 2 and 3 have places in epoch 1, in which there was a job, and ask as much for the next one; the fourth asks less
/// than the reserve then.
fn market() {
	for (node, price) in [(1, 10), (2, 20), (3, 30), (4, 300)] {
		ask(node, COMPUTE, price);
	}
	go_to_epoch(1);
	let deal = open(1, 1, 0);
	Split::close(MODEL, &deal);
	assert_eq!(deal.compute, 300);
	ask(4, COMPUTE, 200);
}

/// What a place is worth in this epoch.
fn place() -> Balance {
	Split::ask_bond(MODEL, COMPUTE)
}

/// Price and winners of compute.
fn found() -> (Balance, Vec<NodeId>) {
	let quote = Split::quote(&order(1, 0)).unwrap();
	(quote.compute, quote.executors)
}

fn clear() {
	assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
}

fn prune() -> frame_support::dispatch::DispatchResultWithPostInfo {
	Split::prune(RuntimeOrigin::signed(PAYER), MODEL)
}

fn lost() -> [Balance; 4] {
	[1, 2, 3, 4].map(|node| NODE_BOND - TestNodes::get(node).unwrap().bond)
}

fn reserved(node: NodeId) -> Balance {
	TestNodes::get(node).unwrap().reserved
}

#[test]
fn an_ask_should_stay_in_the_price_and_pay_for_its_place_when_its_node_goes_after_a_look() {
	for (go, come_back) in ACTS {
		ExtBuilder.build_and_execute(|| {
			market();
			go_to_reveals();
			go(3);
			go_to_epoch(2);
			come_back(3);
			// With the fourth instead of it the reserve would be the price.
			assert_eq!(found(), (200, vec![1, 2, 3]));
			clear();
			assert_ok!(prune());
			assert_eq!((lost(), reserved(3)), ([0, 0, place(), 0], 0));
			assert_noop!(prune(), Error::<Test>::NothingToPrune);
			go_to_epoch(3);
			assert_eq!(found().1, vec![1, 2, 4]);
		});
	}
}

#[test]
fn an_ask_should_not_be_let_off_when_anybody_prunes_before_the_next_epoch_begins() {
	for (go, come_back) in ACTS {
		ExtBuilder.build_and_execute(|| {
			market();
			go_to_reveals();
			go(3);
			// Of this epoch three of ten blocks are left.
			assert_ok!(prune());
			let now = (3 * place()).div_ceil(10);
			assert_eq!((lost(), reserved(3)), ([0, 0, now, 0], BOND));
			assert_noop!(prune(), Error::<Test>::NothingToPrune);
			check_invariants();
			assert_eq!(Split::ask_of(3, MODEL, COMPUTE), Some(30));
			go_to_epoch(2);
			assert_eq!(found(), (200, vec![1, 2, 3]));
			come_back(3);
			clear();
			assert_ok!(prune());
			assert_eq!((lost(), reserved(3)), ([0, 0, now + place(), 0], 0));
		});
	}
}

#[test]
fn a_lapse_should_be_paid_out_of_the_bond_behind_the_next_ask_when_nothing_else_is_free() {
	for (go, _) in ACTS {
		ExtBuilder.build_and_execute(|| {
			market();
			go_to_reveals();
			go(3);
			// So much is free beside what stands behind the ask.
			with_node(3, |node| node.bond = BOND + 4);
			let due = (3 * place()).div_ceil(10);
			assert!(due > 4);
			assert_ok!(prune());
			let left = BOND + 4 - due;
			assert_eq!((TestNodes::get(3).unwrap().bond, reserved(3)), (left, left));
			check_invariants();
			assert_eq!(Split::ask_of(3, MODEL, COMPUTE), Some(30));
			go_to_epoch(2);
			assert_eq!(found(), (200, vec![1, 2, 3]));
			clear();
			assert_ok!(prune());
			assert_eq!((TestNodes::get(3).unwrap().bond, reserved(3)), (0, 0));
		});
	}
}

#[test]
fn a_loser_should_stay_in_the_price_when_it_goes_after_a_look() {
	for (go, come_back) in ACTS {
		ExtBuilder.build_and_execute(|| {
			market();
			go_to_reveals();
			go(4);
			assert_noop!(prune(), Error::<Test>::NothingToPrune);
			go_to_epoch(2);
			come_back(4);
			assert_eq!(found(), (200, vec![1, 2, 3]));
			clear();
			// It had no place, and kept nobody out.
			assert_noop!(prune(), Error::<Test>::NothingToPrune);
			assert_eq!(lost(), [0; 4]);
		});
	}
}

#[test]
fn a_node_that_went_and_is_back_when_the_epoch_begins_should_have_lost_nothing_of_it() {
	for (go, come_back) in ACTS {
		ExtBuilder.build_and_execute(|| {
			market();
			go_to_reveals();
			go(3);
			come_back(3);
			go_to_epoch(2);
			assert_eq!(found(), (200, vec![1, 2, 3]));
			clear();
			assert_noop!(prune(), Error::<Test>::NothingToPrune);
			assert_eq!((lost(), reserved(3)), ([0; 4], BOND));
		});
	}
}

#[test]
fn a_node_that_goes_before_it_can_look_should_be_out_of_the_next_epoch() {
	for (go, come_back) in ACTS {
		ExtBuilder.build_and_execute(|| {
			market();
			go_to(EPOCH + FIRST_REVEAL - 1);
			go(3);
			go_to_epoch(2);
			come_back(3);
			assert_eq!(found().1, vec![1, 2, 4]);
			clear();
			assert_noop!(prune(), Error::<Test>::NothingToPrune);
			assert_eq!(lost(), [0; 4]);
		});
	}
}

#[test]
fn a_node_that_comes_while_asks_are_opened_should_count_in_the_epoch_after_the_next() {
	for (go, come_back) in ACTS {
		ExtBuilder.build_and_execute(|| {
			market();
			go(3);
			go_to_reveals();
			come_back(3);
			go_to_epoch(2);
			assert_eq!(found().1, vec![1, 2, 4]);
			clear();
			assert_noop!(prune(), Error::<Test>::NothingToPrune);
			assert_eq!((lost(), reserved(3)), ([0; 4], BOND));
			go_to_reveals();
			go_to_epoch(3);
			assert_eq!(found().1, vec![1, 2, 3]);
		});
	}
}

#[test]
fn a_place_should_not_be_had_from_a_node_that_went_after_a_look_but_by_asking_less() {
	for (go, _) in ACTS {
		ExtBuilder.build_and_execute(|| {
			for node in 0..MAX_ASKS {
				ask(node, COMPUTE, 10);
			}
			host(MAX_ASKS, MODEL);
			go_to_reveals();
			go(5);
			// A partner's, that is revealed or not as its hand would have it.
			ask(MAX_ASKS, COMPUTE, MAX_ASK);
			assert_eq!((Split::ask_of(MAX_ASKS, MODEL, COMPUTE), reserved(MAX_ASKS)), (None, 0));
			assert_eq!((Split::ask_of(5, MODEL, COMPUTE), reserved(5)), (Some(10), BOND));
			ask(MAX_ASKS, COMPUTE, 9);
			assert_eq!(Split::ask_of(MAX_ASKS, MODEL, COMPUTE), Some(9));
			// Of equals the latest comer.
			assert_eq!(Split::ask_of(MAX_ASKS - 1, MODEL, COMPUTE), None);
			assert_eq!(Split::ask_of(5, MODEL, COMPUTE), Some(10));
		});
	}
}

#[test]
fn a_better_ask_should_have_its_place_when_its_node_would_rather_not_after_a_look() {
	ExtBuilder.build_and_execute(|| {
		for node in 0..MAX_ASKS {
			ask(node, COMPUTE, 10);
		}
		host(MAX_ASKS, MODEL);
		assert_ok!(commit(MAX_ASKS, COMPUTE, Some(9)));
		go_to_reveals();
		fall_silent(MAX_ASKS);
		assert_ok!(reveal(MAX_ASKS, COMPUTE, Some(9)));
		assert_eq!(Split::ask_of(MAX_ASKS, MODEL, COMPUTE), Some(9));
		go_to_epoch(1);
		assert_eq!(found().1.first(), Some(&MAX_ASKS));
	});
}

#[test]
fn a_node_that_comes_while_asks_are_opened_should_take_no_place_from_one_that_was_there() {
	for (go, come_back) in ACTS {
		ExtBuilder.build_and_execute(|| {
			for node in 0..MAX_ASKS {
				ask(node, COMPUTE, 10);
			}
			host(MAX_ASKS, MODEL);
			go(MAX_ASKS);
			go_to_reveals();
			come_back(MAX_ASKS);
			ask(MAX_ASKS, COMPUTE, 0);
			assert_eq!((Split::ask_of(MAX_ASKS, MODEL, COMPUTE), reserved(MAX_ASKS)), (None, 0));
			assert_eq!(Split::ask_of(MAX_ASKS - 1, MODEL, COMPUTE), Some(10));
		});
	}
}

#[test]
fn a_place_should_go_to_one_that_counts_when_another_came_too_late_for_its_own() {
	for (go, come_back) in ACTS {
		ExtBuilder.build_and_execute(|| {
			for node in 0..MAX_ASKS {
				ask(node, COMPUTE, 10);
			}
			host(MAX_ASKS, MODEL);
			go(5);
			go_to_reveals();
			come_back(5);
			ask(MAX_ASKS, COMPUTE, 20);
			assert_eq!(Split::ask_of(MAX_ASKS, MODEL, COMPUTE), Some(20));
			assert_eq!((Split::ask_of(5, MODEL, COMPUTE), reserved(5)), (None, 0));
		});
	}
}

#[test]
fn an_ask_for_storage_should_stay_in_the_price_and_earn_nothing_when_its_node_goes_after_a_look() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 20);
		ask(2, STORAGE, 1);
		ask(3, STORAGE, 2);
		go_to_reveals();
		unhost(2);
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
		go_to_epoch(1);
		assert!((0..16).all(|job| open(job, 1, 0).storage == Some((3, 2))));
		assert_eq!(Clearings::<Test>::get(MODEL, 1).unwrap().storage, vec![2, 3]);
		// It has no place in the next one.
		assert_ok!(prune());
		assert_eq!((reserved(2), reserved(3)), (0, BOND));
		go_to_epoch(2);
		open(16, 1, 0);
		assert_eq!(Clearings::<Test>::get(MODEL, 2).unwrap().storage, vec![3]);
	});
}
