//! What others read, and what is forgotten.

use crate::{mock::*, AuditPhase, Audits, Forced, Pallet, Suspects, Tasks};
use highway_primitives::{
	audit::{work_seed, AuditReason, AuditTask, Seat, Verdict},
	traits::{Attestations, SecurityTouched},
};

/// Whether an audit was forgotten.
fn forget(job: u64) -> bool {
	<Pallet<Test> as Attestations<AccountId>>::forget(job)
}

#[test]
fn tasks_should_name_what_counts_in_the_next_block() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		let seed = work_seed(&work_id(1));
		let judge = AuditTask::Judge {
			seat: Seat::Auditor,
			index: 0,
			seed,
			claims: None,
		};
		assert_eq!(Pallet::<Test>::tasks_of(auditor), vec![(1, judge, 21)]);
		go_to(20);
		assert_eq!(tasks(auditor).len(), 1);
		go_to(21);
		assert!(tasks(auditor).is_empty(), "what is sent now comes too late");
		accept(&commit(auditor, 1, yes(1)));
		go(1);
		assert_eq!(
			Pallet::<Test>::tasks_of(auditor),
			vec![(1, AuditTask::Reveal { seed }, 27)]
		);
		accept(&reveal(auditor, 1, yes(1)));
		assert!(tasks(auditor).is_empty());
		go(1);
		assert_eq!(
			Pallet::<Test>::tasks_of(EXECUTOR),
			vec![(1, AuditTask::Open { index: 0 }, 33)]
		);
		say_open(1, honest(1));
		assert!((0..7).all(|node| tasks(node).is_empty()));
	});
}

#[test]
fn most_urgent_task_should_come_first() {
	execute_with(2, || {
		// Node 1 judges them all: there is no other.
		audited(1, honest(1));
		assign(3, EXECUTOR);
		assign(2, EXECUTOR);
		accept(&attest_with(EXECUTOR, 3, honest(3)));
		go(1);
		accept(&attest_with(EXECUTOR, 2, honest(2)));
		accept(&commit(1, 1, yes(1)));
		go(10);
		let order: Vec<u64> = Pallet::<Test>::tasks_of(1).into_iter().map(|(job, _, _)| job).collect();
		assert_eq!(order, vec![3, 2]);
		go_to(200);
	});
}

#[test]
fn audits_should_be_listed_in_order_page_by_page() {
	execute_with(4, || {
		let page = Pallet::<Test>::audits_from;
		assert_eq!(page(0, 0, 10), (vec![], None));
		for job in [9, 3, 500, 70] {
			audited(job, honest(job));
		}
		assert_eq!(page(0, 501, 10), (vec![3, 9, 70, 500], None));
		assert_eq!(page(0, 501, 4), (vec![3, 9, 70, 500], None));
		assert_eq!(page(4, 501, 2), (vec![9, 70], Some(71)));
		assert_eq!(page(71, 501, 64), (vec![500], None));
		assert_eq!(page(0, 501, 0), (vec![], Some(0)));
		// What nobody audited is looked at in parts.
		assert_eq!(page(501, 10_000, 10), (vec![], Some(4_597)));
		assert_eq!(page(u64::MAX, u64::MAX, 10), (vec![], None));
		go_to(300);
	});
}

#[test]
fn everything_about_a_job_should_go_with_its_record() {
	execute_with(6, || {
		audited(1, honest(1));
		auditor_says(1, yes(1), honest(1));
		assert_eq!(record(1).phase, AuditPhase::Ended(Verdict::Upheld));
		assert!(forget(1) && !forget(1) && !forget(99));
		assert!(!Audits::<Test>::contains_key(1));
		assert_eq!((Tasks::<Test>::iter().count(), Forced::<Test>::iter().count()), (0, 0));
	});
}

#[test]
fn nothing_should_be_left_even_when_a_record_goes_in_the_middle() {
	execute_with(6, || {
		assign(1, EXECUTOR);
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		Pallet::<Test>::force_audit(RuntimeOrigin::signed(PAYER), 1).unwrap();
		go(WINDOW);
		let auditor = auditor(1);
		assert_eq!(Tasks::<Test>::iter().count(), 2);
		forget(1);
		assert_eq!((Tasks::<Test>::iter().count(), Forced::<Test>::iter().count()), (0, 0));
		assert_eq!(Purses::get(PAYER), 1_000_000);
		// The mock's own record.
		OpenJobs::remove(1);
		change(auditor, |mock| mock.reserved = 0);
		change(EXECUTOR, |mock| mock.reserved = 0);
	});
}

#[test]
fn jobs_of_a_node_whose_security_was_touched_should_be_audited() {
	execute_with(6, || {
		assign(1, EXECUTOR);
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		go(3);
		<Pallet<Test> as SecurityTouched>::touched(EXECUTOR);
		assert_eq!(Suspects::<Test>::get(EXECUTOR), Some(4));
		go(1);
		assign(2, EXECUTOR);
		accept(&attest_with(EXECUTOR, 2, honest(2)));
		go(WINDOW);
		assert_eq!(record(1).reason, AuditReason::Suspected);
		assert_eq!(Ended::get(2), Some(Verdict::Upheld));
		go_to(300);
	});
}

#[test]
fn every_phase_should_have_its_words() {
	let phases = [
		AuditPhase::Judging,
		AuditPhase::Revealing { fixed: 0 },
		AuditPhase::Opening { fixed: 0 },
		AuditPhase::Challenged {
			since: 0,
			proved: false,
			fixed: 0,
		},
		AuditPhase::JuryDraw { fixed: 0 },
		AuditPhase::JuryJudging,
		AuditPhase::JuryRevealing,
		AuditPhase::Ended(Verdict::Void),
	];
	let words: std::collections::BTreeSet<_> = phases.iter().map(AuditPhase::description).collect();
	assert_eq!(words.len(), phases.len());
}
