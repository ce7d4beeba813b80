use super::*;
use crate::{
	pallet::{Clearings, LastCleared},
	Error,
};
use frame_support::{assert_noop, assert_ok};

fn is_kept(epoch: EpochIndex) -> bool {
	Clearings::<Test>::contains_key(MODEL, epoch)
}

#[test]
fn open_should_clear_once_when_the_epoch_is_touched_again() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		System::reset_events();
		let first = open(1, 1, 0);
		let record = Clearings::<Test>::get(MODEL, 1).unwrap();
		// What comes about later in the epoch does not matter.
		TestRoyalties::set(vec![royalty(MODEL, 666, MAX_ASK)]);
		leave(1);
		let second = open(2, 1, 0);
		assert_eq!(first.price, second.price);
		assert_eq!(
			Clearings::<Test>::get(MODEL, 1).unwrap(),
			crate::Clearing { jobs: 2, ..record }
		);
		assert_eq!(
			events(),
			vec![Event::Cleared {
				model: MODEL,
				epoch: 1,
				compute_price: 10,
				executors: 1,
				storage_price: Some(3)
			}]
		);
	});
}

#[test]
fn open_should_count_only_nodes_that_can_take_jobs_when_it_clears() {
	ExtBuilder.build_and_execute(|| {
		for node in 1..=4 {
			ask(node, AskRole::Compute, Balance::from(node));
			ask(node, AskRole::Storage, Balance::from(node));
		}
		go_to_epoch(1);
		leave(1);
		fall_silent(2);
		TestNodes::mutate(|nodes| nodes.get_mut(&3).unwrap().hosts.clear());
		let deal = open(1, 1, 0);
		assert_eq!(Split::executors(MODEL, &deal), vec![4]);
		assert_eq!(deal.compute, 4);
		assert_eq!(deal.storage, Some((4, 4)));
	});
}

#[test]
fn open_should_fail_and_keep_nothing_when_nobody_serves() {
	ExtBuilder.build_and_execute(|| {
		let attempt = || Split::open(1, MODEL, 1, 0, DETECTION, None, [0; 32]);
		assert_noop!(attempt(), Error::<Test>::NobodyServes);
		ask(1, AskRole::Storage, 1);
		ask(2, AskRole::Compute, 1);
		go_to_epoch(1);
		fall_silent(2);
		assert_noop!(attempt(), Error::<Test>::NobodyServes);
		assert_eq!(
			Split::quote(MODEL, 0, 1, DETECTION, None).unwrap_err(),
			Error::<Test>::NobodyServes.into()
		);
		// The epoch is not spoiled by the attempt.
		TestNodes::mutate(|nodes| nodes.get_mut(&2).unwrap().weight = 1);
		assert_ok!(attempt());
	});
}

#[test]
fn open_should_have_no_storage_line_when_nobody_offers_storage() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 20);
		go_to_epoch(1);
		let deal = open(1, 1, 100 * MIB);
		assert_eq!(deal.storage, None);
		// 20, 5 % of it, and the premium.
		assert_eq!(deal.price, 20 + 1 + 2);
	});
}

#[test]
fn open_should_pass_over_storage_winners_that_are_gone_when_it_draws() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 20);
		for node in 2..=5 {
			ask(node, AskRole::Storage, 1);
		}
		go_to_epoch(1);
		let drawn: std::collections::BTreeSet<_> = (0..64).map(|job| open(job, 1, 0).storage.unwrap().0).collect();
		assert_eq!(drawn.into_iter().collect::<Vec<_>>(), vec![2, 3, 4, 5]);
		for node in [2, 3, 5] {
			leave(node);
		}
		assert!((0..64).all(|job| open(job, 1, 0).storage.unwrap().0 == 4));
		leave(4);
		assert_eq!(open(1, 1, 0).storage, None);
		assert_eq!(
			open(1, 1, 0).price,
			Split::quote(MODEL, 0, 1, DETECTION, None).unwrap().price
		);
	});
}

#[test]
fn close_should_drop_a_past_record_when_its_last_job_goes() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let (first, second) = (open(1, 1, 0), open(2, 1, 0));
		go_to_epoch(2);
		Split::close(MODEL, &first);
		assert!(is_kept(1));
		Split::close(MODEL, &second);
		assert!(!is_kept(1));
		assert_eq!(LastCleared::<Test>::get(MODEL), None);
	});
}

#[test]
fn close_should_keep_the_record_of_its_own_epoch_when_its_last_job_goes() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open(1, 1, 0);
		Split::close(MODEL, &deal);
		assert!(is_kept(1));
		assert_eq!(open(2, 1, 0).price, deal.price);
		Split::close(MODEL, &deal);
		// The next epoch's first job drops it.
		go_to_epoch(2);
		open(3, 1, 0);
		assert!(!is_kept(1) && is_kept(2));
	});
}

#[test]
fn open_should_keep_a_former_record_when_jobs_refer_to_it() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let old = open(1, 1, 0);
		go_to_epoch(2);
		let new = open(2, 1, 0);
		go_to_epoch(3);
		Split::close(MODEL, &new);
		assert!(is_kept(1) && !is_kept(2));
		Split::close(MODEL, &old);
		assert!(!is_kept(1));
	});
}

