//! What a node may sell, by what it proved.

use super::*;

#[test]
fn slots_should_be_what_is_declared_when_more_may_be_sold() {
	ExtBuilder::default().build_and_execute(|| {
		May::set((16, true));
		let node = live(1, 150, 4);
		assert_eq!((standing(node).declared, standing(node).slots), (4, 4));
		assert_eq!(
			Settled::get(),
			vec![(node, DeviceClass::Cuda)],
			"asked once, at the heartbeat"
		);
		assert!(NodeStaking::is_eligible(node));
	});
}

#[test]
fn slots_should_be_bounded_when_less_may_be_sold() {
	ExtBuilder::default().build_and_execute(|| {
		May::set((3, true));
		let node = live(1, 150, 8);
		assert_eq!((standing(node).declared, standing(node).slots), (8, 3));
		assert_eq!(NodeStaking::declared_slots(node), 8);
		assert_eq!(NodeStaking::declared_slots(node + 1), 0, "there is no such node");
		assert_eq!(
			last_event(),
			Event::HeartbeatReceived {
				node,
				session: 0,
				healthy: true,
				slots: 3
			}
			.into()
		);
		for _ in 0..3 {
			assert_ok!(NodeStaking::reserve(node, 0));
		}
		assert_eq!(
			NodeStaking::reserve(node, 0),
			Err(Error::<Test>::NoFreeSlot.into()),
			"the fourth slot was declared, not allowed"
		);
		// A bound that falls lets open jobs go on.
		May::set((1, true));
		pass_sessions(1);
		beat(node, 8);
		assert_eq!((standing(node).assigned, standing(node).free_slots()), (3, 0));
	});
}

#[test]
fn node_should_get_no_jobs_and_judge_nothing_when_it_may_sell_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		May::set((u16::MAX, false));
		let node = live(1, 150, 4);
		assert!(!NodeStaking::is_eligible(node));
		assert_eq!(NodeStaking::draw_weight(node, 1, 0), 0);
		assert_eq!(NodeStaking::draw_judge(&[1; 32], 0, &[], None).node, None);
		// It is heard all the same, and is not jailed.
		assert_eq!(standing(node).last_heartbeat, Some(0));
		May::set((u16::MAX, true));
		pass_sessions(1);
		beat(node, 4);
		assert!(NodeStaking::is_eligible(node));
	});
}

#[test]
fn node_should_stay_unhealthy_when_its_engine_is_down_whatever_it_may_sell() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		let signature = WorkerSignature::from(sp_core::sr25519::Signature::default());
		assert_ok!(NodeStaking::heartbeat(
			frame_system::RawOrigin::Authorized.into(),
			node,
			0,
			false,
			4,
			signature
		));
		assert!(!standing(node).healthy);
	});
}

#[test]
fn node_should_be_forgotten_when_it_leaves_or_is_reaped() {
	ExtBuilder::default().build_and_execute(|| {
		let (first, second) = (register(1, 150), register(2, 150));
		for operator in [1, 2] {
			assert_ok!(NodeStaking::unbond(signed(operator), 150));
		}
		pass_sessions(4);
		assert_ok!(NodeStaking::deregister(signed(1)));
		assert_eq!(Forgotten::get(), vec![first]);
		assert_ok!(NodeStaking::withdraw_unbonded(signed(2)));
		assert_ok!(NodeStaking::reap(signed(3), second));
		assert_eq!(Forgotten::get(), vec![first, second]);
	});
}
