//! The main job: Dave registers Magika, three nodes host it, Eve pays for five files and for one audit, and everybody gets
//! what the bill says; then for the same files as one job.

mod batch;

use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use highway_e2e_tests::{amount, billed_in_all, billed_to, exited, get_blob, subsidy_of, Account};
use highway_offchain_worker::{
	bids::in_aic,
	tensors::{self, Tensor},
};
use highway_primitives::{AskRole, Balance, ModelId, AIC};
use highway_test_support::{
	bare::{self, values, BareModel, TOLERANCE},
	binaries, market, until, Devnet, Node, Wallet,
};
use highway_wallet::client::calls;
use serde_json::Value;
use std::{collections::BTreeMap, env, fs, path::PathBuf, time::Duration};

/// What the files are, in Magika's own words.
const LABELS: [&str; 5] = ["python", "elf", "png", "pdf", "json"];

/// What Dave gets of each job: 0.0005 AIC.
const ROYALTY: Balance = 500_000_000;

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

		let jobs: Vec<u64> = results.iter().filter_map(|result| result["job"].as_u64()).collect();
		ensure!(jobs.len() == LABELS.len(), "every file has a job: {answer}");
		let (audited, bond) = force_audit(&payer, &jobs).await?;
		pay_waits_for_the_verdict(devnet, &payer, audited).await?;

		let mut reference = BareModel::load(&fs::read(binaries::model("magika/model.onnx")?)?)?;
		for result in results {
			equals_bare_runtime(devnet, &payer, &mut reference, result).await?;
		}

		let bills = try_join_all(jobs.iter().map(|job| settled_bill(&payer, *job))).await?;
		// The nodes that are asked now have seen it, too.
		let settled = devnet.node("bob").best_block().await?;
		for node in &devnet.nodes {
			node.wait_for_block(settled).await?;
		}
		let audits = everybody_has_what_the_bills_say(devnet, &bills, bond).await?;
		claims_are_paid(devnet).await?;
		metrics_tell_of_the_jobs(devnet, jobs.len(), audits).await?;
		let model = id.parse::<ModelId>()?;
		try_join_all(
			devnet
				.nodes
				.iter()
				.map(|node| metrics_tell_what_the_chain_knows(node, model)),
		)
		.await?;
		batch::the_files_should_be_one_job(devnet, &payer, model, &mut reference).await
	})
	.await
}

/// Asks for an audit of the job that was attested last, as its window is open for longest. Returns it and the bond.
async fn force_audit(payer: &Wallet, jobs: &[u64]) -> Result<(u64, Balance)> {
	let mut attested = Vec::new();
	for job in jobs {
		let shown = payer.run(&["job", "show", &job.to_string()]).await?;
		attested.push((shown["attestedAt"].as_u64(), *job));
	}
	let (_, job) = attested.into_iter().max().context("there are jobs")?;
	let id = job.to_string();
	let bill = payer.run(&["bill", &id]).await?;
	let asked = payer.run(&["job", "audit", &id]).await?;
	let bond = amount(&asked["bond"])?;
	ensure!(
		bond == 2 * line(&bill, "Compute")?,
		"the bond is twice the compute line: {asked}, {bill}"
	);
	Ok((job, bond))
}

/// Nobody is paid for a job in audit: not its maker either.
async fn pay_waits_for_the_verdict(devnet: &Devnet, payer: &Wallet, job: u64) -> Result<()> {
	market::wait_for_phase(payer, job, "Auditing").await?;
	let id = job.to_string();
	let audit = payer.run(&["audit", "show", &id]).await?;
	// It may have been drawn, too.
	ensure!(
		(audit["reason"] == "Forced" || audit["reason"] == "Drawn") && audit["verdict"].is_null(),
		"the audit that was asked for goes on: {audit}"
	);
	let maker = Account::connect(devnet.node("alice"), "//Dave").await?;
	let royalties = maker.claimable().await?;
	// Asked after that, so that what Dave had was before the verdict.
	let bill = payer.run(&["bill", &id]).await?;
	ensure!(
		bill["phase"] == "Auditing" && bill["foreseen"] == true,
		"the bill is foreseen until the verdict: {bill}"
	);
	ensure!(
		royalties <= 4 * ROYALTY,
		"four jobs are paid at most while one is audited, not {royalties}"
	);
	Ok(())
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
	equals(model, &input, &output, &format!("job {job}"))
}

