//! Hostile answers. What is refused changes nothing, and the right answer still counts after it.

use crate::{mock::*, Challenge, Challenges};
use codec::{Decode, Encode};
use highway_primitives::{worker::ChunkProof, BlobRef};
use sp_runtime::transaction_validity::InvalidTransaction;

/// Refused as a wrong chunk by the pool and by the block.
#[track_caller]
fn is_wrong(drawn_at: u32, proof: ChunkProof) {
	assert_refused(&prove_by(&key(0), 0, 0, drawn_at, proof), InvalidTransaction::Custom(2));
}

#[test]
fn proof_should_be_refused_when_it_is_not_the_drawn_chunk_of_the_artefact() {
	with_providers(1, || {
		let asked = draw(0, 0);
		let blob = file(0, 1);
		for chunk in (0..5).filter(|chunk| *chunk != asked.chunk) {
			is_wrong(asked.drawn_at, proof_of(&blob, chunk));
		}
		// The right place of another version, of another model, of a longer and of a shorter file.
		for other in [file(0, 2), file(1, 1), [&blob[..], &[0; 2_000]].concat()] {
			is_wrong(asked.drawn_at, proof_of(&other, asked.chunk));
		}
		is_wrong(asked.drawn_at, proof_of(&blob[..1_024], 0));
		is_wrong(asked.drawn_at, no_proof());
		accept(&prove(0, 0));
	});
}

#[test]
fn proof_should_be_refused_when_anything_in_it_is_changed() {
	with_providers(1, || {
		let asked = draw(0, 0);
		let right = right_proof(0, &asked);
		for at in [0, right.bytes.len() - 1] {
			let mut bytes = right.clone();
			bytes.bytes[at] ^= 1;
			is_wrong(asked.drawn_at, bytes);
		}
		for at in 0..right.siblings.len() {
			let mut sibling = right.clone();
			sibling.siblings[at][7] ^= 1;
			is_wrong(asked.drawn_at, sibling);
		}
		let mut shorter = right.clone();
		shorter.bytes.pop();
		is_wrong(asked.drawn_at, shorter);
		let mut longer = right.clone();
		if longer.bytes.try_push(0).is_ok() {
			is_wrong(asked.drawn_at, longer);
		}
		accept(&prove(0, 0));
	});
}

#[test]
fn proof_should_be_refused_when_its_way_is_too_long_or_too_short() {
	with_providers(1, || {
		let asked = draw(0, 0);
		let right = right_proof(0, &asked);
		let mut cut = right.clone();
		cut.siblings.pop();
		is_wrong(asked.drawn_at, cut);
		let mut none = right.clone();
		none.siblings = Default::default();
		is_wrong(asked.drawn_at, none);
		let mut deep = right.clone();
		while deep.siblings.try_push([0; 32]).is_ok() {}
		is_wrong(asked.drawn_at, deep.clone());

		// Deeper than that nothing decodes, however it is packed.
		let deeper = (deep.bytes.to_vec(), vec![[0u8; 32]; 25]).encode();
		assert!(ChunkProof::decode(&mut &deeper[..]).is_err());
		let wider = (vec![0u8; 1_025], deep.siblings.to_vec()).encode();
		assert!(ChunkProof::decode(&mut &wider[..]).is_err());
		accept(&prove(0, 0));
	});
}

#[test]
fn proof_should_be_refused_when_it_is_of_another_size() {
	with_providers(1, || {
		// A maker registered the file with a size that it does not have: there are chunks of it that nobody can show.
		let asked = draw(0, 0);
		let blob = file(0, 1);
		let resized = [&blob[..], &[0; 1_024]].concat();
		for (size, chunk) in [(resized.len() as u64, 5), (2_048, 1), (1 << 30, 5)] {
			let artefact = BlobRef {
				size,
				..BlobRef::of(&blob)
			};
			let changed = Challenge {
				artefact,
				chunk,
				..asked
			};
			Challenges::<Test>::insert(0, 0, changed);
			is_wrong(asked.drawn_at, proof_of(&blob, chunk.min(4)));
			is_wrong(asked.drawn_at, proof_of(&resized, chunk));
		}
		Challenges::<Test>::insert(0, 0, asked);
	});
}

#[test]
fn proof_should_be_refused_when_another_node_made_it() {
	with_providers(2, || {
		let asked = draw(0, 0);
		let proof = right_proof(0, &asked);
		// Node 1 has the same file and may make the same proof; it answers for itself alone.
		for stranger in [1, 7] {
			let forged = prove_by(&key(stranger), 0, 0, asked.drawn_at, proof.clone());
			assert_refused(&forged, InvalidTransaction::BadProof);
		}
		let own = prove_by(&key(1), 1, 0, asked.drawn_at, proof);
		assert_refused(&own, InvalidTransaction::Stale);
		accept(&prove(0, 0));
	});
}

#[test]
fn proof_should_be_stale_when_it_is_replayed() {
	with_providers(1, || {
		earn(0, 0, 5);
		draw(0, 0);
		let said = prove(0, 0);
		accept(&said);
		assert_refused(&said, InvalidTransaction::Stale);
		// In a later challenge of the same node and model, of which the block is a part.
		draw(0, 0);
		assert_refused(&said, InvalidTransaction::Stale);
		assert_eq!(paid_to(0), 5);
	});
}

#[test]
fn proof_should_be_stale_when_it_names_another_block() {
	with_providers(1, || {
		let asked = draw(0, 0);
		let proof = right_proof(0, &asked);
		for drawn_at in [0, asked.drawn_at - 1, asked.drawn_at + 1, u32::MAX] {
			let said = prove_by(&key(0), 0, 0, drawn_at, proof.clone());
			assert_refused(&said, InvalidTransaction::Stale);
		}
		accept(&prove(0, 0));
	});
}

#[test]
fn proof_should_be_stale_when_nothing_or_another_model_is_asked() {
	execute(|| {
		store(0, &[0]);
		store(1, &[0]);
		remove_model(1);
		let asked = draw(0, 0);
		let proof = right_proof(0, &asked);
		for model in [1, 2, u32::MAX] {
			let said = prove_by(&key(0), 0, model, asked.drawn_at, proof.clone());
			assert_refused(&said, InvalidTransaction::Stale);
		}
		accept(&prove(0, 0));
	});
}

/// On another fork the same block drew another chunk: what was said there is refused here, and the node says the right one.
#[test]
fn proof_should_be_refused_when_it_was_made_on_another_fork() {
	with_providers(1, || {
		let asked = draw(0, 0);
		let elsewhere = (asked.chunk + 1) % 5;
		is_wrong(asked.drawn_at, proof_of(&file(0, 1), elsewhere));
		accept(&prove(0, 0));
	});
}
