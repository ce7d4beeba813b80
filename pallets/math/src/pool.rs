//! Pools of delegated stake: a delegator owns points, and a slash or a reward touches the pool alone, however many own
//! points of it.
//!
//! A point never stands for more than one unit: stakes enter at the price of the day, rounded so that nobody who is in
//! loses, leave so that nobody who stays loses, and a slash lowers the price. So there is no price that a first delegator
//! could drive up to rob the second one by rounding. Rewards do not enter the stake; they are counted per point, see
//! [`Rewards`].

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Perbill, Rounding};

/// The most points that one unit of stake may stand for. A slash that leaves less takes the rest too and the pool begins
/// anew: no pool becomes one that nobody can enter, and points stay far from overflow.
pub const MAX_POINTS_PER_UNIT: u128 = 1 << 20;

/// Fixed point of [`Rewards::per_point`]: one unit.
pub const REWARD_ONE: u128 = 1 << 64;

/// Stake and the points that share it.
///
/// Always: `stake ≤ points ≤ stake · MAX_POINTS_PER_UNIT`, and so no points without stake and no stake without points.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Pool {
	/// Points of all parts of this generation.
	#[codec(compact)]
	pub points: u128,
	/// What they are worth together.
	#[codec(compact)]
	pub stake: u128,
	/// How often a slash took everything. Points of former generations are worth nothing.
	#[codec(compact)]
	pub generation: u32,
}

/// What one delegator owns of a pool.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Part {
	/// Its points.
	#[codec(compact)]
	pub points: u128,
	/// The pool's generation that they are of.
	#[codec(compact)]
	pub generation: u32,
}

/// What a slash did to a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolSlash {
	/// What left the pool's stake.
	pub taken: u128,
	/// Whether all points are worthless now. Rewards that their owners have not collected are lost with them: whoever
	/// keeps the coins knows how much that is.
	pub wiped: bool,
}

impl Pool {
	/// Points of `part` that count: 0 if they are of a former generation.
	pub fn points_of(&self, part: &Part) -> u128 {
		if part.generation == self.generation {
			part.points
		} else {
			0
		}
	}

	/// What `part` is worth now, rounded down.
	pub fn worth(&self, part: &Part) -> u128 {
		self.worth_of_points(self.points_of(part))
	}

	/// What `points` of this generation are worth now, rounded down; never more than the pool's stake.
	pub fn worth_of_points(&self, points: u128) -> u128 {
		let points = points.min(self.points);
		mul_div(points, self.stake, self.points, Rounding::Down).unwrap_or(0)
	}

	/// Adds `stake` to the pool and the points for it, rounded down, to `part`; worthless points of a former generation
	/// leave it. Whoever enters and leaves again gets back what it brought, or one unit less. Returns the new points;
	/// `None`, and nothing changed, if a number would not fit.
	pub fn join(&mut self, part: &mut Part, stake: u128) -> Option<u128> {
		let points = match self.points {
			0 => stake,
			all => mul_div(stake, all, self.stake, Rounding::Down)?,
		};
		let owned = self.points_of(part).checked_add(points)?;
		let all = self.points.checked_add(points)?;
		self.stake = self.stake.checked_add(stake)?;
		self.points = all;
		*part = Part {
			points: owned,
			generation: self.generation,
		};
		Some(points)
	}

	/// Takes up to `stake` out of the pool, and the points for it, rounded up, out of `part`; all of them if they are not
	/// worth more. Returns what was taken out.
	pub fn leave(&mut self, part: &mut Part, stake: u128) -> u128 {
		let owned = self.points_of(part).min(self.points);
		let needed = mul_div(stake, self.points, self.stake, Rounding::Up).unwrap_or(owned);
		let (points, taken) = if needed >= owned {
			(owned, self.worth_of_points(owned))
		} else {
			(needed, stake)
		};
		self.points = self.points.saturating_sub(points);
		self.stake = self.stake.saturating_sub(taken);
		*part = Part {
			points: owned.saturating_sub(points),
			generation: self.generation,
		};
		taken
	}

