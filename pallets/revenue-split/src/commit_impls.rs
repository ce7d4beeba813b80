//! Sealed asks: what nodes commit to, what they open, and what becomes of what they do not open.
//!
//! The commitments of a model lie in a queue, oldest first, so that broken ones are found without a search: a
//! commitment for a later epoch never lies before one for an earlier one.

use crate::{
	call_weights,
	pallet::{CommitmentPlaces, CommitmentQueues, Commitments, Config, Error, Event, Pallet},
	types::{AskRole, Commitment, CommitmentQueue},
	weights::WeightInfo,
};
use frame_support::{
	ensure,
	traits::{DefensiveSaturating, Get},
	weights::Weight,
};
use highway_primitives::{
	market::{ask_commitment, AskCommitment, AskObstacle, AskReveal, MarketPhase},
	traits::{Models, Nodes},
	Balance, EpochIndex, ModelId, NodeId,
};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

/// Places of the queue that a commitment looks at, holes included. It adds one, so the queue does not grow while it is
/// used.
pub(crate) const LOOKED_AT_BY_COMMITMENT: u32 = 4;

/// Broken commitments that [`crate::Call::clear`] ends.
pub(crate) const ENDED_BY_CLEAR: u32 = 8;

/// Broken commitments that [`crate::Call::prune`] ends.
pub(crate) const ENDED_BY_PRUNE: u32 = 32;

impl<T: Config> Pallet<T> {
	/// [`crate::Call::commit_asks`]: commits to what can be, and skips the rest. Returns what it weighed.
	pub(crate) fn do_commit_asks(node: NodeId, items: &[AskCommitment]) -> Weight {
		let mut ended = 0u32;
		for AskCommitment { model, role, hash } in items {
			// What is refused was committed to before, stands in the batch twice, its bond is not there, or the node does not host
			// the model.
			ended = ended.saturating_add(Self::end_broken_before(node, *model, *role));
			let _ = Self::commit(node, *model, *role, *hash);
		}
		T::WeightInfo::commit_asks(items.len() as u32).saturating_add(call_weights::ended::<T>(ended))
	}

	/// [`crate::Call::commit_ask`].
	pub(crate) fn do_commit_ask(operator: &T::AccountId, model: ModelId, role: AskRole, hash: H256) -> DispatchResult {
		let node = T::Nodes::node_of(operator).ok_or(Error::<T>::NotAnOperator)?;
		Self::end_broken_before(node, model, role);
		Self::commit(node, model, role, hash)
	}

	/// Whether the node may commit to an ask for this model in this role now, as far as its bond is not concerned. Returns
	/// the epoch that the ask is for.
	fn check_commit(node: NodeId, model: ModelId, role: AskRole) -> Result<EpochIndex, Error<T>> {
		ensure!(Self::phase().0 == MarketPhase::Commit, Error::<T>::NotCommitPhase);
		ensure!(T::Models::exists(model), Error::<T>::UnknownModel);
		ensure!(Self::is_hosting(node, model), Error::<T>::NotHosting);
		let epoch = Self::current_epoch().saturating_add(1);
		let open = Self::commitment_of(node, model, role).filter(|(_, commitment)| commitment.epoch >= epoch);
		ensure!(open.is_none(), Error::<T>::AlreadyCommitted);
		Ok(epoch)
	}

	/// Whether [`Self::do_commit_asks`] would take this item now. Changes nothing.
	pub(crate) fn may_commit(node: NodeId, model: ModelId, role: AskRole) -> bool {
		Self::check_commit(node, model, role).is_ok() && Self::may_secure(node, model, role)
	}

	/// Whether the bond of a commitment is there, which nobody can say but who reserves it. Changes nothing.
	fn may_secure(node: NodeId, model: ModelId, role: AskRole) -> bool {
		Self::tried(|| Self::secure_commitment(node, model, role).map(drop)).is_ok()
	}

	/// What would keep a node that hosts the model from committing to an ask, if it were time for it and it had not done so
	/// yet. Changes nothing.
	pub(crate) fn obstacle_to(node: NodeId, model: ModelId, role: AskRole) -> Option<AskObstacle> {
		if Self::may_secure(node, model, role) {
			return None;
		}
		if !T::Nodes::eligible(node, model) {
			return Some(AskObstacle::NotEligible);
		}
		let bond = Self::ask_bond(model, role);
		let room = match role {
			AskRole::Compute if Self::standing(node, model, role).is_none() => {
				Self::room_of_first_ask(node, model, bond)
			}
			AskRole::Compute | AskRole::Storage => 0,
		};
		let needed = bond.saturating_add(room);
		let missing = needed.saturating_sub(T::Nodes::free_bond(node));
		Some(AskObstacle::NoBond { missing })
	}

