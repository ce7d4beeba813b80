//! Several places in one hand: whoever withholds one has the others paid better.

use super::{
	bidders::{compare, Market},
	table::{Bound, Comparison, Table},
	Size,
};
use rand::Rng;
use std::ops::RangeInclusive;

/// Nodes in the market, how many of them are ours, what is stated of the gain, and in how many of 100 markets there is one.
const HANDS: [(usize, usize, Bound, RangeInclusive<f64>); 6] = [
	(4, 2, Bound::left_over(12.0, 27.0), 34.0..=44.0),
	(8, 2, Bound::left_over(4.0, 11.0), 17.0..=25.0),
	(16, 2, Bound::left_over(1.2, 4.5), 8.0..=14.0),
	(64, 2, Bound::left_over(0.02, 0.8), 1.4..=4.5),
	(16, 4, Bound::left_over(6.0, 16.0), 34.0..=44.0),
	(16, 8, Bound::left_over(26.0, 48.0), 78.0..=86.0),
];

/// What is withheld in each market is the best for it: others' asks stand and are known.
pub(super) fn table(size: Size) -> Table {
	let mut table = Table::new(
		"withholding",
		"Does a bidder with several places gain by leaving some of them empty?",
	);
	for (nodes, ours, gain, frequency) in HANDS {
		let mut rng = size.rng(&table);
		let mut prices = (0.0, 0.0);
		let found = compare(
			&mut rng,
			size.markets,
			|rng| Market::random(rng, nodes, ours),
			|_, market| {
				let kept = market.best_to_keep(std::slice::from_ref(market));
				let price = |kept| {
					market
						.clear(&market.keeping(kept))
						.map_or(0.0, |cleared| cleared.price as f64)
				};
				prices = (prices.0 + price(ours), prices.1 + price(kept));
				market.income(&market.keeping(kept))
			},
		);
		let note = format!(
			"pays in {:.1} % of the markets; payers pay {:.1} % more on average",
			found.frequency(),
			100.0 * (prices.1 / prices.0 - 1.0)
		);
		let case = format!("{ours} of {nodes} nodes");
		table.estimate(case, found.gain(), "% of honest income", gain, note);
		table.require(frequency.contains(&found.frequency()));
	}
	let mut rng = size.rng(&table);
	let found = every_pair(&mut rng, size.markets / 20);
	table.estimate(
		"any other two asks, compared with the best withholding",
		found.gain(),
		"% of honest income",
		Bound::Nothing,
		"a dearer ask, a lower one or a tie does no more than staying away",
	);
	let mut rng = size.rng(&table);
	let found = compare(
		&mut rng,
		size.markets,
		|rng| {
			let nodes = rng.gen_range(3..=12);
			Market::random(rng, nodes, 1)
		},
		|_, market| most_of_one_place(market),
	);
	table.estimate(
		"one place: the best of all asks, or none",
		found.gain(),
		"% of honest income",
		Bound::Nothing,
		"truth is a dominant strategy",
	);
	table
}

/// The most that the first of our nodes earns by any ask, the others asking the truth.
pub(super) fn most_of_one_place(market: &Market) -> f64 {
	let mut asks = market.truth();
	let incomes = market.every_ask().into_iter().map(|ask| {
		asks[0] = ask;
		market.income(&asks)
	});
	incomes.fold(0.0, f64::max)
}

/// The best of all pairs of asks that could make a difference, instead of the best withholding.
fn every_pair(rng: &mut impl Rng, markets: u32) -> Comparison {
	let mut comparison = Comparison::default();
	for _ in 0..markets.max(1) {
		let nodes = rng.gen_range(3..=6);
		let market = Market::random(rng, nodes, 2);
		let kept = market.best_to_keep(std::slice::from_ref(&market));
		let withheld = market.income(&market.keeping(kept));
		let mut best: f64 = 0.0;
		let mut asks = market.truth();
		for first in market.every_ask() {
			for second in market.every_ask() {
				(asks[0], asks[1]) = (first, second);
				best = best.max(market.income(&asks));
			}
		}
		comparison.add(withheld, best);
	}
	comparison
}
