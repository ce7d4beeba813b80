//! How long another node takes to import blocks full of jobs, against what they weigh.
//!
//! A fourth node, which neither authors nor runs jobs, is stopped while a burst of jobs fills blocks, and started again when
//! the network is quiet. What it then imports from its peers it verifies, executes in Wasm and writes to its database, as every
//! node does; the SDK's own metric says how long that took, and is read so often that full blocks are told apart.

use crate::{
	figures::{Figure, Goal},
	network::{burst, Ledger, Scene},
	record::Record,
};
use anyhow::{ensure, Context, Result};
use frame_support::{
	dispatch::{DispatchClass, PerDispatchClass},
	weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight},
};
use highway_primitives::BlockNumber;
use highway_runtime::constants::RuntimeBlockWeights;
use highway_test_support::{until, Devnet, Node};
use serde_json::json;
use std::{ops::RangeInclusive, time::Duration};
use tokio::time::{sleep, Instant};

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("import_over_weight", "of the declared time")
		.goal(Goal::Within(0.5, 1.0))
		.key("import_over_weight"),
	Figure::new("import_fullness", "of a block's room for jobs").goal(Goal::AtLeast(LEAST_FULLNESS)),
	Figure::new("import_time", "ms for a block"),
];

/// What a block has to be full of jobs at least to stand for a full one.
const LEAST_FULLNESS: f64 = 0.9;

/// The node that imports.
const MIRROR: &str = "mirror";

/// The SDK's histogram of how long blocks take to verify and to import, in seconds.
const METRIC: &str = "substrate_block_verification_and_import_time";

/// How often it is read: a full block takes many times as long.
const POLL: Duration = Duration::from_millis(25);

/// How long the node may take until it has all blocks.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(180);

/// Blocks that were imported, and the seconds that it took, since the node was started.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Imported {
	blocks: u32,
	seconds: f64,
}

/// Blocks that were imported between two looks: one, if they take long enough.
struct Stretch {
	blocks: RangeInclusive<BlockNumber>,
	/// What they took.
	seconds: f64,
	/// What they weigh.
	declared: f64,
	/// Of the room for normal transactions, on average.
	fullness: f64,
}

/// Fills blocks with jobs, and notes what the fullest of them cost the node that imports them.
pub async fn round(scene: &mut Scene<'_>, record: &mut Record) -> Result<()> {
	let measured = measure(scene, record).await;
	// If something failed, too: it must not run beside what comes next.
	let mut nodes = scene.devnet.nodes.iter_mut();
	let stopped = match nodes.find(|node| node.name() == MIRROR) {
		Some(mirror) => mirror.stop().await,
		None => Ok(()),
	};
	measured.and(stopped)
}

async fn measure(scene: &mut Scene<'_>, record: &mut Record) -> Result<()> {
	scene.quiet().await?;
	let count = scene.market.free_slots().await?;
	let known = stop_mirror(scene.devnet).await?;
	let (first, last) = burst(scene, count as usize).await?;
	record.tell("blocks_of_jobs", json!([first, last]))?;

	eprintln!("importing the blocks …");
	let mirror = scene.devnet.node_mut(MIRROR);
	mirror.resume().await?;
	let (looks, best) = import(mirror, last).await?;
	mirror.stop().await?;
	let all = looks.last().context("the metric was read")?.blocks;
	// What it imported is what it did not know, one after another, or the numbers below are wrong.
	let before = best.saturating_sub(all);
	if !(known..=known + 1).contains(&before) {
		eprintln!(
			"the node knew block {known}, imported {all} and has {best}: there was a fork, this round does not count"
		);
		return Ok(());
	}
	let mut fullest: Option<Stretch> = None;
	for pair in looks.windows(2) {
		let stretch = stretch(&scene.market.ledger, before, pair[0], pair[1]).await?;
		record.tell(
			"imported",
			json!({
				"first": stretch.blocks.start(),
				"last": stretch.blocks.end(),
				"seconds": stretch.seconds,
				"declared": stretch.declared,
				"fullness": stretch.fullness,
			}),
		)?;
		if fullest.as_ref().is_none_or(|other| other.fullness < stretch.fullness) {
			fullest = Some(stretch);
		}
	}
	let fullest = fullest.context("the node imported a block")?;
	let blocks = fullest.blocks.count() as f64;
	record.note("import_fullness", fullest.fullness)?;
	match fullest.fullness >= LEAST_FULLNESS {
		true => record.note("import_over_weight", fullest.seconds / fullest.declared)?,
		false => eprintln!(
			"the fullest block was {:.0} % full of jobs: what a full one takes is not measured",
			100.0 * fullest.fullness
		),
	}
	record.note("import_time", 1_000.0 * fullest.seconds / blocks)
}

