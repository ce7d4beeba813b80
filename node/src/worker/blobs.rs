//! The worker's blob port, on the node's blob service.

use async_trait::async_trait;
use bytes::Bytes;
use highway_blobs::{BlobService, FetchError, Peers, StoreError};
use highway_offchain_worker::{
	error::BlobError,
	ports::{BlobStore, Keep},
};
use highway_primitives::{node::Contact, worker::ChunkProof, BlobHash, BlobRef};
use highway_runtime::opaque::Block;
use sc_network::PeerId;
use sc_network_sync::SyncingService;
use std::{fs::File, sync::Arc, time::SystemTime};

/// The peers that the node exchanges blocks with.
pub struct SyncingPeers(pub Arc<SyncingService<Block>>);

#[async_trait]
impl Peers for SyncingPeers {
	async fn connected(&self) -> Vec<PeerId> {
		// The service has gone only when the node shuts down.
		self.0
			.peers_info()
			.await
			.map(|peers| peers.into_iter().map(|(peer, _)| peer).collect())
			.unwrap_or_default()
	}
}

/// The node's blob service, as the worker sees it.
pub struct ServiceStore(pub BlobService);

fn keep_of(keep: Keep) -> highway_blobs::Keep {
	match keep {
		Keep::Until(time) => highway_blobs::Keep::Until(time),
		// Not the cache, which is where fetches for strangers go, and wait for one another: until now is as short.
		Keep::Cache => highway_blobs::Keep::Until(SystemTime::now()),
	}
}

fn store_error(error: &StoreError) -> BlobError {
	match error {
		StoreError::Missing(_) => BlobError::Missing,
		StoreError::QuotaExceeded { .. } => BlobError::NoRoom(error.to_string()),
		error => BlobError::Storage(error.to_string()),
	}
}

#[async_trait]
impl BlobStore for ServiceStore {
	async fn fetch(&self, blob: BlobRef, providers: &[Contact], keep: Keep) -> Result<(), BlobError> {
		self.0
			.fetch(blob, providers, keep_of(keep))
			.await
			.map_err(|error| match &error {
				FetchError::Missing { received: 0, .. } => BlobError::Missing,
				FetchError::Missing { .. } => BlobError::Interrupted(error.to_string()),
				// The chain names a size that the blob does not have: such a blob does not exist.
				FetchError::WrongSize { .. } => BlobError::Missing,
				FetchError::Store(store) => store_error(store),
			})
	}

	async fn open(&self, hash: BlobHash) -> Result<File, BlobError> {
		self.0.open(hash).await.map_err(|error| store_error(&error))
	}

	async fn read(&self, blob: BlobRef) -> Result<Bytes, BlobError> {
		self.0
			.read(blob.hash, 0, blob.size)
			.await
			.map(Bytes::from)
			.map_err(|error| store_error(&error))
	}

	fn has(&self, hash: BlobHash) -> bool {
		self.0.store().has(hash).is_some()
	}

	async fn put(&self, bytes: Bytes, keep: Keep) -> Result<BlobRef, BlobError> {
		self.0
			.put(bytes.into(), keep_of(keep))
			.await
			.map_err(|error| store_error(&error))
	}

	async fn prove_chunk(&self, blob: BlobRef, index: u64) -> Result<ChunkProof, BlobError> {
		self.0
			.prove_chunk(blob.hash, index)
			.await
			.map_err(|error| store_error(&error))
	}

	fn pin(&self, hash: BlobHash) {
		self.0.store().hold(hash);
	}

	fn unpin(&self, hash: BlobHash) {
		self.0.store().release(hash);
	}
}
