//! The node's side of the ports, in memory.

use crate::{
	bids::ModelName,
	engine::{Engine, EngineError, LoadRequest, ModelKey, RunInput, RunOutput, TimeLimit},
	error::{BlobError, ChainError, SubmitError},
	fixtures::*,
	ports::*,
	probe,
	tensors::{self, serialize, Tensor},
};
use async_trait::async_trait;
use bytes::Bytes;
use highway_primitives::{
	audit::SketchSeed,
	market::ask_commitment,
	model::DType,
	node::Contact,
	probe::{matrix, run, WIDTH},
	worker::ChunkProof,
	AskCommitment, AskReveal, AskRole, AttestItem, BlobHash, BlobRef, BlockNumber, DeviceClass, EpochIndex,
	FailureClass, JobId, MarketPhase, ModelId, ProbeTask, Sketch, WorkerAction,
};
use highway_runtime_api::types::{AskTask, AuditItem, HostedModel, StorageTask, WorkItem, WorkList};
use parking_lot::Mutex;
use sp_core::H256;
use std::{
	collections::{BTreeMap, BTreeSet, HashMap},
	fs::File,
	io::{Seek, Write},
	sync::Arc,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{mpsc, Notify};

/// A chain with one node on it.
#[derive(Default)]
pub struct FakeChain(pub Mutex<ChainState>);

#[derive(Default)]
pub struct ChainState {
	pub number: BlockNumber,
	pub jobs: BTreeMap<JobId, WorkItem>,
	pub hosted: Vec<HostedModel>,
	pub heartbeat_due: bool,
	/// Another device than the one that the engine runs on.
	pub device: Option<DeviceClass>,
	pub session: u32,
	pub heartbeats: Vec<bool>,
	/// Every attestation that was ever submitted.
	pub sent: Vec<AttestItem>,
	pub attested: BTreeMap<JobId, AttestItem>,
	pub failed: BTreeMap<JobId, FailureClass>,
	/// What audits want of the node; what it says about one takes it away.
	pub audits: BTreeMap<JobId, AuditItem>,
	/// What a round of probes wants of the node. An answer makes it the proof of its first chunk, a proof ends it.
	pub probe: Option<ProbeTask>,
	/// What the market wants to hear of the node, by the state of its auctions.
	pub asks: Vec<AskTask>,
	/// What the node has to show of what it stores. What it shows is gone.
	pub challenges: Vec<StorageTask>,
	/// The models that have names.
	pub names: BTreeMap<ModelName, ModelId>,
	/// Slots that the node may sell.
	pub slots: u16,
	/// Everything that was said in audits, probes, auctions and about storage, whether it got there or not.
	pub said: Vec<WorkerAction>,
	/// Jobs that are still to end.
	pub open: BTreeSet<JobId>,
	pool: Vec<WorkerAction>,
	/// Whether the next submissions are lost on their way.
	pub lossy: bool,
	/// Whether the next reads of state fail, and how: with an error, or with a panic.
	pub broken: Option<Broken>,
}

#[derive(Clone, Copy)]
pub enum Broken {
	Error,
	Panic,
}

impl ChainState {
	/// The auction of a model's role, if this may be said in it now.
	fn ask(&mut self, model: ModelId, role: AskRole, epoch: EpochIndex, phase: MarketPhase) -> Option<&mut AskTask> {
		let open = |task: &&mut AskTask| (task.model, task.role, task.epoch, task.phase) == (model, role, epoch, phase);
		self.asks.iter_mut().find(open)
	}
}

impl FakeChain {
	pub fn assign(&self, job: JobId, model: ModelId, deadline: BlockNumber) {
		self.0.lock().jobs.insert(job, item(job, model, deadline));
	}

	/// A block with everything that is in the pool.
	fn mine(&self) -> BlockTick {
		let mut state = self.0.lock();
		state.number += 1;
		for action in std::mem::take(&mut state.pool) {
			match action {
				WorkerAction::Attest { items, .. } => {
					for item in items {
						if state.jobs.remove(&item.job).is_some() {
							state.attested.insert(item.job, item);
						}
					}
				}
				WorkerAction::ReportFailure { job, class, .. } => {
					if state.jobs.remove(&job).is_some() {
						state.failed.insert(job, class);
					}
				}
				WorkerAction::Heartbeat { healthy, .. } => {
					state.heartbeat_due = false;
					state.heartbeats.push(healthy);
				}
				WorkerAction::OpenCommitment { job, .. }
				| WorkerAction::CommitBallot { job, .. }
				| WorkerAction::RevealBallot { job, .. }
				| WorkerAction::ProveChunk { job, .. } => {
					state.audits.remove(&job);
				}
				WorkerAction::AnswerProbe { round, output, .. } => {
					state.probe = Some(ProbeTask::Prove {
						round,
						output,
						chunk: 0,
						until: state.number + 16,
					});
				}
				WorkerAction::ProveProbe { .. } => state.probe = None,
				WorkerAction::ProveStorage { model, drawn_at, .. } => {
					state
						.challenges
						.retain(|task| (task.model, task.drawn_at) != (model, drawn_at));
				}
				WorkerAction::CommitAsks { epoch, items, .. } => {
					for AskCommitment { model, role, hash } in items {
						if let Some(task) = state.ask(model, role, epoch, MarketPhase::Commit) {
							task.committed.get_or_insert(hash);
						}
					}
				}
				WorkerAction::RevealAsks { node, epoch, items } => {
					for AskReveal {
						model,
						role,
						price,
						salt,
					} in items
					{
						let opened = ask_commitment(node, epoch, model, role, price, &salt);
						if let Some(task) = state.ask(model, role, epoch, MarketPhase::Reveal) {
							if task.committed.take_if(|hash| *hash == opened).is_some() {
								task.standing = price;
							}
						}
					}
				}
			}
		}
		BlockTick {
			number: state.number,
			hash: H256::from_low_u64_be(state.number.into()),
			finalized: state.number.saturating_sub(2),
			finalized_hash: H256::from_low_u64_be(state.number.saturating_sub(2).into()),
			syncing: false,
		}
	}

	/// Takes the inclusion of a job's attestation back.
	pub fn reorg(&self, job: JobId, model: ModelId, deadline: BlockNumber) {
		self.0.lock().attested.remove(&job).expect("was attested");
		self.assign(job, model, deadline);
	}
}

#[async_trait]
impl ChainReader for FakeChain {
	async fn work_for(&self, _at: H256) -> Result<Option<WorkList>, ChainError> {
		let broken = self.0.lock().broken;
		match broken {
			Some(Broken::Error) => return Err(ChainError::RuntimeApi("pruned".into())),
			Some(Broken::Panic) => panic!("the runtime API panics in this test"),
			None => {}
		}
		let state = self.0.lock();
		Ok(Some(WorkList {
			hosted: state.hosted.clone(),
			heartbeat_due: state.heartbeat_due,
			session: state.session,
			device: state.device.unwrap_or(DeviceClass::CpuX86),
			audits: state.audits.values().cloned().collect(),
			probe: state.probe,
			asks: state.asks.clone(),
			challenges: state
				.challenges
				.iter()
				.filter(|task| task.until > state.number)
				.cloned()
				.collect(),
			slots: state.slots,
			..work(state.jobs.values().cloned().collect())
		}))
	}

	async fn open_jobs(&self, _at: H256, jobs: Vec<JobId>) -> Result<Vec<JobId>, ChainError> {
		let state = self.0.lock();
		Ok(jobs.into_iter().filter(|job| state.open.contains(job)).collect())
	}

	async fn models_named(&self, _at: H256, names: Vec<ModelName>) -> Result<BTreeMap<ModelName, ModelId>, ChainError> {
		let state = self.0.lock();
		let find = |name: ModelName| state.names.get(&name).map(|model| (name.clone(), *model));
		Ok(names.into_iter().filter_map(find).collect())
	}
}

#[async_trait]
impl Submitter for FakeChain {
	async fn submit(&self, _at: H256, action: WorkerAction) -> Result<(), SubmitError> {
		let mut state = self.0.lock();
		match &action {
			WorkerAction::Attest { items, .. } => state.sent.extend(items.iter().cloned()),
			WorkerAction::ReportFailure { .. } | WorkerAction::Heartbeat { .. } => {}
			said => state.said.push(said.clone()),
		}
		if !state.lossy {
			state.pool.push(action);
		}
		Ok(())
	}
}

/// Blocks from a channel; closing it shuts the worker down.
pub struct FakeBlocks(pub mpsc::UnboundedReceiver<BlockTick>);

#[async_trait]
impl BlockStream for FakeBlocks {
	async fn next_block(&mut self) -> Option<BlockTick> {
		self.0.recv().await
	}
}

/// A blob store, and a network behind it.
#[derive(Default)]
pub struct FakeBlobs {
	pub here: Mutex<HashMap<BlobHash, Bytes>>,
	pub network: Mutex<HashMap<BlobHash, Bytes>>,
	pub kept: Mutex<HashMap<BlobHash, Keep>>,
	pub pinned: Mutex<BTreeSet<BlobHash>>,
	pub disk_full: Mutex<bool>,
	/// Blobs whose transfer never ends.
	pub stuck: Mutex<BTreeSet<BlobHash>>,
	/// Transfers that go on at this moment.
	pub transfers: Arc<Mutex<usize>>,
}

struct Transfer(Arc<Mutex<usize>>);

impl Drop for Transfer {
	fn drop(&mut self) {
		*self.0.lock() -= 1;
	}
}

impl FakeBlobs {
	pub fn publish(&self, bytes: Vec<u8>) {
		self.network.lock().insert(BlobRef::of(&bytes).hash, bytes.into());
	}
}

#[async_trait]
impl BlobStore for FakeBlobs {
	async fn fetch(&self, blob: BlobRef, _providers: &[Contact], keep: Keep) -> Result<(), BlobError> {
		*self.transfers.lock() += 1;
		let _transfer = Transfer(self.transfers.clone());
		let stuck = self.stuck.lock().contains(&blob.hash);
		if stuck {
			std::future::pending::<()>().await;
		}
		let bytes = self.network.lock().get(&blob.hash).cloned().ok_or(BlobError::Missing)?;
		self.here.lock().insert(blob.hash, bytes);
		self.kept.lock().insert(blob.hash, keep);
		Ok(())
	}

	async fn open(&self, hash: BlobHash) -> Result<File, BlobError> {
		let bytes = self.here.lock().get(&hash).cloned().ok_or(BlobError::Missing)?;
		let mut file = tempfile::tempfile().expect("a temporary file");
		file.write_all(&bytes).and_then(|()| file.rewind()).expect("written");
		Ok(file)
	}

	async fn read(&self, blob: BlobRef) -> Result<Bytes, BlobError> {
		self.here.lock().get(&blob.hash).cloned().ok_or(BlobError::Missing)
	}

	fn has(&self, hash: BlobHash) -> bool {
		self.here.lock().contains_key(&hash)
	}

	async fn put(&self, bytes: Bytes, keep: Keep) -> Result<BlobRef, BlobError> {
		if *self.disk_full.lock() {
			return Err(BlobError::Storage("the disk is full".into()));
		}
		let blob = BlobRef::of(&bytes);
		self.here.lock().insert(blob.hash, bytes);
		self.kept.lock().insert(blob.hash, keep);
		Ok(blob)
	}

	async fn prove_chunk(&self, blob: BlobRef, index: u64) -> Result<ChunkProof, BlobError> {
		let bytes = self.here.lock().get(&blob.hash).cloned().ok_or(BlobError::Missing)?;
		let chunk = bytes.chunks(1024).nth(index as usize).ok_or(BlobError::Missing)?;
		Ok(ChunkProof {
			bytes: chunk.to_vec().try_into().expect("at most 1024 bytes"),
			siblings: Default::default(),
		})
	}

	fn pin(&self, hash: BlobHash) {
		self.pinned.lock().insert(hash);
	}

	fn unpin(&self, hash: BlobHash) {
		self.pinned.lock().remove(&hash);
	}
}

/// An engine whose answer is the input with a word in front, as one tensor; that of the reference model of probes is the
/// right one.
#[derive(Default)]
pub struct FakeEngine {
	pub loaded: Mutex<BTreeSet<ModelKey>>,
	/// The inputs of every run.
	pub runs: Mutex<Vec<Vec<Bytes>>>,
	pub down: Mutex<bool>,
	/// What becomes of inputs other than an answer.
	pub faults: Mutex<HashMap<Bytes, EngineError>>,
	pub panics: Mutex<bool>,
	pub refuses: Mutex<BTreeSet<ModelId>>,
	/// Runs wait for this while it is there.
	pub gate: Mutex<Option<Arc<Notify>>>,
}

pub fn answer_to(input: &[u8]) -> Vec<u8> {
	let text = [b"answer to ", input].concat();
	serialize(&[Tensor::new("y", DType::U8, vec![text.len()], text).expect("as many bytes as the shape says")])
}

/// What the reference model of probes gives for an input.
fn rows_of(input: &[u8]) -> Vec<u8> {
	let rows = tensors::parse(input).expect("an input")[0].rows();
	let firsts = probe::final_rows(input, rows).expect("the input has the output's form");
	let matrix = matrix();
	let lasts = firsts
		.as_chunks::<WIDTH>()
		.0
		.iter()
		.flat_map(|first| run(&matrix, *first))
		.flat_map(|value| f32::from(value).to_le_bytes())
		.collect();
	serialize(&[Tensor::new("y", DType::F32, vec![rows, WIDTH], lasts).expect("as many bytes as the shape says")])
}

/// The sketch of its run under a seed.
pub fn sketch_of(input: &[u8], seed: &SketchSeed) -> Sketch {
	let mut sketch = sketch(1000 * i64::from(*input.last().unwrap_or(&0)));
	sketch.sums[1] = seed[0].into();
	sketch
}

#[async_trait]
impl Engine for FakeEngine {
	async fn load(&self, request: LoadRequest) -> Result<(), EngineError> {
		if self.refuses.lock().contains(&request.model.model) {
			return Err(EngineError::ModelRefused("external data".into()));
		}
		if *self.down.lock() {
			return Err(EngineError::Unavailable("no library".into()));
		}
		self.loaded.lock().insert(request.model);
		Ok(())
	}

	fn unload(&self, model: &ModelKey) {
		self.loaded.lock().remove(model);
	}

	fn is_loaded(&self, model: &ModelKey) -> bool {
		self.loaded.lock().contains(model)
	}

	async fn run(
		&self,
		model: &ModelKey,
		inputs: Vec<RunInput>,
		_time_limit: TimeLimit,
	) -> Vec<Result<RunOutput, EngineError>> {
		self.runs
			.lock()
			.push(inputs.iter().map(|input| input.file.clone()).collect());
		let gate = self.gate.lock().clone();
		if let Some(gate) = gate {
			gate.notified().await;
		}
		assert!(!*self.panics.lock(), "the engine panics in this test");
		if *self.down.lock() {
			return inputs
				.iter()
				.map(|_| Err(EngineError::Unavailable("no library".into())))
				.collect();
		}
		if *model == probe::key() {
			let answer = |input: &RunInput| RunOutput {
				file: rows_of(&input.file).into(),
				sketches: Vec::new(),
			};
			return inputs.iter().map(|input| Ok(answer(input))).collect();
		}
		let faults = self.faults.lock();
		inputs
			.iter()
			.map(|RunInput { file, seeds }| match faults.get(file) {
				Some(fault) => Err(fault.clone()),
				None => Ok(RunOutput {
					file: answer_to(file).into(),
					sketches: seeds.iter().map(|seed| sketch_of(file, seed)).collect(),
				}),
			})
			.collect()
	}

	fn device(&self) -> DeviceClass {
		DeviceClass::CpuX86
	}

	async fn health(&self) -> bool {
		!*self.down.lock()
	}
}

pub struct FakeClock;

impl Clock for FakeClock {
	fn now(&self) -> SystemTime {
		UNIX_EPOCH + Duration::from_secs(1_000_000)
	}
}

impl FakeChain {
	/// A block, told to the worker.
	pub fn advance(&self, ticks: &mpsc::UnboundedSender<BlockTick>) {
		// A worker that has ended hears nothing.
		let _ = ticks.send(self.mine());
	}
}
