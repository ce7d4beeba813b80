//! Looking before asking: what commit and reveal takes from whoever would, compared with asks that are posted openly.
//!
//! An ask that stands is public under either rule. What is sealed is what changes: so the figures are for a bidder who knows
//! none, half or all of the others' asks.
//!
//! And looking after asking: when all asks are revealed, an ask can be taken out no more. A node could still do what makes it
//! unable to serve in the one block in which the epoch begins, or not be able when asks begin to be opened, and come if it likes
//! what it sees.

use super::{
	bidders::{compare, cost, Market},
	chain::{
		nodes::{bind_by_pledges, bond_of, set_hosting, SimulatedNode},
		Chain,
	},
	months::{COST, JOBS, PRICE},
	table::{Bound, Comparison, Estimate, Table},
	withholding::most_of_one_place,
	Size,
};
use highway_primitives::{market::AskRole, Balance, NodeId};
use rand::Rng;

/// Nodes of the markets.
const NODES: usize = 6;

/// Markets that a bidder imagines where it does not know.
const IMAGINED: usize = 60;

/// Nodes of a market on the chain that is in demand for four places, of which the first two are in one hand.
const HOSTS: NodeId = 6;

/// Which of those two stop hosting when they have looked.
const GONE: [&[NodeId]; 4] = [&[], &[0], &[1], &[0, 1]];

pub(super) fn table(size: Size) -> Table {
	let mut table = Table::new("looking", "What is gained by seeing what others ask, before one asks?");
	let mut rng = size.rng(&table);
	let one = compare(
		&mut rng,
		size.markets,
		|rng| Market::random(rng, NODES, 1),
		|_, market| most_of_one_place(market),
	);
	table.estimate(
		"one place: asks whatever is best, and sees everything",
		one.gain(),
		"% of honest income",
		Bound::Nothing,
		"nothing to be seen helps it",
	);
	let mut rng = size.rng(&table);
	let TwoPlaces { gains, by_looking } = two_places(&mut rng, size.markets / 2);
	for (found, (case, least, most)) in gains.into_iter().zip([
		("two places: all others' asks are sealed", 2.5, 14.0),
		("two places: half of the others' asks stand", 3.0, 15.0),
		("two places: everything is open", 6.0, 17.0),
	]) {
		let note = format!("withholds with gain in {:.1} % of the markets", found.frequency());
		table.estimate(
			case,
			found.gain(),
			"% of honest income",
			Bound::left_over(least, most),
			note,
		);
	}
	table.estimate(
		"two places: what open asks bring more than sealed ones (rejected)",
		by_looking.gain(),
		"% of income under the seal",
		Bound::RejectedRule,
		"what the seal takes away",
	);
	for (open, case, own, harm) in [
		(
			true,
			"a loser undercuts to hurt the winners, and sees everything",
			Bound::promised(0.0, 0.0),
			(25.0, 60.0),
		),
		(
			false,
			"the same under the seal",
			Bound::promised(-14.0, -3.0),
			(5.0, 25.0),
		),
	] {
		let mut rng = size.rng(&table);
		let (cost, harmed) = spite(&mut rng, size.markets / 2, open);
		table.estimate(
			case,
			cost,
			"% of the winners' income, its own",
			own,
			format!("takes {harmed:.1} % of it from them"),
		);
		table.require((harm.0..harm.1).contains(&harmed));
	}
	for (binds, case, bound, note) in [
		(
			true,
			"two places: looks, and stops hosting while the next epoch begins, if that is best",
			Bound::Nothing,
			"who could serve when asks began to be opened is in the price",
		),
		(
			false,
			"the same, if only the epoch's first block counted (rejected)",
			Bound::RejectedRule,
			"withholds with its eyes open, for nothing",
		),
	] {
		let found = after_a_look(size, &table, binds);
		table.estimate(case, found.gain(), "% of honest income", bound, note);
		table.require((found.frequency() > 0.0) != binds);
	}
	let (lost, place) = let_down();
	table.exact(
		"one place: does so all the same, and loses",
		100.0 * lost as f64 / place as f64,
		"% of what it earned",
		Bound::promised(100.0, 100.1),
		"half burned, half treasury, once anybody calls `clear` and `prune`; and the ask",
	);
	for (binds, case, bound, note) in [
		(
			true,
			"two places: not there when asks begin to be opened, looks, and comes if that is best",
			Bound::Nothing,
			"who comes then counts an epoch later",
		),
		(
			false,
			"comes if that is best, if only the epoch's first block counted (rejected)",
			Bound::RejectedRule,
			"withholds with its eyes open, for nothing",
		),
	] {
		let found = coming_after_a_look(size, &table, binds);
		table.estimate(case, found.gain(), "% of what coming earns", bound, note);
		table.require((found.frequency() > 0.0) != binds);
	}
	table
}

