//! What bidders, payers, makers and curators gain against the market's rules: see `scripts/simulate-market`.
//!
//! ```text
//! bidders ── random markets of one epoch, on highway-math alone
//! chain ──── the market's real pallets; months: one model's market on it, epoch by epoch
//! table ──── figures, what each must be, a verdict
//! ```
//!
//! Every other module is one attack, or one kind of it: it makes one table. docs/MARKET-ATTACKS.md says why what is left over
//! is tolerable. `conservation` is no attack: it counts the coins of a million random jobs.

mod bidders;
mod chain;
mod commitments;
mod conservation;
mod curators;
mod first;
mod holding;
mod looking;
mod moments;
mod months;
mod parents;
mod places;
mod promotion;
mod reserves;
mod royalties;
mod steering;
mod storage;
mod subsidies;
mod sybils;
mod table;
mod withholding;

pub use table::{Bound, Row, Table};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::thread;

/// Every simulation, in the order of the docs.
const SIMULATIONS: [fn(Size) -> Table; 17] = [
	withholding::table,
	sybils::table,
	places::table,
	looking::table,
	commitments::table,
	moments::table,
	reserves::table,
	holding::table,
	steering::table,
	first::table,
	storage::table,
	subsidies::table,
	royalties::table,
	parents::table,
	curators::table,
	promotion::table,
	conservation::table,
];

/// How much is played.
#[derive(Clone, Copy, Debug)]
pub struct Size {
	/// Random markets per line; where each is played in many ways, fewer. The error falls with the root.
	pub markets: u32,
	/// Random jobs whose coins are counted.
	pub jobs: u32,
	/// Seed of all chance.
	pub seed: u64,
}

impl Size {
	/// The chance of the next line of a table: it depends on the table and the line's place in it, nothing else.
	fn rng(&self, table: &Table) -> ChaCha8Rng {
		let name = table
			.name
			.bytes()
			.fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
		let line = (table.rows.len() as u64).wrapping_mul(1 << 32);
		ChaCha8Rng::seed_from_u64(self.seed.wrapping_add(name).wrapping_add(line))
	}
}

/// Runs all simulations, side by side.
pub fn run(size: Size) -> Vec<Table> {
	thread::scope(|scope| {
		let running = SIMULATIONS.map(|simulation| scope.spawn(move || simulation(size)));
		let joined = running.map(|table| table.join());
		// What panicked has said why.
		joined.map(|table| table.expect("a simulation runs to its end")).into()
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::collections::BTreeSet;

	/// The same as the program's, with fewer markets and jobs.
	const SMALL: Size = Size {
		markets: 3_000,
		jobs: 20_000,
		seed: 1,
	};

	#[test]
	fn every_figure_should_be_what_is_stated() {
		let tables = run(SMALL);
		let names: BTreeSet<_> = tables.iter().map(|table| table.name).collect();
		assert_eq!(names.len(), SIMULATIONS.len(), "each name is another seed");
		for table in tables {
			assert!(!table.rows.is_empty(), "{} has no lines", table.name);
			let failed: Vec<_> = table.rows.iter().filter(|row| !row.passes()).collect();
			assert!(failed.is_empty(), "{}: {failed:#?}", table.name);
		}
	}

	#[test]
	fn figures_should_be_the_same_when_the_seed_is() {
		let size = Size {
			markets: 500,
			jobs: 2_000,
			seed: 7,
		};
		let figures = || -> Vec<u64> {
			let tables = [withholding::table(size), promotion::table(size), moments::table(size)];
			let rows = tables.into_iter().flat_map(|table| table.rows);
			rows.map(|row| row.figure.to_bits()).collect()
		};
		assert_eq!(figures(), figures());
	}
}
