//! The reserve, moved on purpose: by whoever leaves a place empty, pays for jobs, or agrees with all others.
//!
//! Four nodes serve at a reserve of 1.25 times their cost, and just fill their places: nobody loses, so the reserve is what
//! they are paid. Payers pay whatever it costs, if nothing else is said. The more there is of either, the less is gained.

use super::{
	chain::DAY,
	months::{Asked, Month, Played, COST, FAR_ABOVE, JOBS, PRICE},
	table::{Bound, Table},
	Size,
};
use highway_primitives::{Balance, NodeId};

/// Nodes that serve.
const SERVING: NodeId = 4;

/// A fifth node's ask: a tenth above what the others are paid.
const NEWCOMER: Balance = PRICE / 10 * 11;

/// What payers pay at most, where they do not pay whatever it costs.
const AT_MOST: Balance = PRICE / 100 * 113;

/// All four ask what their work costs. A fifth one, if it is there, asks more.
fn honest(epoch: u32, newcomer: Option<Balance>) -> Vec<Asked> {
	match epoch {
		0 => (0..SERVING)
			.map(|node| (node, Some(COST)))
			.chain([(SERVING, newcomer)])
			.collect(),
		_ => Vec::new(),
	}
}

/// Node 0 asks nothing for the first `epochs` epochs.
fn one_stays_away(epochs: u32, newcomer: Option<Balance>) -> impl Fn(u32, Balance) -> Vec<Asked> {
	move |epoch, _| {
		let mut asks = honest(epoch, newcomer);
		asks.retain(|(node, _)| *node != 0);
		asks.push((0, (epoch >= epochs).then_some(COST)));
		asks
	}
}

/// The first `members` of the four ask far more than the reserve until it is `goal`, and then that.
fn cartel(members: NodeId, goal: Balance, newcomer: Option<Balance>) -> impl Fn(u32, Balance) -> Vec<Asked> {
	move |epoch, reserve| {
		let mut asks = honest(epoch, newcomer);
		asks.retain(|(node, _)| *node >= members);
		let ask = match (reserve < goal, members) {
			(true, _) => FAR_ABOVE,
			(false, SERVING) => COST,
			// Who is not of it asks less, and must not set the price.
			(false, _) => reserve,
		};
		asks.extend((0..members).map(|node| (node, Some(ask))));
		asks
	}
}

fn play(asks: &dyn Fn(u32, Balance) -> Vec<Asked>) -> Played {
	let month = Month {
		asks,
		..Default::default()
	};
	month.play(SERVING + 1)
}

/// What node 0 gains, in percent of what it earns in an honest month.
fn gain(played: &Played, honest: &Played) -> f64 {
	100.0 * (played.income([0]) / honest.income([0]) - 1.0)
}

/// In multiples of what is paid at first.
fn times(price: Balance) -> f64 {
	price as f64 / PRICE as f64
}

/// What every gain is counted in here.
const UNIT: &str = "% of a month's income";

pub(super) fn table(_: Size) -> Table {
	let mut table = Table::new(
		"steering",
		"What does it bring, over a month, to move the reserve on purpose?",
	);
	let truth = play(&|epoch, _| honest(epoch, None));
	empty_places(&mut table, &truth);
	wash_jobs(&mut table, &truth);
	cartels(&mut table, &truth);
	table
}

/// One of the four leaves its place empty.
fn empty_places(table: &mut Table, truth: &Played) {
	let once = play(&one_stays_away(1, None));
	table.exact(
		"a place left empty for one epoch: until that has paid",
		payback(&once, truth),
		"epochs",
		Bound::left_over(95.0, 115.0),
		"512 · (1 - cost / reserve)",
	);
	for (epochs, newcomer, least, most) in [
		(48, None, 40.0, 55.0),
		(DAY, None, 135.0, 172.0),
		(50, Some(NEWCOMER), 40.0, 56.0),
		(DAY, Some(NEWCOMER), 35.0, 55.0),
	] {
		let played = play(&one_stays_away(epochs, newcomer));
		let others = 100.0 * (played.income([1]) / truth.income([1]) - 1.0);
		let note = format!(
			"reserve {:.3} times; each of the others gains {others:.1} % for nothing",
			times(played.reserve())
		);
		let who = match newcomer {
			Some(_) => "a fifth node serves from 1.1 times on",
			None => "nobody else can serve",
		};
		let case = format!("a place left empty for {epochs} epochs, {who}");
		table.exact(case, gain(&played, truth), UNIT, Bound::left_over(least, most), note);
	}
}

