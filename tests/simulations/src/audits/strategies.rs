//! The strategies, what each may gain at most, and what it does gain.

mod auditors;
mod authors;
mod batches;
mod coalitions;
mod executors;
mod griefers;
mod rejected;

use crate::{
	audits::game::{play, Auditor, Executor, Jury, Ledger, Luck, Node, Outcome, Plan, Terms, HONEST, REWARD},
	statistics::Mean,
};
use highway_primitives::Verdict;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sp_arithmetic::Perbill;

/// Nodes of the simulated network; its bonds are equal.
const NODES: usize = 100;

/// The least detection power that the registry accepts, and the one for which most is at stake.
const DETECTION: f64 = 0.5;

/// What a version's calibrated d is of the least power that was measured.
const CALIBRATED: f64 = 2.0 / 3.0;

/// Campaigns that are averaged.
const CAMPAIGNS: u32 = 40;

/// What a strategy may gain.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bound {
	/// Nothing.
	Nothing,
	/// Something, at most so many R per job: the design says that it is left over.
	Stated(f64),
	/// More than nothing: a rule that was rejected, on which the simulation must see the gain.
	RejectedRule,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Row {
	/// What is done.
	pub strategy: &'static str,
	/// Under which circumstances.
	pub parameters: String,
	/// Expected gain per job in R, compared with honest work.
	pub gain: f64,
	/// Standard error of the gain.
	pub error: f64,
	/// What an honest executor loses per job in R, where somebody wants to hurt it.
	pub harm: Option<f64>,
	/// What the gain may be.
	pub bound: Bound,
	/// What else must hold, and does.
	pub sound: bool,
	/// What the line says beside its numbers.
	pub note: String,
}

impl Row {
	/// Whether the gain is within its bound, with three standard errors to spare.
	pub fn passes(&self) -> bool {
		let spare = 3.0 * self.error;
		let within = match self.bound {
			Bound::Nothing => self.gain + spare <= 0.0,
			Bound::Stated(most) => self.gain + spare <= most,
			Bound::RejectedRule => self.gain - spare > 0.0,
		};
		within && self.sound
	}
}

/// Whose network it is.
#[derive(Clone, Copy)]
struct Network {
	/// Share of the bonds that is ours.
	share: f64,
	/// Whether the executor is ours.
	executor: bool,
	/// Share of the nodes, the executor apart, that is honest and of the executor's device class.
	of_class: f64,
	/// How many nodes there are.
	size: usize,
}

impl Network {
	/// Nodes of one device class, of which the executor alone is ours.
	const LONE: Self = Self {
		share: 0.0,
		executor: true,
		of_class: 1.0,
		size: NODES,
	};

	fn of(share: f64) -> Self {
		Self { share, ..Self::LONE }
	}

	/// Ours are of the executor's class; of the honest ones so many as said.
	fn nodes(self) -> Vec<Node> {
		let count = |share: f64| (share * self.size as f64).round() as usize;
		let ours = count(self.share).max(usize::from(self.executor));
		let mut nodes = vec![
			Node {
				bond: 1_000,
				class: 1,
				ours: false,
			};
			self.size
		];
		if !self.executor {
			// The victim: an honest executor.
			nodes[0].class = 0;
		}
		let first = usize::from(!self.executor);
		nodes
			.iter_mut()
			.skip(first)
			.take(ours)
			.for_each(|node| (node.ours, node.class) = (true, 0));
		nodes
			.iter_mut()
			.skip(first + ours)
			.take(count(self.of_class))
			.for_each(|node| node.class = 0);
		nodes
	}
}

/// What a game is played for.
struct Case {
	nodes: Vec<Node>,
	terms: Terms,
	plan: Plan,
	/// Probability that whoever runs the job sees the cheat.
	power: f64,
	/// Share of the jobs on which the strategy is played.
	jobs: f64,
}

/// What an executor does alone, with a power as low as the calibrated one.
fn executor(executor: Executor) -> Case {
	Case {
		nodes: Network::LONE.nodes(),
		terms: Terms::new(Perbill::from_rational(1u32, 2)),
		plan: Plan { executor, ..HONEST },
		power: DETECTION,
		jobs: 1.0,
	}
}

fn judge(share: f64, auditor: Auditor, jury: Jury) -> Case {
	let network = Network {
		executor: false,
		..Network::of(share)
	};
	Case {
		nodes: network.nodes(),
		plan: Plan {
			auditor,
			jury,
			..HONEST
		},
		..executor(Executor::Honest)
	}
}

