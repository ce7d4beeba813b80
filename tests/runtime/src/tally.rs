//! What an act costs: accesses to the storage, as the state machine traces them, and time. Natively and on a state in memory.

use frame_support::traits::WhitelistedStorageKeys;
use highway_runtime::AllPalletsWithSystem;
use parking_lot::Mutex;
use sp_core::hexdisplay::HexDisplay;
use sp_io::TestExternalities;
use std::{
	collections::BTreeSet,
	sync::Arc,
	time::{Duration, Instant},
};
use tracing::{
	field::{Field, Visit},
	span, Event, Metadata, Subscriber,
};

/// Runs of which the fastest counts: it is the one that nothing else on the machine held up.
const TIMED_RUNS: usize = 25;

/// Accesses to the storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Accesses {
	/// How often something was read.
	pub reads: u64,
	/// How often something was written, or removed.
	pub writes: u64,
}

impl Accesses {
	/// Both together.
	pub fn all(&self) -> u64 {
		self.reads + self.writes
	}
}

/// What an act costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
	/// Every access.
	pub accesses: Accesses,
	/// What weights count: items, each once, but for those that every block has in memory.
	pub items: Accesses,
	/// Without anybody counting.
	pub took: Duration,
}

/// One access, as the state machine traces it.
#[derive(Default)]
struct Access {
	writes: Option<bool>,
	key: String,
}

impl Visit for Access {
	fn record_str(&mut self, field: &Field, method: &str) {
		if field.name() == "method" {
			self.writes = Some(matches!(method, "Put" | "Append"));
		}
	}

	fn record_debug(&mut self, field: &Field, value: &dyn core::fmt::Debug) {
		if field.name() == "key" {
			self.key = format!("{value:?}");
		}
	}
}

/// All of them.
#[derive(Default)]
struct Tally {
	accesses: Accesses,
	read: BTreeSet<String>,
	written: BTreeSet<String>,
}

impl Tally {
	fn note(&mut self, access: Access) {
		match access.writes {
			Some(true) => {
				self.accesses.writes += 1;
				self.written.insert(access.key);
			}
			Some(false) => {
				self.accesses.reads += 1;
				// What was written before is in memory.
				if !self.written.contains(&access.key) {
					self.read.insert(access.key);
				}
			}
			None => (),
		}
	}
}

struct Counting(Arc<Mutex<Tally>>);

impl Subscriber for Counting {
	fn enabled(&self, metadata: &Metadata<'_>) -> bool {
		metadata.target() == "state"
	}
	fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
		span::Id::from_u64(1)
	}
	fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
	fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
	fn event(&self, event: &Event<'_>) {
		let mut access = Access::default();
		event.record(&mut access);
		self.0.lock().note(access);
	}
	fn enter(&self, _: &span::Id) {}
	fn exit(&self, _: &span::Id) {}
}

/// The keys of what every block has in memory: benchmarks do not count it either.
fn in_memory() -> BTreeSet<String> {
	let items = AllPalletsWithSystem::whitelisted_storage_keys();
	items
		.iter()
		.map(|item| HexDisplay::from(&item.key).to_string())
		.collect()
}

/// What `act` costs. It leaves nothing behind.
pub fn measure(ext: &mut TestExternalities, act: impl Fn()) -> Cost {
	measure_after(ext, || (), |()| act())
}

/// What `act` costs after `prepare`, which costs nothing. Neither leaves anything behind.
pub fn measure_after<P>(ext: &mut TestExternalities, prepare: impl Fn() -> P, act: impl Fn(P)) -> Cost {
	let tally = Arc::new(Mutex::new(Tally::default()));
	let count = || {
		let prepared = prepare();
		tracing::subscriber::with_default(Counting(tally.clone()), || act(prepared));
	};
	ext.execute_with(|| and_roll_back(count));
	let time = || {
		let prepared = prepare();
		let started = Instant::now();
		act(prepared);
		started.elapsed()
	};
	let runs = (0..TIMED_RUNS).map(|_| ext.execute_with(|| and_roll_back(time)));
	let took = runs.min().unwrap_or_default();
	let (tally, known) = (tally.lock(), in_memory());
	let items = |keys: &BTreeSet<String>| keys.difference(&known).count() as u64;
	Cost {
		accesses: tally.accesses,
		items: Accesses {
			reads: items(&tally.read),
			writes: items(&tally.written),
		},
		took,
	}
}

/// Does something in the externalities around it, and undoes it.
pub(crate) fn and_roll_back<R>(act: impl FnOnce() -> R) -> R {
	sp_io::storage::start_transaction();
	let result = act();
	sp_io::storage::rollback_transaction();
	result
}
