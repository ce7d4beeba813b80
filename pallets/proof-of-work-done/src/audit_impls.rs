//! From the end of a job's window to the jury: the draw of the audit, its auditors, the executor's opening.
//!
//! Every change of phase happens here and in `jury_impls`, when the queue of jobs or anybody's `poke` asks for it; calls
//! only add what was said, and ask for an early end once everybody has spoken.

use crate::{
	draw::{derive, head, Draw, Purpose},
	AuditPhase, AuditRecord, Audits, AverageReward, Calibrations, Config, Event, Forced, Pallet, SeatRecord,
	SlashReason, Suspects, Tasks, MAX_AUDITORS,
};
use alloc::vec::Vec;
use frame_support::{defensive, storage::with_storage_layer, traits::Get};
use highway_math::{audit, reliability};
use highway_primitives::{
	audit::{
		work_seed, AuditDue, AuditReason, AuditSubject, AuditWork, DrawnJudge, Seat, Step, Verdict, Vote, WindowOver,
	},
	traits::{Models, Nodes},
	BlockNumber, JobId, NodeId,
};

/// The audited job of a runtime.
pub(crate) type SubjectOf<T> = AuditSubject<<T as frame_system::Config>::AccountId>;

/// Blocks until a draw is tried again.
pub(crate) const DRAW_RETRY: BlockNumber = 2;

/// Blocks by which a phase is prolonged while clocks stand still.
const LAG_RETRY: BlockNumber = 8;

impl<T: Config> Pallet<T> {
	/// Draws whether the job is audited, and by whom.
	pub(crate) fn do_window_over(subject: &SubjectOf<T>) -> WindowOver {
		let parties = Self::parties(subject, &[]);
		let (draw, looked_at) = Self::draw(subject.job, subject.deadline, &parties);
		let (step, tried) = match draw {
			None => (Step::Wait(Self::now().saturating_add(DRAW_RETRY)), 0),
			Some(draw) => match Self::reason(subject, &draw) {
				Some(reason) => Self::open_audit(subject, draw, reason),
				None => (Step::End(Verdict::Upheld), 0),
			},
		};
		WindowOver { step, looked_at, tried }
	}

	/// Why the job is audited, if it is.
	fn reason(subject: &SubjectOf<T>, draw: &Draw) -> Option<AuditReason> {
		if draw.lost {
			return Some(AuditReason::DrawLost);
		}
		let ticket = head(&derive(&draw.seed, Purpose::Audit));
		if audit::is_drawn(ticket, subject.rate) {
			return Some(AuditReason::Drawn);
		}
		if Forced::<T>::contains_key(subject.job) {
			return Some(AuditReason::Forced);
		}
		Suspects::<T>::get(subject.executor)
			.is_some_and(|since| since >= subject.attested_at)
			.then_some(AuditReason::Suspected)
	}

	/// Returns, too, how many nodes were tried as its auditor.
	fn open_audit(subject: &SubjectOf<T>, draw: Draw, reason: AuditReason) -> (Step, u32) {
		let record = AuditRecord {
			reason,
			executor: subject.executor,
			device: T::Nodes::device(subject.executor),
			draw: draw.seed,
			phase: AuditPhase::Judging,
			until: Self::now(),
			opening: None,
			seats: Default::default(),
			slashes: Default::default(),
		};
		Tasks::<T>::insert(subject.executor, subject.job, ());
		Calibrations::<T>::mutate(subject.model, subject.version, |calibration| calibration.count_audit());
		AverageReward::<T>::mutate(|average| *average = reliability::moving_average(*average, subject.reward));
		Self::next_auditor(subject, record)
	}

