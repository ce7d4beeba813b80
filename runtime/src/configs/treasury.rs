//! The treasury: it earns like everybody in the market, and root spends it.
//!
//! A spend is approved by root (`spend`), and paid out by anybody within a month (`payout`). What the treasury earned in
//! the market lies in the revenue split until anybody has it paid out (`claim_for`).

use crate::{constants::DAYS, AccountId, Balances, Runtime, RuntimeEvent, System};
use frame_support::{
	parameter_types,
	traits::{
		tokens::{PayFromAccount, UnityAssetBalanceConversion},
		ConstU32,
	},
	PalletId,
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess};
use highway_primitives::{Balance, BlockNumber};
use sp_runtime::traits::IdentityLookup;

parameter_types! {
	/// Names the treasury's account.
	pub const TreasuryId: PalletId = PalletId(*b"hw/trsry");
	/// The account in which the protocol's unburned half arrives.
	pub TreasuryAccount: AccountId = crate::Treasury::account_id();
	/// Root may spend everything that there is.
	pub const MaxSpend: Balance = Balance::MAX;
	/// Blocks within which an approved spend is paid out.
	pub const PayoutPeriod: BlockNumber = 30 * DAYS;
	/// Blocks between two rounds of the queue of local spends, which is empty.
	pub const SpendPeriod: BlockNumber = DAYS;
}

impl pallet_treasury::Config for Runtime {
	type Currency = Balances;
	type RejectOrigin = EnsureRoot<AccountId>;
	type RuntimeEvent = RuntimeEvent;
	type SpendPeriod = SpendPeriod;
	// What is not spent stays: half of each of its incomes was burned already.
	type Burn = ();
	type PalletId = TreasuryId;
	type BurnDestination = ();
	type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
	type SpendFunds = ();
	// `spend_local` is deprecated: one way to spend is enough.
	type MaxApprovals = ConstU32<0>;
	type SpendOrigin = EnsureRootWithSuccess<AccountId, MaxSpend>;
	// One kind: the coin.
	type AssetKind = ();
	type Beneficiary = AccountId;
	type BeneficiaryLookup = IdentityLookup<AccountId>;
	type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
	type BalanceConverter = UnityAssetBalanceConversion;
	type PayoutPeriod = PayoutPeriod;
	type BlockNumberProvider = System;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Runtime;
}
