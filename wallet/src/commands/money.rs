//! `highway balance` and `highway transfer`

use crate::{
	amount::{decimal, with_unit},
	args::parse_amount,
	client::calls,
	context::Context,
	error::CommandError,
	output::facts,
};
use clap::Args;
use highway_primitives::Balance;
use serde_json::json;
use sp_core::crypto::Ss58Codec;

/// Sends money to an account. Your own account keeps at least the existential deposit.
#[derive(Args, Debug)]
pub struct TransferArgs {
	/// To whom.
	pub to: String,
	/// How much, in AIC.
	#[arg(value_parser = parse_amount)]
	pub amount: Balance,
}

/// `highway balance`
pub async fn balance(context: &Context, account: Option<String>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let account = match account {
		Some(text) => context.account(&client, &text)?,
		None => context.own_account(&client)?,
	};
	let balance = client.balance(&account).await?;
	let spendable = balance.spendable(client.existential_deposit()?);
	let claimable = client.claimable(&account).await?;
	let address = account.to_ss58check();
	context.output.result(
		json!({
			"account": address,
			"spendable": decimal(spendable),
			"free": decimal(balance.free),
			"held": decimal(balance.held),
			"claimable": decimal(claimable),
		}),
		|| {
			facts([
				("account", address.clone()),
				("to spend", with_unit(spendable)),
				("free", with_unit(balance.free)),
				("held (bonds, deposits)", with_unit(balance.held)),
				("earned, to be claimed", with_unit(claimable)),
			])
		},
	);
	Ok(())
}

/// `highway transfer`
pub async fn transfer(context: &Context, args: TransferArgs) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let to = context.account(&client, &args.to)?;
	let signer = context.signer(&client)?;
	let call = [calls::transfer(to.clone(), args.amount)];
	let included = super::submit(context, &client, &signer, &call, args.amount).await?;
	let to = to.to_ss58check();
	context.output.result(
		json!({ "to": to, "amount": decimal(args.amount), "block": included.block }),
		|| format!("{} went to {to}", with_unit(args.amount)),
	);
	Ok(())
}
