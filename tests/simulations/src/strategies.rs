//! The strategies, what each may gain at most, and what it does gain.

use crate::{
	campaign::{Campaign, Tactic, JOBS},
	game::{play, Auditor, Executor, Jury, Ledger, Luck, Node, Outcome, Plan, Terms, HONEST, REWARD},
	slots::{drawn_behind_deadline, drawn_when_timed, steering, Rule},
};
use highway_math::audit;
use highway_primitives::Verdict;
use pallet_proof_of_work_done::may_slash;
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

/// Mean and standard error.
#[derive(Default)]
struct Mean {
	count: f64,
	sum: f64,
	squares: f64,
}

impl Mean {
	fn add(&mut self, value: f64) {
		self.count += 1.0;
		self.sum += value;
		self.squares += value * value;
	}

	fn mean(&self) -> f64 {
		self.sum / self.count
	}

	fn error(&self) -> f64 {
		let variance = (self.squares / self.count - self.mean().powi(2)).max(0.0);
		(variance / self.count).sqrt()
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
	}

	fn honest(&mut self) {
		let found = self.compare(&executor(Executor::Honest));
		let note = "nobody is slashed, in whatever audit".into();
		self.line("honest", "everybody".into(), &found, Bound::Nothing, note);
		if let Some(row) = self.rows.last_mut() {
			row.sound &= found.honest_slashed == 0 && found.gain == 0.0 && found.unpaid == 0.0;
		}
	}

	fn alone(&mut self) {
		for detection in [0.5, 0.75, 1.0] {
			let case = Case {
				terms: Terms::new(Perbill::from_float(detection)),
				power: detection,
				..executor(Executor::Cheats)
			};
			let parameters = format!("d = {detection}, seen as rarely as calibrated");
			self.cheat("lazy: always cheats", parameters, &case, Bound::Nothing, "");
		}
		for jobs in [0.01, 0.05, 0.25, 1.0] {
			let case = Case {
				jobs,
				..executor(Executor::Cheats)
			};
			let note = "each single job loses: no share is small enough";
			let parameters = format!("x = {}, d = {DETECTION}", percent(jobs));
			self.cheat("partial: cheats on a share x", parameters, &case, Bound::Nothing, note);
		}
		let previous = Case {
			power: 1.0,
			..executor(Executor::Cheats)
		};
		let parameters = format!("d = {DETECTION}, always seen");
		self.cheat("previous output", parameters, &previous, Bound::Nothing, "");
		let int8 = Case {
			power: DETECTION / CALIBRATED,
			..executor(Executor::Cheats)
		};
		let parameters = format!("d = {DETECTION} = ⅔ of its power");
		self.cheat("int8 copy", parameters, &int8, Bound::Nothing, "");
		let silent = Case {
			power: DETECTION,
			..executor(Executor::HidesWhenAccused)
		};
		let parameters = format!("d = {DETECTION}, after the auditor's No");
		let note = "silence costs S as well; the auditor has 2 R at once";
		self.cheat(
			"silence instead of a wrong opening",
			parameters,
			&silent,
			Bound::Nothing,
			note,
		);
		self.hides();
		let small = Case {
			terms: Terms {
				slash_silence: may_slash::<u64>(4, None),
				slash_by_jury: false,
				..Terms::new(Perbill::from_float(DETECTION))
			},
			..executor(Executor::Cheats)
		};
		let note = "it risks the pay only: left over, docs/ECONOMICS.md";
		let parameters = "under five operators, or not calibrated".into();
		self.cheat(
			"cheats where nobody may be slashed",
			parameters,
			&small,
			Bound::Stated(0.8),
			note,
		);
	}

