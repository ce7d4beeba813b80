//! Carries packets between tun devices, and disturbs those between nodes: each waits for the latency, some are lost, and
//! nothing passes between the sides of a partition.
//!
//! ```text
//! device of a node ─► thread that reads ─┬─ other side, or lost ─► nowhere
//!                                        ├─ between nodes ───────► queue of the receiver ─► thread that waits ─► its device
//!                                        └─ from or to this process's own device ────────────────────────────► its device
//! ```
//!
//! The latency is the same for all, so that a queue is in the order in which it is to be sent. No thread is waited for:
//! reading a device fails when it is gone, and with the last reader the queues end.

#![allow(unsafe_code)]

use anyhow::{ensure, Context, Result};
use parking_lot::RwLock;
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::{
	fs::{File, OpenOptions},
	io::{Error, ErrorKind, Read, Write},
	net::Ipv4Addr,
	os::fd::AsRawFd,
	sync::{
		atomic::{AtomicU64, Ordering},
		mpsc::{self, Receiver, SyncSender},
		Arc,
	},
	thread,
	time::{Duration, Instant},
};

/// Packets that wait for one receiver at most; more are lost, as in any router. 6 MB of full ones.
const QUEUE: usize = 4_096;

/// The largest IP packet.
const MOST_BYTES: usize = 65_535;

/// Bytes of the kernel's `ifreq`: a name, of which the last byte is 0, the flags, and more that is not looked at here.
const REQUEST: usize = 40;
const NAME: usize = 16;

/// A new tun device of this name. It is there as long as the file is open, wherever it is moved to.
pub fn tun(name: &str) -> Result<File> {
	ensure!(name.len() < NAME, "{name} is too long for a device");
	let device = OpenOptions::new()
		.read(true)
		.write(true)
		.open("/dev/net/tun")
		.context("/dev/net/tun")?;
	let flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
	let mut request = [0_u8; REQUEST];
	request[..name.len()].copy_from_slice(name.as_bytes());
	request[NAME..NAME + 2].copy_from_slice(&flags.to_ne_bytes());
	// SAFETY: the descriptor is open, and the kernel reads and writes an `ifreq`, which the request has room for.
	let result = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, request.as_mut_ptr()) };
	if result < 0 {
		return Err(Error::last_os_error()).with_context(|| format!("the tun device {name}"));
	}
	Ok(device)
}

/// One end of the network.
pub struct End {
	/// Its address.
	pub address: Ipv4Addr,
	/// Its tun device.
	pub device: File,
}

/// What happens to packets between nodes.
struct Conditions {
	latency: Duration,
	loss: f64,
	/// The side of each node.
	sides: Vec<bool>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
	Carried(Duration),
	Lost,
	Parted,
}

impl Conditions {
	fn fate(&self, from: usize, to: usize, chance: &mut impl Rng) -> Fate {
		let (Some(here), Some(there)) = (self.sides.get(from), self.sides.get(to)) else {
			return Fate::Carried(Duration::ZERO);
		};
		if here != there {
			Fate::Parted
		} else if chance.gen_bool(self.loss) {
			Fate::Lost
		} else {
			Fate::Carried(self.latency)
		}
	}
}

/// Packets between nodes that were carried, lost by chance, and kept from the other side of a partition.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
	/// Arrived.
	pub carried: u64,
	/// Lost by chance, or because too many waited.
	pub lost: u64,
	/// Stopped by a partition.
	pub parted: u64,
}

struct Wires {
	ends: Vec<Wire>,
	conditions: RwLock<Conditions>,
	carried: AtomicU64,
	lost: AtomicU64,
	parted: AtomicU64,
}

struct Wire {
	end: End,
	queue: SyncSender<(Instant, Vec<u8>)>,
}

/// The router.
pub struct Router(Arc<Wires>);

impl Router {
	/// Carries packets between the nodes and this process's `own` end, without disturbing any yet.
	pub fn start(nodes: Vec<End>, own: End, seed: u64) -> Result<Self> {
		let conditions = Conditions {
			latency: Duration::ZERO,
			loss: 0.0,
			sides: vec![false; nodes.len()],
		};
		let (mut ends, mut queues) = (Vec::new(), Vec::new());
		for end in nodes.into_iter().chain([own]) {
			let (queue, waiting) = mpsc::sync_channel(QUEUE);
			queues.push((end.device.try_clone()?, waiting));
			ends.push(Wire { end, queue });
		}
		let wires = Arc::new(Wires {
			ends,
			conditions: RwLock::new(conditions),
			carried: AtomicU64::new(0),
			lost: AtomicU64::new(0),
			parted: AtomicU64::new(0),
		});
		for (index, (device, waiting)) in queues.into_iter().enumerate() {
			let wires = wires.clone();
			let chance = StdRng::seed_from_u64(seed.wrapping_add(index as u64));
			thread::Builder::new()
				.name(format!("packets to {index}"))
				.spawn(move || deliver(device, waiting))?;
			thread::Builder::new()
				.name(format!("packets of {index}"))
				.spawn(move || wires.listen(index, chance))?;
		}
		Ok(Self(wires))
	}

