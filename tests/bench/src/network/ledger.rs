//! What the finalized blocks say, read block by block.

use anyhow::{bail, ensure, Context, Result};
use codec::Decode;
use frame_support::{dispatch::PerDispatchClass, weights::Weight};
use highway_primitives::{BlobRef, BlockNumber, JobId, NodeId};
use highway_wallet::client::Client;
use serde_json::{json, Value};
use sp_core::H256;
use sp_crypto_hashing::twox_128;
use std::{
	collections::{BTreeMap, HashMap, HashSet},
	time::Duration,
};
use subxt::{events::Phase, OnlineClient, PolkadotConfig};

/// How often somebody who waits for a block looks for it: an eighth of a block.
const PERIOD: Duration = Duration::from_millis(250);

/// A job in a block.
#[derive(Clone, Debug)]
pub struct Submission {
	/// Its block.
	pub block: BlockNumber,
	/// Bytes of the extrinsic that submitted it, as they lie in the block.
	pub bytes: usize,
}

/// The attestation of a job.
#[derive(Clone, Debug)]
pub struct Attestation {
	/// Its block.
	pub block: BlockNumber,
	/// Who attested.
	pub node: NodeId,
	/// The output.
	pub output: BlobRef,
	/// Bytes of the extrinsic.
	pub bytes: usize,
	/// Jobs that the extrinsic attested.
	pub batch: usize,
}

/// One block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Block {
	/// Its time in milliseconds.
	pub time: u64,
	/// Jobs submitted in it.
	pub submitted: usize,
	/// Jobs attested in it.
	pub attested: usize,
	/// Signed or authorized extrinsics that failed in it.
	pub failed: usize,
	/// Jobs settled in it.
	pub settled: usize,
	/// Whether it left something of what was due to the next one: the due queue took all of its share.
	pub behind: bool,
}

/// What became of a transaction that submits a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
	/// Its job was attested.
	Attested(JobId),
	/// Its job ended without an attestation.
	Ended(JobId),
	/// Its job is neither attested nor ended.
	Open(JobId),
	/// It failed in its block, so there is no job.
	Refused,
	/// It is in no finalized block.
	Unseen,
}

impl Fate {
	fn is_final(self) -> bool {
		!matches!(self, Self::Open(_) | Self::Unseen)
	}

	/// Whether it failed in its block.
	pub fn is_refused(self) -> bool {
		self == Self::Refused
	}

	/// Its job, if that was attested.
	pub fn attested(self) -> Option<JobId> {
		match self {
			Self::Attested(job) => Some(job),
			_ => None,
		}
	}

	/// Its job, if that was not attested.
	pub fn never_attested(self) -> Option<JobId> {
		match self {
			Self::Ended(job) | Self::Open(job) => Some(job),
			_ => None,
		}
	}
}

/// Reads finalized blocks, each once.
pub struct Ledger {
	client: Client,
	chain: OnlineClient<PolkadotConfig>,
	next: BlockNumber,
	/// Extrinsics that submitted a job, as hex, with the job.
	pub jobs: HashMap<String, JobId>,
	/// Submissions by job.
	pub submissions: BTreeMap<JobId, Submission>,
	/// Attestations by job.
	pub attestations: BTreeMap<JobId, Attestation>,
	/// Jobs that ended without an attestation, with the block.
	pub ended: BTreeMap<JobId, BlockNumber>,
	/// Jobs that are over in whatever way: nothing of theirs is left to be done but to remove the record.
	over: HashSet<JobId>,
	failed: HashSet<String>,
	/// Extrinsics that did what they are for, as hex, with their block.
	pub passed: HashMap<String, BlockNumber>,
	/// All blocks read.
	pub blocks: BTreeMap<BlockNumber, Block>,
	/// By block, the best block when it was first seen to be final.
	pub final_at: BTreeMap<BlockNumber, BlockNumber>,
	/// What went wrong with jobs: block, job and the event's name.
	pub troubles: Vec<(BlockNumber, JobId, String)>,
}

impl Ledger {
	/// Reads from the last finalized block on.
	pub async fn open(client: Client, url: &str) -> Result<Self> {
		let chain = OnlineClient::from_insecure_url(url).await?;
		let mut ledger = Self {
			client,
			chain,
			next: 0,
			jobs: HashMap::new(),
			submissions: BTreeMap::new(),
			attestations: BTreeMap::new(),
			ended: BTreeMap::new(),
			over: HashSet::new(),
			failed: HashSet::new(),
			passed: HashMap::new(),
			blocks: BTreeMap::new(),
			final_at: BTreeMap::new(),
			troubles: Vec::new(),
		};
		ledger.next = ledger.finalized().await?;
		Ok(ledger)
	}

	async fn finalized(&self) -> Result<BlockNumber> {
		let hash: Value = self.client.request("chain_getFinalizedHead", vec![]).await?;
		let header: Value = self.client.request("chain_getHeader", vec![hash]).await?;
		let number = header["number"].as_str().context("a header has a number")?;
		Ok(BlockNumber::from_str_radix(number.trim_start_matches("0x"), 16)?)
	}

