//! Jobs: what they cost, how they stand, who is paid.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use highway_primitives::{
	market::BillLine, node::Contact, Balance, BlobRef, BlockNumber, EpochIndex, JobId, JobPhase, ModelId, ModelVersion,
	NodeId, Quorum,
};
use scale_info::TypeInfo;

/// The price of a job, or of all jobs of a quorum together, before it is submitted.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Quote<AccountId> {
	/// The market epoch that the price is for; later ones may differ.
	pub epoch: EpochIndex,
	/// The last block of that epoch.
	pub valid_until: BlockNumber,
	/// Units of one job.
	pub units: u32,
	/// Blocks that an executor has.
	pub deadline: BlockNumber,
	/// Nodes able to take it now; a quorum needs as many as it has jobs.
	pub executors: u32,
	/// The lines; the compute line names no payee yet. They sum to `price`.
	pub lines: Vec<BillLine<AccountId>>,
	/// The price.
	pub price: Balance,
	/// Probability of an audit of each job, in parts per billion.
	pub audit_rate: u32,
}

/// A job.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct JobInfo<AccountId> {
	/// The job.
	pub id: JobId,
	/// Who pays.
	pub payer: AccountId,
	/// Its model.
	pub model: ModelId,
	/// The version that it runs on.
	pub version: ModelVersion,
	/// The input; of many the bundle of them.
	pub input: BlobRef,
	/// How many inputs there are: more than one, and the output is a bundle of as many files.
	pub inputs: u16,
	/// What was paid into the pot.
	pub price: Balance,
	/// The quorum that it is of, if it is of one.
	pub quorum: Option<Quorum>,
	/// Where it stands.
	pub phase: JobPhase,
	/// Who has it, or did it last.
	pub executor: Option<NodeId>,
	/// How to reach that node for the output.
	pub executor_contact: Option<Contact>,
	/// The output, once attested.
	pub output: Option<BlobRef>,
	/// Nodes that had it before and did not do it.
	pub tried: Vec<NodeId>,
	/// Block of the submission.
	pub submitted_at: BlockNumber,
	/// Block of the attestation.
	pub attested_at: Option<BlockNumber>,
	/// Block at which the present phase ends by itself.
	pub due: BlockNumber,
}

/// Who was paid what for a job, or will be.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Bill<AccountId> {
	/// The job.
	pub job: JobId,
	/// Where it stands: lines are final in `Settled`, `Refunded` and `Failed`, and foreseen before.
	pub phase: JobPhase,
	/// The market epoch of its prices.
	pub epoch: EpochIndex,
	/// What was paid in.
	pub price: Balance,
	/// Given back to the payer.
	pub refunded: Balance,
	/// The lines; with `refunded` they sum to `price`.
	pub lines: Vec<BillLine<AccountId>>,
}
