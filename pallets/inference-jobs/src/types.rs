//! What is stored of a job.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use highway_primitives::{
	market::{BillLines, Deal},
	Balance, BlobRef, BlockNumber, FailureClass, JobId, JobPhase, ModelId, ModelVersion, NodeId, Quorum, Tier, WorkId,
};
use scale_info::TypeInfo;
use sp_core::H256;

/// The most nodes that get one job, one after another.
pub type MaxExecutors = ConstU32<3>;

/// The phase of a job with all that belongs to it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum JobState {
	/// A node has it to do.
	Assigned {
		/// The node.
		node: NodeId,
		/// The last block in which its attestation counts.
		deadline: BlockNumber,
	},
	/// The output is there; the pay waits.
	Attested {
		/// Who did it.
		node: NodeId,
		/// The output.
		output: BlobRef,
		/// What it committed itself to beside that.
		commitment: H256,
		/// Block of the attestation.
		at: BlockNumber,
		/// The last block of the node's time: the fixed block behind which its audit is drawn.
		deadline: BlockNumber,
		/// Block at which it is settled or goes into audit.
		settle_at: BlockNumber,
	},
	/// Others look whether the output is right; the pay waits for them.
	Auditing {
		/// Who did it.
		node: NodeId,
		/// The output.
		output: BlobRef,
		/// What it committed itself to beside that.
		commitment: H256,
		/// Block of the attestation.
		at: BlockNumber,
		/// The last block of the node's time.
		deadline: BlockNumber,
		/// Block at which the audit's present phase is over.
		until: BlockNumber,
	},
	/// Everybody is paid.
	Settled {
		/// Who did it.
		node: NodeId,
		/// The output.
		output: BlobRef,
		/// Block of the attestation.
		attested_at: BlockNumber,
		/// Block at which the record goes.
		prune_at: BlockNumber,
	},
	/// An audit found the output wrong: the payer has its money back.
	Rejected {
		/// Who did it.
		node: NodeId,
		/// The output.
		output: BlobRef,
		/// Block of the attestation.
		attested_at: BlockNumber,
		/// Block at which the record goes.
		prune_at: BlockNumber,
	},
	/// An audit came to no end that would slash or pay: the payer has its money back.
	Void {
		/// Who did it.
		node: NodeId,
		/// The output.
		output: BlobRef,
		/// Block of the attestation.
		attested_at: BlockNumber,
		/// Block at which the record goes.
		prune_at: BlockNumber,
	},
	/// Nobody did it: the payer has its money back.
	Refunded {
		/// Block at which the record goes.
		prune_at: BlockNumber,
	},
	/// Two nodes found it impossible for the same reason.
	Failed {
		/// The reason.
		class: FailureClass,
		/// The nodes, in the order of their reports.
		reporters: [NodeId; 2],
		/// Block at which the record goes.
		prune_at: BlockNumber,
	},
}

impl JobState {
	/// The first block in which the phase is over.
	pub fn due(&self) -> BlockNumber {
		match self {
			Self::Assigned { deadline, .. } => deadline.saturating_add(1),
			Self::Attested { settle_at, .. } => *settle_at,
			Self::Auditing { until, .. } => *until,
			Self::Settled { prune_at, .. }
			| Self::Rejected { prune_at, .. }
			| Self::Void { prune_at, .. }
			| Self::Refunded { prune_at }
			| Self::Failed { prune_at, .. } => *prune_at,
		}
	}
}

/// What is known of work that is done and neither paid nor given back yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Attestation {
	/// Who did it.
	pub node: NodeId,
	/// The output.
	pub output: BlobRef,
	/// What it committed itself to beside that.
	pub commitment: H256,
	/// Block of the attestation.
	pub at: BlockNumber,
	/// The last block of the node's time.
	pub deadline: BlockNumber,
}

impl Attestation {
	/// It waits until `settle_at`.
	pub fn attested(self, settle_at: BlockNumber) -> JobState {
		let Self {
			node,
			output,
			commitment,
			at,
			deadline,
		} = self;
		JobState::Attested {
			node,
			output,
			commitment,
			at,
			deadline,
			settle_at,
		}
	}

	/// It is in audit; the present phase of that is over at `until`.
	pub fn auditing(self, until: BlockNumber) -> JobState {
		let Self {
			node,
			output,
			commitment,
			at,
			deadline,
		} = self;
		JobState::Auditing {
			node,
			output,
			commitment,
			at,
			deadline,
			until,
		}
	}
}

/// What somebody submits.
pub(crate) struct Submission<AccountId> {
	/// The model.
	pub model: ModelId,
	/// The input, or the bundle of all of them.
	pub input: BlobRef,
	/// How many inputs that is.
	pub inputs: u16,
	/// How many jobs are made of it.
	pub tier: Tier,
	/// The most that all of them together may cost.
	pub max_price: Balance,
	/// The node that has the input.
	pub gateway: Option<NodeId>,
	/// Who earns its posted fee.
	pub curator: Option<AccountId>,
}

