//! Nodes that die: work is done once and paid once, or somebody else does it, or the payer has the money back.

use anyhow::{ensure, Context, Result};
use highway_e2e_tests::{
	amount, billed_in_all, billed_to, exited, floats, get_blob, identity_input, integers, put_blob, subsidy_of,
	Account, Submitted,
};
use highway_offchain_worker::{
	journal::Journal,
	tensors::{parse, serialize},
};
use highway_primitives::{Balance, BlobRef, AIC};
use highway_test_support::{
	bare::{values, BareModel},
	hostile_models, market, offer, until, Devnet, Node, Seller, Wallet,
};
use serde_json::{json, Value};
use sp_core::H256;
use std::{
	fs,
	path::Path,
	time::{Duration, Instant},
};

/// Time that a slow job runs, so that a node can be killed in the middle of it.
const RUN: Duration = Duration::from_secs(5);

/// The victim: it is no validator, so the chain goes on and stays final without it.
const VICTIM: &str = "dave";

/// Another one, which dies together with it.
const COMPANION: &str = "ferdie";

/// What a unit costs at first.
const PRICE: Balance = AIC;

/// How both become nodes.
const REGISTER: [&str; 6] = ["node", "register", "--bond", "1000000", "--region", "test"];

/// How long something that takes no chain may take.
const SOON: Duration = Duration::from_secs(30);

/// The input with which the counting model runs for about [`RUN`].
fn slow_input(start: f32) -> Result<Vec<u8>> {
	let mut model = BareModel::load(&hostile_models::counting_loop())?;
	let input = |count| -> Result<_> { Ok(vec![integers("n", &[], &[count])?, floats("x", &[4], &[start; 4])?]) };
	let count = 100_000;
	let begin = Instant::now();
	model.run(&input(count)?)?;
	let scale = RUN.as_secs_f64() / begin.elapsed().as_secs_f64();
	Ok(serialize(&input((count as f64 * scale) as i64)?))
}

/// Registers `model` without the wallet's recipe and returns its id.
async fn add(maker: &Wallet, folder: &Path, name: &str, model: Vec<u8>, unit_time_ms: &str) -> Result<u64> {
	let file = folder.join(format!("{name}.onnx"));
	fs::write(&file, hostile_models::commented(&model, name))?;
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
		unit_time_ms,
	];
	market::add_model(maker, &words.map(str::to_owned)).await
}

/// Models, and the ids of the nodes that die.
#[derive(Clone, Copy)]
struct Cast {
	/// Hosted by the victim.
	slow: u64,
	/// Hosted by the victim and Alice.
	quick: u64,
	/// Hosted by the victim and its companion.
	doomed: u64,
	/// The node of [`VICTIM`].
	victim: u64,
	/// The node of [`COMPANION`].
	companion: u64,
}

/// How often the journal of the stopped victim says that `job` is done.
fn journaled(devnet: &Devnet, genesis: H256, job: u64) -> Result<usize> {
	let copy = devnet.scratch().join("copy.journal");
	fs::copy(devnet.node(VICTIM).chain_folder()?.join("worker.journal"), &copy)?;
	let journal = Journal::open(&copy, genesis)?;
	Ok(journal.entries().filter(|entry| entry.key.job == job).count())
}

async fn bill(wallet: &Wallet, job: u64) -> Result<Value> {
	let bill = wallet.run(&["bill", &job.to_string()]).await?;
	ensure!(
		billed_in_all(&bill)? == amount(&bill["price"])?,
		"the lines sum to the price: {bill}"
	);
	Ok(bill)
}

