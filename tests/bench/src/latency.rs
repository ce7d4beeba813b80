//! Jobs that come one at a time.

use crate::{
	figures::{Figure, Goal, Summary},
	network::{Market, Payer, Scene, Subject},
	record::Record,
};
use anyhow::Result;
use highway_primitives::{Balance, BlockNumber, JobId, ModelId};
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

/// Submits so many jobs, evenly, and reads from the blocks when they were attested, and when that was final. The clock of each
/// starts with the block that was the best when it was handed to its node: what waits in the pool waits.
pub async fn round(scene: &mut Scene<'_>, jobs: u32, record: &mut Record) -> Result<()> {
	let pace = PACE.min(LONGEST / jobs);
	eprintln!("{jobs} jobs, one every {} ms …", pace.as_millis());
	// Of the round before.
	scene.quiet().await?;
	let Scene { market, subject, .. } = scene;
	let Market {
		payers,
		ledger,
		model,
		max_price,
		final_within,
		..
	} = market;
	let handed = tokio::select! {
		handed = submit(payers, subject.as_mut(), (*model, *max_price), jobs, pace) => handed?,
		// Finality has to be seen when it comes.
		error = ledger.follow() => return Err(error),
	};
	eprintln!("waiting until they are final …");
	let (sent, handed): (Vec<String>, Vec<BlockNumber>) = handed.into_iter().unzip();
	let fates = ledger.wait_for(&sent, *final_within).await?;
	ledger.tell_of_losses(&fates).await?;

	let attested: Vec<JobId> = fates.iter().filter_map(|fate| fate.attested()).collect();
	// A job that was lost waited until it ended, or waits still: it counts as what it is, a slow one. Of what was refused there is
	// no job.
	for (fate, handed) in fates.iter().zip(handed).filter(|(fate, _)| !fate.is_refused()) {
		let job = fate.attested().or(fate.never_attested());
		let attested = job.and_then(|job| Some(ledger.attestations.get(&job)?.block));
		let ended = job.and_then(|job| ledger.ended.get(&job)).copied();
		let end = attested.or(ended).map(|block| End {
			block,
			final_at: ledger.final_at.get(&block).copied(),
		});
		let [to_end, to_finality] = waits(handed, end, ledger.best());
		record.note("blocks_to_attestation", to_end)?;
		record.note("blocks_to_finality", to_finality)?;
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

/// How a job's wait ended.
struct End {
	/// The block in which it was attested, or given up.
	block: BlockNumber,
	/// The best block when that was seen to be final.
	final_at: Option<BlockNumber>,
}

/// Blocks from the one that was the best when a job was handed to a node to its end, and until that was final. What was not seen to
/// end counts for as long as it was looked at: until the block `last`.
fn waits(handed: BlockNumber, end: Option<End>, last: BlockNumber) -> [f64; 2] {
	let (block, final_at) = end.map_or((last, None), |end| (end.block, end.final_at));
	[block, final_at.unwrap_or(last)].map(|until| f64::from(until.saturating_sub(handed)))
}

/// Submits jobs, one after another. Returns the transactions, each with the block that was the best just before.
async fn submit(
	payers: &mut [Payer],
	subject: &mut dyn Subject,
	(model, max_price): (ModelId, Balance),
	jobs: u32,
	pace: Duration,
) -> Result<Vec<(String, BlockNumber)>> {
	let mut ticks = tokio::time::interval(pace);
	let mut sent = Vec::new();
	let count = payers.len();
	for index in 0..jobs as usize {
		let input = subject.next_input()?;
		ticks.tick().await;
		let payer = &mut payers[index % count];
		payer.put(&input.bytes).await?;
		let transaction = payer.sign(model, &input.bytes, max_price)?;
		let best = payer.client.best_block().await?;
		payer.send(&transaction).await?;
		sent.push((transaction, best));
	}
	Ok(sent)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_job_should_have_waited_from_the_block_that_it_was_handed_over_at() {
		let end = |block, final_at| Some(End { block, final_at });
		assert_eq!(waits(10, end(12, Some(15)), 90), [2.0, 5.0]);
		assert_eq!(waits(10, end(12, None), 90), [2.0, 80.0]);
	}

	#[test]
	fn a_job_should_have_waited_for_as_long_as_it_was_looked_at_when_it_came_to_no_end() {
		assert_eq!(waits(10, None, 90), [80.0, 80.0]);
		assert_eq!(waits(10, None, 9), [0.0, 0.0]);
	}
}
