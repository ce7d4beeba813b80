//! What others read: the runtime API, and the pallets behind [`highway_primitives::traits::Models`].

use crate::{Config, Error, ModelRecordOf, Models, Names, NextModelId, Pallet, ParentTerms, Versions};
use alloc::vec::Vec;
use frame_support::{defensive, ensure, traits::Get};
use highway_primitives::{
	audit::AuditTerms,
	model::{ModelName, ModelService, Royalties, VerificationPolicy, VersionSpec, MAX_LINEAGE},
	traits, Balance, ModelId, ModelVersion, RoyaltyLine,
};
use sp_runtime::{DispatchError, Perbill};

/// The most ids that [`Pallet::ids_from`] looks at: one storage read each.
pub const MAX_PROBES: u32 = 1_024;

impl<T: Config> Pallet<T> {
	/// A model as it is in this block, a rise and a version whose notice is over included, and its current version.
	pub fn model(model: ModelId) -> Option<(ModelRecordOf<T>, VersionSpec)> {
		let mut record = Models::<T>::get(model)?.at(Self::now());
		record.royalty = record.royalty.at(Self::now(), T::RoyaltyRisePeriod::get());
		let spec = Versions::<T>::get(model, record.version)?;
		Some((record, spec))
	}

	/// Royalty per unit in this block.
	pub fn royalty_now(model: ModelId) -> Option<Balance> {
		Models::<T>::get(model).map(|record| Self::royalty_of(&record))
	}

	/// One version of a model.
	pub fn spec(model: ModelId, version: ModelVersion) -> Option<VersionSpec> {
		Versions::<T>::get(model, version)
	}

	/// The model with this name among the owner's.
	pub fn id_of(owner: &T::AccountId, name: ModelName) -> Option<ModelId> {
		Names::<T>::get(owner, name)
	}

	/// Ids of registered models from `from` on, ascending: at most `limit` of them, found among the next [`MAX_PROBES`]
	/// ids; and the id from which to go on, `None` at the end. A page may be short, even empty, where many were removed.
	pub fn ids_from(from: ModelId, limit: u32) -> (Vec<ModelId>, Option<ModelId>) {
		let last = NextModelId::<T>::get();
		let end = last.min(from.saturating_add(MAX_PROBES));
		let limit = limit.min(MAX_PROBES) as usize;
		let ids: Vec<ModelId> = (from..end)
			.filter(|model| Models::<T>::contains_key(model))
			.take(limit)
			.collect();
		// A full page ends at its last id, another one where nobody looked yet.
		let next = match ids.len() == limit {
			true => ids.last().map_or(from, |id| id.saturating_add(1)),
			false => end,
		};
		(ids, (next < last).then_some(next))
	}

	/// The ancestors of a model, nearest first, with the terms under which each was derived from. At most
	/// [`MAX_LINEAGE`].
	pub(crate) fn ancestors(record: &ModelRecordOf<T>) -> impl Iterator<Item = (ParentTerms, ModelRecordOf<T>)> {
		let mut next = record.parent;
		core::iter::from_fn(move || {
			let terms = next.take()?;
			let Some(parent) = Models::<T>::get(terms.model) else {
				defensive!("a model with children stays");
				return None;
			};
			next = parent.parent;
			Some((terms, parent))
		})
		.take(MAX_LINEAGE as usize)
	}

	fn royalty_of(record: &ModelRecordOf<T>) -> Balance {
		record.royalty.at(Self::now(), T::RoyaltyRisePeriod::get()).current
	}
}

impl<T: Config> traits::Models<T::AccountId> for Pallet<T> {
	fn exists(model: ModelId) -> bool {
		Models::<T>::contains_key(model)
	}

	fn service(model: ModelId) -> Result<ModelService, DispatchError> {
		let record = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?.at(Self::now());
		ensure!(!record.deprecated, Error::<T>::ModelDeprecated);
		let spec = Versions::<T>::get(model, record.version).ok_or(Error::<T>::UnknownModel)?;
		Ok(ModelService {
			version: record.version,
			spec: spec.digest(),
			unit: spec.unit,
			unit_time_ms: spec.unit_time_ms,
			detection: spec.detection,
		})
	}

	fn royalties(model: ModelId) -> Royalties<T::AccountId> {
		let Some(record) = Models::<T>::get(model) else {
			return Vec::new();
		};
		let royalty = Self::royalty_of(&record);
		let ancestors: Vec<_> = Self::ancestors(&record).collect();
		let terms: Vec<(Perbill, Balance)> = ancestors.iter().map(|(terms, _)| (terms.share, terms.floor)).collect();
		let payees = core::iter::once((model, record.owner)).chain(
			ancestors
				.into_iter()
				.map(|(terms, ancestor)| (terms.model, ancestor.owner)),
		);
		payees
			.zip(highway_math::split::royalties(royalty, &terms))
			.map(|((model, payee), per_unit)| RoyaltyLine { model, payee, per_unit })
			.collect()
	}

	fn audit_terms(model: ModelId, version: ModelVersion) -> Option<AuditTerms<T::AccountId>> {
		let owner = Models::<T>::get(model)?.owner;
		let VersionSpec { trace, policy, .. } = Versions::<T>::get(model, version)?;
		let tolerance = match (trace, policy) {
			(Some(trace), _) => trace.tolerance,
			// Sketches of outputs: as equal as these are.
			(None, VerificationPolicy::Exact) => 0,
			// Nothing says how far honest sums lie apart: the outputs decide alone.
			(None, VerificationPolicy::Tolerance { .. }) => u64::MAX,
		};
		Some(AuditTerms { owner, tolerance })
	}
}
