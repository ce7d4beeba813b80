//! What the finalized blocks say of jobs and money, and what in it must not be.
//!
//! Every job ends once, and its price goes out as it came in. The issuance changes by what is minted for validators and subsidies,
//! and by what is burned, and by nothing else. Nobody here cheats, so nobody is slashed. Who let a job down pays its compute line,
//! and who does not show a chunk in time loses pay for storage: by rule, and only to whom a fault did something then.

use crate::{disturbances::Disturbances, load::Holders};
use anyhow::{Context, Result};
use codec::Decode;
use futures::future::join_all;
use highway_math::audit;
use highway_primitives::{
	market::{AskRole, Role},
	Balance, BlockNumber, EpochIndex, JobId, ModelId, NodeId,
};
use highway_test_support::rpc;
use pallet_proof_of_work_done::{MAX_AUDITORS, WALK};
use serde_json::{json, Value};
use sp_crypto_hashing::twox_128;
use std::{
	collections::{BTreeMap, BTreeSet},
	net::SocketAddr,
};
use subxt::{events::Events, Metadata, PolkadotConfig};

/// Blocks until a draw that waits for authors is tried again.
const DRAW_RETRY: BlockNumber = 2;

/// Blocks after its last deadline in which a job with this allowance is over, if all that may come does, and each phase takes the
/// longest that it can: the window, or a draw that waits for authors; three auditors, of whom each judges, reveals, and has the
/// executor challenged; its opening; the draw of a jury, which judges and reveals. The queue may be a block late for each.
fn over_within(window: BlockNumber, allowance: BlockNumber) -> BlockNumber {
	let reveal = audit::reveal_blocks(window);
	let drawn = WALK + DRAW_RETRY;
	let judged = allowance + audit::JUDGE_EXTRA;
	let auditors = MAX_AUDITORS as BlockNumber;
	// The chunk of a challenge is known a block later.
	let each_auditor = judged + reveal + 1 + reveal;
	let steps = 1 + 3 * auditors + 1 + 3;
	window.max(drawn) + auditors * each_auditor + reveal + drawn + judged + reveal + steps
}

type Account = [u8; 32];

/// How a job ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum End {
	/// Everybody was paid.
	Settled,
	/// Nobody did it: the payer has its money back.
	Refunded,
	/// Two nodes found it impossible, as its input is gone with the node that had it: the payer has back what that left.
	Failed,
	/// Its audit came to no end: the payer has its money back.
	Voided,
	/// An audit found it wrong.
	Rejected,
}

/// A node that got a job, and the blocks that it had for it.
#[derive(Debug)]
struct Try {
	node: NodeId,
	from: u64,
	until: u64,
}

/// What is known of a job.
#[derive(Debug, Default)]
struct Job {
	/// Of the transaction that submitted it.
	nonce: u64,
	price: Balance,
	/// Who got it, in this order.
	tries: Vec<Try>,
	/// Blocks that each executor has.
	allowance: BlockNumber,
	/// The last block in which an attestation counts.
	deadline: BlockNumber,
	/// Somebody was told that it is not over in time.
	is_overdue: bool,
	ends: Vec<End>,
	/// What left the pot in its name.
	moved: Balance,
	/// What nodes paid for having let it down.
	fined: Balance,
	late: BTreeSet<NodeId>,
	fines: Vec<NodeId>,
}

impl Job {
	/// Whether it should be over after block `last`, where deadlines of audits stood still until `stood_still`.
	fn is_overdue_at(&self, last: u64, window: BlockNumber, stood_still: BlockNumber) -> bool {
		let over = self.deadline.max(stood_still) + over_within(window, self.allowance);
		self.ends.is_empty() && last > u64::from(over)
	}

	/// What is wrong with it.
	fn trouble(&self) -> Option<String> {
		let paid_out = if self.ends.is_empty() { 0 } else { self.price };
		let fined: BTreeSet<_> = self.fines.iter().copied().collect();
		if self.ends.len() > 1 {
			Some(format!("ended more than once: {:?}", self.ends))
		} else if self.ends.contains(&End::Rejected) {
			Some("was rejected, though nobody cheats".into())
		} else if self.moved != paid_out + self.fined {
			Some(format!(
				"moved {} of {} and {} in fines",
				self.moved, self.price, self.fined
			))
		} else if fined.len() < self.fines.len() || !fined.is_subset(&self.late) {
			Some(format!(
				"was let down by {:?} and paid for by {:?}",
				self.late, self.fines
			))
		} else {
			None
		}
	}
}

