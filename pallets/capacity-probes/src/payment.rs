//! The only file that moves money: treasury → operator.

use crate::{Config, Pallet};
use frame_support::traits::{fungible::Mutate, tokens::Preservation, Get};
use highway_primitives::{traits::Nodes, Balance, NodeId};

impl<T: Config> Pallet<T> {
	/// Pays the node's operator out of the treasury: all of it or, if the treasury would die or the operator's account
	/// cannot take it, nothing. Returns what was paid: a proof counts, paid or not.
	pub(crate) fn pay(node: NodeId, amount: Balance) -> Balance {
		let Some(operator) = T::Nodes::operator(node).filter(|_| amount > 0) else {
			return 0;
		};
		T::Currency::transfer(&T::Treasury::get(), &operator, amount, Preservation::Preserve).unwrap_or_default()
	}
}
