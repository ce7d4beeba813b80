//! Blocks under full inference, on all cores, against blocks of a network that has nothing to do.

use crate::{
	figures::{Figure, Goal, Summary},
	network::{Ledger, Scene},
	record::Record,
};
use anyhow::Result;
use highway_primitives::{BlockNumber, BLOCK_SECONDS};
use serde_json::json;
use std::time::Duration;

/// The fewest slots that say whether a thousandth of them is missed.
const LEAST_SLOTS: f64 = 1_000.0;

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("block_interval_p99_over_idle", "of the p99 of an idle network")
		.of("interval_loaded")
		.by(Summary::QuantileOver(0.99, "interval_idle"))
		.goal(Goal::AtMost(1.1))
		.key("block_interval_p99_over_idle"),
	Figure::new("missed_slots", "of all slots, under load")
		.of("missed_loaded")
		.by(Summary::SumOver("slots_loaded"))
		.goal(Goal::AtMost(0.001))
		.judged_from(LEAST_SLOTS, "slots_loaded")
		.key("missed_slots"),
	Figure::new("missed_slots_idle", "of all slots, idle")
		.of("missed_idle")
		.by(Summary::SumOver("slots_idle")),
	Figure::new("interval_p99_loaded", "s")
		.of("interval_loaded")
		.by(Summary::Quantile(0.99)),
	Figure::new("interval_p99_idle", "s")
		.of("interval_idle")
		.by(Summary::Quantile(0.99)),
	Figure::new("slots_seen_loaded", "slots")
		.of("slots_loaded")
		.by(Summary::Sum),
];

/// Names of what is observed of a stretch of blocks.
struct Names {
	interval: &'static str,
	missed: &'static str,
	slots: &'static str,
}

const LOADED: Names = Names {
	interval: "interval_loaded",
	missed: "missed_loaded",
	slots: "slots_loaded",
};

const IDLE: Names = Names {
	interval: "interval_idle",
	missed: "missed_idle",
	slots: "slots_idle",
};

/// Loads the network with inference on all cores, and leaves it alone for as long when the last job is settled.
pub async fn round(scene: &mut Scene<'_>, record: &mut Record) -> Result<()> {
	let load = scene.on_all_cores().await?;
	look(&scene.market.ledger, load.blocks, record, &LOADED)?;

	scene.quiet().await?;
	let idle = Duration::from_secs(scene.seconds);
	eprintln!("{} s of nothing …", idle.as_secs());
	let ledger = &mut scene.market.ledger;
	ledger.advance().await?;
	let first = ledger.last();
	let last = first + (scene.seconds as BlockNumber).div_ceil(BLOCK_SECONDS);
	ledger
		.until("blocks without jobs", 3 * idle + Duration::from_secs(60), |ledger| {
			ledger.last() >= last
		})
		.await?;
	look(ledger, (first, last), record, &IDLE)
}

/// Notes the intervals between these blocks, the slots of that time, and those without a block.
fn look(ledger: &Ledger, (first, last): (BlockNumber, BlockNumber), record: &mut Record, names: &Names) -> Result<()> {
	let times: Vec<u64> = ledger.blocks.range(first..=last).map(|(_, block)| block.time).collect();
	record.tell(names.interval, json!({ "first": first, "times": times }))?;
	for pair in times.windows(2) {
		record.note(names.interval, (pair[1] - pair[0]) as f64 / 1_000.0)?;
	}
	// The chain refuses a time that is not in its block's slot.
	let slot = |time: &u64| time / (u64::from(BLOCK_SECONDS) * 1_000);
	let slots = times.last().map_or(0, slot) - times.first().map_or(0, slot);
	let made = times.len().saturating_sub(1) as u64;
	record.note(names.slots, slots as f64)?;
	record.note(names.missed, slots.saturating_sub(made) as f64)
}
