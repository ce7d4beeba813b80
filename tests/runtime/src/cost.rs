//! What an act costs: accesses to the storage, as the state machine traces them, and time. Natively and on a state in memory.

use frame_support::{storage::transactional::TRANSACTION_LEVEL_KEY, traits::WhitelistedStorageKeys};
use highway_runtime::AllPalletsWithSystem;
use sp_core::hexdisplay::HexDisplay;
use sp_io::TestExternalities;
use std::{
	cell::RefCell,
	collections::BTreeSet,
	sync::Once,
	time::{Duration, Instant},
};
use tracing::{
	field::{Field, Visit},
	span,
	subscriber::{self, Interest},
	Event, Metadata, Subscriber,
};

/// Runs of which the fastest counts: it is the one that nothing else on the machine held up.
const TIMED_RUNS: usize = 25;

/// Rounds in which acts take turns: an odd number, so that the median is one that was seen.
pub const ROUNDS: usize = 31;

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

	/// Those that are not of `part`; none where `part` has more.
	pub fn without(&self, part: Self) -> Self {
		Self {
			reads: self.reads.saturating_sub(part.reads),
			writes: self.writes.saturating_sub(part.writes),
		}
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
struct Counted {
	accesses: Accesses,
	read: BTreeSet<String>,
	written: BTreeSet<String>,
}

impl Counted {
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

thread_local! {
	/// What this thread counts, while it does.
	static COUNTED: RefCell<Option<Counted>> = const { RefCell::new(None) };
}

/// Hears all threads of this program, while they count. What heard one alone would be heard by chance: whether a place in the
/// code is worth asking would be remembered from the first thread that comes by.
struct Counting;

impl Subscriber for Counting {
	fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
		match metadata.target() {
			// Each time anew: what is timed is not traced.
			"state" => Interest::sometimes(),
			_ => Interest::never(),
		}
	}
	fn enabled(&self, _: &Metadata<'_>) -> bool {
		COUNTED.with_borrow(Option::is_some)
	}
	fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
		span::Id::from_u64(1)
	}
	fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
	fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
	fn event(&self, event: &Event<'_>) {
		COUNTED.with_borrow_mut(|counted| {
			if let Some(counted) = counted {
				let mut access = Access::default();
				event.record(&mut access);
				counted.note(access);
			}
		});
	}
	fn enter(&self, _: &span::Id) {}
	fn exit(&self, _: &span::Id) {}
}

/// What `act` accesses.
fn count<Answer>(act: impl FnOnce() -> Answer) -> Counted {
	static HEARD: Once = Once::new();
	HEARD.call_once(|| subscriber::set_global_default(Counting).expect("nobody else listens"));
	COUNTED.set(Some(Counted::default()));
	act();
	COUNTED.take().unwrap_or_default()
}

/// The keys of what every block has in memory, and of how deep a transaction is: benchmarks do not count them either.
fn in_memory() -> BTreeSet<String> {
	let items = AllPalletsWithSystem::whitelisted_storage_keys();
	items
		.iter()
		.map(|item| item.key.as_slice())
		.chain([TRANSACTION_LEVEL_KEY])
		.map(|key| HexDisplay::from(&key).to_string())
		.collect()
}

/// What `act` costs. It leaves nothing behind.
pub fn measure<Answer>(ext: &mut TestExternalities, act: impl Fn() -> Answer) -> Cost {
	measure_after(ext, || (), |()| act())
}

/// What `act` costs after `prepare`, which costs nothing. Neither leaves anything behind.
pub fn measure_after<Prepared, Answer>(
	ext: &mut TestExternalities,
	prepare: impl Fn() -> Prepared,
	act: impl Fn(Prepared) -> Answer,
) -> Cost {
	let listen = || {
		let prepared = prepare();
		count(|| act(prepared))
	};
	let counted = ext.execute_with(|| and_roll_back(listen));
	let time = || {
		let prepared = prepare();
		let started = Instant::now();
		act(prepared);
		started.elapsed()
	};
	let runs = (0..TIMED_RUNS).map(|_| ext.execute_with(|| and_roll_back(time)));
	let took = runs.min().unwrap_or_default();
	let known = in_memory();
	let items = |keys: &BTreeSet<String>| keys.difference(&known).count() as u64;
	Cost {
		accesses: counted.accesses,
		items: Accesses {
			reads: items(&counted.read),
			writes: items(&counted.written),
		},
		took,
	}
}

/// How long `act` takes on each of these chains, whose argument it is given: the median of [`ROUNDS`] rounds, in each of which
/// all of them have their turn. So whatever else the machine does meanwhile slows all of them alike, and what one takes can be
/// compared with what another takes. It leaves nothing behind.
pub fn in_turns<Argument: Copy, Answer, const CHAINS: usize>(
	mut chains: [(&mut TestExternalities, Argument); CHAINS],
	act: impl Fn(Argument) -> Answer,
) -> [Duration; CHAINS] {
	let mut times = [(); CHAINS].map(|()| Vec::with_capacity(ROUNDS));
	for _ in 0..ROUNDS {
		for ((ext, argument), times) in chains.iter_mut().zip(&mut times) {
			let time = || {
				let started = Instant::now();
				act(*argument);
				started.elapsed()
			};
			times.push(ext.execute_with(|| and_roll_back(time)));
		}
	}
	times.map(|mut times: Vec<Duration>| {
		times.sort_unstable();
		times.get(ROUNDS / 2).copied().unwrap_or_default()
	})
}

/// Does something in the externalities around it, and undoes it.
pub fn and_roll_back<Answer>(act: impl FnOnce() -> Answer) -> Answer {
	sp_io::storage::start_transaction();
	let answer = act();
	sp_io::storage::rollback_transaction();
	answer
}
