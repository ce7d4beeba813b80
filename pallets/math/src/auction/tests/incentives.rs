//! What a bidder gains by asking anything but its cost. 20 000 markets for each case.

use crate::{
	auction::{clear, dearest_winner, next_reserve, starved_reserve, Auction, IDLE, STARVED_STEPS, STEPS},
	demand::{utilisation, ONE},
};
use alloc::vec::Vec;
use proptest::{prelude::*, sample::Index};
use sp_arithmetic::Perbill;

const MARKETS: u32 = 20_000;

/// The most bidders of a market here.
const BIDDERS: usize = 8;

/// A market as one of its bidders meets it.
#[derive(Clone, Debug)]
struct Market {
	/// What each asks: `who` its cost, the others whatever they like.
	asks: Vec<u128>,
	places: u32,
	reserve: u128,
	/// Keys of ties; equal ones, too.
	ties: [u8; BIDDERS],
	who: usize,
}

impl Market {
	/// What `who` asks if it tells the truth.
	fn truth(&self) -> Option<u128> {
		Some(self.asks[self.who])
	}

	/// The asks, with `ask` in the place of that of `who`: `None` if it stays away.
	fn asks_with(&self, ask: Option<u128>) -> Vec<(usize, u128)> {
		let asked = |(id, other): (usize, &u128)| {
			let ask = if id == self.who { ask } else { Some(*other) };
			ask.map(|ask| (id, ask))
		};
		self.asks.iter().enumerate().filter_map(asked).collect()
	}

	fn clear(&self, ask: Option<u128>) -> Option<Auction<usize>> {
		let tie = |id: usize| self.ties[id];
		clear(&self.asks_with(ask), self.places, Some(self.reserve), tie)
	}

	/// What the dearest winner asks if `who` asks so.
	fn dearest(&self, ask: Option<u128>) -> Option<u128> {
		dearest_winner(&self.asks_with(ask), self.places, self.reserve)
	}

	/// The same market after its reserve has moved by how much its last winners were used, of whom the dearest asked so
	/// much.
	fn moved(&self, dearest: Option<u128>, used: Perbill) -> Self {
		Self {
			reserve: next_reserve(self.reserve, used, dearest, 0, u128::MAX),
			..self.clone()
		}
	}

	/// What `who` earns per unit of work that a place gets.
	fn earned(&self, auction: &Option<Auction<usize>>) -> i128 {
		match auction {
			Some(auction) if auction.winners.contains(&self.who) => auction.price as i128 - self.asks[self.who] as i128,
			_ => 0,
		}
	}

	/// Everything that could make a difference: staying away, the ends, and each ask, the reserve and what it may fall
	/// to, met, undercut and exceeded. Between two neighbours of these all asks do the same, but that the dearer stops
	/// the next fall sooner.
	fn deviations(&self) -> Vec<Option<u128>> {
		let fallen = next_reserve(self.reserve, Perbill::zero(), Some(0), 0, u128::MAX);
		let edges = self.asks.iter().chain([&self.reserve, &fallen]);
		let around = edges.flat_map(|edge| [edge.saturating_sub(1), *edge, edge.saturating_add(1)]);
		around.chain([0, u128::MAX]).map(Some).chain([None]).collect()
	}

	/// Asks of others at or below the reserve.
	fn rivals(&self) -> usize {
		let others = self.asks.iter().enumerate().filter(|(id, _)| *id != self.who);
		others.filter(|(_, ask)| **ask <= self.reserve).count()
	}

	/// Whether somebody loses who would serve at the reserve.
	fn has_a_loser(&self) -> bool {
		self.asks.iter().filter(|ask| **ask <= self.reserve).count() > self.places as usize
	}
}

