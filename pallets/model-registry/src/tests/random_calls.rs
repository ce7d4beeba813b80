//! Random sequences of calls: the invariants hold after each, and everything can be undone.

use crate::{mock::*, Models, Names, TransferOffers, Versions};
use frame_system::RawOrigin;
use highway_primitives::{traits::Models as _, Balance, ModelId};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Action {
	Register {
		name: u8,
		parent: Option<ModelId>,
		terms: Option<(u32, Balance)>,
		royalty: Balance,
	},
	AddVersion(ModelId),
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
	prop_oneof![
		6 => (0u8..4, prop::option::of(model.clone()), terms.clone(), royalty.clone())
			.prop_map(|(name, parent, terms, royalty)| Action::Register { name, parent, terms, royalty }),
		2 => model.clone().prop_map(Action::AddVersion),
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

/// Makes the call as `who`; refusals are part of the game.
fn apply(who: AccountId, action: Action) {
	let origin = || RuntimeOrigin::from(RawOrigin::Signed(who));
	let to_terms = |parts: Option<(u32, Balance)>| parts.and_then(|(percent, floor)| terms(percent, floor));
	let _ = match action {
		Action::Register {
			name: text,
			parent,
			terms,
			royalty,
		} => Registry::register(
			origin(),
			name(&format!("m{text}")),
			spec(),
			parent,
			to_terms(terms),
			royalty,
		),
		Action::AddVersion(model) => Registry::add_version(origin(), model, spec()),
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
				Registry::job_opened(model);
			}
			Ok(())
		}
		Action::CloseJob(model) => {
			if Models::<Test>::get(model).is_some_and(|record| record.open_jobs > 0) {
				Registry::job_closed(model);
			}
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
		Action::AddVersion(model)
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
				(0..record(model).open_jobs).for_each(|_| Registry::job_closed(model));
				prop_assert!(Registry::do_remove(record(model).owner, model).is_ok());
			}
			for who in [ALICE, BOB, CAROL, PAUPER] {
				prop_assert_eq!(held(who), 0);
			}
			prop_assert_eq!(Models::<Test>::iter().count() + Versions::<Test>::iter().count(), 0);
			prop_assert_eq!(Names::<Test>::iter().count() + TransferOffers::<Test>::iter().count(), 0);
			prop_assert_eq!(Balances::total_issuance(), issuance);
			Ok(())
		})?;
	}
}
