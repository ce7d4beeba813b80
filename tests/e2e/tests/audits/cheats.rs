//! Nodes that want to be paid for nothing, and payers and makers that want honest nodes to be slashed: six nodes, all at
//! the same time.
//!
//! Dave and Eve cheat with models that only they host, so that the jobs come to them. Charlie judges without a run; his
//! bond is so large that he is nearly always the auditor. Six and not five, because a slash takes its node out until its
//! operator resumes it: five must be active when the next verdict is spoken.
//!
//! ```text
//! block   0          8           16     24
//!         silent     previous    int8   lazy auditor      each ends about 40 blocks later, apart from the others,
//!         garbage ×201, impossible jobs                   so that two of them are never out at once
//! ```

use super::scene::{
	attested, audit, bonds, call_proof_of_work, compute_line, confirm_calibrations, ended, ensure_unharmed, fines,
	forced, history, host, input, is_over, keep_active, node_info, plain, register, slashes, traced, Forced, Happened,
	Model, JUDGED_WITHIN, SECURITY_FACTOR,
};
use anyhow::{ensure, Context, Result};
use highway_e2e_tests::{floats, identity_input, integers, put_blob, Account};
use highway_offchain_worker::{precheck, tensors::serialize};
use highway_primitives::{
	audit::{AuditReason, Verdict},
	model::ModelId,
	Balance, BlobRef, JobId, JobPhase, NodeId, Vote,
};
use highway_test_support::{hostile_models, market::key_of, until, Devnet, Setup};
use highway_wallet::client::calls;
use sp_runtime::Perbill;
use std::{collections::BTreeMap, time::Duration};

const GARBAGE: ModelId = 0;
const PREVIOUS: ModelId = 1;
const INT8: ModelId = 2;
const SILENT: ModelId = 3;
/// Done honestly; the auditor is lazy.
const HONEST: ModelId = 4;
const ENDLESS: ModelId = 5;
const RANDOM: ModelId = 6;

/// Jobs that nobody asks to audit: at the rate of [`traced`] with a detection of one half, 4.9 %, all of them stay unseen
/// once in 23 000 times.
const UNFORCED: usize = 200;

/// Jobs in one transaction.
const JOBS_AT_ONCE: usize = 50;

/// No more than so many times the expected number of jobs is drawn: thirty instead of ten would be six deviations.
const MOST_DRAWN: f64 = 3.0;

/// Audits that are forced until the lazy node is the auditor: it is so 98 times of 100.
const LAZY_TRIES: usize = 4;

const HONEST_NODES: [&str; 3] = ["alice", "bob", "ferdie"];
const CHEATS: [&str; 3] = ["charlie", "dave", "eve"];

