//! Measures what the README promises: see `scripts/bench`.

mod blobs;
mod dispatch;
mod figures;
mod growth;
mod import;
mod intervals;
mod latency;
mod network;
mod overload;
mod record;
mod sandbox;
mod settlement;
mod transfers;
mod weight;

use anyhow::{anyhow, ensure, Result};
use clap::{Parser, ValueEnum};
use figures::Figure;
use growth::Growth;
use highway_test_support::{binaries, unless_interrupted, Devnet};
use network::{Magika, MiniLm, Scene, Stage, Subject};
use record::Record;
use std::{
	path::PathBuf,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A round, with all that is measured in it, never takes longer than this, and than so many times a load.
const ROUND_LIMIT: Duration = Duration::from_secs(1_500);

/// There are several loads in a round, and what they bring is checked and settled after each.
const LOADS_LIMIT: u32 = 20;

/// Measures AI Highway on this machine: on real nodes, and on the real runtime in this process.
///
/// Everything is measured in rounds, one thing after the other in each, so that what a machine does besides meets all alike; a
/// figure is the median of its rounds, or is made of what all rounds saw. Ratios are of the same round. All that was observed, and
/// the nodes' logs, are kept in a folder, which is named at the end. Three rounds of everything take about an hour. Ends with code 0
/// if all of it could be measured, whether or not the goals are met. What could not is named as soon as that is known, the rest is
/// measured all the same, and the code is 1. A figure for which nothing was seen is left out: `null` in JSON.
///
/// sandbox     throughput of the sandboxed child against ONNX Runtime in the same process, both with two rows a run (the
///             engine runs no fewer); the child's memory at its peak, after a run as wide as there may be
/// weight      what a job weighs by what the chain declares, from its submission until its record is gone, against one
///             `transfer_keep_alive`: hooks, extensions and the share of audits included. Counted, and the same in every
///             round. The same for each input of a job of 64. How many jobs a second the chain can settle for ever by that: the
///             due queue has two fifths of each block
/// growth      hooks, assignments, clearings and the choice of validators with 100 to 100 000 nodes, models and open jobs:
///             the largest of the times against that of the smallest chain, in memory. Hooks with one job due, and with more
///             than the due queue takes
/// latency     blocks from the one that was the best when a job was handed to a node to its attestation, and until that is
///             final, over jobs paced evenly; a job that is lost counts as long as it was looked at. Bytes on chain of a job
///             that is attested alone, on average
/// dispatch    correct, finalized jobs per second under load, against bare ONNX Runtime: the same inputs, one thread, and one
///             core for all inference of three nodes. Of Magika, and of a model that takes more than 20 ms: MiniLM with 256
///             tokens. Correct: every number within 1e-3 of bare ONNX Runtime's, and of Magika the file's type. Bytes on
///             chain of a job that is attested with at least five others, on average
/// settlement  jobs that the chain settles in a second, in the blocks that leave something of what is due to the next one, after
///             the load of `dispatch`. Until all of its jobs are over
/// transfers   finalized jobs per second against finalized transfers per second, each under load on the same nodes, one after
///             the other
/// intervals   slots without a block, and the p99 of block intervals, while inference has all cores and as many jobs as nodes
///             take, and when all of these are settled. A thousandth of missed slots shows only in a thousand slots: with fewer
///             it is not held against its goal; --only intervals --load 300 --rounds 7 sees as many
/// overload    correct, finalized jobs per second when twice as many are sent as at capacity, against those at capacity.
///             Nothing, if less than 1.7 times as many could be sent
/// blobs       a file of 64 MiB that a node fetches from another one, verified, against a copy through a socket; both end
///             when it is on the disk
/// import      how long another node takes to verify, execute and store the block that is fullest of jobs, against what the
///             block weighs. Nothing, if none is nine tenths full
#[derive(Parser, Debug)]
#[command(name = "bench", verbatim_doc_comment)]
struct Args {
	/// Prints one JSON object instead of a table.
	#[arg(long)]
	json: bool,
	/// Measures only these.
	#[arg(long, value_enum, value_name = "NAME,...", value_delimiter = ',')]
	only: Vec<Part>,
	/// Rounds.
	#[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=7))]
	rounds: u32,
	/// Jobs whose latency is measured, in all rounds together.
	#[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
	jobs: u32,
	/// How long each load lasts.
	#[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(10..=300))]
	load: u64,
	/// Shows what loads were held up by, on standard error, and has the nodes' logs say what their workers do.
	#[arg(long)]
	explain: bool,
	/// Where everything is kept. Without it: `bench` in the cache folder, by the time.
	#[arg(long, value_name = "FOLDER")]
	logs: Option<PathBuf>,
}

/// What can be measured by itself, in the order in which it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Part {
	Sandbox,
	Weight,
	Growth,
	Latency,
	Dispatch,
	Settlement,
	Transfers,
	Intervals,
	Overload,
	Blobs,
	Import,
}

