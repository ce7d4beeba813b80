//! Random chains, networks and engines against the machine: whatever happens in whatever order, some things never do.

use super::*;
use crate::fixtures::*;
use codec::Encode;
use highway_primitives::{
	audit::{work_seed, AuditTask, Claims, SketchSeed},
	probe::{ProbeTask, WIDTH},
	worker::commitment,
	BlobHash, BlobRef, ModelId, ProbeSeed, Vote,
};
use highway_runtime_api::types::StorageTask;
use proptest::prelude::*;
use std::collections::HashMap;

/// The world around a machine, which checks everything that the machine asks for.
struct World {
	machine: Machine,
	number: BlockNumber,
	/// Jobs that the chain assigns to the node, and their deadlines.
	assigned: BTreeMap<JobId, BlockNumber>,
	/// The list that the machine saw last.
	listed: BTreeSet<JobId>,
	next_job: JobId,
	/// What the machine waits for.
	open: Vec<Action>,
	running: BTreeSet<Task>,
	journal: BTreeMap<WorkKey, Finished>,
	/// Finished runs, failed ones apart.
	good_runs: HashMap<Task, u32>,
	submitted: Vec<Action>,
	ever_assigned: BTreeSet<JobId>,
	ended: BTreeSet<JobId>,
	/// What audits want of the node, by the chain's state.
	audits: BTreeMap<JobId, AuditItem>,
	next_audit: JobId,
	/// What was attested of the node's own jobs, and not opened yet.
	attested: BTreeMap<JobId, Finished>,
	ballots: BTreeMap<BallotKey, SealedBallot>,
	/// Outputs that the machine asked for, by ballot.
	fetched: BTreeSet<BallotKey>,
	/// Audits that ended in silence although they could have been heard.
	silent: Vec<JobId>,
	/// Ballots whose commitment is on chain.
	committed: BTreeSet<JobId>,
	revealed: BTreeSet<JobId>,
	/// Seed of the round of probes that the machine computes for, and how many rows it has.
	probed: (ProbeSeed, u32),
	/// What it answered, by the chain's state.
	answered: Option<(ProbeSeed, BlobRef)>,
	/// Rounds whose proof is on chain.
	proved: BTreeSet<u32>,
	/// Blocks whose challenge is answered.
	shown: BTreeSet<BlockNumber>,
	/// What is not evicted.
	pinned: BTreeSet<BlobHash>,
}

/// Blocks from one round of probes to the next.
const ROUND: BlockNumber = 40;

/// Rows that a round asks for.
const ROWS: u32 = 300;

/// Blocks from one challenge to the next, and those in which it can be answered.
const CHALLENGE: (BlockNumber, BlockNumber) = (25, 15);

/// Other nodes' jobs have numbers from here on.
const OTHERS: JobId = 1_000_000;

/// What is true of another node's job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Truth {
	Right,
	Wrong,
	/// Its output has another length than the right one.
	WrongLength,
	/// Its input does not fit the model.
	Unfit,
}

fn truth_of(job: JobId) -> Truth {
	match job % 8 {
		1 => Truth::Wrong,
		2 => Truth::WrongLength,
		3 => Truth::Unfit,
		_ => Truth::Right,
	}
}

/// Jurors are asked in half of the audits, with a seed of their own.
fn seed_of(job: JobId) -> SketchSeed {
	if job.is_multiple_of(2) {
		auditor_seed(job)
	} else {
		[job as u8; 32]
	}
}

fn own_file(job: JobId) -> Vec<u8> {
	format!("result of {job}").into_bytes()
}

/// What another node attested, and what a juror is told about it by an honest auditor.
fn others_audit(job: JobId, until: BlockNumber) -> AuditItem {
	let output = match truth_of(job) {
		Truth::WrongLength => b"short".to_vec(),
		_ => own_file(job),
	};
	let task = if seed_of(job) == auditor_seed(job) {
		judge(job)
	} else {
		let claims = Claims {
			// Far from what a run comes to, where the output is wrong: a juror that does not get it sees that.
			executor: if truth_of(job) == Truth::Wrong {
				sketch(50)
			} else {
				sketch(1)
			},
			vote: if truth_of(job) == Truth::Right {
				Vote::Yes
			} else {
				Vote::No
			},
			auditor: if truth_of(job) == Truth::Unfit {
				sketch(0)
			} else {
				sketch(1)
			},
		};
		judge_as_juror(seed_of(job), claims)
	};
	audit(job, task, &output, until)
}

