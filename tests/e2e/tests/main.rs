//! Scenarios on networks of real nodes. One program for all of them: it links once.

mod attestation;
mod audits;
mod blobs;
mod candidate;
mod capacity;
mod chaos;
mod demo;
mod dev_node;
mod faults;
mod hostile;
mod javascript;
mod main_job;
mod maker;
mod market;
mod program;
mod registration;
mod silero;
mod wallet;
