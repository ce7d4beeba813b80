//! What the runs of a benchmark come to: a straight line that none of them lies above.

/// `base + slope · size`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Line {
	/// What no size costs.
	pub base: u64,
	/// What each unit of the component adds.
	pub slope: u64,
}

impl Line {
	/// The line through points of a size and its cost: as steep as they rise on average (least squares, rounded up), never
	/// falling, and so high that no point lies above it. Without points it costs nothing.
	pub fn above(points: &[(u32, u64)]) -> Self {
		let slope = slope(points);
		let rest = |(size, cost): &(u32, u64)| cost.saturating_sub(slope.saturating_mul(u64::from(*size)));
		let base = points.iter().map(rest).max().unwrap_or_default();
		Self { base, slope }
	}

	/// What so much costs.
	pub fn at(&self, size: u32) -> u64 {
		self.base.saturating_add(self.slope.saturating_mul(size.into()))
	}
}

/// In whole numbers: costs that lie on a line must not be rounded off it. There is room for thousands of points.
fn slope(points: &[(u32, u64)]) -> u64 {
	let (mut sizes, mut costs, mut squares, mut products) = (0i128, 0i128, 0i128, 0i128);
	for (size, cost) in points {
		let (size, cost) = (i128::from(*size), i128::from(*cost));
		sizes += size;
		costs += cost;
		squares += size * size;
		products += size * cost;
	}
	let count = points.len() as i128;
	let spread = count * squares - sizes * sizes;
	if spread == 0 {
		// All of one size.
		return 0;
	}
	let rise = (count * products - sizes * costs).max(0);
	u64::try_from((rise + spread - 1) / spread).unwrap_or(u64::MAX)
}

/// The middle one, of an even number the larger of the two; 0 of none.
pub fn median(mut costs: Vec<u64>) -> u64 {
	costs.sort_unstable();
	costs.get(costs.len() / 2).copied().unwrap_or_default()
}

/// At most `steps` sizes from the lowest to the highest, both included, as far from one another as may be.
pub fn sizes(low: u32, high: u32, steps: u32) -> Vec<u32> {
	let gaps = u64::from(steps.saturating_sub(1).max(1));
	let width = u64::from(high.saturating_sub(low));
	let mut sizes: Vec<u32> = (0..=gaps)
		.map(|step| low + u32::try_from(width * step / gaps).unwrap_or_default())
		.collect();
	sizes.dedup();
	sizes
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn a_line_should_be_found_exactly_when_all_points_lie_on_one() {
		let points: Vec<_> = (1..=64).map(|size| (size, 27 + 3 * u64::from(size))).collect();
		assert_eq!(Line::above(&points), Line { base: 27, slope: 3 });
	}

	#[test]
	fn a_line_should_be_flat_when_there_is_one_size_only_or_costs_fall() {
		assert_eq!(Line::above(&[(0, 7), (0, 9)]), Line { base: 9, slope: 0 });
		assert_eq!(Line::above(&[(1, 9), (2, 7), (3, 5)]), Line { base: 9, slope: 0 });
		assert_eq!(Line::above(&[]), Line::default());
	}

	#[test]
	fn a_step_should_be_covered_when_costs_rise_by_every_second_unit() {
		let points: Vec<_> = (1..=64u32)
			.map(|size| (size, 7 * u64::from(size.div_ceil(2))))
			.collect();
		let line = Line::above(&points);
		assert_eq!(line.slope, 4);
		assert!(line.base <= 7);
	}

	#[test]
	fn sizes_should_have_both_ends_when_there_are_fewer_steps_than_sizes_or_more() {
		assert_eq!(sizes(1, 256, 2), [1, 256]);
		assert_eq!(sizes(0, 10, 3), [0, 5, 10]);
		assert_eq!(sizes(2, 4, 50), [2, 3, 4]);
		assert_eq!(sizes(5, 5, 20), [5]);
	}

	#[test]
	fn a_median_should_not_be_moved_when_one_run_is_held_up() {
		assert_eq!(median(vec![5, 4, 1_000_000, 6, 5]), 5);
		assert_eq!(median(vec![]), 0);
	}

	proptest! {
		#[test]
		fn no_point_should_lie_above_its_line(points in prop::collection::vec((0u32..=10_000, 0u64..=1 << 50), 1..200)) {
			let line = Line::above(&points);
			for (size, cost) in points {
				prop_assert!(line.at(size) >= cost);
			}
		}
	}
}
