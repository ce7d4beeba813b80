//! Honest nodes do not run models alike: each has another level of optimisation or number of threads, and the batches in which
//! jobs happen to run differ, too. They audit one another, and agree.
//!
//! Jobs of Magika come in bursts, until a node has given out what it computed for several of them in one run.

use super::scene::{
	attested, audit, bonds, confirm_calibrations, ended, ensure_unharmed, forced, history, host, jobs_of,
};
use anyhow::{bail, ensure, Context, Result};
use futures::future::try_join_all;
use highway_e2e_tests::{floats, integers, put_blob, Account};
use highway_offchain_worker::tensors::{serialize, Tensor};
use highway_primitives::{
	audit::Verdict,
	model::{DType, ModelId},
	JobId, JobPhase, NodeId,
};
use highway_test_support::{binaries, market, Devnet, Node, Setup, Wallet};
use highway_wallet::client::calls;
use std::fs;

const MAGIKA: ModelId = 0;
const SILERO: ModelId = 1;

/// Names, and how their nodes run models.
const NODES: [(&str, &[&str]); 5] = [
	("alice", &[]),
	("bob", &["--inference-optimization", "none"]),
	(
		"charlie",
		&["--inference-optimization", "basic", "--inference-threads", "2"],
	),
	("dave", &["--inference-optimization", "extended"]),
	("eve", &["--inference-threads", "3"]),
];

/// Jobs of Silero VAD, whose runs cannot be shared.
const JOBS: usize = 12;

/// Jobs of Magika in one transaction, so that nodes have several of them at a time and run them together.
const BURST: usize = 15;

/// Bursts, until one node has done so in two of them: the first shared run of a model is only held against runs one by one.
const MOST_BURSTS: usize = 6;

/// What a node's log says when it runs jobs one by one all the same.
const REFUTED: &str = "rows change one another in a batch";

/// Bytes that Magika looks at.
const MAGIKA_WIDTH: usize = 2048;

/// Samples of one call of Silero VAD, its context included.
const SAMPLES: usize = 576;

/// What Magika gets of a file: bytes, as integers. Pieces of the node's own binary are as real as any.
fn magika_input(binary: &[u8], index: usize) -> Result<Vec<u8>> {
	let start = index * binary.len() / (BURST * MOST_BURSTS);
	let piece = binary.get(start..start + MAGIKA_WIDTH).context("the binary is large")?;
	let data = piece.iter().flat_map(|byte| i32::from(*byte).to_le_bytes()).collect();
	let tensor = Tensor::new("bytes", DType::I32, vec![1, MAGIKA_WIDTH], data)?;
	Ok(serialize(&[tensor]))
}

/// A piece of a tone, and no state yet.
fn silero_input(index: usize) -> Result<Vec<u8>> {
	let pitch = 0.01 + 0.007 * index as f32;
	let samples: Vec<f32> = (0..SAMPLES).map(|sample| 0.3 * (pitch * sample as f32).sin()).collect();
	Ok(serialize(&[
		floats("input", &[1, SAMPLES], &samples)?,
		integers("sr", &[], &[16_000])?,
		floats("state", &[2, 1, 128], &[0.0; 256])?,
	]))
}

fn payer(index: usize) -> String {
	format!("//Payer//{index}")
}

