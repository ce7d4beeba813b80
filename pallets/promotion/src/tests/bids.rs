//! Which bids are taken, which are replaced, and what is held for them.

use super::*;
use crate::pallet::Error;
use frame_support::{assert_noop, assert_ok, traits::Hooks};
use sp_runtime::TokenError;

#[test]
fn a_bid_should_hold_what_it_offers_for_the_next_epoch() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(bid(1, 7, 5));
		assert_eq!(held(1), MIN_BID + 5);
		assert_eq!(has(1), COINS);
		let event = Event::BidPlaced {
			model: 7,
			bidder: 1,
			price: MIN_BID + 5,
			epoch: 1,
		};
		assert_eq!(events(), vec![event]);
		assert_eq!(featured(), None);
	});
}

#[test]
fn bids_of_one_account_should_add_up() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(bid(1, 7, 5));
		assert_ok!(bid(1, 8, 6));
		assert_eq!(held(1), 2 * MIN_BID + 11);
	});
}

#[test]
fn a_bid_should_be_refused_when_it_is_too_low_or_of_no_use() {
	ExtBuilder.build_and_execute(|| {
		let origin = RuntimeOrigin::signed(1);
		assert_noop!(Promotion::bid(origin, 7, MIN_BID - 1), Error::<Test>::BidBelowMin);
		assert_noop!(bid(1, 1_000, 0), UNKNOWN);
	});
}

#[test]
fn a_bid_should_be_refused_when_it_would_leave_less_than_an_account_needs() {
	ExtBuilder.build_and_execute(|| {
		let most = COINS - ED - MIN_BID;
		assert_noop!(bid(1, 7, most + 1), TokenError::FundsUnavailable);
		assert_ok!(bid(1, 7, most));
	});
}

#[test]
fn a_higher_bid_for_a_model_should_replace_the_lower_one_whoever_placed_it() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(bid(1, 7, 5));
		for above in [0, 4, 5] {
			assert_noop!(bid(2, 7, above), Error::<Test>::ModelHasHigherBid);
			assert_noop!(bid(1, 7, above), Error::<Test>::ModelHasHigherBid);
		}
		System::reset_events();
		assert_ok!(bid(2, 7, 6));
		assert_eq!((held(1), held(2)), (0, MIN_BID + 6));
		let outbid = Event::Outbid {
			model: 7,
			bidder: 1,
			price: MIN_BID + 5,
		};
		assert_eq!(events().first(), Some(&outbid));
		assert_eq!(book(), vec![7]);
	});
}

#[test]
fn raising_a_bid_should_need_the_difference_only() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(bid(1, 7, COINS / 2));
		assert_ok!(bid(1, 7, COINS - ED - MIN_BID));
		assert_eq!(held(1), COINS - ED);
	});
}

#[test]
fn a_refused_raise_should_leave_the_bid_that_there_was() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(bid(1, 7, 5));
		assert_noop!(bid(1, 7, COINS), TokenError::FundsUnavailable);
		assert_eq!(held(1), MIN_BID + 5);
	});
}

#[test]
fn a_full_book_should_admit_a_bid_that_is_higher_than_the_lowest() {
	ExtBuilder.build_and_execute(|| {
		fill();
		assert_noop!(bid(1, 64, 0), Error::<Test>::BidsFull);
		assert_ok!(bid(1, 64, 1));
		assert_eq!(book(), (1..=64).collect::<Vec<_>>());
		// Models 1 and 64 are equally low: the latest comer goes.
		assert_ok!(bid(2, 65, 2));
		assert_eq!(book(), (1..64).chain([65]).collect::<Vec<_>>());
	});
}

#[test]
fn a_full_book_should_admit_a_raise() {
	ExtBuilder.build_and_execute(|| {
		fill();
		assert_ok!(bid(3, 0, 100));
		assert_eq!(book(), (1..64).chain([0]).collect::<Vec<_>>());
	});
}

#[test]
fn the_configuration_should_be_sound() {
	ExtBuilder.build_and_execute(Promotion::integrity_test);
}
