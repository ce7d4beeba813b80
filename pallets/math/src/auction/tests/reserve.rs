//! How the reserve moves, where it begins, and what a place is paid.

use crate::{
	auction::{clear, dearest_winner, next_reserve, place_pay, starved_reserve, BUSY, IDLE},
	demand::{places, utilisation, ONE},
};
use alloc::vec::Vec;
use proptest::prelude::*;
use sp_arithmetic::Perbill;

/// Bounds that do not matter.
const MIN: u128 = 0;
const MAX: u128 = u128::MAX;

/// A dearest winner that does not matter.
const CHEAP: Option<u128> = Some(0);

#[test]
fn next_reserve_should_rise_above_80_percent_and_fall_below_50() {
	let percent = |percent| next_reserve(512_000, Perbill::from_percent(percent), CHEAP, MIN, MAX);
	assert_eq!((percent(0), percent(49)), (511_000, 511_000));
	assert_eq!((percent(50), percent(65), percent(80)), (512_000, 512_000, 512_000));
	assert_eq!((percent(81), percent(100)), (513_000, 513_000));
}

#[test]
fn next_reserve_should_move_by_a_unit_when_a_step_is_less() {
	assert_eq!(next_reserve(3, Perbill::one(), CHEAP, MIN, MAX), 4);
	assert_eq!(next_reserve(3, Perbill::zero(), CHEAP, MIN, MAX), 2);
	assert_eq!(next_reserve(0, Perbill::zero(), CHEAP, MIN, MAX), 0);
	assert_eq!(next_reserve(0, Perbill::one(), CHEAP, MIN, MAX), 1);
}

#[test]
fn next_reserve_should_fall_no_further_than_to_the_dearest_winner() {
	let idle = |dearest| next_reserve(512_000, Perbill::zero(), dearest, MIN, MAX);
	assert_eq!((idle(Some(1)), idle(Some(511_000))), (511_000, 511_000));
	assert_eq!((idle(Some(511_001)), idle(Some(512_000))), (511_001, 512_000));
	// Nobody wins: it is too low already.
	assert_eq!(idle(None), 512_000);
	// Nobody wins above it: that would be a rise.
	assert_eq!(idle(Some(600_000)), 512_000);
	// Nothing else is stopped.
	let busy = |dearest| next_reserve(512_000, Perbill::one(), dearest, MIN, MAX);
	assert_eq!([None, CHEAP, Some(512_000), Some(600_000)].map(busy), [513_000; 4]);
}

#[test]
fn next_reserve_should_stay_within_its_bounds() {
	assert_eq!(next_reserve(1_000, Perbill::one(), CHEAP, 10, 1_000), 1_000);
	assert_eq!(next_reserve(10, Perbill::zero(), CHEAP, 10, 1_000), 10);
	// Bounds that moved, whoever wins.
	assert_eq!(next_reserve(5, Perbill::one(), CHEAP, 10, 1_000), 10);
	assert_eq!(next_reserve(5_000, Perbill::zero(), Some(5_000), 10, 1_000), 1_000);
	// Bounds that contradict each other.
	assert_eq!(next_reserve(500, BUSY, CHEAP, 1_000, 10), 1_000);
	assert_eq!(next_reserve(MAX, Perbill::one(), CHEAP, MIN, MAX), MAX);
}

