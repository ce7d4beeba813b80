use super::*;
use frame_election_provider_support::SortedListProvider;
use frame_support::assert_noop;
use sp_runtime::{ArithmeticError, TokenError};

fn undelegate(who: AccountId, node: NodeId, amount: Balance) {
	assert_ok!(NodeStaking::undelegate(signed(who), node, amount));
}

fn withdraw(who: AccountId, node: NodeId) -> Balance {
	let before = free(who);
	assert_ok!(NodeStaking::withdraw_delegation(signed(who), node));
	free(who) - before
}

/// An offence that takes the share of everything in a session of its own.
fn slash(operator: AccountId, share: Perbill) {
	pass_sessions(1);
	report(&[operator], share, NodeStaking::current_session());
}

#[test]
fn delegate_should_move_coins_into_the_pot_and_stake_behind_the_node() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_ok!(NodeStaking::delegate(signed(2), node, 1_000, percent(10)));
		assert_eq!(
			last_event(),
			Event::Delegated {
				node,
				delegator: 2,
				amount: 1_000
			}
			.into()
		);
		assert_eq!((free(2), pot()), (ISSUED - 1_000, ED + 1_000));
		assert_eq!(VoterList::get_score(&1), Ok(1_150));
		assert_eq!(NodeStaking::pool(node).active.stake, 1_000);
		delegate(2, node, 500);
		delegate(3, node, MIN_DELEGATION);
		assert_eq!((worth(2), worth(3)), (1_500, MIN_DELEGATION));
		assert_eq!(VoterList::get_score(&1), Ok(1_660));
		assert_eq!(record(node).bond, 150, "the bond is the operator's alone");
	});
}

#[test]
fn delegate_should_fail_when_it_is_too_little_or_would_take_the_last_coins() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		let try_it = |amount| NodeStaking::delegate(signed(2), node, amount, Perbill::one());
		assert_noop!(try_it(0), Error::<Test>::DelegationTooSmall);
		assert_noop!(try_it(MIN_DELEGATION - 1), Error::<Test>::DelegationTooSmall);
		assert_noop!(try_it(Balance::MAX), ArithmeticError::Underflow);
		assert_noop!(try_it(ISSUED), TokenError::NotExpendable);
		assert_noop!(try_it(ISSUED - ED + 1), TokenError::NotExpendable);
		assert_ok!(try_it(ISSUED - ED));
		assert_eq!(free(2), ED);
	});
}

#[test]
fn delegate_should_fail_when_the_node_cannot_validate() {
	ExtBuilder::default().build_and_execute(|| {
		let try_it = || NodeStaking::delegate(signed(2), 0, 100, Perbill::one());
		assert_noop!(try_it(), Error::<Test>::UnknownNode);
		register(1, 150);
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_noop!(try_it(), Error::<Test>::NodeChilled);
		assert_ok!(NodeStaking::resume(signed(1)));
		assert_eq!(NodeStaking::fine(0, 51, &20), 51);
		assert_noop!(try_it(), Error::<Test>::NotBonded);
		assert_ok!(NodeStaking::unbond(signed(1), 99));
		assert_noop!(try_it(), Error::<Test>::NotBonded);
	});
}

#[test]
fn undelegate_should_take_all_or_leave_the_least_delegation() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		delegate(2, node, 100);
		let try_it = |amount| NodeStaking::undelegate(signed(2), node, amount);
		assert_noop!(try_it(0), Error::<Test>::ZeroAmount);
		assert_noop!(try_it(91), Error::<Test>::DelegationTooSmall);
		assert_noop!(try_it(99), Error::<Test>::DelegationTooSmall);
		assert_noop!(
			NodeStaking::undelegate(signed(3), node, 10),
			Error::<Test>::NotDelegated
		);
		assert_noop!(
			NodeStaking::undelegate(signed(2), node + 1, 10),
			Error::<Test>::NotDelegated
		);
		assert_ok!(try_it(90));
		assert_eq!(
			last_event(),
			Event::Undelegated {
				node,
				delegator: 2,
				amount: 90,
				session: 4
			}
			.into()
		);
		assert_eq!((worth(2), VoterList::get_score(&1)), (10, Ok(160)));
		// More than there is: everything.
		assert_ok!(try_it(Balance::MAX));
		assert_eq!(delegations(2)[0].unbonding, vec![(100, 4)], "one part a session");
		assert_noop!(try_it(1), Error::<Test>::NotDelegated);
		assert_eq!(pot(), ED + 100, "it stays there, within reach");
	});
}