	/// Reserves the bond of a commitment. Returns it, and the highest price that the node's own bond secures a job at beside it.
	/// Nothing changed if it fails.
	fn secure_commitment(node: NodeId, model: ModelId, role: AskRole) -> Result<(Balance, Balance), DispatchError> {
		let bond = Self::ask_bond(model, role);
		T::Nodes::secure(node, bond)?;
		let Some(most) = Self::highest_secured(node, model, role, bond) else {
			T::Nodes::release(node, bond);
			return Err(Error::<T>::BondInUse.into());
		};
		Ok((bond, most))
	}

	/// Writes a commitment down and reserves its bond. Nothing changed if it fails.
	fn commit(node: NodeId, model: ModelId, role: AskRole, hash: H256) -> DispatchResult {
		let epoch = Self::check_commit(node, model, role)?;
		ensure!(
			!CommitmentPlaces::<T>::contains_key(node, (model, role)),
			Error::<T>::AlreadyCommitted
		);
		let (bond, most) = Self::secure_commitment(node, model, role)?;
		let mut queue = CommitmentQueues::<T>::get(model);
		let place = queue.next;
		queue.next = place.defensive_saturating_add(1);
		let count = queue.count_mut(role);
		*count = count.defensive_saturating_add(1);
		let commitment = Commitment {
			node,
			role,
			epoch,
			hash,
			bond,
			most,
		};
		Commitments::<T>::insert(model, place, commitment);
		CommitmentPlaces::<T>::insert(node, (model, role), place);
		CommitmentQueues::<T>::insert(model, queue);
		Self::deposit_event(Event::AskCommitted {
			model,
			role,
			node,
			epoch,
			bond,
		});
		Ok(())
	}

	/// [`crate::Call::reveal_asks`]: opens what can be, and skips the rest. Returns what it weighed.
	pub(crate) fn do_reveal_asks(node: NodeId, items: &[AskReveal]) -> Weight {
		let (mut opened, mut skipped) = (0u32, 0u64);
		for item in items {
			match Self::reveal(node, item) {
				Ok(()) => opened = opened.saturating_add(1),
				Err(_) => skipped = skipped.saturating_add(1),
			}
		}
		// Of one that is skipped: its place, the commitment, the model, the node.
		T::WeightInfo::reveal_asks(opened).saturating_add(T::DbWeight::get().reads(skipped.saturating_mul(4)))
	}

	/// [`crate::Call::reveal_ask`].
	pub(crate) fn do_reveal_ask(operator: &T::AccountId, item: &AskReveal) -> DispatchResult {
		let node = T::Nodes::node_of(operator).ok_or(Error::<T>::NotAnOperator)?;
		Self::reveal(node, item)
	}

	/// The commitment that this opens now.
	pub(crate) fn opened_by(node: NodeId, item: &AskReveal) -> Result<(u64, Commitment), Error<T>> {
		let AskReveal {
			model,
			role,
			price,
			salt,
		} = item;
		ensure!(Self::phase().0 == MarketPhase::Reveal, Error::<T>::NotRevealPhase);
		let epoch = Self::current_epoch().saturating_add(1);
		let (place, commitment) = Self::commitment_of(node, *model, *role)
			.filter(|(_, commitment)| commitment.epoch == epoch)
			.ok_or(Error::<T>::NotCommitted)?;
		let hash = ask_commitment(node, epoch, *model, *role, *price, salt);
		ensure!(hash == commitment.hash, Error::<T>::WrongReveal);
		if let Some(price) = price {
			// What cannot hold must not come out of a commitment either: whoever sees what others ask would end its own so.
			ensure!(*price <= T::MaxAsk::get(), Error::<T>::AskAboveMax);
			ensure!(T::Models::exists(*model), Error::<T>::UnknownModel);
			ensure!(Self::is_hosting(node, *model), Error::<T>::NotHosting);
		}
		Ok((place, commitment))
	}

	fn reveal(node: NodeId, item: &AskReveal) -> DispatchResult {
		let (place, commitment) = Self::opened_by(node, item)?;
		Self::forget_commitment(item.model, place, &commitment);
		let AskReveal { model, role, .. } = *item;
		let Commitment { bond, most, .. } = commitment;
		match item.price {
			Some(price) if price <= most => Self::place_ask(node, model, role, price, bond),
			Some(price) => Self::refuse_ask(node, model, role, price, bond),
			None => Self::withdraw_ask(node, model, role, bond),
		}
		Ok(())
	}

