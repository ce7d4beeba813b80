//! Models, prices, jobs, proofs, probes, storage and promotion.

use crate::{
	configs::treasury::TreasuryAccount,
	constants::{deposit, DAYS, MAX_TICK_WEIGHT, MICRO_AIC},
	AccountId, Babe, Balances, InferenceJobs, ModelRegistry, NodeStaking, ProofOfWorkDone, RevenueSplit, Runtime,
	RuntimeHoldReason, Session, StorageProofs, System,
};
use alloc::vec::Vec;
use frame_support::{
	parameter_types,
	traits::{ConstU32, Get},
	weights::Weight,
	PalletId,
};
use highway_math::audit;
use highway_primitives::{audit::AuditWork, Balance, BlobRef, BlockNumber, ModelId, AIC};
use pallet_node_staking::WeightInfo as _;
use pallet_proof_of_work_done::weights::WeightInfo as _;
use sp_runtime::Perbill;

/// Jobs that a winner is counted on to do in a market epoch: one a block, if it has 300 of them.
const JOBS_PER_WINNER: u32 = 300;

/// The fewest places of a role: with less, one node that fails leaves the others a market of their own.
const MIN_WINNERS: u32 = 3;

parameter_types! {
	/// Blocks of a market epoch, as genesis set it.
	pub MarketEpoch: BlockNumber = pallet_revenue_split::EpochLength::<Runtime>::get();
	/// Deposit of a model: record, name, artefact and first version are four items.
	pub const ModelBaseDeposit: Balance = deposit(4, 0);
	/// Deposit of one byte of a model.
	pub const ModelDepositPerByte: Balance = deposit(0, 1);
	/// Notice of a rise of a royalty.
	pub const RoyaltyNotice: BlockNumber = 7 * DAYS;
	/// Within it a royalty rises by a quarter at most, or by the smallest rise.
	pub const RoyaltyRisePeriod: BlockNumber = 30 * DAYS;
	/// The smallest rise, a millionth of an AIC per unit: a ten-thousandth of a unit that costs a hundredth of an AIC. The
	/// quarter binds royalties from four millionths on, and a free model can ask for something one day.
	pub const SmallestRise: Balance = MICRO_AIC;
	/// Four market epochs, 40 minutes of ten: an ask that is posted in the first full one holds before the version does, and
	/// the largest artefact that is served, 2 GiB, arrives at 1 MiB/s.
	pub VersionNotice: BlockNumber = MarketEpoch::get().saturating_mul(4);
	/// Blocks between a commitment to an artefact and its registration: ten, 20 s, which nobody keeps a transaction out of the
	/// chain for, unless nearly all authors agree. Fewer where market epochs are short: a development chain has nobody to
	/// hide from, and each model waits for it.
	pub CommitBlocks: BlockNumber = (MarketEpoch::get() / 30).clamp(2, 10);
	/// Blocks for which a commitment counts.
	pub const CommitLifetime: BlockNumber = DAYS;
	/// The highest price of one unit in any role: far above any use, far below what could overflow.
	pub const MaxPrice: Balance = 1_000_000 * AIC;
	/// Deposit of a curator's fee and profile: 48 bytes of the account's key, 219 of the record.
	pub const CuratorDeposit: Balance = deposit(1, 267);
}

impl pallet_model_registry::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Jobs = RevenueSplit;
	type BaseDeposit = ModelBaseDeposit;
	type DepositPerByte = ModelDepositPerByte;
	type RoyaltyNotice = RoyaltyNotice;
	type RoyaltyRisePeriod = RoyaltyRisePeriod;
	type VersionNotice = VersionNotice;
	type CommitBlocks = CommitBlocks;
	type CommitLifetime = CommitLifetime;
	type MaxRoyalty = MaxPrice;
	type SmallestRise = SmallestRise;
	type MaxVersions = ConstU32<1024>;
	type WeightInfo = pallet_model_registry::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// The account that holds payments in flight and earnings not yet claimed.
	pub const PotId: PalletId = PalletId(*b"hw/potac");
	/// Of what a job's own fee burned, so much is minted for who did it: the most that there may be. Other burns fund none.
	pub const WorkSubsidy: Perbill = Perbill::from_percent(50);
	/// The least that stands behind an ask: a thousandth of the least bond of a node, which may have 64 asks.
	pub const MinAskBond: Balance = AIC;
	/// The least reserve per unit, a billionth of an AIC: far below what a unit costs, and a step of 1/512 still moves it.
	pub const MinReserve: Balance = MICRO_AIC / 1_000;
	/// Blocks after which pay for storage that nobody challenged may be claimed: a week, in which each of 64 providers of
	/// ten thousand models is challenged about twice.
	pub const StorageHold: BlockNumber = 7 * DAYS;
}

