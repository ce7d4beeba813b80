//! What audits cost and bring: premiums, debts, bonds, slashes.

use super::*;
use crate::{
	pallet::{Books, Debts},
	Debt, MAX_DEBTS_AT_ONCE,
};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::{market::Settlement, Role};
use sp_runtime::TokenError;

const JUDGE: AccountId = 60;

/// Fills the audit pot from a lost bond.
fn fill(amount: Balance) {
	assert_ok!(Split::escrow_bond(9, &PAYER, amount));
	Split::end_bond(9, &PAYER, amount, false);
}

fn debts() -> Vec<(JobId, AccountId, Balance)> {
	let books = Books::<Test>::get();
	(books.first_debt..books.next_debt)
		.map(|index| Debts::<Test>::get(index).unwrap())
		.map(|Debt { job, payee, amount }| (job, payee, amount))
		.collect()
}

fn paid(job: JobId, role: Role, payee: AccountId, amount: Balance) -> Event<Test> {
	Event::Paid {
		job,
		role,
		payee,
		amount,
	}
}

#[test]
fn settle_should_fill_the_audit_pot_with_the_premium() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open_and_escrow(1, 1_000, 0);
		assert_eq!(deal.premium, 616);
		assert_eq!(Split::settle(1, MODEL, &PAYER, &deal, 1, true).debts, 0);
		assert_eq!(Books::<Test>::get().audit_pot, 616);
		assert!(events().contains(&Event::AuditPotFilled { job: 1, amount: 616 }));
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn settle_should_give_the_premium_back_when_nobody_audited() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open_and_escrow(1, 1_000, 0);
		let before = Balances::free_balance(PAYER);
		let bill = Split::bill(MODEL, &deal, 1);
		System::reset_events();
		let Settlement { bill: lines, debts } = Split::settle(1, MODEL, &PAYER, &deal, 1, false);
		assert_eq!((sum(&lines), debts), (deal.price - deal.premium, 0));
		let without: Vec<_> = bill.into_iter().filter(|line| line.role != Role::Auditor).collect();
		assert_eq!(lines.into_inner(), without);
		assert_eq!(Balances::free_balance(PAYER), before + 616);
		assert_eq!(Books::<Test>::get().audit_pot, 0);
		assert!(events().contains(&Event::Refunded {
			job: 1,
			payer: PAYER,
			amount: 616,
			claimable: false
		}));
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn refund_should_leave_nothing_in_the_audit_pot() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let before = Balances::free_balance(PAYER);
		for job in 1..3 {
			let deal = open_and_escrow(job, 1_000, 0);
			match job {
				1 => Split::refund(job, &PAYER, &deal),
				_ => drop(Split::fail(job, &PAYER, &deal, &[])),
			}
		}
		assert_eq!(Balances::free_balance(PAYER), before);
		assert_eq!(Books::<Test>::get().audit_pot, 0);
	});
}

#[test]
fn pay_judge_should_pay_from_the_audit_pot_when_it_has_enough() {
	ExtBuilder.build_and_execute(|| {
		fill(100);
		System::reset_events();
		Split::pay_judge(3, &JUDGE, 70);
		assert_eq!((Split::claimable(&JUDGE), Books::<Test>::get().audit_pot), (70, 30));
		assert_eq!(events(), vec![paid(3, Role::Auditor, JUDGE, 70)]);
		assert!(debts().is_empty());
	});
}

#[test]
fn pay_judge_should_owe_what_the_audit_pot_lacks() {
	ExtBuilder.build_and_execute(|| {
		fill(30);
		System::reset_events();
		Split::pay_judge(3, &JUDGE, 70);
		assert_eq!((Split::claimable(&JUDGE), Books::<Test>::get().audit_pot), (30, 0));
		assert_eq!(debts(), vec![(3, JUDGE, 40)]);
		assert_eq!(
			events(),
			vec![
				paid(3, Role::Auditor, JUDGE, 30),
				Event::AuditDebt {
					job: 3,
					payee: JUDGE,
					amount: 40
				}
			]
		);
	});
}

