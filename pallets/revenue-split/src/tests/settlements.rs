//! Where a payer's money goes when its job is over.

use super::*;
use crate::{
	pallet::{Books, Debts, Earnings},
	PotBooks,
};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::Role;
use sp_runtime::{Perbill, TokenError};

#[test]
fn genesis_should_endow_the_pot_when_built() {
	ExtBuilder.build_and_execute(|| {
		assert_eq!(pot_balance(), ED);
		assert_eq!(Split::pot_surplus(), Some(0));
		assert_eq!(Balances::total_issuance(), 2_000_000 * ED + ED);
	});
}

#[test]
fn escrow_should_move_the_price_when_the_payer_has_it() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let before = Balances::free_balance(PAYER);
		let deal = open_and_escrow(1, 3, 0);
		assert_eq!(Balances::free_balance(PAYER), before - deal.price);
		assert_eq!(pot_balance(), ED + deal.price);
		assert_eq!(Books::<Test>::get().obligations, deal.price);
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn escrow_should_take_nothing_when_the_payer_would_fall_below_its_existential_deposit() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open(1, 1000, 0);
		let poor = 77;
		assert_ok!(Balances::force_set_balance(
			RuntimeOrigin::root(),
			poor,
			ED + deal.price - 1
		));
		assert_noop!(Split::escrow(&poor, &deal), TokenError::NotExpendable);
		assert_noop!(Split::escrow(&78, &deal), TokenError::FundsUnavailable);
		assert_ok!(Balances::force_set_balance(
			RuntimeOrigin::root(),
			poor,
			ED + deal.price
		));
		assert_ok!(Split::escrow(&poor, &deal));
		assert_eq!(Balances::free_balance(poor), ED);
	});
}

#[test]
fn settle_should_pay_exactly_the_bill_when_the_job_is_done() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open_and_escrow(1, 40, 3 * MIB);
		let bill = Split::bill(MODEL, &deal, 2);
		let issuance = Balances::total_issuance();
		System::reset_events();
		assert_eq!(Split::settle(1, MODEL, &PAYER, &deal, 2, true).bill, bill);
		let line = |role, payee, amount| Some(BillLine { role, payee, amount });
		let told = events().into_iter().filter_map(|event| match event {
			Event::Paid {
				job: 1,
				role,
				payee,
				amount,
			} => line(role, Some(payee), amount),
			Event::StoragePayHeld {
				job: 1,
				model: MODEL,
				payee,
				amount,
			} => line(Role::Storage, Some(payee), amount),
			Event::AuditPotFilled { job: 1, amount } => line(Role::Auditor, None, amount),
			Event::Burned { job: 1, amount } => line(Role::Protocol, None, amount),
			Event::Subsidised { .. } => None,
			other => panic!("unexpected {other:?}"),
		});
		assert_eq!(told.collect::<Vec<_>>(), bill.to_vec());
		assert_eq!(sum(&bill), deal.price);
		// 40 × (5 + 2) + 400 + 9 = 689, 5 % of it rounded up is 35, of which 17 are burned and a half of that minted again.
		assert_eq!(Balances::total_issuance(), issuance - 17 + 8);
		for line in &bill {
			match (line.payee, line.role) {
				(Some(payee), Role::Storage) => {
					assert_eq!((Split::claimable(&payee), pending(3)), (0, line.amount));
				}
				(Some(payee), Role::Compute) => assert_eq!(Split::claimable(&payee), line.amount + 8),
				(Some(payee), _) => assert_eq!(Split::claimable(&payee), line.amount),
				(None, Role::Auditor) => assert_eq!(Books::<Test>::get().audit_pot, line.amount),
				(None, _) => assert_eq!(line.amount, 17),
			}
		}
		let books = Books::<Test>::get();
		assert_eq!((books.obligations, books.storage_pay), (0, 9));
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn settle_should_subsidise_the_executor_by_no_more_than_half_of_what_the_job_burned() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		for (nth, (rate, minted)) in [(50, 8), (25, 4), (0, 0), (90, 8)].into_iter().enumerate() {
			Subsidy::set(Perbill::from_percent(rate));
			let deal = open_and_escrow(nth as JobId, 40, 3 * MIB);
			let before = Split::claimable(&operator_of(2));
			System::reset_events();
			Split::settle(nth as JobId, MODEL, &PAYER, &deal, 2, true);
			assert_eq!(Split::claimable(&operator_of(2)), before + deal.compute + minted);
			let told = events().contains(&Event::Subsidised {
				job: nth as JobId,
				payee: operator_of(2),
				amount: minted,
			});
			assert_eq!(told, minted > 0);
		}
		// A slash burns, too, and pays nobody.
		let issuance = Balances::total_issuance();
		slash_arrives(1_000);
		Split::split_slash(9, 1_000, &[]);
		assert_eq!(Balances::total_issuance(), issuance + 500);
		// Neither is there anybody to pay when the node is gone.
		let deal = open_and_escrow(9, 40, 0);
		leave(2);
		let issuance = Balances::total_issuance();
		Split::settle(9, MODEL, &PAYER, &deal, 2, true);
		assert!(Balances::total_issuance() < issuance);
		assert!(!events()
			.iter()
			.any(|event| matches!(event, Event::Subsidised { job: 9, .. })));
	});
}

