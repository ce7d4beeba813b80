//! What the questions to whoever audits weigh. Apart from `weights.rs`, which is written anew with each measurement.

use frame_support::weights::Weight;

/// Weights of the questions that this pallet asks through [`Attestations`](highway_primitives::traits::Attestations).
pub trait AuditWeights {
	/// `window_over` that lets the job wait or upholds it: the draw alone.
	fn window_over() -> Weight;
	/// `window_over` that opens an audit.
	fn audit_opened() -> Weight;
	/// `audit_due` at its worst.
	fn audit_due() -> Weight;
}

/// For tests: an audit is heavier than a settlement.
impl AuditWeights for () {
	fn window_over() -> Weight {
		Weight::from_parts(100_000_000, 10_000)
	}

	fn audit_opened() -> Weight {
		Weight::from_parts(2_500_000_000, 60_000)
	}

	fn audit_due() -> Weight {
		Weight::from_parts(5_000_000_000, 90_000)
	}
}