impl Part {
	/// Those that take place on a network with Magika.
	const ON_CHAIN: [Self; 8] = [
		Self::Latency,
		Self::Dispatch,
		Self::Settlement,
		Self::Transfers,
		Self::Intervals,
		Self::Overload,
		Self::Blobs,
		Self::Import,
	];

	/// Its name, and which round it is of, counted from 0.
	fn in_round(self, round: u32) -> String {
		format!("{self:?} in round {}", round + 1)
	}

	/// What comes of it.
	fn figures(self) -> &'static [Figure] {
		match self {
			Self::Sandbox => sandbox::FIGURES,
			Self::Weight => weight::FIGURES,
			Self::Growth => growth::FIGURES,
			Self::Latency => latency::FIGURES,
			Self::Dispatch => dispatch::FIGURES,
			Self::Settlement => settlement::FIGURES,
			Self::Transfers => transfers::FIGURES,
			Self::Intervals => intervals::FIGURES,
			Self::Overload => overload::FIGURES,
			Self::Blobs => blobs::FIGURES,
			Self::Import => import::FIGURES,
		}
	}
}

/// A network of its own for each model: a node that hosts a slow one takes fewer jobs of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Network {
	Magika,
	Large,
}

impl Network {
	/// Where its nodes' logs are kept.
	fn folder(self) -> &'static str {
		match self {
			Self::Magika => "nodes-magika",
			Self::Large => "nodes-large",
		}
	}

	/// What is measured on it.
	fn parts(self) -> &'static [Part] {
		match self {
			Self::Magika => &Part::ON_CHAIN,
			Self::Large => &[Part::Dispatch],
		}
	}

	/// Its model, timed before it starts.
	fn stage(self, args: &Args) -> Result<Stage> {
		let subject: Box<dyn Subject> = match self {
			Self::Magika => Box::new(Magika::load()?),
			Self::Large => Box::new(MiniLm::load()?),
		};
		Stage::set(subject, args.load, args.explain)
	}
}

impl Args {
	fn wants(&self, part: Part) -> bool {
		self.only.is_empty() || self.only.contains(&part)
	}
}

#[tokio::main]
async fn main() -> Result<()> {
	let args = Args::parse();
	let folder = match &args.logs {
		Some(folder) => folder.clone(),
		None => {
			let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
			binaries::cache().join("bench").join(now.to_string())
		}
	};
	let mut record = Record::open(folder)?;
	// One more, for what comes before the first.
	let limit = (ROUND_LIMIT + LOADS_LIMIT * Duration::from_secs(args.load)) * (args.rounds + 1);
	let measured = tokio::time::timeout(limit, unless_interrupted(measure(&args, &mut record))).await;
	let measured = measured.unwrap_or_else(|_| Err(anyhow!("the measurement did not end within {limit:?}")));
	eprintln!("all that was observed is kept in {}", record.folder().display());
	let figures: Vec<Figure> = Part::value_variants()
		.iter()
		.flat_map(|part| part.figures())
		.copied()
		.collect();
	if args.json {
		println!("{}", figures::json(&figures, record.observations()));
	} else {
		print!("{}", figures::table(&figures, record.observations()));
	}
	// After what was seen until then.
	measured?;
	let failures = record.failures();
	ensure!(failures.is_empty(), "could not be measured: {}", failures.join("; "));
	Ok(())
}

