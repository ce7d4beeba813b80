use super::*;
use frame_support::assert_noop;

fn set(share: u32) -> sp_runtime::DispatchResult {
	NodeStaking::set_commission(signed(1), percent(share))
}

#[test]
fn commission_should_be_free_to_choose_while_nobody_delegated() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(set(5), Error::<Test>::NotRegistered);
		let node = register(1, 500);
		assert_eq!(NodeStaking::commission(node), DEFAULT_COMMISSION);
		for share in [0, 100, 37] {
			assert_ok!(set(share));
			assert_eq!(NodeStaking::commission(node), percent(share));
		}
		assert_eq!(
			last_event(),
			Event::CommissionSet {
				node,
				commission: percent(37),
				session: 0
			}
			.into()
		);
	});
}

#[test]
fn delegate_should_fail_when_the_operator_takes_more_than_the_delegator_accepts() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 500);
		let try_it = |most| NodeStaking::delegate(signed(2), node, 100, percent(most));
		assert_noop!(try_it(9), Error::<Test>::CommissionAboveMax);
		// Raised while the delegator's call waited.
		assert_ok!(set(100));
		assert_noop!(try_it(10), Error::<Test>::CommissionAboveMax);
		assert_ok!(set(10));
		assert_ok!(try_it(10));
		// Announced counts too.
		assert_ok!(set(15));
		assert_noop!(try_it(14), Error::<Test>::CommissionAboveMax);
		assert_ok!(try_it(15));
	});
}

#[test]
fn rise_should_be_small_and_hold_only_when_delegators_could_have_left() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 512);
		delegate(2, node, 512);
		assert_noop!(set(16), Error::<Test>::CommissionRiseTooLarge);
		assert_ok!(set(15));
		assert_eq!(
			last_event(),
			Event::CommissionSet {
				node,
				commission: percent(15),
				session: 4
			}
			.into()
		);
		pass_sessions(3);
		assert_eq!(NodeStaking::commission(node), percent(10));
		assert_noop!(set(16), Error::<Test>::CommissionRiseTooLarge);
		author(1, 1);
		pass_sessions(1);
		assert_eq!(NodeStaking::commission(node), percent(15));
		// The session before it still paid by the old one: 998 · 90 % / 2.
		assert_eq!(rewards(2), 449);
		author(1, 1);
		pass_sessions(1);
		assert_eq!(rewards(2), 449 + 424);
		assert_ok!(set(20));
		pass_sessions(4);
		assert_eq!(NodeStaking::commission(node), percent(20));
	});
}

#[test]
fn cut_should_hold_at_once_and_cancel_a_rise() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 500);
		delegate(2, node, 500);
		assert_ok!(set(15));
		pass_sessions(2);
		assert_ok!(set(10));
		pass_sessions(4);
		assert_eq!(NodeStaking::commission(node), percent(10));
		assert_ok!(set(3));
		assert_eq!(NodeStaking::commission(node), percent(3));
		assert_noop!(set(10), Error::<Test>::CommissionRiseTooLarge);
	});
}

#[test]
fn later_announcement_should_replace_the_earlier_one_and_wait_anew() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 500);
		delegate(2, node, 500);
		assert_ok!(set(12));
		pass_sessions(3);
		assert_ok!(set(15));
		pass_sessions(3);
		assert_eq!(NodeStaking::commission(node), percent(10));
		pass_sessions(1);
		assert_eq!(NodeStaking::commission(node), percent(15));
	});
}
