//! The `highway` binary, as a person runs it.

use crate::{binaries, Node};
use anyhow::{bail, Context, Result};
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

/// A key, and the node that it talks to.
#[derive(Clone, Debug)]
pub struct Wallet {
	/// A development key such as `//Alice`.
	pub key: String,
	/// The node's URL.
	pub url: String,
}

impl Wallet {
	/// The wallet of `key` at `node`.
	pub fn new(node: &Node, key: &str) -> Self {
		Self { key: key.into(), url: node.url() }
	}

	/// Runs `highway` with `--json` and returns what it printed; error with its message if it failed.
	pub async fn run(&self, arguments: &[&str]) -> Result<Value> {
		let output = Command::new(binaries::wallet()?)
			.args(["--json", "--url", &self.url, "--key", &self.key])
			.args(arguments)
			.stdin(Stdio::null())
			.kill_on_drop(true)
			.output()
			.await?;
		let stdout = String::from_utf8_lossy(&output.stdout);
		if !output.status.success() {
			bail!(
				"highway {}: {}\n{}{stdout}",
				arguments.join(" "),
				output.status,
				String::from_utf8_lossy(&output.stderr)
			);
		}
		serde_json::from_str(&stdout)
			.with_context(|| format!("highway {} printed no JSON: {stdout}", arguments.join(" ")))
	}
}
