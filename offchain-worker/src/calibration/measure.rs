//! What the observations mean: differences, accusations, terms, detection. Pure.

use super::{Case, Observation, Runs, Seen, Sharing};
use crate::{
	compare::{passes, passes_within, Bounds},
	judge::{ballot, Finding, OwnSketches},
	sketch::Sketcher,
	tensors::{bfloat, half, Tensor},
};
use highway_primitives::{
	audit::{Claims, SketchSeed},
	model::{DType, VerificationPolicy, VersionSpec},
	Sketch, Vote,
};
use sp_runtime::Perbill;
use std::{collections::HashMap, fmt, sync::Arc};

/// Tolerances are this many times the largest difference that was measured: other machines differ in other places.
pub const MARGIN: f64 = 4.0;

/// Rows of shared runs may differ by a tenth of the tolerance from those that run alone: twice what was measured.
const SHARED_MARGIN: f64 = 20.0;

/// The least tolerance of outputs. 32-bit floats near 1 lie 6·10⁻⁸ apart, and every layer adds some of that.
const LEAST_TOLERANCE: f64 = 1e-6;

/// The least tolerance of a trace, in units of 10⁻⁶, and as a share of the largest sum.
const LEAST_TRACE_TOLERANCE: f64 = 1_000.0;
const LEAST_TRACE_SHARE: f64 = 4e-6;

/// Policies count in units of 10⁻⁹.
const PER_UNIT: f64 = 1e-9;

/// Shares of outliers that are tried, in this order, in parts per billion: none, 0.1 %, 0.5 %, 1 %.
const OUTLIERS: [u32; 4] = [0, 1_000_000, 5_000_000, 10_000_000];

/// Inputs of which each half may give terms for the other: one alone shows no spread.
const LEAST_TO_HALVE: usize = 4;

/// Why no terms can be proposed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
	/// Not even the loosest policy holds.
	#[error(
		"honest runs give outputs that differ by more than any policy allows: the model cannot be audited as it is"
	)]
	Outputs,
	/// Its number of values that are not finite differs.
	#[error("honest runs do not agree on which values of the trace are finite: register the model without a trace")]
	Trace,
	/// Nothing was observed.
	#[error("there is no input to measure with")]
	Nothing,
}

/// How far two or more honest results lie apart.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Difference {
	/// The largest difference of two floats.
	pub absolute: f64,
	/// The largest one among floats that lie below 1.
	pub below_one: f64,
	/// The largest one among the others, as a share of the smaller value.
	pub relative: f64,
	/// Whether integers or flags differ.
	pub integers: bool,
	/// Rows whose greatest value stands elsewhere.
	pub turned: u64,
	/// Rows of floats.
	pub rows: u64,
	/// The largest difference of two sums, in units of 10⁻⁶.
	pub sketch: u64,
	/// Whether counts of values that are not finite differ in the sketches.
	pub counts: bool,
	/// Whether tensors have other names, types or shapes.
	pub form: bool,
}

impl Difference {
	/// The largest difference of two output values; infinite where integers, types or shapes differ.
	pub fn of_outputs(&self) -> f64 {
		match self.form || self.integers {
			true => f64::INFINITY,
			false => self.absolute,
		}
	}

	fn join(&mut self, other: &Self) {
		self.absolute = self.absolute.max(other.absolute);
		self.below_one = self.below_one.max(other.below_one);
		self.relative = self.relative.max(other.relative);
		self.integers |= other.integers;
		self.turned += other.turned;
		self.rows += other.rows;
		self.sketch = self.sketch.max(other.sketch);
		self.counts |= other.counts;
		self.form |= other.form;
	}

	/// Of all of `seen`, each from each: two floats lie no farther apart than the least and the greatest of all.
	fn among(seen: &[&Seen]) -> Self {
		let mut difference = Self::default();
		let Some((first, others)) = seen.split_first() else {
			return difference;
		};
		let mut distinct: Vec<&Arc<Vec<Tensor>>> = vec![&first.outputs];
		for other in others {
			if !distinct.iter().any(|known| Arc::ptr_eq(known, &other.outputs)) {
				distinct.push(&other.outputs);
			}
		}
		for (index, tensor) in first.outputs.iter().enumerate() {
			let all: Option<Vec<&Tensor>> = distinct.iter().map(|outputs| outputs.get(index)).collect();
			match all {
				Some(all) if all.iter().all(|other| same_form(tensor, other)) => difference.add_tensor(&all),
				_ => difference.form = true,
			}
		}
		difference.form |= distinct.iter().any(|outputs| outputs.len() != first.outputs.len());
		for index in 0..first.sketches.len() {
			let sketches: Vec<&Sketch> = seen.iter().filter_map(|seen| seen.sketches.get(index)).collect();
			difference.add_sketches(&sketches);
		}
		difference
	}

