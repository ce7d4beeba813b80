//! An account that talks to a node through the wallet's library.

use anyhow::{Context, Result};
use highway_primitives::{Balance, BlobRef, ModelId, NodeId};
use highway_test_support::Node;
use highway_wallet::client::{calls, calls::Call, Client, Included, Signer, Wait};
use sp_core::{
	crypto::{AccountId32, Ss58Codec},
	sr25519, Pair,
};

/// The most that a test pays for a job, in smallest units.
const MAX_PRICE: Balance = 1_000_000_000_000_000;

/// The key pair of a secret such as `//Alice`.
pub fn key(secret: &str) -> Result<sr25519::Pair> {
	sr25519::Pair::from_string(secret, None).map_err(|error| anyhow::anyhow!("{secret}: {error:?}"))
}

/// A key and a connection.
pub struct Account {
	/// The connection.
	pub client: Client,
	/// The key.
	pub signer: Signer,
}

impl Account {
	/// The account of `secret` at `node`.
	pub async fn connect(node: &Node, secret: &str) -> Result<Self> {
		Ok(Self {
			client: Client::connect(&node.url()).await?,
			signer: Signer::new(key(secret)?),
		})
	}

	/// Its id.
	pub fn id(&self) -> AccountId32 {
		self.signer.account()
	}

	/// Its address.
	pub fn address(&self) -> String {
		self.id().to_ss58check()
	}

	/// What it can use and what is held, in smallest units.
	pub async fn total(&self) -> Result<Balance> {
		let balance = self.client.balance(&self.id()).await?;
		Ok(balance.free + balance.held)
	}

	/// What it may claim, in smallest units.
	pub async fn claimable(&self) -> Result<Balance> {
		Ok(self.client.claimable(&self.id()).await?)
	}

	/// Sends calls, all of them or none, and waits for their block.
	pub async fn submit(&self, calls: &[Call]) -> Result<Included> {
		Ok(self.client.submit(&self.signer, calls, Wait::InBlock).await?)
	}

	/// Pays for a job without putting its input anywhere, and returns its id.
	pub async fn submit_job(&self, model: u64, input: BlobRef, gateway: Option<NodeId>) -> Result<u64> {
		let call = calls::submit_job(ModelId::try_from(model)?, input, MAX_PRICE, gateway, None);
		let job = self.submit(&[call]).await?.number("InferenceJobs", "job")?;
		u64::try_from(job).context("a job's id has 64 bits")
	}
}