	/// Hiding the output: from auditors, who say `Missing` with the sketch of their own run, or from jurors only.
	fn hides(&mut self) {
		const FROM_AUDITORS: &str = "hides the output from auditors";
		const FROM_JURORS: &str = "hides the output from jurors";
		let note = "the auditor's sketch convicts it";
		for (name, seen) in [("a trace", 1.0), ("a trace, sketches alone see ⅔", 2.0 / 3.0)] {
			let case = Case {
				power: DETECTION * seen,
				..executor(Executor::Withholds)
			};
			let parameters = format!("d = {DETECTION}, {name}");
			self.cheat(FROM_AUDITORS, parameters, &case, Bound::Nothing, note);
		}
		let jury = executor(Executor::HidesFromJury);
		let parameters = format!("d = {DETECTION}, a trace");
		self.cheat(FROM_JURORS, parameters, &jury, Bound::Nothing, "");
		for (strategy, plan) in [
			(FROM_AUDITORS, Executor::Withholds),
			(FROM_JURORS, Executor::HidesFromJury),
		] {
			let mut case = executor(plan);
			case.terms = case.terms.exact();
			let parameters = format!("d = {DETECTION}, no trace, equal bytes");
			self.cheat(strategy, parameters, &case, Bound::Nothing, "");
			case.terms = case.terms.without_trace();
			let parameters = format!("d = {DETECTION}, no trace, a tolerance");
			let note = "Void costs the pay only: left over, README of the pallet";
			self.cheat(strategy, parameters, &case, Bound::Stated(0.8), note);
		}
		let colluding = Case {
			nodes: Network::of(0.2).nodes(),
			plan: Plan {
				executor: Executor::Withholds,
				auditor: Auditor::Covers,
				jury: Jury::Covers,
				forced: false,
			},
			..executor(Executor::Withholds)
		};
		let parameters = "colluding: α = 20 %, a trace".into();
		self.cheat(FROM_AUDITORS, parameters, &colluding, Bound::Nothing, "");
		let other = executor(Executor::OtherOutput);
		let note = "right sketch, wrong output: paid, nothing saved, and the payer has no result; README of the pallet";
		let parameters = "runs the model, attests another output".into();
		self.cheat(FROM_JURORS, parameters, &other, Bound::Nothing, note);
	}

	fn auditors(&mut self) {
		let share = 0.05;
		let lazy = judge(share, Auditor::Invents, Jury::Honest);
		let parameters = format!("{} of the bonds, a trace", percent(share));
		let note = "its sketch is not the executor's: the jury convicts it";
		self.cheat("lazy auditor: votes Yes", parameters, &lazy, Bound::Nothing, note);
		let misses = judge(share, Auditor::Misses, Jury::Honest);
		let parameters = format!("{} of the bonds, a trace", percent(share));
		self.cheat("lazy auditor: says Missing", parameters, &misses, Bound::Nothing, note);
		let copies = Case {
			terms: lazy.terms.without_trace(),
			..judge(share, Auditor::Copies, Jury::Honest)
		};
		let rate = f64::from(copies.terms.rate.deconstruct()) / 1e9;
		let parameters = format!("{} of the bonds, no trace", percent(share));
		let note = "nobody can tell; up to its bonds' share of q·s";
		let bound = Bound::Stated(rate * 0.8 * share * 1.5);
		self.cheat("lazy auditor: copies the output", parameters, &copies, bound, note);
		// What lazy auditors leave of deterrence: auditors of others say Yes to every cheat.
		for share in [0.25, 0.45] {
			let network = Network::of(share);
			let case = Case {
				nodes: network.nodes(),
				terms: lazy.terms.without_trace(),
				plan: Plan {
					executor: Executor::Cheats,
					auditor: Auditor::Copies,
					..HONEST
				},
				..executor(Executor::Cheats)
			};
			let parameters = format!("{} of the bonds copy, no trace", percent(share));
			let note = "what copiers save is in it; deterred while under half of the bonds copy";
			self.cheat("cheats among lazy auditors", parameters, &case, Bound::Nothing, note);
		}
	}

