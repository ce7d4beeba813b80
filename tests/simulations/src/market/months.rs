//! One model's market on the chain, epoch by epoch.

use super::chain::{Chain, MONTH};
use highway_primitives::{market::AskRole, Balance, NodeId, AIC};
use std::collections::BTreeMap;

/// What a unit of work is paid at first: a hundredth of an AIC.
pub const PRICE: Balance = AIC / 100;

/// What a unit of work costs a node.
pub const COST: Balance = PRICE / 10 * 8;

/// Jobs of an epoch, if nothing else is said: four places, three quarters in use.
pub const JOBS: u32 = 900;

/// Asked by whoever wants not to be paid.
pub const FAR_ABOVE: Balance = 1_000 * AIC;

/// What a node asks from the next epoch on; `None`: nothing.
pub type Asked = (NodeId, Option<Balance>);

/// Who does what in which epoch, counted from 0.
pub struct Month<'a> {
	/// Reserve and jobs per epoch of a market that has been there for long; `None`: nobody has bought anything yet.
	pub before: Option<(Balance, u32)>,
	/// How many epochs are played.
	pub epochs: u32,
	/// What nodes ask when the last reserve was this one. What does not change need not be said again.
	pub asks: &'a dyn Fn(u32, Balance) -> Vec<Asked>,
	/// How many jobs come at this price.
	pub jobs: &'a dyn Fn(u32, Balance) -> u32,
	/// How many jobs more node 0 pays for.
	pub wash: &'a dyn Fn(u32) -> u32,
}

/// Nobody asks for anything.
const NOBODY: &dyn Fn(u32, Balance) -> Vec<Asked> = &|_, _| Vec::new();

/// [`JOBS`] in each epoch, whatever they cost.
const STEADY: &dyn Fn(u32, Balance) -> u32 = &|_, _| JOBS;

/// No wash jobs.
const NONE: &dyn Fn(u32) -> u32 = &|_| 0;

impl Default for Month<'_> {
	fn default() -> Self {
		Self {
			before: Some((PRICE, JOBS)),
			epochs: MONTH,
			asks: NOBODY,
			jobs: STEADY,
			wash: NONE,
		}
	}
}

/// What came of a month.
#[derive(Default)]
pub struct Played {
	/// Epoch by epoch: the reserve, and the price, if somebody served.
	pub epochs: Vec<(Balance, Option<Balance>)>,
	/// What each node earned beyond [`COST`], epoch by epoch.
	pub incomes: BTreeMap<NodeId, Vec<f64>>,
}

impl Played {
	/// What the nodes earned together.
	pub fn income(&self, nodes: impl IntoIterator<Item = NodeId>) -> f64 {
		nodes
			.into_iter()
			.filter_map(|node| self.incomes.get(&node))
			.flatten()
			.sum()
	}

	/// Epochs in which nobody served.
	pub fn starved(&self) -> usize {
		self.epochs.iter().filter(|(_, price)| price.is_none()).count()
	}

	/// The last reserve.
	pub fn reserve(&self) -> Balance {
		self.epochs.last().map_or(0, |(reserve, _)| *reserve)
	}

	/// The highest price that was paid.
	pub fn highest_price(&self) -> Balance {
		self.epochs
			.iter()
			.filter_map(|(_, price)| *price)
			.max()
			.unwrap_or_default()
	}

	/// The price that was paid, on average over the epochs in which somebody served.
	pub fn mean_price(&self) -> f64 {
		let prices: Vec<f64> = self
			.epochs
			.iter()
			.filter_map(|(_, price)| Some((*price)? as f64))
			.collect();
		prices.iter().sum::<f64>() / prices.len() as f64
	}

	/// The first epoch from `from` on whose reserve is at least this, counted from there.
	pub fn until_reserve(&self, from: usize, least: Balance) -> Option<usize> {
		self.epochs.iter().skip(from).position(|(reserve, _)| *reserve >= least)
	}
}

impl Month<'_> {
	/// Plays it with `nodes` nodes, of which each can do any work that it gets.
	pub fn play(&self, nodes: u32) -> Played {
		Chain::run(|chain| {
			chain.join(nodes);
			if let Some((reserve, jobs)) = self.before {
				chain.set_market(reserve, jobs);
			}
			let mut played = Played::default();
			let mut standing = BTreeMap::new();
			for epoch in 0..self.epochs {
				let mut asks = (self.asks)(epoch, chain.reserve());
				asks.retain(|(node, ask)| standing.insert(*node, *ask).unwrap_or_default() != *ask);
				if !asks.is_empty() {
					chain.ask(AskRole::Compute, &asks);
				}
				chain.next_epoch();
				self.play_epoch(chain, epoch, &mut played);
			}
			played
		})
	}

	fn play_epoch(&self, chain: &mut Chain, epoch: u32, played: &mut Played) {
		let record = chain.clear();
		played
			.epochs
			.push((chain.reserve(), record.as_ref().map(|record| record.compute_price)));
		let Some(record) = record else {
			return;
		};
		let (jobs, wash) = ((self.jobs)(epoch, record.compute_price), (self.wash)(epoch));
		if jobs + wash == 0 {
			return;
		}
		let deal = chain.count_jobs(jobs + wash);
		let margin = record.compute_price as f64 - COST as f64;
		let share = f64::from(jobs + wash) / record.executors.len() as f64;
		for node in &record.executors {
			played.pay(*node, epoch, margin * share);
		}
		// All of the price, royalties apart: there are none.
		played.pay(0, epoch, -(deal.price as f64) * f64::from(wash));
	}
}

impl Played {
	fn pay(&mut self, node: NodeId, epoch: u32, amount: f64) {
		let incomes = self.incomes.entry(node).or_default();
		incomes.resize(incomes.len().max(epoch as usize + 1), 0.0);
		incomes[epoch as usize] += amount;
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_honest_month_should_pay_every_node_alike_and_move_nothing() {
		let asks = |_: u32, _: Balance| -> Vec<Asked> { (0..4).map(|node| (node, Some(COST))).collect() };
		let month = Month {
			epochs: 50,
			asks: &asks,
			..Default::default()
		};
		let played = month.play(4);
		assert_eq!((played.starved(), played.epochs.len()), (0, 50));
		assert!(played.epochs.iter().all(|epoch| *epoch == (PRICE, Some(PRICE))));
		let each = 50.0 * f64::from(JOBS) / 4.0 * (PRICE - COST) as f64;
		for node in 0..4 {
			assert!((played.income([node]) / each - 1.0).abs() < 1e-9);
		}
	}

	#[test]
	fn a_month_should_starve_while_everybody_asks_too_much() {
		let asks = |_: u32, _: Balance| -> Vec<Asked> { vec![(0, Some(2 * PRICE))] };
		let month = Month {
			epochs: 10,
			asks: &asks,
			..Default::default()
		};
		let played = month.play(1);
		// Times 9/8 six times.
		assert_eq!(played.starved(), 6);
		assert_eq!(played.until_reserve(0, 2 * PRICE), Some(5));
	}
}
