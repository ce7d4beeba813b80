//! How the pallets are wired.

mod consensus;
mod market;
mod system;

pub use consensus::{EpochDuration, HasSessionKeys};
pub use system::ProxyType;
