//! An operator that commits and reveals.

use super::{
	file::{Bid, Bids},
	step::{step, Seen, Step},
	unrevealed,
};
use crate::{
	client::{
		calls::{self, Call},
		Client, ClientError, Signer,
	},
	commands::{ensure_possible, node, patiently, send, submit, PAUSE},
	context::Context,
	error::CommandError,
	output::{blocks, plain},
};
use highway_primitives::{market::MarketPhase, Balance, BlockNumber, ModelId};
use highway_runtime_api::types::{MarketInfo, NodeInfo};
use sp_core::crypto::AccountId32;
use std::time::Duration;

/// Between two looks at the best block.
const POLL: Duration = Duration::from_secs(1);

/// The same, shortly before the block that is waited for: the reveal phase of a development chain has a few blocks only.
const POLL_NEAR: Duration = Duration::from_millis(200);

/// So many blocks before.
const NEAR: BlockNumber = 2;

/// Blocks that a commitment needs before its phase ends: one to get into, and one to spare.
const BLOCKS_TO_COMMIT: BlockNumber = 2;

/// How often a reveal is tried again that the chain refused or a connection lost.
const RETRIES: u32 = 5;

/// An operator that bids.
pub struct Bidder<'a> {
	context: &'a Context,
	signer: Signer,
	node: NodeInfo<AccountId32>,
	bids: Bids,
}

impl<'a> Bidder<'a> {
	/// The one with the chosen key. Error if it operates no node.
	pub async fn new(context: &'a Context, client: &Client) -> Result<Self, CommandError> {
		let signer = context.signer(client)?;
		let node = node::own_node(client, &signer.account()).await?;
		Ok(Self {
			context,
			signer,
			node,
			bids: Bids::new(context.bids_folder()),
		})
	}

	/// Its account.
	pub fn account(&self) -> AccountId32 {
		self.signer.account()
	}

	/// Its node.
	pub fn node(&self) -> &NodeInfo<AccountId32> {
		&self.node
	}

	/// The bids of this operator's node on this chain that are kept.
	pub async fn kept(&self, client: &Client) -> Result<Vec<Bid>, CommandError> {
		let chain = client.identity().await?;
		let loaded = self.bids.load()?;
		for (path, error) in loaded.strange {
			let path = plain(path.display().to_string().as_bytes());
			let error = plain(error.to_string().as_bytes());
			self.context
				.output
				.remark(format!("{path} is passed over, as it is no bid: {error}"));
		}
		let account = self.account();
		let mut bids = loaded.bids;
		bids.retain(|bid| bid.chain.is_same(&chain) && bid.operator == account && bid.node == self.node.id);
		Ok(bids)
	}

	/// The market of the model, once there is time enough to commit.
	pub async fn until_commit_phase(&self, client: &mut Client, model: ModelId) -> Result<MarketInfo, CommandError> {
		loop {
			let market = patiently(client, async |client: &Client| Ok(client.market(model).await?))
				.await?
				.ok_or_else(|| CommandError::NotFound(format!("model {model} is gone")))?;
			let best = best_block(client).await?;
			if can_commit(&market, best) {
				return Ok(market);
			}
			let left = blocks(market.epoch_until.saturating_sub(best).saturating_add(1));
			self.context
				.output
				.remark(format!("asks can be committed to again in the next epoch, in {left}"));
			self.until_behind(client, market.epoch_until, "until the next epoch")
				.await?;
		}
	}

	/// Keeps what is needed for the reveal, then commits. Returns the bond, if the chain tells it.
	pub async fn commit(
		&self,
		client: &Client,
		bids: &[Bid],
		market: &MarketInfo,
	) -> Result<Option<Balance>, CommandError> {
		let wanted: Vec<Call> = bids
			.iter()
			.map(|bid| calls::commit_ask(bid.model, bid.role, bid.hash()))
			.collect();
		ensure_possible(client, &self.signer, &wanted, 0).await?;
		let sent = match bids.iter().try_for_each(|bid| self.bids.keep(bid)) {
			Ok(()) => send(self.context, client, &self.signer, &wanted).await,
			Err(error) => Err(error),
		};
		match sent {
			// What cannot be read must not end the command before the reveal.
			Ok(included) => Ok(included.sum("RevenueSplit", "AskCommitted", "bond").ok()),
			// It may be in a block.
			Err(error @ CommandError::Client(ClientError::Unknown { .. })) => {
				Err(unrevealed(market.epoch_until, error))
			}
			Err(error) => {
				for bid in bids {
					self.bids.forget(bid);
				}
				Err(error)
			}
		}
	}

	/// Reveals what is to be revealed, as far as it is time for that now, or, with `wait`, to the end. Returns how each bid ended.
	pub async fn follow(
		&self,
		client: &mut Client,
		mut bids: Vec<Bid>,
		wait: bool,
	) -> Result<Vec<(Bid, Step)>, CommandError> {
		let mut failures = 0;
		while !bids.is_empty() {
			let seen = self.seen(client, &bids).await?;
			let steps: Vec<Step> = bids
				.iter()
				.zip(&seen)
				.map(|(bid, seen)| step(bid, seen.as_ref()))
				.collect();
			if steps.contains(&Step::Reveal) {
				let due = bids.iter_mut().zip(&steps).filter(|(_, step)| **step == Step::Reveal);
				match self.reveal(client, due.map(|(bid, _)| bid).collect()).await {
					Ok(()) => failures = 0,
					Err(error) if failures == RETRIES => return Err(error),
					Err(_) => {
						failures += 1;
						tokio::time::sleep(PAUSE).await;
					}
				}
				continue;
			}
			let next = steps.iter().filter_map(|step| match step {
				Step::Hold(block) => Some(*block),
				Step::Wait(block) if wait => Some(*block),
				_ => None,
			});
			match next.min() {
				Some(block) => self.until_behind(client, block, "until asks are revealed").await?,
				None => {
					let done: Vec<_> = bids.into_iter().zip(steps).collect();
					self.tidy(&done, &seen);
					return Ok(done);
				}
			}
		}
		Ok(Vec::new())
	}

