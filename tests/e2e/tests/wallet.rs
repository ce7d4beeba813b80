//! The `highway` binary in the hands of somebody new: keys, too little money, and a node of one's own.

use anyhow::{ensure, Context, Result};
use highway_e2e_tests::{amount, billed_to, identity_input, subsidy_of, Account};
use highway_offchain_worker::tensors::parse;
use highway_primitives::{Balance, BlobRef, AIC};
use highway_test_support::{binaries, hostile_models, market, offer, until, Devnet, Node, Seller, Wallet};
use serde_json::{json, Value};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command, time::Duration};

/// A model that is Magika, but for its recipe: a label is missing there, so that no output can be read.
const MISLABELLED: &str = "mislabelled";

/// Amounts in a message, such as `5 AIC`, in the order in which they stand there.
fn amounts(message: &str) -> Result<Vec<Balance>> {
	let words: Vec<&str> = message.split_whitespace().collect();
	let pairs = words
		.windows(2)
		.filter(|pair| pair[1].trim_end_matches([',', ';', ':']) == "AIC");
	pairs.map(|pair| amount(&json!(pair[0]))).collect()
}

#[tokio::test]
async fn newcomer_should_make_keys_learn_what_is_missing_and_run_a_node() -> Result<()> {
	Devnet::run(async |devnet| {
		let file = devnet.scratch().join("identity.onnx");
		fs::write(&file, hostile_models::identity())?;
		let file = file.to_str().context("UTF-8")?;
		let maker = Wallet::new(devnet.node("alice"), "//Dave");
		let words = [
			"model",
			"add",
			file,
			"--name",
			"dear",
			"--licence",
			"MIT",
			"--unit-time-ms",
			"200",
		];
		let model = market::add_model(&maker, &words.map(str::to_owned)).await?;
		let mislabelled = add_mislabelled(devnet, &maker).await?;
		let seller = Seller::new(devnet.node("alice"), "//Alice")
			.computing(model, 100 * AIC)
			.computing(mislabelled, AIC / 100)
			.storing(mislabelled, AIC / 1_000);
		offer(&[seller]).await?;

		let keystore = devnet.scratch().join("keys");
		let keystore = keystore.to_str().context("UTF-8")?;
		let newcomer = Wallet::new(devnet.node("bob"), "newcomer")
			.with("HIGHWAY_KEYSTORE", keystore)
			.with("HIGHWAY_PASSWORD", "correct horse");
		let address = keys_should_round_trip(devnet, &newcomer).await?;

		let giver = Wallet::new(devnet.node("bob"), "//Eve");
		giver.run(&["transfer", &address, "5"]).await?;
		market::wait_for_executors(&giver, model, 1).await?;
		too_little_money_should_be_told(devnet, &newcomer, model, &address).await?;
		deposits_should_be_there_before_anything_is_sent(devnet, &newcomer, &giver).await?;
		market::wait_for_executors(&giver, mislabelled, 1).await?;
		one_of_two_files_should_fail_and_nothing_be_lost(devnet, &giver, mislabelled).await?;
		recipe_should_be_mended_by_its_maker_alone(devnet, &maker).await?;

		giver.run(&["transfer", &address, "3000"]).await?;
		let own = devnet.scratch().join("own.onnx");
		fs::write(&own, hostile_models::commented(&hostile_models::identity(), "own"))?;
		let own = own.to_str().context("UTF-8")?;
		node_should_serve_and_leave(devnet, &newcomer, &giver, own, &address).await?;
		mended_recipe_should_name_the_file(&giver, mislabelled).await
	})
	.await
}

fn picture() -> Result<PathBuf> {
	Ok(binaries::tests_folder("files")?.join("road.png"))
}

async fn add_mislabelled(devnet: &Devnet, maker: &Wallet) -> Result<u64> {
	let mut arguments = market::magika_arguments()?;
	let mut config: Value = serde_json::from_slice(&fs::read(binaries::model("magika/config.min.json")?)?)?;
	let labels = config["target_labels_space"].as_array_mut();
	labels.context("Magika has labels")?.pop();
	let file = devnet.scratch().join("labels.json");
	fs::write(&file, config.to_string())?;
	for (before, value) in [
		("--name", MISLABELLED),
		("--recipe-config", file.to_str().context("UTF-8")?),
	] {
		let at = arguments.iter().position(|argument| argument == before);
		arguments[at.context("it is named")? + 1] = value.into();
	}
	market::add_model(maker, &arguments).await
}

