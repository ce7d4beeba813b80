//! A wallet written in JavaScript: the chain is used with the field's standard library, without any of our code.

use anyhow::{ensure, Context, Result};
use highway_test_support::{binaries, Devnet};
use std::{
	path::Path,
	process::{Output, Stdio},
	time::Duration,
};
use tokio::process::Command;

/// How long the script may take.
const SCRIPT_LIMIT: Duration = Duration::from_secs(180);

/// How long it may take to install its packages.
const INSTALL_LIMIT: Duration = Duration::from_secs(180);

async fn run(folder: &Path, limit: Duration, program: &str, arguments: &[&str]) -> Result<Output> {
	let command = format!("{program} {}", arguments.join(" "));
	let child = Command::new(program)
		.args(arguments)
		.current_dir(folder)
		.stdin(Stdio::null())
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.kill_on_drop(true)
		.spawn()
		.with_context(|| format!("cannot run `{command}`: this test needs Node.js (node and npm)"))?;
	let output = tokio::time::timeout(limit, child.wait_with_output())
		.await
		.with_context(|| format!("`{command}` did not end within {limit:?}"))??;
	ensure!(
		output.status.success(),
		"`{command}` in {}: {}\n{}\n{}",
		folder.display(),
		output.status,
		String::from_utf8_lossy(&output.stdout),
		String::from_utf8_lossy(&output.stderr)
	);
	Ok(output)
}

#[tokio::test]
async fn script_should_transfer_and_submit_when_it_knows_only_the_metadata() -> Result<()> {
	let folder = binaries::tests_folder("js")?;
	ensure!(
		folder.join("package-lock.json").is_file(),
		"{} has no locked packages",
		folder.display()
	);
	let cache = binaries::cache().join("npm");
	let cache = cache.to_str().context("the name of the cache folder is not text")?;
	let install = ["ci", "--offline", "--cache", cache, "--no-audit", "--no-fund"];
	run(&folder, INSTALL_LIMIT, "npm", &install)
		.await
		.context("the packages come out of a cache that scripts/setup fills: run it")?;
	Devnet::run(async |devnet| {
		let url = devnet.node("alice").url();
		let output = run(&folder, SCRIPT_LIMIT, "node", &["transfer_and_submit.mjs", &url]).await?;
		println!("{}", String::from_utf8_lossy(&output.stdout));
		Ok(())
	})
	.await
}
