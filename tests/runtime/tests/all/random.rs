//! Random lives of a small market. Each pallet is checked after every act, and everything after every block; here it only
//! has to go on.

pub(crate) mod act;
pub(crate) mod perform;

use act::act;
use highway_primitives::{AskRole, JobPhase};
use highway_runtime::{
	pallet_promotion, pallet_storage_proofs, pallet_treasury, Balances, RevenueSplit, Runtime, RuntimeEvent,
};
use highway_runtime_tests::{
	invariants::{self, free},
	treasury, Chain, MILLI,
};
use pallet_inference_jobs::Jobs;
use pallet_revenue_split::{Call as Split, Event as SplitEvent};
use perform::{open_jobs, perform, try_call, Asked};
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use std::sync::atomic::{AtomicU32, Ordering};

/// Two models, of which the first is stored, too. Whoever asks most holds the price until others ask something else.
pub(crate) fn opened(chain: &mut Chain) {
	let first = chain.register_model(Dave, "magika", MILLI);
	let second = chain.register_model(Eve, "second", 0);
	chain.host(first, &[Alice, Bob, Charlie]);
	chain.host(second, &[Alice, Bob]);
	let compute = |model, price| (model, AskRole::Compute, Some(price));
	let storage = |model, price| (model, AskRole::Storage, Some(price));
	chain.ask(&[
		(Alice, compute(first, 7 * MILLI)),
		(Bob, compute(first, 8 * MILLI)),
		(Charlie, compute(first, 10 * MILLI)),
		(Alice, compute(second, 5 * MILLI)),
		(Bob, compute(second, 9 * MILLI)),
		(Bob, storage(first, MILLI / 2)),
		(Charlie, storage(first, MILLI)),
	]);
	chain.next_market_epoch();
}

/// How many jobs ended in which phase, over all lives.
static ENDS: [AtomicU32; 8] = [const { AtomicU32::new(0) }; 8];

/// What else is to happen in lives that prove something.
const SIGHTS: [&str; 8] = [
	"asks revealed",
	"asks withdrawn",
	"commitments broken",
	"epochs starved",
	"models promoted",
	"challenges answered",
	"challenges missed",
	"spends paid out",
];

/// How often it did, over all lives.
static SEEN: [AtomicU32; SIGHTS.len()] = [const { AtomicU32::new(0) }; SIGHTS.len()];

/// Which of [`SIGHTS`] an event is.
fn sight(event: &RuntimeEvent) -> Option<usize> {
	match event {
		RuntimeEvent::RevenueSplit(SplitEvent::AskRevealed { .. }) => Some(0),
		RuntimeEvent::RevenueSplit(SplitEvent::AskWithdrawn { .. }) => Some(1),
		RuntimeEvent::RevenueSplit(SplitEvent::AskForfeited { .. }) => Some(2),
		RuntimeEvent::RevenueSplit(SplitEvent::Starved { .. }) => Some(3),
		RuntimeEvent::Promotion(pallet_promotion::Event::Promoted { .. }) => Some(4),
		RuntimeEvent::StorageProofs(pallet_storage_proofs::Event::Proved { .. }) => Some(5),
		RuntimeEvent::StorageProofs(pallet_storage_proofs::Event::Missed { .. }) => Some(6),
		RuntimeEvent::Treasury(pallet_treasury::Event::Paid { .. }) => Some(7),
		_ => None,
	}
}

/// No state without an exit: with nobody doing anything any more, every job ends; and what nobody revealed is over with the
/// epoch.
pub(crate) fn ends(chain: &mut Chain) {
	for _ in 0..60 {
		if open_jobs().is_empty() {
			break;
		}
		chain.blocks(7);
	}
	assert!(open_jobs().is_empty(), "{:?}", open_jobs());
	let books = pallet_revenue_split::Books::<Runtime>::get();
	assert_eq!((books.obligations, books.bonds), (0, 0));

	chain.next_market_epoch();
	assert!(pallet_promotion::Bids::<Runtime>::get().is_empty());
	for model in 0..pallet_model_registry::NextModelId::<Runtime>::get() {
		try_call(chain, Ferdie, Split::prune { model });
	}
	assert_eq!(pallet_revenue_split::Commitments::<Runtime>::iter().count(), 0);
}

/// Everybody is paid what it earned, to the last unit. Accounts say less than the pot: authors get fees.
fn pay_out(chain: &mut Chain) {
	let pot = || free(&RevenueSplit::pot_account());
	// What a block does by itself is done before the first claim.
	chain.open();
	for (account, _) in RevenueSplit::earnings() {
		let before = pot();
		match Sr25519Keyring::from_account_id(&account) {
			Some(who) => chain.ok(who, Split::claim {}),
			None => {
				assert_eq!(account, treasury());
				let account = account.clone();
				chain.ok(Ferdie, Split::claim_for { account });
			}
		}
		let claimed = chain.events().into_iter().rev().find_map(|event| match event {
			RuntimeEvent::RevenueSplit(SplitEvent::Claimed { account: of, amount }) if of == account => Some(amount),
			_ => None,
		});
		assert_eq!(Some(before - pot()), claimed);
	}
	chain.close();
}

/// A minute of lives; more if `PROPTEST_CASES` says so.
fn cases() -> u32 {
	std::env::var("PROPTEST_CASES")
		.ok()
		.and_then(|cases| cases.parse().ok())
		.unwrap_or(48)
}

proptest! {
	#![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

	fn lives_keep_the_market_sound(acts in proptest::collection::vec(act(), 1..120)) {
		Chain::local(|chain| {
			let minted = pallet_node_staking::Minted::<Runtime>::get;
			let issuance = Balances::total_issuance() - minted();
			opened(chain);
			let from = chain.events().len();
			let mut asked = Asked::new();
			for act in acts {
				perform(chain, &mut asked, act);
				invariants::check_pallets();
			}
			ends(chain);
			for record in Jobs::<Runtime>::iter_values() {
				ENDS[record.phase() as usize].fetch_add(1, Ordering::Relaxed);
			}
			pay_out(chain);
			for event in chain.events().iter().skip(from).filter_map(sight) {
				SEEN[event].fetch_add(1, Ordering::Relaxed);
			}
			// More burns than is minted for it, whoever does what.
			assert!(Balances::total_issuance() - minted() <= issuance);
		});
	}
}

#[test]
fn the_market_should_stay_sound_whatever_people_do() {
	lives_keep_the_market_sound();
	let ends = ENDS.each_ref().map(|count| count.load(Ordering::Relaxed));
	println!("jobs that ended assigned, attested, auditing, settled, refunded, failed, rejected, void: {ends:?}");
	let seen = SEEN.each_ref().map(|count| count.load(Ordering::Relaxed));
	for (sight, count) in SIGHTS.iter().zip(seen) {
		println!("{sight}: {count}");
	}
	// Lives in which nothing happens would prove nothing. Two equal reports are rare, and have a test of their own; so has a
	// rejection, which needs five operators; and so have starved epochs, missed challenges and spends.
	assert_eq!(ends[..3], [0, 0, 0]);
	let count = |phase: JobPhase| ends[phase as usize];
	let often = [JobPhase::Settled, JobPhase::Refunded, JobPhase::Void];
	assert!(often.into_iter().all(|phase| count(phase) > 0), "{ends:?}");
	assert!([0, 2, 4, 5].into_iter().all(|sight| seen[sight] > 0), "{seen:?}");
}
