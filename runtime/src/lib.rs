//! The runtime of AI Highway: wiring only.
//!
//! What the chain does lives in the pallets; here they meet. `configs` wires them, `apis` answers the node and the
//! wallet, `genesis_presets` says how a development chain starts, `constants` holds the chain's numbers.
#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "256"]
// The macros of the runtime generate most of its items, without docs.
#![allow(missing_docs)]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

extern crate alloc;

// Before `apis`, which uses the macros that this one defines.
#[cfg(feature = "runtime-benchmarks")]
#[macro_use]
mod benchmarks;

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmark_setup;
mod configs;
pub mod constants;
pub mod genesis_presets;
mod market;
mod work;
mod worker_actions;

pub use configs::{EpochDuration, HasSessionKeys, ProxyType, MAX_VALIDATORS};
pub use pallet_capacity_probes;
pub use pallet_inference_jobs;
pub use pallet_model_registry;
pub use pallet_node_staking;
pub use pallet_promotion;
pub use pallet_proof_of_work_done;
pub use pallet_revenue_split;
pub use pallet_storage_proofs;
pub use pallet_treasury;

use alloc::{borrow::Cow, vec::Vec};
pub use highway_primitives::{Balance, BlockNumber};
use sp_runtime::{
	generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

/// Signature of a wallet.
pub type Signature = MultiSignature;
/// An account: the public key of a wallet.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Transactions sent by an account so far.
pub type Nonce = u32;
/// A hash of the chain.
pub type Hash = sp_core::H256;
/// How transactions name accounts.
pub type Address = MultiAddress<AccountId, ()>;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// The standard transaction extensions, so that every wallet can sign.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckEra<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

/// A transaction.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// Dispatches blocks and transactions to the pallets.
pub type Executive =
	frame_executive::Executive<Runtime, Block, frame_system::ChainContext<Runtime>, Runtime, AllPalletsWithSystem>;

/// Blocks as the node handles them: it stores, sends and shows transactions without looking into them, so that any
/// runtime may follow this one.
pub mod opaque {
	use super::{generic, Header};

	/// A block of opaque transactions.
	pub type Block = generic::Block<Header, sp_runtime::OpaqueExtrinsic>;
}

impl_opaque_keys! {
	/// What a validator signs blocks and finality votes with.
	pub struct SessionKeys {
		/// Authors blocks.
		pub babe: Babe,
		/// Votes on finality.
		pub grandpa: Grandpa,
	}
}

/// Version of this runtime.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("ai-highway"),
	impl_name: Cow::Borrowed("ai-highway"),
	authoring_version: 1,
	spec_version: 1,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

#[frame_support::runtime]
mod runtime {
	use super::*;

	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	/// The runtime.
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system::Pallet<Runtime>;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp::Pallet<Runtime>;
	// Babe before Session: a session is a Babe epoch.
	#[runtime::pallet_index(2)]
	pub type Babe = pallet_babe::Pallet<Runtime>;
	#[runtime::pallet_index(3)]
	pub type Authorship = pallet_authorship::Pallet<Runtime>;
	#[runtime::pallet_index(4)]
	pub type Balances = pallet_balances::Pallet<Runtime>;
	#[runtime::pallet_index(5)]
	pub type TransactionPayment = pallet_transaction_payment::Pallet<Runtime>;

	// Node staking before Session, which asks it for the validators of genesis.
	#[runtime::pallet_index(6)]
	pub type VoterList = pallet_bags_list::Pallet<Runtime, Instance1>;
	#[runtime::pallet_index(7)]
	pub type NodeStaking = pallet_node_staking::Pallet<Runtime>;
	#[runtime::pallet_index(8)]
	pub type Offences = pallet_offences::Pallet<Runtime>;
	#[runtime::pallet_index(9)]
	pub type Historical = pallet_session::historical::Pallet<Runtime>;
	#[runtime::pallet_index(10)]
	pub type Session = pallet_session::Pallet<Runtime>;
	#[runtime::pallet_index(11)]
	pub type Grandpa = pallet_grandpa::Pallet<Runtime>;

	#[runtime::pallet_index(12)]
	pub type Utility = pallet_utility::Pallet<Runtime>;
	#[runtime::pallet_index(13)]
	pub type Multisig = pallet_multisig::Pallet<Runtime>;
	#[runtime::pallet_index(14)]
	pub type Proxy = pallet_proxy::Pallet<Runtime>;
	#[runtime::pallet_index(15)]
	pub type Sudo = pallet_sudo::Pallet<Runtime>;

	#[runtime::pallet_index(20)]
	pub type ModelRegistry = pallet_model_registry::Pallet<Runtime>;
	#[runtime::pallet_index(21)]
	pub type RevenueSplit = pallet_revenue_split::Pallet<Runtime>;
	#[runtime::pallet_index(22)]
	pub type InferenceJobs = pallet_inference_jobs::Pallet<Runtime>;
	#[runtime::pallet_index(23)]
	pub type ProofOfWorkDone = pallet_proof_of_work_done::Pallet<Runtime>;
	#[runtime::pallet_index(24)]
	pub type CapacityProbes = pallet_capacity_probes::Pallet<Runtime>;
	#[runtime::pallet_index(25)]
	pub type StorageProofs = pallet_storage_proofs::Pallet<Runtime>;
	#[runtime::pallet_index(26)]
	pub type Promotion = pallet_promotion::Pallet<Runtime>;
	#[runtime::pallet_index(27)]
	pub type Treasury = pallet_treasury::Pallet<Runtime>;
}