#[tokio::test]
async fn cheats_should_be_slashed_by_exactly_their_security_and_honest_nodes_lose_nothing() -> Result<()> {
	let mut setup = Setup::of(&["alice", "bob", "charlie", "dave", "eve", "ferdie"])
		.bonding("charlie", 100_000_000)
		.cheating("charlie", &format!("lazy:{HONEST}"))
		.cheating("dave", &format!("garbage:{GARBAGE},previous:{PREVIOUS}"))
		.cheating("eve", &format!("int8:{INT8},silent:{SILENT}"));
	for payer in [
		"//Garbage",
		"//Many",
		"//Previous",
		"//Int8",
		"//Silent",
		"//Lazy",
		"//Impossible",
		"//Maker",
	] {
		setup = setup.paying(payer);
	}
	Devnet::run_setup(setup, async |devnet| {
		let devnet = &*devnet;
		let watcher = Account::connect(devnet.node("alice"), "//Alice").await?;
		let half = Perbill::from_percent(50);
		let counting = hostile_models::counting_loop();
		let random = hostile_models::random_operator();
		let counting_signature = precheck::signature(&counting)?;
		let innocent = precheck::signature(&hostile_models::identity())?;
		let models: [Model; 7] = [
			traced(half)?,
			traced(half)?,
			traced(half)?,
			traced(half)?,
			traced(half)?,
			plain(counting, counting_signature)?,
			plain(random, innocent)?,
		];
		register(devnet, "//Maker", &models).await?;
		host(
			devnet,
			&[
				("dave", &[GARBAGE, PREVIOUS]),
				("eve", &[INT8, SILENT]),
				("alice", &[HONEST, ENDLESS, RANDOM]),
				("bob", &[HONEST, ENDLESS, RANDOM]),
			],
		)
		.await?;
		confirm_calibrations(devnet, ["alice", "bob"], &[GARBAGE, PREVIOUS, INT8, SILENT, HONEST]).await?;

		let honest = bonds(&watcher, &HONEST_NODES).await?;
		let cheats = bonds(&watcher, &CHEATS).await?;
		let first = devnet.node("alice").best_block().await?;
		// One after another: a slash takes its node out for some blocks, and of six nodes no two may be out at once.
		let hunted = async {
			silence(devnet).await?;
			garbage(devnet).await?;
			previous(devnet).await?;
			int8(devnet).await?;
			lazy_auditor(devnet).await?;
			everybody_active(devnet).await?;
			many_unforced(devnet, &watcher).await
		};
		let scenes = async { tokio::try_join!(hunted, impossible_jobs(devnet)) };
		let (unforced, ()) = tokio::select! {
			done = scenes => done?,
			stopped = keep_active(devnet, &CHEATS) => match stopped? {},
		};

		let history = history(devnet.node("alice"), first).await?;
		ensure_unharmed(&watcher, &history, &honest).await?;
		for (name, bond) in &cheats {
			let info = node_info(&watcher, name).await?;
			let lost = slashes(&history, info.id);
			let sum: Balance = lost.iter().map(|(_, amount)| amount).sum();
			ensure!(!lost.is_empty(), "{name} was slashed");
			ensure!(
				info.bond + sum + fines(&history, info.id) == *bond,
				"{name} had {bond}, was slashed {lost:?}, and has {info:?}"
			);
			ensure!(info.reserved == 0, "nothing stays reserved: {info:?}");
		}
		drawn_as_stated(&history, &unforced)
	})
	.await
}

/// The job is rejected, its payer whole, and S gone from the executor's bond.
async fn caught(devnet: &Devnet, forced: Forced, executor: &str, votes_no: bool) -> Result<JobId> {
	let Forced {
		payer,
		job,
		reward,
		whole,
	} = forced;
	let info = ended(&payer, job).await?;
	let judged = audit(devnet.node("alice"), job).await?.context("the job was audited")?;
	ensure!(
		info.phase == JobPhase::Rejected,
		"{executor} is caught: {info:?}\n{judged:?}"
	);
	let id = node_info(&payer, executor).await?.id;
	ensure!(info.executor == Some(id), "{executor} did it: {info:?}");
	ensure!(
		judged.slashes == [(id, SECURITY_FACTOR * reward)] && judged.verdict == Some(Verdict::Rejected),
		"nobody but {executor} is slashed, by S: {judged:?}"
	);
	let votes: Vec<_> = judged
		.seats
		.iter()
		.filter_map(|seat| seat.ballot.map(|ballot| ballot.vote))
		.collect();
	ensure!(
		votes.len() == if votes_no { 4 } else { 1 },
		"an auditor, and a jury where one is needed: {judged:?}"
	);
	// An auditor sees outputs alone; jurors see the sketch of the run as well.
	ensure!(
		!votes_no || votes.iter().skip(1).all(|vote| *vote == Vote::No),
		"the jury is of one mind: {judged:?}"
	);
	let bill = payer.client.bill(job).await?.context("the job has a bill")?;
	ensure!(
		bill.refunded == bill.price && bill.lines.is_empty(),
		"everything went back: {bill:?}"
	);
	payer
		.wait_for_total("the payer to be whole, its bond for the audit included", whole)
		.await?;
	Ok(job)
}