/// Error if bare ONNX Runtime gives another output for an input.
fn equals(model: &mut BareModel, input: &[Tensor], output: &[Tensor], what: &str) -> Result<()> {
	let ours = values(output.first().context("Magika has an output")?);

	// A run has two rows or more, and up to five inputs may have shared it.
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
				"{what} differs by {difference} from bare ONNX Runtime"
			);
			exact |= bare::same_bits(&ours, theirs);
		}
	}
	ensure!(exact, "{what} equals bare ONNX Runtime at no width to the bit");
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

/// What a bill says of a role that has one line.
fn line(bill: &Value, role: &str) -> Result<Balance> {
	let lines = bill["lines"].as_array().context("a bill has lines")?;
	let line = lines.iter().find(|line| line["role"] == role);
	amount(&line.with_context(|| format!("there is a line for {role}: {bill}"))?["amount"])
}

/// What is due to those who audited, audit by audit: the operator and as much as the executor got.
async fn due_to_auditors(wallet: &Wallet, bills: &[Value]) -> Result<Vec<(String, Balance)>> {
	let list = wallet.run(&["audit", "list"]).await?;
	let mut due = Vec::new();
	for audit in list["audits"].as_array().context("there is a list")? {
		let bill = bills.iter().find(|bill| bill["job"] == audit["job"]);
		let bill = bill.context("nobody else has jobs here")?;
		let shown = wallet.run(&["audit", "show", &audit["job"].to_string()]).await?;
		ensure!(shown["verdict"] == "Upheld", "the work is right: {shown}");
		// Whoever says nothing is replaced.
		let seats = shown["seats"].as_array().context("an audit has seats")?;
		let seat = seats.last().context("somebody audited")?;
		ensure!(
			seat["seat"] == "auditor" && seat["vote"] == "Yes",
			"the last one asked says so: {shown}"
		);
		let operator = shown["operators"][&seat["node"].to_string()]
			.as_str()
			.context("the auditor has an operator")?;
		due.push((operator.to_owned(), line(bill, "Compute")?));
	}
	Ok(due)
}