	fn add_tensor(&mut self, all: &[&Tensor]) {
		let Some(first) = all.first() else { return };
		let Some(values) = floats(first) else {
			self.integers |= all.iter().any(|other| other.data != first.data);
			return;
		};
		let width = first.shape.last().copied().unwrap_or(1).max(1);
		let rows = values.len().div_ceil(width) as u64;
		let best = best_of_rows(&values, width);
		let (mut low, mut high) = (values.clone(), values.clone());
		for others in all.iter().skip(1).filter_map(|other| floats(other)) {
			let turned = best_of_rows(&others, width)
				.iter()
				.zip(&best)
				.filter(|(a, b)| a != b)
				.count();
			self.turned += turned as u64;
			for (index, other) in others.iter().enumerate() {
				let (a, b) = (values[index], *other);
				if a == b || (a.is_nan() && b.is_nan()) {
					continue;
				}
				if a.is_finite() && b.is_finite() {
					low[index] = low[index].min(b);
					high[index] = high[index].max(b);
				} else {
					self.absolute = f64::INFINITY;
					self.below_one = f64::INFINITY;
				}
			}
		}
		self.rows += rows * (all.len() as u64).saturating_sub(1).max(1);
		for (low, high) in low.iter().zip(&high).filter(|(low, high)| high > low) {
			let apart = high - low;
			let smaller = if *low <= 0.0 && *high >= 0.0 {
				0.0
			} else {
				low.abs().min(high.abs())
			};
			self.absolute = self.absolute.max(apart);
			if smaller < 1.0 {
				self.below_one = self.below_one.max(apart);
			} else {
				self.relative = self.relative.max(apart / smaller);
			}
		}
	}

	fn add_sketches(&mut self, sketches: &[&Sketch]) {
		let Some((first, others)) = sketches.split_first() else {
			return;
		};
		let (mut low, mut high) = (first.sums, first.sums);
		for other in others {
			self.counts |= (other.nans, other.infinities) != (first.nans, first.infinities);
			for (place, sum) in other.sums.iter().enumerate() {
				low[place] = low[place].min(*sum);
				high[place] = high[place].max(*sum);
			}
		}
		for (low, high) in low.iter().zip(&high) {
			self.sketch = self.sketch.max(high.abs_diff(*low));
		}
	}
}

fn same_form(a: &Tensor, b: &Tensor) -> bool {
	a.name == b.name && a.dtype == b.dtype && a.shape == b.shape
}

/// The values of a tensor of floats.
fn floats(tensor: &Tensor) -> Option<Vec<f64>> {
	macro_rules! values {
		($kind:ty, $value:expr) => {{
			let (chunks, _) = tensor.data.as_chunks::<{ size_of::<$kind>() }>();
			chunks
				.iter()
				.map(|bytes| $value(<$kind>::from_le_bytes(*bytes)))
				.collect()
		}};
	}
	Some(match tensor.dtype {
		DType::F32 => values!(f32, f64::from),
		DType::F64 => values!(f64, f64::from),
		DType::F16 => values!(u16, half),
		DType::BF16 => values!(u16, bfloat),
		_ => return None,
	})
}

/// Where the greatest value of each row stands.
fn best_of_rows(values: &[f64], width: usize) -> Vec<usize> {
	let best = |row: &[f64]| {
		let mut best = 0;
		for (index, value) in row.iter().enumerate() {
			if *value > row[best] {
				best = index;
			}
		}
		best
	};
	values.chunks(width).map(best).collect()
}

/// Comparisons of two honest results, and how many of them end in an accusation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
	/// Comparisons: every two results of the same input, once.
	pub comparisons: u64,
	/// Of them, those where a juror with either one finds the other wrong.
	pub accusations: u64,
}

impl Case {
	/// What honest nodes give under terms that let jobs share runs, or do not.
	fn honest(&self, shares_runs: bool) -> Vec<&Seen> {
		self.observations
			.iter()
			.filter(|observation| shares_runs || observation.width.is_none())
			.map(|observation| &observation.seen)
			.collect()
	}

