//! What nodes say in audits is free: it must neither flood a pool nor count twice, nor for anything else.

use crate::{mock::*, Call, WeightInfo, WALK};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo, Pays};
use highway_primitives::{audit::ballot_commitment, Vote};
use sp_core::H256;
use sp_runtime::transaction_validity::InvalidTransaction;

/// One of each kind, all for job 1, by `node`.
fn one_of_each(node: u32) -> [UncheckedExtrinsic; 4] {
	[
		open(node, 1, honest(1)),
		commit(node, 1, yes(1)),
		reveal(node, 1, yes(1)),
		prove(node, 1, 0),
	]
}

#[test]
fn everything_should_be_stale_without_an_audit() {
	execute_with(6, || {
		assign(1, EXECUTOR);
		for transaction in one_of_each(EXECUTOR) {
			assert_refused(&transaction, InvalidTransaction::Stale);
		}
		accept(&attest_with(EXECUTOR, 1, honest(1)));
		for node in [EXECUTOR, 3] {
			for transaction in one_of_each(node) {
				assert_refused(&transaction, InvalidTransaction::Stale);
			}
		}
		for transaction in one_of_each(77) {
			assert_refused(&transaction, InvalidTransaction::Custom(1));
		}
	});
}

#[test]
fn only_what_is_due_should_be_accepted_from_whom_it_is_due() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		let others: Vec<u32> = (0..7).filter(|node| *node != auditor).collect();
		let accepted = |node: u32| -> Vec<usize> {
			let all = one_of_each(node);
			(0..4).filter(|kind| validate(&all[*kind]).is_ok()).collect()
		};
		assert_eq!(accepted(auditor), vec![1]);
		assert!(others.iter().all(|node| accepted(*node).is_empty()));
		say_commit(auditor, 1, yes(1));
		assert_eq!(accepted(auditor), vec![2]);
		assert!(others.iter().all(|node| accepted(*node).is_empty()));
		say_reveal(auditor, 1, yes(1));
		assert_eq!(accepted(EXECUTOR), vec![0]);
		assert!((1..7).all(|node| accepted(node).is_empty()));
		say_open(1, honest(1));
		assert!((0..7).all(|node| accepted(node).is_empty()));
	});
}

#[test]
fn replays_should_be_stale_in_the_same_block_and_later() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		let committed = commit(auditor, 1, yes(1));
		accept(&committed);
		assert_refused(&committed, InvalidTransaction::Stale);
		// Nor can it change its mind.
		assert_refused(&commit(auditor, 1, no(1)), InvalidTransaction::Stale);
		go(1);
		assert_refused(&committed, InvalidTransaction::Stale);
		let revealed = reveal(auditor, 1, yes(1));
		accept(&revealed);
		assert_refused(&revealed, InvalidTransaction::Stale);
		go(1);
		let opened = open(EXECUTOR, 1, honest(1));
		accept(&opened);
		assert_refused(&opened, InvalidTransaction::Stale);
		go(1);
		for transaction in [committed, revealed, opened] {
			assert_refused(&transaction, InvalidTransaction::Stale);
		}
	});
}

#[test]
fn nobody_should_be_heard_after_the_last_block_of_a_phase_even_if_the_queue_is_late() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		System::set_block_number(22);
		assert_refused(&commit(auditor, 1, yes(1)), InvalidTransaction::Stale);
		assert!(tasks(auditor).is_empty());
		System::set_block_number(21);
		accept(&commit(auditor, 1, yes(1)));
		go_to(200);
	});
}

#[test]
fn ballot_should_be_refused_when_it_is_not_what_was_committed_to() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		say_commit(auditor, 1, yes(1));
		for other in [
			no(1),
			abstain(),
			ballot(Vote::Yes, false, honest(1)),
			ballot(Vote::Yes, true, sketch(0)),
		] {
			assert_refused(&reveal(auditor, 1, other), InvalidTransaction::Custom(3));
		}
		let wrong_salt = reveal_by(&key(auditor as u8), auditor, 1, yes(1), [0; 32]);
		assert_refused(&wrong_salt, InvalidTransaction::Custom(3));
		accept(&reveal(auditor, 1, yes(1)));
		go(1);
	});
}

#[test]
fn commitment_under_another_seed_should_be_stale() {
	execute_with(7, || {
		// On another fork the node had the same seat under another seed: what it committed to there must not bind it here,
		// where it could never open it.
		let auditor = audited(1, honest(1));
		let elsewhere = [9; 32];
		let commitment = ballot_commitment(&work_id(1), auditor, &elsewhere, &yes(1), &salt(auditor));
		let transaction = commit_by(&key(auditor as u8), auditor, 1, elsewhere, commitment);
		assert_refused(&transaction, InvalidTransaction::Stale);
		accept(&commit(auditor, 1, yes(1)));
		go(1);
	});
}

