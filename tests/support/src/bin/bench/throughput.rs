//! As many jobs as the chain takes.

use crate::{
	chain::Ledger,
	figures::{figure, Figure, Goal},
	inputs::Input,
	market::Market,
	native::Bare,
	payer::Payer,
};
use anyhow::{ensure, Context, Result};
use futures::{
	future::{join_all, try_join_all},
	stream, StreamExt,
};
use highway_primitives::{JobId, NodeId};
use highway_wallet::client::Client;
use serde_json::json;
use std::{
	collections::{BTreeMap, HashMap},
	sync::atomic::{AtomicU64, Ordering},
	time::Duration,
};
use tokio::time::{sleep, Instant};

/// More jobs a second than two cores can do: what is prepared must last.
const PREPARED_PER_SECOND: u64 = 250;

/// Inputs that bare ONNX Runtime is timed with, before and after the load.
const BARE_RUNS: usize = 600;

/// Jobs that a payer sends at once.
const CHUNK: usize = 16;

/// How often the senders learn how many more jobs fit.
const LOOK: Duration = Duration::from_millis(200);

/// How long jobs may take, after the load, until their attestation is finalized.
const FINAL_WITHIN: Duration = Duration::from_secs(45);

/// Outputs that are fetched at the same time.
const FETCHES: usize = 16;

/// Blocks to the attestation above which a job is worth a line of explanation.
const SLOW: u32 = 6;

/// The fewest jobs of an attestation that counts as a batch.
const BATCH: usize = 6;

/// A job to be sent.
struct Prepared {
	input: Input,
	transaction: String,
}

/// Loads the network and reads from the blocks what came of it.
pub async fn measure(market: &mut Market, load: Duration, explain: bool) -> Result<Vec<Figure>> {
	eprintln!("preparing the load …");
	let first_nonces: Vec<_> = market.payers.iter().map(Payer::next_nonce).collect();
	let prepared = prepare(market, load)?;
	let sample: Vec<Input> = prepared
		.iter()
		.flatten()
		.take(BARE_RUNS)
		.map(|job| job.input.clone())
		.collect();
	let mut bare = Bare::load()?;
	let before = bare.rate(&sample, &*market.recipe, &market.info.spec)?;

	eprintln!("{} s of load …", load.as_secs());
	let limit = AtomicU64::new(0);
	let end = Instant::now() + load;
	let senders = join_all(
		market
			.payers
			.iter()
			.zip(&prepared)
			.map(|(payer, jobs)| send(payer, jobs, &limit, end)),
	);
	let counts = tokio::select! {
		counts = senders => counts.into_iter().collect::<Result<Vec<_>>>()?,
		error = admit(market, &first_nonces, &limit) => return Err(error),
	};
	for ((payer, first), count) in market.payers.iter_mut().zip(first_nonces).zip(&counts) {
		payer.rewind(first + *count as u64);
	}
	let jobs: HashMap<&str, &str> = prepared
		.iter()
		.zip(&counts)
		.flat_map(|(jobs, count)| &jobs[..*count])
		.map(|job| (job.transaction.as_str(), job.input.label))
		.collect();
	eprintln!("{} jobs sent; waiting until they are final …", jobs.len());
	let sent: Vec<String> = jobs.keys().map(|transaction| transaction.to_string()).collect();
	let found = market.ledger.wait_for(&sent, FINAL_WITHIN).await?;
	let attested: Vec<(JobId, &str)> = sent
		.iter()
		.zip(found)
		.filter_map(|(transaction, job)| Some((job?, jobs[transaction.as_str()])))
		.collect();
	ensure!(!attested.is_empty(), "no job was attested");

	eprintln!("checking {} outputs …", attested.len());
	let after = bare.rate(&sample, &*market.recipe, &market.info.spec)?;
	let correct = correct(market, &attested).await;
	let bare_rate = (before + after) / 2.0;
	if explain {
		show(&market.ledger, &attested, &sent, correct.len(), (before, after));
	}
	let rate = rate(&market.ledger, &correct)?;
	let ids: Vec<JobId> = attested.iter().map(|(job, _)| *job).collect();
	let mut figures = vec![
		figure(
			"throughput_ratio",
			rate / bare_rate,
			"of bare ONNX Runtime",
			Goal::AtLeast(0.5),
		),
		figure("throughput", rate, "correct final jobs/s", Goal::None),
		figure("bare_onnx_runtime", bare_rate, "jobs/s on one core", Goal::None),
		figure(
			"slowest_under_load",
			f64::from(slowest(&market.ledger, &ids)),
			"blocks to attestation",
			Goal::None,
		),
		figure(
			"wrong_outputs",
			(attested.len() - correct.len()) as f64,
			"jobs",
			Goal::AtMost(0.0),
		),
		figure(
			"jobs_never_attested",
			(sent.len() - attested.len()) as f64,
			"jobs",
			Goal::AtMost(0.0),
		),
	];
	let bytes = market.ledger.average_bytes(&ids, |batch| batch >= BATCH);
	let bytes = bytes.context("no six jobs were attested together")?;
	figures.push(figure(
		"bytes_attested_in_batch",
		bytes,
		"bytes on chain per job",
		Goal::AtMost(250.0),
	));
	Ok(figures)
}

