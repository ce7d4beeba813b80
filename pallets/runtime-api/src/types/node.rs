//! Nodes, and who delegated to them.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use highway_primitives::{node::Contact, Balance, DeviceClass, ModelId, NodeId, WorkerId};
use scale_info::TypeInfo;

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