	/// Results of shared runs, each with that of the own run in the same setting.
	fn shared(&self) -> impl Iterator<Item = (&Observation, &Seen)> {
		self.observations
			.iter()
			.filter(|shared| shared.width.is_some())
			.filter_map(move |shared| {
				let alone = self
					.observations
					.iter()
					.find(|alone| alone.width.is_none() && alone.setting == shared.setting)?;
				Some((shared, &alone.seen))
			})
	}
}

/// Whether a juror that saw `ours` takes a result with these sketches for right, under each seed.
fn upheld(spec: &VersionSpec, outputs_pass: bool, ours: &Seen, sketches: &[Sketch]) -> Vec<bool> {
	let finding = if outputs_pass { Finding::Right } else { Finding::Wrong };
	ours.sketches
		.iter()
		.zip(sketches)
		.map(|(own, theirs)| {
			let own = OwnSketches { work: *own, seat: *own };
			let claims = Claims {
				executor: *theirs,
				vote: Vote::Yes,
				auditor: own.work,
			};
			ballot(spec, Some(&claims), &own, finding).vote == Vote::Yes
		})
		.collect()
}

/// Holds every two honest results of the same input against one another. Each of the two judges the other, as bounds follow
/// the own value; the pair counts once.
fn tally<'a>(spec: &VersionSpec, cases: impl IntoIterator<Item = &'a Case>) -> Tally {
	let mut tally = Tally::default();
	for case in cases {
		let seen = case.honest(spec.shares_runs);
		// Most of them have the very same outputs.
		let mut known = HashMap::new();
		let mut is_right = |ours: &Seen, theirs: &Seen| {
			let pair = (Arc::as_ptr(&ours.outputs), Arc::as_ptr(&theirs.outputs));
			let pass = *known
				.entry(pair)
				.or_insert_with(|| passes(&ours.outputs, &theirs.outputs, &spec.policy));
			let mut under_seeds = upheld(spec, pass, ours, &theirs.sketches).into_iter();
			pass && under_seeds.all(|right| right)
		};
		for (index, ours) in seen.iter().enumerate() {
			for theirs in seen.iter().skip(index + 1) {
				tally.comparisons += 1;
				tally.accusations += u64::from(!(is_right(ours, theirs) && is_right(theirs, ours)));
			}
		}
	}
	tally
}

/// Whether no shared run changed a row by more than a tenth of the tolerances: the engine's own condition.
fn sharing_holds(spec: &VersionSpec, runs: &Runs) -> bool {
	let bounds = Bounds::of(&spec.policy).map(Bounds::tenth);
	let mut pairs = runs.cases.iter().flat_map(Case::shared).peekable();
	runs.sharing == Sharing::Measured
		&& pairs.peek().is_some()
		&& pairs.all(|(shared, alone)| {
			let sketches = spec.trace.as_ref().is_none_or(|trace| {
				let tenth = trace.tolerance / 10;
				let mut both = shared.seen.sketches.iter().zip(&alone.sketches);
				both.all(|(a, b)| a.agrees_with(b, tenth))
			});
			sketches && passes_within(&alone.outputs, &shared.seen.outputs, bounds.as_ref())
		})
}

/// A node that does not run the model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cheat {
	/// Answers with zeros.
	Zeros,
	/// Gives every job the answer that it once computed for the first one.
	Constant,
	/// Gives every job the answer to the one before.
	Previous,
	/// Runs a copy with rounded weights.
	Rounded,
}

/// All that are tried.
const CHEATS: [Cheat; 4] = [Cheat::Zeros, Cheat::Constant, Cheat::Previous, Cheat::Rounded];

impl fmt::Display for Cheat {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Zeros => "zeros",
			Self::Constant => "constant",
			Self::Previous => "previous output",
			Self::Rounded => "int8 copy",
		})
	}
}

/// How many audits see a cheat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Power {
	/// The cheat.
	pub cheat: Cheat,
	/// Audits: each input, under each seed, by each honest setting.
	pub audits: u64,
	/// Of them, those that see it.
	pub seen: u64,
}

/// How near a cheat comes to honest runs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Nearest {
	/// The cheat.
	pub cheat: Cheat,
	/// The smallest, over all audits, of its [`Difference::of_outputs`] from the auditor's run.
	pub outputs: f64,
	/// The smallest, over all audits, of the largest difference of two sums, in units of 10⁻⁶.
	pub sketch: u64,
}

