//! What audits want of the node.
//!
//! ```text
//! Open ───────────────────────────────────── sketches and salt from the journal ──► open one input's sketch
//! Judge ─► Waiting ─► Fetching ─► Ready ─► Running ─► own result ─► fetch, compare ─► ballot ─journal─► commit
//!             └───────────┴─────────┴─────────┴─── end of the phase near ─► abstain ────┘
//! Reveal ───────────────────────────────────────── ballot and salt from the journal ──► reveal
//! ProveChunk ───────────────────────────────────────────────────── output from the store ──► chunk and proof
//! ```
//!
//! The executor's output is asked for only when the own result is there: nobody can say that it was copied, not even this
//! node's own mistake. Own trouble never becomes an accusation: without an own result the node abstains, and an output that
//! nobody serves is missing, not wrong; a juror judges by the sketches then. A ballot is in the journal before its commitment
//! is sent, so that a restart gives no second one.
//!
//! Of a job of many inputs the chain draws one, which alone is opened, run, and looked for in the executor's output.

use super::*;
use crate::bundles;
use highway_primitives::{
	audit::{work_seed, AuditTask, Claims, SketchSeed},
	Opening,
};
use std::mem;

/// What an audit wants of the node now.
#[derive(Debug)]
pub(super) struct Audit {
	pub item: AuditItem,
	pub key: WorkKey,
	pub duty: Duty,
}

// Few of them are in memory at a time: not worth a box.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub(super) enum Duty {
	/// Say what the journal holds, with the salt.
	Open(Opening, [u8; 32], Saying),
	Judge(Box<Judge>),
	/// One of these, of which the first is said next. More than one only if forks drew different inputs under one seed: which
	/// of their commitments is on this one is not in the list, and the pool refuses the others.
	Reveal(Vec<SealedBallot>, Saying),
	/// Show this chunk of the output.
	Prove(u64, Saying),
	/// The journal does not hold what is asked for.
	Mute,
}

/// A ballot in the making.
#[derive(Debug)]
pub(super) struct Judge {
	pub key: BallotKey,
	claims: Option<Claims>,
	pub model: ModelKey,
	pub stage: Stage,
	/// Runs that failed and may be repeated.
	pub failed_runs: u8,
	/// Whether a blob is not here because of this node's own disk.
	local_fault: bool,
}

// Few of them are in memory at a time: not worth a box.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub(super) enum Stage {
	/// The input is wanted, not before this block.
	Waiting(BlockNumber),
	Fetching,
	Ready,
	Running,
	/// The own result is there.
	Ran(RunOutput, Theirs),
	/// The ballot is on its way to the journal.
	Sealing,
	Committing(SealedBallot, Saying),
}

/// Where the executor's output is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Theirs {
	/// Wanted, not before this block.
	Waiting(BlockNumber),
	Fetching,
	Here,
	Comparing,
}

impl Theirs {
	fn is_wanted(&self, block: BlockNumber) -> bool {
		matches!(self, Self::Waiting(at) if *at <= block)
	}
}

/// A ballot that is not in the journal yet.
#[derive(Debug)]
pub(super) struct Unsealed {
	ballot: Ballot,
	/// When to write it; `None`: it is being written.
	at: Option<BlockNumber>,
}

impl Audit {
	/// Where the saying of a step stands, if that step is what is wanted.
	pub fn saying(&mut self, step: AuditStep) -> Option<&mut Saying> {
		match (&mut self.duty, step) {
			(Duty::Open(_, _, saying), AuditStep::Open)
			| (Duty::Reveal(_, saying), AuditStep::Reveal)
			| (Duty::Prove(_, saying), AuditStep::Prove) => Some(saying),
			(Duty::Judge(judge), AuditStep::Commit) => match &mut judge.stage {
				Stage::Committing(_, saying) => Some(saying),
				_ => None,
			},
			_ => None,
		}
	}

	pub fn judge(&self) -> Option<&Judge> {
		match &self.duty {
			Duty::Judge(judge) => Some(judge),
			_ => None,
		}
	}

	pub fn judge_mut(&mut self) -> Option<&mut Judge> {
		match &mut self.duty {
			Duty::Judge(judge) => Some(judge),
			_ => None,
		}
	}

