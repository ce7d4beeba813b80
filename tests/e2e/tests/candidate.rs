//! A newcomer becomes a validator by stake, with nothing but the wallet.

use anyhow::{ensure, Context, Result};
use highway_test_support::{until, Devnet, Wallet};
use std::time::Duration;

/// From the session after the next one on it validates: three sessions of a minute at most, and a slow machine.
const ELECTED_WITHIN: Duration = Duration::from_secs(300);

/// Blocks that are finalized after one of the first three validators is gone.
const FINALIZED_WITHOUT_BOB: u64 = 3;

#[tokio::test]
async fn candidate_should_author_and_finalize_from_its_second_session_on() -> Result<()> {
	Devnet::run(async |devnet| {
		let fourth = devnet.add("dave", Some("dave"), Vec::new()).await?;
		let dave = Wallet::new(fourth, "//Dave");
		dave.run(&["node", "register", "--bond", "2000"]).await?;
		let validate = dave.run(&["node", "validate"]).await?;
		ensure!(validate["keys"].is_string(), "it has session keys: {validate}");
		let early = dave.run(&["node", "status"]).await?;
		ensure!(early["validator"] == false, "nobody validates at once: {early}");

		until("Dave's node among the validators", ELECTED_WITHIN, || async {
			let status = dave.run(&["node", "status"]).await?;
			Ok((status["validator"] == true).then_some(()))
		})
		.await?;
		until("a block of Dave's", Duration::from_secs(60), || async {
			let authored = devnet
				.node("dave")
				.metric("substrate_proposer_block_constructed_count", &[])
				.await?;
			Ok((authored >= 1.0).then_some(()))
		})
		.await?;

		// The first three finalize the block that makes Dave one of them: until then nobody else can.
		let alice = devnet.node("alice");
		let of_four = alice.best_block().await?;
		until("finality of a block of the four", Duration::from_secs(90), || async {
			Ok((alice.finalized_block().await? >= of_four).then_some(()))
		})
		.await?;

		// Two of three could not finalize, three of four can: Dave's votes count.
		devnet.node_mut("bob").kill()?;
		let alice = devnet.node("alice");
		// What was on its way when Bob went does not count.
		let from = alice.best_block().await? + FINALIZED_WITHOUT_BOB;
		until("finality without Bob", Duration::from_secs(90), || async {
			Ok((alice.finalized_block().await? >= from).then_some(()))
		})
		.await
		.context("Alice, Charlie and Dave are three of four")
	})
	.await
}
