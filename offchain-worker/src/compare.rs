//! Compares two outputs of one job, value by value, by the version's policy. Pure.
//!
//! | policy | an output passes if |
//! |---|---|
//! | `Exact` | every tensor has the same bytes |
//! | `Tolerance` | in every tensor all values but a share of `outliers` are near, and no outlier turned the best value of its row |
//!
//! A float is near if |a − b| ≤ atol + rtol·|b|, where b is the own value: the other side must not be able to widen its
//! own bound. Not a number is near not a number, an infinity near the same infinity. Integers and flags are near if they
//! are equal: a tolerance says nothing about a class or a token.
//!
//! A row is a run of values along the last axis. If it holds an outlier, its best value (the first of the greatest) must
//! stay in its place, or both must be close calls: the margin between the two places at most 2·(atol + rtol·|best|) on
//! either side. A row without an outlier needs no such check: values that are all near can only exchange places that
//! were that close.

use crate::tensors::{bfloat, half, Tensor};
use highway_primitives::model::{DType, VerificationPolicy};
use sp_runtime::Perbill;

/// Policies count tolerances in units of 10⁻⁹.
const PER_UNIT: f64 = 1e-9;

/// How far two values may lie apart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bounds {
	/// Absolute tolerance.
	pub atol: f64,
	/// Relative tolerance.
	pub rtol: f64,
	/// Share of a tensor's values that may lie outside.
	pub outliers: Perbill,
}

impl Bounds {
	/// The bounds that a policy states; `Exact` has none.
	pub fn of(policy: &VerificationPolicy) -> Option<Self> {
		match policy {
			VerificationPolicy::Exact => None,
			VerificationPolicy::Tolerance { atol, rtol, outliers } => Some(Self {
				atol: f64::from(*atol) * PER_UNIT,
				rtol: f64::from(*rtol) * PER_UNIT,
				outliers: *outliers,
			}),
		}
	}

	/// A tenth of the tolerances, without outliers: what two runs on one machine may differ by.
	pub fn tenth(self) -> Self {
		Self {
			atol: self.atol / 10.0,
			rtol: self.rtol / 10.0,
			outliers: Perbill::zero(),
		}
	}

	fn at(&self, value: f64) -> f64 {
		self.atol + self.rtol * value.abs()
	}

	fn near(&self, ours: f64, theirs: f64) -> bool {
		// The bound of an infinity is infinite.
		let near = || ours.is_finite() && (ours - theirs).abs() <= self.at(ours);
		ours == theirs || (ours.is_nan() && theirs.is_nan()) || near()
	}
}

/// What was found in one tensor.
#[derive(Clone, PartialEq, Debug)]
pub struct TensorReport {
	/// Its name.
	pub name: String,
	/// Values compared.
	pub values: u64,
	/// Values that are not near.
	pub outliers: u64,
	/// The greatest difference of two finite values.
	pub largest: f64,
	/// Rows whose best value an outlier turned.
	pub turned_rows: u64,
	/// Whether the tensor passes.
	pub passes: bool,
}

/// Why two outputs cannot be compared at all.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Mismatch {
	/// There are other tensors in one than in the other.
	#[error("the outputs do not hold the same tensors")]
	Tensors,
	/// A tensor has another type or shape.
	#[error("tensor `{0}` has another type or shape")]
	Form(String),
}

/// Compares `theirs` with `ours`, tensor by tensor; either may be in any order.
pub fn compare(ours: &[Tensor], theirs: &[Tensor], policy: &VerificationPolicy) -> Result<Vec<TensorReport>, Mismatch> {
	compare_within(ours, theirs, Bounds::of(policy).as_ref())
}

/// Whether `theirs` is what the model gives, as far as `ours` and the policy can tell.
pub fn passes(ours: &[Tensor], theirs: &[Tensor], policy: &VerificationPolicy) -> bool {
	passes_within(ours, theirs, Bounds::of(policy).as_ref())
}

/// [`passes`] within given bounds; `None` asks for equal bytes.
pub fn passes_within(ours: &[Tensor], theirs: &[Tensor], bounds: Option<&Bounds>) -> bool {
	compare_within(ours, theirs, bounds).is_ok_and(|tensors| tensors.iter().all(|tensor| tensor.passes))
}

/// [`compare`] within given bounds; `None` asks for equal bytes.
pub fn compare_within(
	ours: &[Tensor],
	theirs: &[Tensor],
	bounds: Option<&Bounds>,
) -> Result<Vec<TensorReport>, Mismatch> {
	if ours.len() != theirs.len() {
		return Err(Mismatch::Tensors);
	}
	ours.iter()
		.map(|ours| {
			let theirs = theirs
				.iter()
				.find(|theirs| theirs.name == ours.name)
				.ok_or(Mismatch::Tensors)?;
			if ours.dtype != theirs.dtype || ours.shape != theirs.shape || ours.data.len() != theirs.data.len() {
				return Err(Mismatch::Form(ours.name.clone()));
			}
			Ok(report(ours, theirs, bounds))
		})
		.collect()
}

