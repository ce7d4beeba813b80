//! How much a model is asked for, and how many places that fills.
//!
//! Demand is an exponentially weighted moving average of the jobs per epoch (Roberts, "Control Chart Tests Based on
//! Geometric Moving Averages", Technometrics 1, 1959): ema' = ⅞ · ema + ⅛ · jobs. It is kept without a step per epoch:
//! n epochs without a job leave (⅞)ⁿ of it.
//!
//! Places and utilisation come from demand and a constant, the jobs that one winner is counted on to do in an epoch;
//! never from what bidders say of themselves.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

/// Fixed point of the average: one job per epoch.
pub const ONE: u64 = 1 << 16;

/// Epochs that fade in one step: 7²² and any `u64` still fit into a `u128` together.
const FADE_STEP: u32 = 22;

/// Jobs of a model: the average of past epochs, and the count of the latest one with a job.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Demand {
	/// Average of the jobs per epoch over all epochs before `epoch`, in units of 1/[`ONE`].
	pub ema: u64,
	/// The latest epoch with a job.
	pub epoch: u32,
	/// Jobs in `epoch`.
	pub jobs: u32,
}

impl Demand {
	/// Counts a job in `epoch`. One in an epoch that is over counts in the latest.
	pub fn note(&mut self, epoch: u32) {
		if epoch > self.epoch {
			*self = Self {
				ema: self.at(epoch),
				epoch,
				jobs: 0,
			};
		}
		self.jobs = self.jobs.saturating_add(1);
	}

	/// The average over all epochs before `epoch`, in units of 1/[`ONE`]; for an epoch that is over, that of the
	/// latest.
	///
	/// Rounded down: less than 8 units below the exact average, whatever came before.
	pub fn at(&self, epoch: u32) -> u64 {
		match epoch.checked_sub(self.epoch) {
			None | Some(0) => self.ema,
			Some(epochs) => faded(averaged(self.ema, self.jobs), epochs.saturating_sub(1)),
		}
	}
}

/// The average one epoch later, ⅞ · ema + ⅛ · jobs, rounded down.
fn averaged(ema: u64, jobs: u32) -> u64 {
	let jobs = u128::from(jobs).saturating_mul(ONE.into());
	narrow(u128::from(ema).saturating_mul(7).saturating_add(jobs) / 8)
}

/// (⅞)ⁿ of `ema`, rounded down after each [`FADE_STEP`] epochs. At most 16 steps: then nothing is left of any `u64`.
fn faded(ema: u64, epochs: u32) -> u64 {
	let (mut left, mut ema) = (epochs, ema);
	while left > 0 && ema > 0 {
		let step = left.min(FADE_STEP);
		// ema · 7ⁿ / 8ⁿ; neither the power nor the product overflows, by the choice of the step.
		let scaled = u128::from(ema).saturating_mul(7u128.saturating_pow(step));
		ema = narrow(scaled.checked_shr(step.saturating_mul(3)).unwrap_or(0));
		left = left.saturating_sub(step);
	}
	ema
}

fn narrow(value: u128) -> u64 {
	u64::try_from(value).unwrap_or(u64::MAX)
}

/// Places for a demand: K = ⌈1.25 · ema / `jobs_per_winner`⌉ within `min` and `max`; the quarter on top is room for
/// nodes that fail and for demand that grows. If the bounds contradict each other, `min` holds; 0 jobs per winner count
/// as 1.
pub fn places(ema: u64, jobs_per_winner: u32, min: u32, max: u32) -> u32 {
	let per_place = u128::from(jobs_per_winner.max(1))
		.saturating_mul(ONE.into())
		.saturating_mul(4);
	let places = u128::from(ema).saturating_mul(5).div_ceil(per_place);
	u32::try_from(places).unwrap_or(u32::MAX).min(max).max(min)
}