async fn measure(args: &Args, record: &mut Record) -> Result<()> {
	// First, while the machine has nothing else to do.
	without_chain(args, record).await?;
	for network in [Network::Magika, Network::Large] {
		if !network.parts().iter().any(|part| args.wants(*part)) {
			continue;
		}
		// What keeps one network from running need not keep the other one.
		if let Err(error) = on_network(args, record, network).await {
			record.fail(network.folder(), &error)?;
		}
	}
	Ok(())
}

/// Measures what takes no network.
async fn without_chain(args: &Args, record: &mut Record) -> Result<()> {
	let mut growth = args.wants(Part::Growth).then(Growth::prepare);
	for round in 0..args.rounds {
		record.begin(round);
		if args.wants(Part::Sandbox) {
			if let Err(error) = sandbox::round(record).await {
				record.fail(&Part::Sandbox.in_round(round), &error)?;
			}
		}
		if let Some(growth) = &mut growth {
			if let Err(error) = growth.round(record) {
				record.fail(&Part::Growth.in_round(round), &error)?;
			}
		}
		if args.wants(Part::Weight) && round == 0 {
			if let Err(error) = weight::count(record) {
				record.fail(&Part::Weight.in_round(round), &error)?;
			}
		}
	}
	Ok(())
}

/// Starts a network, and measures on it.
async fn on_network(args: &Args, record: &mut Record, network: Network) -> Result<()> {
	let stage = network.stage(args)?;
	eprintln!("starting three validators with workers …");
	// Whoever wants an explanation wants to know what the workers do.
	let more: &[&str] = match args.explain {
		true => &["-l", "highway-worker=debug"],
		false => &[],
	};
	Devnet::run_with(more, async |devnet| {
		let measured = rounds(args, record, stage, network, devnet).await;
		devnet.save_logs(&record.folder().join(network.folder()))?;
		eprintln!("stopping the nodes …");
		measured
	})
	.await
}

async fn rounds(args: &Args, record: &mut Record, stage: Stage, network: Network, devnet: &mut Devnet) -> Result<()> {
	let mut scene = Scene::open(devnet, stage).await?;
	for round in 0..args.rounds {
		eprintln!("--- round {} of {} ---", round + 1, args.rounds);
		record.begin(round);
		scene.begin();
		for part in network.parts().iter().filter(|part| args.wants(**part)) {
			let Err(error) = measure_part(args, *part, network, record, &mut scene).await else {
				continue;
			};
			record.fail(&format!("{} on {}", part.in_round(round), network.folder()), &error)?;
			if let Err(error) = scene.recover().await {
				eprintln!("what that left behind may be seen in what comes next: {error:#}");
			}
		}
	}
	Ok(())
}

/// Measures a part that takes place on a network, in one round.
async fn measure_part(
	args: &Args,
	part: Part,
	network: Network,
	record: &mut Record,
	scene: &mut Scene<'_>,
) -> Result<()> {
	match part {
		Part::Latency => latency::round(scene, args.jobs.div_ceil(args.rounds), record).await,
		Part::Dispatch if network == Network::Large => dispatch::large(scene, record).await,
		Part::Dispatch => dispatch::magika(scene, record).await,
		Part::Settlement => settlement::round(scene, record).await,
		Part::Transfers => transfers::round(scene, record).await,
		Part::Intervals => intervals::round(scene, record).await,
		Part::Overload => overload::round(scene, record).await,
		Part::Blobs => blobs::round(scene, record).await,
		Part::Import => import::round(scene, record).await,
		Part::Sandbox | Part::Weight | Part::Growth => Ok(()),
	}
}
