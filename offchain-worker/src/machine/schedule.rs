//! Turns the machine's state into the next actions.

use super::{audits::Stage, *};
use crate::engine::{TimeLimit, TIME_MARGIN};
use highway_math::deadline;
use highway_primitives::{
	audit::{work_seed, SketchSeed},
	model::Unit,
	work_tag,
	worker::MaxAttestations,
	AttestItem, BlobRef, BLOCK_SECONDS,
};
use sp_core::Get;

/// A block's time in microseconds.
const BLOCK_MICROS: u64 = BLOCK_SECONDS as u64 * 1_000_000;

/// Slots that no slow model takes from a node: which models its jobs will be of is not known, and one slow job must not
/// keep it from all the quick ones.
const MIN_SLOTS: u64 = 4;

/// The least time limit of a run: small models are dominated by what surrounds them.
const MIN_TIME_LIMIT: Duration = Duration::from_millis(250);

/// How many times as long as its failed runs took a model rests.
const REST_FACTOR: u64 = 4;

/// The longest rest, in blocks.
const MAX_REST: BlockNumber = 300;

/// Blocks of a job's deadline in which its input comes and its attestation goes.
const BLOCKS_ON_THE_WAY: BlockNumber = 2;

/// A job or an audit that may run now.
struct Ready {
	/// When its result should be there.
	due: BlockNumber,
	task: Task,
	model: ModelKey,
	/// The input, or the bundle of all inputs.
	input: BlobRef,
	inputs: u16,
	/// The one of them that is run; `None`: all.
	index: Option<u16>,
	/// Of what is run.
	units: u32,
	/// What that may take on the slowest admitted device.
	registered_micros: u64,
	/// What one of its inputs may take there, at most.
	most_micros: u64,
	/// It runs alone if a run of it failed, so that it cannot fail others again, and if it has many inputs: they have the time
	/// and the memory of one job, and share runs among themselves.
	alone: bool,
	seeds: Vec<SketchSeed>,
}

impl Ready {
	/// How many inputs are run.
	fn runs(&self) -> usize {
		match self.index {
			Some(_) => 1,
			None => self.inputs.into(),
		}
	}
}

impl Machine {
	pub(super) fn advance(&mut self, actions: &mut Vec<Action>) {
		// Outputs and ballots are saved at any time: they cannot be had again.
		self.record(actions);
		self.seal(actions);
		if !self.active {
			return;
		}
		self.check_engine(actions);
		self.fail_refused(actions);
		self.abstain_where_refused(actions);
		self.fetch_models(actions);
		self.load_model(actions);
		self.fetch_inputs(actions);
		self.start_run(actions);
		self.look_at_outputs(actions);
		self.store_probe(actions);
		// What was settled on in this call.
		self.seal(actions);
		self.attest(actions);
		self.report_failures(actions);
		self.speak_in_audits(actions);
		self.speak_of_probe(actions);
		self.fetch_artefacts(actions);
		self.show_chunks(actions);
		self.bid(actions);
		self.send_heartbeat(actions);
	}

	fn record(&mut self, actions: &mut Vec<Action>) {
		if self.recording || self.unrecorded.is_empty() || (self.record_failed && self.block < self.record_at) {
			return;
		}
		self.recording = true;
		actions.push(Action::Record(
			self.unrecorded
				.iter()
				.map(|(key, (output, sketches))| (*key, output.clone(), sketches.clone()))
				.collect(),
		));
	}

	fn check_engine(&mut self, actions: &mut Vec<Action>) {
		if !self.engine.asking && self.block >= self.engine.ask_at {
			self.engine.asking = true;
			actions.push(Action::CheckEngine);
		}
	}

	fn fail_refused(&mut self, actions: &mut Vec<Action>) {
		for job in self.jobs.values_mut() {
			let refused = self
				.models
				.get(&job.model)
				.is_some_and(|model| matches!(model.state, ModelState::Refused(_)));
			if refused && matches!(job.state, JobState::Waiting(_) | JobState::Fetching | JobState::Ready) {
				job.fail(FailureClass::ModelRefused, actions);
			}
		}
	}

