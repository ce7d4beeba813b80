//! A runtime with balances, this pallet and `AuthorizeCall`, and nodes that the tests set up as they like.

pub mod acts;
pub mod transactions;

pub use acts::*;
pub use transactions::*;

use crate as pallet_capacity_probes;
use codec::Encode;
use frame_support::{derive_impl, parameter_types, traits::ConstU128};
use highway_primitives::{
	audit::{DrawnJudge, SketchSeed},
	traits::{BlockSeeds, Nodes},
	Balance, BlockNumber, DeviceClass, ModelId, NodeId, ProbeTerms, WorkerId,
};
use sp_core::Pair;
use sp_runtime::{traits::BlakeTwo256, BuildStorage, DispatchResult, Perbill};
use std::collections::BTreeMap;

pub type AccountId = u64;
pub type UncheckedExtrinsic = highway_mocks::Transaction<RuntimeCall, Test>;
pub type Block = sp_runtime::generic::Block<sp_runtime::generic::Header<u32, BlakeTwo256>, UncheckedExtrinsic>;

pub const ED: Balance = 10;
pub const TREASURY: AccountId = 999;
/// What the treasury has at the start.
pub const TREASURE: Balance = 1_000_000;
pub const SESSION: BlockNumber = 30;
/// Rows that back a slot.
pub const SLOT: u32 = 4;
/// Paid for a slot.
pub const REWARD: Balance = 500;
/// Slots that every node declares at the start.
pub const DECLARED: u16 = 8;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeTask,
		RuntimeHoldReason,
		RuntimeFreezeReason
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Test>;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances::Pallet<Test>;
	#[runtime::pallet_index(2)]
	pub type CapacityProbes = pallet_capacity_probes::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

impl highway_mocks::MockRuntime for Test {}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<ED>;
}

parameter_types! {
	pub const Treasury: AccountId = TREASURY;
	pub const SessionLength: BlockNumber = SESSION;
	/// The slots that each node declares; who is not in it does not exist.
	pub static Fleet: BTreeMap<NodeId, u16> = BTreeMap::new();
	/// Worker keys that are not those of [`key`].
	pub static Keys: BTreeMap<NodeId, WorkerId> = BTreeMap::new();
	/// What every node says that it runs on.
	pub static Device: DeviceClass = DeviceClass::CpuX86;
	/// Whether blocks have a VRF.
	pub static HasVrf: bool = true;
	/// Makes other VRFs.
	pub static Salt: u64 = 0;
}

pub struct Vrfs;
impl BlockSeeds for Vrfs {
	fn seed(block: BlockNumber) -> Option<[u8; 32]> {
		let over = block > 0 && block < now();
		(HasVrf::get() && over).then(|| sp_io::hashing::blake2_256(&(Salt::get(), block).encode()))
	}
}

pub struct TestNodes;
impl Nodes<AccountId> for TestNodes {
	fn operator(node: NodeId) -> Option<AccountId> {
		Fleet::get().contains_key(&node).then(|| operator(node))
	}
	fn node_of(_: &AccountId) -> Option<NodeId> {
		None
	}
	fn worker(node: NodeId) -> Option<WorkerId> {
		Fleet::get().get(&node)?;
		Some(Keys::get().get(&node).cloned().unwrap_or_else(|| key(node).public()))
	}
	fn hosts(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn eligible(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn eligible_at_start(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn pledged(_: NodeId, _: ModelId) -> bool {
		false
	}
	fn lapsed(_: NodeId, _: ModelId) -> Option<BlockNumber> {
		None
	}
	fn own_bond(_: NodeId) -> Balance {
		0
	}
	fn free_bond(_: NodeId) -> Balance {
		0
	}
	fn draw_weight(_: NodeId, _: ModelId, _: Balance) -> u64 {
		0
	}
	fn reserve(_: NodeId, _: Balance) -> DispatchResult {
		Ok(())
	}
	fn free_slot(_: NodeId) {}
	fn secure(_: NodeId, _: Balance) -> DispatchResult {
		Ok(())
	}
	fn release(_: NodeId, _: Balance) {}
	fn slash(_: NodeId, _: Balance, _: &AccountId) -> Balance {
		0
	}
	fn fine(_: NodeId, _: Balance, _: &AccountId) -> Balance {
		0
	}
	fn device(node: NodeId) -> Option<DeviceClass> {
		Fleet::get().contains_key(&node).then(Device::get)
	}
	fn declared_slots(node: NodeId) -> u16 {
		Fleet::get().get(&node).copied().unwrap_or_default()
	}
	fn draw_judge(_: &SketchSeed, _: Balance, _: &[AccountId], _: Option<DeviceClass>) -> DrawnJudge {
		DrawnJudge::default()
	}
	fn active_operators() -> u32 {
		0
	}
	fn note_outcome(_: NodeId, _: bool, _: Perbill) {}
}

impl crate::Config for Test {
	type Nodes = TestNodes;
	type Seeds = Vrfs;
	type Currency = Balances;
	type Treasury = Treasury;
	type SessionLength = SessionLength;
	type WeightInfo = ();
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup for Test {
	fn node(worker: WorkerId) -> NodeId {
		Fleet::mutate(|fleet| fleet.insert(0, 1_024));
		Keys::mutate(|keys| keys.insert(0, worker));
		0
	}
	fn seal(_: BlockNumber) {}
}

/// A round in the first block that may have one, for all nodes; a node that was never measured sells two slots.
pub fn terms() -> ProbeTerms {
	ProbeTerms {
		share: 1,
		spacing: SESSION,
		interval: 1,
		rows_per_slot: SLOT,
		unmeasured_slots: 2,
		reward: REWARD,
		floors: vec![(DeviceClass::Cuda, 24)].try_into().unwrap(),
	}
}

/// So many nodes, ids from 0, in block 1, with probing on or off.
pub fn execute_with(nodes: u32, terms: Option<ProbeTerms>, test: impl FnOnce()) {
	Fleet::set((0..nodes).map(|node| (node, DECLARED)).collect());
	Keys::set(BTreeMap::new());
	Device::set(DeviceClass::CpuX86);
	HasVrf::set(true);
	Salt::set(0);
	let operators = (0..nodes).map(|node| (operator(node), ED));
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: operators.chain([(TREASURY, TREASURE)]).collect(),
			..Default::default()
		},
		capacity_probes: crate::GenesisConfig {
			terms,
			..Default::default()
		},
		..Default::default()
	};
	sp_io::TestExternalities::from(genesis.build_storage().unwrap()).execute_with(|| {
		System::set_block_number(1);
		let issuance = Balances::total_issuance();
		test();
		check();
		assert_eq!(Balances::total_issuance(), issuance, "no coin came into being or went");
	});
}

/// So many nodes that were heard, and the round that opened after that. It is its first block.
pub fn in_a_round(nodes: u32, test: impl FnOnce()) {
	execute_with(nodes, Some(terms()), || {
		(0..nodes).for_each(|node| {
			beat(node);
		});
		next_round();
		test();
	});
}
