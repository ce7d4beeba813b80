//! What the chain knows of a blob that somebody asks for through RPC.

use crate::{
	rpc::blob::{BlobOwner, Resolver},
	service::FullClient,
};
use async_trait::async_trait;
use highway_primitives::{node::Contact, BlobHash, BlobRef, JobId, ModelId, NodeId};
use highway_runtime_api::{types::NodeInfo, MarketApi};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// Entries of one page of nodes: the runtime answers with no more.
pub const PAGE: u32 = 64;
/// The most pages that one question reads: hosts are named to be quick, peers are asked anyway.
const MAX_PAGES: usize = 16;
/// The most hosts named for one blob.
const MAX_HOSTS: usize = 8;

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

	fn of_model(&self, hash: BlobHash, id: ModelId) -> Result<Option<(BlobRef, Vec<Contact>)>, sp_api::ApiError> {
		let best = self.0.info().best_hash;
		let (page, _) = self.0.runtime_api().models(best, id, 1)?;
		let Some(model) = page.into_iter().find(|model| model.id == id) else {
			return Ok(None);
		};
		let coming = model.coming.map(|coming| coming.spec);
		let blob = core::iter::once(model.spec)
			.chain(coming)
			.flat_map(|spec| [Some(spec.artifact), spec.recipe.map(|recipe| recipe.config)])
			.flatten()
			.find(|blob| blob.hash == hash);
		let Some(blob) = blob else { return Ok(None) };
		let hosts = hosts(id, |from| self.0.runtime_api().nodes(best, from, PAGE))?;
		Ok(Some((blob, hosts)))
	}
}

/// Nodes that host the model and are well, in the order of their ids. `page` gives nodes from an id on, and the id from
/// which to go on.
pub fn hosts<AccountId, Error>(
	model: ModelId,
	page: impl Fn(NodeId) -> Result<(Vec<NodeInfo<AccountId>>, Option<NodeId>), Error>,
) -> Result<Vec<Contact>, Error> {
	let (mut hosts, mut next) = (Vec::new(), Some(0));
	for _ in 0..MAX_PAGES {
		let Some(from) = next else { break };
		let nodes;
		(nodes, next) = page(from)?;
		let able = nodes
			.into_iter()
			.filter(|node| node.eligible && node.hosted.iter().any(|(hosted, ..)| *hosted == model))
			.map(|node| node.contact);
		hosts.extend(able.take(MAX_HOSTS - hosts.len()));
		if hosts.len() == MAX_HOSTS {
			break;
		}
	}
	Ok(hosts)
}

#[async_trait]
impl Resolver for ChainResolver {
	async fn resolve(&self, hash: BlobHash, owner: BlobOwner) -> Result<Option<(BlobRef, Vec<Contact>)>, String> {
		match owner {
			BlobOwner::Job(job) => self.of_job(hash, job),
			BlobOwner::Model(model) => self.of_model(hash, model),
		}
		.map_err(|error| error.to_string())
	}
}