#[test]
fn settle_should_pay_two_lines_when_one_account_has_two_roles() {
	ExtBuilder.build_and_execute(|| {
		TestRoyalties::set(vec![royalty(MODEL, operator_of(1), 5)]);
		ask(1, AskRole::Compute, 10);
		ask(1, AskRole::Storage, 10);
		go_to_epoch(1);
		let deal = open_and_escrow(1, 1, 0);
		System::reset_events();
		Split::settle(1, MODEL, &PAYER, &deal, 1, true);
		let paid = events()
			.iter()
			.filter(|event| matches!(event, Event::Paid { .. }))
			.count();
		assert_eq!(paid, 3, "the third is the treasury's");
		assert_eq!((Split::claimable(&operator_of(1)), pending(1)), (15, 10));
	});
}

#[test]
fn settle_should_pay_the_weaver() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let order = Order {
			weaver: Some((&70, 12)),
			..order(1, 0)
		};
		let deal = Split::open(1, &order).unwrap();
		assert_ok!(Split::escrow(&PAYER, &deal));
		Split::settle(1, MODEL, &PAYER, &deal, 1, true);
		assert_eq!(Split::claimable(&70), 12);
	});
}

#[test]
fn settle_should_pay_the_treasury_when_a_node_is_gone() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open_and_escrow(1, 10, 0);
		let treasury = Split::bill(MODEL, &deal, 1)
			.iter()
			.filter(|line| line.payee == Some(TREASURY))
			.map(|line| line.amount)
			.sum::<Balance>();
		leave(1);
		leave(3);
		Split::settle(1, MODEL, &PAYER, &deal, 1, true);
		assert_eq!(Split::claimable(&TREASURY), treasury + deal.compute + 3);
		assert_eq!(Books::<Test>::get().storage_pay, 0);
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn refund_should_give_everything_back_when_nobody_did_the_job() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let (before, issuance) = (Balances::free_balance(PAYER), Balances::total_issuance());
		let deal = open_and_escrow(1, 40, 0);
		System::reset_events();
		Split::refund(1, &PAYER, &deal);
		assert_eq!(Balances::free_balance(PAYER), before);
		assert_eq!(Balances::total_issuance(), issuance);
		assert_eq!(pot_balance(), ED);
		assert_eq!(
			events(),
			vec![Event::Refunded {
				job: 1,
				payer: PAYER,
				amount: deal.price,
				claimable: false
			}]
		);
	});
}

#[test]
fn refund_should_become_claimable_when_the_payer_is_dead_and_it_is_dust() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let payer = 77;
		assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), payer, 10 * ED));
		let deal = open(1, 1, 0);
		assert!(deal.price < ED);
		assert_ok!(Split::escrow(&payer, &deal));
		assert_ok!(Balances::transfer_all(RuntimeOrigin::signed(payer), PAYER, false));
		assert!(!System::account_exists(&payer));
		Split::refund(1, &payer, &deal);
		assert!(events().contains(&Event::Refunded {
			job: 1,
			payer,
			amount: deal.price,
			claimable: true
		}));
		assert_eq!(Split::claimable(&payer), deal.price);
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn refund_should_revive_the_payer_when_it_is_dead_and_the_amount_keeps_it_alive() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let payer = 77;
		assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), payer, 100 * ED));
		let deal = open(1, 100, 0);
		assert_ok!(Split::escrow(&payer, &deal));
		assert_ok!(Balances::transfer_all(RuntimeOrigin::signed(payer), PAYER, false));
		Split::refund(1, &payer, &deal);
		assert_eq!(Balances::free_balance(payer), deal.price);
	});
}

