//! Jobs that come one at a time.

use crate::{
	figures::{figure, percentile, Figure, Goal},
	inputs::Input,
	market::Market,
};
use anyhow::{Context, Result};
use highway_primitives::JobId;
use std::time::Duration;

/// Between two jobs: several blocks' worth of them stays far below what the nodes can do.
const PACE: Duration = Duration::from_millis(500);

/// The longest that all submissions take together.
const LONGEST: Duration = Duration::from_secs(100);

/// Submits a job for each of `inputs`, evenly, and reads from the blocks when they were attested.
pub async fn measure(market: &mut Market, inputs: &[Input]) -> Result<Vec<Figure>> {
	let pace = PACE.min(LONGEST / inputs.len() as u32);
	eprintln!("{} jobs, one every {} ms …", inputs.len(), pace.as_millis());
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
	eprintln!("waiting until they are final …");
	let fates = market.ledger.wait_for(&sent, market.final_within).await?;
	let ledger = &market.ledger;
	ledger.tell_of_losses(&fates).await?;

	let attested: Vec<JobId> = fates.iter().filter_map(|fate| fate.attested()).collect();
	// A job that was lost waited until it ended, or waits still: it counts as what it is, a slow one.
	let last = ledger.blocks.keys().last().copied().unwrap_or(0);
	let blocks: Vec<u32> = fates
		.iter()
		.filter_map(|fate| fate.attested().or(fate.never_attested()))
		.filter_map(|job| {
			let attested = ledger.attestations.get(&job).map(|attestation| attestation.block);
			let end = attested.or(ledger.ended.get(&job).copied()).unwrap_or(last);
			Some(end - ledger.submissions.get(&job)?.block)
		})
		.collect();
	let at = |rank| {
		percentile(&blocks, rank)
			.map(f64::from)
			.context("no job was submitted in a finalized block")
	};
	let mut figures = vec![
		figure("latency_p50", at(0.5)?, "blocks to attestation", Goal::AtMost(2.0)),
		figure("latency_p99", at(0.99)?, "blocks to attestation", Goal::AtMost(3.0)),
		figure(
			"latency_jobs_lost",
			(sent.len() - attested.len()) as f64,
			"jobs not attested",
			Goal::AtMost(0.0),
		),
	];
	if let Some(alone) = ledger.average_bytes(&attested, |batch| batch == 1) {
		figures.push(figure(
			"bytes_attested_alone",
			alone,
			"bytes on chain per job",
			Goal::AtMost(320.0),
		));
	} else {
		eprintln!("no job was attested alone: its bytes on chain are not measured");
	}
	Ok(figures)
}
