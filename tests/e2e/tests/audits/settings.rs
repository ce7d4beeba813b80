//! Honest nodes do not run models alike: each has another level of optimisation or number of threads, and the batches in which
//! jobs happen to run differ, too. They audit one another, and agree.

use super::scene::{audit, bonds, confirm_calibrations, ended, ensure_unharmed, forced, history, host};
use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use highway_e2e_tests::{floats, integers, Account};
use highway_offchain_worker::tensors::{serialize, Tensor};
use highway_primitives::{
	audit::Verdict,
	model::{DType, ModelId},
	JobPhase,
};
use highway_test_support::{binaries, market, Devnet, Setup, Wallet};
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

/// Jobs of each model; all of them at once, so that some share a run.
const JOBS: usize = 12;

/// Bytes that Magika looks at.
const MAGIKA_WIDTH: usize = 2048;

/// Samples of one call of Silero VAD, its context included.
const SAMPLES: usize = 576;

/// What Magika gets of a file: bytes, as integers. Pieces of the node's own binary are as real as any.
fn magika_input(binary: &[u8], index: usize) -> Result<Vec<u8>> {
	let start = index * binary.len() / JOBS;
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
	let mut setup = Setup::of(&names).paying("//Maker");
	for (name, extra) in NODES {
		setup = setup.starting(name, extra);
	}
	for index in 0..2 * JOBS {
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

		let binary = fs::read(binaries::node()?)?;
		let mut executors = try_join_all((0..2 * JOBS).map(|index| {
			let (binary, watcher) = (&binary, &watcher);
			async move {
				let (model, input) = match index.checked_sub(JOBS) {
					None => (MAGIKA, magika_input(binary, index)?),
					Some(index) => (SILERO, silero_input(index)?),
				};
				let job = forced(node, &payer(index), model, &input).await?.job;
				let info = ended(watcher, job).await?;
				let judged = audit(node, job).await?.context("it was audited")?;
				ensure!(
					info.phase == JobPhase::Settled && judged.verdict == Some(Verdict::Upheld),
					"model {model}: {info:?}\n{judged:?}"
				);
				ensure!(judged.slashes.is_empty(), "nobody lied: {judged:?}");
				ensure!(
					judged.seats.iter().all(|seat| seat.node != judged.executor),
					"another node judged it, with other settings: {judged:?}"
				);
				anyhow::Ok(judged.executor)
			}
		}))
		.await?;
		executors.sort_unstable();
		executors.dedup();
		ensure!(executors.len() > 1, "several nodes did them: {executors:?}");
		let history = history(node, first).await?;
		ensure_unharmed(&watcher, &history, &before).await
	})
	.await
}
