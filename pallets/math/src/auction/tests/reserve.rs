//! How the reserve moves, where it begins, and what stands behind an ask.

use crate::{
	auction::{ask_bond, clear, next_reserve, starved_reserve, BUSY, IDLE},
	demand::{places, utilisation, ONE},
};
use alloc::vec::Vec;
use proptest::prelude::*;
use sp_arithmetic::Perbill;

/// Bounds that do not matter.
const MIN: u128 = 0;
const MAX: u128 = u128::MAX;

#[test]
fn next_reserve_should_rise_above_80_percent_and_fall_below_50() {
	let percent = |percent| next_reserve(512_000, Perbill::from_percent(percent), MIN, MAX);
	assert_eq!((percent(0), percent(49)), (511_000, 511_000));
	assert_eq!((percent(50), percent(65), percent(80)), (512_000, 512_000, 512_000));
	assert_eq!((percent(81), percent(100)), (513_000, 513_000));
}

#[test]
fn next_reserve_should_move_by_a_unit_when_a_step_is_less() {
	assert_eq!(next_reserve(3, Perbill::one(), MIN, MAX), 4);
	assert_eq!(next_reserve(3, Perbill::zero(), MIN, MAX), 2);
	assert_eq!(next_reserve(0, Perbill::zero(), MIN, MAX), 0);
	assert_eq!(next_reserve(0, Perbill::one(), MIN, MAX), 1);
}

#[test]
fn next_reserve_should_stay_within_its_bounds() {
	assert_eq!(next_reserve(1_000, Perbill::one(), 10, 1_000), 1_000);
	assert_eq!(next_reserve(10, Perbill::zero(), 10, 1_000), 10);
	// Bounds that moved.
	assert_eq!(next_reserve(5, Perbill::one(), 10, 1_000), 10);
	assert_eq!(next_reserve(5_000, Perbill::zero(), 10, 1_000), 1_000);
	// Bounds that contradict each other.
	assert_eq!(next_reserve(500, BUSY, 1_000, 10), 1_000);
	assert_eq!(next_reserve(MAX, Perbill::one(), MIN, MAX), MAX);
}

#[test]
fn a_starved_reserve_should_double_in_six_epochs() {
	let mut reserve = 1_000_000;
	for _ in 0..6 {
		reserve = starved_reserve(reserve, MAX);
	}
	assert!(reserve > 2_000_000 && reserve < 2_100_000);
}

#[test]
fn a_starved_reserve_should_rise_from_nothing_and_stop_at_the_most() {
	assert_eq!(starved_reserve(0, MAX), 1);
	assert_eq!(starved_reserve(7, MAX), 8);
	assert_eq!(starved_reserve(900, 1_000), 1_000);
	assert_eq!(starved_reserve(MAX, MAX), MAX);
}

#[test]
fn ask_bond_should_be_what_a_place_earned() {
	assert_eq!(ask_bond(100, 30, 3, 10), 1_000);
	assert_eq!(ask_bond(100, 1, 3, 10), 34);
	assert_eq!(ask_bond(100, 0, 3, 10), 10);
	assert_eq!(ask_bond(100, 30, 0, 10), 3_000);
	assert_eq!(ask_bond(u128::MAX, 2, 1, 10), u128::MAX);
}

fn amount() -> impl Strategy<Value = u128> {
	prop_oneof![Just(0), Just(u128::MAX), 0u128..2_000, any::<u128>()]
}

fn part() -> impl Strategy<Value = Perbill> {
	(0u32..=1_000_000_000).prop_map(Perbill::from_parts)
}

proptest! {
	#[test]
	fn a_reserve_should_move_by_one_step_at_most(reserve in amount(), used in part()) {
		let next = next_reserve(reserve, used, MIN, MAX);
		prop_assert!(next.abs_diff(reserve) <= (reserve / 512).max(1));
		if used > BUSY {
			prop_assert!(next > reserve || reserve == MAX);
		} else if used < IDLE {
			prop_assert!(next < reserve || reserve == MIN);
		} else {
			prop_assert_eq!(next, reserve);
		}
	}

	#[test]
	fn a_reserve_should_stay_within_its_bounds(
		reserve in amount(),
		used in part(),
		one in amount(),
		other in amount(),
	) {
		let (min, max) = (one.min(other), one.max(other));
		let next = next_reserve(reserve, used, min, max);
		prop_assert!((min..=max).contains(&next));
		prop_assert!(starved_reserve(reserve, max) <= max);
	}

	#[test]
	fn a_reserve_should_rise_with_utilisation_and_with_itself(
		reserve in amount(),
		more in amount(),
		one in part(),
		other in part(),
	) {
		let next = |reserve, used| next_reserve(reserve, used, MIN, MAX);
		prop_assert!(next(reserve, one.min(other)) <= next(reserve, one.max(other)));
		prop_assert!(next(reserve.min(more), one) <= next(reserve.max(more), one));
	}

	#[test]
	fn a_starved_reserve_should_rise_by_an_eighth_at_most(reserve in amount()) {
		let next = starved_reserve(reserve, MAX);
		prop_assert!(next > reserve || reserve == MAX);
		prop_assert!(next - reserve <= (reserve / 8).max(1));
	}

	#[test]
	fn the_first_price_should_be_a_reserve_at_which_the_same_asks_find_the_same(
		asks in prop::collection::vec(amount(), 0..=64),
		places in 0u32..=70,
	) {
		let asks: Vec<(u32, u128)> = (0u32..).zip(asks).collect();
		if let Some(first) = clear(&asks, places, None, |id| id) {
			let second = clear(&asks, places, Some(first.price), |id| id).expect("the same asks");
			prop_assert_eq!(second, first);
		}
	}

	#[test]
	fn an_ask_bond_should_be_a_places_share(
		price in amount(),
		units in any::<u64>(),
		winners in 1u32..=64,
		min in amount(),
	) {
		let bond = ask_bond(price, units, winners, min);
		prop_assert!(bond >= min);
		// All places together are bonded for all that was earned, or for more than there is.
		let earned = price.checked_mul(units.into()).unwrap_or(u128::MAX);
		prop_assert!(bond.saturating_mul(winners.into()) >= earned);
	}

	// Demand that does not change and nodes enough for it: the reserve stays where it is, however long.
	#[test]
	fn a_reserve_should_stand_still_when_supply_meets_demand(
		reserve in amount(),
		twentieths in 48u64..1_600,
		per_winner in 1u32..=20,
	) {
		let ema = twentieths * u64::from(per_winner) * ONE / 20;
		let winners = places(ema, per_winner, 3, u32::MAX);
		prop_assert_eq!(next_reserve(reserve, utilisation(ema, winners, per_winner), MIN, MAX), reserve);
	}
}
