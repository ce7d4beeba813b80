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
//!  fetch model   load, run,    put output   salt, fsync       attest · failure · heartbeat · audits · probes
//!  and input     sketch                     before a word     (worker key, transaction pool) · asks · storage
//! ```
//!
//! # Audits
//!
//! Some jobs are done twice: an auditor runs the job itself and compares, and where it and the executor do not agree, three
//! jurors do the same. The list tells each of them what it has to do.
//!
//! ```text
//!  executor   run ─► attest H(output, root of sketches, salt) ····· open sketch and salt ····· prove a chunk
//!  auditor                                          run ─► look at the output ─► commit ─► reveal
//!  jurors                                                                                    the same, another seed
//! ```
//!
//! A job may have many inputs, put together as one bundle, as their outputs are. Its executor runs all of them and commits to
//! all sketches; an audit draws one input, whose sketch is opened, and which alone is run and compared.
//!
//! [`sketch`] sums up the inside of a run, the [`trace`]; [`mod@compare`] and [`judge`] make a ballot of two outputs; the
//! [`journal`] keeps what was committed to until the chain has forgotten the job.
//!
//! It reconciles itself with the chain's *state* at every block, so that missed events, restarts and reorgs need no
//! rules of their own. It never attests what is not in its [`journal`], never runs a job twice at once, never looks at
//! another node's output before it has its own, never gives a second ballot, never moves money, and never decides who gets
//! paid: it only proposes, the chain judges.
//!
//! # Probes
//!
//! From time to time the chain asks many nodes in one block how much they can compute, and what a node proves bounds what it
//! sells. The [`probe`]'s model runs on the same engine as all others, between jobs.
//!
//! ```text
//!  seed of the round ─► rows, batch by batch ─► blob store ─► answer: the rows' hash ─► a drawn chunk of them
//! ```
//!
//! # Asks
//!
//! The price of what a node sells is found by auction, epoch by epoch. An operator who wants it gives his [`bids`], and the
//! worker makes them: it commits to an ask for the next epoch, and reveals it, with a salt that the [`journal`] keeps.
//!
//! ```text
//!  bids, load of the last epoch ─► other ask than the one that stands ─► journal ─► commit ····· reveal ─► stands
//! ```
//!
//! # Storage
//!
//! Who is paid for storing a model shows a chunk of its file whenever the chain asks for one. Hosted files are pinned in the
//! blob store, and so is what is asked for as long as it is.
//!
//! ```text
//!  list: a chunk of a file ─► blob store ─► the chunk and its way to the root, again after 3 blocks
//!                                └ not there ─► fetch
//! ```
//!
//! # Another engine, another word
//!
//! Everything that the worker touches is a trait in [`ports`]. A node built elsewhere passes its own [`engine::Engine`], or
//! wraps the one that it is given; whoever wraps the [`ports::Submitter`] sees, and may hold back or replace, every word
//! of the worker key, ballots and openings included. That is how the tests build nodes that cheat.
//!
//! Without the feature `engine` only what a wallet needs is there: [`precheck`], [`trace`], [`tensors`], [`sketch`],
//! [`mod@compare`] and [`judge`].

#[cfg(feature = "engine")]
pub mod bids;
#[cfg(feature = "engine")]
mod bundles;
#[cfg(feature = "engine")]
pub mod calibration;
pub mod compare;
#[cfg(feature = "engine")]
pub mod driver;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod error;
#[cfg(feature = "engine")]
pub mod journal;
pub mod judge;
#[cfg(feature = "engine")]
pub mod machine;
#[cfg(feature = "engine")]
pub mod metrics;
#[cfg(feature = "engine")]
pub mod ports;
pub mod precheck;
#[cfg(feature = "engine")]
pub mod probe;
pub mod sketch;
pub mod tensors;
pub mod trace;

#[cfg(all(test, feature = "engine"))]
#[path = "tests/fixtures.rs"]
mod fixtures;

#[cfg(feature = "engine")]
pub use driver::{run, WorkerConfig};
#[cfg(feature = "engine")]
pub use metrics::Metrics;

/// Target of the worker's log lines.
pub const LOG_TARGET: &str = "highway-worker";
