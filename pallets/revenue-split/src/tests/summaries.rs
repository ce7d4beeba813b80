//! What is told of the latest epochs, and of the market as it is now.

use super::*;
use crate::{AskTaskParts, AskView, Summary, MAX_SUMMARIES};
use frame_support::assert_ok;
use highway_primitives::{market::MarketPhase, Role};

const COMPUTE: AskRole = AskRole::Compute;
const STORAGE: AskRole = AskRole::Storage;

fn clear() {
	assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
}

fn line(summary: &Summary, role: Role) -> Balance {
	let at = Role::ALL.iter().position(|other| *other == role).unwrap();
	summary.lines[at]
}

#[test]
fn a_summary_should_add_up_the_lines_of_settled_jobs() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deals: Vec<_> = (0..4).map(|job| open_and_escrow(job, 10, 3 * MIB)).collect();
		assert_eq!(Split::summaries(MODEL)[0].1.jobs, 0);
		let mut paid = 0;
		for (job, deal) in (0..).zip(&deals) {
			match job {
				0 => Split::refund(job, &PAYER, deal),
				1 => drop(Split::fail(job, &PAYER, deal, &[1, 2])),
				_ => paid += sum(&Split::settle(job, MODEL, &PAYER, deal, 1, job == 2).bill),
			}
			go_to_epoch(2);
			Split::close(MODEL, deal);
		}
		let summaries = Split::summaries(MODEL);
		assert_eq!(summaries.len(), 1);
		let (epoch, summary) = &summaries[0];
		assert_eq!((*epoch, summary.compute_price, summary.storage_price), (1, 10, Some(3)));
		assert_eq!((summary.jobs, summary.units), (2, 20));
		assert_eq!((summary.executors, summary.providers), (2, 1));
		assert_eq!([COMPUTE, STORAGE].map(|role| summary.paid_a_place(role)), [100, 18]);
		assert_eq!(summary.lines.iter().sum::<Balance>(), paid);
		assert_eq!(line(summary, Role::Maker), 2 * 50);
		assert_eq!(line(summary, Role::Parent), 2 * 20);
		assert_eq!(line(summary, Role::Compute), 2 * 100);
		assert_eq!(line(summary, Role::Storage), 2 * 9);
		// Of the second one nobody was asked to audit it.
		assert_eq!(line(summary, Role::Auditor), deals[0].premium);
		// 5 % of 179, rounded up.
		assert_eq!(line(summary, Role::Protocol), 2 * 9);
	});
}

#[test]
fn summaries_should_be_the_latest_cleared_epochs_in_order() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 10);
		let mut cleared = Vec::new();
		for epoch in (1..100).step_by(2) {
			go_to_epoch(epoch);
			clear();
			cleared.push(epoch);
		}
		let epochs: Vec<_> = Split::summaries(MODEL).into_iter().map(|(epoch, _)| epoch).collect();
		assert_eq!(epochs, cleared.split_off(cleared.len() - MAX_SUMMARIES as usize));
		assert_eq!(crate::Summaries::<Test>::iter().count() as u32, MAX_SUMMARIES);
	});
}

#[test]
fn a_job_should_be_settled_when_its_epochs_summary_is_forgotten() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open_and_escrow(1, 1, 0);
		for epoch in 2..3 + MAX_SUMMARIES {
			go_to_epoch(epoch);
			clear();
		}
		Split::settle(1, MODEL, &PAYER, &deal, 1, true);
		Split::close(MODEL, &deal);
		assert!(Split::summaries(MODEL)
			.iter()
			.all(|(epoch, summary)| *epoch > 1 && summary.jobs == 0));
	});
}

#[test]
fn market_should_tell_phase_prices_places_and_asks() {
	ExtBuilder.build_and_execute(|| {
		let unknown = Split::market(MODEL);
		assert_eq!(
			(unknown.demand, unknown.roles[0].reserve, unknown.roles[0].price),
			(0, None, None)
		);
		market_with_all_roles();
		for job in 0..16 {
			open(job, 1, 0);
		}
		assert_ok!(commit(1, COMPUTE, Some(9)));
		assert_ok!(commit(3, STORAGE, None));
		go_to_reveals();
		assert_ok!(reveal(1, COMPUTE, Some(9)));
		let view = Split::market(MODEL);
		assert_eq!((view.epoch, view.phase), (1, MarketPhase::Reveal));
		assert_eq!((view.phase_until, view.epoch_until), (2 * EPOCH - 1, 2 * EPOCH - 1));
		let ask = |node, price, from, won| AskView { node, price, from, won };
		let compute = &view.roles[0];
		assert_eq!(
			(compute.role, compute.reserve, compute.price),
			(COMPUTE, Some(10), Some(10))
		);
		assert_eq!((compute.places, compute.commitments), (MIN_WINNERS, 0));
		assert_eq!(compute.winners, vec![1, 2]);
		// What holds now, and what holds from the next epoch on.
		assert_eq!(
			compute.asks,
			vec![ask(1, 5, 1, true), ask(1, 9, 2, true), ask(2, 10, 1, true)]
		);
		let storage = &view.roles[1];
		assert_eq!((storage.price, storage.commitments), (Some(3), 1));
		assert_eq!((&storage.winners, &storage.asks), (&vec![3], &vec![ask(3, 3, 1, true)]));
		// Two of 16 jobs count after one epoch: a quarter of what two winners are counted on to do.
		go_to_epoch(2);
		let view = Split::market(MODEL);
		assert_eq!(
			(view.demand, view.phase, view.phase_until),
			(2_000, MarketPhase::Commit, 2 * EPOCH + FIRST_REVEAL - 1)
		);
		assert_eq!(view.roles[0].utilisation, sp_runtime::Perbill::from_percent(25));
	});
}

