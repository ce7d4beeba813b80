//! Executor and auditor do not agree: three jurors judge both.

use crate::{mock::*, AuditPhase, Calibrations, Event, SlashReason, Suspects};
use highway_primitives::{
	audit::{AuditTask, Claims, Seat, Verdict, Vote},
	DeviceClass, NodeId,
};
use sp_runtime::transaction_validity::InvalidTransaction;

/// What half of a security is, after its burn.
const REST: u128 = SECURITY - SECURITY / 2;

/// Job 1, executed with this sketch, is before its jury; the auditor said `said`. Returns auditor and jurors.
fn jury(committed: i64, said: highway_primitives::Ballot) -> (NodeId, [NodeId; 3]) {
	audited(1, sketch(committed));
	auditor_says(1, said, sketch(committed));
	jury_sits(1);
	(auditor(1), jurors(1))
}

/// Right is what comes to 1001; the jury's sketches are of another seed.
const RIGHT: i64 = 1_001;

fn says(vote: Vote, auditor_right: bool) -> Option<highway_primitives::Ballot> {
	Some(ballot(vote, auditor_right, sketch(-77)))
}

#[test]
fn jury_should_be_drawn_behind_the_fixed_block_and_judge_under_a_fresh_seed() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		auditor_says(1, no(1), honest(1));
		// However early both spoke, the jury is drawn behind the scheduled end of their phases.
		assert_eq!((now(), record(1).phase), (14, AuditPhase::JuryDraw { fixed: 24 }));
		assert_eq!(record(1).until, 24 + 4);
		go_to(27);
		assert_eq!(record(1).jurors().count(), 0);
		go_to(28);
		let jury = jurors(1);
		assert!(!jury.contains(&EXECUTOR) && !jury.contains(&auditor));
		assert_eq!(record(1).until, 28 + ALLOWANCE + 5);
		let auditor_seed = seed(auditor, 1);
		for juror in jury {
			assert_eq!(fleet(juror).reserved, SECURITY);
			assert_eq!(seed(juror, 1), seed(jury[0], 1));
			assert_ne!(seed(juror, 1), auditor_seed);
			let claims = Claims {
				executor: honest(1),
				vote: Vote::No,
				auditor: honest(1),
			};
			assert_eq!(
				tasks(juror),
				vec![AuditTask::Judge {
					seat: Seat::Juror,
					index: 0,
					seed: seed(juror, 1),
					claims: Some(claims)
				}]
			);
		}
		assert!(events().contains(&Event::JuryOpened {
			job: 1,
			jurors: jury.to_vec(),
			until: 39
		}));
		go_to(100);
	});
}

#[test]
fn executor_should_lose_everything_when_the_jury_finds_it_wrong() {
	execute_with(7, || {
		calibrate();
		let (auditor, jury) = jury(RIGHT, no(1));
		jury_says(1, [says(Vote::No, true), says(Vote::No, true), says(Vote::No, true)]);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((lost(EXECUTOR), fleet(EXECUTOR).reserved), (SECURITY, 0));
		// Half burned; an audit's price to each juror, twice of it to the auditor that found it; the rest is the treasury's.
		assert_eq!(Burned::get(), SECURITY / 2);
		assert!(jury.iter().all(|juror| earned(1, *juror) == REWARD));
		assert_eq!(earned(1, auditor), 2 * REWARD);
		assert_eq!(Treasury::get(), REST - 5 * REWARD);
		assert_eq!(AuditPot::get(), 0);
		assert!(jury
			.iter()
			.chain([&auditor])
			.all(|node| (lost(*node), fleet(*node).reserved) == (0, 0)));
		assert!(jury.iter().chain([&auditor]).all(|node| outcomes(*node) == vec![true]));
		assert_eq!(Suspects::<Test>::get(EXECUTOR), Some(now()));
		assert!(events().contains(&Event::Slashed {
			job: 1,
			node: EXECUTOR,
			amount: SECURITY,
			why: SlashReason::Judged
		}));
	});
}