#[test]
fn withdraw_should_give_back_what_is_ready_in_order() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_noop!(
			NodeStaking::withdraw_delegation(signed(2), node),
			Error::<Test>::NotDelegated
		);
		delegate(2, node, 1_000);
		let try_it = || NodeStaking::withdraw_delegation(signed(2), node);
		assert_noop!(try_it(), Error::<Test>::NothingToWithdraw);
		for amount in [100, 200, 300] {
			undelegate(2, node, amount);
			pass_sessions(1);
		}
		assert_noop!(
			NodeStaking::undelegate(signed(2), node, 50),
			Error::<Test>::TooManyUnbonding
		);
		assert_noop!(try_it(), Error::<Test>::NothingToWithdraw);
		pass_sessions(1);
		assert_eq!(withdraw(2, node), 100);
		assert_eq!(
			last_event(),
			Event::DelegationWithdrawn {
				node,
				delegator: 2,
				amount: 100
			}
			.into()
		);
		undelegate(2, node, 50);
		assert_eq!(delegations(2)[0].unbonding, vec![(200, 5), (300, 6), (50, 8)]);
		pass_sessions(2);
		assert_eq!(withdraw(2, node), 500);
		undelegate(2, node, 350);
		pass_sessions(4);
		assert_eq!(withdraw(2, node), 400);
		assert_eq!((free(2), pot()), (ISSUED, ED));
		assert_eq!(Delegations::<Test>::iter().count(), 0, "nothing is kept of who left");
	});
}

#[test]
fn slash_should_reach_what_is_unbonding_and_in_proportion() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_000);
		delegate(2, node, 1_000);
		delegate(3, node, 500);
		undelegate(2, node, 400);
		slash(1, percent(25));
		undelegate(2, node, 150);
		assert_eq!(delegations(2)[0].unbonding, vec![(300, 4), (150, 5)]);
		assert_eq!((worth(2), worth(3)), (300, 375));
		slash(1, percent(50));
		assert_eq!(delegations(2)[0].unbonding, vec![(150, 4), (75, 5)]);
		assert_eq!((worth(2), worth(3)), (149, 187), "a unit of 675 more went: rounded up");
		pass_sessions(2);
		assert_eq!(withdraw(2, node), 150);
		pass_sessions(1);
		assert_eq!(withdraw(2, node), 75);
		undelegate(2, node, Balance::MAX);
		undelegate(3, node, Balance::MAX);
		pass_sessions(4);
		// Rounded against who leaves first, and nothing stays behind.
		assert_eq!((withdraw(2, node), withdraw(3, node), pot()), (149, 188, ED));
	});
}

#[test]
fn newcomer_should_get_what_it_brings_when_the_pool_was_slashed_before() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_000);
		delegate(2, node, 1_000);
		slash(1, percent(37));
		assert_ok!(NodeStaking::resume(signed(1)));
		delegate(3, node, 100);
		assert_eq!(worth(2), 630);
		assert!((99..=100).contains(&worth(3)));
		slash(1, percent(10));
		assert_eq!((worth(2), worth(3)), (567, 89));
	});
}

