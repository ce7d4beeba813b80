//! Random sequences of calls: the invariants hold after each, and everything can be undone.

use crate::{mock::*, Artefacts, Commitments, Models, Names, TransferOffers, Versions};
use frame_system::RawOrigin;
use highway_primitives::{model::VersionSpec, traits::Models as _, Balance, ModelId};
use proptest::prelude::*;
use sp_core::H256;

#[derive(Clone, Debug)]
enum Action {
	Commit(u8),
	Drop(AccountId, u8),
	Register {
		name: u8,
		artefact: u8,
		/// Whether it is committed to in time.
		prepared: bool,
		parent: Option<ModelId>,
		terms: Option<(u32, Balance)>,
		royalty: Balance,
	},
	/// A version with this artefact, or one that the model has.
	AddVersion(ModelId, Option<u8>),
	SetRoyalty(ModelId, Balance),
	SetTerms(ModelId, Option<(u32, Balance)>),
	Deprecate(ModelId),
	Reinstate(ModelId),
	Offer(ModelId, AccountId),
	Withdraw(ModelId),
	Accept(ModelId),
	Remove(ModelId),
	OpenJob(ModelId),
	CloseJob(ModelId),
	Wait(u32),
}

fn action() -> impl Strategy<Value = Action> {
	let model = 0u32..12;
	let royalty = prop_oneof![0u128..50, 0u128..5_000, Just(MaxRoyalty::get())];
	let terms = prop::option::weighted(0.8, (0u32..=100, 0u128..60));
	let artefact = 0u8..6;
	let registration = (
		0u8..4,
		artefact.clone(),
		prop::bool::weighted(0.8),
		prop::option::of(model.clone()),
		terms.clone(),
		royalty.clone(),
	);
	prop_oneof![
		6 => registration.prop_map(|(name, artefact, prepared, parent, terms, royalty)| Action::Register {
			name,
			artefact,
			prepared,
			parent,
			terms,
			royalty,
		}),
		2 => artefact.clone().prop_map(Action::Commit),
		1 => (1u64..=4, artefact.clone()).prop_map(|(owner, artefact)| Action::Drop(owner, artefact)),
		2 => (model.clone(), prop::option::of(artefact))
			.prop_map(|(model, artefact)| Action::AddVersion(model, artefact)),
		3 => (model.clone(), royalty).prop_map(|(model, royalty)| Action::SetRoyalty(model, royalty)),
		2 => (model.clone(), terms).prop_map(|(model, terms)| Action::SetTerms(model, terms)),
		1 => model.clone().prop_map(Action::Deprecate),
		1 => model.clone().prop_map(Action::Reinstate),
		3 => (model.clone(), 1u64..=4).prop_map(|(model, to)| Action::Offer(model, to)),
		1 => model.clone().prop_map(Action::Withdraw),
		3 => model.clone().prop_map(Action::Accept),
		2 => model.clone().prop_map(Action::Remove),
		1 => model.clone().prop_map(Action::OpenJob),
		1 => model.prop_map(Action::CloseJob),
		2 => (1u32..40).prop_map(Action::Wait),
	]
}

fn artefact(number: u8) -> VersionSpec {
	spec_of(&format!("artefact {number}"))
}

fn hash_of(owner: AccountId, number: u8) -> H256 {
	commitment(owner, &artefact(number).artifact.hash)
}

/// Commits to the artefact, unless that was done, as if it had been in time.
fn prepare(who: AccountId, number: u8) {
	let hash = artefact(number).artifact.hash;
	if !Commitments::<Test>::contains_key(who, commitment(who, &hash))
		&& Balances::free_balance(who) > BaseDeposit::get()
	{
		System::set_block_number(System::block_number() + 1);
		committed(who, &hash);
	}
}

