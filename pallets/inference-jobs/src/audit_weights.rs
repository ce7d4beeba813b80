//! What the questions to whoever audits weigh. Apart from `weights.rs`, which is written anew with each measurement.

use frame_support::weights::Weight;
use highway_primitives::audit::AuditWork;

/// Weights of the questions that this pallet asks through [`Attestations`](highway_primitives::traits::Attestations).
pub trait AuditWeights {
	/// `window_over` that lets the job wait or upholds it: the draw alone, which looked at so many blocks.
	fn window_over(looked_at: u32) -> Weight;
	/// `window_over` that opens an audit: the draw looked at so many blocks, and so many nodes were tried as the auditor.
	fn audit_opened(looked_at: u32, tried: u32) -> Weight;
	/// `audit_due` that did so much.
	fn audit_due(work: AuditWork) -> Weight;
}

/// For tests: a verdict of a jury is heavier than a settlement.
impl AuditWeights for () {
	fn window_over(looked_at: u32) -> Weight {
		Weight::from_parts(100_000_000, 10_000)
			.saturating_add(Weight::from_parts(25_000_000, 0).saturating_mul(looked_at.into()))
	}

	fn audit_opened(looked_at: u32, tried: u32) -> Weight {
		Weight::from_parts(900_000_000, 60_000)
			.saturating_add(Weight::from_parts(25_000_000, 0).saturating_mul(looked_at.into()))
			.saturating_add(Weight::from_parts(50_000_000, 0).saturating_mul(tried.into()))
	}

	fn audit_due(work: AuditWork) -> Weight {
		let (time, each, number) = match work {
			AuditWork::PassedOn => (200_000_000, 0, 0),
			AuditWork::Undrawn { looked_at } => (300_000_000, 25_000_000, looked_at),
			AuditWork::Agreed { debts } => (700_000_000, 100_000_000, debts),
			AuditWork::Replaced { tried } => (1_500_000_000, 50_000_000, tried),
			AuditWork::Seated => (5_000_000_000, 0, 0),
			AuditWork::Judged => (4_000_000_000, 0, 0),
		};
		Weight::from_parts(time, 90_000).saturating_add(Weight::from_parts(each, 0).saturating_mul(number.into()))
	}
}
