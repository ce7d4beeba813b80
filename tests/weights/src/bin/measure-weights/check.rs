//! Whether what is declared covers what is done.

use crate::{
	chain::{Benchmark, Chain, Pallet},
	measure,
};
use anyhow::{anyhow, ensure, Context, Result};
use frame_support::weights::constants::ParityDbWeight;
use highway_weights::{
	file::{Measurement, WeightFile},
	line::{median, runs},
};
use std::{fs, path::PathBuf, process::ExitCode};

/// Runs of which the median counts.
const TIMED_RUNS: u32 = 5;

/// How many times the declared time a run may take, beside what its accesses weigh: machines differ.
const TOLERATED: u64 = 2;

/// Prints a line for each benchmark and size, and those at fault once more at the end.
pub fn all(chain: &Chain, pallets: &[Pallet], file_of: impl Fn(&Pallet) -> PathBuf) -> Result<ExitCode> {
	let mut faults = Vec::new();
	for pallet in pallets {
		let path = file_of(pallet);
		let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
		if let Err(reason) = WeightFile::check_seal(&text) {
			faults.push(format!("{}: {reason}", path.display()));
		}
		match WeightFile::read(&text) {
			Err(reason) => faults.push(format!("{}: {reason}", path.display())),
			Ok(file) => faults.extend(compare(chain, pallet, &file)),
		}
	}
	faults.iter().for_each(|fault| eprintln!("error: {fault}"));
	match faults.is_empty() {
		true => Ok(ExitCode::SUCCESS),
		false => Ok(ExitCode::FAILURE),
	}
}

/// What is wrong with a pallet's weights.
fn compare(chain: &Chain, pallet: &Pallet, file: &WeightFile) -> Vec<String> {
	let mut faults = Vec::new();
	for benchmark in &pallet.benchmarks {
		let declared = file.weights.iter().find(|weight| weight.name == benchmark.name);
		let held = match declared {
			Some(declared) => hold(chain, pallet, benchmark, declared),
			None => Err(anyhow!("it has no weight: run scripts/weights")),
		};
		if let Err(reason) = held {
			faults.push(format!("{}::{}: {reason:#}", pallet.name, benchmark.name));
		}
	}
	let is_measured = |weight: &Measurement| pallet.benchmarks.iter().any(|known| known.name == weight.name);
	let unknown = file.weights.iter().filter(|weight| !is_measured(weight));
	faults.extend(unknown.map(|weight| format!("{}::{}: no benchmark measures it", pallet.name, weight.name)));
	faults
}

/// Holds what is declared against what is done at the lowest of all components, at the highest of each, and at that of all.
fn hold(chain: &Chain, pallet: &Pallet, benchmark: &Benchmark, declared: &Measurement) -> Result<()> {
	ensure!(
		measure::components(benchmark) == declared.components,
		"its components have changed: run scripts/weights"
	);
	ensure!(!declared.time.is_zero(), "it weighs nothing");
	for sizes in runs(&benchmark.ranges(), 2) {
		let at = || format!("at {sizes:?}");
		chain.verify(benchmark, &sizes).with_context(at)?;
		let accesses = chain.accesses(benchmark, &sizes).with_context(at)?;
		let took = median(chain.times(benchmark, &sizes, TIMED_RUNS).with_context(at)?);
		let (reads, writes, time) = (
			declared.reads.at(&sizes),
			declared.writes.at(&sizes),
			declared.time.at(&sizes),
		);
		println!(
			"{}::{} at {sizes:?}: {} of {reads} reads, {} of {writes} writes, {} of {} µs",
			pallet.name,
			benchmark.name,
			accesses.reads,
			accesses.writes,
			took / 1_000_000,
			time / 1_000_000
		);
		ensure!(
			accesses.reads <= reads && accesses.writes <= writes,
			"at {sizes:?} it reads {} items and writes {}, and declares {reads} and {writes}",
			accesses.reads,
			accesses.writes
		);
		let tolerated = time
			.saturating_mul(TOLERATED)
			.saturating_add(ParityDbWeight::get().reads_writes(reads, writes).ref_time());
		ensure!(
			took <= tolerated,
			"at {sizes:?} it takes {} µs: more than {TOLERATED} times the {} µs declared and what accesses weigh",
			took / 1_000_000,
			time / 1_000_000
		);
	}
	Ok(())
}
