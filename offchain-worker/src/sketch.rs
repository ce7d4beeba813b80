//! Sketches of a run's inside: sixteen signed sums Σ±x over all values of a tensor, under a seed.
//!
//! The signs of value `i` are the 16 bits of the little-endian `u16` at byte `2·i` of BLAKE3's output stream keyed with
//! the seed: bit `k` set means minus in sum `k`. Values are taken as `f64` and added in index order, so that the result
//! is the same number on every machine that has the same values. What is not finite is counted and left out; its signs
//! are used up all the same.
//!
//! ```text
//! seed ──BLAKE3 XOF──► 2 bytes per value ──table──► 16 sign masks ─xor─┐
//! values ──as f64──────────────────────────────────────────────────────┴─► 16 running sums ──·10⁶──► i64
//! ```
//!
//! A cheat that does not know the values cannot know one of the sums, and one that knows them nearly is off by about
//! the root of their number times the error: an honest machine's rounding stays far below an int8 copy's.

use crate::tensors::{bfloat, half};
use blake3::OutputReader;
use highway_primitives::{
	audit::{Sketch, SketchSeed, SKETCH_SUMS},
	model::DType,
};
use std::sync::LazyLock;

/// Values whose signs are drawn at once. Their bytes stay in the first level of the cache.
const BLOCK: usize = 4096;

/// Bytes of signs per value: one bit for each sum.
const SIGN_BYTES: usize = SKETCH_SUMS / 8;

/// Sums are kept in units of 10⁻⁶.
const UNITS_PER_ONE: f64 = 1e6;

/// Only the sign bit of a float.
const MINUS: u64 = 1 << 63;

/// For each byte of signs the masks that turn the signs of eight sums.
static MASKS: LazyLock<Box<[[u64; 8]; 256]>> = LazyLock::new(|| {
	let mut masks = Box::new([[0; 8]; 256]);
	for (byte, row) in masks.iter_mut().enumerate() {
		for (bit, mask) in row.iter_mut().enumerate() {
			*mask = if byte >> bit & 1 == 1 { MINUS } else { 0 };
		}
	}
	masks
});

/// A number that a tensor may hold.
pub trait Number: Copy {
	/// Its value; integers above 2⁵³ are rounded to nearest.
	fn value(self) -> f64;
}

macro_rules! number {
	($($kind:ty),*) => {
		$(impl Number for $kind {
			fn value(self) -> f64 {
				self as f64
			}
		})*
	};
}
number!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

/// Takes values in index order, in any number of pieces.
pub struct Sketcher {
	signs: OutputReader,
	/// Signs drawn and not used yet lie at its end.
	block: Box<[u8; BLOCK * SIGN_BYTES]>,
	used: usize,
	sums: [f64; SKETCH_SUMS],
	nans: u64,
	infinities: u64,
}

impl Sketcher {
	/// A sketch of nothing under `seed`.
	pub fn new(seed: &SketchSeed) -> Self {
		Self {
			signs: blake3::Hasher::new_keyed(seed).finalize_xof(),
			block: Box::new([0; BLOCK * SIGN_BYTES]),
			used: BLOCK * SIGN_BYTES,
			sums: [0.0; SKETCH_SUMS],
			nans: 0,
			infinities: 0,
		}
	}

	/// Adds the next values.
	pub fn feed<T: Number>(&mut self, mut values: &[T]) {
		let masks: &[[u64; 8]; 256] = &MASKS;
		while !values.is_empty() {
			if self.used == self.block.len() {
				self.signs.fill(self.block.as_mut_slice());
				self.used = 0;
			}
			let (signs, _) = self.block[self.used..].as_chunks::<SIGN_BYTES>();
			let (now, later) = values.split_at(values.len().min(signs.len()));
			// In a local, so that the sums stay in registers.
			let mut sums = self.sums;
			for (value, [low, high]) in now.iter().zip(signs) {
				let value = value.value();
				if !value.is_finite() {
					self.nans += u64::from(value.is_nan());
					self.infinities += u64::from(value.is_infinite());
					continue;
				}
				let bits = value.to_bits();
				let (first, second) = (&masks[usize::from(*low)], &masks[usize::from(*high)]);
				for k in 0..8 {
					sums[k] += f64::from_bits(bits ^ first[k]);
				}
				for k in 0..8 {
					sums[8 + k] += f64::from_bits(bits ^ second[k]);
				}
			}
			self.sums = sums;
			self.used += now.len() * SIGN_BYTES;
			values = later;
		}
	}

