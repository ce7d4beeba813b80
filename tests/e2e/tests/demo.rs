//! `scripts/demo --json`, but for its set-up: the program that it runs, as a person's own program would read it.

use crate::program::printed_by;
use anyhow::{ensure, Context, Result};
use highway_test_support::binaries;
use std::{collections::BTreeSet, path::Path};
use tokio::process::Command;

/// What the files are, in Magika's own words.
const LABELS: [&str; 5] = ["python", "elf", "png", "pdf", "json"];

/// What is said of a job.
const KEYS: [&str; 6] = ["file", "label", "score", "node", "blocks", "bill"];

#[tokio::test]
async fn demo_should_print_one_json_object_when_asked_for_json() -> Result<()> {
	let mut command = Command::new(binaries::demo()?);
	command.arg("--json");
	let printed = printed_by(command).await?;
	ensure!(printed.is_object(), "it is not an object: {printed}");

	let jobs = printed["jobs"]
		.as_array()
		.with_context(|| format!("it has jobs: {printed}"))?;
	let labels: Vec<_> = jobs
		.iter()
		.map(|job| job["label"].as_str().unwrap_or_default())
		.collect();
	ensure!(labels == LABELS, "the labels are {labels:?}");
	for job in jobs {
		let keys = job.as_object().context("a job is an object")?.keys();
		let keys: BTreeSet<_> = keys.map(String::as_str).collect();
		ensure!(keys == BTreeSet::from(KEYS), "a job says {keys:?}");
		let file = job["file"].as_str().context("a file has a path")?;
		ensure!(Path::new(file).is_file(), "{file} is the file");
		let score = job["score"].as_f64().context("a score is a number")?;
		ensure!((0.0..=1.0).contains(&score), "the score of {file} is {score}");
		let node = job["node"].as_u64();
		ensure!(node.is_some_and(|node| node < 3), "one of three nodes ran it: {job}");
		ensure!(job["blocks"].as_u64() >= Some(1), "it took a block or more: {job}");
		let lines = job["bill"].as_array().context("a bill is a list")?;
		ensure!(
			lines.iter().any(|line| line["role"] == "Compute"),
			"who ran it is paid: {job}"
		);
	}
	Ok(())
}