	/// Whether `item` asks for the same as this audit does.
	fn is_for(&self, key: &WorkKey, item: &AuditItem) -> bool {
		let same_task = match (&self.item.task, &item.task) {
			(
				AuditTask::Judge { seed, index, .. },
				AuditTask::Judge {
					seed: other,
					index: drawn,
					..
				},
			) => (seed, index) == (other, drawn),
			(task, other) => task == other,
		};
		self.key == *key && self.item.output == item.output && same_task
	}

	/// When the own result should be there.
	pub fn due(&self, margin: BlockNumber) -> BlockNumber {
		self.item.until.saturating_sub(margin)
	}
}

impl Judge {
	/// Whether its model should be there.
	pub fn wants_run(&self) -> bool {
		matches!(
			self.stage,
			Stage::Waiting(_) | Stage::Fetching | Stage::Ready | Stage::Running
		)
	}

	/// The work's seed, and the seat's if that is another one.
	pub fn seeds(&self) -> Vec<SketchSeed> {
		let mut seeds = vec![work_seed(&self.key.work.work), self.key.seed];
		seeds.dedup();
		seeds
	}

	/// The transfer that goes on for it.
	fn transfer(&self) -> Option<Transfer> {
		match self.stage {
			Stage::Fetching => Some(Transfer::Input(Task::Audit(self.key))),
			Stage::Ran(_, Theirs::Fetching) => Some(Transfer::Output(self.key)),
			_ => None,
		}
	}
}

impl Machine {
	pub(super) fn reconcile_audits(&mut self, items: Vec<AuditItem>, actions: &mut Vec<Action>) {
		let node = self.node;
		let listed: BTreeMap<JobId, (WorkKey, AuditItem)> = items
			.into_iter()
			.filter_map(|item| Some((item.job, (WorkKey::of_audit(node?, &item), item))))
			.collect();
		let gone: Vec<JobId> = self
			.audits
			.iter()
			.filter(|(id, audit)| listed.get(id).is_none_or(|(key, item)| !audit.is_for(key, item)))
			.map(|(id, _)| *id)
			.collect();
		for id in gone {
			let audit = self.audits.remove(&id);
			let transfer = audit.as_ref().and_then(Audit::judge).and_then(Judge::transfer);
			actions.extend(transfer.map(Action::StopFetch));
		}
		for (id, (key, item)) in listed {
			if let Some(audit) = self.audits.get_mut(&id) {
				audit.item = item;
				continue;
			}
			let duty = self.duty(key, &item);
			if let (Duty::Mute, Some(step)) = (&duty, step_of(&item.task)) {
				actions.push(Action::Unanswerable { key, step });
			}
			self.audits.insert(id, Audit { item, key, duty });
		}
	}

	fn duty(&self, key: WorkKey, item: &AuditItem) -> Duty {
		match &item.task {
			AuditTask::Open { index } => {
				let done = self.known.get(&key).map_or(&[][..], |known| &known.done);
				let attested = done.iter().find(|finished| finished.output == item.output);
				match attested.and_then(|finished| Some((finished.opening(*index)?, finished.salt))) {
					Some((opening, salt)) => Duty::Open(opening, salt, Saying::NOW),
					None => Duty::Mute,
				}
			}
			AuditTask::Reveal { seed } => {
				let cast = self.ballots.range(BallotKey::under(key, *seed));
				let sealed: Vec<SealedBallot> = cast.map(|(_, cast)| cast.sealed.clone()).collect();
				match sealed.is_empty() {
					true => Duty::Mute,
					false => Duty::Reveal(sealed, Saying::NOW),
				}
			}
			AuditTask::ProveChunk { chunk } => Duty::Prove(*chunk, Saying::NOW),
			AuditTask::Judge {
				seed, index, claims, ..
			} => {
				let key = BallotKey {
					work: key,
					seed: *seed,
					index: *index,
				};
				let runs = |run: &Run| run.tasks.contains(&Task::Audit(key));
				let stage = if let Some(cast) = self.ballots.get(&key) {
					Stage::Committing(cast.sealed.clone(), Saying::NOW)
				} else if self.unsealed.contains_key(&key) {
					Stage::Sealing
				} else if self.running.as_ref().is_some_and(runs) {
					Stage::Running
				} else {
					Stage::Waiting(0)
				};
				Duty::Judge(Box::new(Judge {
					key,
					claims: *claims,
					model: ModelKey::of(item.model, item.version, &item.spec),
					stage,
					failed_runs: 0,
					local_fault: false,
				}))
			}
		}
	}

