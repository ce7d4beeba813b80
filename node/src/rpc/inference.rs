//! `inference_*`: what this node runs, and how a job goes on.

use crate::{service::FullClient, worker::chain};
use codec::Encode;
use futures::StreamExt;
use highway_primitives::{worker, BlobRef, BlockNumber, DeviceClass, JobId, JobPhase, NodeId, WorkerId};
use highway_runtime::{AccountId, Hash};
use highway_runtime_api::MarketApi;
use jsonrpsee::{
	core::{async_trait, RpcResult, SubscriptionResult},
	proc_macros::rpc,
	types::ErrorObjectOwned,
	Extensions, PendingSubscriptionSink, SubscriptionMessage,
};
use sc_client_api::BlockchainEvents;
use sc_network::{service::traits::NetworkService, PeerId};
use sc_rpc_api::check_if_safe;
use serde::{Deserialize, Serialize};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::{crypto::ByteArray, traits::SpawnNamed, Bytes};
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The runtime refused or failed to answer.
const RUNTIME_ERROR: i32 = 9_001;
/// The node has no worker key.
const NO_WORKER_KEY: i32 = 9_002;
/// As many subscriptions as the node has places for.
const TOO_MANY_WATCHERS: i32 = 9_003;

/// The most jobs watched at the same time, by all clients together.
const MAX_WATCHERS: usize = 1_024;

/// What a node says about itself: everything that a registration on chain needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeReport {
	/// Public worker key; `null` if the keystore holds none, so that this node runs no inference.
	pub worker: Option<Bytes>,
	/// Peer id in base58.
	pub peer_id: String,
	/// Bytes of the peer id.
	pub peer_id_bytes: Bytes,
	/// Multiaddresses under which others reach it, as far as its operator named them.
	pub addresses: Vec<String>,
	/// What inference really runs on; `null` if it runs none.
	pub device: Option<DeviceClass>,
	/// Memory of the machine in MiB.
	pub memory_mib: u32,
	/// The execution provider asked for.
	pub provider: String,
	/// Its id on chain; `null` if it is not registered.
	pub node: Option<NodeId>,
}

/// Where a job stands, in one block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
	/// The job.
	pub id: JobId,
	/// Its phase; `null` once its record is gone.
	pub phase: Option<JobPhase>,
	/// Who has it or did it.
	pub executor: Option<NodeId>,
	/// The output, once attested.
	pub output: Option<BlobRef>,
	/// The best block in which it stands so.
	pub block: BlockNumber,
}

/// The methods.
#[rpc(server, namespace = "inference")]
pub trait InferenceApi {
	/// What this node says about itself.
	#[method(name = "nodeInfo")]
	fn node_info(&self) -> RpcResult<NodeReport>;

	/// Signature by this node's worker key that lets `operator` register it. Unsafe: only for the node's operator.
	#[method(name = "registrationProof", with_extensions)]
	fn registration_proof(&self, operator: AccountId) -> RpcResult<Bytes>;

	/// Where the job stands now, and again with every change, until it ends.
	#[subscription(name = "watchJob" => "job", unsubscribe = "unwatchJob", item = JobStatus)]
	async fn watch_job(&self, job: JobId) -> SubscriptionResult;
}

/// What of a node does not change while it runs.
#[derive(Clone)]
pub struct NodeFacts {
	/// Multiaddresses named by the operator.
	pub addresses: Vec<String>,
	/// What inference really runs on.
	pub device: Option<DeviceClass>,
	/// Memory of the machine in MiB.
	pub memory_mib: u32,
	/// The execution provider asked for.
	pub provider: String,
}

/// The node's side.
#[derive(Clone)]
pub struct Inference {
	client: Arc<FullClient>,
	keystore: KeystorePtr,
	network: Arc<dyn NetworkService>,
	facts: NodeFacts,
	executor: Option<Arc<dyn SpawnNamed>>,
	/// Places for subscriptions: each asks the runtime once a block.
	watchers: Arc<Semaphore>,
}

impl Inference {
	/// Answers from these parts.
	pub fn new(
		client: Arc<FullClient>,
		keystore: KeystorePtr,
		network: Arc<dyn NetworkService>,
		facts: NodeFacts,
	) -> Self {
		Self {
			client,
			keystore,
			network,
			facts,
			executor: None,
			watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
		}
	}

	/// The same, running its subscriptions on `executor`.
	pub fn on(&self, executor: Arc<dyn SpawnNamed>) -> Self {
		Self {
			executor: Some(executor),
			..self.clone()
		}
	}

