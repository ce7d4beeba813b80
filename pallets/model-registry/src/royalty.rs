//! How a royalty moves: down at once, up slowly and with notice.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use highway_primitives::{Balance, BlockNumber};
use scale_info::TypeInfo;

/// The bounds of a rise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RisePolicy {
	/// Blocks between the announcement of a rise and its effect.
	pub notice: BlockNumber,
	/// Blocks within which all rises together stay within a quarter.
	pub period: BlockNumber,
	/// A rise up to this amount above the base is allowed even where a quarter is less, so that 0 is no trap. From four
	/// times as much on a quarter is more, and a royalty needs 31 periods to grow a thousandfold.
	pub smallest_step: Balance,
}

/// A royalty per unit and its history, as far as later rises depend on it.
///
/// A pending rise takes effect lazily: [`RoyaltyState::at`] tells what holds in a block, nothing has to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct RoyaltyState {
	/// The royalty before `pending` takes effect.
	#[codec(compact)]
	pub current: Balance,
	/// A rise, and the block from which it holds.
	pub pending: Option<(Balance, BlockNumber)>,
	/// The block in which the last rise took effect.
	pub last_rise: Option<BlockNumber>,
	/// The royalty before the first rise of a chain, in which each follows the one before within a period. All rises of
	/// the chain are measured against it, so that no stretch of one period ever sees more than one quarter.
	#[codec(compact)]
	pub base: Balance,
}

impl RoyaltyState {
	/// The state of a model that is registered with `royalty`.
	pub fn new(royalty: Balance) -> Self {
		Self {
			current: royalty,
			pending: None,
			last_rise: None,
			base: royalty,
		}
	}

	/// The state in block `now`: a rise whose notice is over has taken effect.
	pub fn at(self, now: BlockNumber, period: BlockNumber) -> Self {
		match self.pending {
			Some((royalty, from)) if from <= now => Self {
				current: royalty,
				pending: None,
				last_rise: Some(from),
				base: self.base_of_rise(from, period),
			},
			_ => self,
		}
	}

	/// The state after the owner set `royalty` in block `now`, and the block from which it holds. `None` if it rises
	/// too steeply.
	///
	/// A royalty at or below the current one holds at once and takes back a pending rise; a higher one takes the place
	/// of a pending rise, and its notice starts anew.
	pub fn set(self, royalty: Balance, now: BlockNumber, policy: &RisePolicy) -> Option<(Self, BlockNumber)> {
		let state = self.at(now, policy.period);
		if royalty <= state.current {
			return Some((
				Self {
					current: royalty,
					pending: None,
					..state
				},
				now,
			));
		}
		let from = now.saturating_add(policy.notice);
		let base = state.base_of_rise(from, policy.period);
		let most = base.saturating_add((base / 4).max(policy.smallest_step));
		(royalty <= most).then_some((
			Self {
				pending: Some((royalty, from)),
				..state
			},
			from,
		))
	}

	/// What a rise that takes effect in block `from` is measured against: within a period of the last rise still that
	/// rise's base, unless the royalty was lowered below it since.
	fn base_of_rise(&self, from: BlockNumber, period: BlockNumber) -> Balance {
		match self.last_rise {
			Some(last) if from < last.saturating_add(period) => self.base.min(self.current),
			_ => self.current,
		}
	}
}
