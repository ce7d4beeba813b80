//! Weights of `pallet_capacity_probes`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.
//!
//! Measured on 2026-11-30 in 20 steps of 20 runs, by `Intel(R) Xeon(R) Processor`.
//!
//! Each is a line that no size lies above: times by the median of a size's runs, accesses by all of them. Proofs have no
//! size on a chain of its own: the second dimension counts what is left to later blocks, and is 0 here.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// Weights of what `benchmarking.rs` measures, each at its worst.
pub trait WeightInfo {
	fn set_terms() -> Weight;
	fn answer() -> Weight;
	fn authorize_answer() -> Weight;
	fn prove() -> Weight;
	fn authorize_prove() -> Weight;
	fn no_round() -> Weight;
	fn open_round() -> Weight;
}

/// Weights with what the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `NodeStaking::SessionLength` (r:1 w:0)
	/// Storage: `CapacityProbes::Round` (r:0 w:1)
	/// Storage: `CapacityProbes::Terms` (r:0 w:1)
	fn set_terms() -> Weight {
		Weight::from_parts(26_204_000, 0)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `CapacityProbes::Terms` (r:1 w:0)
	/// Storage: `CapacityProbes::Round` (r:1 w:0)
	/// Storage: `CapacityProbes::Measurements` (r:1 w:0)
	/// Storage: `CapacityProbes::Answers` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	fn answer() -> Weight {
		Weight::from_parts(222_725_000, 0)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `CapacityProbes::Terms` (r:1 w:0)
	/// Storage: `CapacityProbes::Round` (r:1 w:0)
	/// Storage: `CapacityProbes::Measurements` (r:1 w:0)
	/// Storage: `CapacityProbes::Answers` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn authorize_answer() -> Weight {
		Weight::from_parts(145_746_000, 0)
			.saturating_add(T::DbWeight::get().reads(7_u64))
	}
	/// Storage: `CapacityProbes::Terms` (r:1 w:0)
	/// Storage: `CapacityProbes::Round` (r:1 w:0)
	/// Storage: `CapacityProbes::Measurements` (r:1 w:1)
	/// Storage: `CapacityProbes::Answers` (r:1 w:1)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:2 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `System::Account` (r:2 w:2)
	fn prove() -> Weight {
		Weight::from_parts(1_850_077_000, 0)
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `CapacityProbes::Terms` (r:1 w:0)
	/// Storage: `CapacityProbes::Round` (r:1 w:0)
	/// Storage: `CapacityProbes::Measurements` (r:1 w:0)
	/// Storage: `CapacityProbes::Answers` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:2 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn authorize_prove() -> Weight {
		Weight::from_parts(128_065_000, 0)
			.saturating_add(T::DbWeight::get().reads(8_u64))
	}
	/// Storage: `CapacityProbes::Terms` (r:1 w:0)
	/// Storage: `CapacityProbes::Round` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:1 w:0)
	fn no_round() -> Weight {
		Weight::from_parts(19_111_000, 0)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `CapacityProbes::Terms` (r:1 w:0)
	/// Storage: `CapacityProbes::Round` (r:1 w:1)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:3 w:0)
	/// Storage: `CapacityProbes::Rounds` (r:1 w:1)
	fn open_round() -> Weight {
		Weight::from_parts(43_690_000, 0)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
}

/// For tests.
impl WeightInfo for () {
	fn set_terms() -> Weight {
		Weight::from_parts(26_204_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn answer() -> Weight {
		Weight::from_parts(222_725_000, 0)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn authorize_answer() -> Weight {
		Weight::from_parts(145_746_000, 0)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
	}
	fn prove() -> Weight {
		Weight::from_parts(1_850_077_000, 0)
			.saturating_add(RocksDbWeight::get().reads(9_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn authorize_prove() -> Weight {
		Weight::from_parts(128_065_000, 0)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
	}
	fn no_round() -> Weight {
		Weight::from_parts(19_111_000, 0)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn open_round() -> Weight {
		Weight::from_parts(43_690_000, 0)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
}
