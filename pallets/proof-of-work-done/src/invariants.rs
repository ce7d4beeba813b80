//! What must hold between two blocks. Always compiled: unit tests check it after every test, `try-runtime` on a live state.
//!
//! That what is reserved of nodes is what jobs and audits hold is checked where the pallets meet, in the runtime's tests.

use crate::{
	AuditPhase, AuditRecord, Audits, Calibrations, Config, FinalityHints, Forced, Pallet, Tasks, Vrfs, JURORS,
	MAX_AUDITORS, RING,
};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use highway_primitives::{
	audit::{Seat, Vote},
	traits::Jobs,
	JobId,
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of this pallet; the first one that is broken is the error. What is stored can be read: a change
	/// of its type without a migration breaks that.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut held = 0usize;
		for job in Audits::<T>::iter_keys() {
			let record = Audits::<T>::get(job).ok_or("an audit does not decode")?;
			Self::check_seats(&record)?;
			Self::check_phase(&record)?;
			held = held.saturating_add(Self::check_open(job, &record)?);
		}
		// With the checks per audit: no entry without its audit.
		ensure!(
			Tasks::<T>::iter_keys().count() == held,
			"a node is named by an audit that does not hold it"
		);
		Self::check_forced()?;
		Self::check_calibrations()?;
		Self::check_ring()?;
		Self::check_finality()
	}

	/// Three auditors at most, then three jurors or none, no node twice, the executor among none of them; nobody opened what
	/// it had not committed to.
	fn check_seats(record: &AuditRecord) -> Result<(), TryRuntimeError> {
		let mut nodes = BTreeSet::from([record.executor]);
		for seat in &record.seats {
			ensure!(nodes.insert(seat.node), "a node sits twice in an audit");
			ensure!(
				seat.ballot.is_none() || seat.commitment.is_some(),
				"a ballot was opened that nobody committed to"
			);
		}
		ensure!(
			record.auditors().count() <= MAX_AUDITORS,
			"an audit has too many auditors"
		);
		ensure!(
			[0, JURORS].contains(&record.jurors().count()),
			"a jury is neither empty nor full"
		);
		ensure!(
			record
				.seats
				.iter()
				.skip(record.auditors().count())
				.all(|seat| seat.seat == Seat::Juror),
			"an auditor sits behind a juror"
		);
		let slashed: BTreeSet<_> = record.slashes.iter().map(|(node, _)| node).collect();
		ensure!(
			slashed.len() == record.slashes.len(),
			"a node was slashed twice in one audit"
		);
		Ok(())
	}

	/// Each phase has behind it what the earlier ones waited for. An executor opens only to an auditor that has run the job.
	fn check_phase(record: &AuditRecord) -> Result<(), TryRuntimeError> {
		let committed = record.auditor().is_some_and(|seat| seat.commitment.is_some());
		let vote = record.auditor().and_then(|seat| seat.ballot).map(|ballot| ballot.vote);
		let judged = matches!(vote, Some(Vote::Yes | Vote::No | Vote::Missing));
		let opened = record.opening.is_some();
		let jury = record.jurors().count() > 0;
		let sound = match record.phase {
			AuditPhase::Judging => record.auditor().is_some() && vote.is_none() && !opened && !jury,
			AuditPhase::Revealing { .. } => committed && !opened && !jury,
			AuditPhase::Opening { .. } => judged && !jury,
			AuditPhase::Challenged { .. } => vote == Some(Vote::Missing) && !opened && !jury,
			AuditPhase::JuryDraw { .. } => judged && opened && !jury,
			AuditPhase::JuryJudging | AuditPhase::JuryRevealing => judged && opened && jury,
			AuditPhase::Ended(_) => !jury || (judged && opened),
		};
		ensure!(sound, "an audit is in a phase that it cannot have come to");
		Ok(())
	}

	/// The job of an open audit waits for it, and whoever the audit holds finds it. Returns how many it holds.
	fn check_open(job: JobId, record: &AuditRecord) -> Result<usize, TryRuntimeError> {
		if record.verdict().is_some() {
			return Ok(0);
		}
		let subject = T::Jobs::audit_subject(job).ok_or("an open audit has no job")?;
		ensure!(
			subject.executor == record.executor,
			"an audit has another executor than its job"
		);
		ensure!(
			record.input(subject.inputs) < subject.inputs,
			"an audit is about an input that its job does not have"
		);
		let holds: BTreeSet<_> = record.held().chain([record.executor]).collect();
		ensure!(
			holds.iter().all(|node| Tasks::<T>::contains_key(node, job)),
			"an audit holds a node that does not find it"
		);
		Ok(holds.len())
	}

	/// A bond lies with a job that waits for its pay.
	fn check_forced() -> Result<(), TryRuntimeError> {
		for (job, (payer, _)) in Forced::<T>::iter() {
			let subject = T::Jobs::audit_subject(job).ok_or("a bond outlived its audit")?;
			ensure!(subject.payer == payer, "a bond is not its job's payer's");
		}
		Ok(())
	}

	/// Nobody confirmed twice, and not more audits were disputed than there were.
	fn check_calibrations() -> Result<(), TryRuntimeError> {
		for (_, _, calibration) in Calibrations::<T>::iter() {
			let by = &calibration.reproduced_by;
			let twice = by
				.iter()
				.enumerate()
				.any(|(index, one)| by.iter().skip(index.saturating_add(1)).any(|other| one == other));
			ensure!(!twice, "an operator confirmed a calibration twice");
			ensure!(
				calibration.disputes <= calibration.audits,
				"more audits were disputed than there were"
			);
		}
		Ok(())
	}

	/// A block stands where it belongs, and is not still to come.
	fn check_ring() -> Result<(), TryRuntimeError> {
		for (slot, sealed) in Vrfs::<T>::iter() {
			ensure!(
				slot < RING && slot == Self::slot(sealed.block) && sealed.block <= Self::now(),
				"a block stands in the wrong place of the ring"
			);
		}
		Ok(())
	}

	fn check_finality() -> Result<(), TryRuntimeError> {
		let finality = FinalityHints::<T>::get();
		ensure!(
			finality.noted_at <= Self::now() && finality.hints.iter().all(|hint| *hint <= finality.noted_at),
			"a hint names a block that was still to come"
		);
		Ok(())
	}
}
