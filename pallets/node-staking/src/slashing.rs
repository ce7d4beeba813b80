//! What a node loses, and to whom it goes: after an audit, for a job that was not done in time, for an offence against
//! consensus. All three are bounded by what one node is; none looks at a delegation.

use crate::{
	pallet::{Config, CurrentSession, Event, NodeOf, OffenceShares, Pallet, Pools, Slashes, Standings},
	types::{NodeRecordOf, Standing},
	weights::WeightInfo,
};
use frame_support::{defensive, traits::Get, weights::Weight};
use highway_primitives::{traits::SecurityTouched, Balance, NodeId};
use sp_runtime::{traits::Saturating, PerThing, Perbill};
use sp_staking::{
	offence::{OffenceDetails, OnOffenceHandler},
	SessionIndex,
};

/// Sessions by which an offence must be reported sooner than stake can leave: a validator serves out the session that it
/// was chosen for, one session after its stake began to leave.
pub const REPORT_MARGIN: u32 = 2;

impl<T: Config> Pallet<T> {
	/// See [`Nodes::slash`](highway_primitives::traits::Nodes::slash).
	pub(crate) fn do_slash(node: NodeId, amount: Balance, to: &T::AccountId) -> Balance {
		let Some((mut record, mut standing)) = Self::node(node) else {
			defensive!("a node goes only when nothing of it is reserved");
			return 0;
		};
		let before = Self::footing(&record);
		let reserved = amount.min(standing.reserved);
		let taken = Self::take_held(&record.operator, to, reserved);
		record.bond = record.bond.saturating_sub(taken);
		standing.reserved = standing.reserved.saturating_sub(reserved);
		standing.unsecured = standing.unsecured.saturating_sub(amount.saturating_sub(reserved));
		Standings::<T>::insert(node, standing);
		Slashes::<T>::mutate(node, |totals| {
			totals.convictions = totals.convictions.saturating_add(taken)
		});
		Self::deposit_event(Event::Slashed { node, amount: taken });
		if !record.chilled {
			record.chilled = true;
			Self::deposit_event(Event::Chilled { node });
		}
		Self::put_node(node, record, before);
		taken
	}

	/// See [`Nodes::fine`](highway_primitives::traits::Nodes::fine).
	pub(crate) fn do_fine(node: NodeId, amount: Balance, to: &T::AccountId) -> Balance {
		// Who left without a bond has nothing to lose.
		let Some((mut record, standing)) = Self::node(node) else {
			return 0;
		};
		let before = Self::footing(&record);
		let free = record
			.unbonding_total()
			.saturating_add(record.bond)
			.saturating_sub(standing.reserved);
		let taken = Self::take_held(&record.operator, to, amount.min(free));
		if taken > 0 {
			let rest = taken.saturating_sub(record.take_unbonding(taken));
			record.bond = record.bond.saturating_sub(rest);
			Slashes::<T>::mutate(node, |totals| totals.fines = totals.fines.saturating_add(taken));
			Self::put_node(node, record, before);
			Self::deposit_event(Event::Fined { node, amount: taken });
		}
		taken
	}

	/// Takes the share `fraction` of everything that stood behind the node in `session`, less what was taken already for
	/// another offence of that session: the largest counts. The caller writes record and standing. Returns whether what
	/// secures open jobs was touched.
	fn slash_offence(
		node: NodeId,
		record: &mut NodeRecordOf<T>,
		standing: &mut Standing,
		fraction: Perbill,
		session: SessionIndex,
	) -> bool {
		let already = OffenceShares::<T>::get(session, node);
		if fraction <= already {
			return false;
		}
		OffenceShares::<T>::insert(session, node, fraction);
		let share = share_of_rest(fraction, already);
		let mut pool = Pools::<T>::get(node);
		let delegated = Self::slash_pool(node, &mut pool, share);
		Self::put_pool(node, pool);
		let all = record.bond.saturating_add(record.unbonding_total());
		let own = Self::take_held(&record.operator, &Self::pot_account(), share.mul_ceil(all));
		let rest = own.saturating_sub(record.take_unbonding(own));
		record.bond = record.bond.saturating_sub(rest);
		let short = standing.reserved.saturating_sub(record.bond);
		standing.reserved = standing.reserved.saturating_sub(short);
		standing.unsecured = standing.unsecured.saturating_add(short);
		Self::split_penalty(own.saturating_add(delegated));
		Slashes::<T>::mutate(node, |totals| {
			totals.offences = totals.offences.saturating_add(own);
			totals.delegated = totals.delegated.saturating_add(delegated);
		});
		Self::deposit_event(Event::OffenceSlashed { node, own, delegated });
		short > 0
	}

	/// `None`, and nothing changed, if the offender left, so that nothing of its is held any more, or if the offence does not
	/// count.
	fn punish(operator: &T::AccountId, fraction: Perbill, session: SessionIndex) -> Option<()> {
		let node = NodeOf::<T>::get(operator)?;
		let (mut record, mut standing) = Self::node(node)?;
		// Another node of the same account has nothing to answer for. And what stood behind this one in an older session may
		// have left, and what stands there now need not have been there.
		if session < record.registered_session || session < Self::earliest_offence(CurrentSession::<T>::get()) {
			return None;
		}
		let before = Self::footing(&record);
		Self::deposit_event(Event::OffenceReported {
			node,
			operator: operator.clone(),
			fraction,
			session,
		});
		let touched = Self::slash_offence(node, &mut record, &mut standing, fraction, session);
		Standings::<T>::insert(node, standing);
		if !record.chilled {
			record.chilled = true;
			Self::deposit_event(Event::Chilled { node });
		}
		Self::put_node(node, record, before);
		if touched {
			T::OnSecurityTouched::touched(node);
		}
		Some(())
	}

	/// Forgets which offences of a session were slashed, once no other one can be reported.
	pub(crate) fn forget_offences(session: SessionIndex) {
		if let Some(old) = session.checked_sub(T::BondingSessions::get()) {
			// Not more than there were validators in that session.
			let _ = OffenceShares::<T>::clear_prefix(old, T::MaxValidators::get(), None);
		}
	}
}

/// The share of what is left that makes `already` and it together `fraction` of what there was, rounded down.
fn share_of_rest(fraction: Perbill, already: Perbill) -> Perbill {
	let more = fraction.saturating_sub(already).deconstruct();
	Perbill::from_rational(more, already.left_from_one().deconstruct())
}

impl<T: Config> OnOffenceHandler<T::AccountId, (T::AccountId, ()), Weight> for Pallet<T> {
	/// Called again for those who were reported before when another one offends at the same time, each with the fraction
	/// that holds now.
	fn on_offence(
		offenders: &[OffenceDetails<T::AccountId, (T::AccountId, ())>],
		slash_fraction: &[Perbill],
		session: SessionIndex,
	) -> Weight {
		for (details, fraction) in offenders.iter().zip(slash_fraction) {
			let (operator, ()) = &details.offender;
			let _ = Self::punish(operator, *fraction, session);
		}
		T::WeightInfo::on_offence().saturating_mul(offenders.len() as u64)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn share_of_rest_should_make_the_fractions_whole() {
		let percent = Perbill::from_percent;
		assert_eq!(share_of_rest(percent(10), percent(0)), percent(10));
		assert_eq!(share_of_rest(percent(55), percent(10)), percent(50));
		assert_eq!(share_of_rest(percent(100), percent(99)), percent(100));
		assert_eq!(share_of_rest(percent(50), percent(25)).deconstruct(), 333_333_333);
	}
}
