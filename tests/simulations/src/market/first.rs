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
	for (cost, least, most) in [(1_000 * MIN_RESERVE, 55.0, 65.0), (PRICE, 130.0, 145.0)] {
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
			jobs: &|epoch, _| if epoch == 0 { 0 } else { JOBS },
			..Default::default()
		};
		table.exact(
			format!(
				"an early bidder, alone, asks nothing and leaves; others ask {} times the lowest reserve",
				cost / MIN_RESERVE
			),
			month.play(4).starved() as f64,
			"epochs unserved",
			Bound::left_over(least, most),
			"1/8 an epoch, if somebody clears each; it gains nothing",
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
		"the same, but it stays and serves all jobs; others ask 1000 times the lowest reserve",
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
	for (newcomers, bound) in [(1, Bound::left_over(4_320.0, 4_320.0)), (2, Bound::promised(0.0, 2.0))] {
		let played = after_a_griefer(newcomers);
		let refused = |price: &Option<Balance>| price.is_none_or(|price| price > AT_MOST);
		let unserved = played.epochs.iter().filter(|(_, price)| refused(price)).count();
		let note = match newcomers {
			1 => "nobody loses, so the reserve is the price; nobody pays it, so it does not fall",
			_ => "somebody loses, and its ask is the price",
		};
		table.exact(
			format!(
				"one of three asks the most there is and leaves; {} honest nodes then",
				2 + newcomers
			),
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
		"whatever it asks, all are paid; a fourth node ends it",
	);
	let (price, reserve) = Chain::run(|chain| {
		chain.join(5);
		let asks = [COST, COST + 1, 2 * PRICE - 1, 2 * PRICE, 2 * PRICE];
		chain.open_market(&numbered(&asks));
		let record = chain.clear().expect("three win");
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

/// A month that begins with two honest nodes and one that asks the most there is; it leaves after the first clearing, and
/// `newcomers` come. Nobody pays more than [`AT_MOST`].
fn after_a_griefer(newcomers: u32) -> Played {
	let asks = |epoch: u32, _: Balance| -> Vec<Asked> {
		match epoch {
			0 => vec![(0, Some(COST)), (1, Some(COST)), (2, Some(MAX_ASK))],
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
		// Enough for three places.
		jobs: &|_, price| if price <= AT_MOST { JOBS / 3 } else { 0 },
		..Default::default()
	};
	month.play(3 + newcomers)
}
