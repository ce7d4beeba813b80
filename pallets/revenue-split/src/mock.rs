//! A chain with balances, this pallet, and models and nodes that the tests set up as they like.

use crate::{self as pallet_revenue_split, Pallet};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU32},
	PalletId,
};
use highway_primitives::{
	audit::{AuditTerms, SketchSeed},
	model::{ModelService, Royalties},
	traits::{Models, Nodes},
	Balance, DeviceClass, ModelId, ModelVersion, NodeId, RoyaltyLine, Unit, WorkerId,
};
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Perbill};
use std::collections::{BTreeMap, BTreeSet};

pub type AccountId = u64;

pub const ED: Balance = 100;
pub const MAX_ASK: Balance = 1 << 64;
pub const DEPOSIT: Balance = 500;
pub const ASK_DEPOSIT: Balance = 30;
pub const TREASURY: AccountId = 999;
pub const PAYER: AccountId = 1;
pub const CURATOR: AccountId = 2;
pub const MODEL: ModelId = 7;
pub const EPOCH: u32 = 10;
/// Every version's: audits with q = 2 · 0.8 / (0.5 · 65), of which the premium is 1.25 times.
pub const DETECTION: Perbill = Perbill::from_percent(50);

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
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type RevenueSplit = pallet_revenue_split;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlockU32<Test>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<ED>;
	type AccountStore = System;
}

/// A node as the tests see it.
#[derive(Clone)]
pub struct TestNode {
	pub operator: AccountId,
	pub hosts: BTreeSet<ModelId>,
	pub weight: u64,
}

parameter_types! {
	pub const PotId: PalletId = PalletId(*b"hw/potac");
	pub const Treasury: AccountId = TREASURY;
	pub static TestNodes: BTreeMap<NodeId, TestNode> = BTreeMap::new();
	pub static TestRoyalties: Vec<RoyaltyLine<AccountId>> = Vec::new();
	pub static TestUnit: Unit = Unit::Request;
	pub static ModelIsGone: bool = false;
}

impl pallet_revenue_split::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Models = TestMarket;
	type Nodes = TestMarket;
	type Treasury = Treasury;
	type PalletId = PotId;
	type MaxAsk = ConstU128<MAX_ASK>;
	type MaxCuratorFee = ConstU128<MAX_ASK>;
	type SecurityFactor = ConstU32<64>;
	type CuratorDeposit = ConstU128<DEPOSIT>;
	type AskDeposit = ConstU128<ASK_DEPOSIT>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkSetup = TestMarket;
}

pub struct TestMarket;

impl Models<AccountId> for TestMarket {
	fn exists(model: ModelId) -> bool {
		model < 100 && !ModelIsGone::get()
	}
	fn service(_: ModelId) -> Result<ModelService, DispatchError> {
		Ok(ModelService {
			version: 1,
			spec: Default::default(),
			unit: TestUnit::get(),
			unit_time_ms: 1,
			detection: DETECTION,
		})
	}
	fn royalties(_: ModelId) -> Royalties<AccountId> {
		TestRoyalties::get()
	}
	fn audit_terms(_: ModelId, _: ModelVersion) -> Option<AuditTerms<AccountId>> {
		None
	}
	fn job_opened(_: ModelId) {}
	fn job_closed(_: ModelId) {}
}

impl Nodes<AccountId> for TestMarket {
	fn operator(node: NodeId) -> Option<AccountId> {
		TestNodes::get().get(&node).map(|node| node.operator)
	}
	fn node_of(operator: &AccountId) -> Option<NodeId> {
		TestNodes::get()
			.iter()
			.find(|(_, node)| node.operator == *operator)
			.map(|(id, _)| *id)
	}
	fn worker(_: NodeId) -> Option<WorkerId> {
		None
	}
	fn hosts(node: NodeId, model: ModelId) -> bool {
		TestNodes::get()
			.get(&node)
			.is_some_and(|node| node.hosts.contains(&model))
	}
	fn eligible(node: NodeId, model: ModelId) -> bool {
		TestNodes::get()
			.get(&node)
			.is_some_and(|node| node.weight > 0 && node.hosts.contains(&model))
	}
	fn draw_weight(node: NodeId, _: ModelId, _: Balance) -> u64 {
		TestNodes::get().get(&node).map_or(0, |node| node.weight)
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
	fn device(_: NodeId) -> Option<DeviceClass> {
		None
	}
	fn declared_slots(_: NodeId) -> u16 {
		0
	}
	fn draw_judge(_: &SketchSeed, _: Balance, _: &[AccountId], _: Option<DeviceClass>) -> Option<NodeId> {
		None
	}
	fn active_operators() -> u32 {
		0
	}
	fn note_outcome(_: NodeId, _: bool, _: Perbill) {}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup<AccountId> for TestMarket {
	fn model() -> ModelId {
		MODEL
	}
	fn operator_hosting(model: ModelId, index: u32) -> AccountId {
		crate::tests::host(index, model)
	}
}

/// Nobody serves yet; the payer and the curator have a million times the existential deposit.
#[derive(Default)]
pub struct ExtBuilder;

impl ExtBuilder {
	pub fn build(self) -> sp_io::TestExternalities {
		TestNodes::set(BTreeMap::new());
		TestRoyalties::set(Vec::new());
		TestUnit::set(Unit::Request);
		ModelIsGone::set(false);
		let balances = vec![(PAYER, ED * 1_000_000), (CURATOR, ED * 1_000_000)];
		let mut genesis = RuntimeGenesisConfig::default();
		genesis.balances.balances = balances;
		genesis.revenue_split.epoch_length = EPOCH;
		let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
		ext.execute_with(|| System::set_block_number(1));
		ext
	}

	/// Runs `test`, then checks every invariant.
	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			Pallet::<Test>::do_try_state().unwrap();
		})
	}
}
