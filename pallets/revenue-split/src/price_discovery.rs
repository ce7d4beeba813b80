//! How a role's price is found from its asks. Another way of finding it replaces this file and nothing else.

use highway_math::clearing::{self, Cleared};
use highway_primitives::{Balance, NodeId};

/// How many times the last price a price may be. Whoever wants more has to persuade the cheapest quarter of the asks, or
/// to wait an epoch for each doubling, in which others may come.
const MAX_RISE: Balance = 2;

/// Price and winners from the asks that hold in the epoch, at most one per node: posted prices, bounded by the `last` price
/// of the model if there is one. `None` without asks.
pub(crate) fn discover(asks: &[(NodeId, Balance)], last: Option<Balance>) -> Option<Cleared<NodeId>> {
	clearing::posted(asks, last.map(|price| price.saturating_mul(MAX_RISE)))
}
