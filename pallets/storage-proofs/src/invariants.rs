//! What must hold between two blocks. Always compiled: unit tests check it after every test, `try-runtime` on a live state.
//!
//! Whether what is paid, forfeited and fined sums up is checked where the pallets meet, in the runtime's tests.

use crate::{
	types::{Memory, Miss, MEMORY},
	Asked, Challenges, Config, Due, Forgets, Missed, Pallet, Shown, StoodStill,
};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use highway_primitives::{chunk_proof, BlockNumber};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of this pallet; the first one that is broken is the error. What is stored can be read: a change
	/// of its type without a migration breaks that.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_challenges()?;
		Self::check_due()?;
		Self::check_memories()?;
		Self::check_forgets()
	}

	/// A challenge is of a chunk that there is, was drawn, is not over, and ends at the block that it names.
	fn check_challenges() -> Result<(), TryRuntimeError> {
		let now = Self::now();
		for (node, model) in Challenges::<T>::iter_keys() {
			let challenge = Challenges::<T>::get(node, model).ok_or("a challenge does not decode")?;
			ensure!(
				challenge.artefact.size > 0 && challenge.chunk < chunk_proof::chunks(challenge.artefact.size),
				"a challenge asks for a chunk that there is not"
			);
			ensure!(challenge.drawn_at <= now, "a challenge is still to be drawn");
			ensure!(challenge.until >= now, "a challenge is over");
			let due = Due::<T>::get(challenge.until);
			let times = due.iter().filter(|pair| **pair == (node, model)).count();
			ensure!(times == 1, "a challenge does not end once");
		}
		Ok(())
	}

	/// What is due is due now or later.
	fn check_due() -> Result<(), TryRuntimeError> {
		for until in Due::<T>::iter_keys() {
			ensure!(until >= Self::now(), "what was due is still there");
			ensure!(!Due::<T>::get(until).is_empty(), "nothing is due at a block");
		}
		let asked = Asked::<T>::get();
		let distinct = asked.iter().collect::<BTreeSet<_>>();
		ensure!(distinct.len() == asked.len(), "a node will be asked twice at once");
		let still_to_come = StoodStill::<T>::get().is_some_and(|last| last > Self::now());
		ensure!(!still_to_come, "clocks will have stood still");
		Ok(())
	}

	/// Whatever is remembered is forgotten some time.
	fn check_memories() -> Result<(), TryRuntimeError> {
		let ends =
			|until: BlockNumber, memory: &Memory| Forgets::<T>::get(until.saturating_add(MEMORY)).contains(memory);
		for (node, model) in Missed::<T>::iter_keys() {
			let Miss { until, .. } = Missed::<T>::get(node, model).ok_or("a miss does not decode")?;
			ensure!(until < Self::now(), "a challenge is missed that can be answered");
			ensure!(
				ends(until, &Memory::Missed(node, model)),
				"a miss is remembered for ever"
			);
		}
		for hash in Shown::<T>::iter_keys() {
			let until = Shown::<T>::get(hash).ok_or("what was shown does not decode")?;
			ensure!(
				ends(until, &Memory::Shown(hash)),
				"what was shown is remembered for ever"
			);
		}
		Ok(())
	}

	/// Nothing was to be forgotten before.
	fn check_forgets() -> Result<(), TryRuntimeError> {
		for at in Forgets::<T>::iter_keys() {
			ensure!(at > Self::now(), "what was to be forgotten is not");
			ensure!(
				!Forgets::<T>::get(at).is_empty(),
				"nothing is to be forgotten at a block"
			);
		}
		Ok(())
	}
}
