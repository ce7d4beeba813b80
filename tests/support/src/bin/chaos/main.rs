//! Breaks a network of real nodes again and again, and looks whether it mends: see `scripts/chaos`.

mod clock;
mod disturbances;
mod faults;
mod flood;
mod ledger;
mod load;
mod network;
mod recovery;
mod report;
mod router;

use anyhow::{ensure, Context, Result};
use clap::{Parser, ValueEnum};
use clock::SkewedClock;
use faults::{Kind, Scene, DISK_FULL};
use futures::future::join_all;
use highway_primitives::{ModelId, AIC};
use highway_test_support::{interrupted, market, unless_interrupted, Devnet, Node, Setup, Wallet};
use ledger::{End, Ledger};
use load::Load;
use network::Network;
use rand::{rngs::StdRng, seq::SliceRandom, SeedableRng};
use recovery::{finalized, recover};
use report::{Report, Row};
use std::{
	net::SocketAddr,
	path::PathBuf,
	process::ExitCode,
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::time::sleep;

/// Who validates. Three of four must vote for a block to be final.
const VALIDATORS: [&str; 4] = ["alice", "bob", "charlie", "dave"];

const MAKER: &str = "//Maker";
const PAYER: &str = "//Payer";

/// The exit code if this machine has not what it takes.
const UNABLE: u8 = 2;

/// The exit code if somebody ended it early, and nothing was wrong until then.
const CUT_SHORT: u8 = 3;

/// How long it may take until all jobs are over, once nothing is broken any more: twice of what the ledger gives each, if no slot
/// is missed.
const OVER_WITHIN: Duration = Duration::from_secs(900);

/// How often the jobs that are open at the end are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Breaks a network of four real validators again and again, and looks whether it mends.
///
/// Each validator has a network namespace and a disk of its own. This program carries the packets between them: each takes
/// the latency, some are lost, and a partition stops them; the wires are good until the market is open. From then on a payer
/// has files looked at by Magika all the time. The kinds of fault come in turns, in random order, to random nodes.
///
/// After each fault, when it is mended, all nodes must finalize one chain again; every job ends once, and its price goes out as
/// it came in; the issuance is what events say; nobody is slashed, and no node has ended or panicked by itself. Who is late with
/// a job or a chunk that it stores loses what the rules say, but only if a fault touched it then, or for a job all who had its
/// input: nobody else is fined. Jobs that are open then are looked after while the next fault is on; at the end none is left.
/// Those that no fault came near are done, nearly all of them paid, and at least half of the others. With four validators silence
/// in an audit costs nobody anything: the chain slashes for it where five operators are active.
///
/// Ctrl-C or `kill` ends it early: it sums up what there was so far, stops the nodes and clears their networks. A run with
/// another seed goes on from there, and runs may go on beside one another.
///
/// Needs root, /dev/net/tun, the programs ip, nsenter and mount, and a C compiler for the wrong clock. Ends with code 0 if all
/// is as it should be, 1 if not, 2 if this machine has not what it takes, 3 if it was ended early and nothing was wrong until then.
#[derive(Parser, Debug)]
#[command(name = "chaos")]
struct Args {
	/// Prints one JSON object at the end; rows go to standard error.
	#[arg(long)]
	json: bool,
	/// Faults in all; 200 are reckoned to take an hour and a half to two.
	#[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
	faults: u32,
	/// Repeats the choices of another run, which printed it.
	#[arg(long, value_name = "S")]
	seed: Option<u64>,
	/// Only faults of these kinds.
	#[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
	kinds: Vec<Kind>,
	/// What a packet takes from one node to another.
	#[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(..=2_000))]
	latency_ms: u64,
	/// The share of packets between nodes that is lost.
	#[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
	loss: f64,
	/// Copies the nodes' logs into this folder at the end.
	#[arg(long, value_name = "FOLDER")]
	keep: Option<PathBuf>,
	/// Looks whether this machine has what it takes, and does nothing else.
	#[arg(long)]
	check: bool,
}

/// A share below one.
fn share(text: &str) -> Result<f64> {
	let share: f64 = text.parse()?;
	ensure!((0.0..1.0).contains(&share), "a share is 0 or more, and below 1");
	Ok(share)
}

#[tokio::main]
async fn main() -> ExitCode {
	let args = Args::parse();
	let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	let seed = args.seed.unwrap_or(now.as_secs());
	let (network, clock) = match prepare(seed) {
		Ok(prepared) => prepared,
		Err(error) => {
			eprintln!("chaos was not run: {error:#}");
			return ExitCode::from(UNABLE);
		}
	};
	if args.check {
		return ExitCode::SUCCESS;
	}
	match run(&args, seed, &network, &clock).await {
		Ok(Outcome::Sound) => ExitCode::SUCCESS,
		Ok(Outcome::Unsound) => ExitCode::FAILURE,
		Ok(Outcome::CutShort) => ExitCode::from(CUT_SHORT),
		Err(error) => {
			eprintln!("error: {error:#}");
			ExitCode::FAILURE
		}
	}
}

/// What takes a machine that has it.
fn prepare(seed: u64) -> Result<(Network, SkewedClock)> {
	Ok((Network::open(VALIDATORS.len() as u8, seed)?, SkewedClock::build()?))
}

/// What came of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
	/// All is as it should be.
	Sound,
	/// Something is not.
	Unsound,
	/// Somebody ended it early; nothing was wrong until then.
	CutShort,
}

