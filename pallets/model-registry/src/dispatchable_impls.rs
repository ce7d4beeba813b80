//! Every change that a call makes.

use crate::{
	royalty::{RisePolicy, RoyaltyState},
	types::HoldReasonOf,
	validation, Artefacts, Config, Error, Event, HoldReason, ModelRecord, ModelRecordOf, Models, Names, NextModelId,
	Pallet, ParentTerms, TransferOffers, Versions,
};
use codec::Encode;
use frame_support::{
	defensive, ensure,
	traits::{fungible::hold::Mutate, tokens::Precision, Get},
};
use highway_primitives::{
	model::{DerivativeTerms, ModelName, Unit, VersionSpec, MAX_LINEAGE},
	traits::OpenJobs as _,
	Balance, BlockNumber, ModelId, ModelVersion,
};
use sp_runtime::{DispatchError, DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register(
		owner: T::AccountId,
		name: ModelName,
		spec: VersionSpec,
		parent: Option<ModelId>,
		derivative_terms: Option<DerivativeTerms>,
		royalty: Balance,
		salt: Option<[u8; 32]>,
	) -> Result<ModelId, DispatchError> {
		validation::check_name::<T>(&name)?;
		validation::check_spec::<T>(&spec)?;
		let (parent, terms_since) = parent
			.map(|parent| Self::terms_for_child(parent, spec.unit))
			.transpose()?
			.unzip();
		validation::check_royalty::<T>(royalty, parent.as_ref())?;
		if let Some(terms) = &derivative_terms {
			validation::check_terms::<T>(terms, parent.as_ref())?;
		}
		ensure!(!Names::<T>::contains_key(&owner, &name), Error::<T>::NameTaken);
		let model = NextModelId::<T>::get();
		let next = model.checked_add(1).ok_or(Error::<T>::IdsExhausted)?;
		// After everything else: who only wants to know whether a model could be registered needs no commitment that
		// counts.
		let artefact = spec.artifact.hash;
		ensure!(!Artefacts::<T>::contains_key(artefact), Error::<T>::ArtefactTaken);
		let (hash, commitment) = Self::open_commitment(&owner, &artefact, salt.as_ref())?;
		// Else a parent could wait for the registration, ask for everything in front of it, and have it for good.
		ensure!(
			terms_since.is_none_or(|since| since < commitment.since),
			Error::<T>::ParentTermsChanged
		);
		let bytes = name.len().saturating_add(spec.encoded_size());
		let deposit = T::BaseDeposit::get().saturating_add(Self::deposit_for_bytes(bytes));
		Self::take_commitment(&owner, hash, &commitment)?;
		Self::hold(HoldReason::ModelDeposit, &owner, deposit)?;

		NextModelId::<T>::put(next);
		Artefacts::<T>::insert(artefact, model);
		if let Some(parent) = &parent {
			Models::<T>::mutate(parent.model, |record| match record {
				Some(record) => record.children = record.children.saturating_add(1),
				None => {
					defensive!("the parent was read above");
				}
			});
		}
		Names::<T>::insert(&owner, &name, model);
		Versions::<T>::insert(model, 1, spec);
		let record = ModelRecord {
			owner: owner.clone(),
			name: name.clone(),
			version: 1,
			coming: None,
			parent,
			derivative_terms,
			terms_since: Self::now(),
			royalty: RoyaltyState::new(royalty),
			deprecated: false,
			children: 0,
			deposit,
		};
		Models::<T>::insert(model, record);
		let parent = parent.map(|terms| terms.model);
		Self::deposit_event(Event::ModelRegistered {
			model,
			owner,
			name,
			parent,
			royalty,
		});
		Ok(model)
	}

	pub(crate) fn do_add_version(
		who: T::AccountId,
		model: ModelId,
		spec: VersionSpec,
		salt: Option<[u8; 32]>,
	) -> Result<ModelVersion, DispatchError> {
		validation::check_spec::<T>(&spec)?;
		let artefact = spec.artifact.hash;
		let from = Self::now().saturating_add(T::VersionNotice::get());
		let version = Self::try_mutate_owned(&who, model, |record| {
			ensure!(record.newest() < T::MaxVersions::get(), Error::<T>::TooManyVersions);
			let version = record.newest().checked_add(1).ok_or(Error::<T>::TooManyVersions)?;
			Self::check_unit(model, record, spec.unit)?;
			let growth = Self::deposit_for_bytes(spec.encoded_size());
			let deposit = record
				.deposit
				.checked_add(growth)
				.ok_or(sp_runtime::ArithmeticError::Overflow)?;
			match Artefacts::<T>::get(artefact) {
				Some(holder) => ensure!(holder == model, Error::<T>::ArtefactTaken),
				None => {
					let (hash, commitment) = Self::open_commitment(&who, &artefact, salt.as_ref())?;
					Self::take_commitment(&who, hash, &commitment)?;
					Artefacts::<T>::insert(artefact, model);
				}
			}
			Self::hold(HoldReason::ModelDeposit, &who, growth)?;
			record.deposit = deposit;
			*record = record.clone().at(Self::now());
			record.coming = Some((version, from));
			Ok(version)
		})?;
		Versions::<T>::insert(model, version, spec);
		if TransferOffers::<T>::take(model).is_some() {
			Self::deposit_event(Event::TransferWithdrawn { model });
		}
		Self::deposit_event(Event::VersionAdded { model, version, from });
		Ok(version)
	}

	pub(crate) fn do_update_terms(
		who: T::AccountId,
		model: ModelId,
		royalty: Option<Balance>,
		derivative_terms: Option<Option<DerivativeTerms>>,
	) -> DispatchResult {
		ensure!(
			royalty.is_some() || derivative_terms.is_some(),
			Error::<T>::NothingToChange
		);
		let from = Self::try_mutate_owned(&who, model, |record| {
			if let Some(terms) = derivative_terms {
				if let Some(terms) = &terms {
					validation::check_terms::<T>(terms, record.parent.as_ref())?;
				}
				record.derivative_terms = terms;
				record.terms_since = Self::now();
			}
			let Some(royalty) = royalty else { return Ok(None) };
			validation::check_royalty::<T>(royalty, record.parent.as_ref())?;
			let (state, from) = record
				.royalty
				.set(royalty, Self::now(), &Self::rise_policy())
				.ok_or(Error::<T>::RoyaltyRiseTooSteep)?;
			record.royalty = state;
			Ok(Some((royalty, from)))
		})?;
		if let Some((royalty, from)) = from {
			Self::deposit_event(Event::RoyaltySet { model, royalty, from });
		}
		if let Some(terms) = derivative_terms {
			Self::deposit_event(Event::DerivativeTermsSet { model, terms });
		}
		Ok(())
	}

	pub(crate) fn do_deprecate(who: T::AccountId, model: ModelId) -> DispatchResult {
		Self::try_mutate_owned(&who, model, |record| {
			ensure!(!record.deprecated, Error::<T>::ModelDeprecated);
			record.deprecated = true;
			Ok(())
		})?;
		Self::deposit_event(Event::ModelDeprecated { model });
		Ok(())
	}

	pub(crate) fn do_reinstate(who: T::AccountId, model: ModelId) -> DispatchResult {
		Self::try_mutate_owned(&who, model, |record| {
			ensure!(record.deprecated, Error::<T>::NotDeprecated);
			record.deprecated = false;
			Ok(())
		})?;
		Self::deposit_event(Event::ModelReinstated { model });
		Ok(())
	}

	pub(crate) fn do_offer_transfer(who: T::AccountId, model: ModelId, to: T::AccountId) -> DispatchResult {
		let record = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
		ensure!(record.owner == who, Error::<T>::NotOwner);
		ensure!(to != who, Error::<T>::AlreadyOwner);
		TransferOffers::<T>::insert(model, &to);
		Self::deposit_event(Event::TransferOffered { model, to });
		Ok(())
	}

	pub(crate) fn do_withdraw_offer(who: T::AccountId, model: ModelId) -> DispatchResult {
		let record = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
		ensure!(record.owner == who, Error::<T>::NotOwner);
		ensure!(TransferOffers::<T>::take(model).is_some(), Error::<T>::NothingToChange);
		Self::deposit_event(Event::TransferWithdrawn { model });
		Ok(())
	}

	pub(crate) fn do_accept_transfer(who: T::AccountId, model: ModelId) -> DispatchResult {
		let mut record = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
		ensure!(
			TransferOffers::<T>::get(model).as_ref() == Some(&who),
			Error::<T>::NotOffered
		);
		ensure!(!Names::<T>::contains_key(&who, &record.name), Error::<T>::NameTaken);
		Self::hold(HoldReason::ModelDeposit, &who, record.deposit)?;

		Self::release(HoldReason::ModelDeposit, &record.owner, record.deposit)?;
		TransferOffers::<T>::remove(model);
		Names::<T>::remove(&record.owner, &record.name);
		Names::<T>::insert(&who, &record.name, model);
		let from = core::mem::replace(&mut record.owner, who.clone());
		Models::<T>::insert(model, record);
		Self::deposit_event(Event::ModelTransferred { model, from, to: who });
		Ok(())
	}

	/// Returns the number of versions that were removed.
	pub(crate) fn do_remove(who: T::AccountId, model: ModelId) -> Result<u32, DispatchError> {
		let record = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
		ensure!(record.owner == who, Error::<T>::NotOwner);
		ensure!(!T::Jobs::has_open_jobs(model), Error::<T>::OpenJobs);
		ensure!(record.children == 0, Error::<T>::HasChildren);
		Self::release(HoldReason::ModelDeposit, &who, record.deposit)?;

		if let Some(parent) = &record.parent {
			Models::<T>::mutate(parent.model, |parent| match parent {
				Some(parent) => parent.children = parent.children.saturating_sub(1),
				None => {
					defensive!("a model with children stays");
				}
			});
		}
		for version in 1..=record.newest() {
			if let Some(spec) = Versions::<T>::take(model, version) {
				Artefacts::<T>::remove(spec.artifact.hash);
			}
		}
		TransferOffers::<T>::remove(model);
		Names::<T>::remove(&record.owner, &record.name);
		Models::<T>::remove(model);
		Self::deposit_event(Event::ModelRemoved { model });
		Ok(record.newest())
	}

	/// What a child that is registered now and counts in `unit` will owe to `parent`, and since when that is so.
	fn terms_for_child(parent: ModelId, unit: Unit) -> Result<(ParentTerms, BlockNumber), Error<T>> {
		let record = Models::<T>::get(parent).ok_or(Error::<T>::UnknownParent)?;
		ensure!(!record.deprecated, Error::<T>::ParentDeprecated);
		let terms = record.derivative_terms.ok_or(Error::<T>::DerivativesForbidden)?;
		Self::check_unit(parent, &record, unit)?;
		ensure!(
			(Self::ancestors(&record).count() as u32) < MAX_LINEAGE,
			Error::<T>::LineageTooLong
		);
		let owed = ParentTerms {
			model: parent,
			share: terms.share,
			floor: terms.floor,
		};
		Ok((owed, record.terms_since))
	}

	/// All versions of a model, and all models derived from it, count in one unit.
	fn check_unit(model: ModelId, record: &ModelRecordOf<T>, unit: Unit) -> Result<(), Error<T>> {
		let present = Versions::<T>::get(model, record.version).ok_or(Error::<T>::UnknownModel)?;
		ensure!(present.unit == unit, Error::<T>::UnitChanged);
		Ok(())
	}

	/// Changes a model for its owner; nothing is written if `change` fails.
	fn try_mutate_owned<R>(
		who: &T::AccountId,
		model: ModelId,
		change: impl FnOnce(&mut ModelRecordOf<T>) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		Models::<T>::try_mutate(model, |record| {
			let record = record.as_mut().ok_or(Error::<T>::UnknownModel)?;
			ensure!(record.owner == *who, Error::<T>::NotOwner);
			change(record)
		})
	}

	fn deposit_for_bytes(bytes: usize) -> Balance {
		T::DepositPerByte::get().saturating_mul(bytes as Balance)
	}

	pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
		T::Currency::hold(&HoldReasonOf::<T>::from(reason), who, amount)
	}

	/// Best effort: a deposit that lost something to a slash must not keep what it is for for ever.
	pub(crate) fn release(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
		let reason = HoldReasonOf::<T>::from(reason);
		let released = T::Currency::release(&reason, who, amount, Precision::BestEffort)?;
		if released < amount {
			defensive!("less was held than the deposit");
		}
		Ok(())
	}

	pub(crate) fn rise_policy() -> RisePolicy {
		RisePolicy {
			notice: T::RoyaltyNotice::get(),
			period: T::RoyaltyRisePeriod::get(),
			smallest_step: T::SmallestRise::get(),
		}
	}

	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}
