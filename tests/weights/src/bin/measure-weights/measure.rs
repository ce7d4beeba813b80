//! From runs to weights.

use crate::chain::{Benchmark, Chain, Pallet};
use anyhow::{Context, Result};
use highway_weights::{
	file::{Component, Measured, Measurement, WeightFile},
	line::{median, sizes, Line},
};

/// Measures all that a pallet has. Benchmarks that fail are said as they do, and the others are run all the same: `None` then.
pub fn pallet(chain: &Chain, pallet: &Pallet, measured: &Measured) -> Option<WeightFile> {
	let weigh = |benchmark: &Benchmark| {
		let name = format!("{}::{}", pallet.name, benchmark.name);
		eprintln!("{name}");
		let weight = weigh(chain, benchmark, measured);
		weight.map_err(|reason| eprintln!("error: {name}: {reason:#}")).ok()
	};
	let weights: Vec<Option<Measurement>> = pallet.benchmarks.iter().map(weigh).collect();
	Some(WeightFile {
		weights: weights.into_iter().collect::<Option<_>>()?,
		pallet: pallet.name.clone(),
		measured: measured.clone(),
	})
}

/// The component of a benchmark, as the files say it.
pub fn component(benchmark: &Benchmark) -> Option<Component> {
	benchmark.component.map(|(name, low, high)| Component {
		name: name.to_string(),
		low,
		high,
	})
}

fn weigh(chain: &Chain, benchmark: &Benchmark, measured: &Measured) -> Result<Measurement> {
	let (low, high) = benchmark.range();
	let (mut times, mut reads, mut writes, mut storage) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
	for size in sizes(low, high, measured.steps) {
		let at = || format!("at {size}");
		if size == low || size == high {
			chain.verify(benchmark, size).with_context(at)?;
		}
		let accesses = chain.accesses(benchmark, size).with_context(at)?;
		let runs = chain.times(benchmark, size, measured.repeats).with_context(at)?;
		times.push((size, median(runs)));
		reads.push((size, accesses.reads));
		writes.push((size, accesses.writes));
		// The last size is the highest.
		storage = accesses.storage;
	}
	Ok(Measurement {
		name: benchmark.name.clone(),
		component: component(benchmark),
		time: Line::above(&times),
		reads: Line::above(&reads),
		writes: Line::above(&writes),
		storage,
	})
}