/// Jobs, and how many of them were done and paid.
#[derive(Clone, Copy, Default, Debug)]
pub struct Share {
	/// All of them.
	pub jobs: u64,
	/// Done and paid.
	pub settled: u64,
}

impl Share {
	fn count(&mut self, settled: bool) {
		self.jobs += 1;
		self.settled += u64::from(settled);
	}

	fn others(&self) -> u64 {
		self.jobs - self.settled
	}
}

/// Jobs by what faults did to the node that got them first, or to all who had their input.
#[derive(Clone, Copy, Default, Debug)]
pub struct Shares {
	/// Nothing.
	pub calm: Share,
	/// Something.
	pub disturbed: Share,
}

impl Shares {
	/// What is wrong, once all jobs are over.
	pub fn troubles(&self) -> Vec<String> {
		let Self { calm, disturbed } = self;
		let mut troubles = Vec::new();
		if calm.settled + disturbed.settled == 0 {
			troubles.push("no job was done: nothing was shown".into());
		}
		// Such a job is attested in time. What is left is an audit, of one in 27, in which a later fault silences somebody.
		if calm.others() > 1 && 10 * calm.others() > calm.jobs {
			troubles.push(format!(
				"of {} jobs that no fault came near only {} were done",
				calm.jobs, calm.settled
			));
		}
		// Three nodes get such a job, one after another, and no fault but the rarer ones touches more than one.
		if disturbed.others() > disturbed.settled {
			troubles.push(format!(
				"of {} jobs that faults came near only {} were done",
				disturbed.jobs, disturbed.settled
			));
		}
		troubles
	}
}

/// What nodes lost by rule, for being late.
#[derive(Clone, Copy, Default, Debug)]
pub struct Losses {
	/// Fines for jobs that were let down.
	pub fines: u64,
	/// What they came to.
	pub fined: Balance,
	/// Challenges to show a chunk that were missed.
	pub missed: u64,
	/// The pay for storage that was lost by that.
	pub forfeited: Balance,
}

/// Reads finalized blocks, each once.
pub struct Ledger {
	metadata: Metadata,
	payer: Account,
	holders: Holders,
	disturbances: Disturbances,
	/// Of the blocks that were read, and of the one before them.
	hashes: BTreeMap<u64, String>,
	/// What there should be after the last of them.
	issuance: Balance,
	/// Blocks from an attestation to its settlement.
	window: BlockNumber,
	/// The last block in which no deadline of an audit passed, as finality lagged.
	stood_still: BlockNumber,
	jobs: BTreeMap<JobId, Job>,
	/// Those that the block has something of that is being read.
	touched: BTreeSet<JobId>,
	/// When chunks that are to be shown were asked for.
	challenges: BTreeMap<(NodeId, ModelId), u64>,
	losses: Losses,
	/// Transactions of the payer.
	transactions: u64,
	/// What must not be, and nobody was told yet.
	troubles: Vec<String>,
}

impl Ledger {
	/// Reads what is finalized from now on. `payer` is whose jobs there are; it has not sent a transaction yet.
	pub async fn open(node: SocketAddr, metadata: Metadata, payer: Account, holders: Holders) -> Result<Self> {
		let first = finalized(node).await?;
		let hash = block_hash(node, first).await?;
		Ok(Self {
			metadata,
			payer,
			holders,
			disturbances: Disturbances::default(),
			issuance: issuance(node, &hash).await?,
			window: number(&storage(node, "InferenceJobs", "AttestationWindow", &hash).await?)?,
			stood_still: 0,
			hashes: BTreeMap::from([(first, hash)]),
			jobs: BTreeMap::new(),
			touched: BTreeSet::new(),
			challenges: BTreeMap::new(),
			losses: Losses::default(),
			transactions: 0,
			troubles: Vec::new(),
		})
	}

	/// The last block that was read, with its hash.
	fn last(&self) -> (u64, &str) {
		self.hashes
			.last_key_value()
			.map_or((0, ""), |(number, hash)| (*number, hash.as_str()))
	}

