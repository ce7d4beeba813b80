//! What this pallet offers to other pallets.

use crate::{Commitments, Config, Pallet};
use highway_primitives::{traits::Attestations, JobId};

impl<T: Config> Attestations for Pallet<T> {
	fn forget(job: JobId) {
		Commitments::<T>::remove(job);
	}
}
