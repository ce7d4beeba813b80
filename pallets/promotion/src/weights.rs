//! Weights of `pallet_promotion`: estimates, counted by hand from the worst case, until `scripts/weights` replaces this
//! file.
//!
//! Counted are storage reads and writes of the pallet, of Balances and of the wired providers (the clock: one read; a
//! model and its version: two), and 10 µs of reference time per hold that changes.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// Weight functions needed for `pallet_promotion`.
pub trait WeightInfo {
	fn bid() -> Weight;
	/// `b`: bids for the epoch.
	fn clear(b: u32) -> Weight;
	fn no_clearing() -> Weight;
}

/// Weights for `pallet_promotion` on the node's own database.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `ModelRegistry` model and version (r:2); `Bids` (r:1 w:1); `RevenueSplit::EpochLength` (r:1); of the bidder
	/// and of the one that is outbid `Balances::Holds` (r:2 w:2), `System::Account` (r:2 w:2).
	fn bid() -> Weight {
		Weight::from_parts(50_000_000, 16_384)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1); `Cleared` (r:1 w:1); `Bids` (r:1 w:1); `Featured` (w:1); the treasury's
	/// `System::Account` (r:1 w:1); `Balances::TotalIssuance` (r:1 w:1); for each bid `Balances::Holds` (r:1 w:1),
	/// `System::Account` (r:1 w:1).
	/// The range of component `b` is `[0, 64]`.
	fn clear(b: u32) -> Weight {
		Weight::from_parts(20_000_000, 8_192)
			.saturating_add(Weight::from_parts(25_000_000, 6_500).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(b.into())))
			.saturating_add(T::DbWeight::get().writes(5_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(b.into())))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1); `Cleared` (r:1).
	fn no_clearing() -> Weight {
		Weight::from_parts(2_000_000, 1_500)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
}

// For tests.
impl WeightInfo for () {
	fn bid() -> Weight {
		Weight::from_parts(50_000_000, 16_384)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn clear(b: u32) -> Weight {
		Weight::from_parts(20_000_000, 8_192)
			.saturating_add(Weight::from_parts(25_000_000, 6_500).saturating_mul(b.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(b.into())))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(b.into())))
	}
	fn no_clearing() -> Weight {
		Weight::from_parts(2_000_000, 1_500)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
}