/// Makes the call as `who`; refusals are part of the game.
fn apply(who: AccountId, action: Action) {
	let origin = || RuntimeOrigin::from(RawOrigin::Signed(who));
	let to_terms = |parts: Option<(u32, Balance)>| parts.and_then(|(percent, floor)| terms(percent, floor));
	let _ = match action {
		Action::Commit(number) => Registry::commit_model(origin(), hash_of(who, number)),
		Action::Drop(owner, number) => Registry::drop_commitment(origin(), owner, hash_of(owner, number)),
		Action::Register {
			name: text,
			artefact: number,
			prepared,
			parent,
			terms,
			royalty,
		} => {
			if prepared {
				prepare(who, number);
			}
			Registry::register(
				origin(),
				name(&format!("m{text}")),
				artefact(number),
				parent,
				to_terms(terms),
				royalty,
				Some(SALT),
			)
		}
		Action::AddVersion(model, Some(number)) => {
			prepare(who, number);
			Registry::add_version(origin(), model, artefact(number), Some(SALT))
		}
		Action::AddVersion(model, None) => {
			let present = Versions::<Test>::get(model, 1).unwrap_or_else(spec);
			Registry::add_version(origin(), model, present, None)
		}
		Action::SetRoyalty(model, royalty) => Registry::update_terms(origin(), model, Some(royalty), None),
		Action::SetTerms(model, terms) => Registry::update_terms(origin(), model, None, Some(to_terms(terms))),
		Action::Deprecate(model) => Registry::deprecate(origin(), model),
		Action::Reinstate(model) => Registry::reinstate(origin(), model),
		Action::Offer(model, to) => Registry::offer_transfer(origin(), model, to),
		Action::Withdraw(model) => Registry::withdraw_offer(origin(), model),
		Action::Accept(model) => Registry::accept_transfer(origin(), model),
		Action::Remove(model) => Registry::remove(origin(), model).map(drop).map_err(|error| error.error),
		Action::OpenJob(model) => {
			if Registry::service(model).is_ok() {
				Busy::insert(model, ());
			}
			Ok(())
		}
		Action::CloseJob(model) => {
			Busy::remove(model);
			Ok(())
		}
		Action::Wait(blocks) => {
			System::set_block_number(System::block_number() + blocks);
			Ok(())
		}
	};
}

/// The accounts that calls are made by: mostly an owner, so that calls succeed.
fn caller(action: &Action, other: AccountId) -> AccountId {
	let owner = |model: &ModelId| Models::<Test>::get(model).map_or(other, |record| record.owner);
	match action {
		Action::AddVersion(model, _)
		| Action::SetRoyalty(model, _)
		| Action::SetTerms(model, _)
		| Action::Deprecate(model)
		| Action::Reinstate(model)
		| Action::Offer(model, _)
		| Action::Withdraw(model)
		| Action::Remove(model) => owner(model),
		Action::Accept(model) => TransferOffers::<Test>::get(model).unwrap_or(other),
		_ => other,
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn invariants_should_hold_whatever_is_called(
		actions in prop::collection::vec((1u64..=4, prop::bool::weighted(0.9), action()), 1..80),
	) {
		new_test_ext().execute_with(|| {
			let issuance = Balances::total_issuance();
			for (other, as_entitled, action) in actions {
				let who = if as_entitled { caller(&action, other) } else { other };
				let text = format!("{who}: {action:?}");
				apply(who, action);
				prop_assert_eq!(Registry::do_try_state(), Ok(()), "after {}", text);
				for model in Registry::ids_from(0, 100).0 {
					let sum: Balance = Registry::royalties(model).iter().map(|line| line.per_unit).sum();
					prop_assert_eq!(Some(sum), Registry::royalty_now(model));
				}
			}

			// Everything has an exit: jobs end, then children go before their parents, which are older.
			let mut models: Vec<ModelId> = Models::<Test>::iter_keys().collect();
			models.sort_unstable_by(|a, b| b.cmp(a));
			for model in models {
				Busy::remove(model);
				prop_assert!(Registry::do_remove(record(model).owner, model).is_ok());
			}
			for (owner, hash, _) in Commitments::<Test>::iter().collect::<Vec<_>>() {
				prop_assert!(Registry::do_drop_commitment(owner, owner, hash).is_ok());
			}
			for who in [ALICE, BOB, CAROL, PAUPER] {
				prop_assert_eq!(held(who) + held_for_commitments(who), 0);
			}
			prop_assert_eq!(Models::<Test>::iter().count() + Versions::<Test>::iter().count(), 0);
			prop_assert_eq!(Names::<Test>::iter().count() + TransferOffers::<Test>::iter().count(), 0);
			prop_assert_eq!(Artefacts::<Test>::iter().count() + Commitments::<Test>::iter().count(), 0);
			prop_assert_eq!(Balances::total_issuance(), issuance);
			Ok(())
		})?;
	}
}
