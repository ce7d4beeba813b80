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
	register(owner, text, spec_of(text), Some(parent), terms(50, 10), royalty)
}

/// The same without a commitment: everything else is looked at first.
fn refused_child(owner: AccountId, text: &str, parent: ModelId, royalty: Balance) -> Result<ModelId, DispatchError> {
	Registry::do_register(
		owner,
		name(text),
		spec_of(text),
		Some(parent),
		terms(50, 10),
		royalty,
		None,
	)
}

fn root() -> ModelId {
	register(ALICE, "root", spec_of("root"), None, terms(20, 10), 0).expect("the model is valid")
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
		assert_noop!(refused_child(BOB, "child", root, 9), RegistryError::RoyaltyBelowFloor);
		assert_ok!(child(BOB, "child", root, 10));
	});
}

#[test]
fn register_should_fail_when_its_terms_would_evade_the_grandparent() {
	build_and_execute(|| {
		let root = root();
		for (asked, error) in [
			(terms(100, 9), RegistryError::FloorBelowParents),
			(terms(19, 10), RegistryError::ShareBelowParents),
		] {
			let result = Registry::do_register(BOB, name("child"), spec_of("child"), Some(root), asked, 100, None);
			assert_noop!(result, error);
		}
		let model = child(BOB, "child", root, 100).expect("the model is valid");
		let result = Registry::do_update_terms(BOB, model, None, Some(terms(100, 9)));
		assert_noop!(result, RegistryError::FloorBelowParents);
		let result = Registry::do_update_terms(BOB, model, None, Some(terms(19, 10)));
		assert_noop!(result, RegistryError::ShareBelowParents);
		assert_ok!(Registry::do_update_terms(BOB, model, None, Some(terms(20, 10))));
	});
}

#[test]
fn register_should_fail_when_a_child_counts_in_another_unit_than_its_parent() {
	build_and_execute(|| {
		let root = root();
		let other = VersionSpec {
			unit: Unit::InputKib,
			..spec_of("child")
		};
		let result = Registry::do_register(BOB, name("child"), other, Some(root), terms(50, 10), 1_000, None);
		assert_noop!(result, RegistryError::UnitChanged);
	});
}

#[test]
fn register_should_fail_when_the_parent_does_not_exist() {
	build_and_execute(|| {
		assert_noop!(refused_child(BOB, "child", 0, 100), RegistryError::UnknownParent);
	});
}

#[test]
fn register_should_fail_when_the_parent_allows_no_children() {
	build_and_execute(|| {
		let model = registered(ALICE, "closed");
		assert_noop!(
			refused_child(ALICE, "child", model, 100),
			RegistryError::DerivativesForbidden
		);
	});
}

#[test]
fn register_should_fail_when_the_parent_is_deprecated() {
	build_and_execute(|| {
		let root = root();
		assert_ok!(Registry::do_deprecate(ALICE, root));
		assert_noop!(refused_child(BOB, "child", root, 100), RegistryError::ParentDeprecated);
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
		assert_noop!(refused_child(BOB, "one-more", last, 100), RegistryError::LineageTooLong);
	});
}

#[test]
fn register_should_fail_when_the_parents_terms_changed_since_the_commitment() {
	build_and_execute(|| {
		let root = root();
		let spec = spec_of("child");
		let register = |salt| {
			let (name, spec) = (name("child"), spec_of("child"));
			Registry::do_register(BOB, name, spec, Some(root), None, 1_000, salt)
		};
		// What was set in the commitment's own block may be what its maker has not seen.
		let salt = committed(BOB, &spec.artifact.hash);
		assert_noop!(register(salt), RegistryError::ParentTermsChanged);
		// The parent's owner sees the registration coming, and asks for everything.
		System::set_block_number(2);
		let hash = commitment(BOB, &spec.artifact.hash);
		assert_ok!(Registry::do_drop_commitment(BOB, BOB, hash));
		assert_ok!(Registry::do_commit_model(BOB, hash));
		System::set_block_number(2 + CommitBlocks::get());
		assert_ok!(Registry::do_update_terms(ALICE, root, None, Some(terms(100, 900))));
		assert_noop!(register(salt), RegistryError::ParentTermsChanged);
		// Its royalty is no business of its children's.
		System::set_block_number(10);
		assert_ok!(Registry::do_drop_commitment(BOB, BOB, hash));
		assert_ok!(Registry::do_commit_model(BOB, hash));
		System::set_block_number(10 + CommitBlocks::get());
		assert_ok!(set_royalty(ALICE, root, 1_000));
		let model = register(Some(SALT)).expect("it knew what is asked");
		assert_eq!(record(model).parent.map(|owed| owed.floor), Some(900));
	});
}

#[test]
fn a_floor_should_reach_the_root_whatever_its_child_puts_in_between() {
	build_and_execute(|| {
		let root = root();
		// Go-betweens of one's own, on the cheapest terms that the chain takes.
		let mut last = root;
		for depth in 0..MAX_LINEAGE - 1 {
			let text = format!("m{depth}");
			last = register(BOB, &text, spec_of(&text), Some(last), terms(20, 10), 10).expect("valid");
		}
		let leaf = register(BOB, "leaf", spec_of("leaf"), Some(last), None, 100_000).expect("valid");
		let lines = Registry::royalties(leaf);
		let roots = lines.last().expect("the root has a line");
		// A fifth of a fifth of a fifth of a fifth, instead of a fifth: the floor is what a maker can count on.
		assert_eq!((roots.model, roots.payee, roots.per_unit), (root, ALICE, 160));
		assert_ok!(set_royalty(BOB, leaf, 10));
		assert_eq!(Registry::royalties(leaf).last().map(|line| line.per_unit), Some(10));
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
