//! What a worker key says without paying: who may say it, when, and that it cannot be said twice.

use super::*;
use crate::{Call, WeightInfo};
use codec::{Decode, Encode};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo, Pays};
use highway_primitives::{worker, WorkerAction};
use sp_core::{Pair, H256};
use sp_runtime::{transaction_validity::InvalidTransaction, DispatchError};

const COMPUTE: AskRole = AskRole::Compute;

/// Node 1 commits to ask 40, signed by `key`.
fn commits(key: &worker::WorkerPair) -> UncheckedExtrinsic {
	commits_by(
		key,
		1,
		Split::current_epoch() + 1,
		vec![commitment(1, COMPUTE, Some(40))],
	)
}

fn reveals(key: &worker::WorkerPair) -> UncheckedExtrinsic {
	reveals_by(key, 1, Split::current_epoch() + 1, vec![opening(1, COMPUTE, Some(40))])
}

fn run(test: impl FnOnce()) {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		host(2, MODEL);
		test();
	});
}

#[test]
fn a_worker_should_commit_and_reveal_by_itself() {
	run(|| {
		let (commits, committer) = (commits(&key(1)), operator_of(1));
		let before = Balances::free_balance(committer);
		accept(&commits);
		go_to_reveals();
		accept(&reveals(&key(1)));
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), Some(40));
		assert_eq!(Balances::free_balance(committer), before);
	});
}

#[test]
fn what_was_said_should_be_stale_when_it_is_said_again() {
	run(|| {
		let commits = commits(&key(1));
		accept(&commits);
		assert_refused(&commits, InvalidTransaction::Stale);
		go_to_reveals();
		let reveals = reveals(&key(1));
		accept(&reveals);
		assert_refused(&reveals, InvalidTransaction::Stale);
		// In the next epoch, too.
		go_to_epoch(1);
		assert_refused(&commits, InvalidTransaction::Stale);
		go_to_reveals();
		assert_refused(&reveals, InvalidTransaction::Stale);
	});
}

#[test]
fn transactions_should_be_refused_outside_their_phase() {
	run(|| {
		let (commits, reveals) = (commits(&key(1)), reveals(&key(1)));
		assert_refused(&reveals, InvalidTransaction::Future);
		let early = commits_by(&key(1), 1, 2, vec![commitment(1, COMPUTE, Some(40))]);
		assert_refused(&early, InvalidTransaction::Future);
		go_to_reveals();
		assert_refused(&commits, InvalidTransaction::Stale);
		go_to_epoch(1);
		for late in [commits, reveals] {
			assert_refused(&late, InvalidTransaction::Stale);
		}
	});
}

#[test]
fn transactions_should_be_refused_when_another_key_signed_them() {
	run(|| {
		for stranger in [key(2), key(9)] {
			assert_refused(&commits(&stranger), InvalidTransaction::BadProof);
		}
		accept(&commits(&key(1)));
		go_to_reveals();
		for stranger in [key(2), key(9)] {
			assert_refused(&reveals(&stranger), InvalidTransaction::BadProof);
		}
	});
}

#[test]
fn transactions_should_be_refused_for_another_chain_call_or_content() {
	run(|| {
		let items: frame_support::BoundedVec<_, _> = vec![commitment(1, COMPUTE, Some(40))].try_into().unwrap();
		let action = WorkerAction::CommitAsks {
			node: 1,
			epoch: 1,
			items: items.clone(),
		};
		let with = |items, signature| {
			general(Call::commit_asks {
				node: 1,
				epoch: 1,
				items,
				signature,
			})
		};
		let elsewhere = key(1).sign(&worker::payload(H256::repeat_byte(9), &action));
		assert_refused(&with(items.clone(), elsewhere), InvalidTransaction::BadProof);
		let heartbeat = WorkerAction::Heartbeat {
			node: 1,
			session: 0,
			healthy: true,
			slots: 1,
		};
		assert_refused(
			&with(items.clone(), sign(&key(1), &heartbeat)),
			InvalidTransaction::BadProof,
		);
		let signature = sign(&key(1), &action);
		let others = vec![commitment(1, COMPUTE, Some(41))].try_into().unwrap();
		assert_refused(&with(others, signature.clone()), InvalidTransaction::BadProof);
		accept(&with(items, signature));
	});
}

#[test]
fn transactions_should_be_refused_when_nobody_or_nothing_is_named() {
	run(|| {
		let unknown = commits_by(&key(9), 9, 1, vec![commitment(9, COMPUTE, Some(1))]);
		assert_refused(&unknown, InvalidTransaction::Custom(1));
		assert_refused(&commits_by(&key(1), 1, 1, vec![]), InvalidTransaction::Custom(2));
		go_to_reveals();
		assert_refused(&reveals_by(&key(1), 1, 1, vec![]), InvalidTransaction::Custom(2));
		assert_refused(&reveals(&key(1)), InvalidTransaction::Stale);
	});
}

