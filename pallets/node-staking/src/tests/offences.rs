//! Slashes for offences against consensus.

use super::*;
use frame_election_provider_support::SortedListProvider;
use frame_support::assert_noop;

/// Node 0 of operator 1: bond 400, 100 of it reserved; 60 + 40 unbonding; 300 delegated, of which 100 are unbonding too.
fn everything() -> NodeId {
	let node = live(1, 500, 4);
	assert_ok!(NodeStaking::reserve(node, 100));
	delegate(2, node, 200);
	delegate(3, node, 100);
	assert_ok!(NodeStaking::unbond(signed(1), 60));
	assert_ok!(NodeStaking::undelegate(signed(3), node, 100));
	pass_sessions(1);
	assert_ok!(NodeStaking::unbond(signed(1), 40));
	Touched::set(vec![]);
	node
}

fn unbonding(who: AccountId) -> Balance {
	delegations(who)[0].unbonding.iter().map(|(worth, _)| worth).sum()
}

#[test]
fn on_offence_should_take_its_share_of_everything_behind_the_node() {
	ExtBuilder::default().build_and_execute(|| {
		let node = everything();
		let (issued, before) = (issuance(), pot());
		report(&[1], percent(10), 1);
		// 10 % of 500 own, of what is unbonding; of 200 and of 100 delegated.
		assert_eq!(record(node).bond, 400);
		assert_eq!(
			record(node).unbonding.to_vec(),
			vec![
				UnbondingChunk { amount: 10, session: 4 },
				UnbondingChunk { amount: 40, session: 5 }
			]
		);
		assert_eq!((worth(2), unbonding(3)), (180, 90));
		assert_eq!((held(1), pot()), (450, before - 30));
		assert_eq!((free(TREASURY), issued - issuance()), (40, 40), "half and half");
		System::assert_has_event(
			Event::OffenceSlashed {
				node,
				own: 50,
				delegated: 30,
			}
			.into(),
		);
		let totals = NodeStaking::slashed(node);
		assert_eq!((totals.offences, totals.delegated, totals.own()), (50, 30, 50));
		assert!(Touched::get().is_empty(), "jobs keep their security");
	});
}

#[test]
fn on_offence_should_chill_the_offenders_and_pass_over_those_who_left() {
	ExtBuilder::default()
		.node(1, 500, 8)
		.node(2, 400, 8)
		.session_keys(1)
		.session_keys(2)
		.build_and_execute(|| {
			pass_sessions(2);
			// 9 is no node: an offender may have left.
			report(&[9, 1], percent(10), 1);
			System::assert_has_event(
				Event::OffenceReported {
					node: 0,
					operator: 1,
					fraction: percent(10),
					session: 1,
				}
				.into(),
			);
			System::assert_has_event(Event::Chilled { node: 0 }.into());
			assert!(record(0).chilled && !record(1).chilled);
			assert!(!NodeStaking::is_eligible(0) && !VoterList::contains(&1));
			assert_eq!((held(1), record(0).bond), (450, 450));
			assert_eq!(NodeStaking::choose_validators(), Some(vec![2]));
			assert_ok!(NodeStaking::resume(signed(1)));
			assert_eq!(NodeStaking::choose_validators(), Some(vec![1, 2]));
		});
}

#[test]
fn on_offence_should_slash_a_session_only_once_for_the_worst_of_it() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, ISSUED - ED);
		pass_sessions(2);
		let reported = |share, session| {
			report(&[1], percent(share), session);
			held(1)
		};
		// Another offender at the same time: both are reported again, each with the fraction that holds then.
		assert_eq!(reported(10, 1), 8_998);
		assert_eq!(reported(10, 1), 8_998);
		assert_eq!(reported(5, 1), 8_998);
		assert_eq!(reported(19, 1), 8_098);
		// Another session's offence is another one.
		assert_eq!(reported(50, 2), 4_049);
		assert_eq!(reported(100, 2), 0);
		assert_eq!(record(node).bond, 0);
		assert_eq!(reported(100, 1), 0);
	});
}

#[test]
fn on_offence_should_do_nothing_when_it_is_too_old() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 500);
		delegate(2, node, 100);
		pass_sessions(5);
		report(&[1], percent(50), 2);
		assert_eq!((held(1), worth(2)), (500, 100), "what stood there then may have left");
		assert!(!record(node).chilled);
		// Stake leaves after 4 sessions: 2 of them are what a report may take.
		report(&[1], percent(50), 3);
		assert_eq!((held(1), worth(2)), (250, 50));
	});
}

#[test]
fn offences_should_be_forgotten_when_they_cannot_be_reported_any_more() {
	ExtBuilder::default().build_and_execute(|| {
		register(1, 500);
		report(&[1], percent(50), 0);
		pass_sessions(3);
		assert_eq!(OffenceShares::<Test>::iter().count(), 1);
		pass_sessions(1);
		assert_eq!(OffenceShares::<Test>::iter().count(), 0);
	});
}

