use super::*;
use frame_election_provider_support::{ScoreProvider, SortedListProvider};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::TokenError;

#[test]
fn bond_extra_should_hold_more_and_move_the_operator_in_the_list() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		register(2, 300);
		assert_eq!(listed(), vec![2, 1]);
		assert_ok!(NodeStaking::bond_extra(signed(1), 400));
		assert_eq!(last_event(), Event::Bonded { node, amount: 400 }.into());
		assert_eq!((held(1), record(node).bond), (550, 550));
		assert_eq!(listed(), vec![1, 2]);
		assert_eq!(NodeStaking::score(&1), Some(550));
	});
}

#[test]
fn bond_extra_should_fail_when_there_is_nothing_to_hold() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(NodeStaking::bond_extra(signed(1), 1), Error::<Test>::NotRegistered);
		register(1, 150);
		assert_noop!(NodeStaking::bond_extra(signed(1), 0), Error::<Test>::ZeroAmount);
		assert_noop!(NodeStaking::bond_extra(signed(1), ISSUED), TokenError::FundsUnavailable);
		assert_noop!(
			NodeStaking::bond_extra(signed(1), Balance::MAX),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn unbond_should_keep_the_money_held_until_it_is_ready() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 500);
		assert_ok!(NodeStaking::unbond(signed(1), 100));
		assert_eq!(
			last_event(),
			Event::Unbonded {
				node,
				amount: 100,
				session: 4
			}
			.into()
		);
		assert_ok!(NodeStaking::unbond(signed(1), 50));
		assert_eq!(
			record(node).unbonding.to_vec(),
			vec![UnbondingChunk {
				amount: 150,
				session: 4
			}]
		);
		assert_eq!((record(node).bond, held(1)), (350, 500));
		assert_noop!(
			NodeStaking::withdraw_unbonded(signed(1)),
			Error::<Test>::NothingToWithdraw
		);
		pass_sessions(1);
		assert_ok!(NodeStaking::unbond(signed(1), 50));
		pass_sessions(2);
		assert_noop!(
			NodeStaking::withdraw_unbonded(signed(1)),
			Error::<Test>::NothingToWithdraw
		);
		pass_sessions(1);
		assert_ok!(NodeStaking::withdraw_unbonded(signed(1)));
		assert_eq!(last_event(), Event::Withdrawn { node, amount: 150 }.into());
		assert_eq!((record(node).bond, held(1)), (300, 350));
		assert_noop!(
			NodeStaking::withdraw_unbonded(signed(1)),
			Error::<Test>::NothingToWithdraw
		);
		pass_sessions(1);
		assert_ok!(NodeStaking::withdraw_unbonded(signed(1)));
		assert_eq!((held(1), Balances::free_balance(1)), (300, ISSUED - 300));
		assert_noop!(NodeStaking::withdraw_unbonded(signed(2)), Error::<Test>::NotRegistered);
	});
}

#[test]
fn unbond_should_leave_all_or_nothing_below_the_least_bond() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_noop!(NodeStaking::unbond(signed(1), 0), Error::<Test>::ZeroAmount);
		assert_noop!(NodeStaking::unbond(signed(1), 51), Error::<Test>::BondTooSmall);
		assert_noop!(NodeStaking::unbond(signed(1), 151), Error::<Test>::ExceedsBond);
		assert_noop!(NodeStaking::unbond(signed(1), Balance::MAX), Error::<Test>::ExceedsBond);
		assert_ok!(NodeStaking::unbond(signed(1), 50));
		assert_ok!(NodeStaking::unbond(signed(1), 100));
		assert!(!VoterList::contains(&1));
		assert_eq!(NodeStaking::score(&1), None);
		// A way back in goes through the least bond again.
		assert_noop!(NodeStaking::bond_extra(signed(1), 99), Error::<Test>::BondTooSmall);
		assert_ok!(NodeStaking::bond_extra(signed(1), 100));
		assert!(VoterList::contains(&1));
		assert_eq!((record(node).bond, held(1)), (100, 250));
	});
}

#[test]
fn unbond_should_leave_what_is_reserved() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 500);
		beat(node, 4);
		assert_ok!(NodeStaking::reserve(node, 300));
		assert_noop!(NodeStaking::unbond(signed(1), 201), Error::<Test>::BondReserved);
		assert_noop!(NodeStaking::unbond(signed(1), 500), Error::<Test>::BondReserved);
		assert_ok!(NodeStaking::unbond(signed(1), 200));
		NodeStaking::free_slot(node);
		assert_noop!(NodeStaking::unbond(signed(1), 300), Error::<Test>::BondReserved);
		NodeStaking::release(node, 300);
		assert_ok!(NodeStaking::unbond(signed(1), 300));
	});
}

#[test]
fn unbond_should_fail_when_too_many_chunks_wait() {
	ExtBuilder::default().build_and_execute(|| {
		register(1, 1_000);
		for _ in 0..3 {
			assert_ok!(NodeStaking::unbond(signed(1), 10));
			pass_sessions(1);
		}
		assert_noop!(NodeStaking::unbond(signed(1), 10), Error::<Test>::TooManyUnbonding);
		pass_sessions(1);
		assert_ok!(NodeStaking::withdraw_unbonded(signed(1)));
		assert_ok!(NodeStaking::unbond(signed(1), 10));
	});
}

#[test]
fn bond_extra_should_not_list_the_operator_when_it_is_chilled() {
	ExtBuilder::default().build_and_execute(|| {
		register(1, 150);
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_ok!(NodeStaking::bond_extra(signed(1), 100));
		assert!(!VoterList::contains(&1));
		assert_ok!(NodeStaking::unbond(signed(1), 20));
		assert_ok!(NodeStaking::resume(signed(1)));
		assert_eq!(VoterList::get_score(&1), Ok(230));
	});
}