/// Nobody gains by not telling the truth, and nobody loses by telling it.
fn check(market: &Market) -> Result<(), TestCaseError> {
	let honest = market.clear(market.truth());
	let truthful = market.earned(&honest);
	prop_assert!(truthful >= 0);
	for ask in market.deviations() {
		let auction = market.clear(ask);
		prop_assert!(market.earned(&auction) <= truthful, "{:?} gains", ask);
		// Whoever wins either way changes nothing at all: neither its pay nor with whom it shares the work.
		if let (Some(honest), Some(auction)) = (&honest, &auction) {
			if honest.winners.contains(&market.who) && auction.winners.contains(&market.who) {
				let [mut before, mut after] = [honest.winners.clone(), auction.winners.clone()];
				before.sort_unstable();
				after.sort_unstable();
				prop_assert_eq!((honest.price, before), (auction.price, after));
			}
		}
	}
	Ok(())
}

/// Four or more asks at three prices.
fn equal_asks() -> impl Strategy<Value = Vec<u128>> {
	prop::collection::vec((0u128..3).prop_map(|ask| ask * 10), 4..=BIDDERS)
}

/// No two alike: the last digit to base 8 is the bidder's.
fn distinct_asks() -> impl Strategy<Value = Vec<u128>> {
	prop::collection::vec(0u128..6, 2..=BIDDERS)
		.prop_map(|asks| (0u128..).zip(asks).map(|(id, ask)| ask * 8 + id).collect())
}

/// Fewer places than asks at or below the reserve.
fn with_a_loser(asks: impl Strategy<Value = Vec<u128>>) -> impl Strategy<Value = Market> {
	let parts = (asks, any::<Index>(), any::<Index>(), any::<[u8; BIDDERS]>(), 0u128..40);
	parts.prop_map(|(asks, places, who, ties, above)| {
		let mut sorted = asks.clone();
		sorted.sort_unstable();
		let places = places.index(asks.len() - 1) + 1;
		Market {
			reserve: sorted[places] + above,
			places: places as u32,
			who: who.index(asks.len()),
			asks,
			ties,
		}
	})
}

/// At least as many places as asks at or below the reserve.
fn without_a_loser(asks: impl Strategy<Value = Vec<u128>>) -> impl Strategy<Value = Market> {
	let parts = (asks, 0u32..3, any::<Index>(), any::<[u8; BIDDERS]>(), 0u128..60);
	parts.prop_map(|(asks, free, who, ties, reserve)| {
		let taking_part = asks.iter().filter(|ask| **ask <= reserve).count() as u32;
		Market {
			places: (taking_part + free).max(1),
			who: who.index(asks.len()),
			asks,
			reserve,
			ties,
		}
	})
}

/// Many bidders, any prices.
fn large() -> impl Strategy<Value = (Vec<u128>, u32, u128, Index, Index)> {
	let price = || prop_oneof![0u128..100, 0u128..1 << 120];
	let asks = prop::collection::vec(price(), 1..=64);
	(asks, 1u32..=70, price(), any::<Index>(), any::<Index>())
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(MARKETS))]

	#[test]
	fn truth_should_be_dominant_with_a_loser_and_without_ties(market in with_a_loser(distinct_asks())) {
		prop_assert!(market.has_a_loser());
		check(&market)?;
	}

	#[test]
	fn truth_should_be_dominant_with_a_loser_and_with_ties(market in with_a_loser(equal_asks())) {
		prop_assert!(market.has_a_loser());
		check(&market)?;
	}

	#[test]
	fn truth_should_be_dominant_without_a_loser_and_without_ties(market in without_a_loser(distinct_asks())) {
		prop_assert!(!market.has_a_loser());
		check(&market)?;
	}

	#[test]
	fn truth_should_be_dominant_without_a_loser_and_with_ties(market in without_a_loser(equal_asks())) {
		prop_assert!(!market.has_a_loser());
		check(&market)?;
	}

	#[test]
	fn truth_should_be_dominant_in_large_markets((asks, places, reserve, who, other) in large()) {
		let (cost, who) = (asks[who.index(asks.len())], who.index(asks.len()));
		let earned = |ask: u128| {
			let asks = asks.iter().enumerate().map(|(id, asked)| (id, if id == who { ask } else { *asked }));
			let asks: Vec<(usize, u128)> = asks.collect();
			match clear(&asks, places, Some(reserve), |id| id) {
				Some(auction) if auction.winners.contains(&who) => auction.price as i128 - cost as i128,
				_ => 0,
			}
		};
		let (truthful, rival) = (earned(cost), asks[other.index(asks.len())]);
		for ask in [0, rival.saturating_sub(1), rival, rival + 1, reserve, reserve + 1, cost / 2, cost * 2] {
			prop_assert!(earned(ask) <= truthful, "{} gains", ask);
		}
	}
}

