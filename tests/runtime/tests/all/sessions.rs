//! Sessions, validators, heartbeats and jail.

use codec::Encode;
use highway_primitives::{worker::WorkerAction, AIC};
use highway_runtime::{Authorship, Babe, NodeStaking, Runtime, RuntimeCall, Session, SessionKeys, System};
use highway_runtime_tests::{signed, worker_transaction, Chain, MILLI};
use pallet_node_staking::{refusal, Call as Node, Error as NodeError};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::transaction_validity::InvalidTransaction;

fn heartbeat(node: u32, session: u32) -> WorkerAction {
	WorkerAction::Heartbeat {
		node,
		session,
		healthy: true,
		slots: 16,
	}
}

/// Makes blocks until `count` more sessions have begun.
pub(crate) fn pass_sessions(chain: &mut Chain, count: u32) {
	let until = NodeStaking::current_session() + count;
	while NodeStaking::current_session() < until {
		chain.blocks(1);
	}
}

pub(crate) fn register(chain: &mut Chain, operator: Sr25519Keyring, bond: u128) {
	let description = pallet_node_staking::NodeDescription {
		worker: operator.public().into(),
		peer_id: Default::default(),
		addresses: vec![b"/ip4/192.0.2.1/tcp/30333".to_vec().try_into().expect("short")]
			.try_into()
			.expect("one"),
		device: highway_primitives::DeviceClass::Cuda,
		memory_mib: 8_192,
		region: b"eu-west".to_vec().try_into().expect("short"),
	};
	let proof = chain.registration_proof(operator, operator);
	chain.ok(
		operator,
		Node::register {
			description,
			bond,
			proof,
		},
	);
}

/// Session keys from the operator's own seed, with the proof that it owns them.
pub(crate) fn set_keys(chain: &mut Chain, operator: Sr25519Keyring) {
	let generated = SessionKeys::generate(
		&operator.to_account_id().encode(),
		Some(operator.to_seed().into_bytes()),
	);
	let call = pallet_session::Call::set_keys {
		keys: generated.keys,
		proof: generated.proof.encode(),
	};
	chain.ok(operator, call);
}

#[test]
fn a_new_node_should_validate_when_it_has_session_keys_and_two_sessions_passed() {
	Chain::local(|chain| {
		let three = [Alice, Bob, Charlie].map(|who| who.to_account_id());
		assert_eq!(Session::validators().len(), 3);
		register(chain, Ferdie, 2_000_000 * AIC);
		pass_sessions(chain, 3);
		assert_eq!(Session::validators().len(), 3, "no session keys, no place");
		set_keys(chain, Ferdie);
		pass_sessions(chain, 2);
		let validators = Session::validators();
		assert_eq!(validators.first(), Some(&Ferdie.to_account_id()), "most stake first");
		assert!(three.iter().all(|who| validators.contains(who)));
		assert_eq!(Babe::authorities().len(), 4);
		assert_eq!(highway_runtime::Grandpa::grandpa_authorities().len(), 4);

		let mut authors = std::collections::BTreeSet::new();
		for _ in 0..8 {
			chain.open();
			authors.extend(Authorship::author());
			chain.close();
		}
		assert_eq!(authors.len(), 4, "everybody authors its slots");

		chain.ok(Bob, Node::chill {});
		pass_sessions(chain, 2);
		assert!(
			!Session::validators().contains(&Bob.to_account_id()),
			"a chilled node leaves"
		);
		assert_eq!(Babe::authorities().len(), 3);
	});
}

