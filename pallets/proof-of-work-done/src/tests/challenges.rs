//! An output that its auditor misses: the executor shows a chunk of it, and its sketch, or is silent.

use crate::{mock::*, AuditPhase, Event, SlashReason};
use frame_support::traits::Hooks;
use highway_primitives::{
	audit::{AuditTask, Claims, Verdict, Vote},
	chunk_proof, Ballot,
};
use sp_runtime::transaction_validity::InvalidTransaction;

/// The auditor of job 1, executed with this sketch, says that nobody serves the output. Returns it.
fn missed_with(committed: i64) -> u32 {
	let auditor = audited(1, sketch(committed));
	auditor_reveals(1, missing(1));
	assert_eq!(
		record(1).phase,
		AuditPhase::Challenged {
			since: 13,
			proved: false,
			fixed: 13 + 1 + 6 + 6,
		}
	);
	auditor
}

/// What an honest run of job 1 comes to.
const RIGHT: i64 = 1_001;

fn missed() -> u32 {
	missed_with(RIGHT)
}

fn chunk() -> u64 {
	go(1);
	match tasks(EXECUTOR)[..] {
		[AuditTask::ProveChunk { chunk }] => chunk,
		ref other => panic!("{other:?}"),
	}
}

#[test]
fn job_should_be_upheld_when_the_chunk_is_proved_and_the_sketches_agree() {
	execute_with(7, || {
		let auditor = missed();
		assert_eq!(record(1).until, 13 + 1 + 6);
		let chunk = chunk();
		assert!(chunk < chunk_proof::chunks(4_500));
		go_to(19);
		accept(&prove(EXECUTOR, 1, chunk));
		assert!(tasks(EXECUTOR).is_empty());
		go(1);
		assert!(events().contains(&Event::ChunkProved { job: 1, node: EXECUTOR }));
		assert_eq!(
			(record(1).phase, record(1).until),
			(AuditPhase::Opening { fixed: 26 }, 26)
		);
		assert_eq!(tasks(EXECUTOR), vec![AuditTask::Open { index: 0 }]);
		say_open(1, honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		// It has run the job: that is what it is paid for.
		assert_eq!((lost(auditor), earned(1, auditor)), (0, REWARD));
		assert_eq!(outcomes(auditor), vec![true]);
		assert_eq!(record(1).auditors().count(), 1);
	});
}

#[test]
fn executor_should_not_open_before_it_has_proved_the_chunk() {
	execute_with(6, || {
		missed();
		let opening = open(EXECUTOR, 1, honest(1));
		assert_refused(&opening, InvalidTransaction::Stale);
		accept(&prove(EXECUTOR, 1, chunk()));
		assert_refused(&opening, InvalidTransaction::Stale);
		go(1);
		accept(&opening);
	});
}

#[test]
fn executor_should_lose_everything_when_it_does_not_prove_the_chunk() {
	execute_with(6, || {
		let auditor = missed();
		go_to(19);
		assert_eq!(Ended::get(1), None);
		go_to(20);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((lost(EXECUTOR), earned(1, auditor)), (SECURITY, 2 * REWARD));
	});
}

#[test]
fn executor_should_lose_everything_when_it_proves_the_chunk_and_does_not_open() {
	execute_with(6, || {
		let auditor = missed();
		executor_proves(1);
		go_to(25);
		assert_eq!(Ended::get(1), None);
		go_to(26);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((lost(EXECUTOR), earned(1, auditor)), (SECURITY, 2 * REWARD));
		assert!(events().contains(&Event::Slashed {
			job: 1,
			node: EXECUTOR,
			amount: SECURITY,
			why: SlashReason::Silence
		}));
	});
}

#[test]
fn executor_should_keep_its_security_when_nobody_may_be_slashed() {
	execute_with(4, || {
		let auditor = missed();
		go_to(20);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!((lost(EXECUTOR), earned(1, auditor)), (0, REWARD));
	});
}

/// What the jury of job 1 says after an auditor that missed the output.
fn jury_after_missing(committed: i64, said: Ballot, juror: Ballot) {
	calibrate();
	audited(1, sketch(committed));
	auditor_reveals(1, said);
	executor_proves(1);
	say_open(1, sketch(committed));
	// However early everybody was: the scheduled end of all that was to come when the chunk was asked for.
	assert_eq!(record(1).phase, AuditPhase::JuryDraw { fixed: 26 });
	jury_sits(1);
	let claims = Claims {
		executor: sketch(committed),
		vote: Vote::Missing,
		auditor: said.sketch,
	};
	let told = tasks(jurors(1)[0]);
	assert!(matches!(told[..], [AuditTask::Judge { claims: Some(told), .. }] if told == claims));
	jury_says(1, [Some(juror); 3]);
}

#[test]
fn executor_that_hides_its_output_should_lose_everything_when_its_sketch_is_wrong() {
	execute_with(7, || {
		jury_after_missing(3, missing(1), ballot(Vote::No, true, sketch(-77)));
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
		assert_eq!((lost(EXECUTOR), earned(1, auditor(1))), (SECURITY, 2 * REWARD));
		assert!(jurors(1).iter().all(|juror| earned(1, *juror) == REWARD));
	});
}

#[test]
fn auditor_that_misses_without_a_run_should_lose_everything() {
	execute_with(7, || {
		let lazy = ballot(Vote::Missing, true, sketch(0));
		jury_after_missing(RIGHT, lazy, ballot(Vote::Yes, false, sketch(-77)));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		let auditor = auditor(1);
		assert_eq!((lost(EXECUTOR), lost(auditor), earned(1, auditor)), (0, SECURITY, 0));
		assert_eq!(outcomes(auditor), vec![false]);
	});
}

#[test]
fn only_the_drawn_chunk_should_be_accepted() {
	execute_with(6, || {
		missed();
		// The chunk is drawn by the VRF of this very block: nobody knows it yet.
		assert!((0..5).all(|chunk| validate(&prove(EXECUTOR, 1, chunk)).is_err()));
		let drawn = chunk();
		for chunk in (0..5).filter(|chunk| *chunk != drawn) {
			assert_refused(&prove(EXECUTOR, 1, chunk), InvalidTransaction::Custom(3));
		}
		let mut proof = chunk_proof::prove(&blob(1), drawn).unwrap();
		proof.bytes[0] ^= 1;
		assert_refused(&prove_by(&key(0), EXECUTOR, 1, proof), InvalidTransaction::Custom(3));
		assert_refused(&prove(3, 1, drawn), InvalidTransaction::Stale);
		let proof = chunk_proof::prove(&blob(1), drawn).unwrap();
		assert_refused(&prove_by(&key(3), EXECUTOR, 1, proof), InvalidTransaction::BadProof);
		let good = prove(EXECUTOR, 1, drawn);
		accept(&good);
		assert_refused(&good, InvalidTransaction::Stale);
	});
}

#[test]
fn chunk_that_a_worker_sees_at_a_block_s_end_should_be_taken_in_the_next_one() {
	for salt in 0..40 {
		Salt::set(salt);
		execute_with(6, || {
			missed();
			// A worker reads the state once the block is over: that of the very block that draws the chunk.
			ProofOfWorkDone::on_finalize(System::block_number());
			let seen = tasks(EXECUTOR);
			let [AuditTask::ProveChunk { chunk }] = seen[..] else {
				panic!("{seen:?}")
			};
			go(1);
			assert_eq!(tasks(EXECUTOR), seen);
			accept(&prove(EXECUTOR, 1, chunk));
		});
	}
}

#[test]
fn every_chunk_should_be_drawn_sometimes() {
	let mut drawn = std::collections::BTreeSet::new();
	for salt in 0..40 {
		Salt::set(salt);
		execute_with(6, || {
			missed();
			drawn.insert(chunk());
		});
	}
	assert_eq!(drawn.into_iter().collect::<Vec<_>>(), vec![0, 1, 2, 3, 4]);
}

#[test]
fn next_auditor_should_judge_a_proved_output_when_sketches_say_nothing() {
	execute_with(8, || {
		NoTrace::put(true);
		let first = missed();
		executor_proves(1);
		let second = auditor(1);
		assert_ne!(second, first);
		// It counts as abstaining.
		assert_eq!((lost(first), fleet(first).reserved, earned(1, first)), (0, 0, 0));
		assert_eq!(outcomes(first), vec![false]);
		// Each has its own challenge.
		auditor_reveals(1, missing(1));
		executor_proves(1);
		auditor_says(1, yes(1), honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		assert_eq!(record(1).auditors().count(), 3);
	});
}

#[test]
fn job_should_be_void_when_an_auditor_missed_it_and_nobody_judged() {
	// How many nodes there are, and what those say who come after the first auditor.
	for (nodes, others) in [
		(8, vec![missing(1), missing(1)]),
		(8, vec![missing(1), abstain()]),
		(8, vec![abstain(), abstain()]),
		(3, vec![abstain()]),
		(2, vec![]),
	] {
		execute_with(nodes, || {
			NoTrace::put(true);
			let first = missed();
			executor_proves(1);
			for said in others {
				auditor_reveals(1, said);
				if said.vote == Vote::Missing {
					executor_proves(1);
				}
			}
			assert_eq!(Ended::get(1), Some(Verdict::Void));
			assert_eq!((lost(EXECUTOR), fleet(EXECUTOR).reserved), (0, 0));
			assert_eq!((lost(first), earned(1, first), AuditPot::get()), (0, 0, 0));
		});
	}
}

#[test]
fn executor_should_lose_everything_by_silence_when_sketches_say_nothing() {
	execute_with(6, || {
		NoTrace::put(true);
		missed();
		go_to(20);
		assert_eq!(Ended::get(1), Some(Verdict::Rejected));
	});
}
