//! Who validates: the answers to the session pallet and to the list of candidates.

use crate::{
	pallet::{Config, CurrentSession, NodeOf, Nodes, Pallet},
	REPORT_MARGIN,
};
use alloc::vec::Vec;
use frame_election_provider_support::{ScoreProvider, SortedListProvider};
use frame_support::traits::{Contains, Get};
use highway_primitives::Balance;
use pallet_session::historical;
use sp_staking::SessionIndex;

/// Candidates compared for each place among the validators. The list is sorted only between bags, so more than the
/// places must be compared for an exact order.
pub(crate) const CANDIDATES_PER_PLACE: u32 = 4;

/// Operators looked at. Those who only serve models have no session keys and may bond more than any validator: they
/// take no candidate's place, but looking at them takes time.
pub const MAX_OPERATORS_LOOKED_AT: usize = 2_048;

/// The roots of the validator sets of past sessions, by which an offence is proved.
pub trait History {
	/// Forgets those of the sessions before `session`.
	fn forget_before(session: SessionIndex);
}

impl<T: historical::Config> History for historical::Pallet<T> {
	fn forget_before(session: SessionIndex) {
		Self::prune_up_to(session);
	}
}

impl<T: Config> Pallet<T> {
	/// The earliest session whose offences still count in `session`. Who unbonds in session `s` was chosen for `s + 1`
	/// already, and its bond is free in `s + BondingSessions`: an offence counts for `BondingSessions` less
	/// [`REPORT_MARGIN`] sessions after its own, so that the bond is there while any of its offences counts.
	pub fn earliest_offence(session: SessionIndex) -> SessionIndex {
		session.saturating_sub(T::BondingSessions::get().saturating_sub(REPORT_MARGIN))
	}

	/// The validators of the next session that is not chosen yet: of the first `4 · MaxValidators` candidates of the list
	/// those with the most stake, own and delegated, then the smallest accounts. Candidates have session keys and a
	/// sufficient own bond, and are not chilled. `None`, which keeps the old validators, if there is none.
	pub fn choose_validators() -> Option<Vec<T::AccountId>> {
		let places = T::MaxValidators::get();
		let compared = places.saturating_mul(CANDIDATES_PER_PLACE);
		let mut candidates = T::VoterList::iter()
			.take(MAX_OPERATORS_LOOKED_AT)
			.filter(T::HasSessionKeys::contains)
			.filter_map(|operator| {
				let node = NodeOf::<T>::get(&operator)?;
				let record = Nodes::<T>::get(node)?;
				let qualifies = record.bond >= T::MinBond::get() && !record.chilled;
				qualifies.then(|| (Self::total_stake(node, &record), operator))
			})
			.take(compared as usize)
			.collect::<Vec<_>>();
		candidates.sort_by(|(stake, operator), (other_stake, other)| {
			other_stake.cmp(stake).then_with(|| operator.cmp(other))
		});
		candidates.truncate(places as usize);
		let validators = candidates.into_iter().map(|(_, operator)| operator).collect::<Vec<_>>();
		(!validators.is_empty()).then_some(validators)
	}
}

impl<T: Config> pallet_session::SessionManager<T::AccountId> for Pallet<T> {
	fn new_session(_: SessionIndex) -> Option<Vec<T::AccountId>> {
		Self::choose_validators()
	}

	fn start_session(index: SessionIndex) {
		Self::keep_sessions();
		CurrentSession::<T>::put(index);
		T::History::forget_before(Self::earliest_offence(index));
		Self::forget_offences(index);
	}

	fn end_session(index: SessionIndex) {
		Self::pay_session(index);
	}
}

impl<T: Config> historical::SessionManager<T::AccountId, ()> for Pallet<T> {
	fn new_session(_: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
		Some(
			Self::choose_validators()?
				.into_iter()
				.map(|operator| (operator, ()))
				.collect(),
		)
	}

	fn start_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::start_session(index)
	}

	fn end_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::end_session(index)
	}
}

impl<T: Config> ScoreProvider<T::AccountId> for Pallet<T> {
	type Score = Balance;

	fn score(who: &T::AccountId) -> Option<Balance> {
		let node = NodeOf::<T>::get(who)?;
		let record = Nodes::<T>::get(node)?;
		record.is_listed().then(|| Self::total_stake(node, &record))
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_score_of(who: &T::AccountId, score: Balance) {
		crate::benchmarking::set_score_of::<T>(who, score)
	}
}
