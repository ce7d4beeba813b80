//! What the runtime API reads.

use crate::{mock::*, NextModelId, MAX_PROBES};
use frame_support::assert_ok;
use highway_primitives::{audit::AuditTerms, model::VersionSpec, traits::Models as _};

#[test]
fn reads_should_be_none_when_there_is_no_model() {
	build_and_execute(|| {
		assert_eq!(Registry::model(0), None);
		assert_eq!(Registry::royalty_now(0), None);
		assert_eq!(Registry::spec(0, 1), None);
		assert_eq!(Registry::id_of(&ALICE, name("m")), None);
	});
}

#[test]
fn id_of_should_find_a_model_by_owner_and_name() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		assert_eq!(Registry::id_of(&ALICE, name("m")), Some(model));
		assert_eq!(Registry::id_of(&BOB, name("m")), None);
		assert_eq!(Registry::model(model), Some((record(model), spec())));
	});
}

#[test]
fn audit_terms_should_follow_the_version_and_the_present_owner() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let without = VersionSpec { trace: None, ..spec() };
		assert_ok!(Registry::do_add_version(ALICE, model, without));
		let terms = |owner, tolerance| Some(AuditTerms { owner, tolerance });
		assert_eq!(Registry::audit_terms(model, 1), terms(ALICE, 1_500));
		assert_eq!(Registry::audit_terms(model, 2), terms(ALICE, 0));
		assert_ok!(Registry::do_offer_transfer(ALICE, model, BOB));
		assert_ok!(Registry::do_accept_transfer(BOB, model));
		assert_eq!(Registry::audit_terms(model, 1), terms(BOB, 1_500));
		assert_eq!(Registry::audit_terms(model, 3), None);
		assert_eq!(Registry::audit_terms(model + 1, 1), None);
	});
}

#[test]
fn ids_from_should_page_over_gaps() {
	build_and_execute(|| {
		(0..6).for_each(|index| _ = registered(ALICE, &format!("m{index}")));
		assert_ok!(Registry::do_remove(ALICE, 2));
		assert_eq!(Registry::ids_from(0, 3), vec![0, 1, 3]);
		assert_eq!(Registry::ids_from(4, 3), vec![4, 5]);
		assert!(Registry::ids_from(6, 3).is_empty());
		assert!(Registry::ids_from(u32::MAX, 3).is_empty());
		assert!(Registry::ids_from(0, 0).is_empty());
	});
}

#[test]
fn ids_from_should_stop_when_it_looked_at_enough_ids() {
	build_and_execute(|| {
		NextModelId::<Test>::put(MAX_PROBES);
		let model = registered(ALICE, "far");
		assert!(Registry::ids_from(0, 10).is_empty());
		assert_eq!(Registry::ids_from(1, 10), vec![model]);
	});
}
