//! The reserve, held: it falls no further than to the dearest ask that had a place, so whoever asks just the reserve keeps it
//! where it is in the epochs to come.
//!
//! Three nodes with the same cost serve at a reserve of 1.25 times of it, and have a third of the work that they could do.

use super::{
	months::{Asked, Month, Played, COST, JOBS, PRICE},
	table::{Bound, Table},
	Size,
};
use highway_primitives::{Balance, NodeId};

/// Nodes that serve: as many as there are places.
const SERVING: NodeId = 3;

/// Jobs of an epoch.
const FEW: u32 = JOBS / 3;

/// What a fourth node asks, where there is one: between the cost of the three and the reserve.
const FOURTH: Balance = PRICE / 10 * 9;

/// A month in which node 0 asks `ask`, the two others what their work costs, and a fourth one, if it is there, `fourth`.
fn play(ask: Balance, fourth: Option<Balance>) -> Played {
	let asks = |epoch: u32, _: Balance| -> Vec<Asked> {
		match epoch {
			0 => (1..SERVING)
				.map(|node| (node, Some(COST)))
				.chain([(0, Some(ask)), (SERVING, fourth)])
				.collect(),
			_ => Vec::new(),
		}
	};
	let month = Month {
		before: Some((PRICE, FEW)),
		asks: &asks,
		jobs: &|_, _| FEW,
		..Default::default()
	};
	month.play(SERVING + 1)
}

/// What payers pay more in the month of `held` than in the one of `truth`, in percent.
fn dearer(held: &Played, truth: &Played) -> f64 {
	100.0 * (held.mean_price() / truth.mean_price() - 1.0)
}

/// In multiples of what is paid at first.
fn times(price: Balance) -> f64 {
	price as f64 / PRICE as f64
}

pub(super) fn table(_: Size) -> Table {
	const MORE: &str = "% more over a month";
	let mut table = Table::new(
		"holding",
		"What does it cost payers that whoever asks just the reserve keeps it from falling?",
	);
	let truth = play(COST, None);
	table.exact(
		"three ask what their work costs, and nobody else can serve: the reserve in the end",
		100.0 * truth.reserve() as f64 / COST as f64,
		"% of their cost",
		Bound::promised(100.0, 100.0),
		"it falls to what they ask and no further, and they serve in each epoch",
	);
	table.require(truth.starved() == 0);
	let held = play(PRICE, None);
	table.exact(
		"one of them asks the reserve: payers pay",
		dearer(&held, &truth),
		MORE,
		Bound::left_over(24.0, 25.0),
		"all three are paid it, at no risk while nobody else comes; it cannot raise it",
	);
	table.require(held.reserve() == PRICE);
	table.exact(
		"the same: what it earns itself, costs taken off",
		held.income([0]) / truth.income([0]),
		"times what truth brings it",
		Bound::left_over(70.0, 85.0),
		"truth has a margin until the reserve is down at its cost, after less than a day, and none from then on",
	);
	table.require(held.epochs.first() == truth.epochs.first());

	let truth = play(COST, Some(FOURTH));
	let held = play(PRICE, Some(FOURTH));
	table.exact(
		"the same where a fourth node serves from 0.9 times the reserve on: its own income",
		100.0 * (held.income([0]) / truth.income([0]) - 1.0),
		"% of a month's income",
		Bound::Nothing,
		format!(
			"the fourth has its place; the reserve falls to {:.3} times, what that asks",
			times(held.reserve())
		),
	);
	let undercut = play(FOURTH - 1, Some(FOURTH));
	table.exact(
		"it asks just less than the fourth: payers pay",
		dearer(&undercut, &truth),
		MORE,
		Bound::left_over(11.0, 12.5),
		"no more than what the next node would serve for",
	);
	let (truth, held) = (play(COST, Some(COST)), play(PRICE, Some(COST)));
	table.exact(
		"four at the same cost, one of them asks the reserve: payers pay",
		dearer(&held, &truth),
		MORE,
		Bound::left_over(0.1, 0.5),
		"it has no place, and the reserve falls below its ask",
	);
	table.require(held.reserve() == COST);
	table
}
