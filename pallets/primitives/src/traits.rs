//! The seams between the pallets.

use crate::{
	job::FailureClass,
	market::{BillLines, Deal},
	model::{ModelService, Royalties},
	Balance, BlobRef, JobId, ModelId, NodeId, WorkTag, WorkerId,
};
use alloc::vec::Vec;
use frame_support::dispatch::DispatchResult;
use sp_runtime::{DispatchError, Perbill};

/// Provided by the model registry.
pub trait Models<AccountId> {
	/// Whether the model is registered, deprecated ones included.
	fn exists(model: ModelId) -> bool;
	/// What new jobs run on. Error if the model is unknown or deprecated.
	fn service(model: ModelId) -> Result<ModelService, DispatchError>;
	/// Who earns royalties per unit now: the maker first, then its ancestors, nearest first.
	fn royalties(model: ModelId) -> Royalties<AccountId>;
	/// Notes an open job, so that the model stays.
	fn job_opened(model: ModelId);
	/// Takes back one [`Models::job_opened`].
	fn job_closed(model: ModelId);
}

/// Provided by node staking.
pub trait Nodes<AccountId> {
	/// Who operates the node and earns for it. `None` if there is no such node.
	fn operator(node: NodeId) -> Option<AccountId>;
	/// The operator's node.
	fn node_of(operator: &AccountId) -> Option<NodeId>;
	/// The node's worker key.
	fn worker(node: NodeId) -> Option<WorkerId>;
	/// Whether the node says that it hosts the model.
	fn hosts(node: NodeId, model: ModelId) -> bool;
	/// Whether the node is able to serve the model, however busy it is: bonded, not chilled, not jailed, heard of,
	/// healthy, hosting.
	fn eligible(node: NodeId, model: ModelId) -> bool;
	/// Weight of the node in a draw: reliability × free capacity, 0 if it cannot take a job of this model now: not
	/// bonded, chilled, jailed, missing heartbeats, unhealthy, not hosting, no free slot, or less than `security`
	/// of its own bond free.
	fn draw_weight(node: NodeId, model: ModelId, security: Balance) -> u64;
	/// Takes one slot and reserves `security` of the operator's own bond.
	fn reserve(node: NodeId, security: Balance) -> DispatchResult;
	/// Gives the slot back; the security stays reserved.
	fn free_slot(node: NodeId);
	/// Gives reserved security back.
	fn release(node: NodeId, security: Balance);
	/// Moves the node's reliability by one outcome. `weight` says how much the job counts.
	fn note_outcome(node: NodeId, success: bool, weight: Perbill);
}

/// Provided by the revenue split: the only one that moves a payer's money.
pub trait Market<AccountId> {
	/// Agrees on the price of a job of `units` with an input of `input_size` bytes in the current epoch, and clears
	/// the model's epoch if this is its first touch. `seed` draws the storage provider. The clearing record stays
	/// until [`Market::close`]. Takes no money yet; error if nobody serves the model.
	fn open(
		job: JobId,
		model: ModelId,
		units: u32,
		input_size: u64,
		curator: Option<&AccountId>,
		seed: [u8; 32],
	) -> Result<Deal<AccountId>, DispatchError>;
	/// The compute winners of the deal's clearing record; at most 64.
	fn executors(model: ModelId, deal: &Deal<AccountId>) -> Vec<NodeId>;
	/// How many nodes [`Market::open`] looked at for this deal at most: right after it, for its weight.
	fn looked_at(model: ModelId, deal: &Deal<AccountId>) -> u32;
	/// Moves the deal's price from the payer into the pot.
	fn escrow(payer: &AccountId, deal: &Deal<AccountId>) -> DispatchResult;
	/// Pays every role its line: one event each. Returns the lines.
	fn settle(job: JobId, model: ModelId, deal: &Deal<AccountId>, executor: NodeId) -> BillLines<AccountId>;
	/// Gives the payer everything back.
	fn refund(job: JobId, payer: &AccountId, deal: &Deal<AccountId>);
	/// Pays each of `reporters` an equal part of 20 % of the compute line, and the payer the rest. Returns the lines
	/// of the reporters.
	fn fail(job: JobId, payer: &AccountId, deal: &Deal<AccountId>, reporters: &[NodeId]) -> BillLines<AccountId>;
	/// Lets go of the clearing record.
	fn close(model: ModelId, deal: &Deal<AccountId>);
	/// Who will be paid what if `executor` does the job. The lines sum to `deal.price`.
	fn bill(model: ModelId, deal: &Deal<AccountId>, executor: NodeId) -> BillLines<AccountId>;
}

/// Provided by inference jobs.
///
/// `work` is what the job stood for on the fork on which the node saw it.
pub trait Jobs {
	/// Whether the job stands for this work and waits for this very node.
	fn is_assigned(job: JobId, work: WorkTag, node: NodeId) -> bool;
	/// The node did the job. Error, and nothing changed, if this work is not assigned to it.
	fn attested(job: JobId, work: WorkTag, node: NodeId, output: BlobRef) -> DispatchResult;
	/// The node cannot do the job. Error, and nothing changed, if this work is not assigned to it.
	fn failure_reported(job: JobId, work: WorkTag, node: NodeId, class: FailureClass) -> DispatchResult;
}

/// Provided by proof of work done.
pub trait Attestations {
	/// The job's record is going: forget what is kept about it.
	fn forget(job: JobId);
}
