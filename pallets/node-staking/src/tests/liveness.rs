use super::*;
use frame_election_provider_support::SortedListProvider;
use frame_support::{assert_noop, assert_ok};

#[test]
fn node_should_lose_eligibility_after_two_and_be_jailed_after_six_silent_sessions() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert!(!NodeStaking::is_eligible(node), "not before it was heard");
		beat(node, 4);
		let mut seen = vec![];
		for _ in 0..8 {
			seen.push((
				NodeStaking::is_eligible(node),
				NodeStaking::is_jailed(node),
				NodeStaking::heartbeat_due(node),
			));
			pass_sessions(1);
		}
		assert_eq!(
			seen,
			vec![
				(true, false, false),
				(true, false, true),
				(false, false, true),
				(false, false, true),
				(false, false, true),
				(false, false, true),
				(false, true, false),
				(false, true, false),
			]
		);
	});
}

#[test]
fn heartbeat_should_bring_a_silent_node_back_when_it_is_not_jailed() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		pass_sessions(5);
		assert!(!NodeStaking::is_jailed(node) && !NodeStaking::is_eligible(node));
		beat(node, 4);
		assert!(NodeStaking::is_eligible(node));
	});
}

#[test]
fn resume_should_restart_the_count_and_wait_for_a_heartbeat_when_the_node_is_jailed() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		beat(node, 4);
		assert_noop!(NodeStaking::resume(signed(1)), Error::<Test>::AlreadyActive);
		pass_sessions(6);
		assert!(NodeStaking::is_jailed(node));
		assert!(VoterList::contains(&1), "a jailed node may still validate");
		assert_ok!(NodeStaking::resume(signed(1)));
		assert_eq!(last_event(), Event::Resumed { node }.into());
		assert!(!NodeStaking::is_jailed(node) && NodeStaking::heartbeat_due(node));
		assert!(!NodeStaking::is_eligible(node));
		beat(node, 4);
		assert!(NodeStaking::is_eligible(node));
	});
}

#[test]
fn chill_should_take_the_node_out_until_it_resumes() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(NodeStaking::chill(signed(1)), Error::<Test>::NotRegistered);
		assert_noop!(NodeStaking::resume(signed(1)), Error::<Test>::NotRegistered);
		let node = register(1, 150);
		beat(node, 4);
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_eq!(last_event(), Event::Chilled { node }.into());
		assert!(!NodeStaking::is_eligible(node) && !VoterList::contains(&1));
		assert_noop!(NodeStaking::chill(signed(1)), Error::<Test>::AlreadyChilled);
		assert_ok!(NodeStaking::resume(signed(1)));
		assert!(NodeStaking::is_eligible(node) && VoterList::contains(&1));
	});
}

#[test]
fn resume_should_end_chill_and_jail_together_when_both_hold() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_ok!(NodeStaking::chill(signed(1)));
		pass_sessions(9);
		assert_ok!(NodeStaking::resume(signed(1)));
		assert!(!NodeStaking::is_jailed(node) && !record(node).chilled);
	});
}

#[test]
fn resume_should_fail_when_the_bond_is_gone() {
	ExtBuilder::default().build_and_execute(|| {
		register(1, 150);
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_ok!(NodeStaking::unbond(signed(1), 150));
		assert_noop!(NodeStaking::resume(signed(1)), Error::<Test>::NotBonded);
	});
}
