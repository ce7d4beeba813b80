//! Getting a blob from peers, and the async face of the store.

use crate::{
	geometry,
	protocol::{Request, Response, MAX_RESPONSE_SIZE, REQUEST_TIMEOUT},
	store::{AcceptError, Partial, LOG_TARGET},
	BlobStatus, Keep, Metrics, RequestError, Store, StoreError, Transport,
};
use codec::{DecodeAll, Encode};
use futures::{
	future::{BoxFuture, FutureExt, Shared, WeakShared},
	stream::{FuturesUnordered, StreamExt},
};
use highway_primitives::{node::Contact, worker::ChunkProof, BlobHash, BlobRef};
use parking_lot::Mutex;
use sc_network::Multiaddr;
use sc_network_types::PeerId;
use std::{
	collections::{HashMap, HashSet, VecDeque},
	fs::File,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::sync::Semaphore;

/// Addresses of one provider that are tried. The chain holds no more.
const MAX_ADDRESSES: usize = 4;

/// Why a fetch failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
	/// No peer gave all of it.
	#[error("no peer has blob {hash:?}: asked {asked}, got {received} of {size} bytes, {lied} sent false bytes; try again when its owner is online")]
	Missing {
		/// The blob.
		hash: BlobHash,
		/// Its size.
		size: u64,
		/// Bytes that are here already; a later fetch goes on from there.
		received: u64,
		/// Peers that were asked.
		asked: usize,
		/// Peers whose bytes failed verification.
		lied: usize,
	},
	/// The announced size is not the blob's.
	#[error("blob {hash:?} is {actual} bytes long, not {announced}: the reference is wrong")]
	WrongSize {
		/// The blob.
		hash: BlobHash,
		/// Its true size.
		actual: u64,
		/// What the reference says.
		announced: u64,
	},
	/// The store cannot take it.
	#[error(transparent)]
	Store(Arc<StoreError>),
}

impl From<StoreError> for FetchError {
	fn from(error: StoreError) -> Self {
		Self::Store(Arc::new(error))
	}
}

/// How fetches behave.
#[derive(Debug, Clone, Copy)]
pub struct FetchConfig {
	/// Fetches at the same time for jobs and models, and as many for what only enters the cache; more wait. Apart, so
	/// that strangers who ask for blobs that nobody has do not stand in the way of jobs.
	pub concurrent: usize,
	/// Requests in flight to a peer that has proved itself by a first chunk group.
	pub window: usize,
	/// How long a peer may take for its first response: one that is silent must not take the time that the next would need.
	pub first_timeout: Duration,
	/// How long a peer that has proved itself may take for one response.
	pub request_timeout: Duration,
	/// How many times the list of peers is gone through; a peer that failed is asked again in the next round.
	pub rounds: usize,
	/// Pause between two rounds.
	pub round_pause: Duration,
	/// How many times in a row a peer may say that it is busy.
	pub busy_retries: usize,
	/// Pause after it said so.
	pub busy_pause: Duration,
	/// Connected peers asked when no provider has the blob.
	pub connected_peers: usize,
}

impl Default for FetchConfig {
	fn default() -> Self {
		Self {
			concurrent: 16,
			window: 4,
			first_timeout: Duration::from_secs(3),
			request_timeout: REQUEST_TIMEOUT,
			rounds: 3,
			round_pause: Duration::from_secs(1),
			busy_retries: 20,
			busy_pause: Duration::from_millis(250),
			connected_peers: 32,
		}
	}
}

type FetchResult = Result<(), FetchError>;
type Flight = Shared<BoxFuture<'static, FetchResult>>;

/// The node's blobs: its store, and everybody else's behind it. Clones are the same service.
#[derive(Clone)]
pub struct BlobService(Arc<Inner>);

