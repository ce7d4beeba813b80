//! One real node.

use crate::{binaries, cores, rpc, until};
use anyhow::{bail, ensure, Context, Result};
use serde_json::{json, Value};
use std::{
	env,
	fs::{self, File, OpenOptions},
	net::{Ipv4Addr, SocketAddr, TcpListener},
	path::{Path, PathBuf},
	process::{Child, Command, ExitStatus, Stdio},
	sync::atomic::{AtomicU16, Ordering},
	time::Duration,
};

/// How to start a node.
#[derive(Clone, Debug, Default)]
pub struct NodeOptions {
	/// Its name; also that of its folder and log.
	pub name: String,
	/// Chain: `dev`, `local`, or a file.
	pub chain: String,
	/// The well-known key that it authors with, such as `alice`; `None`: it does not author.
	pub validator: Option<String>,
	/// Multiaddresses of nodes to connect to.
	pub bootnodes: Vec<String>,
	/// Secret of the worker key that is put into its keystore before the first start, such as `//Dave`; `None`: a
	/// validator's well-known key brings its own, others do no inference.
	pub worker: Option<String>,
	/// How it cheats, in the words of the program `cheating_node`; `None`: it is an honest `highway-node`.
	pub cheats: Option<String>,
	/// Where it runs; `None`: beside everything else on this machine.
	pub place: Option<Place>,
	/// Variables of its process.
	pub environment: Vec<(String, String)>,
	/// More arguments.
	pub extra: Vec<String>,
}

/// A network and a disk of a node's own.
#[derive(Clone, Debug)]
pub struct Place {
	/// The network namespace, such as `/run/netns/name`.
	pub namespace: PathBuf,
	/// The node's address there, at which this process reaches it, too.
	pub address: Ipv4Addr,
	/// Where the node's data lie, but not its log.
	pub disk: PathBuf,
}

/// A running, or stopped, `highway-node`.
pub struct Node {
	options: NodeOptions,
	folder: PathBuf,
	rpc_port: u16,
	p2p_port: u16,
	prometheus_port: u16,
	child: Option<Child>,
}

/// The node that cheats: named by `HIGHWAY_CHEATING_NODE`, or beside the honest one.
fn cheating_node() -> Result<PathBuf> {
	let path = env::var_os("HIGHWAY_CHEATING_NODE").map_or_else(
		|| Ok(binaries::node()?.with_file_name("cheating_node")),
		|path| anyhow::Ok(PathBuf::from(path)),
	)?;
	ensure!(
		path.is_file(),
		"{} is not built: run scripts/build, or name it in HIGHWAY_CHEATING_NODE",
		path.display()
	);
	Ok(path)
}

/// Ports below those that the system gives to outgoing connections: nothing takes one between this look and the node's start.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// A port that no other node of this process was given and nobody listens on.
fn free_port() -> Result<u16> {
	static NEXT: AtomicU16 = AtomicU16::new(0);
	// Test runs at the same time begin in different places.
	let first = (std::process::id() % u32::from(PORTS.end - PORTS.start)) as u16;
	(0..PORTS.len())
		.map(|_| first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start) + PORTS.start)
		.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
		.context("no port is free")
}

impl Node {
	/// Starts a node with a base path under `folder`, and waits until it answers.
	pub async fn start(folder: &Path, options: NodeOptions) -> Result<Self> {
		let folder = folder.join(&options.name);
		fs::create_dir_all(&folder)?;
		let mut node = Self {
			options,
			folder,
			rpc_port: free_port()?,
			p2p_port: free_port()?,
			prometheus_port: free_port()?,
			child: None,
		};
		if let Some(secret) = node.options.worker.clone() {
			node.insert_worker_key(&secret)?;
		}
		node.resume().await?;
		Ok(node)
	}

	/// Puts a worker key into the keystore, as an operator does.
	fn insert_worker_key(&self, secret: &str) -> Result<()> {
		let output = Command::new(binaries::node()?)
			.args([
				"key",
				"insert",
				"--key-type",
				"work",
				"--scheme",
				"sr25519",
				"--suri",
				secret,
			])
			.args(["--chain", &self.options.chain, "--base-path"])
			.arg(self.data())
			.stdin(Stdio::null())
			.output()?;
		ensure!(
			output.status.success(),
			"highway-node key insert: {}\n{}",
			output.status,
			String::from_utf8_lossy(&output.stderr)
		);
		Ok(())
	}

	/// The command that runs `binary` in the node's place.
	fn program(&self, binary: &Path) -> Command {
		let Some(place) = &self.options.place else {
			return Command::new(binary);
		};
		// It becomes what it runs: the process is the node's.
		let mut command = Command::new("nsenter");
		command
			.arg(format!("--net={}", place.namespace.display()))
			.arg("--")
			.arg(binary);
		command
	}

