//! Who may attest: checked in the pool and, by the same code, in the block.

use crate::{Config, Pallet};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	pallet_prelude::{
		InvalidTransaction, TransactionPriority, TransactionValidityError, TransactionValidityWithRefund,
		ValidTransaction,
	},
	traits::Get,
	weights::Weight,
	BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use highway_primitives::{
	traits::{Jobs, Nodes},
	worker::{self, MaxAttestations},
	AttestItem, FailureClass, JobId, MaxBlobSize, NodeId, WorkTag, WorkerAction, WorkerId, WorkerSignature,
};
use sp_core::H256;
use sp_runtime::SaturatedConversion;

/// More than the items of any batch: sets priorities of two blocks apart.
const MOST_ITEMS: u32 = 512;

/// Items looked up before the signature is checked.
const PROBES: usize = 8;

/// Blocks for which a pool keeps such a transaction.
const LONGEVITY: u64 = 32;

/// Above everything that pays a fee: a pool full of junk must not delay paid work. It cannot be flooded itself, because
/// two transactions about one job exclude each other.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;

/// Sets these tags apart from other pallets' tags.
const TAG: &[u8; 17] = b"highway/work-done";

/// Why a transaction of a worker key is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
	/// `Custom(1)`: no node has the id.
	UnknownNode,
	/// `Custom(2)`: the batch is empty.
	NoItems,
	/// `Stale`: no job in it waits for the node: done before, taken away, never given, past its deadline, other work
	/// on this fork, or the output's size is out of range. A replay ends here.
	NothingOpen,
	/// `BadProof`: the signature is not by the node's worker key, or not for this call on this chain.
	BadSignature,
}

impl From<Refusal> for TransactionValidityError {
	fn from(refusal: Refusal) -> Self {
		match refusal {
			Refusal::NothingOpen => InvalidTransaction::Stale.into(),
			Refusal::BadSignature => InvalidTransaction::BadProof.into(),
			Refusal::UnknownNode => InvalidTransaction::Custom(1).into(),
			Refusal::NoItems => InvalidTransaction::Custom(2).into(),
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Cheap checks first: what is stale ends after a few reads. Whoever did not sign costs no more than [`PROBES`] of them and
	/// the check of the signature, however long the batch is: junk pays nothing.
	pub(crate) fn authorize_attest(
		node: NodeId,
		items: &BoundedVec<AttestItem, MaxAttestations>,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = T::Nodes::worker(node).ok_or(Refusal::UnknownNode)?;
		if items.is_empty() {
			return Err(Refusal::NoItems.into());
		}
		let (probed, rest) = items.split_at_checked(PROBES).unwrap_or((items.as_slice(), &[]));
		let open = |item: &&AttestItem| Self::is_open(node, item);
		let mut jobs: Vec<JobId> = probed.iter().filter(open).map(|item| item.job).collect();
		if jobs.is_empty() && rest.is_empty() {
			return Err(Refusal::NothingOpen.into());
		}
		Self::check_signature(
			&worker,
			WorkerAction::Attest {
				node,
				items: items.clone(),
			},
			signature,
		)?;

		jobs.extend(rest.iter().filter(open).map(|item| item.job));
		if jobs.is_empty() {
			return Err(Refusal::NothingOpen.into());
		}
		jobs.sort_unstable();
		jobs.dedup();
		Ok((Self::valid(node, &jobs), Weight::zero()))
	}

	pub(crate) fn authorize_report(
		node: NodeId,
		job: JobId,
		work: WorkTag,
		class: FailureClass,
		signature: &WorkerSignature,
	) -> TransactionValidityWithRefund {
		let worker = T::Nodes::worker(node).ok_or(Refusal::UnknownNode)?;
		if !T::Jobs::is_assigned(job, work, node) {
			return Err(Refusal::NothingOpen.into());
		}
		let action = WorkerAction::ReportFailure { node, job, work, class };
		Self::check_signature(&worker, action, signature)?;
		Ok((Self::valid(node, &[job]), Weight::zero()))
	}

	/// Whether the item may count: its job waits for the node, and its output can exist.
	pub(crate) fn is_open(node: NodeId, item: &AttestItem) -> bool {
		(1..=MaxBlobSize::get()).contains(&item.output.size) && T::Jobs::is_assigned(item.job, item.work, node)
	}

	fn check_signature(worker: &WorkerId, action: WorkerAction, signature: &WorkerSignature) -> Result<(), Refusal> {
		match worker::verify(worker, Self::genesis_hash(), &action, signature) {
			true => Ok(()),
			false => Err(Refusal::BadSignature),
		}
	}

	/// Block 0's hash, which the system pallet keeps for ever.
	fn genesis_hash() -> H256 {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::default())
	}

	/// One tag per job, the same for attestations and reports: an operator can have at most one such transaction per
	/// assigned job in the pool, although it pays nothing. What is said in a later block replaces what was said before and
	/// had no effect; in one block, a batch with more open jobs replaces a smaller one.
	fn valid(node: NodeId, jobs: &[JobId]) -> ValidTransaction {
		let count = TransactionPriority::try_from(jobs.len()).unwrap_or_default();
		let block: u32 = frame_system::Pallet::<T>::block_number().saturated_into();
		let said_at = TransactionPriority::from(block).saturating_mul(TransactionPriority::from(MOST_ITEMS));
		ValidTransaction {
			priority: PRIORITY.saturating_add(said_at).saturating_add(count),
			requires: Vec::new(),
			provides: jobs.iter().map(|job| (TAG, node, job).encode()).collect(),
			longevity: LONGEVITY,
			propagate: true,
		}
	}
}