	/// Forgets bids whose epoch has begun: a reveal of now could still get lost with its block.
	fn tidy(&self, done: &[(Bid, Step)], seen: &[Option<Seen>]) {
		for ((bid, _), seen) in done.iter().zip(seen) {
			if seen.is_none_or(|seen| seen.epoch > bid.epoch) {
				self.bids.forget(bid);
			}
		}
	}

	/// What the chain knows of each bid. `None` where the model is gone.
	async fn seen(&self, client: &mut Client, bids: &[Bid]) -> Result<Vec<Option<Seen>>, CommandError> {
		let tasks = patiently(client, async |client: &Client| {
			Ok(client.ask_tasks(&self.node.worker).await?)
		})
		.await?;
		let best = best_block(client).await?;
		let finalized = patiently(client, async |client: &Client| Ok(client.final_block().await?)).await?;
		let mut all = Vec::new();
		for bid in bids {
			let task = tasks
				.iter()
				.find(|task| task.model == bid.model && task.role == bid.role);
			if let Some(task) = task {
				all.push(Some(Seen::from_task(task, best, finalized)));
				continue;
			}
			let hosts = self.hosts(client, bid.model).await?;
			let market = patiently(client, async |client: &Client| Ok(client.market(bid.model).await?)).await?;
			all.push(market.map(|market| Seen::from_market(&market, bid, hosts)));
		}
		Ok(all)
	}

	/// Whether the node hosts the model now.
	async fn hosts(&self, client: &mut Client, model: ModelId) -> Result<bool, CommandError> {
		let node = patiently(client, async |client: &Client| Ok(client.node(self.node.id).await?)).await?;
		Ok(node.is_some_and(|node| node.hosted.iter().any(|(hosted, ..)| *hosted == model)))
	}

	/// Reveals all of them at once, or, where the chain refuses one, each by itself: none shall be lost for another one.
	async fn reveal(&self, client: &Client, due: Vec<&mut Bid>) -> Result<(), CommandError> {
		let all: Vec<Call> = due.iter().map(|bid| reveal_call(bid)).collect();
		match submit(self.context, client, &self.signer, &all, 0).await {
			Ok(_) => {
				for bid in due {
					self.note_revealed(bid);
				}
				Ok(())
			}
			Err(CommandError::Client(ClientError::WouldRefuse(_) | ClientError::Refused(_))) if all.len() > 1 => {
				let mut end = Ok(());
				for bid in due {
					match submit(self.context, client, &self.signer, &[reveal_call(bid)], 0).await {
						Ok(_) => self.note_revealed(bid),
						Err(error) => end = Err(error),
					}
				}
				end
			}
			Err(error) => Err(error),
		}
	}

	fn note_revealed(&self, bid: &mut Bid) {
		bid.revealed = true;
		// What is not noted is found out from the chain.
		let _ = self.bids.keep(bid);
	}

	/// Waits for a block behind `block`.
	async fn until_behind(&self, client: &mut Client, block: BlockNumber, what: &str) -> Result<(), CommandError> {
		let first = best_block(client).await?;
		let left = block.saturating_sub(first).saturating_add(1);
		let bar = self.context.output.blocks_bar(what, left.into());
		let result = loop {
			let best = match best_block(client).await {
				Ok(best) if best > block => break Ok(()),
				Ok(best) => best,
				Err(error) => break Err(error),
			};
			bar.set_position(best.saturating_sub(first).into());
			let is_near = block.saturating_sub(best) < NEAR;
			tokio::time::sleep(if is_near { POLL_NEAR } else { POLL }).await;
		};
		bar.finish_and_clear();
		result
	}
}

fn reveal_call(bid: &Bid) -> Call {
	calls::reveal_ask(bid.model, bid.role, bid.price, bid.salt)
}

/// Whether a commitment that is sent now gets into a block in time.
fn can_commit(market: &MarketInfo, best: BlockNumber) -> bool {
	market.phase == MarketPhase::Commit && market.phase_until.saturating_sub(best) >= BLOCKS_TO_COMMIT
}

async fn best_block(client: &mut Client) -> Result<BlockNumber, CommandError> {
	patiently(client, async |client: &Client| Ok(client.best_block().await?)).await
}

#[cfg(test)]
mod tests {
	use super::*;

	fn market(phase: MarketPhase, phase_until: BlockNumber) -> MarketInfo {
		MarketInfo {
			model: 0,
			epoch: 7,
			phase,
			phase_until,
			epoch_until: 300,
			demand: 0,
			roles: Vec::new(),
			history: Vec::new(),
		}
	}

	#[test]
	fn commitments_should_be_sent_only_where_they_come_in_time() {
		assert!(can_commit(&market(MarketPhase::Commit, 200), 198));
		assert!(!can_commit(&market(MarketPhase::Commit, 200), 199));
		assert!(!can_commit(&market(MarketPhase::Commit, 200), 205));
		assert!(!can_commit(&market(MarketPhase::Reveal, 300), 250));
	}
}
