use crate::{mock::*, Call, Challenge, Challenges, Due, Event, Missed};
use blake3::{
	hazmat::{merge_subtrees_non_root, merge_subtrees_root, HasherExt, Mode},
	Hasher,
};
use frame_support::{assert_noop, traits::Get};
use highway_primitives::{chunk_proof, traits::StorageChallenges, worker::ChunkProof, BlobRef, MaxBlobSize};
use sp_core::{Pair, H256};
use sp_runtime::transaction_validity::InvalidTransaction;

#[test]
fn answer_should_release_what_was_earned_since_the_last_one() {
	with_providers(2, || {
		earn(0, 0, 70);
		draw(0, 0);
		// Not before: others answer while the draw is awaited.
		earn(1, 0, 5);
		accept(&prove(0, 0));
		assert_eq!(
			events().pop(),
			Some(Event::Proved {
				node: 0,
				model: 0,
				paid: 70
			})
		);
		assert_eq!((paid_to(0), waiting(0, 0), waiting(1, 0)), (70, 0, 5));
		assert!(!StorageProofs::challenged(0, 0));
		assert_eq!(StorageProofs::tasks_of(0), []);
		earn(0, 0, 3);
		show(0, 0);
		assert_eq!(paid_to(0), 73);
	});
}

#[test]
fn answer_should_count_until_the_last_block_and_not_after() {
	with_providers(2, || {
		earn(0, 0, 7);
		let last = draw(0, 0).until;
		let said = prove(0, 0);
		drop_records();
		go_to(last - 1);
		assert_eq!(
			StorageProofs::tasks_of(0).len(),
			1,
			"what is sent now stands in the last block"
		);
		go(1);
		assert_eq!(StorageProofs::tasks_of(0), [], "what is sent now comes too late");
		accept(&said);
		assert_eq!(paid_to(0), 7);
		go(WINDOW + 2);
		assert!(
			matches!(last_end(), Some(Event::Proved { .. })),
			"what is answered is not missed"
		);
	});
	with_providers(1, || {
		earn(0, 0, 7);
		let last = draw(0, 0).until;
		let said = prove(0, 0);
		drop_records();
		go_to(last + 1);
		assert_refused(&said, InvalidTransaction::Stale);
		assert_eq!(paid_to(0), 0);
	});
}

/// A pool looks at the next block before its beginning has ended anything.
#[test]
fn answer_should_be_stale_in_the_next_block_although_the_challenge_is_still_stored() {
	with_providers(1, || {
		let last = draw(0, 0).until;
		let said = prove(0, 0);
		drop_records();
		go_to(last);
		System::set_block_number(last + 1);
		assert!(Challenges::<Test>::contains_key(0, 0));
		assert_refused(&said, InvalidTransaction::Stale);
		System::set_block_number(last);
		go(1);
	});
}

#[test]
fn call_should_fail_when_the_challenge_is_gone_although_it_was_authorized() {
	with_providers(1, || {
		let asked = draw(0, 0);
		let proof = right_proof(0, &asked);
		let signature = sign(&key(0), &action(0, 0, asked.drawn_at, proof.clone()));
		Challenges::<Test>::remove(0, 0);
		Due::<Test>::remove(asked.until);
		let origin = RuntimeOrigin::from(frame_system::RawOrigin::Authorized);
		assert_noop!(
			StorageProofs::prove(origin, 0, 0, asked.drawn_at, proof, signature),
			crate::Error::<Test>::NotChallenged
		);
	});
}

#[test]
fn answer_should_be_of_the_artefact_of_the_draw_when_the_version_changed_since() {
	with_providers(1, || {
		earn(0, 0, 9);
		let asked = draw(0, 0);
		publish(0);
		let newer = proof_of(&file(0, 2), asked.chunk);
		let other = prove_by(&key(0), 0, 0, asked.drawn_at, newer);
		assert_refused(&other, InvalidTransaction::Custom(2));
		assert_eq!(challenge(0, 0), asked, "it stays what it was");
		accept(&prove(0, 0));
		assert_eq!(paid_to(0), 9);
	});
}

