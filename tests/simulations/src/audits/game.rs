//! One job, from its attestation to its end, played by people who want something.
//!
//! The steps are those of `pallet_proof_of_work_done`. Rates, securities and shares are computed by `highway_math`, the
//! jury's finding and what may be slashed by the pallet itself: neither is written here a second time.

use highway_math::{audit, draw, split};
use highway_primitives::{audit::AuditTerms, Ballot, Sketch, Verdict, Vote};
use pallet_proof_of_work_done::{
	verdict::{self, Finding, Juror},
	JURORS, MAX_AUDITORS,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sp_arithmetic::Perbill;

/// The compute line R in the smallest units: one AIC.
pub const REWARD: u128 = 1_000_000_000_000;

/// How far two honest sketches may lie apart here.
const TOLERANCE: u64 = 1_000;

/// A node, each of its own operator.
#[derive(Clone, Copy, Debug)]
pub struct Node {
	/// Own bond, in any unit.
	pub bond: u64,
	/// Device class.
	pub class: u8,
	/// Whether it plays the strategy. All others are honest.
	pub ours: bool,
}

/// What an executor does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Executor {
	/// Runs the model.
	Honest,
	/// Runs something cheaper.
	Cheats,
	/// Runs something cheaper on this share of the inputs of a job of many, and the model on the others.
	CheatsOn(Perbill),
	/// Runs something cheaper, and does not open its commitment once it is accused.
	HidesWhenAccused,
	/// Runs something cheaper, gives the output to nobody who judges, and proves each drawn chunk.
	Withholds,
	/// Runs something cheaper, and gives the output to auditors, not to jurors.
	HidesFromJury,
	/// Runs the model, commits to its sketch, and attests another output. It shows that to auditors; of the jurors to one
	/// that is honest, if one of ours is among them, so that nobody agrees with anybody; else to none, who go by the sketch.
	OtherOutput,
}

impl Executor {
	/// Whether it runs the model on all inputs.
	fn runs(self) -> bool {
		matches!(self, Self::Honest | Self::OtherOutput)
	}

	/// The share of the inputs on which it runs the model.
	fn done(self) -> Perbill {
		match self {
			Self::CheatsOn(wrong) => Perbill::one() - wrong,
			_ if self.runs() => Perbill::one(),
			_ => Perbill::zero(),
		}
	}
}

/// What an auditor of ours does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Auditor {
	/// Runs the job and says what it finds.
	Honest,
	/// Says Yes with the sketch that our executor told it; of others' jobs, the truth.
	Covers,
	/// Says Yes with a sketch out of thin air.
	Invents,
	/// Says Yes with a sketch of the public output.
	Copies,
	/// Says No, whatever is true.
	Accuses,
	/// Says that nobody serves the output, which somebody does, with a sketch out of thin air.
	Misses,
}

/// What jurors of ours do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jury {
	/// Run the job and say what they find.
	Honest,
	/// Say what helps our executor or auditor, with one sketch.
	Covers,
	/// Say what no other says, so that nobody agrees with anybody.
	Disputes,
}

/// Who does what.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
	/// The executor, if it is ours.
	pub executor: Executor,
	/// Auditors of ours.
	pub auditor: Auditor,
	/// Jurors of ours.
	pub jury: Jury,
	/// Whether a payer of ours forces the audit.
	pub forced: bool,
}

/// Everybody is honest.
pub const HONEST: Plan = Plan {
	executor: Executor::Honest,
	auditor: Auditor::Honest,
	jury: Jury::Honest,
	forced: false,
};

/// What the chain knows of a job.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
	/// Reserved of executor, auditor and each juror.
	pub security: u128,
	/// Probability of an audit.
	pub rate: Perbill,
	/// What the payer adds for audits.
	pub premium: u128,
	/// How far two sketches may lie apart.
	pub tolerance: u64,
	/// Whether silence may be slashed.
	pub slash_silence: bool,
	/// Whether a jury may slash.
	pub slash_by_jury: bool,
}

impl Terms {
	/// A job of a version with this detection power, in a network in which everything may be slashed.
	pub fn new(detection: Perbill) -> Self {
		Self::secured(detection, audit::security(REWARD, audit::SECURITY_FACTOR))
	}

	/// The same with another security.
	pub fn secured(detection: Perbill, security: u128) -> Self {
		let rate = audit::rate(REWARD, security, detection);
		Self {
			security,
			rate,
			premium: audit::premium(rate, REWARD).unwrap_or(u128::MAX),
			tolerance: TOLERANCE,
			slash_silence: true,
			slash_by_jury: true,
		}
	}

