//! What is said under seal, what it costs not to open it, and that nobody can hide from that.

use super::*;
use crate::{
	pallet::{Asks, CommitmentPlaces, CommitmentQueues, Commitments},
	Error, WeightInfo,
};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

const COMPUTE: AskRole = AskRole::Compute;

fn reserved(node: NodeId) -> Balance {
	TestNodes::get(node).unwrap().reserved
}

fn bond_of(node: NodeId) -> Balance {
	TestNodes::get(node).unwrap().bond
}

/// The node commits to ask 40, and the epoch ends.
fn break_a_commitment(node: NodeId) {
	host(node, MODEL);
	assert_ok!(commit(node, COMPUTE, Some(40)));
	go_to_epoch(Split::current_epoch() + 1);
}

#[test]
fn an_ask_should_hold_from_the_next_epoch_when_committed_and_revealed() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		let (model, role, node) = (MODEL, COMPUTE, 1);
		assert_ok!(commit(1, COMPUTE, Some(40)));
		assert_eq!(reserved(1), BOND);
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), None);
		go_to_reveals();
		assert_ok!(reveal(1, COMPUTE, Some(40)));
		// The ask takes the bond over.
		assert_eq!(reserved(1), BOND);
		assert!(Split::quote(&order(1, 0)).is_err());
		assert_eq!(
			events(),
			vec![
				Event::AskCommitted {
					model,
					role,
					node,
					epoch: 1,
					bond: BOND
				},
				Event::AskRevealed {
					model,
					role,
					node,
					price: 40,
					from: 1
				}
			]
		);
		go_to_epoch(1);
		assert_eq!(Split::quote(&order(1, 0)).unwrap().compute, 40);
		// It stands until it is changed.
		go_to_epoch(9);
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), Some(40));
		assert_eq!(
			Commitments::<Test>::iter().count() + CommitmentQueues::<Test>::iter().count(),
			0
		);
	});
}

#[test]
fn phases_should_part_at_two_thirds_of_the_epoch() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		host(2, MODEL);
		assert_noop!(reveal(1, COMPUTE, Some(1)), Error::<Test>::NotRevealPhase);
		go_to(FIRST_REVEAL - 1);
		assert_ok!(commit(1, COMPUTE, Some(1)));
		assert_noop!(reveal(1, COMPUTE, Some(1)), Error::<Test>::NotRevealPhase);
		go_to(FIRST_REVEAL);
		assert_noop!(commit(2, COMPUTE, Some(1)), Error::<Test>::NotCommitPhase);
		go_to(EPOCH - 1);
		assert_noop!(commit(2, COMPUTE, Some(1)), Error::<Test>::NotCommitPhase);
		assert_ok!(reveal(1, COMPUTE, Some(1)));
		go_to(EPOCH);
		assert_ok!(commit(2, COMPUTE, Some(1)));
		assert_noop!(reveal(2, COMPUTE, Some(1)), Error::<Test>::NotRevealPhase);
		go_to_epoch(2);
		go_to_reveals();
		// Its time is over for good.
		assert_noop!(reveal(2, COMPUTE, Some(1)), Error::<Test>::NotCommitted);
	});
}

#[test]
fn commit_ask_should_refuse_when_a_condition_is_not_met() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		host(1, 100);
		let commit_to = |origin, model| Split::commit_ask(origin, model, COMPUTE, Default::default());
		let operator = RuntimeOrigin::signed(operator_of(1));
		assert_noop!(
			commit_to(RuntimeOrigin::signed(PAYER), MODEL),
			Error::<Test>::NotAnOperator
		);
		assert_noop!(commit_to(RuntimeOrigin::root(), MODEL), DispatchError::BadOrigin);
		assert_noop!(commit_to(operator.clone(), 8), Error::<Test>::NotHosting);
		assert_noop!(commit_to(operator.clone(), 100), Error::<Test>::UnknownModel);
		with_node(1, |node| node.bond = BOND - 1);
		assert!(commit_to(operator.clone(), MODEL).is_err());
		with_node(1, |node| node.bond = NODE_BOND);
		fall_silent(1);
		assert!(commit_to(operator.clone(), MODEL).is_err());
		assert_eq!((reserved(1), Commitments::<Test>::iter().count()), (0, 0));
		with_node(1, |node| node.able = true);
		assert_ok!(commit_to(operator, MODEL));
	});
}

