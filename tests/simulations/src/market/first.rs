//! The first clearing of a model: it has no reserve yet, and leaves one behind.

use super::{
	chain::{Chain, MAX_ASK, MIN_RESERVE},
	months::{Asked, Month, Played, COST, JOBS, PRICE},
	table::{Bound, Table},
	Size,
};
use highway_primitives::{Balance, NodeId};

/// What payers pay at most.
const AT_MOST: Balance = 2 * PRICE;

pub(super) fn table(_: Size) -> Table {
	let mut table = Table::new(
		"first clearing",
		"What does whoever is there first, or asks most, bring upon a new model?",
	);
	early_birds(&mut table);
	dearest_winners(&mut table);
	table
}

/// Somebody alone asks nothing.
fn early_birds(table: &mut Table) {
	for (buys, cost, bound) in [
		(false, 1_000 * MIN_RESERVE, Bound::Nothing),
		(true, 1_000 * MIN_RESERVE, Bound::left_over(55.0, 65.0)),
		(true, PRICE, Bound::left_over(130.0, 145.0)),
	] {
		let asks = |epoch: u32, _: Balance| -> Vec<Asked> {
			match epoch {
				0 => vec![(0, Some(0))],
				1 => [(0, None)]
					.into_iter()
					.chain((1..4).map(|node| (node, Some(cost))))
					.collect(),
				_ => Vec::new(),
			}
		};
		let month = Month {
			before: None,
			epochs: 200,
			asks: &asks,
			jobs: &|epoch, _| if epoch == 0 { u32::from(buys) } else { JOBS },
			..Default::default()
		};
		let (does, note) = match buys {
			true => (
				"buys one job of its own, and leaves",
				"1/8 an epoch, if somebody clears each; it gains nothing",
			),
			false => ("and leaves", "a clearing without a job leaves no reserve behind"),
		};
		table.exact(
			format!(
				"an early bidder, alone, asks nothing, {does}; others ask {} times the lowest reserve",
				cost / MIN_RESERVE
			),
			month.play(4).starved() as f64,
			"epochs unserved",
			bound,
			note,
		);
	}
	let cost = 1_000 * MIN_RESERVE;
	let asks = |epoch: u32, _: Balance| -> Vec<Asked> {
		match epoch {
			0 => vec![(0, Some(0))],
			1 => (1..4).map(|node| (node, Some(cost))).collect(),
			_ => Vec::new(),
		}
	};
	let month = Month {
		before: None,
		asks: &asks,
		..Default::default()
	};
	let played = month.play(4);
	table.exact(
		"it stays and serves all jobs from the first epoch on; others ask 1000 times the lowest reserve",
		played
			.until_reserve(0, cost)
			.map_or(f64::INFINITY, |epochs| epochs as f64),
		"epochs until others serve",
		Bound::left_over(3_000.0, 4_320.0),
		"1/512 an epoch, while it has more to do than four fifths of a place; it is paid next to nothing all the time",
	);
}

/// Whoever asks most, and still wins.
fn dearest_winners(table: &mut Table) {
	for (ask, buys, newcomers, bound) in [
		(MAX_ASK, false, 1, Bound::promised(0.0, 2.0)),
		(2 * AT_MOST, true, 1, Bound::left_over(4_318.0, 4_320.0)),
		(2 * AT_MOST, true, 2, Bound::promised(0.0, 2.0)),
	] {
		let played = after_a_griefer(ask, buys, newcomers);
		let refused = |price: &Option<Balance>| price.is_none_or(|price| price > AT_MOST);
		let unserved = played.epochs.iter().filter(|(_, price)| refused(price)).count();
		let does = match buys {
			true => "twice what payers pay, buys a job of its own at that, and leaves",
			false => "the most there is, and leaves",
		};
		let note = match (buys, newcomers) {
			(false, _) => "a clearing without a job leaves no reserve behind",
			(true, 1) => "nobody loses, so the reserve is the price; nobody pays it, so it does not fall",
			(true, _) => "somebody loses, and its ask is the price",
		};
		table.exact(
			format!("one of three asks {does}; {} honest nodes then", 2 + newcomers),
			unserved as f64,
			"epochs without a job in a month",
			bound,
			note,
		);
	}
	let price = |third: Balance| {
		Chain::run(|chain| {
			chain.join(3);
			let asks = [COST, COST + PRICE / 50, third];
			chain.open_market(&numbered(&asks));
			chain.clear().expect("everybody wins").compute_price
		})
	};
	let (truth, asked) = (price(COST + PRICE / 25), price(AT_MOST));
	table.exact(
		"one of three asks what payers just pay, and nobody loses: the price",
		100.0 * (asked as f64 / truth as f64 - 1.0),
		"% more",
		Bound::left_over(100.0, 150.0),
		"whatever it asks, all are paid, and it holds the reserve there; a fourth node ends it",
	);
	let (price, reserve) = Chain::run(|chain| {
		chain.join(5);
		let asks = [COST, COST + 1, 2 * PRICE - 1, 2 * PRICE, 2 * PRICE];
		chain.open_market(&numbered(&asks));
		let record = chain.clear().expect("three win");
		// Before, it is no reserve yet.
		chain.count_jobs(1);
		(record.compute_price, chain.reserve())
	});
	table.exact(
		"the dearest of three winners asks all it can, and others lose: the reserve",
		100.0 * reserve as f64 / price as f64,
		"% of the price",
		Bound::promised(50.0, 100.0),
		"never above what was paid, which it does not set",
	);
}

/// The asks of nodes 0, 1, and so on.
fn numbered(asks: &[Balance]) -> Vec<(NodeId, Balance)> {
	(0..).zip(asks.iter().copied()).collect()
}

/// A month that begins with two honest nodes and one that asks `ask`; it leaves after the first clearing, having bought a job
/// if it `buys`, and `newcomers` come. Nobody else pays more than [`AT_MOST`].
fn after_a_griefer(ask: Balance, buys: bool, newcomers: u32) -> Played {
	let asks = |epoch: u32, _: Balance| -> Vec<Asked> {
		match epoch {
			0 => vec![(0, Some(COST)), (1, Some(COST)), (2, Some(ask))],
			1 => [(2, None)]
				.into_iter()
				.chain((3..3 + newcomers).map(|node| (node, Some(COST))))
				.collect(),
			_ => Vec::new(),
		}
	};
	let month = Month {
		before: None,
		asks: &asks,
		jobs: &|epoch, price| match price <= AT_MOST {
			// Enough for three places.
			true => JOBS / 3,
			false => u32::from(buys && epoch == 0),
		},
		..Default::default()
	};
	month.play(3 + newcomers)
}