/// Two of six nodes of a market on the chain look when all asks are revealed. Then some of them stop hosting until the next epoch
/// has begun, and are pruned before it does or not, whatever is best; or none of them. Compared with none.
fn after_a_look(size: Size, table: &Table, binds: bool) -> Comparison {
	let mut rng = size.rng(table);
	Chain::run(|chain| {
		bind_by_pledges(binds);
		chain.join(HOSTS);
		chain.set_market(2 * PRICE, JOBS);
		let mut comparison = Comparison::default();
		for _ in 0..size.markets / 10 {
			let costs: Vec<Balance> = (0..HOSTS)
				.map(|_| PRICE / 1_000 * Balance::from(rng.gen_range(500..1_500u32)))
				.collect();
			let asks: Vec<_> = (0..).zip(&costs).map(|(node, cost)| (node, Some(*cost))).collect();
			chain.ask(AskRole::Compute, &asks);
			let honest = without(chain, &costs, &[], false);
			let mut best = honest;
			for gone in GONE {
				for prunes in [false, true] {
					best = best.max(without(chain, &costs, gone, prunes));
				}
			}
			comparison.add(honest, best);
			chain.next_epoch();
			chain.count_jobs(JOBS);
		}
		comparison
	})
}

/// What the first two nodes earn of the next epoch's jobs, what they lose taken off, if those that have `gone` stop hosting now and
/// host again in its first block. They may do all jobs of their places: nobody looks before the epoch is over.
fn without(chain: &mut Chain, costs: &[Balance], gone: &[NodeId], prunes: bool) -> f64 {
	chain.imagine(|chain| {
		let bonds = || bond_of(0) + bond_of(1);
		let before = bonds();
		gone.iter().for_each(|node| set_hosting(*node, false));
		if prunes {
			chain.prune();
		}
		chain.next_epoch();
		gone.iter().for_each(|node| set_hosting(*node, true));
		let earned = earned_by_two(chain, costs);
		chain.prune();
		earned - (before - bonds()) as f64
	})
}

/// What the first two nodes earn of this epoch's jobs.
fn earned_by_two(chain: &mut Chain, costs: &[Balance]) -> f64 {
	let record = chain.clear().expect("the others serve");
	let each = f64::from(JOBS) / record.executors.len() as f64;
	(0..2)
		.filter(|node| record.executors.contains(node))
		.map(|node| (record.compute_price as f64 - costs[node as usize] as f64) * each)
		.sum()
}

/// Some of two of six nodes, whose asks stand, do not host when the asks of others begin to be opened, and do so after a look, or
/// not, whatever is best. Compared with doing so in any case.
fn coming_after_a_look(size: Size, table: &Table, binds: bool) -> Comparison {
	let mut rng = size.rng(table);
	Chain::run(|chain| {
		bind_by_pledges(binds);
		chain.join(HOSTS);
		chain.set_market(2 * PRICE, JOBS);
		let mut comparison = Comparison::default();
		for _ in 0..size.markets / 10 {
			let costs: Vec<Balance> = (0..HOSTS)
				.map(|_| PRICE / 1_000 * Balance::from(rng.gen_range(500..1_500u32)))
				.collect();
			let asks: Vec<_> = (0..).zip(&costs).map(|(node, cost)| (node, Some(*cost))).collect();
			chain.ask(AskRole::Compute, &asks);
			chain.next_epoch();
			chain.count_jobs(JOBS);
			for away in GONE.iter().filter(|away| !away.is_empty()) {
				let [comes, stays_away] = [true, false].map(|comes| coming(chain, &costs, away, comes));
				comparison.add(comes, comes.max(stays_away));
			}
		}
		comparison
	})
}

/// What the first two nodes earn of the next epoch's jobs, if those that are `away` when asks begin to be opened host again after a
/// look, or only when the epoch has begun.
fn coming(chain: &mut Chain, costs: &[Balance], away: &[NodeId], comes: bool) -> f64 {
	chain.imagine(|chain| {
		away.iter().for_each(|node| set_hosting(*node, false));
		chain.go_to_reveals();
		if comes {
			away.iter().for_each(|node| set_hosting(*node, true));
		}
		chain.next_epoch();
		away.iter().for_each(|node| set_hosting(*node, true));
		earned_by_two(chain, costs)
	})
}

