//! Weights of `pallet_proof_of_work_done`. Written by `scripts/weights`: what is changed by hand is lost with the next measurement, and CI refuses it.
//!
//! Measured on 2026-11-30 in 20 steps of 20 runs, by `AMD EPYC`.
//!
//! Each is a line that no size lies above: times by the median of a size's runs, accesses by all of them. Proofs have no
//! size on a chain of its own: the second dimension counts what is left to later blocks, and is 0 here.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// Weights of what `benchmarking.rs` measures, each at its worst.
pub trait WeightInfo {
	fn attest(n: u32) -> Weight;
	fn authorize_attest(n: u32) -> Weight;
	fn report_failure() -> Weight;
	fn authorize_report_failure() -> Weight;
	fn open_commitment() -> Weight;
	fn authorize_open_commitment() -> Weight;
	fn commit_ballot() -> Weight;
	fn authorize_commit_ballot() -> Weight;
	fn reveal_ballot() -> Weight;
	fn authorize_reveal_ballot() -> Weight;
	fn prove_chunk() -> Weight;
	fn authorize_prove_chunk() -> Weight;
	fn force_audit() -> Weight;
	fn confirm_calibration() -> Weight;
	fn note_finality() -> Weight;
	fn seal_block() -> Weight;
	fn window_over(b: u32) -> Weight;
	fn audit_opened() -> Weight;
	fn audit_due() -> Weight;
}

