//! Three of five nodes run one input, one of them makes numbers up: the payer's wallet finds it by the values of the outputs
//! and has it audited.

use super::scene::{
	audit, bonds, ended, ensure_unharmed, history, host, input, node_info, operator, register, traced, Happened, PRICE,
	SECURITY_FACTOR, SOON,
};
use anyhow::{ensure, Context, Result};
use codec::Decode;
use highway_e2e_tests::{amount, Account};
use highway_offchain_worker::tensors;
use highway_primitives::{
	audit::{AuditReason, Verdict},
	model::ModelId,
	Balance, BlobRef, JobId, JobPhase, NodeId, Quorum, Role,
};
use highway_test_support::{binaries, market::key_of, until, Devnet, Node, Setup, Wallet};
use serde_json::{json, Value};
use sp_core::crypto::AccountId32;
use sp_runtime::Perbill;
use std::{collections::BTreeSet, fs};
use subxt::{utils::H256, OnlineClient, PolkadotConfig};

const MODEL: ModelId = 0;

const HONEST_NODES: [&str; 4] = ["alice", "bob", "charlie", "dave"];

/// Who reproduces the calibration. They host nothing.
const CONFIRMING: [&str; 2] = ["charlie", "dave"];

/// Inputs of the calibration.
const CASES: usize = 4;

#[tokio::test]
async fn a_dissenter_should_be_found_by_values_and_lose_exactly_its_security() -> Result<()> {
	let setup = Setup::of(&["alice", "bob", "charlie", "dave", "eve"])
		.cheating("eve", "garbage")
		.paying("//Payer")
		.paying("//Maker");
	Devnet::run_setup(setup, async |devnet| {
		let devnet = &*devnet;
		let node = devnet.node("alice");
		let payer = Account::connect(node, "//Payer").await?;
		// The least that a maker may state; a calibration finds two thirds at most.
		register(devnet, "//Maker", &[traced(Perbill::from_percent(50))?]).await?;
		// As many as the quorum has jobs: the cheat gets one of them.
		let hosts: [(&str, &[ModelId]); 3] = [("alice", &[MODEL]), ("bob", &[MODEL]), ("eve", &[MODEL])];
		tokio::try_join!(host(devnet, &hosts), calibrated(devnet, &payer))?;

		let honest = bonds(&payer, &HONEST_NODES).await?;
		let (cheat, total) = (node_info(&payer, "eve").await?, payer.total().await?);
		let first = node.best_block().await?;
		let scene = Scene::prepare(devnet, node)?;
		scene.refuses_what_cannot_be().await?;
		ensure!(payer.total().await? == total, "what is refused takes nothing");

		let result = scene.infer().await?;
		let jobs = ids(&result)?;
		let dissenting = who(&result, "dissents")?;
		ensure!(
			jobs.len() == 3 && dissenting.len() == 1 && who(&result, "agrees")?.len() == 2,
			"two of three agree: {result}"
		);
		let dissenter = dissenting[0];
		let info = payer.client.job(dissenter).await?.context("the job is on record")?;
		ensure!(info.executor == Some(cheat.id), "it is the cheat's: {info:?}\n{result}");
		let entry = member(&result, dissenter)?;
		ensure!(
			amount(&entry["audit"]["bond"])? == 2 * PRICE,
			"its audit was asked for: {entry}"
		);

		// What the payer has is the output of an honest node.
		let bytes = fs::read(&scene.output)?;
		let chosen = result["job"].as_u64().context("the result names a job")?;
		ensure!(chosen != dissenter, "the majority's output: {result}");
		let info = payer.client.job(chosen).await?.context("the job is on record")?;
		ensure!(
			info.output == Some(BlobRef::of(&bytes)),
			"it is what is on chain: {info:?}"
		);
		ensure!(!tensors::parse(&bytes)?.is_empty(), "it holds tensors");

		let kept = all_ended(node, &payer, &jobs, dissenter, cheat.id).await?;
		let after = node_info(&payer, "eve").await?;
		ensure!(
			cheat.bond - after.bond == SECURITY_FACTOR * PRICE && after.slashed == SECURITY_FACTOR * PRICE,
			"it lost S, and no more: {after:?}"
		);
		let history = history(node, first).await?;
		ensure!(
			history.iter().any(|event| matches!(
				event,
				Happened::Rejected(job, of, to, _) if *job == dissenter && *of == cheat.id && *to == payer.id()
			)),
			"the event says so: {history:?}"
		);
		ensure_unharmed(&payer, &history, &honest, &[]).await?;
		let fees = fees(node, first, &payer.id()).await?;
		payer
			.wait_for_total("the payer to have paid for two jobs alone", total - fees - kept)
			.await
	})
	.await
}

