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
mod authorization;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod call_weights;
mod clearing_impls;
mod commit_impls;
mod configuration;
mod demand_impls;
mod dispatchable_impls;
mod epochs;
pub mod invariants;
#[cfg(test)]
mod mock;
mod pricing;
mod reads;
mod settlement;
mod storage_market;
mod summaries;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use authorization::NO_ITEMS;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// What the macro generates carries the spans of its attributes.
#[allow(unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::{call_weights, types::*, weights::WeightInfo};
	use core::marker::PhantomData;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{self, Inspect},
			Randomness,
		},
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use highway_primitives::{
		market::{AskCommitment, AskReveal, MaxAskItems},
		traits::{Models, Nodes, StorageChallenges},
		Balance, BlockNumber, EpochIndex, JobId, ModelId, NodeId, Role, WorkerSignature,
	};
	use sp_core::H256;
	use sp_runtime::Perbill;

	/// Blocks of a market epoch unless genesis says otherwise: ten minutes.
	pub const DEFAULT_EPOCH_LENGTH: BlockNumber = 300;

	/// The fewest blocks of a market epoch: one at least to commit in, and one to reveal in.
	pub const MIN_EPOCH_LENGTH: BlockNumber = 3;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What the runtime wires.
	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>> {
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

		/// Held from a curator while its profile is stored.
		#[pallet::constant]
		type CuratorDeposit: Get<Balance>;

		/// The least that stands behind an ask, at least 1.
		#[pallet::constant]
		type MinAskBond: Get<Balance>;

		/// The lowest reserve, at least 1 and at most `MaxAsk`.
		#[pallet::constant]
		type MinReserve: Get<Balance>;

		/// Jobs of an epoch that one winner is counted on to do, at least 1. A constant: what is taken from asks can be asked
		/// for.
		#[pallet::constant]
		type JobsPerWinner: Get<u32>;

		/// The fewest places of a role, 1 to [`MAX_ASKS`].
		#[pallet::constant]
		type MinWinners: Get<u32>;

		/// Blocks after which pay for storage that no challenge proved can be claimed.
		#[pallet::constant]
		type StorageHold: Get<BlockNumber>;

		/// Part of what a settled job burned that is minted for its executor, at most half.
		#[pallet::constant]
		type WorkSubsidy: Get<Perbill>;

		/// What nobody knew when the last asks of an epoch were revealed: it breaks ties.
		type Randomness: Randomness<Option<H256>, BlockNumberFor<Self>>;

		/// Whether a node has yet to show that it stores what it is paid for.
		type StorageChallenges: StorageChallenges;

		/// Weights of the calls, of their authorization and of the hook.
		type WeightInfo: WeightInfo;
	}

	/// Blocks of a market epoch. Set at genesis, never changed: epochs would otherwise be counted twice.
	#[pallet::storage]
	pub type EpochLength<T> = StorageValue<_, BlockNumber, ValueQuery, ConstU32<DEFAULT_EPOCH_LENGTH>>;

	/// What breaks ties in the present epoch. Written in its first block.
	#[pallet::storage]
	pub type EpochSeed<T> = StorageValue<_, [u8; 32], ValueQuery>;

	/// The asks of a model's role. At most [`MAX_ASKS`] of them hold in any epoch; one per node; never stored empty. Each that
	/// has a place is paid for with a bond; emptied by [`Call::prune`].
	// Ids are counted up by the chain: nobody can steer where they fall in the trie.
	#[pallet::storage]
	pub type Asks<T> = StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, AskRole, AskBook, ValueQuery>;

	/// What nodes committed to for the next epoch and have not revealed, and what they have failed to, by its place in the
	/// queue of the model. At most one per node, model and role; each has a bond of its own behind it.
	// Counted up by the pallet.
	#[pallet::storage]
	pub type Commitments<T> = StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, u64, Commitment>;

	/// Where a node's commitments lie. As many as there are commitments.
	// Ids are counted up by the chain.
	#[pallet::storage]
	pub type CommitmentPlaces<T> = StorageDoubleMap<_, Twox64Concat, NodeId, Twox64Concat, (ModelId, AskRole), u64>;

	/// Beginning and end of each model's queue of commitments. There exactly while it has some.
	// Ids are counted up by the chain.
	#[pallet::storage]
	pub type CommitmentQueues<T> = StorageMap<_, Twox64Concat, ModelId, CommitmentQueue, ValueQuery>;

	/// What the market of a model remembers. One per model that was cleared; forgotten by [`Call::prune`] when it is gone.
	// Ids are counted up by the chain.
	#[pallet::storage]
	pub type Markets<T> = StorageMap<_, Twox64Concat, ModelId, MarketState, ValueQuery>;

	/// Prices and payees of a model in one epoch. Immutable but for the count of jobs that refer to it. Bounded by the
	/// open jobs plus one per model.
	#[pallet::storage]
	pub type Clearings<T: Config> =
		StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, EpochIndex, Clearing<T::AccountId>>;

	/// The latest epoch of a model whose record is kept: finds the record that no job refers to any more.
	#[pallet::storage]
	pub type LastCleared<T> = StorageMap<_, Twox64Concat, ModelId, EpochIndex>;

	/// What came of the latest epochs of a model that were cleared. At most [`MAX_SUMMARIES`] per model.
	// Neither key is chosen by anybody.
	#[pallet::storage]
	pub type Summaries<T> = StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, EpochIndex, Summary>;

	/// The epochs of a model that are summed up, oldest first.
	// Ids are counted up by the chain.
	#[pallet::storage]
	pub type SummarisedEpochs<T> = StorageMap<_, Twox64Concat, ModelId, SummaryEpochs, ValueQuery>;

	/// Models with storage providers, at places from 0 on without holes: a random one is found with one read. At most one
	/// per model.
	// Counted up by the pallet.
	#[pallet::storage]
	pub type StoredModels<T> = StorageMap<_, Twox64Concat, u32, StoredModel>;

	/// Where a model stands in that list.
	// Ids are counted up by the chain.
	#[pallet::storage]
	pub type StoredAt<T> = StorageMap<_, Twox64Concat, ModelId, u32>;

	/// Length of that list.
	#[pallet::storage]
	pub type StoredCount<T> = StorageValue<_, u32, ValueQuery>;

	/// What operators earned by storing a model and have not proved yet. Bounded by the operators and the models that each of
	/// them was paid for; fees of the jobs paid for the entry.
	// Accounts are chosen by strangers: only a cryptographic hash keeps the trie balanced.
	#[pallet::storage]
	pub type StoragePay<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, ModelId, PendingPay>;

	/// Who asks how much per job for having chosen the model, and what it did. Bounded by the deposits.
	// As above.
	#[pallet::storage]
	pub type Curators<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, CuratorRecord>;

	/// What an account may claim, but for the treasury, whose part is in [`Books`]. Never 0. Bounded by the payees of settled
	/// jobs, whose fees paid for the entry.
	// As above.
	#[pallet::storage]
	pub type Earnings<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Balance, ValueQuery>;

	/// What of the pot's money is whose: the sum of [`Earnings`] and the treasury's part, that of [`StoragePay`], the prices of
	/// open jobs, what there is for audits, and the bonds of payers; where [`Debts`] begin and end; and what a job pays on average.
	#[pallet::storage]
	pub type Books<T> = StorageValue<_, PotBooks, ValueQuery>;

	/// What the audit pot owes for audits already done, oldest first, none of it empty. Bounded by the audits: each leaves a
	/// debt for each that judged it at most, and each premium, which every job pays, works off up to
	/// [`MAX_DEBTS_AT_ONCE`].
	// Counted up by the pallet.
	#[pallet::storage]
	pub type Debts<T: Config> = StorageMap<_, Twox64Concat, u64, Debt<T::AccountId>>;

	/// Length of the epoch; the pot gets its existential deposit. Declare the pallet after Balances, whose genesis
	/// sets the issuance.
	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// Blocks of a market epoch, at least [`MIN_EPOCH_LENGTH`].
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
			assert!(
				self.epoch_length >= MIN_EPOCH_LENGTH,
				"a market epoch has a block to commit in and one to reveal in"
			);
			EpochLength::<T>::put(self.epoch_length);
			Pallet::<T>::endow_pot();
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A node has bound itself to what it will ask, or to ask nothing any more.
		AskCommitted {
			/// The model.
			model: ModelId,
			/// For what.
			role: AskRole,
			/// The node.
			node: NodeId,
			/// The epoch that it is for.
			epoch: EpochIndex,
			/// What is reserved for it of the node's own bond.
			bond: Balance,
		},
		/// A node asks `price` from epoch `from` on.
		AskRevealed {
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
		/// A node has revealed an ask that got no place: all are taken by nodes that can serve and ask no more, or the node
		/// cannot serve itself. The bond is free again.
		AskOutbid {
			/// The model.
			model: ModelId,
			/// For what.
			role: AskRole,
			/// The node.
			node: NodeId,
			/// What it would have asked.
			price: Balance,
		},
		/// A node has revealed an ask that does not hold, because its own bond secured no job at this price when it committed: too
		/// little of it was free, if it had no place; or all of it was too little for an ask that rises, and the former one stands.
		/// It has the bond of its commitment back.
		AskUnsecured {
			/// The model.
			model: ModelId,
			/// For what.
			role: AskRole,
			/// The node.
			node: NodeId,
			/// What it would have asked.
			price: Balance,
		},
		/// A node's ask, if it had one, ends before epoch `from`.
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
		/// A node has not revealed what it committed to, and lost the bond, as far as something was left of it; or it had a place
		/// in `epoch` and did not serve until its end, and lost what the place would have earned.
		AskForfeited {
			/// The model.
			model: ModelId,
			/// For what.
			role: AskRole,
			/// The node.
			node: NodeId,
			/// The epoch that it was for.
			epoch: EpochIndex,
			/// What was taken.
			amount: Balance,
			/// What of that was burned; the rest is the treasury's.
			burned: Balance,
		},
		/// What nobody needs any more of a model's asks and prices was removed.
		Pruned {
			/// The model.
			model: ModelId,
			/// Asks of nodes that are gone or do not host the model, or have a place in this epoch and could not serve in all of it; or
			/// of a model that is gone.
			asks: u32,
			/// Commitments that were not revealed in time.
			commitments: u32,
		},
		/// A curator's profile is stored.
		CuratorSet {
			/// The account.
			curator: T::AccountId,
			/// What it asks for each job that names it.
			fee: Balance,
		},
		/// A curator's profile is removed, and what it did is forgotten.
		CuratorRemoved {
			/// The account.
			curator: T::AccountId,
		},
		/// Everybody asks more than the reserve: nobody serves the model in this epoch, and the reserve is higher in the next.
		Starved {
			/// The model.
			model: ModelId,
			/// The epoch.
			epoch: EpochIndex,
			/// The reserve of compute from the next epoch on.
			reserve: Balance,
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
		/// [`Call::claim`]. The line of a storage provider waits: [`Event::StoragePayHeld`].
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
		/// The job's line for storage waits for the proof that the provider has the model.
		StoragePayHeld {
			/// The job.
			job: JobId,
			/// The model.
			model: ModelId,
			/// Whose it will be.
			payee: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// What an operator earned by storing a model is proved, or there is no file to show: it is paid out by [`Call::claim`].
		StoragePaid {
			/// The model.
			model: ModelId,
			/// To whom.
			payee: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// A node did not show that it has the model: what it earned by storing it since its last proof is lost.
		StoragePayForfeited {
			/// The model.
			model: ModelId,
			/// The node.
			node: NodeId,
			/// How much.
			amount: Balance,
			/// What of that was burned; the rest is the treasury's.
			burned: Balance,
		},
		/// A node paid a fine for storage.
		StorageFined {
			/// The node.
			node: NodeId,
			/// How much.
			amount: Balance,
			/// What of that was burned; the rest is the treasury's.
			burned: Balance,
		},
		/// Part of what a job burned is minted for who did it.
		Subsidised {
			/// The job.
			job: JobId,
			/// To whom, by [`Call::claim`].
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
		/// The deposit of a curator's profile.
		Curator,
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
		/// Commitments are taken in the first two thirds of an epoch.
		NotCommitPhase,
		/// What was committed to is revealed in the last third of the epoch.
		NotRevealPhase,
		/// The node has committed to this model and role in this epoch.
		AlreadyCommitted,
		/// The node has no ask for compute of this model, and less of its own bond is free, beside the bond of the commitment, than
		/// a job at the reserve takes, which the rest of it would cover if none was in use: no ask would hold.
		BondInUse,
		/// The node has committed to nothing for this model, role and next epoch, or has revealed it.
		NotCommitted,
		/// This is not what the node committed to.
		WrongReveal,
		/// The fee is above `MaxCuratorFee`.
		FeeAboveMax,
		/// A fee is asked under a name.
		NoName,
		/// Name or address has characters that cannot be shown as they are.
		BadText,
		/// The account has no profile to remove.
		NotACurator,
		/// This epoch of the model is cleared already.
		AlreadyCleared,
		/// No node that could take jobs when the asks for the epoch began to be opened asks for at most the reserve. An ask holds
		/// from the epoch after it is revealed.
		NobodyServes,
		/// The price of the job is beyond all money.
		PriceOverflow,
		/// As many jobs as can be counted are open in this epoch of the model.
		TooManyJobs,
		/// The account has no earnings.
		NothingToClaim,
		/// The earnings alone would not keep the account alive. They stay claimable.
		ClaimBelowExistentialDeposit,
		/// The pay is not proved, and may still be asked for.
		StoragePayHeld,
		/// The node is challenged to show that it has the model: its answer pays, its silence takes the pay away.
		Challenged,
		/// Every ask is of a node that hosts the model or is pledged for the next epoch, every winner of this epoch, if it is
		/// cleared, has been able to serve, no commitment is broken, and every price is still referred to.
		NothingToPrune,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			match Self::begin_epoch() {
				true => T::WeightInfo::begin_epoch(),
				false => T::WeightInfo::no_epoch(),
			}
		}

		fn integrity_test() {
			Self::check_configuration();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// The node commits to what it will ask from epoch `epoch` on, the next one: at most one commitment per model and role,
		/// in the first two thirds of an epoch. For each a bond is reserved of the node's own bond, and lost if it is not revealed
		/// in the last third. Signed by the node's worker key, not by an account; costs nothing.
		///
		/// Items that cannot be committed to are skipped.
		#[pallet::call_index(0)]
		#[pallet::weight((call_weights::commit::<T>(items.len() as u32), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, epoch, items, signature| Self::authorize_commit(*node, *epoch, items, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_commit_asks(items.len() as u32))]
		pub fn commit_asks(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] epoch: EpochIndex,
			items: BoundedVec<AskCommitment, MaxAskItems>,
			signature: WorkerSignature,
		) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			// Checked by the authorization, in the block too: nothing else gives this origin.
			let _ = (epoch, signature);
			Ok(Some(Self::do_commit_asks(node, &items)).into())
		}

		/// The node reveals what it committed to: a price, or that it asks nothing any more from epoch `epoch` on. When all places
		/// are taken, a node that can take jobs displaces one that cannot, or that asks more. Signed by the node's worker key,
		/// not by an account; costs nothing.
		///
		/// Items that open no commitment are skipped.
		#[pallet::call_index(1)]
		#[pallet::weight((T::WeightInfo::reveal_asks(items.len() as u32), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, epoch, items, signature| Self::authorize_reveal(*node, *epoch, items, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_reveal_asks(items.len() as u32))]
		pub fn reveal_asks(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] epoch: EpochIndex,
			items: BoundedVec<AskReveal, MaxAskItems>,
			signature: WorkerSignature,
		) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			let _ = (epoch, signature);
			Ok(Some(Self::do_reveal_asks(node, &items)).into())
		}

		/// Commits to what the caller's node will ask from the next epoch on, as [`Call::commit_asks`] does. `hash` is
		/// [`ask_commitment`](highway_primitives::market::ask_commitment).
		#[pallet::call_index(2)]
		#[pallet::weight(call_weights::commit::<T>(1))]
		pub fn commit_ask(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			role: AskRole,
			hash: H256,
		) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_commit_ask(&operator, model, role, hash)
		}

		/// Reveals what the caller's node committed to, as [`Call::reveal_asks`] does: `price` per unit of compute, or per started
		/// MiB of input for storage; without one the ask ends with this epoch.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::reveal_asks(1))]
		pub fn reveal_ask(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			role: AskRole,
			price: Option<Balance>,
			salt: [u8; 32],
		) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			let item = AskReveal {
				model,
				role,
				price,
				salt,
			};
			Self::do_reveal_ask(&operator, &item)
		}

		/// Finds the prices of the model in this epoch, if no job did before. If everybody asks more than the reserve, nobody
		/// serves the model until the epoch is over, and the reserve rises by an eighth. By anybody.
		#[pallet::call_index(4)]
		#[pallet::weight(call_weights::clear::<T>())]
		pub fn clear(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Ok(Some(Self::do_clear(model)?).into())
		}

		/// Presents the caller as a curator that asks `fee` for each job submitted from now on that names it, against a deposit.
		/// Without fee and name it is one no longer.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::set_curator())]
		pub fn set_curator(
			origin: OriginFor<T>,
			#[pallet::compact] fee: Balance,
			profile: CuratorProfile,
		) -> DispatchResult {
			let curator = ensure_signed(origin)?;
			Self::do_set_curator(&curator, fee, profile)
		}

		/// Pays all earnings of the caller out. Below the existential deposit of a dead account they stay claimable.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::claim())]
		pub fn claim(origin: OriginFor<T>) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_claim(&account)
		}

		/// Pays all earnings of `account` out to it. By anybody: the treasury cannot sign, and others need not.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::claim())]
		pub fn claim_for(origin: OriginFor<T>, account: T::AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim(&account)
		}

		/// Has the caller's node challenged for what it earned by storing the model and nobody asked about: once that has waited
		/// `StorageHold` blocks, and while no challenge is open. The answer pays, silence loses it, wherever the node has gone
		/// since. Of a model without a file it becomes earnings at once.
		#[pallet::call_index(8)]
		#[pallet::weight(call_weights::claim_storage_pay::<T>())]
		pub fn claim_storage_pay(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_claim_storage_pay(&operator, model)
		}

		/// Ends asks of nodes that are gone or do not host the model any more; those of this epoch's compute winners that have
		/// stopped being able to serve since it began, or since its asks began to be opened, once it is cleared, who lose what their
		/// places would have earned from then on, whatever has ended their asks before; and commitments that were not revealed in
		/// time, whose bonds are lost; removes a past epoch's prices that no job refers to, and all that is kept about a model that is
		/// gone. Bonds of asks go back. While asks are opened, those of nodes that could serve when that began stay for the next
		/// epoch. By anybody.
		#[pallet::call_index(9)]
		#[pallet::weight(call_weights::prune::<T>())]
		pub fn prune(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Ok(Some(Self::do_prune(model)?).into())
		}
	}
}
