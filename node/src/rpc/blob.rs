//! `blob_*`: putting blobs into this node's store and getting them out of it, or out of its peers'.
//!
//! Outsiders may put small blobs, which only ever enter the cache, and get what is here or what the chain names.
//! Uploads of more than [`MAX_PUT`] bytes and pinning are unsafe methods: the operator's own.

use highway_blobs::{rate::TokenBucket, BlobService, BlobStatus, FetchError, Keep, StoreError};
use highway_primitives::{node::Contact, BlobHash, BlobRef, JobId, ModelId};
use jsonrpsee::{
	core::async_trait,
	proc_macros::rpc,
	types::{ErrorObject, ErrorObjectOwned},
	Extensions,
};
use parking_lot::Mutex;
use sc_rpc_api::{check_if_safe, UnsafeRpcError};
use serde::{Deserialize, Serialize};
use sp_core::Bytes;
use std::{sync::Arc, time::Instant};

/// The most bytes of one `blob_put` or `blob_uploadChunk`: as hex it stays below the server's limit for a request.
pub const MAX_PUT: usize = 4 << 20;

/// The most bytes of one `blob_get`.
pub const MAX_GET: u64 = 1 << 20;

/// What all outsiders together may put, or make this node fetch, in a minute. One sum: over HTTP each request is a connection of
/// its own, so what a connection may would bound nobody.
pub const OUTSIDERS_BYTES_PER_MINUTE: u64 = 256 << 20;

/// The largest blob that an outsider can make this node fetch.
pub const MAX_OUTSIDER_FETCH: u64 = 64 << 20;

/// What any call that makes this node work for an outsider counts at least, in bytes: a blob of few bytes takes files and
/// memory, and an unknown one questions to the chain. A fetch counts so much, and then the blob's size.
pub const MIN_CHARGE: u64 = 8 << 10;

/// First of this API's error codes.
const BASE_ERROR: i32 = 15_000;

/// Says what a blob is and who should have it.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
	/// The reference to the blob with this hash and its providers, best first, as the chain names them by way of `owner`.
	/// `None` if it does not name such a blob there; an error if it cannot be asked.
	async fn resolve(&self, hash: BlobHash, owner: BlobOwner) -> Result<Option<(BlobRef, Vec<Contact>)>, String>;
}

/// By what the chain names a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobOwner {
	/// It is this job's input or output.
	Job(JobId),
	/// It is this model's file, or that of its recipe.
	Model(ModelId),
}

/// How far an upload came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadProgress {
	/// Bytes received: the offset of the next chunk.
	pub received: u64,
}

/// Blobs of this node.
#[rpc(server, namespace = "blob")]
pub trait BlobApi {
	/// Stores up to 4 MiB in the cache, from where they go when room is needed. Returns hash and size.
	#[method(name = "put", with_extensions)]
	async fn put(&self, bytes: Bytes) -> Result<BlobRef, Error>;

	/// Up to `len` bytes (at most 1 MiB) from `offset`; fewer at the blob's end. A blob that is not here is fetched
	/// from peers if `job` says whose input or output it is, or `model` whose file.
	#[method(name = "get", with_extensions)]
	async fn get(
		&self,
		hash: BlobHash,
		offset: u64,
		len: u64,
		job: Option<JobId>,
		model: Option<ModelId>,
	) -> Result<Bytes, Error>;

	/// How much of the blob is here; `null` if nothing. It looks into memory and counts nothing: if it did, few bytes of calls
	/// would use up what outsiders may put.
	#[method(name = "status")]
	async fn status(&self, hash: BlobHash) -> Result<Option<BlobStatus>, Error>;

	/// Opens or resumes an upload of `size` bytes with this BLAKE3 hash. Unsafe.
	#[method(name = "uploadStart", with_extensions)]
	async fn upload_start(&self, hash: BlobHash, size: u64) -> Result<UploadProgress, Error>;

	/// Appends up to 4 MiB, which begin at the `received` of the answer before. Unsafe.
	#[method(name = "uploadChunk", with_extensions)]
	async fn upload_chunk(&self, hash: BlobHash, offset: u64, bytes: Bytes) -> Result<UploadProgress, Error>;

	/// Verifies the upload and stores it in the cache. Unsafe.
	#[method(name = "uploadFinish", with_extensions)]
	async fn upload_finish(&self, hash: BlobHash) -> Result<BlobRef, Error>;

	/// Keeps the blob for good. Unsafe.
	#[method(name = "pin", with_extensions)]
	async fn pin(&self, hash: BlobHash) -> Result<(), Error>;

