//! What is stored about a node.

use crate::{Config, MISSED_INELIGIBLE, MISSED_JAILED};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	traits::{DefensiveTruncateFrom, Get},
	BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
};
use highway_math::reliability::Reliability;
use highway_primitives::{
	node::{MaxAddresses, Multiaddress, PeerIdBytes, Region},
	Balance, BlockNumber, DeviceClass, EpochIndex, ModelId, WorkerId,
};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What an operator tells about its node.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct NodeDescription {
	/// The key with which the node signs its work. No other node has it.
	pub worker: WorkerId,
	/// Its peer id in the p2p network; empty: not told.
	pub peer_id: PeerIdBytes,
	/// Its addresses in the p2p network, as text that starts with `/`.
	pub addresses: BoundedVec<Multiaddress, MaxAddresses>,
	/// What its inference really runs on.
	pub device: DeviceClass,
	/// Memory for inference in MiB, at least 1.
	#[codec(compact)]
	pub memory_mib: u32,
	/// Region in the operator's words, printable ASCII.
	pub region: Region,
}

impl NodeDescription {
	/// Whether every text can be printed as it is, and addresses look like addresses. A peer id is bytes.
	pub fn has_plain_text(&self) -> bool {
		// A wallet prints these: control characters would write over its terminal.
		let plain = |text: &[u8]| text.iter().all(u8::is_ascii_graphic);
		plain(&self.region)
			&& self
				.addresses
				.iter()
				.all(|address| address.first() == Some(&b'/') && plain(address))
	}
}

/// Part of a bond on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct UnbondingChunk {
	/// How much.
	#[codec(compact)]
	pub amount: Balance,
	/// The session from which it can be withdrawn.
	#[codec(compact)]
	pub session: u32,
}

/// A node: what its operator says of it and has bonded for it.
#[derive(
	CloneNoBound,
	PartialEqNoBound,
	EqNoBound,
	DebugNoBound,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(T))]
pub struct NodeRecord<T: Config> {
	/// Who operates it and earns for it.
	pub operator: T::AccountId,
	/// The key with which it signs its work.
	pub worker: WorkerId,
	/// Its peer id in the p2p network; empty: not told.
	pub peer_id: PeerIdBytes,
	/// Its addresses in the p2p network.
	pub addresses: BoundedVec<Multiaddress, MaxAddresses>,
	/// What its inference runs on.
	pub device: DeviceClass,
	/// Memory for inference in MiB.
	#[codec(compact)]
	pub memory_mib: u32,
	/// Region in the operator's words.
	pub region: Region,
	/// The operator's own bond, without what is unbonding. Below the least bond only if something was slashed.
	#[codec(compact)]
	pub bond: Balance,
	/// What is on its way out, earliest first.
	pub unbonding: BoundedVec<UnbondingChunk, T::MaxUnbonding>,
	/// Whether it was taken out by its operator, or after an offence.
	pub chilled: bool,
	/// The session in which it registered.
	#[codec(compact)]
	pub registered_session: u32,
	/// Once the bond was all gone: the session from which no offence of its time can be slashed any more, and the node may
	/// go.
	#[codec(compact)]
	pub exposed_until: u32,
	/// Models that it serves, in no order, each once.
	pub hosted: BoundedVec<ModelId, T::MaxHosted>,
}

/// [`NodeRecord`] of a runtime.
pub type NodeRecordOf<T> = NodeRecord<T>;

impl<T: Config> NodeRecord<T> {
	/// A node as it registers: nothing bonded, nothing hosted.
	pub fn new(operator: T::AccountId, description: NodeDescription, session: u32) -> Self {
		let NodeDescription {
			worker,
			peer_id,
			addresses,
			device,
			memory_mib,
			region,
		} = description;
		Self {
			operator,
			worker,
			peer_id,
			addresses,
			device,
			memory_mib,
			region,
			bond: 0,
			unbonding: BoundedVec::new(),
			chilled: false,
			registered_session: session,
			exposed_until: 0,
			hosted: BoundedVec::new(),
		}
	}

