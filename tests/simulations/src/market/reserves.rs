//! The reserve over a month in which everybody tells the truth: does it run away, or collapse?

use super::{
	chain::{DAY, MONTH},
	months::{Asked, Month, Played, JOBS, PRICE},
	table::{Bound, Table},
	Size,
};
use highway_primitives::Balance;

/// Nodes of a market with more supply than it ever needs.
const MANY: u32 = 64;

/// Of these, so many stay when the others leave.
const STAY: u32 = 20;

/// When they leave: the peak of the next day is still to come.
const LEAVE: u32 = MONTH - 20;

/// The asks of `count` nodes in the first epoch: each `step` percent of the lowest above the one before.
fn ladder(count: u32, step: Balance) -> impl Fn(u32, Balance) -> Vec<Asked> {
	move |epoch, _| match epoch {
		0 => (0..count).map(|node| (node, Some(rung(node, step)))).collect(),
		_ => Vec::new(),
	}
}

/// What the node asks.
fn rung(node: u32, step: Balance) -> Balance {
	PRICE + PRICE / 100 * step * Balance::from(node)
}

/// Jobs of an epoch of a day that rises to four times its least demand and falls again. By straight lines, which are the
/// same on every machine.
fn by_day(epoch: u32, _: Balance) -> u32 {
	let hour = epoch % DAY;
	2_400 + 100 * hour.min(DAY - hour)
}

/// Five times as many jobs on one day of each week.
fn with_shocks(epoch: u32, _: Balance) -> u32 {
	match epoch % (7 * DAY) < DAY {
		true => 5 * JOBS,
		false => JOBS,
	}
}

/// A quarter of what one node can do; [`JOBS`] from the end of the second week on.
fn at_first_few(epoch: u32, _: Balance) -> u32 {
	match epoch < 14 * DAY {
		true => 75,
		false => JOBS,
	}
}

/// In multiples of the lowest ask.
fn multiple(price: Balance) -> f64 {
	price as f64 / PRICE as f64
}

pub(super) fn table(_: Size) -> Table {
	const TIMES: &str = "× the lowest ask";
	let mut table = Table::new(
		"reserve",
		"Does the reserve run away or collapse in a month without malice?",
	);
	let many = ladder(MANY, 1);
	let month = |jobs: &dyn Fn(u32, Balance) -> u32| -> Played {
		let month = Month {
			before: None,
			asks: &many,
			jobs,
			..Default::default()
		};
		month.play(MANY)
	};

	let steady = month(&|_, _| JOBS);
	let note = "supply meets demand: it stays where it is";
	table.exact(
		"steady demand",
		multiple(steady.reserve()),
		TIMES,
		Bound::promised(0.97, 1.06),
		note,
	);
	table.require(steady.starved() == 0);

	let shocks = month(&with_shocks);
	let note = format!(
		"highest price {:.3}; the 19th node is needed",
		multiple(shocks.highest_price())
	);
	table.exact(
		"fivefold demand on one day a week",
		multiple(shocks.reserve()),
		TIMES,
		Bound::promised(1.0, 1.4),
		note,
	);
	table.require(shocks.highest_price() <= rung(19, 1));

	let cycles = month(&by_day);
	let dearest = rung(40, 1);
	table.exact(
		"demand that rises and falls each day: highest price",
		multiple(cycles.highest_price()),
		TIMES,
		Bound::promised(1.3, multiple(dearest)),
		"a loser's ask, as long as there is one, or what the last node that is needed costs",
	);
	table.exact(
		"the same: the reserve that it leaves",
		multiple(cycles.reserve()),
		TIMES,
		Bound::promised(1.2, 1.5),
		"up while a place is empty, and no further",
	);
	table.exact(
		format!("the same, then all but {STAY} nodes leave: price at the next peak"),
		multiple(leavers()),
		TIMES,
		Bound::promised(1.0, 2.0),
		"nobody loses any more, so all are paid the reserve: up by 1/512 an epoch while places are empty",
	);

	few(&mut table);
	table
}

/// The highest price once most nodes of a market with daily cycles have left.
fn leavers() -> Balance {
	let asks = |epoch: u32, reserve: Balance| -> Vec<Asked> {
		match epoch {
			LEAVE => (STAY..MANY).map(|node| (node, None)).collect(),
			_ => ladder(MANY, 1)(epoch, reserve),
		}
	};
	let month = Month {
		before: None,
		epochs: LEAVE + DAY,
		asks: &asks,
		jobs: &by_day,
		..Default::default()
	};
	let played = month.play(MANY);
	let after = played.epochs.iter().skip(LEAVE as usize);
	after.filter_map(|(_, price)| *price).max().unwrap_or_default()
}

/// A market with less to do than its cheapest node could do alone, and what becomes of it when demand comes back.
fn few(table: &mut Table) {
	let returns = 14 * DAY as usize;
	let month = Month {
		before: Some((rung(4, 5), JOBS)),
		asks: &ladder(5, 5),
		jobs: &at_first_few,
		..Default::default()
	};
	let played = month.play(5);
	let quiet = &played.epochs[..returns];
	// By then it has come down.
	let settled = &quiet[returns / 2..];
	// Places are never fewer than three.
	let third = multiple(rung(2, 5));
	let lowest = settled.iter().map(|(reserve, _)| *reserve).min().unwrap_or_default();
	table.exact(
		"little demand: the lowest reserve",
		multiple(lowest),
		"× the lowest ask",
		Bound::promised(third, third),
		"it falls to what the dearest of the three with a place asks, and no further",
	);
	table.exact(
		"little demand, and then more again: epochs without anybody who serves",
		played.starved() as f64,
		"epochs",
		Bound::Nothing,
		"asks at cost are not below the reserve because a day was quiet",
	);
	let fourth = played.until_reserve(returns, rung(3, 5));
	table.exact(
		"demand comes back: until four nodes serve again",
		fourth.map_or(f64::INFINITY, |epochs| epochs as f64),
		"epochs",
		Bound::left_over(30.0, 40.0),
		"1/512 an epoch: a third in a day",
	);
}
