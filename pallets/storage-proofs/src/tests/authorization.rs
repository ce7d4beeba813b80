use crate::{mock::*, Call};
use codec::{Decode, Encode};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo, Pays};
use highway_primitives::{
	worker::{self, ChunkProof},
	WorkerAction, WorkerSignature,
};
use sp_core::{Pair, H256};
use sp_runtime::{transaction_validity::InvalidTransaction, DispatchError};

/// What node 0 has to say now.
fn said() -> (u32, ChunkProof, WorkerAction) {
	let asked = challenge(0, 0);
	let proof = right_proof(0, &asked);
	let action = action(0, 0, asked.drawn_at, proof.clone());
	(asked.drawn_at, proof, action)
}

/// The right answer with this signature instead of its own.
fn with(signature: WorkerSignature) -> UncheckedExtrinsic {
	let (drawn_at, proof, _) = said();
	general(Call::prove {
		node: 0,
		model: 0,
		drawn_at,
		proof,
		signature,
	})
}

#[test]
fn transaction_should_be_refused_when_the_node_is_unknown() {
	with_providers(1, || {
		let asked = draw(0, 0);
		let proof = right_proof(0, &asked);
		let other = prove_by(&key(0), 9, 0, asked.drawn_at, proof);
		assert_refused(&other, InvalidTransaction::Custom(1));
		let said = prove(0, 0);
		leave(0);
		assert_refused(&said, InvalidTransaction::Custom(1));
	});
}

#[test]
fn transaction_should_be_refused_when_it_is_for_another_chain_or_call() {
	with_providers(1, || {
		draw(0, 0);
		let (_, proof, action) = said();
		let elsewhere = key(0).sign(&worker::payload(H256::repeat_byte(9), &action));
		assert_refused(&with(elsewhere), InvalidTransaction::BadProof);
		for other in [
			WorkerAction::ProveProbe {
				node: 0,
				round: 0,
				proof: proof.clone(),
			},
			WorkerAction::ProveChunk { node: 0, job: 0, proof },
		] {
			assert_refused(&with(sign(&key(0), &other)), InvalidTransaction::BadProof);
		}
		accept(&with(sign(&key(0), &action)));
	});
}

#[test]
fn calls_should_be_refused_for_accounts_and_for_nobody() {
	with_providers(1, || {
		draw(0, 0);
		let (drawn_at, proof, action) = said();
		let signature = sign(&key(0), &action);
		for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_eq!(
				StorageProofs::prove(origin, 0, 0, drawn_at, proof.clone(), signature.clone()),
				Err(DispatchError::BadOrigin)
			);
		}
	});
}

#[test]
fn transactions_of_one_challenge_should_exclude_each_other_in_a_pool() {
	with_providers(2, || {
		draw(0, 0);
		let first = validate(&prove(0, 0)).unwrap();
		assert_eq!(first.provides.len(), 1);
		assert!(first.propagate && first.requires.is_empty());
		assert_eq!(first.longevity, u64::from(WINDOW));
		drop_records();
		go(1);
		let later = validate(&prove(0, 0)).unwrap();
		assert_eq!(later.provides, first.provides);
		assert!(later.priority > first.priority, "what is said again takes its place");
		accept(&prove(0, 0));

		store(0, &[0, 1]);
		draw(0, 0);
		let next = validate(&prove(0, 0)).unwrap();
		assert_ne!(next.provides, first.provides, "another challenge");
		draw(1, 0);
		let other = validate(&prove(1, 0)).unwrap();
		assert_ne!(other.provides, next.provides, "another node");
	});
}

#[test]
fn transaction_should_be_operational_free_and_weighed() {
	with_providers(1, || {
		draw(0, 0);
		let info = prove(0, 0).get_dispatch_info();
		assert_eq!((info.class, info.pays_fee), (DispatchClass::Operational, Pays::No));
		assert!(info.extension_weight.ref_time() > 0, "the authorization weighs too");
	});
}

#[test]
fn transaction_should_survive_its_encoding() {
	with_providers(1, || {
		draw(0, 0);
		let transaction = prove(0, 0);
		let decoded = UncheckedExtrinsic::decode(&mut &transaction.encode()[..]).unwrap();
		assert!(validate(&decoded).is_ok());
	});
}
