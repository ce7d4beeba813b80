//! Whether there is an audit: by the VRFs of several authors behind a fixed block.

use crate::{draw::Draw, mock::*, Audits, Pallet, Vrfs, RING, WALK};
use highway_primitives::audit::{AuditReason, AuditWork, Step, Verdict};
use sp_runtime::Perbill;

const PARTIES: [AccountId; 2] = [PAYER, 100];

fn draw(fixed: u32) -> Option<Draw> {
	Pallet::<Test>::draw(1, fixed, &PARTIES).0
}

/// Number of blocks behind block 10 that the draw waits for.
fn waits_for(validators: &[AccountId]) -> u32 {
	Validators::set(validators.to_vec());
	go_to(11);
	while draw(10).is_none() {
		// It looks at all that are over.
		assert_eq!(looked_at(10), now() - 11);
		go(1);
	}
	now() - 11
}

/// At how many blocks behind `fixed` the draw looks.
fn looked_at(fixed: u32) -> u32 {
	Pallet::<Test>::draw(1, fixed, &PARTIES).1
}

#[test]
fn draw_should_wait_for_three_authors_that_are_no_party() {
	// Block 11 is by the validator at place 11 modulo their number.
	execute_with(1, || assert_eq!(waits_for(&[901, 902, 903, 904]), 3));
	execute_with(1, || assert_eq!(waits_for(&[PAYER, 901, 902, 100, 903]), 4));
	execute_with(1, || assert_eq!(waits_for(&[901, PAYER, 100, PAYER, 100, 902, 903]), 4));
}

#[test]
fn draw_should_take_all_neutral_validators_when_there_are_fewer_than_three() {
	execute_with(1, || assert_eq!(waits_for(&[901, 902]), 2));
	execute_with(1, || assert_eq!(waits_for(&[901, PAYER]), 2));
	execute_with(1, || assert_eq!(waits_for(&[901]), 1));
}

#[test]
fn draw_should_take_the_first_block_when_every_validator_is_a_party() {
	execute_with(1, || assert_eq!(waits_for(&[100]), 1));
	execute_with(1, || assert_eq!(waits_for(&[PAYER, 100]), 1));
}

#[test]
fn one_author_s_blocks_should_count_once() {
	execute_with(1, || {
		Absent::set(vec![903, 904]);
		// 901 takes the slots of two that are away: only two authors in all.
		assert_eq!(waits_for(&NEUTRAL), WALK);
		assert!(!draw(10).unwrap().lost);
		assert_eq!(looked_at(10), WALK);
	});
}

#[test]
fn every_vrf_that_was_walked_should_matter_and_no_later_one() {
	let drawn = |change: Option<u32>| {
		let mut seed = None;
		execute_with(1, || {
			// From block 11 on: 901, 902, 100, 903.
			Validators::set(vec![PAYER, 901, 902, 100, 903]);
			go_to(20);
			if let Some(block) = change {
				Vrfs::<Test>::mutate(block, |sealed| {
					sealed.as_mut().unwrap().seal.as_mut().unwrap().1 = [0; 32];
				});
			}
			seed = draw(10).map(|draw| draw.seed);
		});
		seed
	};
	let plain = drawn(None);
	for block in 11..=14 {
		assert_ne!(drawn(Some(block)), plain, "{block}");
	}
	for block in [10, 15, 16] {
		assert_eq!(drawn(Some(block)), plain, "{block}");
	}
}

#[test]
fn draw_should_be_the_same_whenever_it_is_looked_at_and_another_for_each_job() {
	execute_with(1, || {
		go_to(14);
		let early = draw(10);
		assert!(early.is_some());
		assert_eq!(looked_at(10), 3);
		go_to(900);
		assert_eq!((draw(10), looked_at(10)), (early, 3));
		assert_ne!(Pallet::<Test>::draw(2, 10, &PARTIES).0, early);
		assert_ne!(draw(11), early);
	});
}

#[test]
fn ring_should_keep_the_last_blocks_and_no_more() {
	execute_with(1, || {
		go_to(RING + 50);
		assert_eq!(Vrfs::<Test>::iter().count(), RING as usize);
		// The present block is not sealed yet.
		assert!(Pallet::<Test>::sealed(now()).is_none());
		assert!(Pallet::<Test>::sealed(now() - 1).is_some() && Pallet::<Test>::sealed(50).is_some());
		assert!(Pallet::<Test>::sealed(49).is_none());
		assert!(draw(48).unwrap().lost && !draw(49).unwrap().lost);
	});
}

#[test]
fn blocks_without_a_vrf_should_be_stepped_over() {
	execute_with(1, || {
		HasVrf::set(false);
		go_to(13);
		HasVrf::set(true);
		go_to(15);
		assert_eq!(draw(10), None);
		go_to(16);
		assert!(draw(10).is_some_and(|draw| !draw.lost));
	});
}

