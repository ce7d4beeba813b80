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
