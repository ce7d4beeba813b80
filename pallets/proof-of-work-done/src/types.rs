//! What is stored of audits and of the randomness that draws them.

use crate::draw::drawn_input;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use highway_primitives::{
	audit::{AuditReason, Claims, Seat, SketchSeed},
	Balance, Ballot, BlockNumber, DeviceClass, NodeId, Sketch, Verdict, Vote,
};
use scale_info::TypeInfo;
use sp_core::H256;

/// The most auditors of one audit, one after another.
pub const MAX_AUDITORS: usize = 3;

/// Jurors of a jury.
pub const JURORS: usize = 3;

/// Three auditors and three jurors.
pub type MaxSeats = ConstU32<6>;

/// The executor and everybody who has a seat.
pub type MaxSlashes = ConstU32<7>;

/// The most operators that are noted as having reproduced a version's calibration: two are needed.
pub type MaxConfirmations = ConstU32<8>;

/// The hints whose median is taken for the finalized block: eleven of the last authors must lie to move it.
pub type MaxHints = ConstU32<21>;

/// What a block adds to draws.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SealedBlock<AccountId> {
	/// The block.
	pub block: BlockNumber,
	/// Its author and the author's VRF output. `None`: the block has none, and draws step over it.
	pub seal: Option<(AccountId, [u8; 32])>,
}

/// What authors said about finality.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Finality {
	/// The block in which the last hint was given: one per block.
	pub noted_at: BlockNumber,
	/// The authors' last finalized blocks, oldest hint first.
	pub hints: BoundedVec<BlockNumber, MaxHints>,
}

/// How far a version's calibration is reproduced, and how often its audits are disputed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Calibration<AccountId> {
	/// Operators that reproduced it; none twice.
	pub reproduced_by: BoundedVec<AccountId, MaxConfirmations>,
	/// Audits of the version so far.
	pub audits: u32,
	/// Of them, juries whose members judged and did not agree.
	pub disputes: u32,
}

impl<AccountId> Calibration<AccountId> {
	/// Whether more than 1 % of the audits are disputed. One dispute alone suspends nothing: anybody may be the first.
	pub fn is_suspended(&self) -> bool {
		self.disputes > (self.audits / 100).saturating_add(1)
	}

	/// Counts one more audit. While slashes are suspended none counts: a suspension must not end by what is still open.
	pub fn count_audit(&mut self) {
		if !self.is_suspended() {
			self.audits = self.audits.saturating_add(1);
		}
	}
}

// Derived, it would ask for a default of the account.
impl<AccountId> Default for Calibration<AccountId> {
	fn default() -> Self {
		Self {
			reproduced_by: Default::default(),
			audits: 0,
			disputes: 0,
		}
	}
}

/// Why a node was slashed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum SlashReason {
	/// It did not say in time what it had to say.
	Silence,
	/// A jury found what it said wrong.
	Judged,
}

/// Who judges in an audit, and what it said.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SeatRecord {
	/// The node.
	pub node: NodeId,
	/// Auditor or juror.
	pub seat: Seat,
	/// Seed of its ballot's sketch.
	pub seed: SketchSeed,
	/// Whether it ran on the executor's device class when it was drawn. Kept: what a node says of its device may change.
	pub same_device: bool,
	/// What it committed to.
	pub commitment: Option<H256>,
	/// What it opened.
	pub ballot: Option<Ballot>,
}

/// What an audit waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum AuditPhase {
	/// The auditor's commitment.
	Judging,
	/// The auditor's ballot.
	Revealing {
		/// The block behind which a jury would be drawn: the scheduled end of [`AuditPhase::Opening`], whoever is early.
		fixed: BlockNumber,
	},
	/// The executor's opening of what it attested.
	Opening {
		/// The block behind which a jury would be drawn.
		fixed: BlockNumber,
	},
	/// The executor's proof of a chunk of an output that the auditor misses.
	Challenged {
		/// The block whose VRF draws the chunk.
		since: BlockNumber,
		/// Whether it was proved.
		proved: bool,
		/// The block behind which a jury would be drawn: the scheduled end of [`AuditPhase::Opening`], however early the
		/// chunk is proved.
		fixed: BlockNumber,
	},
	/// The blocks that draw the jury.
	JuryDraw {
		/// The block behind which it is drawn.
		fixed: BlockNumber,
	},
	/// The jurors' commitments.
	JuryJudging,
	/// The jurors' ballots.
	JuryRevealing,
	/// Nothing any more.
	Ended(Verdict),
}

impl AuditPhase {
	/// The phase in a few words.
	pub fn description(&self) -> &'static str {
		match self {
			Self::Judging => "auditor judges",
			Self::Revealing { .. } => "auditor reveals",
			Self::Opening { .. } => "executor opens its commitment",
			Self::Challenged { .. } => "executor proves a chunk",
			Self::JuryDraw { .. } => "jury is drawn",
			Self::JuryJudging => "jury judges",
			Self::JuryRevealing => "jury reveals",
			Self::Ended(_) => "ended",
		}
	}
}

/// What a node owes an audit now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Duty {
	/// Executor: its opening.
	Open,
	/// Whoever has this seat: its commitment.
	Commit(usize),
	/// Whoever has this seat: its ballot.
	Reveal(usize),
	/// Executor: the chunk that this block's VRF draws.
	Prove(BlockNumber),
}

