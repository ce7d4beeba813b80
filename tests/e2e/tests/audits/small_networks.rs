//! Too few nodes for a jury that may slash: every job ends all the same, and nobody loses a bond.

use super::scene::{
	audit, bonds, confirm_calibrations, ended, ensure_unharmed, forced, history, host, input, register, traced,
	Happened,
};
use anyhow::{ensure, Context, Result};
use highway_e2e_tests::Account;
use highway_primitives::{audit::Verdict, model::ModelId, BlobRef, JobPhase};
use highway_test_support::{Devnet, Setup};
use sp_runtime::Perbill;

/// Hosted by the last node, which makes numbers up.
const GARBAGE: ModelId = 0;
/// Hosted by the first node.
const HONEST: ModelId = 1;

const NAMES: [&str; 4] = ["alice", "bob", "charlie", "dave"];

#[tokio::test]
async fn every_job_should_end_without_a_slash_when_there_are_fewer_than_five_nodes() -> Result<()> {
	// Five nodes at a time.
	tokio::try_join!(network_of(1), network_of(4))?;
	tokio::try_join!(network_of(2), network_of(3))?;
	Ok(())
}

async fn network_of(count: usize) -> Result<()> {
	let names = &NAMES[..count];
	let (first_node, last_node) = (names[0], names[count - 1]);
	let setup = Setup::of(names)
		.cheating(last_node, &format!("garbage:{GARBAGE}"))
		.paying("//Cheated")
		.paying("//Payer")
		.paying("//Missing")
		.paying("//Maker");
	Devnet::run_setup(setup, async |devnet| {
		let devnet = &*devnet;
		let node = devnet.node(first_node);
		let watcher = Account::connect(node, "//Alice").await?;
		register(devnet, "//Maker", &[traced(Perbill::one())?, traced(Perbill::one())?]).await?;
		match count {
			1 => host(devnet, &[(first_node, &[GARBAGE, HONEST])]).await?,
			_ => host(devnet, &[(last_node, &[GARBAGE]), (first_node, &[HONEST])]).await?,
		}
		// As calibrated as any other model, so that only the number of nodes keeps a jury from slashing.
		if count > 1 {
			confirm_calibrations(devnet, [names[0], names[1]], &[GARBAGE, HONEST]).await?;
		}
		let before = bonds(&watcher, names).await?;
		let first = node.best_block().await?;

		let inputs = [input(1.0)?, input(2.0)?];
		let (cheated, paid, ()) = tokio::try_join!(
			forced(node, "//Cheated", GARBAGE, &inputs[0]),
			forced(node, "//Payer", HONEST, &inputs[1]),
			missing_input(devnet, first_node),
		)?;
		let (by_cheat, by_honest) = tokio::try_join!(ended(&watcher, cheated.job), ended(&watcher, paid.job))?;
		let judged = audit(node, cheated.job).await?.context("it was audited")?;
		// Alone, nobody can say that it is garbage. With others the auditor does, and there are no three jurors.
		let (phase, verdict) = match count {
			1 => (JobPhase::Settled, Verdict::Unaudited),
			_ => (JobPhase::Void, Verdict::Void),
		};
		ensure!(
			by_cheat.phase == phase && judged.verdict == Some(verdict) && judged.slashes.is_empty(),
			"{count} nodes, garbage: {by_cheat:?}\n{judged:?}"
		);
		if phase == JobPhase::Void {
			cheated
				.payer
				.wait_for_total("the cheated payer to be whole", cheated.whole)
				.await?;
		}
		let judged = audit(node, paid.job).await?.context("it was audited")?;
		let verdict = match count {
			1 => Verdict::Unaudited,
			_ => Verdict::Upheld,
		};
		ensure!(
			by_honest.phase == JobPhase::Settled && judged.verdict == Some(verdict),
			"{count} nodes, an honest one: {by_honest:?}\n{judged:?}"
		);

		let history = history(node, first).await?;
		ensure!(
			!history.iter().any(|event| matches!(event, Happened::Slashed(..))),
			"{count} nodes: nobody is slashed: {history:?}"
		);
		ensure_unharmed(&watcher, &history, &before, &[]).await
	})
	.await
	.with_context(|| format!("a network of {count}"))
}

/// The only host cannot have it, and there is no second one to agree: the payer has its money back.
async fn missing_input(devnet: &Devnet, node: &str) -> Result<()> {
	let payer = Account::connect(devnet.node(node), "//Missing").await?;
	let blob = BlobRef::of(&input(-1.0)?);
	let before = payer.total().await?;
	let submitted = payer.submit_job(u64::from(HONEST), blob, None).await?;
	let paid = payer.paid_in(&submitted.block).await?;
	let info = ended(&payer, submitted.job).await?;
	ensure!(info.phase == JobPhase::Refunded, "nobody has the input: {info:?}");
	payer.wait_for_total("the refund", before - (paid - info.price)).await
}