/// The epoch in which node 0 has earned more than in the honest month, up to then.
fn payback(played: &Played, truth: &Played) -> f64 {
	let (mut sum, mut honest) = (0.0, 0.0);
	let epochs = played.incomes[&0].iter().zip(&truth.incomes[&0]);
	for (epoch, (earned, would_have)) in epochs.enumerate() {
		(sum, honest) = (sum + earned, honest + would_have);
		// Not in the first epochs, in which both are nothing.
		if sum > honest && honest > 0.0 {
			return epoch as f64;
		}
	}
	f64::INFINITY
}

/// One of the four pays for jobs, so that there seems to be more to do than there is.
fn wash_jobs(table: &mut Table, truth: &Played) {
	for (epochs, newcomer, least, most) in [
		(48, None, 25.0, 42.0),
		(DAY, None, 115.0, 155.0),
		(DAY, Some(NEWCOMER), 30.0, 52.0),
	] {
		let month = Month {
			asks: &|epoch, _| honest(epoch, newcomer),
			wash: &|epoch| if epoch < epochs { JOBS / 12 } else { 0 },
			..Default::default()
		};
		let played = month.play(SERVING + 1);
		let note = format!(
			"three quarters of them are done by others; reserve {:.3} times",
			times(played.reserve())
		);
		let who = match newcomer {
			Some(_) => "a fifth node serves from 1.1 times on",
			None => "nobody else can serve",
		};
		let case = format!("pays for one job in 13 for {epochs} epochs, {who}");
		table.exact(case, gain(&played, truth), UNIT, Bound::left_over(least, most), note);
	}
}

/// All of the four, or all but one, ask more than the reserve until it is twice what it was.
fn cartels(table: &mut Table, truth: &Played) {
	let note = |played: &Played| {
		let unpaid = played
			.incomes
			.get(&0)
			.map_or(0, |incomes| incomes.iter().take_while(|income| **income <= 0.0).count());
		format!(
			"{unpaid} epochs without pay, then {:.3} times the reserve",
			times(played.reserve())
		)
	};
	let all = play(&cartel(SERVING, 2 * PRICE, None));
	table.exact(
		"everybody agrees to be paid twice as much",
		gain(&all, truth),
		UNIT,
		Bound::left_over(450.0, 560.0),
		note(&all),
	);
	let three = play(&cartel(3, 2 * PRICE, None));
	table.exact(
		"three of four agree, the fourth serves",
		gain(&three, truth),
		UNIT,
		Bound::left_over(400.0, 500.0),
		note(&three),
	);
	let contested = play(&cartel(SERVING, 2 * PRICE, Some(NEWCOMER)));
	table.exact(
		"everybody agrees, a fifth node serves from 1.1 times on",
		gain(&contested, truth),
		UNIT,
		Bound::left_over(25.0, 55.0),
		note(&contested),
	);
	for (goal, bound) in [
		(PRICE / 10 * 11, Bound::left_over(55.0, 70.0)),
		(2 * PRICE, Bound::Nothing),
	] {
		let month = Month {
			asks: &cartel(SERVING, goal, None),
			jobs: &|_, price| if price <= AT_MOST { JOBS } else { 0 },
			..Default::default()
		};
		let played = month.play(SERVING);
		table.exact(
			format!(
				"everybody agrees on {:.1} times, payers go above {:.2} times",
				times(goal),
				times(AT_MOST)
			),
			gain(&played, truth),
			UNIT,
			bound,
			note(&played),
		);
	}
}
