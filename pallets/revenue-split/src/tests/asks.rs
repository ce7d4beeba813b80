//! The book: who has a place, who loses it, and what stands behind it.

use super::*;
use crate::{pallet::Asks, Error, MAX_ASKS};
use frame_support::{assert_noop, assert_ok};

const COMPUTE: AskRole = AskRole::Compute;

fn price_now() -> Option<Balance> {
	Split::quote(&order(1, 0)).ok().map(|quote| quote.compute)
}

fn fill(price: impl Fn(NodeId) -> Balance) {
	for node in 0..MAX_ASKS {
		ask(node, COMPUTE, price(node));
	}
}

fn reserved(node: NodeId) -> Balance {
	TestNodes::get(node).unwrap().reserved
}

fn prune() -> frame_support::dispatch::DispatchResultWithPostInfo {
	Split::prune(RuntimeOrigin::signed(PAYER), MODEL)
}

/// Whether the last thing that happened is that the node found no place.
fn is_outbid(node: NodeId) -> bool {
	matches!(events().last(), Some(Event::AskOutbid { node: outbid, .. }) if *outbid == node)
}

#[test]
fn an_ask_should_hold_from_the_next_epoch_when_placed() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), Some(40));
		assert_eq!(price_now(), None);
		go_to(EPOCH - 1);
		assert_eq!(price_now(), None);
		go_to(EPOCH);
		assert_eq!(price_now(), Some(40));
	});
}

#[test]
fn an_ask_should_not_move_this_epochs_price_when_it_changes() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		go_to_epoch(1);
		ask(1, COMPUTE, 90);
		ask(1, COMPUTE, 70);
		assert_eq!(reserved(1), BOND);
		assert_eq!(price_now(), Some(40));
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), Some(40));
		go_to_epoch(2);
		assert_eq!(price_now(), Some(70));
		go_to_epoch(9);
		assert_eq!(price_now(), Some(70));
	});
}

#[test]
fn an_ask_should_end_with_the_epoch_when_withdrawn() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		go_to_epoch(1);
		withdraw(1, COMPUTE);
		assert_eq!((price_now(), reserved(1)), (Some(40), 0));
		go_to_epoch(2);
		assert_eq!(price_now(), None);
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), None);
	});
}

#[test]
fn an_ask_should_leave_nothing_when_it_is_withdrawn_before_it_held() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		withdraw(1, COMPUTE);
		assert!(!Asks::<Test>::contains_key(MODEL, COMPUTE));
	});
}

#[test]
fn a_better_ask_should_displace_the_dearest_when_all_places_are_taken() {
	ExtBuilder.build_and_execute(|| {
		fill(|node| 1000 + Balance::from(node));
		let dearest = 1000 + Balance::from(MAX_ASKS - 1);
		ask(MAX_ASKS, COMPUTE, dearest);
		assert!(is_outbid(MAX_ASKS));
		assert_eq!((Split::ask_of(MAX_ASKS, MODEL, COMPUTE), reserved(MAX_ASKS)), (None, 0));
		ask(MAX_ASKS, COMPUTE, dearest - 1);
		assert_eq!(Split::ask_of(MAX_ASKS - 1, MODEL, COMPUTE), None);
		assert_eq!((reserved(MAX_ASKS), reserved(MAX_ASKS - 1)), (BOND, 0));
		assert!(events().contains(&Event::AskDisplaced {
			model: MODEL,
			role: COMPUTE,
			node: MAX_ASKS - 1,
			from: 1
		}));
		// The other role has places of its own.
		ask(MAX_ASKS + 1, AskRole::Storage, MAX_ASK);
		assert_eq!(Split::ask_of(MAX_ASKS + 1, MODEL, AskRole::Storage), Some(MAX_ASK));
	});
}

