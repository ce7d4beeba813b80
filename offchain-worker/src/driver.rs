//! The only async loop: carries events to the [`Machine`] and its actions to the ports.
//!
//! Everything that takes time happens in a task of its own, whose answer comes back through a channel as one event. A
//! task that panics answers too, so that the machine never waits for ever.

mod bidding;
mod observation;
mod runs;
mod shared_journal;
mod storage;

use crate::{
	engine::{EngineError, LoadRequest, ModelKey},
	error::{BlobError, ChainError, JournalError, SubmitError, WorkerError},
	journal::{Entry, Journal},
	judge::{self, Finding},
	machine::{
		Action, AskFigures, AuditStep, BallotKey, Event, LoadFault, Machine, MachineConfig, ProbeStep, SealedBallot,
		Submission, Task, Transfer, WorkKey,
	},
	metrics::Metrics,
	ports::{BlobStore, BlockStream, BlockTick, Keep, Ports},
	precheck, LOG_TARGET,
};
use bytes::Bytes;
use futures::FutureExt;
use highway_primitives::{model::VersionSpec, worker::ChunkProof, Ballot, BlobRef, DeviceClass, Sketch, WorkerAction};
use rand::{rngs::OsRng, RngCore};
use shared_journal::SharedJournal;
use sp_core::H256;
use std::{collections::HashMap, future::Future, panic::AssertUnwindSafe, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
	sync::{mpsc, watch},
	task::{AbortHandle, JoinSet},
};

/// How long inputs and outputs are kept after they were fetched or made: a day after the job's end, and two hours for
/// the job itself.
pub const DEFAULT_KEEP: Duration = Duration::from_secs(26 * 3600);

/// How long the rows of a probe are kept: ten times as long as a round lasts.
const KEEP_PROBE: Duration = Duration::from_secs(600);

/// How the worker works.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
	/// Limits and intervals.
	pub machine: MachineConfig,
	/// The journal's file, in the base path of the node's chain.
	pub journal: PathBuf,
	/// Hash of the chain's genesis block.
	pub genesis: H256,
	/// How long inputs and outputs are kept; see [`DEFAULT_KEEP`].
	pub keep: Duration,
	/// The most bytes of a model's file: a larger one is refused before it is fetched.
	pub max_artifact: u64,
}

impl WorkerConfig {
	/// The defaults, with the journal in this file.
	pub fn new(journal: PathBuf, genesis: H256) -> Self {
		Self {
			machine: MachineConfig::default(),
			journal,
			genesis,
			keep: DEFAULT_KEEP,
			max_artifact: precheck::Limits::default().max_bytes,
		}
	}
}

/// Works until the stream of blocks ends. Needs a tokio runtime. Fails only at the start, when the journal cannot be
/// opened; later trouble is logged, counted and tried again.
pub async fn run(ports: Ports, config: WorkerConfig, metrics: Metrics) -> Result<(), WorkerError> {
	let Ports {
		blocks,
		chain,
		submitter,
		blobs,
		clock,
		engine,
	} = ports;
	let (path, genesis) = (config.journal.clone(), config.genesis);
	let journal = match tokio::task::spawn_blocking(move || Journal::open(&path, genesis)).await {
		Ok(journal) => journal?,
		// Only the runtime's end cancels it.
		Err(_) => return Ok(()),
	};
	let outputs = journal.entries().map(|entry| entry.output.hash);
	let restored = Event::JournalRestored {
		done: journal.entries().map(Entry::finished).collect(),
		lost: outputs.filter(|hash| !blobs.has(*hash)).collect(),
		ballots: journal.ballots().cloned().collect(),
	};
	let asks = Event::AsksRestored(journal.asks().cloned().collect());

	let (events, mut answers) = mpsc::unbounded_channel();
	let device = engine.device();
	let machine = MachineConfig {
		device: Some(device),
		..config.machine
	};
	let mut driver = Driver {
		machine: Machine::new(machine),
		journal: SharedJournal::new(journal, metrics.clone()),
		chain,
		submitter,
		blobs,
		clock,
		engine,
		metrics,
		keep: config.keep,
		max_artifact: config.max_artifact,
		device,
		untrue_device: None,
		best: H256::zero(),
		finalized: H256::zero(),
		events,
		tasks: JoinSet::new(),
		writes: JoinSet::new(),
		transfers: HashMap::new(),
		model_fetches: HashMap::new(),
		asks: Vec::new(),
	};
	driver.handle(restored);
	driver.handle(asks);

	let mut pump = JoinSet::new();
	let (sender, mut ticks) = watch::channel(None);
	pump.spawn(pump_blocks(blocks, sender));
	loop {
		tokio::select! {
			tick = ticks.changed() => match tick {
				Ok(()) => {
					let tick = *ticks.borrow_and_update();
					if let Some(tick) = tick {
						driver.tick(tick).await;
					}
				},
				Err(_) => break,
			},
			Some(event) = answers.recv() => driver.handle(event),
			// Frees what finished tasks hold.
			Some(_) = driver.tasks.join_next(), if !driver.tasks.is_empty() => {},
			Some(_) = driver.writes.join_next(), if !driver.writes.is_empty() => {},
		}
	}
	driver.stop().await;
	Ok(())
}

