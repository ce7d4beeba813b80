//! What a simulation prints: figures, what each must be, and a verdict.

/// What a figure must be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bound {
	/// A gain that must not be: at most 0.
	Nothing,
	/// A gain, or a harm, that is left over: the docs say why it is tolerable. Less would mean that they are too modest.
	LeftOver {
		/// At least.
		least: f64,
		/// At most.
		most: f64,
	},
	/// No gain: something that the rules promise.
	Promised {
		/// At least.
		least: f64,
		/// At most.
		most: f64,
	},
	/// More than 0: a rule that was rejected, on which the simulation must see the gain, or it would see none anywhere.
	RejectedRule,
}

impl Bound {
	/// A gain that is left over.
	pub const fn left_over(least: f64, most: f64) -> Self {
		Self::LeftOver { least, most }
	}

	/// Something that the rules promise.
	pub const fn promised(least: f64, most: f64) -> Self {
		Self::Promised { least, most }
	}
}

/// A line of a table.
#[derive(Clone, Debug)]
pub struct Row {
	/// What is done, under which circumstances.
	pub case: String,
	/// What comes of it.
	pub figure: f64,
	/// Its standard error; 0 where chance has no part in it.
	pub error: f64,
	/// What it is counted in.
	pub unit: &'static str,
	/// What it must be.
	pub bound: Bound,
	/// What else must hold, and does.
	pub sound: bool,
	/// What the line says beside its figure.
	pub note: String,
}

impl Row {
	/// Whether the figure is what it must be, with three standard errors to spare, and all else holds.
	pub fn passes(&self) -> bool {
		let spare = 3.0 * self.error;
		let (low, high) = (self.figure - spare, self.figure + spare);
		let within = match self.bound {
			Bound::Nothing => high <= 0.0,
			Bound::LeftOver { least, most } | Bound::Promised { least, most } => least <= low && high <= most,
			Bound::RejectedRule => low > 0.0,
		};
		within && self.sound
	}
}

/// A simulation's result.
#[derive(Clone, Debug)]
pub struct Table {
	/// Its name, as docs/MARKET-ATTACKS.md has it.
	pub name: &'static str,
	/// What is asked.
	pub question: &'static str,
	/// Its lines.
	pub rows: Vec<Row>,
}

impl Table {
	/// A table without lines.
	pub fn new(name: &'static str, question: &'static str) -> Self {
		Self {
			name,
			question,
			rows: Vec::new(),
		}
	}

	/// Adds a line that chance has no part in.
	pub fn exact(
		&mut self,
		case: impl Into<String>,
		figure: f64,
		unit: &'static str,
		bound: Bound,
		note: impl Into<String>,
	) {
		self.rows.push(Row {
			case: case.into(),
			figure,
			error: 0.0,
			unit,
			bound,
			sound: true,
			note: note.into(),
		});
	}

	/// Adds a line with an estimate.
	pub fn estimate(
		&mut self,
		case: impl Into<String>,
		estimate: Estimate,
		unit: &'static str,
		bound: Bound,
		note: impl Into<String>,
	) {
		self.exact(case, estimate.value, unit, bound, note);
		if let Some(row) = self.rows.last_mut() {
			row.error = estimate.error;
		}
	}

	/// What else must hold for the last line.
	pub fn require(&mut self, holds: bool) {
		if let Some(row) = self.rows.last_mut() {
			row.sound &= holds;
		}
	}

	/// How many lines are not what they must be.
	pub fn failed(&self) -> usize {
		self.rows.iter().filter(|row| !row.passes()).count()
	}

	/// What is to be said of the whole.
	pub fn verdict(&self) -> String {
		let failed = self.failed();
		let left_over = self
			.rows
			.iter()
			.filter(|row| matches!(row.bound, Bound::LeftOver { .. }));
		match (failed, left_over.count()) {
			(0, 0) => "closed: nothing is gained".into(),
			(0, left) => format!(
				"left over in {left} of {} lines, within what is stated",
				self.rows.len()
			),
			(failed, _) => format!("FAILED: {failed} of {} lines are not what is stated", self.rows.len()),
		}
	}
}

