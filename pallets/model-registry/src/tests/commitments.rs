//! Commit and reveal: who commits first has the artefact, whoever sees it later.

use crate::{mock::*, Artefacts, Commitment, Commitments, Event, Models};
use frame_support::{assert_noop, assert_ok};
use frame_system::RawOrigin;
use highway_primitives::{
	model::{model_commitment, VersionSpec},
	BlobHash, BlobRef, ModelId,
};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

/// The file that nobody has seen yet.
fn secret() -> BlobHash {
	secret_spec().artifact.hash
}

fn secret_spec() -> VersionSpec {
	spec_of("secret")
}

fn commit(who: AccountId) -> H256 {
	let hash = commitment(who, &secret());
	assert_ok!(Registry::commit_model(RawOrigin::Signed(who).into(), hash));
	hash
}

/// Registers the secret file as a root model.
fn show(who: AccountId) -> DispatchResult {
	show_as(who, "shown", Some(SALT))
}

fn show_as(who: AccountId, text: &str, salt: Option<[u8; 32]>) -> DispatchResult {
	let origin = RawOrigin::Signed(who).into();
	Registry::register(origin, name(text), secret_spec(), None, None, 0, salt)
}

fn pass(blocks: u32) {
	System::set_block_number(System::block_number() + blocks);
}

#[test]
fn commit_model_should_hold_a_deposit_that_comes_back_with_the_registration() {
	build_and_execute(|| {
		let hash = commit(ALICE);
		let (from, until) = (1 + CommitBlocks::get(), 1 + CommitLifetime::get());
		assert_eq!(
			last_event(),
			Event::ArtefactCommitted {
				owner: ALICE,
				hash,
				from,
				until
			}
		);
		let deposit = BaseDeposit::get();
		assert_eq!(
			Commitments::<Test>::get(ALICE, hash),
			Some(Commitment {
				since: 1,
				from,
				until,
				deposit
			})
		);
		assert_eq!((held_for_commitments(ALICE), held(ALICE)), (deposit, 0));
		pass(CommitBlocks::get());
		assert_ok!(show(ALICE));
		assert_eq!(held_for_commitments(ALICE), 0);
		assert_eq!(held(ALICE), record(0).deposit);
		assert_eq!(Commitments::<Test>::iter().count(), 0);
		assert_eq!(Artefacts::<Test>::get(secret()), Some(0));
	});
}

#[test]
fn register_should_fail_until_the_commitment_counts_and_when_it_does_no_more() {
	build_and_execute(|| {
		let hash = commit(ALICE);
		assert_noop!(show(ALICE), RegistryError::CommitmentTooYoung);
		pass(CommitBlocks::get() - 1);
		assert_noop!(show(ALICE), RegistryError::CommitmentTooYoung);
		System::set_block_number(1 + CommitLifetime::get() + 1);
		assert_noop!(show(ALICE), RegistryError::CommitmentExpired);
		assert_ok!(Registry::do_drop_commitment(ALICE, ALICE, hash));
		commit(ALICE);
		pass(CommitLifetime::get());
		assert_ok!(show(ALICE));
	});
}

#[test]
fn register_should_fail_when_there_is_no_commitment_of_the_caller_to_this_artefact_with_this_salt() {
	build_and_execute(|| {
		commit(ALICE);
		pass(CommitBlocks::get());
		assert_noop!(show_as(ALICE, "m", None), RegistryError::CommitmentMissing);
		assert_noop!(show_as(ALICE, "m", Some([8; 32])), RegistryError::CommitmentMissing);
		assert_noop!(show_as(BOB, "m", Some(SALT)), RegistryError::CommitmentMissing);
		let origin = RawOrigin::Signed(ALICE).into();
		let other = Registry::register(origin, name("m"), spec(), None, None, 0, Some(SALT));
		assert_noop!(other, RegistryError::CommitmentMissing);
		assert_ok!(show(ALICE));
	});
}

#[test]
fn what_is_copied_from_the_pool_should_open_nothing() {
	build_and_execute(|| {
		// Mallory sends Alice's hash in front of her, and her registration's arguments afterwards.
		let hash = commitment(ALICE, &secret());
		assert_ok!(Registry::do_commit_model(CAROL, hash));
		commit(ALICE);
		pass(CommitBlocks::get());
		assert_noop!(show(CAROL), RegistryError::CommitmentMissing);
		// She commits to it herself as soon as she knows it, and is too late.
		assert_ok!(Registry::do_commit_model(CAROL, commitment(CAROL, &secret())));
		assert_noop!(show(CAROL), RegistryError::CommitmentTooYoung);
		assert_ok!(show(ALICE));
		pass(CommitBlocks::get());
		assert_noop!(show(CAROL), RegistryError::ArtefactTaken);
		assert_eq!(record(0).owner, ALICE);
	});
}

/// Whoever sees a registration on its way has these two other ways to bring the file to the chain.
#[test]
fn a_seen_artefact_should_not_come_first_as_a_derived_model_or_as_a_version() {
	build_and_execute(|| {
		let open = register(CAROL, "open", spec_of("open"), None, terms(0, 0), 0).expect("the model is valid");
		commit(ALICE);
		pass(CommitBlocks::get());
		let derived = Registry::do_register(CAROL, name("thief"), secret_spec(), Some(open), None, 0, Some(SALT));
		assert_noop!(derived, RegistryError::CommitmentMissing);
		let version = Registry::do_add_version(CAROL, open, secret_spec(), Some(SALT));
		assert_noop!(version, RegistryError::CommitmentMissing);
		assert_noop!(
			Registry::do_add_version(CAROL, open, secret_spec(), None),
			RegistryError::CommitmentMissing
		);
		assert_ok!(show(ALICE));
	});
}

