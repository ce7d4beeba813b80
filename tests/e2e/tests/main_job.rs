//! The main job: Dave registers Magika, three nodes host it, Eve pays for five files and everybody gets what the bill says.

use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use highway_e2e_tests::{amount, billed_in_all, billed_to, get_blob, subsidy_of, Account};
use highway_offchain_worker::tensors;
use highway_primitives::{Balance, AIC};
use highway_test_support::{
	bare::{self, values, BareModel, TOLERANCE},
	binaries, market, Devnet, Node, Wallet,
};
use highway_wallet::client::calls;
use serde_json::Value;
use std::{collections::BTreeMap, env, fs, path::PathBuf};

/// What the files are, in Magika's own words.
const LABELS: [&str; 5] = ["python", "elf", "png", "pdf", "json"];

fn files() -> Result<Vec<PathBuf>> {
	let samples = binaries::tests_folder("files")?;
	let own = env::current_exe()?;
	let sample = |name: &str| samples.join(name);
	Ok(vec![
		sample("fibonacci.py"),
		own,
		sample("road.png"),
		sample("page.pdf"),
		sample("order.json"),
	])
}

#[tokio::test]
async fn five_files_should_be_named_and_paid_for_when_three_nodes_serve_magika() -> Result<()> {
	Devnet::run(async |devnet| {
		let maker = Wallet::new(devnet.node("alice"), "//Dave");
		let payer = Wallet::new(devnet.node("bob"), "//Eve");
		let model = market::add_model(&maker, &market::magika_arguments()?).await?;
		market::host_everywhere(devnet, model, AIC / 100, AIC / 1_000).await?;

		let files = files()?;
		let id = model.to_string();
		let mut arguments = vec!["infer", id.as_str(), "--file"];
		arguments.extend(files.iter().map(|file| file.to_str().unwrap_or_default()));
		let answer = payer.run(&arguments).await?;
		let results = answer["results"].as_array().context("`infer` gives results")?;
		let labels: Vec<_> = results
			.iter()
			.map(|result| result["label"].as_str().unwrap_or_default())
			.collect();
		ensure!(labels == LABELS, "the labels are {labels:?}");

		let mut model = BareModel::load(&fs::read(binaries::model("magika/model.onnx")?)?)?;
		for result in results {
			equals_bare_runtime(devnet, &payer, &mut model, result).await?;
		}

		let jobs: Vec<u64> = results.iter().filter_map(|result| result["job"].as_u64()).collect();
		ensure!(jobs.len() == LABELS.len(), "every file has a job: {answer}");
		let bills = try_join_all(jobs.iter().map(|job| settled_bill(&payer, *job))).await?;
		everybody_has_what_the_bills_say(devnet, &bills).await?;
		claims_are_paid(devnet).await?;
		metrics_tell_of_the_jobs(devnet, jobs.len()).await
	})
	.await
}

/// Holds the output of a job against bare ONNX Runtime on the same input.
async fn equals_bare_runtime(devnet: &Devnet, payer: &Wallet, model: &mut BareModel, result: &Value) -> Result<()> {
	let job = result["job"]
		.as_u64()
		.with_context(|| format!("a result names its job: {result}"))?;
	let path = devnet.scratch().join(format!("{job}.safetensors"));
	let seen = payer
		.run(&[
			"job",
			"watch",
			&job.to_string(),
			"--output",
			path.to_str().context("paths here are UTF-8")?,
		])
		.await?;
	let input = tensors::parse(&get_blob(devnet.node("bob"), &seen["input"], job).await?)?;
	let output = tensors::parse(&fs::read(&path)?)?;
	let ours = values(output.first().context("Magika has an output")?);

	// A run has two rows or more, and up to five jobs may have shared it.
	let mut exact = false;
	for width in 2..=5 {
		let wide: Vec<_> = input
			.iter()
			.map(|tensor| bare::repeated(tensor, width))
			.collect::<Result<_>>()?;
		let outputs = model.run(&wide)?;
		let wide = outputs.first().context("Magika has an output")?;
		ensure!(wide.name == output[0].name, "the output is called {}", wide.name);
		let all = values(wide);
		for theirs in all.chunks(all.len() / width) {
			let difference = bare::greatest_difference(&ours, theirs)?;
			ensure!(
				difference <= TOLERANCE,
				"job {job} differs by {difference} from bare ONNX Runtime"
			);
			exact |= bare::same_bits(&ours, theirs);
		}
	}
	ensure!(exact, "job {job} equals bare ONNX Runtime at no width to the bit");
	Ok(())
}

/// The final bill of a job, which sums to the price.
async fn settled_bill(payer: &Wallet, job: u64) -> Result<Value> {
	market::wait_for_phase(payer, job, "Settled").await?;
	let bill = payer.run(&["bill", &job.to_string()]).await?;
	ensure!(bill["foreseen"] == false, "the bill of a settled job is final: {bill}");
	ensure!(
		billed_in_all(&bill)? == amount(&bill["price"])?,
		"the lines sum to the price: {bill}"
	);
	ensure!(
		amount(&bill["refunded"])? == 0,
		"nothing goes back of a settled job: {bill}"
	);
	Ok(bill)
}

/// The compute line.
fn compute_of(bill: &Value) -> Result<&Value> {
	let lines = bill["lines"].as_array().context("a bill has lines")?;
	let line = lines.iter().find(|line| line["role"] == "Compute");
	line.context("somebody computed")
}