#[test]
fn everybody_should_begin_anew_when_a_slash_took_everything() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_000);
		delegate(2, node, 1_000);
		delegate(3, node, 1_000);
		undelegate(3, node, 400);
		author(1, 1);
		// The session's 1,000: 10 % commission, then 1,000 own to 1,600 delegated; a point earns 554 / 1,600.
		slash(1, percent(100));
		assert_eq!((worth(2), worth(3)), (0, 0));
		assert_eq!(delegations(3)[0].unbonding, vec![(0, 4)]);
		assert_eq!((rewards(2), rewards(3)), (345, 207), "earned before");
		assert_eq!(held(1), 0);
		assert_noop!(
			NodeStaking::undelegate(signed(2), node, 10),
			Error::<Test>::NotDelegated
		);
		assert_noop!(
			NodeStaking::delegate(signed(4), node, 100, Perbill::one()),
			Error::<Test>::NotBonded
		);
		assert_ok!(NodeStaking::bond_extra(signed(1), 1_000));
		assert_ok!(NodeStaking::resume(signed(1)));
		// A stranger and one of the old ones come: worth what they bring, and the old points are worth nothing.
		delegate(4, node, 100);
		delegate(2, node, 300);
		assert_eq!((worth(4), worth(2), worth(3)), (100, 300, 0));
		assert_eq!((rewards(4), rewards(2), rewards(3)), (0, 345, 207));
		author(1, 1);
		pass_sessions(1);
		// 999 of the second session: 899 shared, 400 of 1,400 stake are delegated.
		assert_eq!((rewards(4), rewards(2), rewards(3)), (64, 345 + 192, 207));
		assert_ok!(NodeStaking::claim_rewards(signed(3), node));
		assert_eq!(free(3), ISSUED - 1_000 + 207);
		pass_sessions(3);
		assert_eq!(withdraw(3, node), 0, "clears away what is worth nothing");
		assert!(delegations(3).is_empty());
		assert_eq!(FormerGenerations::<Test>::iter().count(), 0);
	});
}

#[test]
fn claim_should_clear_worthless_points_away_when_they_never_earned() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_000);
		delegate(2, node, 1_000);
		slash(1, percent(100));
		assert_eq!(FormerGenerations::<Test>::iter().count(), 1);
		assert_ok!(NodeStaking::claim_rewards(signed(2), node));
		assert_eq!(Delegations::<Test>::iter().count(), 0);
		assert_eq!(FormerGenerations::<Test>::iter().count(), 0);
		assert_noop!(
			NodeStaking::claim_rewards(signed(2), node),
			Error::<Test>::NothingToClaim
		);
	});
}

#[test]
fn wiped_pools_should_pay_each_generation_its_own_rewards() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_024);
		for who in 2..=4 {
			delegate(who, node, 1_024);
			author(1, 1);
			slash(1, percent(100));
			assert_ok!(NodeStaking::bond_extra(signed(1), 1_024));
			assert_ok!(NodeStaking::resume(signed(1)));
		}
		assert_eq!(FormerGenerations::<Test>::iter().count(), 3);
		// Alone with the operator, half of 90 % of the session each: of 1,000, 999 and 999.
		assert_eq!((rewards(2), rewards(3), rewards(4)), (450, 449, 449));
		for who in [3, 2, 4] {
			assert_ok!(NodeStaking::claim_rewards(signed(who), node));
		}
		assert_eq!(FormerGenerations::<Test>::iter().count(), 0);
		assert_eq!(NodeStaking::pool(node).unsettled, 0, "dust went to the operator");
	});
}

#[test]
fn dust_should_leave_no_record_behind() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_000);
		delegate(2, node, 10);
		delegate(3, node, 10);
		// One unit for twenty points: half a unit each.
		slash(1, percent(95));
		assert_eq!((NodeStaking::pool(node).active.stake, worth(2), worth(3)), (1, 0, 0));
		undelegate(2, node, 5);
		assert!(delegations(2).is_empty(), "nothing was left to wait for");
		assert_eq!(worth(3), 1, "the last one has all that is there");
		undelegate(3, node, 1);
		pass_sessions(4);
		// Below the existential deposit, to an account that exists.
		assert_eq!(withdraw(3, node), 1);
		assert_eq!(pot(), ED);
	});
}

#[test]
fn withdraw_should_wait_when_the_account_is_gone_and_the_amount_too_small() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_000);
		delegate(2, node, 20);
		slash(1, percent(95));
		undelegate(2, node, 1);
		pass_sessions(4);
		assert_ok!(Balances::transfer_all(signed(2), 3, false));
		assert_noop!(
			NodeStaking::withdraw_delegation(signed(2), node),
			TokenError::BelowMinimum
		);
		assert_ok!(Balances::transfer_allow_death(signed(3), 2, ED));
		assert_eq!(withdraw(2, node), 1);
	});
}

