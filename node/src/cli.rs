//! The command line.

use highway_offchain_worker::engine::Provider;
use sc_cli::RunCmd;
use std::path::PathBuf;

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

	/// How to run inference.
	#[clap(flatten)]
	pub inference: InferenceArgs,
}

/// How to run inference, and where its blobs lie.
#[derive(Debug, Clone, clap::Args)]
pub struct InferenceArgs {
	/// Execution provider of ONNX Runtime: `auto`, `cpu` or `cuda:N`. What really runs is what `highway node
	/// register` and `highway node update` put on chain; a difference is told at the start.
	#[arg(long, default_value = "auto", value_name = "PROVIDER")]
	pub inference_provider: Provider,

	/// ONNX Runtime's shared library. Without it: the one that `scripts/setup` put into the user's cache folder.
	#[arg(long, env = "ORT_DYLIB_PATH", value_name = "FILE")]
	pub onnxruntime: Option<PathBuf>,

	/// Threads of one inference. The rest of the cores stays with the validator.
	#[arg(long, default_value_t = 1, value_name = "N")]
	pub inference_threads: u16,

	/// Memory of one inference beyond the model's own size, in MiB.
	#[arg(long, default_value_t = 250, value_name = "MIB")]
	pub inference_memory: u32,

	/// Bytes of models kept loaded, in MiB.
	#[arg(long, default_value_t = 4096, value_name = "MIB")]
	pub loaded_models: u64,

	/// Jobs that the node takes at the same time, queued ones included.
	#[arg(long, default_value_t = 256, value_name = "N")]
	pub inference_slots: u16,

	/// Run models without the sandbox if it cannot be set up. Models are strangers' input: for tests only.
	#[arg(long)]
	pub insecure_inference: bool,

	/// Disk space for blobs (models, inputs, outputs) in MiB. Pinned blobs are never evicted.
	#[arg(long, default_value_t = 20 * 1024, value_name = "MIB")]
	pub blob_quota: u64,

	/// Multiaddress under which other nodes reach this one, put on chain at registration; up to four times.
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

	/// Measure what the runtime's calls cost.
	#[cfg(feature = "runtime-benchmarks")]
	#[command(subcommand)]
	Benchmark(frame_benchmarking_cli::BenchmarkCmd),
}
