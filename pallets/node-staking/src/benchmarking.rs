//! Benchmarks of every call, at its most expensive.

#![cfg(feature = "runtime-benchmarks")]

use crate::{
	pallet::{Call, Config, CurrentSession, HoldReason, NodeOf, NodeOfWorker, Nodes, Pallet, Standings},
	types::{NodeDescription, NodeRecord, Standing, UnbondingChunk},
	MAX_SLOTS,
};
use alloc::vec;
use codec::{Decode, Encode};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{hold::Mutate as HoldMutate, Mutate},
		Authorize, Get,
	},
	BoundedVec,
};
use frame_system::RawOrigin;
use highway_primitives::{
	traits::{Models as _, Nodes as _},
	worker, Balance, DeviceClass, ModelId, NodeId, WorkerAction, WorkerId, WorkerSignature,
};
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::transaction_validity::TransactionSource;

/// More than any benchmark bonds.
fn plenty<T: Config>() -> Balance {
	T::MinBond::get().saturating_mul(1_000)
}

fn funded<T: Config>(index: u32) -> T::AccountId
where
	T::Currency: Mutate<T::AccountId, Balance = Balance>,
{
	let who = account::<T::AccountId>("operator", index, 0);
	T::Currency::set_balance(&who, plenty::<T>());
	who
}

/// The longest description, with a fresh key.
fn description(worker: WorkerId) -> NodeDescription {
	let address = BoundedVec::try_from(vec![b'/'; 128]).unwrap_or_default();
	NodeDescription {
		worker,
		peer_id: BoundedVec::try_from(vec![1; 64]).unwrap_or_default(),
		addresses: BoundedVec::try_from(vec![address; 4]).unwrap_or_default(),
		device: DeviceClass::Cuda,
		memory_mib: u32::MAX,
		region: BoundedVec::try_from(vec![b'r'; 32]).unwrap_or_default(),
	}
}

fn fresh_key() -> WorkerId {
	WorkerId::generate_pair(None)
}

fn proof<T: Config>(key: &WorkerId, operator: &T::AccountId) -> Result<WorkerSignature, BenchmarkError> {
	let payload = operator.using_encoded(|bytes| worker::registration_payload(Pallet::<T>::genesis_hash(), bytes));
	key.sign(&payload)
		.ok_or(BenchmarkError::Stop("the keystore lacks the worker key"))
}

/// A node with `bonds` times the least bond.
fn registered<T: Config>(index: u32, bonds: u32) -> Result<(T::AccountId, NodeId, WorkerId), BenchmarkError>
where
	T::Currency: Mutate<T::AccountId, Balance = Balance>,
{
	let operator = funded::<T>(index);
	let key = fresh_key();
	let proof = proof::<T>(&key, &operator)?;
	let bond = T::MinBond::get().saturating_mul(bonds.into());
	Pallet::<T>::do_register(operator.clone(), description(key.clone()), bond, proof)?;
	let node = Pallet::<T>::node_of(&operator).ok_or(BenchmarkError::Stop("not registered"))?;
	Ok((operator, node, key))
}

/// Three nodes in one bag, so that the one in the middle has neighbours on both sides; returns that one.
fn between_neighbours<T: Config>(bonds: u32) -> Result<(T::AccountId, NodeId, WorkerId), BenchmarkError>
where
	T::Currency: Mutate<T::AccountId, Balance = Balance>,
{
	registered::<T>(1, bonds)?;
	let middle = registered::<T>(2, bonds)?;
	registered::<T>(3, bonds)?;
	Ok(middle)
}

/// Lets the node host the models below `models`.
fn hosted<T: Config>(node: NodeId, models: u32) {
	Nodes::<T>::mutate(node, |record| {
		if let Some(record) = record {
			record.hosted = BoundedVec::truncate_from((0..models).collect());
		}
	});
}

/// The worker key's signature of the node's heartbeat in session 0.
fn signed_heartbeat<T: Config>(node: NodeId, key: &WorkerId) -> Result<WorkerSignature, BenchmarkError> {
	let action = WorkerAction::Heartbeat {
		node,
		session: 0,
		healthy: true,
		slots: MAX_SLOTS,
	};
	key.sign(&worker::payload(Pallet::<T>::genesis_hash(), &action))
		.ok_or(BenchmarkError::Stop("the keystore lacks the worker key"))
}

/// The list's benchmarks give an account a score: here a bond, whether the account has a node or not.
pub(crate) fn set_score_of<T: Config>(who: &T::AccountId, score: Balance) {
	let node = NodeOf::<T>::get(who).unwrap_or_else(|| {
		let node = Nodes::<T>::iter_keys().count() as NodeId;
		let bytes = sp_io::hashing::blake2_256(&who.encode());
		if let Ok(key) = WorkerId::decode(&mut &bytes[..]) {
			NodeOfWorker::<T>::insert(&key, node);
			Nodes::<T>::insert(node, NodeRecord::<T>::new(who.clone(), description(key), 0));
		}
		Standings::<T>::insert(node, Standing::default());
		NodeOf::<T>::insert(who, node);
		node
	});
	Nodes::<T>::mutate(node, |record| {
		if let Some(record) = record {
			record.bond = score
		}
	});
}

