//! Pay for storage waits for a proof, and whoever proves is found without a search.

use super::*;
use crate::{
	pallet::{Books, StoredAt, StoredCount, StoredModels},
	Error,
};
use frame_support::{assert_noop, assert_ok};
use highway_primitives::traits::StorageMarket;

const STORAGE: AskRole = AskRole::Storage;

/// A job with three MiB of input is settled: nine are held for node 3.
fn settle(job: JobId) {
	let deal = open_and_escrow(job, 1, 3 * MIB);
	Split::settle(job, MODEL, &PAYER, &deal, 1, true);
	Split::close(MODEL, &deal);
}

fn claim() -> DispatchResult {
	Split::claim_storage_pay(RuntimeOrigin::signed(operator_of(3)), MODEL)
}

fn stored() -> Vec<(ModelId, Vec<NodeId>)> {
	(0..Split::stored_models())
		.map(|index| Split::stored_model(index).unwrap())
		.collect()
}

/// `model` has an executor, node 1, at 10, and these storage providers at 3, from the next epoch on.
fn serve(model: ModelId, providers: &[NodeId]) {
	host(1, model);
	secure(1, BOND);
	Split::place_ask(1, model, AskRole::Compute, 10, BOND);
	for node in providers {
		host(*node, model);
		secure(*node, BOND);
		Split::place_ask(*node, model, STORAGE, 3, BOND);
	}
}

fn clear(model: ModelId) {
	assert_ok!(Split::clear(RuntimeOrigin::signed(PAYER), model));
}

#[test]
fn pay_should_wait_and_be_released_by_an_answer() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		settle(1);
		settle(2);
		assert_eq!((pending(3), Split::claimable(&operator_of(3))), (18, 0));
		assert_eq!(Books::<Test>::get().storage_pay, 18);
		System::reset_events();
		assert_eq!(Split::release_storage_pay(3, MODEL), 18);
		assert_eq!((pending(3), Split::claimable(&operator_of(3))), (0, 18));
		assert_eq!(
			events(),
			vec![Event::StoragePaid {
				model: MODEL,
				payee: operator_of(3),
				amount: 18
			}]
		);
		// An answer without pay pays nothing.
		assert_eq!(Split::release_storage_pay(3, MODEL), 0);
		assert_eq!(Split::release_storage_pay(77, MODEL), 0);
		assert_eq!(events().len(), 1);
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn pay_should_be_lost_by_a_miss_half_burned_and_half_the_treasurys() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		settle(1);
		let (issuance, treasury) = (Balances::total_issuance(), Split::claimable(&TREASURY));
		System::reset_events();
		assert_eq!(Split::forfeit_storage_pay(3, MODEL), 9);
		assert_eq!(Balances::total_issuance(), issuance - 4);
		assert_eq!(Split::claimable(&TREASURY), treasury + 5);
		assert_eq!((pending(3), Split::claimable(&operator_of(3))), (0, 0));
		let (model, node) = (MODEL, 3);
		assert_eq!(
			events(),
			vec![Event::StoragePayForfeited {
				model,
				node,
				amount: 9,
				burned: 4
			}]
		);
		assert_eq!(Split::forfeit_storage_pay(3, MODEL), 0);
		assert_eq!(Split::forfeit_storage_pay(77, MODEL), 0);
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn pay_should_be_claimable_after_the_hold_while_there_is_nothing_to_show() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		assert_noop!(claim(), Error::<Test>::NothingToClaim);
		go_to(12);
		settle(1);
		go_to(15);
		settle(2);
		let operator = operator_of(3);
		// The oldest of it counts: whoever is paid often would otherwise wait for ever.
		assert_eq!(Split::pending_storage_pay(&operator), vec![(MODEL, 18, 12 + HOLD)]);
		go_to(12 + HOLD - 1);
		assert_noop!(claim(), Error::<Test>::StoragePayHeld);
		go_to(12 + HOLD);
		Challenged::set([(3, MODEL)].into());
		assert_noop!(claim(), Error::<Test>::Challenged);
		Challenged::set([(3, 8), (1, MODEL)].into());
		assert_ok!(claim());
		assert_eq!((pending(3), Split::claimable(&operator)), (0, 18));
		assert_noop!(claim(), Error::<Test>::NothingToClaim);
		// What comes after that waits anew.
		let deal = open_and_escrow(3, 1, 0);
		Split::settle(3, MODEL, &PAYER, &deal, 1, true);
		assert_eq!(
			Split::pending_storage_pay(&operator),
			vec![(MODEL, 3, 12 + HOLD + HOLD)]
		);
	});
}

#[test]
fn a_claim_should_ask_for_a_proof_wherever_the_node_has_gone() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		settle(1);
		// Earns without a file, and stops before anybody asks.
		withdraw(3, STORAGE);
		unhost(3);
		Shows::set([(3, MODEL)].into());
		go_to(EPOCH + HOLD);
		assert_ok!(claim());
		assert_eq!((pending(3), Split::claimable(&operator_of(3))), (9, 0));
		assert!(Challenged::get().contains(&(3, MODEL)));
		assert_noop!(claim(), Error::<Test>::Challenged);
		assert_eq!(Split::release_storage_pay(3, MODEL), 9);
		assert_eq!(Split::claimable(&operator_of(3)), 9);
	});
}

#[test]
fn pay_should_wait_when_the_node_is_gone() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		settle(1);
		leave(3);
		assert_eq!(Split::release_storage_pay(3, MODEL), 0);
		assert_eq!(Split::forfeit_storage_pay(3, MODEL), 0);
		go_to(EPOCH + HOLD);
		assert_noop!(claim(), Error::<Test>::NotAnOperator);
		assert_eq!((pending(3), Split::claimable(&operator_of(3))), (9, 0));
	});
}

