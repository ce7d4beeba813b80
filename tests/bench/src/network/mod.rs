//! What measurements on a real network have in common: jobs with right answers, who pays for them, what the blocks say.

mod ledger;
mod load;
mod magika;
mod market;
mod minilm;
mod payer;
mod scene;
mod subject;

pub use ledger::{Block, Ledger};
pub use load::{burst, Load, Pace};
pub use magika::Magika;
pub use market::Market;
pub use minilm::MiniLm;
pub use payer::Payer;
pub use scene::{Scene, Stage};
pub use subject::{Input, Subject};
