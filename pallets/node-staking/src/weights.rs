//! Weights of `pallet_node_staking`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.
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
	fn register() -> Weight;
	fn update_node() -> Weight;
	fn bond_extra() -> Weight;
	fn unbond() -> Weight;
	fn withdraw_unbonded() -> Weight;
	fn chill() -> Weight;
	fn resume() -> Weight;
	fn host() -> Weight;
	fn unhost() -> Weight;
	fn deregister() -> Weight;
	fn heartbeat() -> Weight;
	fn authorize_heartbeat() -> Weight;
	fn reap() -> Weight;
	fn delegate() -> Weight;
	fn undelegate() -> Weight;
	fn withdraw_delegation() -> Weight;
	fn claim_rewards() -> Weight;
	fn set_commission() -> Weight;
	fn note_author() -> Weight;
	fn end_session(v: u32) -> Weight;
	fn start_session(v: u32) -> Weight;
	fn new_session(n: u32) -> Weight;
	fn on_offence() -> Weight;
	fn slash() -> Weight;
	fn fine() -> Weight;
	fn draw_judge() -> Weight;
}

/// Weights with what the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `NodeStaking::NodeOf` (r:1 w:1)
	/// Storage: `NodeStaking::NodeOfWorker` (r:1 w:1)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `NodeStaking::NextNodeId` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `NodeStaking::Pools` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:2 w:2)
	/// Storage: `VoterList::ListBags` (r:1 w:1)
	/// Storage: `VoterList::CounterForListNodes` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:1)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `NodeStaking::Nodes` (r:0 w:1)
	fn register() -> Weight {
		Weight::from_parts(630_174_000, 0)
			.saturating_add(T::DbWeight::get().reads(23_u64))
			.saturating_add(T::DbWeight::get().writes(20_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::NodeOfWorker` (r:1 w:2)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn update_node() -> Weight {
		Weight::from_parts(235_089_000, 0)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `NodeStaking::Pools` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:3 w:3)
	/// Storage: `VoterList::ListBags` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:1)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	fn bond_extra() -> Weight {
		Weight::from_parts(561_319_000, 0)
			.saturating_add(T::DbWeight::get().reads(25_u64))
			.saturating_add(T::DbWeight::get().writes(18_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:3 w:3)
	/// Storage: `VoterList::CounterForListNodes` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:1)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	fn unbond() -> Weight {
		Weight::from_parts(318_951_000, 0)
			.saturating_add(T::DbWeight::get().reads(22_u64))
			.saturating_add(T::DbWeight::get().writes(15_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(219_637_000, 0)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:3 w:3)
	/// Storage: `VoterList::CounterForListNodes` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:1)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	fn chill() -> Weight {
		Weight::from_parts(379_199_000, 0)
			.saturating_add(T::DbWeight::get().reads(22_u64))
			.saturating_add(T::DbWeight::get().writes(15_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::Pools` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:2 w:2)
	/// Storage: `VoterList::ListBags` (r:1 w:1)
	/// Storage: `VoterList::CounterForListNodes` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:1)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	fn resume() -> Weight {
		Weight::from_parts(360_110_000, 0)
			.saturating_add(T::DbWeight::get().reads(22_u64))
			.saturating_add(T::DbWeight::get().writes(15_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	fn host() -> Weight {
		Weight::from_parts(146_985_000, 0)
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	fn unhost() -> Weight {
		Weight::from_parts(164_420_000, 0)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:1)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `VoterList::ListNodes` (r:1 w:0)
	/// Storage: `NodeStaking::Pools` (r:1 w:1)
	/// Storage: `NodeStaking::Pledges` (r:0 w:1)
	/// Storage: `NodeStaking::NodeOfWorker` (r:0 w:1)
	/// Storage: `NodeStaking::Slashes` (r:0 w:1)
	/// Storage: `CapacityProbes::Answers` (r:0 w:1)
	/// Storage: `CapacityProbes::Measurements` (r:0 w:1)
	fn deregister() -> Weight {
		Weight::from_parts(466_180_000, 0)
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().writes(12_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `CapacityProbes::Terms` (r:1 w:0)
	/// Storage: `CapacityProbes::Measurements` (r:1 w:1)
	/// Storage: `CapacityProbes::Round` (r:1 w:0)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `CapacityProbes::Answers` (r:0 w:1)
	fn heartbeat() -> Weight {
		Weight::from_parts(209_994_000, 0)
			.saturating_add(T::DbWeight::get().reads(10_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn authorize_heartbeat() -> Weight {
		Weight::from_parts(148_712_000, 0)
			.saturating_add(T::DbWeight::get().reads(4_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:1 w:0)
	/// Storage: `NodeStaking::Pools` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `NodeStaking::Pledges` (r:0 w:1)
	/// Storage: `NodeStaking::NodeOfWorker` (r:0 w:1)
	/// Storage: `NodeStaking::Slashes` (r:0 w:1)
	/// Storage: `NodeStaking::NodeOf` (r:0 w:1)
	/// Storage: `CapacityProbes::Answers` (r:0 w:1)
	/// Storage: `CapacityProbes::Measurements` (r:0 w:1)
	fn reap() -> Weight {
		Weight::from_parts(271_241_000, 0)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(11_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `NodeStaking::Pools` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `NodeStaking::Delegations` (r:1 w:1)
	/// Storage: `NodeStaking::FormerGenerations` (r:1 w:1)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:1 w:1)
	/// Storage: `VoterList::ListBags` (r:2 w:2)
	fn delegate() -> Weight {
		Weight::from_parts(379_597_000, 0)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	/// Storage: `NodeStaking::Delegations` (r:1 w:1)
	/// Storage: `NodeStaking::Pools` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:2 w:2)
	/// Storage: `VoterList::ListBags` (r:2 w:2)
	fn undelegate() -> Weight {
		Weight::from_parts(230_816_000, 0)
			.saturating_add(T::DbWeight::get().reads(9_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `NodeStaking::Delegations` (r:1 w:1)
	/// Storage: `NodeStaking::Pools` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `System::Account` (r:2 w:2)
	fn withdraw_delegation() -> Weight {
		Weight::from_parts(274_832_000, 0)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `NodeStaking::Pools` (r:1 w:1)
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Delegations` (r:1 w:1)
	/// Storage: `NodeStaking::FormerGenerations` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	fn claim_rewards() -> Weight {
		Weight::from_parts(320_263_000, 0)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Pools` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	fn set_commission() -> Weight {
		Weight::from_parts(88_971_000, 0)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `NodeStaking::Authored` (r:1 w:1)
	fn note_author() -> Weight {
		Weight::from_parts(26_059_000, 0)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `NodeStaking::Authored` (r:101 w:100)
	/// Storage: `NodeStaking::NodeOf` (r:100 w:0)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `NodeStaking::Minted` (r:1 w:1)
	/// Storage: `NodeStaking::Nodes` (r:100 w:0)
	/// Storage: `NodeStaking::Pools` (r:100 w:100)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// `v` is from 1 to 100.
	fn end_session(v: u32) -> Weight {
		Weight::from_parts(808_393_068, 0)
			.saturating_add(Weight::from_parts(58_157_478, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(v.into())))
	}
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:1)
	/// Storage: `Historical::StoredRange` (r:1 w:1)
	/// Storage: `NodeStaking::OffenceShares` (r:100 w:100)
	/// Storage: `Historical::HistoricalSessions` (r:0 w:2)
	/// `v` is from 1 to 100.
	fn start_session(v: u32) -> Weight {
		Weight::from_parts(91_644_476, 0)
			.saturating_add(Weight::from_parts(1_531_161, 0).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(6_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64.saturating_mul(v.into())))
	}
	/// Storage: `VoterList::ListBags` (r:33 w:0)
	/// Storage: `VoterList::ListNodes` (r:2049 w:0)
	/// Storage: `Session::NextKeys` (r:2048 w:0)
	/// Storage: `NodeStaking::NodeOf` (r:400 w:0)
	/// Storage: `NodeStaking::Nodes` (r:400 w:0)
	/// Storage: `NodeStaking::Pools` (r:400 w:0)
	/// `n` is from 1 to 2048.
	fn new_session(n: u32) -> Weight {
		Weight::from_parts(14_849_923_792, 0)
			.saturating_add(Weight::from_parts(27_271_672, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(803_u64))
			.saturating_add(T::DbWeight::get().reads(3_u64.saturating_mul(n.into())))
	}
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `NodeStaking::OffenceShares` (r:1 w:1)
	/// Storage: `NodeStaking::Pools` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:3 w:3)
	/// Storage: `NodeStaking::Slashes` (r:1 w:1)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:1 w:1)
	/// Storage: `VoterList::ListBags` (r:1 w:1)
	/// Storage: `VoterList::CounterForListNodes` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:1)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::FormerGenerations` (r:0 w:1)
	/// Storage: `ProofOfWorkDone::Suspects` (r:0 w:1)
	fn on_offence() -> Weight {
		Weight::from_parts(803_365_000, 0)
			.saturating_add(T::DbWeight::get().reads(28_u64))
			.saturating_add(T::DbWeight::get().writes(24_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `NodeStaking::Slashes` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:3 w:3)
	/// Storage: `VoterList::CounterForListNodes` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:1)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	fn slash() -> Weight {
		Weight::from_parts(548_682_000, 0)
			.saturating_add(T::DbWeight::get().reads(25_u64))
			.saturating_add(T::DbWeight::get().writes(20_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:1)
	/// Storage: `NodeStaking::Standings` (r:1 w:0)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `NodeStaking::Slashes` (r:1 w:1)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:3 w:3)
	/// Storage: `VoterList::CounterForListNodes` (r:1 w:1)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:1)
	/// Storage: `NodeStaking::BondTree` (r:8 w:8)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::Pledges` (r:1 w:1)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	fn fine() -> Weight {
		Weight::from_parts(527_529_000, 0)
			.saturating_add(T::DbWeight::get().reads(25_u64))
			.saturating_add(T::DbWeight::get().writes(19_u64))
	}
	/// Storage: `NodeStaking::NodeOf` (r:6 w:0)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:0)
	/// Storage: `NodeStaking::BondTree` (r:106 w:0)
	/// Storage: `NodeStaking::Nodes` (r:16 w:0)
	/// Storage: `NodeStaking::Standings` (r:16 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	fn draw_judge() -> Weight {
		Weight::from_parts(1_667_433_000, 0)
			.saturating_add(T::DbWeight::get().reads(146_u64))
	}
}

/// For tests.
impl WeightInfo for () {
	fn register() -> Weight {
		Weight::from_parts(630_174_000, 0)
			.saturating_add(RocksDbWeight::get().reads(23_u64))
			.saturating_add(RocksDbWeight::get().writes(20_u64))
	}
	fn update_node() -> Weight {
		Weight::from_parts(235_089_000, 0)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn bond_extra() -> Weight {
		Weight::from_parts(561_319_000, 0)
			.saturating_add(RocksDbWeight::get().reads(25_u64))
			.saturating_add(RocksDbWeight::get().writes(18_u64))
	}
	fn unbond() -> Weight {
		Weight::from_parts(318_951_000, 0)
			.saturating_add(RocksDbWeight::get().reads(22_u64))
			.saturating_add(RocksDbWeight::get().writes(15_u64))
	}
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(219_637_000, 0)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn chill() -> Weight {
		Weight::from_parts(379_199_000, 0)
			.saturating_add(RocksDbWeight::get().reads(22_u64))
			.saturating_add(RocksDbWeight::get().writes(15_u64))
	}
	fn resume() -> Weight {
		Weight::from_parts(360_110_000, 0)
			.saturating_add(RocksDbWeight::get().reads(22_u64))
			.saturating_add(RocksDbWeight::get().writes(15_u64))
	}
	fn host() -> Weight {
		Weight::from_parts(146_985_000, 0)
			.saturating_add(RocksDbWeight::get().reads(9_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn unhost() -> Weight {
		Weight::from_parts(164_420_000, 0)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	fn deregister() -> Weight {
		Weight::from_parts(466_180_000, 0)
			.saturating_add(RocksDbWeight::get().reads(9_u64))
			.saturating_add(RocksDbWeight::get().writes(12_u64))
	}
	fn heartbeat() -> Weight {
		Weight::from_parts(209_994_000, 0)
			.saturating_add(RocksDbWeight::get().reads(10_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn authorize_heartbeat() -> Weight {
		Weight::from_parts(148_712_000, 0)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
	}
	fn reap() -> Weight {
		Weight::from_parts(271_241_000, 0)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(11_u64))
	}
	fn delegate() -> Weight {
		Weight::from_parts(379_597_000, 0)
			.saturating_add(RocksDbWeight::get().reads(11_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
	fn undelegate() -> Weight {
		Weight::from_parts(230_816_000, 0)
			.saturating_add(RocksDbWeight::get().reads(9_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn withdraw_delegation() -> Weight {
		Weight::from_parts(274_832_000, 0)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn claim_rewards() -> Weight {
		Weight::from_parts(320_263_000, 0)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn set_commission() -> Weight {
		Weight::from_parts(88_971_000, 0)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn note_author() -> Weight {
		Weight::from_parts(26_059_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn end_session(v: u32) -> Weight {
		Weight::from_parts(808_393_068, 0)
			.saturating_add(Weight::from_parts(58_157_478, 0).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(v.into())))
	}
	fn start_session(v: u32) -> Weight {
		Weight::from_parts(91_644_476, 0)
			.saturating_add(Weight::from_parts(1_531_161, 0).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64.saturating_mul(v.into())))
	}
	fn new_session(n: u32) -> Weight {
		Weight::from_parts(14_849_923_792, 0)
			.saturating_add(Weight::from_parts(27_271_672, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(803_u64))
			.saturating_add(RocksDbWeight::get().reads(3_u64.saturating_mul(n.into())))
	}
	fn on_offence() -> Weight {
		Weight::from_parts(803_365_000, 0)
			.saturating_add(RocksDbWeight::get().reads(28_u64))
			.saturating_add(RocksDbWeight::get().writes(24_u64))
	}
	fn slash() -> Weight {
		Weight::from_parts(548_682_000, 0)
			.saturating_add(RocksDbWeight::get().reads(25_u64))
			.saturating_add(RocksDbWeight::get().writes(20_u64))
	}
	fn fine() -> Weight {
		Weight::from_parts(527_529_000, 0)
			.saturating_add(RocksDbWeight::get().reads(25_u64))
			.saturating_add(RocksDbWeight::get().writes(19_u64))
	}
	fn draw_judge() -> Weight {
		Weight::from_parts(1_667_433_000, 0)
			.saturating_add(RocksDbWeight::get().reads(146_u64))
	}
}
// Written by scripts/weights as it is: blake2-256 3162fb59ba42da9591cad09913a417e2b2ed0cbeaebb87dfb52783762b478399
