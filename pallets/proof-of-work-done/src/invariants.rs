//! What must hold between two blocks. Always compiled: unit tests check it after every test, `try-runtime` on a live state.
//!
//! That every commitment belongs to a job is checked where both pallets meet, in the runtime's tests.

use crate::{Commitments, Config, Pallet};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of this pallet: what is stored can be read. A change of its type without a migration breaks
	/// that.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		match Commitments::<T>::iter_keys().all(|job| Commitments::<T>::get(job).is_some()) {
			true => Ok(()),
			false => Err("a commitment does not decode".into()),
		}
	}
}