	/// Adds the values that lie in a tensor's bytes, whatever their type.
	pub fn feed_bytes(&mut self, dtype: DType, bytes: &[u8]) {
		macro_rules! numbers {
			($kind:ty, $value:path) => {{
				let (chunks, _) = bytes.as_chunks::<{ size_of::<$kind>() }>();
				// In pieces: a copy of the whole tensor is not needed.
				for piece in chunks.chunks(BLOCK) {
					let numbers: Vec<_> = piece.iter().map(|bytes| $value(*bytes)).collect();
					self.feed(&numbers);
				}
			}};
		}
		let half_of = |bytes| half(u16::from_le_bytes(bytes));
		let bfloat_of = |bytes| bfloat(u16::from_le_bytes(bytes));
		match dtype {
			DType::Bool | DType::U8 => self.feed(bytes),
			DType::I8 => numbers!(i8, i8::from_le_bytes),
			DType::I16 => numbers!(i16, i16::from_le_bytes),
			DType::U16 => numbers!(u16, u16::from_le_bytes),
			DType::I32 => numbers!(i32, i32::from_le_bytes),
			DType::U32 => numbers!(u32, u32::from_le_bytes),
			DType::I64 => numbers!(i64, i64::from_le_bytes),
			DType::U64 => numbers!(u64, u64::from_le_bytes),
			DType::F32 => numbers!(f32, f32::from_le_bytes),
			DType::F64 => numbers!(f64, f64::from_le_bytes),
			DType::F16 => numbers!(u16, half_of),
			DType::BF16 => numbers!(u16, bfloat_of),
		}
	}

	/// The sums in units of 10⁻⁶, rounded to nearest, halves away from zero; what does not fit saturates.
	pub fn finish(self) -> Sketch {
		Sketch {
			// `as` saturates. A sum of values near the largest float may overflow and even cancel to no number at all,
			// which becomes 0: on every machine alike.
			sums: self.sums.map(|sum| (sum * UNITS_PER_ONE).round() as i64),
			nans: self.nans,
			infinities: self.infinities,
		}
	}
}

