//! From runs to weights.

use crate::chain::{Benchmark, Chain, Pallet};
use anyhow::{Context, Result};
use highway_weights::{
	file::{Component, Measured, Measurement, WeightFile},
	line::{median, runs, Line},
};

/// How often all sizes are run through: whatever holds the machine up for a while meets a part of the runs of many sizes, and the
/// median of none, instead of all runs of one.
const ROUNDS: u32 = 5;

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

/// The components of a benchmark, as the files say it.
pub fn components(benchmark: &Benchmark) -> Vec<Component> {
	let components = benchmark.components.iter();
	components
		.map(|(name, low, high)| Component {
			name: name.to_string(),
			low: *low,
			high: *high,
		})
		.collect()
}

fn weigh(chain: &Chain, benchmark: &Benchmark, measured: &Measured) -> Result<Measurement> {
	let runs = runs(&benchmark.ranges(), measured.steps);
	let (mut reads, mut writes, mut storage) = (Vec::new(), Vec::new(), Vec::new());
	for sizes in &runs {
		let at = || format!("at {sizes:?}");
		// The lowest of all components, and the highest.
		if runs.first() == Some(sizes) || runs.last() == Some(sizes) {
			chain.verify(benchmark, sizes).with_context(at)?;
		}
		let accesses = chain.accesses(benchmark, sizes).with_context(at)?;
		reads.push((sizes.clone(), accesses.reads));
		writes.push((sizes.clone(), accesses.writes));
		// The last one is at the highest.
		storage = accesses.storage;
	}
	let mut took = vec![Vec::new(); runs.len()];
	for _ in 0..ROUNDS {
		for (sizes, took) in runs.iter().zip(&mut took) {
			let at = || format!("at {sizes:?}");
			took.extend(
				chain
					.times(benchmark, sizes, measured.repeats.div_ceil(ROUNDS))
					.with_context(at)?,
			);
		}
	}
	let times: Vec<_> = runs.into_iter().zip(took.into_iter().map(median)).collect();
	Ok(Measurement {
		name: benchmark.name.clone(),
		components: components(benchmark),
		time: Line::above(&times),
		reads: Line::above(&reads),
		writes: Line::above(&writes),
		storage,
	})
}
