//! Measures the weights of our pallets, or holds them against what their calls do now: see `scripts/weights`.

mod chain;
mod check;
mod measure;

use anyhow::{bail, Context, Result};
use chain::{Chain, Pallet};
use clap::Parser;
use highway_weights::file::Measured;
use std::{
	fs,
	path::{Path, PathBuf},
	process::ExitCode,
};

/// Runs the benchmarks of our pallets in a Wasm runtime on a state in memory.
///
/// Without --check it writes `src/weights.rs` of each pallet. With it, it runs each benchmark at the lowest and at the
/// highest of its components, and ends with code 1 if something is accessed that is not declared, if a benchmark fails, or
/// if a file is not as it was written. Times are those of this machine: the median of five runs may be twice what is
/// declared, and what the declared accesses weigh.
#[derive(Parser, Debug)]
#[command(name = "measure-weights", verbatim_doc_comment)]
struct Args {
	/// The runtime, built with `runtime-benchmarks`.
	#[arg(long, value_name = "FILE")]
	runtime: PathBuf,
	/// Where the pallets lie.
	#[arg(long, value_name = "FOLDER", default_value = "pallets")]
	pallets: PathBuf,
	/// Holds the weights against what is done, and writes nothing.
	#[arg(long)]
	check: bool,
	/// Sizes of each component.
	#[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=1000))]
	steps: u32,
	/// Runs of each size.
	#[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
	repeats: u32,
	/// The day, for the head of the files.
	#[arg(long, required_unless_present = "check")]
	date: Option<String>,
	/// The processor, for the head of the files.
	#[arg(long, required_unless_present = "check")]
	machine: Option<String>,
	/// Only these: `promotion` or `pallet_promotion`. Without any, all that the runtime lists.
	#[arg(value_name = "PALLET")]
	only: Vec<String>,
}

fn main() -> Result<ExitCode> {
	sp_tracing::try_init_simple();
	let args = Args::parse();
	let code = fs::read(&args.runtime).with_context(|| format!("{} cannot be read", args.runtime.display()))?;
	let (chain, pallets) = Chain::new(code)?;
	let pallets = chosen(pallets, &args.only)?;
	if args.check {
		return check::all(&chain, &pallets, |pallet| file_of(&args.pallets, pallet));
	}
	let measured = Measured {
		date: args.date.unwrap_or_default(),
		steps: args.steps,
		repeats: args.repeats,
		machine: args.machine.unwrap_or_default(),
	};
	let mut failed = false;
	for pallet in &pallets {
		let Some(file) = measure::pallet(&chain, pallet, &measured) else {
			eprintln!("{}: not written", pallet.name);
			failed = true;
			continue;
		};
		let path = file_of(&args.pallets, pallet);
		fs::write(&path, file.render()).with_context(|| format!("{} cannot be written", path.display()))?;
		eprintln!("{}: {} weights", path.display(), file.weights.len());
	}
	Ok(match failed {
		true => ExitCode::FAILURE,
		false => ExitCode::SUCCESS,
	})
}

/// Those that are named, or all.
fn chosen(all: Vec<Pallet>, names: &[String]) -> Result<Vec<Pallet>> {
	let crate_name = |name: &String| format!("pallet_{}", name.trim_start_matches("pallet_").replace('-', "_"));
	let wanted: Vec<String> = names.iter().map(crate_name).collect();
	if let Some(unknown) = wanted
		.iter()
		.find(|name| all.iter().all(|pallet| pallet.name != **name))
	{
		let known: Vec<&str> = all.iter().map(|pallet| pallet.name.as_str()).collect();
		bail!(
			"the runtime has no benchmarks of {unknown}: it has those of {}",
			known.join(", ")
		);
	}
	let is_wanted = |pallet: &Pallet| wanted.is_empty() || wanted.contains(&pallet.name);
	Ok(all.into_iter().filter(is_wanted).collect())
}

/// `pallets/revenue-split/src/weights.rs` of `pallet_revenue_split`.
fn file_of(pallets: &Path, pallet: &Pallet) -> PathBuf {
	let folder = pallet.name.trim_start_matches("pallet_").replace('_', "-");
	pallets.join(folder).join("src/weights.rs")
}