#[test]
fn an_ask_should_not_move_this_epochs_price_when_it_displaces_everybody() {
	ExtBuilder.build_and_execute(|| {
		fill(|_| 1000);
		go_to_epoch(1);
		for node in MAX_ASKS..2 * MAX_ASKS {
			ask(node, COMPUTE, 1);
		}
		assert_eq!(Asks::<Test>::get(MODEL, COMPUTE).len() as u32, 2 * MAX_ASKS);
		check_invariants();
		assert_eq!(price_now(), Some(1000));
		assert_eq!(open(1, 1, 0).compute, 1000);
		// One displaced may fight back in the same epoch, but not beyond the places there are.
		ask(0, COMPUTE, 0);
		ask(1, COMPUTE, 1);
		assert!(is_outbid(1));
		go_to_epoch(2);
		assert_eq!(
			Asks::<Test>::get(MODEL, COMPUTE)
				.iter()
				.filter(|ask| ask.effective(2).is_some())
				.count(),
			64
		);
		assert_eq!(price_now(), Some(1));
	});
}

#[test]
fn an_ask_should_take_the_place_of_a_node_that_stopped_hosting_when_full() {
	ExtBuilder.build_and_execute(|| {
		fill(|_| 10);
		unhost(5);
		ask(MAX_ASKS, COMPUTE, MAX_ASK);
		assert_eq!(Split::ask_of(5, MODEL, COMPUTE), None);
		assert_eq!(Split::ask_of(MAX_ASKS, MODEL, COMPUTE), Some(MAX_ASK));
		assert_eq!(reserved(5), 0);
	});
}

#[test]
fn an_ask_should_only_change_its_price_when_it_has_a_place_in_a_full_book() {
	ExtBuilder.build_and_execute(|| {
		fill(|_| 10);
		ask(5, COMPUTE, 99);
		assert_eq!(Split::ask_of(5, MODEL, COMPUTE), Some(99));
		assert!(!events().iter().any(|event| matches!(event, Event::AskDisplaced { .. })));
	});
}

#[test]
fn an_ask_should_take_the_place_of_a_node_that_cannot_serve_when_full() {
	ExtBuilder.build_and_execute(|| {
		// All ask nothing, and one of them is not heard any more: squatters cannot keep a market.
		fill(|_| 0);
		fall_silent(7);
		ask(MAX_ASKS, COMPUTE, MAX_ASK);
		assert_eq!(Split::ask_of(7, MODEL, COMPUTE), None);
		// Who hosts nothing goes first, then who cannot serve, then who asks most.
		fall_silent(8);
		unhost(20);
		for (newcomer, displaced) in [(MAX_ASKS + 1, 20), (MAX_ASKS + 2, 8), (MAX_ASKS + 3, MAX_ASKS)] {
			ask(newcomer, COMPUTE, 0);
			assert_eq!(Split::ask_of(displaced, MODEL, COMPUTE), None);
		}
	});
}

#[test]
fn an_ask_should_displace_nobody_when_its_node_cannot_serve_itself() {
	ExtBuilder.build_and_execute(|| {
		let newcomer = MAX_ASKS;
		host(newcomer, MODEL);
		assert_ok!(commit(newcomer, COMPUTE, Some(0)));
		fill(|_| 10);
		fall_silent(3);
		fall_silent(newcomer);
		go_to_reveals();
		assert_ok!(reveal(newcomer, COMPUTE, Some(0)));
		assert!(is_outbid(newcomer));
		// A free place it may have.
		withdraw(5, COMPUTE);
		go_to_epoch(1);
		with_node(newcomer, |node| node.able = true);
		assert_ok!(commit(newcomer, COMPUTE, Some(0)));
		fall_silent(newcomer);
		go_to_reveals();
		assert_ok!(reveal(newcomer, COMPUTE, Some(0)));
		assert_eq!(Split::ask_of(newcomer, MODEL, COMPUTE), Some(0));
	});
}

/// In the next epoch the node commits, and reveals.
fn ask_anew(node: NodeId, role: AskRole, price: Balance) {
	go_to_epoch(Split::current_epoch() + 1);
	assert_ok!(commit(node, role, Some(price)));
	go_to_reveals();
	assert_ok!(reveal(node, role, Some(price)));
}

/// What holds of the node's asks once they have all come about.
fn upcoming(node: NodeId) -> Option<Balance> {
	let book = Asks::<Test>::get(MODEL, COMPUTE);
	book.iter().find(|ask| ask.node == node)?.upcoming()
}