	/// Takes over what the operator tells now.
	pub fn describe(&mut self, description: NodeDescription) {
		let NodeDescription {
			worker,
			peer_id,
			addresses,
			device,
			memory_mib,
			region,
		} = description;
		self.worker = worker;
		self.peer_id = peer_id;
		self.addresses = addresses;
		self.device = device;
		self.memory_mib = memory_mib;
		self.region = region;
	}

	/// Everything that is on its way out.
	pub fn unbonding_total(&self) -> Balance {
		self.unbonding
			.iter()
			.fold(0, |sum: Balance, chunk| sum.saturating_add(chunk.amount))
	}

	/// Whether it stands in the list from which validators are chosen.
	pub fn is_listed(&self) -> bool {
		self.bond > 0 && !self.chilled
	}

	/// Whether it may work as far as its operator and its bond say: enough is bonded, and it is not chilled.
	pub fn is_active(&self) -> bool {
		!self.chilled && self.bond >= T::MinBond::get()
	}

	/// What it weighs in the draw of those who judge.
	pub fn leaf(&self) -> Balance {
		if self.is_active() {
			self.bond
		} else {
			0
		}
	}

	/// Takes up to `amount` of what is on its way out, earliest first, and returns how much it was.
	pub fn take_unbonding(&mut self, amount: Balance) -> Balance {
		let mut left = amount;
		for chunk in self.unbonding.iter_mut() {
			let part = chunk.amount.min(left);
			chunk.amount = chunk.amount.saturating_sub(part);
			left = left.saturating_sub(part);
		}
		self.unbonding.retain(|chunk| chunk.amount > 0);
		amount.saturating_sub(left)
	}
}

/// How a node does. Small: every job and every heartbeat writes it.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Standing {
	/// Session of its last heartbeat.
	pub last_heartbeat: Option<u32>,
	/// The session from which missed heartbeats count: that of its registration, or of its return from jail.
	#[codec(compact)]
	pub live_since: u32,
	/// Whether its engine was able to work at its last heartbeat, and the node to sell. False until the first one, and
	/// after a return from jail until the next one.
	pub healthy: bool,
	/// Jobs that it can take at the same time, as its last heartbeat says.
	#[codec(compact)]
	pub declared: u16,
	/// Jobs that it takes at the same time: no more than declared, and no more than it was allowed at its last heartbeat.
	#[codec(compact)]
	pub slots: u16,
	/// Slots taken. More than `slots` if it lowered them since.
	#[codec(compact)]
	pub assigned: u32,
	/// Part of the bond that secures open jobs and audits. Never more than the bond.
	#[codec(compact)]
	pub reserved: Balance,
	/// What open jobs and audits were promised besides, but an offence's slash took. As long as it is not 0 the whole bond
	/// is reserved: new bond secures these jobs first.
	#[codec(compact)]
	pub unsecured: Balance,
	/// What is known of how reliably it does its jobs.
	pub reliability: Reliability,
}

impl Standing {
	/// A node that was not heard yet.
	pub fn new(session: u32) -> Self {
		Self {
			live_since: session,
			..Default::default()
		}
	}

	/// Sessions since it was heard, the current one included while its heartbeat is missing.
	pub fn missed(&self, session: u32) -> u32 {
		session.saturating_sub(self.last_heartbeat.unwrap_or(0).max(self.live_since))
	}

	/// Whether it was heard lately enough to get jobs.
	pub fn is_live(&self, session: u32) -> bool {
		self.missed(session) < MISSED_INELIGIBLE
	}

	/// Whether it may work as far as its heartbeats say: it was heard lately enough, healthy, and with a slot to sell, taken or
	/// not. Whoever sells none would have a place in the market and never be drawn.
	pub fn is_able(&self, session: u32) -> bool {
		self.healthy && self.slots > 0 && self.is_live(session)
	}

