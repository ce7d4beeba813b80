//! A chain with balances, this pallet and `AuthorizeCall`, and models and nodes that the tests set up as they like.

pub mod providers;
pub mod transactions;

pub use providers::*;
pub use transactions::*;

use crate::{self as pallet_revenue_split, Pallet};
use codec::Encode;
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU32, Randomness},
	PalletId,
};
use highway_primitives::{Balance, ModelId, NodeId, RoyaltyLine, Unit};
use sp_core::H256;
use sp_runtime::{traits::BlakeTwo256, BuildStorage, Perbill};
use std::collections::{BTreeMap, BTreeSet};

pub type AccountId = u64;
pub type UncheckedExtrinsic = highway_mocks::Transaction<RuntimeCall, Test>;
pub type Block = sp_runtime::generic::Block<sp_runtime::generic::Header<u32, BlakeTwo256>, UncheckedExtrinsic>;

pub const ED: Balance = 100;
pub const MAX_ASK: Balance = 1 << 64;
pub const DEPOSIT: Balance = 500;
/// The least that stands behind an ask.
pub const BOND: Balance = 30;
/// The lowest reserve.
pub const MIN_RESERVE: Balance = 1;
/// Jobs that a winner is counted on to do in an epoch.
pub const JOBS_PER_WINNER: u32 = 4;
/// The fewest places.
pub const MIN_WINNERS: u32 = 3;
/// Blocks for which unproved pay for storage waits.
pub const HOLD: u32 = 25;
pub const TREASURY: AccountId = 999;
pub const PAYER: AccountId = 1;
pub const CURATOR: AccountId = 2;
pub const MODEL: ModelId = 7;
/// Blocks of an epoch: seven to commit in, three to reveal in.
pub const EPOCH: u32 = 10;
pub const FIRST_REVEAL: u32 = 7;
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
	pub const PotId: PalletId = PalletId(*b"hw/potac");
	pub const Treasury: AccountId = TREASURY;
	pub static TestRoyalties: Vec<RoyaltyLine<AccountId>> = Vec::new();
	pub static TestUnit: Unit = Unit::Request;
	pub static ModelIsGone: bool = false;
	/// Whom storage proofs have asked and not heard of yet.
	pub static Challenged: BTreeSet<(NodeId, ModelId)> = BTreeSet::new();
	/// Who is challenged when it claims.
	pub static Shows: BTreeSet<(NodeId, ModelId)> = BTreeSet::new();
	/// Makes other ties.
	pub static Salt: u64 = 0;
	pub static Subsidy: Perbill = Perbill::from_percent(50);
}

/// As good as any: it knows no VRFs.
pub struct TestRandomness;
impl Randomness<Option<H256>, u32> for TestRandomness {
	fn random(subject: &[u8]) -> (Option<H256>, u32) {
		let drawn = sp_io::hashing::blake2_256(&(Salt::get(), subject).encode());
		(Some(H256(drawn)), System::block_number())
	}
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
	type MinAskBond = ConstU128<BOND>;
	type MinReserve = ConstU128<MIN_RESERVE>;
	type JobsPerWinner = ConstU32<JOBS_PER_WINNER>;
	type MinWinners = ConstU32<MIN_WINNERS>;
	type StorageHold = ConstU32<HOLD>;
	type WorkSubsidy = Subsidy;
	type Randomness = TestRandomness;
	type StorageChallenges = TestMarket;
	type WeightInfo = ();
}

/// Nobody serves yet; the payer and the curator have a million times the existential deposit.
#[derive(Default)]
pub struct ExtBuilder;

impl ExtBuilder {
	pub fn build(self) -> sp_io::TestExternalities {
		TestRoyalties::set(Vec::new());
		TestUnit::set(Unit::Request);
		ModelIsGone::set(false);
		Challenged::set(BTreeSet::new());
		Shows::set(BTreeSet::new());
		Salt::set(0);
		Subsidy::set(Perbill::from_percent(50));
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
			check_invariants();
		})
	}
}

/// Every invariant of the pallet, and that no node has more or less reserved than its asks and commitments say.
pub fn check_invariants() {
	Pallet::<Test>::do_try_state().unwrap();
	let reserved: BTreeMap<NodeId, Balance> = TestNodes::iter()
		.map(|(id, node)| (id, node.reserved + node.unsecured))
		.filter(|(_, reserved)| *reserved > 0)
		.collect();
	assert_eq!(Pallet::<Test>::ask_bonds(), reserved);
}