	/// Notes a fault of these nodes that began after block `from` was final; all had recovered in block `recovered`. To be called
	/// before the blocks of that time are read.
	pub fn disturbed(&mut self, nodes: BTreeSet<NodeId>, from: u64, recovered: u64) {
		self.disturbances.add(nodes, from, recovered);
	}

	/// Reads all that any node has finalized, and looks whether every one of them has finalized the same.
	pub async fn advance(&mut self, nodes: &[SocketAddr]) -> Result<()> {
		let heads = join_all(nodes.iter().map(|node| finalized(*node))).await;
		let heads: Vec<_> = nodes
			.iter()
			.zip(heads)
			.filter_map(|(node, head)| Some((*node, head.ok()?)))
			.collect();
		let (node, head) = *heads.iter().max_by_key(|(_, head)| *head).context("no node answers")?;
		while self.last().0 < head {
			self.read(node, self.last().0 + 1).await?;
		}
		let (last, hash) = self.last();
		let seen = issuance(node, hash).await?;
		let stood_still = stored(node, "StorageProofs", "StoodStill", hash).await?;
		if let Some(block) = stood_still {
			self.stood_still = number(&block)?;
		}
		if seen != self.issuance {
			let trouble = format!("block {last}: the issuance is {seen}, and should be {}", self.issuance);
			self.troubles.push(trouble);
			// Once is enough.
			self.issuance = seen;
		}
		for (node, head) in heads {
			let hash = block_hash(node, head).await?;
			if self.hashes.get(&head).is_some_and(|ours| *ours != hash) {
				self.troubles.push(format!("{node} has finalized another block {head}"));
			}
		}
		Ok(())
	}

	async fn read(&mut self, node: SocketAddr, number: u64) -> Result<()> {
		let hash = block_hash(node, number).await?;
		let header = rpc::call(node, "chain_getHeader", json!([hash])).await?;
		let bytes = storage(node, "System", "Events", &hash).await?;
		if header["parentHash"] != self.last().1 {
			self.troubles
				.push(format!("block {number} does not follow on what was final"));
		}
		self.hashes.insert(number, hash);
		for event in Events::<PolkadotConfig>::decode_from(bytes, self.metadata.clone()).iter() {
			let event = event?;
			let (pallet, name) = (event.pallet_name(), event.variant_name());
			self.note(number, pallet, name, event.field_bytes())
				.with_context(|| format!("{pallet}.{name} in block {number}"))?;
			if is_slash(pallet, name) {
				self.troubles.push(format!("block {number}: {pallet}.{name}"));
			}
		}
		for job in std::mem::take(&mut self.touched) {
			if let Some(trouble) = self.jobs.get(&job).and_then(Job::trouble) {
				self.troubles.push(format!("block {number}: job {job} {trouble}"));
			}
		}
		Ok(())
	}

	/// Whether a fault excuses that a job was not done in this try.
	fn is_excused(&self, job: &Job, attempt: &Try) -> bool {
		let holders = self.holders.of(job.nonce);
		self.disturbances
			.excuse(attempt.node, &holders, attempt.from, attempt.until)
	}

	/// Whether no fault touched the node that got the job first, nor all who had its input: then that node does it.
	fn is_calm(&self, job: &Job) -> bool {
		job.tries.first().is_some_and(|first| !self.is_excused(job, first))
	}

	/// What is wrong with the fine of a node for a job.
	fn fine_trouble(&self, job: JobId, node: NodeId) -> Option<String> {
		let record = self.jobs.get(&job)?;
		let attempt = record.tries.iter().find(|attempt| attempt.node == node)?;
		let trouble = || format!("job {job}: no fault came near node {node}, and it was fined");
		(!self.is_excused(record, attempt)).then(trouble)
	}

	/// What is wrong with the end of a job.
	fn end_trouble(&self, job: JobId, end: End) -> Option<String> {
		let record = self.jobs.get(&job)?;
		let undone = matches!(end, End::Refunded | End::Failed);
		(undone && self.is_calm(record)).then(|| format!("job {job}: no fault came near it, and it is {end:?}"))
	}

	fn touch(&mut self, job: JobId) -> &mut Job {
		self.touched.insert(job);
		self.jobs.entry(job).or_default()
	}

