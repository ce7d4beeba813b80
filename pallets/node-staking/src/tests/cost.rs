//! What a reward, a slash and a session cost does not depend on how many have delegated.

use super::*;
use codec::Encode;
use std::{
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};
use tracing::{
	field::{Field, Visit},
	span, Event as Trace, Metadata, Subscriber,
};

/// Accesses to the storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Accesses {
	reads: u64,
	writes: u64,
}

/// Counts what the state machine traces.
#[derive(Default)]
struct Counter {
	reads: AtomicU64,
	writes: AtomicU64,
}

impl Visit for &Counter {
	fn record_str(&mut self, field: &Field, method: &str) {
		if field.name() == "method" {
			let count = match method {
				"Put" | "Append" => &self.writes,
				_ => &self.reads,
			};
			count.fetch_add(1, Ordering::Relaxed);
		}
	}

	fn record_debug(&mut self, _: &Field, _: &dyn core::fmt::Debug) {}
}

struct Counting(Arc<Counter>);

impl Subscriber for Counting {
	fn enabled(&self, metadata: &Metadata<'_>) -> bool {
		metadata.target() == "state"
	}
	fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
		span::Id::from_u64(1)
	}
	fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
	fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
	fn event(&self, event: &Trace<'_>) {
		event.record(&mut &*self.0);
	}
	fn enter(&self, _: &span::Id) {}
	fn exit(&self, _: &span::Id) {}
}

/// Runs of which the fastest counts: it is the one that nothing else on the machine held up.
const TIMED_RUNS: usize = 25;

/// Every read and write of storage in `act`, and how long it takes without anybody counting.
fn measure(ext: &mut sp_io::TestExternalities, act: impl Fn()) -> (Accesses, Duration) {
	let counter = Arc::new(Counter::default());
	tracing::subscriber::with_default(Counting(counter.clone()), || ext.execute_with(|| and_roll_back(&act)));
	let time = |_| {
		let started = Instant::now();
		ext.execute_with(|| and_roll_back(&act));
		started.elapsed()
	};
	let took = (0..TIMED_RUNS).map(time).min().unwrap_or_default();
	let accesses = Accesses {
		reads: counter.reads.load(Ordering::Relaxed),
		writes: counter.writes.load(Ordering::Relaxed),
	};
	(accesses, took)
}

fn and_roll_back(act: &impl Fn()) {
	sp_io::storage::start_transaction();
	act();
	sp_io::storage::rollback_transaction();
}

/// A validator with so many delegators, of whom each has stake, rewards and a part on its way out.
fn crowd(delegators: u64) -> sp_io::TestExternalities {
	let mut ext = ExtBuilder::default().node(1, 1_000, 8).session_keys(1).build();
	ext.execute_with(|| {
		for who in 1_000..1_000 + delegators {
			assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), who, ISSUED));
			delegate(who, 0, 500);
			assert_ok!(NodeStaking::undelegate(signed(who), 0, 100));
		}
		author(1, 1);
		pass_sessions(1);
		beat(0, 8);
		assert_ok!(NodeStaking::reserve(0, 100));
		author(1, 9);
		System::reset_events();
		NodeStaking::do_try_state().unwrap();
	});
	ext.commit_all().unwrap();
	ext
}

/// Something that happens to a node with delegators.
type Act = (&'static str, fn());

const ACTS: [Act; 5] = [
	("reward", || NodeStaking::pay_session(1)),
	("slash", || assert_eq!(NodeStaking::slash(0, 100, &20), 100)),
	("fine", || assert_eq!(NodeStaking::fine(0, 100, &20), 100)),
	("offence", || {
		report(&[1], percent(10), 1);
		assert!(NodeStaking::slashed(0).delegated > 0);
	}),
	("session", || pass_sessions(1)),
];

#[test]
fn cost_should_not_depend_on_the_number_of_delegators() {
	let (mut few, mut many) = (crowd(10), crowd(10_000));
	for (name, act) in ACTS {
		let (with_few, took_few) = measure(&mut few, act);
		let (with_many, took_many) = measure(&mut many, act);
		// The table of the README, in its order.
		let Accesses { reads, writes } = with_many;
		println!("| {name} | {reads} | {writes} | {took_few:.0?} | {took_many:.0?} |");
		assert!(reads > 0 && writes > 0, "{name} was not seen");
		assert_eq!(with_few, with_many, "{name}");
	}
	// What depends on it: the trie is deeper, by the logarithm.
	for (name, act) in ACTS {
		let proof = |ext: &mut sp_io::TestExternalities| {
			let ((), proof) = ext.execute_and_prove(act);
			ext.reset_overlay();
			proof.encoded_size()
		};
		let (with_few, with_many) = (proof(&mut few), proof(&mut many));
		println!("{name}: proof of {with_few} and {with_many} bytes");
		assert!(with_many < 3 * with_few, "{name}");
	}
}

#[test]
fn updates_of_the_tree_should_cost_its_height() {
	let cost = |nodes: u32| {
		// A tree of nodes that there are not: the pallet's invariants do not hold after.
		let mut ext = ExtBuilder::default().build();
		ext.execute_with(|| (0..nodes).for_each(|node| crate::bond_tree::Tree::<Test>::set(node, 100)));
		ext.commit_all().unwrap();
		let (set, _) = measure(&mut ext, || crate::bond_tree::Tree::<Test>::set(3, 200));
		let (draw, _) = measure(&mut ext, || {
			assert!(crate::bond_tree::Tree::<Test>::draw(1_234, &[]).is_some());
		});
		(set, draw)
	};
	for (nodes, levels) in [(5, 1), (16, 1), (17, 2), (256, 2), (257, 3), (5_000, 4)] {
		let (set, draw) = cost(nodes);
		assert_eq!((set.reads, set.writes), (levels + 1, levels), "{nodes} nodes");
		assert_eq!((draw.reads, draw.writes), (levels + 1, 0), "{nodes} nodes");
	}
}
