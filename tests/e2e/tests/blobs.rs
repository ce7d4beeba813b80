//! Inputs that nobody has, a node whose disk holds other bytes than it should, and a peer that lies.

#[path = "lying_peer/mod.rs"]
mod lying_peer;

use crate::audits::scene::{history, Happened};
use anyhow::{ensure, Context, Result};
use codec::Encode;
use highway_e2e_tests::{
	amount, billed_in_all, billed_to, get_blob, identity_input, key, put_blob, Account, Submitted,
};
use highway_offchain_worker::tensors::parse;
use highway_primitives::{worker, BlobRef, DeviceClass, FailureClass, JobId, NodeId, Role, AIC};
use highway_test_support::{hostile_models, market, offer, until, Devnet, Seller, Wallet};
use highway_wallet::client::calls::{self, NodeDescription};
use lying_peer::LyingPeer;
use serde_json::json;
use sp_core::{Pair, H256};
use std::{
	fs::{self, OpenOptions},
	os::unix::fs::FileExt,
	time::Duration,
};

/// Changes one byte in the last quarter of a node's copy of a blob.
fn spoil(devnet: &Devnet, node: &str, blob: &BlobRef) -> Result<()> {
	let path = devnet.node(node).blob_file(&hex::encode(blob.hash), blob.size)?;
	let file = OpenOptions::new()
		.read(true)
		.write(true)
		.open(&path)
		.with_context(|| path.display().to_string())?;
	let (mut byte, at) = ([0], blob.size / 4 * 3);
	file.read_exact_at(&mut byte, at)?;
	file.write_all_at(&[!byte[0]], at)?;
	Ok(())
}

#[tokio::test]
async fn only_the_right_bytes_should_be_run_when_blobs_are_missing_or_spoilt() -> Result<()> {
	Devnet::run(async |devnet| {
		let maker = Wallet::new(devnet.node("alice"), "//Dave");
		let mut models = Vec::new();
		for name in ["by-two", "by-one"] {
			let file = devnet.scratch().join(format!("{name}.onnx"));
			fs::write(&file, hostile_models::commented(&hostile_models::identity(), name))?;
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
			];
			models.push(market::add_model(&maker, &words.map(str::to_owned)).await?);
		}
		let [by_two, by_one] = models[..] else {
			anyhow::bail!("there are two models")
		};
		// The job names Alice's node as the one that has the input: others must know how to reach it.
		let alice = Wallet::new(devnet.node("alice"), "//Alice");
		// Nobody asks for storage: pay for that comes when it is proved, and the pay for jobs is to be seen.
		let sellers = [
			Seller::new(devnet.node("bob"), "//Bob")
				.computing(by_two, AIC)
				.computing(by_one, AIC),
			Seller::new(devnet.node("charlie"), "//Charlie").computing(by_two, AIC),
		];
		tokio::try_join!(offer(&sellers), async {
			alice.run(&["node", "update"]).await.map(drop)
		})?;
		let payer = Wallet::new(devnet.node("bob"), "//Eve");
		market::wait_for_executors(&payer, by_two, 2).await?;
		market::wait_for_executors(&payer, by_one, 1).await?;

		missing_input_should_fail(devnet, &payer, by_two).await?;
		spoilt_copy_should_not_be_served(devnet, &payer, by_two).await?;
		another_copy_should_be_used(devnet, &payer, by_one).await?;
		lies_should_be_found_out(devnet, &payer, by_one, by_two).await
	})
	.await
}

/// Jobs on an input that cannot be had, until two nodes have said so in time. It is sought until six seconds are left: a machine
/// that is busy with other networks makes some reports late, and not those of six jobs in a row.
const TRIES: usize = 6;

/// Two nodes say that the input is missing. Where one of them was too slow for its deadline, another job is paid for.
async fn job_should_fail(
	devnet: &Devnet,
	payer: &Wallet,
	model: u64,
	input: BlobRef,
	gateway: Option<NodeId>,
) -> Result<()> {
	let node = devnet.node("alice");
	let first = node.best_block().await?;
	let mut failed = None;
	for _ in 0..TRIES {
		failed = impossible_job(devnet, payer, model, input, gateway).await?;
		if failed.is_some() {
			break;
		}
	}
	let job = failed.with_context(|| format!("of {TRIES} jobs, two nodes found none impossible"))?;
	let why = history(node, first).await?.into_iter().find_map(|event| match event {
		Happened::Failed(of, class) if of == job => Some(class),
		_ => None,
	});
	ensure!(why == Some(FailureClass::InputMissing), "the input is why: {why:?}");
	Ok(())
}

