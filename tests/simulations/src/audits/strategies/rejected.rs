//! Rules that were rejected.

use super::{executor, Bound, Simulation, DETECTION};
use crate::{
	audits::{
		game::{Executor, Terms},
		slots::{drawn_when_timed, Rule},
	},
	statistics::Mean,
};
use highway_math::audit;
use sp_arithmetic::Perbill;

impl Simulation {
	/// Here the simulation must find a gain, or it would find none where there is one.
	pub(super) fn rejected_rules(&mut self) {
		let terms = Terms::new(Perbill::from_float(DETECTION));
		let mut rng = self.rng();
		let mut timed = Mean::default();
		for _ in 0..self.samples {
			let drawn = drawn_when_timed(&mut rng, Rule::NextBlock, 0.33, terms.rate);
			timed.add(Self::if_drawn(f64::from(u8::from(drawn))));
		}
		let note = "rejected: D of the block behind the attestation";
		self.author("author times its attestation", 0.33, &timed, Bound::RejectedRule, note);
		let mut unsecured = executor(Executor::Cheats);
		unsecured.terms = Terms {
			security: 0,
			..unsecured.terms
		};
		let note = "rejected: the pay alone is at stake";
		let parameters = format!("nothing reserved, d = {DETECTION}");
		self.cheat("lazy: always cheats", parameters, &unsecured, Bound::RejectedRule, note);
		let mut rare = executor(Executor::Cheats);
		rare.terms.rate = audit::MIN_RATE;
		let note = "rejected: q for each job the same 2 %";
		let parameters = format!("q = q_min, d = {DETECTION}");
		self.cheat("lazy: always cheats", parameters, &rare, Bound::RejectedRule, note);
	}
}
