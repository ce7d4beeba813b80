//! Weights of `pallet-proof-of-work-done`.
//!
//! ESTIMATES, counted by hand from the storage accesses of this pallet and of those behind its traits; they stand until
//! `scripts/weights` replaces this file with measured ones.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls, of their authorization, and of the steps that others' queues run.
pub trait WeightInfo {
	/// `attest` with `n` items that count.
	fn attest(n: u32) -> Weight;
	/// Authorizing a batch of `n` items.
	fn authorize_attest(n: u32) -> Weight;
	/// `report_failure` with reassignment among 64 executors, of a job of the largest quorum.
	fn report_failure() -> Weight;
	/// Authorizing a report.
	fn authorize_report_failure() -> Weight;
	/// `open_commitment`, which ends its phase.
	fn open_commitment() -> Weight;
	/// Authorizing an opening of a job of as many inputs as there may be.
	fn authorize_open_commitment() -> Weight;
	/// `commit_ballot`, which ends its phase.
	fn commit_ballot() -> Weight;
	/// Authorizing a commitment.
	fn authorize_commit_ballot() -> Weight;
	/// `reveal_ballot`, which ends its phase.
	fn reveal_ballot() -> Weight;
	/// Authorizing a ballot.
	fn authorize_reveal_ballot() -> Weight;
	/// `prove_chunk`, which ends its phase.
	fn prove_chunk() -> Weight;
	/// Authorizing a chunk of the largest blob.
	fn authorize_prove_chunk() -> Weight;
	/// `force_audit`.
	fn force_audit() -> Weight;
	/// `confirm_calibration`.
	fn confirm_calibration() -> Weight;
	/// `note_finality` with a full list of hints.
	fn note_finality() -> Weight;
	/// Keeping a block's author and VRF.
	fn seal_block() -> Weight;
	/// `Attestations::window_over` that draws, over as many blocks as a draw looks at, that there is no audit.
	fn window_over() -> Weight;
	/// `Attestations::window_over` that opens an audit.
	fn audit_opened() -> Weight;
	/// `Attestations::audit_due` at its worst: the two heaviest steps together, seating a jury and counting one.
	fn audit_due() -> Weight;
}

/// Weights for a Substrate node with the runtime's database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// What authorizing something in an audit costs beside what it checks: r the node's worker key, the genesis hash, Audits,
/// Jobs; one sr25519 signature; a tag.
fn authorize_in_audit<T: frame_system::Config>() -> Weight {
	Weight::from_parts(66_000_000, 14_000).saturating_add(T::DbWeight::get().reads(4))
}

