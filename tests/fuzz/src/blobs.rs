//! Blobs between nodes: what a peer asks this node, and what it answers when this node asks.

use crate::{memory::within, seed, Target};
use async_trait::async_trait;
use codec::{DecodeAll, Encode};
use highway_blobs::{
	geometry::{group_bytes, groups, GROUP_SIZE},
	protocol::{Request, Response, MAX_RESPONSE_SIZE},
	serve::respond,
	BlobService, FetchConfig, Keep, Metrics, RequestError, Store, Transport,
};
use highway_primitives::{node::Contact, BlobRef};
use parking_lot::Mutex;
use sc_network_types::{multiaddr::Multiaddr, PeerId};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

/// The target. The first byte says what the others are.
pub const TARGET: Target = Target {
	name: "blobs",
	check: read,
	seeds,
	// A fetch goes to the disk.
	rounds: 1_500,
};

/// A peer's request.
const REQUEST: u8 = 0;
/// A peer's answer to the request for a blob of one group.
const SMALL: u8 = 1;
/// A peer's answer to the request for the second group of a blob, whose first one is here.
const LARGE: u8 = 2;

/// Bytes of the small blob.
const SMALL_SIZE: usize = 300;
/// Bytes of the large blob behind its first group.
const LARGE_REST: usize = 200;

fn read(input: &[u8]) -> bool {
	let Some((what, bytes)) = input.split_first() else {
		return false;
	};
	NODES.with(|nodes| match *what {
		REQUEST => asked(bytes, nodes),
		SMALL => answered(bytes, &nodes.small),
		LARGE => answered(bytes, &nodes.large),
		_ => false,
	})
}

/// Taken is a request for a group that is here.
fn asked(bytes: &[u8], nodes: &Nodes) -> bool {
	let Ok(request) = within(64 << 10, || Request::decode_all(&mut &*bytes)) else {
		return false;
	};
	assert_eq!(request.encode(), bytes);
	// The server refuses what asks for nothing.
	if request.count == 0 {
		return false;
	}
	let response = within(8 * GROUP_SIZE as usize, || {
		respond(&nodes.server, request, &Metrics::default())
	});
	let encoded = response.encode();
	assert!(encoded.len() as u64 <= MAX_RESPONSE_SIZE);
	assert_eq!(Response::decode_all(&mut &*encoded).as_ref(), Ok(&response));
	let Response::Slice { size, count, .. } = response else {
		return false;
	};
	let known = [&nodes.small, &nodes.large]
		.into_iter()
		.find(|wanted| wanted.blob.hash == request.hash);
	assert_eq!(known.map(|wanted| wanted.blob.size), Some(size));
	assert!(count == 1 && request.first < groups(size));
	true
}

/// Taken is the one answer that a fetch accepts: what the server itself says.
fn answered(bytes: &[u8], wanted: &Wanted) -> bool {
	let decoded = within((64 << 10) + 4 * bytes.len(), || Response::decode_all(&mut &*bytes));
	if let Ok(response) = &decoded {
		assert_eq!(response.encode(), bytes);
	}
	let fetched = wanted.fetch(bytes);
	assert_eq!(
		fetched,
		bytes == wanted.honest.as_slice(),
		"no other answer is the blob's"
	);
	fetched
}

thread_local! {
	// Their folder goes with the thread.
	static NODES: Nodes = Nodes::start();
}

/// Two nodes: a server that has both blobs, and one that wants them.
struct Nodes {
	server: Arc<Store>,
	small: Wanted,
	large: Wanted,
	_folder: TempDir,
}

impl Nodes {
	fn start() -> Self {
		let folder = tempfile::tempdir().expect("there is room for a folder");
		let quota = 64 * GROUP_SIZE;
		let open = |name: &str| Store::open(folder.path().join(name), quota).expect("an empty folder opens");
		let (server, client) = (open("server"), open("client"));
		let large = content(GROUP_SIZE as usize + LARGE_REST);
		Self {
			small: Wanted::of(&server, &client, &content(SMALL_SIZE)),
			large: Wanted::of(&server, &client, &large),
			server,
			_folder: folder,
		}
	}
}

/// Bytes that do not repeat within a chunk.
fn content(length: usize) -> Vec<u8> {
	(0..length).map(|at| (at % 251) as u8).collect()
}

/// A blob that the client wants and has all of but its last group.
struct Wanted {
	blob: BlobRef,
	content: Vec<u8>,
	/// What the server says of the last group.
	honest: Vec<u8>,
	peer: Arc<Peer>,
	client: BlobService,
}

