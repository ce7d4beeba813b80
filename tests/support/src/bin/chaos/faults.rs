//! What is broken, and how it is mended again.

use crate::{
	clock::{self, SkewedClock},
	flood::flood,
	network::{run, Network},
	recovery::{finalized, recover},
};
use anyhow::Result;
use clap::ValueEnum;
use futures::future::try_join_all;
use highway_primitives::NodeId;
use highway_test_support::{until, Devnet, Node};
use rand::{rngs::StdRng, seq::SliceRandom, Rng};
use serde_json::json;
use std::{
	collections::BTreeSet,
	fmt,
	fs::{self, File},
	io::{ErrorKind, Write},
	ops::RangeInclusive,
	path::Path,
	time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// A kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Kind {
	/// `kill -9` of a node, which is started again soon.
	Kill,
	/// `kill -9` of the processes in which a node runs models, in the middle of a job.
	Children,
	/// One or two nodes are cut off from the others, and the network heals.
	Partition,
	/// A third of the validators, one of four, is gone for a while: the others finalize without it.
	Third,
	/// Two of four are gone for a while: nobody finalizes until they are back.
	Half,
	/// A node's disk is full until it has stopped, or refused something and gone on for a while.
	Disk,
	/// A node's clock is wrong by half a second to one and a half.
	Clock,
	/// Many ask a node for much at once.
	Flood,
	/// All nodes are killed at once, and started again.
	Restart,
}

impl Kind {
	/// The word for it on the command line.
	pub fn word(self) -> String {
		let value = self.to_possible_value();
		value.map_or_else(String::new, |value| value.get_name().to_owned())
	}
}

/// For how long a node is down that is started again soon, in milliseconds.
const SHORT: RangeInclusive<u64> = 0..=5_000;

/// For how long something else lasts.
const LONG: RangeInclusive<u64> = 8_000..=15_000;

/// For how long a flood lasts, which takes all processors of the machine.
const BRIEF: RangeInclusive<u64> = 5_000..=8_000;

/// How many further blocks are final when a third of the validators comes back: three of four slots have a block, so that it is
/// gone for 11 to 32 s.
const FURTHER: RangeInclusive<u64> = 4..=12;

/// How long they may take, on a machine with other things to do.
const FURTHER_WITHIN: Duration = Duration::from_secs(120);

/// For how long half of the validators are gone, beyond what is still heard of them. All that is shorter than a session of sixty
/// seconds, so that nobody misses two heartbeats, after which it would get no jobs.
const GONE: RangeInclusive<u64> = 12_000..=30_000;

/// By how much a clock is wrong: less than a slot of two seconds, or nobody would take the node's blocks.
const SKEW: RangeInclusive<i64> = 500..=1_500;

/// What was said before a partition may still be heard for so long, and make a block final.
const ECHO: Duration = Duration::from_secs(6);

/// How long a node may take to serve anybody again after a flood.
const CALM_WITHIN: Duration = Duration::from_secs(10);

/// How long a node is waited for to be given a job, one of which comes to each every six seconds or so.
const WORK_WITHIN: Duration = Duration::from_secs(20);

/// How often it is looked at meanwhile. It ends a run itself that takes 800 ms.
const GLANCE: Duration = Duration::from_millis(50);

/// How long a node may take to miss a child that it waits for.
const MISSED_WITHIN: Duration = Duration::from_secs(10);

/// How often a node is looked at that something is done to.
const LOOK: Duration = Duration::from_millis(100);

/// How long a node may take to notice that its disk is full.
const DISK_NOTICED: Duration = Duration::from_secs(20);

/// How long a node may take to refuse a blob.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);

/// What the system says when a disk is full, in every node's log that meets it.
pub const DISK_FULL: &str = "No space left on device";

/// What a node says then to whoever gives it a blob.
const STORE_FULL: &str = "is full: free space";

/// What was done.
#[derive(Debug)]
pub struct Damage {
	/// Whom it touched: they, and what only they have, may be late.
	pub touched: Vec<usize>,
	/// To whom, and what else is worth a word.
	pub what: String,
	/// What went wrong that should not even while it lasted.
	pub failures: Vec<String>,
}

impl Damage {
	fn to(touched: Vec<usize>, what: impl Into<String>) -> Self {
		Self {
			touched,
			what: what.into(),
			failures: Vec::new(),
		}
	}
}

/// All that can be broken.
pub struct Scene<'a> {
	/// The nodes.
	pub devnet: &'a mut Devnet,
	/// Their ids on chain, in the same order.
	pub ids: Vec<NodeId>,
	/// Their network.
	pub network: &'a Network,
	/// A wrong clock.
	pub clock: &'a SkewedClock,
	/// What is broken, and for how long.
	pub chance: StdRng,
}

