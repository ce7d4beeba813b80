//! A chain with balances, this pallet, a clock, and models that the tests set up as they like.

use crate::{self as pallet_promotion, Pallet};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, Hooks},
};
use highway_primitives::{
	audit::AuditTerms,
	model::{ModelService, Royalties},
	traits::{MarketClock, Models},
	Balance, BlockNumber, EpochIndex, ModelId, ModelVersion, Unit,
};
use sp_runtime::{BuildStorage, DispatchError, Perbill};

pub type AccountId = u64;

pub const ED: Balance = 100;
/// The odd unit shows where it goes.
pub const MIN_BID: Balance = 2 * ED + 1;
pub const TREASURY: AccountId = 999;
/// Bidders: accounts 0 to 19.
pub const BIDDERS: AccountId = 20;
/// What each of them has at the start.
pub const COINS: Balance = 1_000_000 * ED;
pub const EPOCH: BlockNumber = 10;
/// The registry's answer for a model that there is not.
pub const UNKNOWN: DispatchError = DispatchError::Other("no such model");

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
	pub type Promotion = pallet_promotion;
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

parameter_types! {
	pub const Treasury: AccountId = TREASURY;
	/// Models with lower ids are registered and take jobs.
	pub static KnownModels: ModelId = 1_000;
}

impl pallet_promotion::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Models = TestModels;
	type Clock = TestClock;
	type Treasury = Treasury;
	type MinBid = ConstU128<MIN_BID>;
	type WeightInfo = ();
}

/// Epochs of ten blocks.
pub struct TestClock;
impl MarketClock for TestClock {
	fn epoch() -> (EpochIndex, BlockNumber) {
		let epoch = System::block_number() / EPOCH;
		(epoch, epoch * EPOCH)
	}
	fn opening() -> Option<(EpochIndex, BlockNumber)> {
		None
	}
}

pub struct TestModels;
impl Models<AccountId> for TestModels {
	fn exists(model: ModelId) -> bool {
		model < KnownModels::get()
	}
	fn service(model: ModelId) -> Result<ModelService, DispatchError> {
		if !Self::exists(model) {
			return Err(UNKNOWN);
		}
		Ok(ModelService {
			version: 1,
			spec: Default::default(),
			unit: Unit::Request,
			unit_time_ms: 1,
			detection: Perbill::from_percent(50),
		})
	}
	fn royalties(_: ModelId) -> Royalties<AccountId> {
		Vec::new()
	}
	fn audit_terms(_: ModelId, _: ModelVersion) -> Option<AuditTerms<AccountId>> {
		None
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup for Test {
	fn model() -> ModelId {
		0
	}
}

/// Begins the block as the chain does.
pub fn go_to(block: BlockNumber) {
	System::set_block_number(block);
	Promotion::on_initialize(block);
}

/// The bidders have coins, the treasury has none.
pub struct ExtBuilder;

impl ExtBuilder {
	pub fn build(self) -> sp_io::TestExternalities {
		KnownModels::set(1_000);
		let mut genesis = RuntimeGenesisConfig::default();
		genesis.balances.balances = (0..BIDDERS).map(|bidder| (bidder, COINS)).collect();
		let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
		ext.execute_with(|| go_to(1));
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
