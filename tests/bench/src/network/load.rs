//! Many jobs at once: they are sent, waited for and checked.

use super::{
	subject::{check, references},
	Input, Ledger, Market, Payer, Scene, Subject,
};
use anyhow::{ensure, Context, Result};
use futures::{
	future::{join_all, try_join_all},
	stream, StreamExt,
};
use highway_primitives::{BlobRef, BlockNumber, JobId};
use serde_json::json;
use std::{
	collections::{BTreeMap, HashMap},
	sync::atomic::{AtomicU64, Ordering},
	time::Duration,
};
use tokio::time::{interval, sleep, Instant};

/// More jobs than the machine can do: so many times what bare ONNX Runtime does on one core.
const MORE_THAN_CAN_BE_DONE: f64 = 4.0;

/// Jobs that a payer sends at once.
const CHUNK: usize = 16;

/// How often the senders learn how many more jobs fit.
const LOOK: Duration = Duration::from_millis(200);

/// How often those who send at a rate of their own send what is due.
const TICK: Duration = Duration::from_millis(50);

/// Jobs that are checked together: their outputs are in memory.
const CHECKED: usize = 64;

/// Outputs that are fetched at the same time.
const FETCHES: usize = 16;

/// Blocks to the attestation above which a job is worth a line of explanation.
const SLOW: u32 = 6;

/// The fewest jobs of an attestation that counts as a batch.
const BATCH: usize = 6;

/// How jobs come.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Pace {
	/// As many as the nodes have free slots for.
	AsSlotsAllow,
	/// So many in a second, whatever becomes of them.
	PerSecond(f64),
}

/// What came of a load.
#[derive(Clone, PartialEq, Debug)]
pub struct Load {
	/// Correct, final jobs in a second of the chain's time.
	pub rate: f64,
	/// Runs of bare ONNX Runtime in a second, of the same inputs on the same core, beside nodes whose jobs are all over.
	pub bare: f64,
	/// The block of the first attestation, and that of the last submission: the load lasts from after the one to the other.
	pub blocks: (BlockNumber, BlockNumber),
	/// Transactions that were sent.
	pub sent: usize,
	/// How many in a second.
	pub offered: f64,
	/// Jobs whose output is wrong.
	pub wrong: usize,
	/// Jobs that were never attested.
	pub lost: usize,
	/// Transactions that made no job.
	pub refused: usize,
	/// The most blocks from a submission to its attestation.
	pub slowest: u32,
	/// Bytes on chain of each job that was attested with at least five others.
	pub batched_bytes: Vec<f64>,
}

/// A job to be sent.
struct Prepared {
	input: Input,
	transaction: String,
}

