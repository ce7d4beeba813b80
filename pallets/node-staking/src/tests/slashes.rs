//! Slashes after audits and fines for lateness.

use super::*;
use frame_election_provider_support::SortedListProvider;
use frame_support::assert_noop;

/// Where slashes and fines go; it has coins already.
const MARKET: AccountId = 20;

#[test]
fn slash_should_move_what_is_reserved_and_chill_the_node() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 2);
		assert_ok!(NodeStaking::reserve(node, 300));
		assert_ok!(NodeStaking::secure(node, 50));
		assert_eq!(NodeStaking::slash(node, 300, &MARKET), 300);
		System::assert_has_event(Event::Slashed { node, amount: 300 }.into());
		System::assert_has_event(Event::Chilled { node }.into());
		assert_eq!(free(MARKET), ISSUED + 300, "free, not on hold");
		assert_eq!((record(node).bond, held(1)), (200, 200));
		assert_eq!(standing(node).reserved, 50, "the other reservation stays");
		assert!(record(node).chilled && !VoterList::contains(&1));
		assert_eq!(NodeStaking::active_operators(), 0);
		assert_eq!(NodeStaking::slashed(node).convictions, 300);
		assert_eq!(NodeStaking::slashed(node).own(), 300);
		// Jail ends by its operator's word.
		assert!(!NodeStaking::is_eligible(node));
		assert_ok!(NodeStaking::resume(signed(1)));
		assert!(NodeStaking::is_eligible(node) && VoterList::contains(&1));
		assert_eq!(NodeStaking::active_operators(), 1);
	});
}

#[test]
fn slash_should_never_take_more_than_is_reserved() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 2);
		assert_eq!(NodeStaking::slash(node, 10, &MARKET), 0, "nothing is reserved");
		assert_ok!(NodeStaking::resume(signed(1)));
		assert_ok!(NodeStaking::reserve(node, 100));
		assert_eq!(NodeStaking::slash(node, 0, &MARKET), 0);
		assert!(record(node).chilled, "a conviction all the same");
		assert_eq!(NodeStaking::slash(node, Balance::MAX, &MARKET), 100);
		assert_eq!((record(node).bond, standing(node).reserved), (400, 0));
		assert_eq!(NodeStaking::slash(node, Balance::MAX, &MARKET), 0);
		assert_eq!(free(MARKET), ISSUED + 100);
	});
}

#[test]
fn slash_should_leave_stake_of_others_alone() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 2);
		delegate(2, node, 1_000);
		assert_ok!(NodeStaking::reserve(node, 500));
		assert_eq!(NodeStaking::slash(node, 500, &MARKET), 500);
		assert_eq!((worth(2), pot()), (1_000, 1_000 + ED));
	});
}

#[test]
fn node_should_need_its_least_bond_again_when_a_slash_left_less() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 150, 2);
		assert_ok!(NodeStaking::reserve(node, 100));
		NodeStaking::free_slot(node);
		assert_eq!(NodeStaking::slash(node, 100, &MARKET), 100);
		assert_eq!(record(node).bond, 50);
		assert_noop!(NodeStaking::resume(signed(1)), Error::<Test>::NotBonded);
		assert_noop!(NodeStaking::bond_extra(signed(1), 49), Error::<Test>::BondTooSmall);
		assert_noop!(NodeStaking::unbond(signed(1), 1), Error::<Test>::BondTooSmall);
		assert_ok!(NodeStaking::bond_extra(signed(1), 50));
		assert_ok!(NodeStaking::resume(signed(1)));
		assert!(NodeStaking::is_eligible(node));
	});
}

#[test]
fn node_should_stay_until_no_offence_can_be_reported_when_its_whole_bond_was_slashed() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 150, 2);
		delegate(2, node, 100);
		pass_sessions(1);
		beat(node, 2);
		assert_ok!(NodeStaking::reserve(node, 150));
		assert_eq!(NodeStaking::slash(node, 150, &MARKET), 150);
		assert_noop!(NodeStaking::deregister(signed(1)), Error::<Test>::JobsOpen);
		NodeStaking::free_slot(node);
		assert_eq!((record(node).bond, held(1)), (0, 0));
		assert_noop!(NodeStaking::deregister(signed(1)), Error::<Test>::StillUnbonding);
		assert_noop!(NodeStaking::reap(signed(3), node), Error::<Test>::StillUnbonding);
		pass_sessions(2);
		// The offence of a node without any bond reaches those who stood behind it.
		report(&[1], percent(50), 1);
		assert_eq!(worth(2), 50);
		pass_sessions(2);
		assert_ok!(NodeStaking::reap(signed(3), node));
		assert_eq!(Slashes::<Test>::iter().count(), 0);
	});
}

#[test]
fn fine_should_take_unbonding_stake_first_and_never_what_is_reserved() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 2);
		assert_ok!(NodeStaking::unbond(signed(1), 30));
		pass_sessions(1);
		beat(node, 2);
		assert_ok!(NodeStaking::unbond(signed(1), 40));
		assert_ok!(NodeStaking::reserve(node, 400));
		assert_eq!(NodeStaking::fine(node, 50, &MARKET), 50);
		assert_eq!(last_event(), Event::Fined { node, amount: 50 }.into());
		assert_eq!(
			record(node).unbonding.to_vec(),
			vec![UnbondingChunk { amount: 20, session: 5 }],
			"earliest first"
		);
		assert_eq!((record(node).bond, held(1)), (430, 450));
		assert_eq!(NodeStaking::fine(node, Balance::MAX, &MARKET), 50);
		assert_eq!((record(node).bond, standing(node).reserved), (400, 400));
		assert!(record(node).unbonding.is_empty());
		assert_eq!(NodeStaking::fine(node, 1, &MARKET), 0, "the rest is reserved");
		assert_eq!(NodeStaking::fine(node, 0, &MARKET), 0);
		assert_eq!(NodeStaking::fine(99, 5, &MARKET), 0, "no such node");
		assert!(!record(node).chilled, "late is not guilty");
		assert_eq!(NodeStaking::slashed(node).fines, 100);
		assert_eq!(free(MARKET), ISSUED + 100);
	});
}

#[test]
fn fine_should_take_the_node_out_of_the_draws_when_less_than_the_least_bond_is_left() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 150, 2);
		delegate(2, node, 100);
		assert_eq!(NodeStaking::fine(node, 100, &MARKET), 100);
		assert_eq!(NodeStaking::draw_weight(node, 1, 0), 0);
		assert!(!NodeStaking::is_eligible(node) && NodeStaking::active_operators() == 0);
		assert_eq!(
			VoterList::get_score(&1),
			Ok(150),
			"listed by what is left and what is delegated"
		);
		assert_eq!(NodeStaking::fine(node, 100, &MARKET), 50);
		assert!(!VoterList::contains(&1));
		assert_noop!(NodeStaking::reap(signed(3), node), Error::<Test>::StillUnbonding);
	});
}