#[tokio::test]
async fn jobs_should_end_once_and_be_paid_once_when_nodes_are_killed() -> Result<()> {
	Devnet::run(async |devnet| {
		let genesis = devnet.node("alice").rpc("chain_getBlockHash", json!([0])).await?;
		let genesis = genesis.as_str().context("a hash is text")?.parse::<H256>()?;
		devnet.add_worker(VICTIM, "//Dave").await?;
		devnet.add_worker(COMPANION, "//Ferdie").await?;
		let victim = Wallet::new(devnet.node(VICTIM), "//Dave");
		let companion = Wallet::new(devnet.node(COMPANION), "//Ferdie");
		let maker = Wallet::new(devnet.node("alice"), "//Alice");
		let payer = Wallet::new(devnet.node("bob"), "//Eve");
		let folder = devnet.scratch();
		// Each with an account and a node of its own, so side by side.
		let ((slow, quick), doomed, registered, second) = tokio::try_join!(
			async {
				let slow = add(&maker, &folder, "slow", hostile_models::counting_loop(), "12000").await?;
				let quick = add(&maker, &folder, "quick", hostile_models::identity(), "200").await?;
				anyhow::Ok((slow, quick))
			},
			add(&payer, &folder, "doomed", hostile_models::identity(), "200"),
			victim.run(&REGISTER),
			companion.run(&REGISTER),
		)?;
		let cast = Cast {
			slow,
			quick,
			doomed,
			victim: registered["node"].as_u64().context("a node has an id")?,
			companion: second["node"].as_u64().context("a node has an id")?,
		};
		// Nobody asks for storage: pay for that comes when it is proved, and the pay for jobs is to be seen.
		offer(&[
			Seller::new(devnet.node(VICTIM), "//Dave")
				.computing(slow, PRICE)
				.computing(quick, PRICE)
				.computing(doomed, PRICE),
			Seller::new(devnet.node(COMPANION), "//Ferdie").computing(doomed, PRICE),
			// Without an ask for the slow model, which makes her offer as few slots as the victim: both are drawn alike.
			Seller::new(devnet.node("alice"), "//Alice")
				.computing(quick, PRICE)
				.hosting(slow),
		])
		.await?;
		market::wait_for_executors(&payer, slow, 1).await?;
		market::wait_for_executors(&payer, quick, 2).await?;
		market::wait_for_executors(&payer, doomed, 2).await?;

		killed_in_mid_job(devnet, &payer, slow, cast.victim, genesis).await?;
		gone_for_good(devnet, &payer, cast).await
	})
	.await
}

/// `kill -9` of the processes that have models, of which one runs: that one is replaced, and both shows in the metrics.
async fn models_are_started_again(node: &Node) -> Result<()> {
	let started = || node.metric("highway_inference_children_started_total", &[]);
	let (started_before, crashed_before) = (started().await?, exited(node, "crashed").await?);
	let models = node.children()?;
	ensure!(!models.is_empty(), "a model runs in a process of its own");
	let models = models.iter().map(u32::to_string);
	Command::new("kill").arg("-9").args(models).status()?;
	until("the killed process to be replaced", SOON, || async {
		let replaced = started().await? > started_before && exited(node, "crashed").await? > crashed_before;
		Ok(replaced.then_some(()))
	})
	.await
}

/// `kill -9` of the processes of the models, of the node while a model runs, and again between attestation and pay.
async fn killed_in_mid_job(devnet: &mut Devnet, payer: &Wallet, model: u64, victim: u64, genesis: H256) -> Result<()> {
	let account = Account::connect(devnet.node("bob"), "//Eve").await?;
	let operator = Account::connect(devnet.node("bob"), "//Dave").await?;
	let earned_before = operator.claimable().await?;
	let file = slow_input(1.0)?;
	let input = put_blob(devnet.node("bob"), &file).await?;
	let job = account.submit_job(model, input, None).await?.job;

	let node = devnet.node_mut(VICTIM);
	until("the run of the slow job", SOON, || async {
		Ok((node.metric("highway_jobs_running", &[]).await? == 1.0).then_some(()))
	})
	.await?;
	models_are_started_again(node).await?;
	let orphans = node.children()?;
	ensure!(!orphans.is_empty(), "a model runs in a process of its own");
	node.kill()?;
	let seen = market::show_job(payer, job).await?;
	ensure!(seen["phase"] == "Assigned", "it was killed in mid-job: {seen}");
	until("the end of the dead node's models", SOON, || async {
		Ok(orphans
			.iter()
			.all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
			.then_some(()))
	})
	.await?;
	ensure!(
		journaled(devnet, genesis, job)? == 0,
		"what did not end is not in the journal"
	);

	devnet.node_mut(VICTIM).resume().await?;
	let attested = market::wait_for_phase(payer, job, "Attested").await?;
	ensure!(
		attested["executor"] == victim && attested["tried"] == json!([]),
		"the same node did it: {attested}"
	);
	let output = parse(&get_blob(devnet.node(VICTIM), &attested["output"], job).await?)?;
	let count = i64::from_le_bytes(parse(&file)?[0].data.as_slice().try_into()?);
	let counted = values(&output[0]);
	ensure!(
		counted.iter().all(|value| *value > 1.0),
		"it counted to {counted:?} in {count} steps"
	);

	devnet.node_mut(VICTIM).kill()?;
	ensure!(journaled(devnet, genesis, job)? == 1, "the work is in the journal once");
	devnet.node_mut(VICTIM).resume().await?;
	let settled = market::wait_for_phase(payer, job, "Settled").await?;
	ensure!(
		settled["output"] == attested["output"],
		"the output did not change: {settled}"
	);
	ensure!(
		settled["attestedAt"] == attested["attestedAt"],
		"there is one attestation: {settled}"
	);
	let bill = bill(payer, job).await?;
	let earned = operator.claimable().await? - earned_before;
	ensure!(
		earned > 0 && earned == billed_to(&bill, Some(&operator.address()))? + subsidy_of(&bill)?,
		"{earned} earned, billed: {bill}"
	);
	let node = devnet.node(VICTIM);
	ensure!(
		node.metric("highway_job_runs_total", &[]).await? == 0.0,
		"what the journal holds is not run again"
	);
	ensure!(
		node.metric("highway_attestations_total", &[]).await? == 0.0,
		"what is attested is not attested again"
	);
	Ok(())
}

