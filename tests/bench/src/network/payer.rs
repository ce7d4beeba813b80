//! An account that sends transactions through one node, with its own count of nonces: nothing is waited for.

use anyhow::{ensure, Context, Result};
use codec::Decode;
use highway_primitives::{Balance, BlobRef, ModelId, NodeId};
use highway_wallet::{
	client::{
		calls::{self, Call},
		Client, Signer,
	},
	keystore,
};
use serde_json::{json, Value};
use sp_core::{crypto::AccountId32, H256};
use subxt::{config::DefaultExtrinsicParamsBuilder, tx::Payload, Metadata, OnlineClient, PolkadotConfig};

/// Blocks that a transaction stays valid for, the most that the chain takes: longer than any one load.
const MORTALITY: u64 = 4096;

/// Call data, ready to be signed.
struct CallData(Vec<u8>);

impl Payload for CallData {
	fn encode_call_data_to(&self, _: &Metadata, out: &mut Vec<u8>) -> Result<(), subxt::ext::subxt_core::error::Error> {
		out.extend(&self.0);
		Ok(())
	}
}

/// The account.
pub struct Payer {
	/// Its node.
	pub client: Client,
	chain: OnlineClient<PolkadotConfig>,
	signer: Signer,
	gateway: NodeId,
	next_nonce: u64,
	birth: (u64, H256),
}

impl Payer {
	/// The account of `key` at the node at `url`, whose id on chain is `gateway`.
	pub async fn open(url: &str, key: &str, gateway: NodeId) -> Result<Self> {
		let client = Client::connect(url).await?;
		let chain = OnlineClient::from_insecure_url(url).await?;
		let signer = Signer::new(keystore::from_phrase(key)?);
		let next_nonce = client.next_nonce(&signer.account()).await?;
		let birth = last_final(&client).await?;
		Ok(Self {
			client,
			chain,
			signer,
			gateway,
			next_nonce,
			birth,
		})
	}

	/// The account.
	pub fn account(&self) -> AccountId32 {
		self.signer.account()
	}

	/// The transaction that submits a job, as hex. It must be sent before later ones of the same account.
	pub fn sign(&mut self, model: ModelId, input: &[u8], max_price: Balance) -> Result<String> {
		self.sign_call(&calls::submit_job(
			model,
			BlobRef::of(input),
			max_price,
			Some(self.gateway),
			None,
		))
	}

	/// The transaction that pays an amount to somebody, in the same way.
	pub fn sign_transfer(&mut self, to: AccountId32, amount: Balance) -> Result<String> {
		self.sign_call(&calls::transfer(to, amount))
	}

	fn sign_call(&mut self, call: &Call) -> Result<String> {
		let metadata = self.chain.metadata();
		let params = DefaultExtrinsicParamsBuilder::<PolkadotConfig>::new()
			.nonce(self.next_nonce)
			.mortal_from_unchecked(MORTALITY, self.birth.0, self.birth.1)
			.build();
		let transaction = self
			.chain
			.tx()
			.create_partial_offline(&CallData(call.encode(&metadata)?), params)?
			.sign(&self.signer);
		self.next_nonce += 1;
		Ok(format!("0x{}", hex::encode(transaction.encoded())))
	}

	/// Puts an input into the node's store.
	pub async fn put(&self, input: &[u8]) -> Result<()> {
		let stored: BlobRef = self
			.client
			.request("blob_put", vec![json!(format!("0x{}", hex::encode(input)))])
			.await?;
		ensure!(
			stored == BlobRef::of(input),
			"the node stored another blob than the one that was put"
		);
		Ok(())
	}

	/// Gives a transaction to the node's pool.
	pub async fn send(&self, transaction: &str) -> Result<()> {
		let _: Value = self
			.client
			.request("author_submitExtrinsic", vec![json!(transaction)])
			.await?;
		Ok(())
	}

	/// The account's transactions in all blocks up to the best one.
	pub async fn nonce_in_best_block(&self) -> Result<u64> {
		let account = format!("0x{}", hex::encode(self.signer.account()));
		let params = vec![json!("AccountNonceApi_account_nonce"), json!(account)];
		let answer: String = self.client.request("state_call", params).await?;
		Ok(u32::decode(&mut &hex::decode(answer.trim_start_matches("0x"))?[..])?.into())
	}

	/// Transactions of anybody that wait for a block in the pool of its node.
	pub async fn waiting(&self) -> Result<usize> {
		let waiting: Vec<Value> = self.client.request("author_pendingExtrinsics", vec![]).await?;
		Ok(waiting.len())
	}

	/// Forgets about transactions that were signed and came into no block. Those that it signs from now on are valid from now on.
	pub async fn count_anew(&mut self) -> Result<()> {
		self.next_nonce = self.nonce_in_best_block().await?;
		self.birth = last_final(&self.client).await?;
		Ok(())
	}

	/// The next nonce that it signs with.
	pub fn next_nonce(&self) -> u64 {
		self.next_nonce
	}
}

/// The last finalized block: its number and hash.
async fn last_final(client: &Client) -> Result<(u64, H256)> {
	let hash: H256 = client.request("chain_getFinalizedHead", vec![]).await?;
	let header: Value = client.request("chain_getHeader", vec![json!(hash)]).await?;
	let number = header["number"].as_str().context("a header has a number")?;
	Ok((u64::from_str_radix(number.trim_start_matches("0x"), 16)?, hash))
}