	/// The registered worker key and its node, else the key that would be registered. To change to another key, the
	/// registered one is taken out of the keystore.
	fn worker(&self) -> RpcResult<(Option<WorkerId>, Option<NodeId>)> {
		let best = self.client.info().best_hash;
		let registered = chain::registered_worker(&self.client, &self.keystore, best).map_err(runtime_error)?;
		Ok(match registered {
			Some((key, work)) => (Some(key), Some(work.node)),
			None => (chain::worker_keys(&self.keystore).into_iter().next(), None),
		})
	}
}

fn runtime_error(error: impl std::fmt::Display) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(
		RUNTIME_ERROR,
		format!("the runtime did not answer: {error}"),
		None::<()>,
	)
}

fn status(client: &FullClient, at: Hash, block: BlockNumber, id: JobId) -> Result<JobStatus, sp_api::ApiError> {
	let job = client.runtime_api().job(at, id)?;
	Ok(JobStatus {
		id,
		phase: job.as_ref().map(|job| job.phase),
		executor: job.as_ref().and_then(|job| job.executor),
		output: job.as_ref().and_then(|job| job.output),
		block,
	})
}

/// Whether nothing more will happen to the job.
fn ended(status: &JobStatus) -> bool {
	matches!(
		status.phase,
		None | Some(JobPhase::Settled | JobPhase::Refunded | JobPhase::Failed | JobPhase::Rejected | JobPhase::Void)
	)
}

#[async_trait]
impl InferenceApiServer for Inference {
	fn node_info(&self) -> RpcResult<NodeReport> {
		let (worker, node) = self.worker()?;
		let peer_id: PeerId = self.network.local_peer_id();
		Ok(NodeReport {
			worker: worker.map(|worker| Bytes(worker.to_raw_vec())),
			peer_id: peer_id.to_base58(),
			peer_id_bytes: Bytes(peer_id.to_bytes()),
			addresses: self.facts.addresses.clone(),
			device: self.facts.device,
			memory_mib: self.facts.memory_mib,
			provider: self.facts.provider.clone(),
			node,
		})
	}

	fn registration_proof(&self, extensions: &Extensions, operator: AccountId) -> RpcResult<Bytes> {
		check_if_safe(extensions)?;
		let missing = || {
			ErrorObjectOwned::owned(
				NO_WORKER_KEY,
				"this node has no worker key: insert one of type `work` with `highway-node key insert`",
				None::<()>,
			)
		};
		let worker = self.worker()?.0.ok_or_else(missing)?;
		let payload = worker::registration_payload(self.client.info().genesis_hash, &operator.encode());
		self.keystore
			.sr25519_sign(worker::KEY_TYPE, &worker.into(), &payload)
			.ok()
			.flatten()
			.map(|signature| Bytes(signature.encode()))
			.ok_or_else(missing)
	}

	async fn watch_job(&self, pending: PendingSubscriptionSink, job: JobId) -> SubscriptionResult {
		let Ok(place) = self.watchers.clone().try_acquire_owned() else {
			pending
				.reject(ErrorObjectOwned::owned(
					TOO_MANY_WATCHERS,
					"too many jobs are watched at this node: try again later, ask for the job's state instead, or use a node of your own",
					None::<()>,
				))
				.await;
			return Ok(());
		};
		let sink = pending.accept().await?;
		let client = self.client.clone();
		let task = async move {
			let _place = place;
			let blocks = client.import_notification_stream().filter(|block| {
				let best = block.is_new_best;
				async move { best }
			});
			let info = client.info();
			let (mut hash, mut number) = (info.best_hash, info.best_number);
			let mut last: Option<JobStatus> = None;
			let mut blocks = std::pin::pin!(blocks);
			loop {
				let Ok(now) = status(&client, hash, number, job) else {
					return;
				};
				let unchanged = last.as_ref().is_some_and(|last| {
					JobStatus {
						block: now.block,
						..last.clone()
					} == now
				});
				if !unchanged {
					let Ok(message) = SubscriptionMessage::from_json(&now) else {
						return;
					};
					if sink.send(message).await.is_err() || ended(&now) {
						return;
					}
					last = Some(now);
				}
				tokio::select! {
					() = sink.closed() => return,
					block = blocks.next() => match block {
						Some(block) => (hash, number) = (block.hash, block.header.number),
						None => return,
					},
				}
			}
		};
		match &self.executor {
			Some(executor) => executor.spawn("highway-watch-job", Some("rpc"), Box::pin(task)),
			None => task.await,
		}
		Ok(())
	}
}
