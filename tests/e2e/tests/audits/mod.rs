//! Audits with real nodes: cheats are caught and pay for it, honest nodes never do, and every job ends.
//!
//! | scenario | nodes | what it shows |
//! |---|---|---|
//! | `cheats` | five, six | garbage, the previous output, an int8 copy, silence, a lazy auditor: slashed by exactly S; impossible jobs: nobody |
//! | `quorum` | five | one of three that run the same input makes numbers up: the wallet finds it by values, its audit slashes it |
//! | `settings` | five | honest nodes of other optimisation levels, threads and batch widths audit one another: nobody is slashed |
//! | `small_networks` | one to four | every job ends, and nobody is slashed |
//! | `restarts` | five | `kill -9` of executors and auditors at any moment: nobody is slashed, nothing is paid twice |
//!
//! Which node does a job is steered by who hosts the model; who audits it by bonds, as far as it is steered at all.

mod cheats;
mod quorum;
mod restarts;
mod scene;
mod settings;
mod small_networks;
