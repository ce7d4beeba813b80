//! What the calls do.

use crate::{
	pallet::{
		Config, CurrentSession, Error, Event, HoldReason, NextNodeId, NodeOf, NodeOfWorker, Nodes, Pallet, Pledges,
		Slashes, Standings,
	},
	pledges::Ability,
	types::{NodeDescription, NodeRecord, NodeRecordOf, Standing, UnbondingChunk},
};
use codec::Encode;
use frame_election_provider_support::SortedListProvider;
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Defensive, Get},
};
use highway_primitives::{
	authorization::genesis_hash,
	traits::{Capacity, Models},
	worker, Balance, ModelId, NodeId, WorkerId, WorkerSignature,
};
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::{traits::Zero, DispatchError};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register(
		operator: T::AccountId,
		description: NodeDescription,
		bond: Balance,
		proof: WorkerSignature,
	) -> DispatchResult {
		ensure!(!NodeOf::<T>::contains_key(&operator), Error::<T>::AlreadyRegistered);
		ensure!(
			!NodeOfWorker::<T>::contains_key(&description.worker),
			Error::<T>::WorkerKeyTaken
		);
		ensure!(bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
		Self::check_description(&description)?;
		Self::check_ownership(&operator, &description.worker, &proof)?;
		let session = CurrentSession::<T>::get();
		Self::insert_node(operator, description, bond, Standing::new(session)).map(|_| ())
	}

	/// Holds the bond and writes a new node. The caller has checked everything but the balance.
	pub(crate) fn insert_node(
		operator: T::AccountId,
		description: NodeDescription,
		bond: Balance,
		standing: Standing,
	) -> Result<NodeId, DispatchError> {
		let node = NextNodeId::<T>::get();
		let next = node.checked_add(1).ok_or(Error::<T>::IdsExhausted)?;
		T::Currency::hold(&HoldReason::Bond.into(), &operator, bond)?;
		NextNodeId::<T>::put(next);
		let worker = description.worker.clone();
		let mut record = NodeRecord::<T>::new(operator.clone(), description, standing.live_since);
		let before = Self::footing(&record);
		record.bond = bond;
		Self::put_node(node, record, before);
		Standings::<T>::insert(node, standing);
		NodeOf::<T>::insert(&operator, node);
		NodeOfWorker::<T>::insert(&worker, node);
		Self::deposit_event(Event::Registered {
			node,
			operator,
			worker,
			bond,
		});
		Ok(node)
	}

	pub(crate) fn do_update_node(
		operator: T::AccountId,
		description: NodeDescription,
		proof: Option<WorkerSignature>,
	) -> DispatchResult {
		let (node, mut record) = Self::node_by_operator(&operator)?;
		Self::check_description(&description)?;
		if description.worker != record.worker {
			ensure!(
				!NodeOfWorker::<T>::contains_key(&description.worker),
				Error::<T>::WorkerKeyTaken
			);
			let proof = proof.ok_or(Error::<T>::BadProof)?;
			Self::check_ownership(&operator, &description.worker, &proof)?;
			NodeOfWorker::<T>::remove(&record.worker);
			NodeOfWorker::<T>::insert(&description.worker, node);
		}
		record.describe(description);
		Nodes::<T>::insert(node, record);
		Self::deposit_event(Event::Updated { node });
		Ok(())
	}

	pub(crate) fn do_bond_extra(operator: T::AccountId, amount: Balance) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		let (node, mut record) = Self::node_by_operator(&operator)?;
		let before = Self::footing(&record);
		// Adding up cannot exceed the issuance: the hold fails first.
		let bond = record.bond.saturating_add(amount);
		ensure!(bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
		T::Currency::hold(&HoldReason::Bond.into(), &operator, amount)?;
		record.bond = bond;
		Self::put_node(node, record, before);
		Self::secure_open_jobs(node, amount);
		Self::deposit_event(Event::Bonded { node, amount });
		Ok(())
	}

	/// New bond secures first what an offence's slash left without.
	fn secure_open_jobs(node: NodeId, amount: Balance) {
		let mut standing = Standings::<T>::get(node).defensive_unwrap_or_default();
		if standing.unsecured > 0 {
			let covered = standing.unsecured.min(amount);
			standing.unsecured = standing.unsecured.saturating_sub(covered);
			standing.reserved = standing.reserved.saturating_add(covered);
			Standings::<T>::insert(node, standing);
		}
	}

	pub(crate) fn do_unbond(operator: T::AccountId, amount: Balance) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		let (node, mut record) = Self::node_by_operator(&operator)?;
		let reserved = Standings::<T>::get(node).defensive_unwrap_or_default().reserved;
		let bond = record.bond.checked_sub(amount).ok_or(Error::<T>::ExceedsBond)?;
		ensure!(bond >= reserved, Error::<T>::BondReserved);
		ensure!(bond.is_zero() || bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
		let session = CurrentSession::<T>::get().saturating_add(T::BondingSessions::get());
		match record.unbonding.iter_mut().last() {
			Some(last) if last.session == session => last.amount = last.amount.saturating_add(amount),
			_ => record
				.unbonding
				.try_push(UnbondingChunk { amount, session })
				.map_err(|_| Error::<T>::TooManyUnbonding)?,
		}
		let before = Self::footing(&record);
		record.bond = bond;
		Self::put_node(node, record, before);
		Self::deposit_event(Event::Unbonded { node, amount, session });
		Ok(())
	}

	pub(crate) fn do_withdraw_unbonded(operator: T::AccountId) -> DispatchResult {
		let (node, mut record) = Self::node_by_operator(&operator)?;
		let amount = Self::release_ready(node, &mut record)?;
		ensure!(!amount.is_zero(), Error::<T>::NothingToWithdraw);
		Nodes::<T>::insert(node, record);
		Ok(())
	}

	/// Gives back what is ready, takes it off the record, which the caller writes, and returns how much it was.
	fn release_ready(node: NodeId, record: &mut NodeRecordOf<T>) -> Result<Balance, DispatchError> {
		let session = CurrentSession::<T>::get();
		let before = record.unbonding_total();
		record.unbonding.retain(|chunk| chunk.session > session);
		let amount = before.saturating_sub(record.unbonding_total());
		if !amount.is_zero() {
			T::Currency::release(&HoldReason::Bond.into(), &record.operator, amount, Precision::Exact)?;
			Self::deposit_event(Event::Withdrawn { node, amount });
		}
		Ok(amount)
	}

	pub(crate) fn do_chill(operator: T::AccountId) -> DispatchResult {
		let (node, mut record) = Self::node_by_operator(&operator)?;
		ensure!(!record.chilled, Error::<T>::AlreadyChilled);
		let before = Self::footing(&record);
		record.chilled = true;
		Self::put_node(node, record, before);
		Self::deposit_event(Event::Chilled { node });
		Ok(())
	}

	pub(crate) fn do_resume(operator: T::AccountId) -> DispatchResult {
		let (node, mut record) = Self::node_by_operator(&operator)?;
		let mut standing = Standings::<T>::get(node).ok_or(Error::<T>::UnknownNode)?;
		let session = CurrentSession::<T>::get();
		let jailed = standing.is_jailed(session);
		ensure!(record.chilled || jailed, Error::<T>::AlreadyActive);
		ensure!(record.bond >= T::MinBond::get(), Error::<T>::NotBonded);
		if jailed {
			let before = standing;
			standing.live_since = session;
			// The operator speaks, not the worker: jobs wait for a heartbeat.
			standing.healthy = false;
			Self::put_standing(node, &record, &before, standing);
		}
		if record.chilled {
			let before = Self::footing(&record);
			record.chilled = false;
			Self::put_node(node, record, before);
		}
		Self::deposit_event(Event::Resumed { node });
		Ok(())
	}

	pub(crate) fn do_host(operator: T::AccountId, model: ModelId) -> DispatchResult {
		let (node, record) = Self::node_by_operator(&operator)?;
		ensure!(!record.hosted.contains(&model), Error::<T>::AlreadyHosted);
		ensure!(T::Models::exists(model), Error::<T>::UnknownModel);
		Self::add_hosted(node, record, model)
	}

	/// Adds a model that exists and is not hosted yet.
	pub(crate) fn add_hosted(node: NodeId, mut record: NodeRecordOf<T>, model: ModelId) -> DispatchResult {
		let before = record.hosted.clone();
		record.hosted.try_push(model).map_err(|_| Error::<T>::TooManyHosted)?;
		Self::put_hosting(node, record, &before);
		Self::deposit_event(Event::Hosted { node, model });
		Ok(())
	}

	pub(crate) fn do_unhost(operator: T::AccountId, model: ModelId) -> DispatchResult {
		let (node, mut record) = Self::node_by_operator(&operator)?;
		ensure!(record.hosted.contains(&model), Error::<T>::NotHosted);
		let before = record.hosted.clone();
		record.hosted.retain(|hosted| *hosted != model);
		Self::put_hosting(node, record, &before);
		Self::deposit_event(Event::Unhosted { node, model });
		Ok(())
	}

	/// Writes a record that hosts other models than `before`.
	fn put_hosting(node: NodeId, record: NodeRecordOf<T>, before: &[ModelId]) {
		let standing = Standings::<T>::get(node).defensive_unwrap_or_default();
		let now = Ability::of::<T>(&record, &standing);
		Self::keep_pledges(node, Ability { hosted: before, ..now }, now);
		Nodes::<T>::insert(node, record);
	}

	/// Writes a standing in which heartbeats, or that they count anew, have changed something since `before`.
	pub(crate) fn put_standing(node: NodeId, record: &NodeRecordOf<T>, before: &Standing, standing: Standing) {
		let now = Ability::of::<T>(record, &standing);
		let was = Ability {
			standing: before,
			..now
		};
		Self::keep_pledges(node, was, now);
		Standings::<T>::insert(node, standing);
	}

	pub(crate) fn do_deregister(operator: T::AccountId) -> DispatchResult {
		let (node, mut record) = Self::node_by_operator(&operator)?;
		Self::check_leaving(node, &record)?;
		Self::release_ready(node, &mut record)?;
		ensure!(record.unbonding.is_empty(), Error::<T>::StillUnbonding);
		Self::remove_node(node, record);
		Ok(())
	}

	pub(crate) fn do_reap(node: NodeId) -> DispatchResult {
		let record = Nodes::<T>::get(node).ok_or(Error::<T>::UnknownNode)?;
		Self::check_leaving(node, &record)?;
		// Money that is ready still pays for the record: only its owner takes it.
		ensure!(record.unbonding.is_empty(), Error::<T>::StillUnbonding);
		Self::remove_node(node, record);
		Ok(())
	}

	fn check_leaving(node: NodeId, record: &NodeRecordOf<T>) -> DispatchResult {
		ensure!(record.bond.is_zero(), Error::<T>::StillBonded);
		let standing = Standings::<T>::get(node).ok_or(Error::<T>::UnknownNode)?;
		ensure!(
			standing.assigned.is_zero() && standing.reserved.is_zero() && standing.unsecured.is_zero(),
			Error::<T>::JobsOpen
		);
		// A bond that was slashed away left no chunk that would say how long offences of its time can be reported.
		ensure!(
			CurrentSession::<T>::get() >= record.exposed_until,
			Error::<T>::StillUnbonding
		);
		Ok(())
	}

	fn remove_node(node: NodeId, record: NodeRecordOf<T>) {
		Nodes::<T>::remove(node);
		Standings::<T>::remove(node);
		Pledges::<T>::remove(node);
		NodeOfWorker::<T>::remove(&record.worker);
		NodeOf::<T>::remove(&record.operator);
		Slashes::<T>::remove(node);
		T::Capacity::forget(node);
		// Without a bond it left the list already; a list that fell out of step must not outlive the node.
		if T::VoterList::contains(&record.operator) {
			let _ = T::VoterList::on_remove(&record.operator).defensive();
		}
		Self::leave_pool(node, &record.operator);
		Self::deposit_event(Event::Deregistered {
			node,
			operator: record.operator,
		});
	}

	pub(crate) fn check_description(description: &NodeDescription) -> DispatchResult {
		ensure!(!description.memory_mib.is_zero(), Error::<T>::NoMemory);
		ensure!(description.has_plain_text(), Error::<T>::BadText);
		Ok(())
	}

	/// Whether the owner of the worker key agreed to be `operator`'s: else anybody could take a key off its owner by
	/// registering it first.
	fn check_ownership(operator: &T::AccountId, key: &WorkerId, proof: &WorkerSignature) -> DispatchResult {
		let payload = operator.using_encoded(|bytes| worker::registration_payload(genesis_hash::<T>(), bytes));
		ensure!(key.verify(&payload, proof), Error::<T>::BadProof);
		Ok(())
	}

	pub(crate) fn node_by_operator(operator: &T::AccountId) -> Result<(NodeId, NodeRecordOf<T>), DispatchError> {
		let node = NodeOf::<T>::get(operator).ok_or(Error::<T>::NotRegistered)?;
		let record = Nodes::<T>::get(node).ok_or(Error::<T>::UnknownNode)?;
		Ok((node, record))
	}
}
