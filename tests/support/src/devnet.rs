//! A network of real nodes.

use crate::{binaries, market::key_of, until, Node, NodeOptions, Place};
use anyhow::{anyhow, ensure, Context, Result};
use futures::{future::try_join_all, FutureExt};
use highway_primitives::{Balance, BlobRef, DeviceClass, AIC};
use serde_json::{json, Value};
use sp_core::{crypto::Ss58Codec, ed25519, sr25519, Pair};
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

/// What each operator has bonded, in AIC, unless told otherwise: as the preset says.
const BOND: u32 = 1_000_000;

/// What an account that is no operator's gets at the start, in the smallest unit.
const POCKET_MONEY: Balance = 1_000_000 * AIC;

/// An operator whose node is there from the start, and a validator.
#[derive(Clone, Debug)]
struct Operator {
	/// A well-known name such as `alice`, also the node's.
	name: String,
	/// Own bond in AIC.
	bond: u32,
	/// The device that its node is registered with; `None`: as the preset says.
	device: Option<DeviceClass>,
	/// How its node cheats, if it does.
	cheats: Option<String>,
	/// What its node asks by itself: the file behind `--bids`.
	bids: Option<String>,
	/// Where its node runs, if not beside all others.
	place: Option<Place>,
	/// More arguments for its node.
	extra: Vec<String>,
}

/// What a network is made of.
#[derive(Clone, Debug)]
pub struct Setup {
	operators: Vec<Operator>,
	/// Secrets of further accounts with money.
	accounts: Vec<String>,
	/// How rounds of probes come; `None`: not at all.
	probes: Option<Value>,
	/// Blocks of a market epoch; `None`: as the preset says.
	market_epoch: Option<u32>,
	extra: Vec<String>,
}

impl Setup {
	/// A network of these operators, in the order of their nodes' ids, all of them validators. Their names are those of
	/// well-known keys, `alice` to `ferdie`.
	pub fn of(names: &[&str]) -> Self {
		let operator = |name: &&str| Operator {
			name: name.to_string(),
			bond: BOND,
			device: None,
			cheats: None,
			bids: None,
			place: None,
			extra: Vec::new(),
		};
		Self {
			operators: names.iter().map(operator).collect(),
			accounts: Vec::new(),
			probes: None,
			market_epoch: None,
			extra: Vec::new(),
		}
	}

	/// Lets the node of `name` cheat; see the program `cheating_node` for the words.
	pub fn cheating(self, name: &str, cheats: &str) -> Self {
		self.with_operator(name, |operator| operator.cheats = Some(cheats.into()))
	}

	/// More arguments for the node of `name`.
	pub fn starting(self, name: &str, extra: &[&str]) -> Self {
		self.with_operator(name, |operator| {
			operator.extra.extend(extra.iter().map(|argument| argument.to_string()));
		})
	}

	/// Gives the node of `name` another bond, in AIC, so that it is drawn to judge more often, or less.
	pub fn bonding(self, name: &str, aic: u32) -> Self {
		self.with_operator(name, |operator| operator.bond = aic)
	}

	/// Registers the node of `name` with this device, whatever it runs on.
	pub fn claiming(self, name: &str, device: DeviceClass) -> Self {
		self.with_operator(name, |operator| operator.device = Some(device))
	}

	/// Lets the node of `name` bid by itself, as this TOML file says.
	pub fn bidding(self, name: &str, bids: &str) -> Self {
		self.with_operator(name, |operator| operator.bids = Some(bids.into()))
	}

	/// Lets the node of `name` run in a place of its own.
	pub fn placing(self, name: &str, place: Place) -> Self {
		self.with_operator(name, |operator| operator.place = Some(place.clone()))
	}

	/// Turns probing on, with these [`ProbeTerms`](highway_primitives::ProbeTerms) as JSON. The preset has it off: its
	/// nodes share one machine, which is what probes find.
	pub fn probing(mut self, terms: Value) -> Self {
		self.probes = Some(terms);
		self
	}

	/// Lets a market epoch have so many blocks. The wait between a commitment to a file and its registration follows it: 10
	/// blocks where an epoch has 300.
	pub fn market_epoch(mut self, blocks: u32) -> Self {
		self.market_epoch = Some(blocks);
		self
	}

	/// Adds an account with money.
	pub fn paying(mut self, secret: &str) -> Self {
		self.accounts.push(secret.into());
		self
	}