	/// Starts the stopped node again, on the same data and ports.
	pub async fn resume(&mut self) -> Result<()> {
		let log = OpenOptions::new().create(true).append(true).open(self.log())?;
		let binary = match &self.options.cheats {
			Some(_) => cheating_node()?,
			None => binaries::node()?,
		};
		let mut command = self.program(&binary);
		if let Some(cheats) = &self.options.cheats {
			command.env("HIGHWAY_CHEATS", cheats);
		}
		if self.options.place.is_some() {
			// This process comes from outside.
			command.args(["--unsafe-rpc-external", "--rpc-cors", "all", "--prometheus-external"]);
		}
		command
			.envs(self.options.environment.iter().map(|(name, value)| (name, value)))
			.args([
				"--chain",
				&self.options.chain,
				"--name",
				&self.options.name,
				"--no-telemetry",
				"--no-mdns",
			])
			.args(["--rpc-methods", "unsafe", "--allow-private-ip"])
			.args([
				"--rpc-port",
				&self.rpc_port.to_string(),
				"--prometheus-port",
				&self.prometheus_port.to_string(),
			])
			.arg("--listen-addr")
			.arg(format!("/ip4/{}/tcp/{}", self.address(), self.p2p_port))
			.arg("--base-path")
			.arg(self.data())
			// One for all nodes: to compile the runtime takes a node's first seconds.
			.arg("--runtime-cache")
			.arg(binary.with_file_name("runtimes"))
			.arg("--onnxruntime")
			.arg(binaries::onnxruntime()?);
		match &self.options.validator {
			Some(key) => {
				command.arg(format!("--{key}")).arg("--validator");
			}
			None => {
				command.args(["--offchain-worker", "always"]);
			}
		}
		for bootnode in &self.options.bootnodes {
			command.args(["--bootnodes", bootnode]);
		}
		command.args(&self.options.extra);
		if !self.data().exists() {
			command.arg("--unsafe-force-node-key-generation");
		}
		let child = command
			.stdin(Stdio::null())
			.stdout(Stdio::null())
			.stderr(log)
			.spawn()
			.with_context(|| format!("cannot run {}", binary.display()))?;
		self.child = Some(child);
		let this = &mut *self;
		let start = std::time::Instant::now();
		loop {
			if this.rpc("system_health", json!([])).await.is_ok() {
				return Ok(());
			}
			if let Some(status) = this.child.as_mut().expect("it was just started; qed").try_wait()? {
				bail!(
					"{} ended with {status} at its start:\n{}",
					this.options.name,
					this.log_tail()
				);
			}
			if start.elapsed() > Duration::from_secs(60) {
				bail!("{} does not answer:\n{}", this.options.name, this.log_tail());
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	}

	/// Its name.
	pub fn name(&self) -> &str {
		&self.options.name
	}

	/// Where others reach it.
	fn address(&self) -> Ipv4Addr {
		self.options
			.place
			.as_ref()
			.map_or(Ipv4Addr::LOCALHOST, |place| place.address)
	}

	/// Where it answers requests.
	pub fn rpc_address(&self) -> SocketAddr {
		(self.address(), self.rpc_port).into()
	}

	/// The URL for wallets.
	pub fn url(&self) -> String {
		format!("ws://{}", self.rpc_address())
	}

	/// Its log, and its data if it has no disk of its own.
	pub fn folder(&self) -> &Path {
		&self.folder
	}

	/// Its base path.
	fn data(&self) -> PathBuf {
		let disk = self.options.place.as_ref().map(|place| &place.disk);
		disk.unwrap_or(&self.folder).join("data")
	}

	/// Variables of its process, from its next start on.
	pub fn set_environment(&mut self, variables: Vec<(String, String)>) {
		self.options.environment = variables;
	}

	/// Its log.
	pub fn log(&self) -> PathBuf {
		self.folder.join("node.log")
	}

	/// The end of its log.
	pub fn log_tail(&self) -> String {
		let text = fs::read_to_string(self.log()).unwrap_or_default();
		let lines: Vec<_> = text.lines().collect();
		lines[lines.len().saturating_sub(40)..].join("\n")
	}

	/// Process id, while it runs.
	pub fn pid(&self) -> Option<u32> {
		self.child.as_ref().map(Child::id)
	}

	/// How it ended, if it did so by itself. It can be resumed then.
	pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
		let status = match &mut self.child {
			Some(child) => child.try_wait()?,
			None => None,
		};
		if status.is_some() {
			self.child = None;
		}
		Ok(status)
	}

	/// The processes in which it runs models.
	pub fn children(&self) -> Result<Vec<u32>> {
		let Some(pid) = self.pid() else {
			return Ok(Vec::new());
		};
		let output = Command::new("pgrep")
			.args(["-P", &pid.to_string(), "-f", "inference-worker"])
			.output()
			.context("pgrep")?;
		let text = String::from_utf8(output.stdout)?;
		Ok(text.lines().filter_map(|line| line.trim().parse().ok()).collect())
	}

	/// One JSON-RPC call over HTTP.
	pub async fn rpc(&self, method: &str, params: Value) -> Result<Value> {
		rpc::call(self.rpc_address(), method, params).await
	}

	/// Number of its best block.
	pub async fn best_block(&self) -> Result<u64> {
		number(&self.rpc("chain_getHeader", json!([])).await?)
	}

	/// Number of its last finalized block.
	pub async fn finalized_block(&self) -> Result<u64> {
		let hash = self.rpc("chain_getFinalizedHead", json!([])).await?;
		number(&self.rpc("chain_getHeader", json!([hash])).await?)
	}

	/// Waits until it has a best block of at least this number.
	pub async fn wait_for_block(&self, number: u64) -> Result<()> {
		until(
			&format!("block {number} on {}", self.name()),
			Duration::from_secs(30 + 6 * number),
			|| async { Ok((self.best_block().await? >= number).then_some(())) },
		)
		.await
	}

	/// Multiaddress under which others connect.
	pub async fn multiaddress(&self) -> Result<String> {
		let id = self.rpc("system_localPeerId", json!([])).await?;
		Ok(format!(
			"/ip4/{}/tcp/{}/p2p/{}",
			self.address(),
			self.p2p_port,
			id.as_str().context("a peer id is a string")?
		))
	}

	/// Its Prometheus metrics.
	pub async fn metrics(&self) -> Result<String> {
		let address = (self.address(), self.prometheus_port).into();
		let question = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
		Ok(String::from_utf8(rpc::exchange(address, question).await?)?)
	}

	/// Sum of the metric `name` over the lines that carry all of `labels`, such as `result="missing"`; 0 if there is none.
	pub async fn metric(&self, name: &str, labels: &[&str]) -> Result<f64> {
		let text = self.metrics().await?;
		let mut sum = 0.0;
		for line in text.lines() {
			let Some((series, number)) = line.rsplit_once(' ') else {
				continue;
			};
			let same = series.split('{').next() == Some(name);
			if same && labels.iter().all(|label| series.contains(label)) {
				sum += number
					.trim()
					.parse::<f64>()
					.with_context(|| format!("a metric has a number: {line}"))?;
			}
		}
		Ok(sum)
	}

	/// The folder of its chain: keystore, blobs, journal.
	pub fn chain_folder(&self) -> Result<PathBuf> {
		let chains = self.data().join("chains");
		let folder = fs::read_dir(&chains)?
			.next()
			.with_context(|| format!("{} is empty", chains.display()))??;
		Ok(folder.path())
	}

	/// The file in which it keeps the complete blob with this hash (hex, without `0x`) and size, if it has it.
	pub fn blob_file(&self, hash: &str, size: u64) -> Result<PathBuf> {
		let hash = hash.trim_start_matches("0x");
		let prefix = hash.get(..2).context("a hash has more than two digits")?;
		Ok(self
			.chain_folder()?
			.join("blobs/blobs")
			.join(prefix)
			.join(format!("{hash}.{size}")))
	}

	/// The lines of its log in which it says that it panicked.
	pub fn panics(&self) -> Vec<String> {
		let text = fs::read_to_string(self.log()).unwrap_or_default();
		text.lines()
			.filter(|line| line.contains(" panicked at "))
			.map(str::to_owned)
			.collect()
	}

	/// Lets its threads, and whatever they start from now on, run on one processor only, the same one for every node.
	pub fn pin(&self) -> Result<()> {
		cores::pin(self.pid().context("a node that runs can be pinned")?)
	}

	/// The same for its inference children alone. Returns how many there are.
	pub fn pin_inference(&self) -> Result<usize> {
		let children = self.children()?;
		children.iter().try_for_each(|child| cores::pin(*child))?;
		Ok(children.len())
	}

	/// Lets its inference children run on all processors again.
	pub fn unpin_inference(&self) -> Result<()> {
		self.children()?.into_iter().try_for_each(cores::unpin)
	}

	/// Kills it at once, as `kill -9` does.
	pub fn kill(&mut self) -> Result<()> {
		if let Some(mut child) = self.child.take() {
			child.kill()?;
			child.wait()?;
		}
		Ok(())
	}

	/// Asks it to end, and waits until it has. Error if it takes more than a minute or ends with another status than 0.
	pub async fn stop(&mut self) -> Result<()> {
		let Some(mut child) = self.child.take() else {
			return Ok(());
		};
		Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
		let end = std::time::Instant::now() + Duration::from_secs(60);
		let status = loop {
			if let Some(status) = child.try_wait()? {
				break status;
			}
			if std::time::Instant::now() > end {
				child.kill()?;
				child.wait()?;
				bail!(
					"{} did not end within a minute:\n{}",
					self.options.name,
					self.log_tail()
				);
			}
			tokio::time::sleep(Duration::from_millis(50)).await;
		};
		ensure!(status.success(), "{} ended with {status}", self.options.name);
		Ok(())
	}

	/// Copies its log to `file`.
	pub fn save_log(&self, file: &Path) -> Result<()> {
		fs::copy(self.log(), file)?;
		File::open(file)?;
		Ok(())
	}
}

fn number(header: &Value) -> Result<u64> {
	let text = header["number"].as_str().context("a header has a number")?;
	Ok(u64::from_str_radix(text.trim_start_matches("0x"), 16)?)
}

impl Drop for Node {
	fn drop(&mut self) {
		if let Some(child) = &mut self.child {
			// Nothing more can be done about a process that cannot be killed.
			let _ = child.kill();
			let _ = child.wait();
		}
	}
}
