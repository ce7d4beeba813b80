//! How a role's price is found from its asks. Another way of finding it replaces this file and nothing else.

use highway_math::clearing::{self, Cleared};
use highway_primitives::{Balance, NodeId};

/// Price and winners from the asks that hold in the epoch, at most one per node: posted prices. `None` without asks.
pub(crate) fn discover(asks: &[(NodeId, Balance)]) -> Option<Cleared<NodeId>> {
	clearing::posted(asks)
}
