//! Random chains, networks and engines against the machine: whatever happens in whatever order, some things never do.

use super::*;
use crate::fixtures::*;
use highway_primitives::{audit::AuditTask, probe::ProbeTask, BlobHash, BlobRef, ProbeSeed};
use highway_runtime_api::types::StorageTask;
use proptest::prelude::*;
use std::collections::HashMap;

#[path = "machine_property/answers.rs"]
mod answers;
#[path = "machine_property/checks.rs"]
mod checks;
#[path = "machine_property/truth.rs"]
mod truth;
use truth::*;

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
			.map(|(job, deadline)| world_item(*job, *deadline))
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
					let is_open = |item: &AuditItem| matches!(item.task, AuditTask::Open { .. });
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
		let task = AuditTask::Open { index: index_of(job) };
		let asked = AuditItem {
			output: self.attested[&job].output,
			..audit_of(world_item(job, 0), task, b"", until)
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
		which in 0..16u64,
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
