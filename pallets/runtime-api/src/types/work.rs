//! What a node's worker is told.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use highway_primitives::{
	audit::AuditTask,
	market::{AskObstacle, AskRole, MarketPhase},
	model::VersionSpec,
	node::Contact,
	Balance, BlobRef, BlockNumber, DeviceClass, EpochIndex, JobId, ModelId, ModelVersion, NodeId, ProbeTask, WorkId,
};
use scale_info::TypeInfo;
use sp_core::H256;

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
	/// What it may say in auctions in the next block, the first one that what is sent now can be in: while asks are committed
	/// to, one entry for each role of each model that it hosts and that there is; while they are revealed, one for each
	/// commitment that it has to open, whether it hosts the model by now or not: a withdrawal can be opened all the same.
	pub asks: Vec<AskTask>,
	/// What it has to show of what it is paid for storing: at most one chunk of each model, hosted by now or not.
	pub challenges: Vec<StorageTask>,
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
	/// The input, a safetensors file; of a job of many the bundle of them.
	pub input: BlobRef,
	/// How many inputs there are.
	pub inputs: u16,
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
	/// The input, a safetensors file; of a job of many the bundle of them.
	pub input: BlobRef,
	/// How many inputs there are: `task` names the one that it is about.
	pub inputs: u16,
	/// Units of the whole job.
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

/// So many blocks of a phase are enough for a reveal: nodes pass transactions on every 2.9 s only, so with two left it could come
/// too late to the author of the last one.
pub const BLOCKS_TO_REVEAL: BlockNumber = 3;

/// What a node may say in the auction of a model's role in the next block, and how it did in the last one.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AskTask {
	/// The model.
	pub model: ModelId,
	/// For what.
	pub role: AskRole,
	/// The epoch that is bid for: the one after that of the next block.
	pub epoch: EpochIndex,
	/// Whether asks are committed to or revealed in that block.
	pub phase: MarketPhase,
	/// The first block of the phase.
	pub from: BlockNumber,
	/// The last block of the phase: the last one in which it counts.
	pub until: BlockNumber,
	/// The node's standing ask: what holds in `epoch` unless it reveals another.
	pub standing: Option<Balance>,
	/// What it committed to for `epoch` and has not revealed yet. Unrevealed it costs the bond.
	pub committed: Option<H256>,
	/// While asks are committed to, and it has not committed to one: why the chain would not take that, as things stand.
	pub obstacle: Option<AskObstacle>,
	/// The price that was found last. `None`: the role was never cleared.
	pub price: Option<Balance>,
	/// Whether the node was among the winners then.
	pub won: bool,
}

impl AskTask {
	/// Whether what was committed to is to be revealed now, where `best` and `finalized` are the numbers of the best block and
	/// of the last final one: as soon as the last block for commitments is final. Before that its author could withhold it, read
	/// what others reveal, and put a commitment of its own into it. But no bond shall be lost for want of finality: at the
	/// latest when half of the phase is over, or [`BLOCKS_TO_REVEAL`] are left of it.
	pub fn is_time_to_reveal(&self, best: BlockNumber, finalized: BlockNumber) -> bool {
		let length = self.until.saturating_sub(self.from).saturating_add(1);
		let over = best.saturating_add(1).saturating_sub(self.from);
		let left = self.until.saturating_sub(best);
		let is_final = finalized.saturating_add(1) >= self.from;
		self.phase == MarketPhase::Reveal && (is_final || over >= length.div_ceil(2) || left <= BLOCKS_TO_REVEAL)
	}
}

/// A chunk of a model's artefact that a storage provider has to show.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct StorageTask {
	/// The model.
	pub model: ModelId,
	/// The artefact.
	pub artefact: BlobRef,
	/// The chunk of 1 KiB, counted from 0.
	pub chunk: u64,
	/// The block that drew it: a part of the answer.
	pub drawn_at: BlockNumber,
	/// The last block in which the answer counts.
	pub until: BlockNumber,
}

#[cfg(test)]
mod tests {
	use super::*;

	/// In a reveal phase of so many blocks that begins with block 201.
	fn revealing(blocks: BlockNumber) -> AskTask {
		AskTask {
			model: 1,
			role: AskRole::Compute,
			epoch: 8,
			phase: MarketPhase::Reveal,
			from: 201,
			until: 200 + blocks,
			standing: None,
			committed: None,
			obstacle: None,
			price: None,
			won: false,
		}
	}

	/// The first best block after which it is time to reveal, while this one is the last that is final.
	fn first(task: &AskTask, finalized: BlockNumber) -> Option<BlockNumber> {
		(200..=task.until).find(|best| task.is_time_to_reveal(*best, finalized))
	}

	#[test]
	fn reveals_should_wait_until_the_last_block_for_commitments_is_final() {
		assert_eq!(first(&revealing(100), 200), Some(200));
		assert_eq!(first(&revealing(100), 230), Some(200));
		assert!(!revealing(100).is_time_to_reveal(249, 199));
		let committing = AskTask {
			phase: MarketPhase::Commit,
			..revealing(100)
		};
		assert_eq!(first(&committing, 300), None);
	}

	#[test]
	fn reveals_should_not_wait_longer_than_half_of_the_phase_or_until_three_blocks_are_left() {
		for (blocks, best) in [
			(100, 250),
			(10, 205),
			(9, 205),
			(6, 203),
			(5, 202),
			(4, 201),
			(3, 200),
			(1, 200),
		] {
			let task = revealing(blocks);
			assert_eq!(first(&task, 199), Some(best), "{blocks} blocks");
			assert!((best..=task.until).all(|best| task.is_time_to_reveal(best, 0)));
		}
	}
}