	/// Ends the present phase of an audit.
	pub(crate) fn do_audit_due(subject: &SubjectOf<T>) -> AuditDue {
		let Some(mut record) = Audits::<T>::get(subject.job) else {
			defensive!("a job in audit has an audit");
			return Step::End(Verdict::Void).after(AuditWork::PassedOn);
		};
		let now = Self::now();
		if let Some(verdict) = record.verdict() {
			return Step::End(verdict).after(AuditWork::PassedOn);
		}
		if now < record.until {
			return Step::Wait(record.until).after(AuditWork::PassedOn);
		}
		if Self::clocks_stand_still() {
			return Self::prolong(subject.job, record).after(AuditWork::PassedOn);
		}
		match record.phase {
			AuditPhase::Judging => match record.is_complete() {
				true => {
					let until = now.saturating_add(T::RevealBlocks::get());
					let fixed = until.saturating_add(T::RevealBlocks::get());
					Self::pass_on(subject.job, record, AuditPhase::Revealing { fixed }, until)
				}
				false => Self::replace_silent_auditor(subject, record),
			},
			AuditPhase::Revealing { fixed } => {
				match record.auditor().and_then(|seat| seat.ballot).map(|ballot| ballot.vote) {
					None => Self::replace_silent_auditor(subject, record),
					Some(Vote::Abstain) => Self::replace_idle_auditor(subject, record),
					Some(Vote::Missing) => Self::challenge(subject, record),
					Some(Vote::Yes | Vote::No) => Self::ask_to_open(subject, record, fixed),
				}
			}
			AuditPhase::Opening { fixed } => match record.is_complete() {
				true => Self::compare(subject, record, fixed),
				false => Self::convict_silent_executor(subject, record),
			},
			AuditPhase::Challenged { proved: false, .. } => Self::convict_silent_executor(subject, record),
			// Somebody else may get the output, and nothing but the output tells who is right.
			AuditPhase::Challenged { .. } if !Self::compares_sketches(subject) => {
				Self::replace_idle_auditor(subject, record)
			}
			AuditPhase::Challenged { fixed, .. } => Self::ask_to_open(subject, record, fixed),
			AuditPhase::JuryDraw { fixed } => Self::seat_jury(subject, record, fixed),
			AuditPhase::JuryJudging => {
				record.phase = AuditPhase::JuryRevealing;
				let wait = match record.is_complete() {
					// Nobody committed.
					true => 1,
					false => T::RevealBlocks::get(),
				};
				Self::pass_on(subject.job, record, AuditPhase::JuryRevealing, now.saturating_add(wait))
			}
			AuditPhase::JuryRevealing => Self::conclude(subject, record).after(AuditWork::Judged),
			AuditPhase::Ended(verdict) => Step::End(verdict).after(AuditWork::PassedOn),
		}
	}

	/// While finality lags no deadline passes; the block behind which a jury would be drawn moves too, so that it still
	/// lies ahead of whoever has yet to speak.
	fn prolong(job: JobId, mut record: AuditRecord) -> Step {
		let until = Self::now().saturating_add(LAG_RETRY);
		let phase = match record.phase {
			AuditPhase::Revealing { fixed } => AuditPhase::Revealing {
				fixed: fixed.max(until.saturating_add(T::RevealBlocks::get())),
			},
			AuditPhase::Opening { fixed } => AuditPhase::Opening {
				fixed: fixed.max(until),
			},
			AuditPhase::Challenged { since, proved, fixed } => AuditPhase::Challenged {
				since,
				proved,
				fixed: fixed.max(until.saturating_add(T::RevealBlocks::get())),
			},
			other => other,
		};
		record.phase = phase;
		Self::wait(job, record, until)
	}

	/// Stores the audit in a phase that ends at `until`.
	pub(crate) fn enter(job: JobId, mut record: AuditRecord, phase: AuditPhase, until: BlockNumber) -> Step {
		record.phase = phase;
		record.until = until;
		Audits::<T>::insert(job, record);
		Step::Audit(until)
	}

	/// Stores the audit in a phase that ends at `until`, and that is all.
	fn pass_on(job: JobId, record: AuditRecord, phase: AuditPhase, until: BlockNumber) -> AuditDue {
		Self::enter(job, record, phase, until).after(AuditWork::PassedOn)
	}

