//! Inference on this node: the blob store, its peer-to-peer service, the engine and the offchain worker, put together.

pub mod bids;
mod blobs;
pub(crate) mod chain;
pub mod resolver;
mod submitter;
pub mod supervisor;

use crate::{
	cli::InferenceArgs,
	rpc::{
		blob::Blob,
		inference::{Inference, NodeFacts},
	},
	service::{FullClient, FullPool},
	WrapPorts,
};
use highway_blobs::{protocol::Requests, BlobServer, BlobService, FetchConfig, NetworkTransport, ServeConfig, Store};
use highway_offchain_worker::{
	bids::Bids,
	driver::{self, WorkerConfig},
	engine::{ChildMetrics, Engine, EngineConfig, OrtEngine},
	machine::MachineConfig,
	metrics::Metrics,
	ports::{Ports, SystemClock},
	precheck,
};
use highway_primitives::{worker::KEY_TYPE, Balance, DeviceClass};
use highway_runtime::{opaque::Block, pallet_revenue_split, Hash, Runtime as ChainRuntime};
use sc_network::{service::traits::NetworkService, Multiaddr};
use sc_network_sync::SyncingService;
use sc_service::{error::Error as ServiceError, ChainType, Configuration, TaskManager};
use sp_core::Get;
use sp_keystore::KeystorePtr;
use std::{env, fs, path::PathBuf, sync::Arc};
use substrate_prometheus_endpoint::Registry;

const MIB: u64 = 1024 * 1024;

/// What the worker is built from.
pub(crate) struct WorkerParts {
	pub client: Arc<FullClient>,
	pub pool: Arc<FullPool>,
	pub keystore: KeystorePtr,
	pub network: Arc<dyn NetworkService>,
	pub sync: Arc<SyncingService<Block>>,
	pub genesis_hash: Hash,
	pub base_path: PathBuf,
	pub registry: Option<Registry>,
}

/// What the RPC server needs of it.
pub(crate) struct WorkerRpc {
	pub blobs: Blob,
	pub inference: Inference,
}

fn other(what: &str, error: impl std::fmt::Display) -> ServiceError {
	ServiceError::Other(format!("{what}: {error}"))
}

/// Starts the blob service on every node, and inference where `--offchain-worker` and the keystore say so.
pub(crate) async fn start(
	parts: WorkerParts,
	args: &InferenceArgs,
	config: &Configuration,
	requests: Requests,
	tasks: &TaskManager,
	wrap: WrapPorts,
) -> Result<WorkerRpc, ServiceError> {
	let bids = read_bids(args, config)?;
	let registry = parts.registry.as_ref();
	let store = Store::open(parts.base_path.join("blobs"), args.blob_quota * MIB)
		.map_err(|error| other("the blob store cannot be opened", error))?;
	let metrics = highway_blobs::Metrics::register(registry).map_err(|error| other("metrics", error))?;
	let peers = Arc::new(blobs::SyncingPeers(parts.sync.clone()));
	let transport = NetworkTransport::new(parts.network.clone(), requests.protocol(), peers);
	let service = BlobService::new(
		store.clone(),
		Arc::new(transport),
		FetchConfig::default(),
		metrics.clone(),
	);
	let server = BlobServer::new(store, requests, ServeConfig::default(), metrics);
	tasks.spawn_handle().spawn("blob-server", Some("blobs"), server.run());

	let engine = match wanted(config, &parts.keystore) {
		true => Some(start_engine(args, config.role.is_authority(), registry).await?),
		false => None,
	};
	let facts = NodeFacts {
		addresses: addresses(&args.advertise, &config.network.public_addresses),
		device: engine.as_ref().map(|engine| engine.device()),
		memory_mib: memory_mib(),
		provider: args.inference_provider.to_string(),
	};
	if engine.is_none() && bids.is_some() {
		log::warn!(target: "worker", "nothing is bid: --bids is for nodes that run inference");
	}
	if let Some(engine) = engine {
		log::info!(target: "worker", "inference runs on {}", device_words(engine.device()));
		let reader = Arc::new(chain::RuntimeReader::new(parts.client.clone(), parts.keystore.clone()));
		let submitter = submitter::PoolSubmitter::new(
			parts.client.clone(),
			parts.pool.clone(),
			parts.keystore.clone(),
			reader.clone(),
		);
		let (client, sync) = (parts.client.clone(), parts.sync.clone());
		let (submitter, engine) = (Arc::new(submitter), Arc::new(engine));
		let blobs = Arc::new(blobs::ServiceStore(service.clone()));
		let ports = move || {
			wrap(Ports {
				blocks: Box::new(chain::BestBlocks::new(client.clone(), sync.clone())),
				chain: reader.clone(),
				submitter: submitter.clone(),
				blobs: blobs.clone(),
				clock: Arc::new(SystemClock),
				engine: engine.clone(),
			})
		};
		let mut worker_config = WorkerConfig::new(parts.base_path.join("worker.journal"), parts.genesis_hash);
		worker_config.machine = MachineConfig {
			slots: args.inference_slots,
			bids,
			..worker_config.machine
		};
		worker_config.max_artifact = max_artifact(args);
		let metrics = Metrics::new(registry).map_err(|error| other("metrics", error))?;
		let threads = supervisor::WorkerThreads::start()?;
		// Not essential: the node authors and serves on, whatever becomes of its worker.
		tasks
			.spawn_handle()
			.spawn("offchain-worker", Some("worker"), async move {
				let start = || threads.spawn(driver::run(ports(), worker_config.clone(), metrics.clone()));
				supervisor::keep_running(start, supervisor::RESTART_PAUSE).await;
				// Transfers that others have joined go on in its threads.
				std::future::pending::<()>().await;
			});
	}

	let resolver = Arc::new(resolver::ChainResolver(parts.client.clone()));
	Ok(WorkerRpc {
		blobs: Blob::new(service, resolver),
		inference: Inference::new(parts.client, parts.keystore, parts.network, facts),
	})
}