#[test]
fn register_should_fail_when_the_artefact_is_a_version_of_another_model_until_that_is_gone() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let salt = committed(ALICE, &secret());
		assert_ok!(Registry::do_add_version(ALICE, model, secret_spec(), salt));
		assert_eq!(Artefacts::<Test>::get(secret()), Some(model));
		commit(BOB);
		commit(ALICE);
		pass(CommitBlocks::get());
		for who in [ALICE, BOB] {
			// Not even with another size, which would be another blob and the same bytes.
			let other_size = VersionSpec {
				artifact: BlobRef {
					size: 1,
					..secret_spec().artifact
				},
				..spec()
			};
			for spec in [secret_spec(), other_size] {
				let taken = Registry::do_register(who, name("x"), spec, None, None, 0, Some(SALT));
				assert_noop!(taken, RegistryError::ArtefactTaken);
			}
		}
		let second = registered(BOB, "second");
		assert_noop!(
			Registry::do_add_version(BOB, second, secret_spec(), Some(SALT)),
			RegistryError::ArtefactTaken
		);
		assert_ok!(Registry::do_remove(ALICE, model));
		assert_eq!(Artefacts::<Test>::iter_values().collect::<Vec<ModelId>>(), vec![second]);
		assert_ok!(show(BOB));
	});
}

#[test]
fn add_version_should_need_a_commitment_when_the_model_does_not_have_the_artefact_yet() {
	build_and_execute(|| {
		let model = registered(ALICE, "m");
		let add = |spec, salt| Registry::do_add_version(ALICE, model, spec, salt);
		assert_noop!(add(secret_spec(), None), RegistryError::CommitmentMissing);
		commit(ALICE);
		assert_noop!(add(secret_spec(), Some(SALT)), RegistryError::CommitmentTooYoung);
		pass(CommitBlocks::get());
		assert_ok!(add(secret_spec(), Some(SALT)));
		assert_eq!(held_for_commitments(ALICE), 0);
		// Both are its own now.
		assert_ok!(add(spec_of("m"), None));
		assert_ok!(add(secret_spec(), Some(SALT)));
		assert_ok!(Registry::do_offer_transfer(ALICE, model, BOB));
		assert_ok!(Registry::do_accept_transfer(BOB, model));
		assert_eq!(Artefacts::<Test>::get(secret()), Some(model), "they go with the model");
	});
}

#[test]
fn an_account_should_commit_once_to_the_same_and_as_often_as_it_pays_to_others() {
	build_and_execute(|| {
		let hash = commit(ALICE);
		assert_noop!(Registry::do_commit_model(ALICE, hash), RegistryError::AlreadyCommitted);
		for salt in 0..10 {
			let other = model_commitment(b"anything", &secret(), &[salt; 32]);
			assert_ok!(Registry::do_commit_model(ALICE, other));
		}
		assert_eq!(held_for_commitments(ALICE), 11 * BaseDeposit::get());
		assert_noop!(
			Registry::do_commit_model(PAUPER, hash),
			sp_runtime::TokenError::FundsUnavailable
		);
	});
}

#[test]
fn drop_commitment_should_be_its_makers_until_it_has_expired_and_anybodys_then() {
	build_and_execute(|| {
		let hash = commit(ALICE);
		let drop = |who, hash| Registry::drop_commitment(RawOrigin::Signed(who).into(), ALICE, hash);
		assert_noop!(drop(BOB, hash), RegistryError::CommitmentNotExpired);
		assert_noop!(drop(ALICE, H256::zero()), RegistryError::UnknownCommitment);
		assert_ok!(drop(ALICE, hash));
		assert_eq!(last_event(), Event::CommitmentDropped { owner: ALICE, hash });
		assert_eq!(Balances::free_balance(ALICE), ENDOWMENT);

		let until = System::block_number() + CommitLifetime::get();
		commit(ALICE);
		System::set_block_number(until);
		assert_noop!(drop(BOB, hash), RegistryError::CommitmentNotExpired);
		System::set_block_number(until + 1);
		assert_ok!(drop(BOB, hash));
		assert_eq!((held_for_commitments(ALICE), held_for_commitments(BOB)), (0, 0));
		assert_eq!(Balances::free_balance(ALICE), ENDOWMENT, "it is Alice's money");
		assert_noop!(drop(BOB, hash), RegistryError::UnknownCommitment);
	});
}

#[test]
fn calls_should_fail_when_unsigned() {
	build_and_execute(|| {
		let origin = || RuntimeOrigin::from(RawOrigin::None);
		let commit = Registry::commit_model(origin(), H256::zero());
		assert_noop!(commit, DispatchError::BadOrigin);
		let drop = Registry::drop_commitment(origin(), ALICE, H256::zero());
		assert_noop!(drop, DispatchError::BadOrigin);
		assert_eq!(Models::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_model_that_is_registered_anew_should_be_another_model() {
	build_and_execute(|| {
		let model = register(ALICE, "m", secret_spec(), None, None, 1).expect("the model is valid");
		assert_ok!(Registry::do_remove(ALICE, model));
		// Ten thousand times the royalty at once: but nobody who hosts or asks for the first one follows by itself.
		let again = register(ALICE, "m", secret_spec(), None, None, 10_000).expect("the model is valid");
		assert_eq!((again, Registry::royalty_now(model)), (model + 1, None));
		assert_eq!(Artefacts::<Test>::get(secret()), Some(again));
	});
}
