//! `scripts/chaos` in short: the program that it runs, with one fault of each kind that takes little time.

use crate::program::printed_by;
use anyhow::{ensure, Context, Result};
use highway_test_support::binaries;
use std::{collections::BTreeSet, env, path::PathBuf};
use tokio::process::Command;

const KINDS: [&str; 6] = ["kill", "children", "partition", "disk", "clock", "restart"];

#[tokio::test]
#[ignore = "it needs root and network namespaces: scripts/test runs it where `chaos --check` finds them"]
async fn network_should_mend_when_nodes_children_wires_disks_and_clocks_fail() -> Result<()> {
	let mut command = Command::new(binaries::chaos()?);
	command
		.args(["--json", "--seed", "1", "--faults", &KINDS.len().to_string()])
		.args(["--kinds", &KINDS.join(",")]);
	if let Some(folder) = env::var_os("HIGHWAY_TEST_LOGS") {
		command.arg("--keep").arg(PathBuf::from(folder).join("chaos"));
	}
	let printed = printed_by(command).await?;
	ensure!(
		printed["failed_checks"] == 0,
		"nothing went wrong but what was broken: {printed}"
	);

	let faults = printed["faults"].as_array().context("it lists its faults")?;
	let kinds: BTreeSet<_> = faults.iter().filter_map(|fault| fault["kind"].as_str()).collect();
	ensure!(
		faults.len() == KINDS.len() && kinds == BTreeSet::from(KINDS),
		"one fault of each kind: {printed}"
	);
	ensure!(
		faults.iter().all(|fault| fault["seconds_to_recover"].is_number()),
		"the network recovered from each: {printed}"
	);
	let count = |group: &str, name: &str| {
		let number = printed[group][name].as_u64();
		number.with_context(|| format!("it counts {group}, {name}: {printed}"))
	};
	let jobs = count("jobs", "jobs")?;
	let mut ended = 0;
	for end in ["settled", "refunded", "failed", "voided"] {
		ended += count("jobs", end)?;
	}
	ensure!(
		jobs > 0 && ended == jobs && count("jobs", "submissions")? >= jobs,
		"every job ended once: {printed}"
	);
	ensure!(
		count("packets", "lost")? > 0 && count("packets", "parted")? > 0,
		"the wires were bad, and cut: {printed}"
	);
	Ok(())
}
