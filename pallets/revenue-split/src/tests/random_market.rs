//! Random markets: whatever nodes commit to, reveal, break, leave, however jobs end, and whatever strangers do in between,
//! nobody is paid below its ask or above the reserve, all money is where the deals and the ends of jobs put it, and nobody has
//! more or less reserved than it said.

mod ledger;

use super::*;
use crate::{
	pallet::{Asks, Commitments, Markets},
	types::MarketState,
	Clearing, MAX_ASKS,
};
use ledger::Ledger;
use proptest::{collection::vec, prelude::*, sample::Index, strategy::ValueTree, test_runner::TestRunner};

/// Some nodes, so that they meet in a role.
const NODES: NodeId = 6;

const MAKER: AccountId = 50;
const PARENT: AccountId = 51;

#[derive(Clone, Debug)]
enum End {
	/// One of the winners has done it; whether anybody is asked to audit it.
	Settle(Index, bool),
	Refund,
	/// These reported that it cannot be done.
	Fail(Vec<NodeId>),
}

#[derive(Clone, Debug)]
enum Act {
	Commit(NodeId, AskRole, Option<Balance>),
	/// Reveals what was committed to, or something else.
	Reveal(NodeId, AskRole, Option<Balance>),
	Batch(NodeId, Option<Balance>),
	/// Asks begin to be opened, and each node whose bit is set opens what it committed to.
	Reveals(u8),
	Host(NodeId),
	Unhost(NodeId),
	Able(NodeId, bool),
	/// An offence takes a part of the bond.
	Offence(NodeId, u8),
	/// A job is ordered and paid for.
	Job(u32, u64),
	/// One of the open jobs ends.
	End(Index, End),
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

fn end() -> impl Strategy<Value = End> {
	prop_oneof![
		3 => (any::<Index>(), any::<bool>()).prop_map(|(executor, audited)| End::Settle(executor, audited)),
		1 => Just(End::Refund),
		1 => vec(0..NODES, 0..4).prop_map(End::Fail),
	]
}

fn act() -> impl Strategy<Value = Act> {
	let node = || 0..NODES;
	prop_oneof![
		8 => (node(), role(), said()).prop_map(|(node, role, price)| Act::Commit(node, role, price)),
		8 => (node(), role(), said()).prop_map(|(node, role, price)| Act::Reveal(node, role, price)),
		4 => (node(), said()).prop_map(|(node, price)| Act::Batch(node, price)),
		3 => any::<u8>().prop_map(Act::Reveals),
		1 => node().prop_map(Act::Host),
		1 => node().prop_map(Act::Unhost),
		1 => (node(), any::<bool>()).prop_map(|(node, able)| Act::Able(node, able)),
		1 => (node(), any::<u8>()).prop_map(|(node, part)| Act::Offence(node, part)),
		5 => (1..100u32, 0..4 * MIB).prop_map(|(units, size)| Act::Job(units, size)),
		5 => (any::<Index>(), end()).prop_map(|(job, end)| Act::End(job, end)),
		1 => Just(Act::Clear),
		1 => Just(Act::Prune),
		5 => (1..EPOCH).prop_map(Act::Wait),
	]
}

/// What some nodes ask for compute from the first epoch on, so that there is something to buy, and what is done then.
fn market() -> impl Strategy<Value = (Vec<Balance>, Vec<Act>)> {
	let ask = price().prop_map(|price| price.min(MAX_ASK));
	(vec(ask, 0..4), vec(act(), 1..120))
}

/// What each node last committed to, so that it can reveal it.
type Sealed = std::collections::BTreeMap<(NodeId, AskRole), Option<Balance>>;

/// How often what settled jobs paid was reserved, and not just the least that stands behind an ask.
#[derive(Debug, Default)]
struct Raised {
	/// For a commitment.
	committed: u32,
	/// Behind an ask that got a place.
	asked: u32,
	/// And lost, with a commitment or for a place that was let down.
	lost: u32,
}

impl Raised {
	fn note(&mut self, event: &Event<Test>) {
		match *event {
			Event::AskCommitted { bond, .. } => self.committed += u32::from(bond > BOND),
			Event::AskRevealed { role, node, .. } => {
				let book = Asks::<Test>::get(MODEL, role);
				self.asked += u32::from(book.iter().any(|ask| ask.node == node && ask.bond > BOND));
			}
			Event::AskForfeited { amount, .. } => self.lost += u32::from(amount > BOND),
			_ => (),
		}
	}
}

/// A market, and what it should have come to by now.
#[derive(Default)]
struct Course {
	sealed: Sealed,
	open: Vec<(JobId, Deal<AccountId>)>,
	next_job: JobId,
	ledger: Ledger,
	raised: Raised,
}

impl Course {
	/// All nodes are there, and some of them ask. Whoever will be paid can receive the least amount.
	fn begin(asks: &[Balance]) -> Self {
		TestRoyalties::set(vec![royalty(MODEL, MAKER, 5), royalty(3, PARENT, 2)]);
		register_all();
		for (node, price) in (0..).zip(asks) {
			ask(node, AskRole::Compute, *price);
		}
		Balances::mint_into(&PAYER, 1 << 100).unwrap();
		let others = [TREASURY, MAKER, PARENT];
		for account in others {
			Balances::mint_into(&account, ED).unwrap();
		}
		let accounts = (0..NODES).map(operator_of).chain(others).chain([PAYER]);
		Self {
			ledger: Ledger::of(accounts),
			..Default::default()
		}
	}

