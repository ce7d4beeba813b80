//! Namespaces, one for each node, with addresses and disks of their own; this process carries the packets between them.
//!
//! ```text
//! namespace chaos7-0            namespace chaos7-1       …      this process's namespace
//!  device chaos7-0 10.77.7.1     device chaos7-1 10.77.7.2        device chaos7 10.77.7.100
//!  /run/highway-chaos/7/0        /run/highway-chaos/7/1
//! ```
//!
//! The number, 7 here, is nobody else's as long as this process holds a lock on the file of that number. What a process left
//! that was killed is cleared by the next one, which gets its lock.

use crate::router::{tun, End, Router};
use anyhow::{bail, ensure, Context, Result};
use highway_test_support::Place;
use std::{
	fs::{self, File, TryLockError},
	io::ErrorKind,
	net::Ipv4Addr,
	path::{Path, PathBuf},
	process::{Command, Stdio},
};

/// Locks, and disks below them.
const FOLDER: &str = "/run/highway-chaos";

/// Where `ip` keeps namespaces.
const NAMESPACES: &str = "/run/netns";

/// The last part of this process's own address.
const OWN: u8 = 100;

/// A node's disk: several times of what a node writes in a day. It lies in memory, which only what is written takes.
const DISK_MIB: u32 = 1_024;

/// The most nodes that there may be.
const MOST_NODES: u8 = 16;

/// Runs a program to its end and returns what it printed; error with what it complained of.
pub fn run(program: &str, arguments: &[&str]) -> Result<String> {
	let command = format!("{program} {}", arguments.join(" "));
	let output = Command::new(program)
		.args(arguments)
		.stdin(Stdio::null())
		.output()
		.with_context(|| command.clone())?;
	let complaint = String::from_utf8_lossy(&output.stderr);
	ensure!(
		output.status.success(),
		"{command}: {}, {}",
		output.status,
		complaint.trim()
	);
	Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The name of a node's namespace, and of the device in it.
fn namespace(number: u8, node: u8) -> String {
	format!("chaos{number}-{node}")
}

/// This process's own device.
fn own_device(number: u8) -> String {
	format!("chaos{number}")
}

fn address(number: u8, host: u8) -> Ipv4Addr {
	Ipv4Addr::new(10, 77, number, host)
}

fn disk(number: u8, node: u8) -> PathBuf {
	Path::new(FOLDER).join(number.to_string()).join(node.to_string())
}

/// A number that no other process has.
struct Number {
	number: u8,
	/// Held as long as this process lives.
	_lock: File,
}

impl Number {
	/// Takes the first that is free, and clears what is left under all that are.
	fn take() -> Result<Self> {
		fs::create_dir_all(FOLDER).context(FOLDER)?;
		let mut own = None;
		for number in 0..=u8::MAX {
			let path = Path::new(FOLDER).join(format!("{number}.lock"));
			if own.is_some() && !path.exists() {
				continue;
			}
			let lock = File::options().create(true).truncate(false).write(true).open(&path)?;
			match lock.try_lock() {
				Ok(()) => {
					clear(number).with_context(|| format!("what is left of network {number}"))?;
					if own.is_none() {
						own = Some(Self { number, _lock: lock });
					}
				}
				Err(TryLockError::WouldBlock) => {}
				Err(TryLockError::Error(error)) => bail!("{}: {error}", path.display()),
			}
		}
		own.context("256 networks are there already")
	}
}

impl Drop for Number {
	fn drop(&mut self) {
		if let Err(error) = clear(self.number) {
			eprintln!("network {} cannot be cleared: {error:#}", self.number);
		}
	}
}

/// Removes all that there is of a network.
fn clear(number: u8) -> Result<()> {
	for node in 0..MOST_NODES {
		let name = namespace(number, node);
		if Path::new(NAMESPACES).join(&name).exists() {
			// Nodes whose own process was killed before it could end them.
			for pid in run("ip", &["netns", "pids", &name])?.split_whitespace() {
				// It may have ended meanwhile.
				let _ = run("kill", &["-9", pid]);
			}
			run("ip", &["netns", "del", &name])?;
		}
		let disk = disk(number, node).to_string_lossy().into_owned();
		if fs::read_to_string("/proc/self/mounts")?.contains(&format!(" {disk} ")) {
			run("umount", &["--lazy", &disk])?;
		}
	}
	let device = own_device(number);
	if Path::new("/sys/class/net").join(&device).exists() {
		run("ip", &["link", "del", &device])?;
	}
	match fs::remove_dir_all(Path::new(FOLDER).join(number.to_string())) {
		Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
		_ => Ok(()),
	}
}

/// The network.
pub struct Network {
	/// Carries its packets.
	pub router: Router,
	places: Vec<Place>,
	/// Goes last: it takes the devices with it.
	_own: Number,
}

impl Network {
	/// Makes a network for so many nodes. Whoever cannot is told what it takes.
	pub fn open(nodes: u8, seed: u64) -> Result<Self> {
		Self::make(nodes, seed).context(
			"root, /dev/net/tun and the programs ip, nsenter and mount (Debian: iproute2, util-linux, mount) are needed for \
			 networks of one's own",
		)
	}

	fn make(nodes: u8, seed: u64) -> Result<Self> {
		ensure!(nodes <= MOST_NODES, "{nodes} nodes are too many");
		run("nsenter", &["--version"])?;
		let own = Number::take()?;
		let number = own.number;
		let (mut places, mut ends) = (Vec::new(), Vec::new());
		for node in 0..nodes {
			let name = namespace(number, node);
			let place = Place {
				namespace: Path::new(NAMESPACES).join(&name),
				address: address(number, node + 1),
				disk: disk(number, node),
			};
			run("ip", &["netns", "add", &name])?;
			// A device that is moved keeps the file behind it.
			let device = tun(&name)?;
			run("ip", &["link", "set", &name, "netns", &name])?;
			let cidr = format!("{}/24", place.address);
			run("ip", &["-n", &name, "address", "add", &cidr, "dev", &name])?;
			run("ip", &["-n", &name, "link", "set", &name, "up"])?;
			run("ip", &["-n", &name, "link", "set", "lo", "up"])?;
			fs::create_dir_all(&place.disk)?;
			let (size, folder) = (format!("size={DISK_MIB}m"), place.disk.to_string_lossy());
			run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", &folder])?;
			ends.push(End {
				address: place.address,
				device,
			});
			places.push(place);
		}
		let name = own_device(number);
		let end = End {
			address: address(number, OWN),
			device: tun(&name)?,
		};
		let cidr = format!("{}/24", end.address);
		run("ip", &["address", "add", &cidr, "dev", &name])?;
		run("ip", &["link", "set", &name, "up"])?;
		Ok(Self {
			router: Router::start(ends, end, seed)?,
			places,
			_own: own,
		})
	}

	/// Where each node runs.
	pub fn places(&self) -> &[Place] {
		&self.places
	}
}
