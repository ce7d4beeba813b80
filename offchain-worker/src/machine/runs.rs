//! Inputs that arrive, and what becomes of runs.

use super::{schedule::share, *};

impl Machine {
	pub(super) fn input_arrived(&mut self, task: Task, result: Result<(), BlobError>) {
		let next_block = self.block.saturating_add(1);
		match task {
			Task::Job(key) => {
				if let Some(job) = self.jobs.get_mut(&key.job) {
					if job.key == key && job.state == JobState::Fetching {
						job.local_fault = result.as_ref().is_err_and(BlobError::is_local);
						job.state = if result.is_ok() {
							JobState::Ready
						} else {
							JobState::Waiting(next_block)
						};
					}
				}
			}
			Task::Audit(key) => self.audit_input_arrived(key, &result),
		}
		if let Err(error) = result {
			self.note_blob_error(&error);
		}
	}

	pub(super) fn not_loaded(&mut self, id: RunId) {
		let Some(run) = self.running.take_if(|run| run.id == id) else {
			return;
		};
		if let Some(model) = self
			.models
			.get_mut(&run.model)
			.filter(|model| model.state == ModelState::Loaded)
		{
			model.state = ModelState::OnDisk(0);
		}
		for task in run.tasks {
			match task {
				Task::Job(key) => {
					if let Some(job) = self.running_job(&key) {
						job.state = JobState::Ready;
					}
				}
				Task::Audit(key) => self.audit_not_run(&key),
			}
		}
	}

	pub(super) fn run_done(
		&mut self,
		id: RunId,
		elapsed: Duration,
		results: Vec<(Task, Result<RunOutput, JobFault>)>,
		actions: &mut Vec<Action>,
	) {
		let Some(run) = self.running.take_if(|run| run.id == id) else {
			return;
		};
		let mut results: BTreeMap<_, _> = results.into_iter().collect();
		let elapsed = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
		let (mut done, mut lost, mut other, mut units) = (0u64, 0u64, 0u64, run.units);
		for task in run.tasks {
			let unanswered = || Err(JobFault::Engine(EngineError::RunFailed("no result".into())));
			let result = match results.remove(&task).unwrap_or_else(unanswered) {
				// Others did not take the time: it had the run to itself, and would not be done the next time either.
				Err(JobFault::Engine(EngineError::NotRun)) if run.many => Err(JobFault::Engine(EngineError::TimedOut)),
				result => result,
			};
			match &result {
				Ok(_) => {
					self.engine.failures = 0;
					done += 1;
				}
				Err(JobFault::Engine(EngineError::NotRun)) => {
					units = units.saturating_sub(self.units_of(&task));
				}
				Err(JobFault::Engine(
					EngineError::RunFailed(_) | EngineError::TimedOut | EngineError::ChildDied(_),
				)) => lost += 1,
				Err(_) => other += 1,
			}
			match task {
				Task::Job(key) => self.job_run(&key, result),
				Task::Audit(key) => self.audit_run(key, result, actions),
			}
		}
		if lost > 0 {
			self.rest(run.model, elapsed / (done + lost + other) * lost);
		}
		let measured = done > 0 && lost + other == 0;
		if let (Some(model), true) = (self.models.get_mut(&run.model), measured) {
			let now = elapsed.div_ceil(units.max(1));
			model.micros_per_unit = Some(
				model
					.micros_per_unit
					.map_or(now, |before| (before / 4).saturating_mul(3).saturating_add(now / 4)),
			);
		}
	}

	fn job_run(&mut self, key: &WorkKey, result: Result<RunOutput, JobFault>) {
		let job = self.jobs.get(&key.job).filter(|job| job.key == *key);
		let inputs = job.map(|job| usize::from(job.item.inputs));
		let result = result.and_then(|RunOutput { file, sketches }| {
			// How many inputs a job had that is gone is not known any more.
			match inputs.map_or(!sketches.is_empty(), |inputs| sketches.len() == inputs) {
				true => Ok((file, sketches)),
				false => Err(JobFault::Engine(EngineError::RunFailed(
					"not a sketch of each input".into(),
				))),
			}
		});
		match result {
			Ok(output) => {
				// Kept even if the job is gone: a reorg may bring it back.
				self.unrecorded.insert(*key, output);
				if let Some(job) = self.running_job(key) {
					job.state = JobState::Recording;
				}
			}
			Err(fault) => self.job_failed(key, fault),
		}
	}

	fn job_failed(&mut self, key: &WorkKey, fault: JobFault) {
		let block = self.block;
		let Some(job) = self.running_job(key) else { return };
		match fault {
			JobFault::InputLost => job.state = JobState::Waiting(block.saturating_add(1)),
			JobFault::Engine(EngineError::NotRun) => job.state = JobState::Ready,
			JobFault::Engine(EngineError::Unavailable(_)) => {
				job.state = JobState::Ready;
				self.engine_down();
			}
			JobFault::Engine(EngineError::ModelRefused(_)) => {
				job.state = JobState::Ready;
				let model = job.model;
				self.refuse(model);
			}
			JobFault::Engine(EngineError::InputInvalid(_)) => {
				job.state = JobState::Failed(FailureClass::InputInvalid, Saying::NOW)
			}
			// The death of the child may be chance; when it follows the job, the job is the reason.
			JobFault::Engine(EngineError::RunFailed(_) | EngineError::TimedOut | EngineError::ChildDied(_)) => {
				job.failed_runs = job.failed_runs.saturating_add(1);
				job.state = if job.failed_runs >= MAX_FAILURES {
					JobState::Failed(FailureClass::RunFailed, Saying::NOW)
				} else {
					JobState::Ready
				};
			}
		}
	}

	/// Units of what runs; 0 if it is not wanted any more.
	fn units_of(&self, task: &Task) -> u64 {
		let units = match task {
			Task::Job(key) => self
				.jobs
				.get(&key.job)
				.filter(|job| job.key == *key)
				.map(|job| job.item.units),
			Task::Audit(key) => {
				let audit = self.audits.get(&key.work.job).filter(|audit| audit.key == key.work);
				audit.map(|audit| share(audit.item.units, audit.item.inputs))
			}
		};
		units.map_or(0, u64::from)
	}

	fn running_job(&mut self, key: &WorkKey) -> Option<&mut Job> {
		self.jobs
			.get_mut(&key.job)
			.filter(|job| job.key == *key && job.state == JobState::Running)
	}
}
