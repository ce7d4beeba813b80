//! Benchmarks of every call, of what authorizes the one without a fee, and of what sessions and other pallets ask for, each at
//! its most expensive.

use crate::{
	election::{CANDIDATES_PER_PLACE, MAX_OPERATORS_LOOKED_AT},
	pallet::{
		Authored, Call, Config, CurrentSession, Delegations, FormerGenerations, HoldReason, NextNodeId, NodeOf,
		NodeOfWorker, Nodes, OffenceShares, OpeningSessions, Pallet, Pledges, Pools, Standings,
	},
	pool_types::{DelegationOf, PoolRecord, UnbondingPart},
	types::{NodeDescription, NodeRecord, Pledge, Standing, UnbondingChunk, MAX_PLEDGES},
	MAX_SLOTS,
};
use alloc::{vec, vec::Vec};
use codec::{Decode, Encode};
use frame_benchmarking::v2::*;
use frame_election_provider_support::SortedListProvider;
use frame_support::{
	traits::{
		fungible::{Mutate, MutateHold},
		Authorize, ConstU32, Get,
	},
	BoundedVec,
};
use frame_system::RawOrigin;
use highway_math::{audit::JUDGE_TRIES, pool::Part};
use highway_primitives::{
	authorization::genesis_hash,
	traits::{MarketClock as _, Models as _, Nodes as _},
	worker, Balance, DeviceClass, ModelId, NodeId, WorkerAction, WorkerId, WorkerSignature,
};
use pallet_authorship::EventHandler;
use pallet_session::SessionManager;
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::{transaction_validity::TransactionSource, Perbill};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// A runtime that fills the other pallets for benchmarks.
pub trait BenchmarkSetup: Config {
	/// Lets the account author blocks.
	fn set_session_keys(account: &Self::AccountId);
	/// Lets the node have missed a probe whose outcome is not noted yet, which leaves it half of what it may sell at most.
	fn miss_probe(node: NodeId);
	/// Goes to a block of the present market epoch in which asks are opened, and not to the first one of them.
	fn open_asks();
}

/// Ids so far apart and so large that the tree of bonds has all of its levels, and no two nodes share more than its root.
const FIRST_ID: NodeId = 1 << 31;
const ID_STEP: NodeId = 1 << 24;

/// Somebody on the list, registered as if it had been long ago, whether with session keys or without.
fn candidate<T: BenchmarkSetup>(index: u32, worker: &WorkerId, has_keys: bool) -> Result<(), BenchmarkError> {
	let operator = account::<T::AccountId>("candidate", index, 0);
	let node = FIRST_ID.saturating_add(index);
	let bond = T::MinBond::get();
	let mut record = NodeRecord::<T>::new(operator.clone(), description(worker.clone()), 0);
	record.bond = bond;
	Nodes::<T>::insert(node, record);
	NodeOf::<T>::insert(&operator, node);
	Pools::<T>::insert(node, PoolRecord::default());
	if has_keys {
		T::set_session_keys(&operator);
	}
	T::VoterList::on_insert(operator, bond).map_err(|_| BenchmarkError::Stop("the list has the account already"))
}

/// More than any benchmark bonds or delegates.
fn plenty<T: Config>() -> Balance {
	T::MinBond::get().max(T::MinDelegation::get()).saturating_mul(1_000)
}

fn funded<T: Config>(index: u32) -> T::AccountId {
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
	let payload = operator.using_encoded(|bytes| worker::registration_payload(genesis_hash::<T>(), bytes));
	key.sign(&payload)
		.ok_or(BenchmarkError::Stop("the keystore lacks the worker key"))
}

/// A node with `bonds` times the least bond.
fn registered<T: Config>(index: u32, bonds: u32) -> Result<(T::AccountId, NodeId, WorkerId), BenchmarkError> {
	let operator = funded::<T>(index);
	let key = fresh_key();
	let proof = proof::<T>(&key, &operator)?;
	let bond = T::MinBond::get().saturating_mul(bonds.into());
	NextNodeId::<T>::put(FIRST_ID.saturating_add(ID_STEP.saturating_mul(index)));
	Pallet::<T>::do_register(operator.clone(), description(key.clone()), bond, proof)?;
	let node = Pallet::<T>::node_of(&operator).ok_or(BenchmarkError::Stop("not registered"))?;
	Ok((operator, node, key))
}