#[test]
fn market_should_tell_a_price_and_no_reserve_until_somebody_buys() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		clear();
		let told = || {
			let roles = Split::market(MODEL).roles;
			roles
				.into_iter()
				.map(|role| (role.price, role.reserve))
				.collect::<Vec<_>>()
		};
		assert_eq!(told(), vec![(Some(10), None), (Some(3), None)]);
		open(1, 1, 0);
		assert_eq!(told(), vec![(Some(10), Some(10)), (Some(3), Some(3))]);
	});
}

#[test]
fn ask_tasks_should_say_what_a_worker_may_say_now() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		open(1, 1, 0);
		assert_ok!(commit(1, COMPUTE, Some(9)));
		let hash = commitment(1, COMPUTE, Some(9)).hash;
		let compute = AskTaskParts {
			model: MODEL,
			role: COMPUTE,
			epoch: 2,
			phase: MarketPhase::Commit,
			until: EPOCH + FIRST_REVEAL - 1,
			standing: Some(5),
			committed: Some(hash),
			price: Some(10),
			won: true,
		};
		let storage = AskTaskParts {
			role: STORAGE,
			standing: None,
			committed: None,
			price: Some(3),
			won: false,
			..compute
		};
		assert_eq!(Split::ask_tasks(1, &[MODEL]), vec![compute, storage]);
		let reveals = AskTaskParts {
			phase: MarketPhase::Reveal,
			until: 2 * EPOCH - 1,
			..compute
		};
		// What is sent now is in the next block: in the last one of a phase it is time for the other.
		go_to(EPOCH + FIRST_REVEAL - 2);
		assert_eq!(Split::ask_tasks(1, &[MODEL]), vec![compute, storage]);
		go_to(EPOCH + FIRST_REVEAL - 1);
		assert_eq!(Split::ask_tasks(1, &[MODEL, 8]), vec![reveals]);
		// Whatever it hosts: a withdrawal could still be opened.
		assert_eq!(Split::ask_tasks(1, &[]), vec![reveals]);
		go_to(2 * EPOCH - 2);
		assert_eq!(Split::ask_tasks(1, &[MODEL]), vec![reveals]);
		assert_ok!(reveal(1, COMPUTE, Some(9)));
		assert_eq!(Split::ask_tasks(1, &[MODEL]), vec![]);
		go_to(2 * EPOCH - 1);
		let next = AskTaskParts {
			epoch: 3,
			until: 2 * EPOCH + FIRST_REVEAL - 1,
			standing: Some(9),
			committed: None,
			..compute
		};
		assert_eq!(Split::ask_tasks(1, &[MODEL])[0], next);
		// A broken commitment is nothing that could be opened any more.
		go_to_epoch(2);
		assert_ok!(commit(1, COMPUTE, Some(8)));
		go_to_epoch(3);
		let again = Split::ask_tasks(1, &[MODEL])[0];
		assert_eq!((again.standing, again.committed), (Some(9), None));
	});
}

#[test]
fn invariants_should_notice_when_summaries_or_stored_models_disagree() {
	ExtBuilder.build().execute_with(|| {
		market_with_all_roles();
		open(1, 1, 0);
		assert_ok!(Split::do_try_state());
		crate::Summaries::<Test>::insert(MODEL, 9, Summary::default());
		assert!(Split::do_try_state().is_err());
		crate::Summaries::<Test>::remove(MODEL, 9);
		crate::StoredCount::<Test>::put(2);
		assert!(Split::do_try_state().is_err());
		crate::StoredCount::<Test>::put(0);
		assert!(Split::do_try_state().is_err());
		crate::StoredCount::<Test>::put(1);
		assert_ok!(Split::do_try_state());
		let spoil = |spoil: fn(&mut crate::MarketState)| {
			let state = crate::Markets::<Test>::get(MODEL);
			crate::Markets::<Test>::mutate(MODEL, spoil);
			assert!(Split::do_try_state().is_err());
			crate::Markets::<Test>::insert(MODEL, state);
		};
		spoil(|state| state.compute_reserve = Some(0));
		spoil(|state| state.storage_reserve = Some(MAX_ASK + 1));
		spoil(|state| state.compute_reserve = None);
		spoil(|state| state.demand.jobs = 0);
		assert_ok!(Split::do_try_state());
	});
}
