//! Weights of `pallet_revenue_split`: estimates, counted by hand from the worst case of each call, until
//! `scripts/weights` replaces this file.
//!
//! Counted are storage reads and writes of the pallet, of Balances and of the wired providers: record and standing of a
//! node are one read each, and eligibility at an epoch's beginning is a third one. Reference time: 20 µs per call, 1 µs per
//! ask looked at, 3 µs per item of a batch, 50 µs per signature, and what encoding and decoding a full book costs, 20 µs.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// Weight functions needed for `pallet_revenue_split`.
pub trait WeightInfo {
	/// A block that begins no epoch.
	fn no_epoch() -> Weight;
	/// A block that begins one.
	fn begin_epoch() -> Weight;
	/// `n` commitments, each at a model whose queue begins with holes.
	fn commit_asks(n: u32) -> Weight;
	/// Authorizing `n` commitments of which the last can be made.
	fn authorize_commit_asks(n: u32) -> Weight;
	/// `n` reveals, each in a full book of nodes that serve.
	fn reveal_asks(n: u32) -> Weight;
	/// Authorizing `n` reveals of which the last opens a commitment.
	fn authorize_reveal_asks(n: u32) -> Weight;
	/// Ending one commitment that was not revealed in time.
	fn end_commitment() -> Weight;
	/// `a`: stored asks of both roles.
	fn clear(a: u32) -> Weight;
	fn set_curator() -> Weight;
	fn claim() -> Weight;
	fn claim_storage_pay() -> Weight;
	/// `a`: stored asks of both roles, of a model that is gone.
	fn prune(a: u32) -> Weight;
}