#[derive(Clone, Debug)]
enum Step {
	/// A block with some new jobs; it takes in so many submissions, and reorgs or reassigns one job away.
	Block {
		new: u8,
		taken: u8,
		lose: Option<u8>,
		bring_back: Option<u8>,
		/// Begin the audit of another node's job, and ask the node to open one of its own.
		audit: bool,
		open: Option<u8>,
	},
	/// Answer one open action, in one of several ways.
	Answer {
		which: u8,
		how: u8,
	},
	Syncing,
}

fn step() -> impl Strategy<Value = Step> {
	let some = || prop::option::weighted(0.2, any::<u8>());
	prop_oneof![
		2 => (0..3u8, any::<u8>(), some(), some(), prop::bool::weighted(0.4), some())
			.prop_map(|(new, taken, lose, bring_back, audit, open)| {
				Step::Block { new, taken, lose, bring_back, audit, open }
			}),
		8 => (any::<u8>(), any::<u8>()).prop_map(|(which, how)| Step::Answer { which, how }),
		1 => Just(Step::Syncing),
	]
}

fn model_of(job: JobId) -> ModelId {
	(job % 3) as ModelId
}

fn world_key(job: JobId) -> WorkKey {
	key(job, model_of(job))
}

impl World {
	fn new() -> Self {
		let config = MachineConfig {
			max_batch: 3,
			max_input_fetches: 3,
			..MachineConfig::default()
		};
		Self {
			machine: Machine::new(config),
			number: 1,
			assigned: BTreeMap::new(),
			listed: BTreeSet::new(),
			next_job: 0,
			open: Vec::new(),
			running: BTreeSet::new(),
			journal: BTreeMap::new(),
			good_runs: HashMap::new(),
			submitted: Vec::new(),
			ever_assigned: BTreeSet::new(),
			ended: BTreeSet::new(),
			audits: BTreeMap::new(),
			next_audit: OTHERS,
			attested: BTreeMap::new(),
			ballots: BTreeMap::new(),
			fetched: BTreeSet::new(),
			silent: Vec::new(),
			committed: BTreeSet::new(),
			revealed: BTreeSet::new(),
			probed: ([0; 32], 0),
			answered: None,
			proved: BTreeSet::new(),
			shown: BTreeSet::new(),
			pinned: BTreeSet::new(),
		}
	}

	fn tell(&mut self, event: Event) {
		for action in self.machine.handle(event) {
			self.check(&action);
			match action {
				Action::DropJob { key, .. } => self.stop(Transfer::Input(Task::Job(key))),
				Action::StopFetch(transfer) => self.stop(transfer),
				Action::Forget(keys) => {
					for key in keys {
						assert!(
							!self.assigned.contains_key(&key.job) && !self.is_open(key.job),
							"forgot what may still be asked for"
						);
						self.journal.remove(&key);
						self.ballots.retain(|ballot, _| ballot.work != key);
					}
				}
				Action::DropModel(dropped) => self.open.retain(|open| match open {
					Action::FetchModel { model, .. } => *model != dropped,
					_ => true,
				}),
				Action::ReleaseModel(artefact) => {
					self.pinned.remove(&artefact.hash);
				}
				Action::KeepArtefact(artefact) => {
					self.pinned.insert(artefact.hash);
				}
				Action::EndProbe { .. } | Action::EndChallenge { .. } => {}
				Action::Unanswerable { key, .. } => panic!("the journal does not hold job {}", key.job),
				action => {
					if let Action::FetchModel { artifact, .. } = &action {
						self.pinned.insert(artifact.hash);
					}
					self.open.push(action);
				}
			}
		}
		for key in self.machine.challenges.keys() {
			assert!(
				self.pinned.contains(&key.artefact),
				"what is to be shown may be evicted"
			);
		}
	}

