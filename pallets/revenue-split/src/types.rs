//! What the pallet stores and tells.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use highway_primitives::{
	market::BillLine, model::MAX_LINEAGE, Balance, BlockNumber, EpochIndex, JobId, NodeId, RoyaltyLine,
};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// The most asks of a model's role that hold in one epoch, and so the most winners.
pub const MAX_ASKS: u32 = 64;

/// The most asks stored per model and role: those that end with this epoch and those that begin with the next.
pub const MAX_STORED_ASKS: u32 = MAX_ASKS * 2;

/// [`MAX_STORED_ASKS`] as a type.
pub type MaxStoredAsks = ConstU32<MAX_STORED_ASKS>;

/// The winners of one role in one epoch.
pub type Winners = BoundedVec<NodeId, ConstU32<MAX_ASKS>>;

/// The maker and its model's ancestors.
pub type MaxRoyalties = ConstU32<{ MAX_LINEAGE + 1 }>;

/// What a node asks money for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum AskRole {
	/// Running the model: per unit.
	Compute,
	/// Pinning and serving its blobs: per started MiB of a job's input.
	Storage,
}

impl AskRole {
	/// Every role that has asks.
	pub const ALL: [Self; 2] = [Self::Compute, Self::Storage];
}

/// What one node asks: now, and from a coming epoch on.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Ask<AccountId> {
	/// The node.
	pub node: NodeId,
	/// The price that holds before the epoch of `next`; `None`: no ask.
	pub current: Option<Balance>,
	/// The epoch of the latest change, and the price from there on; `None` as its price: withdrawn.
	pub next: Option<(EpochIndex, Option<Balance>)>,
	/// From whom how much is held for it, until it is withdrawn or loses its place.
	pub deposit: Option<(AccountId, Balance)>,
}

impl<AccountId> Ask<AccountId> {
	/// No ask yet.
	pub const fn none(node: NodeId) -> Self {
		Self {
			node,
			current: None,
			next: None,
			deposit: None,
		}
	}

	/// The price that holds in `epoch`, as far as is known by now.
	pub fn effective(&self, epoch: EpochIndex) -> Option<Balance> {
		match self.next {
			Some((from, price)) if from <= epoch => price,
			_ => self.current,
		}
	}

	/// The price that holds once every change has come about.
	pub fn upcoming(&self) -> Option<Balance> {
		self.next.map_or(self.current, |(_, price)| price)
	}

	/// From the epoch after `now` the price is `price`; in `now` it stays what it is.
	pub fn change(&mut self, now: EpochIndex, price: Option<Balance>) {
		self.current = self.effective(now);
		self.next = Some((now.saturating_add(1), price));
	}
}

/// Prices and payees of a model in one epoch.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Clearing<AccountId> {
	/// Price per unit that every executor earns alike.
	pub compute_price: Balance,
	/// Who runs the model.
	pub executors: Winners,
	/// Price per started MiB of input that every storage provider earns alike; 0 if there are none.
	pub storage_price: Balance,
	/// Who pins and serves; may be empty.
	pub storage: Winners,
	/// Who earns royalties: the maker first, then the ancestors, nearest first.
	pub royalties: BoundedVec<RoyaltyLine<AccountId>, MaxRoyalties>,
	/// Open jobs that refer to this record.
	pub jobs: u32,
}

/// What a curator asks, and what is held for keeping it in mind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct CuratorFee {
	/// Per job.
	pub fee: Balance,
	/// Held from the account; given back in full, whatever the deposit is by then.
	pub deposit: Balance,
}

/// The most debts of the audit pot that are paid whenever something comes into it: the bound of a settlement's cost.
pub const MAX_DEBTS_AT_ONCE: u32 = 4;

/// What the audit pot owes for judging a job, because it had less.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Debt<AccountId> {
	/// The job.
	#[codec(compact)]
	pub job: JobId,
	/// Who judged it.
	pub payee: AccountId,
	/// What is not paid yet.
	#[codec(compact)]
	pub amount: Balance,
}

/// What a job, or all jobs of a quorum, cost now, and who could do them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuoteParts<AccountId> {
	/// The market epoch that the price is for.
	pub epoch: EpochIndex,
	/// The last block of that epoch.
	pub valid_until: BlockNumber,
	/// The lines without zeros; executor and storage provider are drawn at submission and not named, and the premium has
	/// no payee. They sum to `price`.
	pub lines: Vec<BillLine<AccountId>>,
	/// The price.
	pub price: Balance,
	/// The compute line of one job.
	pub compute: Balance,
	/// Probability of an audit of one job.
	pub audit_rate: Perbill,
	/// The compute winners of the epoch; at most [`MAX_ASKS`].
	pub executors: Vec<NodeId>,
}
