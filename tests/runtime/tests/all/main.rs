//! The runtime's pallets together, through real blocks. One program for all themes: it links once.

mod attestations;
mod genesis;
mod jobs;
mod leaving;
mod limits;
mod metadata;
mod random;
mod refusals;
mod sessions;
mod sizes;
mod time_outs;
