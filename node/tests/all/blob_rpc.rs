//! `blob_*` as outsiders and the operator call it.

use async_trait::async_trait;
use highway_blobs::{BlobService, FetchConfig, Metrics, RequestError, Store, Transport};
use highway_node::rpc::blob::{
	Blob, BlobApiServer, BlobOwner, Resolver, MAX_OUTSIDER_FETCH, MAX_PUT, MIN_CHARGE, OUTSIDERS_BYTES_PER_MINUTE,
};
use highway_primitives::{node::Contact, BlobHash, BlobRef};
use jsonrpsee::RpcModule;
use sc_network::Multiaddr;
use sc_network_types::PeerId;
use sc_rpc_api::DenyUnsafe;
use serde_json::{json, Value};
use std::sync::Arc;

/// What a fetch counts in all. So little is held in memory while it is fetched: the disk slows nothing down.
const FETCH: u64 = 1 << 20;

/// A network of one.
struct Alone;

#[async_trait]
impl Transport for Alone {
	async fn request(&self, _: PeerId, _: Vec<u8>) -> Result<Vec<u8>, RequestError> {
		Err(RequestError::Unreachable)
	}
	fn add_addresses(&self, _: PeerId, _: Vec<Multiaddr>) {}
	async fn connected(&self) -> Vec<PeerId> {
		Vec::new()
	}
	fn local(&self) -> PeerId {
		PeerId::random()
	}
	fn report_lie(&self, _: PeerId) {}
}

/// A chain whose model 3 has one file, of which nobody has anything.
struct Chain(BlobRef);

#[async_trait]
impl Resolver for Chain {
	async fn resolve(&self, hash: BlobHash, owner: BlobOwner) -> Result<Option<(BlobRef, Vec<Contact>)>, String> {
		let named = hash == self.0.hash && owner == BlobOwner::Model(3);
		Ok(named.then(|| (self.0, Vec::new())))
	}
}

struct Node {
	api: Blob,
	_dir: tempfile::TempDir,
}

impl Node {
	fn new(named: BlobRef) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let store = Store::open(dir.path(), 512 << 20).unwrap();
		let service = BlobService::new(store, Arc::new(Alone), FetchConfig::default(), Metrics::default());
		Self {
			api: Blob::new(service, Arc::new(Chain(named))),
			_dir: dir,
		}
	}

	async fn call(&self, deny: DenyUnsafe, method: &str, params: Value) -> Result<Value, (i64, String)> {
		let mut module: RpcModule<_> = self.api.clone().into_rpc();
		module.extensions_mut().insert(deny);
		let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
		let (answer, _) = module.raw_json_request(&request, 1).await.unwrap();
		let mut answer: Value = serde_json::from_str(&answer).unwrap();
		match answer.get("error") {
			Some(error) => Err((error["code"].as_i64().unwrap(), error["message"].to_string())),
			None => Ok(answer["result"].take()),
		}
	}
}

