//! Measures how far honest runs of a model differ and how many cheats an audit sees, and proposes the terms to register.
//!
//! The maker calls it before registration, and operators call it again with the registered terms. It runs a model on
//! real inputs in every way in which an honest node may run it, always through the worker's own [`engine`](crate::engine),
//! child process and sandbox included: the model may be a stranger's.
//!
//! ```text
//! inputs ──► observe: settings × widths ──► Runs ──► propose ──► policy, trace tolerance, shared runs, d
//!            (optimisation, threads,         ├────► held_out ──► accusations by terms that were found without the inputs
//!             provider; alone, 2, 8, 32)     └────► report ───► differences, accusations, power of each cheat
//! ```
//!
//! What counts as an accusation, or as a cheat that is seen, is decided by [`judge`](crate::judge) and
//! [`compare`](crate::compare), as in an audit. It knows nothing of the chain, and proposes only what it measured, with a
//! margin: a machine that nobody measured may differ more.
//!
//! # Decisions
//!
//! | decision | reason | rejected |
//! |---|---|---|
//! | runs in child processes | an operator reproduces what a stranger registered, with its key at hand | ONNX Runtime in the caller's process |
//! | a run of several jobs is checked against the same rows in one input | an engine that finds that rows change one another runs them one by one, and says nothing | to believe that they were run together |
//! | jobs share runs only if that costs no detection | wider tolerances hide cheats | sharing wherever a tolerance would allow it |
//! | a proposal is tried on inputs that it was not found with | on its own ones it accuses nobody by construction | to count those |
//! | nothing may lie outside, unless there is no other policy | outliers are where a cheat hides | a quantile of the differences |

mod measure;
pub mod quantise;
mod run;

pub use measure::{held_out, propose, report, Cheat, Difference, Nearest, Power, Report, Row, Tally, Unfit, MARGIN};
pub use run::{observe, settings, CalibrationError, Machine, Subject};

use crate::{
	engine::{Optimization, Provider},
	tensors::Tensor,
};
use highway_primitives::Sketch;
use std::{fmt, sync::Arc};

/// Rows of the runs that jobs share. There is no width 1: a lone row is doubled wherever a model's tensors have rows.
pub const WIDTHS: [usize; 3] = [2, 8, 32];

/// One way in which a node may be set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
	/// What it runs on.
	pub provider: Provider,
	/// How far graphs are rewritten.
	pub optimization: Optimization,
	/// Threads of one run.
	pub threads: u16,
}

impl fmt::Display for Setting {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let level = match self.optimization {
			Optimization::None => "none",
			Optimization::Basic => "basic",
			Optimization::Extended => "extended",
			Optimization::All => "all",
		};
		write!(f, "{} {level} ×{}", self.provider, self.threads)
	}
}

/// Outputs of one input, sorted by name, and the sketches of its run under every seed.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
	/// The outputs. Equal ones of the same input are the same `Arc`, which spares comparisons.
	pub outputs: Arc<Vec<Tensor>>,
	/// The sketches, of the trace or, without one, of the outputs.
	pub sketches: Vec<Sketch>,
}

/// What came of one input in one way.
#[derive(Clone, PartialEq, Debug)]
pub struct Observation {
	/// Index of the setting.
	pub setting: usize,
	/// Rows of the run that it shared with others. `None`: it ran alone, and the engine doubled a lone row if it could.
	pub width: Option<usize>,
	/// What was seen.
	pub seen: Seen,
}

/// One input.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Case {
	/// What came of it. The first one is the reference: the first setting, alone.
	pub observations: Vec<Observation>,
}

/// Whether runs could be shared at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sharing {
	/// They were, in every setting.
	Measured,
	/// They were not, for this reason.
	Impossible(String),
}

/// Everything that was observed.
#[derive(Clone, PartialEq, Debug)]
pub struct Runs {
	/// The settings that there were.
	pub settings: Vec<Setting>,
	/// One for each input.
	pub cases: Vec<Case>,
	/// Whether runs were shared.
	pub sharing: Sharing,
	/// What a copy with rounded weights gives for each input, alone, in the first setting. `None`: there is no such copy.
	pub copy: Option<Vec<Seen>>,
}
