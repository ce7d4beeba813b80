//! One machine that poses as many nodes: a round hits them in the same ten blocks, and all of them begin with other rows, so
//! that what one of them computes is of no use to another.

use crate::mock::*;

/// Rows that the machine computes in the time of a round: eight slots.
const MACHINE: u32 = 8 * SLOT;

/// A round in which the machine divides its time among its nodes so. Returns the slots that they may sell together.
fn share(parts: &[u32]) -> u32 {
	assert!(parts.iter().sum::<u32>() <= MACHINE, "it has no more time than it has");
	let seed = round().seed;
	let blobs: Vec<_> = (0..)
		.zip(parts)
		.map(|(node, rows)| computed(&seed, node, *rows))
		.collect();
	for (node, blob) in (0..).zip(&blobs).filter(|(_, blob)| !blob.is_empty()) {
		accept(&answer(node, blob));
	}
	go(3);
	for (node, blob) in (0..).zip(&blobs).filter(|(_, blob)| !blob.is_empty()) {
		accept(&prove(node, blob));
	}
	end_round();
	(0..parts.len() as u32).map(|node| u32::from(beat(node).slots)).sum()
}

#[test]
fn one_machine_should_sell_all_that_it_can_when_it_is_one_node() {
	in_a_round(1, || assert_eq!(share(&[MACHINE]), 8));
}

#[test]
fn one_machine_posing_as_many_should_sell_no_more_than_it_can_alone() {
	// Each of them declares as much as the machine can: eight times four slots.
	for parts in [
		[8, 8, 8, 8],
		[32, 0, 0, 0],
		[16, 16, 0, 0],
		[20, 4, 4, 4],
		[29, 1, 1, 1],
	] {
		in_a_round(4, || {
			let first = share(&parts);
			let worth: u32 = parts.iter().map(|rows| rows / SLOT).sum();
			// Who answered nothing in its first round has half of a newcomer's slots left, for one round.
			let silent = parts.iter().filter(|rows| **rows == 0).count() as u32;
			assert_eq!(first, worth + silent, "{parts:?}");
			next_round();
			assert!(share(&parts) <= 8, "{parts:?}");
		});
	}
}

#[test]
fn one_machine_posing_as_many_should_gain_half_by_taking_turns() {
	in_a_round(4, || {
		let mut sold = Vec::new();
		for turn in 0..8 {
			// In each round another node gets the whole machine; what the others proved before halves, then ends.
			let mut parts = [0; 4];
			parts[turn % 4] = MACHINE;
			sold.push(share(&parts));
			next_round();
		}
		// Whoever has its turn sells eight slots, the one before it four: as much for a busy device as for this one.
		assert_eq!(sold[4..], [12, 12, 12, 12]);
	});
}

/// The most that a worse result, which moves half of the way, leaves to it: 1 + ½ + ¼ + … of what it can.
#[test]
fn one_machine_posing_as_many_should_never_sell_twice_what_it_can() {
	in_a_round(4, || {
		for turn in 0..8 {
			// The others compute one row each, so that they miss nothing.
			let mut parts = [1; 4];
			parts[turn % 4] = MACHINE - 3;
			let sold = share(&parts);
			assert!(sold < 2 * 8, "{sold}");
			next_round();
		}
	});
}

/// Four machines that are what they say sell four times as much.
#[test]
fn four_machines_should_sell_four_times_as_much_as_one() {
	in_a_round(4, || {
		for node in 0..4 {
			let blob = computed(&round().seed, node, MACHINE);
			accept(&answer(node, &blob));
		}
		go(3);
		for node in 0..4 {
			let blob = computed(&round().seed, node, MACHINE);
			accept(&prove(node, &blob));
		}
		assert_eq!((0..4).map(|node| beat(node).slots).sum::<u16>(), 32);
	});
}
