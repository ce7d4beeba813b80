use super::*;
use frame_support::{assert_noop, assert_ok};
#[test]
fn draw_weight_should_be_reliability_in_millionths_times_free_slots() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 4);
		assert_eq!(NodeStaking::draw_weight(node, 1, 100), 500_000 * 4);
		assert_ok!(NodeStaking::reserve(node, 100));
		assert_eq!(NodeStaking::draw_weight(node, 1, 100), 500_000 * 3);
		NodeStaking::note_outcome(node, true, Perbill::one());
		assert_eq!(NodeStaking::draw_weight(node, 1, 100), 666_666 * 3);
		NodeStaking::free_slot(node);
		assert_eq!(NodeStaking::draw_weight(node, 1, 400), 666_666 * 4);
		assert_eq!(
			NodeStaking::draw_weight(node, 1, 401),
			0,
			"the security is still reserved"
		);
		NodeStaking::release(node, 100);
		assert_eq!(NodeStaking::draw_weight(node, 1, 500), 666_666 * 4);
	});
}

#[test]
fn draw_weight_should_stay_positive_when_everything_went_wrong() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 1);
		for _ in 0..1_000 {
			NodeStaking::note_outcome(node, false, Perbill::one());
		}
		let weight = NodeStaking::draw_weight(node, 1, 0);
		assert!(weight > 0 && weight < 50_000, "{weight}");
	});
}

#[test]
fn draw_weight_should_be_zero_when_any_condition_fails() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 2);
		assert!(NodeStaking::draw_weight(node, 1, 0) > 0);
		assert_eq!(NodeStaking::draw_weight(99, 1, 0), 0, "unknown");
		assert_eq!(NodeStaking::draw_weight(node, 2, 0), 0, "not hosting");
		assert_eq!(NodeStaking::draw_weight(node, 1, 501), 0, "bond too small");
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_eq!(NodeStaking::draw_weight(node, 1, 0), 0, "chilled");
		assert_ok!(NodeStaking::resume(signed(1)));
		Standings::<Test>::mutate(node, |standing| standing.as_mut().unwrap().healthy = false);
		assert_eq!(NodeStaking::draw_weight(node, 1, 0), 0, "unhealthy");
		Standings::<Test>::mutate(node, |standing| standing.as_mut().unwrap().healthy = true);
		assert_ok!(NodeStaking::reserve(node, 0));
		assert_ok!(NodeStaking::reserve(node, 0));
		assert_eq!(NodeStaking::draw_weight(node, 1, 0), 0, "no free slot");
		assert!(NodeStaking::eligible(node, 1), "a busy node still serves");
		NodeStaking::free_slot(node);
		NodeStaking::free_slot(node);
		pass_sessions(2);
		assert_eq!(NodeStaking::draw_weight(node, 1, 0), 0, "silent");
		assert!(!NodeStaking::eligible(node, 1), "silent");
		beat(node, 0);
		assert_eq!(NodeStaking::draw_weight(node, 1, 0), 0, "no slot at all");
		pass_sessions(1);
		beat(node, 1);
		assert!(NodeStaking::draw_weight(node, 1, 0) > 0);
		assert_ok!(NodeStaking::unbond(signed(1), 500));
		assert_eq!(NodeStaking::draw_weight(node, 1, 0), 0, "not bonded");
	});
}

#[test]
fn reserve_should_take_slot_and_security_or_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(NodeStaking::reserve(0, 1), Error::<Test>::UnknownNode);
		let node = live(1, 500, 2);
		assert_noop!(NodeStaking::reserve(node, 501), Error::<Test>::BondReserved);
		assert_ok!(NodeStaking::reserve(node, 300));
		assert_noop!(NodeStaking::reserve(node, 201), Error::<Test>::BondReserved);
		assert_noop!(NodeStaking::reserve(node, Balance::MAX), Error::<Test>::BondReserved);
		assert_ok!(NodeStaking::reserve(node, 200));
		assert_noop!(NodeStaking::reserve(node, 0), Error::<Test>::NoFreeSlot);
		let standing = standing(node);
		assert_eq!((standing.assigned, standing.reserved), (2, 500));
		assert_ok!(NodeStaking::chill(signed(1)));
		NodeStaking::free_slot(node);
		assert_noop!(NodeStaking::reserve(node, 0), Error::<Test>::NotEligible);
	});
}

#[test]
fn open_jobs_should_stay_when_the_node_lowers_its_slots_chills_or_is_jailed() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 2);
		assert_ok!(NodeStaking::reserve(node, 10));
		assert_ok!(NodeStaking::reserve(node, 10));
		pass_sessions(1);
		beat(node, 1);
		assert_eq!(standing(node).free_slots(), 0);
		assert_ok!(NodeStaking::chill(signed(1)));
		pass_sessions(7);
		let standing = standing(node);
		assert_eq!((standing.assigned, standing.reserved), (2, 20));
		NodeStaking::free_slot(node);
		NodeStaking::release(node, 10);
		assert_eq!(NodeStaking::node(node).unwrap().1.assigned, 1);
	});
}

#[test]
fn note_outcome_should_do_nothing_when_the_node_is_gone() {
	ExtBuilder::default().build_and_execute(|| NodeStaking::note_outcome(5, true, Perbill::one()));
}

#[test]
fn secure_should_reserve_bond_without_a_slot_or_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(NodeStaking::secure(0, 1), Error::<Test>::UnknownNode);
		let node = live(1, 500, 0);
		assert_noop!(NodeStaking::secure(node, 1), Error::<Test>::NotEligible);
		pass_sessions(1);
		beat(node, 1);
		assert_noop!(NodeStaking::secure(node, 501), Error::<Test>::BondReserved);
		assert_noop!(NodeStaking::secure(node, Balance::MAX), Error::<Test>::BondReserved);
		assert_ok!(NodeStaking::secure(node, 500));
		assert_noop!(NodeStaking::secure(node, 1), Error::<Test>::BondReserved);
		assert_eq!((standing(node).assigned, standing(node).reserved), (0, 500));
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_noop!(NodeStaking::secure(node, 0), Error::<Test>::NotEligible);
		NodeStaking::release(node, 500);
		assert_eq!(standing(node).reserved, 0);
	});
}

#[test]
fn only_the_own_bond_should_secure_jobs_when_others_delegated() {
	ExtBuilder::default().build_and_execute(|| {
		let node = live(1, 500, 2);
		delegate(2, node, 5_000);
		assert_eq!(NodeStaking::draw_weight(node, 1, 501), 0);
		assert_noop!(NodeStaking::reserve(node, 501), Error::<Test>::BondReserved);
		assert_noop!(NodeStaking::secure(node, 501), Error::<Test>::BondReserved);
		assert_eq!(NodeStaking::draw_judge(&[0; 32], 501, &[], None).node, None);
	});
}