/// Nothing was claimed yet, so what each payee has earned is what the bills say, and for its work what the chain mints.
async fn everybody_has_what_the_bills_say(devnet: &Devnet, bills: &[Value]) -> Result<()> {
	let mut owed: BTreeMap<String, Balance> = BTreeMap::new();
	for bill in bills {
		let lines = bill["lines"].as_array().context("a bill has lines")?;
		for payee in lines.iter().filter_map(|line| line["payee"].as_str()) {
			owed.entry(payee.into()).or_insert(0);
		}
		for (payee, sum) in &mut owed {
			*sum += billed_to(bill, Some(payee))?;
		}
		let executor = compute_of(bill)?["payee"].as_str().context("somebody computed")?;
		*owed.entry(executor.into()).or_insert(0) += subsidy_of(bill)?;
	}
	// One job in twenty is drawn: its auditor is paid as much as its executor.
	let judge = Wallet::new(devnet.node("alice"), "//Eve");
	let audits = judge.run(&["audit", "list"]).await?;
	for audit in audits["audits"].as_array().context("there is a list")? {
		let bill = bills.iter().find(|bill| bill["job"] == audit["job"]);
		let bill = bill.context("nobody else has jobs here")?;
		let shown = judge.run(&["audit", "show", &audit["job"].to_string()]).await?;
		ensure!(shown["verdict"] == "Upheld", "the work is right: {shown}");
		let auditor = shown["seats"][0]["node"].to_string();
		let operator = shown["operators"][&auditor]
			.as_str()
			.context("the auditor has an operator")?;
		*owed.entry(operator.into()).or_insert(0) += amount(&compute_of(bill)?["amount"])?;
	}
	let maker = Account::connect(devnet.node("alice"), "//Dave").await?;
	let royalties = owed.get(&maker.address()).copied();
	ensure!(
		royalties == Some(5 * 500_000_000),
		"five royalties of 0.0005 AIC went to Dave: {owed:?}"
	);
	let wallet = Wallet::new(devnet.node("charlie"), "//Eve");
	for (payee, sum) in owed {
		// Storage is claimable once it is proved.
		let earnings = wallet.run(&["earnings", &payee]).await?;
		ensure!(
			amount(&earnings["claimable"])? + amount(&earnings["waiting"])? == sum,
			"{payee} is owed {sum}, but has {earnings}"
		);
	}
	Ok(())
}

/// What may be claimed arrives, whole, but for the fee of the claim.
async fn claims_are_paid(devnet: &Devnet) -> Result<()> {
	let maker = claim(devnet.node("alice"), "//Dave").await?;
	ensure!(maker.claimed > 0, "Dave has royalties to claim");
	ensure!(maker.fee_paid > 0, "a maker pays the fee of the claim");
	let mut earned = 0;
	for (node, secret) in [("alice", "//Alice"), ("bob", "//Bob"), ("charlie", "//Charlie")] {
		earned += claim(devnet.node(node), secret).await?.claimed;
	}
	ensure!(earned > 0, "somebody did the jobs and may claim for it");
	Ok(())
}

struct Claim {
	claimed: u128,
	/// What of the fee is gone. Fees go to the author of the block: a validator may get its own back.
	fee_paid: u128,
}

async fn claim(node: &Node, secret: &str) -> Result<Claim> {
	let account = Account::connect(node, secret).await?;
	let (earned, before) = (account.earned().await?, account.total().await?);
	if account.claimable().await? == 0 {
		return Ok(Claim {
			claimed: 0,
			fee_paid: 0,
		});
	}
	let fee = account.client.fee(&account.signer, &[calls::claim()]).await?;
	let claimed = Wallet::new(node, secret).run(&["--finalized", "claim"]).await?;
	let claimed = amount(&claimed["claimed"])?;
	let left = account.earned().await?;
	ensure!(
		claimed + left == earned,
		"{secret} has earned {earned}, claimed {claimed} of it, and has {left} left"
	);
	let after = account.total().await?;
	let fee_paid = (before + claimed)
		.checked_sub(after)
		.with_context(|| format!("{secret}: {before} + {claimed} became {after}"))?;
	ensure!(fee_paid <= fee, "{secret}: {before} + {claimed} - {fee} became {after}");
	Ok(Claim { claimed, fee_paid })
}

async fn metrics_tell_of_the_jobs(devnet: &Devnet, jobs: usize) -> Result<()> {
	let (mut attested, mut runs, mut stored) = (0.0, 0.0, 0.0);
	for node in &devnet.nodes {
		attested += node.metric("highway_jobs_total", &["outcome=\"attested\""]).await?;
		runs += node.metric("highway_job_runs_total", &[]).await?;
		stored += node.metric("highway_blobs_stored", &[]).await?;
		ensure!(
			node.metric("highway_healthy", &[]).await? == 1.0,
			"{} says that it is healthy",
			node.name()
		);
	}
	ensure!(attested == jobs as f64, "the nodes count {attested} attested jobs");
	ensure!(runs == jobs as f64, "every job ran once, the nodes count {runs}");
	// Inputs and outputs, at least, and the model on every node.
	ensure!(
		stored >= (2 * jobs + devnet.nodes.len()) as f64,
		"the nodes count {stored} blobs"
	);
	Ok(())
}
