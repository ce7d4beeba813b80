//! Reads through the runtime APIs, always at the best block.

mod market;

use super::{decode, request_error, Client, ClientError, Refusal};
use codec::{Decode, Encode};
use futures::{stream, StreamExt, TryStreamExt};
use highway_primitives::{model::ModelVersion, Balance, JobId, ModelId, NodeId};
use highway_runtime_api::types::{
	AuditInfo, Bill, CalibrationInfo, DelegationInfo, JobInfo, ModelInfo, NodeInfo, Quote,
};
use sp_core::crypto::AccountId32;

/// Entries asked for at once; the runtime answers with no more than this.
const PAGE: u32 = 64;

/// Questions about single jobs that are on their way at the same time.
const JOBS_AT_ONCE: usize = 16;

impl Client {
	/// Version of the chain's runtime API `name`, if it has one.
	pub(super) async fn api_version(&self, name: &str) -> Result<Option<u32>, ClientError> {
		let version: serde_json::Value = self.request("state_getRuntimeVersion", vec![]).await?;
		let id = format!("0x{}", hex::encode(sp_crypto_hashing::blake2_64(name.as_bytes())));
		let apis = version.get("apis").and_then(|apis| apis.as_array());
		Ok(apis.and_then(|apis| {
			let entry = apis
				.iter()
				.find(|entry| entry.get(0).and_then(|id| id.as_str()) == Some(id.as_str()))?;
			entry.get(1)?.as_u64().and_then(|version| u32::try_from(version).ok())
		}))
	}

	/// What a job of one input costs now.
	pub async fn quote(
		&self,
		model: ModelId,
		input_size: u64,
		curator: Option<&AccountId32>,
	) -> Result<Quote<AccountId32>, ClientError> {
		self.quote_batch(model, input_size, 1, curator).await
	}

	/// What a job of so many inputs, whose bundle has `input_size` bytes, costs now.
	pub async fn quote_batch(
		&self,
		model: ModelId,
		input_size: u64,
		inputs: u16,
		curator: Option<&AccountId32>,
	) -> Result<Quote<AccountId32>, ClientError> {
		let answer: Result<Quote<AccountId32>, sp_runtime::DispatchError> = self
			.state_call("MarketApi_quote", (model, input_size, inputs, curator).encode())
			.await?;
		answer.map_err(|error| ClientError::Refused(Refusal::of_runtime(&self.chain.metadata(), &error)))
	}

	/// What the jobs of a quorum of `size` cost together now.
	pub async fn quote_quorum(
		&self,
		model: ModelId,
		input_size: u64,
		curator: Option<&AccountId32>,
		size: u8,
	) -> Result<Quote<AccountId32>, ClientError> {
		let answer: Result<Quote<AccountId32>, sp_runtime::DispatchError> = self
			.state_call("MarketApi_quote_quorum", (model, input_size, curator, size).encode())
			.await?;
		answer.map_err(|error| ClientError::Refused(Refusal::of_runtime(&self.chain.metadata(), &error)))
	}

	/// A job, while its record is kept.
	pub async fn job(&self, id: JobId) -> Result<Option<JobInfo<AccountId32>>, ClientError> {
		self.state_call("MarketApi_job", id.encode()).await
	}

	/// The jobs with these ids, as far as they are on record, newest first.
	pub async fn jobs(&self, ids: std::ops::Range<JobId>) -> Result<Vec<JobInfo<AccountId32>>, ClientError> {
		stream::iter(ids.rev())
			.map(|id| self.job(id))
			.buffered(JOBS_AT_ONCE)
			.try_filter_map(|job| async move { Ok(job) })
			.try_collect()
			.await
	}

	/// Who was paid what for a job.
	pub async fn bill(&self, id: JobId) -> Result<Option<Bill<AccountId32>>, ClientError> {
		self.state_call("MarketApi_explain_split", id.encode()).await
	}

	/// All models.
	pub async fn models(&self) -> Result<Vec<ModelInfo<AccountId32>>, ClientError> {
		let (mut all, mut next) = (Vec::new(), Some(0));
		while let Some(from) = next {
			let page: Vec<ModelInfo<AccountId32>>;
			(page, next) = self.models_page(from, PAGE).await?;
			all.extend(page);
		}
		Ok(all)
	}

	async fn models_page(
		&self,
		from: ModelId,
		limit: u32,
	) -> Result<(Vec<ModelInfo<AccountId32>>, Option<ModelId>), ClientError> {
		self.state_call("MarketApi_models", (from, limit).encode()).await
	}

	/// The model with this id.
	pub async fn model(&self, id: ModelId) -> Result<Option<ModelInfo<AccountId32>>, ClientError> {
		let (page, _) = self.models_page(id, 1).await?;
		Ok(page.into_iter().find(|model| model.id == id))
	}

	/// The model `owner/name`.
	pub async fn model_by_name(
		&self,
		owner: &AccountId32,
		name: &str,
	) -> Result<Option<ModelInfo<AccountId32>>, ClientError> {
		self.state_call("MarketApi_model_by_name", (owner, name.as_bytes()).encode())
			.await
	}

