//! The life of a model in its makers' hands, all of it by the `highway` binary, and what people see of it.

use anyhow::{ensure, Context, Result};
use highway_e2e_tests::{amount, billed_in_all, identity_input};
use highway_offchain_worker::tensors::parse;
use highway_primitives::{BlobRef, AIC};
use highway_test_support::{hostile_models, market, offer, Devnet, Seller, Wallet};
use serde_json::{json, Value};
use std::{fs, path::Path};

/// Bytes of the derived model: the wallet uploads it in two chunks of up to 4 MiB.
const LARGE: usize = 13 << 19;

#[tokio::test]
async fn model_should_be_registered_changed_served_handed_over_and_removed() -> Result<()> {
	Devnet::run(async |devnet| {
		let file = devnet.scratch().join("identity.onnx");
		fs::write(&file, hostile_models::identity())?;
		let file = file.to_str().context("UTF-8")?;
		let maker = Wallet::new(devnet.node("alice"), "//Dave");
		let before = maker.run(&["balance"]).await?;
		let words = "--name echo --licence MIT --unit-time-ms 200 --royalty 0.5 --terms 20%:0.01";
		let words = [&["model", "add", file][..], &words.split(' ').collect::<Vec<_>>()].concat();
		let id = market::add_model(&maker, &words.iter().map(|word| word.to_string()).collect::<Vec<_>>()).await?;
		let model = id.to_string();
		let again = maker.run(&words).await?;
		ensure!(
			again["model"] == id && again["block"].is_null(),
			"nothing is done twice: {again}"
		);
		let dearer: Vec<_> = words.iter().map(|word| word.replace("0.5", "0.6")).collect();
		let dearer: Vec<_> = dearer.iter().map(String::as_str).collect();
		let twice = maker.fails(&dearer).await?;
		ensure!(
			twice.code == 4 && twice.message.contains("NameTaken"),
			"one name, one model: {twice:?}"
		);

		nothing_should_be_uploaded_when_the_chain_would_refuse_the_model(devnet, &maker).await?;
		let child = large_model_should_be_derived(devnet).await?;
		model_should_change(&maker, &model, file).await?;
		tokio::try_join!(
			model_should_be_served(devnet, &maker, id),
			derived_model_should_pay_its_parent(devnet, child),
		)?;
		model_should_be_handed_over_and_removed(devnet, &maker, &model, &child.to_string()).await?;
		let after = maker.run(&["balance"]).await?;
		ensure!(
			after["held"] == before["held"],
			"the deposit is back: {before}, then {after}"
		);
		Ok(())
	})
	.await
}

/// What the chain would say, for nothing.
async fn nothing_should_be_uploaded_when_the_chain_would_refuse_the_model(
	devnet: &Devnet,
	maker: &Wallet,
) -> Result<()> {
	// The same model with a comment, so that no node has it.
	let bytes = [&hostile_models::identity()[..], b"\x32\x03new"].concat();
	let file = devnet.scratch().join("new.onnx");
	fs::write(&file, &bytes)?;
	let file = file.to_str().context("UTF-8")?;
	let before = maker.run(&["balance"]).await?;
	for (name, licence, more, error) in [
		("echo", "MIT", &[][..], "NameTaken"),
		("Echo!", "MIT", &[], "NameInvalid"),
		("new", "", &[], "LicenceInvalid"),
		("new", "MIT", &["--policy", "exact"], "ExactNeedsIntegers"),
		("new", "MIT", &["--royalty", "1000000000"], "RoyaltyAboveMax"),
		(
			"new",
			"MIT",
			&["--parent", "echo", "--royalty", "0.001"],
			"RoyaltyBelowFloor",
		),
	] {
		let words = [
			"model",
			"add",
			file,
			"--unit-time-ms",
			"200",
			"--name",
			name,
			"--licence",
			licence,
		];
		let refused = maker.fails(&[&words[..], more].concat()).await?;
		ensure!(
			refused.code == 4 && refused.message.contains(error) && refused.message.contains("nothing was sent"),
			"{error}: {refused:?}"
		);
	}
	let taken = devnet.scratch().join("identity.onnx");
	let taken = taken.to_str().context("UTF-8")?;
	let words = "--name copy --licence MIT --unit-time-ms 200";
	for copyist in ["//Dave", "//Eve"] {
		let copyist = Wallet {
			key: copyist.into(),
			..maker.clone()
		};
		let words = [&["model", "add", taken][..], &words.split(' ').collect::<Vec<_>>()].concat();
		let refused = copyist.fails(&words).await?;
		ensure!(
			refused.code == 4 && refused.message.contains("ArtefactTaken"),
			"a file belongs to one model: {refused:?}"
		);
	}
	let open = maker.run(&["model", "commitments"]).await?;
	ensure!(open == json!([]), "nothing was committed to: {open}");
	let status = devnet
		.node("alice")
		.rpc("blob_status", json!([BlobRef::of(&bytes).hash]))
		.await?;
	ensure!(status.is_null(), "nothing was uploaded: {status}");
	ensure!(
		maker.run(&["balance"]).await? == before,
		"nothing was taken of {before}"
	);
	Ok(())
}