#[tokio::test]
async fn honest_nodes_should_agree_whatever_their_settings() -> Result<()> {
	let names = NODES.map(|(name, _)| name);
	let mut setup = Setup::of(&names).paying("//Maker").paying("//Burst");
	for (name, extra) in NODES {
		setup = setup.starting(name, extra);
	}
	for index in 0..JOBS {
		setup = setup.paying(&payer(index));
	}
	Devnet::run_setup(setup, async |devnet| {
		let devnet = &*devnet;
		let node = devnet.node("alice");
		let watcher = Account::connect(node, "//Alice").await?;
		let maker = Wallet::new(node, "//Maker");
		for (id, arguments) in [
			(MAGIKA, market::magika_arguments()?),
			(SILERO, market::silero_arguments()?),
		] {
			let added = market::add_model(&maker, &arguments).await?;
			ensure!(added == u64::from(id), "model {id} is {added}");
		}
		host(devnet, &names.map(|name| (name, &[MAGIKA, SILERO][..]))).await?;
		confirm_calibrations(devnet, ["bob", "charlie"], &[MAGIKA, SILERO]).await?;
		let before = bonds(&watcher, &names).await?;
		let first = node.best_block().await?;

		let bursts = Account::connect(node, "//Burst").await?;
		let shared = shared_runs(devnet, &bursts).await?;
		let silero = try_join_all((0..JOBS).map(|index| {
			let watcher = &watcher;
			async move {
				let job = forced(node, &payer(index), SILERO, &silero_input(index)?).await?.job;
				upheld(node, watcher, job).await
			}
		}));
		let magika = async {
			let asked: Vec<_> = shared.iter().map(|job| calls::force_audit(*job)).collect();
			bursts.submit(&asked).await?;
			try_join_all(shared.iter().map(|job| upheld(node, &watcher, *job))).await
		};
		let (mut executors, others) = tokio::try_join!(silero, magika)?;
		executors.extend(others);
		executors.sort_unstable();
		executors.dedup();
		ensure!(executors.len() > 1, "several nodes did them: {executors:?}");
		let history = history(node, first).await?;
		ensure_unharmed(&watcher, &history, &before, &[]).await
	})
	.await
}

/// Another node finds the job right, and nobody loses anything. Returns its executor.
async fn upheld(node: &Node, watcher: &Account, job: JobId) -> Result<NodeId> {
	let info = ended(watcher, job).await?;
	let judged = audit(node, job).await?.context("it was audited")?;
	ensure!(
		info.phase == JobPhase::Settled && judged.verdict == Some(Verdict::Upheld),
		"{info:?}\n{judged:?}"
	);
	ensure!(judged.slashes.is_empty(), "nobody lied: {judged:?}");
	ensure!(
		judged.seats.iter().all(|seat| seat.node != judged.executor),
		"another node judged it, with other settings: {judged:?}"
	);
	Ok(judged.executor)
}

/// Pays for Magika's jobs, a burst at a time, until a node gave out what it computed for several of them together. Nothing
/// else is run meanwhile. Returns the last burst.
async fn shared_runs(devnet: &Devnet, payer: &Account) -> Result<Vec<JobId>> {
	let node = devnet.node("alice");
	let binary = fs::read(binaries::node()?)?;
	let mut before = wide_runs(devnet).await?;
	for burst in 0..MOST_BURSTS {
		let mut wanted = Vec::with_capacity(BURST);
		for index in burst * BURST..(burst + 1) * BURST {
			let blob = put_blob(node, &magika_input(&binary, index)?).await?;
			let price = payer.client.quote(MAGIKA, blob.size, None).await?.price;
			wanted.push(calls::submit_job(MAGIKA, blob, 2 * price, None, None));
		}
		payer.submit(&wanted).await?;
		let jobs = jobs_of(payer).await?.split_off(burst * BURST);
		ensure!(jobs.len() == BURST, "a burst has {} jobs", jobs.len());
		for job in &jobs {
			attested(payer, *job).await?;
		}
		let now = wide_runs(devnet).await?;
		eprintln!("runs of more than one job, by node: {now:?}");
		let mut proved = 0;
		for ((node, before), now) in devnet.nodes.iter().zip(&before).zip(&now) {
			// Whoever finds that rows change one another has compared runs and gives out those of one: as honest as the others.
			let refuted = fs::read_to_string(node.log())?.contains(REFUTED);
			eprintln!("{} runs jobs one by one: {refuted}", node.name());
			proved += usize::from(!refuted && *before > 0.0 && now > before);
		}
		if proved > 0 {
			return Ok(jobs);
		}
		before = now;
	}
	bail!("no node ran several of {BURST} jobs together in two bursts: {before:?}")
}

/// How many runs of more than one job each node began.
async fn wide_runs(devnet: &Devnet) -> Result<Vec<f64>> {
	try_join_all(devnet.nodes.iter().map(|node| async move {
		let all = node.metric("highway_batch_size_count", &[]).await?;
		let of_one = node.metric("highway_batch_size_bucket", &["le=\"1\""]).await?;
		anyhow::Ok(all - of_one)
	}))
	.await
}