	/// Model versions by the earliest deadline of what wants to run on them; hosted ones without such last.
	fn models_by_urgency(&self) -> Vec<ModelKey> {
		let mut deadlines: BTreeMap<ModelKey, BlockNumber> = self
			.models
			.iter()
			.filter(|(_, model)| model.hosted)
			.map(|(key, _)| (*key, BlockNumber::MAX))
			.collect();
		for job in self.jobs.values().filter(|job| job.wants_run()) {
			let deadline = deadlines.entry(job.model).or_insert(BlockNumber::MAX);
			*deadline = job.item.deadline.min(*deadline);
		}
		for audit in self.audits.values() {
			if let Some(judge) = audit.judge().filter(|judge| judge.wants_run()) {
				let deadline = deadlines.entry(judge.model).or_insert(BlockNumber::MAX);
				*deadline = audit.due(self.config.audit_margin).min(*deadline);
			}
		}
		let mut models: Vec<_> = deadlines.into_iter().map(|(key, deadline)| (deadline, key)).collect();
		models.sort_unstable();
		models.into_iter().map(|(_, key)| key).collect()
	}

	fn fetch_models(&mut self, actions: &mut Vec<Action>) {
		let fetching = self
			.models
			.values()
			.filter(|model| model.state == ModelState::Fetching)
			.count();
		let mut free = self.config.max_model_fetches.saturating_sub(fetching);
		for key in self.models_by_urgency() {
			if free == 0 {
				break;
			}
			let Some(model) = self.models.get_mut(&key) else {
				continue;
			};
			if matches!(model.state, ModelState::Absent(at) if at <= self.block) {
				free -= 1;
				model.state = ModelState::Fetching;
				actions.push(Action::FetchModel {
					model: key,
					artifact: model.spec.artifact,
					providers: model.providers.clone(),
				});
			}
		}
	}

	/// Loads one model at a time: two that do not fit beside each other would push each other out.
	fn load_model(&mut self, actions: &mut Vec<Action>) {
		if !self.engine_up() || self.models.values().any(|model| model.state == ModelState::Loading) {
			return;
		}
		let judged = self.audits.values().filter_map(Audit::judge);
		let wanted: BTreeSet<ModelKey> = self
			.jobs
			.values()
			.filter(|job| job.state == JobState::Ready)
			.map(|job| job.model)
			.chain(
				judged
					.filter(|judge| matches!(judge.stage, Stage::Ready))
					.map(|judge| judge.model),
			)
			.collect();
		for key in self.models_by_urgency() {
			let Some(model) = self.models.get_mut(&key) else {
				continue;
			};
			let due = matches!(model.state, ModelState::OnDisk(at) if at <= self.block);
			if due && (!model.was_loaded || wanted.contains(&key)) {
				model.state = ModelState::Loading;
				actions.push(Action::LoadModel {
					model: key,
					spec: Box::new(model.spec.clone()),
				});
				return;
			}
		}
	}

	fn fetch_inputs(&mut self, actions: &mut Vec<Action>) {
		let stages = || self.audits.values().filter_map(|audit| Some((audit, audit.judge()?)));
		let fetching = self.jobs.values().filter(|job| job.state == JobState::Fetching).count()
			+ stages()
				.filter(|(_, judge)| matches!(judge.stage, Stage::Fetching))
				.count();
		let free = self.config.max_input_fetches.saturating_sub(fetching);
		if free == 0 {
			return;
		}
		let block = self.block;
		let jobs = self
			.jobs
			.values()
			.filter(|job| matches!(job.state, JobState::Waiting(at) if at <= block) && job.item.deadline > block)
			.map(|job| {
				(
					job.item.deadline,
					Task::Job(job.key),
					job.item.input,
					&job.item.providers,
				)
			});
		let audits = stages()
			.filter(|(audit, judge)| {
				matches!(judge.stage, Stage::Waiting(at) if at <= block) && audit.item.until > block
			})
			.map(|(audit, judge)| {
				let due = audit.due(self.config.audit_margin);
				(due, Task::Audit(judge.key), audit.item.input, &audit.item.providers)
			});
		let mut waiting: Vec<_> = jobs.chain(audits).collect();
		waiting.sort_by_key(|(due, task, ..)| (*due, task.job()));
		let fetches: Vec<Action> = waiting
			.into_iter()
			.take(free)
			.map(|(_, task, input, providers)| Action::FetchInput {
				task,
				input,
				providers: providers.clone(),
			})
			.collect();
		for fetch in &fetches {
			match fetch {
				Action::FetchInput {
					task: Task::Job(key), ..
				} => {
					if let Some(job) = self.jobs.get_mut(&key.job) {
						job.state = JobState::Fetching;
					}
				}
				Action::FetchInput {
					task: Task::Audit(key), ..
				} => self.start_audit_fetch(key),
				_ => {}
			}
		}
		actions.extend(fetches);
	}

