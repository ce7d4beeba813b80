//! Weights of `pallet_inference_jobs`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.
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
	fn submit_job(n: u32) -> Weight;
	fn submit_batch(n: u32) -> Weight;
	fn submit_later() -> Weight;
	fn look_further(d: u32) -> Weight;
	fn poke() -> Weight;
	fn tick_base() -> Weight;
	fn tick_look() -> Weight;
	fn tick_time_out(e: u32) -> Weight;
	fn tick_settle(p: u32, c: u32, d: u32) -> Weight;
	fn tick_contradict(f: u32) -> Weight;
	fn tick_wait() -> Weight;
	fn tick_prune(g: u32) -> Weight;
}

/// Weights with what the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `NodeStaking::Nodes` (r:128 w:0)
	/// Storage: `ModelRegistry::Models` (r:5 w:1)
	/// Storage: `ModelRegistry::Versions` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Calibrations` (r:1 w:0)
	/// Storage: `InferenceJobs::NextJobId` (r:1 w:1)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `System::ParentHash` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `RevenueSplit::Clearings` (r:2 w:2)
	/// Storage: `RevenueSplit::Asks` (r:2 w:0)
	/// Storage: `RevenueSplit::Markets` (r:1 w:1)
	/// Storage: `NodeStaking::EpochStarts` (r:128 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:128 w:1)
	/// Storage: `RevenueSplit::EpochSeed` (r:1 w:0)
	/// Storage: `RevenueSplit::Curators` (r:1 w:0)
	/// Storage: `RevenueSplit::LastCleared` (r:1 w:1)
	/// Storage: `RevenueSplit::StoredCount` (r:1 w:1)
	/// Storage: `RevenueSplit::StoredAt` (r:1 w:1)
	/// Storage: `RevenueSplit::SummarisedEpochs` (r:1 w:1)
	/// Storage: `InferenceJobs::LastDraws` (r:1 w:1)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `RevenueSplit::Summaries` (r:0 w:2)
	/// Storage: `RevenueSplit::StoredModels` (r:0 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:1)
	/// Storage: `InferenceJobs::Jobs` (r:0 w:1)
	/// Storage: `InferenceJobs::Assignments` (r:0 w:1)
	/// `n` is from 2 to 128.
	fn submit_job(n: u32) -> Weight {
		Weight::from_parts(1_130_870_203, 0)
			.saturating_add(Weight::from_parts(28_316_097, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(26_u64))
			.saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(20_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:128 w:0)
	/// Storage: `ModelRegistry::Models` (r:5 w:1)
	/// Storage: `ModelRegistry::Versions` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Calibrations` (r:1 w:0)
	/// Storage: `InferenceJobs::NextJobId` (r:1 w:1)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `System::ParentHash` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `RevenueSplit::Clearings` (r:2 w:2)
	/// Storage: `RevenueSplit::Asks` (r:2 w:0)
	/// Storage: `RevenueSplit::Markets` (r:1 w:1)
	/// Storage: `NodeStaking::EpochStarts` (r:128 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:128 w:1)
	/// Storage: `RevenueSplit::EpochSeed` (r:1 w:0)
	/// Storage: `RevenueSplit::Curators` (r:1 w:0)
	/// Storage: `RevenueSplit::LastCleared` (r:1 w:1)
	/// Storage: `RevenueSplit::StoredCount` (r:1 w:1)
	/// Storage: `RevenueSplit::StoredAt` (r:1 w:1)
	/// Storage: `RevenueSplit::SummarisedEpochs` (r:1 w:1)
	/// Storage: `InferenceJobs::LastDraws` (r:1 w:1)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `RevenueSplit::Summaries` (r:0 w:2)
	/// Storage: `RevenueSplit::StoredModels` (r:0 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:1)
	/// Storage: `InferenceJobs::Jobs` (r:0 w:1)
	/// Storage: `InferenceJobs::Assignments` (r:0 w:1)
	/// `n` is from 2 to 128.
	fn submit_batch(n: u32) -> Weight {
		Weight::from_parts(1_679_370_114, 0)
			.saturating_add(Weight::from_parts(20_879_406, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(26_u64))
			.saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(20_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:5 w:0)
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	/// Storage: `ModelRegistry::Versions` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Calibrations` (r:1 w:0)
	/// Storage: `InferenceJobs::NextJobId` (r:1 w:1)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `System::ParentHash` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `RevenueSplit::Clearings` (r:1 w:1)
	/// Storage: `RevenueSplit::Curators` (r:1 w:0)
	/// Storage: `RevenueSplit::Markets` (r:1 w:1)
	/// Storage: `InferenceJobs::LastDraws` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:4 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `InferenceJobs::Due` (r:0 w:1)
	/// Storage: `InferenceJobs::Jobs` (r:0 w:1)
	/// Storage: `InferenceJobs::Assignments` (r:0 w:1)
	fn submit_later() -> Weight {
		Weight::from_parts(467_807_000, 0)
			.saturating_add(T::DbWeight::get().reads(24_u64))
			.saturating_add(T::DbWeight::get().writes(12_u64))
	}
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `System::ParentHash` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:64 w:0)
	/// Storage: `NodeStaking::Standings` (r:64 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// `d` is from 1 to 64.
	fn look_further(d: u32) -> Weight {
		Weight::from_parts(212_142_080, 0)
			.saturating_add(Weight::from_parts(14_618_564, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(d.into())))
	}
	/// Storage: `InferenceJobs::Jobs` (r:7 w:1)
	/// Storage: `InferenceJobs::AverageReward` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:64 w:1)
	/// Storage: `NodeStaking::Nodes` (r:64 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:3 w:3)
	/// Storage: `NodeStaking::Slashes` (r:1 w:1)
	/// Storage: `NodeStaking::Pools` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:3 w:3)
	/// Storage: `VoterList::ListBags` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:0)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `RevenueSplit::Earnings` (r:1 w:1)
	/// Storage: `RevenueSplit::Clearings` (r:1 w:0)
	/// Storage: `InferenceJobs::LastDraws` (r:1 w:0)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `System::ParentHash` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `InferenceJobs::Retention` (r:1 w:0)
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:2)
	/// Storage: `InferenceJobs::Assignments` (r:0 w:1)
	fn poke() -> Weight {
		Weight::from_parts(1_579_293_000, 0)
			.saturating_add(T::DbWeight::get().reads(165_u64))
			.saturating_add(T::DbWeight::get().writes(26_u64))
	}
	/// Storage: `InferenceJobs::NextDue` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:1 w:0)
	fn tick_base() -> Weight {
		Weight::from_parts(12_599_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `InferenceJobs::Due` (r:1 w:0)
	/// Storage: `InferenceJobs::Jobs` (r:1 w:0)
	fn tick_look() -> Weight {
		Weight::from_parts(31_618_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
	}
	/// Storage: `InferenceJobs::AverageReward` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:64 w:1)
	/// Storage: `NodeStaking::Nodes` (r:64 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:3 w:3)
	/// Storage: `NodeStaking::Slashes` (r:1 w:1)
	/// Storage: `NodeStaking::Pools` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:3 w:3)
	/// Storage: `VoterList::ListBags` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:0)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `RevenueSplit::Earnings` (r:1 w:1)
	/// Storage: `RevenueSplit::Clearings` (r:1 w:0)
	/// Storage: `InferenceJobs::Jobs` (r:6 w:1)
	/// Storage: `InferenceJobs::LastDraws` (r:1 w:0)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `System::ParentHash` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `InferenceJobs::Retention` (r:1 w:0)
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:2)
	/// Storage: `InferenceJobs::Assignments` (r:0 w:1)
	/// `e` is from 0 to 63.
	fn tick_time_out(e: u32) -> Weight {
		Weight::from_parts(944_924_896, 0)
			.saturating_add(Weight::from_parts(16_279_004, 0).saturating_mul(e.into()))
			.saturating_add(T::DbWeight::get().reads(37_u64))
			.saturating_add(T::DbWeight::get().reads(3_u64.saturating_mul(e.into())))
			.saturating_add(T::DbWeight::get().writes(26_u64))
	}
	/// Storage: `RevenueSplit::Clearings` (r:1 w:0)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `NodeStaking::Nodes` (r:2 w:0)
	/// Storage: `RevenueSplit::Earnings` (r:12 w:12)
	/// Storage: `RevenueSplit::StoragePay` (r:1 w:1)
	/// Storage: `RevenueSplit::Debts` (r:4 w:4)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `RevenueSplit::Curators` (r:1 w:1)
	/// Storage: `RevenueSplit::Summaries` (r:1 w:1)
	/// Storage: `InferenceJobs::AverageReward` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `InferenceJobs::Retention` (r:1 w:0)
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:2)
	/// Storage: `InferenceJobs::Jobs` (r:0 w:1)
	/// `p` is from 0 to 4.
	/// `c` is from 0 to 1.
	/// `d` is from 0 to 4.
	fn tick_settle(p: u32, c: u32, d: u32) -> Weight {
		Weight::from_parts(329_804_600, 0)
			.saturating_add(Weight::from_parts(7_667_400, 0).saturating_mul(p.into()))
			.saturating_add(Weight::from_parts(14_030_000, 0).saturating_mul(c.into()))
			.saturating_add(Weight::from_parts(20_459_400, 0).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads(14_u64))
			.saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(p.into())))
			.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(c.into())))
			.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(d.into())))
			.saturating_add(T::DbWeight::get().writes(13_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64.saturating_mul(p.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(c.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(d.into())))
	}
	/// Storage: `NodeStaking::Standings` (r:2 w:2)
	/// Storage: `NodeStaking::Nodes` (r:2 w:2)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Storage: `System::Account` (r:3 w:3)
	/// Storage: `NodeStaking::Slashes` (r:2 w:2)
	/// Storage: `NodeStaking::Pools` (r:2 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:6 w:6)
	/// Storage: `VoterList::ListBags` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:0)
	/// Storage: `NodeStaking::BondTree` (r:15 w:15)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `RevenueSplit::Earnings` (r:1 w:1)
	/// `f` is from 1 to 2.
	fn tick_contradict(f: u32) -> Weight {
		Weight::from_parts(422_259_000, 0)
			.saturating_add(Weight::from_parts(129_002_000, 0).saturating_mul(f.into()))
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().reads(16_u64.saturating_mul(f.into())))
			.saturating_add(T::DbWeight::get().writes(5_u64))
			.saturating_add(T::DbWeight::get().writes(15_u64.saturating_mul(f.into())))
	}
	/// Storage: `InferenceJobs::Jobs` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:2)
	fn tick_wait() -> Weight {
		Weight::from_parts(22_944_000, 0)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `RevenueSplit::Clearings` (r:1 w:1)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `RevenueSplit::LastCleared` (r:1 w:1)
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:1)
	/// Storage: `ProofOfWorkDone::Forced` (r:1 w:0)
	/// Storage: `InferenceJobs::LastDraws` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:1)
	/// Storage: `InferenceJobs::Jobs` (r:0 w:1)
	/// Storage: `ProofOfWorkDone::Commitments` (r:0 w:1)
	/// `g` is from 0 to 3.
	fn tick_prune(g: u32) -> Weight {
		Weight::from_parts(49_175_200, 0)
			.saturating_add(Weight::from_parts(7_665_400, 0).saturating_mul(g.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(g.into())))
			.saturating_add(T::DbWeight::get().writes(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64.saturating_mul(g.into())))
	}
}

