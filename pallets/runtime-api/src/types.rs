//! What the runtime's answers look like. Amounts in the smallest unit of AIC, times in blocks.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use highway_primitives::{
	audit::{AuditReason, AuditTask, Ballot, Seat, Sketch, Verdict},
	market::BillLine,
	model::{DerivativeTerms, VersionSpec},
	node::Contact,
	Balance, BlobRef, BlockNumber, DeviceClass, EpochIndex, JobId, JobPhase, ModelId, ModelVersion, NodeId, ProbeTask,
	Quorum, RoyaltyLine, WorkId, WorkerId,
};
use scale_info::TypeInfo;

/// What a node's worker has to do and to know.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct WorkList {
	/// The node of the worker key.
	pub node: NodeId,
	/// The current session.
	pub session: u32,
	/// Whether the node's heartbeat of this session is still missing.
	pub heartbeat_due: bool,
	/// Slots that it may sell since its last heartbeat: what that declared, or less if less was proved.
	pub slots: u16,
	/// The device that it is registered with.
	pub device: DeviceClass,
	/// Current version of every model that it hosts, and the one on its way if there is one: fetched and kept, so that jobs
	/// find it.
	pub hosted: Vec<HostedModel>,
	/// Jobs assigned to it, oldest first, at most 1024.
	pub jobs: Vec<WorkItem>,
	/// What audits want of it now, at most 256.
	pub audits: Vec<AuditItem>,
	/// What a round of probes wants of it now.
	pub probe: Option<ProbeTask>,
}

/// A model that the node hosts.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct HostedModel {
	/// The model.
	pub model: ModelId,
	/// Its current version, or the one on its way.
	pub version: ModelVersion,
	/// The version's specification.
	pub spec: VersionSpec,
	/// Who is likely to have the artefact: storage providers and other hosts, at most 8.
	pub providers: Vec<Contact>,
}

/// One job to do.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct WorkItem {
	/// The job.
	pub job: JobId,
	/// What it stands for, whatever fork it is on.
	pub work: WorkId,
	/// Its model.
	pub model: ModelId,
	/// The model's version, fixed at submission.
	pub version: ModelVersion,
	/// The version's specification.
	pub spec: VersionSpec,
	/// The input, a safetensors file.
	pub input: BlobRef,
	/// Units, fixed at submission.
	pub units: u32,
	/// The last block in which the node's attestation counts.
	pub deadline: BlockNumber,
	/// Who is likely to have the input: the payer's node first, then storage.
	pub providers: Vec<Contact>,
}

/// What an audit wants of a node now.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AuditItem {
	/// The job.
	pub job: JobId,
	/// What it stands for.
	pub work: WorkId,
	/// Its model.
	pub model: ModelId,
	/// The model's version.
	pub version: ModelVersion,
	/// The version's specification.
	pub spec: VersionSpec,
	/// The input.
	pub input: BlobRef,
	/// Units of the job.
	pub units: u32,
	/// Who is likely to have the input: the payer's node, storage, then the executor.
	pub providers: Vec<Contact>,
	/// The output that the executor attested.
	pub output: BlobRef,
	/// Who has it: the executor.
	pub executor: Contact,
	/// What to do.
	pub task: AuditTask,
	/// The last block in which it counts.
	pub until: BlockNumber,
}

/// A seat in an audit.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct SeatInfo {
	/// Who sits there.
	pub node: NodeId,
	/// Auditor or juror.
	pub seat: Seat,
	/// Whether it has committed.
	pub committed: bool,
	/// What it opened.
	pub ballot: Option<Ballot>,
}

/// An audit, while it goes on or while its job's record is kept.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AuditInfo {
	/// The job.
	pub job: JobId,
	/// Its model.
	pub model: ModelId,
	/// Who did it.
	pub executor: NodeId,
	/// Why it is audited.
	pub reason: AuditReason,
	/// What it waits for, in a few words.
	pub phase: Vec<u8>,
	/// The block at which that ends by itself.
	pub until: Option<BlockNumber>,
	/// The executor's opened sketch.
	pub sketch: Option<Sketch>,
	/// Everybody who judged or judges, in order.
	pub seats: Vec<SeatInfo>,
	/// How it ended.
	pub verdict: Option<Verdict>,
	/// What was slashed, by node.
	pub slashes: Vec<(NodeId, Balance)>,
}

/// How far a version's calibration is reproduced and its audits are disputed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct CalibrationInfo<AccountId> {
	/// Operators that reproduced it.
	pub reproduced_by: Vec<AccountId>,
	/// Audits of the version so far.
	pub audits: u32,
	/// Of them, juries that came to no verdict.
	pub disputes: u32,
	/// Whether work on it may be slashed now.
	pub slashes: bool,
}