	/// What may run now, the most urgent first.
	fn ready(&self) -> Vec<Ready> {
		let loaded = |model: &ModelKey| {
			self.models
				.get(model)
				.is_some_and(|model| model.state == ModelState::Loaded && model.rests_until <= self.block)
		};
		let jobs = self
			.jobs
			.values()
			.filter(|job| job.state == JobState::Ready && loaded(&job.model))
			.map(|job| Ready {
				due: job.item.deadline,
				task: Task::Job(job.key),
				model: job.model,
				input: job.item.input,
				inputs: job.item.inputs,
				index: None,
				units: job.item.units,
				registered_micros: registered_micros(job.item.units, &job.item.spec),
				most_micros: most_micros(job.item.units, job.item.inputs, &job.item.spec),
				alone: job.failed_runs > 0 || job.item.inputs > 1,
				seeds: vec![work_seed(&job.key.work)],
			});
		let room = self.held_bytes() < self.config.max_held_bytes;
		let audits = self
			.audits
			.values()
			.filter_map(|audit| Some((audit, audit.judge()?)))
			.filter(|(_, judge)| room && matches!(judge.stage, Stage::Ready) && loaded(&judge.model))
			.map(|(audit, judge)| {
				let AuditItem {
					input,
					inputs,
					units,
					spec,
					..
				} = &audit.item;
				let own = share(*units, *inputs);
				Ready {
					due: audit.due(self.config.audit_margin),
					task: Task::Audit(judge.key),
					model: judge.model,
					input: *input,
					inputs: *inputs,
					index: Some(judge.key.index),
					units: own,
					registered_micros: registered_micros(own, spec),
					most_micros: most_micros(*units, *inputs, spec),
					alone: judge.failed_runs > 0,
					seeds: judge.seeds(),
				}
			});
		let mut ready: Vec<Ready> = jobs.chain(audits).filter(|item| self.makes_deadline(item, 0)).collect();
		ready.sort_by_key(|item| (item.due, item.task.job()));
		ready
	}

	fn start_run(&mut self, actions: &mut Vec<Action>) {
		if self.running.is_some() || self.record_failed || !self.engine_up() {
			return;
		}
		// Jobs go before a probe, but if they always did, a busy node would look like one that cannot compute.
		if self.probes_turn && self.start_probe(actions) {
			return;
		}
		let ready = self.ready();
		let Some(first) = ready.first() else {
			self.start_probe(actions);
			return;
		};

		let model = first.model;
		let mut batch: Vec<&Ready> = vec![first];
		let mut bytes = first.input.size;
		let mut micros = self.expected_micros(first);
		if !first.alone {
			for item in ready.iter().skip(1).filter(|item| item.model == model && !item.alone) {
				if batch.len() >= self.config.max_batch {
					break;
				}
				let fits = bytes.saturating_add(item.input.size) <= self.config.max_batch_bytes;
				let more = self.expected_or_registered_micros(item);
				// Results come together, so the first one must be able to wait for all.
				if fits
					&& self.makes_deadline(
						first,
						micros.saturating_add(more).saturating_sub(self.expected_micros(first)),
					) {
					bytes = bytes.saturating_add(item.input.size);
					micros = micros.saturating_add(more);
					batch.push(item);
				}
			}
		}

		let id = self.next_run;
		let items: Vec<RunItem> = batch
			.iter()
			.map(|item| RunItem {
				task: item.task,
				input: item.input,
				inputs: item.inputs,
				index: item.index,
				seeds: item.seeds.clone(),
			})
			.collect();
		let units = batch.iter().map(|item| u64::from(item.units)).sum();
		let many = first.runs() > 1;
		let time_limit = self.time_limit(first, &batch);
		self.next_run = id.wrapping_add(1);
		for RunItem { task, .. } in &items {
			match task {
				Task::Job(key) => {
					if let Some(job) = self.jobs.get_mut(&key.job) {
						job.state = JobState::Running;
					}
				}
				Task::Audit(key) => self.start_audit_run(key),
			}
		}
		self.probes_turn = true;
		self.running = Some(Run {
			id,
			model,
			tasks: items.iter().map(|item| item.task).collect(),
			units,
			many,
		});
		actions.push(Action::Run {
			run: id,
			model,
			items,
			time_limit,
		});
	}

