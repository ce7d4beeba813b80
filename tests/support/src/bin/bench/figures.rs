//! Figures and their goals.

use serde_json::{json, Value};

/// What a figure should be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Goal {
	/// No more than this.
	AtMost(f64),
	/// No less than this.
	AtLeast(f64),
	/// It explains another figure.
	None,
}

impl Goal {
	fn met(self, value: f64) -> Option<bool> {
		match self {
			Self::AtMost(limit) => Some(value <= limit),
			Self::AtLeast(limit) => Some(value >= limit),
			Self::None => None,
		}
	}

	fn text(self) -> Option<String> {
		match self {
			Self::AtMost(limit) => Some(format!("<= {limit}")),
			Self::AtLeast(limit) => Some(format!(">= {limit}")),
			Self::None => None,
		}
	}
}

/// One measured figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
	/// Its name.
	pub name: &'static str,
	/// Its value.
	pub value: f64,
	/// What the value counts.
	pub unit: &'static str,
	/// What it should be.
	pub goal: Goal,
}

/// A figure.
pub fn figure(name: &'static str, value: f64, unit: &'static str, goal: Goal) -> Figure {
	Figure {
		name,
		value,
		unit,
		goal,
	}
}

/// For programs: the main figures under names of their own, `null` where they were not measured, and every figure with
/// its unit and goal.
pub fn json(figures: &[Figure]) -> Value {
	let value = |name: &str| {
		figures
			.iter()
			.find(|figure| figure.name == name)
			.map(|figure| figure.value)
	};
	let entries: Vec<_> = figures
		.iter()
		.map(|figure| {
			json!({
				"name": figure.name,
				"value": figure.value,
				"unit": figure.unit,
				"goal": figure.goal.text(),
				"met": figure.goal.met(figure.value),
			})
		})
		.collect();
	json!({
		"submit_to_attested_blocks": { "p50": value("latency_p50"), "p99": value("latency_p99") },
		"dispatch_over_bare": { "magika": value("throughput_ratio") },
		"chain_bytes_per_job": value("bytes_attested_alone"),
		"chain_bytes_per_job_batched": value("bytes_attested_in_batch"),
		"sandbox_over_in_process": value("sandbox_throughput_ratio"),
		"child_memory_over_model_mib": value("sandbox_memory"),
		"figures": entries,
	})
}

/// For people.
pub fn table(figures: &[Figure]) -> String {
	let mut text = format!("\n{:30} {:>10}  {:30} {:>8}  met\n", "figure", "value", "unit", "goal");
	for figure in figures {
		let met = match figure.goal.met(figure.value) {
			Some(true) => "yes",
			Some(false) => "NO",
			None => "",
		};
		let goal = figure.goal.text().unwrap_or_default();
		text += &format!(
			"{:30} {:>10.3}  {:30} {goal:>8}  {met}\n",
			figure.name, figure.value, figure.unit
		);
	}
	text
}

/// The value that a share `rank` of the sorted `values` does not exceed (nearest rank). `None` of no values.
pub fn percentile(values: &[u32], rank: f64) -> Option<u32> {
	let mut sorted = values.to_vec();
	sorted.sort_unstable();
	let place = (rank * sorted.len() as f64).ceil() as usize;
	sorted.get(place.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn percentile_should_be_the_nearest_rank() {
		let values: Vec<u32> = (1..=200).rev().collect();
		assert_eq!(percentile(&values, 0.5), Some(100));
		assert_eq!(percentile(&values, 0.99), Some(198));
		assert_eq!(percentile(&[7], 0.99), Some(7));
		assert_eq!(percentile(&[], 0.5), None);
	}

	#[test]
	fn json_should_name_the_main_figures_and_say_null_when_one_is_missing() {
		let measured = [
			figure("latency_p50", 1.0, "blocks", Goal::AtMost(2.0)),
			figure("throughput_ratio", 0.5, "of bare", Goal::AtLeast(0.5)),
		];
		let json = json(&measured);
		assert_eq!(json["submit_to_attested_blocks"]["p50"], 1.0);
		assert_eq!(json["dispatch_over_bare"]["magika"], 0.5);
		for absent in [
			"chain_bytes_per_job",
			"chain_bytes_per_job_batched",
			"sandbox_over_in_process",
			"child_memory_over_model_mib",
		] {
			assert!(json.get(absent).is_some_and(Value::is_null), "{absent}");
		}
	}

	#[test]
	fn goals_should_be_met_at_their_limit() {
		assert_eq!(Goal::AtMost(3.0).met(3.0), Some(true));
		assert_eq!(Goal::AtLeast(0.5).met(0.49), Some(false));
		assert_eq!(Goal::None.met(1.0), None);
	}
}