	fn note(&mut self, block: u64, pallet: &str, event: &str, mut fields: &[u8]) -> Result<()> {
		let fields = &mut fields;
		match (pallet, event) {
			("InferenceJobs", "JobSubmitted") => {
				type Fields = (JobId, Account, ModelId, NodeId, Balance, BlockNumber);
				let (job, _, _, node, price, deadline) = Fields::decode(fields)?;
				// Its fee is told after it.
				let nonce = self.transactions;
				let job = self.touch(job);
				(job.nonce, job.price, job.deadline) = (nonce, price, deadline);
				job.tries.push(Try {
					node,
					from: block,
					until: deadline.into(),
				});
				job.allowance = deadline.saturating_sub(BlockNumber::try_from(block)?);
			}
			("InferenceJobs", "JobReassigned") => {
				let (job, node, deadline) = <(JobId, NodeId, BlockNumber)>::decode(fields)?;
				let job = self.touch(job);
				job.deadline = deadline;
				job.tries.push(Try {
					node,
					from: block,
					until: deadline.into(),
				});
			}
			("InferenceJobs", "JobTimedOut") | ("ProofOfWorkDone", "FailureReported") => {
				let (job, node) = <(JobId, NodeId)>::decode(fields)?;
				self.touch(job).late.insert(node);
			}
			("InferenceJobs", "NodeFined") => {
				let (job, node, amount) = <(JobId, NodeId, Balance)>::decode(fields)?;
				self.losses.fines += 1;
				self.losses.fined += amount;
				let trouble = self.fine_trouble(job, node);
				self.troubles.extend(trouble);
				let job = self.touch(job);
				job.fined += amount;
				job.fines.push(node);
			}
			("InferenceJobs", name) => {
				let end = match name {
					"JobSettled" => End::Settled,
					"JobRefunded" => End::Refunded,
					"JobFailed" => End::Failed,
					"JobVoided" => End::Voided,
					"JobRejected" => End::Rejected,
					_ => return Ok(()),
				};
				let job = JobId::decode(fields)?;
				self.touch(job).ends.push(end);
				let trouble = self.end_trouble(job, end);
				self.troubles.extend(trouble);
			}
			("RevenueSplit", "Paid") => {
				let (job, role, _, amount) = <(JobId, Role, Account, Balance)>::decode(fields)?;
				// Who judges is paid out of what earlier jobs put into the audit pot.
				if role != Role::Auditor {
					self.touch(job).moved += amount;
				}
			}
			("RevenueSplit", "StoragePayHeld") => {
				let (job, _, _, amount) = <(JobId, ModelId, Account, Balance)>::decode(fields)?;
				self.touch(job).moved += amount;
			}
			("RevenueSplit", "Refunded") => {
				let (job, _, amount) = <(JobId, Account, Balance)>::decode(fields)?;
				self.touch(job).moved += amount;
			}
			("RevenueSplit", "AuditPotFilled") => {
				let (job, amount) = <(JobId, Balance)>::decode(fields)?;
				self.touch(job).moved += amount;
			}
			("RevenueSplit", "Burned") => {
				let (job, amount) = <(JobId, Balance)>::decode(fields)?;
				self.touch(job).moved += amount;
				self.issuance -= amount;
			}
			("RevenueSplit", "Subsidised") => {
				let (_, _, amount) = <(JobId, Account, Balance)>::decode(fields)?;
				self.issuance += amount;
			}
			("RevenueSplit", "StoragePayForfeited") => {
				let (_, _, _, burned) = <(ModelId, NodeId, Balance, Balance)>::decode(fields)?;
				self.issuance -= burned;
			}
			("RevenueSplit", "StorageFined") => {
				let (_, _, burned) = <(NodeId, Balance, Balance)>::decode(fields)?;
				self.issuance -= burned;
			}
			("RevenueSplit", "AskForfeited") => {
				type Fields = (ModelId, AskRole, NodeId, EpochIndex, Balance, Balance);
				let (.., burned) = Fields::decode(fields)?;
				self.issuance -= burned;
			}
			("StorageProofs", "Challenged") => {
				let (node, model) = <(NodeId, ModelId)>::decode(fields)?;
				self.challenges.insert((node, model), block);
			}
			("StorageProofs", "Missed") => {
				let (node, model, forfeited, _) = <(NodeId, ModelId, Balance, Balance)>::decode(fields)?;
				self.losses.missed += 1;
				self.losses.forfeited += forfeited;
				// One that was asked before this began had no fault until then.
				let from = self.challenges.remove(&(node, model)).unwrap_or(block);
				if !self.disturbances.touched(node, from, block) {
					let trouble = format!("block {block}: no fault came near node {node}, and it showed no chunk");
					self.troubles.push(trouble);
				}
			}
			("NodeStaking", "SessionRewarded") => {
				let (_, minted) = <(u32, Balance)>::decode(fields)?;
				self.issuance += minted;
			}
			("TransactionPayment", "TransactionFeePaid") => {
				self.transactions += u64::from(Account::decode(fields)? == self.payer);
			}
			_ => {}
		}
		Ok(())
	}

