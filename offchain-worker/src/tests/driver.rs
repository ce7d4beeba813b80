use super::*;
use crate::{error::JournalError, fixtures::*};
use highway_primitives::{batch::sketch_root, worker::commitment, FailureClass};
use std::time::UNIX_EPOCH;
use substrate_prometheus_endpoint::{prometheus::TextEncoder, Registry};
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinHandle};

#[path = "fakes.rs"]
pub(super) mod fakes;
use fakes::*;

/// A node, whose worker can be stopped, killed and started.
pub(super) struct Node {
	folder: TempDir,
	pub chain: Arc<FakeChain>,
	pub blobs: Arc<FakeBlobs>,
	pub engine: Arc<FakeEngine>,
	pub machine: MachineConfig,
	registry: Registry,
	pub worker: Option<(mpsc::UnboundedSender<BlockTick>, JoinHandle<Result<(), WorkerError>>)>,
}

impl Node {
	/// A node that hosts model 1; the network has its file and the inputs of jobs 1 to 99.
	pub fn new() -> Self {
		let node = Self {
			folder: TempDir::new().unwrap(),
			chain: Arc::default(),
			blobs: Arc::default(),
			engine: Arc::default(),
			machine: MachineConfig::default(),
			registry: Registry::new(),
			worker: None,
		};
		node.chain.0.lock().hosted = vec![hosted(1)];
		node.blobs.publish(artifact_bytes(1));
		(1..100).for_each(|job| node.blobs.publish(input_bytes(job)));
		node
	}

	pub fn config(&self) -> WorkerConfig {
		let mut config = WorkerConfig::new(self.folder.path().join("worker/journal"), H256::repeat_byte(9));
		config.machine = self.machine.clone();
		config
	}

	pub fn start(&mut self) {
		let (ticks, receiver) = mpsc::unbounded_channel();
		let ports = Ports {
			blocks: Box::new(FakeBlocks(receiver)),
			chain: self.chain.clone(),
			submitter: self.chain.clone(),
			blobs: self.blobs.clone(),
			clock: Arc::new(FakeClock),
			engine: self.engine.clone(),
		};
		self.registry = Registry::new();
		let metrics = Metrics::new(Some(&self.registry)).unwrap();
		self.worker = Some((ticks, tokio::spawn(run(ports, self.config(), metrics))));
	}

	/// Ends the stream of blocks and waits for the worker.
	pub async fn stop(&mut self) {
		let (ticks, worker) = self.worker.take().unwrap();
		drop(ticks);
		worker.await.unwrap().unwrap();
	}

	/// Takes the worker away in the middle of whatever it does.
	pub async fn kill(&mut self) {
		let (_ticks, worker) = self.worker.take().unwrap();
		worker.abort();
		let _ = worker.await;
		self.engine.loaded.lock().clear();
		// The system frees a lock with the process; here writes that go on hold it a moment longer.
		while matches!(
			Journal::open(&self.config().journal, self.config().genesis),
			Err(JournalError::Locked(_))
		) {
			tokio::time::sleep(Duration::from_millis(1)).await;
		}
	}

	/// Produces blocks until `done`.
	pub async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
		for _ in 0..400 {
			if done(self) {
				return;
			}
			if let Some((ticks, _)) = &self.worker {
				self.chain.advance(ticks);
			}
			tokio::time::sleep(Duration::from_millis(5)).await;
		}
		panic!("never: {what}");
	}

	pub async fn blocks(&self, count: u32) {
		for _ in 0..count {
			self.chain.advance(&self.worker.as_ref().unwrap().0);
			tokio::time::sleep(Duration::from_millis(5)).await;
		}
	}

	pub fn attested(&self) -> usize {
		self.chain.0.lock().attested.len()
	}

	pub fn runs(&self) -> usize {
		self.engine.runs.lock().len()
	}

	pub fn metrics(&self) -> String {
		TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
	}
}

