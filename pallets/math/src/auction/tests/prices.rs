//! Who wins and what is paid.

use crate::auction::{clear, Auction};
use alloc::vec::Vec;
use proptest::prelude::*;

/// Ties go to the smaller id.
fn by_id(id: u32) -> u32 {
	id
}

fn auction(price: u128, winners: &[u32]) -> Option<Auction<u32>> {
	Some(Auction {
		price,
		winners: winners.to_vec(),
	})
}

#[test]
fn winners_should_be_paid_the_first_losing_ask() {
	let asks = [(1, 40), (2, 10), (3, 30), (4, 20)];
	assert_eq!(clear(&asks, 2, Some(100), by_id), auction(30, &[2, 4]));
	assert_eq!(clear(&asks, 2, None, by_id), auction(30, &[2, 4]));
}

#[test]
fn winners_should_be_paid_the_reserve_when_nobody_loses() {
	let asks = [(1, 40), (2, 10)];
	assert_eq!(clear(&asks, 2, Some(100), by_id), auction(100, &[2, 1]));
	assert_eq!(clear(&asks, 64, Some(100), by_id), auction(100, &[2, 1]));
}

#[test]
fn winners_should_be_paid_the_reserve_when_it_is_below_the_first_losing_ask() {
	let asks = [(1, 40), (2, 10), (3, 30)];
	assert_eq!(clear(&asks, 2, Some(35), by_id), auction(35, &[2, 3]));
	assert_eq!(clear(&asks, 1, Some(25), by_id), auction(25, &[2]));
}

#[test]
fn an_ask_at_the_reserve_should_win() {
	assert_eq!(clear(&[(7, 40)], 3, Some(40), by_id), auction(40, &[7]));
}

#[test]
fn nobody_should_win_when_all_ask_more_than_the_reserve() {
	assert_eq!(clear(&[(7, 40), (8, 50)], 3, Some(39), by_id), None);
}

#[test]
fn nobody_should_win_without_asks_or_places() {
	assert_eq!(clear::<u32, _>(&[], 3, Some(100), by_id), None);
	assert_eq!(clear::<u32, _>(&[], 3, None, by_id), None);
	assert_eq!(clear(&[(7, 40)], 0, Some(100), by_id), None);
}

#[test]
fn a_first_clearing_should_pay_the_highest_winning_ask_when_nobody_loses() {
	assert_eq!(clear(&[(1, 40), (2, 10)], 3, None, by_id), auction(40, &[2, 1]));
}

#[test]
fn ties_should_be_decided_by_their_keys() {
	let asks = [(1, 10), (2, 10), (3, 10)];
	assert_eq!(clear(&asks, 2, Some(100), by_id), auction(10, &[1, 2]));
	let reversed = |id: u32| u32::MAX - id;
	assert_eq!(clear(&asks, 2, Some(100), reversed), auction(10, &[3, 2]));
}

#[test]
fn the_largest_numbers_should_hold() {
	let asks = [(1, u128::MAX), (2, u128::MAX)];
	assert_eq!(clear(&asks, 1, Some(u128::MAX), by_id), auction(u128::MAX, &[1]));
	assert_eq!(clear(&asks, u32::MAX, None, by_id), auction(u128::MAX, &[1, 2]));
}

/// Few distinct prices beside arbitrary ones, so that ties are common.
fn price() -> impl Strategy<Value = u128> {
	prop_oneof![4 => 0u128..8, 1 => Just(u128::MAX), 1 => any::<u128>()]
}

fn asks() -> impl Strategy<Value = Vec<(u32, u128)>> {
	prop::collection::vec(price(), 0..=64).prop_map(|asks| (0u32..).zip(asks).collect())
}

fn reserve() -> impl Strategy<Value = Option<u128>> {
	prop_oneof![1 => Just(None::<u128>), 4 => price().prop_map(Some)]
}

