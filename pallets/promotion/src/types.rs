//! What the pallet stores and tells.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use highway_primitives::{Balance, EpochIndex, ModelId};
use scale_info::TypeInfo;

/// Featured places of an epoch: what a person looks through.
pub const MAX_PLACES: u32 = 8;

/// [`MAX_PLACES`] as a type.
pub type MaxPlaces = ConstU32<MAX_PLACES>;

/// The most bids for one epoch: bounds the block that gives the places away.
pub const MAX_BIDS: u32 = 64;

/// [`MAX_BIDS`] as a type.
pub type MaxBids = ConstU32<MAX_BIDS>;

/// What an account offers at most for a featured place of a model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Bid<AccountId> {
	/// The model.
	#[codec(compact)]
	pub model: ModelId,
	/// Who offers.
	pub bidder: AccountId,
	/// How much; it is held from the bidder while the bid stands.
	#[codec(compact)]
	pub price: Balance,
}

/// The featured places of one epoch.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Placement<AccountId> {
	/// The epoch.
	#[codec(compact)]
	pub epoch: EpochIndex,
	/// What each place cost.
	#[codec(compact)]
	pub price: Balance,
	/// The bids that won, highest first, of equals the earlier one first.
	pub winners: BoundedVec<Bid<AccountId>, MaxPlaces>,
}