/// Three nodes in one bag, so that the one in the middle has neighbours on both sides; returns that one.
fn between_neighbours<T: Config>(bonds: u32) -> Result<(T::AccountId, NodeId, WorkerId), BenchmarkError> {
	registered::<T>(1, bonds)?;
	let middle = registered::<T>(2, bonds)?;
	registered::<T>(3, bonds)?;
	Ok(middle)
}

/// The same with less than the least bond left to each, as slashes leave it.
fn between_poor_neighbours<T: Config>() -> Result<(T::AccountId, NodeId, WorkerId), BenchmarkError> {
	let first = registered::<T>(1, 2)?;
	let middle = registered::<T>(2, 2)?;
	let last = registered::<T>(3, 2)?;
	let to = receiver::<T>();
	for (_, node, _) in [&first, &middle, &last] {
		Pallet::<T>::do_fine(*node, T::MinBond::get().saturating_add(1), &to);
	}
	Ok(middle)
}

/// An account with coins that is no operator.
fn delegator<T: Config>(index: u32) -> T::AccountId {
	let who = account::<T::AccountId>("delegator", index, 0);
	T::Currency::set_balance(&who, plenty::<T>());
	who
}

/// Lets a delegator have stake behind the node that a slash wiped out, with rewards of that time, and the node be as it
/// was before.
fn wiped_delegation<T: Config>(
	operator: &T::AccountId,
	node: NodeId,
	delegator: &T::AccountId,
) -> Result<(), BenchmarkError> {
	let amount = T::MinDelegation::get();
	Pallet::<T>::do_delegate(delegator.clone(), node, amount, Perbill::one())?;
	earn::<T>(operator);
	let mut pool = Pools::<T>::get(node);
	let taken = Pallet::<T>::slash_pool(node, &mut pool, Perbill::one());
	Pallet::<T>::split_penalty(taken);
	Pallet::<T>::put_pool(node, pool);
	Ok(())
}

/// One session's reward for this operator alone.
fn earn<T: Config>(operator: &T::AccountId) {
	Authored::<T>::insert(operator, 1);
	Pallet::<T>::pay_session(0);
}

/// Lets `count` accounts have delegated to the node, without a call for each.
fn crowd<T: Config>(node: NodeId, count: u32) -> Result<(), BenchmarkError> {
	let mut pool = Pools::<T>::get(node);
	let amount = T::MinDelegation::get();
	let no_room = || BenchmarkError::Stop("the pool is full");
	for index in 0..count {
		let mut delegation = DelegationOf::<T>::default();
		pool.active.join(&mut delegation.part, amount).ok_or_else(no_room)?;
		let mut part = Part::default();
		pool.unbonding.join(&mut part, amount).ok_or_else(no_room)?;
		delegation.unbonding = BoundedVec::truncate_from(vec![UnbondingPart { part, session: 9 }]);
		Delegations::<T>::insert(account::<T::AccountId>("crowd", index, 0), node, delegation);
	}
	let coins = amount.saturating_mul(2).saturating_mul(count.into());
	T::Currency::mint_into(&Pallet::<T>::pot_account(), coins)?;
	Pools::<T>::insert(node, pool);
	if let Some(record) = Nodes::<T>::get(node) {
		Pallet::<T>::rescore(&record, pool.active.stake);
	}
	Ok(())
}

/// Reports the operator for an offence in the current session that costs this share of everything.
fn report<T: Config>(operator: &T::AccountId, fraction: Perbill) {
	let details = OffenceDetails {
		offender: (operator.clone(), ()),
		reporters: Vec::<T::AccountId>::new(),
	};
	Pallet::<T>::on_offence(&[details], &[fraction], CurrentSession::<T>::get());
}

