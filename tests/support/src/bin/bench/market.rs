//! Magika, hosted by three nodes, and three accounts that pay.

use crate::{chain::Ledger, inputs::Inputs, payer::Payer};
use anyhow::{Context, Result};
use highway_primitives::{Balance, ModelId, NodeId};
use highway_runtime_api::types::ModelInfo;
use highway_test_support::{
	binaries,
	market::{self, key_of},
	Devnet, Wallet,
};
use highway_wallet::{
	client::{Client, Signer},
	keystore,
	recipes::{self, Recipe},
};
use sp_core::crypto::AccountId32;
use std::{collections::BTreeMap, path::PathBuf};

/// Who pays, each at another node.
const PAYERS: [&str; 3] = ["//Dave", "//Eve", "//Ferdie"];

/// Everything that a measurement needs.
pub struct Market {
	/// The model's id.
	pub model: ModelId,
	/// The model.
	pub info: ModelInfo<AccountId32>,
	/// Its recipe.
	pub recipe: Box<dyn Recipe>,
	/// The most that is paid for a job: twice what it costs.
	pub max_price: Balance,
	/// Who pays.
	pub payers: Vec<Payer>,
	/// A connection to each node, by its id on chain.
	pub nodes: BTreeMap<NodeId, Client>,
	/// The finalized blocks.
	pub ledger: Ledger,
	scratch: PathBuf,
}

impl Market {
	/// Registers the model, lets all nodes host it, and connects the payers.
	pub async fn open(devnet: &Devnet) -> Result<Self> {
		eprintln!("registering Magika; all three nodes host it from the next market epoch on …");
		let maker = Wallet::new(&devnet.nodes[0], PAYERS[0]);
		let model = market::add_model(&maker, &market::magika_arguments()?).await?;
		market::host_everywhere(devnet, model, "0.01", "0.001").await?;
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
		let info = client.model(model).await?.context("the model was registered")?;
		let max_price = client.quote(model, 10_000, None).await?.price.saturating_mul(2);
		let config = std::fs::read(binaries::model("magika/config.min.json")?)?;
		Ok(Self {
			model,
			info,
			recipe: recipes::load(b"magika", &config)?,
			max_price,
			payers,
			nodes,
			ledger: Ledger::open(client, &first.url()).await?,
			scratch: devnet.scratch(),
		})
	}

	/// New inputs. `part` keeps those of different measurements apart.
	pub fn inputs(&self, part: &str) -> Result<Inputs<'_>> {
		Inputs::new(&*self.recipe, &self.info.spec, self.scratch.join(part))
	}
}
