use super::*;
use crate::{
	protocol::{protocol_name, Request, Requests, Response, MAX_REQUEST_SIZE, MAX_RESPONSE_SIZE},
	rate::TokenBucket,
	BlobServer, Keep, Metrics, ServeConfig,
};
use codec::{Decode, Encode};
use futures::channel::oneshot;
use sc_network::{config::IncomingRequest, request_responses::OutgoingResponse};
use sc_network_types::PeerId;
use std::time::{Duration, Instant};

struct Server {
	queue: async_channel::Sender<IncomingRequest>,
	blob: BlobRef,
	_dir: TempDir,
}

impl Server {
	fn start(config: ServeConfig) -> Self {
		let (dir, store) = fresh(16 * MIB);
		let blob = store.put(&bytes(1, 2 * MIB + 1), Keep::Cache).unwrap();
		let (queue, requests) = Requests::bounded(64);
		tokio::spawn(BlobServer::new(store, requests, config, Metrics::default()).run());
		Self { queue, blob, _dir: dir }
	}

	async fn send(&self, peer: PeerId, payload: Vec<u8>) -> OutgoingResponse {
		let (pending_response, answer) = oneshot::channel();
		self.queue
			.send(IncomingRequest {
				peer,
				payload,
				pending_response,
			})
			.await
			.unwrap();
		answer.await.unwrap()
	}

	async fn ask(&self, request: Request) -> Response {
		let answer = self.send(PeerId::random(), request.encode()).await;
		Response::decode(&mut answer.result.unwrap().as_slice()).unwrap()
	}
}

#[tokio::test]
async fn server_should_send_one_group_when_more_are_asked_for() {
	let server = Server::start(ServeConfig::default());
	let Server {
		blob: BlobRef { hash, size },
		..
	} = server;
	let request = Request {
		hash,
		first: 0,
		count: u32::MAX,
	};
	assert!(request.encode().len() as u64 <= MAX_REQUEST_SIZE);
	let response = server.ask(request).await;
	assert!(response.encode().len() as u64 <= MAX_RESPONSE_SIZE);
	assert!(matches!(response, Response::Slice { size: s, count: 1, .. } if s == size));
	assert_eq!(
		server
			.ask(Request {
				first: 3,
				count: 1,
				..request
			})
			.await,
		Response::NotFound { size: Some(size) }
	);
	assert_eq!(
		server
			.ask(Request {
				first: u32::MAX,
				..request
			})
			.await,
		Response::NotFound { size: Some(size) }
	);
	let unknown = Request {
		hash: BlobRef::of(b"?").hash,
		..request
	};
	assert_eq!(server.ask(unknown).await, Response::NotFound { size: None });
}

#[tokio::test]
async fn malformed_request_should_cost_reputation() {
	let server = Server::start(ServeConfig::default());
	let valid = Request {
		hash: server.blob.hash,
		first: 0,
		count: 0,
	};
	let trailing = [Request { count: 1, ..valid }.encode(), vec![0]].concat();
	for payload in [Vec::new(), vec![0xff; 256], valid.encode(), trailing] {
		let answer = server.send(PeerId::random(), payload).await;
		assert!(answer.result.is_err() && answer.reputation_changes[0].value < 0);
	}
}

#[tokio::test]
async fn flood_should_be_slowed_down_then_punished_without_hurting_others() {
	let config = ServeConfig {
		peer_burst: 4,
		peer_rate: 0.001,
		..ServeConfig::default()
	};
	let server = Server::start(config);
	let request = Request {
		hash: server.blob.hash,
		first: 0,
		count: 1,
	}
	.encode();
	let flooder = PeerId::random();
	let (mut served, mut busy, mut punished) = (0, 0, 0);
	for _ in 0..12 {
		let answer = server.send(flooder, request.clone()).await;
		match answer
			.result
			.map(|bytes| Response::decode(&mut bytes.as_slice()).unwrap())
		{
			Ok(Response::Slice { .. }) => served += 1,
			Ok(Response::Busy) => busy += 1,
			Ok(Response::NotFound { .. }) => panic!("it is there"),
			Err(()) => punished += i32::from(answer.reputation_changes[0].value < 0),
		}
	}
	assert_eq!((served, busy, punished), (4, 4, 4));
	assert!(server.send(PeerId::random(), request).await.result.is_ok());
}

#[tokio::test]
async fn memory_should_stay_bounded_when_many_peers_come() {
	let server = Server::start(ServeConfig {
		peers: 8,
		..ServeConfig::default()
	});
	let request = Request {
		hash: server.blob.hash,
		first: 0,
		count: 1,
	}
	.encode();
	for _ in 0..50 {
		assert!(server.send(PeerId::random(), request.clone()).await.result.is_ok());
	}
}

#[test]
fn protocol_name_should_hold_genesis_and_fork() {
	assert_eq!(&*protocol_name([0xab; 2], None), "/abab/highway/blobs/1");
	assert_eq!(&*protocol_name([0xab; 2], Some("fork")), "/abab/fork/highway/blobs/1");
}

#[test]
fn bucket_should_refill_when_time_passes() {
	let start = Instant::now();
	let mut bucket = TokenBucket::new(10, 2.0, start);
	assert!(bucket.take(10, start) && !bucket.take(1, start));
	assert!(!bucket.is_full(start));
	let later = start + Duration::from_secs(2);
	assert!(bucket.take(4, later) && !bucket.take(1, later));
	assert!(bucket.is_full(start + Duration::from_secs(100)) && !bucket.take(11, start + Duration::from_secs(100)));
}