#[test]
fn everything_should_be_refused_when_another_key_signed_it() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		let stranger = key(200);
		let seed = seed(auditor, 1);
		let commitment = H256::repeat_byte(1);
		assert_refused(
			&commit_by(&stranger, auditor, 1, seed, commitment),
			InvalidTransaction::BadProof,
		);
		say_commit(auditor, 1, yes(1));
		assert_refused(
			&reveal_by(&stranger, auditor, 1, yes(1), salt(auditor)),
			InvalidTransaction::BadProof,
		);
		say_reveal(auditor, 1, yes(1));
		assert_refused(
			&open_by(&stranger, EXECUTOR, 1, honest(1), salt(EXECUTOR)),
			InvalidTransaction::BadProof,
		);
		say_open(1, honest(1));
	});
}

#[test]
fn one_tag_per_thing_to_say_should_keep_the_pool_small() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		let first = validate(&commit(auditor, 1, yes(1))).unwrap();
		let second = validate(&commit(auditor, 1, no(1))).unwrap();
		// A pool holds one of them, and neither outbids the other.
		assert_eq!(first.provides, second.provides);
		assert_eq!((first.priority, first.provides.len()), (second.priority, 1));
		assert!(first.requires.is_empty() && first.propagate);
		say_commit(auditor, 1, yes(1));
		let third = validate(&reveal(auditor, 1, yes(1))).unwrap();
		assert_ne!(first.provides, third.provides);
		say_reveal(auditor, 1, yes(1));
		let fourth = validate(&open(EXECUTOR, 1, honest(1))).unwrap();
		assert!(![&first, &third].iter().any(|other| other.provides == fourth.provides));
		// Deadlines are shorter here than for the fullest batch of attestations, of a later block too.
		(1_000..1_256).for_each(|job| assign(job, 6));
		System::set_block_number(System::block_number() + 1);
		let batch = validate(&attest(&key(6), 6, items(1_000..1_256))).unwrap();
		assert!(fourth.priority > batch.priority);
		let again = validate(&open(EXECUTOR, 1, honest(1))).unwrap();
		assert!(
			again.priority > fourth.priority,
			"what is said again replaces what had no effect"
		);
		System::set_block_number(System::block_number() - 1);
		say_open(1, honest(1));
	});
}

#[test]
fn calls_should_be_operational_free_and_closed_to_accounts() {
	execute_with(7, || {
		audited(1, honest(1));
		for transaction in one_of_each(1) {
			let info = transaction.get_dispatch_info();
			assert_eq!((info.class, info.pays_fee), (DispatchClass::Operational, Pays::No));
			assert!(info.extension_weight.ref_time() > 0);
			let call: RuntimeCall = transaction.function.clone();
			let RuntimeCall::ProofOfWorkDone(call) = call else {
				panic!()
			};
			for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::root(), RuntimeOrigin::none()] {
				use frame_support::traits::UnfilteredDispatchable;
				let error = call.clone().dispatch_bypass_filter(origin).unwrap_err().error;
				assert_eq!(error, sp_runtime::DispatchError::BadOrigin);
			}
		}
		let paid = Call::<Test>::force_audit { job: 1 }.get_dispatch_info();
		assert_eq!((paid.class, paid.pays_fee), (DispatchClass::Normal, Pays::Yes));
		let later = <() as WeightInfo>::audit_opened(WALK, 16) + <() as WeightInfo>::audit_due() * 3u64;
		assert_eq!(
			paid.call_weight.proof_size(),
			later.ref_time(),
			"it pays for what it leaves to the queue"
		);
		go_to(300);
	});
}

#[test]
fn signature_for_one_job_should_be_refused_for_another() {
	execute_with(7, || {
		let auditor = audited(1, honest(1));
		let seed = seed(auditor, 1);
		let action = highway_primitives::WorkerAction::CommitBallot {
			node: auditor,
			job: 2,
			seed,
			commitment: H256::zero(),
		};
		let signature = sign(&key(auditor as u8), &action);
		let call = Call::commit_ballot {
			node: auditor,
			job: 1,
			seed,
			commitment: H256::zero(),
			signature,
		};
		assert_refused(&general(call), InvalidTransaction::BadProof);
		go_to(300);
	});
}
