//! What the runtime's answers look like. Amounts in the smallest unit of AIC, times in blocks.

mod audit;
mod job;
mod market;
mod model;
mod node;
mod work;

pub use audit::{AuditInfo, CalibrationInfo, SeatInfo};
pub use job::{Bill, JobInfo, Quote};
pub use market::{AskInfo, CuratorInfo, EarningsInfo, EpochPrices, FeaturedInfo, MarketInfo, RoleMarket, SplitInfo};
pub use model::{ComingVersion, ModelInfo};
pub use node::{DelegationInfo, MeasuredInfo, NodeInfo};
pub use work::{AskTask, AuditItem, HostedModel, StorageTask, WorkItem, WorkList, BLOCKS_TO_REVEAL};