	/// A version without a trace whose policy is a tolerance: sketches say nothing.
	pub fn without_trace(self) -> Self {
		Self {
			tolerance: u64::MAX,
			..self
		}
	}

	/// A version without a trace whose policy asks for equal bytes: so do sketches.
	pub fn exact(self) -> Self {
		Self { tolerance: 0, ..self }
	}

	fn compares_sketches(&self) -> bool {
		AuditTerms {
			owner: (),
			tolerance: self.tolerance,
		}
		.compares_sketches()
	}
}

/// What chance decides, drawn before: the same for a strategy and for the honest game that it is compared with.
pub struct Luck {
	/// Whether whoever runs the job sees the cheat: of many inputs, whether a wrong one was drawn, too.
	pub noticed: bool,
	auditors: [[u8; 32]; MAX_AUDITORS],
	jurors: [[u8; 32]; JURORS],
}

impl Luck {
	/// `power`: the probability that whoever runs the job sees the cheat.
	pub fn new(rng: &mut impl Rng, power: f64) -> Self {
		Self {
			noticed: rng.gen_bool(power),
			auditors: rng.gen(),
			jurors: rng.gen(),
		}
	}
}

/// What everybody won and lost, in the smallest units. Money only moves: the sum is 0.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Ledger {
	/// Nodes that play the strategy, their work subtracted.
	pub ours: i128,
	/// An honest executor.
	pub executor: i128,
	/// Honest auditors and jurors.
	pub judges: i128,
	/// The payer.
	pub payer: i128,
	/// The audit pot; below 0 it owes.
	pub pot: i128,
	/// The treasury.
	pub treasury: i128,
	/// What is burned.
	pub burned: i128,
	/// What computing cost: it is subtracted from those who did it.
	pub work: i128,
}

impl Ledger {
	/// 0 if every unit that one lost another one has.
	pub fn balance(&self) -> i128 {
		let nodes = self.ours + self.executor + self.judges;
		nodes + self.payer + self.pot + self.treasury + self.burned + self.work
	}
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Outcome {
	/// Who has what.
	pub ledger: Ledger,
	/// The verdict.
	pub verdict: Verdict,
	/// Whether a jury disagreed.
	pub disputed: bool,
	/// Honest nodes that were slashed.
	pub honest_slashed: u32,
}

struct Game<'a> {
	nodes: &'a [Node],
	terms: &'a Terms,
	plan: &'a Plan,
	luck: &'a Luck,
	executor: Executor,
	ledger: Ledger,
	honest_slashed: u32,
	disputed: bool,
}

/// The executor is this node.
const EXECUTOR: usize = 0;

/// Plays one job. `audited`: whether the draw hits.
pub fn play(nodes: &[Node], terms: &Terms, plan: &Plan, luck: &Luck, audited: bool) -> Outcome {
	let executor = match nodes[EXECUTOR].ours {
		true => plan.executor,
		false => Executor::Honest,
	};
	let mut game = Game {
		nodes,
		terms,
		plan,
		luck,
		executor,
		ledger: Ledger::default(),
		honest_slashed: 0,
		disputed: false,
	};
	game.ledger.payer -= signed(REWARD + terms.premium);
	game.works_on(EXECUTOR, executor.done());
	if plan.forced {
		game.ledger.payer -= 2 * signed(REWARD);
	}
	let verdict = match audited || plan.forced {
		true => game.audit(),
		false => Verdict::Upheld,
	};
	game.settle(verdict);
	Outcome {
		ledger: game.ledger,
		verdict,
		disputed: game.disputed,
		honest_slashed: game.honest_slashed,
	}
}

fn signed(amount: u128) -> i128 {
	amount.try_into().expect("amounts here are far below 2¹²⁷; qed")
}

fn sketch(sum: i64) -> Sketch {
	Sketch {
		sums: [sum; 16],
		..Default::default()
	}
}

/// Sketches of: the true values, a cheat that is noticed, what colluding jurors agreed on.
const TRUE: i64 = 1_000_000;
const WRONG: i64 = 2_000_000;
const AGREED: i64 = 3_000_000;

/// A sketch that no other node has.
fn invented(node: usize) -> Sketch {
	sketch(10_000_000 + 1_000_000 * i64::try_from(node).unwrap_or_default())
}

