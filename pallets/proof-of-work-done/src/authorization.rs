//! Who may say what: checked in the pool and, by the same code, in the block.

use crate::{types::Duty, AuditRecord, Audits, Config, Pallet, SeatRecord, WeightInfo};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	pallet_prelude::{InvalidTransaction, TransactionPriority, TransactionTag, TransactionValidityWithRefund},
	traits::Get,
	weights::Weight,
	BoundedVec,
};
use highway_primitives::{
	audit::{ballot_commitment, AuditSubject, SketchSeed},
	authorization::{check_signature, let_in, PRIORITY, UNKNOWN_NODE},
	chunk_proof,
	traits::{Jobs, Nodes},
	worker::{self, ChunkProof, MaxAttestations},
	AttestItem, Ballot, FailureClass, JobId, MaxBlobSize, NodeId, Opening, WorkTag, WorkerAction, WorkerId,
	WorkerSignature,
};
use sp_core::H256;
use sp_runtime::SaturatedConversion;

/// The batch is empty.
pub const NO_ITEMS: InvalidTransaction = InvalidTransaction::Custom(2);

/// What is opened is not what was committed to, or is of another input or chunk than the one that was drawn.
pub const WRONG_OPENING: InvalidTransaction = InvalidTransaction::Custom(3);

/// No job in it waits for the node: done before, taken away, never given, past its deadline, other work on this fork, or the
/// output's size is out of range. Or its job's audit wants nothing of this kind from the node now. A replay ends here.
const NOTHING_OPEN: InvalidTransaction = InvalidTransaction::Stale;

/// More than the items of any batch: sets priorities of two blocks apart.
const MOST_ITEMS: u32 = 512;

/// Items looked up before the signature is checked.
const PROBES: usize = 8;

/// Blocks for which a pool keeps such a transaction.
const LONGEVITY: u64 = 32;

/// Above attestations and reports of whatever block, as their blocks and items stay below 2⁴¹: deadlines are shorter here.
const IN_AUDIT: TransactionPriority = PRIORITY.saturating_add(1 << 41);

/// Sets these tags apart from other pallets' tags.
const TAG: &[u8; 17] = b"highway/work-done";

/// What a transaction about an audit does: each has a tag of its own.
#[derive(Clone, Copy, Encode)]
enum Say {
	Open,
	Commit,
	Reveal,
	Prove,
}

impl<T: Config> Pallet<T> {
	/// What [`Self::authorize_attest`] weighs, of one job by itself.
	pub(crate) fn authorize_attest_weight(jobs: u32) -> Weight {
		match jobs {
			1 => T::WeightInfo::authorize_attest_one(),
			jobs => T::WeightInfo::authorize_attest(jobs),
		}
	}

	/// Cheap checks first: what is stale ends after a few reads. Whoever did not sign costs no more than [`PROBES`] of them and
	/// the check of the signature, however long the batch is: junk pays nothing.
	pub(crate) fn authorize_attest(
		node: NodeId,
		items: &BoundedVec<AttestItem, MaxAttestations>,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = T::Nodes::worker(node).ok_or(UNKNOWN_NODE)?;
		if items.is_empty() {
			return Err(NO_ITEMS.into());
		}
		let (probed, rest) = items.split_at_checked(PROBES).unwrap_or((items.as_slice(), &[]));
		let open = |item: &&AttestItem| Self::is_open(node, item);
		let mut jobs: Vec<JobId> = probed.iter().filter(open).map(|item| item.job).collect();
		if jobs.is_empty() && rest.is_empty() {
			return Err(NOTHING_OPEN.into());
		}
		let action = WorkerAction::Attest {
			node,
			items: items.clone(),
		};
		check_signature::<T>(&worker, &action, signature)?;

		jobs.extend(rest.iter().filter(open).map(|item| item.job));
		if jobs.is_empty() {
			return Err(NOTHING_OPEN.into());
		}
		jobs.sort_unstable();
		jobs.dedup();
		Self::let_work_in(node, &jobs)
	}

	pub(crate) fn authorize_report(
		node: NodeId,
		job: JobId,
		work: WorkTag,
		class: FailureClass,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = T::Nodes::worker(node).ok_or(UNKNOWN_NODE)?;
		if !T::Jobs::is_assigned(job, work, node) {
			return Err(NOTHING_OPEN.into());
		}
		let action = WorkerAction::ReportFailure { node, job, work, class };
		check_signature::<T>(&worker, &action, signature)?;
		Self::let_work_in(node, &[job])
	}

	pub(crate) fn authorize_opening(
		node: NodeId,
		job: JobId,
		opening: &Opening,
		salt: &[u8; 32],
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let (worker, record, duty) = Self::audit_duty(node, job)?;
		if duty != Duty::Open {
			return Err(NOTHING_OPEN.into());
		}
		let subject = Self::subject(job)?;
		let opened = worker::commitment(&subject.work, node, &subject.output, &opening.root, salt);
		if opened != subject.commitment || !opening.is_of(record.input(subject.inputs), subject.inputs) {
			return Err(WRONG_OPENING.into());
		}
		let action = WorkerAction::OpenCommitment {
			node,
			job,
			opening: opening.clone(),
			salt: *salt,
		};
		check_signature::<T>(&worker, &action, signature)?;
		Self::let_in_audit(node, job, Say::Open)
	}

