//! A network of real nodes.

use crate::{until, Node, NodeOptions};
use anyhow::{anyhow, ensure, Result};
use futures::FutureExt;
use serde_json::json;
use std::{env, fs, panic::AssertUnwindSafe, path::PathBuf, time::Duration};
use tempfile::TempDir;

/// The validators of the `local` preset.
pub const VALIDATORS: [&str; 3] = ["alice", "bob", "charlie"];

/// Three validators with workers, connected with one another.
pub struct Devnet {
	/// The nodes.
	pub nodes: Vec<Node>,
	folder: TempDir,
}

impl Devnet {
	/// Starts the `local` preset's three validators and waits until they finalize blocks.
	pub async fn start() -> Result<Self> {
		Self::start_with(&[]).await
	}

	/// The same, with more arguments for every node.
	pub async fn start_with(extra: &[&str]) -> Result<Self> {
		let folder = tempfile::Builder::new().prefix("highway-").tempdir()?;
		let mut devnet = Self {
			nodes: Vec::new(),
			folder,
		};
		for validator in VALIDATORS {
			let extra = extra.iter().map(|argument| argument.to_string()).collect();
			devnet.add(validator, Some(validator), extra).await?;
		}
		for node in &devnet.nodes {
			until(
				&format!("finality on {}", node.name()),
				Duration::from_secs(90),
				|| async { Ok((node.finalized_block().await? >= 1).then_some(())) },
			)
			.await?;
		}
		Ok(devnet)
	}

	/// Runs `scenario` on a new network. If it fails, the ends of the nodes' logs are printed, and whole logs are copied
	/// to the folder in `HIGHWAY_TEST_LOGS` if that is set. A node that panicked is a failure, too.
	pub async fn run(scenario: impl AsyncFnOnce(&mut Devnet) -> Result<()>) -> Result<()> {
		let mut devnet = Self::start().await?;
		// A failed assertion must not take the logs with it.
		let result = AssertUnwindSafe(scenario(&mut devnet))
			.catch_unwind()
			.await
			.unwrap_or_else(|panic| {
				let text = panic.downcast_ref::<String>().cloned();
				let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
				Err(anyhow!("the test panicked: {}", text.unwrap_or_default()))
			});
		let result = result.and_then(|()| {
			for node in &devnet.nodes {
				let panics = node.panics();
				ensure!(panics.is_empty(), "{} panicked: {}", node.name(), panics.join("\n"));
			}
			Ok(())
		});
		if result.is_err() {
			devnet.show_logs();
		}
		result
	}

	fn show_logs(&self) {
		let folder = env::var_os("HIGHWAY_TEST_LOGS").map(PathBuf::from);
		for node in &self.nodes {
			eprintln!("=== the end of {}'s log ===\n{}", node.name(), node.log_tail());
			if let Some(folder) = &folder {
				let file = folder.join(format!("{}.log", node.name()));
				if let Err(error) = fs::create_dir_all(folder)
					.map_err(Into::into)
					.and_then(|()| node.save_log(&file))
				{
					eprintln!("the log cannot be copied to {}: {error}", file.display());
				}
			}
		}
	}

	/// Adds a node, connected to all others, and waits until it has peers.
	pub async fn add(&mut self, name: &str, validator: Option<&str>, extra: Vec<String>) -> Result<&mut Node> {
		self.add_with(name, validator, None, extra).await
	}

	/// Adds a node that does not author, with the worker key of this secret.
	pub async fn add_worker(&mut self, name: &str, secret: &str) -> Result<&mut Node> {
		self.add_with(name, None, Some(secret.into()), Vec::new()).await
	}

	async fn add_with(
		&mut self,
		name: &str,
		validator: Option<&str>,
		worker: Option<String>,
		extra: Vec<String>,
	) -> Result<&mut Node> {
		let mut bootnodes = Vec::new();
		for node in &self.nodes {
			if node.pid().is_some() {
				bootnodes.push(node.multiaddress().await?);
			}
		}
		let first = bootnodes.is_empty();
		let options = NodeOptions {
			name: name.into(),
			chain: "local".into(),
			validator: validator.map(Into::into),
			bootnodes,
			worker,
			extra,
		};
		let node = Node::start(self.folder.path(), options).await?;
		if !first {
			until(&format!("peers of {name}"), Duration::from_secs(30), || async {
				Ok((node.rpc("system_health", json!([])).await?["peers"].as_u64() > Some(0)).then_some(()))
			})
			.await?;
		}
		self.nodes.push(node);
		Ok(self.nodes.last_mut().expect("one was just pushed; qed"))
	}

	/// The node of this name.
	pub fn node(&self, name: &str) -> &Node {
		self.nodes
			.iter()
			.find(|node| node.name() == name)
			.expect("tests name nodes that they started; qed")
	}

	/// The node of this name.
	pub fn node_mut(&mut self, name: &str) -> &mut Node {
		self.nodes
			.iter_mut()
			.find(|node| node.name() == name)
			.expect("tests name nodes that they started; qed")
	}

	/// A folder for the test's own files.
	pub fn scratch(&self) -> PathBuf {
		self.folder.path().to_path_buf()
	}

	/// Asks all nodes to end, and waits until they have.
	pub async fn stop(mut self) -> Result<()> {
		for node in &mut self.nodes {
			node.stop().await?;
		}
		Ok(())
	}
}
