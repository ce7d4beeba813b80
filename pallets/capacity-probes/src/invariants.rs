//! What must hold between two blocks. Always compiled: unit tests check it after every test, `try-runtime` on a live state.
//!
//! That what is known is known of nodes that are there is checked where the pallets meet, in the runtime's tests.

use crate::{types::MISSES, Answers, Config, Measurements, Pallet, Round, Rounds, Terms};
use frame_support::ensure;
use highway_primitives::probe::rows_of;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of this pallet; the first one that is broken is the error. What is stored can be read: a change
	/// of its type without a migration breaks that.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_round()?;
		Self::check_answers()?;
		Self::check_measurements()
	}

	/// A round needs terms under which it can come, is the last one, and is not still to come.
	fn check_round() -> Result<(), TryRuntimeError> {
		if let Some(terms) = Terms::<T>::get() {
			ensure!(Self::check_terms(&terms).is_ok(), "rounds cannot come as the terms say");
		}
		if let Some(round) = Round::<T>::get() {
			ensure!(Terms::<T>::exists(), "there is a round without terms");
			ensure!(round.index == Rounds::<T>::get(), "the last round is not the last one");
			ensure!(
				round.index > 0 && round.opened <= Self::now(),
				"a round is still to come"
			);
		}
		Ok(())
	}

	/// An answer is of whole rows, by a node that is known and for which its round did not count yet; one of the last round
	/// was given in time.
	fn check_answers() -> Result<(), TryRuntimeError> {
		let round = Round::<T>::get();
		for node in Answers::<T>::iter_keys() {
			let answer = Answers::<T>::get(node).ok_or("an answer does not decode")?;
			ensure!(rows_of(&answer.output).is_some(), "an answer is not made of whole rows");
			let known = Measurements::<T>::get(node).ok_or("an answer is by a node of which nothing is known")?;
			ensure!(
				answer.round <= Rounds::<T>::get() && known.round < answer.round,
				"an answer is to a round that counted already, or is to come"
			);
			let in_time = round.is_none_or(|round| {
				answer.round != round.index || (round.opened..=round.answers_until()).contains(&answer.at)
			});
			ensure!(in_time, "an answer was not given in time");
		}
		Ok(())
	}

	/// No later round counted than there was; after a lie or two misses nothing counts, unless it was proved since.
	fn check_measurements() -> Result<(), TryRuntimeError> {
		for node in Measurements::<T>::iter_keys() {
			let known = Measurements::<T>::get(node).ok_or("a measurement does not decode")?;
			ensure!(
				known.round <= Rounds::<T>::get(),
				"a round counted that is still to come"
			);
			ensure!(known.missed <= MISSES, "more misses are counted than count");
			let nothing = known.rows == Some(0);
			ensure!(!known.refuted || nothing, "something counts after a lie");
			ensure!(known.missed < MISSES || nothing, "something counts after two misses");
			ensure!(
				known.missed == 0 || known.rows.is_some(),
				"a miss left nothing that counts"
			);
		}
		Ok(())
	}
}
