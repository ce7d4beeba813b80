//! What is remembered for a day: misses, so that two in a row cost the place, and shown artefacts, so that nobody is fined for
//! a file that nobody has. Everything that is remembered is forgotten at a block that is fixed when it is noted.

use crate::{
	types::{Memory, Miss, MEMORY},
	Challenge, Config, Forgets, Missed, Pallet, Shown,
};
use frame_support::{defensive, traits::Get};
use highway_primitives::{
	traits::{Market, Nodes, StorageMarket},
	Balance, BlockNumber, ModelId, NodeId,
};
use sp_runtime::Perbill;

/// How much two misses in a row move a node's reliability: as much as a job of average reward that it did not do.
const OUTCOME_WEIGHT: Perbill = Perbill::from_percent(50);

impl<T: Config> Pallet<T> {
	/// Notes that the artefact was shown: it exists, and whoever should have it can be expected to.
	pub(crate) fn note_shown(challenge: &Challenge) {
		let (hash, until) = (challenge.artefact.hash, challenge.until);
		if Self::remember(until, Memory::Shown(hash)) {
			// An answer to an earlier challenge may come later.
			Shown::<T>::mutate(hash, |last| *last = (*last).max(Some(until)));
		}
	}

	/// Counts a miss. The second one in a row ends the node's ask, whoever is to blame: who shows nothing keeps no place. If
	/// it could have answered both, it is fined, too. Returns the fine.
	pub(crate) fn count_miss(node: NodeId, model: ModelId, challenge: &Challenge) -> Balance {
		let until = challenge.until;
		let blamed = challenge.able && Shown::<T>::contains_key(challenge.artefact.hash);
		let Some(former) = Missed::<T>::take(node, model) else {
			if Self::remember(until, Memory::Missed(node, model)) {
				Missed::<T>::insert(node, model, Miss { until, blamed });
			}
			return 0;
		};
		T::Market::forfeit_storage_ask(node, model);
		if !(former.blamed && blamed) {
			return 0;
		}
		let fined = T::Nodes::fine(node, T::StorageFine::get(), &T::Market::slash_account());
		if fined > 0 {
			T::Market::take_storage_fine(node, fined);
		}
		T::Nodes::note_outcome(node, false, OUTCOME_WEIGHT);
		fined
	}

	/// Notes when to forget what ended with a challenge that was due at `until`. There is room: no more challenges are due
	/// at one block than have a place here, and each leaves one memory.
	fn remember(until: BlockNumber, memory: Memory) -> bool {
		let noted = Forgets::<T>::try_append(until.saturating_add(MEMORY), memory).is_ok();
		if !noted {
			defensive!("each challenge leaves one memory");
		}
		noted
	}

	/// Forgets what is to be forgotten in this block, unless it was noted again since. Returns how much that was.
	pub(crate) fn forget(now: BlockNumber) -> u32 {
		let noted = now.checked_sub(MEMORY);
		let mut forgotten = 0u32;
		for memory in Forgets::<T>::take(now) {
			match memory {
				Memory::Missed(node, model) if Missed::<T>::get(node, model).map(|miss| miss.until) == noted => {
					Missed::<T>::remove(node, model);
				}
				Memory::Shown(hash) if Shown::<T>::get(hash) == noted => Shown::<T>::remove(hash),
				Memory::Missed(..) | Memory::Shown(_) => {}
			}
			forgotten = forgotten.saturating_add(1);
		}
		forgotten
	}
}
