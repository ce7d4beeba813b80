use crate::{mock::*, Answers, Event};
use highway_primitives::{chunk_proof, probe, BlobRef, ProbeTask};
use sp_runtime::transaction_validity::InvalidTransaction;

#[test]
fn proof_should_count_when_every_row_is_right() {
	in_a_round(1, || {
		let blob = computed(&round().seed, 0, 30);
		accept(&answer(0, &blob));
		go(3);
		let Some(ProbeTask::Prove {
			round: index,
			output,
			chunk,
			until,
		}) = task(0)
		else {
			panic!("a proof is due")
		};
		assert_eq!((index, output, until), (1, BlobRef::of(&blob), round().proofs_until()));
		assert!(chunk < 2, "30 rows are two chunks");
		accept(&prove(0, &blob));
		let measured = known(0);
		assert_eq!(
			(measured.rows, measured.round, measured.refuted, measured.missed),
			(Some(30), 1, false, 0)
		);
		let (node, round, rows, paid) = (0, 1, 30, REWARD * 30 / u128::from(SLOT));
		let expected = Event::Measured {
			node,
			round,
			proved: 30,
			rows,
			paid,
		};
		assert_eq!(events().pop(), Some(expected));
		assert_eq!(beat(0).slots, 7, "half a slot is none");
		assert_eq!(task(0), None);
	});
}

#[test]
fn proof_should_count_when_the_output_is_shorter_than_a_chunk() {
	for rows in [1, 2, 15, 16, 17] {
		in_a_round(1, || {
			compute(0, rows);
			assert_eq!(known(0).rows, Some(rows));
		});
	}
}

#[test]
fn lie_should_be_found_when_a_drawn_row_is_wrong() {
	// All rows are wrong in one byte: whichever is drawn, it is found.
	in_a_round(1, || {
		let mut blob = computed(&round().seed, 0, 20);
		blob.chunks_mut(64).for_each(|row| row[63] ^= 1);
		say(0, &blob);
		assert!(known(0).refuted);
		assert_eq!(known(0).rows, Some(0));
		assert_eq!(events().pop(), Some(Event::ProbeRefuted { node: 0, round: 1 }));
		let allowed = beat(0);
		assert_eq!((allowed.slots, allowed.able), (0, false));
		assert_eq!((open_answers(), paid_to(0)), (0, 0));
		assert_eq!(task(0), None, "it has had its say");
	});
}

#[test]
fn lie_should_be_found_when_the_rows_are_another_node_s_or_another_round_s() {
	in_a_round(2, || {
		let current = round();
		say(0, &computed(&current.seed, 1, 8));
		say(1, &computed(&[1; 32], 1, 8));
		assert!(known(0).refuted && known(1).refuted);
	});
}

#[test]
fn lie_should_be_found_when_the_steps_are_cut_short() {
	in_a_round(1, || {
		let seed = round().seed;
		// The beginnings alone: no step done.
		let blob: Vec<u8> = (0..8).flat_map(|row| probe::first_row(&seed, 0, row)).collect();
		say(0, &blob);
		assert!(known(0).refuted);
	});
}

#[test]
fn partial_work_should_be_found_as_often_as_it_is_missing() {
	// Half of 32 rows, the rest made up: one of two chunks is right.
	let (mut found, mut passed) = (0, 0);
	for salt in 0..16 {
		in_a_round(1, || {
			Salt::set(salt);
			let mut blob = computed(&round().seed, 0, 16);
			blob.resize(64 * 32, 0);
			say(0, &blob);
			match known(0).refuted {
				true => found += 1,
				false => passed += 1,
			}
		});
	}
	assert!(found >= 3 && passed >= 3, "found {found}, passed {passed}");
}

#[test]
fn honest_part_should_pass_always_when_it_claims_no_more() {
	for salt in 0..4 {
		in_a_round(1, || {
			Salt::set(salt);
			compute(0, 17);
			assert_eq!(known(0).rows, Some(17));
		});
	}
}

#[test]
fn proof_should_be_stale_when_it_is_early() {
	in_a_round(1, || {
		let blob = computed(&round().seed, 0, 16);
		let proof = || chunk_proof::prove(&blob, 0).unwrap();
		let said = || prove_by(&key(0), 0, 1, proof());
		assert_refused(&said(), InvalidTransaction::Stale);
		accept(&answer(0, &blob));
		for _ in 0..3 {
			// In the answer's block, and in the two that draw.
			assert_refused(&said(), InvalidTransaction::Stale);
			go(1);
		}
		accept(&said());
	});
}

