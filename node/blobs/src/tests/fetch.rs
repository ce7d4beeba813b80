use super::*;
use crate::{
	protocol::{Request, Response, MAX_RESPONSE_SIZE},
	serve::respond,
	BlobService, FetchConfig, FetchError, Keep, Metrics, RequestError, StoreError, Transport,
};
use async_trait::async_trait;
use codec::{Decode, Encode};
use futures::future::join_all;
use highway_primitives::node::Contact;
use parking_lot::Mutex;
use sc_network::Multiaddr;
use sc_network_types::PeerId;
use std::{
	collections::HashMap,
	time::{Duration, Instant},
};

/// How a peer answers from the blobs that it has.
#[derive(Clone, Copy)]
enum Manner {
	Honest,
	/// One bit of every slice differs.
	Lies,
	/// Honest for some groups, then lies.
	LiesAfter(usize),
	/// The end is cut off.
	Truncates,
	/// More than was asked for.
	Oversized,
	/// So much more that the network would not let it through.
	Flood,
	/// Not a response at all.
	Garbage,
	/// Another group than the one asked for.
	OtherGroup,
	/// Says that the blob is longer.
	OtherSize,
	/// Answers some requests, then is gone.
	VanishesAfter(usize),
	/// Never answers.
	Hangs,
	/// Busy for some requests.
	BusyFor(usize),
	Refuses,
}

struct Peer {
	store: Arc<Store>,
	manner: Manner,
	asked: usize,
}

#[derive(Default)]
struct Swarm {
	peers: Mutex<HashMap<PeerId, Peer>>,
	connected: Mutex<Vec<PeerId>>,
	addresses: Mutex<Vec<(PeerId, Multiaddr)>>,
	lies: Mutex<Vec<PeerId>>,
	latency: Mutex<Duration>,
}

impl Swarm {
	fn add(&self, store: &Arc<Store>, manner: Manner) -> PeerId {
		let id = PeerId::random();
		self.peers.lock().insert(
			id,
			Peer {
				store: store.clone(),
				manner,
				asked: 0,
			},
		);
		id
	}

	fn asked(&self, peer: PeerId) -> usize {
		self.peers.lock()[&peer].asked
	}
}

#[async_trait]
impl Transport for Swarm {
	async fn request(&self, peer: PeerId, request: Vec<u8>) -> Result<Vec<u8>, RequestError> {
		let latency = *self.latency.lock();
		tokio::time::sleep(latency).await;
		let (store, manner, before) = {
			let mut peers = self.peers.lock();
			let peer = peers.get_mut(&peer).ok_or(RequestError::Unreachable)?;
			peer.asked += 1;
			(peer.store.clone(), peer.manner, peer.asked - 1)
		};
		let mut request = Request::decode(&mut request.as_slice()).unwrap();
		assert!(request.count == 1);
		if let Manner::OtherGroup = manner {
			request.first ^= 1;
		}
		let mut response = respond(&store, request, &Metrics::default());
		let Response::Slice { size, bytes, .. } = &mut response else {
			return Ok(response.encode());
		};
		let middle = bytes.len() / 2;
		match manner {
			Manner::Honest | Manner::OtherGroup => (),
			Manner::LiesAfter(honest) if before < honest => (),
			Manner::Lies | Manner::LiesAfter(_) => bytes[middle] ^= 1,
			Manner::Truncates => bytes.truncate(middle),
			Manner::Oversized => bytes.extend([0; 100]),
			Manner::Flood => bytes.resize(MAX_RESPONSE_SIZE as usize + 1, 0),
			Manner::Garbage => return Ok(vec![7; 1000]),
			Manner::OtherSize => *size += 1,
			Manner::VanishesAfter(answers) if before < answers => (),
			Manner::VanishesAfter(_) => return Err(RequestError::Connection("closed".into())),
			Manner::Hangs => futures::future::pending().await,
			Manner::BusyFor(requests) if before < requests => return Ok(Response::Busy.encode()),
			Manner::BusyFor(_) => (),
			Manner::Refuses => return Err(RequestError::Refused),
		}
		Ok(response.encode())
	}