	/// What a batch may take: one job four times its registered time, and so may each of its inputs; several together no more
	/// than was registered for all of them.
	fn time_limit(&self, first: &Ready, batch: &[&Ready]) -> TimeLimit {
		// Beyond the first deadline nobody waits for the results.
		let left = u64::from(first.due.saturating_sub(self.block)).saturating_mul(BLOCK_MICROS);
		let within = |micros: u64| Duration::from_micros(micros.saturating_mul(TIME_MARGIN.into()).min(left));
		let most = batch.iter().map(|item| item.most_micros).max().unwrap_or(0);
		let each = within(most).max(MIN_TIME_LIMIT);
		match batch {
			[one] => {
				let least = TimeLimit::alike(MIN_TIME_LIMIT, one.runs()).all;
				let all = within(one.registered_micros).max(least).max(each);
				TimeLimit { each, all }
			}
			_ => TimeLimit::alike(each, batch.len()),
		}
	}

	/// Lets a model rest whose runs failed, so that it cannot take more than a fifth of the device's time from the others.
	/// `lost` are the microseconds that it took for nothing.
	pub(super) fn rest(&mut self, key: ModelKey, lost: u64) {
		let block = self.block;
		if let Some(model) = self.models.get_mut(&key) {
			let debt = model.debt_micros.saturating_add(lost.saturating_mul(REST_FACTOR));
			model.debt_micros = debt % BLOCK_MICROS;
			let blocks = BlockNumber::try_from(debt / BLOCK_MICROS).unwrap_or(MAX_REST);
			model.rests_until = block.saturating_add(blocks.min(MAX_REST));
		}
	}

	/// Whether the result can still be in a block up to the deadline if the run starts now and takes `more` microseconds
	/// longer than the input alone.
	fn makes_deadline(&self, item: &Ready, more: u64) -> bool {
		let blocks = self.expected_micros(item).saturating_add(more) / BLOCK_MICROS;
		u64::from(self.block).saturating_add(blocks).saturating_add(1) <= u64::from(item.due)
	}

	/// What the input will take, by what earlier runs of its model took here. Before the first it is not known, and the
	/// registered time, a bound for the slowest device, says nothing: it is tried.
	fn expected_micros(&self, item: &Ready) -> u64 {
		let per_unit = self
			.models
			.get(&item.model)
			.and_then(|model| model.micros_per_unit)
			.unwrap_or(0);
		per_unit.saturating_mul(u64::from(item.units))
	}

	fn expected_or_registered_micros(&self, item: &Ready) -> u64 {
		match self.models.get(&item.model).and_then(|model| model.micros_per_unit) {
			Some(per_unit) => per_unit.saturating_mul(u64::from(item.units)),
			None => item.registered_micros,
		}
	}

	/// One extrinsic at a time: what is done while it is on its way goes into the next one.
	fn attest(&mut self, actions: &mut Vec<Action>) {
		let Some(node) = self.node.filter(|_| !self.attesting) else {
			return;
		};
		let most = <MaxAttestations as Get<u32>>::get() as usize;
		let block = self.block;
		// What was said before may still be in a pool, which then refuses the whole extrinsic: it must not take new work
		// with it.
		let again = !self
			.jobs
			.values()
			.any(|job| matches!(&job.state, JobState::Done(_, saying) if saying.is_due(block) && !saying.said));
		let mut items = Vec::new();
		for (id, job) in &mut self.jobs {
			if items.len() >= most {
				break;
			}
			if let JobState::Done(finished, saying) = &mut job.state {
				if saying.is_due(block) && saying.said == again {
					saying.at = None;
					items.push(AttestItem {
						job: *id,
						work: work_tag(&job.key.work),
						output: finished.output,
						commitment: finished.commitment,
					});
				}
			}
		}
		if !items.is_empty() {
			self.attesting = true;
			actions.push(Action::SubmitAttest { node, items, again });
		}
	}