/// How far a run came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Course {
	/// To its end.
	Whole,
	/// To a fault that the nodes did not recover from.
	Dead,
	/// Until somebody ended it, in this way.
	CutShort(&'static str),
}

async fn run(args: &Args, seed: u64, network: &Network, clock: &SkewedClock) -> Result<Outcome> {
	eprintln!("--seed {seed} repeats the choices of this run");
	eprintln!("starting four validators in namespaces of their own …");
	// Its lines tell milliseconds: by them a wrong clock is seen.
	let detailed = ["--detailed-log-output"];
	let mut setup = Setup::of(&VALIDATORS).paying(MAKER).paying(PAYER).with(&detailed);
	for (name, place) in VALIDATORS.iter().zip(network.places()) {
		setup = setup.placing(name, place.clone());
	}
	let mut devnet = unless_interrupted(Devnet::start_setup(setup)).await?;
	let outcome = play(args, seed, network, clock, &mut devnet).await;
	if !matches!(outcome, Ok(Outcome::Sound | Outcome::CutShort)) {
		devnet.show_logs();
	}
	if let Some(folder) = &args.keep {
		devnet.save_logs(folder)?;
	}
	outcome
}

/// Opens a market for Magika, and a ledger of what will be done in it.
async fn open(devnet: &Devnet) -> Result<(Load, Ledger)> {
	let first = devnet.nodes.first().context("a network has a node")?;
	let maker = Wallet::new(first, MAKER);
	let model = market::add_model(&maker, &market::magika_arguments()?).await?;
	market::host_everywhere(devnet, model, AIC / 100, AIC / 1_000).await?;
	let load = Load::open(devnet, PAYER, ModelId::try_from(model)?).await?;
	let (metadata, payer, holders) = (load.metadata(), load.payer(), load.holders());
	let ledger = Ledger::open(first.rpc_address(), metadata, payer, holders).await?;
	Ok((load, ledger))
}

async fn play(args: &Args, seed: u64, network: &Network, clock: &SkewedClock, devnet: &mut Devnet) -> Result<Outcome> {
	for node in &devnet.nodes {
		eprintln!("  {:8} {}", node.name(), node.url());
	}
	eprintln!("a maker registers Magika, and all of them bid for it …");
	let (mut load, mut ledger) = unless_interrupted(open(devnet)).await?;
	let nodes: Vec<_> = devnet.nodes.iter().map(Node::rpc_address).collect();

	let mut report = Report::new(args, seed);
	network
		.router
		.disturb(Duration::from_millis(args.latency_ms), args.loss);
	let mut scene = Scene {
		devnet: &mut *devnet,
		ids: load.ids(),
		network,
		clock,
		chance: StdRng::seed_from_u64(seed),
	};
	let mut course = tokio::select! {
		course = inflict(args, &mut scene, &nodes, &mut ledger, &mut report) => Ok(course),
		error = load.run() => Err(error),
		word = interrupted() => word.map(Course::CutShort),
	};
	if matches!(course, Ok(Course::Whole)) {
		course = tokio::select! {
			concluded = conclude(&mut load, &nodes, &mut ledger, &mut report) => concluded.map(|()| Course::Whole),
			word = interrupted() => word.map(Course::CutShort),
		};
	}
	match &course {
		// That nodes are no network any more is in its row.
		Ok(Course::Whole | Course::Dead) => {}
		Ok(Course::CutShort(word)) => report.cut_short(word),
		Err(error) => report.fail(format!("{error:#}")),
	}
	let is_cut_short = matches!(course, Ok(Course::CutShort(_)));
	eprintln!("stopping the nodes …");
	for stopped in join_all(devnet.nodes.iter_mut().map(Node::stop)).await {
		// Ctrl-C ends nodes by itself, in the middle of whatever they do.
		if let (Err(error), false) = (stopped, is_cut_short) {
			report.fail(format!("{error:#}"));
		}
	}
	Ok(match (report.end(&ledger, network.router.counts()), is_cut_short) {
		(false, _) => Outcome::Unsound,
		(true, true) => Outcome::CutShort,
		(true, false) => Outcome::Sound,
	})
}

