//! The executor opens what it attested, or loses everything behind it.

use crate::{mock::*, AuditPhase, Event, SlashReason, Suspects};
use highway_primitives::audit::{AuditTask, Verdict, Vote};
use sp_runtime::transaction_validity::InvalidTransaction;

#[test]
fn executor_should_lose_everything_when_it_is_silent() {
	execute_with(6, || {
		let auditor = audited(1, honest(1));
		say_commit(auditor, 1, yes(1));
		say_reveal(auditor, 1, yes(1));
		go_to(23);
		assert_eq!(record(1).phase, AuditPhase::Opening { fixed: 24 });
		go_to(24);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((lost(EXECUTOR), fleet(EXECUTOR).reserved), (SECURITY, 0));
		// Half is burned, the auditor found it and gets twice the price of an audit, the treasury the rest.
		assert_eq!(Burned::get(), SECURITY / 2);
		assert_eq!(
			(earned(1, auditor), Treasury::get()),
			(2 * REWARD, SECURITY / 2 - 2 * REWARD)
		);
		assert_eq!(AuditPot::get(), 0);
		assert_eq!((lost(auditor), fleet(auditor).reserved), (0, 0));
		assert_eq!(outcomes(auditor), vec![true]);
		assert_eq!(Suspects::<Test>::get(EXECUTOR), Some(24));
		assert_eq!(record(1).slashes.to_vec(), vec![(EXECUTOR, SECURITY)]);
		assert!(events().contains(&Event::Slashed {
			job: 1,
			node: EXECUTOR,
			amount: SECURITY,
			why: SlashReason::Silence
		}));
	});
}

#[test]
fn executor_that_cannot_open_what_it_committed_to_should_be_silent() {
	execute_with(6, || {
		let auditor = audited(1, honest(1));
		say_commit(auditor, 1, yes(1));
		say_reveal(auditor, 1, yes(1));
		// Another sketch than it committed to: copied from the auditor, say.
		assert_refused(&open(EXECUTOR, 1, sketch(3)), InvalidTransaction::Custom(3));
		assert_refused(
			&open_by(&key(0), EXECUTOR, 1, honest(1), [0; 32]),
			InvalidTransaction::Custom(3),
		);
		go_to(record(1).until);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
	});
}

#[test]
fn executor_should_not_open_before_the_auditor_judged() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		// What it opens is public: the next auditor, who has still to commit, could copy it.
		let opening = open(EXECUTOR, 1, honest(1));
		assert_refused(&opening, InvalidTransaction::Stale);
		assert!(tasks(EXECUTOR).is_empty());
		say_commit(auditor, 1, yes(1));
		assert_refused(&opening, InvalidTransaction::Stale);
		accept(&reveal(auditor, 1, yes(1)));
		// Still the auditor's phase, which ends with this block.
		assert_refused(&opening, InvalidTransaction::Stale);
		assert!(tasks(EXECUTOR).is_empty());
		go(1);
		assert_eq!(tasks(EXECUTOR), vec![AuditTask::Open { index: 0 }]);
		accept(&opening);
	});
}

#[test]
fn executor_should_never_open_to_an_auditor_that_abstains() {
	execute_with(7, || {
		let first = audited(1, honest(1));
		say_commit(first, 1, abstain());
		say_reveal(first, 1, abstain());
		assert_eq!(record(1).phase, AuditPhase::Judging);
		assert_refused(&open(EXECUTOR, 1, honest(1)), InvalidTransaction::Stale);
	});
}

#[test]
fn executor_s_time_should_not_shrink_when_the_auditor_reveals_late() {
	execute_with(6, || {
		let auditor = audited(1, honest(1));
		say_commit(auditor, 1, yes(1));
		go_to(17);
		say_reveal(auditor, 1, yes(1));
		assert_eq!((now(), record(1).until), (18, 24));
		go_to(23);
		say_open(1, honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
	});
}

#[test]
fn commitment_should_be_opened_with_any_vote_but_end_upheld_only_with_a_yes_that_agrees() {
	let far = ballot(Vote::Yes, true, sketch(1_001 + 6));
	for (said, upheld) in [(yes(1), true), (no(1), false), (far, false)] {
		execute_with(6, || {
			audited(1, honest(1));
			auditor_says(1, said, honest(1));
			match upheld {
				true => assert_eq!(Ended::get(1), Some(Verdict::Upheld)),
				false => assert_eq!(record(1).phase, AuditPhase::JuryDraw { fixed: 24 }),
			}
		});
	}
}

#[test]
fn node_without_security_should_be_slashed_by_what_is_left() {
	execute_with(6, || {
		let auditor = audited(1, honest(1));
		say_commit(auditor, 1, yes(1));
		say_reveal(auditor, 1, yes(1));
		// An offence against consensus took the bond meanwhile, but for a little.
		change(EXECUTOR, |mock| mock.bond = 1_000);
		Treasury::mutate(|treasury| *treasury += BOND - 1_000);
		go_to(record(1).until);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((fleet(EXECUTOR).bond, fleet(EXECUTOR).reserved), (0, 0));
		// The rest of 500 does not pay the auditor: the audit pot does.
		assert_eq!(
			(Burned::get(), earned(1, auditor), AuditPot::get()),
			(500, REWARD, -(REWARD as i128))
		);
	});
}