	fn stop(&mut self, transfer: Transfer) {
		self.open.retain(|open| match open {
			Action::FetchInput { task, .. } => Transfer::Input(*task) != transfer,
			Action::FetchOutput { key, .. } => Transfer::Output(*key) != transfer,
			Action::FetchArtefact { key, .. } => Transfer::Artefact(*key) != transfer,
			_ => true,
		});
	}

	/// Whether the chain may still ask for what the node did or said about this job.
	fn is_open(&self, job: JobId) -> bool {
		self.audits.contains_key(&job) || self.attested.contains_key(&job) || self.assigned.contains_key(&job)
	}

	fn check(&mut self, action: &Action) {
		let limit = &self.machine.config;
		match action {
			Action::Run { model, items, .. } => {
				assert!(self.running.is_empty() && !self.is_probing(), "two runs on one device");
				assert!(!items.is_empty() && items.len() <= limit.max_batch);
				for RunItem { task, seeds, .. } in items {
					match task {
						Task::Job(key) => {
							assert!(self.listed.contains(&key.job), "ran a job that is not listed");
							assert_eq!(model_key(model_of(key.job)), *model);
							assert!(
								!self.journal.contains_key(key),
								"ran a job whose output is in the journal"
							);
							assert_eq!(*seeds, [work_seed(&key.work)]);
						}
						Task::Audit(key) => {
							assert_eq!(model_key(1), *model);
							assert!(!self.ballots.contains_key(key), "ran a job that is judged");
							assert_eq!(seeds.last(), Some(&key.seed));
							assert_eq!(seeds[0], work_seed(&key.work.work));
						}
					}
					assert!(
						matches!(task, Task::Audit(_)) || !self.good_runs.contains_key(task),
						"ran a job again that gave an output"
					);
					assert!(self.running.insert(*task));
				}
			}
			Action::RunProbe { node, seed, rows, .. } => {
				assert!(self.running.is_empty() && !self.is_probing(), "two runs on one device");
				if rows.start == 0 {
					self.probed = (*seed, 0);
				}
				assert_eq!((*node, *seed, rows.start), (NODE, self.probed.0, self.probed.1));
				assert!(!rows.is_empty() && rows.end <= ROWS);
			}
			Action::StoreProbe { seed, rows } => {
				assert!(!rows.is_empty());
				assert_eq!((*seed, rows.len()), (self.probed.0, self.probed.1 as usize * WIDTH));
			}
			Action::SubmitProbeAnswer { round, seed, .. } => {
				let Some(ProbeTask::Compute {
					round: asked, seed: of, ..
				}) = self.probe()
				else {
					panic!("answered a probe that does not ask")
				};
				assert_eq!((asked, of), (*round, *seed));
			}
			Action::SubmitProbeProof { round, output, .. } => {
				let Some(ProbeTask::Prove {
					round: asked,
					output: of,
					..
				}) = self.probe()
				else {
					panic!("proved what nobody asks for")
				};
				assert_eq!((asked, of), (*round, *output));
			}
			Action::SubmitStorageProof { key, .. } => {
				let asked = self
					.challenges()
					.iter()
					.any(|task| ChallengeKey::of(NODE, task) == *key);
				assert!(asked, "showed what nobody asks for");
				// Reads that nobody asks for any more go on, and hold nobody up.
				let asked = |key: &ChallengeKey| self.machine.challenges.contains_key(key);
				let reading = |open: &&Action| matches!(open, Action::SubmitStorageProof { key, .. } if asked(key));
				assert!(
					self.open.iter().filter(reading).count() < 2,
					"too many files are read at once"
				);
			}
			Action::FetchOutput { key, .. } => {
				assert!(
					self.good_runs.contains_key(&Task::Audit(*key)),
					"looked at an output before there was an own one"
				);
				assert!(!self.ballots.contains_key(key));
			}
			Action::Compare { key, ours, .. } => {
				assert!(self.fetched.contains(key), "compared with an output that is not here");
				assert_eq!(*ours, own_file(key.work.job));
			}
			Action::RecordBallot { key, ballot } => {
				if let Some(before) = self.ballots.get(key) {
					assert_eq!(before.ballot, *ballot, "a second ballot");
				}
				let truth = truth_of(key.work.job);
				match ballot.vote {
					Vote::Yes => assert_eq!(truth, Truth::Right, "a false yes"),
					Vote::No => assert_ne!(truth, Truth::Right, "a false no"),
					Vote::Missing => assert_eq!(key.seed, auditor_seed(key.work.job), "a juror has the sketches"),
					Vote::Abstain => {}
				}
				assert!(ballot.auditor_right, "an auditor that was right is accused: {truth:?}");
				assert!(
					!self
						.open
						.iter()
						.any(|open| matches!(open, Action::RecordBallot { key: other, .. } if other == key)),
					"one ballot is written twice at once"
				);
			}
			Action::SubmitCommitment {
				job, seed, commitment, ..
			} => {
				let sealed = self
					.ballots
					.get(&ballot_key(*job, *seed))
					.expect("committed to what is not in the journal");
				assert_eq!(sealed.commitment(), *commitment);
			}
			Action::SubmitReveal { job, ballot, salt, .. } => {
				let sealed = &self.ballots[&ballot_key(*job, seed_of(*job))];
				assert_eq!((sealed.ballot, sealed.salt), (*ballot, *salt));
			}
			Action::SubmitOpening {
				node,
				job,
				sketch,
				salt,
			} => {
				let Finished {
					key,
					output,
					commitment: made,
					..
				} = &self.attested[job];
				assert_eq!(commitment(&key.work, *node, output, sketch, salt), *made);
			}
			Action::SubmitAttest { node, items, .. } => {
				assert!(!items.is_empty() && items.len() <= 256);
				for item in items {
					assert!(self.listed.contains(&item.job), "attested a job that is not listed");
					let finished = self
						.journal
						.get(&world_key(item.job))
						.expect("attested what is not in the journal");
					assert_eq!(
						(*node, item.output, item.commitment),
						(NODE, finished.output, finished.commitment)
					);
				}
			}
			Action::SubmitFailure { job, .. } => {
				assert!(self.listed.contains(job), "reported a job that is not listed");
				assert!(
					!self.journal.contains_key(&world_key(*job)),
					"reported a job that is done"
				);
			}
			Action::FetchInput { .. } => {
				let open = self
					.open
					.iter()
					.filter(|open| matches!(open, Action::FetchInput { .. }))
					.count();
				assert!(open < limit.max_input_fetches, "too many fetches at once");
			}
			Action::Record(_) => {
				assert!(
					!self.open.iter().any(|open| matches!(open, Action::Record(_))),
					"two writers"
				);
			}
			_ => {}
		}
	}

