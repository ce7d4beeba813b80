//! Files that go from node to node, against a plain copy over the loopback.

use crate::{figures::Figure, network::Scene, record::Record};
use anyhow::{anyhow, Context, Result};
use highway_primitives::BlobRef;
use highway_test_support::{hostile_models, market, Node, Wallet};
use serde_json::{json, Value};
use sp_crypto_hashing::blake2_256;
use std::{
	fs::{self, File},
	io::{self, Write},
	net::{TcpListener, TcpStream},
	path::Path,
	thread,
	time::{Duration, Instant},
};
use tokio::task::spawn_blocking;

/// What comes of it.
pub const FIGURES: &[Figure] = &[
	Figure::new("blob_fetch_over_copy", "of a plain copy's bytes/s").key("blob_fetch_over_copy"),
	Figure::new("blob_fetch", "MiB/s, verified and synced"),
	Figure::new("plain_copy", "MiB/s, synced"),
];

/// Who registers the files: none of the payers, who count their transactions themselves.
const MAKER: &str = "//Alice";

/// Size of a file.
const SIZE: usize = 64 << 20;

/// A model that nobody runs, so large, on one node; the others fetch it, and a plain copy is made beside each fetch.
pub async fn round(scene: &mut Scene<'_>, record: &mut Record) -> Result<()> {
	scene.quiet().await?;
	let name = format!("large-file-{}", record.round());
	let bytes = hostile_models::commented(&hostile_models::identity(), &noise(&name));
	let folder = scene.devnet.scratch();
	let (source, target) = (folder.join(format!("{name}.onnx")), folder.join("copy"));
	fs::write(&source, &bytes)?;
	let mut nodes = scene.devnet.nodes.iter().take(scene.market.payers.len());
	let owner = nodes.next().context("a network has a node")?;
	eprintln!("a file of {} MiB for {} …", SIZE >> 20, owner.name());
	let model = put(owner, &source, &name).await?;
	let blob = BlobRef::of(&bytes);
	for node in nodes {
		let (from, to) = (source.clone(), target.clone());
		let copied = spawn_blocking(move || copy(&from, &to)).await??;
		let fetched = fetch(node, &blob, model).await?;
		let rate = |took: Duration| (SIZE >> 20) as f64 / took.as_secs_f64();
		record.note("plain_copy", rate(copied))?;
		record.note("blob_fetch", rate(fetched))?;
		record.note("blob_fetch_over_copy", rate(fetched) / rate(copied))?;
	}
	fs::remove_file(&source)?;
	Ok(fs::remove_file(&target)?)
}

/// Text that nothing makes shorter.
fn noise(name: &str) -> String {
	let mut text = String::with_capacity(SIZE + 64);
	let mut hash = blake2_256(name.as_bytes());
	while text.len() < SIZE {
		text += &hex::encode(hash);
		hash = blake2_256(&hash);
	}
	text
}

/// Registers the file as a model, which puts it into the node's store. Returns its id.
async fn put(owner: &Node, file: &Path, name: &str) -> Result<u64> {
	let file = file.to_str().context("a path of ours is text")?;
	let words = [
		"model",
		"add",
		file,
		"--name",
		name,
		"--licence",
		"MIT",
		"--unit-time-ms",
		"200",
		"--trace",
		"none",
	];
	market::add_model(&Wallet::new(owner, MAKER), &words.map(str::to_owned)).await
}

/// How long it takes until the node has the blob, which it has to fetch from another one.
async fn fetch(node: &Node, blob: &BlobRef, model: u64) -> Result<Duration> {
	let started = Instant::now();
	let params = json!([blob.hash, 0, 1, Value::Null, model]);
	node.rpc("blob_get", params)
		.await
		.with_context(|| format!("{} fetches a file", node.name()))?;
	Ok(started.elapsed())
}

/// How long a copy by way of a socket takes, until it is on the disk.
fn copy(source: &Path, target: &Path) -> Result<Duration> {
	let listener = TcpListener::bind(("127.0.0.1", 0))?;
	let started = Instant::now();
	let mut incoming = TcpStream::connect(listener.local_addr()?)?;
	let (mut outgoing, _) = listener.accept()?;
	let mut read = File::open(source)?;
	let sender = thread::spawn(move || io::copy(&mut read, &mut outgoing));
	let mut written = File::create(target)?;
	io::copy(&mut incoming, &mut written)?;
	written.flush()?;
	written.sync_all()?;
	let sent = sender.join().map_err(|_| anyhow!("the sender panicked"))?;
	sent?;
	Ok(started.elapsed())
}
