//! Authors that choose when to attest, or skip slots: what they know of a draw, and how often they may draw again.

use highway_math::audit;
use pallet_proof_of_work_done::WALK;
use rand::Rng;
use sp_arithmetic::Perbill;

/// Blocks in which an executor may attest: the least that a deadline grants.
const CHOICES: usize = highway_math::deadline::BASE_BLOCKS as usize;

/// What draws an audit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
	/// As built: the blocks behind the deadline until three authors that are not party have authored.
	AsBuilt,
	/// An earlier draft: the block behind the attestation.
	NextBlock,
}

/// Whether an executor that authors a share of all blocks escapes the audit of one job, if it attests when that is best
/// for it. It knows the VRFs of its own blocks, nobody else's.
pub fn drawn_when_timed(rng: &mut impl Rng, rule: Rule, share: f64, rate: Perbill) -> bool {
	let slot = |rng: &mut dyn rand::RngCore| (rng.gen_bool(share), rng.gen::<u64>());
	let hits = |ticket: u64| audit::is_drawn(ticket.to_le_bytes(), rate);
	match rule {
		Rule::NextBlock => {
			let blocks: Vec<_> = (0..CHOICES).map(|_| slot(rng)).collect();
			let safe = blocks.iter().any(|(own, vrf)| *own && !hits(*vrf));
			let unknown = blocks.iter().find(|(own, _)| !*own).or(blocks.first());
			!safe && unknown.is_some_and(|(_, vrf)| hits(*vrf))
		}
		Rule::AsBuilt => {
			// Whenever it attests, the blocks are the same, and the third other author's VRF is among them.
			drawn_behind_deadline(rng, share, rate, false)
		}
	}
}

/// Whether a job is drawn whose executor authors a share of all blocks. `skips`: it leaves its slots empty, so that the
/// draw comes out another way; it cannot know which way, as the last author of a draw is never a party.
pub fn drawn_behind_deadline(rng: &mut impl Rng, share: f64, rate: Perbill, skips: bool) -> bool {
	let (mut others, mut seed) = (0, 0u64);
	for _ in 0..WALK {
		let (own, vrf) = (rng.gen_bool(share), rng.gen::<u64>());
		if own && skips {
			continue;
		}
		seed = seed.rotate_left(7) ^ vrf;
		others += u32::from(!own);
		if others == 3 {
			break;
		}
	}
	audit::is_drawn(seed.to_le_bytes(), rate)
}

/// How validators that are no party to a job, but friends of its executor, may steer its draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Steering {
	/// How many draws they can choose from.
	pub draws: u32,
	/// Whether they author all three blocks, so that the draw is known before the attestation.
	pub foreseen: bool,
	/// Slots that they leave empty whatever is drawn, to be last.
	pub skipped: u32,
}

/// The slots behind a job's deadline, seen by friends that hold a share of them. They know their own slots beforehand;
/// each of their slots is taken to be another validator's, which favours them.
///
/// With `before`, `between` and `after` of their slots in front of the first, second and third of the others' blocks,
/// they choose how many of the first to use: none, and then a pair of `between`, or one of `after`, or nothing; or one,
/// and then one of `between` or nothing; or three at once.
pub fn steering(rng: &mut impl Rng, share: f64) -> Steering {
	let mut gaps = [0u32; 3];
	let mut gap = 0;
	for _ in 0..WALK {
		if rng.gen_bool(share) {
			gaps[gap] += 1;
		} else if gap == 2 {
			break;
		} else {
			gap += 1;
		}
	}
	let [before, between, after] = gaps;
	let pairs = between * between.saturating_sub(1) / 2;
	let none_first = pairs + after + 1;
	let one_first = if before > 0 { between + 1 } else { 1 };
	match before {
		3.. => Steering {
			draws: before * (before - 1) * (before - 2) / 6 + none_first,
			foreseen: true,
			skipped: before - 3,
		},
		_ if none_first >= one_first => Steering {
			draws: none_first,
			foreseen: false,
			skipped: if none_first > 1 { before + between } else { 0 },
		},
		_ => Steering {
			draws: one_first,
			foreseen: false,
			skipped: before - 1,
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use rand::SeedableRng;
	use rand_chacha::ChaCha8Rng;

	#[test]
	fn draws_should_hit_as_often_as_the_rate_says_whatever_a_party_does() {
		let rate = Perbill::from_percent(20);
		let mut rng = ChaCha8Rng::seed_from_u64(1);
		for skips in [false, true] {
			let hits = (0..20_000)
				.filter(|_| drawn_behind_deadline(&mut rng, 0.3, rate, skips))
				.count();
			assert!((3_700..4_300).contains(&hits), "{hits}");
		}
	}

	#[test]
	fn nobody_should_steer_without_slots() {
		let mut rng = ChaCha8Rng::seed_from_u64(1);
		let alone = Steering {
			draws: 1,
			foreseen: false,
			skipped: 0,
		};
		assert_eq!(steering(&mut rng, 0.0), alone);
	}
}
