//! What the call does, once authorized.

use crate::{Challenges, Config, Error, Event, Missed, Pallet};
use highway_primitives::{traits::StorageMarket, BlockNumber, ModelId, NodeId};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// The drawn chunk was shown.
	pub(crate) fn do_prove(node: NodeId, model: ModelId, drawn_at: BlockNumber) -> DispatchResult {
		let challenge = Self::open_challenge(node, model, drawn_at).ok_or(Error::<T>::NotChallenged)?;
		Challenges::<T>::remove(node, model);
		Missed::<T>::remove(node, model);
		Self::note_shown(&challenge);
		let paid = T::Market::release_storage_pay(node, model);
		Self::deposit_event(Event::Proved { node, model, paid });
		Ok(())
	}
}
