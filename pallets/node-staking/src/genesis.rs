//! The nodes that are there from the start.

use crate::{
	pallet::{Config, NodeOf, NodeOfWorker, Pallet, SessionLength},
	types::{GenesisNode, NodeDescription, Standing},
	MAX_SLOTS,
};
use alloc::vec::Vec;
use frame_support::{traits::Get, BoundedVec};
use highway_primitives::node::{MaxAddresses, Multiaddress};

/// Slots of a session unless genesis says otherwise: ten minutes of 2 s each.
pub(crate) const DEFAULT_SESSION_LENGTH: u32 = 300;

impl<T: Config> Pallet<T> {
	/// Panics, as a genesis must, if it is not one that registrations could have led to.
	pub(crate) fn build_genesis(session_length: u32, nodes: &[GenesisNode<T::AccountId>]) {
		assert!(session_length > 0, "a session has at least one slot");
		SessionLength::<T>::put(session_length);
		Self::endow_pot();
		for node in nodes {
			if let Err(reason) = Self::insert_genesis_node(node) {
				panic!("the genesis node of {:?} is refused: {}", node.operator, reason);
			}
		}
	}

	fn insert_genesis_node(node: &GenesisNode<T::AccountId>) -> Result<(), &'static str> {
		let description = Self::describe_genesis_node(node).ok_or("peer id, addresses or region are too long")?;
		if NodeOf::<T>::contains_key(&node.operator) {
			return Err("the operator has two nodes");
		}
		if NodeOfWorker::<T>::contains_key(&node.worker) {
			return Err("the worker key has two nodes");
		}
		if node.bond < T::MinBond::get() {
			return Err("the bond is too small");
		}
		if node.slots > MAX_SLOTS {
			return Err("too many slots");
		}
		Self::check_description(&description).map_err(|error| -> &'static str { error.into() })?;
		// As if heard in session 0: the first jobs may come before the first heartbeat.
		let standing = Standing {
			last_heartbeat: None,
			healthy: true,
			declared: node.slots,
			slots: node.slots,
			..Standing::new(0)
		};
		Self::insert_node(node.operator.clone(), description, node.bond, standing)
			.map_err(|_| "its operator's balance does not cover the bond")?;
		Ok(())
	}

	fn describe_genesis_node(node: &GenesisNode<T::AccountId>) -> Option<NodeDescription> {
		let addresses = node
			.addresses
			.iter()
			.map(|address| Multiaddress::try_from(address.clone()).ok())
			.collect::<Option<Vec<_>>>()?;
		Some(NodeDescription {
			worker: node.worker.clone(),
			peer_id: node.peer_id.clone().try_into().ok()?,
			addresses: BoundedVec::<_, MaxAddresses>::try_from(addresses).ok()?,
			device: node.device,
			memory_mib: node.memory_mib,
			region: node.region.clone().try_into().ok()?,
		})
	}
}
