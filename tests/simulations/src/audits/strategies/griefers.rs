//! Whoever wants to hurt honest executors.

use super::{judge, percent, round, Bound, Case, Found, Network, Simulation};
use crate::audits::game::{Auditor, Jury, Plan, HONEST};

impl Simulation {
	fn grief(&mut self, strategy: &'static str, parameters: String, found: &Found, harm: f64, note: String) {
		self.line(strategy, parameters, found, Bound::Nothing, note);
		if let Some(row) = self.rows.last_mut() {
			row.harm = Some(harm);
		}
	}

	pub(super) fn griefers(&mut self) {
		let forced = Case {
			plan: Plan { forced: true, ..HONEST },
			..judge(0.0, Auditor::Honest, Jury::Honest)
		};
		let found = self.compare(&forced);
		let note = String::from("2 R for nothing; the executor is judged, and paid");
		self.grief(
			"payer forces an audit",
			"of honest work".into(),
			&found,
			found.executor,
			note,
		);
		for share in [0.05, 0.10, 0.20, 0.33] {
			let case = judge(share, Auditor::Accuses, Jury::Covers);
			let found = self.compare(&case);
			let note = format!(
				"an honest executor is slashed in {} of its audits",
				percent(round(f64::from(found.honest_slashed) / f64::from(self.samples)))
			);
			let parameters = format!("α = {} of the bonds", percent(share));
			self.grief("false No, jurors collude", parameters, &found, found.executor, note);
		}
		let alone = judge(0.01, Auditor::Accuses, Jury::Honest);
		let found = self.compare(&alone);
		let note = "the jury convicts the auditor; the executor waits".into();
		self.grief(
			"false No",
			"one auditor of a hundred".into(),
			&found,
			found.executor,
			note,
		);
		let misses = judge(0.01, Auditor::Misses, Jury::Honest);
		let found = self.compare(&misses);
		let note = "the executor proves a chunk; the sketch convicts the auditor".into();
		let parameters = "one auditor of a hundred, a trace".into();
		self.grief("false Missing", parameters, &found, found.executor, note);
		for share in [0.01, 0.10, 0.33] {
			let mut misses = judge(share, Auditor::Misses, Jury::Honest);
			misses.terms = misses.terms.without_trace();
			let found = self.compare(&misses);
			let note = "the next auditor; after three of them Void".into();
			let parameters = format!("α = {} of the bonds, no trace", percent(share));
			self.grief("false Missing", parameters, &found, found.executor, note);
		}
		for share in [0.01, 0.05, 0.10, 0.20, 0.33] {
			let mut alone = judge(share, Auditor::Accuses, Jury::Covers);
			alone.nodes.iter_mut().skip(1).for_each(|node| node.class = 1);
			let found = self.compare(&alone);
			let note = format!(
				"Void, or an honest executor is slashed, in {} of its audits",
				percent(round(found.unpaid))
			);
			let parameters = format!("α = {}, executor alone in its device class", percent(share));
			self.grief("false No, jurors collude", parameters, &found, found.executor, note);
		}
		for share in [0.02, 0.05, 0.10, 0.20] {
			let mut joined = judge(share, Auditor::Accuses, Jury::Covers);
			joined.nodes = Network {
				executor: false,
				of_class: 0.0,
				..Network::of(share)
			}
			.nodes();
			let found = self.compare(&joined);
			let note = format!(
				"Void, or an honest executor is slashed, in {} of its audits",
				percent(round(found.unpaid))
			);
			let parameters = format!("α = {}, nobody else of the executor's class", percent(share));
			let harm = found.executor;
			self.line(
				"false No, jurors collude",
				parameters,
				&found,
				Bound::Stated(0.05),
				note,
			);
			if let Some(row) = self.rows.last_mut() {
				row.harm = Some(harm);
			}
		}
	}
}
