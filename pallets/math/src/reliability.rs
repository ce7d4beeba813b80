//! Reliability of a node: a decaying Beta estimate, after Jøsang and Ismail, "The Beta Reputation System" (2002).

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::{PerThing, Perbill};

/// Fixed point of the two counts: one outcome of full weight.
pub const ONE: u64 = 1_000_000;

/// How much of the past an outcome of full weight forgets: 2 %.
const FORGET: Perbill = Perbill::from_percent(2);

/// Decayed counts of good and bad outcomes, in units of 1/[`ONE`]. Each stays below 50 · `ONE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Reliability {
	/// Good outcomes.
	pub good: u64,
	/// Bad outcomes.
	pub bad: u64,
}

impl Reliability {
	/// Forgets `2 % · weight` of the past and adds an outcome of `weight`.
	pub fn note(&mut self, success: bool, weight: Perbill) {
		let keep = Perbill::one().saturating_sub_parts(FORGET * weight);
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

/// Moving average with weight ⅛ of the new value.
pub fn moving_average(average: u128, new: u128) -> u128 {
	let kept = average.saturating_sub(average / 8);
	kept.saturating_add(new / 8)
}

trait SaturatingParts {
	fn saturating_sub_parts(self, other: Self) -> Self;
}

impl SaturatingParts for Perbill {
	fn saturating_sub_parts(self, other: Self) -> Self {
		Perbill::from_parts(self.deconstruct().saturating_sub(other.deconstruct()))
	}
}
