//! The `highway` binary, as a person runs it.

use crate::{binaries, Node};
use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;
use std::{
	process::{Output, Stdio},
	time::Duration,
};
use tokio::{io::AsyncWriteExt, process::Command};

/// For programs, not for people.
const JSON: [&str; 1] = ["--json"];

/// A key, and the node that it talks to.
#[derive(Clone, Debug)]
pub struct Wallet {
	/// A development key such as `//Alice`.
	pub key: String,
	/// The node's URL.
	pub url: String,
	/// Variables for `highway`, such as `HIGHWAY_KEYSTORE`.
	pub environment: Vec<(String, String)>,
}

/// What `highway` said when it failed.
#[derive(Clone, Debug)]
pub struct Failure {
	/// Its exit code.
	pub code: i32,
	/// Its word for the kind of error.
	pub kind: String,
	/// Its message.
	pub message: String,
}

impl Wallet {
	/// The wallet of `key` at `node`.
	pub fn new(node: &Node, key: &str) -> Self {
		Self {
			key: key.into(),
			url: node.url(),
			environment: Vec::new(),
		}
	}

	/// The same wallet with one more variable.
	pub fn with(mut self, variable: &str, value: impl Into<String>) -> Self {
		self.environment.push((variable.into(), value.into()));
		self
	}

	async fn output(&self, form: &[&str], arguments: &[&str], input: &str) -> Result<Output> {
		let mut child = Command::new(binaries::wallet()?)
			.args(form)
			.args(["--url", &self.url, "--key", &self.key])
			.args(arguments)
			.envs(self.environment.iter().map(|(name, value)| (name, value)))
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::piped())
			.kill_on_drop(true)
			.spawn()?;
		let mut stdin = child
			.stdin
			.take()
			.context("the input of a new process can be written")?;
		// A command that reads nothing may have closed it already.
		let _ = stdin.write_all(input.as_bytes()).await;
		drop(stdin);
		let limit = Duration::from_secs(300);
		tokio::time::timeout(limit, child.wait_with_output())
			.await
			.with_context(|| format!("highway {} did not end within {limit:?}", arguments.join(" ")))?
			.map_err(Into::into)
	}

	/// Runs `highway`, which must fail, and returns what it said.
	pub async fn fails(&self, arguments: &[&str]) -> Result<Failure> {
		let output = self.output(&JSON, arguments, "").await?;
		let stdout = String::from_utf8_lossy(&output.stdout);
		let command = arguments.join(" ");
		ensure!(
			!output.status.success(),
			"highway {command} should have failed, but said: {stdout}"
		);
		let code = output
			.status
			.code()
			.with_context(|| format!("highway {command} was killed: {}", output.status))?;
		let said: Value = serde_json::from_str(&stdout)
			.with_context(|| format!("highway {command} failed without JSON: {stdout}{:?}", output.stderr))?;
		let text = |name: &str| said["error"][name].as_str().unwrap_or_default().to_string();
		Ok(Failure {
			code,
			kind: text("kind"),
			message: text("message"),
		})
	}

	/// Runs `highway` with `--json` and returns what it printed; error with its message if it failed.
	pub async fn run(&self, arguments: &[&str]) -> Result<Value> {
		self.run_with_input(arguments, "").await
	}

	/// The same, with something to read on its standard input.
	pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Result<Value> {
		let stdout = self.printed(&JSON, arguments, input).await?;
		serde_json::from_str(&stdout)
			.with_context(|| format!("highway {} printed no JSON: {stdout}", arguments.join(" ")))
	}

	/// Runs `highway` as people do, and returns the text that it printed.
	pub async fn text(&self, arguments: &[&str]) -> Result<String> {
		self.printed(&[], arguments, "").await
	}

	async fn printed(&self, form: &[&str], arguments: &[&str], input: &str) -> Result<String> {
		let output = self.output(form, arguments, input).await?;
		let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
		if !output.status.success() {
			bail!(
				"highway {}: {}\n{}{stdout}",
				arguments.join(" "),
				output.status,
				String::from_utf8_lossy(&output.stderr)
			);
		}
		Ok(stdout)
	}
}