/// Reserves so much of the node's bond, in 100ths.
fn reserve<T: Config>(node: NodeId, percent: u32) -> Balance {
	let bond = Nodes::<T>::get(node).map_or(0, |record| record.bond);
	let reserved = Perbill::from_percent(percent).mul_floor(bond);
	Standings::<T>::mutate(node, |standing| {
		if let Some(standing) = standing {
			standing.reserved = reserved;
		}
	});
	reserved
}

/// An account that exists, such as the one to which the market has slashes paid.
fn receiver<T: Config>() -> T::AccountId {
	delegator::<T>(u32::MAX)
}

/// Lets the node host the models below `models`.
fn hosted<T: Config>(node: NodeId, models: u32) {
	Nodes::<T>::mutate(node, |record| {
		if let Some(record) = record {
			record.hosted = BoundedVec::truncate_from((0..models).collect());
		}
	});
}

/// Asks are being opened, and the node had pledged itself for the present epoch, too: what changes what it is eligible for writes
/// down the most.
fn pledged<T: BenchmarkSetup>(node: NodeId) {
	T::open_asks();
	let (epoch, _) = T::Clock::epoch();
	let models: Vec<ModelId> = (0..T::MaxHosted::get()).collect();
	let pledges: BoundedVec<Pledge<T>, ConstU32<MAX_PLEDGES>> =
		BoundedVec::truncate_from(vec![Pledge::new(epoch, &models)]);
	Pledges::<T>::insert(node, pledges);
}

/// Whether what the node had pledged itself for was written down, for the present epoch and the next one, and that it has lapsed.
fn is_kept<T: Config>(node: NodeId) -> bool {
	let pledges = Pledges::<T>::get(node);
	pledges.len() == MAX_PLEDGES as usize && pledges.iter().any(|pledge| !pledge.lapsed.is_empty())
}

