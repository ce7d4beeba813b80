//! `highway market`

mod show;
mod split;

use super::submit;
use crate::{client::calls, context::Context, error::CommandError};
use clap::Subcommand;
use highway_primitives::EpochIndex;
use serde_json::json;

/// Shown below the help of `show`.
const SHOW_HELP: &str = "\
Prices are found for each market epoch from what nodes ask: those that ask least win, and all of them earn what the first loser
asks, at most the reserve. Asks are public once they are revealed; `highway bid` makes one.
  reserve   asks above it lose; it rises slowly while the winners have much to do, and falls while they have little
  places    how many nodes win: as many as the jobs of the last epochs need, and some more
  split     what settled jobs paid to whom: one bar for an epoch, one letter for a role";

/// Shown below the help of `clear`.
const CLEAR_HELP: &str = "\
The first job of an epoch does this by itself. It helps where every ask is above the reserve, so that no job is taken: then it
raises the reserve by an eighth, once in an epoch.";

/// Commands about prices and who earns them.
#[derive(Subcommand, Debug)]
pub enum MarketCommand {
	/// Shows the market of a model: phase, prices, reserve, winners, asks, demand, how prices moved, and who was paid what.
	#[command(after_help = SHOW_HELP)]
	Show {
		/// The model: its id, OWNER/NAME, or the name of one of your own.
		model: String,
	},
	/// Explains what all settled jobs of a model at the prices of one epoch paid to each role.
	Split {
		/// The model: its id, OWNER/NAME, or the name of one of your own.
		model: String,
		/// The market epoch; by default the latest one with settled jobs.
		#[arg(long)]
		epoch: Option<EpochIndex>,
	},
	/// Finds this epoch's prices of a model, if no job has done so.
	#[command(after_help = CLEAR_HELP)]
	Clear {
		/// The model: its id, OWNER/NAME, or the name of one of your own.
		model: String,
	},
}

/// Runs it.
pub async fn run(context: &Context, command: MarketCommand) -> Result<(), CommandError> {
	match command {
		MarketCommand::Show { model } => show::show(context, &model).await,
		MarketCommand::Split { model, epoch } => split::split(context, &model, epoch).await,
		MarketCommand::Clear { model } => clear(context, &model).await,
	}
}

async fn clear(context: &Context, text: &str) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let model = context.model(&client, text).await?.id;
	let included = submit(context, &client, &signer, &[calls::clear(model)], 0).await?;
	context
		.output
		.result(json!({ "model": model, "block": included.block }), || {
			format!("the market of model {model} is cleared; `highway market show {model}` shows it")
		});
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::args::{Cli, Command};
	use clap::Parser;

	fn parsed(words: &str) -> Result<MarketCommand, clap::Error> {
		let line = format!("highway market {words}");
		match Cli::try_parse_from(line.split_whitespace())?.command {
			Command::Market(command) => Ok(command),
			_ => panic!("another command"),
		}
	}

	#[test]
	fn split_should_be_of_one_epoch_or_of_the_latest() {
		let epoch = |words| match parsed(words) {
			Ok(MarketCommand::Split { epoch, .. }) => epoch,
			other => panic!("{other:?}"),
		};
		assert_eq!(epoch("split //Alice/magika"), None);
		assert_eq!(epoch("split 0 --epoch 12"), Some(12));
		assert!(parsed("split 0 --epoch -1").is_err());
		assert!(parsed("split").is_err() && parsed("show").is_err() && parsed("").is_err());
		assert!(matches!(parsed("show 0 --json"), Ok(MarketCommand::Show { .. })));
	}
}
