//! A runtime with this pallet and `AuthorizeCall`, and nodes, models and a market that the tests set up as they like.

pub mod acts;
pub mod parties;
pub mod transactions;

pub use acts::*;
pub use parties::*;
pub use transactions::*;

use crate as pallet_storage_proofs;
use codec::Encode;
use frame_support::{derive_impl, parameter_types, traits::Randomness};
use highway_primitives::{Balance, BlockNumber};
use sp_core::H256;
use sp_runtime::{traits::BlakeTwo256, BuildStorage};

pub type AccountId = u64;
pub type UncheckedExtrinsic = highway_mocks::Transaction<RuntimeCall, Test>;
pub type Block = sp_runtime::generic::Block<sp_runtime::generic::Header<u32, BlakeTwo256>, UncheckedExtrinsic>;

pub const WINDOW: BlockNumber = 30;
/// Taken for the second miss in a row.
pub const FINE: Balance = 100;

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
	pub type StorageProofs = pallet_storage_proofs::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

impl highway_mocks::MockRuntime for Test {}

parameter_types! {
	pub const Window: BlockNumber = WINDOW;
	pub const StorageFine: Balance = FINE;
	/// With one model a draw of four hits it.
	pub static Interval: BlockNumber = 1;
	/// Whether blocks have a VRF.
	pub static HasVrf: bool = true;
	/// Makes other VRFs.
	pub static Salt: u64 = 0;
	pub static StandsStill: bool = false;
}

pub struct ParentVrf;
impl Randomness<Option<H256>, BlockNumber> for ParentVrf {
	fn random(subject: &[u8]) -> (Option<H256>, BlockNumber) {
		let parent = now() - 1;
		let vrf = H256(sp_io::hashing::blake2_256(&(Salt::get(), parent, subject).encode()));
		(HasVrf::get().then_some(vrf), parent)
	}
}

impl crate::Config for Test {
	type Artefacts = Registry;
	type Nodes = TestNodes;
	type Market = TestMarket;
	type Randomness = ParentVrf;
	type ClocksStandStill = StandsStill;
	type Window = Window;
	type Interval = Interval;
	type StorageFine = StorageFine;
	type WeightInfo = ();
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup for Test {
	fn provider(worker: highway_primitives::WorkerId) -> (u32, u32) {
		store(0, &[0]);
		change_node(0, |node| node.worker = worker);
		Interval::set(1_000_000);
		earn(0, 0, 50);
		(0, 0)
	}
}

/// No nodes, no models, block 1. Afterwards every invariant holds, and no money came into being or went.
pub fn execute(test: impl FnOnce()) {
	reset_parties();
	Interval::set(1);
	HasVrf::set(true);
	Salt::set(0);
	StandsStill::set(false);
	let genesis = RuntimeGenesisConfig::default();
	sp_io::TestExternalities::from(genesis.build_storage().unwrap()).execute_with(|| {
		System::set_block_number(1);
		test();
		check();
	});
}

/// So many nodes, ids from 0, that all store model 0.
pub fn with_providers(nodes: u32, test: impl FnOnce()) {
	execute(|| {
		store(0, &(0..nodes).collect::<Vec<_>>());
		test();
	});
}