	/// Stores the audit, whose phase goes on until `until`.
	pub(crate) fn wait(job: JobId, mut record: AuditRecord, until: BlockNumber) -> Step {
		record.until = until;
		Audits::<T>::insert(job, record);
		Step::Wait(until)
	}

	/// Operators that have a hand in the job, as far as they are known still: the executor's, the payer, and whoever has
	/// one of these seats.
	pub(crate) fn parties(subject: &SubjectOf<T>, seats: &[SeatRecord]) -> Vec<T::AccountId> {
		let nodes = core::iter::once(subject.executor).chain(seats.iter().map(|seat| seat.node));
		core::iter::once(subject.payer.clone())
			.chain(nodes.filter_map(T::Nodes::operator))
			.collect()
	}

	/// The next auditor judges. Without one the work is paid as it is; but not where an auditor missed the output, and
	/// nobody could compare anything instead. Returns, too, how many nodes were tried.
	fn next_auditor(subject: &SubjectOf<T>, mut record: AuditRecord) -> (Step, u32) {
		let round = record.auditors().count();
		let DrawnJudge { node, tried } = Self::draw_auditor(subject, &record, round);
		let Some(node) = node else {
			let verdict = match record.is_missed() {
				true => Verdict::Void,
				false => Verdict::Unaudited,
			};
			Self::end(subject, record, verdict);
			return (Step::End(verdict), tried);
		};
		let seat = SeatRecord {
			node,
			seat: Seat::Auditor,
			seed: work_seed(&subject.work),
			same_device: record.device.is_some() && T::Nodes::device(node) == record.device,
			commitment: None,
			ballot: None,
		};
		if record.seats.try_push(seat).is_err() {
			defensive!("there are seats for three auditors");
		}
		Tasks::<T>::insert(node, subject.job, ());
		let until = Self::judged_until(subject);
		let job = subject.job;
		Self::deposit_event(match round {
			0 => Event::AuditOpened {
				job,
				auditor: node,
				reason: record.reason,
				until,
			},
			_ => Event::AuditorReplaced {
				job,
				auditor: node,
				until,
			},
		});
		(Self::enter(job, record, AuditPhase::Judging, until), tried)
	}

	fn draw_auditor(subject: &SubjectOf<T>, record: &AuditRecord, round: usize) -> DrawnJudge {
		let (true, Ok(number)) = (round < MAX_AUDITORS, u32::try_from(round)) else {
			return DrawnJudge::default();
		};
		let parties = Self::parties(subject, &record.seats);
		let seed = derive(&record.draw, Purpose::Auditor(number));
		let drawn = T::Nodes::draw_judge(&seed, subject.security, &parties, None);
		// A refusal must leave no half of a reservation: no call stands around this one that would undo it.
		let secure = |node: &NodeId| with_storage_layer(|| Self::secure(subject, *node)).is_ok();
		DrawnJudge {
			node: drawn.node.filter(secure),
			..drawn
		}
	}

	/// The first block in which a judge that is drawn now is late.
	pub(crate) fn judged_until(subject: &SubjectOf<T>) -> BlockNumber {
		Self::now()
			.saturating_add(subject.allowance)
			.saturating_add(audit::JUDGE_EXTRA)
	}

	fn replace_silent_auditor(subject: &SubjectOf<T>, mut record: AuditRecord) -> AuditDue {
		if let Some(node) = record.auditor().map(|seat| seat.node) {
			let may_slash = Self::may_slash_silence();
			Self::punish_silence(subject, &mut record, node, may_slash);
			Tasks::<T>::remove(node, subject.job);
		}
		Self::replace_auditor(subject, record)
	}

