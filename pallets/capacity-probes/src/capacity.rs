//! What a node may sell: asked by node staking at each heartbeat.

use crate::{Answers, Config, Event, Measurement, Measurements, Pallet, Round, Rounds, Terms};
use highway_primitives::{
	traits::{Allowed, Capacity},
	DeviceClass, NodeId, ProbeTerms,
};

impl<T: Config> Capacity for Pallet<T> {
	fn settle(node: NodeId, device: DeviceClass) -> Allowed {
		match Terms::<T>::get() {
			Some(terms) => Self::known(node, &terms).allowed(&terms, device),
			None => Allowed::UNBOUNDED,
		}
	}

	fn forget(node: NodeId) {
		Answers::<T>::remove(node);
		Measurements::<T>::remove(node);
	}
}

impl<T: Config> Pallet<T> {
	/// What is known of the node, the last round included.
	fn known(node: NodeId, terms: &ProbeTerms) -> Measurement {
		let Some(known) = Measurements::<T>::get(node) else {
			let known = Measurement::new(Rounds::<T>::get());
			Measurements::<T>::insert(node, known);
			return known;
		};
		let missed =
			Round::<T>::get().filter(|round| round.is_over(Self::now()) && Self::asks(terms, round, node, &known));
		let Some(round) = missed.map(|round| round.index) else {
			return known;
		};
		let known = known.missed(round, terms);
		Answers::<T>::remove(node);
		Measurements::<T>::insert(node, known);
		let rows = known.rows.unwrap_or_default();
		Self::deposit_event(Event::ProbeMissed { node, round, rows });
		known
	}
}