/// Whatever gets into a block without a fee must do something that can be done once: else it would be said for ever.
#[test]
fn a_commitment_should_be_refused_when_the_bond_is_not_there() {
	run(|| {
		with_node(1, |node| node.bond = BOND - 1);
		assert_refused(&commits(&key(1)), InvalidTransaction::Stale);
		with_node(1, |node| node.bond = BOND);
		fall_silent(1);
		assert_refused(&commits(&key(1)), InvalidTransaction::Stale);
		with_node(1, |node| node.able = true);
		unhost(1);
		assert_refused(&commits(&key(1)), InvalidTransaction::Stale);
		host(1, MODEL);
		accept(&commits(&key(1)));
	});
}

#[test]
fn a_commitment_should_be_taken_when_one_before_it_was_broken() {
	run(|| {
		accept(&commits(&key(1)));
		go_to_epoch(1);
		let again = apply(&commits(&key(1))).unwrap().unwrap();
		let weight = <() as WeightInfo>::commit_asks(1).saturating_add(<() as WeightInfo>::end_commitment());
		assert!(again.actual_weight.unwrap().all_gte(weight));
		assert_eq!(TestNodes::get(1).unwrap().bond, NODE_BOND - BOND);
	});
}

#[test]
fn a_batch_should_be_taken_when_one_of_it_can_be_done() {
	run(|| {
		let nowhere = AskCommitment {
			model: 99,
			..commitment(1, COMPUTE, Some(1))
		};
		let mut items = vec![nowhere; 23];
		assert_refused(&commits_by(&key(1), 1, 1, items.clone()), InvalidTransaction::Stale);
		items.push(commitment(1, COMPUTE, Some(40)));
		accept(&commits_by(&key(1), 1, 1, items));
		go_to_reveals();
		let wrong = opening(1, COMPUTE, Some(41));
		let mut items = vec![wrong; 23];
		assert_refused(&reveals_by(&key(1), 1, 1, items.clone()), InvalidTransaction::Stale);
		items.push(opening(1, COMPUTE, Some(40)));
		accept(&reveals_by(&key(1), 1, 1, items));
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), Some(40));
	});
}

#[test]
fn calls_should_be_refused_for_accounts_and_for_nobody() {
	run(|| {
		let signature = sign(
			&key(1),
			&WorkerAction::Heartbeat {
				node: 1,
				session: 0,
				healthy: true,
				slots: 1,
			},
		);
		for origin in [
			RuntimeOrigin::signed(operator_of(1)),
			RuntimeOrigin::root(),
			RuntimeOrigin::none(),
		] {
			let commits = Split::commit_asks(origin.clone(), 1, 1, Default::default(), signature.clone());
			assert_eq!(commits.unwrap_err().error, DispatchError::BadOrigin);
			let reveals = Split::reveal_asks(origin, 1, 1, Default::default(), signature.clone());
			assert_eq!(reveals.unwrap_err().error, DispatchError::BadOrigin);
		}
	});
}

#[test]
fn transactions_of_one_node_should_exclude_each_other_in_a_pool() {
	run(|| {
		let first = validate(&commits(&key(1))).unwrap();
		let other = commits_by(&key(1), 1, 1, vec![commitment(1, AskRole::Storage, None)]);
		assert_eq!(validate(&other).unwrap().provides, first.provides);
		assert_eq!(first.provides.len(), 1);
		let neighbour = commits_by(&key(2), 2, 1, vec![commitment(2, COMPUTE, Some(40))]);
		assert_ne!(validate(&neighbour).unwrap().provides, first.provides);
		assert!(first.propagate && first.requires.is_empty() && first.longevity > 0);
		go_to(2);
		let later = validate(&commits(&key(1))).unwrap();
		assert_eq!(later.provides, first.provides);
		assert!(later.priority > first.priority, "what is said again takes its place");
		accept(&commits(&key(1)));
		go_to_reveals();
		let reveal = validate(&reveals(&key(1))).unwrap();
		assert_ne!(reveal.provides, first.provides);
	});
}

#[test]
fn transactions_should_be_operational_free_and_weighed() {
	run(|| {
		for transaction in [commits(&key(1)), reveals(&key(1))] {
			let info = transaction.get_dispatch_info();
			assert_eq!((info.class, info.pays_fee), (DispatchClass::Operational, Pays::No));
			assert!(info.extension_weight.ref_time() > 0, "the authorization weighs too");
		}
	});
}

#[test]
fn transaction_should_survive_its_encoding() {
	run(|| {
		let transaction = commits(&key(1));
		let decoded = UncheckedExtrinsic::decode(&mut &transaction.encode()[..]).unwrap();
		assert!(validate(&decoded).is_ok());
	});
}