#[test]
fn proof_should_count_until_its_last_block_and_not_after() {
	in_a_round(2, || {
		let blobs = [0, 1].map(|node| computed(&round().seed, node, 4));
		for node in [0, 1] {
			accept(&answer(node, &blobs[node as usize]));
		}
		go_to(round().proofs_until() - 1);
		let late = prove(1, &blobs[1]);
		go(1);
		let last = prove_by(&key(0), 0, 1, chunk_proof::prove(&blobs[0], 0).unwrap());
		accept(&last);
		go(1);
		assert_refused(&late, InvalidTransaction::Stale);
		assert_eq!(task(1), None);
	});
}

#[test]
fn proof_should_be_stale_when_it_is_said_twice_or_in_another_round() {
	in_a_round(2, || {
		let blobs = [0, 1].map(|node| computed(&round().seed, node, 4));
		for node in [0, 1] {
			accept(&answer(node, &blobs[node as usize]));
		}
		go(3);
		let (done, kept) = (prove(0, &blobs[0]), prove(1, &blobs[1]));
		accept(&done);
		assert_refused(&done, InvalidTransaction::Stale);
		next_round();
		assert_refused(&done, InvalidTransaction::Stale);
		assert_refused(&kept, InvalidTransaction::Stale);
		// The old answer is no answer to this round.
		assert!(matches!(task(1), Some(ProbeTask::Compute { round: 2, .. })));
		accept(&answer(1, &computed(&round().seed, 1, 4)));
		go(3);
		assert_refused(&kept, InvalidTransaction::Stale);
	});
}

#[test]
fn proof_should_be_refused_when_the_chunk_is_not_the_drawn_one_of_the_answered_blob() {
	in_a_round(1, || {
		let blob = computed(&round().seed, 0, 32);
		accept(&answer(0, &blob));
		go(3);
		let chunk = drawn(0);
		let refused = |proof| assert_refused(&prove_by(&key(0), 0, 1, proof), InvalidTransaction::Custom(3));
		// Another chunk; the right place of another blob; a longer and a shorter output; changed bytes; nothing.
		refused(proof_of(&blob, 1 - chunk));
		let mut other = blob.clone();
		other.iter_mut().for_each(|byte| *byte ^= 1);
		refused(proof_of(&other, chunk));
		let longer = [&blob[..], &[0; 64 * 32]].concat();
		refused(proof_of(&longer, chunk));
		refused(proof_of(&blob[..64 * 16], 0));
		let mut changed = proof_of(&blob, chunk);
		changed.bytes[5] ^= 1;
		refused(changed);
		let mut cut = proof_of(&blob, chunk);
		cut.siblings = Default::default();
		refused(cut);
		refused(no_proof());
		assert!(Answers::<Test>::contains_key(0));
		accept(&prove(0, &blob));
	});
}

#[test]
fn proof_should_be_refused_when_the_answer_had_another_size_than_its_blob() {
	in_a_round(1, || {
		// Says 32 rows where there are 16, with the root of the 16.
		let blob = computed(&round().seed, 0, 16);
		let output = BlobRef {
			size: 64 * 32,
			..BlobRef::of(&blob)
		};
		accept(&answer_by(&key(0), 0, 1, round().seed, output));
		go(3);
		for chunk in [0, 1] {
			let proof = chunk_proof::prove(&blob, 0).unwrap();
			let mut resized = chunk_proof::prove(&[&blob[..], &blob[..]].concat(), chunk).unwrap();
			assert_refused(&prove_by(&key(0), 0, 1, proof), InvalidTransaction::Custom(3));
			assert_refused(&prove_by(&key(0), 0, 1, resized.clone()), InvalidTransaction::Custom(3));
			resized.siblings = Default::default();
			assert_refused(&prove_by(&key(0), 0, 1, resized), InvalidTransaction::Custom(3));
		}
		end_round();
		beat(0);
		assert_eq!(known(0).missed, 1, "what cannot be proved is missed");
	});
}

#[test]
fn nothing_should_be_drawn_when_the_blocks_behind_the_answer_have_no_vrf() {
	in_a_round(1, || {
		let blob = computed(&round().seed, 0, 4);
		accept(&answer(0, &blob));
		HasVrf::set(false);
		go(5);
		assert_eq!(task(0), None);
		assert_refused(&prove_by(&key(0), 0, 1, proof_of(&blob, 0)), InvalidTransaction::Stale);
		HasVrf::set(true);
		accept(&prove(0, &blob));
	});
}
