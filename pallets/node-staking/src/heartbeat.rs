//! Heartbeats: what the pool and the block check, and what is kept.

use crate::{
	pallet::{Config, CurrentSession, Error, Event, Nodes, Pallet, Standings},
	refusal,
	types::Standing,
	MAX_SLOTS,
};
use alloc::vec;
use codec::Encode;
use frame_support::{
	dispatch::DispatchResult,
	pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidityWithRefund},
	traits::Get,
};
use highway_primitives::{
	authorization::{check_signature, let_in, PRIORITY},
	traits::Capacity,
	NodeId, WorkerAction, WorkerSignature,
};

/// Blocks for which a heartbeat may wait in the pool. One that the session overtakes is thrown out as stale before.
const LONGEVITY: u64 = 64;

impl<T: Config> Pallet<T> {
	/// Whether this heartbeat may come in. The cheap checks first, the signature last.
	///
	/// Refused as `Stale`: for a past session, or heard in this session; `Future`: for a session to come; `BadProof`:
	/// not signed by the node's worker key on this chain; `Custom`: see [`refusal`].
	pub fn authorize_heartbeat(
		_source: TransactionSource,
		node: &NodeId,
		session: &u32,
		healthy: &bool,
		slots: &u16,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let (node, session, healthy, slots) = (*node, *session, *healthy, *slots);
		if slots > MAX_SLOTS {
			return Err(InvalidTransaction::Custom(refusal::TOO_MANY_SLOTS).into());
		}
		let current = CurrentSession::<T>::get();
		if session < current {
			return Err(InvalidTransaction::Stale.into());
		}
		if session > current {
			return Err(InvalidTransaction::Future.into());
		}
		let standing = Standings::<T>::get(node).ok_or(InvalidTransaction::Custom(refusal::UNKNOWN_NODE))?;
		if standing.last_heartbeat == Some(current) {
			return Err(InvalidTransaction::Stale.into());
		}
		if standing.is_jailed(current) {
			return Err(InvalidTransaction::Custom(refusal::JAILED).into());
		}
		let record = Nodes::<T>::get(node).ok_or(InvalidTransaction::Custom(refusal::UNKNOWN_NODE))?;
		// What is free of charge is only for those who have something at stake.
		if record.bond < T::MinBond::get() {
			return Err(InvalidTransaction::Custom(refusal::NOT_BONDED).into());
		}
		let action = WorkerAction::Heartbeat {
			node,
			session,
			healthy,
			slots,
		};
		check_signature::<T>(&record.worker, &action, signature)?;
		// A node that is not heard loses its jobs, and there is one heartbeat a node and session.
		let_in(PRIORITY, vec![(b"heartbeat", node, session).encode()], LONGEVITY)
	}

	pub(crate) fn do_heartbeat(node: NodeId, session: u32, healthy: bool, declared: u16) -> DispatchResult {
		let (record, before) = Self::node(node).ok_or(Error::<T>::UnknownNode)?;
		let allowed = T::Capacity::settle(node, record.device);
		let (healthy, slots) = (healthy && allowed.able, declared.min(allowed.slots));
		let standing = Standing {
			last_heartbeat: Some(session),
			healthy,
			declared,
			slots,
			..before
		};
		Self::put_standing(node, &record, &before, standing);
		Self::deposit_event(Event::HeartbeatReceived {
			node,
			session,
			healthy,
			slots,
		});
		Ok(())
	}
}
