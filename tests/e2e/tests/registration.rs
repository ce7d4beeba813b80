//! A file comes to the chain by commit and reveal, whatever happens to the wallet in between.

use anyhow::{bail, ensure, Context, Result};
use highway_e2e_tests::{amount, Account};
use highway_primitives::BlobRef;
use highway_test_support::{binaries, hostile_models, until, Devnet, Node, Setup, Wallet};
use serde_json::{json, Value};
use std::{fs, path::Path, process::Stdio, time::Duration};
use tokio::{
	io::{AsyncBufReadExt, BufReader},
	process::{Child, Command},
	time::timeout,
};

/// Blocks of a market epoch, as on a chain that is not for development: ten pass between commitment and registration.
const MARKET_EPOCH: u32 = 300;

/// Those ten.
const COMMIT_BLOCKS: u64 = 10;

/// How long one block's change may take.
const SOON: Duration = Duration::from_secs(30);

/// What the wallet says while its commitment is too young.
const WAITS: &str = "committed to the file; in ";

/// When the wallet is killed, in seconds after its start: early, while it waits, and about when it registers.
const KILLS: [u64; 5] = [1, 7, 12, 2, 3];

#[tokio::test]
async fn model_should_be_registered_once_when_the_wallet_is_killed_on_the_way() -> Result<()> {
	let setup = Setup::of(&["alice"]).market_epoch(MARKET_EPOCH);
	Devnet::run_setup(setup, async |devnet| {
		let node = devnet.node("alice");
		let keystore = devnet.scratch().join("keys").display().to_string();
		let wallet = |key: &str| Wallet::new(node, key).with("HIGHWAY_KEYSTORE", &keystore);
		let (maker, thief) = (wallet("//Dave"), wallet("//Eve"));

		let first = new_file(&devnet.scratch(), "first")?;
		commitment_should_outlive_the_wallet(node, &maker, &thief, &first).await?;
		let second = new_file(&devnet.scratch(), "second")?;
		kills_should_cost_nothing_but_time(node, &maker, &second).await?;
		let third = new_file(&devnet.scratch(), "third")?;
		commitment_should_be_dropped_when_its_maker_says_so(&maker, &third).await
	})
	.await
}

/// A file that no node has, and the words that register it.
struct NewFile {
	bytes: Vec<u8>,
	words: Vec<String>,
}

impl NewFile {
	fn words(&self) -> Vec<&str> {
		self.words.iter().map(String::as_str).collect()
	}
}

fn new_file(folder: &Path, name: &str) -> Result<NewFile> {
	let bytes = hostile_models::commented(&hostile_models::identity(), name);
	let file = folder.join(format!("{name}.onnx"));
	fs::write(&file, &bytes)?;
	let file = file.to_str().context("UTF-8")?;
	let words = [
		"model",
		"add",
		file,
		"--name",
		name,
		"--licence",
		"MIT",
		"--unit-time-ms",
		"200",
		"--royalty",
		"0.1",
	];
	Ok(NewFile {
		bytes,
		words: words.map(str::to_owned).to_vec(),
	})
}

/// Starts the wallet, which is killed when this goes out of scope.
fn start(wallet: &Wallet, file: &NewFile) -> Result<Child> {
	let mut command = Command::new(binaries::wallet()?);
	command
		.args(["--json", "--url", &wallet.url, "--key", &wallet.key])
		.args(&file.words)
		.envs(wallet.environment.iter().map(|(name, value)| (name, value)))
		.stdin(Stdio::null())
		.stdout(Stdio::null())
		// A few remarks: they have room where nobody reads them.
		.stderr(Stdio::piped())
		.kill_on_drop(true);
	Ok(command.spawn()?)
}

/// Waits until the wallet says that it waits for its commitment.
async fn until_it_waits(child: &mut Child) -> Result<()> {
	let stderr = child.stderr.take().context("nobody else reads its remarks")?;
	let mut remarks = BufReader::new(stderr).lines();
	let waits = async {
		while let Some(remark) = remarks.next_line().await? {
			if remark.contains(WAITS) {
				return Ok(());
			}
		}
		bail!("the wallet ended without a word of waiting")
	};
	timeout(SOON, waits).await.context("the wallet does not come to wait")?
}

async fn commitments(wallet: &Wallet) -> Result<Vec<Value>> {
	let list = wallet.run(&["model", "commitments"]).await?;
	Ok(list.as_array().context("a list")?.clone())
}

