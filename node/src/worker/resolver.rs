//! What the chain knows of a blob that somebody asks for through RPC.

use crate::{rpc::blob::Resolver, service::FullClient};
use async_trait::async_trait;
use highway_primitives::{node::Contact, BlobHash, BlobRef, JobId};
use highway_runtime_api::MarketApi;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// Entries of one page of models.
const PAGE: u32 = 64;
/// The most pages that one question reads: what is asked for without a job is a model's file, and new models are few.
const MAX_PAGES: usize = 16;

/// Asks the runtime at the best block.
pub struct ChainResolver(pub Arc<FullClient>);

impl ChainResolver {
	fn of_job(&self, hash: BlobHash, job: JobId) -> Result<Option<(BlobRef, Vec<Contact>)>, sp_api::ApiError> {
		let best = self.0.info().best_hash;
		let Some(job) = self.0.runtime_api().job(best, job)? else {
			return Ok(None);
		};
		let blob = [Some(job.input), job.output]
			.into_iter()
			.flatten()
			.find(|blob| blob.hash == hash);
		Ok(blob.map(|blob| (blob, job.executor_contact.into_iter().collect())))
	}

	fn of_model(&self, hash: BlobHash) -> Result<Option<(BlobRef, Vec<Contact>)>, sp_api::ApiError> {
		let best = self.0.info().best_hash;
		let mut from = 0;
		for _ in 0..MAX_PAGES {
			let page = self.0.runtime_api().models(best, from, PAGE)?;
			let Some(last) = page.last() else { break };
			from = last.id.saturating_add(1);
			let blob = page.iter().find_map(|model| {
				let recipe = model.spec.recipe.as_ref().map(|recipe| recipe.config);
				[Some(model.spec.artifact), recipe]
					.into_iter()
					.flatten()
					.find(|blob| blob.hash == hash)
			});
			if let Some(blob) = blob {
				return Ok(Some((blob, Vec::new())));
			}
		}
		Ok(None)
	}
}

#[async_trait]
impl Resolver for ChainResolver {
	async fn resolve(&self, hash: BlobHash, job: Option<JobId>) -> Result<Option<(BlobRef, Vec<Contact>)>, String> {
		match job {
			Some(job) => self.of_job(hash, job),
			None => self.of_model(hash),
		}
		.map_err(|error| error.to_string())
	}
}
