//! A payer asks for an audit, and puts down what it costs if it was wrong.

use crate::{mock::*, Error, Event, Forced, Pallet};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::audit::{AuditReason, Verdict, Vote};
use sp_runtime::Perbill;

const BOND_PUT_DOWN: u128 = 2 * REWARD;

fn force(who: AccountId, job: u64) -> sp_runtime::DispatchResult {
	Pallet::<Test>::force_audit(RuntimeOrigin::signed(who), job)
}

/// Job 1 was attested with this sketch and would not be drawn; its payer forces the audit.
fn forced(committed: i64) {
	assign(1, EXECUTOR);
	accept(&attest_with(EXECUTOR, 1, sketch(committed)));
	assert_ok!(force(PAYER, 1));
	assert_eq!(Purses::get(PAYER), 1_000_000 - BOND_PUT_DOWN);
	assert!(events().contains(&Event::AuditForced {
		job: 1,
		payer: PAYER,
		bond: BOND_PUT_DOWN
	}));
	go(WINDOW);
	assert_eq!(record(1).reason, AuditReason::Forced);
	assert!(Forced::<Test>::contains_key(1));
}

#[test]
fn payer_should_lose_its_bond_to_the_audit_pot_when_the_work_is_right() {
	execute_with(6, || {
		forced(1_001);
		auditor_says(1, yes(1), honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		assert_eq!(Purses::get(PAYER), 1_000_000 - BOND_PUT_DOWN);
		assert_eq!(AuditPot::get(), (BOND_PUT_DOWN - REWARD) as i128);
	});
}

#[test]
fn payer_should_have_its_bond_back_when_it_was_right() {
	execute_with(7, || {
		calibrate();
		forced(3);
		auditor_says(1, no(1), sketch(3));
		jury_sits(1);
		let guilty = Some(ballot(Vote::No, true, sketch(8)));
		jury_says(1, [guilty, guilty, guilty]);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!(Purses::get(PAYER), 1_000_000);
	});
}

#[test]
fn payer_should_have_its_bond_back_when_nobody_knows() {
	execute_with(4, || {
		forced(3);
		auditor_says(1, no(1), sketch(3));
		go_to(record(1).until);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!(Purses::get(PAYER), 1_000_000);
	});
	execute_with(1, || {
		assign(1, EXECUTOR);
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		assert_ok!(force(PAYER, 1));
		go(WINDOW);
		assert_eq!(Ended::get(1), Some(Verdict::Unaudited));
		assert_eq!(Purses::get(PAYER), 1_000_000);
	});
}

#[test]
fn bond_should_end_with_the_audit_when_the_job_was_drawn_anyway() {
	execute_with(6, || {
		Rate::put(Perbill::one());
		assign(1, EXECUTOR);
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		assert_ok!(force(PAYER, 1));
		go(WINDOW);
		assert_eq!(record(1).reason, AuditReason::Drawn);
		auditor_says(1, yes(1), honest(1));
		assert!(!Forced::<Test>::contains_key(1));
		assert_eq!(AuditPot::get(), (BOND_PUT_DOWN - REWARD) as i128);
	});
}

#[test]
fn audit_should_be_forced_once_by_the_payer_while_the_job_waits_for_its_pay() {
	execute_with(6, || {
		assert_noop!(force(PAYER, 1), Error::<Test>::NotAttested);
		assign(1, EXECUTOR);
		assert_noop!(force(PAYER, 1), Error::<Test>::NotAttested);
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		assert_noop!(force(2, 1), Error::<Test>::NotPayer);
		assert_noop!(force(operator(EXECUTOR), 1), Error::<Test>::NotPayer);
		assert_ok!(force(PAYER, 1));
		assert_noop!(force(PAYER, 1), Error::<Test>::AlreadyForced);
		go(WINDOW);
		assert_noop!(force(PAYER, 1), Error::<Test>::AlreadyAudited);
		auditor_says(1, yes(1), honest(1));
		assert_noop!(force(PAYER, 1), Error::<Test>::NotAttested);
	});
}

#[test]
fn audit_should_not_be_forced_without_its_bond() {
	execute_with(6, || {
		Purses::mutate(PAYER, |purse| *purse -= 1_000_000 - BOND_PUT_DOWN + 1);
		Treasury::mutate(|treasury| *treasury += 1_000_000 - BOND_PUT_DOWN + 1);
		assign(1, EXECUTOR);
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		assert!(force(PAYER, 1).is_err());
		assert!(!Forced::<Test>::contains_key(1));
		go(WINDOW);
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
	});
}