impl Wanted {
	fn of(server: &Arc<Store>, client: &Arc<Store>, content: &[u8]) -> Self {
		let blob = server.put(content, Keep::Pinned).expect("there is room");
		let peer = Arc::new(Peer {
			server: server.clone(),
			id: PeerId::random(),
			last: groups(blob.size) - 1,
			says: Mutex::new(Vec::new()),
		});
		let config = FetchConfig {
			rounds: 1,
			busy_retries: 1,
			busy_pause: Duration::ZERO,
			..FetchConfig::default()
		};
		let request = Request {
			hash: blob.hash,
			first: peer.last,
			count: 1,
		};
		let wanted = Self {
			blob,
			content: content.to_vec(),
			honest: respond(server, request, &Metrics::default()).encode(),
			client: BlobService::new(client.clone(), peer.clone(), config, Metrics::default()),
			peer,
		};
		assert!(!wanted.fetch(&[]), "nothing is no answer");
		wanted
	}

	/// Whether the blob is here after a fetch from a peer that says this of its last group. It is gone again then, but for what
	/// was here before.
	fn fetch(&self, says: &[u8]) -> bool {
		*self.peer.says.lock() = says.to_vec();
		let providers = [Contact {
			node: 0,
			peer_id: self.peer.id.to_bytes(),
			addresses: Vec::new(),
		}];
		let runtime = tokio::runtime::Builder::new_current_thread()
			.enable_time()
			.build()
			.expect("a runtime of one thread");
		let fetched = runtime.block_on(self.client.fetch(self.blob, &providers, Keep::Cache));
		let store = self.client.store();
		let before = group_bytes(self.blob.size, self.peer.last).start;
		if let Err(error) = fetched {
			assert_eq!(store.has(self.blob.hash), None, "{error}");
			let received = store.status(self.blob.hash).map_or(0, |status| status.received);
			assert_eq!(received, before, "{error}");
			return false;
		}
		let stored = store.read(self.blob.hash, 0, u64::MAX).expect("it was fetched");
		assert!(stored == self.content, "what is stored is the blob");
		assert!(store.remove(self.blob.hash));
		if before > 0 {
			assert!(!self.fetch(&[]), "its first groups are fetched again");
		}
		true
	}
}

/// A peer that is honest, but for the last group of the blob.
struct Peer {
	server: Arc<Store>,
	id: PeerId,
	last: u32,
	says: Mutex<Vec<u8>>,
}

#[async_trait]
impl Transport for Peer {
	async fn request(&self, _: PeerId, request: Vec<u8>) -> Result<Vec<u8>, RequestError> {
		let request = Request::decode_all(&mut request.as_slice()).expect("this node asks");
		match request.first == self.last {
			true => Ok(self.says.lock().clone()),
			false => Ok(respond(&self.server, request, &Metrics::default()).encode()),
		}
	}

	fn add_addresses(&self, _: PeerId, _: Vec<Multiaddr>) {}

	async fn connected(&self) -> Vec<PeerId> {
		Vec::new()
	}

	fn local(&self) -> PeerId {
		PeerId::from_ed25519(&[1; 32]).unwrap_or_else(PeerId::random)
	}

	fn report_lie(&self, _: PeerId) {}
}

fn seeds() -> Vec<(String, Vec<u8>)> {
	NODES.with(|nodes| seeds_of(&nodes.small, &nodes.large))
}

fn seeds_of(small: &Wanted, large: &Wanted) -> Vec<(String, Vec<u8>)> {
	let of = |what: u8, bytes: &[u8]| [[what].as_slice(), bytes].concat();
	let request = |wanted: &Wanted, first: u32, count: u32| {
		let hash = wanted.blob.hash;
		of(REQUEST, &Request { hash, first, count }.encode())
	};
	let slice = |size: usize, count: u32, bytes: &[u8]| {
		let (size, bytes) = (size as u64, bytes.to_vec());
		of(SMALL, &Response::Slice { size, count, bytes }.encode())
	};
	let missing = Response::NotFound {
		size: Some(SMALL_SIZE as u64),
	};
	let longer = [small.content.as_slice(), b"."].concat();
	vec![
		seed("request-small", request(small, 0, 1)),
		seed("request-large", request(large, 1, u32::MAX)),
		seed("small", of(SMALL, &small.honest)),
		seed("large", of(LARGE, &large.honest)),
		seed("refused-behind", request(large, u32::MAX, 1)),
		seed("refused-nothing", request(small, 0, 0)),
		seed("refused-not-found", of(SMALL, &missing.encode())),
		seed("refused-busy", of(LARGE, &Response::Busy.encode())),
		seed("refused-size", slice(SMALL_SIZE + 1, 1, &small.content)),
		seed("refused-count", slice(SMALL_SIZE, 2, &small.content)),
		seed("refused-longer", slice(SMALL_SIZE, 1, &longer)),
		seed("refused-blob", of(LARGE, &small.honest)),
	]
}
