//! The sealed auction of a role: K like places, one price for all winners, and a reserve above which nobody is paid.
//!
//! The K cheapest asks win, and every winner is paid the first *losing* ask: Vickrey, "Counterspeculation, Auctions,
//! and Competitive Sealed Tenders" (Journal of Finance 16, 1961), for several like places, also called the uniform
//! (k+1)-price auction (Krishna, "Auction Theory", 2nd edition, 2010, chapters 12 and 13). The reserve bounds what is
//! paid, after Myerson, "Optimal Auction Design" (Mathematics of Operations Research 6, 1981).
//!
//! # What holds
//!
//! * No winner is paid less than its ask or more than the reserve.
//! * **Truth is a dominant strategy for whoever holds one place, whatever the reserve is.** Its own ask decides whether
//!   it wins, never what it is paid: a winner is paid the same whatever it asks as long as it wins, and an ask below
//!   its cost wins only where the price is below its cost, too. With and without a loser, with and without ties,
//!   whatever the others ask.
//! * No ask at or below the reserve raises it. What moves it is how much there was to do for how many winners
//!   ([`next_reserve`]); asks alone stop its fall, those of the epoch before: the reserve of an epoch is known before
//!   anybody asks for it, so the ask that is cleared at it does not move it. Whoever could have won and leaves its place empty raises it by at
//!   most 1/512 of it; by 2/512, if only one other won. In a full market, which has others for all places, nobody
//!   raises it.
//! * A fall of the reserve turns nobody away who asks what it asked before: whoever won at the reserve as it was wins at
//!   what it has become. So bidders who all ask just their cost, or a lone one, serve on however little there is to do.
//!
//! # What does not hold
//!
//! * *Holding the reserve.* A fall stops at the dearest ask that wins. So where nobody loses, or only above what the
//!   reserve would fall to, a winner that asks more than its cost keeps it from falling below that, for itself and all
//!   others. It gains nothing in the epoch that it asks for, and in later ones that the reserve does not fall, and
//!   nothing more: 1/512 of it in the next epoch, 2/512 in the one after that, until it is what the next dearest winner
//!   asks. It cannot raise it, and it risks its place: once others ask less for all places, it has none, and the
//!   reserve falls.
//! * *Several places in one hand.* Whoever holds two places may gain by withholding one, so that the first losing ask
//!   is dearer: Ausubel et al., "Demand Reduction and Inefficiency in Multi-Unit Auctions" (Review of Economic Studies
//!   81, 2014). A place of one's own costs a node, its bond and its capacity, so that a lower price is not all that is
//!   at stake.
//! * *Places that stay empty.* Whoever leaves one empty for an epoch loses what it earns, and has the reserve higher by
//!   1/512 (or 2/512) in the epochs to come, until somebody enters or demand falls: that pays after 512 (or 256) ·
//!   (1 − cost / reserve) epochs at the soonest. It is also how a price finds its way up to what nodes will work for.
//! * *Everybody in one hand.* Whoever alone can serve at or below the reserve may ask more than it, be paid nothing,
//!   and have it raised by 1/8 in each such epoch ([`starved_reserve`]), up to whatever it likes: that pays after 8 ·
//!   (1 − cost / reserve) epochs. Anybody else's ask at or below the reserve ends it. What bounds a lone seller is that
//!   others may come, and what payers are willing to pay.
//! * *A first clearing* has no reserve yet, and the reserve starts at its price. Without a loser its dearest winner
//!   sets both. With one the first loser does: no winner, and it is paid nothing for it; in one hand with a winner it
//!   is what two places are.

use alloc::vec::Vec;
use sp_arithmetic::Perbill;

/// Utilisation above which the reserve rises: as much as the winners have to do if all places are taken, see
/// [`crate::demand::places`]. More means that places are empty, or that there are no more of them.
pub const BUSY: Perbill = Perbill::from_percent(80);

/// Utilisation below which the reserve falls.
pub const IDLE: Perbill = Perbill::from_percent(50);

/// The reserve moves by one part of so many in an epoch.
pub const STEPS: u128 = 512;

/// A starved market's reserve rises by one part of so many in an epoch.
pub const STARVED_STEPS: u128 = 8;

/// What an auction found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Auction<Id> {
	/// Price per unit, paid to every winner alike.
	pub price: u128,
	/// Who serves, cheapest first; never empty.
	pub winners: Vec<Id>,
}

