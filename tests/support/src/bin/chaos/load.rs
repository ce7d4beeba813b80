//! A payer that has one small file after another looked at by Magika, through whichever node answers.
//!
//! A transaction is signed once. As long as the chain does not count it, it is sent again, the very same: it can be in the chain
//! no more than once, whatever becomes of the nodes that were given it.

use anyhow::{anyhow, bail, Context, Result};
use codec::Decode;
use highway_primitives::{Balance, BlobRef, ModelId, NodeId};
use highway_test_support::{bare::BareMagika, binaries, market::key_of, rpc, Devnet};
use highway_wallet::{
	client::{calls, Client, Signer},
	keystore,
};
use serde_json::{json, Value};
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet, VecDeque},
	fs,
	net::SocketAddr,
	rc::Rc,
	time::{Duration, Instant},
};
use subxt::{
	config::DefaultExtrinsicParamsBuilder, tx::Payload, Metadata, OfflineClient, OnlineClient, PolkadotConfig,
};
use tempfile::NamedTempFile;
use tokio::time::{interval, sleep, timeout, MissedTickBehavior};

/// Between two jobs: one or two come in a block.
const PACE: Duration = Duration::from_millis(1_500);

/// Transactions that are not final at most: no more are signed while nothing becomes final.
const WINDOW: usize = 16;

/// How long a node may take to answer the payer, who asks another one then.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take until all transactions are final, once nothing is broken any more.
const FINAL_WITHIN: Duration = Duration::from_secs(180);

/// Call data, ready to be signed.
struct CallData(Vec<u8>);

impl Payload for CallData {
	fn encode_call_data_to(&self, _: &Metadata, out: &mut Vec<u8>) -> Result<(), subxt::ext::subxt_core::error::Error> {
		out.extend(&self.0);
		Ok(())
	}
}

/// A node that jobs go through.
#[derive(Clone, Copy)]
struct Gateway {
	address: SocketAddr,
	id: NodeId,
}

/// A transaction that submits a job.
struct Submission {
	nonce: u64,
	transaction: String,
	input: Vec<u8>,
}

/// The nodes that took the input of a transaction of the payer, by its nonce. Clones share it.
#[derive(Clone, Default)]
pub struct Holders(Rc<RefCell<BTreeMap<u64, BTreeSet<NodeId>>>>);

impl Holders {
	fn add(&self, nonce: u64, node: NodeId) {
		self.0.borrow_mut().entry(nonce).or_default().insert(node);
	}

	/// Who took the input of the transaction with this nonce.
	pub fn of(&self, nonce: u64) -> BTreeSet<NodeId> {
		self.0.borrow().get(&nonce).cloned().unwrap_or_default()
	}
}

/// How many transactions of the payer a node counts.
#[derive(Clone, Copy)]
struct Nonces {
	finalized: u64,
	best: u64,
}

/// The payer.
pub struct Load {
	gateways: Vec<Gateway>,
	/// The gateway that is asked first the next time.
	turn: usize,
	chain: OfflineClient<PolkadotConfig>,
	signer: Signer,
	model: ModelId,
	max_price: Balance,
	magika: BareMagika,
	sample: String,
	scratch: NamedTempFile,
	/// The next nonce that it signs with; it began at 0.
	next_nonce: u64,
	/// What is not known to be final, oldest first.
	pending: VecDeque<Submission>,
	holders: Holders,
	/// What a node last said against one of them.
	complaint: Option<String>,
}

impl Load {
	/// The account of `key`, which has never sent anything, pays for jobs of `model`.
	pub async fn open(devnet: &Devnet, key: &str, model: ModelId) -> Result<Self> {
		let first = devnet.nodes.first().context("a network has a node")?;
		let client = Client::connect(&first.url()).await?;
		let mut gateways = Vec::new();
		for node in &devnet.nodes {
			let operator = Signer::new(keystore::from_phrase(&key_of(node.name()))?).account();
			let info = client.node_of(&operator).await?;
			gateways.push(Gateway {
				address: node.rpc_address(),
				id: info.with_context(|| format!("{} is registered", node.name()))?.id,
			});
		}
		let quote = client.quote(model, 10_000, None).await?;
		Ok(Self {
			gateways,
			turn: 0,
			chain: OnlineClient::<PolkadotConfig>::from_insecure_url(first.url())
				.await?
				.offline(),
			signer: Signer::new(keystore::from_phrase(key)?),
			model,
			max_price: quote.price.saturating_mul(2),
			magika: BareMagika::load()?,
			sample: fs::read_to_string(binaries::tests_folder("files")?.join("fibonacci.py"))?,
			scratch: NamedTempFile::new()?,
			next_nonce: 0,
			pending: VecDeque::new(),
			holders: Holders::default(),
			complaint: None,
		})
	}

	/// Who pays.
	pub fn payer(&self) -> [u8; 32] {
		self.signer.account().into()
	}

