//! Models.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use highway_primitives::{
	model::{DerivativeTerms, VersionSpec},
	Balance, BlockNumber, ModelId, ModelVersion, RoyaltyLine,
};
use scale_info::TypeInfo;

/// A version that new jobs do not run on yet.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ComingVersion {
	/// The version.
	pub version: ModelVersion,
	/// The block from which new jobs run on it.
	pub from: BlockNumber,
	/// Its specification.
	pub spec: VersionSpec,
}

/// A model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ModelInfo<AccountId> {
	/// The model.
	pub id: ModelId,
	/// Who owns it.
	pub owner: AccountId,
	/// Its name among the owner's.
	pub name: Vec<u8>,
	/// Whether it takes no new jobs.
	pub deprecated: bool,
	/// Current version.
	pub version: ModelVersion,
	/// The current version's specification.
	pub spec: VersionSpec,
	/// A version on its way.
	pub coming: Option<ComingVersion>,
	/// The model that it derives from.
	pub parent: Option<ModelId>,
	/// What it asks of models derived from it; `None`: none may be.
	pub derivative_terms: Option<DerivativeTerms>,
	/// Royalty per unit now.
	pub royalty: Balance,
	/// A rise on its way, and the block from which it holds.
	pub pending_royalty: Option<(Balance, BlockNumber)>,
	/// How the royalty is split.
	pub royalties: Vec<RoyaltyLine<AccountId>>,
	/// Jobs that are not settled yet.
	pub open_jobs: u32,
	/// Models derived from it.
	pub children: u32,
	/// Deposit held from the owner.
	pub deposit: Balance,
}
