//! How a price is found from the asks of one role.

use alloc::vec::Vec;

/// A role's price in one market epoch and who serves at it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cleared<Id> {
	/// Price per unit, paid to every winner alike.
	pub price: u128,
	/// Who serves, in the order of the asks given.
	pub winners: Vec<Id>,
}

/// Posted prices: the price is the lower median of the asks, and every ask at or below it wins.
///
/// One ask alone cannot move the price beyond its neighbour's, nobody is paid less than it asked, and equal asks all
/// win. `None` if there are no asks.
pub fn posted<Id: Copy>(asks: &[(Id, u128)]) -> Option<Cleared<Id>> {
	let mut prices: Vec<u128> = asks.iter().map(|(_, ask)| *ask).collect();
	prices.sort_unstable();
	let middle = prices.len().checked_sub(1)? / 2;
	let price = *prices.get(middle)?;
	let winners = asks.iter().filter(|(_, ask)| *ask <= price).map(|(id, _)| *id).collect();
	Some(Cleared { price, winners })
}
