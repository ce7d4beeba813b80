//! What the chain adds to a job's work, out of what the job itself burned.
//!
//! Never more than half of it, and nothing out of other burns: whoever pays itself for work loses at least as much as
//! it gets, whatever else is burned. (A part of *all* burns would pay whoever invents the most jobs.)

use sp_arithmetic::Perbill;

/// The most of a burn that may come back.
pub const MOST: Perbill = Perbill::from_percent(50);

/// The subsidy of a job that burned `burned`: `rate` of it, at most [`MOST`], rounded down.
pub fn of(burned: u128, rate: Perbill) -> u128 {
	rate.min(MOST).mul_floor(burned)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::split::{burn_half, protocol_fee};
	use proptest::prelude::*;

	#[test]
	fn of_should_be_half_when_the_rate_is_half_or_more() {
		assert_eq!(of(101, Perbill::from_percent(50)), 50);
		assert_eq!(of(101, Perbill::one()), 50);
		assert_eq!(of(u128::MAX, Perbill::one()), u128::MAX / 2);
	}

	#[test]
	fn of_should_be_the_rate_when_it_is_less() {
		assert_eq!(of(1_000, Perbill::from_percent(30)), 300);
		assert_eq!(of(1_000, Perbill::zero()), 0);
		assert_eq!(of(1, Perbill::from_percent(50)), 0);
	}

	fn rate() -> impl Strategy<Value = Perbill> {
		(0u32..=1_000_000_000).prop_map(Perbill::from_parts)
	}

	proptest! {
		#[test]
		fn a_subsidy_should_not_exceed_half_of_the_burn(burned in any::<u128>(), rate in rate()) {
			prop_assert!(of(burned, rate) <= burned / 2);
		}

		#[test]
		fn a_subsidy_should_rise_with_the_burn(one in any::<u128>(), other in any::<u128>(), rate in rate()) {
			prop_assert!(of(one.min(other), rate) <= of(one.max(other), rate));
		}

		// Many small jobs get no more than a large one.
		#[test]
		fn a_subsidy_should_not_grow_when_a_job_is_cut_up(
			one in 0..u128::MAX / 2,
			other in 0..u128::MAX / 2,
			rate in rate(),
		) {
			prop_assert!(of(one, rate) + of(other, rate) <= of(one + other, rate));
		}

		// All other lines come back to whoever is payer, executor, maker and curator in one; the fee does not.
		#[test]
		fn a_job_for_oneself_should_lose_three_quarters_of_its_fee(lines in any::<u128>(), rate in rate()) {
			let fee = protocol_fee(lines);
			let (burned, _) = burn_half(fee);
			prop_assert!(of(burned, rate) <= fee / 4);
		}
	}
}
