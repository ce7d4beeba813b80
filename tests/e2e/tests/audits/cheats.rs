//! Nodes that want to be paid for nothing, and payers and makers that want honest nodes to be slashed.
//!
//! Each has a network of its own, of as many nodes as slashes need: a slash takes its node out until its operator resumes
//! it, and of five would leave too few for a second one. Whoever cheats does it with a model that it alone hosts, so that
//! the jobs come to it.

use super::{
	draws::draw_beside,
	scene::{
		attested, audit, bonds, call_proof_of_work, compute_line, confirm_calibrations, ended, ensure_unharmed, fines,
		forced, history, host, input, node_info, operator, plain, register, slashes, traced, Forced, Happened, PRICE,
		SECURITY_FACTOR, SOON,
	},
};
use anyhow::{ensure, Context, Result};
use highway_e2e_tests::{amount, floats, identity_input, integers, put_blob, Account};
use highway_offchain_worker::{precheck, tensors::serialize};
use highway_primitives::{
	audit::Verdict, model::ModelId, Balance, BlobRef, FailureClass, JobId, JobPhase, NodeId, Role, Vote,
};
use highway_runtime_api::types::AuditInfo;
use highway_test_support::{hostile_models, market::key_of, until, Devnet, Setup, Wallet};
use serde_json::json;
use sp_runtime::Perbill;
use std::time::Duration;

/// Eve cheats.
const FIVE: [&str; 5] = ["alice", "bob", "charlie", "dave", "eve"];
const SIX: [&str; 6] = ["alice", "bob", "charlie", "dave", "eve", "ferdie"];
pub const CHEAT: &str = "eve";

/// Hosted by the cheat alone, or, where the auditor cheats, by an honest node.
pub const TRACED: ModelId = 0;
const ENDLESS: ModelId = 1;
const RANDOM: ModelId = 2;
const INNOCENT: ModelId = 3;

/// Hosts of the other models.
const HONEST_HOSTS: [&str; 2] = ["alice", "bob"];

/// Models with jobs that nobody can do.
const IMPOSSIBLE: [ModelId; 3] = [ENDLESS, RANDOM, INNOCENT];

/// What two who report that a job is impossible share of its compute line.
const REPORTERS_SHARE: Perbill = Perbill::from_percent(20);

/// Jobs of a kind that nobody can do, until two nodes have said so in time. Each of them has twelve seconds, and knows it in the
/// first of them; but a missing input is sought until six are left. A machine that is busy with other networks makes some
/// reports late, and not those of six jobs in a row.
const IMPOSSIBLE_TRIES: usize = 6;

/// What somebody puts behind an honest node meanwhile, in AIC.
const DELEGATED: &str = "1000";

/// A session of 30 blocks, at whose end validators are paid, and a slow machine.
const SESSION_PAID_WITHIN: Duration = Duration::from_secs(120);

/// Audits that are forced until the lazy node is the auditor: it is so 96 times of 100.
const LAZY_TRIES: usize = 4;

/// Runs a scenario on a network of `names`, where models are hosted as `hosts` says and Eve cheats as the word says.
/// After it, Eve has lost exactly what the chain says that she was slashed, S at a time, and the others nothing, but for
/// what being late costs where it was an impossible job.
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
		.paying("//Many")
		.paying("//Impossible")
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
		confirm_calibrations(devnet, ["charlie", "dave"], &[TRACED]).await?;

		let honest: Vec<_> = names.iter().copied().filter(|name| *name != CHEAT).collect();
		let honest = bonds(&watcher, &honest).await?;
		let before = node_info(&watcher, CHEAT).await?;
		let first = node.best_block().await?;
		scenario(devnet, &watcher).await?;

		let history = history(node, first).await?;
		// The cheat's own jobs are of the traced model; where it is another one's, none is late.
		let all = 0..watcher.client.next_job().await?;
		let jobs = watcher.client.jobs(all).await?.into_iter();
		let late: Vec<JobId> = jobs
			.filter(|job| job.phase == JobPhase::Refunded && job.model != TRACED)
			.map(|job| job.id)
			.collect();
		ensure_unharmed(&watcher, &history, &honest, &late).await?;
		let info = node_info(&watcher, CHEAT).await?;
		let (lost, fined) = (slashes(&history, info.id), fines(&history, info.id));
		let sum: Balance = lost.iter().chain(&fined).map(|(_, amount)| amount).sum();
		ensure!(!lost.is_empty(), "{CHEAT} was slashed");
		ensure!(
			lost.iter().all(|(_, amount)| *amount == SECURITY_FACTOR * PRICE),
			"{CHEAT} was slashed by S each time: {lost:?}"
		);
		ensure!(
			info.bond + sum == before.bond && info.slashed == sum,
			"{CHEAT} had {before:?}, was slashed {lost:?}, fined {fined:?}, and has {info:?}"
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
	let hosts: [(&str, &[ModelId]); 3] = [
		(CHEAT, &[TRACED]),
		(HONEST_HOSTS[0], &IMPOSSIBLE),
		(HONEST_HOSTS[1], &IMPOSSIBLE),
	];
	with_cheat(
		&SIX,
		&cheats,
		&hosts,
		|setup| setup,
		async |devnet, _| {
			let silent = async {
				let forced = forced(devnet.node("alice"), "//Payer", TRACED, &input(1.0)?).await?;
				caught(devnet, forced, false).await
			};
			let both = async { tokio::try_join!(silent, impossible_jobs(devnet)).map(drop) };
			draw_beside(devnet, both).await
		},
	)
	.await
}