/// A delegator's part of a node's stake.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct DelegationInfo {
	/// The node.
	pub node: NodeId,
	/// What it is worth now.
	pub amount: Balance,
	/// Rewards that wait to be claimed.
	pub rewards: Balance,
	/// Parts on their way out: worth now, and the session from which they can be withdrawn.
	pub unbonding: Vec<(Balance, u32)>,
}

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
	/// The input.
	pub input: BlobRef,
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

/// A version that new jobs do not run on yet.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ComingVersion {
	/// The version.
	pub version: ModelVersion,
	/// The block from which new jobs run on it.
	pub from: BlockNumber,
	/// Its specification.
	pub spec: VersionSpec,
}

/// A model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ModelInfo<AccountId> {
	/// The model.
	pub id: ModelId,
	/// Who owns it.
	pub owner: AccountId,
	/// Its name among the owner's.
	pub name: Vec<u8>,
	/// Whether it takes no new jobs.
	pub deprecated: bool,
	/// Current version.
	pub version: ModelVersion,
	/// The current version's specification.
	pub spec: VersionSpec,
	/// A version on its way.
	pub coming: Option<ComingVersion>,
	/// The model that it derives from.
	pub parent: Option<ModelId>,
	/// What it asks of models derived from it; `None`: none may be.
	pub derivative_terms: Option<DerivativeTerms>,
	/// Royalty per unit now.
	pub royalty: Balance,
	/// A rise on its way, and the block from which it holds.
	pub pending_royalty: Option<(Balance, BlockNumber)>,
	/// How the royalty is split.
	pub royalties: Vec<RoyaltyLine<AccountId>>,
	/// Jobs that are not settled yet.
	pub open_jobs: u32,
	/// Models derived from it.
	pub children: u32,
	/// Deposit held from the owner.
	pub deposit: Balance,
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct NodeInfo<AccountId> {
	/// The node.
	pub id: NodeId,
	/// Who operates it.
	pub operator: AccountId,
	/// Its worker key.
	pub worker: WorkerId,
	/// How to reach it.
	pub contact: Contact,
	/// What it runs on.
	pub device: DeviceClass,
	/// Memory for inference in MiB.
	pub memory_mib: u32,
	/// Region.
	pub region: Vec<u8>,
	/// Own bond.
	pub bond: Balance,
	/// Part of the bond that secures open jobs and audits.
	pub reserved: Balance,
	/// What others delegated to it.
	pub delegated: Balance,
	/// The operator's part of delegators' rewards, in parts per billion.
	pub commission: u32,
	/// Rewards for validating that the operator can claim.
	pub rewards: Balance,
	/// Everything that was slashed of its own bond.
	pub slashed: Balance,
	/// Parts on their way out: amount and the session from which they can be withdrawn.
	pub unbonding: Vec<(Balance, u32)>,
	/// Whether its operator paused it.
	pub chilled: bool,
	/// Whether it missed so many heartbeats that it is out until its operator resumes it.
	pub jailed: bool,
	/// Whether it may take jobs now, as far as bond, liveness and health say.
	pub eligible: bool,
	/// Whether it is a validator of the current session.
	pub validator: bool,
	/// Session of its last heartbeat.
	pub last_heartbeat: Option<u32>,
	/// Whether its engine was healthy then.
	pub healthy: bool,
	/// Jobs that it takes at the same time: what it declared, or less if less was proved.
	pub slots: u16,
	/// Jobs that it has.
	pub assigned: u32,
	/// Expected share of jobs done, in parts per billion.
	pub reliability: u32,
	/// Models that it hosts, with its posted asks: compute per unit, storage per started MiB of input.
	pub hosted: Vec<(ModelId, Option<Balance>, Option<Balance>)>,
	/// Jobs that it says it can take at the same time.
	pub declared: u16,
	/// What rounds of probes found of it. `None`: probing is off, or no round came to an end for it yet.
	pub measured: Option<MeasuredInfo>,
}

/// What rounds of probes found of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct MeasuredInfo {
	/// Rows that count for it.
	pub rows: u32,
	/// The slots that it may sell from its next heartbeat on, if it declares so many.
	pub slots: u16,
	/// The last round that counted for it.
	pub round: u32,
	/// Rounds in a row that it missed.
	pub missed: u8,
	/// Whether its last proof was a lie: it gets no jobs.
	pub refuted: bool,
}
