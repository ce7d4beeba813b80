//! What is told of the latest epochs, and of the market as it is now.

use super::*;
use crate::{AskTaskParts, AskView, Summary, MAX_SUMMARIES};
use frame_support::assert_ok;
use highway_primitives::{market::MarketPhase, AskObstacle, Role};

const COMPUTE: AskRole = AskRole::Compute;
const STORAGE: AskRole = AskRole::Storage;

fn clear() {
	assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
}

fn reserved_of(node: NodeId) -> Balance {
	TestNodes::get(node).unwrap().reserved
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
			from: EPOCH,
			until: EPOCH + FIRST_REVEAL - 1,
			standing: Some(5),
			committed: Some(hash),
			obstacle: None,
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
			from: EPOCH + FIRST_REVEAL,
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
			from: 2 * EPOCH,
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
fn ask_tasks_should_name_no_model_that_is_gone_but_what_can_still_be_opened() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		assert_ok!(commit(1, COMPUTE, None));
		ModelIsGone::set(true);
		assert_eq!(Split::ask_tasks(1, &[MODEL]), vec![]);
		go_to_reveals();
		assert_eq!(Split::ask_tasks(1, &[MODEL]).len(), 1);
		assert_ok!(reveal(1, COMPUTE, None));
		ModelIsGone::set(false);
	});
}

/// What keeps the node from committing to an ask for compute, and for storage, by what its worker is told.
fn obstacles(node: NodeId) -> Vec<Option<AskObstacle>> {
	let tasks = Split::ask_tasks(node, &[MODEL]);
	tasks.into_iter().map(|task| task.obstacle).collect()
}

#[test]
fn ask_tasks_should_say_why_a_commitment_would_be_refused() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 300);
		go_to_epoch(1);
		let deal = open(1, 1, 0);
		Split::close(MODEL, &deal);
		go_to_epoch(2);
		let (behind, room) = (Split::ask_bond(MODEL, COMPUTE), 64 * 300);
		assert_eq!((behind, Split::ask_bond(MODEL, STORAGE)), (BOND, BOND));
		let missing = |missing: Balance| Some(AskObstacle::NoBond { missing });
		host(2, MODEL);
		let told = |bond: Balance, reserved: Balance| {
			with_node(2, |node| (node.bond, node.reserved) = (bond, reserved));
			let told = obstacles(2);
			for (role, obstacle) in [COMPUTE, STORAGE].into_iter().zip(&told) {
				assert_eq!(Split::may_commit(2, MODEL, role), obstacle.is_none());
			}
			assert_eq!(reserved_of(2), reserved, "nothing is reserved for a look");
			told
		};
		assert_eq!(told(room + behind, 0), [None, None]);
		// The bond of a first ask, and a job at the reserve beside it.
		assert_eq!(told(room + behind, 1), [missing(1), None]);
		assert_eq!(told(room + behind, room), [missing(room), None]);
		assert_eq!(told(room + behind, room + 1), [missing(room + 1), missing(1)]);
		assert_eq!(
			told(room + behind, room + behind),
			[missing(room + behind), missing(BOND)]
		);
		// Whose whole bond is less than both together needs that of the ask alone.
		assert_eq!(told(room + behind - 1, 0), [None, None]);
		assert_eq!(told(room - 1, 0), [None, None]);
		assert_eq!(told(room - 1, room - BOND), [missing(1), missing(1)]);
		// What is missing is enough.
		assert_eq!(told(room + behind + 7, 7), [None, None]);
		fall_silent(2);
		assert_eq!(told(room + behind, 0), [Some(AskObstacle::NotEligible); 2]);
		with_node(2, |node| node.able = true);
		// Nothing keeps it from what it has done.
		assert_ok!(commit(2, COMPUTE, Some(1)));
		with_node(2, |node| node.reserved = node.bond);
		assert_eq!(obstacles(2), [None, missing(BOND)]);
		go_to(2 * EPOCH + FIRST_REVEAL - 1);
		assert_eq!(obstacles(2), [None], "it is to be opened");
		with_node(2, |node| node.reserved = BOND);
	});
}

#[test]
fn ask_tasks_should_ask_no_more_of_who_has_a_place_than_the_bond_of_its_ask() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 300);
		go_to_epoch(1);
		let deal = open(1, 1, 0);
		Split::close(MODEL, &deal);
		go_to_epoch(2);
		with_node(1, |node| node.reserved = node.bond - BOND);
		assert_eq!(obstacles(1), [None, None]);
		with_node(1, |node| node.reserved += 1);
		let missing = Some(AskObstacle::NoBond { missing: 1 });
		assert_eq!(obstacles(1), [missing, missing]);
		with_node(1, |node| node.reserved = BOND);
	});
}

#[test]
fn ask_tasks_should_know_before_an_epoch_begins_what_will_keep_a_node_from_committing_in_it() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		go_to(EPOCH - 1);
		assert_eq!(obstacles(1), [None, None]);
		with_node(1, |node| node.bond = BOND - 1);
		let missing = Some(AskObstacle::NoBond { missing: 1 });
		assert_eq!(obstacles(1), [missing, missing]);
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
