//! Commitments that are not revealed: what they cost, and what they are worth; and bonds that are made dear, to keep others out.
//!
//! Whoever commits all its places, and then, when it has seen what the others reveal, lets some commitments break, withholds
//! with its eyes open. Each costs the bond: what a place was paid in the better of the last two epochs.

use super::{
	bidders::{self, Market},
	chain::{
		nodes::{self, operator_of, Crowd, SimulatedNode},
		order, Chain, RevenueSplit, MIN_ASK_BOND, MODEL, PAYER, SECURITY_FACTOR, TREASURY,
	},
	months::{COST, JOBS, PRICE},
	table::{Bound, Comparison, Table},
	Size,
};
use highway_primitives::{
	market::{AskRole, Order},
	traits::Nodes,
	Balance, NodeId,
};
use rand::Rng;

/// Markets that a bidder imagines who knows nobody's ask.
const IMAGINED: usize = 40;

/// Commitments that nobody reveals, in front of an honest newcomer.
const BROKEN: NodeId = 64;

/// Nodes that have all places, where bonds are to be made dear for a newcomer.
const HOLDERS: NodeId = 4;

/// Units of a job that does that: 10 000 AIC.
const LARGE: u32 = 1_000_000;

pub(super) fn table(size: Size) -> Table {
	let mut table = Table::new(
		"unrevealed",
		"What does a commitment cost that is not revealed, and what is it worth?",
	);
	let (lost, place, treasury) = forfeited(JOBS);
	table.exact(
		"what is lost, in a steady market",
		100.0 * lost as f64 / place as f64,
		"% of what a place earned",
		Bound::promised(100.0, 100.1),
		"half of it is burned, half is the treasury's",
	);
	table.require(treasury == lost - lost / 2);
	let (lost, _, _) = forfeited(0);
	table.exact(
		"what is lost, in a model that had no jobs",
		100.0 * lost as f64 / MIN_ASK_BOND as f64,
		"% of the lowest bond",
		Bound::promised(100.0, 100.0),
		"there is nothing to be won either",
	);
	let (won, lost) = crowded();
	table.exact(
		format!("{BROKEN} nodes commit and do not reveal: honest newcomers among the winners"),
		won as f64,
		"of 3",
		Bound::promised(3.0, 3.0),
		format!("reveals take places, commitments do not; they lose {lost} bonds"),
	);
	for (nodes, ours, share, bound) in [
		(6, 2, 1.0, Bound::left_over(-0.1, 1.0)),
		(16, 8, 1.0, Bound::left_over(-0.3, 5.0)),
		(16, 8, 0.5, Bound::left_over(0.8, 8.0)),
		(16, 8, 0.1, Bound::left_over(8.0, 28.0)),
		(16, 8, 0.0, Bound::RejectedRule),
	] {
		let mut rng = size.rng(&table);
		let (honest, blind) = option(&mut rng, size.markets / 4, nodes, ours, share);
		let case = match share {
			1.0 => format!("{ours} of {nodes} places: commits all, breaks what pays"),
			0.0 => format!("{ours} of {nodes} places: the same without bonds (rejected)"),
			share => format!(
				"{ours} of {nodes} places: the same, demand grew {:.0}-fold",
				1.0 / share
			),
		};
		let note = format!("compared with withholding blindly: {:+.1} %", blind.gain().value);
		table.estimate(case, honest.gain(), "% of honest income", bound, note);
		// Without a bond it must beat what can be had without it; with the whole one it must not.
		let beats = blind.gain().value - 3.0 * blind.gain().error > 0.0;
		table.require(beats == (share == 0.0));
	}
	let enough = COST * Balance::from(SECURITY_FACTOR);
	let otherwise = [(enough - 1, 2 * enough, false), (enough, 0, true)]
		.into_iter()
		.filter(|(at_first, later, holds)| is_taken(*at_first, *later) != *holds);
	table.exact(
		"a bond just short of the ask, or just enough, that changes after a look: asks that come out otherwise",
		otherwise.count() as f64,
		"of 2",
		Bound::Nothing,
		"what an ask may be at most is taken down with the commitment",
	);
	dear_bonds(&mut table);
	table
}

/// Those who have all places make the bond of an ask dear, so that nobody else can commit to one.
fn dear_bonds(table: &mut Table) {
	let failed = made_dear(false);
	table.exact(
		format!("{HOLDERS} nodes, all places, let a large job of their own fail: the bond of a newcomer's ask"),
		100.0 * failed.after as f64 / failed.before as f64,
		"% of what it was",
		Bound::promised(100.0, 100.0),
		"what nobody is paid for does not count; it costs a fee, and some reliability",
	);
	table.require(failed.cost == 0);
	table.exact(
		"the same if what is opened counted (rejected)",
		failed.opened as f64 / failed.before as f64,
		"times what it was",
		Bound::RejectedRule,
		"for nothing: the price comes back",
	);
	let paid = made_dear(true);
	table.exact(
		"one of them does the job, and they pay it: what they lose, of what the newcomer's bond is dearer",
		100.0 * paid.cost as f64 / (paid.after - paid.before) as f64,
		"%",
		Bound::left_over(39.0, 40.5),
		"each two epochs anew; and 64 times the job's pay is reserved of their bonds until it is settled",
	);
}