/// Pays for a job that nobody can do, and returns it if two nodes said so: they share a fifth of the compute line, and the payer has
/// the rest back. `None` if one of them was too slow: then everything goes back.
async fn impossible_job(
	devnet: &Devnet,
	payer: &Wallet,
	model: u64,
	input: BlobRef,
	gateway: Option<NodeId>,
) -> Result<Option<JobId>> {
	let account = Account::connect(devnet.node("alice"), "//Eve").await?;
	let operators = [
		Account::connect(devnet.node("bob"), "//Bob").await?,
		Account::connect(devnet.node("bob"), "//Charlie").await?,
	];
	let mut earned = [operators[0].claimable().await?, operators[1].claimable().await?];

	let before = account.total().await?;
	let Submitted { job, block, .. } = account.submit_job(model, input, gateway).await?;
	let paid = account.paid_in(&block).await?;
	let foreseen = until("what the job will pay", Duration::from_secs(30), || async {
		Ok(account.client.bill(job).await?)
	})
	.await?;
	let price = foreseen.price;
	let mut lines = foreseen.lines.iter();
	let compute = lines
		.find(|line| line.role == Role::Compute)
		.context("a bill has a compute line")?
		.amount;
	let id = job.to_string();
	let ended = until("the end of the job", Duration::from_secs(120), || async {
		let shown = payer.run(&["job", "show", &id]).await?;
		let over = matches!(shown["phase"].as_str(), Some("Failed" | "Refunded"));
		Ok(over.then_some(shown))
	})
	.await?;
	ensure!(
		ended["tried"].as_array().is_some_and(|tried| tried.len() == 2),
		"two nodes tried: {ended}"
	);
	let found_impossible = ended["phase"] == "Failed";
	let each = if found_impossible { compute / 5 / 2 } else { 0 };
	let kept = 2 * each;
	let bill = payer.run(&["bill", &job.to_string()]).await?;
	ensure!(
		amount(&bill["price"])? == price,
		"the price stays what was agreed: {bill}"
	);
	ensure!(
		billed_in_all(&bill)? == price,
		"lines and refund sum to the price: {bill}"
	);
	let refunded = amount(&bill["refunded"])?;
	ensure!(refunded == price - kept, "{kept} of {compute} stays: {bill}");
	account.wait_for_total("the refund", before - paid + refunded).await?;
	for (operator, before) in operators.iter().zip(&mut earned) {
		let share = operator.claimable().await? - *before;
		ensure!(share == each, "a reporter has half of {kept}, not {share}");
		ensure!(
			billed_to(&bill, Some(&operator.address()))? == share,
			"the bill says so: {bill}"
		);
	}
	Ok(found_impossible.then_some(job))
}

async fn missing_input_should_fail(devnet: &Devnet, payer: &Wallet, model: u64) -> Result<()> {
	let input = BlobRef::of(&identity_input(-1.0, 4)?);
	job_should_fail(devnet, payer, model, input, Some(0)).await
}

/// The only copy is spoilt: its node does not serve it, nobody runs it.
async fn spoilt_copy_should_not_be_served(devnet: &Devnet, payer: &Wallet, model: u64) -> Result<()> {
	let input = put_blob(devnet.node("alice"), &identity_input(100.0, 4)?).await?;
	spoil(devnet, "alice", &input)?;
	job_should_fail(devnet, payer, model, input, Some(0)).await?;
	let refused = devnet
		.node("alice")
		.metric("highway_blobs_requests_total", &["result=\"not_found\""])
		.await?;
	ensure!(
		refused >= 2.0,
		"both executors asked the node with the spoilt copy: {refused}"
	);
	Ok(())
}

/// What those who have Bob's inputs sent to others, as their metrics say: parts of a spoilt copy that are right count, too.
async fn served_bytes(devnet: &Devnet) -> Result<f64> {
	let served = |node| devnet.node(node).metric("highway_blobs_served_bytes_total", &[]);
	Ok(served("alice").await? + served("charlie").await?)
}

