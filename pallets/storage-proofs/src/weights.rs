//! Weights of `pallet-storage-proofs`.
//!
//! ESTIMATES, counted by hand from the storage accesses of this pallet and of those behind its traits; they stand until
//! `scripts/weights` replaces this file with measured ones.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the call, of its authorization and of the hook.
pub trait WeightInfo {
	/// `prove`.
	fn prove() -> Weight;
	/// Authorizing a chunk of the largest blob.
	fn authorize_prove() -> Weight;
	/// A block in which nothing ends, nothing is forgotten, and no draw hits a model.
	fn idle() -> Weight;
	/// One draw that hits a model, and challenges.
	fn challenge() -> Weight;
	/// One challenge that ends with the loss of an ask and a fine.
	fn miss() -> Weight;
	/// One memory that is forgotten.
	fn forget() -> Weight;
}

/// Weights for a Substrate node with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn prove() -> Weight {
		// r Challenges, Forgets, Shown, the pay and the sum of all that waits, the node, the operator's earnings and the sum of
		// all; w Challenges, Missed, Forgets, Shown, the pay, earnings, both sums; two events.
		Weight::from_parts(35_000_000, 16_000)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(8))
	}

	fn authorize_prove() -> Weight {
		// r the node's worker key, Challenges, the genesis hash; BLAKE3 of 1 KiB and of 24 joins, which makes 40 compressions;
		// one sr25519 signature; a tag.
		Weight::from_parts(90_000_000, 8_000).saturating_add(T::DbWeight::get().reads(3))
	}

	fn idle() -> Weight {
		// r the hints about finality, Due, Forgets, the VRF, the number of models, the length of an interval, Challenges of
		// four that were answered; w StoodStill, Due; four hashes.
		Weight::from_parts(12_000_000, 20_000)
			.saturating_add(T::DbWeight::get().reads(10))
			.saturating_add(T::DbWeight::get().writes(2))
	}

	fn challenge() -> Weight {
		// r the model's place in the list, the length of an epoch, the book of its asks, Challenges, the node and its standing, the session, the
		// model and its version, Due; w Due, Challenges; two hashes; an event.
		Weight::from_parts(25_000_000, 25_000)
			.saturating_add(T::DbWeight::get().reads(10))
			.saturating_add(T::DbWeight::get().writes(2))
	}

	fn miss() -> Weight {
		// r Challenges, the node, the model and its version, StoodStill, Shown, Missed, Forgets; the pay, the pot, the issuance, the
		// treasury's earnings and the sum of all, three times; the book of asks and the length of an epoch; the fine and the
		// ask's bond, each r 24 w 21, mostly the same items; the standing; w Challenges, Missed, Forgets, the pay, the pot, the
		// issuance, earnings, the sum, the book, the standing; fifteen events.
		Weight::from_parts(330_000_000, 55_000)
			.saturating_add(T::DbWeight::get().reads(42))
			.saturating_add(T::DbWeight::get().writes(32))
	}

	fn forget() -> Weight {
		// r Missed or Shown; w Missed or Shown, Forgets.
		Weight::from_parts(5_000_000, 4_000)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(2))
	}
}

/// For tests: the same counts with constant costs.
impl WeightInfo for () {
	fn prove() -> Weight {
		Weight::from_parts(1_035_000_000, 16_000)
	}

	fn authorize_prove() -> Weight {
		Weight::from_parts(165_000_000, 8_000)
	}

	fn idle() -> Weight {
		Weight::from_parts(462_000_000, 20_000)
	}

	fn challenge() -> Weight {
		Weight::from_parts(475_000_000, 25_000)
	}

	fn miss() -> Weight {
		Weight::from_parts(4_580_000_000, 55_000)
	}

	fn forget() -> Weight {
		Weight::from_parts(230_000_000, 4_000)
	}
}