/// Charlie's model derives from Dave's, on the terms of this moment, and is too large for one request.
async fn large_model_should_be_derived(devnet: &Devnet) -> Result<u64> {
	let bytes = hostile_models::large_identity(LARGE);
	let file = devnet.scratch().join("large.onnx");
	fs::write(&file, &bytes)?;
	let file = file.to_str().context("UTF-8")?;
	let deriver = Wallet::new(devnet.node("charlie"), "//Charlie");
	let words = "--name echo-large --licence MIT --unit-time-ms 200 --royalty 0.5 --parent //Dave/echo";
	let words = [&["model", "add", file][..], &words.split(' ').collect::<Vec<_>>()].concat();
	let child = market::add_model(&deriver, &words.iter().map(|word| word.to_string()).collect::<Vec<_>>()).await?;
	let status = devnet
		.node("charlie")
		.rpc("blob_status", json!([BlobRef::of(&bytes).hash]))
		.await?;
	ensure!(
		status["size"].as_u64() == Some(bytes.len() as u64) && status["complete"] == true && status["pinned"] == true,
		"the node keeps all of it: {status}"
	);
	Ok(child)
}

/// Bob's node fetches the large model from Charlie's and runs it; of the royalty, Dave has his share.
async fn derived_model_should_pay_its_parent(devnet: &Devnet, child: u64) -> Result<()> {
	let seller = Seller::new(devnet.node("bob"), "//Bob");
	offer(&[seller.computing(child, AIC / 10).storing(child, AIC / 10)]).await?;
	let payer = Wallet::new(devnet.node("charlie"), "//Charlie");
	market::wait_for_executors(&payer, child, 1).await?;
	let (input, output) = (
		devnet.scratch().join("large-in.safetensors"),
		devnet.scratch().join("large-out.safetensors"),
	);
	fs::write(&input, identity_input(19.0, 2)?)?;
	let model = child.to_string();
	let answer = payer
		.run(&[
			"--finalized",
			"infer",
			&model,
			"--input",
			input.to_str().context("UTF-8")?,
			"--output",
			output.to_str().context("UTF-8")?,
		])
		.await?;
	let job = answer["results"][0]["job"]
		.as_u64()
		.with_context(|| format!("the job has an id: {answer}"))?;
	let (given, got) = (fs::read(&input)?, fs::read(&output)?);
	ensure!(parse(&given)?[0].data == parse(&got)?[0].data, "it is the identity");

	market::wait_for_phase(&payer, job, "Settled").await?;
	let bill = payer.run(&["bill", &job.to_string()]).await?;
	for (role, owner, wanted) in [("Maker", "//Charlie", AIC * 4 / 10), ("Parent", "//Dave", AIC / 10)] {
		let line = line_of(&bill, role)?;
		let balance = payer.run(&["balance", owner]).await?;
		ensure!(
			amount(&line["amount"])? == wanted && line["payee"] == balance["account"],
			"{owner} has a fifth, or the rest, of 0.5 AIC: {bill}"
		);
	}
	ensure!(
		billed_in_all(&bill)? == amount(&bill["price"])?,
		"the lines sum to the price: {bill}"
	);
	Ok(())
}

/// The only line of a bill with this role.
fn line_of<'a>(bill: &'a Value, role: &str) -> Result<&'a Value> {
	let mut lines = bill["lines"]
		.as_array()
		.context("a bill has lines")?
		.iter()
		.filter(|line| line["role"] == role);
	let line = lines.next();
	ensure!(lines.next().is_none(), "one line for {role}: {bill}");
	line.with_context(|| format!("there is no {role} in {bill}"))
}

