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
pub mod benchmarking;
pub mod bond_tree;
mod delegation;
mod dispatchable_impls;
mod election;
mod genesis;
mod heartbeat;
mod invariants;
#[cfg(test)]
mod mock;
mod pledges;
pub mod pool_types;
mod pot;
mod reads;
mod rewards;
mod slashing;
mod stake;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use delegation::MAX_COMMISSION_RISE;
pub use election::{History, MAX_OPERATORS_LOOKED_AT};
pub use pallet::*;
pub use pool_types::{
	Commission, Delegation, DelegationOf, DelegationView, FormerGeneration, PoolRecord, UnbondingPart,
};
pub use slashing::REPORT_MARGIN;
pub use types::{
	GenesisNode, NodeDescription, NodeRecord, NodeRecordOf, Pledge, SlashTotals, Standing, UnbondingChunk, MAX_PLEDGES,
};
pub use weights::WeightInfo;

/// What an operator takes of its delegators' rewards unless it says otherwise.
pub const DEFAULT_COMMISSION: sp_runtime::Perbill = sp_runtime::Perbill::from_percent(10);

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

// What the macro generates carries the spans of its attributes.
#[allow(unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_election_provider_support::SortedListProvider;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{self, Inspect},
			Contains,
		},
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use highway_math::emission;
	use highway_primitives::{
		traits::{Capacity, MarketClock, Models, SecurityTouched},
		Balance, EpochIndex, ModelId, NodeId, WorkerId, WorkerSignature,
	};
	use sp_core::H256;
	use sp_runtime::Perbill;

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>, Hash = H256> {
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// The coin that is bonded, delegated and earned.
		type Currency: fungible::Mutate<Self::AccountId>
			+ Inspect<Self::AccountId, Balance = Balance>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// Names the account of the stake pot: all delegated stake, and all rewards that wait to be claimed.
		#[pallet::constant]
		type PalletId: Get<PalletId>;

		/// Gets what is not burned of a slash for an offence.
		type Treasury: Get<Self::AccountId>;

		/// Told when an offence's slash took part of what secures open jobs.
		type OnSecurityTouched: SecurityTouched;

		/// Operators by stake, own and delegated, roughly sorted: those who may become validators. Nothing else writes to it.
		type VoterList: SortedListProvider<Self::AccountId, Score = Balance>;

		/// What a node may sell, by what it proved. Asked at each of its heartbeats.
		type Capacity: Capacity;

		/// The market's epochs. Who was eligible when the asks for an epoch began to be opened stays known until it is over.
		type Clock: MarketClock;

		/// Accounts with session keys: only they can author blocks.
		type HasSessionKeys: Contains<Self::AccountId>;

		/// The models that a node may host.
		type Models: Models<Self::AccountId>;

		/// The least bond of a node.
		#[pallet::constant]
		type MinBond: Get<Balance>;

		/// The least that may be delegated at once, and left of a delegation: it pays for the record.
		#[pallet::constant]
		type MinDelegation: Get<Balance>;

		/// What is minted for the validators of session 0. Later sessions get less, see [`emission::reward`].
		#[pallet::constant]
		type FirstReward: Get<Balance>;

		/// Sessions after which the reward is half as large.
		#[pallet::constant]
		type RewardHalfLife: Get<u32>;

		/// The most validators of a session.
		#[pallet::constant]
		type MaxValidators: Get<u32>;

		/// Where the validator sets of past sessions are kept. Told in each session which offences count no more.
		type History: History;

		/// Sessions from unbonding to withdrawal, [`REPORT_MARGIN`] more than those for which an offence counts after the
		/// fact, and so at least 3.
		#[pallet::constant]
		type BondingSessions: Get<u32>;

		/// Blocks from a job's assignment to the end of the longest audit and jury. Checked against `BondingSessions` of
		/// the usual length; chains with shorter sessions are for development, and there too what secures an open job
		/// cannot be unbonded.
		#[pallet::constant]
		type LongestAudit: Get<u32>;

		/// The most parts of a bond, or of a delegation, that may be on their way out at the same time.
		#[pallet::constant]
		type MaxUnbonding: Get<u32>;

		/// The most models that a node may host.
		#[pallet::constant]
		type MaxHosted: Get<u32>;

		/// Weights of the calls, and of what sessions and other pallets ask for.
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

	/// What a node is and what is bonded for it: written by its operator's calls and by slashes. One per operator with a
	/// bond, who pays for it by the bond; once the bond is gone anyone may remove it with [`Pallet::reap`].
	// Ids are given by us: no need for a cryptographic hash.
	#[pallet::storage]
	pub type Nodes<T: Config> = StorageMap<_, Twox64Concat, NodeId, NodeRecordOf<T>>;

	/// How a node does: what heartbeats and jobs write. Exists exactly as long as the node; apart from [`Nodes`], so that
	/// a job writes few bytes.
	#[pallet::storage]
	pub type Standings<T: Config> = StorageMap<_, Twox64Concat, NodeId, Standing>;

	/// The latest market epoch in which a session began after the first block, and the session of that block.
	#[pallet::storage]
	pub type FirstSession<T: Config> = StorageValue<_, (EpochIndex, u32)>;

	/// For which models a node was eligible when asks for a market epoch began to be opened, and for which of them it has lapsed
	/// in that epoch, if anything of that would not be seen any more. Of the present epoch and the next one at most, gone with
	/// the node; those of past ones say nothing, and go with the next one that comes.
	// Ids are given by us.
	#[pallet::storage]
	pub type Pledges<T: Config> =
		StorageMap<_, Twox64Concat, NodeId, BoundedVec<Pledge<T>, ConstU32<MAX_PLEDGES>>, ValueQuery>;

	/// The market epochs, of the present one and the next, before which a session began after their asks had begun to be opened,
	/// and the session in which that was.
	#[pallet::storage]
	pub type OpeningSessions<T: Config> =
		StorageValue<_, BoundedVec<(EpochIndex, u32), ConstU32<MAX_PLEDGES>>, ValueQuery>;

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

	/// Sums of own bonds, by level and index, see [`bond_tree`]. An item for 16 nodes with a bond, one for 16 such items,
	/// and so on; none that sums to 0.
	#[pallet::storage]
	pub type BondTree<T: Config> = StorageMap<_, Twox64Concat, (u8, NodeId), bond_tree::Sums, ValueQuery>;

	/// Height of the tree of bonds and the number of nodes in it.
	#[pallet::storage]
	pub type BondTreeShape<T: Config> = StorageValue<_, bond_tree::Shape, ValueQuery>;

	/// What others have put behind a node, and what it earned. At most one per node that is there, and one per node that is
	/// gone and in which somebody still has something, who paid for it with at least `MinDelegation`.
	#[pallet::storage]
	pub type Pools<T: Config> = StorageMap<_, Twox64Concat, NodeId, PoolRecord, ValueQuery>;

	/// What an account has put behind a node. Paid for by at least `MinDelegation` when it began; removed when nothing is
	/// left in it.
	// Accounts can be ground: a cryptographic hash for them. By account first: a wallet asks for its own.
	#[pallet::storage]
	pub type Delegations<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, NodeId, DelegationOf<T>>;

	/// Generations of a pool's points that a slash wiped out and of which somebody has not settled its rewards yet. Bounded
	/// by the delegations that are of them.
	#[pallet::storage]
	pub type FormerGenerations<T: Config> =
		StorageDoubleMap<_, Twox64Concat, NodeId, Twox64Concat, u32, FormerGeneration>;

	/// Blocks of the current session by author. Emptied at its end; at most one entry per validator.
	// Only validators author: nobody else can choose a key.
	#[pallet::storage]
	pub type Authored<T: Config> = StorageMap<_, Twox64Concat, T::AccountId, u32, ValueQuery>;

	/// All coins that were ever minted as rewards.
	#[pallet::storage]
	pub type Minted<T: Config> = StorageValue<_, Balance, ValueQuery>;

	/// What was taken for a node's faults. At most one per node.
	#[pallet::storage]
	pub type Slashes<T: Config> = StorageMap<_, Twox64Concat, NodeId, SlashTotals, ValueQuery>;

	/// The largest share that a node was slashed for offences of a session: one offence reported in parts, or several, cost
	/// what the worst costs. At most one per validator and session; forgotten after `BondingSessions`.
	#[pallet::storage]
	pub type OffenceShares<T: Config> =
		StorageDoubleMap<_, Twox64Concat, u32, Twox64Concat, NodeId, Perbill, ValueQuery>;

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
			/// Whether its engine is able to work, and the node to sell.
			healthy: bool,
			/// Jobs that it takes at the same time: what it declared, or less if it may sell less.
			slots: u16,
		},
		/// A validator was proved to have offended. It is chilled.
		OffenceReported {
			/// The node.
			node: NodeId,
			/// Who operates it.
			operator: T::AccountId,
			/// The share of everything behind the node that this offence costs.
			fraction: Perbill,
			/// The session of the offence.
			session: u32,
		},
		/// For an offence, part of everything behind a node was taken: half of it is burned, half is the treasury's.
		OffenceSlashed {
			/// The node.
			node: NodeId,
			/// Of the bond and what is unbonding.
			own: Balance,
			/// Of delegations, those on their way out included.
			delegated: Balance,
		},
		/// After an audit, part of a bond was taken.
		Slashed {
			/// The node.
			node: NodeId,
			/// How much.
			amount: Balance,
		},
		/// For a job that was not done in time, or reported as one that cannot be done and done by another node, part of a
		/// bond or of what is unbonding was taken.
		Fined {
			/// The node.
			node: NodeId,
			/// How much.
			amount: Balance,
		},
		/// Somebody put stake behind a node.
		Delegated {
			/// The node.
			node: NodeId,
			/// Who.
			delegator: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// Part of a delegation, or all of it, is on its way out.
		Undelegated {
			/// The node.
			node: NodeId,
			/// Whose.
			delegator: T::AccountId,
			/// What it was worth.
			amount: Balance,
			/// The session from which it can be withdrawn.
			session: u32,
		},
		/// Stake that had been on its way out is the delegator's again.
		DelegationWithdrawn {
			/// The node.
			node: NodeId,
			/// Whose.
			delegator: T::AccountId,
			/// How much was left of it.
			amount: Balance,
		},
		/// Somebody was paid its rewards with a node.
		RewardsClaimed {
			/// The node.
			node: NodeId,
			/// Who.
			account: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// An operator changed what it takes of its delegators' rewards.
		CommissionSet {
			/// The node.
			node: NodeId,
			/// The share.
			commission: Perbill,
			/// The session from which it holds.
			session: u32,
		},
		/// A node earned for the blocks of a session.
		Rewarded {
			/// The node.
			node: NodeId,
			/// Its operator's part.
			operator: Balance,
			/// Its delegators' part.
			delegators: Balance,
		},
		/// New coins were minted for the authors of a session.
		SessionRewarded {
			/// The session.
			session: u32,
			/// How much.
			minted: Balance,
			/// Blocks of the session.
			blocks: u32,
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
		/// Nothing was given to bond, to unbond or to undelegate.
		ZeroAmount,
		/// More than the bond.
		ExceedsBond,
		/// That part of the bond secures open jobs.
		BondReserved,
		/// Too many parts of the bond or delegation are unbonding: withdraw those that are ready, or wait for the next.
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
		/// Part of the node's bond is still unbonding, or offences of the time when it had a bond can still be reported.
		StillUnbonding,
		/// The node has open jobs.
		JobsOpen,
		/// There is no id left for another node.
		IdsExhausted,
		/// The node cannot take jobs now: not bonded, chilled, jailed, not heard, or not healthy.
		NotEligible,
		/// All of the node's slots are taken.
		NoFreeSlot,
		/// Less than may be delegated at once or left of a delegation; undelegate everything to leave.
		DelegationTooSmall,
		/// The account has nothing behind this node.
		NotDelegated,
		/// The node is chilled: stake behind it would elect nobody.
		NodeChilled,
		/// The operator takes more, or announced that it will, than the delegator accepts.
		CommissionAboveMax,
		/// A commission rises by at most 5 points at a time.
		CommissionRiseTooLarge,
		/// The account has earned nothing with this node that it has not claimed.
		NothingToClaim,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxValidators::get() > 0, "a chain needs a validator");
			assert!(T::MaxUnbonding::get() > 0, "a bond must be able to leave");
			assert!(
				T::BondingSessions::get() > REPORT_MARGIN,
				"a bond must outlast the two sessions in which its owner still validates, and the report of an offence"
			);
			let bonding = T::BondingSessions::get().saturating_mul(genesis::DEFAULT_SESSION_LENGTH);
			assert!(
				bonding > T::LongestAudit::get(),
				"a bond must outlast the audits of its time"
			);
			assert!(T::MinBond::get() > 0, "a node's record is paid for by its bond");
			assert!(
				T::MinDelegation::get() > 0,
				"a delegation's record is paid for by its stake"
			);
			assert!(T::RewardHalfLife::get() > 0, "a reward has a half-life");
			// Points and sums of coins are counted in the same width as coins.
			assert!(
				emission::bound(T::FirstReward::get(), T::RewardHalfLife::get()) < Balance::MAX >> 24,
				"all rewards together leave room in every sum"
			);
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

		/// Puts `amount` of the caller's balance behind a node that is bonded and not chilled. It elects the node as a
		/// validator, earns with it and is slashed with it; it secures no jobs. Fails if the operator takes more of the
		/// rewards than `max_commission`, or announced that it will.
		#[pallet::call_index(12)]
		pub fn delegate(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] amount: Balance,
			max_commission: Perbill,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_delegate(who, node, amount, max_commission)
		}

		/// Starts to take `amount` of the caller's delegation out, or everything if it is worth no more; it must leave
		/// nothing or the least delegation. It can be withdrawn `BondingSessions` later, and is slashed until then.
		#[pallet::call_index(13)]
		pub fn undelegate(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] amount: Balance,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_undelegate(who, node, amount)
		}

		/// Gives back what was undelegated `BondingSessions` ago or earlier; all that was undelegated, if the node is gone.
		#[pallet::call_index(14)]
		pub fn withdraw_delegation(origin: OriginFor<T>, #[pallet::compact] node: NodeId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw_delegation(who, node)
		}

		/// Pays the caller what it has earned with a node so far, as its delegator and as its operator.
		#[pallet::call_index(15)]
		pub fn claim_rewards(origin: OriginFor<T>, #[pallet::compact] node: NodeId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_claim_rewards(who, node)
		}

		/// Sets the share that the caller takes of its delegators' rewards. At once if it is not higher than now or if nobody
		/// has delegated; otherwise it may be 5 points higher, and holds `BondingSessions` later: whoever does not like it
		/// has left by then. A later call replaces what was announced.
		#[pallet::call_index(16)]
		pub fn set_commission(origin: OriginFor<T>, commission: Perbill) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_commission(who, commission)
		}
	}
}
