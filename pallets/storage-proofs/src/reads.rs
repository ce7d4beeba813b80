//! What others read.

use crate::{Challenge, Challenges, Config, Pallet};
use alloc::vec::Vec;
use highway_primitives::{traits::StorageChallenges, BlockNumber, ModelId, NodeId};
use sp_runtime::SaturatedConversion;

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
		Challenges::<T>::contains_key(node, model)
	}
}
