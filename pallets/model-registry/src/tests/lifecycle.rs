//! Deprecation, open jobs and removal.

use crate::{mock::*, weights::WeightInfo, Artefacts, Event, Models, Names, TransferOffers, Versions};
use frame_support::{assert_noop, assert_ok};
use frame_system::RawOrigin;
use highway_primitives::traits::Models as _;

#[test]
fn deprecate_should_stop_new_jobs_and_keep_the_model() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		assert_ok!(Registry::deprecate(RawOrigin::Signed(ALICE).into(), model));
		assert_eq!(last_event(), Event::ModelDeprecated { model });
		assert_eq!(Registry::service(model), Err(RegistryError::ModelDeprecated.into()));
		assert!(Registry::exists(model));
		assert_noop!(Registry::do_deprecate(ALICE, model), RegistryError::ModelDeprecated);
	});
}

#[test]
fn reinstate_should_allow_new_jobs_again() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		assert_noop!(Registry::do_reinstate(ALICE, model), RegistryError::NotDeprecated);
		assert_ok!(Registry::do_deprecate(ALICE, model));
		assert_ok!(Registry::reinstate(RawOrigin::Signed(ALICE).into(), model));
		assert_eq!(last_event(), Event::ModelReinstated { model });
		assert!(Registry::service(model).is_ok());
	});
}

#[test]
fn calls_should_fail_when_another_than_the_owner_makes_them() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		assert_noop!(Registry::do_deprecate(BOB, model), RegistryError::NotOwner);
		assert_noop!(Registry::do_reinstate(BOB, model), RegistryError::NotOwner);
		assert_noop!(Registry::do_remove(BOB, model), RegistryError::NotOwner);
		assert_noop!(Registry::do_remove(ALICE, 9), RegistryError::UnknownModel);
	});
}

#[test]
fn service_should_fail_when_the_model_is_unknown() {
	build_and_execute(|| {
		assert_eq!(Registry::service(0), Err(RegistryError::UnknownModel.into()));
		assert!(!Registry::exists(0));
	});
}

#[test]
fn remove_should_leave_nothing_and_give_the_deposit_back() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let salt = committed(ALICE, &spec().artifact.hash);
		assert_ok!(Registry::do_add_version(ALICE, model, spec(), salt));
		assert_ok!(Registry::do_offer_transfer(ALICE, model, BOB));
		let info = Registry::remove(RawOrigin::Signed(ALICE).into(), model).expect("nothing needs it");
		assert_eq!(info.actual_weight, Some(<() as WeightInfo>::remove(2)));
		assert_eq!(last_event(), Event::ModelRemoved { model });
		assert_eq!((held(ALICE), Balances::free_balance(ALICE)), (0, ENDOWMENT));
		assert_eq!(Models::<Test>::iter().count(), 0);
		assert_eq!(Versions::<Test>::iter().count(), 0);
		assert_eq!(Artefacts::<Test>::iter().count(), 0);
		assert_eq!(Names::<Test>::iter().count(), 0);
		assert_eq!(TransferOffers::<Test>::iter().count(), 0);
	});
}

#[test]
fn ids_should_not_be_reused_when_a_model_is_removed() {
	build_and_execute(|| {
		let first = registered(ALICE, "m");
		assert_ok!(Registry::do_remove(ALICE, first));
		assert_eq!(registered(ALICE, "m"), first + 1);
	});
}

#[test]
fn remove_should_fail_until_the_last_job_is_over() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		Busy::insert(model, ());
		assert_noop!(Registry::do_remove(ALICE, model), RegistryError::OpenJobs);
		Busy::remove(model);
		assert_ok!(Registry::do_remove(ALICE, model));
	});
}
