//! How prices, winners and reserves come about.

use super::*;
use crate::{pallet::Markets, Error, MarketState, MAX_ASKS};
use frame_support::{assert_noop, assert_ok};

const COMPUTE: AskRole = AskRole::Compute;
const STORAGE: AskRole = AskRole::Storage;

/// Price and winners of compute, if they were found now.
fn cleared() -> Option<(Balance, Vec<NodeId>)> {
	let quote = Split::quote(&order(1, 0)).ok()?;
	Some((quote.compute, quote.executors))
}

fn clear() -> frame_support::dispatch::DispatchResultWithPostInfo {
	Split::clear(RuntimeOrigin::signed(PAYER), MODEL)
}

fn state() -> MarketState {
	Markets::<Test>::get(MODEL)
}

fn reserves() -> (Option<Balance>, Option<Balance>) {
	(state().compute_reserve, state().storage_reserve)
}

/// Asks of nodes 1, 2, …
fn compute_asks(prices: &[Balance]) {
	for (node, price) in (1..).zip(prices) {
		ask(node, COMPUTE, *price);
	}
}

/// So many jobs in this epoch, all done.
fn jobs(count: u32) {
	for job in 0..count {
		let deal = open(job.into(), 1, 0);
		Split::close(MODEL, &deal);
	}
}

#[test]
fn a_first_clearing_should_pay_the_first_losing_ask() {
	ExtBuilder.build_and_execute(|| {
		compute_asks(&[400, 100, 300, 200, 500]);
		go_to_epoch(1);
		assert_eq!(cleared(), Some((400, vec![2, 4, 3])));
		assert_ok!(clear());
		assert_eq!(reserves(), (None, None), "nobody has bought anything");
		jobs(1);
		// What is paid, not the highest winning ask.
		assert_eq!(reserves(), (Some(400), None));
	});
}

#[test]
fn a_first_clearing_should_pay_the_highest_ask_when_nobody_loses() {
	ExtBuilder.build_and_execute(|| {
		compute_asks(&[100, 300]);
		go_to_epoch(1);
		assert_eq!(cleared(), Some((300, vec![1, 2])));
	});
}

#[test]
fn a_clearing_should_leave_no_reserve_behind_until_somebody_buys() {
	for early in [0, MAX_ASK] {
		ExtBuilder.build_and_execute(|| {
			ask(1, COMPUTE, early);
			ask(1, STORAGE, early);
			go_to_epoch(1);
			assert_ok!(clear());
			assert_eq!(cleared(), Some((early, vec![1])));
			assert_eq!(reserves(), (None, None));
			// Whoever asked anything, and sold nothing, leaves.
			withdraw(1, COMPUTE);
			withdraw(1, STORAGE);
			compute_asks(&[500, 100, 200]);
			ask(4, STORAGE, 50);
			go_to_epoch(2);
			assert_ok!(clear());
			assert_eq!(cleared(), Some((500, vec![2, 3, 1])));
			// Each of them is a first one.
			ask(1, COMPUTE, 300);
			ask(4, STORAGE, 70);
			go_to_epoch(3);
			assert_eq!(cleared(), Some((300, vec![2, 3, 1])));
			jobs(1);
			assert_eq!(reserves(), (Some(300), Some(70)));
			ask(1, COMPUTE, 400);
			go_to_epoch(4);
			assert_eq!(
				cleared().map(|(_, winners)| winners),
				Some(vec![2, 3]),
				"from now on it counts"
			);
		});
	}
}

#[test]
fn a_later_clearing_should_pay_the_reserve_when_nobody_loses() {
	ExtBuilder.build_and_execute(|| {
		compute_asks(&[100, 51_200]);
		go_to_epoch(1);
		jobs(1);
		withdraw(2, COMPUTE);
		go_to_epoch(2);
		assert_eq!(cleared(), Some((51_200, vec![1])), "as the last epoch's dearest asked");
		jobs(1);
		go_to_epoch(3);
		// One job was too little to do.
		assert_eq!(cleared(), Some((51_100, vec![1])));
	});
}

