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

pub use authorization::{NO_ITEMS, WRONG_OPENING};
pub use calibration::{may_slash, MIN_CONFIRMATIONS, MIN_OPERATORS};
pub use draw::{RING, WALK};
pub use finality::{INHERENT_IDENTIFIER, MAX_LAG};
pub use pallet::*;
pub use types::{
	AuditPhase, AuditRecord, Calibration, Finality, SealedBlock, SeatRecord, SlashReason, JURORS, MAX_AUDITORS,
};
pub use weights::WeightInfo;

mod audit_impls;
mod authorization;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod calibration;
mod dispatchable_impls;
mod draw;
pub mod finality;
pub mod invariants;
mod jury_impls;
#[cfg(test)]
mod mock;
mod penalties;
mod reads;
#[cfg(test)]
mod tests;
pub mod types;
pub mod verdict;
pub mod weights;

// FRAME generates items without docs.
#[allow(missing_docs, unused_qualifications, clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_support::{inherent::ProvideInherent, pallet_prelude::*, traits::FindAuthor};
	use frame_system::pallet_prelude::*;
	use highway_primitives::{
		audit::{AuditReason, SketchSeed, Verdict, Vote},
		traits,
		worker::{ChunkProof, MaxAttestations},
		AttestItem, Balance, Ballot, BlobRef, BlockNumber, FailureClass, JobId, ModelId, ModelVersion, NodeId, Opening,
		WorkTag, WorkerSignature,
	};
	use sp_core::H256;
	use sp_runtime::SaturatedConversion;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<Hash = H256, RuntimeEvent: From<Event<Self>>> {
		/// How far two honest runs of a version may lie apart, and who owns its model.
		type Models: traits::Models<Self::AccountId>;
		/// Worker keys, judges, and the bonds that stand behind all of them.
		type Nodes: traits::Nodes<Self::AccountId>;
		/// Divides slashes, pays judges, keeps bonds: the only one that moves money.
		type Market: traits::Market<Self::AccountId>;
		/// Which job waits for which node, and what an audit needs to know of it.
		type Jobs: traits::Jobs<Self::AccountId>;
		/// The VRF output of the present block's author, asked for in `on_finalize`: Babe must be declared before this pallet.
		/// `None` where the block has none.
		type BlockVrf: Get<Option<[u8; 32]>>;
		/// Finds the author in the block's digest. Asked in `on_finalize`, after the session has changed: the index in the
		/// digest is one of the new validators.
		type FindAuthor: FindAuthor<Self::AccountId>;
		/// The present validators, by the accounts that [`Config::FindAuthor`] gives.
		type Validators: Get<Vec<Self::AccountId>>;
		/// Blocks in which a ballot or a commitment is opened, or a chunk proved. Who is silent loses its security: long enough
		/// for an honest node that is busy, or starts anew.
		type RevealBlocks: Get<BlockNumber>;
		/// Weights of the calls, of their authorization and of the steps that others' queues run.
		type WeightInfo: WeightInfo;
	}

	/// The last [`RING`] blocks with their authors and VRF outputs, at block number modulo [`RING`].
	// Keys are counted round.
	#[pallet::storage]
	pub type Vrfs<T: Config> = StorageMap<_, Twox64Concat, BlockNumber, SealedBlock<T::AccountId>>;

	/// Audits, from their draw until the job's record goes. Each belongs to a job that was paid for.
	// Ids of jobs are counted up, nobody chooses them.
	#[pallet::storage]
	pub type Audits<T> = StorageMap<_, Twox64Concat, JobId, AuditRecord>;

	/// Which audits hold a node: as executor, present auditor or juror. Bounded by the securities reserved of its bond.
	// Neither key is chosen by anybody.
	#[pallet::storage]
	pub type Tasks<T> = StorageDoubleMap<_, Twox64Concat, NodeId, Twox64Concat, JobId, ()>;

	/// Nodes whose word lost its weight, and since when: their jobs attested until then are audited. One per node that was
	/// convicted or lost security.
	// Ids of nodes are counted up, nobody chooses them.
	#[pallet::storage]
	pub type Suspects<T> = StorageMap<_, Twox64Concat, NodeId, BlockNumber>;

	/// Audits that payers asked for, with who paid which bond. Each until its audit ends.
	// Ids of jobs are counted up, nobody chooses them.
	#[pallet::storage]
	pub type Forced<T: Config> = StorageMap<_, Twox64Concat, JobId, (T::AccountId, Balance)>;

	/// How far the calibration of a version is reproduced and disputed. One per version at most; versions pay a deposit.
	// Neither key is chosen by anybody.
	#[pallet::storage]
	pub type Calibrations<T: Config> =
		StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, ModelVersion, Calibration<T::AccountId>, ValueQuery>;

	/// Moving average of the compute lines of audited jobs: dust jobs move nobody's reliability.
	#[pallet::storage]
	pub type AverageReward<T> = StorageValue<_, Balance, ValueQuery>;

	/// What the last authors said about finality.
	#[pallet::storage]
	pub type FinalityHints<T> = StorageValue<_, Finality, ValueQuery>;

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
		/// A payer asked for an audit.
		AuditForced {
			/// The job.
			job: JobId,
			/// Who pays for it.
			payer: T::AccountId,
			/// What it put down.
			bond: Balance,
		},
		/// An audit began.
		AuditOpened {
			/// The job.
			job: JobId,
			/// Who judges it.
			auditor: NodeId,
			/// Why.
			reason: AuditReason,
			/// The first block in which the auditor is late.
			until: BlockNumber,
		},
		/// The auditor was silent or did not judge, or misses an output without which nobody can: another one does.
		AuditorReplaced {
			/// The job.
			job: JobId,
			/// Who judges now.
			auditor: NodeId,
			/// The first block in which it is late.
			until: BlockNumber,
		},
		/// The executor opened what it had committed to.
		CommitmentOpened {
			/// The job.
			job: JobId,
			/// The executor.
			node: NodeId,
		},
		/// An auditor or a juror committed to its ballot.
		BallotCommitted {
			/// The job.
			job: JobId,
			/// Who judges.
			node: NodeId,
		},
		/// An auditor or a juror opened its ballot.
		BallotRevealed {
			/// The job.
			job: JobId,
			/// Who judges.
			node: NodeId,
			/// What it says of the executor.
			vote: Vote,
		},
		/// The auditor misses the output: the executor must show a chunk of it.
		ChunkChallenged {
			/// The job.
			job: JobId,
			/// The executor.
			node: NodeId,
			/// The first block in which it is late.
			until: BlockNumber,
		},
		/// The executor showed the chunk.
		ChunkProved {
			/// The job.
			job: JobId,
			/// The executor.
			node: NodeId,
		},
		/// Executor and auditor do not agree: a jury judges both.
		JuryOpened {
			/// The job.
			job: JobId,
			/// Who judges.
			jurors: Vec<NodeId>,
			/// The first block in which they are late.
			until: BlockNumber,
		},
		/// A node lost security.
		Slashed {
			/// The job.
			job: JobId,
			/// The node.
			node: NodeId,
			/// What it lost.
			amount: Balance,
			/// Why.
			why: SlashReason,
		},
		/// An audit ended.
		AuditEnded {
			/// The job.
			job: JobId,
			/// How.
			verdict: Verdict,
		},
		/// An operator reproduced the calibration of a version.
		CalibrationConfirmed {
			/// The model.
			model: ModelId,
			/// The version.
			version: ModelVersion,
			/// Who.
			operator: T::AccountId,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// No such job, or it is neither attested nor in audit.
		NotAttested,
		/// Only the job's payer may ask for its audit.
		NotPayer,
		/// The job is in audit already.
		AlreadyAudited,
		/// The job's audit was asked for before.
		AlreadyForced,
		/// The audit wants nothing of this kind from the node now.
		NotDue,
		/// No such version.
		UnknownVersion,
		/// The account operates no node.
		NoNode,
		/// The model's owner cannot confirm its own calibration.
		OwnCalibration,
		/// The operator confirmed it before.
		AlreadyConfirmed,
		/// As many operators as are counted have confirmed it.
		EnoughConfirmations,
		/// A block that is still to come cannot be final.
		FinalityInFuture,
		/// One hint per block.
		FinalityAlreadyNoted,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		/// Pays for what `on_finalize` does.
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			T::WeightInfo::seal_block()
		}

		fn on_finalize(now: BlockNumberFor<T>) {
			Self::seal_block(now.saturated_into());
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// The node did these jobs. Signed by its worker key, not by an account; costs nothing.
		///
		/// Items that do not wait for the node, or name other work than the job stands for on this fork, are skipped, so
		/// that one of them does not cost the others their pay.
		#[pallet::call_index(0)]
		#[pallet::weight((Pallet::<T>::attest_weight(items.len() as u32), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, items, signature| Self::authorize_attest(*node, items, signature))]
		#[pallet::weight_of_authorize(Pallet::<T>::authorize_attest_weight(items.len() as u32))]
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
			let _ = signature;
			Self::do_report_failure(node, job, work, class)
		}

		/// The executor opens what it committed to at its attestation, the sketch of the input that was drawn, once the auditor
		/// has revealed and, if that misses the output, the chunk is proved. Signed by its worker key; costs nothing.
		#[pallet::call_index(2)]
		#[pallet::weight((T::WeightInfo::open_commitment(), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, job, opening, salt, signature| Self::authorize_opening(*node, *job, opening, salt, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_open_commitment())]
		pub fn open_commitment(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] job: JobId,
			opening: Opening,
			salt: [u8; 32],
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			// All of it was checked against what is stored.
			let _ = (salt, signature);
			Self::do_open_commitment(node, job, opening.sketch)
		}

		/// An auditor or a juror has judged, and binds itself to what it will say. Signed by its worker key; costs nothing.
		#[pallet::call_index(3)]
		#[pallet::weight((T::WeightInfo::commit_ballot(), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, job, seed, commitment, signature| Self::authorize_commit(*node, *job, seed, commitment, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_commit_ballot())]
		pub fn commit_ballot(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] job: JobId,
			seed: SketchSeed,
			commitment: H256,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let _ = (seed, signature);
			Self::do_commit_ballot(node, job, commitment)
		}

		/// An auditor or a juror opens the ballot that it committed to. Signed by its worker key; costs nothing.
		#[pallet::call_index(4)]
		#[pallet::weight((T::WeightInfo::reveal_ballot(), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, job, ballot, salt, signature| Self::authorize_reveal(*node, *job, ballot, salt, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_reveal_ballot())]
		pub fn reveal_ballot(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] job: JobId,
			ballot: Ballot,
			salt: [u8; 32],
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let _ = (salt, signature);
			Self::do_reveal_ballot(node, job, ballot)
		}

		/// The executor shows the drawn chunk of an output that its auditor misses. Signed by its worker key; costs nothing.
		#[pallet::call_index(5)]
		#[pallet::weight((T::WeightInfo::prove_chunk(), DispatchClass::Operational, Pays::No))]
		#[pallet::authorize(|_, node, job, proof, signature| Self::authorize_proof(*node, *job, proof, signature))]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_prove_chunk())]
		pub fn prove_chunk(
			origin: OriginFor<T>,
			#[pallet::compact] node: NodeId,
			#[pallet::compact] job: JobId,
			proof: ChunkProof,
			signature: WorkerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let _ = (proof, signature);
			Self::do_prove_chunk(node, job)
		}

		/// The payer has its job audited, once, while it waits for its pay. It puts down twice what an audit costs, and gets
		/// it back unless the work is found right.
		#[pallet::call_index(6)]
		#[pallet::weight(Pallet::<T>::force_weight())]
		pub fn force_audit(origin: OriginFor<T>, #[pallet::compact] job: JobId) -> DispatchResult {
			let payer = ensure_signed(origin)?;
			Self::do_force_audit(payer, job)
		}

		/// An operator says that it reproduced a version's calibration: the same cases, on its own machine, within the
		/// version's tolerances. Nobody is slashed by a jury before two did.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::confirm_calibration())]
		pub fn confirm_calibration(
			origin: OriginFor<T>,
			#[pallet::compact] model: ModelId,
			#[pallet::compact] version: ModelVersion,
		) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_confirm_calibration(operator, model, version)
		}

		/// The block's author says which block is the last that it knows to be final. An inherent: once per block at most.
		#[pallet::call_index(8)]
		#[pallet::weight((T::WeightInfo::note_finality(), DispatchClass::Mandatory))]
		pub fn note_finality(origin: OriginFor<T>, #[pallet::compact] number: BlockNumber) -> DispatchResult {
			ensure_none(origin)?;
			Self::do_note_finality(number)
		}
	}

	#[pallet::inherent]
	impl<T: Config> ProvideInherent for Pallet<T> {
		type Call = Call<T>;
		type Error = frame_support::inherent::MakeFatalError<()>;
		const INHERENT_IDENTIFIER: frame_support::inherent::InherentIdentifier = INHERENT_IDENTIFIER;

		/// A node that gives no hint builds blocks all the same.
		fn create_inherent(data: &frame_support::inherent::InherentData) -> Option<Self::Call> {
			let number: BlockNumber = data.get_data(&INHERENT_IDENTIFIER).ok().flatten()?;
			// A block with a hint that its own check refuses would be lost.
			let number = number.min(Self::now());
			Some(Call::note_finality { number })
		}

		fn is_inherent(call: &Self::Call) -> bool {
			matches!(call, Call::note_finality { .. })
		}
	}
}
