use super::*;
use crate::election::MAX_OPERATORS_LOOKED_AT;
use frame_election_provider_support::{ScoreProvider, SortedListProvider};
use frame_support::assert_ok;
use pallet_session::historical;

#[test]
fn validators_should_be_the_largest_stakes_with_session_keys() {
	ExtBuilder::default().build_and_execute(|| {
		for (operator, bond) in [(1, 100), (2, 101), (3, 400), (4, 350), (5, 350), (6, 5_000)] {
			register(operator, bond);
		}
		(1..=5).for_each(set_session_keys);
		// 6 has most but no keys; 4 and 5 tie and the smaller account goes first; 3 places.
		assert_eq!(NodeStaking::choose_validators(), Some(vec![3, 4, 5]));
		assert_eq!(
			<NodeStaking as historical::SessionManager<_, ()>>::new_session(9),
			Some(vec![(3, ()), (4, ()), (5, ())])
		);
		assert_ok!(NodeStaking::chill(signed(4)));
		assert_ok!(NodeStaking::unbond(signed(5), 350));
		assert_eq!(NodeStaking::choose_validators(), Some(vec![3, 2, 1]));
	});
}

#[test]
fn validators_should_be_sorted_exactly_when_the_list_is_not() {
	ExtBuilder::default().build_and_execute(|| {
		// One bag holds them all, in the order of insertion.
		for (operator, bond) in [(1, 410), (2, 420), (3, 430), (4, 440), (5, 450)] {
			register(operator, bond);
			set_session_keys(operator);
		}
		assert_eq!(listed(), vec![1, 2, 3, 4, 5]);
		assert_eq!(NodeStaking::choose_validators(), Some(vec![5, 4, 3]));
	});
}

#[test]
fn validators_should_come_from_the_first_candidates_when_one_bag_has_many() {
	ExtBuilder::default().build_and_execute(|| {
		// 3 places, 4 candidates compared for each: the 13th is too late, although its bond is the largest of the bag.
		for (operator, bond) in (1..=12).map(|operator| (operator, 410)).chain([(13, 490)]) {
			register(operator, bond);
			set_session_keys(operator);
		}
		assert_eq!(NodeStaking::choose_validators(), Some(vec![1, 2, 3]));
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_eq!(NodeStaking::choose_validators(), Some(vec![13, 2, 3]));
	});
}

#[test]
fn validators_should_be_found_behind_many_operators_who_only_serve() {
	ExtBuilder::default().build_and_execute(|| {
		let serving = MAX_OPERATORS_LOOKED_AT as AccountId;
		for (operator, bond) in (1..=serving)
			.map(|operator| (operator, 500))
			.chain([(serving + 1, 100)])
		{
			assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), operator, ISSUED));
			register(operator, bond);
		}
		set_session_keys(serving + 1);
		assert_eq!(NodeStaking::choose_validators(), None, "nobody looks without an end");
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_eq!(NodeStaking::choose_validators(), Some(vec![serving + 1]));
	});
}

#[test]
fn session_should_change_its_validators_two_sessions_after_a_bond_does() {
	ExtBuilder::default()
		.node(1, 500, 8)
		.session_keys(1)
		.build_and_execute(|| {
			run_to(10);
			assert_eq!((NodeStaking::current_session(), Session::current_index()), (1, 1));
			register(2, 600);
			set_session_keys(2);
			run_to(20);
			assert_eq!(Session::validators(), vec![1]);
			run_to(30);
			assert_eq!(NodeStaking::current_session(), 3);
			assert_eq!(Session::validators(), vec![2, 1]);
		});
}

#[test]
fn session_should_keep_its_validators_when_nobody_qualifies() {
	ExtBuilder::default()
		.node(1, 500, 8)
		.session_keys(1)
		.build_and_execute(|| {
			assert_ok!(NodeStaking::chill(signed(1)));
			assert_eq!(NodeStaking::choose_validators(), None);
			pass_sessions(4);
			assert_eq!(Session::validators(), vec![1]);
		});
}

#[test]
fn jailed_node_should_stay_a_validator() {
	ExtBuilder::default()
		.node(1, 500, 8)
		.session_keys(1)
		.build_and_execute(|| {
			pass_sessions(8);
			assert!(NodeStaking::is_jailed(0));
			assert_eq!(NodeStaking::choose_validators(), Some(vec![1]));
		});
}

#[test]
fn validators_should_be_elected_by_own_and_delegated_stake_together() {
	ExtBuilder::default().build_and_execute(|| {
		for (operator, bond) in [(1, 100), (2, 200), (3, 300), (4, 400)] {
			register(operator, bond);
			set_session_keys(operator);
		}
		assert_eq!(NodeStaking::choose_validators(), Some(vec![4, 3, 2]));
		delegate(5, 0, 250);
		assert_eq!(VoterList::get_score(&1), Ok(350));
		assert_eq!(NodeStaking::choose_validators(), Some(vec![4, 1, 3]));
		assert_ok!(NodeStaking::undelegate(signed(5), 0, 250));
		assert_eq!(VoterList::get_score(&1), Ok(100));
		assert_eq!(NodeStaking::choose_validators(), Some(vec![4, 3, 2]));
	});
}

#[test]
fn candidate_should_need_a_bond_of_its_own_however_much_is_delegated() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 150, 2);
		set_session_keys(1);
		delegate(2, node, 5_000);
		assert_eq!(NodeStaking::choose_validators(), Some(vec![1]));
		assert_eq!(NodeStaking::fine(node, 51, &20), 51);
		assert!(VoterList::contains(&1), "it has a bond still");
		assert_eq!(NodeStaking::choose_validators(), None);
		assert_ok!(NodeStaking::bond_extra(signed(1), 1));
		assert_eq!(NodeStaking::choose_validators(), Some(vec![1]));
	});
}

#[test]
fn rebag_should_find_the_list_right_when_stake_moved() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 100);
		delegate(2, node, 1_000);
		author(1, 1);
		pass_sessions(1);
		// Rewards are not stake: the score is what the list has.
		assert_eq!(NodeStaking::score(&1), Some(1_100));
		assert_eq!(VoterList::get_score(&1), Ok(1_100));
		report(&[1], percent(0), 1);
		assert_eq!(NodeStaking::score(&1), None, "chilled");
	});
}

#[test]
fn sessions_should_be_provable_only_as_long_as_their_offences_count() {
	ExtBuilder::default()
		.node(1, 500, 8)
		.session_keys(1)
		.build_and_execute(|| {
			pass_sessions(9);
			let kept = |session| historical::HistoricalSessions::<Test>::contains_key(session);
			assert_eq!(
				(0..=10).filter(|session| kept(*session)).collect::<Vec<_>>(),
				vec![7, 8, 9, 10],
				"two past ones, the current one and the next"
			);
			assert_eq!(NodeStaking::earliest_offence(9), 7);
		});
}