impl Scene<'_> {
	/// Breaks something and mends it. Returns with all nodes started, but none of them waited for.
	pub async fn inflict(&mut self, kind: Kind) -> Result<Damage> {
		match kind {
			Kind::Kill => self.kill().await,
			Kind::Children => self.kill_children().await,
			Kind::Partition => self.partition().await,
			Kind::Third => self.third_gone().await,
			Kind::Half => self.half_gone().await,
			Kind::Disk => self.fill_disk().await,
			Kind::Clock => self.skew_clock().await,
			Kind::Flood => self.flood().await,
			Kind::Restart => self.restart().await,
		}
	}

	/// Starts nodes that have ended by themselves, and says which.
	pub async fn revive(&mut self) -> Result<Vec<String>> {
		let mut ended = Vec::new();
		for node in &mut self.devnet.nodes {
			if let Some(status) = node.ended()? {
				ended.push(format!("{} ended by itself with {status}", node.name()));
			}
		}
		self.resume().await?;
		Ok(ended)
	}

	/// The ids of these nodes.
	pub fn ids_of(&self, nodes: &[usize]) -> BTreeSet<NodeId> {
		nodes.iter().filter_map(|node| self.ids.get(*node).copied()).collect()
	}

	fn all(&self) -> Vec<usize> {
		(0..self.devnet.nodes.len()).collect()
	}

	/// So many nodes.
	fn some(&mut self, count: usize) -> Vec<usize> {
		let mut order = self.all();
		order.shuffle(&mut self.chance);
		order.truncate(count);
		order
	}

	fn one(&mut self) -> usize {
		self.chance.gen_range(0..self.devnet.nodes.len())
	}

	fn names(&self, nodes: &[usize]) -> String {
		let names: Vec<_> = nodes.iter().map(|node| self.devnet.nodes[*node].name()).collect();
		names.join(" ")
	}

	fn span(&mut self, milliseconds: RangeInclusive<u64>) -> Duration {
		Duration::from_millis(self.chance.gen_range(milliseconds))
	}

	/// Starts all nodes that do not run, side by side.
	async fn resume(&mut self) -> Result<()> {
		let stopped = self.devnet.nodes.iter_mut().filter(|node| node.pid().is_none());
		try_join_all(stopped.map(Node::resume)).await.map(drop)
	}

	async fn kill(&mut self) -> Result<Damage> {
		let node = self.one();
		self.devnet.nodes[node].kill()?;
		sleep(self.span(SHORT)).await;
		self.resume().await?;
		Ok(Damage::to(vec![node], self.names(&[node])))
	}

	async fn kill_children(&mut self) -> Result<Damage> {
		let (mut touched, mut failures) = (Vec::new(), Vec::new());
		let mut what = String::new();
		for index in self.some(self.devnet.nodes.len()) {
			touched.push(index);
			let node = &self.devnet.nodes[index];
			let before = crashes(node).await?;
			// Who has no place in the market has no jobs.
			let Some(children) = hold_at_work(node).await? else {
				continue;
			};
			signal("-9", &children);
			let lost = until("the node to miss its child", MISSED_WITHIN, || async {
				Ok((crashes(node).await? > before).then_some(()))
			})
			.await;
			if lost.is_ok() {
				what = format!("{}, {} with a job", self.names(&[index]), children.len());
				break;
			}
		}
		if what.is_empty() {
			what = "nobody".into();
			failures.push("no node lost a process in the middle of a job".into());
		}
		Ok(Damage {
			touched,
			what,
			failures,
		})
	}

	async fn partition(&mut self) -> Result<Damage> {
		let count = self.chance.gen_range(1..=2);
		let nodes = self.some(count);
		let names = self.names(&nodes);
		self.network.router.part(&nodes);
		let lasts = self.span(LONG);
		// Neither side of two has three of four voters.
		let failures = match count {
			1 => {
				sleep(lasts).await;
				Vec::new()
			}
			_ => self.stand_still(lasts).await?,
		};
		self.network.router.heal();
		// One that is cut off leaves the others a network; of two halves neither is one.
		let touched = match count {
			1 => nodes,
			_ => self.all(),
		};
		Ok(Damage {
			touched,
			what: format!("{names} for {} s", lasts.as_secs()),
			failures,
		})
	}

	async fn third_gone(&mut self) -> Result<Damage> {
		let nodes = self.some(self.devnet.nodes.len() / 3);
		let names = self.names(&nodes);
		for node in &nodes {
			self.devnet.nodes[*node].kill()?;
		}
		let begin = Instant::now();
		let wanted = finalized(self.devnet).await? + self.chance.gen_range(FURTHER);
		let what = format!("block {wanted} to be final without {names}");
		let devnet = &*self.devnet;
		let went_on = until(&what, FURTHER_WITHIN, || async {
			Ok((finalized(devnet).await? >= wanted).then_some(()))
		})
		.await;
		let lasted = begin.elapsed();
		self.resume().await?;
		let failure = went_on.err().map(|error| format!("{error:#}"));
		Ok(Damage {
			touched: nodes,
			what: format!("{names} for {} s", lasted.as_secs()),
			failures: failure.into_iter().collect(),
		})
	}

	async fn half_gone(&mut self) -> Result<Damage> {
		let nodes = self.some(self.devnet.nodes.len() / 2);
		let names = self.names(&nodes);
		for node in &nodes {
			self.devnet.nodes[*node].kill()?;
		}
		let lasts = self.span(GONE);
		let failures = self.stand_still(lasts).await?;
		self.resume().await?;
		Ok(Damage {
			touched: nodes,
			what: format!("{names} for {} s", lasts.as_secs()),
			failures,
		})
	}

	/// Waits, while two of four validators hear nothing of the others: a block that they make final would be one too many. It takes
	/// longer than `lasts` by what is still heard.
	async fn stand_still(&self, lasts: Duration) -> Result<Vec<String>> {
		sleep(ECHO).await;
		let before = finalized(self.devnet).await?;
		sleep(lasts).await;
		let after = finalized(self.devnet).await?;
		let went_on = format!("half of the validators made block {after} final after {before}");
		Ok((after > before).then_some(went_on).into_iter().collect())
	}

	async fn fill_disk(&mut self) -> Result<Damage> {
		let index = self.one();
		let name = self.names(&[index]);
		let ballast = self.network.places()[index].disk.join("ballast");
		let lasts = self.span(LONG);
		let node = &mut self.devnet.nodes[index];
		let said = fs::metadata(node.log())?.len();
		let mut file = File::create(&ballast)?;
		let begin = Instant::now();
		let mut refused = false;
		let status = loop {
			// What the node gives back is taken at once.
			fill(&mut file)?;
			let status = node.ended()?;
			let waited = begin.elapsed();
			if status.is_some() || waited > DISK_NOTICED || (refused && waited > lasts) {
				break status;
			}
			if !refused {
				let mut blob = [0_u8; 32];
				self.chance.fill(&mut blob[..]);
				refused = refuses(node, &blob).await;
			}
			sleep(LOOK).await;
		};
		let log = fs::read(node.log())?;
		drop(file);
		fs::remove_file(&ballast)?;
		let log = String::from_utf8_lossy(log.get(usize::try_from(said)?..).unwrap_or_default());
		let full = FullDisk {
			ended: status.is_some(),
			logged: log.contains(DISK_FULL),
			refused,
		};
		let how = status.map_or_else(|| "went on".into(), |status| format!("ended with {status}"));
		let what = format!("{name} {how}, {full}");
		let failures = full.trouble().map(|trouble| format!("{name} {trouble}"));
		self.resume().await?;
		Ok(Damage {
			touched: vec![index],
			what,
			failures: failures.into_iter().collect(),
		})
	}

	async fn skew_clock(&mut self) -> Result<Damage> {
		let index = self.one();
		let size = self.chance.gen_range(SKEW);
		let skew = if self.chance.gen_bool(0.5) { size } else { -size };
		let wrong = self.clock.environment(skew);
		self.set_clock(index, wrong, skew).await?;
		let log = self.devnet.nodes[index].log();
		let end = Instant::now() + self.span(LONG);
		let mut seen: Option<i64> = None;
		while Instant::now() < end {
			seen = seen.max(clock::ahead(&log)?);
			sleep(LOOK).await;
		}
		let mut failures: Vec<String> = clock::trouble(skew, seen).into_iter().collect();
		// With the wrong clock it belongs to the network like any other.
		if let Err(error) = recover(self.devnet).await {
			failures.push(format!("with a wrong clock: {error:#}"));
		}
		self.set_clock(index, Vec::new(), skew).await?;
		let (name, seen) = (self.names(&[index]), seen.unwrap_or_default());
		Ok(Damage {
			touched: vec![index],
			what: format!("{name}, {skew:+} ms, seen {seen:+} ms"),
			failures,
		})
	}

	/// Starts a node anew with another clock. So long as the clocks differ it stays down: whoever lives through a slot twice
	/// may author twice in it, and is slashed for that.
	async fn set_clock(&mut self, index: usize, environment: Vec<(String, String)>, skew: i64) -> Result<()> {
		let node = &mut self.devnet.nodes[index];
		node.stop().await?;
		node.set_environment(environment);
		sleep(Duration::from_millis(skew.unsigned_abs())).await;
		node.resume().await
	}

	async fn flood(&mut self) -> Result<Damage> {
		let index = self.one();
		let lasts = self.span(BRIEF);
		let node = &self.devnet.nodes[index];
		let flood = flood(node.rpc_address(), lasts).await;
		let mut failures = flood.troubles();
		let after = until("an answer after the flood", CALM_WITHIN, || async {
			node.rpc("system_health", json!([])).await.map(Some)
		})
		.await;
		failures.extend(after.err().map(|error| format!("{error:#}")));
		let name = self.names(&[index]);
		Ok(Damage {
			touched: vec![index],
			what: format!("{name} for {} s, {flood}", lasts.as_secs()),
			failures,
		})
	}

	async fn restart(&mut self) -> Result<Damage> {
		for node in &mut self.devnet.nodes {
			node.kill()?;
		}
		sleep(self.span(SHORT)).await;
		self.resume().await?;
		Ok(Damage::to(self.all(), "all"))
	}
}

