//! Audits and calibrations.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use highway_primitives::{
	audit::{AuditReason, Ballot, Seat, Sketch, Verdict},
	Balance, BlockNumber, JobId, ModelId, NodeId,
};
use scale_info::TypeInfo;

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
	/// How many inputs it has.
	pub inputs: u16,
	/// The one that is opened and judged, counted from 0.
	pub index: u16,
	/// Who did it.
	pub executor: NodeId,
	/// Why it is audited.
	pub reason: AuditReason,
	/// What it waits for, in a few words.
	pub phase: Vec<u8>,
	/// The block at which that ends by itself.
	pub until: Option<BlockNumber>,
	/// The executor's opened sketch of that input.
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
