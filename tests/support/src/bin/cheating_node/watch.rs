//! What the node has to do, as the chain tells its worker: an engine is told only inputs and seeds.

use async_trait::async_trait;
use highway_offchain_worker::{bids::ModelName, error::ChainError, ports::ChainReader};
use highway_primitives::{
	audit::{work_seed, AuditTask, SketchSeed},
	model::ModelId,
	JobId,
};
use highway_runtime_api::types::{AuditItem, WorkList};
use parking_lot::Mutex;
use sp_core::H256;
use std::{
	collections::{BTreeMap, HashMap, HashSet},
	sync::Arc,
};

/// Everything that was ever to be done. Grows: a test is short.
#[derive(Default)]
pub struct Seen {
	/// Seeds of the work that was assigned.
	own: Mutex<HashSet<SketchSeed>>,
	/// What was to be judged, by the work's seed.
	audits: Mutex<HashMap<SketchSeed, AuditItem>>,
	/// Models of jobs in audit.
	models: Mutex<HashMap<JobId, ModelId>>,
}

impl Seen {
	fn note(&self, work: &WorkList) {
		self.own
			.lock()
			.extend(work.jobs.iter().map(|item| work_seed(&item.work)));
		for item in &work.audits {
			self.models.lock().insert(item.job, item.model);
			if matches!(item.task, AuditTask::Judge { .. }) {
				self.audits.lock().insert(work_seed(&item.work), item.clone());
			}
		}
	}

	/// What is judged by a run with these seeds. The first one is the work's own, for executors and judges alike.
	pub fn audit(&self, seeds: &[SketchSeed]) -> Option<AuditItem> {
		self.audits.lock().get(seeds.first()?).cloned()
	}

	/// Whether a run with these seeds does a job of this node.
	pub fn is_own(&self, seeds: &[SketchSeed]) -> bool {
		self.audit(seeds).is_none() && seeds.first().is_some_and(|seed| self.own.lock().contains(seed))
	}

	/// The model of a job in audit.
	pub fn model(&self, job: JobId) -> Option<ModelId> {
		self.models.lock().get(&job).copied()
	}
}

/// Reads the chain, and remembers what it said.
pub struct Watcher {
	inner: Arc<dyn ChainReader>,
	seen: Arc<Seen>,
}

impl Watcher {
	/// Watches `inner`.
	pub fn new(inner: Arc<dyn ChainReader>, seen: Arc<Seen>) -> Self {
		Self { inner, seen }
	}
}

#[async_trait]
impl ChainReader for Watcher {
	async fn work_for(&self, at: H256) -> Result<Option<WorkList>, ChainError> {
		let work = self.inner.work_for(at).await?;
		if let Some(work) = &work {
			self.seen.note(work);
		}
		Ok(work)
	}

	async fn open_jobs(&self, at: H256, jobs: Vec<JobId>) -> Result<Vec<JobId>, ChainError> {
		self.inner.open_jobs(at, jobs).await
	}

	async fn models_named(&self, at: H256, names: Vec<ModelName>) -> Result<BTreeMap<ModelName, ModelId>, ChainError> {
		self.inner.models_named(at, names).await
	}
}
