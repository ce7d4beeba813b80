//! Tables for people.

/// Lines of cells, each column as wide as its longest text.
pub fn aligned(lines: &[Vec<String>]) -> String {
	let mut widths: Vec<usize> = Vec::new();
	for line in lines {
		widths.resize(widths.len().max(line.len()), 0);
		for (width, cell) in widths.iter_mut().zip(line) {
			*width = cell.chars().count().max(*width);
		}
	}
	lines
		.iter()
		.map(|line| {
			let cells: Vec<_> = line
				.iter()
				.zip(&widths)
				.map(|(cell, width)| format!("{cell:width$}"))
				.collect();
			format!("{}\n", cells.join("  ").trim_end())
		})
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn columns_should_be_as_wide_as_their_longest_cell() {
		let lines = [vec!["α".into(), "one".into()], vec!["three".into(), "2".into()]];
		assert_eq!(aligned(&lines), "α      one\nthree  2\n");
	}
}
