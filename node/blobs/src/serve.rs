//! Answers the requests of peers, within limits.

use crate::{
	protocol::{Request, Requests, Response, MAX_GROUPS},
	rate::TokenBucket,
	store::LOG_TARGET,
	Metrics, Store, StoreError,
};
use codec::{DecodeAll, Encode};
use sc_network::{config::IncomingRequest, request_responses::OutgoingResponse, ReputationChange};
use sc_network_types::PeerId;
use std::{collections::HashMap, sync::Arc, time::Instant};
use tokio::sync::Semaphore;

/// A request that does not decode: a bug or an attack, tolerated a few times.
const MALFORMED: ReputationChange = ReputationChange::new(-(1 << 26), "blobs: malformed request");

/// Requests beyond every limit: an honest node backs off when it hears `Busy`.
const FLOOD: ReputationChange = ReputationChange::new(-(1 << 22), "blobs: too many requests");

/// How much the server does for its peers.
#[derive(Debug, Clone, Copy)]
pub struct ServeConfig {
	/// Requests answered at the same time.
	pub concurrent: usize,
	/// Requests, of a MiB each, that one peer may send at once.
	pub peer_burst: u64,
	/// Requests per second that one peer may send for long.
	pub peer_rate: f64,
	/// Peers whose rate is remembered.
	pub peers: usize,
}

impl Default for ServeConfig {
	fn default() -> Self {
		Self {
			concurrent: 8,
			peer_burst: 512,
			peer_rate: 256.0,
			peers: 1024,
		}
	}
}

/// Answers requests for blobs as long as the network runs.
pub struct BlobServer {
	store: Arc<Store>,
	requests: Requests,
	config: ServeConfig,
	metrics: Metrics,
	rates: HashMap<PeerId, Rate>,
}

struct Rate {
	requests: TokenBucket,
	/// How many refusals a peer gets before they cost it reputation.
	patience: TokenBucket,
}

enum Admission {
	Admitted,
	Busy,
	Flood,
}

impl BlobServer {
	/// A server of `store`'s complete blobs.
	pub fn new(store: Arc<Store>, requests: Requests, config: ServeConfig, metrics: Metrics) -> Self {
		Self {
			store,
			requests,
			config,
			metrics,
			rates: HashMap::new(),
		}
	}

	/// Answers requests until the network ends. Spawn this as a task of the node.
	pub async fn run(mut self) {
		let slots = Arc::new(Semaphore::new(self.config.concurrent.max(1)));
		while let Ok(IncomingRequest {
			peer,
			payload,
			pending_response,
		}) = self.requests.queue.recv().await
		{
			let answer = |response: Response| OutgoingResponse {
				result: Ok(response.encode()),
				reputation_changes: Vec::new(),
				sent_feedback: None,
			};
			let refuse = |change| OutgoingResponse {
				result: Err(()),
				reputation_changes: vec![change],
				sent_feedback: None,
			};
			match self.admit(peer, Instant::now()) {
				Admission::Admitted => (),
				Admission::Busy => {
					self.metrics.request("busy", 0);
					// The peer may be gone: nothing to do about it, here and below.
					let _ = pending_response.send(answer(Response::Busy));
					continue;
				}
				Admission::Flood => {
					self.metrics.request("flood", 0);
					let _ = pending_response.send(refuse(FLOOD));
					continue;
				}
			}
			let request = match Request::decode_all(&mut payload.as_slice()) {
				Ok(request) if request.count > 0 => request,
				_ => {
					self.metrics.request("malformed", 0);
					let _ = pending_response.send(refuse(MALFORMED));
					continue;
				}
			};
			// While all are taken the bounded queue fills, and the network refuses what does not fit.
			let Ok(slot) = slots.clone().acquire_owned().await else {
				return;
			};
			let (store, metrics) = (self.store.clone(), self.metrics.clone());
			tokio::task::spawn_blocking(move || {
				let response = respond(&store, request, &metrics);
				let _ = pending_response.send(answer(response));
				drop(slot);
			});
		}
	}

	fn admit(&mut self, peer: PeerId, now: Instant) -> Admission {
		if !self.rates.contains_key(&peer) && self.rates.len() >= self.config.peers {
			self.rates.retain(|_, rate| !rate.requests.is_full(now));
			if self.rates.len() >= self.config.peers {
				self.rates.clear();
			}
		}
		let ServeConfig {
			peer_burst, peer_rate, ..
		} = self.config;
		let rate = self.rates.entry(peer).or_insert_with(|| Rate {
			requests: TokenBucket::new(peer_burst, peer_rate, now),
			patience: TokenBucket::new(peer_burst, peer_rate, now),
		});
		if rate.requests.take(1, now) {
			Admission::Admitted
		} else if rate.patience.take(1, now) {
			Admission::Busy
		} else {
			Admission::Flood
		}
	}
}

/// What a peer hears that asks this store.
pub fn respond(store: &Store, request: Request, metrics: &Metrics) -> Response {
	let Request { hash, first, count } = request;
	let Some(size) = store.has(hash) else {
		metrics.request("not_found", 0);
		return Response::NotFound {
			size: store.status(hash).map(|status| status.size),
		};
	};
	let count = count
		.min(MAX_GROUPS)
		.min(crate::geometry::groups(size).saturating_sub(first).max(1));
	match store.slice(hash, first, count) {
		Ok(bytes) => {
			metrics.request("served", bytes.len() as u64);
			Response::Slice { size, count, bytes }
		}
		Err(error) => {
			metrics.request("not_found", 0);
			if !matches!(error, StoreError::OutOfRange { .. } | StoreError::Missing(_)) {
				log::warn!(target: LOG_TARGET, "cannot serve {hash:?}: {error}");
			}
			Response::NotFound { size: Some(size) }
		}
	}
}
