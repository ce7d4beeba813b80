//! The lines of one job's price. They sum to the price by construction: the price *is* their sum.

use alloc::vec::Vec;
use sp_arithmetic::Perbill;

/// The protocol's part of all other lines.
pub const PROTOCOL_FEE: Perbill = Perbill::from_percent(5);

/// Splits a royalty per unit among a model and its ancestors.
///
/// `terms` are (share, floor) from the model to its parent, from there to the grandparent, and so on. Whoever receives
/// `x` passes `max(share · x, floor)` on, at most `x`, and keeps the rest. Returns what each keeps, the model's maker
/// first: `terms.len() + 1` amounts that sum to `royalty`.
pub fn royalties(royalty: u128, terms: &[(Perbill, u128)]) -> Vec<u128> {
	let mut kept = Vec::with_capacity(terms.len().saturating_add(1));
	let mut received = royalty;
	for (share, floor) in terms {
		let passed = share.mul_floor(received).max(*floor).min(received);
		kept.push(received.saturating_sub(passed));
		received = passed;
	}
	kept.push(received);
	kept
}

/// The protocol's line for a job whose other lines sum to `subtotal`: 5 %, rounded up.
pub fn protocol_fee(subtotal: u128) -> u128 {
	PROTOCOL_FEE.mul_ceil(subtotal)
}

/// (burned, treasury) of the protocol's line: half is burned, an odd unit goes to the treasury.
pub fn burn_half(fee: u128) -> (u128, u128) {
	let burned = fee / 2;
	(burned, fee.saturating_sub(burned))
}
