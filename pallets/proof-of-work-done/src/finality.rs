//! Clocks stop while finality lags: a node on the losing side of a fork must not be slashed for its silence.

use crate::{Config, Error, FinalityHints, Pallet};
use alloc::vec::Vec;
use frame_support::{defensive, ensure, inherent::InherentIdentifier};
use highway_primitives::BlockNumber;
use sp_runtime::DispatchResult;

/// Under this the author's last finalized block number, a [`BlockNumber`], stands in the inherent data.
pub const INHERENT_IDENTIFIER: InherentIdentifier = *b"hwfinal0";

/// Blocks by which finality may lag while clocks run. Hints are ten blocks old in the middle.
pub const MAX_LAG: BlockNumber = 32;

/// Blocks after which hints that nobody renews say nothing: without it, authors that stop giving hints would stop all
/// clocks for ever.
const LIFETIME: BlockNumber = 64;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_note_finality(number: BlockNumber) -> DispatchResult {
		let now = Self::now();
		ensure!(number <= now, Error::<T>::FinalityInFuture);
		let mut finality = FinalityHints::<T>::get();
		// Else one author could give all the hints that count.
		ensure!(
			finality.hints.is_empty() || finality.noted_at != now,
			Error::<T>::FinalityAlreadyNoted
		);
		if finality.hints.is_full() {
			finality.hints.remove(0);
		}
		if finality.hints.try_push(number).is_err() {
			defensive!("there is room for one more hint");
		}
		finality.noted_at = now;
		FinalityHints::<T>::put(finality);
		Ok(())
	}

	/// The finalized block as the middle one of the last authors sees it; `None` while nobody says.
	pub fn finalized() -> Option<BlockNumber> {
		let finality = FinalityHints::<T>::get();
		if finality.noted_at.saturating_add(LIFETIME) < Self::now() {
			return None;
		}
		let mut hints: Vec<BlockNumber> = finality.hints.into_inner();
		hints.sort_unstable();
		hints.get(hints.len() / 2).copied()
	}

	/// Whether finality lags so far that no deadline may pass.
	pub(crate) fn clocks_stand_still() -> bool {
		Self::finalized().is_some_and(|finalized| Self::now().saturating_sub(finalized) > MAX_LAG)
	}
}