#[tokio::test]
async fn jobs_should_be_attested_with_stored_outputs_when_all_goes_well() {
	let mut node = Node::new();
	node.chain.0.lock().heartbeat_due = true;
	(1..=40).for_each(|job| node.chain.assign(job, 1, 1000));
	node.start();
	node.until("all attested", |node| node.attested() == 40).await;
	node.until("heartbeat", |node| node.chain.0.lock().heartbeats == [true])
		.await;
	assert_eq!(
		node.engine.runs.lock().iter().map(Vec::len).sum::<usize>(),
		40,
		"each job ran once"
	);

	let expected = answer_to(&input_bytes(3));
	let item = node.chain.0.lock().attested[&3].clone();
	assert_eq!(item.output, BlobRef::of(&expected));
	assert_eq!(node.blobs.here.lock()[&item.output.hash], expected);
	let keep = Keep::Until(UNIX_EPOCH + Duration::from_secs(1_000_000) + DEFAULT_KEEP);
	assert_eq!(node.blobs.kept.lock()[&item.output.hash], keep);
	assert!(node.blobs.pinned.lock().contains(&spec(1).artifact.hash));

	node.blocks(2).await;
	let metrics = node.metrics();
	for line in [
		"highway_jobs_total{outcome=\"attested\"} 40",
		"highway_job_runs_total{result=\"ok\"} 40",
		"highway_loaded_models 1",
		"highway_healthy 1",
		"highway_journal_write_errors_total 0",
		"highway_journal_compactions_total{result=\"failed\"} 0",
		"highway_journal_damaged_bytes_total 0",
		"highway_blobs_fetched_total{kind=\"input\",result=\"ok\"} 40",
		"highway_submissions_total{action=\"heartbeat\",result=\"ok\"} 1",
	] {
		assert!(metrics.contains(line), "{line} is not in\n{metrics}");
	}
	node.stop().await;
}

#[tokio::test]
async fn commitment_should_open_with_the_salt_of_the_journal() {
	let mut node = Node::new();
	node.chain.assign(1, 1, 1000);
	node.chain.assign(2, 1, 1000);
	node.start();
	node.until("attested", |node| node.attested() == 2).await;
	node.stop().await;

	let journal = Journal::open(&node.config().journal, node.config().genesis).unwrap();
	let entries: Vec<Entry> = journal.entries().cloned().collect();
	for entry in &entries {
		let item = node.chain.0.lock().attested[&entry.key.job].clone();
		assert_eq!(
			item.commitment,
			commitment(
				&entry.key.work,
				NODE,
				&item.output,
				&sketch_root(&entry.sketches),
				&entry.salt
			)
		);
	}
	assert_ne!(entries[0].salt, entries[1].salt);
}

#[tokio::test]
async fn damage_to_the_journal_should_be_counted_when_the_worker_starts() {
	let mut node = Node::new();
	(1..=2).for_each(|job| node.chain.assign(job, 1, 1000));
	node.start();
	node.until("attested", |node| node.attested() == 2).await;
	node.stop().await;

	let path = node.config().journal;
	let mut bytes = std::fs::read(&path).unwrap();
	// In the first of two records, behind the header's 40 bytes.
	bytes[60] ^= 1;
	std::fs::write(&path, bytes).unwrap();
	node.start();
	// It is written anew without what is damaged.
	let mended = "highway_journal_compactions_total{result=\"ok\"} 1";
	node.until("mended", |node| node.metrics().contains(mended)).await;
	let metrics = node.metrics();
	assert!(!metrics.contains("highway_journal_damaged_bytes_total 0"), "{metrics}");
	node.stop().await;
}

#[tokio::test]
async fn job_should_be_done_once_when_the_worker_is_killed_in_the_middle_of_its_run() {
	let mut node = Node::new();
	let gate = Arc::new(Notify::new());
	*node.engine.gate.lock() = Some(gate.clone());
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("running", |node| node.runs() == 1).await;
	node.kill().await;
	*node.engine.gate.lock() = None;
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	assert_eq!((node.runs(), node.chain.0.lock().sent.len()), (2, 1));
	node.stop().await;
}

