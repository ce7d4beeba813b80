//! `highway earnings` and `highway claim`

use super::submit;
use crate::{
	amount::{decimal, with_unit},
	client::{
		calls::{self, Call},
		Client, ClientError, Signer,
	},
	context::Context,
	error::CommandError,
	output::{blocks, facts, table},
};
use clap::Args;
use highway_primitives::{Balance, BlockNumber, ModelId};
use highway_runtime_api::types::EarningsInfo;
use serde_json::{json, Value};
use sp_core::crypto::{AccountId32, Ss58Codec};
use std::slice;

/// Shown below the help.
const CLAIM_HELP: &str = "\
Pays out what `highway earnings` shows: your lines of settled jobs, and what your node earned by storing models, where that
has waited long enough. Rewards for validating and delegating are paid out by `highway node claim-rewards`.
With --for it pays another account's earnings out to that account: you pay the fee.";

/// A claim.
#[derive(Args, Debug)]
#[command(after_help = CLAIM_HELP)]
pub struct ClaimArgs {
	/// The account that is to be paid; by default the one of the key.
	#[arg(long = "for", value_name = "ACCOUNT")]
	pub account: Option<String>,
}

/// `highway earnings`
pub async fn earnings(context: &Context, account: Option<String>) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let account = match account {
		Some(text) => context.account(&client, &text)?,
		None => context.own_account(&client)?,
	};
	let earnings = client.earnings(&account).await?;
	let best = client.best_block().await?;
	context
		.output
		.result(to_json(&account, &earnings), || to_text(&account, &earnings, best));
	Ok(())
}

/// `highway claim`
pub async fn claim(context: &Context, args: ClaimArgs) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let (account, wanted) = match args.account {
		Some(text) => {
			let account = context.account(&client, &text)?;
			let nothing = client.claimable(&account).await? == 0;
			let call = calls::claim_for(account.clone());
			(account, if nothing { Vec::new() } else { vec![call] })
		}
		None => (signer.account(), own_claims(context, &client, &signer).await?),
	};
	let address = account.to_ss58check();
	if wanted.is_empty() {
		context
			.output
			.result(json!({ "account": address, "claimed": "0" }), || {
				"There is nothing to claim.".into()
			});
		return Ok(());
	}
	let included = submit(context, &client, &signer, &wanted, 0).await?;
	let claimed = included.sum("RevenueSplit", "Claimed", "amount")?;
	context.output.result(
		json!({ "account": address, "claimed": decimal(claimed), "block": included.block }),
		|| format!("{} were paid out to {address}", with_unit(claimed)),
	);
	Ok(())
}

/// What pays out all that the signer may claim now.
async fn own_claims(context: &Context, client: &Client, signer: &Signer) -> Result<Vec<Call>, CommandError> {
	let earnings = client.earnings(&signer.account()).await?;
	let best = client.best_block().await?;
	let mut wanted = Vec::new();
	for model in due(&earnings, best) {
		let call = calls::claim_storage_pay(model);
		// One that is refused, while a challenge is open for one, must not keep the others back.
		match client.try_out(signer, slice::from_ref(&call)).await {
			Ok(()) => {
				context.output.remark(format!(
					"your node is asked to show model {model}: its answer pays for storing it, claim again after that"
				));
				wanted.push(call);
			}
			Err(ClientError::WouldRefuse(refusal)) => context
				.output
				.remark(format!("the pay for storing model {model} has to wait: {refusal}")),
			Err(error) => return Err(error.into()),
		}
	}
	// The answer to the challenge pays, some blocks later.
	if earnings.claimable > 0 {
		wanted.push(calls::claim());
	}
	Ok(wanted)
}

/// Models whose storage pay may be claimed in the block behind `best`.
fn due(earnings: &EarningsInfo, best: BlockNumber) -> impl Iterator<Item = ModelId> + '_ {
	let waited = move |(.., from): &&(ModelId, Balance, BlockNumber)| *from <= best;
	earnings.storage.iter().filter(waited).map(|(model, ..)| *model)
}

