//! `highway promote`

use super::submit;
use crate::{
	amount::{decimal, with_unit},
	args::parse_amount,
	client::calls,
	context::Context,
	error::CommandError,
	output::{plain, table},
};
use clap::{Args, Subcommand};
use highway_primitives::Balance;
use highway_runtime_api::types::FeaturedInfo;
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};

/// Shown below the help.
const PROMOTE_HELP: &str = "\
Eight models are featured in each market epoch: those with the highest bids of the epoch before. All pay the same: the highest
bid that got no place, or the least that the chain takes. Half of it is burned, half goes to the treasury.
  held       your bid, until the epoch begins; what is not paid comes back
  once       a bid is for one epoch; there is one for a model, and only a higher one replaces it
Examples:
  highway --key me promote 0 --bid 2
  highway promote show";

/// A bid for a featured place.
#[derive(Args, Debug)]
#[command(after_help = PROMOTE_HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct PromoteArgs {
	/// Something else than a bid.
	#[command(subcommand)]
	pub command: Option<PromoteCommand>,
	/// The model: its id, OWNER/NAME, or the name of one of your own.
	#[arg(required = true)]
	pub model: Option<String>,
	/// The most that you pay for the next market epoch, in AIC.
	#[arg(long, required = true, value_parser = parse_amount, value_name = "AIC")]
	pub bid: Option<Balance>,
}

/// Commands about featured models.
#[derive(Subcommand, Debug)]
pub enum PromoteCommand {
	/// Shows the models that are featured now, and what for.
	Show,
}

/// Runs it.
pub async fn run(context: &Context, args: PromoteArgs) -> Result<(), CommandError> {
	match (args.command, args.model, args.bid) {
		(Some(PromoteCommand::Show), ..) => show(context).await,
		(None, Some(model), Some(bid)) => promote(context, &model, bid).await,
		(None, ..) => Err(CommandError::Usage(
			"name a model and what you bid: highway promote MODEL --bid AIC".into(),
		)),
	}
}

async fn promote(context: &Context, text: &str, bid: Balance) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let model = context.model(&client, text).await?.id;
	let call = [calls::bid_for_promotion(model, bid)];
	let included = submit(context, &client, &signer, &call, bid).await?;
	context.output.result(
		json!({ "model": model, "bid": decimal(bid), "block": included.block }),
		|| {
			format!(
				"{} are held for model {model} until the next market epoch begins; `highway promote show` tells then whether \
				it has a place",
				with_unit(bid)
			)
		},
	);
	Ok(())
}

async fn show(context: &Context) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let least = client.least_promotion()?;
	let featured = client.featured().await?;
	let mut names = Vec::new();
	for place in &featured {
		let model = client.model(place.model).await?;
		names.push(model.map_or_else(|| "gone".into(), |model| plain(&model.name)));
	}
	context
		.output
		.result(to_json(&featured, least), || to_text(&featured, &names, least));
	Ok(())
}

fn to_json(featured: &[FeaturedInfo<AccountId32>], least: Balance) -> Value {
	json!({
		"least": decimal(least),
		"featured": featured.iter().map(|place| json!({
			"model": place.model,
			"bidder": place.bidder.to_ss58check(),
			"bid": decimal(place.bid),
			"price": decimal(place.price),
		})).collect::<Vec<_>>(),
	})
}

fn to_text(featured: &[FeaturedInfo<AccountId32>], names: &[String], least: Balance) -> String {
	let how = format!(
		"`highway promote MODEL --bid AIC` bids for the next market epoch, at least {}",
		with_unit(least)
	);
	if featured.is_empty() {
		return format!("No model is featured now.\n{how}");
	}
	let rows = featured.iter().zip(names).map(|(place, name)| {
		[
			place.model.to_string(),
			name.clone(),
			with_unit(place.bid),
			with_unit(place.price),
			place.bidder.to_ss58check(),
		]
	});
	format!("{}\n{how}", table(["model", "name", "bid", "paid", "by"], rows))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::args::{Cli, Command};
	use clap::Parser;
	use highway_primitives::AIC;

	fn parsed(words: &str) -> Result<PromoteArgs, clap::Error> {
		let line = format!("highway promote {words}");
		match Cli::try_parse_from(line.split_whitespace())?.command {
			Command::Promote(args) => Ok(args),
			_ => panic!("another command"),
		}
	}

	#[test]
	fn promotions_should_name_a_model_and_a_bid() {
		let args = parsed("//Alice/magika --bid 2.5").unwrap();
		assert_eq!(
			(args.model.as_deref(), args.bid),
			(Some("//Alice/magika"), Some(5 * AIC / 2))
		);
		assert!(matches!(parsed("show").unwrap().command, Some(PromoteCommand::Show)));
		for wrong in ["", "0", "--bid 1", "0 --bid", "show --bid 1", "show 0"] {
			assert!(parsed(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn featured_models_should_be_named_with_what_was_paid() {
		let bidder = AccountId32::new([1; 32]);
		let featured = [FeaturedInfo {
			model: 3,
			bidder: bidder.clone(),
			bid: 5 * AIC,
			price: 2 * AIC,
		}];
		let text = to_text(&featured, &["magika".into()], AIC);
		for words in ["magika", "5 AIC", "2 AIC", &bidder.to_ss58check(), "at least 1 AIC"] {
			assert!(text.contains(words), "{words} is missing:\n{text}");
		}
		assert_eq!(
			to_json(&featured, AIC)["featured"][0],
			json!({ "model": 3, "bidder": bidder.to_ss58check(), "bid": "5", "price": "2" })
		);
		assert!(to_text(&[], &[], AIC).contains("No model is featured"));
	}
}