	/// What must not be, and was not told yet.
	pub fn take_troubles(&mut self) -> Vec<String> {
		let mut troubles = std::mem::take(&mut self.troubles);
		let (last, window, stood_still) = (self.last().0, self.window, self.stood_still);
		for (id, job) in &mut self.jobs {
			if !job.is_overdue && job.is_overdue_at(last, window, stood_still) {
				job.is_overdue = true;
				troubles.push(format!("job {id} is not over in block {last}"));
			}
		}
		troubles
	}

	/// Jobs that have not ended.
	pub fn open_jobs(&self) -> usize {
		self.jobs.values().filter(|job| job.ends.is_empty()).count()
	}

	/// Jobs in all.
	pub fn jobs(&self) -> u64 {
		self.jobs.len() as u64
	}

	/// Jobs that ended so.
	pub fn ended(&self, end: End) -> u64 {
		self.jobs.values().filter(|job| job.ends.contains(&end)).count() as u64
	}

	/// Jobs that are over, by what faults did to them.
	pub fn shares(&self) -> Shares {
		let mut shares = Shares::default();
		for job in self.jobs.values().filter(|job| !job.ends.is_empty()) {
			let share = match self.is_calm(job) {
				true => &mut shares.calm,
				false => &mut shares.disturbed,
			};
			share.count(job.ends.contains(&End::Settled));
		}
		shares
	}

	/// What nodes lost for being late.
	pub fn losses(&self) -> Losses {
		self.losses
	}

	/// Transactions of the payer, each of which submitted a job or was refused.
	pub fn transactions(&self) -> u64 {
		self.transactions
	}
}

/// Whether an event takes something from somebody who does not cheat, whatever faults did to it. What is lost for being late is
/// no slash.
fn is_slash(pallet: &str, event: &str) -> bool {
	matches!(
		(pallet, event),
		("ProofOfWorkDone", "Slashed")
			| ("NodeStaking", "Slashed" | "OffenceReported" | "OffenceSlashed")
			| ("Offences", "Offence")
			| ("RevenueSplit", "StorageFined" | "AskForfeited")
	)
}

async fn finalized(node: SocketAddr) -> Result<u64> {
	let hash = rpc::call(node, "chain_getFinalizedHead", json!([])).await?;
	let header = rpc::call(node, "chain_getHeader", json!([hash])).await?;
	let number = header["number"].as_str().context("a header has a number")?;
	Ok(u64::from_str_radix(number.trim_start_matches("0x"), 16)?)
}

async fn block_hash(node: SocketAddr, number: u64) -> Result<String> {
	let hash = rpc::call(node, "chain_getBlockHash", json!([number])).await?;
	Ok(hash.as_str().context("a final block has a hash")?.to_owned())
}