	/// The node's commitment, open or broken, and its place in the queue of the model.
	pub(crate) fn commitment_of(node: NodeId, model: ModelId, role: AskRole) -> Option<(u64, Commitment)> {
		let place = CommitmentPlaces::<T>::get(node, (model, role))?;
		Some((place, Commitments::<T>::get(model, place)?))
	}

	/// Ends the node's own broken commitment, if there is one, else looks at the oldest ones of the model. Returns how many
	/// were ended: at most one.
	fn end_broken_before(node: NodeId, model: ModelId, role: AskRole) -> u32 {
		let own = Self::commitment_of(node, model, role);
		match own.filter(|(_, commitment)| Self::is_broken(commitment)) {
			Some((place, commitment)) => {
				Self::end_commitment(model, place, &commitment);
				1
			}
			None => Self::end_broken(model, LOOKED_AT_BY_COMMITMENT, 1),
		}
	}

	/// Looks at up to `places` of the model's oldest commitments and ends up to `most` broken ones. Returns how many it was.
	pub(crate) fn end_broken(model: ModelId, places: u32, most: u32) -> u32 {
		let mut ended = 0u32;
		for _ in 0..places {
			let mut queue = CommitmentQueues::<T>::get(model);
			if queue.first == queue.next || ended == most {
				break;
			}
			let place = queue.first;
			match Commitments::<T>::get(model, place) {
				Some(commitment) if !Self::is_broken(&commitment) => break,
				// Moves the queue on itself.
				Some(commitment) => {
					Self::end_commitment(model, place, &commitment);
					ended = ended.saturating_add(1);
				}
				None => {
					queue.first = place.saturating_add(1);
					Self::store_queue(model, queue);
				}
			}
		}
		ended
	}

	/// Whether its time to be opened is over.
	fn is_broken(commitment: &Commitment) -> bool {
		commitment.epoch <= Self::current_epoch()
	}

	/// Takes the bond of a broken commitment away, as far as something of it is left; whose model is gone has it back.
	fn end_commitment(model: ModelId, place: u64, commitment: &Commitment) {
		let Commitment {
			node,
			role,
			epoch,
			bond,
			..
		} = *commitment;
		Self::forget_commitment(model, place, commitment);
		T::Nodes::release(node, bond);
		if !T::Models::exists(model) {
			return;
		}
		Self::forfeit(node, model, role, epoch, bond, 0);
	}

	/// Takes so much of what is free of the node's own bond, and what is missing then out of `reserved` for it; or what there is:
	/// half is burned, half the treasury's. Returns what stays reserved.
	pub(crate) fn forfeit(
		node: NodeId,
		model: ModelId,
		role: AskRole,
		epoch: EpochIndex,
		amount: Balance,
		reserved: Balance,
	) -> Balance {
		let pot = Self::pot_account();
		let free = T::Nodes::fine(node, amount, &pot);
		let missing = amount.saturating_sub(free).min(reserved);
		let mut taken = free;
		if missing > 0 {
			T::Nodes::release(node, missing);
			taken = taken.saturating_add(T::Nodes::fine(node, missing, &pot));
		}
		let amount = Self::received(taken);
		let burned = Self::take_fine(amount);
		Self::deposit_event(Event::AskForfeited {
			model,
			role,
			node,
			epoch,
			amount,
			burned,
		});
		reserved.saturating_sub(missing)
	}

	/// Removes a commitment. What becomes of its bond is the caller's.
	fn forget_commitment(model: ModelId, place: u64, commitment: &Commitment) {
		Commitments::<T>::remove(model, place);
		CommitmentPlaces::<T>::remove(commitment.node, (model, commitment.role));
		let mut queue = CommitmentQueues::<T>::get(model);
		let count = queue.count_mut(commitment.role);
		*count = count.defensive_saturating_sub(1);
		if queue.first == place {
			queue.first = place.saturating_add(1);
		}
		Self::store_queue(model, queue);
	}

	fn store_queue(model: ModelId, queue: CommitmentQueue) {
		// Nothing but holes are left, if anything.
		if queue.compute == 0 && queue.storage == 0 {
			CommitmentQueues::<T>::remove(model);
		} else {
			CommitmentQueues::<T>::insert(model, queue);
		}
	}

	/// What `act` would say, without what it does.
	fn tried(act: impl FnOnce() -> DispatchResult) -> DispatchResult {
		frame_support::storage::with_transaction::<(), DispatchError, _>(|| {
			sp_runtime::TransactionOutcome::Rollback(act())
		})
	}
}