	fn replace_idle_auditor(subject: &SubjectOf<T>, record: AuditRecord) -> AuditDue {
		if let Some(node) = record.auditor().map(|seat| seat.node) {
			Self::excuse(subject, node);
			Tasks::<T>::remove(node, subject.job);
		}
		Self::replace_auditor(subject, record)
	}

	fn replace_auditor(subject: &SubjectOf<T>, record: AuditRecord) -> AuditDue {
		let (step, tried) = Self::next_auditor(subject, record);
		step.after(AuditWork::Replaced { tried })
	}

	/// The auditor misses the output: the executor must show a chunk that nobody can have chosen.
	fn challenge(subject: &SubjectOf<T>, record: AuditRecord) -> AuditDue {
		let since = Self::now();
		// The chunk is known in the next block.
		let until = since.saturating_add(1).saturating_add(T::RevealBlocks::get());
		let fixed = until.saturating_add(T::RevealBlocks::get());
		Self::deposit_event(Event::ChunkChallenged {
			job: subject.job,
			node: subject.executor,
			until,
		});
		let phase = AuditPhase::Challenged {
			since,
			proved: false,
			fixed,
		};
		Self::pass_on(subject.job, record, phase, until)
	}

	/// The executor opens until the scheduled end, however early others have spoken: a jury's fixed block must not be
	/// chosen.
	fn ask_to_open(subject: &SubjectOf<T>, record: AuditRecord, fixed: BlockNumber) -> AuditDue {
		let until = fixed.max(Self::now().saturating_add(1));
		Self::pass_on(subject.job, record, AuditPhase::Opening { fixed }, until)
	}

	/// The executor did not open, or did not show, what it says that it has.
	fn convict_silent_executor(subject: &SubjectOf<T>, mut record: AuditRecord) -> AuditDue {
		let auditor = record.auditor().map(|seat| seat.node);
		if let Some(node) = auditor {
			Self::release(subject, node);
			Self::note(subject, node, true);
		}
		let (taken, verdict) = match Self::may_slash_silence() {
			true => {
				let taken = Self::slash(subject, &mut record, subject.executor, SlashReason::Silence);
				(taken, Verdict::Rejected)
			}
			false => (0, Verdict::Void),
		};
		Self::share_out(subject, taken, &[], auditor);
		Self::end(subject, record, verdict);
		Step::End(verdict).after(AuditWork::Judged)
	}

	/// Both are open: they agree, or a jury judges. Of an auditor that missed the output counts the sketch alone.
	fn compare(subject: &SubjectOf<T>, record: AuditRecord, fixed: BlockNumber) -> AuditDue {
		let tolerance = Self::tolerance(subject);
		let agree = record
			.claims()
			.is_some_and(|claims| claims.vote != Vote::No && claims.executor.agrees_with(&claims.auditor, tolerance));
		match (agree, record.auditor().map(|seat| seat.node)) {
			(true, Some(auditor)) => {
				Self::release(subject, auditor);
				Self::note(subject, auditor, true);
				let before_pay = Self::share_out(subject, 0, &[], Some(auditor));
				let of_bond = Self::end(subject, record, Verdict::Upheld);
				let debts = before_pay.saturating_add(of_bond);
				Step::End(Verdict::Upheld).after(AuditWork::Agreed { debts })
			}
			_ => {
				let until = fixed
					.saturating_add(audit::DRAW_DELAY)
					.max(Self::now().saturating_add(1));
				Self::pass_on(subject.job, record, AuditPhase::JuryDraw { fixed }, until)
			}
		}
	}

	/// Whether sketches of this version say anything.
	fn compares_sketches(subject: &SubjectOf<T>) -> bool {
		T::Models::audit_terms(subject.model, subject.version).is_some_and(|terms| terms.compares_sketches())
	}

	/// How far two honest sketches of this version may lie apart.
	pub(crate) fn tolerance(subject: &SubjectOf<T>) -> u64 {
		T::Models::audit_terms(subject.model, subject.version).map_or(0, |terms| terms.tolerance)
	}
}
