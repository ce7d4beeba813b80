//! Operators offer models: their nodes host them, and what they ask is committed to, revealed, and holds.
//!
//! ```text
//! epoch e      commit: host, commit_ask ····· reveal: reveal_ask     one transaction of each operator in each phase
//! epoch e + 1  the asks hold                                          here ends `offer`
//! ```
//!
//! Whatever waits here waits for blocks: how long they take does not matter.

use crate::{until, Node};
use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use highway_primitives::{
	market::{ask_commitment, AskRole, MarketPhase},
	Balance, BlockNumber, EpochIndex, ModelId, NodeId,
};
use highway_runtime_api::types::MarketInfo;
use highway_wallet::{
	client::{
		calls::{self, Call},
		Client, Signer, Wait,
	},
	keystore,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};

/// The salt of all commitments: nobody competes here.
const SALT: [u8; 32] = [7; 32];

/// Blocks of the commit phase that must be left for a commitment: the next one may come too soon for it.
const BLOCKS_TO_COMMIT: BlockNumber = 3;

/// How long a new node may take to be heard of for the first time: a session and some blocks.
const HEARD_WITHIN: Duration = Duration::from_secs(180);

/// How long a phase of the market, or the next epoch, may let wait for itself.
const PHASE_WITHIN: Duration = Duration::from_secs(180);

/// What an operator's node offers.
#[derive(Clone, Debug)]
pub struct Seller {
	url: String,
	key: String,
	hosted: BTreeSet<u64>,
	asks: Vec<(u64, AskRole, Balance)>,
}

impl Seller {
	/// The operator with a development key such as `//Alice`, at this node. It offers nothing yet.
	pub fn new(node: &Node, key: &str) -> Self {
		Self {
			url: node.url(),
			key: key.into(),
			hosted: BTreeSet::new(),
			asks: Vec::new(),
		}
	}

	/// Its node hosts the model.
	pub fn hosting(mut self, model: impl Into<u64>) -> Self {
		self.hosted.insert(model.into());
		self
	}

	/// Its node hosts the model, and asks so much for each unit.
	pub fn computing(self, model: impl Into<u64>, price: Balance) -> Self {
		self.asking(model.into(), AskRole::Compute, price)
	}

	/// Its node hosts the model, and asks so much for storing it, for each started MiB of a job's input.
	pub fn storing(self, model: impl Into<u64>, price: Balance) -> Self {
		self.asking(model.into(), AskRole::Storage, price)
	}

	fn asking(mut self, model: u64, role: AskRole, price: Balance) -> Self {
		self.asks.push((model, role, price));
		self.hosting(model)
	}
}

/// Lets all of them offer what they do, and ends when it can be had.
///
/// It can be had for good: the reserve begins at the first clearing's price, which is what the first without a place asks,
/// or else the dearest of all, and no epoch of few jobs takes it below what somebody with a place asks. So where all ask the
/// same, that is the price.
pub async fn offer(sellers: &[Seller]) -> Result<()> {
	let operators = try_join_all(sellers.iter().map(Operator::connect)).await?;
	bid(&operators).await?;
	until_all_can_be_had(&operators).await
}

/// A seller with its connection.
struct Operator {
	client: Client,
	signer: Signer,
	node: NodeId,
	/// What makes its node host all of it: goes into one transaction with the commitments, before them.
	hosting: Vec<Call>,
	asks: Vec<(ModelId, AskRole, Balance)>,
}

impl Operator {
	async fn connect(seller: &Seller) -> Result<Self> {
		let client = Client::connect(&seller.url).await?;
		let signer = Signer::new(keystore::from_phrase(&seller.key)?);
		let account = signer.account();
		// A bond stands behind each ask, which only nodes can give that may work.
		let what = format!("a heartbeat of {}'s node", seller.key);
		let node = until(&what, HEARD_WITHIN, || async {
			let node = client.node_of(&account).await?;
			Ok(node.filter(|node| node.eligible))
		})
		.await?;
		let (mut hosting, mut asks) = (Vec::new(), Vec::new());
		for model in &seller.hosted {
			let model = ModelId::try_from(*model)?;
			if !node.hosted.iter().any(|(hosted, ..)| *hosted == model) {
				hosting.push(calls::host(model));
			}
		}
		for (model, role, price) in &seller.asks {
			asks.push((ModelId::try_from(*model)?, *role, *price));
		}
		Ok(Self {
			client,
			signer,
			node: node.id,
			hosting,
			asks,
		})
	}