/// The output of another job, which was right there.
#[tokio::test]
async fn previous_output_should_cost_the_security() -> Result<()> {
	let cheats = format!("previous:{TRACED}");
	with_cheat(
		&SIX,
		&cheats,
		&[(CHEAT, &[TRACED])],
		|setup| setup,
		async |devnet, _| {
			let node = devnet.node("alice");
			let payer = Account::connect(node, "//Payer").await?;
			let blob = put_blob(node, &input(3.0)?).await?;
			let earlier = payer.submit_job(u64::from(TRACED), blob, None).await?.job;
			let before = attested(&payer, earlier).await?;
			let previous = async {
				let forced = forced(node, "//Payer", TRACED, &input(4.0)?).await?;
				let after = attested(&payer, forced.job).await?;
				ensure!(
					after.output == before.output && after.input != before.input,
					"another input, the same output: {before:?}, {after:?}"
				);
				caught(devnet, forced, true).await.map(drop)
			};
			draw_beside(devnet, previous).await?;
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
		&SIX,
		&cheats,
		&[(CHEAT, &[TRACED])],
		|setup| setup,
		async |devnet, _| {
			let copied = async {
				let forced = forced(devnet.node("alice"), "//Payer", TRACED, &input(5.0)?).await?;
				caught(devnet, forced, true).await.map(drop)
			};
			draw_beside(devnet, copied).await
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

/// Nobody forces an audit, and all numbers are made up.
#[tokio::test]
async fn cheats_should_be_found_by_the_draw_alone() -> Result<()> {
	let cheats = format!("garbage:{TRACED}");
	with_cheat(
		&SIX,
		&cheats,
		&[(CHEAT, &[TRACED])],
		|setup| setup,
		async |devnet, _| draw_beside(devnet, async { Ok(()) }).await,
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
			let (job, ()) = tokio::try_join!(caught(devnet, forced, true), delegated(devnet))?;
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
				until(&format!("{judge}'s pay"), SOON, || async {
					Ok((account.claimable().await? >= reward).then_some(()))
				})
				.await?;
			}
			told_by_wallet_and_metrics(devnet, &judged, SECURITY_FACTOR * reward).await
		},
	)
	.await
}

/// Somebody who operates nothing puts stake behind Bob's node, with the wallet.
async fn delegated(devnet: &Devnet) -> Result<()> {
	let wallet = Wallet::new(devnet.node("bob"), "//Ferdie");
	let said = wallet.run(&["node", "delegate", "1", DELEGATED]).await?;
	ensure!(
		said["node"] == 1 && said["delegated"] == DELEGATED,
		"it was taken: {said}"
	);
	until("the delegation", SOON, || async {
		let delegations = wallet.run(&["node", "delegations"]).await?;
		let own = &delegations[0];
		Ok((own["node"] == 1 && own["amount"] == DELEGATED).then_some(()))
	})
	.await
}

/// The wallet tells of an audit that is over what the chain knows, and each judge's metrics count its ballot.
async fn told_by_wallet_and_metrics(devnet: &Devnet, judged: &AuditInfo, security: Balance) -> Result<()> {
	let wallet = Wallet::new(devnet.node("alice"), "//Bob");
	let list = wallet.run(&["audit", "list"]).await?;
	let told = &list["audits"][0];
	ensure!(
		list["audits"].as_array().is_some_and(|audits| audits.len() == 1) && list["next"].is_null(),
		"there was one audit: {list}"
	);
	ensure!(
		told["job"] == judged.job && told["executor"] == judged.executor && told["verdict"] == "Rejected",
		"it is that one: {told}, {judged:?}"
	);
	let slash = &told["slashes"][0];
	ensure!(
		slash["node"] == judged.executor && slash["part"] == "executor" && amount(&slash["amount"])? == security,
		"the executor lost S: {told}"
	);
	for (index, seat) in judged.seats.iter().enumerate() {
		let vote = format!("{:?}", seat.ballot.context("it judged")?.vote);
		let said = &told["seats"][index];
		ensure!(
			said["node"] == seat.node && said["vote"] == vote,
			"it said {vote}: {said}"
		);
		let name = FIVE[usize::try_from(seat.node)?];
		let label = format!("verdict=\"{}\"", vote.to_lowercase());
		let ballots = devnet.node(name).metric("highway_audits_total", &[&label]).await?;
		ensure!(ballots >= 1.0, "{name} counts {ballots} ballots with {label}");
	}

	let mut shown = wallet.run(&["audit", "show", &judged.job.to_string()]).await?;
	let operators = shown.as_object_mut().and_then(|shown| shown.remove("operators"));
	ensure!(
		operators.is_some_and(|operators| operators.as_object().is_some_and(|all| all.len() == FIVE.len())),
		"everybody has a part in it: {shown}"
	);
	ensure!(shown == *told, "it is shown as it is listed: {shown}, {told}");

	let slashes = wallet.run(&["node", "slashes", &judged.executor.to_string()]).await?;
	let of_audit = &slashes["audits"][0];
	ensure!(
		of_audit["job"] == judged.job && of_audit["part"] == "executor" && amount(&of_audit["amount"])? == security,
		"S was slashed for that job: {slashes}"
	);
	ensure!(
		amount(&slashes["slashed"])? == security && amount(&slashes["elsewhere"])? == 0,
		"and nothing else: {slashes}"
	);
	let none = wallet.run(&["node", "slashes"]).await?;
	ensure!(
		amount(&none["slashed"])? == 0 && none["audits"] == json!([]),
		"Bob lost nothing: {none}"
	);

	let paid = until("the pay of a session", SESSION_PAID_WITHIN, || async {
		let rewards = wallet.run(&["node", "rewards"]).await?;
		Ok((amount(&rewards["total"])? > 0).then_some(rewards))
	})
	.await?;
	ensure!(
		paid["rewards"][0]["node"] == 1 && paid["rewards"][0]["as"] == "operator",
		"Bob's node authored blocks: {paid}"
	);
	Ok(())
}

/// An input that nobody has, a model that never ends, one with random operators: for each, two nodes say why it cannot be
/// done. Where one of them was too slow for its deadline, another job of the kind is paid for.
async fn impossible_jobs(devnet: &Devnet) -> Result<()> {
	let node = devnet.node("alice");
	let payer = Account::connect(node, "//Impossible").await?;
	let first = node.best_block().await?;
	let endless = serialize(&[integers("n", &[], &[i64::MAX])?, floats("x", &[4], &[1.0; 4])?]);
	let endless = put_blob(node, &endless).await?;
	let random = put_blob(node, &identity_input(8.0, 1)?).await?;
	let missing = BlobRef::of(&input(-1.0)?);
	let mut failed = Vec::new();
	for (what, model, blob, reason) in [
		(
			"an input that nobody has",
			INNOCENT,
			missing,
			FailureClass::InputMissing,
		),
		("an endless loop", ENDLESS, endless, FailureClass::RunFailed),
		("random operators", RANDOM, random, FailureClass::ModelRefused),
	] {
		let mut found = None;
		for _ in 0..IMPOSSIBLE_TRIES {
			found = impossible_job(&payer, model, blob).await.context(what)?;
			if found.is_some() {
				break;
			}
		}
		let job =
			found.with_context(|| format!("{what}: of {IMPOSSIBLE_TRIES} jobs, two nodes found none impossible"))?;
		failed.push((what, job, reason));
	}
	let history = history(node, first).await?;
	for (what, job, reason) in failed {
		let why = history.iter().find_map(|event| match event {
			Happened::Failed(of, class) if *of == job => Some(*class),
			_ => None,
		});
		ensure!(why == Some(reason), "{what} is why: {why:?}");
	}
	Ok(())
}

/// Pays for a job that nobody can do, and returns it if both hosts said so: they are paid exactly a fifth of the compute line
/// for it, half of that each. `None` if one of them was too slow: then everything goes back.
async fn impossible_job(payer: &Account, model: ModelId, blob: BlobRef) -> Result<Option<JobId>> {
	let hosts = [operator(HONEST_HOSTS[0])?, operator(HONEST_HOSTS[1])?];
	let before = payer.total().await?;
	let submitted = payer.submit_job(u64::from(model), blob, None).await?;
	let paid = payer.paid_in(&submitted.block).await?;
	let reward = compute_line(payer, submitted.job).await?;
	let info = ended(payer, submitted.job).await?;
	let bill = payer.client.bill(submitted.job).await?.context("the job has a bill")?;
	let share = REPORTERS_SHARE.mul_floor(reward) / 2;
	let earns = |host| {
		let lines = bill.lines.iter().filter(|line| line.payee.as_ref() == Some(host));
		lines.map(|line| (line.role, line.amount)).eq([(Role::Compute, share)])
	};
	let exact = match info.phase {
		JobPhase::Failed => bill.lines.len() == 2 && hosts.iter().all(earns),
		JobPhase::Refunded => bill.lines.is_empty(),
		_ => false,
	};
	ensure!(exact && info.output.is_none(), "nobody can do it: {info:?}\n{bill:?}");
	let kept: Balance = bill.lines.iter().map(|line| line.amount).sum();
	ensure!(kept + bill.refunded == bill.price, "all else goes back: {bill:?}");
	let fee = paid - bill.price;
	payer
		.wait_for_total("what an impossible job costs", before - fee - kept)
		.await?;
	Ok((info.phase == JobPhase::Failed).then_some(submitted.job))
}
