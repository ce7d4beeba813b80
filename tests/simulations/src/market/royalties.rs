//! A maker that squeezes those who depend on its model: royalties by the registry's own rule, day by day.

use super::{
	chain::{MAX_ASK, SMALLEST_RISE},
	months::PRICE,
	table::{Bound, Table},
	Size,
};
use highway_primitives::{Balance, BlockNumber, AIC, BLOCK_SECONDS};
use pallet_model_registry::{RisePolicy, RoyaltyState};
use rand::Rng;

/// Blocks of a day.
const DAY: BlockNumber = 86_400 / BLOCK_SECONDS;

/// Days of the notice, as the runtime has it.
const NOTICE: BlockNumber = 7;

/// Days within which a royalty rises by a quarter at most, as the runtime has it.
const PERIOD: BlockNumber = 30;

/// Days that are played.
const YEAR: BlockNumber = 365;

/// The runtime's.
const POLICY: RisePolicy = RisePolicy {
	notice: NOTICE * DAY,
	period: PERIOD * DAY,
	smallest_step: SMALLEST_RISE,
};

/// What a maker asks at first: a quarter of it is more than the step that is always allowed, also after some cuts.
const ROYALTY: Balance = 1_000 * AIC;

/// What a maker would really ask: a twentieth of the price of compute.
const USUAL: Balance = PRICE / 20;

pub(super) fn table(size: Size) -> Table {
	let mut table = Table::new("royalties", "How hard can a maker squeeze those who use its model?");
	let greedy = royalties(ROYALTY, |_, state| {
		// A second announcement would only begin the notice anew.
		state.pending.is_none().then_some(state.current / 4 * 5)
	});
	table.exact(
		"raises as soon and as far as it may: the most within any 30 days",
		steepest(&greedy),
		"%",
		Bound::left_over(24.0, 25.001),
		"a quarter, whatever comes before",
	);
	table.exact(
		"the same: from the announcement to the first higher royalty",
		greedy
			.iter()
			.position(|royalty| *royalty > ROYALTY)
			.map_or(0.0, |day| day as f64),
		"days",
		Bound::promised(NOTICE.into(), NOTICE.into()),
		"whoever does not want to pay it leaves before, and pays nothing of it",
	);
	table.exact(
		"the same, for a year",
		last(&greedy) as f64 / ROYALTY as f64,
		"× the first royalty",
		Bound::left_over(10.0, 15.0),
		"a quarter a month; in public, against a model that anybody may replace",
	);
	let mut rng = size.rng(&table);
	let mut worst: f64 = 0.0;
	for _ in 0..(size.markets / 20).max(1) {
		let played = royalties(ROYALTY, |_, state| match rng.gen_range(0..20) {
			0 => Some(state.current / 100 * rng.gen_range(50..100u128)),
			1 | 2 => Some(state.current / 100 * rng.gen_range(100..=125u128)),
			_ => None,
		});
		worst = worst.max(steepest(&played));
	}
	table.exact(
		"raises and lowers it at random: the most within any 30 days",
		worst,
		"%",
		Bound::left_over(20.0, 25.001),
		"a cut is no reserve for a jump",
	);
	let usual = royalties(USUAL, |_, state| {
		state.pending.is_none().then_some(state.current / 4 * 5)
	});
	table.exact(
		"raises as far as it may, from a twentieth of the price of compute on: the most within any 30 days",
		steepest(&usual),
		"%",
		Bound::left_over(24.0, 25.001),
		"the step that is always allowed is less than a quarter of it",
	);
	table.require(RoyaltyState::new(USUAL).set(USUAL / 4 * 5 + 1, 0, &POLICY).is_none());
	let more = |state: RoyaltyState| state.current + (state.current / 4).max(SMALLEST_RISE);
	let least = royalties(SMALLEST_RISE, |_, state| state.pending.is_none().then_some(more(state)));
	table.exact(
		"from a millionth of an AIC on, where that step is more: the most within any 30 days",
		steepest(&least),
		"%",
		Bound::left_over(99.0, 100.001),
		"another millionth a month, until a quarter of it is as much",
	);
	let free = royalties(0, |_, _| Some(MAX_ASK));
	let step = royalties(0, |day, _| (day == 0).then_some(POLICY.smallest_step));
	table.exact(
		"a free model, after the first notice",
		step[PERIOD as usize] as f64 / PRICE as f64,
		"× the price of compute",
		Bound::left_over(0.000_05, 0.000_2),
		"a millionth of an AIC: nothing more at once",
	);
	table.require(last(&free) == 0);
	table.exact(
		"a quarter per epoch, in a day (rejected)",
		compounded(),
		"powers of ten",
		Bound::RejectedRule,
		"a bound that compounds is none",
	);
	table
}

/// What holds on each day of a year, if the maker begins with `first` and asks what `wants` says, wherever that is allowed.
fn royalties(first: Balance, mut wants: impl FnMut(BlockNumber, RoyaltyState) -> Option<Balance>) -> Vec<Balance> {
	let mut state = RoyaltyState::new(first);
	(0..YEAR)
		.map(|day| {
			let now = day * DAY;
			state = state.at(now, POLICY.period);
			let set = wants(day, state).and_then(|royalty| state.set(royalty, now, &POLICY));
			if let Some((set, _)) = set {
				state = set;
			}
			state.current
		})
		.collect()
}

/// How many powers of ten a royalty grows by in a day, if it may rise by a quarter in each market epoch.
fn compounded() -> f64 {
	const EPOCH: BlockNumber = 300;
	const PER_EPOCH: RisePolicy = RisePolicy {
		notice: EPOCH,
		period: EPOCH,
		..POLICY
	};
	let mut state = RoyaltyState::new(ROYALTY);
	for now in (0..=DAY).step_by(EPOCH as usize) {
		state = state.at(now, EPOCH);
		if let Some((raised, _)) = state.set(state.current / 4 * 5, now, &PER_EPOCH) {
			state = raised;
		}
	}
	(state.current as f64 / ROYALTY as f64).log10()
}

/// The steepest rise within 30 days, in percent: from any day to any later one that is less than the period away.
fn steepest(royalties: &[Balance]) -> f64 {
	let mut most: f64 = 0.0;
	for (day, from) in royalties.iter().enumerate() {
		for to in royalties.iter().skip(day).take(PERIOD as usize) {
			most = most.max(100.0 * (*to as f64 / *from as f64 - 1.0));
		}
	}
	most
}

fn last(royalties: &[Balance]) -> Balance {
	royalties.last().copied().unwrap_or_default()
}