	/// From now on packets between nodes take so long, and this share of them is lost.
	pub fn disturb(&self, latency: Duration, loss: f64) {
		let mut conditions = self.0.conditions.write();
		(conditions.latency, conditions.loss) = (latency, loss);
	}

	/// Parts these nodes from the others.
	pub fn part(&self, nodes: &[usize]) {
		for (node, side) in self.0.conditions.write().sides.iter_mut().enumerate() {
			*side = nodes.contains(&node);
		}
	}

	/// Ends the partition.
	pub fn heal(&self) {
		self.part(&[]);
	}

	/// What became of the packets so far.
	pub fn counts(&self) -> Counts {
		Counts {
			carried: self.0.carried.load(Ordering::Relaxed),
			lost: self.0.lost.load(Ordering::Relaxed),
			parted: self.0.parted.load(Ordering::Relaxed),
		}
	}
}

impl Wires {
	/// Carries what one end sends, until its device is gone.
	fn listen(&self, from: usize, mut chance: StdRng) {
		let mut device = &self.ends[from].end.device;
		let mut packet = vec![0; MOST_BYTES];
		loop {
			match device.read(&mut packet) {
				Ok(length) => self.carry(from, &packet[..length], &mut chance),
				Err(error) if error.kind() == ErrorKind::Interrupted => {}
				Err(_) => return,
			}
		}
	}

	fn carry(&self, from: usize, packet: &[u8], chance: &mut StdRng) {
		let receiver = destination(packet);
		let Some(to) = self.ends.iter().position(|wire| Some(wire.end.address) == receiver) else {
			return;
		};
		let fate = self.conditions.read().fate(from, to, chance);
		let wire = &self.ends[to];
		let own = self.ends.len() - 1;
		let counter = match fate {
			Fate::Carried(_) if from == own || to == own => {
				// A device that is gone, or takes no more, loses packets as a wire does.
				let _ = (&wire.end.device).write_all(packet);
				return;
			}
			Fate::Carried(latency) => match wire.queue.try_send((Instant::now() + latency, packet.to_vec())) {
				Ok(()) => &self.carried,
				Err(_) => &self.lost,
			},
			Fate::Lost => &self.lost,
			Fate::Parted => &self.parted,
		};
		counter.fetch_add(1, Ordering::Relaxed);
	}
}

/// Gives a device each packet when its time has come.
fn deliver(mut device: File, waiting: Receiver<(Instant, Vec<u8>)>) {
	for (due, packet) in waiting {
		thread::sleep(due.saturating_duration_since(Instant::now()));
		let _ = device.write_all(&packet);
	}
}

/// Whom an IPv4 packet is for.
fn destination(packet: &[u8]) -> Option<Ipv4Addr> {
	let address: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
	(packet[0] >> 4 == 4).then(|| address.into())
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Four nodes, of which the last is apart from the others.
	fn conditions(loss: f64) -> Conditions {
		Conditions {
			latency: Duration::from_millis(100),
			loss,
			sides: vec![false, false, false, true],
		}
	}

	#[test]
	fn partition_should_stop_what_crosses_it_and_nothing_else() {
		let (conditions, mut chance) = (conditions(0.0), StdRng::seed_from_u64(1));
		let carried = Fate::Carried(Duration::from_millis(100));
		for (from, to, fate) in [
			(0, 1, carried),
			(2, 0, carried),
			(0, 3, Fate::Parted),
			(3, 2, Fate::Parted),
			// This process's own end.
			(3, 4, Fate::Carried(Duration::ZERO)),
			(4, 0, Fate::Carried(Duration::ZERO)),
		] {
			assert_eq!(conditions.fate(from, to, &mut chance), fate, "{from} to {to}");
		}
	}

	#[test]
	fn packets_should_be_lost_as_often_as_they_are_to_be() {
		let mut chance = StdRng::seed_from_u64(1);
		let mut lost = |loss: f64, from, to| {
			let conditions = conditions(loss);
			let fates = (0..100_000).map(|_| conditions.fate(from, to, &mut chance));
			fates.filter(|fate| *fate == Fate::Lost).count()
		};
		assert_eq!(lost(0.0, 0, 1), 0);
		assert_eq!(lost(1.0, 0, 1), 100_000);
		assert_eq!(lost(1.0, 0, 4), 0, "what this process sends and gets is never lost");
		// Five standard deviations.
		assert!((843..=1_157).contains(&lost(0.01, 0, 1)));
	}

	#[test]
	fn destination_should_be_read_from_ipv4_alone() {
		let mut packet = vec![0; 40];
		packet[0] = 0x45;
		packet[16..20].copy_from_slice(&[10, 77, 3, 2]);
		assert_eq!(destination(&packet), Some(Ipv4Addr::new(10, 77, 3, 2)));
		assert_eq!(destination(&packet[..19]), None);
		packet[0] = 0x60;
		assert_eq!(destination(&packet), None);
	}
}