/// Blocks may come faster than they are handled: only the latest counts.
async fn pump_blocks(mut blocks: Box<dyn BlockStream>, sender: watch::Sender<Option<BlockTick>>) {
	while let Some(tick) = blocks.next_block().await {
		if sender.send(Some(tick)).is_err() {
			break;
		}
	}
}

struct Driver {
	machine: Machine,
	journal: SharedJournal,
	chain: Arc<dyn crate::ports::ChainReader>,
	submitter: Arc<dyn crate::ports::Submitter>,
	blobs: Arc<dyn BlobStore>,
	clock: Arc<dyn crate::ports::Clock>,
	engine: Arc<dyn crate::engine::Engine>,
	metrics: Metrics,
	keep: Duration,
	max_artifact: u64,
	/// What inference runs on.
	device: DeviceClass,
	/// The device on chain and the session in which the operator was last told that it is untrue.
	untrue_device: Option<(DeviceClass, u32)>,
	/// The block whose runtime builds what is submitted.
	best: H256,
	/// The last finalized block.
	finalized: H256,
	events: mpsc::UnboundedSender<Event>,
	/// May be broken off at any time.
	tasks: JoinSet<()>,
	/// Write to the journal: finished before the worker ends.
	writes: JoinSet<()>,
	transfers: HashMap<Transfer, AbortHandle>,
	model_fetches: HashMap<ModelKey, AbortHandle>,
	/// Asks as the metrics show them.
	asks: Vec<AskFigures>,
}

impl Driver {
	async fn tick(&mut self, tick: BlockTick) {
		if tick.syncing {
			return self.handle(Event::Syncing);
		}
		(self.best, self.finalized) = (tick.hash, tick.finalized_hash);
		let read = AssertUnwindSafe(self.chain.work_for(tick.hash)).catch_unwind().await;
		let read = read.unwrap_or_else(|_| Err(ChainError::RuntimeApi("the call panicked".into())));
		match read {
			Ok(work) => {
				self.compare_device(work.as_ref());
				self.pin_hosted(work.as_ref());
				self.handle(Event::Block {
					number: tick.number,
					finalized: tick.finalized,
					work,
				});
				self.show_asks();
			}
			Err(error) => {
				self.metrics.chain_error();
				log::warn!(target: LOG_TARGET, "the work of block {} cannot be read: {error}", tick.number);
			}
		}
	}

	fn handle(&mut self, event: Event) {
		self.observe(&event);
		for action in self.machine.handle(event) {
			self.start(action);
		}
		self.metrics.state(self.machine.stats(), self.machine.is_healthy());
	}

