//! Weights of `pallet_storage_proofs`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.
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
	fn prove() -> Weight;
	fn authorize_prove() -> Weight;
	fn idle() -> Weight;
	fn challenge() -> Weight;
	fn miss() -> Weight;
	fn forget() -> Weight;
}

/// Weights with what the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `StorageProofs::Challenges` (r:1 w:1)
	/// Storage: `StorageProofs::Forgets` (r:1 w:1)
	/// Storage: `StorageProofs::Shown` (r:1 w:1)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `RevenueSplit::StoragePay` (r:1 w:1)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `RevenueSplit::Earnings` (r:1 w:1)
	/// Storage: `StorageProofs::Missed` (r:0 w:1)
	fn prove() -> Weight {
		Weight::from_parts(88_912_000, 0)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `StorageProofs::Challenges` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn authorize_prove() -> Weight {
		Weight::from_parts(99_008_000, 0)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `ProofOfWorkDone::FinalityHints` (r:1 w:0)
	/// Storage: `StorageProofs::Due` (r:1 w:1)
	/// Storage: `StorageProofs::Challenges` (r:4 w:0)
	/// Storage: `StorageProofs::Forgets` (r:1 w:0)
	/// Storage: `RevenueSplit::StoredCount` (r:1 w:0)
	/// Storage: `StorageProofs::Asked` (r:1 w:0)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	fn idle() -> Weight {
		Weight::from_parts(54_071_000, 0)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `RevenueSplit::StoredModels` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `RevenueSplit::Asks` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `StorageProofs::Challenges` (r:1 w:1)
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `ModelRegistry::Versions` (r:1 w:0)
	/// Storage: `StorageProofs::Due` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	fn challenge() -> Weight {
		Weight::from_parts(121_571_000, 0)
			.saturating_add(T::DbWeight::get().reads(10_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `StorageProofs::Due` (r:1 w:1)
	/// Storage: `StorageProofs::Challenges` (r:1 w:1)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `ModelRegistry::Versions` (r:1 w:0)
	/// Storage: `StorageProofs::StoodStill` (r:1 w:0)
	/// Storage: `RevenueSplit::StoragePay` (r:1 w:1)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `RevenueSplit::Earnings` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `StorageProofs::Shown` (r:1 w:0)
	/// Storage: `StorageProofs::Missed` (r:1 w:1)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `RevenueSplit::Asks` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `NodeStaking::Slashes` (r:1 w:1)
	/// Storage: `NodeStaking::Pools` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:1 w:1)
	/// Storage: `VoterList::ListBags` (r:2 w:2)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:0)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	fn miss() -> Weight {
		Weight::from_parts(589_248_000, 0)
			.saturating_add(T::DbWeight::get().reads(32_u64))
			.saturating_add(T::DbWeight::get().writes(24_u64))
	}
	/// Storage: `StorageProofs::Forgets` (r:1 w:1)
	/// Storage: `StorageProofs::Shown` (r:1 w:1)
	fn forget() -> Weight {
		Weight::from_parts(12_589_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
}

/// For tests.
impl WeightInfo for () {
	fn prove() -> Weight {
		Weight::from_parts(88_912_000, 0)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn authorize_prove() -> Weight {
		Weight::from_parts(99_008_000, 0)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn idle() -> Weight {
		Weight::from_parts(54_071_000, 0)
			.saturating_add(RocksDbWeight::get().reads(11_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn challenge() -> Weight {
		Weight::from_parts(121_571_000, 0)
			.saturating_add(RocksDbWeight::get().reads(10_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn miss() -> Weight {
		Weight::from_parts(589_248_000, 0)
			.saturating_add(RocksDbWeight::get().reads(32_u64))
			.saturating_add(RocksDbWeight::get().writes(24_u64))
	}
	fn forget() -> Weight {
		Weight::from_parts(12_589_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
}
// Written by scripts/weights as it is: blake2-256 687a0b83506a8b8f2338c1c72426ee49e49ed261566fdf338ce43b771ad6ab73