	fn coalitions(&mut self) {
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

	fn device_classes(&mut self) {
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
	fn suspension(&mut self) {
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

	/// Gain of a lone cheat whose job is drawn with this probability.
	fn if_drawn(probability: f64) -> f64 {
		let lost = DETECTION * f64::from(audit::SECURITY_FACTOR + 1);
		0.8 - probability * lost
	}

	fn authors(&mut self) {
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

	fn author(&mut self, strategy: &'static str, share: f64, gain: &Mean, bound: Bound, note: &str) {
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

	fn grief(&mut self, strategy: &'static str, parameters: String, found: &Found, harm: f64, note: String) {
		self.line(strategy, parameters, found, Bound::Nothing, note);
		if let Some(row) = self.rows.last_mut() {
			row.harm = Some(harm);
		}
	}

	fn griefers(&mut self) {
		let forced = Case {
			plan: Plan { forced: true, ..HONEST },
			..judge(0.0, Auditor::Honest, Jury::Honest)
		};
		let found = self.compare(&forced);
		let note = String::from("2 R for nothing; the executor is judged, and paid");
		self.grief(
			"payer forces an audit",
			"of honest work".into(),
			&found,
			found.executor,
			note,
		);
		for share in [0.05, 0.10, 0.20, 0.33] {
			let case = judge(share, Auditor::Accuses, Jury::Covers);
			let found = self.compare(&case);
			let note = format!(
				"an honest executor is slashed in {} of its audits",
				percent(round(f64::from(found.honest_slashed) / f64::from(self.samples)))
			);
			let parameters = format!("α = {} of the bonds", percent(share));
			self.grief("false No, jurors collude", parameters, &found, found.executor, note);
		}
		let alone = judge(0.01, Auditor::Accuses, Jury::Honest);
		let found = self.compare(&alone);
		let note = "the jury convicts the auditor; the executor waits".into();
		self.grief(
			"false No",
			"one auditor of a hundred".into(),
			&found,
			found.executor,
			note,
		);
		let misses = judge(0.01, Auditor::Misses, Jury::Honest);
		let found = self.compare(&misses);
		let note = "the executor proves a chunk; the sketch convicts the auditor".into();
		let parameters = "one auditor of a hundred, a trace".into();
		self.grief("false Missing", parameters, &found, found.executor, note);
		for share in [0.01, 0.10, 0.33] {
			let mut misses = judge(share, Auditor::Misses, Jury::Honest);
			misses.terms = misses.terms.without_trace();
			let found = self.compare(&misses);
			let note = "the next auditor; after three of them Void".into();
			let parameters = format!("α = {} of the bonds, no trace", percent(share));
			self.grief("false Missing", parameters, &found, found.executor, note);
		}
		for share in [0.01, 0.05, 0.10, 0.20, 0.33] {
			let mut alone = judge(share, Auditor::Accuses, Jury::Covers);
			alone.nodes.iter_mut().skip(1).for_each(|node| node.class = 1);
			let found = self.compare(&alone);
			let note = format!(
				"Void, or an honest executor is slashed, in {} of its audits",
				percent(round(found.unpaid))
			);
			let parameters = format!("α = {}, executor alone in its device class", percent(share));
			self.grief("false No, jurors collude", parameters, &found, found.executor, note);
		}
		for share in [0.02, 0.05, 0.10, 0.20] {
			let mut joined = judge(share, Auditor::Accuses, Jury::Covers);
			joined.nodes = Network {
				executor: false,
				of_class: 0.0,
				..Network::of(share)
			}
			.nodes();
			let found = self.compare(&joined);
			let note = format!(
				"Void, or an honest executor is slashed, in {} of its audits",
				percent(round(found.unpaid))
			);
			let parameters = format!("α = {}, nobody else of the executor's class", percent(share));
			let harm = found.executor;
			self.line(
				"false No, jurors collude",
				parameters,
				&found,
				Bound::Stated(0.05),
				note,
			);
			if let Some(row) = self.rows.last_mut() {
				row.harm = Some(harm);
			}
		}
	}

	/// Here the simulation must find a gain, or it would find none where there is one.
	fn rejected_rules(&mut self) {
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
