//! Which hosts are named for a blob that somebody asks for.

use highway_node::worker::resolver::{hosts, PAGE};
use highway_primitives::{node::Contact, DeviceClass, ModelId, NodeId, WorkerId};
use highway_runtime_api::types::NodeInfo;
use sp_core::sr25519;

fn node(id: NodeId, eligible: bool, model: ModelId) -> NodeInfo<()> {
	NodeInfo {
		id,
		operator: (),
		worker: WorkerId::from(sr25519::Public::from_raw([0; 32])),
		contact: Contact {
			node: id,
			peer_id: Vec::new(),
			addresses: Vec::new(),
		},
		device: DeviceClass::CpuX86,
		memory_mib: 0,
		region: Vec::new(),
		bond: 0,
		reserved: 0,
		delegated: 0,
		commission: 0,
		rewards: 0,
		slashed: 0,
		unbonding: Vec::new(),
		chilled: false,
		jailed: false,
		eligible,
		validator: false,
		last_heartbeat: None,
		healthy: true,
		slots: 0,
		assigned: 0,
		reliability: 0,
		hosted: vec![(model, None, None)],
		declared: 0,
		measured: None,
	}
}

#[test]
fn hosts_should_be_few_well_and_of_the_model_wherever_they_stand() {
	// Every third node of 500 hosts model 7, and the first of them are not well.
	let page = |from: NodeId| -> Result<_, ()> {
		let end = (from + PAGE).min(500);
		let nodes = (from..end).map(|id| node(id, id >= 100, if id % 3 == 0 { 7 } else { 8 }));
		Ok((nodes.collect(), (end < 500).then_some(end)))
	};
	let found: Vec<u32> = hosts(7, page).unwrap().iter().map(|host| host.node).collect();
	assert_eq!(found, [102, 105, 108, 111, 114, 117, 120, 123]);
	assert!(hosts(9, page).unwrap().is_empty());
}
