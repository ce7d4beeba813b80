//! What the questions to whoever audits weigh. Apart from `weights.rs`, which is written anew with each measurement.

use frame_support::weights::Weight;

/// Weights of the questions that this pallet asks through [`Attestations`](highway_primitives::traits::Attestations).
pub trait AuditWeights {
	/// `window_over` that lets the job wait or upholds it: the draw alone, which looked at so many blocks.
	fn window_over(looked_at: u32) -> Weight;
	/// `window_over` that opens an audit.
	fn audit_opened() -> Weight;
	/// `audit_due` at its worst.
	fn audit_due() -> Weight;
}

/// For tests: an audit is heavier than a settlement.
impl AuditWeights for () {
	fn window_over(looked_at: u32) -> Weight {
		Weight::from_parts(100_000_000, 10_000)
			.saturating_add(Weight::from_parts(25_000_000, 0).saturating_mul(looked_at.into()))
	}

	fn audit_opened() -> Weight {
		Weight::from_parts(2_500_000_000, 60_000)
	}

	fn audit_due() -> Weight {
		Weight::from_parts(5_000_000_000, 90_000)
	}
}