/// What `highway --json` prints on standard output and on standard error.
fn said(wallet: &Wallet, arguments: &[&str]) -> Result<(String, String)> {
	let output = Command::new(binaries::wallet()?)
		.args(["--json", "--url", &wallet.url, "--key", &wallet.key])
		.args(arguments)
		.output()?;
	Ok((String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?))
}

async fn has_blob(node: &Node, bytes: &[u8]) -> Result<bool> {
	let status = node.rpc("blob_status", json!([BlobRef::of(bytes).hash])).await?;
	Ok(!status.is_null())
}

/// One document, which tells of both; the job that is paid for is named, listed, and its output can still be had.
async fn one_of_two_files_should_fail_and_nothing_be_lost(devnet: &Devnet, payer: &Wallet, model: u64) -> Result<()> {
	let (model, empty, picture) = (model.to_string(), devnet.scratch().join("empty"), picture()?);
	fs::write(&empty, b"")?;
	let (empty, picture) = (empty.to_str().context("UTF-8")?, picture.to_str().context("UTF-8")?);
	let infer = ["infer", &model, "--file", empty, picture];
	let failure = payer.fails(&infer).await?;
	ensure!(
		failure.code == 6 && failure.kind == "no_result" && failure.message.contains("1 of 2"),
		"one of two failed: {failure:?}"
	);

	let (document, remarks) = said(payer, &infer)?;
	let document: Value = serde_json::from_str(&document).with_context(|| document.clone())?;
	ensure!(
		document["results"][0]["label"] == "empty" && document["error"]["kind"] == "no_result",
		"it is one document: {document}"
	);
	let error = &document["results"][1]["error"];
	let job = error["job"]
		.as_u64()
		.with_context(|| format!("the job is named: {document}"))?;
	ensure!(
		error["message"]
			.to_string()
			.contains(&format!("highway job watch {job}")),
		"it says how to go on: {error}"
	);
	ensure!(
		remarks.contains(&format!("job {job} is submitted")),
		"and was said before: {remarks}"
	);
	let listed = payer.run(&["job", "list"]).await?;
	ensure!(listed[0]["job"] == job, "the latest job is job {job}: {listed}");
	let mine = listed.as_array().map(Vec::len);
	ensure!(mine == Some(2), "there are two jobs: {listed}");
	let output = devnet.scratch().join("scores.safetensors");
	let watch = [
		"job",
		"watch",
		&job.to_string(),
		"--output",
		output.to_str().context("UTF-8")?,
	];
	payer.run(&watch).await?;
	let scores = parse(&fs::read(&output)?)?;
	ensure!(
		scores[0].shape == [1, 214],
		"the output is there: {:?}",
		scores[0].shape
	);
	Ok(())
}

/// Nobody else's file is taken, nor money; the maker writes the model's bare name.
async fn recipe_should_be_mended_by_its_maker_alone(devnet: &Devnet, maker: &Wallet) -> Result<()> {
	let config = binaries::model("magika/config.min.json")?;
	let mend = ["--recipe-config", config.to_str().context("UTF-8")?];
	let stranger = Wallet::new(devnet.node("charlie"), "//Ferdie");
	let before = stranger.run(&["balance"]).await?;
	let theirs = format!("//Dave/{MISLABELLED}");
	let refused = stranger
		.fails(&[&["model", "update", &theirs][..], &mend].concat())
		.await?;
	ensure!(
		refused.code == 4 && refused.message.contains("NotOwner"),
		"it is Dave's: {refused:?}"
	);
	ensure!(
		!has_blob(devnet.node("charlie"), &fs::read(&config)?).await?,
		"nothing was uploaded"
	);
	ensure!(
		stranger.run(&["balance"]).await? == before,
		"nothing was taken of {before}"
	);
	maker
		.run(&[&["model", "update", MISLABELLED][..], &mend].concat())
		.await
		.map(drop)
}

/// Once the new version holds, whoever asks.
async fn mended_recipe_should_name_the_file(payer: &Wallet, model: u64) -> Result<()> {
	let (model, picture) = (model.to_string(), picture()?);
	until("the new version", Duration::from_secs(120), || async {
		let shown = payer.run(&["model", "show", &model]).await?;
		Ok((shown["version"] == 2).then_some(()))
	})
	.await?;
	let infer = ["infer", &model, "--file", picture.to_str().context("UTF-8")?];
	let answer = payer.run(&infer).await?;
	ensure!(answer["results"][0]["label"] == "png", "it is a picture: {answer}");
	Ok(())
}

