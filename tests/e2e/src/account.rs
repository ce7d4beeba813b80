//! An account that talks to a node through the wallet's library.

use anyhow::{Context, Result};
use codec::Decode;
use highway_primitives::{
	model::{model_commitment, VersionSpec},
	Balance, BlobRef, ModelId, NodeId,
};
use highway_test_support::{until, Node};
use highway_wallet::client::{calls, calls::Call, Client, ClientError, Included, Signer, Wait};
use serde_json::{json, Value};
use sp_core::{
	crypto::{AccountId32, Ss58Codec},
	sr25519, Pair,
};
use sp_crypto_hashing::{blake2_128, twox_128};
use std::time::Duration;

/// How long a change may take to be in the best block.
const SOON: Duration = Duration::from_secs(30);

/// The most that a test pays for a job, in smallest units.
const MAX_PRICE: Balance = 1_000_000_000_000_000;

/// The salt of all commitments to models.
const SALT: [u8; 32] = [7; 32];

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

	/// What it has earned and not claimed, proved or not, in smallest units.
	pub async fn earned(&self) -> Result<Balance> {
		let earnings = self.client.earnings(&self.id()).await?;
		let waiting: Balance = earnings.storage.iter().map(|(_, amount, _)| amount).sum();
		Ok(earnings.claimable + waiting)
	}

	/// Sends calls, all of them or none, and waits for their block.
	pub async fn submit(&self, calls: &[Call]) -> Result<Included> {
		Ok(self.client.submit(&self.signer, calls, Wait::InBlock).await?)
	}

	/// Registers root models of these names without royalty, all of them or none: commits to their files, waits until that
	/// counts, and shows them. Puts the files nowhere.
	pub async fn register_models(&self, models: &[(Vec<u8>, VersionSpec)]) -> Result<Included> {
		let owner = self.id();
		let commit = |(_, spec): &(Vec<u8>, VersionSpec)| {
			calls::commit_model(model_commitment(owner.as_ref(), &spec.artifact.hash, &SALT))
		};
		let register = |(name, spec): &(Vec<u8>, VersionSpec)| {
			calls::register_model(name.clone(), spec.clone(), None, None, 0, Some(SALT))
		};
		let registrations: Vec<_> = models.iter().map(register).collect();
		self.submit(&models.iter().map(commit).collect::<Vec<_>>()).await?;
		until("the commitments to count", SOON, || async {
			match self.client.try_out(&self.signer, &registrations).await {
				Ok(()) => Ok(Some(())),
				Err(ClientError::WouldRefuse(refusal)) if refusal.name == "CommitmentTooYoung" => Ok(None),
				Err(error) => Err(error.into()),
			}
		})
		.await?;
		self.submit(&registrations).await
	}

	/// Pays for a job without putting its input anywhere. Another branch of the chain may still give it to another node.
	pub async fn submit_job(&self, model: u64, input: BlobRef, gateway: Option<NodeId>) -> Result<Submitted> {
		self.submit_job_and_wait(model, input, gateway, Wait::InBlock).await
	}

	/// The same, and waits until it is final: who has the job does not change any more but by the job's own rules.
	pub async fn submit_final_job(&self, model: u64, input: BlobRef, gateway: Option<NodeId>) -> Result<Submitted> {
		self.submit_job_and_wait(model, input, gateway, Wait::Finalized).await
	}

	async fn submit_job_and_wait(
		&self,
		model: u64,
		input: BlobRef,
		gateway: Option<NodeId>,
		wait: Wait,
	) -> Result<Submitted> {
		let call = calls::submit_job(ModelId::try_from(model)?, input, MAX_PRICE, gateway, None);
		let included = self.client.submit(&self.signer, &[call], wait).await?;
		let job = u64::try_from(included.number("InferenceJobs", "job")?)?;
		Ok(Submitted {
			job,
			fee: included.number("TransactionPayment", "actual_fee")?,
			block: json!(included.block),
		})
	}

	/// What it paid in a block in which it got nothing.
	// From the block itself: what is best may change to another branch, where the same comes later.
	pub async fn paid_in(&self, block: &Value) -> Result<Balance> {
		let header: Value = self.client.request("chain_getHeader", vec![block.clone()]).await?;
		let (before, after) = (self.total_at(&header["parentHash"]).await?, self.total_at(block).await?);
		before.checked_sub(after).context("it paid something")
	}

	/// What it could use and what was held in a block.
	async fn total_at(&self, block: &Value) -> Result<Balance> {
		let mut key = [twox_128(b"System"), twox_128(b"Account")].concat();
		key.extend(blake2_128(self.id().as_ref()));
		key.extend::<&[u8]>(self.id().as_ref());
		let key = format!("0x{}", hex::encode(key));
		let stored: Option<String> = self
			.client
			.request("state_getStorage", vec![json!(key), block.clone()])
			.await?;
		let bytes = hex::decode(stored.context("the account exists")?.trim_start_matches("0x"))?;
		// Nonce and three reference counts, then what is free and what is held.
		let (_, (free, held)) = <((u32, u32, u32, u32), (Balance, Balance))>::decode(&mut bytes.as_slice())?;
		Ok(free + held)
	}

	/// Waits until it has this much in all.
	pub async fn wait_for_total(&self, what: &str, total: Balance) -> Result<()> {
		let seen = until(what, SOON, || async {
			Ok((self.total().await? == total).then_some(()))
		})
		.await;
		match seen {
			Ok(()) => Ok(()),
			Err(error) => Err(error.context(format!(
				"{} should have {total}, has {}",
				self.address(),
				self.total().await?
			))),
		}
	}
}

/// A job that was paid for.
#[derive(Clone, Debug)]
pub struct Submitted {
	/// Its id.
	pub job: u64,
	/// The transaction's fee, which comes on top of the job's price.
	pub fee: Balance,
	/// The hash of the block with its submission.
	pub block: Value,
}