	/// Takes `share` of the stake, rounded up: the same share of every part.
	pub fn slash(&mut self, share: Perbill) -> PoolSlash {
		self.slash_amount(share.mul_ceil(self.stake))
	}

	/// Takes up to `amount` of the stake, from every part in proportion.
	pub fn slash_amount(&mut self, amount: u128) -> PoolSlash {
		let left = self.stake.saturating_sub(amount);
		let most_points = left.saturating_mul(MAX_POINTS_PER_UNIT);
		if self.points <= most_points {
			let taken = self.stake.saturating_sub(left);
			self.stake = left;
			return PoolSlash { taken, wiped: false };
		}
		let taken = self.stake;
		*self = Self {
			points: 0,
			stake: 0,
			generation: self.generation.saturating_add(1),
		};
		PoolSlash { taken, wiped: true }
	}
}

/// Rewards of a pool, counted per point: whoever has had `points` since `per_point` was `mark` has earned
/// `(per_point − mark) · points`, however many share the pool.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Rewards {
	/// What one point has earned since the pool began, in units of 1/[`REWARD_ONE`]. Never falls.
	pub per_point: u128,
	/// What the last division left over, in units of 1/[`REWARD_ONE`] of a coin's unit: it is shared next time, so that
	/// nothing is lost however small the rewards are.
	pub carry: u128,
}

impl Rewards {
	/// Shares `reward` among `points`. Returns what could not be shared: 0, or all of it, if there are no points or if
	/// a point has earned more than can be counted.
	pub fn add(&mut self, reward: u128, points: u128) -> u128 {
		let Some(next) = self.after(reward, points) else {
			return reward;
		};
		*self = next;
		0
	}

	fn after(&self, reward: u128, points: u128) -> Option<Self> {
		let each = mul_div(reward, REWARD_ONE, points, Rounding::Down)?;
		// reward · REWARD_ONE − each · points lies below `points`: modulo 2¹²⁸ it is exact.
		let rest = reward.wrapping_mul(REWARD_ONE).wrapping_sub(each.wrapping_mul(points));
		// Two numbers whose sum may not fit: the carry may come from a time with more points.
		let carried = self.carry.checked_div(points)?;
		let (sum, over) = rest.overflowing_add(self.carry.checked_rem(points)?);
		let one_more = over || sum >= points;
		let per_point = self
			.per_point
			.checked_add(each)?
			.checked_add(carried)?
			.checked_add(u128::from(one_more))?;
		let carry = if one_more { sum.wrapping_sub(points) } else { sum };
		Some(Self { per_point, carry })
	}

	/// What `points` have earned since `mark`, rounded down; saturating, for points that never were in the pool. Whoever
	/// collects it sets its mark to `per_point`, and leaves less than one unit behind.
	pub fn earned(&self, points: u128, mark: u128) -> u128 {
		let each = self.per_point.saturating_sub(mark);
		mul_div(each, points, REWARD_ONE, Rounding::Down).unwrap_or(u128::MAX)
	}
}

/// A node's reward, divided between its operator and its delegators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Division {
	/// The operator's: its commission on everything, its own share of the rest, and what rounding leaves.
	pub operator: u128,
	/// The delegators', for [`Rewards::add`].
	pub delegators: u128,
}

/// Divides `reward` by stake, after the operator's `commission`. The two parts sum to `reward`.
pub fn divide(reward: u128, commission: Perbill, own: u128, delegated: u128) -> Division {
	let shared = reward.saturating_sub(commission.mul_ceil(reward));
	// Stakes whose sum does not fit do not exist; halved, they would still be divided right.
	let (part, all) = match own.checked_add(delegated) {
		Some(all) => (delegated, all),
		None => (delegated / 2, (own / 2).saturating_add(delegated / 2)),
	};
	let delegators = mul_div(shared, part, all, Rounding::Down).unwrap_or(0);
	Division {
		operator: reward.saturating_sub(delegators),
		delegators,
	}
}