/// A fee could be paid, the deposit of a curator's fee could not.
async fn deposits_should_be_there_before_anything_is_sent(
	devnet: &Devnet,
	newcomer: &Wallet,
	giver: &Wallet,
) -> Result<()> {
	let poor = Wallet {
		key: "poor".into(),
		..newcomer.clone()
	};
	let made = poor.run(&["key", "generate", "poor"]).await?;
	let address = made["address"].as_str().context("a key has an address")?;
	giver.run(&["transfer", address, "0.05"]).await?;
	let poor = Wallet {
		url: devnet.node("bob").url(),
		..poor
	};
	let refused = poor
		.fails(&["curator", "set", "--fee", "0.5", "--name", "poor"])
		.await?;
	ensure!(
		refused.code == 5 && refused.message.contains("nothing was sent"),
		"the deposit is missing: {refused:?}"
	);
	let left = poor.run(&["balance"]).await?;
	ensure!(amount(&left["free"])? == AIC / 20, "nothing was taken: {left}");
	Ok(())
}

async fn keys_should_round_trip(devnet: &Devnet, wallet: &Wallet) -> Result<String> {
	let made = wallet.run(&["key", "generate", "newcomer"]).await?;
	let address = made["address"].as_str().context("a key has an address")?.to_string();
	let phrase = made["phrase"].as_str().context("a new key has a phrase")?;
	let again = wallet.fails(&["key", "generate", "newcomer"]).await?;
	ensure!(again.code == 7, "a key is not overwritten: {again:?}");

	let twin = wallet.run_with_input(&["key", "import", "twin"], phrase).await?;
	ensure!(
		twin["address"] == made["address"],
		"the phrase gives the same key: {twin}"
	);
	let wrong = wallet
		.run_with_input(&["key", "import", "wrong"], "one two three")
		.await;
	ensure!(wrong.is_err(), "a phrase of three words is none: {wrong:?}");
	for known in ["", "\n", "//Alice\n", "///password\n"] {
		let stored = wallet.run_with_input(&["key", "import", "known"], known).await;
		ensure!(stored.is_err(), "everybody has the key of {known:?}: {stored:?}");
	}
	let open = wallet.clone().with("HIGHWAY_PASSWORD", "");
	let refused = open.fails(&["key", "generate", "open"]).await?;
	ensure!(
		refused.code == 2 && refused.message.contains("empty password"),
		"a password is needed: {refused:?}"
	);
	let exported = devnet.scratch().join("exported.json");
	let exported = exported.to_str().context("UTF-8")?;
	wallet.run(&["key", "export", "newcomer", "--to", exported]).await?;
	let over = wallet.fails(&["key", "export", "newcomer", "--to", exported]).await?;
	ensure!(over.code == 7, "a file is not overwritten: {over:?}");
	let mode = fs::metadata(exported)?.permissions().mode() & 0o777;
	ensure!(mode == 0o600, "others cannot read it: {mode:o}");
	let copy = wallet
		.run(&["key", "import", "copy", "--polkadot-js", exported])
		.await?;
	ensure!(
		copy["address"] == made["address"],
		"a file in polkadot-js's format holds the same key: {copy}"
	);
	let listed = wallet.run(&["key", "list"]).await?;
	ensure!(
		listed.as_array().map(Vec::len) == Some(3),
		"there are three keys: {listed}"
	);
	let stored = fs::read_to_string(exported)?;
	// One word may be there by chance: `address` is one of them.
	let shown = phrase
		.split(' ')
		.filter(|word| word.len() > 4 && stored.contains(*word));
	ensure!(shown.count() <= 1, "the file hides the phrase");

	let thief = Wallet {
		environment: Vec::new(),
		..wallet.clone()
	}
	.with("HIGHWAY_KEYSTORE", wallet.environment[0].1.clone())
	.with("HIGHWAY_PASSWORD", "battery staple");
	let refused = thief.fails(&["transfer", "//Eve", "1"]).await?;
	ensure!(refused.code == 7, "a wrong password opens nothing: {refused:?}");
	Ok(address)
}

