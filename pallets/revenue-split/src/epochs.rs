//! The market's clock: epochs, what may be said in which part of one, and what breaks ties in it.

use crate::pallet::{Config, EpochLength, EpochSeed, Pallet};
use codec::Encode;
use frame_support::traits::Randomness;
use highway_primitives::{market::MarketPhase, traits::MarketClock, BlockNumber, EpochIndex};
use sp_runtime::traits::SaturatedConversion;

/// Separates the draws of ties from other hashes.
const TIE_DOMAIN: &[u8; 13] = b"highway/tie/1";

impl<T: Config> Pallet<T> {
	/// The market epoch of this block.
	pub fn current_epoch() -> EpochIndex {
		Self::epoch_at(Self::now())
	}

	/// The market epoch of `block`.
	pub(crate) fn epoch_at(block: BlockNumber) -> EpochIndex {
		block.checked_div(EpochLength::<T>::get()).unwrap_or_default()
	}

	/// The first block of `epoch`.
	pub fn first_block_of(epoch: EpochIndex) -> BlockNumber {
		epoch.saturating_mul(EpochLength::<T>::get())
	}

	/// The last block of `epoch`.
	pub fn last_block_of(epoch: EpochIndex) -> BlockNumber {
		Self::first_block_of(epoch.saturating_add(1)).saturating_sub(1)
	}

	/// The first block of `epoch` in which the asks for the next one are revealed.
	fn first_reveal_of(epoch: EpochIndex) -> BlockNumber {
		Self::first_block_of(epoch).saturating_add(reveals_from(EpochLength::<T>::get()))
	}

	/// What nodes may say in this block about the asks of the next epoch, and the last block in which they may: commit in
	/// the first two thirds of an epoch, reveal in the last one.
	pub fn phase() -> (MarketPhase, BlockNumber) {
		Self::phase_at(Self::now())
	}

	/// The same in `block`.
	pub(crate) fn phase_at(block: BlockNumber) -> (MarketPhase, BlockNumber) {
		let epoch = Self::epoch_at(block);
		let first_reveal = Self::first_reveal_of(epoch);
		if block < first_reveal {
			(MarketPhase::Commit, first_reveal.saturating_sub(1))
		} else {
			(MarketPhase::Reveal, Self::last_block_of(epoch))
		}
	}

	/// The first block of the phase that `block` is in.
	pub(crate) fn phase_from(block: BlockNumber) -> BlockNumber {
		let epoch = Self::epoch_at(block);
		match Self::phase_at(block).0 {
			MarketPhase::Commit => Self::first_block_of(epoch),
			MarketPhase::Reveal => Self::first_reveal_of(epoch),
		}
	}

	/// Stores what breaks ties in the epoch that begins with this block, if one does. Returns whether it does.
	///
	/// All asks of the epoch are revealed by then. The author of the block before has known its own randomness for longer,
	/// but it has committed to its own asks longer ago.
	pub(crate) fn begin_epoch() -> bool {
		let epoch = Self::current_epoch();
		if Self::now() != Self::first_block_of(epoch) {
			return false;
		}
		let subject = (TIE_DOMAIN, epoch).encode();
		let seed = match T::Randomness::random(&subject).0 {
			Some(randomness) => sp_io::hashing::blake2_256(&(randomness, subject).encode()),
			None => sp_io::hashing::blake2_256(&(frame_system::Pallet::<T>::parent_hash(), subject).encode()),
		};
		EpochSeed::<T>::put(seed);
		true
	}

	/// This block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}

/// From which block of an epoch of `length` blocks asks are revealed, counted from 0. At least one block is left for each
/// phase, if the epoch has three.
fn reveals_from(length: BlockNumber) -> BlockNumber {
	length.saturating_sub(length / 3)
}

impl<T: Config> MarketClock for Pallet<T> {
	fn epoch() -> (EpochIndex, BlockNumber) {
		let epoch = Self::current_epoch();
		(epoch, Self::first_block_of(epoch))
	}

	fn opening() -> Option<(EpochIndex, BlockNumber)> {
		let epoch = Self::current_epoch();
		let from = Self::first_reveal_of(epoch);
		(Self::now() >= from).then_some((epoch.saturating_add(1), from))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_last_third_should_be_for_reveals() {
		assert_eq!(reveals_from(300), 200);
		assert_eq!(reveals_from(6), 4);
		assert_eq!(reveals_from(3), 2);
		for length in 3..1_000 {
			assert!((1..length).contains(&reveals_from(length)), "{length}");
			assert_eq!(reveals_from(length), (2 * length).div_ceil(3));
		}
	}
}
