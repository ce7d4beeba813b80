//! The command line.

use crate::{
	amount,
	commands::{
		audit::AuditCommand, bid::BidArgs, curator::CuratorCommand, earn::ClaimArgs, infer::InferArgs,
		infer::QuoteArgs, job::JobCommand, key::KeyCommand, market::MarketCommand, model::ModelCommand,
		money::TransferArgs, node::NodeCommand, promote::PromoteArgs,
	},
};
use clap::{Args, Parser, Subcommand};
use highway_primitives::{Balance, JobId};
use sp_runtime::Perbill;
use std::path::PathBuf;

/// Shown below the help.
const EXAMPLES: &str = "\
First steps, with a development node (`highway-node --dev`) on this machine:
  highway --key //Alice balance
  highway --key //Alice model list
  highway --key //Alice quote //Alice/magika --file photo.png
  highway --key //Alice infer //Alice/magika --file photo.png

With a key of your own:
  highway key generate me
  highway --key me balance

Amounts are decimals of AIC: 1, 0.25, 0.000000000001 (the smallest).
Accounts are addresses (5Grw…), 0x and hex, names of keys, or, on development chains, //Alice and the like.
Models are ids (3), OWNER/NAME (//Alice/magika), or the name of one of your own.

Exit codes:
  0 done               4 the chain refused it   7 a key cannot be used
  1 failed             5 money                  8 other bytes than the chain names
  2 wrong usage        6 a job gave no result   9 sent, but not known whether it is in a block
  3 no node reached";

/// AI Highway: buy inference, offer models, run nodes.
///
/// Talks to a node of the AI Highway chain, signs with your keys, and checks every output against the hash on chain
/// before it shows it.
#[derive(Parser, Debug)]
#[command(name = "highway", version, after_help = EXAMPLES, max_term_width = 110)]
pub struct Cli {
	/// Options of all commands.
	#[command(flatten)]
	pub global: Global,
	/// What to do.
	#[command(subcommand)]
	pub command: Command,
}

/// Options of all commands.
#[derive(Args, Clone, Debug)]
pub struct Global {
	/// The node to talk to.
	#[arg(
		long,
		global = true,
		env = "HIGHWAY_URL",
		default_value = "ws://127.0.0.1:9944",
		value_name = "URL"
	)]
	pub url: String,
	/// Prints one JSON document for programs instead of text. Amounts in it are decimal strings of AIC.
	#[arg(long, global = true)]
	pub json: bool,
	/// The key that signs and pays: a name from `highway key list`, or, on development chains, //Alice and the like. Not
	/// needed where there is only one.
	#[arg(long, global = true, env = "HIGHWAY_KEY", value_name = "NAME")]
	pub key: Option<String>,
	/// Folder of the key files.
	#[arg(long, global = true, env = "HIGHWAY_KEYSTORE", value_name = "FOLDER")]
	pub keystore: Option<PathBuf>,
	/// File with the key's password. Without it: the variable HIGHWAY_PASSWORD, or a question.
	#[arg(long, global = true, value_name = "FILE")]
	pub password_file: Option<PathBuf>,
	/// Waits until transactions are final, not only in a block.
	#[arg(long, global = true)]
	pub finalized: bool,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
	/// Makes and keeps keys.
	#[command(subcommand)]
	Key(KeyCommand),
	/// Shows what an account has.
	Balance {
		/// The account; by default the one of the key.
		account: Option<String>,
	},
	/// Sends money.
	Transfer(TransferArgs),
	/// Registers and looks after models.
	#[command(subcommand)]
	Model(ModelCommand),
	/// Registers and looks after the node that you operate.
	#[command(subcommand)]
	Node(NodeCommand),
	/// Shows what a job would cost, line by line.
	Quote(QuoteArgs),
	/// Runs a model on a file, or on many, and pays for it.
	Infer(InferArgs),
	/// Shows or follows a job, or asks for its audit.
	#[command(subcommand)]
	Job(JobCommand),
	/// Shows how nodes judge the work of other nodes.
	#[command(subcommand)]
	Audit(AuditCommand),
	/// Shows who was paid what for a job.
	Bill {
		/// The job.
		job: JobId,
	},
	/// Shows prices, who asks what, and who is paid what.
	#[command(subcommand)]
	Market(MarketCommand),
	/// Says what your node asks for serving a model, sealed until all have bid.
	Bid(BidArgs),
	/// Bids for one of the places of featured models, or shows them.
	Promote(PromoteArgs),
	/// Shows what an account has earned, and from when it may be claimed.
	Earnings {
		/// The account; by default the one of the key.
		account: Option<String>,
	},
	/// Pays out what an account has earned.
	Claim(ClaimArgs),
	/// For those who choose models for others.
	#[command(subcommand)]
	Curator(CuratorCommand),
}

/// For clap: an amount of AIC.
pub fn parse_amount(text: &str) -> Result<Balance, String> {
	amount::parse_amount(text).map_err(|error| error.to_string())
}

/// For clap: a share such as `5%`.
pub fn parse_percent(text: &str) -> Result<Perbill, String> {
	amount::parse_percent(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::{CommandFactory, Parser};

	#[test]
	fn command_line_should_be_consistent() {
		Cli::command().debug_assert();
	}

	#[test]
	fn globals_should_be_understood_after_the_command() {
		let cli = Cli::parse_from(["highway", "balance", "--url", "ws://x:1", "--json", "--key", "//Bob"]);
		assert_eq!(cli.global.url, "ws://x:1");
		assert!(cli.global.json);
		assert_eq!(cli.global.key.as_deref(), Some("//Bob"));
	}

	#[test]
	fn amounts_should_be_parsed_exactly() {
		let cli = Cli::parse_from(["highway", "transfer", "//Bob", "0.1"]);
		let Command::Transfer(transfer) = cli.command else {
			panic!("another command")
		};
		assert_eq!(transfer.amount, 100_000_000_000);
		assert!(Cli::try_parse_from(["highway", "transfer", "//Bob", "1e3"]).is_err());
	}

	#[test]
	fn infer_should_take_files_or_a_tensor_file_but_not_both() {
		let parse = |words: &[&str]| Cli::try_parse_from([&["highway", "infer", "1"], words].concat());
		assert!(parse(&["--file", "a", "b", "c"]).is_ok());
		assert!(parse(&["--input", "in.safetensors", "--output", "out.safetensors"]).is_ok());
		assert!(parse(&["--input", "in.safetensors", "--file", "a"]).is_err());
		assert!(parse(&[]).is_err());
	}

	#[test]
	fn model_add_should_understand_policy_royalty_and_terms() {
		let words = "highway model add m.onnx --name magika --licence Apache-2.0 --royalty 0.001 --unit-time-ms 200 \
			--policy tolerance:0.001:0.0001:0.5% --recipe magika --recipe-config c.json --terms 20%:0.0001";
		assert!(Cli::try_parse_from(words.split_whitespace()).is_ok());
		let wrong = words.replace("0.5%", "5%");
		assert!(Cli::try_parse_from(wrong.split_whitespace()).is_err());
	}

	#[test]
	fn help_should_teach_with_examples() {
		let help = Cli::command().render_long_help().to_string();
		assert!(help.contains("highway --key //Alice infer"), "{help}");
	}
}