#[test]
fn commit_ask_should_refuse_a_second_one_for_the_same_epoch() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		assert_ok!(commit(1, COMPUTE, Some(1)));
		assert_noop!(commit(1, COMPUTE, Some(2)), Error::<Test>::AlreadyCommitted);
		assert_ok!(commit(1, AskRole::Storage, Some(2)));
		go_to_reveals();
		assert_ok!(reveal(1, COMPUTE, Some(1)));
		assert_ok!(reveal(1, AskRole::Storage, Some(2)));
		go_to_epoch(1);
		assert_ok!(commit(1, COMPUTE, Some(2)));
		go_to_reveals();
		assert_ok!(reveal(1, COMPUTE, Some(2)));
		assert_eq!(reserved(1), 2 * BOND);
	});
}

#[test]
fn reveal_ask_should_refuse_what_was_not_committed_to() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		host(2, MODEL);
		assert_ok!(commit(1, COMPUTE, Some(40)));
		// Copied from another node: it binds to that one.
		let copied = commitment(1, COMPUTE, Some(40));
		assert_ok!(Split::commit_ask(
			RuntimeOrigin::signed(operator_of(2)),
			MODEL,
			COMPUTE,
			copied.hash
		));
		go_to_reveals();
		for price in [None, Some(39), Some(41)] {
			assert_noop!(reveal(1, COMPUTE, price), Error::<Test>::WrongReveal);
		}
		assert_noop!(reveal(1, AskRole::Storage, Some(40)), Error::<Test>::NotCommitted);
		for of in [1, 2] {
			let (origin, salt) = (RuntimeOrigin::signed(operator_of(2)), salt(of));
			assert_noop!(
				Split::reveal_ask(origin, MODEL, COMPUTE, Some(40), salt),
				Error::<Test>::WrongReveal
			);
		}
		assert_ok!(reveal(1, COMPUTE, Some(40)));
		assert_noop!(reveal(1, COMPUTE, Some(40)), Error::<Test>::NotCommitted);
	});
}

#[test]
fn reveal_ask_should_refuse_a_price_that_may_not_be_asked() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		host(2, MODEL);
		assert_ok!(commit(1, COMPUTE, Some(MAX_ASK + 1)));
		assert_ok!(commit(2, COMPUTE, Some(MAX_ASK)));
		go_to_reveals();
		assert_noop!(reveal(1, COMPUTE, Some(MAX_ASK + 1)), Error::<Test>::AskAboveMax);
		assert_ok!(reveal(2, COMPUTE, Some(MAX_ASK)));
	});
}

#[test]
fn a_withdrawal_should_be_committed_to_and_end_the_ask_with_the_epoch() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		go_to_epoch(1);
		assert_ok!(commit(1, COMPUTE, None));
		assert_eq!(reserved(1), 2 * BOND);
		go_to_reveals();
		assert_ok!(reveal(1, COMPUTE, None));
		assert_eq!(reserved(1), 0);
		assert_eq!(Split::quote(&order(1, 0)).unwrap().compute, 40);
		go_to_epoch(2);
		assert!(Split::quote(&order(1, 0)).is_err());
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), None);
		// Whoever has nothing to withdraw has its bond back, too.
		assert_ok!(commit(1, COMPUTE, None));
		go_to_reveals();
		assert_ok!(reveal(1, COMPUTE, None));
		assert_eq!((reserved(1), bond_of(1)), (0, NODE_BOND));
	});
}