/// Nodes that never come back: another one takes over what it can, the payer has the money back for what nobody can, be it
/// that the only host is dead or that the next one is dead, too.
async fn gone_for_good(devnet: &mut Devnet, payer: &Wallet, cast: Cast) -> Result<()> {
	let (victim, companion) = (cast.victim, cast.companion);
	let account = Account::connect(devnet.node("bob"), "//Eve").await?;
	let slow_input = put_blob(devnet.node("bob"), &slow_input(2.0)?).await?;
	let before = account.total().await?;
	let Submitted { job: lost, fee, .. } = account.submit_job(cast.slow, slow_input, None).await?;
	let node = devnet.node_mut(VICTIM);
	until("the run of the job to be lost", SOON, || async {
		Ok((node.metric("highway_jobs_running", &[]).await? == 1.0).then_some(()))
	})
	.await?;
	node.kill()?;
	devnet.node_mut(COMPANION).kill()?;
	let price = amount(&market::show_job(payer, lost).await?["price"])?;
	ensure!(fee < price / 10, "a fee of {fee} is small beside {price}");

	// The chain takes both for alive until they miss heartbeats, longer than this job has for two nodes.
	let nowhere = BlobRef::of(&identity_input(60.0, 1)?);
	let doomed = account.submit_job(cast.doomed, nowhere, None).await?;
	let (doomed, doomed_fee) = (doomed.job, doomed.fee);
	let doomed_price = amount(&market::show_job(payer, doomed).await?["price"])?;

	// Alice and the victim are drawn alike; the chain does not know yet that one of them is dead.
	let file = identity_input(40.0, 2)?;
	let input = put_blob(devnet.node("bob"), &file).await?;
	let (mut tries, mut spent) = (0, 0);
	let moved = loop {
		let Submitted { job, fee, .. } = account.submit_final_job(cast.quick, input, None).await?;
		let shown = market::show_job(payer, job).await?;
		// From the bill and not from the balance: a refund of the first two may come in the same block.
		(tries, spent) = (tries + 1, spent + fee + amount(&shown["price"])?);
		if shown["executor"] == victim {
			break job;
		}
		ensure!(tries < 40, "the dead node is never drawn");
	};

	let (moved, lost, doomed) = tokio::try_join!(
		async {
			let job = market::wait_for_phase(payer, moved, "Attested").await?;
			ensure!(job["tried"] == json!([victim]), "the dead node was tried first: {job}");
			ensure!(job["executor"] == 0, "Alice took over: {job}");
			let output = parse(&get_blob(devnet.node("bob"), &job["output"], moved).await?)?;
			ensure!(output[0].data == parse(&file)?[0].data, "the output is right");
			let settled = market::wait_for_phase(payer, moved, "Settled").await?;
			ensure!(settled["executor"] == 0, "Alice is paid for it: {settled}");
			bill(payer, moved).await
		},
		async {
			let job = market::wait_for_phase(payer, lost, "Refunded").await?;
			ensure!(job["tried"] == json!([victim]), "its only host was tried: {job}");
			bill(payer, lost).await
		},
		async {
			let job = market::wait_for_phase(payer, doomed, "Refunded").await?;
			ensure!(
				job["tried"] == json!([victim, companion]) || job["tried"] == json!([companion, victim]),
				"after one dead host the other one was tried: {job}"
			);
			bill(payer, doomed).await
		}
	)?;
	let alice = Account::connect(devnet.node("alice"), "//Alice").await?;
	ensure!(
		billed_to(&moved, Some(&alice.address()))? >= PRICE,
		"Alice is paid for the run: {moved}"
	);
	for (bill, price) in [(&lost, price), (&doomed, doomed_price)] {
		ensure!(
			amount(&bill["refunded"])? == price && bill["lines"] == json!([]),
			"all of the price went back: {bill}"
		);
	}

	let expected = before - fee - doomed_fee - spent;
	account
		.wait_for_total("the payer to be whole but for the fees and what was done", expected)
		.await
}
