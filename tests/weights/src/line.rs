//! What the runs of a benchmark come to: a straight line that no point lies above. Of times a point is the median of the runs of a
//! size, so half of them may have taken longer where the line touches it; of accesses it is what all runs of a size have.

/// What a size costs: that of each component, and the cost.
pub type Point = (Vec<u32>, u64);

/// `base + Σ slope · size`, over all components.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Line {
	/// What no size costs.
	pub base: u64,
	/// What each unit of each component adds.
	pub slopes: Vec<u64>,
}

impl Line {
	/// The line through points: as steep in each component as they rise on average while all others are at their least (least
	/// squares, rounded up), never falling, and so high that no point lies above it. Without points it costs nothing.
	pub fn above(points: &[Point]) -> Self {
		let components = points.first().map_or(0, |(sizes, _)| sizes.len());
		let slopes = (0..components)
			.map(|component| slope(&alone(points, component)))
			.collect();
		let line = Self { base: 0, slopes };
		let rest = |(sizes, cost): &Point| cost.saturating_sub(line.at(sizes));
		let base = points.iter().map(rest).max().unwrap_or_default();
		Self { base, ..line }
	}

	/// What so much costs.
	pub fn at(&self, sizes: &[u32]) -> u64 {
		let grown = self.slopes.iter().zip(sizes);
		grown.fold(self.base, |sum, (slope, size)| {
			sum.saturating_add(slope.saturating_mul(u64::from(*size)))
		})
	}

	/// Whether nothing costs anything.
	pub fn is_zero(&self) -> bool {
		self.base == 0 && self.slopes.iter().all(|slope| *slope == 0)
	}
}

/// Sizes of one component and costs, of those points that have the least of all others.
fn alone(points: &[Point], component: usize) -> Vec<(u32, u64)> {
	let least = |index: usize| points.iter().filter_map(|(sizes, _)| sizes.get(index)).min();
	let is_alone = |sizes: &[u32]| {
		let mut sizes = sizes.iter().enumerate();
		sizes.all(|(index, size)| index == component || Some(size) == least(index))
	};
	let alone = points.iter().filter(|(sizes, _)| is_alone(sizes));
	alone
		.filter_map(|(sizes, cost)| Some((*sizes.get(component)?, *cost)))
		.collect()
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

/// The sizes that are measured of components with these ranges, each once: the lowest of all; at most `steps` of each while all
/// others are at their lowest; and at last the highest of all. Without a component it is one run of no size.
pub fn runs(ranges: &[(u32, u32)], steps: u32) -> Vec<Vec<u32>> {
	let lowest: Vec<u32> = ranges.iter().map(|(low, _)| *low).collect();
	let highest: Vec<u32> = ranges.iter().map(|(_, high)| *high).collect();
	let mut runs = vec![lowest.clone()];
	for (component, (low, high)) in ranges.iter().enumerate() {
		for size in sizes(*low, *high, steps) {
			let mut run = lowest.clone();
			run.iter_mut().skip(component).take(1).for_each(|of| *of = size);
			runs.push(run);
		}
	}
	// What ends a sweep of one component is the highest of all, if there is no other.
	runs.retain(|run| *run != highest);
	runs.push(highest);
	let mut each_once = Vec::new();
	for run in runs {
		if !each_once.contains(&run) {
			each_once.push(run);
		}
	}
	each_once
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	/// Of one component.
	fn points(of: impl IntoIterator<Item = (u32, u64)>) -> Vec<Point> {
		of.into_iter().map(|(size, cost)| (vec![size], cost)).collect()
	}

	fn line(base: u64, slopes: &[u64]) -> Line {
		Line {
			base,
			slopes: slopes.to_vec(),
		}
	}

	#[test]
	fn a_line_should_be_found_exactly_when_all_points_lie_on_one() {
		let points = points((1..=64).map(|size| (size, 27 + 3 * u64::from(size))));
		assert_eq!(Line::above(&points), line(27, &[3]));
	}

	#[test]
	fn a_line_should_be_found_exactly_when_components_add_up() {
		let cost = |run: &Vec<u32>| 27 + 3 * u64::from(run[0]) + 7 * u64::from(run[1]);
		let all = runs(&[(0, 4), (1, 9)], 20);
		let points: Vec<Point> = all.iter().map(|run| (run.clone(), cost(run))).collect();
		assert_eq!(Line::above(&points), line(27, &[3, 7]));
		assert_eq!(line(27, &[3, 7]).at(&[2, 1]), 40);
	}

	#[test]
	fn a_line_should_cover_what_components_cost_only_together() {
		let points: Vec<Point> = vec![(vec![0, 0], 5), (vec![1, 0], 6), (vec![0, 1], 7), (vec![1, 1], 20)];
		assert_eq!(Line::above(&points), line(17, &[1, 2]));
	}

	#[test]
	fn a_line_should_be_flat_when_there_is_one_size_only_or_costs_fall() {
		assert_eq!(Line::above(&points([(0, 7), (0, 9)])), line(9, &[0]));
		assert_eq!(Line::above(&points([(1, 9), (2, 7), (3, 5)])), line(9, &[0]));
		assert_eq!(Line::above(&[(vec![], 7), (vec![], 9)]), line(9, &[]));
		assert_eq!(Line::above(&[]), Line::default());
		assert!(line(0, &[0, 0]).is_zero() && !line(0, &[0, 1]).is_zero() && !line(9, &[0]).is_zero());
	}

	#[test]
	fn a_step_should_be_covered_when_costs_rise_by_every_second_unit() {
		let points = points((1..=64u32).map(|size| (size, 7 * u64::from(size.div_ceil(2)))));
		let line = Line::above(&points);
		assert_eq!(line.slopes, [4]);
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
	fn runs_should_go_through_one_component_after_the_other_and_end_with_the_highest_of_all() {
		assert_eq!(runs(&[], 20), [Vec::<u32>::new()]);
		assert_eq!(runs(&[(5, 5)], 20), [[5]]);
		assert_eq!(runs(&[(1, 256)], 2), [[1], [256]]);
		assert_eq!(runs(&[(0, 2), (3, 4)], 20), [[0, 3], [1, 3], [2, 3], [0, 4], [2, 4]]);
	}

	#[test]
	fn a_median_should_not_be_moved_when_one_run_is_held_up() {
		assert_eq!(median(vec![5, 4, 1_000_000, 6, 5]), 5);
		assert_eq!(median(vec![]), 0);
	}

	proptest! {
		#[test]
		fn no_point_should_lie_above_its_line(points in prop::collection::vec(([0u32..=10_000, 0..=4], 0u64..=1 << 50), 1..200)) {
			let points: Vec<Point> = points.into_iter().map(|(sizes, cost)| (sizes.to_vec(), cost)).collect();
			let line = Line::above(&points);
			for (sizes, cost) in points {
				prop_assert!(line.at(&sizes) >= cost);
			}
		}
	}
}
