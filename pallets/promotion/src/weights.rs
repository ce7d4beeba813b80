//! Weights of `pallet_promotion`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.
//!
//! Measured on 2026-11-30 in 20 steps of 20 runs, by `AMD EPYC`.
//!
//! Each is a line that no size lies above: times by the median of a size's runs, accesses by all of them. Proofs have no
//! size on a chain of its own: the second dimension counts what is left to later blocks, and is 0 here.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// Weights of what `benchmarking.rs` measures, each at its worst.
pub trait WeightInfo {
	fn bid() -> Weight;
	fn clear(b: u32) -> Weight;
	fn no_clearing() -> Weight;
}

/// Weights with what the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `ModelRegistry::Versions` (r:1 w:0)
	/// Storage: `Promotion::Bids` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	fn bid() -> Weight {
		Weight::from_parts(256_552_000, 0)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Promotion::Bids` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:64 w:64)
	/// Storage: `System::Account` (r:65 w:65)
	/// Storage: `Promotion::Cleared` (r:0 w:1)
	/// Storage: `Promotion::Featured` (r:0 w:1)
	/// `b` is from 0 to 64.
	fn clear(b: u32) -> Weight {
		Weight::from_parts(636_668_900, 0)
			.saturating_add(Weight::from_parts(66_540_110, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads(3_u64.saturating_mul(b.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64.saturating_mul(b.into())))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `Promotion::Cleared` (r:1 w:0)
	fn no_clearing() -> Weight {
		Weight::from_parts(7_501_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
}

/// For tests.
impl WeightInfo for () {
	fn bid() -> Weight {
		Weight::from_parts(256_552_000, 0)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn clear(b: u32) -> Weight {
		Weight::from_parts(636_668_900, 0)
			.saturating_add(Weight::from_parts(66_540_110, 0).saturating_mul(b.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads(3_u64.saturating_mul(b.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64.saturating_mul(b.into())))
	}
	fn no_clearing() -> Weight {
		Weight::from_parts(7_501_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
}
// Written by scripts/weights as it is: blake2-256 25aa12d5b8adc193109866b9ef5042a6b3a20034bcd4eca0352fbef699ca3d37
