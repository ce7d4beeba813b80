//! A version without a history, and a coalition that makes its juries disagree until nobody may be slashed.
//!
//! Whether slashes are allowed is asked when a jury concludes. So whatever is attested from [`VERDICT`] blocks before the
//! suspension on, and whatever is assigned when it comes, is judged without them. A suspended version takes no new jobs;
//! and stays suspended: what is open is audited on, and none of it counts.

use super::game::{play, Auditor, Executor, Jury, Luck, Node, Plan, Terms, HONEST, REWARD};
use highway_math::{audit, deadline};
use pallet_proof_of_work_done::{may_slash, Calibration};
use rand::Rng;
use sp_arithmetic::Perbill;

/// Jobs that the version would have.
pub const JOBS: usize = 20_000;

/// Blocks from a job's assignment to its attestation.
const JOB: usize = 10;

/// Blocks from attestation to the draw of the audit, as genesis has it by default.
const WINDOW: usize = audit::ATTESTATION_WINDOW as usize;

/// Blocks in which something is opened, with that window.
const REVEAL: usize = audit::reveal_blocks(audit::ATTESTATION_WINDOW) as usize;

/// Blocks in which a judge commits itself, with the least allowance that there is.
const JUDGING: usize = (deadline::BASE_BLOCKS + audit::JUDGE_EXTRA) as usize;

/// Blocks from attestation until it is known who judges, if everybody takes the time there is: the auditor to judge, then to
/// open its ballot, the executor to open its sketch, the draw.
const SEATED: usize = WINDOW + JUDGING + 2 * REVEAL + audit::DRAW_DELAY as usize;

/// Blocks from attestation to the jury's verdict: jurors judge, and open.
const VERDICT: usize = SEATED + JUDGING + REVEAL;

/// How the coalition goes about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tactic {
	/// Cheats from the first job on. Two jurors of ours make a dispute.
	Cheats,
	/// Runs the model and attests other outputs, which nobody can be slashed for and one juror of ours makes a dispute
	/// of; cheats as soon as juries are seated that will suspend slashing.
	Waits,
	/// The same, but a payer of ours forces the audits of so many of the first jobs, and all others are cheats until
	/// their juries are seated.
	Forces(usize),
	/// Cheats on every second job, attests other outputs on the rest, and makes disputes of those while they are needed,
	/// and no more: the suspension may end, and come again.
	Spares,
}

impl Tactic {
	/// Its line of the table.
	pub fn name(self) -> &'static str {
		match self {
			Self::Cheats => "disputes until slashing is suspended",
			Self::Waits => "disputes by other outputs, then cheats",
			Self::Forces(_) => "disputes by forced audits, cheats at once",
			Self::Spares => "disputes as few as needed, cheats",
		}
	}
}

/// A job of the version.
struct Job {
	/// When it was attested: what the busy slots attest in the meantime, in jobs.
	at: usize,
	drawn: bool,
	ours: Option<Played>,
}

/// How a job of ours is played.
struct Played {
	plan: Plan,
	luck: Luck,
	/// Whether its jury disagrees.
	disputed: bool,
}

/// What came of it.
pub struct Campaign {
	/// What ours gained, in R, compared with honest work on the same jobs.
	pub gained: f64,
	/// Jobs that the version had.
	pub jobs: usize,
	/// Whether it takes no more.
	pub suspended: bool,
	/// How often it was suspended.
	pub suspensions: u32,
	/// Whether no unit was made or lost.
	pub balanced: bool,
}

impl Campaign {
	/// Jobs of a version that are judged without slashes when it is suspended: those that have no verdict yet.
	pub fn open(nodes: usize, slots: usize) -> usize {
		per_block(nodes, slots) * (VERDICT + JOB)
	}

