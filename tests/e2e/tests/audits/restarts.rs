//! `kill -9` of executors, auditors and jurors at any moment of a job and its audit: one of three kills meets an executor with
//! a job in hand, one a judge that has a seat, one whoever is concerned.
//!
//! `HIGHWAY_AUDIT_KILLS` says how many; a test of a release has 50 or more. `HIGHWAY_AUDIT_SEED` repeats the choices of
//! another run, which prints it.

use super::scene::{
	audit, bonds, call_proof_of_work, confirm_calibrations, ended, ensure_unharmed, history, host, input, is_over,
	register, traced, Happened,
};
use anyhow::{ensure, Context, Result};
use highway_e2e_tests::{put_blob, Account};
use highway_primitives::{
	audit::{Seat, Verdict},
	model::ModelId,
	JobId, JobPhase, NodeId,
};
use highway_test_support::{Devnet, Node, Setup};
use sp_runtime::Perbill;
use std::{
	env,
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const MODEL: ModelId = 0;

/// Alice's node stays up: the payer talks to it, and others find one another through it.
const NAMES: [&str; 5] = ["alice", "bob", "charlie", "dave", "eve"];

/// Kills where nobody says how many.
const KILLS: u32 = 6;

/// Jobs that are open at the same time, so that there is always somebody at work.
const OPEN_JOBS: usize = 4;

/// The longest wait before a kill. A job with its audit takes about a minute.
const LONGEST_WAIT_MS: u64 = 6_000;

/// The longest wait before an executor is killed, from its job's submission on. Then the job is attested a block later at the
/// earliest.
const LONGEST_RUN_MS: u64 = 800;

/// The longest time that a node is down. What an audit wants to hear must be said within eight blocks: a fifth of the
/// attestation window, but no fewer.
const LONGEST_PAUSE_MS: u64 = 1_500;

/// How long it may take until there is somebody to kill: a job's window is over before its audit begins.
const PATIENCE: Duration = Duration::from_secs(120);

/// The longest wait before another look for somebody to kill. A judge has its seat for some blocks.
const LONGEST_LOOK_MS: u64 = 2_000;

/// What a node is in the middle of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
	/// It has a job, and has not attested it.
	Executor,
	/// It has a seat in an audit, and has not opened its ballot.
	Judge,
	/// It has attested a job, and may be asked about it.
	Witness,
}

/// Who has something to do, or to say, for a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Duty {
	node: NodeId,
	job: JobId,
	part: Part,
}

/// Knuth's linear congruential generator for 64 bits.
struct Chance(u64);

impl Chance {
	fn below(&mut self, limit: u64) -> u64 {
		self.0 = self
			.0
			.wrapping_mul(6_364_136_223_846_793_005)
			.wrapping_add(1_442_695_040_888_963_407);
		(self.0 >> 33) % limit.max(1)
	}
}

fn number<T: std::str::FromStr>(variable: &str) -> Result<Option<T>>
where
	T::Err: std::error::Error + Send + Sync + 'static,
{
	match env::var(variable) {
		Ok(text) => Ok(Some(text.parse().with_context(|| format!("{variable}={text}"))?)),
		Err(_) => Ok(None),
	}
}

