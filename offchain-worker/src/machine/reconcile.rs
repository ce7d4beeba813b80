//! Brings the machine in line with the chain's state.

use super::*;

impl Machine {
	pub(super) fn restore(&mut self, finished: Vec<Finished>) {
		for finished in finished {
			self.known.insert(
				finished.key,
				Known {
					finished,
					gone_since: None,
				},
			);
		}
	}

	pub(super) fn reconcile(
		&mut self,
		number: BlockNumber,
		finalized: BlockNumber,
		work: Option<WorkList>,
		actions: &mut Vec<Action>,
	) {
		self.active = true;
		self.block = number;
		self.node = work.as_ref().map(|work| work.node);
		self.other_device = work
			.as_ref()
			.is_some_and(|work| self.config.device.is_some_and(|device| device != work.device));
		self.heartbeat_due = work.as_ref().filter(|work| work.heartbeat_due).map(|work| work.session);
		let (hosted, items) = work.map(|work| (work.hosted, work.jobs)).unwrap_or_default();

		self.reconcile_jobs(items, actions);
		self.reconcile_models(hosted, actions);
		self.give_up_late_blobs(actions);
		self.forget(finalized, actions);
	}

	fn reconcile_jobs(&mut self, items: Vec<WorkItem>, actions: &mut Vec<Action>) {
		let Some(node) = self.node else {
			let gone: Vec<JobId> = self.jobs.keys().copied().collect();
			gone.into_iter().for_each(|job| self.drop_job(job, actions));
			return;
		};
		let listed: BTreeMap<JobId, WorkItem> = items.into_iter().map(|item| (item.job, item)).collect();
		let gone: Vec<JobId> = self
			.jobs
			.iter()
			.filter(|(id, job)| listed.get(id).is_none_or(|item| WorkKey::of(node, item) != job.key))
			.map(|(id, _)| *id)
			.collect();
		gone.into_iter().for_each(|job| self.drop_job(job, actions));

		for (id, item) in listed {
			if let Some(job) = self.jobs.get_mut(&id) {
				job.item = item;
				continue;
			}
			let key = WorkKey::of(node, &item);
			let state = if let Some(known) = self.known.get(&key) {
				JobState::Done(known.finished.clone(), Saying::NOW)
			} else if self.unrecorded.contains_key(&key) {
				JobState::Recording
			} else if self.running.as_ref().is_some_and(|run| run.keys.contains(&key)) {
				JobState::Running
			} else {
				JobState::Waiting(0)
			};
			self.jobs.insert(
				id,
				Job {
					model: ModelKey::of(item.model, item.version, &item.spec),
					item,
					key,
					state,
					failed_runs: 0,
					local_fault: false,
				},
			);
		}
	}

	fn drop_job(&mut self, id: JobId, actions: &mut Vec<Action>) {
		let Some(job) = self.jobs.remove(&id) else { return };
		let outcome = match job.state {
			JobState::Done(_, Saying { said: true, .. }) => Outcome::Attested,
			JobState::Failed(_, Saying { said: true, .. }) => Outcome::Failed,
			_ => Outcome::Abandoned,
		};
		actions.push(Action::DropJob { key: job.key, outcome });
	}

	fn reconcile_models(&mut self, hosted: Vec<HostedModel>, actions: &mut Vec<Action>) {
		self.models.values_mut().for_each(|model| model.hosted = false);
		for HostedModel {
			model,
			version,
			spec,
			providers,
		} in hosted
		{
			let key = ModelKey::of(model, version, &spec);
			let model = self.models.entry(key).or_insert_with(|| Model::new(spec));
			model.hosted = true;
			model.providers = providers;
		}
		for job in self.jobs.values() {
			self.models.entry(job.model).or_insert_with(|| Model {
				providers: job.item.providers.clone(),
				..Model::new(job.item.spec.clone())
			});
		}

		let block = self.block;
		let needed: BTreeSet<ModelKey> = self.jobs.values().map(|job| job.model).collect();
		// A refusal is remembered for its time, so that a model that comes and goes is not tried each time.
		let gone: Vec<ModelKey> = self
			.models
			.iter()
			.filter(|(key, model)| {
				let remembered = matches!(model.state, ModelState::Refused(until) if until > block);
				!model.hosted && !needed.contains(key) && !remembered
			})
			.map(|(key, _)| *key)
			.collect();
		for key in gone {
			let Some(model) = self.models.remove(&key) else {
				continue;
			};
			actions.push(Action::DropModel(key));
			let artifact = model.spec.artifact;
			if !self
				.models
				.values()
				.any(|other| other.spec.artifact.hash == artifact.hash)
			{
				actions.push(Action::ReleaseModel(artifact));
			}
		}
		for model in self.models.values_mut() {
			if matches!(model.state, ModelState::Refused(until) if until <= block) {
				model.state = ModelState::Absent(block);
			}
		}
	}

	/// Turns jobs into failures whose input or model is not here shortly before the deadline: to say so costs the node
	/// less than silence. What is not here because of this node's own disk is not said: it would be untrue.
	fn give_up_late_blobs(&mut self, actions: &mut Vec<Action>) {
		for job in self.jobs.values_mut() {
			if job.item.deadline.saturating_sub(self.block) > self.config.give_up_before {
				continue;
			}
			let model = self.models.get(&job.model);
			match job.state {
				// Not before it was looked for: what waits for a place to be fetched may well be there.
				JobState::Waiting(1..) | JobState::Fetching if !job.local_fault => {
					job.fail(FailureClass::InputMissing, actions);
				}
				JobState::Ready
					if model.is_some_and(|model| {
						matches!(model.state, ModelState::Absent(_) | ModelState::Fetching) && !model.local_fault
					}) =>
				{
					job.fail(FailureClass::ModelMissing, actions);
				}
				_ => {}
			}
		}
	}

	/// Forgets outputs of jobs that are gone for good: the block without them is so deep that no reorg undoes it.
	fn forget(&mut self, finalized: BlockNumber, actions: &mut Vec<Action>) {
		let block = self.block;
		let mut forgotten = Vec::new();
		for (key, known) in &mut self.known {
			if self.jobs.get(&key.job).is_some_and(|job| job.key == *key) {
				known.gone_since = None;
				continue;
			}
			let gone_since = *known.gone_since.get_or_insert(block);
			if gone_since.saturating_add(self.config.forget_after) <= finalized {
				forgotten.push(*key);
			}
		}
		for key in &forgotten {
			self.known.remove(key);
		}
		if !forgotten.is_empty() {
			actions.push(Action::Forget(forgotten));
		}
	}
}

impl Job {
	/// Gives the job up, before it ran.
	pub(super) fn fail(&mut self, class: FailureClass, actions: &mut Vec<Action>) {
		if self.state == JobState::Fetching {
			actions.push(Action::StopFetch(self.key));
		}
		self.state = JobState::Failed(class, Saying::NOW);
	}
}

impl Model {
	fn new(spec: VersionSpec) -> Self {
		Self {
			spec,
			providers: Vec::new(),
			hosted: false,
			state: ModelState::Absent(0),
			failed_loads: 0,
			was_loaded: false,
			micros_per_unit: None,
			rests_until: 0,
			debt_micros: 0,
			local_fault: false,
		}
	}
}
