//! Random bids over many epochs, against the auction written down once more as simply as it can be.

use super::*;
use crate::{Bid, MAX_PLACES};
use highway_primitives::{traits::Models, BlockNumber};
use proptest::prelude::*;
use std::cmp::Reverse;

#[derive(Clone, Debug)]
enum Act {
	/// One bid, at so much above or below the least one.
	Bid {
		bidder: AccountId,
		model: ModelId,
		price: Balance,
	},
	/// Bids for so many models, so that the book fills up.
	Many { models: ModelId, price: Balance },
	/// Models with lower ids are left.
	Models { known: ModelId },
	/// So many blocks pass, or are skipped.
	Blocks { count: BlockNumber, skipped: bool },
}

/// Many equal ones, and some beyond what anybody has.
fn price() -> impl Strategy<Value = Balance> {
	prop_oneof![
		6 => MIN_BID..MIN_BID + 8,
		3 => MIN_BID - 2..4 * MIN_BID,
		1 => COINS / 8..COINS * 2,
	]
}

fn act() -> impl Strategy<Value = Act> {
	prop_oneof![
		12 => (0..BIDDERS, 0..90u32, price()).prop_map(|(bidder, model, price)| Act::Bid { bidder, model, price }),
		1 => (1..80u32, price()).prop_map(|(models, price)| Act::Many { models, price }),
		1 => (50..90u32).prop_map(|known| Act::Models { known }),
		3 => (1..2 * EPOCH, any::<bool>()).prop_map(|(count, skipped)| Act::Blocks { count, skipped }),
	]
}

/// What the bids come to: winners, highest first, and the price.
fn auction(bids: &[Bid<AccountId>]) -> (Vec<Bid<AccountId>>, Balance) {
	let mut ranked = bids.to_vec();
	// Keeps the order of equals.
	ranked.sort_by_key(|bid| Reverse(bid.price));
	let places = MAX_PLACES as usize;
	let price = ranked.get(places).map_or(MIN_BID, |loser| loser.price);
	ranked.truncate(places);
	(ranked, price)
}

/// What was spent on places so far, and what of it burned.
#[derive(Default)]
struct Spent {
	all: Balance,
	burned: Balance,
}

impl Spent {
	fn perform(&mut self, act: Act) {
		match act {
			Act::Bid { bidder, model, price } => self.bid(bidder, model, price),
			Act::Many { models, price } => {
				(0..models).for_each(|model| self.bid(AccountId::from(model) % BIDDERS, model, price));
			}
			Act::Models { known } => KnownModels::set(known),
			Act::Blocks { count, skipped } => {
				let now = System::block_number();
				let first = if skipped { now + count } else { now + 1 };
				(first..=now + count).for_each(|block| self.block(block));
			}
		}
	}

	fn bid(&self, bidder: AccountId, model: ModelId, price: Balance) {
		let before = Bids::<Test>::get();
		let rival = before.iter().find(|bid| bid.model == model).map(|bid| bid.price);
		let lowest = before.iter().map(|bid| bid.price).min();
		let replaced = rival.or(lowest.filter(|_| before.len() == MAX_BIDS as usize));
		let own = before
			.iter()
			.find(|bid| Some(bid.price) == rival && bid.model == model && bid.bidder == bidder);
		let free = has(bidder) - held(bidder) + own.map_or(0, |bid| bid.price);
		let result = Promotion::bid(RuntimeOrigin::signed(bidder), model, price);
		let wanted = price >= MIN_BID && TestModels::exists(model) && replaced.is_none_or(|other| other < price);
		if !wanted {
			assert!(result.is_err());
		} else if result.is_err() {
			// Of the lowest bids in a full book one may be its own, which makes room for more.
			assert!(price + ED > free, "{result:?}");
		}
		if result.is_err() {
			return assert_eq!(Bids::<Test>::get(), before);
		}
		let after = Bids::<Test>::get();
		assert_eq!(after.len(), before.len() + usize::from(replaced.is_none()));
		assert_eq!(after.last(), Some(&Bid { model, bidder, price }));
	}

	fn block(&mut self, block: BlockNumber) {
		let bids = Bids::<Test>::get().into_inner();
		let before: Vec<_> = (0..BIDDERS).map(has).collect();
		let featured_before = featured();
		let epochs = block / EPOCH - System::block_number() / EPOCH;
		go_to(block);
		if epochs == 0 {
			assert_eq!(Bids::<Test>::get(), bids);
			return assert_eq!(featured(), featured_before);
		}
		let (winners, price) = auction(&bids);
		let models: Vec<_> = winners.iter().map(|bid| bid.model).collect();
		assert_eq!(featured(), (!models.is_empty()).then_some((models, price)));
		for (bidder, before) in (0..BIDDERS).zip(before) {
			let places = winners.iter().filter(|bid| bid.bidder == bidder).count() as Balance;
			assert_eq!(
				has(bidder),
				before - places * price,
				"everybody pays the same for a place"
			);
			assert_eq!(held(bidder), 0);
		}
		self.all += winners.len() as Balance * price;
		self.burned += winners.len() as Balance * (price / 2);
	}

	fn check(&self) {
		Promotion::do_try_state().unwrap();
		let offered: Balance = Bids::<Test>::get().iter().map(|bid| bid.price).sum();
		assert_eq!((0..BIDDERS).map(held).sum::<Balance>(), offered, "only bids are held");
		assert_eq!(has(TREASURY), self.all - self.burned);
		assert_eq!(Balances::total_issuance(), Balance::from(BIDDERS) * COINS - self.burned);
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

	#[test]
	fn half_of_one_price_for_all_should_burn_and_nothing_else_be_lost(acts in prop::collection::vec(act(), 1..80)) {
		ExtBuilder.build_and_execute(|| {
			let mut spent = Spent::default();
			for act in acts {
				spent.perform(act);
				spent.check();
			}
		});
	}
}
