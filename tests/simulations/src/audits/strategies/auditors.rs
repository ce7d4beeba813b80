//! Auditors that judge without running the job.

use super::{executor, judge, percent, Bound, Case, Network, Simulation};
use crate::audits::game::{Auditor, Executor, Jury, Plan, HONEST};

impl Simulation {
	pub(super) fn auditors(&mut self) {
		let share = 0.05;
		let lazy = judge(share, Auditor::Invents, Jury::Honest);
		let parameters = format!("{} of the bonds, a trace", percent(share));
		let note = "its sketch is not the executor's: the jury convicts it";
		self.cheat("lazy auditor: votes Yes", parameters, &lazy, Bound::Nothing, note);
		let misses = judge(share, Auditor::Misses, Jury::Honest);
		let parameters = format!("{} of the bonds, a trace", percent(share));
		self.cheat("lazy auditor: says Missing", parameters, &misses, Bound::Nothing, note);
		let copies = Case {
			terms: lazy.terms.without_trace(),
			..judge(share, Auditor::Copies, Jury::Honest)
		};
		let rate = f64::from(copies.terms.rate.deconstruct()) / 1e9;
		let parameters = format!("{} of the bonds, no trace", percent(share));
		let note = "nobody can tell; up to its bonds' share of q·s";
		let bound = Bound::Stated(rate * 0.8 * share * 1.5);
		self.cheat("lazy auditor: copies the output", parameters, &copies, bound, note);
		// What lazy auditors leave of deterrence: auditors of others say Yes to every cheat.
		for share in [0.25, 0.45] {
			let network = Network::of(share);
			let case = Case {
				nodes: network.nodes(),
				terms: lazy.terms.without_trace(),
				plan: Plan {
					executor: Executor::Cheats,
					auditor: Auditor::Copies,
					..HONEST
				},
				..executor(Executor::Cheats)
			};
			let parameters = format!("{} of the bonds copy, no trace", percent(share));
			let note = "what copiers save is in it; deterred while under half of the bonds copy";
			self.cheat("cheats among lazy auditors", parameters, &case, Bound::Nothing, note);
		}
	}
}