/// What a node with a place loses that stops hosting after a look and is back in the epoch's first block, and what a place earned
/// in the epoch before.
fn let_down() -> (Balance, Balance) {
	Chain::run(|chain| {
		chain.join(4);
		chain.set_market(PRICE, JOBS);
		let asks: Vec<_> = (0..4).map(|node| (node, COST)).collect();
		chain.open_market(&asks);
		let record = chain.clear().expect("four serve");
		chain.count_jobs(JOBS);
		chain.go_to_reveals();
		set_hosting(0, false);
		chain.next_epoch();
		set_hosting(0, true);
		chain.clear().expect("four serve");
		chain.prune();
		let place = record.compute_price * Balance::from(JOBS) / record.executors.len() as Balance;
		(SimulatedNode::BOND - bond_of(0), place)
	})
}

/// What two places in one hand gain.
struct TwoPlaces {
	/// Compared with the truth, if it knows none of the others' asks, half of them, all.
	gains: [Comparison; 3],
	/// If it knows all, compared with knowing none.
	by_looking: Comparison,
}

/// A bidder with two places that withholds what is best to withhold, as far as it can tell.
fn two_places(rng: &mut impl Rng, markets: u32) -> TwoPlaces {
	let mut found = TwoPlaces {
		gains: [Comparison::default(); 3],
		by_looking: Comparison::default(),
	};
	for _ in 0..markets.max(1) {
		let market = Market::random(rng, NODES, 2);
		let truth = market.income(&market.truth());
		let incomes = [0.0, 0.5, 1.0].map(|known| {
			let unknown: Vec<bool> = (0..NODES).map(|_| !rng.gen_bool(known)).collect();
			let imagined: Vec<_> = match unknown.contains(&true) {
				true => (0..IMAGINED).map(|_| market.imagined(rng, &unknown)).collect(),
				false => vec![market.clone()],
			};
			market.income(&market.keeping(market.best_to_keep(&imagined)))
		});
		for (gain, income) in found.gains.iter_mut().zip(incomes) {
			gain.add(truth, income);
		}
		found.by_looking.add(incomes[0], incomes[2]);
	}
	found
}

/// The dearest node, which loses, asks less than its work costs so that the winners are paid less: just more than the
/// dearest of them asks, if it sees that; else what the last place goes for in half of the markets that it can imagine. What
/// it earns by it, and what the winners lose, both in percent of what these earn if it tells the truth.
fn spite(rng: &mut impl Rng, markets: u32, open: bool) -> (Estimate, f64) {
	// Both against the income of the winners: the spiteful one's own, and theirs.
	let (mut own, mut theirs) = (Comparison::default(), Comparison::default());
	while own.markets() < f64::from(markets.max(1)) {
		let mut market = Market::random(rng, NODES, 1);
		// Node 0 is the dearest.
		market.costs.sort_unstable_by(|one, other| other.cmp(one));
		let truth = market
			.clear(&market.truth())
			.filter(|cleared| !cleared.winners.contains(&0) && cleared.winners.len() == market.places as usize);
		let Some(truth) = truth else {
			continue;
		};
		let earned = |price: u128, node: &usize| price as f64 - market.costs[*node] as f64;
		let honest: f64 = truth.winners.iter().map(|node| earned(truth.price, node)).sum();
		let ask = match open {
			true => {
				truth
					.winners
					.iter()
					.map(|node| market.costs[*node])
					.max()
					.unwrap_or_default()
					+ 1
			}
			false => usual_last_ask(rng, market.places).min(market.costs[0]),
		};
		let mut asks = market.truth();
		asks[0] = Some(ask);
		let Some(hurt) = market.clear(&asks) else {
			continue;
		};
		let still = truth.winners.iter().filter(|node| hurt.winners.contains(node));
		let left: f64 = still.map(|node| earned(hurt.price, node)).sum();
		let gained = if hurt.winners.contains(&0) {
			earned(hurt.price, &0)
		} else {
			0.0
		};
		own.add(honest, honest + gained);
		theirs.add(honest, left);
	}
	(own.gain(), -theirs.gain().value)
}

/// What the last of so many places goes for in half of all markets.
fn usual_last_ask(rng: &mut impl Rng, places: u32) -> u128 {
	let mut lasts: Vec<u128> = (0..IMAGINED)
		.map(|_| {
			let mut asks: Vec<u128> = (1..NODES).map(|_| cost(rng)).collect();
			asks.sort_unstable();
			asks[(places as usize).min(NODES - 1) - 1]
		})
		.collect();
	lasts.sort_unstable();
	lasts[IMAGINED / 2]
}