	fn is_probing(&self) -> bool {
		self.open.iter().any(|open| matches!(open, Action::RunProbe { .. }))
	}

	/// What the round of probes of this block asks for.
	fn probe(&self) -> Option<ProbeTask> {
		let (round, at) = (self.number / ROUND, self.number % ROUND);
		let seed = [round as u8; 32];
		match self.answered {
			Some((own, output)) if own == seed => {
				(at < 26 && !self.proved.contains(&round)).then_some(ProbeTask::Prove {
					round,
					output,
					chunk: 0,
					until: round * ROUND + 25,
				})
			}
			_ => (at < 10).then_some(ProbeTask::Compute {
				round,
				seed,
				rows: ROWS,
				until: round * ROUND + 9,
			}),
		}
	}

	/// What is to be shown in this block.
	fn challenges(&self) -> Vec<StorageTask> {
		let (every, window) = CHALLENGE;
		let drawn_at = self.number - self.number % every;
		let until = drawn_at + window;
		let open = until > self.number && !self.shown.contains(&drawn_at);
		// One of four models, of which jobs run on three.
		let task = storage_task(drawn_at / every % 4, 0, drawn_at, until);
		open.then_some(task).into_iter().collect()
	}

	fn block(&mut self) {
		self.number += 1;
		let jobs: Vec<WorkItem> = self
			.assigned
			.iter()
			.map(|(job, deadline)| item(*job, model_of(*job), *deadline))
			.collect();
		self.listed = self.assigned.keys().copied().collect();
		let list = WorkList {
			heartbeat_due: self.number % 20 < 5,
			session: self.number / 20,
			audits: self.audits.values().cloned().collect(),
			probe: self.probe(),
			challenges: self.challenges(),
			..work(jobs)
		};
		let finalized = self.number.saturating_sub(2);
		self.tell(Event::Block {
			number: self.number,
			finalized,
			work: Some(list),
		});
	}