/// Inflicts all faults, with a row for each. After the first one that the nodes do not recover from there is nothing left to break.
async fn inflict(
	args: &Args,
	scene: &mut Scene<'_>,
	nodes: &[SocketAddr],
	ledger: &mut Ledger,
	report: &mut Report,
) -> Course {
	let kinds = match args.kinds.as_slice() {
		[] => Kind::value_variants(),
		kinds => kinds,
	};
	let mut coming: Vec<Kind> = Vec::new();
	let mut panics = vec![0; nodes.len()];
	for _ in 0..args.faults {
		if coming.is_empty() {
			coming.extend(kinds);
			coming.shuffle(&mut scene.chance);
		}
		let Some(kind) = coming.pop() else {
			return Course::Whole;
		};
		let row = one(kind, scene, nodes, ledger, &mut panics).await;
		let alive = row.recovered.is_some();
		report.add(row);
		if !alive {
			return Course::Dead;
		}
	}
	Course::Whole
}

/// One fault, and all that is looked at after it.
async fn one(
	kind: Kind,
	scene: &mut Scene<'_>,
	nodes: &[SocketAddr],
	ledger: &mut Ledger,
	panics: &mut [usize],
) -> Row {
	let mut row = Row {
		kind: kind.word(),
		what: String::new(),
		recovered: None,
		jobs: 0,
		settled: 0,
		open_jobs: 0,
		fines: 0,
		failures: Vec::new(),
	};
	if let Err(error) = look_after(kind, scene, nodes, ledger, &mut row).await {
		row.failures.push(format!("{error:#}"));
	}
	(row.jobs, row.settled) = (ledger.jobs(), ledger.ended(End::Settled));
	(row.open_jobs, row.fines) = (ledger.open_jobs(), ledger.losses().fines);
	row.failures.extend(ledger.take_troubles());
	row.failures.extend(new_panics(scene.devnet, panics));
	row
}

async fn look_after(
	kind: Kind,
	scene: &mut Scene<'_>,
	nodes: &[SocketAddr],
	ledger: &mut Ledger,
	row: &mut Row,
) -> Result<()> {
	let from = finalized(scene.devnet).await?;
	let damage = scene.inflict(kind).await?;
	row.what = damage.what;
	row.failures.extend(damage.failures);
	row.failures.extend(scene.revive().await?);
	let recovery = recover(scene.devnet).await?;
	row.recovered = Some(recovery.took);
	ledger.disturbed(scene.ids_of(&damage.touched), from, recovery.best);
	ledger.advance(nodes).await
}

/// Lines in which nodes say that they panicked, and did not when they were last asked; `known` counts them. On a full disk that is
/// how they stop.
fn new_panics(devnet: &Devnet, known: &mut [usize]) -> Vec<String> {
	let mut new = Vec::new();
	for (node, known) in devnet.nodes.iter().zip(known) {
		let lines = node.panics();
		let more = lines.iter().skip(*known).filter(|line| !line.contains(DISK_FULL));
		new.extend(more.map(|line| format!("{}: {line}", node.name())));
		*known = lines.len();
	}
	new
}

/// Lets all jobs come to their end, and holds what the payer did against what the chain says.
async fn conclude(load: &mut Load, nodes: &[SocketAddr], ledger: &mut Ledger, report: &mut Report) -> Result<()> {
	eprintln!("no more jobs; waiting until all are over …");
	load.finish().await?;
	let begin = Instant::now();
	loop {
		ledger.advance(nodes).await?;
		if ledger.open_jobs() == 0 || begin.elapsed() > OVER_WITHIN {
			break;
		}
		sleep(LOOK).await;
	}
	for trouble in ledger.take_troubles() {
		report.fail(trouble);
	}
	let open = ledger.open_jobs();
	if open > 0 {
		report.fail(format!("{open} jobs are not over after {OVER_WITHIN:?}"));
	}
	let (signed, counted) = (load.signed(), ledger.transactions());
	if signed != counted {
		report.fail(format!("{signed} submissions were signed, and {counted} are final"));
	}
	for trouble in ledger.shares().troubles() {
		report.fail(trouble);
	}
	Ok(())
}