/// Weights with what the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `InferenceJobs::Jobs` (r:256 w:256)
	/// Storage: `NodeStaking::Standings` (r:1 w:1)
	/// Storage: `InferenceJobs::AttestationWindow` (r:1 w:0)
	/// Storage: `InferenceJobs::Due` (r:0 w:512)
	/// Storage: `InferenceJobs::Assignments` (r:0 w:256)
	/// Storage: `ProofOfWorkDone::Commitments` (r:0 w:256)
	/// `n` is from 1 to 256.
	fn attest(n: u32) -> Weight {
		Weight::from_parts(525_049_770, 0)
			.saturating_add(Weight::from_parts(38_892_615, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64.saturating_mul(n.into())))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `InferenceJobs::Jobs` (r:256 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// `n` is from 1 to 256.
	fn authorize_attest(n: u32) -> Weight {
		Weight::from_parts(233_294_274, 0)
			.saturating_add(Weight::from_parts(7_651_563, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(n.into())))
	}
	/// Storage: `InferenceJobs::Jobs` (r:7 w:1)
	/// Storage: `InferenceJobs::AverageReward` (r:1 w:0)
	/// Storage: `NodeStaking::Standings` (r:64 w:1)
	/// Storage: `RevenueSplit::Clearings` (r:1 w:0)
	/// Storage: `InferenceJobs::LastDraws` (r:1 w:0)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `System::ParentHash` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:63 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `InferenceJobs::Retention` (r:1 w:0)
	/// Storage: `ModelRegistry::Models` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:2)
	/// Storage: `InferenceJobs::Assignments` (r:0 w:1)
	fn report_failure() -> Weight {
		Weight::from_parts(1_192_737_000, 0)
			.saturating_add(T::DbWeight::get().reads(145_u64))
			.saturating_add(T::DbWeight::get().writes(9_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `InferenceJobs::Jobs` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn authorize_report_failure() -> Weight {
		Weight::from_parts(173_518_000, 0)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:1)
	/// Storage: `InferenceJobs::Jobs` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:2)
	fn open_commitment() -> Weight {
		Weight::from_parts(108_051_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:0)
	/// Storage: `InferenceJobs::Jobs` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Commitments` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn authorize_open_commitment() -> Weight {
		Weight::from_parts(168_631_000, 0)
			.saturating_add(T::DbWeight::get().reads(5_u64))
	}
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:1)
	/// Storage: `InferenceJobs::Jobs` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:2)
	fn commit_ballot() -> Weight {
		Weight::from_parts(108_241_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn authorize_commit_ballot() -> Weight {
		Weight::from_parts(131_647_000, 0)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:1)
	/// Storage: `InferenceJobs::Jobs` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:2)
	fn reveal_ballot() -> Weight {
		Weight::from_parts(106_759_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:0)
	/// Storage: `InferenceJobs::Jobs` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn authorize_reveal_ballot() -> Weight {
		Weight::from_parts(147_980_000, 0)
			.saturating_add(T::DbWeight::get().reads(4_u64))
	}
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:1)
	/// Storage: `InferenceJobs::Jobs` (r:1 w:1)
	/// Storage: `InferenceJobs::Due` (r:0 w:2)
	fn prove_chunk() -> Weight {
		Weight::from_parts(110_164_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:0)
	/// Storage: `InferenceJobs::Jobs` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn authorize_prove_chunk() -> Weight {
		Weight::from_parts(172_206_000, 0)
			.saturating_add(T::DbWeight::get().reads(5_u64))
	}
	/// Storage: `InferenceJobs::Jobs` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Audits` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Forced` (r:1 w:1)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	fn force_audit() -> Weight {
		Weight::from_parts(169_533_000, 0)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `ModelRegistry::Versions` (r:1 w:0)
	/// Storage: `NodeStaking::NodeOf` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Calibrations` (r:1 w:1)
	fn confirm_calibration() -> Weight {
		Weight::from_parts(85_878_000, 0)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `ProofOfWorkDone::FinalityHints` (r:1 w:1)
	fn note_finality() -> Weight {
		Weight::from_parts(8_372_000, 0)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Session::Validators` (r:1 w:0)
	/// Storage: `Babe::AuthorVrfRandomness` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:0 w:1)
	fn seal_block() -> Weight {
		Weight::from_parts(12_850_000, 0)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `NodeStaking::Nodes` (r:1 w:0)
	/// Storage: `Session::Validators` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:32 w:0)
	/// Storage: `ProofOfWorkDone::Forced` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Suspects` (r:1 w:0)
	/// `b` is from 3 to 32.
	fn window_over(b: u32) -> Weight {
		Weight::from_parts(158_560_748, 0)
			.saturating_add(Weight::from_parts(4_536_259, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(b.into())))
	}
	/// Storage: `NodeStaking::Nodes` (r:17 w:0)
	/// Storage: `Session::Validators` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:32 w:0)
	/// Storage: `ProofOfWorkDone::Calibrations` (r:1 w:1)
	/// Storage: `ProofOfWorkDone::AverageReward` (r:1 w:1)
	/// Storage: `NodeStaking::NodeOf` (r:2 w:0)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:0)
	/// Storage: `NodeStaking::BondTree` (r:97 w:0)
	/// Storage: `NodeStaking::Standings` (r:16 w:0)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Forced` (r:1 w:1)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `System::Account` (r:2 w:2)
	/// Storage: `ProofOfWorkDone::Audits` (r:0 w:1)
	/// Storage: `ProofOfWorkDone::Tasks` (r:0 w:1)
	fn audit_opened() -> Weight {
		Weight::from_parts(1_230_003_000, 0)
			.saturating_add(T::DbWeight::get().reads(173_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	/// Storage: `ProofOfWorkDone::Audits` (r:2 w:2)
	/// Storage: `ProofOfWorkDone::FinalityHints` (r:1 w:0)
	/// Storage: `NodeStaking::Nodes` (r:20 w:3)
	/// Storage: `Session::Validators` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Vrfs` (r:32 w:0)
	/// Storage: `NodeStaking::NodeOf` (r:5 w:0)
	/// Storage: `NodeStaking::BondTreeShape` (r:1 w:1)
	/// Storage: `NodeStaking::BondTree` (r:116 w:21)
	/// Storage: `NodeStaking::Standings` (r:20 w:7)
	/// Storage: `NodeStaking::CurrentSession` (r:1 w:0)
	/// Storage: `ModelRegistry::Models` (r:1 w:0)
	/// Storage: `ModelRegistry::Versions` (r:1 w:0)
	/// Storage: `ProofOfWorkDone::Calibrations` (r:1 w:0)
	/// Storage: `Balances::Holds` (r:3 w:3)
	/// Storage: `System::Account` (r:5 w:5)
	/// Storage: `NodeStaking::Slashes` (r:3 w:3)
	/// Storage: `VoterList::Lock` (r:1 w:0)
	/// Storage: `VoterList::ListNodes` (r:8 w:8)
	/// Storage: `VoterList::CounterForListNodes` (r:1 w:1)
	/// Storage: `RevenueSplit::Books` (r:1 w:1)
	/// Storage: `RevenueSplit::Earnings` (r:9 w:9)
	/// Storage: `ProofOfWorkDone::AverageReward` (r:1 w:0)
	/// Storage: `VoterList::ListBags` (r:1 w:1)
	/// Storage: `RevenueSplit::EpochLength` (r:1 w:0)
	/// Storage: `NodeStaking::FirstSession` (r:1 w:0)
	/// Storage: `NodeStaking::OpeningSessions` (r:1 w:0)
	/// Storage: `NodeStaking::EpochStarts` (r:1 w:1)
	/// Storage: `RevenueSplit::Debts` (r:8 w:10)
	/// Storage: `ProofOfWorkDone::Forced` (r:1 w:1)
	/// Storage: `ProofOfWorkDone::Suspects` (r:0 w:1)
	/// Storage: `ProofOfWorkDone::Tasks` (r:0 w:8)
	fn audit_due() -> Weight {
		Weight::from_parts(2_615_888_000, 0)
			.saturating_add(T::DbWeight::get().reads(248_u64))
			.saturating_add(T::DbWeight::get().writes(86_u64))
	}
}

/// For tests.
impl WeightInfo for () {
	fn attest(n: u32) -> Weight {
		Weight::from_parts(525_049_770, 0)
			.saturating_add(Weight::from_parts(38_892_615, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64.saturating_mul(n.into())))
	}
	fn authorize_attest(n: u32) -> Weight {
		Weight::from_parts(233_294_274, 0)
			.saturating_add(Weight::from_parts(7_651_563, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(n.into())))
	}
	fn report_failure() -> Weight {
		Weight::from_parts(1_192_737_000, 0)
			.saturating_add(RocksDbWeight::get().reads(145_u64))
			.saturating_add(RocksDbWeight::get().writes(9_u64))
	}
	fn authorize_report_failure() -> Weight {
		Weight::from_parts(173_518_000, 0)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn open_commitment() -> Weight {
		Weight::from_parts(108_051_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn authorize_open_commitment() -> Weight {
		Weight::from_parts(168_631_000, 0)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
	}
	fn commit_ballot() -> Weight {
		Weight::from_parts(108_241_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn authorize_commit_ballot() -> Weight {
		Weight::from_parts(131_647_000, 0)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	fn reveal_ballot() -> Weight {
		Weight::from_parts(106_759_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn authorize_reveal_ballot() -> Weight {
		Weight::from_parts(147_980_000, 0)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
	}
	fn prove_chunk() -> Weight {
		Weight::from_parts(110_164_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn authorize_prove_chunk() -> Weight {
		Weight::from_parts(172_206_000, 0)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
	}
	fn force_audit() -> Weight {
		Weight::from_parts(169_533_000, 0)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	fn confirm_calibration() -> Weight {
		Weight::from_parts(85_878_000, 0)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn note_finality() -> Weight {
		Weight::from_parts(8_372_000, 0)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn seal_block() -> Weight {
		Weight::from_parts(12_850_000, 0)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn window_over(b: u32) -> Weight {
		Weight::from_parts(158_560_748, 0)
			.saturating_add(Weight::from_parts(4_536_259, 0).saturating_mul(b.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(b.into())))
	}
	fn audit_opened() -> Weight {
		Weight::from_parts(1_230_003_000, 0)
			.saturating_add(RocksDbWeight::get().reads(173_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
	fn audit_due() -> Weight {
		Weight::from_parts(2_615_888_000, 0)
			.saturating_add(RocksDbWeight::get().reads(248_u64))
			.saturating_add(RocksDbWeight::get().writes(86_u64))
	}
}
// Written by scripts/weights as it is: blake2-256 34d5571f5556f8437377424564f86bad8f549983eba270f455ebe9ab2823c8f5
