//! What came of it: a row for each fault as it goes, and all of it at the end.

use crate::{
	ledger::{End, Ledger, Share},
	router::Counts,
	Args,
};
use highway_primitives::{Balance, AIC};
use serde_json::{json, Value};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};

/// The middle one of some numbers of seconds, and the largest; `None`: there are none.
fn middle_and_most(seconds: &[f64]) -> Option<(f64, f64)> {
	let mut sorted = seconds.to_vec();
	sorted.sort_by(f64::total_cmp);
	Some((*sorted.get(sorted.len() / 2)?, *sorted.last()?))
}

/// Minutes and seconds.
fn in_minutes(seconds: u64) -> String {
	format!("{}:{:02}", seconds / 60, seconds % 60)
}

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
	began: Instant,
	is_cut_short: bool,
	faults: Vec<Value>,
	/// Seconds to recover, by kind.
	recoveries: BTreeMap<String, Vec<f64>>,
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
	/// Jobs so far.
	pub jobs: u64,
	/// Those that were done and paid.
	pub settled: u64,
	/// Those that are open.
	pub open_jobs: usize,
	/// Fines so far.
	pub fines: u64,
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
			began: Instant::now(),
			is_cut_short: false,
			faults: Vec::new(),
			recoveries: BTreeMap::new(),
			failures: 0,
			others: Vec::new(),
		};
		report.say(&format!(
			"{:>5}  {:9}  {:>11}  {:>5}  {:>7}  {:>4}  {:>5}  {:6}  {:>7}  to whom",
			"fault", "kind", "recovered s", "jobs", "settled", "open", "fines", "checks", "at"
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
		let at = self.began.elapsed().as_secs();
		self.say(&format!(
			"{:>5}  {:9}  {:>11}  {:>5}  {:>7}  {:>4}  {:>5}  {:6}  {:>7}  {}",
			self.faults.len() + 1,
			row.kind,
			seconds.map_or_else(|| "never".into(), |seconds| format!("{seconds:.1}")),
			row.jobs,
			row.settled,
			row.open_jobs,
			row.fines,
			if row.failures.is_empty() { "passed" } else { "FAILED" },
			in_minutes(at),
			row.what
		));
		for failure in &row.failures {
			self.say(&format!("       {failure}"));
		}
		self.failures += row.failures.len();
		self.recoveries.entry(row.kind.clone()).or_default().extend(seconds);
		self.faults.push(json!({
			"kind": row.kind,
			"what": row.what,
			"at_seconds": at,
			"seconds_to_recover": seconds,
			"jobs": row.jobs,
			"settled": row.settled,
			"open_jobs": row.open_jobs,
			"fines": row.fines,
			"failures": row.failures,
		}));
	}

	/// Adds something that went wrong beside single faults, and shows it.
	pub fn fail(&mut self, failure: String) {
		self.say(&format!("FAILED {failure}"));
		self.failures += 1;
		self.others.push(failure);
	}

	/// Somebody ended it early, in this way.
	pub fn cut_short(&mut self, word: &str) {
		self.say(&format!("{word}: what follows is what there was until then"));
		self.is_cut_short = true;
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
		let mut kinds = BTreeMap::new();
		for (kind, seconds) in &self.recoveries {
			if let Some(mended) = middle_and_most(seconds) {
				kinds.insert(kind.as_str(), (seconds.len(), mended));
			}
		}
		let taken = self.began.elapsed().as_secs();
		let verdict = format!(
			"{} faults in {}{}, {} failed checks",
			self.faults.len(),
			in_minutes(taken),
			if self.is_cut_short { ", cut short" } else { "" },
			self.failures
		);
		if self.as_json {
			eprintln!("{verdict}");
			let kinds: BTreeMap<_, _> = kinds
				.into_iter()
				.map(|(kind, (faults, (middle, most)))| {
					let seconds = json!({ "median": middle, "most": most });
					(kind, json!({ "faults": faults, "seconds_to_recover": seconds }))
				})
				.collect();
			println!(
				"{}",
				json!({
					"seed": self.seed,
					"interrupted": self.is_cut_short,
					"seconds": taken,
					"kinds": kinds,
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
			println!();
			for (kind, (faults, (middle, most))) in kinds {
				println!("{kind:9}  {faults:>3} times, mended in {middle:.1} s in the middle, in {most:.1} s at most");
			}
			println!(
				"\n{} jobs: {} settled, {} refunded, {} failed, {} voided, {} open; {} of {} submissions refused",
				ledger.jobs(),
				ledger.ended(End::Settled),
				ledger.ended(End::Refunded),
				ledger.ended(End::Failed),
				ledger.ended(End::Voided),
				ledger.open_jobs(),
				ledger.transactions().saturating_sub(ledger.jobs()),
				ledger.transactions()
			);
			println!(
				"of {} that no fault came near {} were settled, of {} others {}",
				shares.calm.jobs, shares.calm.settled, shares.disturbed.jobs, shares.disturbed.settled
			);
			println!(
				"lost by rule: {} fines for jobs, {} AIC; {} missed challenges, {} AIC of pay for storage",
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

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn middle_and_most_should_be_those_of_the_sorted_seconds() {
		assert_eq!(middle_and_most(&[3.0, 1.0, 2.0]), Some((2.0, 3.0)));
		assert_eq!(middle_and_most(&[4.0, 1.0]), Some((4.0, 4.0)));
		assert_eq!(middle_and_most(&[]), None, "nothing was mended");
	}

	#[test]
	fn amounts_and_times_should_be_written_for_people() {
		assert_eq!(in_aic(AIC + AIC / 100), "1.010");
		assert_eq!(in_aic(0), "0.000");
		assert_eq!(in_minutes(3_725), "62:05");
	}
}