#[test]
fn a_withdrawal_should_work_when_the_node_no_longer_hosts_the_model() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		assert_ok!(commit(1, COMPUTE, None));
		unhost(1);
		go_to_reveals();
		assert_ok!(reveal(1, COMPUTE, None));
		assert!(!Asks::<Test>::contains_key(MODEL, COMPUTE));
	});
}

#[test]
fn a_broken_commitment_should_cost_its_bond_and_leave_the_standing_ask() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		let issuance = Balances::total_issuance();
		break_a_commitment(1);
		assert_eq!(reserved(1), 2 * BOND);
		// The node's own next commitment settles it.
		assert_ok!(commit(1, COMPUTE, Some(50)));
		assert_eq!((reserved(1), bond_of(1)), (2 * BOND, NODE_BOND - BOND));
		assert!(events().contains(&Event::AskForfeited {
			model: MODEL,
			role: COMPUTE,
			node: 1,
			epoch: 1,
			amount: BOND,
			burned: BOND / 2
		}));
		assert_eq!(Balances::total_issuance(), issuance - BOND / 2);
		assert_eq!(Split::claimable(&TREASURY), BOND / 2);
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), Some(40));
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn a_broken_commitment_should_be_ended_by_whoever_comes_next() {
	let next: [fn(); 3] = [
		|| {
			host(2, MODEL);
			assert_ok!(commit(2, AskRole::Storage, Some(1)));
		},
		|| {
			assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		},
		|| {
			assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
		},
	];
	for touch in next {
		ExtBuilder.build_and_execute(|| {
			ask(3, COMPUTE, 10);
			break_a_commitment(1);
			assert_eq!(reserved(1), BOND);
			touch();
			assert_eq!((reserved(1), bond_of(1)), (0, NODE_BOND - BOND));
			check_invariants();
		});
	}
}

#[test]
fn an_open_commitment_should_not_be_ended_by_anybody() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		assert_ok!(commit(1, COMPUTE, Some(40)));
		go_to(EPOCH - 1);
		unhost(1);
		let prune = Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
		assert_eq!(prune.unwrap_err().error, Error::<Test>::NothingToPrune.into());
		assert_eq!(reserved(1), BOND);
	});
}

#[test]
fn a_node_that_stops_hosting_should_not_get_out_of_its_commitment() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		assert_ok!(commit(1, COMPUTE, Some(40)));
		go_to_reveals();
		// It has seen what others ask, and would rather not.
		unhost(1);
		assert_noop!(reveal(1, COMPUTE, Some(40)), Error::<Test>::NotHosting);
		assert_noop!(reveal(1, COMPUTE, None), Error::<Test>::WrongReveal);
		go_to_epoch(1);
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		assert_eq!((reserved(1), bond_of(1)), (0, NODE_BOND - BOND));
	});
}

#[test]
fn a_broken_commitment_should_take_only_what_an_offence_left() {
	ExtBuilder.build_and_execute(|| {
		break_a_commitment(1);
		// All but ten of the bond was slashed for an offence: 20 of what was reserved is gone.
		with_node(1, |node| (node.bond, node.reserved, node.unsecured) = (10, 10, 20));
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		let node = TestNodes::get(1).unwrap();
		assert_eq!((node.bond, node.reserved, node.unsecured), (0, 0, 0));
		assert_eq!(Split::claimable(&TREASURY), 5);
	});
}

#[test]
fn a_commitment_should_give_its_bond_back_when_the_model_is_gone() {
	ExtBuilder.build_and_execute(|| {
		break_a_commitment(1);
		ModelIsGone::set(true);
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		assert_eq!((reserved(1), bond_of(1)), (0, NODE_BOND));
		assert!(!events().iter().any(|event| matches!(event, Event::AskForfeited { .. })));
	});
}