#[test]
fn a_later_clearing_should_pay_the_first_losing_ask_and_never_more_than_the_reserve() {
	ExtBuilder.build_and_execute(|| {
		compute_asks(&[100, 200, 51_200]);
		go_to_epoch(1);
		jobs(1);
		ask(4, COMPUTE, 250);
		ask(5, COMPUTE, 300);
		ask(6, COMPUTE, 51_201);
		go_to_epoch(2);
		// 1, 2 and 4 win, 5 is the first that loses.
		assert_eq!(cleared(), Some((300, vec![1, 2, 4])));
		jobs(1);
		ask(5, COMPUTE, 100_000);
		go_to_epoch(3);
		// Asks above the reserve lose, and do not set the price.
		assert_eq!(cleared(), Some((51_100, vec![1, 2, 4])));
	});
}

#[test]
fn a_clearing_should_not_depend_on_who_touches_first_or_when() {
	let late: [fn(); 6] = [
		|| (),
		|| {
			unhost(1);
			// If it is pledged for the next epoch, there is nothing to prune.
			let _ = Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
		},
		|| fall_silent(1),
		|| ask(9, COMPUTE, 1),
		|| withdraw(1, COMPUTE),
		|| with_node(5, |node| node.able = true),
	];
	let blocks = [EPOCH + FIRST_REVEAL - 1, 2 * EPOCH - 1];
	for (change, block) in late.into_iter().flat_map(|change| blocks.map(|block| (change, block))) {
		ExtBuilder.build_and_execute(|| {
			compute_asks(&[100, 200, 300, 400, 50]);
			ask(6, STORAGE, 7);
			fall_silent(5);
			go_to_epoch(1);
			let found = Split::quote(&order(1, MIB)).unwrap();
			assert_eq!((found.compute, &found.executors[..]), (400, &[1, 2, 3][..]));
			go_to(block);
			change();
			assert_eq!(Split::quote(&order(1, MIB)).unwrap().executors, found.executors);
			let deal = open(1, 1, MIB);
			assert_eq!((deal.compute, deal.price), (found.compute, found.price));
			assert_eq!(Split::executors(MODEL, &deal), found.executors);
		});
	}
}

#[test]
fn clear_should_leave_what_a_first_job_would_find() {
	let record = |clears: bool| {
		let mut found = None;
		ExtBuilder.build_and_execute(|| {
			market_with_all_roles();
			if clears {
				assert_ok!(clear());
				assert_noop!(clear(), Error::<Test>::AlreadyCleared);
			}
			open(1, 1, 0);
			assert_noop!(clear(), Error::<Test>::AlreadyCleared);
			found = Some((crate::Clearings::<Test>::get(MODEL, 1), state()));
		});
		found.unwrap()
	};
	assert_eq!(record(true), record(false));
}

#[test]
fn clear_should_refuse_when_there_is_nothing_to_clear() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(clear(), Error::<Test>::NobodyServes);
		ask(1, COMPUTE, 10);
		assert_noop!(clear(), Error::<Test>::NobodyServes);
		go_to_epoch(1);
		ModelIsGone::set(true);
		assert!(clear().is_err());
		ModelIsGone::set(false);
		assert_noop!(
			Split::clear(RuntimeOrigin::none(), MODEL),
			sp_runtime::DispatchError::BadOrigin
		);
		let weight = clear().unwrap().actual_weight.unwrap();
		assert_eq!(weight, <() as crate::WeightInfo>::clear(1));
	});
}

#[test]
fn ties_should_be_broken_by_the_epochs_seed_and_nothing_else() {
	let winners = |salt: u64| {
		let mut winners = Vec::new();
		ExtBuilder.build_and_execute(|| {
			Salt::set(salt);
			compute_asks(&[10; 8]);
			go_to_epoch(1);
			winners = cleared().unwrap().1;
			Salt::set(77);
			go_to(EPOCH + 5);
			assert_eq!(cleared().unwrap().1, winners);
		});
		assert_eq!(winners.len() as u32, MIN_WINNERS);
		winners
	};
	let drawn: std::collections::BTreeSet<_> = (0..64).flat_map(winners).collect();
	assert_eq!(
		drawn.into_iter().collect::<Vec<_>>(),
		(1..=8).collect::<Vec<_>>(),
		"everybody wins at times"
	);
}

