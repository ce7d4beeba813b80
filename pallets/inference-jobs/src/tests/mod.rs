//! Behaviour through calls, hooks and the offered trait. Every test ends with the invariants and the parties' books.

mod attested;
mod audits;
mod draws;
mod due_queue;
mod failures;
mod interleavings;
mod poke;
mod quorum;
mod submit_batch;
mod submit_job;
mod time_out;