/// The addresses for the chain: those of `--advertise`, else those of `--public-addr`.
pub fn addresses(advertise: &[String], public: &[Multiaddr]) -> Vec<String> {
	match advertise {
		[] => public.iter().map(ToString::to_string).collect(),
		named => named.to_vec(),
	}
}

/// What `--bids` says. A file that is not understood is no start: an operator must not find out by what he earns.
fn read_bids(args: &InferenceArgs, config: &Configuration) -> Result<Option<Bids>, ServiceError> {
	let Some(path) = &args.bids else { return Ok(None) };
	let limits = bids::Limits {
		most: <<ChainRuntime as pallet_revenue_split::Config>::MaxAsk as Get<Balance>>::get(),
		development: matches!(
			config.chain_spec.chain_type(),
			ChainType::Development | ChainType::Local
		),
	};
	let bids = bids::read(path, limits).map_err(|error| ServiceError::Other(error.to_string()))?;
	log::info!(target: "worker", "{} bids are made by {}", bids.iter().count(), path.display());
	Ok(Some(bids))
}

/// Whether this node shall run inference.
fn wanted(config: &Configuration, keystore: &KeystorePtr) -> bool {
	if !config.offchain_worker.enabled {
		log::info!(target: "worker", "no inference: --offchain-worker is off for this node");
		return false;
	}
	if keystore.sr25519_public_keys(KEY_TYPE).is_empty() {
		log::info!(
			target: "worker",
			"no inference: the keystore holds no worker key; make one with `highway-node key insert --key-type work` and restart",
		);
		return false;
	}
	true
}

async fn start_engine(
	args: &InferenceArgs,
	validator: bool,
	registry: Option<&Registry>,
) -> Result<OrtEngine, ServiceError> {
	let onnxruntime = args.onnxruntime.clone().or_else(default_onnxruntime).ok_or_else(|| {
		ServiceError::Other(
			"ONNX Runtime's library is missing: run scripts/setup, or name it with --onnxruntime".into(),
		)
	})?;
	let worker_binary = env::current_exe().map_err(|error| other("the node's own binary has no path", error))?;
	let config = EngineConfig {
		provider: args.inference_provider,
		threads: args.inference_threads,
		optimization: args.inference_optimization,
		memory_mib: args.inference_memory,
		insecure: args.insecure_inference,
		max_loaded_bytes: args.loaded_models * MIB,
		metrics: ChildMetrics::register(registry)?,
		..EngineConfig::new(onnxruntime, worker_binary)
	};
	OrtEngine::start(config).await.map_err(|error| {
		let role = if validator { "this validator" } else { "this node" };
		ServiceError::Other(format!(
			"{role} does not start, because {error}. Mend it, turn inference off with `--offchain-worker never`, or, for \
			 tests only, give --insecure-inference"
		))
	})
}

/// Where `scripts/setup` puts the library.
fn default_onnxruntime() -> Option<PathBuf> {
	let cache = env::var_os("HIGHWAY_CACHE").map(PathBuf::from).or_else(|| {
		let base = env::var_os("XDG_CACHE_HOME")
			.map(PathBuf::from)
			.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")))?;
		Some(base.join("ai-highway"))
	})?;
	Some(cache.join("onnxruntime/libonnxruntime.so")).filter(|path| path.is_file())
}

/// The largest model that this node takes, in bytes: it must fit beside its process's memory into what may be loaded, and
/// into a quarter of the disk space for blobs, so that one model does not push out what others need.
pub fn max_artifact(args: &InferenceArgs) -> u64 {
	let loaded = args.loaded_models.saturating_sub(args.inference_memory.into()) * MIB;
	let on_disk = args.blob_quota * MIB / 4;
	precheck::Limits::default().max_bytes.min(loaded).min(on_disk)
}

fn device_words(device: DeviceClass) -> &'static str {
	match device {
		DeviceClass::CpuX86 => "the CPU (x86-64)",
		DeviceClass::CpuArm => "the CPU (AArch64)",
		DeviceClass::Cuda => "the GPU (CUDA)",
	}
}

/// Memory of the machine in MiB, 0 if it does not say.
fn memory_mib() -> u32 {
	fs::read_to_string("/proc/meminfo")
		.ok()
		.and_then(|text| {
			let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
			line.split_whitespace().nth(1)?.parse::<u64>().ok()
		})
		.and_then(|kib| u32::try_from(kib / 1024).ok())
		.unwrap_or(0)
}