/// Inputs and signed transactions for each payer, made beforehand: a payer's own work is not the network's.
fn prepare(market: &mut Market, load: Duration) -> Result<Vec<Vec<Prepared>>> {
	let payers = market.payers.len();
	let each = (load.as_secs() * PREPARED_PER_SECOND) as usize / payers;
	let mut inputs = Vec::new();
	{
		let mut made = market.inputs("throughput")?;
		// The latency's jobs had the first numbers: those inputs are in the nodes' stores already.
		made.skip(10_000);
		for _ in 0..payers {
			inputs.push(made.take(each)?);
		}
	}
	let (model, max_price) = (market.model, market.max_price);
	market
		.payers
		.iter_mut()
		.zip(inputs)
		.map(|(payer, inputs)| {
			inputs
				.into_iter()
				.map(|input| {
					let transaction = payer.sign(model, &input.bytes, max_price)?;
					Ok(Prepared { input, transaction })
				})
				.collect()
		})
		.collect()
}

/// Sends jobs until `end`, never more in all than `limit`; returns how many.
async fn send(payer: &Payer, jobs: &[Prepared], limit: &AtomicU64, end: Instant) -> Result<usize> {
	let mut sent = 0;
	while Instant::now() < end && sent < jobs.len() {
		let room = limit.load(Ordering::Relaxed).saturating_sub(sent as u64) as usize;
		if room == 0 {
			sleep(Duration::from_millis(20)).await;
			continue;
		}
		let chunk = &jobs[sent..jobs.len().min(sent + room.min(CHUNK))];
		try_join_all(chunk.iter().map(|job| payer.put(&job.input.bytes))).await?;
		try_join_all(chunk.iter().map(|job| payer.send(&job.transaction))).await?;
		sent += chunk.len();
	}
	Ok(sent)
}

/// Says how many jobs each payer may have sent: those in blocks, and as many more as the nodes have free slots for.
/// Jobs beyond that would be refused for lack of capacity. Never returns but with an error.
async fn admit(market: &Market, first_nonces: &[u64], limit: &AtomicU64) -> anyhow::Error {
	let look = || async {
		let nodes = market.payers[0].client.nodes().await?;
		let free: i64 = nodes
			.iter()
			.map(|node| i64::from(node.slots) - i64::from(node.assigned))
			.sum();
		let nonces = try_join_all(market.payers.iter().map(Payer::nonce_in_best_block)).await?;
		let included: u64 = nonces
			.iter()
			.zip(first_nonces)
			.map(|(nonce, first)| nonce.saturating_sub(*first))
			.sum();
		anyhow::Ok((included + u64::try_from(free).unwrap_or(0)) / market.payers.len() as u64)
	};
	loop {
		match look().await {
			Ok(each) => limit.store(each, Ordering::Relaxed),
			Err(error) => return error,
		}
		sleep(LOOK).await;
	}
}

/// The jobs whose output says what the file is. Outputs come from the executors' own stores.
async fn correct(market: &Market, attested: &[(JobId, &str)]) -> Vec<JobId> {
	let checks = attested.iter().map(|(job, label)| async move {
		match check(&market.nodes, market, *job, label).await {
			Ok(()) => Some(*job),
			Err(error) => {
				let submitted = market
					.ledger
					.submissions
					.get(job)
					.map_or(0, |submission| submission.block);
				let (attested, node) = market
					.ledger
					.attestations
					.get(job)
					.map_or((0, 0), |found| (found.block, found.node));
				eprintln!(
					"job {job}, submitted in block {submitted}, attested in {attested} by node {node}, does not count: {error:#}"
				);
				None
			}
		}
	});
	stream::iter(checks)
		.buffer_unordered(FETCHES)
		.filter_map(|job| async move { job })
		.collect()
		.await
}

