//! A peer of the nodes' own network that has every blob it was given, and serves each with one bit changed.

use anyhow::{Context, Result};
use codec::{DecodeAll, Encode};
use highway_blobs::{
	protocol::{protocol_name, Request, Response, MAX_REQUEST_SIZE, MAX_RESPONSE_SIZE, REQUEST_TIMEOUT},
	Keep, Store,
};
use highway_primitives::BlobRef;
use highway_test_support::until;
use sc_network::{
	config::{
		FullNetworkConfiguration, IncomingRequest, NetworkConfiguration, NonReservedPeerMode, NotificationHandshake,
		OutgoingResponse, Params, ProtocolId, Role, SetConfig,
	},
	service::traits::NetworkService,
	Litep2pNetworkBackend, NetworkBackend, NotificationMetrics, NotificationService,
};
use sp_core::H256;
use sp_runtime::{generic, traits::BlakeTwo256, OpaqueExtrinsic};
use std::{
	path::Path,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::task::JoinHandle;

type Block = generic::Block<generic::Header<u32, BlakeTwo256>, OpaqueExtrinsic>;

/// How long a socket may take to listen.
const SOON: Duration = Duration::from_secs(10);

/// The peer. It lives as long as this.
pub struct LyingPeer {
	network: Arc<dyn NetworkService>,
	store: Arc<Store>,
	lies: Arc<AtomicUsize>,
	tasks: [JoinHandle<()>; 2],
	_announces: Box<dyn NotificationService>,
}

impl Drop for LyingPeer {
	fn drop(&mut self) {
		self.tasks.iter().for_each(JoinHandle::abort);
	}
}

impl LyingPeer {
	/// Listens on loopback, for nodes of the chain with this genesis hash. Its blobs lie in `folder`.
	pub fn start(genesis: H256, folder: &Path) -> Result<Self> {
		let store = Store::open(folder, 64 << 20)?;
		let (sender, requests) = async_channel::bounded::<IncomingRequest>(16);
		let mut network_config = FullNetworkConfiguration::<Block, H256, Litep2pNetworkBackend>::new(
			&NetworkConfiguration::new_local(),
			None,
		);
		network_config.add_request_response_protocol(
			<Litep2pNetworkBackend as NetworkBackend<Block, H256>>::request_response_config(
				protocol_name(genesis, None),
				Vec::new(),
				MAX_REQUEST_SIZE,
				MAX_RESPONSE_SIZE,
				REQUEST_TIMEOUT,
				Some(sender),
			),
		);
		let (block_announce_config, announces) =
			<Litep2pNetworkBackend as NetworkBackend<Block, H256>>::notification_config(
				format!("/{}/block-announces/1", hex::encode(genesis)).into(),
				Vec::new(),
				1024,
				Some(NotificationHandshake::from_bytes(Vec::new())),
				SetConfig {
					in_peers: 0,
					out_peers: 0,
					reserved_nodes: Vec::new(),
					non_reserved_mode: NonReservedPeerMode::Accept,
				},
				NotificationMetrics::new(None),
				network_config.peer_store_handle(),
			);
		let worker = Litep2pNetworkBackend::new(Params {
			role: Role::Full,
			executor: Box::new(|task| drop(tokio::spawn(task))),
			network_config,
			protocol_id: ProtocolId::from("highway"),
			genesis_hash: genesis,
			fork_id: None,
			metrics_registry: None,
			block_announce_config,
			ipfs_config: None,
			notification_metrics: NotificationMetrics::new(None),
		})
		.map_err(|error| anyhow::anyhow!("the peer's network: {error}"))?;
		let network = <Litep2pNetworkBackend as NetworkBackend<Block, H256>>::network_service(&worker);
		let lies = Arc::new(AtomicUsize::new(0));
		let serving = serve(store.clone(), lies.clone(), requests);
		let running = <Litep2pNetworkBackend as NetworkBackend<Block, H256>>::run(worker);
		Ok(Self {
			network,
			store,
			lies,
			tasks: [tokio::spawn(running), tokio::spawn(serving)],
			_announces: announces,
		})
	}

	/// Gives it a blob to lie about.
	pub fn put(&self, bytes: &[u8]) -> Result<BlobRef> {
		Ok(self.store.put(bytes, Keep::Pinned)?)
	}

	/// Wrong slices that it served.
	pub fn lies(&self) -> usize {
		self.lies.load(Ordering::Relaxed)
	}

	/// Its peer id and an address, as a node's operator registers them.
	pub async fn contact(&self) -> Result<(Vec<u8>, Vec<u8>)> {
		let addresses = until("the peer to listen", SOON, || async {
			let addresses = self.network.listen_addresses();
			Ok((!addresses.is_empty()).then_some(addresses))
		})
		.await?;
		let peer = self.network.local_peer_id();
		let address = addresses
			.iter()
			.map(ToString::to_string)
			.find(|address| address.starts_with("/ip4/127.0.0.1/"))
			.context("it listens on loopback")?;
		// With the peer id, or without: nodes take both.
		let address = address.split("/p2p/").next().unwrap_or_default();
		Ok((peer.to_bytes(), address.as_bytes().to_vec()))
	}
}

async fn serve(store: Arc<Store>, lies: Arc<AtomicUsize>, requests: async_channel::Receiver<IncomingRequest>) {
	while let Ok(incoming) = requests.recv().await {
		let result = lie(&store, &incoming.payload).map(|response| {
			lies.fetch_add(1, Ordering::Relaxed);
			response.encode()
		});
		// Who asked may be gone.
		let _ = incoming.pending_response.send(OutgoingResponse {
			result: result.map_err(drop),
			reputation_changes: Vec::new(),
			sent_feedback: None,
		});
	}
}

/// The true slice with its proof, and one bit of it changed.
fn lie(store: &Store, request: &[u8]) -> Result<Response> {
	let request = Request::decode_all(&mut &*request)?;
	let size = store.has(request.hash).context("it has the blob")?;
	let mut bytes = store.slice(request.hash, request.first, 1)?;
	let middle = bytes.len() / 2;
	*bytes.get_mut(middle).context("a slice is not empty")? ^= 1;
	Ok(Response::Slice { size, count: 1, bytes })
}
