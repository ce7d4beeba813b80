//! Nobody is slashed by a jury before two operators reproduced the version's calibration, nor while its audits are disputed.

use crate::{mock::*, Calibrations, Error, Event, Pallet};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::{
	audit::{Verdict, Vote},
	traits::Attestations,
	ModelId, ModelVersion,
};

fn confirm(who: AccountId, model: ModelId, version: ModelVersion) -> sp_runtime::DispatchResult {
	Pallet::<Test>::confirm_calibration(RuntimeOrigin::signed(who), model, version)
}

/// A jury of job 1 says this of executor and auditor, who do not agree.
fn jury_found(vote: Vote, auditor_right: bool) -> [u32; 3] {
	audited(1, sketch(3));
	auditor_says(1, no(1), sketch(3));
	jury_sits(1);
	let jury = jurors(1);
	jury_says(1, [Some(ballot(vote, auditor_right, sketch(8))); 3]);
	jury
}

#[test]
fn operators_should_confirm_once_each_and_not_their_own_model() {
	execute_with(10, || {
		assert_noop!(confirm(operator(1), MODEL, VERSION + 1), Error::<Test>::UnknownVersion);
		assert_noop!(confirm(operator(1), MODEL + 1, VERSION), Error::<Test>::UnknownVersion);
		assert_noop!(confirm(4_711, MODEL, VERSION), Error::<Test>::NoNode);
		change(9, |mock| mock.operator = OWNER);
		assert_noop!(confirm(OWNER, MODEL, VERSION), Error::<Test>::OwnCalibration);
		assert_ok!(confirm(operator(1), MODEL, VERSION));
		assert_noop!(confirm(operator(1), MODEL, VERSION), Error::<Test>::AlreadyConfirmed);
		assert!(!Pallet::<Test>::calibration(MODEL, VERSION).1);
		assert_ok!(confirm(operator(2), MODEL, VERSION));
		assert!(Pallet::<Test>::calibration(MODEL, VERSION).1);
		assert_eq!(
			events(),
			[1, 2].map(|node| Event::CalibrationConfirmed {
				model: MODEL,
				version: VERSION,
				operator: operator(node)
			})
		);
		for node in 3..9 {
			assert_ok!(confirm(operator(node), MODEL, VERSION));
		}
		assert_noop!(confirm(operator(0), MODEL, VERSION), Error::<Test>::EnoughConfirmations);
		assert_eq!(Calibrations::<Test>::get(MODEL, VERSION).reproduced_by.len(), 8);
	});
}

#[test]
fn executor_should_not_be_slashed_before_the_calibration_is_reproduced() {
	execute_with(7, || {
		assert_ok!(confirm(operator(1), MODEL, VERSION));
		let jury = jury_found(Vote::No, true);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!((lost(EXECUTOR), fleet(EXECUTOR).reserved), (0, 0));
		assert!(jury.iter().all(|juror| earned(1, *juror) == REWARD));
		assert_eq!((earned(1, auditor(1)), AuditPot::get()), (REWARD, -4 * REWARD as i128));
		// The jury agreed: this is no dispute.
		assert_eq!(Calibrations::<Test>::get(MODEL, VERSION).disputes, 0);
	});
}

#[test]
fn executor_should_be_paid_and_the_auditor_spared_before_the_calibration_is_reproduced() {
	execute_with(7, || {
		let jury = jury_found(Vote::Yes, false);
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		let auditor = auditor(1);
		assert_eq!((lost(auditor), fleet(auditor).reserved, earned(1, auditor)), (0, 0, 0));
		assert_eq!(outcomes(auditor), vec![false]);
		assert!(jury.iter().all(|juror| earned(1, *juror) == REWARD));
		assert_eq!(AuditPot::get(), -3 * REWARD as i128);
	});
}

#[test]
fn owner_s_confirmation_should_not_count_even_if_it_became_the_owner_later() {
	execute_with(7, || {
		Calibrations::<Test>::mutate(MODEL, VERSION, |calibration| {
			calibration.reproduced_by = vec![OWNER, 771].try_into().unwrap();
		});
		jury_found(Vote::No, true);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
	});
}

#[test]
fn silence_should_cost_the_security_without_any_calibration() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		say_commit(auditor, 1, yes(1));
		say_reveal(auditor, 1, yes(1));
		go_to(record(1).until);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!(lost(EXECUTOR), SECURITY);
	});
}

#[test]
fn version_should_take_no_more_jobs_only_while_its_slashes_are_suspended_by_disputes() {
	execute_with(2, || {
		let suspended = |version| <Pallet<Test> as Attestations<AccountId>>::suspended(MODEL, version);
		// Neither confirmed by anybody nor audited.
		assert!(!suspended(VERSION) && !suspended(VERSION + 1));
		for (audits, disputes, expected) in [(1, 1, false), (2, 2, true), (99, 2, true), (100, 2, false)] {
			Calibrations::<Test>::mutate(MODEL, VERSION, |calibration| {
				(calibration.audits, calibration.disputes) = (audits, disputes);
			});
			assert_eq!(suspended(VERSION), expected, "{disputes} of {audits}");
			calibrate();
			assert_eq!(suspended(VERSION), expected, "confirmations mend nothing");
			// The next version is another one.
			assert!(!suspended(VERSION + 1));
		}
	});
}

#[test]
fn slashes_should_stay_suspended_once_more_than_one_percent_is_disputed() {
	execute_with(7, || {
		calibrate();
		Calibrations::<Test>::mutate(MODEL, VERSION, |calibration| {
			(calibration.audits, calibration.disputes) = (98, 2);
		});
		assert!(!Pallet::<Test>::calibration(MODEL, VERSION).1);
		// The 99th audit.
		jury_found(Vote::No, true);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!(lost(EXECUTOR), 0);
		// What was open goes on being audited, and ends nothing.
		audited(2, sketch(3));
		let calibration = Calibrations::<Test>::get(MODEL, VERSION);
		assert_eq!((calibration.audits, calibration.disputes), (98, 2));
		auditor_says(2, no(2), sketch(3));
		jury_sits(2);
		jury_says(2, [Some(ballot(Vote::No, true, sketch(8))); 3]);
		assert_eq!(Ended::get(2), Some(Verdict::Void));
		assert_eq!(lost(EXECUTOR), 0);
	});
}
