//! Roles, asks, prices and bills.

use crate::{model::MAX_LINEAGE, Balance, ModelId, NodeId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;
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
	/// Composed the workflow that the job is a step of.
	Weaver,
	/// Judged the work of others: the premium goes into the audit pot, which pays for audits.
	Auditor,
	/// Treasury and burn.
	Protocol,
}

impl Role {
	/// Every role, in the order in which they are counted and shown.
	pub const ALL: [Self; 8] = [
		Self::Maker,
		Self::Parent,
		Self::Compute,
		Self::Storage,
		Self::Curator,
		Self::Weaver,
		Self::Auditor,
		Self::Protocol,
	];
}

/// What a node asks money for.
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
pub enum AskRole {
	/// Running the model: per unit.
	Compute,
	/// Pinning and serving its blobs: per started MiB of a job's input.
	Storage,
}

impl AskRole {
	/// Every role that has asks.
	pub const ALL: [Self; 2] = [Self::Compute, Self::Storage];

	/// The line of a bill that pays for it.
	pub const fn line(self) -> Role {
		match self {
			Self::Compute => Role::Compute,
			Self::Storage => Role::Storage,
		}
	}
}

/// What may be said of the next epoch's asks in this block: commitments in the first two thirds of an epoch, what was
/// committed to in the last one.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum MarketPhase {
	/// Nodes commit to what they will ask.
	Commit,
	/// Nodes say what they committed to.
	Reveal,
}

/// The most asks that one message commits to or reveals. A reveal looks at all who have places: more of them would not fit into
/// what a block keeps for workers where a session begins.
pub type MaxAskItems = ConstU32<24>;

/// A node's commitment to what it will ask for one model in one role.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct AskCommitment {
	/// The model.
	#[codec(compact)]
	pub model: ModelId,
	/// For what.
	pub role: AskRole,
	/// [`ask_commitment`].
	pub hash: H256,
}

/// What a node committed to for one model in one role.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct AskReveal {
	/// The model.
	#[codec(compact)]
	pub model: ModelId,
	/// For what.
	pub role: AskRole,
	/// What the node asks from the next epoch on; `None`: nothing any more.
	pub price: Option<Balance>,
	/// The commitment's salt.
	pub salt: [u8; 32],
}

/// What keeps a node from committing to an ask, though it is time for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum AskObstacle {
	/// The node cannot take jobs now.
	NotEligible,
	/// Too little of the node's own bond is free.
	NoBond {
		/// So much more of it would have to be free.
		missing: Balance,
	},
}

/// Separates commitments to asks from other hashes.
const ASK_DOMAIN: &[u8; 13] = b"highway/ask/1";

/// H(domain, node, epoch, model, role, price, salt): binds a node to what it will ask before it sees what others ask.
/// `epoch` is the one that the ask is for. A node's id is never reused, so nobody inherits a commitment.
pub fn ask_commitment(
	node: NodeId,
	epoch: EpochIndex,
	model: ModelId,
	role: AskRole,
	price: Option<Balance>,
	salt: &[u8; 32],
) -> H256 {
	H256(sp_io::hashing::blake2_256(
		&(ASK_DOMAIN, node, epoch, model, role, price, salt).encode(),
	))
}

/// What a job wants of the market.
#[derive(Clone, Debug)]
pub struct Order<'a, AccountId> {
	/// The model that is to run.
	pub model: ModelId,
	/// Units of work, fixed at submission.
	pub units: u32,
	/// Bytes of the input.
	pub input_size: u64,
	/// The version's: the least share of cheats that an audit sees. It sets the probability of an audit and the premium.
	pub detection: Perbill,
	/// Who pays.
	pub payer: &'a AccountId,
	/// Whom the payer names as the one who chose the model.
	pub curator: Option<&'a AccountId>,
	/// Who composed the workflow, and its fee.
	pub weaver: Option<(&'a AccountId, Balance)>,
	/// Draws the storage provider.
	pub seed: [u8; 32],
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
	/// The curator and its posted fee. `None` too if the payer named itself.
	pub curator: Option<(AccountId, Balance)>,
	/// Who composed the workflow that the job is a step of, and its fee: of the jobs of a quorum, of the first one's alone.
	pub weaver: Option<(AccountId, Balance)>,
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

/// Maker and ancestors, compute, storage, curator, weaver, the premium, and two lines of the protocol.
pub type MaxBillLines = ConstU32<{ 1 + MAX_LINEAGE + 4 + 1 + 2 }>;

/// Who was paid what for one job.
pub type BillLines<AccountId> = BoundedVec<BillLine<AccountId>, MaxBillLines>;

/// The most debts of the audit pot that are paid whenever something comes into it: the bound of a settlement's cost.
pub const MAX_DEBTS_AT_ONCE: u32 = 4;

/// What a settlement did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settlement<AccountId> {
	/// Who was paid what. Storage is among it, though its line waits for a proof.
	pub bill: BillLines<AccountId>,
	/// How many debts of the audit pot the premium paid, the last one in part maybe; at most [`MAX_DEBTS_AT_ONCE`].
	pub debts: u32,
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::{collections::BTreeSet, vec::Vec};

	#[test]
	fn every_role_should_be_listed_once_and_in_order() {
		let places: Vec<_> = Role::ALL.iter().map(|role| role.encode()[0]).collect();
		assert_eq!(places, (0..8).collect::<Vec<_>>());
		assert_eq!(AskRole::ALL.map(|role| role.encode()[0]), [0, 1]);
	}

	/// Whoever could open one commitment in two ways would choose after it saw what others ask.
	#[test]
	fn a_commitment_should_bind_to_everything_that_it_says() {
		let salts = [[0; 32], [1; 32]];
		let prices = [None, Some(0), Some(1), Some(Balance::MAX)];
		let mut seen = BTreeSet::new();
		for node in 0..2 {
			for epoch in 0..2 {
				for model in 0..2 {
					for role in AskRole::ALL {
						for price in prices {
							for salt in &salts {
								assert!(seen.insert(ask_commitment(node, epoch, model, role, price, salt)));
							}
						}
					}
				}
			}
		}
		assert_eq!(seen.len(), 2 * 2 * 2 * 2 * 4 * 2);
	}
}