/// A value that chance has a part in.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
	/// The value.
	pub value: f64,
	/// Its standard error.
	pub error: f64,
}

/// Incomes with and without an attack, market by market.
#[derive(Clone, Copy, Default, Debug)]
pub struct Comparison {
	markets: f64,
	/// Markets in which the attack gains.
	gains: f64,
	honest: f64,
	gained: f64,
	/// Sums of squares and of products: what is needed for the error of a ratio.
	honest_squared: f64,
	gained_squared: f64,
	honest_gained: f64,
}

impl Comparison {
	/// Takes in a market in which honesty earns `honest` and the attack `attack`.
	pub fn add(&mut self, honest: f64, attack: f64) {
		let gained = attack - honest;
		self.markets += 1.0;
		// Not by rounding.
		self.gains += f64::from(u8::from(gained > 1e-9 * honest.abs() + 1e-9));
		self.honest += honest;
		self.gained += gained;
		self.honest_squared += honest * honest;
		self.gained_squared += gained * gained;
		self.honest_gained += honest * gained;
	}

	/// How many markets were taken in.
	pub fn markets(&self) -> f64 {
		self.markets
	}

	/// What the attack gains over all markets, in percent of what honesty earns in them; with the error of a ratio of two
	/// means, by the residuals gained - ratio · honest.
	pub fn gain(&self) -> Estimate {
		let ratio = self.gained / self.honest;
		let residuals = self.gained_squared - 2.0 * ratio * self.honest_gained + ratio * ratio * self.honest_squared;
		Estimate {
			value: 100.0 * ratio,
			error: 100.0 * residuals.max(0.0).sqrt() / self.honest,
		}
	}

	/// In how many of 100 markets it gains.
	pub fn frequency(&self) -> f64 {
		100.0 * self.gains / self.markets
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn row(figure: f64, error: f64, bound: Bound) -> Row {
		Row {
			case: String::new(),
			figure,
			error,
			unit: "%",
			bound,
			sound: true,
			note: String::new(),
		}
	}

	#[test]
	fn a_row_should_fail_when_its_figure_is_outside_or_uncertain() {
		let bound = Bound::left_over(1.0, 3.0);
		assert!(row(2.0, 0.3, bound).passes());
		for (figure, error) in [(0.9, 0.0), (3.1, 0.0), (2.0, 0.4)] {
			assert!(!row(figure, error, bound).passes());
		}
		assert!(row(0.0, 0.0, Bound::Nothing).passes());
		assert!(!row(0.0, 0.1, Bound::Nothing).passes());
		assert!(!row(0.0, 0.0, Bound::RejectedRule).passes());
		assert!(row(1.0, 0.3, Bound::RejectedRule).passes());
		assert!(!row(f64::NAN, 0.0, Bound::promised(0.0, 1.0)).passes());
		assert!(!row(f64::NAN, 0.0, Bound::Nothing).passes());
	}

	#[test]
	fn a_row_should_fail_when_something_else_does_not_hold() {
		let mut table = Table::new("", "");
		table.exact("", 0.0, "%", Bound::Nothing, "");
		assert_eq!(
			(table.failed(), table.verdict().as_str()),
			(0, "closed: nothing is gained")
		);
		table.require(false);
		assert_eq!(table.failed(), 1);
		assert!(table.verdict().starts_with("FAILED"));
	}

	#[test]
	fn a_comparison_should_be_a_share_of_honest_income() {
		let mut comparison = Comparison::default();
		comparison.add(10.0, 13.0);
		comparison.add(30.0, 30.0);
		let gain = comparison.gain();
		assert!((gain.value - 7.5).abs() < 1e-9);
		// 3 - 0.75 and 0 - 2.25, of 40.
		assert!((gain.error - 100.0 * 2.0f64.sqrt() * 2.25 / 40.0).abs() < 1e-9);
		assert!((comparison.frequency() - 50.0).abs() < 1e-9);
	}
}
