use crate::{mock::*, Call};
use codec::{Decode, Encode};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo, Pays};
use highway_primitives::{
	worker::{self, WorkerPair},
	BlobRef, WorkerAction, WorkerSignature,
};
use sp_core::{Pair, H256};
use sp_runtime::{transaction_validity::InvalidTransaction, DispatchError};

fn output() -> BlobRef {
	BlobRef {
		hash: H256::repeat_byte(7),
		size: 128,
	}
}

fn said_by(key: &WorkerPair, node: u32) -> UncheckedExtrinsic {
	answer_by(key, node, round().index, round().seed, output())
}

/// An answer with this signature instead of its own.
fn with(signature: WorkerSignature) -> UncheckedExtrinsic {
	general(Call::answer {
		node: 0,
		round: 1,
		seed: round().seed,
		output: output(),
		signature,
	})
}

fn action() -> WorkerAction {
	WorkerAction::AnswerProbe {
		node: 0,
		round: 1,
		seed: round().seed,
		output: output(),
	}
}

#[test]
fn transactions_should_be_refused_when_another_key_signed_them() {
	in_a_round(2, || {
		assert_refused(&said_by(&key(7), 0), InvalidTransaction::BadProof);
		assert_refused(&said_by(&key(1), 0), InvalidTransaction::BadProof);
		let blob = computed(&round().seed, 0, 20);
		accept(&answer(0, &blob));
		go(3);
		let own = prove(0, &blob);
		let chunk = drawn(0);
		for stranger in [1, 7] {
			let forged = prove_by(&key(stranger), 0, 1, proof_of(&blob, chunk));
			assert_refused(&forged, InvalidTransaction::BadProof);
		}
		accept(&own);
	});
}

#[test]
fn transactions_should_be_refused_when_the_node_is_unknown() {
	in_a_round(1, || {
		assert_refused(&said_by(&key(0), 9), InvalidTransaction::Custom(1));
		let transaction = prove_by(&key(0), 9, 1, no_proof());
		assert_refused(&transaction, InvalidTransaction::Custom(1));
	});
}

#[test]
fn transactions_should_be_refused_when_they_are_for_another_chain_or_call() {
	in_a_round(1, || {
		let elsewhere = key(0).sign(&worker::payload(H256::repeat_byte(9), &action()));
		assert_refused(&with(elsewhere), InvalidTransaction::BadProof);
		let heartbeat = WorkerAction::Heartbeat {
			node: 0,
			session: 0,
			healthy: true,
			slots: 1,
		};
		assert_refused(&with(sign(&key(0), &heartbeat)), InvalidTransaction::BadProof);
		accept(&with(sign(&key(0), &action())));
	});
}

#[test]
fn transaction_should_be_refused_when_anything_in_it_was_changed() {
	in_a_round(1, || {
		let signature = sign(&key(0), &action());
		let hash = BlobRef {
			hash: H256::zero(),
			..output()
		};
		let size = BlobRef { size: 64, ..output() };
		for output in [hash, size] {
			let call = Call::answer {
				node: 0,
				round: 1,
				seed: round().seed,
				output,
				signature: signature.clone(),
			};
			assert_refused(&general(call), InvalidTransaction::BadProof);
		}
	});
}

#[test]
fn transactions_should_follow_the_worker_key_when_it_changes() {
	in_a_round(1, || {
		Keys::mutate(|keys| keys.insert(0, key(50).public()));
		assert_refused(&said_by(&key(0), 0), InvalidTransaction::BadProof);
		accept(&said_by(&key(50), 0));
	});
}

#[test]
fn calls_should_be_refused_for_accounts_and_for_nobody() {
	in_a_round(1, || {
		let signature = sign(&key(0), &action());
		for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::root(), RuntimeOrigin::none()] {
			let (seed, output) = (round().seed, output());
			assert_eq!(
				CapacityProbes::answer(origin.clone(), 0, 1, seed, output, signature.clone()),
				Err(DispatchError::BadOrigin)
			);
			assert_eq!(
				CapacityProbes::prove(origin, 0, 1, no_proof(), signature.clone()),
				Err(DispatchError::BadOrigin)
			);
		}
	});
}

#[test]
fn transactions_of_one_node_should_exclude_each_other_in_a_pool() {
	in_a_round(2, || {
		let first = validate(&said_by(&key(0), 0)).unwrap();
		let same = answer_by(&key(0), 0, 1, round().seed, BlobRef { size: 64, ..output() });
		let same = validate(&same).unwrap();
		assert_eq!(first.provides, same.provides);
		assert_eq!(first.provides.len(), 1);
		let other = validate(&said_by(&key(1), 1)).unwrap();
		assert_ne!(first.provides, other.provides);
		assert!(first.propagate && first.requires.is_empty() && first.longevity > 0);
		go(1);
		let later = validate(&said_by(&key(0), 0)).unwrap();
		assert_eq!(later.provides, first.provides);
		assert!(later.priority > first.priority, "what is said again takes its place");

		let blob = computed(&round().seed, 0, 1);
		accept(&answer(0, &blob));
		go(3);
		let proof = validate(&prove(0, &blob)).unwrap();
		assert_ne!(proof.provides, first.provides);
	});
}

#[test]
fn transactions_should_be_operational_free_and_weighed() {
	in_a_round(1, || {
		for transaction in [said_by(&key(0), 0), prove_by(&key(0), 0, 1, no_proof())] {
			let info = transaction.get_dispatch_info();
			assert_eq!((info.class, info.pays_fee), (DispatchClass::Operational, Pays::No));
			assert!(info.extension_weight.ref_time() > 0, "the authorization weighs too");
		}
	});
}

#[test]
fn transaction_should_survive_its_encoding() {
	in_a_round(1, || {
		let transaction = said_by(&key(0), 0);
		let decoded = UncheckedExtrinsic::decode(&mut &transaction.encode()[..]).unwrap();
		assert!(validate(&decoded).is_ok());
	});
}
