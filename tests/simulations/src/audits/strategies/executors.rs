//! Executors on their own: honest ones, and cheats that save work, stay silent or hide what they did.

use super::{executor, percent, Bound, Case, Network, Simulation, CALIBRATED, DETECTION};
use crate::audits::game::{Auditor, Executor, Jury, Plan, Terms};
use pallet_proof_of_work_done::may_slash;
use sp_arithmetic::Perbill;

impl Simulation {
	pub(super) fn honest(&mut self) {
		let found = self.compare(&executor(Executor::Honest));
		let note = "nobody is slashed, in whatever audit".into();
		self.line("honest", "everybody".into(), &found, Bound::Nothing, note);
		if let Some(row) = self.rows.last_mut() {
			row.sound &= found.honest_slashed == 0 && found.gain == 0.0 && found.unpaid == 0.0;
		}
	}

	pub(super) fn alone(&mut self) {
		for detection in [0.5, 0.75, 1.0] {
			let case = Case {
				terms: Terms::new(Perbill::from_float(detection)),
				power: detection,
				..executor(Executor::Cheats)
			};
			let parameters = format!("d = {detection}, seen as rarely as calibrated");
			self.cheat("lazy: always cheats", parameters, &case, Bound::Nothing, "");
		}
		for jobs in [0.01, 0.05, 0.25, 1.0] {
			let case = Case {
				jobs,
				..executor(Executor::Cheats)
			};
			let note = "each single job loses: no share is small enough";
			let parameters = format!("x = {}, d = {DETECTION}", percent(jobs));
			self.cheat("partial: cheats on a share x", parameters, &case, Bound::Nothing, note);
		}
		let previous = Case {
			power: 1.0,
			..executor(Executor::Cheats)
		};
		let parameters = format!("d = {DETECTION}, always seen");
		self.cheat("previous output", parameters, &previous, Bound::Nothing, "");
		let int8 = Case {
			power: DETECTION / CALIBRATED,
			..executor(Executor::Cheats)
		};
		let parameters = format!("d = {DETECTION} = ⅔ of its power");
		self.cheat("int8 copy", parameters, &int8, Bound::Nothing, "");
		let silent = Case {
			power: DETECTION,
			..executor(Executor::HidesWhenAccused)
		};
		let parameters = format!("d = {DETECTION}, after the auditor's No");
		let note = "silence costs S as well; the auditor has 2 R at once";
		self.cheat(
			"silence instead of a wrong opening",
			parameters,
			&silent,
			Bound::Nothing,
			note,
		);
		self.hides();
		let small = Case {
			terms: Terms {
				slash_silence: may_slash::<u64>(4, None),
				slash_by_jury: false,
				..Terms::new(Perbill::from_float(DETECTION))
			},
			..executor(Executor::Cheats)
		};
		let note = "it risks the pay only: left over, docs/ECONOMICS.md";
		let parameters = "under five operators, or not calibrated".into();
		self.cheat(
			"cheats where nobody may be slashed",
			parameters,
			&small,
			Bound::Stated(0.8),
			note,
		);
	}

	/// Hiding the output: from auditors, who say `Missing` with the sketch of their own run, or from jurors only.
	fn hides(&mut self) {
		const FROM_AUDITORS: &str = "hides the output from auditors";
		const FROM_JURORS: &str = "hides the output from jurors";
		let note = "the auditor's sketch convicts it";
		for (name, seen) in [("a trace", 1.0), ("a trace, sketches alone see ⅔", 2.0 / 3.0)] {
			let case = Case {
				power: DETECTION * seen,
				..executor(Executor::Withholds)
			};
			let parameters = format!("d = {DETECTION}, {name}");
			self.cheat(FROM_AUDITORS, parameters, &case, Bound::Nothing, note);
		}
		let jury = executor(Executor::HidesFromJury);
		let parameters = format!("d = {DETECTION}, a trace");
		self.cheat(FROM_JURORS, parameters, &jury, Bound::Nothing, "");
		for (strategy, plan) in [
			(FROM_AUDITORS, Executor::Withholds),
			(FROM_JURORS, Executor::HidesFromJury),
		] {
			let mut case = executor(plan);
			case.terms = case.terms.exact();
			let parameters = format!("d = {DETECTION}, no trace, equal bytes");
			self.cheat(strategy, parameters, &case, Bound::Nothing, "");
			case.terms = case.terms.without_trace();
			let parameters = format!("d = {DETECTION}, no trace, a tolerance");
			let note = "Void costs the pay only: left over, README of the pallet";
			self.cheat(strategy, parameters, &case, Bound::Stated(0.8), note);
		}
		let colluding = Case {
			nodes: Network::of(0.2).nodes(),
			plan: Plan {
				executor: Executor::Withholds,
				auditor: Auditor::Covers,
				jury: Jury::Covers,
				forced: false,
			},
			..executor(Executor::Withholds)
		};
		let parameters = "colluding: α = 20 %, a trace".into();
		self.cheat(FROM_AUDITORS, parameters, &colluding, Bound::Nothing, "");
		let other = executor(Executor::OtherOutput);
		let note = "right sketch, wrong output: paid, nothing saved, and the payer has no result; README of the pallet";
		let parameters = "runs the model, attests another output".into();
		self.cheat(FROM_JURORS, parameters, &other, Bound::Nothing, note);
	}
}
