//! Weights of `pallet_node_staking`.
//!
//! ESTIMATES: storage accesses are counted by hand for the worst case, execution times are estimated. They hold until
//! `scripts/weights` replaces this file by what the benchmarks measure.

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
}

/// Weights for `pallet_node_staking` in a runtime, with its own database's weights.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `NodeOf` (r:1 w:1), `NodeOfWorker` (r:1 w:1), `System::BlockHash` (r:1), `CurrentSession` (r:1), `NextNodeId` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), `Nodes` (w:1), `Standings` (w:1), list: node, counter, bag and old tail (r:4 w:4); one sr25519 verification
	fn register() -> Weight {
		Weight::from_parts(150_000_000, 8000)
			.saturating_add(T::DbWeight::get().reads(12_u64))
			.saturating_add(T::DbWeight::get().writes(12_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `NodeOfWorker` (r:1 w:2), `System::BlockHash` (r:1); one sr25519 verification
	fn update_node() -> Weight {
		Weight::from_parts(85_000_000, 5000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), list: move between two bags (r:7 w:6)
	fn bond_extra() -> Weight {
		Weight::from_parts(95_000_000, 12000)
			.saturating_add(T::DbWeight::get().reads(12_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1), `CurrentSession` (r:1), list: move between two bags (r:7 w:6)
	fn unbond() -> Weight {
		Weight::from_parts(70_000_000, 12000)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(65_000_000, 7000)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), list: removal from the middle of a bag (r:5 w:5)
	fn chill() -> Weight {
		Weight::from_parts(55_000_000, 10000)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), list: insertion (r:4 w:4)
	fn resume() -> Weight {
		Weight::from_parts(55_000_000, 10000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `ModelRegistry::Models` (r:1)
	fn host() -> Weight {
		Weight::from_parts(30_000_000, 8000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1)
	fn unhost() -> Weight {
		Weight::from_parts(25_000_000, 5000)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `NodeOf` (r:1 w:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), `NodeOfWorker` (w:1), list (r:1)
	fn deregister() -> Weight {
		Weight::from_parts(80_000_000, 8000)
			.saturating_add(T::DbWeight::get().reads(7_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Standings` (r:1 w:1)
	fn heartbeat() -> Weight {
		Weight::from_parts(20_000_000, 2700)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `CurrentSession` (r:1), `Standings` (r:1), `Nodes` (r:1), `System::BlockHash` (r:1); one sr25519 verification
	fn authorize_heartbeat() -> Weight {
		Weight::from_parts(65_000_000, 5000)
			.saturating_add(T::DbWeight::get().reads(4_u64))
	}
	/// Storage: `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `NodeOf` (w:1), `NodeOfWorker` (w:1), list (r:1)
	fn reap() -> Weight {
		Weight::from_parts(35_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
}

// For tests.
impl WeightInfo for () {
	/// Storage: `NodeOf` (r:1 w:1), `NodeOfWorker` (r:1 w:1), `System::BlockHash` (r:1), `CurrentSession` (r:1), `NextNodeId` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), `Nodes` (w:1), `Standings` (w:1), list: node, counter, bag and old tail (r:4 w:4); one sr25519 verification
	fn register() -> Weight {
		Weight::from_parts(150_000_000, 8000)
			.saturating_add(RocksDbWeight::get().reads(12_u64))
			.saturating_add(RocksDbWeight::get().writes(12_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `NodeOfWorker` (r:1 w:2), `System::BlockHash` (r:1); one sr25519 verification
	fn update_node() -> Weight {
		Weight::from_parts(85_000_000, 5000)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), list: move between two bags (r:7 w:6)
	fn bond_extra() -> Weight {
		Weight::from_parts(95_000_000, 12000)
			.saturating_add(RocksDbWeight::get().reads(12_u64))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1), `CurrentSession` (r:1), list: move between two bags (r:7 w:6)
	fn unbond() -> Weight {
		Weight::from_parts(70_000_000, 12000)
			.saturating_add(RocksDbWeight::get().reads(11_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(65_000_000, 7000)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), list: removal from the middle of a bag (r:5 w:5)
	fn chill() -> Weight {
		Weight::from_parts(55_000_000, 10000)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), list: insertion (r:4 w:4)
	fn resume() -> Weight {
		Weight::from_parts(55_000_000, 10000)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1), `ModelRegistry::Models` (r:1)
	fn host() -> Weight {
		Weight::from_parts(30_000_000, 8000)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `NodeOf` (r:1), `Nodes` (r:1 w:1)
	fn unhost() -> Weight {
		Weight::from_parts(25_000_000, 5000)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `NodeOf` (r:1 w:1), `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `CurrentSession` (r:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), `NodeOfWorker` (w:1), list (r:1)
	fn deregister() -> Weight {
		Weight::from_parts(80_000_000, 8000)
			.saturating_add(RocksDbWeight::get().reads(7_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `Standings` (r:1 w:1)
	fn heartbeat() -> Weight {
		Weight::from_parts(20_000_000, 2700)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `CurrentSession` (r:1), `Standings` (r:1), `Nodes` (r:1), `System::BlockHash` (r:1); one sr25519 verification
	fn authorize_heartbeat() -> Weight {
		Weight::from_parts(65_000_000, 5000)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
	}
	/// Storage: `Nodes` (r:1 w:1), `Standings` (r:1 w:1), `NodeOf` (w:1), `NodeOfWorker` (w:1), list (r:1)
	fn reap() -> Weight {
		Weight::from_parts(35_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
}
