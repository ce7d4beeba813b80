//! New versions.

use crate::{mock::*, Event, TransferOffers, Versions};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, BoundedVec};
use frame_system::RawOrigin;
use highway_primitives::{
	model::{DType, Unit, VerificationPolicy, VersionSpec},
	traits::Models as _,
};
use sp_runtime::Perbill;

#[test]
fn add_version_should_become_what_new_jobs_run_on() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let next = VersionSpec {
			licence: bytes("MIT"),
			outputs: BoundedVec::truncate_from(vec![tensor("label", DType::I64)]),
			policy: VerificationPolicy::Exact,
			unit: Unit::InputKib,
			unit_time_ms: 7,
			detection: Perbill::from_percent(90),
			..spec()
		};
		assert_ok!(Registry::add_version(
			RawOrigin::Signed(ALICE).into(),
			model,
			next.clone()
		));
		let service = Registry::service(model).expect("the model is there");
		assert_eq!(
			(service.version, service.unit, service.unit_time_ms, service.detection),
			(2, Unit::InputKib, 7, Perbill::from_percent(90))
		);
		assert_eq!(Registry::spec(model, 1), Some(spec()));
		assert_eq!(Registry::spec(model, 2), Some(next));
		assert_eq!(last_event(), Event::VersionAdded { model, version: 2 });
	});
}

#[test]
fn add_version_should_hold_more_for_the_version() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let before = held(ALICE);
		assert_ok!(Registry::do_add_version(ALICE, model, spec()));
		let growth = 10 * spec().encoded_size() as u128;
		assert_eq!(held(ALICE), before + growth);
		assert_eq!(record(model).deposit, before + growth);
	});
}

#[test]
fn add_version_should_withdraw_an_offer_because_the_deposit_grows() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		assert_ok!(Registry::do_offer_transfer(ALICE, model, BOB));
		assert_ok!(Registry::do_add_version(ALICE, model, spec()));
		assert!(!TransferOffers::<Test>::contains_key(model));
	});
}

#[test]
fn add_version_should_fail_when_there_are_too_many() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		for version in 2..=MaxVersions::get() {
			assert_eq!(Registry::do_add_version(ALICE, model, spec()), Ok(version));
		}
		assert_noop!(
			Registry::do_add_version(ALICE, model, spec()),
			RegistryError::TooManyVersions
		);
	});
}

#[test]
fn add_version_should_fail_when_invalid_or_not_by_the_owner() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let invalid = VersionSpec {
			unit_time_ms: 0,
			..spec()
		};
		assert_noop!(
			Registry::do_add_version(ALICE, model, invalid),
			RegistryError::UnitTimeInvalid
		);
		let blind = VersionSpec {
			detection: Perbill::zero(),
			..spec()
		};
		assert_noop!(
			Registry::do_add_version(ALICE, model, blind),
			RegistryError::DetectionTooLow
		);
		assert_noop!(Registry::do_add_version(BOB, model, spec()), RegistryError::NotOwner);
		assert_noop!(Registry::do_add_version(ALICE, 9, spec()), RegistryError::UnknownModel);
	});
}

#[test]
fn add_version_should_change_nothing_when_the_deposit_cannot_be_held() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let all = Balances::free_balance(ALICE) - 1;
		assert_ok!(Balances::transfer_allow_death(
			RawOrigin::Signed(ALICE).into(),
			BOB,
			all
		));
		assert!(Registry::add_version(RawOrigin::Signed(ALICE).into(), model, spec()).is_err());
		assert_eq!(record(model).version, 1);
		assert!(!Versions::<Test>::contains_key(model, 2));
	});
}
