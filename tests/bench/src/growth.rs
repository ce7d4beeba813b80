//! How hooks, assignments and clearings grow with the chain.
//!
//! On the real runtime, in this process, and on a state in memory that nobody lived through: a market of 64 asks in each role,
//! beside so many nodes, models and open jobs. Each number is raised by itself, the others stay at the least.

use crate::{
	figures::{Figure, Goal},
	record::Record,
};
use anyhow::Result;
use highway_primitives::{model::MAX_LINEAGE, ModelId};
use highway_runtime::pallet_revenue_split::MAX_ASKS;
use highway_runtime_tests::{
	cost::{measure, measure_after, Cost},
	scale::{before_hooks, choose_validators, clear, hooks, market, more_than_a_tick_takes, submit, Beside},
};
use serde_json::json;
use sp_io::TestExternalities;

/// What comes of it: how many times as long it takes on the chain where it takes longest as on the smallest one.
pub const FIGURES: &[Figure] = &[
	Figure::new("growth_hook", "times as long")
		.goal(Goal::AtMost(1.1))
		.key("growth.hook"),
	Figure::new("growth_assign", "times as long")
		.goal(Goal::AtMost(1.3))
		.key("growth.assign"),
	Figure::new("growth_clear", "times as long")
		.goal(Goal::AtMost(1.3))
		.key("growth.clear"),
	Figure::new("growth_session", "times as long, first block of one")
		.goal(Goal::AtMost(1.1))
		.key("growth.session"),
	Figure::new("growth_hook_quiet", "times as long, one job due"),
	Figure::new("growth_hook_full", "times as long, a full due queue"),
	Figure::new("growth_hook_quiet_accesses", "times as many"),
	Figure::new("growth_hook_full_accesses", "times as many"),
	Figure::new("growth_assign_accesses", "times as many"),
	Figure::new("growth_clear_accesses", "times as many"),
	Figure::new("growth_session_accesses", "times as many"),
];

/// How large the smallest chain is.
const LEAST: u32 = 100;

/// How large others are.
const LARGER: [u32; 3] = [1_000, 10_000, 100_000];

/// What is measured, with the names of what is observed: of the time, and of the accesses.
const ACTS: [(Act, &str, &str); 5] = [
	(Act::Hook, "growth_hook_quiet", "growth_hook_quiet_accesses"),
	(Act::FullHook, "growth_hook_full", "growth_hook_full_accesses"),
	(Act::Assign, "growth_assign", "growth_assign_accesses"),
	(Act::Clear, "growth_clear", "growth_clear_accesses"),
	(Act::Session, "growth_session", "growth_session_accesses"),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Act {
	/// The hooks of the first block of a market epoch, in which a job's deadline is over.
	Hook,
	/// The same hooks, where more deadlines are over than the due queue has room for.
	FullHook,
	/// A submission in an epoch that is cleared.
	Assign,
	/// The clearing of an epoch.
	Clear,
	/// The choice of validators.
	Session,
}

/// A chain, with the model that is looked at.
struct Size {
	beside: Beside,
	model: ModelId,
	state: TestExternalities,
}

/// All of them, the smallest first.
pub struct Growth(Vec<Size>);

impl Growth {
	/// Writes the states.
	pub fn prepare() -> Self {
		let least = Beside {
			models: LEAST,
			asks: 1,
			nodes: LEAST,
			jobs: LEAST,
		};
		let larger = LARGER.into_iter().flat_map(|size| {
			[
				Beside { nodes: size, ..least },
				Beside { models: size, ..least },
				Beside { jobs: size, ..least },
			]
		});
		let sizes = [least].into_iter().chain(larger).map(|beside| {
			let Beside {
				models, nodes, jobs, ..
			} = beside;
			eprintln!("writing a chain of {nodes} nodes, {models} models and {jobs} open jobs …");
			let (state, model) = market(MAX_ASKS, MAX_LINEAGE, &beside);
			Size { beside, model, state }
		});
		Self(sizes.collect())
	}

	/// Measures each act on all of them, one after another.
	pub fn round(&mut self, record: &mut Record) -> Result<()> {
		eprintln!("hooks, assignments and clearings on {} chains …", self.0.len());
		let mut of_hooks = f64::NAN;
		for (act, time, accesses) in ACTS {
			let costs: Vec<Cost> = self.0.iter_mut().map(|size| size.cost(act)).collect();
			for (size, cost) in self.0.iter().zip(&costs) {
				let Beside {
					models, nodes, jobs, ..
				} = size.beside;
				record.tell(
					&format!("{act:?}"),
					json!({
						"nodes": nodes,
						"models": models,
						"jobs": jobs,
						"microseconds": cost.took.as_secs_f64() * 1e6,
						"reads": cost.accesses.reads,
						"writes": cost.accesses.writes,
					}),
				)?;
			}
			let growth = worst(&costs, |cost| cost.took.as_secs_f64());
			if matches!(act, Act::Hook | Act::FullHook) {
				of_hooks = of_hooks.max(growth);
			}
			record.note(time, growth)?;
			record.note(accesses, worst(&costs, |cost| cost.accesses.all() as f64))?;
		}
		record.note("growth_hook", of_hooks)
	}
}

impl Size {
	fn cost(&mut self, act: Act) -> Cost {
		let (state, model) = (&mut self.state, self.model);
		match act {
			Act::Hook => measure_after(state, || before_hooks(model, 1), hooks),
			Act::FullHook => measure_after(state, || before_hooks(model, more_than_a_tick_takes()), hooks),
			Act::Assign => measure_after(state, || submit(model), |_| submit(model)),
			Act::Clear => measure(state, || clear(model)),
			Act::Session => measure(state, choose_validators),
		}
	}
}

/// The largest value, in those of the first.
fn worst(costs: &[Cost], value: impl Fn(&Cost) -> f64) -> f64 {
	let first = costs.first().map_or(f64::NAN, &value);
	costs.iter().map(|cost| value(cost) / first).fold(f64::NAN, f64::max)
}
