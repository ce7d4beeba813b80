//! Curators who deal with themselves: for the fee, for the subsidy, or for a record that looks like trust.

use super::{
	chain::{nodes::operator_of, order, AccountId, Chain, CURATOR, MIN_RESERVE, MODEL, PAYER},
	months::{COST, JOBS, PRICE},
	table::{Bound, Table},
	Size,
};
use highway_primitives::{market::AskRole, Balance, AIC};

/// What the curator asks.
const FEE: Balance = PRICE / 5;

/// What came of a job.
struct Found {
	/// What the job cost.
	price: Balance,
	/// What `ours` have less than before.
	lost: Balance,
	/// What the curator's record shows: settled jobs, and what it earned by them.
	record: (u32, Balance),
}

/// A job of [`PAYER`] that names `curator`, done by node 0 at this price, or refunded.
fn job(price: Balance, curator: Option<AccountId>, ours: &[AccountId], settles: bool) -> Found {
	Chain::run(|chain| {
		chain.join(4);
		chain.set_market(price, JOBS);
		let asks: Vec<_> = (0..4).map(|node| (node, Some(price.min(COST)))).collect();
		chain.ask(AskRole::Compute, &asks);
		chain.next_epoch();
		let fee = FEE.min(price / 5);
		for account in [PAYER, CURATOR] {
			chain.set_curator(account, fee);
		}
		let before = chain.wealth(ours);
		let wanted = order(&PAYER, curator.as_ref(), MODEL);
		let paid = match settles {
			true => chain.job(&wanted, 0).0.price,
			false => {
				chain.refunded_job(&wanted);
				0
			}
		};
		Found {
			price: paid,
			lost: before - chain.wealth(ours),
			record: chain.curated(curator.unwrap_or(CURATOR)),
		}
	})
}

pub(super) fn table(_: Size) -> Table {
	const UNIT: &str = "% of the fee";
	let mut table = Table::new("curators", "What does a curator gain by dealing with itself?");
	let of_fee = |more: Balance, less: Balance| 100.0 * (less as f64 - more as f64) / FEE as f64;
	let ours = [PAYER, CURATOR];
	let without = job(PRICE, None, &ours, true);
	let itself = job(PRICE, Some(PAYER), &ours, true);
	table.exact(
		"a payer names itself",
		of_fee(itself.lost, without.lost),
		UNIT,
		Bound::promised(0.0, 0.0),
		"no line, nothing counted",
	);
	table.require(itself.record == (0, 0) && itself.price == without.price);
	let second = job(PRICE, Some(CURATOR), &ours, true);
	table.exact(
		"a payer names another account of its own",
		of_fee(second.lost, without.lost),
		UNIT,
		Bound::promised(-5.1, -4.9),
		"the fee comes back without 5 %, and counts for its record",
	);
	table.require(second.record == (1, FEE));
	let runs = [PAYER, CURATOR, operator_of(0)];
	let (without, second) = (job(PRICE, None, &runs, true), job(PRICE, Some(CURATOR), &runs, true));
	table.exact(
		"the same, and does the job itself",
		of_fee(second.lost, without.lost),
		UNIT,
		Bound::promised(-3.8, -3.7),
		"half of what the fee burned comes back as a subsidy",
	);
	let refunded = job(PRICE, Some(CURATOR), &ours, false);
	table.exact(
		"jobs that are not settled: counted",
		f64::from(refunded.record.0),
		"jobs",
		Bound::Nothing,
		"earnings and counts are of settled jobs",
	);
	table.require(refunded.lost == 0 && refunded.record == (0, 0));
	let dust = job(MIN_RESERVE, Some(CURATOR), &runs, true);
	table.exact(
		"a thousand settled jobs in one's record, all roles one's own, at the lowest price",
		1_000.0 * dust.lost as f64 / AIC as f64,
		"AIC and the transactions' fees",
		Bound::left_over(0.0, 0.001),
		"a count of jobs is cheap, a sum of earnings costs 3.75 % of it: wallets show the sum",
	);
	table.require(dust.record.0 == 1 && dust.lost > 0);
	table
}
