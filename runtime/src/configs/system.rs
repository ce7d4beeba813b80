//! Accounts, balances, fees, and what wallets expect of every chain.

use crate::{
	constants::{deposit, DbWeight, RuntimeBlockLength, RuntimeBlockWeights, EXISTENTIAL_DEPOSIT, MICRO_AIC},
	AccountId, Authorship, Balances, Block, Hash, Nonce, PalletInfo, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeFreezeReason, RuntimeHoldReason, RuntimeOrigin, RuntimeTask, System, UncheckedExtrinsic, VERSION,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	derive_impl, parameter_types,
	traits::{
		fungible::{Balanced, Credit},
		ConstU32, ConstU8, InstanceFilter, OnUnbalanced, VariantCountOf,
	},
	weights::{ConstantMultiplier, Weight, WeightToFee},
};
use highway_primitives::Balance;
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use scale_info::TypeInfo;
use sp_runtime::{
	traits::{AccountIdLookup, BlakeTwo256},
	FixedPointNumber, Perquintill,
};
use sp_version::RuntimeVersion;

parameter_types! {
	/// Blocks whose hashes stay known: bounds a transaction's mortality.
	pub const BlockHashCount: u32 = 4096;
	/// This runtime.
	pub const Version: RuntimeVersion = VERSION;
	/// Generic Substrate addresses.
	pub const Ss58Prefix: u8 = 42;
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = AccountIdLookup<AccountId, ()>;
	type Nonce = Nonce;
	type Hash = Hash;
	type BlockWeights = RuntimeBlockWeights;
	type BlockLength = RuntimeBlockLength;
	type BlockHashCount = BlockHashCount;
	type DbWeight = DbWeight;
	type Version = Version;
	type AccountData = pallet_balances::AccountData<Balance>;
	type SS58Prefix = Ss58Prefix;
	type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
	type MaxConsumers = ConstU32<64>;
}

parameter_types! {
	/// The least that an account holds.
	pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
}

impl pallet_balances::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
	type Balance = Balance;
	type DustRemoval = ();
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
	type ReserveIdentifier = [u8; 8];
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxLocks = ConstU32<0>;
	type MaxReserves = ConstU32<0>;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type DoneSlashHandler = ();
}

/// Pays transaction fees and tips to the block's author.
pub struct ToAuthor;
impl OnUnbalanced<Credit<AccountId, Balances>> for ToAuthor {
	fn on_nonzero_unbalanced(credit: Credit<AccountId, Balances>) {
		if let Some(author) = Authorship::author() {
			// An author below the existential deposit gets nothing: the credit is dropped, which burns it.
			let _ = <Balances as Balanced<AccountId>>::resolve(&author, credit);
		}
	}
}

/// A second of execution costs one AIC: a transfer (about half a millisecond) half a thousandth.
///
/// The second dimension counts, too. Nobody needs proofs of this chain's state; a submission puts the time there that it
/// leaves to later blocks. Benchmarks put nothing there.
pub struct ExecutionFee;
impl WeightToFee for ExecutionFee {
	type Balance = Balance;
	fn weight_to_fee(weight: &Weight) -> Balance {
		// Weight counts picoseconds, an AIC has 10¹² parts.
		Balance::from(weight.ref_time()).saturating_add(weight.proof_size().into())
	}
}

parameter_types! {
	/// Fee for one byte of a transaction.
	pub const ByteFee: Balance = MICRO_AIC;
	/// Blocks are aimed to be a quarter full; above it fees rise, below they fall.
	pub const TargetFullness: Perquintill = Perquintill::from_percent(25);
	/// How fast fees follow: a day of full blocks multiplies them by about 20.
	pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(1, 100_000);
	/// Fees never fall below a tenth.
	pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10);
	/// Fees never rise above ten thousandfold.
	pub MaximumMultiplier: Multiplier = Multiplier::saturating_from_integer(10_000);
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, ToAuthor>;
	type WeightToFee = ExecutionFee;
	type LengthToFee = ConstantMultiplier<Balance, ByteFee>;
	type FeeMultiplierUpdate =
		TargetedFeeAdjustment<Self, TargetFullness, AdjustmentVariable, MinimumMultiplier, MaximumMultiplier>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

impl pallet_utility::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = crate::OriginCaller;
	type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// One item of 88 bytes, without signatories.
	pub const MultisigDepositBase: Balance = deposit(1, 88);
	/// One more signatory: 32 bytes.
	pub const MultisigDepositFactor: Balance = deposit(0, 32);
	/// One item of 8 bytes, without delegates.
	pub const ProxyDepositBase: Balance = deposit(1, 8);
	/// One more delegate: 33 bytes.
	pub const ProxyDepositFactor: Balance = deposit(0, 33);
	/// One item of 8 bytes, without announcements.
	pub const AnnouncementDepositBase: Balance = deposit(1, 8);
	/// One more announcement: 66 bytes.
	pub const AnnouncementDepositFactor: Balance = deposit(0, 66);
}

impl pallet_multisig::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type DepositBase = MultisigDepositBase;
	type DepositFactor = MultisigDepositFactor;
	type MaxSignatories = ConstU32<100>;
	type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
	type BlockNumberProvider = System;
}

/// What a proxy may do for its principal.
#[derive(
	Copy,
	Clone,
	Eq,
	PartialEq,
	Ord,
	PartialOrd,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	Debug,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ProxyType {
	/// Everything.
	#[default]
	Any,
	/// Everything but moving money away.
	NonTransfer,
	/// Run a node: staking, session keys, asks.
	Operator,
	/// Keep models: registry only.
	Maker,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			Self::Any => true,
			Self::NonTransfer => !matches!(
				call,
				RuntimeCall::Balances(_)
					| RuntimeCall::InferenceJobs(_)
					| RuntimeCall::Promotion(_)
					| RuntimeCall::Sudo(_)
					| RuntimeCall::Utility(_)
			),
			Self::Operator => {
				matches!(
					call,
					RuntimeCall::NodeStaking(_) | RuntimeCall::Session(_) | RuntimeCall::RevenueSplit(_)
				)
			}
			Self::Maker => matches!(call, RuntimeCall::ModelRegistry(_)),
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		match (self, other) {
			(Self::Any, _) => true,
			(_, Self::Any) => false,
			(Self::NonTransfer, _) => true,
			(left, right) => left == right,
		}
	}
}

impl pallet_proxy::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type ProxyType = ProxyType;
	type ProxyDepositBase = ProxyDepositBase;
	type ProxyDepositFactor = ProxyDepositFactor;
	type MaxProxies = ConstU32<32>;
	type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
	type MaxPending = ConstU32<32>;
	type CallHasher = BlakeTwo256;
	type AnnouncementDepositBase = AnnouncementDepositBase;
	type AnnouncementDepositFactor = AnnouncementDepositFactor;
	type BlockNumberProvider = System;
}

impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

impl<LocalCall> frame_system::offchain::CreateTransactionBase<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	type Extrinsic = UncheckedExtrinsic;
	type RuntimeCall = RuntimeCall;
}

impl<LocalCall> frame_system::offchain::CreateBare<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
		UncheckedExtrinsic::new_bare(call)
	}
}
