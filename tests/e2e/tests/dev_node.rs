//! `highway-node --dev`, alone, and the subcommands around its data.

use anyhow::{ensure, Context, Result};
use highway_test_support::{binaries, until, Node, NodeOptions};
use serde_json::Value;
use std::{path::Path, process::Command, time::Duration};

/// Runs `highway-node` with these arguments for the chain in `data` and returns what it prints.
fn run(arguments: &[&str], data: &Path) -> Result<String> {
	let output = Command::new(binaries::node()?)
		.args(arguments)
		.args(["--dev", "--base-path"])
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
async fn dev_node_should_finalize_and_be_ready_for_jobs_alone() -> Result<()> {
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
	let height = node.metric("substrate_block_height", &["status=\"best\""]).await?;
	ensure!(height >= 3.0, "the metrics say so too: {height}");
	node.stop().await?;

	let data = node.folder().join("data");
	let info = run(&["chain-info"], &data)?;
	ensure!(info.contains("best_number: "), "chain-info tells of the chain: {info}");
	let spec: Value = serde_json::from_str(&run(&["export-chain-spec"], &data)?)?;
	let id = spec["id"].as_str().context("a chain has an id")?.to_owned();
	let database = data.join("chains").join(&id).join("db");
	ensure!(database.is_dir(), "there is a database at {}", database.display());
	run(&["purge-chain", "-y"], &data)?;
	ensure!(!database.exists(), "the database is gone");
	ensure!(
		data.join("chains").join(&id).join("keystore").is_dir(),
		"the keys are not"
	);
	// It starts anew on what is left.
	node.resume().await?;
	node.wait_for_block(1).await?;
	node.stop().await
}
