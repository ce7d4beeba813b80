//! Strategies against the rules: of cheats and colluders against the audits, of bidders and washers against the market.
//!
//! No node is started. What the pallets compute is computed by the pallets and their maths; people and chance are
//! simulated, with seeds that give the same tables on every machine. `simulate-audits` and `simulate-market` print them.

pub mod audits;
pub mod columns;
pub mod market;
pub mod statistics;
