use super::*;
use crate::{pallet::CuratorFees, CuratorFee, Error};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};

fn held() -> Balance {
	Balances::total_balance_on_hold(&CURATOR)
}

fn post(fee: Balance) -> sp_runtime::DispatchResult {
	Split::post_curator_fee(RuntimeOrigin::signed(CURATOR), fee)
}

#[test]
fn post_curator_fee_should_hold_one_deposit_when_changed_and_free_it_when_removed() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(post(5));
		assert_ok!(post(6));
		assert_eq!(held(), DEPOSIT);
		assert_eq!(
			CuratorFees::<Test>::get(CURATOR),
			Some(CuratorFee {
				fee: 6,
				deposit: DEPOSIT
			})
		);
		assert_ok!(post(0));
		assert_eq!(held(), 0);
		assert_eq!(CuratorFees::<Test>::get(CURATOR), None);
		assert_eq!(
			events().last(),
			Some(&Event::CuratorFeePosted {
				curator: CURATOR,
				fee: 0
			})
		);
	});
}

#[test]
fn post_curator_fee_should_refuse_when_a_condition_is_not_met() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(post(MAX_ASK + 1), Error::<Test>::FeeAboveMax);
		assert_noop!(post(0), Error::<Test>::NoFee);
		let poor = RuntimeOrigin::signed(4);
		assert!(Split::post_curator_fee(poor, 1).is_err());
		assert_eq!(CuratorFees::<Test>::iter().count(), 0);
		assert_ok!(post(MAX_ASK));
	});
}

#[test]
fn curator_should_earn_what_was_agreed_when_it_changes_its_fee_afterwards() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		assert_ok!(post(8));
		let deal = Split::open(1, MODEL, 1, 0, DETECTION, Some(&CURATOR), [0; 32]).unwrap();
		assert_ok!(Split::escrow(&PAYER, &deal));
		assert_ok!(post(0));
		Split::settle(1, MODEL, &PAYER, &deal, 1, true);
		assert_eq!(Split::claimable(&CURATOR), 8);
	});
}

#[test]
fn curator_should_earn_nothing_when_the_job_is_refunded() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		assert_ok!(post(8));
		let deal = Split::open(1, MODEL, 1, 0, DETECTION, Some(&CURATOR), [0; 32]).unwrap();
		assert_ok!(Split::escrow(&PAYER, &deal));
		Split::refund(1, &PAYER, &deal);
		assert_eq!(Split::claimable(&CURATOR), 0);
	});
}
