//! Roles, prices and bills.

use crate::{model::MAX_LINEAGE, Balance, NodeId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Perbill;

/// Index of a market epoch. Not the session: its length is a parameter of its own.
pub type EpochIndex = u32;

/// Who a line of a bill pays, and for what.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum Role {
	/// Made the model that runs.
	Maker,
	/// Made an ancestor of it.
	Parent,
	/// Ran it.
	Compute,
	/// Pinned and served its blobs.
	Storage,
	/// Named by the payer as the one who chose the model for it.
	Curator,
	/// Judged the work of others: the premium goes into the audit pot, which pays for audits.
	Auditor,
	/// Treasury and burn.
	Protocol,
}

/// What was agreed for one job at its submission; with the clearing record of its (model, epoch) it gives the bill.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Deal<AccountId> {
	/// The market epoch whose clearing record holds prices and payees.
	pub epoch: EpochIndex,
	/// Units, fixed at submission.
	pub units: u32,
	/// Everything that the payer paid into the pot: the sum of all lines.
	pub price: Balance,
	/// The compute line of it.
	pub compute: Balance,
	/// Whether royalties are a part of it: of the jobs of a quorum, of the first one's alone.
	pub royalties: bool,
	/// The storage provider drawn for this job and its line.
	pub storage: Option<(NodeId, Balance)>,
	/// The curator and its posted fee.
	pub curator: Option<(AccountId, Balance)>,
	/// Probability of an audit.
	pub audit_rate: Perbill,
	/// What the payer adds to the audit pot, from which audits are paid.
	pub premium: Balance,
}

/// One line of a bill.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
pub struct BillLine<AccountId> {
	/// For what.
	pub role: Role,
	/// To whom; `None` for the burned half of the protocol's line, for the premium, which goes into the audit pot, and in a
	/// quote for the executor, drawn at submission.
	pub payee: Option<AccountId>,
	/// How much.
	pub amount: Balance,
}

/// Maker and ancestors, compute, storage, curator, the premium, and two lines of the protocol.
pub type MaxBillLines = ConstU32<{ 1 + MAX_LINEAGE + 3 + 1 + 2 }>;

/// Who was paid what for one job.
pub type BillLines<AccountId> = BoundedVec<BillLine<AccountId>, MaxBillLines>;