/// How much of what `winners` are counted on to do a demand takes: ema / (`winners` · `jobs_per_winner`), rounded down,
/// at most one. Without winners: one, if there is any demand.
pub fn utilisation(ema: u64, winners: u32, jobs_per_winner: u32) -> Perbill {
	let capacity = u128::from(winners)
		.saturating_mul(jobs_per_winner.into())
		.saturating_mul(ONE.into());
	Perbill::from_rational(u128::from(ema), capacity.max(1))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::auction::{BUSY, IDLE};
	use alloc::vec::Vec;
	use proptest::prelude::*;

	/// `jobs` in `epoch`, none before.
	fn demand(epoch: u32, jobs: u32) -> Demand {
		let mut demand = Demand::default();
		(0..jobs).for_each(|_| demand.note(epoch));
		demand
	}

	#[test]
	fn note_should_count_in_its_epoch_and_average_the_past() {
		let mut demand = demand(7, 16);
		assert_eq!((demand.ema, demand.epoch, demand.jobs), (0, 7, 16));
		assert_eq!((demand.at(6), demand.at(7), demand.at(8)), (0, 0, 2 * ONE));
		demand.note(8);
		assert_eq!((demand.ema, demand.epoch, demand.jobs), (2 * ONE, 8, 1));
		assert_eq!(demand.at(9), (2 * 7 + 1) * ONE / 8);
	}

	#[test]
	fn note_should_count_in_the_latest_epoch_when_its_own_is_over() {
		let mut demand = demand(7, 1);
		demand.note(3);
		assert_eq!((demand.ema, demand.epoch, demand.jobs), (0, 7, 2));
	}

	#[test]
	fn a_demand_should_fade_when_no_jobs_come() {
		let demand = demand(0, 4096);
		// 512 jobs; half of it is left after five to six epochs, less than one job after 47.
		assert_eq!(demand.at(1), 512 * ONE);
		assert!(demand.at(6) > 256 * ONE && demand.at(7) < 256 * ONE);
		assert!(demand.at(47) > ONE && demand.at(48) < ONE);
		assert_eq!(demand.at(u32::MAX), 0);
	}

	#[test]
	fn the_largest_demand_should_fade_within_sixteen_steps() {
		let full = Demand {
			ema: u64::MAX,
			epoch: 0,
			jobs: u32::MAX,
		};
		assert!(full.at(300) > 0);
		assert_eq!(full.at(1 + 16 * FADE_STEP), 0);
	}

	#[test]
	fn places_should_leave_a_quarter_of_room() {
		assert_eq!(places(0, 10, 3, 64), 3);
		assert_eq!(places(32 * ONE, 10, 3, 64), 4);
		assert_eq!(places(32 * ONE + 1, 10, 3, 64), 5);
		assert_eq!(places(512 * ONE, 10, 3, 64), 64);
		assert_eq!(places(513 * ONE, 10, 3, 64), 64);
	}

	#[test]
	fn places_should_hold_at_the_extremes() {
		assert_eq!(places(u64::MAX, 0, 0, u32::MAX), u32::MAX);
		assert_eq!(places(1, u32::MAX, 0, 64), 1);
		assert_eq!(places(u64::MAX, 1, 9, 3), 9);
	}

	#[test]
	fn utilisation_should_be_the_part_in_use() {
		assert_eq!(utilisation(15 * ONE, 3, 10), Perbill::from_percent(50));
		assert_eq!(utilisation(24 * ONE, 3, 10), Perbill::from_percent(80));
		assert_eq!(utilisation(31 * ONE, 3, 10), Perbill::one());
		assert_eq!(utilisation(1, 0, 10), Perbill::one());
		assert_eq!(utilisation(0, 0, 10), Perbill::zero());
		// 2⁶⁴ of 2⁸⁰.
		assert_eq!(utilisation(u64::MAX, u32::MAX, u32::MAX), Perbill::from_parts(15_258));
	}

	/// The average by a step per epoch, with 64 more bits of fraction.
	fn stepped(ema: u64, epochs: u32) -> u64 {
		let mut fine = u128::from(ema) << 64;
		for _ in 0..epochs {
			fine = fine / 8 * 7 + fine % 8 * 7 / 8;
		}
		(fine >> 64) as u64
	}

	/// Jobs epoch by epoch; in most of them there are none.
	fn jobs_of_epochs() -> impl Strategy<Value = Vec<u32>> {
		prop::collection::vec(prop_oneof![3 => Just(0u32), 2 => 0u32..200], 1..120)
	}

	proptest! {
		#[test]
		fn fading_should_equal_a_step_per_epoch(ema in any::<u64>(), epochs in 0u32..400) {
			let (closed, loops) = (faded(ema, epochs), stepped(ema, epochs));
			prop_assert!(closed.abs_diff(loops) <= 2, "{} and {}", closed, loops);
		}

		// Up to there nothing is rounded on the way.
		#[test]
		fn fading_should_be_exact_when_it_takes_one_step(ema in any::<u64>(), epochs in 0u32..=22) {
			let exact = u128::from(ema) * 7u128.pow(epochs) / 8u128.pow(epochs);
			prop_assert_eq!(u128::from(faded(ema, epochs)), exact);
		}

		#[test]
		fn a_demand_should_equal_the_average_epoch_by_epoch(jobs in jobs_of_epochs()) {
			let mut demand = Demand::default();
			// 2⁴⁰ per job: what is rounded away here is far below a unit of the average.
			let mut fine = 0u128;
			for (epoch, jobs) in (0u32..).zip(&jobs) {
				let (kept, exact) = (demand.at(epoch), (fine >> 24) as u64);
				prop_assert!(kept.abs_diff(exact) <= 8, "{} and {}", kept, exact);
				(0..*jobs).for_each(|_| demand.note(epoch));
				fine = (fine * 7 + (u128::from(*jobs) << 40)) / 8;
			}
		}

		#[test]
		fn a_job_should_not_count_before_its_epoch_is_over(
			ema in any::<u64>(),
			epoch in 0u32..1_000,
			jobs in any::<u32>(),
			now in 0u32..2_000,
		) {
			let before = Demand { ema, epoch, jobs };
			let mut after = before;
			after.note(now);
			prop_assert_eq!(after.at(now), before.at(now));
			prop_assert_eq!(after.epoch, now.max(epoch));
			prop_assert!(after.jobs > 0);
		}

		#[test]
		fn an_average_should_not_exceed_what_it_averages(
			ema in any::<u64>(),
			epoch in 0u32..1_000,
			jobs in any::<u32>(),
			now in 0u32..2_000,
		) {
			let demand = Demand { ema, epoch, jobs };
			prop_assert!(demand.at(now) <= ema.max(u64::from(jobs) * ONE));
		}

		#[test]
		fn places_should_rise_with_demand(
			one in any::<u64>(),
			other in any::<u64>(),
			per_winner in any::<u32>(),
			min in 0u32..8,
			max in 8u32..100,
		) {
			let (less, more) = (one.min(other), one.max(other));
			prop_assert!(places(less, per_winner, min, max) <= places(more, per_winner, min, max));
			prop_assert!((min..=max).contains(&places(one, per_winner, min, max)));
		}

		#[test]
		fn places_should_fall_with_what_a_winner_does(ema in any::<u64>(), one in any::<u32>(), other in any::<u32>()) {
			let (less, more) = (one.min(other), one.max(other));
			prop_assert!(places(ema, less, 0, u32::MAX) >= places(ema, more, 0, u32::MAX));
		}

		// So the reserve stands still while demand fills the places and all of them are taken.
		#[test]
		fn a_full_market_should_be_neither_busy_nor_idle(ema in 0..1_000 * ONE, per_winner in 1u32..100) {
			let all = places(ema, per_winner, 0, u32::MAX);
			prop_assert!(utilisation(ema, all, per_winner) <= BUSY);
			if all >= 3 {
				prop_assert!(utilisation(ema, all, per_winner) >= IDLE);
			}
		}

		// So the reserve rises until the last place is taken.
		#[test]
		fn a_market_should_be_busy_when_a_place_is_empty(ema in 1..1_000 * ONE, per_winner in 1u32..100) {
			let taken = places(ema, per_winner, 0, u32::MAX) - 1;
			// Whole jobs: less than a part in 10⁹ above the bound would be rounded away.
			let ema = ema / ONE * ONE;
			if ema * 5 > ONE * u64::from(per_winner) * u64::from(taken) * 4 {
				prop_assert!(utilisation(ema, taken, per_winner) > BUSY);
			}
		}

		#[test]
		fn utilisation_should_fall_with_the_winners(ema in any::<u64>(), winners in 0u32..64, per_winner in 1u32..) {
			prop_assert!(utilisation(ema, winners + 1, per_winner) <= utilisation(ema, winners, per_winner));
		}
	}
}
