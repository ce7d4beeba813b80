//! One operator who poses as many: each with a node, a bond and an ask of its own, on the hardware of one.
//!
//! Jobs go by free slots among those who have places. Nodes of one machine divide its slots, so they add none to what it
//! has in a draw; but each place that they take is one of somebody else, whose slots are no longer in it.

use super::{
	bidders::{compare, Market},
	chain::{
		nodes::{bond_of, set_hosting, set_slots, SimulatedNode},
		order, Chain, MAX_ASK, MODEL, PAYER,
	},
	months::{COST, JOBS, PRICE},
	table::{Bound, Comparison, Table},
	Size,
};
use highway_primitives::{market::AskRole, Balance, NodeId};
use pallet_revenue_split::MAX_ASKS;
use rand::Rng;
use std::ops::Range;

/// A machine in random markets.
struct Machine {
	/// Nodes that ask if it asks as one.
	nodes: usize,
	/// Places: three where there is little to do, whatever it is.
	places: u32,
	/// How many nodes more it may pose as.
	more: usize,
	/// How many times the share of a winner it can do.
	capacity: f64,
	/// What is stated of the gain.
	gain: Bound,
}

impl Machine {
	const fn new(nodes: usize, places: u32, more: usize, capacity: f64, gain: Bound) -> Self {
		Self {
			nodes,
			places,
			more,
			capacity,
			gain,
		}
	}
}

/// As much as a machine does for three, which is all that there is if there are three places.
const SPARE: f64 = 3.0;

/// Room for as much more as places are counted for, and no more.
const SCARCE: f64 = 1.25;

/// Whose gain is stated.
const MACHINES: [Machine; 6] = [
	Machine::new(4, 3, 1, SPARE, Bound::left_over(6.0, 12.0)),
	Machine::new(4, 3, 2, SPARE, Bound::left_over(13.5, 26.0)),
	Machine::new(8, 3, 2, SPARE, Bound::left_over(12.5, 30.5)),
	Machine::new(8, 3, 2, SCARCE, Bound::left_over(1.5, 4.7)),
	Machine::new(16, 8, 2, SPARE, Bound::left_over(4.2, 7.5)),
	Machine::new(64, 16, 2, SPARE, Bound::left_over(1.7, 3.9)),
];

/// Jobs of an epoch of a quiet model: few enough for three places, and for one machine.
const FEW: u32 = JOBS / 3;

/// Others in it.
const RIVALS: NodeId = 5;

/// Slots of each machine in it.
const SLOTS: u32 = 6;

/// Honest nodes beside a book full of Sybils.
const HONEST: u32 = 4;

pub(super) fn table(size: Size) -> Table {
	let mut table = Table::new("sybils", "Does one machine gain by posing as many nodes?");
	let (alone, posing) = (quiet(1), quiet(3));
	table.exact(
		format!("a quiet model, {RIVALS} others at 1.25 times the cost: 2 nodes more on one machine"),
		100.0 * (posing.income / alone.income - 1.0),
		"% of honest income",
		Bound::left_over(199.9, 200.1),
		"all jobs instead of a third of them; payers pay what they paid",
	);
	table.require(posing.price == alone.price && alone.price == PRICE as f64);
	for machine in MACHINES {
		let Machine {
			nodes,
			places,
			more,
			capacity,
			gain,
		} = machine;
		let mut rng = size.rng(&table);
		let mut prices = (0.0, 0.0);
		let found = compare(
			&mut rng,
			size.markets,
			|rng| Market {
				places,
				..Market::random(rng, nodes, 1)
			},
			|_, market| {
				let (honest, best) = (posing_as(market, 0, capacity), posing_as(market, more, capacity));
				prices = (prices.0 + honest.price, prices.1 + best.price);
				best.income
			},
		);
		table.estimate(
			format!("up to {more} nodes more on one of {nodes} machines; {places} places; it can do {capacity} shares"),
			found.gain(),
			"% of honest income",
			gain,
			format!(
				"pays in {:.1} % of the markets; payers pay {:.1} % less on average",
				found.frequency(),
				100.0 * (1.0 - prices.1 / prices.0)
			),
		);
		table.require(prices.1 <= prices.0);
	}
	let mut rng = size.rng(&table);
	let found = every_pair(&mut rng, size.markets / 20);
	table.estimate(
		"any other asks of two nodes of one machine, compared with the truth of one or two",
		found.gain(),
		"% of honest income",
		Bound::Nothing,
		"another ask never raises the price: what is gained are others' places",
	);
	let (found, winners) = full_book(0, false);
	table.exact(
		format!("{MAX_ASKS} asks of nothing keep all others out"),
		found,
		"% of the price",
		Bound::Nothing,
		format!("{winners} of {HONEST} honest nodes win; each Sybil bonds a node and an ask, and serves for nothing, or pays"),
	);
	table.require(winners == 0);
	for (case, prunes_first) in [
		(
			"all places at nothing, and gone in the epoch's first block: lost in an epoch",
			false,
		),
		(
			"the same, and its asks are pruned before anybody clears: lost in an epoch",
			true,
		),
	] {
		let (lost, winners) = absent(prunes_first);
		table.exact(
			case,
			lost,
			"% of what the model's nodes earn in one",
			Bound::promised(100.0, 100.1),
			format!("half burned, half treasury, once anybody calls `clear` and `prune`; {winners} of {HONEST} honest nodes win the next one"),
		);
		table.require(winners == HONEST as usize);
	}
	let (_, winners) = full_book(MAX_ASK, true);
	table.exact(
		format!("{MAX_ASKS} dear asks, to have all places before others come"),
		winners as f64,
		"honest winners",
		Bound::promised(f64::from(HONEST), f64::from(HONEST)),
		"a better ask takes the place of the worst",
	);
	table
}

