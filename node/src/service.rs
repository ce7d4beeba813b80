//! Puts a node together: database, consensus, network, blobs, inference, RPC.

use crate::{
	cli::InferenceArgs,
	finality_inherent::FinalityInherent,
	metrics::{self, ChainMetrics},
	rpc::{self, GrandpaDeps},
	worker, WrapPorts,
};
use highway_runtime::{apis::RuntimeApi, opaque::Block};
use sc_client_api::BlockBackend;
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, SlotProportion};
use sc_consensus_grandpa::{FinalityProofProvider, SharedVoterState, VotingRulesBuilder};
use sc_executor::{HeapAllocStrategy, WasmExecutor, DEFAULT_HEAP_ALLOC_STRATEGY};
use sc_network::NetworkBackend;
use sc_service::{error::Error as ServiceError, Configuration, TaskManager, WarpSyncConfig};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_blockchain::HeaderBackend;
use sp_runtime::traits::Block as BlockT;
use std::{
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};

/// Host functions of the runtime.
#[cfg(not(feature = "runtime-benchmarks"))]
type HostFunctions = sp_io::SubstrateHostFunctions;
/// Host functions of the runtime, with those that benchmarks need.
#[cfg(feature = "runtime-benchmarks")]
type HostFunctions = (
	sp_io::SubstrateHostFunctions,
	frame_benchmarking::benchmarking::HostFunctions,
);

/// The client.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, WasmExecutor<HostFunctions>>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// The transaction pool.
pub type FullPool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;
/// The rule by which the best chain is chosen.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;

/// How peers are reached.
type Network = sc_network::Litep2pNetworkBackend;
type GrandpaBlockImport = sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type GrandpaLink = sc_consensus_grandpa::LinkHalf<Block, FullClient, FullSelectChain>;
type InherentDataProviders = (
	sp_consensus_babe::inherents::InherentDataProvider,
	sp_timestamp::InherentDataProvider,
);
type CreateInherentDataProviders =
	Arc<dyn sp_inherents::CreateInherentDataProviders<Block, (), InherentDataProviders = InherentDataProviders>>;
type FullBlockImport =
	BabeBlockImport<Block, FullClient, GrandpaBlockImport, CreateInherentDataProviders, FullSelectChain>;

/// What is left over of the parts for [`new_full`].
pub struct Leftover {
	block_import: FullBlockImport,
	grandpa_link: GrandpaLink,
	babe_link: BabeLink<Block>,
	babe_worker_handle: BabeWorkerHandle<Block>,
	telemetry: Option<Telemetry>,
}

/// The parts that the subcommands need, too.
pub type Partial = sc_service::PartialComponents<
	FullClient,
	FullBackend,
	FullSelectChain,
	sc_consensus::DefaultImportQueue<Block>,
	FullPool,
	Leftover,
>;

/// Blocks after which Grandpa makes a justification at the latest.
const JUSTIFICATION_PERIOD: u32 = 512;

/// What runs the runtime. As the SDK's own, but it keeps what it compiled in `cache`, or else in the base path.
fn executor(config: &Configuration, cache: Option<&Path>) -> WasmExecutor<HostFunctions> {
	let executor = &config.executor;
	let heap = executor
		.default_heap_pages
		.map_or(DEFAULT_HEAP_ALLOC_STRATEGY, |pages| HeapAllocStrategy::Static {
			extra_pages: u32::try_from(pages).unwrap_or(u32::MAX),
		});
	let cache = cache.map_or_else(|| config.base_path.path().join("runtimes"), Path::to_path_buf);
	WasmExecutor::builder()
		.with_execution_method(executor.wasm_method)
		.with_onchain_heap_alloc_strategy(heap)
		.with_offchain_heap_alloc_strategy(heap)
		.with_max_runtime_instances(executor.max_runtime_instances)
		.with_runtime_cache_size(executor.runtime_cache_size)
		.with_cache_path(cache)
		.build()
}