#[test]
fn places_should_follow_demand() {
	ExtBuilder.build_and_execute(|| {
		for node in 0..MAX_ASKS {
			ask(node, COMPUTE, 10);
		}
		for epoch in 1..41 {
			go_to_epoch(epoch);
			jobs(32);
		}
		go_to_epoch(41);
		// 1.25 · 32 / 4, and a little less while the average comes up to 32.
		assert_eq!(cleared().unwrap().1.len(), 10);
		// Forgotten after a while.
		go_to_epoch(90);
		assert_eq!(cleared().unwrap().1.len() as u32, MIN_WINNERS);
	});
}

#[test]
fn the_reserve_should_rise_while_winners_are_busy_and_fall_while_they_are_not() {
	ExtBuilder.build_and_execute(|| {
		compute_asks(&[51_200, 1_000]);
		go_to_epoch(1);
		jobs(64);
		assert_eq!(reserves().0, Some(51_200));
		go_to_epoch(2);
		jobs(1);
		// The places of the first epoch were made for no demand. But one of those who win asks the reserve.
		assert_eq!(reserves().0, Some(51_200));
		// A first average of 64 / 8 jobs is all that two winners are counted on to do, in the epoch whose places are made for
		// that, however many jobs it has.
		go_to_epoch(3);
		assert_ok!(clear());
		assert_eq!(reserves().0, Some(51_300));
		// Once for the epoch, however often it is cleared after that: epochs without jobs move nothing.
		go_to_epoch(4);
		assert_ok!(clear());
		go_to_epoch(50);
		assert_ok!(clear());
		assert_eq!(reserves().0, Some(51_300));
		// Nothing is left of the average by now.
		jobs(1);
		go_to_epoch(51);
		jobs(1);
		assert_eq!(reserves().0, Some(51_200));
		ask(1, COMPUTE, 2_000);
		go_to_epoch(52);
		jobs(1);
		assert_eq!(
			reserves().0,
			Some(51_200),
			"one that won in the last epoch asked so much"
		);
		go_to_epoch(53);
		jobs(1);
		assert_eq!(reserves().0, Some(51_100));
	});
}

#[test]
fn the_reserve_should_stand_while_places_follow_demand() {
	ExtBuilder.build_and_execute(|| {
		for node in 0..MAX_ASKS {
			ask(node, COMPUTE, 51_200);
		}
		// Up and down again, as in a day. No place is ever empty; but by an epoch's own jobs its winners would look too few for
		// as long as demand rises.
		for epoch in 1..40u32 {
			go_to_epoch(epoch);
			jobs(4 * epoch.min(40 - epoch));
			assert_eq!(reserves().0, Some(51_200), "epoch {epoch}");
		}
		assert!(cleared().unwrap().1.len() > MIN_WINNERS as usize);
	});
}

#[test]
fn a_fall_of_the_reserve_should_stop_at_the_dearest_that_wins() {
	ExtBuilder.build_and_execute(|| {
		compute_asks(&[51_200, 1_000, 1_500]);
		go_to_epoch(1);
		jobs(1);
		// Node 1 asks just the reserve, and nobody loses: all of them are paid it, however little there is to do.
		for epoch in 2..12 {
			go_to_epoch(epoch);
			assert_eq!(cleared().unwrap().0, 51_200);
			jobs(1);
			assert_eq!(reserves().0, Some(51_200));
		}
		// Whoever asks less takes the place.
		ask(4, COMPUTE, 51_000);
		go_to_epoch(12);
		assert_eq!(cleared(), Some((51_200, vec![2, 3, 4])));
		jobs(1);
		go_to_epoch(13);
		assert_eq!(cleared(), Some((51_100, vec![2, 3, 4])));
		jobs(1);
		// And holds it in turn.
		for epoch in 14..20 {
			go_to_epoch(epoch);
			jobs(1);
		}
		assert_eq!(reserves().0, Some(51_000));
	});
}

#[test]
fn equal_and_lone_bidders_should_serve_on_however_little_there_is_to_do() {
	for count in [1, 2, 5] {
		ExtBuilder.build_and_execute(|| {
			compute_asks(&[51_200; 5][..count]);
			for epoch in 1..30 {
				go_to_epoch(epoch);
				let (price, winners) = cleared().unwrap();
				assert_eq!((price, winners.len()), (51_200, count.min(MIN_WINNERS as usize)));
				jobs(1);
			}
		});
	}
}

