//! Weights of `pallet-proof-of-work-done`.
//!
//! ESTIMATES, counted by hand from the storage accesses of this pallet and of those behind its traits; they stand until
//! `scripts/weights` replaces this file with measured ones.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls and of their authorization.
pub trait WeightInfo {
	/// `attest` with `n` items that count.
	fn attest(n: u32) -> Weight;
	/// Authorizing a batch of `n` items.
	fn authorize_attest(n: u32) -> Weight;
	/// `report_failure` with reassignment among 64 executors.
	fn report_failure() -> Weight;
	/// Authorizing a report.
	fn authorize_report_failure() -> Weight;
}

/// Weights for a Substrate node with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn attest(n: u32) -> Weight {
		let n = u64::from(n);
		// Per item: r Jobs, two reporters' nodes at worst; w Jobs, Due twice, Assignments, Commitments, two nodes. Once:
		// r AverageReward, AttestationWindow, the node's slots; w the node's slots.
		Weight::from_parts(12_000_000, 6_000)
			.saturating_add(Weight::from_parts(28_000_000, 8_400).saturating_mul(n))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().reads(3u64.saturating_mul(n)))
			.saturating_add(T::DbWeight::get().writes(1))
			.saturating_add(T::DbWeight::get().writes(7u64.saturating_mul(n)))
	}

	fn authorize_attest(n: u32) -> Weight {
		// r the node's worker key, the genesis hash, Jobs per item; one sr25519 signature; a tag per item.
		Weight::from_parts(60_000_000, 6_000)
			.saturating_add(Weight::from_parts(5_000_000, 4_200).saturating_mul(u64::from(n)))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().reads(u64::from(n)))
	}

	fn report_failure() -> Weight {
		// r Jobs, AverageReward; both nodes r 6 w 6; the draw r 257; w Jobs, Due twice, Assignments twice; a refund r 4 w 4.
		Weight::from_parts(460_000_000, 200_000)
			.saturating_add(T::DbWeight::get().reads(269))
			.saturating_add(T::DbWeight::get().writes(15))
	}

	fn authorize_report_failure() -> Weight {
		// r the node's worker key, the genesis hash, Jobs; one sr25519 signature.
		Weight::from_parts(62_000_000, 10_000).saturating_add(T::DbWeight::get().reads(3))
	}
}

/// For tests: the same counts with constant costs.
impl WeightInfo for () {
	fn attest(n: u32) -> Weight {
		Weight::from_parts(190_000_000, 6_000)
			.saturating_add(Weight::from_parts(800_000_000, 8_400).saturating_mul(u64::from(n)))
	}

	fn authorize_attest(n: u32) -> Weight {
		Weight::from_parts(110_000_000, 6_000)
			.saturating_add(Weight::from_parts(30_000_000, 4_200).saturating_mul(u64::from(n)))
	}

	fn report_failure() -> Weight {
		Weight::from_parts(8_700_000_000, 200_000)
	}

	fn authorize_report_failure() -> Weight {
		Weight::from_parts(137_000_000, 10_000)
	}
}
