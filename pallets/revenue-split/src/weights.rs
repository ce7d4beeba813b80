//! Weights of `pallet_revenue_split`: estimates, counted by hand from the worst case of each call, until
//! `scripts/weights` replaces this file.
//!
//! Counted are storage reads and writes of the pallet, of Balances and of the wired providers (operator and hosted
//! models of a node: one read each), and 5 µs of reference time per call plus 0.2 µs per ask looked at.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// Weight functions needed for `pallet_revenue_split`.
pub trait WeightInfo {
	fn post_ask() -> Weight;
	fn withdraw_ask() -> Weight;
	fn post_curator_fee() -> Weight;
	fn claim() -> Weight;
	fn prune() -> Weight;
}

/// Weights for `pallet_revenue_split` on the node's own database.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `NodeStaking` node of the operator, hosted models; `ModelRegistry` model; `EpochLength`; `Asks` (r:1 w:1).
	/// Full book: operator and hosted models of its 64 nodes (r:128).
	fn post_ask() -> Weight {
		Weight::from_parts(45_000_000, 8_192)
			.saturating_add(T::DbWeight::get().reads(133_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `NodeStaking` node of the operator; `EpochLength`; `Asks` (r:1 w:1).
	fn withdraw_ask() -> Weight {
		Weight::from_parts(25_000_000, 8_192)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `CuratorFees` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1).
	fn post_curator_fee() -> Weight {
		Weight::from_parts(40_000_000, 3_661)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Earnings` (r:1 w:1), `TotalEarnings` (r:1 w:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1).
	fn claim() -> Weight {
		Weight::from_parts(60_000_000, 6_196)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `Asks` (r:2 w:2), operator and hosted models of 2 × 128 nodes (r:512), `EpochLength`, `LastCleared` (r:1 w:1),
	/// `Clearings` (r:1 w:1).
	fn prune() -> Weight {
		Weight::from_parts(110_000_000, 16_384)
			.saturating_add(T::DbWeight::get().reads(517_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
}

// For tests.
impl WeightInfo for () {
	fn post_ask() -> Weight {
		Weight::from_parts(45_000_000, 8_192)
			.saturating_add(RocksDbWeight::get().reads(133_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn withdraw_ask() -> Weight {
		Weight::from_parts(25_000_000, 8_192)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn post_curator_fee() -> Weight {
		Weight::from_parts(40_000_000, 3_661)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn claim() -> Weight {
		Weight::from_parts(60_000_000, 6_196)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn prune() -> Weight {
		Weight::from_parts(110_000_000, 16_384)
			.saturating_add(RocksDbWeight::get().reads(517_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
}
