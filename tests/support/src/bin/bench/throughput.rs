//! As many jobs as the chain takes.

use crate::{
	chain::Ledger,
	figures::{figure, Figure, Goal},
	inputs::Input,
	market::Market,
	native,
	payer::Payer,
	Work,
};
use anyhow::{ensure, Context, Result};
use futures::{
	future::{join_all, try_join_all},
	stream, StreamExt,
};
use highway_offchain_worker::tensors;
use highway_primitives::JobId;
use highway_test_support::bare::{self, BareMagika};
use serde_json::json;
use std::{
	collections::{BTreeMap, HashMap},
	sync::atomic::{AtomicU64, Ordering},
	time::Duration,
};
use tokio::time::{sleep, Instant};

/// More jobs a second than two cores can do: what is prepared must last.
const PREPARED_PER_SECOND: u64 = 250;

/// Jobs that a payer sends at once.
const CHUNK: usize = 16;

/// How often the senders learn how many more jobs fit.
const LOOK: Duration = Duration::from_millis(200);

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

/// An attested job with what was asked, and what bare ONNX Runtime answers.
struct Done<'a> {
	job: JobId,
	input: &'a Input,
	reference: Vec<u8>,
}

/// More jobs than there can be in a load of this length: what is prepared must last.
pub fn most_jobs(load: Duration) -> usize {
	(load.as_secs() * PREPARED_PER_SECOND) as usize
}

/// Loads the network and reads from the blocks what came of it.
pub async fn measure(market: &mut Market, work: &mut Work, load: Duration, explain: bool) -> Result<Vec<Figure>> {
	eprintln!("preparing the load …");
	let first_nonces: Vec<_> = market.payers.iter().map(Payer::next_nonce).collect();
	let prepared = sign(market, std::mem::take(&mut work.throughput))?;

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
	let jobs: HashMap<&str, &Input> = prepared
		.iter()
		.zip(&counts)
		.flat_map(|(jobs, count)| &jobs[..*count])
		.map(|job| (job.transaction.as_str(), &job.input))
		.collect();
	eprintln!("{} jobs sent; waiting until they are final …", jobs.len());
	let sent: Vec<String> = jobs.keys().map(|transaction| transaction.to_string()).collect();
	let fates = market.ledger.wait_for(&sent, market.final_within).await?;
	market.ledger.tell_of_losses(&fates).await?;
	let attested: Vec<(JobId, &Input)> = sent
		.iter()
		.zip(&fates)
		.filter_map(|(transaction, fate)| Some((fate.attested()?, jobs[transaction.as_str()])))
		.collect();
	ensure!(!attested.is_empty(), "no job was attested");

	eprintln!("checking {} outputs …", attested.len());
	let inputs: Vec<&Input> = attested.iter().map(|(_, input)| *input).collect();
	let (beside_nodes, references) = native::bare(&mut work.magika, &inputs)?;
	let done: Vec<Done> = attested
		.iter()
		.zip(references)
		.map(|((job, input), reference)| Done {
			job: *job,
			input,
			reference,
		})
		.collect();
	let correct = correct(market, &work.magika, &done).await;
	let ids: Vec<JobId> = done.iter().map(|done| done.job).collect();
	if explain {
		show(&market.ledger, &ids, sent.len(), correct.len());
	}
	let rate = rate(&market.ledger, &correct)?;
	let lost = fates.iter().filter(|fate| fate.never_attested().is_some()).count();
	let mut figures = vec![
		figure(
			"throughput_ratio",
			rate / work.idle_rate,
			"of bare ONNX Runtime",
			Goal::AtLeast(0.5),
		),
		figure(
			"throughput_ratio_beside_nodes",
			rate / beside_nodes,
			"of bare ONNX Runtime",
			Goal::None,
		),
		figure("throughput", rate, "correct final jobs/s", Goal::None),
		figure(
			"bare_onnx_runtime",
			work.idle_rate,
			"jobs/s on one core, machine idle",
			Goal::None,
		),
		figure(
			"bare_beside_nodes",
			beside_nodes,
			"jobs/s on one core, after load",
			Goal::None,
		),
		figure(
			"slowest_under_load",
			f64::from(slowest(&market.ledger, &ids)),
			"blocks to attestation",
			Goal::None,
		),
		figure(
			"wrong_outputs",
			(done.len() - correct.len()) as f64,
			"jobs",
			Goal::AtMost(0.0),
		),
		figure("jobs_never_attested", lost as f64, "jobs", Goal::AtMost(0.0)),
		figure(
			"submissions_refused",
			(sent.len() - done.len() - lost) as f64,
			"transactions without a job",
			Goal::AtMost(0.0),
		),
	];
	if let Some(bytes) = market.ledger.average_bytes(&ids, |batch| batch >= BATCH) {
		figures.push(figure(
			"bytes_attested_in_batch",
			bytes,
			"bytes on chain per job",
			Goal::AtMost(250.0),
		));
	} else {
		eprintln!("no {BATCH} jobs were attested together: their bytes on chain are not measured");
	}
	Ok(figures)
}

