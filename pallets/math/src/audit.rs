//! How often work is audited, and what a payer adds for it.
//!
//! A cheat saves a share s of the compute price R. An audit, which comes with probability q and sees the cheat with
//! probability d, costs it R and the security S that stands behind the job. Cheating does not pay if
//!
//! q · d · (R + S) > s · R,
//!
//! after Becker, "Crime and Punishment: An Economic Approach" (1968): what is lost, times how likely it is, exceeds what
//! is gained. [`rate`] is twice the least such q, so that the inequality holds for every single job with room to spare,
//! whatever else is going on. S = 64·R and d = ½ give q = 4.93 %.
//!
//! Of a job of many inputs an audit looks at one, which nobody knows before all of them are answered. Who answers a share f of
//! them wrongly saves f·s·R, and is caught with probability q·d·f: both sides of the inequality are multiplied by f, so that
//! the same q deters from every f.

use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Perbill, Rounding};

/// Share of the compute price that a cheat is taken to save: running a small copy, or nothing at all, is not free.
pub const SAVING: Perbill = Perbill::from_percent(80);

/// The least probability of an audit: also work that costs nothing is looked at.
pub const MIN_RATE: Perbill = Perbill::from_percent(2);

/// Blocks between the fixed block behind which a draw begins and the earliest moment to look for it: three authors that
/// are no party, and one block for a skipped slot.
pub const DRAW_DELAY: u32 = 4;

/// The most blocks behind the fixed one that a draw looks at. It ends with the third author that is no party, in most cases after
/// three or four.
pub const DRAW_WALK: u32 = 32;

/// Security behind each job, in multiples of its compute line. It is what a cheat loses, so it sets how often work is
/// audited.
pub const SECURITY_FACTOR: u32 = 64;

/// Blocks from the attestation until the job is settled or audited, unless genesis says otherwise.
pub const ATTESTATION_WINDOW: u32 = 150;

/// Blocks beside the job's own allowance that a judge has: it fetches input and model, and has other work.
pub const JUDGE_EXTRA: u32 = 5;

/// Nodes looked at for one judge. Each is another one: among 16 operators everybody is asked before nobody is found.
pub const JUDGE_TRIES: u8 = 16;

/// Blocks in which what a judge committed itself to, or the executor's sketch, is opened: a fifth of the attestation
/// window. That is a minute on a public network, and on a development chain as short as is safe.
pub const fn reveal_blocks(attestation_window: u32) -> u32 {
	match attestation_window / 5 {
		..8 => 8,
		blocks @ 8..=30 => blocks,
		_ => 30,
	}
}

/// 2 · [`SAVING`] in parts of which `PARTS` are one.
const TWICE_SAVING: u128 = 1_600_000_000;

/// Parts of a [`Perbill`].
const PARTS: u128 = 1_000_000_000;

/// Security that stands behind a job with this compute price; saturating: beyond all money, nobody has it to reserve.
pub fn security(reward: u128, factor: u32) -> u128 {
	reward.saturating_mul(factor.into())
}

/// The highest compute price whose [`security`] is at most `bond`.
pub fn secured_by(bond: u128, factor: u32) -> u128 {
	match bond {
		// Where the security saturates, any price has so much.
		u128::MAX => u128::MAX,
		bond => bond.checked_div(factor.into()).unwrap_or(u128::MAX),
	}
}

/// Probability of an audit, q = 2·s·R / (d·(S + R)), rounded up, at least [`MIN_RATE`] and at most one.
///
/// `reward` is R, `security` S, `detection` d. For every R > 0 with S ≥ R and d ≥ ½: q · d · (R + S) > s · R.
pub fn rate(reward: u128, security: u128, detection: Perbill) -> Perbill {
	// A sum that does not fit is halved with its part; rounding makes q larger, never smaller.
	let (part, whole) = match reward.checked_add(security) {
		Some(whole) => (reward, whole),
		None => (reward.div_ceil(2), (reward / 2).saturating_add(security / 2)),
	};
	// In steps that each fit: ⌈⌈x / a⌉ / b⌉ = ⌈x / (a·b)⌉.
	let parts = multiply_by_rational_with_rounding(part, TWICE_SAVING.saturating_mul(PARTS), whole, Rounding::Up)
		.and_then(|scaled| {
			let detection = u128::from(detection.deconstruct());
			(detection > 0).then(|| scaled.div_ceil(detection))
		})
		.unwrap_or(if reward == 0 { 0 } else { PARTS })
		.min(PARTS);
	Perbill::from_parts(u32::try_from(parts).unwrap_or(u32::MAX)).max(MIN_RATE)
}

