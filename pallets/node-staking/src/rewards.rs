//! Rewards of validators: new coins at each session's end, divided by the blocks that they authored.

use crate::{
	pallet::{Authored, Config, CurrentSession, Event, Minted, NodeOf, Nodes, Pallet, Pools},
	weights::WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchClass, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use highway_math::{
	emission,
	pool::{divide, Division},
};
use highway_primitives::{Balance, NodeId};

impl<T: Config> pallet_authorship::EventHandler<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
	fn note_author(author: T::AccountId) {
		Authored::<T>::mutate(author, |blocks| *blocks = blocks.saturating_add(1));
		frame_system::Pallet::<T>::register_extra_weight_unchecked(
			T::WeightInfo::note_author(),
			DispatchClass::Mandatory,
		);
	}
}

impl<T: Config> Pallet<T> {
	/// Mints the session's reward and divides it among its authors. Reads and writes a bounded number of items for each
	/// author, whatever the number of delegators.
	pub(crate) fn pay_session(session: u32) {
		let authored = Authored::<T>::drain().collect::<Vec<_>>();
		let blocks = authored
			.iter()
			.fold(0, |sum: u32, (_, blocks)| sum.saturating_add(*blocks));
		let reward = emission::reward(T::FirstReward::get(), T::RewardHalfLife::get(), session);
		// The part of an author without a node is not minted: nothing of its is at stake.
		let parts = authored
			.into_iter()
			.filter_map(|(author, done)| {
				let node = NodeOf::<T>::get(author)?;
				let part = emission::part(reward, done, blocks);
				(part > 0).then_some((node, part))
			})
			.collect::<Vec<_>>();
		let minted = parts
			.iter()
			.fold(0, |sum: Balance, (_, part)| sum.saturating_add(*part));
		if minted == 0 || !Self::mint_into_pot(minted) {
			return;
		}
		Minted::<T>::mutate(|total| *total = total.saturating_add(minted));
		for (node, part) in parts {
			Self::reward(node, part);
		}
		Self::deposit_event(Event::SessionRewarded {
			session,
			minted,
			blocks,
		});
	}

	/// Credits a reward that lies in the pot to a node's operator and delegators.
	fn reward(node: NodeId, amount: Balance) {
		let bond = Nodes::<T>::get(node).map_or(0, |record| record.bond);
		let mut pool = Pools::<T>::get(node);
		let commission = pool.commission.at(CurrentSession::<T>::get());
		let Division { operator, delegators } = divide(amount, commission, bond, pool.active.stake);
		let back = pool.rewards.add(delegators, pool.active.points);
		let delegators = delegators.saturating_sub(back);
		let operator = operator.saturating_add(back);
		pool.unsettled = pool.unsettled.saturating_add(delegators);
		pool.operator_rewards = pool.operator_rewards.saturating_add(operator);
		Pools::<T>::insert(node, pool);
		Self::deposit_event(Event::Rewarded {
			node,
			operator,
			delegators,
		});
	}
}
