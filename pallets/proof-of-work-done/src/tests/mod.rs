//! Every transaction here is a real general extrinsic that runs through `AuthorizeCall`, as in a pool and as in a block.

mod attest;
mod audit_transactions;
mod auditors;
mod authorization;
mod batches;
mod calibrations;
mod challenges;
mod draws;
mod finality;
mod forced_audits;
mod juries;
mod lives;
mod openings;
mod random;
mod reads;
mod report_failure;
mod small_networks;
mod work;
