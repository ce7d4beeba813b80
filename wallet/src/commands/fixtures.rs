//! What the tests of several commands look at.

use highway_primitives::{BlobRef, JobPhase};
use highway_runtime_api::types::JobInfo;
use sp_core::crypto::AccountId32;

/// A job that is attested, of model 3 in version 2.
pub fn attested_job() -> JobInfo<AccountId32> {
	JobInfo {
		id: 7,
		payer: AccountId32::new([2; 32]),
		model: 3,
		version: 2,
		input: BlobRef::of(b"input"),
		inputs: 1,
		price: 1,
		quorum: None,
		phase: JobPhase::Attested,
		executor: Some(0),
		executor_contact: None,
		output: Some(BlobRef::of(b"output")),
		tried: Vec::new(),
		submitted_at: 1,
		attested_at: Some(2),
		due: 3,
	}
}