/// Gives `places` places to the cheapest of `asks`, at most one ask per bidder.
///
/// Asks above `reserve` lose. Price = min(first losing ask, reserve); the reserve, if no ask lost at or below it.
/// Without a reserve, in a first clearing, no ask is too dear, and if none lost, the price is the highest winning one.
/// The reserve begins at the price of such a clearing.
///
/// Equal asks are ordered by what `tie` makes of their bidder, smaller first: a hash of it and a seed that nobody knew
/// while asks were taken, so that no name wins all ties. `None` if nobody wins: without places, or without an ask at or
/// below the reserve.
pub fn clear<Id: Copy, Key: Ord>(
	asks: &[(Id, u128)],
	places: u32,
	reserve: Option<u128>,
	tie: impl Fn(Id) -> Key,
) -> Option<Auction<Id>> {
	let mut ranked: Vec<(u128, Key, Id)> = asks
		.iter()
		.filter(|(_, ask)| reserve.is_none_or(|reserve| *ask <= reserve))
		.map(|(id, ask)| (*ask, tie(*id), *id))
		.collect();
	ranked.sort_by(|(ask, key, _), (other_ask, other_key, _)| (ask, key).cmp(&(other_ask, other_key)));
	let places = (places as usize).min(ranked.len());
	let (highest_winning, ..) = ranked.get(places.checked_sub(1)?)?;
	let first_losing = ranked.get(places).map(|(ask, ..)| *ask);
	let price = first_losing.or(reserve).unwrap_or(*highest_winning);
	ranked.truncate(places);
	let winners = ranked.into_iter().map(|(_, _, id)| id).collect();
	Some(Auction { price, winners })
}

/// The dearest ask that wins at `reserve`, if there are so many `places`. `None` if nobody wins.
///
/// Ties do not matter: whoever of equal bidders wins, this is what it asks.
pub fn dearest_winner<Id>(asks: &[(Id, u128)], places: u32, reserve: u128) -> Option<u128> {
	let taking_part = asks.iter().map(|(_, ask)| *ask).filter(|ask| *ask <= reserve);
	let mut sorted: Vec<u128> = taking_part.collect();
	sorted.sort_unstable();
	let winners = (places as usize).min(sorted.len());
	sorted.get(winners.checked_sub(1)?).copied()
}

/// The reserve after a cleared epoch whose winners were used so much: 1/512 more above 80 %, 1/512 less below 50 %,
/// else the same; at least one unit, if it moves; within `min` and `max`.
///
/// A fall goes no further than to `dearest`, what the [`dearest_winner`] of that epoch asked. Where nobody won there is
/// no fall. Else bidders who ask just their cost would lose a market by having too little to do, and so would whoever
/// buys there. Not the dearest of the epoch to come: what somebody asks must not move what it is paid for it.
///
/// It follows no prices up: one that does is driven up by whoever sets them. At most 513/512 per epoch is 33 % in 144
/// epochs, a day of ten-minute epochs; others have the time to come.
pub fn next_reserve(reserve: u128, utilisation: Perbill, dearest: Option<u128>, min: u128, max: u128) -> u128 {
	let step = (reserve / STEPS).max(1);
	let moved = if utilisation > BUSY {
		reserve.saturating_add(step)
	} else if utilisation < IDLE {
		let floor = dearest.unwrap_or(reserve).min(reserve);
		reserve.saturating_sub(step).max(floor)
	} else {
		reserve
	};
	within(moved, min, max)
}

/// The reserve after an epoch in which all asks were above it: 1/8 more, at least one unit, at most `max`.
///
/// It does not see the asks either: one that went to the cheapest of them would pay whoever asks more.
pub fn starved_reserve(reserve: u128, max: u128) -> u128 {
	let step = (reserve / STARVED_STEPS).max(1);
	reserve.saturating_add(step).min(max)
}

/// What each place was paid in an epoch that paid all `winners` of them `paid`, rounded up. What stands behind an ask follows it.
pub fn place_pay(paid: u128, winners: u32) -> u128 {
	paid.div_ceil(winners.max(1).into())
}

/// What of `min` to `max` is nearest to `value`. If they contradict each other, `min` holds.
fn within(value: u128, min: u128, max: u128) -> u128 {
	value.min(max).max(min)
}

#[cfg(test)]
mod tests;
