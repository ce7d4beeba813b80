//! New coins for validators: a reward per session that halves smoothly, and its division by blocks.

use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// Reward of session `session` (from 0): `first` at the start, half of it after `half_life` sessions, a quarter after
/// twice as many, and so on; in between it falls along a straight line, so that no session is a cliff. Rounded down.
///
/// r(n·H + m) = first · (2·H − m) / (2·H) / 2ⁿ. 0 without a half-life.
pub fn reward(first: u128, half_life: u32, session: u32) -> u128 {
	let (Some(halvings), Some(rest)) = (session.checked_div(half_life), session.checked_rem(half_life)) else {
		return 0;
	};
	let whole = u128::from(half_life).saturating_mul(2);
	let left = whole.saturating_sub(u128::from(rest));
	let in_period = multiply_by_rational_with_rounding(first, left, whole, Rounding::Down).unwrap_or(0);
	in_period.checked_shr(halvings).unwrap_or(0)
}

/// What all sessions together never exceed: first · (3·H + 1) / 2, rounded up; saturating.
pub fn bound(first: u128, half_life: u32) -> u128 {
	if half_life == 0 {
		return 0;
	}
	let sessions = u128::from(half_life).saturating_mul(3).saturating_add(1);
	multiply_by_rational_with_rounding(first, sessions, 2, Rounding::Up).unwrap_or(u128::MAX)
}

/// The part of `total` for whoever did `done` of `all`, rounded down; 0 if nothing was done. Parts never sum to more than
/// `total`.
pub fn part(total: u128, done: u32, all: u32) -> u128 {
	multiply_by_rational_with_rounding(total, done.min(all).into(), all.into(), Rounding::Down).unwrap_or(0)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::{collection::vec, prelude::*};

	#[test]
	fn reward_should_halve_after_each_half_life() {
		assert_eq!(reward(1 << 40, 10, 0), 1 << 40);
		assert_eq!(reward(1 << 40, 10, 10), 1 << 39);
		assert_eq!(reward(1 << 40, 10, 20), 1 << 38);
		assert_eq!(reward(1 << 40, 10, 5), (1 << 40) * 3 / 4);
		assert_eq!(reward(1 << 40, 10, 410), 0);
		assert_eq!(reward(u128::MAX, 1, 127), 1);
		assert_eq!((reward(u128::MAX, 1, 128), reward(u128::MAX, 1, u32::MAX)), (0, 0));
	}

	#[test]
	fn reward_should_be_nothing_without_a_half_life() {
		assert_eq!((reward(1_000, 0, 0), bound(1_000, 0)), (0, 0));
	}

	#[test]
	fn part_should_follow_the_blocks() {
		assert_eq!(
			(part(1_000, 1, 3), part(1_000, 3, 3), part(1_000, 4, 3)),
			(333, 1_000, 1_000)
		);
		assert_eq!((part(1_000, 0, 3), part(1_000, 0, 0), part(1_000, 1, 0)), (0, 0, 0));
	}

	proptest! {
		#[test]
		fn reward_should_never_rise(first in any::<u128>(), half_life in 1u32..100_000, session in 0u32..u32::MAX) {
			prop_assert!(reward(first, half_life, session + 1) <= reward(first, half_life, session));
		}

		#[test]
		fn reward_should_fall_without_cliffs(first in 0u128..1 << 100, half_life in 1u32..100_000, session in 0u32..1_000_000) {
			let (now, next) = (reward(first, half_life, session), reward(first, half_life, session + 1));
			// The line of this period: 1/(2·H) of its first reward in each session.
			let step = (first / (2 * u128::from(half_life))).checked_shr(session / half_life).unwrap_or(0);
			prop_assert!(now - next <= step + 2);
		}

		#[test]
		fn all_rewards_together_should_stay_within_the_bound(first in 0u128..1 << 110, half_life in 1u32..60) {
			// After 110 halvings nothing is left.
			let sum: u128 = (0..half_life * 111).map(|session| reward(first, half_life, session)).sum();
			prop_assert!(sum <= bound(first, half_life));
			// Roundings down lose at most a unit per session.
			prop_assert!(bound(first, half_life) - sum <= u128::from(half_life) * 112 + 1);
		}

		#[test]
		fn nothing_should_overflow(first in any::<u128>(), half_life in any::<u32>(), session in any::<u32>()) {
			prop_assert!(reward(first, half_life, session) <= first);
			prop_assert!(half_life == 0 || bound(first, half_life) >= first);
		}

		#[test]
		fn parts_should_never_sum_to_more_than_the_total(total in any::<u128>(), blocks in vec(0u32..10_000, 1..40)) {
			let all = blocks.iter().sum::<u32>();
			let paid = blocks.iter().try_fold(0u128, |sum, done| sum.checked_add(part(total, *done, all)));
			prop_assert!(paid.is_some_and(|paid| paid <= total && (all == 0 || total - paid <= 40)));
		}
	}
}
