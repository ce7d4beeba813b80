//! Rounds of probes with real nodes: what a node proves bounds what it sells.
//!
//! | network | what it shows |
//! |---|---|
//! | an honest node, one that makes rows up, a CPU that calls itself a GPU | the first is measured and does all jobs, the other two get none |
//! | three nodes on one processor | together they sell less than three times what one of them sells alone |

use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use highway_e2e_tests::{identity_input, key, put_blob, Account};
use highway_primitives::{AskRole, DeviceClass, JobPhase, AIC};
use highway_runtime_api::types::{MeasuredInfo, NodeInfo};
use highway_test_support::{
	devnet::VALIDATORS,
	hostile_models,
	market::{self, key_of},
	offer, until, Devnet, Seller, Setup, Wallet,
};
use highway_wallet::client::{calls, ClientError};
use serde_json::{json, Value};
use sp_core::{crypto::AccountId32, Pair, H256};
use std::{fs, time::Duration};

/// How long a round may let wait for it and for the heartbeat behind it: two spacings, a round and a session, twice.
const ROUNDS: Duration = Duration::from_secs(480);

/// How long something may take that one block does.
const SOON: Duration = Duration::from_secs(60);

/// Rows that back a slot where a CPU is to prove a few of them at once.
const FEW_ROWS: u32 = 10;

/// Slots that the nodes declare there.
const SLOTS: u16 = 8;

/// Rounds as close to one another as they may be, each of which hits everybody.
fn terms(rows_per_slot: u32) -> Value {
	json!({
		"share": 1,
		"spacing": 30,
		"interval": 1,
		"rows_per_slot": rows_per_slot,
		"unmeasured_slots": 2,
		"reward": 0,
		// No CPU computes so many rows in twenty seconds.
		"floors": [["Cuda", 1_000_000_000]],
	})
}

/// What the chain knows of the node of this operator.
async fn node_of(watcher: &Account, name: &str) -> Result<NodeInfo<AccountId32>> {
	let operator = key(&key_of(name))?.public().into();
	let node = watcher.client.node_of(&operator).await?;
	node.with_context(|| format!("{name} operates a node"))
}

/// What rounds found of a node, if one came to an end for it and it missed none since.
async fn measured(watcher: &Account, name: &str) -> Result<Option<MeasuredInfo>> {
	let measured = node_of(watcher, name).await?.measured;
	Ok(measured.filter(|measured| measured.rows > 0 && measured.missed == 0))
}

/// Waits until the node is as `wanted`.
async fn node_that(
	watcher: &Account,
	name: &str,
	what: &str,
	wanted: impl Fn(&NodeInfo<AccountId32>) -> bool,
) -> Result<NodeInfo<AccountId32>> {
	until(&format!("{name}: {what}"), ROUNDS, || async {
		Ok(Some(node_of(watcher, name).await?).filter(&wanted))
	})
	.await
}

#[tokio::test]
async fn jobs_should_go_to_the_node_that_proved_and_neither_to_a_liar_nor_to_a_gpu_that_is_none() -> Result<()> {
	let setup = Setup::of(&VALIDATORS)
		.cheating("bob", "fake-rows")
		.cheating("charlie", "as-gpu")
		.claiming("charlie", DeviceClass::Cuda)
		.probing(terms(FEW_ROWS))
		.with(&["--inference-slots", &SLOTS.to_string()]);
	Devnet::run_setup(setup, async |devnet| {
		let watcher = Account::connect(devnet.node("alice"), "//Alice").await?;
		let heard = node_that(&watcher, "alice", "its first heartbeat", |node| node.declared == SLOTS).await?;
		ensure!(
			heard.measured.is_some() || heard.slots == 2,
			"nobody has measured it: {heard:?}"
		);

		let model = hosted_everywhere(devnet).await?;
		let honest = node_that(&watcher, "alice", "slots that it proved", |node| node.slots == SLOTS).await?;
		let found = honest.measured.context("more than a newcomer's slots are measured")?;
		ensure!(
			found.rows == FEW_ROWS * u32::from(SLOTS) && found.slots == SLOTS,
			"no more rows count than back what it declared: {honest:?}"
		);
		let liar = node_that(&watcher, "bob", "a lie", |node| node.slots == 0 && !node.eligible).await?;
		ensure!(
			liar.measured.is_some_and(|found| found.refuted && found.rows == 0),
			"it is refuted: {liar:?}"
		);
		let pretender = node_that(&watcher, "charlie", "too few rows for a GPU", |node| {
			node.measured.is_some_and(|found| found.rows > 0) && !node.eligible
		})
		.await?;
		ensure!(
			pretender.measured.is_some_and(|found| !found.refuted),
			"it is slow, but no liar: {pretender:?}"
		);
		may_not_ask(devnet, "bob", model).await?;
		may_not_ask(devnet, "charlie", model).await?;

		let payer = Account::connect(devnet.node("alice"), "//Eve").await?;
		let quote = payer.client.quote(model.try_into()?, 1_000, None).await?;
		ensure!(quote.executors == 1, "one node can be had: {quote:?}");
		for number in 0..4 {
			let blob = put_blob(devnet.node("alice"), &identity_input(number as f32, 1)?).await?;
			let job = payer.submit_job(model, blob, None).await?.job;
			let done = until(&format!("job {job}"), ROUNDS, || async {
				let job = payer.client.job(job).await?;
				Ok(job.filter(|job| !matches!(job.phase, JobPhase::Assigned)))
			})
			.await?;
			ensure!(
				done.executor == Some(honest.id) && done.tried.is_empty() && done.output.is_some(),
				"the honest node did it at once: {done:?}"
			);
		}
		told_to_operators(devnet).await
	})
	.await
}

