//! Makers of derived models who would rather not pay the parents: on the real registry.

use super::{
	chain::{AccountId, Chain, MAKER},
	table::{Bound, Table},
	Size,
};
use highway_primitives::{
	model::{DerivativeTerms, MAX_LINEAGE},
	Balance, ModelId,
};
use sp_runtime::{DispatchError, Perbill};

/// Whoever evades.
const EVADER: AccountId = 50;

/// What an honest child asks per unit.
const ROYALTY: Balance = 1_000_000;

/// The parent's share of a child's royalty, in percent.
const SHARE: u32 = 20;

/// The parent's floor, where it has one: three quarters of what an honest child pays.
const FLOOR: Balance = 150_000;

fn terms(share: u32, floor: Balance) -> Option<DerivativeTerms> {
	Some(DerivativeTerms {
		share: Perbill::from_percent(share),
		floor,
	})
}

/// Registers the evader's model below a parent with this floor, through so many models of its own in between, each with
/// terms of its own, and with this royalty. Returns what the parent earns per unit.
fn parent_earns(
	floor: Balance,
	between: u32,
	own: Option<DerivativeTerms>,
	royalty: Balance,
) -> Result<Balance, DispatchError> {
	Chain::run(|chain| {
		let parent = chain.register(MAKER, "parent", None, terms(SHARE, floor), 0)?;
		let mut above = parent;
		for index in 0..between {
			above = chain.register(EVADER, &format!("between-{index}"), Some(above), own, royalty)?;
		}
		let child = chain.register(EVADER, "child", Some(above), None, royalty)?;
		Ok(line(chain, child, parent))
	})
}

/// What the owner of `of` earns for a unit of `model`. All lines together are the royalty: nobody pays more.
fn line(chain: &Chain, model: ModelId, of: ModelId) -> Balance {
	let lines = chain.royalties(model);
	lines
		.iter()
		.filter(|line| line.model == of)
		.map(|line| line.per_unit)
		.sum()
}

/// What the parent loses, in percent of what an honest child pays it.
fn loss(earns: Balance) -> f64 {
	let honest = Perbill::from_percent(SHARE) * ROYALTY;
	100.0 * (1.0 - earns as f64 / honest as f64)
}

pub(super) fn table(_: Size) -> Table {
	const UNIT: &str = "% of the parent's due";
	let mut table = Table::new(
		"parents",
		"Can the maker of a derived model evade what it owes to the parents?",
	);
	let honest = parent_earns(FLOOR, 0, None, ROYALTY).expect("an honest child is valid");
	table.exact("an honest child", loss(honest), UNIT, Bound::promised(0.0, 0.0), "");
	let free = parent_earns(0, 0, None, 0).expect("no floor forbids it");
	table.exact(
		"asks no royalty, and earns by running the model; the parent has no floor",
		loss(free),
		UNIT,
		Bound::left_over(100.0, 100.0),
		"a share of nothing is nothing: a parent that wants something sets a floor",
	);
	let refused = parent_earns(FLOOR, 0, None, 0);
	let least = parent_earns(FLOOR, 0, None, FLOOR).expect("as much as the floor is enough");
	table.exact(
		"the same where the parent has a floor: asks the floor, and no more",
		loss(least),
		UNIT,
		Bound::left_over(20.0, 30.0),
		"what is above the floor can be evaded; less than the floor is refused",
	);
	table.require(refused.is_err() && least == FLOOR);
	let most_between = MAX_LINEAGE - 1;
	let own = terms(SHARE, 0);
	let far = parent_earns(0, most_between, own, ROYALTY).expect("as far as lineage goes");
	table.exact(
		format!("puts {most_between} models of its own between; no floor"),
		loss(far),
		UNIT,
		Bound::left_over(95.0, 100.0),
		"a share of a share of a share of a share",
	);
	let far = parent_earns(FLOOR, most_between, terms(SHARE, FLOOR), ROYALTY).expect("with the floor it owes");
	table.exact(
		format!("puts {most_between} models of its own between; a floor"),
		loss(far),
		UNIT,
		Bound::left_over(20.0, 30.0),
		"the floor reaches every ancestor, whatever lies between",
	);
	table.require(far == FLOOR);
	let tries = [
		parent_earns(FLOOR, 1, terms(SHARE, FLOOR - 1), ROYALTY),
		parent_earns(FLOOR, 1, terms(SHARE - 1, FLOOR), ROYALTY),
		parent_earns(FLOOR, MAX_LINEAGE, terms(SHARE, FLOOR), ROYALTY),
		lowered(),
	];
	let allowed = tries.iter().filter(|tried| tried.is_ok()).count();
	table.exact(
		"a lower floor or share between, a longer lineage, a royalty lowered later: allowed",
		allowed as f64,
		"of 4",
		Bound::Nothing,
		"all are refused",
	);
	table
}

/// A child with a royalty as high as the floor, which lowers it once it is registered.
fn lowered() -> Result<Balance, DispatchError> {
	Chain::run(|chain| {
		let parent = chain.register(MAKER, "parent", None, terms(SHARE, FLOOR), 0)?;
		let child = chain.register(EVADER, "child", Some(parent), None, ROYALTY)?;
		chain.set_royalty(EVADER, child, FLOOR - 1)?;
		Ok(line(chain, child, parent))
	})
}