#[test]
fn premiums_should_pay_the_oldest_debts_first_and_in_part() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		Split::pay_judge(3, &60, 400);
		Split::pay_judge(4, &61, 400);
		Split::pay_judge(5, &62, 0);
		assert_eq!(debts(), vec![(3, 60, 400), (4, 61, 400)]);
		let deal = open_and_escrow(1, 1_000, 0);
		System::reset_events();
		// One is paid, and one in part.
		assert_eq!(Split::settle(1, MODEL, &PAYER, &deal, 1, true).debts, 2);
		assert_eq!((Split::claimable(&60), Split::claimable(&61)), (400, 216));
		assert_eq!(debts(), vec![(4, 61, 184)]);
		assert_eq!(Books::<Test>::get().audit_pot, 0);
		// The job whose audit is paid stands in the event, not the one that pays.
		assert!(events().contains(&paid(3, Role::Auditor, 60, 400)));
		assert!(events().contains(&paid(4, Role::Auditor, 61, 216)));
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn one_premium_should_work_off_no_more_debts_than_fit_into_a_step() {
	ExtBuilder.build_and_execute(|| {
		let debts_noted = 3 * MAX_DEBTS_AT_ONCE;
		for judge in 0..debts_noted {
			Split::pay_judge(1, &(100 + AccountId::from(judge)), 10);
		}
		fill(1_000);
		assert_eq!(debts().len() as u32, debts_noted - MAX_DEBTS_AT_ONCE);
		// Whoever comes last waits, even while the pot has money: the others were first.
		Split::pay_judge(2, &JUDGE, 10);
		assert_eq!(Split::claimable(&JUDGE), 0);
		assert_eq!(debts().last(), Some(&(2, JUDGE, 10)));
		assert_eq!(debts().len() as u32, debts_noted - 2 * MAX_DEBTS_AT_ONCE + 1);
		fill(1);
		fill(1);
		assert!(debts().is_empty());
		assert_eq!(Split::claimable(&JUDGE), 10);
		assert_eq!(
			Books::<Test>::get().audit_pot,
			1_002 - 10 * Balance::from(debts_noted + 1)
		);
	});
}

#[test]
fn settle_should_tell_how_many_debts_its_premium_paid() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		for judge in 0..MAX_DEBTS_AT_ONCE + 2 {
			Split::pay_judge(1, &(100 + AccountId::from(judge)), 10);
		}
		for (job, debts) in [(1, MAX_DEBTS_AT_ONCE), (2, 2), (3, 0)] {
			let deal = open_and_escrow(job, 1_000, 0);
			assert_eq!(Split::settle(job, MODEL, &PAYER, &deal, 1, true).debts, debts);
		}
		// One that takes all of the premium, and leaves nothing.
		let deal = open_and_escrow(4, 1_000, 0);
		Split::pay_judge(1, &JUDGE, Books::<Test>::get().audit_pot + deal.premium);
		assert_eq!(Split::settle(4, MODEL, &PAYER, &deal, 1, true).debts, 1);
		assert_eq!((Books::<Test>::get().audit_pot, debts()), (0, vec![]));
	});
}

#[test]
fn a_judge_s_pay_and_a_lost_bond_should_tell_how_many_debts_were_paid() {
	ExtBuilder.build_and_execute(|| {
		let owe = |debts: u32| {
			for judge in 0..debts {
				assert_eq!(Split::pay_judge(1, &(100 + AccountId::from(judge)), 10), 0);
			}
		};
		owe(MAX_DEBTS_AT_ONCE + 2);
		assert_ok!(Split::escrow_bond(1, &PAYER, 5_000));
		assert_eq!(Split::end_bond(1, &PAYER, 4_000, false), MAX_DEBTS_AT_ONCE);
		// The two that are left, and what the pot has beside them.
		assert_eq!(Split::pay_judge(2, &JUDGE, 5_000), 2);
		assert_eq!((Books::<Test>::get().audit_pot, debts().len()), (0, 1));
		assert_eq!(Split::pay_judge(2, &JUDGE, 10), 0, "the pot is empty");
		// A part of one.
		assert_eq!(Split::end_bond(1, &PAYER, 500, false), 1);
		assert_eq!(debts().len(), 2);
		assert_eq!(Split::end_bond(1, &PAYER, 500, true), 0, "nothing came into the pot");
	});
}

#[test]
fn bond_should_come_back_when_the_payer_was_right() {
	ExtBuilder.build_and_execute(|| {
		let before = Balances::free_balance(PAYER);
		assert_ok!(Split::escrow_bond(1, &PAYER, 5_000));
		assert_eq!(
			(Balances::free_balance(PAYER), Books::<Test>::get().bonds),
			(before - 5_000, 5_000)
		);
		assert_eq!(Split::pot_surplus(), Some(0));
		Split::end_bond(1, &PAYER, 5_000, true);
		assert_eq!((Balances::free_balance(PAYER), Books::<Test>::get().bonds), (before, 0));
		let (job, payer, amount) = (1, PAYER, 5_000);
		assert_eq!(
			events(),
			vec![
				Event::BondTaken { job, payer, amount },
				Event::BondReturned {
					job,
					payer,
					amount,
					claimable: false
				}
			]
		);
	});
}

