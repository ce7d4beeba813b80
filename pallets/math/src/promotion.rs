//! The auction of featured slots: the mirror of [`crate::auction`], with slots that are all worth the same.
//!
//! Everybody pays the first losing bid, or the minimum if there is none. As each bid is for one slot, that is Vickrey's
//! auction of several like goods (1961), and saying what a slot is worth is a dominant strategy. (Slots of different
//! worth would need one price each: Edelman, Ostrovsky and Schwarz, "Internet Advertising and the Generalized
//! Second-Price Auction", American Economic Review 97, 2007.)

use alloc::vec::Vec;

/// Gives `slots` slots to the highest of `bids`, at most one per bidder, and returns what each winner pays with the
/// winners, highest first.
///
/// Bids below `minimum` do not count. Price = first losing bid; `minimum`, if no bid lost. Of equal bids the earlier in
/// `bids` wins.
pub fn clear<Id: Copy>(bids: &[(Id, u128)], slots: u32, minimum: u128) -> (u128, Vec<Id>) {
	let mut ranked: Vec<(Id, u128)> = bids.iter().filter(|(_, bid)| *bid >= minimum).copied().collect();
	// Stable: equal bids stay in their order.
	ranked.sort_by(|(_, bid), (_, other)| other.cmp(bid));
	let slots = (slots as usize).min(ranked.len());
	let price = ranked.get(slots).map_or(minimum, |(_, first_losing)| *first_losing);
	ranked.truncate(slots);
	(price, ranked.into_iter().map(|(id, _)| id).collect())
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::vec;
	use proptest::prelude::*;

	#[test]
	fn clear_should_sell_at_the_minimum_when_no_bid_loses() {
		assert_eq!(clear(&[(1u32, 40), (2, 90)], 2, 10), (10, vec![2, 1]));
		assert_eq!(clear(&[(1u32, 40), (2, 9)], 1, 10), (10, vec![1]));
	}

	#[test]
	fn clear_should_sell_at_the_first_losing_bid() {
		assert_eq!(clear(&[(1u32, 40), (2, 90), (3, 60), (4, 50)], 2, 10), (50, vec![2, 3]));
	}

	#[test]
	fn clear_should_prefer_the_earlier_when_bids_are_equal() {
		assert_eq!(clear(&[(3u32, 40), (1, 40), (2, 40)], 2, 10), (40, vec![3, 1]));
	}

	#[test]
	fn clear_should_sell_nothing_when_nobody_bids_enough() {
		assert_eq!(clear::<u32>(&[], 8, 10), (10, vec![]));
		assert_eq!(clear(&[(1u32, 9)], 8, 10), (10, vec![]));
	}

	#[test]
	fn clear_should_sell_nothing_when_there_are_no_slots() {
		assert_eq!(clear(&[(1u32, u128::MAX)], 0, 10), (u128::MAX, vec![]));
	}

	fn bids() -> impl Strategy<Value = Vec<(usize, u128)>> {
		let bid = prop_oneof![4 => 0u128..8, 1 => Just(u128::MAX), 1 => any::<u128>()];
		prop::collection::vec(bid, 0..=64).prop_map(|bids| bids.into_iter().enumerate().collect())
	}

	/// What `who` is better off by, if a slot is worth `worth` to it: small numbers only.
	fn gain(bids: &[(usize, u128)], slots: u32, minimum: u128, who: usize, worth: u128) -> i128 {
		let (price, winners) = clear(bids, slots, minimum);
		if winners.contains(&who) {
			worth as i128 - price as i128
		} else {
			0
		}
	}

	proptest! {
		#[test]
		fn nobody_should_pay_more_than_it_bid_or_less_than_the_minimum(
			bids in bids(),
			slots in 0u32..=10,
			minimum in 0u128..6,
		) {
			let (price, winners) = clear(&bids, slots, minimum);
			let enough = bids.iter().filter(|(_, bid)| *bid >= minimum).count();
			prop_assert_eq!(winners.len(), enough.min(slots as usize));
			prop_assert!(price >= minimum);
			for (id, bid) in &bids {
				if winners.contains(id) {
					prop_assert!(*bid >= price);
				} else {
					prop_assert!(*bid <= price);
				}
			}
		}
	}

	proptest! {
		#![proptest_config(ProptestConfig::with_cases(20_000))]

		#[test]
		fn no_bid_should_be_better_than_what_a_slot_is_worth(
			worths in prop::collection::vec(0u128..12, 1..=10),
			slots in 1u32..=8,
			minimum in 0u128..6,
			who in any::<prop::sample::Index>(),
		) {
			let who = who.index(worths.len());
			let mut bids: Vec<(usize, u128)> = worths.into_iter().enumerate().collect();
			let worth = bids[who].1;
			let truthful = gain(&bids, slots, minimum, who, worth);
			prop_assert!(truthful >= 0);
			for bid in 0..14 {
				bids[who].1 = bid;
				prop_assert!(gain(&bids, slots, minimum, who, worth) <= truthful, "bidding {}", bid);
			}
		}
	}
}
