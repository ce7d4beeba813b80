//! The records of epochs: when they come, when they go, and what is read of them.

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
		fall_silent(1);
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
				executors: 2,
				storage_price: Some(3)
			}]
		);
	});
}

#[test]
fn open_should_count_only_nodes_that_could_take_jobs_when_the_epoch_began() {
	ExtBuilder.build_and_execute(|| {
		for node in 1..=4 {
			ask(node, AskRole::Compute, Balance::from(node));
			ask(node, AskRole::Storage, Balance::from(node));
		}
		leave(1);
		fall_silent(2);
		unhost(3);
		go_to_epoch(1);
		let deal = open(1, 1, 0);
		assert_eq!(Split::executors(MODEL, &deal), vec![4]);
		assert_eq!(deal.compute, 4);
		assert_eq!(deal.storage, Some((4, 4)));
	});
}

#[test]
fn open_should_fail_and_keep_nothing_when_nobody_serves() {
	ExtBuilder.build_and_execute(|| {
		let attempt = || Split::open(1, &order(1, 0));
		assert_noop!(attempt(), Error::<Test>::NobodyServes);
		ask(1, AskRole::Storage, 1);
		ask(2, AskRole::Compute, 1);
		fall_silent(2);
		go_to_epoch(1);
		assert_noop!(attempt(), Error::<Test>::NobodyServes);
		assert_eq!(
			Split::quote(&order(1, 0)).unwrap_err(),
			Error::<Test>::NobodyServes.into()
		);
		// The model is not spoiled by the attempt.
		with_node(2, |node| node.able = true);
		go_to_epoch(2);
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
		for node in 2..=4 {
			ask(node, AskRole::Storage, 1);
		}
		go_to_epoch(1);
		let drawn: std::collections::BTreeSet<_> = (0..64).map(|job| open(job, 1, 0).storage.unwrap().0).collect();
		assert_eq!(drawn.into_iter().collect::<Vec<_>>(), vec![2, 3, 4]);
		leave(2);
		unhost(3);
		assert!((0..64).all(|job| open(job, 1, 0).storage.unwrap().0 == 4));
		leave(4);
		assert_eq!(open(1, 1, 0).storage, None);
		assert_eq!(open(1, 1, 0).price, Split::quote(&order(1, 0)).unwrap().price);
	});
}

#[test]
fn close_should_drop_a_past_record_when_its_last_job_goes() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let (first, second) = (open(1, 1, 0), open(2, 1, 0));
		go_to_epoch(2);
		open(3, 1, 0);
		Split::close(MODEL, &first);
		assert!(is_kept(1));
		Split::close(MODEL, &second);
		assert!(!is_kept(1));
		assert_eq!(LastCleared::<Test>::get(MODEL), Some(2));
	});
}

#[test]
fn close_should_keep_the_latest_record_when_its_last_job_goes() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open(1, 1, 0);
		Split::close(MODEL, &deal);
		assert!(is_kept(1));
		assert_eq!(open(2, 1, 0).price, deal.price);
		go_to_epoch(2);
		Split::close(MODEL, &deal);
		assert!(is_kept(1));
		// A later epoch's first job drops it.
		go_to_epoch(3);
		open(3, 1, 0);
		assert!(!is_kept(1) && is_kept(3));
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
		assert!(is_kept(1) && is_kept(2));
		Split::close(MODEL, &old);
		assert!(!is_kept(1) && is_kept(2));
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
		assert_noop!(Split::open(1, &order(1, 0)), Error::<Test>::TooManyJobs);
	});
}

#[test]
fn providers_should_name_storage_first_and_nobody_twice_when_cleared() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		ask(3, AskRole::Compute, 1);
		assert!(Split::providers(MODEL).is_empty());
		go_to_epoch(2);
		let deal = open(1, 1, 0);
		assert_eq!(Split::providers(MODEL), vec![3, 1, 2]);
		// Storage providers are known as long as nobody else is.
		go_to_epoch(3);
		Split::close(MODEL, &deal);
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		assert!(!is_kept(2));
		assert_eq!(Split::providers(MODEL), vec![3]);
	});
}

#[test]
fn looks_at_should_count_the_asks_before_the_first_touch_and_a_few_winners_later() {
	ExtBuilder.build_and_execute(|| {
		for node in 1..=5 {
			ask(node, AskRole::Compute, Balance::from(node));
		}
		ask(9, AskRole::Storage, 1);
		go_to_epoch(1);
		assert_eq!(Split::looks_at(MODEL), 6);
		// Whoever comes later looks for a storage provider alone, however many compute.
		let deal = open(1, 1, 0);
		assert_eq!(Split::looks_at(MODEL), 1);
		// As long as the epoch is what it is, with jobs or without.
		Split::close(MODEL, &deal);
		assert_eq!(Split::looks_at(MODEL), 1);
		go_to_epoch(2);
		assert_eq!(Split::looks_at(MODEL), 6);
		// Who clears has paid for it.
		assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
		assert_eq!(Split::looks_at(MODEL), 1);
		open(2, 1, 0);
		assert_eq!(Split::looks_at(MODEL), 1);
	});
}

#[test]
fn a_storage_provider_should_be_looked_for_four_times_at_most() {
	ExtBuilder.build_and_execute(|| {
		let winners: Vec<NodeId> = (0..10).collect();
		let drawn = || -> std::collections::BTreeSet<_> {
			(0..200u8)
				.map(|seed| Split::draw_storage(MODEL, &winners, &[seed; 32]))
				.collect()
		};
		assert_eq!(drawn(), [None].into());
		// Found by those whose draw falls on it or up to three places before it.
		host(9, MODEL);
		assert_eq!(drawn(), [None, Some(9)].into());
		host(3, MODEL);
		host(6, MODEL);
		assert_eq!(drawn(), [Some(3), Some(6), Some(9)].into());
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
		assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
		Split::close(MODEL, &first);
		Split::close(MODEL, &siblings[0]);
		assert!(is_kept(1));
		Split::close(MODEL, &siblings[1]);
		assert!(!is_kept(1));
	});
}