#[test]
fn nothing_should_be_drawn_from_blocks_without_any_vrf() {
	execute_with(1, || {
		HasVrf::set(false);
		go_to(10 + WALK);
		assert_eq!(draw(10), None);
		go(1);
		assert!(draw(10).unwrap().lost);
	});
}

/// Attests job 1, to be audited with this probability, and goes to the end of its window.
fn attested(rate: Perbill) {
	Rate::put(rate);
	assign(1, EXECUTOR);
	accept(&attest_with(EXECUTOR, 1, honest(1)));
}

#[test]
fn job_should_be_settled_without_a_trace_of_an_audit_when_it_is_not_drawn() {
	execute_with(6, || {
		attested(Perbill::zero());
		go(WINDOW);
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		assert_eq!(Audits::<Test>::iter().count(), 0);
		assert_eq!(fleet(EXECUTOR).reserved, 0);
	});
}

#[test]
fn jobs_should_be_audited_as_often_as_their_rate_says() {
	let mut audited = 0;
	for salt in 0..400 {
		Salt::set(salt);
		execute_with(6, || {
			attested(Perbill::from_percent(20));
			go(WINDOW);
			audited += Audits::<Test>::iter().count();
			go(60);
		});
	}
	// 80 ± 8: five deviations.
	assert!((40..=120).contains(&audited), "{audited}");
}

#[test]
fn window_should_wait_for_the_authors() {
	execute_with(6, || {
		// Only the executor authors, for a while.
		Validators::set(vec![100, 901, 902, 903]);
		Absent::set(vec![901, 902, 903]);
		attested(Perbill::one());
		go_to(30);
		assert_eq!((Audits::<Test>::iter().count(), Ended::get(1)), (0, None));
		let due = OpenJobs::get(1).unwrap().due;
		assert!((now() + 1..=now() + 2).contains(&due));
		Absent::set(vec![]);
		go(6);
		assert_eq!(record(1).reason, AuditReason::Drawn);
		go_to(200);
	});
}

#[test]
fn window_should_wait_no_longer_than_the_walk() {
	execute_with(6, || {
		Validators::set(vec![100, 901, 902, 903]);
		Absent::set(vec![901, 902, 903]);
		attested(Perbill::one());
		// The deadline was block 7.
		go_to(7 + WALK + 2);
		assert_eq!(record(1).reason, AuditReason::Drawn);
		go_to(200);
	});
}

#[test]
fn job_should_be_audited_when_its_draw_is_lost() {
	execute_with(6, || {
		attested(Perbill::zero());
		go(WINDOW - 1);
		Vrfs::<Test>::remove(8);
		go(1);
		assert_eq!(record(1).reason, AuditReason::DrawLost);
		auditor_says(1, yes(1), honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
	});
}

#[test]
fn jury_should_be_seated_when_its_draw_is_lost() {
	execute_with(7, || {
		calibrate();
		audited(1, sketch(3));
		auditor_says(1, no(1), sketch(3));
		go_to(27);
		Vrfs::<Test>::remove(25);
		jury_sits(1);
		assert_eq!(jurors(1).len(), 3);
		go_to(200);
	});
}

#[test]
fn jury_should_wait_for_authors_that_are_neither_executor_payer_nor_auditor() {
	execute_with(7, || {
		let auditor = audited(1, sketch(3));
		Validators::set(vec![operator(auditor), 901, 902, 903]);
		Absent::set(vec![901, 902, 903]);
		auditor_says(1, no(1), sketch(3));
		go_to(40);
		assert_eq!(record(1).jurors().count(), 0);
		let open = OpenJobs::get(1).unwrap();
		assert!(open.in_audit && (now() + 1..=now() + 2).contains(&open.due));
		assert_eq!(record(1).until, open.due);
		Absent::set(vec![]);
		go(6);
		assert_eq!(record(1).jurors().count(), 3);
		go_to(200);
	});
}

#[test]
fn answers_should_repeat_themselves_when_they_are_asked_too_early_or_too_late() {
	use highway_primitives::traits::Attestations;
	execute_with(6, || {
		audited(1, honest(1));
		let subject = OpenJobs::get(1).unwrap().subject;
		let early = <Pallet<Test> as Attestations<AccountId>>::audit_due(&subject);
		assert_eq!(early, Step::Wait(record(1).until).after(AuditWork::PassedOn));
		auditor_says(1, yes(1), honest(1));
		let late = <Pallet<Test> as Attestations<AccountId>>::audit_due(&subject);
		assert_eq!(late, Step::End(Verdict::Upheld).after(AuditWork::PassedOn));
	});
}
