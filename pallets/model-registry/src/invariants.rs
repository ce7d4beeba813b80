//! What must hold after every block. Errors, never panics: the caller decides what a broken invariant means.

use crate::{
	types::HoldReasonOf, Artefacts, Commitments, Config, HoldReason, Models, Names, NextModelId, Pallet,
	TransferOffers, Versions,
};
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	traits::{fungible::hold::Inspect, Get},
};
use highway_primitives::{model::MAX_LINEAGE, Balance, BlobHash, ModelId};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet. Reads all of its storage: for tests and `try-runtime` only.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::ids_are_given_in_order()?;
		Self::names_index_models()?;
		Self::versions_are_dense()?;
		Self::artefacts_are_of_one_model()?;
		Self::children_are_counted()?;
		Self::lineages_are_short_and_paid()?;
		Self::terms_are_payable()?;
		Self::deposits_are_held()?;
		Self::commitments_are_paid()?;
		Self::offers_are_of_models()
	}

	/// No model has an id that was not given yet.
	fn ids_are_given_in_order() -> Result<(), TryRuntimeError> {
		let next = NextModelId::<T>::get();
		ensure!(
			Models::<T>::iter_keys().all(|model| model < next),
			"a model has an id that was not given"
		);
		Ok(())
	}

	/// Every model is found by its owner and name, and the index has no other entries.
	fn names_index_models() -> Result<(), TryRuntimeError> {
		let mut models = 0usize;
		for (model, record) in Models::<T>::iter() {
			ensure!(
				Names::<T>::get(&record.owner, &record.name) == Some(model),
				"a model is not found by its name"
			);
			models = models.saturating_add(1);
		}
		ensure!(
			Names::<T>::iter().count() == models,
			"the index of names has entries of no model"
		);
		Ok(())
	}

	/// A model has the versions 1 up to its newest one, at most `MaxVersions`, all in one unit, which is its parent's too;
	/// and there are no others. A version on its way is newer than the current one.
	fn versions_are_dense() -> Result<(), TryRuntimeError> {
		let mut versions = 0usize;
		for (model, record) in Models::<T>::iter() {
			ensure!(
				(1..=T::MaxVersions::get()).contains(&record.version) && record.newest() <= T::MaxVersions::get(),
				"a model has no version, or too many"
			);
			ensure!(
				record.coming.is_none_or(|(version, _)| version > record.version),
				"a version on its way is not new"
			);
			let parent = record.parent.map_or(model, |parent| parent.model);
			let unit = Versions::<T>::get(parent, 1).map(|spec| spec.unit);
			let mut units =
				(1..=record.newest()).map(|version| Versions::<T>::get(model, version).map(|spec| spec.unit));
			ensure!(
				unit.is_some() && units.all(|other| other == unit),
				"a version is missing, or counts in another unit"
			);
			versions = versions.saturating_add(record.newest() as usize);
		}
		ensure!(
			Versions::<T>::iter().count() == versions,
			"there are versions of no model"
		);
		Ok(())
	}

	/// Every artefact of a version is indexed, no two models have the same, and the index has no other entries.
	fn artefacts_are_of_one_model() -> Result<(), TryRuntimeError> {
		let mut artefacts = BTreeMap::<BlobHash, ModelId>::new();
		for (model, _, spec) in Versions::<T>::iter() {
			let holder = artefacts.entry(spec.artifact.hash).or_insert(model);
			ensure!(*holder == model, "two models have the same artefact");
		}
		for (artefact, model) in &artefacts {
			ensure!(
				Artefacts::<T>::get(artefact) == Some(*model),
				"an artefact is not found, or as another model's"
			);
		}
		ensure!(
			Artefacts::<T>::iter().count() == artefacts.len(),
			"the index of artefacts has entries of no version"
		);
		Ok(())
	}

	/// A model's `children` is the number of models whose parent it is; every parent is registered.
	fn children_are_counted() -> Result<(), TryRuntimeError> {
		let mut children = BTreeMap::<ModelId, u32>::new();
		for parent in Models::<T>::iter_values().filter_map(|record| record.parent) {
			ensure!(Models::<T>::contains_key(parent.model), "a parent is not registered");
			let count = children.entry(parent.model).or_default();
			*count = count.saturating_add(1);
		}
		for (model, record) in Models::<T>::iter() {
			let counted = children.get(&model).copied().unwrap_or_default();
			ensure!(record.children == counted, "a model miscounts its children");
		}
		Ok(())
	}

	/// A parent is older than its child, so that there are no cycles; nobody has more than `MAX_LINEAGE` ancestors; a
	/// royalty, pending or not, pays the floors of all ancestors; and no model asks less of its children than it owes
	/// itself.
	fn lineages_are_short_and_paid() -> Result<(), TryRuntimeError> {
		for (model, record) in Models::<T>::iter() {
			let royalty = record
				.royalty
				.pending
				.map_or(record.royalty.current, |(rise, _)| rise.min(record.royalty.current));
			ensure!(
				record
					.parent
					.zip(record.derivative_terms)
					.is_none_or(|(owed, terms)| terms.share >= owed.share && terms.floor >= owed.floor),
				"a model asks less of its children than it owes to its parent"
			);
			let (mut child, mut next, mut depth) = (model, record.parent, 0u32);
			while let Some(terms) = next {
				ensure!(terms.model < child, "a parent is younger than its child");
				ensure!(royalty >= terms.floor, "a royalty does not pay an ancestor's floor");
				depth = depth.saturating_add(1);
				child = terms.model;
				next = Models::<T>::get(terms.model).and_then(|parent| parent.parent);
			}
			ensure!(depth <= MAX_LINEAGE, "a model has too many ancestors");
		}
		Ok(())
	}

	/// Royalties and floors are at most `MaxRoyalty`, and a pending royalty is a rise.
	fn terms_are_payable() -> Result<(), TryRuntimeError> {
		let most = T::MaxRoyalty::get();
		for record in Models::<T>::iter_values() {
			let royalty = record.royalty;
			ensure!(royalty.current <= most, "a royalty is above the maximum");
			let rise_is_valid = royalty
				.pending
				.is_none_or(|(rise, _)| rise > royalty.current && rise <= most);
			ensure!(rise_is_valid, "a pending royalty is not a rise, or above the maximum");
			ensure!(
				record.derivative_terms.is_none_or(|terms| terms.floor <= most),
				"a floor is above the maximum"
			);
		}
		Ok(())
	}

	/// What is held from an owner is the sum of the deposits of its models.
	fn deposits_are_held() -> Result<(), TryRuntimeError> {
		let mut deposits = BTreeMap::<T::AccountId, Balance>::new();
		for record in Models::<T>::iter_values() {
			let sum = deposits.entry(record.owner).or_default();
			*sum = sum.saturating_add(record.deposit);
		}
		let reason = HoldReasonOf::<T>::from(HoldReason::ModelDeposit);
		for (owner, sum) in deposits {
			ensure!(
				T::Currency::balance_on_hold(&reason, &owner) == sum,
				"an owner's deposits are not what is held"
			);
		}
		Ok(())
	}

	/// What is held from an account for its commitments is the sum of their deposits; and each counts for a while.
	fn commitments_are_paid() -> Result<(), TryRuntimeError> {
		let mut deposits = BTreeMap::<T::AccountId, Balance>::new();
		for (owner, _, commitment) in Commitments::<T>::iter() {
			ensure!(
				commitment.since <= commitment.until && commitment.from <= commitment.until,
				"a commitment never counts"
			);
			let sum = deposits.entry(owner).or_default();
			*sum = sum.saturating_add(commitment.deposit);
		}
		let reason = HoldReasonOf::<T>::from(HoldReason::CommitmentDeposit);
		for (owner, sum) in deposits {
			ensure!(
				T::Currency::balance_on_hold(&reason, &owner) == sum,
				"the deposits of an account's commitments are not what is held"
			);
		}
		Ok(())
	}

	/// Only registered models are offered, and never to their owners.
	fn offers_are_of_models() -> Result<(), TryRuntimeError> {
		for (model, to) in TransferOffers::<T>::iter() {
			let owner = Models::<T>::get(model).map(|record| record.owner);
			ensure!(
				owner.is_some_and(|owner| owner != to),
				"an offer is of no model, or to its owner"
			);
		}
		Ok(())
	}
}
