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

mod ask_impls;
mod audit_pot;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod clearing_impls;
mod dispatchable_impls;
pub mod invariants;
#[cfg(test)]
mod mock;
mod price_discovery;
mod pricing;
mod reads;
mod settlement;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// What the macro generates carries the spans of its attributes.
#[allow(unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::{types::*, weights::WeightInfo};
	use core::marker::PhantomData;
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{self, Inspect},
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use highway_primitives::{
		traits::{Models, Nodes},
		Balance, BlockNumber, EpochIndex, JobId, ModelId, NodeId, Role,
	};

	/// Blocks of a market epoch unless genesis says otherwise: ten minutes.
	pub const DEFAULT_EPOCH_LENGTH: BlockNumber = 300;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What the runtime wires.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The runtime's overarching reason of holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// The coin that payers pay and payees claim.
		type Currency: fungible::Mutate<Self::AccountId>
			+ Inspect<Self::AccountId, Balance = Balance>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// Who earns royalties.
		type Models: Models<Self::AccountId>;

		/// Who serves, and who earns for it.
		type Nodes: Nodes<Self::AccountId>;

		/// Earns what is not burned of the protocol's line, and the lines of nodes that are gone.
		type Treasury: Get<Self::AccountId>;

		/// Names the account of the pot: escrow of all open jobs, all earnings not claimed yet, and what pays for audits.
		#[pallet::constant]
		type PalletId: Get<PalletId>;

		/// The highest ask, per unit of compute or per started MiB of storage.
		#[pallet::constant]
		type MaxAsk: Get<Balance>;

		/// The highest fee per job that a curator may post.
		#[pallet::constant]
		type MaxCuratorFee: Get<Balance>;

		/// Security behind each job, in multiples of its compute line: it sets how often work is audited. The same as the
		/// inference jobs'.
		#[pallet::constant]
		type SecurityFactor: Get<u32>;

		/// Held from a curator while its fee is stored.
		#[pallet::constant]
		type CuratorDeposit: Get<Balance>;

		/// Held from an operator for each ask that has a place.
		#[pallet::constant]
		type AskDeposit: Get<Balance>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;

		/// Prepares nodes for the benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkSetup: crate::benchmarking::BenchmarkSetup<Self::AccountId>;
	}

	/// Blocks of a market epoch. Set at genesis, never changed: epochs would otherwise be counted twice.
	#[pallet::storage]
	pub type EpochLength<T> = StorageValue<_, BlockNumber, ValueQuery, ConstU32<DEFAULT_EPOCH_LENGTH>>;

	/// The asks of a model's role. At most [`MAX_ASKS`] of them hold in any epoch; one per node; never stored empty.
	/// A deposit is held for each that has a place; emptied by [`Call::prune`].
	// Ids are counted up by the chain: nobody can steer where they fall in the trie.
	#[pallet::storage]
	pub type Asks<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		ModelId,
		Twox64Concat,
		AskRole,
		BoundedVec<Ask<T::AccountId>, MaxStoredAsks>,
		ValueQuery,
	>;

	/// Prices and payees of a model in one epoch. Immutable but for the count of jobs that refer to it. Bounded by the
	/// open jobs plus one per model.
	#[pallet::storage]
	pub type Clearings<T: Config> =
		StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, EpochIndex, Clearing<T::AccountId>>;

	/// The latest epoch of a model whose record is kept: finds the record that no job refers to any more.
	#[pallet::storage]
	pub type LastCleared<T> = StorageMap<_, Twox64Concat, ModelId, EpochIndex>;

	/// What an account asks per job for having chosen the model. The fee is never 0. Bounded by the deposits.
	// Accounts are chosen by strangers: only a cryptographic hash keeps the trie balanced.
	#[pallet::storage]
	pub type CuratorFees<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, CuratorFee>;

	/// What an account may claim. Never 0. Bounded by the payees of settled jobs, whose fees paid for the entry.
	// As above.
	#[pallet::storage]
	pub type Earnings<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Balance, ValueQuery>;

	/// Sum of [`Earnings`].
	#[pallet::storage]
	pub type TotalEarnings<T> = StorageValue<_, Balance, ValueQuery>;

	/// Sum of the prices of all open jobs.
	#[pallet::storage]
	pub type Obligations<T> = StorageValue<_, Balance, ValueQuery>;

	/// The part of the pot that pays for audits: premiums of settled jobs and lost bonds.
	#[pallet::storage]
	pub type AuditPot<T> = StorageValue<_, Balance, ValueQuery>;

	/// What the audit pot owes for audits already done, oldest first, none of it empty. Bounded by the audits: each leaves a
	/// debt for each that judged it at most, and each premium, which every job pays, works off up to
	/// [`MAX_DEBTS_AT_ONCE`].
	// Counted up by the pallet.
	#[pallet::storage]
	pub type Debts<T: Config> = StorageMap<_, Twox64Concat, u64, Debt<T::AccountId>>;

	/// Index of the oldest debt; [`NextDebt`] if there is none.
	#[pallet::storage]
	pub type FirstDebt<T> = StorageValue<_, u64, ValueQuery>;

	/// Index that the next debt gets.
	#[pallet::storage]
	pub type NextDebt<T> = StorageValue<_, u64, ValueQuery>;

	/// Sum of the bonds of payers who asked for an audit that is not over yet.
	#[pallet::storage]
	pub type Bonds<T> = StorageValue<_, Balance, ValueQuery>;

	/// Length of the epoch; the pot gets its existential deposit. Declare the pallet after Balances, whose genesis
	/// sets the issuance.
	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// Blocks of a market epoch, at least 1.
		pub epoch_length: BlockNumber,
		#[doc(hidden)]
		#[serde(skip)]
		pub _phantom: PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				epoch_length: DEFAULT_EPOCH_LENGTH,
				_phantom: PhantomData,
			}
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(self.epoch_length > 0, "a market epoch has at least one block");
			EpochLength::<T>::put(self.epoch_length);
			Pallet::<T>::endow_pot();
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A node asks `price` from epoch `from` on.
		AskPosted {
			/// The model.
			model: ModelId,
			/// For what.
			role: AskRole,
			/// The node.
			node: NodeId,
			/// Per unit of compute, or per started MiB of storage.
			price: Balance,
			/// The first epoch that it holds in.
			from: EpochIndex,
		},
		/// A node's ask ends before epoch `from`.
		AskWithdrawn {
			/// The model.
			model: ModelId,
			/// For what.
			role: AskRole,
			/// The node.
			node: NodeId,
			/// The first epoch that it does not hold in.
			from: EpochIndex,
		},
		/// A node's ask ends before epoch `from`: the role was full, and another node asked less or can serve while this
		/// one cannot.
		AskDisplaced {
			/// The model.
			model: ModelId,
			/// For what.
			role: AskRole,
			/// The node that lost its place.
			node: NodeId,
			/// The first epoch that its ask does not hold in.
			from: EpochIndex,
		},
		/// What nobody needs any more of a model's asks and prices was removed.
		Pruned {
			/// The model.
			model: ModelId,
			/// Asks of nodes that are gone or do not host the model, or of a model that is gone.
			asks: u32,
		},
		/// An account asks `fee` for each job that names it; 0: none any more.
		CuratorFeePosted {
			/// The account.
			curator: T::AccountId,
			/// Per job.
			fee: Balance,
		},
		/// The prices of a model in an epoch are found.
		Cleared {
			/// The model.
			model: ModelId,
			/// The epoch.
			epoch: EpochIndex,
			/// Per unit.
			compute_price: Balance,
			/// Nodes that run it.
			executors: u32,
			/// Per started MiB of input; `None` if nobody offers storage.
			storage_price: Option<Balance>,
		},
		/// A payee earned one line of a job's bill, or pay for judging it, or its part of a slash. It is paid out by
		/// [`Call::claim`].
		Paid {
			/// The job.
			job: JobId,
			/// For what.
			role: Role,
			/// To whom.
			payee: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// The burned half of the protocol's line, or of a slash.
		Burned {
			/// The job.
			job: JobId,
			/// How much.
			amount: Balance,
		},
		/// The premium of a settled job, or the bond of a payer that asked in vain for an audit, is there for audits.
		AuditPotFilled {
			/// The job.
			job: JobId,
			/// How much.
			amount: Balance,
		},
		/// The audit pot has too little for somebody who judged a job: it is owed and paid before anything newer.
		AuditDebt {
			/// The job.
			job: JobId,
			/// Who judged it.
			payee: T::AccountId,
			/// What is not paid yet.
			amount: Balance,
		},
		/// A payer paid a bond to have a job audited.
		BondTaken {
			/// The job.
			job: JobId,
			/// Who asked.
			payer: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// The payer has its bond back.
		BondReturned {
			/// The job.
			job: JobId,
			/// Who asked.
			payer: T::AccountId,
			/// How much.
			amount: Balance,
			/// Whether it waits for [`Call::claim`], because the account could not receive it.
			claimable: bool,
		},
		/// A payer has its money back: all, or what reporters of a failure left of it, or the premium of an audit that
		/// nobody did.
		Refunded {
			/// The job.
			job: JobId,
			/// Who paid.
			payer: T::AccountId,
			/// How much.
			amount: Balance,
			/// Whether it waits for [`Call::claim`], because the account could not receive it.
			claimable: bool,
		},
		/// Earnings were paid out.
		Claimed {
			/// Who earned them.
			account: T::AccountId,
			/// How much.
			amount: Balance,
		},
	}

	/// Why coins are held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The deposit of a posted curator's fee.
		CuratorFee,
		/// The deposits of a node's asks.
		Ask,
	}

	/// Why a call or a submission was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// No such model.
		UnknownModel,
		/// The account operates no node.
		NotAnOperator,
		/// The node does not host the model.
		NotHosting,
		/// The ask is above `MaxAsk`.
		AskAboveMax,
		/// All places are taken by nodes that ask no more than this.
		AsksFull,
		/// All places are taken, and only a node that can take jobs gets one of another: bonded, not chilled, not jailed,
		/// and heard of. A new node has to wait for its first heartbeat.
		NotEligible,
		/// The node has no ask of this role that could be withdrawn.
		NoAsk,
		/// The fee is above `MaxCuratorFee`.
		FeeAboveMax,
		/// The account has no posted fee to remove.
		NoFee,
		/// No node that can take jobs now asks for a price in this epoch. An ask holds from the epoch after it is posted.
		NobodyServes,
		/// The price of the job is beyond all money.
		PriceOverflow,
		/// As many jobs as can be counted are open in this epoch of the model.
		TooManyJobs,
		/// The account has no earnings.
		NothingToClaim,
		/// The earnings alone would not keep the account alive. They stay claimable.
		ClaimBelowExistentialDeposit,
		/// Every ask is of a node that hosts the model, and every price is still referred to.
		NothingToPrune,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxAsk::get() > 0, "MaxAsk must leave room for an ask");
			assert!(
				T::SecurityFactor::get() > 0,
				"no rate of audits deters while no bond stands behind a job"
			);
			assert!(
				T::Currency::minimum_balance() > 0,
				"the pot relies on an existential deposit that it never goes below"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Asks `price` for serving the model from the next epoch on: per unit of compute, or per started MiB of input
		/// for storage. By the operator of a node that hosts the model. Replaces the node's former ask; for a new one the
		/// deposit is held. When all places are taken, a node that can take jobs displaces one that cannot, or that asks
		/// more.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::post_ask())]
		pub fn post_ask(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			role: AskRole,
			#[pallet::compact] price: Balance,
		) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_post_ask(&operator, model, role, price)
		}

		/// Ends the node's ask and gives its deposit back; the ask holds for the rest of this epoch. By the operator.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::withdraw_ask())]
		pub fn withdraw_ask(origin: OriginFor<T>, #[pallet::compact] model: ModelId, role: AskRole) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_withdraw_ask(&operator, model, role)
		}

		/// Asks `fee` for each job submitted from now on that names the caller as its curator; 0 ends it.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::post_curator_fee())]
		pub fn post_curator_fee(origin: OriginFor<T>, #[pallet::compact] fee: Balance) -> DispatchResult {
			let curator = ensure_signed(origin)?;
			Self::do_post_curator_fee(&curator, fee)
		}

		/// Pays all earnings of the caller out. Below the existential deposit of a dead account they stay claimable.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::claim())]
		pub fn claim(origin: OriginFor<T>) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_claim(&account)
		}

		/// Removes asks of nodes that are gone or do not host the model any more, all asks of a model that is gone, and a
		/// past epoch's prices that no job refers to. Deposits go back to those who paid them. By anybody.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::prune(MAX_STORED_ASKS.saturating_mul(2)))]
		pub fn prune(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let looked_at = Self::do_prune(model)?;
			Ok(Some(T::WeightInfo::prune(looked_at)).into())
		}
	}
}
