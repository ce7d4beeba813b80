#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks")),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod clearing_impls;
mod dispatchable_impls;
pub mod invariants;
#[cfg(test)]
mod mock;
mod settlement;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// What the macro generates carries the spans of its attributes.
#[allow(unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::{types::*, weights::WeightInfo};
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{self, Inspect},
	};
	use frame_system::pallet_prelude::*;
	use highway_primitives::{
		traits::{MarketClock, Models},
		Balance, EpochIndex, ModelId,
	};

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What the runtime wires.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The runtime's overarching reason of holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// The coin that is bid.
		type Currency: fungible::Mutate<Self::AccountId>
			+ Inspect<Self::AccountId, Balance = Balance>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// Which models can be featured.
		type Models: Models<Self::AccountId>;

		/// When places are auctioned.
		type Clock: MarketClock;

		/// Receives what is not burned.
		type Treasury: Get<Self::AccountId>;

		/// The least bid, and the price of a place that nobody outbid anybody for. At least twice the existential deposit.
		#[pallet::constant]
		type MinBid: Get<Balance>;

		/// Weights of the call and of the hook.
		type WeightInfo: WeightInfo;
	}

	/// Bids for the next epoch, in the order in which they came: at most [`MAX_BIDS`], one per model. What they offer is
	/// held.
	#[pallet::storage]
	pub type Bids<T: Config> = StorageValue<_, BoundedVec<Bid<T::AccountId>, MaxBids>, ValueQuery>;

	/// Who has the places of the present epoch. `None` if nobody bid.
	#[pallet::storage]
	pub type Featured<T: Config> = StorageValue<_, Placement<T::AccountId>>;

	/// The latest epoch whose places are given away.
	#[pallet::storage]
	pub type Cleared<T> = StorageValue<_, EpochIndex, ValueQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account offers `price` for one of the places of an epoch.
		BidPlaced {
			/// The model that is to be featured.
			model: ModelId,
			/// Who offers.
			bidder: T::AccountId,
			/// At most how much; it is held.
			price: Balance,
			/// For which epoch.
			epoch: EpochIndex,
		},
		/// A bid is out before the places are given away, because somebody offered more, and nothing of it is held any
		/// more.
		Outbid {
			/// The model that it was for.
			model: ModelId,
			/// Who had offered.
			bidder: T::AccountId,
			/// What was held.
			price: Balance,
		},
		/// A model has a place in this epoch.
		Promoted {
			/// The epoch.
			epoch: EpochIndex,
			/// The model.
			model: ModelId,
			/// Who paid.
			bidder: T::AccountId,
			/// What the place cost.
			price: Balance,
			/// The part of it that was burned; the treasury has the rest.
			burned: Balance,
		},
		/// A model has no place in this epoch, and what was offered for one is not held any more.
		BidLost {
			/// The epoch.
			epoch: EpochIndex,
			/// The model.
			model: ModelId,
			/// Who had offered.
			bidder: T::AccountId,
			/// What was held.
			price: Balance,
		},
	}

	/// Why coins are held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// A bid for a featured place.
		Bid,
	}

	/// Why a bid was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The bid is below `MinBid`.
		BidBelowMin,
		/// There is a bid for this model that is as high.
		ModelHasHigherBid,
		/// There are as many bids as there may be, and each is as high.
		BidsFull,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			let (epoch, _) = T::Clock::epoch();
			// Not "is this its first block": a block that is skipped must not leave bids behind.
			if Cleared::<T>::get() >= epoch {
				return T::WeightInfo::no_clearing();
			}
			T::WeightInfo::clear(Self::clear(epoch))
		}

		fn integrity_test() {
			assert!(
				T::MinBid::get() / 2 >= T::Currency::minimum_balance(),
				"half of the least bid must be able to make the treasury's account"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Offers up to `price` for one of the featured places of the next epoch. For any model that takes jobs, by
		/// anybody. The price is held until the epoch begins, unless somebody offers more before: for the same model, or,
		/// when there are as many bids as there may be, than the lowest of them. It cannot be withdrawn.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::bid())]
		pub fn bid(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			#[pallet::compact] price: Balance,
		) -> DispatchResult {
			let bidder = ensure_signed(origin)?;
			Self::do_bid(&bidder, model, price)
		}
	}
}
