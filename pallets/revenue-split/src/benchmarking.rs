//! Benchmarks of every call at its worst.

use crate::{
	pallet::{
		Asks, Call, Clearings, Config, CuratorFees, Earnings, HoldReason, LastCleared, Obligations, Pallet,
		TotalEarnings,
	},
	types::{Ask, AskRole, Clearing, CuratorFee, Winners, MAX_ASKS},
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::fungible::{Inspect, Mutate},
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use highway_primitives::{traits::Nodes, Balance, ModelId, NodeId};
use sp_runtime::traits::Get;

/// What the runtime prepares for the benchmarks: the pallet itself knows nodes through a trait that only reads.
pub trait BenchmarkSetup<AccountId> {
	/// Registers a model.
	fn model() -> ModelId;
	/// Registers another node that hosts `model` and can take jobs, with coins for its operator. Returns the operator.
	fn operator_hosting(model: ModelId, index: u32) -> AccountId;
}

fn node_hosting<T: Config>(model: ModelId, index: u32) -> Result<(T::AccountId, NodeId), BenchmarkError> {
	let operator = T::BenchmarkSetup::operator_hosting(model, index);
	let node = T::Nodes::node_of(&operator).ok_or(BenchmarkError::Stop("no node was registered"))?;
	Ok((operator, node))
}

/// Fills every place with asks of nodes that host the model, each at a price of its own.
fn fill<T: Config>(model: ModelId, role: AskRole) -> Result<(), BenchmarkError> {
	for index in 0..MAX_ASKS {
		let (operator, _) = node_hosting::<T>(model, index)?;
		Pallet::<T>::do_post_ask(&operator, model, role, T::MaxAsk::get().saturating_sub(index.into()))?;
	}
	Ok(())
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// All places are taken by nodes that still serve; the caller asks less.
	#[benchmark]
	fn post_ask() -> Result<(), BenchmarkError> {
		let model = T::BenchmarkSetup::model();
		fill::<T>(model, AskRole::Compute)?;
		let (operator, node) = node_hosting::<T>(model, MAX_ASKS)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), model, AskRole::Compute, 1);

		assert_eq!(Pallet::<T>::ask_of(node, model, AskRole::Compute), Some(1));
		Ok(())
	}

	/// All places are taken; the caller came last.
	#[benchmark]
	fn withdraw_ask() -> Result<(), BenchmarkError> {
		let model = T::BenchmarkSetup::model();
		fill::<T>(model, AskRole::Compute)?;
		let last = MAX_ASKS.saturating_sub(1);
		let (operator, node) = node_hosting::<T>(model, last)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), model, AskRole::Compute);

		assert_eq!(Pallet::<T>::ask_of(node, model, AskRole::Compute), None);
		Ok(())
	}

	/// The first fee of an account.
	#[benchmark]
	fn post_curator_fee() -> Result<(), BenchmarkError> {
		let curator: T::AccountId = whitelisted_caller();
		let coins = T::CuratorDeposit::get().saturating_add(T::Currency::minimum_balance().saturating_mul(10));
		T::Currency::mint_into(&curator, coins)?;
		let fee = T::MaxCuratorFee::get();

		#[extrinsic_call]
		_(RawOrigin::Signed(curator.clone()), fee);

		assert_eq!(
			CuratorFees::<T>::get(&curator),
			Some(CuratorFee {
				fee,
				deposit: T::CuratorDeposit::get()
			})
		);
		Ok(())
	}

	/// Creates the account.
	#[benchmark]
	fn claim() -> Result<(), BenchmarkError> {
		let account: T::AccountId = whitelisted_caller();
		let amount: Balance = T::Currency::minimum_balance();
		Pallet::<T>::endow_pot();
		T::Currency::mint_into(&Pallet::<T>::pot_account(), amount)?;
		Earnings::<T>::insert(&account, amount);
		TotalEarnings::<T>::mutate(|total| *total = total.saturating_add(amount));

		#[extrinsic_call]
		_(RawOrigin::Signed(account.clone()));

		assert_eq!(T::Currency::balance(&account), amount);
		Ok(())
	}

	/// The books are of nodes that are gone, as many as may be still have a place, and the latest record is not needed
	/// any more.
	#[benchmark]
	fn prune(a: Linear<2, 256>) -> Result<(), BenchmarkError> {
		let model = T::BenchmarkSetup::model();
		let winners: Winners = BoundedVec::truncate_from((0..MAX_ASKS).collect());
		for (place, role) in AskRole::ALL.into_iter().enumerate() {
			let mut asks = Vec::new();
			for index in 0..a / 2 {
				let holds = index < MAX_ASKS;
				let operator = account("gone", index, place as u32);
				let deposit = T::AskDeposit::get();
				T::Currency::mint_into(&operator, deposit.saturating_add(T::Currency::minimum_balance()))?;
				if holds {
					Pallet::<T>::hold_deposit(HoldReason::Ask, &operator, deposit)?;
				}
				asks.push(Ask {
					node: NodeId::MAX.saturating_sub(index),
					current: (!holds).then_some(1),
					next: Some((1, holds.then_some(1))),
					deposit: holds.then_some((operator, deposit)),
				});
			}
			Asks::<T>::insert(model, role, BoundedVec::truncate_from(asks));
		}
		let clearing = Clearing {
			compute_price: 1,
			executors: winners.clone(),
			storage_price: 1,
			storage: winners,
			royalties: Default::default(),
			jobs: 0,
		};
		Clearings::<T>::insert(model, 0, clearing);
		LastCleared::<T>::insert(model, 0);
		frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::from(
			Pallet::<T>::last_block_of(0).saturating_add(1),
		));

		#[extrinsic_call]
		_(RawOrigin::Signed(whitelisted_caller()), model);

		assert!(!Clearings::<T>::contains_key(model, 0));
		assert!(!Asks::<T>::contains_key(model, AskRole::Compute));
		assert_eq!(Obligations::<T>::get(), 0);
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder.build(), crate::mock::Test);
}
