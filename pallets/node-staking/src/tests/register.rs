use super::*;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::TokenError;

#[test]
fn register_should_hold_the_bond_and_list_the_operator_when_the_proof_is_good() {
	ExtBuilder::default().build_and_execute(|| {
		pass_sessions(3);
		assert_ok!(NodeStaking::register(signed(1), description(1), 150, proof(1, 1)));
		assert_eq!(held(1), 150);
		assert_eq!(NodeStaking::node_of(&1), Some(0));
		assert_eq!(NodeStaking::node_of_worker(&pair(1).public()), Some(0));
		assert_eq!(listed(), vec![1]);
		let record = record(0);
		assert_eq!(
			(record.operator, record.bond, record.registered_session, record.chilled),
			(1, 150, 3, false)
		);
		assert_eq!(
			standing(0),
			Standing {
				live_since: 3,
				..Default::default()
			}
		);
		assert_eq!(
			last_event(),
			Event::Registered {
				node: 0,
				operator: 1,
				worker: pair(1).public(),
				bond: 150
			}
			.into()
		);
		assert_eq!(register(2, 100), 1);
	});
}

#[test]
fn register_should_fail_when_the_operator_or_the_key_has_a_node() {
	ExtBuilder::default().build_and_execute(|| {
		register(1, 150);
		assert_noop!(
			NodeStaking::register(signed(1), description(2), 150, proof(2, 1)),
			Error::<Test>::AlreadyRegistered
		);
		assert_noop!(
			NodeStaking::register(signed(2), description(1), 150, proof(1, 2)),
			Error::<Test>::WorkerKeyTaken
		);
	});
}

#[test]
fn register_should_fail_when_the_proof_is_not_this_keys_for_this_operator_on_this_chain() {
	ExtBuilder::default().build_and_execute(|| {
		let other_chain = worker::registration_payload(H256::repeat_byte(9), &codec::Encode::encode(&1u64));
		// As seen on the wire from operator 1, replayed by operator 2; another key's; another chain's; none.
		for (who, forged) in [
			(2, proof(1, 1)),
			(1, proof(2, 1)),
			(1, pair(1).sign(&other_chain)),
			(1, WorkerSignature::from(sp_core::sr25519::Signature::default())),
		] {
			assert_noop!(
				NodeStaking::register(signed(who), description(1), 150, forged),
				Error::<Test>::BadProof
			);
		}
		// A worker's action is no proof, whatever it says.
		let action = WorkerAction::Heartbeat {
			node: 1,
			session: 0,
			healthy: true,
			slots: 0,
		};
		let forged = pair(1).sign(&worker::payload(genesis_hash(), &action));
		assert_noop!(
			NodeStaking::register(signed(1), description(1), 150, forged),
			Error::<Test>::BadProof
		);
	});
}

#[test]
fn register_should_fail_when_the_bond_is_too_small_or_not_there() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			NodeStaking::register(signed(1), description(1), MIN_BOND - 1, proof(1, 1)),
			Error::<Test>::BondTooSmall
		);
		assert_noop!(
			NodeStaking::register(signed(1), description(1), ISSUED + 1, proof(1, 1)),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn register_should_fail_when_the_ids_are_used_up() {
	ExtBuilder::default().build_and_execute(|| {
		NextNodeId::<Test>::put(u32::MAX);
		assert_noop!(
			NodeStaking::register(signed(1), description(1), 150, proof(1, 1)),
			Error::<Test>::IdsExhausted
		);
	});
}