	/// All nodes.
	pub async fn nodes(&self) -> Result<Vec<NodeInfo<AccountId32>>, ClientError> {
		let (mut all, mut next): (_, Option<NodeId>) = (Vec::new(), Some(0));
		while let Some(from) = next {
			let page: Vec<NodeInfo<AccountId32>>;
			(page, next) = self.nodes_page(from, PAGE).await?;
			all.extend(page);
		}
		Ok(all)
	}

	async fn nodes_page(
		&self,
		from: NodeId,
		limit: u32,
	) -> Result<(Vec<NodeInfo<AccountId32>>, Option<NodeId>), ClientError> {
		self.state_call("MarketApi_nodes", (from, limit).encode()).await
	}

	/// The node with this id.
	pub async fn node(&self, id: NodeId) -> Result<Option<NodeInfo<AccountId32>>, ClientError> {
		let (page, _) = self.nodes_page(id, 1).await?;
		Ok(page.into_iter().find(|node| node.id == id))
	}

	/// The node of this operator.
	pub async fn node_of(&self, operator: &AccountId32) -> Result<Option<NodeInfo<AccountId32>>, ClientError> {
		self.state_call("MarketApi_node_of", operator.encode()).await
	}

	/// What the account may claim.
	pub async fn claimable(&self, account: &AccountId32) -> Result<Balance, ClientError> {
		self.state_call("MarketApi_claimable", account.encode()).await
	}

	/// How far a version's calibration is reproduced.
	pub async fn calibration(
		&self,
		model: ModelId,
		version: ModelVersion,
	) -> Result<CalibrationInfo<AccountId32>, ClientError> {
		self.state_call("MarketApi_calibration", (model, version).encode())
			.await
	}

	/// The audit of a job, if there is or was one.
	pub async fn audit(&self, job: JobId) -> Result<Option<AuditInfo>, ClientError> {
		self.state_call("MarketApi_audit", job.encode()).await
	}

	/// The first `limit` audits that are `wanted` of jobs with ids from `from` on; and the id from which to go on, `None` at
	/// the end.
	pub async fn audits(
		&self,
		from: JobId,
		limit: usize,
		wanted: impl Fn(&AuditInfo) -> bool,
	) -> Result<(Vec<AuditInfo>, Option<JobId>), ClientError> {
		let (mut found, mut next) = (Vec::new(), Some(from));
		while let Some(from) = next.filter(|_| found.len() < limit) {
			let page: Vec<AuditInfo>;
			(page, next) = self.state_call("MarketApi_audits", (from, PAGE).encode()).await?;
			found.extend(page.into_iter().filter(|audit| wanted(audit)));
		}
		Ok(cut(found, limit, next))
	}

	/// All that the account delegated, by node.
	pub async fn delegations(&self, delegator: &AccountId32) -> Result<Vec<DelegationInfo>, ClientError> {
		let (mut all, mut next): (_, Option<NodeId>) = (Vec::new(), Some(0));
		while let Some(from) = next {
			let page: Vec<DelegationInfo>;
			(page, next) = self
				.state_call("MarketApi_delegations", (delegator, from, PAGE).encode())
				.await?;
			all.extend(page);
		}
		Ok(all)
	}

	pub(super) async fn state_call<R: Decode>(&self, function: &str, arguments: Vec<u8>) -> Result<R, ClientError> {
		let bytes = self
			.methods
			.state_call(function, Some(&arguments), None)
			.await
			.map_err(|error| request_error(function, error))?;
		decode(function, &bytes)
	}
}

/// At most `limit` audits, and from where to go on behind them.
fn cut(mut found: Vec<AuditInfo>, limit: usize, mut next: Option<JobId>) -> (Vec<AuditInfo>, Option<JobId>) {
	if let Some(left_out) = found.get(limit) {
		next = Some(left_out.job);
	}
	found.truncate(limit);
	(found, next)
}

#[cfg(test)]
mod tests {
	use super::*;
	use highway_primitives::audit::AuditReason;

	fn audits(jobs: std::ops::Range<JobId>) -> Vec<AuditInfo> {
		jobs.map(|job| AuditInfo {
			job,
			model: 1,
			executor: 1,
			reason: AuditReason::Drawn,
			phase: b"auditor judges".to_vec(),
			until: Some(1),
			inputs: 1,
			index: 0,
			sketch: None,
			seats: Vec::new(),
			verdict: None,
			slashes: Vec::new(),
		})
		.collect()
	}

	#[test]
	fn cut_should_go_on_with_the_first_that_is_left_out() {
		let (shown, next) = cut(audits(10..15), 3, Some(99));
		assert_eq!((shown, next), (audits(10..13), Some(13)));
		assert_eq!(cut(audits(10..13), 3, Some(99)), (audits(10..13), Some(99)));
		assert_eq!(cut(audits(10..12), 3, None), (audits(10..12), None));
	}
}
