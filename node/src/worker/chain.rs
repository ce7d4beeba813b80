//! The worker's view of the chain: best blocks, and the runtime API at them.

use crate::service::FullClient;
use async_trait::async_trait;
use futures::{Stream, StreamExt};
use highway_offchain_worker::{
	bids::ModelName,
	error::ChainError,
	ports::{BlockStream, BlockTick, ChainReader},
};
use highway_primitives::{JobId, JobPhase, ModelId, WorkerId};
use highway_runtime::{opaque::Block, Hash};
use highway_runtime_api::{types::WorkList, MarketApi, WorkerApi};
use parking_lot::Mutex;
use sc_client_api::{BlockchainEvents, FinalityNotification, ImportNotifications};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_consensus::SyncOracle;
use sp_keystore::KeystorePtr;
use std::{collections::BTreeMap, pin::Pin, sync::Arc};

/// Best blocks and finality, from the client's notifications.
pub struct BestBlocks {
	client: Arc<FullClient>,
	sync: Arc<dyn SyncOracle + Send + Sync>,
	imports: ImportNotifications<Block>,
	finality: Pin<Box<dyn Stream<Item = FinalityNotification<Block>> + Send>>,
	started: bool,
}

impl BestBlocks {
	/// Follows `client`.
	pub fn new(client: Arc<FullClient>, sync: Arc<dyn SyncOracle + Send + Sync>) -> Self {
		let imports = client.import_notification_stream();
		let finality = Box::pin(client.finality_notification_stream());
		Self {
			client,
			sync,
			imports,
			finality,
			started: false,
		}
	}

	fn tick(&self) -> BlockTick {
		let info = self.client.info();
		BlockTick {
			number: info.best_number,
			hash: info.best_hash,
			finalized: info.finalized_number,
			finalized_hash: info.finalized_hash,
			syncing: self.sync.is_major_syncing(),
		}
	}
}

#[async_trait]
impl BlockStream for BestBlocks {
	async fn next_block(&mut self) -> Option<BlockTick> {
		// A node that starts has a best block already: the worker reconciles from it before anything is imported.
		if !self.started {
			self.started = true;
			let tick = self.tick();
			// The genesis hash that signatures cover is in state from block 1 on.
			if tick.number > 0 {
				return Some(tick);
			}
		}
		loop {
			tokio::select! {
				import = self.imports.next() => if import?.is_new_best {
					return Some(self.tick());
				},
				finalized = self.finality.next() => {
					finalized?;
					return Some(self.tick());
				},
			}
		}
	}
}

/// The worker keys that the keystore holds.
pub fn worker_keys(keystore: &KeystorePtr) -> Vec<WorkerId> {
	keystore
		.sr25519_public_keys(highway_primitives::worker::KEY_TYPE)
		.into_iter()
		.map(WorkerId::from)
		.collect()
}

/// The first worker key of the keystore that is a registered node's, and that node's work.
pub fn registered_worker(
	client: &FullClient,
	keystore: &KeystorePtr,
	at: Hash,
) -> Result<Option<(WorkerId, WorkList)>, ApiError> {
	for key in worker_keys(keystore) {
		if let Some(work) = client.runtime_api().work_for(at, key.clone())? {
			return Ok(Some((key, work)));
		}
	}
	Ok(None)
}

/// Asks the runtime for work, with whichever key of the keystore is registered. The keystore is read at each question,
/// so that a key inserted while the node runs counts.
pub struct RuntimeReader {
	client: Arc<FullClient>,
	keystore: KeystorePtr,
	registered: Mutex<Option<WorkerId>>,
}

impl RuntimeReader {
	/// Reads through `client`.
	pub fn new(client: Arc<FullClient>, keystore: KeystorePtr) -> Self {
		Self {
			client,
			keystore,
			registered: Mutex::new(None),
		}
	}

	/// The key that was registered at the last question.
	pub fn registered_key(&self) -> Option<WorkerId> {
		self.registered.lock().clone()
	}
}

#[async_trait]
impl ChainReader for RuntimeReader {
	async fn work_for(&self, at: Hash) -> Result<Option<WorkList>, ChainError> {
		let (key, work) = registered_worker(&self.client, &self.keystore, at)
			.map_err(|error| ChainError::RuntimeApi(error.to_string()))?
			.unzip();
		*self.registered.lock() = key;
		Ok(work)
	}

	async fn open_jobs(&self, at: Hash, jobs: Vec<JobId>) -> Result<Vec<JobId>, ChainError> {
		let api = self.client.runtime_api();
		let mut open = Vec::new();
		for id in jobs {
			let job = api
				.job(at, id)
				.map_err(|error| ChainError::RuntimeApi(error.to_string()))?;
			if job.is_some_and(|job| is_open(job.phase)) {
				open.push(id);
			}
		}
		Ok(open)
	}

	async fn models_named(&self, at: Hash, names: Vec<ModelName>) -> Result<BTreeMap<ModelName, ModelId>, ChainError> {
		let api = self.client.runtime_api();
		let mut found = BTreeMap::new();
		for name in names {
			let model = api
				.model_by_name(at, name.owner.clone(), name.name.clone().into_bytes())
				.map_err(|error| ChainError::RuntimeApi(error.to_string()))?;
			if let Some(model) = model {
				found.insert(name, model.id);
			}
		}
		Ok(found)
	}
}

/// Whether a job may still be worked on or audited.
fn is_open(phase: JobPhase) -> bool {
	match phase {
		JobPhase::Assigned | JobPhase::Attested | JobPhase::Auditing => true,
		JobPhase::Settled | JobPhase::Refunded | JobPhase::Failed | JobPhase::Rejected | JobPhase::Void => false,
	}
}
