//! What can go wrong with the store.

use highway_primitives::BlobHash;
use std::{io, path::PathBuf};

/// Why the store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// The file system failed.
	#[error("blob store: {path}: {source}")]
	Io {
		/// Where.
		path: PathBuf,
		/// Why.
		source: io::Error,
	},
	/// The file system is full. Nothing that was stored is lost.
	#[error("the disk that holds {path} is full: free space on it, or lower the quota for blobs")]
	DiskFull {
		/// The file that could not be written.
		path: PathBuf,
	},
	/// Another process uses the folder.
	#[error("the blob store {path} is in use by another process: stop it, or choose another folder")]
	Locked {
		/// The store's folder.
		path: PathBuf,
	},
	/// The quota is taken up by blobs that may not be evicted.
	#[error("no room for {needed} bytes: {held} of {quota} bytes are pinned, kept for open jobs or being received; raise the quota or unpin blobs")]
	QuotaExceeded {
		/// Bytes asked for.
		needed: u64,
		/// Bytes that cannot be evicted now.
		held: u64,
		/// The quota.
		quota: u64,
	},
	/// The blob is not here.
	#[error("blob {0:?} is not in this node's store")]
	Missing(BlobHash),
	/// The blob's bytes had changed on disk. It was removed.
	#[error("blob {0:?} was damaged on disk and has been removed: fetch or upload it again")]
	Corrupt(BlobHash),
	/// The range begins beyond the blob's end.
	#[error("offset {offset} lies beyond the blob's end at {size}")]
	OutOfRange {
		/// Asked for.
		offset: u64,
		/// Size of the blob.
		size: u64,
	},
	/// Somebody is writing this blob right now.
	#[error("blob {0:?} is being received already: wait for it to finish")]
	Busy(BlobHash),
	/// There are too many unfinished uploads.
	#[error("{open} uploads with {bytes} bytes are unfinished: finish one, or wait until an idle one expires")]
	TooManyUploads {
		/// How many.
		open: usize,
		/// Bytes that they announced.
		bytes: u64,
	},
	/// There is no upload of this blob.
	#[error("no upload of blob {0:?} is open: start it first")]
	NoUpload(BlobHash),
	/// The chunk does not continue the upload.
	#[error("the upload continues at offset {expected}, not {offset}")]
	WrongOffset {
		/// Given.
		offset: u64,
		/// Where the next chunk must begin.
		expected: u64,
	},
	/// The chunk reaches beyond the announced size.
	#[error("the chunk ends at {end}, beyond the announced size of {size} bytes")]
	BeyondSize {
		/// Where the chunk would end.
		end: u64,
		/// Announced.
		size: u64,
	},
	/// The upload has not received everything.
	#[error("the upload has {received} of {size} bytes: send the rest from offset {received}")]
	Incomplete {
		/// Bytes here.
		received: u64,
		/// Announced.
		size: u64,
	},
	/// The uploaded bytes are not those that were announced. They were removed.
	#[error("the uploaded bytes hash to {actual:?}, not to the announced {announced:?}: start the upload again")]
	WrongHash {
		/// BLAKE3 hash of what came.
		actual: BlobHash,
		/// What was announced.
		announced: BlobHash,
	},
}

impl StoreError {
	pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
		let path = path.into();
		move |source| match source.kind() {
			io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
			_ => Self::Io { path, source },
		}
	}
}