#[test]
fn dearest_winner_should_be_the_last_that_has_a_place() {
	let asks = [(1, 40), (2, 10), (3, 30), (4, 20)];
	assert_eq!(
		[1, 2, 3].map(|places| dearest_winner(&asks, places, 35)),
		[Some(10), Some(20), Some(30)]
	);
	assert_eq!([4, 64].map(|places| dearest_winner(&asks, places, 35)), [Some(30); 2]);
	assert_eq!(
		(dearest_winner(&asks, 4, 40), dearest_winner(&asks, 4, 10)),
		(Some(40), Some(10))
	);
	assert_eq!(
		(dearest_winner(&asks, 0, 40), dearest_winner(&asks, 4, 9)),
		(None, None)
	);
	assert_eq!(dearest_winner::<u32>(&[], 4, MAX), None);
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
fn place_pay_should_be_what_a_place_earned() {
	assert_eq!(place_pay(3_000, 3), 1_000);
	assert_eq!(place_pay(100, 3), 34);
	assert_eq!(place_pay(0, 3), 0);
	// Whoever won nothing was paid nothing; if something was paid, it was one.
	assert_eq!((place_pay(0, 0), place_pay(100, 0)), (0, 100));
	assert_eq!(place_pay(u128::MAX, 1), u128::MAX);
}

fn amount() -> impl Strategy<Value = u128> {
	prop_oneof![Just(0), Just(u128::MAX), 0u128..2_000, any::<u128>()]
}

fn part() -> impl Strategy<Value = Perbill> {
	(0u32..=1_000_000_000).prop_map(Perbill::from_parts)
}

fn asks() -> impl Strategy<Value = Vec<(u32, u128)>> {
	prop::collection::vec(amount(), 0..=64).prop_map(|asks| (0u32..).zip(asks).collect())
}

proptest! {
	#[test]
	fn a_reserve_should_move_by_one_step_at_most(
		reserve in amount(),
		used in part(),
		dearest in prop::option::of(amount()),
	) {
		let next = next_reserve(reserve, used, dearest, MIN, MAX);
		prop_assert!(next.abs_diff(reserve) <= (reserve / 512).max(1));
		if used > BUSY {
			prop_assert!(next > reserve || reserve == MAX);
		} else if used < IDLE {
			let floor = dearest.unwrap_or(reserve).min(reserve);
			prop_assert!((floor..=reserve).contains(&next));
			prop_assert!(next < reserve || floor == reserve);
		} else {
			prop_assert_eq!(next, reserve);
		}
	}

	#[test]
	fn a_reserve_should_stay_within_its_bounds(
		reserve in amount(),
		used in part(),
		dearest in prop::option::of(amount()),
		one in amount(),
		other in amount(),
	) {
		let (min, max) = (one.min(other), one.max(other));
		let next = next_reserve(reserve, used, dearest, min, max);
		prop_assert!((min..=max).contains(&next));
		prop_assert!(starved_reserve(reserve, max) <= max);
	}

	#[test]
	fn a_reserve_should_rise_with_utilisation_with_itself_and_with_its_dearest_winner(
		reserve in amount(),
		more in amount(),
		one in part(),
		other in part(),
		dearest in amount(),
		dearer in amount(),
	) {
		let next = |reserve, used, dearest| next_reserve(reserve, used, Some(dearest), MIN, MAX);
		prop_assert!(next(reserve, one.min(other), dearest) <= next(reserve, one.max(other), dearest));
		prop_assert!(next(reserve.min(more), one, dearest) <= next(reserve.max(more), one, dearest));
		prop_assert!(next(reserve, one, dearest.min(dearer)) <= next(reserve, one, dearest.max(dearer)));
	}

	#[test]
	fn the_dearest_winner_should_be_the_last_that_an_auction_finds(
		asks in asks(),
		places in 0u32..=70,
		reserve in amount(),
	) {
		let auction = clear(&asks, places, Some(reserve), |id| id);
		let last = auction.and_then(|auction| auction.winners.last().map(|id| asks[*id as usize].1));
		prop_assert_eq!(dearest_winner(&asks, places, reserve), last);
	}

	#[test]
	fn a_fall_of_the_reserve_should_turn_nobody_away(
		asks in asks(),
		places in 0u32..=70,
		reserve in amount(),
		idle in 0u32..500_000_000,
	) {
		let used = Perbill::from_parts(idle);
		let next = next_reserve(reserve, used, dearest_winner(&asks, places, reserve), MIN, MAX);
		let [before, after] = [reserve, next].map(|reserve| clear(&asks, places, Some(reserve), |id| id));
		let (Some(before), Some(after)) = (&before, &after) else {
			prop_assert_eq!(&before, &after);
			return Ok(());
		};
		prop_assert_eq!(&after.winners, &before.winners);
		prop_assert!(after.price <= before.price);
		prop_assert!(before.price - after.price <= reserve - next);
	}

	// Equal bidders, or a lone one, who ask what their work costs.
	#[test]
	fn bidders_at_cost_should_never_starve(
		cost in amount(),
		bidders in 1u32..=8,
		places in 1u32..=8,
		used in prop::collection::vec(part(), 1..200),
	) {
		let asks: Vec<(u32, u128)> = (0..bidders).map(|id| (id, cost)).collect();
		let mut reserve = clear(&asks, places, None, |id| id).expect("somebody wins").price;
		for used in used {
			reserve = next_reserve(reserve, used, dearest_winner(&asks, places, reserve), MIN, MAX);
			let auction = clear(&asks, places, Some(reserve), |id| id).expect("somebody wins");
			prop_assert_eq!(auction.winners.len() as u32, bidders.min(places));
		}
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
	fn all_places_pay_together_should_be_what_was_paid_or_a_unit_more_each(paid in amount(), winners in 1u32..=64) {
		let place = place_pay(paid, winners);
		let all = u128::from(winners);
		prop_assert!(place.saturating_mul(all) >= paid);
		prop_assert!(place == 0 || (place - 1) * all < paid);
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
		let used = utilisation(ema, winners, per_winner);
		prop_assert_eq!(next_reserve(reserve, used, CHEAP, MIN, MAX), reserve);
	}
}
