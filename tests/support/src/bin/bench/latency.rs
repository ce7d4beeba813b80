//! Jobs that come one at a time.

use crate::{
	figures::{figure, percentile, Figure, Goal},
	market::Market,
};
use anyhow::{ensure, Context, Result};
use std::time::Duration;

/// Between two jobs: several blocks' worth of them stays far below what the nodes can do.
const PACE: Duration = Duration::from_millis(500);

/// The longest that all submissions take together.
const LONGEST: Duration = Duration::from_secs(100);

/// How long the last job may take until its attestation is finalized.
const FINAL_WITHIN: Duration = Duration::from_secs(40);

/// Submits `jobs` jobs evenly and reads from the blocks when they were attested.
pub async fn measure(market: &mut Market, jobs: u32) -> Result<Vec<Figure>> {
	let pace = PACE.min(LONGEST / jobs);
	eprintln!("{jobs} jobs, one every {} ms …", pace.as_millis());
	let inputs = market.inputs("latency")?.take(jobs as usize)?;
	let mut ticks = tokio::time::interval(pace);
	let mut sent = Vec::new();
	let count = market.payers.len();
	for (index, input) in inputs.iter().enumerate() {
		ticks.tick().await;
		let (model, max_price) = (market.model, market.max_price);
		let payer = &mut market.payers[index % count];
		payer.put(&input.bytes).await?;
		let transaction = payer.sign(model, &input.bytes, max_price)?;
		payer.send(&transaction).await?;
		sent.push(transaction);
	}
	let attested: Vec<_> = market
		.ledger
		.wait_for(&sent, FINAL_WITHIN)
		.await?
		.into_iter()
		.flatten()
		.collect();
	ensure!(
		attested.len() == sent.len(),
		"only {} of {} jobs were attested in a finalized block within {FINAL_WITHIN:?}",
		attested.len(),
		sent.len()
	);

	let ledger = &market.ledger;
	let blocks: Vec<u32> = attested
		.iter()
		.filter_map(|job| Some(ledger.attestations.get(job)?.block - ledger.submissions.get(job)?.block))
		.collect();
	let at = |rank| {
		percentile(&blocks, rank)
			.map(f64::from)
			.context("there is at least one job")
	};
	let alone = ledger
		.average_bytes(&attested, |batch| batch == 1)
		.context("no job was attested alone")?;
	Ok(vec![
		figure("latency_p50", at(0.5)?, "blocks to attestation", Goal::AtMost(2.0)),
		figure("latency_p99", at(0.99)?, "blocks to attestation", Goal::AtMost(3.0)),
		figure(
			"bytes_attested_alone",
			alone,
			"bytes on chain per job",
			Goal::AtMost(320.0),
		),
	])
}