/// The message names what is there, what is needed and what is missing; the account is untouched.
async fn too_little_money_should_be_told(devnet: &Devnet, wallet: &Wallet, model: u64, address: &str) -> Result<()> {
	let file = devnet.scratch().join("in.safetensors");
	fs::write(&file, identity_input(5.0, 1)?)?;
	let infer = ["infer", &model.to_string(), "--input", file.to_str().context("UTF-8")?];
	let before = wallet.run(&["balance"]).await?;
	let quote = wallet
		.run(&["quote", &model.to_string(), "--input", file.to_str().context("UTF-8")?])
		.await?;
	let poor = wallet.fails(&infer).await?;
	ensure!(poor.code == 5 && poor.kind == "money", "it is about money: {poor:?}");
	ensure!(
		poor.message.contains("are missing; nothing was taken"),
		"it says so: {poor:?}"
	);
	let [spendable, needed, missing] = amounts(&poor.message)?[..] else {
		anyhow::bail!("three amounts are named: {poor:?}");
	};
	ensure!(
		spendable == amount(&before["spendable"])?,
		"{spendable} is what there is: {before}"
	);
	ensure!(
		needed > amount(&quote["price"])?,
		"{needed} is the price and a fee: {quote}"
	);
	ensure!(missing == needed - spendable, "{missing} is the difference");
	let after = wallet.run(&["balance"]).await?;
	ensure!(before == after, "nothing was taken: {before}, then {after}");
	ensure!(before["account"] == address, "it is the newcomer's account: {before}");

	let rich = wallet.fails(&["transfer", "//Eve", "1000"]).await?;
	ensure!(
		rich.code == 5 && wallet.run(&["balance"]).await? == before,
		"a transfer is no other: {rich:?}"
	);
	let cheap = Wallet {
		key: "//Eve".into(),
		..wallet.clone()
	};
	let limited = cheap.fails(&[&infer[..], &["--max-price", "1"]].concat()).await?;
	ensure!(
		limited.code == 5 && limited.message.contains("nothing was paid"),
		"the limit holds: {limited:?}"
	);
	let before = cheap.run(&["balance"]).await?;
	let nowhere = devnet.scratch().join("no/such/folder");
	let output = ["--output", nowhere.to_str().context("UTF-8")?];
	let unwritable = cheap.fails(&[&infer[..], &output].concat()).await?;
	ensure!(
		unwritable.code == 1 && unwritable.message.contains("no/such/folder"),
		"an output needs a place: {unwritable:?}"
	);
	ensure!(
		cheap.run(&["balance"]).await? == before,
		"which is seen before anything is paid"
	);
	let job = wallet.fails(&["job", "show", "0"]).await?;
	ensure!(job.code == 1, "no job was submitted by all this: {job:?}");
	Ok(())
}