struct Inner {
	store: Arc<Store>,
	transport: Arc<dyn Transport>,
	config: FetchConfig,
	metrics: Metrics,
	slots: Semaphore,
	cache_slots: Semaphore,
	/// Fetches that somebody waits for, with a number that tells a later one of the same blob apart.
	flights: Mutex<HashMap<BlobRef, (u64, WeakShared<BoxFuture<'static, FetchResult>>)>>,
	next_flight: AtomicU64,
}

/// How the dealings with one peer ended.
enum Dealt {
	/// Nothing is missing any more.
	Complete,
	/// It does not have the blob.
	NotHere,
	/// It sent bytes that are not the blob's.
	Lied,
	/// It does not answer; it may later.
	Away(RequestError),
}

impl BlobService {
	/// A service over `store` that fetches through `transport`.
	pub fn new(store: Arc<Store>, transport: Arc<dyn Transport>, config: FetchConfig, metrics: Metrics) -> Self {
		metrics.usage(&store.usage());
		Self(Arc::new(Inner {
			store,
			transport,
			slots: Semaphore::new(config.concurrent.max(1)),
			cache_slots: Semaphore::new(config.concurrent.max(1)),
			config,
			metrics,
			flights: Mutex::default(),
			next_flight: AtomicU64::new(0),
		}))
	}

	/// The store, for callers that may block.
	pub fn store(&self) -> &Arc<Store> {
		&self.0.store
	}

	/// Makes sure that the blob is here: asks `providers` in turn, then the connected peers. Fetches of the same blob
	/// are joined; what arrived stays when the fetch fails or is dropped, and the next one goes on from there.
	pub async fn fetch(&self, blob: BlobRef, providers: &[Contact], keep: Keep) -> FetchResult {
		if let Some(size) = self.0.store.has(blob.hash) {
			return self.keep_fetched(blob, size, keep).await;
		}
		let (flight, mine) = self.join(blob, providers, keep);
		let result = flight.await;
		let result = match result {
			// The one that this joined may have known fewer providers.
			Err(FetchError::Missing { .. }) if !mine && !providers.is_empty() => {
				self.join(blob, providers, keep).0.await
			}
			result => result,
		};
		result?;
		self.keep_fetched(blob, blob.size, keep).await
	}

	/// Stores bytes.
	pub async fn put(&self, bytes: Vec<u8>, keep: Keep) -> Result<BlobRef, StoreError> {
		let stored = self.blocking(move |store| store.put(&bytes, keep)).await;
		self.0.metrics.usage(&self.0.store.usage());
		stored
	}

	/// The blob as an open, verified file.
	pub async fn open(&self, hash: BlobHash) -> Result<File, StoreError> {
		self.blocking(move |store| store.file(hash)).await
	}

	/// Up to `len` verified bytes from `offset`.
	pub async fn read(&self, hash: BlobHash, offset: u64, len: u64) -> Result<Vec<u8>, StoreError> {
		self.blocking(move |store| store.read(hash, offset, len)).await
	}

	/// The chunk of 1 KiB at `index` with its way to the root.
	pub async fn prove_chunk(&self, hash: BlobHash, index: u64) -> Result<ChunkProof, StoreError> {
		self.blocking(move |store| store.prove_chunk(hash, index)).await
	}

	/// How much of the blob is here. `None`: nothing.
	pub fn status(&self, hash: BlobHash) -> Option<BlobStatus> {
		self.0.store.status(hash)
	}

	/// Says what may happen to the blob from now on.
	pub async fn set_keep(&self, hash: BlobHash, keep: Keep) -> Result<(), StoreError> {
		self.blocking(move |store| store.set_keep(hash, keep)).await
	}

	/// Runs something that blocks on the store's disk.
	pub async fn blocking<R: Send + 'static>(&self, work: impl FnOnce(&Arc<Store>) -> R + Send + 'static) -> R {
		let store = self.0.store.clone();
		on_disk(move || work(&store)).await
	}

	async fn keep_fetched(&self, blob: BlobRef, actual: u64, keep: Keep) -> FetchResult {
		if actual != blob.size {
			return Err(FetchError::WrongSize {
				hash: blob.hash,
				actual,
				announced: blob.size,
			});
		}
		match self.blocking(move |store| store.keep_longer(blob.hash, keep)).await? {
			true => Ok(()),
			false => Err(StoreError::Missing(blob.hash).into()),
		}
	}

