//! Random markets of one epoch, and what somebody with places in them earns. Prices come from `highway_math::auction`.

use super::table::Comparison;
use highway_math::auction;
use rand::Rng;

/// Costs lie from half to one and a half of it, so that steps of a unit are nothing.
pub const MIDDLE: u128 = 1_000_000;

/// A market as whoever holds the first few of its places meets it. All others ask what their work costs.
#[derive(Clone, Debug)]
pub struct Market {
	/// What a unit of work costs each node: ours first.
	pub costs: Vec<u128>,
	/// How many nodes are ours.
	pub ours: usize,
	/// How many places there are.
	pub places: u32,
	/// Nobody is paid more.
	pub reserve: u128,
}

/// The cost of a node's work.
pub fn cost(rng: &mut impl Rng) -> u128 {
	rng.gen_range(MIDDLE / 2..MIDDLE * 3 / 2)
}

impl Market {
	/// `nodes` with costs of their own, of which the first `ours` are in one hand; two or more places, of which some may
	/// stay empty; a reserve that turns up to half of the nodes away.
	pub fn random(rng: &mut impl Rng, nodes: usize, ours: usize) -> Self {
		let nodes = nodes.max(2);
		Self {
			costs: (0..nodes).map(|_| cost(rng)).collect(),
			ours,
			places: rng.gen_range(2..=nodes as u32),
			reserve: rng.gen_range(MIDDLE..2 * MIDDLE),
		}
	}

	/// What everybody asks who tells the truth.
	pub fn truth(&self) -> Vec<Option<u128>> {
		self.costs.iter().copied().map(Some).collect()
	}

	/// Our nodes, those with the lowest costs first.
	pub fn ours_by_cost(&self) -> Vec<usize> {
		let mut ours: Vec<usize> = (0..self.ours).collect();
		ours.sort_by_key(|node| self.costs[*node]);
		ours
	}

	/// The asks if only the `kept` cheapest of our nodes ask.
	pub fn keeping(&self, kept: usize) -> Vec<Option<u128>> {
		let mut asks = self.truth();
		for node in self.ours_by_cost().into_iter().skip(kept) {
			asks[node] = None;
		}
		asks
	}

	/// Price and winners.
	pub fn clear(&self, asks: &[Option<u128>]) -> Option<auction::Auction<usize>> {
		let asks: Vec<(usize, u128)> = asks
			.iter()
			.enumerate()
			.filter_map(|(node, ask)| Some((node, (*ask)?)))
			.collect();
		// Equal asks are rare: which of them wins does not matter here.
		auction::clear(&asks, self.places, Some(self.reserve), |node| node)
	}

	/// What we earn if one unit of work is divided among the winners.
	pub fn income(&self, asks: &[Option<u128>]) -> f64 {
		let Some(cleared) = self.clear(asks) else {
			return 0.0;
		};
		let ours = cleared.winners.iter().filter(|node| **node < self.ours);
		let earned: f64 = ours.map(|node| cleared.price as f64 - self.costs[*node] as f64).sum();
		earned / cleared.winners.len() as f64
	}

	/// How many of our nodes to keep in the market for the most income over `markets`, which differ in the others' costs.
	pub fn best_to_keep(&self, markets: &[Self]) -> usize {
		let income = |kept: usize| -> f64 { markets.iter().map(|market| market.income(&market.keeping(kept))).sum() };
		// Of equals the most places: nobody withholds for nothing.
		(0..=self.ours)
			.rev()
			.map(|kept| (kept, income(kept)))
			.fold(
				(self.ours, f64::MIN),
				|best, next| if next.1 > best.1 { next } else { best },
			)
			.0
	}

	/// The same market, with costs drawn anew where they are `unknown`. We know our own.
	pub fn imagined(&self, rng: &mut impl Rng, unknown: &[bool]) -> Self {
		let mut market = self.clone();
		for (cost_of, unknown) in market.costs.iter_mut().zip(unknown).skip(self.ours) {
			if *unknown {
				*cost_of = cost(rng);
			}
		}
		market
	}

	/// Every ask that could make a difference, and staying away: each cost and the reserve, met, undercut and exceeded.
	pub fn every_ask(&self) -> Vec<Option<u128>> {
		let edges = self.costs.iter().chain([&self.reserve]);
		let around = edges.flat_map(|edge| [edge.saturating_sub(1), *edge, edge.saturating_add(1)]);
		around.chain([0]).map(Some).chain([None]).collect()
	}
}

/// What a place earns in the market, costs not taken off, if everybody tells the truth.
pub fn place(market: &Market) -> f64 {
	let cleared = market.clear(&market.truth());
	cleared.map_or(0.0, |cleared| cleared.price as f64 / cleared.winners.len() as f64)
}

/// What is gained in random markets by an attack: the income with it, found by `attack`, and the honest one.
pub fn compare<R: Rng>(
	rng: &mut R,
	markets: u32,
	mut draw: impl FnMut(&mut R) -> Market,
	mut attack: impl FnMut(&mut R, &Market) -> f64,
) -> Comparison {
	let mut comparison = Comparison::default();
	for _ in 0..markets {
		let market = draw(rng);
		let honest = market.income(&market.truth());
		let attacked = attack(rng, &market);
		comparison.add(honest, attacked);
	}
	comparison
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Costs of 10, 20, 30 and 40; the first two are ours.
	fn market(places: u32, reserve: u128) -> Market {
		Market {
			costs: vec![20, 10, 30, 40],
			ours: 2,
			places,
			reserve,
		}
	}

	#[test]
	fn an_income_should_be_the_winners_part_of_the_work() {
		let market = market(3, 100);
		// Three winners at 40.
		assert!((market.income(&market.truth()) - (20.0 + 30.0) / 3.0).abs() < 1e-9);
		// Three winners at the reserve.
		assert!((market.income(&market.keeping(1)) - 90.0 / 3.0).abs() < 1e-9);
		assert_eq!(market.income(&market.keeping(0)), 0.0);
	}

	#[test]
	fn the_dearer_place_should_be_withheld_if_any() {
		let market = market(3, 100);
		assert_eq!(market.keeping(1), vec![None, Some(10), Some(30), Some(40)]);
		assert_eq!(market.best_to_keep(std::slice::from_ref(&market)), 1);
		let full = Market { places: 4, ..market };
		assert_eq!(full.best_to_keep(std::slice::from_ref(&full)), 2);
	}
}