/// Whether the last thing that happened is that the node's ask was not taken, as its bond did not secure it.
fn is_unsecured(node: NodeId, price: Balance) -> bool {
	let unsecured = Event::AskUnsecured {
		model: MODEL,
		role: COMPUTE,
		node,
		price,
	};
	events().last() == Some(&unsecured)
}

#[test]
fn an_ask_should_have_no_place_when_the_free_bond_secures_no_job_at_it() {
	ExtBuilder.build_and_execute(|| {
		// 64 times the ask, beside the bond of the ask itself.
		host(1, MODEL);
		with_node(1, |node| node.bond = 64 * 100 + BOND - 1);
		ask_anew(1, COMPUTE, 100);
		assert!(is_unsecured(1, 100));
		assert_eq!((upcoming(1), reserved(1)), (None, 0));
		// Nobody secures the storage of a file.
		ask_anew(1, AskRole::Storage, 100);
		assert_eq!(Split::ask_of(1, MODEL, AskRole::Storage), Some(100));
		withdraw(1, AskRole::Storage);
		with_node(1, |node| node.bond += 1);
		ask_anew(1, COMPUTE, 100);
		assert_eq!(upcoming(1), Some(100));
		// Whose bond is in use because it serves may ask on.
		secure(1, 64 * 100 - BOND);
		ask_anew(1, COMPUTE, 90);
		assert_eq!(upcoming(1), Some(90));
		with_node(1, |node| node.reserved = BOND);
	});
}

#[test]
fn an_ask_should_not_rise_above_what_all_of_the_nodes_bond_secures() {
	ExtBuilder.build_and_execute(|| {
		host(1, MODEL);
		with_node(1, |node| node.bond = 64 * 100 - 1);
		ask_anew(1, COMPUTE, 0);
		ask_anew(1, COMPUTE, 100);
		// What it asked before stands, with what is behind that.
		assert!(is_unsecured(1, 100));
		assert_eq!((upcoming(1), reserved(1)), (Some(0), BOND));
		// Work in hand does not count against it.
		with_node(1, |node| node.bond += 1);
		secure(1, 64 * 100 - 2 * BOND);
		ask_anew(1, COMPUTE, 100);
		assert_eq!(upcoming(1), Some(100));
		// Whose bond has shrunk may still ask less.
		with_node(1, |node| (node.bond, node.reserved) = (64 * 50, BOND));
		ask_anew(1, COMPUTE, 60);
		assert_eq!(upcoming(1), Some(60));
	});
}

#[test]
fn an_ask_of_nothing_should_have_no_place_when_a_job_at_the_reserve_finds_too_little_free() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 300);
		go_to_epoch(1);
		let deal = open(1, 1, 0);
		Split::close(MODEL, &deal);
		assert_eq!(crate::Markets::<Test>::get(MODEL).compute_reserve, Some(300));
		go_to_epoch(2);
		let behind = Split::ask_bond(MODEL, COMPUTE);
		// So much is bonded, of which other work has reserved some.
		let bonded = |node: NodeId, bond: Balance, used: Balance| {
			host(node, MODEL);
			with_node(node, |node| (node.bond, node.reserved) = (bond, used));
			go_to_epoch(Split::current_epoch() + 1);
			Split::may_commit(node, MODEL, COMPUTE)
		};
		let give_back = |node: NodeId, used: Balance| with_node(node, |node| node.reserved -= used);
		let refused = |node: NodeId, bond: Balance, used: Balance| {
			assert!(!bonded(node, bond, used));
			assert_noop!(commit(node, COMPUTE, Some(0)), Error::<Test>::BondInUse);
			// In a batch, too, nothing stays reserved for it.
			Split::do_commit_asks(node, &[commitment(node, COMPUTE, Some(0))]);
			assert_eq!(
				(Split::commitment_of(node, MODEL, COMPUTE), reserved(node)),
				(None, used)
			);
			give_back(node, used);
		};
		let asked = |node: NodeId, bond: Balance, used: Balance| {
			assert!(bonded(node, bond, used));
			ask_anew(node, COMPUTE, 0);
			give_back(node, used);
			(upcoming(node), reserved(node))
		};
		// The bond of the ask is not free, and no other reservation.
		refused(2, 64 * 300 + behind, 1);
		assert_eq!(asked(3, 64 * 300 + behind, 0), (Some(0), behind));
		assert_eq!(asked(4, 64 * 300 + behind + 1, 1), (Some(0), behind));
		// A dear reserve does not keep those out whose bond is small, whatever of it is in use.
		assert_eq!(asked(5, 64 * 300 + behind - 1, 0), (Some(0), behind));
		assert_eq!(asked(6, 64 * 300 + behind - 1, 64 * 200), (Some(0), behind));
		// A place in storage reserves nothing.
		ask_anew(2, AskRole::Storage, 0);
		assert_eq!(Split::ask_of(2, MODEL, AskRole::Storage), Some(0));
	});
}

