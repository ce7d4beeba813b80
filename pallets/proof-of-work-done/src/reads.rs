//! What others read of audits, and what this pallet offers to other pallets.

use crate::{types::Duty, AuditRecord, Audits, Calibration, Calibrations, Config, Forced, Pallet, Tasks};
use alloc::vec::Vec;
use highway_primitives::{
	audit::{AuditDue, AuditSubject, AuditTask, Seat, WindowOver},
	chunk_proof,
	traits::{Attestations, BlockSeeds, Jobs, Market, SecurityTouched},
	BlockNumber, JobId, ModelId, ModelVersion, NodeId,
};
use sp_runtime::SaturatedConversion;

/// The most entries that one read looks at.
const MAX_READ: usize = 4_096;

impl<T: Config> Pallet<T> {
	/// The audit of a job, if there is or was one.
	pub fn audit(job: JobId) -> Option<AuditRecord> {
		Audits::<T>::get(job)
	}

	/// Jobs with an audit, ids from `from` on and below `end`, in order: at most `limit`; and the id from which to go on, `None`
	/// at the end. For calls from outside: it looks at up to 4096 ids, so that a page may be short before the end.
	pub fn audits_from(from: JobId, end: JobId, limit: u32) -> (Vec<JobId>, Option<JobId>) {
		let last = end.min(from.saturating_add(MAX_READ as JobId));
		let limit: usize = limit.saturated_into();
		let jobs: Vec<JobId> = (from..last)
			.filter(|job| Audits::<T>::contains_key(job))
			.take(limit)
			.collect();
		// A full page ends at its last id, another one where nobody looked yet.
		let next = match jobs.len() == limit {
			true => jobs.last().map_or(from, |job| job.saturating_add(1)),
			false => last,
		};
		(jobs, (next < end).then_some(next))
	}

	/// What audits want of the node now, and the last block in which it counts; the most urgent first. For calls from
	/// outside: it looks at up to 4096 audits.
	pub fn tasks_of(node: NodeId) -> Vec<(JobId, AuditTask, BlockNumber)> {
		let now = Self::now();
		let mut tasks: Vec<_> = Tasks::<T>::iter_key_prefix(node)
			.take(MAX_READ)
			.filter_map(|job| {
				let record = Audits::<T>::get(job)?;
				// What is sent now stands in the next block.
				let duty = record.duty(node, now.saturating_add(1))?;
				Some((job, Self::task(job, &record, duty)?, record.until.saturating_sub(1)))
			})
			.collect();
		tasks.sort_by_key(|(job, _, until)| (*until, *job));
		tasks
	}

	fn task(job: JobId, record: &AuditRecord, duty: Duty) -> Option<AuditTask> {
		let subject = T::Jobs::audit_subject(job)?;
		let index = record.input(subject.inputs);
		Some(match duty {
			Duty::Open => AuditTask::Open { index },
			Duty::Commit(place) => {
				let seat = record.seats.get(place)?;
				AuditTask::Judge {
					seat: seat.seat,
					index,
					seed: seat.seed,
					claims: record.claims().filter(|_| seat.seat == Seat::Juror),
				}
			}
			Duty::Reveal(place) => AuditTask::Reveal {
				seed: record.seats.get(place)?.seed,
			},
			Duty::Prove(since) => AuditTask::ProveChunk {
				chunk: Self::drawn_chunk(job, since, chunk_proof::chunks(subject.output.size)),
			},
		})
	}

	/// How far a version's calibration is reproduced, and whether a jury may slash work on it now.
	pub fn calibration(model: ModelId, version: ModelVersion) -> (Calibration<T::AccountId>, bool) {
		let calibration = Calibrations::<T>::get(model, version);
		(calibration, Self::may_slash_by_jury(model, version))
	}

	/// The current block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}

impl<T: Config> Attestations<T::AccountId> for Pallet<T> {
	fn window_over(subject: &AuditSubject<T::AccountId>) -> WindowOver {
		Self::do_window_over(subject)
	}

	fn audit_due(subject: &AuditSubject<T::AccountId>) -> AuditDue {
		Self::do_audit_due(subject)
	}

	fn forget(job: JobId) -> bool {
		let audit = Audits::<T>::take(job);
		if let Some(record) = &audit {
			// An audit that ended holds nobody: only a record that goes in the middle of one leaves something.
			let executor = record.verdict().is_none().then_some(record.executor);
			for node in record.held().chain(executor) {
				Tasks::<T>::remove(node, job);
			}
		}
		if let Some((payer, bond)) = Forced::<T>::take(job) {
			T::Market::end_bond(job, &payer, bond, true);
		}
		audit.is_some()
	}

	fn suspended(model: ModelId, version: ModelVersion) -> bool {
		Calibrations::<T>::get(model, version).is_suspended()
	}
}

impl<T: Config> SecurityTouched for Pallet<T> {
	fn touched(node: NodeId) {
		Self::suspect(node);
	}
}

impl<T: Config> BlockSeeds for Pallet<T> {
	fn seed(block: BlockNumber) -> Option<[u8; 32]> {
		Some(Self::sealed(block)?.seal?.1)
	}
}
