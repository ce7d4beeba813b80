#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks")),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]

extern crate alloc;

pub use authorization::Refusal;
pub use pallet::*;
pub use weights::WeightInfo;

mod authorization;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod dispatchable_impls;
pub mod invariants;
#[cfg(test)]
mod mock;
mod reads;
#[cfg(test)]
mod tests;
pub mod weights;

// FRAME generates items without docs.
#[allow(missing_docs, unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use highway_primitives::{
		traits, worker::MaxAttestations, AttestItem, BlobRef, FailureClass, JobId, NodeId, WorkTag, WorkerSignature,
	};
	use sp_core::H256;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>> {
		/// Which node has which worker key.
		type Nodes: traits::Nodes<Self::AccountId>;
		/// Which job waits for which node.
		type Jobs: traits::Jobs;
		/// Weights of the calls and of their authorization.
		type WeightInfo: WeightInfo;
		/// Fills the other pallets for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkSetup: crate::benchmarking::BenchmarkSetup;
	}

	/// What each executor committed itself to beside its output. One per attested job, until the job's record goes.
	// Ids of jobs are counted up, nobody chooses them.
	#[pallet::storage]
	pub type Commitments<T> = StorageMap<_, Twox64Concat, JobId, H256>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A node did a job.
		Attested {
			/// The job.
			job: JobId,
			/// The node.
			node: NodeId,
			/// The output.
			output: BlobRef,
		},
		/// A node said that it cannot do a job.
		FailureReported {
			/// The job.
			job: JobId,
			/// The node.
			node: NodeId,
			/// Why.
			class: FailureClass,
		},
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// The node did these jobs. Signed by its worker key, not by an account; costs nothing.
		///
		/// Items that do not wait for the node, or name other work than the job stands for on this fork, are skipped, so that one of them does not cost the others their pay.
		#[pallet::call_index(0)]
		#[pallet::weight((T::WeightInfo::attest(items.len() as u32), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, items, signature| Self::authorize_attest(*node, items, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_attest(items.len() as u32))]
		pub fn attest(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			items: BoundedVec<AttestItem, MaxAttestations>,
			signature: WorkerSignature,
		) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			// Checked by the authorization, in the block too: nothing else gives this origin.
			let _ = signature;
			Ok(Some(Self::do_attest(node, items)).into())
		}

		/// The node cannot do this job. Signed by its worker key, not by an account; costs nothing.
		#[pallet::call_index(1)]
		#[pallet::weight((T::WeightInfo::report_failure(), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, job, work, class, signature| Self::authorize_report(*node, *job, *work, *class, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_report_failure())]
		pub fn report_failure(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] job: JobId,
			work: WorkTag,
			class: FailureClass,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			// Checked by the authorization, in the block too: nothing else gives this origin.
			let _ = signature;
			Self::do_report_failure(node, job, work, class)
		}
	}
}
