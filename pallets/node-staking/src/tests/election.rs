use super::*;
use crate::election::MAX_LOOKED_AT;
use frame_election_provider_support::SortedListProvider;
use frame_support::{assert_noop, assert_ok};
use pallet_session::historical;
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

fn report(offenders: &[AccountId], session: u32) {
	let details = offenders
		.iter()
		.map(|who| OffenceDetails {
			offender: (*who, ()),
			reporters: Vec::<AccountId>::new(),
		})
		.collect::<Vec<_>>();
	let fractions = vec![Perbill::from_percent(10); offenders.len()];
	NodeStaking::on_offence(&details, &fractions, session);
}

#[test]
fn validators_should_be_the_largest_bonds_with_session_keys() {
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
		let serving = MAX_LOOKED_AT as AccountId;
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
fn on_offence_should_chill_the_offenders_and_slash_nothing() {
	ExtBuilder::default()
		.node(1, 500, 8)
		.node(2, 400, 8)
		.session_keys(1)
		.session_keys(2)
		.build_and_execute(|| {
			pass_sessions(2);
			// 9 is no node: an offender may have left.
			report(&[9, 1], 1);
			System::assert_has_event(
				Event::OffenceReported {
					node: 0,
					operator: 1,
					fraction: Perbill::from_percent(10),
					session: 1,
				}
				.into(),
			);
			System::assert_has_event(Event::Chilled { node: 0 }.into());
			assert!(record(0).chilled && !record(1).chilled);
			assert!(!NodeStaking::is_eligible(0) && !VoterList::contains(&1));
			assert_eq!((held(1), record(0).bond), (500, 500));
			assert_eq!(NodeStaking::choose_validators(), Some(vec![2]));
			// Again: said again, chilled already.
			report(&[1], 2);
			assert!(matches!(
				last_event(),
				RuntimeEvent::NodeStaking(Event::OffenceReported { session: 2, .. })
			));
			assert_ok!(NodeStaking::resume(signed(1)));
			assert_eq!(NodeStaking::choose_validators(), Some(vec![1, 2]));
		});
}

/// The events of offences so far.
fn offences() -> usize {
	let events = System::events().into_iter();
	events
		.filter(|record| matches!(record.event, RuntimeEvent::NodeStaking(Event::OffenceReported { .. })))
		.count()
}

#[test]
fn on_offence_should_not_touch_a_later_node_of_the_same_account() {
	ExtBuilder::default()
		.node(2, 400, 8)
		.session_keys(2)
		.build_and_execute(|| {
			register(1, 500);
			pass_sessions(1);
			assert_ok!(NodeStaking::unbond(signed(1), 500));
			pass_sessions(4);
			assert_ok!(NodeStaking::deregister(signed(1)));
			let again = register(1, 500);
			report(&[1], 4);
			assert!(!record(again).chilled);
			assert_eq!(offences(), 0);
			report(&[1], 5);
			assert!(record(again).chilled);
		});
}

#[test]
fn on_offence_should_count_only_as_long_as_the_bond_is_there_for_sure() {
	ExtBuilder::default()
		.node(1, 500, 8)
		.session_keys(1)
		.build_and_execute(|| {
			// Bonds leave after 4 sessions; who unbonds in session 3 validates up to session 4.
			pass_sessions(3);
			assert_ok!(NodeStaking::unbond(signed(1), 100));
			pass_sessions(3);
			assert_noop!(
				NodeStaking::withdraw_unbonded(signed(1)),
				Error::<Test>::NothingToWithdraw
			);
			report(&[1], 3);
			assert_eq!(offences(), 0, "older than two sessions");
			report(&[1], 4);
			assert_eq!(offences(), 1);
			pass_sessions(1);
			assert_ok!(NodeStaking::withdraw_unbonded(signed(1)));
			report(&[1], 4);
			assert_eq!(offences(), 1, "the part that was bonded then is gone");
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
