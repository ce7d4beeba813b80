//! What the machine never asks for.

use super::*;
use highway_primitives::{audit::work_seed, probe::WIDTH, worker::commitment, Vote};

impl World {
	pub(super) fn check(&mut self, action: &Action) {
		let limit = &self.machine.config;
		match action {
			Action::Run { model, items, .. } => {
				assert!(self.running.is_empty() && !self.is_probing(), "two runs on one device");
				assert!(!items.is_empty() && items.len() <= limit.max_batch);
				for item in items {
					let RunItem {
						task,
						inputs,
						index,
						seeds,
						..
					} = item;
					assert_eq!(*inputs, inputs_of(task.job()));
					assert!(
						items.len() == 1 || index.is_some() || *inputs == 1,
						"a job of many shares its run"
					);
					match task {
						Task::Job(key) => {
							assert!(self.listed.contains(&key.job), "ran a job that is not listed");
							assert_eq!(model_key(model_of(key.job)), *model);
							assert!(
								!self.journal.contains_key(key),
								"ran a job whose output is in the journal"
							);
							assert_eq!((index, &seeds[..]), (&None, &[work_seed(&key.work)][..]));
						}
						Task::Audit(key) => {
							assert_eq!(model_key(1), *model);
							assert!(!self.ballots.contains_key(key), "ran a job that is judged");
							assert_eq!(seeds.last(), Some(&key.seed));
							assert_eq!(seeds[0], work_seed(&key.work.work));
							assert_eq!((*key, *index), (others_key(task.job()), Some(index_of(task.job()))));
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
			Action::Compare { key, inputs, ours, .. } => {
				assert!(self.fetched.contains(key), "compared with an output that is not here");
				assert_eq!((key, *inputs), (&others_key(key.work.job), inputs_of(key.work.job)));
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
					Vote::Missing => assert_eq!(key.seed, work_seed(&key.work.work), "a juror has the sketches"),
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
				assert_eq!(*seed, seed_of(*job));
				let sealed = self
					.ballots
					.get(&others_key(*job))
					.expect("committed to what is not in the journal");
				assert_eq!(sealed.commitment(), *commitment);
			}
			Action::SubmitReveal { job, ballot, salt, .. } => {
				let sealed = &self.ballots[&others_key(*job)];
				assert_eq!((sealed.ballot, sealed.salt), (*ballot, *salt));
			}
			Action::SubmitOpening {
				node,
				job,
				opening,
				salt,
			} => {
				let Finished {
					key,
					output,
					commitment: made,
					..
				} = &self.attested[job];
				let inputs = inputs_of(*job);
				assert!(opening.is_of(index_of(*job), inputs), "another input's sketch");
				assert_eq!(opening.sketch, sketch(1 + i64::from(index_of(*job))));
				assert_eq!(commitment(&key.work, *node, output, &opening.root, salt), *made);
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
}