#[test]
fn auditor_should_lose_everything_when_the_jury_finds_it_wrong() {
	execute_with(7, || {
		calibrate();
		let (auditor, jury) = jury(RIGHT, no(1));
		jury_says(
			1,
			[says(Vote::Yes, false), says(Vote::Yes, false), says(Vote::Yes, false)],
		);
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		assert_eq!(
			(lost(EXECUTOR), lost(auditor), fleet(auditor).reserved),
			(0, SECURITY, 0)
		);
		assert!(jury.iter().all(|juror| earned(1, *juror) == REWARD));
		assert_eq!((earned(1, auditor), AuditPot::get()), (0, 0));
		assert_eq!((Burned::get(), Treasury::get()), (SECURITY / 2, REST - 3 * REWARD));
		assert_eq!(outcomes(auditor), vec![false]);
		assert_eq!(Suspects::<Test>::get(EXECUTOR), None);
	});
}

#[test]
fn both_should_lose_everything_when_both_are_wrong_and_jurors_be_paid_once() {
	execute_with(7, || {
		calibrate();
		let (auditor, jury) = jury(3, ballot(Vote::Yes, true, sketch(900)));
		jury_says(1, [says(Vote::No, false), says(Vote::No, false), says(Vote::No, false)]);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((lost(EXECUTOR), lost(auditor)), (SECURITY, SECURITY));
		assert!(jury.iter().all(|juror| earned(1, *juror) == REWARD));
		assert_eq!(earned(1, auditor), 0);
		assert_eq!(
			(Burned::get(), Treasury::get()),
			(SECURITY / 2 * 2, 2 * REST - 3 * REWARD)
		);
		assert_eq!(AuditPot::get(), 0);
	});
}

#[test]
fn nobody_should_lose_anything_when_both_are_right() {
	execute_with(7, || {
		calibrate();
		// Their sketches lie too far apart for two of them, not for the jury.
		let (auditor, jury) = jury(RIGHT, ballot(Vote::Yes, true, sketch(RIGHT + 6)));
		jury_says(1, [says(Vote::Yes, true), says(Vote::Yes, true), None]);
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		assert_eq!((lost(EXECUTOR), lost(auditor)), (0, 0));
		// Without a slash the audit pot pays.
		assert_eq!(
			(earned(1, auditor), earned(1, jury[0]), earned(1, jury[1])),
			(REWARD, REWARD, REWARD)
		);
		assert_eq!(AuditPot::get(), -3 * REWARD as i128);
		// But the third was silent.
		assert_eq!((lost(jury[2]), earned(1, jury[2])), (SECURITY, 0));
		assert_eq!((Burned::get(), Treasury::get()), (SECURITY / 2, REST));
	});
}

#[test]
fn juror_that_disagrees_should_lose_reliability_only() {
	execute_with(7, || {
		calibrate();
		let (auditor, jury) = jury(3, no(1));
		// The third says the same, but has not computed it.
		let copied = Some(ballot(Vote::No, true, sketch(0)));
		jury_says(1, [says(Vote::No, true), says(Vote::No, true), copied]);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((earned(1, jury[2]), lost(jury[2]), fleet(jury[2]).reserved), (0, 0, 0));
		assert_eq!((outcomes(jury[1]), outcomes(jury[2])), (vec![true], vec![false]));
		assert_eq!(Treasury::get(), REST - 2 * REWARD - earned(1, auditor));
	});
}

#[test]
fn silent_jurors_should_lose_their_security_at_commit_and_at_reveal() {
	execute_with(9, || {
		calibrate();
		let (_, jury) = jury(3, no(1));
		accept(&commit(jury[0], 1, says(Vote::No, true).unwrap()));
		accept(&commit(jury[1], 1, says(Vote::No, true).unwrap()));
		go_to(38);
		assert_eq!(record(1).phase, AuditPhase::JuryJudging, "one is waited for");
		go_to(39);
		assert_eq!(record(1).phase, AuditPhase::JuryRevealing);
		// Too late.
		assert_refused(&commit(jury[2], 1, no(1)), InvalidTransaction::Stale);
		accept(&reveal(jury[0], 1, says(Vote::No, true).unwrap()));
		go_to(44);
		assert_eq!(Ended::get(1), None, "one is waited for");
		go_to(45);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!(jury.map(lost), [0, SECURITY, SECURITY]);
		assert_eq!(jury.map(|juror| earned(1, juror)), [REWARD, 0, 0]);
		assert_eq!((lost(EXECUTOR), fleet(EXECUTOR).reserved), (0, 0));
		// One juror alone disputes nothing.
		assert_eq!(Calibrations::<Test>::get(MODEL, VERSION).disputes, 0);
	});
}