fn hex_of(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

#[tokio::test]
async fn put_and_get_should_return_the_bytes_when_called_by_outsiders() {
	let node = Node::new(BlobRef::of(b""));
	let stored = node
		.call(DenyUnsafe::Yes, "blob_put", json!([hex_of(b"tensor")]))
		.await
		.unwrap();
	assert_eq!(stored, serde_json::to_value(BlobRef::of(b"tensor")).unwrap());
	let got = node
		.call(DenyUnsafe::Yes, "blob_get", json!([stored["hash"], 1, 3]))
		.await
		.unwrap();
	assert_eq!(got, json!(hex_of(b"ens")));
	let status = node
		.call(DenyUnsafe::Yes, "blob_status", json!([stored["hash"]]))
		.await
		.unwrap();
	assert_eq!(
		status,
		json!({ "size": 6, "complete": true, "received": 6, "pinned": false })
	);
}

#[tokio::test]
async fn unsafe_methods_should_be_denied_when_called_by_outsiders() {
	let node = Node::new(BlobRef::of(b""));
	let hash = serde_json::to_value(BlobRef::of(b"x").hash).unwrap();
	for (method, params) in [
		("blob_uploadStart", json!([hash, 1])),
		("blob_uploadChunk", json!([hash, 0, "0x78"])),
		("blob_uploadFinish", json!([hash])),
		("blob_pin", json!([hash])),
		("blob_unpin", json!([hash])),
	] {
		let (_, message) = node.call(DenyUnsafe::Yes, method, params).await.unwrap_err();
		assert!(message.contains("unsafe"), "{method}: {message}");
	}
}

#[tokio::test]
async fn upload_should_resume_and_pin_when_called_by_the_operator() {
	let node = Node::new(BlobRef::of(b""));
	let hash = serde_json::to_value(BlobRef::of(b"model").hash).unwrap();
	let call = |method: &'static str, params| node.call(DenyUnsafe::No, method, params);
	assert_eq!(
		call("blob_uploadStart", json!([hash, 5])).await.unwrap(),
		json!({ "received": 0 })
	);
	assert_eq!(
		call("blob_uploadChunk", json!([hash, 0, hex_of(b"mo")])).await.unwrap(),
		json!({ "received": 2 })
	);
	assert_eq!(
		call("blob_uploadChunk", json!([hash, 0, hex_of(b"mo")]))
			.await
			.unwrap_err()
			.0,
		15_009
	);
	assert_eq!(
		call("blob_uploadStart", json!([hash, 5])).await.unwrap(),
		json!({ "received": 2 })
	);
	call("blob_uploadChunk", json!([hash, 2, hex_of(b"del")]))
		.await
		.unwrap();
	assert_eq!(
		call("blob_uploadFinish", json!([hash])).await.unwrap()["size"],
		json!(5)
	);
	call("blob_pin", json!([hash])).await.unwrap();
	assert_eq!(call("blob_status", json!([hash])).await.unwrap()["pinned"], json!(true));
}

#[tokio::test]
async fn get_should_say_what_to_do_when_the_blob_cannot_be_had() {
	let named = BlobRef {
		size: 10,
		..BlobRef::of(b"named")
	};
	let node = Node::new(named);
	for params in [
		json!([BlobHash::zero(), 0, 1, null, 3]),
		json!([named.hash, 0, 1]),
		json!([named.hash, 0, 1, 3]),
		json!([named.hash, 0, 1, null, 4]),
	] {
		let (code, message) = node.call(DenyUnsafe::Yes, "blob_get", params).await.unwrap_err();
		assert_eq!(code, 15_003);
		assert!(message.contains("the model whose file"), "{message}");
	}
	let (code, message) = node
		.call(DenyUnsafe::Yes, "blob_get", json!([named.hash, 0, 1, null, 3]))
		.await
		.unwrap_err();
	assert_eq!(code, 15_006);
	assert!(message.contains("no peer has"), "{message}");
	let big = Node::new(BlobRef {
		size: MAX_OUTSIDER_FETCH + 1,
		..named
	});
	let (code, _) = big
		.call(DenyUnsafe::Yes, "blob_get", json!([named.hash, 0, 1, null, 3]))
		.await
		.unwrap_err();
	assert_eq!(code, 15_004);
}

#[tokio::test]
async fn put_should_be_refused_when_too_large_or_too_fast() {
	let named = BlobRef {
		size: FETCH - MIN_CHARGE,
		..BlobRef::of(b"named")
	};
	let node = Node::new(named);
	let bytes = hex_of(&vec![0; MAX_PUT + 1]);
	assert_eq!(
		node.call(DenyUnsafe::No, "blob_put", json!([bytes]))
			.await
			.unwrap_err()
			.0,
		15_001
	);
	let bytes = hex_of(&vec![0; MAX_PUT]);
	// Nobody has the blob, so that nothing but what outsiders may have fetched is used up.
	let mut fetched = 0;
	// What they may have grows with time: on a slow machine there may be enough for the put again.
	let refused = loop {
		let params = json!([named.hash, 0, 1, null, 3]);
		let (code, message) = node.call(DenyUnsafe::Yes, "blob_get", params).await.unwrap_err();
		if code != 15_002 {
			assert_eq!(code, 15_006, "{message}");
			fetched += FETCH;
			continue;
		}
		match node.call(DenyUnsafe::Yes, "blob_put", json!([bytes])).await {
			Ok(_) => fetched += MAX_PUT as u64,
			Err((code, _)) => break code,
		}
	};
	assert_eq!(refused, 15_002);
	assert!(fetched >= OUTSIDERS_BYTES_PER_MINUTE, "{fetched}");
	node.call(DenyUnsafe::No, "blob_put", json!([bytes])).await.unwrap();
}

#[tokio::test]
async fn what_is_here_should_be_told_and_read_when_outsiders_used_up_their_share() {
	let named = BlobRef {
		size: FETCH - MIN_CHARGE,
		..BlobRef::of(b"named")
	};
	let node = Node::new(named);
	let stored = node
		.call(DenyUnsafe::No, "blob_put", json!([hex_of(b"output")]))
		.await
		.unwrap();
	let fetch = || node.call(DenyUnsafe::Yes, "blob_get", json!([named.hash, 0, 1, null, 3]));
	while fetch().await.unwrap_err().0 != 15_002 {}
	// So many that there would not be enough for them, if they counted.
	for _ in 0..1_000 {
		for (method, params) in [
			("blob_status", json!([stored["hash"]])),
			("blob_get", json!([stored["hash"], 0, 6])),
		] {
			node.call(DenyUnsafe::Yes, method, params).await.unwrap();
		}
	}
}
