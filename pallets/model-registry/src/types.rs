//! What the registry keeps.

use crate::{Config, RoyaltyState};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use highway_primitives::{
	model::{DerivativeTerms, ModelName},
	Balance, BlockNumber, ModelId, ModelVersion,
};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// What a derived model owes its parent: the parent's [`DerivativeTerms`] as they were at the child's registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct ParentTerms {
	/// The parent. It stays registered while it has children.
	#[codec(compact)]
	pub model: ModelId,
	/// Share of the child's royalty that the parent receives.
	pub share: Perbill,
	/// The least amount per unit that the parent receives.
	#[codec(compact)]
	pub floor: Balance,
}

/// A hash that stands for an artefact until a call brings the artefact to the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Commitment {
	/// The block in which it was made.
	pub since: BlockNumber,
	/// The first block in which it counts.
	pub from: BlockNumber,
	/// The last block in which it counts. After it anybody may drop it.
	pub until: BlockNumber,
	/// Held from its maker for it.
	pub deposit: Balance,
}

/// A registered model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct ModelRecord<AccountId> {
	/// Who owns it, earns its royalty and holds its deposit.
	pub owner: AccountId,
	/// Its name, unique among the owner's.
	pub name: ModelName,
	/// The version that new jobs run on, until `coming` holds.
	#[codec(compact)]
	pub version: ModelVersion,
	/// The newest version while its notice lasts, and the block from which new jobs run on it.
	pub coming: Option<(ModelVersion, BlockNumber)>,
	/// The model that it derives from, and what it owes to it.
	pub parent: Option<ParentTerms>,
	/// What it asks of models derived from now on; `None`: none may be.
	pub derivative_terms: Option<DerivativeTerms>,
	/// The block in which these terms were set.
	#[codec(compact)]
	pub terms_since: BlockNumber,
	/// Royalty per unit: now, and a rise on its way.
	pub royalty: RoyaltyState,
	/// Whether it takes neither new jobs nor new children.
	pub deprecated: bool,
	/// Models whose parent it is.
	#[codec(compact)]
	pub children: u32,
	/// Held from the owner for it.
	#[codec(compact)]
	pub deposit: Balance,
}

impl<AccountId> ModelRecord<AccountId> {
	/// The record in block `now`: a version whose notice is over is the one that new jobs run on.
	pub fn at(mut self, now: BlockNumber) -> Self {
		if let Some((version, _)) = self.coming.filter(|(_, from)| *from <= now) {
			self.version = version;
			self.coming = None;
		}
		self
	}

	/// The newest version, which is also the number of versions.
	pub fn newest(&self) -> ModelVersion {
		self.coming.map_or(self.version, |(version, _)| version)
	}
}

/// [`ModelRecord`] with the runtime's account id.
pub type ModelRecordOf<T> = ModelRecord<<T as frame_system::Config>::AccountId>;

/// The hold reason of the runtime, as the pallet's currency knows it.
pub(crate) type HoldReasonOf<T> = <T as Config>::RuntimeHoldReason;
