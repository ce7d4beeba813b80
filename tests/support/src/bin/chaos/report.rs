//! What came of it: a row for each fault as it goes, and all of it at the end.

use crate::{
	ledger::{End, Ledger, Share},
	router::Counts,
	Args,
};
use highway_primitives::{Balance, AIC};
use serde_json::{json, Value};
use std::time::Duration;

/// For people: to a thousandth.
fn in_aic(amount: Balance) -> String {
	format!("{}.{:03}", amount / AIC, amount % AIC / (AIC / 1_000))
}

/// Faults, and what went wrong.
pub struct Report {
	as_json: bool,
	seed: u64,
	latency_ms: u64,
	loss: f64,
	faults: Vec<Value>,
	failures: usize,
	/// What went wrong beside single faults.
	others: Vec<String>,
}

/// One fault.
pub struct Row {
	/// Its kind.
	pub kind: String,
	/// To whom, and what else is worth a word.
	pub what: String,
	/// From its end until all nodes finalized again; `None`: they did not.
	pub recovered: Option<Duration>,
	/// Jobs that were open then.
	pub open_jobs: usize,
	/// What must not be.
	pub failures: Vec<String>,
}

impl Report {
	/// Nothing yet.
	pub fn new(args: &Args, seed: u64) -> Self {
		let report = Self {
			as_json: args.json,
			seed,
			latency_ms: args.latency_ms,
			loss: args.loss,
			faults: Vec::new(),
			failures: 0,
			others: Vec::new(),
		};
		report.say(&format!(
			"{:>5}  {:9}  {:>11}  {:>9}  {:6}  to whom",
			"fault", "kind", "recovered s", "open jobs", "checks"
		));
		report
	}

	/// Rows are for people: beside JSON they go where everything else is told.
	fn say(&self, line: &str) {
		if self.as_json {
			eprintln!("{line}");
		} else {
			println!("{line}");
		}
	}

	/// Adds a fault, and shows it.
	pub fn add(&mut self, row: Row) {
		let seconds = row.recovered.map(|recovered| recovered.as_secs_f64());
		self.say(&format!(
			"{:>5}  {:9}  {:>11}  {:>9}  {:6}  {}",
			self.faults.len() + 1,
			row.kind,
			seconds.map_or_else(|| "never".into(), |seconds| format!("{seconds:.1}")),
			row.open_jobs,
			if row.failures.is_empty() { "passed" } else { "FAILED" },
			row.what
		));
		for failure in &row.failures {
			self.say(&format!("       {failure}"));
		}
		self.failures += row.failures.len();
		self.faults.push(json!({
			"kind": row.kind,
			"what": row.what,
			"seconds_to_recover": seconds,
			"open_jobs": row.open_jobs,
			"failures": row.failures,
		}));
	}

	/// Adds something that went wrong beside single faults, and shows it.
	pub fn fail(&mut self, failure: String) {
		self.say(&format!("FAILED {failure}"));
		self.failures += 1;
		self.others.push(failure);
	}

	/// Says what came of it. Returns whether all is as it should be.
	pub fn end(&self, ledger: &Ledger, packets: Counts) -> bool {
		let jobs = json!({
			"submissions": ledger.transactions(),
			"jobs": ledger.jobs(),
			"settled": ledger.ended(End::Settled),
			"refunded": ledger.ended(End::Refunded),
			"failed": ledger.ended(End::Failed),
			"voided": ledger.ended(End::Voided),
			"open": ledger.open_jobs(),
		});
		let (shares, losses) = (ledger.shares(), ledger.losses());
		let share = |share: Share| json!({ "jobs": share.jobs, "settled": share.settled });
		let lost = json!({
			"fines": losses.fines,
			"fined": losses.fined.to_string(),
			"missed_challenges": losses.missed,
			"forfeited": losses.forfeited.to_string(),
		});
		let verdict = format!("{} faults, {} failed checks", self.faults.len(), self.failures);
		if self.as_json {
			eprintln!("{verdict}");
			println!(
				"{}",
				json!({
					"seed": self.seed,
					"latency_ms": self.latency_ms,
					"loss": self.loss,
					"faults": self.faults,
					"failures": self.others,
					"failed_checks": self.failures,
					"jobs": jobs,
					"no_fault_came_near": share(shares.calm),
					"faults_came_near": share(shares.disturbed),
					"lost_by_rule": lost,
					"packets": {
						"carried": packets.carried,
						"lost": packets.lost,
						"parted": packets.parted,
					},
				})
			);
		} else {
			println!(
				"\n{} jobs: {} settled, {} refunded, {} failed, {} voided; {} of {} submissions refused",
				ledger.jobs(),
				ledger.ended(End::Settled),
				ledger.ended(End::Refunded),
				ledger.ended(End::Failed),
				ledger.ended(End::Voided),
				ledger.transactions().saturating_sub(ledger.jobs()),
				ledger.transactions()
			);
			println!(
				"of {} that no fault came near {} were settled, of {} others {}",
				shares.calm.jobs, shares.calm.settled, shares.disturbed.jobs, shares.disturbed.settled
			);
			println!(
				"lost by rule: {} fines for jobs, {} AIC in all; {} challenges for a chunk missed, {} AIC of pay for storage",
				losses.fines,
				in_aic(losses.fined),
				losses.missed,
				in_aic(losses.forfeited)
			);
			println!(
				"{} packets between nodes arrived, {} were lost, {} were stopped by partitions",
				packets.carried, packets.lost, packets.parted
			);
			println!("{verdict}");
		}
		self.failures == 0
	}
}
