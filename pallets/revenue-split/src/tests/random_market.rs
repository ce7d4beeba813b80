//! Random markets: whatever nodes commit to, reveal, break, leave, and whatever strangers do in between, nobody is paid
//! below its ask or above the reserve, and nobody has more or less reserved than it said.

use super::*;
use crate::{
	pallet::{Asks, Commitments, Markets},
	types::MarketState,
	Clearing, MAX_ASKS,
};
use proptest::{collection::vec, prelude::*};

/// Some nodes, so that they meet in a role.
const NODES: NodeId = 6;

#[derive(Clone, Debug)]
enum Act {
	Commit(NodeId, AskRole, Option<Balance>),
	/// Reveals what was committed to, or something else.
	Reveal(NodeId, AskRole, Option<Balance>),
	Batch(NodeId, Option<Balance>),
	Host(NodeId),
	Unhost(NodeId),
	Able(NodeId, bool),
	/// An offence takes a part of the bond.
	Offence(NodeId, u8),
	Job(u32, u64),
	Clear,
	Prune,
	/// So many blocks pass.
	Wait(u32),
}

fn price() -> impl Strategy<Value = Balance> {
	prop_oneof![
		Just(0),
		1..20u128,
		900..1_100u128,
		0..MAX_ASK,
		Just(MAX_ASK),
		Just(MAX_ASK + 1)
	]
}

fn role() -> impl Strategy<Value = AskRole> {
	prop_oneof![3 => Just(AskRole::Compute), 1 => Just(AskRole::Storage)]
}

fn said() -> impl Strategy<Value = Option<Balance>> {
	prop_oneof![5 => price().prop_map(Some), 1 => Just(None)]
}

fn act() -> impl Strategy<Value = Act> {
	let node = || 0..NODES;
	prop_oneof![
		8 => (node(), role(), said()).prop_map(|(node, role, price)| Act::Commit(node, role, price)),
		8 => (node(), role(), said()).prop_map(|(node, role, price)| Act::Reveal(node, role, price)),
		4 => (node(), said()).prop_map(|(node, price)| Act::Batch(node, price)),
		1 => node().prop_map(Act::Host),
		1 => node().prop_map(Act::Unhost),
		1 => (node(), any::<bool>()).prop_map(|(node, able)| Act::Able(node, able)),
		1 => (node(), any::<u8>()).prop_map(|(node, part)| Act::Offence(node, part)),
		4 => (1..100u32, 0..4 * MIB).prop_map(|(units, size)| Act::Job(units, size)),
		1 => Just(Act::Clear),
		1 => Just(Act::Prune),
		6 => (1..EPOCH).prop_map(Act::Wait),
	]
}

/// What each node last committed to, so that it can reveal it.
type Sealed = std::collections::BTreeMap<(NodeId, AskRole), Option<Balance>>;

fn register_all() {
	for node in 0..NODES {
		host(node, MODEL);
	}
}

/// As the runtime does: whatever a call that fails has written is rolled back.
fn call(act: impl FnOnce() -> DispatchResult) -> bool {
	frame_support::storage::with_storage_layer(act).is_ok()
}

fn run(act: &Act, sealed: &mut Sealed, open: &mut Vec<(JobId, Deal<AccountId>)>) {
	match *act {
		Act::Commit(node, role, price) => {
			if call(|| commit(node, role, price)) {
				sealed.insert((node, role), price);
			}
		}
		Act::Reveal(node, role, other) => {
			// Every other one reveals what it should.
			let price = match node % 2 {
				0 => sealed.get(&(node, role)).copied().unwrap_or(other),
				_ => other,
			};
			call(|| reveal(node, role, price));
		}
		Act::Batch(node, price) => {
			let commits = AskRole::ALL.map(|role| commitment(node, role, price));
			let reveals = AskRole::ALL.map(|role| {
				let price = sealed.get(&(node, role)).copied().unwrap_or(price);
				opening(node, role, price)
			});
			let before = Commitments::<Test>::iter().count();
			Split::do_commit_asks(node, &commits);
			if Commitments::<Test>::iter().count() > before {
				sealed.extend(AskRole::ALL.map(|role| ((node, role), price)));
			}
			Split::do_reveal_asks(node, &reveals);
		}
		Act::Host(node) => {
			host(node, MODEL);
		}
		Act::Unhost(node) => unhost(node),
		Act::Able(node, able) => with_node(node, |node| node.able = able),
		Act::Offence(node, part) => with_node(node, |node| {
			node.bond -= node.bond * Balance::from(part) / 256;
			let short = node.reserved.saturating_sub(node.bond);
			node.reserved -= short;
			node.unsecured += short;
		}),
		Act::Job(units, size) => {
			let job = open.len() as JobId;
			if let Ok(deal) = Split::open(job, &order(units, size)) {
				assert_fair(&deal);
				open.push((job, deal));
			}
		}
		Act::Clear => {
			call(|| {
				Split::clear(RuntimeOrigin::signed(PAYER), MODEL)
					.map(|_| ())
					.map_err(|error| error.error)
			});
		}
		Act::Prune => {
			call(|| {
				Split::prune(RuntimeOrigin::signed(PAYER), MODEL)
					.map(|_| ())
					.map_err(|error| error.error)
			});
		}
		Act::Wait(blocks) => {
			for _ in 0..blocks {
				go_to(System::block_number() + 1);
			}
		}
	}
}