async fn check(nodes: &BTreeMap<NodeId, Client>, market: &Market, job: JobId, label: &str) -> Result<()> {
	let attestation = market.ledger.attestations.get(&job).context("it was attested")?;
	let client = nodes.get(&attestation.node).context("its node is one of ours")?;
	let output = attestation.output;
	let params = vec![json!(output.hash), json!(0), json!(output.size), json!(job)];
	let bytes: String = client.request("blob_get", params).await?;
	let bytes = hex::decode(bytes.trim_start_matches("0x"))?;
	ensure!(
		highway_primitives::BlobRef::of(&bytes) == output,
		"its output is not what the chain names"
	);
	let found = market.recipe.answer(&bytes, &market.info.spec)?.label;
	ensure!(found == label, "it says that a {label} file is {found}");
	Ok(())
}

/// Jobs per second of the chain's own time while the load lasted: those attested after the block of the first
/// attestation, up to the block of the last submission.
fn rate(ledger: &Ledger, jobs: &[JobId]) -> Result<f64> {
	let attested = || jobs.iter().filter_map(|job| Some(ledger.attestations.get(job)?.block));
	let first = attested().min().context("no job came out right")?;
	let last = jobs
		.iter()
		.filter_map(|job| Some(ledger.submissions.get(job)?.block))
		.max();
	let last = last.context("no job came out right")?;
	let time = |block| ledger.blocks.get(&block).map_or(0, |block| block.time);
	ensure!(
		last > first,
		"the last job was submitted before the first was attested: load the network for longer"
	);
	let counted = attested().filter(|block| (first + 1..=last).contains(block)).count();
	Ok(counted as f64 * 1000.0 / (time(last) - time(first)) as f64)
}

/// The most blocks that any of `jobs` waited for its attestation.
fn slowest(ledger: &Ledger, jobs: &[JobId]) -> u32 {
	let waits = jobs
		.iter()
		.filter_map(|job| Some(ledger.attestations.get(job)?.block - ledger.submissions.get(job)?.block));
	waits.max().unwrap_or(0)
}

fn show(ledger: &Ledger, attested: &[(JobId, &str)], sent: &[String], correct: usize, bare: (f64, f64)) {
	let records = attested
		.iter()
		.filter_map(|(job, _)| Some((ledger.submissions.get(job)?.block, ledger.attestations.get(job)?)));
	let (mut first, mut last, mut waited, mut batches) = (u32::MAX, 0, 0, BTreeMap::new());
	for (submitted, attestation) in records {
		first = first.min(submitted);
		last = last.max(attestation.block);
		waited += attestation.block - submitted;
		*batches
			.entry((attestation.block, attestation.node, attestation.bytes))
			.or_insert(0) = attestation.batch;
	}
	eprintln!(
		"sent {}, attested {}, correct {correct}; bare before {:.1}/s, after {:.1}/s",
		sent.len(),
		attested.len(),
		bare.0,
		bare.1
	);
	eprintln!(
		"blocks from submission to attestation: {:.2} on average; jobs per attestation: {:.1}",
		f64::from(waited) / attested.len() as f64,
		attested.len() as f64 / batches.len().max(1) as f64
	);
	eprintln!("block   ms since the one before   submitted   attested   failed");
	let mut before = None;
	for (number, block) in ledger.blocks.range(first..=last) {
		let elapsed = before.map_or(0, |before| block.time - before);
		eprintln!(
			"{number:5}   {elapsed:23}   {:9}   {:8}   {:6}",
			block.submitted, block.attested, block.failed
		);
		before = Some(block.time);
	}
	for (block, job, trouble) in &ledger.troubles {
		eprintln!("block {block}: {trouble} of job {job}");
	}
	for (job, _) in attested.iter().filter(|(job, _)| slowest(ledger, &[*job]) > SLOW) {
		eprintln!(
			"job {job} waited long: {:?}, {:?}",
			ledger.submissions[job], ledger.attestations[job]
		);
	}
	let mut refused = 0;
	for transaction in sent {
		match ledger.jobs.get(transaction) {
			None => refused += 1,
			Some(job) if !ledger.attestations.contains_key(job) => {
				eprintln!("job {job} is not attested: {:?}", ledger.submissions[job]);
			}
			Some(_) => {}
		}
	}
	eprintln!("{refused} transactions failed for lack of free slots, or are in no finalized block");
}