#[test]
fn prune_should_drop_a_past_record_when_no_job_refers_to_it() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open(1, 1, 0);
		let prune = || Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
		Split::close(MODEL, &deal);
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
		go_to_epoch(2);
		assert_ok!(prune());
		assert!(!is_kept(1));
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
	});
}

#[test]
fn open_should_refuse_when_the_count_of_jobs_is_full() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		open(1, 1, 0);
		Clearings::<Test>::mutate(MODEL, 1, |record| record.as_mut().unwrap().jobs = u32::MAX);
		assert_noop!(
			Split::open(1, MODEL, 1, 0, DETECTION, None, [0; 32]),
			Error::<Test>::TooManyJobs
		);
	});
}

#[test]
fn providers_should_name_storage_first_and_nobody_twice_when_cleared() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		ask(3, AskRole::Compute, 1);
		assert!(Split::providers(MODEL).is_empty());
		go_to_epoch(2);
		open(1, 1, 0);
		assert_eq!(Split::providers(MODEL), vec![3, 1]);
	});
}

#[test]
fn open_should_have_no_storage_line_when_the_only_offer_is_beyond_the_reserve() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 20);
		ask(2, AskRole::Storage, MAX_ASK);
		go_to_epoch(1);
		let deal = open(1, 1, 100 * MIB);
		// As above: 5 % and the premium.
		assert_eq!((deal.storage, deal.price), (None, 20 + 1 + 2));
		// A MiB may cost as much as the unit that it is run for.
		ask(2, AskRole::Storage, 20);
		go_to_epoch(2);
		assert_eq!(open(2, 1, 2 * MIB).storage, Some((2, 40)));
	});
}

#[test]
fn storage_reserve_should_be_the_compute_price_of_a_mib_when_the_unit_is_a_kib() {
	ExtBuilder.build_and_execute(|| {
		TestUnit::set(highway_primitives::Unit::InputKib);
		ask(1, AskRole::Compute, 2);
		ask(2, AskRole::Storage, 2 * 1024);
		ask(3, AskRole::Storage, 2 * 1024 + 1);
		go_to_epoch(1);
		assert_eq!(open(1, 1024, MIB).storage, Some((2, 2 * 1024)));
	});
}

#[test]
fn open_should_at_most_double_the_price_when_dearer_asks_are_the_majority() {
	ExtBuilder.build_and_execute(|| {
		for node in 1..=3 {
			ask(node, AskRole::Compute, 10);
		}
		go_to_epoch(1);
		assert_eq!(open(1, 1, 0).compute, 10);
		ask(2, AskRole::Compute, 20);
		ask(3, AskRole::Compute, MAX_ASK);
		go_to_epoch(2);
		// The last clearing was at 10: up to 20 counts.
		let deal = open(2, 1, 0);
		assert_eq!(deal.compute, 10);
		assert_eq!(Split::executors(MODEL, &deal), vec![1]);
		ask(1, AskRole::Compute, 15);
		ask(2, AskRole::Compute, 21);
		go_to_epoch(3);
		let deal = open(3, 1, 0);
		assert_eq!((deal.compute, Split::executors(MODEL, &deal)), (15, vec![1]));
	});
}

#[test]
fn open_should_still_find_nodes_when_all_ask_more_than_twice_the_last_price() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 10);
		go_to_epoch(1);
		open(1, 1, 0);
		for node in 1..=8 {
			ask(node, AskRole::Compute, 100 + Balance::from(node));
		}
		go_to_epoch(2);
		let deal = open(2, 1, 0);
		// The cheapest quarter: 101 and 102, of which the lower clears.
		assert_eq!((deal.compute, Split::executors(MODEL, &deal)), (101, vec![1]));
	});
}

#[test]
fn looked_at_should_count_the_asks_on_the_first_touch_and_the_winners_later() {
	ExtBuilder.build_and_execute(|| {
		for node in 1..=5 {
			ask(node, AskRole::Compute, Balance::from(node));
		}
		ask(9, AskRole::Storage, 1);
		go_to_epoch(1);
		let first = open(1, 1, 0);
		assert_eq!(Split::looked_at(MODEL, &first), 6);
		let second = open(2, 1, 0);
		// Three of five win.
		assert_eq!(Split::looked_at(MODEL, &second), 4);
	});
}

#[test]
fn a_quorum_should_clear_once_and_keep_the_record_for_its_last_job() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		System::reset_events();
		let first = open(1, 1, 0);
		let siblings = [(); 2].map(|()| Split::open_sibling(MODEL, &first).unwrap());
		assert_eq!(events().len(), 1, "it is cleared once");
		assert_eq!(Clearings::<Test>::get(MODEL, 1).unwrap().jobs, 3);
		go_to_epoch(2);
		Split::close(MODEL, &first);
		Split::close(MODEL, &siblings[0]);
		assert!(is_kept(1));
		Split::close(MODEL, &siblings[1]);
		assert!(!is_kept(1));
	});
}