/// For tests.
impl WeightInfo for () {
	fn submit_job(n: u32) -> Weight {
		Weight::from_parts(1_130_870_203, 0)
			.saturating_add(Weight::from_parts(28_316_097, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(26_u64))
			.saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(20_u64))
	}
	fn submit_batch(n: u32) -> Weight {
		Weight::from_parts(1_679_370_114, 0)
			.saturating_add(Weight::from_parts(20_879_406, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(26_u64))
			.saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(20_u64))
	}
	fn submit_later() -> Weight {
		Weight::from_parts(467_807_000, 0)
			.saturating_add(RocksDbWeight::get().reads(24_u64))
			.saturating_add(RocksDbWeight::get().writes(12_u64))
	}
	fn look_further(d: u32) -> Weight {
		Weight::from_parts(212_142_080, 0)
			.saturating_add(Weight::from_parts(14_618_564, 0).saturating_mul(d.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(d.into())))
	}
	fn poke() -> Weight {
		Weight::from_parts(1_579_293_000, 0)
			.saturating_add(RocksDbWeight::get().reads(165_u64))
			.saturating_add(RocksDbWeight::get().writes(26_u64))
	}
	fn tick_base() -> Weight {
		Weight::from_parts(12_599_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn tick_look() -> Weight {
		Weight::from_parts(31_618_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
	}
	fn tick_time_out(e: u32) -> Weight {
		Weight::from_parts(944_924_896, 0)
			.saturating_add(Weight::from_parts(16_279_004, 0).saturating_mul(e.into()))
			.saturating_add(RocksDbWeight::get().reads(37_u64))
			.saturating_add(RocksDbWeight::get().reads(3_u64.saturating_mul(e.into())))
			.saturating_add(RocksDbWeight::get().writes(26_u64))
	}
	fn tick_settle(p: u32, c: u32, d: u32) -> Weight {
		Weight::from_parts(329_804_600, 0)
			.saturating_add(Weight::from_parts(7_667_400, 0).saturating_mul(p.into()))
			.saturating_add(Weight::from_parts(14_030_000, 0).saturating_mul(c.into()))
			.saturating_add(Weight::from_parts(20_459_400, 0).saturating_mul(d.into()))
			.saturating_add(RocksDbWeight::get().reads(14_u64))
			.saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(p.into())))
			.saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(c.into())))
			.saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(d.into())))
			.saturating_add(RocksDbWeight::get().writes(13_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64.saturating_mul(p.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(c.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(d.into())))
	}
	fn tick_contradict(f: u32) -> Weight {
		Weight::from_parts(422_259_000, 0)
			.saturating_add(Weight::from_parts(129_002_000, 0).saturating_mul(f.into()))
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().reads(16_u64.saturating_mul(f.into())))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
			.saturating_add(RocksDbWeight::get().writes(15_u64.saturating_mul(f.into())))
	}
	fn tick_wait() -> Weight {
		Weight::from_parts(22_944_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn tick_prune(g: u32) -> Weight {
		Weight::from_parts(49_175_200, 0)
			.saturating_add(Weight::from_parts(7_665_400, 0).saturating_mul(g.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(g.into())))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64.saturating_mul(g.into())))
	}
}
// Written by scripts/weights as it is: blake2-256 c8e42f44a7d20a7db16a8543cae07fd1014f891da779a988fdd9a78146c59f7f