	/// Reads the blocks that were finalized since the last time.
	pub async fn advance(&mut self) -> Result<()> {
		let finalized = self.finalized().await?;
		let best = self.client.best_block().await?;
		// Before anything is read: that takes time.
		let seen = self.final_at.keys().next_back().map_or(self.next, |last| last + 1);
		self.final_at.extend((seen..=finalized).map(|block| (block, best)));
		while self.next <= finalized {
			self.read(self.next)
				.await
				.with_context(|| format!("block {}", self.next))?;
			self.next += 1;
		}
		Ok(())
	}

	fn fate(&self, extrinsic: &str) -> Fate {
		match self.jobs.get(extrinsic) {
			Some(job) if self.attestations.contains_key(job) => Fate::Attested(*job),
			Some(job) if self.ended.contains_key(job) => Fate::Ended(*job),
			Some(job) => Fate::Open(*job),
			None if self.failed.contains(extrinsic) => Fate::Refused,
			None => Fate::Unseen,
		}
	}

	/// Waits until it is final what became of all these extrinsics, but not longer than `limit`. Fates in the same order.
	pub async fn wait_for(&mut self, extrinsics: &[String], limit: Duration) -> Result<Vec<Fate>> {
		let end = tokio::time::Instant::now() + limit;
		loop {
			self.advance().await?;
			let fates: Vec<_> = extrinsics.iter().map(|extrinsic| self.fate(extrinsic)).collect();
			if fates.iter().all(|fate| fate.is_final()) || tokio::time::Instant::now() > end {
				return Ok(fates);
			}
			tokio::time::sleep(PERIOD).await;
		}
	}

	/// Waits until `done` is true of what is final, but not longer than `limit`.
	pub async fn until(&mut self, what: &str, limit: Duration, done: impl Fn(&Self) -> bool) -> Result<()> {
		match self.within(limit, done).await? {
			true => Ok(()),
			false => bail!("waited {limit:?} in vain for: {what}"),
		}
	}

