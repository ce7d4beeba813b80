//! What the worker needs from the node that it runs in. The node implements these traits; tests have fakes of them.

use crate::{
	bids::ModelName,
	engine::Engine,
	error::{BlobError, ChainError, SubmitError},
};
use async_trait::async_trait;
use bytes::Bytes;
use highway_primitives::{
	node::Contact, worker::ChunkProof, BlobHash, BlobRef, BlockNumber, JobId, ModelId, WorkerAction,
};
use highway_runtime_api::types::WorkList;
use sp_core::H256;
use std::{collections::BTreeMap, fs::File, sync::Arc, time::SystemTime};

/// News of the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockTick {
	/// Number of the best block.
	pub number: BlockNumber,
	/// Its hash.
	pub hash: H256,
	/// Number of the last finalized block.
	pub finalized: BlockNumber,
	/// Its hash.
	pub finalized_hash: H256,
	/// Whether the node is far behind its peers, so that its state says nothing about now.
	pub syncing: bool,
}

/// Best blocks as they come.
#[async_trait]
pub trait BlockStream: Send {
	/// The next best block, or the same one with news about finality. Blocks may be left out: each tick stands for
	/// all before it. `None`: the node shuts down.
	async fn next_block(&mut self) -> Option<BlockTick>;
}

/// Reads the chain's state.
#[async_trait]
pub trait ChainReader: Send + Sync {
	/// What the node with this worker key has to do, by the state at block `at`. `None`: no node has the key.
	async fn work_for(&self, at: H256) -> Result<Option<WorkList>, ChainError>;

	/// Those of `jobs` that may still be worked on or audited, by the state at block `at`.
	async fn open_jobs(&self, at: H256, jobs: Vec<JobId>) -> Result<Vec<JobId>, ChainError>;

	/// The models that have these names by the state at block `at`. A name that no model has is left out.
	async fn models_named(&self, at: H256, names: Vec<ModelName>) -> Result<BTreeMap<ModelName, ModelId>, ChainError>;
}

/// Sends what the worker key says.
#[async_trait]
pub trait Submitter: Send + Sync {
	/// Lets the runtime at block `at` build the payload of `action`, signs it with the worker key, lets the runtime
	/// build the transaction and puts it into the node's pool. `Ok` proves nothing: only state does.
	async fn submit(&self, at: H256, action: WorkerAction) -> Result<(), SubmitError>;
}

/// How long a blob stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
	/// At least until then, restarts included.
	Until(SystemTime),
	/// As long as nothing else needs the room.
	Cache,
}

/// The node's content-addressed store, and the network behind it.
#[async_trait]
pub trait BlobStore: Send + Sync {
	/// Makes sure that the blob is here, and stays as `keep` says. What is not here is fetched by hash, from
	/// `providers` in turn and then from other peers, verified as it streams. Dropping the future breaks the transfer
	/// off; what arrived is kept for the next try.
	async fn fetch(&self, blob: BlobRef, providers: &[Contact], keep: Keep) -> Result<(), BlobError>;

	/// Opens a blob that is here for reading.
	async fn open(&self, hash: BlobHash) -> Result<File, BlobError>;

	/// Reads a blob that is here into memory.
	async fn read(&self, blob: BlobRef) -> Result<Bytes, BlobError>;

	/// Whether the whole blob is here.
	fn has(&self, hash: BlobHash) -> bool;

	/// Stores `bytes`, durably once this returns.
	async fn put(&self, bytes: Bytes, keep: Keep) -> Result<BlobRef, BlobError>;

	/// The chunk of 1 KiB at `index` of a blob that is here, with its way to the root.
	async fn prove_chunk(&self, blob: BlobRef, index: u64) -> Result<ChunkProof, BlobError>;

	/// From now on the blob is not evicted, whether it is here already or comes later: until it is unpinned, or the node
	/// stops. Says nothing about what others pin.
	fn pin(&self, hash: BlobHash);

	/// Takes [`BlobStore::pin`] back.
	fn unpin(&self, hash: BlobHash);
}

/// Tells the time of day.
pub trait Clock: Send + Sync {
	/// Now.
	fn now(&self) -> SystemTime;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
	fn now(&self) -> SystemTime {
		SystemTime::now()
	}
}

/// Everything that the worker is connected to.
///
/// Whoever builds a node may put something of its own before any of them: an [`Engine`] that runs models elsewhere, a
/// [`Submitter`] that watches what is said. The ports are also where tests make a node misbehave: what it computes comes
/// from the engine, all that it says, ballots included, goes through the submitter, and what it serves comes from the
/// blob store. So the worker itself needs no switch for that.
pub struct Ports {
	/// Best blocks.
	pub blocks: Box<dyn BlockStream>,
	/// The chain's state.
	pub chain: Arc<dyn ChainReader>,
	/// The way to the transaction pool.
	pub submitter: Arc<dyn Submitter>,
	/// The blob store.
	pub blobs: Arc<dyn BlobStore>,
	/// The time of day.
	pub clock: Arc<dyn Clock>,
	/// What runs models.
	pub engine: Arc<dyn Engine>,
}