	fn add_addresses(&self, peer: PeerId, addresses: Vec<Multiaddr>) {
		self.addresses
			.lock()
			.extend(addresses.into_iter().map(|address| (peer, address)));
	}

	async fn connected(&self) -> Vec<PeerId> {
		self.connected.lock().clone()
	}

	fn local(&self) -> PeerId {
		PeerId::from_ed25519(&[1; 32]).unwrap_or_else(PeerId::random)
	}

	fn report_lie(&self, peer: PeerId) {
		self.lies.lock().push(peer);
	}
}

struct World {
	swarm: Arc<Swarm>,
	source: Arc<Store>,
	content: Vec<u8>,
	blob: BlobRef,
	service: BlobService,
	dir: TempDir,
	_source_dir: TempDir,
}

impl World {
	fn new(size: usize) -> Self {
		let (source_dir, source) = fresh(64 * MIB);
		let content = bytes(9, size);
		let blob = source.put(&content, Keep::Pinned).unwrap();
		let (dir, store) = fresh(64 * MIB);
		let swarm = Arc::new(Swarm::default());
		let service = service(&store, &swarm);
		Self {
			swarm,
			source,
			content,
			blob,
			service,
			dir,
			_source_dir: source_dir,
		}
	}

	fn peer(&self, manner: Manner) -> PeerId {
		self.swarm.add(&self.source, manner)
	}

	async fn fetch(&self, providers: &[PeerId]) -> Result<(), FetchError> {
		self.service.fetch(self.blob, &contacts(providers), Keep::Cache).await
	}

	fn assert_here(&self) {
		assert_eq!(
			self.service.store().read(self.blob.hash, 0, u64::MAX).unwrap(),
			self.content
		);
		assert_eq!(self.service.store().usage().reserved, 0);
	}
}

fn service(store: &Arc<Store>, swarm: &Arc<Swarm>) -> BlobService {
	let config = FetchConfig {
		request_timeout: Duration::from_millis(300),
		round_pause: Duration::from_millis(20),
		busy_pause: Duration::from_millis(5),
		..FetchConfig::default()
	};
	BlobService::new(store.clone(), swarm.clone(), config, Metrics::default())
}

fn contacts(peers: &[PeerId]) -> Vec<Contact> {
	peers
		.iter()
		.map(|peer| Contact {
			node: 0,
			peer_id: peer.to_bytes(),
			addresses: Vec::new(),
		})
		.collect()
}

#[tokio::test]
async fn fetch_should_store_the_blob_when_a_provider_has_it() {
	for size in [0, 1, MIB, MIB + 1, 5 * MIB + 77] {
		let world = World::new(size);
		let peer = world.peer(Manner::Honest);
		world.fetch(&[peer]).await.unwrap();
		world.assert_here();
		assert_eq!(world.swarm.asked(peer), size.div_ceil(MIB).max(1));
		// It is here: nobody is asked.
		world
			.service
			.fetch(world.blob, &contacts(&[peer]), Keep::Pinned)
			.await
			.unwrap();
		assert_eq!(world.swarm.asked(peer), size.div_ceil(MIB).max(1));
		assert!(world.service.status(world.blob.hash).unwrap().pinned);
	}
}

#[tokio::test]
async fn lying_peer_should_cost_one_chunk_group_and_be_reported() {
	for manner in [
		Manner::Lies,
		Manner::Truncates,
		Manner::Oversized,
		Manner::Flood,
		Manner::Garbage,
		Manner::OtherGroup,
	] {
		let world = World::new(4 * MIB);
		let (liar, honest) = (world.peer(manner), world.peer(Manner::Honest));
		world.fetch(&[liar, honest]).await.unwrap();
		world.assert_here();
		assert_eq!((world.swarm.asked(liar), world.swarm.asked(honest)), (1, 4));
		assert_eq!(*world.swarm.lies.lock(), [liar]);
	}
}

#[tokio::test]
async fn verified_groups_should_stay_when_a_peer_starts_to_lie() {
	let world = World::new(8 * MIB);
	let (liar, honest) = (world.peer(Manner::LiesAfter(3)), world.peer(Manner::Honest));
	world.fetch(&[liar, honest]).await.unwrap();
	world.assert_here();
	assert_eq!(world.swarm.asked(honest), 5);
}

