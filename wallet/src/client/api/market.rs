//! Reads about the market: asks and prices, what was paid to whom, curators, featured models.

use super::{Client, ClientError, PAGE};
use crate::client::WORKER_API_VERSION;
use codec::Encode;
use highway_primitives::{EpochIndex, ModelId, WorkerId};
use highway_runtime_api::types::{AskTask, CuratorInfo, EarningsInfo, FeaturedInfo, MarketInfo, SplitInfo, WorkList};
use sp_core::crypto::AccountId32;

impl Client {
	/// The market of a model.
	pub async fn market(&self, model: ModelId) -> Result<Option<MarketInfo>, ClientError> {
		self.state_call("MarketApi_market", model.encode()).await
	}

	/// What the settled jobs of a model at the prices of one epoch paid to each role.
	pub async fn split(&self, model: ModelId, epoch: EpochIndex) -> Result<Option<SplitInfo>, ClientError> {
		self.state_call("MarketApi_split", (model, epoch).encode()).await
	}

	/// The featured models of the present epoch, highest bid first.
	pub async fn featured(&self) -> Result<Vec<FeaturedInfo<AccountId32>>, ClientError> {
		self.state_call("MarketApi_featured", Vec::new()).await
	}

	/// The curator with this account.
	pub async fn curator(&self, account: &AccountId32) -> Result<Option<CuratorInfo<AccountId32>>, ClientError> {
		self.state_call("MarketApi_curator", account.encode()).await
	}

	/// The first `limit` curators behind `from`, or from the first one on, and behind whom to go on, `None` at the end.
	pub async fn curators(
		&self,
		from: Option<AccountId32>,
		limit: usize,
	) -> Result<(Vec<CuratorInfo<AccountId32>>, Option<AccountId32>), ClientError> {
		let (mut all, mut next) = (Vec::new(), None);
		let mut from = Some(from);
		while let Some(behind) = from.take().filter(|_| all.len() < limit) {
			let page: Vec<CuratorInfo<AccountId32>>;
			let wanted = u32::try_from(limit - all.len()).unwrap_or(PAGE).min(PAGE);
			(page, next) = self.state_call("MarketApi_curators", (behind, wanted).encode()).await?;
			all.extend(page);
			from = next.clone().map(Some);
		}
		Ok((all, next))
	}

	/// What the account has earned and not claimed.
	pub async fn earnings(&self, account: &AccountId32) -> Result<EarningsInfo, ClientError> {
		self.state_call("MarketApi_earnings", account.encode()).await
	}

	/// What the market knows of the asks of the node with this worker key: one entry for each role of each model that it
	/// hosts.
	pub async fn ask_tasks(&self, worker: &WorkerId) -> Result<Vec<AskTask>, ClientError> {
		const API: &str = "WorkerApi";
		match self.api_version(API).await? {
			Some(WORKER_API_VERSION) => {}
			chain => {
				return Err(ClientError::Outdated {
					api: API,
					chain: chain.unwrap_or_default(),
					ours: WORKER_API_VERSION,
				})
			}
		}
		let work: Option<WorkList> = self.state_call("WorkerApi_work_for", worker.encode()).await?;
		Ok(work.map_or_else(Vec::new, |work| work.asks))
	}
}
