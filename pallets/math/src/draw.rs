//! Weighted draws.

/// Index drawn from `weights` in proportion to them, by the first 16 bytes of `seed`; `None` if all are 0.
///
/// The modulo's bias is below 2⁻⁶⁴ for sums below 2⁶⁴.
pub fn weighted(seed: &[u8; 32], weights: &[u64]) -> Option<usize> {
	let total: u128 = weights.iter().map(|w| u128::from(*w)).sum();
	let (head, _) = seed.split_first_chunk::<16>()?;
	let mut ticket = u128::from_le_bytes(*head).checked_rem(total)?;
	for (index, weight) in weights.iter().enumerate() {
		match ticket.checked_sub(u128::from(*weight)) {
			Some(rest) => ticket = rest,
			None => return Some(index),
		}
	}
	None
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::{vec, vec::Vec};
	use proptest::prelude::*;

	/// The seed whose first 16 bytes are `ticket`.
	fn seed(ticket: u128) -> [u8; 32] {
		let mut seed = [0xff; 32];
		seed[..16].copy_from_slice(&ticket.to_le_bytes());
		seed
	}

	#[test]
	fn weighted_should_be_none_when_nothing_weighs() {
		assert_eq!(weighted(&seed(1), &[]), None);
		assert_eq!(weighted(&seed(1), &[0, 0, 0]), None);
	}

	#[test]
	fn weighted_should_hold_at_the_largest_weights() {
		let weights = [u64::MAX; 64];
		assert_eq!(weighted(&seed(0), &weights), Some(0));
		assert_eq!(weighted(&seed(u128::from(u64::MAX) * 64 - 1), &weights), Some(63));
		assert!(weighted(&seed(u128::MAX), &weights).is_some());
	}

	proptest! {
		#[test]
		fn an_index_should_be_drawn_exactly_as_often_as_it_weighs(weights in prop::collection::vec(0u64..20, 1..16)) {
			let total: u64 = weights.iter().sum();
			let mut drawn = vec![0u64; weights.len()];
			for ticket in 0..total {
				drawn[weighted(&seed(ticket.into()), &weights).expect("something weighs")] += 1;
			}
			prop_assert_eq!(drawn, weights);
		}

		#[test]
		fn a_draw_should_hit_something_that_weighs(seed in any::<[u8; 32]>(), weights in prop::collection::vec(any::<u64>(), 0..64)) {
			match weighted(&seed, &weights) {
				Some(index) => prop_assert!(weights[index] > 0),
				None => prop_assert!(weights.iter().all(|weight| *weight == 0)),
			}
		}

		#[test]
		fn only_the_first_half_of_the_seed_should_matter(ticket in any::<u128>(), tail in any::<[u8; 16]>()) {
			let weights: Vec<u64> = (1..=20).collect();
			let mut other = seed(ticket);
			other[16..].copy_from_slice(&tail);
			prop_assert_eq!(weighted(&seed(ticket), &weights), weighted(&other, &weights));
		}
	}
}
