//! Earnings are paid out once, whole, to whom they belong.

use super::*;
use crate::{
	pallet::{Books, Earnings},
	Error,
};
use frame_support::{assert_noop, assert_ok};

/// For each unit, ten for the maker, who has no account yet, and one for the operator.
fn earn(units: u32) -> AccountId {
	TestRoyalties::set(vec![royalty(MODEL, 50, 10)]);
	ask(1, AskRole::Compute, 1);
	go_to_epoch(1);
	let deal = open_and_escrow(1, units, 0);
	Split::settle(1, MODEL, &PAYER, &deal, 1, true);
	50
}

#[test]
fn claim_should_pay_everything_out_once_when_there_are_earnings() {
	ExtBuilder.build_and_execute(|| {
		let maker = earn(100);
		System::reset_events();
		assert_ok!(Split::claim(RuntimeOrigin::signed(maker)));
		assert_eq!(Balances::free_balance(maker), 1000);
		assert_eq!(
			events(),
			vec![Event::Claimed {
				account: maker,
				amount: 1000
			}]
		);
		assert!(!Earnings::<Test>::contains_key(maker));
		assert_noop!(
			Split::claim(RuntimeOrigin::signed(maker)),
			Error::<Test>::NothingToClaim
		);
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn claim_should_leave_the_pot_its_existential_deposit_when_the_last_one_claims() {
	ExtBuilder.build_and_execute(|| {
		let maker = earn(1000);
		for account in [maker, operator_of(1), TREASURY] {
			assert_ok!(Split::claim(RuntimeOrigin::signed(account)));
		}
		assert_eq!(Books::<Test>::get().earnings, 0);
		assert!(Books::<Test>::get().audit_pot > 0);
		assert_eq!(pot_balance(), ED + Books::<Test>::get().audit_pot);
	});
}

#[test]
fn claim_should_keep_the_earnings_when_they_do_not_keep_a_dead_account_alive() {
	ExtBuilder.build_and_execute(|| {
		let maker = earn(9);
		assert_noop!(
			Split::claim(RuntimeOrigin::signed(maker)),
			Error::<Test>::ClaimBelowExistentialDeposit
		);
		assert_eq!(Split::claimable(&maker), 90);
		assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), maker, ED));
		assert_ok!(Split::claim(RuntimeOrigin::signed(maker)));
		assert_eq!(Balances::free_balance(maker), ED + 90);
	});
}

#[test]
fn claim_should_refuse_when_there_is_nothing() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(
			Split::claim(RuntimeOrigin::signed(PAYER)),
			Error::<Test>::NothingToClaim
		);
		assert_noop!(
			Split::claim(RuntimeOrigin::none()),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}

#[test]
fn claim_for_should_pay_the_owner_whoever_asks_for_it() {
	ExtBuilder.build_and_execute(|| {
		let maker = earn(100);
		let before = Balances::free_balance(CURATOR);
		assert_ok!(Split::claim_for(RuntimeOrigin::signed(CURATOR), maker));
		assert_eq!(
			(Balances::free_balance(maker), Balances::free_balance(CURATOR)),
			(1000, before)
		);
		assert_noop!(
			Split::claim_for(RuntimeOrigin::signed(CURATOR), maker),
			Error::<Test>::NothingToClaim
		);
		assert_noop!(
			Split::claim_for(RuntimeOrigin::none(), TREASURY),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}

#[test]
fn claim_for_should_leave_what_a_dead_account_cannot_receive() {
	ExtBuilder.build_and_execute(|| {
		let maker = earn(9);
		assert_noop!(
			Split::claim_for(RuntimeOrigin::signed(PAYER), maker),
			Error::<Test>::ClaimBelowExistentialDeposit
		);
		assert_eq!(Split::claimable(&maker), 90);
	});
}