	/// Casts the ballots that can wait no longer: a commitment has to reach another author.
	pub(super) fn give_up_late_audits(&mut self, actions: &mut Vec<Action>) {
		let patience = self.config.give_up_before;
		let mut late = Vec::new();
		for audit in self.audits.values() {
			let left = audit.item.until.saturating_sub(self.block);
			let Some(judge) = audit.judge().filter(|_| left <= patience) else {
				continue;
			};
			let ballot = match &judge.stage {
				stage if judge.wants_run() || matches!(stage, Stage::Ran(..)) && judge.local_fault => {
					judge::abstention()
				}
				Stage::Ran(ours, Theirs::Waiting(_) | Theirs::Fetching) => ballot(audit, judge, ours, Finding::Missing),
				// A comparison takes moments: it may still end in time.
				Stage::Ran(..) if left < patience => judge::abstention(),
				_ => continue,
			};
			late.push((judge.key, ballot));
		}
		for (key, ballot) in late {
			self.cast(key, ballot, actions);
		}
	}

	/// No node can judge with a model that it refuses.
	pub(super) fn abstain_where_refused(&mut self, actions: &mut Vec<Action>) {
		let refused = |judge: &&Judge| {
			let model = self.models.get(&judge.model);
			judge.wants_run()
				&& !matches!(judge.stage, Stage::Running)
				&& model.is_some_and(|model| matches!(model.state, ModelState::Refused(_)))
		};
		let keys: Vec<BallotKey> = self
			.audits
			.values()
			.filter_map(Audit::judge)
			.filter(refused)
			.map(|judge| judge.key)
			.collect();
		for key in keys {
			self.cast(key, judge::abstention(), actions);
		}
	}

	/// Settles on a ballot.
	fn cast(&mut self, key: BallotKey, ballot: Ballot, actions: &mut Vec<Action>) {
		let Some(judge) = self.judging(&key) else { return };
		actions.extend(judge.transfer().map(Action::StopFetch));
		judge.stage = Stage::Sealing;
		self.unsealed.entry(key).or_insert(Unsealed { ballot, at: Some(0) });
	}

	fn judging(&mut self, key: &BallotKey) -> Option<&mut Judge> {
		self.audits
			.get_mut(&key.work.job)
			.and_then(Audit::judge_mut)
			.filter(|judge| judge.key == *key)
	}

	pub(super) fn audit_input_arrived(&mut self, key: BallotKey, result: &Result<(), BlobError>) {
		let next_block = self.block.saturating_add(1);
		if let Some(judge) = self
			.judging(&key)
			.filter(|judge| matches!(judge.stage, Stage::Fetching))
		{
			judge.local_fault = result.as_ref().is_err_and(BlobError::is_local);
			judge.stage = if result.is_ok() {
				Stage::Ready
			} else {
				Stage::Waiting(next_block)
			};
		}
	}

	pub(super) fn audit_not_run(&mut self, key: &BallotKey) {
		if let Some(judge) = self.judging(key).filter(|judge| matches!(judge.stage, Stage::Running)) {
			judge.stage = Stage::Ready;
		}
	}

	pub(super) fn audit_run(&mut self, key: BallotKey, result: Result<RunOutput, JobFault>, actions: &mut Vec<Action>) {
		let next_block = self.block.saturating_add(1);
		let Some(audit) = self.audits.get_mut(&key.work.job) else {
			return;
		};
		let (spec, output, inputs) = (audit.item.spec.clone(), audit.item.output, audit.item.inputs);
		let Some(judge) = audit
			.judge_mut()
			.filter(|judge| judge.key == key && matches!(judge.stage, Stage::Running))
		else {
			return;
		};
		match result {
			Ok(ours) if ours.sketches.len() == judge.seeds().len() => {
				// What cannot hold the own output need not be fetched to be wrong.
				if !bundles::may_hold(output.size, ours.file.len() as u64, inputs) {
					let ballot = judge::ballot(&spec, judge.claims.as_ref(), &own(&ours), Finding::Wrong);
					self.cast(key, ballot, actions);
				} else {
					judge.stage = Stage::Ran(ours, Theirs::Waiting(0));
				}
			}
			Err(JobFault::InputLost) => judge.stage = Stage::Waiting(next_block),
			Err(JobFault::Engine(EngineError::NotRun)) => judge.stage = Stage::Ready,
			Err(JobFault::Engine(EngineError::Unavailable(_))) => {
				judge.stage = Stage::Ready;
				self.engine_down();
			}
			Err(JobFault::Engine(EngineError::ModelRefused(_))) => {
				judge.stage = Stage::Ready;
				let model = judge.model;
				self.refuse(model);
			}
			// Every node finds that, and without a run: whatever was attested is not what the model gives.
			Err(JobFault::Engine(EngineError::InputInvalid(_))) => {
				let ballot = judge::unfit_input(&spec, judge.claims.as_ref());
				self.cast(key, ballot, actions);
			}
			// Own trouble, or a model that runs on some machines only: no reason to accuse anybody.
			Ok(_) | Err(JobFault::Engine(_)) => {
				judge.failed_runs = judge.failed_runs.saturating_add(1);
				if judge.failed_runs >= MAX_FAILURES {
					self.cast(key, judge::abstention(), actions);
				} else {
					judge.stage = Stage::Ready;
				}
			}
		}
	}