#[tokio::test]
async fn job_should_be_attested_from_the_journal_when_the_worker_is_killed_before_its_attestation_lands() {
	let mut node = Node::new();
	node.chain.0.lock().lossy = true;
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("sent", |node| !node.chain.0.lock().sent.is_empty()).await;
	assert!(node.metrics().contains("highway_jobs_unheard 1"), "{}", node.metrics());
	node.kill().await;
	node.chain.0.lock().lossy = false;
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	assert_eq!(node.runs(), 1, "not run again");
	let sent = node.chain.0.lock().sent.clone();
	assert!(sent.iter().all(|item| *item == sent[0]), "always the same commitment");
	node.stop().await;
}

#[tokio::test]
async fn each_job_should_have_one_commitment_when_the_worker_is_killed_again_and_again() {
	let mut node = Node::new();
	let mut next = 1;
	for round in 0..20 {
		(next..next + 4).for_each(|job| node.chain.assign(job, 1, 10_000));
		next += 4;
		// Some attestations get lost, so that they must be said again after the restart.
		node.chain.0.lock().lossy = round % 3 == 1;
		node.start();
		for _ in 0..round % 4 {
			node.chain.advance(&node.worker.as_ref().unwrap().0);
			tokio::time::sleep(Duration::from_micros(300 * round)).await;
		}
		node.kill().await;
	}
	node.chain.0.lock().lossy = false;
	node.start();
	node.until("all attested", |node| node.attested() == 80).await;
	node.stop().await;

	let sent = node.chain.0.lock().sent.clone();
	let mut commitments = HashMap::new();
	for item in sent {
		let first = *commitments.entry(item.job).or_insert(item.commitment);
		assert_eq!(first, item.commitment, "job {}", item.job);
	}
}

#[tokio::test]
async fn job_should_be_run_again_when_its_output_is_lost_before_the_restart() {
	let mut node = Node::new();
	node.chain.0.lock().lossy = true;
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("sent", |node| !node.chain.0.lock().sent.is_empty()).await;
	node.kill().await;
	node.blobs
		.here
		.lock()
		.remove(&BlobRef::of(&answer_to(&input_bytes(1))).hash);
	node.chain.0.lock().lossy = false;
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	assert_eq!(node.runs(), 2);
	let sent = node.chain.0.lock().sent.clone();
	assert!(
		sent.iter().all(|item| *item == sent[0]),
		"the same result has the same commitment"
	);
	node.stop().await;
}

#[tokio::test]
async fn job_should_be_attested_without_a_run_when_a_reorg_takes_its_attestation_back() {
	let mut node = Node::new();
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("attested", |node| node.attested() == 1).await;
	node.blocks(3).await;
	node.chain.reorg(1, 1, 1000);
	node.until("attested again", |node| node.attested() == 1).await;
	assert_eq!(node.runs(), 1);
	node.stop().await;
}

#[tokio::test]
async fn attestation_should_be_sent_again_when_it_gets_lost() {
	let mut node = Node::new();
	node.chain.0.lock().lossy = true;
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("sent three times", |node| node.chain.0.lock().sent.len() >= 3)
		.await;
	node.chain.0.lock().lossy = false;
	node.until("attested", |node| node.attested() == 1).await;
	assert!(node.metrics().contains("highway_attestations_total{kind=\"first\"} 1"));
	assert_eq!(node.runs(), 1);
	node.stop().await;
}

#[tokio::test]
async fn failures_should_be_reported_when_jobs_cannot_be_done() {
	let mut node = Node::new();
	node.engine.refuses.lock().insert(2);
	node.blobs.publish(artifact_bytes(2));
	node.engine
		.faults
		.lock()
		.insert(input_bytes(1).into(), EngineError::InputInvalid("no".into()));
	node.engine
		.faults
		.lock()
		.insert(input_bytes(2).into(), EngineError::TimedOut);
	node.blobs.network.lock().remove(&BlobRef::of(&input_bytes(3)).hash);
	node.chain.assign(1, 1, 1000);
	node.chain.assign(2, 1, 1000);
	node.chain.assign(3, 1, 60);
	node.chain.assign(4, 2, 1000);
	node.chain.assign(5, 3, 60);
	node.chain.assign(6, 1, 1000);
	node.start();
	node.until("all ended", |node| node.chain.0.lock().jobs.is_empty())
		.await;
	let failed: Vec<_> = node.chain.0.lock().failed.clone().into_iter().collect();
	assert_eq!(
		failed,
		[
			(1, FailureClass::InputInvalid),
			(2, FailureClass::RunFailed),
			(3, FailureClass::InputMissing),
			(4, FailureClass::ModelRefused),
			(5, FailureClass::ModelMissing),
		]
	);
	assert_eq!(node.attested(), 1, "the others do not spoil job 6");
	node.stop().await;
}