	fn start(&mut self, action: Action) {
		match action {
			Action::CheckEngine => {
				let engine = self.engine.clone();
				self.spawn(Event::EngineHealth(false), async move {
					Event::EngineHealth(engine.health().await)
				});
			}
			Action::FetchModel {
				model,
				artifact,
				providers,
			} => {
				if artifact.size > self.max_artifact {
					let (size, most) = (artifact.size, self.max_artifact);
					return self.answer(Event::ModelFetchFailed(model, BlobError::TooLarge { size, most }));
				}
				let blobs = self.blobs.clone();
				// Here and not in the task: there it could come after the model was released.
				blobs.pin(artifact.hash);
				let handle = self.spawn(Event::ModelFetchFailed(model, panicked_blob()), async move {
					match blobs.fetch(artifact, &providers, Keep::Cache).await {
						Ok(()) => Event::ModelFetched(model),
						Err(error) => Event::ModelFetchFailed(model, error),
					}
				});
				self.model_fetches.insert(model, handle);
			}
			Action::LoadModel { model, spec } => {
				let (blobs, engine) = (self.blobs.clone(), self.engine.clone());
				self.spawn(
					Event::ModelFailed(model, LoadFault::Engine(panicked_engine())),
					async move {
						let artifact = spec.artifact;
						let file = match blobs.open(artifact.hash).await {
							Ok(file) => file,
							Err(error) => return Event::ModelFailed(model, LoadFault::Blob(error)),
						};
						let request = LoadRequest {
							model,
							artifact,
							file,
							spec: *spec,
						};
						match engine.load(request).await {
							Ok(()) => Event::ModelReady(model),
							Err(error) => Event::ModelFailed(model, LoadFault::Engine(error)),
						}
					},
				);
			}
			Action::DropModel(model) => {
				if let Some(fetch) = self.model_fetches.remove(&model) {
					fetch.abort();
				}
				self.engine.unload(&model);
			}
			Action::ReleaseModel(artifact) => self.blobs.unpin(artifact.hash),
			Action::KeepArtefact(artefact) => self.blobs.pin(artefact.hash),
			Action::FetchArtefact {
				key,
				artefact,
				providers,
			} => self.fetch_artefact(key, artefact, providers),
			Action::SubmitStorageProof { key, artefact } => self.show_chunk(key, artefact),
			Action::EndChallenge { key, outcome } => self.challenge_ended(key, outcome),
			Action::FetchInput { task, input, providers } => {
				let blobs = self.blobs.clone();
				let keep = self.keep_until();
				let handle = self.spawn(Event::InputFailed(task, panicked_blob()), async move {
					match blobs.fetch(input, &providers, keep).await {
						Ok(()) => Event::InputReady(task),
						Err(error) => Event::InputFailed(task, error),
					}
				});
				self.transfers.insert(Transfer::Input(task), handle);
			}
			Action::Run {
				run,
				model,
				items,
				time_limit,
			} => self.start_run(run, model, items, time_limit),
			Action::Record(outputs) => self.start_record(outputs),
			Action::FetchOutput { key, output, executor } => {
				let blobs = self.blobs.clone();
				let handle = self.spawn(Event::OutputFailed(key, panicked_blob()), async move {
					// Nobody else is served by this node, so it need not stay.
					match blobs.fetch(output, &[executor], Keep::Cache).await {
						Ok(()) => Event::OutputReady(key),
						Err(error) => Event::OutputFailed(key, error),
					}
				});
				self.transfers.insert(Transfer::Output(key), handle);
			}
			Action::Compare {
				key,
				spec,
				inputs,
				ours,
				theirs,
			} => {
				let blobs = self.blobs.clone();
				self.spawn(Event::Compared(key, Err(panicked_blob())), async move {
					Event::Compared(key, compare(blobs, spec, ours, theirs, key.index, inputs).await)
				});
			}
			Action::RecordBallot { key, ballot } => self.start_record_ballot(key, ballot),
			Action::SubmitOpening {
				node,
				job,
				opening,
				salt,
			} => {
				let action = WorkerAction::OpenCommitment {
					node,
					job,
					opening,
					salt,
				};
				self.submit(action, Submission::Audit(job, AuditStep::Open));
			}
			Action::SubmitCommitment {
				node,
				job,
				seed,
				commitment,
			} => {
				let action = WorkerAction::CommitBallot {
					node,
					job,
					seed,
					commitment,
				};
				self.submit(action, Submission::Audit(job, AuditStep::Commit));
			}
			Action::SubmitReveal {
				node,
				job,
				ballot,
				salt,
			} => {
				let action = WorkerAction::RevealBallot {
					node,
					job,
					ballot,
					salt,
				};
				self.submit(action, Submission::Audit(job, AuditStep::Reveal));
			}
			Action::SubmitProof {
				node,
				job,
				output,
				chunk,
			} => {
				let action = move |proof| WorkerAction::ProveChunk { node, job, proof };
				self.submit_proof(Submission::Audit(job, AuditStep::Prove), output, chunk, action);
			}
			Action::RunProbe { run, node, seed, rows } => self.start_probe(run, node, seed, rows),
			Action::StoreProbe { seed, rows } => {
				let (blobs, keep) = (self.blobs.clone(), self.keep_for(KEEP_PROBE));
				let panicked = Event::ProbeStored {
					seed,
					result: Err(panicked_blob()),
				};
				self.spawn(panicked, async move {
					Event::ProbeStored {
						seed,
						result: blobs.put(rows, keep).await,
					}
				});
			}
			Action::SubmitProbeAnswer {
				node,
				round,
				seed,
				output,
			} => {
				let action = WorkerAction::AnswerProbe {
					node,
					round,
					seed,
					output,
				};
				self.submit(action, Submission::Probe(round, ProbeStep::Answer));
			}
			Action::SubmitProbeProof {
				node,
				round,
				output,
				chunk,
			} => {
				let action = move |proof| WorkerAction::ProveProbe { node, round, proof };
				self.submit_proof(Submission::Probe(round, ProbeStep::Prove), output, chunk, action);
			}
			Action::EndProbe { round, proved } => {
				self.metrics.probe_ended(proved);
				if !proved {
					log::warn!(
						target: LOG_TARGET,
						"round {round} of probes ends without a proof: the node may sell half as much, and after a second \
						 such round nothing until it proves again"
					);
				}
			}
			Action::NameModels(names) => self.name_models(names),
			Action::SealAsks(asks) => self.start_seal_asks(asks),
			Action::SubmitAskCommitments { node, epoch, items } => self.commit_asks(node, epoch, items),
			Action::SubmitAskReveals { node, epoch, items } => self.reveal_asks(node, epoch, items),
			Action::CountBid { key, price, outcome } => self.count_bid(key, price, outcome),
			Action::TellObstacle { key, obstacle } => self.tell_obstacle(key, obstacle),
			Action::ForgetAsks(keys) => self.forget_asks(keys),
			Action::Unanswerable { key, step } => {
				self.metrics.unanswerable(step);
				log::error!(
					target: LOG_TARGET,
					"the audit of job {} asks for {}, and the journal does not hold it: was it deleted, or does another \
					 node run with the same worker key?",
					key.job,
					step.name()
				);
			}
			Action::AskJobs(jobs) => {
				let (chain, at) = (self.chain.clone(), self.finalized);
				self.spawn(Event::OpenJobs(None), async move {
					match chain.open_jobs(at, jobs).await {
						Ok(open) => Event::OpenJobs(Some(open.into_iter().collect())),
						Err(error) => {
							log::debug!(target: LOG_TARGET, "which jobs are open cannot be read: {error}");
							Event::OpenJobs(None)
						}
					}
				});
			}
			Action::SubmitAttest { node, items, again } => {
				self.metrics.attested(items.len(), again);
				let submission = Submission::Attest(items.iter().map(|item| item.job).collect());
				match items.try_into() {
					Ok(items) => self.submit(WorkerAction::Attest { node, items }, submission),
					Err(_) => self.answer(Event::SubmitFailed(submission)),
				}
			}
			Action::SubmitFailure { node, job, work, class } => {
				log::info!(target: LOG_TARGET, "job {job} is reported as impossible: {class:?}");
				self.submit(
					WorkerAction::ReportFailure { node, job, work, class },
					Submission::Failure(job),
				);
			}
			Action::SubmitHeartbeat {
				node,
				session,
				healthy,
				slots,
			} => {
				let action = WorkerAction::Heartbeat {
					node,
					session,
					healthy,
					slots,
				};
				self.submit(action, Submission::Heartbeat(node, session));
			}
			Action::DropJob { key, outcome } => {
				self.metrics.job_left(outcome);
				self.stop_transfer(Transfer::Input(Task::Job(key)));
			}
			Action::StopFetch(transfer) => self.stop_transfer(transfer),
			Action::Forget(keys) => {
				let journal = self.journal.clone();
				self.writes.spawn_blocking(move || {
					// What is not struck now comes back at the next start, and is struck then.
					if let Err(error) = journal.with(|journal| journal.forget(&keys)) {
						log::warn!(target: LOG_TARGET, "{error}");
					}
				});
			}
		}
	}

