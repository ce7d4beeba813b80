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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod dispatchable_impls;
mod election;
mod genesis;
mod heartbeat;
mod invariants;
#[cfg(test)]
mod mock;
mod reads;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use election::History;
pub use pallet::*;
pub use types::{GenesisNode, NodeDescription, NodeRecord, NodeRecordOf, Standing, UnbondingChunk};
pub use weights::WeightInfo;

/// The most jobs that a node may say it takes at the same time: as many as its worker is told of at once. A bound on what
/// an operator can claim, not a target.
pub const MAX_SLOTS: u16 = 1024;

/// Sessions without a heartbeat after which a node gets no jobs: the current one, whose heartbeat may still come, and
/// one that is lost for sure.
pub const MISSED_INELIGIBLE: u32 = 2;

/// Sessions without a heartbeat after which a node is jailed, until its operator resumes it.
pub const MISSED_JAILED: u32 = 6;

/// The most ids that one page of [`Pallet::ids_from`] has.
pub const MAX_PAGE: u32 = 64;

/// What [`InvalidTransaction::Custom`](sp_runtime::transaction_validity::InvalidTransaction::Custom) carries when a
/// heartbeat is refused.
pub mod refusal {
	/// No node has this id.
	pub const UNKNOWN_NODE: u8 = 1;
	/// The node's bond is below the least one.
	pub const NOT_BONDED: u8 = 2;
	/// The node is jailed: its operator has to resume it first.
	pub const JAILED: u8 = 3;
	/// More slots than [`MAX_SLOTS`](crate::MAX_SLOTS).
	pub const TOO_MANY_SLOTS: u8 = 4;
}

