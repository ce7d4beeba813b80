//! New versions.

use crate::{mock::*, Event, TransferOffers, Versions};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, BoundedVec};
use frame_system::RawOrigin;
use highway_primitives::{
	model::{DType, Unit, VerificationPolicy, VersionSpec},
	traits::Models as _,
	ModelId, ModelVersion,
};
use sp_runtime::Perbill;

/// A specification with the artefact that the model `m` has already.
fn again() -> VersionSpec {
	spec_of("m")
}

fn wait(blocks: u32) {
	System::set_block_number(System::block_number() + blocks);
}

/// Version and unit time that a job submitted now gets.
fn service(model: ModelId) -> (ModelVersion, u32) {
	let service = Registry::service(model).expect("the model is there");
	(service.version, service.unit_time_ms)
}

#[test]
fn add_version_should_hold_for_new_jobs_when_its_notice_is_over() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let next = VersionSpec {
			licence: bytes("MIT"),
			outputs: BoundedVec::truncate_from(vec![tensor("label", DType::I64)]),
			policy: VerificationPolicy::Exact,
			unit_time_ms: 7,
			detection: Perbill::from_percent(90),
			..again()
		};
		let origin = || RawOrigin::Signed(ALICE).into();
		assert_ok!(Registry::add_version(origin(), model, next.clone(), None));
		let from = 1 + VersionNotice::get();
		assert_eq!(
			last_event(),
			Event::VersionAdded {
				model,
				version: 2,
				from
			}
		);
		assert_eq!(
			Registry::spec(model, 2),
			Some(next.clone()),
			"hosts can fetch it already"
		);
		wait(VersionNotice::get() - 1);
		assert_eq!(service(model), (1, 100));
		let (before, current) = Registry::model(model).expect("it is there");
		assert_eq!((before.version, before.coming, current), (1, Some((2, from)), again()));
		wait(1);
		assert_eq!(service(model), (2, 7));
		let detection = Registry::service(model).map(|service| service.detection);
		assert_eq!(detection, Ok(Perbill::from_percent(90)));
		let (after, current) = Registry::model(model).expect("it is there");
		assert_eq!((after.version, after.coming, current), (2, None, next));
		assert_eq!(Registry::spec(model, 1), Some(again()));
	});
}

#[test]
fn add_version_should_take_the_place_of_one_whose_notice_is_not_over() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		assert_eq!(Registry::do_add_version(ALICE, model, again(), None), Ok(2));
		wait(VersionNotice::get() - 1);
		assert_eq!(Registry::do_add_version(ALICE, model, again(), None), Ok(3));
		wait(VersionNotice::get() - 1);
		assert_eq!(service(model).0, 1, "the notice started anew");
		wait(1);
		assert_eq!(service(model).0, 3);
		// What held meanwhile is what the next notice runs on.
		assert_eq!(Registry::do_add_version(ALICE, model, again(), None), Ok(4));
		assert_eq!(service(model).0, 3);
		assert_eq!(Registry::do_remove(ALICE, model), Ok(4));
	});
}

#[test]
fn add_version_should_fail_when_it_counts_in_another_unit() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let other = VersionSpec {
			unit: Unit::InputKib,
			..again()
		};
		assert_noop!(
			Registry::do_add_version(ALICE, model, other, None),
			RegistryError::UnitChanged
		);
	});
}

#[test]
fn add_version_should_hold_more_for_the_version() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let before = held(ALICE);
		assert_ok!(Registry::do_add_version(ALICE, model, again(), None));
		let growth = 10 * again().encoded_size() as u128;
		assert_eq!(held(ALICE), before + growth);
		assert_eq!(record(model).deposit, before + growth);
	});
}

#[test]
fn add_version_should_withdraw_an_offer_because_the_deposit_grows() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		assert_ok!(Registry::do_offer_transfer(ALICE, model, BOB));
		assert_ok!(Registry::do_add_version(ALICE, model, again(), None));
		assert!(!TransferOffers::<Test>::contains_key(model));
	});
}

#[test]
fn add_version_should_fail_when_there_are_too_many() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		for version in 2..=MaxVersions::get() {
			assert_eq!(Registry::do_add_version(ALICE, model, again(), None), Ok(version));
		}
		assert_noop!(
			Registry::do_add_version(ALICE, model, again(), None),
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
			..again()
		};
		assert_noop!(
			Registry::do_add_version(ALICE, model, invalid, None),
			RegistryError::UnitTimeInvalid
		);
		let blind = VersionSpec {
			detection: Perbill::zero(),
			..again()
		};
		assert_noop!(
			Registry::do_add_version(ALICE, model, blind, None),
			RegistryError::DetectionTooLow
		);
		assert_noop!(
			Registry::do_add_version(BOB, model, again(), None),
			RegistryError::NotOwner
		);
		assert_noop!(
			Registry::do_add_version(ALICE, 9, again(), None),
			RegistryError::UnknownModel
		);
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
		assert!(Registry::add_version(RawOrigin::Signed(ALICE).into(), model, again(), None).is_err());
		assert_eq!(record(model).newest(), 1);
		assert!(!Versions::<Test>::contains_key(model, 2));
	});
}
