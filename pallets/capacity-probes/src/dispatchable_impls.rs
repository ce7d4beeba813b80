//! What the calls do, once authorized.

use crate::{draw, rounds::Challenge, Answer, Answers, Config, Error, Event, Measurements, Pallet, Round, Terms};
use frame_support::{ensure, traits::Get};
use highway_primitives::{
	chunk_proof,
	probe::{self, CHECKED_ROWS, ROW_BYTES, WIDTH},
	BlobRef, NodeId, ProbeSeed, ProbeTerms,
};
use sp_runtime::DispatchResult;

/// Rows of a whole chunk.
const CHUNK_ROWS: u64 = chunk_proof::CHUNK / ROW_BYTES;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_set_terms(terms: Option<ProbeTerms>) -> DispatchResult {
		if let Some(terms) = &terms {
			Self::check_terms(terms)?;
		}
		// Whom a round asked, and how much, is computed from the terms: under others nobody could say who missed it.
		Round::<T>::kill();
		Terms::<T>::set(terms.clone());
		Self::deposit_event(Event::TermsSet { terms });
		Ok(())
	}

	/// Whether rounds can come so.
	pub(crate) fn check_terms(terms: &ProbeTerms) -> DispatchResult {
		let least = terms.share.min(terms.interval).min(terms.rows_per_slot);
		ensure!(least > 0, Error::<T>::ZeroTerm);
		ensure!(terms.spacing >= T::SessionLength::get(), Error::<T>::SpacingTooShort);
		Ok(())
	}

	pub(crate) fn do_answer(node: NodeId, round: u32, seed: ProbeSeed, output: BlobRef) -> DispatchResult {
		Self::may_answer(node, round, &seed, &output).map_err(|_| Error::<T>::NotDue)?;
		let at = Self::now();
		let answer = Answer { round, output, at };
		Answers::<T>::insert(node, answer);
		let rows = answer.rows();
		Self::deposit_event(Event::Answered { node, round, rows });
		Ok(())
	}

	/// `chunk` was shown to be the drawn one of the answer's output.
	pub(crate) fn do_prove(node: NodeId, round: u32, chunk: &[u8]) -> DispatchResult {
		let (seed, challenge) = Self::due_proof(node, round).map_err(|_| Error::<T>::NotDue)?;
		let terms = Terms::<T>::get().ok_or(Error::<T>::NotDue)?;
		let known = Measurements::<T>::get(node).ok_or(Error::<T>::NotDue)?;
		Answers::<T>::remove(node);
		if !Self::is_right(&seed, node, &challenge, chunk) {
			Measurements::<T>::insert(node, known.refuted(round));
			Self::deposit_event(Event::ProbeRefuted { node, round });
			return Ok(());
		}
		let proved = challenge.answer.rows();
		let known = known.proved(round, proved);
		Measurements::<T>::insert(node, known);
		let rows = known.rows.unwrap_or_default();
		// Neither more than it proved, nor for what does not count after a lie.
		let paid = Self::pay(node, terms.pay(proved.min(rows)));
		Self::deposit_event(Event::Measured {
			node,
			round,
			proved,
			rows,
			paid,
		});
		Ok(())
	}

	/// Whether the drawn rows of the chunk are what the model gives.
	fn is_right(seed: &ProbeSeed, node: NodeId, challenge: &Challenge, chunk: &[u8]) -> bool {
		let matrix = probe::matrix();
		let rows = chunk.chunks_exact(WIDTH);
		let first = challenge.chunk.saturating_mul(CHUNK_ROWS);
		draw::rows(&challenge.seed, rows.len(), CHECKED_ROWS)
			.into_iter()
			.all(|place| {
				let place_in_output = u64::try_from(place).map(|place| first.saturating_add(place));
				let Some(index) = place_in_output.ok().and_then(|index| u32::try_from(index).ok()) else {
					return false;
				};
				let right = probe::run(&matrix, probe::first_row(seed, node, index));
				rows.clone().nth(place) == Some(right.as_slice())
			})
	}
}
