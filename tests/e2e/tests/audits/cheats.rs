//! Nodes that want to be paid for nothing, and payers and makers that want honest nodes to be slashed.
//!
//! Each has a network of its own, of as many nodes as a slash needs: a slash takes its node out until its operator resumes
//! it, and would leave too few for a second one. Whoever cheats does it with a model that it alone hosts, so that the jobs
//! come to it.

use super::scene::{
	attested, audit, bonds, call_proof_of_work, compute_line, confirm_calibrations, ended, ensure_unharmed, fines,
	forced, history, host, input, is_over, keep_active, node_info, plain, register, slashes, traced, Forced, Happened,
	JUDGED_WITHIN, SECURITY_FACTOR,
};
use anyhow::{ensure, Context, Result};
use futures::future::Either;
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

/// Eve cheats.
const FIVE: [&str; 5] = ["alice", "bob", "charlie", "dave", "eve"];
const SIX: [&str; 6] = ["alice", "bob", "charlie", "dave", "eve", "ferdie"];
const CHEAT: &str = "eve";

/// Hosted by the cheat alone, or, where the auditor cheats, by an honest node.
const TRACED: ModelId = 0;
const ENDLESS: ModelId = 1;
const RANDOM: ModelId = 2;
const INNOCENT: ModelId = 3;

/// Models with jobs that nobody can do.
const IMPOSSIBLE: [ModelId; 3] = [ENDLESS, RANDOM, INNOCENT];

/// Jobs that nobody asks to audit: at the rate of [`traced`] with a detection of one half, 4.9 %, all of them stay unseen
/// once in 23 000 times.
const UNFORCED: usize = 200;

/// Jobs in one transaction.
const JOBS_AT_ONCE: usize = 50;

/// No more than so many times the expected number of jobs is drawn: thirty instead of ten would be six deviations.
const MOST_DRAWN: f64 = 3.0;

/// Audits that are forced until the lazy node is the auditor: it is so 96 times of 100.
const LAZY_TRIES: usize = 4;

