//! Measures what the README promises: see `scripts/bench`.

mod chain;
mod figures;
mod inputs;
mod latency;
mod market;
mod native;
mod payer;
mod throughput;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use figures::Figure;
use highway_test_support::{unless_interrupted, Devnet};
use std::{fs, path::PathBuf, time::Duration};

/// The whole run never takes longer than this.
const LIMIT: Duration = Duration::from_secs(360);

/// Measures AI Highway on three real nodes on this machine.
///
/// Starts a network, registers Magika (file types) on it and pays for jobs, reads the figures from the finalized blocks
/// and holds them against their goals. Takes four to six minutes. Ends with code 0 if everything could be measured,
/// whether or not the goals are met.
///
/// latency     blocks from a job's submission to its attestation, over jobs paced evenly;
///             bytes on chain of a job that is attested alone, on average
/// throughput  correct, finalized jobs per second under load, against bare ONNX Runtime on one core in the same run;
///             bytes on chain of a job that is attested with at least five others, on average
/// sandbox     throughput and memory of the sandboxed child, against ONNX Runtime in the same process
#[derive(Parser, Debug)]
#[command(name = "bench", verbatim_doc_comment)]
struct Args {
	/// Prints one JSON object instead of a table.
	#[arg(long)]
	json: bool,
	/// Jobs whose latency is measured.
	#[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
	jobs: u32,
	/// How long the load lasts.
	#[arg(long, value_name = "SECONDS", default_value_t = 40, value_parser = clap::value_parser!(u64).range(10..=90))]
	load: u64,
	/// Measures only these; may be given more than once.
	#[arg(long, value_enum, value_name = "PART")]
	only: Vec<Part>,
	/// Shows what the load was held up by, on standard error.
	#[arg(long)]
	explain: bool,
	/// Copies the nodes' logs into this folder, with what their workers do.
	#[arg(long, value_name = "FOLDER")]
	logs: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Part {
	Latency,
	Throughput,
	Sandbox,
}

impl Args {
	fn wants(&self, part: Part) -> bool {
		self.only.is_empty() || self.only.contains(&part)
	}
}

#[tokio::main]
async fn main() -> Result<()> {
	let args = Args::parse();
	let measured = tokio::time::timeout(LIMIT, unless_interrupted(measure(&args))).await;
	let figures = measured.with_context(|| format!("the measurement did not end within {LIMIT:?}"))??;
	if args.json {
		println!("{}", figures::json(&figures));
	} else {
		print!("{}", figures::table(&figures));
	}
	Ok(())
}

async fn measure(args: &Args) -> Result<Vec<Figure>> {
	let mut figures = Vec::new();
	// First, while the machine has nothing else to do.
	if args.wants(Part::Sandbox) {
		eprintln!("the sandbox, against ONNX Runtime in the same process …");
		figures.extend(native::sandbox().await?);
	}
	if args.wants(Part::Latency) || args.wants(Part::Throughput) {
		eprintln!("starting three validators with workers …");
		// Whoever wants the logs wants to know what the workers do.
		let more: &[&str] = if args.logs.is_some() {
			&["-l", "highway-worker=debug"]
		} else {
			&[]
		};
		let devnet = Devnet::start_with(more).await?;
		let measured = on_chain(args, &devnet).await;
		if measured.is_err() {
			for node in &devnet.nodes {
				eprintln!("the end of {}'s log:\n{}", node.name(), node.log_tail());
			}
		}
		if let Some(folder) = &args.logs {
			fs::create_dir_all(folder)?;
			for node in &devnet.nodes {
				node.save_log(&folder.join(format!("{}.log", node.name())))?;
			}
		}
		figures.extend(measured?);
		eprintln!("stopping the nodes …");
		devnet.stop().await?;
	}
	Ok(figures)
}

async fn on_chain(args: &Args, devnet: &Devnet) -> Result<Vec<Figure>> {
	let mut figures = Vec::new();
	let mut market = market::Market::open(devnet).await?;
	if args.wants(Part::Latency) {
		figures.extend(latency::measure(&mut market, args.jobs).await?);
	}
	if args.wants(Part::Throughput) {
		figures.extend(throughput::measure(&mut market, Duration::from_secs(args.load), args.explain).await?);
	}
	Ok(figures)
}
