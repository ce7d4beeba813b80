//! Weights of `pallet_node_staking`.
//!
//! ESTIMATES: storage accesses are counted by hand for the worst case, execution times are estimated. They hold until
//! `scripts/weights` replaces this file by what the benchmarks measure. The tree of bonds counts with 8 levels, as for
//! more than 2²⁸ nodes; it has ⌈log₁₆ n⌉. What a change of a bond costs is counted together: a move in the list, and that
//! the node was eligible before and is no more, which leaves the list.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// Weight functions needed for `pallet_node_staking`.
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

/// Weights for `pallet_node_staking` in a runtime, with its own database's weights.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `NodeOf` (r:1 w:1), `NodeOfWorker` (r:1 w:1), `System::BlockHash` (r:1), `CurrentSession` (r:1), `NextNodeId` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), `Nodes` (w:1), `Standings` (w:1), `Pools` (r:1), list: node, counter, bag and old tail (r:4 w:4), tree: an item of each of 8 levels and its shape (r:9 w:9); one sr25519 verification
	fn register() -> Weight {
		Weight::from_parts(150_000_000, 12000)
			.saturating_add(T::DbWeight::get().reads(21_u64))
			.saturating_add(T::DbWeight::get().writes(20_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `NodeOfWorker` (r:1 w:2), `System::BlockHash` (r:1); one sr25519 verification
	fn update_node() -> Weight {
		Weight::from_parts(85_000_000, 5000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), `Standings` (r:1 w:1), `Pools` (r:1), list: move between two bags (r:7 w:6), tree: an item of each of 8 levels and its shape (r:9 w:9), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn bond_extra() -> Weight {
		Weight::from_parts(129_000_000, 19000)
			.saturating_add(T::DbWeight::get().reads(27_u64))
			.saturating_add(T::DbWeight::get().writes(20_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1), `CurrentSession` (r:1), `Pools` (r:1), list: move between two bags (r:7 w:6), tree: an item of each of 8 levels and its shape (r:9 w:9), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn unbond() -> Weight {
		Weight::from_parts(104_000_000, 19000)
			.saturating_add(T::DbWeight::get().reads(24_u64))
			.saturating_add(T::DbWeight::get().writes(17_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(65_000_000, 7000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), list: removal from the middle of a bag (r:5 w:5), tree: an item of each of 8 levels and its shape (r:9 w:9), `Standings` (r:1), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn chill() -> Weight {
		Weight::from_parts(89_000_000, 17000)
			.saturating_add(T::DbWeight::get().reads(21_u64))
			.saturating_add(T::DbWeight::get().writes(16_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Pools` (r:1), list: insertion (r:4 w:4), tree: an item of each of 8 levels and its shape (r:9 w:9), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn resume() -> Weight {
		Weight::from_parts(89_000_000, 17000)
			.saturating_add(T::DbWeight::get().reads(21_u64))
			.saturating_add(T::DbWeight::get().writes(16_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `ModelRegistry::Models` (r:1), `Standings` (r:1), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn host() -> Weight {
		Weight::from_parts(34_000_000, 11000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn unhost() -> Weight {
		Weight::from_parts(29_000_000, 8000)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `NodeOf` (r:1 w:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1 w:1), `Pools` (r:1 w:1), `NodeOfWorker` (w:1), `Slashes` (w:1), list (r:1), whoever says what a node may sell (w:2), `EpochStarts` (w:1)
	fn deregister() -> Weight {
		Weight::from_parts(111_000_000, 12000)
			.saturating_add(T::DbWeight::get().reads(10_u64))
			.saturating_add(T::DbWeight::get().writes(13_u64))
	}
	/// Storage: `Nodes` (r:1), `Standings` (r:1 w:1), whoever says what a node may sell (r:4 w:2), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn heartbeat() -> Weight {
		Weight::from_parts(34_000_000, 12000)
			.saturating_add(T::DbWeight::get().reads(10_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `CurrentSession` (r:1), `Standings` (r:1), `Nodes` (r:1), `System::BlockHash` (r:1); one sr25519 verification
	fn authorize_heartbeat() -> Weight {
		Weight::from_parts(65_000_000, 5000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
	}
	/// Storage: `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Pools` (r:1 w:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1 w:1), `NodeOf` (w:1), `NodeOfWorker` (w:1), `Slashes` (w:1), list (r:1), whoever says what a node may sell (w:2), `EpochStarts` (w:1)
	fn reap() -> Weight {
		Weight::from_parts(71_000_000, 10000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(12_u64))
	}
	/// Storage: `Nodes` (r:1), `Pools` (r:1 w:1), `CurrentSession` (r:1), `System::Account` (r:2 w:2), `Delegations` (r:1 w:1), `FormerGenerations` (r:1 w:1), list: move between two bags (r:7 w:6)
	fn delegate() -> Weight {
		Weight::from_parts(95_000_000, 14000)
			.saturating_add(T::DbWeight::get().reads(14_u64))
			.saturating_add(T::DbWeight::get().writes(11_u64))
	}
	/// Storage: `Delegations` (r:1 w:1), `Pools` (r:1 w:1), `CurrentSession` (r:1), `Nodes` (r:1), list: move between two bags (r:7 w:6)
	fn undelegate() -> Weight {
		Weight::from_parts(65_000_000, 14000)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	/// Storage: `Delegations` (r:1 w:1), `Pools` (r:1 w:1), `CurrentSession` (r:1), `Nodes` (r:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1 w:1)
	fn withdraw_delegation() -> Weight {
		Weight::from_parts(75_000_000, 9000)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Pools` (r:1 w:1), `NodeOf` (r:1), `Delegations` (r:1 w:1), `FormerGenerations` (r:1 w:1), `Nodes` (r:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1 w:1)
	fn claim_rewards() -> Weight {
		Weight::from_parts(75_000_000, 9000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `NodeOf` (r:1), `Pools` (r:1 w:1), `CurrentSession` (r:1), `Nodes` (r:1)
	fn set_commission() -> Weight {
		Weight::from_parts(20_000_000, 5000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Authored` (r:1 w:1)
	fn note_author() -> Weight {
		Weight::from_parts(10_000_000, 2600)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `System::Account` (r:1 w:1), `Balances::TotalIssuance` (r:1 w:1), `Minted` (r:1 w:1), `CurrentSession` (r:1), end of `Authored` (r:1); for each author `Authored` (r:2 w:1), `NodeOf` (r:1), `Nodes` (r:1), `Pools` (r:1 w:1)
	fn end_session(v: u32) -> Weight {
		Weight::from_parts(50_000_000, 6000)
			.saturating_add(Weight::from_parts(35_000_000, 7000).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().reads(5_u64.saturating_mul(v.into())))
			.saturating_add(T::DbWeight::get().writes(3_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(v.into())))
	}
	/// Storage: the market's clock (r:1), `FirstSession` (r:1 w:1), `CurrentSession` (r:1 w:1), the sets of past sessions (r:1 w:2); for each validator `OffenceShares` (r:1 w:1)
	fn start_session(v: u32) -> Weight {
		Weight::from_parts(20_000_000, 4000)
			.saturating_add(Weight::from_parts(2_000_000, 2600).saturating_mul(v.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads(v.into()))
			.saturating_add(T::DbWeight::get().writes(4_u64))
			.saturating_add(T::DbWeight::get().writes(v.into()))
	}
	/// Storage: list: the bags (r:33); for each on the list its node (r:1), `Session::NextKeys` (r:1); for each of 400 candidates `NodeOf` (r:1), `Nodes` (r:1), `Pools` (r:1)
	fn new_session(n: u32) -> Weight {
		Weight::from_parts(20_000_000_000, 2000000)
			.saturating_add(Weight::from_parts(15_000_000, 5000).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1233_u64))
			.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(n.into())))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `OffenceShares` (r:1 w:1), `Pools` (r:1 w:1), `FormerGenerations` (w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:3 w:3), `Balances::TotalIssuance` (r:1 w:1), `Slashes` (r:1 w:1), list: removal from the middle of a bag (r:5 w:5), tree: an item of each of 8 levels and its shape (r:9 w:9), whoever is told of touched security (w:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn on_offence() -> Weight {
		Weight::from_parts(184_000_000, 23000)
			.saturating_add(T::DbWeight::get().reads(29_u64))
			.saturating_add(T::DbWeight::get().writes(27_u64))
	}
	/// Storage: `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:2 w:2), `Slashes` (r:1 w:1), list: removal from the middle of a bag (r:5 w:5), tree: an item of each of 8 levels and its shape (r:9 w:9), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn slash() -> Weight {
		Weight::from_parts(124_000_000, 19000)
			.saturating_add(T::DbWeight::get().reads(24_u64))
			.saturating_add(T::DbWeight::get().writes(21_u64))
	}
	/// Storage: `Nodes` (r:1 w:1), `Standings` (r:1), `CurrentSession` (r:1), `Pools` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:2 w:2), `Slashes` (r:1 w:1), list: move between two bags (r:7 w:6), tree: an item of each of 8 levels and its shape (r:9 w:9), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn fine() -> Weight {
		Weight::from_parts(129_000_000, 21000)
			.saturating_add(T::DbWeight::get().reads(27_u64))
			.saturating_add(T::DbWeight::get().writes(22_u64))
	}
	/// Storage: `CurrentSession` (r:1), `BondTreeShape` (r:1); for each of 6 parties `NodeOf` (r:1), `BondTree` (r:1); for each of 16 tries `BondTree` (r:8), `Nodes` (r:1), `Standings` (r:1)
	fn draw_judge() -> Weight {
		Weight::from_parts(250_000_000, 60000)
			.saturating_add(T::DbWeight::get().reads(174_u64))
	}
}

// For tests.
impl WeightInfo for () {
	/// Storage: `NodeOf` (r:1 w:1), `NodeOfWorker` (r:1 w:1), `System::BlockHash` (r:1), `CurrentSession` (r:1), `NextNodeId` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), `Nodes` (w:1), `Standings` (w:1), `Pools` (r:1), list: node, counter, bag and old tail (r:4 w:4), tree: an item of each of 8 levels and its shape (r:9 w:9); one sr25519 verification
	fn register() -> Weight {
		Weight::from_parts(150_000_000, 12000)
			.saturating_add(RocksDbWeight::get().reads(21_u64))
			.saturating_add(RocksDbWeight::get().writes(20_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `NodeOfWorker` (r:1 w:2), `System::BlockHash` (r:1); one sr25519 verification
	fn update_node() -> Weight {
		Weight::from_parts(85_000_000, 5000)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), `Standings` (r:1 w:1), `Pools` (r:1), list: move between two bags (r:7 w:6), tree: an item of each of 8 levels and its shape (r:9 w:9), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn bond_extra() -> Weight {
		Weight::from_parts(129_000_000, 19000)
			.saturating_add(RocksDbWeight::get().reads(27_u64))
			.saturating_add(RocksDbWeight::get().writes(20_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1), `CurrentSession` (r:1), `Pools` (r:1), list: move between two bags (r:7 w:6), tree: an item of each of 8 levels and its shape (r:9 w:9), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn unbond() -> Weight {
		Weight::from_parts(104_000_000, 19000)
			.saturating_add(RocksDbWeight::get().reads(24_u64))
			.saturating_add(RocksDbWeight::get().writes(17_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(65_000_000, 7000)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), list: removal from the middle of a bag (r:5 w:5), tree: an item of each of 8 levels and its shape (r:9 w:9), `Standings` (r:1), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn chill() -> Weight {
		Weight::from_parts(89_000_000, 17000)
			.saturating_add(RocksDbWeight::get().reads(21_u64))
			.saturating_add(RocksDbWeight::get().writes(16_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Pools` (r:1), list: insertion (r:4 w:4), tree: an item of each of 8 levels and its shape (r:9 w:9), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn resume() -> Weight {
		Weight::from_parts(89_000_000, 17000)
			.saturating_add(RocksDbWeight::get().reads(21_u64))
			.saturating_add(RocksDbWeight::get().writes(16_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `ModelRegistry::Models` (r:1), `Standings` (r:1), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn host() -> Weight {
		Weight::from_parts(34_000_000, 11000)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn unhost() -> Weight {
		Weight::from_parts(29_000_000, 8000)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	/// Storage: `NodeOf` (r:1 w:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1 w:1), `Pools` (r:1 w:1), `NodeOfWorker` (w:1), `Slashes` (w:1), list (r:1), whoever says what a node may sell (w:2), `EpochStarts` (w:1)
	fn deregister() -> Weight {
		Weight::from_parts(111_000_000, 12000)
			.saturating_add(RocksDbWeight::get().reads(10_u64))
			.saturating_add(RocksDbWeight::get().writes(13_u64))
	}
	/// Storage: `Nodes` (r:1), `Standings` (r:1 w:1), whoever says what a node may sell (r:4 w:2), `CurrentSession` (r:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn heartbeat() -> Weight {
		Weight::from_parts(34_000_000, 12000)
			.saturating_add(RocksDbWeight::get().reads(10_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	/// Storage: `CurrentSession` (r:1), `Standings` (r:1), `Nodes` (r:1), `System::BlockHash` (r:1); one sr25519 verification
	fn authorize_heartbeat() -> Weight {
		Weight::from_parts(65_000_000, 5000)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
	}
	/// Storage: `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Pools` (r:1 w:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1 w:1), `NodeOf` (w:1), `NodeOfWorker` (w:1), `Slashes` (w:1), list (r:1), whoever says what a node may sell (w:2), `EpochStarts` (w:1)
	fn reap() -> Weight {
		Weight::from_parts(71_000_000, 10000)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(12_u64))
	}
	/// Storage: `Nodes` (r:1), `Pools` (r:1 w:1), `CurrentSession` (r:1), `System::Account` (r:2 w:2), `Delegations` (r:1 w:1), `FormerGenerations` (r:1 w:1), list: move between two bags (r:7 w:6)
	fn delegate() -> Weight {
		Weight::from_parts(95_000_000, 14000)
			.saturating_add(RocksDbWeight::get().reads(14_u64))
			.saturating_add(RocksDbWeight::get().writes(11_u64))
	}
	/// Storage: `Delegations` (r:1 w:1), `Pools` (r:1 w:1), `CurrentSession` (r:1), `Nodes` (r:1), list: move between two bags (r:7 w:6)
	fn undelegate() -> Weight {
		Weight::from_parts(65_000_000, 14000)
			.saturating_add(RocksDbWeight::get().reads(11_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
	/// Storage: `Delegations` (r:1 w:1), `Pools` (r:1 w:1), `CurrentSession` (r:1), `Nodes` (r:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1 w:1)
	fn withdraw_delegation() -> Weight {
		Weight::from_parts(75_000_000, 9000)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	/// Storage: `Pools` (r:1 w:1), `NodeOf` (r:1), `Delegations` (r:1 w:1), `FormerGenerations` (r:1 w:1), `Nodes` (r:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1 w:1)
	fn claim_rewards() -> Weight {
		Weight::from_parts(75_000_000, 9000)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `NodeOf` (r:1), `Pools` (r:1 w:1), `CurrentSession` (r:1), `Nodes` (r:1)
	fn set_commission() -> Weight {
		Weight::from_parts(20_000_000, 5000)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Authored` (r:1 w:1)
	fn note_author() -> Weight {
		Weight::from_parts(10_000_000, 2600)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `System::Account` (r:1 w:1), `Balances::TotalIssuance` (r:1 w:1), `Minted` (r:1 w:1), `CurrentSession` (r:1), end of `Authored` (r:1); for each author `Authored` (r:2 w:1), `NodeOf` (r:1), `Nodes` (r:1), `Pools` (r:1 w:1)
	fn end_session(v: u32) -> Weight {
		Weight::from_parts(50_000_000, 6000)
			.saturating_add(Weight::from_parts(35_000_000, 7000).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().reads(5_u64.saturating_mul(v.into())))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(v.into())))
	}
	/// Storage: the market's clock (r:1), `FirstSession` (r:1 w:1), `CurrentSession` (r:1 w:1), the sets of past sessions (r:1 w:2); for each validator `OffenceShares` (r:1 w:1)
	fn start_session(v: u32) -> Weight {
		Weight::from_parts(20_000_000, 4000)
			.saturating_add(Weight::from_parts(2_000_000, 2600).saturating_mul(v.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().reads(v.into()))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
			.saturating_add(RocksDbWeight::get().writes(v.into()))
	}
	/// Storage: list: the bags (r:33); for each on the list its node (r:1), `Session::NextKeys` (r:1); for each of 400 candidates `NodeOf` (r:1), `Nodes` (r:1), `Pools` (r:1)
	fn new_session(n: u32) -> Weight {
		Weight::from_parts(20_000_000_000, 2000000)
			.saturating_add(Weight::from_parts(15_000_000, 5000).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(1233_u64))
			.saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(n.into())))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `OffenceShares` (r:1 w:1), `Pools` (r:1 w:1), `FormerGenerations` (w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:3 w:3), `Balances::TotalIssuance` (r:1 w:1), `Slashes` (r:1 w:1), list: removal from the middle of a bag (r:5 w:5), tree: an item of each of 8 levels and its shape (r:9 w:9), whoever is told of touched security (w:1), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn on_offence() -> Weight {
		Weight::from_parts(184_000_000, 23000)
			.saturating_add(RocksDbWeight::get().reads(29_u64))
			.saturating_add(RocksDbWeight::get().writes(27_u64))
	}
	/// Storage: `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:2 w:2), `Slashes` (r:1 w:1), list: removal from the middle of a bag (r:5 w:5), tree: an item of each of 8 levels and its shape (r:9 w:9), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn slash() -> Weight {
		Weight::from_parts(124_000_000, 19000)
			.saturating_add(RocksDbWeight::get().reads(24_u64))
			.saturating_add(RocksDbWeight::get().writes(21_u64))
	}
	/// Storage: `Nodes` (r:1 w:1), `Standings` (r:1), `CurrentSession` (r:1), `Pools` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:2 w:2), `Slashes` (r:1 w:1), list: move between two bags (r:7 w:6), tree: an item of each of 8 levels and its shape (r:9 w:9), the market's clock (r:1), `FirstSession` (r:1), `EpochStarts` (r:1 w:1)
	fn fine() -> Weight {
		Weight::from_parts(129_000_000, 21000)
			.saturating_add(RocksDbWeight::get().reads(27_u64))
			.saturating_add(RocksDbWeight::get().writes(22_u64))
	}
	/// Storage: `CurrentSession` (r:1), `BondTreeShape` (r:1); for each of 6 parties `NodeOf` (r:1), `BondTree` (r:1); for each of 16 tries `BondTree` (r:8), `Nodes` (r:1), `Standings` (r:1)
	fn draw_judge() -> Weight {
		Weight::from_parts(250_000_000, 60000)
			.saturating_add(RocksDbWeight::get().reads(174_u64))
	}
}
