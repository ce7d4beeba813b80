//! Weights of the registry's calls.
//!
//! ESTIMATES: reads and writes are counted by hand from the code, times are those of comparable calls of the SDK's
//! pallets. They hold until `scripts/weights` replaces this file by measured ones.
//!
//! A version's specification is at most 4 KiB; a record about 300 bytes.

#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, Weight},
};

/// Weights of the calls, worst cases.
pub trait WeightInfo {
	fn register() -> Weight;
	fn add_version() -> Weight;
	fn update_terms() -> Weight;
	fn deprecate() -> Weight;
	fn reinstate() -> Weight;
	fn offer_transfer() -> Weight;
	fn withdraw_offer() -> Weight;
	fn accept_transfer() -> Weight;
	/// `v`: versions of the model.
	fn remove(v: u32) -> Weight;
	fn commit_model() -> Weight;
	fn drop_commitment() -> Weight;
}

/// Estimates with the runtime's own database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `ModelRegistry::Models` (r:4 w:2) the parent and its ancestors; the new model and its parent
	/// Storage: `ModelRegistry::Names` (r:1 w:1)
	/// Storage: `ModelRegistry::NextModelId` (r:1 w:1)
	/// Storage: `ModelRegistry::Versions` (r:1 w:1) the parent's, for its unit
	/// Storage: `ModelRegistry::Artefacts` (r:1 w:1)
	/// Storage: `ModelRegistry::Commitments` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	fn register() -> Weight {
		Weight::from_parts(190_000_000, 20_000)
			.saturating_add(T::DbWeight::get().reads(11))
			.saturating_add(T::DbWeight::get().writes(9))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	/// Storage: `ModelRegistry::Versions` (r:1 w:1) the current one, for its unit
	/// Storage: `ModelRegistry::Artefacts` (r:1 w:1)
	/// Storage: `ModelRegistry::Commitments` (r:1 w:1)
	/// Storage: `ModelRegistry::TransferOffers` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// and one read for the length of the notice.
	fn add_version() -> Weight {
		Weight::from_parts(160_000_000, 11_000)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(7))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	fn update_terms() -> Weight {
		Weight::from_parts(20_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	fn deprecate() -> Weight {
		Weight::from_parts(16_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	fn reinstate() -> Weight {
		Weight::from_parts(16_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `ModelRegistry::TransferOffers` (r:0 w:1)
	fn offer_transfer() -> Weight {
		Weight::from_parts(16_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `ModelRegistry::TransferOffers` (r:1 w:1)
	fn withdraw_offer() -> Weight {
		Weight::from_parts(18_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	/// Storage: `ModelRegistry::TransferOffers` (r:1 w:1)
	/// Storage: `ModelRegistry::Names` (r:1 w:2)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Storage: `System::Account` (r:2 w:2)
	fn accept_transfer() -> Weight {
		Weight::from_parts(110_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(8))
	}
	/// Storage: `ModelRegistry::Models` (r:2 w:2) the model and its parent
	/// Storage: `ModelRegistry::Versions` (r:v w:v)
	/// Storage: `ModelRegistry::Artefacts` (r:0 w:v)
	/// Storage: `ModelRegistry::TransferOffers` (r:0 w:1)
	/// Storage: `ModelRegistry::Names` (r:0 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// The range of component `v` is `[1, MaxVersions]`.
	fn remove(v: u32) -> Weight {
		Weight::from_parts(80_000_000, 7_000)
			.saturating_add(Weight::from_parts(6_000_000, 4_300).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().reads(v.into()))
			.saturating_add(T::DbWeight::get().writes(6))
			.saturating_add(T::DbWeight::get().writes(u64::from(v).saturating_mul(2)))
	}
	/// Storage: `ModelRegistry::Commitments` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// and one read for the number of blocks.
	fn commit_model() -> Weight {
		Weight::from_parts(60_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `ModelRegistry::Commitments` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	fn drop_commitment() -> Weight {
		Weight::from_parts(55_000_000, 3_800)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(3))
	}
}

/// For tests.
impl WeightInfo for () {
	fn register() -> Weight {
		Weight::from_parts(190_000_000, 20_000).saturating_add(RocksDbWeight::get().reads_writes(11, 9))
	}
	fn add_version() -> Weight {
		Weight::from_parts(160_000_000, 11_000).saturating_add(RocksDbWeight::get().reads_writes(8, 7))
	}
	fn update_terms() -> Weight {
		Weight::from_parts(20_000_000, 3_800).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
	}
	fn deprecate() -> Weight {
		Weight::from_parts(16_000_000, 3_800).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
	}
	fn reinstate() -> Weight {
		Weight::from_parts(16_000_000, 3_800).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
	}
	fn offer_transfer() -> Weight {
		Weight::from_parts(16_000_000, 3_800).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
	}
	fn withdraw_offer() -> Weight {
		Weight::from_parts(18_000_000, 3_800).saturating_add(RocksDbWeight::get().reads_writes(2, 1))
	}
	fn accept_transfer() -> Weight {
		Weight::from_parts(110_000_000, 8_000).saturating_add(RocksDbWeight::get().reads_writes(7, 8))
	}
	fn remove(v: u32) -> Weight {
		Weight::from_parts(80_000_000, 7_000)
			.saturating_add(Weight::from_parts(6_000_000, 4_300).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads_writes(4, 6))
			.saturating_add(RocksDbWeight::get().reads_writes(v.into(), u64::from(v).saturating_mul(2)))
	}
	fn commit_model() -> Weight {
		Weight::from_parts(60_000_000, 3_800).saturating_add(RocksDbWeight::get().reads_writes(4, 3))
	}
	fn drop_commitment() -> Weight {
		Weight::from_parts(55_000_000, 3_800).saturating_add(RocksDbWeight::get().reads_writes(3, 3))
	}
}