/// A market of two epochs, whose second reserve comes of how much the winners of the first were used.
#[derive(Clone, Debug)]
struct Repeated {
	market: Market,
	/// Demand in jobs, and how many of them a winner is counted on to do.
	jobs: u64,
	jobs_per_winner: u32,
}

impl Repeated {
	/// What follows if `who` asks `ask` in the first epoch and the truth in the second.
	fn play(&self, ask: Option<u128>) -> Played {
		let first = self.market.clear(ask);
		let winners = first.as_ref().map_or(0, |auction| auction.winners.len());
		let used = utilisation(self.jobs * ONE, winners as u32, self.jobs_per_winner);
		let next = match &first {
			Some(_) => self.market.moved(self.market.dearest(ask), used),
			// There is an ask, and it is above the reserve.
			None => Market {
				reserve: starved_reserve(self.market.reserve, u128::MAX),
				..self.market.clone()
			},
		};
		let second = next.clear(next.truth());
		Played {
			earned: self.market.earned(&first) + next.earned(&second),
			winners,
			used,
			reserve: next.reserve,
		}
	}
}

struct Played {
	/// By `who`, in both epochs.
	earned: i128,
	/// Of the first epoch.
	winners: usize,
	/// How much they had to do.
	used: Perbill,
	/// Of the second epoch.
	reserve: u128,
}

fn repeated() -> impl Strategy<Value = Repeated> {
	let asks = prop::collection::vec(400u128..2_600, 2..=BIDDERS);
	let market = (asks, 1u32..=9, any::<Index>(), any::<[u8; BIDDERS]>(), 512u128..2_560);
	(market, 0u64..40, 1u32..8).prop_map(|((asks, places, who, ties, reserve), jobs, jobs_per_winner)| {
		let who = who.index(asks.len());
		Repeated {
			market: Market {
				asks,
				places,
				reserve,
				ties,
				who,
			},
			jobs,
			jobs_per_winner,
		}
	})
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(MARKETS))]

	// The next reserve sees how many won, and what the dearest of them asked. Who tells the truth in the next epoch gains
	// nothing in this one, and in the next one no more than by how much higher the reserve is.
	#[test]
	fn nobody_should_gain_more_than_the_next_reserve_moves(game in repeated()) {
		let market = &game.market;
		let reserve = market.reserve;
		let honest = game.play(market.truth());
		let moved = |used| next_reserve(reserve, used, Some(0), 0, u128::MAX);
		let two_steps = moved(Perbill::one()) - moved(Perbill::zero());
		prop_assert!(two_steps <= 2 * reserve / STEPS);
		for ask in market.deviations() {
			let other = game.play(ask);
			let gain = other.earned - honest.earned;
			prop_assert!(gain <= other.reserve.saturating_sub(honest.reserve) as i128, "{:?} gains {}", ask, gain);
			if other.winners == honest.winners {
				// A fall may have stopped at its ask.
				let most = if honest.used < IDLE { reserve / STEPS } else { 0 };
				prop_assert!(other.reserve.abs_diff(honest.reserve) <= most);
			} else if other.winners == 0 || honest.winners == 0 {
				// Only who is alone decides whether anybody serves at all.
				prop_assert_eq!(market.rivals(), 0);
				prop_assert!(gain <= (reserve / STARVED_STEPS + reserve / STEPS) as i128, "{:?} gains {}", ask, gain);
			} else {
				prop_assert!(market.rivals() < market.places as usize, "a full market stays full");
				// Two steps lie between one winner and two, one at most between more.
				let few = honest.winners.max(other.winners) == 2;
				let most = if few { two_steps } else { two_steps / 2 };
				prop_assert!(other.reserve.abs_diff(honest.reserve) <= most);
				prop_assert!(gain <= most as i128, "{:?} gains {}", ask, gain);
			}
		}
	}

	#[test]
	fn nobody_should_do_more_to_the_reserve_of_a_full_market_than_stop_its_fall(game in repeated()) {
		if game.market.rivals() >= game.market.places as usize {
			let honest = game.play(game.market.truth());
			for ask in game.market.deviations() {
				let other = game.play(ask);
				if honest.used < IDLE {
					prop_assert!(other.reserve <= game.market.reserve, "{:?} raises the reserve", ask);
				} else {
					prop_assert_eq!(other.reserve, honest.reserve);
					prop_assert!(other.earned <= honest.earned);
				}
			}
		}
	}
}

