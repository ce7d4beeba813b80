//! The node's own parts, each alone. One program for all themes: it links once, and the library is compiled once.

mod bids;
mod blob_rpc;
mod metrics;
mod options;
mod resolver;
mod supervisor;