#[test]
fn a_heartbeat_should_be_taken_once_a_session_when_the_worker_key_signs_it() {
	Chain::local(|chain| {
		chain.silent.extend([0, 1, 2]);
		pass_sessions(chain, 1);
		let session = NodeStaking::current_session();
		let good = worker_transaction(Alice, heartbeat(0, session));
		assert!(chain.validate(good.clone()).is_ok());
		for (transaction, why) in [
			(
				worker_transaction(Bob, heartbeat(0, session)),
				InvalidTransaction::BadProof,
			),
			(
				worker_transaction(Alice, heartbeat(0, session - 1)),
				InvalidTransaction::Stale,
			),
			(
				worker_transaction(Alice, heartbeat(0, session + 1)),
				InvalidTransaction::Future,
			),
			(
				worker_transaction(Alice, heartbeat(9, session)),
				InvalidTransaction::Custom(refusal::UNKNOWN_NODE),
			),
		] {
			assert_eq!(chain.validate(transaction.clone()).map(|_| ()), Err(why.into()));
			assert_eq!(chain.apply_here(transaction), Err(why.into()));
		}
		assert_eq!(chain.apply(good.clone()), Ok(Ok(())));
		assert_eq!(chain.apply_here(good.clone()), Err(InvalidTransaction::Stale.into()));
		chain.close();
		assert_eq!(chain.validate(good).map(|_| ()), Err(InvalidTransaction::Stale.into()));
		assert!(!NodeStaking::heartbeat_due(0));
	});
}

#[test]
fn a_silent_node_should_get_no_jobs_then_jail_and_return_when_resumed_and_heard() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		chain.silent.insert(0);
		assert!(NodeStaking::is_eligible(0));
		pass_sessions(chain, 2);
		assert!(!NodeStaking::is_eligible(0) && !NodeStaking::is_jailed(0));
		for _ in 0..10 {
			let job = chain.submit(Eve, model);
			assert_ne!(chain.executor(job), 0, "a node that is not heard gets no jobs");
		}
		pass_sessions(chain, 4);
		assert!(NodeStaking::is_jailed(0));
		let session = NodeStaking::current_session();
		let late = worker_transaction(Alice, heartbeat(0, session));
		let jailed = InvalidTransaction::Custom(refusal::JAILED);
		assert_eq!(chain.validate(late.clone()).map(|_| ()), Err(jailed.into()));
		assert_eq!(chain.apply(late), Err(jailed.into()));
		assert_eq!(
			chain.call(Bob, Node::resume {}),
			Err(NodeError::<Runtime>::AlreadyActive.into())
		);
		chain.ok(Alice, Node::resume {});
		assert!(
			!NodeStaking::is_jailed(0) && !NodeStaking::is_eligible(0),
			"jobs wait for a heartbeat"
		);
		let session = NodeStaking::current_session();
		assert_eq!(
			chain.apply(worker_transaction(Alice, heartbeat(0, session))),
			Ok(Ok(()))
		);
		assert!(NodeStaking::is_eligible(0));
	});
}

#[test]
fn worker_transactions_should_find_room_when_a_session_changes() {
	Chain::local(|chain| {
		let mut slow = highway_runtime_tests::spec("slow");
		slow.unit_time_ms = 120_000;
		let model = chain.register(Dave, highway_runtime_tests::register_call("slow", slow, None, None, 0));
		chain.serve(model, &[(Alice, MILLI)]);
		chain.next_market_epoch();
		let jobs = (0..256).map(|_| chain.submit(Eve, model)).collect::<Vec<_>>();
		assert!(jobs.iter().all(|job| chain.executor(*job) == 0));
		chain.close();
		let session = NodeStaking::current_session();
		loop {
			chain.open();
			if NodeStaking::current_session() > session {
				break;
			}
			chain.close();
		}
		// The first block of a session is full of Mandatory weight.
		let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
		assert_eq!(
			chain.apply_here(signed(Eve, remark)),
			Err(InvalidTransaction::ExhaustsResources.into())
		);
		// The heartbeats of three nodes are in it already; the largest batch of attestations still is not too much.
		let transaction = worker_transaction(Alice, chain.attestation(0, &jobs));
		assert_eq!(chain.apply_here(transaction), Ok(Ok(())));
		assert!(jobs
			.iter()
			.all(|job| chain.job(*job).attested_at() == Some(System::block_number())));
	});
}

#[test]
fn the_chain_should_go_on_when_several_sessions_passed_without_a_block() {
	Chain::local(|chain| {
		let model = chain.served_model(MILLI, 10 * MILLI);
		let job = chain.submit(Eve, model);
		chain.skip_slots(100);
		chain.blocks(3);
		chain.attest(job);
		chain.finish(job);
		assert_eq!(
			chain.job(job).phase(),
			highway_primitives::JobPhase::Settled,
			"deadlines count blocks, not time"
		);
		pass_sessions(chain, 2);
	});
}