/// Registers a model, lets all three nodes host it, and the honest one ask for it.
async fn hosted_everywhere(devnet: &Devnet) -> Result<u64> {
	let file = devnet.scratch().join("identity.onnx");
	fs::write(&file, hostile_models::identity())?;
	let words = [
		"model",
		"add",
		file.to_str().context("UTF-8")?,
		"--name",
		"identity",
		"--licence",
		"MIT",
		"--unit-time-ms",
		"100",
	];
	let maker = Wallet::new(devnet.node("alice"), "//Dave");
	let model = market::add_model(&maker, &words.map(str::to_owned)).await?;
	let id = model.to_string();
	for name in ["bob", "charlie"] {
		let operator = Wallet::new(devnet.node(name), &key_of(name));
		operator.run(&["node", "host", &id]).await?;
	}
	let seller = Seller::new(devnet.node("alice"), "//Alice");
	offer(&[seller.computing(model, AIC / 100).storing(model, AIC / 1_000)]).await?;
	Ok(model)
}

/// A node that may not work asks for nothing: there is no bond to put behind it.
async fn may_not_ask(devnet: &Devnet, name: &str, model: u64) -> Result<()> {
	let operator = Account::connect(devnet.node(name), &key_of(name)).await?;
	let ask = calls::commit_ask(model.try_into()?, AskRole::Compute, H256::repeat_byte(7));
	until(&format!("{name}'s ask to be refused"), SOON, || async {
		match operator
			.client
			.try_out(&operator.signer, std::slice::from_ref(&ask))
			.await
		{
			Err(ClientError::WouldRefuse(refusal)) if refusal.name == "NotEligible" => Ok(Some(())),
			// It is time to reveal.
			Err(ClientError::WouldRefuse(refusal)) if refusal.name == "NotCommitPhase" => Ok(None),
			other => anyhow::bail!("{name} asks: {other:?}"),
		}
	})
	.await
}

/// Wallet and metrics say what the chain says.
async fn told_to_operators(devnet: &Devnet) -> Result<()> {
	let wallet = Wallet::new(devnet.node("alice"), "//Alice");
	let status = wallet.run(&["node", "status"]).await?;
	ensure!(
		status["declared"] == SLOTS && status["measured"]["slots"] == SLOTS,
		"its measure is shown: {status}"
	);
	let liar = Wallet::new(devnet.node("bob"), "//Bob")
		.text(&["node", "status"])
		.await?;
	ensure!(liar.contains("refuted"), "the liar is told: {liar}");
	let alice = devnet.node("alice");
	until("a proof among the metrics", SOON, || async {
		let proved = alice.metric("highway_probes_total", &["outcome=\"proved\""]).await?;
		Ok((proved >= 1.0).then_some(()))
	})
	.await
}

/// Operators whose nodes run on one processor.
const POSING: [&str; 3] = ["bob", "charlie", "dave"];

#[tokio::test]
async fn one_processor_that_poses_as_three_nodes_should_sell_less_than_three_times_what_it_sells_as_one() -> Result<()>
{
	// Nobody has 1024 times as many rows in time, so that not what is declared bounds a node but what it proves.
	let setup = Setup::of(&["alice"]).probing(terms(10_000));
	Devnet::run_setup(setup, async |devnet| {
		for name in POSING {
			let worker = format!("{}//worker", key_of(name));
			let node = devnet
				.add_worker_with(name, &worker, &["--inference-slots", "1024"])
				.await?;
			node.pin()?;
		}
		try_join_all(POSING.iter().map(|name| {
			let operator = Wallet::new(devnet.node(name), &key_of(name));
			async move { operator.run(&["node", "register", "--bond", "1000"]).await }
		}))
		.await?;

		let watcher = Account::connect(devnet.node("alice"), "//Alice").await?;
		let shared: Vec<MeasuredInfo> = until("a round that counts for all three", ROUNDS, || async {
			let found = try_join_all(POSING.iter().map(|name| measured(&watcher, name))).await?;
			let found: Option<Vec<MeasuredInfo>> = found.into_iter().collect();
			Ok(found.filter(|found| found.iter().all(|one| one.round == found[0].round)))
		})
		.await?;
		// The next round is some blocks away: they were measured at the end of this one.
		for name in &POSING[1..] {
			devnet.node_mut(name).kill()?;
		}
		// By turns they would get as much as one alone. Whoever else works on this machine now slows one more than three, so there
		// is another round for it if one is not enough.
		let round = shared[0].round;
		let together: u32 = shared.iter().map(|one| one.rows).sum();
		let what = format!("a round of one alone that shows less than three times as much in {shared:?}");
		until(&what, ROUNDS, || async {
			let found = measured(&watcher, POSING[0]).await?;
			let alone = found.filter(|found| found.round > round);
			Ok(alone.filter(|alone| u64::from(together) * 2 < u64::from(alone.rows) * 5))
		})
		.await?;
		let left = node_that(&watcher, POSING[0], "slots that it proved", |node| {
			node.slots < node.declared && node.measured.is_some_and(|found| found.slots == node.slots)
		})
		.await?;
		ensure!(left.declared == 1_024, "it declares more than it proves: {left:?}");
		Ok(())
	})
	.await
}
