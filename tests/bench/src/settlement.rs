//! How many jobs the chain settles in a second, while more are due than it has room for.
//!
//! Jobs are attested faster than they are settled, so a load leaves a backlog behind: while it lasts, the due queue takes all of
//! its share of each block. What it does there is what the chain can do for as long as one likes, but for the removal of
//! records, which comes an hour later: `weight` counts with that.

use crate::{
	figures::{Figure, Summary},
	network::{Block, Scene},
	record::Record,
};
use anyhow::Result;
use serde_json::json;

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("settled_jobs_per_second", "settled jobs/s, beside a backlog").key("settled_jobs_per_second"),
	Figure::new("blocks_behind", "blocks with a backlog").by(Summary::Sum),
];

/// Loads the network, if this round has not yet, and waits until all of its jobs are over.
pub async fn round(scene: &mut Scene<'_>, record: &mut Record) -> Result<()> {
	let (first, _) = scene.at_capacity().await?.blocks;
	scene.quiet().await?;
	let ledger = &scene.market.ledger;
	let blocks: Vec<Block> = ledger.blocks.range(first..).map(|(_, block)| *block).collect();
	let settled: Vec<usize> = blocks.iter().map(|block| block.settled).collect();
	let behind = blocks.iter().filter(|block| block.behind).count();
	record.tell("settled", json!({ "first": first, "jobs": settled }))?;
	record.note("blocks_behind", behind as f64)?;
	match rate_while_behind(&blocks) {
		Some(rate) => record.note("settled_jobs_per_second", rate),
		None => {
			eprintln!("all jobs were settled when they were due: how many can be is not measured");
			Ok(())
		}
	}
}

/// Jobs settled in a second of the chain's time in those blocks, but the first, that left something of what was due. `None`: none
/// did.
fn rate_while_behind(blocks: &[Block]) -> Option<f64> {
	let (mut jobs, mut milliseconds) = (0, 0);
	for pair in blocks.windows(2) {
		if pair[1].behind {
			jobs += pair[1].settled;
			milliseconds += pair[1].time - pair[0].time;
		}
	}
	(milliseconds > 0).then(|| jobs as f64 * 1_000.0 / milliseconds as f64)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn block(time: u64, settled: usize, behind: bool) -> Block {
		Block {
			time,
			settled,
			behind,
			..Block::default()
		}
	}

	#[test]
	fn blocks_without_a_backlog_should_not_count() {
		let blocks = [
			block(2_000, 70, true),
			block(4_000, 60, true),
			block(6_000, 3, false),
			block(8_000, 0, false),
			block(12_000, 60, true),
		];
		assert_eq!(rate_while_behind(&blocks), Some(20.0));
		assert_eq!(rate_while_behind(&blocks[2..4]), None);
		assert_eq!(rate_while_behind(&[]), None);
	}
}