// The paths are the macro's own.
#[allow(unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_election_provider_support::SortedListProvider;
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, Contains},
	};
	use frame_system::pallet_prelude::*;
	use highway_primitives::{traits::Models, Balance, ModelId, NodeId, WorkerId, WorkerSignature};
	use sp_core::H256;
	use sp_runtime::Perbill;

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>, Hash = H256> {
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// Bonds are held in this currency.
		type Currency: fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason, Balance = Balance>;

		/// Operators by bond, roughly sorted: those who may become validators. Nothing else writes to it.
		type VoterList: SortedListProvider<Self::AccountId, Score = Balance>;

		/// Accounts with session keys: only they can author blocks.
		type HasSessionKeys: Contains<Self::AccountId>;

		/// The models that a node may host.
		type Models: Models<Self::AccountId>;

		/// The least bond of a node.
		#[pallet::constant]
		type MinBond: Get<Balance>;

		/// The most validators of a session.
		#[pallet::constant]
		type MaxValidators: Get<u32>;

		/// Where the validator sets of past sessions are kept. Told in each session which offences count no more.
		type History: History;

		/// Sessions from unbonding to withdrawal: longer than an offence can be reported after the fact, at least 3.
		#[pallet::constant]
		type BondingSessions: Get<u32>;

		/// The most parts of a bond that may be on their way out at the same time.
		#[pallet::constant]
		type MaxUnbonding: Get<u32>;

		/// The most models that a node may host.
		#[pallet::constant]
		type MaxHosted: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Why money is held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// A node's bond, including the parts that are unbonding.
		#[codec(index = 0)]
		Bond,
	}

	/// The id of the next node to register.
	#[pallet::storage]
	pub type NextNodeId<T: Config> = StorageValue<_, NodeId, ValueQuery>;

	/// What a node is and what is bonded for it: written by its operator's calls only. One per operator with a bond, who
	/// pays for it by the bond; once the bond is gone anyone may remove it with [`Pallet::reap`].
	// Ids are given by us: no need for a cryptographic hash.
	#[pallet::storage]
	pub type Nodes<T: Config> = StorageMap<_, Twox64Concat, NodeId, NodeRecordOf<T>>;

	/// How a node does: what heartbeats and jobs write. Exists exactly as long as the node; apart from [`Nodes`], so that
	/// a job writes few bytes.
	#[pallet::storage]
	pub type Standings<T: Config> = StorageMap<_, Twox64Concat, NodeId, Standing>;

	/// The node of an operator. One per node.
	#[pallet::storage]
	pub type NodeOf<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, NodeId>;

	/// The node of a worker key. One per node.
	#[pallet::storage]
	pub type NodeOfWorker<T: Config> = StorageMap<_, Blake2_128Concat, WorkerId, NodeId>;

	/// The current session, as the session pallet started it.
	#[pallet::storage]
	pub type CurrentSession<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Slots of a session. Set at genesis, never changed after: consensus reads it as the length of its epochs.
	#[pallet::storage]
	pub type SessionLength<T: Config> = StorageValue<_, u32, ValueQuery, ConstU32<{ genesis::DEFAULT_SESSION_LENGTH }>>;

	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// Slots of a session, at least 1.
		pub session_length: u32,
		/// Nodes of the first hour. Their bonds are held from their operators' genesis balances.
		pub nodes: Vec<GenesisNode<T::AccountId>>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				session_length: genesis::DEFAULT_SESSION_LENGTH,
				nodes: Vec::new(),
			}
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::build_genesis(self.session_length, &self.nodes);
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A node is there, with its bond held.
		Registered {
			/// The node.
			node: NodeId,
			/// Who operates it.
			operator: T::AccountId,
			/// Its worker key.
			worker: WorkerId,
			/// Its bond.
			bond: Balance,
		},
		/// A node's description changed.
		Updated {
			/// The node.
			node: NodeId,
		},
		/// A bond rose.
		Bonded {
			/// The node.
			node: NodeId,
			/// By how much.
			amount: Balance,
		},
		/// Part of a bond, or all of it, is on its way out.
		Unbonded {
			/// The node.
			node: NodeId,
			/// How much.
			amount: Balance,
			/// The session from which it can be withdrawn.
			session: u32,
		},
		/// Money that had been unbonded is the operator's again.
		Withdrawn {
			/// The node.
			node: NodeId,
			/// How much.
			amount: Balance,
		},
		/// A node takes no jobs and leaves the validators.
		Chilled {
			/// The node.
			node: NodeId,
		},
		/// A node is back after a chill or out of jail.
		Resumed {
			/// The node.
			node: NodeId,
		},
		/// A node says that it hosts a model.
		Hosted {
			/// The node.
			node: NodeId,
			/// The model.
			model: ModelId,
		},
		/// A node no longer hosts a model.
		Unhosted {
			/// The node.
			node: NodeId,
			/// The model.
			model: ModelId,
		},
		/// A node is gone. Its id will not be used again.
		Deregistered {
			/// The node.
			node: NodeId,
			/// Who operated it.
			operator: T::AccountId,
		},
		/// A node was heard.
		HeartbeatReceived {
			/// The node.
			node: NodeId,
			/// In this session.
			session: u32,
			/// Whether its engine is able to work.
			healthy: bool,
			/// Jobs that it takes at the same time.
			slots: u16,
		},
		/// A validator was proved to have offended. It is chilled; nothing is slashed.
		OffenceReported {
			/// The node.
			node: NodeId,
			/// Who operates it.
			operator: T::AccountId,
			/// The share that the offence would cost.
			fraction: Perbill,
			/// The session of the offence.
			session: u32,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account operates a node already.
		AlreadyRegistered,
		/// The account operates no node.
		NotRegistered,
		/// No node has this id.
		UnknownNode,
		/// Another node has this worker key.
		WorkerKeyTaken,
		/// The signature does not prove that the operator owns the worker key.
		BadProof,
		/// An address does not start with `/`, or an address or the region is not printable ASCII text.
		BadText,
		/// The node needs memory.
		NoMemory,
		/// The bond would be below the least one; unbond everything to leave.
		BondTooSmall,
		/// Nothing to bond or to unbond was given.
		ZeroAmount,
		/// More than the bond.
		ExceedsBond,
		/// That part of the bond secures open jobs.
		BondReserved,
		/// Too many parts of the bond are unbonding: withdraw those that are ready, or wait for the next.
		TooManyUnbonding,
		/// Nothing is ready to be withdrawn.
		NothingToWithdraw,
		/// The node is chilled already.
		AlreadyChilled,
		/// The node is neither chilled nor jailed.
		AlreadyActive,
		/// The node's bond is below the least one.
		NotBonded,
		/// No such model.
		UnknownModel,
		/// The node hosts the model already.
		AlreadyHosted,
		/// The node does not host the model.
		NotHosted,
		/// The node hosts as many models as it may.
		TooManyHosted,
		/// Part of the node's bond is not unbonded.
		StillBonded,
		/// Part of the node's bond is still unbonding.
		StillUnbonding,
		/// The node has open jobs.
		JobsOpen,
		/// There is no id left for another node.
		IdsExhausted,
		/// The node cannot take jobs now: not bonded, chilled, jailed, not heard, or not healthy.
		NotEligible,
		/// All of the node's slots are taken.
		NoFreeSlot,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxValidators::get() > 0, "a chain needs a validator");
			assert!(T::MaxUnbonding::get() > 0, "a bond must be able to leave");
			assert!(
				T::BondingSessions::get() > 2,
				"a bond must outlast the two sessions in which its owner still validates, and the report of an offence"
			);
			assert!(T::MinBond::get() > 0, "a node's record is paid for by its bond");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Registers the caller's node and holds `bond` of its balance. `proof` is the worker key's signature of
		/// [`registration_payload`](highway_primitives::worker::registration_payload) for the caller's account.
		///
		/// The node takes jobs after its first heartbeat, and may become a validator once session keys are set.
		#[pallet::call_index(0)]
		pub fn register(
			origin: OriginFor<T>,
			description: NodeDescription,
			#[pallet::compact] bond: Balance,
			proof: WorkerSignature,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register(who, description, bond, proof)
		}

		/// Replaces the description of the caller's node. A new worker key needs a `proof`, as at registration; with the
		/// old key it is ignored. Jobs that are open stay: from now on the new key signs for them.
		#[pallet::call_index(1)]
		pub fn update_node(
			origin: OriginFor<T>,
			description: NodeDescription,
			proof: Option<WorkerSignature>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_update_node(who, description, proof)
		}

		/// Adds `amount` of the caller's balance to the bond, which must then be at least the least one.
		#[pallet::call_index(2)]
		pub fn bond_extra(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_bond_extra(who, amount)
		}

		/// Starts to take `amount` out of the bond: all of it, or so much that the least bond stays. What secures open
		/// jobs cannot leave. It can be withdrawn `BondingSessions` later.
		#[pallet::call_index(3)]
		pub fn unbond(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_unbond(who, amount)
		}

		/// Gives back what was unbonded `BondingSessions` ago or earlier.
		#[pallet::call_index(4)]
		pub fn withdraw_unbonded(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw_unbonded(who)
		}

		/// Takes the caller's node out: no new jobs, and no place among the validators of the sessions that are not
		/// chosen yet. Open jobs stay its own.
		#[pallet::call_index(5)]
		pub fn chill(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_chill(who)
		}

		/// Brings the caller's node back, after a chill or out of jail. Out of jail it takes jobs again after its next
		/// heartbeat.
		#[pallet::call_index(6)]
		pub fn resume(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_resume(who)
		}

		/// Says that the caller's node serves `model`. Only then can it get the model's jobs.
		#[pallet::call_index(7)]
		pub fn host(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_host(who, model)
		}

		/// Says that the caller's node no longer serves `model`. Open jobs stay its own.
		#[pallet::call_index(8)]
		pub fn unhost(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_unhost(who, model)
		}

		/// Removes the caller's node. Its whole bond must be unbonded and ready; what was not withdrawn yet is given back.
		/// A later registration makes another node, which inherits nothing.
		#[pallet::call_index(9)]
		pub fn deregister(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_deregister(who)
		}

		/// The worker key's sign of life, once a session: no fee, no nonce, no balance. Sent as a general transaction that
		/// [`Pallet::authorize_heartbeat`] lets in. A jailed node's heartbeat is refused.
		#[pallet::call_index(10)]
		#[pallet::weight((T::WeightInfo::heartbeat(), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(Self::authorize_heartbeat)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_heartbeat())]
		pub fn heartbeat(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] session: u32,
			healthy: bool,
			#[pallet::compact] slots: u16,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			// Checked where the call was authorized, right before.
			let _ = signature;
			Self::do_heartbeat(node, session, healthy, slots)
		}

		/// Removes a node for which no money is held any more and that has no open job. Anyone may: its record is no
		/// longer paid for.
		#[pallet::call_index(11)]
		pub fn reap(origin: OriginFor<T>, #[pallet::compact] node: NodeId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_reap(node)
		}
	}
}
