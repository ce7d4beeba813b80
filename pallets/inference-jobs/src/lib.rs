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

pub use audit_weights::AuditWeights;
pub use draw::SAMPLE;
pub use pallet::*;
pub use types::{JobRecord, JobRecordOf, JobState, MaxExecutors};
pub use weights::WeightInfo;

mod audit_weights;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod dispatchable_impls;
mod draw;
pub mod invariants;
mod judgement;
mod life_cycle;
#[cfg(test)]
mod mock;
mod quorum;
mod reads;
#[cfg(test)]
mod tests;
mod tick_impls;
pub mod types;
pub mod weights;

// FRAME generates items without docs.
#[allow(missing_docs, unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::types::Submission;
	use frame_support::{pallet_prelude::*, weights::WeightMeter};
	use frame_system::pallet_prelude::*;
	use highway_primitives::{
		traits, Balance, BlobRef, BlockNumber, FailureClass, JobId, ModelId, NodeId, Tier, MAX_INPUTS, MIN_INPUTS,
	};
	use sp_core::H256;
	use sp_runtime::SaturatedConversion;

	/// The largest input of a job, or all of its inputs together: 256 MiB. Larger ones would let one job hold a node's slot for
	/// minutes of transfer.
	pub const MAX_INPUT_SIZE: u64 = 256 * 1024 * 1024;

	/// The longest time that one executor may have, in blocks: five hours of 2 s. It bounds how long a payer's money can wait, and how long
	/// an audit can take, in which a judge has as long.
	pub const MAX_DEADLINE_BLOCKS: BlockNumber = 5 * 1_800;

	/// The most executors of one clearing record, and so the most nodes that a draw looks at.
	pub const MAX_DRAWN: u32 = 64;

	/// The most nodes that the market looks at for a submission: those that ask for running the model, and those that ask
	/// for storage.
	pub const MAX_LOOKED_AT: u32 = 2 * MAX_DRAWN;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// What a job can run: versions, units.
		type Models: traits::Models<Self::AccountId>;
		/// Who can run it: capacity, reserved security, reliability.
		type Nodes: traits::Nodes<Self::AccountId>;
		/// Prices, escrow and pay: the only one that moves money.
		type Market: traits::Market<Self::AccountId>;
		/// Says what becomes of attested work; told when a job's record goes.
		type Attestations: traits::Attestations<Self::AccountId>;
		/// Draws executors. `None` falls back to the parent block's hash.
		type Randomness: frame_support::traits::Randomness<Option<H256>, BlockNumberFor<Self>>;
		/// Security reserved from the executor's own bond for each job, in multiples of its compute line. The same as the
		/// market's, which finds the rate of audits with it.
		#[pallet::constant]
		type SecurityFactor: Get<u32>;
		/// What the due queue may use of each block; what is left over waits for the next block, or for `poke`.
		#[pallet::constant]
		type MaxTickWeight: Get<Weight>;
		/// Weights of calls and queue steps.
		type WeightInfo: WeightInfo;
		/// What the questions to `Attestations` weigh, on top of the steps that they lead to.
		type AuditWeights: AuditWeights;
	}

	/// Id of the next job. Ids are never reused.
	#[pallet::storage]
	pub type NextJobId<T> = StorageValue<_, JobId, ValueQuery>;

	/// All jobs, from submission until they are pruned. Bounded by what payers paid for: each entry cost a price and goes
	/// `Retention` blocks after the job's end.
	// Ids are counted up, nobody chooses them.
	#[pallet::storage]
	pub type Jobs<T: Config> = StorageMap<_, Twox64Concat, JobId, JobRecordOf<T>>;

	/// The due queue: at which block the present phase of a job ends. Exactly one entry per job.
	// Neither key is chosen by anybody.
	#[pallet::storage]
	pub type Due<T> = StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, JobId, ()>;

	/// The first block whose part of the due queue may still hold jobs.
	#[pallet::storage]
	pub type NextDue<T> = StorageValue<_, BlockNumber, ValueQuery>;

	/// The jobs that wait for a node. Bounded by the node's slots.
	// Neither key is chosen by anybody.
	#[pallet::storage]
	pub type Assignments<T> = StorageDoubleMap<_, Twox64Concat, NodeId, Twox64Concat, JobId, ()>;

	/// The least blocks between attestation and pay. Set at genesis, never changed.
	#[pallet::storage]
	pub type AttestationWindow<T> = StorageValue<_, BlockNumber, ValueQuery>;

	/// Blocks for which the record of an ended job is kept. Set at genesis, never changed.
	#[pallet::storage]
	pub type Retention<T> = StorageValue<_, BlockNumber, ValueQuery>;

	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// The least blocks between attestation and pay; at least 1.
		pub attestation_window: BlockNumber,
		/// Blocks for which the record of an ended job is kept; at least 1.
		pub retention: BlockNumber,
		/// Binds the runtime's type.
		#[serde(skip)]
		pub _phantom: PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				attestation_window: highway_math::audit::ATTESTATION_WINDOW,
				retention: 43_200,
				_phantom: PhantomData,
			}
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(
				self.attestation_window > 0,
				"attestation_window must be at least one block"
			);
			assert!(self.retention > 0, "retention must be at least one block");
			AttestationWindow::<T>::put(self.attestation_window);
			Retention::<T>::put(self.retention);
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A job was paid into the pot and given to a node; of a quorum each job has its event.
		JobSubmitted {
			/// The job.
			job: JobId,
			/// Who paid.
			payer: T::AccountId,
			/// The model.
			model: ModelId,
			/// The executor.
			node: NodeId,
			/// What was paid.
			price: Balance,
			/// The last block in which the node's attestation counts.
			deadline: BlockNumber,
		},
		/// A node let a job's deadline pass.
		JobTimedOut {
			/// The job.
			job: JobId,
			/// The node.
			node: NodeId,
		},
		/// A node paid for letting a deadline pass, or for a failure that another node's result contradicts.
		NodeFined {
			/// The job.
			job: JobId,
			/// The node.
			node: NodeId,
			/// What its own bond lost: the compute price, or what there was.
			amount: Balance,
		},
		/// A job was given to another node.
		JobReassigned {
			/// The job.
			job: JobId,
			/// The new executor.
			node: NodeId,
			/// The last block in which the node's attestation counts.
			deadline: BlockNumber,
		},
		/// The window after the attestation, or the audit, is over and everybody was paid.
		JobSettled {
			/// The job.
			job: JobId,
			/// Who did it.
			node: NodeId,
		},
		/// An audit found the output wrong; the payer has its money back.
		JobRejected {
			/// The job.
			job: JobId,
			/// Who did it.
			node: NodeId,
			/// The payer.
			payer: T::AccountId,
			/// What it got back.
			amount: Balance,
		},
		/// An audit came to no end that would slash or pay; the payer has its money back.
		JobVoided {
			/// The job.
			job: JobId,
			/// Who did it.
			node: NodeId,
			/// The payer.
			payer: T::AccountId,
			/// What it got back.
			amount: Balance,
		},
		/// Nobody did the job; the payer has its money back.
		JobRefunded {
			/// The job.
			job: JobId,
			/// The payer.
			payer: T::AccountId,
			/// What it got back.
			amount: Balance,
		},
		/// Two nodes found the job impossible for the same reason.
		JobFailed {
			/// The job.
			job: JobId,
			/// The reason.
			class: FailureClass,
			/// The two nodes, which share a part of the compute line.
			reporters: [NodeId; 2],
		},
		/// The record of an ended job was removed.
		JobPruned {
			/// The job.
			job: JobId,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// No such job, or its record is gone.
		UnknownJob,
		/// The input is empty or larger than 256 MiB.
		InputSizeOutOfRange,
		/// The model's registered time per unit gives this input a deadline of more than five hours.
		DeadlineTooLong,
		/// No node has the id given as gateway.
		UnknownGateway,
		/// The price, of a quorum that of all its jobs together, is above the payer's maximum.
		PriceAboveMax,
		/// Too few nodes that serve the model can take a job now: one, or of a quorum one for each of its jobs.
		NoCapacity,
		/// The job's present phase is not over yet.
		NotDue,
		/// On this fork the job id stands for other work.
		OtherWork,
		/// The job does not wait for this node.
		NotAssigned,
		/// The node's time for the job is over.
		DeadlinePassed,
		/// Too many audits of the model's present version were disputed: nobody is slashed for work on it, so it takes no more
		/// jobs. Its maker registers a new version, which is calibrated anew; others use another model until then.
		VersionSuspended,
		/// A quorum has two to seven jobs.
		QuorumSizeOutOfRange,
		/// A job of many inputs has 2 to 256 of them. One input is a job of its own.
		InputsOutOfRange,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			let mut meter = WeightMeter::with_limit(T::MaxTickWeight::get());
			Self::take_due(now.saturated_into(), &mut meter);
			meter.consumed()
		}

		fn integrity_test() {
			assert!(
				T::SecurityFactor::get() > 0,
				"SecurityFactor must not be 0: no bond would stand behind any job"
			);
			assert!(
				T::MaxTickWeight::get().all_gte(Self::least_tick_weight()),
				"MaxTickWeight must have room for one step of each kind, or the due queue would stand still",
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Pays for one run of `model` on `input`, or for a quorum of them, and gives each to a node of its own.
		///
		/// The price, of a quorum that of all jobs together, goes into the pot and never exceeds `max_price`. The jobs of a quorum
		/// have consecutive ids, and each is a job like any other; what does not depend on their number is paid with the first.
		/// `gateway` is the node that has the input; `curator` earns its posted fee. Fails, taking nothing, with
		/// [`Error::NoCapacity`] if there are not as many nodes that can take a job now, with [`Error::QuorumSizeOutOfRange`] if
		/// there is no quorum of that size, and with [`Error::VersionSuspended`] if the model's maker has to register a new version.
		#[pallet::call_index(0)]
		#[pallet::weight(Pallet::<T>::heaviest_submission(*tier))]
		pub fn submit_job(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			input: BlobRef,
			tier: Tier,
			#[pallet::compact] max_price: Balance,
			gateway: Option<NodeId>,
			curator: Option<T::AccountId>,
		) -> DispatchResultWithPostInfo {
			let payer = ensure_signed(origin)?;
			let submission = Submission {
				model,
				input,
				inputs: 1,
				tier,
				max_price,
				gateway,
				curator,
			};
			let looks = Self::do_submit(payer, submission)?;
			Ok(Some(Self::submit_weight(tier, looks)).into())
		}

		/// Takes a job whose present phase is over to its next one, as the due queue would: settles it, takes its audit a
		/// step further, gives it to another node, refunds it or removes its record. Anybody may; fails with
		/// [`Error::NotDue`] before its time.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::poke().max(Pallet::<T>::heaviest_poke()))]
		pub fn poke(origin: OriginFor<T>, #[pallet::compact] job: JobId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let step = Self::do_poke(job)?;
			Ok(Some(T::WeightInfo::tick_look().saturating_add(step)).into())
		}

		/// Pays for runs of `model` on many inputs as one job of one node: one record, one output, one audit at most.
		///
		/// `input` is the [bundle](highway_primitives::batch) of `inputs` files, which the chain never sees: whoever is given one
		/// of another number reports `InputInvalid` for the whole job. It costs and lasts what its units do, at least one for each
		/// input; all of it is done, and paid, or nothing is. Otherwise it is as [`Call::submit_job`] of one job, and fails as that
		/// does, or with [`Error::InputsOutOfRange`] if it is not 2 to 256 inputs.
		#[pallet::call_index(2)]
		#[pallet::weight(Pallet::<T>::heaviest_batch())]
		pub fn submit_batch(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			input: BlobRef,
			inputs: u16,
			#[pallet::compact] max_price: Balance,
			gateway: Option<NodeId>,
			curator: Option<T::AccountId>,
		) -> DispatchResultWithPostInfo {
			let payer = ensure_signed(origin)?;
			ensure!(
				(MIN_INPUTS..=MAX_INPUTS).contains(&inputs),
				Error::<T>::InputsOutOfRange
			);
			let submission = Submission {
				model,
				input,
				inputs,
				tier: Tier::Spot,
				max_price,
				gateway,
				curator,
			};
			let looks = Self::do_submit(payer, submission)?;
			Ok(Some(Self::batch_weight(looks)).into())
		}
	}
}