/// `list`, `show` and `update`, for programs and for people.
async fn model_should_change(maker: &Wallet, model: &str, file: &str) -> Result<()> {
	let shown = maker.run(&["model", "show", "//Dave/echo"]).await?;
	ensure!(
		shown["id"].as_u64() == model.parse().ok() && shown["version"] == 1,
		"it is there: {shown}"
	);
	ensure!(amount(&shown["deposit"])? > 0, "a deposit is held: {shown}");
	let listed = maker.run(&["model", "list"]).await?;
	let large = maker.run(&["model", "show", "//Charlie/echo-large"]).await?;
	let in_list = |shown: &Value| {
		let mut shown = shown.clone();
		shown.as_object_mut().map(|model| model.remove("calibration"));
		shown
	};
	ensure!(
		listed == json!([in_list(&shown), in_list(&large)]),
		"it and what derives from it are all: {listed}"
	);
	ensure!(
		large["parent"] == shown["id"] && shown["children"] == 1,
		"one derives from the other: {listed}"
	);

	let nothing = maker.fails(&["model", "update", model]).await?;
	ensure!(
		nothing.code == 2 && nothing.message.contains("--royalty"),
		"{nothing:?}"
	);
	// Another file: it is committed to first, like that of a new model.
	let second = Path::new(file).with_file_name("second.onnx");
	fs::write(
		&second,
		hostile_models::commented(&hostile_models::identity(), "second"),
	)?;
	let second = second.to_str().context("UTF-8")?;
	let lower = [
		"model",
		"update",
		model,
		"--royalty",
		"0.25",
		"--terms",
		"none",
		"--file",
		second,
	];
	maker.run(&lower).await?;
	let changed = maker.run(&["model", "show", "echo"]).await?;
	ensure!(
		changed["terms"].is_null() && amount(&changed["royalty"])? == AIC / 4,
		"terms and a lower royalty hold at once: {changed}"
	);
	ensure!(
		changed["version"] == 1 && changed["comingVersion"]["version"] == 2,
		"a version waits for its notice: {changed}"
	);
	let raised = ["model", "update", model, "--royalty", "0.3"];
	maker.run(&raised).await?;
	let changed = maker.run(&["model", "show", model]).await?;
	ensure!(
		amount(&changed["royalty"])? == AIC / 4 && amount(&changed["pendingRoyalty"]["royalty"])? == AIC * 3 / 10,
		"a rise waits for its notice: {changed}"
	);
	let greedy = maker.fails(&["model", "update", model, "--royalty", "3"]).await?;
	ensure!(greedy.code == 4, "and is bounded: {greedy:?}");
	let stranger = Wallet {
		key: "//Eve".into(),
		..maker.clone()
	};
	let refused = stranger.fails(&raised).await?;
	ensure!(refused.code == 4 && refused.message.contains("NotOwner"), "{refused:?}");

	for (command, wanted) in [
		(
			&["model", "list"][..],
			&["echo", "MIT", "0.25 AIC per request", "active"][..],
		),
		(
			&["model", "show", model],
			&["derivatives", "not allowed", "royalty soon", "0.3 AIC from block"],
		),
		(&["node", "list"], &["operator", "reliability", "50.0%"]),
	] {
		let text = maker.text(command).await?;
		let missing: Vec<_> = wanted.iter().filter(|word| !text.contains(**word)).collect();
		ensure!(
			missing.is_empty(),
			"highway {} lacks {missing:?}: {text}",
			command.join(" ")
		);
	}
	Ok(())
}