#[test]
fn an_ask_should_count_as_its_bond_was_when_it_was_committed_to() {
	let since: [fn(); 5] = [
		|| (),
		// More is bonded, some of it leaves, other work takes it.
		|| with_node(1, |node| node.bond += 64 * 100),
		|| with_node(1, |node| node.bond = node.reserved),
		|| with_node(1, |node| node.reserved = node.bond),
		// A job at a dear price makes that the reserve.
		|| {
			let deal = open(1, 1, 0);
			Split::close(MODEL, &deal);
		},
	];
	for happens in since {
		for (short, holds) in [(0, true), (1, false)] {
			ExtBuilder.build_and_execute(|| {
				host(1, MODEL);
				with_node(1, |node| node.bond = 64 * 100 + BOND - short);
				ask(2, COMPUTE, MAX_ASK);
				go_to_epoch(1);
				assert_ok!(commit(1, COMPUTE, Some(100)));
				happens();
				go_to_reveals();
				assert_ok!(reveal(1, COMPUTE, Some(100)));
				assert_eq!((upcoming(1).is_some(), is_unsecured(1, 100)), (holds, !holds));
				// What other work took is not the market's.
				with_node(1, |node| node.reserved = if holds { BOND } else { 0 });
			});
		}
	}
}

#[test]
fn an_ask_should_count_as_it_was_secured_when_its_node_has_lost_its_place_since() {
	ExtBuilder.build_and_execute(|| {
		fill(|node| 1000 + Balance::from(node));
		let dearest = MAX_ASKS - 1;
		go_to_epoch(1);
		// It has work: nothing else of its bond is free.
		with_node(dearest, |node| node.reserved = node.bond - BOND);
		assert_ok!(commit(dearest, COMPUTE, Some(5)));
		ask(MAX_ASKS, COMPUTE, 1);
		assert_eq!(upcoming(dearest), None);
		go_to_reveals();
		assert_ok!(reveal(dearest, COMPUTE, Some(5)));
		assert_eq!((upcoming(dearest), upcoming(dearest - 1)), (Some(5), None));
		with_node(dearest, |node| node.reserved = BOND);
	});
}

#[test]
fn prune_should_end_asks_of_nodes_that_stopped_hosting_with_the_epoch() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 10);
		ask(2, AskRole::Storage, 10);
		ask(3, AskRole::Storage, 10);
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
		go_to_epoch(1);
		unhost(1);
		unhost(2);
		assert_ok!(prune());
		assert_eq!(
			System::events().pop().unwrap().event,
			Event::Pruned {
				model: MODEL,
				asks: 2,
				commitments: 0
			}
			.into()
		);
		assert_eq!((reserved(1), reserved(2), reserved(3)), (0, 0, BOND));
		// Until the epoch is over they count as when it began.
		assert_eq!(price_now(), Some(10));
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
		go_to_epoch(2);
		assert_eq!(Split::ask_of(1, MODEL, COMPUTE), None);
		assert_ok!(prune());
		assert!(!Asks::<Test>::contains_key(MODEL, COMPUTE));
		assert_eq!(Split::ask_of(3, MODEL, AskRole::Storage), Some(10));
	});
}

#[test]
fn prune_should_keep_the_ask_of_a_node_that_cannot_serve_for_a_while() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 10);
		fall_silent(1);
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
	});
}