/// ⅔ of the least power: cheats that nobody measured may be better. Zero if there is nothing measured.
fn detection(powers: &[Power]) -> Perbill {
	let of = |power: &Power| Perbill::from_rational(power.seen.saturating_mul(2), power.audits.saturating_mul(3));
	let measured = powers.iter().filter(|power| power.audits > 0);
	measured.map(of).min().unwrap_or_default()
}

/// The bytes of `answer`, again and again, in the shapes of `right`: what was computed for another input must look like an
/// answer to this one.
fn in_shape_of(right: &[Tensor], answer: &[Tensor]) -> Vec<Tensor> {
	right
		.iter()
		.enumerate()
		.map(|(index, right)| {
			let data = match answer.get(index) {
				Some(other) if other.dtype == right.dtype && !other.data.is_empty() => {
					other.data.iter().copied().cycle().take(right.data.len()).collect()
				}
				_ => vec![0; right.data.len()],
			};
			Tensor { data, ..right.clone() }
		})
		.collect()
}

/// Sketches of a cheat that knows no trace: of nothing, or of what it delivers if that is what is sketched.
fn without_trace(spec: &VersionSpec, outputs: &[Tensor], seeds: &[SketchSeed]) -> Vec<Sketch> {
	let sketch = |seed: &SketchSeed| {
		let mut sketcher = Sketcher::new(seed);
		if spec.trace.is_none() {
			for tensor in outputs {
				sketcher.feed_bytes(tensor.dtype, &tensor.data);
			}
		}
		sketcher.finish()
	};
	seeds.iter().map(sketch).collect()
}

/// What a cheat answers to each input. `None`: it cannot be tried on that one.
fn answers(cheat: Cheat, spec: &VersionSpec, runs: &Runs) -> Vec<Option<Seen>> {
	let reference = |index: usize| Some(&runs.cases.get(index)?.observations.first()?.seen);
	let answer = |index: usize| {
		let right = reference(index)?;
		let another = |other: &Seen| {
			let outputs = in_shape_of(&right.outputs, &other.outputs);
			let sketches = match spec.trace {
				Some(_) => other.sketches.clone(),
				None => without_trace(spec, &outputs, &super::run::SEEDS),
			};
			Seen {
				outputs: Arc::new(outputs),
				sketches,
			}
		};
		match cheat {
			Cheat::Zeros => {
				let outputs = in_shape_of(&right.outputs, &[]);
				let sketches = without_trace(spec, &outputs, &super::run::SEEDS);
				Some(Seen {
					outputs: Arc::new(outputs),
					sketches,
				})
			}
			Cheat::Constant => reference(0).filter(|_| index > 0).map(another),
			Cheat::Previous => reference(index.checked_sub(1)?).map(another),
			Cheat::Rounded => runs.copy.as_ref()?.get(index).cloned(),
		}
	};
	(0..runs.cases.len()).map(answer).collect()
}

/// How many audits see each cheat. A cheat that cannot be tried has no audits.
fn powers(spec: &VersionSpec, runs: &Runs) -> Vec<Power> {
	let of = |cheat: Cheat| {
		let mut power = Power {
			cheat,
			audits: 0,
			seen: 0,
		};
		for (case, answer) in runs.cases.iter().zip(answers(cheat, spec, runs)) {
			let Some(answer) = answer else { continue };
			let mut known = HashMap::new();
			for ours in case.honest(false) {
				let pass = *known
					.entry(Arc::as_ptr(&ours.outputs))
					.or_insert_with(|| passes(&ours.outputs, &answer.outputs, &spec.policy));
				for right in upheld(spec, pass, ours, &answer.sketches) {
					power.audits += 1;
					power.seen += u64::from(!right);
				}
			}
		}
		power
	};
	CHEATS.into_iter().map(of).collect()
}