impl pallet_revenue_split::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Models = ModelRegistry;
	type Nodes = NodeStaking;
	type Treasury = TreasuryAccount;
	type PalletId = PotId;
	type MaxAsk = MaxPrice;
	type SecurityFactor = ConstU32<{ audit::SECURITY_FACTOR }>;
	type MaxCuratorFee = MaxPrice;
	type CuratorDeposit = CuratorDeposit;
	type WorkSubsidy = WorkSubsidy;
	type MinAskBond = MinAskBond;
	type MinReserve = MinReserve;
	type JobsPerWinner = ConstU32<JOBS_PER_WINNER>;
	type MinWinners = ConstU32<MIN_WINNERS>;
	type StorageHold = StorageHold;
	type Randomness = pallet_babe::ParentBlockRandomness<Runtime>;
	type StorageChallenges = StorageProofs;
	type WeightInfo = pallet_revenue_split::weights::SubstrateWeight<Runtime>;
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
}

/// What audits add to the due queue.
pub struct AuditWeights;
impl pallet_inference_jobs::AuditWeights for AuditWeights {
	fn window_over(looked_at: u32) -> Weight {
		ProofWeights::window_over(looked_at)
	}

	fn audit_opened(looked_at: u32, tried: u32) -> Weight {
		ProofWeights::audit_opened(looked_at, tried)
	}

	fn audit_due(work: AuditWork) -> Weight {
		match work {
			AuditWork::PassedOn => ProofWeights::audit_passed_on(),
			// The draw of a jury looks at what the draw of an audit does.
			AuditWork::Undrawn { looked_at } => {
				ProofWeights::audit_passed_on().saturating_add(ProofWeights::window_over(looked_at))
			}
			AuditWork::Agreed { debts } => ProofWeights::audit_agreed(debts),
			AuditWork::Replaced { tried } => ProofWeights::auditor_replaced(tried),
			// Measured with jurors that are found at first sight: each may be the last one that is tried.
			AuditWork::Seated => {
				let searches = NodeWeights::draw_judge().saturating_mul(pallet_proof_of_work_done::JURORS as u64);
				ProofWeights::audit_due().saturating_add(searches)
			}
			AuditWork::Judged => ProofWeights::audit_due(),
		}
	}
}

type NodeWeights = pallet_node_staking::weights::SubstrateWeight<Runtime>;
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
}

parameter_types! {
	/// Blocks of a session.
	pub SessionLength: BlockNumber = pallet_node_staking::SessionLength::<Runtime>::get();
}

impl pallet_capacity_probes::Config for Runtime {
	type Nodes = NodeStaking;
	type Seeds = ProofOfWorkDone;
	type Currency = Balances;
	type Treasury = TreasuryAccount;
	type SessionLength = SessionLength;
	type WeightInfo = pallet_capacity_probes::weights::SubstrateWeight<Runtime>;
}

/// The file that new jobs of a model run on.
pub struct Artefacts;
impl pallet_storage_proofs::Artefacts for Artefacts {
	fn artefact(model: ModelId) -> Option<BlobRef> {
		ModelRegistry::model(model).map(|(_, spec)| spec.artifact)
	}
}

/// Whether finality lags so far that nobody is punished for silence.
pub struct ClocksStandStill;
impl Get<bool> for ClocksStandStill {
	fn get() -> bool {
		ProofOfWorkDone::finalized().is_some_and(|finalized| {
			System::block_number().saturating_sub(finalized) > pallet_proof_of_work_done::MAX_LAG
		})
	}
}

parameter_types! {
	/// Blocks in which a storage provider shows a chunk: a minute, enough for a node that is just started anew.
	pub const StorageWindow: BlockNumber = 30;
	/// Taken of a storage provider's own bond for the second miss in a row: a hundredth of the least bond.
	pub const StorageFine: Balance = 10 * AIC;
}

impl pallet_storage_proofs::Config for Runtime {
	type Artefacts = Artefacts;
	type Nodes = NodeStaking;
	type Market = RevenueSplit;
	type Randomness = pallet_babe::ParentBlockRandomness<Runtime>;
	type ClocksStandStill = ClocksStandStill;
	type Window = StorageWindow;
	// Once an epoch for each model: one of its providers.
	type Interval = MarketEpoch;
	type StorageFine = StorageFine;
	type WeightInfo = pallet_storage_proofs::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// The least bid for a featured place, and what one costs that nobody contends for.
	pub const MinBid: Balance = AIC;
}

impl pallet_promotion::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Models = ModelRegistry;
	type Clock = RevenueSplit;
	type Treasury = TreasuryAccount;
	type MinBid = MinBid;
	type WeightInfo = pallet_promotion::weights::SubstrateWeight<Runtime>;
}
