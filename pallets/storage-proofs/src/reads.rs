//! What others read.

use crate::{Artefacts, Asked, Challenge, Challenges, Config, Error, Pallet};
use alloc::vec::Vec;
use highway_primitives::{traits::StorageChallenges, BlockNumber, ModelId, NodeId};
use sp_runtime::{DispatchError, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// What the node has to show, by model. What is sent now stands in the next block. Whatever the node hosts by now: it is
	/// asked until it has answered.
	pub fn tasks_of(node: NodeId) -> Vec<(ModelId, Challenge)> {
		let next = Self::now().saturating_add(1);
		Challenges::<T>::iter_prefix(node)
			.filter(|(_, challenge)| challenge.until >= next)
			.collect()
	}

	/// The node's challenge of that block, while it can be answered.
	pub(crate) fn open_challenge(node: NodeId, model: ModelId, drawn_at: BlockNumber) -> Option<Challenge> {
		let now = Self::now();
		Challenges::<T>::get(node, model).filter(|challenge| challenge.drawn_at == drawn_at && now <= challenge.until)
	}

	/// The current block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}

impl<T: Config> StorageChallenges for Pallet<T> {
	fn challenged(node: NodeId, model: ModelId) -> bool {
		Challenges::<T>::contains_key(node, model) || Asked::<T>::get().contains(&(node, model))
	}

	/// The chunk is drawn by the next block: in this one it could be known, and the pay be claimed when it is one of few that
	/// somebody kept.
	fn ask(node: NodeId, model: ModelId) -> Result<bool, DispatchError> {
		if T::Artefacts::artefact(model).is_none_or(|artefact| artefact.size == 0) {
			return Ok(false);
		}
		if !Self::challenged(node, model) {
			Asked::<T>::try_append((node, model)).map_err(|_| Error::<T>::TooManyAsked)?;
		}
		Ok(true)
	}
}