#[test]
fn answer_should_count_whatever_became_of_the_node_its_place_and_the_model() {
	let changes: [fn(); 5] = [
		|| change_node(0, |node| node.hosts.clear()),
		|| change_node(0, |node| node.able = false),
		|| change_node(0, |node| node.bond = 0),
		drop_records,
		|| remove_model(0),
	];
	for change in changes {
		with_providers(1, || {
			earn(0, 0, 9);
			draw(0, 0);
			change();
			accept(&prove(0, 0));
			assert_eq!(paid_to(0), 9);
		});
	}
}

#[test]
fn answer_should_be_signed_by_the_present_worker_key() {
	with_providers(1, || {
		let asked = draw(0, 0);
		change_node(0, |node| node.worker = key(50).public());
		assert_refused(&prove(0, 0), InvalidTransaction::BadProof);
		accept(&prove_by(&key(50), 0, 0, asked.drawn_at, right_proof(0, &asked)));
	});
}

#[test]
fn answer_should_be_possible_when_nothing_was_earned() {
	with_providers(1, || {
		draw(0, 0);
		accept(&prove(0, 0));
		assert_eq!(
			last_end(),
			Some(Event::Proved {
				node: 0,
				model: 0,
				paid: 0
			})
		);
	});
}

#[test]
fn answers_for_several_models_should_not_be_in_each_others_way() {
	execute(|| {
		(0..6).for_each(|model| {
			store(model, &[0]);
			earn(0, model, 10);
		});
		while StorageProofs::tasks_of(0).len() < 4 {
			step();
		}
		let asked: Vec<_> = StorageProofs::tasks_of(0).into_iter().map(|(model, _)| model).collect();
		asked.iter().for_each(|model| accept(&prove(0, *model)));
		assert_eq!(paid_to(0), 10 * asked.len() as u128);
		assert!(asked.iter().all(|model| waiting(0, *model) == 0));
		assert_eq!(Missed::<Test>::iter().count(), 0);
	});
}

/// A challenge of the largest artefact that the chain accepts: its chunks lie 23 joins below the root.
#[test]
fn answer_should_count_when_the_artefact_is_as_large_as_it_may_be() {
	with_providers(1, || {
		let asked = draw(0, 0);
		let (bytes, sibling) = ([1u8; 1_024], [2u8; 32]);
		let size: u64 = MaxBlobSize::get();
		let depth = chunk_proof::chunks(size).trailing_zeros();
		assert_eq!(depth, 23);
		let mut value = Hasher::new().update(&bytes).finalize_non_root();
		for _ in 1..depth {
			value = merge_subtrees_non_root(&value, &sibling, Mode::Hash);
		}
		let root = merge_subtrees_root(&value, &sibling, Mode::Hash);
		let artefact = BlobRef {
			hash: H256(*root.as_bytes()),
			size,
		};
		let changed = Challenge {
			artefact,
			chunk: 0,
			..asked
		};
		Challenges::<Test>::insert(0, 0, changed);
		let proof = |depth: u32| ChunkProof {
			bytes: bytes.to_vec().try_into().unwrap(),
			siblings: vec![sibling; depth as usize].try_into().unwrap(),
		};
		for wrong in [0, 1, 22, 24] {
			let said = prove_by(&key(0), 0, 0, asked.drawn_at, proof(wrong));
			assert_refused(&said, InvalidTransaction::Custom(2));
		}
		accept(&prove_by(&key(0), 0, 0, asked.drawn_at, proof(23)));
	});
}

#[test]
fn call_should_be_small_enough_for_every_block() {
	with_providers(1, || {
		let asked = draw(0, 0);
		let proof = ChunkProof {
			bytes: vec![0; 1_024].try_into().unwrap(),
			siblings: vec![[0; 32]; 24].try_into().unwrap(),
		};
		let signature = sign(&key(0), &action(0, 0, asked.drawn_at, proof.clone()));
		let call = Call::<Test>::prove {
			node: 0,
			model: 0,
			drawn_at: asked.drawn_at,
			proof,
			signature,
		};
		assert!(codec::Encode::encoded_size(&call) < 2_048);
	});
}