/// Makes the parts that the subcommands need, too.
pub fn new_partial(config: &Configuration, runtime_cache: Option<&Path>) -> Result<Partial, ServiceError> {
	let telemetry = config
		.telemetry_endpoints
		.clone()
		.filter(|endpoints| !endpoints.is_empty())
		.map(|endpoints| -> Result<_, sc_telemetry::Error> {
			let worker = TelemetryWorker::new(16)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Ok((worker, telemetry))
		})
		.transpose()?;

	let executor = executor(config, runtime_cache);
	let (client, backend, keystore_container, task_manager) = sc_service::new_full_parts::<Block, RuntimeApi, _>(
		config,
		telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
		executor,
		Vec::new(),
	)?;
	let client = Arc::new(client);
	let telemetry = telemetry.map(|(worker, telemetry)| {
		task_manager.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});
	let select_chain = sc_consensus::LongestChain::new(backend.clone());
	let transaction_pool = Arc::from(
		sc_transaction_pool::Builder::new(
			task_manager.spawn_essential_handle(),
			client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry())
		.build(),
	);

	let (grandpa_block_import, grandpa_link) = sc_consensus_grandpa::block_import(
		client.clone(),
		JUSTIFICATION_PERIOD,
		&client,
		select_chain.clone(),
		telemetry.as_ref().map(Telemetry::handle),
	)?;
	let babe_config = sc_consensus_babe::configuration(&*client)?;
	let slot_duration = babe_config.slot_duration();
	let create_inherent_data_providers: CreateInherentDataProviders = Arc::new(move |_, ()| async move {
		let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
		let slot = sp_consensus_babe::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
			*timestamp,
			slot_duration,
		);
		Ok((slot, timestamp))
	});
	let (block_import, babe_link) = sc_consensus_babe::block_import(
		babe_config,
		grandpa_block_import.clone(),
		client.clone(),
		create_inherent_data_providers,
		select_chain.clone(),
		OffchainTransactionPoolFactory::new(transaction_pool.clone()),
	)?;
	let (import_queue, babe_worker_handle) = sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
		link: babe_link.clone(),
		block_import: block_import.clone(),
		justification_import: Some(Box::new(grandpa_block_import)),
		client: client.clone(),
		slot_duration,
		spawner: &task_manager.spawn_essential_handle(),
		registry: config.prometheus_registry(),
		telemetry: telemetry.as_ref().map(Telemetry::handle),
	})?;

	Ok(sc_service::PartialComponents {
		client,
		backend,
		task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Leftover {
			block_import,
			grandpa_link,
			babe_link,
			babe_worker_handle,
			telemetry,
		},
	})
}

