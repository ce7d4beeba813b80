//! Brings the machine in line with the chain's state.

use super::*;
use audits::Judge;
use highway_primitives::BlobHash;

impl Machine {
	pub(super) fn restore(&mut self, done: Vec<Finished>, lost: &BTreeSet<BlobHash>, ballots: Vec<SealedBallot>) {
		for finished in done {
			let known = self.known.entry(finished.key).or_insert(Known {
				done: Vec::new(),
				here: false,
				gone_since: None,
			});
			known.here = !lost.contains(&finished.output.hash);
			known.done.push(finished);
		}
		for sealed in ballots {
			let gone_since = None;
			self.ballots.insert(sealed.key, Cast { sealed, gone_since });
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
		let slots = work.as_ref().map_or(0, |work| work.slots);
		let (hosted, items, audits, probe, asks, challenges) = work
			.map(|work| {
				let WorkList {
					hosted,
					jobs,
					audits,
					probe,
					asks,
					challenges,
					..
				} = work;
				(hosted, jobs, audits, probe, asks, challenges)
			})
			.unwrap_or_default();

		self.reconcile_jobs(items, actions);
		self.reconcile_audits(audits, actions);
		self.reconcile_challenges(challenges, actions);
		self.reconcile_models(hosted, actions);
		self.reconcile_probe(probe, actions);
		self.reconcile_asks(asks, slots, finalized, actions);
		self.give_up_late_blobs(actions);
		self.give_up_late_audits(actions);
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
			let newest = self
				.known
				.get(&key)
				.filter(|known| known.here)
				.and_then(|known| known.done.last());
			let state = if let Some(finished) = newest {
				JobState::Done(finished.clone(), Saying::NOW)
			} else if self.unrecorded.contains_key(&key) {
				JobState::Recording
			} else if self
				.running
				.as_ref()
				.is_some_and(|run| run.tasks.contains(&Task::Job(key)))
			{
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
		let judging = |audit: &&Audit| audit.judge().is_some_and(Judge::wants_run);
		for audit in self.audits.values().filter(judging) {
			let AuditItem {
				model, version, spec, ..
			} = &audit.item;
			let key = ModelKey::of(*model, *version, spec);
			// The executor has run it, so it has the artefact.
			let providers = || {
				audit
					.item
					.providers
					.iter()
					.chain([&audit.item.executor])
					.cloned()
					.collect()
			};
			self.models.entry(key).or_insert_with(|| Model {
				providers: providers(),
				..Model::new(spec.clone())
			});
		}

		let block = self.block;
		let judged = self
			.audits
			.values()
			.filter_map(Audit::judge)
			.filter(|judge| judge.wants_run());
		let needed: BTreeSet<ModelKey> = self
			.jobs
			.values()
			.map(|job| job.model)
			.chain(judged.map(|judge| judge.model))
			.collect();
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
			self.release_artefact(model.spec.artifact, actions);
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

	/// Asks about work whose job left the list so long ago that no reorg brings it back: it may be attested and wait for
	/// its audit, or have ended.
	fn forget(&mut self, finalized: BlockNumber, actions: &mut Vec<Action>) {
		let (block, jobs, audits) = (self.block, &self.jobs, &self.audits);
		let listed = |key: &WorkKey| {
			jobs.get(&key.job).is_some_and(|job| job.key == *key)
				|| audits.get(&key.job).is_some_and(|audit| audit.key == *key)
		};
		let known = self.known.iter_mut().map(|(key, known)| (key, &mut known.gone_since));
		let cast = self
			.ballots
			.iter_mut()
			.map(|(key, cast)| (&key.work, &mut cast.gone_since));
		let mut questions = BTreeSet::new();
		for (key, gone_since) in known.chain(cast) {
			if listed(key) {
				*gone_since = None;
				continue;
			}
			let since = *gone_since.get_or_insert(block);
			if since.saturating_add(self.config.forget_after) <= finalized
				&& questions.len() < self.config.max_questions
			{
				questions.insert(key.job);
			}
		}
		if self.asked.is_none() && !questions.is_empty() {
			actions.push(Action::AskJobs(questions.iter().copied().collect()));
			self.asked = Some(questions);
		}
	}

	/// Forgets the work whose job has ended, and asks again later about the rest.
	pub(super) fn jobs_answered(&mut self, open: Option<BTreeSet<JobId>>, actions: &mut Vec<Action>) {
		let Some(asked) = self.asked.take() else { return };
		let Some(open) = open else { return };
		let block = self.block;
		let mut forgotten = BTreeSet::new();
		let mut ends = |key: &WorkKey, gone_since: &mut Option<BlockNumber>| {
			// What is listed again meanwhile has not ended.
			let ended = gone_since.is_some() && asked.contains(&key.job) && !open.contains(&key.job);
			if ended {
				forgotten.insert(*key);
			} else if gone_since.is_some() && asked.contains(&key.job) {
				*gone_since = Some(block);
			}
			ended
		};
		self.known.retain(|key, known| !ends(key, &mut known.gone_since));
		self.ballots.retain(|key, cast| !ends(&key.work, &mut cast.gone_since));
		if !forgotten.is_empty() {
			actions.push(Action::Forget(forgotten.into_iter().collect()));
		}
	}
}

impl Job {
	/// Gives the job up, before it ran.
	pub(super) fn fail(&mut self, class: FailureClass, actions: &mut Vec<Action>) {
		if self.state == JobState::Fetching {
			actions.push(Action::StopFetch(Transfer::Input(Task::Job(self.key))));
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
			here: false,
		}
	}
}