/// Loads the network and reads from the blocks what came of it.
pub async fn run(scene: &mut Scene<'_>, pace: Pace) -> Result<Load> {
	let (seconds, explain) = (scene.seconds, scene.explain);
	let Scene {
		market,
		subject,
		bare_before,
		..
	} = scene;
	eprintln!("preparing jobs …");
	let per_second = match pace {
		Pace::AsSlotsAllow => MORE_THAN_CAN_BE_DONE * *bare_before,
		Pace::PerSecond(rate) => rate,
	};
	let first_nonces: Vec<_> = market.payers.iter().map(Payer::next_nonce).collect();
	let prepared = sign(market, subject.as_mut(), (per_second * seconds as f64).ceil() as usize)?;

	eprintln!("{seconds} s of jobs …");
	let started = Instant::now();
	let end = started + Duration::from_secs(seconds);
	let limit = AtomicU64::new(0);
	let counts = match pace {
		Pace::AsSlotsAllow => {
			let senders = market.payers.iter().zip(&prepared);
			let senders = join_all(senders.map(|(payer, jobs)| send(payer, jobs, &limit, end)));
			tokio::select! {
				counts = senders => counts,
				error = admit(market, &first_nonces, &limit) => return Err(error),
			}
		}
		Pace::PerSecond(rate) => {
			let each = rate / market.payers.len() as f64;
			let senders = market.payers.iter().zip(&prepared);
			join_all(senders.map(|(payer, jobs)| send_at(payer, jobs, each, end))).await
		}
	};
	let counts = counts.into_iter().collect::<Result<Vec<_>>>()?;
	let took = started.elapsed().as_secs_f64();
	let jobs: HashMap<&str, &Input> = prepared
		.iter()
		.zip(&counts)
		.flat_map(|(jobs, count)| &jobs[..*count])
		.map(|job| (job.transaction.as_str(), &job.input))
		.collect();
	let sent: Vec<String> = jobs.keys().map(|transaction| transaction.to_string()).collect();
	eprintln!("{} jobs sent; waiting until they are final …", sent.len());
	// What came too fast waits in the pools.
	let patience = market.final_within + Duration::from_secs(2 * seconds);
	let fates = market.ledger.wait_for(&sent, patience).await?;
	market.count_anew().await?;
	market.ledger.tell_of_losses(&fates).await?;
	let attested: Vec<(JobId, &Input)> = sent
		.iter()
		.zip(&fates)
		.filter_map(|(transaction, fate)| Some((fate.attested()?, jobs[transaction.as_str()])))
		.collect();
	ensure!(!attested.is_empty(), "no job was attested");

	// What the chain still does for these jobs would hold bare ONNX Runtime up, and so flatter the network.
	scene.quiet().await?;
	let Scene { market, subject, .. } = scene;
	eprintln!("checking {} outputs …", attested.len());
	let (correct, bare) = correct(market, subject.as_mut(), &attested).await?;
	let ids: Vec<JobId> = attested.iter().map(|(job, _)| *job).collect();
	if explain {
		show(&market.ledger, &ids, sent.len(), correct.len());
	}
	let (rate, blocks) = rate(&market.ledger, &correct)?;
	let lost = fates.iter().filter(|fate| fate.never_attested().is_some()).count();
	Ok(Load {
		rate,
		bare,
		blocks,
		sent: sent.len(),
		offered: sent.len() as f64 / took,
		wrong: attested.len() - correct.len(),
		lost,
		refused: sent.len() - attested.len() - lost,
		slowest: slowest(&market.ledger, &ids),
		batched_bytes: market.ledger.bytes_of(&ids, |batch| batch >= BATCH),
	})
}

/// Sends so many jobs as fast as they are taken, and waits until they are attested. Returns the blocks from the first
/// submission to the last.
pub async fn burst(scene: &mut Scene<'_>, count: usize) -> Result<(BlockNumber, BlockNumber)> {
	let Scene { market, subject, .. } = scene;
	let prepared = sign(market, subject.as_mut(), count)?;
	let payers = || market.payers.iter().zip(&prepared);
	eprintln!("{count} jobs at once …");
	// Inputs first, so that the transactions are as close together as may be.
	for (payer, jobs) in payers() {
		for chunk in jobs.chunks(CHUNK) {
			try_join_all(chunk.iter().map(|job| payer.put(&job.input.bytes))).await?;
		}
	}
	let send_all = payers().map(|(payer, jobs)| async move {
		for chunk in jobs.chunks(CHUNK) {
			try_join_all(chunk.iter().map(|job| payer.send(&job.transaction))).await?;
		}
		anyhow::Ok(())
	});
	try_join_all(send_all).await?;
	let sent: Vec<String> = prepared.into_iter().flatten().map(|job| job.transaction).collect();
	let fates = market.ledger.wait_for(&sent, market.final_within).await?;
	market.count_anew().await?;
	market.ledger.tell_of_losses(&fates).await?;
	let blocks = fates
		.iter()
		.filter_map(|fate| Some(market.ledger.submissions.get(&fate.attested()?)?.block));
	let (first, last) = (blocks.clone().min(), blocks.max());
	first.zip(last).context("no job was attested")
}