#[test]
fn fail_should_share_a_fifth_of_compute_when_two_nodes_reported() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 101);
		ask(2, AskRole::Compute, 101);
		go_to_epoch(1);
		let before = Balances::free_balance(PAYER);
		let deal = open_and_escrow(1, 1, 0);
		System::reset_events();
		let bill = Split::fail(1, &PAYER, &deal, &[1, 2]);
		// A fifth of 101 is 20; each has 10.
		assert_eq!(Split::claimable(&operator_of(1)), 10);
		assert_eq!(Split::claimable(&operator_of(2)), 10);
		assert_eq!(Balances::free_balance(PAYER), before - 20);
		assert_eq!((bill.len(), sum(&bill)), (2, 20));
		assert_eq!(events().len(), 3);
		assert_eq!(Books::<Test>::get().obligations, 0);
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn fail_should_give_the_payer_everything_when_there_is_nobody_to_share_with() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let before = Balances::free_balance(PAYER);
		let deal = open_and_escrow(1, 1000, 0);
		Split::fail(1, &PAYER, &deal, &[]);
		assert_eq!(Balances::free_balance(PAYER), before);
		// A part that rounds to nothing is not paid.
		let small = open_and_escrow(2, 1, 0);
		Split::fail(2, &PAYER, &small, &[1, 2, 1]);
		assert_eq!(Balances::free_balance(PAYER), before);
		assert!(Split::earnings().is_empty());
	});
}

#[test]
fn fail_should_pay_the_treasury_when_a_reporter_is_gone() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open_and_escrow(1, 10, 0);
		leave(2);
		Split::fail(1, &PAYER, &deal, &[1, 2]);
		assert_eq!(Split::claimable(&operator_of(1)), 10);
		assert_eq!(Split::claimable(&TREASURY), 10);
	});
}

#[test]
fn pot_should_stay_solvent_and_quiet_when_a_stranger_sends_coins_to_it() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		assert_ok!(Balances::transfer_allow_death(
			RuntimeOrigin::signed(CURATOR),
			Split::pot_account(),
			12_345
		));
		let deal = open_and_escrow(1, 10, 0);
		Split::settle(1, MODEL, &PAYER, &deal, 1, true);
		assert_eq!(Split::pot_surplus(), Some(12_345));
		assert_ok!(Split::do_try_state());
	});
}

#[test]
fn average_compute_should_move_with_settled_jobs_alone() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let [settled, refunded] = [1, 2].map(|job| open_and_escrow(job, 10, 0));
		Split::refund(2, &PAYER, &refunded);
		assert_eq!(Split::average_compute(), 0);
		Split::settle(1, MODEL, &PAYER, &settled, 1, true);
		assert_eq!(Split::average_compute(), settled.compute / 8);
	});
}

#[test]
fn invariants_should_notice_when_the_pot_owes_more_than_it_holds() {
	ExtBuilder.build().execute_with(|| {
		let parts: [fn(&mut PotBooks) -> &mut Balance; 6] = [
			|books| &mut books.obligations,
			|books| &mut books.earnings,
			|books| &mut books.treasury,
			|books| &mut books.storage_pay,
			|books| &mut books.audit_pot,
			|books| &mut books.bonds,
		];
		for part in parts {
			for amount in [1, Balance::MAX] {
				Books::<Test>::mutate(|books| *part(books) = amount);
				assert!(Split::do_try_state().is_err());
			}
			Books::<Test>::kill();
			assert_ok!(Split::do_try_state());
		}
		// Sums that together are beyond all money are not taken for less.
		for part in parts {
			Books::<Test>::mutate(|books| *part(books) = Balance::MAX / 4);
		}
		assert_eq!((Books::<Test>::get().owed(), Split::pot_surplus()), (None, None));
		Books::<Test>::put(PotBooks {
			next_debt: 1,
			..Default::default()
		});
		assert!(Split::do_try_state().is_err());
		let debt = |amount| crate::Debt {
			job: 1,
			payee: 5,
			amount,
		};
		Debts::<Test>::insert(0, debt(0));
		assert!(Split::do_try_state().is_err());
		Debts::<Test>::insert(0, debt(1));
		assert_ok!(Split::do_try_state());
		Debts::<Test>::insert(1, debt(1));
		assert!(Split::do_try_state().is_err());
		Debts::<Test>::remove(1);
		Earnings::<Test>::insert(5, 0);
		assert!(Split::do_try_state().is_err());
		Earnings::<Test>::remove(5);
		assert_ok!(Split::do_try_state());
		Books::<Test>::mutate(|books| books.earnings = 1);
		Earnings::<Test>::insert(TREASURY, 1);
		assert!(Split::do_try_state().is_err());
	});
}
