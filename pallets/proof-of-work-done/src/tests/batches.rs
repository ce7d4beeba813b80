//! Jobs of many inputs: one of them is drawn, and it alone is opened and judged.

use crate::{mock::*, AuditPhase, Pallet};
use highway_primitives::{
	audit::{AuditTask, Seat, Verdict, Vote},
	Ballot, JobId, NodeId, Opening, Sketch, MAX_INPUTS,
};
use sp_core::H256;
use sp_runtime::{transaction_validity::InvalidTransaction, Perbill};
use std::collections::BTreeSet;

const WRONG: InvalidTransaction = InvalidTransaction::Custom(3);

/// The sketch of the drawn input, and which one that is.
fn drawn(job: JobId, sketches: &[Sketch]) -> (Sketch, u16) {
	let index = record(job).input(sketches.len() as u16);
	(sketches[usize::from(index)], index)
}

/// Job 1 of so many inputs is audited, and its auditor agrees: the executor is to open the drawn input. Returns the
/// sketches, and which input that is.
fn to_open(inputs: u16) -> (Vec<Sketch>, u16) {
	let all = honest_batch(1, inputs);
	audited_batch(1, &all);
	let (sketch, index) = drawn(1, &all);
	auditor_reveals(1, ballot(Vote::Yes, true, sketch));
	assert_eq!(tasks(EXECUTOR), vec![AuditTask::Open { index }]);
	(all, index)
}

/// Which input the node is told to judge, and in which seat.
fn judged_by(node: NodeId) -> Option<(Seat, u16)> {
	tasks(node).into_iter().find_map(|task| match task {
		AuditTask::Judge { seat, index, .. } => Some((seat, index)),
		_ => None,
	})
}

/// What node 0 is refused to open.
#[track_caller]
fn refuse(opening: Opening) {
	assert_refused(&open_with(&key(0), EXECUTOR, 1, opening, salt(EXECUTOR)), WRONG);
}

#[test]
fn executor_should_open_the_input_that_was_drawn_and_no_other() {
	for inputs in [1, 2, 3, 7, 40] {
		execute_with(6, || {
			let (all, index) = to_open(inputs);
			assert!(index < inputs);
			// It has committed itself to them as well, but did not choose.
			for other in (0..inputs).filter(|other| *other != index) {
				assert_refused(&open_input(EXECUTOR, 1, &all, other), WRONG);
			}
			accept(&open_input(EXECUTOR, 1, &all, index));
			assert_eq!(record(1).opening, Some(all[usize::from(index)]));
			assert_refused(&open_input(EXECUTOR, 1, &all, index), InvalidTransaction::Stale);
			go(1);
			assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		});
	}
}

#[test]
fn executor_should_open_nothing_but_the_sketch_that_it_committed_to() {
	for inputs in [7, MAX_INPUTS - 1] {
		execute_with(6, || {
			let (all, index) = to_open(inputs);
			let right = Opening::of(&all, index).unwrap();
			let path = |hashes: &[H256]| Opening {
				path: hashes.to_vec().try_into().unwrap(),
				..right.clone()
			};
			refuse(Opening {
				sketch: sketch(3),
				..right.clone()
			});
			refuse(Opening {
				root: H256::zero(),
				..right.clone()
			});
			// A tree that was made later: copied from the auditor, say.
			let mut later = all.clone();
			later[usize::from(index)] = sketch(3);
			refuse(Opening::of(&later, index).unwrap());
			// As if it had one input.
			refuse(Opening::of(&[all[usize::from(index)]], 0).unwrap());
			// Another way.
			let mut bent = right.path.to_vec();
			bent[0] = H256::zero();
			refuse(path(&bent));
			refuse(path(&right.path[1..]));
			refuse(path(&[]));
			if inputs < MAX_INPUTS / 2 {
				refuse(path(&[&right.path[..], &[right.root]].concat()));
			}
			// What is right is refused with another salt, and by another key.
			let by = |signer, salt| open_with(&key(signer), EXECUTOR, 1, right.clone(), salt);
			assert_refused(&by(0, [0; 32]), WRONG);
			assert_refused(&by(1, salt(EXECUTOR)), InvalidTransaction::BadProof);
			accept(&by(0, salt(EXECUTOR)));
		});
	}
}

