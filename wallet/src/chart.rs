//! Small pictures of numbers, made of characters: they need no colours, and survive a pipe.

use highway_primitives::Balance;

/// Eighths of a cell, from none to all of them.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What fills the parts of a bar behind their letters, by turns.
const FILLS: [char; 2] = ['█', '░'];

/// Bits of a number that is small enough to be summed and multiplied here.
const BITS: u32 = 90;

/// Columns, one for each value, the first one at the left, over an axis at the least value. `label` writes the least and
/// the greatest one; a value that is not there leaves its column empty. Empty without any value.
pub fn columns(values: &[Option<Balance>], height: usize, label: impl Fn(Balance) -> String) -> String {
	let known = || values.iter().flatten().copied();
	let (Some(least), Some(most)) = (known().min(), known().max()) else {
		return String::new();
	};
	let (low, high) = (label(least), if most > least { label(most) } else { String::new() });
	let width = low.chars().count().max(high.chars().count());
	let levels: Vec<usize> = values
		.iter()
		.map(|value| value.map_or(0, |value| level(value, least, most, height * 8)))
		.collect();
	let rows = (0..height).map(|row| {
		let bottom = (height - 1 - row) * 8;
		let title = match row {
			0 if height > 1 => high.as_str(),
			row if row + 1 == height => low.as_str(),
			_ => "",
		};
		let cells: String = levels
			.iter()
			.map(|level| EIGHTHS[level.saturating_sub(bottom).min(8)])
			.flat_map(|cell| [cell; 2])
			.collect();
		format!("{title:>width$} │{}\n", cells.trim_end())
	});
	let axis = format!("{:>width$} └{}\n", "", "─".repeat(values.len() * 2));
	rows.chain([axis]).collect()
}

/// How high the column of `value` is, of `steps`: at least 1, and half of them where all values are alike.
fn level(value: Balance, least: Balance, most: Balance, steps: usize) -> usize {
	if most == least {
		return steps.div_ceil(2);
	}
	let share = (value - least) as f64 / (most - least) as f64;
	// Only a picture: what is lost in it is less than an eighth of a cell.
	1 + (share * (steps - 1) as f64).round() as usize
}

/// A bar of `width` cells for parts of a whole. Each part begins with its letter; one that is not 0 has a cell as long as
/// there are cells.
pub fn bar(parts: &[(char, Balance)], width: usize) -> String {
	let amounts: Vec<Balance> = parts.iter().map(|(_, amount)| *amount).collect();
	parts
		.iter()
		.zip(cells(&amounts, width))
		.filter(|(_, cells)| *cells > 0)
		.enumerate()
		.flat_map(|(place, ((letter, _), cells))| {
			let fill = FILLS[place % FILLS.len()];
			std::iter::once(*letter).chain(std::iter::repeat_n(fill, cells - 1))
		})
		.collect()
}

/// How many of `width` cells each part has: one for being there, and of the others its share, rounded so that together they
/// are `width`.
fn cells(parts: &[Balance], width: usize) -> Vec<usize> {
	let bits = parts
		.iter()
		.max()
		.map_or(0, |most| Balance::BITS - most.leading_zeros());
	// Only proportions matter, and these numbers cannot overflow.
	let scaled = |part: &Balance| part >> bits.saturating_sub(BITS);
	let total: Balance = parts.iter().map(scaled).sum();
	let there = parts.iter().filter(|part| **part > 0).count();
	let Some(spare) = width.checked_sub(there).filter(|_| total > 0) else {
		// Nothing to show, or too narrow for all: the first ones are shown.
		let mut left = width;
		let one = |part: &Balance| {
			let cell = usize::from(*part > 0 && left > 0);
			left -= cell;
			cell
		};
		return parts.iter().map(one).collect();
	};
	let spare = spare as Balance;
	let mut cells: Vec<usize> = parts
		.iter()
		.map(|part| usize::from(*part > 0) + (scaled(part) * spare / total) as usize)
		.collect();
	// What rounding left over goes to those who lost most by it.
	let mut order: Vec<usize> = (0..parts.len()).collect();
	order.sort_by_key(|place| std::cmp::Reverse(scaled(&parts[*place]) * spare % total));
	let left = width - cells.iter().sum::<usize>();
	for place in order.into_iter().take(left) {
		cells[place] += 1;
	}
	cells
}

#[cfg(test)]
mod tests {
	use super::*;

	fn chart(values: &[Balance], height: usize) -> String {
		let values: Vec<_> = values.iter().copied().map(Some).collect();
		columns(&values, height, |value| value.to_string())
	}

	#[test]
	fn columns_should_rise_from_the_least_to_the_greatest_value() {
		assert_eq!(
			chart(&[100, 107, 115], 2),
			"115 │    ██\n\
			 100 │▁▁████\n    \
			  └──────\n"
		);
	}

	#[test]
	fn columns_should_stand_at_half_their_height_when_nothing_moved() {
		assert_eq!(chart(&[7, 7], 2), "  │\n7 │████\n  └────\n");
	}

	#[test]
	fn columns_should_be_empty_where_nothing_is_known() {
		assert_eq!(
			columns(&[Some(1), None, Some(9)], 1, |value| value.to_string()),
			"1 │▁▁  ██\n  └──────\n"
		);
		assert_eq!(columns(&[None, None], 3, |value| value.to_string()), "");
		assert_eq!(chart(&[], 3), "");
	}

	#[test]
	fn columns_should_hold_the_greatest_numbers() {
		let text = chart(&[0, Balance::MAX], 3);
		assert_eq!(text.lines().count(), 4);
		assert!(text.lines().all(|line| line.chars().count() <= 39 + 2 + 4), "{text}");
	}

	#[test]
	fn bars_should_show_every_part_and_fill_their_width() {
		assert_eq!(bar(&[('C', 70), ('M', 25), ('A', 5)], 20), "C████████████M░░░░A█");
		for width in 8..60 {
			let parts = [('M', 1), ('P', 0), ('C', 1_000_000), ('S', 3), ('K', Balance::MAX)];
			let bar = bar(&parts, width);
			assert_eq!(bar.chars().count(), width, "{bar}");
			assert!(
				"MCSK".chars().all(|letter| bar.contains(letter)) && !bar.contains('P'),
				"{bar}"
			);
		}
	}

	#[test]
	fn cells_should_sum_to_the_width_whatever_the_parts() {
		for parts in [
			&[1, 1, 1][..],
			&[0, 5],
			&[Balance::MAX; 8],
			&[1, Balance::MAX],
			&[3, 3, 1, 1, 2],
		] {
			for width in parts.len()..50 {
				let cells = cells(parts, width);
				assert_eq!(cells.iter().sum::<usize>(), width, "{parts:?}");
				assert!(parts
					.iter()
					.zip(&cells)
					.all(|(part, cells)| (*part > 0) == (*cells > 0)));
			}
		}
	}

	#[test]
	fn bars_should_be_short_when_there_is_nothing_or_no_room() {
		assert_eq!(bar(&[('M', 0), ('C', 0)], 20), "");
		assert_eq!(bar(&[], 20), "");
		assert_eq!(bar(&[('M', 1), ('C', 2), ('S', 3)], 2), "MC");
		assert_eq!(bar(&[('M', 1)], 0), "");
	}
}
