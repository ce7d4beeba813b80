//! The `highway` binary in the hands of somebody new: keys, too little money, and a node of one's own.

use anyhow::{ensure, Context, Result};
use highway_e2e_tests::{amount, billed_to, identity_input, Account};
use highway_offchain_worker::tensors::parse;
use highway_primitives::{Balance, AIC};
use highway_test_support::{hostile_models, market, Devnet, Wallet};
use serde_json::{json, Value};
use std::fs;

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
		let alice = Wallet::new(devnet.node("alice"), "//Alice");
		market::host(&alice, &[model], "100", "0.1").await?;

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

		giver.run(&["transfer", &address, "3000"]).await?;
		node_should_serve_and_leave(devnet, &newcomer, &giver, file, &address).await
	})
	.await
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
	let exported = devnet.scratch().join("exported.json");
	let exported = exported.to_str().context("UTF-8")?;
	wallet.run(&["key", "export", "newcomer", "--to", exported]).await?;
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
	ensure!(
		!phrase.split(' ').any(|word| word.len() > 4 && stored.contains(word)),
		"the file hides the phrase"
	);

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
		.run(&["node", "register", "--bond", "2000", "--region", "attic"])
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
	market::host(&own, &[model], "1", "0.1").await?;
	market::wait_for_executors(giver, model, 1).await?;
	let status = own.run(&["node", "status"]).await?;
	ensure!(
		status["state"] == "serving" && status["region"] == "attic",
		"it serves: {status}"
	);
	let input = devnet.scratch().join("in.safetensors");
	let output = devnet.scratch().join("out.safetensors");
	let infer = ["infer", &model.to_string(), "--input", input.to_str().context("UTF-8")?];
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
		earned == billed_to(&bill, Some(address))? && earned >= AIC,
		"{earned} earned: {bill}"
	);
	let claimed = own.run(&["claim"]).await?;
	ensure!(amount(&claimed["claimed"])? == earned, "{earned} is claimed: {claimed}");

	own.run(&["node", "chill"]).await?;
	let payer = Account::connect(devnet.node("bob"), "//Eve").await?;
	let before = payer.total().await?;
	let refused = giver.fails(&infer).await?;
	ensure!(
		refused.code == 4 || refused.code == 1,
		"nobody serves it now: {refused:?}"
	);
	ensure!(before - payer.total().await? < AIC, "no price was taken");
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