/// a · b / c, exact up to the rounding; `None` if c is 0 or the result does not fit.
fn mul_div(a: u128, b: u128, c: u128, rounding: Rounding) -> Option<u128> {
	multiply_by_rational_with_rounding(a, b, c, rounding)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::{collection::vec, prelude::*};

	fn pool(points: u128, stake: u128) -> Pool {
		Pool {
			points,
			stake,
			generation: 0,
		}
	}

	#[test]
	fn the_first_should_get_a_point_per_unit() {
		let (mut pool, mut part) = (Pool::default(), Part::default());
		assert_eq!(pool.join(&mut part, 100), Some(100));
		assert_eq!((pool.points, pool.stake, pool.worth(&part)), (100, 100, 100));
	}

	#[test]
	fn a_slash_should_take_the_same_share_of_everybody() {
		let (mut pool, mut small, mut large) = (Pool::default(), Part::default(), Part::default());
		pool.join(&mut small, 100).unwrap();
		pool.join(&mut large, 900).unwrap();
		let slash = pool.slash(Perbill::from_percent(30));
		assert_eq!(
			slash,
			PoolSlash {
				taken: 300,
				wiped: false
			}
		);
		assert_eq!((pool.worth(&small), pool.worth(&large)), (70, 630));
		// Who comes later does not pay for it.
		let mut late = Part::default();
		assert_eq!(pool.join(&mut late, 70), Some(100));
		assert_eq!((pool.worth(&small), pool.worth(&late)), (70, 70));
	}

	#[test]
	fn a_slash_of_everything_should_begin_the_pool_anew() {
		let (mut pool, mut part) = (Pool::default(), Part::default());
		pool.join(&mut part, 1_000).unwrap();
		assert_eq!(
			pool.slash(Perbill::one()),
			PoolSlash {
				taken: 1_000,
				wiped: true
			}
		);
		assert_eq!((pool.points, pool.stake, pool.generation), (0, 0, 1));
		assert_eq!((pool.worth(&part), pool.points_of(&part)), (0, 0));
		assert_eq!(pool.leave(&mut part.clone(), u128::MAX), 0);
		// The old points are gone when their owner comes back.
		assert_eq!(pool.join(&mut part, 5), Some(5));
		assert_eq!((part.points, part.generation, pool.worth(&part)), (5, 1, 5));
	}

	#[test]
	fn a_slash_should_take_the_rest_when_less_than_a_millionth_is_left() {
		let mut kept = pool(1 << 30, 1 << 30);
		assert!(!kept.slash_amount((1 << 30) - (1 << 10)).wiped);
		assert_eq!(kept.stake, 1 << 10);
		let mut wiped = pool(1 << 30, 1 << 30);
		let slash = wiped.slash_amount((1 << 30) - (1 << 10) + 1);
		assert_eq!(
			slash,
			PoolSlash {
				taken: 1 << 30,
				wiped: true
			}
		);
	}

	#[test]
	fn a_slash_of_nothing_should_change_nothing() {
		let mut before = pool(7, 3);
		assert_eq!(before.slash(Perbill::zero()), PoolSlash { taken: 0, wiped: false });
		assert_eq!(before, pool(7, 3));
		let mut empty = Pool::default();
		assert_eq!(empty.slash(Perbill::one()), PoolSlash { taken: 0, wiped: false });
	}

	#[test]
	fn join_should_change_nothing_when_it_would_overflow() {
		let (mut pool, mut part) = (Pool::default(), Part::default());
		pool.join(&mut part, u128::MAX).unwrap();
		let before = (pool, part);
		assert_eq!(pool.join(&mut part, 1), None);
		assert_eq!((pool, part), before);
	}

	#[test]
	fn rewards_should_be_shared_by_points() {
		let mut rewards = Rewards::default();
		assert_eq!(rewards.add(1_000, 10), 0);
		assert_eq!((rewards.earned(3, 0), rewards.earned(7, 0)), (300, 700));
		let mark = rewards.per_point;
		rewards.add(50, 10);
		assert_eq!((rewards.earned(10, mark), rewards.earned(10, 0)), (50, 1_050));
	}

	#[test]
	fn rewards_should_be_given_back_when_nobody_shares_them() {
		let mut rewards = Rewards::default();
		assert_eq!(rewards.add(1_000, 0), 1_000);
		assert_eq!(rewards, Rewards::default());
	}

	#[test]
	fn small_rewards_should_add_up_when_there_are_many_points() {
		let points = 3 << 100;
		let mut rewards = Rewards::default();
		for _ in 0..3_000 {
			assert_eq!(rewards.add(1 << 30, points), 0);
		}
		// 3000 · 2³⁰ units in steps of 3 · 2³⁶ that one count of the fixed point is worth.
		let step = points / REWARD_ONE;
		assert_eq!(rewards.earned(points, 0), (3_000u128 << 30) / step * step);
	}

	#[test]
	fn divide_should_take_the_commission_first() {
		let division = divide(1_000, Perbill::from_percent(10), 100, 300);
		assert_eq!((division.operator, division.delegators), (325, 675));
		assert_eq!(divide(1_000, Perbill::zero(), 0, 0).operator, 1_000);
		assert_eq!(divide(1_000, Perbill::one(), 0, 300).operator, 1_000);
		assert_eq!(divide(10, Perbill::zero(), u128::MAX, u128::MAX).delegators, 5);
	}

	#[derive(Clone, Debug)]
	enum Step {
		Join(usize, u128),
		Leave(usize, u128),
		Slash(u32),
		Reward(u128),
	}

	fn step() -> impl Strategy<Value = Step> {
		let amount = prop_oneof![0u128..4, 0u128..10_000, 0u128..1 << 90];
		let share = prop_oneof![3 => 0u32..=500_000_000, 1 => 999_999_000u32..=1_000_000_000];
		prop_oneof![
			4 => (0usize..5, amount.clone()).prop_map(|(who, stake)| Step::Join(who, stake)),
			3 => (0usize..5, prop_oneof![amount.clone(), Just(u128::MAX)]).prop_map(|(who, stake)| Step::Leave(who, stake)),
			2 => share.prop_map(Step::Slash),
			2 => prop_oneof![0u128..4, 0u128..10_000, 0u128..1 << 50].prop_map(Step::Reward),
		]
	}

	/// A delegator that collects whenever its points change, as a pallet does.
	#[derive(Clone, Default)]
	struct Owner {
		part: Part,
		mark: u128,
		collected: u128,
	}

	impl Owner {
		fn collect(&mut self, pool: &Pool, rewards: &Rewards) {
			self.collected += rewards.earned(pool.points_of(&self.part), self.mark);
			self.mark = rewards.per_point;
		}
	}

	fn invariants(pool: &Pool, owners: &[Owner]) {
		assert!(pool.stake <= pool.points, "a point is worth at most one unit");
		assert!(pool.points <= pool.stake.saturating_mul(MAX_POINTS_PER_UNIT));
		let points: u128 = owners.iter().map(|owner| pool.points_of(&owner.part)).sum();
		assert_eq!(points, pool.points, "points are those of the parts");
		let worth: u128 = owners.iter().map(|owner| pool.worth(&owner.part)).sum();
		assert!(worth <= pool.stake && pool.stake - worth <= owners.len() as u128);
	}

	proptest! {
		#[test]
		fn stake_and_rewards_should_be_conserved(steps in vec(step(), 1..80)) {
			let (mut pool, mut rewards) = (Pool::default(), Rewards::default());
			let mut owners = vec![Owner::default(); 5];
			let (mut brought, mut taken, mut rewarded, mut lost) = (0u128, 0u128, 0u128, 0u128);
			for step in steps {
				let worths: Vec<u128> = owners.iter().map(|owner| pool.worth(&owner.part)).collect();
				match step {
					Step::Join(who, stake) => {
						owners[who].collect(&pool, &rewards);
						pool.join(&mut owners[who].part, stake).unwrap();
						brought += stake;
						let now = pool.worth(&owners[who].part);
						prop_assert!(now <= worths[who] + stake + 1 && now + 2 >= worths[who] + stake);
					}
					Step::Leave(who, stake) => {
						owners[who].collect(&pool, &rewards);
						let left = pool.leave(&mut owners[who].part, stake);
						prop_assert!(left <= stake && left <= worths[who]);
						// Who asks for no more than it has gets what it asks for.
						prop_assert!(stake > worths[who] || left == stake);
						prop_assert!(pool.worth(&owners[who].part) <= worths[who] - left);
						taken += left;
					}
					Step::Slash(parts) => {
						let before = pool.stake;
						let owed: u128 = owners
							.iter()
							.map(|owner| rewards.earned(pool.points_of(&owner.part), owner.mark))
							.sum();
						let slash = pool.slash(Perbill::from_parts(parts));
						prop_assert!(slash.taken >= Perbill::from_parts(parts).mul_ceil(before));
						prop_assert_eq!(slash.taken + pool.stake, before);
						taken += slash.taken;
						if slash.wiped {
							// What nobody collected before.
							lost += owed;
						}
					}
					Step::Reward(reward) => {
						let back = rewards.add(reward, pool.points);
						prop_assert_eq!(back, if pool.points == 0 { reward } else { 0 });
						rewarded += reward - back;
					}
				}
				prop_assert_eq!(brought, taken + pool.stake);
				invariants(&pool, &owners);
				// Nobody who only watched lost by another one's coming and going.
				if !matches!(step, Step::Slash(_)) {
					for (owner, before) in owners.iter().zip(&worths) {
						let moved = matches!(step, Step::Leave(who, _) | Step::Join(who, _) if core::ptr::eq(owner, &owners[who]));
						prop_assert!(moved || pool.worth(&owner.part) >= *before);
					}
				}
			}
			owners.iter_mut().for_each(|owner| owner.collect(&pool, &rewards));
			let collected: u128 = owners.iter().map(|owner| owner.collected).sum();
			prop_assert!(collected + lost <= rewarded, "no more is paid than was shared");
		}

		#[test]
		fn nobody_should_gain_by_entering_and_leaving(
			points in 1u128..1 << 100,
			share in 0u32..999_999_000,
			stake in 0u128..1 << 90,
			rounds in 1usize..20,
		) {
			let mut pool = pool(points, points);
			let all = pool.slash(Perbill::from_parts(share));
			prop_assume!(!all.wiped);
			let mut part = Part::default();
			let mut purse = stake;
			for _ in 0..rounds {
				pool.join(&mut part, purse).unwrap();
				let back = pool.leave(&mut part, u128::MAX);
				prop_assert!(back <= purse && back + 1 >= purse);
				purse = back;
			}
			prop_assert_eq!(part.points, 0);
		}

		#[test]
		fn the_last_to_leave_should_take_everything(stakes in vec(1u128..1 << 60, 1..8), share in 0u32..900_000_000) {
			let mut pool = Pool::default();
			let mut parts = vec![Part::default(); stakes.len()];
			for (part, stake) in parts.iter_mut().zip(&stakes) {
				pool.join(part, *stake).unwrap();
			}
			let slashed = pool.slash(Perbill::from_parts(share)).taken;
			let left: u128 = parts.iter_mut().map(|part| pool.leave(part, u128::MAX)).sum();
			prop_assert_eq!(left + slashed, stakes.iter().sum::<u128>());
			prop_assert_eq!((pool.points, pool.stake), (0, 0));
		}

		#[test]
		fn order_should_not_matter_by_more_than_a_unit(stakes in vec(1u128..1 << 60, 2..8), share in 0u32..900_000_000) {
			let worths = |order: &[usize]| {
				let mut pool = Pool::default();
				let mut parts = vec![Part::default(); stakes.len()];
				for index in order {
					pool.join(&mut parts[*index], stakes[*index]).unwrap();
				}
				pool.slash(Perbill::from_parts(share));
				let mut left = vec![0; stakes.len()];
				for index in order {
					left[*index] = pool.leave(&mut parts[*index], u128::MAX);
				}
				left
			};
			let forth: Vec<usize> = (0..stakes.len()).collect();
			let back: Vec<usize> = forth.iter().rev().copied().collect();
			for (a, b) in worths(&forth).iter().zip(&worths(&back)) {
				prop_assert!(a.abs_diff(*b) <= stakes.len() as u128);
			}
		}

		#[test]
		fn rewards_should_not_depend_on_when_they_are_collected(
			shares in vec(0u128..1 << 50, 1..30),
			points in vec(1u128..1 << 80, 2..6),
		) {
			let all: u128 = points.iter().sum();
			let (mut often, mut once) = (vec![0u128; points.len()], Rewards::default());
			let mut marks = vec![0u128; points.len()];
			for reward in &shares {
				once.add(*reward, all);
				for (index, points) in points.iter().enumerate() {
					often[index] += once.earned(*points, marks[index]);
					marks[index] = once.per_point;
				}
			}
			let mut sum = 0;
			for (index, points) in points.iter().enumerate() {
				let at_once = once.earned(*points, 0);
				sum += at_once;
				prop_assert!(often[index] <= at_once && at_once - often[index] <= shares.len() as u128);
			}
			let total: u128 = shares.iter().sum();
			// What is left over: a unit for each owner, and less than one count of the fixed point for each point.
			prop_assert!(sum <= total && total - sum <= points.len() as u128 + all / REWARD_ONE + 1);
		}

		#[test]
		fn sharing_should_lose_nothing_at_all(shares in vec(0u128..1 << 50, 1..30), points in prop_oneof![1u128..1 << 60, 1u128..u128::MAX]) {
			let mut rewards = Rewards::default();
			for reward in &shares {
				prop_assert_eq!(rewards.add(*reward, points), 0);
				prop_assert!(rewards.carry < points);
			}
			// per_point · points + carry = Σ rewards · 2⁶⁴, compared modulo 2¹²⁸.
			let shared = rewards.per_point.wrapping_mul(points).wrapping_add(rewards.carry);
			prop_assert_eq!(shared, shares.iter().sum::<u128>().wrapping_mul(REWARD_ONE));
		}

		#[test]
		fn nothing_should_overflow(
			points in any::<u128>(), stake in any::<u128>(), amount in any::<u128>(), owned in any::<u128>(),
			per_point in any::<u128>(), carry in any::<u128>(), parts in 0u32..=1_000_000_000,
		) {
			let mut pool = pool(points, stake);
			let mut part = Part { points: owned, generation: 0 };
			prop_assert!(pool.worth(&part) <= stake);
			let _ = pool.join(&mut part, amount);
			let before = pool.stake;
			let taken = pool.leave(&mut part, amount);
			prop_assert!(taken <= before);
			let _ = pool.slash(Perbill::from_parts(parts));
			let mut rewards = Rewards { per_point, carry };
			let _ = rewards.add(amount, points);
			prop_assert!(rewards.per_point >= per_point);
			let _ = rewards.earned(owned, stake);
		}

		#[test]
		fn divide_should_lose_nothing(reward in any::<u128>(), parts in 0u32..=1_000_000_000, own in any::<u128>(), delegated in any::<u128>()) {
			let division = divide(reward, Perbill::from_parts(parts), own, delegated);
			prop_assert_eq!(division.operator.checked_add(division.delegators), Some(reward));
			prop_assert!(division.operator >= Perbill::from_parts(parts).mul_ceil(reward));
		}
	}
}