	fn start_record(&mut self, outputs: Vec<(WorkKey, Bytes, Vec<Sketch>)>) {
		let (blobs, journal) = (self.blobs.clone(), self.journal.clone());
		let keep = self.keep_until();
		self.write(Event::RecordFailed, async move {
			record(blobs, journal, outputs, keep).await.map_err(|error| {
				log::error!(target: LOG_TARGET, "outputs cannot be saved, so no new runs until they are: {error}");
				Event::RecordFailed
			})
		});
	}

	fn start_record_ballot(&mut self, key: BallotKey, ballot: Ballot) {
		let journal = self.journal.clone();
		self.write(Event::BallotRecordFailed(key), async move {
			seal(journal, key, ballot).await.map_err(|error| {
				log::error!(target: LOG_TARGET, "the ballot on job {} cannot be saved: {error}", key.work.job);
				Event::BallotRecordFailed(key)
			})
		});
	}

	/// Runs a task that writes to the journal; its event, or `if_failed`, is its answer.
	fn write(&mut self, if_failed: Event, task: impl Future<Output = Result<Event, Event>> + Send + 'static) {
		let events = self.events.clone();
		self.writes.spawn(async move {
			let event = match AssertUnwindSafe(task).catch_unwind().await {
				Ok(Ok(event) | Err(event)) => event,
				Err(_) => if_failed,
			};
			// Nobody listens any more: the worker ends, and the journal speaks at the next start.
			let _ = events.send(event);
		});
	}