/// Nothing was claimed yet, so what each payee may claim is what the bills say, and what audits paid. Returns how many
/// audits there were.
async fn everybody_has_what_the_bills_say(devnet: &Devnet, bills: &[Value], bond: Balance) -> Result<usize> {
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
	let maker = Account::connect(devnet.node("alice"), "//Dave").await?;
	let royalties = owed.get(&maker.address()).copied();
	ensure!(
		royalties == Some(5 * ROYALTY),
		"five royalties of 0.0005 AIC went to Dave: {owed:?}"
	);

	// One job was audited for its payer, and each of the others with a probability of 3.7 %.
	let due = due_to_auditors(&Wallet::new(devnet.node("alice"), "//Eve"), bills).await?;
	let audits = due.len();
	ensure!(audits > 0, "the audit that was asked for is on record");
	let mut at_most: BTreeMap<String, Balance> = BTreeMap::new();
	for (auditor, reward) in due {
		owed.entry(auditor.clone()).or_insert(0);
		*at_most.entry(auditor).or_insert(0) += reward;
	}
	// Their pot has the premiums and the bond, so that two audits are paid whole. Of more, some are debts.
	let premiums = bills
		.iter()
		.map(|bill| line(bill, "Auditor"))
		.sum::<Result<Balance>>()?;
	let to_auditors = at_most.values().sum::<Balance>().min(premiums + bond);

	let wallet = Wallet::new(devnet.node("charlie"), "//Eve");
	let mut audited = 0;
	for (payee, sum) in owed {
		// Storage is claimable once it is proved.
		let earnings = wallet.run(&["earnings", &payee]).await?;
		let earned = amount(&earnings["claimable"])? + amount(&earnings["waiting"])?;
		let by_audits = earned.checked_sub(sum);
		let most = at_most.get(&payee).copied().unwrap_or(0);
		let by_audits = by_audits
			.filter(|earned| *earned <= most)
			.with_context(|| format!("{payee} is owed {sum}, and at most {most} for audits, but has {earnings}"))?;
		audited += by_audits;
	}
	ensure!(
		audited == to_auditors,
		"{audits} audits are paid {to_auditors} of {premiums} and {bond}, not {audited}"
	);
	Ok(audits)
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

async fn metrics_tell_of_the_jobs(devnet: &Devnet, jobs: usize, audits: usize) -> Result<()> {
	let (mut attested, mut runs, mut ballots, mut stored) = (0.0, 0.0, 0.0, 0.0);
	for node in &devnet.nodes {
		attested += node.metric("highway_jobs_total", &["outcome=\"attested\""]).await?;
		runs += node.metric("highway_job_runs_total", &[]).await?;
		ballots += node.metric("highway_audits_total", &["verdict=\"yes\""]).await?;
		stored += node.metric("highway_blobs_stored", &[]).await?;
		ensure!(
			node.metric("highway_healthy", &[]).await? == 1.0,
			"{} says that it is healthy",
			node.name()
		);
	}
	ensure!(attested == jobs as f64, "the nodes count {attested} attested jobs");
	ensure!(
		runs == (jobs + audits) as f64,
		"every job ran once, and once more for each of {audits} audits, the nodes count {runs}"
	);
	ensure!(
		ballots == audits as f64,
		"every auditor said yes, the nodes count {ballots}"
	);
	// Inputs and outputs, at least, and the model on every node.
	ensure!(
		stored >= (2 * jobs + devnet.nodes.len()) as f64,
		"the nodes count {stored} blobs"
	);
	Ok(())
}

/// Every node shows what it has at stake and what its work is paid, and has Magika in a process of its own.
async fn metrics_tell_what_the_chain_knows(node: &Node, model: ModelId) -> Result<()> {
	let account = Account::connect(node, &market::key_of(node.name())).await?;
	let of_model = format!("model=\"{model}\"");
	let of_model = [of_model.as_str()];
	let of_compute = [of_model[0], "role=\"compute\""];
	let (alone, of_model, of_compute): (&[&str], &[&str], &[&str]) = (&[], &of_model, &of_compute);
	// They follow the best block, and processes that look whether the sandbox holds come and go.
	let what = format!("{} to show what the chain knows", node.name());
	until(&what, Duration::from_secs(30), || async {
		let known = account
			.client
			.node_of(&account.id())
			.await?
			.context("it is registered")?;
		let market = account.client.market(model).await?.context("the model has a market")?;
		let compute = market.roles.iter().find(|role| role.role == AskRole::Compute);
		let compute = compute.context("there is a market for compute")?;
		let price = compute.price.context("compute has a price")?;
		let reserve = compute.reserve.context("compute has a reserve")?;
		ensure!(price > 0 && known.bond > 0, "{price} is paid, {} bonded", known.bond);
		for (metric, labels, expected) in [
			("highway_node_bond_aic", alone, in_aic(known.bond)),
			("highway_node_slashed_aic", alone, 0.0),
			("highway_node_slots", alone, f64::from(known.slots)),
			("highway_node_eligible", alone, 1.0),
			("highway_node_jailed", alone, 0.0),
			("highway_node_chilled", alone, 0.0),
			("highway_market_price_aic", of_compute, in_aic(price)),
			("highway_market_reserve_aic", of_compute, in_aic(reserve)),
			("highway_model_open_jobs", of_model, 0.0),
			// Of both phases together: it is one of them.
			("highway_market_phase", alone, 1.0),
			("highway_due_queue_lag_blocks", alone, 0.0),
			("highway_inference_children", alone, 1.0),
		] {
			let shown = node.metric(metric, labels).await?;
			ensure!(shown == expected, "{metric} is {shown}, not {expected}");
		}
		Ok(Some(()))
	})
	.await?;

	// One looked whether the sandbox holds, and nobody had to end the other one.
	let started = node.metric("highway_inference_children_started_total", alone).await?;
	ensure!(started >= 2.0, "{} started {started} processes", node.name());
	let asked = exited(node, "asked").await?;
	ensure!(asked >= 1.0, "{} asked {asked} processes to end", node.name());
	for reason in ["crashed", "memory", "time", "protocol"] {
		let count = exited(node, reason).await?;
		ensure!(count == 0.0, "{count} processes of {} ended: {reason}", node.name());
	}
	let memory = node.metric("highway_inference_children_resident_bytes", alone).await?;
	ensure!(memory > 1e6, "{} has a model in {memory} bytes", node.name());
	Ok(())
}
