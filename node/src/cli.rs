//! The command line.

use highway_offchain_worker::engine::{Optimization, Provider};
use highway_runtime::pallet_node_staking;
use sc_cli::RunCmd;
use std::path::PathBuf;

/// The most slots that the chain lets a node claim.
const MAX_SLOTS: i64 = pallet_node_staking::MAX_SLOTS as i64;

/// Node of AI Highway: authors and finalizes blocks, and runs inference for those who pay for it.
#[derive(Debug, clap::Parser)]
#[command(
	after_help = "The offchain worker runs when the keystore holds a worker key (type `work`) and --offchain-worker allows it."
)]
pub struct Cli {
	/// What to do instead of running a node.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// How to run the node.
	#[clap(flatten)]
	pub run: RunCmd,

	/// Folder for compiled runtimes, so that a start need not compile what an earlier one did. What lies there is run: nobody
	/// else may be able to write to it. Without it: `runtimes` in the base path.
	#[arg(long, value_name = "DIR")]
	pub runtime_cache: Option<PathBuf>,

	/// How to run inference.
	#[clap(flatten)]
	pub inference: InferenceArgs,
}

/// How to run inference, and where its blobs lie.
#[derive(Debug, Clone, clap::Args)]
pub struct InferenceArgs {
	/// Execution provider of ONNX Runtime: `auto`, `cpu` or `cuda:N`. What really runs is what `highway node
	/// register` and `highway node update` put on chain; while the two differ the node gets no jobs.
	#[arg(long, default_value = "auto", value_name = "PROVIDER")]
	pub inference_provider: Provider,

	/// ONNX Runtime's shared library. Without it: the one that `scripts/setup` put into the user's cache folder.
	#[arg(long, env = "ORT_DYLIB_PATH", value_name = "FILE")]
	pub onnxruntime: Option<PathBuf>,

	/// Threads of one inference. The rest of the cores stays with the validator.
	#[arg(long, default_value_t = 1, value_name = "N")]
	pub inference_threads: u16,

	/// How far ONNX Runtime rewrites a model before it runs it: `none`, `basic`, `extended` or `all`. Less is slower; it is for
	/// a model that a rewriting breaks. Whatever it is, audits take it for honest: models are calibrated over all levels.
	#[arg(long, default_value = "all", value_name = "LEVEL")]
	pub inference_optimization: Optimization,

	/// Memory that an inference child may take for a run, in MiB, beyond four times the input and what it has once the
	/// model is loaded: the model's own size at least, with ONNX Runtime. While it loads, beyond ONNX Runtime and four
	/// times the model's size. A child that takes more is stopped.
	#[arg(long, default_value_t = 250, value_name = "MIB")]
	pub inference_memory: u32,

	/// Memory for loaded models, in MiB: each counts its file's size and what one inference may take beyond it. A model
	/// that does not fit, or is larger than a quarter of the disk space for blobs, is refused.
	#[arg(long, default_value_t = 4096, value_name = "MIB")]
	pub loaded_models: u64,

	/// The most jobs that the node takes at the same time, queued ones included. A node that hosts a slow model takes only
	/// as many as it can finish within that model's deadline; that is told with each session's heartbeat.
	#[arg(long, default_value_t = 256, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_SLOTS))]
	pub inference_slots: u16,

	/// What the node asks for its work: a TOML file with a floor price, and how the ask follows the load, per model and role;
	/// the node's README has an example. The worker key then bids by itself, and withdraws what is not in the file. It is
	/// read at the start. Without it the operator's account makes the asks, with the wallet.
	#[arg(long, value_name = "FILE")]
	pub bids: Option<PathBuf>,

	/// Run models without the sandbox if it cannot be set up. Models are strangers' input: for tests only.
	#[arg(long)]
	pub insecure_inference: bool,

	/// Disk space for blobs (models, inputs, outputs) in MiB. Pinned blobs are never evicted.
	#[arg(long, default_value_t = 20 * 1024, value_name = "MIB")]
	pub blob_quota: u64,

	/// Multiaddress under which other nodes reach this one, put on chain at registration; up to four times. Without it
	/// those of `--public-addr` are.
	#[arg(long, value_name = "MULTIADDR")]
	pub advertise: Vec<String>,
}

/// What the node's binary does besides running a node.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant)]
pub enum Subcommand {
	/// Make, look at and store keys.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Write a chain's specification.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Check blocks that the database holds.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write blocks to a file.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Write the state of a block as a chain specification.
	ExportState(sc_cli::ExportStateCmd),

	/// Read blocks from a file.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Delete a chain's database.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Go back by a number of blocks.
	Revert(sc_cli::RevertCmd),

	/// Print what the database says of itself.
	ChainInfo(sc_cli::ChainInfoCmd),

	/// Measure what the runtime's calls cost (`pallet`) or what this machine does (`machine`). The others are refused: they find
	/// what a block, an extrinsic and the database weigh, which this runtime takes from the SDK.
	#[cfg(feature = "runtime-benchmarks")]
	#[command(subcommand)]
	Benchmark(frame_benchmarking_cli::BenchmarkCmd),
}