#[tokio::test]
async fn transfer_should_be_broken_off_when_its_job_goes() {
	let mut node = Node::new();
	node.blobs.stuck.lock().insert(BlobRef::of(&input_bytes(1)).hash);
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("transfer", |node| {
		*node.blobs.transfers.lock() == 1 && node.engine.is_up()
	})
	.await;
	node.chain.0.lock().jobs.clear();
	node.until("broken off", |node| *node.blobs.transfers.lock() == 0).await;
	node.stop().await;
}

#[tokio::test]
async fn model_should_leave_nothing_behind_when_it_goes() {
	let mut node = Node::new();
	let artifact = |model| spec(model).artifact.hash;
	node.blobs.stuck.lock().insert(artifact(2));
	node.chain.0.lock().hosted = vec![hosted(1), hosted(2)];
	node.start();
	node.until("one is loaded, one is being fetched", |node| {
		node.engine.is_up() && *node.blobs.transfers.lock() == 1
	})
	.await;
	assert_eq!(*node.blobs.pinned.lock(), [artifact(1), artifact(2)].into());
	node.chain.0.lock().hosted.clear();
	node.until("gone", |node| {
		!node.engine.is_up() && *node.blobs.transfers.lock() == 0 && node.blobs.pinned.lock().is_empty()
	})
	.await;
	node.stop().await;
}

#[tokio::test]
async fn too_large_model_should_be_refused_without_a_fetch_while_others_go_on() {
	let mut node = Node::new();
	let mut large = spec(2);
	large.artifact.size = node.config().max_artifact + 1;
	node.chain
		.0
		.lock()
		.jobs
		.insert(1, item_of(1, 2, large, &input_bytes(1), 1000));
	node.chain.assign(2, 1, 1000);
	node.start();
	node.until("refused", |node| {
		node.chain.0.lock().failed.get(&1) == Some(&FailureClass::ModelRefused)
	})
	.await;
	node.until("attested", |node| node.attested() == 1).await;
	let metrics = node.metrics();
	assert!(metrics.contains("highway_healthy 1"), "{metrics}");
	assert!(node
		.blobs
		.pinned
		.lock()
		.iter()
		.all(|hash| *hash == spec(1).artifact.hash));
	node.stop().await;
}

#[tokio::test]
async fn node_should_say_that_it_is_unhealthy_while_another_device_is_registered() {
	let mut node = Node::new();
	{
		let mut chain = node.chain.0.lock();
		chain.heartbeat_due = true;
		chain.device = Some(DeviceClass::Cuda);
	}
	node.start();
	node.until("unhealthy", |node| node.chain.0.lock().heartbeats == [false])
		.await;
	assert!(node.metrics().contains("highway_healthy 0"));
	{
		let mut chain = node.chain.0.lock();
		(chain.heartbeat_due, chain.session, chain.device) = (true, 1, None);
	}
	node.until("healthy", |node| node.chain.0.lock().heartbeats == [false, true])
		.await;
	node.stop().await;
}

#[tokio::test]
async fn transfer_should_be_broken_off_and_reported_when_it_is_too_slow() {
	let mut node = Node::new();
	node.blobs.stuck.lock().insert(BlobRef::of(&input_bytes(1)).hash);
	node.chain.assign(1, 1, 10);
	node.start();
	node.until("reported", |node| {
		node.chain.0.lock().failed.get(&1) == Some(&FailureClass::InputMissing)
	})
	.await;
	node.until("broken off", |node| *node.blobs.transfers.lock() == 0).await;
	node.stop().await;
}

