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

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::vec;
	use proptest::prelude::*;

	#[test]
	fn royalties_should_follow_the_lineage() {
		let terms = [(Perbill::from_percent(20), 0), (Perbill::from_percent(50), 0)];
		assert_eq!(royalties(1_000, &terms), vec![800, 100, 100]);
	}

	#[test]
	fn royalties_should_honour_the_floor_when_the_share_is_less() {
		assert_eq!(royalties(1_000, &[(Perbill::from_percent(1), 300)]), vec![700, 300]);
		assert_eq!(royalties(200, &[(Perbill::from_percent(1), 300)]), vec![0, 200]);
	}

	#[test]
	fn royalties_should_all_be_the_makers_when_there_is_no_parent() {
		assert_eq!(royalties(u128::MAX, &[]), vec![u128::MAX]);
	}

	#[test]
	fn protocol_fee_should_round_up() {
		assert_eq!(protocol_fee(0), 0);
		assert_eq!(protocol_fee(1), 1);
		assert_eq!(protocol_fee(20), 1);
		assert_eq!(protocol_fee(21), 2);
	}

	#[test]
	fn burn_half_should_give_an_odd_unit_to_the_treasury() {
		assert_eq!(burn_half(7), (3, 4));
		assert_eq!(burn_half(1), (0, 1));
	}

	fn amount() -> impl Strategy<Value = u128> {
		prop_oneof![Just(0), Just(1), Just(u128::MAX), 0u128..1_000, any::<u128>()]
	}

	fn terms() -> impl Strategy<Value = Vec<(Perbill, u128)>> {
		let share =
			prop_oneof![Just(0u32), Just(1), Just(1_000_000_000), 0u32..=1_000_000_000].prop_map(Perbill::from_parts);
		prop::collection::vec((share, amount()), 0..=8)
	}

	proptest! {
		#[test]
		fn royalties_should_sum_to_what_was_paid(royalty in amount(), terms in terms()) {
			let kept = royalties(royalty, &terms);
			prop_assert_eq!(kept.len(), terms.len() + 1);
			let sum = kept.iter().try_fold(0u128, |sum, amount| sum.checked_add(*amount));
			prop_assert_eq!(sum, Some(royalty));
		}

		#[test]
		fn an_ancestor_should_receive_its_floor_when_that_much_arrives(royalty in amount(), terms in terms()) {
			let kept = royalties(royalty, &terms);
			let mut received = royalty;
			for (kept, (share, floor)) in kept.iter().zip(&terms) {
				let passed = received - kept;
				prop_assert!(passed >= share.mul_floor(received).max((*floor).min(received)));
				received = passed;
			}
		}

		#[test]
		fn protocol_fee_should_be_five_percent_rounded_up(subtotal in amount()) {
			let fee = protocol_fee(subtotal);
			prop_assert_eq!(fee, subtotal / 20 + u128::from(subtotal % 20 != 0));
		}

		#[test]
		fn burn_half_should_lose_nothing(fee in amount()) {
			let (burned, treasury) = burn_half(fee);
			prop_assert_eq!(burned.checked_add(treasury), Some(fee));
			prop_assert!(treasury - burned <= 1);
		}
	}
}
