//! What the calls do, once authorized.

use crate::{
	types::Duty, AuditPhase, AuditRecord, Audits, Config, Error, Event, Forced, Pallet, SeatRecord, WeightInfo, WALK,
};
use frame_support::{ensure, traits::Get, weights::Weight, BoundedVec};
use highway_math::audit::JUDGE_TRIES;
use highway_primitives::{
	traits::{Jobs, Market},
	worker::MaxAttestations,
	AttestItem, Ballot, FailureClass, JobId, NodeId, Sketch, WorkTag,
};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// What an attestation of so many jobs weighs. One has a weight of its own: the line above all sizes lies above it by more
	/// than it takes.
	pub(crate) fn attest_weight(jobs: u32) -> Weight {
		match jobs {
			1 => T::WeightInfo::attest_one(),
			jobs => T::WeightInfo::attest(jobs),
		}
	}

	/// Attests what is open in the batch and skips the rest. Returns what it weighed.
	pub(crate) fn do_attest(node: NodeId, items: BoundedVec<AttestItem, MaxAttestations>) -> Weight {
		let most = Self::attest_weight(items.len() as u32);
		let mut done = 0u32;
		let mut skipped = 0u64;
		for item in items {
			let AttestItem {
				job,
				work,
				output,
				commitment,
			} = item;
			// Asked again for each: a job may stand in the batch twice.
			if Self::is_open(node, &item) && T::Jobs::attested(job, work, node, output, commitment).is_ok() {
				Self::deposit_event(Event::Attested { job, node, output });
				done = done.saturating_add(1);
			} else {
				skipped = skipped.saturating_add(1);
			}
		}
		// One job of a batch of many is weighed by the line: what is skipped takes more than its look-up.
		T::WeightInfo::attest(done)
			.saturating_add(T::DbWeight::get().reads(skipped))
			.min(most)
	}

	/// Takes the job from the node, which says why it cannot do it.
	pub(crate) fn do_report_failure(node: NodeId, job: JobId, work: WorkTag, class: FailureClass) -> DispatchResult {
		T::Jobs::failure_reported(job, work, node, class)?;
		Self::deposit_event(Event::FailureReported { job, node, class });
		Ok(())
	}

	pub(crate) fn do_open_commitment(node: NodeId, job: JobId, sketch: Sketch) -> DispatchResult {
		let (mut record, duty) = Self::audit_with_duty(job, node)?;
		ensure!(duty == Duty::Open, Error::<T>::NotDue);
		record.opening = Some(sketch);
		Self::spoken(job, record);
		Self::deposit_event(Event::CommitmentOpened { job, node });
		Ok(())
	}

	pub(crate) fn do_commit_ballot(node: NodeId, job: JobId, commitment: H256) -> DispatchResult {
		let (mut record, duty) = Self::audit_with_duty(job, node)?;
		let Duty::Commit(index) = duty else {
			return Err(Error::<T>::NotDue.into());
		};
		Self::seat(&mut record, index)?.commitment = Some(commitment);
		Self::spoken(job, record);
		Self::deposit_event(Event::BallotCommitted { job, node });
		Ok(())
	}

	pub(crate) fn do_reveal_ballot(node: NodeId, job: JobId, ballot: Ballot) -> DispatchResult {
		let (mut record, duty) = Self::audit_with_duty(job, node)?;
		let Duty::Reveal(index) = duty else {
			return Err(Error::<T>::NotDue.into());
		};
		Self::seat(&mut record, index)?.ballot = Some(ballot);
		Self::spoken(job, record);
		let vote = ballot.vote;
		Self::deposit_event(Event::BallotRevealed { job, node, vote });
		Ok(())
	}

	pub(crate) fn do_prove_chunk(node: NodeId, job: JobId) -> DispatchResult {
		let (mut record, duty) = Self::audit_with_duty(job, node)?;
		let (Duty::Prove(_), AuditPhase::Challenged { proved, .. }) = (duty, &mut record.phase) else {
			return Err(Error::<T>::NotDue.into());
		};
		*proved = true;
		Self::spoken(job, record);
		Self::deposit_event(Event::ChunkProved { job, node });
		Ok(())
	}

	/// What asking for an audit weighs. The audit is left to the queue of jobs: it stands in the second dimension, as what a
	/// submission leaves, and the runtime's fee adds it to the first. Its payer pays for three steps at their worst, whatever the
	/// queue is charged for them: that covers a jury.
	pub(crate) fn force_weight() -> Weight {
		let phases = T::WeightInfo::audit_due().saturating_mul(3);
		let later = T::WeightInfo::audit_opened(WALK, JUDGE_TRIES.into()).saturating_add(phases);
		T::WeightInfo::force_audit().saturating_add(Weight::from_parts(0, later.ref_time()))
	}

	/// Once; while the job waits for its pay and is not in audit already.
	pub(crate) fn do_force_audit(payer: T::AccountId, job: JobId) -> DispatchResult {
		let subject = T::Jobs::audit_subject(job).ok_or(Error::<T>::NotAttested)?;
		ensure!(subject.payer == payer, Error::<T>::NotPayer);
		ensure!(!Audits::<T>::contains_key(job), Error::<T>::AlreadyAudited);
		ensure!(!Forced::<T>::contains_key(job), Error::<T>::AlreadyForced);
		let bond = subject.reward.saturating_mul(2);
		T::Market::escrow_bond(job, &payer, bond)?;
		Forced::<T>::insert(job, (payer.clone(), bond));
		Self::deposit_event(Event::AuditForced { job, payer, bond });
		Ok(())
	}

	/// The audit, and what it wants of the node now.
	fn audit_with_duty(job: JobId, node: NodeId) -> Result<(AuditRecord, Duty), DispatchError> {
		let record = Audits::<T>::get(job).ok_or(Error::<T>::NotDue)?;
		let duty = record.duty(node, Self::now()).ok_or(Error::<T>::NotDue)?;
		Ok((record, duty))
	}

	fn seat(record: &mut AuditRecord, index: usize) -> Result<&mut SeatRecord, DispatchError> {
		record.seats.get_mut(index).ok_or_else(|| Error::<T>::NotDue.into())
	}

	/// Stores what was said. When nobody else is waited for, the phase ends with this block.
	fn spoken(job: JobId, mut record: AuditRecord) {
		if record.is_complete() {
			record.until = Self::now().saturating_add(1);
			T::Jobs::audit_until(job, record.until);
		}
		Audits::<T>::insert(job, record);
	}
}
