//! Audits with real nodes: cheats are caught and pay for it, honest nodes never do, and every job ends.
//!
//! | scenario | nodes | what it shows |
//! |---|---|---|
//! | `cheats` | five, six | garbage, the previous output, an int8 copy, silence, a lazy auditor: slashed by exactly S; impossible jobs: nobody; what wallet and metrics tell |
//! | `draws` | six | all but the last also where nobody asks for an audit: as many jobs are drawn as 1/(q·d) says |
//! | `quorum` | five | one of three that run the same input makes numbers up: its audit slashes it; the wallet finds it, and calibrated the model |
//! | `settings` | five | honest nodes of other optimisation levels, threads and batch widths audit one another: nobody loses anything |
//! | `small_networks` | one to four | every job ends, and nobody is slashed |
//! | `restarts` | five | `kill -9` of executors and judges at work: nobody is slashed, most jobs are done, nothing is paid twice |
//!
//! Honest nodes lose nothing at all, but for the compute line of a job for which they were late: in `restarts`, and with the
//! impossible jobs of `cheats`.
//!
//! Which node does a job is steered by who hosts the model; who audits it by bonds, as far as it is steered at all.

mod cheats;
mod draws;
mod quorum;
mod restarts;
pub mod scene;
mod settings;
mod small_networks;