	/// Plays the first [`JOBS`] jobs of a version, of which `share` are ours, and for which each node has so many slots.
	pub fn run(rng: &mut impl Rng, nodes: &[Node], tactic: Tactic, power: f64, slots: usize, share: f64) -> Self {
		let per_block = per_block(nodes.len(), slots);
		let terms = Terms::new(Perbill::from_float(power));
		let mut calibration = Calibration::<u64> {
			reproduced_by: vec![1, 2].try_into().expect("there is room for two; qed"),
			..Default::default()
		};
		let mut campaign = Self {
			gained: 0.0,
			jobs: 0,
			suspended: false,
			suspensions: 0,
			balanced: true,
		};
		let mut to_force = match tactic {
			Tactic::Forces(audits) => audits,
			_ => 0,
		};
		// A payer of ours does not choose who does its jobs: what others do is paid for nothing.
		campaign.gained -= to_force as f64 * (1.0 / share - 1.0);
		let mut jobs: Vec<Job> = Vec::with_capacity(JOBS);
		// How far the jobs are: whether they are audited, who judges, the verdict.
		let (mut drawn, mut seated, mut judged) = (0, 0, 0);
		// Disputes that are seen to come, and jobs that are assigned.
		let (mut coming, mut assigned) = (0u32, JOB * per_block);
		let mut now = 0;
		while judged < jobs.len() || (jobs.len() < JOBS && assigned > 0) {
			let is_over = |jobs: &[Job], next: usize, blocks: usize| {
				jobs.get(next).is_some_and(|job| job.at + blocks * per_block <= now)
			};
			while is_over(&jobs, drawn, WINDOW) {
				if jobs[drawn].drawn {
					calibration.count_audit();
				}
				drawn += 1;
			}
			while is_over(&jobs, seated, SEATED) {
				if tactic == Tactic::Spares && is_suspended(&calibration, coming) {
					jobs[seated].make_peace();
				}
				coming += u32::from(jobs[seated].is_disputed());
				seated += 1;
			}
			while is_over(&jobs, judged, VERDICT) {
				let operators = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
				let slash_by_jury = may_slash(operators, Some((&calibration, &0)));
				let disputes = u32::from(jobs[judged].is_disputed());
				campaign.conclude(nodes, &Terms { slash_by_jury, ..terms }, &jobs[judged]);
				coming -= disputes;
				calibration.disputes += disputes;
				judged += 1;
			}
			let suspended = calibration.is_suspended();
			campaign.suspensions += u32::from(suspended && !campaign.suspended);
			campaign.suspended = suspended;
			if !suspended {
				assigned = JOB * per_block;
			}
			if jobs.len() < JOBS && assigned > 0 {
				// What is assigned is done, and nothing follows it while the version is suspended.
				assigned -= usize::from(suspended);
				let ours = rng.gen_bool(share);
				let forced = ours && to_force > 0;
				to_force -= usize::from(forced);
				let cheats = is_suspended(&calibration, coming)
					|| match tactic {
						Tactic::Cheats => true,
						Tactic::Waits => false,
						Tactic::Forces(_) => !forced && to_force == 0 && now < SEATED * per_block,
						Tactic::Spares => rng.gen_bool(0.5),
					};
				let drawn = forced || audit::is_drawn(rng.gen(), terms.rate);
				let luck = Luck::new(rng, power);
				let ours = ours.then(|| Played::new(nodes, &terms, cheats, forced, luck, drawn));
				jobs.push(Job { at: now, drawn, ours });
			}
			now += 1;
		}
		campaign.jobs = jobs.len();
		campaign
	}

	fn conclude(&mut self, nodes: &[Node], terms: &Terms, job: &Job) {
		let Some(Played { plan, luck, .. }) = &job.ours else {
			return;
		};
		let ours = play(nodes, terms, plan, luck, job.drawn).ledger;
		let honest = play(nodes, terms, &HONEST, luck, job.drawn).ledger;
		let payer = match plan.forced {
			true => ours.payer - honest.payer,
			false => 0,
		};
		self.gained += (ours.ours - honest.ours + payer) as f64 / REWARD as f64;
		self.balanced &= ours.balance() == 0 && honest.balance() == 0;
	}
}

impl Played {
	fn new(nodes: &[Node], terms: &Terms, cheats: bool, forced: bool, luck: Luck, drawn: bool) -> Self {
		let plan = Plan {
			executor: match cheats {
				true => Executor::Cheats,
				false => Executor::OtherOutput,
			},
			auditor: Auditor::Covers,
			jury: Jury::Disputes,
			forced,
		};
		let disputed = play(nodes, terms, &plan, &luck, drawn).disputed;
		Self { plan, luck, disputed }
	}
}

impl Job {
	fn is_disputed(&self) -> bool {
		self.ours.as_ref().is_some_and(|played| played.disputed)
	}

	/// Another output is shown to no juror, and the jury agrees.
	fn make_peace(&mut self) {
		if let Some(played) = &mut self.ours {
			if played.plan.executor == Executor::OtherOutput {
				played.plan.jury = Jury::Honest;
				played.disputed = false;
			}
		}
	}
}

/// Whether slashing is suspended once so many disputes more have come.
fn is_suspended(calibration: &Calibration<u64>, coming: u32) -> bool {
	Calibration::<u64> {
		reproduced_by: Default::default(),
		audits: calibration.audits,
		disputes: calibration.disputes + coming,
	}
	.is_suspended()
}

/// Jobs of the version per block, if all slots of all nodes are busy with it.
fn per_block(nodes: usize, slots: usize) -> usize {
	nodes * slots / JOB
}

#[cfg(test)]
mod tests {
	use super::*;
	use rand::SeedableRng;
	use rand_chacha::ChaCha8Rng;

	fn nodes(ours: usize) -> Vec<Node> {
		(0..100)
			.map(|node| Node {
				bond: 1_000,
				class: 0,
				ours: node < ours,
			})
			.collect()
	}

	/// As the README says.
	#[test]
	fn verdict_should_come_264_blocks_after_the_attestation() {
		assert_eq!((VERDICT, VERDICT - SEATED), (264, 40));
		assert_eq!((Campaign::open(100, 1), Campaign::open(100, 4)), (2_740, 10_960));
	}

	#[test]
	fn version_should_live_on_when_the_executor_has_no_friends() {
		let mut rng = ChaCha8Rng::seed_from_u64(1);
		let campaign = Campaign::run(&mut rng, &nodes(1), Tactic::Waits, 0.5, 1, 1.0);
		assert_eq!(
			(campaign.jobs, campaign.suspensions, campaign.suspended),
			(JOBS, 0, false)
		);
		assert!(campaign.balanced && campaign.gained == 0.0);
	}

	#[test]
	fn version_should_end_when_a_third_disputes() {
		let mut rng = ChaCha8Rng::seed_from_u64(1);
		let campaign = Campaign::run(&mut rng, &nodes(33), Tactic::Waits, 0.5, 1, 1.0);
		assert!(campaign.suspended && campaign.jobs < JOBS);
	}
}
