//! Inputs made of others.

use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use std::ops::Range;

/// The longest input that is made.
const MOST: usize = 64 << 10;

/// The longest piece that is moved at once.
const PIECE: usize = 64;

/// Bytes at which readers go another way.
const EDGES: [u8; 8] = [0, 1, 0x0a, 0x7f, 0x80, 0xfc, 0xfe, 0xff];

/// Numbers at which sums and products end.
const NUMBERS: [u64; 10] = [
	0,
	1,
	u8::MAX as u64,
	u16::MAX as u64,
	1 << 20,
	1 << 28,
	i32::MAX as u64,
	u32::MAX as u64,
	i64::MAX as u64,
	u64::MAX,
];

/// The input of a round: one of the corpus with a few changes, or noise. The same in every run.
pub(crate) fn of_round(corpus: &[(String, Vec<u8>)], round: u64) -> Vec<u8> {
	let mut dice = StdRng::seed_from_u64(round);
	let mut input = match dice.gen_range(0..16) {
		0 => noise(256, &mut dice),
		_ => other(corpus, &mut dice).to_vec(),
	};
	for _ in 0..dice.gen_range(1..=6) {
		change(&mut input, corpus, &mut dice);
	}
	input.truncate(MOST);
	input
}

fn change(input: &mut Vec<u8>, corpus: &[(String, Vec<u8>)], dice: &mut StdRng) {
	match dice.gen_range(0..9) {
		0 => {
			let bit = 1u8 << dice.gen_range(0..8u32);
			if let Some(byte) = input.choose_mut(dice) {
				*byte ^= bit;
			}
		}
		1 => {
			let edge = EDGES[dice.gen_range(0..EDGES.len())];
			if let Some(byte) = input.choose_mut(dice) {
				*byte = edge;
			}
		}
		2 => {
			let number = NUMBERS[dice.gen_range(0..NUMBERS.len())].to_le_bytes();
			let length = 1usize << dice.gen_range(0..4u32);
			let at = place(input, dice);
			for (byte, value) in input.iter_mut().skip(at).zip(&number[..length]) {
				*byte = *value;
			}
		}
		3 => {
			let piece = noise(8, dice);
			insert(input, piece, dice);
		}
		4 => {
			let piece = piece_of(input, dice);
			input.drain(piece);
		}
		5 => {
			let piece = piece_of(input, dice);
			let often = [1, 2, 16, 1024][dice.gen_range(0..4)];
			let at = piece.end;
			let piece = input[piece].repeat(often);
			input.splice(at..at, piece);
		}
		6 => {
			let other = other(corpus, dice);
			let piece = piece_of(other, dice);
			insert(input, other[piece].to_vec(), dice);
		}
		7 => {
			let end = place(input, dice);
			input.truncate(end);
		}
		_ => {
			let piece = piece_of(input, dice);
			let from = input[piece].to_vec();
			let at = place(input, dice);
			for (byte, value) in input.iter_mut().skip(at).zip(from) {
				*byte = value;
			}
		}
	}
	// Pieces that are repeated again and again would fill the memory.
	input.truncate(2 * MOST);
}

fn other<'c>(corpus: &'c [(String, Vec<u8>)], dice: &mut StdRng) -> &'c [u8] {
	match corpus.choose(dice) {
		Some((_, input)) => input,
		None => &[],
	}
}

fn noise(most: usize, dice: &mut StdRng) -> Vec<u8> {
	(0..dice.gen_range(0..=most)).map(|_| dice.gen()).collect()
}

fn place(input: &[u8], dice: &mut StdRng) -> usize {
	dice.gen_range(0..=input.len())
}

fn piece_of(input: &[u8], dice: &mut StdRng) -> Range<usize> {
	let start = place(input, dice);
	start..dice.gen_range(start..=input.len().min(start + PIECE))
}

fn insert(input: &mut Vec<u8>, piece: Vec<u8>, dice: &mut StdRng) {
	let at = place(input, dice);
	input.splice(at..at, piece);
}