#[test]
fn audit_should_end_void_when_the_whole_jury_is_silent() {
	execute_with(9, || {
		let (auditor, jury) = jury(3, no(1));
		go_to(39);
		assert_eq!((record(1).phase, record(1).until), (AuditPhase::JuryRevealing, 40));
		go_to(40);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!(jury.map(lost), [SECURITY; 3]);
		assert_eq!(earned(1, auditor), REWARD);
	});
}

#[test]
fn jury_that_disagrees_should_void_and_dispute() {
	execute_with(7, || {
		calibrate();
		let (auditor, jury) = jury(3, no(1));
		let far = Some(ballot(Vote::No, true, sketch(400)));
		jury_says(1, [says(Vote::No, true), says(Vote::Yes, true), far]);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!((lost(EXECUTOR), lost(auditor), jury.map(lost)), (0, 0, [0; 3]));
		assert!(jury.iter().chain([&auditor]).all(|node| earned(1, *node) == REWARD));
		assert_eq!(AuditPot::get(), -4 * REWARD as i128);
		let calibration = Calibrations::<Test>::get(MODEL, VERSION);
		assert_eq!((calibration.audits, calibration.disputes), (1, 1));
		assert_eq!(Suspects::<Test>::get(EXECUTOR), None);
	});
}

#[test]
fn jurors_that_abstain_should_be_paid_nothing() {
	execute_with(7, || {
		calibrate();
		let (_, jury) = jury(3, no(1));
		jury_says(1, [Some(abstain()), Some(missing(1)), says(Vote::No, true)]);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!(jury.map(|juror| earned(1, juror)), [0, 0, REWARD]);
		assert_eq!(jury.map(lost), [0; 3]);
		assert_eq!(jury.map(|juror| fleet(juror).reserved), [0; 3]);
		assert_eq!(Calibrations::<Test>::get(MODEL, VERSION).disputes, 0);
	});
}

#[test]
fn first_juror_should_be_of_the_executor_s_class() {
	for salt in 0..20 {
		Salt::set(salt);
		execute_with(9, || {
			change(EXECUTOR, |mock| mock.device = DeviceClass::CpuArm);
			change(8, |mock| mock.device = DeviceClass::CpuArm);
			audited(1, sketch(3));
			if auditor(1) == 8 {
				return go_to(200);
			}
			auditor_says(1, no(1), sketch(3));
			// Once it knows that a jury comes, it calls itself something else: in vain.
			change(EXECUTOR, |mock| mock.device = DeviceClass::Cuda);
			jury_sits(1);
			assert_eq!(jurors(1)[0], 8);
			let same: Vec<bool> = record(1).jurors().map(|seat| seat.same_device).collect();
			assert_eq!(same, vec![true, false, false]);
			// Nor does it help a juror to change.
			change(8, |mock| mock.device = DeviceClass::Cuda);
			calibrate();
			jury_says(1, [says(Vote::No, true), says(Vote::No, true), None]);
			assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		});
	}
}

/// Job 1 of an executor that is alone in its device class is before its jury. Returns auditor and jurors.
fn jury_of_other_classes() -> (NodeId, [NodeId; 3]) {
	calibrate();
	change(EXECUTOR, |mock| mock.device = DeviceClass::CpuArm);
	let seated = jury(3, no(1));
	assert!(record(1).jurors().all(|seat| !seat.same_device));
	seated
}

#[test]
fn executor_alone_in_its_class_should_lose_everything_when_all_three_find_it_wrong() {
	execute_with(9, || {
		let (auditor, jury) = jury_of_other_classes();
		jury_says(1, [says(Vote::No, true); 3]);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((lost(EXECUTOR), earned(1, auditor)), (SECURITY, 2 * REWARD));
		assert!(jury.iter().all(|juror| earned(1, *juror) == REWARD));
	});
}

#[test]
fn audit_should_end_void_when_one_of_three_of_other_classes_does_not_agree() {
	let far = Some(ballot(Vote::No, true, sketch(-70)));
	for third in [None, Some(abstain()), says(Vote::Yes, true), says(Vote::No, false), far] {
		execute_with(9, || {
			let (auditor, jury) = jury_of_other_classes();
			jury_says(1, [says(Vote::No, true), says(Vote::No, true), third]);
			assert_eq!(Ended::get(1), Some(Verdict::Void), "{third:?}");
			assert_eq!((lost(EXECUTOR), lost(auditor), earned(1, auditor)), (0, 0, REWARD));
			assert_eq!((earned(1, jury[0]), earned(1, jury[1])), (REWARD, REWARD));
			// Two agree: the calibration is not in doubt.
			assert_eq!(Calibrations::<Test>::get(MODEL, VERSION).disputes, 0);
		});
	}
}

