//! The auditor's turn: who it is, what it earns, and what becomes of one that does not judge.

use crate::{mock::*, AuditPhase, Event, SlashReason};
use highway_primitives::{
	audit::{AuditReason, Seat, Verdict, Vote},
	DeviceClass,
};
use sp_runtime::Perbill;

#[test]
fn audit_should_end_upheld_when_both_say_the_same() {
	execute_with(6, || {
		let auditor = audited(1, honest(1));
		assert_ne!(auditor, EXECUTOR);
		let opened = record(1);
		assert_eq!((opened.reason, opened.executor), (AuditReason::Drawn, EXECUTOR));
		// Attested in block 1, window 10; the judge has the job's allowance and five blocks.
		assert_eq!((opened.phase, opened.until), (AuditPhase::Judging, 11 + ALLOWANCE + 5));
		assert_eq!(fleet(auditor).reserved, SECURITY);
		// Within the tolerance.
		auditor_says(1, ballot(Vote::Yes, true, sketch(1_001 + 5)), honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		assert_eq!(record(1).verdict(), Some(Verdict::Upheld));
		assert_eq!(
			(earned(1, auditor), fleet(auditor).reserved, lost(auditor)),
			(REWARD, 0, 0)
		);
		assert_eq!((fleet(EXECUTOR).reserved, lost(EXECUTOR)), (0, 0));
		assert_eq!(
			(AuditPot::get(), Burned::get(), Treasury::get()),
			(-(REWARD as i128), 0, 0)
		);
		assert_eq!(outcomes(auditor), vec![true]);
		assert!(outcomes(EXECUTOR).is_empty(), "the executor's outcome is its job's");
		let until = 22;
		assert_eq!(
			events()[1..],
			[
				Event::AuditOpened {
					job: 1,
					auditor,
					reason: AuditReason::Drawn,
					until
				},
				Event::BallotCommitted { job: 1, node: auditor },
				Event::BallotRevealed {
					job: 1,
					node: auditor,
					vote: Vote::Yes
				},
				Event::CommitmentOpened { job: 1, node: EXECUTOR },
				Event::AuditEnded {
					job: 1,
					verdict: Verdict::Upheld
				},
			]
		);
	});
}

#[test]
fn phases_should_end_early_once_everybody_has_spoken() {
	execute_with(6, || {
		let auditor = audited(1, honest(1));
		say_commit(auditor, 1, yes(1));
		assert_eq!(now(), 12);
		// Both ends are fixed now, however early the auditor is: 6 blocks for it and 6 for the executor.
		let fixed = 12 + 6 + 6;
		assert_eq!(
			(record(1).phase, record(1).until),
			(AuditPhase::Revealing { fixed }, 18)
		);
		say_reveal(auditor, 1, yes(1));
		assert_eq!(
			(record(1).phase, record(1).until),
			(AuditPhase::Opening { fixed }, fixed)
		);
		say_open(1, honest(1));
		assert_eq!((now(), Ended::get(1)), (14, Some(Verdict::Upheld)));
	});
}

#[test]
fn words_should_count_until_the_last_block_of_their_phase() {
	execute_with(6, || {
		let auditor = audited(1, honest(1));
		go_to(21);
		say_commit(auditor, 1, yes(1));
		assert_eq!(record(1).until, 28);
		go_to(27);
		say_reveal(auditor, 1, yes(1));
		assert_eq!(record(1).until, 34);
		go_to(33);
		say_open(1, honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
	});
}

#[test]
fn silent_auditor_should_lose_its_security_and_be_replaced() {
	execute_with(7, || {
		let first = audited(1, honest(1));
		go_to(21);
		assert_eq!(auditor(1), first);
		go(1);
		let second = auditor(1);
		assert!(![first, EXECUTOR].contains(&second));
		assert_eq!((lost(first), fleet(first).reserved), (SECURITY, 0));
		assert_eq!((Burned::get(), Treasury::get()), (SECURITY / 2, SECURITY / 2));
		assert_eq!(outcomes(first), vec![false]);
		assert_eq!(record(1).slashes.to_vec(), vec![(first, SECURITY)]);
		assert_eq!((record(1).phase, record(1).until), (AuditPhase::Judging, 22 + 11));
		assert!(events().contains(&Event::Slashed {
			job: 1,
			node: first,
			amount: SECURITY,
			why: SlashReason::Silence
		}));
		assert!(events().contains(&Event::AuditorReplaced {
			job: 1,
			auditor: second,
			until: 33
		}));
		auditor_says(1, yes(1), honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		assert_eq!((earned(1, first), earned(1, second)), (0, REWARD));
	});
}

#[test]
fn auditor_should_lose_its_security_when_it_commits_and_does_not_reveal() {
	execute_with(7, || {
		let first = audited(1, honest(1));
		say_commit(first, 1, yes(1));
		go_to(17);
		assert_eq!(auditor(1), first);
		go_to(18);
		assert_ne!(auditor(1), first);
		assert_eq!((lost(first), fleet(first).reserved), (SECURITY, 0));
		assert_eq!(record(1).opening, None, "the executor never opened to it");
		assert!(tasks(first).is_empty());
		auditor_says(1, yes(1), honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
	});
}

#[test]
fn abstention_should_cost_half_an_outcome_and_nothing_else() {
	execute_with(7, || {
		let first = audited(1, honest(1));
		say_commit(first, 1, abstain());
		say_reveal(first, 1, abstain());
		assert_ne!(auditor(1), first);
		assert_eq!((lost(first), fleet(first).reserved, earned(1, first)), (0, 0, 0));
		let full = highway_math::reliability::weight(REWARD, REWARD / 8);
		let half = Perbill::from_parts(full.deconstruct() / 2);
		assert_eq!(Notes::get(), vec![(first, false, half)]);
		auditor_says(1, yes(1), honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		assert_eq!(Notes::get()[1], (auditor(1), true, full));
	});
}

#[test]
fn job_should_be_paid_unaudited_after_three_auditors() {
	execute_with(9, || {
		audited(1, honest(1));
		let mut tried = vec![EXECUTOR];
		for round in 0..3 {
			let next = auditor(1);
			assert!(!tried.contains(&next));
			tried.push(next);
			match round {
				0 => {
					say_commit(next, 1, abstain());
					say_reveal(next, 1, abstain());
				}
				1 => go_to(record(1).until),
				_ => {
					say_commit(next, 1, no(1));
					go_to(record(1).until);
				}
			}
		}
		assert_eq!(Ended::get(1), Some(Verdict::Unaudited));
		assert_eq!(AuditPot::get(), 0, "nobody judged, nobody is paid");
		assert_eq!(
			(lost(tried[1]), lost(tried[2]), lost(tried[3])),
			(0, SECURITY, SECURITY)
		);
		assert_eq!((lost(EXECUTOR), fleet(EXECUTOR).reserved), (0, 0));
		assert!(tried.iter().all(|node| tasks(*node).is_empty()));
	});
}

#[test]
fn job_should_be_paid_unaudited_when_nobody_can_judge() {
	execute_with(3, || {
		change(1, |mock| mock.chilled = true);
		change(2, |mock| mock.reserved = BOND - SECURITY + 1);
		Rate::put(Perbill::one());
		assign(1, EXECUTOR);
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		go(WINDOW);
		assert_eq!(Ended::get(1), Some(Verdict::Unaudited));
		assert!(record(1).seats.is_empty());
		change(2, |mock| mock.reserved = 0);
	});
}

#[test]
fn payer_and_executor_s_operator_should_never_judge() {
	for salt in 0..20 {
		Salt::set(salt);
		execute_with(6, || {
			// The payer has a node, and so has the executor's operator once more.
			change(1, |mock| mock.operator = PAYER);
			change(2, |mock| mock.operator = operator(EXECUTOR));
			audited(1, honest(1));
			assert!([3, 4, 5].contains(&auditor(1)));
			go_to(80);
			assert!(record(1).seats.iter().all(|seat| [3, 4, 5].contains(&seat.node)));
		});
	}
}

#[test]
fn auditors_should_be_drawn_by_chance() {
	let mut drawn = std::collections::BTreeSet::new();
	for salt in 0..60 {
		Salt::set(salt);
		execute_with(6, || {
			drawn.insert(audited(1, honest(1)));
		});
	}
	assert_eq!(drawn.len(), 5);
}

#[test]
fn audit_should_go_on_when_the_executor_or_the_auditor_is_gone() {
	execute_with(6, || {
		Free::put(true);
		let first = audited(1, honest(1));
		let gone = (fleet(first), fleet(EXECUTOR));
		Fleet::remove(first);
		go_to(record(1).until);
		let second = auditor(1);
		say_commit(second, 1, no(1));
		say_reveal(second, 1, no(1));
		Fleet::remove(EXECUTOR);
		go_to(record(1).until);
		// Four operators are left: nobody is slashed, and nobody would pay for a job that was worth nothing.
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!((earned(1, second), AuditPot::get()), (0, 0));
		Fleet::insert(first, gone.0);
		Fleet::insert(EXECUTOR, gone.1);
	});
}

#[test]
fn free_jobs_should_be_audited_without_any_money() {
	execute_with(6, || {
		Free::put(true);
		calibrate();
		audited(1, sketch(7));
		auditor_says(1, no(1), sketch(7));
		jury_sits(1);
		jury_says(1, [Some(no(1)), Some(no(1)), None]);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert!(record(1).slashes.is_empty());
		assert_eq!((Burned::get(), AuditPot::get(), Earned::iter().count()), (0, 0, 0));
	});
}

#[test]
fn seat_should_remember_the_device_of_the_draw() {
	execute_with(6, || {
		change(EXECUTOR, |mock| mock.device = DeviceClass::Cuda);
		let auditor = audited(1, honest(1));
		assert_eq!(record(1).device, Some(DeviceClass::Cuda));
		let seat = record(1).auditor().cloned().unwrap();
		assert_eq!(
			(seat.node, seat.seat, seat.same_device),
			(auditor, Seat::Auditor, false)
		);
	});
}
