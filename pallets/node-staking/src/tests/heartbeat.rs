use super::*;
use codec::Encode;
use frame_support::{
	assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo, Pays},
};
use highway_mocks::{accept, assert_refused, validate};
use sp_runtime::{transaction_validity::InvalidTransaction, DispatchError};

fn transaction(call: RuntimeCall) -> UncheckedExtrinsic {
	UncheckedExtrinsic::new_transaction(call, (frame_system::AuthorizeCall::<Test>::new(),))
}

#[test]
fn heartbeat_should_be_let_in_and_noted_when_the_worker_signed_it() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		pass_sessions(1);
		let call = heartbeat_call(1, node, 1, true, 16);
		let valid = validate(&transaction(call.clone())).unwrap();
		assert_eq!(valid.provides, vec![(b"heartbeat", node, 1u32).encode()]);
		assert!(valid.requires.is_empty() && valid.propagate && valid.priority > 0 && valid.longevity > 0);
		assert_eq!(standing(node).last_heartbeat, None, "the pool changes nothing");
		accept(&transaction(call));
		let heard = standing(node);
		assert_eq!((heard.last_heartbeat, heard.healthy, heard.slots), (Some(1), true, 16));
		assert_eq!(
			last_event(),
			Event::HeartbeatReceived {
				node,
				session: 1,
				healthy: true,
				slots: 16
			}
			.into()
		);
		assert!(!NodeStaking::heartbeat_due(node));
	});
}

#[test]
fn heartbeat_should_be_operational_and_free() {
	ExtBuilder::default().build_and_execute(|| {
		let info = transaction(heartbeat_call(1, 0, 0, true, 1)).get_dispatch_info();
		assert_eq!((info.class, info.pays_fee), (DispatchClass::Operational, Pays::No));
		assert_eq!(info.extension_weight, <() as WeightInfo>::authorize_heartbeat());
	});
}

#[test]
fn heartbeat_should_be_refused_when_it_is_repeated_or_replayed_later() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		let call = heartbeat_call(1, node, 0, true, 16);
		accept(&transaction(call.clone()));
		assert_refused(&transaction(call.clone()), InvalidTransaction::Stale);
		// Nor may another word be said in the same session.
		assert_refused(
			&transaction(heartbeat_call(1, node, 0, false, 0)),
			InvalidTransaction::Stale,
		);
		pass_sessions(1);
		assert_refused(&transaction(call), InvalidTransaction::Stale);
		assert_refused(
			&transaction(heartbeat_call(1, node, 2, true, 16)),
			InvalidTransaction::Future,
		);
		accept(&transaction(heartbeat_call(1, node, 1, true, 16)));
	});
}

#[test]
fn heartbeat_should_be_refused_when_the_signature_is_forged() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		register(2, 150);
		// Another key's, also a registered one's.
		assert_refused(
			&transaction(heartbeat_call(2, node, 0, true, 1)),
			InvalidTransaction::BadProof,
		);
		// Any part of it changed on the way.
		let RuntimeCall::NodeStaking(Call::heartbeat { signature, .. }) = heartbeat_call(1, node, 0, true, 1) else {
			unreachable!()
		};
		for (node, healthy, slots) in [(node + 1, true, 1), (node, false, 1), (node, true, 2)] {
			let call = Call::heartbeat {
				node,
				session: 0,
				healthy,
				slots,
				signature: signature.clone(),
			};
			assert_refused(&transaction(call.into()), InvalidTransaction::BadProof);
		}
		// Signed for another chain.
		let action = WorkerAction::Heartbeat {
			node,
			session: 0,
			healthy: true,
			slots: 1,
		};
		let signature = pair(1).sign(&worker::payload(H256::repeat_byte(1), &action));
		let call = Call::heartbeat {
			node,
			session: 0,
			healthy: true,
			slots: 1,
			signature,
		};
		assert_refused(&transaction(call.into()), InvalidTransaction::BadProof);
	});
}

#[test]
fn heartbeat_should_be_refused_when_the_node_is_unknown_jailed_or_without_bond() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_refused(
			&transaction(heartbeat_call(1, 7, 0, true, 1)),
			InvalidTransaction::Custom(refusal::UNKNOWN_NODE),
		);
		pass_sessions(6);
		assert_refused(
			&transaction(heartbeat_call(1, node, 6, true, 1)),
			InvalidTransaction::Custom(refusal::JAILED),
		);
		assert_ok!(NodeStaking::resume(signed(1)));
		assert!(validate(&transaction(heartbeat_call(1, node, 6, true, 1))).is_ok());
		assert_ok!(NodeStaking::unbond(signed(1), 150));
		assert_refused(
			&transaction(heartbeat_call(1, node, 6, true, 1)),
			InvalidTransaction::Custom(refusal::NOT_BONDED),
		);
		assert!(!NodeStaking::heartbeat_due(node));
	});
}

#[test]
fn heartbeat_should_be_refused_when_it_claims_too_many_slots() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		for slots in [MAX_SLOTS + 1, u16::MAX] {
			assert_refused(
				&transaction(heartbeat_call(1, node, 0, true, slots)),
				InvalidTransaction::Custom(refusal::TOO_MANY_SLOTS),
			);
		}
		accept(&transaction(heartbeat_call(1, node, 0, true, MAX_SLOTS)));
	});
}

#[test]
fn heartbeat_should_follow_the_worker_key_when_it_changes() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_ok!(NodeStaking::update_node(signed(1), description(9), Some(proof(9, 1))));
		assert_refused(
			&transaction(heartbeat_call(1, node, 0, true, 1)),
			InvalidTransaction::BadProof,
		);
		accept(&transaction(heartbeat_call(9, node, 0, true, 1)));
	});
}

#[test]
fn heartbeat_should_be_taken_from_a_chilled_node() {
	ExtBuilder::default().build_and_execute(|| {
		let node = register(1, 150);
		assert_ok!(NodeStaking::chill(signed(1)));
		accept(&transaction(heartbeat_call(1, node, 0, true, 1)));
		assert!(!NodeStaking::is_eligible(node));
	});
}

#[test]
fn heartbeat_should_fail_when_it_comes_from_an_account_or_from_nobody() {
	ExtBuilder::default().build_and_execute(|| {
		use sp_runtime::traits::Dispatchable;
		let node = register(1, 150);
		for origin in [signed(1), RuntimeOrigin::none(), RuntimeOrigin::root()] {
			let error = heartbeat_call(1, node, 0, true, 1).dispatch(origin).unwrap_err().error;
			assert_eq!(error, DispatchError::BadOrigin);
		}
		assert_eq!(standing(node).last_heartbeat, None);
	});
}
