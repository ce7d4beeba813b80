//! Jobs of many inputs, of which an audit looks at one.

use super::{executor, percent, Bound, Case, Simulation, DETECTION};
use crate::audits::game::{Executor, Plan, HONEST};
use sp_arithmetic::Perbill;

/// Inputs of the jobs here.
const INPUTS: u32 = 16;

impl Simulation {
	/// Answering a share f of the inputs wrongly: it saves f of what a cheat saves, and a wrong one is drawn with probability f.
	pub(super) fn batches(&mut self) {
		for wrong in [1, 4, 8, INPUTS] {
			let share = f64::from(wrong) / f64::from(INPUTS);
			let case = Case {
				power: DETECTION * share,
				plan: Plan {
					executor: Executor::CheatsOn(Perbill::from_rational(wrong, INPUTS)),
					..HONEST
				},
				..executor(Executor::Cheats)
			};
			let note = "as of a cheat on all, times f: what it saves and what it risks";
			let parameters = format!("f = {} of {INPUTS} inputs, d = {DETECTION}", percent(share));
			self.cheat("batch: cheats on a share f", parameters, &case, Bound::Nothing, note);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_share_should_lose_its_share_of_what_the_whole_loses() {
		let mut simulation = Simulation {
			samples: 20_000,
			seed: 7,
			rows: Vec::new(),
		};
		simulation.batches();
		for (row, share) in simulation.rows.iter().zip([1.0, 4.0, 8.0, 16.0]) {
			// f · (s - q · d · (R + S)) = f · (0.8 - 1.6)
			let expected = -0.8 * share / 16.0;
			assert!((row.gain - expected).abs() < 4.0 * row.error, "{row:?}");
			assert!(row.passes(), "{row:?}");
		}
	}
}