/// Waits until nobody is out after a slash.
async fn everybody_active(devnet: &Devnet) -> Result<()> {
	let watcher = Account::connect(devnet.node("alice"), "//Alice").await?;
	until("nodes to be active again", Duration::from_secs(60), async || {
		for name in CHEATS {
			if node_info(&watcher, name).await?.chilled {
				return Ok(None);
			}
		}
		Ok(Some(()))
	})
	.await
}

/// Attests what is right, and opens nothing.
async fn silence(devnet: &Devnet) -> Result<()> {
	everybody_active(devnet).await?;
	let forced = forced(devnet.node("bob"), "//Silent", SILENT, &input(1.0)?).await?;
	caught(devnet, forced, "eve", false).await.map(drop)
}

/// Numbers of the right shape.
async fn garbage(devnet: &Devnet) -> Result<()> {
	everybody_active(devnet).await?;
	let forced = forced(devnet.node("bob"), "//Garbage", GARBAGE, &input(2.0)?).await?;
	caught(devnet, forced, "dave", true).await.map(drop)
}

/// The output of another job, which was right there.
async fn previous(devnet: &Devnet) -> Result<()> {
	let node = devnet.node("ferdie");
	let payer = Account::connect(node, "//Previous").await?;
	let blob = put_blob(node, &input(3.0)?).await?;
	let earlier = payer.submit_job(u64::from(PREVIOUS), blob, None).await?.job;
	let before = attested(&payer, earlier).await?;
	everybody_active(devnet).await?;
	let forced = forced(node, "//Previous", PREVIOUS, &input(4.0)?).await?;
	let after = attested(&payer, forced.job).await?;
	ensure!(
		after.output == before.output && after.input != before.input,
		"another input, the same output: {before:?}, {after:?}"
	);
	caught(devnet, forced, "dave", true).await?;
	let settled = ended(&payer, earlier).await?;
	ensure!(
		settled.phase == JobPhase::Settled,
		"the first one was done honestly: {settled:?}"
	);
	Ok(())
}

/// A smaller copy of the model.
async fn int8(devnet: &Devnet) -> Result<()> {
	let node = devnet.node("ferdie");
	everybody_active(devnet).await?;
	let forced = forced(node, "//Int8", INT8, &input(5.0)?).await?;
	caught(devnet, forced, "eve", true).await.map(drop)
}

/// The executor is honest; its auditor copies what is public, and cannot know what is inside the model.
async fn lazy_auditor(devnet: &Devnet) -> Result<()> {
	let node = devnet.node("ferdie");
	everybody_active(devnet).await?;
	for round in 0..LAZY_TRIES {
		let Forced { payer, job, reward, .. } = forced(node, "//Lazy", HONEST, &input(6.0 + round as f32)?).await?;
		let lazy = node_info(&payer, "charlie").await?.id;
		let info = ended(&payer, job).await?;
		let judged = audit(node, job).await?.context("the job was audited")?;
		ensure!(
			info.phase == JobPhase::Settled && judged.verdict == Some(Verdict::Upheld),
			"the executor was right, and is paid: {info:?}\n{judged:?}"
		);
		let auditor = judged.seats.first().context("there was an auditor")?;
		if auditor.node != lazy {
			ensure!(judged.slashes.is_empty(), "an honest auditor: {judged:?}");
			continue;
		}
		ensure!(
			auditor.ballot.is_some_and(|ballot| ballot.vote == Vote::Yes),
			"it said what cost nothing: {judged:?}"
		);
		ensure!(
			judged.slashes == [(lazy, SECURITY_FACTOR * reward)],
			"nobody but the auditor is slashed, by S: {judged:?}"
		);
		return Ok(());
	}
	anyhow::bail!("the lazy node was never the auditor")
}

