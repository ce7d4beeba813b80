//! A chain of the real runtime in one process: no node, no network, no Wasm.
//!
//! [`Chain`] makes blocks as a validator would: a Babe pre-digest with a true VRF, the timestamp's inherent, signed
//! extrinsics with all transaction extensions, and transactions of worker keys built by the runtime API. After every
//! block it checks each pallet's invariants and those between the pallets ([`invariants`]).
//!
//! ```text
//! Chain::local(|chain| …)  genesis from the preset `local`, block 1
//!   chain.call(who, call)  opens a block if none is open, signs, applies
//!   chain.blocks(n)        closes the open block and makes n more
//! ```

mod acts;
mod chain;
mod genesis;
pub mod invariants;

pub use acts::{output_of, register_call, spec, submit_call, worker_transaction};
pub use chain::{signed, signed_with, Chain};
pub use genesis::{config_of_preset, genesis_of, names_of_presets, patch_of_preset};

use highway_primitives::{Balance, AIC};

/// A thousandth of an AIC: the size of a price in the tests.
pub const MILLI: Balance = AIC / 1_000;
