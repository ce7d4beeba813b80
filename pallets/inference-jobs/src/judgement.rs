//! From attested work to its end: this pallet asks, through [`Attestations`], and does what the answer says. Whoever
//! answers has slashed and paid those who judged; here the payer, the payees and the executor get theirs.
//!
//! [`Attestations`]: highway_primitives::traits::Attestations

use crate::{
	life_cycle::half,
	types::{Attestation, JobState},
	AuditWeights, Config, Event, JobRecordOf, Jobs, Pallet, WeightInfo,
};
use frame_support::{defensive, weights::Weight};
use highway_primitives::{
	audit::{AuditDue, AuditSubject, Step, WindowOver},
	market::Settlement,
	traits::{Attestations as _, Market, Nodes},
	BlockNumber, JobId, JobPhase, Role, Verdict,
};
use sp_runtime::Perbill;

impl<T: Config> Pallet<T> {
	/// The job as its audit sees it, while it is attested or in audit.
	pub(crate) fn subject(job: JobId, record: &JobRecordOf<T>) -> Option<AuditSubject<T::AccountId>> {
		let Attestation {
			node,
			output,
			commitment,
			at,
			deadline,
		} = record.attestation()?;
		Some(AuditSubject {
			job,
			work: record.work,
			payer: record.payer.clone(),
			model: record.model,
			version: record.version,
			executor: node,
			output,
			commitment,
			inputs: record.inputs,
			reward: record.deal.compute,
			security: record.security,
			rate: record.deal.audit_rate,
			allowance: record.allowance,
			deadline,
			attested_at: at,
		})
	}

	/// The present phase of an audit ends at `until`.
	pub(crate) fn do_audit_until(job: JobId, until: BlockNumber) {
		let Some(record) = Jobs::<T>::get(job) else { return };
		if let (JobPhase::Auditing, Some(done)) = (record.phase(), record.attestation()) {
			Self::enter(job, record, done.auditing(Self::ahead(until)));
		}
	}

	/// Asks what becomes of attested work whose window, or whose audit's phase, is over, and does it. Returns what that
	/// weighed.
	pub(crate) fn judge(job: JobId, record: JobRecordOf<T>) -> Weight {
		let Some(subject) = Self::subject(job, &record) else {
			defensive!("only attested work is judged");
			return Weight::zero();
		};
		let in_audit = record.phase() == JobPhase::Auditing;
		let (step, asked) = match in_audit {
			true => {
				let AuditDue { step, work } = T::Attestations::audit_due(&subject);
				(step, T::AuditWeights::audit_due(work))
			}
			false => {
				let WindowOver { step, looked_at, tried } = T::Attestations::window_over(&subject);
				let asked = match step {
					Step::Wait(_) | Step::End(Verdict::Upheld) => T::AuditWeights::window_over(looked_at),
					Step::Audit(_) | Step::End(_) => T::AuditWeights::audit_opened(looked_at, tried),
				};
				(step, asked)
			}
		};
		// Whoever was asked may have moved the end of the phase on its way to the answer.
		let Some((record, done)) = Jobs::<T>::get(job).and_then(|record| {
			let done = record.attestation()?;
			Some((record, done))
		}) else {
			defensive!("only this pallet takes attested work further");
			return Weight::zero();
		};
		let then = match step {
			Step::Wait(block) if !in_audit => {
				Self::enter(job, record, done.attested(Self::ahead(block)));
				T::WeightInfo::tick_wait()
			}
			Step::Wait(block) | Step::Audit(block) => {
				Self::enter(job, record, done.auditing(Self::ahead(block)));
				T::WeightInfo::tick_wait()
			}
			Step::End(verdict) => Self::conclude(job, record, done, verdict),
		};
		asked.saturating_add(then)
	}

	/// `block`, but after this one: the due queue may have passed this one already.
	fn ahead(block: BlockNumber) -> BlockNumber {
		block.max(Self::now().saturating_add(1))
	}

	/// Ends attested work as `verdict` says. Returns what that weighed.
	pub(crate) fn conclude(job: JobId, record: JobRecordOf<T>, done: Attestation, verdict: Verdict) -> Weight {
		match verdict {
			Verdict::Upheld => Self::settle(job, record, done, true),
			Verdict::Unaudited => Self::settle(job, record, done, false),
			Verdict::Rejected => {
				Self::reject(job, record, done);
				Self::least_settlement()
			}
			Verdict::Void => {
				Self::void(job, record, done);
				Self::least_settlement()
			}
		}
	}

	/// What it weighs to pay nobody but those who are always paid. To give everything back to the payer is less.
	fn least_settlement() -> Weight {
		Self::settlement_weight(0, 0, 0, 0)
	}

	/// Everybody is paid; the premium goes back if the work should have been audited and was not. Returns what it weighed.
	fn settle(job: JobId, record: JobRecordOf<T>, done: Attestation, audited: bool) -> Weight {
		let node = done.node;
		// By the jobs before it.
		let weight = Self::job_weight(&record);
		let Settlement { bill, debts } =
			T::Market::settle(job, record.model, &record.payer, &record.deal, node, audited);
		T::Nodes::note_outcome(node, true, weight);
		T::Nodes::release(node, record.security);
		Self::contradict(job, &record, weight);
		let weighed = Self::settlement_weight(
			bill.iter().filter(|line| line.role == Role::Parent).count() as u32,
			record.deal.curator.is_some().into(),
			// A premium that goes back pays no debt, and is itself no more than one: an account, or what that may claim.
			if audited { debts } else { 1 },
			record.failures.len() as u32,
		);
		let state = JobState::Settled {
			node,
			output: done.output,
			attested_at: done.at,
			prune_at: Self::prune_at(),
		};
		Self::end(job, record, bill, state);
		Self::deposit_event(Event::JobSettled { job, node });
		weighed
	}

	/// Whoever reported a failure was wrong, since somebody else did the job: with what the report cost, that costs as much as a
	/// timeout.
	pub(crate) fn contradict(job: JobId, record: &JobRecordOf<T>, weight: Perbill) {
		for (reporter, _) in &record.failures {
			T::Nodes::note_outcome(*reporter, false, half(weight));
			Self::fine(job, record, *reporter);
		}
	}

	/// The payer has everything back. The executor's security is not released: the slash took it.
	fn reject(job: JobId, record: JobRecordOf<T>, done: Attestation) {
		let node = done.node;
		T::Market::refund(job, &record.payer, &record.deal);
		T::Nodes::note_outcome(node, false, Self::job_weight(&record));
		let (payer, amount) = (record.payer.clone(), record.deal.price);
		let state = JobState::Rejected {
			node,
			output: done.output,
			attested_at: done.at,
			prune_at: Self::prune_at(),
		};
		Self::end(job, record, Default::default(), state);
		Self::deposit_event(Event::JobRejected {
			job,
			node,
			payer,
			amount,
		});
	}

	/// The payer has everything back, and so has the executor; its reliability stays as it is.
	fn void(job: JobId, record: JobRecordOf<T>, done: Attestation) {
		let node = done.node;
		T::Market::refund(job, &record.payer, &record.deal);
		T::Nodes::release(node, record.security);
		let (payer, amount) = (record.payer.clone(), record.deal.price);
		let state = JobState::Void {
			node,
			output: done.output,
			attested_at: done.at,
			prune_at: Self::prune_at(),
		};
		Self::end(job, record, Default::default(), state);
		Self::deposit_event(Event::JobVoided {
			job,
			node,
			payer,
			amount,
		});
	}
}