/// Weights for `pallet_revenue_split` on the node's own database.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `EpochLength`.
	fn no_epoch() -> Weight {
		Weight::from_parts(2_000_000, 1_500)
			.saturating_add(T::DbWeight::get().reads(1_u64))
	}
	/// Storage: `EpochLength`, `Babe::AuthorVrfRandomness`; `EpochSeed` (w:1).
	fn begin_epoch() -> Weight {
		Weight::from_parts(6_000_000, 3_000)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `EpochLength`; for each: `ModelRegistry` model, `NodeStaking` record and standing (w:1) and session,
	/// `CommitmentPlaces` (r:1 w:1), `Commitments` (r:1 w:1), `CommitmentQueues` (r:1 w:1), `Markets`; four holes of the queue.
	fn commit_asks(n: u32) -> Weight {
		Weight::from_parts(20_000_000, 1_500)
			.saturating_add(Weight::from_parts(35_000_000, 14_000).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads(12_u64.saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(4_u64.saturating_mul(n.into())))
	}
	/// Storage: `EpochLength`, `NodeStaking` record, the genesis hash; for each: `ModelRegistry` model, `CommitmentPlaces`,
	/// `Commitments`, `Markets`, `NodeStaking` record, standing and session, written and rolled back.
	fn authorize_commit_asks(n: u32) -> Weight {
		Weight::from_parts(90_000_000, 5_000)
			.saturating_add(Weight::from_parts(20_000_000, 7_000).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads(7_u64.saturating_mul(n.into())))
	}
	/// Storage: `EpochLength`; for each: `CommitmentPlaces` (r:1 w:1), `Commitments` (r:1 w:1), `CommitmentQueues` (r:1 w:1),
	/// `ModelRegistry` model, `Asks` (r:1 w:1), `Markets`, record and standing of 65 nodes and the session, of which two
	/// standings are written.
	fn reveal_asks(n: u32) -> Weight {
		Weight::from_parts(20_000_000, 1_500)
			.saturating_add(Weight::from_parts(150_000_000, 180_000).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads(137_u64.saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(6_u64.saturating_mul(n.into())))
	}
	/// Storage: `EpochLength`, `NodeStaking` record, the genesis hash; for each: `CommitmentPlaces`, `Commitments`,
	/// `ModelRegistry` model, `NodeStaking` record.
	fn authorize_reveal_asks(n: u32) -> Weight {
		Weight::from_parts(90_000_000, 5_000)
			.saturating_add(Weight::from_parts(10_000_000, 4_500).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(n.into())))
	}
	/// Storage: `Commitments` (r:1 w:1), `CommitmentPlaces` (w:1), `CommitmentQueues` (r:1 w:1), `ModelRegistry` model;
	/// `NodeStaking` record (r:1 w:1), standing (r:1 w:1), `Slashes` (r:1 w:1), pool, four levels of the tree of bonds (r:4
	/// w:4), the list of candidates (r:4 w:4); `Balances::Holds` (r:1 w:1), two accounts (r:2 w:2), the issuance (r:1 w:1); what
	/// the pot owes (r:6), `Earnings` and `TotalEarnings` of the treasury (r:2 w:2).
	fn end_commitment() -> Weight {
		Weight::from_parts(180_000_000, 40_000)
			.saturating_add(T::DbWeight::get().reads(28_u64))
			.saturating_add(T::DbWeight::get().writes(20_u64))
	}
	/// Storage: `EpochLength`, `Asks` (r:2), `EpochSeed`, `ModelRegistry` model, version and five royalties; `Clearings` (r:2
	/// w:2), `LastCleared` (r:1 w:1), `Markets` (r:1 w:1), `StoredAt` (r:1 w:1), `StoredCount` (r:1 w:1), `StoredModels` (r:1 w:2)
	/// and the place of the last of them (w:1), `SummarisedEpochs` (r:1 w:1), `Summaries` (w:2); `CommitmentQueues` and eight holes (r:9 w:1); for each ask the node's
	/// record, standing and standing at the epoch's beginning.
	/// The range of component `a` is `[0, 256]`.
	fn clear(a: u32) -> Weight {
		Weight::from_parts(120_000_000, 40_000)
			.saturating_add(Weight::from_parts(4_000_000, 3_700).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(28_u64))
			.saturating_add(T::DbWeight::get().reads(3_u64.saturating_mul(a.into())))
			.saturating_add(T::DbWeight::get().writes(13_u64))
	}
	/// Storage: `Curators` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1).
	fn set_curator() -> Weight {
		Weight::from_parts(45_000_000, 3_900)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Earnings` (r:1 w:1), `TotalEarnings` (r:1 w:1), `System::Account` (r:2 w:2), `Balances::TotalIssuance` (r:1).
	fn claim() -> Weight {
		Weight::from_parts(60_000_000, 6_196)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `StoragePay` (r:1 w:1), `TotalStoragePay` (r:1 w:1), `NodeStaking` node of the operator, `StorageProofs`
	/// challenge, `Earnings` (r:1 w:1), `TotalEarnings` (r:1 w:1).
	fn claim_storage_pay() -> Weight {
		Weight::from_parts(40_000_000, 6_200)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `ModelRegistry` model; `Asks` (r:2 w:2), `EpochLength`, `LastCleared` (r:1 w:1), `Clearings` (r:1 w:1);
	/// `CommitmentQueues` and 64 holes (r:65 w:1); `Markets` (r:1 w:1), `SummarisedEpochs` (r:1 w:1) and 32 `Summaries` (w:32),
	/// `StoredAt` (r:1 w:2), `StoredCount` (r:1 w:1), `StoredModels` (r:1 w:2); for each ask the node's record and standing
	/// (r:2 w:1).
	/// The range of component `a` is `[0, 256]`.
	fn prune(a: u32) -> Weight {
		Weight::from_parts(120_000_000, 60_000)
			.saturating_add(Weight::from_parts(8_000_000, 3_700).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(78_u64))
			.saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(a.into())))
			.saturating_add(T::DbWeight::get().writes(44_u64))
			.saturating_add(T::DbWeight::get().writes(a.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn no_epoch() -> Weight {
		Weight::from_parts(2_000_000, 1_500)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
	}
	fn begin_epoch() -> Weight {
		Weight::from_parts(6_000_000, 3_000)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn commit_asks(n: u32) -> Weight {
		Weight::from_parts(20_000_000, 1_500)
			.saturating_add(Weight::from_parts(35_000_000, 14_000).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads(12_u64.saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(4_u64.saturating_mul(n.into())))
	}
	fn authorize_commit_asks(n: u32) -> Weight {
		Weight::from_parts(90_000_000, 5_000)
			.saturating_add(Weight::from_parts(20_000_000, 7_000).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads(7_u64.saturating_mul(n.into())))
	}
	fn reveal_asks(n: u32) -> Weight {
		Weight::from_parts(20_000_000, 1_500)
			.saturating_add(Weight::from_parts(150_000_000, 180_000).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads(137_u64.saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(6_u64.saturating_mul(n.into())))
	}
	fn authorize_reveal_asks(n: u32) -> Weight {
		Weight::from_parts(90_000_000, 5_000)
			.saturating_add(Weight::from_parts(10_000_000, 4_500).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(n.into())))
	}
	fn end_commitment() -> Weight {
		Weight::from_parts(180_000_000, 40_000)
			.saturating_add(RocksDbWeight::get().reads(28_u64))
			.saturating_add(RocksDbWeight::get().writes(20_u64))
	}
	fn clear(a: u32) -> Weight {
		Weight::from_parts(120_000_000, 40_000)
			.saturating_add(Weight::from_parts(4_000_000, 3_700).saturating_mul(a.into()))
			.saturating_add(RocksDbWeight::get().reads(28_u64))
			.saturating_add(RocksDbWeight::get().reads(3_u64.saturating_mul(a.into())))
			.saturating_add(RocksDbWeight::get().writes(13_u64))
	}
	fn set_curator() -> Weight {
		Weight::from_parts(45_000_000, 3_900)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn claim() -> Weight {
		Weight::from_parts(60_000_000, 6_196)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn claim_storage_pay() -> Weight {
		Weight::from_parts(40_000_000, 6_200)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn prune(a: u32) -> Weight {
		Weight::from_parts(120_000_000, 60_000)
			.saturating_add(Weight::from_parts(8_000_000, 3_700).saturating_mul(a.into()))
			.saturating_add(RocksDbWeight::get().reads(78_u64))
			.saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(a.into())))
			.saturating_add(RocksDbWeight::get().writes(44_u64))
			.saturating_add(RocksDbWeight::get().writes(a.into()))
	}
}
