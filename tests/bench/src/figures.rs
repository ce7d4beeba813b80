//! Figures: what they are made of, and what they should be.

use serde_json::{json, Map, Value};
use std::collections::BTreeMap;

/// What was observed, by name, over all rounds.
pub type Observations = BTreeMap<&'static str, Vec<f64>>;

/// What a figure should be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Goal {
	/// No more than this.
	AtMost(f64),
	/// No less than this.
	AtLeast(f64),
	/// No less than the first, no more than the second.
	Within(f64, f64),
	/// It explains another figure.
	None,
}

impl Goal {
	fn met(self, value: f64) -> Option<bool> {
		match self {
			Self::AtMost(limit) => Some(value <= limit),
			Self::AtLeast(limit) => Some(value >= limit),
			Self::Within(low, high) => Some((low..=high).contains(&value)),
			Self::None => None,
		}
	}

	fn text(self) -> Option<String> {
		match self {
			Self::AtMost(limit) => Some(format!("<= {limit}")),
			Self::AtLeast(limit) => Some(format!(">= {limit}")),
			Self::Within(low, high) => Some(format!("{low} to {high}")),
			Self::None => None,
		}
	}
}

/// How many observations become one figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Summary {
	/// The value that this share of them does not exceed (nearest rank).
	Quantile(f64),
	/// Their sum.
	Sum,
	/// Their mean.
	Mean,
	/// Their quantile divided by the same one of others.
	QuantileOver(f64, &'static str),
	/// Their sum divided by that of others.
	SumOver(&'static str),
}

impl Summary {
	/// `None` if there is nothing to sum up.
	fn of(self, name: &str, all: &Observations) -> Option<f64> {
		let values = |name: &str| all.get(name).map(Vec::as_slice).unwrap_or_default();
		let sum = |name: &str| (!values(name).is_empty()).then(|| values(name).iter().sum::<f64>());
		match self {
			Self::Quantile(rank) => quantile(values(name), rank),
			Self::Sum => sum(name),
			Self::Mean => Some(sum(name)? / values(name).len() as f64),
			Self::QuantileOver(rank, other) => Some(quantile(values(name), rank)? / quantile(values(other), rank)?),
			Self::SumOver(other) => Some(sum(name)? / sum(other)?),
		}
	}
}

/// The value that a share `rank` of the `values` does not exceed (nearest rank). `None` of no values.
fn quantile(values: &[f64], rank: f64) -> Option<f64> {
	let mut sorted = values.to_vec();
	sorted.sort_by(f64::total_cmp);
	let place = (rank * sorted.len() as f64).ceil() as usize;
	sorted.get(place.saturating_sub(1)).copied()
}

/// A figure that may be measured.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
	name: &'static str,
	unit: &'static str,
	/// The observations that it is made of.
	of: &'static str,
	summary: Summary,
	goal: Goal,
	/// Where it stands in the JSON object, beside the list of all figures; with a dot before a name inside.
	key: Option<&'static str>,
	/// What the sum of other observations has to be before the figure is held against its goal.
	judged_from: Option<(f64, &'static str)>,
}

impl Figure {
	/// The median of the observations of the same name.
	pub const fn new(name: &'static str, unit: &'static str) -> Self {
		Self {
			name,
			unit,
			of: name,
			summary: Summary::Quantile(0.5),
			goal: Goal::None,
			key: None,
			judged_from: None,
		}
	}

	/// Made of other observations.
	pub const fn of(self, of: &'static str) -> Self {
		Self { of, ..self }
	}

	/// Made in another way.
	pub const fn by(self, summary: Summary) -> Self {
		Self { summary, ..self }
	}

	/// With a goal.
	pub const fn goal(self, goal: Goal) -> Self {
		Self { goal, ..self }
	}

	/// With a place of its own in the JSON object, such as `outer.inner`.
	pub const fn key(self, key: &'static str) -> Self {
		Self { key: Some(key), ..self }
	}

	/// Held against its goal only if the sum of other observations is at least so much: less says too little.
	pub const fn judged_from(self, least: f64, of: &'static str) -> Self {
		Self {
			judged_from: Some((least, of)),
			..self
		}
	}

	fn value(&self, all: &Observations) -> Option<f64> {
		self.summary.of(self.of, all)
	}

	/// Whether the value is what it should be. `None`: it has no goal, or too little was seen.
	fn verdict(&self, value: f64, all: &Observations) -> Option<bool> {
		let is_enough = |(least, of): (f64, &'static str)| Summary::Sum.of(of, all).is_some_and(|seen| seen >= least);
		match self.judged_from.is_none_or(is_enough) {
			true => self.goal.met(value),
			false => None,
		}
	}
}

/// For programs: those with a place of their own, `null` where nothing was observed; and under `figures` each that was measured,
/// with its unit and goal. `every` names all that may be measured.
pub fn json(every: &[Figure], all: &Observations) -> Value {
	let mut object = Map::new();
	for figure in every {
		if let Some(key) = figure.key {
			put(&mut object, key, json!(figure.value(all)));
		}
	}
	let entries: Vec<_> = every
		.iter()
		.filter_map(|figure| {
			let value = figure.value(all)?;
			Some(json!({
				"name": figure.name,
				"value": value,
				"unit": figure.unit,
				"goal": figure.goal.text(),
				"met": figure.verdict(value, all),
			}))
		})
		.collect();
	object.insert("figures".into(), Value::Array(entries));
	Value::Object(object)
}

/// Puts `value` where `key` says.
fn put(object: &mut Map<String, Value>, key: &str, value: Value) {
	match key.split_once('.') {
		None => {
			object.insert(key.into(), value);
		}
		Some((outer, inner)) => {
			let entry = object.entry(outer).or_insert_with(|| Value::Object(Map::new()));
			if let Value::Object(object) = entry {
				put(object, inner, value);
			}
		}
	}
}

/// For people: those that were measured.
pub fn table(every: &[Figure], all: &Observations) -> String {
	let mut text = format!("\n{:34} {:>10}  {:34} {:>10}  met\n", "figure", "value", "unit", "goal");
	for figure in every {
		let Some(value) = figure.value(all) else { continue };
		let met = match figure.verdict(value, all) {
			Some(true) => "yes",
			Some(false) => "NO",
			None if figure.goal != Goal::None => "too few",
			None => "",
		};
		let goal = figure.goal.text().unwrap_or_default();
		text += &format!(
			"{:34} {value:>10.3}  {:34} {goal:>10}  {met}\n",
			figure.name, figure.unit
		);
	}
	text
}

#[cfg(test)]
mod tests {
	use super::*;

	const EVERY: [Figure; 4] = [
		Figure::new("latency_p50", "blocks")
			.of("latency")
			.goal(Goal::AtMost(2.0))
			.key("latency.p50"),
		Figure::new("latency_p99", "blocks")
			.of("latency")
			.by(Summary::Quantile(0.99))
			.key("latency.p99"),
		Figure::new("missed", "of all slots")
			.by(Summary::SumOver("slots"))
			.goal(Goal::AtMost(0.001))
			.key("missed"),
		Figure::new("slower", "times").by(Summary::QuantileOver(1.0, "idle")),
	];

	fn observed(of: &[(&'static str, &[f64])]) -> Observations {
		of.iter().map(|(name, values)| (*name, values.to_vec())).collect()
	}

	#[test]
	fn quantile_should_be_the_nearest_rank() {
		let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
		assert_eq!(quantile(&values, 0.5), Some(100.0));
		assert_eq!(quantile(&values, 0.99), Some(198.0));
		assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
		assert_eq!(quantile(&[], 0.5), None);
	}

	#[test]
	fn json_should_name_every_place_and_say_null_when_nothing_was_observed() {
		let json = json(&EVERY, &observed(&[("latency", &[1.0, 3.0, 1.0])]));
		assert_eq!(
			(&json["latency"]["p50"], &json["latency"]["p99"]),
			(&json!(1.0), &json!(3.0))
		);
		assert!(json.get("missed").is_some_and(Value::is_null));
		let names: Vec<_> = json["figures"]
			.as_array()
			.unwrap()
			.iter()
			.map(|figure| &figure["name"])
			.collect();
		assert_eq!(names, ["latency_p50", "latency_p99"]);
		assert_eq!(json["figures"][0]["met"], true);
	}

	#[test]
	fn table_should_leave_out_what_was_not_observed() {
		let table = table(&EVERY, &observed(&[("missed", &[0.0, 1.0]), ("slots", &[30.0, 20.0])]));
		assert_eq!(table.trim().lines().count(), 2, "{table}");
		assert!(table.contains("0.020") && table.contains("NO"), "{table}");
	}

	#[test]
	fn a_goal_should_not_be_held_against_a_figure_when_too_little_was_seen() {
		let every = [EVERY[2].judged_from(50.0, "slots")];
		let few = observed(&[("missed", &[1.0]), ("slots", &[30.0])]);
		assert_eq!(json(&every, &few)["figures"][0]["met"], Value::Null);
		assert!(table(&every, &few).contains("too few"));
		let enough = observed(&[("missed", &[0.0, 1.0]), ("slots", &[30.0, 20.0])]);
		assert_eq!(json(&every, &enough)["figures"][0]["met"], false);
	}

	#[test]
	fn ratios_should_be_of_all_rounds_together() {
		let all = observed(&[("slower", &[3.0, 6.0]), ("idle", &[2.0, 4.0])]);
		assert_eq!(EVERY[3].value(&all), Some(1.5));
		assert_eq!(Summary::Mean.of("idle", &all), Some(3.0));
		assert_eq!(Summary::Sum.of("idle", &all), Some(6.0));
		assert_eq!(Summary::Sum.of("nothing", &all), None);
	}

	#[test]
	fn goals_should_be_met_at_their_limit() {
		assert_eq!(Goal::AtMost(3.0).met(3.0), Some(true));
		assert_eq!(Goal::AtLeast(0.5).met(0.49), Some(false));
		assert_eq!(Goal::Within(0.5, 1.0).met(0.5), Some(true));
		assert_eq!(Goal::Within(0.5, 1.0).met(1.01), Some(false));
		assert_eq!(Goal::None.met(1.0), None);
	}
}