#[test]
fn bond_should_pay_for_audits_when_the_payer_was_wrong() {
	ExtBuilder.build_and_execute(|| {
		Split::pay_judge(1, &JUDGE, 2_000);
		assert_ok!(Split::escrow_bond(1, &PAYER, 5_000));
		Split::end_bond(1, &PAYER, 5_000, false);
		let books = Books::<Test>::get();
		assert_eq!((books.bonds, books.audit_pot), (0, 3_000));
		assert_eq!(Split::claimable(&JUDGE), 2_000);
	});
}

#[test]
fn bond_should_become_claimable_when_the_payer_is_dead_and_it_is_dust() {
	ExtBuilder.build_and_execute(|| {
		let payer = 77;
		assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), payer, 2 * ED));
		assert_ok!(Split::escrow_bond(1, &payer, ED - 1));
		assert_ok!(Balances::transfer_all(RuntimeOrigin::signed(payer), PAYER, false));
		Split::end_bond(1, &payer, ED - 1, true);
		assert_eq!(Split::claimable(&payer), ED - 1);
	});
}

#[test]
fn escrow_bond_should_take_nothing_when_the_payer_cannot_pay_it() {
	ExtBuilder.build_and_execute(|| {
		let all = Balances::free_balance(PAYER);
		assert_noop!(Split::escrow_bond(1, &PAYER, all), TokenError::NotExpendable);
		assert_noop!(Split::escrow_bond(1, &78, 1), TokenError::FundsUnavailable);
		assert_ok!(Split::escrow_bond(1, &PAYER, all - ED));
		assert_noop!(
			Split::escrow_bond(1, &PAYER, Balance::MAX),
			sp_runtime::ArithmeticError::Overflow
		);
	});
}

#[test]
fn split_slash_should_burn_half_and_pay_in_order_from_the_rest() {
	ExtBuilder.build_and_execute(|| {
		let issuance = Balances::total_issuance();
		slash_arrives(64_001);
		Split::split_slash(1, 64_001, &[(60, 1_000), (61, 1_000), (62, 2_000)]);
		assert_eq!(Balances::total_issuance(), issuance + 64_001 - 32_000);
		let earned: Vec<_> = (60..63).map(|account| Split::claimable(&account)).collect();
		assert_eq!(earned, vec![1_000, 1_000, 2_000]);
		assert_eq!(Split::claimable(&TREASURY), 32_001 - 4_000);
		assert_eq!(
			events(),
			vec![
				Event::Burned { job: 1, amount: 32_000 },
				paid(1, Role::Auditor, 60, 1_000),
				paid(1, Role::Auditor, 61, 1_000),
				paid(1, Role::Auditor, 62, 2_000),
				paid(1, Role::Protocol, TREASURY, 28_001),
			]
		);
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn split_slash_should_pay_only_as_far_as_it_lasts() {
	ExtBuilder.build_and_execute(|| {
		slash_arrives(300);
		Split::split_slash(1, 300, &[(60, 100), (61, 100), (62, 100)]);
		let earned: Vec<_> = (60..63).map(|account| Split::claimable(&account)).collect();
		assert_eq!(earned, vec![100, 50, 0]);
		assert_eq!(Split::claimable(&TREASURY), 0);
	});
}

#[test]
fn split_slash_should_go_to_burn_and_treasury_when_nobody_shares_it() {
	ExtBuilder.build_and_execute(|| {
		Split::split_slash(1, 0, &[(60, 100)]);
		assert!(events().is_empty());
		slash_arrives(1);
		Split::split_slash(1, 1, &[]);
		assert_eq!(events(), vec![paid(1, Role::Protocol, TREASURY, 1)]);
	});
}

#[test]
#[should_panic(expected = "a slash is split that was not moved into the pot")]
fn split_slash_should_not_spend_other_people_s_money() {
	ExtBuilder.build_and_execute(|| {
		fill(1_000);
		Split::split_slash(1, 10, &[]);
	});
}

#[test]
#[should_panic(expected = "a bond ends that was not taken")]
fn end_bond_should_not_return_what_was_not_taken() {
	ExtBuilder.build_and_execute(|| {
		fill(1_000);
		Split::end_bond(1, &PAYER, 10, true);
	});
}
