//! Holds words of the worker key back.

use crate::{
	cheats::{Cheat, Cheats},
	watch::Seen,
};
use async_trait::async_trait;
use highway_offchain_worker::{error::SubmitError, ports::Submitter};
use highway_primitives::WorkerAction;
use sp_core::H256;
use std::sync::Arc;

/// Lets everything through but what a silent node does not say.
pub struct Muzzle {
	inner: Arc<dyn Submitter>,
	seen: Arc<Seen>,
	cheats: Arc<Cheats>,
}

impl Muzzle {
	/// Stands before `inner`.
	pub fn new(inner: Arc<dyn Submitter>, seen: Arc<Seen>, cheats: Arc<Cheats>) -> Self {
		Self { inner, seen, cheats }
	}
}

#[async_trait]
impl Submitter for Muzzle {
	async fn submit(&self, at: H256, action: WorkerAction) -> Result<(), SubmitError> {
		if let WorkerAction::OpenCommitment { job, .. } | WorkerAction::ProveChunk { job, .. } = &action {
			let model = self.seen.model(*job);
			if model.is_some_and(|model| self.cheats.does(Cheat::Silent, model)) {
				eprintln!("cheating: nothing is said in the audit of job {job}");
				return Ok(());
			}
		}
		self.inner.submit(at, action).await
	}
}