	/// The chain takes in what was submitted.
	fn include(&mut self, most: usize) {
		let count = most.min(self.submitted.len());
		for action in self.submitted.drain(..count).collect::<Vec<_>>() {
			let jobs: Vec<JobId> = match action {
				Action::SubmitAttest { items, .. } => {
					for item in &items {
						let finished = self.journal.get(&world_key(item.job));
						if let (Some(finished), true) = (finished, self.assigned.contains_key(&item.job)) {
							self.attested.insert(item.job, finished.clone());
						}
					}
					items.iter().map(|item| item.job).collect()
				}
				Action::SubmitFailure { job, .. } => vec![job],
				Action::SubmitOpening { job, .. } => {
					let is_open = |item: &AuditItem| item.task == AuditTask::Open;
					if self.audits.get(&job).is_some_and(is_open) {
						self.audits.remove(&job);
						self.attested.remove(&job);
					}
					continue;
				}
				Action::SubmitCommitment { job, seed, .. } => {
					let judged = |item: &AuditItem| matches!(item.task, AuditTask::Judge { seed: s, .. } if s == seed);
					if let Some(item) = self.audits.get_mut(&job).filter(|item| judged(item)) {
						item.task = AuditTask::Reveal { seed };
						item.until = self.number + 40;
						self.committed.insert(job);
					}
					continue;
				}
				Action::SubmitProbeAnswer { seed, output, .. } => {
					if matches!(self.probe(), Some(ProbeTask::Compute { seed: asked, .. }) if asked == seed) {
						self.answered = Some((seed, output));
					}
					continue;
				}
				Action::SubmitProbeProof { round, .. } => {
					self.proved.insert(round);
					continue;
				}
				Action::SubmitStorageProof { key, .. } => {
					self.shown.insert(key.drawn_at);
					continue;
				}
				Action::SubmitReveal { job, .. } => {
					if self
						.audits
						.get(&job)
						.is_some_and(|item| matches!(item.task, AuditTask::Reveal { .. }))
					{
						self.audits.remove(&job);
						self.revealed.insert(job);
					}
					continue;
				}
				_ => continue,
			};
			for job in jobs {
				if self.assigned.remove(&job).is_some() {
					self.ended.insert(job);
				}
			}
		}
	}

	/// Phases that end by themselves.
	fn expire(&mut self) {
		let number = self.number;
		let late: Vec<JobId> = self
			.audits
			.iter()
			.filter(|(_, item)| item.until < number)
			.map(|(job, _)| *job)
			.collect();
		for job in late {
			self.audits.remove(&job);
			self.attested.remove(&job);
			self.silent.push(job);
		}
	}

	fn begin_audit(&mut self, until: BlockNumber) {
		self.audits
			.insert(self.next_audit, others_audit(self.next_audit, until));
		self.next_audit += 1;
	}

	/// Asks the node to open what it committed to.
	fn ask_to_open(&mut self, job: JobId, until: BlockNumber) {
		let item = item(job, model_of(job), 0);
		let output = self.attested[&job].output;
		let asked = AuditItem {
			work: item.work,
			model: item.model,
			spec: item.spec,
			input: item.input,
			output,
			..audit(job, AuditTask::Open, b"", until)
		};
		self.audits.insert(job, asked);
	}

	fn step(&mut self, step: Step) {
		match step {
			Step::Block {
				new,
				taken,
				lose,
				bring_back,
				audit,
				open,
			} => {
				for _ in 0..new {
					self.assigned
						.insert(self.next_job, self.number + 6 + (self.next_job % 5) as u32);
					self.ever_assigned.insert(self.next_job);
					self.next_job += 1;
				}
				self.include((taken % 4).into());
				// A deadline takes a job away, as does a reorg or a reassignment.
				let number = self.number;
				self.assigned.retain(|_, deadline| *deadline >= number);
				if let Some(job) = lose.and_then(|lose| pick(self.assigned.keys(), lose)) {
					self.assigned.remove(&job);
				}
				if let Some(job) = bring_back.and_then(|back| pick(self.ever_assigned.iter(), back)) {
					// A reorg takes back what came after the assignment.
					self.audits.remove(&job);
					self.attested.remove(&job);
					self.assigned.insert(job, self.number + 8);
				}
				if audit {
					self.begin_audit(self.number + 6 + (self.next_audit % 20) as u32);
				}
				if let Some(job) = open.and_then(|open| pick(self.attested.keys(), open)) {
					self.ask_to_open(job, self.number + 40);
				}
				self.expire();
				self.block();
			}
			Step::Answer { which, how } => {
				if !self.open.is_empty() {
					let index = usize::from(which) % self.open.len();
					self.answer(index, how);
				}
			}
			Step::Syncing => self.tell(Event::Syncing),
		}
	}

