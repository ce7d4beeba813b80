//! A runtime with real balances, list and sessions; models exist below [`MODELS`].

use crate as pallet_node_staking;
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU32},
	PalletId,
};
use highway_primitives::{
	audit::AuditTerms,
	model::{ModelService, Royalties},
	traits::{Allowed, Capacity, MarketClock, Models, SecurityTouched},
	Balance, BlockNumber, DeviceClass, EpochIndex, ModelId, ModelVersion, NodeId,
};
use sp_runtime::{
	impl_opaque_keys,
	testing::UintAuthorityId,
	traits::{BlakeTwo256, ConvertInto},
	DispatchError,
};

pub type AccountId = u64;
pub type UncheckedExtrinsic = highway_mocks::Transaction<RuntimeCall, Test>;
pub type Block = sp_runtime::generic::Block<sp_runtime::generic::Header<u32, BlakeTwo256>, UncheckedExtrinsic>;

pub const ISSUED: Balance = 10_000;
pub const MIN_BOND: Balance = 100;
pub const MODELS: ModelId = 10;
pub const MIN_DELEGATION: Balance = 10;
pub const ED: Balance = 2;
pub const TREASURY: AccountId = 99;
/// Reward of session 0.
pub const REWARD: Balance = 1_000;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		VoterList: pallet_bags_list,
		NodeStaking: pallet_node_staking,
		Session: pallet_session,
		Historical: pallet_session::historical,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

impl highway_mocks::MockRuntime for Test {}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<ED>;
	type AccountStore = System;
}

parameter_types! {
	pub const BagThresholds: &'static [Balance] = &[100, 200, 400, 800, 1_600];
}

impl pallet_bags_list::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type ScoreProvider = NodeStaking;
	type BagThresholds = BagThresholds;
	type MaxAutoRebagPerBlock = ConstU32<0>;
	type Score = Balance;
}

impl_opaque_keys! {
	pub struct MockKeys {
		pub dummy: UintAuthorityId,
	}
}

impl pallet_session::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = pallet_session::PeriodicSessions<ConstU32<10>, ConstU32<0>>;
	type NextSessionRotation = pallet_session::PeriodicSessions<ConstU32<10>, ConstU32<0>>;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Test, NodeStaking>;
	type SessionHandler = pallet_session::TestSessionHandler;
	type Keys = MockKeys;
	type DisablingStrategy = ();
	type WeightInfo = ();
	type Currency = Balances;
	type KeyDeposit = ConstU128<0>;
}

pub struct Unit;
impl sp_runtime::traits::Convert<AccountId, Option<()>> for Unit {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

impl pallet_session::historical::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = Unit;
}

pub struct HasSessionKeys;
impl frame_support::traits::Contains<AccountId> for HasSessionKeys {
	fn contains(account: &AccountId) -> bool {
		pallet_session::NextKeys::<Test>::contains_key(account)
	}
}

pub struct MockModels;
impl Models<AccountId> for MockModels {
	fn exists(model: ModelId) -> bool {
		model < MODELS
	}
	fn service(_: ModelId) -> Result<ModelService, DispatchError> {
		Err(DispatchError::Unavailable)
	}
	fn royalties(_: ModelId) -> Royalties<AccountId> {
		Default::default()
	}
	fn audit_terms(_: ModelId, _: ModelVersion) -> Option<AuditTerms<AccountId>> {
		None
	}
}

parameter_types! {
	pub const PotId: PalletId = PalletId(*b"hw/stake");
	pub const Treasury: AccountId = TREASURY;
	/// Blocks.
	pub static LongestAudit: u32 = 1_199;
	/// Blocks of a market epoch.
	pub static MarketEpoch: BlockNumber = 10;
	/// Nodes whose security was touched, in order.
	pub static Touched: Vec<NodeId> = Vec::new();
	/// What every node may sell: slots, and whether anything at all.
	pub static May: (u16, bool) = (u16::MAX, true);
	/// Heartbeats at which it was asked, and nodes that were forgotten, in order.
	pub static Settled: Vec<(NodeId, DeviceClass)> = Vec::new();
	pub static Forgotten: Vec<NodeId> = Vec::new();
}

pub struct Measured;
impl Capacity for Measured {
	fn settle(node: NodeId, device: DeviceClass) -> Allowed {
		Settled::mutate(|settled| settled.push((node, device)));
		let (slots, able) = May::get();
		Allowed { slots, able }
	}

	fn forget(node: NodeId) {
		Forgotten::mutate(|forgotten| forgotten.push(node));
	}
}

pub struct Epochs;
impl MarketClock for Epochs {
	fn epoch() -> (EpochIndex, BlockNumber) {
		let epoch = System::block_number() / MarketEpoch::get();
		(epoch, epoch * MarketEpoch::get())
	}

	/// In the last third, as the market has it.
	fn opening() -> Option<(EpochIndex, BlockNumber)> {
		let ((epoch, first), length) = (Self::epoch(), MarketEpoch::get());
		let from = first + length - length / 3;
		(System::block_number() >= from).then_some((epoch + 1, from))
	}
}

pub struct NoteTouched;
impl SecurityTouched for NoteTouched {
	fn touched(node: NodeId) {
		Touched::mutate(|nodes| nodes.push(node));
	}
}

impl pallet_node_staking::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type VoterList = VoterList;
	type HasSessionKeys = HasSessionKeys;
	type Models = MockModels;
	type PalletId = PotId;
	type Treasury = Treasury;
	type OnSecurityTouched = NoteTouched;
	type Capacity = Measured;
	type Clock = Epochs;
	type MinBond = ConstU128<MIN_BOND>;
	type MinDelegation = ConstU128<MIN_DELEGATION>;
	type FirstReward = ConstU128<REWARD>;
	type RewardHalfLife = ConstU32<1_000>;
	type LongestAudit = LongestAudit;
	type MaxValidators = ConstU32<3>;
	type History = Historical;
	type BondingSessions = ConstU32<4>;
	type MaxUnbonding = ConstU32<3>;
	type MaxHosted = ConstU32<4>;
	type WeightInfo = ();
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkSetup for Test {
	fn set_session_keys(account: &AccountId) {
		let dummy = UintAuthorityId(*account);
		pallet_session::NextKeys::<Test>::insert(account, MockKeys { dummy });
	}
	fn miss_probe(_: NodeId) {}
	fn open_asks() {
		let (_, first) = Epochs::epoch();
		System::set_block_number(first + MarketEpoch::get() - 1);
	}
}