/// Many jobs of the node that makes numbers up. Nobody forces an audit. Returns them in order, with their compute lines.
async fn many_unforced(devnet: &Devnet, watcher: &Account) -> Result<Vec<(JobId, Balance)>> {
	let node = devnet.node("bob");
	let payer = Account::connect(node, "//Many").await?;
	let blob = put_blob(node, &input(7.0)?).await?;
	let price = payer.client.quote(GARBAGE, blob.size, None).await?.price;
	let one = calls::submit_job(GARBAGE, blob, 2 * price, None, None);
	for _ in 0..UNFORCED / JOBS_AT_ONCE {
		payer.submit(&vec![one.clone(); JOBS_AT_ONCE]).await?;
	}
	let all = 0..watcher.client.next_job().await?;
	let mut own: Vec<JobId> = watcher
		.client
		.jobs(all)
		.await?
		.into_iter()
		.filter(|job| job.payer == payer.id())
		.map(|job| job.id)
		.collect();
	own.sort_unstable();
	ensure!(own.len() == UNFORCED, "{} jobs are on record", own.len());
	let mut rewards = Vec::with_capacity(UNFORCED);
	for job in &own {
		rewards.push((*job, compute_line(watcher, *job).await?));
	}
	let (first, last) = (own[0], own[UNFORCED - 1]);
	until("the end of all of them", JUDGED_WITHIN, || async {
		let jobs = watcher.client.jobs(first..last + 1).await?;
		let mut own = jobs.iter().filter(|job| job.payer == payer.id());
		Ok(own.all(|job| is_over(job.phase)).then_some(()))
	})
	.await?;
	Ok(rewards)
}

/// The draw caught the cheat within the jobs that the rate says, and everything that was drawn was rejected, for exactly S.
fn drawn_as_stated(history: &[Happened], jobs: &[(JobId, Balance)]) -> Result<()> {
	let drawn: Vec<usize> = jobs
		.iter()
		.enumerate()
		.filter(|(_, (job, _))| {
			history.iter().any(
				|event| matches!(event, Happened::Opened(opened, AuditReason::Drawn | AuditReason::DrawLost) if opened == job),
			)
		})
		.map(|(index, _)| index)
		.collect();
	// 2·s·R / (d·(S + R)) with s = 0.8, d = 0.5 and S = 64·R.
	let rate = 2.0 * 0.8 / (0.5 * 65.0);
	let first = *drawn.first().context("none of the jobs was drawn")?;
	eprintln!(
		"{} of {} jobs were drawn, {:.1} expected; the first after {} jobs, {:.1} expected",
		drawn.len(),
		jobs.len(),
		rate * jobs.len() as f64,
		first + 1,
		1.0 / rate
	);
	ensure!(
		drawn.len() as f64 <= MOST_DRAWN * rate * jobs.len() as f64,
		"{} jobs were drawn: more than the payers pay for",
		drawn.len()
	);
	let mut ends = BTreeMap::new();
	for event in history {
		match event {
			Happened::Ended(job, verdict) => drop(ends.insert(*job, *verdict)),
			Happened::Settled(job) => ensure!(
				ends.get(job) != Some(&Verdict::Rejected),
				"job {job} was rejected and settled"
			),
			_ => {}
		}
	}
	for index in drawn {
		let (job, reward) = jobs[index];
		ensure!(
			ends.get(&job) == Some(&Verdict::Rejected),
			"job {job} was audited, and ended as {:?}",
			ends.get(&job)
		);
		let refunds = history
			.iter()
			.filter(|event| matches!(event, Happened::Rejected(rejected, ..) if *rejected == job))
			.count();
		ensure!(refunds == 1, "job {job} was refunded {refunds} times");
		let taken: Vec<_> = history
			.iter()
			.filter_map(|event| match event {
				Happened::Slashed(of, _, amount) if *of == job => Some(*amount),
				_ => None,
			})
			.collect();
		ensure!(
			taken == [SECURITY_FACTOR * reward],
			"job {job}, which pays {reward}: {taken:?} was slashed"
		);
	}
	Ok(())
}