	/// Shows a chunk of an own blob, as the word that `action` makes of it.
	fn submit_proof(
		&mut self,
		submission: Submission,
		output: BlobRef,
		chunk: u64,
		action: impl FnOnce(ChunkProof) -> WorkerAction + Send + 'static,
	) {
		let (blobs, submitter, at) = (self.blobs.clone(), self.submitter.clone(), self.best);
		self.spawn(Event::SubmitFailed(submission.clone()), async move {
			let proof = match blobs.prove_chunk(output, chunk).await {
				Ok(proof) => proof,
				Err(error) => {
					log::error!(target: LOG_TARGET, "{}: the output cannot be shown: {error}", submission.name());
					return Event::SubmitFailed(submission);
				}
			};
			submitted(submission, submitter.submit(at, action(proof)).await)
		});
	}

	fn submit(&mut self, action: WorkerAction, submission: Submission) {
		let (submitter, at) = (self.submitter.clone(), self.best);
		self.spawn(Event::SubmitFailed(submission.clone()), async move {
			submitted(submission, submitter.submit(at, action).await)
		});
	}

	/// Runs `task` beside the loop; its event, or `if_panicked`, is its answer.
	fn spawn(&mut self, if_panicked: Event, task: impl Future<Output = Event> + Send + 'static) -> AbortHandle {
		let events = self.events.clone();
		self.tasks.spawn(async move {
			let event = AssertUnwindSafe(task).catch_unwind().await.unwrap_or_else(|_| {
				log::error!(target: LOG_TARGET, "a task of the worker panicked: please report it");
				if_panicked
			});
			// Nobody listens any more: the worker ends.
			let _ = events.send(event);
		})
	}

	fn answer(&self, event: Event) {
		// The receiver lives as long as the loop, which is what calls this.
		let _ = self.events.send(event);
	}

	fn stop_transfer(&mut self, transfer: Transfer) {
		if let Some(fetch) = self.transfers.remove(&transfer) {
			fetch.abort();
		}
	}

	fn keep_until(&self) -> Keep {
		self.keep_for(self.keep)
	}

	fn keep_for(&self, time: Duration) -> Keep {
		let now = self.clock.now();
		Keep::Until(now.checked_add(time).unwrap_or(now))
	}

	async fn stop(mut self) {
		self.tasks.shutdown().await;
		while self.writes.join_next().await.is_some() {}
	}
}

fn submitted(submission: Submission, sent: Result<(), SubmitError>) -> Event {
	match sent {
		Ok(()) => Event::Submitted(submission),
		Err(error) => {
			log::warn!(target: LOG_TARGET, "{} is not submitted: {error}", submission.name());
			Event::SubmitFailed(submission)
		}
	}
}

