//! What is stored about delegations.

use crate::{Config, DEFAULT_COMMISSION};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, CloneNoBound, DebugNoBound, DefaultNoBound, EqNoBound, PartialEqNoBound};
use highway_math::pool::{Part, Pool, Rewards};
use highway_primitives::{Balance, NodeId};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// What an operator takes of its delegators' rewards, and how much more it will take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Commission {
	/// The share that holds, unless an announced one is due.
	pub share: Perbill,
	/// A higher share and the session from which it holds.
	pub announced: Option<(Perbill, u32)>,
}

impl Default for Commission {
	fn default() -> Self {
		Self {
			share: DEFAULT_COMMISSION,
			announced: None,
		}
	}
}

impl Commission {
	/// The share that holds in `session`.
	pub fn at(&self, session: u32) -> Perbill {
		match self.announced {
			Some((share, from)) if from <= session => share,
			_ => self.share,
		}
	}

	/// The highest share that it is, or is announced to become.
	pub fn highest(&self, session: u32) -> Perbill {
		let announced = self.announced.map_or(Perbill::zero(), |(share, _)| share);
		self.at(session).max(announced)
	}
}

/// What others have put behind a node and what it earned for them and for its operator. A slash or a reward writes this
/// alone, however many have delegated.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct PoolRecord {
	/// Delegated stake: it elects, and is slashed with the node.
	pub active: Pool,
	/// Delegated stake on its way out: it elects no more, and is slashed until it is withdrawn.
	pub unbonding: Pool,
	/// Rewards per point of `active`.
	pub rewards: Rewards,
	/// Rewards shared per point that are not written down in a delegation yet.
	#[codec(compact)]
	pub unsettled: Balance,
	/// Rewards written down in delegations that were not claimed yet.
	#[codec(compact)]
	pub unclaimed: Balance,
	/// Rewards of the operator that it has not claimed yet.
	#[codec(compact)]
	pub operator_rewards: Balance,
	/// Points of former generations whose owners have rewards that are not settled.
	#[codec(compact)]
	pub former_points: u128,
	/// What the operator takes.
	pub commission: Commission,
}

impl PoolRecord {
	/// All coins of the pot that are there for this pool. `None` if they were more than there can be.
	pub fn owed(&self) -> Option<Balance> {
		self.active
			.stake
			.checked_add(self.unbonding.stake)?
			.checked_add(self.unsettled)?
			.checked_add(self.unclaimed)?
			.checked_add(self.operator_rewards)
	}

	/// Whether nobody but the operator has anything in it.
	pub fn is_empty(&self) -> bool {
		self.active.points == 0 && self.unbonding.points == 0 && self.former_points == 0 && self.unclaimed == 0
	}

	/// Gives the operator what roundings left of rewards once there is no point that could have earned it.
	pub fn sweep(&mut self) {
		if self.active.points == 0 && self.former_points == 0 {
			self.operator_rewards = self.operator_rewards.saturating_add(self.unsettled);
			self.unsettled = 0;
			self.rewards.carry = 0;
		}
	}
}

/// A generation of points that a slash wiped out: their stake is gone, the rewards before it are not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct FormerGeneration {
	/// What a point had earned when it ended.
	pub per_point: u128,
	/// Points whose owners have not settled since.
	#[codec(compact)]
	pub points: u128,
}

/// Part of a delegation on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct UnbondingPart {
	/// What it owns of the unbonding pool.
	pub part: Part,
	/// The session from which it can be withdrawn.
	#[codec(compact)]
	pub session: u32,
}

/// What one account has put behind one node.
#[derive(
	CloneNoBound,
	PartialEqNoBound,
	EqNoBound,
	DebugNoBound,
	DefaultNoBound,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(T))]
pub struct Delegation<T: Config> {
	/// What it owns of the active pool.
	pub part: Part,
	/// What a point had earned when its rewards were last written down.
	pub mark: u128,
	/// Rewards written down and not claimed.
	#[codec(compact)]
	pub unclaimed: Balance,
	/// Parts on their way out, earliest first.
	pub unbonding: BoundedVec<UnbondingPart, T::MaxUnbonding>,
}

/// [`Delegation`] of a runtime.
pub type DelegationOf<T> = Delegation<T>;

impl<T: Config> Delegation<T> {
	/// Whether it need not be kept.
	pub fn is_empty(&self) -> bool {
		self.part.points == 0 && self.unbonding.is_empty() && self.unclaimed == 0
	}
}

/// A delegation as a wallet shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DelegationView {
	/// The node.
	pub node: NodeId,
	/// What the delegated stake is worth now.
	pub amount: Balance,
	/// Rewards that can be claimed now.
	pub rewards: Balance,
	/// Parts on their way out: what each is worth now and the session from which it can be withdrawn.
	pub unbonding: Vec<(Balance, u32)>,
}