impl Game<'_> {
	fn account(&mut self, node: usize) -> &mut i128 {
		match (self.nodes[node].ours, node) {
			(true, _) => &mut self.ledger.ours,
			(false, EXECUTOR) => &mut self.ledger.executor,
			(false, _) => &mut self.ledger.judges,
		}
	}

	fn pay(&mut self, node: usize, amount: u128) {
		*self.account(node) += signed(amount);
	}

	/// The node runs the job: what a cheat saves.
	fn works(&mut self, node: usize) {
		self.works_on(node, Perbill::one());
	}

	/// The node runs this share of the job.
	fn works_on(&mut self, node: usize, share: Perbill) {
		let cost = signed(share * (audit::SAVING * REWARD));
		*self.account(node) -= cost;
		self.ledger.work += cost;
	}

	fn settle(&mut self, verdict: Verdict) {
		let premium = signed(self.terms.premium);
		match verdict {
			Verdict::Upheld => {
				self.pay(EXECUTOR, REWARD);
				self.ledger.pot += premium;
			}
			Verdict::Unaudited => {
				self.pay(EXECUTOR, REWARD);
				self.ledger.payer += premium;
			}
			Verdict::Rejected | Verdict::Void => self.ledger.payer += signed(REWARD) + premium,
		}
		if self.plan.forced {
			let bond = 2 * signed(REWARD);
			match verdict {
				Verdict::Upheld => self.ledger.pot += bond,
				_ => self.ledger.payer += bond,
			}
		}
	}

	/// By own bond, of an operator that is not among the parties: `draw_judge` of node staking, which gives up after some
	/// nodes that are of another class.
	fn draw(&self, seed: &[u8; 32], parties: &[usize], class: Option<u8>) -> Option<usize> {
		let mut weights: Vec<u64> = self.nodes.iter().map(|node| node.bond).collect();
		parties.iter().for_each(|party| weights[*party] = 0);
		let mut seeds = ChaCha8Rng::from_seed(*seed);
		for _ in 0..audit::JUDGE_TRIES {
			let node = draw::weighted(&seeds.gen(), &weights)?;
			if class.is_none_or(|class| self.nodes[node].class == class) {
				return Some(node);
			}
			weights[node] = 0;
		}
		None
	}

	/// Whether the sketch that the executor opens differs from that of whoever runs the job.
	fn is_sketch_wrong(&self) -> bool {
		!self.executor.runs() && self.luck.noticed
	}

	/// Whether whoever runs the job, and has the output, finds it wrong.
	fn is_output_wrong(&self) -> bool {
		self.is_sketch_wrong() || self.executor == Executor::OtherOutput
	}

	fn opened(&self) -> Sketch {
		sketch(if self.is_sketch_wrong() { WRONG } else { TRUE })
	}

	fn agrees(&self, a: &Sketch, b: &Sketch) -> bool {
		a.agrees_with(b, self.terms.tolerance)
	}

	fn audit(&mut self) -> Verdict {
		let mut parties = vec![EXECUTOR];
		let mut missed = false;
		let luck = self.luck;
		for seed in &luck.auditors {
			let Some(auditor) = self.draw(seed, &parties, None) else {
				break;
			};
			parties.push(auditor);
			let ballot = self.auditor_says(auditor);
			match ballot.vote {
				Vote::Abstain => continue,
				// The executor proves the chunk, and nothing else can be compared: the next auditor.
				Vote::Missing if !self.terms.compares_sketches() => {
					missed = true;
					continue;
				}
				Vote::No if self.executor == Executor::HidesWhenAccused => {
					if !self.terms.slash_silence {
						self.share_out(0, &[], Some(auditor));
						return Verdict::Void;
					}
					let taken = self.slash(EXECUTOR);
					self.share_out(taken, &[], Some(auditor));
					return Verdict::Rejected;
				}
				_ => {}
			}
			// Of one that missed the output counts the sketch alone.
			if ballot.vote != Vote::No && self.agrees(&self.opened(), &ballot.sketch) {
				self.share_out(0, &[], Some(auditor));
				return Verdict::Upheld;
			}
			return self.jury(auditor, &ballot, parties);
		}
		match missed {
			true => Verdict::Void,
			false => Verdict::Unaudited,
		}
	}

	fn auditor_says(&mut self, node: usize) -> Ballot {
		let covers_us = self.nodes[EXECUTOR].ours && self.executor != Executor::Honest;
		let plan = match (self.nodes[node].ours, self.plan.auditor) {
			(false, _) => Auditor::Honest,
			(true, Auditor::Covers) if !covers_us => Auditor::Honest,
			(true, plan) => plan,
		};
		let (vote, sketch) = match plan {
			Auditor::Honest => {
				self.works(node);
				let vote = match (self.executor, self.is_output_wrong()) {
					(Executor::Withholds, _) => Vote::Missing,
					(_, true) => Vote::No,
					(_, false) => Vote::Yes,
				};
				(vote, sketch(TRUE))
			}
			// It wants a jury.
			Auditor::Covers if self.executor == Executor::OtherOutput => (Vote::No, self.opened()),
			Auditor::Covers | Auditor::Copies => (Vote::Yes, self.opened()),
			Auditor::Invents => (Vote::Yes, invented(node)),
			Auditor::Accuses => (Vote::No, invented(node)),
			Auditor::Misses => (Vote::Missing, invented(node)),
		};
		Ballot {
			vote,
			auditor_right: true,
			sketch,
		}
	}

	fn jury(&mut self, auditor: usize, said: &Ballot, mut parties: Vec<usize>) -> Verdict {
		let class = self.nodes[EXECUTOR].class;
		let mut seats = Vec::with_capacity(JURORS);
		for (round, seed) in self.luck.jurors.iter().enumerate() {
			let of_class = match round {
				0 => self.draw(seed, &parties, Some(class)),
				_ => None,
			};
			let Some(juror) = of_class.or_else(|| self.draw(seed, &parties, None)) else {
				self.share_out(0, &[], Some(auditor));
				return Verdict::Void;
			};
			parties.push(juror);
			seats.push(juror);
		}
		let sees = self.who_sees(&seats);
		let jurors: Vec<Juror> = seats
			.iter()
			.zip(sees)
			.map(|(node, sees)| Juror {
				ballot: Some(self.juror_says(*node, auditor, said, sees)),
				same_device: self.nodes[*node].class == class,
			})
			.collect();
		let tolerance = self.terms.tolerance;
		let finding = verdict::find(&jurors, tolerance);
		let (executor_right, auditor_right) = match finding {
			Finding::Agreed {
				executor_right,
				auditor_right,
			} if executor_right || self.terms.slash_by_jury => (executor_right, auditor_right),
			_ => {
				self.disputed = finding == Finding::Disputed;
				// Who misses the output has not judged.
				let judged: Vec<usize> = seats
					.iter()
					.zip(&jurors)
					.filter(|(_, juror)| {
						let vote = juror.ballot.map(|ballot| ballot.vote);
						matches!(vote, Some(Vote::Yes | Vote::No))
					})
					.map(|(node, _)| *node)
					.collect();
				self.share_out(0, &judged, Some(auditor));
				return Verdict::Void;
			}
		};
		let agreed: Vec<usize> = seats
			.iter()
			.enumerate()
			.filter(|(index, _)| verdict::agreed(&jurors, *index, executor_right, auditor_right, tolerance))
			.map(|(_, node)| *node)
			.collect();
		let of_executor = match executor_right {
			true => 0,
			false => self.slash(EXECUTOR),
		};
		let of_auditor = match auditor_right || !self.terms.slash_by_jury {
			true => 0,
			false => self.slash(auditor),
		};
		let finder = auditor_right.then_some(auditor);
		match of_executor > 0 {
			true => {
				self.share_out(of_executor, &agreed, finder);
				self.share_out(of_auditor, &[], None);
			}
			false => self.share_out(of_auditor, &agreed, finder),
		}
		match executor_right {
			true => Verdict::Upheld,
			false => Verdict::Rejected,
		}
	}

	/// Which jurors the executor shows its output.
	fn who_sees(&self, seats: &[usize]) -> Vec<bool> {
		let ours = |node: &usize| self.nodes[*node].ours;
		let one = seats
			.iter()
			.position(|node| !ours(node))
			.filter(|_| seats.iter().any(ours));
		(0..seats.len())
			.map(|index| match self.executor {
				Executor::Withholds | Executor::HidesFromJury => false,
				Executor::OtherOutput => self.plan.jury == Jury::Disputes && one == Some(index),
				_ => true,
			})
			.collect()
	}

	/// An honest juror says what `judge::ballot` of the worker does.
	fn juror_says(&mut self, node: usize, auditor: usize, said: &Ballot, sees: bool) -> Ballot {
		let ours = self.nodes[node].ours;
		match self.plan.jury {
			Jury::Covers if ours => {
				let (vote, auditor_right) = match self.nodes[EXECUTOR].ours {
					true => (Vote::Yes, self.nodes[auditor].ours),
					// Our auditor accuses.
					false => (Vote::No, true),
				};
				Ballot {
					vote,
					auditor_right,
					sketch: sketch(AGREED),
				}
			}
			Jury::Disputes if ours => Ballot {
				vote: Vote::Yes,
				auditor_right: true,
				sketch: invented(node),
			},
			_ => {
				self.works(node);
				let own = sketch(TRUE);
				let vote = match (self.agrees(&self.opened(), &own), sees) {
					(false, _) => Vote::No,
					(true, true) if self.is_output_wrong() => Vote::No,
					(true, true) => Vote::Yes,
					(true, false) if self.terms.compares_sketches() => Vote::Yes,
					(true, false) => Vote::Missing,
				};
				let contradicted = match said.vote {
					Vote::No => sees && !self.is_output_wrong(),
					Vote::Yes => sees && self.is_output_wrong(),
					_ => false,
				};
				Ballot {
					vote,
					auditor_right: self.agrees(&said.sketch, &own) && !contradicted,
					sketch: own,
				}
			}
		}
	}

	fn slash(&mut self, node: usize) -> u128 {
		if !self.nodes[node].ours {
			self.honest_slashed += 1;
		}
		*self.account(node) -= signed(self.terms.security);
		self.terms.security
	}

	/// `share_out` of the pallet: half burned, R to each judge, 2·R to the finder, the rest to the treasury; whom the rest
	/// does not pay, the pot pays.
	fn share_out(&mut self, taken: u128, judges: &[usize], finder: Option<usize>) {
		let (burned, mut rest) = split::burn_half(taken);
		self.ledger.burned += signed(burned);
		let most = judges.iter().map(|node| (*node, REWARD));
		for (node, most) in most.chain(finder.map(|node| (node, 2 * REWARD))) {
			let part = rest.min(most);
			if part >= REWARD {
				rest -= part;
				self.pay(node, part);
			} else {
				self.pay(node, REWARD);
				self.ledger.pot -= signed(REWARD);
			}
		}
		self.ledger.treasury += signed(rest);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// A hundred nodes, of which the executor is ours and of class 0, and so many others are of class 0, too.
	fn ends(executor: Executor, terms: Terms, of_class: usize, noticed: bool) -> Verdict {
		let nodes: Vec<Node> = (0..100)
			.map(|node| Node {
				bond: 1_000,
				class: u8::from(node > of_class),
				ours: node == EXECUTOR,
			})
			.collect();
		let plan = Plan { executor, ..HONEST };
		let mut rng = ChaCha8Rng::seed_from_u64(1);
		let luck = Luck::new(&mut rng, f64::from(u8::from(noticed)));
		let outcome = play(&nodes, &terms, &plan, &luck, true);
		assert_eq!((outcome.ledger.balance(), outcome.honest_slashed), (0, 0));
		outcome.verdict
	}

	fn terms() -> Terms {
		Terms::new(Perbill::from_percent(50))
	}

	#[test]
	fn sketches_should_convict_when_the_output_is_hidden() {
		use Executor::{HidesFromJury, OtherOutput, Withholds};
		for executor in [Withholds, HidesFromJury] {
			for terms in [terms(), terms().exact()] {
				assert_eq!(ends(executor, terms, 99, true), Verdict::Rejected);
				assert_eq!(ends(executor, terms, 99, false), Verdict::Upheld);
			}
		}
		assert_eq!(ends(OtherOutput, terms(), 99, true), Verdict::Upheld);
	}

	#[test]
	fn job_should_be_void_when_its_output_is_hidden_and_sketches_say_nothing() {
		let terms = terms().without_trace();
		assert_eq!(ends(Executor::Withholds, terms, 99, false), Verdict::Void);
		assert_eq!(ends(Executor::HidesFromJury, terms, 99, true), Verdict::Void);
		assert_eq!(ends(Executor::HidesFromJury, terms, 99, false), Verdict::Upheld);
	}

	#[test]
	fn cheat_should_be_convicted_when_few_or_none_are_of_its_class() {
		for of_class in [0, 1, 2, 50] {
			assert_eq!(ends(Executor::Cheats, terms(), of_class, true), Verdict::Rejected);
		}
	}
}
