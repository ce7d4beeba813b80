//! What stands behind an ask follows what places are paid.

use super::*;
use crate::pallet::Markets;
use frame_support::assert_ok;

const COMPUTE: AskRole = AskRole::Compute;
const STORAGE: AskRole = AskRole::Storage;

fn bonds() -> (Balance, Balance) {
	(Split::ask_bond(MODEL, COMPUTE), Split::ask_bond(MODEL, STORAGE))
}

fn clear() {
	assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
}

/// Node 1 has done the job.
fn settle(job: JobId, deal: &Deal<AccountId>) {
	Split::settle(job, MODEL, &PAYER, deal, 1, true);
	Split::close(MODEL, deal);
}

/// A job that is done at once.
fn job(job: JobId, units: u32, input_size: u64) {
	settle(job, &open_and_escrow(job, units, input_size));
}

#[test]
fn a_bond_should_be_what_a_place_was_paid_in_the_better_of_the_last_two_epochs() {
	ExtBuilder.build_and_execute(|| {
		assert_eq!(bonds(), (BOND, BOND));
		market_with_all_roles();
		job(1, 1_000, 0);
		job(2, 7, 200 * MIB);
		// The epoch is not over: what somebody orders in it does not move what others have to reserve in it.
		assert_eq!(bonds(), (BOND, BOND));
		go_to_epoch(2);
		// 10 · 1007 / 2 places, and 3 · 201 / 1.
		assert_eq!(bonds(), (5_035, 603));
		host(9, MODEL);
		assert_ok!(commit(9, COMPUTE, Some(4)));
		assert_eq!(TestNodes::get(9).unwrap().reserved, 5_035);
		// Epochs that nobody clears change nothing, and one that somebody does when it is over.
		go_to_epoch(7);
		assert_eq!(bonds(), (5_035, 603));
		job(3, 20, 0);
		assert_eq!(bonds(), (5_035, 603));
		go_to_epoch(8);
		assert_eq!(bonds(), (5_035, 603));
		clear();
		// The better of what was paid in 8 and in 7.
		go_to_epoch(9);
		assert_eq!(bonds(), (100, BOND));
	});
}

#[test]
fn a_bond_should_stay_as_it_is_when_jobs_fail_or_their_payers_have_the_price_back() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		for job in 0..4 {
			let deal = open_and_escrow(job, 100_000, 200 * MIB);
			match job {
				0 | 1 => Split::refund(job, &PAYER, &deal),
				_ => drop(Split::fail(job, &PAYER, &deal, &[1, 2])),
			}
			Split::close(MODEL, &deal);
		}
		let open = open_and_escrow(4, 100_000, 200 * MIB);
		go_to_epoch(2);
		// They are demand all the same.
		assert_eq!(Markets::<Test>::get(MODEL).demand.jobs, 5);
		assert_eq!(bonds(), (BOND, BOND));
		assert_ok!(commit(1, COMPUTE, Some(4)));
		// One is done, after all.
		settle(4, &open);
		assert_eq!(bonds(), (500_000, 600));
	});
}

#[test]
fn whoever_commits_early_should_have_the_same_bond_when_each_epoch_pays_the_same() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let mut open = [0, 1].map(|job| open_and_escrow(job, 500, 0));
		for epoch in 2..6 {
			go_to_epoch(epoch);
			let early = bonds();
			// Those of the epoch before are done while this one runs.
			for (job, deal) in (0..).zip(&open) {
				settle(job, deal);
			}
			assert_eq!(bonds(), (5_000, BOND));
			assert_eq!(early.0, if epoch == 2 { BOND } else { 5_000 });
			open = [0, 1].map(|job| open_and_escrow(job, 500, 0));
		}
	});
}

#[test]
fn a_bond_should_be_lost_as_it_was_when_it_was_reserved() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		job(1, 1_000, 0);
		go_to_epoch(2);
		clear();
		go_to_epoch(3);
		host(9, MODEL);
		assert_ok!(commit(9, COMPUTE, Some(4)));
		clear();
		go_to_epoch(4);
		assert_eq!(bonds().0, BOND);
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		assert_eq!(TestNodes::get(9).unwrap().bond, NODE_BOND - 5_000);
	});
}

#[test]
fn siblings_should_count_as_jobs_and_each_be_paid_for() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let first = open_and_escrow(1, 100, 2 * MIB);
		let siblings = [2, 3].map(|job| {
			let deal = Split::open_sibling(MODEL, &first).unwrap();
			assert_ok!(Split::escrow(&PAYER, &deal));
			(job, deal)
		});
		let state = Markets::<Test>::get(MODEL);
		let latest = state.latest.unwrap();
		assert_eq!(state.demand.jobs, 3);
		assert_eq!((latest.compute.winners, latest.storage.winners), (2, 1));
		settle(1, &first);
		siblings.iter().for_each(|(job, deal)| settle(*job, deal));
		go_to_epoch(2);
		// The first one alone is stored, for less than the lowest bond.
		assert_eq!(bonds(), (1_500, BOND));
	});
}

#[test]
fn a_bond_beyond_all_money_should_refuse_the_commitment_and_nothing_else() {
	ExtBuilder.build_and_execute(|| {
		Balances::mint_into(&PAYER, 1 << 100).unwrap();
		ask(1, COMPUTE, MAX_ASK);
		go_to_epoch(1);
		job(1, u32::MAX, u64::MAX);
		go_to_epoch(2);
		assert!(bonds().0 > NODE_BOND);
		assert!(commit(1, COMPUTE, Some(1)).is_err());
		assert_eq!(bonds().1, BOND);
		assert_ok!(commit(1, STORAGE, Some(1)));
	});
}
