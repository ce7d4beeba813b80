//! A model that three nodes offer, and three accounts that pay.

use crate::network::{Ledger, Payer};
use anyhow::{Context, Result};
use highway_primitives::{Balance, ModelId, NodeId, AIC, BLOCK_SECONDS};
use highway_test_support::{
	market::{self, key_of},
	Devnet, Wallet,
};
use highway_wallet::{
	client::{Client, Signer},
	keystore,
};
use std::{collections::BTreeMap, time::Duration};

/// Who pays, each at another node.
const PAYERS: [&str; 3] = ["//Dave", "//Eve", "//Ferdie"];

/// Everything that a measurement needs.
pub struct Market {
	/// The model's id.
	pub model: ModelId,
	/// The most that is paid for a job: twice what it costs.
	pub max_price: Balance,
	/// Who pays.
	pub payers: Vec<Payer>,
	/// A connection to each node, by its id on chain.
	pub nodes: BTreeMap<NodeId, Client>,
	/// How long a job may take until it is final what became of it.
	pub final_within: Duration,
	/// The finalized blocks.
	pub ledger: Ledger,
}

impl Market {
	/// Registers the model of these arguments of `model add`, lets all nodes host it, and connects the payers.
	pub async fn open(devnet: &Devnet, arguments: &[String]) -> Result<Self> {
		eprintln!("registering the model; all three nodes bid for it …");
		let maker = Wallet::new(&devnet.nodes[0], PAYERS[0]);
		let model = market::add_model(&maker, arguments).await?;
		market::host_everywhere(devnet, model, AIC / 100, AIC / 1_000).await?;
		let model = ModelId::try_from(model)?;

		let (mut nodes, mut payers) = (BTreeMap::new(), Vec::new());
		for (node, payer) in devnet.nodes.iter().zip(PAYERS) {
			let client = Client::connect(&node.url()).await?;
			let operator = Signer::new(keystore::from_phrase(&key_of(node.name()))?).account();
			let id = client
				.node_of(&operator)
				.await?
				.with_context(|| format!("{} is registered", node.name()))?
				.id;
			payers.push(Payer::open(&node.url(), payer, id).await?);
			nodes.insert(id, client);
		}
		let first = &devnet.nodes[0];
		let client = payers[0].client.clone();
		let quote = client.quote(model, 10_000, None).await?;
		Ok(Self {
			model,
			max_price: quote.price.saturating_mul(2),
			payers,
			nodes,
			final_within: final_within(quote.deadline),
			ledger: Ledger::open(client, &first.url()).await?,
		})
	}

	/// Lets payers sign on from what is in blocks: a pool may have dropped what it was given.
	pub async fn count_anew(&mut self) -> Result<()> {
		for payer in &mut self.payers {
			payer.count_anew().await?;
		}
		Ok(())
	}

	/// Slots of all nodes that are free in the best block.
	pub async fn free_slots(&self) -> Result<u64> {
		let nodes = self.payers[0].client.nodes().await?;
		let free: i64 = nodes
			.iter()
			.map(|node| i64::from(node.slots) - i64::from(node.assigned))
			.sum();
		Ok(u64::try_from(free).unwrap_or(0))
	}
}

/// By then a job is attested, or ended after the deadlines of all the nodes that may have it.
fn final_within(deadline: u32) -> Duration {
	// Three nodes; twice the time for slots without a block under load; half a minute for finality.
	Duration::from_secs(u64::from(3 * deadline * BLOCK_SECONDS) * 2 + 30)
}