	/// Gives the blob back to the cache. Unsafe.
	#[method(name = "unpin", with_extensions)]
	async fn unpin(&self, hash: BlobHash) -> Result<(), Error>;
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
	/// More bytes than one call takes.
	#[error("{given} bytes are too many for one call: at most {allowed}; upload larger blobs with blob_uploadStart")]
	TooLarge {
		/// Bytes given.
		given: u64,
		/// Bytes allowed.
		allowed: u64,
	},
	/// Outsiders used up their share.
	#[error("this node takes no more bytes from outsiders for now: try again in a minute, or use a node of your own")]
	RateLimited,
	/// The blob is neither here nor named by the chain.
	#[error("blob {0:?} is not here and the chain does not name it: put it first, or give the job whose input or output it is, or the model whose file")]
	Unknown(BlobHash),
	/// An outsider may not have so much fetched.
	#[error("blob {hash:?} of {size} bytes is not here, and too large to be fetched for outsiders: ask a node that has it, or your own")]
	FetchTooLarge {
		/// The blob.
		hash: BlobHash,
		/// Its size.
		size: u64,
	},
	/// The chain cannot be asked.
	#[error("cannot ask the chain for the blob: {0}")]
	Chain(String),
	/// The fetch failed.
	#[error(transparent)]
	Fetch(#[from] FetchError),
	/// The store failed.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// An outsider called an unsafe method.
	#[error(transparent)]
	Unsafe(#[from] UnsafeRpcError),
}

impl From<Error> for ErrorObjectOwned {
	fn from(error: Error) -> Self {
		let code = match error {
			Error::Unsafe(denied) => return denied.into(),
			Error::TooLarge { .. } => 1,
			Error::RateLimited => 2,
			Error::Unknown(_) => 3,
			Error::FetchTooLarge { .. } => 4,
			Error::Chain(_) => 5,
			Error::Fetch(FetchError::Missing { .. }) => 6,
			Error::Fetch(_) => 7,
			Error::Store(StoreError::Missing(_)) => 3,
			Error::Store(StoreError::WrongOffset { .. }) => 9,
			Error::Store(_) => 8,
		};
		ErrorObject::owned(BASE_ERROR + code, error.to_string(), None::<()>)
	}
}

/// The methods' state. Clones share it.
#[derive(Clone)]
pub struct Blob {
	blobs: BlobService,
	resolver: Arc<dyn Resolver>,
	outsiders: Arc<Mutex<TokenBucket>>,
}

impl Blob {
	/// The methods over `blobs`; `resolver` says what the chain knows of them.
	pub fn new(blobs: BlobService, resolver: Arc<dyn Resolver>) -> Self {
		let per_second = OUTSIDERS_BYTES_PER_MINUTE as f64 / 60.0;
		let bucket = TokenBucket::new(OUTSIDERS_BYTES_PER_MINUTE, per_second, Instant::now());
		Self {
			blobs,
			resolver,
			outsiders: Arc::new(Mutex::new(bucket)),
		}
	}

	/// Counts bytes that an outsider makes this node take.
	fn charge(&self, ext: &Extensions, bytes: u64) -> Result<(), Error> {
		if check_if_safe(ext).is_ok() || self.outsiders.lock().take(bytes, Instant::now()) {
			Ok(())
		} else {
			Err(Error::RateLimited)
		}
	}

	async fn fetch(&self, ext: &Extensions, hash: BlobHash, owner: Option<BlobOwner>) -> Result<(), Error> {
		self.charge(ext, MIN_CHARGE)?;
		let owner = owner.ok_or(Error::Unknown(hash))?;
		let (blob, providers) = self
			.resolver
			.resolve(hash, owner)
			.await
			.map_err(Error::Chain)?
			.ok_or(Error::Unknown(hash))?;
		if blob.size > MAX_OUTSIDER_FETCH && check_if_safe(ext).is_err() {
			return Err(Error::FetchTooLarge { hash, size: blob.size });
		}
		self.charge(ext, blob.size)?;
		Ok(self.blobs.fetch(blob, &providers, Keep::Cache).await?)
	}
}

#[async_trait]
impl BlobApiServer for Blob {
	async fn put(&self, ext: &Extensions, bytes: Bytes) -> Result<BlobRef, Error> {
		limit(bytes.len())?;
		self.charge(ext, (bytes.len() as u64).max(MIN_CHARGE))?;
		Ok(self.blobs.put(bytes.0, Keep::Cache).await?)
	}

	async fn get(
		&self,
		ext: &Extensions,
		hash: BlobHash,
		offset: u64,
		len: u64,
		job: Option<JobId>,
		model: Option<ModelId>,
	) -> Result<Bytes, Error> {
		let len = len.min(MAX_GET);
		match self.blobs.read(hash, offset, len).await {
			Err(StoreError::Missing(_) | StoreError::Corrupt(_)) => {
				let owner = job.map(BlobOwner::Job).or(model.map(BlobOwner::Model));
				self.fetch(ext, hash, owner).await?;
				Ok(self.blobs.read(hash, offset, len).await?.into())
			}
			read => Ok(read?.into()),
		}
	}

	async fn status(&self, hash: BlobHash) -> Result<Option<BlobStatus>, Error> {
		Ok(self.blobs.status(hash))
	}

	async fn upload_start(&self, ext: &Extensions, hash: BlobHash, size: u64) -> Result<UploadProgress, Error> {
		check_if_safe(ext)?;
		let received = self
			.blobs
			.blocking(move |store| store.upload_start(BlobRef { hash, size }))
			.await?;
		Ok(UploadProgress { received })
	}

	async fn upload_chunk(
		&self,
		ext: &Extensions,
		hash: BlobHash,
		offset: u64,
		bytes: Bytes,
	) -> Result<UploadProgress, Error> {
		check_if_safe(ext)?;
		limit(bytes.len())?;
		let received = self
			.blobs
			.blocking(move |store| store.upload_chunk(hash, offset, &bytes))
			.await?;
		Ok(UploadProgress { received })
	}

	async fn upload_finish(&self, ext: &Extensions, hash: BlobHash) -> Result<BlobRef, Error> {
		check_if_safe(ext)?;
		Ok(self
			.blobs
			.blocking(move |store| store.upload_finish(hash, Keep::Cache))
			.await?)
	}

	async fn pin(&self, ext: &Extensions, hash: BlobHash) -> Result<(), Error> {
		check_if_safe(ext)?;
		Ok(self.blobs.set_keep(hash, Keep::Pinned).await?)
	}

	async fn unpin(&self, ext: &Extensions, hash: BlobHash) -> Result<(), Error> {
		check_if_safe(ext)?;
		Ok(self.blobs.set_keep(hash, Keep::Cache).await?)
	}
}

fn limit(given: usize) -> Result<(), Error> {
	match given <= MAX_PUT {
		true => Ok(()),
		false => Err(Error::TooLarge {
			given: given as u64,
			allowed: MAX_PUT as u64,
		}),
	}
}