#[test]
fn a_fall_should_see_the_asks_of_those_alone_who_could_serve_when_the_epoch_began() {
	ExtBuilder.build_and_execute(|| {
		compute_asks(&[51_200, 1_000]);
		go_to_epoch(1);
		jobs(1);
		fall_silent(1);
		go_to_epoch(2);
		with_node(1, |node| node.able = true);
		jobs(1);
		go_to_epoch(3);
		assert_eq!(cleared(), Some((51_100, vec![2])));
	});
}

/// Whatever it asks: the price of an epoch is bound by a reserve that is known before anybody asks.
#[test]
fn an_ask_should_hold_the_reserve_in_later_epochs_and_not_in_its_own() {
	let prices = |asked: Balance| {
		let mut prices = Vec::new();
		ExtBuilder.build_and_execute(|| {
			compute_asks(&[100, 200, 300, 51_200]);
			go_to_epoch(1);
			jobs(1);
			withdraw(4, COMPUTE);
			ask(3, COMPUTE, asked);
			for epoch in 2..5 {
				go_to_epoch(epoch);
				let (price, winners) = cleared().unwrap();
				prices.push((price, winners.contains(&3)));
				jobs(1);
			}
		});
		prices
	};
	assert_eq!(prices(300), [(51_100, true), (51_001, true), (50_902, true)]);
	assert_eq!(
		prices(51_100),
		[(51_100, true); 3],
		"1/512 more in the next epoch, 2/512 in the one after that"
	);
	assert_eq!(prices(51_200), [(51_100, false), (51_001, false), (50_902, false)]);
}

#[test]
fn reserves_should_stay_within_their_bounds() {
	ExtBuilder.build_and_execute(|| {
		compute_asks(&[0, 0]);
		ask(3, STORAGE, 0);
		go_to_epoch(1);
		jobs(1);
		assert_eq!(reserves(), (Some(MIN_RESERVE), Some(MIN_RESERVE)));
		go_to_epoch(2);
		jobs(1);
		assert_eq!(reserves(), (Some(MIN_RESERVE), Some(MIN_RESERVE)));
		ask(1, COMPUTE, MAX_ASK);
		ask(2, COMPUTE, MAX_ASK);
		for epoch in 3..450 {
			go_to_epoch(epoch);
			assert_ok!(clear());
		}
		assert_eq!(reserves().0, Some(MAX_ASK));
		assert_eq!(cleared().unwrap().0, MAX_ASK);
	});
}

#[test]
fn a_starved_market_should_serve_again_once_its_reserve_has_risen() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 800);
		go_to_epoch(1);
		jobs(1);
		ask(1, COMPUTE, 1_000);
		go_to_epoch(2);
		assert_eq!(cleared(), None);
		assert_noop!(Split::open(1, &order(1, 0)), Error::<Test>::NobodyServes);
		System::reset_events();
		assert_ok!(clear());
		// It was idle, too: but nobody wins at 800, so it does not fall before it rises.
		let (model, epoch, reserve) = (MODEL, 2, 900);
		assert_eq!(events(), vec![Event::Starved { model, epoch, reserve }]);
		// Once in an epoch, and for the next one.
		assert_noop!(clear(), Error::<Test>::NobodyServes);
		assert_eq!(cleared(), None);
		go_to_epoch(3);
		assert_ok!(clear());
		assert_eq!(reserves().0, Some(900 + 900 / 8));
		go_to_epoch(4);
		assert_eq!(cleared(), Some((1_012, vec![1])));
	});
}

/// Who alone bids nothing in the first epoch with a job, be it one of its own, locks the model for as long as the lowest reserve
/// takes to come up by eighths: from a unit to a million million in two days of ten-minute epochs. By steps of 1/512 it would
/// take three months.
#[test]
fn a_starved_market_should_find_any_price_in_time() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 0);
		go_to_epoch(1);
		jobs(1);
		withdraw(1, COMPUTE);
		ask(2, COMPUTE, 1_000_000_000_000);
		let mut epoch = 2;
		go_to_epoch(epoch);
		while cleared().is_none() {
			assert_ok!(clear());
			epoch += 1;
			go_to_epoch(epoch);
		}
		assert!(epoch < 2 * 144, "{epoch}");
	});
}

