//! Featured places: does it pay to bid less than one is worth, or to bid for several models?

use super::{
	bidders::{cost, MIDDLE},
	chain::{Chain, BIDDERS, MIN_BID},
	table::{Bound, Comparison, Table},
	Size,
};
use highway_math::promotion;
use pallet_promotion::{MAX_BIDS, MAX_PLACES};
use rand::Rng;

/// The least bid of the random auctions.
const LEAST: u128 = MIDDLE / 5;

/// Auctions that a bidder imagines who does not know the others' bids.
const IMAGINED: usize = 40;

/// What a place is worth to each bid: ours first.
type Worths = Vec<u128>;

fn worths(rng: &mut impl Rng, bids: usize) -> Worths {
	(0..bids).map(|_| cost(rng)).collect()
}

/// What we gain: worth less price, for each of our `ours` models that is featured.
fn gained(worths: &[u128], ours: usize, bids: &[Option<u128>]) -> f64 {
	let bids: Vec<(usize, u128)> = bids
		.iter()
		.enumerate()
		.filter_map(|(index, bid)| Some((index, (*bid)?)))
		.collect();
	let (price, winners) = promotion::clear(&bids, MAX_PLACES, LEAST);
	let won = winners.iter().filter(|index| **index < ours);
	won.map(|index| worths[*index] as f64 - price as f64).sum()
}

/// The bids if only the `kept` of our models are bid for that a place is worth most to.
fn keeping(worths: &[u128], ours: usize, kept: usize) -> Vec<Option<u128>> {
	let mut by_worth: Vec<usize> = (0..ours).collect();
	by_worth.sort_by_key(|index| std::cmp::Reverse(worths[*index]));
	let mut bids: Vec<_> = worths.iter().copied().map(Some).collect();
	by_worth.into_iter().skip(kept).for_each(|index| bids[index] = None);
	bids
}

/// How many of our models to bid for, for the most over `auctions`.
fn best_to_keep(auctions: &[Worths], ours: usize) -> usize {
	let sum = |kept: usize| -> f64 {
		let gains = auctions
			.iter()
			.map(|worths| gained(worths, ours, &keeping(worths, ours, kept)));
		gains.sum()
	};
	(0..=ours)
		.rev()
		.map(|kept| (kept, sum(kept)))
		.fold((ours, f64::MIN), |best, next| if next.1 > best.1 { next } else { best })
		.0
}

pub(super) fn table(size: Size) -> Table {
	const UNIT: &str = "% of honest gain";
	let mut table = Table::new(
		"promotion",
		"Does it pay to bid less for a featured place than it is worth?",
	);
	let mut rng = size.rng(&table);
	let one = one_model(&mut rng, size.markets / 4);
	table.estimate(
		"one model: the best of all bids, or none",
		one.gain(),
		UNIT,
		Bound::Nothing,
		"truth is dominant",
	);
	for (bids, ours, sees, least, most) in [
		(10, 2, false, -0.5, 3.0),
		(10, 2, true, 2.5, 7.0),
		(16, 2, true, 0.8, 5.5),
		(24, 2, true, 0.1, 4.0),
		(12, 8, true, 95.0, 160.0),
	] {
		let mut rng = size.rng(&table);
		let found = several_models(&mut rng, size.markets / 4, bids, ours, sees);
		let case = match sees {
			true => format!("{ours} of {bids} models, others' bids are public: bids for those that pay"),
			false => format!("{ours} of {bids} models, the same if bids were sealed"),
		};
		let note = format!("pays in {:.1} % of the auctions", found.frequency());
		table.estimate(case, found.gain(), UNIT, Bound::left_over(least, most), note);
	}
	let (won, price) = full_book();
	table.exact(
		format!("{MAX_BIDS} lowest bids to keep others out: newcomers featured"),
		f64::from(won),
		"of 3",
		Bound::promised(3.0, 3.0),
		format!("a better bid takes the place of the worst; a place costs {price} times the least"),
	);
	table
}

/// A bidder with one model, and every bid that could make a difference.
fn one_model(rng: &mut impl Rng, auctions: u32) -> Comparison {
	let mut comparison = Comparison::default();
	for _ in 0..auctions.max(1) {
		let bids = rng.gen_range(4..=24);
		let worths = worths(rng, bids);
		let honest = gained(&worths, 1, &keeping(&worths, 1, 1));
		let mut asked = keeping(&worths, 1, 1);
		let edges = worths.iter().chain([&LEAST]);
		let around = edges.flat_map(|edge| [edge - 1, *edge, edge + 1]);
		let best = around.map(Some).chain([None]).map(|bid| {
			asked[0] = bid;
			gained(&worths, 1, &asked)
		});
		comparison.add(honest, best.fold(0.0, f64::max));
	}
	comparison
}

/// A bidder with several models that bids for as many as pays, whether it sees the others' bids or has to imagine them.
fn several_models(rng: &mut impl Rng, auctions: u32, bids: usize, ours: usize, sees: bool) -> Comparison {
	let mut comparison = Comparison::default();
	for _ in 0..auctions.max(1) {
		let actual = worths(rng, bids);
		let known: Vec<Worths> = match sees {
			true => vec![actual.clone()],
			false => (0..IMAGINED)
				.map(|_| [actual[..ours].to_vec(), worths(rng, bids - ours)].concat())
				.collect(),
		};
		let kept = best_to_keep(&known, ours);
		let honest = gained(&actual, ours, &keeping(&actual, ours, ours));
		comparison.add(honest, gained(&actual, ours, &keeping(&actual, ours, kept)));
	}
	comparison
}

/// One bidder fills the book with the lowest bids; three others bid a unit more. How many of these have places, and what one
/// costs, in multiples of the least bid.
fn full_book() -> (u32, u128) {
	Chain::run(|chain| {
		let register = |chain: &mut Chain, bidder: u64| {
			let model = chain.register(bidder, "another", None, None, 0);
			model.expect("the model is valid")
		};
		let squatted: Vec<_> = (0..u64::from(MAX_BIDS))
			.map(|index| register(chain, BIDDERS + index))
			.collect();
		let newcomers: Vec<_> = (0..3)
			.map(|index| register(chain, BIDDERS + u64::from(MAX_BIDS) + index))
			.collect();
		chain.next_epoch();
		for model in &squatted {
			chain.bid(BIDDERS, *model, MIN_BID).expect("there is room");
		}
		for model in &newcomers {
			chain
				.bid(BIDDERS + 1, *model, MIN_BID + 1)
				.expect("it is better than the worst");
		}
		let before = chain.issuance();
		chain.next_epoch();
		let (price, featured) = chain.featured();
		let won = newcomers.iter().filter(|model| featured.contains(model)).count();
		// Half of what eight places cost.
		let burned = before - chain.issuance();
		assert_eq!(burned, u128::from(MAX_PLACES) * (price / 2), "half is burned");
		(won as u32, price / MIN_BID)
	})
}