/// Three of four have a place, for which they ask nothing, and a job was paid in the epoch before.
fn three_squatters() {
	for node in 1..4 {
		ask(node, COMPUTE, 0);
	}
	ask(4, COMPUTE, 300);
	go_to_epoch(1);
	let deal = open_and_escrow(1, 1, 0);
	Split::settle(1, MODEL, &PAYER, &deal, 1, true);
	Split::close(MODEL, &deal);
	assert_eq!(deal.compute, 300);
	ask(4, COMPUTE, 200);
	go_to_epoch(2);
}

#[test]
fn a_winner_should_lose_its_ask_and_the_rest_of_the_epochs_pay_when_it_stops_serving() {
	ExtBuilder.build_and_execute(|| {
		three_squatters();
		assert_eq!(Split::ask_bond(MODEL, COMPUTE), 100);
		assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
		go_to(2 * EPOCH + 1);
		fall_silent(1);
		go_to(2 * EPOCH + 5);
		unhost(2);
		// Who comes back has let the epoch down none the less.
		go_to(2 * EPOCH + 6);
		with_node(1, |node| node.able = true);
		System::reset_events();
		let weight = prune().unwrap().actual_weight;
		let lost = |node, amount| Event::AskForfeited {
			model: MODEL,
			role: COMPUTE,
			node,
			epoch: 2,
			amount,
			burned: amount / 2,
		};
		// Nine and five of ten blocks were left, of what a place earned in the epoch before.
		assert_eq!(events()[..2], [lost(1, 90), lost(2, 50)]);
		assert_eq!(
			[1, 2, 3].map(|node| NODE_BOND - TestNodes::get(node).unwrap().bond),
			[90, 50, 0]
		);
		assert_eq!([1, 2, 3, 4].map(reserved), [0, 0, BOND, BOND]);
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
		// Prices and winners of the epoch stay what they are; the next one is for others.
		assert_eq!(price_now(), Some(200));
		go_to_epoch(3);
		assert_eq!(Split::quote(&order(1, 0)).unwrap().executors, vec![3, 4]);
		use crate::call_weights::{lapsed, place_pay, winners};
		let looked_at = winners::<Test>(3) + place_pay::<Test>(3) + lapsed::<Test>(2);
		assert_eq!(weight, Some(<() as crate::WeightInfo>::prune(4) + looked_at));
	});
}

#[test]
fn a_winner_should_lose_the_rest_of_the_epochs_pay_when_its_ask_ended_before_anybody_cleared() {
	ExtBuilder.build_and_execute(|| {
		three_squatters();
		let lost = || [1, 2, 3, 4].map(|node| NODE_BOND - TestNodes::get(node).unwrap().bond);
		// Its own doing, or a stranger's who means no harm.
		unhost(1);
		assert_ok!(prune());
		assert_eq!((lost(), reserved(1)), ([0; 4], 0));
		go_to_reveals();
		// One withdraws and goes, one serves on until the epoch is over.
		withdraw(2, COMPUTE);
		withdraw(3, COMPUTE);
		unhost(2);
		check_invariants();
		assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
		let mut winners = Split::quote(&order(1, 0)).unwrap().executors;
		winners.sort_unstable();
		assert_eq!(winners, vec![1, 2, 3]);
		assert_ok!(prune());
		assert_eq!(lost(), [100, 30, 0, 0]);
		check_invariants();
		// Not twice, whatever they ask next.
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
		ask(1, COMPUTE, 0);
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
		assert_eq!((Split::ask_of(1, MODEL, COMPUTE), reserved(1)), (Some(0), BOND));
		// It is over with the epoch.
		go_to_epoch(3);
		let _ = prune();
		assert_eq!(lost(), [100, 30, 0, 0]);
	});
}

#[test]
fn a_winner_should_lose_the_rest_of_the_epochs_pay_when_another_node_had_its_place_before_anybody_cleared() {
	ExtBuilder.build_and_execute(|| {
		fill(|node| 10 * Balance::from(node.min(1)));
		go_to_epoch(1);
		unhost(0);
		ask(MAX_ASKS, COMPUTE, 0);
		assert_eq!(reserved(0), 0);
		assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
		assert_eq!(Split::quote(&order(1, 0)).unwrap().executors.first(), Some(&0));
		assert_ok!(prune());
		assert_eq!(NODE_BOND - TestNodes::get(0).unwrap().bond, BOND);
		assert_eq!(Split::ask_of(MAX_ASKS, MODEL, COMPUTE), Some(0));
	});
}

