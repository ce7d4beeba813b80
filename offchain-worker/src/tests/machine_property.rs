//! Random chains, networks and engines against the machine: whatever happens in whatever order, some things never do.

use super::*;
use crate::fixtures::*;
use codec::Encode;
use highway_primitives::{BlobRef, ModelId};
use proptest::prelude::*;
use sp_core::H256;
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
	running: BTreeSet<WorkKey>,
	journal: BTreeMap<WorkKey, Finished>,
	/// Finished runs of each job, failed ones apart.
	good_runs: HashMap<WorkKey, u32>,
	submitted: Vec<Action>,
	ever_assigned: BTreeSet<JobId>,
	ended: BTreeSet<JobId>,
}

#[derive(Clone, Debug)]
enum Step {
	/// A block with some new jobs; it takes in so many submissions, and reorgs or reassigns one job away.
	Block {
		new: u8,
		taken: u8,
		lose: Option<u8>,
		bring_back: Option<u8>,
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
		2 => (0..3u8, any::<u8>(), some(), some())
			.prop_map(|(new, taken, lose, bring_back)| Step::Block { new, taken, lose, bring_back }),
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
		}
	}

	fn tell(&mut self, event: Event) {
		for action in self.machine.handle(event) {
			self.check(&action);
			match action {
				Action::DropJob { key: dropped, .. } | Action::StopFetch(dropped) => {
					self.open.retain(|open| match open {
						Action::FetchInput { key, .. } => *key != dropped,
						_ => true,
					})
				}
				Action::Forget(keys) => {
					for key in keys {
						assert!(
							!self.assigned.contains_key(&key.job),
							"forgot the output of a job that is assigned"
						);
						self.journal.remove(&key);
					}
				}
				Action::DropModel(dropped) => self.open.retain(|open| match open {
					Action::FetchModel { model, .. } => *model != dropped,
					_ => true,
				}),
				Action::ReleaseModel(_) => {}
				action => self.open.push(action),
			}
		}
	}

	fn check(&mut self, action: &Action) {
		let limit = &self.machine.config;
		match action {
			Action::Run { model, jobs, .. } => {
				assert!(self.running.is_empty(), "two runs on one device");
				assert!(!jobs.is_empty() && jobs.len() <= limit.max_batch);
				for (key, _) in jobs {
					assert!(self.listed.contains(&key.job), "ran a job that is not listed");
					assert_eq!(model_key(model_of(key.job)), *model);
					assert!(
						!self.journal.contains_key(key),
						"ran a job whose output is in the journal"
					);
					assert!(!self.good_runs.contains_key(key), "ran a job again that gave an output");
					assert!(self.running.insert(*key));
				}
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
				Action::SubmitAttest { items, .. } => items.iter().map(|item| item.job).collect(),
				Action::SubmitFailure { job, .. } => vec![job],
				_ => continue,
			};
			for job in jobs {
				if self.assigned.remove(&job).is_some() {
					self.ended.insert(job);
				}
			}
		}
	}

	fn step(&mut self, step: Step) {
		match step {
			Step::Block {
				new,
				taken,
				lose,
				bring_back,
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
					self.assigned.insert(job, self.number + 8);
				}
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
			Action::FetchInput { key, .. } if good => Event::InputReady(key),
			Action::FetchInput { key, .. } => Event::InputFailed(key, blob_error(how)),
			Action::Run { run, .. } if how % 11 == 10 => {
				self.running.clear();
				Event::NotLoaded(run)
			}
			Action::Run { run, jobs, .. } => {
				self.running.clear();
				let mut results = Vec::new();
				for (place, (key, _)) in jobs.into_iter().enumerate() {
					let how = how.rotate_left(place as u32);
					if how % 3 == 1 {
						results.push((key, Err(JobFault::Engine(engine_error(how)))));
					} else if how % 13 == 12 {
						results.push((key, Err(JobFault::InputLost)));
					} else {
						*self.good_runs.entry(key).or_default() += 1;
						results.push((key, Ok(Bytes::from(key.encode()))));
					}
				}
				Event::RunDone {
					run,
					elapsed: Duration::from_millis(u64::from(how) * 10),
					results,
				}
			}
			Action::Record(outputs) if good => {
				let finished: Vec<Finished> = outputs
					.into_iter()
					.map(|(key, output)| Finished {
						key,
						output: BlobRef::of(&output),
						commitment: H256::from_low_u64_be(key.job),
					})
					.collect();
				self.journal
					.extend(finished.iter().map(|finished| (finished.key, finished.clone())));
				Event::Recorded(finished)
			}
			Action::Record(_) => Event::RecordFailed,
			ref action @ (Action::SubmitAttest { .. }
			| Action::SubmitFailure { .. }
			| Action::SubmitHeartbeat { .. }) => {
				let submission = match action {
					Action::SubmitAttest { items, .. } => {
						Submission::Attest(items.iter().map(|item| item.job).collect())
					}
					Action::SubmitFailure { job, .. } => Submission::Failure(*job),
					Action::SubmitHeartbeat { node, session, .. } => Submission::Heartbeat(*node, *session),
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
			| Action::ReleaseModel(_) => {
				unreachable!("not kept open")
			}
		};
		self.tell(event);
	}

	/// Good weather: everything is answered the good way, and every submission lands in the next block.
	fn drain(&mut self) {
		for deadline in self.assigned.values_mut() {
			*deadline = self.number + 400;
		}
		for _ in 0..200 {
			self.include(usize::MAX);
			if self.assigned.is_empty() {
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
		world.good_runs = world.journal.keys().map(|key| (*key, 1)).collect();
		world.tell(Event::JournalRestored(world.journal.values().cloned().collect()));
		world.drain();
		prop_assert!(world.assigned.is_empty(), "never ended: {:?}", world.assigned);
	}
}
