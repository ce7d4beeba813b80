use super::*;
use frame_support::{assert_noop, assert_ok};

#[test]
fn deregister_should_remove_everything_when_the_whole_bond_is_ready() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_noop!(NodeStaking::deregister(signed(1)), Error::<Test>::StillBonded);
		assert_ok!(NodeStaking::unbond(signed(1), 150));
		assert_noop!(NodeStaking::deregister(signed(1)), Error::<Test>::StillUnbonding);
		pass_sessions(4);
		assert_ok!(NodeStaking::deregister(signed(1)));
		assert_eq!(last_event(), Event::Deregistered { node, operator: 1 }.into());
		assert_eq!((held(1), Balances::free_balance(1)), (0, ISSUED));
		assert!(NodeStaking::node(node).is_none() && !Standings::<Test>::contains_key(node));
		assert_eq!(NodeStaking::node_of(&1), None);
		assert_eq!(NodeStaking::node_of_worker(&pair(1).public()), None);
		assert_noop!(NodeStaking::deregister(signed(1)), Error::<Test>::NotRegistered);
	});
}

#[test]
fn register_should_give_a_new_id_and_a_blank_standing_when_an_operator_comes_back() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		NodeStaking::note_outcome(node, true, Perbill::one());
		assert_ok!(NodeStaking::unbond(signed(1), 150));
		pass_sessions(4);
		assert_ok!(NodeStaking::withdraw_unbonded(signed(1)));
		assert_ok!(NodeStaking::deregister(signed(1)));
		let again = register(1, 150);
		assert_ne!(again, node);
		assert_eq!(
			standing(again),
			Standing {
				live_since: 4,
				..Default::default()
			}
		);
	});
}

#[test]
fn deregister_should_fail_when_jobs_are_open() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		beat(node, 1);
		assert_ok!(NodeStaking::reserve(node, 0));
		assert_ok!(NodeStaking::unbond(signed(1), 150));
		pass_sessions(4);
		assert_noop!(NodeStaking::deregister(signed(1)), Error::<Test>::JobsOpen);
		assert_ok!(NodeStaking::withdraw_unbonded(signed(1)));
		assert_noop!(NodeStaking::reap(signed(2), node), Error::<Test>::JobsOpen);
		NodeStaking::free_slot(node);
		assert_ok!(NodeStaking::deregister(signed(1)));
	});
}

#[test]
fn reap_should_remove_a_node_only_when_no_money_pays_for_it() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_noop!(NodeStaking::reap(signed(2), node + 1), Error::<Test>::UnknownNode);
		assert_noop!(NodeStaking::reap(signed(2), node), Error::<Test>::StillBonded);
		assert_ok!(NodeStaking::unbond(signed(1), 150));
		pass_sessions(4);
		assert_noop!(NodeStaking::reap(signed(2), node), Error::<Test>::StillUnbonding);
		assert_ok!(NodeStaking::withdraw_unbonded(signed(1)));
		assert_ok!(NodeStaking::reap(signed(2), node));
		assert_eq!(last_event(), Event::Deregistered { node, operator: 1 }.into());
		assert_eq!(NodeStaking::node_of(&1), None);
	});
}

#[test]
fn calls_should_refuse_other_origins() {
	ExtBuilder::default().build_and_execute(|| {
		use sp_runtime::DispatchError::BadOrigin;
		let none = RuntimeOrigin::none;
		assert_noop!(
			NodeStaking::register(none(), description(1), 150, proof(1, 1)),
			BadOrigin
		);
		assert_noop!(NodeStaking::update_node(none(), description(1), None), BadOrigin);
		assert_noop!(NodeStaking::bond_extra(none(), 1), BadOrigin);
		assert_noop!(NodeStaking::unbond(none(), 1), BadOrigin);
		assert_noop!(NodeStaking::withdraw_unbonded(none()), BadOrigin);
		assert_noop!(NodeStaking::chill(none()), BadOrigin);
		assert_noop!(NodeStaking::resume(none()), BadOrigin);
		assert_noop!(NodeStaking::host(none(), 1), BadOrigin);
		assert_noop!(NodeStaking::unhost(none(), 1), BadOrigin);
		assert_noop!(NodeStaking::deregister(none()), BadOrigin);
		assert_noop!(NodeStaking::reap(none(), 1), BadOrigin);
		assert_noop!(NodeStaking::delegate(none(), 1, 10, percent(100)), BadOrigin);
		assert_noop!(NodeStaking::undelegate(none(), 1, 10), BadOrigin);
		assert_noop!(NodeStaking::withdraw_delegation(none(), 1), BadOrigin);
		assert_noop!(NodeStaking::claim_rewards(none(), 1), BadOrigin);
		assert_noop!(NodeStaking::set_commission(none(), percent(1)), BadOrigin);
	});
}