/// What saying something in an audit costs: r w Audits, Jobs; w Due twice; an event.
fn say_in_audit<T: frame_system::Config>() -> Weight {
	Weight::from_parts(26_000_000, 12_000)
		.saturating_add(T::DbWeight::get().reads(2))
		.saturating_add(T::DbWeight::get().writes(4))
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn attest(n: u32) -> Weight {
		let n = u64::from(n);
		// Per item: r Jobs; w Jobs, Due twice, Assignments, Commitments. Once: r AttestationWindow, the node's slots; w the
		// node's slots.
		Weight::from_parts(12_000_000, 6_000)
			.saturating_add(Weight::from_parts(26_000_000, 5_600).saturating_mul(n))
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().reads(n))
			.saturating_add(T::DbWeight::get().writes(1))
			.saturating_add(T::DbWeight::get().writes(5u64.saturating_mul(n)))
	}

	fn authorize_attest(n: u32) -> Weight {
		// r the node's worker key, the genesis hash, Jobs per item; one sr25519 signature; a tag per item.
		Weight::from_parts(60_000_000, 6_000)
			.saturating_add(Weight::from_parts(5_000_000, 4_200).saturating_mul(u64::from(n)))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().reads(u64::from(n)))
	}

	fn report_failure() -> Weight {
		// r Jobs, AverageReward; both nodes r 6 w 6; the draw r 258; w Jobs, Due twice, Assignments twice; a refund r 4 w 4. Six
		// siblings in a quorum: r 6.
		Weight::from_parts(476_000_000, 227_000)
			.saturating_add(T::DbWeight::get().reads(276))
			.saturating_add(T::DbWeight::get().writes(15))
	}

	fn authorize_report_failure() -> Weight {
		// r the node's worker key, the genesis hash, Jobs; one sr25519 signature.
		Weight::from_parts(62_000_000, 10_000).saturating_add(T::DbWeight::get().reads(3))
	}

	fn open_commitment() -> Weight {
		say_in_audit::<T>()
	}

	fn authorize_open_commitment() -> Weight {
		// r Commitments; eleven hashes: of the commitment, of what draws the input, of the sketch and of eight joins that lead to
		// the root.
		authorize_in_audit::<T>()
			.saturating_add(Weight::from_parts(8_000_000, 2_600))
			.saturating_add(T::DbWeight::get().reads(1))
	}

	fn commit_ballot() -> Weight {
		say_in_audit::<T>()
	}

	fn authorize_commit_ballot() -> Weight {
		authorize_in_audit::<T>()
	}

	fn reveal_ballot() -> Weight {
		say_in_audit::<T>()
	}

	fn authorize_reveal_ballot() -> Weight {
		// A hash.
		authorize_in_audit::<T>().saturating_add(Weight::from_parts(2_000_000, 0))
	}

	fn prove_chunk() -> Weight {
		say_in_audit::<T>()
	}

	fn authorize_prove_chunk() -> Weight {
		// r Vrfs; BLAKE3 of 1 KiB and of 24 joins, which makes 40 compressions.
		authorize_in_audit::<T>()
			.saturating_add(Weight::from_parts(24_000_000, 2_600))
			.saturating_add(T::DbWeight::get().reads(1))
	}

	fn force_audit() -> Weight {
		// r Jobs, Audits, Forced; w Forced. Market: r w payer, pot, Bonds; an event.
		Weight::from_parts(60_000_000, 16_000)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(4))
	}

	fn confirm_calibration() -> Weight {
		// r Models, Versions, NodeOf, Calibrations; w Calibrations; an event.
		Weight::from_parts(25_000_000, 14_000)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(1))
	}

	fn note_finality() -> Weight {
		// r w FinalityHints.
		Weight::from_parts(5_000_000, 1_600)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}

	fn seal_block() -> Weight {
		// r the digest, the validators, the block's VRF; w Vrfs.
		Weight::from_parts(10_000_000, 8_000)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(1))
	}

	fn window_over() -> Weight {
		// r the executor's node, the validators, 32 of Vrfs, Forced, Suspects.
		Weight::from_parts(110_000_000, 90_000).saturating_add(T::DbWeight::get().reads(36))
	}

	fn audit_opened() -> Weight {
		// Beside the draw: r Calibrations, AverageReward, the device; w both, Tasks twice, Audits. A judge: 16 tries of 6
		// levels and 3 records each; r w its standing. Without one: r w Forced and what ends a bond.
		Self::window_over()
			.saturating_add(Weight::from_parts(230_000_000, 420_000))
			.saturating_add(T::DbWeight::get().reads(158))
			.saturating_add(T::DbWeight::get().writes(12))
	}

	fn audit_due() -> Weight {
		// Seating: r Audits, FinalityHints, six parties' nodes, the draw r 34; four searches of r 146, as the first may find
		// nobody of the class; three judges w 1 each; w Tasks three times, Audits.
		// Counting: r Audits, FinalityHints, the version twice, Calibrations, active operators twice; three slashes of r 19
		// w 17 and their division of r 8 w 8; four judges' pay with four debts each, r 12 w 12; five outcomes r 1 w 1;
		// releases r 2 w 2; Forced and its bond r 5 w 5; w Suspects, Tasks five times, Audits.
		Weight::from_parts(1_490_000_000, 1_910_000)
			.saturating_add(T::DbWeight::get().reads(775))
			.saturating_add(T::DbWeight::get().writes(151))
	}
}

/// For tests: the same counts with constant costs.
impl WeightInfo for () {
	fn attest(n: u32) -> Weight {
		Weight::from_parts(190_000_000, 6_000)
			.saturating_add(Weight::from_parts(560_000_000, 5_600).saturating_mul(u64::from(n)))
	}

	fn authorize_attest(n: u32) -> Weight {
		Weight::from_parts(110_000_000, 6_000)
			.saturating_add(Weight::from_parts(30_000_000, 4_200).saturating_mul(u64::from(n)))
	}

	fn report_failure() -> Weight {
		Weight::from_parts(8_786_000_000, 227_000)
	}

	fn authorize_report_failure() -> Weight {
		Weight::from_parts(137_000_000, 10_000)
	}

	fn open_commitment() -> Weight {
		Weight::from_parts(480_000_000, 12_000)
	}

	fn authorize_open_commitment() -> Weight {
		Weight::from_parts(199_000_000, 16_600)
	}

	fn commit_ballot() -> Weight {
		Weight::from_parts(480_000_000, 12_000)
	}

	fn authorize_commit_ballot() -> Weight {
		Weight::from_parts(166_000_000, 14_000)
	}

	fn reveal_ballot() -> Weight {
		Weight::from_parts(480_000_000, 12_000)
	}

	fn authorize_reveal_ballot() -> Weight {
		Weight::from_parts(168_000_000, 14_000)
	}

	fn prove_chunk() -> Weight {
		Weight::from_parts(480_000_000, 12_000)
	}

	fn authorize_prove_chunk() -> Weight {
		Weight::from_parts(215_000_000, 16_600)
	}

	fn force_audit() -> Weight {
		Weight::from_parts(610_000_000, 16_000)
	}

	fn confirm_calibration() -> Weight {
		Weight::from_parts(225_000_000, 14_000)
	}

	fn note_finality() -> Weight {
		Weight::from_parts(130_000_000, 1_600)
	}

	fn seal_block() -> Weight {
		Weight::from_parts(185_000_000, 8_000)
	}

	fn window_over() -> Weight {
		Weight::from_parts(1_010_000_000, 90_000)
	}

	fn audit_opened() -> Weight {
		Weight::from_parts(6_400_000_000, 510_000)
	}

	fn audit_due() -> Weight {
		Weight::from_parts(36_035_000_000, 1_910_000)
	}
}
