//! Transfers: offered by the owner, accepted by the new one.

use crate::{mock::*, Event, Names, TransferOffers};
use frame_support::{assert_noop, assert_ok};
use frame_system::RawOrigin;
use highway_primitives::ModelId;

fn offered() -> ModelId {
	let model = registered(ALICE, "m");
	assert_ok!(Registry::offer_transfer(RawOrigin::Signed(ALICE).into(), model, BOB));
	model
}

#[test]
fn accept_transfer_should_move_model_name_and_deposit() {
	build_and_execute(|| {
		let model = offered();
		let deposit = held(ALICE);
		assert_ok!(Registry::accept_transfer(RawOrigin::Signed(BOB).into(), model));
		assert_eq!(
			last_event(),
			Event::ModelTransferred {
				model,
				from: ALICE,
				to: BOB
			}
		);
		assert_eq!((held(ALICE), held(BOB)), (0, deposit));
		assert_eq!(Balances::free_balance(ALICE), ENDOWMENT);
		assert_eq!(record(model).owner, BOB);
		assert_eq!(Names::<Test>::get(BOB, name("m")), Some(model));
		assert_eq!(Names::<Test>::get(ALICE, name("m")), None);
		assert!(!TransferOffers::<Test>::contains_key(model));
		assert_noop!(Registry::do_deprecate(ALICE, model), RegistryError::NotOwner);
	});
}

#[test]
fn accept_transfer_should_fail_when_not_offered_to_the_caller() {
	build_and_execute(|| {
		let model = offered();
		assert_noop!(Registry::do_accept_transfer(CAROL, model), RegistryError::NotOffered);
		assert_noop!(Registry::do_accept_transfer(ALICE, model), RegistryError::NotOffered);
		assert_noop!(Registry::do_accept_transfer(BOB, 9), RegistryError::UnknownModel);
	});
}

#[test]
fn accept_transfer_should_fail_when_the_new_owner_has_the_name() {
	build_and_execute(|| {
		let model = offered();
		registered(BOB, "m");
		assert_noop!(Registry::do_accept_transfer(BOB, model), RegistryError::NameTaken);
	});
}

#[test]
fn accept_transfer_should_change_nothing_when_the_new_owner_cannot_pay() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		assert_ok!(Registry::do_offer_transfer(ALICE, model, PAUPER));
		assert!(Registry::accept_transfer(RawOrigin::Signed(PAUPER).into(), model).is_err());
		assert_eq!(record(model).owner, ALICE);
	});
}

#[test]
fn offer_transfer_should_replace_an_offer_that_withdraw_offer_takes_back() {
	build_and_execute(|| {
		let model = offered();
		assert_eq!(last_event(), Event::TransferOffered { model, to: BOB });
		assert_ok!(Registry::do_offer_transfer(ALICE, model, CAROL));
		assert_noop!(Registry::do_accept_transfer(BOB, model), RegistryError::NotOffered);
		assert_ok!(Registry::withdraw_offer(RawOrigin::Signed(ALICE).into(), model));
		assert_eq!(last_event(), Event::TransferWithdrawn { model });
		assert_noop!(Registry::do_accept_transfer(CAROL, model), RegistryError::NotOffered);
		assert_noop!(
			Registry::do_withdraw_offer(ALICE, model),
			RegistryError::NothingToChange
		);
	});
}

#[test]
fn offer_transfer_should_fail_when_to_the_owner_or_by_another() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		assert_noop!(
			Registry::do_offer_transfer(ALICE, model, ALICE),
			RegistryError::AlreadyOwner
		);
		assert_noop!(Registry::do_offer_transfer(BOB, model, BOB), RegistryError::NotOwner);
		assert_noop!(Registry::do_offer_transfer(ALICE, 9, BOB), RegistryError::UnknownModel);
		assert_noop!(Registry::do_withdraw_offer(BOB, model), RegistryError::NotOwner);
	});
}