/// Starts a node.
pub async fn new_full(
	mut config: Configuration,
	runtime_cache: Option<PathBuf>,
	inference: InferenceArgs,
	wrap: WrapPorts,
) -> Result<TaskManager, ServiceError> {
	let sc_service::PartialComponents {
		client,
		backend,
		mut task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Leftover {
			block_import,
			grandpa_link,
			babe_link,
			babe_worker_handle,
			mut telemetry,
		},
	} = new_partial(&config, runtime_cache.as_deref())?;

	let genesis_hash = client
		.block_hash(0)
		.ok()
		.flatten()
		.expect("a database has its genesis block; qed");
	let metrics = <Network as NetworkBackend<Block, <Block as BlockT>::Hash>>::register_notification_metrics(
		config.prometheus_registry(),
	);
	let mut net_config = sc_network::config::FullNetworkConfiguration::<_, _, Network>::new(
		&config.network,
		config.prometheus_registry().cloned(),
	);

	let grandpa_protocol_name = sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
	let (grandpa_protocol_config, grandpa_notifications) =
		sc_consensus_grandpa::grandpa_peers_set_config::<Block, Network>(
			grandpa_protocol_name.clone(),
			metrics.clone(),
			net_config.peer_store_handle(),
		);
	net_config.add_notification_protocol(grandpa_protocol_config);

	let (blob_protocol, blob_requests) =
		highway_blobs::protocol::request_response_config::<Block, Network>(genesis_hash, config.chain_spec.fork_id());
	net_config.add_request_response_protocol(blob_protocol);

	let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
		backend.clone(),
		grandpa_link.shared_authority_set().clone(),
		Vec::new(),
	));

	let (network, system_rpc_tx, tx_handler_controller, sync_service, _) =
		sc_service::build_network(sc_service::BuildNetworkParams {
			config: &config,
			net_config,
			client: client.clone(),
			transaction_pool: transaction_pool.clone(),
			spawn_handle: task_manager.spawn_handle(),
			spawn_essential_handle: task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;

	// `--alice` and the like stand for well-known keys: the worker key of the same seed goes with them.
	if let Some(seed) = &config.dev_key_seed {
		keystore_container
			.keystore()
			.sr25519_generate_new(highway_primitives::worker::KEY_TYPE, Some(seed))
			.map_err(|error| ServiceError::Other(format!("cannot store the development worker key: {error}")))?;
	}

	let parts = worker::WorkerParts {
		client: client.clone(),
		pool: transaction_pool.clone(),
		keystore: keystore_container.keystore(),
		network: network.clone(),
		sync: sync_service.clone(),
		genesis_hash,
		base_path: config.base_path.path().join("chains").join(config.chain_spec.id()),
		registry: config.prometheus_registry().cloned(),
	};
	let worker = worker::start(parts, &inference, &config, blob_requests, &task_manager, wrap).await?;
	if let Some(registry) = config.prometheus_registry() {
		let figures = metrics::follow(
			client.clone(),
			keystore_container.keystore(),
			sync_service.clone(),
			ChainMetrics::register(registry)?,
		);
		// In a thread of its own: it asks the runtime.
		task_manager
			.spawn_handle()
			.spawn_blocking("chain-metrics", Some("metrics"), figures);
	}

	let role = config.role;
	let name = config.network.node_name.clone();
	let prometheus_registry = config.prometheus_registry().cloned();
	let force_authoring = config.force_authoring;
	let enable_grandpa = !config.disable_grandpa;
	let shared_voter_state = SharedVoterState::empty();

	let rpc_builder = {
		let client = client.clone();
		let pool = transaction_pool.clone();
		let select_chain = select_chain.clone();
		let keystore = keystore_container.keystore();
		let shared_voter_state = shared_voter_state.clone();
		let shared_authority_set = grandpa_link.shared_authority_set().clone();
		let justification_stream = grandpa_link.justification_stream();
		let finality_provider =
			FinalityProofProvider::new_for_service(backend.clone(), Some(shared_authority_set.clone()));
		let blobs = worker.blobs.clone();
		let inference = worker.inference.clone();
		// Babe's worker answers only while a handle lives: the closure keeps one for the life of the node.
		Box::new(move |executor: Arc<dyn sp_core::traits::SpawnNamed>| {
			rpc::create_full(
				rpc::FullDeps {
					client: client.clone(),
					pool: pool.clone(),
					select_chain: select_chain.clone(),
					keystore: keystore.clone(),
					babe_worker_handle: babe_worker_handle.clone(),
					grandpa: GrandpaDeps {
						shared_voter_state: shared_voter_state.clone(),
						shared_authority_set: shared_authority_set.clone(),
						justification_stream: justification_stream.clone(),
						finality_provider: finality_provider.clone(),
					},
					blobs: blobs.clone(),
					inference: inference.on(executor.clone()),
				},
				executor,
			)
			.map_err(Into::into)
		})
	};

	// The Wasm hook is not used: the worker is native (see the architecture notes), so `--offchain-worker` steers that.
	config.offchain_worker.enabled = false;
	sc_service::spawn_tasks(sc_service::SpawnTasksParams {
		network: Arc::new(network.clone()),
		client: client.clone(),
		keystore: keystore_container.keystore(),
		task_manager: &mut task_manager,
		transaction_pool: transaction_pool.clone(),
		rpc_builder,
		backend,
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync_service.clone(),
		config,
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	if role.is_authority() {
		let proposer = sc_basic_authorship::ProposerFactory::new(
			task_manager.spawn_handle(),
			client.clone(),
			transaction_pool.clone(),
			prometheus_registry.as_ref(),
			telemetry.as_ref().map(Telemetry::handle),
		);
		let slot_duration = babe_link.config().slot_duration();
		let finalized = client.clone();
		let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
			keystore: keystore_container.keystore(),
			client,
			select_chain,
			env: proposer,
			block_import,
			sync_oracle: sync_service.clone(),
			justification_sync_link: sync_service.clone(),
			create_inherent_data_providers: move |_, ()| {
				let finality = FinalityInherent(finalized.info().finalized_number);
				async move {
					let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
					let slot = sp_consensus_babe::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
						*timestamp,
						slot_duration,
					);
					Ok((slot, timestamp, finality))
				}
			},
			force_authoring,
			backoff_authoring_blocks: Some(sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging::default()),
			babe_link,
			block_proposal_slot_portion: SlotProportion::new(0.5),
			max_block_proposal_slot_portion: None,
			telemetry: telemetry.as_ref().map(Telemetry::handle),
		})?;
		task_manager
			.spawn_essential_handle()
			.spawn_blocking("babe-proposer", Some("block-authoring"), babe);
	}

	if enable_grandpa {
		let grandpa = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
			config: sc_consensus_grandpa::Config {
				gossip_duration: Duration::from_millis(333),
				justification_generation_period: JUSTIFICATION_PERIOD,
				name: Some(name),
				observer_enabled: false,
				keystore: role.is_authority().then(|| keystore_container.keystore()),
				local_role: role,
				telemetry: telemetry.as_ref().map(Telemetry::handle),
				protocol_name: grandpa_protocol_name,
			},
			link: grandpa_link,
			network,
			sync: sync_service,
			notification_service: grandpa_notifications,
			voting_rule: VotingRulesBuilder::default().build(),
			prometheus_registry,
			shared_voter_state,
			telemetry: telemetry.as_ref().map(Telemetry::handle),
			offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(transaction_pool),
		})?;
		task_manager
			.spawn_essential_handle()
			.spawn_blocking("grandpa-voter", None, grandpa);
	}
	Ok(task_manager)
}