/// From a fresh key to a served job, and out again.
async fn node_should_serve_and_leave(
	devnet: &mut Devnet,
	newcomer: &Wallet,
	giver: &Wallet,
	file: &str,
	address: &str,
) -> Result<()> {
	let url = devnet.add_worker("fourth", "//Newcomer//worker").await?.url();
	let own = Wallet {
		url,
		..newcomer.clone()
	};
	let none = own.fails(&["node", "status"]).await?;
	ensure!(
		none.message.contains("operates no node"),
		"it is not registered yet: {none:?}"
	);
	let small = own.fails(&["node", "register", "--bond", "10"]).await?;
	ensure!(
		small.code == 4 && small.message.contains("BondTooSmall"),
		"the least bond holds: {small:?}"
	);
	let dear = own.fails(&["node", "register", "--bond", "10000"]).await?;
	ensure!(dear.code == 5, "nobody bonds what he does not have: {dear:?}");
	let registered = own
		.run(&["node", "register", "--bond", "2000", "--region", "attic", "--finalized"])
		.await?;
	let node = registered["node"].as_u64().context("a node has an id")?;
	let twice = own.fails(&["node", "register", "--bond", "500"]).await?;
	ensure!(
		twice.code == 4 && twice.message.contains("AlreadyRegistered"),
		"one account, one node: {twice:?}"
	);
	let balance = own.run(&["balance"]).await?;
	ensure!(amount(&balance["held"])? == 2000 * AIC, "the bond is held: {balance}");

	// A model that nobody else serves.
	let words = [
		"model",
		"add",
		file,
		"--name",
		"own",
		"--licence",
		"MIT",
		"--unit-time-ms",
		"200",
		"--royalty",
		"0.25",
	];
	let model = market::add_model(&own, &words.map(str::to_owned)).await?;
	let id = model.to_string();
	own.run(&["node", "host", &id]).await?;
	until("the first heartbeat", Duration::from_secs(180), || async {
		let status = own.run(&["node", "status"]).await?;
		Ok((status["eligible"] == true).then_some(()))
	})
	.await?;
	let bid = own.run(&["bid", &id, "--compute", "1"]).await?;
	ensure!(
		bid["bids"][0]["place"] == true && bid["bids"][0]["price"] == "1",
		"it asks 1 AIC: {bid}"
	);
	market::wait_for_executors(giver, model, 1).await?;
	let status = own.run(&["node", "status"]).await?;
	ensure!(
		status["state"] == "serving" && status["region"] == "attic",
		"it serves: {status}"
	);
	let input = devnet.scratch().join("in.safetensors");
	let output = devnet.scratch().join("out.safetensors");
	let infer = ["infer", &id, "--input", input.to_str().context("UTF-8")?];
	let answer = giver
		.run(&[&infer[..], &["--output", output.to_str().context("UTF-8")?]].concat())
		.await?;
	let result = &answer["results"][0];
	ensure!(result["executor"] == node, "the newcomer's node did it: {answer}");
	let (given, got) = (fs::read(&input)?, fs::read(&output)?);
	ensure!(parse(&given)?[0].data == parse(&got)?[0].data, "it is the identity");
	let job = result["job"].as_u64().context("the result names the job")?;

	// While the job is open, the part of the bond behind it stays.
	let early = own.fails(&["node", "unbond", "2000"]).await?;
	ensure!(
		early.message.contains("BondReserved"),
		"the bond secures the job: {early:?}"
	);
	market::wait_for_phase(giver, job, "Settled").await?;
	let bill = giver.run(&["bill", &job.to_string()]).await?;
	let earned = amount(&own.run(&["balance"]).await?["claimable"])?;
	ensure!(
		earned == billed_to(&bill, Some(address))? + subsidy_of(&bill)? && earned >= AIC,
		"{earned} earned: {bill}"
	);
	let claimed = own.run(&["claim"]).await?;
	ensure!(amount(&claimed["claimed"])? == earned, "{earned} is claimed: {claimed}");

	own.run(&["--finalized", "node", "chill"]).await?;
	let payer = Account::connect(devnet.node("bob"), "//Eve").await?;
	let before = payer.total().await?;
	let unused = identity_input(6.0, 1)?;
	fs::write(&input, &unused)?;
	let refused = giver.fails(&infer).await?;
	ensure!(refused.code == 4, "nobody serves it now: {refused:?}");
	ensure!(before == payer.total().await?, "nothing was taken");
	ensure!(!has_blob(devnet.node("bob"), &unused).await?, "nor uploaded");
	let state = |status: Value| status["state"].clone();
	ensure!(state(own.run(&["node", "status"]).await?) == "chilled", "it is chilled");
	// Session keys may be set at any time; a chilled node is no candidate yet.
	let validate = own.run(&["node", "validate"]).await?;
	let has = devnet
		.node("fourth")
		.rpc("author_hasSessionKeys", json!([validate["keys"]]))
		.await?;
	ensure!(has == true, "its node has the keys: {validate}");
	let elsewhere = giver.fails(&["node", "validate"]).await?;
	ensure!(
		elsewhere.message.contains("operates no node"),
		"only operators validate: {elsewhere:?}"
	);
	own.run(&["node", "resume"]).await?;
	ensure!(
		state(own.run(&["node", "status"]).await?) == "serving",
		"it serves again"
	);

	let early = own.fails(&["node", "unbond", "2000"]).await?;
	ensure!(
		early.message.contains("BondReserved"),
		"the bond stands behind its asks: {early:?}"
	);
	own.run(&["bid", &id, "--withdraw"]).await?;
	own.run(&["node", "unbond", "2000"]).await?;
	let status = own.run(&["node", "status"]).await?;
	ensure!(
		status["eligible"] == false && amount(&status["bond"])? == 0,
		"without bond no jobs: {status}"
	);
	ensure!(
		amount(&status["unbonding"][0]["amount"])? == 2000 * AIC,
		"the bond is on its way out: {status}"
	);
	let early = own.fails(&["node", "withdraw"]).await?;
	ensure!(
		early.message.contains("NothingToWithdraw"),
		"not before its time: {early:?}"
	);
	let early = own.fails(&["node", "deregister"]).await?;
	ensure!(
		early.message.contains("StillUnbonding"),
		"nor does the node go before: {early:?}"
	);
	Ok(())
}