	/// The fetch of `blob` that is going on, or a new one; and whether it is new.
	fn join(&self, blob: BlobRef, providers: &[Contact], keep: Keep) -> (Flight, bool) {
		let mut flights = self.0.flights.lock();
		if let Some(flight) = flights.get(&blob).and_then(|(_, flight)| flight.upgrade()) {
			return (flight, false);
		}
		let number = self.0.next_flight.fetch_add(1, Ordering::Relaxed);
		let landing = Landing {
			inner: self.0.clone(),
			blob,
			number,
		};
		let providers = providers.to_vec();
		let flight = async move {
			let result = landing.inner.run(blob, &providers, keep).await;
			landing.inner.metrics.fetch_ended(match &result {
				Ok(()) => "fetched",
				Err(FetchError::Missing { .. }) => "missing",
				Err(FetchError::WrongSize { .. }) => "wrong_size",
				Err(FetchError::Store(_)) => "store",
			});
			result
		}
		.boxed()
		.shared();
		if let Some(weak) = flight.downgrade() {
			flights.insert(blob, (number, weak));
		}
		(flight, true)
	}
}

/// Takes a flight off the board when it ends or when nobody waits for it any more.
struct Landing {
	inner: Arc<Inner>,
	blob: BlobRef,
	number: u64,
}

impl Drop for Landing {
	fn drop(&mut self) {
		let mut flights = self.inner.flights.lock();
		if flights
			.get(&self.blob)
			.is_some_and(|(number, _)| *number == self.number)
		{
			flights.remove(&self.blob);
		}
	}
}

impl Inner {
	async fn run(&self, blob: BlobRef, providers: &[Contact], keep: Keep) -> FetchResult {
		let _slot = match keep {
			Keep::Cache => self.cache_slots.acquire().await,
			_ => self.slots.acquire().await,
		};
		if self.store.has(blob.hash).is_some() {
			return Ok(());
		}
		let partial = Arc::new(Mutex::new(Some(self.open(blob).await?)));
		let mut asked = HashSet::new();
		let mut lied = 0;
		let mut waiting: VecDeque<PeerId> = self.providers(providers).into();
		let mut away = VecDeque::new();
		let mut complete = missing(&partial).is_empty();
		for round in 0..self.config.rounds.max(1) {
			if round > 0 && !complete {
				if away.is_empty() {
					break;
				}
				tokio::time::sleep(self.config.round_pause).await;
				std::mem::swap(&mut waiting, &mut away);
			}
			let mut more = round == 0;
			while !complete {
				let Some(peer) = waiting.pop_front() else {
					if !std::mem::take(&mut more) {
						break;
					}
					waiting.extend(self.strangers(&asked).await);
					continue;
				};
				asked.insert(peer);
				match self.deal(&partial, blob, peer).await? {
					Dealt::Complete => complete = true,
					Dealt::NotHere => (),
					Dealt::Lied => {
						lied += 1;
						log::warn!(target: LOG_TARGET, "{peer} sent false bytes for {:?}", blob.hash);
						self.metrics.lie();
						self.transport.report_lie(peer);
					}
					Dealt::Away(error) => {
						log::debug!(target: LOG_TARGET, "{peer} for {:?}: {error}", blob.hash);
						away.push_back(peer);
					}
				}
			}
		}
		let taken = partial.lock().take();
		let Some(partial) = taken else {
			return Err(StoreError::Busy(blob.hash).into());
		};
		if !complete {
			let received = partial.received();
			return Err(FetchError::Missing {
				hash: blob.hash,
				size: blob.size,
				received,
				asked: asked.len(),
				lied,
			});
		}
		on_disk(move || partial.finish(keep)).await?;
		self.metrics.usage(&self.store.usage());
		Ok(())
	}

	/// Opens the download. A fetch that was dropped in the middle of a write may hold it for a moment longer.
	async fn open(&self, blob: BlobRef) -> Result<Partial, StoreError> {
		let mut tries = 0;
		loop {
			let store = self.store.clone();
			match on_disk(move || Partial::open(&store, blob)).await {
				Err(StoreError::Busy(_)) if tries < 20 => tries += 1,
				opened => return opened,
			}
			tokio::time::sleep(Duration::from_millis(50)).await;
		}
	}

	/// The peer ids of the providers, their addresses made known. Those that tell none are left out.
	fn providers(&self, providers: &[Contact]) -> Vec<PeerId> {
		let local = self.transport.local();
		let mut peers = Vec::new();
		for contact in providers {
			let Ok(peer) = PeerId::from_bytes(&contact.peer_id) else {
				continue;
			};
			if peer == local || peers.contains(&peer) {
				continue;
			}
			let addresses = contact.addresses.iter().take(MAX_ADDRESSES).filter_map(|text| {
				let address: Multiaddr = std::str::from_utf8(text).ok()?.parse().ok()?;
				PeerId::try_from_multiaddr(&address)
					.is_none_or(|named| named == peer)
					.then_some(address)
			});
			self.transport.add_addresses(peer, addresses.collect());
			peers.push(peer);
		}
		peers
	}