/// An audit.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct AuditRecord {
	/// Why the job is audited.
	pub reason: AuditReason,
	/// Who did the job.
	pub executor: NodeId,
	/// What the executor said that it runs on when the audit began. Kept, so that it cannot choose its class once it
	/// knows that a jury comes.
	pub device: Option<DeviceClass>,
	/// What drew the audit draws its auditors and the input that it is about.
	pub draw: [u8; 32],
	/// What it waits for.
	pub phase: AuditPhase,
	/// The first block in which the phase is over.
	#[codec(compact)]
	pub until: BlockNumber,
	/// The sketch that the executor opened: of its run of that input.
	pub opening: Option<Sketch>,
	/// Auditors in order, then the jury. No node twice.
	pub seats: BoundedVec<SeatRecord, MaxSeats>,
	/// What was slashed, by node.
	pub slashes: BoundedVec<(NodeId, Balance), MaxSlashes>,
}

impl AuditRecord {
	/// How it ended.
	pub fn verdict(&self) -> Option<Verdict> {
		match self.phase {
			AuditPhase::Ended(verdict) => Some(verdict),
			_ => None,
		}
	}

	/// The input that it is about, of a job of so many, counted from 0.
	pub fn input(&self, inputs: u16) -> u16 {
		drawn_input(&self.draw, inputs)
	}

	/// Auditors so far, in order.
	pub fn auditors(&self) -> impl Iterator<Item = &SeatRecord> {
		self.seats.iter().filter(|seat| seat.seat == Seat::Auditor)
	}

	/// The auditor whose turn it is, or whose ballot the jury judges.
	pub fn auditor(&self) -> Option<&SeatRecord> {
		self.auditors().last()
	}

	/// The jury.
	pub fn jurors(&self) -> impl Iterator<Item = &SeatRecord> {
		self.seats.iter().filter(|seat| seat.seat == Seat::Juror)
	}

	/// Nodes whose security this audit holds: the present auditor and the jury. Nobody once it ended.
	pub fn held(&self) -> impl Iterator<Item = NodeId> + '_ {
		let open = self.verdict().is_none();
		self.auditor()
			.into_iter()
			.chain(self.jurors())
			.filter(move |_| open)
			.map(|seat| seat.node)
	}

	/// Whether an auditor missed the output, the present one or one before it.
	pub(crate) fn is_missed(&self) -> bool {
		self.auditors()
			.filter_map(|seat| seat.ballot)
			.any(|ballot| ballot.vote == Vote::Missing)
	}

	/// What jurors judge beside the output.
	pub fn claims(&self) -> Option<Claims> {
		let ballot = self.auditor()?.ballot?;
		Some(Claims {
			executor: self.opening?,
			vote: ballot.vote,
			auditor: ballot.sketch,
		})
	}

	/// What `node` owes at block `now`. What is not owed is not accepted: the one place that says which seat is open.
	pub(crate) fn duty(&self, node: NodeId, now: BlockNumber) -> Option<Duty> {
		// By block number, however late the queue is that ends the phase.
		if now >= self.until {
			return None;
		}
		let is_executor = node == self.executor;
		match self.phase {
			AuditPhase::Judging | AuditPhase::JuryJudging => {
				self.sitting(node, |seat| seat.commitment.is_none()).map(Duty::Commit)
			}
			AuditPhase::Revealing { .. } | AuditPhase::JuryRevealing => self
				.sitting(node, |seat| seat.commitment.is_some() && seat.ballot.is_none())
				.map(Duty::Reveal),
			AuditPhase::Opening { .. } => (is_executor && self.opening.is_none()).then_some(Duty::Open),
			// The VRF of a block is known when the block is over.
			AuditPhase::Challenged { since, proved, .. } => {
				(is_executor && !proved && now > since).then_some(Duty::Prove(since))
			}
			AuditPhase::JuryDraw { .. } | AuditPhase::Ended(_) => None,
		}
	}

	/// The seat of `node` among those whose turn it is, if it is as `wanted`. Auditors that were replaced have no turn.
	fn sitting(&self, node: NodeId, wanted: impl Fn(&SeatRecord) -> bool) -> Option<usize> {
		let seat = match self.phase {
			AuditPhase::JuryJudging | AuditPhase::JuryRevealing => Seat::Juror,
			_ => Seat::Auditor,
		};
		let first = match seat {
			Seat::Juror => 0,
			Seat::Auditor => self.auditors().count().saturating_sub(1),
		};
		self.seats
			.iter()
			.enumerate()
			.skip(first)
			.find(|(_, record)| record.seat == seat && record.node == node && wanted(record))
			.map(|(index, _)| index)
	}

	/// Whether everybody has spoken whose word the present phase waits for.
	pub(crate) fn is_complete(&self) -> bool {
		let auditor = |wanted: fn(&SeatRecord) -> bool| self.auditor().is_some_and(wanted);
		match self.phase {
			AuditPhase::Judging => auditor(|seat| seat.commitment.is_some()),
			AuditPhase::Revealing { .. } => auditor(|seat| seat.ballot.is_some()),
			AuditPhase::Opening { .. } => self.opening.is_some(),
			AuditPhase::Challenged { proved, .. } => proved,
			AuditPhase::JuryJudging => self.jurors().all(|seat| seat.commitment.is_some()),
			// Who did not commit has nothing to reveal.
			AuditPhase::JuryRevealing => self
				.jurors()
				.all(|seat| seat.commitment.is_none() || seat.ballot.is_some()),
			AuditPhase::JuryDraw { .. } | AuditPhase::Ended(_) => false,
		}
	}
}
