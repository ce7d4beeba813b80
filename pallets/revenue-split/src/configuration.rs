//! What the runtime's configuration has to be for the market to work.

use crate::{
	pallet::{Config, Pallet},
	types::MAX_ASKS,
};
use frame_support::traits::{fungible::Inspect, Get};
use sp_runtime::Perbill;

impl<T: Config> Pallet<T> {
	/// Panics where it is not so: the runtime's own tests call it.
	pub(crate) fn check_configuration() {
		assert!(T::MaxAsk::get() > 0, "MaxAsk must leave room for an ask");
		assert!(
			T::SecurityFactor::get() > 0,
			"no rate of audits deters while no bond stands behind a job"
		);
		assert!(
			T::Currency::minimum_balance() > 0,
			"the pot relies on an existential deposit that it never goes below"
		);
		assert!(
			T::MinAskBond::get() > 0,
			"a node goes only while nothing is reserved of it, and asks must not outlive it"
		);
		assert!(
			(1..=T::MaxAsk::get()).contains(&T::MinReserve::get()),
			"a reserve of nothing would never move, and none is above what may be asked"
		);
		assert!(
			T::JobsPerWinner::get() > 0,
			"a winner that does nothing fills no demand"
		);
		assert!(
			(1..=MAX_ASKS).contains(&T::MinWinners::get()),
			"a market has a place, and no more than asks"
		);
		assert!(
			T::WorkSubsidy::get() <= Perbill::from_percent(50),
			"more than half of a job's burn would pay for jobs that nobody wants"
		);
	}
}
