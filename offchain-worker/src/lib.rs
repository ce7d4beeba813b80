//! The offchain worker: does the jobs that the chain assigns to a node, and says so.
//!
//! The node's service spawns [`driver::run`] when it runs with a worker key, and gives it the [`ports`]: the chain's
//! state, the transaction pool, the blob store and an [`engine`]. *What* to do comes from the runtime API `work_for`, so
//! it changes with the runtime; *how* lives here.
//!
//! ```text
//!  best blocks ─► driver ─► work_for(worker) ─┐
//!                   ▲                         ▼ Event::Block
//!     answers, as   │               ┌──────────────────┐
//!       events      └───────────────┤ machine (pure)   │
//!                   ┌─── actions ───┤ reconciles state │
//!                   ▼               └──────────────────┘
//!      ┌────────────┼──────────────┬───────────────┬───────────────────┐
//!      ▼            ▼              ▼               ▼                   ▼
//!  BlobStore     Engine        BlobStore        journal            Submitter
//!  fetch model   load, run     put output   salt, fsync       attest · failure · heartbeat
//!  and input     (sandbox)                  before attest     (worker key, transaction pool)
//! ```
//!
//! It reconciles itself with the chain's *state* at every block, so that missed events, restarts and reorgs need no
//! rules of their own. It never attests what is not in its [`journal`], never runs a job twice at once, never moves
//! money, and never decides who gets paid: it only proposes, the chain judges.
//!
//! Without the feature `engine` only [`precheck`] and [`tensors`] are there: what a wallet needs.

#[cfg(feature = "engine")]
pub mod driver;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod error;
#[cfg(feature = "engine")]
pub mod journal;
#[cfg(feature = "engine")]
pub mod machine;
#[cfg(feature = "engine")]
pub mod metrics;
#[cfg(feature = "engine")]
pub mod ports;
pub mod precheck;
pub mod tensors;

#[cfg(all(test, feature = "engine"))]
#[path = "tests/fixtures.rs"]
mod fixtures;

#[cfg(feature = "engine")]
pub use driver::{run, WorkerConfig};
#[cfg(feature = "engine")]
pub use metrics::Metrics;

/// Target of the worker's log lines.
pub const LOG_TARGET: &str = "highway-worker";
