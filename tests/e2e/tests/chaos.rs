//! `scripts/chaos` in short: the program that it runs, with one fault of each kind that takes little time.

use anyhow::{ensure, Context, Result};
use highway_test_support::{binaries, devnet};
use serde_json::Value;
use std::{collections::BTreeSet, env, path::PathBuf, process::Stdio};
use tokio::{
	io::{AsyncBufReadExt, BufReader},
	process::Command,
};

const KINDS: [&str; 6] = ["kill", "children", "partition", "disk", "clock", "restart"];

#[tokio::test]
#[ignore = "it needs root and network namespaces: scripts/test runs it where `chaos --check` finds them"]
async fn network_should_mend_when_nodes_children_wires_disks_and_clocks_fail() -> Result<()> {
	let mut turn = Some(devnet::turn_to_start().await);
	let mut command = Command::new(binaries::chaos()?);
	command
		.args(["--json", "--seed", "1", "--faults", &KINDS.len().to_string()])
		.args(["--kinds", &KINDS.join(",")]);
	if let Some(folder) = env::var_os("HIGHWAY_TEST_LOGS") {
		command.arg("--keep").arg(PathBuf::from(folder).join("chaos"));
	}
	let mut chaos = command
		.stdin(Stdio::null())
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.spawn()?;
	// It ends by itself: whatever it waits for has a limit. What it prints at its end is far less than a pipe holds.
	let mut said = BufReader::new(chaos.stderr.take().context("its errors are piped")?).lines();
	let mut log = Vec::new();
	while let Some(line) = said.next_line().await? {
		// It names its nodes once they have started.
		if line.contains("ws://") {
			turn = None;
		}
		log.push(line);
	}
	drop(turn);
	let output = chaos.wait_with_output().await?;
	let (text, log) = (String::from_utf8(output.stdout)?, log.join("\n"));
	let status = output.status;
	ensure!(status.success(), "it ended with {status}:\n{log}\n{text}");
	let printed: Value = serde_json::from_str(&text).with_context(|| format!("it is not one JSON value: {text}"))?;
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