/// The record of the deal is what the asks that hold come to.
fn assert_fair(deal: &Deal<AccountId>) {
	let record: Clearing<AccountId> = crate::Clearings::<Test>::get(MODEL, deal.epoch).unwrap();
	let state: MarketState = Markets::<Test>::get(MODEL);
	for (role, price, winners) in [
		(AskRole::Compute, record.compute_price, &record.executors),
		(AskRole::Storage, record.storage_price, &record.storage),
	] {
		let book = Asks::<Test>::get(MODEL, role);
		let ask_of = |node: NodeId| {
			book.iter()
				.find(|ask| ask.node == node)
				.and_then(|ask| ask.effective(deal.epoch))
		};
		// Of those who let the epoch down nothing is kept.
		let let_down = |node: NodeId| TestNodes::get(node).is_some_and(|node| node.lapsed.is_some());
		let asks: Vec<Balance> = winners
			.iter()
			.filter_map(|node| {
				let ask = ask_of(*node);
				assert!(ask.is_some() || let_down(*node), "a winner asks");
				ask
			})
			.collect();
		assert!(asks.is_sorted(), "cheapest first");
		assert!(asks.iter().all(|ask| *ask <= price), "nobody is paid below its ask");
		let reserve = state.reserve(role);
		assert!(
			winners.is_empty() || reserve.is_none_or(|reserve| price <= reserve),
			"nobody is paid above the reserve"
		);
		assert!(winners.len() as u32 <= MAX_ASKS);
	}
	assert!(state.compute_reserve.is_some(), "a job makes the price a reserve");
	assert!(deal.storage.is_none() || state.storage_reserve.is_some());
	assert!(record.storage.is_empty() || record.storage_price <= record.compute_price);
}

proptest! {
	#[test]
	fn a_market_should_hold_together_whatever_is_done(acts in vec(act(), 1..120)) {
		ExtBuilder.build_and_execute(|| {
			register_all();
			let (mut sealed, mut open) = (Sealed::new(), Vec::new());
			for act in &acts {
				let issuance = Balances::total_issuance();
				System::reset_events();
				run(act, &mut sealed, &mut open);
				let burned: Balance = events().iter().map(|event| match event {
					Event::AskForfeited { burned, .. } => *burned,
					_ => 0,
				}).sum();
				assert_eq!(Balances::total_issuance(), issuance - burned);
				assert_eq!(Split::pot_surplus(), Some(0));
				check_invariants();
			}
			// There is a way out for everybody.
			for (_, deal) in &open {
				Split::close(MODEL, deal);
			}
			(0..NODES).for_each(unhost);
			go_to_epoch(Split::current_epoch() + 1);
			let _ = Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
			assert_eq!(Split::ask_bonds().len(), 0);
			assert_eq!(Commitments::<Test>::iter().count(), 0);
			go_to_epoch(Split::current_epoch() + 1);
			let _ = Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
			assert_eq!(Asks::<Test>::iter().count() + crate::Clearings::<Test>::iter().count(), 0);
		});
	}

	#[test]
	fn a_full_market_should_admit_a_better_ask_and_no_other(
		prices in vec(0..100u128, MAX_ASKS as usize),
		newcomers in vec(0..120u128, 1..20),
	) {
		ExtBuilder.build_and_execute(|| {
			for (node, price) in (0..).zip(&prices) {
				ask(node, AskRole::Compute, *price);
			}
			for (node, price) in (MAX_ASKS..).zip(newcomers) {
				let asked = || {
					let book = Asks::<Test>::get(MODEL, AskRole::Compute);
					let mut asked: Vec<_> = book.iter().filter_map(|ask| ask.upcoming()).collect();
					asked.sort_unstable();
					asked
				};
				let mut before = asked();
				ask(node, AskRole::Compute, price);
				let worst = before.pop().unwrap();
				before.push(worst.min(price));
				before.sort_unstable();
				assert_eq!(asked(), before, "the best of them have the places");
				let admitted = Split::ask_of(node, MODEL, AskRole::Compute).is_some();
				assert_eq!(admitted, price < worst);
			}
		});
	}

	/// Whoever clears, and whenever: the record is the same.
	#[test]
	fn a_clearing_should_be_the_same_whenever_it_is_found(
		prices in vec(0..1_000u128, 1..12),
		acts in vec(act(), 0..30),
	) {
		let found = |late: bool| {
			let mut record = None;
			ExtBuilder.build_and_execute(|| {
				register_all();
				for (node, price) in (0..).zip(&prices) {
					ask(node, AskRole::Compute, *price);
					ask(node, AskRole::Storage, *price / 2);
				}
				go_to_epoch(1);
				if late {
					let (mut sealed, mut open) = (Sealed::new(), Vec::new());
					for act in &acts {
						let touches = matches!(act, Act::Job(..) | Act::Clear);
						let goes_on = matches!(act, Act::Wait(blocks) if System::block_number() + blocks >= 2 * EPOCH);
						if !touches && !goes_on {
							run(act, &mut sealed, &mut open);
						}
					}
				}
				Split::clear(RuntimeOrigin::signed(PAYER), MODEL).unwrap();
				record = crate::Clearings::<Test>::get(MODEL, 1);
			});
			record.unwrap()
		};
		prop_assert_eq!(found(false), found(true));
	}
}
