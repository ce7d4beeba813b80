//! How the pallets are wired.

mod consensus;
mod market;
mod system;
mod treasury;

pub use consensus::{EpochDuration, HasSessionKeys, MAX_VALIDATORS};
pub use system::ProxyType;
