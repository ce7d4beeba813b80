//! `highway claim` and `highway curator`

use crate::{
	amount::{decimal, with_unit},
	args::parse_amount,
	client::calls,
	context::Context,
	error::CommandError,
};
use clap::Subcommand;
use highway_primitives::Balance;
use serde_json::json;

/// Commands of curators.
#[derive(Subcommand, Debug)]
pub enum CuratorCommand {
	/// Posts what you ask for per job that names you as its curator. It holds for jobs from then on.
	Fee {
		/// How much, in AIC.
		#[arg(value_parser = parse_amount)]
		fee: Balance,
	},
}

/// `highway claim`
pub async fn claim(context: &Context) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let claimable = client.claimable(&signer.account()).await?;
	if claimable == 0 {
		context
			.output
			.result(json!({ "claimed": "0" }), || "There is nothing to claim.".into());
		return Ok(());
	}
	let included = super::submit(context, &client, &signer, &[calls::claim()], 0).await?;
	let claimed = included.number("RevenueSplit", "amount")?;
	context
		.output
		.result(json!({ "claimed": decimal(claimed), "block": included.block }), || {
			format!("{} were paid out", with_unit(claimed))
		});
	Ok(())
}

/// `highway curator`
pub async fn curator(context: &Context, command: CuratorCommand) -> Result<(), CommandError> {
	let CuratorCommand::Fee { fee } = command;
	let said = format!("Your fee is {} per job", with_unit(fee));
	super::submit_and_say(context, &[calls::post_curator_fee(fee)], &said).await
}
