//! What a single bidder gains by not telling the truth, through the market's own clearing: the reserve that moves before, the
//! places, the book of asks.

use super::*;
use crate::{
	pallet::{Asks, Markets},
	types::{Ask, AskBook, EpochPlaces, MarketState, RolePlaces},
};
use highway_math::{
	auction::IDLE,
	demand::{utilisation, Demand, ONE},
};
use proptest::{
	collection::vec,
	prelude::*,
	sample::Index,
	test_runner::{Config, TestRunner},
};
use std::cell::Cell;

const MARKETS: u32 = 20_000;

/// In one of so many markets everything is tried that could make a difference: just above and below what each rival asks and the
/// reserve. In the others some of it.
const ALL_TRIED_IN: usize = 8;

/// The most bidders of a market here: more than places, or fewer.
const BIDDERS: usize = 6;

/// The epoch that is cleared. The one before had jobs.
const NOW: EpochIndex = 2;

/// A market as one of its bidders meets it.
#[derive(Clone, Debug)]
struct Met {
	/// What each asks: `who` its cost, the others whatever they like.
	asks: Vec<Balance>,
	who: usize,
	/// The reserve of the epoch before.
	reserve: Balance,
	/// What the dearest winner of that epoch asked.
	dearest: Balance,
	/// How many had a place in it.
	winners: u32,
	/// The average of jobs that its places were made for.
	jobs: u64,
}

impl Met {
	/// The last epoch moves the reserve of this one.
	fn store(&self) {
		let compute = RolePlaces {
			winners: self.winners,
			dearest: self.dearest,
		};
		let latest = EpochPlaces {
			epoch: NOW - 1,
			compute,
			..Default::default()
		};
		let state = MarketState {
			demand: Demand {
				ema: self.jobs * ONE,
				epoch: NOW - 1,
				jobs: 1,
			},
			latest: Some(latest),
			compute_reserve: Some(self.reserve),
			..Default::default()
		};
		Markets::<Test>::insert(MODEL, state);
	}

	/// What `who` earns per unit if it asks so much; `None`: if it stays away.
	fn earned(&self, ask: Option<Balance>) -> i128 {
		let said = |(node, other): (usize, &Balance)| Ask {
			current: if node == self.who { ask } else { Some(*other) },
			..Ask::none(node as NodeId)
		};
		let book: Vec<Ask> = self.asks.iter().enumerate().map(said).collect();
		Asks::<Test>::insert(MODEL, AskRole::Compute, AskBook::truncate_from(book));
		match Split::clearing_now(MODEL, NOW) {
			Ok(record) if record.executors.contains(&(self.who as NodeId)) => {
				record.compute_price as i128 - self.asks[self.who] as i128
			}
			_ => 0,
		}
	}

	/// What could make a difference: staying away, the ends; each ask, the reserve as it was, and a step below it, met,
	/// undercut and exceeded.
	fn deviations(&self) -> Vec<Option<Balance>> {
		let step = self.reserve - (self.reserve / 512).max(1);
		let edges = self.asks.iter().chain([&self.reserve, &self.dearest, &step]);
		let around = edges.flat_map(|edge| [edge.saturating_sub(1), *edge, edge + 1]);
		around.chain([0, MAX_ASK]).map(Some).chain([None]).collect()
	}
}

/// Idle and busy ones, with and without a loser.
fn met() -> impl Strategy<Value = Met> {
	let asks = vec(400u128..2_600, 1..=BIDDERS);
	let before = (512u128..2_560, any::<Index>(), 1u32..5, 0u64..24);
	(asks, any::<Index>(), before).prop_map(|(asks, who, (reserve, dearest, winners, jobs))| Met {
		who: who.index(asks.len()),
		asks,
		reserve,
		dearest: dearest.index(reserve as usize + 1) as Balance,
		winners,
		jobs,
	})
}

#[test]
fn truth_should_be_dominant_in_the_market_itself() {
	// Asks and markets are put into the storage, without the bonds and jobs behind them: its invariants do not hold after.
	ExtBuilder.build().execute_with(|| {
		for node in 0..BIDDERS as NodeId {
			host(node, MODEL);
		}
		go_to_epoch(NOW);
		// Markets whose reserve falls, and of them those in which nobody loses.
		let (idle, idle_without_a_loser) = (Cell::new(0u32), Cell::new(0u32));
		let games = (met(), vec(any::<Index>(), 6));
		let config = Config {
			failure_persistence: None,
			..Config::with_cases(MARKETS)
		};
		let played = TestRunner::new(config).run(&games, |(met, picks)| {
			met.store();
			if utilisation(met.jobs * ONE, met.winners, JOBS_PER_WINNER) < IDLE {
				idle.set(idle.get() + 1);
				let places = Split::places(&Markets::<Test>::get(MODEL), NOW) as usize;
				let taking_part = met.asks.iter().filter(|ask| **ask <= met.reserve).count();
				idle_without_a_loser.set(idle_without_a_loser.get() + u32::from(taking_part <= places));
			}
			let truthful = met.earned(Some(met.asks[met.who]));
			prop_assert!(truthful >= 0);
			let deviations = met.deviations();
			// The reserve as it was and as it may have become would hold it, if an ask could in its own epoch.
			let held = [met.reserve, met.reserve - (met.reserve / 512).max(1)].map(Some);
			let some: Vec<_> = picks.iter().map(|pick| *pick.get(&deviations)).chain(held).collect();
			let tried = if picks[0].index(ALL_TRIED_IN) == 0 {
				deviations
			} else {
				some
			};
			for ask in tried {
				let earned = met.earned(ask);
				prop_assert!(earned <= truthful, "{:?} earns {} and not {}", ask, earned, truthful);
			}
			Ok(())
		});
		played.unwrap();
		assert!(
			idle_without_a_loser.get() > MARKETS / 20,
			"those that could be held are among them"
		);
		assert!(idle.get() - idle_without_a_loser.get() > MARKETS / 100);
		assert!(idle.get() < MARKETS);
	});
}