	/// Answers an open action; `how` = 0 is always the good way.
	fn answer(&mut self, index: usize, how: u8) {
		let action = self.open.remove(index);
		let good = how % 3 != 1;
		let event = match action {
			Action::CheckEngine => Event::EngineHealth(how % 7 != 1),
			Action::FetchModel { model, .. } if good => Event::ModelFetched(model),
			Action::FetchModel { model, .. } => Event::ModelFetchFailed(model, blob_error(how)),
			Action::LoadModel { model, .. } if good => Event::ModelReady(model),
			Action::LoadModel { model, .. } if how < 128 => {
				Event::ModelFailed(model, LoadFault::Engine(engine_error(how)))
			}
			Action::LoadModel { model, .. } => Event::ModelFailed(model, LoadFault::Blob(blob_error(how))),
			Action::FetchInput { task, .. } if good => Event::InputReady(task),
			Action::FetchInput { task, .. } => Event::InputFailed(task, blob_error(how)),
			Action::FetchOutput { key, .. } if good => {
				self.fetched.insert(key);
				Event::OutputReady(key)
			}
			Action::FetchOutput { key, .. } => Event::OutputFailed(key, blob_error(how)),
			Action::Compare { key, .. } if good => {
				let finding = match truth_of(key.work.job) {
					Truth::Right => Finding::Right,
					_ => Finding::Wrong,
				};
				Event::Compared(key, Ok(finding))
			}
			Action::Compare { key, .. } => {
				self.fetched.remove(&key);
				Event::Compared(key, Err(blob_error(how)))
			}
			Action::RecordBallot { key, ballot } if good => {
				let sealed = SealedBallot {
					key,
					ballot,
					salt: [how; 32],
				};
				let sealed = self.ballots.entry(key).or_insert(sealed).clone();
				Event::BallotRecorded(sealed)
			}
			Action::RecordBallot { key, .. } => Event::BallotRecordFailed(key),
			Action::AskJobs(_) if !good => Event::OpenJobs(None),
			Action::AskJobs(jobs) => Event::OpenJobs(Some(jobs.into_iter().filter(|job| self.is_open(*job)).collect())),
			Action::Run { run, .. } if how % 11 == 10 => {
				self.running.clear();
				Event::NotLoaded(run)
			}
			Action::Run { run, items, .. } => {
				self.running.clear();
				let mut results = Vec::new();
				for (place, RunItem { task, seeds, .. }) in items.into_iter().enumerate() {
					let how = how.rotate_left(place as u32);
					let unfit = matches!(task, Task::Audit(key) if truth_of(key.work.job) == Truth::Unfit);
					if unfit && how.is_multiple_of(3) {
						results.push((task, Err(JobFault::Engine(EngineError::InputInvalid("x".into())))));
					} else if how % 3 == 1 || unfit {
						results.push((task, Err(JobFault::Engine(trouble(task, how)))));
					} else if how % 13 == 12 {
						results.push((task, Err(JobFault::InputLost)));
					} else {
						*self.good_runs.entry(task).or_default() += 1;
						let file = match task {
							Task::Job(key) => key.encode(),
							Task::Audit(key) => own_file(key.work.job),
						};
						let sketches = seeds.iter().map(|_| sketch(1)).collect();
						let file = file.into();
						results.push((task, Ok(RunOutput { file, sketches })));
					}
				}
				Event::RunDone {
					run,
					elapsed: Duration::from_millis(u64::from(how) * 10),
					results,
				}
			}
			Action::RunProbe { run, rows, seed, .. } => Event::ProbeRun {
				run,
				result: if good {
					if self.probed.0 == seed {
						self.probed.1 = rows.end;
					}
					Ok((vec![0u8; rows.len() * WIDTH].into(), Duration::from_millis(how.into())))
				} else {
					Err(LoadFault::Engine(engine_error(how)))
				},
			},
			Action::StoreProbe { seed, rows } => Event::ProbeStored {
				seed,
				result: if good {
					Ok(BlobRef::of(&rows))
				} else {
					Err(blob_error(how))
				},
			},
			Action::Record(outputs) if good => {
				let finished: Vec<Finished> = outputs
					.into_iter()
					.map(|(key, output, sketch)| {
						let (output, salt) = (BlobRef::of(&output), [key.job as u8; 32]);
						Finished {
							key,
							output,
							sketch,
							salt,
							commitment: commitment(&key.work, key.node, &output, &sketch, &salt),
						}
					})
					.collect();
				self.journal
					.extend(finished.iter().map(|finished| (finished.key, finished.clone())));
				Event::Recorded(finished)
			}
			Action::Record(_) => Event::RecordFailed,
			Action::FetchArtefact { key, .. } if good => Event::ArtefactReady(key),
			Action::FetchArtefact { key, .. } => Event::ArtefactFailed(key, blob_error(how)),
			Action::SubmitStorageProof { key, .. } if how % 5 == 4 => Event::ChunkFailed(key, blob_error(how)),
			ref action @ (Action::SubmitAttest { .. }
			| Action::SubmitFailure { .. }
			| Action::SubmitOpening { .. }
			| Action::SubmitCommitment { .. }
			| Action::SubmitReveal { .. }
			| Action::SubmitProof { .. }
			| Action::SubmitProbeAnswer { .. }
			| Action::SubmitProbeProof { .. }
			| Action::SubmitStorageProof { .. }
			| Action::SubmitHeartbeat { .. }) => {
				let submission = match action {
					Action::SubmitAttest { items, .. } => {
						Submission::Attest(items.iter().map(|item| item.job).collect())
					}
					Action::SubmitFailure { job, .. } => Submission::Failure(*job),
					Action::SubmitHeartbeat { node, session, .. } => Submission::Heartbeat(*node, *session),
					Action::SubmitOpening { job, .. } => Submission::Audit(*job, AuditStep::Open),
					Action::SubmitCommitment { job, .. } => Submission::Audit(*job, AuditStep::Commit),
					Action::SubmitReveal { job, .. } => Submission::Audit(*job, AuditStep::Reveal),
					Action::SubmitProof { job, .. } => Submission::Audit(*job, AuditStep::Prove),
					Action::SubmitProbeAnswer { round, .. } => Submission::Probe(*round, ProbeStep::Answer),
					Action::SubmitProbeProof { round, .. } => Submission::Probe(*round, ProbeStep::Prove),
					Action::SubmitStorageProof { key, .. } => Submission::Storage(*key),
					_ => unreachable!(),
				};
				match how % 3 {
					0 => {
						self.submitted.push(action.clone());
						Event::Submitted(submission)
					}
					1 => Event::SubmitFailed(submission),
					// The pool takes it and it never lands.
					_ => Event::Submitted(submission),
				}
			}
			Action::StopFetch(_)
			| Action::DropJob { .. }
			| Action::DropModel(_)
			| Action::Forget(_)
			| Action::ReleaseModel(_)
			| Action::KeepArtefact(_)
			| Action::EndProbe { .. }
			| Action::EndChallenge { .. }
			| Action::Unanswerable { .. } => unreachable!("not kept open"),
			Action::NameModels(_)
			| Action::SealAsks(_)
			| Action::SubmitAskCommitments { .. }
			| Action::SubmitAskReveals { .. }
			| Action::CountBid { .. }
			| Action::ForgetAsks(_) => unreachable!("there are no bids"),
		};
		self.tell(event);
	}