/// What is stored under the name of an item, if there is anything.
async fn stored(node: SocketAddr, pallet: &str, item: &str, block: &str) -> Result<Option<Vec<u8>>> {
	let key = [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat();
	let key = format!("0x{}", hex::encode(key));
	let stored: Value = rpc::call(node, "state_getStorage", json!([key, block])).await?;
	let bytes = stored.as_str().map(|text| hex::decode(text.trim_start_matches("0x")));
	Ok(bytes.transpose()?)
}

/// What is stored under the name of an item that has one value.
async fn storage(node: SocketAddr, pallet: &str, item: &str, block: &str) -> Result<Vec<u8>> {
	let stored = stored(node, pallet, item, block).await?;
	stored.with_context(|| format!("{pallet}.{item} has a value in block {block}"))
}

/// A stored block number, or number of blocks.
fn number(mut stored: &[u8]) -> Result<BlockNumber> {
	Ok(BlockNumber::decode(&mut stored)?)
}

async fn issuance(node: SocketAddr, block: &str) -> Result<Balance> {
	let stored = storage(node, "Balances", "TotalIssuance", block).await?;
	Ok(Balance::decode(&mut stored.as_slice())?)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn job() -> Job {
		Job {
			price: 100,
			..Job::default()
		}
	}

	fn share(jobs: u64, settled: u64) -> Share {
		Share { jobs, settled }
	}

	fn are_sound(calm: Share, disturbed: Share) -> bool {
		Shares { calm, disturbed }.troubles().is_empty()
	}

	#[test]
	fn shares_should_be_sound_when_calm_jobs_are_done_and_most_of_the_others() {
		assert!(are_sound(share(100, 100), share(100, 100)));
		assert!(are_sound(share(100, 90), share(100, 50)));
		assert!(!are_sound(share(100, 89), share(100, 100)), "too few calm ones");
		assert!(!are_sound(share(100, 100), share(100, 49)), "too few of the others");
		assert!(are_sound(share(3, 2), share(1, 1)), "one audit may come to nothing");
		assert!(!are_sound(share(3, 1), share(1, 1)));
		assert!(are_sound(share(0, 0), share(3, 2)), "faults came near all jobs");
		assert!(!are_sound(share(0, 0), share(0, 0)), "nothing was shown");
		assert!(!are_sound(share(1, 0), share(0, 0)), "nothing was done");
	}

	#[test]
	fn job_should_be_sound_when_its_price_goes_out_once_at_its_end() {
		let mut job = job();
		assert_eq!(job.trouble(), None, "it is open");
		(job.moved, job.ends) = (100, vec![End::Settled]);
		assert_eq!(job.trouble(), None, "it is settled");
		job.moved = 99;
		assert!(job.trouble().is_some(), "something is missing");
		job.moved = 200;
		assert!(job.trouble().is_some(), "it was paid twice");
		(job.moved, job.ends) = (100, vec![End::Settled, End::Refunded]);
		assert!(job.trouble().is_some(), "it ended twice");
		job.ends = Vec::new();
		assert!(job.trouble().is_some(), "it was paid before its end");
		job.ends = vec![End::Rejected];
		assert!(job.trouble().is_some(), "it was rejected");
	}

	#[test]
	fn fine_should_be_sound_when_each_node_pays_once_for_what_it_let_down() {
		let mut job = job();
		(job.moved, job.fined, job.fines) = (7, 7, vec![3]);
		assert!(job.trouble().is_some(), "node 3 did nothing wrong");
		job.late.insert(3);
		assert_eq!(job.trouble(), None);
		job.fines.push(3);
		assert!(job.trouble().is_some(), "it paid twice");
	}

	#[test]
	fn time_of_a_job_should_be_that_of_all_its_phases() {
		// A draw of 34 blocks, three auditors of 28, an opening of 8, a jury of 53, and 14 steps.
		assert_eq!(over_within(10, 6), 34 + 3 * 28 + 8 + 53 + 14);
		assert_eq!(
			over_within(10, 7),
			over_within(10, 6) + 4,
			"three auditors and a jury have it"
		);
		assert!(
			over_within(150, 6) > over_within(10, 6),
			"the window counts where it is longer than a draw"
		);
	}

	#[test]
	fn job_should_be_overdue_when_all_its_phases_are_over_and_clocks_ran() {
		let mut job = Job {
			allowance: 6,
			deadline: 100,
			..job()
		};
		let last = u64::from(100 + over_within(10, 6));
		assert!(!job.is_overdue_at(last, 10, 0));
		assert!(job.is_overdue_at(last + 1, 10, 0));
		assert!(!job.is_overdue_at(last + 1, 10, 101), "nothing was due until then");
		job.ends = vec![End::Voided];
		assert!(!job.is_overdue_at(last + 1, 10, 0), "it is over");
	}
}