	/// The ids of the nodes, in the network's order.
	pub fn ids(&self) -> Vec<NodeId> {
		self.gateways.iter().map(|gateway| gateway.id).collect()
	}

	/// Who has the inputs of its transactions.
	pub fn holders(&self) -> Holders {
		self.holders.clone()
	}

	/// What the chain's events are made of.
	pub fn metadata(&self) -> Metadata {
		self.chain.metadata()
	}

	/// Transactions signed so far, each of which submits a job.
	pub fn signed(&self) -> u64 {
		self.next_nonce
	}

	/// Submits jobs, evenly. Never returns but with an error.
	pub async fn run(&mut self) -> anyhow::Error {
		let mut ticks = interval(PACE);
		ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
		loop {
			ticks.tick().await;
			if let Err(error) = self.step(true).await {
				return error;
			}
		}
	}

	/// Sends what the chain lacks until all of it is final.
	pub async fn finish(&mut self) -> Result<()> {
		let begin = Instant::now();
		loop {
			self.step(false).await?;
			let Some(oldest) = self.pending.front() else {
				return Ok(());
			};
			if begin.elapsed() > FINAL_WITHIN {
				bail!(
					"{} submissions are not final after {FINAL_WITHIN:?}, the oldest with nonce {}; a node last said: {}",
					self.pending.len(),
					oldest.nonce,
					self.complaint.as_deref().unwrap_or("nothing")
				);
			}
			sleep(PACE).await;
		}
	}

	/// Sends what the chain of some node lacks and, with `more`, another job.
	async fn step(&mut self, more: bool) -> Result<()> {
		let Some((gateway, nonces)) = self.somebody().await else {
			return Ok(());
		};
		while self
			.pending
			.front()
			.is_some_and(|oldest| oldest.nonce < nonces.finalized)
		{
			self.pending.pop_front();
		}
		if more && self.pending.len() < WINDOW {
			let next = self.sign(gateway.id)?;
			self.pending.push_back(next);
		}
		for submission in self.pending.iter().filter(|pending| pending.nonce >= nonces.best) {
			// A pool that has it already says so, too.
			if let Err(error) = send(gateway, submission, &self.holders).await {
				self.complaint = Some(format!("{error:#}"));
			}
		}
		Ok(())
	}

	/// The next node that answers.
	async fn somebody(&mut self) -> Option<(Gateway, Nonces)> {
		for _ in 0..self.gateways.len() {
			let gateway = self.gateways[self.turn % self.gateways.len()];
			self.turn += 1;
			if let Ok(Ok(nonces)) = timeout(PATIENCE, self.nonces(gateway.address)).await {
				return Some((gateway, nonces));
			}
		}
		None
	}

	async fn nonces(&self, node: SocketAddr) -> Result<Nonces> {
		let finalized = rpc::call(node, "chain_getFinalizedHead", json!([])).await?;
		let account = format!("0x{}", hex::encode(self.payer()));
		let at = |params: Value| async move {
			let answer = rpc::call(node, "state_call", params).await?;
			let answer = answer.as_str().context("an answer is hex")?.trim_start_matches("0x");
			anyhow::Ok(u64::from(u32::decode(&mut hex::decode(answer)?.as_slice())?))
		};
		Ok(Nonces {
			finalized: at(json!(["AccountNonceApi_account_nonce", account, finalized])).await?,
			best: at(json!(["AccountNonceApi_account_nonce", account])).await?,
		})
	}

	/// One more job, with an input that no other one has. It has no last block: an old one is as good as a new one.
	fn sign(&mut self, gateway: NodeId) -> Result<Submission> {
		let nonce = self.next_nonce;
		fs::write(self.scratch.path(), format!("{}# job {nonce}\n", self.sample))?;
		let input = self.magika.input(self.scratch.path())?;
		let call = calls::submit_job(self.model, BlobRef::of(&input), self.max_price, Some(gateway), None);
		let params = DefaultExtrinsicParamsBuilder::<PolkadotConfig>::new()
			.nonce(nonce)
			.immortal()
			.build();
		let transaction = self
			.chain
			.tx()
			.create_partial_offline(&CallData(call.encode(&self.chain.metadata())?), params)?
			.sign(&self.signer);
		self.next_nonce += 1;
		Ok(Submission {
			nonce,
			transaction: format!("0x{}", hex::encode(transaction.encoded())),
			input,
		})
	}
}

/// Gives a node an input and the transaction that pays for it.
async fn send(gateway: Gateway, submission: &Submission, holders: &Holders) -> Result<()> {
	let node = gateway.address;
	let input = format!("0x{}", hex::encode(&submission.input));
	let work = async {
		rpc::call(node, "blob_put", json!([input])).await?;
		holders.add(submission.nonce, gateway.id);
		rpc::call(node, "author_submitExtrinsic", json!([submission.transaction])).await
	};
	timeout(PATIENCE, work)
		.await
		.map_err(|_| anyhow!("no answer in {PATIENCE:?}"))?
		.map(drop)
}
