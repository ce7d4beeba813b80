#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
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
mod commitments;
mod dispatchable_impls;
mod invariants;
#[cfg(test)]
mod mock;
mod reads;
mod royalty;
#[cfg(test)]
mod tests;
mod types;
mod validation;
pub mod weights;

pub use pallet::*;
pub use reads::MAX_PROBES;
pub use royalty::{RisePolicy, RoyaltyState};
pub use types::{Commitment, ModelRecord, ModelRecordOf, ParentTerms};
pub use validation::{MAX_OUTLIERS, MAX_UNIT_TIME_MS};
pub use weights::WeightInfo;

// The macros write paths in full.
#[allow(unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{hold, Inspect},
	};
	use frame_system::pallet_prelude::*;
	use highway_primitives::{
		model::{DerivativeTerms, ModelName, VersionSpec},
		traits::OpenJobs,
		Balance, BlobHash, BlockNumber, ModelId, ModelVersion,
	};
	use sp_core::H256;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// Where deposits are held.
		type Currency: Inspect<Self::AccountId, Balance = Balance>
			+ hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// Whether jobs run on a model.
		type Jobs: OpenJobs;

		/// Held for a model, whatever its size: its record, the index entries of its name and of its artefact, a transfer
		/// offer. Held for a commitment, too, which comes before them.
		#[pallet::constant]
		type BaseDeposit: Get<Balance>;

		/// Held for each byte of its name and of its encoded versions.
		#[pallet::constant]
		type DepositPerByte: Get<Balance>;

		/// Blocks between the announcement of a royalty's rise and its effect.
		#[pallet::constant]
		type RoyaltyNotice: Get<BlockNumber>;

		/// Blocks within which a royalty rises by a quarter, or by `SmallestRise`, at most.
		#[pallet::constant]
		type RoyaltyRisePeriod: Get<BlockNumber>;

		/// Blocks between the announcement of a version and the first job that runs on it. Asks must be able to follow,
		/// and hosts to fetch its artefact.
		type VersionNotice: Get<BlockNumber>;

		/// Blocks between a commitment and the first block in which the artefact may be registered. Whoever sees a
		/// registration on its way would have to keep it out of so many blocks to be there first.
		type CommitBlocks: Get<BlockNumber>;

		/// Blocks after a commitment for which it counts.
		#[pallet::constant]
		type CommitLifetime: Get<BlockNumber>;

		/// The highest royalty, and the highest floor of derivative terms, per unit.
		#[pallet::constant]
		type MaxRoyalty: Get<Balance>;

		/// By so much a royalty may rise where a quarter of it is less, at least 1: a quarter of nothing is nothing, and a free
		/// model may ask for something one day. Small against any royalty in use, else the quarter would bind nobody.
		#[pallet::constant]
		type SmallestRise: Get<Balance>;

		/// The most versions that a model may have. Bounds the work of its removal.
		#[pallet::constant]
		type MaxVersions: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why funds are held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// For the storage that a model takes; given back when it is removed.
		ModelDeposit,
		/// For a commitment to an artefact; given back when it is opened or dropped.
		CommitmentDeposit,
	}

	/// The id that the next model gets. Ids rise by one and are never reused.
	#[pallet::storage]
	pub type NextModelId<T> = StorageValue<_, ModelId, ValueQuery>;

	/// All models, deprecated ones included. Bounded by the deposits that their owners pay.
	// Ids are given by the pallet, so nobody can choose them to unbalance the trie.
	#[pallet::storage]
	pub type Models<T: Config> = StorageMap<_, Twox64Concat, ModelId, ModelRecordOf<T>>;

	/// Every version of every model: 1 up to the record's newest, none missing. At most `MaxVersions` for a model,
	/// paid by its owner's deposit.
	#[pallet::storage]
	pub type Versions<T> = StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, ModelVersion, VersionSpec>;

	/// Models by owner and name. One entry for each model.
	// Names are chosen by their owners.
	#[pallet::storage]
	pub type Names<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Blake2_128Concat, ModelName, ModelId>;

	/// The account that a model is offered to. At most one entry for each model, covered by its base deposit.
	#[pallet::storage]
	pub type TransferOffers<T: Config> = StorageMap<_, Twox64Concat, ModelId, T::AccountId>;

	/// Commitments to artefacts, by account and [hash](highway_primitives::model::model_commitment). Each is paid by a
	/// deposit, and may be dropped by anybody after `CommitLifetime`.
	// Both keys are chosen by those who commit.
	#[pallet::storage]
	pub type Commitments<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Blake2_128Concat, H256, Commitment>;

	/// The model that has an artefact: no other one registers it. At most one entry for each version, paid by the model's
	/// deposit, and gone with the model.
	// Artefacts are chosen by their makers.
	#[pallet::storage]
	pub type Artefacts<T> = StorageMap<_, Blake2_128Concat, BlobHash, ModelId>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A model was registered with its first version.
		ModelRegistered {
			/// The model.
			model: ModelId,
			/// Who owns it.
			owner: T::AccountId,
			/// Its name among the owner's.
			name: ModelName,
			/// The model that it derives from.
			parent: Option<ModelId>,
			/// Royalty per unit.
			royalty: Balance,
		},
		/// New jobs will run on a new version, which takes the place of one that was announced and does not hold yet.
		VersionAdded {
			/// The model.
			model: ModelId,
			/// The new version.
			version: ModelVersion,
			/// The block from which it holds.
			from: BlockNumber,
		},
		/// The owner set another royalty; a pending rise is replaced by it.
		RoyaltySet {
			/// The model.
			model: ModelId,
			/// Royalty per unit.
			royalty: Balance,
			/// The block from which it holds: this one unless the royalty rises.
			from: BlockNumber,
		},
		/// The owner set other terms for models derived from now on.
		DerivativeTermsSet {
			/// The model.
			model: ModelId,
			/// The terms; `None`: nothing may be derived any more.
			terms: Option<DerivativeTerms>,
		},
		/// The model takes no new jobs and no new children.
		ModelDeprecated {
			/// The model.
			model: ModelId,
		},
		/// The model takes new jobs and children again.
		ModelReinstated {
			/// The model.
			model: ModelId,
		},
		/// The model is offered to another account.
		TransferOffered {
			/// The model.
			model: ModelId,
			/// Who may accept it.
			to: T::AccountId,
		},
		/// The offer of the model was taken back.
		TransferWithdrawn {
			/// The model.
			model: ModelId,
		},
		/// The model has a new owner.
		ModelTransferred {
			/// The model.
			model: ModelId,
			/// Who owned it.
			from: T::AccountId,
			/// Who owns it now.
			to: T::AccountId,
		},
		/// The model and all its versions are gone, and its deposit was given back.
		ModelRemoved {
			/// The model.
			model: ModelId,
		},
		/// An account committed to an artefact.
		ArtefactCommitted {
			/// Who may register it.
			owner: T::AccountId,
			/// The commitment.
			hash: H256,
			/// The first block in which it counts.
			from: BlockNumber,
			/// The last block in which it counts.
			until: BlockNumber,
		},
		/// A commitment is gone without a registration, and its deposit was given back.
		CommitmentDropped {
			/// Who made it.
			owner: T::AccountId,
			/// The commitment.
			hash: H256,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// There is no model with this id.
		UnknownModel,
		/// Only the model's owner may do this.
		NotOwner,
		/// The name is empty, has other characters than lower-case letters, digits, `-`, `_` and `.`, or does not start
		/// with a letter or a digit.
		NameInvalid,
		/// The owner has another model of this name.
		NameTaken,
		/// The artefact is empty or larger than 8 GiB.
		ArtifactSizeInvalid,
		/// The licence is empty or not an SPDX expression.
		LicenceInvalid,
		/// The model has no input or no output.
		TensorsMissing,
		/// A tensor's name is empty, not UTF-8, has control characters or is reserved by the safetensors format.
		TensorNameInvalid,
		/// Two inputs, or two outputs, have the same name.
		TensorNameTwice,
		/// The time of one unit is 0 or more than ten minutes.
		UnitTimeInvalid,
		/// A version counts in the unit of the model's others, and a derived model in its parent's: royalties, floors and
		/// asks are per unit.
		UnitChanged,
		/// `Exact` verification is for models all of whose outputs are integers.
		ExactNeedsIntegers,
		/// The tolerance allows more than 1 % of outliers.
		OutliersAboveMax,
		/// The trace has the name of an input or of an output.
		TraceNameTaken,
		/// The trace's tolerance is 0: not even honest runs on two machines would agree.
		TraceToleranceZero,
		/// Audits see less than half of all cheats. Name a trace, or calibrate with inputs that tell more.
		DetectionTooLow,
		/// The recipe's name is not valid, or its file is empty or larger than 8 GiB.
		RecipeInvalid,
		/// The royalty is above `MaxRoyalty`.
		RoyaltyAboveMax,
		/// The royalty is below the floor of the parent's terms.
		RoyaltyBelowFloor,
		/// The royalty rises by more than a quarter, and by more than `SmallestRise`, within `RoyaltyRisePeriod`.
		RoyaltyRiseTooSteep,
		/// The floor of derivative terms is above `MaxRoyalty`.
		FloorAboveMax,
		/// The floor of derivative terms is below the floor that the model owes its own parent.
		FloorBelowParents,
		/// The share of derivative terms is below the share that the model owes its own parent.
		ShareBelowParents,
		/// There is no model with the parent's id.
		UnknownParent,
		/// The parent's owner allows no derived models.
		DerivativesForbidden,
		/// The parent is deprecated.
		ParentDeprecated,
		/// The parent has the most ancestors that a model may have.
		LineageTooLong,
		/// The parent's terms were set in the block of the commitment or after it. Look at them, drop the commitment and
		/// commit again.
		ParentTermsChanged,
		/// The artefact is a version of another model.
		ArtefactTaken,
		/// The account has not committed to this artefact with this salt.
		CommitmentMissing,
		/// The commitment does not count yet.
		CommitmentTooYoung,
		/// The commitment does not count any more. Drop it and commit again.
		CommitmentExpired,
		/// The account has made this commitment already.
		AlreadyCommitted,
		/// The account has made no such commitment.
		UnknownCommitment,
		/// Only its maker drops a commitment that counts, or will.
		CommitmentNotExpired,
		/// The model has the most versions that a model may have. Register a new model.
		TooManyVersions,
		/// The call would change nothing.
		NothingToChange,
		/// The model is deprecated.
		ModelDeprecated,
		/// The model is not deprecated.
		NotDeprecated,
		/// The account owns the model already.
		AlreadyOwner,
		/// The model is not offered to this account.
		NotOffered,
		/// The model has jobs that are not over yet.
		OpenJobs,
		/// Other models derive from the model.
		HasChildren,
		/// All ids were given.
		IdsExhausted,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxVersions::get() > 0, "a model has at least one version");
			assert!(
				(1..=T::MaxRoyalty::get()).contains(&T::SmallestRise::get()),
				"a royalty of 0 must be able to rise, and not beyond the maximum"
			);
			assert!(
				T::RoyaltyNotice::get() <= T::RoyaltyRisePeriod::get(),
				"a rise must not take longer to announce than the period that bounds rises"
			);
			assert!(
				T::CommitBlocks::get() > 0,
				"who sees an artefact must not register it in the same block"
			);
			assert!(
				T::CommitLifetime::get() > T::CommitBlocks::get(),
				"a commitment must not expire before it counts"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers a model with its first version. Its deposit is held from the caller, its owner.
		///
		/// With a `parent`, the parent's terms, which must be older than the commitment, are fixed for good, and the unit
		/// is the parent's. `derivative_terms` are what the new model asks of its own children; `None` allows none.
		/// `royalty` is per unit.
		///
		/// `salt` opens the caller's commitment to the artefact; it is looked at last. A new model always needs it.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register())]
		pub fn register(
			origin: OriginFor<T>,
			name: ModelName,
			spec: VersionSpec,
			parent: Option<ModelId>,
			derivative_terms: Option<DerivativeTerms>,
			#[pallet::compact] royalty: Balance,
			salt: Option<[u8; 32]>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register(who, name, spec, parent, derivative_terms, royalty, salt)?;
			Ok(())
		}

		/// Adds a version, which new jobs run on after `VersionNotice`; until then they run on the present one. Everything
		/// but the unit may differ from the version before. A version whose notice is not over is never run: this one
		/// takes its place. The deposit grows by the version's size; an offer of the model lapses.
		///
		/// `salt` opens the caller's commitment to the artefact; it is not needed, nor looked at, where the model has the
		/// artefact already.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::add_version())]
		pub fn add_version(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			spec: VersionSpec,
			salt: Option<[u8; 32]>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_add_version(who, model, spec, salt)?;
			Ok(())
		}

		/// Sets the royalty per unit, or the terms for models derived from now on, or both. `None` leaves as is.
		///
		/// A royalty that does not rise holds at once and takes a pending rise back. A rise holds after `RoyaltyNotice`;
		/// all rises that take effect within `RoyaltyRisePeriod` stay within a quarter, or within `SmallestRise` where that is
		/// more.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::update_terms())]
		pub fn update_terms(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			royalty: Option<Balance>,
			derivative_terms: Option<Option<DerivativeTerms>>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_update_terms(who, model, royalty, derivative_terms)
		}

		/// Takes the model off the market: no new jobs, no new children. Open jobs go on.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::deprecate())]
		pub fn deprecate(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_deprecate(who, model)
		}

		/// Puts a deprecated model back on the market.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::reinstate())]
		pub fn reinstate(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_reinstate(who, model)
		}

		/// Offers the model to `to`, in place of any offer before.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::offer_transfer())]
		pub fn offer_transfer(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			to: T::AccountId,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_offer_transfer(who, model, to)
		}

		/// Takes an offer of the model back.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::withdraw_offer())]
		pub fn withdraw_offer(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw_offer(who, model)
		}

		/// Takes a model that is offered to the caller: its deposit is held from the caller, and the former owner gets its
		/// own back.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::accept_transfer())]
		pub fn accept_transfer(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_accept_transfer(who, model)
		}

		/// Removes a model without open jobs and without children, and gives its deposit back.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::remove(T::MaxVersions::get()))]
		pub fn remove(origin: OriginFor<T>, #[pallet::compact] model: ModelId) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			let versions = Self::do_remove(who, model)?;
			Ok(Some(T::WeightInfo::remove(versions)).into())
		}

		/// Commits to an artefact that the caller will register, as a model or as a version of one: `hash` is the
		/// [commitment](highway_primitives::model::model_commitment) of the caller. It counts from `CommitBlocks` later on,
		/// for `CommitLifetime`. Its deposit comes back when it is opened or dropped.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::commit_model())]
		pub fn commit_model(origin: OriginFor<T>, hash: H256) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_commit_model(who, hash)
		}

		/// Drops a commitment of `owner`, who gets its deposit back: its maker at any time, anybody once it has expired.
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::drop_commitment())]
		pub fn drop_commitment(origin: OriginFor<T>, owner: T::AccountId, hash: H256) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_drop_commitment(who, owner, hash)
		}
	}
}