	pub(super) fn output_arrived(&mut self, key: BallotKey, result: Result<(), BlobError>) {
		let next_block = self.block.saturating_add(1);
		if let Some(judge) = self.judging(&key) {
			if let Stage::Ran(_, theirs @ Theirs::Fetching) = &mut judge.stage {
				judge.local_fault = result.as_ref().is_err_and(BlobError::is_local);
				*theirs = match result {
					Ok(()) => Theirs::Here,
					Err(_) => Theirs::Waiting(next_block),
				};
			}
		}
		if let Err(error) = result {
			self.note_blob_error(&error);
		}
	}

	pub(super) fn compared(&mut self, key: BallotKey, finding: Result<Finding, BlobError>, actions: &mut Vec<Action>) {
		let next_block = self.block.saturating_add(1);
		let Some(audit) = self.audits.get_mut(&key.work.job) else {
			return;
		};
		let spec = audit.item.spec.clone();
		let Some(judge) = audit.judge_mut().filter(|judge| judge.key == key) else {
			return;
		};
		let Stage::Ran(ours, theirs @ Theirs::Comparing) = &mut judge.stage else {
			return;
		};
		match finding {
			Ok(finding) => {
				let ballot = judge::ballot(&spec, judge.claims.as_ref(), &own(ours), finding);
				self.cast(key, ballot, actions);
			}
			Err(error) => {
				*theirs = Theirs::Waiting(next_block);
				judge.local_fault = error.is_local();
				self.note_blob_error(&error);
			}
		}
	}

	pub(super) fn sealed(&mut self, sealed: SealedBallot) {
		let key = sealed.key;
		self.unsealed.remove(&key);
		let mut gone_since = Some(self.block);
		if let Some(judge) = self.judging(&key) {
			judge.stage = Stage::Committing(sealed.clone(), Saying::NOW);
			gone_since = None;
		}
		self.ballots.insert(key, Cast { sealed, gone_since });
	}

	pub(super) fn not_sealed(&mut self, key: BallotKey) {
		let next_block = self.block.saturating_add(1);
		if let Some(unsealed) = self.unsealed.get_mut(&key) {
			unsealed.at = Some(next_block);
		}
	}

	/// Ballots are saved at any time, like outputs.
	pub(super) fn seal(&mut self, actions: &mut Vec<Action>) {
		let block = self.block;
		for (key, unsealed) in &mut self.unsealed {
			if unsealed.at.is_some_and(|at| at <= block) {
				unsealed.at = None;
				actions.push(Action::RecordBallot {
					key: *key,
					ballot: unsealed.ballot,
				});
			}
		}
	}

	/// Fetches and compares outputs for which there is an own result.
	pub(super) fn look_at_outputs(&mut self, actions: &mut Vec<Action>) {
		let fetching = |audit: &&Audit| {
			let stage = audit.judge().map(|judge| &judge.stage);
			matches!(stage, Some(Stage::Ran(_, Theirs::Fetching)))
		};
		let busy = self.audits.values().filter(fetching).count();
		let mut free = self.config.max_input_fetches.saturating_sub(busy);
		let block = self.block;
		let mut audits: Vec<&mut Audit> = self.audits.values_mut().collect();
		audits.sort_by_key(|audit| audit.item.until);
		for Audit { item, duty, .. } in audits {
			let Duty::Judge(judge) = duty else { continue };
			let key = judge.key;
			match &mut judge.stage {
				Stage::Ran(_, theirs) if free > 0 && theirs.is_wanted(block) => {
					free -= 1;
					*theirs = Theirs::Fetching;
					actions.push(Action::FetchOutput {
						key,
						output: item.output,
						executor: item.executor.clone(),
					});
				}
				Stage::Ran(ours, theirs @ Theirs::Here) => {
					*theirs = Theirs::Comparing;
					actions.push(Action::Compare {
						key,
						spec: Box::new(item.spec.clone()),
						inputs: item.inputs,
						ours: ours.file.clone(),
						theirs: item.output,
					});
				}
				_ => {}
			}
		}
	}

