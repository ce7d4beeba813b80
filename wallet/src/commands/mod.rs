//! The commands: each asks, checks, sends and shows; nothing else does.

pub mod earn;
pub mod infer;
pub mod job;
pub mod key;
pub mod model;
pub mod money;
pub mod node;

use crate::{
	args::Command,
	client::{Call, Client, Included, Signer},
	context::Context,
	error::{ensure_can_pay, CommandError},
};
use highway_primitives::Balance;

/// Runs a command.
pub async fn run(context: &Context, command: Command) -> Result<(), CommandError> {
	match command {
		Command::Key(command) => key::run(context, command),
		Command::Balance { account } => money::balance(context, account).await,
		Command::Transfer(args) => money::transfer(context, args).await,
		Command::Model(command) => model::run(context, command).await,
		Command::Node(command) => node::run(context, command).await,
		Command::Quote(args) => infer::quote(context, args).await,
		Command::Infer(args) => infer::infer(context, args).await,
		Command::Job(command) => job::run(context, command).await,
		Command::Bill { job } => job::bill(context, job).await,
		Command::Claim => earn::claim(context).await,
		Command::Curator(command) => earn::curator(context, command).await,
	}
}

/// Error, before anything is sent, unless the signer can pay `amount` and the fee of the calls.
async fn ensure_affordable(
	client: &Client,
	signer: &Signer,
	calls: &[Call],
	amount: Balance,
) -> Result<(), CommandError> {
	let fee = client.fee(signer, calls).await?;
	ensure_can_pay(client, &signer.account(), amount.saturating_add(fee), true).await
}

/// Sends calls while a spinner turns.
async fn submit(context: &Context, client: &Client, signer: &Signer, calls: &[Call]) -> Result<Included, CommandError> {
	let spinner = context.output.spinner("waiting for the transaction to be in a block");
	let result = client.submit(signer, calls, context.wait()).await;
	spinner.finish_and_clear();
	Ok(result?)
}

/// Sends calls whose success is all there is to say.
async fn submit_and_say(context: &Context, calls: &[Call], said: &str) -> Result<(), CommandError> {
	let signer = context.signer()?;
	let client = context.connect().await?;
	let included = submit(context, &client, &signer, calls).await?;
	context
		.output
		.result(serde_json::json!({ "done": said, "block": included.block }), || {
			said.to_owned()
		});
	Ok(())
}
