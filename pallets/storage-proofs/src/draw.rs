//! What is drawn from hashes. Pure.

use codec::Encode;
use highway_primitives::BlockNumber;
use sp_core::H256;

/// Separates these hashes from others.
pub(crate) const DOMAIN: &[u8; 15] = b"highway/storage";

/// What is drawn: each draw of a block has its own randomness for each.
#[derive(Clone, Copy, Encode)]
enum Purpose {
	/// A place in the list of models.
	Place,
	/// One of the model's storage providers.
	Winner,
	/// A chunk of the artefact.
	Chunk,
}

/// The seed of all draws of block `now`.
pub(crate) fn seed(randomness: &H256, now: BlockNumber) -> [u8; 32] {
	sp_io::hashing::blake2_256(&(DOMAIN, randomness, now).encode())
}

/// A number below `bound`; `None` if that is 0. The modulo's bias is below 2⁻³² for bounds below 2³².
fn below(bound: u64, seed: &[u8; 32], turn: u32, purpose: Purpose) -> Option<u64> {
	let hash = sp_io::hashing::blake2_256(&(DOMAIN, seed, turn, purpose).encode());
	let (head, _) = hash.split_first_chunk::<8>()?;
	u64::from_le_bytes(*head).checked_rem(bound)
}

/// The place among `places` that the draw of this turn hits.
pub(crate) fn place(seed: &[u8; 32], turn: u32, places: u32) -> Option<u32> {
	u32::try_from(below(places.into(), seed, turn, Purpose::Place)?).ok()
}

/// Which one of `winners` storage providers it hits.
pub(crate) fn winner(seed: &[u8; 32], turn: u32, winners: usize) -> Option<usize> {
	let winners = u64::try_from(winners).ok()?;
	usize::try_from(below(winners, seed, turn, Purpose::Winner)?).ok()
}

/// Which one of `chunks` chunks it hits.
pub(crate) fn chunk(seed: &[u8; 32], turn: u32, chunks: u64) -> Option<u64> {
	below(chunks, seed, turn, Purpose::Chunk)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use std::collections::BTreeSet;

	#[test]
	fn each_block_and_each_turn_should_have_its_own_randomness() {
		let seeds: BTreeSet<_> = [(1, 7), (1, 8), (2, 7)]
			.map(|(random, now)| seed(&H256::repeat_byte(random), now))
			.into();
		assert_eq!(seeds.len(), 3);
		let first = seed(&H256::zero(), 1);
		let turns: BTreeSet<_> = (0..4).filter_map(|turn| chunk(&first, turn, u64::MAX)).collect();
		assert_eq!(turns.len(), 4);
	}

	#[test]
	fn every_place_should_be_drawn_as_often_as_every_other() {
		let mut hits = [0u32; 5];
		for now in 0..5_000 {
			let place = place(&seed(&H256::zero(), now), 0, 5).unwrap();
			hits[place as usize] += 1;
		}
		assert!(hits.iter().all(|hits| (850..1_150).contains(hits)), "{hits:?}");
	}

	#[test]
	fn which_provider_and_which_chunk_should_not_follow_from_each_other() {
		let drawn: BTreeSet<_> = (0..200)
			.map(|now| seed(&H256::zero(), now))
			.map(|seed| (place(&seed, 0, 3), winner(&seed, 0, 3), chunk(&seed, 0, 3)))
			.collect();
		assert_eq!(drawn.len(), 27, "all that can come together does");
	}

	proptest! {
		#[test]
		fn what_is_drawn_should_exist(random in any::<[u8; 32]>(), turn in 0u32..4, bound in 0u32..100) {
			let seed = seed(&H256(random), 1);
			prop_assert_eq!(place(&seed, turn, bound).is_some(), bound > 0);
			prop_assert!(place(&seed, turn, bound).is_none_or(|place| place < bound));
			prop_assert!(winner(&seed, turn, bound as usize).is_none_or(|winner| winner < bound as usize));
			prop_assert!(chunk(&seed, turn, bound.into()).is_none_or(|chunk| chunk < bound.into()));
		}
	}
}