/// The maker measures the model, and two operators reproduce what it registered, each with the wallet and at its own node:
/// no jury may slash before.
async fn calibrated(devnet: &Devnet, payer: &Account) -> Result<()> {
	let folder = devnet.scratch().join("calibration");
	fs::create_dir(&folder)?;
	for index in 0..CASES {
		let file = folder.join(format!("{index}.safetensors"));
		fs::write(file, input(20.0 + index as f32)?)?;
	}
	let folder = folder.to_str().context("UTF-8")?;
	let library = binaries::onnxruntime()?;
	let library = library.to_str().context("UTF-8")?;
	let model = MODEL.to_string();
	let measure = async |name: &str, key: &str, command: &str| -> Result<Value> {
		let wallet = Wallet::new(devnet.node(name), key);
		let inputs = ["--inputs", folder, "--onnxruntime", library];
		let report = wallet
			.run(&[&["model", command, &model][..], &inputs[..]].concat())
			.await?;
		ensure!(
			report["inputs"] == CASES && report["accepted"] == true && report["int8Copy"].is_object(),
			"the terms hold, and a copy was tried: {report}"
		);
		Ok(report)
	};
	let [first, second] = CONFIRMING;
	let (first_key, second_key) = (key_of(first), key_of(second));
	let (_, first, second) = tokio::try_join!(
		measure("alice", "//Maker", "calibrate"),
		measure(first, &first_key, "confirm-calibration"),
		measure(second, &second_key, "confirm-calibration"),
	)?;
	for report in [first, second] {
		ensure!(
			report["model"] == MODEL && report["version"] == 1 && report["accusations"] == 0,
			"it is reproduced: {report}"
		);
	}
	let wanted = [operator(CONFIRMING[0])?, operator(CONFIRMING[1])?];
	until("both confirmations", SOON, || async {
		let calibration = payer.client.calibration(MODEL, 1).await?;
		let all = wanted
			.iter()
			.all(|operator| calibration.reproduced_by.contains(operator));
		Ok((all && calibration.slashes).then_some(()))
	})
	.await
}

/// A payer with a file, and a place for its output.
struct Scene {
	wallet: Wallet,
	input: String,
	output: String,
}

impl Scene {
	fn prepare(devnet: &Devnet, node: &Node) -> Result<Self> {
		let path = |name: &str| -> Result<String> {
			let path = devnet.scratch().join(name);
			Ok(path.to_str().context("UTF-8")?.to_string())
		};
		let scene = Self {
			wallet: Wallet::new(node, "//Payer"),
			input: path("in.safetensors")?,
			output: path("out.safetensors")?,
		};
		fs::write(&scene.input, input(11.0)?)?;
		Ok(scene)
	}

	fn words<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
		let words = ["infer", "0", "--input", &self.input, "--output", &self.output];
		[&words[..], more].concat()
	}

	/// More nodes than there are, and bonds that nobody can be asked about.
	async fn refuses_what_cannot_be(&self) -> Result<()> {
		let large = self.wallet.fails(&self.words(&["--quorum", "4"])).await?;
		ensure!(
			large.code == 4 && large.message.contains("a quorum of 4") && large.message.contains("3 that serve"),
			"too few nodes: {large:?}"
		);
		let silent = self
			.wallet
			.fails(&self.words(&["--quorum", "3", "--audit-dissent"]))
			.await?;
		ensure!(
			silent.code == 2 && silent.message.contains("--yes"),
			"nobody is there to be asked: {silent:?}"
		);
		Ok(())
	}

	/// Runs the file on a quorum of three, for what its quote says.
	async fn infer(&self) -> Result<Value> {
		let quote = ["quote", "0", "--input", &self.input, "--quorum", "3"];
		let quote = self.wallet.run(&quote).await?;
		ensure!(
			quote["quorum"] == 3 && quote["executors"] == 3,
			"three nodes could do it: {quote}"
		);
		let words = self.words(&["--quorum", "3", "--audit-dissent", "--yes"]);
		let answer = self.wallet.run(&words).await?;
		let result = answer["results"][0].clone();
		// Nothing moves the price before the first jobs.
		ensure!(
			amount(&result["price"])? == amount(&quote["price"])?,
			"it costs what was quoted: {result}, {quote}"
		);
		Ok(result)
	}
}

