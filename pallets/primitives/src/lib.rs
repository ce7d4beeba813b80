//! Ids, shared types and the traits through which the pallets of AI Highway meet.
//!
//! A pallet depends on this crate and on `highway-math`, never on another pallet of ours. The runtime wires the
//! traits of [`traits`] to the pallets that provide them. This crate has no storage and moves no money.
//!
//! ```text
//! model-registry ──Models──► revenue-split ──Market──► inference-jobs ──Jobs──► proof-of-work-done
//! node-staking ───Nodes────► revenue-split, inference-jobs, proof-of-work-done, capacity-probes, storage-proofs
//! proof-of-work-done ─BlockSeeds─► capacity-probes ─Capacity─► node-staking
//! revenue-split ─StorageMarket─► storage-proofs ─StorageChallenges─► revenue-split
//! revenue-split ─MarketClock─► node-staking, promotion
//! ```
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]

extern crate alloc;

pub mod audit;
pub mod authorization;
pub mod batch;
pub mod blob;
pub mod chunk_proof;
pub mod job;
pub mod market;
pub mod model;
pub mod node;
pub mod probe;
pub mod traits;
pub mod worker;

pub use audit::{AuditReason, Ballot, Sketch, Verdict, Vote};
pub use batch::{Opening, MAX_INPUTS, MIN_INPUTS};
pub use blob::{BlobHash, BlobRef, MaxBlobSize};
pub use job::{work_id, work_tag, FailureClass, JobId, JobPhase, Quorum, Tier, WorkId, WorkTag};
pub use market::{AskCommitment, AskObstacle, AskReveal, AskRole, EpochIndex, MarketPhase, Role};
pub use model::{ModelId, ModelVersion, RoyaltyLine, Unit};
pub use node::{DeviceClass, NodeId};
pub use probe::{ProbeSeed, ProbeTask, ProbeTerms};
pub use worker::{AttestItem, WorkerAction, WorkerId, WorkerSignature};

/// An amount of AIC in its smallest unit: 1 AIC = 10¹² of them.
pub type Balance = u128;

/// Height of a block.
pub type BlockNumber = u32;

/// One AI coin in its smallest unit.
pub const AIC: Balance = 1_000_000_000_000;

/// Seconds between two blocks. Deadlines given in time are turned into blocks with it.
pub const BLOCK_SECONDS: u32 = 2;
