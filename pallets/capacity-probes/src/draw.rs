//! What is drawn from hashes. Pure.

use alloc::vec::Vec;
use codec::Encode;
use highway_primitives::{BlockNumber, NodeId, ProbeSeed};

/// Separates these hashes from others.
const DOMAIN: &[u8; 13] = b"highway/round";

/// What is taken from a seed: each use has its own randomness.
#[derive(Clone, Copy, Encode)]
enum Purpose {
	/// Whether a block opens a round.
	Opening,
	/// Whether a round hits the node.
	Hit(NodeId),
	/// The chunk that must be proved.
	Chunk,
	/// The n-th row of it that is computed.
	Row(u32),
}

/// A number below `bound`; `None` if that is 0. The modulo's bias is below 2⁻³² for bounds below 2³².
fn below(bound: u64, seed: &[u8; 32], purpose: Purpose) -> Option<u64> {
	let hash = sp_io::hashing::blake2_256(&(DOMAIN, seed, purpose).encode());
	let (head, _) = hash.split_first_chunk::<8>()?;
	u64::from_le_bytes(*head).checked_rem(bound)
}

/// Whether a block opens a round, with a probability of one in `interval`.
pub(crate) fn opens(parent: &[u8; 32], interval: u32) -> bool {
	below(interval.into(), parent, Purpose::Opening) == Some(0)
}

/// The seed of a round that block `opened` opens, from what the blocks before it drew.
pub(crate) fn round_seed(blocks: &[[u8; 32]], opened: BlockNumber) -> ProbeSeed {
	sp_io::hashing::blake2_256(&(DOMAIN, blocks, opened).encode())
}

/// Whether a round hits a node: one in `share` of them.
pub(crate) fn hits(seed: &ProbeSeed, node: NodeId, share: u32) -> bool {
	below(share.into(), seed, Purpose::Hit(node)) == Some(0)
}

/// What an answer must prove, from what the two blocks behind it drew.
pub(crate) fn challenge(round: &ProbeSeed, node: NodeId, blocks: [[u8; 32]; 2]) -> [u8; 32] {
	sp_io::hashing::blake2_256(&(DOMAIN, round, node, blocks).encode())
}

/// The chunk of `chunks` that is to be shown.
pub(crate) fn chunk(challenge: &[u8; 32], chunks: u64) -> u64 {
	below(chunks, challenge, Purpose::Chunk).unwrap_or_default()
}

/// `wanted` different places among `count` rows; all of them, if there are fewer.
pub(crate) fn rows(challenge: &[u8; 32], count: usize, wanted: usize) -> Vec<usize> {
	let mut left: Vec<usize> = (0..count).collect();
	let draw = |nth: usize| {
		let bound = u64::try_from(left.len()).ok()?;
		let index = below(bound, challenge, Purpose::Row(u32::try_from(nth).ok()?))?;
		Some(left.swap_remove(usize::try_from(index).ok()?))
	};
	(0..wanted).map_while(draw).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use std::collections::BTreeSet;

	fn seed(number: u32) -> [u8; 32] {
		sp_io::hashing::blake2_256(&number.encode())
	}

	#[test]
	fn rounds_should_open_and_hit_as_often_as_the_terms_say() {
		let opened = (0..6_000).filter(|number| opens(&seed(*number), 6)).count();
		assert!((850..1_150).contains(&opened), "{opened} of 1000 expected");
		let hit = (0..4_000).filter(|node| hits(&[1; 32], *node, 4)).count();
		assert!((850..1_150).contains(&hit), "{hit} of 1000 expected");
		assert!((0..100).all(|number| opens(&seed(number), 1) && hits(&seed(number), number, 1)));
		assert!(!opens(&[1; 32], 0) && !hits(&[1; 32], 0, 0), "nothing is one in none");
	}

	#[test]
	fn each_use_should_have_its_own_randomness() {
		assert_ne!(round_seed(&[[1; 32]], 7), round_seed(&[[1; 32]], 8));
		assert_ne!(round_seed(&[[1; 32]], 7), round_seed(&[[2; 32]], 7));
		let blocks = [[3; 32], [4; 32]];
		let drawn = challenge(&[1; 32], 5, blocks);
		assert_ne!(drawn, challenge(&[2; 32], 5, blocks));
		assert_ne!(drawn, challenge(&[1; 32], 6, blocks));
		assert_ne!(drawn, challenge(&[1; 32], 5, [[3; 32], [5; 32]]));
		assert_ne!(drawn, challenge(&[1; 32], 5, [[4; 32], [3; 32]]));
	}

	#[test]
	fn every_chunk_and_row_should_be_drawn_some_time() {
		let chunks: BTreeSet<u64> = (0..200).map(|number| chunk(&seed(number), 7)).collect();
		assert_eq!(chunks, (0..7).collect());
		let drawn: BTreeSet<usize> = (0..200).flat_map(|number| rows(&seed(number), 16, 2)).collect();
		assert_eq!(drawn, (0..16).collect());
	}

	proptest! {
		#[test]
		fn rows_should_be_different_ones_that_exist(number in any::<u32>(), count in 0usize..20, wanted in 0usize..4) {
			let drawn = rows(&seed(number), count, wanted);
			prop_assert_eq!(drawn.len(), wanted.min(count));
			prop_assert!(drawn.iter().all(|place| *place < count));
			prop_assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
		}
	}
}
