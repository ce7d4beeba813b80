//! What cheats gain under the audits: see `scripts/simulate-audits`.

mod campaign;
mod game;
mod slots;
mod strategies;

pub use strategies::{Bound, Row, Simulation};