/// A market over some epochs, in each of which its last winners were used so much. The others ask the same in all of
/// them.
#[derive(Clone, Debug)]
struct Lasting {
	market: Market,
	used: Vec<Perbill>,
	/// What `who` asks instead of its cost, as far as the reserve allows: nobody starves.
	asks: Vec<u128>,
}

impl Lasting {
	/// What `who` earns in each epoch, and the reserve of it, if it asks so much, given the epoch and its reserve. Before
	/// the first one it told the truth.
	fn play(&self, ask: impl Fn(usize, u128) -> u128) -> Vec<(i128, u128)> {
		let mut market = self.market.clone();
		let mut dearest = market.dearest(market.truth());
		let mut played = Vec::new();
		for (epoch, used) in self.used.iter().enumerate() {
			market = market.moved(dearest, *used);
			let ask = Some(ask(epoch, market.reserve));
			let auction = market.clear(ask);
			dearest = market.dearest(ask);
			played.push((market.earned(&auction), market.reserve));
			if auction.is_none() {
				market.reserve = starved_reserve(market.reserve, u128::MAX);
			}
		}
		played
	}
}

fn part() -> impl Strategy<Value = Perbill> {
	(0u32..=1_000_000_000).prop_map(Perbill::from_parts)
}

/// Mostly with too little to do.
fn lasting() -> impl Strategy<Value = Lasting> {
	let market = repeated().prop_map(|game| game.market);
	let used = prop_oneof![4 => Just(Perbill::zero()), 1 => part()];
	let epochs = prop::collection::vec((used, prop_oneof![Just(u128::MAX), 300u128..2_700]), 1..=40);
	(market, epochs).prop_map(|(market, epochs)| {
		let (used, asks) = epochs.into_iter().unzip();
		Lasting { market, used, asks }
	})
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(MARKETS))]

	// An epoch as a whole, before which the reserve moves by what was asked in the last one.
	#[test]
	fn nobody_should_gain_in_an_epoch_however_its_reserve_has_moved(
		market in prop_oneof![
			with_a_loser(distinct_asks()),
			with_a_loser(equal_asks()),
			without_a_loser(distinct_asks()),
			without_a_loser(equal_asks()),
			repeated().prop_map(|game| game.market),
		],
		former in prop::option::of(0u128..2_600),
		used in part(),
	) {
		check(&market.moved(former, used))?;
	}

	// However long, and whatever it asks when: no reserve is higher than one that does not fall, and nothing is gained
	// but by how much higher it is. So nothing in the first epoch.
	#[test]
	fn nobody_should_gain_more_in_the_long_run_than_that_the_reserve_does_not_fall(game in lasting()) {
		let cost = game.market.asks[game.market.who];
		let honest = game.play(|_, _| cost);
		let other = game.play(|epoch, reserve| game.asks[epoch].min(reserve));
		let mut kept = game.market.reserve;
		prop_assert_eq!(other[0].1, honest[0].1);
		for (((earned, held), (truthful, fallen)), used) in other.iter().zip(&honest).zip(&game.used) {
			kept = next_reserve(kept, (*used).max(IDLE), None, 0, u128::MAX);
			prop_assert!(*held <= kept);
			prop_assert!(earned - truthful <= held.saturating_sub(*fallen) as i128);
		}
	}
}

// What the module's docs say does not hold. If one of these fails, the docs have become too modest.

