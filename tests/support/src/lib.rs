//! Runs real nodes and real wallets, for the end-to-end tests, the demonstration, the benchmark and chaos.
//!
//! [`Node`] is one `highway-node` process with a base path of its own, [`Devnet`] a network of them, [`Wallet`] the
//! `highway` binary with one key. Nothing here is simulated, but for what says so in its name. Everything that is
//! started is stopped when it goes out of scope. [`bare`] runs models without any of our code around them, to compare
//! with.

pub mod bare;
pub mod binaries;
pub mod cores;
pub mod devnet;
pub mod market;
pub mod node;
pub mod offers;
pub mod rpc;
pub mod wait;
pub mod wallet;

pub use devnet::{Devnet, Setup};
pub use highway_test_models as hostile_models;
pub use node::{Node, NodeOptions, Place};
pub use offers::{offer, Seller};
pub use wait::{interrupted, unless_interrupted, until};
pub use wallet::Wallet;
