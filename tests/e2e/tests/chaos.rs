//! `scripts/chaos` in short: the program that it runs, with one fault of each kind but one.

use crate::program::printed_by;
use anyhow::{ensure, Context, Result};
use highway_test_support::binaries;
use std::{collections::BTreeSet, env, path::PathBuf};
use tokio::process::Command;

/// What each costs, beside the seconds until all nodes finalize again: `kill` and `restart` up to five seconds and a start;
/// `children` until some node has a job, a few seconds; `partition` eight to fifteen, and six more where it is in halves; `third`
/// until the others have made four to twelve blocks final, 11 to 32 s, and a start; `disk` up to twenty and a start; `clock` eight to
/// fifteen, another recovery and two starts; `flood` five to eight, in which one node takes what the two processors give it. Nodes
/// wait most of the rest, so that other scenarios go on beside them.
///
/// Not `half`: it is a minute more, and says nothing that is not shown here of all four (`restart`), or in the long run as well by
/// each partition in halves.
const KINDS: [&str; 8] = [
	"kill",
	"children",
	"partition",
	"third",
	"disk",
	"clock",
	"flood",
	"restart",
];

#[tokio::test]
#[ignore = "it needs root: scripts/test runs it where there is, and wherever else `chaos --check` finds what it takes"]
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
		count("no_fault_came_near", "jobs")? > 0 && printed["interrupted"] == false,
		"some jobs had nothing to do with faults: {printed}"
	);
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
