//! Weights of `pallet-capacity-probes`.
//!
//! ESTIMATES, counted by hand from the storage accesses of this pallet and of those behind its traits; they stand until
//! `scripts/weights` replaces this file with measured ones. A row of the model is 2²⁰ multiplications and additions, which
//! count with 2.5 ns each: Wasm without vector instructions.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls, of their authorization and of the hook.
pub trait WeightInfo {
	/// `set_terms`.
	fn set_terms() -> Weight;
	/// `answer`.
	fn answer() -> Weight;
	/// Authorizing an answer.
	fn authorize_answer() -> Weight;
	/// `prove` that is right and paid.
	fn prove() -> Weight;
	/// Authorizing a chunk of the largest blob.
	fn authorize_prove() -> Weight;
	/// A block that might open a round and does not.
	fn no_round() -> Weight;
	/// A block that opens a round.
	fn open_round() -> Weight;
}

/// Weights for a Substrate node with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn set_terms() -> Weight {
		// w Terms, Round; an event.
		Weight::from_parts(8_000_000, 2_000).saturating_add(T::DbWeight::get().writes(2))
	}

	fn answer() -> Weight {
		// r Terms, Round, Measurements, Answers, the node and its standing; w Answers; an event.
		Weight::from_parts(18_000_000, 13_000)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(1))
	}

	fn authorize_answer() -> Weight {
		// The same reads, the genesis hash; one sr25519 signature; a tag.
		Weight::from_parts(70_000_000, 20_000).saturating_add(T::DbWeight::get().reads(7))
	}

	fn prove() -> Weight {
		// r Terms, Round, Measurements, Answers, Vrfs twice, the operator's node, two accounts; w Answers, Measurements, two
		// accounts; 128 hashes for the weights, two rows; three events.
		Weight::from_parts(5_500_000_000, 25_000)
			.saturating_add(T::DbWeight::get().reads(9))
			.saturating_add(T::DbWeight::get().writes(4))
	}

	fn authorize_prove() -> Weight {
		// r Terms, Round, Measurements, Answers, Vrfs twice, the node's worker key, the genesis hash; BLAKE3 of 1 KiB and of 24
		// joins, which makes 40 compressions; one sr25519 signature; a tag.
		Weight::from_parts(95_000_000, 22_000).saturating_add(T::DbWeight::get().reads(8))
	}

	fn no_round() -> Weight {
		// r Terms, Round, Vrfs.
		Weight::from_parts(6_000_000, 6_000).saturating_add(T::DbWeight::get().reads(3))
	}

	fn open_round() -> Weight {
		// r Terms, Round, Vrfs four times, Rounds; w Rounds, Round; an event.
		Weight::from_parts(15_000_000, 12_000)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(2))
	}
}

/// For tests: the same counts with constant costs.
impl WeightInfo for () {
	fn set_terms() -> Weight {
		Weight::from_parts(208_000_000, 2_000)
	}

	fn answer() -> Weight {
		Weight::from_parts(268_000_000, 13_000)
	}

	fn authorize_answer() -> Weight {
		Weight::from_parts(245_000_000, 20_000)
	}

	fn prove() -> Weight {
		Weight::from_parts(6_125_000_000, 25_000)
	}

	fn authorize_prove() -> Weight {
		Weight::from_parts(295_000_000, 22_000)
	}

	fn no_round() -> Weight {
		Weight::from_parts(81_000_000, 6_000)
	}

	fn open_round() -> Weight {
		Weight::from_parts(390_000_000, 12_000)
	}
}
