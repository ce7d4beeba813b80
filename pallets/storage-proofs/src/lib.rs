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

pub use authorization::WRONG_CHUNK;
pub use pallet::*;
pub use types::{Artefacts, Challenge, Miss, DRAWS, MEMORY};
pub use weights::WeightInfo;

mod authorization;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod challenges;
mod dispatchable_impls;
mod draw;
pub mod invariants;
mod memory;
#[cfg(test)]
mod mock;
mod reads;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

// FRAME generates items without docs.
#[allow(missing_docs, unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::types::{MaxDraws, Memory};
	use frame_support::{pallet_prelude::*, traits::Randomness};
	use frame_system::pallet_prelude::*;
	use highway_primitives::{
		traits, worker::ChunkProof, Balance, BlobHash, BlockNumber, ModelId, NodeId, WorkerSignature,
	};
	use sp_core::H256;
	use sp_runtime::SaturatedConversion;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>> {
		/// What models are made of.
		type Artefacts: Artefacts;
		/// Worker keys, who hosts what, and the bonds that fines are taken of.
		type Nodes: traits::Nodes<Self::AccountId>;
		/// Who is paid for storing which model, the pay that waits for proofs, the asks that two misses end, and where fines go.
		type Market: traits::StorageMarket + traits::Market<Self::AccountId>;
		/// What the parent block drew. `None`: nothing, and nothing is drawn from it.
		type Randomness: Randomness<Option<H256>, BlockNumberFor<Self>>;
		/// Whether finality lags so far that no deadline may pass: a node on the losing side of a fork must not be punished
		/// for its silence.
		type ClocksStandStill: Get<bool>;
		/// Blocks in which an answer counts, after the one that drew the challenge.
		#[pallet::constant]
		type Window: Get<BlockNumber>;
		/// Blocks from one challenge of a model to the next, in the middle. More pass when so many models are stored that four
		/// draws a block do not do.
		type Interval: Get<BlockNumber>;
		/// Taken for the second miss in a row, if the node could have answered both.
		#[pallet::constant]
		type StorageFine: Get<Balance>;
		/// Weights of the call, of its authorization and of the hook.
		type WeightInfo: WeightInfo;
	}

	/// What nodes have to show, by node and model. At most [`DRAWS`] for each block of a window; ends with the answer, or
	/// at the block that [`Due`] names.
	// Ids are counted up, nobody chooses them.
	#[pallet::storage]
	pub type Challenges<T> = StorageDoubleMap<_, Twox64Concat, NodeId, Twox64Concat, ModelId, Challenge>;

	/// Who is challenged by the next block's first draws: operators that claim what nobody asked them about. At most
	/// [`DRAWS`], each once; they wait while clocks stand still.
	#[pallet::storage]
	pub type Asked<T> = StorageValue<_, BoundedVec<(NodeId, ModelId), MaxDraws>, ValueQuery>;

	/// Whose challenges end after which block: [`DRAWS`] at most. Answered ones stay until then. Gone in the next block.
	// Blocks are counted.
	#[pallet::storage]
	pub type Due<T> = StorageMap<_, Twox64Concat, BlockNumber, BoundedVec<(NodeId, ModelId), MaxDraws>, ValueQuery>;

	/// The challenge that a node missed last, if it has not answered since. Bounded by [`Forgets`].
	// Ids are counted up, nobody chooses them.
	#[pallet::storage]
	pub type Missed<T> = StorageDoubleMap<_, Twox64Concat, NodeId, Twox64Concat, ModelId, Miss>;

	/// Artefacts of which somebody showed a chunk, and the last block of that challenge. Bounded by [`Forgets`].
	// Makers choose the hashes: only a cryptographic hash keeps the trie balanced.
	#[pallet::storage]
	pub type Shown<T> = StorageMap<_, Blake2_128Concat, BlobHash, BlockNumber>;

	/// What is forgotten at which block: what [`DRAWS`] challenges left, a day after they were due. So the memories of a day
	/// are bounded by its draws.
	// Blocks are counted.
	#[pallet::storage]
	pub type Forgets<T> = StorageMap<_, Twox64Concat, BlockNumber, BoundedVec<Memory, MaxDraws>, ValueQuery>;

	/// The last block at whose beginning clocks stood still.
	#[pallet::storage]
	pub type StoodStill<T> = StorageValue<_, BlockNumber>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A node has to show a chunk of a model's artefact.
		Challenged {
			/// The node.
			node: NodeId,
			/// The model.
			model: ModelId,
			/// The chunk of 1 KiB, counted from 0.
			chunk: u64,
			/// The last block in which the answer counts.
			until: BlockNumber,
		},
		/// It did, and has what it earned by storing the model since it did the last time.
		Proved {
			/// The node.
			node: NodeId,
			/// The model.
			model: ModelId,
			/// What it earned.
			paid: Balance,
		},
		/// It did not, and loses that; with the second miss in a row its ask as well.
		Missed {
			/// The node.
			node: NodeId,
			/// The model.
			model: ModelId,
			/// What it would have earned.
			forfeited: Balance,
			/// What was taken of its own bond as a fine: for the second miss in a row.
			fined: Balance,
		},
		/// It did not, and nobody is to blame: the node or the model is gone, or finality lagged.
		Lapsed {
			/// The node.
			node: NodeId,
			/// The model.
			model: ModelId,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// Nothing is asked of the node for this model now, or what is asked was drawn in another block.
		NotChallenged,
		/// The next block's draws are all taken. In the block after that there is room again.
		TooManyAsked,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			Self::begin_block(now.saturated_into())
		}

		fn integrity_test() {
			assert!(
				T::Window::get() > 1,
				"what a block draws is seen after it, and answered in the next one at the earliest"
			);
			let most = Self::weight_of(DRAWS, DRAWS, DRAWS).ref_time();
			assert!(
				most.saturating_mul(10) <= T::BlockWeights::get().max_block.ref_time(),
				"challenges take more than a tenth of a block"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// The node shows the drawn chunk of a model that it is paid for storing. Signed by its worker key, not by an account;
		/// costs nothing.
		#[pallet::call_index(0)]
		#[pallet::weight((T::WeightInfo::prove(), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, model, drawn_at, proof, signature| {
			Self::authorize_proof(*node, *model, *drawn_at, proof, signature)
		})]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_prove())]
		pub fn prove(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] model: ModelId,
			#[pallet::compact] drawn_at: BlockNumber,
			proof: ChunkProof,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			// Checked by the authorization, in the block too: nothing else gives this origin.
			let _ = (proof, signature);
			Self::do_prove(node, model, drawn_at)
		}
	}
}