#[test]
fn delegators_should_leave_at_any_time_when_the_node_is_gone() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_024);
		delegate(2, node, 512);
		delegate(3, node, 512);
		author(1, 1);
		pass_sessions(1);
		undelegate(3, node, 100);
		assert_ok!(NodeStaking::unbond(signed(1), 1_024));
		pass_sessions(4);
		undelegate(3, node, 100);
		assert_ok!(NodeStaking::deregister(signed(1)));
		assert!(NodeStaking::node(node).is_none());
		// The operator was paid, and has another node by now.
		assert_eq!(free(1), ISSUED + 550);
		let again = register(1, 1_000);
		assert_ne!(again, node);
		assert_eq!(VoterList::get_score(&1), Ok(1_000));
		assert_noop!(
			NodeStaking::delegate(signed(2), node, 100, Perbill::one()),
			Error::<Test>::UnknownNode
		);
		assert_noop!(
			NodeStaking::claim_rewards(signed(1), node),
			Error::<Test>::NothingToClaim
		);
		report(&[1], percent(50), 5);
		assert_eq!(
			(worth(2), worth(3)),
			(512, 312),
			"the old node's stake is out of its reach"
		);
		// Nothing is left to wait for.
		assert_eq!(withdraw(3, node), 200);
		undelegate(2, node, 512);
		assert_eq!(withdraw(2, node), 512);
		assert_ok!(NodeStaking::claim_rewards(signed(2), node));
		undelegate(3, node, 312);
		assert_ok!(NodeStaking::claim_rewards(signed(3), node));
		assert!(Pools::<Test>::contains_key(node));
		assert_eq!(withdraw(3, node), 312);
		assert_eq!((free(2), free(3)), (ISSUED + 225, ISSUED + 225));
		assert!(!Pools::<Test>::contains_key(node) && Delegations::<Test>::iter().count() == 0);
		assert_eq!(pot(), ED);
	});
}

#[test]
fn worthless_parts_should_not_keep_the_pool_of_a_gone_node() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_000);
		delegate(2, node, 500);
		undelegate(2, node, 100);
		slash(1, percent(100));
		pass_sessions(4);
		assert_ok!(NodeStaking::reap(signed(9), node));
		assert!(
			Pools::<Test>::contains_key(node),
			"rewards of a former generation may be owed"
		);
		assert_ok!(NodeStaking::claim_rewards(signed(2), node));
		assert!(!Pools::<Test>::contains_key(node));
		assert_eq!(withdraw(2, node), 0);
		assert!(delegations(2).is_empty());
	});
}

#[test]
fn operator_should_be_a_delegator_like_any_other() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 1_024);
		delegate(1, node, 1_024);
		assert_eq!((record(node).bond, worth(1)), (1_024, 1_024));
		author(1, 1);
		pass_sessions(1);
		assert_eq!((NodeStaking::pool(node).operator_rewards, rewards(1)), (550, 450));
		assert_ok!(NodeStaking::claim_rewards(signed(1), node));
		assert_eq!(
			last_event(),
			Event::RewardsClaimed {
				node,
				account: 1,
				amount: 1_000
			}
			.into()
		);
		assert_eq!(free(1), ISSUED - 2_048 + 1_000);
	});
}

#[test]
fn delegations_should_be_shown_in_the_order_of_nodes_and_in_pages() {
	ExtBuilder::default().build_and_execute(|| {
		for operator in 1..=6 {
			let node = register(operator, 150);
			delegate(9, node, 100 + Balance::from(node));
		}
		delegate(8, 0, 50);
		let shown = |from, limit| {
			let (page, next) = NodeStaking::delegations_from(&9, from, limit);
			(
				page.iter().map(|view| (view.node, view.amount)).collect::<Vec<_>>(),
				next,
			)
		};
		assert_eq!(shown(0, 2), (vec![(0, 100), (1, 101)], Some(2)));
		assert_eq!(shown(4, 64), (vec![(4, 104), (5, 105)], None));
		assert_eq!(shown(6, 64), (vec![], None));
		assert_eq!(shown(0, u32::MAX).0.len(), 6);
	});
}