/// What a node loses that commits and does not reveal, after an epoch with so many jobs; what a place earned in it; and
/// what the treasury has of that.
fn forfeited(jobs: u32) -> (Balance, Balance, Balance) {
	Chain::run(|chain| {
		chain.join(5);
		// Dear enough that a place earns more than the lowest bond.
		chain.set_market(PRICE, JOBS);
		let asks: Vec<_> = (0..4).map(|node| (node, COST)).collect();
		chain.open_market(&asks);
		let record = chain.clear().expect("four serve");
		if jobs > 0 {
			chain.count_jobs(jobs);
		}
		chain.next_epoch();
		let (before, treasury) = (nodes::bond_of(4), chain.wealth(&[TREASURY]));
		chain.commit(4, AskRole::Compute, Some(COST)).expect("it has the bond");
		chain.next_epoch();
		chain.prune();
		let place = record.compute_price * Balance::from(jobs) / record.executors.len() as Balance;
		(before - nodes::bond_of(4), place, chain.wealth(&[TREASURY]) - treasury)
	})
}

/// Many nodes commit and reveal nothing; three honest ones come at the same time. How many of these win, and how many bonds
/// the others lose.
fn crowded() -> (usize, usize) {
	Chain::run(|chain| {
		chain.join(BROKEN + 3);
		let honest = BROKEN..BROKEN + 3;
		for node in 0..BROKEN {
			chain.commit(node, AskRole::Compute, Some(0)).expect("it has the bond");
		}
		let asks: Vec<_> = honest.clone().map(|node| (node, COST)).collect();
		chain.open_market(&asks);
		let record = chain.clear().expect("the honest ones serve");
		chain.prune();
		let lost = (0..BROKEN).filter(|node| nodes::bond_of(*node) < SimulatedNode::BOND);
		(
			record.executors.iter().filter(|node| honest.contains(*node)).count(),
			lost.count(),
		)
	})
}

/// What making a newcomer's bond dear comes to.
struct MadeDear {
	/// The bond of an ask before, and in the epoch after.
	before: Balance,
	after: Balance,
	/// What those lost together who did it.
	cost: Balance,
	/// What a place would have earned by all that was opened.
	opened: Balance,
}

/// In a market that four nodes serve at cost, they open a large job of their own beside all others. It is `paid`, or two of them
/// report that it cannot be done.
fn made_dear(paid: bool) -> MadeDear {
	Chain::run(|chain| {
		chain.join(HOLDERS + 1);
		chain.set_market(PRICE, JOBS);
		let asks: Vec<_> = (0..HOLDERS).map(|node| (node, COST)).collect();
		chain.open_market(&asks);
		chain.count_jobs(JOBS);
		chain.next_epoch();
		let bond = || RevenueSplit::ask_bond(MODEL, AskRole::Compute);
		let ours: Vec<_> = (0..HOLDERS).map(operator_of).chain([PAYER]).collect();
		let (before, wealth) = (bond(), chain.wealth(&ours));
		let price = chain.count_jobs(JOBS).compute;
		let large = Order {
			units: LARGE,
			..order(&PAYER, None, MODEL)
		};
		match paid {
			true => drop(chain.job(&large, 0)),
			false => chain.failed_job(&large, &[0, 1]),
		}
		let cost = wealth - chain.wealth(&ours);
		chain.next_epoch();
		MadeDear {
			before,
			after: bond(),
			cost,
			opened: price * Balance::from(JOBS + LARGE) / Balance::from(HOLDERS),
		}
	})
}

/// Whether the ask of a node is taken that has so much of its bond free `at_first`, when it commits, beside the bond of the ask, and
/// so much `later`, when it has seen what others reveal.
fn is_taken(at_first: Balance, later: Balance) -> bool {
	const NEWCOMER: NodeId = 2;
	Chain::run(|chain| {
		chain.join(NEWCOMER + 1);
		let used = |free: Balance| SimulatedNode::BOND - MIN_ASK_BOND - free;
		Crowd::secure(NEWCOMER, used(at_first)).expect("it has the bond");
		for node in 0..=NEWCOMER {
			chain
				.commit(node, AskRole::Compute, Some(COST))
				.expect("it has the bond, and there is no reserve");
		}
		chain.go_to_reveals();
		for node in 0..=NEWCOMER {
			if node == NEWCOMER {
				Crowd::release(NEWCOMER, used(at_first));
				Crowd::secure(NEWCOMER, used(later)).expect("it has the bond");
			}
			let revealed = chain.reveal(node, AskRole::Compute, Some(COST));
			revealed.expect("that is what it committed to");
		}
		chain.next_epoch();
		let record = chain.clear().expect("somebody serves");
		record.executors.contains(&NEWCOMER)
	})
}

/// What it brings to commit all of `ours` places and to break the dearest of them if that pays, once everybody else has
/// revealed, where the bond is `share` of what a place earns. Compared with revealing all, and with withholding blindly what
/// is best to withhold.
fn option(rng: &mut impl Rng, markets: u32, nodes: usize, ours: usize, share: f64) -> (Comparison, Comparison) {
	let (mut honest, mut blind) = (Comparison::default(), Comparison::default());
	for _ in 0..markets.max(1) {
		let market = Market::random(rng, nodes, ours);
		let unknown = vec![true; nodes];
		let imagined: Vec<_> = (0..IMAGINED).map(|_| market.imagined(rng, &unknown)).collect();
		let truth = market.income(&market.truth());
		let withheld = market.income(&market.keeping(market.best_to_keep(&imagined)));
		let best = (0..=ours)
			.map(|kept| market.income(&market.keeping(kept)) - share * bidders::place(&market) * (ours - kept) as f64)
			.fold(f64::MIN, f64::max);
		honest.add(truth, best);
		blind.add(withheld, best);
	}
	(honest, blind)
}
