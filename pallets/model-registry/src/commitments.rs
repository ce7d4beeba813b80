//! Commitments to artefacts: made before anybody else has seen the artefact, opened by the call that shows it.
//!
//! ```text
//! commit_model ──CommitBlocks──► counts ──register, add_version──► gone, deposit back
//!      │                           │
//!      └─── drop_commitment ───────┴──CommitLifetime──► drop_commitment, by anybody
//! ```

use crate::{Commitment, Commitments, Config, Error, Event, HoldReason, Pallet};
use codec::Encode;
use frame_support::{ensure, traits::Get};
use highway_primitives::{model::model_commitment, BlobHash};
use sp_core::H256;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_commit_model(who: T::AccountId, hash: H256) -> DispatchResult {
		// By account: nobody takes the place of another one's hash by sending the same.
		ensure!(
			!Commitments::<T>::contains_key(&who, hash),
			Error::<T>::AlreadyCommitted
		);
		let deposit = T::BaseDeposit::get();
		Self::hold(HoldReason::CommitmentDeposit, &who, deposit)?;
		let since = Self::now();
		let from = since.saturating_add(T::CommitBlocks::get());
		let until = since.saturating_add(T::CommitLifetime::get());
		let commitment = Commitment {
			since,
			from,
			until,
			deposit,
		};
		Commitments::<T>::insert(&who, hash, commitment);
		Self::deposit_event(Event::ArtefactCommitted {
			owner: who,
			hash,
			from,
			until,
		});
		Ok(())
	}

	pub(crate) fn do_drop_commitment(who: T::AccountId, owner: T::AccountId, hash: H256) -> DispatchResult {
		let commitment = Commitments::<T>::get(&owner, hash).ok_or(Error::<T>::UnknownCommitment)?;
		ensure!(
			who == owner || commitment.until < Self::now(),
			Error::<T>::CommitmentNotExpired
		);
		Self::take_commitment(&owner, hash, &commitment)?;
		Self::deposit_event(Event::CommitmentDropped { owner, hash });
		Ok(())
	}

	/// The commitment of `owner` to `artefact` that counts in this block. Changes nothing.
	pub(crate) fn open_commitment(
		owner: &T::AccountId,
		artefact: &BlobHash,
		salt: Option<&[u8; 32]>,
	) -> Result<(H256, Commitment), Error<T>> {
		let salt = salt.ok_or(Error::<T>::CommitmentMissing)?;
		let hash = model_commitment(&owner.encode(), artefact, salt);
		let commitment = Commitments::<T>::get(owner, hash).ok_or(Error::<T>::CommitmentMissing)?;
		ensure!(commitment.from <= Self::now(), Error::<T>::CommitmentTooYoung);
		ensure!(Self::now() <= commitment.until, Error::<T>::CommitmentExpired);
		Ok((hash, commitment))
	}

	/// Removes a commitment and gives its deposit back.
	pub(crate) fn take_commitment(owner: &T::AccountId, hash: H256, commitment: &Commitment) -> DispatchResult {
		Self::release(HoldReason::CommitmentDeposit, owner, commitment.deposit)?;
		Commitments::<T>::remove(owner, hash);
		Ok(())
	}
}
