//! Weights of `pallet_capacity_probes`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.
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
		Weight::from_parts(29_985_000, 0)
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
		Weight::from_parts(96_935_000, 0)
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
		Weight::from_parts(124_355_000, 0)
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
		Weight::from_parts(1_690_108_000, 0)
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
		Weight::from_parts(114_030_000, 0)
			.saturating_add(T::DbWeight::get().reads(8_u64))
	}
	/// Storage: `CapacityProbes::Terms` (r:1 w:0)
	/// Storage: `CapacityProbes::Round` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:1 w:0)
	fn no_round() -> Weight {
		Weight::from_parts(14_792_000, 0)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `CapacityProbes::Terms` (r:1 w:0)
	/// Storage: `CapacityProbes::Round` (r:1 w:1)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:3 w:0)
	/// Storage: `CapacityProbes::Rounds` (r:1 w:1)
	fn open_round() -> Weight {
		Weight::from_parts(37_987_000, 0)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
}

/// For tests.
impl WeightInfo for () {
	fn set_terms() -> Weight {
		Weight::from_parts(29_985_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn answer() -> Weight {
		Weight::from_parts(96_935_000, 0)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn authorize_answer() -> Weight {
		Weight::from_parts(124_355_000, 0)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
	}
	fn prove() -> Weight {
		Weight::from_parts(1_690_108_000, 0)
			.saturating_add(RocksDbWeight::get().reads(9_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn authorize_prove() -> Weight {
		Weight::from_parts(114_030_000, 0)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
	}
	fn no_round() -> Weight {
		Weight::from_parts(14_792_000, 0)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn open_round() -> Weight {
		Weight::from_parts(37_987_000, 0)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
}
// Written by scripts/weights as it is: blake2-256 4ededca1ef5bbd38faecab4942a74ecf10535db7d6457a9cb18e68a545c1acfc
