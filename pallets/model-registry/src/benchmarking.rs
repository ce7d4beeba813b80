//! Benchmarks: every call in its worst case.

#![allow(clippy::arithmetic_side_effects)]

use crate::{Call, Commitments, Config, Models, NextModelId, Pallet, TransferOffers};
use alloc::{format, vec};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Unbalanced},
		tokens::Precision,
		Get,
	},
	BoundedVec,
};
use frame_system::RawOrigin;
use highway_primitives::{
	model::{
		model_commitment, DType, DerivativeTerms, ModelName, Recipe, TensorSpec, Trace, Unit, VerificationPolicy,
		VersionSpec, MAX_LINEAGE,
	},
	Balance, BlobHash, BlobRef, ModelId,
};
use sp_core::H256;
use sp_runtime::{DispatchError, Perbill};

/// A runtime that fills the other pallets for benchmarks.
pub trait BenchmarkSetup: Config {
	/// Leaves of the model what its jobs do that are over.
	fn cleared(model: ModelId);
}

const TERMS: Option<DerivativeTerms> = Some(DerivativeTerms {
	share: Perbill::from_percent(10),
	floor: 0,
});

/// The largest specification that passes the checks.
pub fn largest_spec() -> VersionSpec {
	let blob = BlobRef {
		hash: Default::default(),
		size: u32::MAX.into(),
	};
	let tensors = || {
		let tensor = |index: u32| TensorSpec {
			name: BoundedVec::truncate_from(format!("{index:064}").into_bytes()),
			dtype: DType::F32,
			shape: BoundedVec::truncate_from(vec![Some(u32::MAX); 8]),
		};
		BoundedVec::truncate_from((0..16).map(tensor).collect())
	};
	VersionSpec {
		artifact: blob,
		licence: BoundedVec::truncate_from(vec![b'a'; 64]),
		inputs: tensors(),
		outputs: tensors(),
		unit: Unit::Request,
		unit_time_ms: crate::MAX_UNIT_TIME_MS,
		policy: VerificationPolicy::Tolerance {
			atol: u32::MAX,
			rtol: u32::MAX,
			outliers: crate::MAX_OUTLIERS,
		},
		trace: Some(Trace {
			tensor: BoundedVec::truncate_from(vec![b'a'; 128]),
			tolerance: u64::MAX,
		}),
		detection: Perbill::one(),
		shares_runs: true,
		recipe: Some(Recipe {
			name: BoundedVec::truncate_from(vec![b'a'; 32]),
			config: blob,
		}),
	}
}

/// The salt of every commitment.
const SALT: [u8; 32] = [7; 32];

/// [`largest_spec`] with an artefact that only this number has.
fn spec_with(artefact: u64) -> VersionSpec {
	let spec = largest_spec();
	VersionSpec {
		artifact: BlobRef {
			hash: H256(sp_io::hashing::blake2_256(&artefact.encode())),
			..spec.artifact
		},
		..spec
	}
}

fn commitment_of<T: Config>(owner: &T::AccountId, artefact: &BlobHash) -> H256 {
	model_commitment(&owner.encode(), artefact, &SALT)
}

/// Commits to an artefact as if that had been long enough ago, and after the last change of anybody's terms. Returns the
/// salt.
pub fn commit<T: Config>(owner: &T::AccountId, artefact: &BlobHash) -> Result<[u8; 32], DispatchError> {
	let hash = commitment_of::<T>(owner, artefact);
	Pallet::<T>::do_commit_model(owner.clone(), hash)?;
	Commitments::<T>::mutate(owner, hash, |commitment| {
		if let Some(commitment) = commitment {
			commitment.from = Pallet::<T>::now();
			commitment.since = Pallet::<T>::now() + 1;
		}
	});
	Ok(SALT)
}

/// Registers a model with everything that the call needs before it: with an artefact that no other model has, to which
/// its owner committed. Also for the benchmarks of other pallets.
pub fn register_model<T: Config>(
	owner: T::AccountId,
	name: ModelName,
	spec: VersionSpec,
	parent: Option<ModelId>,
	derivative_terms: Option<DerivativeTerms>,
	royalty: Balance,
) -> Result<ModelId, DispatchError> {
	let hash = spec_with(NextModelId::<T>::get().into()).artifact.hash;
	let spec = VersionSpec {
		artifact: BlobRef { hash, ..spec.artifact },
		..spec
	};
	let salt = commit::<T>(&owner, &hash)?;
	Pallet::<T>::do_register(owner, name, spec, parent, derivative_terms, royalty, Some(salt))
}

fn funded<T: Config>(name: &'static str) -> T::AccountId {
	let who: T::AccountId = account(name, 0, 0);
	let most: Balance = T::Currency::total_issuance()
		.max(T::Currency::minimum_balance())
		.saturating_mul(1_000);
	let price = T::BaseDeposit::get().saturating_add(T::DepositPerByte::get().saturating_mul(8_192));
	let enough = price
		.saturating_mul(u128::from(T::MaxVersions::get()).saturating_add(8))
		.max(most);
	let _ = T::Currency::increase_balance(&who, enough, Precision::BestEffort);
	who
}