/// What comes of a machine's asks.
#[derive(Clone, Copy, Default)]
struct Outcome {
	/// What it earns, if there is one unit of work.
	income: f64,
	/// What payers pay for it.
	price: f64,
}

/// The same market with `more` nodes more on the machine of the first one: together they are ours.
fn crowded(market: &Market, more: usize) -> Market {
	let own = market.costs[0];
	Market {
		costs: [vec![own; 1 + more], market.costs[1..].to_vec()].concat(),
		ours: 1 + more,
		..market.clone()
	}
}

/// What a machine earns if all our nodes are on it, of which those who win divide its slots: as many as each of the other
/// winners has. It does no more than `most` of the work. `None` if nobody wins.
fn of_one_machine(market: &Market, asks: &[Option<u128>], most: f64) -> Option<Outcome> {
	let cleared = market.clear(asks)?;
	let others = cleared.winners.iter().filter(|node| **node >= market.ours).count();
	let share = match others == cleared.winners.len() {
		true => 0.0,
		false => (1.0 / (1 + others) as f64).min(most),
	};
	let price = cleared.price as f64;
	Some(Outcome {
		income: (price - market.costs[0] as f64) * share,
		price,
	})
}

/// What part of the work a machine can do, if that is `capacity` times the share of a winner where it asks as one.
fn most_of(market: &Market, capacity: f64) -> f64 {
	let winners = market
		.clear(&market.truth())
		.map_or(market.places as usize, |cleared| cleared.winners.len());
	capacity / winners as f64
}

/// The best that comes of posing as up to `more` nodes more, of which each asks what its work costs: of equals, that of the
/// fewest.
fn posing_as(market: &Market, more: usize, capacity: f64) -> Outcome {
	let most = most_of(market, capacity);
	(0..=more)
		.filter_map(|more| {
			let crowd = crowded(market, more);
			of_one_machine(&crowd, &crowd.truth(), most)
		})
		.reduce(|best, next| if next.income > best.income { next } else { best })
		.unwrap_or_default()
}

/// The best of all pairs of asks of a machine that could make a difference, instead of one or two that say what its work costs.
fn every_pair(rng: &mut impl Rng, markets: u32) -> Comparison {
	let mut comparison = Comparison::default();
	for _ in 0..markets.max(1) {
		let nodes = rng.gen_range(3..=6);
		let market = Market::random(rng, nodes, 1);
		let (crowd, most) = (crowded(&market, 1), most_of(&market, SPARE));
		let mut best: f64 = 0.0;
		let mut asks = crowd.truth();
		for first in crowd.every_ask() {
			for second in crowd.every_ask() {
				(asks[0], asks[1]) = (first, second);
				best = best.max(of_one_machine(&crowd, &asks, most).unwrap_or_default().income);
			}
		}
		comparison.add(posing_as(&market, 1, SPARE).income.max(0.0), best);
	}
	comparison
}