/// Whatever the node with the spoilt copy serves, the job runs on the right bytes: another node has them.
async fn another_copy_should_be_used(devnet: &Devnet, payer: &Wallet, model: u64) -> Result<()> {
	let bytes = identity_input(7.0, 128 * 1024)?;
	let input = put_blob(devnet.node("alice"), &bytes).await?;
	spoil(devnet, "alice", &input)?;
	put_blob(devnet.node("charlie"), &bytes).await?;
	let before = served_bytes(devnet).await?;
	let account = Account::connect(devnet.node("alice"), "//Eve").await?;
	let job = account.submit_job(model, input, Some(0)).await?.job;
	// Settled, not only attested: what comes next looks at earnings.
	let settled = market::wait_for_phase(payer, job, "Settled").await?;
	ensure!(settled["executor"] == 1, "Bob is the only host: {settled}");
	let served = served_bytes(devnet).await? - before;
	ensure!(
		served >= input.size as f64,
		"Bob had {} bytes of the others, whose metrics show {served}",
		input.size
	);
	let output = parse(&get_blob(devnet.node("bob"), &settled["output"], job).await?)?;
	ensure!(
		output[0].data == parse(&bytes)?[0].data,
		"the output was made from the right bytes"
	);
	Ok(())
}

/// A registered node that serves wrong bytes: what it sends is thrown away, and the right ones are had elsewhere or not
/// at all.
async fn lies_should_be_found_out(devnet: &Devnet, payer: &Wallet, by_one: u64, by_two: u64) -> Result<()> {
	let genesis = devnet.node("alice").rpc("chain_getBlockHash", json!([0])).await?;
	let genesis = genesis.as_str().context("a hash is text")?.parse::<H256>()?;
	let liar = LyingPeer::start(genesis, &devnet.scratch().join("liar"))?;
	let gateway = register(devnet, &liar, genesis).await?;
	let account = Account::connect(devnet.node("alice"), "//Eve").await?;
	let bob_was_lied_to = || devnet.node("bob").metric("highway_blobs_lies_total", &[]);

	// Once Bob was lied to, the right bytes come to Charlie: Bob asks the gateway first, then his peers.
	let before = bob_was_lied_to().await?;
	let bytes = identity_input(13.0, 128 * 1024)?;
	let input = liar.put(&bytes)?;
	let job = account.submit_job(by_one, input, Some(gateway)).await?.job;
	until("Bob to find a lie", Duration::from_secs(30), || async {
		Ok((bob_was_lied_to().await? > before).then_some(()))
	})
	.await?;
	put_blob(devnet.node("charlie"), &bytes).await?;
	// Settled, not only attested: what comes next looks at earnings.
	let settled = market::wait_for_phase(payer, job, "Settled").await?;
	let output = parse(&get_blob(devnet.node("bob"), &settled["output"], job).await?)?;
	ensure!(
		output[0].data == parse(&bytes)?[0].data,
		"the output was made from the right bytes"
	);

	// Nobody else has them: nobody runs what the liar serves.
	let lies = liar.lies();
	let input = liar.put(&identity_input(14.0, 4)?)?;
	job_should_fail(devnet, payer, by_two, input, Some(gateway)).await?;
	ensure!(liar.lies() > lies, "somebody asked the liar");
	Ok(())
}

/// Makes the liar a node of the chain, of which others learn where it listens.
async fn register(devnet: &Devnet, liar: &LyingPeer, genesis: H256) -> Result<NodeId> {
	let operator = Account::connect(devnet.node("alice"), "//Ferdie").await?;
	let (peer_id, address) = liar.contact().await?;
	let address = address.try_into().ok().context("a short address")?;
	let payload = worker::registration_payload(genesis, &operator.id().encode());
	let worker = key("//Ferdie")?;
	let description = NodeDescription {
		worker: worker.public().into(),
		peer_id: peer_id.try_into().ok().context("a short peer id")?,
		addresses: vec![address].try_into().ok().context("one address")?,
		device: DeviceClass::CpuX86,
		memory_mib: 1,
		region: Default::default(),
	};
	let bond = amount(&"1000".into())?;
	let call = calls::register_node(description, bond, worker.sign(&payload).into());
	let included = operator.submit(&[call]).await?;
	Ok(NodeId::try_from(included.number("NodeStaking", "node")?)?)
}