	/// Commits to what it asks in `epoch`, the next one.
	async fn commit(&self, epoch: EpochIndex) -> Result<()> {
		let mut wanted = self.hosting.clone();
		wanted.extend(self.asks.iter().map(|(model, role, price)| {
			let hash = ask_commitment(self.node, epoch, *model, *role, Some(*price), &SALT);
			calls::commit_ask(*model, *role, hash)
		}));
		if wanted.is_empty() {
			return Ok(());
		}
		let included = self.client.submit(&self.signer, &wanted, Wait::InBlock).await?;
		let epochs = included.sum("RevenueSplit", "AskCommitted", "epoch")?;
		let right = u128::from(epoch) * self.asks.len() as u128;
		ensure!(
			epochs == right,
			"node {} was to commit for epoch {epoch}: its transaction came too late",
			self.node
		);
		Ok(())
	}

	/// Reveals what it has committed to.
	async fn reveal(&self) -> Result<()> {
		let asks = self.asks.iter();
		let wanted: Vec<_> = asks
			.map(|(model, role, price)| calls::reveal_ask(*model, *role, Some(*price), SALT))
			.collect();
		if !wanted.is_empty() {
			self.client.submit(&self.signer, &wanted, Wait::InBlock).await?;
		}
		Ok(())
	}
}

/// How many ask for running each model.
fn executors(operators: &[Operator]) -> BTreeMap<ModelId, u32> {
	let mut executors = BTreeMap::new();
	for (model, ..) in operators
		.iter()
		.flat_map(|operator| &operator.asks)
		.filter(|(_, role, _)| *role == AskRole::Compute)
	{
		*executors.entry(*model).or_default() += 1;
	}
	executors
}

/// One round of sealed bids, to the first block in which they hold.
async fn bid(operators: &[Operator]) -> Result<()> {
	let client = &operators.first().context("somebody offers something")?.client;
	let mut asks = operators.iter().flat_map(|operator| &operator.asks);
	// All models have the same epochs.
	let (model, ..) = asks.next().context("somebody asks for something")?;
	let clock = until_market(client, *model, "blocks to commit in", |market, best| {
		market.phase == MarketPhase::Commit && market.phase_until.saturating_sub(best) >= BLOCKS_TO_COMMIT
	})
	.await?;
	try_join_all(operators.iter().map(|operator| operator.commit(clock.epoch + 1))).await?;
	// What is sent in the last block of a phase is in the first one of the next.
	until_block(client, clock.phase_until).await?;
	try_join_all(operators.iter().map(Operator::reveal)).await?;
	until_block(client, clock.epoch_until + 1).await
}

/// Waits until the market of a model, whose best block is the other argument, is as `wanted`.
async fn until_market(
	client: &Client,
	model: ModelId,
	what: &str,
	wanted: impl Fn(&MarketInfo, BlockNumber) -> bool,
) -> Result<MarketInfo> {
	let wanted = &wanted;
	until(what, PHASE_WITHIN, || async move {
		let market = client.market(model).await?;
		let best = client.best_block().await?;
		Ok(market.filter(|market| wanted(market, best)))
	})
	.await
}

async fn until_block(client: &Client, block: BlockNumber) -> Result<()> {
	until(&format!("block {block}"), PHASE_WITHIN, || async move {
		Ok((client.best_block().await? >= block).then_some(()))
	})
	.await
}

/// Waits until as many nodes can take a job of each model as ask for it, or as there are places.
async fn until_all_can_be_had(operators: &[Operator]) -> Result<()> {
	let client = &operators.first().context("somebody offers something")?.client;
	for (model, sellers) in executors(operators) {
		let what = format!("{sellers} executors of model {model}");
		until(&what, PHASE_WITHIN, || async move {
			let market = client.market(model).await?.context("the model is there")?;
			let places = market.roles.first().map_or(0, |role| role.places);
			let quote = client.quote(model, 1_000, None).await?;
			Ok((quote.executors >= sellers.min(places)).then_some(()))
		})
		.await?;
	}
	Ok(())
}