	/// Whether it was silent for so long that only its operator can bring it back.
	pub fn is_jailed(&self, session: u32) -> bool {
		self.missed(session) >= MISSED_JAILED
	}

	/// Slots that are not taken.
	pub fn free_slots(&self) -> u32 {
		u32::from(self.slots).saturating_sub(self.assigned)
	}

	/// Gives back the security of one job or audit: first what is not there any more, so that those that stay open are
	/// secured as well as they can be. Returns what was given back beyond what was promised, which is never more than 0.
	#[must_use]
	pub fn let_go(&mut self, security: Balance) -> Balance {
		let lost = security.min(self.unsecured);
		self.unsecured = self.unsecured.saturating_sub(lost);
		let backed = security.saturating_sub(lost);
		let over = backed.saturating_sub(self.reserved);
		self.reserved = self.reserved.saturating_sub(backed);
		over
	}
}

/// How many pledges of a node are kept: for the present market epoch and for the next one.
pub const MAX_PLEDGES: u32 = 2;

/// For which models a node was eligible at the first block in which asks for a market epoch were opened: in that epoch it
/// counts for them, whatever it has done since. And for which of them it has lapsed.
#[derive(
	CloneNoBound,
	PartialEqNoBound,
	EqNoBound,
	DebugNoBound,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(T))]
pub struct Pledge<T: Config> {
	/// The epoch.
	#[codec(compact)]
	pub epoch: EpochIndex,
	/// The models: all that it hosted then, or none.
	pub models: BoundedVec<ModelId, T::MaxHosted>,
	/// Those of them that it has let down in the epoch, each with the first block in which it could not serve it, whatever came
	/// after.
	pub lapsed: BoundedVec<(ModelId, BlockNumber), T::MaxHosted>,
}

impl<T: Config> Pledge<T> {
	/// Of a node that has let down none of the `models`.
	pub fn new(epoch: EpochIndex, models: &[ModelId]) -> Self {
		Self {
			epoch,
			models: BoundedVec::defensive_truncate_from(models.to_vec()),
			lapsed: BoundedVec::new(),
		}
	}

	/// The first block of the epoch in which it could not serve the model, if that is noted.
	pub fn lapse_of(&self, model: ModelId) -> Option<BlockNumber> {
		let noted = self.lapsed.iter().find(|(lapsed, _)| *lapsed == model);
		noted.map(|(_, block)| *block)
	}
}

/// What was taken for a node's faults so far.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SlashTotals {
	/// Of the bond, after audits.
	#[codec(compact)]
	pub convictions: Balance,
	/// Of the bond and what is unbonding, for jobs that were not done in time.
	#[codec(compact)]
	pub fines: Balance,
	/// Of the bond and what is unbonding, for offences against consensus.
	#[codec(compact)]
	pub offences: Balance,
	/// Of delegations, for offences against consensus.
	#[codec(compact)]
	pub delegated: Balance,
}

impl SlashTotals {
	/// What the operator itself lost.
	pub fn own(&self) -> Balance {
		self.convictions
			.saturating_add(self.fines)
			.saturating_add(self.offences)
	}
}

/// A node that is there from the start.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
pub struct GenesisNode<AccountId> {
	/// Who operates it.
	pub operator: AccountId,
	/// Its worker key. Whoever writes the genesis vouches for it: no proof.
	pub worker: WorkerId,
	/// Bytes of its peer id; empty: not told.
	pub peer_id: Vec<u8>,
	/// Its addresses as text.
	pub addresses: Vec<Vec<u8>>,
	/// What its inference runs on.
	pub device: DeviceClass,
	/// Memory for inference in MiB.
	pub memory_mib: u32,
	/// Region.
	pub region: Vec<u8>,
	/// Bond, held from the operator's genesis balance.
	pub bond: Balance,
	/// Jobs that it takes at the same time, until its first heartbeat says otherwise.
	pub slots: u16,
}