fn report(ours: &Tensor, theirs: &Tensor, bounds: Option<&Bounds>) -> TensorReport {
	let (numbers, others) = (Numbers::of(ours), Numbers::of(theirs));
	let mut report = TensorReport {
		name: ours.name.clone(),
		values: numbers.len() as u64,
		outliers: 0,
		largest: 0.0,
		turned_rows: 0,
		passes: true,
	};
	// An axis of no length has no rows, and no values either.
	let width = ours.shape.last().copied().unwrap_or(1).max(1);
	let mut start = 0;
	while start < numbers.len() {
		let end = numbers.len().min(start + width);
		let mut strange = false;
		for index in start..end {
			if numbers.same_bytes(&others, index) {
				continue;
			}
			let (a, b) = (numbers.get(index), others.get(index));
			let difference = (a - b).abs();
			if difference.is_finite() {
				report.largest = report.largest.max(difference);
			}
			let near = match bounds {
				Some(bounds) if numbers.is_float() => bounds.near(a, b),
				_ => false,
			};
			if !near {
				report.outliers += 1;
				strange = true;
			}
		}
		if let (true, Some(bounds)) = (strange, bounds) {
			report.turned_rows += u64::from(turned(&numbers, &others, start..end, bounds));
		}
		start = end;
	}
	let allowed = bounds.map_or(0, |bounds| bounds.outliers.mul_floor(report.values));
	report.passes = report.outliers <= allowed && report.turned_rows == 0;
	report
}

/// Whether the best value of a row lies elsewhere in `theirs`, and it was no close call.
fn turned(ours: &Numbers<'_>, theirs: &Numbers<'_>, row: std::ops::Range<usize>, bounds: &Bounds) -> bool {
	let best = |numbers: &Numbers<'_>| {
		row.clone().fold(None, |best: Option<usize>, index| {
			let is_beaten = |best: &usize| numbers.get(index) > numbers.get(*best) || numbers.get(*best).is_nan();
			best.filter(|best| !is_beaten(best)).or(Some(index))
		})
	};
	let (Some(here), Some(there)) = (best(ours), best(theirs)) else {
		return false;
	};
	if here == there {
		return false;
	}
	let close = |numbers: &Numbers<'_>, best: usize, other: usize| {
		let (best, other) = (numbers.get(best), numbers.get(other));
		best == other || best - other <= 2.0 * bounds.at(best.abs().max(other.abs()))
	};
	!(close(ours, here, there) && close(theirs, there, here))
}

/// The values of a tensor, read where they lie.
struct Numbers<'a> {
	dtype: DType,
	data: &'a [u8],
	size: usize,
}

impl<'a> Numbers<'a> {
	fn of(tensor: &'a Tensor) -> Self {
		Self {
			dtype: tensor.dtype,
			data: &tensor.data,
			size: crate::tensors::element_size(tensor.dtype),
		}
	}

	fn len(&self) -> usize {
		self.data.len() / self.size
	}

	fn is_float(&self) -> bool {
		matches!(self.dtype, DType::F16 | DType::BF16 | DType::F32 | DType::F64)
	}

	fn bytes(&self, index: usize) -> &'a [u8] {
		self.data
			.get(index * self.size..(index + 1) * self.size)
			.unwrap_or_default()
	}

	fn same_bytes(&self, other: &Numbers<'_>, index: usize) -> bool {
		self.bytes(index) == other.bytes(index)
	}

	/// The value at `index`; integers above 2⁵³ are rounded, which only matters for what a report shows.
	fn get(&self, index: usize) -> f64 {
		let bytes = self.bytes(index);
		macro_rules! number {
			($kind:ty) => {
				bytes
					.first_chunk()
					.map_or(0.0, |bytes| <$kind>::from_le_bytes(*bytes) as f64)
			};
		}
		match self.dtype {
			DType::Bool | DType::U8 => number!(u8),
			DType::I8 => number!(i8),
			DType::I16 => number!(i16),
			DType::U16 => number!(u16),
			DType::I32 => number!(i32),
			DType::U32 => number!(u32),
			DType::I64 => number!(i64),
			DType::U64 => number!(u64),
			DType::F32 => number!(f32),
			DType::F64 => number!(f64),
			DType::BF16 => bfloat(number!(u16) as u16),
			DType::F16 => half(number!(u16) as u16),
		}
	}
}

#[cfg(test)]
#[path = "tests/compare.rs"]
mod tests;