	/// Good weather: everything is answered the good way, and every submission lands in the next block.
	fn drain(&mut self) {
		for deadline in self.assigned.values_mut() {
			*deadline = self.number + 400;
		}
		for item in self.audits.values_mut() {
			item.until = self.number + 400;
		}
		self.silent.clear();
		for _ in 0..200 {
			self.include(usize::MAX);
			if self.assigned.is_empty() && self.audits.is_empty() {
				return;
			}
			self.block();
			for _ in 0..1000 {
				if self.open.is_empty() {
					break;
				}
				self.answer(0, 0);
			}
			assert!(self.open.is_empty(), "the machine goes round in one block");
		}
	}
}

fn pick<'a>(mut jobs: impl ExactSizeIterator<Item = &'a JobId>, which: u8) -> Option<JobId> {
	let len = jobs.len();
	(len > 0).then(|| jobs.nth(usize::from(which) % len)).flatten().copied()
}

fn blob_error(how: u8) -> BlobError {
	match how % 6 {
		0 => BlobError::Storage("full".into()),
		1 => BlobError::Interrupted("gone".into()),
		2 => BlobError::NoRoom("pinned".into()),
		3 => BlobError::TooLarge { size: 2, most: 1 },
		_ => BlobError::Missing,
	}
}

/// Own trouble of a run. An input that fits is never said not to.
fn trouble(task: Task, how: u8) -> EngineError {
	match (task, engine_error(how)) {
		(Task::Audit(_), EngineError::InputInvalid(_)) => EngineError::TimedOut,
		(_, error) => error,
	}
}

