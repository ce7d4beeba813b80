//! One file for each call or theme.

mod commitments;
mod lifecycle;
mod lineage;
mod random_calls;
mod reads;
mod register;
mod royalty;
mod transfer;
mod versions;