/// Sends a signal to processes, of which some may have ended meanwhile.
fn signal(name: &str, processes: &[u32]) {
	for process in processes {
		let _ = run("kill", &[name, &process.to_string()]);
	}
}

/// How many processes in which a node ran models ended by themselves, as it sees it, since it was started.
async fn crashes(node: &Node) -> Result<f64> {
	node.metric("highway_inference_children_exited_total", &[r#"reason="crashed""#])
		.await
}

/// Stops the processes in which a node runs models until one of them has been given a job, which it cannot do any more, and
/// returns them. `None`: no job came, and they go on.
async fn hold_at_work(node: &Node) -> Result<Option<Vec<u32>>> {
	let end = Instant::now() + WORK_WITHIN;
	// Those that were stopped when a job ran, at the last look: seen a second time, it is theirs, and not about to be told as done.
	let mut held: Vec<u32> = Vec::new();
	while Instant::now() < end {
		let children = node.children()?;
		signal("-STOP", &children);
		let running = node.metric("highway_jobs_running", &[]).await.unwrap_or_default();
		let living = children
			.iter()
			.all(|child| Path::new(&format!("/proc/{child}")).exists());
		let works = running > 0.0 && living && !children.is_empty();
		if works && held == children {
			return Ok(Some(children));
		}
		held = if works { children } else { Vec::new() };
		sleep(GLANCE).await;
	}
	signal("-CONT", &node.children()?);
	Ok(None)
}

/// How a node took a full disk.
#[derive(Clone, Copy, Debug)]
struct FullDisk {
	/// It ended by itself.
	ended: bool,
	/// Its log says so.
	logged: bool,
	/// It told so to somebody who gave it something to store.
	refused: bool,
}

impl FullDisk {
	/// What is wrong with it: a node may end, if it says why, or go on, if it met the full disk.
	fn trouble(&self) -> Option<&'static str> {
		match (self.ended, self.logged, self.refused) {
			(true, false, _) => Some("ended, and its log does not say that the disk is full"),
			(false, false, false) => Some("went on, and nothing shows that it met the full disk"),
			_ => None,
		}
	}
}

impl fmt::Display for FullDisk {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match (self.logged, self.refused) {
			(true, true) => "logged it and refused a blob",
			(true, false) => "logged it",
			(false, true) => "refused a blob",
			(false, false) => "said nothing",
		})
	}
}

/// Whether a node says that it has no room for a blob.
async fn refuses(node: &Node, blob: &[u8]) -> bool {
	let blob = format!("0x{}", hex::encode(blob));
	let asked = node.rpc("blob_put", json!([blob]));
	let answer = timeout(REFUSED_WITHIN, asked).await;
	matches!(answer, Ok(Err(error)) if format!("{error:#}").contains(STORE_FULL))
}

/// Writes to a file until there is no room for another byte.
fn fill(file: &mut File) -> Result<()> {
	let chunk = vec![1_u8; 1 << 20];
	loop {
		match file.write_all(&chunk) {
			Ok(()) => {}
			Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
			Err(error) => return Err(error.into()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn full_disk_should_be_sound_when_the_node_says_that_it_met_it() {
		let sound = |(ended, logged, refused)| {
			let full = FullDisk { ended, logged, refused };
			full.trouble().is_none()
		};
		assert!(sound((true, true, false)), "it ended and said why");
		assert!(!sound((true, false, true)), "it ended without a word");
		assert!(sound((false, true, false)), "its log says so, and it went on");
		assert!(sound((false, false, true)), "it refused something, and went on");
		assert!(!sound((false, false, false)), "nothing shows that it was full");
	}
}
