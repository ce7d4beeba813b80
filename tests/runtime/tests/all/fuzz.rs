//! Any call of ours, with any arguments, said by anybody at any time: everything that must hold between two blocks does.
//!
//! A sequence is a number: what a caller draws follows from it, and from the state that it finds. Between its calls people do
//! what the random lives do. `HIGHWAY_FUZZ_FIRST` is the first sequence's number, `HIGHWAY_FUZZ_SEQUENCES` how many there are;
//! with `HIGHWAY_FUZZ_SECONDS` they go on so long, on all processors.

mod caller;
mod market;
mod models;
mod nodes;
mod work;

use crate::{
	metadata::metadata,
	random::{
		act::{act, Act},
		ends, opened,
		perform::perform,
	},
	sessions::pass_sessions,
};
use caller::{Caller, OurCall};
use frame_support::traits::{Get, GetCallMetadata};
use highway_primitives::{BlockNumber, DeviceClass, ProbeTerms};
use highway_runtime::{Runtime, RuntimeCall};
use highway_runtime_tests::{genesis_with, invariants, name_of, CallName, Chain, Tally, MILLI};
use parking_lot::Mutex;
use proptest::{
	strategy::{Strategy, ValueTree},
	test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use sp_io::TestExternalities;
use std::{
	collections::BTreeMap,
	env,
	sync::atomic::{AtomicBool, AtomicU64, Ordering},
	thread,
	time::{Duration, Instant},
};

/// Pallets of the SDK that have calls. All others are ours.
const SDK: [&str; 12] = [
	"System",
	"Timestamp",
	"Babe",
	"Balances",
	"VoterList",
	"Session",
	"Grandpa",
	"Utility",
	"Multisig",
	"Proxy",
	"Sudo",
	"Treasury",
];

/// Sequences of a test: half a minute.
const SEQUENCES: u64 = 12;

/// What is done in a sequence before it comes to its end.
const MOVES: u32 = 100;

/// One sequence in so many lives until bonds are free again, and lets everybody go.
const OLD: u64 = 8;

/// Blocks of a session: so few, that bonds are free after hundreds of blocks, not thousands.
const SESSION: BlockNumber = 4;

/// Every call of ours, as the runtime's metadata has it.
fn our_calls() -> Vec<OurCall> {
	let metadata = metadata();
	let mut calls = Vec::new();
	for pallet in RuntimeCall::get_module_names() {
		if SDK.contains(pallet) {
			continue;
		}
		let found = metadata
			.pallet_by_name(pallet)
			.expect("a pallet with calls is in the metadata");
		for call in RuntimeCall::get_call_names(pallet) {
			let variant = found.call_variant_by_name(call).expect("a call is in the metadata");
			calls.push(OurCall {
				name: (*pallet, *call),
				indices: [found.index(), variant.index],
			});
		}
	}
	calls
}

/// The preset with short sessions, and in every third sequence with rounds of probes.
fn genesis(number: u64) -> TestExternalities {
	let terms = number.is_multiple_of(3).then(|| ProbeTerms {
		share: 1,
		spacing: 10 * SESSION,
		interval: 1,
		rows_per_slot: 1,
		unmeasured_slots: 256,
		reward: MILLI,
		floors: vec![(DeviceClass::Cuda, 1_000)].try_into().expect("one"),
	});
	let patch = serde_json::json!({
		"nodeStaking": { "sessionLength": SESSION },
		"capacityProbes": { "terms": terms },
	});
	genesis_with(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET, patch)
}

/// What was done in a sequence: shown if it fails.
struct Said<'f> {
	number: u64,
	moves: Vec<String>,
	failed: &'f AtomicBool,
}

impl Drop for Said<'_> {
	fn drop(&mut self) {
		if thread::panicking() {
			self.failed.store(true, Ordering::Relaxed);
			let moves = self.moves.join("\n  ");
			eprintln!(
				"sequence {0} failed after this:\n  {moves}\nHIGHWAY_FUZZ_FIRST={0} HIGHWAY_FUZZ_SEQUENCES=1 makes it again",
				self.number
			);
		}
	}
}

/// The acts of the random lives, in an order that follows from a number.
struct Acts(TestRunner);

impl Acts {
	fn of(number: u64) -> Self {
		let mut seed = [0; 32];
		seed[..8].copy_from_slice(&number.to_le_bytes());
		let dice = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
		Self(TestRunner::new_with_rng(Config::default(), dice))
	}

	fn draw(&mut self) -> Act {
		let drawn = act().new_tree(&mut self.0).expect("every act can be drawn");
		drawn.current()
	}
}