/// The reserve after so many epochs in which there is next to nothing to do, from 51 200 on.
fn after_idle(epochs: u32, places: u32, asks: &[(u32, u128)]) -> u128 {
	(0..epochs).fold(51_200, |reserve, _| {
		next_reserve(
			reserve,
			Perbill::zero(),
			dearest_winner(asks, places, reserve),
			0,
			u128::MAX,
		)
	})
}

#[test]
fn a_winner_that_asks_the_reserve_should_keep_it_from_falling_when_nobody_loses() {
	let honest = [(1, 10_000), (2, 20_000), (3, 30_000)];
	assert_eq!((after_idle(1, 3, &honest), after_idle(2, 3, &honest)), (51_100, 51_001));
	assert_eq!(
		after_idle(1_000, 3, &honest),
		30_000,
		"what the dearest asks, who then holds it there"
	);
	let held = [(1, 51_200), (2, 20_000), (3, 30_000)];
	assert_eq!(after_idle(1_000, 3, &held), 51_200);
	// All of them are paid so.
	let price = clear(&held, 3, Some(51_200), |id| id).map(|auction| auction.price);
	assert_eq!(price, Some(51_200));
}

#[test]
fn who_holds_the_reserve_should_lose_its_place_to_any_cheaper_newcomer() {
	let contested = [(1, 51_200), (2, 20_000), (3, 30_000), (4, 50_000)];
	let reserve = after_idle(1, 3, &contested);
	assert_eq!(reserve, 51_100);
	let auction = clear(&contested, 3, Some(reserve), |id| id);
	assert_eq!(
		auction,
		Some(Auction {
			price: 51_100,
			winners: alloc::vec![2, 3, 4]
		})
	);
	assert_eq!(after_idle(1_000, 3, &contested), 50_000);
}

#[test]
fn a_winner_should_hold_the_reserve_below_a_loser_who_asks_hardly_less() {
	// It would fall below what the first loser asks, who then sets the price no more.
	let price = |ask: u128| {
		let asks = [(1, ask), (2, 51_150)];
		clear(&asks, 1, Some(after_idle(1, 1, &asks)), |id| id).map(|auction| auction.price)
	};
	assert_eq!(
		(price(10_000), price(51_120), price(51_150)),
		(Some(51_100), Some(51_120), Some(51_150))
	);
}

#[test]
fn a_bidder_with_two_places_should_gain_by_withholding_one() {
	// It asks 10 twice, others 30 and 40, for three places below 100.
	let price = |asks: &[(u32, u128)]| clear(asks, 3, Some(100), |id| id).map_or(0, |auction| auction.price);
	let both = price(&[(1, 10), (2, 10), (3, 30), (4, 40)]);
	let one = price(&[(1, 10), (3, 30), (4, 40)]);
	assert_eq!((both, one), (40, 100));
	assert!(one - 10 > 2 * (both - 10));
}

#[test]
fn a_bidder_that_stays_away_should_raise_the_reserve_when_its_place_stays_empty() {
	let next = |jobs: u64, winners| {
		let used = utilisation(jobs * ONE, winners, 10);
		next_reserve(51_200, used, Some(10_000), 0, u128::MAX)
	};
	// The work of nine tenths of a winner makes one busy and two idle.
	assert_eq!((next(9, 1), next(9, 2)), (51_300, 51_100));
	assert_eq!((next(20, 2), next(20, 3)), (51_300, 51_200));
}

#[test]
fn a_lone_bidder_of_a_first_clearing_should_set_its_price() {
	let price = |ask| clear(&[(1u32, ask)], 3, None, |id| id).map(|auction| auction.price);
	assert_eq!((price(10), price(1_000)), (Some(10), Some(1_000)));
}

#[test]
fn no_winner_of_a_first_clearing_should_set_its_price_when_somebody_loses() {
	// And so not the reserve either, which begins there.
	let price = |ask| clear(&[(1u32, 10), (2, ask), (3, 90)], 2, None, |id| id).map(|auction| auction.price);
	assert_eq!((price(20), price(89)), (Some(90), Some(90)));
	// Whoever asks more than the other has lost.
	assert_eq!(price(91), Some(91));
}