/// A job.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct JobRecord<AccountId> {
	/// Who pays.
	pub payer: AccountId,
	/// The model.
	#[codec(compact)]
	pub model: ModelId,
	/// The version that was current at submission.
	#[codec(compact)]
	pub version: ModelVersion,
	/// The input; of a job of many inputs the [bundle](highway_primitives::batch) of them.
	pub input: BlobRef,
	/// How many inputs there are: 1 to [`MAX_INPUTS`](highway_primitives::MAX_INPUTS).
	#[codec(compact)]
	pub inputs: u16,
	/// What is to be done, whatever fork it is on.
	pub work: WorkId,
	/// Price, units and payees as agreed at submission.
	pub deal: Deal<AccountId>,
	/// Reserved from each executor's own bond. Kept here, so that an upgrade that changes the factor gives back what was taken.
	#[codec(compact)]
	pub security: Balance,
	/// Blocks that each executor has.
	#[codec(compact)]
	pub allowance: BlockNumber,
	/// Nodes that its executors are drawn from: the most that another draw looks at.
	#[codec(compact)]
	pub executors: u32,
	/// The payer's node, asked first for the input.
	pub gateway: Option<NodeId>,
	/// The quorum that it is of, if it is of one.
	pub quorum: Option<Quorum>,
	/// Where it stands.
	pub state: JobState,
	/// Who was paid what; nothing before the end. Kept as it was: nodes leave, and runtimes change.
	pub bill: BillLines<AccountId>,
	/// Nodes that had it and did not do it, in order; no node twice.
	pub tried: BoundedVec<NodeId, MaxExecutors>,
	/// What some of them said why not.
	pub failures: BoundedVec<(NodeId, FailureClass), MaxExecutors>,
	/// Block of the submission.
	#[codec(compact)]
	pub submitted_at: BlockNumber,
}

/// [`JobRecord`] of a runtime.
pub type JobRecordOf<T> = JobRecord<<T as frame_system::Config>::AccountId>;

impl<AccountId> JobRecord<AccountId> {
	/// Where it stands, without what belongs to it.
	pub fn phase(&self) -> JobPhase {
		match self.state {
			JobState::Assigned { .. } => JobPhase::Assigned,
			JobState::Attested { .. } => JobPhase::Attested,
			JobState::Auditing { .. } => JobPhase::Auditing,
			JobState::Settled { .. } => JobPhase::Settled,
			JobState::Rejected { .. } => JobPhase::Rejected,
			JobState::Void { .. } => JobPhase::Void,
			JobState::Refunded { .. } => JobPhase::Refunded,
			JobState::Failed { .. } => JobPhase::Failed,
		}
	}

	/// The node that has it to do.
	pub fn assignee(&self) -> Option<NodeId> {
		match self.state {
			JobState::Assigned { node, .. } => Some(node),
			_ => None,
		}
	}

	/// Who has it to do, or did it.
	pub fn executor(&self) -> Option<NodeId> {
		match self.state {
			JobState::Assigned { node, .. }
			| JobState::Attested { node, .. }
			| JobState::Auditing { node, .. }
			| JobState::Settled { node, .. }
			| JobState::Rejected { node, .. }
			| JobState::Void { node, .. } => Some(node),
			JobState::Refunded { .. } | JobState::Failed { .. } => None,
		}
	}

	/// The output, once attested; also one that was found wrong.
	pub fn output(&self) -> Option<BlobRef> {
		match self.state {
			JobState::Attested { output, .. }
			| JobState::Auditing { output, .. }
			| JobState::Settled { output, .. }
			| JobState::Rejected { output, .. }
			| JobState::Void { output, .. } => Some(output),
			JobState::Assigned { .. } | JobState::Refunded { .. } | JobState::Failed { .. } => None,
		}
	}

	/// Block of the attestation.
	pub fn attested_at(&self) -> Option<BlockNumber> {
		match self.state {
			JobState::Attested { at, .. } | JobState::Auditing { at, .. } => Some(at),
			JobState::Settled { attested_at, .. }
			| JobState::Rejected { attested_at, .. }
			| JobState::Void { attested_at, .. } => Some(attested_at),
			JobState::Assigned { .. } | JobState::Refunded { .. } | JobState::Failed { .. } => None,
		}
	}

	/// What is attested, while the pay waits.
	pub(crate) fn attestation(&self) -> Option<Attestation> {
		match self.state {
			JobState::Attested {
				node,
				output,
				commitment,
				at,
				deadline,
				..
			}
			| JobState::Auditing {
				node,
				output,
				commitment,
				at,
				deadline,
				..
			} => Some(Attestation {
				node,
				output,
				commitment,
				at,
				deadline,
			}),
			_ => None,
		}
	}

	/// The last block in which the present executor's attestation counts.
	pub fn deadline(&self) -> Option<BlockNumber> {
		match self.state {
			JobState::Assigned { deadline, .. } => Some(deadline),
			_ => None,
		}
	}

	/// The first block in which the present phase is over.
	pub fn due(&self) -> BlockNumber {
		self.state.due()
	}
}

/// What a submission looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Looks {
	/// Nodes at which the market looked to agree on the price.
	pub market: u32,
	/// Nodes at which the draws looked beyond the first sample of each.
	pub further: u32,
	/// Nodes from which each executor was drawn, and will be if it is to be another one.
	pub executors: u32,
}

/// What a draw is for: each has its own randomness.
#[derive(Clone, Copy, Encode)]
pub(crate) enum Draw {
	/// The storage provider of a job.
	Storage(JobId),
	/// The executor of a job, after so many others.
	Executor(JobId, u32),
}