	async fn strangers(&self, asked: &HashSet<PeerId>) -> Vec<PeerId> {
		let local = self.transport.local();
		let connected = self.transport.connected().await;
		connected
			.into_iter()
			.filter(|peer| *peer != local && !asked.contains(peer))
			.take(self.config.connected_peers)
			.collect()
	}

	/// Asks one peer for everything that is missing.
	async fn deal(
		&self,
		partial: &Arc<Mutex<Option<Partial>>>,
		blob: BlobRef,
		peer: PeerId,
	) -> Result<Dealt, FetchError> {
		let mut groups = missing(partial).into_iter();
		// Until the first group is verified, a liar costs no more than that one.
		let mut window = 1;
		let mut patience = self.config.first_timeout.min(self.config.request_timeout);
		let mut busy = 0;
		let mut flying = FuturesUnordered::new();
		loop {
			while flying.len() < window {
				let Some(group) = groups.next() else { break };
				flying.push(self.ask(peer, blob, group, patience, Duration::ZERO));
			}
			let Some((group, answer)) = flying.next().await else {
				return Ok(Dealt::Complete);
			};
			let bytes = match answer {
				Err(error) => return Ok(Dealt::Away(error)),
				Ok(bytes) => bytes,
			};
			let response = match Response::decode_all(&mut bytes.as_slice()) {
				Ok(response) if bytes.len() as u64 <= MAX_RESPONSE_SIZE => response,
				_ => return Ok(Dealt::Lied),
			};
			let (size, count, bytes) = match response {
				Response::Slice { size, count, bytes } => (size, count, bytes),
				Response::NotFound { .. } => return Ok(Dealt::NotHere),
				Response::Busy => {
					busy += 1;
					if busy > self.config.busy_retries {
						return Ok(Dealt::Away(RequestError::Refused));
					}
					flying.push(self.ask(peer, blob, group, patience, self.config.busy_pause));
					continue;
				}
			};
			// The reference may be wrong where the peer is right: no lie, but no use either.
			if size != blob.size {
				return Ok(Dealt::NotHere);
			}
			if count != 1 {
				return Ok(Dealt::Lied);
			}
			let target = partial.clone();
			let accepted = on_disk(move || match target.lock().as_mut() {
				Some(partial) => partial.accept(group, &bytes),
				None => Err(AcceptError::Store(StoreError::Busy(blob.hash))),
			});
			match accepted.await {
				Ok(won) => self.metrics.fetched(won),
				Err(AcceptError::Lie) => return Ok(Dealt::Lied),
				Err(AcceptError::Store(error)) => return Err(error.into()),
			}
			busy = 0;
			window = self.config.window.max(1);
			patience = self.config.request_timeout;
		}
	}

	async fn ask(
		&self,
		peer: PeerId,
		blob: BlobRef,
		group: u32,
		patience: Duration,
		pause: Duration,
	) -> (u32, Result<Vec<u8>, RequestError>) {
		if !pause.is_zero() {
			tokio::time::sleep(pause).await;
		}
		debug_assert!(group < geometry::groups(blob.size));
		let request = Request {
			hash: blob.hash,
			first: group,
			count: 1,
		}
		.encode();
		let answer = tokio::time::timeout(patience, self.transport.request(peer, request)).await;
		(group, answer.unwrap_or(Err(RequestError::Timeout)))
	}
}

fn missing(partial: &Mutex<Option<Partial>>) -> Vec<u32> {
	partial.lock().as_ref().map(Partial::missing).unwrap_or_default()
}

async fn on_disk<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
	match tokio::task::spawn_blocking(work).await {
		Ok(result) => result,
		Err(error) => match error.try_into_panic() {
			Ok(panic) => std::panic::resume_unwind(panic),
			// The runtime shuts down: whoever waits for this is dropped with it.
			Err(_) => futures::future::pending().await,
		},
	}
}
