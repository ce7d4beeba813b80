//! Models that want to harm: the wallet refuses to register them; registered all the same, nodes refuse to run them and
//! go on authoring.

use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use highway_e2e_tests::{amount, author_of, billed_in_all, identity_input, put_blob, Account};
use highway_offchain_worker::precheck;
use highway_primitives::{
	model::{Unit, VerificationPolicy, VersionSpec},
	BlobRef,
};
use highway_test_support::{hostile_models, market, until, Devnet, Wallet};
use highway_wallet::client::calls::{self, AskRole};
use std::{collections::BTreeSet, fs, time::Duration};

/// Those that go to the nodes: one of each kind.
const REGISTERED: [&str; 5] = [
	"external data at an absolute path",
	"ten thousand levels of If",
	"an unknown domain",
	"a truncated file",
	"a huge sparse tensor",
];

/// What the hostile models pretend to be.
fn disguise(artifact: &[u8]) -> Result<VersionSpec> {
	let honest = precheck::signature(&hostile_models::identity())?;
	Ok(VersionSpec {
		artifact: BlobRef::of(artifact),
		licence: b"MIT".to_vec().try_into().ok().context("3 bytes fit")?,
		inputs: honest.bounded_inputs().context("one input fits")?,
		outputs: honest.bounded_outputs().context("one output fits")?,
		unit: Unit::Request,
		unit_time_ms: 200,
		policy: VerificationPolicy::Tolerance {
			atol: 1_000_000,
			rtol: 1_000_000,
			outliers: Default::default(),
		},
		recipe: None,
	})
}

#[tokio::test]
async fn hostile_models_should_be_refused_by_wallet_and_nodes_while_the_chain_goes_on() -> Result<()> {
	Devnet::run(async |devnet| {
		let maker = Wallet::new(devnet.node("alice"), "//Dave");
		let account = Account::connect(devnet.node("alice"), "//Dave").await?;
		let before = account.total().await?;
		for (index, (what, bytes)) in hostile_models::refused().into_iter().enumerate() {
			let file = devnet.scratch().join(format!("{index}.onnx"));
			fs::write(&file, bytes)?;
			let file = file.to_str().context("UTF-8")?;
			let name = format!("hostile-{index}");
			let failure = maker
				.fails(&[
					"model",
					"add",
					file,
					"--name",
					&name,
					"--licence",
					"MIT",
					"--unit-time-ms",
					"200",
				])
				.await
				.with_context(|| what.to_string())?;
			ensure!(
				failure.code == 1 && failure.message.contains("cannot be registered"),
				"{what}: {failure:?}"
			);
		}
		ensure!(account.total().await? == before, "refusals cost nothing");
		ensure!(account.client.models().await?.is_empty(), "no model was registered");

		// By another program than the wallet.
		let mut registrations = Vec::new();
		for (index, name) in REGISTERED.iter().enumerate() {
			let bytes = hostile_models::refused()
				.into_iter()
				.find_map(|(what, bytes)| (what == *name).then_some(bytes))
				.with_context(|| format!("there is no hostile model '{name}'"))?;
			put_blob(devnet.node("alice"), &bytes).await?;
			let name = format!("innocent-{index}").into_bytes();
			registrations.push(calls::register_model(name, disguise(&bytes)?, None, None, 0));
		}
		account.submit(&registrations).await?;
		let models: Vec<_> = account.client.models().await?.iter().map(|model| model.id).collect();
		ensure!(
			models.len() == REGISTERED.len(),
			"the chain cannot see that they are hostile: {models:?}"
		);
		let price = amount(&"1".into())?;
		try_join_all(devnet.nodes.iter().map(|node| async {
			let operator = Account::connect(node, &market::key_of(node.name())).await?;
			let host = |model: &u32| [calls::host(*model), calls::post_ask(*model, AskRole::Compute, price)];
			let storage = |model: &u32| calls::post_ask(*model, AskRole::Storage, price / 10);
			let wanted: Vec<_> = models.iter().flat_map(host).chain(models.iter().map(storage)).collect();
			operator.submit(&wanted).await
		}))
		.await?;

		let payer = Wallet::new(devnet.node("bob"), "//Eve");
		let buyer = Account::connect(devnet.node("bob"), "//Eve").await?;
		let input = put_blob(devnet.node("bob"), &identity_input(3.0, 1)?).await?;
		let mut jobs = Vec::new();
		for model in &models {
			market::wait_for_executors(&payer, u64::from(*model), 3).await?;
			jobs.push(buyer.submit_job(u64::from(*model), input, None).await?.job);
		}
		let first_block = devnet.node("alice").best_block().await?;
		for (job, what) in jobs.into_iter().zip(REGISTERED) {
			let failed = market::wait_for_phase(&payer, job, "Failed")
				.await
				.with_context(|| what.to_string())?;
			ensure!(failed["output"].is_null(), "{what}: there is no output: {failed}");
			let bill = payer.run(&["bill", &job.to_string()]).await?;
			ensure!(billed_in_all(&bill)? == amount(&bill["price"])?, "{what}: {bill}");
			ensure!(
				amount(&bill["refunded"])? >= amount(&bill["price"])? / 2,
				"{what}: most goes back: {bill}"
			);
		}
		all_should_author_and_finalize_after(devnet, first_block).await?;
		for node in &devnet.nodes {
			let refused = node.metric("highway_refused_models", &[]).await?;
			ensure!(
				refused >= 1.0,
				"{} says how many models it refuses: {refused}",
				node.name()
			);
			ensure!(
				node.metric("highway_healthy", &[]).await? == 1.0,
				"{} is healthy",
				node.name()
			);
		}
		Ok(())
	})
	.await
}

/// Every validator authors a block after `first`, and such blocks become final.
async fn all_should_author_and_finalize_after(devnet: &Devnet, first: u64) -> Result<()> {
	let node = devnet.node("alice");
	let mut authors = BTreeSet::new();
	let mut next = first + 1;
	let limit = Duration::from_secs(120);
	let start = std::time::Instant::now();
	while authors.len() < devnet.nodes.len() {
		ensure!(
			start.elapsed() < limit,
			"only {authors:?} authored blocks {first} to {next}"
		);
		node.wait_for_block(next).await?;
		authors.insert(author_of(node, next).await?);
		next += 1;
	}
	for node in &devnet.nodes {
		until(
			&format!("finality of block {next} on {}", node.name()),
			limit,
			|| async { Ok((node.finalized_block().await? > first).then_some(())) },
		)
		.await?;
	}
	Ok(())
}
