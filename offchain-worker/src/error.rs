//! Why the worker's dealings with the outside fail: one enum per operation.

use std::{io, path::PathBuf};

/// Reading the chain failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChainError {
	/// The runtime API could not be called at that block: pruned, not imported, or a runtime without the API.
	#[error("the runtime API cannot be called: {0}")]
	RuntimeApi(String),
}

/// An action did not reach the transaction pool.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubmitError {
	/// The runtime API that builds payload and transaction failed.
	#[error("the runtime API cannot be called: {0}")]
	RuntimeApi(String),
	/// The keystore does not hold the worker key.
	#[error("the keystore has no worker key: insert one of type `work`, or start with one")]
	NoWorkerKey,
	/// The keystore failed.
	#[error("the keystore failed: {0}")]
	Keystore(String),
	/// The transaction pool refused the transaction.
	#[error("the transaction pool refused the transaction: {0}")]
	Pool(String),
}

/// A blob could not be fetched, read or stored.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BlobError {
	/// Neither this node nor any peer that could be asked has it.
	#[error("no peer has the blob")]
	Missing,
	/// A peer has it, but the transfer broke off. What arrived is kept.
	#[error("the transfer broke off: {0}")]
	Interrupted(String),
	/// The blob is larger than this node takes blobs of its kind.
	#[error("it has {size} bytes, this node takes at most {most}")]
	TooLarge {
		/// Its size.
		size: u64,
		/// What the node takes.
		most: u64,
	},
	/// What may not be evicted leaves no room for the blob.
	#[error("the blob store has no room: {0}")]
	NoRoom(String),
	/// This node's disk is the trouble, not the blob.
	#[error("the blob store failed: {0}")]
	Storage(String),
}

impl BlobError {
	/// Whether this node is to blame, so that nothing may be reported about the blob.
	pub fn is_local(&self) -> bool {
		matches!(self, Self::NoRoom(_) | Self::Storage(_))
	}
}

/// The journal could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
	/// Another worker writes to the same journal: two of them would attest with different salts.
	#[error("the journal {0} belongs to a worker that runs: stop it first, or give this node another base path")]
	Locked(PathBuf),
	/// The disk is full. Nothing was written.
	#[error("the disk is full: the journal {0} was not written; make room")]
	DiskFull(PathBuf),
	/// The file system failed in another way.
	#[error("the journal {path} failed: {source}")]
	Io {
		/// The journal.
		path: PathBuf,
		/// What failed.
		source: io::Error,
	},
}

/// The worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
	/// The journal.
	#[error(transparent)]
	Journal(#[from] JournalError),
}
