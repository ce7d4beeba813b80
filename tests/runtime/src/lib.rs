//! A chain of the real runtime in one process: no node, no network, no Wasm.
//!
//! [`Chain`] makes blocks as a validator would: a Babe pre-digest with a true VRF, the inherents, signed extrinsics with all
//! transaction extensions, and transactions of worker keys built by the runtime API. Nodes send heartbeats, answer audits
//! and show what they store by themselves, honestly unless a test says otherwise ([`Conduct`]); what they ask for their
//! work, tests say ([`Chain::ask`]). After every block it checks each pallet's invariants and those between the pallets
//! ([`invariants`]). What things cost on a chain of many nodes, models and jobs is counted ([`cost`]) on states that nobody
//! lived through ([`scale`]).
//!
//! ```text
//! Chain::local(|chain| …)  genesis from the preset `local`, block 1
//!   chain.call(who, call)  opens a block if none is open, signs, applies
//!   chain.blocks(n)        closes the open block and makes n more
//! ```

mod acts;
mod asks;
mod audits;
mod chain;
pub mod cost;
mod genesis;
pub mod invariants;
mod models;
mod probes;
pub mod scale;
mod storage;
mod tally;

pub use acts::{
	bundle_of, curator_call, output_of, submit_batch_call, submit_call, submit_tier_call, worker_transaction,
};
pub use asks::{commit_asks, reveal_asks, Ask, ASK_SALT};
pub use audits::Conduct;
pub use chain::{signed, signed_with, Chain};
pub use genesis::{config_of_preset, genesis_of, genesis_with, names_of_presets, patch_of_preset};
pub use models::{commit_call, register_call, spec, MODEL_SALT};
pub use probes::computed_rows;
pub use tally::{name_of, CallName, Tally};

use frame_support::traits::Get;
use highway_primitives::{Balance, AIC};
use highway_runtime::{AccountId, Runtime};
use sp_runtime::Perbill;

/// A thousandth of an AIC: the size of a price in the tests.
pub const MILLI: Balance = AIC / 1_000;

/// Detection power of the models made here: with a security of 64 compute lines, 2/65 of their jobs are audited.
pub const DETECTION: Perbill = Perbill::from_percent(80);

/// What a payer adds for audits to a compute line of the models made here: 1.25 · q · R, rounded up, with q = 2/65, rounded
/// up to billionths.
pub fn premium_of(compute: Balance) -> Balance {
	(compute * 5 * 30_769_231).div_ceil(4 * 1_000_000_000)
}

/// What stands behind an ask for a place that has earned nothing yet.
pub fn least_ask_bond() -> Balance {
	<<Runtime as pallet_revenue_split::Config>::MinAskBond as Get<Balance>>::get()
}

/// What is minted for the executor of a job whose lines sum to `subtotal`, without premium: half of what its fee burned.
pub fn subsidy_of(subtotal: Balance) -> Balance {
	subtotal.div_ceil(20) / 2 / 2
}

/// Who gets what the protocol keeps.
pub fn treasury() -> AccountId {
	<<Runtime as pallet_node_staking::Config>::Treasury as Get<AccountId>>::get()
}