	fn report_failures(&mut self, actions: &mut Vec<Action>) {
		let Some(node) = self.node else { return };
		for (id, job) in &mut self.jobs {
			if self.reporting.len() >= self.config.max_failure_reports {
				break;
			}
			if let JobState::Failed(class, saying) = &mut job.state {
				if saying.is_due(self.block) && self.reporting.insert(*id) {
					saying.at = None;
					actions.push(Action::SubmitFailure {
						node,
						job: *id,
						work: work_tag(&job.key.work),
						class: *class,
					});
				}
			}
		}
	}

	fn send_heartbeat(&mut self, actions: &mut Vec<Action>) {
		let (Some(node), Some(session)) = (self.node, self.heartbeat_due) else {
			return;
		};
		// The first word about a session must not be a guess.
		if self.engine.healthy.is_none() {
			return;
		}
		let healthy = self.is_healthy();
		let block = self.block;
		let same = self
			.heartbeat
			.take_if(|last| (last.node, last.session) == (node, session));
		let heartbeat = self.heartbeat.insert(same.unwrap_or(Heartbeat {
			node,
			session,
			saying: Saying::NOW,
		}));
		if heartbeat.saying.is_due(block) {
			heartbeat.saying.at = None;
			actions.push(Action::SubmitHeartbeat {
				node,
				session,
				healthy,
				slots: self.slots(),
			});
		}
	}

	/// Jobs that the node takes at the same time: as many as get done within the deadline if all are of the slowest model
	/// that it hosts, one unit each, and at most what is configured. A model that has not run yet counts with its registered
	/// time.
	fn slots(&self) -> u16 {
		let hosted = self
			.models
			.values()
			.filter(|model| model.hosted && !matches!(model.state, ModelState::Refused(_)));
		let within_deadline = hosted.map(|model| {
			let registered_ms = model.spec.unit_time_ms;
			let blocks = deadline::blocks(0, 1, registered_ms, BLOCK_SECONDS).saturating_sub(BLOCKS_ON_THE_WAY);
			let micros = model.micros_per_unit.unwrap_or(u64::from(registered_ms) * 1000);
			u64::from(blocks).saturating_mul(BLOCK_MICROS) / micros.max(1)
		});
		let most = within_deadline.min().unwrap_or(u64::MAX).max(MIN_SLOTS);
		self.config.slots.min(u16::try_from(most).unwrap_or(u16::MAX))
	}

	fn engine_up(&self) -> bool {
		self.engine.healthy == Some(true)
	}
}

impl Job {
	/// Whether its model should be fetched.
	fn wants_run(&self) -> bool {
		matches!(
			self.state,
			JobState::Waiting(_) | JobState::Fetching | JobState::Ready | JobState::Running
		)
	}
}

/// Units of one of a job's inputs, if all are alike.
pub(super) fn share(units: u32, inputs: u16) -> u32 {
	units.div_ceil(u32::from(inputs).max(1))
}

/// What one of a job's inputs may take on the slowest admitted device. How long the files of a bundle are nobody knows before
/// it is opened: where length counts, one may be nearly all of it.
fn most_micros(units: u32, inputs: u16, spec: &VersionSpec) -> u64 {
	let most = match spec.unit {
		Unit::Request => share(units, inputs),
		Unit::InputKib => units,
	};
	registered_micros(most, spec)
}

/// What so many units may take on the slowest admitted device.
fn registered_micros(units: u32, spec: &VersionSpec) -> u64 {
	u64::from(units)
		.saturating_mul(u64::from(spec.unit_time_ms))
		.saturating_mul(1000)
}
