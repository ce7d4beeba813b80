//! One operator who poses as many: each with a node, a bond and an ask of its own, on the hardware of one.

use super::{
	bidders::{compare, Market},
	chain::{
		nodes::{bond_of, set_hosting, SimulatedNode},
		Chain, MAX_ASK,
	},
	months::{COST, JOBS, PRICE},
	table::{Bound, Table},
	Size,
};
use highway_primitives::{market::AskRole, Balance, NodeId};
use pallet_revenue_split::MAX_ASKS;
use std::ops::Range;

/// Nodes of others in the random markets, and the one node that is real.
const NODES: usize = 8;

/// Honest nodes beside a book full of Sybils.
const HONEST: u32 = 4;

pub(super) fn table(size: Size) -> Table {
	let mut table = Table::new("sybils", "Does one machine gain by posing as many nodes?");
	for sybils in [1, 3, 9] {
		let mut rng = size.rng(&table);
		let found = compare(
			&mut rng,
			size.markets / 4,
			|rng| Market::random(rng, NODES, 1),
			|_, market| with_sybils(market, sybils),
		);
		table.estimate(
			format!("{sybils} more asks, whatever they say, work of one machine"),
			found.gain(),
			"% of honest income",
			Bound::Nothing,
			"another ask never raises the price, and probes sell no slot twice",
		);
	}
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

/// The most that a bidder earns if `sybils` nodes more, all of them on its machine, ask anything that could make a
/// difference. Together they do no more work than it could do alone.
fn with_sybils(market: &Market, sybils: usize) -> f64 {
	let shares = match market.clear(&market.truth()) {
		Some(cleared) if cleared.winners.contains(&0) => cleared.winners.len(),
		_ => market.places as usize,
	};
	let own = market.costs[0];
	let crowd = Market {
		costs: [vec![own; 1 + sybils], market.costs[1..].to_vec()].concat(),
		ours: 1 + sybils,
		..market.clone()
	};
	let mut best = market.income(&market.truth());
	for ask in market.every_ask() {
		let mut asks = crowd.truth();
		asks[1..crowd.ours].fill(ask);
		let Some(cleared) = crowd.clear(&asks) else {
			continue;
		};
		let won = cleared.winners.iter().filter(|node| **node < crowd.ours).count();
		let margin = cleared.price as f64 - own as f64;
		// Of all work no more than one share.
		let earned = match won * shares >= cleared.winners.len() {
			true => margin / shares as f64,
			false => margin * won as f64 / cleared.winners.len() as f64,
		};
		best = best.max(earned);
	}
	best
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
