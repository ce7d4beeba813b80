//! Authors of blocks who choose when to attest, or leave slots empty.

use super::{percent, round, Bound, Row, Simulation, DETECTION};
use crate::{
	audits::{
		game::Terms,
		slots::{drawn_behind_deadline, drawn_when_timed, steering, Rule},
	},
	statistics::Mean,
};
use highway_math::audit;
use sp_arithmetic::Perbill;

impl Simulation {
	/// Gain of a lone cheat whose job is drawn with this probability.
	pub(super) fn if_drawn(probability: f64) -> f64 {
		let lost = DETECTION * f64::from(audit::SECURITY_FACTOR + 1);
		0.8 - probability * lost
	}

	pub(super) fn authors(&mut self) {
		let terms = Terms::new(Perbill::from_float(DETECTION));
		for share in [0.05, 0.10, 0.20, 0.33] {
			let mut timed = Mean::default();
			let mut rng = self.rng();
			for _ in 0..self.samples {
				let drawn = drawn_when_timed(&mut rng, Rule::AsBuilt, share, terms.rate);
				timed.add(Self::if_drawn(f64::from(u8::from(drawn))));
			}
			self.author(
				"author times its attestation",
				share,
				&timed,
				Bound::Nothing,
				"the blocks that draw are fixed",
			);
		}
		for share in [0.10, 0.33] {
			let mut skipped = Mean::default();
			let mut rng = self.rng();
			for _ in 0..self.samples {
				let drawn = drawn_behind_deadline(&mut rng, share, terms.rate, true);
				skipped.add(Self::if_drawn(f64::from(u8::from(drawn))));
			}
			let note = "the last word is never a party's";
			self.author(
				"author, a party, skips its slots",
				share,
				&skipped,
				Bound::Nothing,
				note,
			);
		}
		let rate = f64::from(terms.rate.deconstruct()) / 1e9;
		for share in [0.05, 0.10, 0.20, 0.33] {
			let (mut foreseen, mut steered) = (Mean::default(), Mean::default());
			let (mut skipped, mut cheated) = (0.0, 0.0);
			let mut rng = self.rng();
			// Cheap, and what is sought is rare.
			let samples = 10 * self.samples;
			for _ in 0..samples {
				let found = steering(&mut rng, share);
				foreseen.add(if found.foreseen { 0.8 * (1.0 - rate) } else { 0.0 });
				let gain = Self::if_drawn(rate.powi(found.draws.try_into().unwrap_or(i32::MAX)));
				steered.add(gain.max(0.0));
				if gain > 0.0 {
					(skipped, cheated) = (skipped + f64::from(found.skipped), cheated + 1.0);
				}
			}
			// About α³.
			let bound = Bound::Stated(2.0 * share.powi(3));
			let note = "cheats only where all three are its own and do not draw";
			self.author("friends of the executor foresee", share, &foreseen, bound, note);
			// At most: whenever a friend has any slot before the third of the others' ones.
			let bound = Bound::Stated(0.8 * (1.0 - (1.0 - share).powi(3)));
			let note = format!(
				"cheats on {} of the jobs, each costs {:.1} skipped slots",
				percent(round(cheated / f64::from(samples))),
				skipped / cheated
			);
			self.author("friends of the executor skip slots", share, &steered, bound, &note);
		}
	}

	pub(super) fn author(&mut self, strategy: &'static str, share: f64, gain: &Mean, bound: Bound, note: &str) {
		self.rows.push(Row {
			strategy,
			parameters: format!("α = {} of the slots, d = {DETECTION}", percent(share)),
			gain: gain.mean(),
			error: gain.error(),
			harm: None,
			bound,
			sound: true,
			note: note.into(),
		});
	}
}