#[tokio::test]
async fn nobody_should_be_slashed_when_honest_nodes_are_killed_at_any_moment() -> Result<()> {
	let kills = number("HIGHWAY_AUDIT_KILLS")?.unwrap_or(KILLS);
	let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
	let seed = number("HIGHWAY_AUDIT_SEED")?.unwrap_or(now);
	eprintln!("{kills} kills, HIGHWAY_AUDIT_SEED={seed}");
	let setup = Setup::of(&NAMES).paying("//Payer").paying("//Maker");
	Devnet::run_setup(setup, async |devnet| {
		let watcher = Account::connect(devnet.node("alice"), "//Alice").await?;
		register(devnet, "//Maker", &[traced(Perbill::one())?]).await?;
		let everywhere: Vec<(&str, &[ModelId])> = NAMES.iter().map(|name| (*name, &[MODEL][..])).collect();
		host(devnet, &everywhere).await?;
		// So that a jury could slash.
		confirm_calibrations(devnet, ["bob", "charlie"], &[MODEL]).await?;
		let before = bonds(&watcher, &NAMES).await?;
		let first = devnet.node("alice").best_block().await?;

		let (jobs, met) = kill_at_random(devnet, kills, Chance(seed)).await?;
		let times_met = |part| met.iter().filter(|met| **met == part).count();
		let (executors, judges) = (times_met(Part::Executor), times_met(Part::Judge));
		let payer = Account::connect(devnet.node("alice"), "//Payer").await?;
		let mut paid_jobs = 0;
		for job in &jobs {
			let info = ended(&payer, *job).await?;
			// A node that is down when a job comes may lose it to the next one, and three may.
			ensure!(
				matches!(info.phase, JobPhase::Settled | JobPhase::Refunded | JobPhase::Failed),
				"an honest job ended as {info:?}\n{:?}",
				audit(devnet.node("alice"), *job).await?
			);
			paid_jobs += usize::from(info.phase == JobPhase::Settled);
			let bill = payer.client.bill(*job).await?.context("the job has a bill")?;
			let paid: u128 = bill.lines.iter().map(|line| line.amount).sum();
			ensure!(paid + bill.refunded == bill.price, "the price is paid once: {bill:?}");
		}
		let history = history(devnet.node("alice"), first).await?;
		for job in &jobs {
			let times = |wanted: fn(&Happened) -> Option<JobId>| {
				history.iter().filter(|event| wanted(event) == Some(*job)).count()
			};
			let attested = times(|event| match event {
				Happened::Attested(job) => Some(*job),
				_ => None,
			});
			let settled = times(|event| match event {
				Happened::Settled(job) => Some(*job),
				_ => None,
			});
			let audited = times(|event| match event {
				Happened::Ended(job, _) => Some(*job),
				_ => None,
			});
			ensure!(
				attested <= 1 && settled <= 1 && audited <= 1,
				"job {job}: {attested} attestations, {settled} settlements, {audited} audits"
			);
		}
		let upheld = |event: &&Happened| matches!(event, Happened::Ended(_, Verdict::Upheld));
		let upheld = history.iter().filter(upheld).count();
		eprintln!(
			"{paid_jobs} of {} jobs were paid, {upheld} audits upheld; {executors} executors were killed with a job in hand, \
			 {judges} judges with a seat",
			jobs.len()
		);
		ensure!(2 * paid_jobs > jobs.len(), "most jobs are done, whoever is killed");
		ensure!(4 * upheld > jobs.len(), "audits come to their end");
		// A third of the kills is meant for each; some come a moment too late.
		let least = usize::try_from(kills / 6)?;
		ensure!(executors >= least && judges >= least, "the {kills} kills met {met:?}");
		ensure_unharmed(&watcher, &history, &before, &jobs).await
	})
	.await
}

/// Keeps jobs coming, each with its audit forced, and kills who works on them. Returns the jobs, and what the killed nodes
/// were in the middle of.
async fn kill_at_random(devnet: &mut Devnet, kills: u32, mut chance: Chance) -> Result<(Vec<JobId>, Vec<Part>)> {
	let mut work = Work {
		payer: Account::connect(devnet.node("alice"), "//Payer").await?,
		jobs: Vec::new(),
		open: Vec::new(),
	};
	let mut met = Vec::new();
	for kill in 1..=kills {
		let alice = devnet.node("alice");
		while work.open.len() < OPEN_JOBS {
			work.submit(alice).await?;
		}
		work.force_audits(alice).await?;
		tokio::time::sleep(Duration::from_millis(chance.below(LONGEST_WAIT_MS))).await;
		let wanted = match kill % 3 {
			1 => Some(Part::Executor),
			2 => Some(Part::Judge),
			_ => None,
		};
		let victim = work.victim(alice, wanted, &mut chance).await?;
		let name = NAMES[usize::try_from(victim.node)?];
		eprintln!("kill {kill} of {kills}: {name}, {victim:?}");
		devnet.node_mut(name).kill()?;
		// A word of it that came into a block in the last moment makes it another kill.
		if work.duties(devnet.node("alice"), victim.job).await?.contains(&victim) {
			met.push(victim.part);
		}
		tokio::time::sleep(Duration::from_millis(chance.below(LONGEST_PAUSE_MS))).await;
		devnet.node_mut(name).resume().await?;
		work.forget_ended().await?;
	}
	Ok((work.jobs, met))
}