#[test]
fn executor_should_lose_everything_when_it_has_only_other_inputs_to_open() {
	execute_with(6, || {
		let (all, index) = to_open(3);
		assert_refused(&open_input(EXECUTOR, 1, &all, (index + 1) % 3), WRONG);
		go_to(record(1).until);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!(lost(EXECUTOR), SECURITY);
	});
}

#[test]
fn every_auditor_should_judge_the_same_input() {
	execute_with(7, || {
		let all = honest_batch(1, 40);
		let mut auditor = audited_batch(1, &all);
		let (_, expected) = drawn(1, &all);
		let mut auditors = BTreeSet::<NodeId>::new();
		for _ in 0..3 {
			assert_eq!(judged_by(auditor), Some((Seat::Auditor, expected)));
			assert!(auditors.insert(auditor));
			go_to(record(1).until);
			auditor = self::auditor(1);
		}
	});
}

/// One of five inputs is answered wrongly. Returns whether it was the drawn one.
fn cheats_on_one(salt: u64) -> bool {
	Salt::set(salt);
	let mut is_found = false;
	execute_with(7, || {
		calibrate();
		let truth = honest_batch(1, 5);
		let mut committed = truth.clone();
		committed[2] = sketch(-5);
		audited_batch(1, &committed);
		let (honest, index) = drawn(1, &truth);
		is_found = index == 2;
		let vote = if is_found { Vote::No } else { Vote::Yes };
		auditor_reveals(1, ballot(vote, true, honest));
		accept(&open_input(EXECUTOR, 1, &committed, index));
		go(1);
		if !is_found {
			assert_eq!((Ended::get(1), lost(EXECUTOR)), (Some(Verdict::Upheld), 0));
			return;
		}
		jury_sits(1);
		for juror in jurors(1) {
			assert_eq!(judged_by(juror), Some((Seat::Juror, 2)));
		}
		let says: Option<Ballot> = Some(ballot(Vote::No, true, honest));
		jury_says(1, [says; 3]);
		// All that stands behind the whole job.
		assert_eq!((Ended::get(1), lost(EXECUTOR)), (Some(Verdict::Rejected), SECURITY));
	});
	is_found
}

#[test]
fn executor_should_lose_everything_when_the_one_wrong_input_is_drawn_and_nothing_when_it_is_not() {
	let found = (0..60).filter(|salt| cheats_on_one(*salt)).count();
	// One of five: 12 expected, standard deviation 3.1.
	assert!((2..24).contains(&found), "{found}");
}

#[test]
fn every_input_should_be_drawn_when_there_are_enough_audits() {
	execute_with(6, || {
		Rate::put(Perbill::one());
		for job in 0..80 {
			Inputs::insert(job, 6);
			assign(job, EXECUTOR);
			accept(&attest_batch(EXECUTOR, job, &honest_batch(job, 6)));
		}
		go(WINDOW);
		let drawn: BTreeSet<u16> = (0..80).map(|job| record(job).input(6)).collect();
		assert_eq!(drawn, (0..6).collect::<BTreeSet<_>>());
	});
}

#[test]
fn chunks_of_the_whole_output_should_be_shown_when_the_auditor_of_a_batch_misses_it() {
	execute_with(6, || {
		let all = honest_batch(1, 5);
		audited_batch(1, &all);
		let (sketch, index) = drawn(1, &all);
		auditor_reveals(1, ballot(Vote::Missing, true, sketch));
		assert!(matches!(record(1).phase, AuditPhase::Challenged { .. }));
		executor_proves(1);
		assert_eq!(tasks(EXECUTOR), vec![AuditTask::Open { index }]);
		accept(&open_input(EXECUTOR, 1, &all, index));
		go(1);
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
	});
}

#[test]
fn invariants_should_name_an_audit_of_a_job_without_inputs() {
	execute_with(6, || {
		audited_batch(1, &honest_batch(1, 2));
		let set = |inputs| OpenJobs::mutate(1, |open| open.as_mut().unwrap().subject.inputs = inputs);
		set(0);
		assert!(Pallet::<Test>::do_try_state().is_err());
		set(2);
	});
}