/// All that waits for a proof, or for its time.
fn waiting(earnings: &EarningsInfo) -> Balance {
	let amounts = earnings.storage.iter().map(|(_, amount, _)| *amount);
	amounts.fold(0, Balance::saturating_add)
}

fn to_json(account: &AccountId32, earnings: &EarningsInfo) -> Value {
	json!({
		"account": account.to_ss58check(),
		"claimable": decimal(earnings.claimable),
		"waiting": decimal(waiting(earnings)),
		"storage": earnings.storage.iter().map(|(model, amount, from)| json!({
			"model": model, "amount": decimal(*amount), "from": from,
		})).collect::<Vec<_>>(),
	})
}

fn to_text(account: &AccountId32, earnings: &EarningsInfo, best: BlockNumber) -> String {
	let known = facts([
		("account", account.to_ss58check()),
		("may be claimed", with_unit(earnings.claimable)),
		("waits for storage proofs", with_unit(waiting(earnings))),
	]);
	if earnings.storage.is_empty() {
		return format!("{known}`highway claim` pays out what may be claimed");
	}
	let rows = earnings.storage.iter().map(|(model, amount, from)| {
		let when = match from.checked_sub(best).filter(|left| *left > 0) {
			Some(left) => format!("from block {from} on, in {}", blocks(left)),
			None => "now, unless a challenge is open".into(),
		};
		[model.to_string(), with_unit(*amount), when]
	});
	format!(
		"{known}{}\nyour node is paid at once when it answers a challenge, and loses what waits when it does not; \
		`highway claim` pays out the rest in its time",
		table(["for storing model", "amount", "may be claimed"], rows)
	)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::args::{Cli, Command};
	use clap::Parser;
	use highway_primitives::AIC;

	fn example() -> EarningsInfo {
		EarningsInfo {
			claimable: AIC,
			storage: vec![(3, AIC / 2, 100), (4, AIC / 4, 130)],
		}
	}

	#[test]
	fn earnings_should_say_what_waits_and_from_when_it_may_be_claimed() {
		let account = AccountId32::new([1; 32]);
		let text = to_text(&account, &example(), 100);
		for words in [
			"1 AIC",
			&account.to_ss58check(),
			"0.75 AIC",
			"now, unless a challenge is open",
			"from block 130 on, in 30 blocks",
		] {
			assert!(text.contains(words), "{words} is missing:\n{text}");
		}
		let json = to_json(&account, &example());
		assert_eq!((&json["claimable"], &json["waiting"]), (&json!("1"), &json!("0.75")));
		assert_eq!(json["storage"][1], json!({ "model": 4, "amount": "0.25", "from": 130 }));
		let nothing = EarningsInfo {
			claimable: 0,
			storage: Vec::new(),
		};
		let text = to_text(&account, &nothing, 100);
		assert!(text.contains("0 AIC") && !text.contains("challenge"), "{text}");
	}

	#[test]
	fn storage_pay_should_be_due_from_its_block_on() {
		let due = |best| due(&example(), best).collect::<Vec<_>>();
		assert!(due(99).is_empty());
		assert_eq!(due(100), [3]);
		assert_eq!(due(130), [3, 4]);
	}

	#[test]
	fn claims_should_be_ones_own_or_for_somebody() {
		let account = |words: &str| {
			let cli = Cli::parse_from(format!("highway claim {words}").split_whitespace());
			match cli.command {
				Command::Claim(args) => args.account,
				_ => panic!("another command"),
			}
		};
		assert_eq!(account(""), None);
		assert_eq!(account("--for //Bob").as_deref(), Some("//Bob"));
		assert!(Cli::try_parse_from(["highway", "claim", "//Bob"]).is_err());
		assert!(Cli::try_parse_from(["highway", "earnings", "//Bob", "--json"]).is_ok());
	}
}