#[tokio::test]
async fn fetch_should_go_on_elsewhere_when_a_peer_vanishes() {
	let world = World::new(6 * MIB);
	let (vanishing, honest) = (world.peer(Manner::VanishesAfter(2)), world.peer(Manner::Honest));
	world.fetch(&[vanishing, honest]).await.unwrap();
	world.assert_here();
	assert_eq!(world.swarm.asked(honest), 4);
	assert!(world.swarm.lies.lock().is_empty());
}

#[tokio::test]
async fn fetch_should_go_on_elsewhere_when_peers_hang_refuse_or_cannot_be_reached() {
	let world = World::new(2 * MIB);
	let peers = [
		world.peer(Manner::Hangs),
		world.peer(Manner::Refuses),
		PeerId::random(),
		world.peer(Manner::Honest),
	];
	let started = Instant::now();
	world.fetch(&peers).await.unwrap();
	world.assert_here();
	assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn fetch_should_wait_when_the_peer_is_busy() {
	let world = World::new(3 * MIB);
	let peer = world.peer(Manner::BusyFor(5));
	world.fetch(&[peer]).await.unwrap();
	world.assert_here();
	let world = World::new(3 * MIB);
	let peer = world.peer(Manner::BusyFor(usize::MAX));
	assert!(matches!(
		world.fetch(&[peer]).await,
		Err(FetchError::Missing { lied: 0, .. })
	));
}

#[tokio::test]
async fn fetch_should_say_missing_when_all_lie() {
	let world = World::new(3 * MIB);
	let liars = [world.peer(Manner::Lies), world.peer(Manner::Garbage)];
	let result = world.fetch(&liars).await;
	assert!(
		matches!(
			result,
			Err(FetchError::Missing {
				asked: 2,
				lied: 2,
				received: 0,
				..
			})
		),
		"{result:?}"
	);
	assert_eq!(world.service.store().has(world.blob.hash), None);
}

#[tokio::test]
async fn fetch_should_say_missing_when_nobody_has_it() {
	let world = World::new(3 * MIB);
	let (_dir, empty) = fresh(MIB);
	let peer = world.swarm.add(&empty, Manner::Honest);
	world
		.swarm
		.connected
		.lock()
		.push(world.swarm.add(&empty, Manner::Honest));
	assert!(matches!(
		world.fetch(&[peer]).await,
		Err(FetchError::Missing { asked: 2, lied: 0, .. })
	));
	assert!(matches!(world.fetch(&[]).await, Err(FetchError::Missing { .. })));
	// Asked once a fetch, not once a round.
	assert_eq!(world.swarm.asked(peer), 1);
}

#[tokio::test]
async fn connected_peers_should_be_asked_when_no_provider_has_it() {
	let world = World::new(2 * MIB);
	let (_dir, empty) = fresh(MIB);
	let provider = world.swarm.add(&empty, Manner::Honest);
	let stranger = world.peer(Manner::Honest);
	*world.swarm.connected.lock() = vec![provider, stranger];
	world.fetch(&[provider]).await.unwrap();
	world.assert_here();
	assert_eq!(world.swarm.asked(provider), 1);
}

#[tokio::test]
async fn honest_peer_should_not_be_blamed_when_the_reference_is_wrong() {
	let world = World::new(2 * MIB);
	let peer = world.peer(Manner::Honest);
	let wrong = BlobRef {
		size: world.blob.size - 1,
		..world.blob
	};
	let result = world.service.fetch(wrong, &contacts(&[peer]), Keep::Cache).await;
	assert!(matches!(result, Err(FetchError::Missing { lied: 0, .. })), "{result:?}");
	let odd = world.peer(Manner::OtherSize);
	assert!(matches!(
		world.fetch(&[odd]).await,
		Err(FetchError::Missing { lied: 0, .. })
	));
	world.fetch(&[peer]).await.unwrap();
	let result = world.service.fetch(wrong, &[], Keep::Cache).await;
	assert!(matches!(result, Err(FetchError::WrongSize { .. })), "{result:?}");
}

#[tokio::test]
async fn fetch_should_resume_after_a_restart() {
	let World {
		swarm,
		source,
		content,
		blob,
		service: first,
		dir,
		_source_dir,
	} = World::new(6 * MIB);
	let vanishing = swarm.add(&source, Manner::VanishesAfter(3));
	let result = first.fetch(blob, &contacts(&[vanishing]), Keep::Cache).await;
	assert!(
		matches!(result, Err(FetchError::Missing { received, .. }) if received == 3 * MIB as u64),
		"{result:?}"
	);
	drop(first);
	let store = open(&dir, 64 * MIB);
	let honest = swarm.add(&source, Manner::Honest);
	service(&store, &swarm)
		.fetch(blob, &contacts(&[honest]), Keep::Cache)
		.await
		.unwrap();
	assert_eq!(swarm.asked(honest), 3);
	assert_eq!(store.read(blob.hash, 0, u64::MAX).unwrap(), content);
}

#[tokio::test]
async fn fetches_should_join_when_they_want_the_same_blob() {
	let world = World::new(4 * MIB);
	*world.swarm.latency.lock() = Duration::from_millis(10);
	let peer = world.peer(Manner::Honest);
	let results = join_all((0..16).map(|_| world.fetch(std::slice::from_ref(&peer)))).await;
	assert!(results.iter().all(Result::is_ok));
	assert_eq!(world.swarm.asked(peer), 4);
	world.assert_here();
}

#[tokio::test]
async fn joined_fetch_should_try_its_own_providers_when_the_first_had_none() {
	let world = World::new(MIB);
	*world.swarm.latency.lock() = Duration::from_millis(10);
	let (_dir, empty) = fresh(MIB);
	let (without, with) = (world.swarm.add(&empty, Manner::Honest), world.peer(Manner::Honest));
	let (without, with) = ([without], [with]);
	let (first, second) = futures::join!(world.fetch(&without), world.fetch(&with));
	assert!(first.is_err());
	second.unwrap();
	world.assert_here();
}

#[tokio::test]
async fn dropped_fetch_should_leave_what_arrived_to_the_next_one() {
	let world = World::new(20 * MIB);
	*world.swarm.latency.lock() = Duration::from_millis(10);
	let peer = world.peer(Manner::Honest);
	assert!(tokio::time::timeout(Duration::from_millis(80), world.fetch(&[peer]))
		.await
		.is_err());
	let received = world.service.status(world.blob.hash).unwrap().received;
	world.fetch(&[peer]).await.unwrap();
	world.assert_here();
	assert!(received > 0 && world.swarm.asked(peer) < 40);
}

#[tokio::test]
async fn fetch_should_fail_when_the_store_has_no_room() {
	let world = World::new(4 * MIB);
	let peer = world.peer(Manner::Honest);
	let (_dir, small) = fresh(3 * MIB);
	let result = service(&small, &world.swarm)
		.fetch(world.blob, &contacts(&[peer]), Keep::Cache)
		.await;
	let Err(FetchError::Store(error)) = result else {
		panic!("{result:?}")
	};
	assert!(matches!(*error, StoreError::QuotaExceeded { .. }));
	assert_eq!(world.swarm.asked(peer), 0);
}

#[tokio::test]
async fn addresses_should_be_made_known_when_they_are_valid() {
	let world = World::new(10);
	let peer = world.peer(Manner::Honest);
	let good = "/ip4/192.0.2.1/tcp/30333";
	let foreign = format!("{good}/p2p/{}", PeerId::random());
	let mut contact = contacts(&[peer]).remove(0);
	contact.addresses = vec![
		good.into(),
		foreign.into_bytes(),
		vec![0xff],
		b"nonsense".to_vec(),
		good.into(),
	];
	let nobody = Contact {
		node: 1,
		peer_id: vec![1, 2, 3],
		addresses: vec![good.into()],
	};
	world
		.service
		.fetch(world.blob, &[nobody, contact], Keep::Cache)
		.await
		.unwrap();
	assert_eq!(*world.swarm.addresses.lock(), [(peer, good.parse().unwrap())]);
}