/// Lets the node be eligible for as many models as it may host: whatever ends that writes them down first.
fn serving<T: BenchmarkSetup>(node: NodeId) {
	pledged::<T>(node);
	hosted::<T>(node, T::MaxHosted::get());
	Standings::<T>::mutate(node, |standing| {
		if let Some(standing) = standing {
			standing.last_heartbeat = Some(CurrentSession::<T>::get());
			standing.healthy = true;
			standing.slots = MAX_SLOTS;
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
	key.sign(&worker::payload(genesis_hash::<T>(), &action))
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

#[benchmarks(where T: BenchmarkSetup)]
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
		let (operator, node, _) = between_poor_neighbours::<T>()?;
		serving::<T>(node);
		let amount = T::MinBond::get().saturating_mul(100);
		reserve::<T>(node, 100);
		Standings::<T>::mutate(node, |standing| {
			if let Some(standing) = standing {
				standing.unsecured = 1;
			}
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), amount);

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.bond > amount));
		assert!(is_kept::<T>(node));
		Ok(())
	}

	#[benchmark]
	fn unbond() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(2)?;
		serving::<T>(node);
		let amount = T::MinBond::get().saturating_mul(2);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), amount);

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.bond == 0 && record.unbonding.len() == 1));
		assert!(is_kept::<T>(node));
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
					.collect::<Vec<_>>();
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
		serving::<T>(node);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator));

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.chilled));
		assert!(is_kept::<T>(node));
		Ok(())
	}

	// Out of jail and out of a chill. Only one of them alone could change what the node is eligible for.
	#[benchmark]
	fn resume() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(2)?;
		serving::<T>(node);
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
		serving::<T>(node);
		hosted::<T>(node, T::MaxHosted::get().saturating_sub(1));

		#[block]
		{
			let (node, record) = Pallet::<T>::node_by_operator(&operator)?;
			let _ = T::Models::exists(ModelId::MAX);
			Pallet::<T>::add_hosted(node, record, ModelId::MAX)?;
		}

		assert!(Pallet::<T>::hosts(node, ModelId::MAX));
		assert!(is_kept::<T>(node));
		Ok(())
	}

	#[benchmark]
	fn unhost() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		let models = T::MaxHosted::get();
		serving::<T>(node);

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), models.saturating_sub(1));

		assert!(!Pallet::<T>::hosts(node, models.saturating_sub(1)));
		assert!(is_kept::<T>(node));
		Ok(())
	}

	#[benchmark]
	fn deregister() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		earn::<T>(&operator);
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
		hosted::<T>(node, T::MaxHosted::get());
		let signature = signed_heartbeat::<T>(node, &key)?;
		T::miss_probe(node);
		pledged::<T>(node);

		#[extrinsic_call]
		_(RawOrigin::Authorized, node, 0, true, MAX_SLOTS, signature);

		assert!(Standings::<T>::get(node).is_some_and(|standing| standing.last_heartbeat == Some(0)));
		// It was eligible for nothing before.
		assert!(is_kept::<T>(node));
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
		earn::<T>(&operator);
		Pallet::<T>::do_unbond(operator.clone(), T::MinBond::get().saturating_mul(2))?;
		CurrentSession::<T>::put(T::BondingSessions::get());
		Pallet::<T>::do_withdraw_unbonded(operator.clone())?;

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), node);

		assert!(!Nodes::<T>::contains_key(node));
		Ok(())
	}

	#[benchmark]
	fn delegate() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(2)?;
		let who = delegator::<T>(1);
		wiped_delegation::<T>(&operator, node, &who)?;
		let amount = T::MinBond::get().saturating_mul(100);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), node, amount, Perbill::one());

		assert_eq!(Pools::<T>::get(node).active.stake, amount);
		assert_eq!(FormerGenerations::<T>::iter_prefix(node).count(), 0);
		Ok(())
	}

	#[benchmark]
	fn undelegate() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(2)?;
		let who = delegator::<T>(1);
		let amount = T::MinBond::get().saturating_mul(100);
		Pallet::<T>::do_delegate(who.clone(), node, amount, Perbill::one())?;
		earn::<T>(&operator);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), node, Balance::MAX);

		assert_eq!(Pools::<T>::get(node).unbonding.stake, amount);
		Ok(())
	}

	#[benchmark]
	fn withdraw_delegation() -> Result<(), BenchmarkError> {
		let (_, node, _) = registered::<T>(1, 2)?;
		let who = delegator::<T>(1);
		let parts = T::MaxUnbonding::get();
		let mut delegation = DelegationOf::<T>::default();
		let mut pool = Pools::<T>::get(node);
		let mut leaving = Vec::new();
		for session in 0..parts {
			let mut part = Part::default();
			pool.unbonding
				.join(&mut part, T::MinDelegation::get())
				.ok_or(BenchmarkError::Stop("the pool is full"))?;
			leaving.push(UnbondingPart { part, session });
		}
		delegation.unbonding = BoundedVec::truncate_from(leaving);
		T::Currency::mint_into(&Pallet::<T>::pot_account(), pool.unbonding.stake)?;
		Pools::<T>::insert(node, pool);
		Delegations::<T>::insert(&who, node, delegation);
		CurrentSession::<T>::put(parts);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), node);

		assert!(!Delegations::<T>::contains_key(&who, node));
		Ok(())
	}

	#[benchmark]
	fn claim_rewards() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		// The operator delegates to itself: it is paid as both.
		wiped_delegation::<T>(&operator, node, &operator)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(operator.clone()), node);

		// What roundings left of the delegation's rewards may be the operator's now.
		assert!(Pools::<T>::get(node).operator_rewards <= 1);
		assert!(!Delegations::<T>::contains_key(&operator, node));
		Ok(())
	}

	#[benchmark]
	fn set_commission() -> Result<(), BenchmarkError> {
		let (operator, node, _) = registered::<T>(1, 2)?;
		crowd::<T>(node, 1)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(operator), Perbill::from_percent(15));

		assert!(Pools::<T>::get(node).commission.announced.is_some());
		Ok(())
	}

	#[benchmark]
	fn note_author() -> Result<(), BenchmarkError> {
		let (operator, _, _) = registered::<T>(1, 2)?;

		#[block]
		{
			<Pallet<T> as EventHandler<_, _>>::note_author(operator.clone());
		}

		assert_eq!(Authored::<T>::get(&operator), 1);
		Ok(())
	}

	#[benchmark]
	fn end_session(v: Linear<1, { T::MaxValidators::get() }>) -> Result<(), BenchmarkError> {
		for index in 0..v {
			let (operator, node, _) = registered::<T>(index, 2)?;
			crowd::<T>(node, 1)?;
			Authored::<T>::insert(&operator, 1);
		}

		#[block]
		{
			Pallet::<T>::pay_session(0);
		}

		assert_eq!(Authored::<T>::iter().count(), 0);
		Ok(())
	}

	// Offences of as many validators are forgotten, and of the present session it is kept that asks began to be opened in it.
	#[benchmark]
	fn start_session(v: Linear<1, { T::MaxValidators::get() }>) {
		T::open_asks();
		let session = T::BondingSessions::get().saturating_add(1);
		for node in 0..v {
			OffenceShares::<T>::insert(1, node, Perbill::one());
		}

		#[block]
		{
			<Pallet<T> as SessionManager<T::AccountId>>::start_session(session);
		}

		assert_eq!(CurrentSession::<T>::get(), session);
		assert_eq!(OffenceShares::<T>::iter_prefix(1).count(), 0);
		assert!(!OpeningSessions::<T>::get().is_empty());
	}

	// Of those who are looked at the last ones have session keys: as many as are compared.
	#[benchmark]
	fn new_session(n: Linear<1, { MAX_OPERATORS_LOOKED_AT as u32 }>) -> Result<(), BenchmarkError> {
		let worker = fresh_key();
		let compared = T::MaxValidators::get().saturating_mul(CANDIDATES_PER_PLACE);
		for index in 0..n {
			candidate::<T>(index, &worker, index.saturating_add(compared) >= n)?;
		}
		let chosen;

		#[block]
		{
			chosen = Pallet::<T>::choose_validators();
		}

		let chosen = chosen.map_or(0, |validators| validators.len() as u32);
		assert!(chosen >= n.min(T::MaxValidators::get()));
		Ok(())
	}

	#[benchmark]
	fn on_offence() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(2)?;
		crowd::<T>(node, 1)?;
		serving::<T>(node);
		reserve::<T>(node, 100);
		T::Currency::set_balance(&T::Treasury::get(), plenty::<T>());

		#[block]
		{
			report::<T>(&operator, Perbill::one());
		}

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.bond == 0));
		assert_eq!(Pools::<T>::get(node).active.stake, 0);
		assert!(is_kept::<T>(node));
		Ok(())
	}

	#[benchmark]
	fn slash() -> Result<(), BenchmarkError> {
		let (_, node, _) = between_neighbours::<T>(2)?;
		serving::<T>(node);
		let amount = reserve::<T>(node, 100);
		let to = receiver::<T>();

		#[block]
		{
			Pallet::<T>::do_slash(node, amount, &to);
		}

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.bond == 0));
		assert!(is_kept::<T>(node));
		Ok(())
	}

	#[benchmark]
	fn fine() -> Result<(), BenchmarkError> {
		let (operator, node, _) = between_neighbours::<T>(100)?;
		Pallet::<T>::do_unbond(operator, T::MinBond::get())?;
		serving::<T>(node);
		let to = receiver::<T>();
		let amount = T::MinBond::get().saturating_mul(100);

		#[block]
		{
			Pallet::<T>::do_fine(node, amount, &to);
		}

		assert!(Nodes::<T>::get(node).is_some_and(|record| record.bond == 0 && record.unbonding.is_empty()));
		assert!(is_kept::<T>(node));
		Ok(())
	}

	// Nobody is able, so that all tries are used.
	#[benchmark]
	fn draw_judge() -> Result<(), BenchmarkError> {
		let mut parties = Vec::new();
		for index in 0..24 {
			let (operator, _, _) = registered::<T>(index, 2)?;
			if parties.len() < 6 {
				parties.push(operator);
			}
		}
		let found;

		#[block]
		{
			found = Pallet::<T>::draw_judge(&[7; 32], Balance::MAX, &parties, None);
		}

		assert_eq!((found.node, found.tried), (None, JUDGE_TRIES.into()));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::tests::for_benchmarks(), crate::mock::Test);
}