/// What the payer adds for audits: 1.25 · q · R, rounded up. An audit costs R, so that on average a quarter is left over
/// for juries and for auditors that failed. `None` if it does not fit.
pub fn premium(rate: Perbill, reward: u128) -> Option<u128> {
	let parts = u128::from(rate.deconstruct()).saturating_mul(5);
	multiply_by_rational_with_rounding(reward, parts, PARTS.saturating_mul(4), Rounding::Up)
}

/// Whether the draw's first eight bytes hit: with probability `rate`, exactly, if they are even.
pub fn is_drawn(hash: [u8; 8], rate: Perbill) -> bool {
	let ticket = u128::from(u64::from_le_bytes(hash)).saturating_mul(PARTS);
	let hits = u128::from(rate.deconstruct()) << 64;
	ticket < hits
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	/// a · b as (high, low) halves of 256 bits.
	fn wide(a: u128, b: u128) -> (u128, u128) {
		let (ah, al, bh, bl) = (a >> 64, a & MASK, b >> 64, b & MASK);
		let (low, mid_a, mid_b, high) = (al * bl, ah * bl, al * bh, ah * bh);
		let carry = (low >> 64) + (mid_a & MASK) + (mid_b & MASK);
		(
			high + (mid_a >> 64) + (mid_b >> 64) + (carry >> 64),
			(low & MASK) | (carry << 64),
		)
	}

	const MASK: u128 = u64::MAX as u128;

	fn plus(a: (u128, u128), b: (u128, u128)) -> (u128, u128) {
		let (low, over) = a.1.overflowing_add(b.1);
		(a.0 + b.0 + u128::from(over), low)
	}

	/// q · d · (R + S) > s · R, in whole numbers.
	fn deters(rate: Perbill, reward: u128, security: u128, detection: Perbill) -> bool {
		let seen = u128::from(rate.deconstruct()) * u128::from(detection.deconstruct());
		let lost = plus(wide(seen, reward), wide(seen, security));
		lost > wide(u128::from(SAVING.deconstruct()) * PARTS, reward)
	}

	#[test]
	fn rate_should_be_as_the_formula_says() {
		let half = Perbill::from_percent(50);
		// 2 · 0.8 / (0.5 · 65)
		assert_eq!(rate(1_000, 64_000, half), Perbill::from_parts(49_230_770));
		assert_eq!(rate(1_000, 64_000, Perbill::one()), Perbill::from_parts(24_615_385));
		assert_eq!(rate(1_000, 1_000_000, Perbill::one()), MIN_RATE);
		assert_eq!(rate(1_000, 0, half), Perbill::one());
		assert_eq!(rate(1_000, 64_000, Perbill::zero()), Perbill::one());
	}

	#[test]
	fn rate_should_be_the_least_when_nothing_is_paid() {
		let half = Perbill::from_percent(50);
		assert_eq!(
			(rate(0, 0, half), rate(0, 64, half), rate(0, 0, Perbill::zero())),
			(MIN_RATE, MIN_RATE, MIN_RATE)
		);
		assert_eq!(premium(MIN_RATE, 0), Some(0));
	}

	#[test]
	fn secured_by_should_round_down_and_know_no_bound_where_nothing_is_asked() {
		assert_eq!([6_400, 6_399, 63].map(|bond| secured_by(bond, 64)), [100, 99, 0]);
		assert_eq!((secured_by(7, 0), secured_by(u128::MAX, 64)), (u128::MAX, u128::MAX));
	}

	#[test]
	fn premium_should_be_a_quarter_more_than_an_audit_costs_on_average() {
		assert_eq!(premium(Perbill::from_percent(4), 1_000), Some(50));
		assert_eq!(premium(Perbill::from_percent(2), 1), Some(1));
		assert_eq!(premium(Perbill::one(), u128::MAX), None);
		assert_eq!(premium(Perbill::from_percent(80), u128::MAX), Some(u128::MAX));
	}

	#[test]
	fn draw_should_hit_exactly_as_often_as_the_rate_says() {
		let hit = |ticket: u64, rate| is_drawn(ticket.to_le_bytes(), rate);
		assert!(hit(u64::MAX, Perbill::one()) && hit(0, Perbill::from_parts(1)));
		assert!(!hit(0, Perbill::zero()));
		let half = Perbill::from_percent(50);
		assert!(hit((1 << 63) - 1, half) && !hit(1 << 63, half));
		// 2 % of 2⁶⁴ is not whole: the ticket below it hits, the one above does not.
		let last = (1u128 << 64) * 2 / 100;
		assert!(hit(last as u64, MIN_RATE) && !hit(last as u64 + 1, MIN_RATE));
	}

	fn amount() -> impl Strategy<Value = u128> {
		prop_oneof![
			1u128..10,
			1u128..1 << 40,
			1u128..1 << 90,
			1..=u128::MAX,
			Just(u128::MAX),
			Just(u128::MAX / 65)
		]
	}

	fn detection() -> impl Strategy<Value = Perbill> {
		prop_oneof![
			Just(500_000_000u32),
			Just(1_000_000_000),
			500_000_000u32..=1_000_000_000
		]
		.prop_map(Perbill::from_parts)
	}

	proptest! {
		#![proptest_config(ProptestConfig { cases: 4_000, ..Default::default() })]

		#[test]
		fn cheating_should_never_pay(reward in amount(), more in amount(), detection in detection(), factor in 1u128..=64) {
			for security in [security(reward, 64), reward.saturating_mul(factor).max(more), u128::MAX] {
				let rate = rate(reward, security, detection);
				prop_assert!(rate >= MIN_RATE && rate <= Perbill::one());
				prop_assert!(deters(rate, reward, security, detection), "{rate:?} {security}");
			}
		}

		#[test]
		fn a_bond_should_secure_just_the_prices_up_to_the_highest(
			bond in prop_oneof![Just(0u128), amount()], factor in prop_oneof![0u32..=65, any::<u32>()], price in amount(),
		) {
			let most = secured_by(bond, factor);
			for price in [price, most, most.saturating_sub(1), most.saturating_add(1)] {
				prop_assert_eq!(price <= most, security(price, factor) <= bond, "{} of {}", price, most);
			}
		}

		#[test]
		fn cheating_on_a_share_of_the_inputs_should_never_pay(
			reward in amount(), detection in detection(), inputs in 2u16..=256, wrong in any::<prop::sample::Index>(),
		) {
			let wrong = 1 + wrong.index(inputs.into()) as u16;
			let security = security(reward, 64);
			let rate = rate(reward, security, detection);
			// Over all draws of the input, of which each is as likely as any other: so many times is a wrong one looked at.
			let hits = (0..inputs).filter(|drawn| *drawn < wrong).count() as u128;
			let seen = u128::from(rate.deconstruct()) * u128::from(detection.deconstruct()) * hits;
			let lost = plus(wide(seen, reward), wide(seen, security));
			// In each of them so much is saved: the wrong ones' share of the inputs, and there are as many draws as inputs.
			let saved = wide(u128::from(SAVING.deconstruct()) * PARTS * u128::from(wrong), reward);
			prop_assert!(lost > saved, "{wrong} of {inputs}, {rate:?}");
		}

		#[test]
		fn rate_should_be_the_least_that_is_twice_what_deters(reward in 1u128..1 << 90, factor in 4u128..79, detection in detection()) {
			let security = reward * factor;
			let rate = rate(reward, security, detection);
			prop_assert!(rate > MIN_RATE && rate < Perbill::one());
			// One part less would be below 2·s·R / (d·(R + S)).
			let less = Perbill::from_parts(rate.deconstruct() - 1);
			let seen = |rate: Perbill| u128::from(rate.deconstruct()) * u128::from(detection.deconstruct());
			let twice = wide(2 * u128::from(SAVING.deconstruct()) * PARTS, reward);
			prop_assert!(wide(seen(rate), reward + security) >= twice);
			prop_assert!(wide(seen(less), reward + security) < twice);
		}

		#[test]
		fn rate_should_not_rise_with_security_or_detection(
			reward in any::<u128>(), security in any::<(u128, u128)>(), detection in (any::<u32>(), any::<u32>()),
		) {
			let (low, high) = (Perbill::from_parts(detection.0.min(detection.1)), Perbill::from_parts(detection.0.max(detection.1)));
			prop_assert!(rate(reward, security.0, high) <= rate(reward, security.0, low));
			let (less, more) = (security.0.min(security.1), security.0.max(security.1));
			// Where the sum does not fit, halves round up: one part of slack.
			prop_assert!(rate(reward, more, low).deconstruct() <= rate(reward, less, low).deconstruct().saturating_add(1));
		}

		#[test]
		fn premium_should_never_be_below_its_formula(parts in 20_000_000u32..=1_000_000_000, reward in any::<u128>()) {
			let rate = Perbill::from_parts(parts);
			let exact = wide(u128::from(parts) * 5, reward);
			match premium(rate, reward) {
				Some(premium) => {
					prop_assert!(wide(premium, 4 * PARTS) >= exact);
					prop_assert!(premium == 0 || wide(premium - 1, 4 * PARTS) < exact);
				}
				None => prop_assert!(exact > wide(u128::MAX, 4 * PARTS)),
			}
		}

		#[test]
		fn draw_should_hit_below_the_rate_only(ticket in any::<u64>(), parts in 0u32..=1_000_000_000) {
			let below = u128::from(ticket) * PARTS < u128::from(parts) << 64;
			prop_assert_eq!(is_drawn(ticket.to_le_bytes(), Perbill::from_parts(parts)), below);
		}
	}
}