/// Signed transactions for each payer, made beforehand: a payer's own work is not the network's.
fn sign(market: &mut Market, subject: &mut dyn Subject, count: usize) -> Result<Vec<Vec<Prepared>>> {
	let each = count.div_ceil(market.payers.len());
	let (model, max_price) = (market.model, market.max_price);
	let mut prepared = Vec::new();
	for payer in &mut market.payers {
		let own = (0..each).map(|_| {
			let input = subject.next_input()?;
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

/// Sends so many jobs in a second until `end`; returns how many. What a pool has no room for is sent again, and what comes
/// behind it waits, as the nonces do.
async fn send_at(payer: &Payer, jobs: &[Prepared], per_second: f64, end: Instant) -> Result<usize> {
	let started = Instant::now();
	let mut ticks = interval(TICK);
	let (mut put, mut sent) = (0, 0);
	while Instant::now() < end && sent < jobs.len() {
		ticks.tick().await;
		let due = (started.elapsed().as_secs_f64() * per_second) as usize;
		let due = due.min(jobs.len());
		for chunk in jobs[put..due].chunks(CHUNK) {
			try_join_all(chunk.iter().map(|job| payer.put(&job.input.bytes))).await?;
		}
		put = due;
		for job in &jobs[sent..due] {
			if Instant::now() >= end || payer.send(&job.transaction).await.is_err() {
				break;
			}
			sent += 1;
		}
	}
	Ok(sent)
}

/// Says how many jobs each payer may have sent: those in blocks, and as many more as the nodes have free slots for.
/// Jobs beyond that would be refused for lack of capacity. Never returns but with an error.
async fn admit(market: &Market, first_nonces: &[u64], limit: &AtomicU64) -> anyhow::Error {
	let look = || async {
		let free = market.free_slots().await?;
		let nonces = try_join_all(market.payers.iter().map(Payer::nonce_in_best_block)).await?;
		let included: u64 = nonces
			.iter()
			.zip(first_nonces)
			.map(|(nonce, first)| nonce.saturating_sub(*first))
			.sum();
		anyhow::Ok((included + free) / market.payers.len() as u64)
	};
	loop {
		match look().await {
			Ok(each) => limit.store(each, Ordering::Relaxed),
			Err(error) => return error,
		}
		sleep(LOOK).await;
	}
}

/// The jobs whose output is what bare ONNX Runtime answers, and how many it does in a second. Outputs come from the
/// executors' own stores.
async fn correct(
	market: &Market,
	subject: &mut dyn Subject,
	attested: &[(JobId, &Input)],
) -> Result<(Vec<JobId>, f64)> {
	let (mut correct, mut took) = (Vec::new(), Duration::ZERO);
	for chunk in attested.chunks(CHECKED) {
		let inputs: Vec<&Input> = chunk.iter().map(|(_, input)| *input).collect();
		let (outputs, more) = references(subject, &inputs)?;
		took += more;
		let subject = &*subject;
		let checks = chunk.iter().zip(&outputs).map(|((job, input), reference)| async move {
			let output = output_of(market, *job).await;
			let right = output.and_then(|output| check(subject, input, &output, reference));
			if let Err(error) = &right {
				let ledger = &market.ledger;
				let (submission, attestation) = (ledger.submissions.get(job), ledger.attestations.get(job));
				eprintln!("job {job}, {submission:?}, {attestation:?}, does not count: {error:#}");
			}
			right.is_ok().then_some(*job)
		});
		let found: Vec<Option<JobId>> = stream::iter(checks).buffer_unordered(FETCHES).collect().await;
		correct.extend(found.into_iter().flatten());
	}
	Ok((correct, attested.len() as f64 / took.as_secs_f64()))
}

/// The output of an attested job.
async fn output_of(market: &Market, job: JobId) -> Result<Vec<u8>> {
	let attestation = market.ledger.attestations.get(&job).context("it was attested")?;
	let client = market.nodes.get(&attestation.node).context("its node is one of ours")?;
	let output = attestation.output;
	let params = vec![json!(output.hash), json!(0), json!(output.size), json!(job)];
	let bytes: String = client.request("blob_get", params).await?;
	let bytes = hex::decode(bytes.trim_start_matches("0x"))?;
	ensure!(BlobRef::of(&bytes) == output, "its output is not what the chain names");
	Ok(bytes)
}

/// Jobs per second of the chain's own time while the load lasted: those attested after the block of the first
/// attestation, up to the block of the last submission. And these blocks.
fn rate(ledger: &Ledger, jobs: &[JobId]) -> Result<(f64, (BlockNumber, BlockNumber))> {
	let attested = || jobs.iter().filter_map(|job| Some(ledger.attestations.get(job)?.block));
	let submitted = jobs.iter().filter_map(|job| Some(ledger.submissions.get(job)?.block));
	let first = attested().min().context("no job came out right")?;
	let last = submitted.max().context("no job came out right")?;
	let time = |block| ledger.blocks.get(&block).map_or(0, |block| block.time);
	ensure!(
		last > first,
		"the last job was submitted before the first was attested: load the network for longer"
	);
	let counted = attested().filter(|block| (first + 1..=last).contains(block)).count();
	let rate = counted as f64 * 1000.0 / (time(last) - time(first)) as f64;
	Ok((rate, (first, last)))
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