/// The sketch of `values` under `seed`.
pub fn sketch<T: Number>(seed: &SketchSeed, values: &[T]) -> Sketch {
	let mut sketcher = Sketcher::new(seed);
	sketcher.feed(values);
	sketcher.finish()
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	const SEED: SketchSeed = [7; 32];

	/// The sums of `i mod 97 / 4 − 10` for i below 10 000 under [`SEED`].
	const VECTOR: [i64; 16] = [
		-1_059_000_000,
		172_000_000,
		-980_000_000,
		443_000_000,
		-353_500_000,
		-503_000_000,
		966_500_000,
		28_500_000,
		-905_000_000,
		-123_500_000,
		-308_000_000,
		1_408_000_000,
		424_500_000,
		299_500_000,
		-314_000_000,
		853_500_000,
	];

	/// The signs of the first value under [`SEED`].
	const FIRST_SIGNS: [i64; 16] = [-1, 1, 1, -1, 1, -1, 1, 1, 1, 1, -1, -1, -1, 1, -1, -1];

	/// The definition, word by word.
	fn by_definition(seed: &SketchSeed, values: &[f64]) -> Sketch {
		let mut stream = vec![0; values.len() * 2];
		blake3::Hasher::new_keyed(seed).finalize_xof().fill(&mut stream);
		let mut sums = [0.0f64; 16];
		let (mut nans, mut infinities) = (0, 0);
		for (i, value) in values.iter().enumerate() {
			let signs = u16::from_le_bytes([stream[2 * i], stream[2 * i + 1]]);
			if value.is_nan() {
				nans += 1;
			} else if value.is_infinite() {
				infinities += 1;
			} else {
				for (k, sum) in sums.iter_mut().enumerate() {
					*sum += if signs >> k & 1 == 1 { -value } else { *value };
				}
			}
		}
		Sketch {
			sums: sums.map(|sum| (sum * 1e6).round() as i64),
			nans,
			infinities,
		}
	}

	#[test]
	fn sketch_should_be_these_numbers_when_seed_and_values_are_these() {
		// Computed by a few lines of another language, with a BLAKE3 written for it.
		let values: Vec<f32> = (0..10_000).map(|i| (i % 97) as f32 * 0.25 - 10.0).collect();
		assert_eq!(sketch(&SEED, &values).sums, VECTOR);
		assert_eq!(sketch(&SEED, &[1.0f64]).sums.map(|sum| sum / 1_000_000), FIRST_SIGNS);
	}

	#[test]
	fn sketch_should_be_zero_when_there_are_no_values() {
		assert_eq!(sketch::<f32>(&SEED, &[]), Sketch::default());
	}

	#[test]
	fn sketch_should_count_and_leave_out_when_values_are_not_finite() {
		let values = [1.5, f32::NAN, -2.25, f32::INFINITY, f32::NEG_INFINITY, 4.0];
		let found = sketch(&SEED, &values);
		assert_eq!((found.nans, found.infinities), (1, 2));
		// Their signs are used up: the others keep theirs.
		let zeros = [1.5, 0.0, -2.25, 0.0, 0.0, 4.0f32];
		assert_eq!(found.sums, sketch(&SEED, &zeros).sums);
	}

	#[test]
	fn sketch_should_saturate_when_a_sum_does_not_fit() {
		let found = sketch(&SEED, &[1e300f64]);
		assert!(found.sums.iter().all(|sum| [i64::MAX, i64::MIN].contains(sum)));
		let overflown = sketch(&SEED, &[f64::MAX; 64]);
		assert!(overflown.sums.iter().all(|sum| [i64::MAX, i64::MIN, 0].contains(sum)));
	}

	#[test]
	fn sketch_should_round_halves_away_from_zero_when_between_two_units() {
		let found = sketch(&SEED, &[2.5e-6f64]);
		assert!(found.sums.iter().all(|sum| sum.abs() == 3));
	}

	#[test]
	fn sketches_should_differ_when_seeds_do() {
		let values = [1.0f32; 1000];
		assert_ne!(sketch(&SEED, &values).sums, sketch(&[8; 32], &values).sums);
	}

	#[test]
	fn zeros_should_be_seen_when_the_trace_is_not_zero() {
		let values: Vec<f32> = (0..512).map(|i| (i as f32 * 0.37).sin()).collect();
		let (real, zeros) = (sketch(&SEED, &values), sketch(&SEED, &[0.0f32; 512]));
		assert!(!real.agrees_with(&zeros, 1_000_000));
		let near: Vec<f32> = values.iter().map(|x| x * (1.0 + 1e-7)).collect();
		assert!(real.agrees_with(&sketch(&SEED, &near), 20));
	}

	proptest! {
		#[test]
		fn sketch_should_equal_its_definition_when_values_are_any(
			seed: [u8; 32],
			values in prop::collection::vec(any::<f64>(), 0..300),
			repeat in 1usize..40,
		) {
			let values = values.repeat(repeat);
			prop_assert_eq!(sketch(&seed, &values), by_definition(&seed, &values));
		}

		#[test]
		fn sketch_should_be_the_same_when_fed_in_pieces(
			values in prop::collection::vec(-1e3f32..1e3, 0..20_000),
			cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
		) {
			let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(values.len() + 1)).collect();
			cuts.sort();
			let mut sketcher = Sketcher::new(&SEED);
			let mut start = 0;
			for cut in cuts {
				sketcher.feed(&values[start..cut]);
				start = cut;
			}
			sketcher.feed(&values[start..]);
			prop_assert_eq!(sketcher.finish(), sketch(&SEED, &values));
		}

		#[test]
		fn sketch_of_bytes_should_equal_that_of_their_values(values in prop::collection::vec(any::<i32>(), 1..9000)) {
			let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
			let mut sketcher = Sketcher::new(&SEED);
			sketcher.feed_bytes(DType::I32, &bytes);
			prop_assert_eq!(sketcher.finish(), sketch(&SEED, &values));
		}
	}

	#[test]
	fn sketch_of_bytes_should_equal_that_of_their_values_when_floats_have_16_bits() {
		// 1.5, −2 and not a number in either format.
		for (dtype, bits) in [
			(DType::F16, [0x3e00u16, 0xc000, 0x7e00]),
			(DType::BF16, [0x3fc0, 0xc000, 0x7fc0]),
		] {
			let bytes: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
			let mut sketcher = Sketcher::new(&SEED);
			sketcher.feed_bytes(dtype, &bytes);
			assert_eq!(sketcher.finish(), sketch(&SEED, &[1.5, -2.0, f64::NAN]));
		}
	}
}
