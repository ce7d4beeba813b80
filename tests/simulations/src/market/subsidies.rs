//! Wash jobs: somebody who is payer, executor, maker, curator and storage provider in one has jobs of its own done, for the
//! sake of the work subsidy.

use super::{
	chain::{nodes::operator_of, order, AccountId, Chain, BIDDERS, CURATOR, MAKER, MIN_BID, MIN_RESERVE, MODEL, PAYER},
	months::{COST, JOBS, PRICE},
	table::{Bound, Table},
	Size,
};
use highway_math::subsidy;
use highway_primitives::{
	market::{AskRole, Role},
	Balance,
};
use pallet_promotion::MAX_PLACES;
use sp_runtime::Perbill;

/// Jobs that are washed.
const WASHED: u32 = 1_000;

/// Everybody whom a washed job pays.
fn ours() -> Vec<AccountId> {
	[PAYER, MAKER, CURATOR]
		.into_iter()
		.chain((0..4).map(operator_of))
		.collect()
}

/// What came of it.
#[derive(Clone, Copy, Default)]
struct Washed {
	/// What all jobs cost together.
	price: Balance,
	/// What ours have less than before: what is not burned has gone to the treasury or to auditors.
	lost: Balance,
	/// What the jobs burned.
	burned: Balance,
	/// What went to auditors.
	premiums: Balance,
	/// What others burned for featured places in the epoch before.
	by_others: Balance,
}

/// Washes jobs at this price of compute, each with a royalty, a curator and storage of a tenth of it. With `bids`, others
/// bought all featured places first, for so much each.
fn wash(price: Balance, bids: Option<Balance>) -> Washed {
	Chain::with_royalty(price / 10, |chain| {
		chain.join(4);
		chain.set_curator(CURATOR, price / 10);
		let asks: Vec<_> = (0..4).map(|node| (node, Some(price.min(COST)))).collect();
		chain.ask(AskRole::Compute, &asks);
		chain.ask(AskRole::Storage, &[(0, Some(price / 10))]);
		let mut washed = Washed::default();
		if let Some(bid) = bids {
			// One more than there are places: the price is what they bid.
			let featured: Vec<_> = (0..=u64::from(MAX_PLACES))
				.map(|index| {
					chain
						.register(BIDDERS + index, "featured", None, None, 0)
						.expect("the model is valid")
				})
				.collect();
			for (bidder, model) in (BIDDERS..).zip(featured) {
				chain.bid(bidder, model, bid).expect("there is room");
			}
		}
		chain.set_market(price, JOBS);
		let before = chain.issuance();
		chain.next_epoch();
		washed.by_others = before - chain.issuance();
		let before = chain.wealth(&ours());
		let wanted = order(&PAYER, Some(&CURATOR), MODEL);
		for _ in 0..WASHED {
			let (deal, lines) = chain.job(&wanted, 0);
			washed.price += deal.price;
			washed.premiums += deal.premium;
			let burned = lines
				.iter()
				.filter(|line| line.role == Role::Protocol && line.payee.is_none());
			washed.burned += burned.map(|line| line.amount).sum::<Balance>();
		}
		washed.lost = before - chain.wealth(&ours());
		washed
	})
}

impl Washed {
	/// What is gained if `back` of the loss comes back, in percent of what the jobs cost.
	fn gain(&self, back: Balance) -> f64 {
		100.0 * (back as f64 - self.lost as f64) / self.price as f64
	}
}

pub(super) fn table(_: Size) -> Table {
	const UNIT: &str = "% of the jobs' price";
	let mut table = Table::new(
		"subsidy",
		"Does the work subsidy pay for jobs that nobody wants, while others burn ten times as much?",
	);
	let alone = wash(PRICE, None);
	table.exact(
		"every role in one hand",
		alone.gain(0),
		UNIT,
		Bound::Nothing,
		"the fee, less half of what it burned, and the premium",
	);
	table.exact(
		"the same, and every auditor is its own and does nothing",
		alone.gain(alone.premiums),
		UNIT,
		Bound::promised(-3.7, -3.2),
		"three quarters of a fee of 5 % of the lines",
	);
	let dust = wash(MIN_RESERVE, None);
	table.exact(
		"the same, with dust",
		dust.gain(dust.premiums),
		UNIT,
		Bound::Nothing,
		"the fee is rounded up",
	);
	let busy = wash(PRICE, Some(MIN_BID));
	table.exact(
		"what others' burns add to it",
		busy.gain(0) - alone.gain(0),
		UNIT,
		Bound::promised(0.0, 0.0),
		format!(
			"they burn {} times as much as the jobs",
			busy.by_others / busy.burned.max(1)
		),
	);
	table.require(busy.by_others >= 10 * busy.burned && alone.by_others == 0);
	let rate = Perbill::from_percent(50);
	let all_burns = subsidy::of(busy.burned + busy.by_others.min(10 * busy.burned), rate);
	let own_burns = subsidy::of(busy.burned, rate);
	table.exact(
		"the same, if half of all burns went to whoever did the jobs (rejected)",
		busy.gain(all_burns - own_burns),
		UNIT,
		Bound::RejectedRule,
		"with other burns ten times as large",
	);
	table
}