#[test]
fn claim_storage_pay_should_refuse_other_origins() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(
			Split::claim_storage_pay(RuntimeOrigin::none(), MODEL),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_noop!(
			Split::claim_storage_pay(RuntimeOrigin::signed(PAYER), MODEL),
			Error::<Test>::NothingToClaim
		);
	});
}

#[test]
fn a_fine_for_storage_should_be_half_burned_and_half_the_treasurys() {
	ExtBuilder.build_and_execute(|| {
		let issuance = Balances::total_issuance();
		Split::take_storage_fine(3, 0);
		slash_arrives(101);
		Split::take_storage_fine(3, 101);
		assert_eq!(Balances::total_issuance(), issuance + 51);
		assert_eq!(Split::claimable(&TREASURY), 51);
		assert_eq!(
			events(),
			vec![Event::StorageFined {
				node: 3,
				amount: 101,
				burned: 50
			}]
		);
		assert_eq!(Split::pot_surplus(), Some(0));
	});
}

#[test]
fn an_ask_for_storage_should_end_with_the_epoch_and_its_bond_be_lost_when_nothing_is_shown() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		clear(MODEL);
		let (issuance, treasury) = (Balances::total_issuance(), Split::claimable(&TREASURY));
		System::reset_events();
		Split::forfeit_storage_ask(3, MODEL);
		// Who has none loses none, also if it asks for something else.
		[1, 3, 77]
			.into_iter()
			.for_each(|node| Split::forfeit_storage_ask(node, MODEL));
		assert_eq!(
			events(),
			vec![Event::AskForfeited {
				model: MODEL,
				role: STORAGE,
				node: 3,
				epoch: 1,
				amount: BOND,
				burned: BOND / 2
			}]
		);
		assert_eq!(Balances::total_issuance(), issuance - BOND / 2);
		assert_eq!(Split::claimable(&TREASURY), treasury + BOND / 2);
		with_node(3, |node| assert_eq!((node.bond, node.reserved), (NODE_BOND - BOND, 0)));
		assert_eq!(
			stored(),
			vec![(MODEL, vec![3])],
			"a miss moves no price of its own epoch"
		);
		check_invariants();
		ask(4, STORAGE, 3);
		go_to_epoch(2);
		clear(MODEL);
		assert_eq!(stored(), vec![(MODEL, vec![4])], "its place is another one's");
		// It may ask again, with another bond.
		ask(3, STORAGE, 2);
		go_to_epoch(3);
		clear(MODEL);
		assert_eq!(stored(), vec![(MODEL, vec![3, 4])]);
	});
}

#[test]
#[should_panic(expected = "a slash is split that was not moved into the pot")]
fn a_fine_for_storage_should_not_spend_other_people_s_money() {
	ExtBuilder.build_and_execute(|| {
		market_with_all_roles();
		settle(1);
		Split::take_storage_fine(3, 10);
	});
}

#[test]
fn models_should_be_listed_without_holes_while_they_have_storage_providers() {
	ExtBuilder.build_and_execute(|| {
		serve(MODEL, &[2, 3]);
		serve(8, &[3]);
		serve(9, &[4]);
		go_to_epoch(1);
		assert_eq!(Split::stored_models(), 0);
		[MODEL, 8, 9].into_iter().for_each(clear);
		let mut list = stored();
		list.iter_mut().for_each(|(_, nodes)| nodes.sort_unstable());
		assert_eq!(list, vec![(MODEL, vec![2, 3]), (8, vec![3]), (9, vec![4])]);
		assert_eq!(Split::stored_model(3), None);
		// The first one loses its providers: the last one takes its place.
		withdraw(2, STORAGE);
		withdraw(3, STORAGE);
		go_to_epoch(2);
		[MODEL, 8].into_iter().for_each(clear);
		assert_eq!(stored(), vec![(9, vec![4]), (8, vec![3])]);
		assert_eq!(StoredAt::<Test>::get(MODEL), None);
		check_invariants();
		// Back again, at the end.
		ask(3, STORAGE, 3);
		go_to_epoch(3);
		clear(MODEL);
		assert_eq!(stored(), vec![(9, vec![4]), (8, vec![3]), (MODEL, vec![3])]);
		assert_eq!(
			(StoredCount::<Test>::get(), StoredModels::<Test>::iter().count()),
			(3, 3)
		);
	});
}

#[test]
fn a_stored_model_should_name_only_those_who_still_ask() {
	ExtBuilder.build_and_execute(|| {
		serve(MODEL, &[2, 3]);
		go_to_epoch(1);
		clear(MODEL);
		withdraw(2, STORAGE);
		assert_eq!(stored()[0].1.len(), 2, "until the epoch is over");
		go_to_epoch(2);
		assert_eq!(stored(), vec![(MODEL, vec![3])]);
		unhost(3);
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		go_to_epoch(3);
		assert_eq!(stored(), vec![(MODEL, vec![])]);
	});
}

#[test]
fn a_stored_model_should_stay_listed_when_its_record_is_gone() {
	ExtBuilder.build_and_execute(|| {
		serve(MODEL, &[3]);
		go_to_epoch(1);
		clear(MODEL);
		go_to_epoch(5);
		assert_ok!(Split::prune(RuntimeOrigin::signed(PAYER), MODEL));
		assert_eq!(crate::Clearings::<Test>::iter().count(), 0);
		// Whoever was paid for it last is still asked whether it has it.
		assert_eq!(stored(), vec![(MODEL, vec![3])]);
	});
}
