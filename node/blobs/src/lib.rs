//! Content-addressed blobs: a disk store and a verified fetch from peers.
//!
//! Models, inputs and outputs are too large for the chain; it holds their BLAKE3 hash and size. A node keeps the bytes
//! in a [`Store`] and gets what it lacks from other nodes over the node's own p2p network, one chunk group of 1 MiB
//! at a time, each verified against the hash as it arrives. So any peer may serve any blob, and one that lies costs a
//! chunk group, not a download.
//!
//! ```text
//! RPC, offchain worker ──► BlobService ──► Store          disk: content-addressed files, quota, eviction
//!                              │ fetch
//!                              ▼
//!                          Transport ──► peer's BlobServer ──► its Store
//! ```
//!
//! The service never decides which blobs matter: callers say so with [`Keep`]. It never serves bytes that do not match
//! their hash, and never takes part in consensus.
//!
//! | decision | reason | rejected |
//! |---|---|---|
//! | chunk groups of 1 MiB, hash tree beside the file | 64 bytes of tree per MiB; a slice needs no second read of the file | 16 KiB groups: 64 times the tree for nothing |
//! | the file's name holds hash and size; keep and last use lie beside it | the index is rebuilt by listing folders, a truncated file is seen at once, a crash cannot lose an index | one index file, rewritten at every change |
//! | a partial download records nothing but data and tree | the tree says which groups are right, even after a crash in the middle of a write | a bit field that may run ahead of the data |
//! | files are verified when read, not at start | a start must not read the whole disk | trust in what was written once |

pub mod fetch;
pub mod geometry;
pub mod metrics;
pub mod proof;
pub mod protocol;
pub mod rate;
pub mod serve;
pub mod store;
pub mod transport;

pub use fetch::{BlobService, FetchConfig, FetchError};
pub use metrics::Metrics;
pub use serve::{BlobServer, ServeConfig};
pub use store::{BlobStatus, Keep, Store, StoreError, StoreLimits, Usage};
pub use transport::{NetworkTransport, Peers, RequestError, Transport};

#[cfg(test)]
mod tests;
