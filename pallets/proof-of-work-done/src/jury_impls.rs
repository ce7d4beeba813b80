//! Three jurors, a fresh seed, and what follows from their verdict.

use crate::{
	audit_impls::{SubjectOf, DRAW_RETRY},
	draw::{derive, Purpose},
	verdict::{self, Finding, Juror},
	AuditPhase, AuditRecord, Calibrations, Config, Event, Pallet, SeatRecord, SlashReason, Tasks, JURORS,
};
use alloc::vec::Vec;
use frame_support::{defensive, storage::with_storage_layer};
use highway_primitives::{
	audit::{AuditDue, AuditWork, Seat, Step, Verdict, Vote},
	traits::Nodes,
	NodeId,
};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// Seats the jury, once the blocks behind `fixed` are there. Without three jurors nobody knows who is right.
	pub(crate) fn seat_jury(subject: &SubjectOf<T>, mut record: AuditRecord, fixed: u32) -> AuditDue {
		let parties = Self::parties(subject, &record.seats);
		let (draw, looked_at) = Self::draw(subject.job, fixed, &parties);
		let Some(draw) = draw else {
			let step = Self::wait(subject.job, record, Self::now().saturating_add(DRAW_RETRY));
			return step.after(AuditWork::Undrawn { looked_at });
		};
		let drawn = with_storage_layer(|| Self::draw_jurors(subject, &record, &draw.seed, parties));
		let Ok(jurors) = drawn else {
			return Self::void(subject, record, &[]).after(AuditWork::Seated);
		};
		let seed = derive(&draw.seed, Purpose::Sketch);
		for node in &jurors {
			let seat = SeatRecord {
				node: *node,
				seat: Seat::Juror,
				seed,
				same_device: record.device.is_some() && T::Nodes::device(*node) == record.device,
				commitment: None,
				ballot: None,
			};
			if record.seats.try_push(seat).is_err() {
				defensive!("there are seats for three auditors and three jurors");
			}
			Tasks::<T>::insert(node, subject.job, ());
		}
		let until = Self::judged_until(subject);
		Self::deposit_event(Event::JuryOpened {
			job: subject.job,
			jurors,
			until,
		});
		Self::enter(subject.job, record, AuditPhase::JuryJudging, until).after(AuditWork::Seated)
	}

	/// Three nodes of distinct operators that have no hand in the job, each with its security reserved. The first runs on
	/// the executor's device class, if such a one is found: without it all three must agree.
	fn draw_jurors(
		subject: &SubjectOf<T>,
		record: &AuditRecord,
		seed: &[u8; 32],
		mut parties: Vec<T::AccountId>,
	) -> Result<Vec<NodeId>, DispatchError> {
		let mut jurors = Vec::with_capacity(JURORS);
		for round in 0..u32::try_from(JURORS).unwrap_or_default() {
			let seed = derive(seed, Purpose::Juror(round));
			let draw = |class| T::Nodes::draw_judge(&seed, subject.security, &parties, class).node;
			let of_class = record.device.filter(|_| round == 0).and_then(|class| draw(Some(class)));
			let node = of_class.or_else(|| draw(None)).ok_or(DispatchError::Unavailable)?;
			parties.push(T::Nodes::operator(node).ok_or(DispatchError::Unavailable)?);
			Self::secure(subject, node)?;
			jurors.push(node);
		}
		Ok(jurors)
	}

	/// Counts the jury's ballots and ends the audit.
	pub(crate) fn conclude(subject: &SubjectOf<T>, mut record: AuditRecord) -> Step {
		// Asked before anybody is slashed: a slash chills, and leaves one active operator less.
		let may_slash = Self::may_slash_by_jury(subject.model, subject.version);
		let may_slash_silence = Self::may_slash_silence();
		let tolerance = Self::tolerance(subject);
		let nodes: Vec<NodeId> = record.jurors().map(|seat| seat.node).collect();
		let jurors: Vec<Juror> = record
			.jurors()
			.map(|seat| Juror {
				ballot: seat.ballot,
				same_device: seat.same_device,
			})
			.collect();
		let finding = verdict::find(&jurors, tolerance);

		let mut judged = Vec::with_capacity(JURORS);
		for (node, juror) in nodes.iter().zip(&jurors) {
			match juror.ballot.map(|ballot| ballot.vote) {
				None => Self::punish_silence(subject, &mut record, *node, may_slash_silence),
				Some(Vote::Missing | Vote::Abstain) => Self::excuse(subject, *node),
				Some(Vote::Yes | Vote::No) => {
					Self::release(subject, *node);
					judged.push(*node);
				}
			}
		}

		let (executor_right, auditor_right) = match finding {
			// Against the executor counts only what may be slashed.
			Finding::Agreed {
				executor_right,
				auditor_right,
			} if executor_right || may_slash => (executor_right, auditor_right),
			_ => {
				if finding == Finding::Disputed {
					Calibrations::<T>::mutate(subject.model, subject.version, |calibration| {
						calibration.disputes = calibration.disputes.saturating_add(1);
					});
				}
				return Self::void(subject, record, &judged);
			}
		};
		let mut agreed = Vec::with_capacity(JURORS);
		for (index, node) in nodes.iter().enumerate() {
			if !judged.contains(node) {
				continue;
			}
			let is_right = verdict::agreed(&jurors, index, executor_right, auditor_right, tolerance);
			Self::note(subject, *node, is_right);
			if is_right {
				agreed.push(*node);
			}
		}
		Self::apply(subject, record, executor_right, auditor_right, may_slash, &agreed)
	}

	/// Does what a verdict says: of the executor, and independent of it, of the auditor.
	fn apply(
		subject: &SubjectOf<T>,
		mut record: AuditRecord,
		executor_right: bool,
		auditor_right: bool,
		may_slash: bool,
		agreed: &[NodeId],
	) -> Step {
		let auditor = record.auditor().map(|seat| seat.node);
		let of_executor = match executor_right {
			true => 0,
			false => Self::slash(subject, &mut record, subject.executor, SlashReason::Judged),
		};
		let mut of_auditor = 0;
		if let Some(node) = auditor {
			match auditor_right || !may_slash {
				true => Self::release(subject, node),
				false => of_auditor = Self::slash(subject, &mut record, node, SlashReason::Judged),
			}
			Self::note(subject, node, auditor_right);
		}
		let finder = auditor.filter(|_| auditor_right);
		// Jurors are paid once, whoever pays them.
		match of_executor > 0 {
			true => {
				Self::share_out(subject, of_executor, agreed, finder);
				Self::share_out(subject, of_auditor, &[], None);
			}
			false => {
				Self::share_out(subject, of_auditor, agreed, finder);
			}
		}
		let verdict = match executor_right {
			true => Verdict::Upheld,
			false => Verdict::Rejected,
		};
		Self::end(subject, record, verdict);
		Step::End(verdict)
	}

	/// Nobody knows for sure: who judged is paid for it, and nobody is slashed for what it said.
	fn void(subject: &SubjectOf<T>, record: AuditRecord, judged: &[NodeId]) -> Step {
		let auditor = record.auditor().map(|seat| seat.node);
		if let Some(node) = auditor {
			Self::release(subject, node);
		}
		Self::share_out(subject, 0, judged, auditor);
		Self::end(subject, record, Verdict::Void);
		Step::End(Verdict::Void)
	}
}
