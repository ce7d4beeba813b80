//! Executors, auditors and jurors in one hand: who judges whom, of which device class, and until when.

use super::{executor, percent, Bound, Case, Network, Row, Simulation, CALIBRATED, CAMPAIGNS, DETECTION, NODES};
use crate::{
	audits::{
		campaign::{Campaign, Tactic, JOBS},
		game::{Auditor, Executor, Jury, Plan},
	},
	statistics::Mean,
};

impl Simulation {
	pub(super) fn coalitions(&mut self) {
		for share in [0.05, 0.10, 0.20, 0.33] {
			let case = Case {
				nodes: Network::of(share).nodes(),
				plan: Plan {
					executor: Executor::Cheats,
					auditor: Auditor::Covers,
					jury: Jury::Covers,
					forced: false,
				},
				..executor(Executor::Cheats)
			};
			// Deterrence is twofold: it is used up where half of what is seen is covered.
			let bound = if share < 0.3 {
				Bound::Nothing
			} else {
				Bound::Stated(0.10)
			};
			let parameters = format!("α = {} of the bonds, d = {DETECTION}", percent(share));
			self.cheat("colluding executor, auditors, jurors", parameters, &case, bound, "");
			if share >= 0.3 {
				let seen = Case {
					power: DETECTION / CALIBRATED,
					..case
				};
				let parameters = format!("α = {} of the bonds, power d/⅔", percent(share));
				self.cheat(
					"colluding executor, auditors, jurors",
					parameters,
					&seen,
					Bound::Nothing,
					"",
				);
			}
		}
		let two_classes = Case {
			nodes: Network {
				of_class: 0.4,
				..Network::of(0.2)
			}
			.nodes(),
			plan: Plan {
				executor: Executor::Cheats,
				auditor: Auditor::Covers,
				jury: Jury::Covers,
				forced: false,
			},
			..executor(Executor::Cheats)
		};
		let parameters = "α = 20 %, half of the others of its class".into();
		let note = "a seat for its class may be enough for Void";
		self.cheat(
			"colluding, two device classes",
			parameters,
			&two_classes,
			Bound::Nothing,
			note,
		);
	}

	pub(super) fn device_classes(&mut self) {
		for of_class in [0.10, 0.05, 0.02, 0.0] {
			let network = Network {
				of_class,
				..Network::LONE
			};
			let case = Case {
				nodes: network.nodes(),
				..executor(Executor::Cheats)
			};
			let parameters = format!("{} of the others are of its class", percent(of_class));
			let note = "one of its class and another convict it, or all three do";
			self.cheat("cheats in a rare device class", parameters, &case, Bound::Nothing, note);
		}
		// Who is most of a class sits in the jury as the first, and without it nobody is convicted.
		for (share, of_class) in [
			(0.02, 0.0),
			(0.05, 0.0),
			(0.10, 0.0),
			(0.20, 0.0),
			(0.10, 0.05),
			(0.10, 0.10),
			(0.10, 0.20),
		] {
			let case = Case {
				nodes: Network {
					of_class,
					..Network::of(share)
				}
				.nodes(),
				plan: Plan {
					executor: Executor::Cheats,
					auditor: Auditor::Covers,
					jury: Jury::Covers,
					forced: false,
				},
				..executor(Executor::Cheats)
			};
			let parameters = format!("α = {}, honest of its class: {}", percent(share), percent(of_class));
			// From half of the class on: a rule of the design, so that nobody is convicted by roundings of other hardware.
			let (bound, note) = match share >= 0.05 && share >= 2.0 * of_class {
				true => (Bound::Stated(0.85), "the class's seat in the jury is theirs: Void"),
				false => (Bound::Nothing, ""),
			};
			self.cheat("colluding in a rare device class", parameters, &case, bound, note);
		}
	}

	/// A coalition that makes jurors disagree until slashing is suspended, for the sake of the jobs that are open then.
	pub(super) fn suspension(&mut self) {
		for (tactic, slots, share, jobs) in [
			(Tactic::Cheats, 1, 0.05, 1.0),
			(Tactic::Cheats, 1, 0.10, 1.0),
			(Tactic::Cheats, 1, 0.20, 1.0),
			(Tactic::Cheats, 1, 0.33, 1.0),
			(Tactic::Cheats, 1, 0.20, 0.20),
			(Tactic::Cheats, 1, 0.33, 0.33),
			(Tactic::Waits, 1, 0.05, 1.0),
			(Tactic::Waits, 1, 0.05, 0.05),
			(Tactic::Waits, 1, 0.10, 0.10),
			(Tactic::Waits, 1, 0.20, 0.20),
			(Tactic::Waits, 1, 0.33, 0.33),
			(Tactic::Forces(12), 1, 0.10, 0.10),
			(Tactic::Forces(8), 1, 0.20, 0.20),
			(Tactic::Forces(5), 1, 0.33, 0.33),
			(Tactic::Forces(5), 4, 0.33, 0.33),
			(Tactic::Spares, 4, 0.10, 1.0),
			(Tactic::Spares, 4, 0.20, 0.20),
		] {
			let mut rng = self.rng();
			let nodes = Network::of(share).nodes();
			let (mut gain, mut done, mut suspensions) = (Mean::default(), Mean::default(), Mean::default());
			let (mut ended, mut balanced) = (0u32, true);
			for _ in 0..CAMPAIGNS {
				let campaign = Campaign::run(&mut rng, &nodes, tactic, DETECTION, slots, jobs);
				gain.add(campaign.gained / (jobs * JOBS as f64));
				done.add(campaign.jobs as f64);
				suspensions.add(f64::from(campaign.suspensions));
				ended += u32::from(campaign.suspended);
				balanced &= campaign.balanced;
			}
			// What is open gains what a cheat saves. A third gains on what came before, too, and may suspend twice.
			let open = 0.8 * Campaign::open(NODES, slots) as f64 / JOBS as f64;
			let bound = match (tactic, share) {
				// Who cheats before it can suspend anything loses more.
				(Tactic::Cheats, ..0.15) => Bound::Nothing,
				(Tactic::Cheats, ..0.3) if jobs < 1.0 => Bound::Nothing,
				(_, 0.3..) => Bound::Stated(1.5 * open),
				_ => Bound::Stated(open),
			};
			let parameters = format!(
				"α = {}, does {} of the jobs, {slots} per node",
				percent(share),
				percent(jobs)
			);
			let note = format!(
				"ends the version in {ended} of {CAMPAIGNS}, suspends it {:.1} times; {:.0} jobs, {:+.0} R in all",
				suspensions.mean(),
				done.mean(),
				gain.mean() * jobs * JOBS as f64
			);
			self.rows.push(Row {
				strategy: tactic.name(),
				parameters,
				gain: gain.mean(),
				error: gain.error(),
				harm: None,
				bound,
				sound: balanced,
				note,
			});
		}
	}
}
