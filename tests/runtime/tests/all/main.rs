//! The runtime's pallets together, through real blocks. One program for all themes: it links once.

mod accounts;
mod attestations;
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
mod quorum;
mod random;
mod refusals;
mod sessions;
mod sizes;
mod time_outs;
