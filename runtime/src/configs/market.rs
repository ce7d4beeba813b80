//! Models, prices, jobs, proofs and probes.

use crate::{
	constants::{deposit, DAYS, MAX_TICK_WEIGHT},
	AccountId, Babe, Balances, InferenceJobs, ModelRegistry, NodeStaking, ProofOfWorkDone, RevenueSplit, Runtime,
	RuntimeHoldReason, Session,
};
use alloc::vec::Vec;
use frame_support::{
	parameter_types,
	traits::{ConstU32, Get},
	weights::Weight,
	PalletId,
};
use highway_math::audit;
use highway_primitives::{Balance, BlockNumber, AIC};
use pallet_proof_of_work_done::weights::WeightInfo as _;
use sp_runtime::traits::AccountIdConversion;

parameter_types! {
	/// Deposit of a model: record, name and first version are three items.
	pub const ModelBaseDeposit: Balance = deposit(3, 0);
	/// Deposit of one byte of a model.
	pub const ModelDepositPerByte: Balance = deposit(0, 1);
	/// Notice of a rise of a royalty.
	pub const RoyaltyNotice: BlockNumber = 7 * DAYS;
	/// Within it a royalty rises by a quarter at most.
	pub const RoyaltyRisePeriod: BlockNumber = 30 * DAYS;
	/// Four market epochs, 40 minutes of ten: an ask that is posted in the first full one holds before the version does, and
	/// the largest artefact that is served, 2 GiB, arrives at 1 MiB/s.
	pub VersionNotice: BlockNumber = pallet_revenue_split::EpochLength::<Runtime>::get().saturating_mul(4);
	/// The highest price of one unit in any role: far above any use, far below what could overflow.
	pub const MaxPrice: Balance = 1_000_000 * AIC;
	/// Deposit of a posted curator's fee.
	pub const CuratorDeposit: Balance = deposit(1, 48);
	/// Deposit of an ask: 91 bytes, and a place that others may want.
	pub const AskDeposit: Balance = deposit(1, 91);
}

impl pallet_model_registry::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type BaseDeposit = ModelBaseDeposit;
	type DepositPerByte = ModelDepositPerByte;
	type RoyaltyNotice = RoyaltyNotice;
	type RoyaltyRisePeriod = RoyaltyRisePeriod;
	type VersionNotice = VersionNotice;
	type MaxRoyalty = MaxPrice;
	type MaxVersions = ConstU32<1024>;
	type WeightInfo = pallet_model_registry::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// The account that holds payments in flight and earnings not yet claimed.
	pub const PotId: PalletId = PalletId(*b"hw/potac");
	/// The account that the protocol's unburned half is credited to.
	pub const TreasuryId: PalletId = PalletId(*b"hw/trsry");
	/// The treasury.
	pub Treasury: AccountId = TreasuryId::get().into_account_truncating();
}

impl pallet_revenue_split::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Models = ModelRegistry;
	type Nodes = NodeStaking;
	type Treasury = Treasury;
	type PalletId = PotId;
	type MaxAsk = MaxPrice;
	type SecurityFactor = ConstU32<{ audit::SECURITY_FACTOR }>;
	type MaxCuratorFee = MaxPrice;
	type CuratorDeposit = CuratorDeposit;
	type AskDeposit = AskDeposit;
	type WeightInfo = pallet_revenue_split::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkSetup = crate::benchmark_setup::BenchmarkSetup;
}

parameter_types! {
	/// What the due queue may take of one block.
	pub const MaxTickWeight: Weight = MAX_TICK_WEIGHT;
}

impl pallet_inference_jobs::Config for Runtime {
	type Models = ModelRegistry;
	type Nodes = NodeStaking;
	type Market = RevenueSplit;
	type Attestations = ProofOfWorkDone;
	type Randomness = pallet_babe::ParentBlockRandomness<Runtime>;
	type SecurityFactor = ConstU32<{ audit::SECURITY_FACTOR }>;
	type MaxTickWeight = MaxTickWeight;
	type WeightInfo = pallet_inference_jobs::weights::SubstrateWeight<Runtime>;
	type AuditWeights = AuditWeights;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkSetup = crate::benchmark_setup::BenchmarkSetup;
}

/// What audits add to the due queue.
pub struct AuditWeights;
impl pallet_inference_jobs::AuditWeights for AuditWeights {
	fn window_over() -> Weight {
		ProofWeights::window_over()
	}

	fn audit_opened() -> Weight {
		ProofWeights::audit_opened()
	}

	fn audit_due() -> Weight {
		ProofWeights::audit_due()
	}
}

type ProofWeights = pallet_proof_of_work_done::weights::SubstrateWeight<Runtime>;

/// The validators of this session.
pub struct Validators;
impl Get<Vec<AccountId>> for Validators {
	fn get() -> Vec<AccountId> {
		Session::validators()
	}
}

/// The VRF output of this block's author.
pub struct BlockVrf;
impl Get<Option<[u8; 32]>> for BlockVrf {
	fn get() -> Option<[u8; 32]> {
		pallet_babe::AuthorVrfRandomness::<Runtime>::get()
	}
}

parameter_types! {
	/// Follows from the attestation window of this chain.
	pub RevealBlocks: BlockNumber = audit::reveal_blocks(pallet_inference_jobs::AttestationWindow::<Runtime>::get());
}

impl pallet_proof_of_work_done::Config for Runtime {
	type Models = ModelRegistry;
	type Nodes = NodeStaking;
	type Market = RevenueSplit;
	type BlockVrf = BlockVrf;
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
	type Validators = Validators;
	type RevealBlocks = RevealBlocks;
	type Jobs = InferenceJobs;
	type WeightInfo = ProofWeights;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkSetup = crate::benchmark_setup::BenchmarkSetup;
}

parameter_types! {
	/// Blocks of a session.
	pub SessionLength: BlockNumber = pallet_node_staking::SessionLength::<Runtime>::get();
}

impl pallet_capacity_probes::Config for Runtime {
	type Nodes = NodeStaking;
	type Seeds = ProofOfWorkDone;
	type Currency = Balances;
	type Treasury = Treasury;
	type SessionLength = SessionLength;
	type WeightInfo = pallet_capacity_probes::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkSetup = crate::benchmark_setup::BenchmarkSetup;
}