#[test]
fn jury_should_be_of_any_class_when_the_executor_had_none() {
	execute_with(9, || {
		calibrate();
		audited(1, sketch(3));
		crate::Audits::<Test>::mutate(1, |record| record.as_mut().unwrap().device = None);
		auditor_says(1, no(1), sketch(3));
		jury_sits(1);
		assert!(record(1).jurors().all(|seat| !seat.same_device));
		jury_says(1, [says(Vote::No, true); 3]);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
	});
}

#[test]
fn audit_should_end_void_when_the_pair_has_nobody_of_the_executor_s_class() {
	execute_with(9, || {
		calibrate();
		change(EXECUTOR, |mock| mock.device = DeviceClass::CpuArm);
		change(7, |mock| mock.device = DeviceClass::CpuArm);
		change(8, |mock| mock.device = DeviceClass::CpuArm);
		let (_, jury) = jury(3, no(1));
		if record(1).jurors().skip(1).any(|seat| seat.same_device) {
			return go_to(200);
		}
		jury_says(1, [says(Vote::Yes, true), says(Vote::No, true), says(Vote::No, true)]);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!(lost(EXECUTOR), 0);
		assert!(jury.iter().all(|juror| earned(1, *juror) == REWARD));
		// They agree among themselves: the calibration is not in doubt.
		assert_eq!(Calibrations::<Test>::get(MODEL, VERSION).disputes, 0);
	});
}

#[test]
fn jurors_that_were_secured_should_be_let_go_when_a_third_is_not_found() {
	execute_with(4, || {
		let auditor = audited(1, sketch(3));
		auditor_says(1, no(1), sketch(3));
		go_to(record(1).until);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert!((0..4).all(|node| fleet(node).reserved == 0));
		assert!((0..4).all(|node| tasks(node).is_empty()));
		assert_eq!(earned(1, auditor), REWARD);
	});
}

#[test]
fn whether_slashes_are_allowed_should_be_asked_before_the_first_of_them() {
	// Five operators: executor, auditor, three jurors. A silent juror is chilled, and leaves four.
	execute_with(5, || {
		calibrate();
		let (_, jury) = jury(3, no(1));
		jury_says(1, [None, says(Vote::No, true), says(Vote::No, true)]);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((lost(EXECUTOR), lost(jury[0])), (SECURITY, SECURITY));
	});
}

#[test]
fn auditors_of_earlier_rounds_should_not_sit_in_the_jury() {
	execute_with(8, || {
		let first = audited(1, sketch(3));
		say_commit(first, 1, abstain());
		say_reveal(first, 1, abstain());
		let second = auditor(1);
		auditor_says(1, no(1), sketch(3));
		jury_sits(1);
		assert!(jurors(1).iter().all(|juror| ![first, second, EXECUTOR].contains(juror)));
		// Neither do they say anything any more.
		assert_refused(&commit(first, 1, no(1)), InvalidTransaction::Stale);
		go_to(200);
	});
}

#[test]
fn unsettled_jobs_of_a_convicted_node_should_be_audited() {
	execute_with(9, || {
		calibrate();
		jury(3, no(1));
		// Meanwhile it does others, of which none is drawn.
		Rate::kill();
		for job in [2, 3] {
			assign(job, EXECUTOR);
			accept(&attest_with(EXECUTOR, job, honest(job)));
		}
		assign(4, 8);
		accept(&attest_with(8, 4, honest(4)));
		jury_says(1, [says(Vote::No, true); 3]);
		let convicted = now();
		assert_eq!(
			(Ended::get(1), Suspects::<Test>::get(EXECUTOR)),
			(Some(Verdict::Rejected), Some(convicted))
		);
		go(1);
		assign(5, EXECUTOR);
		accept(&attest_with(EXECUTOR, 5, honest(5)));
		go(25);
		assert!(convicted < now());
		for job in [2, 3] {
			assert_eq!(record(job).reason, highway_primitives::AuditReason::Suspected);
		}
		for job in [4, 5] {
			assert_eq!(
				(crate::Audits::<Test>::get(job), Ended::get(job)),
				(None, Some(Verdict::Upheld))
			);
		}
		go(200);
	});
}
