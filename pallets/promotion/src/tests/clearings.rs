//! Who gets a place, at what price, and where the money goes.

use super::*;
use crate::pallet::Cleared;
use frame_support::assert_ok;

/// What is burned of the least price; the treasury has one more.
const BURNED: Balance = MIN_BID / 2;

#[test]
fn places_should_cost_the_least_bid_when_nobody_loses() {
	ExtBuilder.build_and_execute(|| {
		let issuance = Balances::total_issuance();
		assert_ok!(bid(1, 7, 5));
		assert_ok!(bid(2, 8, 50));
		System::reset_events();
		next_epoch();

		assert_eq!(featured(), Some((vec![8, 7], MIN_BID)));
		for bidder in [1, 2] {
			assert_eq!((held(bidder), has(bidder)), (0, COINS - MIN_BID));
		}
		assert_eq!(Balances::total_issuance(), issuance - 2 * BURNED);
		assert_eq!(has(TREASURY), 2 * (MIN_BID - BURNED));
		let event = |model, bidder| Event::Promoted {
			epoch: 1,
			model,
			bidder,
			price: MIN_BID,
			burned: BURNED,
		};
		assert_eq!(events(), vec![event(8, 2), event(7, 1)]);
	});
}

#[test]
fn the_highest_bids_should_win_at_the_first_losing_one() {
	ExtBuilder.build_and_execute(|| {
		fill();
		System::reset_events();
		let before: Balance = (0..BIDDERS).map(has).sum();
		next_epoch();

		let price = MIN_BID + 55;
		assert_eq!(featured(), Some(((56..64).rev().collect::<Vec<_>>(), price)));
		assert!((0..BIDDERS).all(|bidder| held(bidder) == 0));
		assert_eq!((0..BIDDERS).map(has).sum::<Balance>(), before - 8 * price);
		assert_eq!(has(TREASURY), 8 * (price - price / 2));
		let lost = events()
			.into_iter()
			.filter(|event| matches!(event, Event::BidLost { .. }));
		assert_eq!(lost.count(), 56);
		assert!(book().is_empty());
	});
}

#[test]
fn of_equal_bids_the_earlier_one_should_win() {
	ExtBuilder.build_and_execute(|| {
		for model in (0..9).rev() {
			assert_ok!(bid(model.into(), model, 5));
		}
		next_epoch();
		assert_eq!(featured(), Some(((1..9).rev().collect::<Vec<_>>(), MIN_BID + 5)));
		assert_eq!(has(0), COINS);
	});
}

#[test]
fn places_should_last_for_one_epoch() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(bid(1, 7, 5));
		next_epoch();
		assert_ok!(bid(2, 8, 5));
		for block in EPOCH + 1..2 * EPOCH {
			go_to(block);
			assert_eq!(featured(), Some((vec![7], MIN_BID)));
		}
		next_epoch();
		assert_eq!(featured(), Some((vec![8], MIN_BID)));
		next_epoch();
		assert_eq!(featured(), None);
		assert_eq!(Cleared::<Test>::get(), 3);
	});
}

#[test]
fn no_bid_should_be_left_behind_when_blocks_are_skipped() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(bid(1, 7, 5));
		go_to(3 * EPOCH + 4);
		assert_eq!(featured(), Some((vec![7], MIN_BID)));
		assert_eq!(Featured::<Test>::get().unwrap().epoch, 3);
	});
}

#[test]
fn a_bid_should_be_paid_when_its_model_is_gone() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(bid(1, 7, 5));
		KnownModels::set(0);
		next_epoch();
		assert_eq!(has(1), COINS - MIN_BID);
	});
}

/// An account that lives by something else than coins may bid all of them. Change that is too little for it to receive
/// must not stay held.
#[test]
fn change_that_an_account_cannot_receive_should_burn() {
	ExtBuilder.build_and_execute(|| {
		System::inc_providers(&1);
		let issuance = Balances::total_issuance();
		for bidder in 2..11 {
			assert_ok!(bid(bidder, bidder as ModelId, COINS - 2 * MIN_BID));
		}
		let price = COINS - MIN_BID;
		assert_ok!(bid(1, 1, price + 50 - MIN_BID));
		let spent = has(1) - held(1);
		assert_ok!(Balances::transfer_all(RuntimeOrigin::signed(1), 0, false));
		assert_eq!((has(1), has(0)), (price + 50, COINS + spent));
		next_epoch();

		assert_eq!(featured().unwrap().1, price);
		assert_eq!((has(1), held(1)), (0, 0));
		let burned = 8 * (price / 2) + 50;
		assert_eq!(Balances::total_issuance(), issuance - burned);
	});
}