	/// More arguments for every node.
	pub fn with(mut self, extra: &[&str]) -> Self {
		self.extra.extend(extra.iter().map(|argument| argument.to_string()));
		self
	}

	fn with_operator(mut self, name: &str, change: impl Fn(&mut Operator)) -> Self {
		let named = self.operators.iter_mut().filter(|operator| operator.name == name);
		named.for_each(change);
		self
	}

	/// Whether the preset `local` is just that, but for what is said on the command line.
	fn is_preset(&self) -> bool {
		let names: Vec<_> = self.operators.iter().map(|operator| operator.name.as_str()).collect();
		let plain = |operator: &Operator| operator.bond == BOND && operator.device.is_none();
		let as_preset = self.operators.iter().all(plain) && self.probes.is_none() && self.market_epoch.is_none();
		names == VALIDATORS && as_preset && self.accounts.is_empty()
	}

	/// Makes the genesis of `specification`, which is not raw, that of this network.
	fn apply(&self, specification: &mut Value) -> Result<()> {
		let genesis = specification
			.pointer_mut("/genesis/runtimeGenesis/patch")
			.context("a specification that is not raw holds the genesis as JSON")?;
		let model = genesis["nodeStaking"]["nodes"][0].clone();
		ensure!(model.is_object(), "the preset has a node: {genesis}");
		let (mut nodes, mut keys) = (Vec::new(), Vec::new());
		for operator in &self.operators {
			let secret = key_of(&operator.name);
			let account = address(&secret)?;
			let grandpa = ed25519::Pair::from_string(&secret, None)
				.map_err(|error| anyhow!("{secret}: {error:?}"))?
				.public()
				.to_ss58check();
			let mut node = model.clone();
			node["operator"] = json!(account);
			node["worker"] = json!(account);
			// More than 64 bits may be needed: the SDK asks `serde_json` for arbitrary precision.
			node["bond"] = json!(Balance::from(operator.bond) * AIC);
			if let Some(device) = operator.device {
				node["device"] = json!(device);
			}
			nodes.push(node);
			keys.push(json!([account, account, { "babe": account, "grandpa": grandpa }]));
		}
		genesis["nodeStaking"]["nodes"] = Value::Array(nodes);
		genesis["session"]["keys"] = Value::Array(keys);
		if let Some(terms) = &self.probes {
			genesis["capacityProbes"] = json!({ "terms": terms });
		}
		if let Some(blocks) = self.market_epoch {
			genesis["revenueSplit"]["epochLength"] = json!(blocks);
		}
		let balances = genesis["balances"]["balances"]
			.as_array_mut()
			.context("the preset has balances")?;
		for secret in &self.accounts {
			balances.push(json!([address(secret)?, POCKET_MONEY]));
		}
		Ok(())
	}
}

/// The address of a secret such as `//Alice`.
fn address(secret: &str) -> Result<String> {
	let pair = sr25519::Pair::from_string(secret, None).map_err(|error| anyhow!("{secret}: {error:?}"))?;
	Ok(pair.public().to_ss58check())
}

/// No network of this process starts while this is held: for who starts one in another process.
pub async fn turn_to_start() -> MutexGuard<'static, ()> {
	STARTING.lock().await
}

/// Validators with workers, connected with one another.
pub struct Devnet {
	/// The nodes.
	pub nodes: Vec<Node>,
	chain: PathBuf,
	folder: TempDir,
	setup: Setup,
}

/// A chain's specification, written by the node.
fn exported(chain: &str, raw: bool) -> Result<Vec<u8>> {
	let mut command = Command::new(binaries::node()?);
	command.args(["export-chain-spec", "--chain", chain]);
	if raw {
		command.arg("--raw");
	}
	let output = command.stdin(Stdio::null()).output()?;
	ensure!(
		output.status.success(),
		"highway-node export-chain-spec: {}\n{}",
		output.status,
		String::from_utf8_lossy(&output.stderr)
	);
	Ok(output.stdout)
}