#[test]
fn a_starved_market_should_be_ended_by_one_outsider() {
	ExtBuilder.build_and_execute(|| {
		compute_asks(&[100, 100]);
		go_to_epoch(1);
		jobs(1);
		// A cartel of all who serve asks twice as much, and gets nothing for an epoch.
		compute_asks(&[200, 200]);
		go_to_epoch(2);
		assert_ok!(clear());
		assert_eq!(reserves().0, Some(112));
		ask(3, COMPUTE, 100);
		go_to_epoch(3);
		assert_eq!(cleared(), Some((112, vec![3])));
	});
}

#[test]
fn storage_should_stay_empty_when_the_only_offer_is_dearer_than_compute() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 20);
		ask(2, STORAGE, MAX_ASK);
		go_to_epoch(1);
		let deal = open(1, 1, 100 * MIB);
		// 5 %, and the premium.
		assert_eq!((deal.storage, deal.price), (None, 20 + 1 + 2));
		assert_eq!(reserves().1, None);
		// A MiB may cost as much as the unit that it is run for, whatever compute costs by now.
		ask(1, COMPUTE, 15);
		ask(2, STORAGE, 19);
		go_to_epoch(2);
		assert_eq!(open(2, 1, 2 * MIB).storage, Some((2, 2 * 19)));
		assert_eq!(reserves().1, Some(19));
	});
}

#[test]
fn storage_should_cost_no_more_than_the_units_of_a_mib() {
	ExtBuilder.build_and_execute(|| {
		TestUnit::set(highway_primitives::Unit::InputKib);
		ask(1, COMPUTE, 2);
		ask(2, STORAGE, 2 * 1024);
		ask(3, STORAGE, 2 * 1024 + 1);
		go_to_epoch(1);
		assert_eq!(open(1, 1024, MIB).storage, Some((2, 2 * 1024)));
	});
}

#[test]
fn storage_should_have_a_reserve_of_its_own_that_rises_when_it_is_too_low() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 1_000);
		ask(2, STORAGE, 8);
		go_to_epoch(1);
		assert_eq!(open(1, 1, 0).storage, Some((2, 8)));
		ask(1, COMPUTE, 900);
		ask(2, STORAGE, 100);
		go_to_epoch(2);
		// Nobody was busy; but it rises, because nobody stores for so little.
		assert_eq!(open(2, 1, 0).storage, None);
		assert_eq!(reserves().1, Some(9));
		for epoch in 3..30 {
			go_to_epoch(epoch);
			assert_ok!(clear());
		}
		assert_eq!(open(3, 1, 0).storage, Some((2, reserves().1.unwrap())));
	});
}

#[test]
fn a_fall_of_the_storage_reserve_should_stop_at_the_dearest_that_wins() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 1_000);
		ask(2, STORAGE, 600);
		ask(3, STORAGE, 500);
		go_to_epoch(1);
		jobs(1);
		go_to_epoch(2);
		jobs(1);
		assert_eq!(reserves().1, Some(600), "node 2 asks just that");
		// Nobody is paid more for a MiB than compute costs by now: who asks more does not win, and holds nothing.
		for node in 4..7 {
			ask(node, COMPUTE, 10);
		}
		ask(7, COMPUTE, 550);
		go_to_epoch(3);
		assert_eq!(open(9, 1, 0).storage, Some((3, 550)));
		assert_eq!(reserves().1, Some(600));
		go_to_epoch(4);
		assert_eq!(open(10, 1, 0).storage, Some((3, 550)));
		assert_eq!(reserves().1, Some(599));
	});
}

#[test]
fn a_storage_reserve_should_count_from_a_job_that_paid_for_storage() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 1_000);
		ask(2, STORAGE, 700);
		go_to_epoch(1);
		assert_ok!(clear());
		// The only provider is gone before the first job.
		unhost(2);
		jobs(1);
		assert_eq!(reserves(), (Some(1_000), None));
		ask(3, STORAGE, 900);
		go_to_epoch(2);
		jobs(1);
		assert_eq!(reserves(), (Some(1_000), Some(900)));
	});
}

#[test]
fn a_starved_epoch_should_leave_the_storage_reserve_where_it_is() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 51_200);
		ask(2, STORAGE, 51_200);
		go_to_epoch(1);
		jobs(1);
		ask(1, COMPUTE, 52_000);
		ask(2, STORAGE, 10);
		go_to_epoch(2);
		assert_ok!(clear());
		assert_eq!(reserves(), (Some(51_200 + 51_200 / 8), Some(51_200)));
	});
}
