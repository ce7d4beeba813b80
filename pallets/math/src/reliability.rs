//! Reliability of a node: a decaying Beta estimate, after Jøsang and Ismail, "The Beta Reputation System" (2002).

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::{PerThing, Perbill};

/// Fixed point of the two counts: one outcome of full weight.
pub const ONE: u64 = 1_000_000;

/// How much of the past an outcome of full weight forgets: 2 %.
const FORGET: Perbill = Perbill::from_percent(2);

/// Decayed counts of good and bad outcomes, in units of 1/[`ONE`]. Neither ever exceeds 50 · `ONE`: there, an outcome
/// adds as much as it makes forget.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Reliability {
	/// Good outcomes.
	pub good: u64,
	/// Bad outcomes.
	pub bad: u64,
}

impl Reliability {
	/// Forgets `2 % · weight` of the past and adds an outcome of `weight`.
	// A product with a share is never more than the other factor.
	#[allow(clippy::arithmetic_side_effects)]
	pub fn note(&mut self, success: bool, weight: Perbill) {
		let keep = (FORGET * weight).left_from_one();
		self.good = keep * self.good;
		self.bad = keep * self.bad;
		let added = weight * ONE;
		if success {
			self.good = self.good.saturating_add(added);
		} else {
			self.bad = self.bad.saturating_add(added);
		}
	}

	/// Expected share of good outcomes, (good + 1) / (good + bad + 2): ½ for a newcomer.
	pub fn score(&self) -> Perbill {
		let good = self.good.saturating_add(ONE);
		Perbill::from_rational(good, good.saturating_add(self.bad).saturating_add(ONE))
	}
}

/// How much a job counts, reward / (reward + average): dust jobs move nothing.
pub fn weight(reward: u128, average: u128) -> Perbill {
	if reward == 0 {
		return Perbill::zero();
	}
	Perbill::from_rational(reward, reward.saturating_add(average))
}

/// Moving average with weight ⅛ of the new value. The result lies between the two; differences below 8 units may stay.
pub fn moving_average(average: u128, new: u128) -> u128 {
	let kept = average.saturating_sub(average / 8);
	kept.saturating_add(new / 8)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	const MOST: u64 = 50 * ONE;

	#[test]
	fn score_should_be_one_half_when_nothing_is_known() {
		assert_eq!(Reliability::default().score(), Perbill::from_percent(50));
	}

	#[test]
	fn score_should_be_two_thirds_after_one_good_outcome() {
		let mut record = Reliability::default();
		record.note(true, Perbill::one());
		assert_eq!(record, Reliability { good: ONE, bad: 0 });
		assert_eq!(record.score(), Perbill::from_rational(2u32, 3));
	}

	#[test]
	fn note_should_forget_two_percent_when_the_weight_is_full() {
		let mut record = Reliability {
			good: 10 * ONE,
			bad: 20 * ONE,
		};
		record.note(false, Perbill::one());
		assert_eq!(
			record,
			Reliability {
				good: 9_800_000,
				bad: 20_600_000
			}
		);
	}

	#[test]
	fn score_should_approach_51_of_52_when_all_outcomes_are_good() {
		let mut record = Reliability::default();
		(0..2_000).for_each(|_| record.note(true, Perbill::one()));
		assert!(record.good > MOST - 100 && record.good <= MOST);
		assert!(record.score() < Perbill::from_rational(51u32, 52));
		assert!(record.score() > Perbill::from_rational(509u32, 520));
	}

	#[test]
	fn weight_should_be_zero_when_the_reward_is_zero() {
		assert_eq!(weight(0, 0), Perbill::zero());
		assert_eq!(weight(5, 0), Perbill::one());
		assert_eq!(weight(7, 7), Perbill::from_percent(50));
	}

	fn outcomes() -> impl Strategy<Value = Vec<(bool, u32)>> {
		prop::collection::vec((any::<bool>(), 0u32..=1_000_000_000), 0..300)
	}

	proptest! {
		#[test]
		fn counts_should_stay_bounded_whatever_happens(outcomes in outcomes()) {
			let mut record = Reliability::default();
			for (success, parts) in outcomes {
				record.note(success, Perbill::from_parts(parts));
				prop_assert!(record.good <= MOST && record.bad <= MOST);
				let score = record.score();
				prop_assert!(score > Perbill::zero() && score < Perbill::one());
			}
		}

		// `note` is monotone in the counts: if they do not grow from the bound, they never pass it.
		#[test]
		fn counts_should_not_grow_when_at_the_bound(parts in 0u32..=1_000_000_000, success in any::<bool>()) {
			let mut record = Reliability { good: MOST, bad: MOST };
			record.note(success, Perbill::from_parts(parts));
			prop_assert!(record.good <= MOST && record.bad <= MOST);
		}

		#[test]
		fn score_should_move_with_the_outcome(good in 0..=MOST, bad in 0..=MOST, parts in 0u32..=1_000_000_000) {
			let before = Reliability { good, bad };
			let (mut better, mut worse) = (before, before);
			better.note(true, Perbill::from_parts(parts));
			worse.note(false, Perbill::from_parts(parts));
			prop_assert!(better.score() >= worse.score());
		}

		#[test]
		fn note_should_change_nothing_when_the_weight_is_zero(good in 0..=MOST, bad in 0..=MOST, success in any::<bool>()) {
			let before = Reliability { good, bad };
			let mut after = before;
			after.note(success, Perbill::zero());
			prop_assert_eq!(before, after);
		}

		#[test]
		fn weight_should_rise_with_the_reward(small in any::<u128>(), large in any::<u128>(), average in any::<u128>()) {
			let (small, large) = (small.min(large), small.max(large));
			// One part of slack: the reward and the average are scaled down together when they are large.
			prop_assert!(weight(small, average).deconstruct() <= weight(large, average).deconstruct().saturating_add(1));
		}

		#[test]
		fn moving_average_should_lie_between_old_and_new(average in any::<u128>(), new in any::<u128>()) {
			let moved = moving_average(average, new);
			prop_assert!(moved >= average.min(new) && moved <= average.max(new));
		}
	}
}