fn members(result: &Value) -> Result<&Vec<Value>> {
	result["quorum"]
		.as_array()
		.with_context(|| format!("a quorum has members: {result}"))
}

fn ids(result: &Value) -> Result<Vec<JobId>> {
	members(result)?
		.iter()
		.map(|member| member["job"].as_u64().context("a member has a job"))
		.collect()
}

/// The jobs with this stance.
fn who(result: &Value, stance: &str) -> Result<Vec<JobId>> {
	let found = members(result)?.iter().filter(|member| member["stance"] == stance);
	Ok(found.filter_map(|member| member["job"].as_u64()).collect())
}

fn member(result: &Value, job: JobId) -> Result<&Value> {
	members(result)?
		.iter()
		.find(|member| member["job"] == job)
		.with_context(|| format!("job {job} is of the quorum: {result}"))
}

/// Waits until all jobs of the quorum are over, as they must be, and returns what the payer paid for them in the end.
async fn all_ended(node: &Node, payer: &Account, jobs: &[JobId], dissenter: JobId, cheat: NodeId) -> Result<Balance> {
	let quorum = Quorum {
		first: jobs[0],
		size: jobs.len() as u8,
	};
	ensure!(
		quorum.jobs().eq(jobs.iter().copied()),
		"ids follow one another: {jobs:?}"
	);
	let (mut executors, mut kept) = (BTreeSet::new(), 0);
	for job in jobs {
		let info = ended(payer, *job).await?;
		let expected = match *job == dissenter {
			true => JobPhase::Rejected,
			false => JobPhase::Settled,
		};
		ensure!(
			info.phase == expected && info.quorum == Some(quorum),
			"job {job} ends as {expected:?}: {info:?}"
		);
		executors.extend(info.executor);
		let bill = payer.client.bill(*job).await?.context("the job has a bill")?;
		let paid: Balance = bill.lines.iter().map(|line| line.amount).sum();
		ensure!(
			paid + bill.refunded == bill.price && (bill.refunded == bill.price) == (*job == dissenter),
			"lines and refund sum to the price: {bill:?}"
		);
		let stored = bill.lines.iter().any(|line| line.role == Role::Storage);
		ensure!(
			stored == (*job == quorum.first && *job != dissenter),
			"storage is paid with the first job: {bill:?}"
		);
		kept += paid;
	}
	ensure!(
		executors.len() == jobs.len(),
		"all of different operators: {executors:?}"
	);
	let judged = audit(node, dissenter).await?.context("it was audited")?;
	ensure!(
		judged.verdict == Some(Verdict::Rejected)
			&& judged.slashes == [(cheat, SECURITY_FACTOR * PRICE)]
			&& matches!(judged.reason, AuditReason::Forced | AuditReason::Drawn),
		"nobody but the cheat is slashed, by S: {judged:?}"
	);
	Ok(kept)
}

/// What an account paid for transactions in the blocks from `first` on.
async fn fees(node: &Node, first: u64, account: &AccountId32) -> Result<Balance> {
	let account: &[u8; 32] = account.as_ref();
	let chain = OnlineClient::<PolkadotConfig>::from_insecure_url(node.url()).await?;
	let mut fees = 0;
	for block in first..=node.finalized_block().await? {
		let hash: H256 = serde_json::from_value(node.rpc("chain_getBlockHash", json!([block])).await?)?;
		for event in chain.events().at(hash).await?.iter() {
			let event = event?;
			if (event.pallet_name(), event.variant_name()) == ("TransactionPayment", "TransactionFeePaid") {
				// Who, how much, and a tip within it.
				let (who, fee, _) = <([u8; 32], Balance, Balance)>::decode(&mut event.field_bytes())?;
				fees += if who == *account { fee } else { 0 };
			}
		}
	}
	Ok(fees)
}