/// What came out.
struct Found {
	gain: f64,
	error: f64,
	/// What an honest executor loses per job.
	executor: f64,
	honest_slashed: u32,
	/// Whether no unit was made or lost.
	balanced: bool,
	/// Share of the audits that cost the executor its pay, or more.
	unpaid: f64,
}

/// All strategies.
pub struct Simulation {
	/// Games per line.
	pub samples: u32,
	/// Seed of all chance.
	pub seed: u64,
	/// Lines so far.
	pub rows: Vec<Row>,
}

fn percent(share: f64) -> String {
	let percent = 100.0 * share;
	match percent.fract().abs() < 1e-9 {
		true => format!("{percent:.0} %"),
		false => format!("{percent:.2} %"),
	}
}

fn in_rewards(amount: i128) -> f64 {
	amount as f64 / REWARD as f64
}

impl Simulation {
	fn rng(&self) -> ChaCha8Rng {
		// A line's chance depends on its place only.
		ChaCha8Rng::seed_from_u64(self.seed.wrapping_add(self.rows.len() as u64))
	}

	/// Plays both branches of the draw, weighs them with its probability, and compares each game with the honest one that
	/// has the same luck.
	fn compare(&self, case: &Case) -> Found {
		let mut rng = self.rng();
		let rate = f64::from(case.terms.rate.deconstruct()) / 1e9;
		let mut gain = Mean::default();
		let mut executor = 0.0;
		let (mut honest_slashed, mut unpaid, mut balanced) = (0, 0u32, true);
		for _ in 0..self.samples {
			let luck = Luck::new(&mut rng, case.power);
			let mut gained = 0.0;
			for (audited, weight) in [(false, 1.0 - rate), (true, rate)] {
				let Outcome {
					ledger,
					verdict,
					honest_slashed: slashed,
					..
				} = play(&case.nodes, &case.terms, &case.plan, &luck, audited);
				let honest: Ledger = play(&case.nodes, &case.terms, &HONEST, &luck, audited).ledger;
				let payer_of_ours = if case.plan.forced {
					ledger.payer - honest.payer
				} else {
					0
				};
				gained += weight * in_rewards(ledger.ours - honest.ours + payer_of_ours);
				executor += weight * in_rewards(honest.executor - ledger.executor);
				honest_slashed += slashed;
				balanced &= ledger.balance() == 0 && honest.balance() == 0;
				let paid = matches!(verdict, Verdict::Upheld | Verdict::Unaudited);
				unpaid += u32::from(audited && !paid);
			}
			gain.add(case.jobs * gained);
		}
		let all = f64::from(self.samples);
		Found {
			gain: gain.mean(),
			error: gain.error(),
			executor: executor / all,
			honest_slashed,
			balanced,
			unpaid: f64::from(unpaid) / all,
		}
	}

	fn line(&mut self, strategy: &'static str, parameters: String, found: &Found, bound: Bound, note: String) {
		self.rows.push(Row {
			strategy,
			parameters,
			gain: found.gain,
			error: found.error,
			harm: None,
			bound,
			sound: found.balanced,
			note,
		});
	}

	/// A cheat of an executor: no honest node may be slashed for it.
	fn cheat(&mut self, strategy: &'static str, parameters: String, case: &Case, bound: Bound, note: &str) {
		let found = self.compare(case);
		let note = match note {
			"" => format!("{} of its audits cost it the pay", percent(round(found.unpaid))),
			note => note.into(),
		};
		self.line(strategy, parameters, &found, bound, note);
	}

	/// Runs all of them.
	pub fn run(&mut self) {
		self.honest();
		self.alone();
		self.auditors();
		self.coalitions();
		self.device_classes();
		self.suspension();
		self.authors();
		self.griefers();
		self.rejected_rules();
		self.batches();
	}
}

fn round(share: f64) -> f64 {
	(share * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn lines_should_be_the_same_when_the_seed_is() {
		let lines = || {
			let mut simulation = Simulation {
				samples: 200,
				seed: 7,
				rows: Vec::new(),
			};
			simulation.alone();
			simulation.rows.iter().map(|row| row.gain.to_bits()).collect::<Vec<_>>()
		};
		assert_eq!(lines(), lines());
	}

	#[test]
	fn lazy_should_lose_what_the_formula_says() {
		let simulation = Simulation {
			samples: 20_000,
			seed: 7,
			rows: Vec::new(),
		};
		let found = simulation.compare(&executor(Executor::Cheats));
		// s - q · d · (R + S) = 0.8 - 1.6
		assert!(
			(found.gain + 0.8).abs() < 4.0 * found.error,
			"{} ± {}",
			found.gain,
			found.error
		);
		assert!(found.balanced && found.honest_slashed == 0);
	}
}
