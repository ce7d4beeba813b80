//! Delegations: stake that others put behind a node. The coins lie in the stake pot, and a delegator owns points.
//!
//! Every change of a delegation first *settles* it: what its points have earned since the last time is written down. So
//! only the delegator's own calls look at its delegation, and rewards and slashes look at the pool alone.

use crate::{
	pallet::{Config, CurrentSession, Delegations, Error, Event, FormerGenerations, NodeOf, Nodes, Pallet, Pools},
	pool_types::{Commission, DelegationOf, DelegationView, FormerGeneration, PoolRecord, UnbondingPart},
};
use alloc::vec::Vec;
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	traits::{Defensive, Get},
};
use highway_math::pool::{Part, Rewards};
use highway_primitives::{Balance, NodeId};
use sp_runtime::{
	traits::{Saturating, Zero},
	ArithmeticError, Perbill,
};

/// The most that an operator may announce at once as a rise of its commission. The next one can be announced when this one
/// holds: so it rises by 5 points in `BondingSessions` sessions at most.
pub const MAX_COMMISSION_RISE: Perbill = Perbill::from_percent(5);

impl<T: Config> Pallet<T> {
	pub(crate) fn do_delegate(
		who: T::AccountId,
		node: NodeId,
		amount: Balance,
		max_commission: Perbill,
	) -> DispatchResult {
		ensure!(amount >= T::MinDelegation::get(), Error::<T>::DelegationTooSmall);
		let record = Nodes::<T>::get(node).ok_or(Error::<T>::UnknownNode)?;
		ensure!(record.bond >= T::MinBond::get(), Error::<T>::NotBonded);
		ensure!(!record.chilled, Error::<T>::NodeChilled);
		let mut pool = Pools::<T>::get(node);
		// The operator may have raised it since the delegator looked.
		let commission = pool.commission.highest(CurrentSession::<T>::get());
		ensure!(commission <= max_commission, Error::<T>::CommissionAboveMax);
		Self::pay_in(&who, amount)?;
		let mut delegation = Delegations::<T>::get(&who, node).unwrap_or_default();
		Self::settle(node, &mut pool, &mut delegation);
		pool.active
			.join(&mut delegation.part, amount)
			.ok_or(ArithmeticError::Overflow)?;
		Self::put_delegation(&who, node, delegation);
		Self::put_pool(node, pool);
		Self::rescore(&record, pool.active.stake);
		Self::deposit_event(Event::Delegated {
			node,
			delegator: who,
			amount,
		});
		Ok(())
	}