/// Runs a scenario on a network of `names`, where models are hosted as `hosts` says and Eve cheats as the word says.
/// After it, Eve has lost exactly what the chain says that she was slashed, and the others nothing.
async fn with_cheat(
	names: &[&'static str],
	cheats: &str,
	hosts: &[(&str, &[ModelId])],
	change: impl FnOnce(Setup) -> Setup,
	scenario: impl AsyncFnOnce(&Devnet, &Account) -> Result<()>,
) -> Result<()> {
	let setup = Setup::of(names)
		.cheating(CHEAT, cheats)
		.paying("//Payer")
		.paying("//Maker");
	Devnet::run_setup(change(setup), async |devnet| {
		let devnet = &*devnet;
		let node = devnet.node("alice");
		let watcher = Account::connect(node, "//Alice").await?;
		let counting = hostile_models::counting_loop();
		let random = hostile_models::random_operator();
		let counting_signature = precheck::signature(&counting)?;
		let innocent = precheck::signature(&hostile_models::identity())?;
		let half = Perbill::from_percent(50);
		let models = [
			traced(half)?,
			plain(counting, counting_signature)?,
			plain(random, innocent)?,
			traced(half)?,
		];
		register(devnet, "//Maker", &models).await?;
		host(devnet, hosts).await?;
		confirm_calibrations(devnet, ["alice", "bob"], &[TRACED]).await?;

		let honest: Vec<_> = names.iter().copied().filter(|name| *name != CHEAT).collect();
		let honest = bonds(&watcher, &honest).await?;
		let before = node_info(&watcher, CHEAT).await?;
		let first = node.best_block().await?;
		scenario(devnet, &watcher).await?;

		let history = history(node, first).await?;
		ensure_unharmed(&watcher, &history, &honest).await?;
		let info = node_info(&watcher, CHEAT).await?;
		let lost = slashes(&history, info.id);
		let sum: Balance = lost.iter().map(|(_, amount)| amount).sum();
		ensure!(!lost.is_empty(), "{CHEAT} was slashed");
		ensure!(
			info.bond + sum + fines(&history, info.id) == before.bond,
			"{CHEAT} had {before:?}, was slashed {lost:?}, and has {info:?}"
		);
		ensure!(
			info.reserved == before.reserved,
			"nothing stays reserved but what stands behind its asks: {before:?}, {info:?}"
		);
		Ok(())
	})
	.await
}

/// The job is rejected, its payer whole, and S gone from the executor's bond.
async fn caught(devnet: &Devnet, forced: Forced, votes_no: bool) -> Result<JobId> {
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
		"{CHEAT} is caught: {info:?}\n{judged:?}"
	);
	let id = node_info(&payer, CHEAT).await?.id;
	ensure!(info.executor == Some(id), "{CHEAT} did it: {info:?}");
	ensure!(
		judged.slashes == [(id, SECURITY_FACTOR * reward)] && judged.verdict == Some(Verdict::Rejected),
		"nobody but {CHEAT} is slashed, by S: {judged:?}"
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

/// Attests what is right, and opens nothing; meanwhile payers and makers try to have honest nodes slashed.
#[tokio::test]
async fn silence_should_cost_the_security_and_impossible_jobs_nobody() -> Result<()> {
	let cheats = format!("silent:{TRACED}");
	let change = |setup: Setup| setup.paying("//Impossible");
	let hosts: [(&str, &[ModelId]); 3] = [(CHEAT, &[TRACED]), ("alice", &IMPOSSIBLE), ("bob", &IMPOSSIBLE)];
	with_cheat(&FIVE, &cheats, &hosts, change, async |devnet, _| {
		let silent = async {
			let forced = forced(devnet.node("alice"), "//Payer", TRACED, &input(1.0)?).await?;
			caught(devnet, forced, false).await
		};
		tokio::try_join!(silent, impossible_jobs(devnet)).map(drop)
	})
	.await
}

/// The output of another job, which was right there.
#[tokio::test]
async fn previous_output_should_cost_the_security() -> Result<()> {
	let cheats = format!("previous:{TRACED}");
	with_cheat(
		&FIVE,
		&cheats,
		&[(CHEAT, &[TRACED])],
		|setup| setup,
		async |devnet, _| {
			let node = devnet.node("alice");
			let payer = Account::connect(node, "//Payer").await?;
			let blob = put_blob(node, &input(3.0)?).await?;
			let earlier = payer.submit_job(u64::from(TRACED), blob, None).await?.job;
			let before = attested(&payer, earlier).await?;
			let forced = forced(node, "//Payer", TRACED, &input(4.0)?).await?;
			let after = attested(&payer, forced.job).await?;
			ensure!(
				after.output == before.output && after.input != before.input,
				"another input, the same output: {before:?}, {after:?}"
			);
			caught(devnet, forced, true).await?;
			let first = ended(&payer, earlier).await?;
			let suspected = audit(node, earlier).await?;
			ensure!(
				first.phase == JobPhase::Settled,
				"the first one was done honestly: {first:?}\n{suspected:?}"
			);
			Ok(())
		},
	)
	.await
}

/// A smaller copy of the model.
#[tokio::test]
async fn int8_copy_should_cost_the_security() -> Result<()> {
	let cheats = format!("int8:{TRACED}");
	with_cheat(
		&FIVE,
		&cheats,
		&[(CHEAT, &[TRACED])],
		|setup| setup,
		async |devnet, _| {
			let forced = forced(devnet.node("alice"), "//Payer", TRACED, &input(5.0)?).await?;
			caught(devnet, forced, true).await.map(drop)
		},
	)
	.await
}

/// The executor is honest; its auditor copies what is public, and cannot know what is inside the model. Its bond is so
/// large that it is nearly always the auditor.
#[tokio::test]
async fn lazy_auditor_should_lose_its_security_and_the_executor_nothing() -> Result<()> {
	let cheats = format!("lazy:{TRACED}");
	let change = |setup: Setup| setup.bonding(CHEAT, 90_000_000);
	with_cheat(&FIVE, &cheats, &[("alice", &[TRACED])], change, async |devnet, _| {
		let node = devnet.node("alice");
		for round in 0..LAZY_TRIES {
			let Forced { payer, job, reward, .. } =
				forced(node, "//Payer", TRACED, &input(6.0 + round as f32)?).await?;
			let lazy = node_info(&payer, CHEAT).await?.id;
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
	})
	.await
}

/// Nobody forces an audit, and numbers are made up two hundred times. Six nodes: five stay active while the cheat is out.
#[tokio::test]
async fn cheats_should_be_found_by_the_draw_alone() -> Result<()> {
	let cheats = format!("garbage:{TRACED}");
	with_cheat(
		&SIX,
		&cheats,
		&[(CHEAT, &[TRACED])],
		|setup| setup,
		async |devnet, watcher| {
			let first = devnet.node("alice").best_block().await?;
			let many = std::pin::pin!(many_unforced(devnet, watcher));
			let resuming = std::pin::pin!(keep_active(devnet, &[CHEAT]));
			let jobs = match futures::future::select(many, resuming).await {
				Either::Left((jobs, _)) => jobs?,
				Either::Right((stopped, _)) => match stopped? {},
			};
			drawn_as_stated(&history(devnet.node("alice"), first).await?, &jobs)
		},
	)
	.await
}

/// Numbers of the right shape, and five nodes: one cheat, found by all the others, who are paid for it.
#[tokio::test]
async fn garbage_should_be_found_by_all_others_when_five_nodes_are_there() -> Result<()> {
	let cheats = format!("garbage:{TRACED}");
	with_cheat(
		&FIVE,
		&cheats,
		&[(CHEAT, &[TRACED])],
		|setup| setup,
		async |devnet, watcher| {
			let node = devnet.node("alice");
			let first = node.best_block().await?;
			let before = node_info(watcher, CHEAT).await?;
			let forced = forced(node, "//Payer", TRACED, &input(9.0)?).await?;
			let refusal = call_proof_of_work(node, watcher, "force_audit", vec![forced.job.into()]).await;
			ensure!(refusal.is_err(), "only the payer may ask for an audit");
			let (reward, payer) = (forced.reward, forced.payer.id());
			let job = caught(devnet, forced, true).await?;
			let price = watcher.client.job(job).await?.context("the job is on record")?.price;
			let after = node_info(watcher, CHEAT).await?;
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
			Ok(())
		},
	)
	.await
}

/// Many jobs of the node that makes numbers up. Nobody forces an audit. Returns them in order, with their compute lines.
async fn many_unforced(devnet: &Devnet, watcher: &Account) -> Result<Vec<(JobId, Balance)>> {
	let node = devnet.node("alice");
	let payer = Account::connect(node, "//Payer").await?;
	let blob = put_blob(node, &input(7.0)?).await?;
	let price = payer.client.quote(TRACED, blob.size, None).await?.price;
	let one = calls::submit_job(TRACED, blob, 2 * price, None, None);
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
	let node = devnet.node("alice");
	let payer = Account::connect(node, "//Impossible").await?;
	let endless = serialize(&[integers("n", &[], &[i64::MAX])?, floats("x", &[4], &[1.0; 4])?]);
	let endless = put_blob(node, &endless).await?;
	let random = put_blob(node, &identity_input(8.0, 1)?).await?;
	let missing = BlobRef::of(&input(-1.0)?);
	for (what, model, blob) in [
		("an input that nobody has", INNOCENT, missing),
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