/// How near each cheat comes in any audit. A cheat that cannot be tried is left out.
fn nearest(spec: &VersionSpec, runs: &Runs) -> Vec<Nearest> {
	let of = |cheat: Cheat| {
		let mut nearest: Option<Nearest> = None;
		for (case, answer) in runs.cases.iter().zip(answers(cheat, spec, runs)) {
			let Some(answer) = answer else { continue };
			let mut known = HashMap::new();
			for ours in case.honest(false) {
				let outputs = *known
					.entry(Arc::as_ptr(&ours.outputs))
					.or_insert_with(|| Difference::among(&[ours, &answer]).of_outputs());
				for (own, theirs) in ours.sketches.iter().zip(&answer.sketches) {
					let sums = own.sums.iter().zip(&theirs.sums);
					let sketch = sums.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
					let least = nearest.get_or_insert(Nearest { cheat, outputs, sketch });
					least.outputs = least.outputs.min(outputs);
					least.sketch = least.sketch.min(sketch);
				}
			}
		}
		nearest
	};
	CHEATS.into_iter().filter_map(of).collect()
}

/// The number with one digit (1, 2 or 5) that is not below `value`.
fn round_up(value: f64) -> f64 {
	if value <= 0.0 || !value.is_finite() {
		return value;
	}
	let unit = 10f64.powf(value.log10().floor());
	// A hair more, for the rounding of the logarithm.
	let digit = [1.0, 2.0, 5.0]
		.into_iter()
		.find(|digit| value <= digit * unit * (1.0 + 1e-9));
	digit.unwrap_or(10.0) * unit
}

/// A tolerance in units of 10⁻⁹.
fn units(tolerance: f64) -> Option<u32> {
	let units = (round_up(tolerance.max(LEAST_TOLERANCE)) / PER_UNIT).round();
	(units <= f64::from(u32::MAX)).then_some(units as u32)
}

/// Terms for one way of running jobs, with the detection that they give.
fn terms<'a>(
	spec: &VersionSpec,
	runs: &Runs,
	cases: impl IntoIterator<Item = &'a Case> + Clone,
	shares_runs: bool,
) -> Result<VersionSpec, Unfit> {
	let (mut apart, mut changed, mut largest_sum) = (Difference::default(), Difference::default(), 0);
	let (mut observed, mut has_floats) = (false, false);
	for case in cases.clone() {
		let seen = case.honest(shares_runs);
		apart.join(&Difference::among(&seen));
		if let Some(first) = seen.first() {
			observed = true;
			has_floats |= first.outputs.iter().any(|tensor| floats(tensor).is_some());
			let sums = first.sketches.iter().flat_map(|sketch| sketch.sums);
			largest_sum = sums.map(i64::unsigned_abs).max().unwrap_or(0).max(largest_sum);
		}
		if shares_runs {
			for (shared, alone) in case.shared() {
				changed.join(&Difference::among(&[alone, &shared.seen]));
			}
		}
	}
	if !observed {
		return Err(Unfit::Nothing);
	}
	if apart.form {
		return Err(Unfit::Outputs);
	}
	let mut spec = VersionSpec {
		shares_runs,
		..spec.clone()
	};
	if let Some(trace) = &mut spec.trace {
		if apart.counts {
			return Err(Unfit::Trace);
		}
		let wanted = (apart.sketch as f64 * MARGIN)
			.max(changed.sketch as f64 * SHARED_MARGIN)
			.max(LEAST_TRACE_TOLERANCE)
			.max(largest_sum as f64 * LEAST_TRACE_SHARE);
		// `as` saturates.
		trace.tolerance = round_up(wanted).round() as u64;
	}
	if !has_floats && !apart.integers {
		spec.policy = VerificationPolicy::Exact;
		spec.detection = detection(&powers(&spec, runs));
		return Ok(spec);
	}
	let atol = units((apart.below_one * MARGIN).max(changed.below_one * SHARED_MARGIN));
	let rtol = units((apart.relative * MARGIN).max(changed.relative * SHARED_MARGIN));
	let (Some(atol), Some(rtol)) = (atol, rtol) else {
		return Err(Unfit::Outputs);
	};
	for outliers in OUTLIERS {
		let policy = |outliers: u32| VerificationPolicy::Tolerance {
			atol,
			rtol,
			outliers: Perbill::from_parts(outliers),
		};
		// With half of what is registered, for the same reason as the margin.
		spec.policy = policy(outliers / 2);
		if tally(&spec, cases.clone()).accusations == 0 {
			spec.policy = policy(outliers);
			spec.detection = detection(&powers(&spec, runs));
			return Ok(spec);
		}
	}
	Err(Unfit::Outputs)
}