proptest! {
	#[test]
	fn a_price_should_lie_between_the_winners_asks_and_the_reserve(
		asks in asks(),
		places in 0u32..=70,
		reserve in reserve(),
	) {
		let most = reserve.unwrap_or(u128::MAX);
		let taking_part = asks.iter().filter(|(_, ask)| *ask <= most).count();
		let Some(auction) = clear(&asks, places, reserve, by_id) else {
			prop_assert!(places == 0 || taking_part == 0);
			return Ok(());
		};
		prop_assert_eq!(auction.winners.len(), taking_part.min(places as usize));
		prop_assert!(auction.price <= most);
		for (id, ask) in &asks {
			if auction.winners.contains(id) {
				prop_assert!(*ask <= auction.price, "paid below its ask");
			} else {
				prop_assert!(*ask > most || *ask >= auction.price, "a cheaper ask lost");
			}
		}
	}

	#[test]
	fn a_price_should_be_that_of_the_sorted_asks(asks in asks(), places in 1u32..=70, reserve in price()) {
		let mut sorted: Vec<u128> = asks.iter().map(|(_, ask)| *ask).collect();
		sorted.sort_unstable();
		let price = clear(&asks, places, Some(reserve), by_id).map(|auction| auction.price);
		let sold = sorted.first().is_some_and(|lowest| *lowest <= reserve);
		let expected = sorted.get(places as usize).map_or(reserve, |first_losing| reserve.min(*first_losing));
		prop_assert_eq!(price, sold.then_some(expected));
	}

	#[test]
	fn winners_should_be_told_cheapest_first(asks in asks(), places in 1u32..=70, reserve in reserve()) {
		let Some(auction) = clear(&asks, places, reserve, by_id) else {
			return Ok(());
		};
		let ranks: Vec<(u128, u32)> = auction.winners.iter().map(|id| (asks[*id as usize].1, *id)).collect();
		prop_assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]));
	}

	#[test]
	fn the_order_of_asks_should_not_matter(
		(asks, shuffled) in asks().prop_flat_map(|asks| (Just(asks.clone()), Just(asks).prop_shuffle())),
		places in 0u32..=70,
		reserve in reserve(),
	) {
		prop_assert_eq!(clear(&asks, places, reserve, by_id), clear(&shuffled, places, reserve, by_id));
	}

	#[test]
	fn a_tie_should_move_no_price(asks in asks(), places in 0u32..=70, reserve in reserve(), keys in any::<u32>()) {
		let one = clear(&asks, places, reserve, by_id);
		let other = clear(&asks, places, reserve, |id| id ^ keys);
		prop_assert_eq!(one.map(|auction| auction.price), other.map(|auction| auction.price));
	}

	#[test]
	fn another_ask_should_never_raise_the_price(
		asks in asks(),
		places in 1u32..=70,
		reserve in price(),
		more in price(),
	) {
		let Some(before) = clear(&asks, places, Some(reserve), by_id) else {
			return Ok(());
		};
		let mut asks = asks;
		asks.push((asks.len() as u32, more));
		let after = clear(&asks, places, Some(reserve), by_id).expect("somebody wins already");
		prop_assert!(after.price <= before.price);
	}

	#[test]
	fn another_place_should_never_lower_the_price(asks in asks(), places in 1u32..=70, reserve in price()) {
		let before = clear(&asks, places, Some(reserve), by_id);
		let after = clear(&asks, places + 1, Some(reserve), by_id);
		prop_assert_eq!(before.is_some(), after.is_some());
		prop_assert!(before.map(|auction| auction.price) <= after.map(|auction| auction.price));
	}

	#[test]
	fn a_higher_reserve_should_turn_nobody_away(
		asks in asks(),
		places in 1u32..=70,
		one in price(),
		other in price(),
	) {
		let lower = clear(&asks, places, Some(one.min(other)), by_id);
		let higher = clear(&asks, places, Some(one.max(other)), by_id);
		let Some(lower) = lower else {
			return Ok(());
		};
		let higher = higher.expect("whoever won still may");
		prop_assert!(lower.price <= higher.price);
		prop_assert!(higher.winners.starts_with(&lower.winners));
	}
}

#[test]
fn winners_of_a_first_clearing_should_be_those_of_an_endless_reserve() {
	let asks = [(1, 40), (2, u128::MAX), (3, 30)];
	let first = clear(&asks, 2, None, by_id);
	assert_eq!(first, clear(&asks, 2, Some(u128::MAX), by_id));
	assert_eq!(first, auction(u128::MAX, &[3, 1]));
}