	/// Lets something happen, after which everything must hold.
	fn step(&mut self, happens: impl FnOnce(&mut Self)) {
		System::reset_events();
		happens(self);
		for event in events() {
			self.ledger.note(&event);
			self.raised.note(&event);
		}
		self.ledger.check();
		assert_eq!(Split::pot_surplus(), Some(0));
		check_invariants();
	}

	fn end(&mut self, job: JobId, deal: &Deal<AccountId>, end: &End) {
		match end {
			End::Settle(which, audited) => {
				let executor = *which.get(&Split::executors(MODEL, deal));
				Split::settle(job, MODEL, &PAYER, deal, executor, *audited);
				self.ledger.settled(deal, executor, *audited);
			}
			End::Refund => {
				Split::refund(job, &PAYER, deal);
				self.ledger.refunded(deal);
			}
			End::Fail(reporters) => {
				Split::fail(job, &PAYER, deal, reporters);
				self.ledger.failed(deal, reporters);
			}
		}
		Split::close(MODEL, deal);
	}
}

fn register_all() {
	for node in 0..NODES {
		host(node, MODEL);
	}
}

/// As the runtime does: whatever a call that fails has written is rolled back.
fn call(act: impl FnOnce() -> DispatchResult) -> bool {
	frame_support::storage::with_storage_layer(act).is_ok()
}

fn run(act: &Act, course: &mut Course) {
	let sealed = &mut course.sealed;
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
		Act::Reveals(nodes) => {
			if System::block_number() % EPOCH < FIRST_REVEAL {
				go_to_reveals();
			}
			for ((node, role), price) in sealed.iter().filter(|((node, _), _)| (nodes >> node) & 1 == 1) {
				call(|| reveal(*node, *role, *price));
			}
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
			let job = course.next_job;
			let order = Order {
				seed: [job as u8; 32],
				..order(units, size)
			};
			if let Ok(deal) = Split::open(job, &order) {
				assert_fair(&deal);
				Split::escrow(&PAYER, &deal).unwrap();
				course.ledger.opened(&deal);
				course.open.push((job, deal));
				course.next_job += 1;
			}
		}
		Act::End(which, ref end) => {
			if !course.open.is_empty() {
				let (job, deal) = course.open.swap_remove(which.index(course.open.len()));
				course.end(job, &deal, end);
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

/// Lets it all happen, and everybody go.
fn play(asks: &[Balance], acts: &[Act]) -> Raised {
	let mut raised = Raised::default();
	ExtBuilder.build_and_execute(|| {
		let mut course = Course::begin(asks);
		for act in acts {
			course.step(|course| run(act, course));
		}
		// There is a way out for everybody.
		course.step(|course| {
			for (job, deal) in core::mem::take(&mut course.open) {
				course.end(job, &deal, &End::Refund);
			}
			(0..NODES).for_each(unhost);
			go_to_epoch(Split::current_epoch() + 1);
			let _ = Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
		});
		assert_eq!(Split::ask_bonds().len(), 0);
		assert_eq!(Commitments::<Test>::iter().count(), 0);
		course.step(|_| {
			go_to_epoch(Split::current_epoch() + 1);
			let _ = Split::prune(RuntimeOrigin::signed(PAYER), MODEL);
		});
		assert_eq!(
			Asks::<Test>::iter().count() + crate::Clearings::<Test>::iter().count(),
			0
		);
		go_to(System::block_number() + HOLD);
		course.ledger.pay_out();
		raised = course.raised;
	});
	raised
}

/// If bonds did not vary, it would say little that everything holds in random markets.
#[test]
fn random_markets_should_reserve_and_lose_what_places_were_paid() {
	// The same markets in each run: what is counted is not a matter of luck.
	let mut dice = TestRunner::deterministic();
	let mut raised = Raised::default();
	for _ in 0..100 {
		let (asks, acts) = market().new_tree(&mut dice).unwrap().current();
		let Raised { committed, asked, lost } = play(&asks, &acts);
		raised.committed += committed;
		raised.asked += asked;
		raised.lost += lost;
	}
	assert!(
		raised.committed > 30 && raised.asked > 3 && raised.lost > 5,
		"{raised:?}"
	);
}

proptest! {
	#[test]
	fn a_market_should_hold_together_whatever_is_done((asks, acts) in market()) {
		play(&asks, &acts);
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
					let mut course = Course::default();
					for act in &acts {
						let touches = matches!(act, Act::Job(..) | Act::Clear);
						let goes_on = matches!(act, Act::Wait(blocks) if System::block_number() + blocks >= 2 * EPOCH);
						if !touches && !goes_on {
							run(act, &mut course);
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