fn registered<T: Config>(owner: &T::AccountId, name: &str, parent: Option<ModelId>) -> Result<ModelId, BenchmarkError> {
	let name = BoundedVec::truncate_from(format!("{name:a<64}").into_bytes());
	let model = register_model::<T>(owner.clone(), name, largest_spec(), parent, TERMS, 0)?;
	Ok(model)
}

/// A model with as many ancestors as a parent may have.
fn deepest_parent<T: Config>(owner: &T::AccountId) -> Result<ModelId, BenchmarkError> {
	let mut parent = registered::<T>(owner, "m0", None)?;
	for depth in 1..MAX_LINEAGE {
		parent = registered::<T>(owner, &format!("m{depth}"), Some(parent))?;
	}
	Ok(parent)
}

#[benchmarks(where T: BenchmarkSetup)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let parent = deepest_parent::<T>(&owner)?;
		let name = BoundedVec::truncate_from(vec![b'z'; 64]);
		let spec = spec_with(u64::MAX);
		let salt = commit::<T>(&owner, &spec.artifact.hash)?;

		#[extrinsic_call]
		_(
			RawOrigin::Signed(owner),
			name,
			spec,
			Some(parent),
			TERMS,
			T::MaxRoyalty::get(),
			Some(salt),
		);

		assert!(Models::<T>::contains_key(parent + 1));
		Ok(())
	}

	#[benchmark]
	fn add_version() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let model = registered::<T>(&owner, "m", None)?;
		Pallet::<T>::do_offer_transfer(owner.clone(), model, account("buyer", 0, 0))?;
		let spec = spec_with(u64::MAX);
		let salt = commit::<T>(&owner, &spec.artifact.hash)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, spec, Some(salt));

		assert_eq!(Models::<T>::get(model).map(|record| record.newest()), Some(2));
		Ok(())
	}

	#[benchmark]
	fn update_terms() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let model = registered::<T>(&owner, "m", None)?;
		let rise = Pallet::<T>::rise_policy().smallest_step;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, Some(rise), Some(None));

		assert!(Models::<T>::get(model).is_some_and(|record| record.royalty.pending.is_some()));
		Ok(())
	}

	#[benchmark]
	fn deprecate() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let model = registered::<T>(&owner, "m", None)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model);

		assert!(Models::<T>::get(model).is_some_and(|record| record.deprecated));
		Ok(())
	}

	#[benchmark]
	fn reinstate() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let model = registered::<T>(&owner, "m", None)?;
		Pallet::<T>::do_deprecate(owner.clone(), model)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model);

		assert!(Models::<T>::get(model).is_some_and(|record| !record.deprecated));
		Ok(())
	}

	#[benchmark]
	fn offer_transfer() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let buyer: T::AccountId = account("buyer", 0, 0);
		let model = registered::<T>(&owner, "m", None)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, buyer.clone());

		assert_eq!(TransferOffers::<T>::get(model), Some(buyer));
		Ok(())
	}

	#[benchmark]
	fn withdraw_offer() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let model = registered::<T>(&owner, "m", None)?;
		Pallet::<T>::do_offer_transfer(owner.clone(), model, account("buyer", 0, 0))?;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model);

		assert!(!TransferOffers::<T>::contains_key(model));
		Ok(())
	}

	#[benchmark]
	fn accept_transfer() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let buyer = funded::<T>("buyer");
		let model = registered::<T>(&owner, "m", None)?;
		Pallet::<T>::do_offer_transfer(owner, model, buyer.clone())?;

		#[extrinsic_call]
		_(RawOrigin::Signed(buyer.clone()), model);

		assert_eq!(Models::<T>::get(model).map(|record| record.owner), Some(buyer));
		Ok(())
	}

	#[benchmark]
	fn remove(v: Linear<1, { T::MaxVersions::get() }>) -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let parent = registered::<T>(&owner, "p", None)?;
		let model = registered::<T>(&owner, "m", Some(parent))?;
		for version in 1..v {
			let spec = spec_with(u64::MAX - u64::from(version));
			let salt = commit::<T>(&owner, &spec.artifact.hash)?;
			Pallet::<T>::do_add_version(owner.clone(), model, spec, Some(salt))?;
		}
		Pallet::<T>::do_offer_transfer(owner.clone(), model, account("buyer", 0, 0))?;
		T::cleared(model);

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model);

		assert!(!Models::<T>::contains_key(model));
		Ok(())
	}

	#[benchmark]
	fn commit_model() {
		let owner = funded::<T>("owner");
		let hash = commitment_of::<T>(&owner, &BlobHash::zero());

		#[extrinsic_call]
		_(RawOrigin::Signed(owner.clone()), hash);

		assert!(Commitments::<T>::contains_key(&owner, hash));
	}

	#[benchmark]
	fn drop_commitment() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let hash = commitment_of::<T>(&owner, &BlobHash::zero());
		Pallet::<T>::do_commit_model(owner.clone(), hash)?;
		// By another account, after its time.
		let until = Pallet::<T>::now() + T::CommitLifetime::get();
		frame_system::Pallet::<T>::set_block_number((until + 1).into());
		let anybody: T::AccountId = account("anybody", 0, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody), owner.clone(), hash);

		assert!(!Commitments::<T>::contains_key(&owner, hash));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