	/// Bytes of own outputs that wait for others.
	pub(super) fn held_bytes(&self) -> u64 {
		self.audits
			.values()
			.filter_map(Audit::judge)
			.map(|judge| match &judge.stage {
				Stage::Ran(ours, _) => ours.file.len() as u64,
				_ => 0,
			})
			.sum()
	}

	/// Says what is due, what is most urgent first.
	pub(super) fn speak_in_audits(&mut self, actions: &mut Vec<Action>) {
		let Some(node) = self.node else { return };
		let block = self.block;
		let on_the_way = |audit: &mut Audit| {
			let steps = [AuditStep::Open, AuditStep::Commit, AuditStep::Reveal, AuditStep::Prove];
			steps
				.into_iter()
				.any(|step| audit.saying(step).is_some_and(|saying| saying.at.is_none()))
		};
		let mut audits: Vec<(&JobId, &mut Audit)> = self.audits.iter_mut().collect();
		let busy = audits
			.iter_mut()
			.filter_map(|(_, audit)| on_the_way(audit).then_some(()))
			.count();
		let mut free = self.config.max_audit_submissions.saturating_sub(busy);
		audits.sort_by_key(|(_, audit)| audit.item.until);
		for (job, audit) in audits {
			if free == 0 {
				break;
			}
			let (job, output) = (*job, audit.item.output);
			let mut say = |saying: &mut Saying, action: Action| {
				let is_due = saying.is_due(block);
				if is_due {
					saying.at = None;
					free -= 1;
					actions.push(action);
				}
				is_due
			};
			match &mut audit.duty {
				Duty::Open(opening, salt, saying) => {
					let (opening, salt) = (opening.clone(), *salt);
					say(
						saying,
						Action::SubmitOpening {
							node,
							job,
							opening,
							salt,
						},
					);
				}
				Duty::Reveal(sealed, saying) => {
					let Some(SealedBallot { ballot, salt, .. }) = sealed.first().cloned() else {
						continue;
					};
					let reveal = Action::SubmitReveal {
						node,
						job,
						ballot,
						salt,
					};
					if say(saying, reveal) {
						sealed.rotate_left(1);
					}
				}
				Duty::Prove(chunk, saying) => {
					let chunk = *chunk;
					say(
						saying,
						Action::SubmitProof {
							node,
							job,
							output,
							chunk,
						},
					);
				}
				Duty::Judge(judge) => {
					if let Stage::Committing(sealed, saying) = &mut judge.stage {
						let (seed, commitment) = (sealed.key.seed, sealed.commitment());
						say(
							saying,
							Action::SubmitCommitment {
								node,
								job,
								seed,
								commitment,
							},
						);
					}
				}
				Duty::Mute => {}
			}
		}
	}

	/// Marks a run's audits.
	pub(super) fn start_audit_run(&mut self, key: &BallotKey) {
		if let Some(judge) = self.judging(key) {
			let before = mem::replace(&mut judge.stage, Stage::Running);
			debug_assert!(matches!(before, Stage::Ready));
		}
	}

	/// Marks an audit whose input is on its way.
	pub(super) fn start_audit_fetch(&mut self, key: &BallotKey) {
		if let Some(judge) = self.judging(key) {
			judge.stage = Stage::Fetching;
		}
	}
}

fn step_of(task: &AuditTask) -> Option<AuditStep> {
	match task {
		AuditTask::Open { .. } => Some(AuditStep::Open),
		AuditTask::Reveal { .. } => Some(AuditStep::Reveal),
		AuditTask::Judge { .. } | AuditTask::ProveChunk { .. } => None,
	}
}

/// The own sketches of a run under [`Judge::seeds`].
fn own(ours: &RunOutput) -> OwnSketches {
	OwnSketches {
		work: ours.sketches.first().copied().unwrap_or_default(),
		seat: ours.sketches.last().copied().unwrap_or_default(),
	}
}

fn ballot(audit: &Audit, judge: &Judge, ours: &RunOutput, finding: Finding) -> Ballot {
	judge::ballot(&audit.item.spec, judge.claims.as_ref(), &own(ours), finding)
}
