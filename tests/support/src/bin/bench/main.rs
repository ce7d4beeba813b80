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
use highway_test_support::{bare::BareMagika, unless_interrupted, Devnet};
use inputs::{Input, Inputs};
use std::{path::PathBuf, time::Duration};

/// The whole run never takes longer than this.
const LIMIT: Duration = Duration::from_secs(600);

/// Inputs that bare ONNX Runtime is timed with while the machine has nothing else to do.
const BARE_RUNS: usize = 600;

/// Measures AI Highway on three real nodes on this machine.
///
/// Starts a network, registers Magika (file types) on it and pays for jobs, reads the figures from the finalized blocks
/// and holds them against their goals. Takes four to six minutes, more if jobs are lost. Ends with code 0 if it could
/// measure, whether or not the goals are met. A figure for which nothing was seen is left out: `null` in JSON.
///
/// latency     blocks from a job's submission to its attestation, over jobs paced evenly; a job that is lost counts as
///             long as it was open. Bytes on chain of a job that is attested alone, on average
/// throughput  correct, finalized jobs per second under load, against bare ONNX Runtime on one core: the ratio that counts
///             is to its rate before the nodes start, the other one to its rate beside the idle nodes. Correct: the file's
///             type, and every number within 1e-3 of bare ONNX Runtime's.
///             Bytes on chain of a job that is attested with at least five others, on average
/// sandbox     throughput of the sandboxed child against ONNX Runtime in the same process, both with two rows a run (the
///             engine runs no fewer); the child's memory at its peak, after a run as wide as there may be
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

/// What the payers ask, and what it takes without a network.
struct Work {
	magika: BareMagika,
	latency: Vec<Input>,
	throughput: Vec<Input>,
	/// Runs of bare ONNX Runtime in a second, on an idle machine.
	idle_rate: f64,
}

impl Work {
	/// Makes the inputs that the measurements need, none like another one, and times ONNX Runtime.
	fn prepare(args: &Args) -> Result<Self> {
		let scratch = tempfile::NamedTempFile::new()?;
		let mut magika = BareMagika::load()?;
		let mut made = Inputs::new(&magika, scratch.path().into())?;
		let latency = made.take(if args.wants(Part::Latency) {
			args.jobs as usize
		} else {
			0
		})?;
		let count = if args.wants(Part::Throughput) {
			throughput::most_jobs(Duration::from_secs(args.load))
		} else {
			0
		};
		let throughput = made.take(count)?;
		let sample: Vec<&Input> = throughput.iter().take(BARE_RUNS).collect();
		let idle_rate = if sample.is_empty() {
			0.0
		} else {
			eprintln!("bare ONNX Runtime, before the nodes start …");
			native::bare(&mut magika, &sample)?.0
		};
		Ok(Self {
			magika,
			latency,
			throughput,
			idle_rate,
		})
	}
}

async fn measure(args: &Args) -> Result<Vec<Figure>> {
	let mut figures = Vec::new();
	// First, while the machine has nothing else to do.
	if args.wants(Part::Sandbox) {
		eprintln!("the sandbox, against ONNX Runtime in the same process …");
		figures.extend(native::sandbox().await?);
	}
	if args.wants(Part::Latency) || args.wants(Part::Throughput) {
		eprintln!("preparing inputs …");
		let mut work = Work::prepare(args)?;
		eprintln!("starting three validators with workers …");
		// Whoever wants the logs wants to know what the workers do.
		let more: &[&str] = if args.logs.is_some() {
			&["-l", "highway-worker=debug"]
		} else {
			&[]
		};
		let measured = Devnet::run_with(more, async |devnet| {
			let measured = on_chain(args, devnet, &mut work).await;
			if let Some(folder) = &args.logs {
				devnet.save_logs(folder)?;
			}
			eprintln!("stopping the nodes …");
			measured
		});
		figures.extend(measured.await?);
	}
	Ok(figures)
}

async fn on_chain(args: &Args, devnet: &Devnet, work: &mut Work) -> Result<Vec<Figure>> {
	let mut figures = Vec::new();
	let mut market = market::Market::open(devnet).await?;
	if args.wants(Part::Latency) {
		figures.extend(latency::measure(&mut market, &work.latency).await?);
	}
	if args.wants(Part::Throughput) {
		figures.extend(throughput::measure(&mut market, work, Duration::from_secs(args.load), args.explain).await?);
	}
	Ok(figures)
}
