//! Two nodes' networks over loopback, on either backend.

use super::*;
use crate::{
	protocol::{request_response_config, Requests},
	BlobServer, BlobService, FetchConfig, FetchError, Keep, Metrics, NetworkTransport, Peers, ServeConfig,
};
use async_trait::async_trait;
use highway_primitives::node::Contact;
use sc_network::{
	config::{
		FullNetworkConfiguration, NetworkConfiguration, NonReservedPeerMode, NotificationHandshake, Params, ProtocolId,
		Role, SetConfig,
	},
	service::traits::NetworkService,
	Litep2pNetworkBackend, NetworkBackend, NetworkWorker, NotificationMetrics, NotificationService,
};
use sc_network_types::PeerId;
use sp_core::H256;
use sp_runtime::{generic, traits::BlakeTwo256, OpaqueExtrinsic};
use std::time::{Duration, Instant};

type Block = generic::Block<generic::Header<u32, BlakeTwo256>, OpaqueExtrinsic>;

struct Node {
	network: Arc<dyn NetworkService>,
	requests: Requests,
	task: tokio::task::JoinHandle<()>,
	_announces: Box<dyn NotificationService>,
}

impl Drop for Node {
	fn drop(&mut self) {
		self.task.abort();
	}
}

struct Nobody;

#[async_trait]
impl Peers for Nobody {
	async fn connected(&self) -> Vec<PeerId> {
		Vec::new()
	}
}

fn start<N: NetworkBackend<Block, H256>>() -> Node {
	let genesis_hash = H256::repeat_byte(7);
	let mut network_config = FullNetworkConfiguration::<Block, H256, N>::new(&NetworkConfiguration::new_local(), None);
	let (protocol, requests) = request_response_config::<Block, N>(genesis_hash, None);
	network_config.add_request_response_protocol(protocol);
	let (block_announce_config, announces) = N::notification_config(
		"/block-announces/1".into(),
		Vec::new(),
		1024,
		Some(NotificationHandshake::from_bytes(Vec::new())),
		SetConfig {
			in_peers: 1,
			out_peers: 1,
			reserved_nodes: Vec::new(),
			non_reserved_mode: NonReservedPeerMode::Accept,
		},
		NotificationMetrics::new(None),
		network_config.peer_store_handle(),
	);
	let worker = N::new(Params {
		role: Role::Full,
		executor: Box::new(|task| drop(tokio::spawn(task))),
		network_config,
		protocol_id: ProtocolId::from("blobs-test"),
		genesis_hash,
		fork_id: None,
		metrics_registry: None,
		block_announce_config,
		ipfs_config: None,
		notification_metrics: NotificationMetrics::new(None),
	})
	.map_err(|error| error.to_string())
	.unwrap();
	let network = worker.network_service();
	Node {
		network,
		requests,
		task: tokio::spawn(worker.run()),
		_announces: announces,
	}
}

async fn contact(node: &Node) -> Contact {
	let mut addresses = Vec::new();
	while addresses.is_empty() {
		tokio::time::sleep(Duration::from_millis(20)).await;
		addresses = node.network.listen_addresses();
	}
	let addresses = addresses
		.iter()
		.map(|address| address.to_string().into_bytes())
		.collect();
	Contact {
		node: 1,
		peer_id: node.network.local_peer_id().to_bytes(),
		addresses,
	}
}

async fn fetch_over<N: NetworkBackend<Block, H256>>() {
	let (mut server, client) = (start::<N>(), start::<N>());
	let provider = contact(&server).await;
	let (_source_dir, source) = fresh(256 * MIB);
	let content = bytes(1, 32 * MIB + 5);
	let blob = source.put(&content, Keep::Pinned).unwrap();
	let (_dead, unused) = Requests::bounded(1);
	let requests = std::mem::replace(&mut server.requests, unused);
	tokio::spawn(BlobServer::new(source.clone(), requests, ServeConfig::default(), Metrics::default()).run());

	let (_dir, store) = fresh(256 * MIB);
	let transport = NetworkTransport::new(client.network.clone(), client.requests.protocol(), Arc::new(Nobody));
	let service = BlobService::new(
		store.clone(),
		Arc::new(transport),
		FetchConfig::default(),
		Metrics::default(),
	);
	let gone = Contact {
		node: 2,
		peer_id: PeerId::random().to_bytes(),
		addresses: Vec::new(),
	};
	let started = Instant::now();
	service
		.fetch(blob, &[gone, provider.clone()], Keep::Cache)
		.await
		.unwrap();
	println!("{} MiB in {:?}", content.len() / MIB, started.elapsed());
	assert_eq!(store.read(blob.hash, 0, u64::MAX).unwrap(), content);

	let absent = BlobRef::of(b"absent");
	let result = service.fetch(absent, &[provider], Keep::Cache).await;
	assert!(
		matches!(result, Err(FetchError::Missing { asked: 1, .. })),
		"{result:?}"
	);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetch_should_work_over_litep2p() {
	tokio::time::timeout(Duration::from_secs(60), fetch_over::<Litep2pNetworkBackend>())
		.await
		.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetch_should_work_over_libp2p() {
	tokio::time::timeout(Duration::from_secs(60), fetch_over::<NetworkWorker<Block, H256>>())
		.await
		.unwrap();
}
