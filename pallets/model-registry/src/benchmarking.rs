//! Benchmarks: every call in its worst case.

#![allow(clippy::arithmetic_side_effects)]

use crate::{Call, Config, Models, Pallet, TransferOffers};
use alloc::{format, vec};
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
	model::{DType, DerivativeTerms, Recipe, TensorSpec, Trace, Unit, VerificationPolicy, VersionSpec, MAX_LINEAGE},
	Balance, BlobRef, ModelId,
};
use sp_runtime::Perbill;

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
	Ok(Pallet::<T>::do_register(
		owner.clone(),
		name,
		largest_spec(),
		parent,
		TERMS,
		0,
	)?)
}

/// A model with as many ancestors as a parent may have.
fn deepest_parent<T: Config>(owner: &T::AccountId) -> Result<ModelId, BenchmarkError> {
	let mut parent = registered::<T>(owner, "m0", None)?;
	for depth in 1..MAX_LINEAGE {
		parent = registered::<T>(owner, &format!("m{depth}"), Some(parent))?;
	}
	Ok(parent)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let parent = deepest_parent::<T>(&owner)?;
		let name = BoundedVec::truncate_from(vec![b'z'; 64]);

		#[extrinsic_call]
		_(
			RawOrigin::Signed(owner),
			name,
			largest_spec(),
			Some(parent),
			TERMS,
			T::MaxRoyalty::get(),
		);

		assert!(Models::<T>::contains_key(parent + 1));
		Ok(())
	}

	#[benchmark]
	fn add_version() -> Result<(), BenchmarkError> {
		let owner = funded::<T>("owner");
		let model = registered::<T>(&owner, "m", None)?;
		Pallet::<T>::do_offer_transfer(owner.clone(), model, account("buyer", 0, 0))?;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model, largest_spec());

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
		for _ in 1..v {
			Pallet::<T>::do_add_version(owner.clone(), model, largest_spec())?;
		}
		Pallet::<T>::do_offer_transfer(owner.clone(), model, account("buyer", 0, 0))?;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner), model);

		assert!(!Models::<T>::contains_key(model));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
