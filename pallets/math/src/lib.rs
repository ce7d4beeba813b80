//! The integer mathematics of the market: pure functions, no FRAME, no storage, no floats.
//!
//! Amounts are `u128` in the smallest unit of AIC. Nothing here panics; what could overflow saturates or returns `None`,
//! and says which.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]

extern crate alloc;

pub mod auction;
pub mod audit;
pub mod deadline;
pub mod demand;
pub mod draw;
pub mod emission;
pub mod pool;
pub mod promotion;
pub mod reliability;
pub mod split;
pub mod subsidy;
