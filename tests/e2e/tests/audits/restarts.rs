//! `kill -9` of executors, auditors and jurors at any moment of a job and its audit.
//!
//! `HIGHWAY_AUDIT_KILLS` says how many; a test of a release has 50 or more. `HIGHWAY_AUDIT_SEED` repeats the choices of
//! another run, which prints it.

use super::scene::{
	attested, audit, bonds, call_proof_of_work, confirm_calibrations, ended, ensure_unharmed, history, host, input,
	is_over, register, traced, Happened,
};
use anyhow::{ensure, Context, Result};
use highway_e2e_tests::{put_blob, Account};
use highway_primitives::{model::ModelId, JobId, JobPhase, NodeId};
use highway_test_support::{until, Devnet, Setup};
use sp_runtime::Perbill;
use std::{
	env,
	time::{Duration, SystemTime, UNIX_EPOCH},
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

/// The longest time that a node is down. What an audit wants to hear must be said within six blocks.
const LONGEST_PAUSE_MS: u64 = 1_500;

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

		let jobs = kill_at_random(devnet, kills, Chance(seed)).await?;
		let payer = Account::connect(devnet.node("alice"), "//Payer").await?;
		for job in &jobs {
			let info = ended(&payer, *job).await?;
			// A node that is down when a job comes may lose it to the next one, and three may.
			ensure!(
				matches!(info.phase, JobPhase::Settled | JobPhase::Refunded | JobPhase::Failed),
				"an honest job ended as {info:?}\n{:?}",
				audit(devnet.node("alice"), *job).await?
			);
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
		ensure_unharmed(&watcher, &history, &before).await
	})
	.await
}

/// Keeps jobs coming, each with its audit forced, and kills who works on them. Returns the jobs.
async fn kill_at_random(devnet: &mut Devnet, kills: u32, mut chance: Chance) -> Result<Vec<JobId>> {
	let payer = Account::connect(devnet.node("alice"), "//Payer").await?;
	let (mut jobs, mut open): (Vec<JobId>, Vec<(JobId, bool)>) = (Vec::new(), Vec::new());
	for kill in 1..=kills {
		while open.len() < OPEN_JOBS {
			let blob = put_blob(devnet.node("alice"), &input(jobs.len() as f32)?).await?;
			let job = payer.submit_job(u64::from(MODEL), blob, None).await?.job;
			jobs.push(job);
			open.push((job, false));
			if open.len() == 1 {
				attested(&payer, job).await?;
			}
		}
		force_audits(devnet, &payer, &mut open).await?;
		tokio::time::sleep(Duration::from_millis(chance.below(LONGEST_WAIT_MS))).await;
		force_audits(devnet, &payer, &mut open).await?;

		let victims = victims(devnet, &payer, &open).await?;
		let victim = victims[usize::try_from(chance.below(victims.len() as u64))?];
		let name = NAMES[usize::try_from(victim)?];
		eprintln!("kill {kill} of {kills}: {name}");
		let node = devnet.node_mut(name);
		node.kill()?;
		tokio::time::sleep(Duration::from_millis(chance.below(LONGEST_PAUSE_MS))).await;
		node.resume().await?;

		let mut still = Vec::new();
		for (job, forced) in open {
			let info = payer.client.job(job).await?;
			if info.is_none_or(|info| !is_over(info.phase)) {
				still.push((job, forced));
			}
		}
		open = still;
	}
	Ok(jobs)
}

/// All nodes at work but Alice's, who has the first id; waits until there are some.
async fn victims(devnet: &Devnet, payer: &Account, open: &[(JobId, bool)]) -> Result<Vec<NodeId>> {
	until("somebody at work", Duration::from_secs(60), || async {
		let mut nodes = Vec::new();
		for (job, _) in open {
			nodes.extend(at_work(devnet, payer, *job).await?);
		}
		nodes.retain(|node| *node != 0);
		Ok((!nodes.is_empty()).then_some(nodes))
	})
	.await
}

/// Forces the audits of jobs that wait for their pay.
async fn force_audits(devnet: &Devnet, payer: &Account, open: &mut [(JobId, bool)]) -> Result<()> {
	for (job, forced) in open.iter_mut().filter(|(_, forced)| !forced) {
		let info = payer.client.job(*job).await?;
		if info.is_some_and(|info| info.phase == JobPhase::Attested) {
			let node = devnet.node("alice");
			// It may be settled by now, or drawn without this.
			if let Err(error) = call_proof_of_work(node, payer, "force_audit", vec![(*job).into()]).await {
				eprintln!("the audit of job {job} is not forced: {error:#}");
			}
			*forced = true;
		}
	}
	Ok(())
}

/// Who has something to do, or to say, for a job.
async fn at_work(devnet: &Devnet, payer: &Account, job: JobId) -> Result<Vec<NodeId>> {
	let Some(info) = payer.client.job(job).await?.filter(|info| !is_over(info.phase)) else {
		return Ok(Vec::new());
	};
	let mut nodes: Vec<NodeId> = info.executor.into_iter().collect();
	if let Some(audit) = audit(devnet.node("alice"), job).await? {
		nodes.extend(audit.seats.iter().map(|seat| seat.node));
	}
	Ok(nodes)
}