#[tokio::test]
async fn work_should_go_on_when_the_engine_comes_back() {
	let mut node = Node::new();
	node.chain.0.lock().heartbeat_due = true;
	*node.engine.down.lock() = true;
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("unhealthy heartbeat", |node| node.chain.0.lock().heartbeats == [false])
		.await;
	assert!(node.metrics().contains("highway_healthy 0"));
	*node.engine.down.lock() = false;
	node.until("attested", |node| node.attested() == 1).await;
	node.stop().await;
}

#[tokio::test]
async fn work_should_go_on_when_the_engine_panicked() {
	let mut node = Node::new();
	*node.engine.panics.lock() = true;
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("panicked", |node| node.runs() == 1).await;
	*node.engine.panics.lock() = false;
	node.until("attested", |node| node.attested() == 1).await;
	node.stop().await;
}

#[tokio::test]
async fn model_should_be_loaded_again_when_the_engine_unloaded_it() {
	let mut node = Node::new();
	node.start();
	node.until("loaded", |node| node.engine.is_up()).await;
	node.engine.loaded.lock().clear();
	node.chain.assign(1, 1, 1000);
	node.until("attested", |node| node.attested() == 1).await;
	node.stop().await;
}

#[tokio::test]
async fn nothing_should_be_attested_until_the_disk_has_room() {
	let mut node = Node::new();
	*node.blobs.disk_full.lock() = true;
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("run", |node| node.runs() == 1).await;
	node.blocks(5).await;
	assert!(node.chain.0.lock().sent.is_empty());
	assert!(node.metrics().contains("highway_healthy 0"));
	*node.blobs.disk_full.lock() = false;
	node.until("attested", |node| node.attested() == 1).await;
	assert_eq!(node.runs(), 1, "the output was kept in memory");
	node.stop().await;
}

#[tokio::test]
async fn work_should_go_on_when_the_state_could_not_be_read() {
	for broken in [Broken::Error, Broken::Panic] {
		let mut node = Node::new();
		node.chain.0.lock().broken = Some(broken);
		node.chain.assign(1, 1, 1000);
		node.start();
		node.blocks(5).await;
		assert_eq!(node.runs(), 0);
		node.chain.0.lock().broken = None;
		node.until("attested", |node| node.attested() == 1).await;
		node.stop().await;
	}
}

#[tokio::test]
async fn nothing_should_be_done_when_the_node_is_syncing() {
	let mut node = Node::new();
	node.chain.assign(1, 1, 1000);
	node.start();
	let syncing = BlockTick {
		number: 1,
		hash: H256::zero(),
		finalized: 0,
		finalized_hash: H256::zero(),
		syncing: true,
	};
	node.worker.as_ref().unwrap().0.send(syncing).unwrap();
	tokio::time::sleep(Duration::from_millis(30)).await;
	assert!(node.blobs.here.lock().is_empty());
	node.until("attested", |node| node.attested() == 1).await;
	node.stop().await;
}

#[tokio::test]
async fn second_worker_should_not_start_when_one_runs() {
	let mut node = Node::new();
	node.start();
	node.until("loaded", |node| node.engine.is_up()).await;
	let first = node.worker.take().unwrap();
	node.start();
	let (_, second) = node.worker.take().unwrap();
	assert!(matches!(
		second.await.unwrap(),
		Err(WorkerError::Journal(JournalError::Locked(_)))
	));
	node.worker = Some(first);
	node.stop().await;
}

#[tokio::test]
async fn worker_should_end_when_the_blocks_end_in_the_middle_of_a_run() {
	let mut node = Node::new();
	*node.engine.gate.lock() = Some(Arc::new(Notify::new()));
	node.chain.assign(1, 1, 1000);
	node.start();
	node.until("running", |node| node.runs() == 1).await;
	tokio::time::timeout(Duration::from_secs(5), node.stop())
		.await
		.expect("ends at once");
}

impl FakeEngine {
	fn is_up(&self) -> bool {
		self.loaded.lock().contains(&model_key(1))
	}
}