	/// Waits until `done` is true of what is final. Whether that was so within `limit`.
	pub async fn within(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> Result<bool> {
		let end = tokio::time::Instant::now() + limit;
		loop {
			self.advance().await?;
			if done(self) {
				return Ok(true);
			}
			if tokio::time::Instant::now() > end {
				return Ok(false);
			}
			tokio::time::sleep(PERIOD).await;
		}
	}

	/// Reads each block when it becomes final, for as long as nothing goes wrong.
	pub async fn follow(&mut self) -> anyhow::Error {
		loop {
			if let Err(error) = self.advance().await {
				return error;
			}
			tokio::time::sleep(PERIOD).await;
		}
	}

	/// The last block that was read.
	pub fn last(&self) -> BlockNumber {
		self.blocks.keys().next_back().copied().unwrap_or(0)
	}

	/// The best block when the last one was seen to be final.
	pub fn best(&self) -> BlockNumber {
		self.final_at.values().next_back().copied().unwrap_or(0)
	}

	/// Jobs of which something is still to be done: they are with a node, wait for their settlement, or are in audit.
	pub fn open_jobs(&self) -> usize {
		let is_open = |job: &&JobId| !self.over.contains(*job);
		self.submissions.keys().filter(is_open).count()
	}

	/// Says on standard error what is known of the jobs that were not attested, and how many transactions made no job.
	pub async fn tell_of_losses(&self, fates: &[Fate]) -> Result<()> {
		for job in fates.iter().filter_map(|fate| fate.never_attested()) {
			let now = match self.client.job(job).await? {
				Some(info) => format!(
					"{:?}, with node {:?} after nodes {:?}, due in block {}",
					info.phase, info.executor, info.tried, info.due
				),
				None => "gone".into(),
			};
			eprintln!(
				"job {job} was never attested: {:?}; it is {now}",
				self.submissions.get(&job)
			);
			for (block, _, trouble) in self.troubles.iter().filter(|(_, other, _)| *other == job) {
				eprintln!("  block {block}: {trouble}");
			}
		}
		for (fate, what) in [
			(Fate::Refused, "failed in their blocks"),
			(Fate::Unseen, "are in no finalized block"),
		] {
			let count = fates.iter().filter(|other| **other == fate).count();
			if count > 0 {
				eprintln!("{count} transactions {what}");
			}
		}
		Ok(())
	}

	/// What a block weighs, by class, as far as is declared and given back.
	pub async fn weight(&self, number: BlockNumber) -> Result<PerDispatchClass<Weight>> {
		let block = self.hash(number).await?;
		let weight = self.stored("System", "BlockWeight", block).await?;
		weight.with_context(|| format!("block {number} has a weight"))
	}

	async fn hash(&self, number: BlockNumber) -> Result<H256> {
		Ok(self.client.request("chain_getBlockHash", vec![json!(number)]).await?)
	}

	async fn read(&mut self, number: BlockNumber) -> Result<()> {
		let hash = self.hash(number).await?;
		let block: Value = self.client.request("chain_getBlock", vec![json!(hash)]).await?;
		let extrinsics = block["block"]["extrinsics"]
			.as_array()
			.context("a block has extrinsics")?;
		let extrinsics: Vec<&str> = extrinsics.iter().filter_map(Value::as_str).collect();
		let size = |index: u32| -> Result<usize> {
			let hex = extrinsics
				.get(index as usize)
				.context("an event belongs to an extrinsic")?;
			Ok((hex.len() - 2) / 2)
		};
		let mut record = Block {
			time: self.stored("Timestamp", "Now", hash).await?.unwrap_or(0),
			behind: self.overdue(hash).await? > 0,
			..Block::default()
		};
		let mut attested: BTreeMap<u32, Vec<(JobId, NodeId, BlobRef)>> = BTreeMap::new();
		for event in self.chain.events().at(hash).await?.iter() {
			let event = event?;
			let mut fields = event.field_bytes();
			let name = event.variant_name();
			if matches!(
				name,
				"JobTimedOut" | "JobReassigned" | "FailureReported" | "JobRefunded" | "JobFailed"
			) {
				let job = JobId::decode(&mut fields)?;
				self.troubles.push((number, job, name.to_owned()));
				if matches!(name, "JobRefunded" | "JobFailed") {
					self.ended.insert(job, number);
				}
			}
			if matches!(
				name,
				"JobSettled" | "JobRejected" | "JobVoided" | "JobRefunded" | "JobFailed"
			) {
				record.settled += usize::from(name == "JobSettled");
				self.over.insert(JobId::decode(&mut event.field_bytes())?);
			}
			let Phase::ApplyExtrinsic(index) = event.phase() else {
				continue;
			};
			match (event.pallet_name(), name) {
				("InferenceJobs", "JobSubmitted") => {
					let job = JobId::decode(&mut fields)?;
					record.submitted += 1;
					self.jobs.insert(extrinsics[index as usize].to_owned(), job);
					self.submissions.insert(
						job,
						Submission {
							block: number,
							bytes: size(index)?,
						},
					);
				}
				("ProofOfWorkDone", "Attested") => {
					attested.entry(index).or_default().push(Decode::decode(&mut fields)?);
				}
				("System", "ExtrinsicSuccess") => {
					self.passed.insert(extrinsics[index as usize].to_owned(), number);
				}
				("System", "ExtrinsicFailed") => {
					record.failed += 1;
					self.failed.insert(extrinsics[index as usize].to_owned());
				}
				_ => {}
			}
		}
		for (index, items) in attested {
			record.attested += items.len();
			for (job, node, output) in &items {
				let attestation = Attestation {
					block: number,
					node: *node,
					output: *output,
					bytes: size(index)?,
					batch: items.len(),
				};
				let before = self.attestations.insert(*job, attestation);
				ensure!(before.is_none(), "job {job} was attested twice");
			}
		}
		self.blocks.insert(number, record);
		Ok(())
	}

	/// By how many blocks the chain is behind with what is due, after a block.
	async fn overdue(&self, block: H256) -> Result<BlockNumber> {
		let params = vec![json!("MarketApi_overdue"), json!("0x"), json!(block)];
		let answer: String = self.client.request("state_call", params).await?;
		let bytes = hex::decode(answer.trim_start_matches("0x"))?;
		Ok(BlockNumber::decode(&mut &bytes[..])?)
	}

	/// The value of a pallet's item in the state of a block.
	async fn stored<T: Decode>(&self, pallet: &str, item: &str, block: H256) -> Result<Option<T>> {
		let key = [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat();
		let params = vec![json!(format!("0x{}", hex::encode(key))), json!(block)];
		let stored: Option<String> = self.client.request("state_getStorage", params).await?;
		let Some(stored) = stored else { return Ok(None) };
		let bytes = hex::decode(stored.trim_start_matches("0x"))?;
		Ok(Some(T::decode(&mut &bytes[..])?))
	}

	/// Bytes on chain of the job: its submission and its share of the attestation.
	fn bytes(&self, job: JobId) -> Option<f64> {
		let attestation = self.attestations.get(&job)?;
		let submission = self.submissions.get(&job)?;
		Some(submission.bytes as f64 + attestation.bytes as f64 / attestation.batch as f64)
	}

	/// Bytes on chain of each of `jobs` whose attestation came in a batch of a size that `fits`.
	pub fn bytes_of(&self, jobs: &[JobId], fits: impl Fn(usize) -> bool) -> Vec<f64> {
		let in_such = |job: &&JobId| self.attestations.get(*job).is_some_and(|found| fits(found.batch));
		let bytes = |job: &JobId| self.bytes(*job);
		jobs.iter().filter(in_such).filter_map(bytes).collect()
	}
}
