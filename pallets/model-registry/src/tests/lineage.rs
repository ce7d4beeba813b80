//! Parents, children, and who earns a royalty.

use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use highway_primitives::{
	model::{Unit, VersionSpec, MAX_LINEAGE},
	traits::Models as _,
	Balance, ModelId, RoyaltyLine,
};
use sp_runtime::DispatchError;

fn child(owner: AccountId, text: &str, parent: ModelId, royalty: Balance) -> Result<ModelId, DispatchError> {
	Registry::do_register(owner, name(text), spec(), Some(parent), terms(50, 10), royalty)
}

fn root() -> ModelId {
	Registry::do_register(ALICE, name("root"), spec(), None, terms(20, 10), 0).expect("the model is valid")
}

fn line(model: ModelId, payee: AccountId, per_unit: Balance) -> RoyaltyLine<AccountId> {
	RoyaltyLine { model, payee, per_unit }
}

#[test]
fn register_should_fix_the_parents_terms_when_there_is_a_parent() {
	build_and_execute(|| {
		let root = root();
		let model = child(BOB, "child", root, 1_000).expect("the model is valid");
		assert_eq!(record(root).children, 1);
		assert_ok!(Registry::do_update_terms(ALICE, root, None, Some(terms(90, 900))));
		let owed = record(model).parent.expect("it has a parent");
		assert_eq!(
			(owed.model, owed.share.deconstruct(), owed.floor),
			(root, 200_000_000, 10)
		);
		assert_eq!(
			Registry::royalties(model),
			vec![line(model, BOB, 800), line(root, ALICE, 200)]
		);
	});
}

#[test]
fn royalties_should_follow_the_whole_lineage() {
	build_and_execute(|| {
		let root = root();
		let middle = child(BOB, "middle", root, 100).expect("the model is valid");
		let leaf = child(CAROL, "leaf", middle, 1_000).expect("the model is valid");
		let lines = vec![line(leaf, CAROL, 500), line(middle, BOB, 400), line(root, ALICE, 100)];
		assert_eq!(Registry::royalties(leaf), lines);
	});
}

#[test]
fn royalties_should_pay_the_floors_when_the_shares_are_less() {
	build_and_execute(|| {
		let root = root();
		let model = child(BOB, "child", root, 10).expect("the model is valid");
		assert_eq!(
			Registry::royalties(model),
			vec![line(model, BOB, 0), line(root, ALICE, 10)]
		);
	});
}

#[test]
fn royalties_should_be_empty_when_there_is_no_model() {
	build_and_execute(|| assert_eq!(Registry::royalties(7), vec![]));
}

#[test]
fn royalties_should_go_to_the_new_owner_when_a_parent_is_transferred() {
	build_and_execute(|| {
		let root = root();
		let model = child(BOB, "child", root, 1_000).expect("the model is valid");
		assert_ok!(Registry::do_offer_transfer(ALICE, root, CAROL));
		assert_ok!(Registry::do_accept_transfer(CAROL, root));
		assert_eq!(
			Registry::royalties(model),
			vec![line(model, BOB, 800), line(root, CAROL, 200)]
		);
	});
}

#[test]
fn register_should_fail_when_the_royalty_is_below_the_parents_floor() {
	build_and_execute(|| {
		let root = root();
		assert_noop!(child(BOB, "child", root, 9), RegistryError::RoyaltyBelowFloor);
		assert_ok!(child(BOB, "child", root, 10));
	});
}

#[test]
fn register_should_fail_when_its_terms_would_evade_the_grandparent() {
	build_and_execute(|| {
		let root = root();
		let result = Registry::do_register(BOB, name("child"), spec(), Some(root), terms(100, 9), 100);
		assert_noop!(result, RegistryError::FloorBelowParents);
		let model = child(BOB, "child", root, 100).expect("the model is valid");
		let result = Registry::do_update_terms(BOB, model, None, Some(terms(100, 9)));
		assert_noop!(result, RegistryError::FloorBelowParents);
	});
}

#[test]
fn register_should_fail_when_a_child_counts_in_another_unit_than_its_parent() {
	build_and_execute(|| {
		let root = root();
		let other = VersionSpec {
			unit: Unit::InputKib,
			..spec()
		};
		let result = Registry::do_register(BOB, name("child"), other, Some(root), terms(50, 10), 1_000);
		assert_noop!(result, RegistryError::UnitChanged);
	});
}

#[test]
fn register_should_fail_when_the_parent_does_not_exist() {
	build_and_execute(|| {
		assert_noop!(child(BOB, "child", 0, 100), RegistryError::UnknownParent);
	});
}

#[test]
fn register_should_fail_when_the_parent_allows_no_children() {
	build_and_execute(|| {
		let model = registered(ALICE, "closed");
		assert_noop!(child(ALICE, "child", model, 100), RegistryError::DerivativesForbidden);
	});
}

#[test]
fn register_should_fail_when_the_parent_is_deprecated() {
	build_and_execute(|| {
		let root = root();
		assert_ok!(Registry::do_deprecate(ALICE, root));
		assert_noop!(child(BOB, "child", root, 100), RegistryError::ParentDeprecated);
		assert_ok!(Registry::do_reinstate(ALICE, root));
		assert_ok!(child(BOB, "child", root, 100));
	});
}

#[test]
fn register_should_fail_when_the_lineage_is_at_its_longest() {
	build_and_execute(|| {
		let mut last = root();
		for depth in 0..MAX_LINEAGE {
			last = child(BOB, &format!("m{depth}"), last, 100).expect("the lineage is short enough");
		}
		assert_eq!(Registry::royalties(last).len() as u32, 1 + MAX_LINEAGE);
		assert_noop!(child(BOB, "one-more", last, 100), RegistryError::LineageTooLong);
	});
}

#[test]
fn remove_should_fail_when_there_are_children_until_the_last_is_gone() {
	build_and_execute(|| {
		let root = root();
		let first = child(BOB, "first", root, 100).expect("the model is valid");
		let second = child(CAROL, "second", root, 100).expect("the model is valid");
		assert_noop!(Registry::do_remove(ALICE, root), RegistryError::HasChildren);
		assert_ok!(Registry::do_remove(BOB, first));
		assert_noop!(Registry::do_remove(ALICE, root), RegistryError::HasChildren);
		assert_ok!(Registry::do_remove(CAROL, second));
		assert_ok!(Registry::do_remove(ALICE, root));
	});
}
