//! Bundles: the inputs of a job of many, which its payer puts together, and the outputs, which its executor does.

use crate::{memory::within, seed, Target};
use highway_primitives::batch::{bundle, files};

/// The target.
pub const TARGET: Target = Target {
	name: "bundles",
	check: read,
	seeds,
	rounds: 20_000,
};

/// What a test's program takes beside.
const MEMORY: usize = 64 << 10;

/// The first two bytes say how many files it shall have, the rest is the bundle.
fn read(input: &[u8]) -> bool {
	let Some((count, bytes)) = input.split_first_chunk::<2>() else {
		return false;
	};
	let count = u16::from_le_bytes(*count);
	let Ok(places) = within(MEMORY + 4 * bytes.len(), || files(bytes, count)) else {
		return false;
	};
	assert_eq!(places.len(), usize::from(count));
	let parts: Vec<&[u8]> = places
		.iter()
		.map(|place| bytes.get(place.clone()).expect("a file lies within the bundle"))
		.collect();
	assert_eq!(
		bundle(&parts).as_deref(),
		Some(bytes),
		"one bundle of these files, and no other one"
	);
	assert!(files(bytes, count.wrapping_add(1)).is_err());
	true
}

fn made(files: &[&[u8]]) -> Vec<u8> {
	bundle(files).expect("few files can be counted")
}

fn seeds() -> Vec<(String, Vec<u8>)> {
	let of = |count: u16, bytes: &[u8]| [&count.to_le_bytes()[..], bytes].concat();
	let three = made(&[b"one", b"", b"three"]);
	let mut endless = three.clone();
	endless[4..12].fill(0xff);
	// Two lengths that come to the right end only if their sum is cut to 64 bits.
	let mut around = made(&[b"ab", b"cd"]);
	around[4..12].copy_from_slice(&(u64::MAX - 1).to_le_bytes());
	around[12..20].copy_from_slice(&6u64.to_le_bytes());
	vec![
		seed("three", of(3, &three)),
		seed("none", of(0, &made(&[]))),
		seed("many", of(40, &made(&[&b"x"[..]; 40]))),
		seed("refused-count", of(2, &three)),
		seed("refused-cut", of(3, &three[..three.len() - 1])),
		seed("refused-behind", of(3, &[&three[..], b"!"].concat())),
		seed("refused-table", of(3, &three[..20])),
		seed("refused-endless", of(3, &endless)),
		seed("refused-around", of(2, &around)),
	]
}