/// What comes of a machine that poses as `nodes` nodes, in the market of a model that is asked for so little that one could do it
/// all. Its work costs less than that of all others, who cost the same.
fn quiet(nodes: u32) -> Outcome {
	Chain::run(|chain| {
		chain.join(nodes + RIVALS);
		chain.set_market(2 * PRICE, FEW);
		for node in 0..nodes + RIVALS {
			let on_its_machine = if node < nodes { nodes } else { 1 };
			set_slots(node, SLOTS / on_its_machine);
		}
		let ours = (0..nodes).map(|node| (node, COST));
		let rivals = (nodes..nodes + RIVALS).map(|node| (node, PRICE));
		chain.open_market(&ours.chain(rivals).collect::<Vec<_>>());
		let price = chain.clear().expect("somebody serves").compute_price as f64;
		let share = chain.share(&order(&PAYER, None, MODEL), 0..nodes);
		Outcome {
			income: (price - COST as f64) * share,
			price,
		}
	})
}

/// Fills the book with Sybils that ask `ask`; honest nodes ask what their work costs, in the same epoch or `later`. Returns
/// the price, in percent of the reserve, and how many honest nodes win.
fn full_book(ask: Balance, later: bool) -> (f64, usize) {
	Chain::run(|chain| {
		chain.join(MAX_ASKS + HONEST);
		chain.set_market(PRICE, JOBS);
		let asking = |nodes: Range<NodeId>, ask: Balance| -> Vec<(NodeId, Option<Balance>)> {
			nodes.map(|node| (node, Some(ask))).collect()
		};
		let sybils = asking(0..MAX_ASKS, ask);
		let honest = asking(MAX_ASKS..MAX_ASKS + HONEST, COST);
		if later {
			chain.ask(AskRole::Compute, &sybils);
			chain.next_epoch();
			chain.ask(AskRole::Compute, &honest);
		} else {
			chain.ask(AskRole::Compute, &[sybils, honest].concat());
		}
		chain.next_epoch();
		let record = chain.clear().expect("somebody asks no more than the reserve");
		let winners = record.executors.iter().filter(|node| **node >= MAX_ASKS).count();
		(100.0 * record.compute_price as f64 / PRICE as f64, winners)
	})
}

/// Sybils that ask nothing have all places of an epoch, stop hosting in its first block, and have their asks pruned before it is
/// cleared or not. Returns what they lose, in percent of what all places earned in the epoch before, and how many honest nodes
/// have a place in the next one.
fn absent(prunes_first: bool) -> (f64, usize) {
	Chain::run(|chain| {
		chain.join(MAX_ASKS);
		chain.set_market(PRICE, JOBS);
		let asking = |nodes: Range<NodeId>, ask: Balance| -> Vec<(NodeId, Option<Balance>)> {
			nodes.map(|node| (node, Some(ask))).collect()
		};
		// In a book that is never full nobody is displaced.
		let sybils = HONEST..2 * HONEST;
		chain.ask(AskRole::Compute, &asking(0..HONEST, COST));
		chain.next_epoch();
		let earned = chain.count_jobs(JOBS).compute * Balance::from(JOBS);
		chain.ask(AskRole::Compute, &asking(sybils.clone(), 0));
		chain.next_epoch();
		let record = chain.would_clear().expect("somebody asks no more than the reserve");
		let absent: Vec<NodeId> = record.executors.to_vec();
		assert!(
			absent.iter().all(|node| sybils.contains(node)),
			"the cheapest have the places"
		);
		absent.iter().for_each(|node| set_hosting(*node, false));
		if prunes_first {
			chain.prune();
		}
		let record = chain.clear().expect("asks hold for whole epochs");
		assert_eq!(record.executors.to_vec(), absent, "who has gone has won all the same");
		chain.prune();
		let lost: Balance = absent.iter().map(|node| SimulatedNode::BOND - bond_of(*node)).sum();
		absent.iter().for_each(|node| set_hosting(*node, true));
		chain.next_epoch();
		let record = chain.clear().expect("honest nodes are there");
		let honest = record.executors.iter().filter(|node| **node < HONEST).count();
		(100.0 * lost as f64 / earned as f64, honest)
	})
}
