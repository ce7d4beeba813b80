use super::*;
use highway_primitives::audit::DrawnJudge;
use std::collections::BTreeMap;

fn seed(number: u32) -> [u8; 32] {
	sp_io::hashing::blake2_256(&number.to_le_bytes())
}

fn draw(number: u32, security: Balance, parties: &[AccountId]) -> Option<NodeId> {
	drawn(number, security, parties).node
}

fn drawn(number: u32, security: Balance, parties: &[AccountId]) -> DrawnJudge {
	NodeStaking::draw_judge(&seed(number), security, parties, None)
}

/// Nodes of operators 1 to 5, all able to judge.
fn five() {
	(1..=5).for_each(|operator| {
		live(operator, 500, 1);
	});
}

#[test]
fn draw_judge_should_find_nobody_when_nobody_is_able() {
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!(draw(0, 0, &[]), None, "no node");
		let node = live(1, 500, 1);
		assert_eq!(draw(0, 500, &[]), Some(node));
		assert_eq!(draw(0, 501, &[]), None, "not enough bond");
		assert_eq!(draw(0, 100, &[1]), None, "a party");
		assert_eq!(draw(0, 100, &[2, 19]), Some(node), "parties without nodes");
		assert_ok!(NodeStaking::secure(node, 300));
		assert_eq!((draw(0, 200, &[]), draw(0, 201, &[])), (Some(node), None), "reserved");
		NodeStaking::release(node, 300);
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_eq!(draw(0, 100, &[]), None, "chilled");
		assert_ok!(NodeStaking::resume(signed(1)));
		assert_eq!(draw(0, 100, &[]), Some(node));
		pass_sessions(2);
		assert_eq!(draw(0, 100, &[]), None, "silent");
		beat(node, 0);
		assert_eq!(draw(0, 100, &[]), None, "without a slot");
		beat(node, 1);
		assert_eq!(draw(0, 100, &[]), Some(node), "hosting or not");
		Standings::<Test>::mutate(node, |standing| standing.as_mut().unwrap().healthy = false);
		assert_eq!(draw(0, 100, &[]), None, "unhealthy");
		assert_ok!(NodeStaking::unbond(signed(1), 500));
		assert_eq!(draw(0, 0, &[]), None, "not bonded");
	});
}

#[test]
fn draw_judge_should_find_the_only_one_who_is_no_party() {
	ExtBuilder::default().build_and_execute(|| {
		five();
		// An operator among the parties twice, and one bond that would win nearly every draw.
		assert_ok!(NodeStaking::bond_extra(signed(1), 9_000));
		for number in 0..200 {
			assert_eq!(draw(number, 500, &[1, 2, 3, 4, 1, 17]), Some(4));
			assert_eq!(draw(number, 500, &[1, 2, 3, 4, 5]), None);
		}
	});
}

#[test]
fn draw_judge_should_ask_everybody_when_there_are_few() {
	ExtBuilder::default().build_and_execute(|| {
		// 16 operators, of whom one alone has enough free.
		for operator in 1..=16 {
			let node = live(operator, 500, 1);
			if operator != 9 {
				assert_ok!(NodeStaking::secure(node, 450));
			}
		}
		for number in 0..100 {
			assert_eq!(draw(number, 100, &[]), Some(8));
		}
	});
}

#[test]
fn draw_judge_should_stop_after_sixteen_tries() {
	ExtBuilder::default().build_and_execute(|| {
		for operator in 1..=20 {
			let node = live(operator, 500, 1);
			if operator != 9 {
				assert_ok!(NodeStaking::secure(node, 450));
			}
		}
		let found = (0..200).filter(|number| draw(*number, 100, &[]).is_some()).count();
		// 16 of 20 are asked: 160 of 200 on average.
		assert!((120..200).contains(&found), "{found}");
	});
}

#[test]
fn draw_judge_should_tell_how_many_it_tried() {
	ExtBuilder::default().build_and_execute(|| {
		let tried = |security, parties: &[AccountId]| drawn(0, security, parties).tried;
		assert_eq!(tried(0, &[]), 0, "no node");
		five();
		assert_eq!((tried(500, &[]), tried(501, &[]), tried(501, &[1, 2, 9])), (1, 5, 3));
		assert_eq!(tried(0, &[1, 2, 3, 4, 5]), 0, "all are parties");
		// One of them has enough free, and is found by one of five tries.
		for node in 0..4 {
			assert_ok!(NodeStaking::secure(node, 450));
		}
		let found: Vec<DrawnJudge> = (0..100).map(|number| drawn(number, 100, &[])).collect();
		assert!(found.iter().all(|judge| judge.node == Some(4)));
		assert!((1..=5).all(|tries| found.iter().any(|judge| judge.tried == tries)));
		for operator in 6..=20 {
			live(operator, 500, 1);
		}
		assert_eq!(tried(501, &[]), 16, "it gives up");
	});
}

#[test]
fn draw_judge_should_draw_by_own_bond_without_regard_to_delegations() {
	ExtBuilder::default().build_and_execute(|| {
		live(1, 100, 1);
		live(2, 300, 1);
		live(3, 600, 1);
		delegate(4, 0, 9_000);
		let mut drawn = BTreeMap::<NodeId, u32>::new();
		for number in 0..4_000 {
			*drawn.entry(draw(number, 0, &[]).unwrap()).or_default() += 1;
		}
		// 400, 1,200 and 2,400 are expected; four standard deviations are less than 130.
		assert!(drawn[&0].abs_diff(400) < 130 && drawn[&1].abs_diff(1_200) < 130 && drawn[&2].abs_diff(2_400) < 130);
	});
}

#[test]
fn draw_judge_should_keep_to_the_class_asked_for() {
	ExtBuilder::default().build_and_execute(|| {
		five();
		let mut other = description(3);
		other.device = DeviceClass::CpuArm;
		assert_ok!(NodeStaking::update_node(signed(3), other, None));
		assert_eq!(NodeStaking::device(2), Some(DeviceClass::CpuArm));
		assert_eq!(NodeStaking::device(9), None);
		for number in 0..50 {
			let drawn = |class| NodeStaking::draw_judge(&seed(number), 500, &[], Some(class)).node;
			assert_eq!(drawn(DeviceClass::CpuArm), Some(2));
			assert_ne!(drawn(DeviceClass::Cuda), Some(2));
			assert_eq!(drawn(DeviceClass::CpuX86), None);
		}
	});
}

#[test]
fn active_operators_should_be_those_with_a_bond_who_are_not_chilled() {
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!(NodeStaking::active_operators(), 0);
		five();
		assert_eq!(NodeStaking::active_operators(), 5);
		assert_ok!(NodeStaking::chill(signed(1)));
		assert_ok!(NodeStaking::unbond(signed(2), 500));
		assert_eq!(NodeStaking::active_operators(), 3);
		assert_ok!(NodeStaking::unbond(signed(3), 400));
		assert_eq!(NodeStaking::fine(2, 1, &20), 1, "of what is unbonding");
		assert_eq!(NodeStaking::active_operators(), 3);
		assert_eq!(NodeStaking::fine(2, 400, &20), 400);
		assert_eq!(NodeStaking::active_operators(), 2, "below the least bond");
		assert_ok!(NodeStaking::resume(signed(1)));
		assert_ok!(NodeStaking::bond_extra(signed(3), 1));
		assert_eq!(NodeStaking::active_operators(), 4);
	});
}
