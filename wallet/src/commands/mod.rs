//! The commands: each asks, checks, sends and shows; nothing else does.

pub mod audit;
pub mod bid;
mod bundle;
pub mod curator;
pub mod earn;
#[cfg(test)]
mod fixtures;
pub mod infer;
pub mod job;
pub mod key;
pub mod market;
pub mod model;
pub mod money;
pub mod node;
pub mod promote;

use crate::{
	args::Command,
	blobs::{self, BlobOwner},
	client::{Call, Client, Included, Signer},
	context::Context,
	error::{ensure_can_pay, CommandError},
};
use highway_primitives::{Balance, BlobRef};
use indicatif::ProgressBar;
use std::{
	fs, io,
	path::Path,
	time::{Duration, Instant},
};

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
		Command::Audit(command) => audit::run(context, command).await,
		Command::Bill { job } => job::bill(context, job).await,
		Command::Market(command) => market::run(context, command).await,
		Command::Bid(args) => bid::run(context, args).await,
		Command::Promote(args) => promote::run(context, args).await,
		Command::Earnings { account } => earn::earnings(context, account).await,
		Command::Claim(args) => earn::claim(context, args).await,
		Command::Curator(command) => curator::run(context, command).await,
	}
}

/// How long a node may give no answer once a job is paid for: it may be starting anew, or looking for a blob.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two questions.
const PAUSE: Duration = Duration::from_secs(1);

/// Error, with nothing sent, unless the signer can pay `amount` and the fee, and the chain would carry the calls out as it
/// stands now.
async fn ensure_possible(
	client: &Client,
	signer: &Signer,
	calls: &[Call],
	amount: Balance,
) -> Result<(), CommandError> {
	let fee = client.fee(signer, calls).await?;
	ensure_can_pay(client, &signer.account(), amount.saturating_add(fee), true).await?;
	Ok(client.try_out(signer, calls).await?)
}

/// Sends calls that were found possible, while a spinner turns.
async fn send(context: &Context, client: &Client, signer: &Signer, calls: &[Call]) -> Result<Included, CommandError> {
	let spinner = context.output.spinner("waiting for the transaction to be in a block");
	let result = client.submit(signer, calls, context.wait()).await;
	spinner.finish_and_clear();
	Ok(result?)
}

/// Sends calls that cost `amount` beside the fee, if they are possible.
async fn submit(
	context: &Context,
	client: &Client,
	signer: &Signer,
	calls: &[Call],
	amount: Balance,
) -> Result<Included, CommandError> {
	ensure_possible(client, signer, calls, amount).await?;
	send(context, client, signer, calls).await
}

/// Sends calls whose success is all there is to say.
async fn submit_and_say(context: &Context, calls: &[Call], said: &str) -> Result<(), CommandError> {
	let client = context.connect().await?;
	let signer = context.signer(&client)?;
	let included = submit(context, &client, &signer, calls, 0).await?;
	context
		.output
		.result(serde_json::json!({ "done": said, "block": included.block }), || {
			said.to_owned()
		});
	Ok(())
}

/// Asks until there is an answer, over a new connection where the old one broke. Error after [`PATIENCE`].
async fn patiently<T>(
	client: &mut Client,
	ask: impl AsyncFn(&Client) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
	let end = Instant::now() + PATIENCE;
	loop {
		let error = match ask(client).await {
			Err(error) if error.may_pass() && Instant::now() < end => error,
			done => return done,
		};
		tokio::time::sleep(PAUSE).await;
		if error.is_broken_connection() {
			if let Ok(new) = client.reconnect().await {
				*client = new;
			}
		}
	}
}

/// Fetches a blob, in the name of `owner`, patiently: who has it may need a moment to be found.
async fn fetch(
	client: &mut Client,
	blob: &BlobRef,
	owner: BlobOwner,
	bar: &ProgressBar,
) -> Result<Vec<u8>, CommandError> {
	patiently(client, async |client: &Client| {
		bar.set_position(0);
		Ok(blobs::get(client.rpc(), blob, owner, bar).await?)
	})
	.await
}

/// Error unless `path` can be written, found out without changing what is there: after a payment it would be too late.
fn ensure_writable(path: &Path) -> Result<(), CommandError> {
	let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
	let tried = match path.metadata() {
		Ok(there) if there.is_file() || there.is_dir() => fs::File::options().append(true).open(path).map(drop),
		// A pipe or a device.
		Ok(_) => Ok(()),
		Err(error) if error.kind() == io::ErrorKind::NotFound => {
			tempfile::tempfile_in(folder.unwrap_or(Path::new("."))).map(drop)
		}
		Err(error) => Err(error),
	};
	tried.map_err(|source| file_error(path, source))
}

fn file_error(path: &Path, source: io::Error) -> CommandError {
	CommandError::File {
		path: path.into(),
		source,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn ensure_writable_should_change_nothing() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("out.safetensors");
		ensure_writable(&file).unwrap();
		assert!(!file.exists());
		fs::write(&file, "before").unwrap();
		ensure_writable(&file).unwrap();
		assert_eq!(fs::read(&file).unwrap(), b"before");
		assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
	}

	#[test]
	fn ensure_writable_should_fail_when_the_folder_is_missing_or_the_file_is_a_folder() {
		let folder = tempfile::tempdir().unwrap();
		for path in [folder.path().join("no/such/out.safetensors"), folder.path().into()] {
			assert!(
				matches!(ensure_writable(&path), Err(CommandError::File { .. })),
				"{}",
				path.display()
			);
		}
	}
}
