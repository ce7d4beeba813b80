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
	dispatch::DispatchClass,
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
	Figure::new("import_fullness", "of a block's room for jobs").goal(Goal::AtLeast(0.9)),
	Figure::new("import_time", "ms for a block"),
];

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
	record.note("import_over_weight", fullest.seconds / fullest.declared)?;
	record.note("import_fullness", fullest.fullness)?;
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
	let limits = RuntimeBlockWeights::get();
	let normal = limits.get(DispatchClass::Normal).max_total.unwrap_or(limits.max_block);
	let (mut declared, mut full) = (0.0, 0.0);
	for block in blocks.clone() {
		let weight = ledger.weight(block).await?;
		declared += seconds(weight.total());
		full += seconds(*weight.get(DispatchClass::Normal)) / seconds(normal);
	}
	Ok(Stretch {
		seconds: to.seconds - from.seconds,
		declared,
		fullness: full / f64::from(to.blocks - from.blocks),
		blocks,
	})
}

/// The time that a weight stands for.
fn seconds(weight: Weight) -> f64 {
	weight.ref_time() as f64 / WEIGHT_REF_TIME_PER_SECOND as f64
}
