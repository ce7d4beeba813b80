//! Programs of ours that start networks of their own.

use anyhow::{ensure, Context, Result};
use highway_test_support::devnet;
use serde_json::Value;
use std::process::Stdio;
use tokio::{
	io::{AsyncBufReadExt, BufReader},
	process::Command,
};

/// The one JSON value that the program prints, which must succeed. It starts when it is its turn among the networks.
pub async fn printed_by(mut command: Command) -> Result<Value> {
	let mut turn = Some(devnet::turn_to_start().await);
	let mut program = command
		.stdin(Stdio::null())
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.spawn()?;
	// It ends by itself: whatever it waits for has a limit. What it prints at its end is far less than a pipe holds.
	let mut said = BufReader::new(program.stderr.take().context("its errors are piped")?).lines();
	let mut log = Vec::new();
	while let Some(line) = said.next_line().await? {
		// It names its nodes once they have started.
		if line.contains("ws://") {
			turn = None;
		}
		log.push(line);
	}
	drop(turn);
	let output = program.wait_with_output().await?;
	let (text, log) = (String::from_utf8(output.stdout)?, log.join("\n"));
	let status = output.status;
	ensure!(status.success(), "it ended with {status}:\n{log}\n{text}");
	serde_json::from_str(&text).with_context(|| format!("it is not one JSON value: {text}"))
}
