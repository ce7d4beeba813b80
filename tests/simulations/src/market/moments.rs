//! Whoever touches an epoch first has it cleared: can it pick a moment that pays?

use super::{
	chain::{nodes, Chain, Record, MAKER, MODEL},
	months::{COST, JOBS, PRICE},
	table::{Bound, Comparison, Table},
	Size,
};
use highway_primitives::{market::AskRole, Balance, NodeId};
use rand::Rng;

/// Nodes that serve; node 0 is the attacker's.
const NODES: NodeId = 7;

/// Probability that a node is down in a block.
const DOWN: f64 = 0.25;

/// Asked by the maker at first: a quarter of it is more than the step that is always allowed.
const ROYALTY: Balance = PRICE;

pub(super) fn table(size: Size) -> Table {
	let mut table = Table::new(
		"moment",
		"Does it pay to choose the moment in which an epoch is cleared?",
	);
	// Enough for three standard errors to spare, as whoever is one of seven often earns nothing.
	let epochs = size.markets / 20;
	let as_built = chosen(&size, &table, epochs, true);
	table.estimate(
		"touches an epoch in the block that is best for it",
		as_built.gain(),
		"% of honest income",
		Bound::Nothing,
		"asks, eligibility and ties are as of the epoch's first block",
	);
	let on_touch = chosen(&size, &table, epochs, false);
	table.estimate(
		"the same, if eligibility were as of the touch (rejected)",
		on_touch.gain(),
		"% of honest income",
		Bound::RejectedRule,
		format!(
			"its rivals are down in one block of four: pays in {:.0} % of the epochs",
			on_touch.frequency()
		),
	);
	let (moved, step) = idle_clearings();
	table.exact(
		"clears a hundred epochs without a job: the reserve moves",
		moved,
		"%",
		Bound::promised(-step, step),
		"once, for the last epoch with jobs; then it stands",
	);
	let (early, late) = withdrawn();
	table.exact(
		"a rival withdraws before the first touch: the price moves",
		100.0 * (late as f64 / early as f64 - 1.0),
		"%",
		Bound::Nothing,
		"what was revealed holds until the epoch is over",
	);
	let (raised, steeper_refused) = royalty_due();
	table.exact(
		"a higher royalty falls due in mid-epoch: what the moment of the touch decides",
		raised,
		"% of the royalty",
		Bound::left_over(24.9, 25.1),
		"for what is left of that epoch: royalties are read at the touch, and rise by no more than a quarter",
	);
	table.require(steeper_refused);
	table
}

/// What node 0 earns of an epoch, per unit of all work.
fn income(record: Option<Record>, cost: Balance) -> f64 {
	let Some(record) = record.filter(|record| record.executors.contains(&0)) else {
		return 0.0;
	};
	(record.compute_price as f64 - cost as f64) / record.executors.len() as f64
}

/// Nodes go up and down from block to block. Compares the epoch's first block with the best one, for node 0.
fn chosen(size: &Size, table: &Table, epochs: u32, at_start: bool) -> Comparison {
	let mut rng = size.rng(table);
	Chain::run(|chain| {
		nodes::look_at_start(at_start);
		chain.join(NODES);
		chain.set_market(2 * PRICE, JOBS);
		let mut comparison = Comparison::default();
		let mut costs: Vec<Balance> = Vec::new();
		for _ in 0..epochs {
			costs.clear();
			// Equal ones are common: ties must not depend on the moment either.
			costs.extend((0..NODES).map(|_| COST + PRICE / 10 * Balance::from(rng.gen_range(0..6u32))));
			let asks: Vec<_> = (0..).zip(costs.iter().map(|cost| Some(*cost))).collect();
			chain.ask(AskRole::Compute, &asks);
			chain.next_epoch();
			let incomes = chain.imagine(|chain| {
				let mut incomes = Vec::new();
				for block in 0..chain.blocks() {
					chain.go_to_block(block);
					// Each node is there when asks begin to be opened and when the epoch begins, and its own always.
					if block > 0 {
						(1..NODES).for_each(|node| nodes::set_able(node, !rng.gen_bool(DOWN)));
					}
					incomes.push(income(chain.would_clear(), costs[0]));
				}
				incomes
			});
			let best = incomes.iter().copied().fold(0.0, f64::max);
			comparison.add(incomes[0], best);
		}
		comparison
	})
}

/// By how many percent the reserve moves if an epoch with too little to do is followed by a hundred without jobs, each of
/// which somebody clears; and what one step is.
fn idle_clearings() -> (f64, f64) {
	Chain::run(|chain| {
		chain.join(4);
		chain.set_market(PRICE, 1);
		chain.open_market(&[(0, COST), (1, COST), (2, COST), (3, COST)]);
		chain.clear().expect("somebody serves");
		chain.count_jobs(1);
		for _ in 0..100 {
			chain.next_epoch();
			chain.clear().expect("somebody serves");
		}
		let moved = 100.0 * (chain.reserve() as f64 / PRICE as f64 - 1.0);
		(moved, 100.0 / 511.0)
	})
}

/// The price of an epoch that is cleared at once, and of one in which a winner withdraws before it is cleared.
fn withdrawn() -> (Balance, Balance) {
	let price = |withdraws: bool| {
		Chain::run(|chain| {
			chain.join(4);
			chain.set_market(2 * PRICE, 1);
			chain.open_market(&[(0, COST), (1, COST + 1), (2, COST + 2), (3, PRICE)]);
			if withdraws {
				chain.ask(AskRole::Compute, &[(1, None)]);
			}
			chain.clear().expect("somebody serves").compute_price
		})
	};
	(price(false), price(true))
}

/// How much higher, in percent, the royalty of an epoch is that is cleared when a rise has fallen due in it, and not before; and
/// whether a rise by more was refused.
fn royalty_due() -> (f64, bool) {
	Chain::with_royalty(ROYALTY, |chain| {
		chain.join(1);
		chain.set_market(PRICE, JOBS);
		chain.open_market(&[(0, COST)]);
		let most = ROYALTY / 4 * 5;
		let steeper_refused = chain.set_royalty(MAKER, MODEL, most + 1).is_err();
		chain
			.set_royalty(MAKER, MODEL, most)
			.expect("a quarter is what it may rise by");
		// The notice is a block.
		let [early, late] = [0, 1].map(|block| -> Balance {
			chain.go_to_block(block);
			let record = chain.would_clear().expect("somebody serves");
			record.royalties.iter().map(|royalty| royalty.per_unit).sum()
		});
		(100.0 * (late as f64 / early as f64 - 1.0), steeper_refused)
	})
}