	pub(crate) fn do_undelegate(who: T::AccountId, node: NodeId, amount: Balance) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		let mut delegation = Delegations::<T>::get(&who, node).ok_or(Error::<T>::NotDelegated)?;
		let mut pool = Pools::<T>::get(node);
		ensure!(pool.active.points_of(&delegation.part) > 0, Error::<T>::NotDelegated);
		let rest = pool.active.worth(&delegation.part).saturating_sub(amount);
		ensure!(
			rest.is_zero() || rest >= T::MinDelegation::get(),
			Error::<T>::DelegationTooSmall
		);
		let session = CurrentSession::<T>::get().saturating_add(T::BondingSessions::get());
		let merges = delegation.unbonding.last().is_some_and(|last| last.session == session);
		ensure!(
			merges || (delegation.unbonding.len() as u32) < T::MaxUnbonding::get(),
			Error::<T>::TooManyUnbonding
		);
		Self::settle(node, &mut pool, &mut delegation);
		// Who leaves with everything leaves no points behind that are worth less than a unit.
		let wanted = if rest.is_zero() { Balance::MAX } else { amount };
		let taken = pool.active.leave(&mut delegation.part, wanted);
		let same_session = merges.then(|| delegation.unbonding.pop()).flatten();
		let mut leaving = same_session.unwrap_or(UnbondingPart {
			part: Part::default(),
			session,
		});
		pool.unbonding
			.join(&mut leaving.part, taken)
			.ok_or(ArithmeticError::Overflow)?;
		if !leaving.part.points.is_zero() {
			delegation
				.unbonding
				.try_push(leaving)
				.map_err(|_| Error::<T>::TooManyUnbonding)?;
		}
		Self::put_delegation(&who, node, delegation);
		Self::put_pool(node, pool);
		if let Some(record) = Nodes::<T>::get(node) {
			Self::rescore(&record, pool.active.stake);
		}
		Self::deposit_event(Event::Undelegated {
			node,
			delegator: who,
			amount: taken,
			session,
		});
		Ok(())
	}

	pub(crate) fn do_withdraw_delegation(who: T::AccountId, node: NodeId) -> DispatchResult {
		let mut delegation = Delegations::<T>::get(&who, node).ok_or(Error::<T>::NotDelegated)?;
		let mut pool = Pools::<T>::get(node);
		let session = CurrentSession::<T>::get();
		// A node goes only after the last offence that it could be slashed for: nothing is left to wait for.
		let gone = !Nodes::<T>::contains_key(node);
		let before = delegation.unbonding.len();
		let mut amount: Balance = 0;
		delegation.unbonding.retain(|leaving| {
			let ready = gone || leaving.session <= session;
			if ready {
				let mut part = leaving.part;
				amount = amount.saturating_add(pool.unbonding.leave(&mut part, Balance::MAX));
			}
			!ready
		});
		ensure!(delegation.unbonding.len() < before, Error::<T>::NothingToWithdraw);
		Self::pay_out(&who, amount)?;
		Self::put_delegation(&who, node, delegation);
		Self::put_pool(node, pool);
		Self::deposit_event(Event::DelegationWithdrawn {
			node,
			delegator: who,
			amount,
		});
		Ok(())
	}

	pub(crate) fn do_claim_rewards(who: T::AccountId, node: NodeId) -> DispatchResult {
		let mut pool = Pools::<T>::get(node);
		let mut amount: Balance = 0;
		if NodeOf::<T>::get(&who) == Some(node) {
			amount = core::mem::take(&mut pool.operator_rewards);
		}
		let delegation = Delegations::<T>::get(&who, node);
		let earned = delegation.as_ref().map_or(0, |delegation| {
			delegation
				.unclaimed
				.saturating_add(Self::earned(node, &pool, delegation))
		});
		amount = amount.saturating_add(earned);
		// Points that a slash made worthless are cleared away, even if they never earned anything.
		let worthless = delegation
			.as_ref()
			.is_some_and(|delegation| delegation.part.points > 0 && pool.active.points_of(&delegation.part) == 0);
		ensure!(worthless || !amount.is_zero(), Error::<T>::NothingToClaim);
		Self::pay_out(&who, amount)?;
		if let Some(mut delegation) = delegation {
			Self::settle(node, &mut pool, &mut delegation);
			pool.unclaimed = pool
				.unclaimed
				.saturating_sub(core::mem::take(&mut delegation.unclaimed));
			Self::put_delegation(&who, node, delegation);
		}
		Self::put_pool(node, pool);
		Self::deposit_event(Event::RewardsClaimed {
			node,
			account: who,
			amount,
		});
		Ok(())
	}

	pub(crate) fn do_set_commission(operator: T::AccountId, share: Perbill) -> DispatchResult {
		let node = NodeOf::<T>::get(&operator).ok_or(Error::<T>::NotRegistered)?;
		let mut pool = Pools::<T>::get(node);
		let session = CurrentSession::<T>::get();
		let now = pool.commission.at(session);
		// A cut, or nobody whom it could surprise: whoever comes says the highest commission that it accepts.
		let at_once = share <= now || pool.active.points.is_zero();
		let from = if at_once {
			session
		} else {
			ensure!(
				share.saturating_sub(now) <= MAX_COMMISSION_RISE,
				Error::<T>::CommissionRiseTooLarge
			);
			session.saturating_add(T::BondingSessions::get())
		};
		pool.commission = if at_once {
			Commission { share, announced: None }
		} else {
			Commission {
				share: now,
				announced: Some((share, from)),
			}
		};
		Self::put_pool(node, pool);
		Self::deposit_event(Event::CommissionSet {
			node,
			commission: share,
			session: from,
		});
		Ok(())
	}

	/// What the delegation's points have earned since its mark.
	pub(crate) fn earned(node: NodeId, pool: &PoolRecord, delegation: &DelegationOf<T>) -> Balance {
		let Part { points, generation } = delegation.part;
		let earned = if points.is_zero() {
			0
		} else if generation == pool.active.generation {
			pool.rewards.earned(points, delegation.mark)
		} else {
			FormerGenerations::<T>::get(node, generation).map_or(0, |former| {
				let rewards = Rewards {
					per_point: former.per_point,
					carry: 0,
				};
				rewards.earned(points, delegation.mark)
			})
		};
		earned.min(pool.unsettled)
	}

	/// Writes down what the delegation has earned, and lets go of points that a slash made worthless.
	fn settle(node: NodeId, pool: &mut PoolRecord, delegation: &mut DelegationOf<T>) {
		let earned = Self::earned(node, pool, delegation);
		pool.unsettled = pool.unsettled.saturating_sub(earned);
		pool.unclaimed = pool.unclaimed.saturating_add(earned);
		delegation.unclaimed = delegation.unclaimed.saturating_add(earned);
		delegation.mark = pool.rewards.per_point;
		let Part { points, generation } = delegation.part;
		if points.is_zero() || generation == pool.active.generation {
			return;
		}
		delegation.part = Part::default();
		pool.former_points = pool.former_points.saturating_sub(points);
		FormerGenerations::<T>::mutate_exists(node, generation, |former| {
			let left = former.map_or(0, |former| former.points.saturating_sub(points));
			*former = former
				.filter(|_| left > 0)
				.map(|former| FormerGeneration { points: left, ..former });
		});
	}

	/// Takes `share` of all delegated stake, what is unbonding included, off the pool, and returns how much that is.
	pub(crate) fn slash_pool(node: NodeId, pool: &mut PoolRecord, share: Perbill) -> Balance {
		let before = pool.active;
		let active = pool.active.slash(share);
		if active.wiped {
			let former = FormerGeneration {
				per_point: pool.rewards.per_point,
				points: before.points,
			};
			FormerGenerations::<T>::insert(node, before.generation, former);
			pool.former_points = pool.former_points.saturating_add(before.points);
		}
		let unbonding = pool.unbonding.slash(share);
		active.taken.saturating_add(unbonding.taken)
	}

	fn put_delegation(who: &T::AccountId, node: NodeId, delegation: DelegationOf<T>) {
		if delegation.is_empty() {
			Delegations::<T>::remove(who, node);
		} else {
			Delegations::<T>::insert(who, node, delegation);
		}
	}

	/// Writes the pool. It ends when its node is gone and nobody has anything in it any more.
	pub(crate) fn put_pool(node: NodeId, mut pool: PoolRecord) {
		pool.sweep();
		if pool.is_empty() && !Nodes::<T>::contains_key(node) {
			Self::close_pool(node, pool);
		} else {
			Pools::<T>::insert(node, pool);
		}
	}

	/// The node goes: its operator is paid, and the pool goes with it unless somebody has something in it.
	pub(crate) fn leave_pool(node: NodeId, operator: &T::AccountId) {
		let mut pool = Pools::<T>::get(node);
		let amount = pool.operator_rewards;
		// An operator whose account died for lack of a deposit cannot be paid less than one: that burns when the pool ends.
		if amount > 0 && Self::pay_out(operator, amount).is_ok() {
			pool.operator_rewards = 0;
			Self::deposit_event(Event::RewardsClaimed {
				node,
				account: operator.clone(),
				amount,
			});
		}
		Self::put_pool(node, pool);
	}

	/// Removes a pool in which nobody has anything: what roundings left burns.
	fn close_pool(node: NodeId, pool: PoolRecord) {
		Self::burn(pool.owed().defensive_unwrap_or_default());
		Pools::<T>::remove(node);
	}

	/// What the account has put behind nodes with ids from `from` on, in the order of their ids: at most `limit` and at
	/// most [`MAX_PAGE`](crate::MAX_PAGE); and the id from which to go on, `None` at the end. Looks at all of the account's
	/// delegations: not for calls.
	pub fn delegations_from(who: &T::AccountId, from: NodeId, limit: u32) -> (Vec<DelegationView>, Option<NodeId>) {
		let mut all = Delegations::<T>::iter_prefix(who)
			.filter(|(node, _)| *node >= from)
			.collect::<Vec<_>>();
		all.sort_by_key(|(node, _)| *node);
		let limit = limit.min(crate::MAX_PAGE) as usize;
		let next = all.get(limit).map(|(node, _)| *node);
		all.truncate(limit);
		let views = all
			.into_iter()
			.map(|(node, delegation)| {
				let pool = Pools::<T>::get(node);
				DelegationView {
					node,
					amount: pool.active.worth(&delegation.part),
					rewards: delegation
						.unclaimed
						.saturating_add(Self::earned(node, &pool, &delegation)),
					unbonding: delegation
						.unbonding
						.iter()
						.map(|leaving| (pool.unbonding.worth(&leaving.part), leaving.session))
						.collect(),
				}
			})
			.collect();
		(views, next)
	}
}