/// Proposes policy, trace tolerance, detection and whether jobs share runs; everything else is as in `spec`. The
/// detection may be below what the chain takes.
pub fn propose(spec: &VersionSpec, runs: &Runs) -> Result<VersionSpec, Unfit> {
	let alone = terms(spec, runs, &runs.cases, false)?;
	if runs.sharing != Sharing::Measured {
		return Ok(alone);
	}
	match terms(spec, runs, &runs.cases, true) {
		Ok(shared) if shared.detection >= alone.detection && sharing_holds(&shared, runs) => Ok(shared),
		_ => Ok(alone),
	}
}

/// How terms do on inputs that they were not found with: those found with every other input are tried on the inputs between,
/// and the other way round. On what they were found with they accuse nobody, as they are chosen so. `None`: there are too few
/// inputs. Error if half of the inputs gives no terms.
pub fn held_out(spec: &VersionSpec, runs: &Runs) -> Result<Option<Tally>, Unfit> {
	if runs.cases.len() < LEAST_TO_HALVE {
		return Ok(None);
	}
	let half = |first: usize| runs.cases.iter().skip(first).step_by(2);
	let mut all = Tally::default();
	for first in [0, 1] {
		let found = terms(spec, runs, half(first), spec.shares_runs)?;
		let tally = tally(&found, half(1 - first));
		all.comparisons += tally.comparisons;
		all.accusations += tally.accusations;
	}
	Ok(Some(all))
}

/// One line of the table: what runs of one kind differ from the reference.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
	/// Index of the setting.
	pub setting: usize,
	/// Rows of a shared run; `None`: alone.
	pub width: Option<usize>,
	/// Over all inputs.
	pub difference: Difference,
}

/// What terms are worth.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
	/// Differences of each kind of run from the reference.
	pub rows: Vec<Row>,
	/// How far any two honest results of one input lie apart; those of shared runs only if the terms let jobs share them.
	pub honest: Difference,
	/// Difference of the copy with rounded weights from the reference.
	pub copy: Option<Difference>,
	/// Honest results held against one another under the terms. It says nothing of terms that [`propose`] found with the
	/// same runs: [`held_out`] does.
	pub tally: Tally,
	/// Whether shared runs leave rows as they are, within a tenth of the tolerances.
	pub sharing_holds: bool,
	/// How often each cheat is seen.
	pub powers: Vec<Power>,
	/// How near each cheat comes.
	pub nearest: Vec<Nearest>,
	/// ⅔ of the least power.
	pub detection: Perbill,
}

impl Report {
	/// Whether the terms of `spec` hold on this machine: nobody honest is accused, runs are shared only where rows stay
	/// as they are, and cheats are seen as often as is registered.
	pub fn confirms(&self, spec: &VersionSpec) -> bool {
		self.tally.comparisons > 0
			&& self.tally.accusations == 0
			&& (self.sharing_holds || !spec.shares_runs)
			&& self.detection >= spec.detection
	}
}

/// Measures what the terms of `spec` are worth.
pub fn report(spec: &VersionSpec, runs: &Runs) -> Report {
	let mut rows: Vec<Row> = Vec::new();
	let mut honest = Difference::default();
	let mut copy: Option<Difference> = None;
	for (index, case) in runs.cases.iter().enumerate() {
		let Some(reference) = case.observations.first().map(|first| &first.seen) else {
			continue;
		};
		honest.join(&Difference::among(&case.honest(spec.shares_runs)));
		for observation in &case.observations {
			let difference = Difference::among(&[reference, &observation.seen]);
			let kind = (observation.setting, observation.width);
			match rows.iter_mut().find(|row| (row.setting, row.width) == kind) {
				Some(row) => row.difference.join(&difference),
				None => rows.push(Row {
					setting: observation.setting,
					width: observation.width,
					difference,
				}),
			}
		}
		if let Some(rounded) = runs.copy.as_ref().and_then(|copy| copy.get(index)) {
			copy.get_or_insert_default()
				.join(&Difference::among(&[reference, rounded]));
		}
	}
	rows.sort_by_key(|row| (row.setting, row.width));
	let powers = powers(spec, runs);
	Report {
		rows,
		honest,
		copy,
		tally: tally(spec, &runs.cases),
		sharing_holds: sharing_holds(spec, runs),
		detection: detection(&powers),
		powers,
		nearest: nearest(spec, runs),
	}
}

#[cfg(test)]
#[path = "../tests/calibration.rs"]
mod tests;
