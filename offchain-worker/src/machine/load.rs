//! How busy the node is, epoch by epoch: what its asks follow.

use crate::bids::Load;
use highway_primitives::{BlockNumber, EpochIndex, ModelId};
use std::{collections::BTreeMap, mem};

/// Blocks of an epoch that must have been looked at before its load says anything.
const MIN_MEASURED: u32 = 5;

/// How busy the node was in an epoch, summed over its blocks.
#[derive(Debug, Default)]
struct Measure {
	/// The one that was bid for in it.
	epoch: EpochIndex,
	blocks: u32,
	/// Slots that it had to sell.
	slots: u64,
	/// Those that were taken.
	busy: BTreeMap<ModelId, u64>,
}

/// This epoch, and the one before.
#[derive(Debug, Default)]
pub(super) struct Meter {
	now: Measure,
	before: Measure,
	/// The last block that was counted.
	at: BlockNumber,
}

impl Meter {
	/// Looks at a block: slots that the node has to sell, and the model of each job that takes one.
	pub fn look(&mut self, epoch: EpochIndex, block: BlockNumber, slots: u16, jobs: impl Iterator<Item = ModelId>) {
		if epoch > self.now.epoch {
			let next = Measure {
				epoch,
				..Measure::default()
			};
			self.before = mem::replace(&mut self.now, next);
		}
		// A node that has nothing to sell, or sees a block a second time, learns nothing about its prices.
		if epoch != self.now.epoch || block <= self.at || slots == 0 {
			return;
		}
		self.at = block;
		self.now.blocks = self.now.blocks.saturating_add(1);
		self.now.slots = self.now.slots.saturating_add(slots.into());
		for model in jobs {
			let busy = self.now.busy.entry(model).or_default();
			*busy = busy.saturating_add(1);
		}
	}

	/// How busy the model kept the node in the epoch before the one in which `epoch` is bid for.
	pub fn load(&self, epoch: EpochIndex, model: ModelId) -> Option<Load> {
		let before = &self.before;
		if before.epoch.checked_add(1) != Some(epoch) || before.blocks < MIN_MEASURED {
			return None;
		}
		let busy = before.busy.get(&model).copied().unwrap_or(0);
		let all = before.busy.values().fold(0u64, |sum, busy| sum.saturating_add(*busy));
		Some(Load {
			busy,
			room: before.slots.saturating_sub(all.saturating_sub(busy)),
		})
	}
}
