//! The market: prices, asks, the split by role, curators, featured models, earnings.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use highway_primitives::{
	market::{AskRole, MarketPhase},
	Balance, BlockNumber, EpochIndex, ModelId, NodeId, Role,
};
use scale_info::TypeInfo;

/// The market of one model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct MarketInfo {
	/// The model.
	pub model: ModelId,
	/// The present epoch.
	pub epoch: EpochIndex,
	/// What nodes may say in this block about the next epoch.
	pub phase: MarketPhase,
	/// The last block of the phase.
	pub phase_until: BlockNumber,
	/// The last block of the epoch.
	pub epoch_until: BlockNumber,
	/// Jobs per epoch, smoothed over the last ones, in thousandths.
	pub demand: u64,
	/// Compute, then storage.
	pub roles: Vec<RoleMarket>,
	/// Prices of the latest epochs that were cleared, newest first, at most 32.
	pub history: Vec<EpochPrices>,
}

/// The market of one role of a model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct RoleMarket {
	/// For what.
	pub role: AskRole,
	/// Asks above it lose. `None`: no job has paid for the role yet, so none is too dear.
	pub reserve: Option<Balance>,
	/// The price that was found last, per unit of compute or per started MiB of storage.
	pub price: Option<Balance>,
	/// How many nodes could win if the role were cleared now.
	pub places: u32,
	/// Demand over what the last winners are meant to do, in parts per billion, at most all of it.
	pub utilisation: u32,
	/// Who won the last clearing, cheapest first; of compute, as long as its record is kept.
	pub winners: Vec<NodeId>,
	/// Every revealed ask that holds now or from the next epoch on, at most 128.
	pub asks: Vec<AskInfo>,
	/// Commitments that are not revealed: for the next epoch, and broken ones that nobody has cleared away yet.
	pub commitments: u32,
}

/// What one node asks.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AskInfo {
	/// The node.
	pub node: NodeId,
	/// Its price.
	pub price: Balance,
	/// The first epoch that it holds in.
	pub from: EpochIndex,
	/// Whether the node won the last clearing.
	pub won: bool,
}

/// What one epoch's clearing found.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct EpochPrices {
	/// The epoch.
	pub epoch: EpochIndex,
	/// Per unit of compute.
	pub compute: Balance,
	/// Per started MiB of storage; `None`: nobody was paid for it.
	pub storage: Option<Balance>,
	/// Jobs at these prices that are settled.
	pub jobs: u32,
}

/// Who was paid what for all settled jobs of a model at the prices of one epoch.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct SplitInfo {
	/// The model.
	pub model: ModelId,
	/// The epoch.
	pub epoch: EpochIndex,
	/// How many jobs.
	pub jobs: u32,
	/// Their units together.
	pub units: u64,
	/// Their lines, summed by role, without roles that got nothing. They sum to `total`.
	pub lines: Vec<(Role, Balance)>,
	/// What the payers paid and did not get back. Subsidies are minted on top of it and are no part of it.
	pub total: Balance,
}

/// A model with one of the featured places.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct FeaturedInfo<AccountId> {
	/// The model.
	pub model: ModelId,
	/// Who paid for the place.
	pub bidder: AccountId,
	/// What it offered.
	pub bid: Balance,
	/// What it paid, the same for every place.
	pub price: Balance,
}

/// A curator.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct CuratorInfo<AccountId> {
	/// Who it is.
	pub account: AccountId,
	/// The name that it gave itself: UTF-8 without control characters.
	pub name: Vec<u8>,
	/// Where more of it is found: printable ASCII. Written by a stranger, like the name.
	pub url: Vec<u8>,
	/// Per job that names it.
	pub fee: Balance,
	/// Settled jobs that named it.
	pub jobs: u32,
	/// What it earned by them.
	pub earned: Balance,
}

/// What an account has earned.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct EarningsInfo {
	/// What it may claim now.
	pub claimable: Balance,
	/// What its node earned by storing models and has not proved yet: the model, how much, and the block from which it may be
	/// claimed if no challenge is open then. An answered challenge makes it claimable at once.
	pub storage: Vec<(ModelId, Balance, BlockNumber)>,
}