/// An input that nobody has, a model that never ends, one with random operators: two nodes say so, and are paid a fifth
/// for it; or one of them was too slow for its deadline, and everything goes back.
async fn impossible_jobs(devnet: &Devnet) -> Result<()> {
	let node = devnet.node("bob");
	let payer = Account::connect(node, "//Impossible").await?;
	let endless = serialize(&[integers("n", &[], &[i64::MAX])?, floats("x", &[4], &[1.0; 4])?]);
	let endless = put_blob(node, &endless).await?;
	let random = put_blob(node, &identity_input(8.0, 1)?).await?;
	let missing = BlobRef::of(&input(-1.0)?);
	for (what, model, blob) in [
		("an input that nobody has", HONEST, missing),
		("an endless loop", ENDLESS, endless),
		("random operators", RANDOM, random),
	] {
		let before = payer.total().await?;
		let submitted = payer.submit_job(u64::from(model), blob, None).await?;
		let paid = payer.paid_in(&submitted.block).await?;
		let reward = compute_line(&payer, submitted.job).await?;
		let info = ended(&payer, submitted.job).await?;
		ensure!(
			matches!(info.phase, JobPhase::Failed | JobPhase::Refunded) && info.output.is_none(),
			"{what}: {info:?}"
		);
		let bill = payer.client.bill(submitted.job).await?.context("the job has a bill")?;
		let kept: Balance = bill.lines.iter().map(|line| line.amount).sum();
		ensure!(
			kept + bill.refunded == bill.price && kept <= reward / 5,
			"{what}: all but a fifth of the compute line goes back: {bill:?}"
		);
		let fee = paid - bill.price;
		payer.wait_for_total(what, before - fee - kept).await?;
	}
	Ok(())
}

/// Five nodes, the least that a slash needs: one cheat, found by all the others.
#[tokio::test]
async fn five_nodes_should_be_enough_to_slash() -> Result<()> {
	let setup = Setup::of(&["alice", "bob", "charlie", "dave", "eve"])
		.cheating("eve", "garbage")
		.paying("//Payer")
		.paying("//Maker");
	Devnet::run_setup(setup, async |devnet| {
		let devnet = &*devnet;
		let node = devnet.node("alice");
		let watcher = Account::connect(node, "//Alice").await?;
		let honest = bonds(&watcher, &["alice", "bob", "charlie", "dave"]).await?;
		let first = node.best_block().await?;
		register(devnet, "//Maker", &[traced(Perbill::one())?]).await?;
		host(devnet, &[("eve", &[GARBAGE])]).await?;
		confirm_calibrations(devnet, ["bob", "charlie"], &[GARBAGE]).await?;

		let before = node_info(&watcher, "eve").await?;
		let forced = forced(node, "//Payer", GARBAGE, &input(9.0)?).await?;
		let refusal = call_proof_of_work(node, &watcher, "force_audit", vec![forced.job.into()]).await;
		ensure!(refusal.is_err(), "only the payer may ask for an audit");
		let (reward, payer) = (forced.reward, forced.payer.id());
		let job = caught(devnet, forced, "eve", true).await?;
		let price = watcher.client.job(job).await?.context("the job is on record")?.price;
		let after = node_info(&watcher, "eve").await?;
		ensure!(
			before.bond - after.bond == SECURITY_FACTOR * reward && after.chilled,
			"it lost S, and is out: {after:?}"
		);
		let judged = audit(node, job).await?.context("it was audited")?;
		let judges: Vec<NodeId> = judged.seats.iter().map(|seat| seat.node).collect();
		ensure!(judges.len() == 4, "all others judged: {judged:?}");
		let history = history(node, first).await?;
		ensure!(
			history.iter().any(|event| matches!(
				event,
				Happened::Rejected(rejected, of, to, amount)
					if *rejected == job && *of == after.id && *to == payer && *amount == price
			)),
			"the event says so: {history:?}"
		);
		for judge in ["alice", "bob", "charlie", "dave"] {
			let account = Account::connect(node, &key_of(judge)).await?;
			until(&format!("{judge}'s pay"), Duration::from_secs(30), || async {
				Ok((account.claimable().await? >= reward).then_some(()))
			})
			.await?;
		}
		ensure_unharmed(&watcher, &history, &honest).await
	})
	.await
}
