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

pub use authorization::{WRONG_CHUNK, WRONG_SIZE};
pub use pallet::*;
pub use types::{Answer, Measurement, RoundRecord};
pub use weights::WeightInfo;

mod authorization;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod capacity;
mod dispatchable_impls;
mod draw;
pub mod invariants;
#[cfg(test)]
mod mock;
mod payment;
mod reads;
mod rounds;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

// FRAME generates items without docs.
#[allow(missing_docs, unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{Inspect, Mutate},
	};
	use frame_system::pallet_prelude::*;
	use highway_primitives::{
		traits, worker::ChunkProof, Balance, BlobRef, BlockNumber, NodeId, ProbeSeed, ProbeTerms, WorkerSignature,
	};
	use sp_core::H256;
	use sp_runtime::SaturatedConversion;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>> {
		/// Worker keys, operators, and the slots that nodes declare.
		type Nodes: traits::Nodes<Self::AccountId>;
		/// What draws rounds and chunks: the VRFs of blocks.
		type Seeds: traits::BlockSeeds;
		/// The coin in which a proof is paid.
		type Currency: Mutate<Self::AccountId> + Inspect<Self::AccountId, Balance = Balance>;
		/// Pays for proofs, as long as it has something.
		type Treasury: Get<Self::AccountId>;
		/// Blocks of a session. A node is heard once in it, and misses are noted then.
		type SessionLength: Get<BlockNumber>;
		/// Weights of the calls, of their authorization and of the hook.
		type WeightInfo: WeightInfo;
	}

	/// How rounds come. `None`: probing is off, and bounds nothing.
	#[pallet::storage]
	pub type Terms<T> = StorageValue<_, ProbeTerms>;

	/// Rounds so far: the index of the last one.
	#[pallet::storage]
	pub type Rounds<T> = StorageValue<_, u32, ValueQuery>;

	/// The last round, going on or over. `None`: there was none under the present terms.
	#[pallet::storage]
	pub type Round<T> = StorageValue<_, RoundRecord>;

	/// What nodes said in a round and have not proved yet. At most one per node: the next answer takes its place.
	// Ids of nodes are counted up, nobody chooses them.
	#[pallet::storage]
	pub type Answers<T> = StorageMap<_, Twox64Concat, NodeId, Answer>;

	/// What is known of nodes. One per node that was heard while probing was on; gone with the node, whose bond pays for it.
	// Ids of nodes are counted up, nobody chooses them.
	#[pallet::storage]
	pub type Measurements<T> = StorageMap<_, Twox64Concat, NodeId, Measurement>;

	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// How rounds come. `None`: probing is off.
		pub terms: Option<ProbeTerms>,
		#[doc(hidden)]
		#[serde(skip)]
		pub _phantom: PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				terms: None,
				_phantom: PhantomData,
			}
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			if let Some(terms) = &self.terms {
				assert!(
					Pallet::<T>::check_terms(terms).is_ok(),
					"share, interval and rows per slot are at least 1, the spacing of rounds at least a session"
				);
				Terms::<T>::put(terms);
			}
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Rounds come so from now on, or not at all. What was going on is over, and nobody missed it.
		TermsSet {
			/// How.
			terms: Option<ProbeTerms>,
		},
		/// A round began.
		RoundOpened {
			/// Its index.
			round: u32,
			/// Its seed.
			seed: ProbeSeed,
		},
		/// A node says that it computed so many rows.
		Answered {
			/// The node.
			node: NodeId,
			/// The round.
			round: u32,
			/// How many.
			rows: u32,
		},
		/// A node proved what it said.
		Measured {
			/// The node.
			node: NodeId,
			/// The round.
			round: u32,
			/// The rows that it proved.
			proved: u32,
			/// The rows that count for it.
			rows: u32,
			/// What the treasury paid its operator.
			paid: Balance,
		},
		/// A node was found to have lied: a row that it answered for is not what the model gives.
		ProbeRefuted {
			/// The node.
			node: NodeId,
			/// The round.
			round: u32,
		},
		/// A node proved nothing in a round that hit it.
		ProbeMissed {
			/// The node.
			node: NodeId,
			/// The round.
			round: u32,
			/// The rows that still count for it.
			rows: u32,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The round wants nothing of this kind from the node now.
		NotDue,
		/// Share, interval and rows per slot are at least 1.
		ZeroTerm,
		/// Rounds are at least a session apart.
		SpacingTooShort,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			match Self::open_round(now.saturated_into()) {
				Some(()) => T::WeightInfo::open_round(),
				None => T::WeightInfo::no_round(),
			}
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Sets how rounds come, or turns probing off. By root.
		///
		/// A round that is going on ends without a trace; what was measured before stays, and bounds again once probing is on.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::set_terms())]
		pub fn set_terms(origin: OriginFor<T>, terms: Option<ProbeTerms>) -> DispatchResult {
			ensure_root(origin)?;
			Self::do_set_terms(terms)
		}

		/// The node has computed rows of the round's probe: their final states, one after another, are `output`. Signed by
		/// its worker key, not by an account; costs nothing.
		#[pallet::call_index(1)]
		#[pallet::weight((T::WeightInfo::answer(), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, round, seed, output, signature| Self::authorize_answer(*node, *round, seed, output, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_answer())]
		pub fn answer(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] round: u32,
			seed: ProbeSeed,
			output: BlobRef,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			// Checked by the authorization, in the block too: nothing else gives this origin.
			let _ = signature;
			Self::do_answer(node, round, seed, output)
		}

		/// The node shows the drawn chunk of what it answered, and the chain computes some of its rows itself. Signed by its
		/// worker key, not by an account; costs nothing.
		#[pallet::call_index(2)]
		#[pallet::weight((T::WeightInfo::prove(), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, round, proof, signature| Self::authorize_proof(*node, *round, proof, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_prove())]
		pub fn prove(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] round: u32,
			proof: ChunkProof,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let _ = signature;
			Self::do_prove(node, round, &proof.bytes)
		}
	}
}
