use super::*;
use crate::{pallet::Asks, Error, MAX_ASKS};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{InspectHold, Mutate},
};

fn price_now() -> Option<Balance> {
	Split::quote(MODEL, 0, 1, DETECTION, None)
		.ok()
		.map(|quote| quote.lines[0].amount)
}

fn fill(price: impl Fn(NodeId) -> Balance) {
	for node in 0..MAX_ASKS {
		ask(node, AskRole::Compute, price(node));
	}
}

#[test]
fn post_ask_should_hold_from_the_next_epoch_when_posted() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 40);
		assert_eq!(Split::ask_of(1, MODEL, AskRole::Compute), Some(40));
		assert_eq!(price_now(), None);
		System::set_block_number(EPOCH - 1);
		assert_eq!(price_now(), None);
		System::set_block_number(EPOCH);
		assert_eq!(price_now(), Some(40));
		assert_eq!(
			events(),
			vec![Event::AskPosted {
				model: MODEL,
				role: AskRole::Compute,
				node: 1,
				price: 40,
				from: 1
			}]
		);
	});
}

#[test]
fn post_ask_should_not_move_this_epochs_price_when_changed_twice_in_it() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 40);
		go_to_epoch(1);
		ask(1, AskRole::Compute, 90);
		ask(1, AskRole::Compute, 70);
		assert_eq!(price_now(), Some(40));
		assert_eq!(Split::ask_of(1, MODEL, AskRole::Compute), Some(40));
		go_to_epoch(2);
		assert_eq!(price_now(), Some(70));
		go_to_epoch(9);
		assert_eq!(price_now(), Some(70));
	});
}

#[test]
fn withdraw_ask_should_end_with_the_epoch_when_called() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 40);
		go_to_epoch(1);
		let operator = RuntimeOrigin::signed(operator_of(1));
		assert_ok!(Split::withdraw_ask(operator.clone(), MODEL, AskRole::Compute));
		assert_eq!(price_now(), Some(40));
		assert_noop!(
			Split::withdraw_ask(operator.clone(), MODEL, AskRole::Compute),
			Error::<Test>::NoAsk
		);
		go_to_epoch(2);
		assert_eq!(price_now(), None);
		assert_eq!(Split::ask_of(1, MODEL, AskRole::Compute), None);
		assert_noop!(
			Split::withdraw_ask(operator, MODEL, AskRole::Compute),
			Error::<Test>::NoAsk
		);
	});
}

#[test]
fn withdraw_ask_should_leave_nothing_when_the_ask_never_held() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 40);
		assert_ok!(Split::withdraw_ask(
			RuntimeOrigin::signed(operator_of(1)),
			MODEL,
			AskRole::Compute
		));
		assert!(!Asks::<Test>::contains_key(MODEL, AskRole::Compute));
	});
}

#[test]
fn withdraw_ask_should_work_when_the_node_no_longer_hosts_the_model() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 40);
		TestNodes::mutate(|nodes| nodes.get_mut(&1).unwrap().hosts.clear());
		assert_ok!(Split::withdraw_ask(
			RuntimeOrigin::signed(operator_of(1)),
			MODEL,
			AskRole::Compute
		));
	});
}