/// What is paid for.
struct Work {
	payer: Account,
	jobs: Vec<JobId>,
	/// Jobs that were not over when they were last looked at, and whether their audits are forced.
	open: Vec<(JobId, bool)>,
}

impl Work {
	async fn submit(&mut self, node: &Node) -> Result<()> {
		let blob = put_blob(node, &input(self.jobs.len() as f32)?).await?;
		let job = self.payer.submit_job(u64::from(MODEL), blob, None).await?.job;
		self.jobs.push(job);
		self.open.push((job, false));
		Ok(())
	}

	/// Forces the audits of jobs that wait for their pay.
	async fn force_audits(&mut self, node: &Node) -> Result<()> {
		for (job, forced) in self.open.iter_mut().filter(|(_, forced)| !forced) {
			let info = self.payer.client.job(*job).await?;
			if info.is_none_or(|info| info.phase != JobPhase::Attested) {
				continue;
			}
			match call_proof_of_work(node, &self.payer, "force_audit", vec![(*job).into()]).await {
				Ok(_) => *forced = true,
				// It may be settled by now, or drawn without this; else it is tried again.
				Err(error) => eprintln!("the audit of job {job} is not forced: {error:#}"),
			}
		}
		Ok(())
	}

	async fn forget_ended(&mut self) -> Result<()> {
		let mut open = Vec::new();
		for (job, forced) in &self.open {
			let info = self.payer.client.job(*job).await?;
			if info.is_none_or(|info| !is_over(info.phase)) {
				open.push((*job, *forced));
			}
		}
		self.open = open;
		Ok(())
	}

	/// Somebody with a duty, of the kind that is wanted, by chance; waits until there is one. So that there is an executor with
	/// a job in hand, it gets one now.
	async fn victim(&mut self, node: &Node, wanted: Option<Part>, chance: &mut Chance) -> Result<Duty> {
		let end = Instant::now() + PATIENCE;
		loop {
			self.force_audits(node).await?;
			let longest = match wanted {
				Some(Part::Executor) => {
					self.submit(node).await?;
					LONGEST_RUN_MS
				}
				_ => LONGEST_LOOK_MS,
			};
			tokio::time::sleep(Duration::from_millis(chance.below(longest))).await;
			let mut duties = Vec::new();
			for (job, _) in &self.open {
				duties.extend(self.duties(node, *job).await?);
			}
			duties.retain(|duty| wanted.is_none_or(|part| part == duty.part));
			if !duties.is_empty() {
				return Ok(duties[usize::try_from(chance.below(duties.len() as u64))?]);
			}
			ensure!(Instant::now() < end, "waited {PATIENCE:?} in vain for: {wanted:?}");
		}
	}

	/// What is to be done, or said, for a job, but by Alice's node, which has the first id.
	async fn duties(&self, node: &Node, job: JobId) -> Result<Vec<Duty>> {
		let info = self.payer.client.job(job).await?;
		let Some(info) = info.filter(|info| !is_over(info.phase)) else {
			return Ok(Vec::new());
		};
		let part = match info.phase {
			JobPhase::Assigned => Part::Executor,
			_ => Part::Witness,
		};
		let mut duties: Vec<(NodeId, Part)> = info.executor.into_iter().map(|node| (node, part)).collect();
		if let Some(audit) = audit(node, job).await? {
			// Auditors that were replaced have no turn any more.
			let present = audit.seats.iter().rposition(|seat| seat.seat == Seat::Auditor);
			let sitting = audit.seats.iter().skip(present.unwrap_or(0));
			let silent = sitting.filter(|seat| seat.ballot.is_none());
			duties.extend(silent.map(|seat| (seat.node, Part::Judge)));
		}
		let others = duties.into_iter().filter(|(node, _)| *node != 0);
		Ok(others.map(|(node, part)| Duty { node, job, part }).collect())
	}
}
