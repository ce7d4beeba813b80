//! What the node and the wallet ask the runtime.
//!
//! Callers outside the runtime see the chain only through these functions: what is stored, and how, may change with any
//! upgrade, these may not without a new version.
#![cfg_attr(not(feature = "std"), no_std)]
// The macro generates items without docs.
#![allow(missing_docs, clippy::too_many_arguments, clippy::multiple_bound_locations)]

extern crate alloc;

pub mod types;

use alloc::vec::Vec;
use codec::Codec;
use highway_primitives::{
	Balance, BlockNumber, EpochIndex, JobId, ModelId, ModelVersion, NodeId, WorkerAction, WorkerId, WorkerSignature,
};
use sp_runtime::DispatchError;
use types::{
	AuditInfo, Bill, CalibrationInfo, CuratorInfo, DelegationInfo, EarningsInfo, FeaturedInfo, JobInfo, MarketInfo,
	ModelInfo, NodeInfo, Quote, SplitInfo, WorkList,
};

sp_api::decl_runtime_apis! {
	/// For the offchain worker.
	#[api_version(1)]
	pub trait WorkerApi {
		/// Everything that the node with this worker key has to do. `None` if no node has the key.
		fn work_for(worker: WorkerId) -> Option<WorkList>;
		/// The bytes that the worker key signs for `action`.
		fn worker_payload(action: WorkerAction) -> [u8; 32];
		/// The authorized general transaction that carries `action`.
		fn worker_transaction(action: WorkerAction, signature: WorkerSignature) -> Block::Extrinsic;
	}

	/// For wallets, makers and operators. Lists are pages: ids from `from` on, at most `limit` of them and at most 64, and the
	/// id from which to go on, `None` at the end. A page may be short, even empty, before the end.
	#[api_version(1)]
	pub trait MarketApi<AccountId: Codec> {
		/// What a job of this model costs now, line by line: of so many inputs, which have `input_size` bytes in all as one file,
		/// the bundle of them. Error if there can be no job of so many.
		fn quote(
			model: ModelId,
			input_size: u64,
			inputs: u16,
			curator: Option<AccountId>,
		) -> Result<Quote<AccountId>, DispatchError>;
		/// What the jobs of a quorum of `size` on such an input cost together, each line summed over them. Error if there is no
		/// quorum of that size.
		fn quote_quorum(
			model: ModelId,
			input_size: u64,
			curator: Option<AccountId>,
			size: u8,
		) -> Result<Quote<AccountId>, DispatchError>;
		/// A job, while its record is kept.
		fn job(id: JobId) -> Option<JobInfo<AccountId>>;
		/// Who was paid, or will be paid, what for a job.
		fn explain_split(id: JobId) -> Option<Bill<AccountId>>;
		/// Models with ids from `from` on.
		fn models(from: ModelId, limit: u32) -> (Vec<ModelInfo<AccountId>>, Option<ModelId>);
		/// The model `owner/name`.
		fn model_by_name(owner: AccountId, name: Vec<u8>) -> Option<ModelInfo<AccountId>>;
		/// Nodes with ids from `from` on.
		fn nodes(from: NodeId, limit: u32) -> (Vec<NodeInfo<AccountId>>, Option<NodeId>);
		/// The node of this operator.
		fn node_of(operator: AccountId) -> Option<NodeInfo<AccountId>>;
		/// What the account may claim.
		fn claimable(account: AccountId) -> Balance;
		/// The market of a model: phase, asks that are public, prices. `None` if there is no such model.
		fn market(model: ModelId) -> Option<MarketInfo>;
		/// What all settled jobs of a model at the prices of one epoch paid to each role. `None` if none is settled, or the
		/// epoch is longer ago than the latest 32 that were cleared.
		fn split(model: ModelId, epoch: EpochIndex) -> Option<SplitInfo>;
		/// The featured models of the present epoch, highest bid first.
		fn featured() -> Vec<FeaturedInfo<AccountId>>;
		/// The curator with this account.
		fn curator(account: AccountId) -> Option<CuratorInfo<AccountId>>;
		/// Curators, in the order in which they are stored, behind `from` or from the first one on. The second part is the
		/// `from` of the next page.
		fn curators(from: Option<AccountId>, limit: u32) -> (Vec<CuratorInfo<AccountId>>, Option<AccountId>);
		/// What the account earned: what it may claim, and what its node is still to prove.
		fn earnings(account: AccountId) -> EarningsInfo;
		/// The audit of a job, if there is or was one.
		fn audit(job: JobId) -> Option<AuditInfo>;
		/// Jobs with an audit, ids from `from` on.
		fn audits(from: JobId, limit: u32) -> (Vec<AuditInfo>, Option<JobId>);
		/// How far a version's calibration is reproduced.
		fn calibration(model: ModelId, version: ModelVersion) -> CalibrationInfo<AccountId>;
		/// What the account delegated, node by node, nodes from `from` on.
		fn delegations(
			delegator: AccountId,
			from: NodeId,
			limit: u32,
		) -> (Vec<DelegationInfo>, Option<NodeId>);
		/// How many blocks the chain is behind with jobs whose time has come. 0 while it keeps up.
		fn overdue() -> BlockNumber;
	}
}
