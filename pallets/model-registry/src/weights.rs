//! Weights of `pallet_model_registry`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.
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
	fn register() -> Weight;
	fn add_version() -> Weight;
	fn update_terms() -> Weight;
	fn deprecate() -> Weight;
	fn reinstate() -> Weight;
	fn offer_transfer() -> Weight;
	fn withdraw_offer() -> Weight;
	fn accept_transfer() -> Weight;
	fn remove(v: u32) -> Weight;
	fn commit_model() -> Weight;
	fn drop_commitment() -> Weight;
}

/// Weights with what the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `ModelRegistry::Models` (r:4 w:2)
	/// Storage: `ModelRegistry::Versions` (r:1 w:1)
	/// Storage: `ModelRegistry::Names` (r:1 w:1)
	/// Storage: `ModelRegistry::NextModelId` (r:1 w:1)
	/// Storage: `ModelRegistry::Artefacts` (r:1 w:1)
	/// Storage: `ModelRegistry::Commitments` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	fn register() -> Weight {
		Weight::from_parts(324_794_000, 0)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	/// Storage: `ModelRegistry::Versions` (r:1 w:1)
	/// Storage: `ModelRegistry::Artefacts` (r:1 w:1)
	/// Storage: `ModelRegistry::Commitments` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `ModelRegistry::TransferOffers` (r:1 w:1)
	fn add_version() -> Weight {
		Weight::from_parts(261_500_000, 0)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	fn update_terms() -> Weight {
		Weight::from_parts(26_039_000, 0)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	fn deprecate() -> Weight {
		Weight::from_parts(18_388_000, 0)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	fn reinstate() -> Weight {
		Weight::from_parts(18_207_000, 0)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `ModelRegistry::TransferOffers` (r:0 w:1)
	fn offer_transfer() -> Weight {
		Weight::from_parts(20_550_000, 0)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `ModelRegistry::TransferOffers` (r:1 w:1)
	fn withdraw_offer() -> Weight {
		Weight::from_parts(21_422_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	/// Storage: `ModelRegistry::TransferOffers` (r:1 w:1)
	/// Storage: `ModelRegistry::Names` (r:1 w:2)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `Balances::Holds` (r:2 w:2)
	fn accept_transfer() -> Weight {
		Weight::from_parts(182_842_000, 0)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	/// Storage: `ModelRegistry::Models` (r:2 w:2)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `ModelRegistry::Versions` (r:1024 w:1024)
	/// Storage: `ModelRegistry::Names` (r:0 w:1)
	/// Storage: `ModelRegistry::Artefacts` (r:0 w:1024)
	/// Storage: `ModelRegistry::TransferOffers` (r:0 w:1)
	/// `v` is from 1 to 1024.
	fn remove(v: u32) -> Weight {
		Weight::from_parts(9_071_665_728, 0)
			.saturating_add(Weight::from_parts(47_735_303, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(6_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(v.into())))
	}
	/// Storage: `ModelRegistry::Commitments` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	fn commit_model() -> Weight {
		Weight::from_parts(156_564_000, 0)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `ModelRegistry::Commitments` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	fn drop_commitment() -> Weight {
		Weight::from_parts(135_001_000, 0)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
}

/// For tests.
impl WeightInfo for () {
	fn register() -> Weight {
		Weight::from_parts(324_794_000, 0)
			.saturating_add(RocksDbWeight::get().reads(11_u64))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
	}
	fn add_version() -> Weight {
		Weight::from_parts(261_500_000, 0)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	fn update_terms() -> Weight {
		Weight::from_parts(26_039_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn deprecate() -> Weight {
		Weight::from_parts(18_388_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn reinstate() -> Weight {
		Weight::from_parts(18_207_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn offer_transfer() -> Weight {
		Weight::from_parts(20_550_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn withdraw_offer() -> Weight {
		Weight::from_parts(21_422_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn accept_transfer() -> Weight {
		Weight::from_parts(182_842_000, 0)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
	fn remove(v: u32) -> Weight {
		Weight::from_parts(9_071_665_728, 0)
			.saturating_add(Weight::from_parts(47_735_303, 0).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(v.into())))
	}
	fn commit_model() -> Weight {
		Weight::from_parts(156_564_000, 0)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn drop_commitment() -> Weight {
		Weight::from_parts(135_001_000, 0)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
}
// Written by scripts/weights as it is: blake2-256 540c5fe3b88b236e8fc3c7f071d3cb8cbcc8986f3397238b92dfb8a1230780ec