	pub(crate) fn authorize_commit(
		node: NodeId,
		job: JobId,
		seed: &SketchSeed,
		commitment: &H256,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let (worker, record, duty) = Self::audit_duty(node, job)?;
		let Duty::Commit(index) = duty else {
			return Err(NOTHING_OPEN.into());
		};
		// Committed on another fork, under a seed that is another one here: it could never be opened.
		if Self::seat_at(&record, index)?.seed != *seed {
			return Err(NOTHING_OPEN.into());
		}
		let (seed, commitment) = (*seed, *commitment);
		let action = WorkerAction::CommitBallot {
			node,
			job,
			seed,
			commitment,
		};
		check_signature::<T>(&worker, &action, signature)?;
		Self::let_in_audit(node, job, Say::Commit)
	}

	pub(crate) fn authorize_reveal(
		node: NodeId,
		job: JobId,
		ballot: &Ballot,
		salt: &[u8; 32],
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let (worker, record, duty) = Self::audit_duty(node, job)?;
		let Duty::Reveal(index) = duty else {
			return Err(NOTHING_OPEN.into());
		};
		let seat = Self::seat_at(&record, index)?;
		let opened = ballot_commitment(&Self::subject(job)?.work, node, &seat.seed, ballot, salt);
		if seat.commitment != Some(opened) {
			return Err(WRONG_OPENING.into());
		}
		let (ballot, salt) = (*ballot, *salt);
		let action = WorkerAction::RevealBallot {
			node,
			job,
			ballot,
			salt,
		};
		check_signature::<T>(&worker, &action, signature)?;
		Self::let_in_audit(node, job, Say::Reveal)
	}

	pub(crate) fn authorize_proof(
		node: NodeId,
		job: JobId,
		proof: &ChunkProof,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let (worker, _, duty) = Self::audit_duty(node, job)?;
		let Duty::Prove(since) = duty else {
			return Err(NOTHING_OPEN.into());
		};
		let output = Self::subject(job)?.output;
		let chunk = Self::drawn_chunk(job, since, chunk_proof::chunks(output.size));
		if !chunk_proof::verify(&output.hash, output.size, chunk, &proof.bytes, &proof.siblings) {
			return Err(WRONG_OPENING.into());
		}
		let action = WorkerAction::ProveChunk {
			node,
			job,
			proof: proof.clone(),
		};
		check_signature::<T>(&worker, &action, signature)?;
		Self::let_in_audit(node, job, Say::Prove)
	}

	/// The node's worker key, the job's audit, and what that wants of the node now.
	fn audit_duty(node: NodeId, job: JobId) -> Result<(WorkerId, AuditRecord, Duty), InvalidTransaction> {
		let worker = T::Nodes::worker(node).ok_or(UNKNOWN_NODE)?;
		let record = Audits::<T>::get(job).ok_or(NOTHING_OPEN)?;
		let duty = record.duty(node, Self::now()).ok_or(NOTHING_OPEN)?;
		Ok((worker, record, duty))
	}

	fn seat_at(record: &AuditRecord, index: usize) -> Result<&SeatRecord, InvalidTransaction> {
		record.seats.get(index).ok_or(NOTHING_OPEN)
	}

	fn subject(job: JobId) -> Result<AuditSubject<T::AccountId>, InvalidTransaction> {
		T::Jobs::audit_subject(job).ok_or(NOTHING_OPEN)
	}

	/// Whether the item may count: its job waits for the node, and its output can exist.
	pub(crate) fn is_open(node: NodeId, item: &AttestItem) -> bool {
		(1..=MaxBlobSize::get()).contains(&item.output.size) && T::Jobs::is_assigned(item.job, item.work, node)
	}

	/// One tag per job, the same for attestations and reports: an operator can have at most one such transaction per
	/// assigned job in the pool, although it pays nothing. What is said in a later block replaces what was said before and
	/// had no effect; in one block, a batch with more open jobs replaces a smaller one.
	fn let_work_in(node: NodeId, jobs: &[JobId]) -> TransactionValidityWithRefund {
		let count = TransactionPriority::try_from(jobs.len()).unwrap_or_default();
		let provides = jobs.iter().map(|job| (TAG, node, job).encode()).collect();
		Self::let_in_now(PRIORITY.saturating_add(count), provides)
	}

	/// One tag per node, job and thing to say: while one such transaction waits, nothing but the same said in a later block
	/// takes its place, and once it is in a block, there is nothing of this kind left to say.
	fn let_in_audit(node: NodeId, job: JobId, say: Say) -> TransactionValidityWithRefund {
		Self::let_in_now(IN_AUDIT, Vec::from([(TAG, node, job, say).encode()]))
	}

	/// What is said in a later block stands above what was said before.
	fn let_in_now(priority: TransactionPriority, provides: Vec<TransactionTag>) -> TransactionValidityWithRefund {
		let block: u32 = frame_system::Pallet::<T>::block_number().saturated_into();
		let said_at = TransactionPriority::from(block).saturating_mul(TransactionPriority::from(MOST_ITEMS));
		let_in(priority.saturating_add(said_at), provides, LONGEVITY)
	}
}