fn engine_error(how: u8) -> EngineError {
	let text = || "x".into();
	match (how / 3) % 8 {
		0 => EngineError::ModelRefused(text()),
		1 => EngineError::InputInvalid(text()),
		2 | 3 => EngineError::RunFailed(text()),
		4 => EngineError::TimedOut,
		5 => EngineError::ChildDied(text()),
		6 => EngineError::NotRun,
		_ => EngineError::Unavailable(text()),
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn invariants_should_hold_and_every_job_should_end_when_anything_happens(
		steps in prop::collection::vec(step(), 1..250),
	) {
		let mut world = World::new();
		for step in steps {
			world.step(step);
		}
		world.drain();
		prop_assert!(world.assigned.is_empty(), "never ended: {:?}", world.assigned);
		prop_assert!(world.audits.is_empty() && world.silent.is_empty(), "never said: {:?}", world.audits);
	}

	/// Whatever fails at this node, as long as its journal and its submissions work: it is never silent.
	#[test]
	fn ballot_should_be_cast_in_time_when_nothing_else_works(
		answers in prop::collection::vec(any::<u8>(), 1..300),
		allowance in 4u32..30,
		which in 0..8u64,
	) {
		let mut world = World::new();
		world.next_audit += which;
		world.begin_audit(allowance + world.number);
		let mut answers = answers.into_iter().cycle();
		while !world.audits.is_empty() {
			world.include(usize::MAX);
			world.expire();
			world.block();
			// Everything that is open is answered once, in any way; what follows waits for the next block.
			for _ in 0..world.open.len() {
				let how = match world.open.first() {
					// A transfer was broken off meanwhile.
					None => break,
					Some(
						Action::RecordBallot { .. } | Action::SubmitCommitment { .. } | Action::SubmitReveal { .. },
					) => 0,
					Some(_) => answers.next().unwrap_or(0),
				};
				world.answer(0, how);
			}
		}
		prop_assert_eq!(&world.silent, &Vec::<JobId>::new());
		prop_assert_eq!(world.revealed.len(), 1);
	}

	#[test]
	fn outputs_should_be_attested_without_a_run_when_the_worker_restarts_at_any_moment(
		steps in prop::collection::vec(step(), 1..150),
	) {
		let mut world = World::new();
		for step in steps {
			world.step(step);
		}
		// A crash: what was open is gone, and so is all that the machine knew but the journal.
		world.machine = Machine::new(world.machine.config.clone());
		world.open.clear();
		world.running.clear();
		world.good_runs = world.journal.keys().map(|key| (Task::Job(*key), 1)).collect();
		world.fetched.clear();
		world.tell(Event::JournalRestored {
			done: world.journal.values().cloned().collect(),
			lost: BTreeSet::new(),
			ballots: world.ballots.values().cloned().collect(),
		});
		world.drain();
		prop_assert!(world.assigned.is_empty(), "never ended: {:?}", world.assigned);
		prop_assert!(world.audits.is_empty() && world.silent.is_empty(), "never said: {:?}", world.audits);
	}
}