#[test]
fn a_chilled_node_should_have_a_way_out() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		assert_ok!(commit(1, AskRole::Storage, Some(4)));
		fall_silent(1);
		// What it committed to it can still reveal.
		go_to_reveals();
		assert_ok!(reveal(1, AskRole::Storage, Some(4)));
		assert_eq!(reserved(1), 2 * BOND);
		go_to_epoch(1);
		assert!(commit(1, COMPUTE, None).is_err());
		leave(1);
	});
}

#[test]
fn broken_commitments_should_be_worked_off_by_those_who_come_and_all_by_prune() {
	ExtBuilder.build_and_execute(|| {
		for node in 0..100 {
			host(node, MODEL);
			assert_ok!(commit(node, COMPUTE, Some(40)));
		}
		// Every other one opens: the queue has holes.
		go_to_reveals();
		for node in (0..100).step_by(2).take(32) {
			assert_ok!(reveal(node, COMPUTE, Some(40)));
		}
		go_to_epoch(1);
		check_invariants();
		let stored = || Commitments::<Test>::iter().count();
		assert_eq!(stored(), 68);
		// One comes in, one goes.
		host(200, MODEL);
		assert_ok!(commit(200, COMPUTE, Some(40)));
		assert_eq!(stored(), 68);
		assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
		assert!((61..68).contains(&stored()));
		let mut prunes = 0;
		while stored() > 1 {
			assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
			prunes += 1;
		}
		assert!(prunes <= 3, "what is left is less than three steps of 32");
		// What is left is open.
		assert_eq!(CommitmentQueues::<Test>::get(MODEL).compute, 1);
		go_to_reveals();
		assert_ok!(reveal(200, COMPUTE, Some(40)));
		assert_eq!((stored(), CommitmentPlaces::<Test>::iter().count()), (0, 0));
		assert!(!CommitmentQueues::<Test>::contains_key(MODEL));
	});
}

#[test]
fn bonds_should_be_free_when_a_revealed_ask_gets_no_place() {
	ExtBuilder.build_and_execute(|| {
		for node in 0..crate::MAX_ASKS {
			ask(node, COMPUTE, 10);
		}
		host(100, MODEL);
		assert_ok!(commit(100, COMPUTE, Some(10)));
		go_to_reveals();
		assert_ok!(reveal(100, COMPUTE, Some(10)));
		assert_eq!(reserved(100), 0);
		assert_eq!(
			events().last(),
			Some(&Event::AskOutbid {
				model: MODEL,
				role: COMPUTE,
				node: 100,
				price: 10
			})
		);
	});
}

#[test]
fn a_batch_should_do_what_it_can_and_weigh_what_it_did() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		host(1, 8);
		let other = AskCommitment {
			model: 8,
			..commitment(1, COMPUTE, Some(1))
		};
		let unknown = AskCommitment {
			model: 9,
			..other.clone()
		};
		let both = [
			commitment(1, COMPUTE, Some(40)),
			commitment(1, AskRole::Storage, Some(4)),
		];
		let items = [&both[..], &[both[0].clone(), unknown, other]].concat();
		let weight = Split::do_commit_asks(1, &items);
		assert_eq!(Commitments::<Test>::iter().count(), 3);
		assert_eq!(weight, <() as WeightInfo>::commit_asks(5));
		go_to_reveals();
		let wrong = opening(1, AskRole::Storage, Some(5));
		let right = opening(1, COMPUTE, Some(40));
		Split::do_reveal_asks(1, &[wrong, right.clone(), right]);
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), Some(40));
		assert_eq!(Commitments::<Test>::iter().count(), 2);
		go_to_epoch(1);
		// Each item ends one that was broken: its own, or the oldest.
		let again = [
			commitment(1, AskRole::Storage, Some(4)),
			commitment(1, COMPUTE, Some(4)),
		];
		let weight = Split::do_commit_asks(1, &again);
		let ended = <() as WeightInfo>::end_commitment();
		assert_eq!(weight, <() as WeightInfo>::commit_asks(2).saturating_add(ended));
		assert_eq!(bond_of(1), NODE_BOND - BOND);
	});
}
