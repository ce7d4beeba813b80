//! Weights of `pallet_revenue_split`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.
//!
//! Measured on 2026-11-30 in 20 steps of 20 runs, by `Intel(R) Xeon(R) Processor @ 2.80GHz`.
//!
//! Each is a line that no size lies above: times by the median of a size's runs, accesses by all of them. Proofs have no
//! size on a chain of its own: the second dimension counts what is left to later blocks, and is 0 here.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// Weights of what `benchmarking.rs` measures, each at its worst.
pub trait WeightInfo {
	fn no_epoch() -> Weight;
	fn begin_epoch() -> Weight;
	fn commit_asks(n: u32) -> Weight;
	fn authorize_commit_asks(n: u32) -> Weight;
	fn reveal_asks(n: u32) -> Weight;
	fn authorize_reveal_asks(n: u32) -> Weight;
	fn end_commitment() -> Weight;
	fn clear(a: u32) -> Weight;
	fn set_curator() -> Weight;
	fn claim() -> Weight;
	fn claim_storage_pay() -> Weight;
	fn prune(a: u32) -> Weight;
}

/// Weights with what the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	fn no_epoch() -> Weight {
		Weight::from_parts(11_373_000, 0)
			.saturating_add(T::DbWeight::get().reads(1_u64))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `System::ParentHash` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochSeed` (r:0 w:1)
	fn begin_epoch() -> Weight {
		Weight::from_parts(28_673_000, 0)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `RevenueSplit::CommitmentPlaces` (r:24 w:24)
	/// Storage: `RevenueSplit::CommitmentQueues` (r:12 w:12)
	/// Storage: `RevenueSplit::Commitments` (r:96 w:24)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `ModelRegistry::Models` (r:12 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `RevenueSplit::SummarisedEpochs` (r:12 w:0)
	/// Storage: `RevenueSplit::Summaries` (r:24 w:0)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `RevenueSplit::Asks` (r:12 w:0)
	/// Storage: `RevenueSplit::Markets` (r:12 w:0)
	/// `n` is from 1 to 24.
	fn commit_asks(n: u32) -> Weight {
		Weight::from_parts(450_075_580, 0)
			.saturating_add(Weight::from_parts(227_062_571, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().reads(9_u64.saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64.saturating_mul(n.into())))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Storage: `ModelRegistry::Models` (r:12 w:0)
	/// Storage: `RevenueSplit::CommitmentPlaces` (r:24 w:0)
	/// Storage: `RevenueSplit::SummarisedEpochs` (r:12 w:0)
	/// Storage: `RevenueSplit::Summaries` (r:24 w:0)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `RevenueSplit::Asks` (r:11 w:0)
	/// Storage: `RevenueSplit::Markets` (r:11 w:0)
	/// `n` is from 1 to 24.
	fn authorize_commit_asks(n: u32) -> Weight {
		Weight::from_parts(721_304_647, 0)
			.saturating_add(Weight::from_parts(84_618_123, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(n.into())))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `RevenueSplit::CommitmentPlaces` (r:24 w:24)
	/// Storage: `RevenueSplit::Commitments` (r:24 w:24)
	/// Storage: `ModelRegistry::Models` (r:12 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1537 w:0)
	/// Storage: `RevenueSplit::CommitmentQueues` (r:12 w:12)
	/// Storage: `RevenueSplit::Asks` (r:24 w:24)
	/// Storage: `NodeStaking::Pledges` (r:1537 w:0)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:1537 w:24)
	/// `n` is from 1 to 24.
	fn reveal_asks(n: u32) -> Weight {
		Weight::from_parts(10_289_441_430, 0)
			.saturating_add(Weight::from_parts(3_015_090_935, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().reads(196_u64.saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(5_u64.saturating_mul(n.into())))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Storage: `RevenueSplit::CommitmentPlaces` (r:24 w:0)
	/// Storage: `RevenueSplit::Commitments` (r:24 w:0)
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// `n` is from 1 to 24.
	fn authorize_reveal_asks(n: u32) -> Weight {
		Weight::from_parts(170_586_580, 0)
			.saturating_add(Weight::from_parts(18_241_971, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(n.into())))
	}
	/// Storage: `RevenueSplit::CommitmentQueues` (r:1 w:1)
	/// Storage: `RevenueSplit::Commitments` (r:1 w:1)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `NodeStaking::Slashes` (r:1 w:1)
	/// Storage: `NodeStaking::Pools` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:1 w:1)
	/// Storage: `VoterList::ListBags` (r:2 w:2)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:0)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `RevenueSplit::Earnings` (r:1 w:1)
	/// Storage: `RevenueSplit::CommitmentPlaces` (r:0 w:1)
	fn end_commitment() -> Weight {
		Weight::from_parts(561_917_000, 0)
			.saturating_add(T::DbWeight::get().reads(26_u64))
			.saturating_add(T::DbWeight::get().writes(22_u64))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `RevenueSplit::Asks` (r:2 w:0)
	/// Storage: `RevenueSplit::Clearings` (r:2 w:2)
	/// Storage: `RevenueSplit::Markets` (r:1 w:1)
	/// Storage: `ModelRegistry::Models` (r:5 w:0)
	/// Storage: `ModelRegistry::Versions` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:128 w:0)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:128 w:0)
	/// Storage: `NodeStaking::Standings` (r:128 w:0)
	/// Storage: `RevenueSplit::EpochSeed` (r:1 w:0)
	/// Storage: `RevenueSplit::LastCleared` (r:1 w:1)
	/// Storage: `RevenueSplit::StoredCount` (r:1 w:1)
	/// Storage: `RevenueSplit::StoredAt` (r:1 w:1)
	/// Storage: `RevenueSplit::SummarisedEpochs` (r:1 w:1)
	/// Storage: `RevenueSplit::CommitmentQueues` (r:1 w:1)
	/// Storage: `RevenueSplit::Commitments` (r:8 w:0)
	/// Storage: `RevenueSplit::Summaries` (r:0 w:2)
	/// Storage: `RevenueSplit::StoredModels` (r:0 w:1)
	/// `a` is from 2 to 256.
	fn clear(a: u32) -> Weight {
		Weight::from_parts(3_757_702_692, 0)
			.saturating_add(Weight::from_parts(17_244_814, 0).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(151_u64))
			.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(a.into())))
			.saturating_add(T::DbWeight::get().writes(11_u64))
	}
	/// Storage: `RevenueSplit::Curators` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	fn set_curator() -> Weight {
		Weight::from_parts(99_338_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `RevenueSplit::Earnings` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	fn claim() -> Weight {
		Weight::from_parts(102_064_000, 0)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `RevenueSplit::StoragePay` (r:1 w:1)
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `StorageProofs::Challenges` (r:1 w:0)
	/// Storage: `StorageProofs::Asked` (r:1 w:0)
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `RevenueSplit::Earnings` (r:1 w:1)
	fn claim_storage_pay() -> Weight {
		Weight::from_parts(79_935_000, 0)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `RevenueSplit::Asks` (r:2 w:2)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `RevenueSplit::Clearings` (r:2 w:1)
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:128 w:128)
	/// Storage: `RevenueSplit::CommitmentQueues` (r:1 w:1)
	/// Storage: `RevenueSplit::Commitments` (r:32 w:0)
	/// Storage: `RevenueSplit::LastCleared` (r:1 w:1)
	/// Storage: `RevenueSplit::Markets` (r:1 w:1)
	/// Storage: `RevenueSplit::SummarisedEpochs` (r:1 w:1)
	/// Storage: `RevenueSplit::StoredAt` (r:1 w:1)
	/// Storage: `RevenueSplit::StoredCount` (r:1 w:1)
	/// Storage: `RevenueSplit::StoredModels` (r:1 w:1)
	/// Storage: `RevenueSplit::Summaries` (r:0 w:32)
	/// `a` is from 2 to 256.
	fn prune(a: u32) -> Weight {
		Weight::from_parts(1_734_527_852, 0)
			.saturating_add(Weight::from_parts(5_616_631, 0).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(45_u64))
			.saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(a.into())))
			.saturating_add(T::DbWeight::get().writes(42_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64.saturating_mul(a.into())))
	}
}

/// For tests.
impl WeightInfo for () {
	fn no_epoch() -> Weight {
		Weight::from_parts(11_373_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
	}
	fn begin_epoch() -> Weight {
		Weight::from_parts(28_673_000, 0)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn commit_asks(n: u32) -> Weight {
		Weight::from_parts(450_075_580, 0)
			.saturating_add(Weight::from_parts(227_062_571, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().reads(9_u64.saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64.saturating_mul(n.into())))
	}
	fn authorize_commit_asks(n: u32) -> Weight {
		Weight::from_parts(721_304_647, 0)
			.saturating_add(Weight::from_parts(84_618_123, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(n.into())))
	}
	fn reveal_asks(n: u32) -> Weight {
		Weight::from_parts(10_289_441_430, 0)
			.saturating_add(Weight::from_parts(3_015_090_935, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().reads(196_u64.saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(5_u64.saturating_mul(n.into())))
	}
	fn authorize_reveal_asks(n: u32) -> Weight {
		Weight::from_parts(170_586_580, 0)
			.saturating_add(Weight::from_parts(18_241_971, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(n.into())))
	}
	fn end_commitment() -> Weight {
		Weight::from_parts(561_917_000, 0)
			.saturating_add(RocksDbWeight::get().reads(26_u64))
			.saturating_add(RocksDbWeight::get().writes(22_u64))
	}
	fn clear(a: u32) -> Weight {
		Weight::from_parts(3_757_702_692, 0)
			.saturating_add(Weight::from_parts(17_244_814, 0).saturating_mul(a.into()))
			.saturating_add(RocksDbWeight::get().reads(151_u64))
			.saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(a.into())))
			.saturating_add(RocksDbWeight::get().writes(11_u64))
	}
	fn set_curator() -> Weight {
		Weight::from_parts(99_338_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn claim() -> Weight {
		Weight::from_parts(102_064_000, 0)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn claim_storage_pay() -> Weight {
		Weight::from_parts(79_935_000, 0)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn prune(a: u32) -> Weight {
		Weight::from_parts(1_734_527_852, 0)
			.saturating_add(Weight::from_parts(5_616_631, 0).saturating_mul(a.into()))
			.saturating_add(RocksDbWeight::get().reads(45_u64))
			.saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(a.into())))
			.saturating_add(RocksDbWeight::get().writes(42_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64.saturating_mul(a.into())))
	}
}
// Written by scripts/weights as it is: blake2-256 51b6b9b117f370d702b3974b7ea2873482f41c6186f3c378d2a345a4e48df89c