/// Lets the node that imports catch up, starts it before if it was never there, and stops it. Returns the last block that it
/// has for sure.
async fn stop_mirror(devnet: &mut Devnet) -> Result<u32> {
	if devnet.nodes.iter().any(|node| node.name() == MIRROR) {
		devnet.node_mut(MIRROR).resume().await?;
	} else {
		devnet.add(MIRROR, None, Vec::new()).await?;
	}
	let (mirror, other) = (devnet.node(MIRROR), &devnet.nodes[0]);
	until("the importing node to catch up", CAUGHT_UP_WITHIN, || async {
		Ok((mirror.best_block().await? >= other.best_block().await?).then_some(()))
	})
	.await?;
	let known = mirror.best_block().await?;
	devnet.node_mut(MIRROR).stop().await?;
	Ok(u32::try_from(known)?)
}

/// Looks at what the node imports until it has `goal`, and some block that was its best one while it imported nothing.
/// Returns the looks, from before the first block on, and that block.
async fn import(mirror: &Node, goal: BlockNumber) -> Result<(Vec<Imported>, BlockNumber)> {
	let nothing = Imported {
		blocks: 0,
		seconds: 0.0,
	};
	let mut looks = vec![nothing];
	let end = Instant::now() + CAUGHT_UP_WITHIN;
	loop {
		let look = imported(mirror).await?;
		let before = *looks.last().unwrap_or(&nothing);
		if look.blocks > before.blocks {
			looks.push(look);
		} else {
			let best = u32::try_from(mirror.best_block().await?)?;
			if best >= goal && imported(mirror).await?.blocks == before.blocks {
				return Ok((looks, best));
			}
		}
		ensure!(
			Instant::now() < end,
			"the importing node did not come to block {goal} within {CAUGHT_UP_WITHIN:?}"
		);
		sleep(POLL).await;
	}
}

/// What the node says of its imports.
async fn imported(mirror: &Node) -> Result<Imported> {
	let text = mirror.metrics().await?;
	let value = |part: &str| -> Result<f64> {
		let name = format!("{METRIC}_{part}");
		let line = text
			.lines()
			.find(|line| line.split(['{', ' ']).next() == Some(name.as_str()));
		// Nothing is told before the first block.
		let Some((_, value)) = line.and_then(|line| line.rsplit_once(' ')) else {
			return Ok(0.0);
		};
		Ok(value.trim().parse()?)
	};
	Ok(Imported {
		blocks: value("count")? as u32,
		seconds: value("sum")?,
	})
}

/// The blocks between two looks of a node that had `known` when it was started.
async fn stretch(ledger: &Ledger, known: BlockNumber, from: Imported, to: Imported) -> Result<Stretch> {
	let blocks = known + from.blocks + 1..=known + to.blocks;
	let (mut declared, mut full) = (0.0, 0.0);
	for block in blocks.clone() {
		let weight = ledger.weight(block).await?;
		declared += seconds(weight.total());
		full += fullness(&weight);
	}
	Ok(Stretch {
		seconds: to.seconds - from.seconds,
		declared,
		fullness: full / f64::from(to.blocks - from.blocks),
		blocks,
	})
}

/// How full a block is of normal transactions: of what they may have, or of what hooks and operational ones leave them. Not of a
/// small rest, though: the first block of a session has none, and is not full of jobs.
fn fullness(weight: &PerDispatchClass<Weight>) -> f64 {
	let limits = RuntimeBlockWeights::get();
	let normal = *weight.get(DispatchClass::Normal);
	let most = seconds(limits.get(DispatchClass::Normal).max_total.unwrap_or(limits.max_block));
	let left = seconds(limits.max_block) - seconds(weight.total().saturating_sub(normal));
	seconds(normal) / left.clamp(most / 2.0, most)
}

/// The time that a weight stands for.
fn seconds(weight: Weight) -> f64 {
	weight.ref_time() as f64 / WEIGHT_REF_TIME_PER_SECOND as f64
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Of a block of 500 ms, of which normal transactions may have 375.
	fn fullness_of(normal: u64, operational: u64, mandatory: u64) -> f64 {
		let weight = PerDispatchClass::new(|class| {
			let milliseconds = match class {
				DispatchClass::Normal => normal,
				DispatchClass::Operational => operational,
				DispatchClass::Mandatory => mandatory,
			};
			Weight::from_parts(milliseconds * WEIGHT_REF_TIME_PER_SECOND / 1_000, 0)
		});
		fullness(&weight)
	}

	#[test]
	fn a_block_should_be_full_when_jobs_have_all_that_is_left_for_them() {
		assert_eq!(fullness_of(375, 0, 1), 1.0);
		assert_eq!(fullness_of(150, 0, 200), 0.5);
		assert_eq!(fullness_of(250, 50, 200), 1.0);
	}

	#[test]
	fn a_block_should_not_be_full_of_jobs_when_hooks_leave_them_nothing() {
		assert_eq!(fullness_of(0, 100, 700), 0.0);
		assert!(fullness_of(20, 0, 480) < 0.2);
	}
}