/// Starts the wallet, and kills it as soon as it has committed.
async fn commit_and_die(wallet: &Wallet, file: &NewFile) -> Result<Value> {
	let mut child = start(wallet, file)?;
	let committed = until("a commitment", SOON, || async {
		Ok(commitments(wallet).await?.into_iter().next())
	})
	.await?;
	child.kill().await?;
	Ok(committed)
}

async fn is_stored(node: &Node, file: &NewFile) -> Result<bool> {
	let status = node.rpc("blob_status", json!([BlobRef::of(&file.bytes).hash])).await?;
	Ok(!status.is_null())
}

async fn commitment_should_outlive_the_wallet(
	node: &Node,
	maker: &Wallet,
	thief: &Wallet,
	file: &NewFile,
) -> Result<()> {
	let committed = commit_and_die(maker, file).await?;
	let (since, from) = (committed["since"].as_u64(), committed["from"].as_u64());
	ensure!(
		from.zip(since).map(|(from, since)| from - since) == Some(COMMIT_BLOCKS),
		"ten blocks: {committed}"
	);
	let held = maker.run(&["balance"]).await?;
	ensure!(
		amount(&held["held"])? == amount(&committed["deposit"])?,
		"a deposit is held for it: {held}"
	);
	ensure!(!is_stored(node, file).await?, "nobody has seen the file");

	// It waits again, and is killed again.
	let mut child = start(maker, file)?;
	until_it_waits(&mut child).await?;
	child.kill().await?;
	let after = commitments(maker).await?;
	ensure!(
		after == [committed.clone()],
		"it is the same, and the only one: {after:?}"
	);

	let added = maker.run(&file.words()).await?;
	let model = added["model"].as_u64().context("a model has an id")?;
	ensure!(
		node.best_block().await? >= from.context("it counts from a block on")?,
		"not before the commitment counted"
	);
	ensure!(is_stored(node, file).await?, "the file is there now");
	ensure!(commitments(maker).await?.is_empty(), "the commitment is used up");
	let shown = maker.run(&["model", "show", &model.to_string()]).await?;
	let held = maker.run(&["balance"]).await?;
	ensure!(
		amount(&held["held"])? == amount(&shown["deposit"])?,
		"only the model's deposit is held: {held}, of {shown}"
	);

	let before = thief.run(&["balance"]).await?;
	let stolen = thief.fails(&file.words()).await?;
	ensure!(
		stolen.code == 4 && stolen.message.contains("ArtefactTaken") && stolen.message.contains("nothing was sent"),
		"who comes later does not have it: {stolen:?}"
	);
	ensure!(thief.run(&["balance"]).await? == before, "and pays nothing for that");
	Ok(())
}

/// At any time: before the commitment, while it waits, in the middle of the registration.
async fn kills_should_cost_nothing_but_time(node: &Node, maker: &Wallet, file: &NewFile) -> Result<()> {
	let account = Account::connect(node, &maker.key).await?;
	let before = account.client.models().await?.len();
	for seconds in KILLS {
		let mut child = start(maker, file)?;
		tokio::time::sleep(Duration::from_secs(seconds)).await;
		child.kill().await?;
		let open = commitments(maker).await?.len();
		ensure!(open <= 1, "{open} commitments to one file after {seconds} s");
	}
	let added = maker.run(&file.words()).await?;
	let again = maker.run(&file.words()).await?;
	ensure!(
		added["model"] == again["model"] && again["block"].is_null(),
		"it is the same model: {added}, then {again}"
	);
	let models = account.client.models().await?;
	ensure!(models.len() == before + 1, "there is one more: {models:?}");
	ensure!(is_stored(node, file).await?, "its file is there");
	ensure!(commitments(maker).await?.is_empty(), "no commitment is left");
	let deposits: u128 = models.iter().map(|model| model.deposit).sum();
	let held = maker.run(&["balance"]).await?;
	ensure!(
		amount(&held["held"])? == deposits,
		"the models' deposits are held, and no more: {held}"
	);
	Ok(())
}

async fn commitment_should_be_dropped_when_its_maker_says_so(maker: &Wallet, file: &NewFile) -> Result<()> {
	let before = maker.run(&["balance"]).await?;
	commit_and_die(maker, file).await?;
	let text = maker.text(&["model", "commitments"]).await?;
	ensure!(text.contains("counts in"), "it says how long it takes: {text}");
	maker.run(&["model", "commitments", "--drop"]).await?;
	let after = maker.run(&["balance"]).await?;
	ensure!(after["held"] == before["held"], "its deposit is back: {after}");
	let text = maker.text(&["model", "commitments"]).await?;
	ensure!(text.contains("No file is committed to"), "{text}");
	Ok(())
}
