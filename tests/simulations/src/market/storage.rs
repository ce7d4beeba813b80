//! Storage: how dear it gets where few offer it, and whether its bound can be raised through compute.

use super::{
	chain::{Chain, MAX_ASK, MONTH},
	months::{COST, JOBS, PRICE},
	table::{Bound, Table},
	Size,
};
use highway_primitives::{market::AskRole, Balance, NodeId};

/// What a MiB costs whoever stores it.
const STORAGE_COST: Balance = PRICE / 100;

/// Nodes that run the model beside ours, at 82, 84, 86 and 88 percent of the reserve: for four places, with ours, one too
/// many.
const RIVALS: NodeId = 4;

/// What came of an epoch in which node 0 offers both.
struct Found {
	compute: Balance,
	/// `None`: the role is empty.
	storage: Option<Balance>,
	/// What a job costs in all.
	job: Balance,
	/// What node 0 earns in the epoch beyond what its work costs.
	income: f64,
}

/// An epoch in which node 0 asks `compute` for running the model and `storage` for storing it, if anything, and `others`
/// offer storage at cost.
fn epoch(compute: Balance, storage: Option<Balance>, others: u32) -> Found {
	Chain::run(|chain| {
		chain.join(1 + RIVALS + others);
		chain.set_market(PRICE, JOBS);
		let rivals = (1..=RIVALS).map(|node| (node, Some(COST + PRICE / 50 * Balance::from(node))));
		let asks: Vec<_> = [(0, Some(compute))].into_iter().chain(rivals).collect();
		chain.ask(AskRole::Compute, &asks);
		let others = (1 + RIVALS..1 + RIVALS + others).map(|node| (node, Some(STORAGE_COST)));
		let own = storage.map(|ask| (0, Some(ask)));
		let offers: Vec<_> = own.into_iter().chain(others).collect();
		chain.ask(AskRole::Storage, &offers);
		chain.next_epoch();
		let record = chain.clear().expect("the rivals serve");
		let job = chain.count_jobs(JOBS).price;
		let part = |winners: &[NodeId], price: Balance, cost: Balance| match winners.contains(&0) {
			true => (price as f64 - cost as f64) * f64::from(JOBS) / winners.len() as f64,
			false => 0.0,
		};
		Found {
			compute: record.compute_price,
			storage: (!record.storage.is_empty()).then_some(record.storage_price),
			job,
			income: part(&record.executors, record.compute_price, COST)
				+ part(&record.storage, record.storage_price, STORAGE_COST),
		}
	})
}

pub(super) fn table(_: Size) -> Table {
	let mut table = Table::new(
		"storage",
		"How dear does storage get, and can its bound be raised through compute asks?",
	);
	let without = epoch(COST, None, 0);
	let greedy = epoch(COST, Some(MAX_ASK), 0);
	table.exact(
		"alone in storage, asks more than the bound: what a job costs more",
		100.0 * (greedy.job as f64 / without.job as f64 - 1.0),
		"%",
		Bound::Nothing,
		"the role stays empty, the job needs none",
	);
	table.require(greedy.storage.is_none());
	let alone = epoch(COST, Some(without.compute), 0);
	table.exact(
		"alone in storage, asks all it can: a MiB",
		100.0 * alone.storage.unwrap_or_default() as f64 / alone.compute as f64,
		"% of the compute line",
		Bound::left_over(99.0, 100.0),
		"no role costs more to keep than to run",
	);
	// As the first loser it sets the price of compute: up to the reserve.
	let raised = epoch(PRICE, Some(PRICE), 0);
	table.exact(
		"the same, and gives up its place in compute to raise the bound",
		100.0 * (raised.income / alone.income - 1.0),
		"% of honest income",
		Bound::left_over(8.0, 14.0),
		format!(
			"compute and storage {:.0} % of the reserve instead of {:.0} %",
			100.0 * raised.compute as f64 / PRICE as f64,
			100.0 * alone.compute as f64 / PRICE as f64
		),
	);
	let honest = epoch(COST, Some(STORAGE_COST), 5);
	let contested = epoch(PRICE, Some(STORAGE_COST), 5);
	table.exact(
		"the same among six who offer storage at cost",
		100.0 * (contested.income / honest.income - 1.0),
		"% of honest income",
		Bound::Nothing,
		"a loser's ask is the price of storage; the place in compute is lost",
	);
	table.require(honest.storage == Some(STORAGE_COST) && contested.storage == Some(STORAGE_COST));
	let (last, until) = climb();
	table.exact(
		"alone in storage, asks its cost, for a month: a MiB in the end",
		last,
		"% of the compute line",
		Bound::left_over(99.0, 100.0),
		match until {
			Some(epochs) => {
				format!("one does the work of three: up by 1/512 an epoch to the bound, after {epochs} epochs")
			}
			None => "it did not come to the bound".into(),
		},
	);
	table
}

/// A month in which one node stores what three could be paid for. The price of a MiB in the end, in percent of the compute
/// line, and when it came to that.
fn climb() -> (f64, Option<u32>) {
	Chain::run(|chain| {
		chain.join(5);
		chain.set_market(PRICE, JOBS);
		let asks: Vec<_> = (0..4).map(|node| (node, Some(COST))).collect();
		chain.ask(AskRole::Compute, &asks);
		chain.ask(AskRole::Storage, &[(4, Some(STORAGE_COST))]);
		let (mut last, mut until) = (0.0, None);
		for epoch in 0..MONTH {
			chain.next_epoch();
			let record = chain.clear().expect("four serve");
			chain.count_jobs(JOBS);
			last = 100.0 * record.storage_price as f64 / record.compute_price as f64;
			if until.is_none() && record.storage_price == record.compute_price {
				until = Some(epoch);
			}
		}
		(last, until)
	})
}
