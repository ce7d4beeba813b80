//! Who authors and finalizes blocks, and what happens to those who cheat at it.

use crate::{
	configs::treasury::TreasuryAccount,
	constants::{deposit, SLOT_DURATION},
	AccountId, Babe, Balances, CapacityProbes, Historical, NodeStaking, Offences, ProofOfWorkDone, RevenueSplit,
	Runtime, RuntimeEvent, Session, SessionKeys, VoterList,
};
use frame_support::{
	parameter_types,
	traits::{ConstU32, ConstU64, Contains, Get, KeyOwnerProofSystem},
	PalletId,
};
use highway_primitives::{Balance, BlockNumber, AIC};
use sp_consensus_babe::AuthorityId as BabeId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::{ConvertInto, OpaqueKeys};

/// The most validators of one session.
pub const MAX_VALIDATORS: u32 = 100;

/// Sessions that a bond takes to be free again, 28 hours of ten minutes: two more than an offence can be reported after
/// the fact, because who unbonds still validates in this session and the next; and longer than the longest audit.
pub const BONDING_SESSIONS: u32 = 168;

/// Blocks from an assignment to the end of the longest audit: the executor, three auditors and a jury have the longest
/// deadline each, and what is drawn, opened and proved between takes less than a thousand.
const LONGEST_AUDIT: BlockNumber = 5 * pallet_inference_jobs::MAX_DEADLINE_BLOCKS + 1_000;

/// Slots of a Babe epoch, which is a session: read from storage, where genesis put it, and never changed after, so that
/// a development chain has short sessions without another build.
pub struct EpochDuration;
impl Get<u64> for EpochDuration {
	fn get() -> u64 {
		pallet_node_staking::SessionLength::<Runtime>::get().into()
	}
}

parameter_types! {
	/// Blocks are aimed at one a slot.
	pub const ExpectedBlockTime: u64 = SLOT_DURATION;
	/// Slots within which an equivocation may be reported.
	pub ReportLongevity: u64 = u64::from(BONDING_SESSIONS - 2) * EpochDuration::get();
	/// Session keys: two public keys of 32 bytes.
	pub const KeyDeposit: Balance = deposit(1, 64);
}

type OwnerProof<Id> = <Historical as KeyOwnerProofSystem<(KeyTypeId, Id)>>::Proof;

impl pallet_babe::Config for Runtime {
	type EpochDuration = EpochDuration;
	type ExpectedBlockTime = ExpectedBlockTime;
	type EpochChangeTrigger = pallet_babe::ExternalTrigger;
	type DisabledValidators = Session;
	type WeightInfo = ();
	type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
	type MaxNominators = ConstU32<0>;
	type KeyOwnerProof = OwnerProof<BabeId>;
	type EquivocationReportSystem = pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<{ BONDING_SESSIONS as u64 }>;
	type KeyOwnerProof = OwnerProof<GrandpaId>;
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_timestamp::Config for Runtime {
	type Moment = u64;
	type OnTimestampSet = Babe;
	type MinimumPeriod = ConstU64<{ SLOT_DURATION / 2 }>;
	type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
	type EventHandler = NodeStaking;
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Babe;
	type NextSessionRotation = Babe;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, NodeStaking>;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	type DisablingStrategy = pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = KeyDeposit;
}

/// A validator is fully identified by its account: what stands behind it, delegations included, is on node staking's own
/// records, and cannot leave while an offence counts.
pub struct NoExposure;
impl sp_runtime::traits::Convert<AccountId, Option<()>> for NoExposure {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

impl pallet_session::historical::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = NoExposure;
}

impl pallet_offences::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
	type OnOffenceHandler = NodeStaking;
}

/// Upper bounds of the bags in which nodes are kept by stake: doubling from the least bond on, 32 bags, so that the
/// first bags hold the largest stakes and a node changes its bag seldom.
const BAG_THRESHOLDS: [Balance; 32] = {
	let mut thresholds = [0; 32];
	let mut index = 0;
	let mut bound = 1_000 * AIC;
	while index < 32 {
		thresholds[index] = bound;
		bound *= 2;
		index += 1;
	}
	thresholds
};

parameter_types! {
	/// Bounds of the bags.
	pub const BagThresholds: &'static [Balance] = &BAG_THRESHOLDS;
}

impl pallet_bags_list::Config<pallet_bags_list::Instance1> for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_bags_list::weights::SubstrateWeight<Runtime>;
	type ScoreProvider = NodeStaking;
	type BagThresholds = BagThresholds;
	type MaxAutoRebagPerBlock = ConstU32<0>;
	type Score = Balance;
}

/// Accounts that can author blocks: those with session keys.
pub struct HasSessionKeys;
impl Contains<AccountId> for HasSessionKeys {
	fn contains(account: &AccountId) -> bool {
		pallet_session::NextKeys::<Runtime>::contains_key(account)
	}
}

parameter_types! {
	/// The least bond of a node.
	pub const MinBond: Balance = 1_000 * AIC;
	/// The account that holds what is delegated and what waits to be claimed.
	pub const StakePotId: PalletId = PalletId(*b"hw/stake");
	/// The least delegation.
	pub const MinDelegation: Balance = 10 * AIC;
	/// Minted for the validators of the first session: 2 % of the coins of genesis in the first year of ten-minute sessions.
	pub const FirstReward: Balance = 380 * AIC;
}

impl pallet_node_staking::Config for Runtime {
	type RuntimeHoldReason = crate::RuntimeHoldReason;
	type Currency = Balances;
	type VoterList = VoterList;
	type HasSessionKeys = HasSessionKeys;
	type Models = crate::ModelRegistry;
	type History = Historical;
	type PalletId = StakePotId;
	type Treasury = TreasuryAccount;
	type OnSecurityTouched = ProofOfWorkDone;
	type Capacity = CapacityProbes;
	type Clock = RevenueSplit;
	type MinBond = MinBond;
	type MinDelegation = MinDelegation;
	type FirstReward = FirstReward;
	// Four years of ten minutes.
	type RewardHalfLife = ConstU32<210_240>;
	type MaxValidators = ConstU32<MAX_VALIDATORS>;
	type BondingSessions = ConstU32<BONDING_SESSIONS>;
	type LongestAudit = ConstU32<LONGEST_AUDIT>;
	type MaxUnbonding = ConstU32<16>;
	type MaxHosted = ConstU32<32>;
	type WeightInfo = pallet_node_staking::weights::SubstrateWeight<Runtime>;
}
