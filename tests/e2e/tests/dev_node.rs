//! `highway-node --dev`, alone, and the subcommands around its data.

use anyhow::{ensure, Result};
use highway_test_support::{binaries, until, Node, NodeOptions};
use serde_json::Value;
use std::{path::Path, process::Command, time::Duration};

/// Runs `highway-node` with these arguments for the development chain in `data` and returns what it prints.
fn run(arguments: &[&str], data: &Path) -> Result<String> {
	let output = Command::new(binaries::node()?)
		.args(arguments)
		.args(["--chain", "dev", "--base-path"])
		.arg(data)
		.output()?;
	let (printed, said) = (
		String::from_utf8_lossy(&output.stdout).into_owned(),
		String::from_utf8_lossy(&output.stderr).into_owned(),
	);
	ensure!(
		output.status.success(),
		"{arguments:?}: {}\n{printed}\n{said}",
		output.status
	);
	Ok(printed)
}

#[tokio::test]
async fn dev_node_should_finalize_with_a_healthy_engine_when_alone() -> Result<()> {
	let folder = tempfile::tempdir()?;
	let options = NodeOptions {
		name: "dev".into(),
		chain: "dev".into(),
		extra: vec!["--dev".into()],
		..NodeOptions::default()
	};
	let mut node = Node::start(folder.path(), options).await?;
	node.wait_for_block(3).await?;
	until("a finalized block", Duration::from_secs(30), || async {
		Ok((node.finalized_block().await? >= 1).then_some(()))
	})
	.await?;
	until("a healthy engine", Duration::from_secs(30), || async {
		Ok((node.metric("highway_healthy", &[]).await? == 1.0).then_some(()))
	})
	.await?;
	// The metrics follow every few seconds.
	until("a best block of 3 in the metrics", Duration::from_secs(30), || async {
		let height = node.metric("substrate_block_height", &["status=\"best\""]).await?;
		Ok((height >= 3.0).then_some(()))
	})
	.await?;
	node.stop().await?;

	let data = node.folder().join("data");
	let info = run(&["chain-info"], &data)?;
	let info: Value = serde_json::from_str(&info)?;
	ensure!(
		info["best_number"].as_u64() >= Some(3),
		"chain-info tells of the chain: {info}"
	);
	let chain = node.chain_folder()?;
	let database = chain.join("paritydb");
	ensure!(database.is_dir(), "there is a database at {}", database.display());
	run(&["purge-chain", "-y"], &data)?;
	ensure!(!database.exists(), "the database is gone");
	ensure!(chain.join("keystore").is_dir(), "the keys are not");
	// It starts anew on what is left.
	node.resume().await?;
	node.wait_for_block(1).await?;
	node.stop().await
}