/// Signed transactions for each payer, made beforehand: a payer's own work is not the network's.
fn sign(market: &mut Market, mut inputs: Vec<Input>) -> Result<Vec<Vec<Prepared>>> {
	let each = inputs.len() / market.payers.len();
	let (model, max_price) = (market.model, market.max_price);
	let mut prepared = Vec::new();
	for payer in &mut market.payers {
		let own = inputs.drain(..each).map(|input| {
			let transaction = payer.sign(model, &input.bytes, max_price)?;
			Ok(Prepared { input, transaction })
		});
		prepared.push(own.collect::<Result<Vec<_>>>()?);
	}
	Ok(prepared)
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

/// The jobs whose output says what the file is, in the numbers of bare ONNX Runtime. Outputs come from the executors' own
/// stores.
async fn correct(market: &Market, magika: &BareMagika, done: &[Done<'_>]) -> Vec<JobId> {
	let checks = done.iter().map(|done| async move {
		match check(market, magika, done).await {
			Ok(()) => Some(done.job),
			Err(error) => {
				let (submission, attestation) = (
					market.ledger.submissions.get(&done.job),
					market.ledger.attestations.get(&done.job),
				);
				eprintln!(
					"job {}, {submission:?}, {attestation:?}, does not count: {error:#}",
					done.job
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

async fn check(market: &Market, magika: &BareMagika, done: &Done<'_>) -> Result<()> {
	let attestation = market.ledger.attestations.get(&done.job).context("it was attested")?;
	let client = market.nodes.get(&attestation.node).context("its node is one of ours")?;
	let output = attestation.output;
	let params = vec![json!(output.hash), json!(0), json!(output.size), json!(done.job)];
	let bytes: String = client.request("blob_get", params).await?;
	let bytes = hex::decode(bytes.trim_start_matches("0x"))?;
	ensure!(
		highway_primitives::BlobRef::of(&bytes) == output,
		"its output is not what the chain names"
	);
	let (found, wanted) = (magika.answer(&bytes)?.label, done.input.label);
	ensure!(found == wanted, "it says that a {wanted} file is {found}");
	let (ours, theirs) = (tensors::parse(&bytes)?, tensors::parse(&done.reference)?);
	let ours = ours.first().context("it has an output")?;
	let theirs = theirs.first().context("Magika has an output")?;
	let difference = bare::greatest_difference(&bare::values(ours), &bare::values(theirs))?;
	ensure!(
		difference <= bare::TOLERANCE,
		"it differs by {difference} from bare ONNX Runtime"
	);
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

fn show(ledger: &Ledger, attested: &[JobId], sent: usize, correct: usize) {
	let records = attested
		.iter()
		.filter_map(|job| Some((ledger.submissions.get(job)?.block, ledger.attestations.get(job)?)));
	let (mut first, mut last, mut waited, mut batches) = (u32::MAX, 0, 0, BTreeMap::new());
	for (submitted, attestation) in records {
		first = first.min(submitted);
		last = last.max(attestation.block);
		waited += attestation.block - submitted;
		*batches
			.entry((attestation.block, attestation.node, attestation.bytes))
			.or_insert(0) = attestation.batch;
	}
	eprintln!("sent {sent}, attested {}, correct {correct}", attested.len());
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
	for job in attested.iter().filter(|job| slowest(ledger, &[**job]) > SLOW) {
		eprintln!(
			"job {job} waited long: {:?}, {:?}",
			ledger.submissions[job], ledger.attestations[job]
		);
	}
}
