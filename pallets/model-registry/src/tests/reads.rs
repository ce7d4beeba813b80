//! What the runtime API reads.

use crate::{mock::*, NextModelId, MAX_PROBES};
use frame_support::assert_ok;

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
