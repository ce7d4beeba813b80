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
/// Asks above `most` lose and do not count, but the cheapest quarter of all asks always counts: a price that is kept down
/// must not empty the market. Of three or more asks one alone cannot move the price beyond its neighbour's; nobody is paid
/// less than it asked, and equal asks all win. `None` if there are no asks.
pub fn posted<Id: Copy>(asks: &[(Id, u128)], most: Option<u128>) -> Option<Cleared<Id>> {
	let mut prices: Vec<u128> = asks.iter().map(|(_, ask)| *ask).collect();
	prices.sort_unstable();
	let last = prices.len().checked_sub(1)?;
	if let Some(most) = most {
		let most = most.max(*prices.get(last / 4)?);
		prices.retain(|price| *price <= most);
	}
	let middle = prices.len().checked_sub(1)? / 2;
	let price = *prices.get(middle)?;
	let winners = asks
		.iter()
		.filter(|(_, ask)| *ask <= price)
		.map(|(id, _)| *id)
		.collect();
	Some(Cleared { price, winners })
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::vec;
	use proptest::prelude::*;

	#[test]
	fn posted_should_be_none_when_nobody_asks() {
		assert_eq!(posted::<u32>(&[], None), None);
	}

	#[test]
	fn posted_should_pay_the_ask_when_there_is_one() {
		assert_eq!(
			posted(&[(7u32, 40)], None),
			Some(Cleared {
				price: 40,
				winners: vec![7]
			})
		);
	}

	#[test]
	fn posted_should_take_the_lower_middle_when_the_number_is_even() {
		let asks = [(1u32, 40), (2, 10), (3, 30), (4, 20)];
		assert_eq!(
			posted(&asks, None),
			Some(Cleared {
				price: 20,
				winners: vec![2, 4]
			})
		);
	}

	#[test]
	fn posted_should_let_all_equal_asks_win() {
		let asks = [(1u32, 10), (2, 10), (3, 10), (4, 10)];
		assert_eq!(
			posted(&asks, None),
			Some(Cleared {
				price: 10,
				winners: vec![1, 2, 3, 4]
			})
		);
	}

	#[test]
	fn posted_should_leave_out_asks_above_the_most_when_cheaper_ones_are_there() {
		// Two of three ask much: without the bound they would set the price.
		let asks = [(1u32, 10), (2, 1_000), (3, 2_000)];
		assert_eq!(posted(&asks, None).map(|cleared| cleared.price), Some(1_000));
		let alone = Cleared {
			price: 10,
			winners: vec![1],
		};
		assert_eq!(posted(&asks, Some(20)), Some(alone));
	}

	#[test]
	fn posted_should_keep_the_cheapest_quarter_when_all_ask_more_than_the_most() {
		let asks: Vec<(u32, u128)> = (0..8).map(|node| (node, 100 + u128::from(node))).collect();
		// 100 and 101 count; their lower median wins.
		assert_eq!(posted(&asks, Some(0)).map(|cleared| cleared.price), Some(100));
		assert_eq!(posted(&[(7u32, 40)], Some(0)).map(|cleared| cleared.price), Some(40));
	}

	fn asks() -> impl Strategy<Value = Vec<(usize, u128)>> {
		// Few distinct prices beside arbitrary ones, so that ties are common.
		let ask = prop_oneof![0u128..5, Just(u128::MAX), any::<u128>()];
		prop::collection::vec(ask, 1..=64).prop_map(|asks| asks.into_iter().enumerate().collect())
	}

	proptest! {
		#[test]
		fn nobody_should_be_paid_below_its_ask(asks in asks()) {
			let cleared = posted(&asks, None).expect("there are asks");
			for (id, ask) in &asks {
				prop_assert_eq!(cleared.winners.contains(id), *ask <= cleared.price);
			}
		}

		#[test]
		fn price_should_be_one_of_the_asks(asks in asks()) {
			let price = posted(&asks, None).expect("there are asks").price;
			prop_assert!(asks.iter().any(|(_, ask)| *ask == price));
		}

		#[test]
		fn at_least_half_should_win(asks in asks()) {
			let winners = posted(&asks, None).expect("there are asks").winners.len();
			prop_assert!(winners * 2 >= asks.len());
		}

		#[test]
		fn price_should_not_exceed_the_most_while_a_quarter_asks_no_more(asks in asks(), most in any::<u128>()) {
			let cleared = posted(&asks, Some(most)).expect("there are asks");
			let below = asks.iter().filter(|(_, ask)| *ask <= most).count();
			if below * 4 >= asks.len() {
				prop_assert!(cleared.price <= most);
				prop_assert!(cleared.winners.len() * 2 >= below);
			}
			prop_assert!(cleared.winners.len() * 8 >= asks.len());
			prop_assert!(cleared.price <= posted(&asks, None).expect("there are asks").price);
		}

		#[test]
		fn the_most_should_change_nothing_when_nobody_asks_more(asks in asks()) {
			prop_assert_eq!(posted(&asks, Some(u128::MAX)), posted(&asks, None));
		}

		#[test]
		fn winners_should_keep_the_order_of_the_asks(asks in asks()) {
			let winners = posted(&asks, None).expect("there are asks").winners;
			prop_assert!(winners.windows(2).all(|pair| pair[0] < pair[1]));
		}

		#[test]
		fn one_ask_should_not_move_the_price_beyond_its_neighbours(
			asks in asks(),
			who in any::<prop::sample::Index>(),
			new in any::<u128>(),
		) {
			let mut sorted: Vec<u128> = asks.iter().map(|(_, ask)| *ask).collect();
			sorted.sort_unstable();
			let middle = (sorted.len() - 1) / 2;
			let mut changed = asks.clone();
			let who = who.index(changed.len());
			changed[who].1 = new;
			let price = posted(&changed, None).expect("there are asks").price;
			// With one or two asks the median has no neighbour on some side: nothing bounds a lone seller but demand.
			if middle > 0 {
				prop_assert!(price >= sorted[middle - 1]);
			}
			if middle + 1 < sorted.len() {
				prop_assert!(price <= sorted[middle + 1]);
			}
		}
	}
}