#[test]
fn post_ask_should_refuse_when_a_condition_is_not_met() {
	ExtBuilder.build_and_execute(|| {
		let operator = RuntimeOrigin::signed(host(1, MODEL));
		host(1, 100);
		let post = |origin, model, price| Split::post_ask(origin, model, AskRole::Compute, price);
		assert_noop!(post(operator.clone(), MODEL, MAX_ASK + 1), Error::<Test>::AskAboveMax);
		assert_noop!(
			post(RuntimeOrigin::signed(PAYER), MODEL, 1),
			Error::<Test>::NotAnOperator
		);
		assert_noop!(post(operator.clone(), 8, 1), Error::<Test>::NotHosting);
		assert_noop!(post(operator.clone(), 100, 1), Error::<Test>::UnknownModel);
		assert_noop!(
			post(RuntimeOrigin::root(), MODEL, 1),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_ok!(post(operator, MODEL, MAX_ASK));
	});
}

#[test]
fn post_ask_should_displace_the_dearest_when_all_places_are_taken() {
	ExtBuilder.build_and_execute(|| {
		fill(|node| 1000 + Balance::from(node));
		let newcomer = RuntimeOrigin::signed(host(MAX_ASKS, MODEL));
		let dearest = 1000 + Balance::from(MAX_ASKS - 1);
		assert_noop!(
			Split::post_ask(newcomer.clone(), MODEL, AskRole::Compute, dearest),
			Error::<Test>::AsksFull
		);
		assert_ok!(Split::post_ask(newcomer, MODEL, AskRole::Compute, dearest - 1));
		assert_eq!(Split::ask_of(MAX_ASKS - 1, MODEL, AskRole::Compute), None);
		assert!(events().contains(&Event::AskDisplaced {
			model: MODEL,
			role: AskRole::Compute,
			node: MAX_ASKS - 1,
			from: 1
		}));
		// The other role has places of its own.
		ask(MAX_ASKS + 1, AskRole::Storage, MAX_ASK);
	});
}

#[test]
fn post_ask_should_not_move_this_epochs_price_when_it_displaces_everybody() {
	ExtBuilder.build_and_execute(|| {
		fill(|_| 1000);
		go_to_epoch(1);
		for node in MAX_ASKS..2 * MAX_ASKS {
			ask(node, AskRole::Compute, 1);
		}
		assert_eq!(Asks::<Test>::get(MODEL, AskRole::Compute).len() as u32, 2 * MAX_ASKS);
		Split::do_try_state().unwrap();
		assert_eq!(price_now(), Some(1000));
		assert_eq!(open(1, 1, 0).compute, 1000);
		// One displaced may fight back in the same epoch, but not beyond the places there are.
		ask(0, AskRole::Compute, 0);
		let dearer = RuntimeOrigin::signed(operator_of(1));
		assert_noop!(
			Split::post_ask(dearer, MODEL, AskRole::Compute, 1),
			Error::<Test>::AsksFull
		);
		go_to_epoch(2);
		assert_eq!(
			Split::quote(MODEL, 0, 1, DETECTION, None).unwrap().executors.len() as u32,
			MAX_ASKS
		);
		assert_eq!(price_now(), Some(1));
	});
}

#[test]
fn post_ask_should_take_the_place_of_a_node_that_is_gone_when_full() {
	ExtBuilder.build_and_execute(|| {
		fill(|_| 10);
		leave(5);
		let newcomer = RuntimeOrigin::signed(host(MAX_ASKS, MODEL));
		assert_ok!(Split::post_ask(newcomer, MODEL, AskRole::Compute, MAX_ASK));
		assert_eq!(Split::ask_of(5, MODEL, AskRole::Compute), None);
		assert_eq!(Split::ask_of(MAX_ASKS, MODEL, AskRole::Compute), Some(MAX_ASK));
	});
}

#[test]
fn post_ask_should_only_change_the_price_when_the_node_has_a_place_in_a_full_book() {
	ExtBuilder.build_and_execute(|| {
		fill(|_| 10);
		ask(5, AskRole::Compute, 99);
		assert_eq!(Split::ask_of(5, MODEL, AskRole::Compute), Some(99));
		assert!(!events().iter().any(|event| matches!(event, Event::AskDisplaced { .. })));
	});
}

#[test]
fn prune_should_drop_asks_of_nodes_that_are_gone_when_called() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 10);
		ask(2, AskRole::Storage, 10);
		ask(3, AskRole::Storage, 10);
		let prune = || Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
		assert_noop!(prune(), Error::<Test>::NothingToPrune);
		leave(1);
		TestNodes::mutate(|nodes| nodes.get_mut(&2).unwrap().hosts.clear());
		assert_ok!(prune());
		assert_eq!(
			System::events().pop().unwrap().event,
			Event::Pruned { model: MODEL, asks: 2 }.into()
		);
		assert!(!Asks::<Test>::contains_key(MODEL, AskRole::Compute));
		assert_eq!(Split::ask_of(3, MODEL, AskRole::Storage), Some(10));
	});
}

#[test]
fn post_ask_should_take_the_place_of_a_node_that_cannot_serve_when_full() {
	ExtBuilder.build_and_execute(|| {
		// All ask nothing, and one of them is not heard any more: squatters cannot keep a market.
		fill(|_| 0);
		fall_silent(7);
		let newcomer = RuntimeOrigin::signed(host(MAX_ASKS, MODEL));
		assert_ok!(Split::post_ask(newcomer, MODEL, AskRole::Compute, MAX_ASK));
		assert_eq!(Split::ask_of(7, MODEL, AskRole::Compute), None);
		// Who is gone goes first, then who cannot serve, then who asks most.
		fall_silent(8);
		leave(20);
		for (newcomer, displaced) in [(MAX_ASKS + 1, 20), (MAX_ASKS + 2, 8), (MAX_ASKS + 3, MAX_ASKS)] {
			ask(newcomer, AskRole::Compute, 0);
			assert_eq!(Split::ask_of(displaced, MODEL, AskRole::Compute), None);
		}
	});
}