/// Outputs first, then the journal: what the journal names is there.
async fn record(
	blobs: Arc<dyn BlobStore>,
	journal: SharedJournal,
	outputs: Vec<(WorkKey, Bytes, Vec<Sketch>)>,
	keep: Keep,
) -> Result<Event, RecordError> {
	let mut entries = Vec::with_capacity(outputs.len());
	for (key, output, sketches) in outputs {
		let output = blobs.put(output, keep).await?;
		let salt = random_salt()?;
		entries.push(Entry {
			key,
			output,
			sketches,
			salt,
		});
	}
	let write = move |journal: &mut Journal| -> Result<Event, RecordError> {
		// An output that was lost and is here again: its commitment may be on chain already, so it stays the same.
		let (again, new): (Vec<Entry>, Vec<Entry>) = entries
			.into_iter()
			.partition(|entry| journal.entry(&entry.key, &entry.output).is_some());
		let before = again
			.iter()
			.filter_map(|entry| journal.entry(&entry.key, &entry.output));
		let finished = before.chain(&new).map(Entry::finished).collect();
		if !new.is_empty() {
			journal.append(new)?;
		}
		Ok(Event::Recorded(finished))
	};
	tokio::task::spawn_blocking(move || journal.with(write))
		.await
		.map_err(|_| RecordError::Stopped)?
}

/// Writes a ballot to the journal, or finds the one that was cast before.
async fn seal(journal: SharedJournal, key: BallotKey, ballot: Ballot) -> Result<Event, RecordError> {
	let salt = random_salt()?;
	let write = move |journal: &mut Journal| -> Result<Event, RecordError> {
		if let Some(sealed) = journal.ballot(&key) {
			return Ok(Event::BallotRecorded(sealed.clone()));
		}
		let sealed = SealedBallot { key, ballot, salt };
		journal.append_ballot(sealed.clone())?;
		Ok(Event::BallotRecorded(sealed))
	};
	tokio::task::spawn_blocking(move || journal.with(write))
		.await
		.map_err(|_| RecordError::Stopped)?
}

/// Compares an output that another node attested with the own one, which is that of input `index` of `inputs`.
async fn compare(
	blobs: Arc<dyn BlobStore>,
	spec: Box<VersionSpec>,
	ours: Bytes,
	theirs: BlobRef,
	index: u16,
	inputs: u16,
) -> Result<Finding, BlobError> {
	let theirs = blobs.read(theirs).await?;
	let find = move || match inputs {
		0 | 1 => judge::finding(&spec, &ours, &theirs),
		_ => judge::finding_in_bundle(&spec, &ours, &theirs, index, inputs),
	};
	tokio::task::spawn_blocking(find)
		.await
		.map_err(|_| BlobError::Storage("the comparison was broken off".into()))
}

fn random_salt() -> Result<[u8; 32], rand::Error> {
	let mut salt = [0; 32];
	OsRng.try_fill_bytes(&mut salt)?;
	Ok(salt)
}

#[derive(Debug, thiserror::Error)]
enum RecordError {
	#[error(transparent)]
	Blob(#[from] BlobError),
	#[error(transparent)]
	Journal(#[from] JournalError),
	#[error("the system gives no random numbers: {0}")]
	Salt(#[from] rand::Error),
	#[error("the node stops")]
	Stopped,
}

fn panicked_blob() -> BlobError {
	BlobError::Storage("the transfer panicked".into())
}

fn panicked_engine() -> EngineError {
	EngineError::Unavailable("the engine panicked".into())
}

#[cfg(test)]
#[path = "tests/driver.rs"]
mod tests;

#[cfg(test)]
#[path = "tests/driver_audits.rs"]
mod audit_tests;

#[cfg(test)]
#[path = "tests/driver_batches.rs"]
mod batch_tests;

#[cfg(test)]
#[path = "tests/driver_probes.rs"]
mod probe_tests;

#[cfg(test)]
#[path = "tests/driver_bidding.rs"]
mod bidding_tests;

#[cfg(test)]
#[path = "tests/driver_storage_proofs.rs"]
mod storage_tests;