#[benchmarks(where T::Currency: Mutate<T::AccountId, Balance = Balance>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register() -> Result<(), BenchmarkError> {
		registered::<T>(1, 2)?;
		let operator = funded::<T>(2);
		let key = fresh_key();
		let proof = proof::<T>(&key, &operator)?;
		let bond = T::MinBond::get().saturating_mul(2);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator.clone()), description(key), bond, proof);

		assert!(NodeOf::<T>::contains_key(&operator));
		Ok(())
	}

	#[benchmark]
	fn update_node() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		let key = fresh_key();
		let proof = proof::<T>(&key, &operator)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), description(key.clone()), Some(proof));

		assert_eq!(NodeOfWorker::<T>::get(&key), Some(node));
		Ok(())
	}

	#[benchmark]
	fn bond_extra() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(2)?;
		let amount = T::MinBond::get().saturating_mul(100);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), amount);

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.bond > amount));
		Ok(())
	}

	#[benchmark]
	fn unbond() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(100)?;
		let amount = T::MinBond::get().saturating_mul(98);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), amount);

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.unbonding.len() == 1));
		Ok(())
	}

	#[benchmark]
	fn withdraw_unbonded() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		let chunks = T::MaxUnbonding::get();
		T::Currency::hold(&HoldReason::Bond.into(), &operator, chunks.into())?;
		Nodes::<T>::mutate(node, |record| {
			if let Some(record) = record {
				let all = (0..chunks)
					.map(|session| UnbondingChunk { amount: 1, session })
					.collect::<alloc::vec::Vec<_>>();
				record.unbonding = BoundedVec::truncate_from(all);
			}
		});
		CurrentSession::<T>::put(chunks);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator));

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.unbonding.is_empty()));
		Ok(())
	}

	#[benchmark]
	fn chill() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(2)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(operator));

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.chilled));
		Ok(())
	}

	#[benchmark]
	fn resume() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(2)?;
		Pallet::<T>::do_chill(operator.clone())?;
		CurrentSession::<T>::put(crate::MISSED_JAILED);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator));

		assert!(Nodes::<T>::get(node).is_some_and(|record| !record.chilled));
		Ok(())
	}

	// Only the registry makes models: its answer is asked for, and what follows is done whatever it is.
	#[benchmark]
	fn host() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		hosted::<T>(node, T::MaxHosted::get().saturating_sub(1));

		#[block]
		{
			let (node, record) = Pallet::<T>::node_by_operator(&operator)?;
			let _ = T::Models::exists(ModelId::MAX);
			Pallet::<T>::add_hosted(node, record, ModelId::MAX)?;
		}

		assert!(Pallet::<T>::hosts(node, ModelId::MAX));
		Ok(())
	}

	#[benchmark]
	fn unhost() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		let models = T::MaxHosted::get();
		hosted::<T>(node, models);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), models.saturating_sub(1));

		assert!(!Pallet::<T>::hosts(node, models.saturating_sub(1)));
		Ok(())
	}

	#[benchmark]
	fn deregister() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		Pallet::<T>::do_unbond(operator.clone(), T::MinBond::get().saturating_mul(2))?;
		CurrentSession::<T>::put(T::BondingSessions::get());

		#[extrinsic_call]
		_(RawOrigin::Signed(operator));

		assert!(!Nodes::<T>::contains_key(node));
		Ok(())
	}

	#[benchmark]
	fn heartbeat() -> Result<(), BenchmarkError> {
		let (_, node, key) = registered::<T>(1, 2)?;
		let signature = signed_heartbeat::<T>(node, &key)?;

		#[extrinsic_call]
		_(RawOrigin::Authorized, node, 0, true, MAX_SLOTS, signature);

		assert!(Standings::<T>::get(node).is_some_and(|standing| standing.last_heartbeat == Some(0)));
		Ok(())
	}

	#[benchmark]
	fn authorize_heartbeat() -> Result<(), BenchmarkError> {
		let (_, node, key) = registered::<T>(1, 2)?;
		hosted::<T>(node, T::MaxHosted::get());
		CurrentSession::<T>::put(0);
		let signature = signed_heartbeat::<T>(node, &key)?;
		let call = Call::<T>::heartbeat {
			node,
			session: 0,
			healthy: true,
			slots: MAX_SLOTS,
			signature,
		};

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or(BenchmarkError::Stop("a heartbeat is an authorized call"))?
				.map_err(|_| BenchmarkError::Stop("the heartbeat is refused"))?;
		}

		Ok(())
	}

	#[benchmark]
	fn reap() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		Pallet::<T>::do_unbond(operator.clone(), T::MinBond::get().saturating_mul(2))?;
		CurrentSession::<T>::put(T::BondingSessions::get());
		Pallet::<T>::do_withdraw_unbonded(operator.clone())?;

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), node);

		assert!(!Nodes::<T>::contains_key(node));
		Ok(())
	}
}