/// The chain as a file, so that not every node builds the genesis state anew. It lies beside the binary of the node that
/// wrote it.
fn chain_file(setup: &Setup) -> Result<PathBuf> {
	let node = binaries::node()?;
	let written = fs::metadata(&node)?.modified()?.duration_since(UNIX_EPOCH)?;
	let folder = node.parent().context("a binary lies in a folder")?;
	let kind = match setup.is_preset() {
		true => String::new(),
		// All that the genesis depends on.
		false => {
			let operators: Vec<_> = setup
				.operators
				.iter()
				.map(|operator| (&operator.name, operator.bond, operator.device))
				.collect();
			let text = format!(
				"{operators:?} {:?} {:?} {:?}",
				setup.accounts, setup.probes, setup.market_epoch
			);
			format!("{}-", hex::encode(&BlobRef::of(text.as_bytes()).hash.as_bytes()[..8]))
		}
	};
	let file = folder.join(format!("local-{kind}{}.json", written.as_nanos()));
	if file.is_file() {
		return Ok(file);
	}
	let raw = match setup.is_preset() {
		true => exported("local", true)?,
		false => {
			let mut specification: Value = serde_json::from_slice(&exported("local", false)?)?;
			setup.apply(&mut specification)?;
			let mut plain = tempfile::Builder::new().suffix(".json").tempfile()?;
			serde_json::to_writer(&mut plain, &specification)?;
			exported(&plain.path().to_string_lossy(), true)?
		}
	};
	// Another test may do the same: whole files only.
	let mut whole = tempfile::NamedTempFile::new_in(folder)?;
	whole.write_all(&raw)?;
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
		Self::start_setup(Setup::of(&VALIDATORS).with(extra)).await
	}

	/// Starts a network, and waits until its nodes finalize blocks.
	pub async fn start_setup(setup: Setup) -> Result<Self> {
		let mut devnet = Self {
			nodes: Vec::new(),
			chain: chain_file(&setup)?,
			folder: tempfile::Builder::new().prefix("highway-").tempdir()?,
			setup,
		};
		let result = devnet.start_validators().await;
		if result.is_err() {
			devnet.show_logs();
		}
		result.map(|()| devnet)
	}

	async fn start_validators(&mut self) -> Result<()> {
		let turn = turn_to_start().await;
		let Setup { operators, extra, .. } = self.setup.clone();
		let (first, others) = operators.split_first().context("a network has a node")?;
		let first = self.validator(first, extra.clone()).await?;
		self.nodes.push(Node::start(self.folder.path(), first).await?);
		// Side by side: a node spends its first seconds with compiling the runtime.
		let mut starting = Vec::new();
		for operator in others {
			let options = self.validator(operator, extra.clone()).await?;
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

	async fn validator(&self, operator: &Operator, mut extra: Vec<String>) -> Result<NodeOptions> {
		if let Some(bids) = &operator.bids {
			let file = self.folder.path().join(format!("{}-bids.toml", operator.name));
			fs::write(&file, bids)?;
			extra.extend(["--bids".into(), file.display().to_string()]);
		}
		extra.extend(operator.extra.iter().cloned());
		let options = self.options(&operator.name, Some(&operator.name), None, extra).await?;
		Ok(NodeOptions {
			cheats: operator.cheats.clone(),
			place: operator.place.clone(),
			..options
		})
	}

	/// Runs `scenario` on a new network, and stops it. A node that panicked, or did not end well, is a failure, too. On
	/// any failure the ends of the nodes' logs are printed, and whole logs are copied to the folder in
	/// `HIGHWAY_TEST_LOGS` if that is set.
	pub async fn run<T>(scenario: impl AsyncFnOnce(&mut Devnet) -> Result<T>) -> Result<T> {
		Self::run_with(&[], scenario).await
	}

	/// The same, with more arguments for every node.
	pub async fn run_with<T>(extra: &[&str], scenario: impl AsyncFnOnce(&mut Devnet) -> Result<T>) -> Result<T> {
		Self::run_setup(Setup::of(&VALIDATORS).with(extra), scenario).await
	}

	/// The same on another network.
	pub async fn run_setup<T>(setup: Setup, scenario: impl AsyncFnOnce(&mut Devnet) -> Result<T>) -> Result<T> {
		let mut devnet = Self::start_setup(setup).await?;
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

	/// Prints the ends of the nodes' logs, and copies whole logs to the folder in `HIGHWAY_TEST_LOGS` if that is set.
	pub fn show_logs(&self) {
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
		self.add_worker_with(name, secret, &[]).await
	}

	/// The same, with more arguments.
	pub async fn add_worker_with(&mut self, name: &str, secret: &str, extra: &[&str]) -> Result<&mut Node> {
		let extra = extra.iter().map(|argument| argument.to_string()).collect();
		self.add_with(name, None, Some(secret.into()), extra).await
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
			cheats: None,
			place: None,
			environment: Vec::new(),
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