/// Lets a sequence happen, and returns what became of the calls in it.
fn sequence(number: u64, calls: &[OurCall], failed: &AtomicBool) -> BTreeMap<CallName, Tally> {
	let mut said = Said {
		number,
		moves: Vec::new(),
		failed,
	};
	Chain::of_genesis(genesis(number), |chain| {
		chain.impersonated = true;
		opened(chain);
		let (mut caller, mut acts) = (Caller::of(number), Acts::of(number));
		for _ in 0..MOVES {
			match caller.below(100) {
				0..68 => {
					let transaction = caller.transaction(chain, calls);
					said.moves.push(format!("{:?}", transaction.function));
					let _ = chain.apply(transaction);
				}
				68..80 => {
					let act = acts.draw();
					said.moves.push(format!("{act:?}"));
					perform(chain, &mut caller.asked, act);
				}
				80..83 => {
					chain.lag = caller.one_of(&[None, Some(0), Some(2), Some(20), Some(100)]);
					said.moves.push(format!("finality lags by {:?}", chain.lag));
				}
				_ => {
					let count = 1 + caller.below(4);
					said.moves.push(format!("{count} blocks"));
					chain.blocks(count);
				}
			}
			invariants::check_pallets();
		}
		chain.lag = Some(2);
		ends(chain);
		if number.is_multiple_of(OLD) {
			let bonding: u32 = <Runtime as pallet_node_staking::Config>::BondingSessions::get();
			go(
				chain,
				&mut caller,
				&mut said,
				&["unhost", "chill", "unbond", "undelegate"],
			);
			pass_sessions(chain, bonding + 1);
			let out = [
				"withdraw_unbonded",
				"withdraw_delegation",
				"deregister",
				"reap",
				"claim_rewards",
			];
			go(chain, &mut caller, &mut said, &out);
		}
		chain.calls.clone()
	})
}

/// Nodes and those who stand behind them do this, again and again.
fn go(chain: &mut Chain, caller: &mut Caller, said: &mut Said<'_>, calls: &[&'static str]) {
	for _ in 0..8 {
		for call in calls {
			let transaction = caller.plausible(chain, ("NodeStaking", *call));
			said.moves.push(format!("{:?}", transaction.function));
			let _ = chain.apply(transaction);
			invariants::check_pallets();
		}
	}
	chain.close();
}

fn number(variable: &str) -> Option<u64> {
	let text = env::var(variable).ok()?;
	Some(
		text.parse()
			.unwrap_or_else(|_| panic!("{variable} is a number, not {text}")),
	)
}

#[test]
fn every_call_of_ours_should_be_made_by_the_caller() {
	let calls = our_calls();
	Chain::local(|chain| {
		let mut caller = Caller::of(0);
		for call in &calls {
			let made = caller.plausible(chain, call.name);
			assert_eq!(name_of(&made.function), call.name);
		}
	});
}

#[test]
fn any_call_should_leave_everything_sound_whoever_says_what() {
	let calls = our_calls();
	let first = number("HIGHWAY_FUZZ_FIRST").unwrap_or(0);
	let count = number("HIGHWAY_FUZZ_SEQUENCES").unwrap_or(SEQUENCES);
	let time = number("HIGHWAY_FUZZ_SECONDS").map(Duration::from_secs);
	let threads = match time {
		Some(_) => thread::available_parallelism().map_or(1, usize::from),
		None => 1,
	};
	let (started, next, failed) = (Instant::now(), AtomicU64::new(first), AtomicBool::new(false));
	let totals = Mutex::new(BTreeMap::<CallName, Tally>::new());
	let work = || loop {
		let number = next.fetch_add(1, Ordering::Relaxed);
		let is_over = match time {
			Some(time) => started.elapsed() >= time,
			None => number - first >= count,
		};
		if is_over || failed.load(Ordering::Relaxed) {
			break;
		}
		for (call, tally) in sequence(number, &calls, &failed) {
			let mut totals = totals.lock();
			let total = totals.entry(call).or_default();
			total.succeeded += tally.succeeded;
			total.failed += tally.failed;
			total.refused += tally.refused;
		}
	};
	thread::scope(|scope| {
		for _ in 0..threads {
			scope.spawn(work);
		}
	});
	let totals = totals.into_inner();
	let made = (next.into_inner() - first).saturating_sub(threads as u64);
	println!("{made} sequences from {first} on, in {:?}", started.elapsed());
	let (succeeded, failed, refused) = ("succeeded", "failed", "refused");
	println!("{succeeded:>49} {failed:>9} {refused:>9}");
	let of = |call: &OurCall| totals.get(&call.name).copied().unwrap_or_default();
	for call in &calls {
		let ((pallet, name), total) = (call.name, of(call));
		println!(
			"{pallet:<16} {name:<22} {:>9} {:>9} {:>9}",
			total.succeeded, total.failed, total.refused
		);
	}
	// Fewer say little: one that is made again, say.
	if made >= SEQUENCES {
		let never: Vec<_> = calls.iter().filter(|call| of(call) == Tally::default()).collect();
		assert!(never.is_empty(), "never tried: {never:?}");
		// Some need more than chance: a job that the due queue had no room for, pay that waited for a week.
		let in_vain: Vec<_> = calls.iter().filter(|call| of(call).succeeded == 0).collect();
		assert!(5 * in_vain.len() <= calls.len(), "tried in vain: {in_vain:?}");
	}
}
