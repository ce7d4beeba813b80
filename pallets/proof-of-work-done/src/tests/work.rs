//! What the end of each phase is said to have taken: whoever asks for it is charged for that.

use crate::{mock::*, FinalityHints, Pallet};
use frame_support::assert_ok;
use highway_primitives::audit::{
	AuditWork::{Agreed, Judged, PassedOn, Replaced, Seated, Undrawn},
	Verdict,
};

#[test]
fn job_that_is_not_drawn_should_take_the_draw_alone() {
	execute_with(6, || {
		Tries::put(4);
		assign(1, EXECUTOR);
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		go(WINDOW);
		assert_eq!((Ended::get(1), WindowWork::get()), (Some(Verdict::Upheld), (3, 0)));
		assert!(Works::get().is_empty());
	});
}

#[test]
fn audit_that_is_opened_should_take_the_draw_and_the_nodes_that_were_tried() {
	execute_with(6, || {
		Tries::put(4);
		audited(1, honest(1));
		assert_eq!(WindowWork::get(), (3, 4));
		go_to(200);
	});
	// Nobody is found.
	execute_with(1, || {
		Tries::put(5);
		assign(1, EXECUTOR);
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		assert_ok!(Pallet::<Test>::force_audit(RuntimeOrigin::signed(PAYER), 1));
		go(WINDOW);
		assert_eq!((Ended::get(1), WindowWork::get()), (Some(Verdict::Unaudited), (3, 5)));
	});
}

#[test]
fn audit_should_take_two_changes_of_phase_and_the_auditor_s_pay_when_both_agree() {
	for debts in [0, 3] {
		execute_with(6, || {
			DebtsAtOnce::put(debts);
			audited(1, honest(1));
			auditor_says(1, yes(1), honest(1));
			assert_eq!(Ended::get(1), Some(Verdict::Upheld));
			assert_eq!(Works::get(), [PassedOn, PassedOn, Agreed { debts }]);
		});
		// The bond of a payer that was wrong pays others.
		execute_with(6, || {
			DebtsAtOnce::put(debts);
			assign(1, EXECUTOR);
			accept(&attest_with(EXECUTOR, 1, honest(1)));
			assert_ok!(Pallet::<Test>::force_audit(RuntimeOrigin::signed(PAYER), 1));
			go(WINDOW);
			auditor_says(1, yes(1), honest(1));
			assert_eq!(Ended::get(1), Some(Verdict::Upheld));
			assert_eq!(Works::get(), [PassedOn, PassedOn, Agreed { debts: 2 * debts }]);
		});
	}
}

#[test]
fn auditor_should_be_replaced_by_as_many_tries_as_it_took() {
	execute_with(9, || {
		Tries::put(4);
		audited(1, honest(1));
		// One is silent, one abstains, and the last is silent.
		go_to(record(1).until);
		assert_eq!(Works::take(), [Replaced { tried: 4 }]);
		auditor_reveals(1, abstain());
		assert_eq!(Works::take(), [PassedOn, Replaced { tried: 4 }]);
		go_to(record(1).until);
		assert_eq!(Works::take(), [Replaced { tried: 0 }]);
		assert_eq!(Ended::get(1), Some(Verdict::Unaudited));
	});
}

#[test]
fn challenge_should_be_passed_on_until_somebody_is_replaced_or_convicted() {
	execute_with(6, || {
		audited(1, honest(1));
		auditor_reveals(1, missing(1));
		executor_proves(1);
		assert_eq!(Works::take(), [PassedOn; 3]);
		// It does not open.
		go_to(record(1).until);
		assert_eq!((Ended::get(1), Works::take()), (Some(Verdict::Rejected), vec![Judged]));
	});
	execute_with(4, || {
		audited(1, honest(1));
		auditor_reveals(1, missing(1));
		go_to(record(1).until);
		// Nobody may be slashed.
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!(Works::take(), [PassedOn, PassedOn, Judged]);
	});
	execute_with(6, || {
		Tries::put(2);
		NoTrace::put(true);
		audited(1, honest(1));
		auditor_reveals(1, missing(1));
		executor_proves(1);
		assert_eq!(Works::take(), [PassedOn, PassedOn, Replaced { tried: 2 }]);
		go_to(200);
	});
}

#[test]
fn jury_should_be_seated_and_judge_and_all_else_be_passed_on() {
	execute_with(7, || {
		calibrate();
		audited(1, sketch(3));
		auditor_says(1, no(1), sketch(3));
		assert_eq!(Works::take(), [PassedOn; 3]);
		jury_sits(1);
		assert_eq!(Works::take(), [Seated]);
		jury_says(1, [Some(no(1)); 3]);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!(Works::take(), [PassedOn, Judged]);
	});
	// A third juror is not found.
	execute_with(4, || {
		audited(1, sketch(3));
		auditor_says(1, no(1), sketch(3));
		go_to(record(1).until);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!(Works::take(), [PassedOn, PassedOn, PassedOn, Seated]);
	});
}

#[test]
fn jury_that_waits_for_its_draw_should_take_the_blocks_that_were_looked_at() {
	execute_with(7, || {
		let auditor = audited(1, sketch(3));
		Validators::set(vec![operator(auditor), 901, 902, 903]);
		Absent::set(vec![901, 902, 903]);
		auditor_says(1, no(1), sketch(3));
		assert_eq!(Works::take(), [PassedOn; 3]);
		// Behind block 24: for the first time in block 28, and in every second from then on.
		go_to(40);
		let waited: Vec<_> = (3..=15).step_by(2).map(|looked_at| Undrawn { looked_at }).collect();
		assert_eq!(Works::take(), waited);
		Absent::set(vec![]);
		go(6);
		assert_eq!(Works::take().last(), Some(&Seated));
		go_to(200);
	});
}

#[test]
fn audit_should_be_passed_on_when_clocks_stand_still() {
	execute_with(7, || {
		go_to(101);
		audited(1, honest(1));
		while now() < 140 {
			go(1);
			assert_ok!(Pallet::<Test>::note_finality(RuntimeOrigin::none(), 40));
		}
		// In blocks 122, 130 and 138.
		assert_eq!(Works::take(), [PassedOn; 3]);
		FinalityHints::<Test>::kill();
		go_to(record(1).until);
		assert_eq!(Works::take(), [Replaced { tried: 0 }]);
		go_to(300);
	});
}
