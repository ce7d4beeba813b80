//! What becomes of what the machine asks for.

use super::*;
use codec::Encode;
use highway_primitives::{batch::sketch_root, probe::WIDTH, worker::commitment};

impl World {
	/// Answers an open action; `how` = 0 is always the good way.
	pub(super) fn answer(&mut self, index: usize, how: u8) {
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
				for (place, item) in items.into_iter().enumerate() {
					let RunItem {
						task,
						inputs,
						index,
						seeds,
						..
					} = item;
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
						let sketches = match index {
							Some(_) => vec![sketch(1); seeds.len()],
							None => (0..inputs).map(|input| sketch(1 + i64::from(input))).collect(),
						};
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
					.map(|(key, output, sketches)| {
						let (output, salt) = (BlobRef::of(&output), [key.job as u8; 32]);
						let commitment = commitment(&key.work, key.node, &output, &sketch_root(&sketches), &salt);
						Finished {
							key,
							output,
							sketches,
							salt,
							commitment,
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
			| Action::TellObstacle { .. }
			| Action::ForgetAsks(_) => unreachable!("there are no bids"),
		};
		self.tell(event);
	}
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
