//! A network of real nodes.

use crate::{binaries, until, Node, NodeOptions};
use anyhow::{anyhow, ensure, Context, Result};
use futures::{future::try_join_all, FutureExt};
use serde_json::json;
use std::{
	env, fs,
	io::Write,
	panic::AssertUnwindSafe,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	time::{Duration, UNIX_EPOCH},
};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// The validators of the `local` preset.
pub const VALIDATORS: [&str; 3] = ["alice", "bob", "charlie"];

/// Networks start one after another: nodes compile their runtime then, and ports that are free for one network should not be
/// found by another one.
static STARTING: Mutex<()> = Mutex::const_new(());

/// No network of this process starts while this is held: for who starts one in another process.
pub async fn turn_to_start() -> MutexGuard<'static, ()> {
	STARTING.lock().await
}

/// Three validators with workers, connected with one another.
pub struct Devnet {
	/// The nodes.
	pub nodes: Vec<Node>,
	chain: PathBuf,
	folder: TempDir,
}

/// The `local` preset as a file, so that not every node builds the genesis state anew. It lies beside the binary of the
/// node that wrote it.
fn local_chain() -> Result<PathBuf> {
	let node = binaries::node()?;
	let written = fs::metadata(&node)?.modified()?.duration_since(UNIX_EPOCH)?;
	let folder = node.parent().context("a binary lies in a folder")?;
	let file = folder.join(format!("local-{}.json", written.as_nanos()));
	if file.is_file() {
		return Ok(file);
	}
	let output = Command::new(&node)
		.args(["export-chain-spec", "--chain", "local", "--raw"])
		.stdin(Stdio::null())
		.output()?;
	ensure!(
		output.status.success(),
		"highway-node export-chain-spec: {}\n{}",
		output.status,
		String::from_utf8_lossy(&output.stderr)
	);
	// Another test may do the same: whole files only.
	let mut whole = tempfile::NamedTempFile::new_in(folder)?;
	whole.write_all(&output.stdout)?;
	whole.persist(&file)?;
	Ok(file)
}

impl Devnet {
	/// Starts the `local` preset's three validators and waits until they finalize blocks.
	pub async fn start() -> Result<Self> {
		Self::start_with(&[]).await
	}

	/// The same, with more arguments for every node.
	pub async fn start_with(extra: &[&str]) -> Result<Self> {
		let mut devnet = Self {
			nodes: Vec::new(),
			chain: local_chain()?,
			folder: tempfile::Builder::new().prefix("highway-").tempdir()?,
		};
		let result = devnet.start_validators(extra).await;
		if result.is_err() {
			devnet.show_logs();
		}
		result.map(|()| devnet)
	}

	async fn start_validators(&mut self, extra: &[&str]) -> Result<()> {
		let turn = turn_to_start().await;
		let [first, others @ ..] = VALIDATORS;
		let extra: Vec<_> = extra.iter().map(|argument| argument.to_string()).collect();
		self.add(first, Some(first), extra.clone()).await?;
		// Side by side: a node spends its first seconds with compiling the runtime.
		let mut starting = Vec::new();
		for validator in others {
			let options = self.options(validator, Some(validator), None, extra.clone()).await?;
			starting.push(Node::start(self.folder.path(), options));
		}
		self.nodes.extend(try_join_all(starting).await?);
		drop(turn);
		for node in &self.nodes {
			let finality = format!("finality on {}", node.name());
			until(&finality, Duration::from_secs(90), || async {
				Ok((node.finalized_block().await? >= 1).then_some(()))
			})
			.await?;
		}
		Ok(())
	}

	/// Runs `scenario` on a new network, and stops it. A node that panicked, or did not end well, is a failure, too. On
	/// any failure the ends of the nodes' logs are printed, and whole logs are copied to the folder in
	/// `HIGHWAY_TEST_LOGS` if that is set.
	pub async fn run<T>(scenario: impl AsyncFnOnce(&mut Devnet) -> Result<T>) -> Result<T> {
		Self::run_with(&[], scenario).await
	}

	/// The same, with more arguments for every node.
	pub async fn run_with<T>(extra: &[&str], scenario: impl AsyncFnOnce(&mut Devnet) -> Result<T>) -> Result<T> {
		let mut devnet = Self::start_with(extra).await?;
		// A failed assertion must not take the logs with it.
		let mut result = AssertUnwindSafe(scenario(&mut devnet))
			.catch_unwind()
			.await
			.unwrap_or_else(|panic| {
				let text = panic.downcast_ref::<String>().cloned();
				let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
				Err(anyhow!("the test panicked: {}", text.unwrap_or_default()))
			});
		if result.is_ok() {
			if let Err(error) = devnet.stop().await {
				result = Err(error);
			}
		}
		if result.is_err() {
			devnet.show_logs();
		}
		result
	}

	fn show_logs(&self) {
		for node in &self.nodes {
			eprintln!("=== the end of {}'s log ===\n{}", node.name(), node.log_tail());
		}
		if let Some(folder) = env::var_os("HIGHWAY_TEST_LOGS") {
			if let Err(error) = self.save_logs(Path::new(&folder)) {
				eprintln!("the logs cannot be copied: {error:#}");
			}
		}
	}

	/// Copies the nodes' logs into `folder`.
	pub fn save_logs(&self, folder: &Path) -> Result<()> {
		for node in &self.nodes {
			let file = folder.join(format!("{}.log", node.name()));
			fs::create_dir_all(folder)
				.map_err(Into::into)
				.and_then(|()| node.save_log(&file))
				.with_context(|| file.display().to_string())?;
		}
		Ok(())
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
		let options = self.options(name, validator, worker, extra).await?;
		let first = options.bootnodes.is_empty();
		let node = Node::start(self.folder.path(), options).await?;
		if !first {
			until(&format!("peers of {name}"), Duration::from_secs(30), || async {
				Ok((node.rpc("system_health", json!([])).await?["peers"].as_u64() > Some(0)).then_some(()))
			})
			.await?;
			if let Some(other) = self.nodes.iter().find(|node| node.pid().is_some()) {
				// The pool of a node that catches up stays at genesis until the first block after that.
				node.wait_for_block(other.best_block().await? + 2).await?;
			}
		}
		self.nodes.push(node);
		Ok(self.nodes.last_mut().expect("one was just pushed; qed"))
	}

	async fn options(
		&self,
		name: &str,
		validator: Option<&str>,
		worker: Option<String>,
		extra: Vec<String>,
	) -> Result<NodeOptions> {
		let mut bootnodes = Vec::new();
		for node in &self.nodes {
			if node.pid().is_some() {
				bootnodes.push(node.multiaddress().await?);
			}
		}
		Ok(NodeOptions {
			name: name.into(),
			chain: self.chain.display().to_string(),
			validator: validator.map(Into::into),
			bootnodes,
			worker,
			extra,
		})
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

	/// Asks all nodes to end, and waits until they have. Error if one of them does not end well, or panicked before.
	pub async fn stop(&mut self) -> Result<()> {
		try_join_all(self.nodes.iter_mut().map(Node::stop)).await?;
		for node in &self.nodes {
			let panics = node.panics();
			ensure!(panics.is_empty(), "{} panicked: {}", node.name(), panics.join("\n"));
		}
		Ok(())
	}
}