#[test]
fn nobody_should_lose_anything_by_not_serving_when_it_has_no_place() {
	ExtBuilder.build_and_execute(|| {
		three_squatters();
		fall_silent(4);
		// As long as nobody has cleared the epoch, nobody knows who has one.
		fall_silent(1);
		assert_ok!(prune());
		assert_eq!(TestNodes::get(1).unwrap().bond, NODE_BOND);
		assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), MODEL));
		assert_ok!(prune());
		assert_eq!(
			[1, 2, 3, 4].map(|node| NODE_BOND - TestNodes::get(node).unwrap().bond),
			[100, 0, 0, 0]
		);
		assert_eq!(Split::ask_of(4, MODEL, COMPUTE), Some(200));
	});
}

#[test]
fn prune_should_drop_everything_when_the_model_is_gone() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		let deal = open(1, 1, 0);
		Split::close(MODEL, &deal);
		go_to_epoch(2);
		// The nodes still list it.
		ModelIsGone::set(true);
		assert_ok!(prune());
		assert_eq!((reserved(1), reserved(2), reserved(3)), (0, 0, 0));
		assert_eq!(Asks::<Test>::iter().count(), 0);
		assert_eq!(crate::Clearings::<Test>::iter().count(), 0);
		assert_eq!(crate::Markets::<Test>::iter().count(), 0);
		assert_eq!(crate::Summaries::<Test>::iter().count(), 0);
		assert_eq!(crate::SummarisedEpochs::<Test>::iter().count(), 0);
		assert_eq!(
			(
				crate::StoredCount::<Test>::get(),
				crate::StoredAt::<Test>::iter().count()
			),
			(0, 0)
		);
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
	});
}

#[test]
fn prune_should_weigh_the_asks_that_it_looked_at() {
	ExtBuilder.build_and_execute(|| {
		use crate::WeightInfo;
		for node in 0..5 {
			ask(node, COMPUTE, 1);
		}
		unhost(0);
		assert_eq!(prune().unwrap().actual_weight, Some(<() as WeightInfo>::prune(5)));
	});
}

#[test]
fn a_bond_should_be_reserved_once_for_each_ask_until_it_ends() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		ask(1, COMPUTE, 50);
		assert_eq!(reserved(1), BOND);
		ask(1, AskRole::Storage, 4);
		assert_eq!(reserved(1), 2 * BOND);
		go_to_epoch(1);
		withdraw(1, COMPUTE);
		assert_eq!(reserved(1), BOND);
		// Back in the same epoch, in which the old ask still holds.
		ask(1, COMPUTE, 60);
		assert_eq!(reserved(1), 2 * BOND);
		withdraw(1, COMPUTE);
		withdraw(1, AskRole::Storage);
		assert_eq!(reserved(1), 0);
	});
}

#[test]
fn a_bond_should_give_back_only_what_an_offence_left() {
	ExtBuilder.build_and_execute(|| {
		ask(1, COMPUTE, 40);
		with_node(1, |node| (node.bond, node.reserved, node.unsecured) = (10, 10, 20));
		check_invariants();
		unhost(1);
		assert_ok!(prune());
		let node = TestNodes::get(1).unwrap();
		assert_eq!((node.bond, node.reserved, node.unsecured), (10, 0, 0));
	});
}

#[test]
fn invariants_should_notice_when_book_and_bonds_disagree() {
	ExtBuilder.build().execute_with(|| {
		ask(1, COMPUTE, 40);
		assert_ok!(Split::do_try_state());
		let broken: [fn(&mut crate::Ask); 4] = [
			|ask| ask.next = Some((2, Some(40))),
			|ask| ask.next = Some((1, None)),
			|ask| ask.next = Some((1, Some(MAX_ASK + 1))),
			|ask| ask.node = 77,
		];
		for change in broken {
			let book = Asks::<Test>::get(MODEL, COMPUTE);
			Asks::<Test>::mutate(MODEL, COMPUTE, |book| change(&mut book[0]));
			assert!(Split::do_try_state().is_err());
			Asks::<Test>::insert(MODEL, COMPUTE, book);
			assert_ok!(Split::do_try_state());
		}
	});
}
