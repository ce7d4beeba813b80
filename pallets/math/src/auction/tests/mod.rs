//! Tests of the auction: what it pays, what a bidder gains by not telling the truth, how the reserve moves.

mod incentives;
mod prices;
mod reserve;
