//! An output that its auditor misses: the executor shows a chunk of it, or is silent.

use crate::{chunk_proof, mock::*, AuditPhase, Event};
use highway_primitives::audit::{AuditTask, Verdict};
use sp_runtime::transaction_validity::InvalidTransaction;

/// The auditor of job 1 says that nobody serves the output. Returns it.
fn missed() -> u32 {
	let auditor = audited(1, honest(1));
	say_commit(auditor, 1, missing());
	say_reveal(auditor, 1, missing());
	assert_eq!(
		record(1).phase,
		AuditPhase::Challenged {
			since: 13,
			proved: false
		}
	);
	auditor
}

fn chunk() -> u64 {
	go(1);
	match tasks(EXECUTOR)[..] {
		[AuditTask::ProveChunk { chunk }] => chunk,
		ref other => panic!("{other:?}"),
	}
}

#[test]
fn auditor_should_count_as_abstaining_when_the_chunk_is_proved() {
	execute_with(7, || {
		let first = missed();
		assert_eq!(record(1).until, 13 + 1 + 6);
		let chunk = chunk();
		assert!(chunk < chunk_proof::chunks(4_500));
		go_to(19);
		accept(&prove(EXECUTOR, 1, chunk));
		go(1);
		assert_ne!(auditor(1), first);
		assert_eq!((lost(first), fleet(first).reserved, earned(1, first)), (0, 0, 0));
		assert_eq!(outcomes(first), vec![false]);
		assert!(events().contains(&Event::ChunkProved { job: 1, node: EXECUTOR }));
		auditor_says(1, yes(1), honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
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
fn executor_should_keep_its_security_when_nobody_may_be_slashed() {
	execute_with(4, || {
		let auditor = missed();
		go_to(20);
		assert_eq!(Ended::get(1), Some(Verdict::Void));
		assert_eq!((lost(EXECUTOR), earned(1, auditor)), (0, REWARD));
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
fn each_auditor_that_misses_the_output_should_have_its_own_challenge() {
	execute_with(8, || {
		missed();
		accept(&prove(EXECUTOR, 1, chunk()));
		go(1);
		let second = auditor(1);
		say_commit(second, 1, missing());
		say_reveal(second, 1, missing());
		accept(&prove(EXECUTOR, 1, chunk()));
		go(1);
		auditor_says(1, yes(1), honest(1));
		assert_eq!(Ended::get(1), Some(Verdict::Upheld));
		assert_eq!(record(1).auditors().count(), 3);
	});
}
