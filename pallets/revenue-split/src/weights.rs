//! Weights of `pallet_revenue_split`: estimates, counted by hand from the worst case of each call, until
//! `scripts/weights` replaces this file.
//!
//! Counted are storage reads and writes of the pallet, of Balances and of the wired providers (operator and hosted
//! models of a node: one read; its standing: another one), and 5 µs of reference time per call plus 0.2 µs per ask looked
//! at and 10 µs per deposit given back.

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
	/// `a`: stored asks of both roles.
	fn prune(a: u32) -> Weight;
}

/// Weights for `pallet_revenue_split` on the node's own database.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `NodeStaking` node of the operator, its record; `ModelRegistry` model; `EpochLength`; `Asks` (r:1 w:1);
	/// `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1). Full book: record and standing of its 64 nodes and the
	/// session (r:129); the displaced one's `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1).
	fn post_ask() -> Weight {
		Weight::from_parts(85_000_000, 16_384)
			.saturating_add(T::DbWeight::get().reads(138_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `NodeStaking` node of the operator; `EpochLength`; `Asks` (r:1 w:1); `Balances::Holds` (r:1 w:1),
	/// `System::Account` (r:1 w:1).
	fn withdraw_ask() -> Weight {
		Weight::from_parts(45_000_000, 16_384)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
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
	/// Storage: `ModelRegistry` model; `Asks` (r:2 w:2), `EpochLength`, `LastCleared` (r:1 w:1), `Clearings` (r:1 w:1); for
	/// each ask the node's record, `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1).
	/// The range of component `a` is `[0, 256]`.
	fn prune(a: u32) -> Weight {
		Weight::from_parts(60_000_000, 32_768)
			.saturating_add(Weight::from_parts(11_000_000, 3_700).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().reads(3_u64.saturating_mul(a.into())))
			.saturating_add(T::DbWeight::get().writes(4_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(a.into())))
	}
}

// For tests.
impl WeightInfo for () {
	fn post_ask() -> Weight {
		Weight::from_parts(85_000_000, 16_384)
			.saturating_add(RocksDbWeight::get().reads(138_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn withdraw_ask() -> Weight {
		Weight::from_parts(45_000_000, 16_384)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
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
	fn prune(a: u32) -> Weight {
		Weight::from_parts(60_000_000, 32_768)
			.saturating_add(Weight::from_parts(11_000_000, 3_700).saturating_mul(a.into()))
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().reads(3_u64.saturating_mul(a.into())))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(a.into())))
	}
}
