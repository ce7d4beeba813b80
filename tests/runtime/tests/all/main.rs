//! The runtime's pallets together, through real blocks. One program for all themes: it links once.

mod accounts;
mod asks;
mod attestations;
mod auctions;
mod audits;
mod candidates;
mod delegation;
mod genesis;
mod jobs;
mod leaving;
mod limits;
mod market;
mod metadata;
mod offences;
mod probes;
mod promotion;
mod quorum;
mod random;
mod reconciliation;
mod refusals;
mod registration;
mod sessions;
mod sizes;
mod storage;
mod time_outs;
mod treasury;