/// Hosted with a curator's fee in the bill, fetched later by `job watch`, and hosted no more.
async fn model_should_be_served(devnet: &Devnet, maker: &Wallet, id: u64) -> Result<()> {
	let model = id.to_string();
	let operator = Wallet::new(devnet.node("alice"), "//Alice");
	let seller = Seller::new(devnet.node("alice"), "//Alice");
	offer(&[seller.computing(id, AIC / 10).storing(id, AIC / 10)]).await?;
	let more = operator.run(&["node", "status"]).await?;
	operator.run(&["node", "bond", "10"]).await?;
	let bonded = operator.run(&["node", "status"]).await?;
	ensure!(
		amount(&bonded["bond"])? == amount(&more["bond"])? + 10 * AIC,
		"10 AIC more: {bonded}"
	);
	let absurd = operator.fails(&["node", "bond", "999999999999"]).await?;
	ensure!(
		absurd.code == 5 && absurd.kind == "money",
		"nobody bonds what he does not have: {absurd:?}"
	);

	let curator = Wallet::new(devnet.node("bob"), "//Ferdie");
	curator
		.run(&["curator", "set", "--fee", "0.75", "--name", "Good models"])
		.await?;
	let payer = Wallet::new(devnet.node("bob"), "//Eve");
	market::wait_for_executors(&payer, id, 1).await?;
	let input = devnet.scratch().join("in.safetensors");
	fs::write(&input, identity_input(7.0, 1)?)?;
	let input = input.to_str().context("UTF-8")?;
	let quote = payer
		.text(&["quote", &model, "--input", input, "--curator", "//Ferdie"])
		.await?;
	ensure!(
		quote.contains("Curator") && quote.contains("0.75 AIC"),
		"the fee is foreseen: {quote}"
	);
	let asked = [
		"infer",
		&model,
		"--input",
		input,
		"--curator",
		"//Ferdie",
		"--detach",
		"--finalized",
	];
	let sent = payer.run(&asked).await?;
	let job = sent["results"][0]["job"]
		.as_u64()
		.context("the job has an id")?
		.to_string();
	let output = devnet.scratch().join("watched.safetensors");
	let watched = payer
		.text(&["job", "watch", &job, "--output", output.to_str().context("UTF-8")?])
		.await?;
	ensure!(watched.contains("output written to"), "{watched}");
	let (given, got) = (fs::read(input)?, fs::read(&output)?);
	ensure!(parse(&given)?[0].data == parse(&got)?[0].data, "it is the identity");

	// While the window is open, nobody hurries it; and a job in the making keeps its model.
	let hurried = payer.fails(&["job", "poke", &job]).await?;
	ensure!(hurried.code == 4 && hurried.message.contains("NotDue"), "{hurried:?}");
	let kept = maker.fails(&["model", "remove", &model]).await?;
	ensure!(kept.code == 4 && kept.message.contains("OpenJobs"), "{kept:?}");
	market::wait_for_phase(&payer, job.parse()?, "Settled").await?;
	let bill = payer.text(&["bill", &job]).await?;
	ensure!(
		bill.contains("final") && bill.contains("0.75 AIC") && bill.contains("burned"),
		"{bill}"
	);
	let earned = curator.run(&["claim"]).await?;
	ensure!(
		amount(&earned["claimed"])? == AIC * 3 / 4,
		"the curator has it: {earned}"
	);

	operator.run(&["node", "unhost", &model]).await?;
	let status = operator.run(&["node", "status"]).await?;
	ensure!(status["hosted"] == json!([]), "it is hosted no more: {status}");
	Ok(())
}

async fn model_should_be_handed_over_and_removed(
	devnet: &Devnet,
	maker: &Wallet,
	model: &str,
	child: &str,
) -> Result<()> {
	maker.run(&["model", "deprecate", model]).await?;
	let refused = maker.fails(&["infer", model, "--input", "/dev/null"]).await?;
	ensure!(refused.message.contains("deprecated"), "no new jobs: {refused:?}");
	maker.run(&["model", "reinstate", model]).await?;
	ensure!(
		maker.run(&["model", "show", model]).await?["state"] == "active",
		"it takes jobs again"
	);

	let heir = Wallet::new(devnet.node("bob"), "//Ferdie");
	// A deposit for his fee as a curator.
	let held = amount(&heir.run(&["balance"]).await?["held"])?;
	let early = heir.fails(&["model", "accept", model]).await?;
	ensure!(early.code == 4, "nothing is offered yet: {early:?}");
	maker.run(&["model", "transfer", model, "//Ferdie"]).await?;
	maker.run(&["model", "transfer", model]).await?;
	let taken_back = heir.fails(&["model", "accept", model]).await?;
	ensure!(taken_back.code == 4, "the offer was taken back: {taken_back:?}");
	// Known at every node.
	maker
		.run(&["--finalized", "model", "transfer", model, "//Ferdie"])
		.await?;
	heir.run(&["model", "accept", model]).await?;
	let shown = heir.run(&["model", "show", "//Ferdie/echo"]).await?;
	ensure!(
		shown["id"].as_u64() == model.parse().ok(),
		"it has another owner: {shown}"
	);
	let balance = heir.run(&["balance"]).await?;
	ensure!(
		amount(&balance["held"])? == held + amount(&shown["deposit"])?,
		"who holds its deposit now: {balance}, of {shown}"
	);
	let late = maker.fails(&["model", "remove", model]).await?;
	ensure!(late.code == 4 && late.message.contains("NotOwner"), "{late:?}");
	let kept = heir.fails(&["model", "remove", model]).await?;
	ensure!(kept.code == 4 && kept.message.contains("HasChildren"), "{kept:?}");
	let deriver = Wallet::new(devnet.node("charlie"), "//Charlie");
	deriver.run(&["--finalized", "model", "remove", child]).await?;
	heir.run(&["model", "remove", model]).await?;
	let gone = heir.fails(&["model", "show", model]).await?;
	ensure!(gone.code == 1, "it is gone: {gone:?}");
	ensure!(
		amount(&heir.run(&["balance"]).await?["held"])? == held,
		"with its deposit back"
	);
	ensure!(
		heir.text(&["model", "list"]).await?.contains("no models yet"),
		"there is none"
	);
	Ok(())
}
