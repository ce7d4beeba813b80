//! What the runtime API reads.

use crate::{mock::*, NextModelId, MAX_PROBES};
use frame_support::{assert_ok, BoundedVec};
use highway_primitives::{
	audit::{AuditTerms, Sketch, SKETCH_SUMS},
	model::{DType, VerificationPolicy, VersionSpec},
	traits::Models as _,
	BlobRef,
};

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
		assert_eq!(Registry::model(model), Some((record(model), spec_of("m"))));
	});
}

#[test]
fn audit_terms_should_follow_the_version_and_the_present_owner() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let without = VersionSpec {
			trace: None,
			..spec_of("m")
		};
		assert_ok!(Registry::do_add_version(ALICE, model, without, None));
		let terms = |owner, tolerance| Some(AuditTerms { owner, tolerance });
		assert_eq!(Registry::audit_terms(model, 1), terms(ALICE, 1_500));
		assert_eq!(Registry::audit_terms(model, 2), terms(ALICE, u64::MAX));
		assert_ok!(Registry::do_offer_transfer(ALICE, model, BOB));
		assert_ok!(Registry::do_accept_transfer(BOB, model));
		assert_eq!(Registry::audit_terms(model, 1), terms(BOB, 1_500));
		assert_eq!(Registry::audit_terms(model, 3), None);
		assert_eq!(Registry::audit_terms(model + 1, 1), None);
	});
}

#[test]
fn audit_terms_should_tolerate_what_the_policy_does_when_there_is_no_trace() {
	build_and_execute(|| {
		let exact = VersionSpec {
			outputs: BoundedVec::truncate_from(vec![tensor("label", DType::I64)]),
			policy: VerificationPolicy::Exact,
			..spec()
		};
		let without = |spec| VersionSpec { trace: None, ..spec };
		let tolerance = |text, spec| {
			let artifact = BlobRef::of(str::as_bytes(text));
			let spec = VersionSpec { artifact, ..spec };
			let model = register(ALICE, text, spec, None, None, 0).expect("it is valid");
			Registry::audit_terms(model, 1).expect("it is there").tolerance
		};
		assert_eq!(tolerance("a", without(spec())), u64::MAX);
		assert_eq!(tolerance("b", without(exact.clone())), 0);
		assert_eq!((tolerance("c", spec()), tolerance("d", exact)), (1_500, 1_500));
		// Honest runs of a model without a trace differ, and no sketch convicts them.
		let sketch = |sum| Sketch {
			sums: [sum; SKETCH_SUMS],
			..Default::default()
		};
		assert!(sketch(i64::MIN).agrees_with(&sketch(i64::MAX), u64::MAX));
		assert!(!sketch(0).agrees_with(&sketch(1), 0));
	});
}

#[test]
fn ids_from_should_page_over_gaps() {
	build_and_execute(|| {
		(0..6).for_each(|index| _ = registered(ALICE, &format!("m{index}")));
		assert_ok!(Registry::do_remove(ALICE, 2));
		assert_eq!(Registry::ids_from(0, 3), (vec![0, 1, 3], Some(4)));
		assert_eq!(Registry::ids_from(4, 3), (vec![4, 5], None));
		assert_eq!(Registry::ids_from(4, 2), (vec![4, 5], None));
		assert_eq!(Registry::ids_from(6, 3), (vec![], None));
		assert_eq!(Registry::ids_from(u32::MAX, 3), (vec![], None));
		assert_eq!(Registry::ids_from(2, 0), (vec![], Some(2)));
	});
}

#[test]
fn ids_from_should_say_where_to_go_on_when_it_looked_at_enough_ids() {
	build_and_execute(|| {
		// Whoever registers and removes many models does not hide those that come after them.
		NextModelId::<Test>::put(2 * MAX_PROBES);
		let model = registered(ALICE, "far");
		assert_eq!(Registry::ids_from(0, 10), (vec![], Some(MAX_PROBES)));
		assert_eq!(Registry::ids_from(MAX_PROBES, 10), (vec![], Some(2 * MAX_PROBES)));
		assert_eq!(Registry::ids_from(2 * MAX_PROBES, 10), (vec![model], None));
	});
}
