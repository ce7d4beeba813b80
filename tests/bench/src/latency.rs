//! Jobs that come one at a time.

use crate::{
	figures::{Figure, Goal, Summary},
	network::{Market, Payer, Scene, Subject},
	record::Record,
};
use anyhow::Result;
use highway_primitives::{Balance, JobId, ModelId};
use std::time::Duration;

/// Between two jobs: several blocks' worth of them stays far below what the nodes can do.
const PACE: Duration = Duration::from_millis(500);

/// The longest that all submissions of a round take together.
const LONGEST: Duration = Duration::from_secs(100);

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("latency_p50", "blocks to attestation")
		.of("blocks_to_attestation")
		.goal(Goal::AtMost(2.0))
		.key("submit_to_attested_blocks.p50"),
	Figure::new("latency_p99", "blocks to attestation")
		.of("blocks_to_attestation")
		.by(Summary::Quantile(0.99))
		.goal(Goal::AtMost(3.0))
		.key("submit_to_attested_blocks.p99"),
	Figure::new("finality_p50", "blocks until that is final")
		.of("blocks_to_finality")
		.key("submit_to_finalized_blocks.p50"),
	Figure::new("finality_p99", "blocks until that is final")
		.of("blocks_to_finality")
		.by(Summary::Quantile(0.99))
		.key("submit_to_finalized_blocks.p99"),
	Figure::new("latency_jobs_lost", "jobs not attested")
		.by(Summary::Sum)
		.goal(Goal::AtMost(0.0)),
	Figure::new("bytes_attested_alone", "bytes on chain per job")
		.by(Summary::Mean)
		.goal(Goal::AtMost(320.0))
		.key("chain_bytes_per_job"),
];

/// Submits so many jobs, evenly, and reads from the blocks when they were attested, and when that was final.
pub async fn round(scene: &mut Scene<'_>, jobs: u32, record: &mut Record) -> Result<()> {
	let pace = PACE.min(LONGEST / jobs);
	eprintln!("{jobs} jobs, one every {} ms …", pace.as_millis());
	let Scene { market, subject, .. } = scene;
	let Market {
		payers,
		ledger,
		model,
		max_price,
		final_within,
		..
	} = market;
	let sent = tokio::select! {
		sent = submit(payers, subject.as_mut(), (*model, *max_price), jobs, pace) => sent?,
		// Finality has to be seen when it comes.
		error = ledger.follow() => return Err(error),
	};
	eprintln!("waiting until they are final …");
	let fates = ledger.wait_for(&sent, *final_within).await?;
	ledger.tell_of_losses(&fates).await?;

	let attested: Vec<JobId> = fates.iter().filter_map(|fate| fate.attested()).collect();
	// A job that was lost waited until it ended, or waits still: it counts as what it is, a slow one.
	let last = ledger.last();
	for job in fates
		.iter()
		.filter_map(|fate| fate.attested().or(fate.never_attested()))
	{
		let Some(submitted) = ledger.submissions.get(&job).map(|submission| submission.block) else {
			continue;
		};
		let attested = ledger.attestations.get(&job).map(|attestation| attestation.block);
		let end = attested.or(ledger.ended.get(&job).copied()).unwrap_or(last);
		record.note("blocks_to_attestation", f64::from(end - submitted))?;
		if let Some(at) = attested.and_then(|block| ledger.final_at.get(&block)) {
			record.note("blocks_to_finality", f64::from(at.saturating_sub(submitted)))?;
		}
	}
	record.note("latency_jobs_lost", (sent.len() - attested.len()) as f64)?;
	let alone = ledger.bytes_of(&attested, |batch| batch == 1);
	if alone.is_empty() {
		eprintln!("no job was attested alone: its bytes on chain are not measured");
	}
	alone
		.into_iter()
		.try_for_each(|bytes| record.note("bytes_attested_alone", bytes))
}

/// Submits jobs, one after another. Returns the transactions.
async fn submit(
	payers: &mut [Payer],
	subject: &mut dyn Subject,
	(model, max_price): (ModelId, Balance),
	jobs: u32,
	pace: Duration,
) -> Result<Vec<String>> {
	let mut ticks = tokio::time::interval(pace);
	let mut sent = Vec::new();
	let count = payers.len();
	for index in 0..jobs as usize {
		let input = subject.next_input()?;
		ticks.tick().await;
		let payer = &mut payers[index % count];
		payer.put(&input.bytes).await?;
		let transaction = payer.sign(model, &input.bytes, max_price)?;
		payer.send(&transaction).await?;
		sent.push(transaction);
	}
	Ok(sent)
}