#[test]
fn post_ask_should_displace_nobody_when_the_node_cannot_serve_itself() {
	ExtBuilder.build_and_execute(|| {
		let newcomer = host(MAX_ASKS, MODEL);
		fall_silent(MAX_ASKS);
		let post = |price| Split::post_ask(RuntimeOrigin::signed(newcomer), MODEL, AskRole::Compute, price);
		// A free place is there for a new node that waits for its first heartbeat.
		assert_ok!(post(5));
		assert_ok!(Split::withdraw_ask(
			RuntimeOrigin::signed(newcomer),
			MODEL,
			AskRole::Compute
		));
		fill(|_| 10);
		fall_silent(3);
		assert_noop!(post(0), Error::<Test>::NotEligible);
		TestNodes::mutate(|nodes| nodes.get_mut(&MAX_ASKS).unwrap().weight = 1);
		assert_ok!(post(0));
		assert_eq!(Split::ask_of(3, MODEL, AskRole::Compute), None);
	});
}

#[test]
fn prune_should_keep_the_ask_of_a_node_that_cannot_serve_for_a_while() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 10);
		fall_silent(1);
		assert_noop!(
			Split::prune(RuntimeOrigin::signed(PAYER), MODEL),
			Error::<Test>::NothingToPrune
		);
	});
}

#[test]
fn prune_should_drop_all_asks_when_the_model_is_gone() {
	ExtBuilder.build_and_execute(|| {
		ask(1, AskRole::Compute, 10);
		ask(1, AskRole::Storage, 10);
		ask(2, AskRole::Compute, 10);
		// The nodes still list it.
		ModelIsGone::set(true);
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		assert_eq!(Asks::<Test>::iter().count(), 0);
		assert_eq!((held(1), held(2)), (0, 0));
	});
}

fn held(node: NodeId) -> Balance {
	Balances::total_balance_on_hold(&operator_of(node))
}

#[test]
fn deposit_should_be_held_once_for_each_ask_until_it_is_withdrawn() {
	ExtBuilder.build_and_execute(|| {
		let operator = RuntimeOrigin::signed(host(1, MODEL));
		let withdraw = |role| Split::withdraw_ask(operator.clone(), MODEL, role);
		ask(1, AskRole::Compute, 40);
		ask(1, AskRole::Compute, 50);
		assert_eq!(held(1), ASK_DEPOSIT);
		ask(1, AskRole::Storage, 4);
		assert_eq!(held(1), 2 * ASK_DEPOSIT);
		go_to_epoch(1);
		assert_ok!(withdraw(AskRole::Compute));
		assert_eq!(held(1), ASK_DEPOSIT);
		// Back in the same epoch, in which the old ask still holds.
		ask(1, AskRole::Compute, 60);
		assert_eq!(held(1), 2 * ASK_DEPOSIT);
		assert_ok!(withdraw(AskRole::Compute));
		assert_ok!(withdraw(AskRole::Storage));
		assert_eq!(held(1), 0);
	});
}

#[test]
fn deposit_should_come_back_when_the_ask_is_displaced_or_pruned() {
	ExtBuilder.build_and_execute(|| {
		fill(|node| 1000 + Balance::from(node));
		go_to_epoch(1);
		ask(MAX_ASKS, AskRole::Compute, 1);
		assert_eq!(held(MAX_ASKS - 1), 0);
		// The operator has it back although its node is gone.
		leave(2);
		assert_eq!(held(2), ASK_DEPOSIT);
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		assert_eq!((held(2), held(3)), (0, ASK_DEPOSIT));
	});
}

#[test]
fn post_ask_should_change_nothing_when_the_deposit_cannot_be_held() {
	ExtBuilder.build_and_execute(|| {
		let operator = host(1, MODEL);
		Balances::set_balance(&operator, ED + ASK_DEPOSIT - 1);
		let post = || Split::post_ask(RuntimeOrigin::signed(operator), MODEL, AskRole::Compute, 1);
		assert_noop!(post(), sp_runtime::TokenError::FundsUnavailable);
		Balances::set_balance(&operator, ED + ASK_DEPOSIT);
		assert_ok!(post());
	});
}

#[test]
fn prune_should_weigh_the_asks_that_it_looked_at() {
	ExtBuilder.build_and_execute(|| {
		use crate::WeightInfo;
		for node in 0..5 {
			ask(node, AskRole::Compute, 1);
		}
		leave(0);
		let post = Split::prune(RuntimeOrigin::signed(PAYER), MODEL).unwrap();
		assert_eq!(post.actual_weight, Some(<() as WeightInfo>::prune(5)));
	});
}