#[test]
fn on_offence_should_touch_security_only_when_nothing_else_is_left() {
	ExtBuilder::default().build_and_execute(|| {
		let node = everything();
		report(&[1], percent(80), 1);
		assert_eq!((record(node).bond, standing(node).reserved), (100, 100));
		assert!(Touched::get().is_empty());
		report(&[1], percent(90), 1);
		assert_eq!(Touched::get(), vec![node]);
		let standing = standing(node);
		assert_eq!((record(node).bond, standing.reserved, standing.unsecured), (50, 50, 50));
	});
}

#[test]
fn open_jobs_should_stay_as_secured_as_they_can_be_when_security_was_touched() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 300, 4);
		for _ in 0..3 {
			assert_ok!(NodeStaking::reserve(node, 100));
		}
		report(&[1], percent(50), 0);
		let seen = || (record(node).bond, standing(node).reserved, standing(node).unsecured);
		assert_eq!(seen(), (150, 150, 150));
		// The first job ends well: what is missing goes first, so that the other two have all that is there.
		NodeStaking::release(node, 100);
		assert_eq!(seen(), (150, 150, 50));
		assert_noop!(NodeStaking::unbond(signed(1), 150), Error::<Test>::BondReserved);
		assert_eq!(NodeStaking::fine(node, 100, &20), 0);
		// New bond secures them before it can do anything else.
		assert_ok!(NodeStaking::bond_extra(signed(1), 20));
		assert_eq!(seen(), (170, 170, 30));
		assert_eq!(NodeStaking::draw_weight(node, 1, 0), 0, "chilled");
		assert_ok!(NodeStaking::resume(signed(1)));
		assert_eq!(NodeStaking::draw_weight(node, 1, 1), 0, "nothing is free");
		assert_ok!(NodeStaking::bond_extra(signed(1), 40));
		assert_eq!(seen(), (210, 200, 0));
		assert_ok!(NodeStaking::secure(node, 10));
		// The second one is convicted, the third one ends well.
		assert_eq!(NodeStaking::slash(node, 100, &20), 100);
		NodeStaking::release(node, 100);
		NodeStaking::release(node, 10);
		assert_eq!(seen(), (110, 0, 0));
	});
}

#[test]
fn conviction_should_take_what_an_offence_left_of_the_security() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 300, 4);
		assert_ok!(NodeStaking::reserve(node, 200));
		assert_ok!(NodeStaking::reserve(node, 100));
		report(&[1], percent(50), 0);
		assert_eq!(NodeStaking::slash(node, 200, &20), 150);
		let standing = standing(node);
		assert_eq!((record(node).bond, standing.reserved, standing.unsecured), (0, 0, 100));
		assert_eq!(NodeStaking::slash(node, 100, &20), 0);
		assert_eq!(NodeStaking::node(node).unwrap().1.unsecured, 0);
		NodeStaking::free_slot(node);
		NodeStaking::free_slot(node);
		pass_sessions(4);
		assert_ok!(NodeStaking::deregister(signed(1)));
	});
}

#[test]
fn odd_unit_should_burn_and_dust_should_burn_when_there_is_no_treasury_yet() {
	ExtBuilder::default().build_and_execute(|| {
		register(1, 500);
		let issued = issuance();
		// 1 unit for a treasury that does not exist and needs 2 to do so.
		report(&[1], Perbill::from_rational(2u32, 500), 0);
		assert_eq!((issued - issuance(), free(TREASURY)), (2, 0));
		report(&[1], Perbill::from_rational(9u32, 500), 0);
		assert_eq!((issued - issuance(), free(TREASURY)), (2 + 4, 3));
		assert_eq!(held(1), 500 - 9);
	});
}

#[test]
fn on_offence_of_nothing_should_only_chill() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 500);
		report(&[1], Perbill::zero(), 0);
		assert_eq!(held(1), 500);
		assert!(record(node).chilled);
		assert_eq!(Slashes::<Test>::iter().count(), 0);
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
			report(&[1], percent(10), 4);
			assert!(!record(again).chilled);
			assert_eq!((offences(), held(1)), (0, 500));
			report(&[1], percent(10), 5);
			assert!(record(again).chilled);
			assert_eq!((offences(), held(1)), (1, 450));
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
			report(&[1], percent(10), 3);
			assert_eq!(offences(), 0, "older than two sessions");
			report(&[1], percent(10), 4);
			assert_eq!((offences(), held(1)), (1, 450));
			pass_sessions(1);
			assert_ok!(NodeStaking::withdraw_unbonded(signed(1)));
			report(&[1], percent(20), 4);
			assert_eq!((offences(), held(1)), (1, 400), "the part that was bonded then is gone");
		});
}
